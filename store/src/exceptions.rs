//! Tolerated breaches of rules, and what the owners of their controls said.

use domain::{
    AttestationId, ConflictId, ExceptionId, PersonId, Timestamp,
    conflict::{Severity, Side},
    exception::{ExceptionEnd, ExceptionState},
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// One exception.
    pub struct ExceptionRow {
        /// Its id.
        pub id: ExceptionId,
        /// The short number that people see (`EX-7`).
        pub number: i64,
        /// The rule.
        pub conflict_id: ConflictId,
        /// Whom it is about.
        pub person_id: PersonId,
        /// Who proposed it.
        pub proposed_by: PersonId,
        /// When.
        pub proposed_at: Timestamp,
        /// Why it is needed.
        pub reason: String,
        /// What is done instead of keeping the sides apart.
        pub control: String,
        /// Who answers for that.
        pub control_owner_id: PersonId,
        /// How often they attest.
        pub cadence_seconds: i64,
        /// Which side falls at its end.
        pub falls: Side,
        /// How often it was renewed.
        pub renewals: i64,
        /// Where it stands.
        pub state: ExceptionState,
        /// Its end.
        pub ends_at: Timestamp,
        /// Who accepted it for the business.
        pub accepted_by: Option<PersonId>,
        /// When.
        pub accepted_at: Option<Timestamp>,
        /// Who confirmed it for security.
        pub confirmed_by: Option<PersonId>,
        /// When.
        pub confirmed_at: Option<Timestamp>,
        /// When the control must be attested next.
        pub attest_by: Option<Timestamp>,
        /// When a missed attestation was told.
        pub missed_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why.
        pub end_reason: Option<ExceptionEnd>,
        /// By whom, if a person.
        pub ended_by: Option<PersonId>,
        /// What they wrote.
        pub end_note: String,
        /// Counts changes.
        pub version: i64,
    }

    /// An exception with the names that a list shows.
    pub struct NamedExceptionRow {
        /// Its id.
        pub id: ExceptionId,
        /// The short number.
        pub number: i64,
        /// The rule.
        pub conflict_id: ConflictId,
        /// The rule's name.
        pub rule: String,
        /// How bad a breach is.
        pub severity: Severity,
        /// The rule's business owner.
        pub owner_id: PersonId,
        /// Their name.
        pub owner: String,
        /// Whom it is about.
        pub person_id: PersonId,
        /// Their name.
        pub person: String,
        /// Who proposed it.
        pub proposed_by: PersonId,
        /// Their name.
        pub proposer: String,
        /// When it was proposed.
        pub proposed_at: Timestamp,
        /// Who accepted it.
        pub accepted_by: Option<PersonId>,
        /// What is done instead.
        pub control: String,
        /// Who answers for that.
        pub control_owner_id: PersonId,
        /// Their name.
        pub control_owner: String,
        /// How often it was renewed.
        pub renewals: i64,
        /// Where it stands.
        pub state: ExceptionState,
        /// Its end.
        pub ends_at: Timestamp,
        /// When the control must be attested next.
        pub attest_by: Option<Timestamp>,
        /// When a missed attestation was told.
        pub missed_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why.
        pub end_reason: Option<ExceptionEnd>,
    }

    /// What the owner of a control said.
    pub struct AttestationRow {
        /// Its id.
        pub id: AttestationId,
        /// Of which exception.
        pub exception_id: ExceptionId,
        /// Who.
        pub by_id: PersonId,
        /// What they said, with the evidence.
        pub text: String,
        /// When it was due.
        pub due_at: Timestamp,
        /// When they said it.
        pub attested_at: Timestamp,
    }
}

macro_rules! select_exception {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, conflict_id, person_id, proposed_by, proposed_at, reason, control, control_owner_id,
               cadence_seconds, falls, renewals, state, ends_at, accepted_by, accepted_at, confirmed_by, confirmed_at,
               attest_by, missed_at, ended_at, end_reason, ended_by, end_note, version FROM exceptions",
            $rest
        )
    };
}

