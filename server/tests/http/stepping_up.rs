//! A fresh sign-in for one decision, over HTTP: to the provider and back, in the sandbox and in a certified provider.

use axum::http::StatusCode;
use benches::portal::PROVISIONER;
use chrono::Duration;
use domain::{LineId, StageId, approval::StageState, person::PortalRole};
use provisioner::graph::Credential;
use sandbox::{Client, Config, Directory, FaultKind, Running, Sandbox, User};
use store::{Engine, requests::DecisionRow};
use uuid::Uuid;
use workflow::Clock;

use crate::{
    certified::{self, Peer},
    objects::ask,
    support::{
        Answer, Browser, CLIENT, House, PUBLIC, SECRET, Setup, client, filled, local, parameter,
    },
    town::{self, MANAGER, SECURITY, asker},
};

const COOKIE: &str = "__Host-latchkey";
const NOTE: &str = "Agreed for incident 7";

/// The town, in which a privileged package waits for somebody's yes.
struct Scene {
    house: House,
    line: LineId,
    stage: StageId,
    sandbox: Running,
}

impl Scene {
    async fn new(setup: Setup) -> Self {
        Self::over(setup, town::company(), None).await
    }

    /// As [`Scene::new`], with this directory, and another provider than the sandbox for signing in.
    async fn over(setup: Setup, directory: Directory, authority: Option<&str>) -> Self {
        let config = Config::new(town::TENANT, directory)
            .client(Client::portal(
                CLIENT,
                SECRET,
                &format!("{PUBLIC}/auth/callback"),
                &format!("{PUBLIC}/signed-out"),
            ))
            .client(Client::provisioner(PROVISIONER, benches::portal::SECRET));
        let sandbox = Sandbox::start(config).await.expect("a free port is there");
        let house = House::new(authority.unwrap_or(sandbox.url()), setup).await;
        town::fill(&house.workflow, &sandbox).await;
        let privileged = "UPDATE entitlements SET privileged = TRUE WHERE key = 'asked-0'";
        store::testing::raw(house.workflow.store(), privileged)
            .await
            .expect("it is a column");
        let asks = house.signed_in(asker(0), &[]).await;
        let (_, line) = ask(&house, &asks, "asked-0").await;
        let mut tx = house.workflow.store().read().await.expect("it opens");
        let stages = tx.stages(line).await.expect("it works");
        drop(tx);
        let stage = stages
            .iter()
            .find(|stage| stage.state == StageState::Open)
            .expect("somebody has to decide");
        Self {
            line,
            stage: stage.id,
            house,
            sandbox,
        }
    }

    fn page(&self) -> String {
        format!("/approvals/{}", self.stage)
    }

    async fn votes(&self) -> Vec<DecisionRow> {
        let mut tx = self.house.workflow.store().read().await.expect("it opens");
        tx.decisions(self.line).await.expect("it works")
    }

    /// A browser of somebody who signed in through the sandbox.
    async fn manager(&self) -> Browser {
        let browser = self.house.browser();
        self.sign_in(&browser).await;
        browser
    }

    async fn sign_in(&self, browser: &Browser) {
        let back = at_sandbox(&browser.get("/sign-in").await, MANAGER).await;
        browser.get(&back).await.expect(StatusCode::SEE_OTHER);
    }

    /// Fills the form in and sends it: gives the address of the fresh sign-in.
    async fn approve(&self, browser: &Browser) -> String {
        let page = browser.get(&self.page()).await.expect(StatusCode::OK);
        assert!(page.body.contains("sign in once more"), "{}", page.body);
        let typed = [("verdict", "less"), ("note", NOTE), ("less", "300")];
        let answer = browser
            .post(&self.page(), &filled(&page.body, &typed))
            .await
            .expect(StatusCode::SEE_OTHER);
        let again = answer.location().to_owned();
        assert!(again.starts_with("/sign-in/again/frs_"), "{again}");
        assert_eq!(self.votes().await, []);
        again
    }

