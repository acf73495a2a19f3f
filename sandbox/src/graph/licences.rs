//! Licences: what the tenant has bought, who holds it and by which way, and giving and taking it in the words of Entra.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Answered, Call},
    users,
};
use crate::{
    directory::{SubscribedSku, User},
    world::World,
};

fn whole(call: &Call<'_>, world: &World, sku: &SubscribedSku) -> Value {
    json!({
        "id": format!("{}_{}", call.shared.tenant, sku.sku_id),
        "accountId": call.shared.tenant,
        "accountName": world.organization.display_name,
        "appliesTo": sku.applies_to,
        "capabilityStatus": sku.capability_status,
        "consumedUnits": world.seats_taken(sku.sku_id),
        "prepaidUnits": { "enabled": sku.seats, "suspended": 0, "warning": 0, "lockedOut": 0 },
        "servicePlans": [],
        "skuId": sku.sku_id,
        "skuPartNumber": sku.sku_part_number,
        "subscriptionIds": [],
    })
}

/// `GET /subscribedSkus`: all of them, on one page.
pub(crate) fn list(call: &Call<'_>) -> Answer {
    let world = call.shared.world();
    let skus: Vec<Value> = world
        .skus
        .iter()
        .map(|sku| whole(call, &world, sku))
        .collect();
    Answer::ok(json!({ "@odata.context": call.context("subscribedSkus"), "value": skus }))
}

/// `GET /subscribedSkus/{tenant}_{sku}`
pub(crate) fn get(call: &Call<'_>, key: &str) -> Answered {
    let world = call.shared.world();
    let found = world
        .skus
        .iter()
        .find(|sku| format!("{}_{}", call.shared.tenant, sku.sku_id) == key);
    let mut shown = whole(call, &world, found.ok_or_else(|| Answer::not_found(key))?);
    shown["@odata.context"] = call.context("subscribedSkus/$entity");
    Ok(Answer::ok(shown))
}

/// Puts into a user which licences they hold, and by which way.
pub(crate) fn put(call: &Call<'_>, world: &World, user: &User, whole: &mut Map<String, Value>) {
    if world.skus.is_empty() {
        return;
    }
    let error = call.effects.licence_error.as_deref();
    let direct = world.direct_licences(user.id);
    let inherited = world.inherited_licences(user.id);
    let state = |sku: &Uuid, group: Option<&Uuid>, error: Option<&str>| {
        json!({
            "skuId": sku, "disabledPlans": [], "assignedByGroup": group,
            "state": if error.is_some() { "Error" } else { "Active" }, "error": error.unwrap_or("None"),
        })
    };
    let mut states: Vec<Value> = direct.iter().map(|sku| state(sku, None, error)).collect();
    for (sku, groups) in &inherited {
        states.extend(groups.iter().map(|group| state(sku, Some(group), None)));
    }
    let works = direct.iter().filter(|_| error.is_none());
    let held: BTreeSet<&Uuid> = works.chain(inherited.keys()).collect();
    let held: Vec<Value> = held
        .into_iter()
        .map(|sku| json!({ "skuId": sku, "disabledPlans": [] }))
        .collect();
    whole.insert("assignedLicenses".into(), json!(held));
    whole.insert("licenseAssignmentStates".into(), json!(states));
}

fn refused(message: &str) -> Answer {
    Answer::bad_request("Request_BadRequest", message)
}

fn id(value: Option<&Value>) -> Result<Uuid, Answer> {
    value
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| {
            refused("Invalid value specified for property 'skuId' of resource 'AssignedLicense'.")
        })
}

/// `POST /users/{id}/assignLicense`: all of it, or nothing.
pub(crate) fn assign(call: &Call<'_>, key: &str) -> Answered {
    let body = call.object()?;
    let list = |name: &str| body.get(name).and_then(Value::as_array);
    let (Some(add), Some(remove)) = (list("addLicenses"), list("removeLicenses")) else {
        return Err(refused(
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing parameters are: addLicenses or removeLicenses.",
        ));
    };
    let mut world = call.shared.world();
    let user = users::find(&world, key)?.clone();
    let mut direct = world.direct_licences(user.id);
    let inherited = world.inherited_licences(user.id);
    for sku in remove {
        let sku = id(Some(sku))?;
        if direct.remove(&sku) {
            continue;
        }
        return Err(refused(if inherited.contains_key(&sku) {
            "User license is inherited from a group membership and it cannot be removed directly from the user."
        } else {
            "User does not have a corresponding license."
        }));
    }
    if !add.is_empty() && user.usage_location.is_none() {
        return Err(refused(
            "License assignment cannot be done for user with invalid usage location.",
        ));
    }
    for entry in add {
        let sku = id(entry.get("skuId"))?;
        let Some(bought) = world.skus.iter().find(|known| known.sku_id == sku) else {
            return Err(refused(&format!(
                "License {sku} does not correspond to a valid company License."
            )));
        };
        let sits = direct.contains(&sku) || inherited.contains_key(&sku);
        if !sits && world.seats_taken(sku) >= bought.seats {
            return Err(refused(&format!(
                "Subscription with SKU {sku} does not have any available licenses."
            )));
        }
        direct.insert(sku);
    }
    world.set_licences(user.id, direct);
    let mut shown = users::show(&users::whole(&user), None, false);
    shown.insert("@odata.context".into(), call.context("users/$entity"));
    Ok(Answer::ok(Value::Object(shown)))
}
