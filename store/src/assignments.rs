//! Assignments, the targets that they live at, and the evidence of every call made for them.

use domain::{
    AccountId, AssignmentId, EntitlementId, OperationId, PersonId, TargetId, Timestamp,
    assignment::{Claim, Closed, Observed, Origin, Phase, Standing},
    catalogue::ACCOUNT_LANE,
    grant::{End, GrantSource, GrantState},
    person::PortalRole,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Engine, Error, Tx};

row! {
    /// One (account, entitlement) pair: what should be, what is.
    pub struct AssignmentRow {
        /// Its id.
        pub id: AssignmentId,
        /// The account that the right goes to.
        pub account_id: AccountId,
        /// Whose account it is.
        pub person_id: PersonId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Where it lives.
        pub target_id: TargetId,
        /// The object that a write locks at the target.
        pub lane: String,
        /// Whether at least one unsuspended grant covers now.
        pub desired: bool,
        /// Whether only imports do.
        pub only_imports: bool,
        /// Since when it is desired or not.
        pub desired_since: Timestamp,
        /// What the target last told us; unknown from just before a write until a read may be trusted again.
        pub observed: Observed,
        /// When it told us.
        pub observed_at: Option<Timestamp>,
        /// Whose the right is, once known.
        pub origin: Option<Origin>,
        /// Where converging stands.
        pub phase: Phase,
        /// Reads since the last accepted write that did not agree.
        pub settle_reads: i64,
        /// Failures in a row.
        pub attempts: i64,
        /// When it is tried or read again.
        pub next_at: Option<Timestamp>,
        /// What is wrong, as JSON, if a person must look.
        pub problem: Option<String>,
        /// Until when the last addition may have been under way: its answer, or the longest that it may take if there was
        /// none.
        pub added_at: Option<Timestamp>,
        /// The same of the last removal. Of the two, the write that was sent later is the later one.
        pub removed_at: Option<Timestamp>,
        /// When the row last changed.
        pub updated_at: Timestamp,
        /// Counts changes.
        pub version: i64,
    }

    /// What an assignment is made from.
    pub struct PairRow {
        /// The account.
        pub account_id: AccountId,
        /// Whose it is.
        pub person_id: PersonId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Where it lives.
        pub target_id: TargetId,
        /// The object that a write locks there.
        pub lane: String,
        /// The target asked not to be called before.
        pub not_before: Option<Timestamp>,
        /// The portal role that it is, if it is one: its target is this database.
        pub portal_role: Option<PortalRole>,
        /// Whether a separation-of-duties rule in force speaks of the right.
        pub ruled: bool,
    }

    /// What an assignment is made from, with what one grant says of it.
    pub struct WishRow {
        /// The account.
        pub account_id: AccountId,
        /// Whose it is.
        pub person_id: PersonId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// See [`PairRow::target_id`].
        pub target_id: TargetId,
        /// See [`PairRow::lane`].
        pub lane: String,
        /// See [`PairRow::not_before`].
        pub not_before: Option<Timestamp>,
        /// See [`PairRow::portal_role`].
        pub portal_role: Option<PortalRole>,
        /// See [`PairRow::ruled`].
        pub ruled: bool,
        /// Where the grant stands; none where no grant says anything.
        pub state: Option<GrantState>,
        /// Where it comes from.
        pub source: Option<GrantSource>,
        /// Begins.
        pub valid_from: Option<Timestamp>,
        /// Ends.
        pub end_at: Option<Timestamp>,
        /// See [`ClaimRow::resumed`].
        pub resumed: bool,
    }

    /// One grant's say in an assignment.
    pub struct ClaimRow {
        /// The account.
        pub account_id: AccountId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Where the grant stands.
        pub state: GrantState,
        /// Where it comes from.
        pub source: GrantSource,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends.
        pub end_at: Option<Timestamp>,
        /// Whether somebody held it back and let it go on.
        pub resumed: bool,
    }

    /// What a connector needs to know of an assignment.
    pub struct PlaceRow {
        /// The assignment.
        pub id: AssignmentId,
        /// The person whose account it is.
        pub person_id: PersonId,
        /// The account.
        pub account_id: AccountId,
        /// The tenant that the account belongs to.
        pub tenant_id: Uuid,
        /// The account's id in the directory of the tenant, which never changes.
        pub object_id: Uuid,
        /// Its sign-in name there; a label that may change.
        pub user_name: String,
        /// Whether it can be signed in with: neither switched off nor deleted there.
        pub enabled: bool,
        /// The person's name.
        pub person_name: String,
        /// Their given name.
        pub given_name: String,
        /// Their address.
        pub mail: String,
        /// Their number in the company; empty if none is known.
        pub employee_id: String,
        /// The target.
        pub target_id: TargetId,
        /// The account's own id at the target, once it is known there.
        pub target_account: Option<String>,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Since when it is desired or not: with the assignment it names one wish of ours.
        pub desired_since: Timestamp,
        /// `group`, `app_role`, `licence`, `portal_role`, or what [`domain::catalogue::TargetKind::right`] says.
        pub kind: String,
        /// The right's id at the target.
        pub external_id: String,
        /// The right's name.
        pub name: String,
        /// Whether the target lets us write it.
        pub manageable: bool,
        /// Why not.
        pub unmanageable_reason: Option<String>,
    }

    /// A system that a connector reaches.
    pub struct TargetRow {
        /// Its id.
        pub id: TargetId,
        /// Its key.
        pub key: String,
        /// A word of [`domain::catalogue::TargetKind`], or `portal` for this database.
        pub kind: String,
        /// What people call it.
        pub name: String,
        /// The tenant, where it has one.
        pub tenant_id: Option<Uuid>,
        /// Whether an operator holds it.
        pub paused: bool,
        /// Not to be called before.
        pub not_before: Option<Timestamp>,
        /// What is wrong with the whole of it.
        pub problem: Option<String>,
        /// Since when.
        pub problem_at: Option<Timestamp>,
        /// When a call last succeeded.
        pub succeeded_at: Option<Timestamp>,
        /// Since when nothing is given there, because the database was restored.
        pub restored_at: Option<Timestamp>,
        /// Whether it is only looked at.
        pub shadow: bool,
    }

    /// A target that is not written as it should be.
    pub struct ClosedRow {
        /// Which.
        pub target_id: TargetId,
        /// Why.
        pub closed: Closed,
    }

    /// Evidence: one call made at a target.
    pub struct OperationRow {
        /// Its id.
        pub id: OperationId,
        /// For which assignment.
        pub assignment_id: AssignmentId,
        /// `read`, `add` or `remove`.
        pub kind: String,
        /// `present`, `absent`, `done`, `already`, `later`, `never` or `misconfigured`.
        pub outcome: String,
        /// HTTP status, if there was an answer.
        pub status: Option<i64>,
        /// The target's own id of the call.
        pub request_id: Option<String>,
        /// Our id of the call.
        pub client_request_id: Option<String>,
        /// What the target said, in short.
        pub detail: String,
        /// When it was sent.
        pub at: Timestamp,
        /// How long it took, in microseconds.
        pub took_us: i64,
    }

    /// How many assignments of a target stand where.
    pub struct PhaseCount {
        /// The target.
        pub target_id: TargetId,
        /// Where converging stands; never settled.
        pub phase: Phase,
        /// How many.
        pub assignments: i64,
    }
}

