//! The stages of a campaign: what each said of an item, and the item's way from one to the next.

use domain::{
    CampaignId, ItemId, PersonId, Timestamp,
    certification::{Answer, Via},
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// What a stage that is over said of an item, with names as they are now.
    pub struct StageAnswerRow {
        /// The item.
        pub item_id: ItemId,
        /// The stage, from 1.
        pub stage: i64,
        /// Who was asked; none if nobody could be.
        pub reviewer_id: Option<PersonId>,
        /// Their name.
        pub reviewer: Option<String>,
        /// By what right.
        pub via: Option<Via>,
        /// What they said; none for silence.
        pub answer: Option<Answer>,
        /// Until when it was to stay, if shortened.
        pub until_at: Option<Timestamp>,
        /// Why.
        pub reason: String,
        /// Who said so.
        pub by_id: Option<PersonId>,
        /// Their name.
        pub by_name: Option<String>,
        /// When; for silence, when the stage was over.
        pub at: Timestamp,
        /// Whether together with others.
        pub together: bool,
    }

    /// How the second look of a campaign went.
    pub struct LookedRow {
        /// How many items were drawn.
        pub drawn: i64,
        /// How many were looked at.
        pub done: i64,
        /// Of those, how many were answered otherwise than before.
        pub differed: i64,
        /// How many nobody looked at: the first answer stands.
        pub stood: i64,
    }
}

impl Tx {
    /// Lets a running campaign ask its next stage. False if it does not ask `from`.
    pub async fn advance_campaign(
        &mut self,
        id: CampaignId,
        from: i64,
        due_at: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaigns SET stage = stage + 1, due_at = $3, version = version + 1 WHERE id = $1 AND stage = $2 AND state = 'running'")
            .bind(id.0).bind(from).bind(At(due_at)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Keeps what the stage of these items said, and asks the next one, that is `to`. The campaign asks it already.
    pub async fn pass_items_on(
        &mut self,
        ids: &[ItemId],
        to: Option<(PersonId, Via)>,
        at: Timestamp,
    ) -> Result<(), Error> {
        for chunk in ids.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO campaign_answers (item_id, stage, campaign_id, reviewer_id, via, answer, until_at, reason, by_id, at, together)
                     SELECT id, stage, campaign_id, reviewer_id, via, answer, until_at, reason, decided_by, COALESCE(decided_at, ");
                query.push_bind(At(at)).push("), together FROM campaign_items WHERE state IN ('open', 'decided') AND id IN (");
                ids_in!(query, chunk);
                query.build().execute(c).await.map(drop)
            })?;
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "UPDATE campaign_items SET stage = stage + 1, state = 'open', answer = NULL, until_at = NULL, reason = '', decided_by = NULL,
                       decided_at = NULL, together = FALSE, enforce_at = NULL, version = version + 1, reviewer_id = ");
                query.push_bind(to.map(|(id, _)| id.0)).push(", via = ").push_bind(to.map(|(_, via)| via.as_str()))
                    .push(" WHERE state IN ('open', 'decided') AND id IN (");
                ids_in!(query, chunk);
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// What the stages before said of these items, by item and stage.
    pub async fn stage_answers(&mut self, ids: &[ItemId]) -> Result<Vec<StageAnswerRow>, Error> {
        let mut found = Vec::new();
        for chunk in ids.chunks(500) {
            let rows: Vec<StageAnswerRow> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "SELECT a.item_id, a.stage, a.reviewer_id, r.name AS reviewer, a.via, a.answer, a.until_at, a.reason, a.by_id,
                       b.name AS by_name, a.at, a.together
                     FROM campaign_answers a LEFT JOIN persons r ON r.id = a.reviewer_id LEFT JOIN persons b ON b.id = a.by_id
                     WHERE a.item_id IN (");
                ids_in!(query, chunk);
                query.push(" ORDER BY a.item_id, a.stage");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Lets the last answer of the stages before stand for open items, as the one that was asked last is silent.
    pub async fn stand_items(&mut self, ids: &[ItemId], at: Timestamp) -> Result<(), Error> {
        for chunk in ids.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "UPDATE campaign_items SET state = 'decided', stood = TRUE, version = version + 1,
                       answer = (SELECT a.answer FROM campaign_answers a WHERE a.item_id = campaign_items.id AND a.answer IS NOT NULL ORDER BY a.stage DESC LIMIT 1),
                       until_at = (SELECT a.until_at FROM campaign_answers a WHERE a.item_id = campaign_items.id AND a.answer IS NOT NULL ORDER BY a.stage DESC LIMIT 1),
                       reason = (SELECT a.reason FROM campaign_answers a WHERE a.item_id = campaign_items.id AND a.answer IS NOT NULL ORDER BY a.stage DESC LIMIT 1),
                       decided_by = (SELECT a.by_id FROM campaign_answers a WHERE a.item_id = campaign_items.id AND a.answer IS NOT NULL ORDER BY a.stage DESC LIMIT 1),
                       decided_at = ");
                query.push_bind(At(at)).push(" WHERE state = 'open' AND id IN (");
                ids_in!(query, chunk);
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// When a stage of a campaign was last answered; none for never.
    pub async fn last_answer(
        &mut self,
        id: CampaignId,
        stage: i64,
    ) -> Result<Option<Timestamp>, Error> {
        let found: Option<At> = on!(self, c => sqlx::query_scalar(
            "SELECT MAX(decided_at) FROM campaign_items WHERE campaign_id = $1 AND stage = $2 AND state = 'decided'")
            .bind(id.0).bind(stage).fetch_one(c).await)?;
        Ok(found.map(|At(at)| at))
    }

    /// How the second look of a campaign went, that is its stage `stage`.
    pub async fn looked(&mut self, id: CampaignId, stage: i64) -> Result<LookedRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(*) AS drawn, COUNT(CASE WHEN state = 'decided' AND stood = FALSE THEN 1 END) AS done,
               COUNT(CASE WHEN state = 'decided' AND answer <> 'keep' THEN 1 END) AS differed, COUNT(CASE WHEN stood = TRUE THEN 1 END) AS stood
             FROM campaign_items WHERE campaign_id = $1 AND stage = $2").bind(id.0).bind(stage).fetch_one(c).await)?)
    }
}
