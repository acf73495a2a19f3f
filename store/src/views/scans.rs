//! Scans for operators: how the newest pass over each target went, and which rights it left alone.

use domain::{EntitlementId, TargetId, Timestamp, drift::Stop};

use crate::engine::{Error, Tx};

row! {
    /// How the newest pass over a target went.
    pub struct ScanHealthRow {
        /// The target.
        pub target_id: TargetId,
        /// When it began.
        pub begun_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Why it could not be done.
        pub problem: Option<String>,
        /// Rights that were looked at, now or before.
        pub rights: i64,
        /// Who holds one that no grant explains.
        pub given: i64,
        /// What was taken away out of band.
        pub vanished: i64,
        /// When the next one is due.
        pub next_at: Option<Timestamp>,
    }

    /// A right that the newest pass left alone.
    pub struct StoppedScanRow {
        /// Which.
        pub entitlement_id: EntitlementId,
        /// Its name.
        pub name: String,
        /// Its target.
        pub target_id: TargetId,
        /// The target's name.
        pub target_name: String,
        /// When.
        pub scanned_at: Timestamp,
        /// Why.
        pub stopped: Stop,
        /// Whom the target listed.
        pub listed: i64,
        /// Who holds it as far as the portal knew.
        pub believed: i64,
        /// Who held it without a grant.
        pub given: i64,
        /// From whom it would have been taken away.
        pub vanished: i64,
        /// How much would have changed.
        pub changes: i64,
        /// What the target said, or whom the listing lacked.
        pub detail: String,
        /// How many changes an operator lets through the next time.
        pub allowed: i64,
    }
}

impl Tx {
    /// How the newest pass over each target went.
    pub async fn scan_health(&mut self) -> Result<Vec<ScanHealthRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT t.id AS target_id, s.begun_at, s.ended_at, s.problem,
               (SELECT COUNT(*) FROM scanned_rights r JOIN entitlements e ON e.id = r.entitlement_id
                WHERE e.target_id = t.id AND r.stopped IS NULL) AS rights,
               (SELECT CAST(COALESCE(SUM(r.given), 0) AS BIGINT) FROM scanned_rights r JOIN entitlements e ON e.id = r.entitlement_id
                WHERE e.target_id = t.id AND r.stopped IS NULL) AS given,
               (SELECT CAST(COALESCE(SUM(r.vanished), 0) AS BIGINT) FROM scanned_rights r JOIN entitlements e ON e.id = r.entitlement_id
                WHERE e.target_id = t.id AND r.stopped IS NULL) AS vanished,
               (SELECT MIN(j.due_at) FROM jobs j WHERE j.kind = 'target_scan' AND j.subject = t.id) AS next_at
             FROM targets t LEFT JOIN scans s ON s.target_id = t.id ORDER BY t.key").fetch_all(c).await)?)
    }

    /// The rights that the newest pass left alone, longest first.
    pub async fn stopped_scans(&mut self, limit: i64) -> Result<Vec<StoppedScanRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT r.entitlement_id, e.name, e.target_id, t.name AS target_name, r.scanned_at, r.stopped, r.listed, r.believed,
               r.given, r.vanished, r.changes, r.detail, r.allowed
             FROM scanned_rights r JOIN entitlements e ON e.id = r.entitlement_id JOIN targets t ON t.id = e.target_id
             WHERE r.stopped IS NOT NULL AND e.application_id IS NOT NULL
             ORDER BY r.scanned_at, r.entitlement_id LIMIT $1").bind(limit).fetch_all(c).await)?)
    }
}
