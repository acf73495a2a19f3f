//! Evidence: who held what of an application at an instant, and what changed in a period.

use domain::{
    ApplicationId, EntitlementId, GrantId, LineId, PersonId, RequestId, Timestamp,
    assignment::{Observed, Origin},
    grant::{End, EndReason, GrantSource},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// One right that somebody held through one grant.
    pub struct HoldingAtRow {
        /// Who.
        pub person_id: PersonId,
        /// Name as it is now.
        pub name: String,
        /// Department as it is now.
        pub department: String,
        /// The account's sign-in name.
        pub account_name: String,
        /// The package's name.
        pub package_name: Option<String>,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Its name.
        pub entitlement_name: String,
        /// The target's name.
        pub target_name: String,
        /// The grant.
        pub grant_id: GrantId,
        /// Where it comes from.
        pub source: GrantSource,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none for without end.
        pub end_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why.
        pub end_reason: Option<EndReason>,
        /// When every target first confirmed it.
        pub ready_at: Option<Timestamp>,
        /// When it was confirmed as gone.
        pub gone_at: Option<Timestamp>,
        /// The line.
        pub line_id: Option<LineId>,
        /// The request.
        pub request_id: Option<RequestId>,
        /// Its short number.
        pub number: Option<i64>,
        /// What the target last told us.
        pub observed: Option<Observed>,
        /// When it told us.
        pub observed_at: Option<Timestamp>,
        /// Whose the right at the target is.
        pub origin: Option<Origin>,
    }

    /// How many rights and people a population has.
    pub struct PopulationRow {
        /// Holdings.
        pub holdings: i64,
        /// Different people.
        pub people: i64,
    }

    /// How the record agrees with the targets.
    pub struct ReconciledRow {
        /// Rights that should be there.
        pub desired: i64,
        /// Of those, confirmed as there.
        pub present: i64,
        /// Rights that should not be there but are.
        pub surplus: i64,
        /// The oldest reading.
        pub oldest_read: Option<Timestamp>,
        /// The newest.
        pub newest_read: Option<Timestamp>,
    }

    /// One change.
    pub struct ChangeRow {
        /// `granted`, `extended`, `ended`, or the state that a line ended in.
        pub kind: String,
        /// When.
        pub at: Timestamp,
        /// The grant or the line.
        pub id: Uuid,
        /// Whose access.
        pub person_id: PersonId,
        /// Their name.
        pub person_name: String,
        /// The package's name.
        pub package_name: Option<String>,
        /// Why a grant ended.
        pub end_reason: Option<EndReason>,
        /// Who did it.
        pub by_id: Option<PersonId>,
        /// Their name.
        pub by_name: Option<String>,
        /// The request.
        pub request_id: Option<RequestId>,
        /// Its short number.
        pub number: Option<i64>,
        /// When the targets had confirmed it.
        pub confirmed_at: Option<Timestamp>,
    }

    /// How many changes of one kind.
    pub struct ChangeCountRow {
        /// As in [`ChangeRow::kind`].
        pub kind: String,
        /// How many.
        pub changes: i64,
    }
}

impl HoldingAtRow {
    /// The end as its own type.
    pub fn end(&self) -> End {
        self.end_at.map_or(End::Permanent, End::At)
    }
}

/// The rights of an application: those that name it, and those that its packages contain now.
macro_rules! rights_of_application {
    () => {
        "SELECT e.id FROM entitlements e WHERE e.application_id = $1
         UNION SELECT x.entitlement_id FROM packages p JOIN package_version_entitlements x ON x.package_version_id = p.version_id
           WHERE p.application_id = $1"
    };
}

/// Grants with their rights that cover an instant, `$2`: begun, and not over at it.
macro_rules! covering {
    () => {
        concat!(
            " FROM grant_entitlements c JOIN grants g ON g.id = c.grant_id
              WHERE c.entitlement_id IN (", rights_of_application!(), ")
                AND g.valid_from <= $2 AND (g.ended_at IS NULL OR g.ended_at > $2) AND g.state <> 'scheduled'"
        )
    };
}

