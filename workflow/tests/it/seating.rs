//! Who sits in an open stage when the company changes around it.

use std::collections::BTreeSet;

use domain::{
    PersonId, Refusal,
    approval::{StageState, Verdict},
    audit::Actor,
    policy::{ApproverRule, Quorum, StageRule},
    refusal::DeciderBar,
    request::LineState,
};
use store::requests::StageRow;
use uuid::Uuid;
use workflow::{
    leave,
    people::{self, DirectoryUser, Seen},
    roles,
};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};

fn tenant() -> Uuid {
    Uuid::from_u128(9)
}

fn object(n: u128) -> Uuid {
    Uuid::from_u128(0x9000 + n)
}

async fn leave(house: &House, n: u128) {
    let mut unit = house.workflow.unit().await.unwrap();
    leave::leave(&mut unit, person(n), Actor::Portal, "disabled")
        .await
        .unwrap();
    unit.commit().await.unwrap();
}

async fn seats(house: &House, line: domain::LineId) -> BTreeSet<PersonId> {
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line).await.unwrap();
    seats.into_iter().map(|seat| seat.person_id).collect()
}

async fn first_stage(house: &House, line: domain::LineId) -> StageRow {
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.stages(line).await.unwrap().remove(0)
}

async fn own(house: &House, n: u128) {
    house
        .raw(&format!(
            "INSERT INTO package_owners (package_id, person_id) VALUES ({}, {})",
            house.id(house.package.0),
            house.id(person(n).0)
        ))
        .await
        .unwrap();
}

/// What the directory says of somebody of the house.
async fn reads(house: &House, n: u128, manager: Option<u128>, enabled: bool) -> people::Applied {
    let user = DirectoryUser {
        object: object(n),
        name: format!("Person {n}"),
        department: "Orders".into(),
        employee_type: "employee".into(),
        user_type: "member".into(),
        enabled,
        manager: manager.map(object),
        ..DirectoryUser::default()
    };
    people::apply_directory(&house.workflow, tenant(), &[Seen::User(Box::new(user))])
        .await
        .unwrap()
}

/// The roles that the directory's app role assignments give, besides security to Elin and Tomas.
async fn runs(house: &House, given: &[(u128, &str)]) {
    use domain::person::PortalRole;
    let mut read: std::collections::BTreeMap<Uuid, BTreeSet<PortalRole>> = [ELIN, TOMAS]
        .map(|n| (object(n), BTreeSet::from([PortalRole::Security])))
        .into();
    for (n, role) in given {
        read.entry(object(*n))
            .or_default()
            .insert(role.parse().unwrap());
    }
    roles::apply_directory(&house.workflow, tenant(), &read)
        .await
        .unwrap();
}

fn owners(quorum: Quorum) -> StageRule {
    StageRule::of(ApproverRule::PackageOwner, quorum)
}

