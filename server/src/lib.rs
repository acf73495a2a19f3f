//! The binary `latchkey`: configuration, sign-in, layers, command line, start and stop.
//!
//! [`serve`] is the real thing, [`trial`] the sample company on loopback; both put the same parts together: a store, the use
//! cases of `workflow`, the pages of `app` inside the layers of [`web`], and `provisioner`'s worker. [`sign_in`] and
//! [`sessions`] say who is asking; what they may do is decided in `workflow`.
//!
//! To add a command: a variant in `cli/mod.rs` and a function here. To add a setting: see [`config`]. To add a page: not
//! here but in `app`.

mod accept;
mod checkpoints;
pub mod cli;
pub mod config;
mod credential;
mod database;
mod house;
pub mod http_client;
mod lifecycle;
mod mail;
mod out;
mod serve;
pub mod sessions;
pub mod sign_in;
mod targets;
mod telemetry;
mod trial;
pub mod web;
