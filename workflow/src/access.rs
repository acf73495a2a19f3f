//! Who is looking, and what they may do. Capabilities are made here and nowhere else: a function that takes one cannot
//! be called by somebody who has not obtained it.

use domain::{
    AccountId, PersonId, Timestamp,
    person::{Person, PortalRole, effective_roles},
};
use store::people::PersonRow;

use crate::{Error, Result, Workflow};

/// A signed-in person, read afresh from the database for every page and form; never from the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The person.
    pub person: Person,
    /// The account that they signed in with.
    pub account: AccountId,
    /// The portal roles that count now.
    pub roles: Vec<PortalRole>,
}

impl Viewer {
    /// The person's id.
    pub const fn id(&self) -> PersonId {
        self.person.id
    }

    /// Whether this role counts for the viewer.
    pub fn has(&self, role: PortalRole) -> bool {
        self.roles.contains(&role)
    }

    /// Refuses unless one of these roles counts.
    pub fn must_have(&self, any_of: &[PortalRole]) -> Result<()> {
        if any_of.iter().any(|role| self.has(*role)) {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}

/// Reads who somebody is now. `None` if they may not be here any more: the person has left or their last day is over,
/// or the account is disabled, deleted, or somebody else's.
///
/// To be called for every page and form: roles and standing come from the database, never from the session.
pub async fn viewer(
    workflow: &Workflow,
    person: PersonId,
    account: AccountId,
) -> Result<Option<Viewer>> {
    let mut tx = workflow.store().read().await?;
    viewer_in(&mut tx, workflow.clock().now(), person, account).await
}

/// As [`viewer`], inside a transaction: for a use case that must not act on standing which is being taken away.
pub async fn viewer_in(
    tx: &mut store::Tx,
    now: Timestamp,
    person: PersonId,
    account: AccountId,
) -> Result<Option<Viewer>> {
    let Some(account) = tx.account(account).await? else {
        return Ok(None);
    };
    if account.person_id != person || !account.usable() {
        return Ok(None);
    }
    let Some(person) = tx.person(person).await?.map(PersonRow::into_domain) else {
        return Ok(None);
    };
    if !person.works_at(now) {
        return Ok(None);
    }
    let held: Vec<PortalRole> = tx
        .roles_of(&[person.id])
        .await?
        .into_iter()
        .map(|row| row.role)
        .collect();
    Ok(Some(Viewer {
        person,
        account: account.id,
        roles: effective_roles(&held).0,
    }))
}
