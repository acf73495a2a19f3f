//! Who stands in for whom: between two instants, for everything, for one application, or for one rule.

use crate::engine::{At, Error, Tx};
use domain::{ApplicationId, DeputyId, LineId, PersonId, Timestamp, policy::ApproverRule};

row! {
    /// One deputyship, as kept.
    pub struct DeputyRow {
        /// Its id.
        pub id: DeputyId,
        /// For whom.
        pub person_id: PersonId,
        /// Who stands in.
        pub deputy_id: PersonId,
        /// From.
        pub from_at: Timestamp,
        /// Until.
        pub until_at: Timestamp,
        /// Only for this application.
        pub application_id: Option<ApplicationId>,
        /// Only where this rule seats them.
        pub approvers: Option<ApproverRule>,
        /// Who made it so: they themselves, or their manager.
        pub made_by: PersonId,
        /// When.
        pub made_at: Timestamp,
        /// When it was ended early.
        pub ended_at: Option<Timestamp>,
        /// By whom.
        pub ended_by: Option<PersonId>,
    }

    /// Somebody who stands in for somebody else now.
    pub struct StandsInRow {
        /// For whom.
        pub person_id: PersonId,
        /// Who.
        pub deputy_id: PersonId,
        /// Only where this rule seats them.
        pub approvers: Option<ApproverRule>,
        /// Whether what is asked for is in the scope.
        pub covers: bool,
    }

    /// One deputyship with names, for a list.
    pub struct NamedDeputyRow {
        /// Its id.
        pub id: DeputyId,
        /// For whom.
        pub person_id: PersonId,
        /// Their name.
        pub person_name: String,
        /// Who stands in.
        pub deputy_id: PersonId,
        /// Their name.
        pub deputy_name: String,
        /// From.
        pub from_at: Timestamp,
        /// Until.
        pub until_at: Timestamp,
        /// The application that it is limited to, by name.
        pub application_name: Option<String>,
        /// Only where this rule seats them.
        pub approvers: Option<ApproverRule>,
        /// Who made it so.
        pub made_by: PersonId,
        /// Their name.
        pub made_by_name: String,
        /// When it was ended early.
        pub ended_at: Option<Timestamp>,
    }
}

impl Tx {
    /// Inserts a deputyship.
    pub async fn insert_deputy(&mut self, row: &DeputyRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO deputies (id, person_id, deputy_id, from_at, until_at, application_id, approvers, made_by, made_at,
               ended_at, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(row.id.0).bind(row.person_id.0).bind(row.deputy_id.0).bind(At(row.from_at)).bind(At(row.until_at))
            .bind(row.application_id.map(|id| id.0)).bind(row.approvers.map(ApproverRule::as_str)).bind(row.made_by.0)
            .bind(At(row.made_at)).bind(row.ended_at.map(At)).bind(row.ended_by.map(|id| id.0))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends a deputyship before its time. False if it was ended already.
    pub async fn end_deputy(
        &mut self,
        id: DeputyId,
        by: PersonId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query(
            "UPDATE deputies SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL")
            .bind(id.0).bind(At(now)).bind(by.0).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// A deputyship.
    pub async fn deputy(&mut self, id: DeputyId) -> Result<Option<DeputyRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, person_id, deputy_id, from_at, until_at, application_id, approvers, made_by, made_at, ended_at, ended_by
             FROM deputies WHERE id = $1").bind(id.0).fetch_optional(c).await)?)
    }

    /// For whom this person stands in now.
    pub async fn stands_in_for(
        &mut self,
        deputy: PersonId,
        now: Timestamp,
    ) -> Result<Vec<PersonId>, Error> {
        let ids: Vec<uuid::Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT person_id FROM deputies
             WHERE deputy_id = $1 AND until_at > $2 AND from_at <= $2 AND ended_at IS NULL ORDER BY person_id")
            .bind(deputy.0).bind(At(now)).fetch_all(c).await)?;
        Ok(ids.into_iter().map(PersonId).collect())
    }

    /// The lines whose open stages a deputyship may touch: where either of the two is seated, and what waits for whoever
    /// is stood in for.
    pub async fn lines_of_deputy(
        &mut self,
        person: PersonId,
        deputy: PersonId,
    ) -> Result<Vec<LineId>, Error> {
        let ids: Vec<uuid::Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT t.line_id FROM seats s JOIN stages t ON t.id = s.stage_id WHERE s.person_id IN ($1, $2)
             UNION
             SELECT l.id FROM lines l WHERE l.state = 'awaiting_approval' AND (l.asker_id = $1 OR l.beneficiary_id = $1)
             ORDER BY 1").bind(person.0).bind(deputy.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(LineId).collect())
    }

    /// The deputyships that are not over, in which this person stands in, is stood in for, or is the manager of whoever is;
    /// the first to begin first.
    pub async fn named_deputies(
        &mut self,
        person: PersonId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<NamedDeputyRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT d.id, d.person_id, p.name AS person_name, d.deputy_id, q.name AS deputy_name, d.from_at, d.until_at,
               a.name AS application_name, d.approvers, d.made_by, m.name AS made_by_name, d.ended_at
             FROM deputies d JOIN persons p ON p.id = d.person_id JOIN persons q ON q.id = d.deputy_id
             JOIN persons m ON m.id = d.made_by LEFT JOIN applications a ON a.id = d.application_id
             WHERE d.ended_at IS NULL AND d.until_at > $2
               AND (d.person_id = $1 OR d.deputy_id = $1 OR d.person_id IN (SELECT id FROM persons WHERE manager_id = $1))
             ORDER BY d.from_at, d.id LIMIT $3")
            .bind(person.0).bind(At(now)).bind(limit).fetch_all(c).await)?)
    }

    /// How many deputyships of this person overlap a span and are not ended: for a limit.
    pub async fn count_deputies(
        &mut self,
        person: PersonId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM deputies WHERE person_id = $1 AND ended_at IS NULL AND from_at < $3 AND until_at > $2")
            .bind(person.0).bind(At(from)).bind(At(until)).fetch_one(c).await)?)
    }
}
