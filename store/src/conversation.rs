//! What is said about waiting lines, seats that were handed on, and the clock that both touch.

use domain::{HandOnId, LineId, PersonId, RemarkId, StageId, Timestamp, waiting::RemarkKind};

use crate::{
    engine::{At, Error, Tx},
    requests::LineRow,
};

row! {
    /// One thing that somebody said about a line.
    pub struct RemarkRow {
        /// Its id.
        pub id: RemarkId,
        /// About which line.
        pub line_id: LineId,
        /// In which stage.
        pub stage_id: StageId,
        /// Who said it.
        pub author_id: PersonId,
        /// Question, answer or remark.
        pub kind: RemarkKind,
        /// The words.
        pub text: String,
        /// When.
        pub at: Timestamp,
    }

    /// A seat that somebody gave to a colleague.
    pub struct HandOnRow {
        /// Its id.
        pub id: HandOnId,
        /// Of which line.
        pub line_id: LineId,
        /// In which stage.
        pub stage_id: StageId,
        /// Whose seat.
        pub from_id: PersonId,
        /// To whom.
        pub to_id: PersonId,
        /// Why.
        pub reason: String,
        /// When.
        pub at: Timestamp,
        /// When it was given back.
        pub returned_at: Option<Timestamp>,
    }
}

/// The most of a line's conversation that is read.
const MOST: i64 = 500;

impl Tx {
    /// Keeps what somebody said.
    pub async fn insert_remark(&mut self, row: &RemarkRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO remarks (id, line_id, stage_id, author_id, kind, text, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(row.id.0).bind(row.line_id.0).bind(row.stage_id.0).bind(row.author_id.0).bind(row.kind.as_str())
            .bind(&row.text).bind(At(row.at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What was said about a line last, newest first.
    pub async fn remarks(&mut self, line: LineId) -> Result<Vec<RemarkRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, line_id, stage_id, author_id, kind, text, at FROM remarks WHERE line_id = $1
             ORDER BY at DESC, id DESC LIMIT $2").bind(line.0).bind(MOST).fetch_all(c).await)?)
    }

    /// Writes how the clock of a waiting line stands. The database lets it move later only, by what a question held it.
    pub async fn set_line_clock(&mut self, line: &LineRow) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE lines SET lapse_at = $2, asked_back_at = $3, stood_us = $4 WHERE id = $1")
            .bind(line.id.0).bind(At(line.lapse_at)).bind(line.asked_back_at.map(At)).bind(line.stood_us)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that the deciders of a line were nudged.
    pub async fn note_nudge(&mut self, line: LineId, at: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE lines SET nudged_at = $2, version = version + 1 WHERE id = $1")
            .bind(line.0).bind(At(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps that a seat was handed on. The database refuses whom it is about, a second level, and a stage that is not open.
    pub async fn insert_hand_on(&mut self, row: &HandOnRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO hand_ons (id, line_id, stage_id, from_id, to_id, reason, at, returned_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(row.id.0).bind(row.line_id.0).bind(row.stage_id.0).bind(row.from_id.0).bind(row.to_id.0)
            .bind(&row.reason).bind(At(row.at)).bind(row.returned_at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The seats of a stage that are handed on now.
    pub async fn hand_ons(&mut self, stage: StageId) -> Result<Vec<HandOnRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, line_id, stage_id, from_id, to_id, reason, at, returned_at FROM hand_ons
             WHERE stage_id = $1 AND returned_at IS NULL ORDER BY from_id").bind(stage.0).fetch_all(c).await)?)
    }

    /// Gives a seat back. False if that was done already.
    pub async fn return_hand_on(&mut self, id: HandOnId, at: Timestamp) -> Result<bool, Error> {
        let changed = on!(self, c => sqlx::query(
            "UPDATE hand_ons SET returned_at = $2 WHERE id = $1 AND returned_at IS NULL")
            .bind(id.0).bind(At(at)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}
