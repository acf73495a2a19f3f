//! The portal's own powers by grant: what one opens, what excludes what, what is found, and that an administrator remains.

use chrono::Duration;
use domain::{
    EntitlementId, PackageId, PackageVersionId, Refusal,
    approval::Verdict,
    assignment::{Observed, Phase},
    finding::{FindingKind, FindingState},
    grant::{EndReason, GrantState},
    person::PortalRole,
    policy::ApproverRule,
};
use store::{Engine, findings::FindingRow, grants::GrantRow, roles::RoleSource};
use uuid::Uuid;
use workflow::{Error, findings, grants};

use crate::support::{
    ASTRID, ELIN, House, JOHAN, KARIN, MAYA, OLLE, account, hours, houses, person, policy, stage,
};

fn number(role: PortalRole) -> u128 {
    PortalRole::ALL.iter().position(|one| *one == role).unwrap() as u128
}

fn right(role: PortalRole) -> EntitlementId {
    EntitlementId(Uuid::from_u128(0x4100 + number(role)))
}

fn package(role: PortalRole) -> PackageId {
    PackageId(Uuid::from_u128(0x2100 + number(role)))
}

/// Houses whose catalogue offers every portal role, each with a yes of the manager.
async fn offering() -> Vec<House> {
    let policy = policy(vec![stage(ApproverRule::Manager)]);
    let houses = houses(&policy).await;
    for house in &houses {
        let target = house.id(Uuid::from_u128(0x5001));
        house
            .raw(&format!(
                "INSERT INTO targets (id, key, kind, name) VALUES ({target}, 'latchkey', 'portal', 'Latchkey')"
            ))
            .await
            .unwrap();
        for role in PortalRole::ALL {
            house
                .raw(&format!(
                    "INSERT INTO entitlements (id, key, target_id, kind, external_id, name, lane, privileged, manageable)
                     VALUES ({}, 'role-{role}', {target}, 'portal_role', '{role}', 'Role {role}', 'portal_role:{role}', FALSE, TRUE)",
                    house.id(right(*role).0)
                ))
                .await
                .unwrap();
            let version = PackageVersionId(Uuid::from_u128(0x3100 + number(*role)));
            let name = format!("Role {role}");
            house
                .add_package(package(*role), version, &name, &policy, &[right(*role)])
                .await;
        }
    }
    houses
}

async fn holds(house: &House, n: u128, role: PortalRole) -> GrantRow {
    let request = house
        .ask_for(n, package(role), hours(8), &format!("{n} {role}"))
        .await
        .unwrap();
    let line = house.line(request).await;
    let manager = if n == JOHAN || n == MAYA {
        ASTRID
    } else {
        KARIN
    };
    house
        .vote(manager, line.id, Verdict::Approve, None)
        .await
        .unwrap();
    house.grant_of(line.id).await
}

async fn by_directory(house: &House, n: u128, role: PortalRole) {
    house
        .raw(&format!(
            "INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, '{role}', 'directory', {})",
            house.id(account(n).0),
            house.now_literal()
        ))
        .await
        .unwrap();
}

async fn effective(house: &House, n: u128, role: PortalRole) -> bool {
    house.viewer(n).await.has(role)
}

async fn role_findings(house: &House, n: u128) -> Vec<FindingRow> {
    findings::arm_daily(&house.workflow).await.unwrap();
    house.pass(Duration::days(1)).await;
    let mut tx = house.workflow.store().read().await.unwrap();
    tx.open_findings_of(&[person(n)])
        .await
        .unwrap()
        .into_iter()
        .filter(|row| row.kind == FindingKind::RoleChange)
        .collect()
}

