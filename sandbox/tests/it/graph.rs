//! Reading and writing the directory as a connector does.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{
    ADA, ADMINS, ALL_STAFF, BOB, CEM, DYNAMIC, FROM_AD, LISTED, MAIL, PORTAL_APP, READERS,
    STRANGER, SYNCED, TENANT, Tenant, config, token, user,
};

#[tokio::test]
async fn pages_hold_everybody_once_even_when_people_come_and_go_meanwhile() {
    let tenant = Tenant::start().await;
    let mut seen = Vec::new();
    let mut next = Some("/users?$select=id,displayName&$top=50".to_owned());
    let mut pages = 0;
    while let Some(target) = next {
        let reply = tenant.get(&target).await;
        seen.extend(reply.ids());
        next = reply.json()["@odata.nextLink"].as_str().map(str::to_owned);
        pages += 1;
        if pages == 1 {
            // Someone whom the first page showed leaves; nobody is skipped for it.
            tenant.sandbox.delete_user(ADA);
        }
    }
    assert_eq!(pages, 4);
    assert_eq!(seen.len(), LISTED);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), LISTED);
    assert!(
        !seen.contains(&STRANGER.to_string()),
        "people of other tenants are not in the directory"
    );
}

#[tokio::test]
async fn selecting_and_filtering() {
    let tenant = Tenant::start().await;
    let found = tenant
        .get("/users?$filter=employeeId%20eq%20'E-2'&$select=id,mail")
        .await
        .value();
    assert_eq!(found, [json!({ "id": BOB, "mail": "bob@contoso.example" })]);
    assert_eq!(
        tenant
            .get("/users?$filter=startswith(displayName,'Ada')")
            .await
            .ids(),
        [ADA.to_string()]
    );
    let two = format!("/users?$filter=id%20in%20('{ADA}','{BOB}')");
    assert_eq!(tenant.get(&two).await.ids().len(), 2);
    assert_eq!(
        tenant
            .get("/users?$filter=accountEnabled%20eq%20false")
            .await
            .ids()
            .len(),
        1
    );
    assert_eq!(
        tenant
            .get("/users?$filter=length(displayName)%20gt%203")
            .await
            .status,
        400
    );
    let wrong = tenant.get("/users?$select=id,jobTitel").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong
            .error()
            .1
            .contains("Could not find a property named 'jobTitel' on type 'microsoft.graph.user'")
    );
    let too_much = tenant.get("/users?$top=1000").await;
    assert_eq!(too_much.error().0, "Request_UnsupportedQuery");
    let counted = tenant.get("/users?$top=1&$count=true").await.json();
    assert_eq!(counted["@odata.count"], LISTED);
    let chain = tenant
        .get(&format!(
            "/users/{CEM}?$select=id&$count=true&$expand=manager($levels=max;$select=id)"
        ))
        .await
        .json();
    assert_eq!(chain["manager"]["manager"]["id"], json!(ADA));
}

#[tokio::test]
async fn a_circle_of_managers_ends() {
    let tenant = Tenant::start().await;
    let mut ada = tenant.sandbox.user(ADA).unwrap();
    ada.manager = Some(CEM);
    tenant.sandbox.put_user(ada);
    let chain = tenant
        .get(&format!(
            "/users/{CEM}?$select=id&$count=true&$expand=manager($levels=max;$select=id)"
        ))
        .await;
    assert_eq!(chain.status, 200);
    assert_eq!(chain.json()["manager"]["manager"]["manager"], Value::Null);
}

#[tokio::test]
async fn members_come_and_go_in_entras_words() {
    let tenant = Tenant::start().await;
    assert_eq!(tenant.add(READERS, BOB).await.status, 204);
    assert_eq!(tenant.sandbox.members(READERS), [ADA, BOB].into());
    let again = tenant.add(READERS, BOB).await;
    assert_eq!(again.status, 400);
    assert_eq!(
        again.error(),
        (
            "Request_BadRequest".to_owned(),
            "One or more added object references already exist for the following modified properties: 'members'.".to_owned()
        )
    );
    let nobody = user(999);
    let missing = tenant.add(READERS, nobody).await;
    assert_eq!(
        (missing.status, missing.error().0),
        (404, "Request_ResourceNotFound".to_owned())
    );
    assert_eq!(
        missing.error().1,
        format!(
            "Resource '{nobody}' does not exist or one of its queried reference-property objects are not present."
        )
    );
    assert_eq!(tenant.add(user(1), BOB).await.status, 404, "no such group");
    assert_eq!(tenant.remove(READERS, BOB).await.status, 204);
    let gone = tenant.remove(READERS, BOB).await;
    assert_eq!(
        (gone.status, gone.error().0),
        (404, "Request_ResourceNotFound".to_owned())
    );
    assert_eq!(tenant.sandbox.members(READERS), [ADA].into());
}

