//! A certification campaign: what is held in a scope is frozen, each item goes to a reviewer by rule, and ends decided,
//! settled by the rule of silence, or void with a reason. Afterwards what was said no to is taken away, and somebody other
//! than the maker signs it off.
//!
//! Who reviews follows from [`assign`], what is suggested from [`suggest`], what goes on to whom after that from [`next`] and
//! [`goes_on`].

mod quality;
mod reviewer;
mod small;
mod stage;
mod suggest;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, EntitlementId, PackageId, PersonId, Timestamp, grant::GrantSource, words,
};

pub use quality::{ENOUGH, Given, HASTY, PAUSE, Quality, quality};
pub use reviewer::{Balance, ReviewerBar, Tier, assign, barred};
pub use small::{Cause, closes_from, wants_sign_off};
pub use stage::{
    LOOK_DAYS, LOOKS, LaterStage, Next, Passes, STAGES, Then, draw, drawn, goes_on, next, shares,
    stands, then,
};
pub use suggest::{Facts, Suggestion, Why, suggest};

words! {
    /// Where a campaign stands.
    pub enum CampaignState {
        /// Being made; nothing is frozen.
        Draft = "draft",
        /// Frozen and being reviewed.
        Running = "running",
        /// Nothing is open any more; what was said no to is being taken away.
        Closed = "closed",
        /// Signed off and sealed.
        SignedOff = "signed_off",
        /// Given up.
        Cancelled = "cancelled",
    }
}

impl CampaignState {
    /// Whether a campaign may move to `next`. The database has the same rule as a trigger.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Draft => matches!(next, Self::Running | Self::Cancelled),
            Self::Running => matches!(next, Self::Closed | Self::Cancelled),
            Self::Closed => matches!(next, Self::SignedOff),
            Self::SignedOff | Self::Cancelled => false,
        }
    }
}

words! {
    /// Where one item of a campaign stands.
    pub enum ItemState {
        /// Waits for its reviewer.
        Open = "open",
        /// A reviewer has answered.
        Decided = "decided",
        /// Nobody answered in time: the rule of silence did.
        Defaulted = "defaulted",
        /// There is nothing to review any more.
        Void = "void",
    }
}

words! {
    /// What becomes of what is held.
    pub enum Answer {
        /// It stays.
        Keep = "keep",
        /// It is taken away.
        Revoke = "revoke",
        /// It ends earlier.
        Shorten = "shorten",
    }
}

words! {
    /// Why an item is void.
    pub enum VoidCause {
        /// The access ended meanwhile.
        Ended = "ended",
        /// The campaign was given up.
        Cancelled = "cancelled",
    }
}

words! {
    /// What silence means at the deadline.
    pub enum Silence {
        /// It is taken away.
        Revoke = "revoke",
        /// Security gets it for [`ESCALATED`] more, and then it is taken away.
        Escalate = "escalate",
        /// It stays, and is reported as not reviewed: only what is neither privileged nor under a control scope.
        Keep = "keep",
    }
}

words! {
    /// When a reason must be given.
    pub enum Reasons {
        /// Only for keeping what is suggested to be revoked.
        Against = "against",
        /// Also for whatever takes something away.
        Removals = "removals",
        /// Always.
        Always = "always",
    }
}

words! {
    /// When what was said no to is taken away.
    pub enum Enforce {
        /// When the time for undoing is over.
        AtOnce = "at_once",
        /// When the campaign closes.
        AtClose = "at_close",
    }
}

words! {
    /// Who reviews, by rule.
    pub enum ReviewerRule {
        /// The manager of whoever holds it.
        Manager = "manager",
        /// An owner of the package; of what has none, the owner of the right.
        PackageOwner = "package_owner",
        /// The owner of the right.
        EntitlementOwner = "entitlement_owner",
        /// A member of security.
        Security = "security",
        /// Somebody named.
        Named = "named",
    }
}

words! {
    /// By what right somebody reviews an item.
    pub enum Via {
        /// They manage the holder.
        Manager = "manager",
        /// They manage the holder's manager.
        Above = "above",
        /// They own the package.
        PackageOwner = "package_owner",
        /// They own the right.
        EntitlementOwner = "entitlement_owner",
        /// They are security.
        Security = "security",
        /// The campaign names them.
        Named = "named",
        /// A colleague handed it on to them.
        HandedOn = "handed_on",
    }
}

