//! Approval: who is seated in a stage, who may decide, and what a vote does. Nobody decides on their own access.

mod seating;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use seating::{Seating, seat};

use crate::{
    PersonId,
    hand_on::HandedOn,
    person::{Person, PortalRole},
    policy::{ApproverRule, StageRule},
    refusal::DeciderBar,
    words,
};

words! {
    /// Where a stage stands.
    pub enum StageState {
        /// An earlier stage is open.
        Waiting = "waiting",
        /// May be decided now.
        Open = "open",
        /// Enough people said yes.
        Met = "met",
        /// The one who asked thereby gave this stage.
        MetByAsking = "met_by_asking",
        /// The same person's yes of an earlier stage counts here (low-risk policy).
        Collapsed = "collapsed",
        /// Somebody said no.
        Denied = "denied",
        /// Nobody answered in time, and the later stages decide.
        PassedOn = "passed_on",
        /// Nobody answered in time, which denied the line.
        Unanswered = "unanswered",
        /// The line ended before this stage was decided.
        Closed = "closed",
    }
}

impl StageState {
    /// Whether the stage counts as a yes.
    pub const fn is_met(self) -> bool {
        matches!(self, Self::Met | Self::MetByAsking | Self::Collapsed)
    }
}

words! {
    /// A decision's content.
    pub enum Verdict {
        /// Yes, perhaps for less time.
        Approve = "approve",
        /// No, with a reason.
        Deny = "deny",
    }
}

words! {
    /// By which rule somebody has a seat.
    pub enum Via {
        /// As the beneficiary's manager.
        Manager = "manager",
        /// As the manager's manager.
        ManagersManager = "managers_manager",
        /// As the beneficiary's sponsor.
        Sponsor = "sponsor",
        /// As an owner of the package.
        PackageOwner = "package_owner",
        /// As an owner of a right that the package contains.
        EntitlementOwner = "entitlement_owner",
        /// As a member of security.
        Security = "security",
        /// As a holder of the portal role that the stage says.
        Role = "role",
        /// As a member of the group that the stage says.
        Group = "group",
        /// Named by the policy.
        Named = "named",
    }
}

impl Via {
    /// How those are seated whom a rule names.
    pub const fn by(rule: ApproverRule) -> Self {
        match rule {
            ApproverRule::Manager => Self::Manager,
            ApproverRule::ManagersManager => Self::ManagersManager,
            ApproverRule::Sponsor => Self::Sponsor,
            ApproverRule::PackageOwner => Self::PackageOwner,
            ApproverRule::EntitlementOwner => Self::EntitlementOwner,
            ApproverRule::Security => Self::Security,
            ApproverRule::Role => Self::Role,
            ApproverRule::Group => Self::Group,
            ApproverRule::Named => Self::Named,
        }
    }

    /// Whether somebody may stand in for whoever is seated so. An owner, a member of security or of a group and the holder
    /// of a role are seated for what they are: whoever stood in would have to be the same, and is seated then for themselves.
    pub const fn by_deputy(self) -> bool {
        match self {
            Self::Manager | Self::ManagersManager | Self::Sponsor | Self::Named => true,
            Self::PackageOwner
            | Self::EntitlementOwner
            | Self::Security
            | Self::Role
            | Self::Group => false,
        }
    }
}

/// One person who may decide in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seat {
    /// Who.
    pub person: PersonId,
    /// By which rule: theirs, or that of whom they stand in for.
    pub via: Via,
    /// Whom they stand in for, as a deputy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behalf: Option<PersonId>,
}

impl Seat {
    /// A seat of one's own.
    pub const fn own(person: PersonId, via: Via) -> Self {
        Self {
            person,
            via,
            behalf: None,
        }
    }

    /// Whose voice a vote from this seat is: one's own, or that of whom one stands in for.
    pub fn voice(&self) -> PersonId {
        self.behalf.unwrap_or(self.person)
    }
}

/// What seating needs to know of somebody who may come into question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub person: PersonId,
    /// Whether they work here now.
    pub active: bool,
    /// Whether they are effectively administrator or operator: who runs the portal decides nothing in it.
    pub runs_portal: bool,
    /// Everybody above them, nearest first; cut where it turns in a circle.
    pub above: Vec<PersonId>,
}

/// Somebody who stands in for somebody else now, as far as this line is in its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deputy {
    /// For whom.
    pub of: PersonId,
    /// Who.
    pub who: Candidate,
    /// Only where they are seated so.
    pub only: Option<Via>,
}

