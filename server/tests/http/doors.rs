//! One's own decision, tried through every door there is: each refuses, and nothing changes.

use axum::http::StatusCode;
use domain::{Refusal, approval::Verdict, refusal::DeciderBar};
use store::{Engine, testing};
use uuid::Uuid;
use workflow::{
    Error,
    access::viewer,
    decide::{self, Vote},
    hand_on::{self, NewHandOn},
};

use crate::{
    objects::Scene,
    support::filled,
    town::{MANAGER, asker},
};

#[tokio::test]
async fn nobody_decides_their_own_through_any_door() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let (stage, line) = (scene.stage, scene.line);
        let before = scene.standing().await;
        let manager = scene.house.signed_in(MANAGER, &[]).await;
        let page = format!("/approvals/{stage}");
        let decision = manager.get(&page).await.expect(StatusCode::OK).body;
        let approve = filled(&decision, &[("verdict", "approve")]);
        let deny = filled(&decision, &[("verdict", "deny"), ("note", "Not my own")]);
        let queue = manager.get("/approvals").await.expect(StatusCode::OK).body;
        let (_, signed) = queue
            .split_once(&format!("name=\"signed-{stage}\" value=\""))
            .expect("what is signed stands beside the box");
        let signed = signed.split('"').next().expect("it ends");
        let ticked = format!("tick-{stage}=on&signed-{stage}={signed}&verdict=approve");

        // The page shows no form, or there is no such page.
        let seen = scene.asker.get(&page).await;
        assert!(!seen.body.contains("name=\"verdict\""), "{engine:?}");
        let listed = scene.asker.get("/approvals").await.body;
        assert!(!listed.contains(&stage.to_string()), "{engine:?}");

        // A right form of somebody else's, by every address that takes one, and by those of an API.
        let (manager, _) = scene.house.session(MANAGER, &[]).await;
        let to_manager = format!("to={manager}&reason=Please+do+it&find=Astrid");
        for (path, form) in [
            (page.clone(), &approve),
            (page.clone(), &deny),
            ("/approvals".to_owned(), &ticked),
            (format!("{page}/hand-on"), &to_manager),
            (format!("{page}/hand-back"), &String::new()),
            (format!("/api{page}"), &approve),
            (format!("/api/v1{page}"), &approve),
        ] {
            let answer = scene.asker.post(&path, form).await;
            let said = format!("{engine:?} {path}: {}", answer.status);
            assert!(answer.status.is_client_error(), "{said}");
            assert_eq!(scene.standing().await, before, "{said}");
        }

        // The use cases that every path goes through.
        let workflow = &scene.house.workflow;
        let (person, _) = scene.house.session(asker(0), &[]).await;
        let mut tx = workflow.store().read().await.expect("it opens");
        let row = tx.line(line).await.expect("it works").expect("it waits");
        let signed_hash = decide::to_sign(&row, &[]);
        drop(tx);
        let own = viewer(workflow, person, row.account_id)
            .await
            .expect("it works")
            .expect("they work here");
        let bar = [Refusal::MayNotDecide {
            why: DeciderBar::Asker,
        }];
        for verdict in [Verdict::Approve, Verdict::Deny] {
            let vote = Vote {
                stage,
                verdict,
                note: "It is mine".into(),
                cap_seconds: None,
                signed_hash: signed_hash.clone(),
            };
            let refused = decide::decide(workflow, &own, vote).await;
            assert!(
                matches!(&refused, Err(Error::Refused(why)) if *why == bar),
                "{engine:?}: {refused:?}"
            );
        }
        let given = NewHandOn {
            stage,
            to: manager,
            reason: "It is mine".into(),
        };
        let refused = hand_on::hand_on(workflow, &own, given).await;
        assert!(
            matches!(&refused, Err(Error::Refused(why)) if *why == bar),
            "{engine:?}: {refused:?}"
        );
        assert_eq!(scene.standing().await, before, "{engine:?}");

        // The database itself, whoever writes to it.
        let id = |id: Uuid| testing::literal(engine, id);
        let (now, stage, line, own) = (
            match engine {
                Engine::Sqlite => "1",
                Engine::Postgres => "now()",
            },
            id(stage.0),
            id(line.0),
            id(person.0),
        );
        for (new, verdict, slot) in [(1, "approve", 1), (2, "deny", 0)] {
            let new = id(Uuid::from_u128(new));
            let text = format!(
                "INSERT INTO decisions (id, stage_id, line_id, decider_id, slot, verdict, via, note, signed_hash, decided_at)
                 VALUES ({new}, {stage}, {line}, {own}, {slot}, '{verdict}', 'manager', '', 'x', {now})"
            );
            let result = testing::raw(workflow.store(), &text).await;
            let said = format!("{engine:?} {verdict}: {result:?}");
            assert!(
                matches!(&result, Err(error) if error.to_string().contains("nobody decides on their own access")),
                "{said}"
            );
        }
        // Access without a yes.
        let text = format!("UPDATE lines SET state = 'approved' WHERE id = {line}");
        let result = testing::raw(workflow.store(), &text).await;
        assert!(result.is_err(), "{engine:?}: {result:?}");
        assert_eq!(scene.standing().await, before, "{engine:?}");
    }
}
