//! By whose hand somebody's access is taken away, held back or let go on: pure, from how the two people stand to each
//! other.

use crate::words;

words! {
    /// By what right somebody acts on another person's access.
    pub enum Hand {
        /// They lead the holder, at any depth.
        Manager = "manager",
        /// They own what is held.
        Owner = "owner",
        /// They hold the portal role security.
        Security = "security",
        /// They hold the portal role HR.
        Hr = "hr",
    }
}

words! {
    /// Why somebody may not act on a person's access although they see it.
    pub enum ActBar {
        /// It is their own.
        Own = "own",
        /// It is of somebody above them.
        Superior = "superior",
        /// They are administrator or operator, and who runs the portal decides nothing in it.
        RunsPortal = "runs_portal",
    }
}

/// How somebody stands to a holder and to what is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tie {
    /// They are the holder.
    pub own: bool,
    /// They are effectively administrator or operator.
    pub runs_portal: bool,
    /// They are effectively security.
    pub security: bool,
    /// They are effectively HR.
    pub hr: bool,
    /// They are above the holder, at any depth.
    pub above: bool,
    /// The holder is above them.
    pub below: bool,
    /// They own the package, or the right where there is no package.
    pub owns: bool,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// They may, by this hand.
    By(Hand),
    /// They see it, but may not.
    Not(ActBar),
    /// For them there is no such thing.
    Nothing,
}

/// Whether a grant may be taken away: by security and by its owner from anybody else, by a manager from those below them.
pub fn take_away(tie: Tie) -> May {
    if !tie.own && !tie.security && !tie.owns && !tie.above {
        return May::Nothing;
    }
    if let Some(bar) = bar(tie) {
        return May::Not(bar);
    }
    if tie.security {
        May::By(Hand::Security)
    } else if tie.owns {
        May::By(Hand::Owner)
    } else if tie.below {
        // In a circle each is above the other: then it is somebody else's to say.
        May::Not(ActBar::Superior)
    } else {
        May::By(Hand::Manager)
    }
}

/// Whether a grant may be held back or let go on: by security, and by HR for somebody who is away.
pub fn hold_back(tie: Tie) -> May {
    if !tie.security && !tie.hr {
        return May::Nothing;
    }
    match bar(tie) {
        Some(bar) => May::Not(bar),
        None if tie.security => May::By(Hand::Security),
        None => May::By(Hand::Hr),
    }
}

fn bar(tie: Tie) -> Option<ActBar> {
    if tie.own {
        Some(ActBar::Own)
    } else if tie.runs_portal {
        Some(ActBar::RunsPortal)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ties() -> impl Strategy<Value = Tie> {
        any::<[bool; 7]>().prop_map(|[own, runs_portal, security, hr, above, below, owns]| Tie {
            own,
            runs_portal,
            security,
            hr,
            above,
            below,
            owns,
        })
    }

    proptest! {
        /// Nobody acts on their own access, nobody who runs the portal acts at all, and who has no tie sees nothing.
        #[test]
        fn nobody_acts_on_their_own_or_without_a_tie(tie in ties()) {
            for may in [take_away(tie), hold_back(tie)] {
                if tie.own || tie.runs_portal {
                    prop_assert!(!matches!(may, May::By(_)), "{tie:?}");
                }
            }
            if !(tie.own || tie.security || tie.owns || tie.above) {
                prop_assert_eq!(take_away(tie), May::Nothing);
            }
            if !(tie.security || tie.hr) {
                prop_assert_eq!(hold_back(tie), May::Nothing);
            }
        }

        /// A manager never acts on somebody above them; owner and security do.
        #[test]
        fn a_superior_is_spared_by_managers_only(tie in ties()) {
            let may = take_away(tie);
            if may == May::By(Hand::Manager) {
                prop_assert!(tie.above && !tie.below);
            }
            if !tie.own && !tie.runs_portal && (tie.security || tie.owns) {
                prop_assert!(matches!(may, May::By(Hand::Security | Hand::Owner)));
            }
        }
    }
}
