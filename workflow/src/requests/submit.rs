//! Submitting a request: each of its lines is screened on its own, all faults of all lines are said at once, and then
//! either everything is entered or nothing.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, DraftLineId, PackageId, PersonId, Refusal, RequestId,
    asking::Ticket,
    person::Person,
    policy::Policy,
    request::{Ask, Beside, Length, LineKind, Start, Window, beside},
};
use store::people::AccountRow;

use super::{
    before::{self, Asker},
    enter::{self, Entry},
    extend::held_too_long,
    policy_of,
};
use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    break_glass,
    people::again,
    screening::{self, Subject},
};

/// A request as somebody sends it.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Made with the form: the same form sent fifty times is one request.
    pub key: String,
    /// What is asked for; each line is decided on its own.
    pub lines: Vec<NewLine>,
    /// The lines of the asker's cart that this sends: they are taken out of it.
    pub drafts: Vec<DraftLineId>,
}

/// One package for one person.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// The package.
    pub package: PackageId,
    /// For whom.
    pub beneficiary: PersonId,
    /// On which of their accounts; their usual one if it is not said.
    pub account: Option<AccountId>,
    /// Start and length.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// Answers by question key.
    pub answers: BTreeMap<String, String>,
    /// The asker said that they know what follows; only break-glass needs it.
    pub confirmed: bool,
}

/// The most lines of one request.
pub const LINES_MOST: usize = 50;

/// Submits a request and opens the first stage of each line. Faults of a line come as [`Refusal::InLine`].
pub async fn submit(workflow: &Workflow, viewer: &Viewer, ask: NewRequest) -> Result<RequestId> {
    again(|| submit_once(workflow, viewer, &ask)).await
}

/// What somebody asks for with the form for one package: that package for themselves.
#[derive(Clone, Debug)]
pub struct NewAsk {
    /// The package.
    pub package: PackageId,
    /// Start and length.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// Answers by question key.
    pub answers: BTreeMap<String, String>,
    /// The asker said that they know what follows; only break-glass needs it.
    pub confirmed: bool,
    /// Made with the form: the same form sent fifty times is one request.
    pub key: String,
}

/// Submits a request of one line for the viewer. The faults of that line are those of the form.
pub async fn ask(workflow: &Workflow, viewer: &Viewer, ask: NewAsk) -> Result<RequestId> {
    let request = NewRequest {
        key: ask.key,
        lines: vec![NewLine {
            package: ask.package,
            beneficiary: viewer.id(),
            account: None,
            window: ask.window,
            reason: ask.reason,
            answers: ask.answers,
            confirmed: ask.confirmed,
        }],
        drafts: Vec::new(),
    };
    submit(workflow, viewer, request)
        .await
        .map_err(|error| match error {
            Error::Refused(refusals) => Error::Refused(
                refusals
                    .into_iter()
                    .map(|refusal| match refusal {
                        Refusal::InLine { what, .. } => *what,
                        whole => whole,
                    })
                    .collect(),
            ),
            other => other,
        })
}

/// Everything that would stand against one line if it were sent now. Changes nothing.
pub async fn check(workflow: &Workflow, viewer: &Viewer, line: &NewLine) -> Result<Vec<Refusal>> {
    let mut unit = workflow.unit().await?;
    let person = before::working(&mut unit, viewer.id()).await?;
    // It is looked at because it stands in a cart.
    match look(&mut unit, viewer, &person, line, false).await {
        Ok(_) => Ok(Vec::new()),
        Err(Error::Refused(refusals)) => Ok(refusals),
        Err(error) => Err(error),
    }
}

