//! What was said about a waiting line, and who handed on what: shown beside its route to everybody who may see it.

use domain::{
    LineId, PersonId, RequestId, StageId, Timestamp, request::LineKind, waiting::RemarkKind,
};
use serde::Serialize;
use store::{
    Tx,
    views::{
        conversation::{NamedHandOnRow, NamedRemarkRow},
        request::FullLineRow,
    },
};

use super::PersonTag;
use crate::Result;

/// The most remarks and the most handed-on seats that a page shows.
const MOST: i64 = 100;

/// The conversation about one line.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Conversation {
    /// What was said, oldest first; the newest hundred.
    pub said: Vec<Said>,
    /// Since when a question waits for an answer.
    pub asked_back_at: Option<Timestamp>,
    /// Until when the pending deadline stands still, if it does now.
    pub stands_until: Option<Timestamp>,
}

/// One thing that somebody said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// Who.
    pub by: PersonTag,
    /// Question, answer or remark.
    pub kind: RemarkKind,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// A seat that somebody gave to a colleague.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HandedOn {
    /// Whose seat.
    pub from: PersonTag,
    /// To whom.
    pub to: PersonTag,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// When it was given back.
    pub returned_at: Option<Timestamp>,
}

/// A line of the viewer's with a question that waits for their answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AskedBack {
    /// The line.
    pub line: LineId,
    /// The request, where it is answered.
    pub request: RequestId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// The package's name.
    pub package: String,
    /// Since when it waits.
    pub since: Timestamp,
}

/// Reads the conversation about a line that the viewer may see.
pub(super) async fn of(tx: &mut Tx, row: &FullLineRow, now: Timestamp) -> Result<Conversation> {
    let said = tx.named_remarks(&[row.id], MOST).await?;
    let waiting = !row.state.is_final();
    let clock = row.pending();
    Ok(Conversation {
        said: said.into_iter().map(Said::from).collect(),
        asked_back_at: row.asked_back_at.filter(|_| waiting),
        stands_until: clock
            .stands_until()
            .filter(|_| waiting && clock.is_still(now)),
    })
}

/// Reads who handed on what on a line, each with its stage.
pub(super) async fn hand_ons(tx: &mut Tx, line: LineId) -> Result<Vec<(StageId, HandedOn)>> {
    let rows = tx.named_hand_ons(&[line], MOST).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.stage_id, HandedOn::from(row)))
        .collect())
}

/// Reads what waits for the viewer's answer.
pub(super) async fn asked_back(tx: &mut Tx, viewer: PersonId, most: i64) -> Result<Vec<AskedBack>> {
    let rows = tx.asked_back(viewer, most).await?;
    Ok(rows
        .into_iter()
        .map(|row| AskedBack {
            line: row.id,
            request: row.request_id,
            number: row.number,
            kind: row.kind,
            package: row.package_name,
            since: row.asked_back_at,
        })
        .collect())
}

impl From<NamedRemarkRow> for Said {
    fn from(row: NamedRemarkRow) -> Self {
        Self {
            by: PersonTag::new(row.author_id, row.name),
            kind: row.kind,
            text: row.text,
            at: row.at,
        }
    }
}

impl From<NamedHandOnRow> for HandedOn {
    fn from(row: NamedHandOnRow) -> Self {
        Self {
            from: PersonTag::new(row.from_id, row.from_name),
            to: PersonTag::new(row.to_id, row.to_name),
            reason: row.reason,
            at: row.at,
            returned_at: row.returned_at,
        }
    }
}
