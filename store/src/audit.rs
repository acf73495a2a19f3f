//! The audit log's rows. Hashing is `workflow`'s; here the head is the lock that orders all appends.

use domain::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Engine, Error, Tx};

row! {
    /// Where the chain ends.
    pub struct AuditHead {
        /// Sequence number of the last entry; 0 for an empty log.
        pub seq: i64,
        /// Its hash; 32 zero bytes for an empty log.
        pub hash: Vec<u8>,
    }

    /// One entry as kept.
    pub struct AuditRow {
        /// Position in the chain, from 1 without gaps.
        pub seq: i64,
        /// When.
        pub at: Timestamp,
        /// What happened.
        pub kind: String,
        /// The canonical text that was hashed.
        pub entry: String,
        /// SHA-256 of the previous hash followed by the text.
        pub hash: Vec<u8>,
    }

    /// What stands beside an entry's text, for lists and searches.
    pub struct AuditActor {
        /// Which entry.
        pub seq: i64,
        /// `person`, `portal`, `provisioner`, `operator` or `anonymous`.
        pub actor: String,
        /// Which person, if one.
        pub actor_id: Option<Uuid>,
    }

    /// One line of the index by subject.
    pub struct AuditSubject {
        /// Which entry.
        pub seq: i64,
        /// What it is about, as a printed id.
        pub subject: String,
    }
}

/// One entry to append.
#[derive(Clone, Debug)]
pub struct NewAuditRow {
    /// The row.
    pub row: AuditRow,
    /// `person`, `portal`, `provisioner`, `operator` or `anonymous`.
    pub actor: &'static str,
    /// Which person, if one.
    pub actor_id: Option<Uuid>,
    /// What it is about, as printed ids.
    pub subjects: Vec<String>,
}

