//! An approved line that waits for its exception: how long, what ends it, and that it is given in the moment of the exception.

use domain::{
    approval::StageState,
    audit::Actor,
    exception::ExceptionEnd,
    request::{Length, LineState},
};
use store::requests::LineRow;
use workflow::{
    leave, requests,
    views::{self, StandingWord, request::What},
};

use super::*;

/// Johan holds one side, and all have said yes to the other: it waits.
async fn waiting(house: &House) -> LineRow {
    house.held(JOHAN, hours(24 * 29), "a", &[ASTRID]).await;
    let request = house
        .ask_for(JOHAN, other_package(), hours(8), "b")
        .await
        .unwrap();
    let line = house.line(request).await;
    assert_eq!(approve(house, line.id).await, 2, "security decides as well");
    let line = seen(house, line.id).await;
    assert_eq!(line.state, LineState::AwaitingApproval);
    assert_eq!(line.waits_since, Some(house.clock.now()));
    assert!(!given(house, line.id).await);
    line
}

async fn seen(house: &House, line: LineId) -> LineRow {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.line(line).await.unwrap().unwrap()
}

async fn given(house: &House, line: LineId) -> bool {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.grant_of_line(line).await.unwrap().is_some()
}

/// Why a line ended, as its asker reads it.
async fn why(house: &House, line: &LineRow) -> String {
    let viewer = house.viewer(line.asker_id.0.as_u128()).await;
    let page = views::request::load(&house.workflow, &viewer, line.request_id)
        .await
        .unwrap();
    let of = |what: &What| match what {
        What::Closed { why, .. } | What::NothingGiven { why } => why.clone(),
        _ => None,
    };
    let line = page.lines.iter().find(|one| one.id == line.id).unwrap();
    line.steps
        .iter()
        .find_map(|step| of(&step.what))
        .unwrap_or_default()
}

#[tokio::test]
async fn it_is_given_in_the_moment_of_the_exception() {
    for house in apart().await {
        let line = waiting(&house).await;
        assert!(house.logged(line.id, "line_waits").await);
        assert!(house.logged(line.id, "Prepare and pay").await);
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        assert!(!given(&house, line.id).await, "accepted is not in force");
        say(&house, ELIN, id, Word::Confirm).await.unwrap();
        assert_eq!(seen(&house, line.id).await.state, LineState::Approved);
        assert_eq!(house.grant_of(line.id).await.state, GrantState::Active);
        assert!(house.desired(JOHAN, other_right()).await);
        assert!(
            house
                .logged(line.id, "no rule stands against it any more")
                .await
        );
    }
}

#[tokio::test]
async fn everybody_reads_what_it_waits_for_and_from_whom() {
    for house in apart().await {
        let line = waiting(&house).await;
        let (johan, astrid, elin) = (
            house.viewer(JOHAN).await,
            house.viewer(ASTRID).await,
            house.viewer(ELIN).await,
        );
        let page = views::request::load(&house.workflow, &johan, line.request_id)
            .await
            .unwrap();
        let one = &page.lines[0];
        assert_eq!(one.standing.word, StandingWord::WaitsForException);
        assert_eq!(one.lapse_at, house.clock.now() + Duration::days(14));
        assert!(one.may_cancel && !one.may_nudge && !one.may_answer);
        let wanted = &one.wanted[0];
        assert!(wanted.proposed.is_none() && wanted.may_propose);
        let names = |wanted: &views::waits::Wanted| -> Vec<PersonId> {
            wanted.next.iter().map(|one| one.id).collect()
        };
        assert_eq!(names(wanted), [person(ASTRID), person(OLLE)]);
        let list = views::requests::load(&house.workflow, &johan, false, None)
            .await
            .unwrap();
        assert!(
            list.items.iter().any(|item| item.line == line.id
                && item.standing.word == StandingWord::WaitsForException)
        );

        // Whoever said yes, on the page of their decision.
        let mut tx = house.workflow.store().read().await.unwrap();
        let stages = tx.stages(line.id).await.unwrap();
        drop(tx);
        assert!(stages.iter().all(|stage| stage.state == StageState::Met));
        let decision = views::decision::load(&house.workflow, &astrid, stages[0].id)
            .await
            .unwrap();
        assert_eq!(decision.waits_since, line.waits_since);
        assert_eq!(decision.wanted.len(), 1);

        // Security, until somebody proposes one; then it is the exception that says what waits.
        let found = views::exceptions::list(&house.workflow, &elin)
            .await
            .unwrap();
        assert_eq!(found.wanted.len(), 1);
        assert_eq!(found.wanted[0].request, Some(line.request_id));
        let id = propose(&house, ASTRID).await.unwrap();
        let found = views::exceptions::list(&house.workflow, &elin)
            .await
            .unwrap();
        assert!(found.wanted.is_empty());
        let olle = house.viewer(OLLE).await;
        let exception = views::exceptions::one(&house.workflow, &olle, id)
            .await
            .unwrap();
        assert_eq!(exception.lines[0].number, line.number);
        let next = async || {
            let page = views::request::load(&house.workflow, &johan, line.request_id)
                .await
                .unwrap();
            names(&page.lines[0].wanted[0])
        };
        assert_eq!(next().await, [person(OLLE)]);
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        assert_eq!(next().await, [person(ELIN), person(TOMAS)]);
    }
}

