//! Several lines in one request, for oneself and for others, and the cart that they come from.

use std::collections::BTreeMap;

use chrono::Duration;
use domain::{
    LineId, PackageId, PackageVersionId, Refusal, RequestId,
    approval::{StageState, Verdict},
    asking::{Asking, ForOthers, Ticket},
    grant::{End, GrantState},
    policy::{ApproverRule, Attribute, Condition, Policy, Question, QuestionKind},
    request::{Length, LineKind, LineState, Start, Window},
};
use store::{Engine, requests::LineRow};
use uuid::Uuid;
use workflow::{
    Error, carts,
    requests::{self, NewLine, NewRequest},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};

fn for_others(scope: ForOthers, route: Vec<domain::policy::StageRule>) -> Policy {
    Policy {
        asking: Asking {
            for_others: scope,
            ..Asking::default()
        },
        ..policy(route)
    }
}

fn second() -> (PackageId, PackageVersionId) {
    (
        PackageId(Uuid::from_u128(0x2001)),
        PackageVersionId(Uuid::from_u128(0x3001)),
    )
}

fn line(package: PackageId, whom: u128, window: Window) -> NewLine {
    NewLine {
        confirmed: false,
        package,
        beneficiary: person(whom),
        account: None,
        window,
        reason: "Incident 4312".into(),
        answers: BTreeMap::new(),
    }
}

async fn send(
    house: &House,
    n: u128,
    lines: Vec<NewLine>,
    key: &str,
) -> workflow::Result<RequestId> {
    let ask = NewRequest {
        key: key.into(),
        lines,
        drafts: Vec::new(),
    };
    requests::submit(&house.workflow, &house.viewer(n).await, ask).await
}

async fn lines_of(house: &House, request: RequestId) -> Vec<LineRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.lines_of_request(request).await.unwrap()
}

async fn states(house: &House, line: LineId) -> Vec<StageState> {
    let mut tx = house.workflow.store().read().await.unwrap();
    let stages = tx.stages(line).await.unwrap();
    stages.into_iter().map(|stage| stage.state).collect()
}

async fn seated(house: &House, line: LineId) -> Vec<domain::PersonId> {
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line).await.unwrap();
    seats.into_iter().map(|seat| seat.person_id).collect()
}

#[tokio::test]
async fn the_lines_of_a_request_are_decided_on_their_own() {
    let manager = policy(vec![stage(ApproverRule::Manager)]);
    for house in houses(&manager).await {
        let (other, version) = second();
        house
            .add_package(other, version, "Payments", &manager, &[house.entitlement])
            .await;
        let lines = vec![
            line(house.package, JOHAN, hours(8)),
            line(other, JOHAN, hours(4)),
        ];
        let request = send(&house, JOHAN, lines.clone(), "a").await.unwrap();
        assert_eq!(send(&house, JOHAN, lines, "a").await.unwrap(), request);
        let lines = lines_of(&house, request).await;
        assert_eq!(lines.len(), 2);
        house
            .vote(ASTRID, lines[0].id, Verdict::Approve, None)
            .await
            .unwrap();
        house
            .vote(ASTRID, lines[1].id, Verdict::Deny, None)
            .await
            .unwrap();
        let after: Vec<_> = lines_of(&house, request)
            .await
            .into_iter()
            .map(|line| line.state)
            .collect();
        assert_eq!(after, [LineState::Approved, LineState::Denied]);
    }
}

