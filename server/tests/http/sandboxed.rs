//! Signing in against the sandbox: the way of every trial and every browser journey.

use axum::http::StatusCode;
use sandbox::{
    AppRole, AppRoleAssignment, Client, Config, Directory, Running, Sandbox, ServicePrincipal, User,
};
use uuid::Uuid;
use workflow::Clock;

use crate::support::{
    Answer, Browser, CLIENT, House, PUBLIC, SECRET, Setup, TENANT, client, local, parameter,
};

const ANNA: Uuid = Uuid::from_u128(0xa);
const NO_OID: Uuid = Uuid::from_u128(0xb);
const FOREIGN: Uuid = Uuid::from_u128(0xc);
const MANY_GROUPS: Uuid = Uuid::from_u128(0xd);
const SECURITY: Uuid = Uuid::from_u128(0x5ec);

async fn sandbox() -> Running {
    let mut anna = User::new(ANNA, "Anna Ask", "anna@sample.example");
    anna.mail = Some("anna@sample.example".into());
    let mut without = User::new(NO_OID, "Nora Nobody", "nora@sample.example");
    without.no_oid = true;
    let mut foreign = User::new(FOREIGN, "Fritz Foreign", "fritz@other.example");
    foreign.foreign_tid = Some(Uuid::from_u128(0x99));
    let mut many = User::new(MANY_GROUPS, "Mona Many", "mona@sample.example");
    many.overage = true;
    let principal = Uuid::from_u128(0x59);
    let mut portal = ServicePrincipal {
        id: principal,
        app_id: CLIENT.into(),
        display_name: "Latchkey".into(),
        ..ServicePrincipal::default()
    };
    portal.app_roles = vec![AppRole::new(SECURITY, "Portal.Security", "Security")];
    let seed = Directory {
        users: vec![anna, without, foreign, many],
        service_principals: vec![portal],
        app_role_assignments: vec![AppRoleAssignment {
            app_role_id: SECURITY,
            principal_id: ANNA,
            resource_id: principal,
            ..AppRoleAssignment::default()
        }],
        ..Directory::default()
    };
    let config = Config::new(TENANT, seed).client(Client::portal(
        CLIENT,
        SECRET,
        &format!("{PUBLIC}/auth/callback"),
        &format!("{PUBLIC}/signed-out"),
    ));
    Sandbox::start(config).await.expect("a free port is there")
}

/// Goes to the provider as this person; gives the address that the browser is sent back to.
async fn at_provider(begun: &Answer, who: Uuid) -> String {
    let address = format!("{}&oid={who}", begun.location());
    let answer = client()
        .get(address)
        .send()
        .await
        .expect("the sandbox answers");
    let location = answer.headers()["location"].to_str().expect("it is text");
    local(location).to_owned()
}

async fn sign_in(browser: &Browser, who: Uuid) -> Answer {
    let begun = browser.get("/sign-in?return_to=/whoami").await;
    let back = at_provider(&begun.expect(StatusCode::SEE_OTHER), who).await;
    browser.get(&back).await
}

