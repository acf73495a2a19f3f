//! Exceptions: what waits for whom, the register of those in force, one of them, and the form that proposes one.

use std::collections::BTreeSet;

use domain::{
    ConflictId, ExceptionId, PersonId, Timestamp,
    conflict::{Severity, Side},
    exception::{ExceptionEnd, ExceptionState},
    fresh::FreshAct,
    person::PortalRole,
};
use serde::Serialize;
use store::{
    Tx,
    exceptions::{ExceptionQuery, ExceptionRow, NamedExceptionRow},
    people::PeopleQuery,
};

use super::{
    PersonTag,
    conflicts::tag,
    waits::{self, WaitingLine},
};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    conflicts::{rules_of, way},
    exceptions::{acceptor_of, may_confirm, may_propose, may_revoke, takes_part},
    fold::fold,
};

/// The most that one list shows.
const SHOWN: i64 = 200;
/// The most people that a search offers.
const OFFERED: i64 = 12;

/// What waits, what is in force, what is over.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exceptions {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Those that wait for the viewer's word: acceptance, confirmation, or an attestation that is due.
    pub mine: Vec<Waiting>,
    /// Those that wait for somebody else.
    pub waiting: Vec<ExceptionItem>,
    /// Approved requests that wait for one that nobody has proposed.
    pub wanted: Vec<WaitingLine>,
    /// Those in force, soonest end first.
    pub live: Vec<ExceptionItem>,
    /// Those that are over, newest first.
    pub over: Vec<ExceptionItem>,
    /// Whether the viewer reads all of them, not only those that they have a part in.
    pub sees_all: bool,
}

/// One that waits for the viewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Which.
    pub item: ExceptionItem,
    /// What it waits for.
    pub word: WaitsFor,
}

/// What an exception waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The business owner.
    Acceptance,
    /// Security.
    Confirmation,
    /// The owner of the control.
    Attestation,
}

/// One exception in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExceptionItem {
    /// Which.
    pub id: ExceptionId,
    /// The short number (`EX-7`).
    pub number: i64,
    /// The rule.
    pub rule: ConflictId,
    /// Its name.
    pub rule_name: String,
    /// How bad a breach is.
    pub severity: Severity,
    /// The rule's business owner.
    pub owner: PersonTag,
    /// Whom it is about.
    pub person: PersonTag,
    /// Who proposed it.
    pub proposer: PersonTag,
    /// When.
    pub proposed_at: Timestamp,
    /// What is done instead of keeping the sides apart.
    pub control: String,
    /// Who answers for that.
    pub control_owner: PersonTag,
    /// How often it was renewed.
    pub renewals: i64,
    /// Where it stands.
    pub state: ExceptionState,
    /// Its end.
    pub ends_at: Timestamp,
    /// When the control must be attested next.
    pub attest_by: Option<Timestamp>,
    /// When a missed attestation was told.
    pub missed_at: Option<Timestamp>,
    /// When it ended, and why.
    pub ended: Option<(Timestamp, ExceptionEnd)>,
}

/// One exception.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExceptionPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The exception.
    pub item: ExceptionItem,
    /// Why it is needed.
    pub reason: String,
    /// How often the control is attested, in days.
    pub cadence_days: i64,
    /// Why one person must not hold both.
    pub explain: String,
    /// What the person holds of the side that falls at its end.
    pub falls: Vec<String>,
    /// What they hold of the other side.
    pub stays: Vec<String>,
    /// Who accepted it and when.
    pub accepted: Option<(PersonTag, Timestamp)>,
    /// Who confirmed it and when.
    pub confirmed: Option<(PersonTag, Timestamp)>,
    /// Who accepts it, while it waits for that.
    pub acceptor: Option<PersonTag>,
    /// What was attested, newest first.
    pub attestations: Vec<Attested>,
    /// What was said at its end.
    pub end_note: String,
    /// The approved requests that wait for it.
    pub lines: Vec<WaitingLine>,
    /// Whether accepting and confirming it want a fresh sign-in.
    pub fresh: bool,
    /// What the viewer may say now.
    pub may: May,
}