impl AssignmentRow {
    /// What [`domain::assignment::next_step`] looks at.
    pub fn standing(&self) -> Standing {
        Standing {
            desired: self.desired,
            only_imports: self.only_imports,
            observed: self.observed,
            origin: self.origin,
            settling: self.phase == Phase::Settling,
        }
    }
}

impl ClaimRow {
    /// As the rules see it. A scheduled grant counts only once its start was checked and it became active.
    pub fn claim(&self) -> Claim {
        Claim {
            from: self.valid_from,
            end: self.end_at.map_or(End::Permanent, End::At),
            counts: self.state == GrantState::Active,
            import: self.source == GrantSource::Import,
            resumed: self.resumed,
        }
    }
}

macro_rules! select_assignment {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.account_id, a.person_id, a.entitlement_id, a.target_id, a.lane, a.desired, a.only_imports,
             a.desired_since, a.observed, a.observed_at, a.origin, a.phase, a.settle_reads, a.attempts, a.next_at,
             a.problem, a.added_at, a.removed_at, a.updated_at, a.version FROM assignments a",
            $rest
        )
    };
}

macro_rules! select_target {
    ($rest:literal) => {
        concat!(
            "SELECT id, key, kind, name, tenant_id, paused, not_before, problem, problem_at, succeeded_at, restored_at,
             shadow FROM targets",
            $rest
        )
    };
}

