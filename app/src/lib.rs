//! What is shown: pages, forms, components, islands.
//!
//! Everything but [`islands`] exists only on the server (feature `ssr`), so the WebAssembly holds the islands and nothing else.

// The frame around every page is one deep type; rustc counts its layers.
#![recursion_limit = "512"]

#[cfg(feature = "ssr")]
pub mod frame;
pub mod islands;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod problem;
#[cfg(feature = "ssr")]
pub mod problem_page;
#[cfg(feature = "ssr")]
pub mod refusals;
#[cfg(feature = "ssr")]
pub mod render;
#[cfg(feature = "ssr")]
pub mod routes;
pub mod spans;
#[cfg(feature = "ssr")]
pub mod state;
#[cfg(feature = "ssr")]
pub mod ui;
#[cfg(feature = "ssr")]
pub mod visit;
#[cfg(feature = "ssr")]
pub mod words;
