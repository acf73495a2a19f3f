//! Assignments in lists: what needs attention, what is under way, what was called.

use domain::{
    AccountId, AssignmentId, EntitlementId, OperationId, PersonId, TargetId, Timestamp,
    assignment::{Closed, Observed, Phase},
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// How a target fares.
    pub struct TargetHealthRow {
        /// Which.
        pub id: TargetId,
        /// Its name.
        pub name: String,
        /// `graph`.
        pub kind: String,
        /// Whether a person paused it.
        pub paused: bool,
        /// Not to be called before.
        pub not_before: Option<Timestamp>,
        /// What is wrong now.
        pub problem: Option<String>,
        /// Since when.
        pub problem_at: Option<Timestamp>,
        /// When a call last succeeded.
        pub succeeded_at: Option<Timestamp>,
        /// Changes to send, up to the cap.
        pub due: i64,
        /// Changes to confirm, up to the cap.
        pub settling: i64,
        /// Changes that need a person, up to the cap.
        pub attention: i64,
        /// Since when the oldest waits.
        pub oldest: Option<Timestamp>,
        /// Why changes there wait, if they do.
        pub closed: Option<Closed>,
    }

    /// What waits at one target.
    pub struct WaitingCountRow {
        /// What should be there.
        pub additions: i64,
        /// What should not.
        pub removals: i64,
    }

    /// One assignment with names, and its last call that did not succeed.
    pub struct UnsettledRow {
        /// Which.
        pub id: AssignmentId,
        /// Whose.
        pub person_id: PersonId,
        /// Their name.
        pub person_name: String,
        /// The account.
        pub account_id: AccountId,
        /// Its sign-in name.
        pub account_name: String,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Its name.
        pub entitlement_name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// The target.
        pub target_id: TargetId,
        /// Its name.
        pub target_name: String,
        /// Whether it should be there.
        pub desired: bool,
        /// Since when.
        pub desired_since: Timestamp,
        /// What the target last told us.
        pub observed: Observed,
        /// When it told us.
        pub observed_at: Option<Timestamp>,
        /// Where converging stands.
        pub phase: Phase,
        /// Failures in a row.
        pub attempts: i64,
        /// What is wrong.
        pub problem: Option<String>,
        /// When it is tried again.
        pub next_at: Option<Timestamp>,
        /// The last call.
        pub call_id: Option<OperationId>,
        /// The target's own id of it.
        pub call_request_id: Option<String>,
        /// What the target said.
        pub call_detail: Option<String>,
    }

    /// One of the newest calls.
    pub struct RecentRow {
        /// The call.
        pub id: OperationId,
        /// The assignment.
        pub assignment_id: AssignmentId,
        /// `read`, `add` or `remove`.
        pub kind: String,
        /// What came of it.
        pub outcome: String,
        /// The HTTP status.
        pub status: Option<i64>,
        /// The target's own id of the call.
        pub request_id: Option<String>,
        /// The id that we sent.
        pub client_request_id: Option<String>,
        /// What the target said.
        pub detail: String,
        /// When.
        pub at: Timestamp,
        /// How long it took, in microseconds.
        pub took_us: i64,
        /// Whose.
        pub person_id: PersonId,
        /// Their name.
        pub person_name: String,
        /// The right's name.
        pub entitlement_name: String,
        /// The target's name.
        pub target_name: String,
    }
}

macro_rules! unsettled_select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.person_id, n.name AS person_name, s.account_id, c.user_name AS account_name, s.entitlement_id,
               e.name AS entitlement_name, e.privileged, s.target_id, t.name AS target_name, s.desired, s.desired_since,
               s.observed, s.observed_at, s.phase, s.attempts, s.problem, s.next_at,
               o.id AS call_id, o.request_id AS call_request_id, o.detail AS call_detail
             FROM assignments s JOIN persons n ON n.id = s.person_id JOIN accounts c ON c.id = s.account_id
             JOIN entitlements e ON e.id = s.entitlement_id JOIN targets t ON t.id = s.target_id
             LEFT JOIN operations o ON o.id = (SELECT x.id FROM operations x WHERE x.assignment_id = s.id
               ORDER BY x.at DESC, x.id DESC LIMIT 1)",
            $rest
        )
    };
}

