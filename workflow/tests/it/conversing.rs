//! Asking back, answering, nudging: the clock stands still for a question, nothing that is asked changes, nothing is ever
//! approved by it.

use chrono::Duration;
use domain::{
    Refusal,
    approval::Verdict,
    policy::ApproverRule,
    refusal::DeciderBar,
    request::LineState,
    waiting::{RemarkKind, STANDS_MOST},
};
use workflow::{Error, conversation, views};

use crate::support::{ASTRID, ELIN, House, JOHAN, MAYA, OLLE, hours, houses, policy, stage};

async fn ask_back(
    house: &House,
    n: u128,
    line: domain::LineId,
    text: &str,
) -> workflow::Result<()> {
    let (stage, _) = house.open(line).await;
    conversation::ask_back(&house.workflow, &house.viewer(n).await, stage, text).await
}

async fn answer(house: &House, n: u128, line: domain::LineId, text: &str) -> workflow::Result<()> {
    conversation::answer(&house.workflow, &house.viewer(n).await, line, text).await
}

/// How many mails of a kind go to somebody.
async fn mails(house: &House, kind: &str, n: u128) -> u64 {
    house
        .raw(&format!(
            "UPDATE messages SET problem = NULL WHERE kind = '{kind}' AND person_id = {}",
            house.id(crate::support::person(n).0)
        ))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_question_holds_the_clock_until_it_is_answered() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        house.pass(Duration::days(6)).await;
        ask_back(&house, ASTRID, line.id, "Which incident is it?")
            .await
            .unwrap();
        assert_eq!(mails(&house, "asked_back", JOHAN).await, 1);
        assert!(house.logged(line.id, "Which incident is it?").await);
        // Long after the deadline was: it stands still, and the asker sees a box.
        house.pass(Duration::days(5)).await;
        let waiting = house.line(request).await;
        assert_eq!(waiting.state, LineState::AwaitingApproval);
        let johan = house.viewer(JOHAN).await;
        let home = views::home::load(&house.workflow, &johan).await.unwrap();
        assert_eq!(home.answers.len(), 1);
        answer(&house, JOHAN, line.id, "Number 4312, as I wrote.")
            .await
            .unwrap();
        assert_eq!(mails(&house, "answered", ASTRID).await, 1);
        let after = house.line(request).await;
        assert_eq!(after.lapse_at, line.lapse_at + Duration::days(5));
        assert_eq!(after.frozen_hash, line.frozen_hash);
        assert_eq!(after.reason, line.reason);
        let home = views::home::load(&house.workflow, &johan).await.unwrap();
        assert!(home.answers.is_empty());
        // One day was left, and is left again.
        house.pass(Duration::hours(23)).await;
        assert!(!house.line(request).await.state.is_final());
        house.pass(Duration::hours(2)).await;
        assert_eq!(house.line(request).await.state, LineState::Lapsed);
    }
}

#[tokio::test]
async fn what_nobody_answers_runs_on_by_itself_and_lapses() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        ask_back(&house, ASTRID, line.id, "Which incident is it?")
            .await
            .unwrap();
        house.pass(STANDS_MOST + Duration::days(6)).await;
        assert!(!house.line(request).await.state.is_final());
        house.pass(Duration::days(1)).await;
        assert_eq!(house.line(request).await.state, LineState::Lapsed);
        let late = answer(&house, JOHAN, line.id, "Number 4312, as I wrote.").await;
        assert!(matches!(
            late.unwrap_err().refusals(),
            [Refusal::WrongState { .. }]
        ));
    }
}

