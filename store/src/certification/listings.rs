//! What the targets listed of the rights that a campaign looks at: as it is now, and as it was when it started.

use domain::{CampaignId, EntitlementId, TargetId, Timestamp, certification::Scope, drift::Stop};
use sqlx::QueryBuilder;

use crate::{
    engine::{At, Error, Tx},
    views::names::NameRow,
};

row! {
    /// What the newest scan said of a right.
    pub struct ListingRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Where it lives.
        pub target_id: TargetId,
        /// When it was looked at; none for never.
        pub scanned_at: Option<Timestamp>,
        /// Why nothing was believed.
        pub stopped: Option<Stop>,
        /// Whom the target listed.
        pub listed: Option<i64>,
        /// Who held it as far as the portal knows.
        pub believed: Option<i64>,
        /// Who held it and no grant explains it.
        pub found: Option<i64>,
        /// From whom it was taken away out of band.
        pub vanished: Option<i64>,
        /// The hash over whom it listed.
        pub listing_hash: Option<String>,
    }

    /// The listing of a right as it was when a campaign started.
    pub struct FrozenListingRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Where it lives.
        pub target_id: TargetId,
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
        /// The hash over whom it listed.
        pub listing_hash: Option<String>,
    }
}

/// What was given out of band and became an import is known here by now; what is left is in `drift`. The portal's own powers are no
/// target's: what is known of them here is what there is.
const NEWEST: &str =
    "SELECT e.id AS entitlement_id, e.target_id, r.scanned_at, r.stopped, r.listed,
       r.believed + r.given - (SELECT COUNT(*) FROM drift d WHERE d.entitlement_id = e.id) AS believed,
       CASE WHEN r.entitlement_id IS NOT NULL THEN (SELECT COUNT(*) FROM drift d WHERE d.entitlement_id = e.id) END AS found,
       r.vanished, r.listing_hash
     FROM entitlements e LEFT JOIN scanned_rights r ON r.entitlement_id = e.id WHERE e.kind <> 'portal_role'";

impl Tx {
    /// The catalogue's rights that a scope looks at, whoever holds them, with what the newest scan said of each.
    pub async fn listings_in_scope(&mut self, scope: &Scope) -> Result<Vec<ListingRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(NEWEST);
            query.push(" AND e.application_id IS NOT NULL");
            if let Some(id) = scope.application {
                query.push(" AND e.application_id = ").push_bind(id.0);
            }
            if let Some(id) = scope.package {
                query.push(" AND EXISTS (SELECT 1 FROM packages k JOIN package_version_entitlements v ON v.package_version_id = k.version_id WHERE v.entitlement_id = e.id AND k.id = ")
                    .push_bind(id.0).push(")");
            }
            if let Some(id) = scope.entitlement {
                query.push(" AND e.id = ").push_bind(id.0);
            }
            if scope.privileged {
                query.push(" AND e.privileged = TRUE");
            }
            if !scope.control_scope.is_empty() {
                query.push(" AND e.control_scope = ").push_bind(scope.control_scope.clone());
            }
            query.push(" ORDER BY e.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The rights of the items that a campaign has frozen, with what the newest scan said of each.
    pub async fn listings_of_items(&mut self, id: CampaignId) -> Result<Vec<ListingRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(NEWEST);
            query.push(" AND EXISTS (SELECT 1 FROM campaign_items i JOIN grant_entitlements x ON x.grant_id = i.grant_id AND x.removed_at IS NULL WHERE x.entitlement_id = e.id AND i.campaign_id = ")
                .push_bind(id.0).push(") ORDER BY e.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The catalogue's rights, by name, for forms.
    pub async fn catalogue_rights(&mut self, limit: i64) -> Result<Vec<NameRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, name, NULL AS page FROM entitlements WHERE application_id IS NOT NULL ORDER BY name, id LIMIT $1")
            .bind(limit).fetch_all(c).await)?)
    }

    /// Freezes listings with a draft.
    pub async fn insert_listings(
        &mut self,
        campaign: CampaignId,
        rows: &[FrozenListingRow],
    ) -> Result<(), Error> {
        for chunk in rows.chunks(400) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO campaign_listings (campaign_id, entitlement_id, target_id, covered, scanned_at, listed, believed, found, vanished, listing_hash) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(campaign.0).push_bind(row.entitlement_id.0).push_bind(row.target_id.0).push_bind(row.covered)
                        .push_bind(row.scanned_at.map(At)).push_bind(row.listed).push_bind(row.believed).push_bind(row.found)
                        .push_bind(row.vanished).push_bind(row.listing_hash.clone());
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// The listings that a campaign has frozen, by right.
    pub async fn listings_of(&mut self, id: CampaignId) -> Result<Vec<FrozenListingRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT entitlement_id, target_id, covered, scanned_at, listed, believed, found, vanished, listing_hash
             FROM campaign_listings WHERE campaign_id = $1 ORDER BY entitlement_id").bind(id.0).fetch_all(c).await)?)
    }
}
