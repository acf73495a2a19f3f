//! What a reviewer sees: the list of a campaign, and one item with everything that is known of it.

use std::collections::BTreeMap;

use domain::{
    CampaignId, ItemId, Timestamp,
    certification::{
        Act, Answer, CampaignState, ItemState, Reasons, Suggestion, Then, Via, VoidCause, Why,
    },
    conflict::breaches,
    grant::{EndReason, GrantSource, GrantState},
    person::PortalRole,
};
use serde::Serialize;
use store::{Tx, certification::CampaignItemRow, views::reviews::ItemNamesRow};

use super::{EventView, event};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    conflicts::rules_of,
    reviews::{READERS, minutes_left, stages},
    views::{Cursor, PersonTag},
};

/// How many items a page of the list shows.
const ROWS: i64 = 50;

/// What a stage that is over said of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidView {
    /// The stage, from 1.
    pub stage: i64,
    /// Who was asked; none if nobody could be.
    pub reviewer: Option<String>,
    /// What they said; none for silence.
    pub answer: Option<Answer>,
    /// Until when it was to stay, if shortened.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One item in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemView {
    /// Which.
    pub id: ItemId,
    /// As it is now; goes with an answer.
    pub version: i64,
    /// Who holds it.
    pub person: PersonTag,
    /// Their department.
    pub department: String,
    /// Their title.
    pub job_title: String,
    /// What it is called.
    pub right: String,
    /// The application, where there is one.
    pub application: Option<String>,
    /// Where it came from.
    pub source: GrantSource,
    /// The short number of the request behind it.
    pub request: Option<i64>,
    /// Since when.
    pub from: Timestamp,
    /// Its end as it was; none for without end.
    pub end: Option<Timestamp>,
    /// Whether it gives a privileged right.
    pub privileged: bool,
    /// `SOX`, `GDPR`, …
    pub control_scope: Option<String>,
    /// How many peers hold it, of how many.
    pub peers: Option<(i64, i64)>,
    /// What is suggested.
    pub suggestion: Suggestion,
    /// Why.
    pub why: Why,
    /// Who reviews it.
    pub reviewer: Option<String>,
    /// By what right.
    pub via: Option<Via>,
    /// The stage that it has come to, from 1.
    pub stage: i64,
    /// What the stages before said.
    pub said: Vec<SaidView>,
    /// Where it stands.
    pub state: ItemState,
    /// What becomes of it.
    pub answer: Option<Answer>,
    /// Until when it stays, if it was shortened.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Who answered.
    pub decider: Option<String>,
    /// When it ended.
    pub decided_at: Option<Timestamp>,
    /// Whether it was answered together with others.
    pub together: bool,
    /// Whether the answer is an earlier stage's, as the last one was silent.
    pub stood: bool,
    /// Why it is void.
    pub void: Option<VoidCause>,
    /// When the answer takes effect.
    pub enforce_at: Option<Timestamp>,
    /// When it did.
    pub enforced_at: Option<Timestamp>,
    /// What the holder was asked.
    pub question: String,
    /// What they answered.
    pub reply: String,
}

fn view(row: CampaignItemRow, names: &ItemNamesRow, said: Vec<SaidView>) -> Result<ItemView> {
    Ok(ItemView {
        id: row.id,
        version: row.version,
        person: PersonTag::new(row.person_id, names.person.clone()),
        department: names.department.clone(),
        job_title: names.job_title.clone(),
        right: row.right_name,
        application: names.application.clone(),
        source: row.source,
        request: names.request_number,
        from: row.valid_from,
        end: row.end_at,
        privileged: row.privileged,
        control_scope: row.control_scope,
        peers: row.peers_holding.zip(row.peers),
        suggestion: row.suggestion,
        why: serde_json::from_str(&row.why)?,
        reviewer: names.reviewer.clone(),
        via: row.via,
        stage: row.stage,
        said,
        state: row.state,
        answer: row.answer,
        until: row.until_at,
        reason: row.reason,
        decider: names.decider.clone(),
        decided_at: row.decided_at,
        together: row.together,
        stood: row.stood,
        void: row.void_cause,
        enforce_at: row.enforce_at,
        enforced_at: row.enforced_at,
        question: row.question,
        reply: row.reply,
    })
}

