//! One request: its timeline, what the viewer may do, and its whole evidence.

use domain::{
    AssignmentId, GrantId, LineId, OperationId, PersonId, RequestId, StageId, Timestamp,
    approval::StageState,
    assignment::{Observed, Phase},
    deadline::Warning,
    grant::{End, EndReason, Health},
    policy::{ApproverRule, Silence},
    request::{LineKind, LineState, Window},
};
use serde::Serialize;
use store::views::request::CallRow;

use super::{
    Answer, Entry, Mark, PackageTag, PersonTag, SeatView, Standing, Vote, audit,
    conversation::{Conversation, HandedOn},
    line,
    waits::Wanted,
};
use crate::{Result, Workflow, access::Viewer, assignments::Problem, frozen::hex};

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
    /// Its lines, as far as the viewer may see them.
    pub lines: Vec<LineView>,
    /// Whether these are all.
    pub whole: bool,
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
    /// When it lapses while nobody decides, or while its exception does not come.
    pub lapse_at: Timestamp,
    /// What an approved line waits for that breaks a rule.
    pub wanted: Vec<Wanted>,
    /// Questions, answers and remarks.
    pub conversation: Conversation,
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
    /// Whether the viewer may answer a question about it, or add something.
    pub may_answer: bool,
    /// Whether the viewer may nudge those who decide.
    pub may_nudge: bool,
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
    /// A decider asked back; the line's clock stands still.
    AskedBack {
        /// Until when it stands still, if it does now.
        stands_until: Option<Timestamp>,
    },
    /// The asker nudged those who decide.
    Nudged,
    /// All stages said yes.
    Approved {
        /// Whether by policy, without anybody.
        by_policy: bool,
    },
    /// All said yes, and it waits for its exception, or waited.
    WaitsForException {
        /// When it lapses, while it waits.
        until: Option<Timestamp>,
    },
    /// The line ended without a decision: cancelled, lapsed, superseded or withdrawn. A denial is told by its stage.
    Closed {
        /// How.
        state: LineState,
        /// By whom, if a person.
        by: Option<PersonTag>,
        /// Why, where the state does not say it.
        why: Option<String>,
    },
    /// An extension takes effect.
    Extended {
        /// The end now.
        end: Option<End>,
    },
    /// Approved, but there was nothing to give.
    NothingGiven {
        /// Why; none where it is not known any more.
        why: Option<String>,
    },
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
    /// What the group is called whose members decide, where that is the rule and the name is known.
    pub group: Option<String>,
    /// Whether it opens together with the one before it.
    pub together: bool,
    /// Where it stands.
    pub state: StageState,
    /// How many must say yes.
    pub needed: i64,
    /// Who can decide while it is open; who would, while it waits.
    pub seats: Vec<SeatView>,
    /// Whether the fallback chain is seated.
    pub fallback: bool,
    /// Whether nobody answered in time, so that the fallback chain may decide as well.
    pub escalated: bool,
    /// What its silence does, and after how much working time.
    pub silence: Option<Silence>,
    /// When its silence ends, in words and by the clock of those who decide; while it is open.
    pub silence_ends: Option<String>,
    /// When those who have not answered are reminded, likewise.
    pub reminded: Option<String>,
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
    /// The seats that were handed on, oldest first.
    pub handed_on: Vec<HandedOn>,
}

impl StageView {
    /// Who handed this person the seat that they decide from, if somebody did.
    pub fn handed_by(&self, person: PersonId) -> Option<&PersonTag> {
        self.handed_on
            .iter()
            .find(|one| one.to.id == person && one.returned_at.is_none())
            .map(|one| &one.from)
    }
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
    Ok(line::page(&mut tx, viewer, id, now).await?.0)
}

/// Reads one request with its whole audit trail.
pub async fn evidence(
    workflow: &Workflow,
    viewer: &Viewer,
    id: RequestId,
) -> Result<RequestEvidence> {
    let mut tx = workflow.store().read().await?;
    let now = workflow.clock().now();
    let (page, grants) = line::page(&mut tx, viewer, id, now).await?;
    // What happened to other lines is said of the request as well.
    let mut about: Vec<String> = Vec::new();
    if page.whole {
        about.push(id.to_string());
    }
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
