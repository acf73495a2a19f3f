//! Bringing a database to this binary's schema. Applied files are never edited; a newer schema is refused.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::engine::{Error, Store};

/// Number, name, SQLite text, PostgreSQL text; the same number and name in both folders.
pub(crate) const FILES: &[(i64, &str, &str, &str)] = &[(
    1,
    "house",
    include_str!("../../migrations/sqlite/0001_house.sql"),
    include_str!("../../migrations/postgres/0001_house.sql"),
)];

impl Store {
    /// Applies what is missing. Fails on a schema that is newer than this binary or that was edited.
    pub async fn migrate(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite { writer, .. } => migrator(|file| file.2).run(writer).await,
            Self::Postgres(pool) => migrator(|file| file.3).run(pool).await,
        }
        .map_err(Error::Schema)
    }
}

fn migrator(
    text: fn(&(i64, &'static str, &'static str, &'static str)) -> &'static str,
) -> Migrator {
    let migrations = FILES
        .iter()
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
