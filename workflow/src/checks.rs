//! What is found of one ask besides what refuses it: rules that it breaks, and its risk. Both choose its route when it is
//! entered, and are shown to whoever decides, as they are then.

use domain::{
    GrantId, LineId, Timestamp,
    audit::{Actor, Event, EventKind},
    fresh::Weight,
    person::Person,
    policy::{ApproverRule, Policy, Quorum, StageRule},
    request::{Length, Window},
    risk::{Risk, RiskFacts, Weights, passes_by_policy, risk},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Tx,
    offers::{OfferRow, OfferedRow},
    requests::LineRow,
};

use crate::{
    Result, Unit,
    conflicts::{self, Added, Clash},
};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checks {
    /// The rules that it breaks, worst first.
    pub conflicts: Vec<Clash>,
    /// Its risk with the parts.
    pub risk: Risk,
    /// Whether it passes by policy alone, for its risk is low.
    pub by_policy: bool,
    /// Whether a stage of security is added to the route of the policy.
    pub adds_security: bool,
    /// Whether each yes wants a fresh sign-in.
    pub fresh: bool,
}

/// One ask to look at.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub beneficiary: &'a Person,
    pub offer: &'a OfferRow,
    pub policy: &'a Policy,
    /// What the edition contains.
    pub parts: &'a [OfferedRow],
    /// How many others have the same manager and how many of them hold the package, where that was read already.
    pub team: Option<(i64, i64)>,
    pub window: Window,
    /// The grant that is to last longer.
    pub extends: Option<GrantId>,
    /// The line itself, once there is one: it is not in its own way.
    pub line: Option<LineId>,
}

/// Looks at one ask as it would be approved at `now`. Reads only; where it decides anything the beneficiary is locked.
pub(crate) async fn look(
    tx: &mut Tx,
    weights: &Weights,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<Checks> {
    let (person, policy) = (asked.beneficiary, asked.policy);
    let parts = asked.parts;
    let mut added = Added::asked(person.id, parts, asked.window, now);
    added.except = asked.extends;
    let conflicts = conflicts::with_asked(tx, &added, asked.line, now).await?;
    let (team, team_holds) = match asked.team {
        Some(team) => team,
        None => tx.team_holding(person.id, asked.offer.package_id).await?,
    };
    let facts = RiskFacts {
        level: policy.risk.level,
        privileged: parts.iter().any(|part| part.privileged),
        control_scope: parts.iter().any(|part| part.control_scope.is_some()),
        seconds: match asked.window.length {
            Length::Permanent => None,
            Length::Seconds(seconds) => Some(seconds),
            Length::Until(until) => Some((until - added.from).num_seconds()),
        },
        employee: person.is_employee(),
        team: u32::try_from(team).unwrap_or(0),
        team_holds: u32::try_from(team_holds).unwrap_or(0),
        conflict: conflicts.iter().any(|clash| !clash.covered),
    };
    let risk = risk(&facts, weights);
    let by_policy = passes_by_policy(&risk, &facts, policy.risk.auto_approve_below);
    // Break-glass asks nobody first; what it may not do it may not at all.
    let adds_security = policy.asking.break_glass.is_none()
        && (facts.conflict || risk.sum >= weights.high)
        && !policy
            .route
            .iter()
            .any(|stage| stage.approvers == ApproverRule::Security);
    let weight = Weight {
        high: risk.sum >= weights.high,
        privileged: facts.privileged,
        said: policy.risk.step_up,
    };
    Ok(Checks {
        conflicts,
        risk,
        by_policy,
        adds_security,
        fresh: weight.wants_fresh(),
    })
}

/// Looks at a line that is being entered, records what was found, and gives the policy with the route that it gets, and
/// whether each yes on it wants a fresh sign-in.
pub(crate) async fn entered(
    unit: &mut Unit,
    line: &LineRow,
    asked: &Asked<'_>,
) -> Result<(Policy, bool)> {
    let now = unit.now;
    let weights = unit.workflow().settings().risk;
    let found = look(&mut unit.tx, &weights, asked, now).await?;
    if !found.conflicts.is_empty() || found.by_policy || found.adds_security || found.fresh {
        let rules: Vec<_> = found.conflicts.iter().map(|clash| clash.rule).collect();
        unit.record(
            Event::new(EventKind::LineScreened, now, Actor::Portal)
                .about(line.id)
                .about(line.request_id)
                .about(line.beneficiary_id)
                .under(line.package_version_id)
                .changing(
                    serde_json::Value::Null,
                    json!({
                        "breaks": rules, "risk": found.risk, "by_policy": found.by_policy,
                        "adds_security": found.adds_security, "fresh_sign_in": found.fresh,
                    }),
                ),
        );
    }
    Ok((found.routed(asked.policy), found.fresh))
}

impl Checks {
    /// The policy with the route that the line gets: none where it passes by policy, one stage of security more, which
    /// nobody decides who decided another, where a rule is broken or the risk is high.
    pub(crate) fn routed(&self, policy: &Policy) -> Policy {
        let mut routed = policy.clone();
        if self.by_policy {
            routed.route.clear();
        } else if self.adds_security {
            routed.collapse = false;
            routed
                .route
                .push(StageRule::of(ApproverRule::Security, Quorum::Count(1)));
        }
        routed
    }

    /// Whether a rule is broken that no exception covers.
    pub fn stands_against(&self) -> Option<&Clash> {
        self.conflicts
            .iter()
            .find(|clash| !clash.covered && (clash.asked.is_empty() || !clash.held.is_empty()))
    }
}
