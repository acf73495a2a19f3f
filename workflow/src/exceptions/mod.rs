//! Exceptions: a breach of one rule by one person, tolerated for a time. Proposed by one, accepted by the rule's business
//! owner, confirmed by security, attested each period by the owner of the control, and ended with the side that it names.

mod due;
mod parties;
mod propose;

use domain::{
    EntitlementId, ExceptionId, PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    conflict::{Breach, breaches},
    exception::{ExceptionEnd, ExceptionState, next_attestation},
    fresh::FreshAct,
    grant::EndReason,
    person::PortalRole,
    request::{REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{
    conflicts::ConflictRow,
    exceptions::{AttestationRow, ExceptionRow},
};

use crate::{
    Error, Result, Unit, Workflow,
    access::{self, Viewer},
    conflicts::rules_of,
    findings,
    fresh::{self, Proof},
    grants,
    mail::{self, Mail},
    people::again,
    waits::{self, Held},
};

pub(crate) use due::{attestation_due, end_due, end_of_leavers, warn};
pub(crate) use parties::{Next, acceptor_of, may_confirm, next, security};
pub use propose::{Proposal, may_propose, propose};

/// What somebody who has a say decides about an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The business owner accepts it.
    Accept,
    /// Security confirms it.
    Confirm,
    /// Whoever would decide next says no, or the proposer takes it back.
    Refuse,
    /// The business owner or security ends a live one early.
    Revoke,
    /// The owner of the control attests.
    Attest,
}

impl Word {
    /// For which fresh sign-in it may ask: only a yes does.
    const fn act(self) -> Option<FreshAct> {
        match self {
            Self::Accept => Some(FreshAct::Accept),
            Self::Confirm => Some(FreshAct::Confirm),
            Self::Refuse | Self::Revoke | Self::Attest => None,
        }
    }
}

/// An exception with its rule, locked.
struct Seen {
    row: ExceptionRow,
    rule: ConflictRow,
    viewer: Viewer,
    /// What waits for it, held.
    held: Held,
}

/// Says one's word. A note is needed for a no, for a revocation and for an attestation.
///
/// Accepting or confirming one that wants a fresh sign-in is refused with [`Refusal::WantsFreshSignIn`], once nothing else
/// stands against it; it is said through [`crate::fresh`].
pub async fn say(
    workflow: &Workflow,
    viewer: &Viewer,
    id: ExceptionId,
    word: Word,
    note: &str,
) -> Result<()> {
    by(workflow, viewer, id, word, note, None).await
}

/// As [`say`], with a fresh sign-in.
pub(crate) async fn by(
    workflow: &Workflow,
    viewer: &Viewer,
    id: ExceptionId,
    word: Word,
    note: &str,
    fresh: Option<Proof>,
) -> Result<()> {
    again(|| say_once(workflow, viewer, id, word, note.trim(), fresh)).await
}

/// What somebody who may say this word now signs in for: nothing if it never wants a fresh sign-in.
pub(crate) async fn asked(
    unit: &mut Unit,
    viewer: &Viewer,
    id: ExceptionId,
    word: Word,
    note: &str,
) -> Result<Option<(FreshAct, String)>> {
    let seen = lock(unit, viewer, id).await?;
    may(unit, &seen, word).await?;
    check_note(word, note)?;
    Ok(word.act().map(|act| (act, shown(act, &seen.row))))
}

/// What is signed in for: what is proposed never changes, only where it stands.
fn shown(act: FreshAct, row: &ExceptionRow) -> String {
    fresh::shown(act, row.id.0, row.state.as_str())
}

/// Lets a word count: with its fresh sign-in where it wants one.
async fn proven(
    unit: &mut Unit,
    row: &ExceptionRow,
    word: Word,
    proof: Option<Proof>,
) -> Result<Option<serde_json::Value>> {
    let Some(act) = word.act() else {
        return Ok(None);
    };
    let Some(proof) = proof else {
        return if unit.tx.wants_fresh(act, row.id.0).await? {
            Err(Refusal::WantsFreshSignIn.into())
        } else {
            Ok(None)
        };
    };
    proof
        .counts_for(unit, act, row.id.0, row.state.as_str())
        .await?;
    unit.tx.use_fresh(act, row.id.0, proof.id).await?;
    Ok(Some(proof.said(unit).await?))
}

async fn say_once(
    workflow: &Workflow,
    viewer: &Viewer,
    id: ExceptionId,
    word: Word,
    note: &str,
    proof: Option<Proof>,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seen = lock(&mut unit, viewer, id).await?;
    may(&mut unit, &seen, word).await?;
    check_note(word, note)?;
    let proven = proven(&mut unit, &seen.row, word, proof).await?;
    match word {
        Word::Accept => accept(&mut unit, &seen, proven).await?,
        Word::Confirm => confirm(&mut unit, &seen, proven).await?,
        Word::Refuse => {
            let actor = Actor::Person(viewer.id());
            end(&mut unit, &seen.row, ExceptionEnd::Refused, actor, note).await?;
        }
        Word::Revoke => {
            let actor = Actor::Person(viewer.id());
            end(&mut unit, &seen.row, ExceptionEnd::Revoked, actor, note).await?;
        }
        Word::Attest => attest(&mut unit, &seen, note).await?,
    }
    unit.commit().await
}

/// Holds what waits for it, locks whom it is about, then reads the exception, its rule, and who is looking.
async fn lock(unit: &mut Unit, viewer: &Viewer, id: ExceptionId) -> Result<Seen> {
    let seen = unit.tx.exception(id).await?.ok_or(Error::Missing)?;
    let held = waits::hold(unit, seen.person_id).await?;
    unit.tx.lock_persons(held.people()).await?;
    let row = unit.tx.exception(id).await?.ok_or(Error::Missing)?;
    let rule = unit
        .tx
        .conflict(row.conflict_id)
        .await?
        .ok_or(Error::Missing)?;
    let now = unit.now;
    let viewer = access::viewer_in(&mut unit.tx, now, viewer.id(), viewer.account)
        .await?
        .ok_or(Error::Forbidden)?;
    Ok(Seen {
        row,
        rule,
        viewer,
        held,
    })
}

/// Refuses unless the viewer has this word now.
async fn may(unit: &mut Unit, seen: &Seen, word: Word) -> Result<()> {
    let now = unit.now;
    let (row, me) = (&seen.row, seen.viewer.id());
    let fits = match word {
        Word::Accept => row.state == ExceptionState::Proposed,
        Word::Confirm => row.state == ExceptionState::Accepted,
        Word::Refuse => matches!(
            row.state,
            ExceptionState::Proposed | ExceptionState::Accepted
        ),
        Word::Revoke | Word::Attest => row.state == ExceptionState::Live,
    };
    let so = match word {
        Word::Refuse if row.proposed_by == me => true,
        // Whoever would say yes may say no.
        Word::Accept | Word::Confirm | Word::Refuse if row.state == ExceptionState::Accepted => {
            may_confirm(&mut unit.tx, now, &seen.viewer, row).await?
        }
        Word::Accept | Word::Confirm | Word::Refuse => {
            acceptor_of(&mut unit.tx, now, row, &seen.rule).await? == Some(me)
        }
        Word::Revoke => may_revoke(&seen.viewer, row, &seen.rule),
        Word::Attest => row.control_owner_id == me,
    };
    if !fits {
        // To whoever has no part in it there is no such thing.
        return Err(if takes_part(&seen.viewer, row, &seen.rule) {
            Refusal::WrongState {
                state: row.state.to_string(),
            }
            .into()
        } else {
            Error::Missing
        });
    }
    if so {
        return Ok(());
    }
    match parties::barred(unit, &seen.viewer, row, &seen.rule).await? {
        Some(why) => Err(Refusal::ExceptionBarred { why }.into()),
        None => Err(Error::Missing),
    }
}

/// Whether somebody may end a live exception early.
pub(crate) fn may_revoke(viewer: &Viewer, row: &ExceptionRow, rule: &ConflictRow) -> bool {
    viewer.id() != row.person_id
        && (rule.owner_id == viewer.id() || viewer.has(PortalRole::Security))
}

/// Whether somebody has a part in an exception, or reads all of them.
pub(crate) fn takes_part(viewer: &Viewer, row: &ExceptionRow, rule: &ConflictRow) -> bool {
    let me = viewer.id();
    [
        row.person_id,
        row.proposed_by,
        row.control_owner_id,
        rule.owner_id,
    ]
    .contains(&me)
        || row.accepted_by == Some(me)
        || viewer.has(PortalRole::Security)
        || viewer.has(PortalRole::Auditor)
}

fn check_note(word: Word, note: &str) -> Result<()> {
    let length = note.chars().count();
    let needed = matches!(word, Word::Refuse | Word::Revoke | Word::Attest);
    if needed && length < REASON_LEAST {
        return Err(Refusal::ReasonTooShort {
            least: REASON_LEAST,
        }
        .into());
    }
    if length > TEXT_MOST {
        return Err(Refusal::TooLong {
            field: "note".into(),
            most: TEXT_MOST,
        }
        .into());
    }
    Ok(())
}

async fn accept(unit: &mut Unit, seen: &Seen, proven: Option<serde_json::Value>) -> Result<()> {
    let (row, me, now) = (&seen.row, seen.viewer.id(), unit.now);
    if row.ends_at <= now {
        return Err(Refusal::WrongState {
            state: "past its end".into(),
        }
        .into());
    }
    if !unit.tx.accept_exception(row.id, me, now).await? {
        return Err(Error::Stale);
    }
    decided(
        unit,
        row,
        Actor::Person(me),
        ExceptionState::Accepted,
        proven,
    );
    let mail = about(
        unit,
        row,
        &seen.rule,
        "exception_waits",
        "An exception waits for security",
        "Its business owner has accepted it.",
    )
    .await?;
    for person in parties::security(&mut unit.tx).await? {
        mail::queue(unit, person, &format!("confirm:{}", row.id), &mail);
    }
    Ok(())
}

async fn confirm(unit: &mut Unit, seen: &Seen, proven: Option<serde_json::Value>) -> Result<()> {
    let (row, me, now) = (&seen.row, seen.viewer.id(), unit.now);
    if row.ends_at <= now {
        return Err(Refusal::WrongState {
            state: "past its end".into(),
        }
        .into());
    }
    let waiting = waits::lock(unit, &seen.held).await?;
    // What it renews ends in the same instant, and nothing falls.
    for other in unit.tx.open_exceptions_of(&[row.person_id]).await? {
        if other.conflict_id == row.conflict_id && other.state == ExceptionState::Live {
            let actor = Actor::Person(me);
            end(unit, &other, ExceptionEnd::Renewed, actor, "").await?;
        }
    }
    let attest_by = next_attestation(now, row.cadence_seconds, row.ends_at);
    if !unit
        .tx
        .confirm_exception(row.id, me, now, attest_by)
        .await?
    {
        return Err(Error::Stale);
    }
    decided(unit, row, Actor::Person(me), ExceptionState::Live, proven);
    due::arm(unit, row, attest_by);
    findings::scan_person(unit, row.person_id);
    let mail = about(
        unit,
        row,
        &seen.rule,
        "exception_live",
        "The exception is in force",
        if waiting.is_empty() {
            "Security has confirmed it."
        } else {
            "Security has confirmed it. What was approved and waited for it is looked at once more, and given now if nothing else stands against it."
        },
    )
    .await?;
    for person in [row.proposed_by, row.person_id, row.control_owner_id] {
        mail::queue(unit, person, &format!("live:{}", row.id), &mail);
    }
    waits::look_again(unit, &waiting).await
}

async fn attest(unit: &mut Unit, seen: &Seen, note: &str) -> Result<()> {
    let (row, me, now) = (&seen.row, seen.viewer.id(), unit.now);
    let due_at = row.attest_by.unwrap_or(now);
    unit.tx
        .insert_attestation(&AttestationRow {
            id: unit.new_id(),
            exception_id: row.id,
            by_id: me,
            text: note.to_owned(),
            due_at,
            attested_at: now,
        })
        .await?;
    let next = next_attestation(now, row.cadence_seconds, row.ends_at);
    unit.tx.set_attestation_due(row.id, next, None).await?;
    unit.cancel(&due::attest_key(row.id)).await?;
    due::arm_attestation(unit, row, next);
    unit.record(
        Event::new(EventKind::ExceptionAttested, now, Actor::Person(me))
            .about(row.id)
            .about(row.person_id)
            .changing(
                json!({"attest_by": row.attest_by, "missed_at": row.missed_at}),
                json!({"attest_by": next, "text": note}),
            ),
    );
    unit.changed("exceptions");
    Ok(())
}

fn decided(
    unit: &mut Unit,
    row: &ExceptionRow,
    actor: Actor,
    state: ExceptionState,
    proven: Option<serde_json::Value>,
) {
    let mut after = json!({"state": state});
    if let Some(proven) = proven {
        after["fresh_sign_in"] = proven;
    }
    unit.record(
        Event::new(EventKind::ExceptionDecided, unit.now, actor)
            .about(row.id)
            .about(row.person_id)
            .about(row.conflict_id)
            .for_person(row.person_id)
            .changing(json!({"state": row.state}), after),
    );
    unit.changed("exceptions");
    unit.changed(row.person_id);
}

/// Ends an exception. Where its end takes access, what the person holds of the side that it names ends in the same
/// transaction, if the rule would be broken otherwise. The person is locked by the caller.
pub(crate) async fn end(
    unit: &mut Unit,
    row: &ExceptionRow,
    reason: ExceptionEnd,
    actor: Actor,
    note: &str,
) -> Result<()> {
    let now = unit.now;
    let by = match actor {
        Actor::Person(person) => Some(person),
        Actor::Portal | Actor::Provisioner | Actor::Operator | Actor::Anonymous => None,
    };
    if !unit.tx.end_exception(row.id, reason, by, note, now).await? {
        return Err(Error::Stale);
    }
    due::disarm(unit, row.id).await?;
    unit.record(
        Event::new(EventKind::ExceptionEnded, now, actor)
            .about(row.id)
            .about(row.person_id)
            .about(row.conflict_id)
            .because(reason)
            .changing(
                json!({"state": row.state}),
                json!({"state": ExceptionState::Ended, "reason": reason, "note": note}),
            ),
    );
    unit.changed("exceptions");
    unit.changed(row.person_id);
    let lived = row.state == ExceptionState::Live;
    if !lived {
        Box::pin(waits::in_vain(unit, row, reason, actor, note)).await?;
    } else if reason.takes_access() {
        take_side(unit, row, actor, note).await?;
    }
    findings::scan_person(unit, row.person_id);
    if reason == ExceptionEnd::Renewed {
        return Ok(());
    }
    let Some(rule) = unit.tx.conflict(row.conflict_id).await? else {
        return Ok(());
    };
    let (what, text) = match reason {
        ExceptionEnd::Refused => ("The exception was refused", note.to_owned()),
        _ if !lived => (
            "The exception never came into force",
            "It was not confirmed by its own end.".to_owned(),
        ),
        ExceptionEnd::MissedAttestation => (
            "The exception has ended",
            "Its control was not attested in time, so the side that it names has been taken away."
                .to_owned(),
        ),
        _ => (
            "The exception has ended",
            format!("The side that it names has been taken away. {note}"),
        ),
    };
    let mail = about(unit, row, &rule, "exception_ended", what, &text).await?;
    let mut told = vec![row.proposed_by, row.person_id, row.control_owner_id];
    told.sort_unstable();
    told.dedup();
    for person in told.into_iter().filter(|person| Some(*person) != by) {
        mail::queue(unit, person, &format!("over:{}", row.id), &mail);
    }
    Ok(())
}

/// Ends what the person holds of the side that falls, imports too, if they hold both.
async fn take_side(unit: &mut Unit, row: &ExceptionRow, actor: Actor, note: &str) -> Result<()> {
    let now = unit.now;
    let rights = unit.tx.conflict_rights(&[row.conflict_id]).await?;
    let held = unit.tx.held_rights(&[row.person_id], now).await?;
    let holds = held.iter().map(|one| one.entitlement_id).collect();
    let none = std::collections::BTreeSet::<EntitlementId>::new();
    let Some(breach): Option<Breach> = breaches(&rules_of(&rights), &holds, &none).pop() else {
        return Ok(());
    };
    let mut falling: Vec<_> = held
        .iter()
        .filter(|one| breach.side(row.falls).contains(&one.entitlement_id))
        .map(|one| one.grant_id)
        .collect();
    falling.sort_unstable();
    falling.dedup();
    let grants = unit.tx.grants_by_ids(&falling).await?;
    let note = (!note.is_empty()).then_some(note);
    grants::end_many(
        unit,
        &grants,
        EndReason::ExceptionEnded,
        actor,
        note,
        &row.id.to_string(),
    )
    .await
}

/// A mail about an exception: which, whose, and what to do.
async fn about(
    unit: &mut Unit,
    row: &ExceptionRow,
    rule: &ConflictRow,
    kind: &'static str,
    what: &str,
    text: &str,
) -> Result<Mail> {
    let person = name(unit, row.person_id).await?;
    Ok(Mail {
        kind,
        subject: format!("{what}: EX-{} for {person}", row.number),
        text: format!(
            "{what}: EX-{}, “{}”, for {person}, until {}.\n{text}",
            row.number,
            rule.name,
            row.ends_at.format("%-d %B %Y")
        ),
        path: format!("/exceptions/{}", row.id),
    })
}

async fn name(unit: &mut Unit, person: PersonId) -> Result<String> {
    Ok(unit
        .tx
        .person(person)
        .await?
        .map_or_else(String::new, |row| row.name))
}