impl Tx {
    /// All targets with how they fare, counted up to `cap`.
    pub async fn target_health(&mut self, cap: i64) -> Result<Vec<TargetHealthRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT t.id, t.name, t.kind, t.paused, t.not_before, t.problem, t.problem_at, t.succeeded_at,
               (SELECT COUNT(*) FROM (SELECT 1 FROM assignments s WHERE s.target_id = t.id AND s.phase = 'due'
                  AND s.phase <> 'settled' LIMIT $1) AS x) AS due,
               (SELECT COUNT(*) FROM (SELECT 1 FROM assignments s WHERE s.target_id = t.id AND s.phase = 'settling'
                  AND s.phase <> 'settled' LIMIT $1) AS y) AS settling,
               (SELECT COUNT(*) FROM (SELECT 1 FROM assignments s WHERE s.target_id = t.id AND s.phase = 'attention'
                  AND s.phase <> 'settled' LIMIT $1) AS z) AS attention,
               (SELECT MIN(s.desired_since) FROM assignments s WHERE s.target_id = t.id AND s.phase <> 'settled') AS oldest,
               CASE WHEN t.shadow = TRUE THEN 'shadow' WHEN t.restored_at IS NOT NULL THEN 'restored' END AS closed
             FROM targets t ORDER BY t.name, t.id")
            .bind(cap).fetch_all(c).await)?)
    }

    /// A page of the assignments that need a person, longest first.
    pub async fn attention(
        &mut self,
        after: Option<(Timestamp, AssignmentId)>,
        limit: i64,
    ) -> Result<Vec<UnsettledRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(unsettled_select!(" WHERE s.phase = 'attention'"));
            if let Some((at, id)) = after {
                query.push(" AND (s.desired_since, s.id) > (").push_bind(At(at)).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY s.desired_since, s.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The assignments of a target that are under way and need nobody, longest first.
    pub async fn under_way(
        &mut self,
        target: TargetId,
        limit: i64,
    ) -> Result<Vec<UnsettledRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(unsettled_select!(
            " WHERE s.target_id = $1 AND s.phase <> 'settled' AND s.phase <> 'attention'
              ORDER BY s.desired_since, s.id LIMIT $2")).bind(target.0).bind(limit).fetch_all(c).await)?)
    }

    /// A page of what is not as it should be at a target, longest first.
    pub async fn waiting_at(
        &mut self,
        target: TargetId,
        after: Option<(Timestamp, AssignmentId)>,
        limit: i64,
    ) -> Result<Vec<UnsettledRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(unsettled_select!(" WHERE s.phase <> 'settled' AND s.target_id = "));
            query.push_bind(target.0);
            if let Some((at, id)) = after {
                query.push(" AND (s.desired_since, s.id) > (").push_bind(At(at)).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY s.desired_since, s.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How much is not as it should be at a target, each counted up to `cap`.
    pub async fn count_waiting_at(
        &mut self,
        target: TargetId,
        cap: i64,
    ) -> Result<WaitingCountRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT
               (SELECT COUNT(*) FROM (SELECT 1 FROM assignments s WHERE s.target_id = $1 AND s.phase <> 'settled'
                  AND s.desired = TRUE LIMIT $2) AS x) AS additions,
               (SELECT COUNT(*) FROM (SELECT 1 FROM assignments s WHERE s.target_id = $1 AND s.phase <> 'settled'
                  AND s.desired = FALSE LIMIT $2) AS y) AS removals")
            .bind(target.0).bind(cap).fetch_one(c).await)?)
    }

    /// One assignment with names.
    pub async fn named_assignment(
        &mut self,
        id: AssignmentId,
    ) -> Result<Option<UnsettledRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(unsettled_select!(" WHERE s.id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The newest calls at all targets. Their ids are in order of time.
    pub async fn recent_calls(&mut self, limit: i64) -> Result<Vec<RecentRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT o.id, o.assignment_id, o.kind, o.outcome, o.status, o.request_id, o.client_request_id, o.detail, o.at,
               o.took_us, s.person_id, n.name AS person_name, e.name AS entitlement_name, t.name AS target_name
             FROM (SELECT * FROM operations ORDER BY id DESC LIMIT $1) AS o
             JOIN assignments s ON s.id = o.assignment_id JOIN persons n ON n.id = s.person_id
             JOIN entitlements e ON e.id = s.entitlement_id JOIN targets t ON t.id = s.target_id
             ORDER BY o.id DESC").bind(limit).fetch_all(c).await)?)
    }
}
