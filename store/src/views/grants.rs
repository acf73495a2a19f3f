//! Grants in lists: what is held, why, since, until, and what the targets say.

use domain::{
    AccountId, ApplicationId, AssignmentId, EntitlementId, GrantId, LineId, PackageId, PersonId,
    RequestId, Timestamp,
    assignment::{Closed, Observed, Phase},
    grant::{End, EndReason, GrantSource, GrantState},
};
use sqlx::QueryBuilder;

use super::app_columns;
use crate::engine::{At, Error, Tx};

row! {
    /// One grant with everything that a list says of it.
    pub struct HeldRow {
        /// Which.
        pub id: GrantId,
        /// Whose.
        pub person_id: PersonId,
        /// On which account.
        pub account_id: AccountId,
        /// Where it comes from.
        pub source: GrantSource,
        /// Where it stands.
        pub state: GrantState,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
        /// When every target first confirmed it.
        pub ready_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why.
        pub end_reason: Option<EndReason>,
        /// By whom.
        pub ended_by: Option<PersonId>,
        /// Their name.
        pub ended_by_name: Option<String>,
        /// What they wrote.
        pub end_note: Option<String>,
        /// When it was confirmed as gone.
        pub gone_at: Option<Timestamp>,
        /// Counts changes.
        pub version: i64,
        /// When it was made.
        pub created_at: Timestamp,
        /// The package.
        pub package_id: Option<PackageId>,
        /// Its name.
        pub package_name: Option<String>,
        /// Whether it is privileged.
        pub privileged: Option<bool>,
        /// Whether it is offered.
        pub offered: Option<bool>,
        /// The application.
        pub app_id: Option<ApplicationId>,
        /// Its key.
        pub app_key: Option<String>,
        /// Its name.
        pub app_name: Option<String>,
        /// Its tile's letters.
        pub app_initials: Option<String>,
        /// Its tile's colour.
        pub app_tint: Option<String>,
        /// Its address.
        pub app_url: Option<String>,
        /// The line that led to it.
        pub line_id: Option<LineId>,
        /// Its request.
        pub request_id: Option<RequestId>,
        /// The request's short number.
        pub number: Option<i64>,
        /// The business reason.
        pub reason: Option<String>,
        /// Who asked.
        pub asker_id: Option<PersonId>,
        /// Their name.
        pub asker_name: Option<String>,
        /// The request for more time that waits.
        pub extension: Option<RequestId>,
    }

    /// One right of a grant, with what the target says of it.
    pub struct HeldPartRow {
        /// The grant.
        pub grant_id: GrantId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Its name at the target.
        pub name: String,
        /// What it lets somebody do.
        pub summary: String,
        /// `group`, `app_role`, `licence` or `portal_role`.
        pub kind: String,
        /// The target's name.
        pub target_name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// `SOX`, `GDPR`, …
        pub control_scope: Option<String>,
        /// How long a change takes to bite.
        pub effective_within_seconds: i64,
        /// Whether we can set it.
        pub manageable: bool,
        /// Why not.
        pub unmanageable_reason: Option<String>,
        /// The assignment, once there is one.
        pub assignment_id: Option<AssignmentId>,
        /// Whether any grant wants it now.
        pub desired: Option<bool>,
        /// What the target last told us.
        pub observed: Option<Observed>,
        /// When it told us.
        pub observed_at: Option<Timestamp>,
        /// Where converging stands.
        pub phase: Option<Phase>,
        /// What is wrong.
        pub problem: Option<String>,
        /// Counts changes of the assignment.
        pub version: Option<i64>,
        /// Why changes at the target wait, if they do.
        pub closed: Option<Closed>,
    }

    /// Somebody who said yes to a line.
    pub struct ApproverRow {
        /// The line.
        pub line_id: LineId,
        /// Who.
        pub person_id: PersonId,
        /// Their name.
        pub name: String,
    }

    /// How much somebody holds.
    pub struct HeldCountRow {
        /// Grants that are not over, up to the cap.
        pub held: i64,
        /// Of those, how many end before the instant asked about.
        pub ending: i64,
    }
}

impl HeldRow {
    /// The end as its own type.
    pub fn end(&self) -> End {
        self.end_at.map_or(End::Permanent, End::At)
    }
}

macro_rules! held_select {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.person_id, g.account_id, g.source, g.state, g.valid_from, g.end_at, g.ready_at, g.ended_at,
               g.end_reason, g.ended_by, e.name AS ended_by_name, g.end_note, g.gone_at, g.version, g.created_at,
               g.package_id, p.name AS package_name, p.privileged, (p.state = 'offered') AS offered, ",
            app_columns!(),
            ", g.line_id, l.request_id, l.number, l.reason, l.asker_id, k.name AS asker_name,
               (SELECT x.request_id FROM lines x WHERE x.beneficiary_id = g.person_id AND x.package_id = g.package_id
                  AND x.account_id = g.account_id AND x.state = 'awaiting_approval' AND x.extends_grant_id = g.id) AS extension
             FROM grants g LEFT JOIN packages p ON p.id = g.package_id LEFT JOIN applications a ON a.id = p.application_id
             LEFT JOIN lines l ON l.id = g.line_id LEFT JOIN persons k ON k.id = l.asker_id
             LEFT JOIN persons e ON e.id = g.ended_by",
            $rest
        )
    };
}

