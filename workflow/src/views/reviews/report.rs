//! The report of a campaign: what was frozen and how complete that is, who reviewed and why they were entitled, what was
//! said and when, and what became of it at the targets.

use domain::{
    CampaignId, ItemId,
    certification::{CampaignState, Proof},
};
use serde::Serialize;
use store::certification::CampaignRow;

use super::{
    campaign::{CampaignPage, campaign},
    worklist::{ItemView, views},
};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    reviews::{READERS, report_head, report_lines},
};

/// How many items the page shows.
const SHOWN: i64 = 500;
/// How many items a piece of a file holds.
const PIECE: i64 = 1_000;

/// One item of a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportItem {
    /// The item with its names.
    pub item: ItemView,
    /// The printed id of the grant.
    pub grant: String,
    /// How it stood with the removal at the sign-off.
    pub proof: Option<Proof>,
    /// When the target confirmed it.
    pub confirmed_at: Option<domain::Timestamp>,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The campaign.
    pub campaign: CampaignPage,
    /// The first items, in the order of the file.
    pub items: Vec<ReportItem>,
    /// Whether there are more: the files have all.
    pub more: bool,
}

/// Reads the report of a campaign that has closed. For security and auditors; for others there is none.
pub async fn report(workflow: &Workflow, viewer: &Viewer, id: CampaignId) -> Result<Report> {
    let campaign = campaign(workflow, viewer, id).await?;
    if !matches!(
        campaign.state,
        CampaignState::Closed | CampaignState::SignedOff
    ) {
        return Err(Error::Missing);
    }
    let (items, next) = page(workflow, viewer, id, None, SHOWN).await?;
    Ok(Report {
        campaign,
        items,
        more: next.is_some(),
    })
}

/// The items of a report after `after`, and where the next piece begins.
pub async fn page(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    after: Option<ItemId>,
    limit: i64,
) -> Result<(Vec<ReportItem>, Option<ItemId>)> {
    viewer.must_have(READERS).map_err(|_| Error::Missing)?;
    let limit = limit.clamp(1, PIECE);
    let mut tx = workflow.store().read().await?;
    let rows = tx.items_of_campaign(id, None, after, limit).await?;
    let next = rows
        .last()
        .filter(|_| rows.len() as i64 == limit)
        .map(|row| row.id);
    let mut proofs = rows
        .iter()
        .map(|row| (row.grant_id.to_string(), row.proof, row.proof_at))
        .collect::<Vec<_>>()
        .into_iter();
    let mut items = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(250) {
        for item in views(&mut tx, chunk.to_vec()).await? {
            let (grant, proof, confirmed_at) = proofs.next().ok_or(Error::Missing)?;
            items.push(ReportItem {
                item,
                grant,
                proof,
                confirmed_at,
            });
        }
    }
    Ok((items, next))
}

/// A piece of the sealed report as JSON lines: byte for byte what the hash of the sign-off is over. The first piece begins
/// with the campaign. Only of what was signed off.
pub async fn json_lines(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    after: Option<ItemId>,
) -> Result<(String, Option<ItemId>)> {
    viewer.must_have(READERS).map_err(|_| Error::Missing)?;
    let mut tx = workflow.store().read().await?;
    let row: CampaignRow = tx
        .campaign(id)
        .await?
        .filter(|row| row.state == CampaignState::SignedOff)
        .ok_or(Error::Missing)?;
    let mut text = if after.is_none() {
        report_head(&mut tx, &row).await?
    } else {
        String::new()
    };
    let items = tx.items_of_campaign(id, None, after, PIECE).await?;
    text.push_str(&report_lines(&mut tx, &items).await?);
    let next = items
        .last()
        .filter(|_| items.len() as i64 == PIECE)
        .map(|row| row.id);
    Ok((text, next))
}
