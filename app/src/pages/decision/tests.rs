//! Rendered from views made by hand: the facts beside the buttons, less time, denials, races, hostile words.

use chrono::Duration;
use domain::{
    PersonId,
    approval::{StageState, Via},
    grant::{End, EndReason},
    policy::{ApproverRule, Limits},
    refusal::{DeciderBar, FreshBar},
    request::{Length, LineKind, Start, Window},
};
use uuid::Uuid;
use workflow::views::{
    Answer, Capped, EntitlementTag, SeatView, Vote as Cast,
    conversation::{Conversation, HandedOn, Said},
    decision::{Compares, ExtendedBy, Facts, HeldBeside},
    history::{EarlierAsk, History},
    request::StageView,
};

use super::{
    super::approvals::tests::{EIGHT, HOSTILE, is_inert, now, package, person},
    *,
};
use crate::{
    pages::sample,
    render::{html, plain},
};

fn vote(text: &str, verdict: Verdict, cap_seconds: Option<i64>) -> Cast {
    Cast {
        by: person(20, text),
        behalf: None,
        via: Via::Manager,
        verdict,
        note: text.into(),
        cap_seconds,
        at: now() - Duration::minutes(1),
        fresh_at: None,
    }
}

fn talk(text: &str) -> Conversation {
    Conversation {
        said: domain::waiting::RemarkKind::ALL
            .iter()
            .map(|kind| Said {
                by: person(20, text),
                kind: *kind,
                text: text.into(),
                at: now() - Duration::minutes(3),
            })
            .collect(),
        asked_back_at: Some(now() - Duration::minutes(3)),
        stands_until: Some(now() + Duration::days(14)),
    }
}

fn stage(position: i64, rule: ApproverRule, state: StageState, text: &str) -> StageView {
    StageView {
        id: Uuid::from_u128(30 + position as u128).into(),
        position,
        rule,
        group: None,
        together: false,
        state,
        needed: 1,
        seats: vec![SeatView {
            person: person(21, text),
            via: Via::Manager,
            behalf: None,
        }],
        fallback: false,
        escalated: false,
        silence: None,
        silence_ends: None,
        reminded: None,
        by_subordinates: false,
        stuck: false,
        opened_at: Some(now() - Duration::minutes(12)),
        closed_at: None,
        votes: vec![],
        handed_on: vec![HandedOn {
            from: person(22, text),
            to: person(21, text),
            reason: text.into(),
            at: now(),
            returned_at: None,
        }],
    }
}

fn decision(text: &str) -> DecisionPage {
    DecisionPage {
        now: now(),
        stage: Uuid::from_u128(30).into(),
        line: Uuid::from_u128(2).into(),
        request: Uuid::from_u128(3).into(),
        number: 1042,
        kind: LineKind::New,
        state: LineState::AwaitingApproval,
        asker: person(4, text),
        beneficiary: Facts {
            person: person(4, text),
            job_title: "Software engineer".into(),
            department: "Orders".into(),
            office: "Gothenburg".into(),
            country: "SE".into(),
            employee_type: "employee".into(),
            user_type: "member".into(),
            manager: None,
            reports_to_me: true,
            hired_at: None,
            last_day_at: None,
        },
        package: package(text),
        version: Uuid::from_u128(5).into(),
        edition: 14,
        window: EIGHT,
        limits: Limits {
            default_seconds: 8 * 3600,
            longest_seconds: 24 * 3600,
            continuous_seconds: 96 * 3600,
            permanent: false,
            furthest_start_seconds: 0,
            pending_seconds: 86_400,
        },
        reason: text.into(),
        answers: vec![Answer {
            ask: text.into(),
            answer: text.into(),
            link: None,
        }],
        submitted_at: now() - Duration::minutes(12),
        lapse_at: now() + Duration::days(14),
        waits_since: None,
        wanted: vec![],
        opens: vec![text.into()],
        contents: vec![EntitlementTag {
            id: Uuid::from_u128(6).into(),
            name: text.into(),
            summary: text.into(),
            kind: "group".into(),
            target: "Entra ID".into(),
            privileged: true,
            control_scope: Some(text.into()),
            effective_within_seconds: 300,
            unmanageable: None,
            at_target: None,
        }],
        checks: workflow::checks::Checks::default(),
        compares: Compares {
            team: 9,
            team_holding: 3,
            team_names: vec![person(23, text)],
            team_longest_seconds: Some(8 * 3600),
            had: 2,
            had_ended: vec![(EndReason::Returned, 2)],
            others: Capped {
                count: 2,
                more: false,
            },
        },
        found: vec![],
        application: vec![HeldBeside {
            name: text.into(),
            privileged: false,
            control_scope: None,
            end: End::At(now() + Duration::days(3)),
            found: false,
        }],
        history: History {
            asks: vec![EarlierAsk {
                request: Uuid::from_u128(50).into(),
                number: 1010,
                kind: LineKind::New,
                state: LineState::Denied,
                at: now() - Duration::days(40),
                denied: Some((person(20, text), text.into())),
            }],
            grants: 2,
            held_seconds: 90_000,
        },
        account: text.into(),
        holds: vec![HeldBeside {
            name: text.into(),
            privileged: true,
            control_scope: Some(text.into()),
            end: End::Permanent,
            found: false,
        }],
        denied: None,
        extends: None,
        route: vec![
            stage(0, ApproverRule::Manager, StageState::Open, text),
            stage(1, ApproverRule::Security, StageState::Waiting, text),
        ],
        conversation: talk(text),
        handed_by: Some(person(22, text)),
        via: Some(Via::Manager),
        behalf: None,
        refusal: None,
        cap_so_far: None,
        fresh: false,
        to_sign: "7f3a00c91e".into(),
        to_sign_short: "7f3a·c91e".into(),
        position: Some(1),
        waiting: Capped {
            count: 5,
            more: false,
        },
        next: Some(Uuid::from_u128(31).into()),
        topics: vec![],
    }
}

