//! An approved line that breaks a rule waits for its exception, fourteen days at most, and is given in the transaction in which
//! the exception comes into force.
//!
//! Nothing is given from memory: the line goes once more through all that the last yes leads to, as it was signed off. That
//! is done as well where the rule no longer stands in its way, because the other side ended or the rule is gone. A
//! proposal that comes to nothing ends the line.

use std::collections::BTreeSet;

use domain::{
    PackageId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    exception::{ExceptionEnd, ExceptionState},
    request::LineState,
};
use serde_json::json;
use store::{Tx, exceptions::ExceptionRow, requests::LineRow};

use crate::{
    Error, Result, Unit, Workflow,
    conflicts::{self, Against, Clash},
    exceptions::{self, Next},
    frozen::is_as_signed,
    grants::{self, Decided},
    mail::{self, Mail},
    people::again,
    requests, route,
};

/// The rules that stand against a line as its last yes finds them now, worst first; none for portal roles that exclude
/// each other, which no exception covers.
pub(crate) async fn rules(tx: &mut Tx, line: &LineRow, now: Timestamp) -> Result<Vec<Clash>> {
    let added = grants::would_add(tx, line, now).await?;
    Ok(match conflicts::against(tx, &added, now).await? {
        Some(Against::Rules(clashes)) => clashes,
        Some(Against::Roles(_)) | None => Vec::new(),
    })
}

/// Lets a line wait that every stage said yes to, or wait on. Its persons are locked by the caller.
pub(crate) async fn wait(unit: &mut Unit, line: &LineRow, clashes: &[Clash]) -> Result<()> {
    let now = unit.now;
    route::changed(unit, line).await?;
    unit.changed("exceptions");
    if line.waits_since.is_some() {
        return Ok(unit.tx.touch_line(line.id).await?);
    }
    if !unit.tx.let_line_wait(line, now).await? {
        return Err(Error::Stale);
    }
    let waiting = LineRow {
        waits_since: Some(now),
        ..line.clone()
    };
    unit.enqueue(&[requests::lapse_job(&waiting)]);
    let breaks: Vec<_> = clashes
        .iter()
        .map(|clash| json!({"rule": clash.rule, "name": clash.name}))
        .collect();
    unit.record(
        Event::new(EventKind::LineWaits, now, Actor::Portal)
            .about(line.id)
            .about(line.request_id)
            .about(line.beneficiary_id)
            .because("all stages met, and a rule stands against it that no exception covers")
            .under(line.package_version_id)
            .changing(
                json!({"lapse_at": line.lapse_at}),
                json!({"breaks": breaks, "waits_until": waiting.pending().latest()}),
            ),
    );
    tell(unit, &waiting, clashes).await
}

/// Tells whom the line is about what it waits for and from whom, and asks for what nobody has proposed yet.
async fn tell(unit: &mut Unit, line: &LineRow, clashes: &[Clash]) -> Result<()> {
    let now = unit.now;
    let labels = unit
        .tx
        .line_labels(line.beneficiary_id, line.package_id)
        .await?;
    let (person, package) = (labels.person, labels.package);
    let until = line.pending().latest().format("%-d %B %Y").to_string();
    let mut said = Vec::with_capacity(clashes.len());
    for clash in clashes {
        let rule = unit.tx.conflict(clash.rule).await?.ok_or(Error::Missing)?;
        let next = exceptions::next(&mut unit.tx, now, line.beneficiary_id, &rule).await?;
        let names = unit.tx.persons(&next.who).await?;
        let names: Vec<&str> = names.iter().map(|row| row.name.as_str()).collect();
        said.push(format!("“{}”: {}", clash.name, words(&next, &names)));
        if next.exception.is_some() {
            // Whose word is next was told when it was proposed.
            continue;
        }
        let wanted = Mail {
            kind: "exception_wanted",
            subject: format!("A request waits for an exception: {package} for {person}"),
            text: format!(
                "Everybody said yes to {package} for {person} (AR-{}). With what {person} holds it breaks the rule “{}”, so it waits for an exception, until {until} at most.\nPropose one if somebody watches over it instead; without one nothing is given.",
                line.number, clash.name
            ),
            path: format!("/exceptions/new/{}/{}", clash.rule, line.beneficiary_id),
        };
        let mut asked = exceptions::security(&mut unit.tx).await?;
        asked.extend(&next.who);
        asked.sort_unstable();
        asked.dedup();
        let key = format!("wanted:{}:{}", line.id, clash.rule);
        for one in asked {
            if !requests::both(line).contains(&one) {
                mail::queue(unit, one, &key, &wanted);
            }
        }
    }
    let mail = Mail {
        kind: "waits",
        subject: format!("Approved, waits for an exception: {package}"),
        text: format!(
            "Everybody said yes to {package} for {person} (AR-{}). With what {person} holds it breaks a rule, so it waits for an exception.\n{}\nIt is given as soon as the exception is in force. Without that by {until} the request lapses.",
            line.number,
            said.join("\n")
        ),
        path: format!("/requests/{}", line.request_id),
    };
    for one in requests::both(line) {
        mail::queue(unit, one, &format!("waits:{}", line.id), &mail);
    }
    Ok(())
}

