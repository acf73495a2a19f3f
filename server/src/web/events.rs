//! `GET /events?topics=req_…,per_…`: hints that something changed, never data. Each hint is authorised by itself; the stream
//! ends with the session and when the process stops. A page that listens does not count as activity.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};
use tower_sessions::{Session, session::Id};
use workflow::access::Viewer;

use super::{Portal, problem::Machine};

/// More than any page of ours names.
const MOST_TOPICS: usize = 50;
/// Browsers allow six to one host; a second browser with the same session does not exist.
const MOST_STREAMS: usize = 8;
/// How often a stream looks whether its session still holds, also while it has nothing to say.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Several changes of one moment become one hint.
const GATHER: Duration = Duration::from_millis(100);

/// What `GET /events` takes.
#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    #[serde(default)]
    topics: String,
}

/// How many streams each session has open.
#[derive(Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<Id, usize>>>);

impl Streams {
    /// Room for one more, until it is dropped.
    fn enter(&self, session: Id) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(session).or_default();
        if *count >= MOST_STREAMS {
            return None;
        }
        *count += 1;
        Some(Place {
            streams: Arc::clone(&self.0),
            session,
        })
    }
}

/// One stream's place among those of its session.
struct Place {
    streams: Arc<Mutex<HashMap<Id, usize>>>,
    session: Id,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}

struct Listening {
    portal: Portal,
    session: Id,
    hints: Hints,
    /// Held as long as the stream lasts.
    _place: Place,
}

/// What a stream hears of its topics.
struct Hints {
    topics: BTreeSet<String>,
    heard: Receiver<Arc<str>>,
    /// When the session is looked at next, whatever is heard until then: elsewhere in the house something happens all the
    /// time.
    look_at: Instant,
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
    let Some(place) = portal.streams().enter(session) else {
        // The page asks every few seconds instead.
        let mut refused = StatusCode::TOO_MANY_REQUESTS.into_response();
        refused.extensions_mut().insert(Machine);
        return refused;
    };
    let listening = Listening {
        hints: Hints {
            topics,
            heard: portal.workflow().hub().listen(),
            look_at: Instant::now() + LOOK_EVERY,
        },
        portal,
        session,
        _place: place,
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

impl Hints {
    /// The next of its topics that changed; none when it is time to look at the session.
    async fn next(&mut self) -> Option<BTreeSet<String>> {
        let mut changed = BTreeSet::new();
        loop {
            match tokio::time::timeout_at(self.look_at, self.heard.recv()).await {
                Ok(Err(RecvError::Closed)) => return None,
                // Too slow: what was missed may have been any of ours.
                Ok(Err(RecvError::Lagged(_))) => changed.clone_from(&self.topics),
                Ok(Ok(topic)) => self.note(&mut changed, &topic),
                Err(_) => {
                    self.look_at = Instant::now() + LOOK_EVERY;
                    return Some(changed);
                }
            }
            if changed.is_empty() {
                continue;
            }
            tokio::time::sleep(GATHER).await;
            while let Ok(topic) = self.heard.try_recv() {
                self.note(&mut changed, &topic);
            }
            return Some(changed);
        }
    }

    fn note(&self, changed: &mut BTreeSet<String>, topic: &str) {
        if topic == "*" {
            changed.extend(self.topics.iter().cloned());
        } else if self.topics.contains(topic) {
            changed.insert(topic.to_owned());
        }
    }
}

impl Listening {
    /// The next topics that changed and that the person may know of; `None` ends the stream.
    async fn next(&mut self) -> Option<BTreeSet<String>> {
        loop {
            let stop = self.portal.parts().stop.clone();
            let changed = tokio::select! {
                () = stop.cancelled() => return None,
                changed = self.hints.next() => changed?,
            };
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
            "roles" => &[Administrator, Security, Auditor],
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

#[cfg(test)]
mod tests {
    use workflow::Hub;

    use super::*;

    /// Hints of a house in which something happens elsewhere without a pause.
    fn hints(hub: &Hub, look_after: Duration) -> Hints {
        Hints {
            topics: BTreeSet::from(["req_1".to_owned(), "per_1".to_owned()]),
            heard: hub.listen(),
            look_at: Instant::now() + look_after,
        }
    }

    #[tokio::test]
    async fn a_busy_house_does_not_keep_a_stream_from_looking_at_its_session() {
        let hub = Hub::default();
        let mut hints = hints(&hub, Duration::from_millis(200));
        let busy = async {
            loop {
                hub.changed("req_2");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let next = tokio::time::timeout(Duration::from_secs(5), hints.next());
        let heard = tokio::select! {
            heard = next => heard,
            () = busy => unreachable!("it goes on for ever"),
        };
        assert_eq!(heard.expect("it looks in time"), Some(BTreeSet::new()));
        assert!(hints.look_at > Instant::now(), "it looks again later");
    }

    #[tokio::test]
    async fn changes_of_one_moment_are_one_hint() {
        let hub = Hub::default();
        let mut hints = hints(&hub, LOOK_EVERY);
        for topic in ["req_2", "req_1", "per_1", "req_1"] {
            hub.changed(topic);
        }
        let heard = hints.next().await.expect("the hub is there");
        assert_eq!(heard, hints.topics);
        hub.changed("*");
        let heard = hints.next().await.expect("the hub is there");
        assert_eq!(heard, hints.topics);
    }

    #[test]
    fn a_session_has_so_many_streams_and_no_more() {
        let (streams, mine, other) = (Streams::default(), Id(1), Id(2));
        let mut places: Vec<Place> = (0..MOST_STREAMS)
            .filter_map(|_| streams.enter(mine))
            .collect();
        assert_eq!(places.len(), MOST_STREAMS);
        assert!(streams.enter(mine).is_none());
        assert!(streams.enter(other).is_some());
        places.pop();
        assert!(streams.enter(mine).is_some());
        drop(places);
        assert!(streams.0.lock().expect("nobody panicked").is_empty());
    }
}
