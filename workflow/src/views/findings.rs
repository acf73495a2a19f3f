//! What stands and should not: findings with owner, age, due date and state, and how one could be resolved.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ConflictId, ExceptionId, FindingId, GrantId, PersonId, RequestId, Timestamp,
    asking::Ticket,
    break_glass::Conclusion,
    conflict::{Severity, Side, breaches},
    exception::ExceptionState,
    finding::{FindingKind, FindingState},
    grant::{End, GrantSource, GrantState},
    person::PortalRole,
};
use serde::Serialize;
use store::{
    Tx,
    conflicts::HeldRightRow,
    findings::{FindingQuery, NamedFindingRow},
};

use super::{Cursor, PersonTag};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    conflicts::{rules_of, way},
    findings::may_act,
    requests::policy_of,
};

/// How many one page shows.
const PAGE: i64 = 50;

/// What a list of findings is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this kind.
    pub kind: Option<FindingKind>,
    /// Only in this state; none means all that are not closed.
    pub state: Option<FindingState>,
    /// Only those that the viewer has to act on. Others are shown to security and auditors alone.
    pub mine: bool,
    /// From where on.
    pub after: Option<Cursor>,
}

/// A list of findings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The findings, those due soonest first.
    pub findings: Vec<FindingItem>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// Whether the viewer may see those of others.
    pub sees_all: bool,
    /// Whether only the viewer's own are shown.
    pub mine: bool,
}

/// One finding in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingItem {
    /// Which.
    pub id: FindingId,
    /// What was found.
    pub kind: FindingKind,
    /// Whom it is about; none for an account that belongs to nobody here.
    pub person: Option<PersonTag>,
    /// The target's own id of such an account.
    pub holder: Option<String>,
    /// The rule's or the right's name; empty for portal roles.
    pub what: String,
    /// How bad, for a broken rule.
    pub severity: Option<Severity>,
    /// Who has to act; none means security.
    pub owner: Option<PersonTag>,
    /// Where it stands.
    pub state: FindingState,
    /// Since when.
    pub opened_at: Timestamp,
    /// By when it should be gone.
    pub due_at: Timestamp,
    /// When it was gone.
    pub closed_at: Option<Timestamp>,
    /// What was said about it last.
    pub note: String,
    /// What was said of a use of break-glass.
    pub conclusion: Option<Conclusion>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The finding.
    pub finding: FindingItem,
    /// For a broken rule: the rule, and what could be given up.
    pub conflict: Option<Standing>,
    /// How the right is held, where it is about one right.
    pub ways: Vec<WayHeld>,
    /// Whether the viewer sees to it.
    pub may_act: bool,
    /// Whether the viewer may open the rule's page.
    pub sees_rule: bool,
    /// The use of break-glass that is to be reviewed.
    pub used: Option<Used>,
}

/// One use of break-glass, for whoever reviews it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Used {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Whether it lasts still.
    pub lasts: bool,
    /// What the person said it was for.
    pub reason: String,
    /// Their ticket, and where it leads.
    pub ticket: Option<(String, Option<String>)>,
    /// The request that it began with.
    pub request: RequestId,
    /// Its number, as people say it.
    pub number: i64,
}

/// A rule that stands broken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// The rule.
    pub rule: ConflictId,
    /// Why one person must not hold both.
    pub explain: String,
    /// What is held of one side.
    pub left: Vec<WayHeld>,
    /// What is held of the other.
    pub right: Vec<WayHeld>,
    /// Which side would take least away.
    pub cheapest: Side,
    /// The exception that covers it, or that waits.
    pub exception: Option<(ExceptionId, ExceptionState)>,
    /// Whether the viewer may propose an exception.
    pub may_propose: bool,
}

/// One way in which something is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct WayHeld {
    /// The package's name, or the right's where it was found at a target.
    pub name: String,
    /// Where it comes from.
    pub source: GrantSource,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none for without end.
    pub until: Option<Timestamp>,
}

impl WayHeld {
    /// The end as its own type.
    pub fn end(&self) -> End {
        self.until.map_or(End::Permanent, End::At)
    }
}

fn sees_all(viewer: &Viewer) -> bool {
    viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor)
}

/// A list of findings: all for security and auditors, otherwise those that the viewer owns.
pub async fn list(workflow: &Workflow, viewer: &Viewer, wanted: &Wanted) -> Result<Findings> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let mine = wanted.mine || !sees_all(viewer);
    let after = wanted.after.as_ref().and_then(Cursor::time);
    let mut rows = tx
        .findings_page(&FindingQuery {
            kind: wanted.kind,
            state: wanted.state,
            owner: mine.then(|| viewer.id()),
            after: after.map(|(due, id)| (due, FindingId(id))),
            limit: PAGE + 1,
            ..FindingQuery::default()
        })
        .await?;
    // Nobody sees to what is about themselves.
    let more = i64::try_from(rows.len()).unwrap_or(0) > PAGE;
    rows.truncate(usize::try_from(PAGE).unwrap_or(0));
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| Cursor::by_time(row.due_at, row.id.0));
    Ok(Findings {
        now,
        findings: rows.into_iter().map(item).collect(),
        next,
        sees_all: sees_all(viewer),
        mine,
    })
}

