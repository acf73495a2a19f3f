//! How people want to be told, and what waits for their day's mail.

use domain::{
    MessageId, PersonId, Timestamp,
    telling::{Delivery, Topic},
};
use sqlx::QueryBuilder;

use crate::engine::{Error, Tx};

row! {
    /// What a person said of a topic.
    pub struct SettingRow {
        /// What it is about.
        pub topic: Topic,
        /// How they want to be told.
        pub delivery: Delivery,
    }

    /// A mail that waits for the day's.
    pub struct GatheredRow {
        /// Which.
        pub id: MessageId,
        /// The subject line.
        pub subject: String,
        /// The page that it leads to, from `/`.
        pub path: Option<String>,
    }

    /// The newest mail to a person that did not get through.
    pub struct UndeliveredRow {
        /// What the mail server said.
        pub problem: String,
        /// When it was written.
        pub created_at: Timestamp,
    }
}

impl Tx {
    /// What a person said about how they want to be told; topics without a row are told at once.
    pub async fn notification_settings(
        &mut self,
        person: PersonId,
    ) -> Result<Vec<SettingRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT topic, delivery FROM notification_settings WHERE person_id = $1 ORDER BY topic")
            .bind(person.0).fetch_all(c).await)?)
    }

    /// Keeps what a person said of a topic.
    pub async fn set_notification(
        &mut self,
        person: PersonId,
        topic: Topic,
        delivery: Delivery,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO notification_settings (person_id, topic, delivery) VALUES ($1, $2, $3)
             ON CONFLICT (person_id, topic) DO UPDATE SET delivery = excluded.delivery")
            .bind(person.0).bind(topic.as_str()).bind(delivery.as_str()).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What waits for a person's day's mail, oldest first.
    pub async fn gathered(
        &mut self,
        person: PersonId,
        limit: i64,
    ) -> Result<Vec<GatheredRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, subject, path FROM messages
             WHERE person_id = $1 AND state = 'gathered' AND digest_id IS NULL ORDER BY created_at, id LIMIT $2")
            .bind(person.0).bind(limit).fetch_all(c).await)?)
    }

    /// Notes that these mails stand in a digest.
    pub async fn stand_in_digest(
        &mut self,
        mails: &[MessageId],
        digest: MessageId,
    ) -> Result<(), Error> {
        for chunk in mails.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new("UPDATE messages SET digest_id = ");
                query.push_bind(digest.0).push(" WHERE id IN (");
                let mut ids = query.separated(", ");
                for id in chunk {
                    ids.push_bind(id.0);
                }
                query.push(")");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// The newest mail to a person if it was given up: their address is refused.
    pub async fn undelivered(&mut self, person: PersonId) -> Result<Option<UndeliveredRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT problem, created_at FROM (
               SELECT state, problem, created_at FROM messages
               WHERE person_id = $1 AND state IN ('sent', 'failed') ORDER BY created_at DESC, id DESC LIMIT 1) AS newest
             WHERE state = 'failed' AND problem IS NOT NULL")
            .bind(person.0).fetch_optional(c).await)?)
    }
}
