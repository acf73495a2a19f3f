//! Every answer of the sandbox is one that Microsoft's description allows, and so is every body that it takes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fixture::{
        ADA, ALL_STAFF, AUDITOR, BOB, CEM, GUEST, MAIL, OFFICE, PORTAL_APP, READERS, Tenant, user,
    },
    http::Reply,
    schema,
};

/// Sends a call, and holds its body and its answer to the operation that the description calls `path`.
async fn held(
    tenant: &Tenant,
    method: &str,
    path: &str,
    target: &str,
    body: Option<Value>,
) -> Reply {
    if let Some(body) = &body {
        schema::check(&schema::request(method, path), body)
            .unwrap_or_else(|why| panic!("what is sent to {path}: {why}"));
    }
    let reply = tenant.call(method, target, body).await;
    assert!(
        reply.header("request-id").is_some()
            && reply.header("client-request-id") == Some("test-request")
    );
    if reply.status == 204 {
        assert_eq!(reply.body, "");
        return reply;
    }
    let answer = reply.json();
    let schema = schema::response(method, path, reply.status);
    schema::check(&schema, &answer).unwrap_or_else(|why| panic!("{method} {target}: {why}"));
    typed(&answer);
    reply
}

/// Entries of mixed collections say what they are; they are held to that type.
fn typed(value: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(kind) = object.get("@odata.type").and_then(Value::as_str) {
                let name = kind.trim_start_matches('#');
                schema::check(&schema::named(name), value)
                    .unwrap_or_else(|why| panic!("{kind}: {why}"));
            }
            object.values().for_each(typed);
        }
        Value::Array(array) => array.iter().for_each(typed),
        _ => {}
    }
}

#[tokio::test]
async fn reads_answer_in_microsofts_shapes() {
    let tenant = Tenant::start().await;
    let all = "id,userPrincipalName,mail,displayName,givenName,surname,employeeId,employeeType,employeeHireDate,\
               employeeLeaveDateTime,companyName,department,jobTitle,officeLocation,usageLocation,country,accountEnabled,\
               userType,createdDateTime,onPremisesSyncEnabled,onPremisesImmutableId,signInSessionsValidFromDateTime";
    let of_group = "id,displayName,description,mail,mailEnabled,securityEnabled,groupTypes,membershipRule,isAssignableToRole,\
                    isManagementRestricted,onPremisesSyncEnabled,resourceProvisioningOptions,assignedLicenses";
    let staff = format!("/groups/{ALL_STAFF}");
    let calls = [
        ("/users", "/users".to_owned()),
        (
            "/users",
            format!("/users?$select={all}&$top=999&$expand=manager($select=id)"),
        ),
        (
            "/users",
            "/users?$filter=employeeId%20eq%20'E-1'&$count=true".into(),
        ),
        ("/users/{user-id}", format!("/users/{BOB}?$select={all}")),
        ("/users/{user-id}", "/users/bob@contoso.example".into()),
        (
            "/users/{user-id}",
            format!("/users/{CEM}?$expand=manager($levels=max;$select=id,displayName)&$select=id"),
        ),
        ("/users/{user-id}/manager", format!("/users/{BOB}/manager")),
        (
            "/users/{user-id}/manager",
            format!("/users/{BOB}/manager?$select=id,displayName"),
        ),
        (
            "/users/{user-id}/directReports",
            format!("/users/{ADA}/directReports"),
        ),
        (
            "/users/{user-id}/memberOf",
            format!("/users/{ADA}/memberOf"),
        ),
        (
            "/users/{user-id}/transitiveMemberOf",
            format!("/users/{ADA}/transitiveMemberOf"),
        ),
        (
            "/users/{user-id}/appRoleAssignments",
            format!("/users/{ADA}/appRoleAssignments"),
        ),
        (
            "/users/delta",
            format!("/users/delta?$select={all},manager"),
        ),
        ("/users/delta()", "/users/delta()".into()),
        ("/groups", "/groups".into()),
        ("/groups", format!("/groups?$select={of_group}")),
        ("/groups/{group-id}", staff.clone()),
        (
            "/groups/{group-id}",
            format!("/groups/{READERS}?$expand=members($select=id)"),
        ),
        ("/groups/{group-id}/members", format!("{staff}/members")),
        (
            "/groups/{group-id}/members",
            format!("{staff}/members?$select=id,displayName&$top=5"),
        ),
        // A cast changes nothing about the shape.
        (
            "/groups/{group-id}/members",
            format!("{staff}/members/microsoft.graph.user?$select=id&$top=999"),
        ),
        (
            "/groups/{group-id}/transitiveMembers",
            format!("{staff}/transitiveMembers"),
        ),
        (
            "/groups/delta",
            "/groups/delta?$select=displayName,members".into(),
        ),
        ("/groups/delta()", "/groups/delta()".into()),
        (
            "/directoryObjects/{directoryObject-id}",
            format!("/directoryObjects/{READERS}"),
        ),
        ("/servicePrincipals", "/servicePrincipals".into()),
        (
            "/servicePrincipals/{servicePrincipal-id}",
            format!("/servicePrincipals/{PORTAL_APP}?$select=id,appId,appRoles"),
        ),
        (
            "/servicePrincipals/{servicePrincipal-id}/appRoleAssignedTo",
            format!("/servicePrincipals/{PORTAL_APP}/appRoleAssignedTo"),
        ),
        ("/organization", "/organization".into()),
    ];
    for (path, target) in calls {
        let target = target.replace(' ', "");
        let reply = held(&tenant, "GET", path, &target, None).await;
        assert_eq!(reply.status, 200, "{target}: {}", reply.body);
    }
    // The description leaves sponsors out; they are directory objects like managers.
    let sponsors = tenant.get(&format!("/users/{CEM}/sponsors")).await;
    assert_eq!(sponsors.ids(), [ADA.to_string(), BOB.to_string()]);
    typed(&sponsors.json());
}

