//! `GET /events?topics=req_…,per_…`: hints that something changed, never data. Each hint is authorised by itself; the stream
//! ends with the session and when the process stops. A page that listens does not count as activity.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Query, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{
    PersonId, RequestId,
    person::PortalRole::{Administrator, Auditor, CatalogueOwner, Hr, Operator, Security},
};
use futures::stream;
use serde::Deserialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tower_sessions::{Session, session::Id};
use workflow::access::Viewer;

use super::Portal;

/// More than any page of ours names.
const MOST_TOPICS: usize = 50;
/// How often a silent stream looks whether its session still holds.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Several changes of one moment become one hint.
const GATHER: Duration = Duration::from_millis(100);

/// What `GET /events` takes.
#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    #[serde(default)]
    topics: String,
}

struct Listening {
    portal: Portal,
    session: Id,
    topics: BTreeSet<String>,
    hints: Receiver<Arc<str>>,
}

/// Begins a stream for a signed-in person.
pub async fn stream(
    State(portal): State<Portal>,
    Extension(viewer): Extension<Option<Arc<Viewer>>>,
    session: Session,
    Query(query): Query<EventsQuery>,
) -> Response {
    let (Some(_), Some(session)) = (viewer, session.id()) else {
        // An event source gives up on this status and does not knock for ever.
        return StatusCode::NO_CONTENT.into_response();
    };
    let topics: BTreeSet<String> = query
        .topics
        .split(',')
        .filter(|topic| !topic.is_empty() && topic.len() <= 64)
        .take(MOST_TOPICS)
        .map(ToOwned::to_owned)
        .collect();
    let listening = Listening {
        hints: portal.workflow().hub().listen(),
        portal,
        session,
        topics,
    };
    let events = stream::unfold(listening, |mut listening| async move {
        let topics = listening.next().await?;
        let text = topics.into_iter().collect::<Vec<_>>().join(" ");
        let event = Event::default().event("changed").data(text);
        Some((Ok::<_, Infallible>(event), listening))
    });
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
        .into_response();
    // Proxies that gather answers would hold hints back.
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    response
}

impl Listening {
    /// The next topics that changed and that the person may know of; `None` ends the stream.
    async fn next(&mut self) -> Option<BTreeSet<String>> {
        loop {
            let stop = self.portal.parts().stop.clone();
            let heard = tokio::select! {
                () = stop.cancelled() => return None,
                heard = tokio::time::timeout(LOOK_EVERY, self.hints.recv()) => heard,
            };
            let mut changed = BTreeSet::new();
            match heard {
                Ok(Err(RecvError::Closed)) => return None,
                // Too slow: what was missed may have been any of ours.
                Ok(Err(RecvError::Lagged(_))) => changed.clone_from(&self.topics),
                Ok(Ok(topic)) => {
                    self.note(&mut changed, &topic);
                    if changed.is_empty() {
                        continue;
                    }
                    tokio::time::sleep(GATHER).await;
                    while let Ok(topic) = self.hints.try_recv() {
                        self.note(&mut changed, &topic);
                    }
                }
                // Nothing happened, which is a good moment to see whether the session still holds.
                Err(_) => {}
            }
            let viewer = self.viewer().await?;
            let mut visible = BTreeSet::new();
            for topic in changed {
                if self.may_hear(&viewer, &topic).await {
                    visible.insert(topic);
                }
            }
            if !visible.is_empty() {
                return Some(visible);
            }
        }
    }

    fn note(&self, changed: &mut BTreeSet<String>, topic: &str) {
        if topic == "*" {
            changed.extend(self.topics.iter().cloned());
        } else if self.topics.contains(topic) {
            changed.insert(topic.to_owned());
        }
    }

    async fn viewer(&self) -> Option<Viewer> {
        let workflow = self.portal.workflow();
        let me = self.portal.kept().look(&self.session).await.ok()??;
        workflow::access::viewer(workflow, me.person, me.account)
            .await
            .ok()?
    }

    /// Whether the person may open a page about the topic: the same function that loads the page says so.
    async fn may_hear(&self, viewer: &Viewer, topic: &str) -> bool {
        let workflow = self.portal.workflow();
        if let Ok(person) = topic.parse::<PersonId>() {
            return person == viewer.id()
                || workflow::views::person::load(workflow, viewer, person)
                    .await
                    .is_ok();
        }
        if let Ok(request) = topic.parse::<RequestId>() {
            return workflow::views::request::load(workflow, viewer, request)
                .await
                .is_ok();
        }
        let roles: &[_] = match topic {
            "catalogue" => return true,
            "provisioning" => &[Administrator, Operator, Security, Auditor],
            "people" | "holds" => &[
                Administrator,
                Operator,
                Security,
                Auditor,
                Hr,
                CatalogueOwner,
            ],
            _ => return false,
        };
        viewer.must_have(roles).is_ok()
    }
}
