//! Bad days, switched in code and over HTTP.

use std::time::{Duration, Instant};

use sandbox::{Fault, FaultKind, Lost};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixture::{ADA, ALL_STAFF, BOB, CEM, PROVISIONER, READERS, SECRET, TENANT, Tenant, post_token},
    http, schema,
};

#[tokio::test]
async fn throttling() {
    let tenant = Tenant::start().await;
    let every = |every, retry_after| FaultKind::Throttle {
        every: Some(every),
        percent: None,
        retry_after,
    };
    tenant.sandbox.fail(every(3, Some(2.128)));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let reply = tenant.get("/organization").await;
        statuses.push(reply.status);
        if reply.status == 429 {
            assert_eq!(reply.header("Retry-After"), Some("2.128"));
            assert_eq!(reply.error().0, "TooManyRequests");
            schema::check(
                &schema::response("GET", "/organization", 429),
                &reply.json(),
            )
            .unwrap();
        }
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 429]);

    // In a batch, each inner call for itself.
    tenant
        .sandbox
        .faults()
        .set(vec![Fault::from(every(2, None)).path_prefix("/v1.0/users")]);
    let read = |id: &str| json!({ "id": id, "method": "GET", "url": format!("/users/{ADA}") });
    let reply = tenant
        .call(
            "POST",
            "/$batch",
            Some(json!({ "requests": [read("1"), read("2")] })),
        )
        .await;
    let mut inner: Vec<u64> = reply.json()["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    inner.sort_unstable();
    assert_eq!((reply.status, inner), (200, vec![200, 429]));
}

#[tokio::test]
async fn limited_to_a_group_a_method_and_a_number_of_calls() {
    let tenant = Tenant::start().await;
    let broken = FaultKind::ServerError {
        percent: 100.0,
        status: 503,
        retry_after: Some(1.0),
    };
    tenant
        .sandbox
        .fail(Fault::from(broken).group(READERS).method("post").calls(2));
    assert_eq!(
        tenant.add(ALL_STAFF, CEM).await.status,
        204,
        "another group"
    );
    assert_eq!(
        tenant
            .get(&format!("/groups/{READERS}/members"))
            .await
            .status,
        200,
        "another method"
    );
    let broken = tenant.add(READERS, BOB).await;
    assert_eq!(
        (broken.status, broken.header("Retry-After")),
        (503, Some("1"))
    );
    assert_eq!(tenant.add(READERS, BOB).await.status, 503);
    assert_eq!(tenant.sandbox.members(READERS), [ADA].into());
    assert_eq!(tenant.add(READERS, BOB).await.status, 204, "spent");
    assert_eq!(tenant.sandbox.faults().list()[0].hits, 2);
}

#[tokio::test]
async fn a_reply_is_lost_after_the_change() {
    let tenant = Tenant::start().await;
    let lost = |how| FaultKind::LostReply {
        percent: 100.0,
        how,
    };
    tenant.sandbox.fail(Fault::from(lost(Lost::Close)).calls(1));
    let reference = format!("{}/directoryObjects/{BOB}", tenant.sandbox.graph_url());
    let target = format!("/groups/{READERS}/members/$ref");
    let nothing = tenant
        .try_call("POST", &target, Some(json!({ "@odata.id": reference })))
        .await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert!(tenant.sandbox.members(READERS).contains(&BOB));
    tenant
        .sandbox
        .fail(Fault::from(lost(Lost::GatewayTimeout)).calls(1));
    assert_eq!(tenant.remove(READERS, BOB).await.status, 504);
    assert!(!tenant.sandbox.members(READERS).contains(&BOB));
    // Reads are not lost.
    assert_eq!(tenant.get("/organization").await.status, 200);
}

