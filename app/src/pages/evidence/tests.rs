//! Rendered from views made by hand.

use domain::{
    assignment::{Observed, Origin},
    grant::{End, EndReason, GrantSource},
};
use uuid::Uuid;
use workflow::views::{
    AppTag, ChangeKind, Cursor, Name,
    evidence::{Change, Changes, Evidence, Holding, Population, Reconciled},
};

use super::{
    super::approvals::tests::{HOSTILE, is_inert, now, package},
    changes, population,
};
use crate::render::html;

fn offered(text: &str) -> Evidence {
    Evidence {
        now: now(),
        applications: vec![app(text)],
    }
}

fn app(text: &str) -> AppTag {
    package(text).app
}

fn found(text: &str) -> Population {
    Population {
        application: app(text),
        at: now(),
        read_at: now(),
        query: text.into(),
        rows: vec![Holding {
            person: Uuid::from_u128(1).into(),
            name: text.into(),
            department: text.into(),
            account: text.into(),
            package: Some(text.into()),
            entitlement: text.into(),
            target: text.into(),
            grant: Uuid::from_u128(2).into(),
            source: GrantSource::Request,
            from: now(),
            end: End::Permanent,
            ended_at: None,
            end_reason: None,
            ready_at: None,
            gone_at: None,
            request: Some((Uuid::from_u128(3).into(), 1042)),
            approvers: vec![text.into()],
            observed: Observed::Present,
            observed_at: Some(now()),
            origin: Some(Origin::Ours),
        }],
        next: Some(Cursor::from_text(text)),
        count: 240,
        people: 112,
        reconciled: Reconciled {
            desired: 240,
            present: 239,
            missing: 1,
            surplus: 0,
            oldest_read: Some(now()),
            newest_read: Some(now()),
        },
        head: (77, "abcd".into()),
    }
}

fn changed(text: &str) -> Changes {
    Changes {
        application: Some(app(text)),
        from: now() - chrono::Duration::days(30),
        until: now(),
        read_at: now(),
        query: text.into(),
        counts: ChangeKind::ALL.iter().map(|kind| (*kind, 3)).collect(),
        rows: vec![Change {
            kind: ChangeKind::Ended,
            at: now(),
            person: Name {
                id: text.into(),
                name: text.into(),
                path: Some(text.into()),
            },
            package: Some(text.into()),
            subject: text.into(),
            reason: Some(EndReason::Returned),
            by: Some(Name {
                id: text.into(),
                name: text.into(),
                path: None,
            }),
            request: Some((Uuid::from_u128(3).into(), 1042)),
            confirmed_at: Some(now()),
        }],
        next: None,
        head: (77, "abcd".into()),
    }
}

#[test]
fn a_population_says_count_query_time_and_agreement() {
    let asked = population::Asked {
        application: "app_x".into(),
        day: "2026-11-20".into(),
        after: String::new(),
    };
    let out = html(|| population::page(offered("Orders"), asked, Some(found("Orders")), None));
    for part in [
        "240 holdings by 112 people",
        "Rows 1–1 of 240 are on this page; the file has all.",
        "AR-1042",
        "How it was worked out",
        "entry 77",
        "The targets do not agree everywhere",
        "/evidence/population.csv?application=app_x&amp;day=2026-11-20",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
}

#[test]
fn changes_are_counted_by_kind() {
    let asked = changes::Asked {
        from: "2026-10-22".into(),
        until: "2026-11-21".into(),
        ..changes::Asked::default()
    };
    let out = html(|| changes::page(offered("Orders"), asked, Some(changed("Orders")), None));
    for part in [
        "24 changes",
        "A day in UTC, all of it",
        "Access began",
        "Request lapsed",
        "given back",
        "/evidence/changes.csv?from=2026-10-22",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
}

#[test]
fn a_wrong_day_is_said_beside_its_field() {
    let asked = population::Asked {
        application: "app_x".into(),
        day: "soon".into(),
        after: String::new(),
    };
    let out = html(|| {
        population::page(
            offered("Orders"),
            asked,
            None,
            Some(("day", "Choose a day, such as 2026-11-21.")),
        )
    });
    assert!(
        out.contains("day-error") && out.contains("value=\"soon\""),
        "{out}"
    );
}

#[test]
fn hostile_words_stay_words() {
    let asked = population::Asked {
        application: HOSTILE.into(),
        day: HOSTILE.into(),
        after: HOSTILE.into(),
    };
    let out = html(|| population::page(offered(HOSTILE), asked, Some(found(HOSTILE)), None));
    assert!(is_inert(&out), "{out}");
    let asked = changes::Asked {
        application: HOSTILE.into(),
        from: HOSTILE.into(),
        until: HOSTILE.into(),
        after: HOSTILE.into(),
    };
    let out = html(|| changes::page(offered(HOSTILE), asked, Some(changed(HOSTILE)), None));
    assert!(is_inert(&out), "{out}");
}
