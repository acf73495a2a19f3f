//! Small reviews: what made them, how they stand; and removals that were not confirmed in time.

use domain::{
    CampaignId, GrantId, ItemId, PackageId, PersonId, Timestamp,
    certification::{CampaignState, Cause},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{BreachRow, PeersRow};
use crate::engine::{At, Error, Tx};

row! {
    /// What happened, and the review that comes of it.
    pub struct SmallReviewRow {
        /// The review's id, also before there is one.
        pub id: CampaignId,
        /// What happened.
        pub cause: Cause,
        /// Who moved, which exception ends, which right was found.
        pub subject_id: Uuid,
        /// Whose access it is about, if it is one person's.
        pub person_id: Option<PersonId>,
        /// Who reviews by name, where the rule names one.
        pub named_id: Option<PersonId>,
        /// What happened, in words that name nobody.
        pub said: String,
        /// When.
        pub happened_at: Timestamp,
        /// When there was nothing to do about it any more.
        pub over_at: Option<Timestamp>,
        /// Whether something privileged is in its review.
        pub privileged: bool,
    }

    /// A small review in a list.
    pub struct SmallTagRow {
        /// Its id.
        pub id: CampaignId,
        /// The short number.
        pub number: i64,
        /// What happened.
        pub cause: Cause,
        /// Whose access it is about, by name, if it is one person's.
        pub person: Option<String>,
        /// What happened, in words.
        pub said: String,
        /// Where it stands.
        pub state: CampaignState,
        /// Whether something privileged is in it.
        pub privileged: bool,
        /// When it began.
        pub made_at: Timestamp,
        /// Its deadline.
        pub due_at: Option<Timestamp>,
        /// When it closed.
        pub closed_at: Option<Timestamp>,
        /// How many items it has.
        pub population: i64,
        /// How many are open.
        pub open: i64,
    }

    /// A removal that its target has not confirmed in time.
    pub struct LateRow {
        /// The item.
        pub id: ItemId,
        /// Whose.
        pub person_id: PersonId,
        /// The grant that has ended.
        pub grant_id: GrantId,
        /// The package; none for what was found at the target.
        pub package_id: Option<PackageId>,
        /// What it is called.
        pub right_name: String,
        /// The owner of a right in it.
        pub right_owner_id: Option<PersonId>,
        /// When it ended.
        pub enforced_at: Timestamp,
    }
}

/// Whether something privileged is in the review of `s`.
macro_rules! privileged {
    () => {
        "EXISTS (SELECT 1 FROM campaign_items i WHERE i.campaign_id = s.id AND i.privileged = TRUE) AS privileged"
    };
}

macro_rules! select_small {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.cause, s.subject_id, s.person_id, s.named_id, s.said, s.happened_at, s.over_at, ",
            privileged!(),
            " FROM small_reviews s",
            $rest
        )
    };
}

/// A removal of campaign `$1` that took effect by `$2`, that its target has not confirmed, and that nobody was told of.
macro_rules! late {
    () => {
        " FROM campaign_items i JOIN grants g ON g.id = i.grant_id
          WHERE i.campaign_id = $1 AND i.enforced_at IS NOT NULL AND i.answer = 'revoke' AND g.gone_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM grant_entitlements x JOIN assignments a ON a.account_id = x.account_id
              AND a.entitlement_id = x.entitlement_id WHERE x.grant_id = g.id AND a.desired = TRUE)
            AND NOT EXISTS (SELECT 1 FROM late_removals l WHERE l.item_id = i.id)"
    };
}

