//! Signing in, step by step, as an OpenID Connect client does.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{self, RsaKeyPair, RsaPublicKeyComponents},
};
use sandbox::{FaultKind, Running};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    fixture::{
        ADA, BOB, CALLBACK, CROWDED, DISABLED, FOREIGN, NAMELESS, PORTAL, PROVISIONER, SECRET,
        SIGNED_OUT, STRANGER, TENANT, Tenant, config, post_token,
    },
    http::{self, Reply},
};

const VERIFIER: &str = "a-verifier-of-the-right-size-0123456789-0123456789";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// An authorization request, with some parameters changed, added or (when empty) taken away.
fn request(changes: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut parameters = vec![
        ("client_id", PORTAL),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        parameters.retain(|(held, _)| held != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "%20")))
        .collect();
    format!("/{TENANT}/oauth2/v2.0/authorize?{}", query.join("&"))
}

async fn get(sandbox: &Running, target: &str) -> Reply {
    http::send(sandbox.address(), "GET", target, &[], None)
        .await
        .unwrap()
}

/// The parameters that the browser carries back to the application.
async fn sent_back(sandbox: &Running, target: &str) -> Value {
    let reply = get(sandbox, target).await;
    assert_eq!(reply.status, 302, "{}", reply.body);
    let location = reply.header("location").unwrap();
    let query = location
        .strip_prefix(&format!("{CALLBACK}?"))
        .expect("the registered address");
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

async fn code_for(sandbox: &Running, oid: Uuid, changes: &[(&str, &str)]) -> String {
    let oid = oid.to_string();
    let changes: Vec<(&str, &str)> = changes
        .iter()
        .copied()
        .chain([("oid", oid.as_str())])
        .collect();
    let back = sent_back(sandbox, &request(&changes)).await;
    assert_eq!(back["state"], "the-state");
    back["code"].as_str().unwrap().to_owned()
}

fn redemption(code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id={PORTAL}&client_secret={SECRET}&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
    )
}

/// The claims of an ID token whose signature, made with a published key, is good.
async fn verified(sandbox: &Running, token: &str) -> Value {
    let keys = get(sandbox, &format!("/{TENANT}/discovery/v2.0/keys"))
        .await
        .json();
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&part(parts[0])).unwrap();
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("RS256"), &json!("JWT"))
    );
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("a published key");
    assert_eq!(key["issuer"], json!(sandbox.issuer()));
    let public = RsaPublicKeyComponents {
        n: part(key["n"].as_str().unwrap()),
        e: part(key["e"].as_str().unwrap()),
    };
    let signed = token.rsplit_once('.').unwrap().0;
    public
        .verify(
            &signature::RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &part(parts[2]),
        )
        .unwrap();
    serde_json::from_slice(&part(parts[1])).unwrap()
}

