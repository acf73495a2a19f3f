//! From stage to stage: what a stage said is kept, what goes on is given to whoever is asked next, and where nothing goes on
//! the campaign closes. The second look is the stage after the last.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use domain::{
    GrantId, ItemId, PersonId, Timestamp,
    audit::{Actor, EventKind},
    certification::{
        Act, Balance, CampaignState, ItemState, LOOK_DAYS, LaterStage, Next, ReviewerRule, Silence,
        Then, UNDO, Via, VoidCause, draw, goes_on, next, shares, then,
    },
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::certification::{CampaignItemRow, CampaignRow, HeldInScopeRow, NewAct};

use super::{
    Pool, changed, due,
    freeze::{balance, facts, held_of},
    item_event,
    pool::Held,
    seal, settled, tally_of,
};
use crate::{
    Error, Result, Unit,
    mail::{self, Mail},
};

/// How many items are read at once.
const PAGE: i64 = 5_000;

/// Who a stage asks, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// By which rule.
    pub rule: ReviewerRule,
    /// The one who reviews where the rule names one, and stands in otherwise.
    pub named: Option<PersonId>,
    /// For how many days.
    pub days: i64,
}

/// The stages after the first.
pub(crate) fn later_of(row: &CampaignRow) -> Result<Vec<LaterStage>> {
    Ok(serde_json::from_str(&row.later)?)
}

/// All stages, the first one first.
pub(crate) fn of(row: &CampaignRow) -> Result<Vec<Stage>> {
    let later = later_of(row)?;
    let days = shares(row.days, &later)
        .ok_or_else(|| Error::internal("the stages of a review do not fit its days"))?;
    let first = (row.reviewers, row.named_id);
    let asked = later
        .into_iter()
        .map(|stage| (stage.reviewers, stage.named.or(row.named_id)));
    Ok(std::iter::once(first)
        .chain(asked)
        .zip(days)
        .map(|((rule, named), days)| Stage { rule, named, days })
        .collect())
}

/// The number of the stage that is asked, counted from 1.
fn number(row: &CampaignRow) -> usize {
    usize::try_from(row.stage).unwrap_or(1)
}

/// What becomes of what nobody answers in the stage that is asked.
pub(crate) fn then_of(stage: i64, later: &str, silence: Silence) -> Result<Then> {
    let later: Vec<LaterStage> = serde_json::from_str(later)?;
    Ok(then(
        usize::try_from(stage).unwrap_or(1),
        later.len(),
        silence,
    ))
}

/// What comes after the stage that is asked.
pub(crate) fn next_of(row: &CampaignRow) -> Result<Next> {
    Ok(next(number(row), later_of(row)?.len(), row.second_look > 0))
}

/// Whether what is asked is the second look.
pub(crate) fn looks_again(row: &CampaignRow) -> Result<bool> {
    Ok(number(row) > later_of(row)?.len() + 1)
}

/// The number of the second look.
pub(crate) fn look_of(row: &CampaignRow) -> Result<i64> {
    Ok(i64::try_from(later_of(row)?.len() + 2).unwrap_or(i64::MAX))
}

/// Who is asked now.
pub(super) fn asked_now(row: &CampaignRow) -> Result<(ReviewerRule, Option<PersonId>)> {
    let stages = of(row)?;
    let stage = stages.get(number(row) - 1);
    Ok(match stage {
        Some(stage) if row.escalated_at.is_none() => (stage.rule, stage.named),
        _ => (ReviewerRule::Security, row.named_id),
    })
}

/// Who reviews by a rule and was not asked before; somebody who was only where nobody else may.
pub(super) fn another(
    pool: &Pool,
    balance: &mut Balance,
    rule: ReviewerRule,
    held: Held,
    before: &[PersonId],
) -> Option<(PersonId, Via)> {
    pool.reviewer_but(balance, rule, held, before)
        .or_else(|| pool.reviewer(balance, rule, held))
}

/// Who was asked for each of these items in stages that are over.
pub(super) async fn asked_before(
    unit: &mut Unit,
    items: &[CampaignItemRow],
) -> Result<BTreeMap<ItemId, Vec<PersonId>>> {
    let ids: Vec<ItemId> = items
        .iter()
        .filter(|item| item.stage > 1)
        .map(|item| item.id)
        .collect();
    let mut before: BTreeMap<ItemId, Vec<PersonId>> = BTreeMap::new();
    for row in unit.tx.stage_answers(&ids).await? {
        let people = before.entry(row.item_id).or_default();
        people.extend(row.reviewer_id);
        people.extend(row.by_id);
    }
    Ok(before)
}

