//! Requests, their lines, the stages of each line's route, who is seated, and the votes.

use chrono::Duration;
use domain::{
    AccountId, DecisionId, FreshId, GrantId, LineId, PackageId, PackageVersionId, PersonId,
    RequestId, StageId, Timestamp,
    approval::{Seat, StageState, Verdict, Via},
    policy::ApproverRule,
    request::{Length, LineKind, LineState, Start, Window},
    waiting::Pending,
};
use sqlx::QueryBuilder;

use crate::engine::{At, Engine, Error, Tx};

row! {
    /// One line of a request.
    pub struct LineRow {
        /// Its id.
        pub id: LineId,
        /// The request that it belongs to.
        pub request_id: RequestId,
        /// The request's short number, repeated here for lists.
        pub number: i64,
        /// Something new or more time.
        pub kind: LineKind,
        /// What is asked for.
        pub package_id: PackageId,
        /// In which edition; pinned.
        pub package_version_id: PackageVersionId,
        /// Who asks.
        pub asker_id: PersonId,
        /// For whom.
        pub beneficiary_id: PersonId,
        /// On which account.
        pub account_id: AccountId,
        /// Which grant is to last longer, for an extension.
        pub extends_grant_id: Option<GrantId>,
        /// Where it stands.
        pub state: LineState,
        /// The business reason.
        pub reason: String,
        /// Answers by question key, as JSON.
        pub answers: String,
        /// The asked start; none means on activation.
        pub start_at: Option<Timestamp>,
        /// `seconds`, `until` or `permanent`.
        pub length_kind: String,
        /// The asked length, in seconds.
        pub length_seconds: Option<i64>,
        /// The asked end.
        pub until_at: Option<Timestamp>,
        /// SHA-256 (hex) of what is asked: what approvers sign off.
        pub frozen_hash: String,
        /// What screening found, as JSON.
        pub screening: String,
        /// When it was submitted.
        pub submitted_at: Timestamp,
        /// When it lapses.
        pub lapse_at: Timestamp,
        /// When it reached its end state.
        pub ended_at: Option<Timestamp>,
        /// By whom, if a person.
        pub ended_by: Option<PersonId>,
        /// Counts changes.
        pub version: i64,
        /// Since when a question waits for an answer; the clock stands still meanwhile.
        pub asked_back_at: Option<Timestamp>,
        /// How long earlier questions held the clock, in microseconds; `lapse_at` has it in.
        pub stood_us: i64,
        /// When the asker last nudged those who decide.
        pub nudged_at: Option<Timestamp>,
        /// Since when all have said yes and it waits for its exception, or waited.
        pub waits_since: Option<Timestamp>,
    }

    /// One stage of a line's route.
    pub struct StageRow {
        /// Its id.
        pub id: StageId,
        /// The line.
        pub line_id: LineId,
        /// From 0.
        pub position: i64,
        /// The rule as JSON, fixed at submission.
        pub rule: String,
        /// The rule's word.
        pub approvers: ApproverRule,
        /// How many must say yes.
        pub needed: i64,
        /// Where it stands.
        pub state: StageState,
        /// Whether the fallback chain is seated.
        pub fallback: bool,
        /// Whether only subordinates were left.
        pub by_subordinates: bool,
        /// Whether nobody can decide.
        pub stuck: bool,
        /// Whether it waited so long that its fallback decides as well.
        pub escalated: bool,
        /// Whether a yes counts only with a fresh sign-in; fixed at submission.
        pub fresh: bool,
        /// When it opened.
        pub opened_at: Option<Timestamp>,
        /// When it closed.
        pub closed_at: Option<Timestamp>,
    }

    /// One seat of an open stage.
    pub struct SeatRow {
        /// The stage.
        pub stage_id: StageId,
        /// Who may decide.
        pub person_id: PersonId,
        /// By which rule.
        pub via: Via,
        /// Whom they stand in for.
        pub for_id: Option<PersonId>,
    }

    /// The names that a mail about a line shows.
    pub struct LabelsRow {
        /// The person's.
        pub person: String,
        /// The package's.
        pub package: String,
    }

    /// What answers an ask already, or stands in its way whatever it is for.
    pub struct AskedRow {
        /// The request that was made with the same key.
        pub known: Option<RequestId>,
        /// Lines that the asker submitted of late.
        pub recent: i64,
    }

    /// One vote.
    pub struct DecisionRow {
        /// Its id.
        pub id: DecisionId,
        /// In which stage.
        pub stage_id: StageId,
        /// On which line.
        pub line_id: LineId,
        /// Whose.
        pub decider_id: PersonId,
        /// For whom they decided, as a deputy.
        pub for_id: Option<PersonId>,
        /// Which of the stage's slots it takes: yeses take 1, 2, …; a no takes 0.
        pub slot: i64,
        /// Yes or no.
        pub verdict: Verdict,
        /// By which rule they were seated.
        pub via: Via,
        /// What they wrote.
        pub note: String,
        /// For at most so many seconds, if they said less.
        pub cap_seconds: Option<i64>,
        /// What they signed off.
        pub signed_hash: String,
        /// When.
        pub decided_at: Timestamp,
        /// The fresh sign-in that it was cast with.
        pub fresh_id: Option<FreshId>,
    }
}

