//! Certification campaigns: what each looks at, what it has frozen, and what was done to each item.

/// Fills `IN (…)`.
macro_rules! ids_in {
    ($query:expr, $ids:expr) => {{
        let mut list = $query.separated(", ");
        for id in $ids {
            list.push_bind(id.0);
        }
        $query.push(")");
    }};
}

mod items;
mod listings;
mod small;
mod stages;

use domain::{
    AccountId, ActId, CampaignId, EntitlementId, GrantId, ItemId, PackageId, PersonId, Timestamp,
    certification::{
        Act, Answer, CampaignState, Enforce, ItemState, Passes, Proof, Reasons, ReviewerRule,
        Scope, Silence, Suggestion, Via, VoidCause,
    },
    grant::GrantSource,
};
use sqlx::QueryBuilder;

use crate::engine::{At, Error, Tx};

pub use listings::{FrozenListingRow, ListingRow};
pub use small::{LateRow, SmallReviewRow, SmallTagRow};
pub use stages::{LookedRow, StageAnswerRow};

row! {
    /// One campaign.
    pub struct CampaignRow {
        /// Its id.
        pub id: CampaignId,
        /// The short number that people see (`CR-7`).
        pub number: i64,
        /// What it is called.
        pub name: String,
        /// Where it stands.
        pub state: CampaignState,
        /// What it looks at, as JSON.
        pub scope: String,
        /// Who reviews, by rule.
        pub reviewers: ReviewerRule,
        /// The one who reviews, where the rule names one; also whoever stands in first otherwise.
        pub named_id: Option<PersonId>,
        /// What silence means.
        pub silence: Silence,
        /// When reasons are needed.
        pub reasons: Reasons,
        /// When answers take effect.
        pub enforce: Enforce,
        /// How much one reviewer should get at most.
        pub most_each: Option<i64>,
        /// How many days it runs.
        pub days: i64,
        /// The stages after the first, as JSON.
        pub later: String,
        /// Which answers of a stage go on to the next.
        pub passes: Passes,
        /// How many percent of what was kept are looked at again; 0 for none.
        pub second_look: i64,
        /// The stage that is asked, from 1; after the last, the second look.
        pub stage: i64,
        /// After how many months it comes again; 0 for once.
        pub repeat_months: i64,
        /// The one that it repeats.
        pub previous_id: Option<CampaignId>,
        /// Who made it; none for the portal.
        pub made_by: Option<PersonId>,
        /// When.
        pub made_at: Timestamp,
        /// Who started it; none for the portal.
        pub started_by: Option<PersonId>,
        /// When.
        pub started_at: Option<Timestamp>,
        /// The deadline of the stage that is asked.
        pub due_at: Option<Timestamp>,
        /// When what was open went to security.
        pub escalated_at: Option<Timestamp>,
        /// How many items it has frozen.
        pub population: i64,
        /// The hash over them.
        pub population_hash: Option<String>,
        /// When it closed, or was given up.
        pub closed_at: Option<Timestamp>,
        /// Who signed it off.
        pub signed_by: Option<PersonId>,
        /// When.
        pub signed_at: Option<Timestamp>,
        /// What they wrote.
        pub sign_note: String,
        /// The hash of the sealed report.
        pub report_hash: Option<String>,
        /// Counts changes.
        pub version: i64,
    }

    /// One item: a grant as it was when the campaign started, and what became of it.
    pub struct CampaignItemRow {
        /// Its id.
        pub id: ItemId,
        /// The campaign.
        pub campaign_id: CampaignId,
        /// What is held.
        pub grant_id: GrantId,
        /// Who holds it.
        pub person_id: PersonId,
        /// On which account.
        pub account_id: AccountId,
        /// The package; none for what was found at the target.
        pub package_id: Option<PackageId>,
        /// What it was called.
        pub right_name: String,
        /// Where it came from.
        pub source: GrantSource,
        /// Whether it gives a privileged right.
        pub privileged: bool,
        /// `SOX`, `GDPR`, …
        pub control_scope: Option<String>,
        /// Since when it was held.
        pub valid_from: Timestamp,
        /// Its end as it was; none for without end.
        pub end_at: Option<Timestamp>,
        /// How many peers held it.
        pub peers_holding: Option<i64>,
        /// How many peers there were.
        pub peers: Option<i64>,
        /// What was suggested.
        pub suggestion: Suggestion,
        /// Why, as JSON.
        pub why: String,
        /// Who reviews it; none if nobody may.
        pub reviewer_id: Option<PersonId>,
        /// By what right.
        pub via: Option<Via>,
        /// The stage that it has come to, from 1.
        pub stage: i64,
        /// Where it stands.
        pub state: ItemState,
        /// What becomes of it.
        pub answer: Option<Answer>,
        /// Until when it stays, if it was shortened.
        pub until_at: Option<Timestamp>,
        /// Why.
        pub reason: String,
        /// Who said so.
        pub decided_by: Option<PersonId>,
        /// When it ended: decided, by silence, or void.
        pub decided_at: Option<Timestamp>,
        /// Whether it was answered together with others.
        pub together: bool,
        /// Whether the answer is an earlier stage's, as the last one was silent.
        pub stood: bool,
        /// Why it is void.
        pub void_cause: Option<VoidCause>,
        /// When the answer takes effect.
        pub enforce_at: Option<Timestamp>,
        /// When it did.
        pub enforced_at: Option<Timestamp>,
        /// How it stood with the removal when the campaign was signed off.
        pub proof: Option<Proof>,
        /// When the target confirmed it.
        pub proof_at: Option<Timestamp>,
        /// What the reviewer asked the holder.
        pub question: String,
        /// What the holder answered.
        pub reply: String,
        /// Counts changes.
        pub version: i64,
    }

    /// Something that is held and fits a scope.
    pub struct HeldInScopeRow {
        /// The grant.
        pub id: GrantId,
        /// Who holds it.
        pub person_id: PersonId,
        /// Their manager.
        pub manager_id: Option<PersonId>,
        /// On which account.
        pub account_id: AccountId,
        /// The package; none for what was found at the target.
        pub package_id: Option<PackageId>,
        /// What it is called.
        pub right_name: String,
        /// Where it comes from.
        pub source: GrantSource,
        /// Whether it gives a privileged right.
        pub privileged: bool,
        /// The first of its control scopes.
        pub control_scope: Option<String>,
        /// Since when.
        pub valid_from: Timestamp,
        /// Its end; none for without end.
        pub end_at: Option<Timestamp>,
        /// The owner of the first of its rights that has one.
        pub right_owner_id: Option<PersonId>,
        /// One of its rights.
        pub entitlement_id: Option<EntitlementId>,
    }

    /// How much fits a scope.
    pub struct ScopeCountRow {
        /// How much is held.
        pub items: i64,
        /// By how many people.
        pub people: i64,
        /// How much of it gives a privileged right.
        pub privileged: i64,
    }

    /// How many of a manager's people hold a package.
    pub struct PeersRow {
        /// The manager.
        pub manager_id: PersonId,
        /// The package; none for how many people there are.
        pub package_id: Option<PackageId>,
        /// How many.
        pub count: i64,
    }

    /// An owner of a package.
    pub struct OwnerOfRow {
        /// The package.
        pub package_id: PackageId,
        /// Who.
        pub person_id: PersonId,
    }

    /// A grant that breaks a rule beside what its holder has.
    pub struct BreachRow {
        /// Who holds it.
        pub person_id: PersonId,
        /// The grant.
        pub grant_id: GrantId,
    }

    /// An item that became void.
    pub struct VoidedRow {
        /// The item.
        pub id: ItemId,
        /// Its campaign.
        pub campaign_id: CampaignId,
        /// Whose it was.
        pub person_id: PersonId,
    }
}

