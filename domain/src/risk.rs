//! Risk: a small sum whose every part is explained. It orders and routes; it never decides by itself.

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// What adds to the risk of an ask.
    pub enum RiskPart {
        /// The package's own level.
        Level = "level",
        /// A privileged right.
        Privileged = "privileged",
        /// A right under a control regime.
        ControlScope = "control_scope",
        /// No end, or one far off.
        Duration = "duration",
        /// The holder is not an employee.
        HolderType = "holder_type",
        /// Few or none of the team hold it.
        Outlier = "outlier",
        /// A separation-of-duties rule is broken.
        Conflict = "conflict",
    }
}

words! {
    /// A package's own level, as its file says it.
    pub enum RiskLevel {
        /// Nothing that matters.
        Low = "low",
        /// The usual.
        Medium = "medium",
        /// Much could go wrong.
        High = "high",
    }
}

/// The points of each part, from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// A package of level medium; one of level high counts twice.
    pub level: u32,
    /// A privileged right.
    pub privileged: u32,
    /// A right under a control regime.
    pub control_scope: u32,
    /// Without end; longer than 90 days counts half.
    pub permanent: u32,
    /// A contractor or guest.
    pub not_employee: u32,
    /// Nobody of a team of three or more holds it; under a quarter counts half.
    pub outlier: u32,
    /// A rule is broken.
    pub conflict: u32,
    /// From this sum on a security stage is added.
    pub high: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            level: 10,
            privileged: 30,
            control_scope: 15,
            permanent: 20,
            not_employee: 10,
            outlier: 10,
            conflict: 40,
            high: 70,
        }
    }
}

/// What the sum is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskFacts {
    /// The package's own level.
    pub level: RiskLevel,
    /// Whether it opens a privileged right.
    pub privileged: bool,
    /// Whether it falls under a control regime.
    pub control_scope: bool,
    /// How long it would be held; none for without end.
    pub seconds: Option<i64>,
    /// Whether the holder is an employee.
    pub employee: bool,
    /// How many others have the same manager.
    pub team: u32,
    /// How many of them hold it.
    pub team_holds: u32,
    /// Whether a separation-of-duties rule would be broken that no exception covers.
    pub conflict: bool,
}

/// One part of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// Which.
    pub part: RiskPart,
    /// How many.
    pub points: u32,
}

/// The sum with its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// All parts that count, in the order of the list of parts.
    pub parts: Vec<Points>,
    /// Their sum.
    pub sum: u32,
}

/// From here on a length counts as long.
const LONG_SECONDS: i64 = 90 * 86_400;
/// A team of fewer says nothing about what is usual.
const TEAM_LEAST: u32 = 3;

/// Adds up the risk of one ask.
pub fn risk(facts: &RiskFacts, weights: &Weights) -> Risk {
    let level = match facts.level {
        RiskLevel::Low => 0,
        RiskLevel::Medium => weights.level,
        RiskLevel::High => weights.level.saturating_mul(2),
    };
    let duration = match facts.seconds {
        None => weights.permanent,
        Some(seconds) if seconds > LONG_SECONDS => weights.permanent / 2,
        Some(_) => 0,
    };
    let outlier = if facts.team < TEAM_LEAST {
        0
    } else if facts.team_holds == 0 {
        weights.outlier
    } else if facts.team_holds.saturating_mul(4) < facts.team {
        weights.outlier / 2
    } else {
        0
    };
    let if_so = |so: bool, points: u32| if so { points } else { 0 };
    let parts: Vec<Points> = [
        (RiskPart::Level, level),
        (
            RiskPart::Privileged,
            if_so(facts.privileged, weights.privileged),
        ),
        (
            RiskPart::ControlScope,
            if_so(facts.control_scope, weights.control_scope),
        ),
        (RiskPart::Duration, duration),
        (
            RiskPart::HolderType,
            if_so(!facts.employee, weights.not_employee),
        ),
        (RiskPart::Outlier, outlier),
        (RiskPart::Conflict, if_so(facts.conflict, weights.conflict)),
    ]
    .into_iter()
    .filter(|(_, points)| *points > 0)
    .map(|(part, points)| Points { part, points })
    .collect();
    let sum = parts
        .iter()
        .fold(0_u32, |sum, one| sum.saturating_add(one.points));
    Risk { parts, sum }
}

/// Whether a line passes by policy alone, without anybody deciding: only below the policy's own number, never with a
/// privileged right, a control regime or a broken rule.
pub fn passes_by_policy(risk: &Risk, facts: &RiskFacts, below: Option<u32>) -> bool {
    below.is_some_and(|below| risk.sum < below)
        && !facts.privileged
        && !facts.control_scope
        && !facts.conflict
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> RiskFacts {
        RiskFacts {
            level: RiskLevel::Low,
            privileged: false,
            control_scope: false,
            seconds: Some(3600),
            employee: true,
            team: 5,
            team_holds: 4,
            conflict: false,
        }
    }

    #[test]
    fn the_everyday_ask_has_no_risk_and_the_worst_has_every_part() {
        assert_eq!(risk(&facts(), &Weights::default()), Risk::default());
        let worst = RiskFacts {
            level: RiskLevel::High,
            privileged: true,
            control_scope: true,
            seconds: None,
            employee: false,
            team: 5,
            team_holds: 0,
            conflict: true,
        };
        let sum = risk(&worst, &Weights::default());
        assert_eq!(sum.parts.len(), RiskPart::ALL.len());
        assert!(sum.sum >= Weights::default().high);
    }

    proptest! {
        /// The sum is the sum of its parts, more facts never lower it, and no policy lets the dangerous pass by itself.
        #[test]
        fn the_sum_is_explained_and_grows(level in 0_usize..3, privileged: bool, scope: bool, seconds in proptest::option::of(0_i64..40_000_000), employee: bool, team in 0_u32..9, holds in 0_u32..9, conflict: bool, below in proptest::option::of(0_u32..500)) {
            let one = RiskFacts { level: RiskLevel::ALL[level], privileged, control_scope: scope, seconds, employee, team, team_holds: holds.min(team), conflict };
            let weights = Weights::default();
            let sum = risk(&one, &weights);
            prop_assert_eq!(sum.sum, sum.parts.iter().map(|part| part.points).sum::<u32>());
            let worse = risk(&RiskFacts { privileged: true, conflict: true, seconds: None, employee: false, ..one }, &weights);
            prop_assert!(worse.sum >= sum.sum);
            if passes_by_policy(&sum, &one, below) {
                prop_assert!(!privileged && !scope && !conflict && below.is_some_and(|below| sum.sum < below));
            }
        }
    }
}
