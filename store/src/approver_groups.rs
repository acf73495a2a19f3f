//! Groups of the directory whose members decide: which they are, when they were read, and who is in them.

use domain::{AccountId, PersonId, Timestamp};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::engine::{At, Error, Tx};

row! {
    /// Where reading a group stands.
    pub struct ApproverGroupRow {
        /// Its object id.
        pub group_id: Uuid,
        /// When its members were last read to the end.
        pub read_at: Option<Timestamp>,
        /// Since when it cannot be read, if that is so.
        pub unread_since: Option<Timestamp>,
    }

    /// Somebody in a group.
    pub struct GroupMemberRow {
        /// Its object id.
        pub group_id: Uuid,
        /// Who.
        pub person_id: PersonId,
    }

    /// What a group is called.
    pub struct GroupNameRow {
        /// Its object id, printed.
        pub external_id: String,
        /// Its name.
        pub name: String,
    }
}

impl Tx {
    /// The rules of the stages that wait for the members of a group, or will.
    pub async fn waiting_group_rules(&mut self) -> Result<Vec<String>, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT DISTINCT rule FROM stages WHERE approvers = 'group' AND state IN ('waiting', 'open') ORDER BY rule")
            .fetch_all(c).await)?)
    }

    /// The policies of offered packages that name a group.
    pub async fn group_policies(&mut self) -> Result<Vec<String>, Error> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT v.policy FROM packages p JOIN package_versions v ON v.id = p.version_id
             WHERE p.state = 'offered' AND v.policy LIKE '%\"approvers\":\"group\"%' ORDER BY p.id")
            .fetch_all(c).await)?)
    }

    /// Where reading a group stands, if that was ever tried.
    pub async fn approver_group(&mut self, group: Uuid) -> Result<Option<ApproverGroupRow>, Error> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT group_id, read_at, unread_since FROM approver_groups WHERE group_id = $1")
            .bind(group).fetch_optional(c).await)?)
    }

    /// Writes where reading a group stands.
    pub async fn save_approver_group(&mut self, row: &ApproverGroupRow) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO approver_groups (group_id, read_at, unread_since) VALUES ($1, $2, $3)
             ON CONFLICT (group_id) DO UPDATE SET read_at = excluded.read_at, unread_since = excluded.unread_since")
            .bind(row.group_id).bind(row.read_at.map(At)).bind(row.unread_since.map(At)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The accounts that were in a group when it was last read, usable or not.
    pub async fn group_accounts(&mut self, group: Uuid) -> Result<Vec<AccountId>, Error> {
        let ids: Vec<Uuid> = on!(self, c => sqlx::query_scalar(
            "SELECT account_id FROM approver_group_members WHERE group_id = $1 ORDER BY account_id")
            .bind(group).fetch_all(c).await)?;
        Ok(ids.into_iter().map(AccountId).collect())
    }

    /// Adds an account to a group that was read. One that is in it already stays.
    pub async fn insert_group_account(
        &mut self,
        group: Uuid,
        account: AccountId,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query(
            "INSERT INTO approver_group_members (group_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(group).bind(account.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes an account out of a group that was read.
    pub async fn delete_group_account(
        &mut self,
        group: Uuid,
        account: AccountId,
    ) -> Result<(), Error> {
        on!(self, c => sqlx::query("DELETE FROM approver_group_members WHERE group_id = $1 AND account_id = $2")
            .bind(group).bind(account.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Who is in these groups on a usable account, each person once a group; nobody of one that cannot be read since `since`
    /// or longer.
    pub async fn group_members(
        &mut self,
        groups: &[Uuid],
        since: Timestamp,
    ) -> Result<Vec<GroupMemberRow>, Error> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT DISTINCT m.group_id, a.person_id FROM approver_group_members m
                 JOIN approver_groups g ON g.group_id = m.group_id JOIN accounts a ON a.id = m.account_id
                 WHERE a.enabled = TRUE AND a.deleted = FALSE AND (g.unread_since IS NULL OR g.unread_since > ");
            query.push_bind(At(since)).push(") AND m.group_id IN (");
            let mut list = query.separated(", ");
            for group in groups {
                list.push_bind(*group);
            }
            query.push(") ORDER BY m.group_id, a.person_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// What the directory calls these groups, as far as it was read.
    pub async fn group_names(&mut self, groups: &[Uuid]) -> Result<Vec<GroupNameRow>, Error> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        Ok(on!(self, c => {
            let mut query = QueryBuilder::new(
                "SELECT external_id, MIN(name) AS name FROM entitlements WHERE kind = 'group' AND external_id IN (");
            let mut list = query.separated(", ");
            for group in groups {
                list.push_bind(group.to_string());
            }
            query.push(") GROUP BY external_id ORDER BY external_id");
            query.build_query_as().fetch_all(c).await
        })?)
    }
}