words! {
    /// What happened to an item, in the order in which it is kept.
    pub enum Act {
        /// It stays.
        Keep = "keep",
        /// It is to be taken away.
        Revoke = "revoke",
        /// It is to end earlier.
        Shorten = "shorten",
        /// An answer was taken back.
        Undo = "undo",
        /// A reviewer gave it to a colleague.
        HandOn = "hand_on",
        /// A reviewer asked the holder.
        NotSure = "not_sure",
        /// The holder answered.
        Answered = "answered",
        /// Somebody else reviews it, because the reviewer cannot any more or the deadline passed.
        Replaced = "replaced",
        /// Its stage was over, and the next one is asked.
        NextStage = "next_stage",
    }
}

impl From<Answer> for Act {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Keep => Self::Keep,
            Answer::Revoke => Self::Revoke,
            Answer::Shorten => Self::Shorten,
        }
    }
}

words! {
    /// How it stands with the removal of what was said no to, when a campaign is signed off.
    pub enum Proof {
        /// The target was read back: it is gone, or ends earlier as was said.
        Done = "done",
        /// It is over; the target still has to confirm that.
        Pending = "pending",
        /// It is over, and held by another way as well.
        StillHeld = "still_held",
    }
}

/// How long an answer that takes something away can be undone.
pub const UNDO: Duration = Duration::hours(24);
/// How long a target may take to confirm a removal before security and the owners are told.
pub const CONFIRMED_WITHIN: Duration = Duration::hours(24);
/// How much longer security has for what nobody answered, where silence escalates.
pub const ESCALATED: Duration = Duration::days(7);
/// The days that a campaign may run.
pub const DAYS: std::ops::RangeInclusive<i64> = 1..=90;
/// The months after which a campaign may come again; none for once.
pub const REPEATS: [i64; 5] = [0, 1, 3, 6, 12];
/// From how many on an answer for many at once asks whether it is meant.
pub const MANY: usize = 10;
/// The most items in one answer for many at once.
pub const MOST_AT_ONCE: usize = 100;

/// What a campaign looks at: everything that is held now and fits all that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Only of this application.
    pub application: Option<ApplicationId>,
    /// Only this package.
    pub package: Option<PackageId>,
    /// Only what contains this right.
    pub entitlement: Option<EntitlementId>,
    /// Only of people in this department; empty for all.
    pub department: String,
    /// Only of people with this kind of employment; empty for all.
    pub employee_type: String,
    /// Only what gives a privileged right.
    pub privileged: bool,
    /// Only what gives a right under this control scope (`SOX`, `GDPR`, …); empty for all.
    pub control_scope: String,
    /// Only what comes from here.
    pub source: Option<GrantSource>,
    /// Only of this person.
    pub person: Option<PersonId>,
}

/// How old the listing of a right may be when a campaign starts, so that the campaign covers it.
pub const LISTED_WITHIN: Duration = Duration::hours(24);

/// Whether a right is covered that its target listed whole then.
pub fn covered(listed_at: Option<Timestamp>, now: Timestamp) -> bool {
    listed_at.is_some_and(|at| now - at <= LISTED_WITHIN)
}

/// What silence does to one item at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    /// It is settled so.
    Settled(Answer),
    /// Security gets it.
    Escalates,
}

/// What silence means for one item. Keeping is possible only for what is neither privileged nor under a control scope, and
/// nothing escalates twice.
pub const fn silence(
    rule: Silence,
    privileged: bool,
    control_scoped: bool,
    escalated: bool,
) -> Silent {
    match rule {
        Silence::Escalate if !escalated => Silent::Escalates,
        Silence::Keep if !privileged && !control_scoped => Silent::Settled(Answer::Keep),
        Silence::Keep | Silence::Revoke | Silence::Escalate => Silent::Settled(Answer::Revoke),
    }
}

/// When an answer takes effect; none where it waits for the closing, and for what stays.
pub fn takes_effect(enforce: Enforce, answer: Answer, decided_at: Timestamp) -> Option<Timestamp> {
    match (answer, enforce) {
        (Answer::Keep, _) | (_, Enforce::AtClose) => None,
        (Answer::Revoke | Answer::Shorten, Enforce::AtOnce) => Some(decided_at + UNDO),
    }
}

