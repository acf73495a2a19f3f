//! Signing in with Microsoft Entra ID: OpenID Connect, authorization code with PKCE, one pinned tenant.
//!
//! `provider.rs` talks to Entra (discovery, keys, codes), `remembered.rs` keeps what it read there, `token.rs` decides whether
//! an ID token counts, `flow.rs` holds the three routes, `fresh.rs`
//! the fresh sign-in for one decision, `explain.rs` turns refusals into pages that help. What a sign-in means
//! for people and roles is decided in `workflow::people`; nothing is created before the token has been checked in full.

mod explain;
mod flow;
mod fresh;
mod provider;
mod random;
mod remembered;
mod token;

pub use explain::explain_refusal;
pub use flow::{callback, sign_out, start};
pub use fresh::again;
pub use provider::{Failure, Provider, ProviderSettings, Wanted};
pub use random::{secret, sha256};
pub use token::{Fault as TokenFault, Groups, Identity};