async fn claims_of(sandbox: &Running, oid: Uuid, scope: &str) -> Value {
    let code = code_for(sandbox, oid, &[("scope", scope)]).await;
    let reply = post_token(sandbox, &redemption(&code)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    verified(sandbox, reply.json()["id_token"].as_str().unwrap()).await
}

#[tokio::test]
async fn the_happy_path() {
    let tenant = Tenant::start().await;
    let sandbox = &tenant.sandbox;
    let discovery = get(
        sandbox,
        &format!("/{TENANT}/v2.0/.well-known/openid-configuration"),
    )
    .await
    .json();
    assert_eq!(discovery["issuer"], json!(sandbox.issuer()));
    assert_eq!(discovery["subject_types_supported"], json!(["pairwise"]));
    let template = get(sandbox, "/common/v2.0/.well-known/openid-configuration")
        .await
        .json();
    assert_eq!(
        template["issuer"],
        json!(format!("{}/{{tenantid}}/v2.0", sandbox.url()))
    );

    let claims = claims_of(sandbox, ADA, "openid profile email").await;
    assert_eq!(claims["iss"], json!(sandbox.issuer()));
    assert_eq!(claims["aud"], PORTAL);
    assert_eq!(claims["tid"], json!(TENANT));
    assert_eq!(claims["oid"], json!(ADA));
    assert_eq!(claims["nonce"], "the-nonce");
    assert_eq!(claims["ver"], "2.0");
    assert_eq!(claims["name"], "Ada Ng");
    assert_eq!(claims["preferred_username"], "ada@contoso.example");
    assert_eq!(claims["email"], "ada@contoso.example");
    assert_eq!(
        claims["roles"],
        json!(["auditor", "operator"]),
        "directly and through a group"
    );
    assert_eq!(claims["acct"], 0);
    assert!(claims["sid"].is_string() && claims["login_hint"].is_string());
    assert_ne!(claims["sub"], claims["oid"]);
    assert!(claims["exp"].as_i64().unwrap() > claims["iat"].as_i64().unwrap());
    let plain = claims_of(sandbox, BOB, "openid").await;
    for absent in ["oid", "name", "email", "roles", "groups", "_claim_names"] {
        assert_eq!(plain.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn requests_that_the_application_hears_about() {
    let tenant = Tenant::start().await;
    let cases = [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("response_type", "id_token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("scope", "profile"), "invalid_scope"),
        (("prompt", "none"), "login_required"),
        (("cancel", "1"), "access_denied"),
    ];
    for (change, error) in cases {
        let oid = ADA.to_string();
        let back = sent_back(&tenant.sandbox, &request(&[change, ("oid", &oid)])).await;
        assert_eq!(back["error"], error, "{change:?}");
        assert_eq!(back["state"], "the-state");
        assert!(
            back["error_description"]
                .as_str()
                .unwrap()
                .starts_with("AADSTS")
        );
        assert_eq!(back.get("code"), None);
    }
}

#[tokio::test]
async fn requests_that_end_at_a_page() {
    let tenant = Tenant::start().await;
    let oid = ADA.to_string();
    let cases = [
        (
            ("client_id", "4d1c0000-0000-4000-8000-000000000000"),
            "AADSTS700016",
        ),
        (
            ("redirect_uri", "http://evil.example/auth/callback"),
            "AADSTS50011",
        ),
        (
            ("redirect_uri", "http://127.0.0.1:3000/auth/callback/x"),
            "AADSTS50011",
        ),
        (("redirect_uri", ""), "AADSTS50011"),
    ];
    for (change, code) in cases {
        let reply = get(&tenant.sandbox, &request(&[change, ("oid", &oid)])).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (400, None),
            "{change:?}"
        );
        assert!(reply.body.contains(code), "{}", reply.body);
    }
    let disabled = DISABLED.to_string();
    let reply = get(&tenant.sandbox, &request(&[("oid", &disabled)])).await;
    assert!(reply.status == 403 && reply.body.contains("AADSTS50057"));
    let elsewhere = request(&[("oid", &oid)]).replace(&TENANT.to_string(), &FOREIGN.to_string());
    assert!(
        get(&tenant.sandbox, &elsewhere)
            .await
            .body
            .contains("AADSTS90002")
    );

    let mut config = config();
    config.seed.service_principals[0].app_role_assignment_required = true;
    let strict = Tenant::with(config).await;
    let bob = BOB.to_string();
    let reply = get(&strict.sandbox, &request(&[("oid", &bob)])).await;
    assert!(reply.status == 403 && reply.body.contains("AADSTS50105"));
}

#[tokio::test]
async fn codes_are_good_once_and_for_who_asked() {
    let tenant = Tenant::start().await;
    let sandbox = &tenant.sandbox;
    let code = code_for(sandbox, ADA, &[]).await;
    assert_eq!(post_token(sandbox, &redemption(&code)).await.status, 200);
    let again = post_token(sandbox, &redemption(&code)).await;
    assert_eq!(
        (again.status, again.json()["error_codes"].clone()),
        (400, json!([54005]))
    );

    let wrong = [
        (
            VERIFIER,
            "another-verifier-of-the-right-size-0123456789-012345",
            "invalid_grant",
            501_481,
        ),
        (VERIFIER, "too-short", "invalid_grant", 501_491),
        (
            CALLBACK,
            "http://127.0.0.1:3000/elsewhere",
            "invalid_grant",
            500_112,
        ),
        (SECRET, "wrong", "invalid_client", 7_000_215),
        (PORTAL, PROVISIONER, "invalid_grant", 70_000),
        ("&code_verifier=", "&unused=", "invalid_grant", 501_481),
        ("&client_secret=", "&unused=", "invalid_client", 7_000_218),
    ];
    for (from, to, error, number) in wrong {
        let code = code_for(sandbox, ADA, &[]).await;
        let reply = post_token(sandbox, &redemption(&code).replace(from, to)).await;
        let body = reply.json();
        assert_eq!(
            (&body["error"], &body["error_codes"][0]),
            (&json!(error), &json!(number)),
            "{to}"
        );
        assert_eq!(
            reply.status,
            if error == "invalid_client" { 401 } else { 400 }
        );
        assert!(
            body["trace_id"].is_string()
                && body["correlation_id"].is_string()
                && body["timestamp"].is_string()
        );
    }
    let unknown = post_token(sandbox, &redemption("made-up")).await;
    assert_eq!(unknown.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn people_whom_the_portal_must_refuse() {
    let tenant = Tenant::start().await;
    let sandbox = &tenant.sandbox;
    let stranger = claims_of(sandbox, STRANGER, "openid profile").await;
    assert_eq!(stranger["tid"], json!(FOREIGN));
    assert_eq!(
        stranger["iss"],
        json!(format!("{}/{FOREIGN}/v2.0", sandbox.url()))
    );
    let nameless = claims_of(sandbox, NAMELESS, "openid profile").await;
    assert_eq!(nameless.get("oid"), None);
    assert!(nameless["preferred_username"].is_string());
    let crowded = claims_of(sandbox, CROWDED, "openid profile").await;
    assert_eq!(
        (crowded.get("groups"), &crowded["_claim_names"]),
        (None, &json!({ "groups": "src1" }))
    );
    assert!(
        crowded["_claim_sources"]["src1"]["endpoint"]
            .as_str()
            .unwrap()
            .contains("getMemberObjects")
    );
}

#[tokio::test]
async fn groups_when_they_are_asked_for() {
    let mut config = config();
    config.clients[0].groups_claim = true;
    for number in 1000..1250 {
        let id = crate::fixture::group(number);
        config
            .seed
            .groups
            .push(sandbox::Group::new(id, &format!("Group {number}")));
        config.seed.memberships.insert(id, [BOB].into());
    }
    let tenant = Tenant::with(config).await;
    let few = claims_of(&tenant.sandbox, ADA, "openid profile").await;
    assert_eq!(few["groups"].as_array().unwrap().len(), 2);
    let many = claims_of(&tenant.sandbox, BOB, "openid profile").await;
    assert_eq!(
        (many.get("groups"), many.get("_claim_names").is_some()),
        (None, true)
    );
}

#[tokio::test]
async fn keys_rotate() {
    let tenant = Tenant::start().await;
    let keys = format!("/{TENANT}/discovery/v2.0/keys");
    let before = get(&tenant.sandbox, &keys).await.json();
    tenant.sandbox.rotate_keys().await;
    let after = get(&tenant.sandbox, &keys).await.json();
    assert_ne!(before["keys"][0]["kid"], after["keys"][0]["kid"]);
    assert_eq!(
        claims_of(&tenant.sandbox, ADA, "openid profile").await["oid"],
        json!(ADA)
    );
}

/// A client assertion, signed with the registered certificate's key.
fn assertion(sandbox: &Running, algorithm: &str, changes: &Value) -> String {
    let pem = |text: &str| {
        let body = text
            .split_once("-----BEGIN")
            .unwrap()
            .1
            .split_once("-----\n")
            .unwrap()
            .1
            .split_once("-----END")
            .unwrap()
            .0;
        let joined: String = body.split_whitespace().collect();
        base64::engine::general_purpose::STANDARD
            .decode(joined)
            .unwrap()
    };
    let certificate = pem(include_str!("../fixtures/client.cert.pem"));
    let key = RsaKeyPair::from_pkcs8(&pem(include_str!("../fixtures/client.key.pem"))).unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &certificate));
    let header = json!({ "alg": algorithm, "typ": "JWT", "x5t#S256": thumbprint });
    let exp =
        chrono::DateTime::<chrono::Utc>::from(std::time::UNIX_EPOCH + now()).timestamp() + 300;
    let mut claims = json!({
        "aud": format!("{}/{TENANT}/oauth2/v2.0/token", sandbox.url()),
        "iss": PORTAL, "sub": PORTAL, "jti": "one", "nbf": exp - 300, "iat": exp - 300, "exp": exp,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let mut made = vec![0; key.public().modulus_len()];
    let padding: &'static dyn signature::RsaEncoding = if algorithm == "PS256" {
        &signature::RSA_PSS_SHA256
    } else {
        &signature::RSA_PKCS1_SHA256
    };
    key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut made)
        .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(made))
}

#[expect(
    clippy::disallowed_methods,
    reason = "assertions are held to the system clock"
)]
fn now() -> std::time::Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
}