impl Tx {
    /// Notes what happened. False if the same is noted already, or one about the same is not over.
    pub async fn insert_small_review(&mut self, row: &SmallReviewRow) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "INSERT INTO small_reviews (id, cause, subject_id, person_id, named_id, said, happened_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
            .bind(row.id.0).bind(row.cause.as_str()).bind(row.subject_id).bind(row.person_id.map(|id| id.0))
            .bind(row.named_id.map(|id| id.0)).bind(&row.said).bind(At(row.happened_at))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// What made a small review.
    pub async fn small_review(&mut self, id: CampaignId) -> Result<Option<SmallReviewRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_small!(" WHERE s.id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The newest about one thing.
    pub async fn small_review_of(
        &mut self,
        cause: Cause,
        subject: Uuid,
    ) -> Result<Option<SmallReviewRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_small!(
            " WHERE s.cause = $1 AND s.subject_id = $2 ORDER BY s.happened_at DESC LIMIT 1"))
            .bind(cause.as_str()).bind(subject).fetch_optional(c).await)?)
    }

    /// Says otherwise what happened, before its review has begun.
    pub async fn say_small_review(&mut self, id: CampaignId, said: &str) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE small_reviews SET said = $2 WHERE id = $1 AND over_at IS NULL")
            .bind(id.0).bind(said).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that there is nothing to do any more about what made a small review; nothing for other campaigns.
    pub async fn end_small_review(&mut self, id: CampaignId, at: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE small_reviews SET over_at = $2 WHERE id = $1 AND over_at IS NULL")
            .bind(id.0).bind(At(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// How many items of a small review are open; none for other campaigns.
    pub async fn open_in_small(&mut self, id: CampaignId) -> Result<Option<i64>, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM campaign_items i WHERE i.campaign_id = s.id AND i.state = 'open')
             FROM small_reviews s WHERE s.id = $1").bind(id.0).fetch_optional(c).await)?)
    }

    /// The small reviews that run or wait for a second person, and then the others, newest first.
    pub async fn small_reviews_page(&mut self, limit: i64) -> Result<Vec<SmallTagRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT x.id, x.number, x.cause, x.person, x.said, x.state, x.privileged, x.made_at, x.due_at, x.closed_at, x.population, x.open
             FROM (SELECT c.id, c.number, s.cause, p.name AS person, s.said, c.state, ", privileged!(), ", c.made_at, c.due_at,
               c.closed_at, c.population,
               (SELECT COUNT(*) FROM campaign_items i WHERE i.campaign_id = c.id AND i.state = 'open') AS open
               FROM small_reviews s JOIN campaigns c ON c.id = s.id LEFT JOIN persons p ON p.id = s.person_id) AS x
             ORDER BY CASE WHEN x.state = 'running' OR (x.state = 'closed' AND x.privileged = TRUE) THEN 0 ELSE 1 END,
               x.made_at DESC, x.id DESC LIMIT $1")).bind(limit).fetch_all(c).await)?)
    }

    /// Whether somebody has answered anything in a campaign, in whatever stage.
    pub async fn answered_in(&mut self, id: CampaignId, person: PersonId) -> Result<bool, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM campaign_items i WHERE i.campaign_id = $1 AND i.decided_by = $2)
               OR EXISTS (SELECT 1 FROM campaign_answers a WHERE a.campaign_id = $1 AND a.by_id = $2)")
            .bind(id.0).bind(person.0).fetch_one(c).await)?)
    }

    /// As [`Tx::peers`], for some managers only.
    pub async fn peers_under(&mut self, managers: &[PersonId]) -> Result<Vec<PeersRow>, Error> {
        if managers.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT manager_id, NULL AS package_id, COUNT(*) AS count FROM persons WHERE state = 'active' AND manager_id IN (");
            ids_in!(query, managers);
            query.push(" GROUP BY manager_id UNION ALL
                 SELECT p.manager_id, g.package_id, COUNT(DISTINCT p.id) AS count FROM grants g JOIN persons p ON p.id = g.person_id
                 WHERE g.state = 'active' AND g.package_id IS NOT NULL AND p.state = 'active' AND p.manager_id IN (");
            ids_in!(query, managers);
            query.push(" GROUP BY p.manager_id, g.package_id ORDER BY manager_id, package_id NULLS FIRST");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// As [`Tx::standing_breaches`], for some people only.
    pub async fn breaches_of(&mut self, people: &[PersonId]) -> Result<Vec<BreachRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT DISTINCT f.person_id, x.grant_id FROM findings f JOIN conflict_rights r ON r.conflict_id = f.conflict_id
                 JOIN grants g ON g.person_id = f.person_id AND g.state IN ('active', 'suspended')
                 JOIN grant_entitlements x ON x.grant_id = g.id AND x.entitlement_id = r.entitlement_id AND x.removed_at IS NULL
                 WHERE f.kind = 'conflict' AND f.state IN ('open', 'being_removed') AND f.person_id IN (");
            ids_in!(query, people);
            query.push(" ORDER BY f.person_id, x.grant_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Removals of a campaign that took effect by an instant, that their targets have not confirmed, and that nobody was told
    /// of yet. What is held another way as well is none.
    pub async fn late_items(
        &mut self,
        id: CampaignId,
        by: Timestamp,
        limit: i64,
    ) -> Result<Vec<LateRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT i.id, i.person_id, i.grant_id, i.package_id, i.right_name, i.enforced_at,
               (SELECT e.owner_id FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id
                 WHERE x.grant_id = g.id AND e.owner_id IS NOT NULL ORDER BY e.id LIMIT 1) AS right_owner_id",
            late!(), " AND i.enforced_at <= $2 ORDER BY i.enforced_at, i.id LIMIT $3"))
            .bind(id.0).bind(At(by)).bind(limit).fetch_all(c).await)?)
    }

    /// When the earliest removal of a campaign took effect that is not confirmed and that nobody was told of.
    pub async fn next_late(&mut self, id: CampaignId) -> Result<Option<Timestamp>, Error> {
        let found: Option<At> = on!(self, c => sqlx::query_scalar(concat!("SELECT MIN(i.enforced_at)", late!()))
            .bind(id.0).fetch_one(c).await)?;
        Ok(found.map(|At(at)| at))
    }

    /// Notes that somebody was told of late removals; `sealed` if the campaign is not signed off yet, so that they stand in
    /// its report.
    pub async fn insert_late(
        &mut self,
        campaign: CampaignId,
        items: &[ItemId],
        at: Timestamp,
        sealed: bool,
    ) -> Result<(), Error> {
        for chunk in items.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new("INSERT INTO late_removals (item_id, campaign_id, told_at, sealed) ");
                query.push_values(chunk, |mut tuple, item| {
                    tuple.push_bind(item.0).push_bind(campaign.0).push_bind(At(at)).push_bind(sealed);
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// How many removals of a campaign were told of as late, and how many of those before it was signed off.
    pub async fn late_told(&mut self, id: CampaignId) -> Result<(i64, i64), Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN sealed = TRUE THEN 1 END) FROM late_removals WHERE campaign_id = $1")
            .bind(id.0).fetch_one(c).await)?)
    }
}
