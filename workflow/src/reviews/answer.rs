//! What reviewers do: answer for one item or many, take an answer back, hand an item on, ask its holder.

use domain::{
    CampaignId, ItemId, PersonId, Refusal, Timestamp,
    audit::{Actor, EventKind},
    certification::{
        Act, Answer, CampaignState, ItemState, MOST_AT_ONCE, Next, ReviewerBar, Via, VoidCause,
        barred, friction, goes_on, needs_reason, takes_effect,
    },
    grant::{End, GrantState},
};
use serde_json::json;
use store::certification::{CampaignItemRow, CampaignRow, Decided, NewAct};

use super::{
    changed, checked, due, item_event, mine, must_be, pool, security, settled, small, stages, text,
};
use crate::{
    Error, Result, Unit, Workflow, access,
    access::Viewer,
    mail::{self, Mail},
    people::again,
};

/// An answer for one item.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The item.
    pub item: ItemId,
    /// As it was seen.
    pub version: i64,
    /// What becomes of it.
    pub answer: Answer,
    /// Until when it stays, if it is shortened.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// An answer for many items of one campaign.
#[derive(Clone, Debug)]
pub struct Together {
    /// The items, each as it was seen.
    pub items: Vec<(ItemId, i64)>,
    /// What becomes of them.
    pub answer: Answer,
    /// Why, for all of them.
    pub reason: String,
    /// Whether it was confirmed that much is meant.
    pub sure: bool,
}

/// What became of an answer for many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How many were answered.
    pub done: usize,
    /// How many were not, because they changed meanwhile.
    pub left: usize,
}

/// Answers for one item. Only its reviewer may, while the campaign runs.
pub async fn decide(workflow: &Workflow, viewer: &Viewer, verdict: &Verdict) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (campaign, item) = mine(&mut unit, viewer, verdict.item).await?;
        if item.state != ItemState::Open || item.version != verdict.version {
            return Err(Refusal::Changed.into());
        }
        let needed = needs_reason(campaign.reasons, verdict.answer, item.suggestion);
        let reason = text("reason", &verdict.reason, needed)?;
        let given = Given {
            answer: verdict.answer,
            until: verdict.until,
            reason,
            together: false,
        };
        if !still_held(&mut unit, &item, &given).await? {
            small::answered(&mut unit, campaign.id).await?;
            unit.commit().await?;
            return Err(Refusal::WrongState {
                state: GrantState::Ended.to_string(),
            }
            .into());
        }
        answer(&mut unit, &campaign, &item, viewer.id(), &given).await?;
        stages::answered(&mut unit, &campaign).await?;
        small::answered(&mut unit, campaign.id).await?;
        unit.commit().await
    })
    .await
}

/// What is said of an item.
struct Given {
    answer: Answer,
    until: Option<Timestamp>,
    reason: String,
    together: bool,
}

/// Whether what an item is about is held still; if not, the item becomes void. A shorter end must lie ahead of us and before
/// the end that there is.
async fn still_held(unit: &mut Unit, item: &CampaignItemRow, given: &Given) -> Result<bool> {
    let now = unit.now;
    let grant = unit.tx.grant(item.grant_id).await?.ok_or(Error::Missing)?;
    if grant.state == GrantState::Ended || grant.end().passed(now) {
        unit.tx
            .void_items(&[item.id], VoidCause::Ended, now)
            .await?;
        let after = json!({"state": ItemState::Void, "cause": VoidCause::Ended});
        settled(unit, item, "the access ended meanwhile", after);
        changed(unit, item.campaign_id, item.reviewer_id);
        return Ok(false);
    }
    if given.answer == Answer::Shorten {
        let earlier = |until| until > now && End::At(until).min(grant.end()) != grant.end();
        if !given.until.is_some_and(earlier) {
            return Err(Refusal::NotShorter.into());
        }
    }
    Ok(true)
}