/// Something that was done to an item.
#[derive(Clone, Debug)]
pub struct NewAct {
    /// Its id.
    pub id: ActId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The item.
    pub item: ItemId,
    /// What.
    pub act: Act,
    /// By whom; none for the portal.
    pub by: Option<PersonId>,
    /// To whom it went, if to somebody else.
    pub to: Option<PersonId>,
    /// What they wrote.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// An answer for an item.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What becomes of it.
    pub answer: Answer,
    /// Until when it stays, if it is shortened.
    pub until_at: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether together with others.
    pub together: bool,
    /// When it takes effect, if that is known yet.
    pub enforce_at: Option<Timestamp>,
}

macro_rules! select_campaign {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, name, state, scope, reviewers, named_id, silence, reasons, enforce, most_each, days, later, passes,
               second_look, stage, repeat_months, previous_id, made_by, made_at, started_by, started_at, due_at, escalated_at, population, population_hash, closed_at,
               signed_by, signed_at, sign_note, report_hash, version FROM campaigns",
            $rest
        )
    };
}

/// What a right of the grant `g` must be like.
macro_rules! has_right {
    ($rest:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id
               WHERE x.grant_id = g.id AND x.removed_at IS NULL AND ",
            $rest,
            ")"
        )
    };
}

/// What is to be known of something held, over the grants `g`, their holders `p` and packages `k`.
macro_rules! select_held {
    () => {
        concat!(
                "SELECT g.id, g.person_id, p.manager_id, g.account_id, g.package_id,
                   COALESCE(k.name, (SELECT MIN(e.name) FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id
                     WHERE x.grant_id = g.id), '') AS right_name, g.source, ",
                has_right!("e.privileged = TRUE"), " AS privileged,
                   (SELECT MIN(e.control_scope) FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id
                     WHERE x.grant_id = g.id AND x.removed_at IS NULL) AS control_scope, g.valid_from, g.end_at,
                   (SELECT e.owner_id FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id
                     WHERE x.grant_id = g.id AND x.removed_at IS NULL AND e.owner_id IS NOT NULL ORDER BY e.id LIMIT 1) AS right_owner_id,
                   (SELECT x.entitlement_id FROM grant_entitlements x WHERE x.grant_id = g.id ORDER BY x.entitlement_id LIMIT 1) AS entitlement_id")
    };
}

/// Writes what fits a scope: `FROM … WHERE …`, over the grants `g`, their holders `p` and packages `k`.
macro_rules! in_scope {
    ($query:expr, $scope:expr, $now:expr) => {{
        let scope: &Scope = $scope;
        $query
            .push(
                " FROM grants g JOIN persons p ON p.id = g.person_id LEFT JOIN packages k ON k.id = g.package_id
                  WHERE g.state IN ('active', 'suspended') AND p.state = 'active' AND (g.end_at IS NULL OR g.end_at > ",
            )
            .push_bind(At($now))
            .push(")");
        if let Some(id) = scope.application {
            $query.push(" AND (k.application_id = ").push_bind(id.0).push(" OR (g.package_id IS NULL AND ")
                .push("EXISTS (SELECT 1 FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id WHERE x.grant_id = g.id AND e.application_id = ")
                .push_bind(id.0).push(")))");
        }
        if let Some(id) = scope.package {
            $query.push(" AND g.package_id = ").push_bind(id.0);
        }
        if let Some(id) = scope.entitlement {
            $query.push(" AND EXISTS (SELECT 1 FROM grant_entitlements x WHERE x.grant_id = g.id AND x.removed_at IS NULL AND x.entitlement_id = ")
                .push_bind(id.0).push(")");
        }
        if let Some(id) = scope.person {
            $query.push(" AND g.person_id = ").push_bind(id.0);
        }
        if !scope.department.is_empty() {
            $query.push(" AND p.department = ").push_bind(scope.department.clone());
        }
        if !scope.employee_type.is_empty() {
            $query.push(" AND p.employee_type = ").push_bind(scope.employee_type.clone());
        }
        if let Some(source) = scope.source {
            $query.push(" AND g.source = ").push_bind(source.as_str());
        }
        if scope.privileged {
            $query.push(concat!(" AND ", has_right!("e.privileged = TRUE")));
        }
        if !scope.control_scope.is_empty() {
            $query.push(" AND EXISTS (SELECT 1 FROM grant_entitlements x JOIN entitlements e ON e.id = x.entitlement_id WHERE x.grant_id = g.id AND x.removed_at IS NULL AND e.control_scope = ")
                .push_bind(scope.control_scope.clone()).push(")");
        }
    }};
}

impl Tx {
    /// Enters a draft.
    pub async fn insert_campaign(&mut self, row: &CampaignRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO campaigns (id, number, name, state, scope, reviewers, named_id, silence, reasons, enforce, most_each, days,
               repeat_months, previous_id, made_by, made_at, later, passes, second_look)
             VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)")
            .bind(row.id.0).bind(row.number).bind(&row.name).bind(&row.scope).bind(row.reviewers.as_str())
            .bind(row.named_id.map(|id| id.0)).bind(row.silence.as_str()).bind(row.reasons.as_str()).bind(row.enforce.as_str())
            .bind(row.most_each).bind(row.days).bind(row.repeat_months).bind(row.previous_id.map(|id| id.0))
            .bind(row.made_by.map(|id| id.0)).bind(At(row.made_at)).bind(&row.later).bind(row.passes.as_str()).bind(row.second_look)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// One campaign.
    pub async fn campaign(&mut self, id: CampaignId) -> Result<Option<CampaignRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_campaign!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// Locks a campaign until commit: what two could decide differently about it as a whole.
    pub async fn lock_campaign(&mut self, id: CampaignId) -> Result<(), Error> {
        on!(self, c => sqlx::query("UPDATE campaigns SET version = version + 1 WHERE id = $1 AND state NOT IN ('signed_off', 'cancelled')")
            .bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps a campaign in its state until commit; others who answer in it do not wait. Nothing on SQLite, which writes one
    /// transaction at a time.
    pub async fn hold_campaign(&mut self, id: CampaignId) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            sqlx::query("SELECT id FROM campaigns WHERE id = $1 FOR SHARE")
                .bind(id.0)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Changes a draft. False if it is none any more.
    pub async fn update_draft(&mut self, row: &CampaignRow) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaigns SET name = $2, scope = $3, reviewers = $4, named_id = $5, silence = $6, reasons = $7, enforce = $8,
               most_each = $9, days = $10, repeat_months = $11, later = $12, passes = $13, second_look = $14, version = version + 1 WHERE id = $1 AND state = 'draft'")
            .bind(row.id.0).bind(&row.name).bind(&row.scope).bind(row.reviewers.as_str()).bind(row.named_id.map(|id| id.0))
            .bind(row.silence.as_str()).bind(row.reasons.as_str()).bind(row.enforce.as_str()).bind(row.most_each)
            .bind(row.days).bind(row.repeat_months).bind(&row.later).bind(row.passes.as_str()).bind(row.second_look)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Starts a draft whose items were inserted. False if it is none any more.
    pub async fn start_campaign(
        &mut self,
        id: CampaignId,
        by: Option<PersonId>,
        at: Timestamp,
        due_at: Timestamp,
        population: i64,
        hash: &str,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaigns SET state = 'running', started_by = $2, started_at = $3, due_at = $4, population = $5,
               population_hash = $6, version = version + 1 WHERE id = $1 AND state = 'draft'")
            .bind(id.0).bind(by.map(|id| id.0)).bind(At(at)).bind(At(due_at)).bind(population).bind(hash)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Gives what is open more time, once.
    pub async fn escalate_campaign(
        &mut self,
        id: CampaignId,
        at: Timestamp,
        due_at: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "UPDATE campaigns SET escalated_at = $2, due_at = $3, version = version + 1 WHERE id = $1 AND state = 'running' AND escalated_at IS NULL")
            .bind(id.0).bind(At(at)).bind(At(due_at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Closes a campaign, or gives it up. False if it does not stand as `from`.
    pub async fn end_campaign(
        &mut self,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaigns SET state = $3, closed_at = $4, version = version + 1 WHERE id = $1 AND state = $2")
            .bind(id.0).bind(from.as_str()).bind(to.as_str()).bind(At(at)).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Signs a closed campaign off. False if it does not stand so.
    pub async fn sign_off_campaign(
        &mut self,
        id: CampaignId,
        by: PersonId,
        at: Timestamp,
        note: &str,
        report_hash: &str,
    ) -> Result<bool, Error> {
        let done = on!(self, c => sqlx::query(
            "UPDATE campaigns SET state = 'signed_off', signed_by = $2, signed_at = $3, sign_note = $4, report_hash = $5,
               version = version + 1 WHERE id = $1 AND state = 'closed'")
            .bind(id.0).bind(by.0).bind(At(at)).bind(note).bind(report_hash).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// How much is held now that fits a scope.
    pub async fn count_in_scope(
        &mut self,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<ScopeCountRow, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(concat!(
                "SELECT COUNT(*) AS items, COUNT(DISTINCT g.person_id) AS people, COUNT(CASE WHEN ",
                has_right!("e.privileged = TRUE"), " THEN 1 END) AS privileged"));
            in_scope!(query, scope, now);
            query.build_query_as().fetch_one(c).await
        })?)
    }

    /// What is held now and fits a scope, by grant.
    pub async fn held_in_scope(
        &mut self,
        scope: &Scope,
        now: Timestamp,
        after: Option<GrantId>,
        limit: i64,
    ) -> Result<Vec<HeldInScopeRow>, Error> {
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(select_held!());
            in_scope!(query, scope, now);
            if let Some(after) = after {
                query.push(" AND g.id > ").push_bind(after.0);
            }
            query.push(" ORDER BY g.id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Which of these grants are held now, by grant.
    pub async fn held_still(
        &mut self,
        grants: &[GrantId],
        now: Timestamp,
    ) -> Result<Vec<HeldInScopeRow>, Error> {
        let mut found = Vec::with_capacity(grants.len());
        let all = Scope::default();
        for chunk in grants.chunks(500) {
            let rows: Vec<HeldInScopeRow> = on!(self, c => {
                let mut query = QueryBuilder::new(select_held!());
                in_scope!(query, &all, now);
                query.push(" AND g.id IN (");
                ids_in!(query, chunk);
                query.push(" ORDER BY g.id");
                query.build_query_as().fetch_all(c).await
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// How many people each manager has, and how many of them hold each package now.
    pub async fn peers(&mut self) -> Result<Vec<PeersRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT manager_id, NULL AS package_id, COUNT(*) AS count FROM persons
               WHERE state = 'active' AND manager_id IS NOT NULL GROUP BY manager_id
             UNION ALL
             SELECT p.manager_id, g.package_id, COUNT(DISTINCT p.id) AS count FROM grants g JOIN persons p ON p.id = g.person_id
               WHERE g.state = 'active' AND g.package_id IS NOT NULL AND p.state = 'active' AND p.manager_id IS NOT NULL
               GROUP BY p.manager_id, g.package_id
             ORDER BY manager_id, package_id NULLS FIRST").fetch_all(c).await)?)
    }

    /// The owners of all packages.
    pub async fn all_owners(&mut self) -> Result<Vec<OwnerOfRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT package_id, person_id FROM package_owners ORDER BY package_id, person_id").fetch_all(c).await)?)
    }

    /// People with a standing breach of a rule that no exception covers, with the rights of that rule.
    pub async fn standing_breaches(&mut self) -> Result<Vec<BreachRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT DISTINCT f.person_id, x.grant_id FROM findings f JOIN conflict_rights r ON r.conflict_id = f.conflict_id
             JOIN grants g ON g.person_id = f.person_id AND g.state IN ('active', 'suspended')
             JOIN grant_entitlements x ON x.grant_id = g.id AND x.entitlement_id = r.entitlement_id AND x.removed_at IS NULL
             WHERE f.kind = 'conflict' AND f.state IN ('open', 'being_removed') ORDER BY f.person_id, x.grant_id").fetch_all(c).await)?)
    }
}

impl crate::jobs::Job {
    /// The campaign that the job stands for, if it stands for one.
    pub fn campaign(&self) -> Option<CampaignId> {
        self.subject.map(CampaignId)
    }
}
