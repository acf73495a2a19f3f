//! Silence: reminders in working time, then others as well, then the end; never a yes.

use chrono::{Datelike as _, Duration, Timelike as _, Weekday};
use domain::{
    Timestamp,
    approval::{StageState, Verdict},
    audit::EventKind,
    calendar::{Calendar, WorkingSpan},
    policy::{ApproverRule, Quorum, Silence, SilenceEnd, StageRule},
    request::LineState,
};
use store::{
    audit::AuditQuery,
    requests::{LineRow, StageRow},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, TOMAS, hours, houses, person, policy, stage,
};

/// From the start of the tests, in the night to a Sunday, to the morning after, before work begins.
const TO_MONDAY: Duration = Duration::hours(32);

/// How many reminders were written to somebody.
async fn reminders(house: &House, who: u128) -> u64 {
    house
        .raw(&format!(
            "UPDATE messages SET problem = NULL WHERE kind = 'reminder' AND person_id = {}",
            house.id(person(who).0)
        ))
        .await
        .unwrap()
}

async fn may_decide(house: &House, request: domain::RequestId) -> Vec<domain::PersonId> {
    let line = house.line(request).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line.id).await.unwrap();
    seats.into_iter().map(|seat| seat.person_id).collect()
}

#[tokio::test]
async fn whoever_can_decide_is_reminded_each_working_day_and_nobody_else() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        house.pass(TO_MONDAY).await;
        assert_eq!(house.clock.now().weekday(), Weekday::Mon);
        assert!(house.clock.now().hour() < 9, "before work begins");
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        house.pass(Duration::hours(20)).await;
        assert_eq!(reminders(&house, ASTRID).await, 0, "not at night");
        // Tuesday to Friday at nine, and nothing at the weekend.
        house.pass(Duration::hours(6)).await;
        assert_eq!(reminders(&house, ASTRID).await, 1);
        for _ in 0..5 {
            house.pass(Duration::days(1)).await;
        }
        assert_eq!(reminders(&house, ASTRID).await, 4);
        assert_eq!(reminders(&house, JOHAN).await, 0);
        assert_eq!(reminders(&house, KARIN).await, 0);
        assert_eq!(house.line(request).await.state, LineState::AwaitingApproval);
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Deny, None)
            .await
            .unwrap();
        house.pass(Duration::days(4)).await;
        assert_eq!(
            reminders(&house, ASTRID).await,
            4,
            "not after it is decided"
        );
    }
}

#[tokio::test]
async fn while_the_asker_owes_an_answer_nobody_is_reminded_and_nothing_escalates() {
    let escalates = StageRule {
        escalate_after: Some(WorkingSpan::Days(1)),
        ..stage(ApproverRule::Manager)
    };
    for house in houses(&policy(vec![escalates])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        let (open, _) = house.open(line.id).await;
        let astrid = house.viewer(ASTRID).await;
        workflow::conversation::ask_back(&house.workflow, &astrid, open, "Which order is it for?")
            .await
            .unwrap();
        for _ in 0..3 {
            house.pass(Duration::days(1)).await;
        }
        assert_eq!(reminders(&house, ASTRID).await, 0);
        assert_eq!(may_decide(&house, request).await, [person(ASTRID)]);
    }
}

#[tokio::test]
async fn after_a_silence_others_may_decide_as_well_and_silence_never_approves() {
    let escalates = StageRule {
        escalate_after: Some(WorkingSpan::Days(2)),
        ..stage(ApproverRule::Manager)
    };
    for house in houses(&policy(vec![escalates])).await {
        house.pass(TO_MONDAY).await;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        assert_eq!(may_decide(&house, request).await, [person(ASTRID)]);
        house.pass(Duration::days(1)).await;
        assert_eq!(may_decide(&house, request).await, [person(ASTRID)]);
        house.pass(Duration::days(2)).await;
        let both = may_decide(&house, request).await;
        assert!(
            both.contains(&person(ASTRID)) && both.contains(&person(KARIN)),
            "{both:?}"
        );
        assert!(!both.contains(&person(JOHAN)));
        let line = house.line(request).await;
        assert_eq!(line.state, LineState::AwaitingApproval);
        let mut tx = house.workflow.store().read().await.unwrap();
        let query = AuditQuery {
            kind: Some(EventKind::StageEscalated.to_string()),
            limit: 10,
            ..AuditQuery::default()
        };
        assert_eq!(tx.audit_page(&query).await.unwrap().len(), 1, "once");
        drop(tx);
        // Seated anew for another reason, they stay.
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::route::reseat_for(&mut unit, person(JOHAN))
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(may_decide(&house, request).await.len(), both.len());
        let other = house.ask(JOHAN, hours(4), "b").await.unwrap();
        let again = house.line(other).await;
        assert_eq!(may_decide(&house, other).await, [person(ASTRID)]);
        house.pass(Duration::days(5)).await;
        house
            .vote(KARIN, again.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(other).await.state, LineState::Approved);
    }
}

