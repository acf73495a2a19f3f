//! Counts for the frame of every page.

use domain::PersonId;

use crate::engine::{Error, Tx};

row! {
    /// What waits for somebody.
    pub struct ShellRow {
        /// Lines that they asked for, or that are for them, and wait.
        pub requests: i64,
        /// Lines of their cart.
        pub cart: i64,
        /// Decisions that wait for them.
        pub decisions: i64,
        /// Items that wait for their review.
        pub reviews: i64,
        /// Whether somebody reports to them.
        pub has_team: bool,
        /// Whether they own a package.
        pub owns: bool,
        /// Tasks by hand that wait for them as the owner of a right or of a package.
        pub tasks: i64,
        /// Assignments that need a person, if asked for.
        pub attention: Option<i64>,
        /// Holds that wait, if asked for.
        pub holds: Option<i64>,
        /// Catalogue versions that wait, if asked for.
        pub versions: Option<i64>,
    }
}

impl Tx {
    /// What waits for a person; each count stops at `cap`. The last three are for those who may act on them.
    pub async fn shell(
        &mut self,
        person: PersonId,
        cap: i64,
        attention: bool,
        holds: bool,
        versions: bool,
    ) -> Result<ShellRow, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT
               (SELECT COUNT(*) FROM (SELECT 1 FROM lines WHERE asker_id = $1 AND state = 'awaiting_approval' LIMIT $2) AS x)
               + (SELECT COUNT(*) FROM (SELECT 1 FROM lines WHERE beneficiary_id = $1 AND asker_id <> $1
                    AND state = 'awaiting_approval' LIMIT $2) AS y) AS requests,
               (SELECT COUNT(*) FROM draft_lines l JOIN drafts d ON d.id = l.draft_id WHERE d.person_id = $1) AS cart,
               (SELECT COUNT(*) FROM (SELECT 1 FROM seats s WHERE s.person_id = $1 AND NOT EXISTS (
                    SELECT 1 FROM decisions d WHERE d.stage_id = s.stage_id AND d.decider_id = s.person_id) LIMIT $2) AS z) AS decisions,
               (SELECT COUNT(*) FROM (SELECT 1 FROM campaign_items WHERE reviewer_id = $1 AND state = 'open' LIMIT $2) AS r) AS reviews,
               EXISTS (SELECT 1 FROM persons WHERE manager_id = $1 AND state = 'active') AS has_team,
               EXISTS (SELECT 1 FROM package_owners WHERE person_id = $1) AS owns,
               (SELECT COUNT(*) FROM (SELECT 1 FROM tasks k JOIN entitlements e ON e.id = k.entitlement_id
                  WHERE k.state IN ('open', 'cannot') AND k.person_id <> $1 AND (e.owner_id = $1 OR
                    ((e.owner_id IS NULL OR e.owner_id = k.person_id) AND EXISTS (
                      SELECT 1 FROM package_version_entitlements x JOIN packages p ON p.version_id = x.package_version_id
                      JOIN package_owners o ON o.package_id = p.id
                      WHERE x.entitlement_id = k.entitlement_id AND p.state = 'offered' AND o.person_id = $1)))
                  LIMIT $2) AS t) AS tasks,
               CASE WHEN $3 = 1 THEN (SELECT COUNT(*) FROM (SELECT 1 FROM assignments WHERE phase = 'attention' LIMIT $2) AS u) END AS attention,
               CASE WHEN $4 = 1 THEN (SELECT COUNT(*) FROM holds WHERE state = 'waiting') END AS holds,
               CASE WHEN $5 = 1 THEN (SELECT COUNT(*) FROM catalogue_versions WHERE state = 'pending') END AS versions")
            .bind(person.0).bind(cap).bind(i64::from(attention)).bind(i64::from(holds)).bind(i64::from(versions))
            .fetch_one(c).await)?)
    }
}
