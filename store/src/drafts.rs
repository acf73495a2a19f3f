//! Carts: what somebody is about to ask for, as they typed it. One open draft a person.

use domain::{DraftId, DraftLineId, PackageId, PersonId, Timestamp};

use crate::engine::{At, Error, Tx};

row! {
    /// A person's open draft.
    pub struct DraftRow {
        /// Its id.
        pub id: DraftId,
        /// Whose it is.
        pub person_id: PersonId,
        /// The reason for all lines that have none of their own.
        pub reason: String,
        /// When it was begun.
        pub created_at: Timestamp,
        /// When it was last touched.
        pub updated_at: Timestamp,
    }

    /// One line of a draft.
    pub struct DraftLineRow {
        /// Its id.
        pub id: DraftLineId,
        /// The draft.
        pub draft_id: DraftId,
        /// What is to be asked for.
        pub package_id: PackageId,
        /// For whom.
        pub beneficiary_id: PersonId,
        /// What was typed, opaque to all but the form; empty for an untouched line.
        pub typed: String,
        /// When it was added.
        pub created_at: Timestamp,
    }
}

impl Tx {
    /// A person's open draft.
    pub async fn draft_of(&mut self, person: PersonId) -> Result<Option<DraftRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, person_id, reason, created_at, updated_at FROM drafts WHERE person_id = $1")
            .bind(person.0).fetch_optional(c).await)?)
    }

    /// Begins a draft. The database refuses a second of the same person.
    pub async fn insert_draft(&mut self, draft: &DraftRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO drafts (id, person_id, reason, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(draft.id.0).bind(draft.person_id.0).bind(&draft.reason).bind(At(draft.created_at))
            .bind(At(draft.updated_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a draft was touched, and the reason for all its lines.
    pub async fn touch_draft(
        &mut self,
        id: DraftId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE drafts SET reason = $2, updated_at = $3 WHERE id = $1")
            .bind(id.0).bind(reason).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The lines of a draft, in the order in which they were added.
    pub async fn draft_lines(&mut self, draft: DraftId) -> Result<Vec<DraftLineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, draft_id, package_id, beneficiary_id, typed, created_at FROM draft_lines
             WHERE draft_id = $1 ORDER BY created_at, id").bind(draft.0).fetch_all(c).await)?)
    }

    /// A line of somebody's own draft.
    pub async fn draft_line(
        &mut self,
        person: PersonId,
        id: DraftLineId,
    ) -> Result<Option<DraftLineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT l.id, l.draft_id, l.package_id, l.beneficiary_id, l.typed, l.created_at
             FROM draft_lines l JOIN drafts d ON d.id = l.draft_id WHERE l.id = $2 AND d.person_id = $1")
            .bind(person.0).bind(id.0).fetch_optional(c).await)?)
    }

    /// How many lines a person's draft has.
    pub async fn count_draft_lines(&mut self, person: PersonId) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM draft_lines WHERE draft_id = (SELECT id FROM drafts WHERE person_id = $1)")
            .bind(person.0).fetch_one(c).await)?)
    }

    /// Adds a line, unless the draft has it already.
    pub async fn insert_draft_line(&mut self, line: &DraftLineRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO draft_lines (id, draft_id, package_id, beneficiary_id, typed, created_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (draft_id, package_id, beneficiary_id) DO NOTHING")
            .bind(line.id.0).bind(line.draft_id.0).bind(line.package_id.0).bind(line.beneficiary_id.0)
            .bind(&line.typed).bind(At(line.created_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps what was typed in a line.
    pub async fn update_draft_line(&mut self, id: DraftLineId, typed: &str) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE draft_lines SET typed = $2 WHERE id = $1")
            .bind(id.0).bind(typed).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a line out of its draft.
    pub async fn delete_draft_line(&mut self, id: DraftLineId) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM draft_lines WHERE id = $1").bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Deletes drafts that nobody touched since then, with their lines. Gives how many.
    pub async fn delete_stale_drafts(&mut self, before: Timestamp) -> Result<u64, Error> {
        on!(self, c => sqlx::query(
            "DELETE FROM draft_lines WHERE draft_id IN (SELECT id FROM drafts WHERE updated_at < $1)")
            .bind(At(before)).execute(c).await.map(drop))?;
        Ok(
            on!(self, c => sqlx::query("DELETE FROM drafts WHERE updated_at < $1")
            .bind(At(before)).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }
}
