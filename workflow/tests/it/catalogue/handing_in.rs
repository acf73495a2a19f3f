//! Who hands an edition in: the first of the two people that a widening takes.

use domain::{
    CatalogueVersionId,
    audit::{Actor, Event},
};
use store::{audit::AuditQuery, catalogue::VersionState};

use super::*;

#[tokio::test]
async fn a_widening_needs_somebody_who_hands_it_in() {
    for house in houses().await {
        let text = orders("[\"manager\"]", "9 days", &[1]);
        house.apply(&text, None).await;
        let wider = files(&orders("[\"manager\"]", "10 days", &[1]));
        let nobody = catalogue::apply(&house.workflow, TENANT, &wider, None).await;
        let refused = nobody.unwrap_err();
        assert!(
            matches!(refused.refusals(), [Refusal::Catalogue { faults }] if faults[0].contains("--by")),
            "{refused:?}"
        );
        let mut tx = house.workflow.store().read().await.unwrap();
        assert!(tx.pending_catalogues().await.unwrap().is_empty());
        drop(tx);
        let of = |object, tenant| catalogue::drafter(&house.workflow, tenant, object);
        for (object, tenant) in [
            (object(GONE), TENANT),
            (Uuid::from_u128(0xbad), TENANT),
            (object(FREJA), Uuid::from_u128(0xbad)),
        ] {
            assert!(of(object, tenant).await.is_err(), "{object} {tenant}");
        }
        let freja = of(object(FREJA), TENANT).await.unwrap();
        assert_eq!(freja, PersonId(Uuid::from_u128(FREJA)));
        let applied = catalogue::apply(&house.workflow, TENANT, &wider, Some(freja)).await;
        let Applied::Pending { id, .. } = applied.unwrap() else {
            panic!("it must wait");
        };
        let mut tx = house.workflow.store().read().await.unwrap();
        let last = tx
            .audit_page(&AuditQuery {
                limit: 1,
                ..AuditQuery::default()
            })
            .await
            .unwrap();
        drop(tx);
        let event: Event = serde_json::from_str(&last[0].entry).unwrap();
        assert_eq!((event.actor, event.behalf), (Actor::Operator, Some(freja)));
        // What an earlier version left waiting in nobody's name is confirmed by nobody, and handed in anew by somebody.
        catalogue::refuse(&house.workflow, &house.viewer(NILS).await, id)
            .await
            .unwrap();
        let mut tx = house.workflow.store().begin().await.unwrap();
        let mut left = tx.catalogue_version(id).await.unwrap().unwrap();
        left.id = CatalogueVersionId(Uuid::from_u128(0xcafe));
        left.number += 1;
        left.state = VersionState::Pending;
        (left.drafted_by, left.decided_by, left.decided_at) = (None, None, None);
        tx.insert_catalogue_version(&left).await.unwrap();
        tx.commit().await.unwrap();
        let nils = house.viewer(NILS).await;
        let confirmed = catalogue::confirm(&house.workflow, &nils, left.id).await;
        assert!(matches!(
            confirmed.unwrap_err().refusals(),
            [Refusal::Catalogue { .. }]
        ));
        let again = catalogue::apply(&house.workflow, TENANT, &wider, Some(freja)).await;
        assert!(matches!(again, Ok(Applied::Pending { .. })), "{again:?}");
    }
}
