//! A portal in this process, and a browser that keeps cookies.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
    routing::{get, post},
};
use chrono::Duration;
use domain::{
    PersonId,
    person::{AccountKey, PortalRole},
};
use provisioner::graph::Credential;
use server::{
    sessions::{ME, Me, Sessions},
    sign_in::{Provider, ProviderSettings},
    web::{Callbacks, Mode, Parts, Portal, router},
};
use store::{Engine, audit::AuditQuery};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_sessions::{
    SessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
};
use uuid::Uuid;
use workflow::{
    Clock, Ids, Settings, Workflow,
    access::Viewer,
    installation,
    people::{self, SignIn, SignedIn},
};

pub const TENANT: Uuid = Uuid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);
pub const PUBLIC: &str = "https://access.example.com";
pub const CLIENT: &str = "portal-web";
pub const SECRET: &str = "portal-web-secret-0123456789";

/// How a test's portal differs from the usual one.
pub struct Setup {
    pub engine: Engine,
    pub clock: Clock,
    pub mode: Mode,
    pub credential: Credential,
    pub sign_ins_per_minute: u32,
    pub callbacks: Callbacks,
    pub step_up: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            engine: Engine::Sqlite,
            clock: Clock::system(),
            mode: Mode::Production,
            credential: Credential::Secret(SECRET.to_owned()),
            sign_ins_per_minute: 1000,
            callbacks: Callbacks::new(),
            step_up: Some("c1"),
        }
    }
}

/// A portal with a page that says who is asking.
pub struct House {
    pub workflow: Workflow,
    pub router: Router,
    pub sessions: Sessions,
    pub stop: CancellationToken,
}

impl House {
    /// A portal whose provider lives at `authority`.
    pub async fn new(authority: &str, setup: Setup) -> Self {
        let store = store::testing::store(setup.engine).await;
        let workflow = Workflow::new(
            store,
            setup.clock.clone(),
            Ids::system(),
            Settings {
                step_up: setup.step_up.map(ToOwned::to_owned),
                ..Settings::default()
            },
        );
        installation::prepare(&workflow, installation::Mode::Production)
            .await
            .expect("the database is new");
        let provider = Provider::new(
            ProviderSettings {
                authority: authority.to_owned(),
                tenant: TENANT,
                client_id: CLIENT.into(),
                credential: setup.credential,
                redirect_uri: format!("{PUBLIC}/auth/callback"),
                signed_out_uri: format!("{PUBLIC}/signed-out"),
            },
            client(),
            setup.clock,
            Ids::system(),
        );
        let stop = CancellationToken::new();
        let portal = Portal::new(Parts {
            workflow: workflow.clone(),
            provider,
            sessions: Sessions {
                secure: setup.mode == Mode::Production,
                idle: Duration::minutes(45),
                absolute: Duration::hours(8),
            },
            public_url: PUBLIC.into(),
            mode: setup.mode,
            trusted_proxies: 0,
            sign_ins_per_minute: setup.sign_ins_per_minute,
            callbacks: setup.callbacks,
            trial: None,
            stop: stop.clone(),
        });
        let sessions = portal.sessions().clone();
        let pages = app::routes::router(portal.pages().clone())
            .route("/whoami", get(whoami).post(whoami))
            .route("/panic", get(panics))
            .route("/echo", post(echo));
        Self {
            router: router(portal, pages),
            workflow,
            sessions,
            stop,
        }
    }

    /// A browser of somebody who is signed in with these roles.
    pub async fn signed_in(&self, object: Uuid, roles: &[PortalRole]) -> Browser {
        let (_, token) = self.session(object, roles).await;
        let browser = self.browser();
        browser.set_cookie(self.sessions.cookie(), &token);
        browser
    }

