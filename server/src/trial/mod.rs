//! `latchkey trial`: a sample company with a sandbox for Entra ID and Graph, on this machine only.
//!
//! Everything lives in one folder: the database, the sandbox's directory, the audit key and its checkpoint. They are made
//! together and reset together. All traffic between the portal and the sandbox is real HTTP through the same code as in
//! production.

mod history;
mod outbox;
mod panel;
mod past;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use domain::{catalogue::TargetKind, person::AccountKey};
use provisioner::graph;
use sandbox::{Client, Running, Sandbox, company};
use store::Options;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use workflow::{
    Clock, Ids, Settings, Workflow, installation,
    reviews::SmallReviews,
    targets::{self, Configured},
};

use self::{outbox::Outbox, past::Past};

use crate::{
    checkpoints::Keeper,
    database, house, lifecycle, out,
    sessions::Sessions,
    sign_in::{Provider, ProviderSettings},
    web::{Callbacks, Mode, Parts, Portal},
};

/// Secrets of the sandbox's two registrations. They open nothing but a sandbox on loopback.
const PORTAL_SECRET: &str = "the-trials-portal";
/// The authentication context that decisions of high risk ask for.
const STEP_UP: &str = "c1";
const PROVISIONER_SECRET: &str = "the-trials-provisioner";
/// The same company every time.
const SEED: u64 = 7;
/// How often the trial reads the directory: often, so that what one switches in the sandbox is seen soon.
const READ_EVERY: Duration = Duration::from_mins(2);

/// How to run the trial.
#[derive(Clone, Debug, Args)]
pub struct TrialArgs {
    /// Folder that keeps the trial's data.
    #[arg(long, default_value = "var", value_name = "FOLDER")]
    folder: PathBuf,
    /// Forget the company's data and begin anew.
    #[arg(long)]
    reset: bool,
    /// Port of the portal; it listens on 127.0.0.1 only.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of the sandbox; it listens on 127.0.0.1 only.
    #[arg(long, default_value_t = 3001)]
    sandbox_port: u16,
    /// What is logged: error, warn, info, debug, trace.
    #[arg(
        long,
        default_value = "warn",
        env = "LATCHKEY_TRIAL_LOG",
        value_name = "FILTER"
    )]
    pub log: String,
}