#[tokio::test]
async fn a_grant_makes_a_role_effective_exactly_while_it_covers_now() {
    for house in offering().await {
        let grant = holds(&house, JOHAN, PortalRole::Auditor).await;
        assert!(effective(&house, JOHAN, PortalRole::Auditor).await);
        let grant = house.grant(grant.id).await;
        assert!(grant.ready_at.is_some(), "the target was read back");
        let mut tx = house.workflow.store().begin().await.unwrap();
        let pair = [(account(JOHAN), right(PortalRole::Auditor))];
        let row = tx.lock_pairs(&pair).await.unwrap().remove(0);
        drop(tx);
        assert_eq!(
            (row.desired, row.observed, row.phase),
            (true, Observed::Present, Phase::Settled)
        );
        assert!(house.logged(account(JOHAN), "roles_changed").await);

        // Held back it counts no more, and again when it goes on.
        let elin = house.viewer(ELIN).await;
        let ids = [grant.id];
        grants::suspend(&house.workflow, &elin, &ids, "looks wrong")
            .await
            .unwrap();
        assert!(!effective(&house, JOHAN, PortalRole::Auditor).await);
        grants::resume(&house.workflow, &elin, &ids, "was right")
            .await
            .unwrap();
        assert!(effective(&house, JOHAN, PortalRole::Auditor).await);

        house.pass(Duration::hours(8)).await;
        assert!(!effective(&house, JOHAN, PortalRole::Auditor).await);
        let grant = house.grant(grant.id).await;
        assert_eq!(grant.end_reason, Some(EndReason::Expired));
        assert!(grant.gone_at.is_some());
    }
}

#[tokio::test]
async fn what_excludes_each_other_is_refused_when_asked_for() {
    for house in offering().await {
        holds(&house, JOHAN, PortalRole::Operator).await;
        by_directory(&house, MAYA, PortalRole::Auditor).await;
        for (n, role, other) in [
            (JOHAN, PortalRole::Security, PortalRole::Operator),
            (JOHAN, PortalRole::Auditor, PortalRole::Operator),
            (MAYA, PortalRole::Hr, PortalRole::Auditor),
            (ELIN, PortalRole::Administrator, PortalRole::Security),
        ] {
            let refused = house.ask_for(n, package(role), hours(1), "no").await;
            let Err(Error::Refused(refusals)) = refused else {
                panic!("{role} was asked for beside {other}");
            };
            let said = format!("{refusals:?}");
            assert!(said.contains("RolesExclude"), "{said}");
        }
        // What excludes nothing goes.
        holds(&house, JOHAN, PortalRole::Administrator).await;
        assert!(effective(&house, JOHAN, PortalRole::Administrator).await);
        assert!(effective(&house, JOHAN, PortalRole::Operator).await);
    }
}

#[tokio::test]
async fn of_two_that_exclude_each_other_the_second_yes_gives_nothing() {
    for house in offering().await {
        let mut lines = Vec::new();
        for role in [PortalRole::Security, PortalRole::Administrator] {
            let request = house
                .ask_for(JOHAN, package(role), hours(8), role.as_str())
                .await
                .unwrap();
            lines.push(house.line(request).await.id);
        }
        for line in &lines {
            house
                .vote(ASTRID, *line, Verdict::Approve, None)
                .await
                .unwrap();
        }
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.grant_of_line(lines[0]).await.unwrap().is_some());
        assert!(tx.grant_of_line(lines[1]).await.unwrap().is_none());
        drop(tx);
        assert!(effective(&house, JOHAN, PortalRole::Security).await);
        assert!(!effective(&house, JOHAN, PortalRole::Administrator).await);
    }
}

