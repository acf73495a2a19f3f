//! Calling Graph, against the sandbox: credentials, tokens, pages, batches, and answers that go wrong.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::Duration;

use provisioner::{
    graph::{self, Ask, Certificate, Credential, Graph, Kind, Priority},
    http,
};
use sandbox::{Client, Config, Directory, Fault, FaultKind, Lost, Running, Sandbox, User};
use uuid::Uuid;
use workflow::{Clock, Ids};

const SECRET: &str = "a secret for tests";
const CERTIFICATE: &str = include_str!("../../sandbox/tests/fixtures/client.cert.pem");
const KEY: &str = include_str!("../../sandbox/tests/fixtures/client.key.pem");

fn tenant() -> Uuid {
    Uuid::from_u128(0xabc)
}

fn object(n: u128) -> Uuid {
    Uuid::from_u128(0x9000 + n)
}

async fn sandbox(people: u128) -> Running {
    let users = (1..=people)
        .map(|n| {
            User::new(
                object(n),
                &format!("P{n}"),
                &format!("p{n}@contoso.example"),
            )
        })
        .collect();
    let directory = Directory {
        users,
        ..Directory::default()
    };
    let mut certified = Client::provisioner("certified", "");
    certified.secret = None;
    certified.certificates = vec![CERTIFICATE.into()];
    Sandbox::start(
        Config::new(tenant(), directory)
            .client(Client::provisioner("provisioner", SECRET))
            .client(certified),
    )
    .await
    .unwrap()
}

fn options(sandbox: &Running, client: &str, credential: Credential) -> graph::Options {
    graph::Options {
        authority: sandbox.url().into(),
        base: sandbox.graph_url(),
        scope: format!("{}/.default", sandbox.url()),
        ..graph::Options::public(tenant(), client, credential)
    }
}

fn graph_with(sandbox: &Running, client: &str, credential: Credential, clock: &Clock) -> Graph {
    let http = http::client(&http::Options {
        total: Duration::from_millis(800),
        ..http::Options::default()
    })
    .unwrap();
    let options = options(sandbox, client, credential);
    Graph::new(http, clock.clone(), Ids::seeded(3), options).unwrap()
}

fn graph_at(sandbox: &Running) -> Graph {
    let secret = Credential::Secret(SECRET.into());
    graph_with(sandbox, "provisioner", secret, &Clock::system())
}

fn token_calls(sandbox: &Running) -> usize {
    let requests = sandbox.requests();
    requests
        .iter()
        .filter(|request| request.path.ends_with("/oauth2/v2.0/token"))
        .count()
}

#[tokio::test]
async fn a_secret_and_a_certificate_both_prove_who_we_are() {
    let sandbox = sandbox(3).await;
    let answer = graph_at(&sandbox)
        .get("/organization?$select=id", Priority::High)
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.request_id.is_some());
    assert!(Uuid::try_parse(&answer.client_request_id).is_ok());

    let certificate = Certificate::from_pem(CERTIFICATE, KEY).unwrap();
    let shown = format!("{certificate:?} {:?}", Credential::Secret(SECRET.into()));
    assert!(!shown.contains(SECRET), "{shown}");
    let certified = graph_with(
        &sandbox,
        "certified",
        Credential::Certificate(certificate),
        &Clock::system(),
    );
    let users = certified
        .list("/users?$select=id", Priority::Low)
        .await
        .unwrap();
    assert_eq!(users.len(), 3);
}

#[tokio::test]
async fn a_wrong_secret_is_a_matter_of_configuration() {
    let sandbox = sandbox(1).await;
    let wrong = Credential::Secret("wrong".into());
    let graph = graph_with(&sandbox, "provisioner", wrong, &Clock::system());
    let error = graph
        .get("/organization", Priority::High)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code()),
        (Kind::Credential, "invalid_client")
    );
    assert!(!error.passes());
    assert!(Certificate::from_pem(CERTIFICATE, "nothing").is_err());
    assert!(Certificate::from_pem("nothing", KEY).is_err());
    assert!(Certificate::from_pem(&CERTIFICATE.replace("END", "ENDE"), KEY).is_err());
}