#[tokio::test]
async fn a_proposal_that_comes_to_nothing_ends_it_with_that_reason() {
    for (n, did) in [(OLLE, "refused by"), (ASTRID, "taken back by")] {
        for house in apart().await {
            let line = waiting(&house).await;
            let id = propose(&house, ASTRID).await.unwrap();
            say(&house, n, id, Word::Refuse).await.unwrap();
            assert_eq!(seen(&house, line.id).await.state, LineState::Withdrawn);
            let why = why(&house, &line).await;
            assert!(why.contains(did) && why.contains("I looked at it"), "{why}");
            assert!(!given(&house, line.id).await);
        }
    }
    // One that is not in force by its own end never is.
    for house in apart().await {
        let line = waiting(&house).await;
        let short = Proposal {
            days: 2,
            ..proposal()
        };
        let astrid = house.viewer(ASTRID).await;
        let id = exceptions::propose(&house.workflow, &astrid, &short)
            .await
            .unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        house.pass(Duration::days(2)).await;
        let over = exception(&house, id).await;
        assert_eq!(over.end_reason, Some(ExceptionEnd::Expired));
        assert_eq!(seen(&house, line.id).await.state, LineState::Withdrawn);
        let why = why(&house, &line).await;
        assert!(why.contains("by its own end"), "{why}");
    }
}

#[tokio::test]
async fn it_waits_for_fourteen_days_and_a_late_exception_gives_nothing() {
    for house in apart().await {
        let line = waiting(&house).await;
        // The package's pending limit of a week is over: it is not what counts any more.
        house.pass(Duration::days(13)).await;
        assert_eq!(
            seen(&house, line.id).await.state,
            LineState::AwaitingApproval
        );
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        house.pass(Duration::days(1)).await;
        assert_eq!(seen(&house, line.id).await.state, LineState::Lapsed);
        let why = why(&house, &line).await;
        assert!(why.contains("not in force in time"), "{why}");
        say(&house, ELIN, id, Word::Confirm).await.unwrap();
        assert!(!given(&house, line.id).await);
    }
    // The deadline's job is late: what has come has come.
    for house in apart().await {
        let line = waiting(&house).await;
        house.clock.move_to(house.clock.now() + Duration::days(14));
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        say(&house, ELIN, id, Word::Confirm).await.unwrap();
        assert_eq!(seen(&house, line.id).await.state, LineState::Lapsed);
        assert!(!given(&house, line.id).await);
    }
}

#[tokio::test]
async fn it_is_taken_back_and_a_leave_closes_it() {
    for house in apart().await {
        let line = waiting(&house).await;
        let johan = house.viewer(JOHAN).await;
        requests::cancel(&house.workflow, &johan, line.id)
            .await
            .unwrap();
        assert_eq!(seen(&house, line.id).await.state, LineState::Cancelled);
        in_force(&house).await;
        assert!(!given(&house, line.id).await);
    }
    for house in apart().await {
        let line = waiting(&house).await;
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        let mut unit = house.workflow.unit().await.unwrap();
        leave::leave(&mut unit, person(JOHAN), Actor::Portal, "test")
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(seen(&house, line.id).await.state, LineState::Withdrawn);
        house.pass(Duration::zero()).await;
        assert!(say(&house, ELIN, id, Word::Confirm).await.is_err());
        assert!(!given(&house, line.id).await);
    }
}

#[tokio::test]
async fn it_is_given_when_the_other_side_ends() {
    for house in apart().await {
        house.held(JOHAN, hours(8), "a", &[ASTRID]).await;
        let request = house
            .ask_for(JOHAN, other_package(), hours(8), "b")
            .await
            .unwrap();
        let line = house.line(request).await;
        approve(&house, line.id).await;
        house.pass(Duration::hours(7)).await;
        assert!(!given(&house, line.id).await);
        house.pass(Duration::hours(2)).await;
        assert_eq!(house.grant_of(line.id).await.state, GrantState::Active);
    }
}

