//! Who waits for changes: open pages and the worker. Everything here is a hint; the database is the truth.

use std::sync::Arc;

use tokio::sync::{Notify, broadcast};

/// Passes on what changed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub {
    topics: broadcast::Sender<Arc<str>>,
    work: Arc<Notify>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            topics: broadcast::channel(1024).0,
            work: Arc::default(),
        }
    }
}

impl Hub {
    /// Hears topics from now on: printed ids (`lin_…`, `per_…`, `gra_…`) or the words `provisioning`, `catalogue`.
    pub fn listen(&self) -> broadcast::Receiver<Arc<str>> {
        self.topics.subscribe()
    }

    /// Says that something changed.
    pub fn changed(&self, topic: &str) {
        // No page is open: nobody to tell.
        drop(self.topics.send(topic.into()));
    }

    /// Wakes the worker: a job may be due.
    pub fn wake(&self) {
        self.work.notify_waiters();
        self.work.notify_one();
    }

    /// Waits until somebody wakes the worker.
    pub async fn woken(&self) {
        self.work.notified().await;
    }
}