impl Tx {
    /// How many held rights of an application at an instant.
    pub async fn count_population(
        &mut self,
        application: ApplicationId,
        at: Timestamp,
    ) -> Result<PopulationRow, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT COUNT(*) AS holdings, COUNT(DISTINCT g.person_id) AS people", covering!()))
            .bind(application.0).bind(At(at)).fetch_one(c).await)?)
    }

    /// A page of who held rights of an application at an instant, by name.
    pub async fn population(
        &mut self,
        application: ApplicationId,
        at: Timestamp,
        after: Option<(&str, GrantId, EntitlementId)>,
        limit: i64,
    ) -> Result<Vec<HoldingAtRow>, Error> {
        let (name, grant, right) = after
            .map_or(("", Uuid::nil(), Uuid::nil()), |(name, grant, right)| {
                (name, grant.0, right.0)
            });
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT g.person_id, n.name, n.department, k.user_name AS account_name, p.name AS package_name,
               h.entitlement_id, r.name AS entitlement_name, t.name AS target_name, g.id AS grant_id, g.source,
               g.valid_from, g.end_at, g.ended_at, g.end_reason, g.ready_at, g.gone_at, g.line_id, l.request_id, l.number,
               s.observed, s.observed_at, s.origin
             FROM (SELECT c.grant_id, c.entitlement_id, c.account_id", covering!(), ") AS h
             JOIN grants g ON g.id = h.grant_id JOIN persons n ON n.id = g.person_id JOIN accounts k ON k.id = h.account_id
             JOIN entitlements r ON r.id = h.entitlement_id JOIN targets t ON t.id = r.target_id
             LEFT JOIN packages p ON p.id = g.package_id LEFT JOIN lines l ON l.id = g.line_id
             LEFT JOIN assignments s ON s.account_id = h.account_id AND s.entitlement_id = h.entitlement_id
             WHERE (n.name, g.id, h.entitlement_id) > ($3, $4, $5)
             ORDER BY n.name, g.id, h.entitlement_id LIMIT $6"))
            .bind(application.0).bind(At(at)).bind(name).bind(grant).bind(right).bind(limit).fetch_all(c).await)?)
    }

    /// How the record of an application agrees with what the targets say now.
    pub async fn reconcile(&mut self, application: ApplicationId) -> Result<ReconciledRow, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT COUNT(CASE WHEN s.desired = TRUE THEN 1 END) AS desired,
               COUNT(CASE WHEN s.desired = TRUE AND s.observed = 'present' THEN 1 END) AS present,
               COUNT(CASE WHEN s.desired = FALSE AND s.observed = 'present' THEN 1 END) AS surplus,
               MIN(CASE WHEN s.desired = TRUE OR s.observed = 'present' THEN s.observed_at END) AS oldest_read,
               MAX(s.observed_at) AS newest_read
             FROM assignments s WHERE s.entitlement_id IN (", rights_of_application!(), ")"))
            .bind(application.0).fetch_one(c).await)?)
    }

    /// How many changes of each kind lie in `[from, until)`.
    pub async fn count_changes(
        &mut self,
        application: Option<ApplicationId>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ChangeCountRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("SELECT kind, COUNT(*) AS changes FROM (");
            changes_in(&mut query, application, from, until);
            query.push(") AS x GROUP BY kind");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// A page of the changes in `[from, until)`, newest first.
    pub async fn changes(
        &mut self,
        application: Option<ApplicationId>,
        from: Timestamp,
        until: Timestamp,
        before: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<ChangeRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT x.kind, x.at, x.id, x.person_id, n.name AS person_name, p.name AS package_name, x.end_reason, x.by_id,
                   b.name AS by_name, l.request_id, l.number, x.confirmed_at FROM (SELECT * FROM (");
            changes_in(&mut query, application, from, until);
            query.push(") AS all_of_it");
            if let Some((at, id)) = before {
                query.push(" WHERE (at, id) < (").push_bind(At(at)).push(", ").push_bind(id).push(")");
            }
            query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(limit);
            query.push(
                ") AS x JOIN persons n ON n.id = x.person_id LEFT JOIN persons b ON b.id = x.by_id
                   LEFT JOIN packages p ON p.id = x.package_id LEFT JOIN lines l ON l.id = x.line_id
                 ORDER BY x.at DESC, x.id DESC");
            query.build_query_as().fetch_all(c).await
        })?)
    }
}

/// The changes of a period as one table: grants that began, lines that ended, grants that ended.
fn changes_in<DB: sqlx::Database>(
    query: &mut QueryBuilder<DB>,
    application: Option<ApplicationId>,
    from: Timestamp,
    until: Timestamp,
) where
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    At: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let within = |query: &mut QueryBuilder<DB>, column: &str| {
        query
            .push(column)
            .push(" >= ")
            .push_bind(At(from))
            .push(" AND ")
            .push(column)
            .push(" < ")
            .push_bind(At(until));
        if let Some(application) = application {
            query
                .push(" AND package_id IN (SELECT id FROM packages WHERE application_id = ")
                .push_bind(application.0)
                .push(")");
        }
    };
    query.push(
        "SELECT 'granted' AS kind, valid_from AS at, id, person_id, package_id, NULL AS end_reason, NULL AS by_id, line_id, ready_at AS confirmed_at
         FROM grants WHERE state <> 'scheduled' AND (ended_at IS NULL OR ended_at > valid_from) AND ");
    within(query, "valid_from");
    query.push(
        " UNION ALL SELECT 'ended', ended_at, id, person_id, package_id, end_reason, ended_by, line_id, gone_at
         FROM grants WHERE state = 'ended' AND ");
    within(query, "ended_at");
    query.push(
        " UNION ALL SELECT CASE WHEN state = 'approved' THEN 'extended' ELSE state END, ended_at, id, beneficiary_id, package_id, NULL, ended_by, id, NULL
         FROM lines WHERE (state IN ('denied', 'lapsed', 'cancelled', 'superseded', 'withdrawn') OR (state = 'approved' AND kind = 'extension')) AND ");
    within(query, "ended_at");
}
