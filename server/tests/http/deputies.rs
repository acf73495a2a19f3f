//! Out of office over HTTP: naming somebody without JavaScript, deciding for somebody, and ending it.

use axum::http::StatusCode;
use domain::approval::StageState;
use store::Engine;

use crate::{
    support::{House, PUBLIC, Setup, filled},
    town::{self, MANAGER, SECURITY, asker},
};

#[tokio::test]
async fn a_manager_names_somebody_who_then_decides_for_them() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let sandbox = benches::portal::sandbox(PUBLIC, town::TENANT, town::company())
            .await
            .expect("a free port is there");
        let setup = Setup {
            engine,
            ..Setup::default()
        };
        let house = House::new(sandbox.url(), setup).await;
        town::fill(&house.workflow, &sandbox).await;
        let manager = house.signed_in(MANAGER, &[]).await;
        let path = "/approvals/deputies";
        manager.get(path).await.expect(StatusCode::OK);
        let found = manager.get(&format!("{path}?q=tomas")).await;
        assert!(found.body.contains("Tomas Ek"), "{}", found.body);
        assert_eq!(found.body.matches("type=\"radio\"").count(), 1);
        let refused = manager.post(path, &filled(&found.body, &[])).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("Tomas Ek"), "{}", refused.body);

        let (tomas, _) = house.session(SECURITY[1], &[]).await;
        let today = house.workflow.clock().now().format("%Y-%m-%d").to_string();
        let deputy = tomas.to_string();
        let form = [
            ("deputy", deputy.as_str()),
            ("from", today.as_str()),
            ("until", today.as_str()),
            ("scope", "everything"),
        ];
        let done = manager.post(path, &filled(&found.body, &form)).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let list = manager.get(path).await.body;
        assert!(list.contains("Tomas Ek stands in for you"), "{list}");

        let johan = house.signed_in(asker(0), &[]).await;
        let package = town::package(&house.workflow, "asked-0").await;
        let ask = format!("/request/{package}");
        let page = johan.get(&ask).await.body;
        let asked = johan
            .post(
                &ask,
                &filled(
                    &page,
                    &[
                        ("duration", "900"),
                        ("start", "now"),
                        ("reason", "Incident 4312"),
                        ("answer-ticket", "INC-1"),
                    ],
                ),
            )
            .await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let request = asked.location();
        let request: domain::RequestId = request
            .trim_start_matches("/requests/")
            .split('?')
            .next()
            .and_then(|id| id.parse().ok())
            .expect("it leads to the request");
        let mut tx = house.workflow.store().read().await.expect("it opens");
        let line = tx.lines_of_request(request).await.expect("it works")[0].id;
        let stages = tx.stages(line).await.expect("it works");
        drop(tx);
        let open = stages
            .iter()
            .find(|stage| stage.state == StageState::Open)
            .expect("the manager decides first");
        let decision = format!("/approvals/{}", open.id);
        let tomas = house.signed_in(SECURITY[1], &[]).await;
        let page = tomas.get(&decision).await.expect(StatusCode::OK).body;
        assert!(page.contains("You for Astrid Lindqvist"), "{page}");
        // Nobody else may end it, and for them there is none.
        let id = list
            .split("/approvals/deputies/")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .expect("there is a button")
            .to_owned();
        let end = format!("{path}/{id}/end");
        assert_eq!(johan.post(&end, "").await.status, StatusCode::NOT_FOUND);
        assert_eq!(tomas.post(&end, "").await.status, StatusCode::SEE_OTHER);
        assert_eq!(tomas.get(&decision).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn nobody_names_somebody_for_others() {
    let sandbox = benches::portal::sandbox(PUBLIC, town::TENANT, town::company())
        .await
        .expect("a free port is there");
    let house = House::new(sandbox.url(), Setup::default()).await;
    town::fill(&house.workflow, &sandbox).await;
    let (manager, _) = house.session(MANAGER, &[]).await;
    let johan = house.signed_in(asker(0), &[]).await;
    let path = "/approvals/deputies";
    let looked = johan.get(&format!("{path}?of={manager}&q=tomas")).await;
    assert_eq!(looked.status, StatusCode::NOT_FOUND);
    let form = format!("of={manager}&deputy={manager}&from=2026-01-01&until=2026-01-02");
    assert_eq!(johan.post(path, &form).await.status, StatusCode::NOT_FOUND);
}
