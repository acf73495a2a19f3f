//! How people want to be told, and the one mail a day of those who want it.

use chrono::NaiveTime;
use domain::{
    MessageId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    telling::{Delivery, Topic, next_digest},
};
use serde_json::json;
use store::{
    jobs::{NewJob, Priority},
    messages::NewMessage,
};

use crate::{Error, Result, Unit, Workflow, access::Viewer};

/// The most mails that one digest lists; the rest stand in the next.
const MOST: i64 = 200;

/// The job that writes a person's day's mail.
pub(crate) fn job(person: PersonId, now: Timestamp, at: NaiveTime) -> NewJob {
    NewJob {
        key: format!("digest:{person}"),
        kind: JobKind::Digest,
        subject: Some(person.0),
        lane: None,
        priority: Priority::Low,
        due_at: next_digest(now, at),
    }
}

/// Writes the day's mail of each of these people. What was gathered meanwhile for somebody who wants it at once again goes
/// with it.
pub(crate) async fn digest(unit: &mut Unit, persons: &[PersonId]) -> Result<()> {
    for &person in persons {
        let gathered = unit.tx.gathered(person, MOST).await?;
        if gathered.is_empty() {
            continue;
        }
        let public_url = unit.workflow().settings().public_url.clone();
        let id: MessageId = unit.new_id();
        let count = gathered.len();
        let mut body = String::from("What happened since the last mail:\n");
        for mail in &gathered {
            body.extend(["\n", mail.subject.as_str(), "\n"]);
            if let Some(path) = &mail.path {
                body.extend([public_url.as_str(), path.as_str(), "\n"]);
            }
        }
        let message = NewMessage {
            id,
            key: format!("digest:{id}"),
            person_id: person,
            kind: "digest",
            topic: None,
            subject: if count == 1 {
                gathered[0].subject.clone()
            } else {
                format!("{count} things about access")
            },
            body,
            path: "/".into(),
        };
        let now = unit.now;
        // At once, for those that stand in it name it.
        for kept in unit.tx.insert_messages(&[message], now).await? {
            unit.enqueue(&[crate::mail::job(kept.id, now)]);
        }
        let ids: Vec<MessageId> = gathered.iter().map(|mail| mail.id).collect();
        unit.tx.stand_in_digest(&ids, id).await?;
        if i64::try_from(count).is_ok_and(|count| count == MOST) {
            let at = unit.workflow().settings().digest_at;
            let again = job(person, now, at);
            unit.enqueue(&[NewJob {
                due_at: now,
                ..again
            }]);
        }
    }
    Ok(())
}

/// Keeps how the viewer wants to be told.
pub async fn choose(
    workflow: &Workflow,
    viewer: &Viewer,
    choices: &[(Topic, Delivery)],
) -> Result<()> {
    // Only the pages offer less than everything; whoever sends more is told that there is no such thing.
    if choices
        .iter()
        .any(|(topic, delivery)| !topic.allows(*delivery))
    {
        return Err(Error::Missing);
    }
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[viewer.id()]).await?;
    let before = of(&mut unit.tx, viewer.id()).await?;
    let mut changed = false;
    for &(topic, delivery) in choices {
        if before.contains(&(topic, delivery)) {
            continue;
        }
        unit.tx
            .set_notification(viewer.id(), topic, delivery)
            .await?;
        changed = true;
    }
    if !changed {
        return Ok(());
    }
    let after = of(&mut unit.tx, viewer.id()).await?;
    unit.record(
        Event::new(
            EventKind::NotificationsChanged,
            unit.now,
            Actor::Person(viewer.id()),
        )
        .about(viewer.id())
        .changing(json!(before), json!(after)),
    );
    unit.commit().await
}

/// How a person wants to be told of each topic.
pub(crate) async fn of(tx: &mut store::Tx, person: PersonId) -> Result<Vec<(Topic, Delivery)>> {
    let said = tx.notification_settings(person).await?;
    Ok(Topic::ALL
        .iter()
        .map(|&topic| {
            let delivery = said
                .iter()
                .find(|row| row.topic == topic)
                .map_or(Delivery::AtOnce, |row| row.delivery);
            (topic, delivery)
        })
        .collect())
}
