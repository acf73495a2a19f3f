//! Rendered from views made by hand.

use domain::{
    grant::End,
    person::{AccountKind, PortalRole},
};
use uuid::Uuid;
use workflow::views::{Entry, Marks, Why, decision::Facts as Directory, person::AccountView};

use super::{
    super::approvals::tests::{HOSTILE, is_inert, now, package, person},
    *,
};
use crate::render::html;

fn grant(text: &str, source: GrantSource) -> HeldGrant {
    HeldGrant {
        id: Uuid::from_u128(1).into(),
        package: (source == GrantSource::Request).then(|| package(text)),
        name: text.into(),
        source,
        from: now() - chrono::Duration::hours(2),
        end: End::At(now() + chrono::Duration::hours(6)),
        health: Health::Ready,
        ready_at: Some(now()),
        over: None,
        why: (source == GrantSource::Request).then(|| Why {
            request: Uuid::from_u128(2).into(),
            number: 1042,
            reason: text.into(),
            asker: None,
            approvers: vec![person(3, text)],
        }),
        parts: vec![],
        extension: None,
        may_extend: false,
        may_give_back: false,
        marks: Marks::default(),
    }
}

fn somebody(text: &str) -> PersonPage {
    PersonPage {
        now: now(),
        facts: Directory {
            person: person(4, text),
            job_title: text.into(),
            department: "Orders".into(),
            office: text.into(),
            country: "SE".into(),
            employee_type: "contractor".into(),
            user_type: "member".into(),
            manager: Some(person(5, text)),
            reports_to_me: true,
            hired_at: Some(now()),
            last_day_at: Some(now() + chrono::Duration::days(9)),
        },
        me: false,
        mail: text.into(),
        company: text.into(),
        employee_id: Some(text.into()),
        state: PersonState::Active,
        left_at: None,
        above: vec![person(5, text)],
        sponsors: vec![person(6, text)],
        reports: vec![person(7, text)],
        accounts: vec![AccountView {
            id: Uuid::from_u128(8).into(),
            user_name: text.into(),
            kind: AccountKind::Normal,
            enabled: true,
            deleted: false,
        }],
        sessions: Some(2),
        roles: vec![PortalRole::Operator],
        held: vec![grant(text, GrantSource::Request)],
        found: vec![grant(text, GrantSource::Import)],
        ended: vec![],
        requests: vec![],
        may_open_requests: true,
        may_ask_alike: true,
        may_see_why: true,
        stopped: None,
        may_stop: true,
        events: vec![Entry {
            seq: 7,
            at: now(),
            kind: "line_decided".into(),
            actor: "person".into(),
            actor_name: Some(name("per_5", "Astrid", "/people/per_5")),
            behalf: None,
            subjects: vec![
                name("lin_1", "AR-1042", "/requests/req_2"),
                name("req_2", "AR-1042", "/requests/req_2"),
                name("pkg_1", text, "/catalog/pkg_1"),
                name("gra_1", "Orders", "/people/per_4"),
                name("asg_1", "sg-orders", "/provisioning/asg_1"),
                name("stg_1", "", ""),
            ],
            cause: None,
            policy: None,
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
            hash: String::new(),
        }],
    }
}

fn name(id: &str, name: &str, path: &str) -> Name {
    Name {
        id: id.into(),
        name: name.into(),
        path: Some(path.to_owned()).filter(|path| !path.is_empty()),
    }
}

#[test]
fn a_person_says_what_they_hold_and_why() {
    let out = html(|| page(somebody("Johan")));
    for part in [
        "6 h left",
        "AR-1042",
        "approved by Johan",
        "Found at the target, not approved here",
        "reports to you",
        "last day is 30 November",
        "contractor",
        "Operator",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert_eq!(out.matches("<h1").count(), 1);
}

#[test]
fn what_happened_says_to_what() {
    let out = html(|| page(somebody("Johan")));
    assert_eq!(
        out.matches("href=\"/requests/req_2\"").count(),
        1,
        "said once: {out}"
    );
    assert!(
        !out.contains("/provisioning/asg_1") && out.contains("sg-orders"),
        "{out}"
    );
    let out = html(|| {
        page(PersonPage {
            may_open_requests: false,
            ..somebody("Johan")
        })
    });
    assert!(
        !out.contains("/requests/") && out.contains("AR-1042"),
        "{out}"
    );
}

#[test]
fn who_may_end_sessions_is_told_how_many_and_what_stays() {
    let out = html(|| page(somebody("Johan")));
    for part in [
        "2 sessions end at once",
        "Their access stays.",
        "/sign-out\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    for (sessions, said) in [(Some(0), true), (None, false)] {
        let out = html(|| {
            page(PersonPage {
                sessions,
                ..somebody("Johan")
            })
        });
        assert!(!out.contains("/sign-out\""), "{out}");
        assert_eq!(out.contains("not signed in anywhere"), said, "{out}");
    }
}

#[test]
fn hostile_attributes_stay_words() {
    let out = html(|| page(somebody(HOSTILE)));
    assert!(is_inert(&out), "{out}");
}
