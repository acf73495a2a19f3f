//! A line while it is decided on: held with everybody concerned, read with its route and its votes, and closed.

use domain::{
    DecisionId, FreshId, LineId, PersonId, StageId, Timestamp,
    approval::{StageState, Verdict, Via},
    policy::ApproverRule,
    request::LineState,
};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use crate::{
    engine::{At, Engine, Error, Tx},
    requests::{DecisionRow, LineRow, StageRow},
};

/// A line that is held, and what its policy says.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldLine {
    /// The line.
    pub line: LineRow,
    /// The policy of its pinned edition, and the package's name.
    pub terms: HeldTerms,
}

row! {
    /// What a held line is decided by.
    pub struct HeldTerms {
        /// The policy of the pinned edition, as JSON.
        pub policy: String,
        /// The package's name.
        pub package_name: String,
    }

    /// A stage with one of its votes.
    pub struct VotedRow {
        /// The stage.
        pub id: StageId,
        /// The line.
        pub line_id: LineId,
        /// See [`StageRow::position`].
        pub position: i64,
        /// See [`StageRow::rule`].
        pub rule: String,
        /// See [`StageRow::approvers`].
        pub approvers: ApproverRule,
        /// See [`StageRow::needed`].
        pub needed: i64,
        /// See [`StageRow::state`].
        pub state: StageState,
        /// See [`StageRow::fallback`].
        pub fallback: bool,
        /// See [`StageRow::by_subordinates`].
        pub by_subordinates: bool,
        /// See [`StageRow::stuck`].
        pub stuck: bool,
        /// See [`StageRow::escalated`].
        pub escalated: bool,
        /// See [`StageRow::fresh`].
        pub fresh: bool,
        /// See [`StageRow::opened_at`].
        pub opened_at: Option<Timestamp>,
        /// See [`StageRow::closed_at`].
        pub closed_at: Option<Timestamp>,
        /// The vote; none in a stage without one.
        pub decision_id: Option<DecisionId>,
        /// See [`DecisionRow::decider_id`].
        pub decider_id: Option<PersonId>,
        /// See [`DecisionRow::for_id`].
        pub for_id: Option<PersonId>,
        /// See [`DecisionRow::slot`].
        pub slot: Option<i64>,
        /// See [`DecisionRow::verdict`].
        pub verdict: Option<Verdict>,
        /// See [`DecisionRow::via`].
        pub via: Option<Via>,
        /// See [`DecisionRow::note`].
        pub note: Option<String>,
        /// See [`DecisionRow::cap_seconds`].
        pub cap_seconds: Option<i64>,
        /// See [`DecisionRow::signed_hash`].
        pub signed_hash: Option<String>,
        /// See [`DecisionRow::decided_at`].
        pub decided_at: Option<Timestamp>,
        /// See [`DecisionRow::fresh_id`].
        pub fresh_id: Option<FreshId>,
    }
}

impl<'r> FromRow<'r, sqlx::sqlite::SqliteRow> for HeldLine {
    fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            line: LineRow::from_row(row)?,
            terms: HeldTerms::from_row(row)?,
        })
    }
}

impl<'r> FromRow<'r, sqlx::postgres::PgRow> for HeldLine {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            line: LineRow::from_row(row)?,
            terms: HeldTerms::from_row(row)?,
        })
    }
}

impl VotedRow {
    fn vote(&self) -> Option<DecisionRow> {
        Some(DecisionRow {
            id: self.decision_id?,
            stage_id: self.id,
            line_id: self.line_id,
            decider_id: self.decider_id?,
            for_id: self.for_id,
            slot: self.slot?,
            verdict: self.verdict?,
            via: self.via?,
            note: self.note.clone()?,
            cap_seconds: self.cap_seconds,
            signed_hash: self.signed_hash.clone()?,
            decided_at: self.decided_at?,
            fresh_id: self.fresh_id,
        })
    }

    fn stage(self) -> StageRow {
        StageRow {
            id: self.id,
            line_id: self.line_id,
            position: self.position,
            rule: self.rule,
            approvers: self.approvers,
            needed: self.needed,
            state: self.state,
            fallback: self.fallback,
            by_subordinates: self.by_subordinates,
            stuck: self.stuck,
            escalated: self.escalated,
            fresh: self.fresh,
            opened_at: self.opened_at,
            closed_at: self.closed_at,
        }
    }
}