/// All columns of a line, followed by the given rest: one static text, as sqlx wants it.
macro_rules! select_line {
    ($rest:literal) => {
        concat!(
            "SELECT id, request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id,\
               account_id, extends_grant_id, state, reason, answers, start_at, length_kind, length_seconds, until_at, frozen_hash,\
               screening, submitted_at, lapse_at, ended_at, ended_by, version, asked_back_at, stood_us, nudged_at, waits_since FROM lines",
            $rest
        )
    };
}

impl DecisionRow {
    /// Whose voice it is: the decider's own, or that of whom they stood in for.
    pub fn voice(&self) -> PersonId {
        self.for_id.unwrap_or(self.decider_id)
    }
}

impl LineRow {
    /// The asked window.
    pub fn window(&self) -> Window {
        let start = self.start_at.map_or(Start::OnActivation, Start::At);
        let length = match (self.length_seconds, self.until_at) {
            (Some(seconds), _) => Length::Seconds(seconds),
            (None, Some(at)) => Length::Until(at),
            (None, None) => Length::Permanent,
        };
        Window { start, length }
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

    /// The same line with its clock as given.
    #[must_use]
    pub fn with_pending(self, clock: Pending) -> Self {
        Self {
            lapse_at: clock.lapse_at,
            asked_back_at: clock.asked_back_at,
            stood_us: clock.stood.num_microseconds().unwrap_or(i64::MAX),
            ..self
        }
    }
}

impl Tx {
    /// The short number and asker of a request.
    pub async fn request_head(&mut self, id: RequestId) -> Result<Option<(i64, PersonId)>, Error> {
        let head: Option<(i64, uuid::Uuid)> = on!(self, c => sqlx::query_as(
            "SELECT number, asker_id FROM requests WHERE id = $1").bind(id.0).fetch_optional(c).await)?;
        Ok(head.map(|(number, asker)| (number, PersonId(asker))))
    }

