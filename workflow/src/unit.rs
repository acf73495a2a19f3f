//! A unit of work: one transaction together with the audit events and wake-ups that belong to it.

use domain::{
    Timestamp,
    audit::{Actor, Event},
};
use sha2::{Digest, Sha256};
use store::{
    Tx,
    audit::{AuditRow, NewAuditRow},
    jobs::NewJob,
    messages::NewMessage,
    posts::NewPost,
};

use crate::{Result, Workflow, chat, mail, telling};

/// One transaction. Dropped without [`Unit::commit`], nothing happened and nothing is logged.
#[derive(Debug)]
pub struct Unit {
    /// The transaction.
    pub tx: Tx,
    /// The instant of the whole unit.
    pub now: Timestamp,
    workflow: Workflow,
    events: Vec<Event>,
    topics: Vec<String>,
    jobs: Vec<NewJob>,
    mails: Vec<NewMessage>,
    posts: Vec<NewPost>,
}

impl Unit {
    pub(crate) async fn begin(workflow: Workflow) -> Result<Self> {
        let tx = workflow.store().begin().await?;
        // After the lock on SQLite was had: the instant is not older than what the transaction sees.
        let now = workflow.clock().now();
        Ok(Self {
            tx,
            now,
            workflow,
            events: Vec::new(),
            topics: Vec::new(),
            jobs: Vec::new(),
            mails: Vec::new(),
            posts: Vec::new(),
        })
    }

    /// The use cases that this unit belongs to.
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// A new id at the unit's instant.
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        self.workflow.ids().new_id(self.now)
    }

    /// Notes an audit event; it is appended, in order, when the unit commits.
    pub fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Notes that open pages about `topic` should look again.
    pub fn changed(&mut self, topic: impl ToString) {
        let topic = topic.to_string();
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }

    /// Enqueues jobs: all together in one statement when the unit commits, which also wakes the worker.
    pub fn enqueue(&mut self, jobs: &[NewJob]) {
        self.jobs.extend_from_slice(jobs);
    }

    /// Removes a job that nothing stands behind any more, unless it is running.
    pub async fn cancel(&mut self, key: &str) -> Result<()> {
        self.jobs.retain(|job| job.key != key);
        Ok(self.tx.cancel_job(key).await?)
    }

    /// Notes a mail; all are kept together when the unit commits, each key once.
    pub(crate) fn mail(&mut self, message: NewMessage) {
        self.mails.push(message);
    }

    /// Notes a post to a channel; all are kept together when the unit commits, each key once.
    pub(crate) fn post(&mut self, post: NewPost) {
        self.posts.push(post);
    }

    async fn flush(&mut self) -> Result<()> {
        let now = self.now;
        for kept in self.tx.insert_messages(&self.mails, now).await? {
            match kept.state.as_str() {
                "queued" => self.jobs.push(mail::job(kept.id, now)),
                "gathered" => {
                    let at = self.workflow.settings().digest_at;
                    self.jobs.push(telling::job(kept.person_id, now, at));
                }
                _ => {}
            }
        }
        for id in self.tx.insert_posts(&self.posts, now).await? {
            self.jobs.push(chat::job(id, now));
        }
        // One statement may touch a key once; of several the earliest instant counts, and the most urgent order of work:
        // a removal never waits in the line of additions.
        self.jobs
            .sort_by(|one, other| (&one.key, one.due_at).cmp(&(&other.key, other.due_at)));
        self.jobs.dedup_by(|later, earlier| {
            let same = later.key == earlier.key;
            if same {
                earlier.priority = earlier.priority.min(later.priority);
            }
            same
        });
        Ok(self.tx.enqueue(&self.jobs).await?)
    }

    /// Appends the audit events as the last thing, commits, then wakes whoever waits.
    pub async fn commit(mut self) -> Result<()> {
        self.flush().await?;
        let work = !self.jobs.is_empty();
        if !self.events.is_empty() {
            let head = self.tx.lock_audit_head().await?;
            let rows = chain(head.seq, head.hash, &self.events);
            self.tx.append_audit(&rows).await?;
        }
        if work || !self.topics.is_empty() {
            let mut text = self.topics.join(" ");
            // PostgreSQL refuses payloads of 8000 bytes and more; a hint may be coarse.
            if text.len() > 7000 {
                "*".clone_into(&mut text);
            }
            self.tx.notify(&text).await?;
        }
        self.tx.commit().await?;
        for topic in &self.topics {
            self.workflow.hub().changed(topic);
        }
        if work {
            self.workflow.hub().wake();
        }
        Ok(())
    }
}

/// The rows for `events`, chained after `seq` and `hash`: `hash = SHA-256(previous hash ‖ canonical text)`.
fn chain(seq: i64, hash: Vec<u8>, events: &[Event]) -> Vec<NewAuditRow> {
    let mut previous = hash;
    events
        .iter()
        .zip(seq + 1..)
        .map(|(event, seq)| {
            let entry = event.canonical(seq);
            let hash = link(&previous, &entry);
            previous.clone_from(&hash);
            let (actor, actor_id) = columns(event.actor);
            NewAuditRow {
                row: AuditRow {
                    seq,
                    at: event.at,
                    kind: event.kind.to_string(),
                    entry,
                    hash,
                },
                actor,
                actor_id,
                subjects: event.subjects.clone(),
            }
        })
        .collect()
}

/// The columns that repeat the actor beside an entry's text.
pub(crate) const fn columns(actor: Actor) -> (&'static str, Option<uuid::Uuid>) {
    match actor {
        Actor::Person(id) => ("person", Some(id.0)),
        Actor::Portal => ("portal", None),
        Actor::Provisioner => ("provisioner", None),
        Actor::Operator => ("operator", None),
        Actor::Anonymous => ("anonymous", None),
    }
}

/// One link of the chain.
pub(crate) fn link(previous: &[u8], entry: &str) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(entry.as_bytes());
    hasher.finalize().to_vec()
}