/// Whether an answer needs a reason. Keeping what is suggested to be revoked always does.
pub const fn needs_reason(reasons: Reasons, answer: Answer, suggestion: Suggestion) -> bool {
    let against = matches!((answer, suggestion), (Answer::Keep, Suggestion::Revoke));
    let asked = match reasons {
        Reasons::Against => false,
        Reasons::Removals => !matches!(answer, Answer::Keep),
        Reasons::Always => true,
    };
    against || asked
}

/// What an answer for many at once would do, where that is much: it is asked whether it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Friction {
    /// How many.
    pub items: usize,
    /// Of those, how many give a privileged right.
    pub privileged: usize,
    /// How many are suggested to be answered otherwise.
    pub against: usize,
}

/// Whether an answer for these items, each privileged or not and with its suggestion, must be confirmed with a reason.
pub fn friction(answer: Answer, items: &[(bool, Suggestion)]) -> Option<Friction> {
    let otherwise = |suggestion: Suggestion| match answer {
        Answer::Keep => suggestion == Suggestion::Revoke,
        Answer::Revoke | Answer::Shorten => suggestion == Suggestion::Keep,
    };
    let found = Friction {
        items: items.len(),
        privileged: items.iter().filter(|(privileged, _)| *privileged).count(),
        against: items.iter().filter(|(_, said)| otherwise(*said)).count(),
    };
    (found.items > MANY || found.privileged > 0 || found.against > 0).then_some(found)
}

/// How the items of a campaign ended, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Still open.
    pub open: i64,
    /// Kept by a reviewer.
    pub kept: i64,
    /// Revoked by a reviewer.
    pub revoked: i64,
    /// Shortened by a reviewer.
    pub shortened: i64,
    /// Revoked by silence.
    pub silent: i64,
    /// Kept by silence: not reviewed.
    pub not_reviewed: i64,
    /// Void.
    pub void: i64,
}

impl Tally {
    /// Counts `count` items that stand so.
    pub const fn add(&mut self, state: ItemState, answer: Option<Answer>, count: i64) {
        match (state, answer) {
            (ItemState::Open, _) | (ItemState::Decided | ItemState::Defaulted, None) => {
                self.open += count;
            }
            (ItemState::Decided, Some(Answer::Keep)) => self.kept += count,
            (ItemState::Decided, Some(Answer::Revoke)) => self.revoked += count,
            (ItemState::Decided, Some(Answer::Shorten)) => self.shortened += count,
            (ItemState::Defaulted, Some(Answer::Keep)) => self.not_reviewed += count,
            (ItemState::Defaulted, Some(_)) => self.silent += count,
            (ItemState::Void, _) => self.void += count,
        }
    }

    /// All of them.
    pub const fn population(&self) -> i64 {
        self.answered() + self.open + self.silent + self.not_reviewed + self.void
    }

    /// Those that a reviewer answered.
    pub const fn answered(&self) -> i64 {
        self.kept + self.revoked + self.shortened
    }

    /// How many percent a human has answered, of those that there was something to say about. What was kept by silence was
    /// not reviewed and never counts.
    pub const fn completion(&self) -> i64 {
        let wanted = self.population() - self.void;
        if wanted <= 0 {
            100
        } else {
            self.answered() * 100 / wanted
        }
    }

    /// Whether every frozen item has ended.
    pub const fn complete(&self) -> bool {
        self.open == 0
    }
}

words! {
    /// Why somebody may not sign a campaign off.
    pub enum SignOffBar {
        /// They made it.
        Maker = "maker",
        /// The portal made it, and they answered in it.
        Reviewer = "reviewer",
        /// They are administrator or operator, and who runs the portal decides nothing in it.
        RunsPortal = "runs_portal",
    }
}

/// What bars a member of security from signing off: four eyes. Where the portal made the campaign, the first two are those of
/// whoever `answered` anything in it.
pub fn sign_off_bar(
    signer: PersonId,
    runs_portal: bool,
    made_by: Option<PersonId>,
    answered: bool,
) -> Option<SignOffBar> {
    if made_by == Some(signer) {
        Some(SignOffBar::Maker)
    } else if made_by.is_none() && answered {
        Some(SignOffBar::Reviewer)
    } else if runs_portal {
        Some(SignOffBar::RunsPortal)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