fn silent(rule: StageRule, days: u16, end: SilenceEnd) -> StageRule {
    StageRule {
        silence: Some(Silence {
            after: WorkingSpan::Days(days),
            end,
        }),
        ..rule
    }
}

async fn stages(house: &House, line: &LineRow) -> Vec<StageRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.stages(line.id).await.unwrap()
}

async fn states(house: &House, line: &LineRow) -> Vec<StageState> {
    let stages = stages(house, line).await;
    stages.iter().map(|stage| stage.state).collect()
}

async fn asked(house: &House) -> LineRow {
    house.pass(TO_MONDAY).await;
    let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
    house.line(request).await
}

#[tokio::test]
async fn a_silence_that_denies_denies_without_a_vote_and_says_why() {
    let route = policy(vec![silent(
        stage(ApproverRule::Manager),
        3,
        SilenceEnd::Deny,
    )]);
    for house in houses(&route).await {
        let line = asked(&house).await;
        house.pass(Duration::days(3)).await;
        let waits = house.line(line.request_id).await;
        assert_eq!(
            waits.state,
            LineState::AwaitingApproval,
            "Thursday before nine"
        );
        house.pass(Duration::hours(3)).await;
        let ended = house.line(line.request_id).await;
        assert_eq!(ended.state, LineState::Denied);
        assert_eq!(states(&house, &line).await, [StageState::Unanswered]);
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(
            tx.decisions(line.id).await.unwrap().is_empty(),
            "nobody's vote is made up"
        );
        assert!(tx.seats_of_line(line.id).await.unwrap().is_empty());
        assert!(tx.grant_of_line(line.id).await.unwrap().is_none());
        drop(tx);
        assert!(house.logged(line.id, "nobody answered in time").await);
    }
}

#[tokio::test]
async fn a_silence_in_working_days_lets_the_line_lapse_before_its_limit() {
    let route = policy(vec![silent(
        stage(ApproverRule::Manager),
        2,
        SilenceEnd::Lapse,
    )]);
    for house in houses(&route).await {
        let line = asked(&house).await;
        house.pass(Duration::days(2) + Duration::hours(3)).await;
        assert_eq!(house.line(line.request_id).await.state, LineState::Lapsed);
        assert_eq!(states(&house, &line).await, [StageState::Closed]);
    }
}

