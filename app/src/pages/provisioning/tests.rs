//! Rendered from views made by hand: what an operator must see, and that nothing typed elsewhere becomes markup.

use domain::{
    assignment::{Closed, Observed},
    deadline::JobKind,
    drift::Stop,
};
use uuid::Uuid;
use workflow::{
    assignments::{Call, Problem},
    chat::Chat,
    restores::{Compared, Seen},
    traffic::Calls,
    views::{
        Capped,
        provisioning::{AssignmentPage, ScanView, StoppedScan, TargetPage, TargetView},
        request::OperationView,
        restore::{Restore, RestoredTarget},
        stuck::{Stuck, StuckJob, StuckMail, StuckPost},
    },
};

use super::{
    super::approvals::tests::{HOSTILE, is_inert, now, person},
    *,
};
use crate::render::html;

fn nothing_stuck() -> Stuck {
    Stuck {
        now: now(),
        doubt: None,
        directory: vec![],
        jobs: vec![],
        mails: vec![],
        posts: vec![],
        may_act: false,
    }
}

#[test]
fn what_was_given_up_is_seen_and_a_mail_can_be_sent_again() {
    let stuck = |may_act| Stuck {
        directory: vec![(HOSTILE.into(), Some(now()))],
        jobs: vec![StuckJob {
            key: "end:gra_1".into(),
            kind: JobKind::GrantEnd,
            failures: 7,
            problem: HOSTILE.into(),
            next_at: now(),
        }],
        mails: vec![StuckMail {
            id: Uuid::from_u128(9).into(),
            person: person(2, HOSTILE),
            subject: HOSTILE.into(),
            failed: true,
            problem: "550 no such user".into(),
            written_at: now(),
        }],
        posts: vec![StuckPost {
            id: Uuid::from_u128(10).into(),
            chat: Some(Chat::Slack),
            title: HOSTILE.into(),
            failed: true,
            problem: "The chat answered 410 Gone.".into(),
            written_at: now(),
        }],
        may_act,
        ..nothing_stuck()
    };
    let out = html(|| page(all("Entra", false, true), stuck(true), false));
    assert!(is_inert(&out), "{out}");
    for said in [
        "A grant cannot be ended",
        "7 tries",
        "550 no such user",
        "410 Gone",
        "/provisioning/posts/pst_",
        "/send\"",
    ] {
        assert!(out.contains(said), "{said} is not in {out}");
    }
    let out = html(|| page(all("Entra", false, true), stuck(false), false));
    assert!(!out.contains("Send again"), "{out}");
}

fn unsettled(text: &str, phase: Phase) -> Unsettled {
    Unsettled {
        id: Uuid::from_u128(1).into(),
        person: person(2, text),
        account: text.into(),
        entitlement: Uuid::from_u128(3).into(),
        entitlement_name: text.into(),
        privileged: true,
        target: Uuid::from_u128(4).into(),
        target_name: text.into(),
        desired: false,
        since: now() - chrono::Duration::hours(3),
        observed: Observed::Present,
        observed_at: Some(now()),
        phase,
        attempts: 6,
        problem: Some(Problem {
            what: format!("the group is managed elsewhere {text}"),
            fix: text.into(),
            call: Call::Remove,
            status: Some(403),
            request_id: Some(text.into()),
            attempts: 6,
            since: now(),
        }),
        next_at: None,
        request_id: Some(text.into()),
        said: Some(text.into()),
    }
}

fn target(text: &str, paused: bool) -> TargetView {
    TargetView {
        id: Uuid::from_u128(4).into(),
        name: text.into(),
        kind: "graph".into(),
        paused,
        not_before: None,
        problem: Some(text.into()),
        problem_at: Some(now()),
        succeeded_at: None,
        due: Capped {
            count: 12,
            more: false,
        },
        settling: Capped {
            count: 2,
            more: false,
        },
        attention: Capped {
            count: 1,
            more: false,
        },
        oldest: Some(now()),
        scan: Some(ScanView {
            begun_at: Some(now()),
            ended_at: Some(now()),
            problem: Some(text.into()),
            rights: 7,
            given: 3,
            vanished: 1,
            next_at: Some(now()),
        }),
        closed: None,
        calls: Some(Calls {
            under_way: 3,
            most: 16,
        }),
    }
}

fn operation(text: &str) -> OperationView {
    OperationView {
        id: Uuid::from_u128(6).into(),
        kind: "remove".into(),
        outcome: "never".into(),
        status: Some(403),
        request_id: Some(text.into()),
        client_request_id: Some(text.into()),
        detail: text.into(),
        at: now(),
        took_ms: 120,
    }
}

fn all(text: &str, paused: bool, may_act: bool) -> Provisioning {
    Provisioning {
        now: now(),
        targets: vec![target(text, paused)],
        attention: vec![unsettled(text, Phase::Attention)],
        next: Some(Cursor::from_text(text)),
        under_way: vec![unsettled(text, Phase::Due)],
        restore: None,
        stopped: vec![StoppedScan {
            right: Uuid::from_u128(3).into(),
            name: text.into(),
            target_name: text.into(),
            at: now(),
            why: Stop::TooMany,
            listed: 40,
            believed: 12,
            given: 28,
            vanished: 0,
            changes: 28,
            detail: text.into(),
            goes_on: false,
        }],
        recent: vec![Recent {
            operation: operation(text),
            assignment: Uuid::from_u128(1).into(),
            person: person(2, text),
            entitlement_name: text.into(),
            target_name: text.into(),
        }],
        may_act,
        topics: vec![],
    }
}