#[tokio::test]
async fn all_faults_of_all_lines_come_at_once_and_nothing_is_entered() {
    let manager = policy(vec![stage(ApproverRule::Manager)]);
    let narrow = Policy {
        eligibility: vec![Condition {
            attribute: Attribute::Department,
            any_of: vec!["Finance".into()],
            none_of: vec![],
            explain: "only for Finance".into(),
        }],
        ..manager.clone()
    };
    for house in houses(&manager).await {
        let (other, version) = second();
        house
            .add_package(other, version, "Ledger", &narrow, &[house.entitlement])
            .await;
        let lines = vec![
            line(house.package, JOHAN, hours(24 * 60)),
            line(other, JOHAN, hours(8)),
            NewLine {
                confirmed: false,
                reason: " ".into(),
                ..line(house.package, MAYA, hours(8))
            },
        ];
        let refused = send(&house, JOHAN, lines, "a").await.unwrap_err();
        let by_line = |n: usize| -> Vec<Refusal> {
            refused
                .refusals()
                .iter()
                .filter_map(|refusal| match refusal {
                    Refusal::InLine { line, what } if *line == n => Some((**what).clone()),
                    _ => None,
                })
                .collect()
        };
        assert!(matches!(by_line(1)[..], [Refusal::TooLongAsked { .. }]));
        assert!(matches!(by_line(2)[..], [Refusal::NotEligible { .. }]));
        assert!(
            matches!(
                by_line(3)[..],
                [Refusal::ReasonTooShort { .. }, Refusal::NotForOthers { .. }]
            ),
            "{:?}",
            by_line(3)
        );
        let twice = vec![line(house.package, JOHAN, hours(8)); 2];
        let refused = send(&house, JOHAN, twice, "b").await.unwrap_err();
        assert_eq!(
            refused.refusals(),
            [Refusal::InLine {
                line: 2,
                what: Box::new(Refusal::AlreadyAsked)
            }]
        );
        assert!(matches!(
            send(&house, JOHAN, vec![], "c").await.unwrap_err(),
            Error::Refused(_)
        ));
        let mut tx = house.workflow.store().read().await.unwrap();
        let waiting = tx.waiting_lines_of_person(person(JOHAN)).await.unwrap();
        assert!(waiting.is_empty(), "nothing is entered");
    }
}

#[tokio::test]
async fn one_asks_for_those_whom_the_policy_names() {
    let both = [
        (ForOthers::Nobody, false, false),
        (ForOthers::Reports, true, false),
        (ForOthers::Colleagues, true, true),
    ];
    for (scope, report, colleague) in both {
        let route = vec![stage(ApproverRule::Manager), stage(ApproverRule::Security)];
        for house in houses(&for_others(scope, route)).await {
            let ask = |n, whom| {
                let lines = vec![line(house.package, whom, hours(8))];
                send(&house, n, lines, "a")
            };
            // Astrid manages Johan, Karin is further up, Olle stands beside.
            for (n, may) in [(ASTRID, report), (KARIN, report), (OLLE, colleague)] {
                let asked = ask(n, JOHAN).await;
                assert_eq!(asked.is_ok(), may, "{scope}: {n}");
                if let Ok(request) = asked {
                    let line = lines_of(&house, request).await.remove(0);
                    assert_eq!(line.beneficiary_id, person(JOHAN));
                    let viewer = house.viewer(n).await;
                    requests::cancel(&house.workflow, &viewer, line.id)
                        .await
                        .unwrap();
                }
            }
            assert!(
                ask(JOHAN, ASTRID).await.is_ok() == colleague,
                "{scope}: upwards"
            );
            let told = house
                .raw(&format!(
                    "UPDATE messages SET problem = NULL WHERE kind = 'asked_for_you' AND person_id = {}",
                    house.id(person(JOHAN).0)
                ))
                .await
                .unwrap();
            assert_eq!(told, 2 * u64::from(report) + u64::from(colleague));
        }
    }
}

#[tokio::test]
async fn a_manager_s_ask_gives_the_manager_stage_only_before_somebody_else_s() {
    let two = vec![stage(ApproverRule::Manager), stage(ApproverRule::Security)];
    for house in houses(&for_others(ForOthers::Reports, two)).await {
        let lines = vec![line(house.package, JOHAN, hours(8))];
        let request = send(&house, ASTRID, lines, "a").await.unwrap();
        let line = lines_of(&house, request).await.remove(0);
        assert_eq!(
            states(&house, line.id).await,
            [StageState::MetByAsking, StageState::Open]
        );
        for barred in [ASTRID, JOHAN] {
            assert!(
                house
                    .vote(barred, line.id, Verdict::Approve, None)
                    .await
                    .is_err()
            );
        }
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.grant_of(line.id).await.person_id, person(JOHAN));
    }
    let one = vec![stage(ApproverRule::Manager)];
    for house in houses(&for_others(ForOthers::Reports, one)).await {
        let lines = vec![line(house.package, JOHAN, hours(8))];
        let request = send(&house, ASTRID, lines, "a").await.unwrap();
        let line = lines_of(&house, request).await.remove(0);
        assert_eq!(seated(&house, line.id).await, [person(KARIN)]);
    }
}

