//! What an ask waits for that breaks a rule: for each rule the exception, as far as there is one, and from whom by name.

use domain::{
    ConflictId, ExceptionId, LineId, PersonId, RequestId, Timestamp, conflict::Severity,
    exception::ExceptionState,
};
use serde::Serialize;
use store::{Tx, requests::LineRow};

use super::{PersonTag, conflicts::tag, exceptions::side, sight::may_see_line};
use crate::{
    Error, Result,
    access::Viewer,
    conflicts::Clash,
    exceptions::{Next, acceptor_of, may_propose, next, takes_part},
    waits,
};

/// The most names that are said of those whose word is next.
const NAMES: usize = 8;

/// A rule in whose way something stands until an exception is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wanted {
    /// The rule.
    pub rule: ConflictId,
    /// Its name.
    pub name: String,
    /// How bad a breach is.
    pub severity: Severity,
    /// What the person holds on the other side.
    pub held: Vec<String>,
    /// About whom it is.
    pub person: PersonId,
    /// The exception that is proposed, if one is.
    pub proposed: Option<Proposed>,
    /// Whose word is next: who accepts it, who confirms it, or who can propose it besides the person and security.
    pub next: Vec<PersonTag>,
    /// Whether the viewer may propose one.
    pub may_propose: bool,
}

/// An exception that is proposed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposed {
    /// Which.
    pub id: ExceptionId,
    /// The short number (`EX-7`).
    pub number: i64,
    /// Where it stands.
    pub state: ExceptionState,
    /// Why it is needed.
    pub reason: String,
    /// What is done instead of keeping the sides apart.
    pub control: String,
    /// Who answers for that.
    pub control_owner: PersonTag,
    /// How often they attest, in days.
    pub cadence_days: i64,
    /// Its end.
    pub ends_at: Timestamp,
    /// What falls at its end.
    pub falls: Vec<String>,
    /// Whether the viewer may read its own page.
    pub seen: bool,
}

/// An approved line that waits for an exception that nobody has proposed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitingLine {
    /// Which.
    pub line: LineId,
    /// The request, if the viewer may see it.
    pub request: Option<RequestId>,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// The package's name.
    pub package: String,
    /// For whom.
    pub person: PersonTag,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it lapses.
    pub until: Timestamp,
    /// The rule.
    pub wanted: Wanted,
}

/// What a line that waits for its exception waits for; nothing for any other.
pub(super) async fn of(
    tx: &mut Tx,
    viewer: &Viewer,
    id: LineId,
    now: Timestamp,
) -> Result<Vec<Wanted>> {
    let line = tx.line(id).await?.ok_or(Error::Missing)?;
    if line.waits_since.is_none() || line.state.is_final() {
        return Ok(Vec::new());
    }
    let clashes = waits::rules(tx, &line, now).await?;
    wanted(tx, viewer, line.beneficiary_id, &clashes, now).await
}

/// What these clashes of a person wait for; those that an exception covers, or that nothing held stands behind, left out.
pub(super) async fn wanted(
    tx: &mut Tx,
    viewer: &Viewer,
    person: PersonId,
    clashes: &[Clash],
    now: Timestamp,
) -> Result<Vec<Wanted>> {
    let mut found = Vec::with_capacity(clashes.len());
    for clash in clashes.iter().filter(|clash| !clash.covered) {
        let Some(rule) = tx.conflict(clash.rule).await? else {
            continue;
        };
        let Next { exception, who } = next(tx, now, person, &rule).await?;
        let mut names = Vec::new();
        for id in who.into_iter().take(NAMES) {
            names.push(tag(tx, id).await?);
        }
        let proposed = match exception {
            Some(row) => Some(Proposed {
                seen: takes_part(viewer, &row, &rule)
                    || acceptor_of(tx, now, &row, &rule).await? == Some(viewer.id()),
                control_owner: tag(tx, row.control_owner_id).await?,
                falls: side(tx, rule.id, person, row.falls, now).await?,
                id: row.id,
                number: row.number,
                state: row.state,
                reason: row.reason,
                control: row.control,
                cadence_days: row.cadence_seconds / 86_400,
                ends_at: row.ends_at,
            }),
            None => None,
        };
        found.push(Wanted {
            rule: clash.rule,
            name: clash.name.clone(),
            severity: clash.severity,
            held: clash.held.clone(),
            person,
            may_propose: proposed.is_none() && may_propose(tx, viewer, &rule, person).await?,
            proposed,
            next: names,
        });
    }
    Ok(found)
}

/// The lines that wait for an exception that nobody has proposed, as far as the viewer may propose it or sees all.
pub(super) async fn without_proposal(
    tx: &mut Tx,
    viewer: &Viewer,
    sees_all: bool,
    now: Timestamp,
) -> Result<Vec<WaitingLine>> {
    let mut found = Vec::new();
    for line in tx.lines_that_wait(None).await? {
        let clashes = waits::rules(tx, &line, now).await?;
        for wanted in wanted(tx, viewer, line.beneficiary_id, &clashes, now).await? {
            if wanted.proposed.is_none() && (sees_all || wanted.may_propose) {
                found.push(waiting_line(tx, viewer, &line, wanted).await?);
            }
        }
    }
    Ok(found)
}

/// The lines that wait for an exception from a rule for a person.
pub(super) async fn for_exception(
    tx: &mut Tx,
    viewer: &Viewer,
    rule: ConflictId,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<WaitingLine>> {
    let mut found = Vec::new();
    for line in tx.lines_that_wait(Some(person)).await? {
        let clashes = waits::rules(tx, &line, now).await?;
        let here = wanted(tx, viewer, person, &clashes, now).await?;
        if let Some(wanted) = here.into_iter().find(|wanted| wanted.rule == rule) {
            found.push(waiting_line(tx, viewer, &line, wanted).await?);
        }
    }
    Ok(found)
}

async fn waiting_line(
    tx: &mut Tx,
    viewer: &Viewer,
    line: &LineRow,
    wanted: Wanted,
) -> Result<WaitingLine> {
    let labels = tx.line_labels(line.beneficiary_id, line.package_id).await?;
    let seen = may_see_line(tx, viewer, line.id, line.asker_id, line.beneficiary_id).await?;
    Ok(WaitingLine {
        line: line.id,
        request: seen.then_some(line.request_id),
        number: line.number,
        package: labels.package,
        person: PersonTag::new(line.beneficiary_id, labels.person),
        since: line.waits_since.unwrap_or(line.submitted_at),
        until: line.pending().latest(),
        wanted,
    })
}
