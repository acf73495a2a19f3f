//! Grants and what they contain.

use domain::{
    AccountId, EntitlementId, GrantId, LineId, PackageId, PackageVersionId, PersonId, Timestamp,
    assignment::{Observed, Phase},
    grant::{End, EndReason, GrantSource, GrantState},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// One grant.
    pub struct GrantRow {
        /// Its id.
        pub id: GrantId,
        /// Whose.
        pub person_id: PersonId,
        /// On which account.
        pub account_id: AccountId,
        /// To which package; none for an import.
        pub package_id: Option<PackageId>,
        /// In which edition.
        pub package_version_id: Option<PackageVersionId>,
        /// From which line, if it was asked for.
        pub line_id: Option<LineId>,
        /// Where it comes from.
        pub source: GrantSource,
        /// Where it stands.
        pub state: GrantState,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none means permanent, which the database says in a column of its own.
        pub end_at: Option<Timestamp>,
        /// When every target first confirmed it.
        pub ready_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why.
        pub end_reason: Option<EndReason>,
        /// By whom, if a person.
        pub ended_by: Option<PersonId>,
        /// What they wrote.
        pub end_note: Option<String>,
        /// When every target confirmed that it is gone.
        pub gone_at: Option<Timestamp>,
        /// Counts changes.
        pub version: i64,
        /// When it was made.
        pub created_at: Timestamp,
    }

    /// What a grant contains.
    pub struct ContentRow {
        /// The grant.
        pub grant_id: GrantId,
        /// One entitlement of it.
        pub entitlement_id: EntitlementId,
        /// On which account.
        pub account_id: AccountId,
    }

    /// A grant's content with what the target says of it.
    pub struct PartRow {
        /// The grant.
        pub grant_id: GrantId,
        /// The entitlement.
        pub entitlement_id: EntitlementId,
        /// Whether any grant wants it now.
        pub desired: bool,
        /// What the target last told us.
        pub observed: Observed,
        /// When it told us.
        pub observed_at: Option<Timestamp>,
        /// Where converging stands.
        pub phase: Phase,
    }
}

impl GrantRow {
    /// The end as its own type.
    pub fn end(&self) -> End {
        self.end_at.map_or(End::Permanent, End::At)
    }
}

macro_rules! select_grant {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.person_id, g.account_id, g.package_id, g.package_version_id, g.line_id, g.source, g.state,
             g.valid_from, g.end_at, g.ready_at, g.ended_at, g.end_reason, g.ended_by, g.end_note, g.gone_at, g.version,
             g.created_at FROM grants g",
            $rest
        )
    };
}

/// Fills `IN (…)`.
macro_rules! ids_in {
    ($query:expr, $ids:expr) => {{
        let mut list = $query.separated(", ");
        for id in $ids {
            list.push_bind(id.0);
        }
    }};
}

