//! What a channel of a chat is told: what waits for a group of people rather than for one, each once, queued in the
//! transaction that caused it. A post leads to the page; nothing is decided in the chat.

use domain::{
    PostId,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    person::PortalRole,
    words,
};
use serde_json::json;
use store::{
    jobs::{NewJob, Priority},
    posts::NewPost,
};

use crate::{Error, Result, Unit, Workflow, access::Viewer};

words! {
    /// A chat that takes posts at an address of its own (an incoming webhook).
    pub enum Chat {
        /// Microsoft Teams: an Adaptive Card.
        Teams = "teams",
        /// Slack: blocks.
        Slack = "slack",
    }
}

/// What a post says. Plain text: nothing in it is read as formatting.
#[derive(Clone, Debug)]
pub struct Post {
    /// What it says first.
    pub title: String,
    /// What happened and what to do.
    pub text: String,
    /// The page to look at, from `/`.
    pub path: String,
}

/// Queues a post to every chat that is configured, unless the same event (`key`) was posted already.
pub fn queue(unit: &mut Unit, key: &str, post: &Post) {
    for chat in unit.workflow().settings().chats.clone() {
        let new = NewPost {
            id: unit.new_id(),
            key: format!("{key}:{chat}"),
            chat: chat.as_str(),
            title: post.title.clone(),
            body: post.text.clone(),
            path: post.path.clone(),
        };
        unit.post(new);
    }
}

/// The job that sends a post.
pub(crate) fn job(id: PostId, due_at: domain::Timestamp) -> NewJob {
    NewJob {
        key: format!("post:{id}"),
        kind: JobKind::Post,
        subject: Some(id.0),
        lane: None,
        priority: Priority::Low,
        due_at,
    }
}

/// Has a post sent again that was given up. For operators.
pub async fn send_again(workflow: &Workflow, viewer: &Viewer, id: PostId) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    if unit.tx.post(id).await?.is_none() {
        return Err(Error::Missing);
    }
    if !unit.tx.requeue_post(id).await? {
        return Err(Error::Stale);
    }
    unit.record(
        Event::new(EventKind::PostRetried, unit.now, Actor::Person(viewer.id()))
            .about(id)
            .changing(json!({"state": "failed"}), json!({"state": "queued"})),
    );
    unit.changed("provisioning");
    let now = unit.now;
    unit.enqueue(&[job(id, now)]);
    unit.commit().await
}
