//! Other people's things, with real data behind every address: for whoever has nothing to do with them they do not exist,
//! and nothing that anybody sends to them does anything.

use std::collections::BTreeSet;

use app::routes::routes;
use axum::http::StatusCode;
use domain::{GrantId, LineId, RequestId, StageId, approval::StageState, person::PortalRole};
use store::Engine;
use uuid::Uuid;

use crate::{
    support::{Answer, Browser, House, PUBLIC, Setup, filled},
    town::{self, MANAGER, SECURITY, asker},
};

/// Only whoever may see the request may ever read this.
const CANARY: &str = "canary-4711";

/// The town, in which the first asker waits for one package and holds another.
pub struct Scene {
    pub house: House,
    pub request: RequestId,
    pub line: LineId,
    pub stage: StageId,
    grant: GrantId,
    pub asker: Browser,
}

impl Scene {
    pub async fn new(engine: Engine) -> Self {
        let sandbox = benches::portal::sandbox(PUBLIC, town::TENANT, town::company())
            .await
            .expect("a free port is there");
        let setup = Setup {
            engine,
            ..Setup::default()
        };
        let house = House::new(sandbox.url(), setup).await;
        town::fill(&house.workflow, &sandbox).await;
        let asker = house.signed_in(asker(0), &[]).await;
        let (_, held) = ask(&house, &asker, "held-0").await;
        let (request, line) = ask(&house, &asker, "asked-0").await;
        let mut tx = house.workflow.store().read().await.expect("it opens");
        let grant = tx
            .grant_of_line(held)
            .await
            .expect("it works")
            .expect("nobody had to decide");
        let stages = tx.stages(line).await.expect("it works");
        drop(tx);
        let stage = stages
            .iter()
            .find(|stage| stage.state == StageState::Open)
            .expect("the manager has to decide");
        Self {
            request,
            line,
            stage: stage.id,
            grant: grant.id,
            asker,
            house,
        }
    }

    /// How everything stands, to be compared before and after.
    pub async fn standing(&self) -> String {
        let mut tx = self.house.workflow.store().read().await.expect("it opens");
        let line = tx.line(self.line).await.expect("it works");
        let stages = tx.stages(self.line).await.expect("it works");
        let decisions = tx.decisions(self.line).await.expect("it works");
        let grant = tx.grant(self.grant).await.expect("it works");
        format!("{line:?}\n{stages:?}\n{decisions:?}\n{grant:?}")
    }

    /// Every address that holds a variable part, with the things of the first asker in it.
    fn addresses(&self) -> Vec<(&'static str, String)> {
        let ids = [
            self.request.to_string(),
            self.line.to_string(),
            self.stage.to_string(),
            self.grant.to_string(),
        ];
        let mut all = Vec::new();
        for route in routes() {
            let Some((before, rest)) = route.path.split_once('{') else {
                continue;
            };
            let (_, after) = rest.split_once('}').expect("a name ends");
            for id in &ids {
                all.push((route.method, format!("{before}{id}{after}")));
            }
        }
        all
    }
}

/// Asks for a package through its form.
pub async fn ask(house: &House, browser: &Browser, key: &str) -> (RequestId, LineId) {
    let package = town::package(&house.workflow, key).await;
    let path = format!("/request/{package}");
    let typed = [("reason", CANARY), ("start", "now"), ("duration", "900")];
    let answer = browser
        .fill(&path, &typed)
        .await
        .expect(StatusCode::SEE_OTHER);
    let request: RequestId = answer
        .location()
        .trim_start_matches("/requests/")
        .split('?')
        .next()
        .and_then(|id| id.parse().ok())
        .expect("one is led to the request");
    let mut tx = house.workflow.store().read().await.expect("it opens");
    let lines = tx.lines_of_request(request).await.expect("it works");
    (request, lines[0].id)
}

/// People with no part in it: a colleague, somebody with each role that reads nobody's requests, and a stranger.
async fn strangers(house: &House) -> Vec<(String, Browser)> {
    let mut strangers = vec![(
        "a colleague".to_owned(),
        house.signed_in(asker(1), &[]).await,
    )];
    for (n, role) in [PortalRole::CatalogueOwner, PortalRole::Hr]
        .into_iter()
        .enumerate()
    {
        let object = Uuid::from_u128(0x300 + n as u128);
        strangers.push((format!("{role:?}"), house.signed_in(object, &[role]).await));
    }
    strangers.push((
        "a stranger".to_owned(),
        house.signed_in(Uuid::from_u128(0x400), &[]).await,
    ));
    strangers
}

#[tokio::test]
async fn what_is_not_ones_own_behaves_like_what_does_not_exist() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let before = scene.standing().await;
        for (who, browser) in strangers(&scene.house).await {
            for (method, path) in scene.addresses() {
                let answer = if method == "GET" {
                    browser.get(&path).await
                } else {
                    browser
                        .post(&path, "verdict=approve&signed=x&reason=hello&note=hello&duration=900&start=now")
                        .await
                };
                let said = format!("{engine:?} {who} {method} {path}: {}", answer.status);
                assert!(
                    matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN),
                    "{said}"
                );
                assert!(!answer.body.contains(CANARY), "{said}");
                assert!(!answer.body.contains("AR-1"), "{said}");
            }
        }
        assert_eq!(scene.standing().await, before, "{engine:?}");
    }
}