/// How a line ends.
#[derive(Clone, Debug)]
pub struct Closing<'a> {
    /// The line as it was read.
    pub line: &'a LineRow,
    /// Its end state.
    pub state: LineState,
    /// By whom, if a person.
    pub by: Option<PersonId>,
    /// Stages that are decided and not written yet as they stand; every other one that is not decided is closed.
    pub decided: &'a [StageRow],
    /// The job that would let it lapse; it goes, unless it is running.
    pub job: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Writes where stages stand, all in one.
macro_rules! write_stages {
    ($query:ident, $stages:expr) => {{
        $query.push(
            "UPDATE stages SET needed = w.column2, state = w.column3, fallback = w.column4, by_subordinates = w.column5,
               stuck = w.column6, opened_at = w.column7, closed_at = w.column8, escalated = w.column9 FROM (",
        );
        $query.push_values($stages, |mut tuple, stage| {
            tuple
                .push_bind(stage.id.0)
                .push_bind(stage.needed)
                .push_bind(stage.state.as_str())
                .push_bind(stage.fallback)
                .push_bind(stage.by_subordinates)
                .push_bind(stage.stuck)
                .push_bind(stage.opened_at.map(At))
                .push_bind(stage.closed_at.map(At))
                .push_bind(stage.escalated);
        });
        $query.push(") AS w WHERE stages.id = w.column1");
    }};
}

impl Tx {
    /// Holds the line that a stage belongs to until commit: its package ([`Tx::hold_package`]), then whom it is about and
    /// `persons` ([`Tx::lock_persons`]), then the line itself. Nothing else can decide on it meanwhile.
    pub async fn hold_line_of_stage(
        &mut self,
        stage: StageId,
        persons: &[PersonId],
    ) -> Result<Option<HeldLine>, Error> {
        match self {
            Self::Sqlite(tx) => Ok(sqlx::query_as(
                "SELECT l.*, v.policy, p.name AS package_name FROM stages s JOIN lines l ON l.id = s.line_id
                 JOIN package_versions v ON v.id = l.package_version_id JOIN packages p ON p.id = l.package_id WHERE s.id = $1",
            )
            .bind(stage.0)
            .fetch_optional(&mut **tx)
            .await?),
            Self::Postgres(tx) => {
                let persons: Vec<Uuid> = persons.iter().map(|id| id.0).collect();
                // Who counts what is locked has waited for it. What a line is about never changes, so whom to lock may be
                // read before; the line itself is given as it is once it is locked.
                Ok(sqlx::query_as(
                    "WITH seen AS (
                       SELECT l.id, l.package_id, l.asker_id, l.beneficiary_id FROM lines l JOIN stages s ON s.line_id = l.id
                       WHERE s.id = $1
                     ), held AS (
                       SELECT id, name FROM packages WHERE id = (SELECT package_id FROM seen) FOR SHARE
                     ), concerned AS (
                       SELECT id FROM persons WHERE (SELECT COUNT(*) FROM held) >= 0 AND id IN (
                         SELECT unnest($2::uuid[]) UNION SELECT asker_id FROM seen UNION SELECT beneficiary_id FROM seen)
                       ORDER BY id FOR NO KEY UPDATE
                     )
                     SELECT l.*, (SELECT v.policy FROM package_versions v WHERE v.id = l.package_version_id) AS policy,
                       (SELECT name FROM held) AS package_name
                     FROM lines l WHERE l.id = (SELECT id FROM seen) AND (SELECT COUNT(*) FROM concerned) >= 0 FOR UPDATE OF l",
                )
                .bind(stage.0)
                .bind(persons)
                .fetch_optional(&mut **tx)
                .await?)
            }
        }
    }

    /// The stages of a line in order, as [`Tx::stages`], and its votes, oldest first, as [`Tx::decisions`], in one statement.
    pub async fn voted(
        &mut self,
        line: LineId,
    ) -> Result<(Vec<StageRow>, Vec<DecisionRow>), Error> {
        let rows: Vec<VotedRow> = on!(self, c => sqlx::query_as(
            "SELECT s.id, s.line_id, s.position, s.rule, s.approvers, s.needed, s.state, s.fallback, s.by_subordinates, s.stuck,
               s.escalated, s.fresh, s.opened_at, s.closed_at, d.id AS decision_id, d.decider_id, d.for_id, d.slot, d.verdict,
               d.via, d.note, d.cap_seconds, d.signed_hash, d.decided_at, d.fresh_id
             FROM stages s LEFT JOIN decisions d ON d.stage_id = s.id WHERE s.line_id = $1 ORDER BY s.position, d.id NULLS FIRST")
            .bind(line.0).fetch_all(c).await)?;
        let mut decisions: Vec<DecisionRow> = rows.iter().filter_map(VotedRow::vote).collect();
        decisions.sort_by_key(|vote| (vote.decided_at, vote.id));
        let mut stages: Vec<StageRow> = rows.into_iter().map(VotedRow::stage).collect();
        stages.dedup_by_key(|stage| stage.id);
        Ok((stages, decisions))
    }

    /// Ends a waiting line, if it is still as it was read: its stages are written and closed, its seats and its deadline go.
    /// Gives who was seated; none if somebody else was first.
    pub async fn close_line(
        &mut self,
        closing: &Closing<'_>,
    ) -> Result<Option<Vec<PersonId>>, Error> {
        let engine = self.engine();
        let Closing {
            line,
            state,
            by,
            decided,
            job,
            now,
        } = closing;
        let mut seated: Vec<Uuid> = Vec::new();
        // One row at least if the line ended.
        let rows: Vec<Option<Uuid>> = on!(self, c => {
            let mut query = QueryBuilder::new(engine.first());
            query.push("UPDATE stages SET state = 'closed', stuck = FALSE, closed_at = ").push_bind(At(*now))
                .push(" WHERE state IN ('waiting', 'open') AND line_id = ").push_bind(line.id.0);
            for stage in *decided {
                query.push(" AND id <> ").push_bind(stage.id.0);
            }
            if !decided.is_empty() {
                and_then!(engine, query, c, "decided");
                write_stages!(query, *decided);
            }
            and_then!(engine, query, c, "job");
            query.push("DELETE FROM jobs WHERE leased_by IS NULL AND key = ").push_bind((*job).to_owned());
            and_then!(engine, query, c, "seated");
            query.push("DELETE FROM seats WHERE stage_id IN (SELECT id FROM stages WHERE line_id = ").push_bind(line.id.0)
                .push(") RETURNING person_id");
            match engine {
                Engine::Sqlite => {
                    seated = query.build_query_scalar().fetch_all(&mut *c).await?;
                    query = QueryBuilder::new("");
                }
                Engine::Postgres => {
                    query.push("), ended AS (");
                }
            }
            query.push("UPDATE lines SET version = version + 1, state = ").push_bind(state.as_str())
                .push(", ended_at = ").push_bind(At(*now)).push(", ended_by = ").push_bind(by.map(|id| id.0))
                .push(" WHERE state = 'awaiting_approval' AND version = ").push_bind(line.version)
                .push(" AND id = ").push_bind(line.id.0);
            if engine == Engine::Postgres {
                // The line follows its stages: not before they are written.
                query.push(" AND (SELECT COUNT(*) FROM first) >= 0");
                if !decided.is_empty() {
                    query.push(" AND (SELECT COUNT(*) FROM decided) >= 0");
                }
            }
            query.push(" RETURNING NULL AS person_id");
            if engine == Engine::Postgres {
                query.push(") SELECT s.person_id FROM ended LEFT JOIN seated s ON TRUE");
            }
            query.build_query_scalar().fetch_all(c).await
        })?;
        if rows.is_empty() {
            return Ok(None);
        }
        seated.extend(rows.into_iter().flatten());
        Ok(Some(seated.into_iter().map(PersonId).collect()))
    }

    /// Writes where several stages stand, as [`Tx::update_stage`] does one.
    pub async fn update_stages(&mut self, stages: &[StageRow]) -> Result<(), Error> {
        if stages.is_empty() {
            return Ok(());
        }
        on!(self, c => {
            let mut query = QueryBuilder::new("");
            write_stages!(query, stages);
            query.build().execute(c).await.map(drop)
        })?;
        Ok(())
    }
}
