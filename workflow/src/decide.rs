//! Deciding: one vote of one seated person on one open stage. Every path to a decision goes through [`decide`].

use domain::{
    DecisionId, PersonId, Refusal, StageId,
    approval::{Facts, Seat, Seating, StageState, Verdict, bar, seat, tally},
    audit::{Actor, Event, EventKind},
    policy::{ApproverRule, Policy, SHORTEST_SECONDS},
    refusal::DeciderBar,
    request::{Length, LineState, REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{
    deciding::HeldLine,
    requests::{DecisionRow, LineRow, StageRow},
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    bulk,
    fresh::Proof,
    frozen::{shortest_cap, sign_off},
    people::{self, Gathered},
    requests::{self, Ended},
    route,
};

/// One vote, as it comes from a form.
#[derive(Clone, Debug)]
pub struct Vote {
    /// In which stage.
    pub stage: StageId,
    /// Yes or no.
    pub verdict: Verdict,
    /// Needed for a no.
    pub note: String,
    /// Approve for at most so many seconds.
    pub cap_seconds: Option<i64>,
    /// What the page said the decider signs off.
    pub signed_hash: String,
}

/// Proof that a person may decide in a stage now. Only [`seated`] makes one, inside the transaction that uses it.
pub(crate) struct Seated {
    pub line: LineRow,
    pub stage: StageRow,
    pub stages: Vec<StageRow>,
    pub decisions: Vec<DecisionRow>,
    pub policy: Policy,
    pub seat: Seat,
    pub seating: Seating,
    pub facts: Facts,
    pub known: Gathered,
}

/// How a vote comes: on the line's own page, or ticked in a list together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On its own page.
    Alone,
    /// In a list, all by one rule: only what is low-risk.
    Together(ApproverRule),
    /// With a fresh sign-in for exactly this vote.
    Fresh(Proof),
}

/// Casts a vote. The line's state afterwards is in the database; a race's loser gets [`Refusal::WrongState`].
///
/// A vote that comes after the line's pending deadline does not count, also while the deadline's job is late. A yes that
/// wants a fresh sign-in is refused with [`Refusal::WantsFreshSignIn`], once nothing else stands against it; it is cast
/// through [`crate::fresh`].
pub async fn decide(workflow: &Workflow, viewer: &Viewer, vote: Vote) -> Result<()> {
    by(workflow, viewer, vote, Way::Alone).await
}

/// As [`decide`], by either way.
pub(crate) async fn by(workflow: &Workflow, viewer: &Viewer, vote: Vote, way: Way) -> Result<()> {
    people::again(|| decide_once(workflow, viewer, vote.clone(), way)).await
}

async fn decide_once(workflow: &Workflow, viewer: &Viewer, vote: Vote, way: Way) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seated = seated(&mut unit, viewer.id(), vote.stage, &[]).await?;
    if seated.line.pending().is_over(unit.now) {
        return requests::lapsed(unit, &seated.line).await;
    }
    let mut refusals = faults(&vote, &seated);
    if let Way::Together(rule) = way {
        refusals.extend(bulk::barred(&mut unit, vote.stage, rule).await?);
    }
    let fresh = match way {
        Way::Fresh(proof) => Some(proof),
        Way::Alone | Way::Together(_) => None,
    };
    if refusals.is_empty() && fresh.is_none() && wants_fresh(&vote, &seated) {
        refusals.push(Refusal::WantsFreshSignIn);
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    if let Some(proof) = fresh {
        proof.counts(&mut unit).await?;
    }
    // All that may follow from one vote would make every caller's future as large.
    Box::pin(cast(&mut unit, seated, vote, fresh)).await?;
    unit.commit().await
}

/// Whether a vote counts only with a fresh sign-in: a yes where the route, as it was laid, says so.
pub(crate) fn wants_fresh(vote: &Vote, seated: &Seated) -> bool {
    vote.verdict == Verdict::Approve && seated.stage.fresh
}

/// Locks what is decided, with `also` among the persons, and works out, from facts of this transaction, whether this
/// person may decide.
pub(crate) async fn seated(
    unit: &mut Unit,
    decider: PersonId,
    stage: StageId,
    also: &[PersonId],
) -> Result<Seated> {
    let mut persons = vec![decider];
    persons.extend_from_slice(also);
    let held = unit.tx.hold_line_of_stage(stage, &persons).await?;
    let HeldLine { line, terms } = held.ok_or(Error::Missing)?;
    unit.holds(line.package_id);
    let (stages, decisions) = unit.tx.voted(line.id).await?;
    let current = stages
        .iter()
        .find(|row| row.id == stage)
        .cloned()
        .ok_or(Error::Missing)?;
    let policy = requests::read_policy(&terms.policy, line.package_version_id)?;
    let rule = route::rule_of(&current)?;
    let position = usize::try_from(current.position)
        .map_err(|_| Error::internal("a stage before the first"))?;
    let known = route::facts_for(unit, &line, &stages).await?;
    let beneficiary = known.person(line.beneficiary_id)?;
    unit.knows(
        (beneficiary.id, &beneficiary.name),
        (line.package_id, &terms.package_name),
    );
    let facts = known.facts.clone();
    let facts = route::for_stage(facts, &line, &stages, &decisions, &policy, position);
    let facts = route::with_hand_ons(&known, facts, &current);
    let seating = seat(&rule, &facts);
    let Some(seat) = seating
        .seats
        .iter()
        .copied()
        .find(|seat| seat.person == decider)
    else {
        return Err(unseated(decider, &line, &decisions, &facts, &seating));
    };
    if decisions
        .iter()
        .any(|row| row.stage_id == stage && row.decider_id == decider)
    {
        return Err(Refusal::DecidedAlready.into());
    }
    if line.state.is_final() {
        return Err(Refusal::WrongState {
            state: line.state.to_string(),
        }
        .into());
    }
    if current.state != StageState::Open {
        return Err(Refusal::WrongState {
            state: current.state.to_string(),
        }
        .into());
    }
    // In a stage that cannot reach its quorum a vote would only look like progress.
    if seating.is_stuck() {
        return Err(Refusal::MayNotDecide {
            why: DeciderBar::NoSeat,
        }
        .into());
    }
    Ok(Seated {
        line,
        stage: current,
        stages,
        decisions,
        policy,
        seat,
        seating,
        facts,
        known,
    })
}

/// What somebody without a seat is told: the reason if they are party to the line, otherwise that there is no such
/// thing.
fn unseated(
    decider: PersonId,
    line: &LineRow,
    decisions: &[DecisionRow],
    facts: &Facts,
    seating: &Seating,
) -> Error {
    let barred = facts
        .candidates()
        .filter(|candidate| candidate.person == decider)
        .find_map(|candidate| bar(candidate, facts));
    if line.asker_id == decider {
        Refusal::MayNotDecide {
            why: DeciderBar::Asker,
        }
        .into()
    } else if line.beneficiary_id == decider {
        Refusal::MayNotDecide {
            why: DeciderBar::Beneficiary,
        }
        .into()
    } else if decisions.iter().any(|row| row.decider_id == decider) {
        Refusal::DecidedAlready.into()
    } else if route::gave_up(decider, facts, seating) {
        Refusal::MayNotDecide {
            why: DeciderBar::HandedOn,
        }
        .into()
    } else if let Some(why) = barred {
        Refusal::MayNotDecide { why }.into()
    } else {
        Error::Missing
    }
}

pub(crate) fn faults(vote: &Vote, seated: &Seated) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if vote.signed_hash != sign_off(&seated.line, &seated.decisions) {
        refusals.push(Refusal::Changed);
    }
    let length = vote.note.trim().chars().count();
    if vote.verdict == Verdict::Deny && length < REASON_LEAST {
        refusals.push(Refusal::ReasonTooShort {
            least: REASON_LEAST,
        });
    }
    if length > TEXT_MOST {
        refusals.push(Refusal::TooLong {
            field: "note".into(),
            most: TEXT_MOST,
        });
    }
    if let (Verdict::Approve, Some(seconds)) = (vote.verdict, vote.cap_seconds) {
        if seconds < SHORTEST_SECONDS {
            refusals.push(Refusal::TooShortAsked {
                least_seconds: SHORTEST_SECONDS,
            });
        }
        let most = match seated.line.window().length {
            Length::Seconds(asked) => Some(asked),
            Length::Until(_) | Length::Permanent => None,
        };
        if let Some(most_seconds) = most.filter(|most| seconds > *most) {
            refusals.push(Refusal::TooLongAsked { most_seconds });
        }
    }
    refusals
}

