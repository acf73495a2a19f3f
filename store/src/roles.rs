//! Portal roles by account, and where each comes from.

use domain::{AccountId, EntitlementId, PackageId, PersonId, Timestamp, person::PortalRole};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

pub use domain::person::RoleSource;

row! {
    /// One portal role of one account.
    pub struct RoleRow {
        /// Which account.
        pub account_id: AccountId,
        /// Whose account.
        pub person_id: PersonId,
        /// Which role.
        pub role: PortalRole,
        /// Where it comes from.
        pub source: RoleSource,
        /// Since when.
        pub since: Timestamp,
    }
}

row! {
    /// A right that is a portal role.
    pub struct RightRoleRow {
        /// The right.
        pub entitlement_id: EntitlementId,
        /// Which role.
        pub role: PortalRole,
        /// A package that holds it, where one was asked for.
        pub package_id: Option<PackageId>,
    }
}

macro_rules! role_columns {
    ($tail:literal) => {
        concat!(
            "SELECT r.account_id, a.person_id, r.role, r.source, r.since FROM portal_roles r \
             JOIN accounts a ON a.id = r.account_id",
            $tail
        )
    };
}

impl Tx {
    /// The roles that these people's usable accounts hold.
    pub async fn roles_of(&mut self, people: &[PersonId]) -> Result<Vec<RoleRow>, Error> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(role_columns!(
                " WHERE a.enabled = TRUE AND a.deleted = FALSE AND a.person_id IN ("));
            let mut list = query.separated(", ");
            for id in people {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY a.person_id, r.role, r.source, r.account_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// All roles of everybody who holds `role` on a usable account: which of them count is the caller's to say.
    pub async fn roles_of_holders(&mut self, role: PortalRole) -> Result<Vec<RoleRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(role_columns!(
            " WHERE a.enabled = TRUE AND a.deleted = FALSE AND a.person_id IN (
               SELECT h.person_id FROM accounts h JOIN portal_roles q ON q.account_id = h.id
               WHERE q.role = $1 AND h.enabled = TRUE AND h.deleted = FALSE)
              ORDER BY a.person_id, r.role, r.source, r.account_id")).bind(role.as_str()).fetch_all(c).await)?)
    }

    /// Every role of every account.
    pub async fn all_roles(&mut self) -> Result<Vec<RoleRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(role_columns!(" ORDER BY r.account_id, r.role, r.source"))
            .fetch_all(c).await)?,
        )
    }

    /// Every role of one account, usable or not.
    pub async fn roles_of_account(&mut self, account: AccountId) -> Result<Vec<RoleRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(role_columns!(" WHERE r.account_id = $1 ORDER BY r.role, r.source"))
            .bind(account.0).fetch_all(c).await)?,
        )
    }

    /// Every role that a person holds from whatever source, on any account, usable or not: what a role must not clash with.
    pub async fn roles_of_person(&mut self, person: PersonId) -> Result<Vec<RoleRow>, Error> {
        Ok(
            on!(self, c => sqlx::query_as(role_columns!(" WHERE a.person_id = $1 ORDER BY r.role, r.source, r.account_id"))
            .bind(person.0).fetch_all(c).await)?,
        )
    }

    /// The portal roles among these rights.
    pub async fn portal_roles_of(
        &mut self,
        rights: &[EntitlementId],
    ) -> Result<Vec<RightRoleRow>, Error> {
        if rights.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT e.id AS entitlement_id, e.external_id AS role, p.id AS package_id
                 FROM entitlements e LEFT JOIN packages p ON FALSE WHERE e.kind = 'portal_role' AND e.id IN (");
            let mut list = query.separated(", ");
            for id in rights {
                list.push_bind(id.0);
            }
            query.push(") ORDER BY e.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The portal roles that the catalogue offers now, each with every package that holds it.
    pub async fn offered_portal_roles(&mut self) -> Result<Vec<RightRoleRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT e.id AS entitlement_id, e.external_id AS role, p.id AS package_id
             FROM entitlements e JOIN package_version_entitlements v ON v.entitlement_id = e.id
             JOIN packages p ON p.version_id = v.package_version_id AND p.state = 'offered'
             WHERE e.kind = 'portal_role' ORDER BY e.external_id, p.id").fetch_all(c).await)?)
    }

    /// A person's assignments of portal roles that do not stand as they should.
    pub async fn unsettled_powers(
        &mut self,
        person: PersonId,
    ) -> Result<Vec<(AccountId, EntitlementId)>, Error> {
        let rows: Vec<(Uuid, Uuid)> = on!(self, c => sqlx::query_as(
            "SELECT s.account_id, s.entitlement_id FROM assignments s JOIN entitlements e ON e.id = s.entitlement_id
             WHERE s.person_id = $1 AND e.kind = 'portal_role' AND s.phase <> 'settled' ORDER BY s.id")
            .bind(person.0).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(account, right)| (AccountId(account), EntitlementId(right)))
            .collect())
    }

    /// Gives an account a role. One that it has already from this source stays as it is.
    pub async fn insert_role(
        &mut self,
        account: AccountId,
        role: PortalRole,
        source: RoleSource,
        since: Timestamp,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO portal_roles (account_id, role, source, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
            .bind(account.0).bind(role.as_str()).bind(source.as_str()).bind(At(since)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a role from an account, as far as it comes from this source.
    pub async fn delete_role(
        &mut self,
        account: AccountId,
        role: PortalRole,
        source: RoleSource,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM portal_roles WHERE account_id = $1 AND role = $2 AND source = $3")
            .bind(account.0).bind(role.as_str()).bind(source.as_str()).execute(c).await.map(drop))?;
        Ok(())
    }
}
