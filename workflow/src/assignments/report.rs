//! What the provisioner reports of its calls at a target.

use chrono::Duration;
use domain::{
    AssignmentId, PersonId, Timestamp,
    assignment::{Closed, Observed, Step},
    words,
};
use serde::{Deserialize, Serialize};
use store::jobs::Job;

/// Why a call at a target did not do what it was for. It carries what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Trying again helps.
    Later {
        /// How long the target asked to wait, if it did.
        after: Option<Duration>,
        /// Whether it only asked for patience; such an answer does not count towards attention.
        throttled: bool,
        /// What it said.
        why: String,
    },
    /// Trying again does not help until somebody changes something about this right or account.
    Never {
        /// What happened, in an operator's words.
        why: String,
        /// What to do.
        fix: String,
    },
    /// We may not do this, or are set up wrongly.
    Misconfigured {
        /// What happened, in an operator's words.
        what: String,
        /// What to do.
        fix: String,
        /// Whether nothing works at this target, rather than this right only.
        everywhere: bool,
    },
}

words! {
    /// What a call was for.
    pub enum Call {
        /// Ask what is there.
        Read = "read",
        /// Add the right.
        Add = "add",
        /// Remove the right.
        Remove = "remove",
    }
}

impl Call {
    /// The call that does a step; none for rest.
    pub const fn of(step: Step) -> Option<Self> {
        match step {
            Step::Rest => None,
            Step::Read => Some(Self::Read),
            Step::Add => Some(Self::Add),
            Step::Remove => Some(Self::Remove),
        }
    }
}

/// What is kept of one call: enough to find it in the target's own logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The target's id of the call.
    pub request_id: Option<String>,
    /// Our id of the call.
    pub client_request_id: Option<String>,
    /// What the target said, in short.
    pub detail: String,
    /// From sending to answer.
    pub took: std::time::Duration,
    /// Which account of the target it was about, where the call found that out.
    pub account: Option<Box<TargetAccount>>,
    /// Whether what a read showed is there by another way only, which does not go with what we gave.
    pub otherwise: bool,
}

/// An account at a target, as the target's own id says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetAccount {
    /// The target's own id, which never changes.
    pub id: String,
    /// What it is called there; a label.
    pub user_name: String,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A read told this.
    Seen(Observed),
    /// A write was accepted.
    Done,
    /// The target said that it is so already, which counts only after a read.
    Already,
    /// The target took it on, and does it later: by somebody's hand, or with a word of its own when it is done.
    Pending {
        /// When to ask again at the latest.
        after: Duration,
    },
    /// It failed.
    Failed(Failure),
}

impl Outcome {
    /// The word that the evidence keeps.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Seen(Observed::Present) => "present",
            Self::Seen(Observed::Absent) => "absent",
            Self::Seen(Observed::Unknown) | Self::Failed(Failure::Later { .. }) => "later",
            Self::Done => "done",
            Self::Already => "already",
            Self::Pending { .. } => "pending",
            Self::Failed(Failure::Never { .. }) => "never",
            Self::Failed(Failure::Misconfigured { .. }) => "misconfigured",
        }
    }
}

/// What is new about a claimed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It was claimed; nothing was done yet.
    Begun,
    /// A write was answered with, but it had to wait for its turn and was not sent yet.
    Waited(Call),
    /// A call was made.
    Called {
        /// What for.
        call: Call,
        /// When it was sent.
        at: Timestamp,
        /// How it ended.
        outcome: Outcome,
        /// What is kept of it.
        evidence: Evidence,
    },
    /// The target may not be called before this instant.
    Blocked(Timestamp),
}

/// What the provisioner reports of one claimed job.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job, which fences the report.
    pub job: Job,
    /// The assignment that it converges.
    pub assignment: AssignmentId,
    /// Whose it is; locked first.
    pub person: PersonId,
    /// What is new.
    pub news: News,
    /// From when on the target may be called again, if the whole of it is in trouble.
    pub not_before: Option<Timestamp>,
}

/// How the provisioner goes on with a job after a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the target what is there.
    Read,
    /// Send this write now; that it is about to be sent is committed.
    Write {
        /// Add or remove.
        call: Call,
        /// An addition is not sent at or after this instant, for by then nobody wants it.
        until: Option<Timestamp>,
    },
    /// Nothing more now: the job is finished or was put back.
    Rest,
    /// Somebody else has the job now.
    Lost,
}

/// What is wrong with an assignment, as kept for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What happened, in an operator's words.
    pub what: String,
    /// What to do.
    pub fix: String,
    /// What was being done: `read`, `add` or `remove`.
    pub call: Call,
    /// HTTP status, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The target's id of the last call, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Failures in a row.
    pub attempts: i64,
    /// Since when.
    pub since: Timestamp,
}

impl Problem {
    /// What is said of a right that waits because changes to its whole target wait.
    pub(super) fn closed(closed: Closed, desired: bool, since: Timestamp) -> Self {
        let (what, fix) = match closed {
            Closed::Restored => (
                "The database was restored from a backup, and what was taken away since must not be given again.",
                "Look at what the scans of the targets found, then let them go on on the provisioner's page.",
            ),
            Closed::Shadow => (
                "The target is not switched on yet, so nothing is changed there.",
                "Switch it on in the configuration when what it would change is right.",
            ),
        };
        Self {
            what: what.into(),
            fix: fix.into(),
            call: if desired { Call::Add } else { Call::Remove },
            status: None,
            request_id: None,
            attempts: 0,
            since,
        }
    }

    /// Reads what an assignment keeps.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What is said of a target whose set-up is wrong.
pub(super) fn misconfigured(what: &str, fix: &str) -> String {
    format!("{what} {fix}")
}