fn shown(facts: DecisionPage, back: Back) -> String {
    html(|| page(facts, back, None))
}

/// What one reads of it.
fn read(facts: DecisionPage, back: Back) -> String {
    plain(&shown(facts, back))
}

#[test]
fn the_facts_stand_beside_the_buttons() {
    let out = shown(decision("Johan"), Back::default());
    let read = plain(&out);
    for part in [
        "Johan asks for Johan",
        "1 of 5",
        "Software engineer, Orders · reports to you · Gothenburg",
        "member of Johan in Entra ID, for 8 hours, privileged",
        "ends by itself, confirmed at the target",
        "3 of 9, at most 8 hours at a time",
        "twice in 12 months; given back 2 times",
        "2 people",
        "You, manager",
        "7f3a·c91e",
        "in edition 14, 8 hours, this reason, these answers",
        "Approve for 8 hours",
        "Add a word",
        "For less",
        "for 12 min",
    ] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
    for part in ["value=\"deny\"", "name=\"signed\" value=\"7f3a00c91e\""] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    assert_eq!(out.matches("<h1").count(), 1);
}

#[test]
fn a_shorter_yes_before_is_what_a_yes_gives() {
    let mut facts = decision("Johan");
    facts.cap_so_far = Some(4 * 3600);
    facts.route[0].votes = vec![vote("Elin", Verdict::Approve, Some(4 * 3600))];
    let out = shown(facts, Back::default());
    let read = plain(&out);
    for part in [
        "Approve for 4 hours",
        "Elin approved, for at most 4 hours",
        "at most 4 hours. A yes gives no more",
    ] {
        assert!(read.contains(part), "{part} is missing in {read}");
    }
    assert!(
        !out.contains("value=\"14400\""),
        "four hours are not less than four: {out}"
    );
}

#[test]
fn a_fresh_sign_in_is_said_before_the_buttons_and_after_the_vote() {
    let mut facts = decision("Johan");
    assert!(!read(facts.clone(), Back::default()).contains("sign in once more"));
    facts.fresh = true;
    let cast = vote("Elin", Verdict::Approve, None);
    facts.route[0].votes = vec![Cast {
        fresh_at: Some(cast.at),
        ..cast
    }];
    let out = read(facts.clone(), Back::default());
    let (before, _) = out.split_once("Approve for").expect("there is a button");
    assert!(
        before.contains("Approving asks you to sign in once more"),
        "{out}"
    );
    assert!(
        out.contains("Elin approved, after a fresh sign-in"),
        "{out}"
    );
    // Back in vain: what was typed is there.
    let kept = workflow::decide::Vote {
        stage: facts.stage,
        verdict: Verdict::Approve,
        note: "Agreed for incident 7".into(),
        cap_seconds: Some(3600),
        signed_hash: facts.to_sign.clone(),
    };
    for why in FreshBar::ALL {
        let refusals = [Refusal::NoFreshSignIn { why: *why }];
        let back = Back::of(Typed::kept(kept.clone()), &refusals);
        let out = shown(facts.clone(), back);
        for part in ["Nothing was decided.", "Agreed for incident 7"] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }
}