#[tokio::test]
async fn a_stage_that_is_passed_on_is_no_yes_and_the_later_quorum_stays() {
    let two = StageRule::of(ApproverRule::Security, Quorum::Count(2));
    let route = policy(vec![
        silent(stage(ApproverRule::Manager), 1, SilenceEnd::PassOn),
        two,
    ]);
    for house in houses(&route).await {
        let line = asked(&house).await;
        let first = stages(&house, &line).await[0].id;
        house.pass(Duration::days(1) + Duration::hours(3)).await;
        assert_eq!(
            states(&house, &line).await,
            [StageState::PassedOn, StageState::Open]
        );
        // Whoever did not answer in time has no seat any more.
        let (_, hash) = house.open(line.id).await;
        house
            .vote_in(ASTRID, (first, hash), Verdict::Approve, None)
            .await
            .unwrap_err();
        let vote = async |who| {
            house
                .vote(who, line.id, Verdict::Approve, None)
                .await
                .unwrap();
        };
        vote(ELIN).await;
        assert_eq!(
            house.line(line.request_id).await.state,
            LineState::AwaitingApproval
        );
        vote(TOMAS).await;
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn a_line_that_was_only_passed_on_lapses() {
    use StageState::{Closed, PassedOn};
    let route = policy(vec![
        silent(stage(ApproverRule::Manager), 1, SilenceEnd::PassOn),
        silent(stage(ApproverRule::PackageOwner), 1, SilenceEnd::PassOn),
        stage(ApproverRule::Security),
    ]);
    for house in houses(&route).await {
        let line = asked(&house).await;
        for _ in 0..8 {
            house.pass(Duration::days(1)).await;
        }
        assert_eq!(house.line(line.request_id).await.state, LineState::Lapsed);
        assert_eq!(states(&house, &line).await, [PassedOn, PassedOn, Closed]);
    }
}

#[tokio::test]
async fn behind_a_silence_nobodys_earlier_yes_counts_twice() {
    use StageState::{Met, Open, PassedOn};
    let mut route = policy(vec![
        stage(ApproverRule::Manager),
        silent(stage(ApproverRule::PackageOwner), 1, SilenceEnd::PassOn),
        StageRule {
            named: vec![person(ASTRID), person(KARIN)],
            ..stage(ApproverRule::Named)
        },
    ]);
    route.collapse = true;
    for house in houses(&route).await {
        let line = asked(&house).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::days(1) + Duration::hours(3)).await;
        assert_eq!(states(&house, &line).await, [Met, PassedOn, Open]);
        assert_eq!(
            house.line(line.request_id).await.state,
            LineState::AwaitingApproval
        );
    }
}

/// Gives people of a country a calendar, and these people the country.
async fn works_in(house: &House, country: &str, calendar: &Calendar, people: &[u128]) {
    house
        .raw(&format!(
            "INSERT INTO calendars (country, calendar, catalogue_version_id) SELECT '{country}', '{}', id FROM catalogue_versions",
            serde_json::to_string(calendar).unwrap()
        ))
        .await
        .unwrap();
    for who in people {
        house
            .raw(&format!(
                "UPDATE persons SET country = '{country}' WHERE id = {}",
                house.id(person(*who).0)
            ))
            .await
            .unwrap();
    }
}

async fn silence_ends(house: &House, line: &LineRow) -> Option<Timestamp> {
    let stages = stages(house, line).await;
    let open = stages.iter().find(|stage| stage.state == StageState::Open);
    let mut tx = house.workflow.store().read().await.unwrap();
    let key = format!("stage_silence:{}", open.unwrap().id);
    tx.job_due(&key).await.unwrap()
}

#[tokio::test]
async fn a_deadline_counts_by_the_calendar_of_those_who_decide_and_of_the_last_of_them() {
    let route = policy(vec![
        silent(stage(ApproverRule::Manager), 1, SilenceEnd::PassOn),
        silent(stage(ApproverRule::Security), 1, SilenceEnd::Deny),
    ]);
    for house in houses(&route).await {
        // A Tuesday is a holiday in the one country, and in the other the day begins later.
        let poland = Calendar {
            zone: "Europe/Warsaw".into(),
            holidays: ["2026-10-27".parse().unwrap()].into(),
            ..Calendar::default()
        };
        let new_york = Calendar {
            zone: "America/New_York".into(),
            ..Calendar::default()
        };
        works_in(&house, "Poland", &poland, &[ASTRID, ELIN]).await;
        works_in(&house, "United States", &new_york, &[TOMAS]).await;
        let line = asked(&house).await;
        // Asked on Monday the 26th at 8:30 in UTC, 9:30 in Warsaw; Tuesday is free.
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(
            silence_ends(&house, &line).await,
            at("2026-10-28T08:30:00Z")
        );
        house.pass(Duration::days(2)).await;
        assert_eq!(
            states(&house, &line).await,
            [StageState::PassedOn, StageState::Open]
        );
        // On Wednesday at 9:30 in Warsaw it is night in New York: Tomas has from nine there.
        assert_eq!(
            silence_ends(&house, &line).await,
            at("2026-10-29T13:00:00Z")
        );
    }
}

#[tokio::test]
async fn the_databases_hold_a_silence_to_the_rule_of_its_stage() {
    let route = policy(vec![
        silent(stage(ApproverRule::Manager), 1, SilenceEnd::PassOn),
        stage(ApproverRule::Security),
    ]);
    for house in houses(&route).await {
        let line = asked(&house).await;
        let rows = stages(&house, &line).await;
        let set = |position: usize, state: &str| {
            format!(
                "UPDATE stages SET state = '{state}' WHERE id = {}",
                house.id(rows[position].id.0)
            )
        };
        let refused = async |text: String| {
            let result = house.raw(&text).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{:?} let through: {text}: {result:?}",
                house.engine
            );
        };
        refused(set(0, "unanswered")).await;
        refused(set(1, "passed_on")).await;
        house.pass(Duration::days(1) + Duration::hours(3)).await;
        // Passed on, and the later stage not met: never approved. Nor denied without a no.
        refused(set(0, "met")).await;
        refused(set(1, "passed_on")).await;
        refused(set(1, "unanswered")).await;
        for state in ["approved", "denied"] {
            let result = house
                .raw(&format!("UPDATE lines SET state = '{state}'"))
                .await;
            let says = "the stages of a line decide it";
            let said = matches!(&result, Err(error) if error.to_string().contains(says));
            assert!(said, "{:?}: {state}: {result:?}", house.engine);
        }
        assert_eq!(
            states(&house, &line).await,
            [StageState::PassedOn, StageState::Open]
        );
    }
}

