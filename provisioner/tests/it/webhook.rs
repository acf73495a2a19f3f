//! The webhook connector against a small real server that checks every signature.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use domain::assignment::Observed;
use provisioner::{
    connector::{Connector, Failure, Outcome, Place},
    http,
    webhook::{Options, Secret, Webhook, verify, wish_of},
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use workflow::{Clock, assignments::Call};

use crate::{
    contract::{Peer, keeps_its_promises},
    fake::place,
    house::{TENANT, user},
    wire::{Asked, answer},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the receiver holds, and how it behaves.
#[derive(Default)]
struct State {
    rights: BTreeMap<String, BTreeSet<String>>,
    /// Every message that came: verb and id.
    heard: Vec<(String, String)>,
    loses_replies: bool,
    /// Answers everything with this status and these headers.
    always: Option<(u16, String)>,
    /// Takes writes on instead of doing them.
    later: bool,
}

struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/latchkey", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        state
            .lock()
            .unwrap()
            .rights
            .insert("admin".into(), BTreeSet::new());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { drop(Box::pin(serve(socket, &state)).await) });
            }
        });
        Self { url, state }
    }

    fn connector(&self, secret: &str) -> Webhook {
        let http = http::client(&http::Options {
            connect: Duration::from_secs(2),
            total: Duration::from_secs(2),
        })
        .unwrap();
        Webhook::new(
            http,
            Clock::system(),
            Options {
                address: self.url.clone(),
                secret: Secret::read(secret).unwrap(),
                callback: "https://access.example.com/callbacks/doors".into(),
            },
        )
    }

    fn set(&self, act: impl FnOnce(&mut State)) {
        act(&mut self.state.lock().unwrap());
    }
}

fn right(n: usize) -> Place {
    Place {
        kind: "webhook_right".into(),
        external_id: "admin".into(),
        ..place(TENANT, user(n))
    }
}

async fn serve(mut socket: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let Some(asked) = Box::pin(Asked::read(&mut socket)).await? else {
        return Ok(());
    };
    let (status, headers, body, lost) = judge(&asked, &mut state.lock().unwrap());
    if lost {
        return Ok(());
    }
    answer(&mut socket, status, &headers, &body.to_string()).await
}

fn judge(asked: &Asked, state: &mut State) -> (u16, String, Value, bool) {
    let plain = |status: u16, body: Value| (status, String::new(), body, false);
    let id = asked.header("webhook-id");
    let signed = verify(
        &Secret::read(SECRET).unwrap(),
        id,
        asked.header("webhook-timestamp"),
        asked.header("webhook-signature"),
        &asked.body,
        Clock::system().now(),
    );
    if signed.is_err() {
        return plain(401, json!({"detail": "who are you?"}));
    }
    if let Some((status, headers)) = &state.always {
        return (*status, headers.clone(), json!({}), false);
    }
    let message: Value = serde_json::from_slice(&asked.body).unwrap();
    let verb = message["type"].as_str().unwrap();
    state.heard.push((verb.to_owned(), id.to_owned()));
    let right = message["data"]["right"].as_str().unwrap_or_default();
    let account = message["data"]["account"]["id"]
        .as_str()
        .unwrap_or_default();
    if verb == "ping" {
        return plain(204, Value::Null);
    }
    let (later, lost) = (state.later, state.loses_replies);
    let Some(holders) = state.rights.get_mut(right) else {
        return plain(404, json!({"detail": "there is no such right"}));
    };
    match verb {
        "access.observe" => {
            let observed = if holders.contains(account) {
                "present"
            } else {
                "absent"
            };
            plain(200, json!({"observed": observed}))
        }
        // Two at a time.
        "access.list" => {
            let from = message["data"]["cursor"].as_u64().unwrap_or(0);
            let from = usize::try_from(from).unwrap();
            let page: Vec<_> = holders.iter().skip(from).take(2).collect();
            let next = (from + 2 < holders.len()).then_some(from + 2);
            plain(200, json!({"holders": page, "next": next}))
        }
        "access.present" | "access.absent" if later => {
            (202, "retry-after: 30\r\n".to_owned(), json!({}), false)
        }
        "access.present" => {
            holders.insert(account.to_owned());
            (200, String::new(), json!({}), lost)
        }
        "access.absent" => {
            holders.remove(account);
            (200, String::new(), json!({}), lost)
        }
        _ => plain(400, json!({"detail": "what?"})),
    }
}

