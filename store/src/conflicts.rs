//! Separation-of-duties rules as published, and who holds which side of them.

use domain::{
    AccountId, CatalogueVersionId, ConflictId, EntitlementId, GrantId, LineId, PackageId, PersonId,
    Timestamp,
    conflict::{Severity, Side},
    grant::{GrantSource, GrantState},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// One rule.
    pub struct ConflictRow {
        /// Its id; stays while its key stays.
        pub id: ConflictId,
        /// Its key in the files.
        pub key: String,
        /// What it is called.
        pub name: String,
        /// Why one person must not hold both, in plain words.
        pub explain: String,
        /// How bad it is.
        pub severity: Severity,
        /// Its business owner.
        pub owner_id: PersonId,
        /// The edition that said it last.
        pub catalogue_version_id: CatalogueVersionId,
        /// Whether the files no longer say it.
        pub retired: bool,
    }

    /// One right of a rule.
    pub struct ConflictRightRow {
        /// The rule.
        pub conflict_id: ConflictId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// On which side.
        pub side: Side,
        /// The right's name.
        pub name: String,
        /// What it means, in a sentence.
        pub summary: String,
    }

    /// One right that a person holds, or will, by one grant.
    pub struct HeldRightRow {
        /// Whose.
        pub person_id: PersonId,
        /// The right.
        pub entitlement_id: EntitlementId,
        /// On which account.
        pub account_id: AccountId,
        /// By which grant.
        pub grant_id: GrantId,
        /// To which package; none for an import.
        pub package_id: Option<PackageId>,
        /// Its name; empty for an import.
        pub package_name: String,
        /// Where the grant comes from.
        pub source: GrantSource,
        /// Where it stands.
        pub state: GrantState,
        /// Begins.
        pub valid_from: Timestamp,
        /// Ends; none means permanent.
        pub end_at: Option<Timestamp>,
        /// Whether the right is privileged.
        pub privileged: bool,
        /// Who decides on findings about the right.
        pub owner_id: Option<PersonId>,
        /// Whether the account is enabled.
        pub enabled: bool,
        /// Whether the account is deleted.
        pub deleted: bool,
    }

    /// One right of a package that is asked for and not decided yet.
    pub struct AskedRightRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// The package's name.
        pub package_name: String,
    }
}

macro_rules! select_conflict {
    ($rest:literal) => {
        concat!(
            "SELECT id, key, name, explain, severity, owner_id, catalogue_version_id, retired FROM conflicts",
            $rest
        )
    };
}

