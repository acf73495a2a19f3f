//! Statements for pages: wide rows, read only, one file for each kind of thing that lists show.
//!
//! Each statement is bounded: a list by its limit and an index in its order, a count by a cap, an `IN` list by the page
//! that it belongs to.

/// Fills `IN (…)`, padded to the next power of two by the last id, so that few different texts exist and each is
/// prepared once.
macro_rules! ids_in {
    ($query:expr, $ids:expr) => {{
        let ids = $ids;
        let last = ids.len().saturating_sub(1);
        let mut list = $query.separated(", ");
        for index in 0..ids.len().next_power_of_two() {
            list.push_bind(ids[index.min(last)].0);
        }
    }};
}

pub mod approvals;
pub mod audit;
pub mod catalog;
pub mod compare;
pub mod conversation;
pub mod evidence;
pub mod grants;
pub mod history;
pub mod lines;
pub mod names;
pub mod people;
pub mod provisioning;
pub mod request;
pub mod reviews;
pub mod scans;
pub mod shell;
pub mod stuck;
pub mod versions;

/// Names of the application's columns as every list reads them.
macro_rules! app_columns {
    () => {
        "a.id AS app_id, a.key AS app_key, a.name AS app_name, a.initials AS app_initials, a.tint AS app_tint, a.url AS app_url"
    };
}
pub(crate) use app_columns;
