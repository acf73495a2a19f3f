//! What somebody without any tie sees: nothing, as if it did not exist.

use domain::{PackageId, RequestId, StageId};
use uuid::Uuid;
use workflow::{
    Error,
    views::{
        access, approvals, decision, home, owned, person, request, request_form, requests, search,
        shell, team,
    },
};

use crate::{
    support::{ASTRID, JOHAN, MAYA, hours, person},
    world::{HR, OPERATOR, STRANGER, approved, worlds},
};

#[tokio::test]
async fn a_stranger_gets_nothing() {
    for house in worlds().await {
        let wf = &house.workflow;
        let request = approved(&house, "a").await;
        let waiting = house.ask(MAYA, hours(8), "m").await.unwrap();
        let line = house.line(waiting).await;
        let (stage, _) = house.open(line.id).await;
        let grant = house.grant_of(house.line(request).await.id).await;
        for n in [STRANGER, OPERATOR, HR] {
            let viewer = house.viewer(n).await;
            for id in [request, waiting] {
                assert!(matches!(
                    request::load(wf, &viewer, id).await,
                    Err(Error::Missing)
                ));
            }
            assert!(matches!(
                decision::load(wf, &viewer, stage).await,
                Err(Error::Missing)
            ));
            assert!(matches!(
                request_form::load_extension(wf, &viewer, grant.id).await,
                Err(Error::Missing)
            ));
            assert!(matches!(
                owned::holders(wf, &viewer, house.package, None).await,
                Err(Error::Missing)
            ));
        }
        let viewer = house.viewer(STRANGER).await;
        assert!(matches!(
            person::load(wf, &viewer, person(JOHAN)).await,
            Err(Error::Missing)
        ));
        assert!(access::load(wf, &viewer).await.unwrap().held.is_empty());
        assert!(
            approvals::load(wf, &viewer, None)
                .await
                .unwrap()
                .items
                .is_empty()
        );
        assert!(
            requests::load(wf, &viewer, false, None)
                .await
                .unwrap()
                .items
                .is_empty()
        );
        assert!(
            team::load(wf, &viewer, None)
                .await
                .unwrap()
                .reports
                .is_empty()
        );
        let home = home::load(wf, &viewer).await.unwrap();
        assert_eq!(
            (home.held, home.decisions.len(), home.requests.len()),
            (0, 0, 0)
        );
        let shell = shell::load(wf, &viewer).await.unwrap();
        assert_eq!(
            (
                shell.requests.count,
                shell.decisions.count,
                shell.attention,
                shell.holds
            ),
            (0, 0, None, None)
        );
        let found = search::load(wf, &viewer, "johan").await.unwrap();
        assert!(found.people.is_empty() && found.requests.is_empty());
    }
}

#[tokio::test]
async fn those_who_have_to_do_with_a_request_see_it() {
    use crate::{
        support::{ELIN, KARIN, OLLE, TOMAS},
        world::AUDITOR,
    };
    for house in worlds().await {
        let request = approved(&house, "a").await;
        for n in [JOHAN, ASTRID, ELIN, TOMAS, KARIN, OLLE, AUDITOR] {
            request::load(&house.workflow, &house.viewer(n).await, request)
                .await
                .unwrap();
        }
        assert!(matches!(
            request::load(&house.workflow, &house.viewer(MAYA).await, request).await,
            Err(Error::Missing)
        ));
    }
}

#[tokio::test]
async fn what_does_not_exist_is_missing_for_everybody() {
    for house in worlds().await {
        let wf = &house.workflow;
        for n in [JOHAN, crate::world::AUDITOR] {
            let viewer = house.viewer(n).await;
            let nil = Uuid::from_u128(0xdead);
            assert!(matches!(
                request::load(wf, &viewer, RequestId(nil)).await,
                Err(Error::Missing)
            ));
            assert!(matches!(
                decision::load(wf, &viewer, StageId(nil)).await,
                Err(Error::Missing)
            ));
            assert!(matches!(
                workflow::views::package::load(wf, &viewer, PackageId(nil)).await,
                Err(Error::Missing)
            ));
            assert!(matches!(
                person::load(wf, &viewer, domain::PersonId(nil)).await,
                Err(Error::Missing)
            ));
        }
    }
}
