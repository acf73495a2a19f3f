//! One portal under test: a sandbox in this process, and the binary as a process of its own.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::{Client, header};
use sandbox::{Client as Registration, Config, Directory, Running, Sandbox};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, sqlite::SqliteConnectOptions};
use store::{Engine, Options, Store};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::load;

/// Client id of the portal at its sandbox.
pub const PORTAL: &str = "portal";
/// Client id of the provisioner at its sandbox.
pub const PROVISIONER: &str = "provisioner";
/// The secret of both; it opens nothing but that sandbox.
pub const SECRET: &str = "bench-secret";

/// What a portal is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program.
    pub binary: PathBuf,
    /// Address of a migrated database.
    pub database: String,
    /// Where the audit key and its checkpoint go.
    pub folder: PathBuf,
    /// Its address, with a port on 127.0.0.1.
    pub url: String,
    /// The tenant.
    pub tenant: Uuid,
}

/// A portal that serves.
#[derive(Debug)]
pub struct Portal {
    /// Its address.
    pub url: String,
    /// Its process.
    pub process: u32,
    /// Seconds from the start of the process to the first good answer.
    pub started: f64,
    /// The directory and target that it talks to. It outlives the process.
    pub sandbox: Running,
    setup: Setup,
    child: Child,
}

/// A fresh, migrated database. On PostgreSQL durable, whatever the server was started with.
pub async fn database(engine: Engine, folder: &Path, name: &str) -> Result<String, Box<dyn Error>> {
    let url = match engine {
        Engine::Sqlite => format!("sqlite:{}", folder.join(format!("{name}.sqlite")).display()),
        Engine::Postgres => {
            let server = std::env::var("LATCHKEY_TEST_POSTGRES")?;
            let mut admin = PgConnection::connect(&server).await?;
            for text in [
                "ALTER SYSTEM SET fsync = on".to_owned(),
                "ALTER SYSTEM SET full_page_writes = on".to_owned(),
                "ALTER SYSTEM SET synchronous_commit = on".to_owned(),
                "SELECT pg_reload_conf()".to_owned(),
                format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                format!("CREATE DATABASE {name}"),
            ] {
                sqlx::raw_sql(AssertSqlSafe(text))
                    .execute(&mut admin)
                    .await?;
            }
            let (base, _) = server
                .rsplit_once('/')
                .ok_or("the address names no database")?;
            format!("{base}/{name}")
        }
    };
    let store = Store::open(&Options::new(url.clone())).await?;
    store.migrate().await?;
    store.close().await;
    Ok(url)
}

/// Starts a sandbox with this directory, for a portal at this address.
pub async fn sandbox(
    url: &str,
    tenant: Uuid,
    directory: Directory,
) -> Result<Running, Box<dyn Error>> {
    let registration = Registration::portal(
        PORTAL,
        SECRET,
        &format!("{url}/auth/callback"),
        &format!("{url}/signed-out"),
    );
    let config = Config::new(tenant, directory)
        .client(registration)
        .client(Registration::provisioner(PROVISIONER, SECRET));
    Ok(Sandbox::start(config).await?)
}

/// Asks the database for one number, beside the portal. The text must be the caller's own.
pub async fn count(database: &str, text: &str) -> Result<i64, sqlx::Error> {
    let text = AssertSqlSafe(text.to_owned());
    if let Some(path) = database.strip_prefix("sqlite:") {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .connect()
            .await?;
        sqlx::query_scalar(text).fetch_one(&mut connection).await
    } else {
        let mut connection = PgConnection::connect(database).await?;
        sqlx::query_scalar(text).fetch_one(&mut connection).await
    }
}

impl Portal {
    /// Starts the binary over a database and a sandbox.
    pub async fn start(setup: Setup, sandbox: Running) -> Result<Self, Box<dyn Error>> {
        let (child, process, started) = serve(&setup, &sandbox).await?;
        Ok(Self {
            url: setup.url.clone(),
            process,
            started,
            sandbox,
            setup,
            child,
        })
    }

    /// Kills the process as a power cut would, waits until it is gone, and starts it again over what it left.
    pub async fn kill_and_start(&mut self) -> Result<(), Box<dyn Error>> {
        self.child.kill().await?;
        (self.child, self.process, self.started) = serve(&self.setup, &self.sandbox).await?;
        Ok(())
    }

