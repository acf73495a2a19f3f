//! Grants: made by the last yes, begun and ended by their deadlines, given back, capped, and confirmed by the target.

mod acts;
mod approve;
mod authority;
mod renew;

use std::collections::BTreeSet;

use chrono::Duration;
use domain::{
    AccountId, EntitlementId, GrantId, PersonId, Refusal, Timestamp,
    assignment::Phase,
    audit::{Actor, Event, EventKind},
    deadline::{JobKind, Warning, warnings},
    grant::{End, EndReason, GrantSource, GrantState, Health, Part, SuspendCause, health},
    person::Person,
    policy::Policy,
};
use serde_json::json;
use store::{
    grants::GrantRow,
    jobs::{NewJob, Priority},
    people::PersonRow,
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    assignments,
    conflicts::{self, Added},
    eligibility::unmet,
    leave,
    mail::{self, Mail},
    people::again,
    powers, requests, reviews,
};

pub use acts::{Acted, MOST, give_back_many, resume, revoke, set_renewal, suspend};
pub(crate) use acts::{hold_back, said};
pub(crate) use approve::{Decided, approve, would_add};
pub use authority::Authority;
pub use renew::{Renewed, renew};

/// Writes the deadlines of a grant: start, end, warnings. Existing ones look at the grant's row when they come due.
pub(crate) fn arm(unit: &mut Unit, grant: &GrantRow) {
    let mut jobs = Vec::with_capacity(5);
    let job = |key: String, kind, priority, due_at| NewJob {
        key,
        kind,
        subject: Some(grant.id.0),
        lane: None,
        priority,
        due_at,
    };
    if grant.state == GrantState::Scheduled {
        jobs.push(job(
            format!("start:{}", grant.id),
            JobKind::GrantStart,
            Priority::Normal,
            grant.valid_from,
        ));
    }
    if let Some(end) = grant.end_at {
        jobs.push(job(
            format!("end:{}", grant.id),
            JobKind::GrantEnd,
            Priority::Removal,
            end,
        ));
        for (warning, at) in warnings(grant.valid_from, End::At(end)) {
            if at > unit.now {
                let key = format!("warn:{}:{}:{warning}", grant.id, end.timestamp());
                jobs.push(job(key, JobKind::GrantWarning, Priority::Low, at));
            }
        }
    }
    unit.enqueue(&jobs);
}

/// Lets due grants begin: eligibility is checked again; who is no longer eligible does not get it.
pub(crate) async fn start(unit: &mut Unit, ids: &[GrantId]) -> Result<()> {
    let grants = lock(unit, ids).await?;
    let (mut starting, mut held_back) = (Vec::new(), Vec::new());
    for grant in grants
        .iter()
        .filter(|grant| grant.state == GrantState::Scheduled)
    {
        if grant.valid_from > unit.now {
            arm(unit, grant);
        } else if grant.end().passed(unit.now) {
            end_many(
                unit,
                std::slice::from_ref(grant),
                EndReason::Expired,
                Actor::Portal,
                None,
                "its end passed before it began",
            )
            .await?;
        } else if let Some(held) = unit.tx.held_back(grant.person_id).await? {
            // It begins, and opens nothing until the holder may go on and somebody lets it.
            starting.push(grant.clone());
            held_back.push((grant.clone(), held));
        } else if let Some(why) = no_longer_eligible(unit, grant).await? {
            end_many(
                unit,
                std::slice::from_ref(grant),
                EndReason::Revoked,
                Actor::Portal,
                Some(&why),
                "not eligible at the start",
            )
            .await?;
        } else if let Some(why) = breaks_a_rule(unit, grant).await? {
            end_many(
                unit,
                std::slice::from_ref(grant),
                EndReason::Revoked,
                Actor::Portal,
                Some(&why),
                "a rule is broken at the start",
            )
            .await?;
        } else {
            starting.push(grant.clone());
        }
    }
    let ids: Vec<GrantId> = starting.iter().map(|grant| grant.id).collect();
    unit.tx.start_grants(&ids).await?;
    for grant in &starting {
        let event = Event::new(EventKind::GrantStarted, unit.now, Actor::Portal)
            .about(grant.id)
            .about(grant.person_id)
            .because("its start came")
            .changing(
                json!({"state": GrantState::Scheduled}),
                json!({"state": GrantState::Active}),
            );
        unit.record(under(event, grant));
        unit.changed(grant.person_id);
    }
    for (grant, held) in held_back {
        let grant = GrantRow {
            state: GrantState::Active,
            ..grant
        };
        let cause = SuspendCause::KillSwitch;
        hold_back(unit, &[grant], held.by, cause, &held.note).await?;
    }
    recompute(unit, &ids, "start").await
}

