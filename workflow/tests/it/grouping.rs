//! Stages that the members of a group of the directory decide.

use std::collections::BTreeSet;

use chrono::Duration;
use domain::{
    LineId, PersonId,
    approval::{Verdict, Via},
    audit::Actor,
    policy::{ApproverRule, Policy, StageRule},
    request::LineState,
};
use uuid::Uuid;
use workflow::{
    Error,
    approver_groups::{self, Read},
    leave,
    views::{package, request},
};

use crate::support::{
    ELIN, House, JOHAN, KARIN, MAYA, OLLE, TOMAS, hours, houses, person, policy, stage,
};

const GROUP: Uuid = Uuid::from_u128(0x7070);

fn by_group() -> Policy {
    policy(vec![StageRule {
        group: Some(GROUP),
        ..stage(ApproverRule::Group)
    }])
}

async fn reads(house: &House, read: Read) -> bool {
    approver_groups::apply_directory(&house.workflow, Uuid::from_u128(9), GROUP, &read)
        .await
        .unwrap()
}

async fn holds(house: &House, members: &[u128]) -> bool {
    let objects = members.iter().map(|n| Uuid::from_u128(0x9000 + n));
    reads(house, Read::Members(objects.collect())).await
}

async fn seats(house: &House, line: LineId) -> BTreeSet<(PersonId, Via)> {
    let mut tx = house.workflow.store().read().await.unwrap();
    let seats = tx.seats_of_line(line).await.unwrap();
    seats
        .into_iter()
        .map(|seat| (seat.person_id, seat.via))
        .collect()
}

fn members(people: &[u128]) -> BTreeSet<(PersonId, Via)> {
    people.iter().map(|n| (person(*n), Via::Group)).collect()
}

fn fallback() -> BTreeSet<(PersonId, Via)> {
    BTreeSet::from([(person(KARIN), Via::ManagersManager)])
}

async fn asked(house: &House) -> LineId {
    let request = house.ask(JOHAN, hours(8), "a").await.unwrap();
    house.line(request).await.id
}

#[tokio::test]
async fn whoever_is_in_the_group_decides_and_never_the_asker() {
    for house in houses(&by_group()).await {
        assert_eq!(
            approver_groups::wanted(&house.workflow).await.unwrap(),
            BTreeSet::from([GROUP])
        );
        let line = asked(&house).await;
        assert_eq!(seats(&house, line).await, fallback(), "never read");
        assert!(holds(&house, &[JOHAN, OLLE, TOMAS]).await);
        assert!(
            !holds(&house, &[JOHAN, OLLE, TOMAS]).await,
            "the same again"
        );
        assert_eq!(seats(&house, line).await, members(&[OLLE, TOMAS]));
        assert!(house.logged(person(OLLE), "group_members_changed").await);

        // Whoever leaves the group has no say from the next reading on.
        holds(&house, &[JOHAN, TOMAS]).await;
        assert_eq!(seats(&house, line).await, members(&[TOMAS]));
        let refused = house.vote(OLLE, line, Verdict::Approve, None).await;
        assert!(matches!(refused, Err(Error::Missing)), "{refused:?}");
        house
            .vote(TOMAS, line, Verdict::Approve, None)
            .await
            .unwrap();
        let mut tx = house.workflow.store().read().await.unwrap();
        let row = tx.line(line).await.unwrap().unwrap();
        assert_eq!(row.state, LineState::Approved);
    }
}

#[tokio::test]
async fn an_empty_gone_or_unreadable_group_leaves_it_to_the_fallback() {
    for house in houses(&by_group()).await {
        holds(&house, &[OLLE]).await;
        let line = asked(&house).await;
        assert_eq!(seats(&house, line).await, members(&[OLLE]));
        holds(&house, &[]).await;
        assert_eq!(seats(&house, line).await, fallback());
        // Only the asker is left in it.
        holds(&house, &[JOHAN]).await;
        assert_eq!(seats(&house, line).await, fallback());
        holds(&house, &[OLLE]).await;
        reads(&house, Read::Gone).await;
        assert_eq!(seats(&house, line).await, fallback());

        // What was read last counts for a day, then nobody.
        holds(&house, &[OLLE]).await;
        reads(&house, Read::Unreadable).await;
        house.pass(Duration::hours(23)).await;
        reads(&house, Read::Unreadable).await;
        assert_eq!(seats(&house, line).await, members(&[OLLE]));
        house.pass(Duration::hours(1)).await;
        let refused = house.vote(OLLE, line, Verdict::Approve, None).await;
        assert!(refused.is_err(), "also before anybody was seated anew");
        reads(&house, Read::Unreadable).await;
        assert_eq!(seats(&house, line).await, fallback());
        holds(&house, &[OLLE]).await;
        assert_eq!(seats(&house, line).await, members(&[OLLE]));
    }
}

#[tokio::test]
async fn a_member_who_leaves_loses_the_seat_and_one_whose_account_is_off_never_has_it() {
    for house in houses(&by_group()).await {
        house
            .raw(&format!(
                "UPDATE accounts SET enabled = FALSE WHERE person_id = {}",
                house.id(person(MAYA).0)
            ))
            .await
            .unwrap();
        holds(&house, &[MAYA, OLLE, ELIN]).await;
        let line = asked(&house).await;
        assert_eq!(seats(&house, line).await, members(&[OLLE, ELIN]));
        let mut unit = house.workflow.unit().await.unwrap();
        leave::leave(&mut unit, person(OLLE), Actor::Portal, "disabled")
            .await
            .unwrap();
        unit.commit().await.unwrap();
        assert_eq!(seats(&house, line).await, members(&[ELIN]));
    }
}

#[tokio::test]
async fn the_group_is_called_by_its_name_where_it_is_known() {
    for house in houses(&by_group()).await {
        holds(&house, &[OLLE]).await;
        let johan = house.viewer(JOHAN).await;
        let name = async || {
            let page = package::load(&house.workflow, &johan, house.package)
                .await
                .unwrap();
            page.stages[0].group.clone()
        };
        assert_eq!(name().await, None);
        house
            .add_entitlement(domain::EntitlementId(GROUP), "Treasury approvers")
            .await;
        assert_eq!(name().await.as_deref(), Some("Treasury approvers"));
        let asked = house.ask(JOHAN, hours(8), "a").await.unwrap();
        let page = request::load(&house.workflow, &johan, asked).await.unwrap();
        let stage = page.lines[0]
            .steps
            .iter()
            .find_map(|step| match &step.what {
                request::What::Stage(stage) => Some(stage),
                _ => None,
            });
        assert_eq!(stage.unwrap().group.as_deref(), Some("Treasury approvers"));
    }
}