#[test]
fn an_earlier_denial_is_shown_with_its_reason() {
    let mut facts = decision("Johan");
    facts.denied = Some(vote("too broad", Verdict::Deny, None));
    let out = read(facts, Back::default());
    let said = "Denied 1 min ago (21 Nov 2026, 10:01 UTC) by too broad.";
    assert!(out.contains(said), "{out}");
}

#[test]
fn more_time_shows_the_end_before_and_after() {
    let mut facts = decision("Johan");
    facts.kind = LineKind::Extension;
    facts.window = Window {
        start: Start::OnActivation,
        length: Length::Until(now() + Duration::days(11)),
    };
    facts.extends = Some(ExtendedBy {
        from: now() - Duration::days(19),
        end: End::At(now() + Duration::days(1)),
        held_seconds: 19 * 86_400,
        total_seconds: Some(30 * 86_400),
        ended: false,
    });
    let out = read(facts, Back::default());
    for part in [
        "asks to extend",
        "ends tomorrow at 10:02 UTC",
        "goes on until 2 December",
        "held for 30 days in all",
        "Approve until 2 December",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
}

#[test]
fn faults_stand_beside_their_fields_and_what_was_typed_stays() {
    let typed = Typed {
        verdict: "deny".into(),
        note: "no".into(),
        ..Typed::default()
    };
    let out = shown(
        decision("Johan"),
        Back::of(typed, &[Refusal::ReasonTooShort { least: 5 }]),
    );
    for part in [
        "id=\"note-error\"",
        ">no</textarea>",
        "at least 5 characters",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let typed = Typed {
        verdict: "less".into(),
        less: "other".into(),
        less_number: "99".into(),
        less_unit: "3600".into(),
        note: "a word".into(),
        ..Typed::default()
    };
    let out = shown(
        decision("Johan"),
        Back::of(
            typed,
            &[Refusal::TooLongAsked {
                most_seconds: 8 * 3600,
            }],
        ),
    );
    for part in [
        "id=\"less-error\"",
        "value=\"99\"",
        "At most 8 hours",
        ">a word</textarea>",
    ] {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
}

#[test]
fn faults_are_listed_with_ways_to_them() {
    let typed = Typed {
        verdict: "deny".into(),
        ..Typed::default()
    };
    let back = Back::of(typed, &[Refusal::ReasonTooShort { least: 5 }]);
    assert_eq!(back.faults(), 1);
    let out = shown(decision("Johan"), back);
    assert!(
        out.contains("Fix 1 thing") && out.contains("href=\"#note\""),
        "{out}"
    );
}

#[test]
fn a_word_may_go_with_a_plain_yes_and_is_kept() {
    let typed = Typed {
        verdict: "approve".into(),
        note: "Keep it to the orders schema".into(),
        ..Typed::default()
    };
    let out = shown(decision("Johan"), Back::of(typed, &[Refusal::Changed]));
    assert!(
        out.contains(">Keep it to the orders schema</textarea>"),
        "{out}"
    );
    assert!(out.contains("<details open class=\"more\""), "{out}");
}

#[test]
fn the_last_vote_is_said_with_its_request() {
    let mut facts = decision("Johan");
    let me = person(20, "x").id;
    assert!(Last::of(&facts, me).is_none(), "nobody has voted");
    facts.route[0].votes = vec![vote("Elin", Verdict::Approve, None)];
    let said = |facts: &DecisionPage, next| {
        let last = Last::of(facts, me).expect("a vote");
        plain(&html(move || last.view(next)))
    };
    assert_eq!(
        said(&facts, true).trim(),
        "Approved: Johan, Johan. Others decide next. Here is the next one."
    );
    facts.state = LineState::Approved;
    assert_eq!(
        said(&facts, false).trim(),
        "Approved: Johan, Johan. It is being set up."
    );
    facts.state = LineState::Denied;
    facts.route[0].votes = vec![vote("Elin", Verdict::Deny, None)];
    assert_eq!(
        said(&facts, false).trim(),
        "Denied: Johan, Johan. They were told why."
    );
}

#[test]
fn who_was_second_sees_who_was_first() {
    let mut facts = decision("Johan");
    facts.state = LineState::Denied;
    facts.route[0].state = StageState::Denied;
    facts.route[0].votes = vec![vote("Elin", Verdict::Deny, None)];
    let refusal = Refusal::WrongState {
        state: "denied".into(),
    };
    facts.refusal = Some(refusal.clone());
    facts.via = None;
    facts.position = None;
    let typed = Typed {
        verdict: "approve".into(),
        note: "kept words".into(),
        ..Typed::default()
    };
    let out = shown(facts, Back::of(typed, &[refusal]));
    for part in [
        "Somebody was faster",
        "Elin denied 1 min ago",
        "kept words",
        "Next decision",
        "AR-1042",
    ] {
        assert!(plain(&out).contains(part), "{part} is missing in {out}");
    }
    assert!(!out.contains("method=\"post\""), "{out}");
}

#[test]
fn who_may_not_decide_reads_why_and_gets_no_buttons() {
    let mut facts = decision("Johan");
    facts.refusal = Some(Refusal::MayNotDecide {
        why: DeciderBar::Beneficiary,
    });
    facts.via = None;
    let out = shown(facts, Back::default());
    assert!(
        out.contains("This is for you, so somebody else decides."),
        "{out}"
    );
    assert!(!out.contains("method=\"post\""), "{out}");
}

#[test]
fn a_broken_rule_says_that_a_yes_waits_and_shows_what_is_proposed() {
    let mut facts = decision("Johan");
    facts.checks.conflicts = vec![workflow::conflicts::Clash {
        rule: Uuid::from_u128(90).into(),
        name: "Prepare and pay".into(),
        explain: "Nobody pays what they prepared.".into(),
        severity: domain::conflict::Severity::High,
        held: vec!["Payments".into()],
        asked: vec![],
        covered: false,
    }];
    facts.wanted = vec![sample::wanted("Olle", None)];
    let nobody = read(facts.clone(), Back::default());
    assert!(nobody.contains("A yes waits for an exception"), "{nobody}");
    assert!(nobody.contains("Propose an exception"), "{nobody}");
    facts.wanted = vec![sample::wanted("Olle", Some(9))];
    let proposed = read(facts.clone(), Back::default());
    for part in [
        "EX-9 waits for Olle, who accepts it for the business.",
        "See EX-9",
        "Olle, attested every 7 days",
        "Taken away at its end",
    ] {
        assert!(proposed.contains(part), "{part} is missing in {proposed}");
    }
    // Once all have said yes.
    facts.waits_since = Some(now());
    facts.refusal = Some(Refusal::DecidedAlready);
    facts.via = None;
    let waits = read(facts, Back::default());
    assert!(waits.contains("All have said yes"), "{waits}");
    assert!(waits.contains("EX-9 waits for Olle"), "{waits}");
}

#[test]
fn hostile_words_stay_words() {
    let mut facts = decision(HOSTILE);
    facts.denied = Some(vote(HOSTILE, Verdict::Deny, None));
    facts.route[0].votes = vec![vote(HOSTILE, Verdict::Approve, Some(60))];
    facts.wanted = vec![sample::wanted(HOSTILE, Some(9))];
    facts.waits_since = Some(now());
    let typed = Typed {
        verdict: "deny".into(),
        note: HOSTILE.into(),
        less: HOSTILE.into(),
        less_number: HOSTILE.into(),
        less_unit: HOSTILE.into(),
        signed: HOSTILE.into(),
    };
    let out = shown(
        facts,
        Back {
            typed,
            note: Some(HOSTILE.into()),
            less: Some(HOSTILE.into()),
            form: vec![HOSTILE.into()],
        },
    );
    assert!(is_inert(&out), "{out}");
}

#[test]
fn shorter_choices_are_shorter() {
    let hours = |longest: i64| {
        verdict::shorter(longest)
            .iter()
            .map(Duration::num_minutes)
            .collect::<Vec<_>>()
    };
    assert_eq!(hours(8 * 3600), [60, 120, 240]);
    assert_eq!(hours(300), [5]);
    assert_eq!(hours(60), [1]);
}

#[test]
fn ids_in_addresses_must_be_ids() {
    assert!(kit::id::<StageId>("stg_nonsense").is_err());
    assert!(kit::id::<StageId>(&PersonId(Uuid::nil()).to_string()).is_err());
}
