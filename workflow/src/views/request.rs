//! One request: its timeline, what the viewer may do, and its whole evidence.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AssignmentId, GrantId, LineId, OperationId, PersonId, RequestId, StageId, Timestamp,
    approval::StageState,
    assignment::{Observed, Phase},
    deadline::Warning,
    grant::{End, EndReason, GrantState, Health},
    policy::{ApproverRule, Policy, StageRule},
    request::{LineKind, LineState, Window},
};
use serde::Serialize;
use store::{
    Tx,
    requests::StageRow,
    views::{
        grants::{HeldPartRow, HeldRow},
        lines::NamedSeatRow,
        request::{CallRow, FullLineRow, NamedVoteRow},
    },
};

use super::{
    Answer, Deciders, Entry, Mark, PackageTag, PersonTag, SeatView, Standing, Vote, audit,
    make::{self, GrantFacts},
    seating::Bench,
    sight::{may_see_line, sees_target},
    timeline::{Given, steps},
};
use crate::{Error, Result, Workflow, access::Viewer, assignments::Problem, frozen::hex};

/// Names that are shown of an open stage.
const SEATS: i64 = 100;
/// Calls at targets that are shown of a grant.
const CALLS: i64 = 50;
/// Audit entries that the evidence of one request shows.
const TRAIL: i64 = 1000;

/// A request's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Which.
    pub id: RequestId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Who asked.
    pub asker: PersonTag,
    /// Whether the viewer asked.
    pub mine: bool,
    /// When.
    pub at: Timestamp,
    /// Its lines.
    pub lines: Vec<LineView>,
    /// Grows with every change of any line, its grant or its assignments: a page that shows a smaller one is old.
    pub version: i64,
    /// What to listen to for changes: printed ids.
    pub topics: Vec<String>,
}

/// One line of a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineView {
    /// Which.
    pub id: LineId,
    /// Something new or more time.
    pub kind: LineKind,
    /// What is asked for.
    pub package: PackageTag,
    /// What it opens, line by line, in the edition that was asked for.
    pub opens: Vec<String>,
    /// The edition's number.
    pub edition: i64,
    /// The longest that the edition allows, in seconds.
    pub longest_seconds: i64,
    /// Who owns the package.
    pub owners: Vec<PersonTag>,
    /// For whom.
    pub beneficiary: PersonTag,
    /// The sign-in name of the account that it goes to; a label.
    pub account: String,
    /// Start and length, as asked.
    pub window: Window,
    /// The business reason.
    pub reason: String,
    /// The package's questions with the answers.
    pub answers: Vec<Answer>,
    /// Where the line itself stands.
    pub state: LineState,
    /// Where it stands, with its grant and its targets.
    pub standing: Standing,
    /// When it lapses while nobody decides.
    pub lapse_at: Timestamp,
    /// What happened and what will, in order.
    pub steps: Vec<Step>,
    /// The grant that it led to.
    pub grant: Option<GrantId>,
    /// The grant that it extends.
    pub extends: Option<GrantId>,
    /// The grant's rights at their targets, with what was done there.
    pub parts: Vec<PartView>,
    /// Whether the viewer may take it back.
    pub may_cancel: bool,
    /// Whether the viewer may ask for more time on the grant.
    pub may_extend: bool,
    /// Whether the viewer may give the grant back.
    pub may_give_back: bool,
    /// The stage that waits for the viewer's decision, if one does.
    pub may_decide: Option<StageId>,
    /// What deciders sign off: the whole hash (hex) of person, account, package edition, window, reason and answers.
    pub sign_off: String,
}

impl LineView {
    /// The first and last four digits of the hash, as printed beside the buttons.
    pub fn sign_off_short(&self) -> String {
        super::common::short_hash(&self.sign_off)
    }
}

