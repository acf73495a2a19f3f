//! What people do with what is held: take it away, hold it back, let it go on, give all of it back, not renew it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    EntitlementId, GrantId, PackageId, PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    grant::{EndReason, GrantSource, GrantState, SuspendCause},
    hands::{Hand, May},
    request::{REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{grants::GrantRow, holding::MarkRow};

use super::{
    authority::{Authority, must},
    breaks_a_rule, end_many, name_of, no_longer_eligible, recompute, under,
};
use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    mail::{self, Mail},
    people::again,
    powers,
};

/// The most grants in one act.
pub const MOST: usize = 200;

/// What became of several grants at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// Those that it was done to.
    pub done: Vec<GrantId>,
    /// Those that it was not done to, each with why not, in words.
    pub left: Vec<(GrantId, String)>,
}

/// Takes grants away from their holders, with a reason: by those above the holder, the package's owner, or security.
/// All of them or none.
pub async fn revoke(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
) -> Result<Acted> {
    again(|| revoke_once(workflow, viewer, ids, reason)).await
}

async fn revoke_once(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
) -> Result<Acted> {
    let mut unit = workflow.unit().await?;
    let grants = chosen(&mut unit, ids).await?;
    for (authority, own) in authorities(&mut unit, viewer, &grants).await? {
        for (grant, rights) in own {
            must(authority.take_away(grant.package_id, &rights))?;
        }
    }
    let reason = said(reason)?;
    let live = live(&mut unit, grants).await?;
    powers::administrator_remains(&mut unit, &live).await?;
    let actor = Actor::Person(viewer.id());
    end_many(
        &mut unit,
        &live,
        EndReason::Revoked,
        actor,
        Some(reason),
        "taken away",
    )
    .await?;
    for grant in &live {
        let name = name_of(&mut unit, grant).await?;
        tell(
            &mut unit,
            grant,
            "revoked",
            &Mail {
                kind: "revoked",
                subject: format!("Taken away: {name}"),
                text: format!(
                    "{} took your access to {name} away.\nReason: {reason}\nIf you need it, talk to them, or ask for it again.",
                    viewer.person.name
                ),
                path: "/access".into(),
            },
        );
    }
    unit.commit().await?;
    Ok(Acted {
        done: live.iter().map(|grant| grant.id).collect(),
        left: Vec::new(),
    })
}

/// Holds grants back: they open nothing until they go on, and their end still comes. For security, and for HR while the
/// holder is away. What has not begun is left alone.
pub async fn suspend(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
) -> Result<Acted> {
    again(|| suspend_once(workflow, viewer, ids, reason)).await
}

async fn suspend_once(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
) -> Result<Acted> {
    let mut unit = workflow.unit().await?;
    let grants = chosen(&mut unit, ids).await?;
    let cause = cause(hand_of_all(&mut unit, viewer, &grants).await?);
    let reason = said(reason)?;
    let live = live(&mut unit, grants).await?;
    let marks = marks(&mut unit, &live).await?;
    let (mut wanted, mut acted) = (Vec::new(), Acted::default());
    for grant in live {
        let before = marks.get(&grant.id).and_then(|mark| mark.suspend_cause);
        match grant.state {
            GrantState::Active => wanted.push(grant),
            // Security's word is the stronger one: HR can then no longer let it go on.
            GrantState::Suspended
                if before == Some(SuspendCause::Absence) && cause == SuspendCause::Security =>
            {
                wanted.push(grant);
            }
            GrantState::Suspended => acted
                .left
                .push((grant.id, "it is held back already".into())),
            GrantState::Scheduled | GrantState::Ended => {
                acted.left.push((grant.id, "it has not begun".into()));
            }
        }
    }
    if wanted.is_empty() {
        return Err(Refusal::WrongState {
            state: GrantState::Suspended.to_string(),
        }
        .into());
    }
    hold_back(&mut unit, &wanted, viewer.id(), cause, reason).await?;
    for grant in &wanted {
        let name = name_of(&mut unit, grant).await?;
        tell(
            &mut unit,
            grant,
            "suspended",
            &Mail {
                kind: "suspended",
                subject: format!("Held back: {name}"),
                text: format!(
                    "{} holds your access to {name} back for now. It opens nothing until it goes on; its end stays as it is.\nReason: {reason}",
                    viewer.person.name
                ),
                path: "/access".into(),
            },
        );
    }
    acted.done = wanted.iter().map(|grant| grant.id).collect();
    unit.commit().await?;
    Ok(acted)
}

/// Lets grants go on that are held back: while their end has not come, the holder works here and is still eligible, and no rule is
/// broken beside what they hold by now. Not by
/// HR what somebody else than HR holds back.
pub async fn resume(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
) -> Result<Acted> {
    again(|| resume_once(workflow, viewer, ids, reason)).await
}

