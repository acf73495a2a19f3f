//! How an ask compares with what others have and what the person had.

use domain::{GrantId, PackageId, PersonId, Timestamp, grant::EndReason, team::FEWEST};

use crate::engine::{At, Error, Tx};

row! {
    /// How many of the same team and of all hold a package.
    pub struct CompareRow {
        /// Others who report to the same manager, up to the cap.
        pub team: i64,
        /// How many of them hold it.
        pub team_holding: i64,
        /// Of those, how many without end.
        pub team_permanent: i64,
        /// How many grants others hold, up to the cap.
        pub others: i64,
    }

    /// The span of a grant that somebody of the team holds.
    pub struct SpanRow {
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
    }

    /// How often grants of a package ended in one way.
    pub struct HadRow {
        /// Why; none for those that are not over.
        pub end_reason: Option<EndReason>,
        /// How often.
        pub times: i64,
    }

    /// A package that several of a team hold.
    pub struct UsualRow {
        /// Which.
        pub package_id: PackageId,
        /// How many of those looked at hold it.
        pub holders: i64,
        /// How many were looked at.
        pub team: i64,
    }

    /// Something that somebody holds.
    pub struct BesideRow {
        /// The grant.
        pub id: GrantId,
        /// The package's name, or the right's.
        pub name: String,
        /// Whether it is privileged.
        pub privileged: bool,
        /// `SOX`, `GDPR`, …
        pub control_scope: Option<String>,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
        /// Whether it was found at the target.
        pub found: bool,
    }
}

/// Packages that one may be shown because somebody else holds them.
macro_rules! open_packages {
    () => {
        " WHERE p.state = 'offered' AND p.privileged = FALSE AND p.control_scope IS NULL
            AND NOT EXISTS (SELECT 1 FROM package_version_entitlements v JOIN entitlements e ON e.id = v.entitlement_id
              WHERE v.package_version_id = p.version_id AND e.manageable = FALSE)"
    };
}