async fn cast(unit: &mut Unit, seated: Seated, vote: Vote, fresh: Option<Proof>) -> Result<()> {
    let Seated {
        line,
        stage,
        mut stages,
        mut decisions,
        policy,
        seat,
        seating,
        known,
        ..
    } = seated;
    let now = unit.now;
    let id: DecisionId = unit.new_id();
    let position =
        usize::try_from(stage.position).map_err(|_| Error::internal("a stage before the first"))?;
    let slot = match vote.verdict {
        Verdict::Deny => 0,
        Verdict::Approve => {
            i64::try_from(route::yeses(&stage, &decisions).count()).unwrap_or(i64::MAX - 1) + 1
        }
    };
    // As the stage is seated now: against this the database holds the slot. A yes that no longer counts keeps its own.
    route::note(&mut stages[position], &seating);
    stages[position].needed = stages[position].needed.max(slot);
    let mut written = stages.clone();
    written[position].clone_from(&stage);
    if stages[position] != stage {
        unit.tx.update_stage(&stages[position]).await?;
        written[position].clone_from(&stages[position]);
    }
    let row = DecisionRow {
        id,
        stage_id: stage.id,
        line_id: line.id,
        decider_id: seat.person,
        for_id: seat.behalf,
        slot,
        verdict: vote.verdict,
        via: seat.via,
        note: vote.note.trim().to_owned(),
        cap_seconds: vote
            .cap_seconds
            .filter(|_| vote.verdict == Verdict::Approve),
        signed_hash: vote.signed_hash,
        decided_at: now,
        fresh_id: fresh.map(|proof| proof.id),
    };
    unit.tx.insert_decision(&row).await?;
    let mut after = json!({
        "verdict": row.verdict, "via": row.via, "note": row.note, "cap_seconds": row.cap_seconds,
        "signed": row.signed_hash, "by_subordinates": seating.by_subordinates,
    });
    if let Some(proof) = fresh {
        after["fresh_sign_in"] = proof.said(unit).await?;
    }
    let mut event = Event::new(EventKind::LineDecided, now, Actor::Person(seat.person));
    event.behalf = seat.behalf;
    unit.record(
        event
            .about(line.id)
            .about(line.request_id)
            .about(stage.id)
            .about(id)
            .about(line.beneficiary_id)
            .under(line.package_version_id)
            .changing(json!({"stage": stage.state}), after),
    );
    decisions.push(row.clone());
    match vote.verdict {
        Verdict::Deny => {
            stages[position].state = StageState::Denied;
            stages[position].closed_at = Some(now);
            let ended = Ended {
                state: LineState::Denied,
                actor: Actor::Person(seat.person),
                cause: "denied",
            };
            let denied = std::slice::from_ref(&stages[position]);
            requests::end_decided(unit, &line, ended, denied).await?;
            route::tell_outcome(unit, &line, "Denied", &format!("Reason: {}", row.note)).await
        }
        Verdict::Approve => {
            stages[position].state = tally(seating.yes + 1, seating.needed);
            if stages[position].state == StageState::Met {
                stages[position].closed_at = Some(now);
            }
            route::advance(unit, &line, &policy, stages, written, &decisions, known).await
        }
    }
}

/// The shortest time that deciders said so far, in seconds: what the next one is shown and signs.
pub fn cap_so_far(decisions: &[DecisionRow]) -> Option<i64> {
    shortest_cap(decisions)
}

/// What the next decider of this line signs off, as the page must send it back.
pub fn to_sign(line: &LineRow, decisions: &[DecisionRow]) -> String {
    sign_off(line, decisions)
}
