//! Making the company: directory, catalogue, and a year that is played through the same doors as everything else.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use provisioner::{directory, worker::Worker};
use sandbox::{Running, company};
use uuid::Uuid;
use workflow::{
    Clock, Ids, Workflow,
    catalogue::{self, SourceFile},
    installation, roles,
};

use super::{Addresses, Files, Outbox, SEED, history, open, start_sandbox, target};
use crate::house;

/// How long ago the company began to use Latchkey.
const YEAR: chrono::Duration = chrono::Duration::days(365);

/// What the year is played with. The clock stands at its beginning.
#[derive(Debug)]
pub struct Past<'a> {
    /// The use cases, with a clock that only walks.
    pub workflow: &'a Workflow,
    /// Does what falls due.
    pub worker: &'a Worker,
    /// The target.
    pub sandbox: &'a Running,
    /// How Graph is reached, for reading the directory after somebody has left.
    pub target: &'a house::Target,
    /// The tenant.
    pub tenant: Uuid,
    /// Where the year ends.
    pub until: Timestamp,
}

/// Makes database and sandbox as they are when somebody first looks.
pub(super) async fn make(files: &Files, addresses: &Addresses) -> Result<(), String> {
    let until = Clock::system().now();
    let clock = Clock::simulated(until - YEAR);
    // Nothing has been promised to anybody yet: a power loss here only means beginning anew.
    // The same year every time, ids and retries included.
    let workflow = open(files, addresses, clock, Ids::seeded(SEED), false).await?;
    let sandbox = start_sandbox(files, addresses, 0).await?;
    let made = fill(&workflow, &sandbox, addresses, until).await;
    workflow.store().close().await;
    sandbox.stop().await;
    made
}

async fn fill(
    workflow: &Workflow,
    sandbox: &Running,
    addresses: &Addresses,
    until: Timestamp,
) -> Result<(), String> {
    let failed = |error: workflow::Error| error.to_string();
    installation::start(workflow, env!("CARGO_PKG_VERSION"))
        .await
        .map_err(failed)?;
    let target = target(workflow, addresses)?;
    let tenant = target.tenant();
    directory::run(workflow, &target.graph, &target.directory)
        .await
        .map_err(|error| format!("reading the directory: {error}"))?;
    roles::set_first_administrator(workflow)
        .await
        .map_err(failed)?;
    target.import_rights(workflow).await?;
    // Rules of what must not be held together come later in the year.
    let sources: Vec<SourceFile> = company::catalogue()
        .into_iter()
        .filter(|(path, _)| !path.ends_with(history::editions::RULES))
        .map(|(path, text)| SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .collect();
    let freja = catalogue::drafter(workflow, tenant, company::user("freja.madsen"))
        .await
        .map_err(failed)?;
    catalogue::apply(workflow, tenant, &sources, Some(freja))
        .await
        .map_err(|error| format!("the sample catalogue: {error}"))?;
    let worker = house::worker(
        workflow,
        &target,
        Some(Arc::new(Outbox { file: None })),
        None,
        Vec::new(),
    );
    let past = Past {
        workflow,
        worker: &worker,
        sandbox,
        target: &target,
        tenant,
        until,
    };
    history::play(&past).await?;
    worker
        .walk(until, Duration::ZERO, &|_| {})
        .await
        .map_err(failed)
}