#[tokio::test]
async fn writes_take_and_give_microsofts_shapes() {
    let tenant = Tenant::start().await;
    let root = tenant.sandbox.graph_url();
    let reference = |id| json!({ "@odata.id": format!("{root}/directoryObjects/{id}") });
    let members = format!("/groups/{READERS}/members");
    let member = format!("{members}/{BOB}/$ref");
    let on_member = "/groups/{group-id}/members/{directoryObject-id}/$ref";
    let on_user = "/users/{user-id}";
    let bind: Vec<String> = (100..120)
        .map(|n| format!("{root}/directoryObjects/{}", user(n)))
        .collect();
    let newcomer = json!({
        "accountEnabled": true, "displayName": "New Comer", "mailNickname": "new", "userPrincipalName": "new@contoso.example",
        "passwordProfile": { "password": "x", "forceChangePasswordNextSignIn": true }, "employeeId": "E-77",
    });
    let calls = [
        (
            "POST",
            "/groups/{group-id}/members/$ref",
            format!("{members}/$ref"),
            Some(reference(BOB)),
            204,
        ),
        (
            "POST",
            "/groups/{group-id}/members/$ref",
            format!("{members}/$ref"),
            Some(reference(BOB)),
            400,
        ),
        (
            "POST",
            "/groups/{group-id}/members/$ref",
            format!("/groups/{MAIL}/members/$ref"),
            Some(reference(BOB)),
            400,
        ),
        ("DELETE", on_member, member.clone(), None, 204),
        ("DELETE", on_member, member, None, 404),
        (
            "PATCH",
            "/groups/{group-id}",
            format!("/groups/{READERS}"),
            Some(json!({ "members@odata.bind": bind })),
            204,
        ),
        (
            "PATCH",
            on_user,
            format!("/users/{GUEST}"),
            Some(json!({ "accountEnabled": false })),
            204,
        ),
        (
            "PATCH",
            on_user,
            format!("/users/{GUEST}"),
            Some(json!({ "department": "Sales", "city": null })),
            204,
        ),
        (
            "PUT",
            "/users/{user-id}/manager/$ref",
            format!("/users/{GUEST}/manager/$ref"),
            Some(reference(ADA)),
            204,
        ),
        (
            "DELETE",
            "/users/{user-id}/manager/$ref",
            format!("/users/{GUEST}/manager/$ref"),
            None,
            204,
        ),
        (
            "DELETE",
            "/users/{user-id}/manager/$ref",
            format!("/users/{GUEST}/manager/$ref"),
            None,
            404,
        ),
        (
            "POST",
            "/users",
            "/users".into(),
            Some(newcomer.clone()),
            201,
        ),
        ("POST", "/users", "/users".into(), Some(newcomer), 400),
        (
            "POST",
            "/users/{user-id}/revokeSignInSessions",
            format!("/users/{GUEST}/revokeSignInSessions"),
            None,
            200,
        ),
        (
            "POST",
            "/users/{user-id}/checkMemberGroups",
            format!("/users/{ADA}/checkMemberGroups"),
            Some(json!({ "groupIds": [READERS, MAIL] })),
            200,
        ),
        (
            "POST",
            "/users/{user-id}/getMemberObjects",
            format!("/users/{ADA}/getMemberObjects"),
            Some(json!({ "securityEnabledOnly": true })),
            200,
        ),
        ("DELETE", on_user, format!("/users/{GUEST}"), None, 204),
        ("GET", on_user, format!("/users/{GUEST}"), None, 404),
        (
            "GET",
            "/users/{user-id}/manager",
            format!("/users/{ADA}/manager"),
            None,
            404,
        ),
    ];
    for (method, path, target, body, status) in calls {
        let reply = held(&tenant, method, path, &target, body).await;
        assert_eq!(reply.status, status, "{method} {target}: {}", reply.body);
    }
    let batch = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/users/{ADA}") },
        { "id": "2", "method": "POST", "url": format!("{members}/$ref"), "headers": { "Content-Type": "application/json" }, "body": reference(BOB) },
        { "id": "3", "method": "GET", "url": "/users/nobody@contoso.example" },
    ]});
    let reply = held(&tenant, "POST", "/$batch", "/$batch", Some(batch)).await;
    let by_id = |id: &str| {
        reply.json()["responses"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (by_id("1")["status"].clone(), by_id("2")["status"].clone()),
        (json!(200), json!(204))
    );
    schema::check(&schema::named("user"), &by_id("1")["body"]).unwrap();
    schema::check(
        &schema::response("GET", "/users/{user-id}", 404),
        &by_id("3")["body"],
    )
    .unwrap();
}

