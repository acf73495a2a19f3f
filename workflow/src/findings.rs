//! The standing scan: what people hold now, against what they should not. Each thing has one finding, with an owner and a
//! due date, while it stands.
//!
//! It runs for a person after each change of grants that a rule speaks of, and for everybody each day and after each edition.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveTime};
use domain::{
    AccountId, ConflictId, EntitlementId, FindingId, GrantId, PersonId, Refusal, Timestamp,
    audit::{Actor, Event, EventKind},
    break_glass::Conclusion,
    conflict::{Side, breaches},
    deadline::JobKind,
    exception::ExceptionState,
    finding::{BOOTSTRAPPING, FindingKind, FindingState, due, seen_again},
    grant::{EndReason, GrantSource, GrantState},
    hands::ActBar,
    person::{PersonState, PortalRole, effective_roles},
    request::{REASON_LEAST, TEXT_MOST},
};
use serde_json::json;
use store::{
    conflicts::{ConflictRow, HeldRightRow},
    findings::FindingRow,
    jobs::{NewJob, Priority},
    roles::{RoleRow, RoleSource},
    scans::AstrayRow,
};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    assignments, break_glass,
    conflicts::rules_of,
    exceptions, grants,
    mail::{self, Mail},
    people::again,
    powers, waits,
};

/// The most people that one transaction of a full scan looks at.
const BATCH: i64 = 100;

/// The key of the job that looks at everybody.
const EVERYBODY: &str = "conflict_scan";

fn job(key: String, person: Option<PersonId>, due_at: Timestamp) -> NewJob {
    NewJob {
        key,
        kind: JobKind::ConflictScan,
        subject: person.map(|id| id.0),
        lane: None,
        priority: Priority::Low,
        due_at,
    }
}

/// Has somebody looked at, once this unit is committed.
pub(crate) fn scan_person(unit: &mut Unit, person: PersonId) {
    let now = unit.now;
    unit.enqueue(&[job(format!("{EVERYBODY}:{person}"), Some(person), now)]);
}

/// Has everybody looked at, once this unit is committed.
pub(crate) fn scan_everybody(unit: &mut Unit) {
    let now = unit.now;
    unit.enqueue(&[job(EVERYBODY.to_owned(), None, now)]);
}

/// Sees to it that everybody is looked at next midnight. Called again and again by what comes round by itself.
pub async fn arm_daily(workflow: &Workflow) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let tomorrow = (unit.now.date_naive() + Days::new(1))
        .and_time(NaiveTime::MIN)
        .and_utc();
    unit.enqueue(&[job(EVERYBODY.to_owned(), None, tomorrow)]);
    unit.commit().await
}

/// Looks at people, in id order. The people whom the jobs name, or everybody who may be concerned, batch by batch.
pub(crate) async fn scan(workflow: &Workflow, people: &[PersonId], everybody: bool) -> Result<()> {
    for batch in people.chunks(usize::try_from(BATCH).unwrap_or(1)) {
        looked_at(workflow, batch).await?;
    }
    // What stands against an approved line may have ended.
    Box::pin(waits::settle(workflow, (!everybody).then_some(people))).await?;
    if !everybody {
        return Ok(());
    }
    again(|| async move {
        let mut unit = workflow.unit().await?;
        break_glass::escalate(&mut unit).await?;
        unit.commit().await
    })
    .await?;
    let mut after = None;
    loop {
        let mut tx = workflow.store().read().await?;
        let batch = tx.people_to_scan(after, BATCH).await?;
        drop(tx);
        let Some(last) = batch.last() else {
            return Ok(());
        };
        after = Some(*last);
        looked_at(workflow, &batch).await?;
    }
}

async fn looked_at(workflow: &Workflow, people: &[PersonId]) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        sync(&mut unit, people).await?;
        unit.commit().await
    })
    .await
}

/// One thing that stands.
#[derive(Clone, Debug)]
struct Standing {
    kind: FindingKind,
    person: PersonId,
    account: Option<AccountId>,
    entitlement: Option<EntitlementId>,
    conflict: Option<ConflictId>,
    owner: Option<PersonId>,
    covered: bool,
}

impl Standing {
    fn about(kind: FindingKind, person: PersonId) -> Self {
        Self {
            kind,
            person,
            account: None,
            entitlement: None,
            conflict: None,
            owner: None,
            covered: false,
        }
    }

    fn right(kind: FindingKind, row: &HeldRightRow) -> Self {
        Self {
            account: Some(row.account_id),
            entitlement: Some(row.entitlement_id),
            owner: row.owner_id.filter(|owner| *owner != row.person_id),
            ..Self::about(kind, row.person_id)
        }
    }

