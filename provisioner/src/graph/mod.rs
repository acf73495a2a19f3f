//! Microsoft Graph: signing in as an application, calling, reading page by page, and many calls in one.
//!
//! [`Graph`] knows HTTP and the shape of Graph's answers, not what they mean for groups or people: it gives status,
//! code, text and ids, and callers classify. It waits for nothing: whoever is told to come later comes later.

mod address;
mod answer;
mod app_role;
mod batch;
mod client;
mod connector;
mod failure;
pub mod import;
mod licence;
mod membership;
pub mod token;

pub use answer::{Answer, Error, Kind};
pub use batch::Ask;
pub use client::{Graph, Options, Page, Priority};
pub use connector::{Entra, Switches};
pub use token::{Certificate, Credential};