/// One step of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// How it is drawn.
    pub mark: Mark,
    /// When it happened, or since when it is under way; for what lies ahead the instant if it is known.
    pub at: Option<Timestamp>,
    /// What it is.
    pub what: What,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum What {
    /// It was asked.
    Asked {
        /// By whom.
        by: PersonTag,
        /// Why.
        reason: String,
    },
    /// It was checked before anybody decided.
    Checked {
        /// The conditions that were met, in the policy's words; empty means that everybody is eligible.
        eligible: Vec<String>,
        /// The department at that time.
        department: String,
        /// The employee type at that time.
        employee_type: String,
        /// Who decides, stage by stage.
        stages: Vec<ApproverRule>,
    },
    /// A stage of the route.
    Stage(StageView),
    /// All stages said yes.
    Approved {
        /// Whether by policy, without anybody.
        by_policy: bool,
    },
    /// The line ended without a decision: cancelled, lapsed, superseded or withdrawn. A denial is told by its stage.
    Closed {
        /// How.
        state: LineState,
        /// By whom, if a person.
        by: Option<PersonTag>,
    },
    /// An extension takes effect.
    Extended {
        /// The end now.
        end: Option<End>,
    },
    /// Approved, but there was no time left to give.
    NothingGiven,
    /// The grant begins later.
    Starts,
    /// The targets are being changed.
    SetUp {
        /// How many rights are confirmed.
        confirmed: usize,
        /// How many there are.
        of: usize,
        /// Whether something is stuck.
        attention: bool,
    },
    /// Every target has confirmed it.
    Ready,
    /// The holder is told that the end is near.
    Warned {
        /// Which warning.
        warning: Warning,
    },
    /// The grant ends, or ended.
    Ends {
        /// Why it ended; none while it lies ahead.
        reason: Option<EndReason>,
        /// By whom, if a person.
        by: Option<PersonTag>,
        /// What they wrote.
        note: Option<String>,
    },
    /// Every target has confirmed that it is gone, or will.
    Gone {
        /// How the grant stands once it is over.
        health: Health,
    },
}

/// One stage of the route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageView {
    /// Which.
    pub id: StageId,
    /// From 0.
    pub position: i64,
    /// The rule.
    pub rule: ApproverRule,
    /// Where it stands.
    pub state: StageState,
    /// How many must say yes.
    pub needed: i64,
    /// Who can decide while it is open; who would, while it waits.
    pub seats: Vec<SeatView>,
    /// Whether the fallback chain is seated.
    pub fallback: bool,
    /// Whether only subordinates were left: decided by subordinates.
    pub by_subordinates: bool,
    /// Whether nobody can decide.
    pub stuck: bool,
    /// When it opened.
    pub opened_at: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// The votes, oldest first.
    pub votes: Vec<Vote>,
}

/// One right of the grant at its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartView {
    /// The assignment; none while nothing was begun.
    pub assignment: Option<AssignmentId>,
    /// The right's name.
    pub entitlement: String,
    /// The target's name.
    pub target: String,
    /// Whether it should be there.
    pub desired: bool,
    /// What the target last told us.
    pub observed: Observed,
    /// When it told us.
    pub observed_at: Option<Timestamp>,
    /// Where converging stands.
    pub phase: Phase,
    /// What is wrong and what to do; for operators, security and auditors only.
    pub problem: Option<Problem>,
    /// How long a change takes to bite, in seconds.
    pub effective_within_seconds: i64,
    /// What was done there since the grant was made, oldest first, at most fifty.
    pub operations: Vec<OperationView>,
}

/// One call at a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationView {
    /// Which.
    pub id: OperationId,
    /// `read`, `add` or `remove`.
    pub kind: String,
    /// `present`, `absent`, `done`, `already`, `later`, `never` or `misconfigured`.
    pub outcome: String,
    /// The HTTP status.
    pub status: Option<i64>,
    /// The target's own id of the call; for operators, security and auditors only.
    pub request_id: Option<String>,
    /// The id that we sent with it; for operators, security and auditors only.
    pub client_request_id: Option<String>,
    /// What the target said; for operators, security and auditors only.
    pub detail: String,
    /// When.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// A request with the audit entries of its lines, grants and assignments: one printable page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestEvidence {
    /// The page.
    pub page: RequestPage,
    /// Every audit entry about it, oldest first, at most a thousand.
    pub trail: Vec<Entry>,
    /// The hash of the log's last entry when this was read, hex, and its position: ties the page to the chain.
    pub head: (i64, String),
}

/// Reads one request. For the asker, the beneficiary, those who decide or decided, owners of the package, those above the
/// beneficiary, security and auditors; for anybody else there is no such request.
pub async fn load(workflow: &Workflow, viewer: &Viewer, id: RequestId) -> Result<RequestPage> {
    let mut tx = workflow.store().read().await?;
    let now = workflow.clock().now();
    Ok(page(&mut tx, viewer, id, now).await?.0)
}

