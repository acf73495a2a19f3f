//! The site's files: embedded, compressed beforehand, under an address that changes with their content.

use std::sync::OnceLock;

use axum::{
    Extension,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::problem::Machine;

/// What the site's build leaves in `target/site`. Without a build it is empty, which is enough for tests.
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Site;

/// Names the embedded files by their content: part of every address of theirs, so browsers may keep them for ever.
pub fn build_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let mut names: Vec<_> = Site::iter().collect();
        names.sort();
        let mut hasher = Sha256::new();
        for name in names {
            if let Some(file) = Site::get(&name) {
                hasher.update(name.as_bytes());
                hasher.update(file.metadata.sha256_hash());
            }
        }
        let hash = hasher.finalize();
        let short = hash[..8]
            .iter()
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        format!("{short:016x}")
    })
}

/// `GET /pkg/{build}/{file}`. A page of an older build may still ask for its files: same name, not kept for ever.
pub async fn file(Path((build, file)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let kind = match file.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "wasm")) => "application/wasm",
        Some((_, "svg")) => "image/svg+xml",
        Some((_, "woff2")) => "font/woff2",
        _ => return (StatusCode::NOT_FOUND, Extension(Machine)).into_response(),
    };
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let accepts = |coding: &str| {
        accepted.split(',').any(|part| {
            let mut parts = part.trim().split(';');
            parts.next() == Some(coding) && !parts.any(|q| matches!(q.trim(), "q=0" | "q=0.0"))
        })
    };
    let variants = [("br", ".br"), ("gzip", ".gz")];
    let found = variants
        .iter()
        .filter(|(coding, _)| accepts(coding))
        .find_map(|(coding, ending)| {
            Site::get(&format!("pkg/{file}{ending}")).map(|found| (found, Some(*coding)))
        })
        .or_else(|| Site::get(&format!("pkg/{file}")).map(|found| (found, None)));
    let Some((found, coding)) = found else {
        return (StatusCode::NOT_FOUND, Extension(Machine)).into_response();
    };
    let keep = if build == build_id() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = Response::new(match found.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    });
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}