#[tokio::test]
async fn a_person_signs_in_and_out() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let browser = house.browser();
    let begun = browser
        .get("/sign-in?return_to=/whoami")
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(parameter(begun.location(), "code_challenge_method"), "S256");
    assert_eq!(parameter(begun.location(), "response_mode"), "query");
    assert!(parameter(begun.location(), "scope").contains("profile"));
    let in_cookie = begun.header("set-cookie").to_owned();
    assert!(
        in_cookie.starts_with("__Host-latchkey-signin=")
            && in_cookie.contains("; HttpOnly; SameSite=Lax; Secure; Max-Age=600"),
        "{in_cookie}"
    );
    let back = at_provider(&begun, ANNA).await;
    let done = browser.get(&back).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(done.location(), "/whoami");
    assert!(browser.cookie("__Host-latchkey-signin").is_none());
    assert_eq!(browser.get("/whoami").await.body, "Anna Ask [Security]");
    assert!(house.knows(ANNA).await);
    let kinds = house.audited().await;
    for kind in [
        "person_added",
        "account_added",
        "roles_changed",
        "signed_in",
    ] {
        assert!(
            kinds.contains(&kind.to_owned()),
            "{kind} is not among {kinds:?}"
        );
    }

    let out = browser
        .post("/sign-out", "")
        .await
        .expect(StatusCode::SEE_OTHER);
    assert!(
        out.location().starts_with(sandbox.url()),
        "{}",
        out.location()
    );
    assert_eq!(
        parameter(out.location(), "post_logout_redirect_uri"),
        format!("{PUBLIC}/signed-out")
    );
    assert!(!parameter(out.location(), "logout_hint").is_empty());
    assert_eq!(browser.get("/whoami").await.body, "nobody");
    assert!(house.audited().await.contains(&"signed_out".to_owned()));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_role_that_was_taken_away_is_gone_at_the_next_sign_in() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let browser = house.browser();
    sign_in(&browser, ANNA).await.expect(StatusCode::SEE_OTHER);
    sign_in(&browser, MANY_GROUPS)
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(
        browser.get("/whoami").await.body,
        "Mona Many []",
        "overage is not a role"
    );
    sandbox.stop().await;
}

#[tokio::test]
async fn a_session_from_before_the_sign_in_is_not_valid_after_it() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let (browser, thief) = (house.browser(), house.browser());
    sign_in(&browser, ANNA).await.expect(StatusCode::SEE_OTHER);
    let first = browser
        .cookie("__Host-latchkey")
        .expect("there is a session");
    thief.set_cookie("__Host-latchkey", &first);
    assert_ne!(thief.get("/whoami").await.body, "nobody");
    sign_in(&browser, ANNA).await.expect(StatusCode::SEE_OTHER);
    assert_ne!(browser.cookie("__Host-latchkey"), Some(first));
    assert_eq!(thief.get("/whoami").await.body, "nobody");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_foreign_account_and_one_without_object_id_leave_nothing_behind() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    for (who, reason) in [(FOREIGN, "token_issuer"), (NO_OID, "no_object_id")] {
        let browser = house.browser();
        let refused = sign_in(&browser, who).await.expect(StatusCode::FORBIDDEN);
        assert!(
            refused.body.contains("You were not signed in"),
            "{}",
            refused.body
        );
        assert!(browser.cookie("__Host-latchkey").is_none());
        assert!(!house.knows(who).await);
        let log = house.audit_text().await;
        assert!(log.contains(reason), "{reason} is not in {log}");
        assert!(!log.contains("person_added"), "{log}");
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_callback_works_once_and_only_in_its_own_browser() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let (mine, theirs) = (house.browser(), house.browser());
    let my_way_back = at_provider(&mine.get("/sign-in").await, ANNA).await;
    let their_way_back = at_provider(&theirs.get("/sign-in").await, MANY_GROUPS).await;
    // Two browsers swap callbacks: neither gets the other's session.
    theirs
        .get(&my_way_back)
        .await
        .expect(StatusCode::BAD_REQUEST);
    mine.get(&their_way_back)
        .await
        .expect(StatusCode::BAD_REQUEST);
    assert_eq!(mine.get("/whoami").await.body, "nobody");
    assert_eq!(theirs.get("/whoami").await.body, "nobody");

    let back = at_provider(&mine.get("/sign-in").await, ANNA).await;
    mine.get(&back).await.expect(StatusCode::SEE_OTHER);
    let again = mine.get(&back).await.expect(StatusCode::BAD_REQUEST);
    assert!(
        again.body.contains("cannot be used any more"),
        "{}",
        again.body
    );
    // Somebody whose browser began another sign-in has the cookie, and still no use for a state that was used.
    mine.get("/sign-in").await.expect(StatusCode::SEE_OTHER);
    mine.get(&back).await.expect(StatusCode::BAD_REQUEST);
    let log = house.audit_text().await;
    for reason in ["other_browser", "no_sign_in_begun", "state_unknown_or_used"] {
        assert!(log.contains(reason), "{reason} is not in {log}");
    }
    assert!(!house.knows(MANY_GROUPS).await);
    sandbox.stop().await;
}