#[tokio::test]
async fn clients_with_certificates() {
    let tenant = Tenant::start().await;
    let sandbox = &tenant.sandbox;
    let ask = async |assertion: &str| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let scope = "https://graph.microsoft.com/.default";
        let form = format!(
            "grant_type=client_credentials&client_id={PORTAL}&scope={scope}&client_assertion_type={kind}&client_assertion={assertion}"
        );
        let reply = post_token(sandbox, &form).await;
        (reply.status, reply.json()["error_codes"][0].as_u64())
    };
    for algorithm in ["PS256", "RS256"] {
        assert_eq!(
            ask(&assertion(sandbox, algorithm, &json!({}))).await,
            (200, None),
            "{algorithm}"
        );
    }
    let wrong = [
        (json!({ "aud": "https://elsewhere.example/token" }), 700_023),
        (json!({ "iss": PROVISIONER }), 700_021),
        (json!({ "exp": 1000 }), 700_024),
        (json!({ "jti": "" }), 50_027),
    ];
    for (changes, code) in wrong {
        assert_eq!(
            ask(&assertion(sandbox, "PS256", &changes)).await,
            (401, Some(code)),
            "{changes}"
        );
    }
    let good = assertion(sandbox, "PS256", &json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = assertion(sandbox, "PS256", &json!({ "jti": "two" }));
    let forged = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    assert_eq!(ask(&forged).await, (401, Some(700_027)));
    assert_eq!(ask("rubbish").await, (401, Some(50_027)));
}