/// Ends due grants. A grant whose end moved later is armed again; one that is over already is left alone.
pub(crate) async fn expire(unit: &mut Unit, ids: &[GrantId]) -> Result<()> {
    let grants = lock(unit, ids).await?;
    let mut due = Vec::with_capacity(grants.len());
    for grant in grants {
        if grant.state == GrantState::Ended {
            continue;
        }
        if grant.end().passed(unit.now) {
            due.push(grant);
        } else {
            arm(unit, &grant);
        }
    }
    pass(unit, &due).await
}

/// Ends grants whose end has come: their time is up, or the grace after a move.
pub(crate) async fn pass(unit: &mut Unit, grants: &[GrantRow]) -> Result<()> {
    let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
    let mut moved = BTreeSet::new();
    for ids in ids.chunks(500) {
        for mark in unit.tx.marks_of_grants(ids).await? {
            if mark.end_cause == Some(EndReason::Mover) {
                moved.insert(mark.grant_id);
            }
        }
    }
    let (moved, expired): (Vec<GrantRow>, Vec<GrantRow>) = grants
        .iter()
        .cloned()
        .partition(|grant| moved.contains(&grant.id));
    for (grants, reason, cause) in [
        (expired, EndReason::Expired, "its end came"),
        (moved, EndReason::Mover, "the grace after a move is over"),
    ] {
        end_many(unit, &grants, reason, Actor::Portal, None, cause).await?;
    }
    Ok(())
}

/// Sends a due warning, unless the grant is over or its end has moved.
pub(crate) async fn warn(unit: &mut Unit, id: GrantId, key: &str) -> Result<()> {
    let Some(grant) = unit.tx.grant(id).await? else {
        return Ok(());
    };
    let mut parts = key.rsplit(':');
    let (warning, end) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let current = grant
        .end_at
        .is_some_and(|at| at.timestamp().to_string() == end);
    // What is held back opens nothing to be kept; what is not to be renewed needs no reminding.
    let quiet = matches!(grant.state, GrantState::Ended | GrantState::Suspended);
    let marks = unit.tx.marks_of_grants(&[id]).await?;
    if quiet || !current || marks.iter().any(|mark| mark.not_renewed_at.is_some()) {
        return Ok(());
    }
    let Ok(warning) = warning.parse::<Warning>() else {
        return Ok(());
    };
    let left = grant.end_at.map_or(Duration::zero(), |end| end - unit.now);
    // After an outage: a later warning is due as well and says it better, or the end itself came.
    let next = match warning {
        Warning::Week => Warning::Day.lead(),
        Warning::Day => Warning::Hour.lead(),
        Warning::Hour => Duration::zero(),
    };
    if left <= next {
        return Ok(());
    }
    let offer = match grant.package_id {
        Some(package) => unit.tx.offer(package).await?,
        None => None,
    };
    let name = name_of(unit, &grant).await?;
    let left = mail::time_left(left);
    // The link leads to the form for more time; opening it asks for nothing.
    let (what, path) = if offer.is_some_and(|offer| offer.state == "offered") {
        (
            "If you still need it, ask for more time before it ends. If you do not, say so in My access, and you are not reminded again.",
            format!("/access/{id}/extend"),
        )
    } else {
        (
            "It is no longer offered, so it cannot be extended.",
            "/access".into(),
        )
    };
    let mail = Mail {
        kind: "ends_soon",
        subject: format!("Ends {left}: {name}"),
        text: format!("Your access to {name} ends {left}. {what}"),
        path,
    };
    mail::queue(unit, grant.person_id, &format!("soon:{key}"), &mail);
    Ok(())
}

