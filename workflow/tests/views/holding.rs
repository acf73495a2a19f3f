//! My access, my team, a person, my packages, the provisioner.

use chrono::Duration;
use domain::grant::{GrantSource, Health};
use workflow::{
    Error,
    views::{access, owned, person, provisioning, team},
};

use crate::{
    support::{ASTRID, JOHAN, KARIN, MAYA, OLLE, account, hours, person},
    world::{AUDITOR, HR, OPERATOR, STRANGER, answers, approved, worlds},
};

#[tokio::test]
async fn my_access_says_why_since_and_until() {
    for house in worlds().await {
        let wf = &house.workflow;
        approved(&house, "a").await;
        let johan = house.viewer(JOHAN).await;
        let view = access::load(wf, &johan).await.unwrap();
        let grant = &view.held[0];
        assert_eq!(grant.health, Health::BeingSetUp);
        let why = grant.why.as_ref().unwrap();
        assert_eq!(
            why.approvers
                .iter()
                .map(|one| one.name.as_str())
                .collect::<Vec<_>>(),
            ["Astrid Lindqvist", "Elin Berg"]
        );
        assert!(grant.may_extend && grant.may_give_back && why.asker.is_none());
        answers(&house, JOHAN, "present").await;
        assert_eq!(
            access::load(wf, &johan).await.unwrap().held[0].health,
            Health::Ready
        );
        house.pass(Duration::hours(2)).await;
        answers(&house, JOHAN, "absent").await;
        let view = access::load(wf, &johan).await.unwrap();
        assert!(view.held.is_empty());
        assert!(view.ended[0].over.as_ref().unwrap().gone_at.is_some());
        assert_eq!(view.ended[0].health, Health::Gone);
        house.pass(Duration::days(31)).await;
        assert!(
            access::load(wf, &house.viewer(JOHAN).await)
                .await
                .unwrap()
                .ended
                .is_empty()
        );
    }
}

