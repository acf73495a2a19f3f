//! A request line: what is asked, the checks before anybody decides, and the states it may pass through.

use std::collections::BTreeMap;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{
    Refusal, Timestamp, answer,
    asking::Ticket,
    grant::{End, plus},
    policy::{Limits, Policy, SHORTEST_SECONDS},
    words,
};

words! {
    /// Where a line stands. `Approved` is the last state of its own: the grant takes over.
    pub enum LineState {
        /// Waits for the open stage or, once all said yes, for the exception without which it breaks a rule.
        AwaitingApproval = "awaiting_approval",
        /// All stages said yes; there is a grant.
        Approved = "approved",
        /// A decider said no.
        Denied = "denied",
        /// Taken back by the asker.
        Cancelled = "cancelled",
        /// Nobody decided by the pending deadline, or the exception that it waited for was not in force in time.
        Lapsed = "lapsed",
        /// The same ask came again.
        Superseded = "superseded",
        /// The person left, the package was retired, or the exception that it waited for came to nothing.
        Withdrawn = "withdrawn",
    }
}

impl LineState {
    /// Whether nothing more can happen to the line itself.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::AwaitingApproval)
    }

    /// Whether the line may move to `next`. Everything else is refused, here and by a trigger in the database.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(self, Self::AwaitingApproval) && next.is_final()
    }
}

words! {
    /// Whether the line asks for something new or for more time.
    pub enum LineKind {
        /// A new grant.
        New = "new",
        /// More time for a grant that is held.
        Extension = "extension",
    }
}

/// When access should begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// As soon as it is approved.
    OnActivation,
    /// At this instant, or on approval if that is later.
    At(Timestamp),
}

/// When access should end. There is no absent or zero value that could mean "never" (compare CVE-2021-32923).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// So many seconds after activation.
    Seconds(i64),
    /// At this instant, whenever it begins.
    Until(Timestamp),
    /// Without end.
    Permanent,
}

/// Start and length, as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Begin.
    pub start: Start,
    /// End.
    pub length: Length,
}

/// What an ask becomes beside what is held of the same package already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Something new: it begins when what is held is over.
    Anew,
    /// More time for what is held.
    Longer {
        /// Until when it would be held.
        length: Length,
        /// The time that is added: held to the same limits as a first ask.
        added: Window,
    },
    /// Nothing.
    Not(Refusal),
}

/// What an ask becomes beside a grant of the same package that ends then. A length counts from the present end, or from the start that
/// is asked for; an end is meant as it is said.
pub fn beside(window: Window, held: End, now: Timestamp) -> Beside {
    let end = match held {
        End::Permanent => return Beside::Not(Refusal::AlreadyHeld),
        End::At(end) if end <= now => return Beside::Anew,
        End::At(end) => end,
    };
    let until = match (window.start, window.length) {
        (Start::At(start), _) if start >= end => return Beside::Anew,
        (_, Length::Permanent) => {
            return Beside::Longer {
                length: Length::Permanent,
                added: window,
            };
        }
        (Start::OnActivation, Length::Seconds(seconds)) => plus(end, seconds),
        (Start::At(start), Length::Seconds(seconds)) => plus(start.max(now), seconds),
        (_, Length::Until(until)) => until,
    };
    let added = match window.length {
        // Zero and less stay what they are, for screening to refuse.
        Length::Seconds(seconds) if seconds <= 0 => seconds,
        _ if until <= end => return Beside::Not(Refusal::NotAnExtension { end }),
        _ => (until - end).num_seconds(),
    };
    Beside::Longer {
        length: Length::Until(until),
        added: Window {
            start: window.start,
            length: Length::Seconds(added),
        },
    }
}

/// The fewest characters of a business reason.
pub const REASON_LEAST: usize = 5;
/// The most characters of a business reason, a note or an answer.
pub const TEXT_MOST: usize = 2000;

/// What an asker typed for one line, before any rule has looked at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Start and length.
    pub window: Window,
    /// The business reason.
    pub reason: &'a str,
    /// Answers by question key.
    pub answers: &'a BTreeMap<String, String>,
}