#[tokio::test]
async fn no_list_count_or_search_tells_of_what_one_may_not_see() {
    let scene = Scene::new(Engine::Sqlite).await;
    for (who, browser) in strangers(&scene.house).await {
        let mut paths: Vec<String> = routes()
            .iter()
            .filter(|route| route.method == "GET" && !route.path.contains('{'))
            .map(|route| route.path.to_owned())
            .collect();
        for query in [CANARY, "AR-1", "1", &scene.request.to_string()] {
            paths.push(format!("/search?q={query}"));
            paths.push(format!("/catalog?q={query}"));
        }
        for path in paths {
            let answer = browser.get(&path).await;
            // What was typed stands in the search field again.
            let found = answer.body.replace(&format!("\"{CANARY}\""), "");
            assert!(!found.contains(&format!("“{CANARY}")), "{who} {path}");
            assert!(
                !found.contains(&scene.request.to_string()) || path.contains("req_"),
                "{who} {path}"
            );
            assert!(!found.contains(&scene.stage.to_string()), "{who} {path}");
            assert!(!found.contains(&scene.grant.to_string()), "{who} {path}");
        }
    }
}

#[tokio::test]
async fn whoever_asked_cannot_decide_and_whoever_reads_cannot_either() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let before = scene.standing().await;
        let manager = scene.house.signed_in(MANAGER, &[]).await;
        let path = format!("/approvals/{}", scene.stage);
        let page = manager.get(&path).await.expect(StatusCode::OK);
        let form = filled(&page.body, &[("verdict", "approve")]);
        let auditor = scene
            .house
            .signed_in(Uuid::from_u128(0x500), &[PortalRole::Auditor])
            .await;
        let administrator = scene
            .house
            .signed_in(Uuid::from_u128(0x501), &[PortalRole::Administrator])
            .await;
        let operator = scene
            .house
            .signed_in(Uuid::from_u128(0x502), &[PortalRole::Operator])
            .await;
        // Their stage has not begun.
        let security = scene
            .house
            .signed_in(SECURITY[0], &[PortalRole::Security])
            .await;
        for (who, browser) in [
            ("the asker", &scene.asker),
            ("an auditor", &auditor),
            ("an administrator", &administrator),
            ("an operator", &operator),
            ("security", &security),
        ] {
            let answer = browser.post(&path, &form).await;
            assert!(
                answer.status.is_client_error(),
                "{engine:?} {who}: {}",
                answer.status
            );
            assert_eq!(scene.standing().await, before, "{engine:?} {who}");
        }
        manager
            .post(&path, &form)
            .await
            .expect(StatusCode::SEE_OTHER);
        assert_ne!(scene.standing().await, before, "the form itself was right");
    }
}

#[tokio::test]
async fn the_same_form_fifty_times_at_once_has_one_effect() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(engine).await;
        let package = town::package(&scene.house.workflow, "asked-1").await;
        let path = format!("/request/{package}");
        let page = scene.asker.get(&path).await.expect(StatusCode::OK);
        let typed = [
            ("reason", "Fifty clicks"),
            ("start", "now"),
            ("duration", "900"),
        ];
        let form = filled(&page.body, &typed);
        let asked = all_at_once(&scene.asker, &path, &form).await;
        let places: BTreeSet<String> = asked
            .into_iter()
            .map(|answer| answer.expect(StatusCode::SEE_OTHER).location().to_owned())
            .collect();
        assert_eq!(places.len(), 1, "{engine:?}: {places:?}");

        let manager = scene.house.signed_in(MANAGER, &[]).await;
        let path = format!("/approvals/{}", scene.stage);
        let page = manager.get(&path).await.expect(StatusCode::OK);
        let form = filled(&page.body, &[("verdict", "approve")]);
        let answers = all_at_once(&manager, &path, &form).await;
        let taken = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::SEE_OTHER)
            .count();
        assert_eq!(taken, 1, "{engine:?}");
        for answer in &answers {
            assert!(
                answer.status == StatusCode::SEE_OTHER || answer.status.is_client_error(),
                "{engine:?}: {} {}",
                answer.status,
                answer.body
            );
        }
        let mut tx = scene.house.workflow.store().read().await.expect("it opens");
        assert_eq!(tx.decisions(scene.line).await.expect("it works").len(), 1);
    }
}

/// Fifty times, each as a task of its own.
async fn all_at_once(browser: &Browser, path: &str, form: &str) -> Vec<Answer> {
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (browser, path, form) = (browser.clone(), path.to_owned(), form.to_owned());
            tokio::spawn(async move { browser.post(&path, &form).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no answer panics"));
    }
    answers
}