#[tokio::test]
async fn whoever_may_not_ask_for_them_any_more_gets_nothing_for_them() {
    let route = vec![stage(ApproverRule::Security)];
    for house in houses(&for_others(ForOthers::Reports, route)).await {
        let lines = vec![line(house.package, JOHAN, hours(8))];
        let request = send(&house, ASTRID, lines, "a").await.unwrap();
        let line = lines_of(&house, request).await.remove(0);
        house
            .raw(&format!(
                "UPDATE persons SET manager_id = {} WHERE id = {}",
                house.id(person(OLLE).0),
                house.id(person(JOHAN).0)
            ))
            .await
            .unwrap();
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.grant_of_line(line.id).await.unwrap().is_none());
        drop(tx);
        assert!(house.logged(line.id, "may not ask for them any more").await);
    }
}

#[tokio::test]
async fn somebody_else_s_ask_does_not_push_one_s_own_aside() {
    let route = vec![stage(ApproverRule::Security)];
    for house in houses(&for_others(ForOthers::Colleagues, route)).await {
        let own = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let lines = vec![line(house.package, JOHAN, hours(4))];
        let refused = send(&house, OLLE, lines.clone(), "b").await.unwrap_err();
        assert_eq!(
            refused.refusals(),
            [Refusal::InLine {
                line: 1,
                what: Box::new(Refusal::AlreadyAsked)
            }]
        );
        assert_eq!(house.line(own).await.state, LineState::AwaitingApproval);
        // The other way round it is theirs to replace.
        let maya = vec![line(house.package, MAYA, hours(4))];
        let theirs = send(&house, OLLE, maya, "c").await.unwrap();
        house.ask(MAYA, hours(8), "d").await.unwrap();
        assert_eq!(house.line(theirs).await.state, LineState::Superseded);
    }
}

fn seats(most: u32) -> Policy {
    Policy {
        asking: Asking {
            most_holders: Some(most),
            ..Asking::default()
        },
        ..policy(vec![stage(ApproverRule::Security)])
    }
}

#[tokio::test]
async fn seats_run_out_at_the_form_and_at_the_last_yes() {
    for house in houses(&seats(1)).await {
        let johan = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let maya = house
            .line(house.ask(MAYA, hours(8), "b").await.unwrap())
            .await;
        house
            .vote(ELIN, johan.id, Verdict::Approve, None)
            .await
            .unwrap();
        let refused = house.ask(OLLE, hours(8), "c").await.unwrap_err();
        assert_eq!(refused.refusals(), [Refusal::NoSeats { most: 1 }]);
        house
            .vote(ELIN, maya.id, Verdict::Approve, None)
            .await
            .unwrap();
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.grant_of_line(maya.id).await.unwrap().is_none());
        drop(tx);
        assert!(house.logged(maya.id, "no seat is left").await);
        // More time takes no seat.
        house.ask(JOHAN, hours(8), "d").await.unwrap();
        house.pass(Duration::hours(9)).await;
        house.ask(OLLE, hours(8), "e").await.unwrap();
    }
}