async fn submit_once(workflow: &Workflow, viewer: &Viewer, ask: &NewRequest) -> Result<RequestId> {
    let mut unit = workflow.unit().await?;
    let asker = viewer.id();
    let packages: BTreeSet<PackageId> = ask.lines.iter().map(|line| line.package).collect();
    let packages: Vec<PackageId> = packages.into_iter().collect();
    let persons: BTreeSet<PersonId> = ask
        .lines
        .iter()
        .map(|line| line.beneficiary)
        .chain([asker])
        .collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    unit.hold(&packages, &persons).await?;
    let person = match before::asking(&mut unit, asker, &ask.key, ask.lines.len()).await? {
        Asker::Known(known) => return Ok(known),
        Asker::By(person) => *person,
    };
    if ask.lines.is_empty() || ask.lines.len() > LINES_MOST {
        return Err(Refusal::NoLines { most: LINES_MOST }.into());
    }
    let alone = ask.lines.len() == 1 && ask.drafts.is_empty();
    let mut refusals = Vec::new();
    let mut entries: Vec<Entry> = Vec::with_capacity(ask.lines.len());
    for (index, line) in ask.lines.iter().enumerate() {
        match look(&mut unit, viewer, &person, line, alone).await {
            Ok(entry) if entries.iter().any(|one| same(one, &entry)) => {
                refusals.push(in_line(index, Refusal::AlreadyAsked));
            }
            Ok(entry) => entries.push(entry),
            Err(Error::Refused(all)) => {
                refusals.extend(all.into_iter().map(|what| in_line(index, what)));
            }
            Err(error) => return Err(error),
        }
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let request = enter::enter(&mut unit, asker, &ask.key, entries).await?;
    for draft in &ask.drafts {
        if unit.tx.draft_line(asker, *draft).await?.is_some() {
            unit.tx.delete_draft_line(*draft).await?;
        }
    }
    if !ask.drafts.is_empty() {
        unit.changed(asker);
    }
    unit.commit().await?;
    Ok(request)
}

fn in_line(index: usize, what: Refusal) -> Refusal {
    Refusal::InLine {
        line: index + 1,
        what: Box::new(what),
    }
}

/// The answers to what this policy asks; a form may send anything.
fn known(answers: &BTreeMap<String, String>, policy: &Policy) -> BTreeMap<String, String> {
    let mut answers = answers.clone();
    answers.retain(|key, _| {
        let ticket = key == Ticket::KEY && policy.asking.ticket.is_some();
        ticket || policy.questions.iter().any(|one| one.key == *key)
    });
    answers
}

/// Whether two lines of a request ask for the same.
fn same(one: &Entry, other: &Entry) -> bool {
    one.beneficiary.id == other.beneficiary.id
        && one.account == other.account
        && one.asked.offer.package_id == other.asked.offer.package_id
}

/// Looks at one line: what it would enter, or everything that stands against it.
async fn look(
    unit: &mut Unit,
    viewer: &Viewer,
    asker: &Person,
    line: &NewLine,
    alone: bool,
) -> Result<Entry> {
    let beneficiary = if line.beneficiary == asker.id {
        asker.clone()
    } else {
        match before::working(unit, line.beneficiary).await {
            Err(Error::Forbidden) => return Err(Refusal::NoAccount.into()),
            other => other?,
        }
    };
    let account = account_of(unit, viewer, &beneficiary, line.account).await?;
    let asked = before::offered(unit, line.package, beneficiary.id, account).await?;
    let policy = policy_of(&asked.offer)?;
    let now = unit.now;
    let held = match asked.held {
        Some(id) => unit.tx.grant(id).await?,
        None => None,
    };
    let mut refusals = Vec::new();
    if let Some(rule) = policy.asking.break_glass {
        let meant = break_glass::Asked {
            asker: asker.id,
            beneficiary: &beneficiary,
            offer: &asked.offer,
            parts: &asked.parts,
            window: line.window,
            alone,
            confirmed: line.confirmed,
            held: held.as_ref().is_some_and(|held| !held.end().passed(now)),
        };
        refusals.extend(break_glass::against(unit, rule, &meant).await?);
    }
    // What is held already becomes more time, held to the limits of what is added.
    let (mut window, mut screened, mut extends) = (line.window, line.window, None);
    if let Some(held) = held {
        match beside(line.window, held.end(), now) {
            Beside::Anew => {}
            Beside::Not(refusal) => refusals.push(refusal),
            Beside::Longer { length, added } => {
                if let Length::Until(until) = length {
                    refusals.extend(held_too_long(&policy, &held, until));
                }
                window = Window {
                    start: Start::OnActivation,
                    length,
                };
                screened = added;
                extends = Some(held);
            }
        }
    }
    let subject = Subject {
        asker,
        beneficiary: &beneficiary,
        offer: &asked.offer,
        policy: &policy,
        parts: &asked.parts,
        asked: Some(Ask {
            window: screened,
            reason: &line.reason,
            answers: &line.answers,
        }),
        extends: extends.as_ref(),
    };
    let screened = screening::screen(&mut unit.tx, now, &subject).await?;
    refusals.splice(0..0, screened.refusals);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let waiting = before::waiting(unit, &asked, beneficiary.id, asker.id).await?;
    Ok(Entry {
        kind: if extends.is_some() {
            LineKind::Extension
        } else {
            LineKind::New
        },
        extends: extends.map(|grant| grant.id),
        beneficiary,
        account,
        window,
        reason: line.reason.trim().to_owned(),
        answers: known(&line.answers, &policy),
        asked,
        policy,
        findings: screened.findings,
        waiting,
    })
}

/// The account that the access goes to: the one that is named, which must be theirs; else the one that somebody who asks
/// for themselves has signed in with.
async fn account_of(
    unit: &mut Unit,
    viewer: &Viewer,
    beneficiary: &Person,
    named: Option<AccountId>,
) -> Result<AccountId> {
    if let Some(id) = named {
        let account = unit.tx.account(id).await?;
        return account
            .filter(|account| account.person_id == beneficiary.id && account.usable())
            .map(|account| account.id)
            .ok_or(Error::Missing);
    }
    if beneficiary.id == viewer.id() {
        return Ok(viewer.account);
    }
    let usual = unit.tx.primary_account_of(beneficiary.id).await?;
    usual
        .filter(AccountRow::usable)
        .map(|account| account.id)
        .ok_or_else(|| Refusal::NoAccount.into())
}
