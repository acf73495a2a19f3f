//! What is shown: pages, forms, components, islands.
//!
//! Everything but [`islands`] exists only on the server (feature `ssr`), so the WebAssembly holds the islands and nothing else.

pub mod islands;
#[cfg(feature = "ssr")]
pub mod render;
pub mod spans;
#[cfg(feature = "ssr")]
pub mod ui;
#[cfg(feature = "ssr")]
pub mod words;