impl Tx {
    /// Inserts a grant and its content.
    pub async fn insert_grant(
        &mut self,
        grant: &GrantRow,
        content: &[EntitlementId],
    ) -> Result<(), Error> {
        let end_kind = if grant.end_at.is_some() {
            "at"
        } else {
            "permanent"
        };
        let engine = self.engine();
        on!(self, c => {
            let mut query = QueryBuilder::new(if content.is_empty() { "" } else { engine.first() });
            query.push(
                "INSERT INTO grants (id, person_id, account_id, package_id, package_version_id, line_id, source, state,
                   valid_from, end_kind, end_at, ready_at, ended_at, end_reason, ended_by, end_note, gone_at, version, created_at)
                 VALUES (");
            let mut values = query.separated(", ");
            values.push_bind(grant.id.0).push_bind(grant.person_id.0).push_bind(grant.account_id.0)
                .push_bind(grant.package_id.map(|id| id.0)).push_bind(grant.package_version_id.map(|id| id.0))
                .push_bind(grant.line_id.map(|id| id.0)).push_bind(grant.source.as_str()).push_bind(grant.state.as_str())
                .push_bind(At(grant.valid_from)).push_bind(end_kind).push_bind(grant.end_at.map(At))
                .push_bind(grant.ready_at.map(At)).push_bind(grant.ended_at.map(At))
                .push_bind(grant.end_reason.map(EndReason::as_str)).push_bind(grant.ended_by.map(|id| id.0))
                .push_bind(grant.end_note.clone()).push_bind(grant.gone_at.map(At)).push_bind(grant.version)
                .push_bind(At(grant.created_at));
            query.push(")");
            if !content.is_empty() {
                and_last!(engine, query, c);
                query.push("INSERT INTO grant_entitlements (grant_id, entitlement_id, account_id) ");
                query.push_values(content, |mut tuple, entitlement| {
                    tuple.push_bind(grant.id.0).push_bind(entitlement.0).push_bind(grant.account_id.0);
                });
            }
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// A grant.
    pub async fn grant(&mut self, id: GrantId) -> Result<Option<GrantRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_grant!(" WHERE g.id = $1")).bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// The grant that a line led to.
    pub async fn grant_of_line(&mut self, line: LineId) -> Result<Option<GrantRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_grant!(" WHERE g.line_id = $1")).bind(line.0).fetch_optional(c).await)?,
        )
    }

    /// These grants, in id order.
    pub async fn grants_by_ids(&mut self, ids: &[GrantId]) -> Result<Vec<GrantRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_grant!(" WHERE g.id IN ("));
            ids_in!(query, ids);
            query.push(") ORDER BY g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The grants of a person that are not over.
    pub async fn live_grants_of_person(
        &mut self,
        person: PersonId,
    ) -> Result<Vec<GrantRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_grant!(" WHERE g.person_id = $1 AND g.state <> 'ended' ORDER BY g.id"))
            .bind(person.0).fetch_all(c).await)?,
        )
    }

    /// The live grants that contain this entitlement on this account.
    pub async fn live_grants_with(
        &mut self,
        account: AccountId,
        entitlement: EntitlementId,
    ) -> Result<Vec<GrantRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(select_grant!(
            " JOIN grant_entitlements e ON e.grant_id = g.id
              WHERE e.account_id = $1 AND e.entitlement_id = $2 AND e.removed_at IS NULL AND g.state <> 'ended' ORDER BY g.id"))
            .bind(account.0).bind(entitlement.0).fetch_all(c).await)?)
    }

    /// The grants that contain any of these pairs and still wait for a target: not yet ready, or ended and not gone.
    pub async fn grants_awaiting(
        &mut self,
        pairs: &[(AccountId, EntitlementId)],
    ) -> Result<Vec<GrantRow>, Error> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT DISTINCT g.id, g.person_id, g.account_id, g.package_id, g.package_version_id, g.line_id, g.source,
                   g.state, g.valid_from, g.end_at, g.ready_at, g.ended_at, g.end_reason, g.ended_by, g.end_note, g.gone_at,
                   g.version, g.created_at
                 FROM grant_entitlements e JOIN grants g ON g.id = e.grant_id
                 WHERE ((g.state = 'active' AND g.ready_at IS NULL) OR (g.state = 'ended' AND g.gone_at IS NULL))
                   AND (e.account_id, e.entitlement_id) IN (VALUES ");
            for (index, (account, entitlement)) in pairs.iter().enumerate() {
                query.push(if index == 0 { "(" } else { ", (" }).push_bind(account.0).push(", ")
                    .push_bind(entitlement.0).push(")");
            }
            query.push(") ORDER BY g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What these grants contain.
    pub async fn content_of_grants(&mut self, ids: &[GrantId]) -> Result<Vec<ContentRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT grant_id, entitlement_id, account_id FROM grant_entitlements WHERE grant_id IN (");
            ids_in!(query, ids);
            query.push(") ORDER BY account_id, entitlement_id, grant_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What these grants contain, with what the targets say. For one that is over, also what a new edition of the package
    /// took out of it before: it is gone only when that is gone.
    pub async fn parts_of_grants(&mut self, ids: &[GrantId]) -> Result<Vec<PartRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT e.grant_id, e.entitlement_id, a.desired, a.observed, a.observed_at, a.phase
                 FROM grant_entitlements e JOIN grants g ON g.id = e.grant_id
                 JOIN assignments a ON a.account_id = e.account_id AND a.entitlement_id = e.entitlement_id
                 WHERE (e.removed_at IS NULL OR g.state = 'ended') AND e.grant_id IN (");
            ids_in!(query, ids);
            query.push(") ORDER BY e.grant_id, e.entitlement_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Lets scheduled grants begin.
    pub async fn start_grants(&mut self, ids: &[GrantId]) -> Result<(), Error> {
        self.set_grants("state = 'active'", ids, " AND state = 'scheduled'")
            .await
    }

    /// Ends grants that are not over. Gives how many were.
    pub async fn end_grants(
        &mut self,
        ids: &[GrantId],
        at: Timestamp,
        reason: EndReason,
        by: Option<PersonId>,
        note: Option<&str>,
    ) -> Result<u64, Error> {
        if ids.is_empty() {
            return Ok(0);
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE grants SET state = 'ended', version = version + 1, ended_at = ");
            query.push_bind(At(at)).push(", end_reason = ").push_bind(reason.as_str()).push(", ended_by = ")
                .push_bind(by.map(|id| id.0)).push(", end_note = ").push_bind(note.map(ToOwned::to_owned))
                .push(" WHERE state <> 'ended' AND id IN (");
            ids_in!(query, ids);
            query.push(")");
            query.build().execute(c).await.map(|done| done.rows_affected())
        })?)
    }

    /// Gives a live grant another end.
    pub async fn set_grant_end(&mut self, id: GrantId, end: End) -> Result<(), Error> {
        let (kind, at) = match end {
            End::At(at) => ("at", Some(At(at))),
            End::Permanent => ("permanent", None),
        };
        on!(self, c => sqlx::query(
            "UPDATE grants SET end_kind = $2, end_at = $3, version = version + 1 WHERE id = $1 AND state <> 'ended'")
            .bind(id.0).bind(kind).bind(at).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes when every target first confirmed these grants.
    pub async fn mark_ready(&mut self, ids: &[GrantId], at: Timestamp) -> Result<(), Error> {
        self.mark("ready_at", ids, at).await
    }

    /// Notes when every target confirmed that these grants are gone.
    pub async fn mark_gone(&mut self, ids: &[GrantId], at: Timestamp) -> Result<(), Error> {
        self.mark("gone_at", ids, at).await
    }

    async fn mark(
        &mut self,
        column: &'static str,
        ids: &[GrantId],
        at: Timestamp,
    ) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE grants SET version = version + 1, ");
            query.push(column).push(" = ").push_bind(At(at)).push(" WHERE id IN (");
            ids_in!(query, ids);
            query.push(")");
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }

    async fn set_grants(
        &mut self,
        change: &'static str,
        ids: &[GrantId],
        only: &'static str,
    ) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("UPDATE grants SET version = version + 1, ");
            query.push(change).push(" WHERE id IN (");
            ids_in!(query, ids);
            query.push(")").push(only);
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }
}

/// Reads a job's subject as a grant id.
impl crate::jobs::Job {
    /// The grant that the job stands for, if it stands for one.
    pub fn grant(&self) -> Option<GrantId> {
        self.subject.map(|id: Uuid| GrantId(id))
    }

    /// The deputyship that the job stands for, if it stands for one.
    pub fn deputy(&self) -> Option<domain::DeputyId> {
        self.subject.map(domain::DeputyId)
    }

    /// The person that the job stands for, if it stands for one.
    pub fn person(&self) -> Option<PersonId> {
        self.subject.map(|id: Uuid| PersonId(id))
    }

    /// The stage that the job stands for, if it stands for one.
    pub fn stage(&self) -> Option<domain::StageId> {
        self.subject.map(domain::StageId)
    }

    /// The line that the job stands for, if it stands for one.
    pub fn line(&self) -> Option<LineId> {
        self.subject.map(|id: Uuid| LineId(id))
    }
}
