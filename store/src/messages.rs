//! Mails, each once: the key names the event and the person.

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

impl Tx {
    /// Keeps a mail unless one with this key exists. True if it is new.
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument for each column, all plain"
    )]
    pub async fn insert_message(
        &mut self,
        id: MessageId,
        key: &str,
        person: PersonId,
        kind: &str,
        subject: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let new = on!(self, c => sqlx::query(
            "INSERT INTO messages (id, key, person_id, kind, subject, body, state, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7) ON CONFLICT (key) DO NOTHING")
            .bind(id.0).bind(key).bind(person.0).bind(kind).bind(subject).bind(body).bind(At(now))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(new == 1)
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
}
