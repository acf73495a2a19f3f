//! Starting a sandbox and holding it while it runs.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Config, Directory, Fault, Faults, Group, LoggedRequest, ServicePrincipal, SubscribedSku, User,
    clock::Clock,
    config::{Client, Featured},
    keys::Keys,
    log::RequestLog,
    oidc::Sessions,
    routes,
    state_file::{self, StateFile},
    wire::{CuttableListener, Scissors},
    world::World,
};

/// How long `stop` waits for open requests.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would be reachable from elsewhere.
    #[error("the sandbox listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port is taken, for example.
    #[error("the sandbox cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The seed contradicts itself.
    #[error("the sandbox's seed: {0}")]
    Seed(String),
    /// The state file cannot be read or belongs to another tenant.
    #[error("the sandbox's state file {0}: {1}")]
    State(String, String),
    /// A client's certificate cannot be read.
    #[error("client {0}: {1}")]
    Client(String, String),
}

/// A local Entra ID and Microsoft Graph.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts to listen and serve. The directory comes from the state file when there is one, else from the seed.
    ///
    /// # Errors
    /// When the address is not on loopback or taken, or the data is not usable.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        if !config.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(config.listen));
        }
        for client in &config.clients {
            crate::oidc::check_certificates(client)
                .map_err(|why| StartError::Client(client.id.clone(), why))?;
        }
        let world = match &config.state_file {
            Some(path) => {
                let in_file = |why: String| StartError::State(path.display().to_string(), why);
                match state_file::load(path, config.tenant).map_err(in_file)? {
                    Some(saved) => World::new(saved.directory, saved.journal).map_err(in_file)?,
                    None => World::new(config.seed, <_>::default()).map_err(StartError::Seed)?,
                }
            }
            None => World::new(config.seed, <_>::default()).map_err(StartError::Seed)?,
        };
        let failed = |error| StartError::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let base = config.public_url.map_or_else(
            || format!("http://{address}"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        let shared = Arc::new(Shared {
            base,
            tenant: config.tenant,
            clients: config.clients,
            featured: config.featured,
            world: Mutex::new(world),
            faults: Faults::new(config.chance),
            clock: Clock::new(config.clock_offset),
            log: RequestLog::default(),
            keys: Keys::start(),
            sessions: Sessions::default(),
        });
        let stop = CancellationToken::new();
        let service =
            routes::router(shared.clone()).into_make_service_with_connect_info::<Scissors>();
        let served = axum::serve(CuttableListener(listener), service)
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "the sandbox's listener ended");
            }
        });
        let state_file = config.state_file.map(StateFile::new);
        let keeper = state_file
            .clone()
            .map(|file| tokio::spawn(file.keep(shared.clone(), stop.clone())));
        Ok(Running {
            shared,
            address,
            stop,
            server,
            keeper,
        })
    }
}

