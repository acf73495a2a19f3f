//! From listening to a clean stop: web, worker, checkpoints and the small clocks between them.

use std::time::Duration;

use axum::Router;
use provisioner::worker::Worker;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use workflow::{Workflow, people};

use crate::{
    accept::{self, Limits},
    checkpoints::Keeper,
};

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(15);
/// How often refusals of anonymous callers are written.
const FLUSH_EVERY: Duration = Duration::from_mins(1);

/// What runs.
#[derive(Debug)]
pub struct Running {
    workflow: Workflow,
    keeper: Keeper,
    /// Cancelled first: no new work, streams end.
    stop: CancellationToken,
    /// Cancelled when the web half has drained.
    stop_work: CancellationToken,
    web: JoinHandle<()>,
    worker: JoinHandle<()>,
    clocks: Vec<JoinHandle<()>>,
}

/// Starts everything on a listener.
pub fn start(
    listener: TcpListener,
    router: Router,
    workflow: Workflow,
    worker: Worker,
    keeper: Keeper,
    stop: CancellationToken,
) -> Running {
    let stop_work = CancellationToken::new();
    let web = accept::serve(listener, router, Limits::default(), stop.clone());
    let web = tokio::spawn(web);
    let until = stop_work.clone();
    let worker = tokio::spawn(async move {
        if let Err(error) = worker.run(until).await {
            tracing::error!(%error, "the worker ended");
        }
    });
    let clocks = vec![
        tokio::spawn(keeper.clone().run(stop_work.clone())),
        tokio::spawn(flush(workflow.clone(), stop_work.clone())),
    ];
    Running {
        workflow,
        keeper,
        stop,
        stop_work,
        web,
        worker,
        clocks,
    }
}

impl Running {
    /// Waits for SIGTERM or SIGINT, or until a part has ended by itself; then stops.
    pub async fn until_stopped(mut self) {
        tokio::select! {
            () = signal() => tracing::info!("stopping"),
            () = self.stop.cancelled() => {}
            _ = &mut self.web => tracing::error!("the web half ended by itself; stopping"),
            _ = &mut self.worker => tracing::error!("the worker ended by itself; stopping"),
        }
        self.stop().await;
    }

    /// Lets open requests end, then work under way, then writes what is still in memory and the last checkpoint.
    pub async fn stop(self) {
        self.stop.cancel();
        let Self {
            workflow,
            keeper,
            stop_work,
            web,
            worker,
            clocks,
            ..
        } = self;
        let abort = web.abort_handle();
        if !web.is_finished() && tokio::time::timeout(DRAIN, web).await.is_err() {
            tracing::warn!("open requests were cut");
            abort.abort();
        }
        stop_work.cancel();
        if !worker.is_finished() {
            drop(worker.await);
        }
        for clock in clocks {
            drop(clock.await);
        }
        if let Err(error) = people::flush_refusals(&workflow).await {
            tracing::error!(%error, "the last refusals were not written");
        }
        if let Err(why) = keeper.write().await {
            tracing::error!(%why, "the last checkpoint was not written");
        }
        workflow.store().close().await;
        tracing::info!("stopped");
    }
}

async fn flush(workflow: Workflow, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FLUSH_EVERY) => {}
        }
        if let Err(error) = people::flush_refusals(&workflow).await {
            tracing::warn!(%error, "refusals of anonymous callers could not be written; kept for the next minute");
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(error) => tracing::warn!(%error, "SIGTERM cannot be heard"),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
