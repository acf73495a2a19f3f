//! What is true: the things of the portal, their states, and the rules that never break.
//!
//! This crate is pure. It knows people, entitlements, packages and their policies, request lines, approval stages,
//! grants, assignments and the moves that each may make. It is handed `now`, never asks for it, and has no I/O, no
//! async, no randomness, so that every rule can be proven by calling a function.
//!
//! It must not know: databases, HTTP, Leptos, clocks, or any other crate of ours.
//!
//! To add a rule: put the facts that it needs into the argument struct of the function that decides (`screen`,
//! `seat`, `settle_end`, `next_step`), return the outcome as data, and test it here with examples and a property.
//! Callers load facts and write outcomes; they decide nothing.

pub mod answer;
pub mod approval;
pub mod asking;
pub mod assignment;
pub mod audit;
pub mod break_glass;
pub mod bulk;
pub mod calendar;
pub mod catalogue;
pub mod certification;
pub mod conflict;
pub mod deadline;
pub mod deputy;
pub mod drift;
#[cfg(feature = "cedar")]
pub mod eligibility;
pub mod exception;
pub mod finding;
pub mod fresh;
pub mod grant;
pub mod hand_on;
pub mod hands;
pub mod ids;
pub mod mover;
pub mod person;
pub mod policy;
pub mod refusal;
pub mod request;
pub mod risk;
pub mod task;
pub mod team;
pub mod telling;
pub mod waiting;
pub mod words;

pub use ids::*;
pub use refusal::Refusal;

/// An instant in UTC. The database keeps microseconds; finer parts are cut when a value enters `workflow`.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