#[tokio::test]
async fn a_token_is_kept_renewed_in_time_and_replaced_when_it_dies() {
    let sandbox = sandbox(1).await;
    let clock = Clock::simulated(sandbox.now());
    let secret = Credential::Secret(SECRET.into());
    let graph = graph_with(&sandbox, "provisioner", secret, &clock);
    for _ in 0..3 {
        graph.get("/organization", Priority::Normal).await.unwrap();
    }
    assert_eq!(token_calls(&sandbox), 1);
    // Shortly before its end, by our clock.
    clock.move_to(clock.now() + chrono::Duration::minutes(58));
    graph.get("/organization", Priority::Normal).await.unwrap();
    assert_eq!(token_calls(&sandbox), 2);
    // Taken away before its time.
    sandbox.revoke_tokens();
    graph.get("/organization", Priority::Normal).await.unwrap();
    assert_eq!(token_calls(&sandbox), 3);
    // Refused for good: once more, and no endless round.
    sandbox.fail(FaultKind::TokenExpired);
    let error = graph
        .get("/organization", Priority::Normal)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Credential, Some(401)));
    assert_eq!(token_calls(&sandbox), 4);
}

#[tokio::test]
async fn pages_are_followed_to_the_end_but_never_elsewhere() {
    let sandbox = sandbox(23).await;
    let graph = graph_at(&sandbox);
    let users = graph
        .list("/users?$select=id&$top=5", Priority::Low)
        .await
        .unwrap();
    assert_eq!(users.len(), 23);
    // Half a listing is none.
    sandbox.fail(
        Fault::from(FaultKind::Throttle {
            every: Some(3),
            percent: None,
            retry_after: Some(2.128),
        })
        .calls(1),
    );
    let mut failed = None;
    for _ in 0..3 {
        if let Err(error) = graph.list("/users?$select=id&$top=5", Priority::Low).await {
            failed = Some(error);
        }
    }
    let error = failed.expect("one call was throttled");
    assert_eq!(error.kind, Kind::Throttled);
    assert_eq!(error.retry_after, Some(Duration::from_millis(2128)));
    assert!(error.passes());

    sandbox.clear_requests();
    for foreign in [
        "https://graph.example/v1.0/users?$skiptoken=x",
        "http://127.0.0.1:1/v1.0/users",
        "file:///etc/passwd",
        "users",
    ] {
        let error = graph.page(foreign, Priority::Low).await.unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (Kind::Nonsense, None),
            "{foreign}"
        );
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_batch_answers_each_call_by_itself() {
    let sandbox = sandbox(19).await;
    let graph = graph_at(&sandbox);
    let mut asks: Vec<Ask> = (1..=20)
        .map(|n| Ask::get(format!("/users/{}?$select=id", object(n))))
        .collect();
    let answers = graph.batch(&asks, Priority::Low).await.unwrap();
    for (n, answer) in (1..=19).zip(&answers) {
        let body = &answer.as_ref().unwrap().body;
        assert_eq!(
            body["id"],
            object(n).to_string(),
            "in the order of the asking"
        );
    }
    assert_eq!(answers[19].as_ref().unwrap_err().kind, Kind::NotFound);
    asks.push(asks[0].clone());
    assert!(
        graph.batch(&asks, Priority::Low).await.is_err(),
        "twenty is the most"
    );
    assert!(graph.batch(&[], Priority::Low).await.unwrap().is_empty());
    // Inner calls are throttled on their own.
    sandbox.fail(FaultKind::Throttle {
        every: Some(2),
        percent: None,
        retry_after: Some(0.5),
    });
    let answers = loop {
        // The outer call counts as well.
        if let Ok(answers) = graph.batch(&asks[..10], Priority::Low).await {
            break answers;
        }
    };
    let throttled: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .collect();
    assert!(!throttled.is_empty() && throttled.len() < 10);
    assert!(throttled.iter().all(|error| error.kind == Kind::Throttled
        && error.retry_after == Some(Duration::from_millis(500))));
}

#[tokio::test]
async fn what_is_lost_or_late_is_not_known_and_says_so() {
    let sandbox = sandbox(2).await;
    let graph = graph_at(&sandbox);
    graph.get("/organization", Priority::Normal).await.unwrap();
    sandbox.fail(FaultKind::Slow { ms: 3_000 });
    let error = graph
        .get("/organization", Priority::Normal)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Network, None));
    assert!(error.client_request_id.is_some());
    sandbox.faults().clear();
    sandbox.fail(FaultKind::LostReply {
        percent: 100.0,
        how: Lost::Close,
    });
    let path = format!("/users/{}", object(1));
    let body = serde_json::json!({"department": "Finance"});
    let error = graph.patch(&path, &body, Priority::High).await.unwrap_err();
    assert!(
        matches!(error.kind, Kind::Network | Kind::Denied),
        "{error}"
    );
    sandbox.faults().clear();
    sandbox.fail(FaultKind::Down);
    let error = graph
        .get("/organization", Priority::Normal)
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Server);
    sandbox.stop().await;
    let error = graph
        .get("/organization", Priority::Normal)
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Network);
}
