//! Rendered from views made by hand.

use domain::{
    PersonId, Refusal,
    certification::{
        Act, Answer, CampaignState, Cause, Enforce, ItemState, Next, Passes, Proof, Reasons,
        ReviewerRule, Scope, Silence, Suggestion, Tally, Then, Via, Why,
    },
    grant::{GrantSource, GrantState},
};
use leptos::prelude::*;
use uuid::Uuid;
use workflow::reviews::Counts;
use workflow::views::{
    Cursor, PersonTag,
    reviews::{
        ActView, CampaignItem, CampaignPage, Coverage, Earlier, Enforced, EventView, ItemPage,
        ItemView, Listed, Looked, Preview, Progress, Question, Report, ReportItem, Reviewed,
        Reviews, SaidView, ScopeWords, Settings, ShareView, SmallItem, StageView, WorklistPage,
        WorklistTag,
    },
};

use super::{
    super::{
        approvals::tests::{HOSTILE, now},
        tests::checked,
    },
    Typed, campaign, draft, item, list, report, worklist,
};
use crate::render::plain;

fn tag(text: &str) -> PersonTag {
    PersonTag {
        id: PersonId(Uuid::from_u128(7)),
        name: text.into(),
        initials: "M".into(),
    }
}

fn an_item(text: &str, state: ItemState) -> ItemView {
    ItemView {
        id: Uuid::from_u128(11).into(),
        version: 3,
        person: tag(text),
        department: text.into(),
        job_title: text.into(),
        right: text.into(),
        application: Some(text.into()),
        source: GrantSource::Request,
        request: Some(871),
        from: now() - chrono::Duration::days(150),
        end: None,
        privileged: true,
        control_scope: Some(text.into()),
        peers: Some((1, 9)),
        suggestion: Suggestion::Revoke,
        why: Why::FewPeers {
            holding: 1,
            peers: 9,
        },
        reviewer: Some(text.into()),
        via: Some(Via::Manager),
        stage: 2,
        said: vec![SaidView {
            stage: 1,
            reviewer: Some(text.into()),
            answer: Some(Answer::Keep),
            until: None,
            reason: text.into(),
            by: Some(text.into()),
            at: now(),
        }],
        state,
        answer: (state == ItemState::Decided).then_some(Answer::Revoke),
        until: None,
        reason: text.into(),
        decider: Some(text.into()),
        decided_at: (state == ItemState::Decided).then(now),
        together: false,
        stood: false,
        void: None,
        enforce_at: (state == ItemState::Decided).then(|| now() + chrono::Duration::hours(20)),
        enforced_at: None,
        question: text.into(),
        reply: text.into(),
    }
}

fn an_event(text: &str) -> EventView {
    EventView {
        cause: Cause::Moved,
        person: Some(tag(text)),
        about: text.into(),
        said: text.into(),
        at: now(),
        signed_off: false,
    }
}

fn counts() -> Counts {
    Counts {
        rights: 3,
        unread: 1,
        listed: 17,
        believed: 16,
        found: 2,
        vanished: 1,
    }
}

fn a_worklist(text: &str, state: ItemState) -> WorklistPage {
    WorklistPage {
        now: now(),
        id: Uuid::from_u128(12).into(),
        name: text.into(),
        state: CampaignState::Running,
        due_at: Some(now() + chrono::Duration::days(6)),
        then: Then::Settles(Silence::Revoke),
        reasons: Reasons::Removals,
        stage: 2,
        stages: 3,
        open: 38,
        answered: 13,
        minutes: 19,
        items: vec![an_item(text, state)],
        next: Some(Cursor::from_text(text)),
        event: Some(an_event(text)),
        sees_all: true,
    }
}

