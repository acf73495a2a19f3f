//! Evidence as comma-separated values, streamed page by page.

use std::future::Future;

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use workflow::audit::csv_cell;

/// A line of cells that no spreadsheet takes for a formula.
pub fn line<S: AsRef<str>>(cells: &[S]) -> String {
    let mut out = cells
        .iter()
        .map(|cell| csv_cell(cell.as_ref()))
        .collect::<Vec<_>>()
        .join(",");
    out.push_str("\r\n");
    out
}

/// A moment for programs; empty for none.
pub fn moment(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
        .unwrap_or_default()
}

/// Streams pieces until one has nothing after it: `next` gets what the last piece gave, and gives the text and what to ask next.
pub fn stream<T, F, N>(name: &str, first: T, next: N) -> Response
where
    T: Send + 'static,
    F: Future<Output = workflow::Result<(String, Option<T>)>> + Send + 'static,
    N: Fn(T) -> F + Send + 'static,
{
    let pieces = futures::stream::try_unfold((Some(first), next), |(state, next)| async move {
        let Some(state) = state else {
            return Ok::<_, workflow::Error>(None);
        };
        let (text, state) = next(state).await?;
        Ok(Some((text, (state, next))))
    });
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        Body::from_stream(pieces),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_is_one_cell() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(line(&[hostile]).starts_with("\"'"), "{hostile:?}");
        }
        assert_eq!(
            line(&["plain", "a,b", "a\"b"]),
            "plain,\"a,b\",\"a\"\"b\"\r\n"
        );
        assert_eq!(line(&["x;=1"]), "\"x;'=1\"\r\n");
        assert_eq!(moment(None), "");
    }
}
