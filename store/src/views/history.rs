//! What somebody has had to do with a package before, and who near them holds it: the facts beside a decision.

use domain::{
    PackageId, PersonId, RequestId, Timestamp,
    request::{LineKind, LineState},
};

use super::compare::{BesideRow, SpanRow};
use crate::engine::{Error, Tx};

row! {
    /// One earlier ask for the same package for the same person.
    pub struct EarlierAskRow {
        /// The request.
        pub request_id: RequestId,
        /// Its short number.
        pub number: i64,
        /// Something new or more time.
        pub kind: LineKind,
        /// How it ended, or that it waits.
        pub state: LineState,
        /// When it was asked.
        pub submitted_at: Timestamp,
        /// Who said no.
        pub denied_by: Option<PersonId>,
        /// Their name.
        pub denied_by_name: Option<String>,
        /// Why.
        pub denied_note: Option<String>,
    }

    /// Somebody of a team who holds a package.
    pub struct TeamHolderRow {
        /// Who.
        pub id: PersonId,
        /// Their name.
        pub name: String,
    }
}

impl Tx {
    /// Earlier asks for a package for a person, newest first, without the one request.
    pub async fn earlier_asks(
        &mut self,
        person: PersonId,
        package: PackageId,
        but: RequestId,
        limit: i64,
    ) -> Result<Vec<EarlierAskRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT l.request_id, l.number, l.kind, l.state, l.submitted_at, d.decider_id AS denied_by, n.name AS denied_by_name, d.note AS denied_note
             FROM lines l LEFT JOIN decisions d ON d.line_id = l.id AND d.verdict = 'deny' LEFT JOIN persons n ON n.id = d.decider_id
             WHERE l.beneficiary_id = $1 AND l.package_id = $2 AND l.request_id <> $3
             ORDER BY l.submitted_at DESC, l.id DESC LIMIT $4")
            .bind(person.0).bind(package.0).bind(but.0).bind(limit).fetch_all(c).await)?)
    }

    /// The spans over which a person has held a package, oldest first. One that is held now has no end yet.
    pub async fn spans_held(
        &mut self,
        person: PersonId,
        package: PackageId,
        limit: i64,
    ) -> Result<Vec<SpanRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT valid_from, ended_at AS end_at FROM grants WHERE person_id = $1 AND package_id = $2
               AND state IN ('active', 'suspended', 'ended') AND (ended_at IS NULL OR ended_at > valid_from)
             ORDER BY valid_from, id LIMIT $3")
            .bind(person.0).bind(package.0).bind(limit).fetch_all(c).await)?)
    }

    /// Who reports to `manager` and holds a package now, by name, without `person`.
    pub async fn team_holders(
        &mut self,
        person: PersonId,
        manager: PersonId,
        package: PackageId,
        limit: i64,
    ) -> Result<Vec<TeamHolderRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT m.id, m.name FROM persons m WHERE m.manager_id = $2 AND m.state = 'active' AND m.id <> $1
               AND EXISTS (SELECT 1 FROM grants g WHERE g.person_id = m.id AND g.package_id = $3 AND g.state = 'active')
             ORDER BY m.search_key, m.id LIMIT $4")
            .bind(person.0).bind(manager.0).bind(package.0).bind(limit).fetch_all(c).await)?)
    }

    /// What a person holds now of the application that a package belongs to, by any way, soonest end first.
    pub async fn held_of_application(
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
             WHERE g.person_id = $1 AND g.state IN ('active', 'suspended')
               AND (p.application_id = (SELECT a.application_id FROM packages a WHERE a.id = $2)
                 OR EXISTS (SELECT 1 FROM grant_entitlements x JOIN entitlements n ON n.id = x.entitlement_id
                   WHERE x.grant_id = g.id AND x.removed_at IS NULL
                     AND n.application_id = (SELECT a.application_id FROM packages a WHERE a.id = $2)))
             ORDER BY CASE WHEN g.end_at IS NULL THEN 1 ELSE 0 END, g.end_at, g.id LIMIT $3")
            .bind(person.0).bind(package.0).bind(limit).fetch_all(c).await)?)
    }
}
