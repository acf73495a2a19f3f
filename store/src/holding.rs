//! What people do with what is held: hold back, let go on, mark as not to be renewed; and what a move brings forward.

use domain::{
    AccountId, EntitlementId, GrantId, PackageId, PersonId, Timestamp,
    grant::{EndReason, GrantSource, GrantState, SuspendCause},
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// What stands on a grant beside its state and its end.
    pub struct MarkRow {
        /// The grant.
        pub grant_id: GrantId,
        /// Since when it is held back.
        pub suspended_at: Option<Timestamp>,
        /// By whom.
        pub suspended_by: Option<PersonId>,
        /// Their name.
        pub suspended_by_name: Option<String>,
        /// What they wrote.
        pub suspend_note: Option<String>,
        /// Why.
        pub suspend_cause: Option<SuspendCause>,
        /// Since when the holder does not want it renewed.
        pub not_renewed_at: Option<Timestamp>,
        /// Why its end lies where it lies, if a move brought it forward.
        pub end_cause: Option<EndReason>,
    }

    /// One way in which a right of an account is held or will be.
    pub struct WayRow {
        /// The account.
        pub account_id: AccountId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// The grant.
        pub grant_id: GrantId,
        /// Its package.
        pub package_id: Option<PackageId>,
        /// The package's name.
        pub package_name: Option<String>,
        /// Where it comes from.
        pub source: GrantSource,
        /// Where it stands.
        pub state: GrantState,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
    }

    /// Who holds a person back, since when and why.
    pub struct HeldBackRow {
        /// Since when.
        pub at: Timestamp,
        /// By whom.
        pub by: PersonId,
        /// Their name.
        pub by_name: String,
        /// What they wrote.
        pub note: String,
    }

    /// How far the removals of a person's rights are.
    pub struct RemovalRow {
        /// Rights that nobody wants any more since the instant asked about.
        pub wanted: i64,
        /// Of those, removed at the target.
        pub removed: i64,
        /// Of those, read back as gone.
        pub gone: i64,
        /// Of those, stuck.
        pub stuck: i64,
    }

    /// What a person has to do with, in numbers.
    pub struct ReachRow {
        /// Grants that are not over.
        pub grants: i64,
        /// Rights that should be at a target now.
        pub rights: i64,
        /// Targets that these lie at.
        pub targets: i64,
        /// Requests by or for them that wait.
        pub waiting: i64,
        /// Decisions in which they are seated.
        pub seats: i64,
    }
}

