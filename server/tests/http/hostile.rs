//! A provider that sends whatever the test wants: tokens that must not count.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    signature::{SignatureEncoding, Signer},
    traits::PublicKeyParts,
};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use uuid::Uuid;
use workflow::Clock;

use crate::support::{Answer, Browser, CLIENT, House, Setup, TENANT, parameter};

const OBJECT: Uuid = Uuid::from_u128(0xa);

/// What the provider does next.
#[derive(Clone)]
struct Script {
    header: Value,
    claims: Value,
    signature: Signature,
    keys: Vec<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signature {
    Right,
    Wrong,
    None,
}

struct Provider {
    address: String,
    key: RsaPrivateKey,
    script: Mutex<Script>,
    keys_read: AtomicUsize,
    now: DateTime<Utc>,
}

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port is there");
        let address = format!("http://{}", listener.local_addr().expect("it listens"));
        let key = RsaPrivateKey::new(&mut rand::rngs::OsRng, 2048).expect("a key can be made");
        let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        let public = json!({
            "kty": "RSA", "use": "sig", "kid": "k1", "n": number(key.n()), "e": number(key.e()),
            "issuer": format!("{address}/{{tenantid}}/v2.0"),
        });
        let now = DateTime::from_timestamp(1_772_000_000, 0).expect("it is a time");
        let script = Script {
            header: json!({"typ": "JWT", "alg": "RS256", "kid": "k1"}),
            claims: json!({
                "iss": format!("{address}/{TENANT}/v2.0"), "aud": CLIENT, "sub": "pairwise", "tid": TENANT, "oid": OBJECT,
                "iat": now.timestamp(), "nbf": now.timestamp(), "exp": (now + Duration::hours(1)).timestamp(),
                "name": "Anna Ask", "preferred_username": "anna@sample.example", "ver": "2.0",
            }),
            signature: Signature::Right,
            keys: vec![public],
        };
        let provider = Arc::new(Self {
            address,
            key,
            script: Mutex::new(script),
            keys_read: AtomicUsize::new(0),
            now,
        });
        let base = format!("/{TENANT}");
        let router = Router::new()
            .route(
                &format!("{base}/v2.0/.well-known/openid-configuration"),
                get(discovery),
            )
            .route(&format!("{base}/discovery/v2.0/keys"), get(keys))
            .route(&format!("{base}/oauth2/v2.0/token"), post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().expect("nobody panics with it"));
    }

    fn script(&self) -> Script {
        self.script.lock().expect("nobody panics with it").clone()
    }

    async fn house(&self) -> House {
        let setup = Setup {
            clock: Clock::simulated(self.now),
            ..Setup::default()
        };
        House::new(&self.address, setup).await
    }

    /// Signs in with a token that echoes the nonce unless the script says otherwise.
    async fn sign_in(&self, browser: &Browser) -> Answer {
        let begun = browser
            .get("/sign-in?return_to=/whoami")
            .await
            .expect(StatusCode::SEE_OTHER);
        let nonce = parameter(begun.location(), "nonce");
        self.change(|script| {
            if script.claims.is_object() && script.claims["nonce"] != "keep" {
                script.claims["nonce"] = json!(nonce);
            }
        });
        let state = parameter(begun.location(), "state");
        browser
            .get(&format!("/auth/callback?code=c&state={state}"))
            .await
    }
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let base = format!("{}/{TENANT}", provider.address);
    Json(json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    provider.keys_read.fetch_add(1, Ordering::SeqCst);
    Json(json!({"keys": provider.script().keys}))
}

async fn token(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let script = provider.script();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&script.header), part(&script.claims));
    let signature = match script.signature {
        Signature::None => String::new(),
        right => {
            let signed = SigningKey::<Sha256>::new(provider.key.clone()).sign(text.as_bytes());
            let mut bytes = signed.to_vec();
            if right == Signature::Wrong {
                bytes[7] ^= 1;
            }
            URL_SAFE_NO_PAD.encode(bytes)
        }
    };
    Json(json!({
        "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": format!("{text}.{signature}"),
    }))
}

#[tokio::test]
async fn the_token_of_this_test_is_good_when_nothing_is_changed() {
    let provider = Provider::start().await;
    let house = provider.house().await;
    let browser = house.browser();
    provider
        .sign_in(&browser)
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/whoami").await.body, "Anna Ask []");
}

