//! Packages on cards and on their own page.

use domain::{
    ApplicationId, EntitlementId, GrantId, LineId, PackageId, PackageVersionId, PersonId,
    RequestId, Timestamp,
};
use sqlx::QueryBuilder;

use super::app_columns;
use crate::engine::{At, Error, Tx};

row! {
    /// An application of the catalogue.
    pub struct AppRow {
        /// Which.
        pub id: ApplicationId,
        /// Its key.
        pub key: String,
        /// Its name.
        pub name: String,
        /// Its tile's letters.
        pub initials: String,
        /// Its tile's colour.
        pub tint: String,
        /// Its address.
        pub url: String,
    }

    /// A package with its application and its current policy.
    pub struct CardRow {
        /// Which.
        pub id: PackageId,
        /// Its key.
        pub key: String,
        /// Its name.
        pub name: String,
        /// What it is for.
        pub summary: String,
        /// Whether it is offered.
        pub offered: bool,
        /// Whether it is privileged.
        pub privileged: bool,
        /// `SOX`, `GDPR`, …
        pub control_scope: Option<String>,
        /// Offered first in the form.
        pub default_seconds: i64,
        /// The longest that may be asked for.
        pub longest_seconds: i64,
        /// Whether it may be asked for without an end.
        pub permanent: bool,
        /// What search compares with.
        pub search_key: String,
        /// The application.
        pub app_id: ApplicationId,
        /// Its key.
        pub app_key: String,
        /// Its name.
        pub app_name: String,
        /// Its tile's letters.
        pub app_initials: String,
        /// Its tile's colour.
        pub app_tint: String,
        /// Its address.
        pub app_url: String,
        /// The current edition.
        pub version_id: PackageVersionId,
        /// Its number.
        pub number: i64,
        /// Its policy, as JSON.
        pub policy: String,
        /// What it opens.
        pub opens: String,
    }

    /// How long one of the latest grants of a package took to be ready.
    pub struct ReadyRow {
        /// The package.
        pub package_id: PackageId,
        /// When it was asked.
        pub submitted_at: Timestamp,
        /// When every target confirmed it.
        pub ready_at: Timestamp,
    }

    /// What somebody has of a package: a grant, or a waiting line.
    pub struct MineRow {
        /// The package.
        pub package_id: PackageId,
        /// The grant, if it is one.
        pub grant_id: Option<GrantId>,
        /// Begins.
        pub valid_from: Option<Timestamp>,
        /// Ends; none for without end, or for a line.
        pub end_at: Option<Timestamp>,
        /// The waiting request, if it is one.
        pub request_id: Option<RequestId>,
        /// Its line.
        pub line_id: Option<LineId>,
    }

    /// A package that colleagues hold.
    pub struct NearbyRow {
        /// Which.
        pub package_id: PackageId,
        /// How many of those looked at hold it.
        pub holders: i64,
    }

    /// A package that somebody had.
    pub struct HadRow {
        /// Which.
        pub package_id: PackageId,
        /// When it last ended.
        pub last_at: Timestamp,
    }

    /// One right of an edition.
    pub struct ContentsRow {
        /// Which.
        pub id: EntitlementId,
        /// Its name at the target.
        pub name: String,
        /// What it lets somebody do.
        pub summary: String,
        /// `group`, `app_role`, `licence` or `portal_role`.
        pub kind: String,
        /// The target's name.
        pub target_name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// `SOX`, `GDPR`, …
        pub control_scope: Option<String>,
        /// How long a change takes to bite.
        pub effective_within_seconds: i64,
        /// Whether we can set it.
        pub manageable: bool,
        /// Why not.
        pub unmanageable_reason: Option<String>,
    }

    /// Somebody by name.
    pub struct NamedRow {
        /// Who.
        pub id: PersonId,
        /// Their name.
        pub name: String,
    }
}

