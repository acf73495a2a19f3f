//! What a sandbox is started with.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Directory;

/// The application permissions that a connector asks for while nothing more is switched on in its configuration.
pub const PROVISIONER_PERMISSIONS: [&str; 7] = [
    "User.Read.All",
    "User-LifeCycleInfo.Read.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Application.Read.All",
    "User.EnableDisableAccount.All",
    "User.RevokeSessions.All",
];

/// How to start a sandbox. [`Config::new`] fills in what most callers want.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    /// Where to listen; only loopback is accepted. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The tenant id.
    pub tenant: Uuid,
    /// What browsers and clients call it, without a slash at the end, for example `http://localhost:3001`. `None`:
    /// `http://127.0.0.1:{port}`.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The app registrations.
    #[serde(default)]
    pub clients: Vec<Client>,
    /// Whom the sign-in page offers first.
    #[serde(default)]
    pub featured: Vec<Featured>,
    /// The directory at the first start.
    #[serde(default)]
    pub seed: Directory,
    /// Where the directory is kept between starts. When the file exists it wins over the seed.
    #[serde(default)]
    pub state_file: Option<PathBuf>,
    /// Microseconds that the sandbox is ahead of the system clock.
    #[serde(default)]
    pub clock_offset: i64,
    /// Seed of the chance in faults that are set by percentage.
    #[serde(default)]
    pub chance: u64,
}

impl Config {
    /// A sandbox on a free port of 127.0.0.1 that keeps nothing.
    pub fn new(tenant: Uuid, seed: Directory) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tenant,
            public_url: None,
            clients: Vec::new(),
            featured: Vec::new(),
            seed,
            state_file: None,
            clock_offset: 0,
            chance: 0,
        }
    }

    /// The same with one more app registration.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }
}

/// A person whom the sign-in page shows at its top.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Featured {
    /// The object id.
    pub oid: Uuid,
    /// What they are in the trial: `Employee`, `Manager`, `Security`.
    pub label: String,
}

/// An app registration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The application (client) id.
    pub id: String,
    /// Shown on the sign-in page.
    pub name: String,
    /// The client secret, when it has one.
    pub secret: Option<String>,
    /// Certificates (PEM) for `private_key_jwt`.
    pub certificates: Vec<String>,
    /// Exact matches only.
    pub redirect_uris: Vec<String>,
    /// Exact matches only.
    pub post_logout_redirect_uris: Vec<String>,
    /// Application permissions on Graph that were consented to.
    pub permissions: Vec<String>,
    /// Whether ID tokens carry the `groups` claim (or its overage form above 200 groups).
    pub groups_claim: bool,
}

impl Client {
    /// A web application that signs people in; it has no permissions on Graph.
    pub fn portal(
        id: &str,
        secret: &str,
        redirect_uri: &str,
        post_logout_redirect_uri: &str,
    ) -> Self {
        Self {
            id: id.into(),
            name: "Latchkey".into(),
            secret: Some(secret.into()),
            redirect_uris: vec![redirect_uri.into()],
            post_logout_redirect_uris: vec![post_logout_redirect_uri.into()],
            ..Self::default()
        }
    }

    /// A daemon with [`PROVISIONER_PERMISSIONS`].
    pub fn provisioner(id: &str, secret: &str) -> Self {
        Self {
            id: id.into(),
            name: "Latchkey provisioner".into(),
            secret: Some(secret.into()),
            permissions: PROVISIONER_PERMISSIONS.map(String::from).to_vec(),
            ..Self::default()
        }
    }
}