    /// Signs somebody in, through the provider as a browser would, and gives the session's cookie.
    pub async fn sign_in(&self, client: &Client, person: Uuid) -> Result<String, Box<dyn Error>> {
        let begin = client.get(format!("{}/sign-in", self.url)).send().await?;
        let binding = cookies(begin.headers());
        let provider = location(begin.headers())?;
        let back = client
            .get(format!("{provider}&oid={person}"))
            .send()
            .await?;
        let callback = location(back.headers())?;
        let done = client
            .get(&callback)
            .header(header::COOKIE, &binding)
            .send()
            .await?;
        let session = cookies(done.headers());
        if done.status().is_redirection() && !session.is_empty() {
            Ok(session)
        } else {
            Err(format!(
                "person {person} was not signed in: {} {}",
                done.status(),
                done.text().await?
            )
            .into())
        }
    }

    /// Resident memory, in megabytes.
    pub fn resident(&self) -> f64 {
        load::resident(self.process)
    }

    /// Ends the process as an operator would, and waits.
    pub async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        Command::new("kill")
            .arg("-TERM")
            .arg(self.process.to_string())
            .status()
            .await?;
        self.child.wait().await?;
        self.sandbox.stop().await;
        drop(std::fs::remove_dir_all(&self.setup.folder));
        Ok(())
    }
}

/// Starts the binary and waits until it answers: the process, its number, and the seconds that it took.
async fn serve(setup: &Setup, sandbox: &Running) -> Result<(Child, u32, f64), Box<dyn Error>> {
    let begun = Instant::now();
    let log = setup.folder.join("portal.log");
    let output = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&log)?;
    let mut child = Command::new(&setup.binary)
        .arg("serve")
        .env(
            "LATCHKEY_SERVER__LISTEN",
            setup.url.trim_start_matches("http://"),
        )
        .env("LATCHKEY_SERVER__PUBLIC_URL", &setup.url)
        .env("LATCHKEY_DATABASE__URL", &setup.database)
        .env("LATCHKEY_SIGN_IN__AUTHORITY", sandbox.url())
        .env("LATCHKEY_SIGN_IN__TENANT", setup.tenant.to_string())
        .env("LATCHKEY_SIGN_IN__CLIENT_ID", PORTAL)
        .env("LATCHKEY_SIGN_IN__CLIENT_SECRET", SECRET)
        .env("LATCHKEY_GRAPH__URL", sandbox.graph_url())
        .env("LATCHKEY_GRAPH__CLIENT_ID", PROVISIONER)
        .env("LATCHKEY_GRAPH__CLIENT_SECRET", SECRET)
        .env("LATCHKEY_AUDIT__KEY_FILE", setup.folder.join("audit.key"))
        .env(
            "LATCHKEY_AUDIT__CHECKPOINT_FILE",
            setup.folder.join("checkpoint"),
        )
        .env("LATCHKEY_ASKING__PER_TEN_MINUTES", "10000")
        .env("LATCHKEY_SIGN_IN__ATTEMPTS_PER_MINUTE", "10000")
        .env("LATCHKEY_DIRECTORY__EVERY_MINUTES", "600")
        .env("LATCHKEY_LOG__FILTER", "warn")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .kill_on_drop(true)
        .spawn()?;
    let process = child.id().ok_or("the portal ended at once")?;
    let client = load::client();
    loop {
        if let Ok(answer) = client
            .get(format!("{}/health/ready", setup.url))
            .send()
            .await
            && answer.status().is_success()
        {
            break;
        }
        let ended = child.try_wait()?;
        if ended.is_some() || begun.elapsed() > Duration::from_mins(1) {
            let said = std::fs::read_to_string(&log)?;
            return Err(format!("the portal is not ready ({ended:?}):\n{said}").into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((child, process, begun.elapsed().as_secs_f64()))
}

fn location(headers: &header::HeaderMap) -> Result<String, Box<dyn Error>> {
    Ok(headers
        .get(header::LOCATION)
        .ok_or("no redirect")?
        .to_str()?
        .to_owned())
}

/// The cookies that an answer sets and keeps, as a request sends them back.
fn cookies(headers: &header::HeaderMap) -> String {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next())
        .filter(|pair| !pair.ends_with('='))
        .collect::<Vec<_>>()
        .join("; ")
}

/// A folder of its own for one run.
pub fn folder(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("latchkey-bench-{}-{name}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