impl Tx {
    /// What stands on these grants beside their state, in id order.
    pub async fn marks_of_grants(&mut self, ids: &[GrantId]) -> Result<Vec<MarkRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT g.id AS grant_id, g.suspended_at, g.suspended_by, n.name AS suspended_by_name, g.suspend_note,
                   g.suspend_cause, g.not_renewed_at, g.end_cause
                 FROM grants g LEFT JOIN persons n ON n.id = g.suspended_by WHERE g.id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Holds active grants back; of one that is held back already, says anew by whom and why.
    pub async fn suspend_grants(
        &mut self,
        ids: &[GrantId],
        at: Timestamp,
        by: PersonId,
        cause: SuspendCause,
        note: &str,
    ) -> Result<u64, Error> {
        if ids.is_empty() {
            return Ok(0);
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE grants SET state = 'suspended', version = version + 1, suspended_at = ");
            query.push_bind(At(at)).push(", suspended_by = ").push_bind(by.0).push(", suspend_cause = ")
                .push_bind(cause.as_str()).push(", suspend_note = ").push_bind(note.to_owned())
                .push(" WHERE state IN ('active', 'suspended') AND id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(id.0);
            }
            query.push(")");
            query.build().execute(c).await.map(|done| done.rows_affected())
        })?)
    }

    /// Lets grants go on that are held back.
    pub async fn resume_grants(&mut self, ids: &[GrantId], by: PersonId) -> Result<u64, Error> {
        if ids.is_empty() {
            return Ok(0);
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "UPDATE grants SET state = 'active', version = version + 1, suspended_at = NULL, suspended_by = NULL,
                   suspend_cause = NULL, suspend_note = NULL, resumed_by = ");
            query.push_bind(by.0).push(" WHERE state = 'suspended' AND id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(id.0);
            }
            query.push(")");
            query.build().execute(c).await.map(|done| done.rows_affected())
        })?)
    }

    /// Notes since when the holder does not want a grant renewed; none takes that back.
    pub async fn set_not_renewed(
        &mut self,
        id: GrantId,
        at: Option<Timestamp>,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE grants SET not_renewed_at = $2, version = version + 1 WHERE id = $1 AND state <> 'ended'")
            .bind(id.0).bind(at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes why the end of a grant lies where it lies; none for what was decided.
    pub async fn set_end_cause(
        &mut self,
        id: GrantId,
        cause: Option<EndReason>,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE grants SET end_cause = $2, version = version + 1 WHERE id = $1 AND state <> 'ended'")
            .bind(id.0).bind(cause.map(EndReason::as_str)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// All ways in which these rights are held or will be, soonest end first, those without an end last.
    pub async fn ways(
        &mut self,
        pairs: &[(AccountId, EntitlementId)],
    ) -> Result<Vec<WayRow>, Error> {
        let mut found = Vec::new();
        for chunk in pairs.chunks(300) {
            let rows: Vec<WayRow> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "SELECT e.account_id, e.entitlement_id, g.id AS grant_id, g.package_id, p.name AS package_name, g.source,
                       g.state, g.valid_from, g.end_at
                     FROM grant_entitlements e JOIN grants g ON g.id = e.grant_id LEFT JOIN packages p ON p.id = g.package_id
                     WHERE g.state <> 'ended' AND e.removed_at IS NULL AND (e.account_id, e.entitlement_id) IN (VALUES ");
                for (index, (account, entitlement)) in chunk.iter().enumerate() {
                    query.push(if index == 0 { "(" } else { ", (" }).push_bind(account.0).push(", ")
                        .push_bind(entitlement.0).push(")");
                }
                query.push(") ORDER BY e.account_id, e.entitlement_id, CASE WHEN g.end_at IS NULL THEN 1 ELSE 0 END, g.end_at, g.id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Those of these rights that a person owns.
    pub async fn rights_owned_by(
        &mut self,
        owner: PersonId,
        rights: &[EntitlementId],
    ) -> Result<Vec<EntitlementId>, Error> {
        let mut found = Vec::new();
        for chunk in rights.chunks(500) {
            let ids: Vec<uuid::Uuid> = on!(self, c => {
                let mut query = QueryBuilder::new("SELECT id FROM entitlements WHERE owner_id = ");
                query.push_bind(owner.0).push(" AND id IN (");
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(id.0);
                }
                query.push(") ORDER BY id");
                query.build_query_scalar().fetch_all(c).await
            })?;
            found.extend(ids.into_iter().map(EntitlementId));
        }
        Ok(found)
    }

    /// Holds a person back. False if they are already.
    pub async fn suspend_person(
        &mut self,
        id: PersonId,
        at: Timestamp,
        by: PersonId,
        note: &str,
    ) -> Result<bool, Error> {
        Ok(on!(self, c => sqlx::query(
            "UPDATE persons SET suspended_at = $2, suspended_by = $3, suspend_note = $4, version = version + 1
             WHERE id = $1 AND suspended_at IS NULL")
            .bind(id.0).bind(At(at)).bind(by.0).bind(note).execute(c).await.map(|done| done.rows_affected() > 0))?)
    }

    /// Lets a person go on. False if they are not held back.
    pub async fn resume_person(&mut self, id: PersonId, by: PersonId) -> Result<bool, Error> {
        Ok(on!(self, c => sqlx::query(
            "UPDATE persons SET suspended_at = NULL, suspended_by = NULL, suspend_note = NULL, suspended_fresh_id = NULL, resumed_by = $2,
               version = version + 1
             WHERE id = $1 AND suspended_at IS NOT NULL")
            .bind(id.0).bind(by.0).execute(c).await.map(|done| done.rows_affected() > 0))?)
    }

    /// Who holds a person back, if somebody does.
    pub async fn held_back(&mut self, id: PersonId) -> Result<Option<HeldBackRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT p.suspended_at AS at, p.suspended_by AS by, n.name AS by_name, COALESCE(p.suspend_note, '') AS note
             FROM persons p JOIN persons n ON n.id = p.suspended_by WHERE p.id = $1 AND p.suspended_at IS NOT NULL")
            .bind(id.0).fetch_optional(c).await)?)
    }

    /// How far the removals of a person's rights are that are no longer wanted since an instant.
    pub async fn removals_of(
        &mut self,
        person: PersonId,
        since: Timestamp,
    ) -> Result<RemovalRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(*) AS wanted,
               COUNT(CASE WHEN phase = 'settling' OR observed = 'absent' THEN 1 END) AS removed,
               COUNT(CASE WHEN phase = 'settled' AND observed = 'absent' THEN 1 END) AS gone,
               COUNT(CASE WHEN phase = 'attention' THEN 1 END) AS stuck
             FROM assignments WHERE person_id = $1 AND desired = FALSE AND desired_since >= $2")
            .bind(person.0).bind(At(since)).fetch_one(c).await)?)
    }

    /// What a person has to do with, in numbers.
    pub async fn reach_of(&mut self, person: PersonId) -> Result<ReachRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT
               (SELECT COUNT(*) FROM grants WHERE person_id = $1 AND state IN ('scheduled', 'active', 'suspended')) AS grants,
               (SELECT COUNT(*) FROM assignments WHERE person_id = $1 AND desired = TRUE) AS rights,
               (SELECT COUNT(DISTINCT target_id) FROM assignments WHERE person_id = $1 AND desired = TRUE) AS targets,
               (SELECT COUNT(*) FROM lines WHERE state = 'awaiting_approval' AND (asker_id = $1 OR beneficiary_id = $1)) AS waiting,
               (SELECT COUNT(DISTINCT stage_id) FROM seats WHERE person_id = $1) AS seats")
            .bind(person.0).fetch_one(c).await)?)
    }
}
