//! One package: what is inside and its policy in plain data, with who would decide for the viewer.

use std::collections::BTreeSet;

use domain::{
    GrantId, PackageId, PackageVersionId, PersonId, Timestamp,
    asking::Asking,
    eligibility::text,
    grant::End,
    person::PortalRole,
    policy::{Limits, Policy, Question},
};
use serde::Serialize;
use store::Tx;

use super::{
    Capped, Condition, EntitlementTag, HeldGrant, PersonTag, StagePreview, Vote,
    catalog::{self, Card},
    make,
    seating::Bench,
    shell::CAP,
};
use crate::{Error, Result, Workflow, access::Viewer, eligibility};

/// Who may look at what is no longer offered.
const READERS: &[PortalRole] = &[
    PortalRole::Administrator,
    PortalRole::CatalogueOwner,
    PortalRole::Security,
    PortalRole::Auditor,
];

/// A package's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PackagePage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What its card says.
    pub card: Card,
    /// Whether it is no longer offered; then it is shown to those who hold or held it, to owners and to readers of everything.
    pub retired: bool,
    /// The edition shown.
    pub version: PackageVersionId,
    /// The edition's number: what approvers sign off as policy version.
    pub edition: i64,
    /// What it opens, line by line, in plain words.
    pub opens: Vec<String>,
    /// What it contains.
    pub contents: Vec<EntitlementTag>,
    /// Who may have it, and whether the viewer meets each condition.
    pub eligibility: Vec<Condition>,
    /// The same as Cedar; for its owners and for readers of everything.
    pub cedar: Option<String>,
    /// Who would decide for the viewer, stage by stage, if they asked now. Empty: approved by policy at once.
    pub stages: Vec<StagePreview>,
    /// Whether one person may decide several stages.
    pub collapse: bool,
    /// Lengths and windows.
    pub limits: Limits,
    /// The package's own questions.
    pub questions: Vec<Question>,
    /// For whom one may ask, how many may hold it, which ticket it wants.
    pub asking: Asking,
    /// How many more people may hold it; none if as many as like.
    pub seats_left: Option<i64>,
    /// Who owns it.
    pub owners: Vec<PersonTag>,
    /// How many hold it now; for its owners, security and auditors.
    pub holders: Option<Capped>,
    /// What the viewer holds of it.
    pub mine: Option<HeldGrant>,
    /// The latest denial of it for the viewer, unless a later ask was approved.
    pub denied: Option<Vote>,
    /// Whether the form would take an ask: offered, eligible, manageable, not already held without an end.
    pub may_ask: bool,
    /// The viewer's grant to ask more time for, if that is the way.
    pub may_extend: Option<GrantId>,
}

/// Reads a package.
pub async fn load(workflow: &Workflow, viewer: &Viewer, id: PackageId) -> Result<PackagePage> {
    let mut tx = workflow.store().read().await?;
    page(&mut tx, viewer, id, workflow.clock().now()).await
}

/// Reads a package inside a transaction.
pub(super) async fn page(
    tx: &mut Tx,
    viewer: &Viewer,
    id: PackageId,
    now: Timestamp,
) -> Result<PackagePage> {
    page_for(tx, viewer, viewer.id(), id, now).await
}

/// Reads a package as it is for somebody, with those who would decide if `asker` asked for them.
pub(super) async fn page_for(
    tx: &mut Tx,
    viewer: &Viewer,
    asker: PersonId,
    id: PackageId,
    now: Timestamp,
) -> Result<PackagePage> {
    let row = tx.cards_by_ids(&[id]).await?.pop().ok_or(Error::Missing)?;
    let owners = tx.named_owners(id).await?;
    let owns = owners.iter().any(|owner| owner.id == viewer.id());
    let reads = viewer.must_have(READERS).is_ok();
    if !row.offered && !owns && !reads && !tx.ever_held(viewer.id(), id).await? {
        return Err(Error::Missing);
    }
    let policy: Policy = serde_json::from_str(&row.policy)?;
    let contents: Vec<EntitlementTag> = tx
        .contents(row.version_id)
        .await?
        .into_iter()
        .map(EntitlementTag::from)
        .collect();
    let bench = Bench::load(tx, now, asker, &viewer.person, id, &policy.route).await?;
    let stages = policy
        .route
        .iter()
        .map(|rule| bench.preview(rule, &BTreeSet::new()))
        .collect();
    let denied = tx.standing_denial(viewer.id(), id).await?.map(Vote::from);
    let holders = if owns || viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor) {
        Some(Capped::of(tx.count_holders(id, CAP + 1).await?, CAP))
    } else {
        None
    };
    let (offered, version, edition, opens) = (
        row.offered,
        row.version_id,
        row.number,
        make::opens(&row.opens),
    );
    let card = catalog::cards(tx, viewer, vec![row])
        .await?
        .pop()
        .ok_or(Error::Missing)?;
    let mine = match card.held {
        Some(held) => {
            let rows = tx.held_by_ids(&[held.grant]).await?;
            make::held(tx, viewer, rows).await?.pop()
        }
        None => None,
    };
    let manageable = contents.iter().all(|part| part.unmanageable.is_none());
    let open = offered && card.unmet.is_empty() && manageable;
    let end = card.held.map(|held| held.end);
    Ok(PackagePage {
        now,
        retired: !offered,
        version,
        edition,
        opens,
        contents,
        eligibility: eligibility::conditions(&policy, &viewer.person)
            .into_iter()
            .map(|(explain, met)| Condition { explain, met })
            .collect(),
        cedar: (owns || reads).then(|| text(&policy.eligibility, &policy.cedar)),
        stages,
        collapse: policy.collapse,
        limits: policy.limits,
        questions: policy.questions,
        seats_left: match policy.asking.most_holders {
            None => None,
            Some(most) => {
                let holders = tx.holders_besides(id, viewer.id()).await?;
                Some((i64::from(most) - holders).max(0))
            }
        },
        asking: policy.asking,
        owners: owners
            .into_iter()
            .map(|owner| PersonTag::new(owner.id, owner.name))
            .collect(),
        holders,
        may_ask: open && end != Some(End::Permanent),
        may_extend: mine
            .as_ref()
            .filter(|grant| open && grant.may_extend)
            .map(|grant| grant.id),
        mine,
        denied,
        card,
    })
}