/// Which packages a page shows. All given conditions hold.
#[derive(Clone, Debug, Default)]
pub struct CardQuery {
    /// Words, folded like the search key; each must be found.
    pub all_of: Vec<String>,
    /// Words, folded like the search key; one must be found.
    pub any_of: Vec<String>,
    /// Only this application.
    pub application: Option<ApplicationId>,
    /// Only packages that may be held at least so long, or permanently.
    pub at_least_seconds: Option<i64>,
    /// Only privileged ones, or only others.
    pub privileged: Option<bool>,
    /// After this name and id.
    pub after: Option<(String, PackageId)>,
    /// At most so many.
    pub limit: i64,
}

macro_rules! card_select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.key, p.name, p.summary, (p.state = 'offered') AS offered, p.privileged, p.control_scope,
               p.default_seconds, p.longest_seconds, p.permanent, p.search_key, ",
            app_columns!(),
            ", v.id AS version_id, v.number, v.policy, v.opens
             FROM packages p JOIN applications a ON a.id = p.application_id JOIN package_versions v ON v.id = p.version_id",
            $rest
        )
    };
}

impl Tx {
    /// The applications that offer something, by name.
    pub async fn application_tags(&mut self) -> Result<Vec<AppRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, key, name, initials, tint, url FROM applications WHERE retired = FALSE ORDER BY name, id")
            .fetch_all(c).await)?)
    }

    /// One application, retired or not.
    pub async fn application_tag(&mut self, id: ApplicationId) -> Result<Option<AppRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, key, name, initials, tint, url FROM applications WHERE id = $1")
            .bind(id.0).fetch_optional(c).await)?)
    }

    /// How many packages are offered, counted up to `cap`.
    pub async fn count_offered(&mut self, cap: i64) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 FROM packages WHERE state = 'offered' LIMIT $1) AS capped")
            .bind(cap).fetch_one(c).await)?)
    }

    /// A page of offered packages by name.
    pub async fn cards(&mut self, wanted: &CardQuery) -> Result<Vec<CardRow>, Error> {
        Ok(on!(self, c => {
            // The page is found by what the packages themselves say; only its own rows are read whole.
            let mut query = QueryBuilder::new(card_select!(" WHERE p.id IN (SELECT p.id FROM packages p WHERE p.state = 'offered'"));
            for word in &wanted.all_of {
                query.push(" AND p.search_key LIKE ").push_bind(like(word)).push(" ESCAPE '\\'");
            }
            for (index, word) in wanted.any_of.iter().enumerate() {
                query.push(if index == 0 { " AND (" } else { " OR " });
                query.push("p.search_key LIKE ").push_bind(like(word)).push(" ESCAPE '\\'");
            }
            if !wanted.any_of.is_empty() {
                query.push(")");
            }
            if let Some(application) = wanted.application {
                query.push(" AND p.application_id = ").push_bind(application.0);
            }
            if let Some(seconds) = wanted.at_least_seconds {
                query.push(" AND (p.longest_seconds >= ").push_bind(seconds).push(" OR p.permanent = TRUE)");
            }
            if let Some(privileged) = wanted.privileged {
                query.push(" AND p.privileged = ").push_bind(privileged);
            }
            if let Some((name, id)) = &wanted.after {
                query.push(" AND (p.name, p.id) > (").push_bind(name.clone()).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY p.name, p.id LIMIT ").push_bind(wanted.limit).push(") ORDER BY p.name, p.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// These packages, offered or not.
    pub async fn cards_by_ids(&mut self, ids: &[PackageId]) -> Result<Vec<CardRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(card_select!(" WHERE p.id IN ("));
            ids_in!(query, ids);
            query.push(") ORDER BY p.name, p.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How long the latest `each` grants of these packages took to be ready; not those that were asked for a later start.
    pub async fn latest_ready(
        &mut self,
        packages: &[PackageId],
        each: i64,
    ) -> Result<Vec<ReadyRow>, Error> {
        if packages.is_empty() {
            return Ok(Vec::new());
        }
        // One short index scan for each package; a ranking over all their grants would read every one of them.
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("SELECT r.package_id, l.submitted_at, r.ready_at FROM (");
            for (index, package) in packages.iter().enumerate() {
                query.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
                query.push("SELECT package_id, line_id, ready_at FROM grants WHERE ready_at IS NOT NULL AND line_id IS NOT NULL AND package_id = ")
                    .push_bind(package.0).push(" ORDER BY ready_at DESC LIMIT ").push_bind(each).push(") AS one");
            }
            query.push(") AS r JOIN lines l ON l.id = r.line_id WHERE l.start_at IS NULL");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What a person holds and waits for, package by package.
    pub async fn mine(&mut self, person: PersonId) -> Result<Vec<MineRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT package_id, id AS grant_id, valid_from, end_at, NULL AS request_id, NULL AS line_id FROM grants
             WHERE person_id = $1 AND state IN ('scheduled', 'active', 'suspended') AND package_id IS NOT NULL
             UNION ALL
             SELECT package_id, NULL, NULL, NULL, request_id, id FROM lines
             WHERE beneficiary_id = $1 AND state = 'awaiting_approval'")
            .bind(person.0).fetch_all(c).await)?)
    }

    /// What colleagues of a department hold most, among the first `people` of it, without `except`; retired or not. Only what
    /// three of them hold, and nothing privileged: a smaller number would tell what a certain colleague has.
    pub async fn held_nearby(
        &mut self,
        department: &str,
        except: PersonId,
        people: i64,
        limit: i64,
    ) -> Result<Vec<NearbyRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT g.package_id, COUNT(DISTINCT g.person_id) AS holders
             FROM (SELECT id FROM persons WHERE department = $1 AND state = 'active' AND id <> $2 ORDER BY id LIMIT $3) AS n
             JOIN grants g ON g.person_id = n.id AND g.state = 'active' AND g.package_id IS NOT NULL
             JOIN packages p ON p.id = g.package_id AND p.privileged = FALSE
             GROUP BY g.package_id HAVING COUNT(DISTINCT g.person_id) >= 3 ORDER BY holders DESC, g.package_id LIMIT $4")
            .bind(department).bind(except.0).bind(people).bind(limit).fetch_all(c).await)?)
    }

    /// What a person had that has ended since, latest first; offered or not.
    pub async fn had_lately(
        &mut self,
        person: PersonId,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<HadRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT package_id, MAX(ended_at) AS last_at FROM grants
             WHERE person_id = $1 AND ended_at > $2 AND state = 'ended' AND package_id IS NOT NULL
             GROUP BY package_id ORDER BY last_at DESC, package_id LIMIT $3")
            .bind(person.0).bind(At(since)).bind(limit).fetch_all(c).await)?)
    }

    /// What an edition contains.
    pub async fn contents(&mut self, version: PackageVersionId) -> Result<Vec<ContentsRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT n.id, n.name, n.summary, n.kind, t.name AS target_name, n.privileged, n.control_scope,
               n.effective_within_seconds, n.manageable, n.unmanageable_reason
             FROM package_version_entitlements v JOIN entitlements n ON n.id = v.entitlement_id
             JOIN targets t ON t.id = n.target_id WHERE v.package_version_id = $1 ORDER BY n.name, n.id")
            .bind(version.0).fetch_all(c).await)?)
    }

    /// The owners of a package by name.
    pub async fn named_owners(&mut self, package: PackageId) -> Result<Vec<NamedRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT n.id, n.name FROM package_owners o JOIN persons n ON n.id = o.person_id
             WHERE o.package_id = $1 ORDER BY n.name, n.id")
            .bind(package.0).fetch_all(c).await)?)
    }

    /// How many hold a package, counted up to `cap`.
    pub async fn count_holders(&mut self, package: PackageId, cap: i64) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 FROM grants WHERE package_id = $1
               AND state <> 'ended' LIMIT $2) AS capped")
            .bind(package.0).bind(cap).fetch_one(c).await)?)
    }

    /// Whether a person ever held this package.
    pub async fn ever_held(&mut self, person: PersonId, package: PackageId) -> Result<bool, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM grants WHERE person_id = $1 AND package_id = $2)")
            .bind(person.0).bind(package.0).fetch_one(c).await)?)
    }
}

/// `word` as a pattern that finds it anywhere, with its own wildcards made plain.
fn like(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