/// What the owner of a control said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attested {
    /// Who.
    pub by: PersonTag,
    /// What, with the evidence.
    pub text: String,
    /// When it was due.
    pub due_at: Timestamp,
    /// When they said it.
    pub at: Timestamp,
}

/// What somebody may say about an exception now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "five independent buttons")]
pub struct May {
    /// Accept it for the business.
    pub accept: bool,
    /// Confirm it for security.
    pub confirm: bool,
    /// Say no, or take it back.
    pub refuse: bool,
    /// End it early.
    pub revoke: bool,
    /// Attest its control.
    pub attest: bool,
    /// Propose it anew.
    pub renew: bool,
}

/// The form that proposes an exception.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProposalForm {
    /// The rule.
    pub rule: ConflictId,
    /// Its name.
    pub name: String,
    /// Why one person must not hold both.
    pub explain: String,
    /// For whom.
    pub person: PersonTag,
    /// What they hold, or would, of one side; the names of its rights if nothing is held yet.
    pub left: Vec<String>,
    /// The same of the other side.
    pub right: Vec<String>,
    /// Who would accept it.
    pub owner: PersonTag,
    /// How often it was renewed, if one is in force.
    pub renewals: Option<i64>,
    /// People found for the search, of whom one owns the control.
    pub found: Vec<PersonTag>,
    /// Who is chosen already.
    pub chosen: Option<PersonTag>,
}

fn sees_all(viewer: &Viewer) -> bool {
    viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor)
}

/// The lists: all for security and auditors, otherwise those that the viewer has a part in.
pub async fn list(workflow: &Workflow, viewer: &Viewer) -> Result<Exceptions> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let page = |over| ExceptionQuery {
        over,
        limit: SHOWN,
        ..ExceptionQuery::default()
    };
    let open = tx.exceptions_page(&page(false)).await?;
    let over = tx.exceptions_page(&page(true)).await?;
    let part = |row: &NamedExceptionRow| {
        sees_all(viewer)
            || row.accepted_by == Some(viewer.id())
            || [
                row.person_id,
                row.proposed_by,
                row.control_owner_id,
                row.owner_id,
            ]
            .contains(&viewer.id())
    };
    let mut page = Exceptions {
        now,
        mine: Vec::new(),
        waiting: Vec::new(),
        wanted: waits::without_proposal(&mut tx, viewer, sees_all(viewer), now).await?,
        live: Vec::new(),
        over: items(over.into_iter().filter(part).collect()),
        sees_all: sees_all(viewer),
    };
    for row in open {
        let part = part(&row);
        let word = waits_for(&mut tx, now, viewer, &row).await?;
        let live = row.state == ExceptionState::Live;
        let item = exception_item(row);
        if let Some(word) = word {
            page.mine.push(Waiting {
                item: item.clone(),
                word,
            });
        }
        if live && part {
            page.live.push(item);
        } else if part && word.is_none() {
            page.waiting.push(item);
        }
    }
    Ok(page)
}

/// How many wait for the viewer's word: for Home.
pub(super) async fn waiting_for(tx: &mut Tx, viewer: &Viewer, now: Timestamp) -> Result<usize> {
    let open = ExceptionQuery {
        limit: SHOWN,
        ..ExceptionQuery::default()
    };
    let mut count = 0;
    for row in tx.exceptions_page(&open).await? {
        count += usize::from(waits_for(tx, now, viewer, &row).await?.is_some());
    }
    Ok(count)
}

async fn waits_for(
    tx: &mut Tx,
    now: Timestamp,
    viewer: &Viewer,
    row: &NamedExceptionRow,
) -> Result<Option<WaitsFor>> {
    let me = viewer.id();
    let near = now + chrono::Duration::days(3);
    if row.state == ExceptionState::Live {
        let due = row
            .attest_by
            .is_some_and(|due| due <= near && due < row.ends_at);
        return Ok((due && row.control_owner_id == me).then_some(WaitsFor::Attestation));
    }
    if row.state == ExceptionState::Accepted && !viewer.has(PortalRole::Security) {
        return Ok(None);
    }
    let (Some(whole), Some(rule)) = (
        tx.exception(row.id).await?,
        tx.conflict(row.conflict_id).await?,
    ) else {
        return Ok(None);
    };
    Ok(match row.state {
        ExceptionState::Proposed if acceptor_of(tx, now, &whole, &rule).await? == Some(me) => {
            Some(WaitsFor::Acceptance)
        }
        ExceptionState::Accepted if may_confirm(tx, now, viewer, &whole).await? => {
            Some(WaitsFor::Confirmation)
        }
        _ => None,
    })
}