/// Writes an answer: item, trail, audit, and the deadline at which it takes effect.
async fn answer(
    unit: &mut Unit,
    campaign: &CampaignRow,
    item: &CampaignItemRow,
    me: PersonId,
    given: &Given,
) -> Result<()> {
    let now = unit.now;
    // What another stage is still asked about takes no effect before that.
    let next = stages::next_of(campaign)?;
    let asked_again =
        matches!(next, Next::Stage(_)) && goes_on(next, campaign.passes, Some(given.answer));
    let decided = Decided {
        answer: given.answer,
        until_at: given.until.filter(|_| given.answer == Answer::Shorten),
        reason: given.reason.clone(),
        by: me,
        at: now,
        together: given.together,
        enforce_at: takes_effect(campaign.enforce, given.answer, now).filter(|_| !asked_again),
    };
    if !unit.tx.decide_item(item.id, item.version, &decided).await? {
        return Err(Error::Stale);
    }
    act(
        unit,
        item,
        given.answer.into(),
        Some(me),
        None,
        &given.reason,
    )
    .await?;
    let event = item_event(unit, EventKind::ReviewDecided, Actor::Person(me), item).changing(
        json!({"state": item.state}),
        json!({
            "state": ItemState::Decided, "answer": given.answer, "until": decided.until_at, "reason": given.reason,
            "together": given.together, "stage": item.stage, "suggested": item.suggestion, "takes_effect": decided.enforce_at,
        }),
    );
    unit.record(event);
    if let Some(at) = decided.enforce_at {
        due::arm_effect(unit, campaign.id, at);
    }
    changed(unit, campaign.id, Some(me));
    Ok(())
}

async fn act(
    unit: &mut Unit,
    item: &CampaignItemRow,
    act: Act,
    by: Option<PersonId>,
    to: Option<PersonId>,
    note: &str,
) -> Result<()> {
    let act = NewAct {
        id: unit.new_id(),
        campaign: item.campaign_id,
        item: item.id,
        act,
        by,
        to,
        note: note.to_owned(),
        at: unit.now,
    };
    Ok(unit.tx.insert_acts(&[act]).await?)
}

/// Answers for many items of one campaign together: for keeping and for taking away. Where that is much it must be
/// confirmed with a reason. What changed meanwhile is left.
pub async fn decide_together(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    wanted: &Together,
) -> Result<Asked> {
    if wanted.items.is_empty() || wanted.items.len() > MOST_AT_ONCE {
        return Err(Refusal::NoLines { most: MOST_AT_ONCE }.into());
    }
    again(|| together_once(workflow, viewer, id, wanted)).await
}

async fn together_once(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    wanted: &Together,
) -> Result<Asked> {
    let mut unit = workflow.unit().await?;
    let ids: Vec<ItemId> = wanted.items.iter().map(|(id, _)| *id).collect();
    let seen = unit.tx.items(&ids).await?;
    if seen.is_empty() || seen.iter().any(|item| item.campaign_id != id) {
        return Err(Error::Missing);
    }
    unit.tx.hold_campaign(id).await?;
    let mut holders: Vec<PersonId> = seen.iter().map(|item| item.person_id).collect();
    holders.sort_unstable();
    holders.dedup();
    unit.tx.lock_persons(&holders).await?;
    let now = unit.now;
    let viewer = access::viewer_in(&mut unit.tx, now, viewer.id(), viewer.account)
        .await?
        .ok_or(Error::Forbidden)?;
    let (mut ready, mut asked) = (Vec::new(), Asked::default());
    let (campaign, items) = checked(&mut unit, &viewer, id, &ids).await?;
    for (id, version) in &wanted.items {
        let item = items.iter().find(|item| item.id == *id);
        let item = item.ok_or(Error::Missing)?;
        if item.state == ItemState::Open && item.version == *version {
            ready.push(item);
        } else {
            asked.left += 1;
        }
    }
    let facts: Vec<_> = ready
        .iter()
        .map(|item| (item.privileged, item.suggestion))
        .collect();
    let much = friction(wanted.answer, &facts);
    if let Some(much) = much.filter(|_| !wanted.sure) {
        return Err(Refusal::Confirm {
            items: much.items,
            privileged: much.privileged,
            against: much.against,
        }
        .into());
    }
    let needed = much.is_some()
        || ready
            .iter()
            .any(|item| needs_reason(campaign.reasons, wanted.answer, item.suggestion));
    let given = Given {
        answer: wanted.answer,
        until: None,
        reason: text("reason", &wanted.reason, needed)?,
        together: true,
    };
    for item in ready {
        if still_held(&mut unit, item, &given).await? {
            answer(&mut unit, &campaign, item, viewer.id(), &given).await?;
            asked.done += 1;
        } else {
            asked.left += 1;
        }
    }
    if asked.done > 0 {
        stages::answered(&mut unit, &campaign).await?;
    }
    small::answered(&mut unit, id).await?;
    unit.commit().await?;
    Ok(asked)
}

