//! What publishing an edition means for those who ask, decide and hold at the same time.

use domain::{
    AccountId, LineId, RequestId,
    approval::{StageState, Verdict},
    grant::{EndReason, GrantState, Health},
    request::LineState,
};
use store::{Engine, grants::GrantRow};
use uuid::Uuid;
use workflow::{
    catalogue::{self, Applied},
    decide, grants,
};

use crate::{
    catalogue::{ASTRID, FREJA, House, JOHAN, NILS, TENANT, desired, files, houses, orders},
    support::until_waiting,
};

const MANAGER: &str = "[\"manager\"]";

fn johan() -> AccountId {
    AccountId(Uuid::from_u128(0x2_0000 + JOHAN))
}

async fn line(house: &House, request: RequestId) -> store::requests::LineRow {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.lines_of_request(request).await.unwrap().remove(0)
}

/// What Astrid would sign now.
async fn ballot(house: &House, line: LineId) -> decide::Vote {
    let mut tx = house.workflow.store().read().await.unwrap();
    let row = tx.line(line).await.unwrap().unwrap();
    let stages = tx.stages(line).await.unwrap();
    let open = stages
        .iter()
        .find(|stage| stage.state == StageState::Open)
        .expect("open");
    decide::Vote {
        stage: open.id,
        verdict: Verdict::Approve,
        note: String::new(),
        cap_seconds: None,
        signed_hash: decide::to_sign(&row, &[]),
    }
}

async fn approve(house: &House, line: LineId) {
    let vote = ballot(house, line).await;
    decide::decide(&house.workflow, &house.viewer(ASTRID).await, vote)
        .await
        .unwrap();
}

async fn grant_of(house: &House, line: LineId) -> Option<GrantRow> {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.grant_of_line(line).await.unwrap()
}

