//! How the viewer stands to a holder, read once for all that one holds, and what follows for each grant.

use std::collections::BTreeSet;

use domain::{
    EntitlementId, PackageId, PersonId, Refusal,
    hands::{self, Hand, May, Tie},
    person::PortalRole,
};
use store::Tx;

use crate::{Error, Result, access::Viewer};

/// How the viewer stands to one person and to what that person holds.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    tie: Tie,
    packages: BTreeSet<PackageId>,
    rights: BTreeSet<EntitlementId>,
}

impl Authority {
    /// Reads how the viewer stands to a person, and which of these packages and rights the viewer owns.
    pub async fn over(
        tx: &mut Tx,
        viewer: &Viewer,
        person: PersonId,
        packages: &[PackageId],
        rights: &[EntitlementId],
    ) -> Result<Self> {
        let me = viewer.id();
        let own = me == person;
        let (mut above, mut below) = (false, false);
        if !own {
            for row in tx.managers_above(&[person, me]).await? {
                above |= row.person_id == person && row.above_id == me;
                below |= row.person_id == me && row.above_id == person;
            }
        }
        let mut owned = BTreeSet::new();
        for package in packages.iter().copied().collect::<BTreeSet<_>>() {
            if tx.owns(me, package).await? {
                owned.insert(package);
            }
        }
        let rights = tx.rights_owned_by(me, rights).await?.into_iter().collect();
        Ok(Self {
            tie: Tie {
                own,
                runs_portal: viewer.roles.iter().any(|role| role.runs_portal()),
                security: viewer.has(PortalRole::Security),
                hr: viewer.has(PortalRole::Hr),
                above,
                below,
                owns: false,
            },
            packages: owned,
            rights,
        })
    }

    /// How the viewer stands to what is held: a package with its rights, or rights alone.
    fn tie(&self, package: Option<PackageId>, rights: &[EntitlementId]) -> Tie {
        let owns = match package {
            Some(package) => self.packages.contains(&package),
            None => rights.iter().any(|right| self.rights.contains(right)),
        };
        Tie { owns, ..self.tie }
    }

    /// Whether the viewer may take this away.
    pub fn take_away(&self, package: Option<PackageId>, rights: &[EntitlementId]) -> May {
        hands::take_away(self.tie(package, rights))
    }

    /// Whether the viewer may hold this back, or let it go on.
    pub fn hold_back(&self) -> May {
        hands::hold_back(self.tie)
    }

    /// Whether the viewer may see all ways in which somebody holds this: the holder, those above, its owner.
    pub fn sees(&self, package: Option<PackageId>, rights: &[EntitlementId]) -> bool {
        let tie = self.tie(package, rights);
        tie.own || tie.above || tie.owns || rights.iter().any(|right| self.rights.contains(right))
    }
}

/// The hand, or how it fails: not there at all, or with the rule that bars it.
pub(super) fn must(may: May) -> Result<Hand> {
    match may {
        May::By(hand) => Ok(hand),
        May::Not(why) => Err(Refusal::MayNotAct { why }.into()),
        May::Nothing => Err(Error::Missing),
    }
}
