//! The two engines, and all that differs between them besides the migrations.

use std::{path::PathBuf, str::FromStr, time::Duration};

use domain::{PackageId, PersonId, Timestamp};
use log::LevelFilter;
use sqlx::{
    ConnectOptions, Postgres, Sqlite,
    postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    },
};

/// How loudly each statement is told to `tracing`, as `sqlx::query`: its text and how long it took, never its values.
const TOLD: LevelFilter = LevelFilter::Trace;

/// Runs one query expression on whichever engine the transaction belongs to. Inside, `$c` is the connection.
macro_rules! on {
    ($tx:expr, $c:ident => $body:expr) => {
        match $tx {
            $crate::engine::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                $body
            }
            $crate::engine::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                $body
            }
        }
    };
}

/// Ends one write of several that are sent together, and begins the next. PostgreSQL takes them as one statement, in which
/// all but the last stand in a WITH under `$name`, and give their rows so that the next can wait for them; SQLite, where a
/// statement costs no round trip, runs each by itself.
///
/// `$query` was begun with [`Engine::first`].
macro_rules! and_then {
    ($engine:expr, $query:ident, $c:ident, $name:literal) => {
        match $engine {
            $crate::engine::Engine::Postgres => {
                $query.push(concat!(" RETURNING 1), ", $name, " AS ("));
            }
            $crate::engine::Engine::Sqlite => {
                $query.build().execute(&mut *$c).await?;
                $query = sqlx::QueryBuilder::new("");
            }
        }
    };
}

/// As [`and_then`], before the last of them.
macro_rules! and_last {
    ($engine:expr, $query:ident, $c:ident) => {
        match $engine {
            $crate::engine::Engine::Postgres => {
                $query.push(" RETURNING 1) ");
            }
            $crate::engine::Engine::Sqlite => {
                $query.build().execute(&mut *$c).await?;
                $query = sqlx::QueryBuilder::new("");
            }
        }
    };
}

/// What can go wrong in the store. `Conflict` and `Busy` are for callers to act on; the rest is logged once.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique key, a check or a trigger refused: somebody else was first, or a rule was about to break.
    #[error("the database refused: {0}")]
    Conflict(#[source] sqlx::Error),
    /// Locked, deadlocked or serialisation failure: the same transaction may be tried again.
    #[error("the database was busy: {0}")]
    Busy(#[source] sqlx::Error),
    /// A row holds a word or an id that this version does not know.
    #[error("column {column} holds {value:?}, which this version does not know")]
    Unreadable {
        /// The column.
        column: String,
        /// What it holds.
        value: String,
    },
    /// The schema is newer than this binary, or an applied migration was edited.
    #[error("the database schema does not fit this binary: {0}")]
    Schema(#[source] sqlx::migrate::MigrateError),
    /// The address of the database cannot be used.
    #[error("the database address cannot be used: {0}")]
    Address(String),
    /// Anything else: connection lost, disk full.
    #[error("the database failed: {0}")]
    Failed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Decode(inner) => match inner.downcast::<Self>() {
                    Ok(own) => *own,
                    Err(inner) => Self::Failed(sqlx::Error::Decode(inner)),
                },
                sqlx::Error::PoolTimedOut => Self::Busy(error),
                other => Self::Failed(other),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        match database.kind() {
            ErrorKind::UniqueViolation
            | ErrorKind::CheckViolation
            | ErrorKind::ForeignKeyViolation
            | ErrorKind::NotNullViolation
            | ErrorKind::ExclusionViolation => Self::Conflict(error),
            // SQLITE_CONSTRAINT_TRIGGER is what RAISE(ABORT) in a trigger gives.
            _ if code == "1811" => Self::Conflict(error),
            // SQLITE_BUSY family and SQLITE_LOCKED; PostgreSQL serialization_failure and deadlock_detected.
            _ if matches!(
                code.as_str(),
                "5" | "6" | "261" | "517" | "40001" | "40P01" | "55P03"
            ) =>
            {
                Self::Busy(error)
            }
            _ => Self::Failed(error),
        }
    }
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file.
    Sqlite,
    /// Shared by replicas.
    Postgres,
}

impl Engine {
    /// How the first of several writes begins that are sent together; it is named `first`.
    pub(crate) const fn first(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "WITH first AS (",
        }
    }
}

/// Where the database is and how to treat it.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:<path>` or `postgres://…`.
    pub url: String,
    /// Connections for reading (SQLite) or in all (PostgreSQL).
    pub connections: u32,
    /// False only in tests and while a sample year is played: a power loss may then lose what was acknowledged.
    pub durable: bool,
}

impl Options {
    /// Durable, with a handful of connections.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 8,
            durable: true,
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    /// One writer connection, several readers, WAL.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that read.
        readers: SqlitePool,
    },
    /// A pool.
    Postgres(PgPool),
}

