//! Databases for tests: one fresh, migrated database for each call and engine. Behind the feature `testing`.
//!
//! SQLite lies in a folder of the system's temporary folder, PostgreSQL in the server that `LATCHKEY_TEST_POSTGRES`
//! names. What a process leaves behind, the next one sweeps away.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

use crate::{Engine, Options, Store, Tx};

/// Names the PostgreSQL server for tests: an address with the right to create databases.
pub const POSTGRES: &str = "LATCHKEY_TEST_POSTGRES";

static COUNT: AtomicU32 = AtomicU32::new(0);
static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static FOLDER: OnceCell<PathBuf> = OnceCell::const_new();

/// A fresh, migrated store on each engine, not durable.
///
/// Panics with a sentence if `LATCHKEY_TEST_POSTGRES` is not set: a suite that leaves an engine out proves nothing.
pub async fn stores() -> Vec<(Engine, Store)> {
    vec![
        (Engine::Sqlite, store(Engine::Sqlite).await),
        (Engine::Postgres, store(Engine::Postgres).await),
    ]
}

/// A fresh, migrated store on one engine, not durable.
pub async fn store(engine: Engine) -> Store {
    let url = url(engine).await;
    let store = Store::open(&Options {
        connections: 4,
        durable: false,
        ..Options::new(url)
    })
    .await
    .expect("a database that was just made opens");
    store
        .migrate()
        .await
        .expect("the migrations apply to a new database");
    store
}

/// A fresh store with the schema as it was released with this migration as its last.
pub async fn released(engine: Engine, last: i64) -> Store {
    let url = match engine {
        Engine::Sqlite => url(engine).await,
        Engine::Postgres => {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("latchkey_test_{}_{count}", process::id());
            let mut admin = admin().await;
            run(
                &mut admin,
                format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            )
            .await;
            run(&mut admin, format!("CREATE DATABASE {name}")).await;
            database(&name)
        }
    };
    let store = Store::open(&Options {
        connections: 4,
        durable: false,
        ..Options::new(url)
    })
    .await
    .expect("a database that was just made opens");
    store
        .migrate_through(last)
        .await
        .expect("the migrations apply to a new database");
    store
}

/// How many rows a table has, and how many of all rows point to nothing (which SQLite alone can tell afterwards).
pub async fn counted(store: &Store, table: &str) -> (i64, i64) {
    let mut tx = store.read().await.expect("the database answers");
    let text = format!("SELECT COUNT(*) FROM {table}");
    let rows = on!(&mut tx, c => sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(c).await)
        .expect("the table can be counted");
    let lost = match &mut tx {
        Tx::Sqlite(tx) => sqlx::query_scalar("SELECT COUNT(*) FROM pragma_foreign_key_check")
            .fetch_one(&mut **tx)
            .await
            .expect("SQLite can check itself"),
        Tx::Postgres(_) => 0,
    };
    (rows, lost)
}

/// The address of a fresh database, for tests that open it themselves or hand it to another process. On PostgreSQL it
/// is migrated already.
pub async fn url(engine: Engine) -> String {
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    match engine {
        Engine::Sqlite => {
            let folder = FOLDER.get_or_init(folder).await;
            format!("sqlite:{}", folder.join(format!("{count}.db")).display())
        }
        Engine::Postgres => {
            let template = TEMPLATE.get_or_init(template).await;
            let name = format!("latchkey_test_{}_{count}", process::id());
            let mut admin = admin().await;
            run(
                &mut admin,
                format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            )
            .await;
            run(
                &mut admin,
                format!("CREATE DATABASE {name} TEMPLATE {template}"),
            )
            .await;
            database(&name)
        }
    }
}

/// Whether a process of this number lives. Where that cannot be told, it does.
fn lives(pid: &str) -> bool {
    let proc = PathBuf::from("/proc");
    !proc.join("self").exists() || proc.join(pid).exists()
}

async fn folder() -> PathBuf {
    const PREFIX: &str = "latchkey-test-";
    let base = std::env::temp_dir();
    for entry in std::fs::read_dir(&base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let stale = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(|pid| pid.parse::<u32>().is_ok() && !lives(pid));
        if stale {
            // Another process may sweep the same folder.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
    let mine = base.join(format!("{PREFIX}{}", process::id()));
    drop(std::fs::remove_dir_all(&mine));
    std::fs::create_dir_all(&mine).expect("the temporary folder can be written");
    mine
}

/// The name of a migrated database to copy from; made once for each state of the migrations.
async fn template() -> String {
    let name = format!("latchkey_template_{:016x}", fingerprint());
    let mut admin = admin().await;
    // One process makes it, the others wait. The number is ours alone.
    run(&mut admin, "SELECT pg_advisory_lock(5417326)".into()).await;
    sweep(&mut admin).await;
    let ready: Option<bool> =
        sqlx::query_scalar("SELECT datistemplate FROM pg_database WHERE datname = $1")
            .bind(&name)
            .fetch_optional(&mut admin)
            .await
            .expect("the server for tests answers");
    if ready != Some(true) {
        run(
            &mut admin,
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await;
        run(&mut admin, format!("CREATE DATABASE {name}")).await;
        let store = Store::open(&Options {
            connections: 2,
            durable: false,
            ..Options::new(database(&name))
        })
        .await
        .expect("a database that was just made opens");
        store
            .migrate()
            .await
            .expect("the migrations apply to a new database");
        store.close().await;
        run(
            &mut admin,
            format!("ALTER DATABASE {name} IS_TEMPLATE true"),
        )
        .await;
    }
    drop(admin.close().await);
    name
}

/// Drops the databases of processes that are gone.
async fn sweep(admin: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT datname FROM pg_database WHERE datname LIKE 'latchkey\\_test\\_%'",
    )
    .fetch_all(&mut *admin)
    .await
    .expect("the server for tests answers");
    for name in names {
        let pid = name.split('_').nth(2).unwrap_or_default();
        if !lives(pid) {
            run(
                admin,
                format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            )
            .await;
        }
    }
}

async fn admin() -> PgConnection {
    PgConnection::connect(&server())
        .await
        .expect("the server that LATCHKEY_TEST_POSTGRES names takes connections")
}

fn server() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!(
            "{POSTGRES} is not set: run `make test`, or `eval \"$(.ci/setup/postgres-start)\"` first"
        )
    })
}