async fn resume_once(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
    reason: &str,
) -> Result<Acted> {
    let mut unit = workflow.unit().await?;
    let grants = chosen(&mut unit, ids).await?;
    let hand = hand_of_all(&mut unit, viewer, &grants).await?;
    let reason = said(reason)?;
    let live = live(&mut unit, grants).await?;
    let marks = marks(&mut unit, &live).await?;
    let (mut wanted, mut acted) = (Vec::new(), Acted::default());
    for grant in live {
        let cause = marks.get(&grant.id).and_then(|mark| mark.suspend_cause);
        if grant.state != GrantState::Suspended {
            acted.left.push((grant.id, "it is not held back".into()));
        } else if hand == Hand::Hr && cause != Some(SuspendCause::Absence) {
            acted.left.push((grant.id, "security holds it back".into()));
        } else if let Some(why) = no_longer_eligible(&mut unit, &grant).await? {
            acted.left.push((grant.id, why));
        } else if let Some(why) = breaks_a_rule(&mut unit, &grant).await? {
            acted.left.push((grant.id, why));
        } else {
            wanted.push(grant);
        }
    }
    if wanted.is_empty() {
        let because: BTreeSet<String> = acted.left.into_iter().map(|(_, why)| why).collect();
        return Err(Refusal::MayNotGoOn {
            because: because.into_iter().collect(),
        }
        .into());
    }
    let ids: Vec<GrantId> = wanted.iter().map(|grant| grant.id).collect();
    unit.tx.resume_grants(&ids, viewer.id()).await?;
    for grant in &wanted {
        record(
            &mut unit,
            EventKind::GrantSuspended,
            grant,
            Actor::Person(viewer.id()),
            json!({"state": GrantState::Suspended, "cause": marks.get(&grant.id).and_then(|mark| mark.suspend_cause)}),
            json!({"state": GrantState::Active, "note": reason}),
        );
    }
    recompute(&mut unit, &ids, "goes on").await?;
    for grant in &wanted {
        let name = name_of(&mut unit, grant).await?;
        tell(
            &mut unit,
            grant,
            "resumed",
            &Mail {
                kind: "resumed",
                subject: format!("Goes on: {name}"),
                text: format!(
                    "Your access to {name} goes on; it is being set up again. Its end is as before."
                ),
                path: "/access".into(),
            },
        );
    }
    acted.done = ids;
    unit.commit().await?;
    Ok(acted)
}

/// Gives several grants back at once. Only the holder may; what was found at a target is not theirs to give.
pub async fn give_back_many(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
) -> Result<Acted> {
    again(|| give_back_many_once(workflow, viewer, ids)).await
}

async fn give_back_many_once(
    workflow: &Workflow,
    viewer: &Viewer,
    ids: &[GrantId],
) -> Result<Acted> {
    let mut unit = workflow.unit().await?;
    let grants = chosen(&mut unit, ids).await?;
    let theirs =
        |grant: &GrantRow| grant.person_id == viewer.id() && grant.source != GrantSource::Import;
    if !grants.iter().all(theirs) {
        return Err(Error::Missing);
    }
    let live = live(&mut unit, grants).await?;
    powers::administrator_remains(&mut unit, &live).await?;
    let actor = Actor::Person(viewer.id());
    end_many(
        &mut unit,
        &live,
        EndReason::Returned,
        actor,
        None,
        "given back",
    )
    .await?;
    unit.commit().await?;
    Ok(Acted {
        done: live.iter().map(|grant| grant.id).collect(),
        left: Vec::new(),
    })
}

/// Says whether the holder wants a grant renewed. One that is not to be renewed is not warned of; it ends when it ends.
pub async fn set_renewal(
    workflow: &Workflow,
    viewer: &Viewer,
    id: GrantId,
    renew: bool,
) -> Result<()> {
    again(|| set_renewal_once(workflow, viewer, id, renew)).await
}

async fn set_renewal_once(
    workflow: &Workflow,
    viewer: &Viewer,
    id: GrantId,
    renew: bool,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.lock_persons(&[viewer.id()]).await?;
    let grant = unit
        .tx
        .grant(id)
        .await?
        .filter(|grant| grant.person_id == viewer.id() && grant.source != GrantSource::Import)
        .ok_or(Error::Missing)?;
    if grant.state == GrantState::Ended || grant.end().passed(unit.now) {
        return Err(Refusal::WrongState {
            state: GrantState::Ended.to_string(),
        }
        .into());
    }
    let marks = unit.tx.marks_of_grants(&[id]).await?;
    let before = marks.iter().any(|mark| mark.not_renewed_at.is_some());
    if before != renew {
        return unit.commit().await;
    }
    let at = (!renew).then_some(unit.now);
    unit.tx.set_not_renewed(id, at).await?;
    record(
        &mut unit,
        EventKind::RenewalSet,
        &grant,
        Actor::Person(viewer.id()),
        json!({"renew": !before}),
        json!({"renew": renew}),
    );
    unit.commit().await
}

