//! The component set that every page is made of. Server only, plain data in, HTML out; looks live in `style/`.
//!
//! `use crate::ui::*;` brings all of it. To add one: a file with one idea, its class in `style/components/`, its states in the gallery.

mod control;
mod disclose;
mod duration;
mod faults;
mod field;
pub mod gallery;
mod icon;
mod life;
mod mark;
mod page;
mod search;
mod shell;
mod state;
mod surface;
mod table;
mod text;
mod time;
mod timeline;

pub use control::*;
pub use disclose::*;
pub use duration::*;
pub use faults::*;
pub use field::*;
pub use icon::*;
pub use life::*;
pub use mark::*;
pub use page::*;
pub use search::*;
pub use shell::*;
pub use state::*;
pub use surface::*;
pub use table::*;
pub use text::*;
pub use time::*;
pub use timeline::*;

#[cfg(test)]
mod tests;