/// The facts from which the stages of a line are seated, read in the same transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Who asked.
    pub asker: Option<PersonId>,
    /// Whom it is for.
    pub beneficiary: Option<PersonId>,
    /// Whether the beneficiary is an employee.
    pub employee: bool,
    /// The beneficiary's manager.
    pub manager: Option<Candidate>,
    /// The manager's manager.
    pub managers_manager: Option<Candidate>,
    /// The beneficiary's sponsors.
    pub sponsors: Vec<Candidate>,
    /// The package's owners.
    pub owners: Vec<Candidate>,
    /// The owners of the rights that the package contains.
    pub entitlement_owners: Vec<Candidate>,
    /// Everybody who holds the role security effectively.
    pub security: Vec<Candidate>,
    /// Everybody who effectively holds a role that a stage of the route says.
    pub roles: BTreeMap<PortalRole, Vec<Candidate>>,
    /// The members of each group that a stage of the route says; none of one that is unknown or cannot be read.
    pub groups: BTreeMap<Uuid, Vec<Candidate>>,
    /// The people whom the stages of the route name.
    pub named: Vec<Candidate>,
    /// Who stands in for any of these.
    pub deputies: Vec<Deputy>,
    /// Who stands in for the asker or the beneficiary, in whatever scope.
    pub for_party: BTreeSet<PersonId>,
    /// Whether the stage waited so long that its fallback decides as well.
    pub escalated: bool,
    /// Those who decided earlier stages, where the policy wants different people.
    pub decided_earlier: BTreeSet<PersonId>,
    /// Whose yes was given in this stage already, by themselves or by a deputy. It stands, whether they would still be
    /// seated or not.
    pub said_yes: BTreeSet<PersonId>,
    /// Who gave those: nobody votes twice, for whomever.
    pub voted: BTreeSet<PersonId>,
    /// Whether they did so as subordinates: that counts only while nobody else is left.
    pub yes_by_subordinates: bool,
    /// Whose seat in this stage is taken by whom.
    pub handed_on: Vec<HandedOn>,
}

/// Why `candidate` may not sit here, if so.
pub fn bar(candidate: &Candidate, facts: &Facts) -> Option<DeciderBar> {
    let person = Some(candidate.person);
    if !candidate.active {
        Some(DeciderBar::Inactive)
    } else if person == facts.asker {
        Some(DeciderBar::Asker)
    } else if person == facts.beneficiary {
        Some(DeciderBar::Beneficiary)
    } else if candidate.runs_portal {
        Some(DeciderBar::RunsPortal)
    } else if facts.decided_earlier.contains(&candidate.person) {
        Some(DeciderBar::DecidedEarlier)
    } else if facts.for_party.contains(&candidate.person) {
        Some(DeciderBar::StandsIn)
    } else if candidate
        .above
        .iter()
        .any(|above| Some(*above) == facts.asker || Some(*above) == facts.beneficiary)
    {
        Some(DeciderBar::Subordinate)
    } else {
        None
    }
}

impl Facts {
    /// Everybody who may come into question by any rule or as a deputy; one person may appear more than once.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.manager
            .iter()
            .chain(&self.managers_manager)
            .chain(&self.sponsors)
            .chain(&self.owners)
            .chain(&self.entitlement_owners)
            .chain(&self.security)
            .chain(self.roles.values().flatten())
            .chain(self.groups.values().flatten())
            .chain(&self.named)
            .chain(self.deputies.iter().map(|deputy| &deputy.who))
    }
}

/// Whether an asker who is the beneficiary's manager has thereby given the manager stage: only where a later stage is
/// decided by another human.
pub fn met_by_asking(
    route: &[StageRule],
    position: usize,
    asker: &Person,
    beneficiary: &Person,
) -> bool {
    route
        .get(position)
        .is_some_and(|stage| stage.approvers == ApproverRule::Manager)
        && asker.id != beneficiary.id
        && beneficiary.manager == Some(asker.id)
        && route.len() > position + 1
}

/// Whether stages in these states, in order, approve a line: each counts as a yes, or was passed on to a later one that
/// people voted in. Silence is never a yes.
pub fn approved(states: &[StageState]) -> bool {
    states.iter().enumerate().all(|(position, state)| {
        state.is_met()
            || (*state == StageState::PassedOn && states[position + 1..].contains(&StageState::Met))
    })
}

/// What a stage becomes once `approvals` different people said yes.
pub fn tally(approvals: usize, needed: usize) -> StageState {
    if approvals >= needed.max(1) {
        StageState::Met
    } else {
        StageState::Open
    }
}

#[cfg(test)]
mod tests;
