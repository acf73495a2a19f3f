//! Groups of the directory whose members decide: which they are, and what a reading of them does.
//!
//! Only those groups are read that a stage names, offered, waiting to be confirmed, or open already. A member counts from one
//! reading to the next, on a usable account. A group that is empty, gone, never read or unreadable for a day has nobody in it,
//! and the stage's fallback decides; nothing is granted or taken away by a reading, so a cut listing costs a seat at most.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use domain::{
    AccountId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    catalogue::Content,
    policy::{ApproverRule, Policy, StageRule},
};
use serde_json::json;
use store::{Tx, approver_groups::ApproverGroupRow, people::AccountRow};
use uuid::Uuid;

use crate::{Error, Result, Workflow, people::again, route};

/// So long the last reading of a group counts while it cannot be read.
const BELIEVED: Duration = Duration::days(1);

/// What reading a group gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Its direct members, by object id.
    Members(BTreeSet<Uuid>),
    /// The directory says that there is no such group.
    Gone,
    /// It did not say.
    Unreadable,
}

/// The groups that stages name, by object id: those of offered packages, of editions that wait for a second person, and of
/// stages that are open or will be.
pub async fn wanted(workflow: &Workflow) -> Result<BTreeSet<Uuid>> {
    let mut tx = workflow.store().read().await?;
    let mut groups = BTreeSet::new();
    for rule in tx.waiting_group_rules().await? {
        let rule: StageRule = serde_json::from_str(&rule)?;
        groups.extend(rule.group);
    }
    for policy in tx.group_policies().await? {
        let policy: Policy = serde_json::from_str(&policy)?;
        groups.extend(named(&policy.route));
    }
    for edition in tx.pending_catalogues().await? {
        let content: Content = serde_json::from_str(&edition.content)?;
        let packages = content.packages.values();
        groups.extend(packages.flat_map(|package| named(&package.policy.route)));
    }
    Ok(groups)
}

/// The groups that these stages name.
pub(crate) fn named(route: &[StageRule]) -> impl Iterator<Item = Uuid> {
    route.iter().filter_map(|rule| rule.group)
}

/// Who is in the groups of a route now.
pub(crate) async fn members(
    tx: &mut Tx,
    now: Timestamp,
    route: &[StageRule],
) -> Result<BTreeMap<Uuid, Vec<PersonId>>> {
    let groups: Vec<Uuid> = named(route).collect::<BTreeSet<_>>().into_iter().collect();
    let mut members: BTreeMap<Uuid, Vec<PersonId>> = BTreeMap::new();
    for row in tx.group_members(&groups, now - BELIEVED).await? {
        members.entry(row.group_id).or_default().push(row.person_id);
    }
    Ok(members)
}

/// What the directory calls these groups; those that it does not know are missing.
pub(crate) async fn names(tx: &mut Tx, groups: BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, String>> {
    let groups: Vec<Uuid> = groups.into_iter().collect();
    let rows = tx.group_names(&groups).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((Uuid::try_parse(&row.external_id).ok()?, row.name)))
        .collect())
}

/// Takes down who is in a group of `tenant` by a reading of it, and seats stages anew if others than before may decide.
/// True if its members are different.
pub async fn apply_directory(
    workflow: &Workflow,
    tenant: Uuid,
    group: Uuid,
    read: &Read,
) -> Result<bool> {
    again(|| apply_once(workflow, tenant, group, read)).await
}

async fn apply_once(workflow: &Workflow, tenant: Uuid, group: Uuid, read: &Read) -> Result<bool> {
    let mut unit = workflow.unit().await?;
    let now = unit.now;
    let known = unit.tx.approver_group(group).await?;
    let mut row = known.unwrap_or(ApproverGroupRow {
        group_id: group,
        read_at: None,
        unread_since: None,
    });
    let wanted: Vec<AccountRow> = match read {
        Read::Members(objects) => {
            let objects: Vec<Uuid> = objects.iter().copied().collect();
            unit.tx.accounts_by_objects(tenant, &objects).await?
        }
        Read::Gone => Vec::new(),
        Read::Unreadable => {
            row.unread_since = row.unread_since.or(Some(now));
            unit.tx.save_approver_group(&row).await?;
            // From now on nobody in it counts; before, all of them do.
            if row
                .unread_since
                .is_some_and(|since| since <= now - BELIEVED)
            {
                route::reseat_rule(&mut unit, ApproverRule::Group).await?;
            }
            unit.commit().await?;
            return Ok(false);
        }
    };
    let unread = row.unread_since.take();
    row.read_at = Some(now);
    unit.tx.save_approver_group(&row).await?;
    let wanted: BTreeMap<AccountId, PersonId> = wanted
        .into_iter()
        .map(|account| (account.id, account.person_id))
        .collect();
    let held: BTreeSet<AccountId> = unit.tx.group_accounts(group).await?.into_iter().collect();
    let gone: Vec<AccountId> = held
        .iter()
        .copied()
        .filter(|account| !wanted.contains_key(account))
        .collect();
    let come: Vec<AccountId> = wanted
        .keys()
        .copied()
        .filter(|account| !held.contains(account))
        .collect();
    for account in &gone {
        unit.tx.delete_group_account(group, *account).await?;
    }
    for account in &come {
        unit.tx.insert_group_account(group, *account).await?;
    }
    let different = !gone.is_empty() || !come.is_empty();
    if different {
        let mut event = Event::new(EventKind::GroupMembersChanged, now, Actor::Portal)
            .about(group)
            .because("directory");
        for account in gone.iter().chain(&come) {
            let account = unit.tx.account(*account).await?.ok_or(Error::Missing)?;
            event = event.about(account.person_id);
        }
        unit.record(event.changing(
            json!({"members": held}),
            json!({"members": wanted.keys().collect::<Vec<_>>()}),
        ));
    }
    if different || unread.is_some_and(|since| since <= now - BELIEVED) {
        route::reseat_rule(&mut unit, ApproverRule::Group).await?;
    }
    unit.commit().await?;
    Ok(different)
}
