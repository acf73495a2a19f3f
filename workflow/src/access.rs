//! Who is looking, and what they may do. Capabilities are made here and nowhere else: a function that takes one cannot
//! be called by somebody who has not obtained it.

use domain::{
    AccountId, PersonId,
    person::{Person, PortalRole},
};

use crate::{Error, Result};

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