#[tokio::test]
async fn it_is_looked_at_once_more_before_it_is_given() {
    // Somebody else took the last seat meanwhile.
    for house in apart().await {
        let mut one_seat = policy(vec![stage(ApproverRule::Manager)]);
        one_seat.asking.most_holders = Some(1);
        let text = serde_json::to_string(&one_seat).unwrap();
        let (third, right) = (
            PackageId(Uuid::from_u128(0x2002)),
            EntitlementId(Uuid::from_u128(0x4002)),
        );
        house.add_entitlement(right, "sg-third").await;
        house
            .raw(&format!(
                "INSERT INTO conflict_rights (conflict_id, entitlement_id, side) VALUES ({}, {}, 'right')",
                house.id(rule().0),
                house.id(right.0)
            ))
            .await
            .unwrap();
        assert!(text.contains("most_holders"));
        house
            .add_package(
                third,
                PackageVersionId(Uuid::from_u128(0x3002)),
                "Third",
                &one_seat,
                &[right],
            )
            .await;
        house.held(JOHAN, hours(24), "a", &[ASTRID]).await;
        let request = house.ask_for(JOHAN, third, hours(8), "b").await.unwrap();
        let line = house.line(request).await;
        approve(&house, line.id).await;
        let request = house.ask_for(MAYA, third, hours(8), "c").await.unwrap();
        approve(&house, house.line(request).await.id).await;
        in_force(&house).await;
        let over = seen(&house, line.id).await;
        assert_eq!(over.state, LineState::Approved);
        assert!(!given(&house, line.id).await);
        let why = why(&house, &over).await;
        assert!(why.contains("As many people hold it"), "{why}");
    }
    // Somebody said yes for less, and all signed that.
    for house in apart().await {
        house.held(JOHAN, hours(24), "a", &[ASTRID]).await;
        let request = house
            .ask_for(JOHAN, other_package(), hours(8), "b")
            .await
            .unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, Some(3600))
            .await
            .unwrap();
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        house.pass(Duration::hours(1)).await;
        in_force(&house).await;
        let grant = house.grant_of(line.id).await;
        assert_eq!(grant.end_at, Some(house.clock.now() + Duration::hours(1)));
        assert_eq!(line.window().length, Length::Seconds(8 * 3600));
    }
}

#[tokio::test]
async fn the_last_yes_and_the_exception_in_the_same_instant_give_it_once() {
    for house in apart().await {
        house.held(JOHAN, hours(24 * 29), "a", &[ASTRID]).await;
        let request = house
            .ask_for(JOHAN, other_package(), hours(8), "b")
            .await
            .unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        let open = house.open(line.id).await;
        let (yes, confirmed) = tokio::join!(
            house.vote_in(ELIN, open, Verdict::Approve, None),
            say(&house, TOMAS, id, Word::Confirm)
        );
        yes.unwrap();
        confirmed.unwrap();
        assert_eq!(seen(&house, line.id).await.state, LineState::Approved);
        assert!(given(&house, line.id).await);
    }
}

#[tokio::test]
async fn taken_back_and_in_force_in_the_same_instant_have_one_outcome() {
    for house in apart().await {
        let line = waiting(&house).await;
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Accept).await.unwrap();
        let johan = house.viewer(JOHAN).await;
        let (taken, confirmed) = tokio::join!(
            requests::cancel(&house.workflow, &johan, line.id),
            say(&house, ELIN, id, Word::Confirm)
        );
        confirmed.unwrap();
        let state = seen(&house, line.id).await.state;
        let expected = match taken {
            Ok(()) => LineState::Cancelled,
            Err(_) => LineState::Approved,
        };
        assert_eq!(state, expected, "{:?}", house.engine);
        assert_eq!(given(&house, line.id).await, taken.is_err());
    }
}

#[tokio::test]
async fn the_database_lets_only_what_is_approved_wait_and_only_once() {
    for house in apart().await {
        let refused = async |text: String| {
            let result = house.raw(&text).await;
            assert!(
                matches!(result, Err(store::Error::Conflict(_))),
                "{:?} let through: {text}: {result:?}",
                house.engine
            );
        };
        let now = house.now_literal();
        let request = house.ask(MAYA, hours(8), "m").await.unwrap();
        let open = house.line(request).await;
        let key = house.id(open.id.0);
        refused(format!(
            "UPDATE lines SET waits_since = {now} WHERE id = {key}"
        ))
        .await;
        let line = waiting(&house).await;
        let key = house.id(line.id.0);
        refused(format!(
            "UPDATE lines SET waits_since = NULL WHERE id = {key}"
        ))
        .await;
        let id = propose(&house, ASTRID).await.unwrap();
        say(&house, OLLE, id, Word::Refuse).await.unwrap();
        refused(format!(
            "UPDATE lines SET ended_why = 'something else' WHERE id = {key}"
        ))
        .await;
    }
}