#[tokio::test]
async fn two_that_are_approved_in_the_same_instant_are_never_both_given() {
    for house in offering().await {
        if house.engine != Engine::Postgres {
            continue;
        }
        for round in 0..6 {
            let mut open = Vec::new();
            let mut lines = Vec::new();
            for role in [PortalRole::Security, PortalRole::Operator] {
                let key = format!("{round} {role}");
                let request = house
                    .ask_for(JOHAN, package(role), hours(1), &key)
                    .await
                    .unwrap();
                let line = house.line(request).await.id;
                lines.push(line);
                open.push(house.open(line).await);
            }
            let second = open.pop().unwrap();
            let first = open.pop().unwrap();
            let (one, other) = tokio::join!(
                house.vote_in(ASTRID, first, Verdict::Approve, None),
                house.vote_in(ASTRID, second, Verdict::Approve, None)
            );
            one.unwrap();
            other.unwrap();
            let mut tx = house.workflow.store().read().await.unwrap();
            let mut given = 0;
            for line in lines {
                given += usize::from(tx.grant_of_line(line).await.unwrap().is_some());
            }
            drop(tx);
            assert_eq!(given, 1, "round {round}");
            house.pass(Duration::hours(2)).await;
        }
    }
}

#[tokio::test]
async fn one_that_begins_later_is_looked_at_when_it_begins() {
    for house in offering().await {
        let later = domain::request::Window {
            start: domain::request::Start::At(house.clock.now() + Duration::hours(2)),
            ..hours(8)
        };
        let role = PortalRole::Auditor;
        let request = house
            .ask_for(JOHAN, package(role), later, "later")
            .await
            .unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        by_directory(&house, JOHAN, PortalRole::Hr).await;
        house.pass(Duration::hours(3)).await;
        let grant = house.grant_of(line.id).await;
        assert_eq!(grant.state, GrantState::Ended);
        assert!(!effective(&house, JOHAN, role).await);
        assert!(effective(&house, JOHAN, PortalRole::Hr).await);
    }
}

#[tokio::test]
async fn the_database_gives_no_role_without_a_grant_nor_beside_one_that_excludes_it() {
    for house in offering().await {
        let give = |n: u128, role: PortalRole| {
            format!(
                "INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, '{role}', 'grant', {})",
                house.id(account(n).0),
                house.now_literal()
            )
        };
        let refused = house.raw(&give(JOHAN, PortalRole::Hr)).await.unwrap_err();
        assert!(refused.to_string().contains("needs a grant"), "{refused}");

        // A grant there is, and the other role came by the directory.
        holds(&house, JOHAN, PortalRole::Auditor).await;
        house
            .raw("DELETE FROM portal_roles WHERE source = 'grant'")
            .await
            .unwrap();
        by_directory(&house, JOHAN, PortalRole::Operator).await;
        let refused = house
            .raw(&give(JOHAN, PortalRole::Auditor))
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("exclude"), "{refused}");
        let rewritten = "UPDATE portal_roles SET role = 'administrator'";
        assert!(house.raw(rewritten).await.is_err());
    }
}

#[tokio::test]
async fn a_role_that_the_directory_adds_beside_one_by_grant_leaves_neither_and_is_found() {
    for house in offering().await {
        holds(&house, JOHAN, PortalRole::Security).await;
        by_directory(&house, JOHAN, PortalRole::Administrator).await;
        assert!(!effective(&house, JOHAN, PortalRole::Security).await);
        assert!(!effective(&house, JOHAN, PortalRole::Administrator).await);
        house.pass(Duration::hours(1)).await;
        let elin = house.viewer(ELIN).await;
        findings::arm_daily(&house.workflow).await.unwrap();
        house.pass(Duration::hours(6)).await;
        assert!(effective(&house, ELIN, PortalRole::Security).await);
        assert!(elin.has(PortalRole::Security));
        let found = role_findings(&house, JOHAN).await;
        assert!(!found.is_empty(), "{found:?}");
    }
}

