//! What is done: connectors, and the worker that makes targets match what was decided.
//!
//! [`worker::Worker`] takes due jobs from the queue, removals first, and works deadlines and assignments through
//! `workflow`; a [`connector::Connector`] is the hands at one target. Nothing here decides: `workflow::assignments` says
//! what to do with an assignment and is told what the target answered.
//!
//! It must not know `app` or `server`; it speaks HTTP to targets, and to `workflow` for everything that changes state.
//!
//! To add a connector, see [`connector`]; to add work that comes round by itself, see [`worker::Recurring`].

pub mod by_hand;
pub mod chat;
pub mod connector;
pub mod directory;
pub mod graph;
pub mod http;
pub mod ldap;
pub mod mailer;
pub mod scim;
pub mod webhook;
pub mod worker;
