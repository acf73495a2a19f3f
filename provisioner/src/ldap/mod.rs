//! LDAP directories: OpenLDAP and Active Directory, and others that behave like the first.
//!
//! [`Client`] knows the protocol: connecting with verified TLS, binding, searching by pages, and what each result code means
//! ([`Error`], [`Kind`]). Over it stand the few things that are done in a directory: finding an account and a group, changing
//! and reading who is a member, disabling an account and letting it expire. What the two dialects do differently stands in
//! [`Dialect`] and `encoding`. [`Groups`] is the connector; it decides nothing.
//!
//! An entry is known by its `entryUUID` or `objectGUID`, which stays when it is renamed or moved. Its DN is read anew whenever
//! something is done with it.

mod account;
mod client;
mod connector;
mod diagnose;
mod directory;
mod encoding;
mod error;
mod name;
mod settings;
mod wire;

pub use account::Locked;
pub use client::{Client, Unusable};
pub use connector::Groups;
pub use directory::{Change, Found, Group, Person};
pub use encoding::{filetime, from_filetime, guid, shadow_days};
pub use error::{Error, Kind};
pub use name::{Name, below, equals};
pub use settings::{Dialect, Disable, Encryption, Leaver, MatchBy, Password, Settings};
