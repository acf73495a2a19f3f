//! Scans of targets: the newest pass over each, what it said of each right, and what stands there that no grant explains.

use domain::{
    AccountId, AssignmentId, EntitlementId, PersonId, TargetId, Timestamp,
    assignment::{Observed, Phase},
    drift::{Drift, Stop},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// The newest pass over a target.
    pub struct ScanRow {
        /// The target.
        pub target_id: TargetId,
        /// When it began.
        pub begun_at: Timestamp,
        /// When it ended; none while it is under way.
        pub ended_at: Option<Timestamp>,
        /// Why it could not be done, or not whole.
        pub problem: Option<String>,
    }

    /// A right that a pass looks at.
    pub struct ScanRightRow {
        /// Which.
        pub id: EntitlementId,
        /// Where it lives.
        pub target_id: TargetId,
        /// What it is there.
        pub kind: String,
        /// The target's own id.
        pub external_id: String,
        /// Its name.
        pub name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// The control regime that it falls under.
        pub control_scope: Option<String>,
        /// Who decides on findings about it.
        pub owner_id: Option<PersonId>,
        /// What becomes of it where somebody gives it out of band.
        pub drift: Drift,
    }

    /// What the newest pass said of a right.
    pub struct ScannedRow {
        /// Which.
        pub entitlement_id: EntitlementId,
        /// When.
        pub scanned_at: Timestamp,
        /// Whom the target lists.
        pub listed: i64,
        /// Who holds it as far as the portal knew.
        pub believed: i64,
        /// Who holds it and no grant explains it.
        pub given: i64,
        /// From whom it was taken away out of band.
        pub vanished: i64,
        /// How much would change.
        pub changes: i64,
        /// Why nothing was changed.
        pub stopped: Option<Stop>,
        /// What the target said, or whom the listing lacked.
        pub detail: String,
        /// How many changes an operator lets through the next time.
        pub allowed: i64,
        /// Which operator.
        pub allowed_by: Option<PersonId>,
        /// The hash over whom the target lists; empty where it did not.
        pub listing_hash: String,
    }

    /// What is believed of one account and a right.
    pub struct BelievedRow {
        /// The assignment.
        pub id: AssignmentId,
        /// The account.
        pub account_id: AccountId,
        /// Whose.
        pub person_id: PersonId,
        /// The account's id in the directory of the tenant.
        pub object_id: Uuid,
        /// The account's own id at the target, once it is known.
        pub target_account: Option<String>,
        /// Whether the account can be signed in with.
        pub usable: bool,
        /// Whether a grant wants it.
        pub desired: bool,
        /// Whether only imports do.
        pub only_imports: bool,
        /// Since when it is wanted or not.
        pub desired_since: Timestamp,
        /// What the target last told.
        pub observed: Observed,
        /// When it told.
        pub observed_at: Option<Timestamp>,
        /// Where converging stands.
        pub phase: Phase,
        /// When it was last added.
        pub added_at: Option<Timestamp>,
        /// When it was last removed.
        pub removed_at: Option<Timestamp>,
        /// When it was put back after it had vanished.
        pub put_back_at: Option<Timestamp>,
        /// Whether it vanished and is not put back by itself.
        pub withheld: bool,
    }

    /// An account of ours that a target's own id belongs to.
    pub struct KnownRow {
        /// The account.
        pub account_id: AccountId,
        /// Whose.
        pub person_id: PersonId,
        /// Its id in the directory of the tenant.
        pub object_id: Uuid,
        /// Its own id at the target, where it was asked for by that.
        pub target_account: Option<String>,
    }

    /// Somebody who holds a right that no grant explains.
    pub struct DriftRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// The target's own id of the account.
        pub holder: String,
        /// The account, if it is one of ours.
        pub account_id: Option<AccountId>,
        /// Whose.
        pub person_id: Option<PersonId>,
        /// Since when it is known.
        pub found_at: Timestamp,
    }

    /// A right of somebody's account that stands otherwise at the target than grants say.
    pub struct AstrayRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// The account.
        pub account_id: AccountId,
        /// Whose.
        pub person_id: PersonId,
        /// Who decides on findings about the right.
        pub owner_id: Option<PersonId>,
    }
}

/// The kinds of right that a scan looks at.
macro_rules! scanned_kinds {
    () => {
        "('group', 'app_role', 'licence', 'scim_group', 'ldap_group', 'webhook_right')"
    };
}
pub(crate) use scanned_kinds;

/// Fills `IN (…)` with what is bound and closes it.
macro_rules! bound_in {
    ($query:expr, $bound:expr) => {{
        let mut list = $query.separated(", ");
        for one in $bound {
            list.push_bind(one);
        }
        $query.push(")");
    }};
}

