//! Fresh sign-ins: what waits for one, and what came of it.

use domain::{AccountId, EntitlementId, FreshId, PersonId, StageId, Timestamp, fresh::FreshAct};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// Something that waits for a fresh sign-in, as it was typed, or that had one.
    pub struct FreshRow {
        /// Its id.
        pub id: FreshId,
        /// What it is.
        pub act: FreshAct,
        /// For a yes: in which stage.
        pub stage_id: Option<StageId>,
        /// For anything else: the exception, the edition or the person.
        pub subject_id: Option<Uuid>,
        /// Who does it.
        pub person_id: PersonId,
        /// The account of their session.
        pub account_id: AccountId,
        /// For at most so many seconds, if they said less.
        pub cap_seconds: Option<i64>,
        /// What they wrote.
        pub note: String,
        /// What they sign off.
        pub signed_hash: String,
        /// The authentication context that is asked for, if one is configured.
        pub context: Option<String>,
        /// When it began to wait, by the system's clock.
        pub begun_at: Timestamp,
        /// When the person signed in, as the provider said.
        pub signed_in_at: Option<Timestamp>,
        /// When it counted, by the system's clock.
        pub proven_at: Option<Timestamp>,
        /// Why it did not, as JSON.
        pub refusals: Option<String>,
    }
}

impl Tx {
    /// Keeps something until its fresh sign-in.
    pub async fn insert_fresh(&mut self, row: &FreshRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO fresh_sign_ins (id, stage_id, person_id, account_id, cap_seconds, note, signed_hash, context, begun_at,
               act, subject_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(row.id.0).bind(row.stage_id.map(|id| id.0)).bind(row.person_id.0).bind(row.account_id.0).bind(row.cap_seconds)
            .bind(&row.note).bind(&row.signed_hash).bind(&row.context).bind(At(row.begun_at))
            .bind(row.act.as_str()).bind(row.subject_id).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What waits, or waited, under this id.
    pub async fn fresh(&mut self, id: FreshId) -> Result<Option<FreshRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, act, stage_id, subject_id, person_id, account_id, cap_seconds, note, signed_hash, context, begun_at, signed_in_at,
               proven_at, refusals
             FROM fresh_sign_ins WHERE id = $1").bind(id.0).fetch_optional(c).await)?)
    }

    /// Lets what waits for somebody's word want a fresh sign-in: an exception or an edition.
    pub async fn want_fresh(&mut self, act: FreshAct, subject: Uuid) -> Result<(), Error> {
        let text = match act {
            FreshAct::Accept | FreshAct::Confirm => {
                "UPDATE exceptions SET fresh = TRUE WHERE id = $1"
            }
            FreshAct::Publish => "UPDATE catalogue_versions SET fresh = TRUE WHERE id = $1",
            FreshAct::Decide | FreshAct::Stop | FreshAct::End => return Ok(()),
        };
        on!(self, c => sqlx::query(text).bind(subject).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Whether an exception or an edition was fixed to want one.
    pub async fn wants_fresh(&mut self, act: FreshAct, subject: Uuid) -> Result<bool, Error> {
        let text = match act {
            FreshAct::Accept | FreshAct::Confirm => "SELECT fresh FROM exceptions WHERE id = $1",
            FreshAct::Publish => "SELECT fresh FROM catalogue_versions WHERE id = $1",
            FreshAct::Decide | FreshAct::Stop | FreshAct::End => return Ok(false),
        };
        let wants: Option<bool> =
            on!(self, c => sqlx::query_scalar(text).bind(subject).fetch_optional(c).await)?;
        Ok(wants.unwrap_or(false))
    }

    /// Writes with which fresh sign-in somebody accepts, confirms or publishes, before they do; or stopped a person, after.
    pub async fn use_fresh(
        &mut self,
        act: FreshAct,
        subject: Uuid,
        id: FreshId,
    ) -> Result<(), Error> {
        let text = match act {
            FreshAct::Accept => "UPDATE exceptions SET accepted_fresh_id = $2 WHERE id = $1",
            FreshAct::Confirm => "UPDATE exceptions SET confirmed_fresh_id = $2 WHERE id = $1",
            FreshAct::Publish => {
                "UPDATE catalogue_versions SET decided_fresh_id = $2 WHERE id = $1"
            }
            FreshAct::Stop | FreshAct::End => {
                "UPDATE persons SET suspended_fresh_id = $2 WHERE id = $1"
            }
            // The vote itself says it.
            FreshAct::Decide => return Ok(()),
        };
        on!(self, c => sqlx::query(text).bind(subject).bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Whether one of these rights is privileged.
    pub async fn any_privileged(&mut self, rights: &[EntitlementId]) -> Result<bool, Error> {
        if rights.is_empty() {
            return Ok(false);
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT EXISTS (SELECT 1 FROM entitlements WHERE privileged = TRUE AND id IN (");
            let mut list = query.separated(", ");
            for id in rights {
                list.push_bind(id.0);
            }
            query.push("))");
            query.build_query_scalar().fetch_one(c).await
        })?)
    }

    /// The policies of the packages that are offered and give one of these rights, as JSON.
    pub async fn policies_giving(
        &mut self,
        rights: &[EntitlementId],
    ) -> Result<Vec<String>, Error> {
        if rights.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT v.policy FROM packages p JOIN package_versions v ON v.id = p.version_id
                 WHERE p.state = 'offered' AND EXISTS (SELECT 1 FROM package_version_entitlements x
                   WHERE x.package_version_id = v.id AND x.entitlement_id IN (");
            let mut list = query.separated(", ");
            for id in rights {
                list.push_bind(id.0);
            }
            query.push(")) ORDER BY p.id");
            query.build_query_scalar().fetch_all(c).await
        })?)
    }

    /// Lets a fresh sign-in count; in the transaction of its vote or word. False if it has an outcome already.
    pub async fn prove_fresh(
        &mut self,
        id: FreshId,
        signed_in_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let proven = on!(self, c => sqlx::query(
            "UPDATE fresh_sign_ins SET signed_in_at = $2, proven_at = $3
             WHERE id = $1 AND proven_at IS NULL AND refusals IS NULL")
            .bind(id.0).bind(At(signed_in_at)).bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(proven == 1)
    }

    /// Says why it does not count, unless it has an outcome already.
    pub async fn refuse_fresh(&mut self, id: FreshId, refusals: &str) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE fresh_sign_ins SET refusals = $2 WHERE id = $1 AND proven_at IS NULL AND refusals IS NULL")
            .bind(id.0).bind(refusals).execute(c).await.map(drop))?;
        Ok(())
    }
}
