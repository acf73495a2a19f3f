//! Break-glass: at once, short, for oneself, told to everybody concerned, and reviewed by somebody else.

use std::collections::BTreeMap;

use chrono::Duration;
use domain::{
    Refusal, RequestId,
    asking::{Asking, Ticket},
    break_glass::{BreakGlass, BreakGlassBar, Conclusion},
    finding::{FindingKind, FindingState},
    grant::{EndReason, GrantSource, GrantState},
    policy::{Limits, Policy},
    request::{LineState, Start, Window},
};
use store::{Engine, findings::FindingRow};
use workflow::{
    Error, carts, findings,
    requests::{self, MoreTime, NewAsk, NewLine, NewRequest},
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, hours, houses, person, policy,
};

fn glass() -> Policy {
    let usual = policy(vec![]);
    Policy {
        limits: Limits {
            longest_seconds: 4 * 3600,
            permanent: false,
            ..usual.limits
        },
        asking: Asking {
            ticket: Some(Ticket {
                required: true,
                ..Ticket::default()
            }),
            break_glass: Some(BreakGlass { uses_per_week: 2 }),
            ..Asking::default()
        },
        ..usual
    }
}

fn meant(house: &House, key: &str) -> NewAsk {
    NewAsk {
        package: house.package,
        window: hours(4),
        reason: "The order desk is down".into(),
        answers: BTreeMap::from([(Ticket::KEY.to_owned(), "INC-1".to_owned())]),
        confirmed: true,
        key: key.into(),
    }
}

async fn open(house: &House, n: u128, key: &str) -> workflow::Result<RequestId> {
    requests::ask(&house.workflow, &house.viewer(n).await, meant(house, key)).await
}

async fn reviews(house: &House, n: u128) -> Vec<FindingRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    let mut rows = tx.open_findings_of(&[person(n)]).await.unwrap();
    rows.retain(|row| row.kind == FindingKind::BreakGlass);
    rows
}

async fn told(house: &House, key: &str) -> bool {
    let text = format!("UPDATE messages SET problem = NULL WHERE key = '{key}'");
    house.raw(&text).await.unwrap() == 1
}

fn bars(error: &Error) -> Vec<BreakGlassBar> {
    error
        .refusals()
        .iter()
        .filter_map(|refusal| match refusal {
            Refusal::BreakGlass { why } => Some(*why),
            Refusal::InLine { what, .. } => match **what {
                Refusal::BreakGlass { why } => Some(why),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

async fn conclude(
    house: &House,
    n: u128,
    review: &FindingRow,
    said: Conclusion,
) -> workflow::Result<()> {
    let viewer = house.viewer(n).await;
    findings::conclude(
        &house.workflow,
        &viewer,
        review.id,
        said,
        "The log shows what was done",
    )
    .await
}

#[tokio::test]
async fn it_opens_at_once_ends_by_itself_and_leaves_a_review() {
    for house in houses(&glass()).await {
        let line = house.line(open(&house, JOHAN, "a").await.unwrap()).await;
        assert_eq!(line.state, LineState::Approved);
        let grant = house.grant_of(line.id).await;
        assert_eq!(grant.source, GrantSource::BreakGlass);
        assert_eq!(grant.state, GrantState::Active);
        assert_eq!(grant.end_at, Some(house.clock.now() + Duration::hours(4)));
        assert!(house.desired(JOHAN, house.entitlement).await);
        let review = reviews(&house, JOHAN).await.remove(0);
        assert_eq!(review.owner_id, Some(person(OLLE)));
        assert_eq!(review.grant_id, Some(grant.id));
        assert!(review.due_at > house.clock.now() + Duration::days(1));
        // The owner, security and the manager are told at once; whoever used it is not.
        for n in [OLLE, ELIN, ASTRID] {
            let key = format!("break_glass:{}:{}", grant.id, person(n));
            assert!(told(&house, &key).await, "{n}");
        }
        let own = format!("break_glass:{}:{}", grant.id, person(JOHAN));
        assert!(!told(&house, &own).await);
        house.pass(Duration::hours(4)).await;
        assert_eq!(house.grant(grant.id).await.state, GrantState::Ended);
        assert!(!house.desired(JOHAN, house.entitlement).await);
        // The scan closes what no longer stands, but never a review.
        assert_eq!(reviews(&house, JOHAN).await.len(), 1);
    }
}

#[tokio::test]
async fn it_is_for_oneself_alone_at_once_and_confirmed() {
    for house in houses(&glass()).await {
        let johan = house.viewer(JOHAN).await;
        let unsure = NewAsk {
            confirmed: false,
            ..meant(&house, "a")
        };
        let refused = requests::ask(&house.workflow, &johan, unsure)
            .await
            .unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::NotConfirmed]);
        let later = NewAsk {
            window: Window {
                start: Start::At(house.clock.now() + Duration::hours(2)),
                ..hours(4)
            },
            ..meant(&house, "b")
        };
        let refused = requests::ask(&house.workflow, &johan, later)
            .await
            .unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::NotLater]);
        let own = NewLine {
            package: house.package,
            beneficiary: person(JOHAN),
            account: None,
            window: hours(4),
            reason: "The order desk is down".into(),
            answers: meant(&house, "c").answers,
            confirmed: true,
        };
        let theirs = NewLine {
            beneficiary: person(MAYA),
            ..own.clone()
        };
        let request = |lines: Vec<NewLine>, key: &str| NewRequest {
            key: key.into(),
            lines,
            drafts: vec![],
        };
        let refused = requests::submit(&house.workflow, &johan, request(vec![theirs.clone()], "d"))
            .await
            .unwrap_err();
        assert!(bars(&refused).contains(&BreakGlassBar::NotForOthers));
        let refused = requests::submit(&house.workflow, &johan, request(vec![own, theirs], "e"))
            .await
            .unwrap_err();
        assert!(bars(&refused).contains(&BreakGlassBar::NotWithOthers));
        let refused = carts::add(&house.workflow, &johan, house.package, &[person(JOHAN)])
            .await
            .unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::NotWithOthers]);
        assert!(reviews(&house, JOHAN).await.is_empty());
    }
}

