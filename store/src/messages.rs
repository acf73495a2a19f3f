//! Mails, each once: the key names the event and the person.

use sqlx::QueryBuilder;

use domain::{MessageId, PersonId, Timestamp};

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
        /// `queued`, `sent` or `failed`.
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
    /// The subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

impl Tx {
    /// Keeps mails, each unless one with its key exists. Gives the ids of those that are new.
    pub async fn insert_messages(
        &mut self,
        messages: &[NewMessage],
        now: Timestamp,
    ) -> Result<Vec<MessageId>, Error> {
        let mut new = Vec::new();
        for chunk in messages.chunks(500) {
            let ids: Vec<uuid::Uuid> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO messages (id, key, person_id, kind, subject, body, state, created_at) ");
                query.push_values(chunk, |mut tuple, message| {
                    tuple.push_bind(message.id.0).push_bind(message.key.clone()).push_bind(message.person_id.0)
                        .push_bind(message.kind).push_bind(message.subject.clone()).push_bind(message.body.clone())
                        .push("'queued'").push_bind(At(now));
                });
                query.push(" ON CONFLICT (key) DO NOTHING RETURNING id");
                query.build_query_scalar().fetch_all(c).await
            })?;
            new.extend(ids.into_iter().map(MessageId));
        }
        Ok(new)
    }

    /// A mail to send.
    pub async fn message(&mut self, id: MessageId) -> Result<Option<MessageRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT m.id, m.person_id, p.mail AS address, p.name, m.subject, m.body, m.state
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