fn a_campaign(text: &str, state: CampaignState) -> CampaignPage {
    let progress = vec![Progress {
        reviewer: Some(PersonId(Uuid::from_u128(7))),
        name: text.into(),
        open: 3,
        answered: 10,
        all: 13,
    }];
    CampaignPage {
        now: now(),
        id: Uuid::from_u128(12).into(),
        number: 7,
        name: text.into(),
        state,
        stage: 2,
        next: Next::Look,
        then: Then::Settles(Silence::Keep),
        looked: Some(Looked {
            drawn: 4,
            done: 3,
            differed: 1,
            stood: 1,
        }),
        event: None,
        settings: Settings {
            scope: Scope {
                privileged: true,
                control_scope: text.into(),
                ..Scope::default()
            },
            application: Some(text.into()),
            package: None,
            person: None,
            right: Some(text.into()),
            reviewers: ReviewerRule::Manager,
            named: Some(tag(text)),
            stages: vec![
                StageView {
                    reviewers: ReviewerRule::Manager,
                    named: None,
                    days: 10,
                },
                StageView {
                    reviewers: ReviewerRule::Named,
                    named: Some(tag(text)),
                    days: 4,
                },
            ],
            passes: Passes::All,
            second_look: 10,
            silence: Silence::Keep,
            reasons: Reasons::Always,
            enforce: Enforce::AtOnce,
            most_each: Some(200),
            days: 14,
            repeat_months: 3,
        },
        maker: Some(tag(text)),
        made_at: now(),
        started_at: Some(now()),
        due_at: Some(now()),
        escalated_at: None,
        closed_at: Some(now()),
        signed: Some((tag(text), now(), text.into())),
        population_hash: Some("abc".into()),
        report_hash: Some("def".into()),
        preview: (state == CampaignState::Draft).then(|| Preview {
            items: 1_204,
            people: 300,
            privileged: 12,
            shares: vec![
                vec![
                    ShareView {
                        reviewer: Some(tag(text)),
                        items: 51,
                        fallback: 2,
                    },
                    ShareView {
                        reviewer: None,
                        items: 1,
                        fallback: 1,
                    },
                ],
                vec![ShareView {
                    reviewer: Some(tag(text)),
                    items: 52,
                    fallback: 0,
                }],
            ],
            listed: vec![Listed {
                target: text.into(),
                listed_at: None,
                counts: counts(),
            }],
            partial: false,
            words: ScopeWords {
                departments: vec![text.into()],
                ..ScopeWords::default()
            },
        }),
        tally: Tally {
            open: 0,
            kept: 10,
            revoked: 3,
            not_reviewed: 2,
            void: 1,
            ..Tally::default()
        },
        reviewers: progress.clone(),
        departments: progress,
        reviewed: Reviewed {
            reviewers: 2,
            together_percent: 40,
            keep_all: 1,
            median_seconds: Some(4),
            hasty_percent: 60,
            look: true,
        },
        coverage: vec![Coverage {
            target: text.into(),
            rights: 16,
            present: 15,
            oldest_read: Some(now()),
            listed_at: None,
            counts: counts(),
        }],
        enforced: Enforced {
            waiting: 0,
            pending: 1,
            done: 2,
            overdue: 1,
            told: 1,
        },
        may_run: true,
        barred: None,
        must_acknowledge: true,
        reviews: true,
    }
}

#[test]
fn the_list_says_what_waits_and_asks_back() {
    let page = |text: &str| Reviews {
        now: now(),
        mine: vec![WorklistTag {
            id: Uuid::from_u128(12).into(),
            number: 7,
            name: text.into(),
            about: None,
            due_at: Some(now() + chrono::Duration::days(2)),
            then: Then::GoesOn,
            open: 38,
            answered: 13,
        }],
        questions: vec![Question {
            item: Uuid::from_u128(11).into(),
            campaign: text.into(),
            right: text.into(),
            question: text.into(),
            reviewer: text.into(),
        }],
        campaigns: Some((
            vec![CampaignItem {
                id: Uuid::from_u128(12).into(),
                number: 7,
                name: text.into(),
                state: CampaignState::Running,
                maker: text.into(),
                own: false,
                made_at: now(),
                due_at: Some(now()),
                closed_at: None,
                signed_at: None,
                population: 51,
                open: 38,
            }],
            vec![],
        )),
        small: vec![SmallItem {
            id: Uuid::from_u128(13).into(),
            number: 8,
            cause: Cause::Found,
            about: text.into(),
            state: CampaignState::Closed,
            signed_off: false,
            due_at: Some(now()),
            closed_at: Some(now()),
            population: 2,
            open: 0,
        }],
        may_make: true,
    };
    let out = checked(|| list(page("Autumn"), &Typed::default(), None).into_any());
    let read = plain(&out);
    for said in [
        "13 of 51 done",
        "38 open",
        "CR-7",
        "Begin a review",
        "Found at a target: Autumn",
        "CR-8 · 2 items",
    ] {
        assert!(read.contains(said), "{said}: {read}");
    }
    let typed = Typed {
        reply: "mine".into(),
        ..Typed::default()
    };
    let wrong = Some((Uuid::from_u128(11).into(), "Say more.".to_owned()));
    let out = checked(|| list(page(HOSTILE), &typed, wrong).into_any());
    assert!(out.contains("Say more.") && out.contains("mine"), "{out}");
}