/// One finding, for its owner, security and auditors.
pub async fn one(workflow: &Workflow, viewer: &Viewer, id: FindingId) -> Result<FindingPage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx
        .findings_page(&FindingQuery {
            id: Some(id),
            limit: 1,
            ..FindingQuery::default()
        })
        .await?
        .pop()
        .ok_or(Error::Missing)?;
    let acts = may_act(viewer, row.owner_id, row.person_id);
    if !acts && !sees_all(viewer) {
        return Err(Error::Missing);
    }
    let whom: Vec<PersonId> = row.person_id.into_iter().collect();
    let held: Vec<HeldRightRow> = tx
        .held_rights(&whom, now)
        .await?
        .into_iter()
        .filter(|one| one.state != GrantState::Scheduled)
        .collect();
    let conflict = match (row.conflict_id, row.person_id) {
        (Some(rule), Some(person)) => standing(&mut tx, viewer, rule, person, &held).await?,
        _ => None,
    };
    let name = row.entitlement.clone().unwrap_or_default();
    let ways = held
        .iter()
        .filter(|one| Some(one.entitlement_id) == row.entitlement_id)
        .map(|one| WayHeld {
            name: if one.package_id.is_some() {
                one.package_name.clone()
            } else {
                name.clone()
            },
            ..held_by(one)
        })
        .collect();
    let used = match row.grant_id {
        None => None,
        Some(grant) => used(&mut tx, grant).await?,
    };
    let open = row.state != FindingState::Closed;
    let sees_rule = sees_all(viewer) || row.owner_id == Some(viewer.id());
    Ok(FindingPage {
        now,
        may_act: acts && open,
        sees_rule,
        conflict,
        ways,
        used,
        finding: item(row),
    })
}

async fn standing(
    tx: &mut Tx,
    viewer: &Viewer,
    rule: ConflictId,
    person: PersonId,
    held: &[HeldRightRow],
) -> Result<Option<Standing>> {
    let Some(row) = tx.conflict(rule).await? else {
        return Ok(None);
    };
    let rights = tx.conflict_rights(&[rule]).await?;
    let holds = held.iter().map(|one| one.entitlement_id).collect();
    let breach = breaches(&rules_of(&rights), &holds, &BTreeSet::new()).pop();
    let side = |side: Side| -> Vec<WayHeld> {
        let Some(breach) = &breach else {
            return Vec::new();
        };
        let ways: BTreeSet<WayHeld> = held
            .iter()
            .filter(|one| breach.side(side).contains(&one.entitlement_id))
            .map(|one| WayHeld {
                name: way(one, &rights),
                ..held_by(one)
            })
            .collect();
        ways.into_iter().collect()
    };
    let exception = tx
        .open_exceptions_of(&[person])
        .await?
        .into_iter()
        .filter(|one| one.conflict_id == rule)
        .map(|one| (one.id, one.state))
        .next_back();
    let (left, right) = (side(Side::Left), side(Side::Right));
    let may = crate::exceptions::may_propose(tx, viewer, &row, person).await?;
    let waits = exception.is_some_and(|(_, state)| state != ExceptionState::Live);
    Ok(Some(Standing {
        rule,
        explain: row.explain,
        left,
        right,
        cheapest: breach
            .as_ref()
            .map_or(Side::Right, domain::conflict::Breach::cheapest),
        exception,
        may_propose: may && !waits && !row.retired,
    }))
}

fn held_by(row: &HeldRightRow) -> WayHeld {
    WayHeld {
        name: String::new(),
        source: row.source,
        since: row.valid_from,
        until: row.end_at,
    }
}

pub(super) fn item(row: NamedFindingRow) -> FindingItem {
    FindingItem {
        id: row.id,
        kind: row.kind,
        person: row
            .person_id
            .map(|id| PersonTag::new(id, row.person.unwrap_or_default())),
        holder: row.holder,
        what: row
            .rule
            .or(row.package)
            .or(row.entitlement)
            .unwrap_or_default(),
        severity: row.severity,
        owner: row
            .owner_id
            .map(|id| PersonTag::new(id, row.owner.unwrap_or_default())),
        state: row.state,
        opened_at: row.opened_at,
        due_at: row.due_at,
        closed_at: row.closed_at,
        note: row.note,
        conclusion: row.conclusion,
    }
}

/// The use that a review is about.
async fn used(tx: &mut Tx, grant: GrantId) -> Result<Option<Used>> {
    let Some(grant) = tx.grant(grant).await? else {
        return Ok(None);
    };
    let Some(line) = grant.line_id else {
        return Ok(None);
    };
    let Some(line) = tx.line(line).await? else {
        return Ok(None);
    };
    let offer = tx.pinned_offer(line.package_version_id).await?;
    let policy = offer.as_ref().map(policy_of).transpose()?;
    let answers: BTreeMap<String, String> = serde_json::from_str(&line.answers)?;
    let ticket = policy
        .and_then(|policy| policy.asking.ticket)
        .zip(
            answers
                .get(Ticket::KEY)
                .filter(|said| !said.trim().is_empty()),
        )
        .map(|(ticket, said)| (said.trim().to_owned(), ticket.link(said)));
    Ok(Some(Used {
        from: grant.valid_from,
        until: grant.ended_at.or(grant.end_at),
        lasts: grant.state != GrantState::Ended,
        reason: line.reason,
        ticket,
        request: line.request_id,
        number: line.number,
    }))
}