#[tokio::test]
async fn app_roles_and_licences_take_and_give_microsofts_shapes() {
    let tenant = Tenant::start().await;
    let assigned_to = "/servicePrincipals/{servicePrincipal-id}/appRoleAssignedTo";
    let of_portal = format!("/servicePrincipals/{PORTAL_APP}/appRoleAssignedTo");
    let role = |role| json!({ "principalId": BOB, "resourceId": PORTAL_APP, "appRoleId": role });
    let made = held(
        &tenant,
        "POST",
        assigned_to,
        &of_portal,
        Some(role(AUDITOR)),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let assignment = made.json()["id"].as_str().unwrap().to_owned();
    for (wrong, words) in [
        (AUDITOR, "already exists on the object"),
        (OFFICE, "was not found on application"),
    ] {
        let refused = held(&tenant, "POST", assigned_to, &of_portal, Some(role(wrong))).await;
        assert_eq!(refused.status, 400);
        assert!(refused.error().1.contains(words), "{}", refused.body);
    }
    // Whoever is in a group sees what the group holds beside their own.
    let of_user = "/users/{user-id}/appRoleAssignments";
    let target = format!("/users/{ADA}/appRoleAssignments?$filter=resourceId%20eq%20{PORTAL_APP}");
    let kinds: Vec<String> = held(&tenant, "GET", of_user, &target, None)
        .await
        .value()
        .iter()
        .map(|one| one["principalType"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["User", "Group"]);
    let one = format!("{of_portal}/{assignment}");
    let path = format!("{assigned_to}/{{appRoleAssignment-id}}");
    for status in [204, 404] {
        assert_eq!(
            held(&tenant, "DELETE", &path, &one, None).await.status,
            status
        );
    }

    let skus = held(&tenant, "GET", "/subscribedSkus", "/subscribedSkus", None).await;
    assert_eq!(skus.value()[0]["consumedUnits"], json!(0));
    let assign = "/users/{user-id}/assignLicense";
    let change = async |who: Uuid, add: bool| {
        let body = if add {
            json!({ "addLicenses": [{ "skuId": OFFICE, "disabledPlans": [] }], "removeLicenses": [] })
        } else {
            json!({ "addLicenses": [], "removeLicenses": [OFFICE] })
        };
        let target = format!("/users/{who}/assignLicense");
        held(&tenant, "POST", assign, &target, Some(body)).await
    };
    let refused = change(BOB, true).await;
    assert!(
        refused.error().1.contains("invalid usage location"),
        "{}",
        refused.body
    );
    for who in [BOB, CEM] {
        let user = tenant.sandbox.user(who).unwrap();
        tenant.sandbox.put_user(sandbox::User {
            usage_location: Some("SE".into()),
            ..user
        });
    }
    assert_eq!(change(BOB, true).await.status, 200);
    let refused = change(CEM, true).await;
    assert!(
        refused.error().1.contains("any available licenses"),
        "{}",
        refused.body
    );
    let select = "$select=id,assignedLicenses,licenseAssignmentStates";
    let target = format!("/users?$filter=assignedLicenses/any(x:x/skuId%20eq%20{OFFICE})&{select}");
    let holders = held(&tenant, "GET", "/users", &target, None).await;
    assert_eq!(holders.ids(), [BOB.to_string()]);
    let state = &holders.value()[0]["licenseAssignmentStates"][0];
    assert_eq!(
        (&state["state"], &state["assignedByGroup"]),
        (&json!("Active"), &json!(null))
    );
    assert_eq!(change(BOB, false).await.status, 200);
    let refused = change(BOB, false).await;
    assert!(
        refused.error().1.contains("corresponding license"),
        "{}",
        refused.body
    );
    tenant.sandbox.put_group(sandbox::Group {
        assigned_licenses: vec![json!({ "skuId": OFFICE })],
        ..sandbox::Group::new(READERS, "Ledger readers")
    });
    let refused = change(ADA, false).await;
    assert!(
        refused.error().1.contains("inherited from a group"),
        "{}",
        refused.body
    );
}

/// Without this, a validator that accepts anything would look like a sandbox without faults.
#[test]
fn the_validator_refuses_what_is_wrong() {
    let user = schema::named("user");
    assert!(
        schema::check(
            &user,
            &json!({ "id": "x", "employeeHireDate": "2026-01-01T00:00:00Z" })
        )
        .is_ok()
    );
    assert!(schema::check(&user, &json!({ "id": "x", "mail": null })).is_ok());
    assert!(schema::check(&user, &json!({ "id": 7 })).is_err());
    assert!(schema::check(&user, &json!({ "id": null })).is_err());
    assert!(schema::check(&user, &json!({ "accountEnabled": "yes" })).is_err());
    assert!(schema::check(&user, &json!({ "employeeHireDate": "tomorrow" })).is_err());
    assert!(schema::check(&user, &json!({ "jobTitel": "misspelt" })).is_err());
    let collection = schema::response("GET", "/users", 200);
    assert!(schema::check(&collection, &json!({ "values": [] })).is_err());
    let add = schema::request("POST", "/groups/{group-id}/members/$ref");
    assert!(
        schema::check(
            &add,
            &json!({ "@odata.id": "https://graph.example/v1.0/directoryObjects/1" })
        )
        .is_ok()
    );
    assert!(
        schema::check(
            &add,
            &json!({ "odata.id": "https://graph.example/v1.0/directoryObjects/1" })
        )
        .is_err()
    );
    let change = schema::request("PATCH", "/groups/{group-id}");
    assert!(
        schema::check(
            &change,
            &json!({ "members@odata.bind": ["https://graph.example/v1.0/directoryObjects/1"] })
        )
        .is_ok()
    );
    assert!(schema::check(&change, &json!({ "members@odata.bnid": [] })).is_err());
    let error = schema::response("GET", "/users", 429);
    assert!(schema::check(&error, &json!({ "error": { "code": "x" } })).is_err());
}