/// These items with their names, in the order of the rows.
pub(super) async fn views(tx: &mut Tx, rows: Vec<CampaignItemRow>) -> Result<Vec<ItemView>> {
    let names: BTreeMap<ItemId, ItemNamesRow> = tx
        .item_names(&rows)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let ids: Vec<ItemId> = rows.iter().map(|row| row.id).collect();
    let mut said: BTreeMap<ItemId, Vec<SaidView>> = BTreeMap::new();
    for row in tx.stage_answers(&ids).await? {
        said.entry(row.item_id).or_default().push(SaidView {
            stage: row.stage,
            reviewer: row.reviewer,
            answer: row.answer,
            until: row.until_at,
            reason: row.reason,
            by: row.by_name,
            at: row.at,
        });
    }
    rows.into_iter()
        .map(|row| {
            let names = names.get(&row.id).ok_or(Error::Missing)?;
            let said = said.remove(&row.id).unwrap_or_default();
            view(row, names, said)
        })
        .collect()
}

/// A reviewer's list of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorklistPage {
    /// Now.
    pub now: Timestamp,
    /// The campaign.
    pub id: CampaignId,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Its deadline.
    pub due_at: Option<Timestamp>,
    /// What becomes of what nobody answers until then.
    pub then: Then,
    /// When reasons are needed.
    pub reasons: Reasons,
    /// The stage that is asked, from 1.
    pub stage: i64,
    /// How many stages there are.
    pub stages: i64,
    /// How many of the viewer's are open.
    pub open: i64,
    /// How many the viewer has answered.
    pub answered: i64,
    /// About how many minutes the open ones take.
    pub minutes: i64,
    /// The items of this page.
    pub items: Vec<ItemView>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// What happened, for a small review.
    pub event: Option<EventView>,
    /// Whether the viewer sees the campaign as a whole.
    pub sees_all: bool,
}

/// The viewer's list of a campaign: by holder or by right; what is open, or what is not any more.
pub async fn worklist(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    by_right: bool,
    open: bool,
    after: Option<&Cursor>,
) -> Result<WorklistPage> {
    let mut tx = workflow.store().read().await?;
    let campaign = tx.campaign(id).await?.ok_or(Error::Missing)?;
    if !tx.reviews_in(id, viewer.id()).await? {
        return Err(Error::Missing);
    }
    let after = after.and_then(Cursor::text);
    let from = after.as_ref().map(|(key, id)| (key.as_str(), ItemId(*id)));
    let mut places = tx
        .worklist(id, viewer.id(), by_right, open, from, ROWS + 1)
        .await?;
    let more = places.len() as i64 > ROWS;
    places.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let next = places
        .last()
        .filter(|_| more)
        .map(|last| Cursor::by_text(&last.sort, last.id.0));
    let order: Vec<ItemId> = places.iter().map(|place| place.id).collect();
    let mut rows = tx.items(&order).await?;
    rows.sort_by_key(|row| order.iter().position(|id| *id == row.id));
    let then = stages::then_of(campaign.stage, &campaign.later, campaign.silence)?;
    let stages = stages::look_of(&campaign)? - 1;
    let mine = tx.worklists_of(viewer.id()).await?;
    let (open_count, answered) = mine
        .iter()
        .find(|one| one.id == id)
        .map_or((0, 0), |one| (one.open, one.answered));
    Ok(WorklistPage {
        now: workflow.clock().now(),
        id,
        name: campaign.name,
        state: campaign.state,
        due_at: campaign.due_at,
        then,
        reasons: campaign.reasons,
        stage: campaign.stage,
        stages,
        open: open_count,
        answered,
        minutes: minutes_left(open_count),
        items: views(&mut tx, rows).await?,
        next,
        event: event(&mut tx, id).await?,
        sees_all: viewer.must_have(READERS).is_ok(),
    })
}

/// What was said of the same access before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// In which campaign.
    pub campaign: String,
    /// What.
    pub answer: Answer,
    /// By whom; none for silence.
    pub decider: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Something that was done to an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActView {
    /// What.
    pub act: Act,
    /// By whom; none for the portal.
    pub by: Option<String>,
    /// To whom it went.
    pub to: Option<String>,
    /// What they wrote.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// One item with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemPage {
    /// Now.
    pub now: Timestamp,
    /// The campaign.
    pub campaign: CampaignId,
    /// What it is called.
    pub campaign_name: String,
    /// Its deadline.
    pub due_at: Option<Timestamp>,
    /// When reasons are needed.
    pub reasons: Reasons,
    /// How many stages the campaign has; what comes after them is the second look.
    pub stages: i64,
    /// What happened, for a small review.
    pub event: Option<EventView>,
    /// The item.
    pub item: ItemView,
    /// What it opens: each right, what it lets somebody do, and at which target.
    pub opens: Vec<(String, String, String)>,
    /// The business reason that it was asked for with.
    pub asked_for: String,
    /// Who approved it.
    pub approvers: Vec<String>,
    /// How the grant stands now.
    pub grant: GrantState,
    /// Why it ended, if it has.
    pub ended: Option<EndReason>,
    /// When the target confirmed that it is gone.
    pub gone_at: Option<Timestamp>,
    /// What would remain by other ways if it were taken away: rights of it, each with the other way.
    pub remains: Vec<(String, String)>,
    /// Rules that the holder breaks with it.
    pub breaks: Vec<String>,
    /// The last answer for the same access.
    pub earlier: Option<Earlier>,
    /// What was done to it.
    pub acts: Vec<ActView>,
    /// Whether the viewer may answer now.
    pub may_answer: bool,
    /// Whether the viewer may take the answer back now.
    pub may_undo: bool,
}

