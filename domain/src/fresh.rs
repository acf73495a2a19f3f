//! A fresh sign-in: what matters counts only if whoever does it has signed in once more, for exactly this: a yes, a word
//! that tolerates a broken rule, an edition of the catalogue, the kill switch.
//! Which of them want one, and whether what came back from the provider is one.

use chrono::Duration;

use crate::{Timestamp, refusal::FreshBar, words};

words! {
    /// What somebody signs in once more for.
    pub enum FreshAct {
        /// A yes in a stage.
        Decide = "decide",
        /// Accepting an exception for the business.
        Accept = "accept",
        /// Confirming an exception for security.
        Confirm = "confirm",
        /// Publishing an edition of the catalogue that widens.
        Publish = "publish",
        /// Stopping a person and holding back what they hold.
        Stop = "stop",
        /// Stopping a person and ending what they hold.
        End = "end",
    }
}

/// So long after somebody was sent to sign in once more it counts; for one decision, once.
pub const COUNTS_FOR: Duration = Duration::minutes(5);
/// How far the provider's clock may be behind ours before a sign-in looks older than it is.
pub const SKEW: Duration = Duration::minutes(1);

/// What makes a line matter, or an exception, an edition, a person to stop: by the packages and rights that it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Its risk is high.
    pub high: bool,
    /// It gives a privileged right.
    pub privileged: bool,
    /// Its package says so.
    pub said: bool,
}

impl Weight {
    /// Whether a yes wants a fresh sign-in. A no never does: it gives nothing.
    pub const fn wants_fresh(self) -> bool {
        self.high || self.privileged || self.said
    }
}

/// What was asked of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// When, by our clock.
    pub begun_at: Timestamp,
    /// The authentication context that must be satisfied (Entra's Conditional Access), if one is configured.
    pub context: Option<&'a str>,
}

/// What came back in a token that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came<'a> {
    /// Whether it is the account of the session, by tenant and object id.
    pub same_account: bool,
    /// When the person last proved who they are (`auth_time`), by the provider's clock.
    pub signed_in_at: Option<Timestamp>,
    /// The authentication contexts that are satisfied (`acrs`).
    pub contexts: &'a [String],
}

/// Why what came back is no fresh sign-in for what was asked, if so.
pub fn bar(asked: Asked<'_>, came: Came<'_>, now: Timestamp) -> Option<FreshBar> {
    let satisfied = asked
        .context
        .is_none_or(|wanted| came.contexts.iter().any(|one| one == wanted));
    // One that lies ahead of us by more than a minute says as little as one that is missing.
    let fresh = came
        .signed_in_at
        .is_some_and(|at| at + SKEW >= asked.begun_at && at <= now + SKEW);
    if !came.same_account {
        Some(FreshBar::OtherPerson)
    } else if now >= asked.begun_at + COUNTS_FOR {
        Some(FreshBar::Late)
    } else if !satisfied {
        Some(FreshBar::NotSatisfied)
    } else if !fresh {
        Some(FreshBar::NotFresh)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::seconds(1_000_000 + seconds)
    }

    fn came(contexts: &[String]) -> Came<'_> {
        Came {
            same_account: true,
            signed_in_at: Some(at(20)),
            contexts,
        }
    }

    const ASKED: Asked<'static> = Asked {
        begun_at: Timestamp::UNIX_EPOCH,
        context: Some("c1"),
    };

    #[test]
    fn what_was_asked_for_counts_and_nothing_else_does() {
        let asked = Asked {
            begun_at: at(0),
            ..ASKED
        };
        let (c1, other) = (["c3".to_owned(), "c1".to_owned()], ["c2".to_owned()]);
        assert_eq!(bar(asked, came(&c1), at(25)), None);
        let stranger = Came {
            same_account: false,
            ..came(&c1)
        };
        assert_eq!(bar(asked, stranger, at(25)), Some(FreshBar::OtherPerson));
        for contexts in [&[][..], &other] {
            assert_eq!(
                bar(asked, came(contexts), at(25)),
                Some(FreshBar::NotSatisfied)
            );
        }
        assert_eq!(bar(asked, came(&c1), at(300)), Some(FreshBar::Late));
        for old in [None, Some(at(-61)), Some(at(90))] {
            let old = Came {
                signed_in_at: old,
                ..came(&c1)
            };
            assert_eq!(bar(asked, old, at(25)), Some(FreshBar::NotFresh));
        }
    }

    #[test]
    fn without_a_context_the_time_alone_decides() {
        let asked = Asked {
            begun_at: at(0),
            context: None,
        };
        assert_eq!(bar(asked, came(&[]), at(25)), None);
        let old = Came {
            signed_in_at: Some(at(-3600)),
            ..came(&[])
        };
        assert_eq!(bar(asked, old, at(25)), Some(FreshBar::NotFresh));
    }

    proptest! {
        /// Nothing counts that another account, an earlier hour, or another context answered, nor what came too late.
        #[test]
        fn what_counts_is_fresh_ours_and_in_time(begun in -500_i64..500, signed in proptest::option::of(-500_i64..900), now in -500_i64..900, same: bool, context: bool, given: bool) {
            let contexts = if given { vec!["c1".to_owned()] } else { Vec::new() };
            let asked = Asked { begun_at: at(begun), context: context.then_some("c1") };
            let came = Came { same_account: same, signed_in_at: signed.map(at), contexts: &contexts };
            if bar(asked, came, at(now)).is_none() {
                prop_assert!(same && (given || !context));
                prop_assert!(signed.is_some_and(|signed| signed >= begun - 60 && signed <= now + 60));
                prop_assert!(now < begun + 300);
            }
        }

        /// Each of the three is enough.
        #[test]
        fn each_weight_is_enough(high: bool, privileged: bool, said: bool) {
            prop_assert_eq!(Weight { high, privileged, said }.wants_fresh(), high || privileged || said);
        }
    }
}
