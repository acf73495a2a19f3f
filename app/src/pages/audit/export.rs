//! The log as a file, streamed: as long as it is, it never lies in memory whole.

use axum::{
    body::Body,
    extract::Query,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use workflow::audit::{Format, take};

use super::{Asked, EXPORTERS};
use crate::{problem::Fault, visit::Visit};

/// As JSON lines: what `latchkey audit verify` reads.
pub async fn json_lines(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    export(
        &visit,
        &asked,
        Format::JsonLines,
        "application/x-ndjson",
        "jsonl",
    )
    .await
}

/// As comma-separated values, safe to open in a spreadsheet.
pub async fn csv(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    export(
        &visit,
        &asked,
        Format::Csv,
        "text/csv; charset=utf-8",
        "csv",
    )
    .await
}

async fn export(
    visit: &Visit,
    asked: &Asked,
    format: Format,
    kind: &'static str,
    ending: &str,
) -> Result<Response, Fault> {
    // Who may not take it along is told so before anything else.
    visit.viewer.must_have(EXPORTERS)?;
    let meant = asked.meant(visit).await?;
    if !meant.faults.is_empty() {
        // The page says beside its fields what is wrong.
        return Ok(Redirect::to(&asked.address("/audit", &[])).into_response());
    }
    let export = take(visit.workflow(), &visit.viewer, &meant.filter, format).await?;
    let pieces = futures::stream::try_unfold(export, |mut export| async move {
        Ok::<_, workflow::Error>(export.next().await?.map(|piece| (piece, export)))
    });
    let name = format!(
        "attachment; filename=\"latchkey-audit-{}.{ending}\"",
        visit.now().format("%Y-%m-%d")
    );
    Ok((
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, name),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        Body::from_stream(pieces),
    )
        .into_response())
}
