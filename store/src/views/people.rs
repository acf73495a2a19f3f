//! People in lists: teams, holders, those found by search.

use domain::{
    GrantId, PackageId, PersonId, RequestId, Timestamp,
    grant::{End, GrantSource, GrantState},
    person::PersonState,
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// One who reports to somebody.
    pub struct ReportRow {
        /// Who.
        pub id: PersonId,
        /// Name.
        pub name: String,
        /// Job title.
        pub job_title: String,
        /// Department.
        pub department: String,
        /// Office.
        pub office: String,
        /// `employee`, `contractor`, …
        pub employee_type: String,
        /// Works here or has left.
        pub state: PersonState,
        /// First working day.
        pub hired_at: Option<Timestamp>,
        /// Last working day.
        pub last_day_at: Option<Timestamp>,
        /// What lists are ordered by.
        pub search_key: String,
        /// Whether somebody reports to them.
        pub leads: bool,
    }

    /// How much each of a page of people holds.
    pub struct HoldingRow {
        /// Who.
        pub person_id: PersonId,
        /// Grants that are not over.
        pub held: i64,
        /// Of those, how many end soon.
        pub ending_soon: i64,
        /// Of those, how many are privileged.
        pub privileged: i64,
        /// Of those, how many were found at targets.
        pub found: i64,
        /// Of those, how many are not confirmed yet.
        pub not_ready: i64,
        /// When the next ends.
        pub next_end: Option<Timestamp>,
    }

    /// A grant of one of a page of people.
    pub struct TeamGrantRow {
        /// Who.
        pub person_id: PersonId,
        /// Which.
        pub id: GrantId,
        /// The package's name, or the right's for what was found at a target.
        pub name: String,
        /// Whether the package is privileged.
        pub privileged: bool,
        /// Where it comes from.
        pub source: GrantSource,
        /// Where it stands.
        pub state: GrantState,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
        /// When every target first confirmed it.
        pub ready_at: Option<Timestamp>,
        /// The request behind it.
        pub request_id: Option<RequestId>,
        /// Its short number.
        pub number: Option<i64>,
    }

    /// How many lines of each of a page of people wait.
    pub struct WaitingRow {
        /// Who.
        pub person_id: PersonId,
        /// How many.
        pub waiting: i64,
    }

    /// Somebody who holds a package.
    pub struct HolderRow {
        /// The grant.
        pub id: GrantId,
        /// Who.
        pub person_id: PersonId,
        /// Name.
        pub name: String,
        /// Department.
        pub department: String,
        /// Job title.
        pub job_title: String,
        /// Where it comes from.
        pub source: GrantSource,
        /// Where it stands.
        pub state: GrantState,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
        /// When every target first confirmed it.
        pub ready_at: Option<Timestamp>,
        /// The request behind it.
        pub request_id: Option<RequestId>,
        /// Its short number.
        pub number: Option<i64>,
    }

    /// A package that somebody owns, with counts up to a cap.
    pub struct OwnedRow {
        /// Which.
        pub package_id: PackageId,
        /// How many hold it.
        pub holders: i64,
        /// How many requests for it wait.
        pub waiting: i64,
    }
}

impl TeamGrantRow {
    /// The end as its own type.
    pub fn end(&self) -> End {
        self.end_at.map_or(End::Permanent, End::At)
    }
}

impl HolderRow {
    /// The end as its own type.
    pub fn end(&self) -> End {
        self.end_at.map_or(End::Permanent, End::At)
    }
}