impl Tx {
    /// All rules, retired ones too, by key.
    pub async fn all_conflicts(&mut self) -> Result<Vec<ConflictRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_conflict!(" ORDER BY key"))
            .fetch_all(c).await)?,
        )
    }

    /// One rule, retired or not.
    pub async fn conflict(&mut self, id: ConflictId) -> Result<Option<ConflictRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(select_conflict!(" WHERE id = $1"))
            .bind(id.0).fetch_optional(c).await)?,
        )
    }

    /// Writes a rule, new or known by its id.
    pub async fn save_conflict(&mut self, row: &ConflictRow) -> Result<(), Error> {
        let known = on!(self, c => sqlx::query(
            "UPDATE conflicts SET name = $2, explain = $3, severity = $4, owner_id = $5, catalogue_version_id = $6,
               retired = $7 WHERE id = $1")
            .bind(row.id.0).bind(&row.name).bind(&row.explain).bind(row.severity.as_str()).bind(row.owner_id.0)
            .bind(row.catalogue_version_id.0).bind(row.retired).execute(c).await.map(|done| done.rows_affected()))?;
        if known == 0 {
            on!(self, c => sqlx::query(
                "INSERT INTO conflicts (id, key, name, explain, severity, owner_id, catalogue_version_id, retired)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(row.id.0).bind(&row.key).bind(&row.name).bind(&row.explain).bind(row.severity.as_str())
                .bind(row.owner_id.0).bind(row.catalogue_version_id.0).bind(row.retired).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Makes these, and nothing else, the rights of a rule.
    pub async fn set_conflict_rights(
        &mut self,
        id: ConflictId,
        rights: &[(EntitlementId, Side)],
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM conflict_rights WHERE conflict_id = $1")
            .bind(id.0).execute(c).await.map(drop))?;
        for chunk in rights.chunks(300) {
            on!(self, c => {
                let mut query = QueryBuilder::new("INSERT INTO conflict_rights (conflict_id, entitlement_id, side) ");
                query.push_values(chunk, |mut tuple, (right, side)| {
                    tuple.push_bind(id.0).push_bind(right.0).push_bind(side.as_str());
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// The rights of these rules, by rule, side and name.
    pub async fn conflict_rights(
        &mut self,
        ids: &[ConflictId],
    ) -> Result<Vec<ConflictRightRow>, Error> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.rights_of_rules(" WHERE r.conflict_id IN (", &ids, ")")
            .await
    }

    /// All rights of the rules in force that any of these rights has a part in.
    pub async fn rules_about(
        &mut self,
        rights: &[EntitlementId],
    ) -> Result<Vec<ConflictRightRow>, Error> {
        let ids: Vec<Uuid> = rights.iter().map(|id| id.0).collect();
        self.rights_of_rules(
            " JOIN conflicts k ON k.id = r.conflict_id WHERE k.retired = FALSE AND r.conflict_id IN (
               SELECT t.conflict_id FROM conflict_rights t WHERE t.entitlement_id IN (",
            &ids,
            "))",
        )
        .await
    }

    async fn rights_of_rules(
        &mut self,
        before: &'static str,
        ids: &[Uuid],
        after: &'static str,
    ) -> Result<Vec<ConflictRightRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT r.conflict_id, r.entitlement_id, r.side, e.name, e.summary
                 FROM conflict_rights r JOIN entitlements e ON e.id = r.entitlement_id");
            query.push(before);
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(after).push(" ORDER BY r.conflict_id, r.side, r.entitlement_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// Everything that these people hold or will hold, right by right, over all accounts and sources. What is past its end
    /// at `now` is left out, also while its job is late.
    pub async fn held_rights(
        &mut self,
        people: &[PersonId],
        now: Timestamp,
    ) -> Result<Vec<HeldRightRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT g.person_id, x.entitlement_id, x.account_id, g.id AS grant_id, g.package_id,
                   COALESCE(p.name, '') AS package_name, g.source, g.state, g.valid_from, g.end_at, e.privileged, e.owner_id,
                   a.enabled, a.deleted
                 FROM grants g JOIN grant_entitlements x ON x.grant_id = g.id AND x.removed_at IS NULL
                 JOIN entitlements e ON e.id = x.entitlement_id JOIN accounts a ON a.id = x.account_id LEFT JOIN packages p ON p.id = g.package_id
                 WHERE g.state <> 'ended' AND (g.end_at IS NULL OR g.end_at > ");
            query.push_bind(At(now)).push(") AND g.person_id IN (");
            let mut list = query.separated(", ");
            for id in people {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY g.person_id, x.entitlement_id, g.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What is asked for this person and not decided yet, right by right, apart from one line.
    pub async fn asked_rights(
        &mut self,
        person: PersonId,
        except: Option<LineId>,
    ) -> Result<Vec<AskedRightRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT e.entitlement_id, p.name AS package_name FROM lines l JOIN packages p ON p.id = l.package_id
             JOIN package_version_entitlements e ON e.package_version_id = l.package_version_id
             WHERE l.beneficiary_id = $1 AND l.state = 'awaiting_approval' AND l.kind = 'new' AND ($2 IS NULL OR l.id <> $2)
             ORDER BY p.name, e.entitlement_id")
            .bind(person.0).bind(except.map(|id| id.0)).fetch_all(c).await)?)
    }

    /// The next people after `after` whom a full scan looks at: who holds both sides of a rule, an import or a privileged
    /// right without an end, something on an account that is no longer used, or a portal role, and who has a finding that is not closed.
    pub async fn people_to_scan(
        &mut self,
        after: Option<PersonId>,
        limit: i64,
    ) -> Result<Vec<PersonId>, Error> {
        let ids: Vec<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT w.id FROM (
               SELECT g.person_id AS id FROM conflict_rights l
                 JOIN conflicts k ON k.id = l.conflict_id AND k.retired = FALSE
                 JOIN grant_entitlements x ON x.entitlement_id = l.entitlement_id AND x.removed_at IS NULL
                 JOIN grants g ON g.id = x.grant_id AND g.state IN ('active', 'suspended')
                 WHERE l.side = 'left' AND EXISTS (
                   SELECT 1 FROM conflict_rights r JOIN grant_entitlements y ON y.entitlement_id = r.entitlement_id AND y.removed_at IS NULL
                   JOIN grants h ON h.id = y.grant_id AND h.state IN ('active', 'suspended')
                   WHERE r.conflict_id = l.conflict_id AND r.side = 'right' AND h.person_id = g.person_id)
               UNION SELECT g.person_id FROM grants g WHERE g.source = 'import' AND g.state IN ('active', 'suspended')
               UNION SELECT g.person_id FROM grants g JOIN grant_entitlements x ON x.grant_id = g.id AND x.removed_at IS NULL
                 JOIN entitlements e ON e.id = x.entitlement_id AND e.privileged = TRUE
                 WHERE g.state IN ('active', 'suspended') AND g.end_at IS NULL
               UNION SELECT g.person_id FROM grants g JOIN accounts a ON a.id = g.account_id AND (a.enabled = FALSE OR a.deleted = TRUE)
                 WHERE g.state IN ('active', 'suspended')
               UNION SELECT a.person_id FROM portal_roles r JOIN accounts a ON a.id = r.account_id
               UNION SELECT f.person_id FROM findings f WHERE f.state IN ('open', 'being_removed', 'excepted') AND f.person_id IS NOT NULL
               UNION SELECT d.person_id FROM drift d WHERE d.person_id IS NOT NULL) w
             WHERE ($1 IS NULL OR w.id > $1) ORDER BY w.id LIMIT $2")
            .bind(after.map(|id| id.0)).bind(limit).fetch_all(c).await)?;
        Ok(ids.into_iter().map(PersonId).collect())
    }

    /// How many others have the same manager, and how many of them hold a package now.
    pub async fn team_holding(
        &mut self,
        person: PersonId,
        package: PackageId,
    ) -> Result<(i64, i64), Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN EXISTS (
               SELECT 1 FROM grants g WHERE g.person_id = o.id AND g.package_id = $2 AND g.state = 'active') THEN 1 ELSE 0 END), 0)
             FROM persons p JOIN persons o ON o.manager_id = p.manager_id AND o.id <> p.id AND o.state = 'active'
             WHERE p.id = $1").bind(person.0).bind(package.0).fetch_one(c).await)?)
    }
}
