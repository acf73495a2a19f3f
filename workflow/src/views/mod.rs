//! What pages show: one file for each screen, read in one transaction, authorised here.
//!
//! Every `load` takes the viewer and gives plain data that was worked out on the server from ids. What the viewer may
//! not see is [`crate::Error::Missing`], as if it did not exist; a whole page that needs a portal role is
//! [`crate::Error::Forbidden`]. Lists are paged by a [`Cursor`], cost the same few statements on every page, and are never
//! counted beyond a [`Capped`] number.
//!
//! To add a screen: its structs and `load` here, its statements in `store::views` under the same name, a test in
//! `tests/views` on both engines with a stranger who gets nothing.

pub mod access;
pub mod approvals;
pub mod audit;
pub mod cart;
pub mod catalog;
pub mod change;
pub mod colleagues;
mod common;
pub mod conflicts;
pub mod conversation;
pub mod decision;
pub mod deputies;
pub mod effect;
pub mod evidence;
pub mod exceptions;
pub mod findings;
pub mod hand_on;
pub mod history;
pub mod holds;
pub mod home;
pub mod kill_switch;
mod line;
mod make;
mod names;
pub mod notifications;
pub mod owned;
pub mod package;
pub mod person;
pub mod provisioning;
pub mod renewals;
pub mod request;
pub mod request_form;
pub mod requests;
pub mod restore;
pub mod reviews;
pub mod roles;
pub mod search;
mod seating;
pub mod shell;
mod sight;
pub mod stuck;
pub mod suggest;
pub mod tasks;
pub mod team;
mod timeline;
pub mod versions;
pub mod waits;
pub mod why;
mod words;

pub use common::{
    Answer, AppTag, AtTarget, Capped, Condition, Cursor, Deciders, EntitlementTag, Entry,
    GrantOver, HeldBack, HeldGrant, Marks, Name, PackageTag, PersonTag, SeatView, StagePreview,
    Standing, Vote, Why, initials,
};
pub use words::{ChangeKind, Mark, StandingWord};
