//! What the person of a decision has had to do with the package before.

use domain::{
    RequestId, Timestamp,
    request::{LineKind, LineState},
};
use serde::Serialize;
use store::{
    Tx,
    views::{compare::SpanRow, request::FullLineRow},
};

use super::PersonTag;
use crate::Result;

/// Earlier asks that are shown.
const ASKS: i64 = 6;
/// Spans that are added up.
const SPANS: i64 = 500;

/// Earlier asks, and the time held in all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct History {
    /// Earlier asks for the same package, newest first, at most six.
    pub asks: Vec<EarlierAsk>,
    /// How often it was held.
    pub grants: i64,
    /// For how long in all, in seconds; times that lie over each other count once.
    pub held_seconds: i64,
}

/// One earlier ask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EarlierAsk {
    /// The request.
    pub request: RequestId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// How it ended, or that it waits.
    pub state: LineState,
    /// When it was asked.
    pub at: Timestamp,
    /// Who said no, and why.
    pub denied: Option<(PersonTag, String)>,
}

/// Reads what came before a line.
pub(super) async fn before(tx: &mut Tx, row: &FullLineRow, now: Timestamp) -> Result<History> {
    let (person, package) = (row.beneficiary_id, row.package_id);
    let asks = tx
        .earlier_asks(person, package, row.request_id, ASKS)
        .await?;
    let spans = tx.spans_held(person, package, SPANS).await?;
    Ok(History {
        asks: asks
            .into_iter()
            .map(|ask| EarlierAsk {
                request: ask.request_id,
                number: ask.number,
                kind: ask.kind,
                state: ask.state,
                at: ask.submitted_at,
                denied: ask.denied_by.map(|by| {
                    (
                        PersonTag::new(by, ask.denied_by_name.unwrap_or_default()),
                        ask.denied_note.unwrap_or_default(),
                    )
                }),
            })
            .collect(),
        grants: i64::try_from(spans.len()).unwrap_or(SPANS),
        held_seconds: held(&spans, now),
    })
}

/// The seconds that these spans cover, by their beginnings in order; one without an end reaches until now.
fn held(spans: &[SpanRow], now: Timestamp) -> i64 {
    let mut covered = 0;
    let mut until: Option<Timestamp> = None;
    for span in spans {
        let end = span.end_at.unwrap_or(now).min(now);
        let from = until.map_or(span.valid_from, |until| span.valid_from.max(until));
        if end > from {
            covered += (end - from).num_seconds();
            until = Some(end);
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, TimeZone, Utc};

    use super::*;

    #[test]
    fn times_that_lie_over_each_other_count_once() {
        let at = |hour: i64| {
            Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0)
                .single()
                .expect("a fixed instant")
                + Duration::hours(hour)
        };
        let span = |from: i64, end: Option<i64>| SpanRow {
            valid_from: at(from),
            end_at: end.map(at),
        };
        let spans = [
            span(0, Some(4)),
            span(2, Some(3)),
            span(3, Some(6)),
            span(10, Some(11)),
            span(20, None),
        ];
        assert_eq!(held(&spans, at(22)), (6 + 1 + 2) * 3600);
        assert_eq!(held(&[], at(0)), 0);
        // What begins later has not been held yet.
        assert_eq!(held(&[span(30, None)], at(22)), 0);
    }
}