impl Tx {
    /// What a person holds or will hold, soonest end first, without end last.
    pub async fn held_by(&mut self, person: PersonId, limit: i64) -> Result<Vec<HeldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(held_select!(
            " WHERE g.person_id = $1 AND g.state IN ('scheduled', 'active', 'suspended')
              ORDER BY CASE WHEN g.end_at IS NULL THEN 1 ELSE 0 END, g.end_at, g.id LIMIT $2"))
            .bind(person.0).bind(limit).fetch_all(c).await)?)
    }

    /// What of a person ends next.
    pub async fn ending_of(&mut self, person: PersonId, limit: i64) -> Result<Vec<HeldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(held_select!(
            " WHERE g.person_id = $1 AND g.state IN ('scheduled', 'active', 'suspended') AND g.end_at IS NOT NULL
              ORDER BY g.end_at, g.id LIMIT $2"))
            .bind(person.0).bind(limit).fetch_all(c).await)?)
    }

    /// What of a person ended since an instant, latest first.
    pub async fn ended_of(
        &mut self,
        person: PersonId,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<HeldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(held_select!(
            " WHERE g.person_id = $1 AND g.state = 'ended' AND g.ended_at > $2
              ORDER BY g.ended_at DESC, g.id DESC LIMIT $3"))
            .bind(person.0).bind(At(since)).bind(limit).fetch_all(c).await)?)
    }

    /// These grants.
    pub async fn held_by_ids(&mut self, ids: &[GrantId]) -> Result<Vec<HeldRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(held_select!(" WHERE g.id IN ("));
            ids_in!(query, ids);
            query.push(") ORDER BY g.created_at DESC, g.id DESC");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The grants that these lines led to.
    pub async fn held_by_lines(&mut self, lines: &[LineId]) -> Result<Vec<HeldRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(held_select!(" WHERE g.line_id IN ("));
            ids_in!(query, lines);
            query.push(") ORDER BY g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The grants that want or wanted one right of one account, newest first.
    pub async fn held_of_pair(
        &mut self,
        account: AccountId,
        entitlement: EntitlementId,
        limit: i64,
    ) -> Result<Vec<HeldRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(held_select!(
            " WHERE g.id IN (SELECT x.grant_id FROM grant_entitlements x WHERE x.account_id = $1 AND x.entitlement_id = $2)
              ORDER BY g.created_at DESC, g.id DESC LIMIT $3"))
            .bind(account.0).bind(entitlement.0).bind(limit).fetch_all(c).await)?)
    }

    /// What these grants contain, with what the targets say. What a new edition of the package took out is left out,
    /// except where the grant itself is over.
    pub async fn held_parts(&mut self, grants: &[GrantId]) -> Result<Vec<HeldPartRow>, Error> {
        if grants.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT x.grant_id, x.entitlement_id, n.name, n.summary, n.kind, t.name AS target_name, n.privileged,
                   n.control_scope, n.effective_within_seconds, n.manageable, n.unmanageable_reason,
                   s.id AS assignment_id, s.desired, s.observed, s.observed_at, s.phase, s.problem, s.version,
                   CASE WHEN t.shadow = TRUE THEN 'shadow' WHEN t.restored_at IS NOT NULL THEN 'restored' END AS closed
                 FROM grant_entitlements x JOIN entitlements n ON n.id = x.entitlement_id
                 JOIN targets t ON t.id = n.target_id
                 LEFT JOIN assignments s ON s.account_id = x.account_id AND s.entitlement_id = x.entitlement_id
                 JOIN grants g ON g.id = x.grant_id
                 WHERE (x.removed_at IS NULL OR g.state = 'ended') AND x.grant_id IN (");
            ids_in!(query, grants);
            query.push(") ORDER BY x.grant_id, n.name, n.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Who said yes to these lines, in order.
    pub async fn approvers_of(&mut self, lines: &[LineId]) -> Result<Vec<ApproverRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT d.line_id, d.decider_id AS person_id, n.name FROM decisions d
                 JOIN persons n ON n.id = d.decider_id WHERE d.verdict = 'approve' AND d.line_id IN (");
            ids_in!(query, lines);
            query.push(") ORDER BY d.line_id, d.decided_at, d.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How much a person holds, and how much of it ends before an instant.
    pub async fn count_held(
        &mut self,
        person: PersonId,
        soon: Timestamp,
    ) -> Result<HeldCountRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT
               (SELECT COUNT(*) FROM grants WHERE person_id = $1 AND state IN ('scheduled', 'active', 'suspended')) AS held,
               (SELECT COUNT(*) FROM grants WHERE person_id = $1 AND state IN ('scheduled', 'active', 'suspended')
                  AND end_at IS NOT NULL AND end_at < $2) AS ending")
            .bind(person.0).bind(At(soon)).fetch_one(c).await)?)
    }
}
