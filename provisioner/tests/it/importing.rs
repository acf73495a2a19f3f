//! Reading which rights there are: a listing that lacks a group is not believed before a direct read agrees.

use provisioner::graph::import;
use sandbox::{Fault, FaultKind};
use store::{catalogue::EntitlementRow, testing};
use workflow::{Clock, Ids, Settings, Workflow};

use crate::{
    graph::{calls, target},
    house::{TENANT, group},
};

async fn rights(workflow: &Workflow) -> Vec<EntitlementRow> {
    let mut tx = workflow.store().read().await.unwrap();
    let target = tx.entra_target(TENANT).await.unwrap().unwrap();
    let mut rows = tx.entitlements(target).await.unwrap();
    rows.retain(|row| row.kind == "group");
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
        import::run(&workflow, &graph, TENANT).await.unwrap();
        assert_eq!(rights(&workflow).await.len(), 4);

        sandbox
            .fail(Fault::from(FaultKind::TruncatedListing { keep: 2 }).path_prefix("/v1.0/groups"));
        let outcome = import::run(&workflow, &graph, TENANT).await.unwrap();
        assert_eq!((outcome.missing, outcome.changed), (0, 0), "{outcome:?}");
        assert!(rights(&workflow).await.iter().all(|row| row.manageable));

        assert!(sandbox.delete_group(group(3)));
        let outcome = import::run(&workflow, &graph, TENANT).await.unwrap();
        assert_eq!(outcome.missing, 1, "{outcome:?}");
        let standing: Vec<bool> = rights(&workflow)
            .await
            .iter()
            .map(|row| row.manageable)
            .collect();
        assert_eq!(standing, [true, true, true, false]);
    }
}