/// One way to spoil a token, and the word that the audit log gives it.
type Spoiled = (&'static str, fn(&mut Script, DateTime<Utc>));

const SPOILED: &[Spoiled] = &[
    ("token_signature", |script, _| {
        script.signature = Signature::Wrong;
    }),
    ("token_algorithm", |script, _| {
        script.header["alg"] = json!("none");
        script.signature = Signature::None;
    }),
    ("token_algorithm", |script, _| {
        script.header["alg"] = json!("HS256");
    }),
    ("token_without_key_id", |script, _| {
        script.header = json!({"alg": "RS256"});
    }),
    ("token_key_unknown", |script, _| {
        script.header["kid"] = json!("k2");
    }),
    ("token_key_of_other_issuer", |script, _| {
        script.keys[0]["issuer"] =
            json!("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    }),
    ("token_issuer", |script, _| {
        script.claims["iss"] = json!("https://evil.example/v2.0");
    }),
    ("token_audience", |script, _| {
        script.claims["aud"] = json!("another-app");
    }),
    ("token_audience", |script, _| {
        script.claims["aud"] = json!([CLIENT, "another-app"]);
    }),
    ("token_expired", |script, now| {
        script.claims["exp"] = json!((now - Duration::minutes(6)).timestamp());
    }),
    ("token_not_yet_valid", |script, now| {
        script.claims["nbf"] = json!((now + Duration::minutes(6)).timestamp());
    }),
    ("token_not_yet_valid", |script, now| {
        script.claims["iat"] = json!((now + Duration::minutes(6)).timestamp());
    }),
    ("token_nonce", |script, _| {
        script.claims["nonce"] = json!("keep");
    }),
    ("wrong_tenant", |script, _| {
        script.claims["tid"] = json!("99999999-2222-4333-8444-555555555555");
    }),
    ("wrong_tenant", |script, _| {
        script.claims["tid"] = json!("common");
    }),
    ("wrong_tenant", |script, _| {
        script
            .claims
            .as_object_mut()
            .expect("claims are an object")
            .remove("tid");
    }),
    ("no_object_id", |script, _| {
        script.claims["oid"] = json!("anna@sample.example");
    }),
    ("no_object_id", |script, _| {
        script
            .claims
            .as_object_mut()
            .expect("claims are an object")
            .remove("oid");
    }),
    ("token_unreadable", |script, _| {
        script.claims = json!("not claims");
    }),
];

#[tokio::test]
async fn every_spoiled_token_is_refused_logged_and_leaves_nothing_behind() {
    for (index, (reason, spoil)) in SPOILED.iter().enumerate() {
        let provider = Provider::start().await;
        let house = provider.house().await;
        provider.change(|script| spoil(script, provider.now));
        let browser = house.browser();
        let answer = provider.sign_in(&browser).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{index} {reason}: {}",
            answer.body
        );
        assert!(
            browser.cookie("__Host-latchkey").is_none(),
            "{index} {reason}"
        );
        assert!(!house.knows(OBJECT).await, "{index} {reason}");
        let log = house.audit_text().await;
        assert!(log.contains(reason), "{index} {reason} is not in {log}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_five_minutes() {
    let provider = Provider::start().await;
    let house = provider.house().await;
    let now = provider.now;
    provider.change(|script| {
        script.claims["exp"] = json!((now - Duration::minutes(4)).timestamp());
        script.claims["iat"] = json!((now + Duration::minutes(4)).timestamp());
        script.claims["nbf"] = json!((now + Duration::minutes(4)).timestamp());
    });
    provider
        .sign_in(&house.browser())
        .await
        .expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_storm_of_unknown_key_ids_reads_the_keys_once() {
    let provider = Provider::start().await;
    let house = provider.house().await;
    let browser = house.browser();
    provider
        .sign_in(&browser)
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(provider.keys_read.load(Ordering::SeqCst), 1);
    for round in 0..20 {
        provider.change(|script| script.header["kid"] = json!(format!("forged-{round}")));
        provider
            .sign_in(&browser)
            .await
            .expect(StatusCode::FORBIDDEN);
    }
    assert_eq!(provider.keys_read.load(Ordering::SeqCst), 2);
    // The last good keys stay, also while the provider publishes nothing.
    provider.change(|script| {
        script.header["kid"] = json!("k1");
        script.keys.clear();
    });
    provider
        .sign_in(&browser)
        .await
        .expect(StatusCode::SEE_OTHER);
    house
        .workflow
        .clock()
        .move_to(provider.now + Duration::minutes(6));
    provider.change(|script| script.header["kid"] = json!("forged-again"));
    provider
        .sign_in(&browser)
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(provider.keys_read.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_provider_that_never_answers_costs_everybody_a_moment_and_the_next_ones_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port is there");
    let address = format!("http://{}", listener.local_addr().expect("it listens"));
    let asked = Arc::new(AtomicUsize::new(0));
    let hangs = {
        let asked = Arc::clone(&asked);
        Router::new().fallback(async move || {
            asked.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        })
    };
    tokio::spawn(async move { axum::serve(listener, hangs).await });
    let now = DateTime::from_timestamp(1_772_000_000, 0).expect("it is a time");
    let setup = Setup {
        clock: Clock::simulated(now),
        ..Setup::default()
    };
    let house = House::new(&address, setup).await;
    let unreachable = async || {
        let answer = house.browser().get("/sign-in").await;
        let answer = answer.expect(StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.body.contains("does not answer"), "{}", answer.body);
    };
    let began = Instant::now();
    futures::future::join_all((0..30).map(|_| unreachable())).await;
    assert!(
        began.elapsed().as_secs() < 15,
        "they waited one after another"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let began = Instant::now();
    unreachable().await;
    assert!(began.elapsed().as_secs() < 3, "it was asked again at once");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    house.workflow.clock().move_to(now + Duration::seconds(31));
    unreachable().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_same_mail_is_not_the_same_person() {
    let provider = Provider::start().await;
    let house = provider.house().await;
    let first = house.browser();
    provider.change(|script| script.claims["email"] = json!("anna@sample.example"));
    provider.sign_in(&first).await.expect(StatusCode::SEE_OTHER);
    provider.change(|script| {
        script.claims["oid"] = json!(Uuid::from_u128(0xbad));
        script.claims["name"] = json!("Not Anna");
    });
    let second = house.browser();
    provider
        .sign_in(&second)
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(first.get("/whoami").await.body, "Anna Ask []");
    assert_eq!(second.get("/whoami").await.body, "Not Anna []");
}