#[tokio::test]
async fn a_delete_without_ref_is_refused_and_remembered() {
    let tenant = Tenant::start().await;
    let reply = tenant
        .call("DELETE", &format!("/groups/{READERS}/members/{ADA}"), None)
        .await;
    assert_eq!(
        (reply.status, reply.error().0),
        (405, "Sandbox_DangerousDelete".to_owned())
    );
    assert!(tenant.sandbox.user(ADA).is_some() && tenant.sandbox.members(READERS).contains(&ADA));
    let alarms: Vec<String> = tenant
        .sandbox
        .requests()
        .into_iter()
        .filter_map(|request| request.alarm)
        .collect();
    assert_eq!(alarms.len(), 1);
    assert!(alarms[0].contains("lacks /$ref"));
}

#[tokio::test]
async fn a_bind_adds_all_or_none() {
    let tenant = Tenant::start().await;
    let root = tenant.sandbox.graph_url();
    let bind = |ids: &[Uuid]| {
        let all: Vec<String> = ids
            .iter()
            .map(|id| format!("{root}/directoryObjects/{id}"))
            .collect();
        json!({ "members@odata.bind": all })
    };
    let target = format!("/groups/{READERS}");
    for bad in [
        vec![BOB, user(999)],
        vec![BOB, ADA],
        vec![BOB, BOB],
        (100..121).map(user).collect(),
    ] {
        let reply = tenant.call("PATCH", &target, Some(bind(&bad))).await;
        assert!([400, 404].contains(&reply.status));
        assert_eq!(tenant.sandbox.members(READERS), [ADA].into());
    }
    assert_eq!(
        tenant
            .call("PATCH", &target, Some(bind(&[BOB, CEM])))
            .await
            .status,
        204
    );
    assert_eq!(tenant.sandbox.members(READERS), [ADA, BOB, CEM].into());
}

#[tokio::test]
async fn groups_that_graph_does_not_manage_say_so() {
    let tenant = Tenant::start().await;
    let refused = [
        (
            MAIL,
            400,
            "Cannot Update a mail-enabled security groups and or distribution list.",
        ),
        (
            FROM_AD,
            400,
            "Unable to update the specified properties for on-premises mastered Directory Sync objects",
        ),
        (DYNAMIC, 400, "dynamic membership"),
        (
            ADMINS,
            403,
            "Insufficient privileges to complete the operation.",
        ),
    ];
    for (group, status, text) in refused {
        let reply = tenant.add(group, BOB).await;
        assert_eq!(reply.status, status);
        assert!(reply.error().1.contains(text), "{}", reply.body);
        assert_eq!(tenant.sandbox.members(group), [].into());
    }
    let synced = tenant
        .call(
            "PATCH",
            &format!("/users/{SYNCED}"),
            Some(json!({ "accountEnabled": false })),
        )
        .await;
    assert_eq!(synced.status, 400);
}

#[tokio::test]
async fn nesting() {
    let tenant = Tenant::start().await;
    let direct = tenant
        .get(&format!("/groups/{ALL_STAFF}/members?$top=999"))
        .await
        .ids();
    assert!(direct.contains(&READERS.to_string()) && !direct.contains(&ADA.to_string()));
    let people = tenant
        .get(&format!(
            "/groups/{ALL_STAFF}/members/microsoft.graph.user?$top=999"
        ))
        .await
        .ids();
    assert!(!people.contains(&READERS.to_string()) && people.contains(&BOB.to_string()));
    let all = tenant
        .get(&format!(
            "/groups/{ALL_STAFF}/transitiveMembers/microsoft.graph.user?$top=999"
        ))
        .await
        .ids();
    assert!(all.contains(&ADA.to_string()));
    assert_eq!(
        tenant.get(&format!("/users/{ADA}/memberOf")).await.ids(),
        [READERS.to_string()]
    );
    assert_eq!(
        tenant
            .get(&format!("/users/{ADA}/transitiveMemberOf"))
            .await
            .ids()
            .len(),
        2
    );
    let asked = json!({ "groupIds": [ALL_STAFF, MAIL] });
    let checked = tenant
        .call(
            "POST",
            &format!("/users/{ADA}/checkMemberGroups"),
            Some(asked),
        )
        .await;
    assert_eq!(checked.json()["value"], json!([ALL_STAFF]));
}

