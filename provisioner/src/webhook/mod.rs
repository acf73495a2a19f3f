//! A target that is reached by signed calls of one address, as Standard Webhooks describes them: for whatever has no protocol of
//! its own, with a small program in front.

mod connector;
mod signature;

pub use connector::{Options, Webhook, wish_of};
pub use signature::{BadSignature, Secret, TOLERANCE, sign, verify};
