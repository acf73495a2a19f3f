//! The kill switch for a person: everything that they can do and open here stops in one transaction, and stays so until
//! somebody lets them go on. The removals at the targets go before all other work.

use domain::{
    PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    fresh::FreshAct,
    grant::{EndReason, GrantState, SuspendCause},
    hands::ActBar,
    person::{PersonState, PortalRole},
    policy::ApproverRule,
};
use serde_json::json;
use store::Tx;

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    fresh::{self, Proof},
    grants,
    mail::{self, Mail},
    people::{self, again},
    requests, route,
};

/// What becomes of what the person holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holdings {
    /// It is held back: each part may go on later, if its end has not come by then.
    HeldBack,
    /// It ends, for good.
    End,
}

impl Holdings {
    /// What somebody signs in for who stops a person so.
    pub(crate) const fn act(self) -> FreshAct {
        match self {
            Self::HeldBack => FreshAct::Stop,
            Self::End => FreshAct::End,
        }
    }
}

/// Stops a person: sessions end, waiting requests withdraw, their seats are filled by others, and what they hold is held
/// back or ends (what was found at the targets, too). They sign in nowhere here until somebody lets them go on. For
/// security, never on oneself. Of somebody who is stopped already the rest ends, if that is asked for.
///
/// Of somebody who holds what is privileged or what a package says so of it wants a fresh sign-in: it is refused with
/// [`Refusal::WantsFreshSignIn`], and done through [`crate::fresh`].
pub async fn stop(
    workflow: &Workflow,
    viewer: &Viewer,
    person: PersonId,
    holdings: Holdings,
    reason: &str,
) -> Result<()> {
    by(workflow, viewer, person, holdings, reason, None).await
}

/// As [`stop`], with a fresh sign-in.
pub(crate) async fn by(
    workflow: &Workflow,
    viewer: &Viewer,
    person: PersonId,
    holdings: Holdings,
    reason: &str,
    fresh: Option<Proof>,
) -> Result<()> {
    again(|| stop_once(workflow, viewer, person, holdings, reason, fresh)).await
}

/// Whether stopping a person wants a fresh sign-in, for whoever may stop them and has said why.
pub(crate) async fn asked(
    unit: &mut Unit,
    viewer: &Viewer,
    person: PersonId,
    reason: &str,
) -> Result<bool> {
    may(unit, viewer, person).await?;
    grants::said(reason)?;
    let now = unit.now;
    wants_fresh(&mut unit.tx, person, now).await
}

/// Whether somebody holds what is privileged, or what a package says so of.
pub(crate) async fn wants_fresh(
    tx: &mut Tx,
    person: PersonId,
    now: domain::Timestamp,
) -> Result<bool> {
    let held = tx.held_rights(&[person], now).await?;
    let rights: Vec<_> = held.into_iter().map(|row| row.entitlement_id).collect();
    fresh::weighs(tx, &rights).await
}

async fn stop_once(
    workflow: &Workflow,
    viewer: &Viewer,
    person: PersonId,
    holdings: Holdings,
    reason: &str,
    proof: Option<Proof>,
) -> Result<()> {
    let mut unit = begin(workflow, viewer, person).await?;
    let reason = grants::said(reason)?;
    let (now, by) = (unit.now, viewer.id());
    let actor = Actor::Person(by);
    let act = holdings.act();
    if let Some(proof) = proof {
        proof.counts_for(&mut unit, act, person.0, reason).await?;
    } else if wants_fresh(&mut unit.tx, person, now).await? {
        return Err(Refusal::WantsFreshSignIn.into());
    }
    let fresh = unit.tx.suspend_person(person, now, by, reason).await?;
    if !fresh && holdings == Holdings::HeldBack {
        return Err(Refusal::WrongState {
            state: GrantState::Suspended.to_string(),
        }
        .into());
    }
    let ends = holdings == Holdings::End;
    let mut after = json!({"suspended": true, "ends": ends, "note": reason});
    if let Some(proof) = proof {
        if fresh {
            unit.tx.use_fresh(act, person.0, proof.id).await?;
        }
        after["fresh_sign_in"] = proof.said(&mut unit).await?;
    }
    unit.record(
        Event::new(EventKind::PersonSuspended, now, actor)
            .about(person)
            .because("kill switch")
            .changing(json!({"suspended": !fresh}), after),
    );
    let cause = "kill switch";
    people::end_sessions_in(&mut unit, person, actor, cause).await?;
    requests::withdraw_of_person(&mut unit, person, cause).await?;
    // Before the assignments are locked: lines come first.
    route::reseat_for(&mut unit, person).await?;
    let mut held = unit.tx.live_grants_of_person(person).await?;
    let passed = held
        .extract_if(.., |grant| grant.end().passed(now))
        .collect::<Vec<_>>();
    grants::pass(&mut unit, &passed).await?;
    if ends {
        let why = EndReason::Revoked;
        grants::end_many(&mut unit, &held, why, actor, Some(reason), cause).await?;
    } else {
        // What begins later is held back as it begins.
        held.retain(|grant| grant.state != GrantState::Scheduled);
        grants::hold_back(&mut unit, &held, by, SuspendCause::KillSwitch, reason).await?;
    }
    tell_manager(&mut unit, viewer, person, true).await?;
    unit.changed("people");
    unit.commit().await
}