async fn publish(house: &House, rights: &[u128]) {
    let applied = house
        .apply(&orders(MANAGER, "9 days", rights), Some(FREJA))
        .await;
    if let Applied::Pending { id, .. } = applied {
        catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_was_taken_out_is_not_given_to_who_waited() {
    for house in houses().await {
        publish(&house, &[1, 2]).await;
        let package = house.package("orders-read").await.id;
        let waiting = line(&house, house.ask(package).await.unwrap()).await;
        publish(&house, &[2]).await;
        approve(&house, waiting.id).await;
        assert_eq!(desired(&house, johan()).await, ["right-2"]);
        let grant = grant_of(&house, waiting.id).await.expect("the rest");
        let mut tx = house.workflow.store().read().await.unwrap();
        let content = tx.content_of_grants(&[grant.id]).await.unwrap();
        assert_eq!(content.len(), 1);
        let page = tx
            .audit_page(&store::audit::AuditQuery {
                subject: Some(grant.id.to_string()),
                kind: Some("grant_made".into()),
                limit: 1,
                ..Default::default()
            })
            .await
            .unwrap();
        assert!(page[0].entry.contains("taken_out"), "{}", page[0].entry);
    }
}

#[tokio::test]
async fn where_nothing_is_left_nothing_is_given() {
    for house in houses().await {
        publish(&house, &[1]).await;
        let package = house.package("orders-read").await.id;
        let waiting = line(&house, house.ask(package).await.unwrap()).await;
        publish(&house, &[2]).await;
        approve(&house, waiting.id).await;
        assert_eq!(
            line(&house, waiting.request_id).await.state,
            LineState::Approved
        );
        assert_eq!(grant_of(&house, waiting.id).await, None);
        assert!(desired(&house, johan()).await.is_empty());
    }
}

/// Writes what the target says, as if it had been read, and lets grants hear of it.
async fn answers(house: &House, observed: &str) {
    house
        .raw(&format!(
            "UPDATE assignments SET observed = '{observed}', observed_at = {}, phase = 'settled', next_at = NULL",
            house.now()
        ))
        .await;
    let mut unit = house.workflow.unit().await.unwrap();
    let target = unit.tx.entra_target(TENANT).await.unwrap().unwrap();
    let rights = unit.tx.entitlements(target).await.unwrap();
    let pairs: Vec<_> = rights.iter().map(|right| (johan(), right.id)).collect();
    grants::refresh_health(&mut unit, &pairs).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_grant_whose_rights_were_all_taken_out_is_gone_in_the_end() {
    for house in houses().await {
        publish(&house, &[1]).await;
        let package = house.package("orders-read").await.id;
        let waiting = line(&house, house.ask(package).await.unwrap()).await;
        approve(&house, waiting.id).await;
        answers(&house, "present").await;
        publish(&house, &[2]).await;
        assert!(desired(&house, johan()).await.is_empty());
        let grant = grant_of(&house, waiting.id).await.unwrap();
        assert_eq!(grant.state, GrantState::Active);
        let viewer = house.viewer(JOHAN).await;
        grants::give_back(&house.workflow, &viewer, grant.id)
            .await
            .unwrap();
        // The right is still there: over, but not gone.
        answers(&house, "present").await;
        let over = grant_of(&house, waiting.id).await.unwrap();
        assert_eq!(
            (over.end_reason, over.gone_at),
            (Some(EndReason::Returned), None)
        );
        answers(&house, "absent").await;
        let gone = grant_of(&house, waiting.id).await.unwrap();
        assert!(gone.gone_at.is_some());
        let seen = workflow::views::access::load(&house.workflow, &viewer)
            .await
            .unwrap();
        let ended = seen.ended.iter().find(|one| one.id == grant.id).unwrap();
        assert_eq!(ended.health, Health::Gone);
    }
}

/// One that only PostgreSQL can lose: SQLite writes one transaction at a time.
async fn postgres() -> House {
    houses()
        .await
        .into_iter()
        .find(|house| house.engine == Engine::Postgres)
        .unwrap()
}

#[tokio::test]
async fn an_ask_and_a_retirement_at_once_leave_nothing_waiting() {
    let house = postgres().await;
    publish(&house, &[1]).await;
    let package = house.package("orders-read").await.id;
    let none = orders(MANAGER, "9 days", &[1])
        .split("\n[[package]]")
        .next()
        .unwrap()
        .to_owned();
    // The ask has read that the package is offered, and stands before its number.
    let mut gate = house.workflow.store().begin().await.unwrap();
    gate.count("request").await.unwrap();
    let store = house.workflow.store();
    let open = async {
        until_waiting(store, 1).await;
        let retired = async {
            let text = files(&none);
            catalogue::apply(&house.workflow, TENANT, &text, None).await
        };
        let opened = async {
            until_waiting(store, 2).await;
            drop(gate);
        };
        tokio::join!(retired, opened).0
    };
    let (asked, retired) = tokio::join!(house.ask(package), open);
    assert!(matches!(retired.unwrap(), Applied::Published { .. }));
    assert_eq!(house.package("orders-read").await.state, "retired");
    let state = line(&house, asked.unwrap()).await.state;
    assert_eq!(state, LineState::Withdrawn);
}

#[tokio::test]
async fn a_yes_and_a_removal_at_once_leave_nobody_with_the_right() {
    let house = postgres().await;
    publish(&house, &[1, 2]).await;
    let package = house.package("orders-read").await.id;
    let waiting = line(&house, house.ask(package).await.unwrap()).await;
    let vote = ballot(&house, waiting.id).await;
    let astrid = house.viewer(ASTRID).await;
    // The yes has made its grant, and stands before the audit log.
    let mut gate = house.workflow.store().begin().await.unwrap();
    gate.lock_audit_head().await.unwrap();
    let store = house.workflow.store();
    let open = async {
        until_waiting(store, 1).await;
        let narrowed = async {
            let text = files(&orders(MANAGER, "9 days", &[2]));
            catalogue::apply(&house.workflow, TENANT, &text, None).await
        };
        let opened = async {
            until_waiting(store, 2).await;
            drop(gate);
        };
        tokio::join!(narrowed, opened).0
    };
    let (decided, narrowed) = tokio::join!(decide::decide(&house.workflow, &astrid, vote), open);
    decided.unwrap();
    assert!(matches!(narrowed.unwrap(), Applied::Published { .. }));
    assert_eq!(desired(&house, johan()).await, ["right-2"]);
}