    /// Inserts a request.
    pub async fn insert_request(
        &mut self,
        id: RequestId,
        number: i64,
        asker: PersonId,
        key: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO requests (id, number, asker_id, idempotency_key, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.0).bind(number).bind(asker.0).bind(key).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Inserts a line.
    pub async fn insert_line(&mut self, line: &LineRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO lines (id, request_id, number, kind, package_id, package_version_id, asker_id, beneficiary_id,
               account_id, extends_grant_id, state, reason, answers, start_at, length_kind, length_seconds, until_at,
               frozen_hash, screening, submitted_at, lapse_at, ended_at, ended_by, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)")
            .bind(line.id.0).bind(line.request_id.0).bind(line.number).bind(line.kind.as_str())
            .bind(line.package_id.0).bind(line.package_version_id.0).bind(line.asker_id.0).bind(line.beneficiary_id.0)
            .bind(line.account_id.0).bind(line.extends_grant_id.map(|id| id.0)).bind(line.state.as_str())
            .bind(&line.reason).bind(&line.answers).bind(line.start_at.map(At)).bind(&line.length_kind)
            .bind(line.length_seconds).bind(line.until_at.map(At)).bind(&line.frozen_hash).bind(&line.screening)
            .bind(At(line.submitted_at)).bind(At(line.lapse_at)).bind(line.ended_at.map(At))
            .bind(line.ended_by.map(|id| id.0)).bind(line.version).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A line.
    pub async fn line(&mut self, id: LineId) -> Result<Option<LineRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_line!(" WHERE id = $1")).bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// A line, locked until commit.
    pub async fn lock_line(&mut self, id: LineId) -> Result<Option<LineRow>, Error> {
        let text = match self.engine() {
            Engine::Sqlite => select_line!(" WHERE id = $1"),
            Engine::Postgres => select_line!(" WHERE id = $1 FOR UPDATE"),
        };
        Ok(on!(self, c => sqlx::query_as(text).bind(id.0).fetch_optional(c).await)?)
    }

    /// The lines of a request.
    pub async fn lines_of_request(&mut self, id: RequestId) -> Result<Vec<LineRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_line!(" WHERE request_id = $1 ORDER BY id"))
            .bind(id.0).fetch_all(c).await)?,
        )
    }

    /// The waiting lines that a person asked for or that are for them.
    pub async fn waiting_lines_of_person(
        &mut self,
        person: PersonId,
    ) -> Result<Vec<LineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_line!(
            " WHERE (asker_id = $1 OR beneficiary_id = $1) AND state = 'awaiting_approval' ORDER BY id"))
            .bind(person.0).fetch_all(c).await)?)
    }

    /// The waiting lines for a package.
    pub async fn waiting_lines_of_package(
        &mut self,
        package: PackageId,
    ) -> Result<Vec<LineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_line!(
            " WHERE package_id = $1 AND state = 'awaiting_approval' ORDER BY id"))
            .bind(package.0).fetch_all(c).await)?)
    }

    /// The latest denial of the same package for the same person, if any.
    pub async fn last_denial(
        &mut self,
        beneficiary: PersonId,
        package: PackageId,
    ) -> Result<Option<DecisionRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT d.id, d.stage_id, d.line_id, d.decider_id, d.for_id, d.slot, d.verdict, d.via, d.note, d.cap_seconds, d.signed_hash, d.decided_at, d.fresh_id
             FROM lines l JOIN decisions d ON d.line_id = l.id AND d.verdict = 'deny'
             WHERE l.beneficiary_id = $1 AND l.package_id = $2 AND l.state = 'denied'
             ORDER BY l.submitted_at DESC, d.id DESC LIMIT 1")
            .bind(beneficiary.0).bind(package.0).fetch_optional(c).await)?)
    }

    /// The approved lines that wait for an exception, of one person or of everybody, by id.
    pub async fn lines_that_wait(
        &mut self,
        person: Option<PersonId>,
    ) -> Result<Vec<LineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_line!(
            " WHERE state = 'awaiting_approval' AND waits_since IS NOT NULL AND ($1 IS NULL OR beneficiary_id = $1) ORDER BY id"))
            .bind(person.map(|id| id.0)).fetch_all(c).await)?)
    }

    /// Lets an approved line wait for its exception from now on, if it is still as it was read. False if somebody else was
    /// first. The database refuses one that a stage has not said yes to.
    pub async fn let_line_wait(&mut self, line: &LineRow, now: Timestamp) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query(
            "UPDATE lines SET waits_since = $3, version = version + 1
             WHERE id = $1 AND version = $2 AND state = 'awaiting_approval' AND waits_since IS NULL")
            .bind(line.id.0).bind(line.version).bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Writes why a line is about to end without what was asked for.
    pub async fn say_why(&mut self, id: LineId, why: &str) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE lines SET ended_why = $2 WHERE id = $1 AND state = 'awaiting_approval'")
            .bind(id.0).bind(why).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Whether somebody decides, in a stage of security that is open, on what is asked for a person.
    pub async fn sits_as_security_over(
        &mut self,
        decider: PersonId,
        person: PersonId,
    ) -> Result<bool, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM seats s JOIN stages t ON t.id = s.stage_id JOIN lines l ON l.id = t.line_id
               WHERE s.person_id = $1 AND t.state = 'open' AND t.approvers = 'security' AND l.beneficiary_id = $2)")
            .bind(decider.0).bind(person.0).fetch_one(c).await)?)
    }

    /// Counts a change of a line that stays waiting (a stage closed, another opened), so that open pages see it.
    pub async fn touch_line(&mut self, id: LineId) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE lines SET version = version + 1 WHERE id = $1")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Inserts the stages of a route.
    pub async fn insert_stages(&mut self, stages: &[StageRow]) -> Result<(), Error> {
        if stages.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new(
                "INSERT INTO stages (id, line_id, position, rule, approvers, needed, state, fallback, by_subordinates, stuck, escalated, fresh, opened_at, closed_at) ");
            query.push_values(stages, |mut tuple, stage| {
                tuple.push_bind(stage.id.0).push_bind(stage.line_id.0).push_bind(stage.position)
                    .push_bind(stage.rule.clone()).push_bind(stage.approvers.as_str()).push_bind(stage.needed)
                    .push_bind(stage.state.as_str()).push_bind(stage.fallback).push_bind(stage.by_subordinates)
                    .push_bind(stage.stuck).push_bind(stage.escalated).push_bind(stage.fresh).push_bind(stage.opened_at.map(At)).push_bind(stage.closed_at.map(At));
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// The stages of a line in order.
    pub async fn stages(&mut self, line: LineId) -> Result<Vec<StageRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, line_id, position, rule, approvers, needed, state, fallback, by_subordinates, stuck, escalated, fresh, opened_at, closed_at
             FROM stages WHERE line_id = $1 ORDER BY position").bind(line.0).fetch_all(c).await)?)
    }

    /// The line that a stage belongs to.
    pub async fn line_of_stage(&mut self, stage: StageId) -> Result<Option<LineRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_line!(" WHERE id = (SELECT line_id FROM stages WHERE stages.id = $1)"))
            .bind(stage.0).fetch_optional(c).await)?,
        )
    }

    /// Writes where a stage stands.
    pub async fn update_stage(&mut self, stage: &StageRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE stages SET needed = $2, state = $3, fallback = $4, by_subordinates = $5, stuck = $6, opened_at = $7, closed_at = $8,
               escalated = $9
             WHERE id = $1")
            .bind(stage.id.0).bind(stage.needed).bind(stage.state.as_str()).bind(stage.fallback)
            .bind(stage.by_subordinates).bind(stage.stuck).bind(stage.opened_at.map(At)).bind(stage.closed_at.map(At)).bind(stage.escalated)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes all seats of a stage away.
    pub async fn clear_seats(&mut self, stage: StageId) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM seats WHERE stage_id = $1").bind(stage.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Seats people in a stage that has no seats.
    pub async fn insert_seats(
        &mut self,
        stage: StageId,
        seats: &[Seat],
        opened: Timestamp,
    ) -> Result<(), Error> {
        if seats.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("INSERT INTO seats (stage_id, person_id, via, opened_at, for_id) ");
            query.push_values(seats, |mut tuple, seat| {
                tuple.push_bind(stage.0).push_bind(seat.person.0).push_bind(seat.via.as_str()).push_bind(At(opened))
                    .push_bind(seat.behalf.map(|id| id.0));
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// The names that a mail about a line shows.
    pub async fn line_labels(
        &mut self,
        person: PersonId,
        package: PackageId,
    ) -> Result<LabelsRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COALESCE((SELECT name FROM persons WHERE id = $1), '') AS person,
                    COALESCE((SELECT name FROM packages WHERE id = $2), '') AS package")
            .bind(person.0).bind(package.0).fetch_one(c).await)?)
    }

    /// What answers an ask already, or stands in its way whatever it is for.
    pub async fn asked_before(
        &mut self,
        asker: PersonId,
        key: &str,
        since: Timestamp,
    ) -> Result<AskedRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT (SELECT id FROM requests WHERE asker_id = $1 AND idempotency_key = $2) AS known,
                    (SELECT COUNT(*) FROM lines WHERE asker_id = $1 AND submitted_at > $3) AS recent")
            .bind(asker.0).bind(key).bind(At(since)).fetch_one(c).await)?)
    }

    /// The line that waits for the same: one at most.
    pub async fn waiting_line(
        &mut self,
        beneficiary: PersonId,
        package: PackageId,
        account: AccountId,
    ) -> Result<Option<LineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_line!(
            " WHERE beneficiary_id = $1 AND package_id = $2 AND account_id = $3 AND state = 'awaiting_approval'"))
            .bind(beneficiary.0).bind(package.0).bind(account.0).fetch_optional(c).await)?)
    }

    /// How many people besides this one hold a package or are to hold it.
    pub async fn holders_besides(
        &mut self,
        package: PackageId,
        person: PersonId,
    ) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(DISTINCT person_id) FROM grants WHERE package_id = $1 AND state <> 'ended' AND person_id <> $2")
            .bind(package.0).bind(person.0).fetch_one(c).await)?)
    }

    /// Lets nobody else count the holders of a package in order to give it away, until commit.
    pub async fn lock_seats(&mut self, package: PackageId) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO counters (name, value) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1")
            .bind(format!("seats:{package}")).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The seats of a line's open stages.
    pub async fn seats_of_line(&mut self, line: LineId) -> Result<Vec<SeatRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT s.stage_id, s.person_id, s.via, s.for_id FROM seats s JOIN stages t ON t.id = s.stage_id
             WHERE t.line_id = $1 ORDER BY s.stage_id, s.person_id").bind(line.0).fetch_all(c).await)?)
    }

    /// The lines with an open stage in which this person is seated.
    pub async fn lines_with_seat(&mut self, person: PersonId) -> Result<Vec<LineId>, Error> {
        let ids: Vec<uuid::Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT t.line_id FROM seats s JOIN stages t ON t.id = s.stage_id WHERE s.person_id = $1 ORDER BY t.line_id")
            .bind(person.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(LineId).collect())
    }

    /// The waiting lines that this person's place in the company has to do with: those that they, or anybody below them,
    /// asked for, get, or are seated in.
    pub async fn lines_around(&mut self, person: PersonId) -> Result<Vec<LineId>, Error> {
        let ids: Vec<uuid::Uuid> = on!(self, c => sqlx::query_scalar(
            "WITH RECURSIVE below (id) AS (SELECT p.id FROM persons p WHERE p.id = $1
               UNION SELECT p.id FROM persons p JOIN below b ON p.manager_id = b.id)
             SELECT l.id FROM lines l WHERE l.state = 'awaiting_approval'
               AND (l.beneficiary_id IN (SELECT id FROM below) OR l.asker_id IN (SELECT id FROM below)
                 OR EXISTS (SELECT 1 FROM stages t JOIN seats s ON s.stage_id = t.id
                            WHERE t.line_id = l.id AND s.person_id IN (SELECT id FROM below)))
             ORDER BY l.id").bind(person.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(LineId).collect())
    }

    /// The lines with an open stage of this rule, or that is stuck, in fallback or escalated: they may seat others when roles or
    /// owners change.
    pub async fn lines_open_for(&mut self, approvers: ApproverRule) -> Result<Vec<LineId>, Error> {
        let ids: Vec<uuid::Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT line_id FROM stages WHERE state = 'open' AND (approvers = $1 OR stuck = TRUE OR fallback = TRUE OR escalated = TRUE) ORDER BY line_id")
            .bind(approvers.as_str()).fetch_all(c).await)?;
        Ok(ids.into_iter().map(LineId).collect())
    }

    /// Inserts a vote. The database refuses a second by the same person or for the same slot, one on their own access,
    /// one in a stage that is not open, and a yes without the fresh sign-in that its stage wants.
    pub async fn insert_decision(&mut self, decision: &DecisionRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO decisions (id, stage_id, line_id, decider_id, slot, verdict, via, note, cap_seconds, signed_hash, decided_at, for_id, fresh_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(decision.id.0).bind(decision.stage_id.0).bind(decision.line_id.0).bind(decision.decider_id.0)
            .bind(decision.slot).bind(decision.verdict.as_str()).bind(decision.via.as_str()).bind(&decision.note).bind(decision.cap_seconds)
            .bind(&decision.signed_hash).bind(At(decision.decided_at)).bind(decision.for_id.map(|id| id.0))
            .bind(decision.fresh_id.map(|id| id.0)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The votes on a line, oldest first.
    pub async fn decisions(&mut self, line: LineId) -> Result<Vec<DecisionRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, stage_id, line_id, decider_id, for_id, slot, verdict, via, note, cap_seconds, signed_hash, decided_at, fresh_id
             FROM decisions WHERE line_id = $1 ORDER BY decided_at, id").bind(line.0).fetch_all(c).await)?)
    }
}