#[tokio::test]
async fn daemons_ask_at_the_tenant_for_graph() {
    let tenant = Tenant::start().await;
    let sandbox = &tenant.sandbox;
    let form = |scope: &str| {
        format!(
            "grant_type=client_credentials&client_id={PROVISIONER}&client_secret={SECRET}&scope={scope}"
        )
    };
    let body = post_token(sandbox, &form("https://graph.microsoft.com/.default"))
        .await
        .json();
    assert_eq!(body["expires_in"], 3599);
    assert_eq!(
        post_token(sandbox, &form("https://other.example/.default"))
            .await
            .json()["error"],
        "invalid_scope"
    );
    let common = http::send(
        sandbox.address(),
        "POST",
        "/common/oauth2/v2.0/token",
        &[],
        Some(&form("x")),
    )
    .await
    .unwrap();
    assert_eq!(common.json()["error_codes"][0], 9_001_023);
}

#[tokio::test]
async fn the_page_to_pick_a_person() {
    let tenant = Tenant::start().await;
    let page = get(&tenant.sandbox, &request(&[])).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("Pick who to be") && page.body.contains("Good people to start with")
    );
    assert!(page.body.contains(&format!("name=\"oid\" value=\"{ADA}\"")));
    assert!(
        page.body.contains("Bob &lt;b&gt;Okoro&lt;/b&gt;"),
        "names are text"
    );
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let found = get(&tenant.sandbox, &request(&[("q", "head+of+finance")])).await;
    assert!(found.body.contains("One person.") && found.body.contains("Ada Ng"));
    // What is typed comes back as text, and the request's own parameters stay.
    let hostile = get(&tenant.sandbox, &request(&[("q", "%22%3E%3Cscript%3E")])).await;
    assert!(hostile.body.contains("&quot;&gt;&lt;script&gt;") && !hostile.body.contains("<script"));
    assert!(
        hostile
            .body
            .contains("<input type=\"hidden\" name=\"state\" value=\"the-state\">")
    );
}

#[tokio::test]
async fn an_authentication_context_is_satisfied_unless_it_is_switched_off() {
    let tenant = Tenant::start().await;
    let sandbox = &tenant.sandbox;
    // {"id_token":{"acrs":{"essential":true,"value":"c1"}}}
    let asked = "%7B%22id_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%22value%22%3A%22c1%22%7D%7D%7D";
    let claims = async || {
        let code = code_for(sandbox, ADA, &[("claims", asked), ("prompt", "login")]).await;
        let reply = post_token(sandbox, &redemption(&code)).await;
        verified(sandbox, reply.json()["id_token"].as_str().unwrap()).await
    };
    let satisfied = claims().await;
    assert_eq!(satisfied["acrs"], json!(["c1"]));
    assert_eq!(satisfied["auth_time"], satisfied["iat"]);
    sandbox.faults().add(FaultKind::ContextUnsatisfied);
    assert_eq!(claims().await["acrs"], Value::Null);
    sandbox.faults().clear();
    // Somebody whom the application names is asked alone, and may still be somebody else.
    let hint = claims().await["login_hint"].as_str().unwrap().to_owned();
    let again = [("prompt", "login"), ("login_hint", hint.as_str())];
    let page = get(sandbox, &request(&again)).await;
    assert!(page.body.contains("Sign in once more") && page.body.contains("Ada Ng"));
    assert!(!page.body.contains("Okoro"), "{}", page.body);
    let other = request(&[again[0], again[1], ("q", "Bob")]);
    assert!(get(sandbox, &other).await.body.contains("Okoro"));
}

#[tokio::test]
async fn signing_out() {
    let tenant = Tenant::start().await;
    let logout = format!("/{TENANT}/oauth2/v2.0/logout");
    let back = get(
        &tenant.sandbox,
        &format!("{logout}?post_logout_redirect_uri={SIGNED_OUT}&state=s"),
    )
    .await;
    assert_eq!(
        (back.status, back.header("location")),
        (302, Some(format!("{SIGNED_OUT}?state=s").as_str()))
    );
    let foreign = get(
        &tenant.sandbox,
        &format!("{logout}?post_logout_redirect_uri=http://evil.example/"),
    )
    .await;
    assert_eq!((foreign.status, foreign.header("location")), (200, None));
    assert!(
        get(&tenant.sandbox, &logout)
            .await
            .body
            .contains("You signed out")
    );
}