#[tokio::test]
async fn it_is_never_longer_and_never_too_often() {
    for house in houses(&glass()).await {
        let first = house.line(open(&house, JOHAN, "a").await.unwrap()).await;
        let grant = house.grant_of(first.id).await;
        let refused = open(&house, JOHAN, "b").await.unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::NotLonger]);
        let more = MoreTime {
            grant: grant.id,
            seconds: Some(3600),
            reason: "Not finished yet".into(),
            key: "c".into(),
        };
        let johan = house.viewer(JOHAN).await;
        let refused = requests::extend(&house.workflow, &johan, more)
            .await
            .unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::NotLonger]);
        house.pass(Duration::hours(5)).await;
        open(&house, JOHAN, "d").await.unwrap();
        house.pass(Duration::hours(5)).await;
        let refused = open(&house, JOHAN, "e").await.unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::Spent]);
        // Somebody else on call still can, and after the week and its reviews so can he.
        open(&house, MAYA, "f").await.unwrap();
        for review in reviews(&house, JOHAN).await {
            conclude(&house, OLLE, &review, Conclusion::Justified)
                .await
                .unwrap();
        }
        house.pass(Duration::days(8)).await;
        open(&house, JOHAN, "g").await.unwrap();
    }
}

#[tokio::test]
async fn a_review_is_somebody_elses_and_an_overdue_one_closes_the_glass() {
    for house in houses(&glass()).await {
        open(&house, JOHAN, "a").await.unwrap();
        let review = reviews(&house, JOHAN).await.remove(0);
        for n in [JOHAN, MAYA, ASTRID, KARIN] {
            let refused = conclude(&house, n, &review, Conclusion::Justified).await;
            assert!(matches!(refused, Err(Error::Missing)), "{n}");
        }
        house.pass(Duration::days(6)).await;
        let refused = open(&house, JOHAN, "b").await.unwrap_err();
        assert_eq!(bars(&refused), [BreakGlassBar::NotReviewed]);
        findings::arm_daily(&house.workflow).await.unwrap();
        house.pass(Duration::days(1)).await;
        let key = format!("overdue:{}:{}", review.id, person(ELIN));
        assert!(told(&house, &key).await);
        conclude(&house, ELIN, &review, Conclusion::Justified)
            .await
            .unwrap();
        open(&house, JOHAN, "c").await.unwrap();
        let stale = conclude(&house, ELIN, &review, Conclusion::NotJustified).await;
        assert!(stale.is_err(), "a review ends once");
        assert!(house.logged(review.id, "justified").await);
    }
}

#[tokio::test]
async fn what_was_not_right_ends_now() {
    for house in houses(&glass()).await {
        let line = house.line(open(&house, JOHAN, "a").await.unwrap()).await;
        let review = reviews(&house, JOHAN).await.remove(0);
        conclude(&house, OLLE, &review, Conclusion::NotJustified)
            .await
            .unwrap();
        let grant = house.grant_of(line.id).await;
        assert_eq!(grant.end_reason, Some(EndReason::Revoked));
        assert!(!house.desired(JOHAN, house.entitlement).await);
        assert!(reviews(&house, JOHAN).await.is_empty());
        let mut tx = house.workflow.store().read().await.unwrap();
        let row = tx.finding(review.id).await.unwrap().unwrap();
        assert_eq!(row.state, FindingState::Closed);
        assert_eq!(row.conclusion, Some(Conclusion::NotJustified));
    }
}

#[tokio::test]
async fn the_database_holds_it_short_and_the_review_somebody_elses() {
    for house in houses(&glass()).await {
        let line = house.line(open(&house, JOHAN, "a").await.unwrap()).await;
        let grant = house.grant_of(line.id).await;
        let review = reviews(&house, JOHAN).await.remove(0);
        let (id, finding) = (house.id(grant.id.0), house.id(review.id.0));
        let now = house.now_literal();
        let hour = match house.engine {
            Engine::Sqlite => "3600000000",
            Engine::Postgres => "INTERVAL '1 hour'",
        };
        let closed = |by: u128, note: &str, said: &str| {
            format!(
                "UPDATE findings SET state = 'closed', closed_at = {now}, noted_by = {}, note = '{note}', conclusion = {said} WHERE id = {finding}",
                house.id(person(by).0)
            )
        };
        for text in [
            format!("UPDATE grants SET end_kind = 'permanent', end_at = NULL WHERE id = {id}"),
            format!("UPDATE grants SET end_at = end_at + {hour} WHERE id = {id}"),
            closed(JOHAN, "I was right", "'justified'"),
            closed(OLLE, "", "'justified'"),
            closed(OLLE, "looked at it", "NULL"),
            format!("UPDATE findings SET conclusion = 'justified' WHERE id = {finding}"),
            format!("UPDATE findings SET grant_id = NULL WHERE id = {finding}"),
        ] {
            assert!(house.raw(&text).await.is_err(), "{text}");
        }
        house
            .raw(&closed(OLLE, "looked at it", "'justified'"))
            .await
            .unwrap();
    }
}
