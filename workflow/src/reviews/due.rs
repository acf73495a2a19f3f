//! What comes due of a campaign: reminders, its deadline, answers that take effect, its next time; and reviewers who leave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, Months};
use domain::{
    CampaignId, GrantId, ItemId, PersonId, Timestamp,
    audit::{Actor, EventKind},
    certification::{
        Act, Answer, CampaignState, ESCALATED, ItemState, Next, ReviewerRule, Silent, Via,
        VoidCause, silence, stands,
    },
    deadline::JobKind,
    grant::{End, EndReason, GrantState},
};
use serde_json::json;
use store::{
    certification::{CampaignItemRow, CampaignRow, NewAct},
    grants::GrantRow,
    jobs::{NewJob, Priority},
};

use super::{
    Pool, changed,
    freeze::{balance, facts, freeze, held_of},
    item_event, late,
    make::{Draft, insert},
    seal, settled, small, stages,
};
use crate::{
    Error, Result, Unit,
    grants::{end_many, shorten},
    mail::{self, Mail},
};

/// The most items in one transaction.
const BATCH: i64 = 500;

fn job(
    id: CampaignId,
    key: String,
    kind: JobKind,
    priority: Priority,
    due_at: Timestamp,
) -> NewJob {
    NewJob {
        key,
        kind,
        subject: Some(id.0),
        lane: None,
        priority,
        due_at,
    }
}

/// Writes the deadlines of a campaign that has just started.
pub(super) fn arm(unit: &mut Unit, row: &CampaignRow) {
    let (Some(start), Some(due)) = (row.started_at, row.due_at) else {
        return;
    };
    arm_stage(unit, row.id, start, due);
    let months = u32::try_from(row.repeat_months).unwrap_or_default();
    if months > 0
        && let Some(next) = start.checked_add_months(Months::new(months))
    {
        let key = format!("review_repeat:{}", row.id);
        let kind = JobKind::ReviewRepeat;
        unit.enqueue(&[job(row.id, key, kind, Priority::Normal, next)]);
    }
}

/// Writes the deadlines of a stage that begins: its end, and two reminders if there is room for them.
pub(super) fn arm_stage(unit: &mut Unit, id: CampaignId, start: Timestamp, due: Timestamp) {
    arm_close(unit, id, due);
    let mut reminders = vec![start + (due - start) / 2];
    if due - start > Duration::days(3) {
        reminders.push(due - Duration::days(1));
    }
    for at in reminders {
        let key = format!("review_reminder:{id}:{}", at.timestamp());
        let kind = JobKind::ReviewReminder;
        unit.enqueue(&[job(id, key, kind, Priority::Low, at)]);
    }
}

pub(super) fn arm_close(unit: &mut Unit, id: CampaignId, at: Timestamp) {
    let key = format!("review_close:{id}");
    unit.enqueue(&[job(id, key, JobKind::ReviewClose, Priority::Normal, at)]);
}

/// Writes when answers of a campaign take effect next.
pub(super) fn arm_effect(unit: &mut Unit, id: CampaignId, at: Timestamp) {
    let key = format!("review_enforce:{id}");
    unit.enqueue(&[job(id, key, JobKind::ReviewEnforce, Priority::Removal, at)]);
}

/// Reminds everybody who has something open.
pub(crate) async fn remind_due(unit: &mut Unit, ids: &[CampaignId]) -> Result<()> {
    for id in ids {
        let Some(row) = unit.tx.campaign(*id).await? else {
            continue;
        };
        if row.state == CampaignState::Running && row.due_at.is_some_and(|due| due > unit.now) {
            let key = format!("review_reminder:{id}:{}", unit.now.timestamp());
            remind(unit, &row, Actor::Portal, &key).await?;
        }
    }
    Ok(())
}

/// Mails everybody who has something open in a campaign. Gives how many.
pub(super) async fn remind(
    unit: &mut Unit,
    row: &CampaignRow,
    actor: Actor,
    key: &str,
) -> Result<usize> {
    let mut told = Vec::new();
    for one in unit.tx.progress_of_reviewers(row.id, 10_000).await? {
        let (Some(reviewer), 1..) = (one.person_id, one.open) else {
            continue;
        };
        let things = if one.open == 1 {
            "right waits"
        } else {
            "rights wait"
        };
        let mail = Mail {
            kind: "review_reminder",
            subject: format!("{} {things} for your review: {}", one.open, row.name),
            text: format!(
                "“{}” is open until {}. {}",
                row.name,
                row.due_at.map(super::last_chance).unwrap_or_default(),
                "What nobody answers is settled by the rule that its page says."
            ),
            path: format!("/reviews/{}/items", row.id),
        };
        mail::queue(unit, reviewer, key, &mail);
        told.push(reviewer);
    }
    if !told.is_empty() {
        let event = domain::audit::Event::new(EventKind::ReviewersReminded, unit.now, actor)
            .about(row.id)
            .changing(json!({}), json!({"reviewers": told.len()}));
        unit.record(event);
    }
    Ok(told.len())
}