#[tokio::test]
async fn two_last_yeses_for_the_last_seat_give_one() {
    for house in houses(&seats(1)).await {
        if house.engine != Engine::Postgres {
            continue;
        }
        let mut open = Vec::new();
        for n in [JOHAN, MAYA] {
            let line = house.line(house.ask(n, hours(8), "a").await.unwrap()).await;
            open.push((line.id, house.open(line.id).await));
        }
        let (first, second) = (open[0].clone(), open[1].clone());
        let (one, other) = tokio::join!(
            house.vote_in(ELIN, first.1, Verdict::Approve, None),
            house.vote_in(TOMAS, second.1, Verdict::Approve, None)
        );
        one.unwrap();
        other.unwrap();
        let mut tx = house.workflow.store().read().await.unwrap();
        let mut given = 0;
        for (line, _) in open {
            given += usize::from(tx.grant_of_line(line).await.unwrap().is_some());
        }
        assert_eq!(given, 1);
    }
}

#[tokio::test]
async fn asking_for_what_one_holds_is_asking_for_more_time() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let grant = house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let request = house.ask(JOHAN, hours(4), "b").await.unwrap();
        let line = house.line(request).await;
        assert_eq!(
            (line.kind, line.extends_grant_id),
            (LineKind::Extension, Some(grant.id))
        );
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let end = grant.end_at.unwrap() + Duration::hours(4);
        assert_eq!(house.grant(grant.id).await.end(), End::At(end));

        let until = |at| Window {
            start: Start::OnActivation,
            length: Length::Until(at),
        };
        let refused = house
            .ask(JOHAN, until(end - Duration::hours(1)), "c")
            .await
            .unwrap_err();
        assert_eq!(refused.refusals(), [Refusal::NotAnExtension { end }]);
        // Later than what is held is a request of its own.
        let later = Window {
            start: Start::At(end + Duration::hours(1)),
            length: Length::Seconds(3600),
        };
        let request = house.ask(JOHAN, later, "d").await.unwrap();
        let line = house.line(request).await;
        assert_eq!(line.kind, LineKind::New);
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.grant_of(line.id).await.state, GrantState::Scheduled);
    }
}

