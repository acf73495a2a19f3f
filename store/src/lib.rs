//! What is kept: the only crate that knows SQL.
//!
//! [`Store`] is SQLite or PostgreSQL behind one closed enum; [`Tx`] is one transaction of either. Every query is one
//! text for both engines, in the portable subset that `docs/architecture.md` describes; what differs stands in
//! `engine.rs` and in `migrations/`. Callers see plain structs, no generics, no trait objects.
//!
//! It knows rows, not rules: it is handed ids, instants and states, and decides nothing. It must not know `workflow`,
//! `provisioner`, `app` or `server`.
//!
//! To add a table: write migration `NNNN_name.sql` in both `migrations/sqlite` and `migrations/postgres`, list it in
//! `migrate.rs`, add a file named after the thing with its [`row!`] structs and its methods as `impl Tx`, and call each
//! method once in `tests/conformance`. Lookups return `Option` (not found is a case, not an error).

#[macro_use]
mod row;
#[macro_use]
mod engine;

pub mod approver_groups;
pub mod assignments;
pub mod audit;
pub mod calendars;
pub mod catalogue;
pub mod certification;
pub mod conflicts;
pub mod conversation;
pub mod deciding;
pub mod deputies;
pub mod directory;
pub mod drafts;
pub mod exceptions;
pub mod findings;
pub mod fresh;
pub mod grants;
pub mod holding;
pub mod installation;
pub mod jobs;
pub mod messages;
mod migrate;
pub mod offers;
pub mod people;
pub mod posts;
pub mod requests;
pub mod restores;
pub mod roles;
pub mod scans;
pub mod seating;
pub mod sessions;
pub mod tasks;
pub mod telling;
#[cfg(feature = "testing")]
pub mod testing;
pub mod views;

pub use engine::{Engine, Error, Options, Store, Tx};
pub use migrate::Schema;
pub use row::Column;
