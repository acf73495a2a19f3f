//! Rendered from views made by hand.

use domain::{PersonId, audit::EventKind};
use serde_json::json;
use uuid::Uuid;
use workflow::audit::{Break, Tampering};
use workflow::views::{
    PersonTag,
    audit::{EntryPage, Filter},
    search::FoundPerson,
};

use super::{
    super::approvals::tests::{HOSTILE, is_inert, now},
    *,
};
use crate::render::html;

fn name(text: &str) -> Name {
    Name {
        id: format!("per_{text}"),
        name: text.into(),
        path: Some(format!("/people/{text}")),
    }
}

fn entry(text: &str) -> Entry {
    Entry {
        seq: 7,
        at: now(),
        kind: "grant_ended".into(),
        actor: "person".into(),
        actor_name: Some(name(text)),
        behalf: Some(name(text)),
        subjects: vec![
            name(text),
            Name {
                id: text.into(),
                name: String::new(),
                path: None,
            },
        ],
        cause: Some(Name {
            id: text.into(),
            name: String::new(),
            path: None,
        }),
        policy: Some(text.into()),
        before: json!({"state": "active", "kept": true}),
        after: json!({"state": "ended", "kept": true, "note": text}),
        hash: "abcd".into(),
    }
}

fn log(text: &str, entries: usize) -> AuditPage {
    AuditPage {
        now: now(),
        entries: (0..entries).map(|_| entry(text)).collect(),
        next: Some(5),
        length: 1200,
        head: "abcd".into(),
        kinds: EventKind::ALL.to_vec(),
    }
}

fn somebody(id: u128, text: &str) -> FoundPerson {
    FoundPerson {
        person: PersonTag {
            id: PersonId(Uuid::from_u128(id)),
            name: text.into(),
            initials: "X".into(),
        },
        job_title: text.into(),
        department: "Orders".into(),
    }
}

/// What the page shows of a filter where the name means these people.
fn shown(text: &str, asked: Asked, people: Vec<FoundPerson>, exports: bool) -> String {
    let (filter, faults) = asked.filter(&people);
    let meant = Meant {
        filter,
        faults,
        people,
    };
    let log = log(text, 1);
    html(move || page(log, asked, meant, None, exports))
}

#[test]
fn a_filter_is_read_and_kept_in_every_address() {
    let person = PersonId(Uuid::from_u128(4));
    let asked = Asked {
        about: " AR-1042 ".into(),
        kind: "grant_ended".into(),
        by: "Elin".into(),
        from: "2026-11-01".into(),
        until: "2026-11-21".into(),
        ..Asked::default()
    };
    let people = vec![somebody(4, "Elin Berg")];
    let (filter, faults) = asked.filter(&people);
    assert_eq!(faults, vec![]);
    assert_eq!(filter.subject.as_deref(), Some("AR-1042"));
    assert_eq!(
        (filter.kind, filter.actor),
        (Some(EventKind::GrantEnded), Some(person))
    );
    assert_eq!(filter.until, kit::day("2026-11-22"));
    let out = shown("Elin", asked, people, true);
    assert!(
        out.contains("/audit/export.csv?about=%20AR-1042%20&amp;kind=grant_ended&amp;by=Elin"),
        "{out}"
    );
    assert!(out.contains("before=5"), "{out}");
}

#[test]
fn what_cannot_be_read_is_said_beside_its_field() {
    let asked = Asked {
        by: "Elin".into(),
        from: "yesterday".into(),
        ..Asked::default()
    };
    let out = shown("Elin", asked.clone(), vec![], true);
    for part in [
        "by-error",
        "Nobody has that name",
        "from-error",
        "The filter cannot be read",
        "value=\"yesterday\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert!(!out.contains("/audit/export"), "{out}");
    let people = vec![somebody(4, "Elin Berg"), somebody(5, "Elin Ek")];
    let out = shown("Elin", asked, people, false);
    assert!(
        out.contains("Several people fit") && out.contains("by=Elin%20Ek%2C%20per_"),
        "{out}"
    );
}

fn judged(verdict: Verdict) -> String {
    let meant = Meant {
        filter: Filter::default(),
        faults: vec![],
        people: vec![],
    };
    html(move || page(log("Elin", 1), Asked::default(), meant, Some(verdict), true))
}

#[test]
fn a_broken_log_says_where() {
    let broken = Break {
        seq: 1042,
        tampering: Tampering::Edited,
        why: "the hash does not fit".into(),
    };
    let verdict = Verdict {
        entries: 1041,
        hash: vec![],
        broken: Some(broken),
        checkpoints: 0,
    };
    let out = judged(verdict);
    assert!(
        out.contains("The log is broken at entry 1,042: edited."),
        "{out}"
    );
    let verdict = Verdict {
        entries: 1200,
        hash: vec![],
        broken: None,
        checkpoints: 0,
    };
    let out = judged(verdict);
    assert!(out.contains("The log is whole."), "{out}");
}

#[test]
fn hostile_words_stay_words() {
    let asked = Asked {
        about: HOSTILE.into(),
        by: HOSTILE.into(),
        ..Asked::default()
    };
    let people = vec![somebody(4, HOSTILE), somebody(5, HOSTILE)];
    let out = shown(HOSTILE, asked, people, true);
    assert!(is_inert(&out), "{out}");
    let out = html(|| {
        entry::page(EntryPage {
            now: now(),
            entry: entry(HOSTILE),
            canonical: HOSTILE.into(),
            previous_hash: "00".into(),
            whole: false,
            older: Some(6),
            newer: None,
        })
    });
    assert!(is_inert(&out), "{out}");
    for part in [
        "The hash does not fit",
        "state: active",
        "state: ended",
        "kept: yes",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
}
