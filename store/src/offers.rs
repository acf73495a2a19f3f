//! What an ask needs to know of a package: its current edition, its policy, what is in it.

use domain::{
    AccountId, EntitlementId, GrantId, LineId, PackageId, PackageVersionId, PersonId, TargetId,
};

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
        /// Whether it matters what else somebody holds: it is a portal role, or a rule in force speaks of it.
        pub watched: bool,
    }

    /// A package in its current edition with one of its rights, and what stands beside an ask for it.
    pub struct AskedOfferRow {
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
        /// See [`AskedOffer::held`].
        pub held_id: Option<GrantId>,
        /// See [`AskedOffer::waiting`].
        pub waiting_id: Option<LineId>,
        /// See [`AskedOffer::team`].
        pub team: i64,
        /// See [`AskedOffer::team`].
        pub team_holds: i64,
        /// The right; none in an edition without any.
        pub part_id: Option<EntitlementId>,
        /// Its name.
        pub part_name: Option<String>,
        /// Where it lives.
        pub target_id: Option<TargetId>,
        /// Whether we can set it.
        pub manageable: Option<bool>,
        /// Why not.
        pub unmanageable_reason: Option<String>,
        /// Whether it is privileged.
        pub privileged: Option<bool>,
        /// A control regime that it falls under.
        pub control_scope: Option<String>,
        /// See [`OfferedRow::watched`].
        pub watched: Option<bool>,
    }

    /// One right of a pinned edition, with the package as it is now.
    pub struct TermRow {
        /// The package's name.
        pub name: String,
        /// `offered` or `retired`.
        pub state: String,
        /// The right; none in an edition without any.
        pub part_id: Option<EntitlementId>,
        /// Whether the current edition contains it as well.
        pub kept: bool,
        /// See [`OfferedRow::watched`]; none without a right.
        pub watched: Option<bool>,
    }
}

/// A package as somebody asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedOffer {
    /// In its current edition.
    pub offer: OfferRow,
    /// What that contains, in id order.
    pub parts: Vec<OfferedRow>,
    /// The grant of it that the account holds or is to hold, the one that ends last.
    pub held: Option<GrantId>,
    /// The line that waits for the same: one at most.
    pub waiting: Option<LineId>,
    /// How many others have the beneficiary's manager, and how many of them hold it now.
    pub team: (i64, i64),
}

/// Whether it matters what else somebody holds beside a right.
macro_rules! watched {
    ($entitlement:literal) => {
        concat!(
            "(",
            $entitlement,
            ".kind = 'portal_role' OR EXISTS (SELECT 1 FROM conflict_rights r JOIN conflicts k ON k.id = r.conflict_id \
               WHERE k.retired = FALSE AND r.entitlement_id = ",
            $entitlement,
            ".id)) AS watched"
        )
    };
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
            concat!("SELECT e.id, e.name, e.target_id, e.manageable, e.unmanageable_reason, e.privileged, e.control_scope, ", watched!("e"), "
             FROM package_version_entitlements v JOIN entitlements e ON e.id = v.entitlement_id
             WHERE v.package_version_id = $1 ORDER BY e.id")).bind(version.0).fetch_all(c).await)?)
    }

    /// A package in its current edition with what it contains, and what an ask for it by this person on this account stands
    /// beside, in one statement.
    pub async fn asked_offer(
        &mut self,
        package: PackageId,
        beneficiary: PersonId,
        account: AccountId,
    ) -> Result<Option<AskedOffer>, Error> {
        let rows: Vec<AskedOfferRow> = on!(self, c => sqlx::query_as(concat!(
            "SELECT p.id AS package_id, p.name, p.state, v.id AS version_id, v.number, v.policy,
               (SELECT g.id FROM grants g WHERE g.account_id = $2 AND g.package_id = $1 AND g.state <> 'ended'
                ORDER BY g.end_at DESC NULLS FIRST, g.id LIMIT 1) AS held_id,
               (SELECT l.id FROM lines l WHERE l.beneficiary_id = $3 AND l.package_id = $1 AND l.account_id = $2
                AND l.state = 'awaiting_approval') AS waiting_id,
               (SELECT COUNT(*) FROM persons q JOIN persons o ON o.manager_id = q.manager_id AND o.id <> q.id AND o.state = 'active'
                WHERE q.id = $3) AS team,
               (SELECT COUNT(*) FROM persons q JOIN persons o ON o.manager_id = q.manager_id AND o.id <> q.id AND o.state = 'active'
                WHERE q.id = $3 AND EXISTS (
                  SELECT 1 FROM grants g WHERE g.person_id = o.id AND g.package_id = $1 AND g.state = 'active')) AS team_holds,
               e.id AS part_id, e.name AS part_name, e.target_id, e.manageable, e.unmanageable_reason, e.privileged,
               e.control_scope, ", watched!("e"), "
             FROM packages p JOIN package_versions v ON v.id = p.version_id
             LEFT JOIN package_version_entitlements x ON x.package_version_id = v.id
             LEFT JOIN entitlements e ON e.id = x.entitlement_id
             WHERE p.id = $1 ORDER BY e.id NULLS FIRST"))
            .bind(package.0).bind(account.0).bind(beneficiary.0).fetch_all(c).await)?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let mut asked = AskedOffer {
            offer: OfferRow {
                package_id: first.package_id,
                name: first.name.clone(),
                state: first.state.clone(),
                version_id: first.version_id,
                number: first.number,
                policy: first.policy.clone(),
            },
            parts: Vec::with_capacity(rows.len()),
            held: first.held_id,
            waiting: first.waiting_id,
            team: (first.team, first.team_holds),
        };
        for row in rows {
            if let (Some(id), Some(target_id)) = (row.part_id, row.target_id) {
                asked.parts.push(OfferedRow {
                    id,
                    name: row.part_name.unwrap_or_default(),
                    target_id,
                    manageable: row.manageable.unwrap_or_default(),
                    unmanageable_reason: row.unmanageable_reason,
                    privileged: row.privileged.unwrap_or_default(),
                    control_scope: row.control_scope,
                    watched: row.watched.unwrap_or_default(),
                });
            }
        }
        Ok(Some(asked))
    }

    /// What an edition contains, right by right, and how the package stands now. Empty for an edition that is not known.
    pub async fn terms(&mut self, version: PackageVersionId) -> Result<Vec<TermRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT p.name, p.state, x.entitlement_id AS part_id, EXISTS (SELECT 1 FROM package_version_entitlements n
               WHERE n.package_version_id = p.version_id AND n.entitlement_id = x.entitlement_id) AS kept, ", watched!("e"), "
             FROM package_versions v JOIN packages p ON p.id = v.package_id
             LEFT JOIN package_version_entitlements x ON x.package_version_id = v.id
             LEFT JOIN entitlements e ON e.id = x.entitlement_id
             WHERE v.id = $1 ORDER BY x.entitlement_id NULLS FIRST")).bind(version.0).fetch_all(c).await)?)
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