/// Reads one request with its whole audit trail.
pub async fn evidence(
    workflow: &Workflow,
    viewer: &Viewer,
    id: RequestId,
) -> Result<RequestEvidence> {
    let mut tx = workflow.store().read().await?;
    let now = workflow.clock().now();
    let (page, grants) = page(&mut tx, viewer, id, now).await?;
    let mut about: Vec<String> = vec![id.to_string()];
    about.extend(page.lines.iter().map(|line| line.id.to_string()));
    about.extend(grants.iter().map(|grant| grant.id.to_string()));
    let mut rows = tx.trail_about(&about, page.at, None, TRAIL).await?;
    for (line, grant) in page.lines.iter().filter_map(|line| {
        Some((
            line,
            grants.iter().find(|grant| Some(grant.id) == line.grant)?,
        ))
    }) {
        // An assignment outlives its grants; what it did for others is not this request's.
        let at_targets: Vec<String> = line
            .parts
            .iter()
            .filter_map(|part| Some(part.assignment?.to_string()))
            .collect();
        let until = grant.gone_at;
        rows.extend(
            tx.trail_about(&at_targets, grant.created_at, until, TRAIL)
                .await?,
        );
    }
    rows.sort_by_key(|row| row.seq);
    rows.dedup_by_key(|row| row.seq);
    rows.truncate(TRAIL as usize);
    let head = tx.audit_head().await?;
    Ok(RequestEvidence {
        page,
        trail: audit::entries(&mut tx, rows).await?,
        head: (head.seq, hex(&head.hash)),
    })
}

/// Reads a request inside a transaction, with the grants behind its lines.
async fn page(
    tx: &mut Tx,
    viewer: &Viewer,
    id: RequestId,
    now: Timestamp,
) -> Result<(RequestPage, Vec<HeldRow>)> {
    let rows = tx.full_lines(id).await?;
    let first = rows.first().ok_or(Error::Missing)?;
    let mut seen = false;
    for row in &rows {
        seen = seen || may_see_line(tx, viewer, row.id, row.asker_id, row.beneficiary_id).await?;
    }
    if !seen {
        return Err(Error::Missing);
    }
    let lines: Vec<LineId> = rows.iter().map(|row| row.id).collect();
    let whole = Whole {
        stages: tx.stages_of(&lines).await?,
        votes: tx.named_votes(&lines).await?,
        grants: tx.held_by_lines(&lines).await?,
        now,
    };
    let grants: Vec<GrantId> = whole.grants.iter().map(|grant| grant.id).collect();
    let parts = tx.held_parts(&grants).await?;
    let mut page = RequestPage {
        now,
        id,
        number: first.number,
        asker: PersonTag::new(first.asker_id, first.asker_name.clone()),
        mine: first.asker_id == viewer.id(),
        at: first.submitted_at,
        version: rows.iter().map(|row| row.version).sum::<i64>()
            + whole.grants.iter().map(|grant| grant.version).sum::<i64>()
            + parts.iter().filter_map(|part| part.version).sum::<i64>(),
        topics: vec![id.to_string(), first.beneficiary_id.to_string()],
        lines: Vec::with_capacity(rows.len()),
    };
    for row in &rows {
        page.lines
            .push(line(tx, viewer, row, &whole, &parts).await?);
    }
    Ok((page, whole.grants))
}

/// What was read for all lines of a request together.
struct Whole {
    stages: Vec<StageRow>,
    votes: Vec<NamedVoteRow>,
    grants: Vec<HeldRow>,
    now: Timestamp,
}