#[async_trait]
impl Peer for Receiver {
    fn place(&self, account: usize) -> Place {
        right(account)
    }

    fn people(&self) -> usize {
        5
    }

    fn nowhere(&self) -> Place {
        Place {
            external_id: "nothing".into(),
            ..right(0)
        }
    }

    async fn holds(&self, account: usize) -> bool {
        self.state.lock().unwrap().rights["admin"].contains(&user(account).to_string())
    }

    async fn own_id(&self, account: usize) -> String {
        user(account).to_string()
    }

    async fn lose_the_next_reply(&self) {
        self.set(|state| state.loses_replies = true);
    }

    async fn mend(&self) {
        self.set(|state| {
            state.loses_replies = false;
            state.always = None;
        });
    }

    async fn break_down(&self) {
        self.set(|state| state.always = Some((503, String::new())));
    }
}

#[tokio::test]
async fn a_webhook_keeps_its_promises() {
    let receiver = Receiver::start().await;
    keeps_its_promises(&receiver.connector(SECRET), &receiver).await;
}

#[tokio::test]
async fn a_wish_has_one_id_however_often_it_is_sent() {
    let receiver = Receiver::start().await;
    let connector = receiver.connector(SECRET);
    let here = right(0);
    for _ in 0..2 {
        connector.ensure_present(&here).await;
        connector.ensure_absent(&here).await;
    }
    let again = Place {
        desired_since: here.desired_since + chrono::Duration::seconds(1),
        ..here.clone()
    };
    connector.ensure_present(&again).await;
    let heard = receiver.state.lock().unwrap().heard.clone();
    let ids: BTreeSet<&String> = heard.iter().map(|(_, id)| id).collect();
    assert_eq!((heard.len(), ids.len()), (5, 3), "{heard:?}");
    assert_eq!(heard[0].1, heard[2].1);
    // What the id says is read back when the receiver calls.
    assert_eq!(wish_of(&heard[0].1), Some((here.id, Call::Add)));
    assert_eq!(wish_of(&heard[1].1), Some((here.id, Call::Remove)));
    for wrong in ["", "asg_1.add.1", "x.y.z"] {
        assert_eq!(wish_of(wrong), None, "{wrong}");
    }
    assert_eq!(wish_of(&format!("{}.read.1", here.id)), None);
}

#[tokio::test]
async fn what_is_taken_on_waits_and_what_goes_wrong_is_told_apart() {
    let receiver = Receiver::start().await;
    let connector = receiver.connector(SECRET);
    let here = right(0);
    receiver.set(|state| state.later = true);
    assert_eq!(
        connector.ensure_present(&here).await.outcome,
        Outcome::Pending {
            after: chrono::Duration::seconds(30)
        }
    );
    receiver.set(|state| state.later = false);
    for (status, headers, later, everywhere) in [
        (429, "retry-after: 7\r\n", true, false),
        (500, "", true, false),
        (302, "location: http://127.0.0.1:9/\r\n", false, true),
        (403, "", false, true),
    ] {
        receiver.set(|state| state.always = Some((status, headers.to_owned())));
        match connector.ensure_present(&here).await.outcome {
            Outcome::Failed(Failure::Later {
                after, throttled, ..
            }) if later => {
                assert_eq!(throttled, status == 429);
                assert_eq!(after, throttled.then(|| chrono::Duration::seconds(7)));
            }
            Outcome::Failed(Failure::Misconfigured {
                everywhere: whole, ..
            }) if !later => {
                assert_eq!(whole, everywhere);
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    receiver.set(|state| state.always = None);
    let stranger = receiver.connector("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    match stranger.observe(&here).await.outcome {
        Outcome::Failed(Failure::Misconfigured { what, .. }) => {
            assert!(what.contains("signature"), "{what}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        connector.observe(&here).await.outcome,
        Outcome::Seen(Observed::Absent)
    );
}
