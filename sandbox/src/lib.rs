//! A local stand-in for Microsoft Entra ID and the part of Microsoft Graph that the portal uses.
//!
//! It is for trials and tests: a believable directory with real HTTP in front, in memory, with faults to switch on. It
//! listens on loopback only, lets anyone be anyone, and knows none of the product's other crates.
//!
//! ```no_run
//! # async fn example(seed: sandbox::Directory) -> Result<(), sandbox::StartError> {
//! use sandbox::{Client, Config, FaultKind, Sandbox};
//!
//! let tenant = uuid::Uuid::from_u128(0x11);
//! let config = Config::new(tenant, seed)
//!     .client(Client::portal("portal-id", "secret", "http://127.0.0.1:3000/auth/callback", "http://127.0.0.1:3000/"))
//!     .client(Client::provisioner("provisioner-id", "secret"));
//! let running = Sandbox::start(config).await?;
//! running.fail(FaultKind::Slow { ms: 50 });
//! let graph = running.graph_url();
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

mod admin;
mod clock;
pub mod company;
mod config;
mod directory;
mod faults;
mod graph;
mod keys;
mod log;
mod oidc;
mod routes;
mod running;
mod state_file;
mod uri;
mod wire;
mod world;

pub use config::{Client, Config, Featured, PROVISIONER_PERMISSIONS};
pub use directory::{
    AppRole, AppRoleAssignment, Directory, Group, Organization, ServicePrincipal, SubscribedSku,
    User,
};
pub use faults::{Fault, FaultKind, Faults, Lost};
pub use log::LoggedRequest;
pub use running::{Running, Sandbox, StartError};