#[tokio::test]
async fn a_role_given_outside_is_a_finding_until_a_grant_explains_it() {
    for house in offering().await {
        by_directory(&house, MAYA, PortalRole::Hr).await;
        let found = role_findings(&house, MAYA).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].entitlement_id, Some(right(PortalRole::Hr)));
        assert_eq!(found[0].account_id, Some(account(MAYA)));
        assert_eq!(
            (found[0].state, found[0].owner_id),
            (FindingState::Open, None)
        );

        let request = house
            .ask_for(
                MAYA,
                package(PortalRole::Hr),
                hours(72),
                "bring it under a grant",
            )
            .await
            .unwrap();
        let line = house.line(request).await;
        house
            .vote(ASTRID, line.id, Verdict::Approve, None)
            .await
            .unwrap();
        assert!(role_findings(&house, MAYA).await.is_empty());
        // When the grant is over, the directory's word stands alone again.
        house.pass(Duration::hours(72)).await;
        assert_eq!(role_findings(&house, MAYA).await.len(), 1);
        assert!(effective(&house, MAYA, PortalRole::Hr).await);
    }
}

#[tokio::test]
async fn the_administrator_of_the_configuration_is_found_once_the_house_is_set_up() {
    for house in offering().await {
        house
            .raw(&format!(
                "INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, 'administrator', 'configuration', {})",
                house.id(account(OLLE).0),
                house.now_literal()
            ))
            .await
            .unwrap();
        assert!(role_findings(&house, OLLE).await.is_empty());
        house.pass(Duration::days(30)).await;
        assert_eq!(role_findings(&house, OLLE).await.len(), 1);
    }
}

#[tokio::test]
async fn the_last_administrator_is_not_ended_by_hand() {
    for house in offering().await {
        let grant = holds(&house, JOHAN, PortalRole::Administrator).await;
        let johan = house.viewer(JOHAN).await;
        let kept = |result: workflow::Result<()>| {
            let Err(Error::Refused(refusals)) = result else {
                panic!("nobody is administrator any more");
            };
            assert_eq!(refusals, [Refusal::LastAdministrator]);
        };
        kept(grants::give_back(&house.workflow, &johan, grant.id).await);
        let elin = house.viewer(ELIN).await;
        let taken = grants::revoke(&house.workflow, &elin, &[grant.id], "not needed").await;
        kept(taken.map(drop));
        let several = grants::give_back_many(&house.workflow, &johan, &[grant.id]).await;
        kept(several.map(drop));
        assert!(effective(&house, JOHAN, PortalRole::Administrator).await);

        // With another one it goes.
        let other = holds(&house, MAYA, PortalRole::Administrator).await;
        grants::give_back(&house.workflow, &johan, grant.id)
            .await
            .unwrap();
        assert!(!effective(&house, JOHAN, PortalRole::Administrator).await);
        // Time is not held up.
        house.pass(Duration::hours(9)).await;
        assert_eq!(house.grant(other.id).await.state, GrantState::Ended);
    }
}

#[tokio::test]
async fn two_administrators_never_give_the_role_back_at_once() {
    for house in offering().await {
        if house.engine != Engine::Postgres {
            continue;
        }
        let one = holds(&house, JOHAN, PortalRole::Administrator).await;
        let other = holds(&house, MAYA, PortalRole::Administrator).await;
        let (johan, maya) = (house.viewer(JOHAN).await, house.viewer(MAYA).await);
        let (first, second) = tokio::join!(
            grants::give_back(&house.workflow, &johan, one.id),
            grants::give_back(&house.workflow, &maya, other.id)
        );
        assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    }
}

#[tokio::test]
async fn a_leaver_loses_the_role_and_the_log_says_it() {
    for house in offering().await {
        holds(&house, JOHAN, PortalRole::Operator).await;
        let mut unit = house.workflow.unit().await.unwrap();
        workflow::leave::leave(
            &mut unit,
            person(JOHAN),
            domain::audit::Actor::Portal,
            "left",
        )
        .await
        .unwrap();
        unit.commit().await.unwrap();
        let mut tx = house.workflow.store().read().await.unwrap();
        let rows = tx.roles_of_person(person(JOHAN)).await.unwrap();
        assert!(
            !rows.iter().any(|row| row.source == RoleSource::Grant),
            "{rows:?}"
        );
    }
}