/// Takes an answer back, as long as it has not taken effect and the campaign runs. Its reviewer may.
pub async fn undo(workflow: &Workflow, viewer: &Viewer, id: ItemId, version: i64) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (campaign, item) = mine(&mut unit, viewer, id).await?;
        if item.state != ItemState::Decided || item.version != version {
            return Err(Refusal::Changed.into());
        }
        if item.enforced_at.is_some() || !unit.tx.reopen_item(id, version).await? {
            return Err(Refusal::WrongState {
                state: "taken away already".into(),
            }
            .into());
        }
        let me = viewer.id();
        act(&mut unit, &item, Act::Undo, Some(me), None, "").await?;
        let event = item_event(&unit, EventKind::ReviewDecided, Actor::Person(me), &item)
            .because("taken back")
            .changing(
                json!({"state": item.state, "answer": item.answer}),
                json!({"state": ItemState::Open}),
            );
        unit.record(event);
        changed(&mut unit, campaign.id, Some(me));
        unit.commit().await
    })
    .await
}

/// Gives an open item to a colleague who may review it.
pub async fn hand_on(
    workflow: &Workflow,
    viewer: &Viewer,
    id: ItemId,
    to: Option<PersonId>,
    note: &str,
) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (campaign, item) = mine(&mut unit, viewer, id).await?;
        if item.state != ItemState::Open {
            return Err(Refusal::Changed.into());
        }
        let note = text("note", note, false)?;
        let nobody = Refusal::ReviewBarred {
            why: ReviewerBar::Inactive,
        };
        let now = unit.now;
        let to = to.filter(|to| *to != viewer.id()).ok_or(nobody.clone())?;
        let found = pool::candidates(&mut unit.tx, &[to], now).await?;
        let candidate = found.get(&to).ok_or(nobody)?;
        if let Some(why) = barred(candidate, item.person_id) {
            return Err(Refusal::ReviewBarred { why }.into());
        }
        let asked = stages::asked_before(&mut unit, std::slice::from_ref(&item)).await?;
        if asked.get(&id).is_some_and(|before| before.contains(&to)) {
            let why = ReviewerBar::Answered;
            return Err(Refusal::ReviewBarred { why }.into());
        }
        if stages::looks_again(&campaign)? && !security(&mut unit.tx).await?.contains(&to) {
            let why = ReviewerBar::NotSecurity;
            return Err(Refusal::ReviewBarred { why }.into());
        }
        unit.tx.give_items(&[id], Some((to, Via::HandedOn))).await?;
        let me = viewer.id();
        act(&mut unit, &item, Act::HandOn, Some(me), Some(to), &note).await?;
        let event = item_event(&unit, EventKind::ReviewHandedOn, Actor::Person(me), &item)
            .changing(
                json!({"reviewer": me}),
                json!({"reviewer": to, "note": note}),
            );
        unit.record(event);
        let said = if note.is_empty() {
            String::new()
        } else {
            format!("\nThey write: {note}")
        };
        let mail = Mail {
            kind: "review_needed",
            subject: format!("Handed on to you: a review of {}", item.right_name),
            text: format!(
                "{} asks you to review one right in “{}”.{said}",
                viewer.person.name, campaign.name
            ),
            path: format!("/reviews/{}/items", campaign.id),
        };
        let key = format!("review_handed:{id}:{}", now.timestamp());
        mail::queue(&mut unit, to, &key, &mail);
        changed(&mut unit, campaign.id, Some(me));
        unit.changed(to);
        unit.commit().await
    })
    .await
}

