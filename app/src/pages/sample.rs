//! Views made by hand, for the tests of pages: every text in them is `text`, so that one can look for what becomes of it.

use chrono::Duration;
use domain::{
    Timestamp,
    approval::{StageState, Verdict, Via},
    assignment::{Observed, Phase},
    conflict::Severity,
    deadline::Warning,
    exception::ExceptionState,
    grant::{End, EndReason, GrantSource, Health},
    policy::{ApproverRule, Limits, Question, QuestionKind},
    request::{Length, LineKind, LineState, Start, Window},
    waiting::RemarkKind,
};
use uuid::Uuid;
use workflow::views::{
    Answer, AtTarget, Condition, Deciders, EntitlementTag, Entry, GrantOver, HeldGrant, Mark,
    Marks, Name, SeatView, StagePreview, Standing, StandingWord, Vote, Why,
    catalog::{Card, HeldCard},
    conversation::{AskedBack, Conversation, HandedOn, Said},
    package::PackagePage,
    request::{
        LineView, OperationView, PartView, RequestEvidence, RequestPage, StageView, Step, What,
    },
    request_form::{Notice, RequestForm},
    requests::RequestItem,
    waits::{Proposed, Wanted},
};

pub use super::approvals::tests::{HOSTILE, is_inert, now, package, person};

/// An id that is always the same for the same number.
pub fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

/// A question that waits for an answer.
pub fn asked_back(text: &str) -> AskedBack {
    AskedBack {
        line: id(41),
        request: id(40),
        number: 1042,
        kind: LineKind::New,
        package: text.into(),
        since: ago(30),
    }
}

pub fn hours(hours: i64) -> Window {
    Window {
        start: Start::OnActivation,
        length: Length::Seconds(hours * 3600),
    }
}

pub fn ago(minutes: i64) -> Timestamp {
    now() - Duration::minutes(minutes)
}

pub fn card(text: &str) -> Card {
    Card {
        id: id(8),
        key: "orders-read".into(),
        app: package(text).app,
        name: text.into(),
        summary: text.into(),
        privileged: true,
        control_scope: Some(text.into()),
        default_seconds: 8 * 3600,
        longest_seconds: 24 * 3600,
        permanent: false,
        break_glass: false,
        usual_seconds: Some(1500),
        held: None,
        waiting: None,
        unmet: vec![],
        held_nearby: Some(3),
    }
}

pub fn right(text: &str) -> EntitlementTag {
    EntitlementTag {
        id: id(20),
        name: text.into(),
        summary: text.into(),
        kind: "group".into(),
        target: text.into(),
        privileged: true,
        control_scope: Some(text.into()),
        effective_within_seconds: 900,
        unmanageable: None,
        at_target: Some(AtTarget {
            assignment: id(21),
            desired: true,
            observed: Observed::Present,
            observed_at: Some(ago(3)),
            phase: Phase::Settled,
            problem: None,
            closed: None,
        }),
    }
}

pub fn grant(text: &str, health: Health) -> HeldGrant {
    HeldGrant {
        id: id(30),
        package: Some(package(text)),
        name: text.into(),
        source: GrantSource::Request,
        from: ago(120),
        end: End::At(now() + Duration::hours(6)),
        health,
        ready_at: Some(ago(110)),
        over: None,
        why: Some(Why {
            request: id(40),
            number: 1042,
            reason: text.into(),
            asker: Some(person(4, text)),
            approvers: vec![person(5, text)],
        }),
        parts: vec![right(text)],
        extension: None,
        may_extend: true,
        may_give_back: true,
        marks: Marks {
            may_set_renewal: true,
            ..Marks::default()
        },
    }
}

pub fn ended(text: &str) -> HeldGrant {
    HeldGrant {
        over: Some(GrantOver {
            at: ago(60),
            reason: EndReason::Returned,
            by: Some(person(4, text)),
            note: Some(text.into()),
            gone_at: Some(ago(58)),
        }),
        may_extend: false,
        may_give_back: false,
        ..grant(text, Health::Gone)
    }
}

pub fn standing(word: StandingWord, text: &str) -> Standing {
    let next = (word == StandingWord::Waiting).then(|| Deciders {
        rule: ApproverRule::Manager,
        who: vec![person(5, text), person(6, "Tomas Ek")],
        more: 1,
        needed: 1,
        fallback: false,
        by_subordinates: false,
        stuck: false,
        since: ago(12),
    });
    Standing {
        word,
        since: ago(12),
        next,
        end: None,
    }
}

pub fn item(text: &str, word: StandingWord) -> RequestItem {
    RequestItem {
        request: id(40),
        line: id(41),
        number: 1042,
        kind: LineKind::New,
        package: package(text),
        asker: person(4, text),
        beneficiary: person(4, text),
        window: hours(8),
        reason: text.into(),
        submitted_at: ago(12),
        standing: standing(word, text),
        denied_by: (word == StandingWord::Denied).then(|| person(5, text)),
        grant: None,
    }
}