/// Whether what vanished is withheld: it waits for a person since it was last wanted anew, and no job works on it.
macro_rules! withheld {
    () => {
        "(a.desired = TRUE AND a.phase = 'attention' AND a.next_at IS NULL AND v.withheld_at IS NOT NULL
            AND v.withheld_at >= a.desired_since)"
    };
}

impl Tx {
    /// The newest pass over a target.
    pub async fn scan(&mut self, target: TargetId) -> Result<Option<ScanRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT target_id, begun_at, ended_at, problem FROM scans WHERE target_id = $1")
            .bind(target.0).fetch_optional(c).await)?)
    }

    /// Writes where the newest pass over a target stands.
    pub async fn save_scan(&mut self, row: &ScanRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO scans (target_id, begun_at, ended_at, problem) VALUES ($1, $2, $3, $4)
             ON CONFLICT (target_id) DO UPDATE SET begun_at = excluded.begun_at, ended_at = excluded.ended_at,
               problem = excluded.problem")
            .bind(row.target_id.0).bind(At(row.begun_at)).bind(row.ended_at.map(At)).bind(&row.problem)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// The catalogue's rights at a target that were not looked at since `begun`, in id order.
    pub async fn rights_to_scan(
        &mut self,
        target: TargetId,
        begun: Timestamp,
        limit: i64,
    ) -> Result<Vec<ScanRightRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT e.id, e.target_id, e.kind, e.external_id, e.name, e.privileged, e.control_scope, e.owner_id, e.drift
             FROM entitlements e LEFT JOIN scanned_rights r ON r.entitlement_id = e.id
             WHERE e.target_id = $1 AND e.application_id IS NOT NULL AND e.manageable = TRUE
               AND e.kind IN ", scanned_kinds!(), "
               AND (r.scanned_at IS NULL OR r.scanned_at < $2)
             ORDER BY e.id LIMIT $3"))
            .bind(target.0).bind(At(begun)).bind(limit).fetch_all(c).await)?)
    }

    /// Where a right lives.
    pub async fn scan_target(&mut self, right: EntitlementId) -> Result<Option<TargetId>, Error> {
        let id: Option<Uuid> = on!(self, c => sqlx::query_scalar("SELECT target_id FROM entitlements WHERE id = $1")
            .bind(right.0).fetch_optional(c).await)?;
        Ok(id.map(TargetId))
    }

    /// What the newest pass said of a right.
    pub async fn scanned(&mut self, right: EntitlementId) -> Result<Option<ScannedRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT entitlement_id, scanned_at, listed, believed, given, vanished, changes, stopped, detail, allowed, allowed_by, listing_hash
             FROM scanned_rights WHERE entitlement_id = $1")
            .bind(right.0).fetch_optional(c).await)?)
    }

    /// Writes what a pass said of a right.
    pub async fn save_scanned(&mut self, row: &ScannedRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO scanned_rights (entitlement_id, scanned_at, listed, believed, given, vanished, changes, stopped,
               detail, allowed, allowed_by, listing_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (entitlement_id) DO UPDATE SET scanned_at = excluded.scanned_at, listed = excluded.listed,
               believed = excluded.believed, given = excluded.given, vanished = excluded.vanished,
               changes = excluded.changes, stopped = excluded.stopped, detail = excluded.detail,
               allowed = excluded.allowed, allowed_by = excluded.allowed_by, listing_hash = excluded.listing_hash")
            .bind(row.entitlement_id.0).bind(At(row.scanned_at)).bind(row.listed).bind(row.believed).bind(row.given)
            .bind(row.vanished).bind(row.changes).bind(row.stopped.map(Stop::as_str)).bind(&row.detail)
            .bind(row.allowed).bind(row.allowed_by.map(|id| id.0)).bind(&row.listing_hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What is believed of a right, account by account, after `after` in id order.
    pub async fn believed(
        &mut self,
        right: EntitlementId,
        after: AssignmentId,
        limit: i64,
    ) -> Result<Vec<BelievedRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT a.id, a.account_id, a.person_id, p.object_id, t.external_id AS target_account,
               (p.enabled = TRUE AND p.deleted = FALSE) AS usable, a.desired, a.only_imports, a.desired_since, a.observed,
               a.observed_at, a.phase, a.added_at, a.removed_at, v.put_back_at, COALESCE(", withheld!(), ", FALSE) AS withheld
             FROM assignments a JOIN accounts p ON p.id = a.account_id
             LEFT JOIN target_accounts t ON t.target_id = a.target_id AND t.account_id = a.account_id
             LEFT JOIN vanished v ON v.assignment_id = a.id
             WHERE a.entitlement_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3"))
            .bind(right.0).bind(after.0).bind(limit).fetch_all(c).await)?)
    }

    /// The accounts of ours with these ids in the directory of a tenant, or of any tenant.
    pub async fn accounts_by_object(
        &mut self,
        tenant: Option<Uuid>,
        ids: &[Uuid],
    ) -> Result<Vec<KnownRow>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let rows: Vec<KnownRow> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "SELECT id AS account_id, person_id, object_id, CAST(NULL AS TEXT) AS target_account FROM accounts WHERE ");
                if let Some(tenant) = tenant {
                    query.push("tenant_id = ").push_bind(tenant).push(" AND ");
                }
                query.push("object_id IN (");
                bound_in!(query, chunk.iter().copied());
                query.push(" ORDER BY id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// The accounts of ours that these own ids of a target belong to.
    pub async fn accounts_at_target(
        &mut self,
        target: TargetId,
        ids: &[String],
    ) -> Result<Vec<KnownRow>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let rows: Vec<KnownRow> = on!(self, c => {
                let mut query = QueryBuilder::new(
                    "SELECT p.id AS account_id, p.person_id, p.object_id, t.external_id AS target_account
                     FROM target_accounts t JOIN accounts p ON p.id = t.account_id WHERE t.target_id = ");
                query.push_bind(target.0).push(" AND t.external_id IN (");
                bound_in!(query, chunk.iter().cloned());
                query.push(" ORDER BY p.id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Who holds a right that no grant explains, as the newest pass saw it.
    pub async fn drift_of(&mut self, right: EntitlementId) -> Result<Vec<DriftRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT entitlement_id, holder, account_id, person_id, found_at FROM drift WHERE entitlement_id = $1
             ORDER BY found_at, account_id IS NULL, account_id, holder").bind(right.0).fetch_all(c).await)?)
    }

    /// Keeps who holds a right that no grant explains; who is known already stays as they were found.
    pub async fn insert_drift(&mut self, rows: &[DriftRow]) -> Result<(), Error> {
        for chunk in rows.chunks(300) {
            on!(self, c => {
                let mut query = QueryBuilder::new("INSERT INTO drift (entitlement_id, holder, account_id, person_id, found_at) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.entitlement_id.0).push_bind(row.holder.clone())
                        .push_bind(row.account_id.map(|id| id.0)).push_bind(row.person_id.map(|id| id.0))
                        .push_bind(At(row.found_at));
                });
                query.push(
                    " ON CONFLICT (entitlement_id, holder) DO UPDATE SET account_id = excluded.account_id,
                        person_id = excluded.person_id");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Forgets who holds a right no more, or has it explained by now.
    pub async fn delete_drift(
        &mut self,
        right: EntitlementId,
        holders: &[String],
    ) -> Result<(), Error> {
        for chunk in holders.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new("DELETE FROM drift WHERE entitlement_id = ");
                query.push_bind(right.0).push(" AND holder IN (");
                bound_in!(query, chunk.iter().cloned());
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// What these people hold that no grant explains: not what was taken away since, or is wanted by now.
    pub async fn drift_of_people(&mut self, people: &[PersonId]) -> Result<Vec<AstrayRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT d.entitlement_id, d.account_id, d.person_id, e.owner_id FROM drift d
                 JOIN entitlements e ON e.id = d.entitlement_id
                 WHERE NOT EXISTS (SELECT 1 FROM assignments a WHERE a.account_id = d.account_id
                     AND a.entitlement_id = d.entitlement_id
                     AND (a.desired = TRUE OR (a.observed = 'absent' AND a.observed_at > d.found_at)))
                   AND d.person_id IN (");
            bound_in!(query, people.iter().map(|id| id.0));
            query.push(" ORDER BY d.person_id, d.entitlement_id, d.account_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What was taken away from these people out of band and is not put back by itself.
    pub async fn withheld_of_people(
        &mut self,
        people: &[PersonId],
    ) -> Result<Vec<AstrayRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(concat!(
                "SELECT a.entitlement_id, a.account_id, a.person_id, e.owner_id FROM vanished v
                 JOIN assignments a ON a.id = v.assignment_id JOIN entitlements e ON e.id = a.entitlement_id
                 WHERE ", withheld!(), " AND a.person_id IN ("));
            bound_in!(query, people.iter().map(|id| id.0));
            query.push(" ORDER BY a.person_id, a.entitlement_id, a.account_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Notes that a right which had vanished is put back.
    pub async fn set_put_back(&mut self, id: AssignmentId, now: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO vanished (assignment_id, put_back_at) VALUES ($1, $2)
             ON CONFLICT (assignment_id) DO UPDATE SET put_back_at = excluded.put_back_at, withheld_at = NULL")
            .bind(id.0).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a right which had vanished is not put back by itself.
    pub async fn set_withheld(&mut self, id: AssignmentId, now: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO vanished (assignment_id, withheld_at) VALUES ($1, $2)
             ON CONFLICT (assignment_id) DO UPDATE SET withheld_at = excluded.withheld_at")
            .bind(id.0).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }
}