/// Gives a grant back. Only the holder may, at any time; imports are not theirs to give.
pub async fn give_back(workflow: &Workflow, viewer: &Viewer, id: GrantId) -> Result<()> {
    again(|| give_back_once(workflow, viewer, id)).await
}

async fn give_back_once(workflow: &Workflow, viewer: &Viewer, id: GrantId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[viewer.id()]).await?;
    let grant = unit
        .tx
        .grant(id)
        .await?
        .filter(|grant| grant.person_id == viewer.id() && grant.source != GrantSource::Import)
        .ok_or(Error::Missing)?;
    if grant.state == GrantState::Ended {
        return Err(Refusal::WrongState {
            state: grant.state.to_string(),
        }
        .into());
    }
    if grant.end().passed(unit.now) {
        // Its end came, only the job is late: there is nothing left to give back.
        pass(&mut unit, &[grant]).await?;
        unit.commit().await?;
        return Err(Refusal::WrongState {
            state: GrantState::Ended.to_string(),
        }
        .into());
    }
    powers::administrator_remains(&mut unit, std::slice::from_ref(&grant)).await?;
    end_many(
        &mut unit,
        &[grant],
        EndReason::Returned,
        Actor::Person(viewer.id()),
        None,
        "given back",
    )
    .await?;
    unit.commit().await
}

/// Ends everything that a person holds, imports included: a leave. The caller holds the person's lock.
pub async fn end_all_of_person(unit: &mut Unit, person: PersonId, reason: EndReason) -> Result<()> {
    let grants = unit.tx.live_grants_of_person(person).await?;
    end_many(unit, &grants, reason, Actor::Portal, None, reason.as_str()).await
}

/// Brings the ends of a person's grants forward to their last day, and writes the deadline of their leave. It never moves
/// an end later. What was found at a target keeps none: it is not ours to end but by the leave itself, and a last day that
/// moves later must not have cost it.
pub async fn cap_for_person(unit: &mut Unit, person: PersonId) -> Result<()> {
    let Some(last) = unit
        .tx
        .person(person)
        .await?
        .and_then(|row| row.last_day_at)
    else {
        return Ok(());
    };
    leave::arm(unit, person, last);
    for grant in unit.tx.live_grants_of_person(person).await? {
        if grant.source == GrantSource::Import {
            continue;
        }
        // One that would begin later ends as it begins: nothing ends before it begins.
        let end = grant.end().min(End::At(last.max(grant.valid_from)));
        if end == grant.end() {
            continue;
        }
        shorten(unit, &grant, end, "last day", None).await?;
    }
    unit.changed(person);
    Ok(())
}

/// Gives a live grant an earlier end; `reason` is what it will have ended for then, if not that its time was up.
pub(crate) async fn shorten(
    unit: &mut Unit,
    grant: &GrantRow,
    end: End,
    cause: &str,
    reason: Option<EndReason>,
) -> Result<()> {
    unit.tx.set_grant_end(grant.id, end).await?;
    if reason.is_some() {
        unit.tx.set_end_cause(grant.id, reason).await?;
    }
    let event = Event::new(EventKind::GrantShortened, unit.now, Actor::Portal)
        .about(grant.id)
        .about(grant.person_id)
        .because(cause)
        .changing(json!({"end": grant.end()}), json!({"end": end}));
    unit.record(under(event, grant));
    arm(
        unit,
        &GrantRow {
            end_at: end.at(),
            ..grant.clone()
        },
    );
    unit.changed(grant.person_id);
    Ok(())
}

