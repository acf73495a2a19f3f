//! The queue of decisions.

use domain::{
    ApplicationId, LineId, PackageId, PersonId, RequestId, StageId, Timestamp,
    approval::Via,
    bulk::Ticked,
    policy::ApproverRule,
    request::{LineKind, Window},
};
use sqlx::QueryBuilder;

use super::{app_columns, lines::window};
use crate::engine::{At, Error, Tx};

row! {
    /// One decision that waits for somebody.
    pub struct QueueRow {
        /// The stage.
        pub stage_id: StageId,
        /// Waits since.
        pub opened_at: Timestamp,
        /// By which rule they are seated.
        pub via: Via,
        /// The stage's rule.
        pub approvers: ApproverRule,
        /// The line.
        pub line_id: LineId,
        /// The request.
        pub request_id: RequestId,
        /// Its short number.
        pub number: i64,
        /// Something new or more time.
        pub kind: LineKind,
        /// The business reason.
        pub reason: String,
        /// The asked start.
        pub start_at: Option<Timestamp>,
        /// The asked length.
        pub length_seconds: Option<i64>,
        /// The asked end.
        pub until_at: Option<Timestamp>,
        /// When it lapses.
        pub lapse_at: Timestamp,
        /// Since when a question waits for an answer.
        pub asked_back_at: Option<Timestamp>,
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
        /// Who asked.
        pub asker_id: PersonId,
        /// Their name.
        pub asker_name: String,
        /// For whom.
        pub beneficiary_id: PersonId,
        /// Their name.
        pub beneficiary_name: String,
    }

    /// What decides whether a line may be ticked in a list, and what its decider signs.
    pub struct TickedRow {
        /// The stage.
        pub stage_id: StageId,
        /// Its rule.
        pub approvers: ApproverRule,
        /// Something new or more time.
        pub kind: LineKind,
        /// The asked length.
        pub length_seconds: Option<i64>,
        /// The asked end.
        pub until_at: Option<Timestamp>,
        /// Whether a question waits for an answer.
        pub asked_back: bool,
        /// Whether anything of it is privileged.
        pub privileged: bool,
        /// Whether a yes wants a fresh sign-in.
        pub fresh: bool,
        /// Whether anything of it is under a control scope.
        pub control_scope: bool,
        /// Whether the same was denied and not approved since.
        pub denied: bool,
        /// What is frozen.
        pub frozen_hash: String,
        /// The shortest time that deciders said so far.
        pub cap_seconds: Option<i64>,
    }

    /// Where one stage lies in somebody's queue.
    pub struct PlaceInQueueRow {
        /// How many waited before it, up to the cap.
        pub ahead: i64,
        /// How many wait in all, up to the cap.
        pub waiting: i64,
        /// The oldest that waits after it.
        pub later: Option<StageId>,
        /// The oldest that waits.
        pub first: Option<StageId>,
    }
}

impl QueueRow {
    /// The asked window.
    pub fn window(&self) -> Window {
        window(self.start_at, self.length_seconds, self.until_at)
    }
}

impl TickedRow {
    /// As the rule wants it.
    pub fn ticked(&self) -> Ticked {
        Ticked {
            kind: self.kind,
            length: window(None, self.length_seconds, self.until_at).length,
            privileged: self.privileged,
            fresh: self.fresh,
            control_scope: self.control_scope,
            denied: self.denied,
            asked_back: self.asked_back,
            rule: self.approvers,
        }
    }
}

/// Waits for the person, and they have not voted yet where several must.
macro_rules! waits {
    () => {
        "s.person_id = $1 AND NOT EXISTS (
           SELECT 1 FROM decisions d WHERE d.stage_id = s.stage_id AND d.decider_id = s.person_id)"
    };
}