/// Checks one ask against the policy. `unmet` is what eligibility says against the person. Every refusal that applies is
/// returned, not just the first.
pub fn screen(ask: &Ask<'_>, unmet: &[String], policy: &Policy, now: Timestamp) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if !unmet.is_empty() {
        let because = unmet.to_vec();
        refusals.push(Refusal::NotEligible { because });
    }
    check_reason(ask.reason, &mut refusals);
    check_answers(ask, policy, now, &mut refusals);
    check_window(ask.window, &policy.limits, now, &mut refusals);
    refusals
}

fn check_reason(reason: &str, refusals: &mut Vec<Refusal>) {
    let length = reason.trim().chars().count();
    if length < REASON_LEAST {
        refusals.push(Refusal::ReasonTooShort {
            least: REASON_LEAST,
        });
    }
    if length > TEXT_MOST {
        refusals.push(Refusal::TooLong {
            field: "reason".into(),
            most: TEXT_MOST,
        });
    }
}

fn check_answers(ask: &Ask<'_>, policy: &Policy, now: Timestamp, refusals: &mut Vec<Refusal>) {
    for question in &policy.questions {
        let answer = ask
            .answers
            .get(&question.key)
            .map_or("", |text| text.trim());
        if let Some(why) = answer::fault(question, answer, now) {
            refusals.push(Refusal::Answer {
                question: question.key.clone(),
                why,
            });
        }
    }
    if let Some(ticket) = &policy.asking.ticket {
        let given = ask.answers.get(Ticket::KEY).map_or("", String::as_str);
        if let Some(why) = ticket.fault(given) {
            refusals.push(Refusal::Answer {
                question: Ticket::KEY.to_owned(),
                why,
            });
        }
    }
}