/// Asks the holder of an open item, because the reviewer is not sure. It stays open; silence of the holder decides nothing.
pub async fn ask(workflow: &Workflow, viewer: &Viewer, id: ItemId, question: &str) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (campaign, item) = mine(&mut unit, viewer, id).await?;
        if item.state != ItemState::Open {
            return Err(Refusal::Changed.into());
        }
        let question = text("question", question, true)?;
        unit.tx.set_question(id, &question, "").await?;
        let (me, now) = (viewer.id(), unit.now);
        act(&mut unit, &item, Act::NotSure, Some(me), None, &question).await?;
        let event = item_event(&unit, EventKind::ReviewAsked, Actor::Person(me), &item)
            .changing(json!({}), json!({"question": question}));
        unit.record(event);
        let mail = Mail {
            kind: "review_question",
            subject: format!("A question about your access: {}", item.right_name),
            text: format!(
                "{} reviews your access to {} and asks: {question}\nAnswer before {}, so that it is not decided without you.",
                viewer.person.name,
                item.right_name,
                campaign.due_at.map(super::last_chance).unwrap_or_default()
            ),
            path: "/reviews".into(),
        };
        let key = format!("review_asked:{id}:{}", now.timestamp());
        mail::queue(&mut unit, item.person_id, &key, &mail);
        changed(&mut unit, campaign.id, Some(me));
        unit.changed(item.person_id);
        unit.commit().await
    })
    .await
}

/// Answers a reviewer's question about one's own access.
pub async fn reply(workflow: &Workflow, viewer: &Viewer, id: ItemId, reply: &str) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let seen = unit.tx.item(id).await?.ok_or(Error::Missing)?;
        unit.tx.hold_campaign(seen.campaign_id).await?;
        unit.tx.lock_persons(&[viewer.id()]).await?;
        let item = unit.tx.item(id).await?.ok_or(Error::Missing)?;
        let waits = item.state == ItemState::Open && !item.question.is_empty();
        if item.person_id != viewer.id() || !waits || !item.reply.is_empty() {
            return Err(Error::Missing);
        }
        let campaign = unit
            .tx
            .campaign(item.campaign_id)
            .await?
            .ok_or(Error::Missing)?;
        must_be(&campaign, CampaignState::Running)?;
        let reply = text("reply", reply, true)?;
        unit.tx.set_question(id, &item.question, &reply).await?;
        let (me, now) = (viewer.id(), unit.now);
        act(&mut unit, &item, Act::Answered, Some(me), None, &reply).await?;
        let event = item_event(&unit, EventKind::ReviewAsked, Actor::Person(me), &item)
            .changing(json!({"question": item.question}), json!({"reply": reply}));
        unit.record(event);
        if let Some(reviewer) = item.reviewer_id {
            let mail = Mail {
                kind: "answered",
                subject: format!("Answered: {} of {}", item.right_name, viewer.person.name),
                text: format!("{} answers: {reply}", viewer.person.name),
                path: format!("/reviews/{}/items/{id}", campaign.id),
            };
            let key = format!("review_answered:{id}:{}", now.timestamp());
            mail::queue(&mut unit, reviewer, &key, &mail);
        }
        changed(&mut unit, campaign.id, item.reviewer_id);
        unit.commit().await
    })
    .await
}
