//! The catalogue: its editions, applications, entitlements and packages.

use domain::{
    AccountId, ApplicationId, CatalogueVersionId, EntitlementId, GrantId, PackageId,
    PackageVersionId, PersonId, TargetId, Timestamp, drift::Drift,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

domain::words! {
    /// Where an edition of the catalogue stands.
    pub enum VersionState {
        /// It widens, and waits for a second person.
        Pending = "pending",
        /// It is what is offered.
        Published = "published",
        /// A later one took its place.
        Superseded = "superseded",
        /// A second person said no.
        Refused = "refused",
    }
}

row! {
    /// One edition of the catalogue files.
    pub struct CatalogueVersionRow {
        /// Which.
        pub id: CatalogueVersionId,
        /// From 1.
        pub number: i64,
        /// Where it stands.
        pub state: VersionState,
        /// Who drafted it; none for the command line.
        pub drafted_by: Option<PersonId>,
        /// SHA-256 of the sorted files, hex.
        pub file_hash: String,
        /// The whole content, as JSON.
        pub content: String,
        /// The difference to the edition before it, as JSON.
        pub difference: String,
        /// Whether it widens.
        pub widens: bool,
        /// When it was handed in.
        pub created_at: Timestamp,
        /// Who confirmed or refused it.
        pub decided_by: Option<PersonId>,
        /// When.
        pub decided_at: Option<Timestamp>,
    }

    /// One application.
    pub struct ApplicationRow {
        /// Which.
        pub id: ApplicationId,
        /// Its key in the files.
        pub key: String,
        /// Its name.
        pub name: String,
        /// What it is for.
        pub summary: String,
        /// Its address.
        pub url: String,
        /// Which tint its tile has.
        pub tint: String,
        /// The letters on its tile.
        pub initials: String,
        /// Whether the files no longer name it.
        pub retired: bool,
    }

    /// One concrete right, named by the files or only imported.
    pub struct EntitlementRow {
        /// Which.
        pub id: EntitlementId,
        /// Its key: the files', or kind and external id.
        pub key: String,
        /// Where it lives.
        pub target_id: TargetId,
        /// Its application, if the files name one.
        pub application_id: Option<ApplicationId>,
        /// `group`, `app_role`, `licence`, `portal_role`, or what [`domain::catalogue::TargetKind::right`] says.
        pub kind: String,
        /// The target's own id.
        pub external_id: String,
        /// Its name.
        pub name: String,
        /// What holding it means.
        pub summary: String,
        /// The object that a write locks at the target.
        pub lane: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// The control regime that it falls under.
        pub control_scope: Option<String>,
        /// Whether we can set it.
        pub manageable: bool,
        /// Why not.
        pub unmanageable_reason: Option<String>,
        /// How long it takes to bite, in seconds.
        pub effective_within_seconds: i64,
        /// Who decides on findings about it, and does it where it is done by hand.
        pub owner_id: Option<PersonId>,
        /// What becomes of it where somebody gives it out of band.
        pub drift: Drift,
        /// What is to be done by hand; empty where a program does it.
        pub instructions: String,
        /// Within which time, in seconds; zero where a program does it.
        pub due_within_seconds: i64,
        /// What the import read, as JSON; empty if it was never imported.
        pub facts: String,
    }

    /// One package, with what lists repeat of its current edition.
    pub struct PackageRow {
        /// Which.
        pub id: PackageId,
        /// Its key in the files.
        pub key: String,
        /// Its application.
        pub application_id: ApplicationId,
        /// Its name.
        pub name: String,
        /// What it is for.
        pub summary: String,
        /// `offered` or `retired`.
        pub state: String,
        /// The current edition.
        pub version_id: Option<PackageVersionId>,
        /// Whether it holds a privileged right.
        pub privileged: bool,
        /// The control regimes of its rights.
        pub control_scope: Option<String>,
        /// Offered first in the form, in seconds.
        pub default_seconds: i64,
        /// The longest that may be asked for, in seconds.
        pub longest_seconds: i64,
        /// Whether it may be asked for without end.
        pub permanent: bool,
        /// What search compares with.
        pub search_key: String,
        /// When it last changed.
        pub updated_at: Timestamp,
    }

    /// How many people hold a package now.
    pub struct HoldersRow {
        /// The package's key.
        pub key: String,
        /// How many.
        pub people: i64,
    }

    /// A right that a live grant held and that its package no longer has.
    pub struct DroppedRow {
        /// The grant.
        pub grant_id: GrantId,
        /// Whose grant it is.
        pub person_id: PersonId,
        /// The account.
        pub account_id: AccountId,
        /// The right.
        pub entitlement_id: EntitlementId,
    }
}

macro_rules! select_version {
    ($tail:literal) => {
        concat!(
            "SELECT id, number, state, drafted_by, file_hash, content, difference, widens, created_at, decided_by, \
             decided_at FROM catalogue_versions",
            $tail
        )
    };
}

/// One new edition of a package.
#[derive(Clone, Debug)]
pub struct NewPackageVersion {
    /// Its id.
    pub id: PackageVersionId,
    /// The package.
    pub package: PackageId,
    /// From 1 for each package.
    pub number: i64,
    /// The edition of the catalogue that it came with.
    pub catalogue: CatalogueVersionId,
    /// The policy, as JSON.
    pub policy: String,
    /// What it opens, as a JSON list of sentences.
    pub opens: String,
    /// What is in it.
    pub content: Vec<EntitlementId>,
}

impl Tx {
    /// Lets one change of the catalogue happen at a time, until the transaction ends.
    pub async fn lock_catalogue(&mut self) -> Result<(), Error> {
        self.count("catalogue").await.map(drop)
    }

    /// The number for the next edition. The caller holds the catalogue's lock.
    pub async fn next_catalogue_number(&mut self) -> Result<i64, Error> {
        Ok(
            on!(self, c => sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM catalogue_versions")
            .fetch_one(c).await)?,
        )
    }

    /// The edition that is published.
    pub async fn published_catalogue(&mut self) -> Result<Option<CatalogueVersionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_version!(" WHERE state = 'published'"))
            .fetch_optional(c).await)?,
        )
    }

    /// The editions that wait for a second person, newest first.
    pub async fn pending_catalogues(&mut self) -> Result<Vec<CatalogueVersionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_version!(" WHERE state = 'pending' ORDER BY number DESC"))
            .fetch_all(c).await)?,
        )
    }

    /// One edition.
    pub async fn catalogue_version(
        &mut self,
        id: CatalogueVersionId,
    ) -> Result<Option<CatalogueVersionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_version!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// A page of editions, newest first, older than the number `before`.
    pub async fn catalogue_versions(
        &mut self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<CatalogueVersionRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_version!(" WHERE number < $1 ORDER BY number DESC LIMIT $2"))
            .bind(before.unwrap_or(i64::MAX)).bind(limit).fetch_all(c).await)?,
        )
    }

    /// Enters an edition.
    pub async fn insert_catalogue_version(
        &mut self,
        row: &CatalogueVersionRow,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO catalogue_versions (id, number, state, drafted_by, file_hash, content, difference, widens,
               created_at, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(row.id.0).bind(row.number).bind(row.state.as_str()).bind(row.drafted_by.map(|id| id.0))
            .bind(&row.file_hash).bind(&row.content).bind(&row.difference).bind(row.widens).bind(At(row.created_at))
            .bind(row.decided_by.map(|id| id.0)).bind(row.decided_at.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Moves an edition on, if it still stands where the caller saw it.
    pub async fn move_catalogue_version(
        &mut self,
        id: CatalogueVersionId,
        from: VersionState,
        to: VersionState,
        by: Option<PersonId>,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE catalogue_versions SET state = $3, decided_by = COALESCE($4, decided_by),
               decided_at = CASE WHEN $4 IS NULL THEN decided_at ELSE $5 END WHERE id = $1 AND state = $2")
            .bind(id.0).bind(from.as_str()).bind(to.as_str()).bind(by.map(|id| id.0)).bind(At(at))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// The Graph target of a tenant.
    pub async fn entra_target(&mut self, tenant: Uuid) -> Result<Option<TargetId>, Error> {
        let id: Option<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM targets WHERE kind = 'graph' AND tenant_id = $1 ORDER BY id LIMIT 1")
            .bind(tenant).fetch_optional(c).await)?;
        Ok(id.map(TargetId))
    }

    /// Makes the Graph target of a tenant. Gives the one that is there, if one is.
    pub async fn ensure_entra_target(
        &mut self,
        id: TargetId,
        tenant: Uuid,
    ) -> Result<TargetId, Error> {
        if let Some(known) = self.entra_target(tenant).await? {
            return Ok(known);
        }
        on!(self, c => sqlx::query(
            "INSERT INTO targets (id, key, kind, name, tenant_id) VALUES ($1, 'entra', 'graph', 'Entra ID', $2)")
            .bind(id.0).bind(tenant).execute(c).await.map(drop))?;
        Ok(id)
    }

    /// The target of the portal's own powers, if the catalogue has ever named one.
    pub async fn portal_target(&mut self) -> Result<Option<TargetId>, Error> {
        let id: Option<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM targets WHERE kind = 'portal'").fetch_optional(c).await)?;
        Ok(id.map(TargetId))
    }

    /// Makes the target of the portal's own powers. Gives the one that is there, if one is.
    pub async fn ensure_portal_target(&mut self, id: TargetId) -> Result<TargetId, Error> {
        if let Some(known) = self.portal_target().await? {
            return Ok(known);
        }
        on!(self, c => sqlx::query(
            "INSERT INTO targets (id, key, kind, name) VALUES ($1, 'latchkey', 'portal', 'Latchkey')")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(id)
    }

    /// All applications, retired ones too.
    pub async fn applications(&mut self) -> Result<Vec<ApplicationRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, key, name, summary, url, tint, initials, retired FROM applications ORDER BY key")
            .fetch_all(c).await)?)
    }

    /// Writes an application, new or known by its id.
    pub async fn save_application(&mut self, row: &ApplicationRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO applications (id, key, name, summary, url, tint, initials, retired)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, summary = excluded.summary, url = excluded.url,
               tint = excluded.tint, initials = excluded.initials, retired = excluded.retired")
            .bind(row.id.0).bind(&row.key).bind(&row.name).bind(&row.summary).bind(&row.url).bind(&row.tint)
            .bind(&row.initials).bind(row.retired).execute(c).await.map(drop))?;
        Ok(())
    }

    /// All entitlements of a target, whether the files name them or not.
    pub async fn entitlements(&mut self, target: TargetId) -> Result<Vec<EntitlementRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, key, target_id, application_id, kind, external_id, name, summary, lane, privileged, control_scope,
               manageable, unmanageable_reason, effective_within_seconds, owner_id, drift, instructions,
               due_within_seconds, facts
             FROM entitlements WHERE target_id = $1 ORDER BY id").bind(target.0).fetch_all(c).await)?)
    }

    /// Writes entitlements, new or known by their id. Two that swap keys must be written one after the other.
    pub async fn save_entitlements(&mut self, rows: &[EntitlementRow]) -> Result<(), Error> {
        for chunk in rows.chunks(300) {
            on!(self, c => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO entitlements (id, key, target_id, application_id, kind, external_id, name, summary, lane,
                       privileged, control_scope, manageable, unmanageable_reason, effective_within_seconds, owner_id,
                       drift, instructions, due_within_seconds, facts) ");
                query.push_values(chunk, |mut tuple, row| {
                    tuple.push_bind(row.id.0).push_bind(row.key.clone()).push_bind(row.target_id.0)
                        .push_bind(row.application_id.map(|id| id.0)).push_bind(row.kind.clone())
                        .push_bind(row.external_id.clone()).push_bind(row.name.clone()).push_bind(row.summary.clone())
                        .push_bind(row.lane.clone()).push_bind(row.privileged).push_bind(row.control_scope.clone())
                        .push_bind(row.manageable).push_bind(row.unmanageable_reason.clone())
                        .push_bind(row.effective_within_seconds).push_bind(row.owner_id.map(|id| id.0))
                        .push_bind(row.drift.as_str()).push_bind(row.instructions.clone()).push_bind(row.due_within_seconds).push_bind(row.facts.clone());
                });
                query.push(
                    " ON CONFLICT (id) DO UPDATE SET key = excluded.key, application_id = excluded.application_id,
                        name = excluded.name, summary = excluded.summary, lane = excluded.lane,
                        privileged = excluded.privileged, control_scope = excluded.control_scope,
                        manageable = excluded.manageable, unmanageable_reason = excluded.unmanageable_reason,
                        effective_within_seconds = excluded.effective_within_seconds, owner_id = excluded.owner_id,
                        drift = excluded.drift, instructions = excluded.instructions, due_within_seconds = excluded.due_within_seconds,
                        facts = excluded.facts");
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// All packages, retired ones too.
    pub async fn packages(&mut self) -> Result<Vec<PackageRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, key, application_id, name, summary, state, version_id, privileged, control_scope, default_seconds,
               longest_seconds, permanent, search_key, updated_at FROM packages ORDER BY key").fetch_all(c).await)?)
    }

    /// Writes a package, new or known by its id.
    pub async fn save_package(&mut self, row: &PackageRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO packages (id, key, application_id, name, summary, state, version_id, privileged, control_scope,
               default_seconds, longest_seconds, permanent, search_key, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (id) DO UPDATE SET application_id = excluded.application_id, name = excluded.name,
               summary = excluded.summary, state = excluded.state, version_id = excluded.version_id,
               privileged = excluded.privileged, control_scope = excluded.control_scope,
               default_seconds = excluded.default_seconds, longest_seconds = excluded.longest_seconds,
               permanent = excluded.permanent, search_key = excluded.search_key, updated_at = excluded.updated_at")
            .bind(row.id.0).bind(&row.key).bind(row.application_id.0).bind(&row.name).bind(&row.summary)
            .bind(&row.state).bind(row.version_id.map(|id| id.0)).bind(row.privileged).bind(&row.control_scope)
            .bind(row.default_seconds).bind(row.longest_seconds).bind(row.permanent).bind(&row.search_key)
            .bind(At(row.updated_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The highest edition number of a package; 0 if it has none.
    pub async fn last_package_number(&mut self, package: PackageId) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COALESCE(MAX(number), 0) FROM package_versions WHERE package_id = $1")
            .bind(package.0).fetch_one(c).await)?)
    }

    /// Enters an edition of a package with its content.
    pub async fn insert_package_version(
        &mut self,
        new: &NewPackageVersion,
        at: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO package_versions (id, package_id, number, catalogue_version_id, policy, opens, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(new.id.0).bind(new.package.0).bind(new.number).bind(new.catalogue.0).bind(&new.policy)
            .bind(&new.opens).bind(At(at)).execute(c).await.map(drop))?;
        if new.content.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new(
                "INSERT INTO package_version_entitlements (package_version_id, entitlement_id) ");
            query.push_values(&new.content, |mut tuple, id| {
                tuple.push_bind(new.id.0).push_bind(id.0);
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Makes these people, and nobody else, the owners of a package.
    pub async fn set_owners(
        &mut self,
        package: PackageId,
        owners: &[PersonId],
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM package_owners WHERE package_id = $1")
            .bind(package.0).execute(c).await.map(drop))?;
        if owners.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("INSERT INTO package_owners (package_id, person_id) ");
            query.push_values(owners, |mut tuple, id| {
                tuple.push_bind(package.0).push_bind(id.0);
            });
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// How many people hold each package now or from a date that is fixed.
    pub async fn package_holders(&mut self) -> Result<Vec<HoldersRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT p.key, COUNT(DISTINCT g.person_id) AS people FROM grants g JOIN packages p ON p.id = g.package_id
             WHERE g.state <> 'ended' GROUP BY p.key ORDER BY p.key").fetch_all(c).await)?)
    }

    /// The people whose live grants of a package hold any of these rights, in id order.
    pub async fn people_with_content(
        &mut self,
        package: PackageId,
        rights: &[EntitlementId],
    ) -> Result<Vec<PersonId>, Error> {
        let mut people: Vec<PersonId> = self
            .content_to_drop(package, rights)
            .await?
            .into_iter()
            .map(|row| row.person_id)
            .collect();
        people.sort_unstable();
        people.dedup();
        Ok(people)
    }

    /// What live grants of a package hold of these rights.
    pub async fn content_to_drop(
        &mut self,
        package: PackageId,
        rights: &[EntitlementId],
    ) -> Result<Vec<DroppedRow>, Error> {
        if rights.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT e.grant_id, g.person_id, e.account_id, e.entitlement_id
                 FROM grant_entitlements e JOIN grants g ON g.id = e.grant_id
                 WHERE g.state <> 'ended' AND e.removed_at IS NULL AND g.package_id = ");
            query.push_bind(package.0).push(" AND e.entitlement_id IN (");
            let mut list = query.separated(", ");
            for right in rights {
                list.push_bind(right.0);
            }
            query.push(") ORDER BY e.account_id, e.entitlement_id, e.grant_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Takes a right out of a grant. The row stays as evidence of what was held until then.
    pub async fn drop_content(
        &mut self,
        grant: GrantId,
        right: EntitlementId,
        at: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE grant_entitlements SET removed_at = $3
             WHERE grant_id = $1 AND entitlement_id = $2 AND removed_at IS NULL")
            .bind(grant.0).bind(right.0).bind(At(at)).execute(c).await.map(drop))?;
        Ok(())
    }
}
