//! `latchkey serve` and `latchkey migrate`: start and stop of the real thing.

use std::{sync::Arc, time::Instant};

use domain::{audit::Actor, person::AccountKey};
use provisioner::{
    chat::{Poster, Webhooks},
    graph,
    mailer::Mailer,
};
use store::{Options, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use workflow::{
    Clock, Error, Ids, Settings, Workflow, installation, restores, roles,
    targets::{self, Configured},
};

use crate::{
    checkpoints::Keeper,
    config::Config,
    credential,
    database::{self, OpenError},
    house, lifecycle,
    mail::Smtp,
    out,
    sessions::Sessions,
    sign_in::{Provider, ProviderSettings},
    web::{Mode, Parts, Portal},
};

/// How the configured database is opened.
fn options(config: &Config) -> Options {
    Options {
        connections: config.database.connections,
        ..Options::new(config.database.url.expose())
    }
}

/// The use cases over the configured database, brought to this version.
pub async fn workflow(config: &Config) -> Result<Workflow, String> {
    let store = database::open(&options(config), installation::Mode::Production)
        .await
        .map_err(|error| error.to_string())?;
    let workflow = over(store, config);
    installation::prepare(&workflow, installation::Mode::Production)
        .await
        .map_err(|error| error.to_string())?;
    targets::configure(&workflow, &configured(config))
        .await
        .map_err(|error| error.to_string())?;
    targets::configure_directory(&workflow, config.sign_in.tenant, config.graph.shadow)
        .await
        .map_err(|error| error.to_string())?;
    Ok(workflow)
}

/// The targets that the configuration names, as the catalogue's files know them.
pub fn configured(config: &Config) -> Vec<Configured> {
    config
        .targets
        .iter()
        .map(|target| Configured {
            key: target.key.clone(),
            kind: target.settings.kind(),
            name: target.name.clone(),
            shadow: target.shadow,
        })
        .collect()
}

/// The use cases over the configured database as it is: neither made nor brought to another version.
pub async fn workflow_as_it_is(config: &Config) -> Result<Workflow, OpenError> {
    let store = database::open_as_it_is(&options(config)).await?;
    Ok(over(store, config))
}

fn over(store: Store, config: &Config) -> Workflow {
    let settings = Settings {
        public_url: config.server.public_url.clone(),
        mass_leave_percent: config.directory.mass_leave_percent,
        mass_leave_least: config.directory.mass_leave_least,
        asks_per_ten_minutes: config.asking.per_ten_minutes,
        risk: config.risk,
        mover_grace_days: config.lifecycle.mover_grace_days,
        first_administrator: config.sign_in.first_administrator.map(|object| AccountKey {
            tenant: config.sign_in.tenant,
            object,
        }),
        step_up: config.sign_in.step_up.clone(),
        digest_at: config.digest_at,
        chats: config.chats.keys().copied().collect(),
        scan_every: config.scans.every,
        scan_limit: config.scans.limit,
        small_reviews: config.small_reviews,
    };
    Workflow::new(store, Clock::system(), Ids::system(), settings)
}

/// The way out for posts, if a chat is configured.
fn poster(config: &Config) -> Result<Option<Arc<dyn Poster>>, String> {
    if config.chats.is_empty() {
        return Ok(None);
    }
    let http = provisioner::http::client(&provisioner::http::Options::default())
        .map_err(|error| error.to_string())?;
    let addresses = config
        .chats
        .iter()
        .map(|(chat, url)| (*chat, url.expose().to_owned()))
        .collect();
    Ok(Some(Arc::new(Webhooks::new(http, addresses))))
}

/// Who we are at Graph.
pub fn graph_options(config: &Config) -> Result<graph::Options, String> {
    Ok(graph::Options {
        authority: config.sign_in.authority.clone(),
        base: config.graph.url.clone(),
        scope: graph_scope(config)?,
        tenant: config.sign_in.tenant,
        client_id: config.graph.client_id.clone(),
        credential: credential::load(&config.graph.credential)?,
    })
}

/// The scope of tokens for Graph: everything that was consented to.
pub fn graph_scope(config: &Config) -> Result<String, String> {
    let url = reqwest::Url::parse(&config.graph.url).map_err(|error| error.to_string())?;
    Ok(format!("{}/.default", url.origin().ascii_serialization()))
}

/// The provider that signs people in.
pub fn provider(config: &Config, clock: Clock, ids: Ids) -> Result<Provider, String> {
    let public_url = &config.server.public_url;
    let settings = ProviderSettings {
        authority: config.sign_in.authority.clone(),
        tenant: config.sign_in.tenant,
        client_id: config.sign_in.client_id.clone(),
        credential: credential::load(&config.sign_in.credential)?,
        redirect_uri: format!("{public_url}/auth/callback"),
        signed_out_uri: format!("{public_url}/signed-out"),
    };
    let http = provisioner::http::client(&provisioner::http::Options::default())
        .map_err(|error| error.to_string())?;
    Ok(Provider::new(settings, http, clock, ids))
}

/// `latchkey migrate`
pub async fn migrate(config: &Config) -> Result<(), String> {
    let workflow = workflow(config).await?;
    workflow.store().close().await;
    out::line("The database has this version's schema.");
    Ok(())
}

/// `latchkey restored`
pub async fn restored(config: &Config) -> Result<(), String> {
    let workflow = workflow(config).await?;
    let said = format!("said at {}", workflow.clock().now());
    let why = "whoever runs the machine said so";
    restores::note(&workflow, &said, why, Actor::Operator)
        .await
        .map_err(|error| error.to_string())?;
    workflow.store().close().await;
    out::line(
        "Nothing is given at any target now. Start the portal; Provisioner says what the targets hold and lets them go on.",
    );
    Ok(())
}

/// `latchkey serve`: serves until it is told to stop.
pub async fn run(config: &Config) -> Result<(), String> {
    let began = Instant::now();
    let failed = |error: Error| error.to_string();
    let workflow = workflow(config).await?;
    roles::set_first_administrator(&workflow)
        .await
        .map_err(failed)?;
    let started = installation::start(&workflow, env!("CARGO_PKG_VERSION"))
        .await
        .map_err(failed)?;
    let keeper = Keeper::open(
        workflow.clone(),
        &config.audit.key_file,
        &config.audit.checkpoint_file,
    )
    .await?;
    let target = house::Target::new(
        &workflow,
        graph_options(config)?,
        config.sign_in.client_id.clone(),
        config.graph.switches,
        config.directory.every.to_std().unwrap_or_default(),
    )?;
    let mailer = match &config.mail {
        Some(mail) => {
            let smtp = Smtp::new(mail).map_err(|error| error.to_string())?;
            Some(Arc::new(smtp) as Arc<dyn Mailer>)
        }
        None => None,
    };
    let worker = house::worker(
        &workflow,
        &target,
        mailer,
        poster(config)?,
        crate::targets::connectors(config, workflow.clock())?,
    );
    let stop = CancellationToken::new();
    let portal = Portal::new(Parts {
        provider: provider(config, workflow.clock().clone(), workflow.ids().clone())?,
        workflow: workflow.clone(),
        sessions: Sessions {
            secure: config.server.secure(),
            idle: config.sessions.idle,
            absolute: config.sessions.absolute,
        },
        public_url: config.server.public_url.clone(),
        mode: Mode::Production,
        trusted_proxies: config.server.trusted_proxies,
        sign_ins_per_minute: config.sign_in.attempts_per_minute,
        callbacks: crate::targets::callbacks(config),
        trial: None,
        stop: stop.clone(),
    });
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let router = house::router(portal);
    let running = lifecycle::start(listener, router, workflow, worker, keeper, stop);
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(server.listen = %listen, server.public_url = config.server.public_url,
        installation.id = %started.installation, installation.starts = started.starts, started.ms = millis, "serving");
    running.until_stopped().await;
    Ok(())
}