impl Tx {
    /// Counts among the team of `manager` and among all others, without `person`; each up to `cap`.
    pub async fn compare(
        &mut self,
        person: PersonId,
        manager: Option<PersonId>,
        package: PackageId,
        cap: i64,
    ) -> Result<CompareRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(*) AS team, COUNT(CASE WHEN holding = 1 THEN 1 END) AS team_holding, COUNT(CASE WHEN permanent = 1 THEN 1 END) AS team_permanent,
               (SELECT COUNT(*) FROM (SELECT 1 FROM grants WHERE package_id = $3 AND state = 'active' AND person_id <> $1 LIMIT $4) AS z) AS others
             FROM (
               SELECT
                 CASE WHEN EXISTS (SELECT 1 FROM grants g WHERE g.person_id = m.id AND g.package_id = $3 AND g.state = 'active') THEN 1 ELSE 0 END AS holding,
                 CASE WHEN EXISTS (SELECT 1 FROM grants g WHERE g.person_id = m.id AND g.package_id = $3 AND g.state = 'active' AND g.end_at IS NULL) THEN 1 ELSE 0 END AS permanent
               FROM (SELECT id FROM persons WHERE manager_id = $2 AND state = 'active' AND id <> $1 ORDER BY id LIMIT $4) AS m
             ) AS x")
            .bind(person.0).bind(manager.map(|id| id.0)).bind(package.0).bind(cap).fetch_one(c).await)?)
    }

    /// What those hold who report to `manager`, among the first `people` of them, without `except`: only what so many of
    /// them hold as tells nothing of a certain one, and only what [`Tx::held_openly`] would give.
    pub async fn held_in_team(
        &mut self,
        manager: PersonId,
        except: PersonId,
        people: i64,
        limit: i64,
    ) -> Result<Vec<UsualRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT g.package_id, COUNT(DISTINCT g.person_id) AS holders,
               (SELECT COUNT(*) FROM (SELECT id FROM persons WHERE manager_id = $1 AND state = 'active' AND id <> $2 ORDER BY id LIMIT $3) AS t) AS team
             FROM (SELECT id FROM persons WHERE manager_id = $1 AND state = 'active' AND id <> $2 ORDER BY id LIMIT $3) AS n
             JOIN grants g ON g.person_id = n.id AND g.state = 'active' AND g.package_id IS NOT NULL
             JOIN packages p ON p.id = g.package_id", open_packages!(),
            " GROUP BY g.package_id HAVING COUNT(DISTINCT g.person_id) >= $5 ORDER BY holders DESC, g.package_id LIMIT $4"))
            .bind(manager.0).bind(except.0).bind(people).bind(limit).bind(FEWEST).fetch_all(c).await)?)
    }

    /// What a person holds that somebody else may be proposed to ask for: offered, neither privileged nor under a control
    /// regime, and with nothing in it that cannot be given. Neither since when nor until when nor why.
    pub async fn held_openly(
        &mut self,
        person: PersonId,
        limit: i64,
    ) -> Result<Vec<PackageId>, Error> {
        let ids: Vec<uuid::Uuid> = on!(self, c => sqlx::query_scalar(concat!(
            "SELECT DISTINCT g.package_id FROM grants g JOIN packages p ON p.id = g.package_id", open_packages!(),
            " AND g.person_id = $1 AND g.state = 'active' ORDER BY g.package_id LIMIT $2"))
            .bind(person.0).bind(limit).fetch_all(c).await)?;
        Ok(ids.into_iter().map(PackageId).collect())
    }

    /// How grants of a package to a person stood since an instant.
    pub async fn had_since(
        &mut self,
        person: PersonId,
        package: PackageId,
        since: Timestamp,
    ) -> Result<Vec<HadRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT end_reason, COUNT(*) AS times FROM grants WHERE person_id = $1 AND package_id = $2
               AND state IN ('active', 'suspended', 'ended') AND valid_from > $3 GROUP BY end_reason ORDER BY COALESCE(end_reason, '')")
            .bind(person.0).bind(package.0).bind(At(since)).fetch_all(c).await)?)
    }

    /// What a person holds besides one package, soonest end first.
    pub async fn held_beside(
        &mut self,
        person: PersonId,
        package: PackageId,
        limit: i64,
    ) -> Result<Vec<BesideRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT g.id, COALESCE(p.name, (SELECT n.name FROM grant_entitlements x JOIN entitlements n ON n.id = x.entitlement_id
                 WHERE x.grant_id = g.id ORDER BY n.name LIMIT 1), '') AS name,
               COALESCE(p.privileged, FALSE) AS privileged, p.control_scope, g.end_at, (g.source = 'import') AS found
             FROM grants g LEFT JOIN packages p ON p.id = g.package_id
             WHERE g.person_id = $1 AND g.state IN ('active', 'suspended') AND (g.package_id IS NULL OR g.package_id <> $2)
             ORDER BY CASE WHEN p.privileged = TRUE THEN 0 ELSE 1 END, CASE WHEN g.end_at IS NULL THEN 1 ELSE 0 END, g.end_at, g.id LIMIT $3")
            .bind(person.0).bind(package.0).bind(limit).fetch_all(c).await)?)
    }

    /// The spans of the grants of a package that the team of `manager` holds, without `person`.
    pub async fn team_spans(
        &mut self,
        person: PersonId,
        manager: PersonId,
        package: PackageId,
        limit: i64,
    ) -> Result<Vec<SpanRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT g.valid_from, g.end_at FROM persons m JOIN grants g ON g.person_id = m.id AND g.package_id = $3 AND g.state = 'active'
             WHERE m.manager_id = $2 AND m.state = 'active' AND m.id <> $1 LIMIT $4")
            .bind(person.0).bind(manager.0).bind(package.0).bind(limit).fetch_all(c).await)?)
    }
}
