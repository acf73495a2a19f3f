//! Mail: each event once to each right person, queued in the transaction that caused it and sent later by the worker, at once
//! or with the day's others, as the person wants it ([`crate::telling`]).

use chrono::Duration;
use domain::{
    MessageId, PersonId,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    person::PortalRole,
    telling::Topic,
};
use serde_json::json;
use store::{
    jobs::{NewJob, Priority},
    messages::NewMessage,
};

use crate::{Error, Result, Unit, Workflow, access::Viewer};

/// What a mail says. Plain text; the link leads to the page and never decides by itself.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What it is about, for keeping apart: `decision_needed`, `decided`, `ready`, `ends_soon`, `ended`.
    pub kind: &'static str,
    /// The subject line.
    pub subject: String,
    /// What happened and what to do.
    pub text: String,
    /// The page to look at, from `/`.
    pub path: String,
}

/// Queues a mail to a person when the unit commits, unless the same event (`key`) was mailed to them already.
pub fn queue(unit: &mut Unit, person: PersonId, key: &str, mail: &Mail) {
    let message = NewMessage {
        id: unit.new_id(),
        key: format!("{key}:{person}"),
        person_id: person,
        kind: mail.kind,
        topic: Topic::of(mail.kind),
        subject: mail.subject.clone(),
        body: mail.text.clone(),
        path: mail.path.clone(),
    };
    unit.mail(message);
}

/// A time to come as a mail says it: to the next hour, in whole days from two on. A mail is sent a little after it is due.
pub(crate) fn time_left(left: Duration) -> String {
    let rounded = left + Duration::minutes(30);
    match (rounded.num_days(), rounded.num_hours()) {
        (days @ 2.., _) => format!("in {days} days"),
        (_, hours @ 2..) => format!("in {hours} hours"),
        _ => "within the hour".to_owned(),
    }
}

/// The job that sends a mail.
pub(crate) fn job(id: MessageId, due_at: domain::Timestamp) -> NewJob {
    NewJob {
        key: format!("mail:{id}"),
        kind: JobKind::Mail,
        subject: Some(id.0),
        lane: None,
        priority: Priority::Low,
        due_at,
    }
}

/// Has a mail sent again that was given up. For operators.
pub async fn send_again(workflow: &Workflow, viewer: &Viewer, id: MessageId) -> Result<()> {
    viewer.must_have(&[PortalRole::Operator])?;
    let mut unit = workflow.unit().await?;
    let message = unit.tx.message(id).await?.ok_or(Error::Missing)?;
    if !unit.tx.requeue_message(id).await? {
        return Err(Error::Stale);
    }
    unit.record(
        Event::new(EventKind::MailRetried, unit.now, Actor::Person(viewer.id()))
            .about(id)
            .about(message.person_id)
            .changing(json!({"state": "failed"}), json!({"state": "queued"})),
    );
    unit.changed("provisioning");
    let now = unit.now;
    unit.enqueue(&[job(id, now)]);
    unit.commit().await
}
