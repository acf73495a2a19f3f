//! Exceptions in the course of the year: one in force, one that waits for the business, one that waits for security.

use chrono::Duration;
use domain::{ExceptionId, Refusal, conflict::Side};
use sandbox::company;
use workflow::{
    Error,
    exceptions::{self, Proposal, Word},
    fresh::Act,
};

use super::{
    Past,
    actors::{Actors, signed_in_again},
};

/// An exception that somebody proposes, and the words that follow.
#[derive(Debug)]
pub(super) struct Tolerated {
    rule: &'static str,
    person: &'static str,
    proposer: &'static str,
    reason: &'static str,
    control: &'static str,
    control_owner: &'static str,
    cadence_days: i64,
    days: i64,
    says: &'static [Said],
}

/// One word, so many minutes after the proposal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub minutes: i64,
    pub user: &'static str,
    pub word: Word,
    pub note: &'static str,
}

const DAY: i64 = 24 * 60;

const fn said(minutes: i64, user: &'static str, word: Word, note: &'static str) -> Said {
    Said {
        minutes,
        user,
        word,
        note,
    }
}

/// How long before today, and what.
pub(super) const TOLERATED: &[(Duration, Tolerated)] = &[
    (
        Duration::days(22),
        Tolerated {
            rule: "suppliers-and-payments",
            person: "maximiliane.hohenstein",
            proposer: "gunilla.akesson",
            reason: "The supplier desk is one person short until the new colleague begins",
            control: "Every change of bank details is called back by the treasury before a payment",
            control_owner: "lars.eklund",
            cadence_days: 7,
            days: 90,
            says: &[
                said(190, "beatrix.kruger", Word::Accept, ""),
                said(DAY, "elin.berg", Word::Confirm, ""),
                said(
                    7 * DAY,
                    "lars.eklund",
                    Word::Attest,
                    "Called back 14 of 14 changes, list in the treasury folder",
                ),
                said(
                    14 * DAY,
                    "lars.eklund",
                    Word::Attest,
                    "Called back 9 of 9 changes, list in the treasury folder",
                ),
                said(
                    20 * DAY,
                    "lars.eklund",
                    Word::Attest,
                    "Called back 11 of 11 changes, list in the treasury folder",
                ),
            ],
        },
    ),
    (
        Duration::days(2),
        Tolerated {
            rule: "suppliers-and-payments",
            person: "fredrik.sjoberg",
            proposer: "gunilla.akesson",
            reason: "Covers for a colleague during the year-end closing",
            control: "A second accountant reviews each payment run that he prepares",
            control_owner: "gunilla.akesson",
            cadence_days: 14,
            days: 45,
            says: &[said(DAY, "beatrix.kruger", Word::Accept, "")],
        },
    ),
    (
        Duration::hours(20),
        Tolerated {
            rule: "orders-and-refunds",
            person: "claire.obrien",
            proposer: "siobhan.walsh",
            reason: "Night shifts in December have one team lead on duty",
            control: "All refunds of the night are reviewed in the morning",
            control_owner: "siobhan.walsh",
            cadence_days: 7,
            days: 40,
            says: &[],
        },
    ),
];

/// Proposes one. Gives it with the words that follow.
pub(super) async fn propose(
    past: &Past<'_>,
    actors: &Actors,
    tolerated: &Tolerated,
) -> workflow::Result<(ExceptionId, &'static [Said])> {
    let missing = || workflow::Error::Missing;
    let mut tx = past.workflow.store().read().await?;
    let rule = tx
        .all_conflicts()
        .await?
        .into_iter()
        .find(|row| row.key == tolerated.rule)
        .ok_or_else(missing)?;
    drop(tx);
    let known = |user| actors.person(company::user(user));
    let proposer = known(tolerated.proposer).ok_or_else(missing)?;
    let viewer = actors.viewer(past.workflow, proposer).await?;
    let proposal = Proposal {
        rule: rule.id,
        person: known(tolerated.person).ok_or_else(missing)?,
        reason: tolerated.reason.into(),
        control: tolerated.control.into(),
        control_owner: known(tolerated.control_owner),
        cadence_days: tolerated.cadence_days,
        days: tolerated.days,
        falls: Side::Left,
    };
    let id = exceptions::propose(past.workflow, &viewer, &proposal).await?;
    Ok((id, tolerated.says))
}

/// Says one word.
pub(super) async fn say(
    past: &Past<'_>,
    actors: &Actors,
    id: ExceptionId,
    said: Said,
) -> workflow::Result<()> {
    let person = actors
        .person(company::user(said.user))
        .ok_or(workflow::Error::Missing)?;
    let viewer = actors.viewer(past.workflow, person).await?;
    match exceptions::say(past.workflow, &viewer, id, said.word, said.note).await {
        Err(Error::Refused(refusals)) if refusals == [Refusal::WantsFreshSignIn] => {
            let act = Act::Say {
                exception: id,
                word: said.word,
                note: said.note.to_owned(),
            };
            signed_in_again(past.workflow, &viewer, act).await
        }
        other => other,
    }
}
