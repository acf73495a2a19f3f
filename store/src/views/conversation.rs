//! What was said about lines and who handed on what, with names; and what waits for somebody's answer.

use domain::{
    LineId, PersonId, RemarkId, RequestId, StageId, Timestamp, request::LineKind,
    waiting::RemarkKind,
};
use sqlx::QueryBuilder;

use crate::engine::{Error, Tx};

row! {
    /// Something that was said, with the name of who said it.
    pub struct NamedRemarkRow {
        /// Its id.
        pub id: RemarkId,
        /// About which line.
        pub line_id: LineId,
        /// Who said it.
        pub author_id: PersonId,
        /// Their name.
        pub name: String,
        /// Question, answer or remark.
        pub kind: RemarkKind,
        /// The words.
        pub text: String,
        /// When.
        pub at: Timestamp,
    }

    /// A seat that was handed on, with names.
    pub struct NamedHandOnRow {
        /// Of which line.
        pub line_id: LineId,
        /// In which stage.
        pub stage_id: StageId,
        /// Whose seat.
        pub from_id: PersonId,
        /// Their name.
        pub from_name: String,
        /// To whom.
        pub to_id: PersonId,
        /// Their name.
        pub to_name: String,
        /// Why.
        pub reason: String,
        /// When.
        pub at: Timestamp,
        /// When it was given back.
        pub returned_at: Option<Timestamp>,
    }

    /// A line with a question that waits for somebody's answer.
    pub struct AskedBackRow {
        /// The line.
        pub id: LineId,
        /// The request.
        pub request_id: RequestId,
        /// Its short number.
        pub number: i64,
        /// Something new or more time.
        pub kind: LineKind,
        /// The package's name.
        pub package_name: String,
        /// Since when it waits.
        pub asked_back_at: Timestamp,
    }
}

impl Tx {
    /// What was said about these lines, oldest first: the newest `limit` of all.
    pub async fn named_remarks(
        &mut self,
        lines: &[LineId],
        limit: i64,
    ) -> Result<Vec<NamedRemarkRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows: Vec<NamedRemarkRow> = on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT r.id, r.line_id, r.author_id, n.name, r.kind, r.text, r.at
                 FROM remarks r JOIN persons n ON n.id = r.author_id WHERE r.line_id IN (");
            ids_in!(query, lines);
            query.push(") ORDER BY r.at DESC, r.id DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?;
        rows.reverse();
        Ok(rows)
    }

    /// Who handed on what of these lines, oldest first.
    pub async fn named_hand_ons(
        &mut self,
        lines: &[LineId],
        limit: i64,
    ) -> Result<Vec<NamedHandOnRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT h.line_id, h.stage_id, h.from_id, f.name AS from_name, h.to_id, t.name AS to_name, h.reason, h.at, h.returned_at
                 FROM hand_ons h JOIN persons f ON f.id = h.from_id JOIN persons t ON t.id = h.to_id WHERE h.line_id IN (");
            ids_in!(query, lines);
            query.push(") ORDER BY h.at, h.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The lines with a question that waits for this person's answer, oldest first.
    pub async fn asked_back(
        &mut self,
        person: PersonId,
        limit: i64,
    ) -> Result<Vec<AskedBackRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT x.id, x.request_id, x.number, x.kind, p.name AS package_name, x.asked_back_at FROM (
               SELECT id, request_id, number, kind, package_id, asked_back_at FROM lines
                 WHERE asker_id = $1 AND state = 'awaiting_approval' AND asked_back_at IS NOT NULL
               UNION
               SELECT id, request_id, number, kind, package_id, asked_back_at FROM lines
                 WHERE beneficiary_id = $1 AND state = 'awaiting_approval' AND asked_back_at IS NOT NULL
             ) AS x JOIN packages p ON p.id = x.package_id ORDER BY x.asked_back_at, x.id LIMIT $2")
            .bind(person.0).bind(limit).fetch_all(c).await)?)
    }
}
