//! Signing in against a certified OpenID provider that nobody here wrote, dressed in Entra's shapes.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use axum::http::StatusCode;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use provisioner::graph::{Certificate, Credential};
use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey, traits::PublicKeyParts};
use serde_json::json;

use crate::support::{Answer, Browser, House, PUBLIC, SECRET, Setup, TENANT, client, local};

/// The provider; dies with the test.
pub struct Peer {
    pub authority: String,
    process: Child,
    /// Kept open: a provider that cannot print any more would end.
    _output: BufReader<ChildStdout>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Peer {
    pub fn start(app_key: Option<String>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the crate lies inside the workspace");
        let mut command = Command::new("node");
        command
            .arg(".ci/peers/openid.mjs")
            .current_dir(root)
            .env("PORT", "0")
            .env("TENANT", TENANT.to_string())
            .env("REDIRECT_URI", format!("{PUBLIC}/auth/callback"))
            .env("SIGNED_OUT_URI", format!("{PUBLIC}/signed-out"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(key) = app_key {
            command.env("APP_JWK", key);
        }
        let mut process = command
            .spawn()
            .expect("node is needed for this test: install Node 20 or later");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its output can be read");
        let authority = line
            .trim_end()
            .strip_prefix("ready ")
            .and_then(|issuer| issuer.strip_suffix(&format!("/{TENANT}/v2.0")))
            .unwrap_or_else(|| {
                panic!("the certified provider did not start (run make setup); it said {line:?}")
            })
            .to_owned();
        Self {
            authority,
            process,
            _output: output,
        }
    }
}

/// What a person at the provider does: the form with the name, then the way back. Gives the path of ours that they are
/// sent to.
pub async fn at_provider(begun: &Answer, who: &str) -> String {
    let client = client();
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    let mut address = reqwest::Url::parse(begun.location()).expect("it is an address");
    for _ in 0..10 {
        let jar: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if address.path().contains("/interaction/") {
            client.post(address.clone()).form(&[
                ("prompt", "login"),
                ("login", who),
                ("password", "x"),
            ])
        } else {
            client.get(address.clone())
        };
        let answer = request
            .header("cookie", jar.join("; "))
            .send()
            .await
            .expect("the provider answers");
        for cookie in answer.headers().get_all("set-cookie") {
            let text = cookie.to_str().expect("cookies are text");
            let (name, rest) = text.split_once('=').expect("a cookie has a value");
            let value = rest.split(';').next().unwrap_or_default();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = answer
            .headers()
            .get("location")
            .unwrap_or_else(|| panic!("no way on from {address}: {}", answer.status()))
            .to_str()
            .expect("it is text")
            .to_owned();
        if location.starts_with(PUBLIC) {
            return local(&location).to_owned();
        }
        address = address.join(&location).expect("it is an address");
    }
    panic!("the provider sends us in circles");
}

async fn sign_in(browser: &Browser, who: &str) -> Answer {
    let begun = browser.get("/sign-in?return_to=/whoami").await;
    let back = at_provider(&begun.expect(StatusCode::SEE_OTHER), who).await;
    browser.get(&back).await
}

#[tokio::test]
async fn people_sign_in_with_a_secret_and_foreigners_do_not() {
    let peer = Peer::start(None);
    let setup = Setup {
        credential: Credential::Secret(SECRET.to_owned()),
        ..Setup::default()
    };
    let house = House::new(&peer.authority, setup).await;
    for (who, name) in [
        ("alice", "Alice Requester"),
        ("many", "Many Groups"),
        ("noroles", "No Roles"),
    ] {
        let browser = house.browser();
        let done = sign_in(&browser, who).await.expect(StatusCode::SEE_OTHER);
        assert_eq!(done.location(), "/whoami");
        assert_eq!(browser.get("/whoami").await.body, format!("{name} []"));
    }
    let browser = house.browser();
    sign_in(&browser, "foreign")
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/whoami").await.body, "nobody");
    assert!(house.audit_text().await.contains("wrong_tenant"));

    let out = browser
        .post("/sign-out", "")
        .await
        .expect(StatusCode::SEE_OTHER);
    let asked = client()
        .get(out.location())
        .send()
        .await
        .expect("the provider answers");
    assert!(
        asked.status().is_success(),
        "the provider knows the address to come back to: {}",
        asked.status()
    );
}

#[tokio::test]
async fn a_wrong_secret_is_explained() {
    let peer = Peer::start(None);
    let setup = Setup {
        credential: Credential::Secret("not-the-secret".into()),
        ..Setup::default()
    };
    let house = House::new(&peer.authority, setup).await;
    let browser = house.browser();
    let refused = sign_in(&browser, "alice")
        .await
        .expect(StatusCode::FORBIDDEN);
    assert!(refused.body.contains("invalid_client"), "{}", refused.body);
}

#[tokio::test]
async fn people_sign_in_with_a_certificate() {
    let key = RsaPrivateKey::new(&mut rand::rngs::OsRng, 2048).expect("a key can be made");
    let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    let public = json!({"kty": "RSA", "use": "sig", "alg": "PS256", "n": number(key.n()), "e": number(key.e())});
    let pem = |name: &str, bytes: &[u8]| {
        format!(
            "-----BEGIN {name}-----\n{}\n-----END {name}-----\n",
            STANDARD.encode(bytes)
        )
    };
    let private = key.to_pkcs8_der().expect("the key can be written");
    // Only the certificate's thumbprint is sent; the provider knows the key itself.
    let certificate = Certificate::from_pem(
        &pem("CERTIFICATE", b"a certificate"),
        &pem("PRIVATE KEY", private.as_bytes()),
    )
    .expect("it is a key");
    let peer = Peer::start(Some(public.to_string()));
    let setup = Setup {
        credential: Credential::Certificate(certificate),
        ..Setup::default()
    };
    let house = House::new(&peer.authority, setup).await;
    let browser = house.browser();
    sign_in(&browser, "alice")
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/whoami").await.body, "Alice Requester []");
}