/// After a target was read: grants whose every part is confirmed become ready, and ended ones whose every part is
/// confirmed absent become gone. Called in the transaction that records the observation.
pub async fn refresh_health(unit: &mut Unit, pairs: &[(AccountId, EntitlementId)]) -> Result<()> {
    let waiting = unit.tx.grants_awaiting(pairs).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let ids: Vec<GrantId> = waiting.iter().map(|grant| grant.id).collect();
    let parts = unit.tx.parts_of_grants(&ids).await?;
    let (mut ready, mut gone, mut still_held) = (Vec::new(), Vec::new(), Vec::new());
    for grant in &waiting {
        let own: Vec<Part> = parts
            .iter()
            .filter(|part| part.grant_id == grant.id)
            .map(|part| Part {
                desired: part.desired,
                observed: part.observed,
                attention: part.phase == Phase::Attention,
            })
            .collect();
        // A grant whose assignments do not exist yet has nothing confirmed.
        match if own.is_empty() {
            Health::BeingSetUp
        } else {
            health(grant.state, &own)
        } {
            Health::Ready => ready.push(grant.clone()),
            Health::Gone => gone.push(grant.clone()),
            Health::StillHeld => still_held.push(grant.clone()),
            Health::Scheduled
            | Health::BeingSetUp
            | Health::Suspended
            | Health::Attention
            | Health::BeingRemoved => {}
        }
        unit.changed(grant.person_id);
    }
    let now = unit.now;
    unit.tx
        .mark_ready(&ready.iter().map(|grant| grant.id).collect::<Vec<_>>(), now)
        .await?;
    unit.tx
        .mark_gone(&gone.iter().map(|grant| grant.id).collect::<Vec<_>>(), now)
        .await?;
    for grant in &ready {
        let name = name_of(unit, grant).await?;
        let mail = Mail {
            kind: "ready",
            subject: format!("Ready: {name}"),
            text: format!("Your access to {name} is ready; the target confirmed it."),
            path: "/access".into(),
        };
        mail::queue(unit, grant.person_id, &format!("ready:{}", grant.id), &mail);
    }
    for grant in &gone {
        let how = "has ended, and the target confirmed that it is gone";
        tell_ended(unit, grant, how).await?;
    }
    for grant in &still_held {
        let how =
            "has ended. What it opened stays open for you, as you hold it in another way as well";
        tell_ended(unit, grant, how).await?;
    }
    for grant in ready.iter().chain(&gone) {
        if let Some(line) = grant.line_id
            && let Some(line) = unit.tx.line(line).await?
        {
            unit.changed(line.request_id);
        }
    }
    Ok(())
}

/// Locks the holders of these grants, then reads the grants.
async fn lock(unit: &mut Unit, ids: &[GrantId]) -> Result<Vec<GrantRow>> {
    let mut persons: Vec<PersonId> = unit
        .tx
        .grants_by_ids(ids)
        .await?
        .into_iter()
        .map(|grant| grant.person_id)
        .collect();
    persons.sort_unstable();
    persons.dedup();
    unit.tx.lock_persons(&persons).await?;
    Ok(unit.tx.grants_by_ids(ids).await?)
}

/// Ends grants that are not over, in one transaction: rows, audit, desired state. The holders are locked by the caller.
pub(crate) async fn end_many(
    unit: &mut Unit,
    grants: &[GrantRow],
    reason: EndReason,
    actor: Actor,
    note: Option<&str>,
    cause: &str,
) -> Result<()> {
    let now = unit.now;
    let live: Vec<&GrantRow> = grants
        .iter()
        .filter(|grant| grant.state != GrantState::Ended)
        .collect();
    let ids: Vec<GrantId> = live.iter().map(|grant| grant.id).collect();
    let by = match actor {
        Actor::Person(person) => Some(person),
        Actor::Portal | Actor::Provisioner | Actor::Operator | Actor::Anonymous => None,
    };
    for (index, group) in ids.chunks(500).enumerate() {
        unit.tx.end_grants(group, now, reason, by, note).await?;
        let ended = &live[index * 500..index * 500 + group.len()];
        reviews::grants_ended(unit, ended).await?;
        for grant in ended {
            let event = Event::new(EventKind::GrantEnded, now, actor)
                .about(grant.id)
                .about(grant.person_id)
                .because(cause)
                .changing(
                    json!({"state": grant.state, "end": grant.end()}),
                    json!({"state": GrantState::Ended, "reason": reason, "ended_at": now, "note": note}),
                );
            unit.record(under(event, grant));
            unit.changed(grant.person_id);
        }
    }
    recompute(unit, &ids, reason.as_str()).await?;
    // What never reached a target is gone at once: there is nothing to read back.
    let mut scheduled = Vec::new();
    for grant in live.iter().filter(|one| one.state == GrantState::Scheduled) {
        scheduled.push(grant.id);
        let why = note.unwrap_or(cause);
        tell_ended(unit, grant, &format!("ended before it began: {why}")).await?;
    }
    unit.tx.mark_gone(&scheduled, now).await?;
    Ok(())
}

