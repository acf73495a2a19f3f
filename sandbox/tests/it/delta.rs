//! What changed since a token: nothing is lost between rounds, and dead tokens are told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::fixture::{ADA, ALL_STAFF, BOB, CEM, GUEST, LISTED, READERS, Tenant, config, user};

/// Follows next links to the delta link; answers with all entries and that link.
async fn round(tenant: &Tenant, start: &str) -> (Vec<Value>, String) {
    let mut entries = Vec::new();
    let mut target = start.to_owned();
    loop {
        let reply = tenant.get(&target).await;
        entries.extend(reply.value());
        let body = reply.json();
        if let Some(link) = body["@odata.deltaLink"].as_str() {
            return (entries, link.to_owned());
        }
        let next = body["@odata.nextLink"].as_str();
        next.expect("a link onwards").clone_into(&mut target);
    }
}

#[tokio::test]
async fn people_who_changed() {
    let tenant = Tenant::start().await;
    let (all, link) = round(
        &tenant,
        "/users/delta?$select=displayName,accountEnabled,manager",
    )
    .await;
    assert_eq!(all.len(), LISTED);
    let bob = all.iter().find(|user| user["id"] == json!(BOB)).unwrap();
    assert_eq!(bob["manager@delta"][0]["id"], json!(ADA));
    assert_eq!(
        round(&tenant, &link).await.0,
        Vec::<Value>::new(),
        "nothing changed"
    );

    tenant
        .call(
            "PATCH",
            &format!("/users/{CEM}"),
            Some(json!({ "accountEnabled": false })),
        )
        .await;
    let mut bob = tenant.sandbox.user(BOB).unwrap();
    bob.manager = Some(GUEST);
    tenant.sandbox.put_user(bob);
    tenant.sandbox.delete_user(ADA);
    let (changed, link) = round(&tenant, &link).await;
    let by_id: BTreeMap<&str, &Value> = changed
        .iter()
        .map(|user| (user["id"].as_str().unwrap(), user))
        .collect();
    assert_eq!(by_id.len(), 3);
    let (ada, bob, cem) = (ADA.to_string(), BOB.to_string(), CEM.to_string());
    assert_eq!(by_id[ada.as_str()]["@removed"]["reason"], "changed");
    assert_eq!(by_id[cem.as_str()]["accountEnabled"], false);
    assert_eq!(by_id[cem.as_str()].get("manager@delta"), None);
    let managers = by_id[bob.as_str()]["manager@delta"].as_array().unwrap();
    assert_eq!(
        (&managers[0]["id"], &managers[0]["@removed"]["reason"]),
        (&json!(ADA), &json!("deleted"))
    );
    assert_eq!(
        managers[1],
        json!({ "@odata.type": "#microsoft.graph.user", "id": GUEST })
    );
    assert_eq!(round(&tenant, &link).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn members_who_changed_over_many_pages() {
    let tenant = Tenant::start().await;
    let (all, link) = round(&tenant, "/groups/delta?$select=displayName,members").await;
    let members = |entries: &[Value], group: uuid::Uuid| -> Vec<Value> {
        let of_group = entries.iter().filter(|entry| entry["id"] == json!(group));
        of_group
            .filter_map(|entry| entry["members@delta"].as_array().cloned())
            .flatten()
            .collect()
    };
    assert_eq!(
        all.iter()
            .filter(|entry| entry["id"] == json!(ALL_STAFF))
            .count(),
        2,
        "a large group comes in parts"
    );
    assert_eq!(members(&all, ALL_STAFF).len(), 152);
    assert_eq!(members(&all, READERS).len(), 1);

    tenant.add(READERS, BOB).await;
    tenant.remove(READERS, ADA).await;
    tenant.add(READERS, CEM).await;
    tenant.remove(READERS, CEM).await;
    let (changed, _) = round(&tenant, &link).await;
    assert_eq!(changed.len(), 1);
    assert_eq!(
        changed[0].get("displayName"),
        None,
        "the group itself did not change"
    );
    let seen: BTreeMap<String, bool> = members(&changed, READERS)
        .iter()
        .map(|member| {
            (
                member["id"].as_str().unwrap().to_owned(),
                member.get("@removed").is_none(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (ADA.to_string(), false),
            (BOB.to_string(), true),
            (CEM.to_string(), false)
        ]
        .into()
    );
}

#[tokio::test]
async fn what_changes_while_one_pages_comes_in_the_next_round() {
    let tenant = Tenant::start().await;
    let first = tenant.get("/users/delta?$select=displayName").await;
    let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
    let mut ada = tenant.sandbox.user(ADA).unwrap();
    assert!(first.ids().contains(&ADA.to_string()));
    ada.display_name = "Ada Changed".into();
    tenant.sandbox.put_user(ada);
    let (rest, link) = round(&tenant, &next).await;
    let ids: BTreeSet<&str> = rest
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len() + first.ids().len(), LISTED);
    let (changed, _) = round(&tenant, &link).await;
    assert_eq!(
        changed,
        [json!({ "id": ADA, "displayName": "Ada Changed" })]
    );
}

#[tokio::test]
async fn tokens_die_after_seven_days_of_the_directorys_time() {
    const DAY: i64 = 86_400_000_000;
    let tenant = Tenant::start().await;
    let (_, link) = round(&tenant, "/users/delta?$select=displayName").await;
    tenant.sandbox.set_offset(6 * DAY);
    assert_eq!(
        tenant.sandbox.set_offset(0),
        6 * DAY,
        "time does not go back"
    );
    let (_, link) = round(&tenant, &link).await;
    tenant.sandbox.set_offset(14 * DAY);
    let gone = tenant.get(&link).await;
    assert_eq!(
        (gone.status, gone.error().0),
        (410, "syncStateNotFound".to_owned())
    );
    let (all, _) = round(&tenant, gone.header("location").unwrap()).await;
    assert_eq!(all.len(), LISTED);
}

#[tokio::test]
async fn from_now_on_and_over_a_restart() {
    let path = std::env::temp_dir().join(format!("sandbox-delta-{}.json", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut config = config();
    config.state_file = Some(path.clone());
    let tenant = Tenant::with(config.clone()).await;
    let (none, link) = round(&tenant, "/groups/delta?$deltatoken=latest").await;
    assert_eq!(none, Vec::<Value>::new());
    tenant.add(READERS, user(100)).await;
    let old = tenant.sandbox.url().to_owned();
    tenant.sandbox.stop().await;
    let tenant = Tenant::with(config).await;
    let link = link.replace(&old, tenant.sandbox.url());
    let (changed, _) = round(&tenant, &link).await;
    assert_eq!(changed[0]["members@delta"][0]["id"], json!(user(100)));
    tenant.sandbox.stop().await;
    std::fs::remove_file(path).unwrap();
}