pub fn vote(text: &str, verdict: Verdict) -> Vote {
    Vote {
        by: person(5, text),
        behalf: None,
        via: Via::Manager,
        verdict,
        note: text.into(),
        cap_seconds: Some(3600),
        at: ago(5),
        fresh_at: None,
    }
}

pub fn stage(text: &str, state: StageState) -> StageView {
    StageView {
        id: id(50),
        position: 0,
        rule: ApproverRule::Manager,
        group: None,
        together: false,
        state,
        needed: 1,
        seats: vec![SeatView {
            person: person(5, text),
            via: Via::Manager,
            behalf: None,
        }],
        fallback: true,
        escalated: false,
        silence: None,
        silence_ends: None,
        reminded: None,
        by_subordinates: false,
        stuck: false,
        opened_at: Some(ago(12)),
        closed_at: None,
        votes: vec![vote(text, Verdict::Approve)],
        handed_on: vec![HandedOn {
            from: person(6, text),
            to: person(5, text),
            reason: text.into(),
            at: ago(9),
            returned_at: None,
        }],
    }
}

/// All steps that there can be, however unlikely together.
pub fn steps(text: &str) -> Vec<Step> {
    let by = || Some(person(5, text));
    let mut all: Vec<Step> = [
        What::Asked {
            by: person(4, text),
            reason: text.into(),
        },
        What::Checked {
            eligible: vec![text.into()],
            department: text.into(),
            employee_type: text.into(),
            stages: vec![ApproverRule::Manager],
        },
        What::AskedBack {
            stands_until: Some(now() + Duration::days(14)),
        },
        What::Nudged,
        What::Approved { by_policy: true },
        What::Extended {
            end: Some(End::At(now())),
        },
        What::NothingGiven {
            why: Some(text.into()),
        },
        What::WaitsForException {
            until: Some(now() + Duration::days(14)),
        },
        What::WaitsForException { until: None },
        What::Starts,
        What::SetUp {
            confirmed: 1,
            of: 2,
            attention: true,
        },
        What::Ready,
        What::Warned {
            warning: Warning::Day,
        },
        What::Ends {
            reason: Some(EndReason::Revoked),
            by: by(),
            note: Some(text.into()),
        },
        What::Gone {
            health: Health::BeingRemoved,
        },
    ]
    .into_iter()
    .chain(
        StageState::ALL
            .iter()
            .map(|state| What::Stage(stage(text, *state))),
    )
    .chain(LineState::ALL.iter().map(|state| What::Closed {
        state: *state,
        by: by(),
        why: (*state == LineState::Lapsed).then(|| text.into()),
    }))
    .map(|what| Step {
        mark: Mark::Done,
        at: Some(ago(5)),
        what,
    })
    .collect();
    for mark in Mark::ALL {
        all.push(Step {
            mark: *mark,
            at: None,
            what: What::SetUp {
                confirmed: 0,
                of: 1,
                attention: false,
            },
        });
        all.push(Step {
            mark: *mark,
            at: Some(now() + Duration::hours(8)),
            what: What::Gone {
                health: Health::Gone,
            },
        });
    }
    all
}

/// An exception that an ask waits for: not proposed, or by this number.
pub fn wanted(text: &str, number: Option<i64>) -> Wanted {
    Wanted {
        rule: id(90),
        name: text.into(),
        severity: Severity::High,
        held: vec![text.into()],
        person: id(4),
        proposed: number.map(|number| Proposed {
            id: id(91),
            number,
            state: ExceptionState::Proposed,
            reason: text.into(),
            control: text.into(),
            control_owner: person(6, text),
            cadence_days: 7,
            ends_at: now() + Duration::days(60),
            falls: vec![text.into()],
            seen: true,
        }),
        next: vec![person(7, text)],
        may_propose: number.is_none(),
    }
}

pub fn line(text: &str, word: StandingWord) -> LineView {
    LineView {
        id: id(41),
        kind: LineKind::New,
        package: package(text),
        opens: vec![text.into()],
        edition: 3,
        longest_seconds: 24 * 3600,
        owners: vec![person(7, text)],
        beneficiary: person(4, text),
        account: text.into(),
        window: hours(8),
        reason: text.into(),
        answers: vec![Answer {
            ask: text.into(),
            answer: text.into(),
            link: None,
        }],
        state: LineState::AwaitingApproval,
        standing: standing(word, text),
        lapse_at: now() + Duration::days(7),
        wanted: match word {
            StandingWord::WaitsForException => vec![wanted(text, None), wanted(text, Some(9))],
            _ => vec![],
        },
        conversation: Conversation {
            said: vec![Said {
                by: person(5, text),
                kind: RemarkKind::Question,
                text: text.into(),
                at: ago(4),
            }],
            asked_back_at: Some(ago(4)),
            stands_until: Some(now() + Duration::days(14)),
        },
        steps: steps(text),
        grant: Some(id(30)),
        extends: None,
        parts: vec![PartView {
            assignment: Some(id(21)),
            entitlement: text.into(),
            target: text.into(),
            desired: true,
            observed: Observed::Present,
            observed_at: Some(ago(3)),
            phase: Phase::Settled,
            problem: None,
            effective_within_seconds: 900,
            operations: vec![OperationView {
                id: id(60),
                kind: "add".into(),
                outcome: "done".into(),
                status: Some(204),
                request_id: Some(text.into()),
                client_request_id: Some(text.into()),
                detail: text.into(),
                at: ago(4),
                took_ms: 120,
            }],
        }],
        may_cancel: true,
        may_answer: true,
        may_nudge: true,
        may_extend: true,
        may_give_back: true,
        may_decide: Some(id(50)),
        sign_off: "0123456789abcdef".repeat(4),
    }
}