/// Which exceptions a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExceptionQuery {
    /// Only those of this person.
    pub person: Option<PersonId>,
    /// Only those of this rule.
    pub conflict: Option<ConflictId>,
    /// Only those that are over, newest first, or only those that are not, soonest end first.
    pub over: bool,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Enters a proposal.
    pub async fn insert_exception(&mut self, row: &ExceptionRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO exceptions (id, number, conflict_id, person_id, proposed_by, proposed_at, reason, control,
               control_owner_id, cadence_seconds, falls, renewals, state, ends_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
            .bind(row.id.0).bind(row.number).bind(row.conflict_id.0).bind(row.person_id.0).bind(row.proposed_by.0)
            .bind(At(row.proposed_at)).bind(&row.reason).bind(&row.control).bind(row.control_owner_id.0)
            .bind(row.cadence_seconds).bind(row.falls.as_str()).bind(row.renewals).bind(row.state.as_str())
            .bind(At(row.ends_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// One exception.
    pub async fn exception(&mut self, id: ExceptionId) -> Result<Option<ExceptionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_exception!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The exceptions of these people that are not over, by id.
    pub async fn open_exceptions_of(
        &mut self,
        people: &[PersonId],
    ) -> Result<Vec<ExceptionRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_exception!(" WHERE state <> 'ended' AND person_id IN ("));
            let mut list = query.separated(", ");
            for id in people {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Accepts a proposal for the business. False if it no longer stands so.
    pub async fn accept_exception(
        &mut self,
        id: ExceptionId,
        by: PersonId,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE exceptions SET state = 'accepted', accepted_by = $2, accepted_at = $3, version = version + 1
             WHERE id = $1 AND state = 'proposed'")
            .bind(id.0).bind(by.0).bind(At(at)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Confirms an accepted one for security: it lives. False if it no longer stands so.
    pub async fn confirm_exception(
        &mut self,
        id: ExceptionId,
        by: PersonId,
        at: Timestamp,
        attest_by: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE exceptions SET state = 'live', confirmed_by = $2, confirmed_at = $3, attest_by = $4,
               version = version + 1 WHERE id = $1 AND state = 'accepted'")
            .bind(id.0).bind(by.0).bind(At(at)).bind(At(attest_by)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Writes when the control of a live exception must be attested, and whether a miss was told.
    pub async fn set_attestation_due(
        &mut self,
        id: ExceptionId,
        attest_by: Timestamp,
        missed_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE exceptions SET attest_by = $2, missed_at = $3, version = version + 1 WHERE id = $1 AND state = 'live'")
            .bind(id.0).bind(At(attest_by)).bind(missed_at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends one that is not over. False if it is.
    pub async fn end_exception(
        &mut self,
        id: ExceptionId,
        reason: ExceptionEnd,
        by: Option<PersonId>,
        note: &str,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE exceptions SET state = 'ended', end_reason = $2, ended_by = $3, end_note = $4, ended_at = $5,
               version = version + 1 WHERE id = $1 AND state <> 'ended'")
            .bind(id.0).bind(reason.as_str()).bind(by.map(|id| id.0)).bind(note).bind(At(at))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Keeps what the owner of a control said.
    pub async fn insert_attestation(&mut self, row: &AttestationRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO attestations (id, exception_id, by_id, text, due_at, attested_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(row.id.0).bind(row.exception_id.0).bind(row.by_id.0).bind(&row.text).bind(At(row.due_at))
            .bind(At(row.attested_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What was said of an exception's control, newest first.
    pub async fn attestations_of(&mut self, id: ExceptionId) -> Result<Vec<AttestationRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, exception_id, by_id, text, due_at, attested_at FROM attestations
             WHERE exception_id = $1 ORDER BY attested_at DESC, id DESC").bind(id.0).fetch_all(c).await)?)
    }

    /// Exceptions with names.
    pub async fn exceptions_page(
        &mut self,
        wanted: &ExceptionQuery,
    ) -> Result<Vec<NamedExceptionRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT x.id, x.number, x.conflict_id, k.name AS rule, k.severity, k.owner_id, o.name AS owner, x.person_id,
                   p.name AS person, x.proposed_by, b.name AS proposer, x.proposed_at, x.accepted_by, x.control,
                   x.control_owner_id, w.name AS control_owner, x.renewals, x.state, x.ends_at, x.attest_by, x.missed_at,
                   x.ended_at, x.end_reason
                 FROM exceptions x JOIN conflicts k ON k.id = x.conflict_id JOIN persons p ON p.id = x.person_id
                 JOIN persons b ON b.id = x.proposed_by JOIN persons w ON w.id = x.control_owner_id
                 JOIN persons o ON o.id = k.owner_id WHERE x.state ");
            query.push(if wanted.over { "= 'ended'" } else { "IN ('proposed', 'accepted', 'live')" });
            if let Some(person) = wanted.person {
                query.push(" AND x.person_id = ").push_bind(person.0);
            }
            if let Some(conflict) = wanted.conflict {
                query.push(" AND x.conflict_id = ").push_bind(conflict.0);
            }
            query.push(if wanted.over {
                " ORDER BY x.ended_at DESC NULLS LAST, x.id DESC LIMIT "
            } else {
                " ORDER BY x.ends_at, x.id LIMIT "
            }).push_bind(wanted.limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }
}

impl crate::jobs::Job {
    /// The exception that the job stands for, if it stands for one.
    pub fn exception(&self) -> Option<ExceptionId> {
        self.subject.map(ExceptionId)
    }
}