/// One exception, for whoever has a part in it.
pub async fn one(workflow: &Workflow, viewer: &Viewer, id: ExceptionId) -> Result<ExceptionPage> {
    let now = workflow.clock().now();
    let mut read = workflow.store().read().await?;
    let tx = &mut read;
    let row = tx.exception(id).await?.ok_or(Error::Missing)?;
    let rule = tx.conflict(row.conflict_id).await?.ok_or(Error::Missing)?;
    let acceptor = match row.state {
        ExceptionState::Proposed => acceptor_of(tx, now, &row, &rule).await?,
        _ => None,
    };
    if !takes_part(viewer, &row, &rule) && acceptor != Some(viewer.id()) {
        return Err(Error::Missing);
    }
    let confirms =
        row.state == ExceptionState::Accepted && may_confirm(tx, now, viewer, &row).await?;
    let live = row.state == ExceptionState::Live;
    let waits = matches!(
        row.state,
        ExceptionState::Proposed | ExceptionState::Accepted
    );
    let accepts = acceptor == Some(viewer.id());
    let proposes = may_propose(tx, viewer, &rule, row.person_id).await?;
    let open = tx.open_exceptions_of(&[row.person_id]).await?;
    let another_waits = open
        .iter()
        .any(|one| one.conflict_id == row.conflict_id && one.state != ExceptionState::Live);
    let may = May {
        accept: accepts,
        confirm: confirms,
        refuse: waits && (accepts || confirms || row.proposed_by == viewer.id()),
        revoke: live && may_revoke(viewer, &row, &rule),
        attest: live && row.control_owner_id == viewer.id(),
        renew: live && proposes && !another_waits && !rule.retired,
    };
    let named = tx
        .exceptions_page(&ExceptionQuery {
            person: Some(row.person_id),
            conflict: Some(row.conflict_id),
            over: row.state == ExceptionState::Ended,
            limit: SHOWN,
        })
        .await?
        .into_iter()
        .find(|one| one.id == id)
        .ok_or(Error::Missing)?;
    let (falls, stays) = both_sides(tx, &row, now).await?;
    let lines = if waits {
        waits::for_exception(tx, viewer, row.conflict_id, row.person_id, now).await?
    } else {
        Vec::new()
    };
    let mut attestations = Vec::new();
    for one in tx.attestations_of(id).await? {
        attestations.push(Attested {
            by: tag(tx, one.by_id).await?,
            text: one.text,
            due_at: one.due_at,
            at: one.attested_at,
        });
    }
    Ok(ExceptionPage {
        now,
        item: exception_item(named),
        cadence_days: row.cadence_seconds / 86_400,
        explain: rule.explain,
        falls,
        stays,
        accepted: said(tx, row.accepted_by, row.accepted_at).await?,
        confirmed: said(tx, row.confirmed_by, row.confirmed_at).await?,
        acceptor: match acceptor {
            Some(id) => Some(tag(tx, id).await?),
            None => None,
        },
        attestations,
        reason: row.reason,
        end_note: row.end_note,
        lines,
        fresh: tx.wants_fresh(FreshAct::Accept, id.0).await?,
        may,
    })
}

async fn said(
    tx: &mut Tx,
    by: Option<PersonId>,
    at: Option<Timestamp>,
) -> Result<Option<(PersonTag, Timestamp)>> {
    match (by, at) {
        (Some(by), Some(at)) => Ok(Some((tag(tx, by).await?, at))),
        _ => Ok(None),
    }
}