/// Lets a stopped person go on: they may sign in, ask and decide again. What they hold stays held back until it is let go
/// on, one by one or together; nothing that ended or was withdrawn returns. For security.
pub async fn let_go_on(
    workflow: &Workflow,
    viewer: &Viewer,
    person: PersonId,
    reason: &str,
) -> Result<()> {
    again(|| let_go_on_once(workflow, viewer, person, reason)).await
}

async fn let_go_on_once(
    workflow: &Workflow,
    viewer: &Viewer,
    person: PersonId,
    reason: &str,
) -> Result<()> {
    let mut unit = begin(workflow, viewer, person).await?;
    let reason = grants::said(reason)?;
    if !unit.tx.resume_person(person, viewer.id()).await? {
        return Err(Refusal::WrongState {
            state: "not held back".into(),
        }
        .into());
    }
    unit.record(
        Event::new(
            EventKind::PersonSuspended,
            unit.now,
            Actor::Person(viewer.id()),
        )
        .about(person)
        .changing(
            json!({"suspended": true}),
            json!({"suspended": false, "note": reason}),
        ),
    );
    unit.changed(person);
    unit.changed("people");
    // They may decide again: what fell back from them, or was stuck without them.
    let lines = route::lines_awaiting(&mut unit, person).await?;
    route::reseat_lines(&mut unit, lines).await?;
    route::reseat_rule(&mut unit, ApproverRule::Security).await?;
    tell_manager(&mut unit, viewer, person, false).await?;
    unit.commit().await
}

/// The person locked, after it is clear that the viewer may.
async fn begin(workflow: &Workflow, viewer: &Viewer, person: PersonId) -> Result<Unit> {
    let mut unit = workflow.unit().await?;
    may(&mut unit, viewer, person).await?;
    Ok(unit)
}

async fn may(unit: &mut Unit, viewer: &Viewer, person: PersonId) -> Result<()> {
    viewer.must_have(&[PortalRole::Security])?;
    unit.tx.lock_persons(&[person]).await?;
    let row = unit.tx.person(person).await?.ok_or(Error::Missing)?;
    if person == viewer.id() {
        return Err(Refusal::MayNotAct { why: ActBar::Own }.into());
    }
    if row.state == PersonState::Left {
        return Err(Refusal::WrongState {
            state: PersonState::Left.to_string(),
        }
        .into());
    }
    Ok(())
}

/// Mails the manager; not the person, whose mailbox may be in the wrong hands.
async fn tell_manager(
    unit: &mut Unit,
    viewer: &Viewer,
    person: PersonId,
    stopped: bool,
) -> Result<()> {
    let row = unit.tx.person(person).await?.ok_or(Error::Missing)?;
    let Some(manager) = row.manager_id else {
        return Ok(());
    };
    let (kind, subject, text) = if stopped {
        (
            "person_stopped",
            format!("Stopped: {}", row.name),
            format!(
                "{} of security stopped {}: nothing that they hold opens anything, and they decide nothing, until security lets them go on.",
                viewer.person.name, row.name
            ),
        )
    } else {
        (
            "person_goes_on",
            format!("Goes on: {}", row.name),
            format!(
                "{} of security let {} go on. What they hold is let go on by security, one by one.",
                viewer.person.name, row.name
            ),
        )
    };
    let key = format!("{kind}:{person}:{}", unit.now.timestamp_micros());
    let path = format!("/people/{person}");
    mail::queue(
        unit,
        manager,
        &key,
        &Mail {
            kind,
            subject,
            text,
            path,
        },
    );
    Ok(())
}
