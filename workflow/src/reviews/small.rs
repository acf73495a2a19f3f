//! Small reviews: what happened is noted in the transaction in which it happens, a job makes the review of it right after, and
//! the review closes by itself. What makes one, who reviews and what silence means stands in `domain::certification`.

use std::collections::BTreeSet;

use chrono::Duration;
use domain::{
    CampaignId, EntitlementId, ExceptionId, GrantId, PersonId, Timestamp,
    certification::{self, CampaignState, Cause, Enforce, ItemState, Passes, Reasons, Scope},
    deadline::JobKind,
    exception::ExceptionState,
    grant::GrantSource,
};
use store::{
    certification::{CampaignRow, HeldInScopeRow, SmallReviewRow},
    exceptions::ExceptionRow,
    jobs::{NewJob, Priority},
    views::names::Named,
};
use uuid::Uuid;

use super::{
    due,
    freeze::{Frozen, Known},
    make::{Draft, enter},
};
use crate::{Error, Result, Unit};

/// How long a move is left to settle: the manager comes after the department, and what is changed in several steps is one
/// move.
const SETTLES: Duration = Duration::hours(1);
/// How much is read at once.
const PAGE: i64 = 1_000;

/// Which events make small reviews, and how many days each runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmallReviews {
    /// Somebody moved.
    pub moved: bool,
    /// An exception ends soon.
    pub exception_ends: bool,
    /// A right was found at a target.
    pub found: bool,
    /// How many days such a review runs.
    pub days: u32,
}

impl SmallReviews {
    /// Nothing makes one.
    pub const OFF: Self = Self {
        moved: false,
        exception_ends: false,
        found: false,
        days: 14,
    };
    /// Everything does, with ten working days for each.
    pub const ON: Self = Self {
        moved: true,
        exception_ends: true,
        found: true,
        ..Self::OFF
    };

    const fn makes(self, cause: Cause) -> bool {
        match cause {
            Cause::Moved => self.moved,
            Cause::ExceptionEnds => self.exception_ends,
            Cause::Found => self.found,
        }
    }
}

/// Something that a small review may be made of.
#[derive(Debug)]
struct Happened {
    cause: Cause,
    subject: Uuid,
    person: Option<PersonId>,
    named: Option<PersonId>,
    said: String,
}

/// Somebody moved; `said` is what is different, in words. They are locked by the caller.
pub(crate) async fn moved(unit: &mut Unit, person: PersonId, said: String) -> Result<()> {
    let what = Happened {
        cause: Cause::Moved,
        subject: person.0,
        person: Some(person),
        named: None,
        said,
    };
    happened(unit, what).await
}

/// An exception from a rule ends soon.
pub(crate) async fn exception_ends(
    unit: &mut Unit,
    row: &ExceptionRow,
    rule: &str,
    owner: PersonId,
) -> Result<()> {
    let what = Happened {
        cause: Cause::ExceptionEnds,
        subject: row.id.0,
        person: Some(row.person_id),
        named: Some(owner),
        said: format!(
            "the exception from “{rule}” ends on {}, and with it what is asked about here",
            row.ends_at.format("%-d %B %Y")
        ),
    };
    happened(unit, what).await
}

/// A right that nobody here gave became an import in this unit.
pub(crate) async fn found(unit: &mut Unit, right: EntitlementId) -> Result<()> {
    if !unit.workflow().settings().small_reviews.found {
        return Ok(());
    }
    let name = unit.tx.names(Named::Entitlement, &[right.0]).await?.pop();
    let what = Happened {
        cause: Cause::Found,
        subject: right.0,
        person: None,
        named: None,
        said: name.map_or_else(String::new, |row| row.name),
    };
    happened(unit, what).await
}

/// Notes it, once: while what was noted before is not over, nothing more is, but for a move, which may need another manager
/// to review; an exception ends only once.
async fn happened(unit: &mut Unit, what: Happened) -> Result<()> {
    if !unit.workflow().settings().small_reviews.makes(what.cause) {
        return Ok(());
    }
    let now = unit.now;
    let last = unit.tx.small_review_of(what.cause, what.subject).await?;
    let id = match last {
        Some(_) if what.cause == Cause::ExceptionEnds => return Ok(()),
        Some(open) if what.cause == Cause::Moved && open.over_at.is_none() => {
            let begun = unit.tx.campaign(open.id).await?.is_some();
            if !begun && !open.said.contains(&what.said) {
                let said = format!("{}; {}", open.said, what.said);
                unit.tx.say_small_review(open.id, &said).await?;
            }
            open.id
        }
        _ => {
            let row = SmallReviewRow {
                id: unit.new_id(),
                cause: what.cause,
                subject_id: what.subject,
                person_id: what.person,
                named_id: what.named,
                said: what.said,
                happened_at: now,
                over_at: None,
                privileged: false,
            };
            if !unit.tx.insert_small_review(&row).await? {
                return Ok(());
            }
            row.id
        }
    };
    let settles = if what.cause == Cause::Moved {
        SETTLES
    } else {
        Duration::zero()
    };
    unit.enqueue(&[NewJob {
        key: format!("review_event:{id}"),
        kind: JobKind::ReviewEvent,
        subject: Some(id.0),
        lane: None,
        priority: Priority::Normal,
        due_at: now + settles,
    }]);
    Ok(())
}