#[tokio::test]
async fn a_question_ends_with_the_stage_that_asked_it_while_another_is_open() {
    let both = StageRule::of(ApproverRule::Security, Quorum::Count(1));
    let route = policy(vec![
        stage(ApproverRule::Manager),
        StageRule {
            together: true,
            ..both
        },
    ]);
    for house in houses(&route).await {
        let line = asked(&house).await;
        let rows = stages(&house, &line).await;
        let ask = async |who, stage| {
            house
                .clock
                .move_to(house.clock.now() + Duration::minutes(1));
            let viewer = house.viewer(who).await;
            workflow::conversation::ask_back(&house.workflow, &viewer, stage, "Which order is it?")
                .await
                .unwrap();
        };
        ask(ASTRID, rows[0].id).await;
        ask(ELIN, rows[1].id).await;
        let (_, hash) = house.open(line.id).await;
        house
            .vote_in(ASTRID, (rows[0].id, hash), Verdict::Approve, None)
            .await
            .unwrap();
        let row = house.line(line.request_id).await;
        assert!(row.asked_back_at.is_some(), "the open stage still asks");
        // And the other way round.
        let other = house.ask(MAYA, hours(8), "b").await.unwrap();
        let other = house.line(other).await;
        let rows = stages(&house, &other).await;
        ask(ASTRID, rows[0].id).await;
        let (_, hash) = house.open(other.id).await;
        house
            .vote_in(ASTRID, (rows[0].id, hash), Verdict::Approve, None)
            .await
            .unwrap();
        let row = house.line(other.request_id).await;
        assert_eq!(row.state, LineState::AwaitingApproval);
        assert!(
            row.asked_back_at.is_none(),
            "nobody waits for an answer any more"
        );
    }
}

#[tokio::test]
async fn after_an_hour_down_every_silence_that_came_due_ends_once_and_lines_that_are_over_lapse() {
    let mut route = policy(vec![StageRule {
        escalate_after: Some(WorkingSpan::Days(2)),
        ..silent(stage(ApproverRule::Manager), 2, SilenceEnd::Deny)
    }]);
    route.limits.pending_seconds = 2 * 86_400 + 3 * 3600;
    for house in houses(&route).await {
        house.pass(TO_MONDAY + Duration::hours(2)).await;
        let mut lines = Vec::new();
        for (who, key) in [(JOHAN, "a"), (MAYA, "b")] {
            lines.push(
                house
                    .line(house.ask(who, hours(8), key).await.unwrap())
                    .await,
            );
        }
        // One that is over for good by the time that the machine is back.
        house.clock.move_to(house.clock.now() + Duration::hours(1));
        house.pass(Duration::days(2) + Duration::hours(1)).await;
        for line in &lines {
            assert_eq!(house.line(line.request_id).await.state, LineState::Denied);
            assert_eq!(states(&house, line).await, [StageState::Unanswered]);
        }
        let mut tx = house.workflow.store().read().await.unwrap();
        let count = async |tx: &mut store::Tx, kind: EventKind| {
            let query = AuditQuery {
                kind: Some(kind.to_string()),
                limit: 10,
                ..AuditQuery::default()
            };
            tx.audit_page(&query).await.unwrap().len()
        };
        assert_eq!(
            count(&mut tx, EventKind::StageUnanswered).await,
            2,
            "each once"
        );
        assert_eq!(
            count(&mut tx, EventKind::StageEscalated).await,
            0,
            "the end goes first, and nothing follows it"
        );
        drop(tx);
        let late = house
            .line(house.ask(JOHAN, hours(4), "c").await.unwrap())
            .await;
        house.pass(Duration::days(5)).await;
        assert_eq!(
            house.line(late.request_id).await.state,
            LineState::Lapsed,
            "over for good before anybody looked: it lapsed"
        );
        // A clock that is set back finds everything as it was.
        house.clock.move_to(house.clock.now() - Duration::days(1));
        house.pass(Duration::hours(1)).await;
        assert_eq!(house.line(late.request_id).await.state, LineState::Lapsed);
    }
}

#[tokio::test]
async fn a_vote_and_the_end_of_the_silence_at_once_have_one_outcome() {
    let route = policy(vec![silent(
        stage(ApproverRule::Manager),
        1,
        SilenceEnd::Deny,
    )]);
    for vote_first in [true, false] {
        for house in houses(&route).await {
            let line = asked(&house).await;
            let open = house.open(line.id).await;
            house.clock.move_to(house.clock.now() + Duration::days(2));
            let vote = house.vote_in(ASTRID, open, Verdict::Approve, None);
            let end = house.pass(Duration::zero());
            let voted = if vote_first {
                tokio::join!(vote, end).0
            } else {
                tokio::join!(end, vote).1
            };
            let (line_is, stage_is) = match voted {
                Ok(()) => (LineState::Approved, StageState::Met),
                Err(_) => (LineState::Denied, StageState::Unanswered),
            };
            assert_eq!(house.line(line.request_id).await.state, line_is);
            assert_eq!(states(&house, &line).await, [stage_is]);
        }
    }
}
