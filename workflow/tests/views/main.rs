//! What pages show, on both engines: the facts are right, a stranger gets nothing, lists page without gaps.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod acting;
mod asking;
mod deciding;
mod evidence;
mod found;
mod holding;
mod sight;
#[path = "../it/support.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the use cases, which need more of it"
)]
mod support;
mod world;
