//! Asking: a request with its lines, more time for what is held, and how a line ends without a grant.
//!
//! `submit` enters what is new, `extend` more time; both screen first ([`crate::screening`]) and go through `enter`, which
//! freezes a line and lays its route. `end` takes lines back, lets them lapse or withdraws them.

mod before;
mod end;
mod enter;
mod extend;
mod submit;

use domain::{PackageVersionId, PersonId, policy::Policy};
use store::{offers::OfferRow, requests::LineRow};

pub(crate) use end::{Ended, end, end_decided, lapse, lapse_job, lapse_line, lapsed};
pub use end::{cancel, withdraw_of_package, withdraw_of_person};
pub use extend::{MoreTime, extend};
pub use submit::{LINES_MOST, NewAsk, NewLine, NewRequest, ask, check, submit};

use crate::{Error, Result};

/// The policy of an edition. A policy that cannot be read holds everything: it never means "no approval needed".
pub(crate) fn policy_of(offer: &OfferRow) -> Result<Policy> {
    read_policy(&offer.policy, offer.version_id)
}

/// As [`policy_of`], from its text.
pub(crate) fn read_policy(text: &str, edition: PackageVersionId) -> Result<Policy> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal(format!("policy of {edition} cannot be read: {error}")))
}

/// Asker and beneficiary, the persons to lock.
pub(crate) fn both(line: &LineRow) -> Vec<PersonId> {
    let mut persons = vec![line.asker_id, line.beneficiary_id];
    persons.sort_unstable();
    persons.dedup();
    persons
}