#[tokio::test]
async fn keys_may_be_exchanged_without_notice() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let browser = house.browser();
    sign_in(&browser, ANNA).await.expect(StatusCode::SEE_OTHER);
    sandbox.rotate_keys().await;
    sign_in(&browser, ANNA).await.expect(StatusCode::SEE_OTHER);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_provider_that_is_down_gets_a_page_that_says_so() {
    let house = House::new("http://127.0.0.1:9", Setup::default()).await;
    let answer = house
        .browser()
        .get("/sign-in")
        .await
        .expect(StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("does not answer"), "{}", answer.body);
    assert!(house.audit_text().await.contains("provider_unreachable"));
}

#[tokio::test]
async fn one_address_may_not_begin_sign_ins_without_end() {
    let sandbox = sandbox().await;
    let setup = Setup {
        sign_ins_per_minute: 3,
        ..Setup::default()
    };
    let house = House::new(sandbox.url(), setup).await;
    let browser = house.browser();
    for _ in 0..3 {
        browser.get("/sign-in").await.expect(StatusCode::SEE_OTHER);
    }
    browser
        .get("/sign-in")
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
    sandbox.stop().await;
}

#[tokio::test]
async fn one_address_may_not_come_back_without_end_and_loses_nothing_by_waiting() {
    let sandbox = sandbox().await;
    let now = Clock::system().now();
    let setup = Setup {
        sign_ins_per_minute: 3,
        clock: Clock::simulated(now),
        ..Setup::default()
    };
    let house = House::new(sandbox.url(), setup).await;
    let browser = house.browser();
    let back = at_provider(&browser.get("/sign-in").await, ANNA).await;
    // Without the cookie of a sign-in nobody is counted, and nothing is looked up.
    for _ in 0..10 {
        let stranger = house.browser().get(&back).await;
        stranger.expect(StatusCode::BAD_REQUEST);
    }
    for _ in 0..3 {
        let made_up = browser.get("/auth/callback?code=c&state=made-up").await;
        made_up.expect(StatusCode::BAD_REQUEST);
    }
    let limited = browser.get(&back).await;
    limited.expect(StatusCode::TOO_MANY_REQUESTS);
    house
        .workflow
        .clock()
        .move_to(now + chrono::Duration::minutes(1));
    browser.get(&back).await.expect(StatusCode::SEE_OTHER);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_callback_in_a_wrong_browser_uses_nothing_up() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let (mine, theirs) = (house.browser(), house.browser());
    let back = at_provider(&mine.get("/sign-in?return_to=/whoami").await, ANNA).await;
    theirs.get("/sign-in").await.expect(StatusCode::SEE_OTHER);
    theirs.get(&back).await.expect(StatusCode::BAD_REQUEST);
    mine.get(&back).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(mine.get("/whoami").await.body, "Anna Ask [Security]");
    sandbox.stop().await;
}

#[tokio::test]
async fn what_the_provider_says_is_explained_and_not_believed() {
    let sandbox = sandbox().await;
    let house = House::new(sandbox.url(), Setup::default()).await;
    let browser = house.browser();
    let begun = browser.get("/sign-in").await;
    let state = parameter(begun.location(), "state");
    let answer = browser
        .get(&format!(
            "/auth/callback?state={state}&error=access_denied&error_description=AADSTS50105%3A%20%3Cscript%3Ealert(1)%3C%2Fscript%3E%20Correlation%20ID%3A%20abc-1"
        ))
        .await
        .expect(StatusCode::FORBIDDEN);
    assert!(
        answer.body.contains("not allowed to use this portal yet"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("abc-1"), "{}", answer.body);
    assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
    // An error that belongs to no sign-in of ours is not shown at all.
    let forged = browser
        .get("/auth/callback?state=made-up&error=x&error_description=call+0800+666")
        .await
        .expect(StatusCode::BAD_REQUEST);
    assert!(!forged.body.contains("0800"), "{}", forged.body);
    sandbox.stop().await;
}
