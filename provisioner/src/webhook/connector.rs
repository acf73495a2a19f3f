//! The hands at the end of a webhook: three verbs, `access.present`, `access.absent` and `access.observe`, all POSTs to the one
//! address of the configuration. A write carries the same id each time that it is sent for the same wish, so that the receiver
//! knows it again. `docs/targets.md` says what a receiver answers.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::{AssignmentId, assignment::Observed};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::{Value, json};
use workflow::{Clock, assignments::Call};

use super::signature::{Secret, sign};
use crate::connector::{Connector, Evidence, Failure, Finding, Listing, Outcome, Place, Reply};

/// A receiver that took a wish on and does not call back is asked again after so long.
const ASK_AGAIN: chrono::Duration = chrono::Duration::minutes(5);
/// No answer of a receiver is larger.
const LARGEST_ANSWER: usize = 1 << 20;

/// Where a target is, and how it knows us.
#[derive(Clone, Debug)]
pub struct Options {
    /// The one address that is called.
    pub address: String,
    /// What both sides sign with.
    pub secret: Secret,
    /// Where the receiver may say that a wish is fulfilled.
    pub callback: String,
}

/// Rights behind one webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    http: reqwest::Client,
    clock: Clock,
    options: Options,
}

/// The id of a wish: the same each time that it is sent, another once it is wanted otherwise.
fn wish_id(place: &Place, call: Call) -> String {
    format!(
        "{}.{call}.{}",
        place.id,
        place.desired_since.timestamp_micros()
    )
}

/// The assignment and the call that a wish's id names.
pub fn wish_of(id: &str) -> Option<(AssignmentId, Call)> {
    let mut parts = id.split('.');
    let assignment = parts.next()?.parse().ok()?;
    let call: Call = parts.next()?.parse().ok()?;
    parts.next()?.parse::<i64>().ok()?;
    (parts.next().is_none() && call != Call::Read).then_some((assignment, call))
}

/// An answer, read.
struct Answer {
    status: StatusCode,
    request_id: Option<String>,
    after: Option<chrono::Duration>,
    body: Value,
}

impl Webhook {
    /// Over a client that follows no redirect.
    pub const fn new(http: reqwest::Client, clock: Clock, options: Options) -> Self {
        Self {
            http,
            clock,
            options,
        }
    }

    async fn call(&self, id: &str, verb: &str, data: &Value) -> Result<Answer, String> {
        // A signature is looked at by the receiver's clock, which no trial moves.
        let now = self.clock.system_now();
        let body = json!({"type": verb, "timestamp": now.to_rfc3339(), "data": data}).to_string();
        let signature = sign(&self.options.secret, id, now, body.as_bytes());
        let lost = |error: reqwest::Error| format!("no answer: {}", error.without_url());
        let answer = self
            .http
            .post(&self.options.address)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.timestamp().to_string())
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await
            .map_err(lost)?;
        read(answer).await
    }

    fn data(&self, place: &Place, id: &str) -> Value {
        json!({
            "wish": id,
            "right": place.external_id,
            "account": {
                "id": place.object_id,
                "user_name": place.user_name,
                "name": place.person_name,
                "mail": place.mail,
                "employee_id": place.employee_id,
                "enabled": place.enabled,
            },
            "callback": self.options.callback,
        })
    }

    async fn write(&self, place: &Place, call: Call, verb: &str) -> Reply {
        let started = Instant::now();
        let id = wish_id(place, call);
        let answer = match self.call(&id, verb, &self.data(place, &id)).await {
            Ok(answer) => answer,
            Err(why) => return lost(why, &id, started),
        };
        let outcome = if answer.status == StatusCode::ACCEPTED {
            Outcome::Pending {
                after: answer.after.unwrap_or(ASK_AGAIN),
            }
        } else if answer.status.is_success() {
            Outcome::Done
        } else {
            Outcome::Failed(failure(&answer))
        };
        Reply {
            outcome,
            evidence: evidence(&answer, &id, started),
        }
    }
}

async fn read(mut answer: Response) -> Result<Answer, String> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.chars().take(200).collect::<String>())
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| format!("no answer: {}", error.without_url()))?
    {
        if bytes.len() + chunk.len() > LARGEST_ANSWER {
            return Err("the answer is too large to be read".into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        request_id: text("x-request-id"),
        after: text(RETRY_AFTER.as_str())
            .and_then(|text| text.trim().parse::<i64>().ok())
            .filter(|seconds| (0..=86_400).contains(seconds))
            .map(chrono::Duration::seconds),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    })
}

fn said(answer: &Answer) -> String {
    let text = answer.body["detail"]
        .as_str()
        .unwrap_or("without a word why");
    let text: String = text.chars().take(300).collect();
    format!("{} {text}", answer.status.as_u16())
}