pub fn request(text: &str, word: StandingWord) -> RequestPage {
    RequestPage {
        now: now(),
        id: id(40),
        number: 1042,
        asker: person(4, text),
        mine: true,
        at: ago(12),
        lines: vec![line(text, word)],
        whole: true,
        version: 7,
        topics: vec!["req_0".into()],
    }
}

pub fn evidence(text: &str) -> RequestEvidence {
    let name = || Name {
        id: "per_1".into(),
        name: text.into(),
        path: None,
    };
    RequestEvidence {
        page: request(text, StandingWord::Ready),
        trail: vec![Entry {
            seq: 12,
            at: ago(12),
            kind: "line_submitted".into(),
            actor: "person".into(),
            actor_name: Some(name()),
            behalf: None,
            subjects: vec![name()],
            cause: None,
            policy: Some(text.into()),
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
            hash: "ab".repeat(32),
        }],
        head: (99, "cd".repeat(32)),
    }
}

pub fn preview(text: &str, rule: ApproverRule) -> StagePreview {
    StagePreview {
        rule,
        group: None,
        together: false,
        needed: 1,
        seats: vec![
            SeatView {
                person: person(5, text),
                via: Via::Manager,
                behalf: None,
            },
            SeatView {
                person: person(6, "Tomas Ek"),
                via: Via::Manager,
                behalf: None,
            },
        ],
        fallback: false,
        by_subordinates: false,
        stuck: false,
    }
}

pub fn package_page(text: &str) -> PackagePage {
    PackagePage {
        cedar: Some(text.into()),
        now: now(),
        card: card(text),
        retired: false,
        version: id(70),
        edition: 3,
        opens: vec![text.into()],
        contents: vec![EntitlementTag {
            at_target: None,
            ..right(text)
        }],
        eligibility: vec![Condition {
            explain: text.into(),
            met: true,
        }],
        stages: vec![
            preview(text, ApproverRule::Manager),
            preview(text, ApproverRule::Security),
        ],
        collapse: false,
        limits: Limits {
            default_seconds: 8 * 3600,
            longest_seconds: 24 * 3600,
            continuous_seconds: 96 * 3600,
            permanent: false,
            furthest_start_seconds: 30 * 86_400,
            pending_seconds: 7 * 86_400,
        },
        questions: vec![
            Question {
                key: "ticket".into(),
                ask: text.into(),
                required: true,
                ..Question::default()
            },
            Question {
                key: "region".into(),
                ask: text.into(),
                kind: QuestionKind::Choice,
                choices: vec![text.into(), "North".into()],
                ..Question::default()
            },
        ],
        asking: domain::asking::Asking::default(),
        seats_left: None,
        owners: vec![person(7, text)],
        holders: None,
        mine: None,
        denied: None,
        may_ask: true,
        may_extend: None,
    }
}

pub fn form(text: &str) -> RequestForm {
    RequestForm {
        package: package_page(text),
        extends: None,
        whom: None,
        key: "the-key".into(),
        default_seconds: 8 * 3600,
        longest_seconds: 24 * 3600,
        permanent: false,
        latest_start: now() + Duration::days(30),
        lapses: now() + Duration::days(7),
        notices: vec![],
        risk: domain::risk::Risk {
            parts: vec![domain::risk::Points {
                part: domain::risk::RiskPart::Privileged,
                points: 30,
            }],
            sum: 30,
        },
        adds_security: true,
    }
}

/// Everything that a form may have to say first, except what closes it.
pub fn notices(text: &str) -> Vec<Notice> {
    vec![
        Notice::LastDay {
            at: now() + Duration::days(3),
        },
        Notice::Held {
            end: End::At(now() + Duration::days(1)),
        },
        Notice::Found {
            rights: vec![text.into()],
        },
        Notice::HeldAsLong {
            latest: now() + Duration::days(2),
        },
        Notice::Waiting { request: id(40) },
        Notice::Denied {
            vote: vote(text, Verdict::Deny),
        },
        Notice::NobodyDecides,
    ]
}

pub fn held_card() -> HeldCard {
    HeldCard {
        grant: id(30),
        from: ago(60),
        end: End::Permanent,
    }
}
