//! `POST /$batch`: up to 20 requests in one, each answered for itself, in no particular order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Answer, Answered, Asked, Call},
    perform,
};

const LARGEST: usize = 20;

#[derive(Debug, Deserialize)]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default, rename = "dependsOn")]
    depends_on: Vec<String>,
}

/// Performs all requests. Answers come back in reverse, so that nobody relies on their order.
pub(crate) fn answer(call: &Call<'_>, client_request_id: Option<&str>) -> Answered {
    let mut body = call.object()?;
    let items = body
        .remove("requests")
        .and_then(|requests| serde_json::from_value::<Vec<Item>>(requests).ok());
    let items = items
        .filter(|items| !items.is_empty())
        .ok_or_else(|| Answer::bad_request("BadRequest", "Invalid batch payload format."))?;
    if items.len() > LARGEST {
        return Err(Answer::bad_request(
            "BadRequest",
            &format!("Number of batch request steps exceeds the maximum value of {LARGEST}."),
        ));
    }
    let ids: BTreeSet<&str> = items.iter().map(|item| item.id.as_str()).collect();
    if ids.len() < items.len() {
        return Err(Answer::bad_request(
            "BadRequest",
            "The ids of the requests in a batch must be unique.",
        ));
    }
    let mut failed = BTreeSet::new();
    let mut done = BTreeSet::new();
    let mut responses = Vec::with_capacity(items.len());
    for item in &items {
        if let Some(other) = item
            .depends_on
            .iter()
            .find(|other| !done.contains(other.as_str()))
        {
            return Err(Answer::bad_request(
                "BadRequest",
                &format!(
                    "Request '{}' depends on '{other}', which does not come before it.",
                    item.id
                ),
            ));
        }
        let response = if item
            .depends_on
            .iter()
            .any(|other| failed.contains(other.as_str()))
        {
            let error = json!({ "error": { "code": "FailedDependency", "message": "A request that this one depends on failed." } });
            json!({ "id": item.id, "status": 424, "headers": { "Content-Type": "application/json" }, "body": error })
        } else {
            one(call, item, client_request_id)
        };
        if response["status"]
            .as_u64()
            .is_none_or(|status| status >= 400)
        {
            failed.insert(item.id.as_str());
        }
        done.insert(item.id.as_str());
        responses.push(response);
    }
    responses.reverse();
    Ok(Answer::ok(json!({ "responses": responses })))
}

fn one(call: &Call<'_>, item: &Item, client_request_id: Option<&str>) -> Value {
    let header = |name: &str| {
        item.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    let (path, query) = item.url.split_once('?').unwrap_or((&item.url, ""));
    let asked = Asked {
        method: item.method.to_ascii_uppercase(),
        path: path.to_owned(),
        query: query.to_owned(),
        prefer: header("Prefer"),
        eventual: header("ConsistencyLevel").is_some_and(|level| level == "eventual"),
        json: header("Content-Type").is_some_and(|kind| kind.starts_with("application/json")),
        body: item
            .body
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default()
            .into_bytes(),
        client_request_id: header("client-request-id")
            .or_else(|| client_request_id.map(str::to_owned)),
        in_batch: true,
    };
    let performed = perform(call.shared, call.client, &asked);
    let mut response = json!({ "id": item.id, "status": performed.status.as_u16() });
    let mut headers: serde_json::Map<String, Value> = performed
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    if let Some(body) = performed.body {
        headers.insert("Content-Type".into(), json!("application/json"));
        response["body"] = body;
    }
    response["headers"] = Value::Object(headers);
    response
}