/// Works on campaigns whose deadline has come. A stage that another follows is over, and what nobody answered goes on. At the
/// last one, what is open escalates once, or is settled by the rule of silence, some at a time; then the second look, or the
/// end.
pub(crate) async fn close_due(unit: &mut Unit, ids: &[CampaignId]) -> Result<()> {
    for id in ids {
        unit.tx.lock_campaign(*id).await?;
        let Some(row) = unit.tx.campaign(*id).await? else {
            continue;
        };
        let (CampaignState::Running, Some(due)) = (row.state, row.due_at) else {
            continue;
        };
        let over = match small::closes_from(unit, &row).await? {
            Some(from) => from.min(due),
            None => stages::over_at(unit, &row, due).await?,
        };
        if over > unit.now {
            arm_close(unit, *id, over);
            continue;
        }
        if !matches!(stages::next_of(&row)?, Next::Stage(_)) {
            let state = Some(ItemState::Open);
            let open = unit.tx.items_of_campaign(*id, state, None, BATCH).await?;
            let full = open.len() as i64 == BATCH;
            if escalates(&row, &open)? {
                escalate(unit, &row).await?;
                continue;
            }
            settle(unit, &row, &open).await?;
            if full {
                let now = unit.now;
                arm_close(unit, *id, now);
                continue;
            }
        }
        let cause = if due > unit.now {
            "everything was answered"
        } else {
            "its deadline came"
        };
        stages::over(unit, &row, Actor::Portal, cause).await?;
    }
    Ok(())
}

fn silent(row: &CampaignRow, item: &CampaignItemRow) -> Silent {
    silence(
        row.silence,
        item.privileged,
        item.control_scope.is_some(),
        row.escalated_at.is_some(),
    )
}

/// Whether silence gives these to security. That of a second look lets the first answer stand.
fn escalates(row: &CampaignRow, open: &[CampaignItemRow]) -> Result<bool> {
    let any = open
        .iter()
        .any(|item| silent(row, item) == Silent::Escalates);
    Ok(any && !stages::looks_again(row)?)
}

/// Gives everything that is open to security, with some more time.
async fn escalate(unit: &mut Unit, row: &CampaignRow) -> Result<()> {
    let now = unit.now;
    let due = now + ESCALATED;
    unit.tx.escalate_campaign(row.id, now, due).await?;
    arm_close(unit, row.id, due);
    let mut open = Vec::new();
    loop {
        let after = open.last().map(|item: &CampaignItemRow| item.id);
        let state = Some(ItemState::Open);
        let page = unit
            .tx
            .items_of_campaign(row.id, state, after, 5_000)
            .await?;
        if page.is_empty() {
            break;
        }
        open.extend(page);
    }
    replace(
        unit,
        row,
        (ReviewerRule::Security, row.named_id),
        open,
        "nobody answered in time",
    )
    .await?;
    let escalated = CampaignRow {
        due_at: Some(due),
        ..row.clone()
    };
    let key = format!("review_escalated:{}", row.id);
    remind(unit, &escalated, Actor::Portal, &key).await?;
    let after = json!({"escalated_at": now, "due_at": due});
    seal::moved(unit, row, CampaignState::Running, Actor::Portal, after);
    Ok(())
}

