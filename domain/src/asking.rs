//! What a policy says about asking itself: for whom, by how many at once, with which ticket.

use serde::{Deserialize, Serialize};

use crate::{PersonId, Refusal, break_glass::BreakGlass, words};

words! {
    /// For whom, besides themselves, somebody may ask.
    pub enum ForOthers {
        /// For nobody.
        Nobody = "nobody",
        /// For those who report to them, at any depth.
        Reports = "reports",
        /// For everybody who works here.
        Colleagues = "colleagues",
    }
}

impl ForOthers {
    /// Whether `asker` may ask for `beneficiary`, whose managers (nearest first, at any depth) are `above`.
    pub fn allows(self, asker: PersonId, beneficiary: PersonId, above: &[PersonId]) -> bool {
        asker == beneficiary
            || match self {
                Self::Nobody => false,
                Self::Reports => above.contains(&asker),
                Self::Colleagues => true,
            }
    }
}

/// A reference to a ticket that travels with the line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Whether one is needed.
    #[serde(default)]
    pub required: bool,
    /// A regular expression that the whole reference must match; empty takes anything.
    #[serde(default)]
    pub pattern: String,
    /// What a right one looks like, shown beside the field.
    #[serde(default)]
    pub example: String,
    /// Where deciders look it up, with [`Ticket::PLACE`] in the place of the reference; empty if there is no such page.
    #[serde(default)]
    pub url: String,
}

impl Ticket {
    /// Under which key the reference is kept among the answers. No question can have it: a question's key begins with a letter.
    pub const KEY: &'static str = "_ticket";
    /// Stands for the reference in [`Ticket::url`].
    pub const PLACE: &'static str = "{ticket}";
    /// The most characters of a reference.
    pub const MOST: usize = 64;

    /// What is wrong with a reference, apart from the pattern.
    pub fn fault(&self, given: &str) -> Option<String> {
        let given = given.trim();
        if given.is_empty() {
            self.required.then(|| "a ticket is needed".to_owned())
        } else if given.chars().count() > Self::MOST {
            Some(format!("at most {} characters", Self::MOST))
        } else {
            None
        }
    }

    /// The page of a ticket, if the policy knows where tickets are. Of the reference only letters, digits and `-._` stay as they
    /// are, so that it can never lead anywhere but below the policy's own address.
    pub fn link(&self, given: &str) -> Option<String> {
        let given = given.trim();
        if self.url.is_empty() || given.is_empty() || given.chars().all(|one| one == '.') {
            return None;
        }
        let mut safe = String::with_capacity(given.len());
        for byte in given.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                safe.push(char::from(byte));
            } else {
                safe.extend(format!("%{byte:02X}").chars());
            }
        }
        Some(self.url.replace(Self::PLACE, &safe))
    }
}

/// What a policy says about asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// For whom one may ask besides oneself.
    #[serde(default = "nobody")]
    pub for_others: ForOthers,
    /// How many people may hold it at once; none if as many as like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_holders: Option<u32>,
    /// The ticket that it wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// Whether it is given without asking anybody, and how often. Old policies never are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
}

const fn nobody() -> ForOthers {
    ForOthers::Nobody
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            for_others: ForOthers::Nobody,
            most_holders: None,
            ticket: None,
            break_glass: None,
        }
    }
}

impl Asking {
    /// How many more people may hold it, while so many do; none if as many as like.
    pub fn seats_left(&self, holders: u64) -> Option<u64> {
        self.most_holders
            .map(|most| u64::from(most).saturating_sub(holders))
    }

    /// Refuses when so many others hold it that nobody more may.
    pub fn full(&self, holders: u64) -> Option<Refusal> {
        let most = self.most_holders?;
        (self.seats_left(holders) == Some(0)).then_some(Refusal::NoSeats { most })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    #[test]
    fn an_old_policy_lets_nobody_ask_for_others() {
        let read: Asking = serde_json::from_str("{}").expect("it says nothing");
        assert_eq!(read, Asking::default());
        assert!(!read.for_others.allows(id(1), id(2), &[id(1)]));
        assert!(read.for_others.allows(id(1), id(1), &[]));
    }

    #[test]
    fn seats_run_out() {
        let two = Asking {
            most_holders: Some(2),
            ..Asking::default()
        };
        assert_eq!(two.seats_left(1), Some(1));
        assert_eq!(two.full(1), None);
        assert_eq!(two.full(2), Some(Refusal::NoSeats { most: 2 }));
        assert_eq!(two.full(9), Some(Refusal::NoSeats { most: 2 }));
        assert_eq!(Asking::default().full(u64::MAX), None);
    }

    proptest! {
        /// Nobody asks for somebody who is not below them where only that is allowed.
        #[test]
        fn reports_are_below(asker in 0_u128..6, beneficiary in 0_u128..6, above in proptest::collection::vec(0_u128..6, 0..5)) {
            let above: Vec<PersonId> = above.into_iter().map(id).collect();
            let allowed = ForOthers::Reports.allows(id(asker), id(beneficiary), &above);
            prop_assert_eq!(allowed, asker == beneficiary || above.contains(&id(asker)));
        }

        /// Whatever is typed, a ticket's page lies below the policy's address, and nothing breaks out of the attribute.
        #[test]
        fn a_ticket_never_leads_elsewhere(typed in "\\PC{0,40}") {
            let ticket = Ticket { url: "https://tickets.example.com/browse/{ticket}".into(), ..Ticket::default() };
            if let Some(link) = ticket.link(&typed) {
                let rest = link.strip_prefix("https://tickets.example.com/browse/").expect("below the address");
                prop_assert!(rest.chars().all(|one| one.is_ascii_alphanumeric() || "-._%".contains(one)), "{}", link);
                prop_assert!(rest != "." && rest != "..");
            }
        }
    }
}
