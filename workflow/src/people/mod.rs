//! People: who may come into question as an approver, signing in, and what the directory says of them.
//!
//! An account is its tenant and object id. Names, mail addresses and user names are labels: two accounts with the same
//! mail are two accounts, and nothing here ever looks one up by a label.

mod candidates;
mod directory;
mod facts;
mod mirror;
mod movers;
mod refusals;
mod relations;
mod sign_in;

pub(crate) use candidates::candidates;
pub use directory::{
    Applied, DirectoryUser, Seen, apply_directory, directory_state, save_directory_state,
};
use facts::running_portal;
pub(crate) use facts::{Concern, Gathered, effective_members, gather};
pub(crate) use refusals::Refusals;
pub use refusals::{flush_refusals, sign_in_refused};
pub(crate) use sign_in::end_sessions_in;
pub use sign_in::{SignIn, SignInRefusal, SignedIn, end_sessions, sign_in, signed_out};

use crate::{Error, Result, fold::fold};

/// What people are found by: their name first, so that lists are in order of names.
pub fn search_key(name: &str, mail: &str, user_name: &str) -> String {
    let mut key = fold(name);
    for label in [mail, user_name] {
        let label = fold(label);
        if !label.is_empty() && !key.contains(&label) {
            key.push(' ');
            key.push_str(&label);
        }
    }
    key
}

/// Does one transaction again, a few times, if another held its locks the other way round or was first.
pub(crate) async fn again<T, F>(mut work: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut tries = 0;
    loop {
        match work().await {
            Err(Error::Unavailable(_) | Error::Stale) if tries < 4 => tries += 1,
            other => return other,
        }
    }
}
