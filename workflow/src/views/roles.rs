//! The portal's own powers: who holds which role, from where, since and until when, and who approved it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, EntitlementId, FindingId, GrantId, PackageId, PersonId, Timestamp,
    approval::Verdict,
    finding::FindingKind,
    grant::{End, GrantState},
    person::{PortalRole, effective_roles},
};
use serde::Serialize;
use store::{
    Tx,
    conflicts::HeldRightRow,
    roles::{RoleRow, RoleSource},
};

use super::PersonTag;
use crate::{Result, Workflow, access::Viewer};

/// Who may look.
const READERS: &[PortalRole] = &[
    PortalRole::Administrator,
    PortalRole::Security,
    PortalRole::Auditor,
];

/// All roles and who holds them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Roles {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Every role, held or not.
    pub roles: Vec<RoleView>,
}

/// One role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleView {
    /// Which.
    pub role: PortalRole,
    /// A package of the catalogue through which it is asked for, if it is offered.
    pub package: Option<PackageId>,
    /// Who holds it, by name; one entry for each way.
    pub holders: Vec<RoleHolder>,
}

/// One way in which somebody holds a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleHolder {
    /// Who.
    pub person: PersonTag,
    /// On which account; a label.
    pub account: String,
    /// From where.
    pub source: RoleSource,
    /// Since when.
    pub since: Timestamp,
    /// Until when, for a grant; the directory and the configuration say no end.
    pub end: Option<End>,
    /// Who said yes.
    pub approved_by: Vec<PersonTag>,
    /// Whether it counts: the account works, and the person holds no role that excludes it.
    pub counts: bool,
    /// The open finding about it, for those who may open it.
    pub finding: Option<FindingId>,
}

/// Reads the roles. For administrators, security and auditors.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Roles> {
    viewer.must_have(READERS)?;
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let rows = tx.all_roles().await?;
    let offered = tx.offered_portal_roles().await?;
    let mut people: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    people.sort_unstable();
    people.dedup();
    let facts = Facts::read(&mut tx, viewer, &people, now).await?;
    let mut roles = Vec::with_capacity(PortalRole::ALL.len());
    for role in PortalRole::ALL {
        let rights: BTreeSet<EntitlementId> = offered
            .iter()
            .filter(|one| one.role == *role)
            .map(|one| one.entitlement_id)
            .collect();
        let mut holders = Vec::new();
        for row in rows.iter().filter(|row| row.role == *role) {
            holders.push(facts.holder(&mut tx, row).await?);
        }
        holders.sort_by(|one, two| one.person.name.cmp(&two.person.name));
        roles.push(RoleView {
            role: *role,
            package: offered
                .iter()
                .find(|one| rights.contains(&one.entitlement_id))
                .and_then(|one| one.package_id),
            holders,
        });
    }
    Ok(Roles { now, roles })
}

/// What is known of all holders, read once.
struct Facts {
    names: BTreeMap<PersonId, String>,
    /// What counts of each.
    effective: BTreeMap<PersonId, Vec<PortalRole>>,
    /// Accounts that work.
    usable: BTreeSet<AccountId>,
    accounts: BTreeMap<AccountId, String>,
    /// Grants of portal roles, with the role.
    grants: Vec<(PortalRole, HeldRightRow)>,
    /// Open findings by account and role.
    findings: BTreeMap<(AccountId, PortalRole), FindingId>,
}

impl Facts {
    async fn read(
        tx: &mut Tx,
        viewer: &Viewer,
        people: &[PersonId],
        now: Timestamp,
    ) -> Result<Self> {
        let names = tx
            .persons(people)
            .await?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect();
        let (mut accounts, mut usable) = (BTreeMap::new(), BTreeSet::new());
        for person in people {
            for account in tx.accounts_of(*person).await? {
                if account.usable() {
                    usable.insert(account.id);
                }
                accounts.insert(account.id, account.user_name);
            }
        }
        let mut held: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
        for row in tx.roles_of(people).await? {
            held.entry(row.person_id).or_default().push(row.role);
        }
        let effective = held
            .into_iter()
            .map(|(person, roles)| (person, effective_roles(&roles).0))
            .collect();
        let rights = tx.held_rights(people, now).await?;
        let ids: Vec<EntitlementId> = rights.iter().map(|row| row.entitlement_id).collect();
        let mut open = Vec::new();
        if viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor) {
            open = tx.open_findings_of(people).await?;
            open.retain(|row| row.kind == FindingKind::RoleChange);
        }
        let about: Vec<EntitlementId> = open.iter().filter_map(|row| row.entitlement_id).collect();
        let of_right: BTreeMap<EntitlementId, PortalRole> = tx
            .portal_roles_of(&[ids, about].concat())
            .await?
            .into_iter()
            .map(|row| (row.entitlement_id, row.role))
            .collect();
        let findings = open
            .into_iter()
            .filter_map(|row| {
                let role = of_right.get(&row.entitlement_id?)?;
                Some(((row.account_id?, *role), row.id))
            })
            .collect();
        let grants = rights
            .into_iter()
            .filter(|row| row.state == GrantState::Active)
            .filter_map(|row| Some((*of_right.get(&row.entitlement_id)?, row)))
            .collect();
        Ok(Self {
            names,
            effective,
            usable,
            accounts,
            grants,
            findings,
        })
    }

    fn tag(&self, person: PersonId) -> PersonTag {
        PersonTag::new(person, self.names.get(&person).cloned().unwrap_or_default())
    }

    async fn holder(&self, tx: &mut Tx, row: &RoleRow) -> Result<RoleHolder> {
        let own: Vec<&HeldRightRow> = self
            .grants
            .iter()
            .filter(|(role, held)| *role == row.role && held.account_id == row.account_id)
            .map(|(_, held)| held)
            .collect();
        let granted = row.source == RoleSource::Grant;
        let ends: Option<Vec<Timestamp>> = own.iter().map(|held| held.end_at).collect();
        let end = ends.map_or(Some(End::Permanent), |ends| {
            ends.into_iter().max().map(End::At)
        });
        let mut approved_by = Vec::new();
        if granted {
            let grants: Vec<GrantId> = own.iter().map(|held| held.grant_id).collect();
            approved_by = approvers(tx, &grants).await?;
        }
        let counts = self.usable.contains(&row.account_id)
            && self
                .effective
                .get(&row.person_id)
                .is_some_and(|roles| roles.contains(&row.role));
        Ok(RoleHolder {
            person: self.tag(row.person_id),
            account: self
                .accounts
                .get(&row.account_id)
                .cloned()
                .unwrap_or_default(),
            source: row.source,
            since: row.since,
            end: end.filter(|_| granted),
            approved_by,
            counts,
            finding: self
                .findings
                .get(&(row.account_id, row.role))
                .copied()
                .filter(|_| !granted),
        })
    }
}

/// Who said yes to what these grants were made from, each once, in order.
async fn approvers(tx: &mut Tx, grants: &[GrantId]) -> Result<Vec<PersonTag>> {
    let mut ids: Vec<PersonId> = Vec::new();
    for grant in tx.grants_by_ids(grants).await? {
        let Some(line) = grant.line_id else {
            continue;
        };
        for decision in tx.decisions(line).await? {
            if decision.verdict == Verdict::Approve && !ids.contains(&decision.decider_id) {
                ids.push(decision.decider_id);
            }
        }
    }
    let people = tx.persons(&ids).await?;
    Ok(ids
        .iter()
        .filter_map(|id| people.iter().find(|person| person.id == *id))
        .map(|person| PersonTag::new(person.id, person.name.clone()))
        .collect())
}
