//! App roles over real HTTP, against the sandbox: the promises of every connector, and what is special about roles.

use std::sync::Arc;

use domain::assignment::Observed;
use provisioner::{
    connector::{Connector, Outcome, Place},
    graph::{Entra, Switches},
};
use sandbox::{AppRole, Running, ServicePrincipal};
use uuid::Uuid;

use crate::{
    contract::{Sandboxed, keeps_its_promises},
    graph::{allowed, misconfigured, never},
    house::{TENANT, group, user},
};

const EXPENSES: Uuid = Uuid::from_u128(0xa1);
const APPROVER: Uuid = Uuid::from_u128(0xa2);
const READER: Uuid = Uuid::from_u128(0xa3);
const POWER: &str = "AppRoleAssignment.ReadWrite.All";
const ON: Switches = Switches {
    app_roles: true,
    licences: false,
};

async fn target(permissions: &[&str], switches: Switches) -> (Running, Arc<Entra>) {
    let (sandbox, entra) = allowed(5, 1, permissions, switches).await;
    sandbox.put_application(ServicePrincipal {
        id: EXPENSES,
        app_id: "expenses".into(),
        display_name: "Expenses".into(),
        app_roles: vec![
            AppRole::new(APPROVER, "Expenses.Approver", "Approver"),
            AppRole::new(READER, "Expenses.Reader", "Reader"),
        ],
        ..ServicePrincipal::default()
    });
    (sandbox, entra)
}

fn place(role: Uuid, account: usize) -> Place {
    Place {
        kind: "app_role".into(),
        external_id: format!("{EXPENSES}/{role}"),
        ..crate::fake::place(TENANT, user(account))
    }
}

#[tokio::test]
async fn app_roles_keep_the_promises() {
    let (sandbox, entra) = target(&[POWER], ON).await;
    let peer = Sandboxed {
        sandbox,
        place: |account| place(APPROVER, account),
        nowhere: format!("{}/{APPROVER}", Uuid::from_u128(0xdead)),
        holds: |sandbox, account| {
            sandbox
                .role_holders(EXPENSES, APPROVER)
                .contains(&user(account))
        },
        writes: "/v1.0/servicePrincipals",
    };
    keeps_its_promises(entra.as_ref(), &peer).await;
}

#[tokio::test]
async fn what_comes_through_a_group_is_neither_held_nor_taken() {
    let (sandbox, entra) = target(&[POWER], ON).await;
    assert!(sandbox.add_member(group(0), user(0)));
    assert!(sandbox.assign_role(EXPENSES, APPROVER, group(0)));
    let here = place(APPROVER, 0);
    let read = entra.observe(&here).await;
    assert_eq!(read.outcome, Outcome::Seen(Observed::Absent));
    assert!(read.evidence.detail.contains("Group 0"), "{read:?}");
    let listed = entra.list(&here.kind, &here.external_id).await.unwrap();
    assert!(listed.holders.is_empty(), "the group is not looked into");

    assert_eq!(entra.ensure_present(&here).await.outcome, Outcome::Done);
    assert_eq!(
        entra.observe(&here).await.outcome,
        Outcome::Seen(Observed::Present)
    );
    let ended = entra.ensure_absent(&here).await;
    assert_eq!(ended.outcome, Outcome::Done);
    assert!(ended.evidence.detail.contains("Group 0"), "{ended:?}");
    assert_eq!(sandbox.role_holders(EXPENSES, APPROVER), [group(0)].into());
    let again = entra.ensure_absent(&here).await;
    assert_eq!(again.outcome, Outcome::Already);
    assert!(again.evidence.detail.contains("Group 0"), "{again:?}");
}

#[tokio::test]
async fn one_role_is_not_another_of_the_same_application() {
    let (sandbox, entra) = target(&[POWER], ON).await;
    assert!(sandbox.assign_role(EXPENSES, READER, user(0)));
    let approver = place(APPROVER, 0);
    assert_eq!(
        entra.observe(&approver).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
    assert_eq!(
        entra.ensure_absent(&approver).await.outcome,
        Outcome::Already
    );
    assert_eq!(sandbox.role_holders(EXPENSES, READER), [user(0)].into());
    let unknown = place(Uuid::from_u128(0xdead), 0);
    let said = never(&entra.ensure_present(&unknown).await);
    assert!(said.contains("no longer declares"), "{said}");
    let mut nobody = approver.clone();
    nobody.object_id = Uuid::from_u128(0xdead);
    assert!(never(&entra.ensure_present(&nobody).await).contains("account"));
    assert_eq!(
        entra.ensure_absent(&nobody).await.outcome,
        Outcome::Already,
        "who is not there holds nothing"
    );
}

#[tokio::test]
async fn nothing_is_assigned_while_it_is_off_and_what_must_go_goes() {
    let (sandbox, entra) = target(&[POWER], Switches::default()).await;
    let here = place(APPROVER, 0);
    let said = never(&entra.ensure_present(&here).await);
    assert!(
        said.contains("graph.app_roles") && said.contains(POWER),
        "{said}"
    );
    assert!(sandbox.requests().is_empty(), "what is off is not asked");
    assert!(sandbox.assign_role(EXPENSES, APPROVER, user(0)));
    assert_eq!(entra.ensure_absent(&here).await.outcome, Outcome::Done);
    assert!(sandbox.role_holders(EXPENSES, APPROVER).is_empty());
}

#[tokio::test]
async fn the_missing_permission_is_named() {
    let (sandbox, entra) = target(&[], ON).await;
    let here = place(APPROVER, 0);
    let (said, everywhere) = misconfigured(&entra.ensure_present(&here).await);
    assert!(said.contains(POWER) && !everywhere, "{said}");
    let (said, everywhere) = misconfigured(&entra.observe(&here).await);
    assert!(said.contains(POWER) && !everywhere, "{said}");
    let findings = entra.diagnose().await;
    let bad: Vec<_> = findings.iter().filter(|finding| !finding.fine).collect();
    assert_eq!(bad.len(), 1, "{findings:?}");
    assert!(bad[0].fix.contains(POWER), "{findings:?}");
    sandbox.stop().await;
}