/// Tells the holder, once for each grant, that it is over and what became of the access.
async fn tell_ended(unit: &mut Unit, grant: &GrantRow, how: &str) -> Result<()> {
    let name = name_of(unit, grant).await?;
    let mail = Mail {
        kind: "ended",
        subject: format!("Ended: {name}"),
        text: format!("Your access to {name} {how}."),
        path: "/access".into(),
    };
    mail::queue(unit, grant.person_id, &format!("gone:{}", grant.id), &mail);
    Ok(())
}

/// Names the edition that a grant was made under; an import has none.
fn under(event: Event, grant: &GrantRow) -> Event {
    match grant.package_version_id {
        Some(version) => event.under(version),
        None => event,
    }
}

async fn recompute(unit: &mut Unit, ids: &[GrantId], cause: &str) -> Result<()> {
    let mut pairs: Vec<(AccountId, EntitlementId)> = unit
        .tx
        .content_of_grants(ids)
        .await?
        .into_iter()
        .map(|content| (content.account_id, content.entitlement_id))
        .collect();
    pairs.dedup();
    assignments::recompute(unit, &pairs, cause).await
}

async fn no_longer_eligible(unit: &mut Unit, grant: &GrantRow) -> Result<Option<String>> {
    let Some(version) = grant.package_version_id else {
        return Ok(None);
    };
    let offer = unit.tx.pinned_offer(version).await?.ok_or(Error::Missing)?;
    let policy = requests::policy_of(&offer)?;
    let asker = match grant.line_id {
        Some(line) => unit.tx.line(line).await?.map(|line| line.asker_id),
        None => None,
    };
    let asker = asker.unwrap_or(grant.person_id);
    let (person, asker) = both(unit, grant.person_id, asker).await?;
    Ok(ineligible(&policy, &person, &asker, unit.now))
}

/// Whom something is for, and who asked for it.
pub(crate) async fn both(
    unit: &mut Unit,
    beneficiary: PersonId,
    asker: PersonId,
) -> Result<(Person, Person)> {
    let read = unit.tx.persons(&[beneficiary, asker]).await?;
    let of = |id| {
        read.iter()
            .find(|row| row.id == id)
            .cloned()
            .map(PersonRow::into_domain)
            .ok_or(Error::Missing)
    };
    Ok((of(beneficiary)?, of(asker)?))
}

/// Why a grant may not begin beside what its holder has by now, if so. What begins later is looked at when it does.
async fn breaks_a_rule(unit: &mut Unit, grant: &GrantRow) -> Result<Option<String>> {
    let rights = unit.tx.content_of_grants(&[grant.id]).await?;
    let added = Added {
        person: grant.person_id,
        rights: rights.into_iter().map(|row| row.entitlement_id).collect(),
        from: unit.now,
        until: End::At(unit.now + Duration::microseconds(1)),
        except: Some(grant.id),
        plain: false,
    };
    let now = unit.now;
    conflicts::stands_against(&mut unit.tx, &added, now).await
}

/// Why a person may not have what this policy gives, if so.
fn ineligible(policy: &Policy, person: &Person, asker: &Person, now: Timestamp) -> Option<String> {
    if person.suspended {
        return Some("is held back as a whole".into());
    }
    if !person.works_at(now) {
        return Some("no longer works here".into());
    }
    let because = unmet(policy, person, asker);
    (!because.is_empty()).then(|| because.join("; "))
}

pub(crate) async fn name_of(unit: &mut Unit, grant: &GrantRow) -> Result<String> {
    let Some(package) = grant.package_id else {
        return Ok("access found at the target".into());
    };
    Ok(unit
        .tx
        .offer(package)
        .await?
        .map_or_else(String::new, |offer| offer.name))
}

/// When the earliest of a person's live grants ends, for tests and the trial's clock.
pub fn earliest_end(grants: &[GrantRow]) -> Option<Timestamp> {
    grants.iter().filter_map(|grant| grant.end_at).min()
}