#[test]
fn attention_says_what_why_and_offers_another_try() {
    let out = html(|| page(all("Entra", false, true), nothing_stuck(), false));
    for part in [
        "Entra should lose Entra",
        "The group is managed elsewhere",
        "6 tries",
        "/retry",
        "14 changes wait now",
        "3 of at most 16",
        "Pause Entra",
        "Remove: refused for good",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let out = html(|| page(all("Entra", true, true), nothing_stuck(), false));
    assert!(out.contains("14 changes go out at once"), "{out}");
}

#[test]
fn an_operator_sees_what_a_scan_found_and_why_one_stopped() {
    let out = html(|| page(all("Entra", false, true), nothing_stuck(), false));
    for part in [
        "Last scan",
        "7 rights",
        "Next scan",
        "/targets/tgt_",
        "/scan\"",
        "Scan Entra now",
        "The last scan could not be done",
        "28 would change: 28 given outside Latchkey, 0 gone, of 12 holders",
        "/go-on\"",
        "name=\"changes\" value=\"28\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    // Nothing is scanned while it is paused, and what a listing lacks is nothing to go on with.
    let unread = |goes_on| StoppedScan {
        why: Stop::Unread,
        goes_on,
        ..all("The group is gone", true, true).stopped.remove(0)
    };
    let paused = |one| Provisioning {
        stopped: vec![one],
        ..all("Entra", true, true)
    };
    let out = html(|| page(paused(unread(false)), nothing_stuck(), false));
    assert!(
        !out.contains("Scan now") && !out.contains("/go-on"),
        "{out}"
    );
    assert!(out.contains("The group is gone"), "{out}");
    // What an operator let through is not asked again.
    let going = StoppedScan {
        goes_on: true,
        ..all("Entra", true, true).stopped.remove(0)
    };
    let out = html(|| page(paused(going), nothing_stuck(), false));
    assert!(out.contains("goes on") && !out.contains("/go-on"), "{out}");
}

fn restored(text: &str, may_go_on: bool) -> Provisioning {
    let target = |n: u128, compared| RestoredTarget {
        id: Uuid::from_u128(n).into(),
        name: text.into(),
        compared,
        uncompared: 4,
        given: 3,
        missing: 2,
        waiting: 9,
    };
    Provisioning {
        restore: Some(Restore {
            why: text.into(),
            noted_at: Some(now()),
            targets: vec![
                target(4, Compared::NotWhole),
                target(5, Compared::ByHand),
                target(6, Compared::Scanning),
            ],
            seen: Seen {
                given: 9,
                missing: 6,
            },
            may_go_on,
        }),
        ..all("Entra", false, true)
    }
}

#[test]
fn after_a_restore_the_page_says_what_was_found_and_an_operator_goes_on() {
    let out = html(|| page(restored("it counts more", true), nothing_stuck(), false));
    for part in [
        "Nothing is given at these targets",
        "it counts more",
        "not whole: 4 rights left",
        "no program can list it",
        "being scanned",
        "27 rights are given that waited",
        "/provisioning/restore/go-on",
        "name=\"given\" value=\"9\"",
        "name=\"missing\" value=\"6\"",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let out = html(|| page(restored(HOSTILE, false), nothing_stuck(), false));
    assert!(
        is_inert(&out) && !out.contains("/provisioning/restore/go-on"),
        "{out}"
    );
}

#[test]
fn a_target_that_is_not_switched_on_shows_what_it_would_change() {
    let count = |count| Capped { count, more: false };
    let one = |text: &str, closed| TargetPage {
        now: now(),
        target: TargetView {
            closed,
            ..target(text, false)
        },
        additions: count(31),
        removals: count(1),
        waiting: vec![unsettled(text, Phase::Due)],
        next: Some(Cursor::from_text(text)),
        topics: vec![],
    };
    let shadow = Some(Closed::Shadow);
    let out = html(|| target::page(one("Jira", shadow), true, false));
    for part in [
        "would give 31 and take away 1",
        "Would be",
        "taken away",
        "not switched on",
        "/provisioning/asg_",
        "?after=Jira",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let out = html(|| target::page(one(HOSTILE, None), true, true));
    assert!(is_inert(&out) && out.contains("Should be"), "{out}");
}

#[test]
fn a_sentence_leaves_a_name_as_it_is_written() {
    let group = Unsettled {
        entitlement_name: "sg-azure-playground".into(),
        ..unsettled("Entra", Phase::Attention)
    };
    assert_eq!(
        plainly("sg-azure-playground is managed elsewhere.", &group),
        "sg-azure-playground is managed elsewhere"
    );
    assert_eq!(
        plainly("the group is managed elsewhere", &group),
        "The group is managed elsewhere"
    );
}

#[test]
fn what_appears_later_has_a_place_to_appear_in() {
    let empty = Provisioning {
        attention: vec![],
        under_way: vec![],
        recent: vec![],
        ..all("Entra", false, true)
    };
    let out = html(|| page(empty, nothing_stuck(), false));
    for region in ["attention", "under-way", "calls"] {
        assert!(
            out.contains(&format!("data-live=\"{region}\"")),
            "{region} is missing in {out}"
        );
    }
}

#[test]
fn who_only_looks_gets_no_buttons() {
    let out = html(|| page(all("Entra", false, false), nothing_stuck(), false));
    assert!(!out.contains("method=\"post\""), "{out}");
}

#[test]
fn hostile_words_of_a_target_stay_words() {
    let out = html(|| page(all(HOSTILE, true, true), nothing_stuck(), true));
    assert!(is_inert(&out), "{out}");
    let out = html(|| {
        one::page(AssignmentPage {
            now: now(),
            assignment: unsettled(HOSTILE, Phase::Attention),
            operations: vec![operation(HOSTILE)],
            grants: vec![],
            may_act: true,
        })
    });
    assert!(is_inert(&out), "{out}");
    assert!(out.contains("HTTP 403"), "{out}");
}