#[tokio::test]
async fn a_decision_needs_no_answer_and_the_next_stage_has_a_running_clock() {
    for house in houses(&policy(vec![
        stage(ApproverRule::Manager),
        stage(ApproverRule::PackageOwner),
    ]))
    .await
    {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        ask_back(&house, ASTRID, line.id, "Which incident is it?")
            .await
            .unwrap();
        house.pass(Duration::days(2)).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        let after = house.line(request).await;
        assert_eq!(after.asked_back_at, None);
        assert_eq!(after.lapse_at, line.lapse_at + Duration::days(2));
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(request).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn only_who_decides_asks_and_only_who_is_asked_answers() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        let own = ask_back(&house, JOHAN, line.id, "May I ask myself?").await;
        assert_eq!(
            own.unwrap_err().refusals(),
            [Refusal::MayNotDecide {
                why: DeciderBar::Asker
            }]
        );
        for stranger in [MAYA, ELIN] {
            let result = ask_back(&house, stranger, line.id, "Who are you?").await;
            assert!(matches!(result, Err(Error::Missing)), "{result:?}");
        }
        for other in [ASTRID, MAYA] {
            let result = answer(&house, other, line.id, "I answer for him").await;
            assert!(matches!(result, Err(Error::Missing)), "{result:?}");
        }
        let short = ask_back(&house, ASTRID, line.id, " ? ").await;
        assert!(matches!(
            short.unwrap_err().refusals(),
            [Refusal::ReasonTooShort { .. }]
        ));
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.remarks(line.id).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn everybody_party_to_it_reads_it_and_a_stranger_does_not() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        let next = async || house.pass(Duration::seconds(1)).await;
        answer(&house, JOHAN, line.id, "I forgot: it is urgent.")
            .await
            .unwrap();
        next().await;
        ask_back(&house, ASTRID, line.id, "Which incident is it?")
            .await
            .unwrap();
        next().await;
        answer(&house, JOHAN, line.id, "Number 4312, as I wrote.")
            .await
            .unwrap();
        for n in [JOHAN, ASTRID, OLLE, ELIN] {
            let page = views::request::load(&house.workflow, &house.viewer(n).await, request)
                .await
                .unwrap();
            let kinds: Vec<RemarkKind> = page.lines[0]
                .conversation
                .said
                .iter()
                .map(|said| said.kind)
                .collect();
            assert_eq!(
                kinds,
                [RemarkKind::Remark, RemarkKind::Question, RemarkKind::Answer]
            );
            assert_eq!(page.lines[0].may_answer, n == JOHAN);
        }
        let maya = house.viewer(MAYA).await;
        let result = views::request::load(&house.workflow, &maya, request).await;
        assert!(matches!(result, Err(Error::Missing)));
    }
}

#[tokio::test]
async fn nobody_floods_a_line() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        for _ in 0..domain::waiting::REMARKS_A_DAY {
            answer(&house, JOHAN, line.id, "And one more thing")
                .await
                .unwrap();
        }
        let more = answer(&house, JOHAN, line.id, "And one more thing").await;
        assert!(matches!(
            more.unwrap_err().refusals(),
            [Refusal::TooMany { .. }]
        ));
        house.pass(Duration::days(1)).await;
        answer(&house, JOHAN, line.id, "And one more thing")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_asker_nudges_once_a_business_day() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        // The clock begins on a Sunday.
        house.pass(Duration::days(1)).await;
        let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let line = house.line(request).await;
        let nudge =
            async |n| conversation::nudge(&house.workflow, &house.viewer(n).await, line.id).await;
        assert!(matches!(nudge(MAYA).await, Err(Error::Missing)));
        nudge(JOHAN).await.unwrap();
        assert_eq!(mails(&house, "nudged", ASTRID).await, 1);
        let again = nudge(JOHAN).await.unwrap_err();
        assert!(matches!(again.refusals(), [Refusal::NudgedAlready { .. }]));
        house.pass(Duration::days(1)).await;
        nudge(JOHAN).await.unwrap();
        assert_eq!(mails(&house, "nudged", ASTRID).await, 2);
        // Whoever owes an answer hurries nobody.
        ask_back(&house, ASTRID, line.id, "Which incident is it?")
            .await
            .unwrap();
        house.pass(Duration::days(1)).await;
        assert_eq!(
            nudge(JOHAN).await.unwrap_err().refusals(),
            [Refusal::AnswerFirst]
        );
        assert!(house.logged(line.id, "line_nudged").await);
    }
}