/// When the stage that is asked is over: at its deadline; where another follows and nothing is open, a day after its last
/// answer, so that each can be taken back.
pub(super) async fn over_at(
    unit: &mut Unit,
    row: &CampaignRow,
    deadline: Timestamp,
) -> Result<Timestamp> {
    if next_of(row)? == Next::Over || tally_of(&mut unit.tx, row.id).await?.open > 0 {
        return Ok(deadline);
    }
    let last = unit.tx.last_answer(row.id, row.stage).await?;
    Ok(last.map_or(deadline, |last| deadline.min(last + UNDO)))
}

/// After an answer: arms the end of a stage in which nothing is open any more.
pub(super) async fn answered(unit: &mut Unit, row: &CampaignRow) -> Result<()> {
    let Some(deadline) = row.due_at else {
        return Ok(());
    };
    let at = over_at(unit, row, deadline).await?;
    if at < deadline {
        due::arm_close(unit, row.id, at);
    }
    Ok(())
}

/// Ends the stage that is asked: what goes on is given to the next one, and where nothing does, the campaign closes. Before a
/// second look and before the end nothing is open any more. True if the campaign has closed.
pub(super) async fn over(
    unit: &mut Unit,
    row: &CampaignRow,
    actor: Actor,
    cause: &str,
) -> Result<bool> {
    let next = next_of(row)?;
    if next != Next::Over && pass_on(unit, row, next, actor, cause).await? {
        return Ok(false);
    }
    seal::finish(unit, row, actor, cause).await?;
    Ok(true)
}