    /// To the provider; gives the answer that sends one there.
    async fn leave(&self, browser: &Browser) -> Answer {
        let again = self.approve(browser).await;
        browser.get(&again).await.expect(StatusCode::SEE_OTHER)
    }

    /// Comes back in vain: the page says so, with what was typed, and nothing was decided.
    async fn in_vain(&self, browser: &Browser, back: &Answer, says: &str) {
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
        let page = browser.get(back.location()).await.expect(StatusCode::OK);
        for words in [says, "Nothing was decided.", NOTE] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert_eq!(self.votes().await, []);
        assert_eq!(
            browser.get("/whoami").await.body,
            "Astrid Lindqvist []",
            "the session is whose it was"
        );
    }
}

async fn at_sandbox(begun: &Answer, who: Uuid) -> String {
    let answer = client()
        .get(format!("{}&oid={who}", begun.location()))
        .send()
        .await
        .expect("the sandbox answers");
    let location = answer.headers()["location"].to_str().expect("it is text");
    local(location).to_owned()
}

#[tokio::test]
async fn a_yes_is_carried_out_once_exactly_as_it_was_typed() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(Setup {
            engine,
            ..Setup::default()
        })
        .await;
        let browser = scene.manager().await;
        let session = browser.cookie(COOKIE).expect("there is a session");
        let again = scene.approve(&browser).await;
        let begun = browser.get(&again).await.expect(StatusCode::SEE_OTHER);
        let asked = |name: &str| parameter(begun.location(), name);
        assert_eq!(
            (asked("prompt"), asked("max_age")),
            ("login".into(), "0".into())
        );
        let claims: serde_json::Value = serde_json::from_str(&asked("claims")).expect("it is JSON");
        assert_eq!(claims["id_token"]["acrs"]["value"], "c1");
        assert_eq!(claims["id_token"]["acrs"]["essential"], true);
        assert_eq!(asked("code_challenge_method"), "S256");
        assert!(!asked("login_hint").is_empty());
        let asks = client()
            .get(begun.location())
            .send()
            .await
            .expect("the sandbox answers")
            .text()
            .await
            .expect("it is text");
        assert!(
            asks.contains("Sign in once more") && asks.contains("Astrid Lindqvist"),
            "{asks}"
        );

        let back = at_sandbox(&begun, MANAGER).await;
        let done = browser.get(&back).await.expect(StatusCode::SEE_OTHER);
        assert!(
            done.location().starts_with("/approvals") && done.location().contains("done=approved"),
            "{}",
            done.location()
        );
        let page = browser.get(done.location()).await.expect(StatusCode::OK);
        assert!(page.body.contains("Approved: "), "{}", page.body);
        let votes = scene.votes().await;
        assert_eq!(votes.len(), 1);
        assert_eq!(
            (votes[0].cap_seconds, votes[0].note.as_str()),
            (Some(300), NOTE)
        );
        assert!(votes[0].fresh_id.is_some());
        assert_ne!(browser.cookie(COOKIE), Some(session.clone()));
        let thief = scene.house.browser();
        thief.set_cookie(COOKIE, &session);
        assert_eq!(thief.get("/whoami").await.body, "nobody");
        let log = scene.house.audit_text().await;
        assert!(log.contains("\"context\":\"c1\""), "{log}");

        // The way back, the way there, and the form once more: nothing happens.
        browser.get(&back).await.expect(StatusCode::BAD_REQUEST);
        let there = browser.get(&again).await.expect(StatusCode::SEE_OTHER);
        assert!(there.location().starts_with(&scene.page()));
        let page = browser.get(&scene.page()).await.expect(StatusCode::OK);
        assert!(
            page.body.contains("You have decided this."),
            "{}",
            page.body
        );
        assert_eq!(scene.votes().await.len(), 1);
        scene.sandbox.stop().await;
    }
}