impl Tx {
    /// A page of those who report to somebody and work here, by name.
    pub async fn reports_of(
        &mut self,
        manager: PersonId,
        after: Option<(&str, PersonId)>,
        limit: i64,
    ) -> Result<Vec<ReportRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT p.id, p.name, p.job_title, p.department, p.office, p.employee_type, p.state, p.hired_at, p.last_day_at,
                   p.search_key, EXISTS (SELECT 1 FROM persons r WHERE r.manager_id = p.id AND r.state = 'active') AS leads
                 FROM persons p WHERE p.state = 'active' AND p.manager_id = ");
            query.push_bind(manager.0);
            if let Some((key, id)) = after {
                query.push(" AND (p.search_key, p.id) > (").push_bind(key.to_owned()).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY p.search_key, p.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How much each of these people holds.
    pub async fn holdings(
        &mut self,
        people: &[PersonId],
        soon: Timestamp,
    ) -> Result<Vec<HoldingRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT g.person_id, COUNT(*) AS held,
                   COUNT(CASE WHEN g.end_at < ");
            query.push_bind(At(soon)).push(
                " THEN 1 END) AS ending_soon, COUNT(CASE WHEN p.privileged = TRUE THEN 1 END) AS privileged,
                   COUNT(CASE WHEN g.source = 'import' THEN 1 END) AS found,
                   COUNT(CASE WHEN g.state = 'active' AND g.ready_at IS NULL AND g.source <> 'import' THEN 1 END) AS not_ready,
                   MIN(g.end_at) AS next_end
                 FROM grants g LEFT JOIN packages p ON p.id = g.package_id
                 WHERE g.state IN ('scheduled', 'active', 'suspended') AND g.person_id IN (");
            ids_in!(query, people);
            query.push(") GROUP BY g.person_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What these people hold, at most `each` grants of each, soonest end first, without end last.
    pub async fn held_by_each(
        &mut self,
        people: &[PersonId],
        each: i64,
    ) -> Result<Vec<TeamGrantRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        // One short index scan for each person: somebody who holds very much does not make the page long.
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT g.person_id, g.id,
                   COALESCE(p.name, (SELECT MIN(n.name) FROM grant_entitlements x JOIN entitlements n ON n.id = x.entitlement_id
                     WHERE x.grant_id = g.id), '') AS name,
                   COALESCE(p.privileged, FALSE) AS privileged, g.source, g.state, g.end_at, g.ready_at, l.request_id, l.number
                 FROM (");
            for (index, person) in people.iter().enumerate() {
                query.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
                query.push(
                    "SELECT id, person_id, package_id, line_id, source, state, end_at, ready_at FROM grants
                     WHERE state IN ('scheduled', 'active', 'suspended') AND person_id = ").push_bind(person.0)
                    .push(" ORDER BY CASE WHEN end_at IS NULL THEN 1 ELSE 0 END, end_at, id LIMIT ").push_bind(each).push(") AS one");
            }
            query.push(
                ") AS g LEFT JOIN packages p ON p.id = g.package_id LEFT JOIN lines l ON l.id = g.line_id
                 ORDER BY g.person_id, CASE WHEN g.end_at IS NULL THEN 1 ELSE 0 END, g.end_at, g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How many lines for each of these people wait.
    pub async fn waiting_for(&mut self, people: &[PersonId]) -> Result<Vec<WaitingRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT beneficiary_id AS person_id, COUNT(*) AS waiting FROM lines
                 WHERE state = 'awaiting_approval' AND beneficiary_id IN (");
            ids_in!(query, people);
            query.push(") GROUP BY beneficiary_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How many sessions of a person hold at an instant of the system's clock.
    pub async fn count_sessions_of(
        &mut self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM sessions WHERE person_id = $1 AND expires_at > $2")
            .bind(person.0).bind(At(now)).fetch_one(c).await)?)
    }

    /// A page of a package's holders, newest first.
    pub async fn holders(
        &mut self,
        package: PackageId,
        before: Option<(Timestamp, GrantId)>,
        limit: i64,
    ) -> Result<Vec<HolderRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT g.id, g.person_id, n.name, n.department, n.job_title, g.source, g.state, g.valid_from, g.end_at,
                   g.ready_at, l.request_id, l.number
                 FROM grants g JOIN persons n ON n.id = g.person_id LEFT JOIN lines l ON l.id = g.line_id
                 WHERE g.state <> 'ended' AND g.package_id = ");
            query.push_bind(package.0);
            if let Some((at, id)) = before {
                query.push(" AND (g.valid_from, g.id) < (").push_bind(At(at)).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY g.valid_from DESC, g.id DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The packages that a person owns, with how many hold and wait for each, counted up to `cap`.
    pub async fn owned_by(
        &mut self,
        owner: PersonId,
        cap: i64,
        limit: i64,
    ) -> Result<Vec<OwnedRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT o.package_id,
               (SELECT COUNT(*) FROM (SELECT 1 FROM grants g WHERE g.package_id = o.package_id
                  AND g.state <> 'ended' LIMIT $2) AS x) AS holders,
               (SELECT COUNT(*) FROM (SELECT 1 FROM lines l WHERE l.package_id = o.package_id
                  AND l.state = 'awaiting_approval' LIMIT $2) AS y) AS waiting
             FROM package_owners o JOIN packages p ON p.id = o.package_id
             WHERE o.person_id = $1 ORDER BY p.name, p.id LIMIT $3")
            .bind(owner.0).bind(cap).bind(limit).fetch_all(c).await)?)
    }

    /// Whether a person owns a package.
    pub async fn owns(&mut self, person: PersonId, package: PackageId) -> Result<bool, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM package_owners WHERE person_id = $1 AND package_id = $2)")
            .bind(person.0).bind(package.0).fetch_one(c).await)?)
    }
}