    /// A session of somebody with these roles: whose, and its cookie.
    pub async fn session(&self, object: Uuid, roles: &[PortalRole]) -> (PersonId, String) {
        let token = SignedIn {
            tenant: TENANT,
            object,
            name: "Anna Ask".into(),
            user_name: "anna@sample.example".into(),
            mail: None,
            roles: Some(
                roles
                    .iter()
                    .map(|role| role.app_role().to_owned())
                    .collect(),
            ),
            guest: false,
        };
        let Ok(SignIn::Welcome { person, account }) = people::sign_in(&self.workflow, token).await
        else {
            panic!("nothing speaks against this person");
        };
        let me = Me {
            person,
            account,
            login_hint: None,
        };
        let me = serde_json::to_value(me).expect("it is plain data");
        let mut record = Record {
            id: Id::default(),
            data: [(ME.to_owned(), me)].into(),
            expiry_date: OffsetDateTime::UNIX_EPOCH,
        };
        let kept = self.sessions.store(self.workflow.clone());
        kept.create(&mut record).await.expect("the database works");
        (person, record.id.to_string())
    }

    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: Arc::default(),
        }
    }

    /// Kinds of the audit log, oldest first.
    pub async fn audited(&self) -> Vec<String> {
        workflow::people::flush_refusals(&self.workflow)
            .await
            .expect("the database works");
        let mut tx = self.workflow.store().read().await.expect("it opens");
        let query = AuditQuery {
            limit: 1000,
            ..AuditQuery::default()
        };
        let mut rows = tx.audit_page(&query).await.expect("it can be read");
        rows.reverse();
        rows.into_iter().map(|row| row.kind).collect()
    }

    /// The texts of the whole audit log.
    pub async fn audit_text(&self) -> String {
        workflow::people::flush_refusals(&self.workflow)
            .await
            .expect("the database works");
        let mut tx = self.workflow.store().read().await.expect("it opens");
        let rows = tx.audit_after(0, 1000).await.expect("it can be read");
        rows.into_iter().map(|row| row.entry + "\n").collect()
    }

    pub async fn knows(&self, object: Uuid) -> bool {
        let mut tx = self.workflow.store().read().await.expect("it opens");
        let key = AccountKey {
            tenant: TENANT,
            object,
        };
        tx.account_by_key(key)
            .await
            .expect("it can be read")
            .is_some()
    }
}

async fn whoami(Extension(viewer): Extension<Option<Arc<Viewer>>>) -> String {
    viewer.map_or_else(
        || "nobody".to_owned(),
        |viewer| format!("{} {:?}", viewer.person.name, viewer.roles),
    )
}

async fn panics() -> &'static str {
    panic!("a page of the test panics")
}

async fn echo(body: String) -> String {
    body
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.header(header::LOCATION.as_str())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("headers are text"))
    }

    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

/// A browser: keeps cookies, follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(
            Request::get(path)
                .body(Body::empty())
                .expect("it is a request"),
        )
        .await
    }

    /// A form from our own page.
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("it is a request");
        self.send(request).await
    }

    /// Loads a page, fills its form in, and sends it.
    pub async fn fill(&self, path: &str, typed: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await.expect(StatusCode::OK);
        self.post(path, &filled(&page.body, typed)).await
    }

    pub async fn method(&self, method: Method, path: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .body(Body::empty())
            .expect("it is a request");
        self.send(request).await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let cookies = self
            .cookies
            .lock()
            .expect("nobody panics with it")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        if !cookies.is_empty() {
            let value = cookies.parse().expect("cookies are headers");
            request.headers_mut().insert(header::COOKIE, value);
        }
        request
            .headers_mut()
            .entry(header::HOST)
            .or_insert(header::HeaderValue::from_static("127.0.0.1:3000"));
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("a router answers always");
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("cookies are text");
            let (name, rest) = text.split_once('=').expect("a cookie has a value");
            let value = rest.split(';').next().unwrap_or_default();
            let mut jar = self.cookies.lock().expect("nobody panics with it");
            if value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = to_bytes(body, 1 << 24).await.expect("the body ends");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies
            .lock()
            .expect("nobody panics with it")
            .get(name)
            .cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies
            .lock()
            .expect("nobody panics with it")
            .insert(name.to_owned(), value.to_owned());
    }
}

/// The form of a page with these fields filled in, as a browser encodes it.
pub fn filled(page: &str, typed: &[(&str, &str)]) -> String {
    let hidden = benches::forms::hidden(page).unwrap_or_default();
    let hidden = hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<String> = hidden
        .chain(typed.iter().copied())
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}

/// Any text inside a form or an address.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// What talks to providers.
pub fn client() -> reqwest::Client {
    provisioner::http::client(&provisioner::http::Options::default())
        .expect("the client has no settings that could fail")
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> String {
    let url = reqwest::Url::parse(address)
        .or_else(|_| reqwest::Url::parse(&format!("{PUBLIC}{address}")))
        .expect("it is an address");
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// What remains of an absolute address of ours: path and query.
pub fn local(address: &str) -> &str {
    address
        .strip_prefix(PUBLIC)
        .expect("the provider sends people back to us")
}
