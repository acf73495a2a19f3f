//! The audit log for reading: pages bounded by position, whatever is filtered.

use domain::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    audit::AuditRow,
    engine::{At, Error, Tx},
};

/// Which entries a page shows. All given conditions hold.
#[derive(Clone, Debug, Default)]
pub struct TrailQuery {
    /// Only about this printed id.
    pub subject: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only by this person.
    pub actor: Option<Uuid>,
    /// Only at or after.
    pub from: Option<Timestamp>,
    /// Only before.
    pub until: Option<Timestamp>,
    /// Only older than this position.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// How far instants may lie out of the order of the log: a unit takes its instant before it takes its place.
const SLACK_MINUTES: i64 = 60;

impl Tx {
    /// A page of the log, newest first. Instants are turned into positions first, so that the deepest page costs what
    /// the first does.
    pub async fn trail_page(&mut self, wanted: &TrailQuery) -> Result<Vec<AuditRow>, Error> {
        let slack = chrono::Duration::minutes(SLACK_MINUTES);
        let mut below = wanted.before.unwrap_or(i64::MAX);
        let mut above = 0;
        if let Some(until) = wanted.until {
            let first: Option<i64> = on!(self, c => sqlx::query_scalar(
                "SELECT seq FROM audit_events WHERE at >= $1 ORDER BY at, seq LIMIT 1")
                .bind(At(until + slack)).fetch_optional(c).await)?;
            below = below.min(first.unwrap_or(i64::MAX));
        }
        if let Some(from) = wanted.from {
            let last: Option<i64> = on!(self, c => sqlx::query_scalar(
                "SELECT seq FROM audit_events WHERE at < $1 ORDER BY at DESC, seq DESC LIMIT 1")
                .bind(At(from - slack)).fetch_optional(c).await)?;
            above = last.unwrap_or(0);
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new("SELECT e.seq, e.at, e.kind, e.entry, e.hash FROM ");
            if let Some(subject) = &wanted.subject {
                query.push("audit_subjects s JOIN audit_events e ON e.seq = s.seq WHERE s.subject = ").push_bind(subject.clone())
                    .push(" AND s.seq < ").push_bind(below).push(" AND s.seq > ").push_bind(above);
            } else {
                query.push("audit_events e WHERE e.seq < ").push_bind(below).push(" AND e.seq > ").push_bind(above);
            }
            if let Some(kind) = &wanted.kind {
                query.push(" AND e.kind = ").push_bind(kind.clone());
            }
            if let Some(actor) = wanted.actor {
                query.push(" AND e.actor_id = ").push_bind(actor);
            }
            if let Some(from) = wanted.from {
                query.push(" AND e.at >= ").push_bind(At(from));
            }
            if let Some(until) = wanted.until {
                query.push(" AND e.at < ").push_bind(At(until));
            }
            query.push(if wanted.subject.is_some() { " ORDER BY s.seq DESC" } else { " ORDER BY e.seq DESC" });
            query.push(" LIMIT ").push_bind(wanted.limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Every entry about any of these printed ids between two instants, oldest first.
    pub async fn trail_about(
        &mut self,
        subjects: &[String],
        from: Timestamp,
        until: Option<Timestamp>,
        limit: i64,
    ) -> Result<Vec<AuditRow>, Error> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT e.seq, e.at, e.kind, e.entry, e.hash FROM audit_events e
                 WHERE e.seq IN (SELECT s.seq FROM audit_subjects s WHERE s.subject IN (");
            let mut list = query.separated(", ");
            for subject in subjects {
                list.push_bind(subject.clone());
            }
            query.push(")) AND e.at >= ").push_bind(At(from));
            if let Some(until) = until {
                query.push(" AND e.at <= ").push_bind(At(until));
            }
            query.push(" ORDER BY e.seq LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// One entry with its neighbours: the one before it, itself, the one after it, as far as there are.
    pub async fn trail_around(&mut self, seq: i64) -> Result<Vec<AuditRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT seq, at, kind, entry, hash FROM audit_events WHERE seq BETWEEN $1 AND $2 ORDER BY seq")
            .bind(seq - 1).bind(seq + 1).fetch_all(c).await)?)
    }
}
