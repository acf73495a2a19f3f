//! Reading which rights there are: a listing that lacks a group is not believed before a direct read agrees.

use provisioner::graph::{Switches, import};
use sandbox::{AppRole, Fault, FaultKind, ServicePrincipal, SubscribedSku};
use store::{catalogue::EntitlementRow, testing};
use uuid::Uuid;
use workflow::{Clock, Ids, Settings, Workflow};

use crate::{
    graph::{allowed, calls, target},
    house::{TENANT, group},
};

fn options(switches: Switches) -> import::Options {
    import::Options {
        tenant: TENANT,
        portal_client_id: Some("portal".into()),
        switches,
    }
}

async fn rights(workflow: &Workflow, kind: &str) -> Vec<EntitlementRow> {
    let mut tx = workflow.store().read().await.unwrap();
    let target = tx.entra_target(TENANT).await.unwrap().unwrap();
    let mut rows = tx.entitlements(target).await.unwrap();
    rows.retain(|row| row.kind == kind);
    rows.sort_by(|one, other| one.external_id.cmp(&other.external_id));
    rows
}

#[tokio::test]
async fn a_group_that_a_listing_lacks_is_read_directly_before_it_counts_as_gone() {
    for (_, store) in testing::stores().await {
        let (sandbox, _) = target(1, 4).await;
        let graph = calls(&sandbox, "hush");
        let settings = Settings::default();
        let workflow = Workflow::new(store, Clock::system(), Ids::seeded(1), settings);
        let options = options(Switches::default());
        import::run(&workflow, &graph, &options).await.unwrap();
        assert_eq!(rights(&workflow, "group").await.len(), 4);

        sandbox
            .fail(Fault::from(FaultKind::TruncatedListing { keep: 2 }).path_prefix("/v1.0/groups"));
        let outcome = import::run(&workflow, &graph, &options).await.unwrap();
        assert_eq!((outcome.missing, outcome.changed), (0, 0), "{outcome:?}");
        assert!(
            rights(&workflow, "group")
                .await
                .iter()
                .all(|row| row.manageable)
        );

        assert!(sandbox.delete_group(group(3)));
        let outcome = import::run(&workflow, &graph, &options).await.unwrap();
        assert_eq!(outcome.missing, 1, "{outcome:?}");
        let standing: Vec<bool> = rights(&workflow, "group")
            .await
            .iter()
            .map(|row| row.manageable)
            .collect();
        assert_eq!(standing, [true, true, true, false]);
    }
}

const EXPENSES: Uuid = Uuid::from_u128(0xa1);
const OFFICE: Uuid = Uuid::from_u128(0xb1);

/// What can be lent, or why not.
async fn standing(workflow: &Workflow, kind: &str) -> Vec<Option<String>> {
    let rows = rights(workflow, kind).await.into_iter();
    rows.map(|row| row.unmanageable_reason).collect()
}

#[tokio::test]
async fn app_roles_and_licences_are_lent_only_while_they_are_switched_on() {
    let on = Switches {
        app_roles: true,
        licences: true,
    };
    for (_, store) in testing::stores().await {
        let (sandbox, _) = allowed(1, 0, &["LicenseAssignment.ReadWrite.All"], on).await;
        let application = |id, app_id: &str, role: &str| ServicePrincipal {
            id,
            app_id: app_id.into(),
            display_name: app_id.into(),
            app_roles: vec![AppRole::new(Uuid::from_u128(0xa9), role, role)],
            ..ServicePrincipal::default()
        };
        let expenses = application(EXPENSES, "expenses", "Approver");
        sandbox.put_application(expenses.clone());
        sandbox.put_application(application(
            Uuid::from_u128(0xa2),
            "portal",
            "Portal.Security",
        ));
        sandbox.buy(SubscribedSku::new(OFFICE, "OFFICE", 5));
        let graph = calls(&sandbox, "hush");
        let workflow = Workflow::new(store, Clock::system(), Ids::seeded(1), Settings::default());
        let read = async |switches| {
            import::run(&workflow, &graph, &options(switches))
                .await
                .unwrap()
        };

        read(Switches::default()).await;
        let roles = standing(&workflow, "app_role").await;
        let off = roles[0].as_deref().unwrap_or_default();
        assert!(
            off.contains("graph.app_roles") && off.contains("AppRoleAssignment.ReadWrite.All"),
            "{off}"
        );
        assert!(standing(&workflow, "licence").await.is_empty());
        let skus = |request: &sandbox::LoggedRequest| request.path.contains("subscribedSkus");
        assert!(
            !sandbox.requests().iter().any(skus),
            "nobody asked for them"
        );

        read(on).await;
        let roles = standing(&workflow, "app_role").await;
        assert_eq!(roles[0], None);
        let power = roles[1].as_deref().unwrap_or_default();
        assert!(power.contains("portal_role"), "{power}");
        assert_eq!(standing(&workflow, "licence").await, [None]);
        // Seats that come and go are no change of what there is.
        sandbox.buy(SubscribedSku::new(OFFICE, "OFFICE", 9));
        let again = read(on).await;
        assert_eq!((again.added, again.changed, again.missing), (0, 0, 0));

        // A role that its application no longer declares, and a licence that was given up, are gone.
        sandbox.put_application(ServicePrincipal {
            app_roles: Vec::new(),
            ..expenses
        });
        let outcome = read(on).await;
        assert_eq!(outcome.missing, 1, "{outcome:?}");
        let gone = standing(&workflow, "app_role").await[0].clone();
        assert!(gone.is_some_and(|why| why.contains("no longer in the directory")));

        read(Switches::default()).await;
        let off = standing(&workflow, "licence").await[0].clone();
        assert!(off.is_some_and(|why| why.contains("graph.licences")));
    }
}