/// A sandbox that serves until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<()>,
    keeper: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    /// What clients call it, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// The base of Microsoft Graph: `{url}/v1.0`.
    pub fn graph_url(&self) -> String {
        format!("{}/v1.0", self.shared.base)
    }

    /// The issuer of ID tokens: `{url}/{tenant}/v2.0`; discovery is below it.
    pub fn issuer(&self) -> String {
        self.shared.issuer(self.shared.tenant)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Moves the directory's time to `micros` ahead of the system clock, never back. Answers with the offset that holds.
    pub fn set_offset(&self, micros: i64) -> i64 {
        self.shared.clock.advance_to(micros)
    }

    /// The directory's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }

    /// The switches for faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Switches one fault on; short for `faults().add(..)`.
    pub fn fail(&self, fault: impl Into<Fault>) {
        self.shared.faults.add(fault);
    }

    /// The direct members of a group as the target truly holds them, whatever faults say.
    pub fn members(&self, group: Uuid) -> BTreeSet<Uuid> {
        self.shared.world().members(group, Duration::ZERO)
    }

    /// Adds a member behind the portal's back. True when it was none before.
    pub fn add_member(&self, group: Uuid, member: Uuid) -> bool {
        self.shared.world().add_member(group, member).is_ok()
    }

    /// Removes a member behind the portal's back. True when it was one.
    pub fn remove_member(&self, group: Uuid, member: Uuid) -> bool {
        self.shared.world().remove_member(group, member).is_ok()
    }

    /// A user as the directory holds them.
    pub fn user(&self, id: Uuid) -> Option<User> {
        self.shared.world().users.get(&id).cloned()
    }

    /// Makes or replaces a user.
    pub fn put_user(&self, user: User) {
        self.shared.world().put_user(user);
    }

    /// Soft-deletes a user. True when there was one.
    pub fn delete_user(&self, id: Uuid) -> bool {
        self.shared.world().delete_user(id)
    }

    /// Makes or replaces a group.
    pub fn put_group(&self, group: Group) {
        self.shared.world().put_group(group);
    }

    /// Deletes a group. True when there was one.
    pub fn delete_group(&self, id: Uuid) -> bool {
        self.shared.world().delete_group(id)
    }

    /// Who holds an app role directly, people and groups, as the target truly holds it.
    pub fn role_holders(&self, resource: Uuid, role: Uuid) -> BTreeSet<Uuid> {
        let world = self.shared.world();
        let of_role = world
            .assignments
            .iter()
            .filter(|held| (held.resource_id, held.app_role_id) == (resource, role));
        of_role.map(|held| held.principal_id).collect()
    }

    /// Assigns an app role behind the portal's back. True when it was not assigned before.
    pub fn assign_role(&self, resource: Uuid, role: Uuid, principal: Uuid) -> bool {
        let now = self.now();
        let mut world = self.shared.world();
        world.assign_role(resource, principal, role, now).is_ok()
    }

    /// Makes or replaces an enterprise application.
    pub fn put_application(&self, application: ServicePrincipal) {
        let mut world = self.shared.world();
        world.service_principals.insert(application.id, application);
    }

    /// Buys a licence, or other seats of it.
    pub fn buy(&self, sku: SubscribedSku) {
        let mut world = self.shared.world();
        world.skus.retain(|known| known.sku_id != sku.sku_id);
        world.skus.push(sku);
    }

    /// The licences that a user holds directly, as the target truly holds them.
    pub fn licences(&self, user: Uuid) -> BTreeSet<Uuid> {
        self.shared.world().direct_licences(user)
    }

    /// Gives a licence behind the portal's back.
    pub fn give_licence(&self, user: Uuid, sku: Uuid) {
        let mut world = self.shared.world();
        let mut held = world.direct_licences(user);
        held.insert(sku);
        world.set_licences(user, held);
    }

    /// A copy of the whole directory.
    pub fn directory(&self) -> Directory {
        self.shared.world().directory()
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.list()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    /// Signs with a new key from now on; the old one is no longer published.
    pub async fn rotate_keys(&self) {
        self.shared.keys.rotate().await;
    }

    /// Voids every bearer token that was issued.
    pub fn revoke_tokens(&self) {
        self.shared.sessions.revoke_tokens();
    }

    /// Ends: waits shortly for open requests and writes the state file.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP_PATIENCE, &mut self.server)
            .await
            .is_err()
        {
            self.server.abort();
        }
        if let Some(keeper) = self.keeper.take()
            && let Err(error) = keeper.await
        {
            tracing::error!(%error, "the sandbox's state was not written");
        }
    }
}

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub base: String,
    pub tenant: Uuid,
    pub clients: Vec<Client>,
    pub featured: Vec<Featured>,
    world: Mutex<World>,
    pub faults: Faults,
    pub clock: Clock,
    pub log: RequestLog,
    pub keys: Keys,
    pub sessions: Sessions,
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world
            .lock()
            .expect("no code panics while it holds the world")
    }

    pub fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    pub fn issuer(&self, tenant: Uuid) -> String {
        format!("{}/{tenant}/v2.0", self.base)
    }
}