/// Whose word an exception needs next, in words.
fn words(next: &Next, names: &[&str]) -> String {
    let names = if names.is_empty() {
        "nobody who may".to_owned()
    } else {
        names.join(", ")
    };
    match &next.exception {
        None => format!("no exception is proposed yet; {names} or security can."),
        Some(row) if row.state == ExceptionState::Proposed => {
            format!(
                "EX-{} waits for {names} to accept it for the business.",
                row.number
            )
        }
        Some(row) => format!("EX-{} waits for security: {names}.", row.number),
    }
}

/// What is held before the people of a person's waiting lines are locked.
#[derive(Debug)]
pub(crate) struct Held {
    person: PersonId,
    packages: BTreeSet<PackageId>,
    people: Vec<PersonId>,
}

impl Held {
    /// Whom to lock: the person, and whoever asked for them.
    pub(crate) fn people(&self) -> &[PersonId] {
        &self.people
    }
}

/// Holds the packages that a person waits for, which come before people in the order of locks.
pub(crate) async fn hold(unit: &mut Unit, person: PersonId) -> Result<Held> {
    let mut held = Held {
        person,
        packages: BTreeSet::new(),
        people: vec![person],
    };
    for line in unit.tx.lines_that_wait(Some(person)).await? {
        held.packages.insert(line.package_id);
        held.people.extend(requests::both(&line));
    }
    for package in &held.packages {
        unit.hold_package(*package).await?;
    }
    held.people.sort_unstable();
    held.people.dedup();
    Ok(held)
}

/// Locks the lines that wait for the person. One that came to wait since, for something or by somebody that is not held,
/// makes all of it stale.
pub(crate) async fn lock(unit: &mut Unit, held: &Held) -> Result<Vec<LineRow>> {
    let mut lines = Vec::new();
    for seen in unit.tx.lines_that_wait(Some(held.person)).await? {
        let known = requests::both(&seen)
            .iter()
            .all(|one| held.people.contains(one));
        if !known || !held.packages.contains(&seen.package_id) {
            return Err(Error::Stale);
        }
        lines.extend(waiting(unit, &seen).await?);
    }
    Ok(lines)
}

async fn waiting(unit: &mut Unit, seen: &LineRow) -> Result<Option<LineRow>> {
    let line = unit.tx.lock_line(seen.id).await?;
    Ok(line.filter(|line| !line.state.is_final() && line.waits_since.is_some()))
}