impl Tx {
    /// A page of a person's queue, oldest first; only where they sit by this rule, if one is given.
    pub async fn queue(
        &mut self,
        person: PersonId,
        via: Option<Via>,
        after: Option<(Timestamp, StageId)>,
        limit: i64,
    ) -> Result<Vec<QueueRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(concat!(
                "SELECT s.stage_id, s.opened_at, s.via, t.approvers, l.id AS line_id, l.request_id, l.number, l.kind,
                   l.reason, l.start_at, l.length_seconds, l.until_at, l.lapse_at, l.asked_back_at, l.package_id,
                   p.name AS package_name, p.privileged, ", app_columns!(),
                ", l.asker_id, k.name AS asker_name, l.beneficiary_id, b.name AS beneficiary_name
                 FROM seats s JOIN stages t ON t.id = s.stage_id JOIN lines l ON l.id = t.line_id
                 JOIN packages p ON p.id = l.package_id JOIN applications a ON a.id = p.application_id
                 JOIN persons k ON k.id = l.asker_id JOIN persons b ON b.id = l.beneficiary_id
                 WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.stage_id = s.stage_id AND d.decider_id = s.person_id)
                   AND s.person_id = "));
            query.push_bind(person.0);
            if let Some(via) = via {
                query.push(" AND s.via = ").push_bind(via.as_str());
            }
            if let Some((at, stage)) = after {
                query.push(" AND (s.opened_at, s.stage_id) > (").push_bind(At(at)).push(", ").push_bind(stage.0).push(")");
            }
            query.push(" ORDER BY s.opened_at, s.stage_id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What decides whether the lines of these stages may be ticked in a list.
    pub async fn ticked(&mut self, stages: &[StageId]) -> Result<Vec<TickedRow>, Error> {
        if stages.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT t.id AS stage_id, t.approvers, t.fresh, l.kind, l.length_seconds, l.until_at,
                   (l.asked_back_at IS NOT NULL) AS asked_back,
                   (p.privileged = TRUE OR EXISTS (SELECT 1 FROM package_version_entitlements x JOIN entitlements n ON n.id = x.entitlement_id
                     WHERE x.package_version_id = l.package_version_id AND n.privileged = TRUE)) AS privileged,
                   (p.control_scope IS NOT NULL OR EXISTS (SELECT 1 FROM package_version_entitlements x JOIN entitlements n ON n.id = x.entitlement_id
                     WHERE x.package_version_id = l.package_version_id AND n.control_scope IS NOT NULL)) AS control_scope,
                   EXISTS (SELECT 1 FROM lines y WHERE y.beneficiary_id = l.beneficiary_id AND y.package_id = l.package_id AND y.state = 'denied'
                     AND NOT EXISTS (SELECT 1 FROM lines z WHERE z.beneficiary_id = l.beneficiary_id AND z.package_id = l.package_id
                       AND z.state = 'approved' AND z.submitted_at > y.submitted_at)) AS denied,
                   l.frozen_hash, (SELECT MIN(d.cap_seconds) FROM decisions d WHERE d.line_id = l.id) AS cap_seconds
                 FROM stages t JOIN lines l ON l.id = t.line_id JOIN packages p ON p.id = l.package_id WHERE t.id IN (");
            ids_in!(query, stages);
            query.push(") ORDER BY t.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How many decisions wait for a person, counted up to `cap`.
    pub async fn count_queue(&mut self, person: PersonId, cap: i64) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(concat!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM seats s WHERE ", waits!(), " LIMIT $2) AS capped"))
            .bind(person.0).bind(cap).fetch_one(c).await)?)
    }

    /// Where a stage lies in a person's queue, counted up to `cap`; the numbers are of the others if it does not wait for them.
    pub async fn place_in_queue(
        &mut self,
        person: PersonId,
        stage: StageId,
        opened: Timestamp,
        cap: i64,
    ) -> Result<PlaceInQueueRow, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT
               (SELECT COUNT(*) FROM (SELECT 1 FROM seats s WHERE ", waits!(), " AND (s.opened_at, s.stage_id) < ($2, $3) LIMIT $4) AS x) AS ahead,
               (SELECT COUNT(*) FROM (SELECT 1 FROM seats s WHERE ", waits!(), " LIMIT $4) AS y) AS waiting,
               (SELECT s.stage_id FROM seats s WHERE ", waits!(), " AND (s.opened_at, s.stage_id) > ($2, $3) ORDER BY s.opened_at, s.stage_id LIMIT 1) AS later,
               (SELECT s.stage_id FROM seats s WHERE ", waits!(), " AND s.stage_id <> $3 ORDER BY s.opened_at, s.stage_id LIMIT 1) AS first"))
            .bind(person.0).bind(At(opened)).bind(stage.0).bind(cap).fetch_one(c).await)?)
    }
}
