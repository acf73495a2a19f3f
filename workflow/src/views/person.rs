//! One person: attributes, what they hold and why, requests, events.

use domain::{
    AccountId, PersonId, Timestamp,
    person::{AccountKind, PersonState, PortalRole},
};
use serde::Serialize;

use super::{Entry, HeldGrant, PersonTag, decision::Facts, requests::RequestItem};
use crate::{Result, Workflow, access::Viewer};

/// A person's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What the directory says.
    pub facts: Facts,
    /// Whether that is the viewer.
    pub me: bool,
    /// Mail address; a label.
    pub mail: String,
    /// Company (legal entity).
    pub company: String,
    /// The employer's own number; for the person, HR, security and auditors.
    pub employee_id: Option<String>,
    /// Works here or has left.
    pub state: PersonState,
    /// When they left.
    pub left_at: Option<Timestamp>,
    /// The people above, nearest first.
    pub above: Vec<PersonTag>,
    /// Who answers for them, if they are not an employee.
    pub sponsors: Vec<PersonTag>,
    /// Who reports to them, at most 50, by name.
    pub reports: Vec<PersonTag>,
    /// Their sign-in identities; for the person and those with a portal role that may look.
    pub accounts: Vec<AccountView>,
    /// Their portal roles that count now.
    pub roles: Vec<PortalRole>,
    /// What they hold, soonest end first.
    pub held: Vec<HeldGrant>,
    /// What was found at targets and not approved here.
    pub found: Vec<HeldGrant>,
    /// What ended within the last 30 days.
    pub ended: Vec<HeldGrant>,
    /// Their newest requests, at most 20.
    pub requests: Vec<RequestItem>,
    /// The newest audit entries about them, at most 30; for the person, HR, security and auditors.
    pub events: Vec<Entry>,
}

/// One sign-in identity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountView {
    /// Which.
    pub id: AccountId,
    /// User principal name; a label.
    pub user_name: String,
    /// What it is used for.
    pub kind: AccountKind,
    /// Whether the directory lets it sign in.
    pub enabled: bool,
    /// Whether the directory has deleted it.
    pub deleted: bool,
}

/// Reads a person. For themselves, those above them at any depth, security, auditors, HR and operators; for anybody else
/// there is no such person.
pub async fn load(workflow: &Workflow, viewer: &Viewer, id: PersonId) -> Result<PersonPage> {
    let _ = (workflow, viewer, id);
    Err(super::common::soon())
}
