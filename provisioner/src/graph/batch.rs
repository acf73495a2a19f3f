//! Up to twenty calls in one (`$batch`). The outer answer says nothing about the inner ones.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Error, Kind, failed, retry_after},
    client::{Graph, Priority},
};

/// Graph takes at most so many calls in one.
pub(crate) const MOST: usize = 20;

/// One inner call.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Its method.
    pub method: Method,
    /// Path below the base, with its query.
    pub path: String,
    /// Its body.
    pub body: Option<Value>,
}

impl Ask {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
        }
    }
}

impl Graph {
    /// Makes up to twenty calls in one; gives one result for each, in order. An inner 429 is that call's own to repeat.
    ///
    /// # Errors
    /// If the outer call failed: then none of the inner ones is known to have had its effect.
    pub async fn batch(
        &self,
        asks: &[Ask],
        priority: Priority,
    ) -> Result<Vec<Result<Answer, Error>>, Error> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        if asks.len() > MOST {
            return Err(Error::plain(
                Kind::Nonsense,
                format!("{} calls in one are more than {MOST}", asks.len()),
            ));
        }
        let requests: Vec<Value> = asks
            .iter()
            .enumerate()
            .map(|(index, ask)| {
                let mut request = json!({
                    "id": index.to_string(), "method": ask.method.as_str(), "url": ask.path,
                });
                if let Some(body) = &ask.body {
                    request["body"] = body.clone();
                    request["headers"] = json!({"Content-Type": "application/json"});
                }
                request
            })
            .collect();
        let outer = self
            .post("/$batch", &json!({"requests": requests}), priority)
            .await?;
        let Some(responses) = outer.body["responses"].as_array() else {
            return Err(Error::plain(Kind::Nonsense, "a batch has no responses"));
        };
        // They come in any order.
        let mut by_id: BTreeMap<String, &Value> = BTreeMap::new();
        for response in responses {
            if let Some(id) = response["id"].as_str() {
                by_id.insert(id.to_owned(), response);
            }
        }
        Ok((0..asks.len())
            .map(|index| match by_id.get(&index.to_string()) {
                Some(response) => self.inner_answer(response, &outer),
                None => Err(Error {
                    client_request_id: Some(outer.client_request_id.clone()),
                    request_id: outer.request_id.clone(),
                    ..Error::plain(Kind::Network, "a batch left this call unanswered")
                }),
            })
            .collect())
    }

    fn inner_answer(&self, response: &Value, outer: &Answer) -> Result<Answer, Error> {
        let header = |wanted: &str| {
            response["headers"]
                .as_object()?
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .and_then(|(_, value)| match value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
        };
        let request_id = header("request-id").or_else(|| outer.request_id.clone());
        let status = response["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(0);
        if (200..300).contains(&status) {
            return Ok(Answer {
                status,
                body: response["body"].clone(),
                request_id,
                client_request_id: outer.client_request_id.clone(),
            });
        }
        let wait =
            header("retry-after").and_then(|text| retry_after(&text, self.clock().system_now()));
        Err(Error {
            request_id,
            client_request_id: Some(outer.client_request_id.clone()),
            ..failed(status, &response["body"], wait)
        })
    }
}