#[tokio::test]
async fn reads_of_members_lag() {
    let tenant = Tenant::start().await;
    tenant.sandbox.fail(FaultKind::Lag { ms: 1500 });
    let began = Instant::now();
    assert_eq!(tenant.add(READERS, BOB).await.status, 204);
    assert_eq!(tenant.remove(READERS, ADA).await.status, 204);
    let members = format!("/groups/{READERS}/members?$select=id");
    assert_eq!(tenant.get(&members).await.ids(), [ADA.to_string()]);
    assert_eq!(
        tenant.get(&format!("/users/{ADA}/memberOf")).await.ids(),
        [READERS.to_string()]
    );
    assert_eq!(
        tenant.sandbox.members(READERS),
        [BOB].into(),
        "what truly holds"
    );
    while tenant.get(&members).await.ids() != [BOB.to_string()] {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "the change never showed"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(began.elapsed() >= Duration::from_millis(1500));
}

#[tokio::test]
async fn listings_that_lie() {
    let tenant = Tenant::start().await;
    tenant.sandbox.fail(FaultKind::EmptyListing);
    for target in ["/users", "/groups", "/users/delta"] {
        assert_eq!(
            tenant.get(target).await.ids(),
            Vec::<String>::new(),
            "{target}"
        );
    }
    assert_eq!(tenant.get(&format!("/users/{ADA}")).await.status, 200);
    tenant.sandbox.faults().set(vec![
        Fault::from(FaultKind::TruncatedListing { keep: 7 }).path_prefix("/v1.0/users"),
    ]);
    let cut = tenant.get("/users").await;
    assert_eq!(
        (cut.ids().len(), cut.json().get("@odata.nextLink").cloned()),
        (7, None)
    );
    let other = Uuid::from_u128(9);
    tenant
        .sandbox
        .faults()
        .set(vec![FaultKind::WrongTenant { id: other }.into()]);
    assert_eq!(
        tenant.get("/organization").await.value()[0]["id"],
        json!(other)
    );
}

#[tokio::test]
async fn refusals() {
    let tenant = Tenant::start().await;
    let faults = tenant.sandbox.faults();
    faults.set(vec![FaultKind::Deny.into()]);
    assert_eq!(
        tenant.get("/users").await.error().0,
        "Authorization_RequestDenied"
    );
    faults.set(vec![Fault::from(FaultKind::TokenExpired).calls(1)]);
    assert_eq!(
        (
            tenant.get("/users").await.status,
            tenant.get("/users").await.status
        ),
        (401, 200)
    );
    faults.set(vec![FaultKind::Conflict { percent: 100.0 }.into()]);
    let conflict = tenant.add(READERS, BOB).await;
    assert_eq!(
        (conflict.status, conflict.error().0),
        (409, "Directory_ConcurrencyViolation".to_owned())
    );
    faults.set(vec![FaultKind::RemovedReferenceText.into()]);
    let removed = tenant.remove(READERS, BOB).await;
    assert!(
        removed.status == 400
            && removed
                .error()
                .1
                .starts_with("One or more removed object references do not exist")
    );
    faults.set(vec![FaultKind::DeltaExpired.into()]);
    let first = tenant.get("/users/delta").await;
    assert_eq!(first.status, 200);
    assert_eq!(
        tenant
            .get(first.json()["@odata.nextLink"].as_str().unwrap())
            .await
            .status,
        410
    );
}

#[tokio::test]
async fn down_and_slow_are_for_sign_in_too() {
    let tenant = Tenant::start().await;
    tenant.sandbox.fail(FaultKind::Down);
    assert_eq!(tenant.get("/users").await.status, 503);
    let form =
        format!("grant_type=client_credentials&client_id={PROVISIONER}&client_secret={SECRET}");
    assert_eq!(post_token(&tenant.sandbox, &form).await.status, 503);
    tenant
        .sandbox
        .faults()
        .set(vec![FaultKind::Slow { ms: 150 }.into()]);
    let began = Instant::now();
    let keys = format!("/{TENANT}/discovery/v2.0/keys");
    assert_eq!(
        http::send(tenant.sandbox.address(), "GET", &keys, &[], None)
            .await
            .unwrap()
            .status,
        200
    );
    assert!(began.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn switched_over_http_from_this_machine_only() {
    let tenant = Tenant::start().await;
    let address = tenant.sandbox.address();
    let json_type = ("Content-Type", "application/json");
    let body = json!({ "faults": [
        { "kind": "throttle", "every": 1, "retry_after": 0.5, "group": READERS, "calls": 3 },
        { "kind": "lost_reply", "how": "gateway_timeout" },
    ]});
    let set = http::send(
        address,
        "PUT",
        "/sandbox/faults",
        &[json_type],
        Some(&body.to_string()),
    )
    .await
    .unwrap();
    assert_eq!(set.status, 200, "{}", set.body);
    assert_eq!(tenant.add(READERS, BOB).await.status, 429);
    assert_eq!(tenant.add(ALL_STAFF, CEM).await.status, 504);
    let shown = http::send(address, "GET", "/sandbox/faults", &[], None)
        .await
        .unwrap()
        .json();
    assert_eq!(shown["faults"][0]["calls"], 2);
    assert_eq!(shown["faults"][0]["hits"], 1);
    for (name, value) in [
        ("Host", "evil.example"),
        ("Host", "localhost.evil.example:3001"),
        ("Origin", "http://evil.example"),
    ] {
        let refused = http::send(address, "GET", "/sandbox/state", &[(name, value)], None)
            .await
            .unwrap();
        assert_eq!(refused.status, 403, "{name}: {value}");
    }
    assert_eq!(
        http::send(address, "DELETE", "/sandbox/faults", &[], None)
            .await
            .unwrap()
            .status,
        204
    );
    assert_eq!(tenant.add(READERS, BOB).await.status, 204);
    let drift = format!("/sandbox/members/{READERS}/{CEM}");
    assert_eq!(
        http::send(address, "PUT", &drift, &[], None)
            .await
            .unwrap()
            .status,
        201
    );
    let state = http::send(
        address,
        "GET",
        "/sandbox/state",
        &[("Host", "127.0.0.1:3001")],
        None,
    )
    .await
    .unwrap()
    .json();
    assert_eq!(
        state["directory"]["memberships"][READERS.to_string()],
        json!([ADA, BOB, CEM])
    );
    let requests = http::send(address, "GET", "/sandbox/requests", &[], None)
        .await
        .unwrap()
        .json();
    assert!(
        requests["requests"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["status"] == 429 && one["faults"][0] == "throttle")
    );
}

/// A page elsewhere that made its own name point here gets nothing: neither the sign-in nor Graph nor a switch.
#[tokio::test]
async fn nothing_answers_to_a_foreign_name() {
    let tenant = Tenant::start().await;
    let address = tenant.sandbox.address();
    let issuer = tenant.sandbox.issuer();
    let discovery = format!(
        "{}/.well-known/openid-configuration",
        issuer.strip_prefix(tenant.sandbox.url()).unwrap()
    );
    for path in ["/", "/v1.0/users", "/sandbox/state", "/nowhere", &discovery] {
        for host in [
            "evil.example",
            "localhost.evil.example:3001",
            "127.0.0.1.evil.example",
            "",
        ] {
            let refused = http::send(address, "GET", path, &[("Host", host)], None)
                .await
                .unwrap();
            assert_eq!(refused.status, 403, "{path} as {host:?}");
        }
    }
    for host in ["localhost:3001", "127.0.0.1", "[::1]:3001"] {
        let served = http::send(address, "GET", &discovery, &[("Host", host)], None)
            .await
            .unwrap();
        assert_eq!(served.status, 200, "{host}");
    }
}
