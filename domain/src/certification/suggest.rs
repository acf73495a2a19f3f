//! What is suggested for an item, and why: the first of these rules that speaks.
//!
//! 1. It breaks a rule of separation that no exception covers: revoke.
//! 2. It was found at the target and nobody asked for it here: look.
//! 3. It is privileged and has no end: look.
//! 4. Of at least [`PEERS`] peers fewer than one in [`SHARE`] holds it: revoke, if it has been held for [`LONG_DAYS`]
//!    days, otherwise look.
//! 5. It ends by itself within [`SOON_DAYS`] days: keep.
//! 6. Otherwise: keep, with how many peers hold it where that is known.
//!
//! Peers are the others who report to the same manager. When something was last used is not known, and not guessed.

use serde::{Deserialize, Serialize};

use crate::words;

/// From how many peers on their number says something.
pub const PEERS: i64 = 4;
/// One in so many peers is few.
pub const SHARE: i64 = 5;
/// From so many days on something has been held for long.
pub const LONG_DAYS: i64 = 90;
/// What ends within so many days ends soon.
pub const SOON_DAYS: i64 = 30;

words! {
    /// What is suggested.
    pub enum Suggestion {
        /// It may stay.
        Keep = "keep",
        /// Somebody should look closer.
        Look = "look",
        /// It should go.
        Revoke = "revoke",
    }
}

/// Why it is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// It breaks a rule, and no exception covers that.
    BreaksRule,
    /// It was found at the target.
    Found,
    /// It is privileged and has no end.
    StandingPrivilege,
    /// Few peers hold it.
    FewPeers {
        /// How many do.
        holding: i64,
        /// Of how many.
        peers: i64,
    },
    /// It ends by itself.
    EndsSoon {
        /// In so many days.
        days: i64,
    },
    /// Peers hold it, too.
    Peers {
        /// How many do.
        holding: i64,
        /// Of how many.
        peers: i64,
    },
    /// Nothing speaks against it.
    Nothing,
}

/// What is known of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether its holder breaks a rule with it that no exception covers.
    pub breaks_rule: bool,
    /// Whether it was found at the target.
    pub found: bool,
    /// Whether it gives a privileged right.
    pub privileged: bool,
    /// For how many days it has been held.
    pub held_days: i64,
    /// In how many days it ends; none for without end.
    pub ends_in_days: Option<i64>,
    /// How many peers hold it, and how many there are; none where that is not known.
    pub peers: Option<(i64, i64)>,
}

/// The suggestion and its reason.
pub const fn suggest(facts: &Facts) -> (Suggestion, Why) {
    if facts.breaks_rule {
        return (Suggestion::Revoke, Why::BreaksRule);
    }
    if facts.found {
        return (Suggestion::Look, Why::Found);
    }
    if facts.privileged && facts.ends_in_days.is_none() {
        return (Suggestion::Look, Why::StandingPrivilege);
    }
    if let Some((holding, peers)) = facts.peers
        && peers >= PEERS
        && holding * SHARE < peers
    {
        let why = Why::FewPeers { holding, peers };
        return if facts.held_days >= LONG_DAYS {
            (Suggestion::Revoke, why)
        } else {
            (Suggestion::Look, why)
        };
    }
    if let Some(days) = facts.ends_in_days
        && days <= SOON_DAYS
    {
        return (Suggestion::Keep, Why::EndsSoon { days });
    }
    match facts.peers {
        Some((holding, peers)) if peers > 0 => (Suggestion::Keep, Why::Peers { holding, peers }),
        _ => (Suggestion::Keep, Why::Nothing),
    }
}