/// Holds these grants back, in one transaction: rows, audit, desired state. Each is active, or held back with less of a word.
/// The holders are locked by the caller.
pub(crate) async fn hold_back(
    unit: &mut Unit,
    grants: &[GrantRow],
    by: PersonId,
    cause: SuspendCause,
    note: &str,
) -> Result<()> {
    let now = unit.now;
    let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
    for ids in ids.chunks(500) {
        unit.tx.suspend_grants(ids, now, by, cause, note).await?;
    }
    for grant in grants {
        record(
            unit,
            EventKind::GrantSuspended,
            grant,
            Actor::Person(by),
            json!({"state": grant.state}),
            json!({"state": GrantState::Suspended, "cause": cause, "note": note}),
        );
    }
    recompute(unit, &ids, "held back").await
}

fn record(
    unit: &mut Unit,
    kind: EventKind,
    grant: &GrantRow,
    actor: Actor,
    before: serde_json::Value,
    after: serde_json::Value,
) {
    let event = Event::new(kind, unit.now, actor)
        .about(grant.id)
        .about(grant.person_id)
        .changing(before, after);
    unit.record(under(event, grant));
    unit.changed(grant.person_id);
}

/// The chosen grants, their holders locked. One that is not there fails all of them.
async fn chosen(unit: &mut Unit, ids: &[GrantId]) -> Result<Vec<GrantRow>> {
    let ids: Vec<GrantId> = ids
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if ids.len() > MOST {
        return Err(Refusal::TooLong {
            field: "grant".into(),
            most: MOST,
        }
        .into());
    }
    let grants = super::lock(unit, &ids).await?;
    if grants.is_empty() || grants.len() != ids.len() {
        return Err(Error::Missing);
    }
    Ok(grants)
}

/// Those that are not over. An end that has come is an end, also while its job is late. Fails if nothing is left.
async fn live(unit: &mut Unit, grants: Vec<GrantRow>) -> Result<Vec<GrantRow>> {
    let now = unit.now;
    let (over, live): (Vec<GrantRow>, Vec<GrantRow>) = grants
        .into_iter()
        .filter(|grant| grant.state != GrantState::Ended)
        .partition(|grant| grant.end().passed(now));
    if live.is_empty() {
        return Err(Refusal::WrongState {
            state: GrantState::Ended.to_string(),
        }
        .into());
    }
    super::pass(unit, &over).await?;
    Ok(live)
}

type OfOne<'a> = Vec<(&'a GrantRow, Vec<EntitlementId>)>;

/// How the viewer stands to each holder, with that holder's grants and what is in them.
async fn authorities<'a>(
    unit: &mut Unit,
    viewer: &Viewer,
    grants: &'a [GrantRow],
) -> Result<Vec<(Authority, OfOne<'a>)>> {
    let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
    let content = unit.tx.content_of_grants(&ids).await?;
    let mut by_person: BTreeMap<PersonId, OfOne<'a>> = BTreeMap::new();
    for grant in grants {
        let rights = content
            .iter()
            .filter(|row| row.grant_id == grant.id)
            .map(|row| row.entitlement_id)
            .collect();
        by_person
            .entry(grant.person_id)
            .or_default()
            .push((grant, rights));
    }
    let mut all = Vec::with_capacity(by_person.len());
    for (person, own) in by_person {
        let packages: Vec<PackageId> = own
            .iter()
            .filter_map(|(grant, _)| grant.package_id)
            .collect();
        let rights: Vec<EntitlementId> =
            own.iter().flat_map(|(_, rights)| rights.clone()).collect();
        let authority = Authority::over(&mut unit.tx, viewer, person, &packages, &rights).await?;
        all.push((authority, own));
    }
    Ok(all)
}

/// By whose hand the viewer holds back or lets go on, the same for all holders.
async fn hand_of_all(unit: &mut Unit, viewer: &Viewer, grants: &[GrantRow]) -> Result<Hand> {
    let mut hand = None;
    for (authority, _) in authorities(unit, viewer, grants).await? {
        hand = Some(must(authority.hold_back())?);
    }
    hand.map_or_else(|| must(May::Nothing), Ok)
}

const fn cause(hand: Hand) -> SuspendCause {
    match hand {
        Hand::Hr => SuspendCause::Absence,
        Hand::Security | Hand::Manager | Hand::Owner => SuspendCause::Security,
    }
}

async fn marks(unit: &mut Unit, grants: &[GrantRow]) -> Result<BTreeMap<GrantId, MarkRow>> {
    let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
    Ok(unit
        .tx
        .marks_of_grants(&ids)
        .await?
        .into_iter()
        .map(|mark| (mark.grant_id, mark))
        .collect())
}

/// The reason, if it says something and not too much.
pub(crate) fn said(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length < REASON_LEAST {
        return Err(Refusal::ReasonTooShort {
            least: REASON_LEAST,
        }
        .into());
    }
    if length > TEXT_MOST {
        return Err(Refusal::TooLong {
            field: "reason".into(),
            most: TEXT_MOST,
        }
        .into());
    }
    Ok(reason)
}

/// Mails the holder of a grant about this very change of it.
fn tell(unit: &mut Unit, grant: &GrantRow, what: &str, mail: &Mail) {
    let key = format!("{what}:{}:{}", grant.id, grant.version);
    mail::queue(unit, grant.person_id, &key, mail);
}
