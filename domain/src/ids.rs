//! Typed ids. Inside they are UUIDv7; printed, they carry the prefix of what they name, so that a log line says it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id that could not be read: wrong prefix or not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {expected}_…")]
pub struct BadId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub Uuid);

        impl $name {
            /// The prefix of the printed form.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or(BadId { expected: $prefix })
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
    )+};
}

ids! {
    /// One human.
    PersonId = "per",
    /// One sign-in identity of a person.
    AccountId = "acc",
    /// An application of the catalogue.
    ApplicationId = "app",
    /// A system that a connector reaches.
    TargetId = "tgt",
    /// Something that a person does by hand.
    TaskId = "tsk",
    /// One concrete right in one target.
    EntitlementId = "ent",
    /// What the catalogue offers.
    PackageId = "pkg",
    /// One pinned edition of a package: content and policy.
    PackageVersionId = "pkv",
    /// One published (or pending) edition of the catalogue files.
    CatalogueVersionId = "cat",
    /// One person's asking.
    RequestId = "req",
    /// What somebody is about to ask for.
    DraftId = "dft",
    /// One line of a draft.
    DraftLineId = "dfl",
    /// One line of a request.
    LineId = "lin",
    /// One step of a line's route.
    StageId = "stg",
    /// One decision of one person in one stage.
    DecisionId = "dec",
    /// One fresh sign-in for one decision.
    FreshId = "frs",
    /// One thing that somebody said about a waiting line.
    RemarkId = "rmk",
    /// One seat that was handed on.
    HandOnId = "hon",
    /// Somebody standing in for somebody else.
    DeputyId = "dpt",
    /// The resulting right over a span of time.
    GrantId = "gra",
    /// One (account, entitlement) pair.
    AssignmentId = "asg",
    /// One call made at a target.
    OperationId = "opr",
    /// One mail to one person.
    MessageId = "msg",
    /// One post to a channel of a chat.
    PostId = "pst",
    /// A mass change that waits for a human.
    HoldId = "hld",
    /// A separation-of-duties rule.
    ConflictId = "cft",
    /// A tolerated breach of such a rule.
    ExceptionId = "exc",
    /// What the owner of a control said.
    AttestationId = "att",
    /// Something that stands and that somebody must look at.
    FindingId = "fnd",
    /// A certification campaign.
    CampaignId = "cmp",
    /// One item of a campaign: something that is held, frozen.
    ItemId = "itm",
    /// One thing that was done to an item.
    ActId = "act",
    /// One installation: the database's own id.
    InstallationId = "ins",
}
