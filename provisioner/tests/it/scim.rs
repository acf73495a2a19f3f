//! The SCIM connector against a server that nobody here wrote, through a proxy that loses replies and breaks down.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::assignment::Observed;
use provisioner::{
    connector::{Connector, Failure, Outcome, Place},
    http,
    scim::{Client, Leaver, MatchBy, Options, Scim},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use crate::{
    contract::{Peer, keeps_its_promises},
    fake::place,
    house::{TENANT, user},
    wire::{Asked, answer},
};

const TOKEN: &str = "a-token-for-tests";
/// More than any page of a listing.
const PEOPLE: usize = 120;

/// What the proxy does with the next requests.
#[derive(Clone, Copy)]
enum Mood {
    Passes = 0,
    /// Changes are passed on, their answers are not.
    LosesReplies = 1,
    IsDown = 2,
    /// 429 with `Retry-After`.
    Throttles = 3,
    /// PATCH is not known.
    KnowsNoPatch = 4,
    /// Somebody else changes everything between a read and a write: the first change fails with 412.
    Races = 5,
    /// Filters over members find everybody.
    IgnoresMemberFilters = 6,
    /// No filter at all.
    KnowsNoFilters = 7,
}

/// The server, and the proxy in front of it.
struct Server {
    child: Child,
    direct: Client,
    url: String,
    mood: Arc<AtomicU8>,
    group: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn client(base: &str) -> Client {
    let http = http::client(&http::Options {
        connect: Duration::from_secs(2),
        total: Duration::from_secs(10),
    })
    .unwrap();
    Client::new(http, base.to_owned(), TOKEN.into())
}

/// A port that nobody listens on, below those that outgoing connections take.
fn free_port() -> u16 {
    (0..200)
        .map(|_| 10_000 + rand::random::<u16>() % 5000)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

impl Server {
    async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let found = Command::new(root.join(".ci/setup/scim-peer"))
            .output()
            .expect("the set-up of the peer runs");
        let program = String::from_utf8(found.stdout).unwrap();
        assert!(
            found.status.success(),
            "{}",
            String::from_utf8_lossy(&found.stderr)
        );
        let port = free_port();
        let child = Command::new(program.trim())
            .args(["--hostname", "127.0.0.1", "--port", &port.to_string()])
            .args(["--bearer-token", TOKEN])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the peer starts");
        let upstream = format!("http://127.0.0.1:{port}/v2");
        let direct = client(&upstream);
        for _ in 0..200 {
            if direct.get("/ServiceProviderConfig", &[]).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v2", listener.local_addr().unwrap());
        let (mood, writes) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(proxy(listener, port, Arc::clone(&mood), writes));
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "Orders, read",
        });
        let made = direct
            .call(Method::POST, "/Groups", &[], Some(&body), None)
            .await
            .unwrap();
        Self {
            child,
            direct,
            url,
            mood,
            group: made.body["id"].as_str().unwrap().to_owned(),
        }
    }

    fn is(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    fn connector(&self, match_by: MatchBy, leaver: Leaver) -> Scim {
        Scim::new(client(&self.url), Options { leaver, match_by })
    }

    fn at(&self, n: usize) -> Place {
        Place {
            kind: "scim_group".into(),
            external_id: self.group.clone(),
            user_name: format!("person{n}@contoso.example"),
            mail: format!("person{n}@contoso.example"),
            person_name: format!("Person \"{n}\" Åberg"),
            ..place(TENANT, user(n))
        }
    }

    async fn members(&self) -> BTreeSet<String> {
        let group = self
            .direct
            .get(&format!("/Groups/{}", self.group), &[])
            .await
            .unwrap();
        group.body["members"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|member| Some(member["value"].as_str()?.to_owned()))
            .collect()
    }

    async fn user(&self, n: usize) -> Option<Value> {
        let name = format!("person{n}@contoso.example");
        let filter = format!("userName eq \"{name}\"");
        let found = self
            .direct
            .get("/Users", &[("filter", &filter)])
            .await
            .unwrap();
        found.body["Resources"].as_array()?.first().cloned()
    }

    async fn make_user(&self, body: Value) -> String {
        let made = self
            .direct
            .call(Method::POST, "/Users", &[], Some(&body), None)
            .await;
        made.unwrap().body["id"].as_str().unwrap().to_owned()
    }
}

/// Passes requests on, one for each connection, unless it is in another mood.
async fn proxy(
    listener: TcpListener,
    upstream: u16,
    mood: Arc<AtomicU8>,
    writes: Arc<AtomicUsize>,
) {
    while let Ok((socket, _)) = listener.accept().await {
        let (mood, writes) = (Arc::clone(&mood), Arc::clone(&writes));
        tokio::spawn(async move {
            drop(Box::pin(pass(socket, upstream, &mood, &writes)).await);
        });
    }
}

async fn pass(
    mut socket: TcpStream,
    upstream: u16,
    mood: &AtomicU8,
    writes: &AtomicUsize,
) -> std::io::Result<()> {
    let Some(asked) = Box::pin(Asked::read(&mut socket)).await? else {
        return Ok(());
    };
    let head = &asked.head;
    let write = !head.starts_with("GET");
    let now = mood.load(Ordering::SeqCst);
    if now == Mood::IsDown as u8 {
        return answer(&mut socket, 503, "", "").await;
    }
    if now == Mood::Throttles as u8 {
        return answer(&mut socket, 429, "retry-after: 3\r\n", "").await;
    }
    if now == Mood::KnowsNoPatch as u8 && head.starts_with("PATCH") {
        return answer(&mut socket, 501, "", "").await;
    }
    if now == Mood::KnowsNoFilters as u8 && head.contains("filter=") {
        return answer(&mut socket, 400, "", "{\"scimType\":\"invalidFilter\"}").await;
    }
    if now == Mood::Races as u8 && write && writes.fetch_add(1, Ordering::SeqCst) == 0 {
        return answer(&mut socket, 412, "", "").await;
    }
    let mut head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    if now == Mood::IgnoresMemberFilters as u8 && head.contains("members.value") {
        // As a server that knows `id eq` and skips what it does not know.
        let from = head
            .find("+and+members.value")
            .or_else(|| head.find("%20and%20members.value"));
        if let Some(from) = from {
            let to = from + head[from..].find('&').unwrap_or(0);
            head.replace_range(from..to, "");
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(b"\r\n\r\n").await?;
    server.write_all(&asked.body).await?;
    let mut reply = Vec::new();
    server.read_to_end(&mut reply).await?;
    if now == Mood::LosesReplies as u8 && write {
        return Ok(());
    }
    socket.write_all(&reply).await
}

#[async_trait]
impl Peer for Server {
    fn place(&self, account: usize) -> Place {
        self.at(account)
    }

    fn people(&self) -> usize {
        PEOPLE
    }

    fn nowhere(&self) -> Place {
        Place {
            external_id: Uuid::from_u128(7).to_string(),
            ..self.at(0)
        }
    }

    async fn holds(&self, account: usize) -> bool {
        match self.user(account).await {
            Some(user) => self.members().await.contains(user["id"].as_str().unwrap()),
            None => false,
        }
    }

    async fn own_id(&self, account: usize) -> String {
        self.user(account).await.unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn lose_the_next_reply(&self) {
        self.is(Mood::LosesReplies);
    }

    async fn mend(&self) {
        self.is(Mood::Passes);
    }

    async fn break_down(&self) {
        self.is(Mood::IsDown);
    }
}

fn seen(there: bool) -> Outcome {
    Outcome::Seen(if there {
        Observed::Present
    } else {
        Observed::Absent
    })
}

#[tokio::test]
async fn scim_keeps_its_promises() {
    let server = Server::start().await;
    let connector = server.connector(MatchBy::ExternalId, Leaver::Deactivate);
    keeps_its_promises(&connector, &server).await;

    // Without filters everybody is read, page after page, to find one.
    server.is(Mood::KnowsNoFilters);
    let fresh = server.connector(MatchBy::UserName, Leaver::Keep);
    for n in [0, PEOPLE - 1] {
        assert_eq!(fresh.observe(&server.at(n)).await.outcome, seen(true));
    }
    assert_eq!(fresh.observe(&server.at(PEOPLE)).await.outcome, seen(false));
}

#[tokio::test]
async fn an_account_is_found_by_its_id_made_once_and_brought_up_to_date() {
    let server = Server::start().await;
    let connector = server.connector(MatchBy::ExternalId, Leaver::Deactivate);
    let made = connector.ensure_present(&server.at(0)).await;
    assert_eq!(made.outcome, Outcome::Done);
    let account = made
        .evidence
        .account
        .expect("it is told which account it is");
    let user = server.user(0).await.unwrap();
    assert_eq!(user["id"], account.id.as_str());
    assert_eq!(user["externalId"], self::user(0).to_string());
    assert_eq!(user["name"]["givenName"], "Johan");

    // Renamed in the directory: the same account, found by its id, takes the new name.
    let renamed = Place {
        user_name: "johan.new@contoso.example".into(),
        target_account: Some(account.id.clone()),
        ..server.at(0)
    };
    connector.ensure_present(&renamed).await;
    let path = format!("/Users/{}", account.id);
    let user = server.direct.get(&path, &[]).await.unwrap().body;
    assert_eq!(user["userName"], "johan.new@contoso.example");
    // Without the kept id it is found by ours.
    let unknown = Place {
        target_account: None,
        ..renamed.clone()
    };
    assert_eq!(connector.observe(&unknown).await.outcome, seen(true));
    // Deleted there by somebody: made anew.
    server
        .direct
        .call(Method::DELETE, &path, &[], None, None)
        .await
        .unwrap();
    assert_eq!(connector.observe(&renamed).await.outcome, seen(false));
    let anew = connector.ensure_present(&renamed).await;
    assert_eq!(anew.outcome, Outcome::Done);
    assert_ne!(anew.evidence.account.unwrap().id, account.id);
}

#[tokio::test]
async fn an_account_of_somebody_else_is_never_taken_for_ones_own() {
    let server = Server::start().await;
    let body = |n: usize, external: Option<&str>| {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("person{n}@contoso.example"),
        });
        if let Some(external) = external {
            body["externalId"] = json!(external);
        }
        body
    };
    let unmarked = server.make_user(body(0, None)).await;
    server.make_user(body(1, Some("somebody-else"))).await;

    // By id alone a name is not enough, and says so.
    let by_id = server.connector(MatchBy::ExternalId, Leaver::Keep);
    match by_id.ensure_present(&server.at(0)).await.outcome {
        Outcome::Failed(Failure::Never { why, fix }) => {
            assert!(
                why.contains("already") && fix.contains("externalId"),
                "{why} {fix}"
            );
        }
        other => panic!("{other:?}"),
    }
    // Where the configuration lets it be found by name it is ours from then on.
    let by_name = server.connector(MatchBy::UserName, Leaver::Keep);
    assert_eq!(
        by_name.ensure_present(&server.at(0)).await.outcome,
        Outcome::Done
    );
    assert_eq!(server.members().await, [unmarked].into());
    assert_eq!(
        server.user(0).await.unwrap()["externalId"],
        user(0).to_string()
    );
    // One that is somebody else's is not taken, by no way.
    for connector in [&by_id, &by_name] {
        let outcome = connector.ensure_present(&server.at(1)).await.outcome;
        assert!(
            matches!(outcome, Outcome::Failed(Failure::Never { .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(server.members().await.len(), 1);
}

#[tokio::test]
async fn whoever_has_left_is_switched_off_or_deleted_as_configured() {
    let server = Server::start().await;
    for (n, leaver) in [
        (0, Leaver::Deactivate),
        (1, Leaver::Keep),
        (2, Leaver::Delete),
    ] {
        let connector = server.connector(MatchBy::ExternalId, leaver);
        connector.ensure_present(&server.at(n)).await;
        let gone = Place {
            enabled: false,
            ..server.at(n)
        };
        for _ in 0..2 {
            let outcome = connector.ensure_absent(&gone).await.outcome;
            assert!(
                matches!(outcome, Outcome::Done | Outcome::Already),
                "{outcome:?}"
            );
        }
        let user = server.user(n).await;
        match leaver {
            Leaver::Deactivate => {
                assert_eq!(user.unwrap()["active"], false);
                // Back again, it is switched on.
                connector.ensure_present(&server.at(n)).await;
                assert_eq!(server.user(n).await.unwrap()["active"], true);
            }
            Leaver::Keep => assert_ne!(user.unwrap()["active"], false),
            Leaver::Delete => assert!(user.is_none()),
        }
    }
}

#[tokio::test]
async fn servers_that_do_less_are_worked_with_and_patience_is_kept() {
    let server = Server::start().await;
    let connector = server.connector(MatchBy::ExternalId, Leaver::Keep);
    connector.ensure_present(&server.at(0)).await;
    connector.ensure_present(&server.at(1)).await;

    // No PATCH: read, changed and put back whole, and nobody else is lost.
    server.is(Mood::KnowsNoPatch);
    assert_eq!(
        connector.ensure_present(&server.at(2)).await.outcome,
        Outcome::Done
    );
    assert_eq!(
        connector.ensure_absent(&server.at(1)).await.outcome,
        Outcome::Done
    );
    assert_eq!(server.members().await.len(), 2);

    // Another version by now: read again.
    server.is(Mood::Races);
    assert_eq!(
        connector.ensure_absent(&server.at(2)).await.outcome,
        Outcome::Done
    );
    assert_eq!(server.members().await.len(), 1);

    server.is(Mood::Throttles);
    match connector.ensure_absent(&server.at(0)).await.outcome {
        Outcome::Failed(Failure::Later {
            after, throttled, ..
        }) => {
            assert_eq!(
                (after, throttled),
                (Some(chrono::Duration::seconds(3)), true)
            );
        }
        other => panic!("{other:?}"),
    }
    // A filter that finds everybody is not believed.
    server.is(Mood::IgnoresMemberFilters);
    let fresh = server.connector(MatchBy::ExternalId, Leaver::Keep);
    assert_eq!(fresh.observe(&server.at(0)).await.outcome, seen(true));
    assert_eq!(fresh.observe(&server.at(1)).await.outcome, seen(false));

    server.is(Mood::Passes);
    let stranger = Scim::new(
        Client::new(
            http::client(&http::Options::default()).unwrap(),
            server.url.clone(),
            "wrong".into(),
        ),
        Options {
            leaver: Leaver::Keep,
            match_by: MatchBy::ExternalId,
        },
    );
    match stranger.observe(&server.at(0)).await.outcome {
        Outcome::Failed(Failure::Misconfigured {
            what, everywhere, ..
        }) => {
            assert!(
                everywhere && what.contains("token") && !what.contains("wrong"),
                "{what}"
            );
        }
        other => panic!("{other:?}"),
    }
}