/// Reads an item: for whoever reviews it or has in an earlier stage, and for security and auditors, unless it is about their
/// own access.
pub async fn item(workflow: &Workflow, viewer: &Viewer, id: ItemId) -> Result<ItemPage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx.item(id).await?.ok_or(Error::Missing)?;
    let mine = row.reviewer_id == Some(viewer.id());
    let did = tx
        .stage_answers(&[id])
        .await?
        .iter()
        .any(|said| said.by_id == Some(viewer.id()));
    if row.person_id == viewer.id() || !(mine || did || viewer.must_have(READERS).is_ok()) {
        return Err(Error::Missing);
    }
    let campaign = tx.campaign(row.campaign_id).await?.ok_or(Error::Missing)?;
    let grant = tx.grant(row.grant_id).await?.ok_or(Error::Missing)?;
    let parts = tx.held_parts(&[row.grant_id]).await?;
    let held = tx.held_by_ids(&[row.grant_id]).await?;
    let lines: Vec<_> = grant.line_id.into_iter().collect();
    let approvers = tx.approvers_of(&lines).await?;
    let rights: Vec<_> = parts.iter().map(|part| part.entitlement_id).collect();
    let all = tx.held_rights(&[row.person_id], now).await?;
    let remains = parts
        .iter()
        .filter_map(|part| {
            let other = all.iter().find(|one| {
                one.entitlement_id == part.entitlement_id && one.grant_id != row.grant_id
            })?;
            let way = if other.package_name.is_empty() {
                "found at the target".to_owned()
            } else {
                other.package_name.clone()
            };
            Some((part.name.clone(), way))
        })
        .collect();
    let about = tx.rules_about(&rights).await?;
    let holds = all.iter().map(|one| one.entitlement_id).collect();
    let none = std::collections::BTreeSet::new();
    let mut breaks = Vec::new();
    for breach in breaches(&rules_of(&about), &holds, &none) {
        if let Some(rule) = tx.conflict(breach.rule).await? {
            breaks.push(rule.name);
        }
    }
    let earlier = tx.earlier_answer(&row).await?.map(|one| Earlier {
        campaign: one.campaign,
        answer: one.answer,
        decider: one.decider,
        at: one.decided_at,
    });
    let acts = tx
        .acts_of(id)
        .await?
        .into_iter()
        .map(|act| ActView {
            act: act.act,
            by: act.by_name,
            to: act.to_name,
            note: act.note,
            at: act.at,
        })
        .collect();
    let runs =
        campaign.state == CampaignState::Running && campaign.due_at.is_some_and(|due| due > now);
    let runs_portal = viewer.roles.iter().copied().any(PortalRole::runs_portal);
    let below = tx
        .managers_above(&[viewer.id()])
        .await?
        .iter()
        .any(|above| above.above_id == row.person_id);
    let asked = row.stage == campaign.stage;
    let may = mine && runs && asked && !runs_portal && !below;
    let may_answer = may && row.state == ItemState::Open;
    let may_undo = may && row.state == ItemState::Decided && row.enforced_at.is_none();
    let stages = stages::look_of(&campaign)? - 1;
    let item = views(&mut tx, vec![row])
        .await?
        .pop()
        .ok_or(Error::Missing)?;
    Ok(ItemPage {
        now,
        campaign: campaign.id,
        campaign_name: campaign.name,
        due_at: campaign.due_at,
        reasons: campaign.reasons,
        stages,
        event: event(&mut tx, campaign.id).await?,
        item,
        opens: parts
            .into_iter()
            .map(|part| (part.name, part.summary, part.target_name))
            .collect(),
        asked_for: held
            .into_iter()
            .next()
            .and_then(|row| row.reason)
            .unwrap_or_default(),
        approvers: approvers.into_iter().map(|row| row.name).collect(),
        grant: grant.state,
        ended: grant.end_reason,
        gone_at: grant.gone_at,
        remains,
        breaks,
        earlier,
        acts,
        may_answer,
        may_undo,
    })
}
