//! Asking back, answering, nudging, handing on and ticking, through the forms alone, as a browser without JavaScript sends
//! them.

use axum::http::StatusCode;
use store::Engine;

use crate::{
    objects::Scene,
    support::filled,
    town::{MANAGER, SECURITY},
};

const HOSTILE: &str = "<script>alert(1)</script> which ticket?";

/// The value of the first radio button of a page.
fn first_choice(body: &str) -> String {
    let (_, rest) = body
        .split_once("type=\"radio\"")
        .expect("there is a choice");
    let (_, rest) = rest.split_once("value=\"").expect("it has a value");
    rest.split('"').next().expect("it ends").to_owned()
}

#[tokio::test]
async fn a_question_goes_to_the_asker_and_its_answer_back() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let manager = scene.house.signed_in(MANAGER, &[]).await;
        let (stage, request) = (
            format!("/approvals/{}", scene.stage),
            format!("/requests/{}", scene.request),
        );
        let short = manager.post(&stage, "verdict=ask&note=%3F").await;
        assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = manager.get(&stage).await.expect(StatusCode::OK);
        let form = filled(&page.body, &[("verdict", "ask"), ("note", HOSTILE)]);
        manager
            .post(&stage, &form)
            .await
            .expect(StatusCode::SEE_OTHER);
        for path in ["/", &request, &stage] {
            let page = scene.asker.get(path).await.expect(StatusCode::OK);
            assert!(!page.body.contains("<script>alert"), "{path}");
        }
        let home = scene.asker.get("/").await;
        assert!(home.body.contains("Answers wait for you"), "{}", home.body);
        let line = scene.line.to_string();
        let answer = format!("{request}/answer");
        let empty = format!("line={line}&text=hm");
        let refused = scene.asker.post(&answer, &empty).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(">hm</textarea>"), "{}", refused.body);
        let said = format!("line={line}&text=It+is+number+4312");
        scene
            .asker
            .post(&answer, &said)
            .await
            .expect(StatusCode::SEE_OTHER);
        let page = manager.get(&stage).await.expect(StatusCode::OK);
        assert!(page.body.contains("It is number 4312"), "{}", page.body);
        let home = scene.asker.get("/").await;
        assert!(!home.body.contains("Answers wait for you"));
        // Once a business day.
        let nudge = format!("{request}/nudge");
        let form = format!("line={line}");
        scene
            .asker
            .post(&nudge, &form)
            .await
            .expect(StatusCode::SEE_OTHER);
        assert!(
            scene
                .asker
                .post(&nudge, &form)
                .await
                .status
                .is_client_error()
        );
    }
}

#[tokio::test]
async fn a_decision_is_handed_on_by_search_and_form() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let manager = scene.house.signed_in(MANAGER, &[]).await;
        let (stage, hand_on) = (
            format!("/approvals/{}", scene.stage),
            format!("/approvals/{}/hand-on", scene.stage),
        );
        let page = manager
            .get(&format!("{hand_on}?find=Tomas"))
            .await
            .expect(StatusCode::OK);
        let tomas = first_choice(&page.body);
        let nobody = manager.post(&hand_on, "reason=On+leave&find=Tomas").await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
        let silent = manager
            .post(&hand_on, &format!("to={tomas}&reason=&find=Tomas"))
            .await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let form = format!("to={tomas}&reason=On+leave&find=Tomas");
        manager
            .post(&hand_on, &form)
            .await
            .expect(StatusCode::SEE_OTHER);
        let gone = manager.get(&format!("{hand_on}?find=Tomas")).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        let tomas = scene.house.signed_in(SECURITY[1], &[]).await;
        let page = tomas.get(&stage).await.expect(StatusCode::OK);
        assert!(page.body.contains("Give back to"), "{}", page.body);
        let form = filled(&page.body, &[("verdict", "approve")]);
        assert!(manager.post(&stage, &form).await.status.is_client_error());
        tomas
            .post(&stage, &form)
            .await
            .expect(StatusCode::SEE_OTHER);
        let page = scene
            .asker
            .get(&format!("/requests/{}", scene.request))
            .await
            .expect(StatusCode::OK);
        assert!(page.body.contains("handed on by"), "{}", page.body);
    }
}

#[tokio::test]
async fn what_is_ticked_is_decided_and_the_page_says_what_became_of_it() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let manager = scene.house.signed_in(MANAGER, &[]).await;
        let stage = scene.stage.to_string();
        let queue = manager.get("/approvals").await.expect(StatusCode::OK);
        let box_of = format!("tick-{stage}");
        assert!(queue.body.contains(&box_of), "{}", queue.body);
        let nothing = manager.post("/approvals", "verdict=approve").await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        let (_, rest) = queue
            .body
            .split_once(&format!("name=\"signed-{stage}\" value=\""))
            .expect("what is signed stands beside the box");
        let signed = rest.split('"').next().expect("it ends");
        // A no asks for a reason first, and keeps the tick.
        let deny = format!("{box_of}=on&signed-{stage}={signed}&verdict=deny");
        let asked = manager.post("/approvals", &deny).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            asked.body.contains(&format!("name=\"note-{stage}\"")),
            "{}",
            asked.body
        );
        let wrong = format!("{box_of}=on&signed-{stage}=another&verdict=approve");
        let changed = manager.post("/approvals", &wrong).await;
        assert_eq!(changed.status, StatusCode::CONFLICT);
        assert!(changed.body.contains("Not decided: "), "{}", changed.body);
        let approve = format!("{box_of}=on&signed-{stage}={signed}&verdict=approve");
        let done = manager
            .post("/approvals", &approve)
            .await
            .expect(StatusCode::OK);
        assert!(done.body.contains("Approved: "), "{}", done.body);
        let late = manager.post("/approvals", &approve).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
    }
}
