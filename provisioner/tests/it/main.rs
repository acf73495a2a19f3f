//! The worker on both engines: convergence under faults, deadlines, lanes, and the Graph connector against the sandbox.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod app_roles;
mod belief;
mod by_hand;
mod contract;
mod fake;
mod graph;
mod house;
mod importing;
mod ldap;
mod ldap_proxy;
mod licences;
mod posting;
mod restores;
mod scans;
mod scim;
mod simulation;
mod slapd;
mod urgent;
mod webhook;
mod wire;
mod worker;
