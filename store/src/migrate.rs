//! Bringing a database to this binary's schema. Applied files are never edited; a newer schema is refused.

use std::borrow::Cow;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use crate::engine::{Error, Store};

/// Number, name, SQLite text, PostgreSQL text; the same number and name in both folders.
pub(crate) const FILES: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "house",
        include_str!("../../migrations/sqlite/0001_house.sql"),
        include_str!("../../migrations/postgres/0001_house.sql"),
    ),
    (
        2,
        "cart",
        include_str!("../../migrations/sqlite/0002_cart.sql"),
        include_str!("../../migrations/postgres/0002_cart.sql"),
    ),
    (
        3,
        "conversation",
        include_str!("../../migrations/sqlite/0003_conversation.sql"),
        include_str!("../../migrations/postgres/0003_conversation.sql"),
    ),
    (
        4,
        "deputies",
        include_str!("../../migrations/sqlite/0004_deputies.sql"),
        include_str!("../../migrations/postgres/0004_deputies.sql"),
    ),
    (
        5,
        "conflicts",
        include_str!("../../migrations/sqlite/0005_conflicts.sql"),
        include_str!("../../migrations/postgres/0005_conflicts.sql"),
    ),
    (
        6,
        "holding",
        include_str!("../../migrations/sqlite/0006_holding.sql"),
        include_str!("../../migrations/postgres/0006_holding.sql"),
    ),
    (
        7,
        "telling",
        include_str!("../../migrations/sqlite/0007_telling.sql"),
        include_str!("../../migrations/postgres/0007_telling.sql"),
    ),
    (
        8,
        "targets",
        include_str!("../../migrations/sqlite/0008_targets.sql"),
        include_str!("../../migrations/postgres/0008_targets.sql"),
    ),
    (
        9,
        "break_glass",
        include_str!("../../migrations/sqlite/0009_break_glass.sql"),
        include_str!("../../migrations/postgres/0009_break_glass.sql"),
    ),
    (
        10,
        "reviews",
        include_str!("../../migrations/sqlite/0010_reviews.sql"),
        include_str!("../../migrations/postgres/0010_reviews.sql"),
    ),
    (
        11,
        "powers",
        include_str!("../../migrations/sqlite/0011_powers.sql"),
        include_str!("../../migrations/postgres/0011_powers.sql"),
    ),
    (
        12,
        "callbacks",
        include_str!("../../migrations/sqlite/0012_callbacks.sql"),
        include_str!("../../migrations/postgres/0012_callbacks.sql"),
    ),
    (
        13,
        "fresh",
        include_str!("../../migrations/sqlite/0013_fresh.sql"),
        include_str!("../../migrations/postgres/0013_fresh.sql"),
    ),
    (
        14,
        "silence",
        include_str!("../../migrations/sqlite/0014_silence.sql"),
        include_str!("../../migrations/postgres/0014_silence.sql"),
    ),
    (
        15,
        "approver_groups",
        include_str!("../../migrations/sqlite/0015_approver_groups.sql"),
        include_str!("../../migrations/postgres/0015_approver_groups.sql"),
    ),
    (
        16,
        "waits",
        include_str!("../../migrations/sqlite/0016_waits.sql"),
        include_str!("../../migrations/postgres/0016_waits.sql"),
    ),
    (
        17,
        "drift",
        include_str!("../../migrations/sqlite/0017_drift.sql"),
        include_str!("../../migrations/postgres/0017_drift.sql"),
    ),
    (
        18,
        "licences",
        include_str!("../../migrations/sqlite/0018_licences.sql"),
        include_str!("../../migrations/postgres/0018_licences.sql"),
    ),
    (
        19,
        "closed",
        include_str!("../../migrations/sqlite/0019_closed.sql"),
        include_str!("../../migrations/postgres/0019_closed.sql"),
    ),
    (
        20,
        "review_stages",
        include_str!("../../migrations/sqlite/0020_review_stages.sql"),
        include_str!("../../migrations/postgres/0020_review_stages.sql"),
    ),
    (
        21,
        "events",
        include_str!("../../migrations/sqlite/0021_events.sql"),
        include_str!("../../migrations/postgres/0021_events.sql"),
    ),
];

/// How the schema of a database stands to this binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// There is none yet.
    Missing,
    /// An earlier version made it.
    Older,
    /// It is this binary's.
    Current,
}

impl Store {
    /// Compares the schema with this binary's and changes nothing. Fails where [`Store::migrate`] would fail.
    pub async fn schema(&self) -> Result<Schema, Error> {
        let compared = match self {
            Self::Sqlite { readers, .. } => {
                let mut connection = readers.acquire().await?;
                let known = sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')",
                )
                .fetch_one(&mut *connection)
                .await?;
                compare(&mut *connection, &migrator(i64::MAX, |file| file.2), known).await
            }
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                let known =
                    sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
                        .fetch_one(&mut *connection)
                        .await?;
                compare(&mut *connection, &migrator(i64::MAX, |file| file.3), known).await
            }
        };
        compared.map_err(Error::Schema)
    }

    /// Applies what is missing. Fails on a schema that is newer than this binary or that was edited.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.migrate_through(i64::MAX).await
    }

    /// Applies what is missing up to this number.
    pub(crate) async fn migrate_through(&self, last: i64) -> Result<(), Error> {
        match self {
            Self::Sqlite { writer, .. } => migrator(last, |file| file.2).run(writer).await,
            Self::Postgres(pool) => migrator(last, |file| file.3).run(pool).await,
        }
        .map_err(Error::Schema)
    }
}

/// What [`Migrator::run`] checks before it applies anything.
async fn compare(
    connection: &mut impl Migrate,
    ours: &Migrator,
    known: bool,
) -> Result<Schema, MigrateError> {
    if !known {
        return Ok(Schema::Missing);
    }
    if let Some(version) = connection.dirty_version(&ours.table_name).await? {
        return Err(MigrateError::Dirty(version));
    }
    let applied = connection.list_applied_migrations(&ours.table_name).await?;
    for one in &applied {
        match ours.iter().find(|own| own.version == one.version) {
            None => return Err(MigrateError::VersionMissing(one.version)),
            Some(own) if own.checksum != one.checksum => {
                return Err(MigrateError::VersionMismatch(one.version));
            }
            Some(_) => {}
        }
    }
    Ok(if applied.is_empty() {
        Schema::Missing
    } else if applied.len() < ours.iter().count() {
        Schema::Older
    } else {
        Schema::Current
    })
}

fn migrator(
    last: i64,
    text: fn(&(i64, &'static str, &'static str, &'static str)) -> &'static str,
) -> Migrator {
    let migrations = FILES
        .iter()
        .filter(|file| file.0 <= last)
        .map(|file| {
            Migration::new(
                file.0,
                Cow::Borrowed(file.1),
                MigrationType::Simple,
                sqlx::SqlStr::from_static(text(file)),
                false,
            )
        })
        .collect();
    Migrator {
        migrations: Cow::Owned(migrations),
        ..Migrator::DEFAULT
    }
}
