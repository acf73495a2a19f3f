//! A package's policy: who may ask, for how long, who decides. Typed data, versioned with the package.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    PersonId, Timestamp,
    asking::Asking,
    calendar::WorkingSpan,
    grant::plus,
    person::{Person, PortalRole},
    risk::RiskLevel,
    words,
};

words! {
    /// An attribute of a person that eligibility may look at.
    pub enum Attribute {
        /// Department.
        Department = "department",
        /// Country, two letters.
        Country = "country",
        /// Office.
        Office = "office",
        /// Company (legal entity).
        Company = "company",
        /// `employee`, `contractor`, …
        EmployeeType = "employee_type",
        /// `member` or `guest`.
        UserType = "user_type",
        /// Job title.
        JobTitle = "job_title",
    }
}

impl Attribute {
    /// The person's value.
    pub fn of(self, person: &Person) -> &str {
        match self {
            Self::Department => &person.department,
            Self::Country => &person.country,
            Self::Office => &person.office,
            Self::Company => &person.company,
            Self::EmployeeType => &person.employee_type,
            Self::UserType => &person.user_type,
            Self::JobTitle => &person.job_title,
        }
    }
}

/// One condition of eligibility. All conditions of a policy must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at.
    pub attribute: Attribute,
    /// The person's value must be one of these (compared without regard to case), if any are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<String>,
    /// The person's value must be none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none_of: Vec<String>,
    /// The condition in plain words, shown to somebody who does not meet it.
    pub explain: String,
}

impl Condition {
    /// Whether `person` meets it, worked out without Cedar: what its policies are held against. A condition that says nothing
    /// is met by nobody: policies fail closed.
    #[cfg(test)]
    pub fn met_by(&self, person: &Person) -> bool {
        let value = self.attribute.of(person).to_lowercase();
        let is = |wanted: &String| wanted.to_lowercase() == value;
        if self.any_of.is_empty() && self.none_of.is_empty() {
            return false;
        }
        (self.any_of.is_empty() || self.any_of.iter().any(is)) && !self.none_of.iter().any(is)
    }
}

words! {
    /// Who may decide in a stage.
    pub enum ApproverRule {
        /// The beneficiary's manager; for somebody who is not an employee, the sponsor first.
        Manager = "manager",
        /// The manager's manager.
        ManagersManager = "managers_manager",
        /// The sponsor that the directory names.
        Sponsor = "sponsor",
        /// The owners of the package.
        PackageOwner = "package_owner",
        /// The owners of the rights that the package contains.
        EntitlementOwner = "entitlement_owner",
        /// Everybody who holds the portal role security.
        Security = "security",
        /// Everybody who holds the portal role that the stage says.
        Role = "role",
        /// The direct members of the directory's group that the stage says.
        Group = "group",
        /// The people whom the policy names.
        Named = "named",
    }
}

/// How many of a stage's seats must say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// So many different people.
    Count(u8),
    /// Everybody seated.
    All,
}

impl Quorum {
    /// Votes needed among `seats` people; never zero.
    pub fn needed(self, seats: usize) -> usize {
        match self {
            Self::Count(count) => usize::from(count.max(1)),
            Self::All => seats.max(1),
        }
    }
}

words! {
    /// What a stage's silence does. None of them is a yes.
    pub enum SilenceEnd {
        /// The request lapses.
        Lapse = "lapse",
        /// The request is denied.
        Deny = "deny",
        /// The stage is closed unanswered, and the later ones decide.
        PassOn = "pass_on",
    }
}

/// When a stage's silence is over, and what it does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// After so much working time since the stage opened.
    pub after: WorkingSpan,
    /// What follows.
    pub end: SilenceEnd,
}

/// One step of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRule {
    /// Who may decide.
    pub approvers: ApproverRule,
    /// The named people, for [`ApproverRule::Named`].
    #[serde(default)]
    pub named: Vec<PersonId>,
    /// The portal role, for [`ApproverRule::Role`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<PortalRole>,
    /// The object id of the directory's group, for [`ApproverRule::Group`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
    /// How many must say yes.
    pub quorum: Quorum,
    /// Who is asked, in this order, where those whom the rule names cannot decide.
    #[serde(default = "StageRule::usual_fallback")]
    pub fallback: Vec<ApproverRule>,
    /// Whether it opens with the stage before it, and not after that is met.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// After so much working time without an answer whoever can decide is reminded, and again after as much.
    #[serde(
        default = "StageRule::usual_reminder",
        skip_serializing_if = "is_usual_reminder"
    )]
    pub remind_after: WorkingSpan,
    /// After so much working time without an answer those who would be asked instead may decide as well. None: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<WorkingSpan>,
    /// How its silence ends. None: only with the request's own limit, by lapsing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_usual_reminder(span: &WorkingSpan) -> bool {
    *span == StageRule::usual_reminder()
}

impl StageRule {
    /// The most stages that a route may have.
    pub const MOST: usize = 5;

    /// A stage of this rule with everything else as a file has it that says no more.
    pub fn of(approvers: ApproverRule, quorum: Quorum) -> Self {
        Self {
            approvers,
            named: Vec::new(),
            role: None,
            group: None,
            quorum,
            fallback: Self::usual_fallback(),
            together: false,
            remind_after: Self::usual_reminder(),
            escalate_after: None,
            silence: None,
        }
    }

    /// Whether the stage at `position` may be passed on unanswered: a later one opens after it, and the last one is not passed
    /// on itself, so that somebody decides in the end.
    pub fn may_pass_on(route: &[Self], position: usize) -> bool {
        let passes_on = |stage: &Self| {
            stage
                .silence
                .is_some_and(|silence| silence.end == SilenceEnd::PassOn)
        };
        route.iter().skip(position + 1).any(|later| !later.together)
            && route.last().is_some_and(|last| !passes_on(last))
    }