#[tokio::test]
async fn what_was_found_at_the_target_is_told_apart() {
    for house in worlds().await {
        let now = house.now_literal();
        let id = house.id(uuid::Uuid::from_u128(0xabc));
        house.raw(&format!("INSERT INTO grants (id, person_id, account_id, source, state, valid_from, end_kind, created_at)
            VALUES ({id}, {}, {}, 'import', 'active', {now}, 'permanent', {now})", house.id(person(JOHAN).0), house.id(account(JOHAN).0))).await.unwrap();
        house.raw(&format!("INSERT INTO grant_entitlements (grant_id, entitlement_id, account_id) VALUES ({id}, {}, {})",
            house.id(house.entitlement.0), house.id(account(JOHAN).0))).await.unwrap();
        let view = access::load(&house.workflow, &house.viewer(JOHAN).await)
            .await
            .unwrap();
        assert!(view.held.is_empty());
        assert_eq!(
            (view.found[0].name.as_str(), view.found[0].source),
            ("sg-prod-orders-ro", GrantSource::Import)
        );
        assert!(!view.found[0].may_give_back && !view.found[0].may_extend);
        let team = team::load(&house.workflow, &house.viewer(ASTRID).await, None)
            .await
            .unwrap();
        assert_eq!(team.reports[0].found, 1);
        assert_eq!(team.reports[0].holds[0].name, "sg-prod-orders-ro");
    }
}

#[tokio::test]
async fn a_team_with_what_each_holds() {
    for house in worlds().await {
        approved(&house, "a").await;
        house.ask(MAYA, hours(8), "m").await.unwrap();
        let view = team::load(&house.workflow, &house.viewer(ASTRID).await, None)
            .await
            .unwrap();
        let names: Vec<_> = view
            .reports
            .iter()
            .map(|one| one.person.name.as_str())
            .collect();
        assert_eq!(names, ["Johan Nyberg", "Maya Rao"]);
        let (johan, maya) = (&view.reports[0], &view.reports[1]);
        assert_eq!(
            (
                johan.held,
                johan.ending_soon,
                johan.not_ready,
                johan.waiting
            ),
            (1, 1, 1, 0)
        );
        assert_eq!((maya.held, maya.waiting, maya.leads), (0, 1, false));
        assert!(maya.holds.is_empty());
        let holds = &johan.holds[0];
        assert_eq!(
            (
                holds.name.as_str(),
                holds.source,
                holds.end.at(),
                holds.request.is_some()
            ),
            (
                "Production database, read",
                GrantSource::Request,
                johan.next_end,
                true
            )
        );
        assert!(
            team::load(&house.workflow, &house.viewer(JOHAN).await, None)
                .await
                .unwrap()
                .reports
                .is_empty()
        );
        let karin = team::load(&house.workflow, &house.viewer(KARIN).await, None)
            .await
            .unwrap();
        assert!(
            karin
                .reports
                .iter()
                .find(|one| one.person.name == "Astrid Lindqvist")
                .unwrap()
                .leads
        );
    }
}

#[tokio::test]
async fn a_person_is_for_those_above_and_those_who_read() {
    for house in worlds().await {
        let wf = &house.workflow;
        approved(&house, "a").await;
        let load = async |n: u128| person::load(wf, &house.viewer(n).await, person(JOHAN)).await;
        let me = load(JOHAN).await.unwrap();
        assert!(
            me.me && !me.events.is_empty() && me.employee_id.is_some() && me.held[0].may_give_back
        );
        assert_eq!(
            me.above
                .iter()
                .map(|one| one.name.as_str())
                .collect::<Vec<_>>(),
            ["Astrid Lindqvist", "Karin Holm"]
        );
        let astrid = load(ASTRID).await.unwrap();
        assert!(
            astrid.facts.reports_to_me
                && astrid.events.is_empty()
                && astrid.employee_id.is_none()
                && astrid.may_open_requests
        );
        assert!(!astrid.held[0].may_give_back && astrid.accounts.is_empty());
        assert_eq!(load(KARIN).await.unwrap().requests.len(), 1);
        assert!(!load(HR).await.unwrap().events.is_empty());
        assert!(load(OPERATOR).await.unwrap().events.is_empty());
        assert!(load(AUDITOR).await.unwrap().may_open_requests);
        assert_eq!(load(HR).await.unwrap().sessions, Some(0));
        for n in [JOHAN, ASTRID, OPERATOR, AUDITOR] {
            assert_eq!(load(n).await.unwrap().sessions, None);
        }
        for n in [MAYA, OLLE, STRANGER] {
            assert!(matches!(load(n).await, Err(Error::Missing)));
        }
    }
}

#[tokio::test]
async fn an_owner_sees_holders_and_nobody_else_does() {
    for house in worlds().await {
        let wf = &house.workflow;
        approved(&house, "a").await;
        house
            .held(MAYA, hours(8), "m", &[ASTRID, crate::support::TOMAS])
            .await;
        let view = owned::load(wf, &house.viewer(OLLE).await).await.unwrap();
        assert_eq!(
            (view.packages.len(), view.packages[0].holders.count),
            (1, 2)
        );
        let holders = owned::holders(wf, &house.viewer(OLLE).await, house.package, None)
            .await
            .unwrap();
        assert_eq!(holders.items.len(), 2);
        assert!(holders.items[0].request.is_some());
        assert!(
            owned::load(wf, &house.viewer(JOHAN).await)
                .await
                .unwrap()
                .packages
                .is_empty()
        );
        for n in [JOHAN, ASTRID, STRANGER, OPERATOR] {
            assert!(matches!(
                owned::holders(wf, &house.viewer(n).await, house.package, None).await,
                Err(Error::Missing)
            ));
        }
        assert_eq!(
            owned::holders(wf, &house.viewer(AUDITOR).await, house.package, None)
                .await
                .unwrap()
                .holders
                .count,
            2
        );
    }
}

#[tokio::test]
async fn the_provisioner_says_what_needs_a_person() {
    for house in worlds().await {
        let wf = &house.workflow;
        approved(&house, "a").await;
        let operator = house.viewer(OPERATOR).await;
        let view = provisioning::load(wf, &operator, None).await.unwrap();
        assert_eq!(
            (
                view.targets[0].due.count,
                view.attention.len(),
                view.under_way.len()
            ),
            (1, 0, 1)
        );
        assert!(view.targets[0].oldest.is_some() && view.may_act);
        answers(&house, JOHAN, "present").await;
        let problem = r#"{"what":"the group is gone","fix":"make it again","call":"add","attempts":6,"since":"2026-10-25T00:30:00Z"}"#;
        house
            .raw(&format!(
                "UPDATE assignments SET phase = 'attention', attempts = 6, problem = '{problem}'"
            ))
            .await
            .unwrap();
        let view = provisioning::load(wf, &operator, None).await.unwrap();
        let stuck = &view.attention[0];
        assert_eq!(
            (
                stuck.problem.as_ref().unwrap().fix.as_str(),
                stuck.request_id.as_deref()
            ),
            ("make it again", Some("graph-1"))
        );
        assert_eq!((view.targets[0].attention.count, view.recent.len()), (1, 2));
        let page = provisioning::assignment(wf, &operator, stuck.id)
            .await
            .unwrap();
        assert_eq!(
            (page.operations.len(), page.grants.len(), page.may_act),
            (2, 1, true)
        );
        let auditor = provisioning::assignment(wf, &house.viewer(AUDITOR).await, stuck.id)
            .await
            .unwrap();
        assert!(!auditor.may_act);
        let mine = access::load(wf, &house.viewer(JOHAN).await).await.unwrap();
        assert_eq!(mine.held[0].health, Health::Attention);
        assert!(
            mine.held[0].parts[0]
                .at_target
                .as_ref()
                .unwrap()
                .problem
                .is_none(),
            "an operator's words"
        );
        for n in [JOHAN, HR, STRANGER] {
            assert!(matches!(
                provisioning::load(wf, &house.viewer(n).await, None).await,
                Err(Error::Forbidden)
            ));
            assert!(matches!(
                provisioning::assignment(wf, &house.viewer(n).await, stuck.id).await,
                Err(Error::Forbidden)
            ));
        }
    }
}
