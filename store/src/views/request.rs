//! One request, one stage: the line with everything around it.

use chrono::Duration;
use domain::{
    AccountId, ApplicationId, AssignmentId, DecisionId, EntitlementId, GrantId, LineId,
    OperationId, PackageId, PackageVersionId, PersonId, RequestId, StageId, Timestamp,
    approval::{Verdict, Via},
    request::{LineKind, LineState, Window},
    waiting::Pending,
};
use sqlx::QueryBuilder;

use super::{app_columns, lines::window};
use crate::{
    engine::{At, Error, Tx},
    requests::StageRow,
};

row! {
    /// One line whole, with package, edition and names.
    pub struct FullLineRow {
        /// The line.
        pub id: LineId,
        /// The request.
        pub request_id: RequestId,
        /// Its short number.
        pub number: i64,
        /// Something new or more time.
        pub kind: LineKind,
        /// The package.
        pub package_id: PackageId,
        /// Its name.
        pub package_name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// The application.
        pub app_id: ApplicationId,
        /// Its key.
        pub app_key: String,
        /// Its name.
        pub app_name: String,
        /// Its tile's letters.
        pub app_initials: String,
        /// Its tile's colour.
        pub app_tint: String,
        /// Its address.
        pub app_url: String,
        /// The pinned edition.
        pub package_version_id: PackageVersionId,
        /// Its number.
        pub edition: i64,
        /// Its policy, as JSON.
        pub policy: String,
        /// What it opens.
        pub opens: String,
        /// Who asked.
        pub asker_id: PersonId,
        /// Their name.
        pub asker_name: String,
        /// For whom.
        pub beneficiary_id: PersonId,
        /// Their name.
        pub beneficiary_name: String,
        /// On which account.
        pub account_id: AccountId,
        /// Its sign-in name.
        pub account_name: String,
        /// Which grant is to last longer.
        pub extends_grant_id: Option<GrantId>,
        /// Where it stands.
        pub state: LineState,
        /// The business reason.
        pub reason: String,
        /// Answers by question key, as JSON.
        pub answers: String,
        /// The asked start.
        pub start_at: Option<Timestamp>,
        /// The asked length.
        pub length_seconds: Option<i64>,
        /// The asked end.
        pub until_at: Option<Timestamp>,
        /// What approvers sign off.
        pub frozen_hash: String,
        /// What screening found, as JSON.
        pub screening: String,
        /// When it was submitted.
        pub submitted_at: Timestamp,
        /// When it lapses.
        pub lapse_at: Timestamp,
        /// When it reached its end state.
        pub ended_at: Option<Timestamp>,
        /// By whom.
        pub ended_by: Option<PersonId>,
        /// Their name.
        pub ended_by_name: Option<String>,
        /// Counts changes.
        pub version: i64,
        /// Since when a question waits for an answer.
        pub asked_back_at: Option<Timestamp>,
        /// How long earlier questions held the clock, in microseconds.
        pub stood_us: i64,
        /// When those who decide were last nudged.
        pub nudged_at: Option<Timestamp>,
        /// Since when all have said yes and it waits for its exception, or waited.
        pub waits_since: Option<Timestamp>,
        /// Why it ended without what was asked for, where its state does not say it.
        pub ended_why: Option<String>,
    }

    /// A vote with the voter's name.
    pub struct NamedVoteRow {
        /// Its id.
        pub id: DecisionId,
        /// In which stage.
        pub stage_id: StageId,
        /// On which line.
        pub line_id: LineId,
        /// Whose.
        pub decider_id: PersonId,
        /// Their name.
        pub name: String,
        /// For whom they decided, as a deputy.
        pub for_id: Option<PersonId>,
        /// That person's name.
        pub for_name: Option<String>,
        /// Yes or no.
        pub verdict: Verdict,
        /// By which rule they were seated.
        pub via: Via,
        /// What they wrote.
        pub note: String,
        /// For at most so many seconds.
        pub cap_seconds: Option<i64>,
        /// When.
        pub decided_at: Timestamp,
        /// When the voter signed in anew for it, if they had to.
        pub fresh_at: Option<Timestamp>,
    }

    /// One call at a target.
    pub struct CallRow {
        /// Which.
        pub id: OperationId,
        /// For which assignment.
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
    }

    /// Who may see a line besides asker and beneficiary.
    pub struct SightRow {
        /// Seated in an open stage.
        pub seated: bool,
        /// Voted, or handed their seat on.
        pub voted: bool,
        /// Owns the package.
        pub owns: bool,
    }

    /// A right and the account that it would be for.
    pub struct PairRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// The account.
        pub account_id: AccountId,
    }
}

impl FullLineRow {
    /// The asked window.
    pub fn window(&self) -> Window {
        window(self.start_at, self.length_seconds, self.until_at)
    }

    /// The clock of its pending deadline.
    pub fn pending(&self) -> Pending {
        Pending {
            lapse_at: self.lapse_at,
            asked_back_at: self.asked_back_at,
            stood: Duration::microseconds(self.stood_us),
            waits_since: self.waits_since,
        }
    }
}