    /// A working day.
    pub const fn usual_reminder() -> WorkingSpan {
        WorkingSpan::Days(1)
    }

    /// Manager's manager, then the package's owners, then security.
    pub fn usual_fallback() -> Vec<ApproverRule> {
        vec![
            ApproverRule::ManagersManager,
            ApproverRule::PackageOwner,
            ApproverRule::Security,
        ]
    }
}

/// Which lengths and windows may be asked for. Seconds throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Offered first in the form.
    pub default_seconds: i64,
    /// The longest that may be asked for.
    pub longest_seconds: i64,
    /// The longest that it may be held without a break, extensions included. Says nothing where it may be permanent.
    pub continuous_seconds: i64,
    /// Whether it may be asked for without an end.
    pub permanent: bool,
    /// How far ahead a start may lie.
    pub furthest_start_seconds: i64,
    /// How long a line may wait for decisions; then it lapses.
    pub pending_seconds: i64,
}

impl Limits {
    /// The latest end of what has been held without a break since `from`; none where it may be permanent.
    pub fn latest_end(&self, from: Timestamp) -> Option<Timestamp> {
        (!self.permanent).then(|| plus(from, self.continuous_seconds))
    }
}

/// The shortest span that may be asked for: a minute, so that set-up and removal do not overlap.
pub const SHORTEST_SECONDS: i64 = 60;

words! {
    /// How a question is answered.
    pub enum QuestionKind {
        /// Free text.
        Text = "text",
        /// Several lines of free text.
        LongText = "long_text",
        /// One of the given choices.
        Choice = "choice",
        /// A number.
        Number = "number",
        /// A day.
        Date = "date",
        /// Yes or no.
        YesNo = "yes_no",
        /// Somebody who works here, kept by id.
        Person = "person",
    }
}

/// A limit on the day that answers a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayLimit {
    /// This day.
    On(NaiveDate),
    /// So many days after the day of asking, before it if negative.
    InDays(i64),
}

/// A question of the package's own; the answer travels with the line and is shown to approvers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Stable key.
    pub key: String,
    /// What is asked, in plain words.
    pub ask: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// The choices, for [`QuestionKind::Choice`].
    #[serde(default)]
    pub choices: Vec<String>,
    /// Whether an answer is needed.
    #[serde(default)]
    pub required: bool,
    /// What helps to answer it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// A regular expression that the whole answer must match, for text; empty takes anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<i64>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<i64>,
    /// The earliest day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<DayLimit>,
    /// The latest day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<DayLimit>,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            key: String::new(),
            ask: String::new(),
            kind: QuestionKind::Text,
            choices: Vec::new(),
            required: false,
            help: String::new(),
            pattern: String::new(),
            least: None,
            most: None,
            earliest: None,
            latest: None,
        }
    }
}

/// What a package says about its own risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskRule {
    /// Its own level.
    pub level: RiskLevel,
    /// An ask whose risk is below this passes by policy alone, unless a privileged right, a control regime or a broken
    /// rule is in it. None: everything is decided by people.
    pub auto_approve_below: Option<u32>,
    /// Whether each yes wants a fresh sign-in, whatever the risk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub step_up: bool,
}

impl Default for RiskRule {
    fn default() -> Self {
        Self {
            level: RiskLevel::Low,
            auto_approve_below: None,
            step_up: false,
        }
    }
}

/// What eligibility may look at in the package itself, as it was when its edition was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The package's stable key.
    pub key: String,
    /// The stable key of its application.
    pub application: String,
    /// Whether one of its rights is privileged.
    pub privileged: bool,
    /// The control scope of its rights (`SOX`, …); empty for none.
    pub control_scope: String,
}

/// The whole policy of one package version, pinned by every line that asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// All must hold; none means everybody.
    pub eligibility: Vec<Condition>,
    /// Further conditions, written in Cedar: `forbid` policies with an `@explain` each.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cedar: String,
    /// What policies may know of the package.
    #[serde(default)]
    pub about: About,
    /// The stages in order. Empty means approved by policy at once (the catalogue says so explicitly).
    pub route: Vec<StageRule>,
    /// Whether one person may decide several stages (low risk only); otherwise stages want different people.
    pub collapse: bool,
    /// Lengths and windows.
    pub limits: Limits,
    /// The package's own questions.
    pub questions: Vec<Question>,
    /// Its own risk.
    #[serde(default)]
    pub risk: RiskRule,
    /// For whom one may ask, how many may hold it, which ticket it wants.
    #[serde(default)]
    pub asking: Asking,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(any_of: &[&str], none_of: &[&str]) -> Condition {
        Condition {
            attribute: Attribute::Department,
            any_of: any_of.iter().map(ToString::to_string).collect(),
            none_of: none_of.iter().map(ToString::to_string).collect(),
            explain: "only for Finance".into(),
        }
    }

    #[test]
    fn a_condition_that_says_nothing_is_met_by_nobody() {
        assert!(!condition(&[], &[]).met_by(&crate::request::tests::person("Finance")));
    }

    #[test]
    fn conditions_compare_without_case_and_exclude() {
        let person = crate::request::tests::person("Finance");
        assert!(condition(&["finance"], &[]).met_by(&person));
        assert!(!condition(&["Finance"], &["FINANCE"]).met_by(&person));
        assert!(condition(&[], &["Sales"]).met_by(&person));
    }

    #[test]
    fn a_quorum_is_never_zero() {
        assert_eq!(Quorum::Count(0).needed(3), 1);
        assert_eq!(Quorum::All.needed(0), 1);
        assert_eq!(Quorum::All.needed(3), 3);
    }
}
