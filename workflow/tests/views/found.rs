//! What is held outside the portal: said before asking, and to who decides.

use workflow::views::{
    decision,
    request_form::{self, Notice},
};

use crate::{
    support::{ASTRID, JOHAN, MAYA, hours},
    world::worlds,
};

#[tokio::test]
async fn what_was_found_at_the_target_is_said_before_asking_and_before_deciding() {
    for house in worlds().await {
        let wf = &house.workflow;
        house.import(JOHAN, house.entitlement).await;
        let notice = Notice::Found {
            rights: vec!["sg-prod-orders-ro".into()],
        };
        for (n, found) in [(JOHAN, true), (MAYA, false)] {
            let viewer = house.viewer(n).await;
            let form = request_form::load(wf, &viewer, house.package)
                .await
                .unwrap();
            assert_eq!(form.notices.contains(&notice), found);
            assert!(!form.refused());
            let request = house.ask(n, hours(8), "a").await.unwrap();
            let line = house.line(request).await;
            let (stage, _) = house.open(line.id).await;
            let page = decision::load(wf, &house.viewer(ASTRID).await, stage)
                .await
                .unwrap();
            assert_eq!(!page.found.is_empty(), found);
        }
    }
}
