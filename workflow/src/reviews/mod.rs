//! Access certifications. Security drafts a campaign; starting it freezes what is held now and gives each item to a
//! reviewer; reviewers answer; what nobody answers is settled by the rule of silence; what was said no to ends through the
//! ordinary way of ending a grant; somebody of security other than the maker signs the sealed report off.
//!
//! Locks: a campaign as a whole (`lock_campaign`, or held by those who answer in it), then persons, then items.

mod answer;
mod due;
mod freeze;
mod late;
mod listings;
mod make;
mod pool;
mod seal;
pub(crate) mod small;
pub(crate) mod stages;
mod verify;

use domain::{
    CampaignId, ItemId, PersonId, Refusal, Timestamp,
    audit::{Actor, Event, EventKind},
    certification::{CampaignState, ItemState, Scope, Tally, VoidCause, barred},
    person::{PortalRole, effective_roles},
    request::{REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{
    Tx,
    certification::{CampaignItemRow, CampaignRow},
    grants::GrantRow,
};

use crate::{
    Error, Result, Unit,
    access::{self, Viewer},
};

pub use answer::{Asked, Together, Verdict, ask, decide, decide_together, hand_on, reply, undo};
pub(crate) use due::{close_due, enforce_due, remind_due, repeat_due, reviewer_left};
pub use freeze::{PREVIEWED, Share, preview, start};
pub(crate) use late::late_due;
pub use listings::{Counts, Listing};
pub(crate) use listings::{by_target, of as listings_of, preview as listings_preview};
pub use make::{Draft, Template, discard, make, save};
pub(crate) use pool::Pool;
pub(crate) use seal::{barred as sign_off_barred, must_acknowledge};
pub use seal::{cancel, chase, close, report_hash, report_head, report_lines, sign_off};
pub use small::SmallReviews;
pub(crate) use small::event_due;

pub use verify::{ReportFault, Sealed, verify_report};

/// Who looks at all campaigns.
pub const READERS: &[PortalRole] = &[PortalRole::Security, PortalRole::Auditor];

/// What a campaign looks at.
pub(crate) fn scope_of(row: &CampaignRow) -> Result<Scope> {
    Ok(serde_json::from_str(&row.scope)?)
}

/// How the items of a campaign stand.
pub(crate) async fn tally_of(tx: &mut Tx, id: CampaignId) -> Result<Tally> {
    let mut tally = Tally::default();
    for row in tx.tally(id).await? {
        tally.add(row.state, row.answer, row.count);
    }
    Ok(tally)
}

/// Everybody for whom the role security counts, by id.
pub(crate) async fn security(tx: &mut Tx) -> Result<Vec<PersonId>> {
    let rows = tx.roles_of_holders(PortalRole::Security).await?;
    let mut people: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    people.sort_unstable();
    people.dedup();
    people.retain(|person| {
        let held: Vec<PortalRole> = rows
            .iter()
            .filter(|row| row.person_id == *person)
            .map(|row| row.role)
            .collect();
        effective_roles(&held).0.contains(&PortalRole::Security)
    });
    Ok(people)
}

/// The viewer as they are now, if security counts for them.
async fn as_security(unit: &mut Unit, viewer: &Viewer) -> Result<Viewer> {
    let now = unit.now;
    let viewer = access::viewer_in(&mut unit.tx, now, viewer.id(), viewer.account)
        .await?
        .ok_or(Error::Forbidden)?;
    // To whoever has no part in it there is no such thing.
    viewer
        .must_have(&[PortalRole::Security])
        .map_err(|_| Error::Missing)?;
    Ok(viewer)
}

/// A campaign for one who changes it as a whole, locked.
async fn locked(unit: &mut Unit, viewer: &Viewer, id: CampaignId) -> Result<(Viewer, CampaignRow)> {
    let viewer = as_security(unit, viewer).await?;
    unit.tx.lock_campaign(id).await?;
    let row = unit.tx.campaign(id).await?.ok_or(Error::Missing)?;
    Ok((viewer, row))
}

fn must_be(row: &CampaignRow, state: CampaignState) -> Result<()> {
    if row.state == state {
        return Ok(());
    }
    Err(Refusal::WrongState {
        state: row.state.to_string(),
    }
    .into())
}

/// A text of the right length, trimmed; empty only where it is not needed.
fn text(field: &str, text: &str, needed: bool) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if (needed || length > 0) && length < REASON_LEAST {
        return Err(Refusal::TooShort {
            field: field.into(),
            least: REASON_LEAST,
        }
        .into());
    }
    if length > TEXT_MOST {
        return Err(Refusal::TooLong {
            field: field.into(),
            most: TEXT_MOST,
        }
        .into());
    }
    Ok(text.to_owned())
}

/// The item as the viewer may answer for it now, its holder locked: they review it, its campaign runs and is not over, and
/// nothing bars them.
async fn mine(
    unit: &mut Unit,
    viewer: &Viewer,
    id: ItemId,
) -> Result<(CampaignRow, CampaignItemRow)> {
    let seen = unit.tx.item(id).await?.ok_or(Error::Missing)?;
    unit.tx.hold_campaign(seen.campaign_id).await?;
    unit.tx.lock_persons(&[seen.person_id]).await?;
    let now = unit.now;
    let viewer = access::viewer_in(&mut unit.tx, now, viewer.id(), viewer.account)
        .await?
        .ok_or(Error::Forbidden)?;
    let (campaign, mut items) = checked(unit, &viewer, seen.campaign_id, &[id]).await?;
    Ok((campaign, items.pop().ok_or(Error::Missing)?))
}

/// As [`mine`], for several items of one campaign, with everything locked by the caller. What is to be known of campaign and
/// reviewer is read once.
async fn checked(
    unit: &mut Unit,
    viewer: &Viewer,
    campaign: CampaignId,
    ids: &[ItemId],
) -> Result<(CampaignRow, Vec<CampaignItemRow>)> {
    let items = unit.tx.items(ids).await?;
    let known = |id: &ItemId| items.iter().any(|item| item.id == *id);
    let theirs = |item: &CampaignItemRow| {
        item.campaign_id == campaign && item.reviewer_id == Some(viewer.id())
    };
    if !ids.iter().all(known) || !items.iter().all(theirs) {
        return Err(Error::Missing);
    }
    let campaign = unit.tx.campaign(campaign).await?.ok_or(Error::Missing)?;
    must_be(&campaign, CampaignState::Running)?;
    if campaign.due_at.is_none_or(|due| due <= unit.now) {
        return Err(Refusal::WrongState {
            state: CampaignState::Closed.to_string(),
        }
        .into());
    }
    // What a stage said that is over stays as it was said.
    if items.iter().any(|item| item.stage != campaign.stage) {
        return Err(Refusal::WrongState {
            state: "decided in a stage that is over".into(),
        }
        .into());
    }
    let now = unit.now;
    let candidates = pool::candidates(&mut unit.tx, &[viewer.id()], now).await?;
    let me = candidates.get(&viewer.id()).ok_or(Error::Forbidden)?;
    if let Some(why) = items.iter().find_map(|item| barred(me, item.person_id)) {
        return Err(Refusal::ReviewBarred { why }.into());
    }
    Ok((campaign, items))
}

fn item_event(unit: &Unit, kind: EventKind, actor: Actor, item: &CampaignItemRow) -> Event {
    Event::new(kind, unit.now, actor)
        .about(item.id)
        .about(item.campaign_id)
        .about(item.grant_id)
        .about(item.person_id)
        .for_person(item.person_id)
}

fn settled(unit: &mut Unit, item: &CampaignItemRow, cause: &str, after: serde_json::Value) {
    let event = item_event(unit, EventKind::ReviewSettled, Actor::Portal, item)
        .because(cause)
        .changing(json!({"state": item.state}), after);
    unit.record(event);
}

/// Notes that open pages about a campaign and its reviewers should look again.
fn changed(unit: &mut Unit, campaign: CampaignId, reviewer: Option<PersonId>) {
    unit.changed(campaign);
    unit.changed("reviews");
    if let Some(reviewer) = reviewer {
        unit.changed(reviewer);
    }
}

/// Makes the open items about grants void that end in this unit: there is nothing to review any more.
pub(crate) async fn grants_ended(unit: &mut Unit, grants: &[&GrantRow]) -> Result<()> {
    let ids: Vec<_> = grants.iter().map(|grant| grant.id).collect();
    let now = unit.now;
    let mut touched = std::collections::BTreeSet::new();
    for row in unit.tx.void_items_of_grants(&ids, now).await? {
        unit.record(
            Event::new(EventKind::ReviewSettled, now, Actor::Portal)
                .about(row.id)
                .about(row.campaign_id)
                .about(row.person_id)
                .because("the access ended meanwhile")
                .changing(
                    json!({"state": ItemState::Open}),
                    json!({"state": ItemState::Void, "cause": VoidCause::Ended}),
                ),
        );
        changed(unit, row.campaign_id, None);
        touched.insert(row.campaign_id);
    }
    for campaign in touched {
        small::answered(unit, campaign).await?;
    }
    Ok(())
}

/// How many percent of a count, and about how many minutes are left at half a minute each.
pub(crate) const fn minutes_left(open: i64) -> i64 {
    (open + 1) / 2
}

/// The last moment that is still in time.
pub(crate) fn last_chance(due: Timestamp) -> String {
    due.format("%-d %B %Y, %H:%M UTC").to_string()
}
