//! Starting, stopping, and what is kept.

use sandbox::{Config, Directory, Sandbox, StartError, User};

use crate::fixture::{ADA, BOB, READERS, TENANT, Tenant, config, user};

#[tokio::test]
async fn only_loopback() {
    let mut config = config();
    config.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(
        Sandbox::start(config).await,
        Err(StartError::NotLoopback(_))
    ));
}

#[tokio::test]
async fn memberships_and_deletions_survive_a_restart() {
    let path = std::env::temp_dir().join(format!("sandbox-keeping-{}.json", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut config = config();
    config.state_file = Some(path.clone());
    let tenant = Tenant::with(config.clone()).await;
    assert_eq!(tenant.add(READERS, BOB).await.status, 204);
    // Ada is a manager, a member and holds a role: her links stay in the data.
    tenant.sandbox.delete_user(ADA);
    tenant.sandbox.stop().await;
    let tenant = Tenant::with(config.clone()).await;
    assert_eq!(tenant.sandbox.members(READERS), [BOB].into());
    assert!(tenant.sandbox.user(ADA).is_none());
    tenant.sandbox.stop().await;

    config.tenant = uuid::Uuid::from_u128(5);
    assert!(
        matches!(
            Sandbox::start(config.clone()).await,
            Err(StartError::State(..))
        ),
        "another tenant's file"
    );
    std::fs::write(&path, "half a fi").unwrap();
    assert!(
        matches!(Sandbox::start(config).await, Err(StartError::State(..))),
        "a broken file is not overwritten"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "half a fi");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_seed_that_contradicts_itself_is_refused() {
    let seed = Directory {
        users: vec![User {
            manager: Some(BOB),
            ..User::new(ADA, "Ada", "ada@contoso.example")
        }],
        ..Directory::default()
    };
    let error = Sandbox::start(Config::new(TENANT, seed))
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains(&BOB.to_string()), "{error}");
}

#[test]
fn a_seed_is_read_from_json() {
    let text = r#"{
        "organization": { "displayName": "Contoso", "domain": "contoso.example" },
        "users": [{ "id": "a0000000-0000-4000-8000-000000000001", "displayName": "Ada", "userPrincipalName": "ada@contoso.example",
                    "employeeLeaveDateTime": "2027-01-31T17:00:00Z", "other": { "employeeOrgData": { "costCenter": "7" } } }],
        "groups": [{ "id": "b0000000-0000-4000-8000-000000000001", "displayName": "Readers", "securityEnabled": true }],
        "memberships": { "b0000000-0000-4000-8000-000000000001": ["a0000000-0000-4000-8000-000000000001"] }
    }"#;
    let directory: Directory = serde_json::from_str(text).unwrap();
    assert!(directory.users[0].account_enabled);
    assert_eq!(directory.memberships[&READERS], [ADA].into());
    let again: Directory =
        serde_json::from_value(serde_json::to_value(&directory).unwrap()).unwrap();
    assert_eq!(again, directory);
}

/// A year of history is played through Graph at the first start, so writes have to be cheap.
#[tokio::test]
async fn thousands_of_writes_a_second() {
    let tenant = Tenant::start().await;
    let began = std::time::Instant::now();
    for _ in 0..20 {
        for number in 100..200 {
            assert!(tenant.sandbox.add_member(READERS, user(number)));
        }
        for number in 100..200 {
            assert!(tenant.sandbox.remove_member(READERS, user(number)));
        }
    }
    let rate = 4000.0 / began.elapsed().as_secs_f64();
    assert!(rate > 2000.0, "{rate:.0} writes a second");
}
