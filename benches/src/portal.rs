//! One portal under test: a fresh database, a sandbox, and the release binary as a process of its own.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::{Client, header};
use sandbox::{Client as Registration, Config, Directory, Running, Sandbox, User};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{Engine, Options, Store};
use tokio::process::{Child, Command};

use crate::{
    load,
    seed::{self, Kind, TENANT},
};

/// A portal that serves.
pub struct Portal {
    /// Its address.
    pub url: String,
    /// Its process.
    pub process: u32,
    /// Seconds from the start of the process to the first good answer.
    pub started: f64,
    /// The directory and target that it talks to.
    pub sandbox: Running,
    child: Child,
    folder: PathBuf,
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

impl Portal {
    /// Starts a sandbox with the first people, and the binary over `database`.
    pub async fn start(
        database: &str,
        folder: &Path,
        port: u16,
        memberships: Directory,
    ) -> Result<Self, Box<dyn Error>> {
        let url = format!("http://127.0.0.1:{port}");
        let mut directory = memberships;
        for n in 0..64 {
            directory.users.push(User::new(
                seed::id(Kind::Object, n),
                &format!("Person {n}"),
                &format!("p{n}@contoso.example"),
            ));
        }
        let registration = Registration::portal(
            "portal",
            "portal-secret",
            &format!("{url}/auth/callback"),
            &format!("{url}/signed-out"),
        );
        let sandbox = Sandbox::start(Config::new(TENANT, directory).client(registration).client(
            Registration::provisioner("provisioner", "provisioner-secret"),
        ))
        .await?;
        let binary =
            std::env::var("LATCHKEY_BIN").unwrap_or_else(|_| "target/release/latchkey".into());
        let begun = Instant::now();
        let child = Command::new(&binary)
            .arg("serve")
            .env("LATCHKEY_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("LATCHKEY_SERVER__PUBLIC_URL", &url)
            .env("LATCHKEY_DATABASE__URL", database)
            .env("LATCHKEY_SIGN_IN__AUTHORITY", sandbox.url())
            .env("LATCHKEY_SIGN_IN__TENANT", TENANT.to_string())
            .env("LATCHKEY_SIGN_IN__CLIENT_ID", "portal")
            .env("LATCHKEY_SIGN_IN__CLIENT_SECRET", "portal-secret")
            .env("LATCHKEY_GRAPH__URL", sandbox.graph_url())
            .env("LATCHKEY_GRAPH__CLIENT_ID", "provisioner")
            .env("LATCHKEY_GRAPH__CLIENT_SECRET", "provisioner-secret")
            .env("LATCHKEY_AUDIT__KEY_FILE", folder.join("audit.key"))
            .env("LATCHKEY_AUDIT__CHECKPOINT_FILE", folder.join("checkpoint"))
            .env("LATCHKEY_ASKING__PER_TEN_MINUTES", "1000000")
            .env("LATCHKEY_SIGN_IN__ATTEMPTS_PER_MINUTE", "100000")
            .env("LATCHKEY_DIRECTORY__EVERY_MINUTES", "600")
            .env("LATCHKEY_LOG__FILTER", "warn")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let process = child.id().ok_or("the portal ended at once")?;
        let client = load::client();
        loop {
            if let Ok(answer) = client.get(format!("{url}/health/ready")).send().await
                && answer.status().is_success()
            {
                break;
            }
            if begun.elapsed() > Duration::from_mins(1) {
                return Err("the portal did not become ready within a minute".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let started = begun.elapsed().as_secs_f64();
        Ok(Self {
            url,
            process,

            started,
            sandbox,
            child,
            folder: folder.to_owned(),
        })
    }

    /// Signs one of the first people in, through the provider as a browser would, and gives the session's cookie.
    pub async fn sign_in(&self, client: &Client, person: i64) -> Result<String, Box<dyn Error>> {
        let begin = client.get(format!("{}/sign-in", self.url)).send().await?;
        let binding = cookies(begin.headers());
        let provider = location(begin.headers())?;
        let back = client
            .get(format!("{provider}&oid={}", seed::id(Kind::Object, person)))
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
        drop(std::fs::remove_dir_all(&self.folder));
        Ok(())
    }
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
