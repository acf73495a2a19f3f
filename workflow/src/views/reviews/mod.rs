//! Reviews: what waits for the viewer, and for security and auditors all campaigns; one campaign, a worklist, an item, a
//! report.

mod campaign;
mod report;
mod worklist;

use domain::{
    CampaignId, ItemId, PersonId, Timestamp,
    certification::{CampaignState, Cause, Then, wants_sign_off},
    person::PortalRole,
};
use serde::Serialize;
use store::{
    Tx,
    certification::SmallTagRow,
    views::{names::Named, reviews::NamedCampaignRow},
};

use super::PersonTag;
use crate::{
    Result, Workflow,
    access::Viewer,
    reviews::{READERS, stages},
};

pub use campaign::{
    CampaignPage, Coverage, Enforced, Listed, Looked, Preview, Progress, Reviewed, ScopeWords,
    Settings, ShareView, StageView, campaign,
};
pub use report::{Report, ReportItem, json_lines, page as report_page, report};
pub use worklist::{ActView, Earlier, ItemPage, ItemView, SaidView, WorklistPage, item, worklist};

/// What happened, where a review was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    /// What.
    pub cause: Cause,
    /// Whose access it is about, if it is one person's.
    pub person: Option<PersonTag>,
    /// Whom or what it is about, by name.
    pub about: String,
    /// What happened, in words.
    pub said: String,
    /// When.
    pub at: Timestamp,
    /// Whether a second person signs the review off, because something privileged is in it.
    pub signed_off: bool,
}

/// A small review in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmallItem {
    /// Which.
    pub id: CampaignId,
    /// The short number.
    pub number: i64,
    /// What happened.
    pub cause: Cause,
    /// Whom or what it is about.
    pub about: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Whether a second person signs it off.
    pub signed_off: bool,
    /// Its deadline.
    pub due_at: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// How many items it has.
    pub population: i64,
    /// How many are open.
    pub open: i64,
}

/// How many campaigns a list shows.
const LISTED: i64 = 50;

/// A reviewer's part of a running campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorklistTag {
    /// The campaign.
    pub id: CampaignId,
    /// The short number.
    pub number: i64,
    /// What it is called.
    pub name: String,
    /// Whom or what a small one is about.
    pub about: Option<String>,
    /// Its deadline.
    pub due_at: Option<Timestamp>,
    /// What becomes of what nobody answers until then.
    pub then: Then,
    /// How many items wait for the viewer.
    pub open: i64,
    /// How many the viewer has answered.
    pub answered: i64,
}

/// A question about the viewer's own access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The item.
    pub item: ItemId,
    /// The campaign's name.
    pub campaign: String,
    /// What the viewer holds.
    pub right: String,
    /// What is asked.
    pub question: String,
    /// Who asks.
    pub reviewer: String,
}

/// A campaign in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CampaignItem {
    /// Which.
    pub id: CampaignId,
    /// The short number.
    pub number: i64,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Who made it; empty for the portal.
    pub maker: String,
    /// Whether the viewer made it, and so does not sign it off.
    pub own: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its deadline.
    pub due_at: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// When it was signed off.
    pub signed_at: Option<Timestamp>,
    /// How many items it has.
    pub population: i64,
    /// How many are open.
    pub open: i64,
}

/// The lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reviews {
    /// Now.
    pub now: Timestamp,
    /// What the viewer reviews.
    pub mine: Vec<WorklistTag>,
    /// What the viewer is asked about their own access.
    pub questions: Vec<Question>,
    /// Campaigns that are not over and those that are, for security and auditors.
    pub campaigns: Option<(Vec<CampaignItem>, Vec<CampaignItem>)>,
    /// Small reviews, those that need somebody first, for security and auditors.
    pub small: Vec<SmallItem>,
    /// Whether the viewer may make one.
    pub may_make: bool,
}

/// Reads the lists.
pub async fn list(workflow: &Workflow, viewer: &Viewer) -> Result<Reviews> {
    let mut tx = workflow.store().read().await?;
    let campaigns = if viewer.must_have(READERS).is_ok() {
        let live = tx.campaigns_page(false, LISTED).await?;
        let over = tx.campaigns_page(true, LISTED).await?;
        let list = |rows: Vec<NamedCampaignRow>| {
            rows.into_iter()
                .map(|row| campaign_item(viewer.id(), row))
                .collect()
        };
        Some((list(live), list(over)))
    } else {
        None
    };
    let small = if campaigns.is_some() {
        let rows = tx.small_reviews_page(LISTED).await?;
        rows.into_iter().map(small_item).collect()
    } else {
        Vec::new()
    };
    Ok(Reviews {
        now: workflow.clock().now(),
        small,
        mine: mine(&mut tx, viewer.id()).await?,
        questions: tx
            .questions_for(viewer.id())
            .await?
            .into_iter()
            .map(|row| Question {
                item: row.id,
                campaign: row.campaign,
                right: row.right_name,
                question: row.question,
                reviewer: row.reviewer.unwrap_or_default(),
            })
            .collect(),
        campaigns,
        may_make: viewer.has(PortalRole::Security),
    })
}

async fn mine(tx: &mut Tx, person: PersonId) -> Result<Vec<WorklistTag>> {
    tx.worklists_of(person)
        .await?
        .into_iter()
        .map(|row| {
            Ok(WorklistTag {
                id: row.id,
                number: row.number,
                name: row.name,
                about: row.about,
                due_at: row.due_at,
                then: stages::then_of(row.stage, &row.later, row.silence)?,
                open: row.open,
                answered: row.answered,
            })
        })
        .collect()
}

fn small_item(row: SmallTagRow) -> SmallItem {
    SmallItem {
        id: row.id,
        number: row.number,
        cause: row.cause,
        about: row.person.unwrap_or(row.said),
        state: row.state,
        signed_off: wants_sign_off(true, row.privileged),
        due_at: row.due_at,
        closed_at: row.closed_at,
        population: row.population,
        open: row.open,
    }
}

/// What a review was made of, if it is a small one.
async fn event(tx: &mut Tx, id: CampaignId) -> Result<Option<EventView>> {
    let Some(row) = tx.small_review(id).await? else {
        return Ok(None);
    };
    let person = match row.person_id {
        Some(id) => people(tx, &[id]).await?.pop(),
        None => None,
    };
    Ok(Some(EventView {
        cause: row.cause,
        about: person
            .as_ref()
            .map_or_else(|| row.said.clone(), |tag| tag.name.clone()),
        person,
        said: row.said,
        at: row.happened_at,
        signed_off: wants_sign_off(true, row.privileged),
    }))
}

fn campaign_item(me: PersonId, row: NamedCampaignRow) -> CampaignItem {
    CampaignItem {
        id: row.id,
        number: row.number,
        name: row.name,
        state: row.state,
        own: row.made_by == Some(me),
        maker: row.maker.unwrap_or_default(),
        made_at: row.made_at,
        due_at: row.due_at,
        closed_at: row.closed_at,
        signed_at: row.signed_at,
        population: row.population,
        open: row.open,
    }
}

/// These people, by name.
async fn people(tx: &mut Tx, ids: &[PersonId]) -> Result<Vec<PersonTag>> {
    let mut found = Vec::with_capacity(ids.len());
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    for chunk in ids.chunks(500) {
        for row in tx.names(Named::Person, chunk).await? {
            found.push(PersonTag::new(PersonId(row.id), row.name));
        }
    }
    Ok(found)
}

/// One of them.
fn named(people: &[PersonTag], id: Option<PersonId>) -> Option<PersonTag> {
    people.iter().find(|one| Some(one.id) == id).cloned()
}