/// Fills `IN (VALUES …)` with pairs and closes it.
macro_rules! pairs_in {
    ($query:expr, $pairs:expr) => {{
        for (index, (account, entitlement)) in $pairs.iter().enumerate() {
            $query
                .push(if index == 0 { "(" } else { ", (" })
                .push_bind(account.0)
                .push(", ")
                .push_bind(entitlement.0)
                .push(")");
        }
        $query.push(")");
    }};
}

/// Fills `IN (…)` with ids and closes it.
macro_rules! ids_in {
    ($query:expr, $ids:expr) => {{
        let mut list = $query.separated(", ");
        for id in $ids {
            list.push_bind(id.0);
        }
        $query.push(")");
    }};
}

impl Tx {
    /// An assignment.
    pub async fn assignment(&mut self, id: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_assignment!(" WHERE a.id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// These assignments, in id order.
    pub async fn assignments(&mut self, ids: &[AssignmentId]) -> Result<Vec<AssignmentRow>, Error> {
        self.assignments_by_ids(ids, "").await
    }

    /// These assignments, in id order, locked until commit.
    pub async fn lock_assignments(
        &mut self,
        ids: &[AssignmentId],
    ) -> Result<Vec<AssignmentRow>, Error> {
        let lock = self.for_update_assignments();
        self.assignments_by_ids(ids, lock).await
    }

    async fn assignments_by_ids(
        &mut self,
        ids: &[AssignmentId],
        lock: &'static str,
    ) -> Result<Vec<AssignmentRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_assignment!(" WHERE a.id IN ("));
            ids_in!(query, ids);
            query.push(" ORDER BY a.id").push(lock);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The assignments of an account, in id order.
    pub async fn assignments_of_account(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<AssignmentId>, Error> {
        let ids: Vec<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM assignments WHERE account_id = $1 ORDER BY id").bind(account.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(AssignmentId).collect())
    }

    /// The assignments of these pairs that exist, in id order, locked until commit.
    pub async fn lock_pairs(
        &mut self,
        pairs: &[(AccountId, EntitlementId)],
    ) -> Result<Vec<AssignmentRow>, Error> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let lock = self.for_update_assignments();
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                select_assignment!(" WHERE (a.account_id, a.entitlement_id) IN (VALUES "));
            pairs_in!(query, pairs);
            query.push(" ORDER BY a.id").push(lock);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    const fn for_update_assignments(&self) -> &'static str {
        match self.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE",
        }
    }

    /// What the assignments of these pairs are made from. A pair whose account or entitlement is unknown is left out.
    pub async fn pairs(
        &mut self,
        pairs: &[(AccountId, EntitlementId)],
    ) -> Result<Vec<PairRow>, Error> {
        Ok(self.wishes(pairs).await?.0)
    }

    /// What the assignments of these pairs are made from, as [`Tx::pairs`], with what the grants that are not over say of
    /// them, as [`Tx::claims`], in one statement.
    pub async fn wishes(
        &mut self,
        pairs: &[(AccountId, EntitlementId)],
    ) -> Result<(Vec<PairRow>, Vec<ClaimRow>), Error> {
        if pairs.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let rows: Vec<WishRow> = on!(self, c => {
            let mut query = QueryBuilder::new("WITH wanted (account_id, entitlement_id) AS (VALUES ");
            pairs_in!(query, pairs);
            query.push(
                " SELECT w.account_id, p.person_id, w.entitlement_id, e.target_id, e.lane, t.not_before,
                   CASE WHEN e.kind = 'portal_role' THEN e.external_id END AS portal_role,
                   EXISTS (SELECT 1 FROM conflict_rights r JOIN conflicts k ON k.id = r.conflict_id
                     WHERE k.retired = FALSE AND r.entitlement_id = w.entitlement_id) AS ruled,
                   g.state, g.source, g.valid_from, g.end_at, (g.resumed_by IS NOT NULL) AS resumed
                 FROM wanted w
                 JOIN accounts p ON p.id = w.account_id
                 JOIN entitlements e ON e.id = w.entitlement_id
                 JOIN targets t ON t.id = e.target_id
                 LEFT JOIN grant_entitlements x ON x.account_id = w.account_id AND x.entitlement_id = w.entitlement_id
                   AND x.removed_at IS NULL
                 LEFT JOIN grants g ON g.id = x.grant_id AND g.state <> 'ended'
                 ORDER BY w.account_id, w.entitlement_id, g.id NULLS FIRST");
            query.build_query_as().fetch_all(c).await
        })?;
        let (mut pairs, mut claims): (Vec<PairRow>, Vec<ClaimRow>) = (Vec::new(), Vec::new());
        for row in rows {
            let (account_id, entitlement_id) = (row.account_id, row.entitlement_id);
            if let (Some(state), Some(source), Some(valid_from)) =
                (row.state, row.source, row.valid_from)
            {
                claims.push(ClaimRow {
                    account_id,
                    entitlement_id,
                    state,
                    source,
                    valid_from,
                    end_at: row.end_at,
                    resumed: row.resumed,
                });
            }
            let known = pairs.last().is_some_and(|last| {
                (last.account_id, last.entitlement_id) == (account_id, entitlement_id)
            });
            if !known {
                pairs.push(PairRow {
                    account_id,
                    person_id: row.person_id,
                    entitlement_id,
                    target_id: row.target_id,
                    // A licence's write locks the account that it goes to.
                    lane: if row.lane == ACCOUNT_LANE {
                        format!("{ACCOUNT_LANE}:{account_id}")
                    } else {
                        row.lane
                    },
                    not_before: row.not_before,
                    portal_role: row.portal_role,
                    ruled: row.ruled,
                });
            }
        }
        Ok((pairs, claims))
    }

    /// What the grants that are not over say of these pairs.
    pub async fn claims(
        &mut self,
        pairs: &[(AccountId, EntitlementId)],
    ) -> Result<Vec<ClaimRow>, Error> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT e.account_id, e.entitlement_id, g.state, g.source, g.valid_from, g.end_at,
                   (g.resumed_by IS NOT NULL) AS resumed
                 FROM grant_entitlements e JOIN grants g ON g.id = e.grant_id
                 WHERE g.state <> 'ended' AND e.removed_at IS NULL AND (e.account_id, e.entitlement_id) IN (VALUES ");
            pairs_in!(query, pairs);
            query.push(" ORDER BY e.account_id, e.entitlement_id, g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The grant of this pair that ended last, if one ended.
    pub async fn last_ended_grant(
        &mut self,
        account: AccountId,
        entitlement: EntitlementId,
    ) -> Result<Option<crate::grants::GrantRow>, Error> {
        let id: Option<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT g.id FROM grant_entitlements e JOIN grants g ON g.id = e.grant_id
             WHERE e.account_id = $1 AND e.entitlement_id = $2 AND g.state = 'ended'
             ORDER BY g.ended_at DESC, g.id DESC LIMIT 1")
            .bind(account.0).bind(entitlement.0).fetch_optional(c).await)?;
        match id {
            Some(id) => self.grant(id.into()).await,
            None => Ok(None),
        }
    }

    /// Writes assignments whole, new or known. The caller holds their locks.
    pub async fn save_assignments(&mut self, rows: &[AssignmentRow]) -> Result<(), Error> {
        for chunk in rows.chunks(300) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO assignments (id, account_id, person_id, entitlement_id, target_id, lane, desired,
                       only_imports, desired_since, observed, observed_at, origin, phase, settle_reads, attempts, next_at,
                       problem, added_at, removed_at, updated_at, version) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.id.0).push_bind(row.account_id.0).push_bind(row.person_id.0)
                        .push_bind(row.entitlement_id.0).push_bind(row.target_id.0).push_bind(row.lane.clone())
                        .push_bind(row.desired).push_bind(row.only_imports).push_bind(At(row.desired_since))
                        .push_bind(row.observed.as_str()).push_bind(row.observed_at.map(At))
                        .push_bind(row.origin.map(Origin::as_str)).push_bind(row.phase.as_str())
                        .push_bind(row.settle_reads).push_bind(row.attempts).push_bind(row.next_at.map(At))
                        .push_bind(row.problem.clone()).push_bind(row.added_at.map(At))
                        .push_bind(row.removed_at.map(At)).push_bind(At(row.updated_at)).push_bind(row.version);
                });
                query.push(
                    " ON CONFLICT (id) DO UPDATE SET lane = excluded.lane, desired = excluded.desired,
                      only_imports = excluded.only_imports, desired_since = excluded.desired_since,
                      observed = excluded.observed, observed_at = excluded.observed_at, origin = excluded.origin,
                      phase = excluded.phase, settle_reads = excluded.settle_reads, attempts = excluded.attempts,
                      next_at = excluded.next_at, problem = excluded.problem, added_at = excluded.added_at,
                      removed_at = excluded.removed_at, updated_at = excluded.updated_at,
                      version = assignments.version + 1");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// What a connector needs to know of these assignments.
    pub async fn places(&mut self, ids: &[AssignmentId]) -> Result<Vec<PlaceRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT a.id, a.person_id, a.account_id, p.tenant_id, p.object_id, p.user_name,
                   (p.enabled = TRUE AND p.deleted = FALSE) AS enabled,
                   n.name AS person_name, n.given_name, n.mail, n.employee_id, a.target_id, t.external_id AS target_account,
                   a.entitlement_id, a.desired_since, e.kind, e.external_id, e.name, e.manageable, e.unmanageable_reason
                 FROM assignments a JOIN accounts p ON p.id = a.account_id JOIN persons n ON n.id = a.person_id
                 JOIN entitlements e ON e.id = a.entitlement_id
                 LEFT JOIN target_accounts t ON t.target_id = a.target_id AND t.account_id = a.account_id
                 WHERE a.id IN (");
            ids_in!(query, ids);
            query.push(" ORDER BY a.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Unsettled assignments after `after`, in id order, that no job works on; not those that wait for a person because they
    /// were taken away out of band.
    pub async fn unsettled_without_job(
        &mut self,
        after: AssignmentId,
        limit: i64,
    ) -> Result<Vec<AssignmentRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_assignment!(
            " WHERE a.phase <> 'settled' AND a.id > $1
                AND NOT EXISTS (SELECT 1 FROM entitlements e WHERE e.id = a.entitlement_id AND e.kind = 'portal_role')
                AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.subject = a.id)
                AND NOT EXISTS (SELECT 1 FROM vanished v WHERE v.assignment_id = a.id AND a.desired = TRUE AND a.phase = 'attention'
                  AND a.next_at IS NULL AND v.withheld_at >= a.desired_since)
              ORDER BY a.id LIMIT $2")).bind(after.0).bind(limit).fetch_all(c).await)?)
    }

    /// Unsettled assignments of a target after `after`, in id order; not those that wait for a person because they were taken
    /// away out of band.
    pub async fn unsettled_of_target(
        &mut self,
        target: TargetId,
        after: AssignmentId,
        limit: i64,
    ) -> Result<Vec<AssignmentRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_assignment!(
            " WHERE a.target_id = $1 AND a.phase <> 'settled' AND a.id > $2
                AND NOT EXISTS (SELECT 1 FROM vanished v WHERE v.assignment_id = a.id AND a.desired = TRUE AND a.phase = 'attention'
                  AND a.next_at IS NULL AND v.withheld_at >= a.desired_since)
              ORDER BY a.id LIMIT $3"))
            .bind(target.0).bind(after.0).bind(limit).fetch_all(c).await)?)
    }

    /// How many assignments of each target are not settled, by phase.
    pub async fn unsettled_counts(&mut self) -> Result<Vec<PhaseCount>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT target_id, phase, COUNT(*) AS assignments FROM assignments WHERE phase <> 'settled'
             GROUP BY target_id, phase ORDER BY target_id, phase").fetch_all(c).await)?)
    }

    /// Keeps evidence.
    pub async fn insert_operations(&mut self, rows: &[OperationRow]) -> Result<(), Error> {
        for chunk in rows.chunks(500) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO operations (id, assignment_id, kind, outcome, status, request_id, client_request_id,
                       detail, at, took_us) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.id.0).push_bind(row.assignment_id.0).push_bind(row.kind.clone())
                        .push_bind(row.outcome.clone()).push_bind(row.status).push_bind(row.request_id.clone())
                        .push_bind(row.client_request_id.clone()).push_bind(row.detail.clone())
                        .push_bind(At(row.at)).push_bind(row.took_us);
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// The calls made for an assignment, newest first.
    pub async fn operations_of(
        &mut self,
        assignment: AssignmentId,
        limit: i64,
    ) -> Result<Vec<OperationRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, assignment_id, kind, outcome, status, request_id, client_request_id, detail, at, took_us
             FROM operations WHERE assignment_id = $1 ORDER BY at DESC, id DESC LIMIT $2")
            .bind(assignment.0).bind(limit).fetch_all(c).await)?)
    }

    /// Every target, by key.
    pub async fn targets(&mut self) -> Result<Vec<TargetRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_target!(" ORDER BY key")).fetch_all(c).await)?)
    }

    /// A target.
    pub async fn target(&mut self, id: TargetId) -> Result<Option<TargetRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_target!(" WHERE id = $1")).bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The targets at which changes wait, and why; almost always none.
    pub async fn closed_targets(&mut self) -> Result<Vec<ClosedRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id AS target_id, CASE WHEN shadow = TRUE THEN 'shadow' ELSE 'restored' END AS closed FROM targets
             WHERE shadow = TRUE OR restored_at IS NOT NULL ORDER BY id").fetch_all(c).await)?)
    }

    /// Says whether a target is only looked at. False if it already stood so.
    pub async fn set_target_shadow(&mut self, id: TargetId, shadow: bool) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query("UPDATE targets SET shadow = $2 WHERE id = $1 AND shadow <> $2")
            .bind(id.0).bind(shadow).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Makes a target that the configuration names, or gives the known one its name. False if there was nothing to change.
    pub async fn configure_target(
        &mut self,
        id: TargetId,
        key: &str,
        kind: &str,
        name: &str,
    ) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query(
            "INSERT INTO targets (id, key, kind, name) VALUES ($1, $2, $3, $4)
             ON CONFLICT (key) DO UPDATE SET name = excluded.name WHERE targets.name <> excluded.name")
            .bind(id.0).bind(key).bind(kind).bind(name).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Notes which account of a target belongs to an account of ours, as the target's own id says it. False if that id
    /// belongs to another account of ours already.
    pub async fn save_target_account(
        &mut self,
        target: TargetId,
        account: AccountId,
        external_id: &str,
        user_name: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let taken: Option<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT account_id FROM target_accounts WHERE target_id = $1 AND external_id = $2 AND account_id <> $3")
            .bind(target.0).bind(external_id).bind(account.0).fetch_optional(c).await)?;
        if taken.is_some() {
            return Ok(false);
        }
        on!(self, c => sqlx::query(
            "INSERT INTO target_accounts (target_id, account_id, external_id, user_name, seen_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (target_id, account_id) DO UPDATE SET external_id = excluded.external_id,
               user_name = excluded.user_name, seen_at = excluded.seen_at")
            .bind(target.0).bind(account.0).bind(external_id).bind(user_name).bind(At(now)).execute(c).await.map(drop))?;
        Ok(true)
    }

    /// Keeps that a receiver's message was taken. False if it was taken before.
    pub async fn insert_callback(
        &mut self,
        target: TargetId,
        message: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let fresh = on!(self, c => sqlx::query(
            "INSERT INTO callbacks (target_id, message, taken_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(target.0).bind(message).bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(fresh == 1)
    }

    /// Forgets messages that were taken before an instant: by then their timestamps are refused. Gives how many.
    pub async fn forget_callbacks(&mut self, before: Timestamp) -> Result<u64, Error> {
        Ok(
            on!(self, c => sqlx::query("DELETE FROM callbacks WHERE taken_at < $1")
            .bind(At(before)).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }

    /// Holds a target or lets it go on. False if it already stood so.
    pub async fn set_target_paused(&mut self, id: TargetId, paused: bool) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query("UPDATE targets SET paused = $2 WHERE id = $1 AND paused <> $2")
            .bind(id.0).bind(paused).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Notes that a target must not be called before `not_before`, and why. A later instant that another replica noted
    /// stays.
    pub async fn set_target_problem(
        &mut self,
        id: TargetId,
        not_before: Timestamp,
        problem: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE targets SET not_before = CASE WHEN not_before > $2 THEN not_before ELSE $2 END, problem = $3,
               problem_at = CASE WHEN problem IS NULL THEN $4 ELSE problem_at END WHERE id = $1")
            .bind(id.0).bind(At(not_before)).bind(problem).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Lets a target be called again at once; what is wrong with it stays noted until a call succeeds.
    pub async fn lift_target(&mut self, id: TargetId) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE targets SET not_before = NULL WHERE id = $1 AND not_before IS NOT NULL")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a call at a target succeeded, which ends whatever was wrong with the whole of it.
    pub async fn set_target_succeeded(
        &mut self,
        id: TargetId,
        now: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE targets SET not_before = NULL, problem = NULL, problem_at = NULL, succeeded_at = $2 WHERE id = $1")
            .bind(id.0).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }
}
