//! What the standing scan found: one row for each thing while it is not closed.

use domain::{
    AccountId, ConflictId, EntitlementId, FindingId, GrantId, PackageId, PersonId, Timestamp,
    break_glass::Conclusion,
    conflict::Severity,
    finding::{FindingKind, FindingState},
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

row! {
    /// One finding.
    pub struct FindingRow {
        /// Its id.
        pub id: FindingId,
        /// What was found.
        pub kind: FindingKind,
        /// Who and which rule or right, as text: one open finding for each.
        pub subject: String,
        /// Whom it is about; none for an account that belongs to nobody here.
        pub person_id: Option<PersonId>,
        /// On which account, if it is about one.
        pub account_id: Option<AccountId>,
        /// Which right, if it is about one.
        pub entitlement_id: Option<EntitlementId>,
        /// Which rule, for a conflict.
        pub conflict_id: Option<ConflictId>,
        /// Who has to act; none means security.
        pub owner_id: Option<PersonId>,
        /// Where it stands.
        pub state: FindingState,
        /// Since when.
        pub opened_at: Timestamp,
        /// By when it should be gone.
        pub due_at: Timestamp,
        /// When it was gone.
        pub closed_at: Option<Timestamp>,
        /// Who said something about it last.
        pub noted_by: Option<PersonId>,
        /// What they said.
        pub note: String,
        /// Counts changes.
        pub version: i64,
        /// The use of break-glass that is to be reviewed.
        pub grant_id: Option<GrantId>,
        /// What was said of that use; a review ends with it.
        pub conclusion: Option<Conclusion>,
        /// The target's own id of an account that belongs to nobody here.
        pub holder: Option<String>,
    }

    /// A finding with the names that a list shows.
    pub struct NamedFindingRow {
        /// Its id.
        pub id: FindingId,
        /// What was found.
        pub kind: FindingKind,
        /// Whom it is about; none for an account that belongs to nobody here.
        pub person_id: Option<PersonId>,
        /// Their name.
        pub person: Option<String>,
        /// Which right, if it is about one.
        pub entitlement_id: Option<EntitlementId>,
        /// Its name.
        pub entitlement: Option<String>,
        /// Which rule, for a conflict.
        pub conflict_id: Option<ConflictId>,
        /// Its name.
        pub rule: Option<String>,
        /// How bad a breach of it is.
        pub severity: Option<Severity>,
        /// Who has to act; none means security.
        pub owner_id: Option<PersonId>,
        /// Their name.
        pub owner: Option<String>,
        /// Where it stands.
        pub state: FindingState,
        /// Since when.
        pub opened_at: Timestamp,
        /// By when it should be gone.
        pub due_at: Timestamp,
        /// When it was gone.
        pub closed_at: Option<Timestamp>,
        /// What was said about it last.
        pub note: String,
        /// The use of break-glass that is to be reviewed.
        pub grant_id: Option<GrantId>,
        /// The package that was used so.
        pub package: Option<String>,
        /// What was said of that use.
        pub conclusion: Option<Conclusion>,
        /// The target's own id of an account that belongs to nobody here.
        pub holder: Option<String>,
    }
}

/// Which findings a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct FindingQuery {
    /// Only this one.
    pub id: Option<FindingId>,
    /// Only of this kind.
    pub kind: Option<FindingKind>,
    /// Only in this state; none means all that are not closed.
    pub state: Option<FindingState>,
    /// Only those that this person has to act on.
    pub owner: Option<PersonId>,
    /// Only those of this rule.
    pub conflict: Option<ConflictId>,
    /// Only those after this due date and id.
    pub after: Option<(Timestamp, FindingId)>,
    /// At most so many.
    pub limit: i64,
}

macro_rules! select_finding {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, subject, person_id, account_id, entitlement_id, conflict_id, owner_id, state, opened_at, due_at,
               closed_at, noted_by, note, version, grant_id, conclusion, holder FROM findings",
            $rest
        )
    };
}