async fn line(
    tx: &mut Tx,
    viewer: &Viewer,
    row: &FullLineRow,
    whole: &Whole,
    parts: &[HeldPartRow],
) -> Result<LineView> {
    let policy: Policy = serde_json::from_str(&row.policy)?;
    let stages: Vec<StageRow> = whole
        .stages
        .iter()
        .filter(|stage| stage.line_id == row.id)
        .cloned()
        .collect();
    let votes: Vec<NamedVoteRow> = whole
        .votes
        .iter()
        .filter(|vote| vote.line_id == row.id)
        .cloned()
        .collect();
    let (route, seats) = route(tx, row, &policy, &stages, &votes, whole.now).await?;
    let owners = tx.named_owners(row.package_id).await?;
    let grant = whole
        .grants
        .iter()
        .find(|grant| grant.line_id == Some(row.id));
    let own: Vec<&HeldPartRow> = parts
        .iter()
        .filter(|part| grant.is_some_and(|grant| grant.id == part.grant_id))
        .collect();
    let views = match grant {
        Some(grant) => given_parts(tx, viewer, grant, &own).await?,
        None => promised_parts(tx, row).await?,
    };
    let extended = match row.extends_grant_id {
        Some(id) => tx.grant(id).await?.map(|grant| grant.end()),
        None => None,
    };
    let given = grant.map(|grant| Given { grant, parts: &own });
    let steps = steps(
        row,
        &route,
        given.as_ref(),
        views.len(),
        extended,
        whole.now,
    );
    let open = route
        .iter()
        .find(|stage| stage.state == StageState::Open)
        .map(|stage| Deciders {
            rule: stage.rule,
            who: stage.seats.iter().map(|seat| seat.person.clone()).collect(),
            more: 0,
            needed: stage.needed,
            fallback: stage.fallback,
            by_subordinates: stage.by_subordinates,
            stuck: stage.stuck,
            since: stage.opened_at.unwrap_or(row.submitted_at),
        });
    let facts = grant.map(|grant| GrantFacts {
        state: grant.state,
        from: grant.valid_from,
        end: grant.end(),
        ready_at: grant.ready_at,
        ended_at: grant.ended_at,
        gone_at: grant.gone_at,
        parts: own.clone(),
    });
    let held =
        grant.filter(|grant| grant.person_id == viewer.id() && grant.state != GrantState::Ended);
    let may_decide = seats
        .iter()
        .find(|seat| seat.person_id == viewer.id())
        .map(|seat| seat.stage_id)
        .filter(|stage| {
            !votes
                .iter()
                .any(|vote| vote.stage_id == *stage && vote.decider_id == viewer.id())
        });
    Ok(LineView {
        id: row.id,
        kind: row.kind,
        package: make::package_tag!(row),
        opens: make::opens(&row.opens),
        edition: row.edition,
        longest_seconds: policy.limits.longest_seconds,
        owners: owners
            .into_iter()
            .map(|owner| PersonTag::new(owner.id, owner.name))
            .collect(),
        beneficiary: PersonTag::new(row.beneficiary_id, row.beneficiary_name.clone()),
        account: row.account_name.clone(),
        window: row.window(),
        reason: row.reason.clone(),
        answers: answers(&policy, &row.answers),
        state: row.state,
        standing: make::standing(
            row.state,
            row.kind,
            row.submitted_at,
            row.ended_at,
            open,
            facts,
        ),
        lapse_at: row.lapse_at,
        steps,
        grant: grant.map(|grant| grant.id),
        extends: row.extends_grant_id,
        parts: views,
        may_cancel: row.state == LineState::AwaitingApproval && row.asker_id == viewer.id(),
        may_extend: held
            .is_some_and(|grant| grant.offered == Some(true) && grant.end() != End::Permanent),
        may_give_back: held.is_some(),
        may_decide,
        sign_off: row.frozen_hash.clone(),
    })
}

/// The package's questions with what was answered.
pub(super) fn answers(policy: &Policy, answers: &str) -> Vec<Answer> {
    let given: BTreeMap<String, String> = serde_json::from_str(answers).unwrap_or_default();
    policy
        .questions
        .iter()
        .map(|question| Answer {
            ask: question.ask.clone(),
            answer: given.get(&question.key).cloned().unwrap_or_default(),
        })
        .collect()
}

/// The stages of a line with votes and names: who is seated where one is open, who would be where one waits.
pub(super) async fn route(
    tx: &mut Tx,
    row: &FullLineRow,
    policy: &Policy,
    stages: &[StageRow],
    votes: &[NamedVoteRow],
    now: Timestamp,
) -> Result<(Vec<StageView>, Vec<NamedSeatRow>)> {
    let open: Vec<StageId> = stages
        .iter()
        .filter(|stage| stage.state == StageState::Open)
        .map(|stage| stage.id)
        .collect();
    let seats = tx.named_seats(&open, SEATS).await?;
    let bench = if stages
        .iter()
        .any(|stage| stage.state == StageState::Waiting)
    {
        let rules: Vec<StageRule> = stages.iter().filter_map(rule_of).collect();
        let beneficiary = tx
            .person(row.beneficiary_id)
            .await?
            .ok_or(Error::Missing)?
            .into_domain();
        Some(Bench::load(tx, now, row.asker_id, &beneficiary, row.package_id, &rules).await?)
    } else {
        None
    };
    let earlier = earlier(row, policy, stages, votes);
    let views = stages
        .iter()
        .map(|stage| {
            let mut view = StageView {
                id: stage.id,
                position: stage.position,
                rule: stage.approvers,
                state: stage.state,
                needed: stage.needed,
                seats: seats
                    .iter()
                    .filter(|seat| seat.stage_id == stage.id)
                    .map(|seat| SeatView {
                        person: PersonTag::new(seat.person_id, seat.name.clone()),
                        via: seat.via,
                    })
                    .collect(),
                fallback: stage.fallback,
                by_subordinates: stage.by_subordinates,
                stuck: stage.stuck,
                opened_at: stage.opened_at,
                closed_at: stage.closed_at,
                votes: votes
                    .iter()
                    .filter(|vote| vote.stage_id == stage.id)
                    .cloned()
                    .map(Vote::from)
                    .collect(),
            };
            if let (StageState::Waiting, Some(bench), Some(rule)) =
                (stage.state, &bench, rule_of(stage))
            {
                let preview = bench.preview(&rule, &earlier);
                view.needed = i64::try_from(preview.needed).unwrap_or(1);
                view.seats = preview.seats;
                view.fallback = preview.fallback;
                view.by_subordinates = preview.by_subordinates;
                view.stuck = preview.stuck;
            }
            view
        })
        .collect();
    Ok((views, seats))
}