macro_rules! full_select {
    ($rest:literal) => {
        concat!(
            "SELECT l.id, l.request_id, l.number, l.kind, l.package_id, p.name AS package_name, p.privileged, ",
            app_columns!(),
            ", l.package_version_id, v.number AS edition, v.policy, v.opens, l.asker_id, k.name AS asker_name,
               l.beneficiary_id, b.name AS beneficiary_name, l.account_id, c.user_name AS account_name,
               l.extends_grant_id, l.state, l.reason, l.answers, l.start_at, l.length_seconds, l.until_at, l.frozen_hash,
               l.screening, l.submitted_at, l.lapse_at, l.ended_at, l.ended_by, e.name AS ended_by_name, l.version, l.asked_back_at, l.stood_us, l.nudged_at,
               l.waits_since, l.ended_why
             FROM lines l JOIN packages p ON p.id = l.package_id JOIN applications a ON a.id = p.application_id
             JOIN package_versions v ON v.id = l.package_version_id JOIN persons k ON k.id = l.asker_id
             JOIN persons b ON b.id = l.beneficiary_id JOIN accounts c ON c.id = l.account_id
             LEFT JOIN persons e ON e.id = l.ended_by",
            $rest
        )
    };
}

impl Tx {
    /// The lines of a request, whole.
    pub async fn full_lines(&mut self, request: RequestId) -> Result<Vec<FullLineRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(full_select!(" WHERE l.request_id = $1 ORDER BY l.id"))
            .bind(request.0).fetch_all(c).await)?,
        )
    }

    /// The line of a stage, whole.
    pub async fn full_line_of_stage(
        &mut self,
        stage: StageId,
    ) -> Result<Option<FullLineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(full_select!(
            " WHERE l.id = (SELECT x.line_id FROM stages x WHERE x.id = $1)"))
            .bind(stage.0).fetch_optional(c).await)?)
    }

    /// The stages of these lines in order.
    pub async fn stages_of(&mut self, lines: &[LineId]) -> Result<Vec<StageRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT id, line_id, position, rule, approvers, needed, state, fallback, by_subordinates, stuck, escalated, fresh,
                   opened_at, closed_at FROM stages WHERE line_id IN (");
            ids_in!(query, lines);
            query.push(") ORDER BY line_id, position");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The votes on these lines, oldest first, with names.
    pub async fn named_votes(&mut self, lines: &[LineId]) -> Result<Vec<NamedVoteRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT d.id, d.stage_id, d.line_id, d.decider_id, n.name, d.for_id, f.name AS for_name, d.verdict, d.via, d.note, d.cap_seconds, d.decided_at,
                   (SELECT signed_in_at FROM fresh_sign_ins WHERE id = d.fresh_id) AS fresh_at
                 FROM decisions d JOIN persons n ON n.id = d.decider_id LEFT JOIN persons f ON f.id = d.for_id WHERE d.line_id IN (");
            ids_in!(query, lines);
            query.push(") ORDER BY d.decided_at, d.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The latest denial of a package for a person, unless a later ask for it was approved.
    pub async fn standing_denial(
        &mut self,
        beneficiary: PersonId,
        package: PackageId,
    ) -> Result<Option<NamedVoteRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT d.id, d.stage_id, d.line_id, d.decider_id, n.name, d.for_id, f.name AS for_name, d.verdict, d.via, d.note, d.cap_seconds, d.decided_at,
                   (SELECT signed_in_at FROM fresh_sign_ins WHERE id = d.fresh_id) AS fresh_at
             FROM lines l JOIN decisions d ON d.line_id = l.id AND d.verdict = 'deny' JOIN persons n ON n.id = d.decider_id
               LEFT JOIN persons f ON f.id = d.for_id
             WHERE l.beneficiary_id = $1 AND l.package_id = $2 AND l.state = 'denied' AND NOT EXISTS (
               SELECT 1 FROM lines y WHERE y.beneficiary_id = $1 AND y.package_id = $2 AND y.state = 'approved'
                 AND y.submitted_at > l.submitted_at)
             ORDER BY l.submitted_at DESC, l.id DESC, d.id DESC LIMIT 1")
            .bind(beneficiary.0).bind(package.0).fetch_optional(c).await)?)
    }

    /// How somebody has to do with a line.
    pub async fn sight(&mut self, person: PersonId, line: LineId) -> Result<SightRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT
               EXISTS (SELECT 1 FROM stages t JOIN seats s ON s.stage_id = t.id WHERE t.line_id = $2 AND s.person_id = $1) AS seated,
               (EXISTS (SELECT 1 FROM decisions d WHERE d.line_id = $2 AND d.decider_id = $1)
                 OR EXISTS (SELECT 1 FROM hand_ons h WHERE h.line_id = $2 AND h.from_id = $1)) AS voted,
               EXISTS (SELECT 1 FROM lines l JOIN package_owners o ON o.package_id = l.package_id
                 WHERE l.id = $2 AND o.person_id = $1) AS owns")
            .bind(person.0).bind(line.0).fetch_one(c).await)?)
    }

    /// What was called for these assignments since an instant, oldest first.
    pub async fn calls_since(
        &mut self,
        assignments: &[AssignmentId],
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<CallRow>, Error> {
        if assignments.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT id, assignment_id, kind, outcome, status, request_id, client_request_id, detail, at, took_us
                 FROM operations WHERE at >= ");
            query.push_bind(At(since)).push(" AND assignment_id IN (");
            ids_in!(query, assignments);
            query.push(") ORDER BY at, id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The newest calls for one assignment.
    pub async fn newest_calls(
        &mut self,
        assignment: AssignmentId,
        limit: i64,
    ) -> Result<Vec<CallRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, assignment_id, kind, outcome, status, request_id, client_request_id, detail, at, took_us
             FROM operations WHERE assignment_id = $1 ORDER BY at DESC, id DESC LIMIT $2")
            .bind(assignment.0).bind(limit).fetch_all(c).await)?)
    }
}