#[tokio::test]
async fn accounts_and_roles() {
    let tenant = Tenant::start().await;
    let disable = json!({ "accountEnabled": false });
    for _ in 0..2 {
        assert_eq!(
            tenant
                .call("PATCH", &format!("/users/{BOB}"), Some(disable.clone()))
                .await
                .status,
            204
        );
    }
    assert!(!tenant.sandbox.user(BOB).unwrap().account_enabled);
    let wrong = tenant
        .call(
            "PATCH",
            &format!("/users/{BOB}"),
            Some(json!({ "accountEnabled": "no" })),
        )
        .await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        tenant
            .call("POST", &format!("/users/{BOB}/revokeSignInSessions"), None)
            .await
            .status,
        200
    );
    assert!(
        tenant
            .sandbox
            .user(BOB)
            .unwrap()
            .sign_in_sessions_valid_from_date_time
            .is_some()
    );
    let assigned = tenant
        .get(&format!(
            "/servicePrincipals/{PORTAL_APP}/appRoleAssignedTo"
        ))
        .await
        .value();
    let kinds: BTreeSet<&str> = assigned
        .iter()
        .map(|one| one["principalType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["Group", "User"].into());
    let organization = tenant.get("/organization").await.value();
    assert_eq!(organization[0]["id"], json!(TENANT));
}

#[tokio::test]
async fn tokens_and_permissions() {
    let tenant = Tenant::start().await;
    let plain = crate::http::send(tenant.sandbox.address(), "GET", "/v1.0/users", &[], None)
        .await
        .unwrap();
    assert_eq!(
        (plain.status, plain.error().0),
        (401, "InvalidAuthenticationToken".to_owned())
    );
    tenant.sandbox.revoke_tokens();
    assert_eq!(tenant.get("/users").await.status, 401);

    let mut config = config();
    config.clients[1].permissions = vec!["User.Read.All".into()];
    let tenant = Tenant::with(config).await;
    assert_eq!(tenant.get("/users").await.status, 200);
    let leave = tenant.get("/users?$select=id,employeeLeaveDateTime").await;
    assert_eq!(
        (leave.status, leave.error().0),
        (403, "Authorization_RequestDenied".to_owned())
    );
    assert_eq!(tenant.get("/groups").await.status, 403);
    assert_eq!(tenant.add(READERS, BOB).await.status, 403);
    assert_eq!(
        tenant
            .call(
                "PATCH",
                &format!("/users/{BOB}"),
                Some(json!({ "accountEnabled": false }))
            )
            .await
            .status,
        403
    );
    // The portal's own registration reads nothing.
    let portal = token(&tenant.sandbox, crate::fixture::PORTAL).await;
    let tenant = Tenant {
        token: portal,
        ..tenant
    };
    assert_eq!(tenant.get("/users").await.status, 403);
}

#[tokio::test]
async fn batches_answer_each_for_itself() {
    let tenant = Tenant::start().await;
    let read = |id: usize| json!({ "id": id.to_string(), "method": "GET", "url": format!("/users/{ADA}?$select=id") });
    let many = json!({ "requests": (0..21).map(read).collect::<Vec<_>>() });
    assert_eq!(tenant.call("POST", "/$batch", Some(many)).await.status, 400);
    let dependent = json!({ "requests": [
        { "id": "a", "method": "GET", "url": "/users/nobody@contoso.example" },
        { "id": "b", "method": "GET", "url": "/organization", "dependsOn": ["a"] },
        { "id": "c", "method": "GET", "url": format!("/users/{ADA}?$select=displayName") },
        { "id": "d", "method": "POST", "url": format!("/groups/{READERS}/members/$ref"), "body": {} },
    ]});
    let answers = tenant.call("POST", "/$batch", Some(dependent)).await.json()["responses"].clone();
    let status = |id: &str| {
        answers
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] == id)
            .unwrap()["status"]
            .clone()
    };
    assert_eq!(
        [status("a"), status("b"), status("c"), status("d")],
        [json!(404), json!(424), json!(200), json!(400)]
    );
    assert_ne!(
        answers[0]["id"], "a",
        "answers come in another order than requests"
    );
}
