//! The items of campaigns: frozen, answered, settled, and what was done to each.

use domain::{
    CampaignId, GrantId, ItemId, PersonId, Timestamp,
    certification::{Answer, ItemState, Via, VoidCause},
};
use sqlx::QueryBuilder;

use super::{CampaignItemRow, Decided, NewAct, VoidedRow};
use crate::engine::{At, Error, Tx};

macro_rules! select_item {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.campaign_id, i.grant_id, i.person_id, i.account_id, i.package_id, i.right_name, i.source, i.privileged,
               i.control_scope, i.valid_from, i.end_at, i.peers_holding, i.peers, i.suggestion, i.why, i.reviewer_id, i.via, i.stage, i.state,
               i.answer, i.until_at, i.reason, i.decided_by, i.decided_at, i.together, i.stood, i.void_cause, i.enforce_at, i.enforced_at,
               i.proof, i.proof_at, i.question, i.reply, i.version FROM campaign_items i",
            $rest
        )
    };
}

impl Tx {
    /// Freezes items of a draft.
    pub async fn insert_items(&mut self, rows: &[CampaignItemRow]) -> Result<(), Error> {
        for chunk in rows.chunks(400) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO campaign_items (id, campaign_id, grant_id, person_id, account_id, package_id, right_name, source,
                       privileged, control_scope, valid_from, end_at, peers_holding, peers, suggestion, why, reviewer_id, via, state) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.id.0).push_bind(row.campaign_id.0).push_bind(row.grant_id.0).push_bind(row.person_id.0)
                        .push_bind(row.account_id.0).push_bind(row.package_id.map(|id| id.0)).push_bind(row.right_name.clone())
                        .push_bind(row.source.as_str()).push_bind(row.privileged).push_bind(row.control_scope.clone())
                        .push_bind(At(row.valid_from)).push_bind(row.end_at.map(At)).push_bind(row.peers_holding)
                        .push_bind(row.peers).push_bind(row.suggestion.as_str()).push_bind(row.why.clone())
                        .push_bind(row.reviewer_id.map(|id| id.0)).push_bind(row.via.map(Via::as_str)).push("'open'");
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Writes down how each target stood of which a campaign has frozen a listing: it is covered if all of them are, as of the
    /// oldest.
    pub async fn freeze_targets(&mut self, id: CampaignId) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO campaign_targets (campaign_id, target_id, rights, present, oldest_read, newest_read, listed_at)
             SELECT l.campaign_id, l.target_id, COALESCE(h.rights, 0), COALESCE(h.present, 0), h.oldest_read, h.newest_read,
               CASE WHEN l.missing = 0 THEN l.listed_at END
             FROM (SELECT campaign_id, target_id, COUNT(CASE WHEN covered = FALSE THEN 1 END) AS missing, MIN(scanned_at) AS listed_at
               FROM campaign_listings WHERE campaign_id = $1 GROUP BY campaign_id, target_id) AS l
             LEFT JOIN (
               SELECT e.target_id, COUNT(*) AS rights, COUNT(CASE WHEN a.observed = 'present' THEN 1 END) AS present,
                 MIN(a.observed_at) AS oldest_read, MAX(a.observed_at) AS newest_read
               FROM campaign_items i JOIN grant_entitlements x ON x.grant_id = i.grant_id AND x.removed_at IS NULL
               JOIN entitlements e ON e.id = x.entitlement_id
               LEFT JOIN assignments a ON a.account_id = x.account_id AND a.entitlement_id = x.entitlement_id
               WHERE i.campaign_id = $1 GROUP BY e.target_id) AS h ON h.target_id = l.target_id")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// One item.
    pub async fn item(&mut self, id: ItemId) -> Result<Option<CampaignItemRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_item!(" WHERE i.id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// These items, by id.
    pub async fn items(&mut self, ids: &[ItemId]) -> Result<Vec<CampaignItemRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_item!(" WHERE i.id IN ("));
            ids_in!(query, ids);
            query.push(" ORDER BY i.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The items of a campaign after `after`, by id; only those in one state, if that is said.
    pub async fn items_of_campaign(
        &mut self,
        id: CampaignId,
        state: Option<ItemState>,
        after: Option<ItemId>,
        limit: i64,
    ) -> Result<Vec<CampaignItemRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_item!(" WHERE i.campaign_id = "));
            query.push_bind(id.0);
            if let Some(state) = state {
                query.push(" AND i.state = ").push_bind(state.as_str());
            }
            if let Some(after) = after {
                query.push(" AND i.id > ").push_bind(after.0);
            }
            query.push(" ORDER BY i.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The open items that somebody reviews, by id.
    pub async fn open_items_of(
        &mut self,
        reviewer: PersonId,
    ) -> Result<Vec<CampaignItemRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_item!(
            " WHERE i.reviewer_id = $1 AND i.state = 'open' ORDER BY i.id")).bind(reviewer.0).fetch_all(c).await)?)
    }

    /// Answers for an open item of this reviewer. False if it changed since it was seen at `version`, or is not theirs.
    pub async fn decide_item(
        &mut self,
        id: ItemId,
        version: i64,
        decided: &Decided,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaign_items SET state = 'decided', answer = $3, until_at = $4, reason = $5, decided_by = $6, decided_at = $7,
               together = $8, enforce_at = $9, version = version + 1
             WHERE id = $1 AND version = $2 AND state = 'open' AND reviewer_id = $6")
            .bind(id.0).bind(version).bind(decided.answer.as_str()).bind(decided.until_at.map(At)).bind(&decided.reason)
            .bind(decided.by.0).bind(At(decided.at)).bind(decided.together).bind(decided.enforce_at.map(At))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Takes an answer back that has not taken effect. False if it has, or is none.
    pub async fn reopen_item(&mut self, id: ItemId, version: i64) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaign_items SET state = 'open', answer = NULL, until_at = NULL, reason = '', decided_by = NULL, decided_at = NULL,
               together = FALSE, enforce_at = NULL, version = version + 1
             WHERE id = $1 AND version = $2 AND state = 'decided' AND stood = FALSE AND enforced_at IS NULL")
            .bind(id.0).bind(version).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Gives open items to another reviewer, or to nobody.
    pub async fn give_items(
        &mut self,
        ids: &[ItemId],
        to: Option<(PersonId, Via)>,
    ) -> Result<(), Error> {
        for chunk in ids.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new("UPDATE campaign_items SET version = version + 1, reviewer_id = ");
                query.push_bind(to.map(|(id, _)| id.0)).push(", via = ").push_bind(to.map(|(_, via)| via.as_str()))
                    .push(" WHERE state = 'open' AND id IN (");
                ids_in!(query, chunk);
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Writes what the holder of an open item is asked, and what they answered. False if it is not open.
    pub async fn set_question(
        &mut self,
        id: ItemId,
        question: &str,
        reply: &str,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaign_items SET question = $2, reply = $3, version = version + 1 WHERE id = $1 AND state = 'open'")
            .bind(id.0).bind(question).bind(reply).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Settles open items by the rule of silence.
    pub async fn default_items(
        &mut self,
        ids: &[ItemId],
        answer: Answer,
        at: Timestamp,
    ) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE campaign_items SET state = 'defaulted', version = version + 1, answer = ");
            query.push_bind(answer.as_str()).push(", decided_at = ").push_bind(At(at)).push(" WHERE state = 'open' AND id IN (");
            ids_in!(query, ids);
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Makes open items void.
    pub async fn void_items(
        &mut self,
        ids: &[ItemId],
        cause: VoidCause,
        at: Timestamp,
    ) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE campaign_items SET state = 'void', version = version + 1, void_cause = ");
            query.push_bind(cause.as_str()).push(", decided_at = ").push_bind(At(at)).push(" WHERE state = 'open' AND id IN (");
            ids_in!(query, ids);
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Makes the open items about these grants void, as they have ended, and says which.
    pub async fn void_items_of_grants(
        &mut self,
        grants: &[GrantId],
        at: Timestamp,
    ) -> Result<Vec<VoidedRow>, Error> {
        if grants.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE campaign_items SET state = 'void', void_cause = 'ended', version = version + 1, decided_at = ");
            query.push_bind(At(at)).push(" WHERE state = 'open' AND decided_at IS NULL AND grant_id IN (");
            ids_in!(query, grants);
            query.push(" RETURNING id, campaign_id, person_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Lets everything that was said no to in a campaign take effect at an instant, unless it does earlier.
    pub async fn enforce_all(&mut self, id: CampaignId, at: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE campaign_items SET enforce_at = $2, version = version + 1 WHERE campaign_id = $1 AND enforced_at IS NULL
               AND answer IN ('revoke', 'shorten') AND state IN ('decided', 'defaulted') AND (enforce_at IS NULL OR enforce_at > $2)")
            .bind(id.0).bind(At(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The items of a campaign whose answers are due to take effect, longest due first.
    pub async fn due_items(
        &mut self,
        id: CampaignId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<CampaignItemRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_item!(
            " WHERE i.campaign_id = $1 AND i.enforce_at IS NOT NULL AND i.enforced_at IS NULL AND i.enforce_at <= $2
              ORDER BY i.enforce_at, i.id LIMIT $3")).bind(id.0).bind(At(now)).bind(limit).fetch_all(c).await)?)
    }

    /// When the next answer of a campaign takes effect.
    pub async fn next_effect(&mut self, id: CampaignId) -> Result<Option<Timestamp>, Error> {
        let found: Option<At> = on!(self, c => sqlx::query_scalar(
            "SELECT MIN(enforce_at) FROM campaign_items WHERE campaign_id = $1 AND enforce_at IS NOT NULL AND enforced_at IS NULL")
            .bind(id.0).fetch_one(c).await)?;
        Ok(found.map(|At(at)| at))
    }

    /// Writes that answers have taken effect.
    pub async fn mark_enforced(&mut self, ids: &[ItemId], at: Timestamp) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE campaign_items SET version = version + 1, enforced_at = ");
            query.push_bind(At(at)).push(" WHERE enforced_at IS NULL AND id IN (");
            ids_in!(query, ids);
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Writes how it stands with everything that was said no to in a campaign: what the targets have confirmed.
    pub async fn prove_items(&mut self, id: CampaignId) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE campaign_items SET version = version + 1,
               proof = (SELECT CASE
                 WHEN campaign_items.answer = 'shorten' OR g.gone_at IS NOT NULL THEN 'done'
                 WHEN EXISTS (SELECT 1 FROM grant_entitlements x JOIN assignments a ON a.account_id = x.account_id AND a.entitlement_id = x.entitlement_id
                   WHERE x.grant_id = g.id AND a.desired = TRUE) THEN 'still_held'
                 ELSE 'pending' END FROM grants g WHERE g.id = campaign_items.grant_id),
               proof_at = (SELECT CASE WHEN campaign_items.answer = 'shorten' THEN campaign_items.enforced_at ELSE g.gone_at END
                 FROM grants g WHERE g.id = campaign_items.grant_id)
             WHERE campaign_id = $1 AND answer IN ('revoke', 'shorten')").bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps what was done to items.
    pub async fn insert_acts(&mut self, acts: &[NewAct]) -> Result<(), Error> {
        for chunk in acts.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new("INSERT INTO campaign_acts (id, campaign_id, item_id, act, by_id, to_id, note, at) ");
                query.push_values(chunk, |mut tuple, act| {
                    tuple.push_bind(act.id.0).push_bind(act.campaign.0).push_bind(act.item.0).push_bind(act.act.as_str())
                        .push_bind(act.by.map(|id| id.0)).push_bind(act.to.map(|id| id.0)).push_bind(act.note.clone()).push_bind(At(act.at));
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }
}
