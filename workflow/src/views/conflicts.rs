//! Separation-of-duties rules as published, and who stands in each.

use domain::{
    ConflictId, EntitlementId, PersonId, Timestamp,
    conflict::{Severity, Side},
    person::PortalRole,
};
use serde::Serialize;
use store::{Tx, exceptions::ExceptionQuery, findings::FindingQuery};

use super::{
    PersonTag,
    exceptions::{ExceptionItem, items},
    findings::{FindingItem, item},
};
use crate::{Error, Result, Workflow, access::Viewer};

/// Who reads all rules.
pub(super) const READERS: &[PortalRole] = &[
    PortalRole::Security,
    PortalRole::Auditor,
    PortalRole::Administrator,
    PortalRole::CatalogueOwner,
];

/// The most people and exceptions that one rule's page shows.
const SHOWN: i64 = 100;

/// All rules in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rules {
    /// The rules, worst first.
    pub rules: Vec<RuleItem>,
}

/// One rule in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleItem {
    /// Which.
    pub id: ConflictId,
    /// What it is called.
    pub name: String,
    /// Why one person must not hold both.
    pub explain: String,
    /// How bad it is.
    pub severity: Severity,
    /// Its business owner.
    pub owner: PersonTag,
    /// How many people break it now, without and with an exception.
    pub standing: i64,
    /// How many of them an exception covers.
    pub excepted: i64,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RulePage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The rule.
    pub rule: RuleItem,
    /// Its key in the files.
    pub key: String,
    /// Whether the files no longer say it.
    pub retired: bool,
    /// The rights of one side.
    pub left: Vec<RuleRight>,
    /// The rights of the other.
    pub right: Vec<RuleRight>,
    /// Who breaks it now, those due soonest first.
    pub findings: Vec<FindingItem>,
    /// The exceptions from it that are not over.
    pub exceptions: Vec<ExceptionItem>,
}

/// One right of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleRight {
    /// Which.
    pub id: EntitlementId,
    /// Its name.
    pub name: String,
    /// What it means.
    pub summary: String,
}

/// The rules in force.
pub async fn list(workflow: &Workflow, viewer: &Viewer) -> Result<Rules> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let mut rules = Vec::new();
    for row in tx.all_conflicts().await? {
        if !row.retired {
            rules.push(rule_item(&mut tx, row.id).await?);
        }
    }
    rules.sort_by(|one, two| (two.severity, &one.name).cmp(&(one.severity, &two.name)));
    Ok(Rules { rules })
}

/// One rule with who stands in it. Its business owner sees it as well.
pub async fn one(workflow: &Workflow, viewer: &Viewer, id: ConflictId) -> Result<RulePage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx.conflict(id).await?.ok_or(Error::Missing)?;
    let reads = READERS.iter().any(|role| viewer.has(*role));
    if !reads && row.owner_id != viewer.id() {
        return Err(Error::Missing);
    }
    let mut sides: Vec<(Side, RuleRight)> = Vec::new();
    for right in tx.conflict_rights(&[id]).await? {
        sides.push((
            right.side,
            RuleRight {
                id: right.entitlement_id,
                name: right.name,
                summary: right.summary,
            },
        ));
    }
    let of = |side: Side| {
        let on = sides.iter().filter(|(of, _)| *of == side);
        on.map(|(_, right)| right.clone()).collect()
    };
    let found = tx
        .findings_page(&FindingQuery {
            conflict: Some(id),
            limit: SHOWN,
            ..FindingQuery::default()
        })
        .await?;
    let open = tx
        .exceptions_page(&ExceptionQuery {
            conflict: Some(id),
            limit: SHOWN,
            ..ExceptionQuery::default()
        })
        .await?;
    Ok(RulePage {
        now,
        rule: rule_item(&mut tx, id).await?,
        key: row.key,
        retired: row.retired,
        left: of(Side::Left),
        right: of(Side::Right),
        findings: found.into_iter().map(item).collect(),
        exceptions: items(open),
    })
}

async fn rule_item(tx: &mut Tx, id: ConflictId) -> Result<RuleItem> {
    let row = tx.conflict(id).await?.ok_or(Error::Missing)?;
    let counted = tx.conflict_standing(id).await?;
    Ok(RuleItem {
        id,
        name: row.name,
        explain: row.explain,
        severity: row.severity,
        owner: tag(tx, row.owner_id).await?,
        standing: counted.0,
        excepted: counted.1,
    })
}

pub(super) async fn tag(tx: &mut Tx, person: PersonId) -> Result<PersonTag> {
    let name = tx
        .person(person)
        .await?
        .map_or_else(String::new, |row| row.name);
    Ok(PersonTag::new(person, name))
}