#[tokio::test]
async fn whoever_turns_back_or_is_somebody_else_has_decided_nothing() {
    let scene = Scene::new(Setup::default()).await;
    let browser = scene.manager().await;
    let session = browser.cookie(COOKIE);

    let begun = scene.leave(&browser).await;
    let state = parameter(begun.location(), "state");
    let cancelled = format!(
        "/auth/callback?state={state}&error=access_denied&error_description=AADSTS65004%3A+declined"
    );
    let back = browser.get(&cancelled).await;
    scene.in_vain(&browser, &back, "without signing in").await;

    let begun = scene.leave(&browser).await;
    let back = browser.get(&at_sandbox(&begun, SECURITY[0]).await).await;
    scene.in_vain(&browser, &back, "Another account").await;
    assert_eq!(browser.cookie(COOKIE), session);

    scene.sandbox.faults().add(FaultKind::ContextUnsatisfied);
    let begun = scene.leave(&browser).await;
    let back = browser.get(&at_sandbox(&begun, MANAGER).await).await;
    scene.in_vain(&browser, &back, "not strong enough").await;
    scene.sandbox.faults().clear();

    let log = scene.house.audit_text().await;
    for reason in [
        "fresh_cancelled",
        "fresh_other_person",
        "fresh_not_satisfied",
    ] {
        assert!(log.contains(reason), "{reason} is not in {log}");
    }
    // And then it works.
    let begun = scene.leave(&browser).await;
    let back = browser.get(&at_sandbox(&begun, MANAGER).await).await;
    assert!(back.location().contains("done=approved"));
    assert_eq!(scene.votes().await.len(), 1);
    scene.sandbox.stop().await;
}

#[tokio::test]
async fn the_kill_switch_waits_for_it_and_keeps_what_was_typed() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scene = Scene::new(Setup {
            engine,
            ..Setup::default()
        })
        .await;
        let asks = scene.house.signed_in(asker(0), &[]).await;
        ask(&scene.house, &asks, "held-0").await;
        let privileged = "UPDATE entitlements SET privileged = TRUE WHERE key = 'held-0'";
        store::testing::raw(scene.house.workflow.store(), privileged)
            .await
            .expect("it is a column");
        let browser = scene
            .house
            .signed_in(SECURITY[1], &[PortalRole::Security])
            .await;
        let mut tx = scene.house.workflow.store().read().await.expect("it opens");
        let line = tx.line(scene.line).await.expect("it works");
        let person = line.expect("it was asked").asker_id;
        drop(tx);
        let page = format!("/people/{person}/suspend");
        let stop = async || {
            let form = browser.get(&page).await.expect(StatusCode::OK);
            assert!(form.body.contains("sign in once more"), "{}", form.body);
            let typed = [("holdings", "hold"), ("reason", NOTE)];
            let away = browser
                .post(&page, &filled(&form.body, &typed))
                .await
                .expect(StatusCode::SEE_OTHER);
            assert!(away.location().starts_with("/sign-in/again/frs_"));
            browser
                .get(away.location())
                .await
                .expect(StatusCode::SEE_OTHER)
        };
        let begun = stop().await;
        let state = parameter(begun.location(), "state");
        let cancelled = format!("/auth/callback?state={state}&error=access_denied");
        let back = browser.get(&cancelled).await.expect(StatusCode::SEE_OTHER);
        let again = browser.get(back.location()).await.expect(StatusCode::OK);
        for words in ["without signing in", NOTE, "Stop them now"] {
            assert!(again.body.contains(words), "{words}: {}", again.body);
        }
        assert_ne!(asks.get("/whoami").await.body, "nobody");

        let begun = stop().await;
        let back = browser.get(&at_sandbox(&begun, SECURITY[1]).await).await;
        assert_eq!(back.location(), format!("{page}?done=stopped"));
        let stopped = browser.get(back.location()).await.expect(StatusCode::OK);
        assert!(stopped.body.contains("is stopped"), "{}", stopped.body);
        assert_eq!(asks.get("/whoami").await.body, "nobody");
        scene.sandbox.stop().await;
    }
}

