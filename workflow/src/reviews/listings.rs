//! What the targets listed of the rights that a campaign looks at, beside what the portal believed: frozen when it starts, sealed
//! in the hash of its population, and part of its report.

use std::collections::BTreeMap;

use domain::{
    CampaignId, EntitlementId, TargetId, Timestamp,
    certification::{Scope, covered},
};
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    certification::{FrozenListingRow, ListingRow},
};

use crate::{Result, Unit};

/// The listing of one right, as the report has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The right.
    pub right: EntitlementId,
    /// Where it lives.
    pub target: TargetId,
    /// Whether it was read whole and lately.
    pub covered: bool,
    /// When it was looked at; none for never.
    pub scanned_at: Option<Timestamp>,
    /// Whom the target listed.
    pub listed: Option<i64>,
    /// Who held it as far as the portal knew.
    pub believed: Option<i64>,
    /// Who held it and no grant explained it.
    pub found: Option<i64>,
    /// From whom it was taken away out of band.
    pub vanished: Option<i64>,
    /// The hash over whom the target listed.
    pub hash: Option<String>,
}

impl From<FrozenListingRow> for Listing {
    fn from(row: FrozenListingRow) -> Self {
        Self {
            right: row.entitlement_id,
            target: row.target_id,
            covered: row.covered,
            scanned_at: row.scanned_at,
            listed: row.listed,
            believed: row.believed,
            found: row.found,
            vanished: row.vanished,
            hash: row.listing_hash,
        }
    }
}

impl Listing {
    /// One line of what the population's hash is over.
    pub(super) fn sealed(&self) -> String {
        let count = |count: Option<i64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
        format!(
            "listing|{}|{}|{}|{}|{}|{}|{}|{}|{}\n",
            self.right,
            self.target,
            self.covered,
            self.scanned_at.map_or_else(
                || "-".to_owned(),
                |at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
            ),
            count(self.listed),
            count(self.believed),
            count(self.found),
            count(self.vanished),
            self.hash.as_deref().unwrap_or("-"),
        )
    }
}

/// What the listings of one target come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many rights there are.
    pub rights: i64,
    /// Of how many the target was not read whole and lately.
    pub unread: i64,
    /// Whom the target listed, right by right.
    pub listed: i64,
    /// Who held them as far as the portal knew.
    pub believed: i64,
    /// Who held them and no grant explained it.
    pub found: i64,
    /// From whom they were taken away out of band.
    pub vanished: i64,
}

impl Counts {
    /// What is left between there and here: what was being changed while it was listed.
    pub const fn difference(&self) -> i64 {
        self.listed - (self.believed + self.found - self.vanished)
    }

    fn add(&mut self, listing: &Listing) {
        self.rights += 1;
        if !listing.covered {
            self.unread += 1;
            return;
        }
        self.listed += listing.listed.unwrap_or_default();
        self.believed += listing.believed.unwrap_or_default();
        self.found += listing.found.unwrap_or_default();
        self.vanished += listing.vanished.unwrap_or_default();
    }
}

/// What listings come to, target by target.
pub(crate) fn by_target(listings: &[Listing]) -> BTreeMap<TargetId, Counts> {
    let mut counts = BTreeMap::<TargetId, Counts>::new();
    for listing in listings {
        counts.entry(listing.target).or_default().add(listing);
    }
    counts
}

/// What a campaign has frozen.
pub(crate) async fn of(tx: &mut Tx, id: CampaignId) -> Result<Vec<Listing>> {
    let rows = tx.listings_of(id).await?;
    Ok(rows.into_iter().map(Listing::from).collect())
}

/// What a draft over this scope would freeze now, of the catalogue's rights.
pub(crate) async fn preview(tx: &mut Tx, scope: &Scope, now: Timestamp) -> Result<Vec<Listing>> {
    if !looks_at_rights(scope) {
        return Ok(Vec::new());
    }
    let rows = tx.listings_in_scope(scope).await?;
    Ok(rows
        .into_iter()
        .map(|row| Listing::from(as_of(row, now)))
        .collect())
}

/// Whether a scope looks at rights whoever holds them, and not at certain people.
fn looks_at_rights(scope: &Scope) -> bool {
    scope.person.is_none() && scope.department.is_empty() && scope.employee_type.is_empty()
}

fn as_of(row: ListingRow, now: Timestamp) -> FrozenListingRow {
    let whole = row.stopped.is_none()
        && row
            .listing_hash
            .as_deref()
            .is_some_and(|one| !one.is_empty());
    FrozenListingRow {
        entitlement_id: row.entitlement_id,
        target_id: row.target_id,
        covered: covered(row.scanned_at.filter(|_| whole), now),
        scanned_at: row.scanned_at,
        listed: row.listed,
        believed: row.believed,
        found: row.found,
        vanished: row.vanished,
        listing_hash: row.listing_hash,
    }
}

/// Freezes the listings of what a draft has taken in, and, where it looks at rights whoever holds them, of all rights in its
/// scope. Gives the lines that its hash goes over.
pub(super) async fn freeze(
    unit: &mut Unit,
    id: CampaignId,
    scope: Option<&Scope>,
) -> Result<Vec<String>> {
    let now = unit.now;
    let mut rows = unit.tx.listings_of_items(id).await?;
    if let Some(scope) = scope.filter(|scope| looks_at_rights(scope)) {
        rows.extend(unit.tx.listings_in_scope(scope).await?);
    }
    let by_right: BTreeMap<EntitlementId, FrozenListingRow> = rows
        .into_iter()
        .map(|row| (row.entitlement_id, as_of(row, now)))
        .collect();
    let rows: Vec<FrozenListingRow> = by_right.into_values().collect();
    unit.tx.insert_listings(id, &rows).await?;
    unit.tx.freeze_targets(id).await?;
    Ok(rows
        .into_iter()
        .map(|row| Listing::from(row).sealed())
        .collect())
}