/// Gives open items of one campaign to whoever reviews them by a rule now.
pub(super) async fn replace(
    unit: &mut Unit,
    row: &CampaignRow,
    (rule, named): (ReviewerRule, Option<PersonId>),
    items: Vec<CampaignItemRow>,
    cause: &str,
) -> Result<()> {
    let now = unit.now;
    let grants: Vec<GrantId> = items.iter().map(|item| item.grant_id).collect();
    let all = unit.tx.held_still(&grants, now).await?;
    let held: BTreeMap<GrantId, _> = all.iter().map(|one| (one.id, one)).collect();
    let pool = Pool::load(&mut unit.tx, &facts(&all), named, now).await?;
    let before = stages::asked_before(unit, &items).await?;
    let again = stages::looks_again(row)?;
    let mut balance = balance(row);
    let mut given: BTreeMap<Option<(PersonId, Via)>, Vec<ItemId>> = BTreeMap::new();
    let mut acts = Vec::new();
    for item in items {
        // What is not held any more is settled as void when the campaign closes.
        let Some(one) = held.get(&item.grant_id) else {
            continue;
        };
        let before = before.get(&item.id).map_or(&[][..], Vec::as_slice);
        let to = if again {
            pool.reviewer_but(&mut balance, rule, held_of(one), before)
        } else {
            stages::another(&pool, &mut balance, rule, held_of(one), before)
        };
        let who = to.map(|(id, _)| id);
        if who == item.reviewer_id {
            continue;
        }
        given.entry(to).or_default().push(item.id);
        acts.push(NewAct {
            id: unit.new_id(),
            campaign: row.id,
            item: item.id,
            act: Act::Replaced,
            by: None,
            to: who,
            note: cause.to_owned(),
            at: now,
        });
        let event = item_event(unit, EventKind::ReviewHandedOn, Actor::Portal, &item)
            .because(cause)
            .changing(
                json!({"reviewer": item.reviewer_id}),
                json!({"reviewer": who}),
            );
        unit.record(event);
    }
    for (to, ids) in given {
        unit.tx.give_items(&ids, to).await?;
        if let Some((reviewer, _)) = to {
            unit.changed(reviewer);
        }
    }
    unit.tx.insert_acts(&acts).await?;
    changed(unit, row.id, None);
    Ok(())
}

/// Gives what somebody would have reviewed, who cannot any more, to others. In the transaction that lets them leave.
pub(crate) async fn reviewer_left(unit: &mut Unit, person: PersonId) -> Result<()> {
    let mut of_campaign: BTreeMap<CampaignId, Vec<CampaignItemRow>> = BTreeMap::new();
    for item in unit.tx.open_items_of(person).await? {
        of_campaign.entry(item.campaign_id).or_default().push(item);
    }
    for (id, items) in of_campaign {
        let Some(row) = unit.tx.campaign(id).await? else {
            continue;
        };
        let asked = stages::asked_now(&row)?;
        replace(unit, &row, asked, items, "the reviewer cannot any more").await?;
    }
    Ok(())
}

/// Settles open items: void where the access has ended; as an earlier stage said where that stands; by the rule of silence
/// otherwise.
async fn settle(unit: &mut Unit, row: &CampaignRow, open: &[CampaignItemRow]) -> Result<()> {
    let now = unit.now;
    let grants: Vec<GrantId> = open.iter().map(|item| item.grant_id).collect();
    let over: BTreeSet<GrantId> = unit
        .tx
        .grants_by_ids(&grants)
        .await?
        .into_iter()
        .filter(|grant| grant.state == GrantState::Ended || grant.end().passed(now))
        .map(|grant| grant.id)
        .collect();
    let ids: Vec<ItemId> = open.iter().map(|item| item.id).collect();
    let mut earlier: BTreeMap<ItemId, Vec<Option<Answer>>> = BTreeMap::new();
    for one in unit.tx.stage_answers(&ids).await? {
        earlier.entry(one.item_id).or_default().push(one.answer);
    }
    let again = stages::looks_again(row)?;
    let (mut void, mut said) = (Vec::new(), BTreeMap::<Answer, Vec<ItemId>>::new());
    let mut stood = Vec::new();
    for item in open {
        let before = earlier.get(&item.id).map_or(&[][..], Vec::as_slice);
        if over.contains(&item.grant_id) {
            void.push(item.id);
            let after = json!({"state": ItemState::Void, "cause": VoidCause::Ended});
            settled(unit, item, "the access ended meanwhile", after);
        } else if let Some(answer) = stands(again, before) {
            stood.push(item.id);
            let after = json!({"state": ItemState::Decided, "answer": answer, "stood": true});
            settled(unit, item, "nobody answered in time", after);
        } else {
            let answer = match silent(row, item) {
                Silent::Settled(answer) => answer,
                Silent::Escalates => Answer::Revoke,
            };
            said.entry(answer).or_default().push(item.id);
            let after =
                json!({"state": ItemState::Defaulted, "answer": answer, "silence": row.silence});
            settled(unit, item, "nobody answered in time", after);
        }
    }
    unit.tx.void_items(&void, VoidCause::Ended, now).await?;
    unit.tx.stand_items(&stood, now).await?;
    for (answer, ids) in said {
        unit.tx.default_items(&ids, answer, now).await?;
    }
    Ok(())
}

