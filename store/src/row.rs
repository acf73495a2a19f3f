//! Reading rows into plain structs of domain types, the same for both engines.

use domain::Timestamp;
use sqlx::{Row, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::engine::{At, Error};

/// A type that one column of either engine can be read into.
pub trait Column: Sized {
    /// Reads from an SQLite row.
    fn lite(row: &SqliteRow, name: &str) -> Result<Self, sqlx::Error>;
    /// Reads from a PostgreSQL row.
    fn pg(row: &PgRow, name: &str) -> Result<Self, sqlx::Error>;
}

macro_rules! columns_as_they_are {
    ($($kind:ty),+ $(,)?) => {$(
        impl Column for $kind {
            fn lite(row: &SqliteRow, name: &str) -> Result<Self, sqlx::Error> {
                row.try_get(name)
            }
            fn pg(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                row.try_get(name)
            }
        }
    )+};
}

columns_as_they_are!(
    i64,
    bool,
    String,
    Vec<u8>,
    Uuid,
    Option<i64>,
    Option<bool>,
    Option<String>,
    Option<Vec<u8>>,
    Option<Uuid>
);

/// Columns that are read as `$raw` and then made into `$kind`.
macro_rules! columns_through {
    ($raw:ty, $make:expr => $($kind:ty),+ $(,)?) => {$(
        impl Column for $kind {
            fn lite(row: &SqliteRow, name: &str) -> Result<Self, sqlx::Error> {
                let raw: $raw = row.try_get(name)?;
                $make(raw, name)
            }
            fn pg(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                let raw: $raw = row.try_get(name)?;
                $make(raw, name)
            }
        }
        impl Column for Option<$kind> {
            fn lite(row: &SqliteRow, name: &str) -> Result<Self, sqlx::Error> {
                let raw: Option<$raw> = row.try_get(name)?;
                raw.map(|raw| $make(raw, name)).transpose()
            }
            fn pg(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                let raw: Option<$raw> = row.try_get(name)?;
                raw.map(|raw| $make(raw, name)).transpose()
            }
        }
    )+};
}

columns_through!(At, |at: At, _: &str| Ok::<_, sqlx::Error>(at.0) => Timestamp);
columns_through!(Uuid, |id: Uuid, _: &str| Ok::<_, sqlx::Error>(id.into()) =>
    domain::PersonId, domain::AccountId, domain::ApplicationId, domain::TargetId, domain::EntitlementId,
    domain::PackageId, domain::PackageVersionId, domain::CatalogueVersionId, domain::RequestId, domain::LineId,
    domain::StageId, domain::DecisionId, domain::FreshId, domain::RemarkId, domain::HandOnId, domain::DraftId, domain::DraftLineId,
    domain::GrantId, domain::AssignmentId, domain::OperationId, domain::MessageId, domain::PostId, domain::HoldId,
    domain::InstallationId,
    domain::ConflictId, domain::ExceptionId, domain::AttestationId, domain::FindingId, domain::DeputyId,
    domain::TaskId,
    domain::CampaignId, domain::ItemId, domain::ActId,
);
columns_through!(String, word =>
    domain::person::AccountKind, domain::person::PersonState, domain::person::PortalRole,
    domain::policy::ApproverRule, domain::request::LineState, domain::request::LineKind,
    domain::approval::StageState, domain::approval::Verdict, domain::approval::Via,
    domain::grant::GrantState, domain::grant::GrantSource, domain::grant::EndReason, domain::grant::SuspendCause,
    domain::assignment::Observed, domain::assignment::Origin, domain::assignment::Phase,
    domain::assignment::Closed,
    domain::deadline::JobKind, domain::telling::Topic, domain::telling::Delivery, domain::waiting::RemarkKind,
    domain::conflict::Severity, domain::conflict::Side,
    domain::exception::ExceptionState, domain::exception::ExceptionEnd,
    domain::finding::FindingKind, domain::finding::FindingState, domain::task::TaskCall, domain::task::TaskState,
    domain::break_glass::Conclusion, domain::fresh::FreshAct, domain::drift::Drift, domain::drift::Stop,
    domain::certification::CampaignState, domain::certification::ItemState, domain::certification::Answer,
    domain::certification::VoidCause, domain::certification::Silence, domain::certification::Reasons,
    domain::certification::Enforce, domain::certification::ReviewerRule, domain::certification::Via, domain::certification::Passes,
    domain::certification::Act, domain::certification::Proof, domain::certification::Suggestion, domain::certification::Cause,
    crate::catalogue::VersionState, crate::roles::RoleSource, crate::directory::HoldState, crate::directory::LeaveCause,
);

fn word<T: std::str::FromStr>(value: String, column: &str) -> Result<T, sqlx::Error> {
    value.parse().map_err(|_| {
        sqlx::Error::Decode(Box::new(Error::Unreadable {
            column: column.to_owned(),
            value,
        }))
    })
}

/// Declares a struct whose fields are read from the columns of the same names.
macro_rules! row {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* pub $field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $kind),+ }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: <$kind as $crate::row::Column>::lite(row, stringify!($field))?),+ })
            }
        }

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: <$kind as $crate::row::Column>::pg(row, stringify!($field))?),+ })
            }
        }
    )+};
}