fn rule_of(stage: &StageRow) -> Option<StageRule> {
    serde_json::from_str(&stage.rule).ok()
}

/// Who may not sit in a later stage because they decided before.
pub(super) fn earlier(
    row: &FullLineRow,
    policy: &Policy,
    stages: &[StageRow],
    votes: &[NamedVoteRow],
) -> BTreeSet<PersonId> {
    let mut earlier = BTreeSet::new();
    if stages
        .iter()
        .any(|stage| stage.state == StageState::MetByAsking)
    {
        earlier.insert(row.asker_id);
    }
    if !policy.collapse {
        let met = |id: StageId| {
            stages
                .iter()
                .any(|stage| stage.id == id && stage.state.is_met())
        };
        earlier.extend(
            votes
                .iter()
                .filter(|vote| met(vote.stage_id))
                .map(|vote| vote.decider_id),
        );
    }
    earlier
}

async fn given_parts(
    tx: &mut Tx,
    viewer: &Viewer,
    grant: &HeldRow,
    parts: &[&HeldPartRow],
) -> Result<Vec<PartView>> {
    let assignments: Vec<AssignmentId> =
        parts.iter().filter_map(|part| part.assignment_id).collect();
    let since = grant.valid_from.min(grant.created_at);
    let calls = tx.calls_since(&assignments, since, CALLS).await?;
    let whole = sees_target(viewer);
    // Once it is gone, what the same right does for a later grant is not this one's.
    let until = grant.gone_at.unwrap_or(Timestamp::MAX_UTC);
    Ok(parts
        .iter()
        .map(|part| PartView {
            assignment: part.assignment_id,
            entitlement: part.name.clone(),
            target: part.target_name.clone(),
            desired: part.desired.unwrap_or(false),
            observed: part.observed.unwrap_or(Observed::Unknown),
            observed_at: part.observed_at,
            phase: part.phase.unwrap_or(Phase::Due),
            problem: part
                .problem
                .as_deref()
                .filter(|_| whole)
                .and_then(Problem::read),
            effective_within_seconds: part.effective_within_seconds,
            operations: calls
                .iter()
                .filter(|call| Some(call.assignment_id) == part.assignment_id && call.at <= until)
                .cloned()
                .map(|call| OperationView::of(call, whole))
                .collect(),
        })
        .collect())
}

/// What the edition would give: nothing of it is begun.
async fn promised_parts(tx: &mut Tx, row: &FullLineRow) -> Result<Vec<PartView>> {
    Ok(tx
        .contents(row.package_version_id)
        .await?
        .into_iter()
        .map(|part| PartView {
            assignment: None,
            entitlement: part.name,
            target: part.target_name,
            desired: false,
            observed: Observed::Unknown,
            observed_at: None,
            phase: Phase::Settled,
            problem: None,
            effective_within_seconds: part.effective_within_seconds,
            operations: Vec::new(),
        })
        .collect())
}

impl OperationView {
    /// For people: `whole` with the target's own ids and words.
    pub(super) fn of(row: CallRow, whole: bool) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            outcome: row.outcome,
            status: row.status,
            request_id: row.request_id.filter(|_| whole),
            client_request_id: row.client_request_id.filter(|_| whole),
            detail: if whole { row.detail } else { String::new() },
            at: row.at,
            took_ms: row.took_us / 1000,
        }
    }
}
