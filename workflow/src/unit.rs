//! A unit of work: one transaction together with the audit events and wake-ups that belong to it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId, Timestamp,
    audit::{Actor, Event},
};
use sha2::{Digest, Sha256};
use store::{
    Tx,
    audit::{AuditRow, NewAuditRow},
    jobs::NewJob,
    messages::NewMessage,
    posts::NewPost,
    requests::LabelsRow,
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
    held: BTreeSet<PackageId>,
    labels: BTreeMap<(PersonId, PackageId), LabelsRow>,
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
            held: BTreeSet::new(),
            labels: BTreeMap::new(),
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
        self.forget(key);
        Ok(self.tx.cancel_job(key).await?)
    }

    /// Takes back what this unit was about to enqueue under a key.
    pub(crate) fn forget(&mut self, key: &str) {
        self.jobs.retain(|job| job.key != key);
    }

    /// Keeps a package in its edition until the unit commits, once ([`Tx::hold_package`]).
    pub(crate) async fn hold_package(&mut self, package: PackageId) -> Result<()> {
        if self.held.insert(package) {
            self.tx.hold_package(package).await?;
        }
        Ok(())
    }

    /// Keeps packages in their editions and locks persons until the unit commits ([`Tx::hold_and_lock`]).
    pub(crate) async fn hold(
        &mut self,
        packages: &[PackageId],
        persons: &[PersonId],
    ) -> Result<()> {
        self.held.extend(packages);
        Ok(self.tx.hold_and_lock(packages, persons).await?)
    }

    /// Notes that a package is held by a statement that does more besides.
    pub(crate) fn holds(&mut self, package: PackageId) {
        self.held.insert(package);
    }

    /// The names that a mail about a person and a package shows, read once.
    pub(crate) async fn labels(
        &mut self,
        person: PersonId,
        package: PackageId,
    ) -> Result<LabelsRow> {
        if let Some(known) = self.labels.get(&(person, package)) {
            return Ok(known.clone());
        }
        let read = self.tx.line_labels(person, package).await?;
        self.labels.insert((person, package), read.clone());
        Ok(read)
    }

    /// Notes names that were read in this unit with something else.
    pub(crate) fn knows(&mut self, (person, name): (PersonId, &str), package: (PackageId, &str)) {
        let labels = LabelsRow {
            person: name.to_owned(),
            package: package.1.to_owned(),
        };
        self.labels.insert((person, package.0), labels);
    }

    /// Notes a mail; all are kept together when the unit commits, each key once.
    pub(crate) fn mail(&mut self, message: NewMessage) {
        self.mails.push(message);
    }

    /// Notes a post to a channel; all are kept together when the unit commits, each key once.
    pub(crate) fn post(&mut self, post: NewPost) {
        self.posts.push(post);
    }

    /// Keeps mails and posts, and puts the jobs in order that are to be enqueued.
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
        Ok(())
    }

    /// Appends the audit events as the last thing, commits, then wakes whoever waits.
    pub async fn commit(mut self) -> Result<()> {
        self.flush().await?;
        let work = !self.jobs.is_empty();
        let mut said = self.topics.join(" ");
        // PostgreSQL refuses payloads of 8000 bytes and more; a hint may be coarse.
        if said.len() > 7000 {
            "*".clone_into(&mut said);
        }
        let said = (work || !self.topics.is_empty()).then_some(said.as_str());
        let mut rows = Vec::new();
        if self.events.is_empty() {
            self.tx.enqueue(&self.jobs).await?;
        } else {
            let head = self.tx.enqueue_and_lock_audit_head(&self.jobs).await?;
            rows = chain(head.seq, head.hash, &self.events);
        }
        self.tx.append_audit(&rows, said).await?;
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
