//! What an ask needs to know of a package: its current edition, its policy, what is in it.

use domain::{EntitlementId, PackageId, PackageVersionId, PersonId, TargetId};

use crate::engine::{Error, Tx};

row! {
    /// A package in its current edition, or in a pinned one.
    pub struct OfferRow {
        /// The package.
        pub package_id: PackageId,
        /// Its name.
        pub name: String,
        /// `offered` or `retired`.
        pub state: String,
        /// The edition.
        pub version_id: PackageVersionId,
        /// The edition's number.
        pub number: i64,
        /// The edition's policy, as JSON.
        pub policy: String,
    }

    /// One entitlement of an edition.
    pub struct OfferedRow {
        /// The entitlement.
        pub id: EntitlementId,
        /// Its name.
        pub name: String,
        /// Where it lives.
        pub target_id: TargetId,
        /// Whether we can set it.
        pub manageable: bool,
        /// Why not.
        pub unmanageable_reason: Option<String>,
        /// Whether it is privileged.
        pub privileged: bool,
        /// A control regime that it falls under.
        pub control_scope: Option<String>,
    }
}

impl Tx {
    /// A package in its current edition.
    pub async fn offer(&mut self, id: PackageId) -> Result<Option<OfferRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT p.id AS package_id, p.name, p.state, v.id AS version_id, v.number, v.policy
             FROM packages p JOIN package_versions v ON v.id = p.version_id WHERE p.id = $1")
            .bind(id.0).fetch_optional(c).await)?)
    }

    /// A package in a pinned edition.
    pub async fn pinned_offer(
        &mut self,
        version: PackageVersionId,
    ) -> Result<Option<OfferRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT p.id AS package_id, p.name, p.state, v.id AS version_id, v.number, v.policy
             FROM package_versions v JOIN packages p ON p.id = v.package_id WHERE v.id = $1")
            .bind(version.0).fetch_optional(c).await)?)
    }

    /// What an edition contains.
    pub async fn offered(&mut self, version: PackageVersionId) -> Result<Vec<OfferedRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT e.id, e.name, e.target_id, e.manageable, e.unmanageable_reason, e.privileged, e.control_scope
             FROM package_version_entitlements v JOIN entitlements e ON e.id = v.entitlement_id
             WHERE v.package_version_id = $1 ORDER BY e.id").bind(version.0).fetch_all(c).await)?)
    }

    /// The names of an edition's rights that a person holds as imports, on any account.
    pub async fn found_rights(
        &mut self,
        person: PersonId,
        version: PackageVersionId,
    ) -> Result<Vec<String>, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT n.name FROM grants g
             JOIN grant_entitlements x ON x.grant_id = g.id AND x.removed_at IS NULL
             JOIN package_version_entitlements v ON v.entitlement_id = x.entitlement_id AND v.package_version_id = $2
             JOIN entitlements n ON n.id = x.entitlement_id
             WHERE g.person_id = $1 AND g.source = 'import' AND g.state IN ('active', 'suspended') ORDER BY n.name")
            .bind(person.0).bind(version.0).fetch_all(c).await)?)
    }
}