#[test]
fn a_worklist_answers_at_once_only_where_no_reason_is_needed() {
    let back = worklist::Back::default();
    let page = |text, state| {
        let asked = worklist::Asked::default();
        let back = worklist::Back::default();
        checked(|| worklist::page(a_worklist(text, state), &asked, &back).into_any())
    };
    let out = page("Maya", ItemState::Open);
    // Both answers need a reason here: the way to where it is given, and no button that answers.
    assert!(out.contains("?answer=revoke#answer") && out.contains("?answer=keep#answer"));
    assert!(!out.contains("formaction"), "{out}");
    let easy = WorklistPage {
        reasons: Reasons::Against,
        items: vec![ItemView {
            suggestion: Suggestion::Keep,
            ..an_item("Maya", ItemState::Open)
        }],
        ..a_worklist("Maya", ItemState::Open)
    };
    let asked = worklist::Asked::default();
    let out = checked(|| worklist::page(easy, &asked, &back).into_any());
    assert_eq!(out.matches("formaction").count(), 2, "{out}");
    let read = plain(&out);
    for said in [
        "13 of 51 done",
        "Why you are asked",
        "Does what was asked for before the move still fit?",
        "1 of 9 peers",
        "suggests keep",
        "the holder answered",
        "stage 2 of 3",
        "stage 1: kept by Maya",
    ] {
        assert!(read.contains(said), "{said}: {read}");
    }
    page(HOSTILE, ItemState::Open);
    page(HOSTILE, ItemState::Decided);
}

fn a_page(text: &str, state: ItemState) -> ItemPage {
    ItemPage {
        now: now(),
        campaign: Uuid::from_u128(12).into(),
        campaign_name: text.into(),
        due_at: Some(now()),
        reasons: Reasons::Removals,
        stages: 3,
        event: Some(an_event(text)),
        item: an_item(text, state),
        opens: vec![(text.into(), text.into(), text.into())],
        asked_for: text.into(),
        approvers: vec![text.into()],
        grant: GrantState::Active,
        ended: None,
        gone_at: None,
        remains: vec![(text.into(), text.into())],
        breaks: vec![text.into()],
        earlier: Some(Earlier {
            campaign: text.into(),
            answer: Answer::Keep,
            decider: None,
            at: now(),
        }),
        acts: vec![ActView {
            act: Act::HandOn,
            by: Some(text.into()),
            to: Some(text.into()),
            note: text.into(),
            at: now(),
        }],
        may_answer: state == ItemState::Open,
        may_undo: state == ItemState::Decided,
    }
}