#[tokio::test]
async fn when_all_who_are_left_have_said_yes_the_line_goes_on() {
    for house in houses(&policy(vec![owners(Quorum::All)])).await {
        own(&house, ASTRID).await;
        own(&house, KARIN).await;
        let line = house
            .line(house.ask(MAYA, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(first_stage(&house, line.id).await.needed, 3);
        for owner in [OLLE, ASTRID] {
            house
                .vote(owner, line.id, Verdict::Approve, None)
                .await
                .unwrap();
        }
        assert_eq!(
            house.line(line.request_id).await.state,
            LineState::AwaitingApproval
        );
        leave(&house, KARIN).await;
        assert_eq!(
            first_stage(&house, line.id).await.state,
            StageState::Met,
            "{:?}",
            house.engine
        );
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
        assert!(house.desired(MAYA, house.entitlement).await);
    }
}

#[tokio::test]
async fn a_yes_of_somebody_who_left_does_not_stand_for_those_who_have_not_voted() {
    for house in houses(&policy(vec![
        owners(Quorum::All),
        stage(ApproverRule::Security),
    ]))
    .await
    {
        own(&house, ASTRID).await;
        own(&house, KARIN).await;
        let line = house
            .line(house.ask(MAYA, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        leave(&house, OLLE).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(first_stage(&house, line.id).await.state, StageState::Open);
        house
            .vote(KARIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(first_stage(&house, line.id).await.state, StageState::Met);
    }
}

#[tokio::test]
async fn a_quorum_out_of_reach_is_seen() {
    let two = StageRule::of(ApproverRule::Security, Quorum::Count(2));
    for house in houses(&policy(vec![two])).await {
        let line = house
            .line(house.ask(MAYA, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        for n in [TOMAS, KARIN, OLLE] {
            leave(&house, n).await;
        }
        let held = first_stage(&house, line.id).await;
        assert_eq!((held.state, held.stuck), (StageState::Open, true));
        // The vote that is left cannot be given twice.
        assert!(
            house
                .vote(ELIN, line.id, Verdict::Approve, None)
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_subordinates_yes_counts_only_while_nobody_else_is_there() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let line = house
            .line(house.ask(KARIN, hours(8), "a").await.unwrap())
            .await;
        house
            .vote(ELIN, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        // Olle no longer reports to her, and owns the package: he alone decides, and nothing is decided yet.
        reads(&house, OLLE, None, true).await;
        assert_eq!(seats(&house, line.id).await, [person(OLLE)].into());
        assert_eq!(first_stage(&house, line.id).await.state, StageState::Open);
        reads(&house, JOHAN, Some(ASTRID), true).await;
        house
            .vote(OLLE, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert_eq!(house.line(line.request_id).await.state, LineState::Approved);
    }
}

#[tokio::test]
async fn the_managers_manager_is_somebody_else_when_the_manager_moves() {
    for house in houses(&policy(vec![stage(ApproverRule::ManagersManager)])).await {
        let line = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        assert_eq!(seats(&house, line.id).await, [person(KARIN)].into());
        reads(&house, ASTRID, Some(OLLE), true).await;
        assert_eq!(seats(&house, line.id).await, [person(OLLE)].into());
    }
}

#[tokio::test]
async fn whoever_comes_back_may_decide_again() {
    for house in houses(&policy(vec![stage(ApproverRule::Manager)])).await {
        let fallen = house
            .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
            .await;
        reads(&house, ASTRID, Some(KARIN), false).await;
        assert_eq!(seats(&house, fallen.id).await, [person(KARIN)].into());
        for n in [KARIN, OLLE, ELIN, TOMAS] {
            leave(&house, n).await;
        }
        assert!(first_stage(&house, fallen.id).await.stuck);
        assert_eq!(reads(&house, ASTRID, Some(KARIN), true).await.returned, 1);
        let again = first_stage(&house, fallen.id).await;
        assert!(!again.stuck && !again.fallback);
        assert_eq!(seats(&house, fallen.id).await, [person(ASTRID)].into());
    }
}

#[tokio::test]
async fn whoever_runs_the_portal_decides_nothing() {
    for role in ["administrator", "operator"] {
        for house in houses(&policy(vec![
            stage(ApproverRule::Manager),
            stage(ApproverRule::PackageOwner),
        ]))
        .await
        {
            let line = house
                .line(house.ask(JOHAN, hours(8), "a").await.unwrap())
                .await;
            let open = house.open(line.id).await;
            runs(&house, &[(ASTRID, role), (OLLE, role)]).await;
            assert_eq!(seats(&house, line.id).await, [person(KARIN)].into());
            let refused = house
                .vote_in(ASTRID, open, Verdict::Approve, None)
                .await
                .expect_err("they run the portal");
            assert_eq!(
                refused.refusals(),
                [Refusal::MayNotDecide {
                    why: DeciderBar::RunsPortal
                }]
            );
            house
                .vote(KARIN, line.id, Verdict::Approve, None)
                .await
                .unwrap();
            // The only owner runs it too: the chain goes on to security.
            assert_eq!(
                seats(&house, line.id).await,
                [person(ELIN), person(TOMAS)].into()
            );
            // Without the role he is the owner again.
            runs(&house, &[]).await;
            assert_eq!(seats(&house, line.id).await, [person(OLLE)].into());
        }
    }
}
