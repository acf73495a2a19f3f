//! The leaves that come alive in the browser. Each is a few lines of markup that work as they are, and a file of behaviour that
//! only the WebAssembly holds. Props are small and plain: they are written into the page.
//!
//! Behaviour reaches into the document by `data-` attributes that the components of `ui` set; no island holds state of the house.

mod duration;
mod keys;
mod live;
mod search;
mod start;
mod time;
mod worklist;

#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod drafts;

pub use duration::DurationPicker;
pub use keys::Keys;
pub use live::LiveRegion;
pub use search::SearchBox;
pub use start::StartPicker;

pub use time::LocalTime;
pub use worklist::Worklist;
