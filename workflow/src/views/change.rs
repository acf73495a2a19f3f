//! Before somebody takes access away, holds it back or lets it go on: whose it is, and what would happen.

use std::collections::BTreeMap;

use domain::{
    EntitlementId, GrantId, PackageId, PersonId, Refusal, Timestamp, grant::GrantState, hands::May,
};
use serde::Serialize;
use store::views::grants::HeldRow;

use super::{
    HeldGrant,
    effect::{self, Effect},
};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    grants::{Authority, MOST},
};

domain::words! {
    /// What is done to what somebody holds.
    pub enum Act {
        /// It ends.
        TakeAway = "take_away",
        /// It opens nothing until it goes on.
        HoldBack = "hold_back",
        /// It opens again what it opened.
        LetGoOn = "let_go_on",
    }
}

/// What is about to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What.
    pub act: Act,
    /// To which grants, with what goes or comes with each.
    pub effects: Vec<Effect>,
    /// Chosen grants that are over, or that it cannot be done to as they are.
    pub left: usize,
}

/// Reads what would happen to all of these together, or to each alone. Only for who may do it; a grant that the viewer has no tie to is one that does not exist.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    act: Act,
    ids: &[GrantId],
    together: bool,
) -> Result<Change> {
    let now = workflow.clock().now();
    if ids.is_empty() || ids.len() > MOST {
        return Err(Error::Missing);
    }
    let mut tx = workflow.store().read().await?;
    let rows = tx.held_by_ids(ids).await?;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if rows.len() != ids.len() {
        return Err(Error::Missing);
    }
    let content = tx.content_of_grants(&ids).await?;
    let mut by_person: BTreeMap<PersonId, Vec<&HeldRow>> = BTreeMap::new();
    for row in &rows {
        by_person.entry(row.person_id).or_default().push(row);
    }
    let rights_of = |grant: GrantId| -> Vec<EntitlementId> {
        content
            .iter()
            .filter(|row| row.grant_id == grant)
            .map(|row| row.entitlement_id)
            .collect()
    };
    for (person, own) in by_person {
        let packages: Vec<PackageId> = own.iter().filter_map(|row| row.package_id).collect();
        let rights: Vec<EntitlementId> = own.iter().flat_map(|row| rights_of(row.id)).collect();
        let authority = Authority::over(&mut tx, viewer, person, &packages, &rights).await?;
        for row in own {
            let may = match act {
                Act::TakeAway => authority.take_away(row.package_id, &rights_of(row.id)),
                Act::HoldBack | Act::LetGoOn => authority.hold_back(),
            };
            match may {
                May::By(_) => {}
                May::Not(why) => return Err(Refusal::MayNotAct { why }.into()),
                May::Nothing => return Err(Error::Missing),
            }
        }
    }
    let chosen = rows.len();
    let rows: Vec<HeldRow> = rows
        .into_iter()
        .filter(|row| !row.end().passed(now) && fits(act, row.state))
        .collect();
    let left = chosen - rows.len();
    Ok(Change {
        now,
        act,
        effects: effect::of(&mut tx, viewer, rows, now, together).await?,
        left,
    })
}

/// Whether it can be done to a grant in this state.
const fn fits(act: Act, state: GrantState) -> bool {
    match act {
        Act::TakeAway => !matches!(state, GrantState::Ended),
        // Security may take over what HR holds back.
        Act::HoldBack => matches!(state, GrantState::Active | GrantState::Suspended),
        Act::LetGoOn => matches!(state, GrantState::Suspended),
    }
}

/// Everything that is the viewer's to give back, with what would go with each if all of it were.
pub async fn returning(workflow: &Workflow, viewer: &Viewer) -> Result<Change> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let rows: Vec<HeldRow> = tx
        .held_by(viewer.id(), most)
        .await?
        .into_iter()
        .filter(|row| row.source != domain::grant::GrantSource::Import && !row.end().passed(now))
        .collect();
    Ok(Change {
        now,
        act: Act::TakeAway,
        effects: effect::of(&mut tx, viewer, rows, now, true).await?,
        left: 0,
    })
}

/// Says on each grant of a person what the viewer may do about it.
pub(super) async fn mark(
    tx: &mut store::Tx,
    viewer: &Viewer,
    person: PersonId,
    grants: &mut [HeldGrant],
) -> Result<()> {
    let packages: Vec<PackageId> = grants
        .iter()
        .filter_map(|grant| grant.package.as_ref().map(|package| package.id))
        .collect();
    let rights: Vec<EntitlementId> = grants
        .iter()
        .flat_map(|grant| grant.parts.iter().map(|part| part.id))
        .collect();
    let authority = Authority::over(tx, viewer, person, &packages, &rights).await?;
    let holds_back = matches!(authority.hold_back(), May::By(_));
    let security = viewer.has(domain::person::PortalRole::Security);
    for grant in grants {
        if grant.over.is_some() {
            continue;
        }
        let own: Vec<EntitlementId> = grant.parts.iter().map(|part| part.id).collect();
        let package = grant.package.as_ref().map(|package| package.id);
        grant.marks.may_take_away = matches!(authority.take_away(package, &own), May::By(_));
        let absent = grant
            .marks
            .held_back
            .as_ref()
            .map(|held| held.cause == domain::grant::SuspendCause::Absence);
        grant.marks.may_let_go_on = holds_back && absent.is_some_and(|absent| security || absent);
        grant.marks.may_hold_back =
            holds_back && absent.is_none() && grant.health != domain::grant::Health::Scheduled;
    }
    Ok(())
}