/// The files of a trial.
#[derive(Debug)]
struct Files {
    database: PathBuf,
    sandbox: PathBuf,
    key: PathBuf,
    checkpoint: PathBuf,
    mail: PathBuf,
    /// There once the company is complete; without it the next start begins anew.
    complete: PathBuf,
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self {
            database: folder.join("latchkey.db"),
            sandbox: folder.join("sandbox.json"),
            key: folder.join("audit.key"),
            checkpoint: folder.join("checkpoint").join("newest"),
            mail: folder.join("mail.txt"),
            complete: folder.join("complete"),
        }
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.database.display())
    }

    /// Refuses a folder in which [`Files::remove`] would delete what no trial made.
    async fn must_be_ours(&self) -> Result<(), String> {
        let foreign = if self.database.exists() {
            match database::mode(&Options::new(self.url())).await {
                Ok(Some(mode)) if mode == installation::Mode::Trial.as_str() => return Ok(()),
                Ok(Some(_)) => format!(
                    "{} is the database of a real installation",
                    self.database.display()
                ),
                Ok(None) => format!("{} holds no sample company", self.database.display()),
                Err(error) => format!("{} cannot be read: {error}", self.database.display()),
            }
        } else if !self.complete.exists() && (self.key.exists() || self.checkpoint.exists()) {
            // The database may lie elsewhere; the key of its audit log cannot be made again.
            format!("{} belongs to no trial", self.key.display())
        } else {
            return Ok(());
        };
        Err(format!(
            "{foreign}, so nothing was touched: name another --folder, or move it away"
        ))
    }

    /// Removes the data of an earlier trial; files of anybody else in the folder stay.
    fn remove(&self) -> Result<(), String> {
        let beside = |ending: &str| {
            let mut path = self.database.clone().into_os_string();
            path.push(ending);
            PathBuf::from(path)
        };
        let paths = [
            self.database.clone(),
            beside("-wal"),
            beside("-shm"),
            self.sandbox.clone(),
            self.key.clone(),
            self.key.with_extension("pub"),
            self.checkpoint.clone(),
            self.mail.clone(),
            // Last, for it says whose the others are.
            self.complete.clone(),
        ];
        for path in paths {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(format!("{}: {error}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the two halves of the trial are.
#[derive(Clone, Debug)]
struct Addresses {
    portal: SocketAddr,
    sandbox: SocketAddr,
}

impl Addresses {
    fn portal_url(&self) -> String {
        format!("http://{}", self.portal)
    }

    /// Another name than the portal's, so that they are two sites to the browser, as in production.
    fn sandbox_url(&self) -> String {
        format!("http://localhost:{}", self.sandbox.port())
    }
}

/// Runs the trial until it is stopped.
pub async fn run(args: TrialArgs) -> Result<(), String> {
    let began = Instant::now();
    let files = Files::new(&args.folder);
    fs::create_dir_all(&args.folder)
        .map_err(|error| format!("{}: {error}", args.folder.display()))?;
    let addresses = Addresses {
        portal: (Ipv4Addr::LOCALHOST, args.port).into(),
        sandbox: (Ipv4Addr::LOCALHOST, args.sandbox_port).into(),
    };
    // Before anything is made: a port that is taken is the most likely thing to go wrong.
    let listener = TcpListener::bind(addresses.portal)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", addresses.portal))?;
    if args.reset || !files.complete.exists() {
        files.must_be_ours().await?;
        files.remove()?;
        out::note("Making the sample company, its year and its sandbox …");
        past::make(&files, &addresses).await?;
        fs::write(&files.complete, "").map_err(|error| error.to_string())?;
        out::note(format!("Made in {:.1} s.", began.elapsed().as_secs_f64()));
    }
    let workflow = open(&files, &addresses, Clock::system(), Ids::system(), true).await?;
    let sandbox = Arc::new(start_sandbox(&files, &addresses, workflow.clock().offset_us()).await?);
    let failed = |error: workflow::Error| error.to_string();
    installation::start(&workflow, env!("CARGO_PKG_VERSION"))
        .await
        .map_err(failed)?;
    let keeper = Keeper::open(workflow.clone(), &files.key, &files.checkpoint).await?;
    let target = target(&workflow, &addresses)?;
    let worker = house::worker(
        &workflow,
        &target,
        Some(Arc::new(Outbox {
            file: Some(files.mail.clone()),
        })),
        None,
        Vec::new(),
    );
    let panel = panel::Panel::new(
        workflow.clone(),
        worker.clone(),
        target.reader(&workflow),
        keeper.clone(),
        sandbox.clone(),
    );
    let stop = CancellationToken::new();
    let portal = Portal::new(Parts {
        provider: provider(&workflow, &addresses)?,
        workflow: workflow.clone(),
        sessions: Sessions {
            secure: false,
            idle: chrono::Duration::minutes(45),
            absolute: chrono::Duration::hours(8),
        },
        public_url: addresses.portal_url(),
        mode: Mode::Trial,
        trusted_proxies: 0,
        sign_ins_per_minute: 600,
        callbacks: Callbacks::new(),
        trial: Some(Arc::new(panel)),
        stop: stop.clone(),
    });
    let running = lifecycle::start(
        listener,
        house::router(portal),
        workflow,
        worker,
        keeper,
        stop,
    );
    greet(&addresses, &args.folder);
    running.until_stopped().await;
    // The worker and the panel are gone by now, so this is the last hand on it.
    if let Ok(sandbox) = Arc::try_unwrap(sandbox) {
        sandbox.stop().await;
    }
    Ok(())
}

fn greet(addresses: &Addresses, folder: &Path) {
    out::line("");
    out::line(format!("  Latchkey is at {}", addresses.portal_url()));
    out::line("");
    out::line("  Sign in as anybody of the sample company; the sign-in page offers these first:");
    let directory = company::directory(SEED, chrono::DateTime::UNIX_EPOCH);
    for persona in company::PERSONAS {
        let oid = company::user(persona.user);
        let name = directory
            .users
            .iter()
            .find(|user| user.id == oid)
            .map_or(persona.user, |user| user.display_name.as_str());
        out::line(format!("    {:<18} {name}", persona.label));
    }
    out::line("");
    out::line(format!(
        "  The sandbox for Entra ID and Graph is at {}; data are kept in {}/ (--reset begins anew).",
        addresses.sandbox_url(),
        folder.display()
    ));
    out::line("  Ctrl-C stops it.");
    out::line("");
}

/// The use cases over the trial's database.
async fn open(
    files: &Files,
    addresses: &Addresses,
    clock: Clock,
    ids: Ids,
    durable: bool,
) -> Result<Workflow, String> {
    let options = Options {
        durable,
        ..Options::new(files.url())
    };
    let failed = |error: String| format!("{}: {error}", files.database.display());
    let store = database::open(&options, installation::Mode::Trial)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let settings = Settings {
        public_url: addresses.portal_url(),
        first_administrator: Some(AccountKey {
            tenant: company::tenant(),
            object: company::user("nils.aberg"),
        }),
        step_up: Some(STEP_UP.into()),
        // Time passes by weeks here.
        scan_every: chrono::Duration::days(7),
        // What the stand-in for Entra ID holds from the start would be a heap of them.
        small_reviews: SmallReviews {
            found: false,
            ..SmallReviews::ON
        },
        ..Settings::default()
    };
    let workflow = Workflow::new(store, clock, ids, settings);
    installation::prepare(&workflow, installation::Mode::Trial)
        .await
        .map_err(|error| failed(error.to_string()))?;
    // The one target of the sample company that no program reaches.
    let by_hand = Configured {
        key: "facilities".into(),
        kind: TargetKind::Manual,
        name: "Facilities, by hand".into(),
        shadow: false,
    };
    targets::configure(&workflow, &[by_hand])
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(workflow)
}

async fn start_sandbox(
    files: &Files,
    addresses: &Addresses,
    clock_offset: i64,
) -> Result<Running, String> {
    let portal = addresses.portal_url();
    let today = Clock::system().now();
    let mut config = sandbox::Config::new(company::tenant(), company::directory(SEED, today))
        .client(Client::portal(
            company::PORTAL_CLIENT_ID,
            PORTAL_SECRET,
            &format!("{portal}/auth/callback"),
            &format!("{portal}/signed-out"),
        ))
        .client(Client::provisioner(
            company::PROVISIONER_CLIENT_ID,
            PROVISIONER_SECRET,
        ));
    config.listen = addresses.sandbox;
    config.public_url = Some(addresses.sandbox_url());
    config.featured = company::featured();
    config.state_file = Some(files.sandbox.clone());
    config.clock_offset = clock_offset;
    Sandbox::start(config)
        .await
        .map_err(|error| error.to_string())
}

fn target(workflow: &Workflow, addresses: &Addresses) -> Result<house::Target, String> {
    let sandbox = addresses.sandbox_url();
    let options = graph::Options {
        authority: sandbox.clone(),
        base: format!("{sandbox}/v1.0"),
        scope: format!("{sandbox}/.default"),
        tenant: company::tenant(),
        client_id: company::PROVISIONER_CLIENT_ID.into(),
        credential: graph::Credential::Secret(PROVISIONER_SECRET.into()),
    };
    house::Target::new(
        workflow,
        options,
        company::PORTAL_CLIENT_ID.into(),
        graph::Switches::default(),
        READ_EVERY,
    )
}

fn provider(workflow: &Workflow, addresses: &Addresses) -> Result<Provider, String> {
    let portal = addresses.portal_url();
    let settings = ProviderSettings {
        authority: addresses.sandbox_url(),
        tenant: company::tenant(),
        client_id: company::PORTAL_CLIENT_ID.into(),
        credential: graph::Credential::Secret(PORTAL_SECRET.into()),
        redirect_uri: format!("{portal}/auth/callback"),
        signed_out_uri: format!("{portal}/signed-out"),
    };
    let http = provisioner::http::client(&provisioner::http::Options::default())
        .map_err(|error| error.to_string())?;
    Ok(Provider::new(
        settings,
        http,
        workflow.clock().clone(),
        workflow.ids().clone(),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("latchkey-trial-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        folder
    }

    fn args(folder: &Path, reset: bool) -> TrialArgs {
        TrialArgs {
            folder: folder.to_owned(),
            reset,
            port: 0,
            sandbox_port: 0,
            log: "off".into(),
        }
    }

    /// The files with their texts; not what SQLite keeps beside a database that is open.
    fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        fs::read_dir(folder)
            .expect("it is there")
            .map(|entry| entry.expect("it can be read").path())
            .filter(|path| {
                let name = path.to_string_lossy();
                path.is_file() && !name.ends_with("-wal") && !name.ends_with("-shm")
            })
            .map(|path| (path.clone(), fs::read(&path).expect("it can be read")))
            .collect()
    }

    #[tokio::test]
    async fn a_real_installation_is_never_taken_for_an_old_trial() {
        let folder = folder("real");
        let files = Files::new(&folder);
        let options = Options::new(files.url());
        let store = database::open(&options, installation::Mode::Production)
            .await
            .expect("it is new");
        let workflow = Workflow::new(store, Clock::system(), Ids::system(), Settings::default());
        installation::prepare(&workflow, installation::Mode::Production)
            .await
            .expect("it is new");
        workflow.store().close().await;
        for name in ["audit.key", "audit.pub"] {
            fs::write(folder.join(name), "the only one").expect("it can be written");
        }
        let before = content(&folder);
        for reset in [false, true] {
            let refused = run(args(&folder, reset)).await.expect_err("it is real");
            assert!(refused.contains("real installation"), "{refused}");
            assert_eq!(content(&folder), before, "reset {reset}");
        }
        // With a mark that somebody copied there it is not even migrated.
        fs::write(&files.complete, "").expect("it can be written");
        let refused = run(args(&folder, false)).await.expect_err("it is real");
        assert!(refused.contains("real installation"), "{refused}");
        fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[tokio::test]
    async fn what_cannot_be_told_stays() {
        let folder = folder("unknown");
        let files = Files::new(&folder);
        fs::write(&files.key, "of an installation on PostgreSQL").expect("it can be written");
        let refused = run(args(&folder, true))
            .await
            .expect_err("it is no trial's");
        assert!(refused.contains("belongs to no trial"), "{refused}");
        fs::write(&files.database, "no database at all, but somebody's")
            .expect("it can be written");
        let before = content(&folder);
        let refused = run(args(&folder, true))
            .await
            .expect_err("it is no trial's");
        assert!(refused.contains("nothing was touched"), "{refused}");
        assert_eq!(content(&folder), before);
        fs::remove_dir_all(&folder).expect("it is ours");
    }
}
