//! Mails, each once: the key names the event and the person.

use sqlx::QueryBuilder;

use domain::{MessageId, PersonId, Timestamp, telling::Topic};

use crate::engine::{At, Error, Tx};

row! {
    /// One mail with the address as the directory says it now.
    pub struct MessageRow {
        /// Its id.
        pub id: MessageId,
        /// To whom.
        pub person_id: PersonId,
        /// Their address; empty when the directory has none.
        pub address: String,
        /// Their name.
        pub name: String,
        /// The subject line.
        pub subject: String,
        /// Plain text.
        pub body: String,
        /// The page that it leads to, from `/`; none where the body says it itself.
        pub path: Option<String>,
        /// `queued`, `sent`, `failed`, `gathered` or `unwanted`.
        pub state: String,
    }

    /// What became of a mail that was kept: `queued`, `gathered` or `unwanted`.
    pub struct KeptRow {
        /// Which.
        pub id: MessageId,
        /// To whom.
        pub person_id: PersonId,
        /// How they are told.
        pub state: String,
    }
}

/// A mail to keep.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// Names the event and the person: the same key is kept once.
    pub key: String,
    /// To whom.
    pub person_id: PersonId,
    /// What it is about.
    pub kind: &'static str,
    /// As what people choose whether to be told of it; none: always at once.
    pub topic: Option<Topic>,
    /// The subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The page that it leads to, from `/`.
    pub path: String,
}

impl Tx {
    /// Keeps mails, each unless one with its key exists, as its person wants to be told. Gives those that are new.
    pub async fn insert_messages(
        &mut self,
        messages: &[NewMessage],
        now: Timestamp,
    ) -> Result<Vec<KeptRow>, Error> {
        let mut new = Vec::new();
        for chunk in messages.chunks(500) {
            let kept: Vec<KeptRow> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO messages (id, key, person_id, kind, subject, body, path, created_at, state) ");
                query.push_values(chunk, |mut tuple, message| {
                    tuple.push_bind(message.id.0).push_bind(message.key.clone()).push_bind(message.person_id.0)
                        .push_bind(message.kind).push_bind(message.subject.clone()).push_bind(message.body.clone())
                        .push_bind(message.path.clone()).push_bind(At(now));
                    match message.topic {
                        None => tuple.push("'queued'"),
                        Some(topic) => tuple
                            .push("COALESCE((SELECT CASE delivery WHEN 'daily' THEN 'gathered' WHEN 'never' THEN 'unwanted' END
                                   FROM notification_settings WHERE person_id = ")
                            .push_bind_unseparated(message.person_id.0)
                            .push_unseparated(" AND topic = ")
                            .push_bind_unseparated(topic.as_str())
                            .push_unseparated("), 'queued')"),
                    };
                });
                query.push(" ON CONFLICT (key) DO NOTHING RETURNING id, person_id, state");
                query.build_query_as().fetch_all(c).await
            })?;
            new.extend(kept);
        }
        Ok(new)
    }

    /// A mail to send.
    pub async fn message(&mut self, id: MessageId) -> Result<Option<MessageRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT m.id, m.person_id, p.mail AS address, p.name, m.subject, m.body, m.path, m.state
             FROM messages m JOIN persons p ON p.id = m.person_id WHERE m.id = $1")
            .bind(id.0).fetch_optional(c).await)?)
    }

    /// Notes what became of a mail.
    pub async fn set_message(
        &mut self,
        id: MessageId,
        state: &str,
        problem: Option<&str>,
        sent: Option<Timestamp>,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE messages SET state = $2, problem = $3, sent_at = $4 WHERE id = $1")
            .bind(id.0).bind(state).bind(problem).bind(sent.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Lets a mail that was given up be tried again; what was wrong stays until it is sent. False if it was not given up.
    pub async fn requeue_message(&mut self, id: MessageId) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query("UPDATE messages SET state = 'queued' WHERE id = $1 AND state = 'failed'")
            .bind(id.0).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}
