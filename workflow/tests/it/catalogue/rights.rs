//! App roles and licences in the files: offered only while the configuration lets them be given, and said in words otherwise.

use domain::catalogue::Right;
use workflow::catalogue::{AppRoleFacts, LicenceFacts};

use super::*;

const EXPENSES: Uuid = Uuid::from_u128(0xe1);
const APPROVER: Uuid = Uuid::from_u128(0xe2);
const POWER: Uuid = Uuid::from_u128(0xe3);
const OFFICE: Uuid = Uuid::from_u128(0xe4);

/// The file of one package with one right, said so.
fn file(right: &str) -> String {
    format!(
        "[application]\nkey = \"expenses\"\nname = \"Expenses\"\n[[entitlement]]\nkey = \"it\"\nname = \"It\"\n{right}\n\
         [[package]]\nkey = \"expenses\"\nname = \"Expenses\"\nopens = [\"Approve.\"]\nentitlements = [\"it\"]\nowners = [{}]\n\
         route = [\"manager\"]\ndefault = \"8 hours\"\nlongest = \"9 days\"\n",
        person(ASTRID)
    )
}

fn app_role(role: Uuid) -> String {
    format!("app_role = \"{role}\"\nresource = \"{EXPENSES}\"")
}

fn licence() -> String {
    format!("licence = \"{OFFICE}\"")
}

/// A whole reading of the directory, with both switches so.
async fn read(house: &House, on: bool) -> catalogue::ImportOutcome {
    let role = |role, of_portal| AppRoleFacts {
        resource: EXPENSES,
        role,
        application: "Expenses".into(),
        name: "Approver".into(),
        of_portal,
        ..AppRoleFacts::default()
    };
    let office = LicenceFacts {
        sku: OFFICE,
        part_number: "OFFICE".into(),
        applies_to: "User".into(),
        status: "Enabled".into(),
    };
    let imported = Imported {
        groups: (1..=6).map(plain).collect(),
        app_roles: vec![role(APPROVER, false), role(POWER, true)],
        app_roles_on: on,
        licences: on.then(|| vec![office]),
        whole: true,
        ..Imported::default()
    };
    catalogue::import(&house.workflow, TENANT, imported)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_off_is_a_fault_with_the_switch_in_it() {
    for house in houses().await {
        read(&house, false).await;
        for (right, words) in [
            (
                app_role(APPROVER),
                ["graph.app_roles", "AppRoleAssignment.ReadWrite.All"],
            ),
            (app_role(POWER), ["role of this portal", "portal_role"]),
            (licence(), ["licences of the tenant", "graph.licences"]),
        ] {
            let faults = house.faults(&file(&right)).await;
            assert_eq!(faults.len(), 1, "{faults:?}");
            for word in words {
                assert!(faults[0].contains(word), "{faults:?}");
            }
        }
        read(&house, true).await;
        // The portal's own stay powers, whatever is on.
        let faults = house.faults(&file(&app_role(POWER))).await;
        assert!(faults[0].contains("portal_role"), "{faults:?}");
        for right in [app_role(APPROVER), licence()] {
            catalogue::plan(&house.workflow, TENANT, &files(&file(&right)))
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_switched_off_later_is_no_longer_asked_for() {
    for (n, right) in [app_role(APPROVER), licence()].into_iter().enumerate() {
        for house in houses().await {
            read(&house, true).await;
            let text = file(&format!("{right}\ndrift = \"repair\""));
            house.apply(&text, None).await;
            let package = house.package("expenses").await.id;
            assert_eq!(read(&house, false).await.missing, 0);
            match house.ask(package).await.unwrap_err().refusals() {
                [Refusal::NotManageable { why, .. }] => {
                    assert!(
                        why.contains(["graph.app_roles", "graph.licences"][n]),
                        "{why}"
                    );
                }
                other => panic!("{other:?}"),
            }
            read(&house, true).await;
            house.ask(package).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_right_is_named_in_one_way_only() {
    for house in houses().await {
        read(&house, true).await;
        for right in [
            format!("{}\n{}", app_role(APPROVER), licence()),
            format!("{}\ngroup = \"{}\"", licence(), group(1)),
            format!("app_role = \"{APPROVER}\""),
        ] {
            let faults = house.faults(&file(&right)).await;
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.contains("`licence` with the id")),
                "{faults:?}"
            );
        }
        let faults = house.faults(&file("licence = \"ENTERPRISEPACK\"")).await;
        assert!(faults[0].contains("no object id"), "{faults:?}");
    }
}

#[tokio::test]
async fn a_role_or_licence_that_a_listing_lacks_is_read_directly_first() {
    for house in houses().await {
        read(&house, true).await;
        let listing = Imported {
            groups: (1..=6).map(plain).collect(),
            app_roles_on: true,
            licences: Some(Vec::new()),
            whole: true,
            ..Imported::default()
        };
        let mut missing = catalogue::unlisted(&house.workflow, TENANT, &listing)
            .await
            .unwrap();
        missing.sort_unstable();
        let role = Right::AppRole {
            role: APPROVER,
            resource: EXPENSES,
        };
        assert_eq!(missing, [role, Right::Licence { sku: OFFICE }]);
        // Licences that were not read at all are not missing.
        let listing = Imported {
            licences: None,
            ..listing
        };
        let missing = catalogue::unlisted(&house.workflow, TENANT, &listing).await;
        assert_eq!(missing.unwrap().len(), 1);
    }
}
