//! The page on which somebody decides: the facts beside the buttons, worked out on the server from ids.

use domain::{
    LineId, PackageVersionId, Refusal, RequestId, StageId, Timestamp,
    approval::Via,
    grant::{End, EndReason},
    policy::Limits,
    request::{LineKind, LineState, Window},
};
use serde::Serialize;

use super::{Answer, Capped, EntitlementTag, PackageTag, PersonTag, Vote, request::StageView};
use crate::{Result, Workflow, access::Viewer};

/// The decision page of one stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The stage.
    pub stage: StageId,
    /// The line.
    pub line: LineId,
    /// The request.
    pub request: RequestId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// Where the line stands: only a waiting one is decided.
    pub state: LineState,
    /// Who asked.
    pub asker: PersonTag,
    /// Whom it is for, with what the directory says.
    pub beneficiary: Facts,
    /// What is asked for.
    pub package: PackageTag,
    /// The edition that is signed off.
    pub version: PackageVersionId,
    /// The edition's number.
    pub edition: i64,
    /// Start and length, as asked.
    pub window: Window,
    /// The edition's limits.
    pub limits: Limits,
    /// The business reason.
    pub reason: String,
    /// The package's questions with the answers.
    pub answers: Vec<Answer>,
    /// When it was asked.
    pub submitted_at: Timestamp,
    /// When it lapses.
    pub lapse_at: Timestamp,
    /// What would be opened, line by line, in plain words.
    pub opens: Vec<String>,
    /// What would be given at each target.
    pub contents: Vec<EntitlementTag>,
    /// How it compares.
    pub compares: Compares,
    /// What the person holds besides, at most twelve, soonest end first.
    pub holds: Vec<HeldBeside>,
    /// The latest denial of the same package for the same person.
    pub denied: Option<Vote>,
    /// For an extension: since when it is held, today's end, and the seconds held in all by the end asked for (none for
    /// without end).
    pub extends: Option<ExtendedBy>,
    /// The whole route with names: votes so far, who decides now, who would decide later.
    pub route: Vec<StageView>,
    /// The viewer's seat; none if they may only look.
    pub via: Option<Via>,
    /// Why the viewer may not decide, exactly as deciding would refuse it; none if they may.
    pub refusal: Option<Refusal>,
    /// The shortest time that deciders said so far, in seconds.
    pub cap_so_far: Option<i64>,
    /// What is signed off, whole; the form sends it back.
    pub to_sign: String,
    /// The first and last four digits of it.
    pub to_sign_short: String,
    /// Which of the viewer's decisions this is, from 1, oldest first; none if it does not wait for them.
    pub position: Option<i64>,
    /// How many wait for the viewer.
    pub waiting: Capped,
    /// The next one that waits for the viewer, oldest first, other than this.
    pub next: Option<StageId>,
    /// What to listen to for changes: printed ids.
    pub topics: Vec<String>,
}

/// What the directory says of somebody.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// Who.
    pub person: PersonTag,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
    /// Office.
    pub office: String,
    /// Country, two letters.
    pub country: String,
    /// `employee`, `contractor`, …
    pub employee_type: String,
    /// `member` or `guest`.
    pub user_type: String,
    /// Who they report to.
    pub manager: Option<PersonTag>,
    /// Whether that is the viewer.
    pub reports_to_me: bool,
    /// First working day.
    pub hired_at: Option<Timestamp>,
    /// End of the last working day: it caps every grant.
    pub last_day_at: Option<Timestamp>,
}

/// How an ask compares with what others have and what the person had.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compares {
    /// How many others report to the same manager.
    pub team: i64,
    /// How many of them hold the package now.
    pub team_holding: i64,
    /// The longest end asked among them in seconds, if all of them hold it for a limited time: "each for hours at a time".
    pub team_longest_seconds: Option<i64>,
    /// How often the person had it within 12 months.
    pub had: i64,
    /// How those ended, with how often.
    pub had_ended: Vec<(EndReason, i64)>,
    /// How many others hold it now.
    pub others: Capped,
}

/// Something else that the person holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldBeside {
    /// What, by name.
    pub name: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// `SOX`, `GDPR`, …
    pub control_scope: Option<String>,
    /// Until.
    pub end: End,
    /// Whether it was found at the target and not approved here.
    pub found: bool,
}

/// What an extension changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ExtendedBy {
    /// Held since.
    pub from: Timestamp,
    /// Today's end.
    pub end: End,
    /// Time held so far, in seconds.
    pub held_seconds: i64,
    /// Time held by the end asked for, in seconds; none for without end.
    pub total_seconds: Option<i64>,
    /// Whether the grant has ended meanwhile: a yes starts a new one.
    pub ended: bool,
}

/// Reads the decision page. For those seated in the stage; for those who may see the request, with the reason why they
/// may not decide; for anybody else there is no such stage.
pub async fn load(workflow: &Workflow, viewer: &Viewer, stage: StageId) -> Result<DecisionPage> {
    let _ = (workflow, viewer, stage);
    Err(super::common::soon())
}