#[tokio::test]
async fn it_counts_for_five_minutes_and_in_its_session_only() {
    let now = Clock::system().now();
    let scene = Scene::new(Setup {
        clock: Clock::simulated(now),
        ..Setup::default()
    })
    .await;
    let browser = scene.manager().await;
    let begun = scene.leave(&browser).await;
    let back = at_sandbox(&begun, MANAGER).await;
    scene
        .house
        .workflow
        .clock()
        .move_to(now + Duration::minutes(5));
    let back = browser.get(&back).await;
    scene.in_vain(&browser, &back, "five minutes").await;

    // The session ends while somebody is at the provider.
    let begun = scene.leave(&browser).await;
    let back = at_sandbox(&begun, MANAGER).await;
    browser
        .post("/sign-out", "")
        .await
        .expect(StatusCode::SEE_OTHER);
    let back = browser.get(&back).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/whoami").await.body, "nobody");
    scene.sign_in(&browser).await;
    scene.in_vain(&browser, &back, "session here ended").await;

    // In another session of the same person in the same browser it does not count either.
    let begun = scene.leave(&browser).await;
    let back = at_sandbox(&begun, MANAGER).await;
    let binds = browser
        .cookie("__Host-latchkey-signin")
        .expect("it is bound");
    scene.sign_in(&browser).await;
    browser.set_cookie("__Host-latchkey-signin", &binds);
    let back = browser.get(&back).await;
    scene.in_vain(&browser, &back, "session here ended").await;
    scene.sandbox.stop().await;
}

#[tokio::test]
async fn what_waits_for_one_person_is_not_there_for_another() {
    let scene = Scene::new(Setup::default()).await;
    let browser = scene.manager().await;
    let again = scene.approve(&browser).await;
    for other in [asker(0), SECURITY[0]] {
        let other = scene.house.signed_in(other, &[]).await;
        other.get(&again).await.expect(StatusCode::NOT_FOUND);
    }
    browser
        .get("/sign-in/again/frs_1")
        .await
        .expect(StatusCode::NOT_FOUND);
    let nobody = scene.house.browser();
    let away = nobody.get(&again).await.expect(StatusCode::SEE_OTHER);
    assert!(away.location().starts_with("/sign-in?"));
    // What changed since the page was read is refused before anybody is sent away.
    let stale = browser
        .post(&scene.page(), "verdict=approve&signed=another&note=")
        .await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(scene.votes().await, []);
    scene.sandbox.stop().await;
}

#[tokio::test]
async fn a_certified_provider_satisfies_the_context_that_it_knows_and_no_other() {
    for (context, counts) in [(Some("c1"), true), (None, true), (Some("c9"), false)] {
        let peer = Peer::start(None);
        // Who signs in there is known by an object id made of the name.
        let digest = server::sign_in::sha256("alice");
        let mut bytes: [u8; 16] = digest[..16].try_into().expect("it is longer");
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x0f) | 0x80;
        let alice = Uuid::from_bytes(bytes);
        let mut directory = town::company();
        directory
            .users
            .push(User::new(alice, "Alice Requester", "alice@contoso.example"));
        for user in &mut directory.users {
            if user.id == asker(0) {
                user.manager = Some(alice);
            }
        }
        let setup = Setup {
            credential: Credential::Secret(SECRET.to_owned()),
            step_up: context,
            ..Setup::default()
        };
        let scene = Scene::over(setup, directory, Some(&peer.authority)).await;
        let browser = scene.house.browser();
        let begun = browser.get("/sign-in").await;
        let back = certified::at_provider(&begun, "alice").await;
        browser.get(&back).await.expect(StatusCode::SEE_OTHER);
        let begun = scene.leave(&browser).await;
        let back = certified::at_provider(&begun, "alice").await;
        let back = browser.get(&back).await.expect(StatusCode::SEE_OTHER);
        assert_eq!(
            back.location().contains("done=approved"),
            counts,
            "{context:?} {}",
            back.location()
        );
        assert_eq!(scene.votes().await.len(), usize::from(counts));
        scene.sandbox.stop().await;
    }
}
