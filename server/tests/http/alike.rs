//! What the team has, through the forms alone: what is told of colleagues, and one press that fills the cart.

use axum::http::StatusCode;
use store::Engine;

use crate::{
    objects::{Scene, ask},
    town::{self, MANAGER, SECURITY, asker},
};

#[tokio::test]
async fn what_is_usual_goes_into_the_cart_in_one_press_and_strangers_are_nobody() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let house = &scene.house;
        let mut people = Vec::new();
        for n in 1..=5 {
            let browser = house.signed_in(asker(n), &[]).await;
            ask(house, &browser, "held-1").await;
            people.push(house.session(asker(n), &[]).await.0);
        }
        let first = house.signed_in(asker(1), &[]).await;
        ask(house, &first, "held-2").await;
        let [one, two] = [
            town::package(&house.workflow, "held-1").await,
            town::package(&house.workflow, "held-2").await,
        ];

        let shown = scene.asker.get("/catalog").await.expect(StatusCode::OK);
        assert!(shown.body.contains("Usual in your team"), "{}", shown.body);
        let page = scene
            .asker
            .get("/request/like")
            .await
            .expect(StatusCode::OK);
        assert!(page.body.contains(&one.to_string()), "{}", page.body);
        assert!(!page.body.contains(&two.to_string()), "one alone has it");
        let like = format!("/request/like?like={}", people[0]);
        let page = scene.asker.get(&like).await.expect(StatusCode::OK);
        for package in [one, two] {
            assert!(page.body.contains(&package.to_string()), "{}", page.body);
        }

        // Who is above, of another team or not asked for by whom they report to: nobody.
        let manager = house.session(MANAGER, &[]).await.0;
        let tomas = house.session(SECURITY[1], &[]).await.0;
        for path in [
            format!("/request/like?like={manager}"),
            format!("/request/like?like={tomas}"),
            format!("/request/like?for={}", people[0]),
            "/request/like?like=x".to_owned(),
        ] {
            let answer = scene.asker.get(&path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let stranger = house.signed_in(SECURITY[1], &[]).await;
        assert_eq!(stranger.get(&like).await.status, StatusCode::NOT_FOUND);
        let form = format!("for={}&package={one}", people[0]);
        let answer = scene.asker.post("/request/like", &form).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);

        let empty = scene.asker.post("/request/like", "").await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(empty.body.contains("Tick what you want"), "{}", empty.body);
        let form = format!("like={}&package={one}&package={two}", people[0]);
        scene
            .asker
            .post("/request/like", &form)
            .await
            .expect(StatusCode::SEE_OTHER);
        let cart = scene.asker.get("/request").await.expect(StatusCode::OK);
        for name in ["Package held-1", "Package held-2"] {
            assert!(cart.body.contains(name), "{}", cart.body);
        }
        let page = scene.asker.get("/request/like").await;
        assert!(
            page.body.contains("Nothing that is missing"),
            "{}",
            page.body
        );

        // A manager, for a report, where the package is asked for by oneself only: said line by line.
        let manager = house.signed_in(MANAGER, &[]).await;
        let form = format!("for={}&package={two}", people[1]);
        let refused = manager.post("/request/like", &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("Not put in"), "{}", refused.body);
    }
}
