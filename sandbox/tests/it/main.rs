//! The sandbox from outside: over HTTP, as its clients see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod delta;
mod faults;
mod fixture;
mod graph;
mod http;
mod keeping;
mod schema;
mod sign_in;