/// Makes the reviews of what happened. After another move the open items of a running one go to whoever is manager now.
pub(crate) async fn event_due(unit: &mut Unit, ids: &[CampaignId]) -> Result<()> {
    for id in ids {
        unit.tx.lock_campaign(*id).await?;
        let event = unit.tx.small_review(*id).await?;
        let Some(event) = event.filter(|event| event.over_at.is_none()) else {
            continue;
        };
        match unit.tx.campaign(*id).await? {
            None => make(unit, &event).await?,
            Some(row) if row.state == CampaignState::Running && row.escalated_at.is_none() => {
                let open = open_items(unit, *id).await?;
                let cause = "the holder has moved again";
                let asked = (row.reviewers, row.named_id);
                due::replace(unit, &row, asked, open, cause).await?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn make(unit: &mut Unit, event: &SmallReviewRow) -> Result<()> {
    let now = unit.now;
    let days = i64::from(unit.workflow().settings().small_reviews.days);
    let Some((scope, days, only)) = about(unit, event, days).await? else {
        return Ok(unit.tx.end_small_review(event.id, now).await?);
    };
    let due = now + Duration::days(days);
    let mut held = held(unit, &scope).await?;
    held.retain(|one| {
        event.cause.asks(one.source, one.end_at, due)
            && only.as_ref().is_none_or(|only| only.contains(&one.id))
            && (event.cause != Cause::Found || one.valid_from == event.happened_at)
    });
    if held.is_empty() {
        return Ok(unit.tx.end_small_review(event.id, now).await?);
    }
    let draft = Draft {
        name: event.cause.title().into(),
        scope,
        reviewers: event.cause.reviewers(),
        named: event.named_id,
        silence: event.cause.silence(),
        reasons: Reasons::Removals,
        enforce: Enforce::AtOnce,
        most_each: None,
        days,
        later: Vec::new(),
        passes: Passes::Kept,
        second_look: 0,
        repeat_months: 0,
    };
    let because = Some(event.cause.to_string());
    let row = enter(unit, event.id, &draft, None, None, because).await?;
    let known = Known::of(&mut unit.tx, &held).await?;
    let mut frozen = Frozen::begin(&row, known);
    frozen.take(unit, &row, held).await?;
    let person = match event.person_id {
        Some(id) => unit.tx.person(id).await?,
        None => None,
    };
    let about = person.map_or_else(|| event.said.clone(), |person| person.name);
    frozen
        .end(unit, &row, None, Some((&event.said, &about)))
        .await
}

/// What an event is about: the scope, for how many days, and which grants only. None if that is over.
async fn about(
    unit: &mut Unit,
    event: &SmallReviewRow,
    days: i64,
) -> Result<Option<(Scope, i64, Option<BTreeSet<GrantId>>)>> {
    let of_person = Scope {
        person: event.person_id,
        ..Scope::default()
    };
    match event.cause {
        Cause::Moved => Ok(Some((of_person, days, None))),
        Cause::Found => {
            let scope = Scope {
                entitlement: Some(EntitlementId(event.subject_id)),
                source: Some(GrantSource::Import),
                ..Scope::default()
            };
            Ok(Some((scope, days, None)))
        }
        Cause::ExceptionEnds => {
            let now = unit.now;
            let row = unit.tx.exception(ExceptionId(event.subject_id)).await?;
            let row = row.ok_or(Error::Missing)?;
            if row.state != ExceptionState::Live || row.ends_at <= now {
                return Ok(None);
            }
            // Answered before the exception ends, not after.
            let left = (row.ends_at - now).num_days() - 1;
            let falls = falling(unit, &row, now).await?;
            Ok(Some((of_person, days.min(left).max(1), Some(falls))))
        }
    }
}

/// The grants that give something of the side that falls with an exception.
async fn falling(unit: &mut Unit, row: &ExceptionRow, now: Timestamp) -> Result<BTreeSet<GrantId>> {
    let side: BTreeSet<EntitlementId> = unit
        .tx
        .conflict_rights(&[row.conflict_id])
        .await?
        .into_iter()
        .filter(|right| right.side == row.falls)
        .map(|right| right.entitlement_id)
        .collect();
    let held = unit.tx.held_rights(&[row.person_id], now).await?;
    Ok(held
        .into_iter()
        .filter(|one| side.contains(&one.entitlement_id))
        .map(|one| one.grant_id)
        .collect())
}

async fn held(unit: &mut Unit, scope: &Scope) -> Result<Vec<HeldInScopeRow>> {
    let now = unit.now;
    let mut held: Vec<HeldInScopeRow> = Vec::new();
    loop {
        let after = held.last().map(|one| one.id);
        let page = unit.tx.held_in_scope(scope, now, after, PAGE).await?;
        if page.is_empty() {
            return Ok(held);
        }
        held.extend(page);
    }
}

async fn open_items(
    unit: &mut Unit,
    id: CampaignId,
) -> Result<Vec<store::certification::CampaignItemRow>> {
    let mut open: Vec<store::certification::CampaignItemRow> = Vec::new();
    loop {
        let after = open.last().map(|item| item.id);
        let state = Some(ItemState::Open);
        let page = unit.tx.items_of_campaign(id, state, after, PAGE).await?;
        if page.is_empty() {
            return Ok(open);
        }
        open.extend(page);
    }
}

/// Looks at once whether a campaign closes by itself, if it is a small one in which nothing is open any more.
pub(super) async fn answered(unit: &mut Unit, id: CampaignId) -> Result<()> {
    if unit.tx.open_in_small(id).await? == Some(0) {
        let now = unit.now;
        due::arm_close(unit, id, now);
    }
    Ok(())
}

/// From when on a campaign closes by itself before its deadline; none if it does not.
pub(super) async fn closes_from(unit: &mut Unit, row: &CampaignRow) -> Result<Option<Timestamp>> {
    if unit.tx.open_in_small(row.id).await? != Some(0) {
        return Ok(None);
    }
    let (mut ends, mut after) = (Vec::new(), None);
    loop {
        let page = unit.tx.items_of_campaign(row.id, None, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        ends.extend(page.iter().map(|item| (item.state, item.decided_at)));
    }
    Ok(certification::closes_from(ends))
}
