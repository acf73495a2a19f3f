//! Who reviews what: the first of several circles in which somebody may, the one with the least to do of those.

use std::collections::BTreeMap;

use super::Via;
use crate::{PersonId, approval::Candidate, words};

words! {
    /// Why somebody may not review an item.
    pub enum ReviewerBar {
        /// It is their own access.
        Holder = "holder",
        /// They report, at some depth, to the holder.
        Subordinate = "subordinate",
        /// They no longer work here.
        Inactive = "inactive",
        /// They are administrator or operator, and who runs the portal decides nothing in it.
        RunsPortal = "runs_portal",
        /// They were asked about it in an earlier stage.
        Answered = "answered",
        /// It is a second look, and they are not of security.
        NotSecurity = "not_security",
    }
}

/// What bars somebody from reviewing what `holder` holds. Whether they were asked before is for the caller to say.
pub fn barred(candidate: &Candidate, holder: PersonId) -> Option<ReviewerBar> {
    if candidate.person == holder {
        Some(ReviewerBar::Holder)
    } else if candidate.above.contains(&holder) {
        Some(ReviewerBar::Subordinate)
    } else if !candidate.active {
        Some(ReviewerBar::Inactive)
    } else if candidate.runs_portal {
        Some(ReviewerBar::RunsPortal)
    } else {
        None
    }
}

/// One circle of people who may review by the same right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier<'a> {
    /// By what right.
    pub via: Via,
    /// Who.
    pub people: Vec<&'a Candidate>,
}

/// How much each reviewer has got so far, and how much one should get at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    most: Option<u32>,
    load: BTreeMap<PersonId, u32>,
}

impl Balance {
    /// Nobody has anything yet; `most` is how much one should get, if that is said.
    pub const fn new(most: Option<u32>) -> Self {
        Self {
            most,
            load: BTreeMap::new(),
        }
    }

    /// How much somebody has got.
    pub fn of(&self, person: PersonId) -> u32 {
        self.load.get(&person).copied().unwrap_or_default()
    }
}

/// Gives an item to a reviewer: of the first circle in which somebody may and has not got the most yet, the one with the
/// least so far. Where all have the most already, the first circle takes it all the same. None if nobody may at all.
pub fn assign(
    balance: &mut Balance,
    holder: PersonId,
    tiers: &[Tier<'_>],
) -> Option<(PersonId, Via)> {
    let least = |balance: &Balance, limit: Option<u32>| {
        tiers.iter().find_map(|tier| {
            tier.people
                .iter()
                .filter(|candidate| barred(candidate, holder).is_none())
                .map(|candidate| (balance.of(candidate.person), candidate.person))
                .filter(|(load, _)| limit.is_none_or(|limit| *load < limit))
                .min_by_key(|(load, _)| *load)
                .map(|(_, person)| (person, tier.via))
        })
    };
    let chosen = least(balance, balance.most).or_else(|| least(balance, None))?;
    *balance.load.entry(chosen.0).or_default() += 1;
    Some(chosen)
}