/// Everything that the stage that is asked was asked about and that is not void.
async fn asked_about(unit: &mut Unit, row: &CampaignRow) -> Result<Vec<CampaignItemRow>> {
    let mut all: Vec<CampaignItemRow> = Vec::new();
    let mut after = None;
    loop {
        let page = unit.tx.items_of_campaign(row.id, None, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        all.extend(page.into_iter().filter(|item| {
            item.stage == row.stage && matches!(item.state, ItemState::Open | ItemState::Decided)
        }));
    }
    Ok(all)
}

/// What of it goes on, with what is to be known of each. What is not held any more does not, and is void if it is open.
async fn going(
    unit: &mut Unit,
    row: &CampaignRow,
    next: Next,
) -> Result<Vec<(CampaignItemRow, HeldInScopeRow)>> {
    let now = unit.now;
    let items = asked_about(unit, row).await?;
    let grants: Vec<GrantId> = items.iter().map(|item| item.grant_id).collect();
    let mut held: BTreeMap<GrantId, HeldInScopeRow> = unit
        .tx
        .held_still(&grants, now)
        .await?
        .into_iter()
        .map(|one| (one.id, one))
        .collect();
    let (mut going, mut void) = (Vec::new(), Vec::new());
    for item in items {
        match held.remove(&item.grant_id) {
            Some(one) if goes_on(next, row.passes, item.answer) => going.push((item, one)),
            None if item.state == ItemState::Open => {
                let after = json!({"state": ItemState::Void, "cause": VoidCause::Ended});
                settled(unit, &item, "the access ended meanwhile", after);
                void.push(item.id);
            }
            Some(_) | None => {}
        }
    }
    for chunk in void.chunks(500) {
        unit.tx.void_items(chunk, VoidCause::Ended, now).await?;
    }
    if next == Next::Look {
        let hash = row.population_hash.as_deref().unwrap_or_default();
        let lots = going
            .iter()
            .map(|(item, _)| (lot(hash, item.grant_id), item.grant_id))
            .collect();
        let drawn: BTreeSet<GrantId> = draw(row.second_look, lots).into_iter().collect();
        going.retain(|(item, _)| drawn.contains(&item.grant_id));
    }
    Ok(going)
}

/// The lot of an item: whoever has the report can draw it again.
fn lot(population_hash: &str, grant: GrantId) -> [u8; 32] {
    Sha256::digest(format!("{population_hash}|{grant}")).into()
}

/// Asks the next stage for what goes on. False if nothing does.
async fn pass_on(
    unit: &mut Unit,
    row: &CampaignRow,
    next: Next,
    actor: Actor,
    cause: &str,
) -> Result<bool> {
    let now = unit.now;
    let going = going(unit, row, next).await?;
    let stages = of(row)?;
    let stage = match next {
        Next::Stage(later) => stages.get(later + 1).copied(),
        Next::Look => Some(Stage {
            rule: ReviewerRule::Security,
            named: None,
            days: LOOK_DAYS,
        }),
        Next::Over => None,
    };
    let Some(stage) = stage.filter(|_| !going.is_empty()) else {
        return Ok(false);
    };
    let due_at = now + Duration::days(stage.days);
    if !unit.tx.advance_campaign(row.id, row.stage, due_at).await? {
        return Err(Error::Stale);
    }
    let items: Vec<CampaignItemRow> = going.iter().map(|(item, _)| item.clone()).collect();
    let before = asked_before(unit, &items).await?;
    let held: Vec<HeldInScopeRow> = going.into_iter().map(|(_, one)| one).collect();
    let pool = Pool::load(&mut unit.tx, &facts(&held), stage.named, now).await?;
    let mut balance = balance(row);
    let mut given: BTreeMap<Option<(PersonId, Via)>, Vec<ItemId>> = BTreeMap::new();
    let mut reviewers: BTreeMap<Option<PersonId>, i64> = BTreeMap::new();
    let mut acts = Vec::with_capacity(items.len());
    for (item, one) in items.iter().zip(&held) {
        let mut not = before.get(&item.id).cloned().unwrap_or_default();
        not.extend(item.reviewer_id);
        not.extend(item.decided_by);
        let held = held_of(one);
        let to = if next == Next::Look {
            // Whoever looks again has not looked before, or it is no second look.
            pool.reviewer_but(&mut balance, stage.rule, held, &not)
        } else {
            another(&pool, &mut balance, stage.rule, held, &not)
        };
        let who = to.map(|(id, _)| id);
        given.entry(to).or_default().push(item.id);
        *reviewers.entry(who).or_default() += 1;
        acts.push(NewAct {
            id: unit.new_id(),
            campaign: row.id,
            item: item.id,
            act: Act::NextStage,
            by: None,
            to: who,
            note: String::new(),
            at: now,
        });
        let event = item_event(unit, EventKind::ReviewHandedOn, Actor::Portal, item)
            .because(cause)
            .changing(
                json!({"stage": row.stage, "state": item.state, "answer": item.answer, "reviewer": item.reviewer_id}),
                json!({"stage": row.stage + 1, "state": ItemState::Open, "reviewer": who}),
            );
        unit.record(event);
    }
    for (to, ids) in given {
        unit.tx.pass_items_on(&ids, to, now).await?;
    }
    unit.tx.insert_acts(&acts).await?;
    let asked = CampaignRow {
        stage: row.stage + 1,
        due_at: Some(due_at),
        ..row.clone()
    };
    let after = json!({
        "cause": cause, "stage": asked.stage, "second_look": next == Next::Look, "due_at": due_at, "items": items.len(),
    });
    seal::moved(unit, row, CampaignState::Running, actor, after);
    due::arm_stage(unit, row.id, now, due_at);
    tell(unit, &asked, &reviewers, None);
    changed(unit, row.id, None);
    Ok(true)
}

/// Mails whoever is asked how much waits for them. `event` is what happened and whom or what it is about, for a small review.
pub(super) fn tell(
    unit: &mut Unit,
    row: &CampaignRow,
    reviewers: &BTreeMap<Option<PersonId>, i64>,
    event: Option<(&str, &str)>,
) {
    let (title, what) = match event {
        None => (row.name.clone(), String::new()),
        Some((said, about)) => (
            format!("{}: {about}", row.name),
            format!(" What happened: {said}."),
        ),
    };
    for (reviewer, items) in reviewers {
        let Some(reviewer) = *reviewer else { continue };
        unit.changed(reviewer);
        let things = if *items == 1 { "right" } else { "rights" };
        mail::queue(
            unit,
            reviewer,
            &format!("review:{}:{}", row.id, row.stage),
            &Mail {
                kind: "review_needed",
                subject: format!("{items} {things} to review: {title}"),
                text: format!(
                    "“{title}” asks you whether {items} {things} may stay, until {}.{what}",
                    row.due_at.map(super::last_chance).unwrap_or_default()
                ),
                path: format!("/reviews/{}/items", row.id),
            },
        );
    }
}
