//! A database that was restored from a backup: what told of it, which targets wait, and what scans found there since.

use domain::{PersonId, TargetId, Timestamp};

use crate::{
    engine::{At, Error, Tx},
    scans::scanned_kinds,
};

row! {
    /// What told of a restore.
    pub struct RestoreRow {
        /// What tells this restore from another.
        pub proof: String,
        /// In words.
        pub why: String,
        /// When it was noted.
        pub noted_at: Timestamp,
        /// When an operator let the targets go on.
        pub gone_on_at: Option<Timestamp>,
        /// Which operator.
        pub gone_on_by: Option<PersonId>,
    }

    /// A target at which nothing is given since a restore, with what scans found there.
    pub struct RestoredTargetRow {
        /// Which.
        pub id: TargetId,
        /// Its name.
        pub name: String,
        /// What it speaks.
        pub kind: String,
        /// Whether a person paused it.
        pub paused: bool,
        /// Since when nothing is given there.
        pub restored_at: Timestamp,
        /// When the newest scan began.
        pub begun_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why it could not be done.
        pub problem: Option<String>,
        /// Rights that are scanned there and were not compared since, or whose scan stopped.
        pub uncompared: i64,
        /// Accounts that hold a right there without a grant.
        pub given: i64,
        /// What is missing there although a grant gives it, and is not given again by itself.
        pub missing: i64,
        /// Additions that wait.
        pub waiting: i64,
    }
}

impl Tx {
    /// Notes that the database was restored. False if the same proof was noted before.
    pub async fn insert_restore(
        &mut self,
        proof: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let fresh = on!(self, c => sqlx::query(
            "INSERT INTO restores (proof, why, noted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(proof).bind(why).bind(At(now)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(fresh == 1)
    }

    /// What told of the newest restore.
    pub async fn newest_restore(&mut self) -> Result<Option<RestoreRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT proof, why, noted_at, gone_on_at, gone_on_by FROM restores ORDER BY noted_at DESC, proof DESC LIMIT 1")
            .fetch_optional(c).await)?)
    }

    /// Keeps additions from every target, but not from this database itself.
    pub async fn close_targets(&mut self, now: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE targets SET restored_at = $1 WHERE kind <> 'portal'")
            .bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Lets additions through to a target again.
    pub async fn open_target(&mut self, id: TargetId) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE targets SET restored_at = NULL WHERE id = $1")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes who let the targets go on after the restores that nobody had looked at yet.
    pub async fn end_restores(&mut self, by: PersonId, now: Timestamp) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE restores SET gone_on_at = $2, gone_on_by = $1 WHERE gone_on_at IS NULL")
            .bind(by.0).bind(At(now)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The targets at which nothing is given since a restore.
    pub async fn restored_targets(&mut self) -> Result<Vec<RestoredTargetRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "SELECT t.id, t.name, t.kind, t.paused, t.restored_at, s.begun_at, s.ended_at, s.problem,
               (SELECT COUNT(*) FROM entitlements e LEFT JOIN scanned_rights r ON r.entitlement_id = e.id
                WHERE e.target_id = t.id AND e.application_id IS NOT NULL AND e.manageable = TRUE
                  AND e.kind IN ", scanned_kinds!(), "
                  AND (r.scanned_at IS NULL OR r.scanned_at < t.restored_at OR r.stopped IS NOT NULL)) AS uncompared,
               (SELECT COUNT(*) FROM drift d JOIN entitlements e ON e.id = d.entitlement_id WHERE e.target_id = t.id) AS given,
               (SELECT COUNT(*) FROM vanished v JOIN assignments a ON a.id = v.assignment_id
                WHERE a.target_id = t.id AND a.desired = TRUE AND a.phase = 'attention' AND a.next_at IS NULL
                  AND v.withheld_at >= t.restored_at) AS missing,
               (SELECT COUNT(*) FROM assignments a WHERE a.target_id = t.id AND a.desired = TRUE AND a.only_imports = FALSE
                  AND a.phase <> 'settled' AND a.phase <> 'attention') AS waiting
             FROM targets t LEFT JOIN scans s ON s.target_id = t.id WHERE t.restored_at IS NOT NULL ORDER BY t.name, t.id"))
            .fetch_all(c).await)?)
    }
}