/// How a page of the log is chosen. All given conditions hold.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only entries about this printed id.
    pub subject: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only by this person.
    pub actor: Option<Uuid>,
    /// Only at or after.
    pub from: Option<Timestamp>,
    /// Only before.
    pub until: Option<Timestamp>,
    /// Only entries with a smaller sequence number (older): where the last page ended.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Reads the head and locks it until commit. The last lock that a transaction takes.
    pub async fn lock_audit_head(&mut self) -> Result<AuditHead, Error> {
        let text = match self.engine() {
            Engine::Sqlite => "SELECT seq, hash FROM audit_head",
            Engine::Postgres => "SELECT seq, hash FROM audit_head FOR UPDATE",
        };
        Ok(on!(self, c => sqlx::query_as(text).fetch_one(c).await)?)
    }

    /// Reads the head without locking it.
    pub async fn audit_head(&mut self) -> Result<AuditHead, Error> {
        Ok(on!(self, c => sqlx::query_as("SELECT seq, hash FROM audit_head").fetch_one(c).await)?)
    }

    /// Appends entries, in order, moves the head to the last of them, and tells all replicas `said`, if it is given.
    pub async fn append_audit(
        &mut self,
        rows: &[NewAuditRow],
        said: Option<&str>,
    ) -> Result<(), Error> {
        let engine = self.engine();
        let mut rest = rows;
        while !rest.is_empty() {
            let (some, more) = rest.split_at(portion(rest));
            rest = more;
            let Some(last) = some.last() else {
                break;
            };
            let subjects: Vec<(&String, i64)> = some
                .iter()
                .flat_map(|new| new.subjects.iter().map(|subject| (subject, new.row.seq)))
                .collect();
            on!(self, c => {
                let mut query = QueryBuilder::new(engine.first());
                query.push("INSERT INTO audit_events (seq, at, kind, actor, actor_id, entry, hash) ");
                query.push_values(some, |mut tuple, new| {
                    tuple.push_bind(new.row.seq).push_bind(At(new.row.at)).push_bind(new.row.kind.clone())
                        .push_bind(new.actor).push_bind(new.actor_id).push_bind(new.row.entry.clone())
                        .push_bind(new.row.hash.clone());
                });
                if !subjects.is_empty() {
                    and_then!(engine, query, c, "subjects");
                    query.push("INSERT INTO audit_subjects (subject, seq) ");
                    query.push_values(&subjects, |mut tuple, (subject, seq)| {
                        tuple.push_bind((*subject).clone()).push_bind(*seq);
                    });
                    query.push(" ON CONFLICT DO NOTHING");
                }
                and_last!(engine, query, c);
                query.push("UPDATE audit_head SET seq = ").push_bind(last.row.seq)
                    .push(", hash = ").push_bind(last.row.hash.clone());
                if engine == Engine::Postgres {
                    // The head moves to an entry that is there: not before the entries are.
                    query.push(" WHERE (SELECT COUNT(*) FROM first) > 0");
                    if let Some(said) = said.filter(|_| rest.is_empty()) {
                        query.push(" RETURNING pg_notify('latchkey', ").push_bind(said.to_owned()).push(")");
                    }
                }
                query.build().execute(c).await.map(drop)
            })?;
        }
        if let Some(said) = said.filter(|_| rows.is_empty()) {
            self.notify(said).await?;
        }
        Ok(())
    }

    /// A page of the log, newest first.
    pub async fn audit_page(&mut self, query: &AuditQuery) -> Result<Vec<AuditRow>, Error> {
        // The subject index is the narrowest where a subject is given; the sequence is the order everywhere.
        Ok(on!(self, c => {
            let mut text = QueryBuilder::new("SELECT e.seq, e.at, e.kind, e.entry, e.hash FROM ");
            if let Some(subject) = &query.subject {
                text.push("audit_subjects s JOIN audit_events e ON e.seq = s.seq WHERE s.subject = ")
                    .push_bind(subject.clone());
                if let Some(before) = query.before {
                    text.push(" AND s.seq < ").push_bind(before);
                }
            } else {
                text.push("audit_events e WHERE e.seq < ").push_bind(query.before.unwrap_or(i64::MAX));
            }
            if let Some(kind) = &query.kind {
                text.push(" AND e.kind = ").push_bind(kind.clone());
            }
            if let Some(actor) = query.actor {
                text.push(" AND e.actor_id = ").push_bind(actor);
            }
            if let Some(from) = query.from {
                text.push(" AND e.at >= ").push_bind(At(from));
            }
            if let Some(until) = query.until {
                text.push(" AND e.at < ").push_bind(At(until));
            }
            text.push(" ORDER BY e.seq DESC LIMIT ").push_bind(query.limit);
            text.build_query_as().fetch_all(c).await
        })?)
    }

    /// Entries after `seq` in order, for verifying and exporting in steps.
    pub async fn audit_after(&mut self, seq: i64, limit: i64) -> Result<Vec<AuditRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT seq, at, kind, entry, hash FROM audit_events WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(seq).bind(limit).fetch_all(c).await)?)
    }

    /// Who did what stands in these entries (`after` < seq <= `to`), as the columns beside their texts say, in order.
    pub async fn audit_actors(&mut self, after: i64, to: i64) -> Result<Vec<AuditActor>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT seq, actor, actor_id FROM audit_events WHERE seq > $1 AND seq <= $2 ORDER BY seq")
            .bind(after).bind(to).fetch_all(c).await)?)
    }

    /// What these entries (`after` < seq <= `to`) are about, as the index says, in order.
    pub async fn audit_subjects(
        &mut self,
        after: i64,
        to: i64,
    ) -> Result<Vec<AuditSubject>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT seq, subject FROM audit_subjects WHERE seq > $1 AND seq <= $2 ORDER BY seq, subject")
            .bind(after).bind(to).fetch_all(c).await)?)
    }
}

/// How many of these entries one statement takes: both engines limit the values of a statement.
fn portion(rows: &[NewAuditRow]) -> usize {
    let mut subjects = 0;
    let fits = rows.iter().take(500).take_while(|new| {
        subjects += new.subjects.len();
        subjects <= 10_000
    });
    fits.count().max(1)
}
