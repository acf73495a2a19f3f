//! What `serve` and `trial` put together in the same way: the worker with its connectors, and the web half.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::Router;
use domain::deadline::JobKind;
use provisioner::{
    by_hand::ByHand,
    chat::Poster,
    directory,
    graph::{self, Entra, Graph, Switches, import},
    mailer::Mailer,
    worker::{self, Recurring, Worker},
};
use uuid::Uuid;
use workflow::{Workflow, carts, findings, installation, scans, targets};

use crate::web::{self, Portal};

/// How often sessions that are over are deleted.
const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// Who we are at Graph, and what we read there.
#[derive(Debug)]
pub struct Target {
    /// The client.
    pub graph: Graph,
    /// What is read of the directory.
    pub directory: directory::Options,
    /// What may be given besides membership of groups.
    pub switches: Switches,
    /// How often.
    pub every: Duration,
}

impl Target {
    /// Reaches Graph.
    pub fn new(
        workflow: &Workflow,
        options: graph::Options,
        portal_client_id: String,
        switches: Switches,
        every: Duration,
    ) -> Result<Self, String> {
        let http = provisioner::http::client(&provisioner::http::Options::default())
            .map_err(|error| error.to_string())?;
        let tenant = options.tenant;
        let clock = workflow.clock().clone();
        let graph = Graph::new(http, clock, workflow.ids().clone(), options)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            graph,
            directory: directory::Options {
                tenant,
                portal_client_id: Some(portal_client_id),
            },
            switches,
            every,
        })
    }

    /// The tenant.
    pub const fn tenant(&self) -> Uuid {
        self.directory.tenant
    }

    /// The work that reads the directory and the rights there.
    pub fn reader(&self, workflow: &Workflow) -> Arc<dyn Recurring> {
        let people =
            directory::Reader::new(workflow.clone(), self.graph.clone(), self.directory.clone());
        Arc::new(Reader {
            people,
            workflow: workflow.clone(),
            graph: self.graph.clone(),
            rights: self.rights(),
        })
    }

    /// What is read of the rights there.
    fn rights(&self) -> import::Options {
        import::Options {
            tenant: self.tenant(),
            portal_client_id: self.directory.portal_client_id.clone(),
            switches: self.switches,
        }
    }

    /// Reads groups, app roles and licences as entitlements.
    pub async fn import_rights(&self, workflow: &Workflow) -> Result<(), String> {
        import_rights(workflow, &self.graph, &self.rights()).await
    }
}

/// Reads people first, then what they can hold.
#[derive(Debug)]
struct Reader {
    people: Arc<directory::Reader>,
    workflow: Workflow,
    graph: Graph,
    rights: import::Options,
}

#[async_trait]
impl Recurring for Reader {
    async fn run(&self) -> Result<(), String> {
        self.people.run().await?;
        import_rights(&self.workflow, &self.graph, &self.rights).await
    }
}

async fn import_rights(
    workflow: &Workflow,
    graph: &Graph,
    rights: &import::Options,
) -> Result<(), String> {
    let outcome = import::run(workflow, graph, rights)
        .await
        .map_err(|error| error.to_string())?;
    tracing::debug!(?outcome, "groups, app roles and licences were read");
    Ok(())
}

/// Deletes what has outlived its keeping.
#[derive(Debug)]
struct Housekeeping(Workflow);

#[async_trait]
impl Recurring for Housekeeping {
    async fn run(&self) -> Result<(), String> {
        installation::forget_expired_sessions(&self.0)
            .await
            .map(|gone| tracing::debug!(gone, "sessions that were over are deleted"))
            .map_err(|error| error.to_string())?;
        carts::forget_stale(&self.0)
            .await
            .map(|gone| tracing::debug!(gone, "drafts that nobody touched are deleted"))
            .map_err(|error| error.to_string())?;
        targets::forget_callbacks(&self.0)
            .await
            .map(|gone| tracing::debug!(gone, "messages of webhooks are forgotten"))
            .map_err(|error| error.to_string())?;
        findings::arm_daily(&self.0)
            .await
            .map_err(|error| error.to_string())?;
        scans::arm(&self.0).await.map_err(|error| error.to_string())
    }
}

/// The worker with all that it does.
pub fn worker(
    workflow: &Workflow,
    target: &Target,
    mailer: Option<Arc<dyn Mailer>>,
    poster: Option<Arc<dyn Poster>>,
    targets: Vec<crate::targets::Hand>,
) -> Worker {
    let connector = Arc::new(Entra::new(target.graph.clone(), target.switches));
    let mut builder = Worker::builder(workflow.clone(), worker::Options::default())
        .connector("graph", connector)
        .connector("manual", Arc::new(ByHand::new(workflow.clone())))
        .every(
            JobKind::DirectorySync,
            target.every,
            target.reader(workflow),
        )
        .every(
            JobKind::Housekeeping,
            HOUSEKEEPING,
            Arc::new(Housekeeping(workflow.clone())),
        );
    for (key, connector) in targets {
        builder = builder.target(&key, connector);
    }
    if let Some(mailer) = mailer {
        builder = builder.mailer(mailer);
    }
    if let Some(poster) = poster {
        builder = builder.poster(poster);
    }
    builder.build()
}

/// The web half with the pages in it.
pub fn router(portal: Portal) -> Router {
    let pages = app::routes::router(portal.pages().clone());
    web::router(portal, pages)
}