fn check_window(window: Window, limits: &Limits, now: Timestamp, refusals: &mut Vec<Refusal>) {
    let latest = now + Duration::seconds(limits.furthest_start_seconds);
    let start = match window.start {
        Start::OnActivation => now,
        // A minute of grace for a form that was open for a while.
        Start::At(at) if at < now - Duration::seconds(60) || at > latest => {
            refusals.push(Refusal::BadStart { latest });
            return;
        }
        Start::At(at) => at.max(now),
    };
    let seconds = match window.length {
        Length::Permanent => {
            if !limits.permanent {
                refusals.push(Refusal::NotPermanent);
            }
            return;
        }
        Length::Seconds(seconds) => seconds,
        Length::Until(until) if until <= start => {
            refusals.push(Refusal::EndBeforeStart);
            return;
        }
        Length::Until(until) => (until - start).num_seconds(),
    };
    if seconds < SHORTEST_SECONDS {
        refusals.push(Refusal::TooShortAsked {
            least_seconds: SHORTEST_SECONDS,
        });
    }
    if seconds > limits.longest_seconds {
        refusals.push(Refusal::TooLongAsked {
            most_seconds: limits.longest_seconds,
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{
        PersonId,
        asking::Asking,
        person::{Person, PersonState},
        policy::Question,
    };

    pub(crate) fn person(department: &str) -> Person {
        Person {
            id: PersonId(Uuid::from_u128(1)),
            name: "Johan Nyberg".into(),
            state: PersonState::Active,
            department: department.into(),
            job_title: "Engineer".into(),
            country: "SE".into(),
            office: "Gothenburg".into(),
            company: "Contoso AB".into(),
            employee_type: "employee".into(),
            user_type: "member".into(),
            manager: None,
            last_day_at: None,
            suspended: false,
        }
    }

    pub(crate) fn policy() -> Policy {
        Policy {
            eligibility: vec![],
            cedar: String::new(),
            about: crate::policy::About::default(),
            route: vec![],
            collapse: false,
            limits: Limits {
                default_seconds: 8 * 3600,
                longest_seconds: 24 * 3600,
                continuous_seconds: 96 * 3600,
                permanent: false,
                furthest_start_seconds: 30 * 86_400,
                pending_seconds: 7 * 86_400,
            },
            questions: vec![Question {
                key: "ticket".into(),
                ask: "Which ticket?".into(),
                required: true,
                ..Question::default()
            }],
            risk: crate::policy::RiskRule::default(),
            asking: Asking::default(),
        }
    }

    pub(crate) fn now() -> Timestamp {
        chrono::Utc
            .with_ymd_and_hms(2026, 3, 29, 0, 30, 0)
            .single()
            .expect("a fixed instant")
    }

    fn asked(window: Window) -> Vec<Refusal> {
        let answers = BTreeMap::from([("ticket".to_owned(), "INC-1".to_owned())]);
        screen(
            &Ask {
                window,
                reason: "Incident 4312",
                answers: &answers,
            },
            &[],
            &policy(),
            now(),
        )
    }

    #[test]
    fn a_plain_ask_passes() {
        assert_eq!(
            asked(Window {
                start: Start::OnActivation,
                length: Length::Seconds(8 * 3600)
            }),
            vec![]
        );
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let answers = BTreeMap::new();
        let window = Window {
            start: Start::OnActivation,
            length: Length::Permanent,
        };
        let faults = screen(
            &Ask {
                window,
                reason: " ",
                answers: &answers,
            },
            &[],
            &policy(),
            now(),
        );
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn a_start_in_the_past_or_an_end_before_the_start_is_refused() {
        let past = Start::At(now() - Duration::hours(1));
        assert!(matches!(
            asked(Window {
                start: past,
                length: Length::Seconds(3600)
            })[..],
            [Refusal::BadStart { .. }]
        ));
        let ahead = Start::At(now() + Duration::hours(2));
        assert_eq!(
            asked(Window {
                start: ahead,
                length: Length::Until(now() + Duration::hours(1))
            }),
            vec![Refusal::EndBeforeStart]
        );
    }

    proptest! {
        /// Whatever passes is finite, not longer than the longest, and at least a minute.
        #[test]
        fn what_passes_is_within_the_limits(start in -100_000_i64..4_000_000, length in -10_i64..200_000, until in any::<bool>()) {
            let begin = now() + Duration::seconds(start);
            let window = Window {
                start: if start % 3 == 0 { Start::OnActivation } else { Start::At(begin) },
                length: if until { Length::Until(begin + Duration::seconds(length)) } else { Length::Seconds(length) },
            };
            if asked(window).is_empty() {
                let from = match window.start { Start::OnActivation => now(), Start::At(at) => at.max(now()) };
                let seconds = match window.length {
                    Length::Seconds(seconds) => seconds,
                    Length::Until(end) => (end - from).num_seconds(),
                    Length::Permanent => unreachable!("never asked"),
                };
                prop_assert!((SHORTEST_SECONDS..=24 * 3600).contains(&seconds));
            }
        }

        /// Beside what is held, an ask is for something later, or makes it longer, never shorter.
        #[test]
        fn more_time_is_more(held in -5_000_i64..5_000, start in proptest::option::of(-6_000_i64..6_000), length in -10_i64..6_000, kind in 0_u8..3) {
            let end = now() + Duration::seconds(held);
            let window = Window {
                start: start.map_or(Start::OnActivation, |start| Start::At(now() + Duration::seconds(start))),
                length: match kind { 0 => Length::Seconds(length), 1 => Length::Until(now() + Duration::seconds(length)), _ => Length::Permanent },
            };
            match beside(window, End::At(end), now()) {
                Beside::Anew => prop_assert!(end <= now() || matches!(window.start, Start::At(at) if at >= end)),
                Beside::Longer { length: Length::Until(until), added } => {
                    let Length::Seconds(seconds) = added.length else { panic!("a span") };
                    prop_assert!(seconds <= 0 || (until > end && (until - end).num_seconds() == seconds));
                }
                Beside::Longer { length, .. } => prop_assert_eq!(length, Length::Permanent),
                Beside::Not(why) => prop_assert_eq!(why, Refusal::NotAnExtension { end }),
            }
            prop_assert_eq!(beside(window, End::Permanent, now()), Beside::Not(Refusal::AlreadyHeld));
        }

        /// A final state never changes again.
        #[test]
        fn final_states_are_final(from in 0_usize..7, to in 0_usize..7) {
            let (from, to) = (LineState::ALL[from], LineState::ALL[to]);
            prop_assert_eq!(from.may_become(to), from == LineState::AwaitingApproval && to != LineState::AwaitingApproval);
        }
    }
}