#[test]
fn an_item_says_all_that_is_known_and_what_would_remain() {
    let typed = item::Typed::default();
    let page = |text, state| checked(|| item::page(&a_page(text, state), &typed, &[], &[]));
    let read = plain(&page("Vendor master", ItemState::Open));
    for said in [
        "Only 1 of 9 colleagues",
        "Would remain if revoked",
        "kept by silence in Vendor master",
        "unknown: the targets do not tell",
        "Shorten",
        "Hand on",
        "Not sure",
        "What earlier stages said",
        "Stage 1: kept by Vendor master",
    ] {
        assert!(read.contains(said), "{said}: {read}");
    }
    assert!(plain(&page("Vendor master", ItemState::Decided)).contains("Undo the answer"));
    page(HOSTILE, ItemState::Open);
    page(HOSTILE, ItemState::Decided);
    let wrong = [Refusal::NotShorter, Refusal::Changed];
    checked(|| item::page(&a_page(HOSTILE, ItemState::Open), &typed, &[], &wrong));
}

#[test]
fn a_campaign_says_where_it_stands_and_what_the_sign_off_takes_note_of() {
    for state in CampaignState::ALL {
        for text in ["Autumn", HOSTILE] {
            let found = a_campaign(text, *state);
            let typed = draft::Typed::of(&found);
            let out = checked(|| campaign::page(&found, &typed, &[], &[]));
            let read = plain(&out);
            match state {
                CampaignState::Draft => {
                    assert!(
                        read.contains("Save and count") && read.contains("1,204"),
                        "{read}"
                    );
                    assert!(read.contains("Nobody may: silence decides"), "{read}");
                    assert!(read.contains("In stage 2, if everything goes on"), "{read}");
                    assert!(read.contains("at most 121 items"), "{read}");
                    assert!(
                        read.contains("17 listed there, 16 known here, 2 given by nobody here"),
                        "{read}"
                    );
                }
                CampaignState::Closed => {
                    assert!(read.contains("Not covered: "), "{read}");
                    assert!(read.contains("NOT REVIEWED: 2 items"), "{read}");
                    assert!(read.contains("Overdue"), "{read}");
                    assert!(read.contains("Not looked at again: 1 item"), "{read}");
                    assert!(read.contains("Found at the targets: 2 rights"), "{read}");
                    assert!(read.contains("security and the owners were told"), "{read}");
                }
                CampaignState::Running => {
                    for said in ["Stage 2 of 2", "4 seconds", "Look closer"] {
                        assert!(read.contains(said), "{said}: {read}");
                    }
                }
                CampaignState::SignedOff | CampaignState::Cancelled => {}
            }
            let back = draft::Typed::of(&found).draft();
            assert_eq!((back.days, back.repeat_months), (14, 3));
            assert_eq!((back.passes, back.second_look), (Passes::All, 10));
            assert_eq!(back.later.len(), 1);
            assert_eq!(
                (back.later[0].reviewers, back.later[0].days),
                (ReviewerRule::Named, 4)
            );
        }
    }
}

#[test]
fn a_small_review_is_done_without_a_second_person_unless_something_was_privileged() {
    for (signed_off, said) in [(false, "nobody has to sign it off"), (true, "Sign it off")] {
        let found = CampaignPage {
            event: Some(EventView {
                signed_off,
                ..an_event("Maya")
            }),
            maker: None,
            ..a_campaign("After a move", CampaignState::Closed)
        };
        let typed = draft::Typed::of(&found);
        let read = plain(&checked(|| campaign::page(&found, &typed, &[], &[])));
        assert!(read.contains(said), "{said}: {read}");
        assert_eq!(read.contains("Sign it off"), signed_off);
        assert!(read.contains("What happened"), "{read}");
    }
}

#[test]
fn a_report_has_every_answer_with_its_proof() {
    let found = |text: &str| Report {
        campaign: a_campaign(text, CampaignState::SignedOff),
        items: vec![ReportItem {
            item: an_item(text, ItemState::Decided),
            grant: "gra_1".into(),
            proof: Some(Proof::Done),
            confirmed_at: Some(now()),
        }],
        more: true,
    };
    let read = plain(&checked(|| report::page(&found("Maya"))));
    for said in [
        "Signed off by",
        "confirmed",
        "JSON lines, sealed",
        "not covered",
        "Stage 1: kept by Maya",
        "Answered otherwise",
    ] {
        assert!(read.contains(said), "{said}: {read}");
    }
    checked(|| report::page(&found(HOSTILE)));
}