/// One transaction. Dropped without [`Tx::commit`] it is rolled back.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Store {
    /// Opens the database, making the SQLite file if there is none. Does not migrate.
    pub async fn open(options: &Options) -> Result<Self, Error> {
        if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            Self::open_postgres(options).await
        } else if let Some(path) = options.url.strip_prefix("sqlite:") {
            Self::open_sqlite(path, options).await
        } else {
            Err(Error::Address(
                "it must begin with sqlite: or postgres://".into(),
            ))
        }
    }

    async fn open_sqlite(path: &str, options: &Options) -> Result<Self, Error> {
        let connect = SqliteConnectOptions::new()
            .filename(PathBuf::from(path.trim_start_matches("//")))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL loses acknowledged commits at a power loss; access decisions must not be lost.
            .synchronous(if options.durable {
                SqliteSynchronous::Full
            } else {
                SqliteSynchronous::Off
            })
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(512)
            .pragma("cache_size", "-16000")
            .pragma("temp_store", "memory")
            .log_statements(TOLD)
            .log_slow_statements(TOLD, Duration::from_secs(1));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(connect.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(connect.pragma("query_only", "on"))
            .await?;
        Ok(Self::Sqlite { writer, readers })
    }

    async fn open_postgres(options: &Options) -> Result<Self, Error> {
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(|error| Error::Address(error.to_string()))?
            .application_name("latchkey")
            .statement_cache_capacity(512)
            .options([(
                "synchronous_commit",
                if options.durable { "on" } else { "off" },
            )])
            .log_statements(TOLD)
            .log_slow_statements(TOLD, Duration::from_secs(1));
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.max(2))
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(connect)
            .await?;
        Ok(Self::Postgres(pool))
    }

    /// Which engine this is.
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// A transaction that may write. SQLite has one at a time; PostgreSQL runs them READ COMMITTED, so what two could
    /// decide differently is locked first (see [`Tx::lock_persons`]).
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// A transaction that only reads, from one snapshot.
    pub async fn read(&self) -> Result<Tx, Error> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// Closes all connections, waiting for what is under way.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// Hears what other replicas say with [`Tx::notify`]. `None` on SQLite, where there is one process.
    pub async fn listen(&self) -> Result<Option<Listener>, Error> {
        match self {
            Self::Sqlite { .. } => Ok(None),
            Self::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen("latchkey").await?;
                Ok(Some(Listener(listener)))
            }
        }
    }
}

/// Hears notifications of other replicas. A hint only: whoever listens polls as well.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Waits for the next notification and gives its text.
    pub async fn next(&mut self) -> Result<String, Error> {
        Ok(self.0.recv().await?.payload().to_owned())
    }
}

impl Tx {
    /// Makes everything since `begin` permanent, or nothing.
    pub async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Which engine this is.
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Tells all replicas something when this transaction commits. Nothing on SQLite, where there is one process.
    pub async fn notify(&mut self, text: &str) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            sqlx::query("SELECT pg_notify('latchkey', $1)")
                .bind(text)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Lets one claim happen at a time, so that two replicas never take jobs of the same lane together.
    pub(crate) async fn lock_claims(&mut self) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            // The number is ours alone; it only has to differ from other advisory locks in the same database.
            sqlx::query("SELECT pg_advisory_xact_lock(5417325)")
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Keeps a package in its state and edition until commit: publishing waits, others who ask for it or decide on it
    /// do not. To be called before persons are locked. Nothing on SQLite, which writes one transaction at a time.
    pub async fn hold_package(&mut self, id: PackageId) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            sqlx::query("SELECT id FROM packages WHERE id = $1 FOR SHARE")
                .bind(id.0)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Holds packages as [`Tx::hold_package`] does, and then locks persons as [`Tx::lock_persons`] does, at once. Nothing on
    /// SQLite, which writes one transaction at a time.
    pub async fn hold_and_lock(
        &mut self,
        packages: &[PackageId],
        persons: &[PersonId],
    ) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            let packages: Vec<uuid::Uuid> = packages.iter().map(|id| id.0).collect();
            let persons: Vec<uuid::Uuid> = persons.iter().map(|id| id.0).collect();
            // Who counts what is held has waited for it: packages come before persons, as everywhere.
            sqlx::query(
                "WITH held AS (SELECT id FROM packages WHERE id = ANY($1) ORDER BY id FOR SHARE)
                 SELECT id FROM persons WHERE id = ANY($2) AND (SELECT COUNT(*) FROM held) >= 0
                 ORDER BY id FOR NO KEY UPDATE",
            )
            .bind(packages)
            .bind(persons)
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    /// Waits for everybody who asks for a package or decides on it, and lets nobody begin until commit: for publishing,
    /// before it reads who holds what and who waits.
    pub async fn lock_packages(&mut self) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            // NO KEY UPDATE lets rows that only refer to a package be inserted meanwhile.
            sqlx::query("SELECT id FROM packages ORDER BY id FOR NO KEY UPDATE")
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// `FOR UPDATE SKIP LOCKED` where several transactions may claim at once.
    pub(crate) const fn skip_locked(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// An instant as each engine keeps it: INTEGER microseconds since 1970, or TIMESTAMPTZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At(pub Timestamp);

impl sqlx::Type<Sqlite> for At {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as sqlx::Type<Sqlite>>::type_info()
    }

    fn compatible(info: &sqlx::sqlite::SqliteTypeInfo) -> bool {
        <i64 as sqlx::Type<Sqlite>>::compatible(info)
    }
}

impl<'q> sqlx::Encode<'q, Sqlite> for At {
    fn encode_by_ref(
        &self,
        buffer: &mut <Sqlite as sqlx::Database>::ArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <i64 as sqlx::Encode<'q, Sqlite>>::encode(self.0.timestamp_micros(), buffer)
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for At {
    fn decode(value: sqlx::sqlite::SqliteValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let micros = <i64 as sqlx::Decode<'r, Sqlite>>::decode(value)?;
        Timestamp::from_timestamp_micros(micros)
            .map(Self)
            .ok_or_else(|| format!("{micros} µs is no instant").into())
    }
}

impl sqlx::Type<Postgres> for At {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <Timestamp as sqlx::Type<Postgres>>::type_info()
    }

    fn compatible(info: &sqlx::postgres::PgTypeInfo) -> bool {
        <Timestamp as sqlx::Type<Postgres>>::compatible(info)
    }
}

impl<'q> sqlx::Encode<'q, Postgres> for At {
    fn encode_by_ref(
        &self,
        buffer: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <Timestamp as sqlx::Encode<'q, Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for At {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        <Timestamp as sqlx::Decode<'r, Postgres>>::decode(value).map(Self)
    }
}