/// Looks again at lines that wait: what no rule stands against any more is given. Packages, people and lines are locked.
pub(crate) async fn look_again(unit: &mut Unit, lines: &[LineRow]) -> Result<()> {
    for line in lines {
        if line.pending().is_over(unit.now) {
            requests::lapse_line(unit, line).await?;
            continue;
        }
        let offer = unit
            .tx
            .pinned_offer(line.package_version_id)
            .await?
            .ok_or(Error::Missing)?;
        let decisions = unit.tx.decisions(line.id).await?;
        if !is_as_signed(line, offer.number, &decisions) {
            tracing::error!(line.id = %line.id, "line {} is not what its deciders signed off", line.id);
            let why = "What is asked is not what was signed off any more.";
            close(unit, line, Actor::Portal, why).await?;
            continue;
        }
        let policy = requests::policy_of(&offer)?;
        // All that may follow from a yes would make the caller's future as large.
        let decided = Decided {
            line,
            policy: &policy,
            decisions: &decisions,
            stages: &[],
            known: None,
        };
        Box::pin(grants::approve(unit, decided)).await?;
    }
    Ok(())
}

/// Looks again, each in a transaction of their own, at those among these people who wait for an exception, or at everybody who
/// does: the other side may have ended, or the rule be gone.
pub(crate) async fn settle(workflow: &Workflow, people: Option<&[PersonId]>) -> Result<()> {
    let mut tx = workflow.store().read().await?;
    let waiting: BTreeSet<PersonId> = tx
        .lines_that_wait(None)
        .await?
        .into_iter()
        .map(|line| line.beneficiary_id)
        .filter(|person| people.is_none_or(|people| people.contains(person)))
        .collect();
    drop(tx);
    for person in waiting {
        again(|| settle_one(workflow, person)).await?;
    }
    Ok(())
}

async fn settle_one(workflow: &Workflow, person: PersonId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let held = hold(&mut unit, person).await?;
    unit.tx.lock_persons(held.people()).await?;
    let now = unit.now;
    let mut free = Vec::new();
    for line in lock(&mut unit, &held).await? {
        if rules(&mut unit.tx, &line, now).await?.is_empty() {
            free.push(line);
        }
    }
    if free.is_empty() {
        return Ok(());
    }
    look_again(&mut unit, &free).await?;
    unit.commit().await
}

/// A proposal came to nothing: the lines that waited for it end with that reason. The person is locked by the caller.
pub(crate) async fn in_vain(
    unit: &mut Unit,
    row: &ExceptionRow,
    reason: ExceptionEnd,
    actor: Actor,
    note: &str,
) -> Result<()> {
    let now = unit.now;
    for seen in unit.tx.lines_that_wait(Some(row.person_id)).await? {
        let Some(line) = waiting(unit, &seen).await? else {
            continue;
        };
        let stands = rules(&mut unit.tx, &line, now).await?;
        if stands.iter().all(|clash| clash.rule != row.conflict_id) {
            continue;
        }
        let why = came_to_nothing(unit, row, reason, actor, note).await?;
        close(unit, &line, actor, &why).await?;
    }
    Ok(())
}

/// How a proposal came to nothing, in a sentence.
async fn came_to_nothing(
    unit: &mut Unit,
    row: &ExceptionRow,
    reason: ExceptionEnd,
    actor: Actor,
    note: &str,
) -> Result<String> {
    let number = row.number;
    Ok(match (reason, actor) {
        (ExceptionEnd::Refused, Actor::Person(by)) => {
            let did = if by == row.proposed_by {
                "taken back"
            } else {
                "refused"
            };
            let name = unit
                .tx
                .person(by)
                .await?
                .map_or_else(String::new, |person| person.name);
            format!("The exception that it waited for, EX-{number}, was {did} by {name}: “{note}”")
        }
        (ExceptionEnd::PersonLeft, _) => {
            format!("The exception that it waited for, EX-{number}, ended as the person left.")
        }
        _ => format!(
            "The exception that it waited for, EX-{number}, was not in force by its own end."
        ),
    })
}

/// Ends a line that waited in vain, and says why.
async fn close(unit: &mut Unit, line: &LineRow, actor: Actor, why: &str) -> Result<()> {
    unit.tx.say_why(line.id, why).await?;
    requests::end(unit, line, LineState::Withdrawn, actor, why).await?;
    let headline = "Approved, but its exception came to nothing";
    let text = format!("{why}\nNothing is given. You may ask again.");
    route::tell_outcome(unit, line, headline, &text).await
}
