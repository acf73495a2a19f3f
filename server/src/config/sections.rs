//! The settings as the program uses them: parsed, checked, with units.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

use chrono::{Duration, NaiveTime};
use uuid::Uuid;
use workflow::{chat::Chat, reviews::SmallReviews};

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Listening.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// Signing people in.
    pub sign_in: SignIn,
    /// Microsoft Graph.
    pub graph: Graph,
    /// Reading the directory.
    pub directory: Directory,
    /// Scanning the targets.
    pub scans: Scans,
    /// Mail; `None`: off.
    pub mail: Option<Mail>,
    /// When those who want one mail a day get it, in UTC.
    pub digest_at: NaiveTime,
    /// Where chats take posts; one without an address gets none.
    pub chats: BTreeMap<Chat, Secret>,
    /// Sessions.
    pub sessions: Sessions,
    /// Checkpoints of the audit log.
    pub audit: Audit,
    /// The catalogue's files.
    pub catalogue: Catalogue,
    /// Limits on asking.
    pub asking: Asking,
    /// Points of risk.
    pub risk: domain::risk::Weights,
    /// What follows from joining, moving and leaving.
    pub lifecycle: Lifecycle,
    /// What makes small reviews.
    pub small_reviews: SmallReviews,
    /// What is logged.
    pub log: Log,
    /// The targets besides the directory of the tenant.
    pub targets: Vec<super::Target>,
}

/// A text that never shows in logs or error messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How the portal proves who it is to Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A client secret, sent in the body.
    Secret(Secret),
    /// A certificate whose key signs an assertion (`private_key_jwt`).
    Certificate {
        /// The certificate, PEM.
        certificate_file: PathBuf,
        /// Its private key, PKCS #8 PEM.
        key_file: PathBuf,
    },
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What people type, as an origin: `https://access.example.com`.
    pub public_url: String,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub trusted_proxies: usize,
}

impl Server {
    /// Whether people reach the portal through TLS: cookies are for https only then.
    pub fn secure(&self) -> bool {
        // An origin's scheme is in small letters.
        self.public_url.starts_with("https:")
    }
}

/// `[database]`
#[derive(Clone, Debug)]
pub struct Database {
    /// Address, with password if any.
    pub url: Secret,
    /// Connections.
    pub connections: u32,
}

/// `[sign_in]`
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Entra's base address, without a slash at the end.
    pub authority: String,
    /// The tenant.
    pub tenant: Uuid,
    /// The registration.
    pub client_id: String,
    /// Its credential.
    pub credential: Credential,
    /// The first administrator's object id.
    pub first_administrator: Option<Uuid>,
    /// The authentication context that a fresh sign-in must satisfy, if one is set.
    pub step_up: Option<String>,
    /// Sign-ins that one address may begin per minute.
    pub attempts_per_minute: u32,
}

/// `[graph]`
#[derive(Clone, Debug)]
pub struct Graph {
    /// Base address with version, without a slash at the end.
    pub url: String,
    /// The registration.
    pub client_id: String,
    /// Its credential.
    pub credential: Credential,
    /// What it may give besides membership of groups.
    pub switches: provisioner::graph::Switches,
    /// Whether the tenant's groups and app roles are only looked at: nothing is written there.
    pub shadow: bool,
}

/// `[directory]`
#[derive(Clone, Debug)]
pub struct Directory {
    /// Between two reads.
    pub every: Duration,
    /// Leavers that wait for a human: the larger of this number …
    pub mass_leave_least: u32,
    /// … and this share, in percent.
    pub mass_leave_percent: u32,
}

/// `[scans]`
#[derive(Clone, Debug)]
pub struct Scans {
    /// Between two scans of a target.
    pub every: Duration,
    /// How much one scan may change about one right without an operator.
    pub limit: domain::drift::Limit,
}

/// `[mail]`
#[derive(Clone, Debug)]
pub struct Mail {
    /// Server, with user and password if any.
    pub smtp_url: Secret,
    /// From whom.
    pub from: String,
}

/// `[sessions]`
#[derive(Clone, Debug)]
pub struct Sessions {
    /// Without use.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

/// `[audit]`
#[derive(Clone, Debug)]
pub struct Audit {
    /// The signing key.
    pub key_file: PathBuf,
    /// The newest checkpoint.
    pub checkpoint_file: PathBuf,
}

/// `[catalogue]`
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The folder of files, if one is set.
    pub folder: Option<PathBuf>,
}

/// `[asking]`
#[derive(Clone, Debug)]
pub struct Asking {
    /// Requests that one person may submit in ten minutes.
    pub per_ten_minutes: u32,
}

/// `[lifecycle]`
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// Days of grace after a move for what no longer fits.
    pub mover_grace_days: u32,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct Log {
    /// As for `RUST_LOG`.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// In which form log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For programs, one object per line.
    Json,
}