/// The server's address with another database.
fn database(name: &str) -> String {
    let server = server();
    let (address, parameters) = server
        .split_once('?')
        .map_or((server.as_str(), None), |(a, p)| (a, Some(p)));
    let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
    match parameters {
        Some(parameters) => format!("{base}/{name}?{parameters}"),
        None => format!("{base}/{name}"),
    }
}

async fn run(admin: &mut PgConnection, text: String) {
    // The only changing parts are names made above from numbers.
    sqlx::query(AssertSqlSafe(text))
        .execute(admin)
        .await
        .expect("the server for tests lets databases be made");
}

/// Tells states of the migrations apart (FNV-1a; nothing secret).
fn fingerprint() -> u64 {
    crate::migrate::FILES
        .iter()
        .flat_map(|file| file.3.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// Runs one statement as it stands, past every use case: for tests that try to break what the database itself holds.
pub async fn raw(store: &Store, text: &str) -> Result<u64, crate::Error> {
    let mut tx = store.begin().await?;
    let done = on!(&mut tx, c => sqlx::query(AssertSqlSafe(text.to_owned())).execute(c).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(done)
}

/// An id as a literal of this engine, for [`raw`].
pub fn literal(engine: Engine, id: uuid::Uuid) -> String {
    match engine {
        Engine::Sqlite => format!("x'{}'", id.simple()),
        Engine::Postgres => format!("'{id}'"),
    }
}

/// What a database consists of, in words that both engines share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Columns of each table, with whether they may be null.
    pub tables: BTreeMap<String, BTreeMap<String, bool>>,
    /// Named indexes with their tables.
    pub indexes: BTreeSet<(String, String)>,
    /// Triggers with their tables, but for those in `whole`.
    pub triggers: BTreeSet<(String, String)>,
    /// Tables with a trigger against the way that this engine has around delete triggers: REPLACE on SQLite, TRUNCATE on
    /// PostgreSQL. The name ends in `_whole` on both; what it watches is each engine's own.
    pub whole: BTreeSet<String>,
}

/// Reads the schema of a migrated database. Indexes that stand behind keys are each engine's own and left out.
pub async fn schema(store: &Store) -> Schema {
    let mut tx = store.read().await.expect("the database answers");
    let (columns, indexes, triggers) = match store.engine() {
        Engine::Sqlite => (
            "SELECT t.name AS owner, c.name AS part, CASE WHEN c.\"notnull\" = 0 THEN 1 ELSE 0 END AS optional
             FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
            "SELECT tbl_name AS owner, name AS part, 0 AS optional FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
            "SELECT tbl_name AS owner, name AS part, 0 AS optional FROM sqlite_master WHERE type = 'trigger'",
        ),
        Engine::Postgres => (
            "SELECT table_name::text AS owner, column_name::text AS part,
               (CASE WHEN is_nullable = 'YES' THEN 1 ELSE 0 END)::bigint AS optional
             FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT tablename::text AS owner, indexname::text AS part, 0::bigint AS optional FROM pg_indexes
             WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'",
            "SELECT c.relname::text AS owner, t.tgname::text AS part, 0::bigint AS optional FROM pg_trigger t
             JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal",
        ),
    };
    let mut schema = Schema::default();
    for row in parts(&mut tx, columns).await {
        schema
            .tables
            .entry(row.owner)
            .or_default()
            .insert(row.part, row.optional == 1);
    }
    for row in parts(&mut tx, indexes).await {
        schema.indexes.insert((row.owner, row.part));
    }
    for row in parts(&mut tx, triggers).await {
        if row.part.ends_with("_whole") {
            schema.whole.insert(row.owner);
        } else {
            schema.triggers.insert((row.owner, row.part));
        }
    }
    // Kept by the library that applies migrations, in each engine's own shape.
    schema.tables.remove("_sqlx_migrations");
    schema
        .indexes
        .retain(|(table, _)| table != "_sqlx_migrations");
    schema
}

row! {
    /// One part of a table.
    pub struct PartRow {
        /// The table.
        pub owner: String,
        /// The part's name.
        pub part: String,
        /// 1 for a column that may be null.
        pub optional: i64,
    }
}

async fn parts(tx: &mut Tx, text: &'static str) -> Vec<PartRow> {
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await).expect("the schema can be read")
}