    fn subject(&self) -> String {
        let parts = [
            Some(self.person.to_string()),
            self.account.map(|id| id.to_string()),
            self.entitlement.map(|id| id.to_string()),
            self.conflict.map(|id| id.to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Brings the findings about these people to what stands now.
async fn sync(unit: &mut Unit, people: &[PersonId]) -> Result<()> {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    unit.tx.lock_persons(&people).await?;
    let rules: BTreeMap<ConflictId, ConflictRow> = unit
        .tx
        .all_conflicts()
        .await?
        .into_iter()
        .filter(|row| !row.retired)
        .map(|row| (row.id, row))
        .collect();
    exceptions::end_of_leavers(unit, &people).await?;
    let standing = standing(unit, &people, &rules).await?;
    let mut open: BTreeMap<(FindingKind, String), FindingRow> = unit
        .tx
        .open_findings_of(&people)
        .await?
        .into_iter()
        // A review ends by what somebody says, not by what stands.
        .filter(|row| row.kind != FindingKind::BreakGlass)
        .map(|row| ((row.kind, row.subject.clone()), row))
        .collect();
    for one in standing {
        let rule = one.conflict.and_then(|id| rules.get(&id));
        match open.remove(&(one.kind, one.subject())) {
            None => opened(unit, &one, rule).await?,
            Some(row) => {
                let state = seen_again(row.state, one.covered);
                if state != row.state || one.owner != row.owner_id {
                    let changed = FindingRow {
                        state,
                        owner_id: one.owner,
                        ..row.clone()
                    };
                    moved(unit, &row, changed, Actor::Portal, "looked at again").await?;
                }
            }
        }
    }
    for row in open.into_values() {
        let closed = FindingRow {
            state: FindingState::Closed,
            closed_at: Some(unit.now),
            ..row.clone()
        };
        moved(unit, &row, closed, Actor::Portal, "it no longer stands").await?;
    }
    Ok(())
}

async fn standing(
    unit: &mut Unit,
    people: &[PersonId],
    rules: &BTreeMap<ConflictId, ConflictRow>,
) -> Result<Vec<Standing>> {
    let now = unit.now;
    let held: Vec<HeldRightRow> = unit
        .tx
        .held_rights(people, now)
        .await?
        .into_iter()
        .filter(|row| row.state != GrantState::Scheduled)
        .collect();
    let ids: Vec<ConflictId> = rules.keys().copied().collect();
    let sides = rules_of(&unit.tx.conflict_rights(&ids).await?);
    let covers: BTreeSet<(PersonId, ConflictId)> = unit
        .tx
        .open_exceptions_of(people)
        .await?
        .into_iter()
        .filter(|row| row.state == ExceptionState::Live && row.ends_at > now)
        .map(|row| (row.person_id, row.conflict_id))
        .collect();
    let mut found = Vec::new();
    let mut roles: BTreeMap<PersonId, Vec<PortalRole>> = BTreeMap::new();
    let rows = unit.tx.roles_of(people).await?;
    found.extend(unexplained(unit, &rows).await?);
    found.extend(astray(unit, people).await?);
    for row in rows {
        roles.entry(row.person_id).or_default().push(row.role);
    }
    for person in people {
        let rights: BTreeSet<EntitlementId> = held
            .iter()
            .filter(|row| row.person_id == *person)
            .map(|row| row.entitlement_id)
            .collect();
        for breach in breaches(&sides, &rights, &BTreeSet::new()) {
            found.push(Standing {
                conflict: Some(breach.rule),
                owner: rules.get(&breach.rule).map(|rule| rule.owner_id),
                covered: covers.contains(&(*person, breach.rule)),
                ..Standing::about(FindingKind::Conflict, *person)
            });
        }
        let clashes = roles
            .get(person)
            .is_some_and(|held| !effective_roles(held).1.is_empty());
        if clashes {
            found.push(Standing::about(FindingKind::RoleChange, *person));
        }
    }
    let mut said = BTreeSet::new();
    for row in &held {
        let kinds = [
            (row.source == GrantSource::Import, FindingKind::Import),
            (
                row.privileged && row.end_at.is_none(),
                FindingKind::StandingPrivilege,
            ),
            (!row.enabled || row.deleted, FindingKind::Orphan),
        ];
        for (_, kind) in kinds.into_iter().filter(|(so, _)| *so) {
            let one = Standing::right(kind, row);
            // Two grants of one right are one thing that stands.
            if said.insert((kind, one.subject())) {
                found.push(one);
            }
        }
    }
    Ok(found)
}

/// What the targets hold otherwise than grants say, as the newest scans saw it.
async fn astray(unit: &mut Unit, people: &[PersonId]) -> Result<Vec<Standing>> {
    let given = unit.tx.drift_of_people(people).await?;
    let withheld = unit.tx.withheld_of_people(people).await?;
    let stands = |kind: FindingKind| {
        move |row: AstrayRow| Standing {
            account: Some(row.account_id),
            entitlement: Some(row.entitlement_id),
            owner: row.owner_id.filter(|owner| *owner != row.person_id),
            ..Standing::about(kind, row.person_id)
        }
    };
    let given = given.into_iter().map(stands(FindingKind::OutOfBand));
    let withheld = withheld.into_iter().map(stands(FindingKind::Vanished));
    Ok(given.chain(withheld).collect())
}

/// Brings the findings about accounts that belong to nobody here, and hold a right, to what the newest scan saw.
pub(crate) async fn strangers(
    unit: &mut Unit,
    right: EntitlementId,
    owner: Option<PersonId>,
    holders: &BTreeSet<&str>,
) -> Result<()> {
    let open = unit.tx.open_findings_of_strangers(right).await?;
    let now = unit.now;
    let mut known = BTreeSet::new();
    for row in open {
        let holder = row.holder.clone().unwrap_or_default();
        if holders.contains(holder.as_str()) {
            known.insert(holder);
            if row.owner_id != owner {
                let changed = FindingRow {
                    owner_id: owner,
                    ..row.clone()
                };
                moved(unit, &row, changed, Actor::Portal, "looked at again").await?;
            }
            continue;
        }
        let closed = FindingRow {
            state: FindingState::Closed,
            closed_at: Some(now),
            ..row.clone()
        };
        moved(unit, &row, closed, Actor::Portal, "it no longer stands").await?;
    }
    for holder in holders.iter().filter(|holder| !known.contains(**holder)) {
        let row = FindingRow {
            id: unit.new_id(),
            kind: FindingKind::OutOfBand,
            subject: format!("{right} {holder}"),
            person_id: None,
            account_id: None,
            entitlement_id: Some(right),
            conflict_id: None,
            owner_id: owner,
            state: FindingState::Open,
            opened_at: now,
            due_at: due(FindingKind::OutOfBand, None, now),
            closed_at: None,
            noted_by: None,
            note: String::new(),
            version: 0,
            grant_id: None,
            conclusion: None,
            holder: Some((*holder).to_owned()),
        };
        unit.tx.insert_finding(&row).await?;
        unit.record(
            Event::new(EventKind::FindingChanged, now, Actor::Portal)
                .about(row.id)
                .about(right)
                .because("scan")
                .changing(
                    serde_json::Value::Null,
                    json!({"kind": row.kind, "state": row.state, "due": row.due_at, "owner": row.owner_id, "holder": row.holder}),
                ),
        );
        unit.changed("findings");
    }
    Ok(())
}

/// The portal roles that the catalogue offers and that somebody holds in another way, without a grant that explains it.
/// The first administrator of the configuration is one only when the house has had the time to be set up.
async fn unexplained(unit: &mut Unit, rows: &[RoleRow]) -> Result<Vec<Standing>> {
    let offered: BTreeMap<PortalRole, EntitlementId> = unit
        .tx
        .offered_portal_roles()
        .await?
        .into_iter()
        .map(|row| (row.role, row.entitlement_id))
        .collect();
    let (mut found, mut said) = (Vec::new(), BTreeSet::new());
    for row in rows {
        let Some(right) = offered.get(&row.role) else {
            continue;
        };
        let outside = match row.source {
            RoleSource::Grant => false,
            RoleSource::Directory => true,
            RoleSource::Configuration => row.since <= unit.now - BOOTSTRAPPING,
        };
        let granted = rows.iter().any(|one| {
            one.account_id == row.account_id
                && one.role == row.role
                && one.source == RoleSource::Grant
        });
        if outside && !granted && said.insert((row.account_id, row.role)) {
            found.push(Standing {
                account: Some(row.account_id),
                entitlement: Some(*right),
                ..Standing::about(FindingKind::RoleChange, row.person_id)
            });
        }
    }
    Ok(found)
}

async fn opened(unit: &mut Unit, one: &Standing, rule: Option<&ConflictRow>) -> Result<()> {
    let now = unit.now;
    let row = FindingRow {
        id: unit.new_id(),
        kind: one.kind,
        subject: one.subject(),
        person_id: Some(one.person),
        account_id: one.account,
        entitlement_id: one.entitlement,
        conflict_id: one.conflict,
        owner_id: one.owner,
        state: if one.covered {
            FindingState::Excepted
        } else {
            FindingState::Open
        },
        opened_at: now,
        due_at: due(one.kind, rule.map(|rule| rule.severity), now),
        closed_at: None,
        noted_by: None,
        note: String::new(),
        version: 0,
        grant_id: None,
        conclusion: None,
        holder: None,
    };
    unit.tx.insert_finding(&row).await?;
    let mut event = Event::new(EventKind::FindingChanged, now, Actor::Portal)
        .about(row.id)
        .about(one.person)
        .because("scan")
        .changing(
            serde_json::Value::Null,
            json!({"kind": row.kind, "state": row.state, "due": row.due_at, "owner": row.owner_id}),
        );
    for subject in [
        one.conflict.map(|id| id.to_string()),
        one.entitlement.map(|id| id.to_string()),
    ]
    .into_iter()
    .flatten()
    {
        event = event.about(subject);
    }
    unit.record(event);
    unit.changed("findings");
    let (Some(rule), FindingState::Open) = (rule, row.state) else {
        return Ok(());
    };
    let person = unit
        .tx
        .person(one.person)
        .await?
        .map_or_else(String::new, |person| person.name);
    let mail = Mail {
        kind: "finding",
        subject: format!("A rule is broken: {}", rule.name),
        text: format!(
            "{person} holds both sides of “{}”. {}\nIt should be resolved by {}.",
            rule.name,
            rule.explain,
            row.due_at.format("%-d %B %Y")
        ),
        path: format!("/findings/{}", row.id),
    };
    mail::queue(unit, rule.owner_id, &format!("finding:{}", row.id), &mail);
    Ok(())
}

/// Writes a finding that moved on, with its event.
async fn moved(
    unit: &mut Unit,
    before: &FindingRow,
    after: FindingRow,
    actor: Actor,
    cause: &str,
) -> Result<()> {
    if !unit.tx.update_finding(&after).await? {
        return Err(Error::Stale);
    }
    let event = Event::new(EventKind::FindingChanged, unit.now, actor).about(after.id);
    let event = match after.person_id {
        Some(person) => event.about(person),
        None => event,
    };
    unit.record(
        event
            .because(cause)
            .changing(
                json!({"state": before.state, "owner": before.owner_id}),
                json!({"state": after.state, "owner": after.owner_id, "note": after.note, "conclusion": after.conclusion}),
            ),
    );
    unit.changed("findings");
    Ok(())
}

/// Whether somebody sees to a finding: its owner, or security. Never about themselves.
pub fn may_act(viewer: &Viewer, owner: Option<PersonId>, person: Option<PersonId>) -> bool {
    person != Some(viewer.id()) && (owner == Some(viewer.id()) || viewer.has(PortalRole::Security))
}

/// Says that a finding is being removed, and how.
pub async fn being_removed(
    workflow: &Workflow,
    viewer: &Viewer,
    id: FindingId,
    note: &str,
) -> Result<()> {
    written(note)?;
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let row = acting(&mut unit, viewer, id).await?;
        if row.kind == FindingKind::BreakGlass {
            return Err(Error::Missing);
        }
        let changed = FindingRow {
            state: FindingState::BeingRemoved,
            noted_by: Some(viewer.id()),
            note: note.trim().to_owned(),
            ..row.clone()
        };
        let actor = Actor::Person(viewer.id());
        moved(&mut unit, &row, changed, actor, "being removed").await?;
        unit.commit().await
    })
    .await
}

/// Ends what a finding is about, at once: of a broken rule the side that is said, otherwise all ways in which the right is
/// held on the account, imports and what was given out of band too. For whoever sees to the finding.
pub async fn take_away(
    workflow: &Workflow,
    viewer: &Viewer,
    id: FindingId,
    side: Option<Side>,
    note: &str,
) -> Result<()> {
    written(note)?;
    again(|| take_away_once(workflow, viewer, id, side, note.trim())).await
}

async fn take_away_once(
    workflow: &Workflow,
    viewer: &Viewer,
    id: FindingId,
    side: Option<Side>,
    note: &str,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let row = acting(&mut unit, viewer, id).await?;
    let now = unit.now;
    let person = row.person_id.ok_or(Error::Missing)?;
    let held = unit.tx.held_rights(&[person], now).await?;
    let rights: BTreeSet<EntitlementId> = match (row.conflict_id, side) {
        (Some(rule), Some(side)) => unit
            .tx
            .conflict_rights(&[rule])
            .await?
            .into_iter()
            .filter(|right| right.side == side)
            .map(|right| right.entitlement_id)
            .collect(),
        (None, _) => row.entitlement_id.into_iter().collect(),
        (Some(_), None) => return Err(Error::Missing),
    };
    let mut ids: Vec<GrantId> = held
        .iter()
        .filter(|one| {
            rights.contains(&one.entitlement_id)
                && row
                    .account_id
                    .is_none_or(|account| account == one.account_id)
        })
        .map(|one| one.grant_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let given = match (row.kind, row.account_id, row.entitlement_id) {
        (FindingKind::OutOfBand, Some(account), Some(right)) => Some((account, right)),
        _ => None,
    };
    if ids.is_empty() && given.is_none() {
        return Err(Error::Stale);
    }
    if let Some(pair) = given {
        assignments::take_found(&mut unit, &[pair], &id.to_string()).await?;
    }
    let grants = unit.tx.grants_by_ids(&ids).await?;
    powers::administrator_remains(&mut unit, &grants).await?;
    let actor = Actor::Person(viewer.id());
    grants::end_many(
        &mut unit,
        &grants,
        EndReason::Revoked,
        actor,
        Some(note),
        &id.to_string(),
    )
    .await?;
    let changed = FindingRow {
        state: FindingState::BeingRemoved,
        noted_by: Some(viewer.id()),
        note: note.to_owned(),
        ..row.clone()
    };
    moved(&mut unit, &row, changed, actor, "taken away").await?;
    scan_person(&mut unit, person);
    unit.commit().await
}

/// Says of a use of break-glass whether it was right, which ends its review. What was not right ends now, if it lasts still.
pub async fn conclude(
    workflow: &Workflow,
    viewer: &Viewer,
    id: FindingId,
    conclusion: Conclusion,
    note: &str,
) -> Result<()> {
    written(note)?;
    again(|| conclude_once(workflow, viewer, id, conclusion, note.trim())).await
}

async fn conclude_once(
    workflow: &Workflow,
    viewer: &Viewer,
    id: FindingId,
    conclusion: Conclusion,
    note: &str,
) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let row = acting(&mut unit, viewer, id).await?;
    let grant = row.grant_id.ok_or(Error::Missing)?;
    let above = unit.tx.managers_above(&[viewer.id()]).await?;
    if above.iter().any(|one| Some(one.above_id) == row.person_id) {
        let why = ActBar::Superior;
        return Err(Refusal::MayNotAct { why }.into());
    }
    let actor = Actor::Person(viewer.id());
    if conclusion == Conclusion::NotJustified {
        let live: Vec<_> = unit
            .tx
            .grants_by_ids(&[grant])
            .await?
            .into_iter()
            .filter(|grant| grant.state != GrantState::Ended)
            .collect();
        let cause = id.to_string();
        grants::end_many(
            &mut unit,
            &live,
            EndReason::Revoked,
            actor,
            Some(note),
            &cause,
        )
        .await?;
    }
    let closed = FindingRow {
        state: FindingState::Closed,
        closed_at: Some(unit.now),
        noted_by: Some(viewer.id()),
        note: note.to_owned(),
        conclusion: Some(conclusion),
        ..row.clone()
    };
    moved(&mut unit, &row, closed, actor, "reviewed").await?;
    unit.commit().await
}

/// A note that says something.
fn written(note: &str) -> Result<()> {
    let length = note.trim().chars().count();
    if length < REASON_LEAST {
        let least = REASON_LEAST;
        return Err(Refusal::ReasonTooShort { least }.into());
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

/// The finding, if it is open and the viewer may act on it now. Locks whom it is about.
async fn acting(unit: &mut Unit, viewer: &Viewer, id: FindingId) -> Result<FindingRow> {
    let seen = unit.tx.finding(id).await?.ok_or(Error::Missing)?;
    let whom: Vec<PersonId> = seen.person_id.into_iter().collect();
    unit.tx.lock_persons(&whom).await?;
    let row = unit.tx.finding(id).await?.ok_or(Error::Missing)?;
    if !may_act(viewer, row.owner_id, row.person_id) {
        return Err(Error::Missing);
    }
    if row.state == FindingState::Closed {
        return Err(Refusal::WrongState {
            state: row.state.to_string(),
        }
        .into());
    }
    Ok(row)
}

/// Whether somebody works here, as far as the directory says.
pub(crate) async fn gone(unit: &mut Unit, person: PersonId) -> Result<bool> {
    Ok(unit
        .tx
        .person(person)
        .await?
        .is_none_or(|row| row.state == PersonState::Left))
}