async fn both_sides(
    tx: &mut Tx,
    row: &ExceptionRow,
    now: Timestamp,
) -> Result<(Vec<String>, Vec<String>)> {
    let falls = side(tx, row.conflict_id, row.person_id, row.falls, now).await?;
    let stays = side(tx, row.conflict_id, row.person_id, row.falls.other(), now).await?;
    Ok((falls, stays))
}

/// What a person holds of one side of a rule, by name; the names of its rights if they hold nothing of it.
pub(super) async fn side(
    tx: &mut Tx,
    rule: ConflictId,
    person: PersonId,
    side: Side,
    now: Timestamp,
) -> Result<Vec<String>> {
    let rights = tx.conflict_rights(&[rule]).await?;
    let held = tx.held_rights(&[person], now).await?;
    let sides = rules_of(&rights);
    let on = |right| {
        sides
            .iter()
            .any(|rule| rule.sides.get(right) == Some(&side))
    };
    let names: BTreeSet<String> = held
        .iter()
        .filter(|row| on(&row.entitlement_id))
        .map(|row| way(row, &rights))
        .collect();
    if !names.is_empty() {
        return Ok(names.into_iter().collect());
    }
    Ok(rights
        .into_iter()
        .filter(|right| right.side == side)
        .map(|right| right.name)
        .collect())
}

/// The form for a person and a rule; `search` finds people to own the control, `chosen` is who was chosen.
pub async fn form(
    workflow: &Workflow,
    viewer: &Viewer,
    rule: ConflictId,
    person: PersonId,
    search: &str,
    chosen: Option<PersonId>,
) -> Result<ProposalForm> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx
        .conflict(rule)
        .await?
        .filter(|row| !row.retired)
        .ok_or(Error::Missing)?;
    if tx.person(person).await?.is_none() || !may_propose(&mut tx, viewer, &row, person).await? {
        return Err(Error::Missing);
    }
    let live = tx
        .open_exceptions_of(&[person])
        .await?
        .into_iter()
        .find(|one| one.conflict_id == rule && one.state == ExceptionState::Live);
    let words = fold(search);
    let wanted = PeopleQuery {
        text: Some(words.trim().to_owned()),
        state: Some(domain::person::PersonState::Active),
        limit: if words.trim().is_empty() { 0 } else { OFFERED },
        ..PeopleQuery::default()
    };
    let found = tx.people_page(&wanted).await?;
    let chosen = match chosen {
        Some(id) => Some(tag(&mut tx, id).await?).filter(|tag| !tag.name.is_empty()),
        None => None,
    };
    Ok(ProposalForm {
        rule,
        left: side(&mut tx, rule, person, Side::Left, now).await?,
        right: side(&mut tx, rule, person, Side::Right, now).await?,
        person: tag(&mut tx, person).await?,
        owner: tag(&mut tx, row.owner_id).await?,
        name: row.name,
        explain: row.explain,
        renewals: live.map(|one| one.renewals + 1),
        found: found
            .into_iter()
            .filter(|one| one.id != person)
            .map(|one| PersonTag::new(one.id, one.name))
            .collect(),
        chosen,
    })
}

pub(super) fn items(rows: Vec<NamedExceptionRow>) -> Vec<ExceptionItem> {
    rows.into_iter().map(exception_item).collect()
}

fn exception_item(row: NamedExceptionRow) -> ExceptionItem {
    ExceptionItem {
        id: row.id,
        number: row.number,
        rule: row.conflict_id,
        rule_name: row.rule,
        severity: row.severity,
        owner: PersonTag::new(row.owner_id, row.owner),
        person: PersonTag::new(row.person_id, row.person),
        proposer: PersonTag::new(row.proposed_by, row.proposer),
        proposed_at: row.proposed_at,
        control: row.control,
        control_owner: PersonTag::new(row.control_owner_id, row.control_owner),
        renewals: row.renewals,
        state: row.state,
        ends_at: row.ends_at,
        attest_by: row.attest_by,
        missed_at: row.missed_at,
        ended: row.ended_at.zip(row.end_reason),
    }
}