impl Tx {
    /// Opens a finding.
    pub async fn insert_finding(&mut self, row: &FindingRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO findings (id, kind, subject, person_id, account_id, entitlement_id, conflict_id, owner_id, state,
               opened_at, due_at, grant_id, holder) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(row.id.0).bind(row.kind.as_str()).bind(&row.subject).bind(row.person_id.map(|id| id.0))
            .bind(row.account_id.map(|id| id.0)).bind(row.entitlement_id.map(|id| id.0))
            .bind(row.conflict_id.map(|id| id.0)).bind(row.owner_id.map(|id| id.0)).bind(row.state.as_str())
            .bind(At(row.opened_at)).bind(At(row.due_at)).bind(row.grant_id.map(|id| id.0)).bind(&row.holder).execute(c).await.map(drop))?;
        Ok(())
    }

    /// One finding.
    pub async fn finding(&mut self, id: FindingId) -> Result<Option<FindingRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_finding!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The findings about these people that are not closed, by id.
    pub async fn open_findings_of(
        &mut self,
        people: &[PersonId],
    ) -> Result<Vec<FindingRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_finding!(" WHERE state <> 'closed' AND person_id IN ("));
            let mut list = query.separated(", ");
            for id in people {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The findings about a right on accounts that belong to nobody here, that are not closed, by id.
    pub async fn open_findings_of_strangers(
        &mut self,
        right: EntitlementId,
    ) -> Result<Vec<FindingRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_finding!(
            " WHERE entitlement_id = $1 AND person_id IS NULL AND state <> 'closed' ORDER BY id"))
            .bind(right.0).fetch_all(c).await)?)
    }

    /// Writes where a finding stands, who acts, and what was said. False if it is closed.
    pub async fn update_finding(&mut self, row: &FindingRow) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE findings SET state = $2, owner_id = $3, closed_at = $4, noted_by = $5, note = $6, conclusion = $7, version = version + 1
             WHERE id = $1 AND state <> 'closed'")
            .bind(row.id.0).bind(row.state.as_str()).bind(row.owner_id.map(|id| id.0)).bind(row.closed_at.map(At))
            .bind(row.noted_by.map(|id| id.0)).bind(&row.note).bind(row.conclusion.map(Conclusion::as_str)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Findings with names, those due soonest first.
    pub async fn findings_page(
        &mut self,
        wanted: &FindingQuery,
    ) -> Result<Vec<NamedFindingRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT f.id, f.kind, f.person_id, p.name AS person, f.entitlement_id, e.name AS entitlement, f.conflict_id,
                   k.name AS rule, k.severity, f.owner_id, o.name AS owner, f.state, f.opened_at, f.due_at, f.closed_at, f.note, f.grant_id, b.name AS package, f.conclusion, f.holder
                 FROM findings f LEFT JOIN persons p ON p.id = f.person_id LEFT JOIN entitlements e ON e.id = f.entitlement_id
                 LEFT JOIN conflicts k ON k.id = f.conflict_id LEFT JOIN persons o ON o.id = f.owner_id
                 LEFT JOIN grants g ON g.id = f.grant_id LEFT JOIN packages b ON b.id = g.package_id WHERE ");
            match (wanted.id, wanted.state) {
                (Some(id), _) => query.push("f.id = ").push_bind(id.0),
                (None, Some(state)) => query.push("f.state = ").push_bind(state.as_str()),
                (None, None) => query.push("f.state IN ('open', 'being_removed', 'excepted')"),
            };
            if let Some(kind) = wanted.kind {
                query.push(" AND f.kind = ").push_bind(kind.as_str());
            }
            if let Some(owner) = wanted.owner {
                query.push(" AND f.owner_id = ").push_bind(owner.0);
            }
            if let Some(conflict) = wanted.conflict {
                query.push(" AND f.conflict_id = ").push_bind(conflict.0);
            }
            if let Some((due, id)) = wanted.after {
                query.push(" AND (f.due_at, f.id) > (").push_bind(At(due)).push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY f.due_at, f.id LIMIT ").push_bind(wanted.limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// How many people stand in a rule, and how many of them an exception covers.
    pub async fn conflict_standing(&mut self, conflict: ConflictId) -> Result<(i64, i64), Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'excepted') FROM findings
             WHERE conflict_id = $1 AND state IN ('open', 'being_removed', 'excepted')")
            .bind(conflict.0).fetch_one(c).await)?)
    }

    /// How many findings are open that this person has to act on.
    pub async fn open_findings_owned(&mut self, owner: PersonId) -> Result<i64, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM findings WHERE owner_id = $1 AND state = 'open'")
            .bind(owner.0).fetch_one(c).await)?)
    }

    /// How often somebody used a package as break-glass since then, and how many reviews of such uses are overdue.
    pub async fn break_glass_before(
        &mut self,
        person: PersonId,
        package: PackageId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(i64, i64), Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM grants WHERE source = 'break_glass' AND person_id = $1 AND package_id = $2 AND created_at > $3),
               (SELECT COUNT(*) FROM findings f JOIN grants g ON g.id = f.grant_id
                WHERE f.kind = 'break_glass' AND f.state <> 'closed' AND f.person_id = $1 AND g.package_id = $2 AND f.due_at <= $4)")
            .bind(person.0).bind(package.0).bind(At(since)).bind(At(now)).fetch_one(c).await)?)
    }

    /// Uses of break-glass whose review is overdue, the longest first.
    pub async fn reviews_overdue(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<FindingRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_finding!(
            " WHERE kind = 'break_glass' AND state <> 'closed' AND due_at <= $1 ORDER BY due_at, id LIMIT $2"))
            .bind(At(now)).bind(limit).fetch_all(c).await)?)
    }
}
