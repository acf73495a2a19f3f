//! The catalogue: find a package, see at a glance what it is, how long it lasts, and whether one may have it.

use domain::{ApplicationId, GrantId, PackageId, RequestId, Timestamp, grant::End};
use serde::Serialize;

use super::{AppTag, Capped, Cursor};
use crate::{Result, Workflow, access::Viewer};

/// What somebody looks for. All given conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What was typed or pasted: a name, a synonym, an owner, an address, a whole "access denied" text.
    pub text: String,
    /// Only this application.
    pub application: Option<ApplicationId>,
    /// Only packages that may be held for at least so many seconds (or permanently).
    pub at_least_seconds: Option<i64>,
    /// Only privileged ones, or only others.
    pub privileged: Option<bool>,
    /// Where the last page ended.
    pub after: Option<Cursor>,
}

/// A page of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Catalog {
    /// Now, for relative times.
    pub now: Timestamp,
    /// All applications, by name, for the filter.
    pub applications: Vec<AppTag>,
    /// How many packages are offered in all.
    pub offered: Capped,
    /// What people of the viewer's department hold most, at most six; only on the first page without text and filters.
    pub like_you: Vec<Card>,
    /// The packages found: by name, or by fit for a pasted text.
    pub cards: Vec<Card>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Whether `text` was read as pasted text: any of its words counts, the best fit first, one page only.
    pub pasted: bool,
}

/// A package on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Which.
    pub id: PackageId,
    /// Its key in the catalogue files.
    pub key: String,
    /// Its application.
    pub app: AppTag,
    /// Its name.
    pub name: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// `SOX`, `GDPR`, …
    pub control_scope: Option<String>,
    /// Offered first in the form, in seconds.
    pub default_seconds: i64,
    /// The longest that may be asked for, in seconds.
    pub longest_seconds: i64,
    /// Whether it may be asked for without an end.
    pub permanent: bool,
    /// How long it usually takes from asking to ready, in seconds: the median of the latest, if there are three or more.
    pub usual_seconds: Option<i64>,
    /// What the viewer holds of it.
    pub held: Option<HeldCard>,
    /// The viewer's request that waits.
    pub waiting: Option<RequestId>,
    /// Why the viewer may not have it, in the policy's words; empty means eligible.
    pub unmet: Vec<String>,
    /// How many of the viewer's department hold it; only under "people like you have".
    pub held_nearby: Option<i64>,
}

/// A grant as a card says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldCard {
    /// Which.
    pub grant: GrantId,
    /// Begins.
    pub from: Timestamp,
    /// Ends.
    pub end: End,
}

/// Reads a page of the catalogue, 24 packages long.
pub async fn load(workflow: &Workflow, viewer: &Viewer, filter: &Filter) -> Result<Catalog> {
    let _ = (workflow, viewer, filter);
    Err(super::common::soon())
}
