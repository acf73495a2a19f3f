//! Membership of groups at a target that speaks SCIM 2.0 (RFC 7643, RFC 7644), and the account that goes with it: found by the id
//! that we gave it, made where there is none, brought up to date, and switched off or deleted for whoever has left.

mod answers;
mod client;
mod connector;

pub use client::{Answer, Client, Error, Kind};
pub use connector::{Leaver, MatchBy, Options, Scim};