#[tokio::test]
async fn answers_and_tickets_are_held_to_their_form() {
    let asking = Policy {
        questions: vec![
            Question {
                key: "host".into(),
                ask: "Which host?".into(),
                pattern: "[a-z]+-[0-9]+".into(),
                ..Question::default()
            },
            Question {
                key: "buddy".into(),
                ask: "Who shows you?".into(),
                kind: QuestionKind::Person,
                ..Question::default()
            },
        ],
        asking: Asking {
            ticket: Some(Ticket {
                required: true,
                pattern: "INC-[0-9]+".into(),
                ..Ticket::default()
            }),
            ..Asking::default()
        },
        ..policy(vec![stage(ApproverRule::Manager)])
    };
    for house in houses(&asking).await {
        let given = |host: &str, buddy: String, ticket: &str| NewLine {
            confirmed: false,
            answers: BTreeMap::from([
                ("host".to_owned(), host.to_owned()),
                ("buddy".to_owned(), buddy),
                (Ticket::KEY.to_owned(), ticket.to_owned()),
                ("never-asked".to_owned(), "x".to_owned()),
            ]),
            ..line(house.package, JOHAN, hours(8))
        };
        let johan = house.viewer(JOHAN).await;
        let wrong = requests::check(
            &house.workflow,
            &johan,
            &given("db 1", person(99).to_string(), "CHG-1"),
        )
        .await
        .unwrap();
        let keys: Vec<&str> = wrong
            .iter()
            .map(|refusal| match refusal {
                Refusal::Answer { question, .. } => question.as_str(),
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(keys, ["host", Ticket::KEY, "buddy"]);
        let right = given("db-1", person(MAYA).to_string(), "INC-7");
        let request = send(&house, JOHAN, vec![right], "a").await.unwrap();
        let answers = lines_of(&house, request).await.remove(0).answers;
        assert!(answers.contains("INC-7"), "{answers}");
        assert!(!answers.contains("never-asked"), "{answers}");
    }
}

#[tokio::test]
async fn a_cart_is_kept_sent_and_forgotten() {
    let route = vec![stage(ApproverRule::Security)];
    for house in houses(&for_others(ForOthers::Reports, route)).await {
        let astrid = house.viewer(ASTRID).await;
        let wf = &house.workflow;
        let people = [person(ASTRID), person(JOHAN), person(MAYA)];
        carts::add(wf, &astrid, house.package, &people)
            .await
            .unwrap();
        carts::add(wf, &astrid, house.package, &people)
            .await
            .unwrap();
        let above = carts::add(wf, &astrid, house.package, &[person(KARIN)]).await;
        assert!(matches!(
            above.unwrap_err().refusals(),
            [Refusal::NotForOthers { .. }]
        ));
        let cart = workflow::views::cart::load(wf, &astrid).await.unwrap();
        assert_eq!(cart.lines.len(), 3, "once each");

        // Nobody else reads or changes it.
        let line_id = cart.lines[1].id;
        let johan = house.viewer(JOHAN).await;
        for tried in [
            carts::keep(wf, &johan, line_id, "{}").await,
            carts::remove(wf, &johan, line_id).await,
        ] {
            assert!(matches!(tried.unwrap_err(), Error::Missing));
        }
        assert!(
            workflow::views::cart::line(wf, &johan, line_id)
                .await
                .is_err()
        );

        carts::keep(wf, &astrid, line_id, "{\"reason\":\"Öl\"}")
            .await
            .unwrap();
        carts::keep_reason(wf, &astrid, "For the audit")
            .await
            .unwrap();
        carts::remove(wf, &astrid, cart.lines[0].id).await.unwrap();
        let cart = workflow::views::cart::load(wf, &astrid).await.unwrap();
        assert_eq!(cart.reason, "For the audit");
        assert_eq!(cart.lines[0].typed, "{\"reason\":\"Öl\"}");

        let ask = NewRequest {
            key: "cart".into(),
            lines: vec![line(house.package, JOHAN, hours(8))],
            drafts: vec![line_id],
        };
        requests::submit(wf, &astrid, ask).await.unwrap();
        let cart = workflow::views::cart::load(wf, &astrid).await.unwrap();
        assert_eq!(cart.lines.len(), 1, "what was not sent is still there");

        house.clock.move_to(house.clock.now() + Duration::days(91));
        assert_eq!(carts::forget_stale(wf).await.unwrap(), 1);
        let cart = workflow::views::cart::load(wf, &astrid).await.unwrap();
        assert!(cart.lines.is_empty());
    }
}

#[tokio::test]
async fn whoever_a_line_is_for_sees_that_line_and_no_other() {
    let route = vec![stage(ApproverRule::Security)];
    for house in houses(&for_others(ForOthers::Reports, route)).await {
        let lines = vec![
            line(house.package, JOHAN, hours(8)),
            line(house.package, MAYA, hours(8)),
        ];
        let request = send(&house, ASTRID, lines, "a").await.unwrap();
        for (n, seen) in [(ASTRID, 2), (JOHAN, 1), (MAYA, 1), (ELIN, 2)] {
            let viewer = house.viewer(n).await;
            let page = workflow::views::request::load(&house.workflow, &viewer, request)
                .await
                .unwrap();
            assert_eq!(page.lines.len(), seen, "{n}");
            assert_eq!(page.whole, seen == 2);
            let sheet = workflow::views::request::evidence(&house.workflow, &viewer, request)
                .await
                .unwrap();
            let text = serde_json::to_string(&sheet.trail).unwrap();
            let other = lines_of(&house, request)
                .await
                .into_iter()
                .find(|line| line.beneficiary_id != viewer.id())
                .unwrap();
            assert_eq!(text.contains(&other.id.to_string()), seen == 2, "{n}");
        }
        let olle = house.viewer(OLLE).await;
        let theirs = workflow::views::requests::load(
            &house.workflow,
            &house.viewer(JOHAN).await,
            false,
            None,
        )
        .await
        .unwrap();
        assert_eq!(theirs.items.len(), 1, "it is on their page as well");
        // Olle owns the package and sees both.
        let page = workflow::views::request::load(&house.workflow, &olle, request)
            .await
            .unwrap();
        assert_eq!(page.lines.len(), 2);
    }
}