/// Lets answers take effect that are due: what was said no to ends, what was shortened gets its earlier end. The target is
/// changed and read back by the provisioner, as after every end.
pub(crate) async fn enforce_due(unit: &mut Unit, ids: &[CampaignId]) -> Result<()> {
    for id in ids {
        let now = unit.now;
        unit.tx.hold_campaign(*id).await?;
        // What was given up takes no effect any more.
        let row = unit.tx.campaign(*id).await?;
        let lives =
            |row: &CampaignRow| matches!(row.state, CampaignState::Running | CampaignState::Closed);
        if !row.as_ref().is_some_and(lives) {
            continue;
        }
        let seen = unit.tx.due_items(*id, now, BATCH).await?;
        let mut people: Vec<PersonId> = seen.iter().map(|item| item.person_id).collect();
        people.sort_unstable();
        people.dedup();
        unit.tx.lock_persons(&people).await?;
        // Again, now that nobody can take an answer back.
        let wanted: BTreeSet<ItemId> = seen.iter().map(|item| item.id).collect();
        let due: Vec<CampaignItemRow> = unit
            .tx
            .due_items(*id, now, BATCH)
            .await?
            .into_iter()
            .filter(|item| wanted.contains(&item.id))
            .collect();
        enforce(unit, *id, &due).await?;
        let done: Vec<ItemId> = due.iter().map(|item| item.id).collect();
        unit.tx.mark_enforced(&done, now).await?;
        if due.iter().any(|item| item.answer == Some(Answer::Revoke)) {
            late::arm(unit, *id, now);
        }
        if let Some(next) = unit.tx.next_effect(*id).await? {
            arm_effect(unit, *id, next);
        }
        changed(unit, *id, None);
    }
    Ok(())
}

async fn enforce(unit: &mut Unit, id: CampaignId, due: &[CampaignItemRow]) -> Result<()> {
    let grants: Vec<GrantId> = due.iter().map(|item| item.grant_id).collect();
    let grants: BTreeMap<GrantId, GrantRow> = unit
        .tx
        .grants_by_ids(&grants)
        .await?
        .into_iter()
        .filter(|grant| grant.state != GrantState::Ended)
        .map(|grant| (grant.id, grant))
        .collect();
    let cause = id.to_string();
    let mut ending: BTreeMap<(Option<PersonId>, String), Vec<GrantRow>> = BTreeMap::new();
    for item in due {
        let Some(grant) = grants.get(&item.grant_id) else {
            continue;
        };
        match (item.answer, item.until_at) {
            (Some(Answer::Shorten), Some(until)) => {
                // A later stage may have taken longer than that.
                let end = End::At(until.max(grant.valid_from).max(unit.now)).min(grant.end());
                if end != grant.end() {
                    shorten(unit, grant, end, &cause, None).await?;
                }
            }
            (Some(Answer::Revoke), _) => {
                let by = (item.decided_by, item.reason.clone());
                ending.entry(by).or_default().push(grant.clone());
            }
            _ => {}
        }
    }
    for ((by, reason), grants) in ending {
        let actor = by.map_or(Actor::Portal, Actor::Person);
        let note = (!reason.is_empty()).then_some(reason.as_str());
        end_many(unit, &grants, EndReason::Review, actor, note, &cause).await?;
        for grant in grants {
            let name = crate::grants::name_of(unit, &grant).await?;
            let why = note.map_or_else(
                || "Nobody said that it may stay.".to_owned(),
                |note| format!("Reason: {note}"),
            );
            let mail = Mail {
                kind: "revoked",
                subject: format!("Ended by a review: {name}"),
                text: format!(
                    "A review has ended your access to {name}.\n{why}\nIf you need it, ask for it again."
                ),
                path: "/access".into(),
            };
            let key = format!("reviewed:{}", grant.id);
            mail::queue(unit, grant.person_id, &key, &mail);
        }
    }
    Ok(())
}

/// Lets campaigns come again: the same scope, frozen from what is held then. Where nothing fits it any more, a draft is left
/// for security to look at.
pub(crate) async fn repeat_due(unit: &mut Unit, ids: &[CampaignId]) -> Result<()> {
    for id in ids {
        let Some(row) = unit.tx.campaign(*id).await? else {
            continue;
        };
        if row.repeat_months == 0 || row.state == CampaignState::Cancelled {
            continue;
        }
        let draft = Draft::of_row(&row)?;
        let next = insert(unit, &draft, row.made_by, Some(row.id)).await?;
        match freeze(unit, &next, None).await {
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