fn failure(answer: &Answer) -> Failure {
    let said = said(answer);
    match answer.status.as_u16() {
        429 => Failure::Later {
            after: answer.after.or(Some(chrono::Duration::seconds(10))),
            throttled: true,
            why: said,
        },
        408 | 409 | 425 | 500..=599 => Failure::Later {
            after: answer.after,
            throttled: false,
            why: said,
        },
        401 | 403 => Failure::Misconfigured {
            what: format!("The receiver does not take our signature: {said}"),
            fix: "Give both sides the same secret, and look at the receiver's clock.".into(),
            everywhere: true,
        },
        300..=399 => Failure::Misconfigured {
            what: format!("The receiver leads elsewhere, and no redirect is followed: {said}"),
            fix: "Put the address that it leads to into the configuration.".into(),
            everywhere: true,
        },
        _ => Failure::Never {
            why: format!("The receiver refused it: {said}"),
            fix:
                "Look at what it says; correct the right's word in the catalogue, or the receiver."
                    .into(),
        },
    }
}

fn evidence(answer: &Answer, id: &str, started: Instant) -> Evidence {
    Evidence {
        status: Some(answer.status.as_u16()),
        request_id: answer.request_id.clone(),
        client_request_id: Some(id.to_owned()),
        detail: if answer.status.is_success() {
            String::new()
        } else {
            said(answer)
        },
        took: started.elapsed(),
        account: None,
        otherwise: false,
    }
}

fn lost(why: String, id: &str, started: Instant) -> Reply {
    Reply {
        evidence: Evidence {
            client_request_id: Some(id.to_owned()),
            detail: why.clone(),
            took: started.elapsed(),
            ..Evidence::default()
        },
        outcome: Outcome::Failed(Failure::Later {
            after: None,
            throttled: false,
            why,
        }),
    }
}

fn nonsense(what: &str) -> Failure {
    Failure::Misconfigured {
        what: format!("The receiver answers with something else: {what}."),
        fix: "Have it answer as the documentation of webhook targets says.".into(),
        everywhere: false,
    }
}

#[async_trait]
impl Connector for Webhook {
    async fn observe(&self, place: &Place) -> Reply {
        let started = Instant::now();
        let id = format!(
            "{}.read.{}",
            place.id,
            self.clock.system_now().timestamp_micros()
        );
        let answer = match self
            .call(&id, "access.observe", &self.data(place, &id))
            .await
        {
            Ok(answer) => answer,
            Err(why) => return lost(why, &id, started),
        };
        let outcome = if answer.status == StatusCode::OK {
            match answer.body["observed"].as_str() {
                Some("present") => Outcome::Seen(Observed::Present),
                Some("absent") => Outcome::Seen(Observed::Absent),
                _ => Outcome::Failed(nonsense("it does not say whether the right is there")),
            }
        } else {
            Outcome::Failed(failure(&answer))
        };
        Reply {
            outcome,
            evidence: evidence(&answer, &id, started),
        }
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        self.write(place, Call::Add, "access.present").await
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        self.write(place, Call::Remove, "access.absent").await
    }

    async fn list(&self, _: &str, external_id: &str) -> Result<Listing, Failure> {
        let id = format!("list.{}", self.clock.system_now().timestamp_micros());
        let (mut holders, mut cursor) = (std::collections::BTreeSet::new(), Value::Null);
        // A receiver whose pages have no end is not believed.
        for page in 0..1000 {
            let data = json!({"right": external_id, "cursor": cursor});
            let answer = self
                .call(&format!("{id}.{page}"), "access.list", &data)
                .await
                .map_err(|why| Failure::Later {
                    after: None,
                    throttled: false,
                    why,
                })?;
            if answer.status != StatusCode::OK {
                return Err(failure(&answer));
            }
            let Some(listed) = answer.body["holders"].as_array() else {
                return Err(nonsense("a listing has no holders"));
            };
            holders.extend(listed.iter().filter_map(|id| Some(id.as_str()?.to_owned())));
            cursor = answer.body["next"].clone();
            if cursor.is_null() {
                return Ok(Listing {
                    holders,
                    ..Listing::default()
                });
            }
        }
        Err(nonsense("a listing has no end"))
    }

    async fn diagnose(&self) -> Vec<Finding> {
        let id = format!("ping.{}", self.clock.system_now().timestamp_micros());
        let bad = |what: String, fix: String| {
            vec![Finding {
                fine: false,
                what,
                fix,
            }]
        };
        match self.call(&id, "ping", &json!({})).await {
            Err(why) => bad(
                format!("The receiver was not reached: {why}."),
                "Look whether it runs, and whether its address is right.".into(),
            ),
            Ok(answer) if answer.status.is_success() => vec![Finding {
                fine: true,
                what: "The receiver takes our signature.".into(),
                fix: String::new(),
            }],
            Ok(answer) => match failure(&answer) {
                Failure::Never { why, fix } => bad(why, fix),
                Failure::Misconfigured { what, fix, .. } => bad(what, fix),
                Failure::Later { why, .. } => bad(
                    format!("The receiver does not work now: {why}."),
                    "Look at the receiver's own log.".into(),
                ),
            },
        }
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(15)
    }
}
