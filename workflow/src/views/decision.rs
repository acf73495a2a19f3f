//! The page on which somebody decides: the facts beside the buttons, worked out on the server from ids.

use chrono::Duration;
use domain::{
    LineId, PackageVersionId, PersonId, Refusal, RequestId, StageId, Timestamp,
    approval::{StageState, Via, bar},
    grant::{End, EndReason, GrantState},
    person::PortalRole,
    policy::{Limits, Policy, StageRule},
    refusal::DeciderBar,
    request::{Length, LineKind, LineState, Window},
};
use serde::Serialize;
use store::{
    Tx,
    grants::GrantRow,
    people::PersonRow,
    requests::StageRow,
    views::{
        compare::BesideRow,
        lines::NamedSeatRow,
        request::{FullLineRow, NamedVoteRow},
    },
};

use super::{
    Answer, Capped, EntitlementTag, PackageTag, PersonTag, Vote,
    conversation::{self, Conversation},
    history::{self, History},
    line, make,
    request::StageView,
    seating::Bench,
    shell::CAP,
    sight::may_see_line,
    waits::{self, Wanted},
};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    checks::{self, Asked, Checks},
    decide,
};

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
    /// Since when all have said yes and it waits for its exception; none for any other.
    pub waits_since: Option<Timestamp>,
    /// The exceptions that it waits for, or would wait for after the last yes; for those who decide or decided.
    pub wanted: Vec<Wanted>,
    /// What would be opened, line by line, in plain words.
    pub opens: Vec<String>,
    /// What would be given at each target.
    pub contents: Vec<EntitlementTag>,
    /// How it compares.
    pub compares: Compares,
    /// The rules that it breaks and its risk, as they are now; for those who decide.
    pub checks: Checks,
    /// What the person holds besides, at most twelve, soonest end first.
    pub holds: Vec<HeldBeside>,
    /// What the person holds now of the same application, at most twelve, soonest end first.
    pub application: Vec<HeldBeside>,
    /// What came before.
    pub history: History,
    /// The sign-in name of the account that it goes to; a label.
    pub account: String,
    /// Names of the package's rights that they hold as imports: at the target, and not approved here.
    pub found: Vec<String>,
    /// The latest denial of the same package for the same person.
    pub denied: Option<Vote>,
    /// For an extension: since when it is held, today's end, and the seconds held in all by the end asked for (none for
    /// without end).
    pub extends: Option<ExtendedBy>,
    /// The whole route with names: votes so far, who decides now, who would decide later.
    pub route: Vec<StageView>,
    /// Questions, answers and remarks.
    pub conversation: Conversation,
    /// Who handed the decision on to the viewer, if somebody did.
    pub handed_by: Option<PersonTag>,
    /// The viewer's seat; none if they may only look.
    pub via: Option<Via>,
    /// Whom the viewer stands in for in that seat.
    pub behalf: Option<PersonTag>,
    /// Why the viewer may not decide, exactly as deciding would refuse it; none if they may.
    pub refusal: Option<Refusal>,
    /// Whether a yes wants a fresh sign-in.
    pub fresh: bool,
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
    /// Who of them, by name, at most eight; for those who decide.
    pub team_names: Vec<PersonTag>,
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
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx.full_line_of_stage(stage).await?.ok_or(Error::Missing)?;
    let stages = tx.stages_of(&[row.id]).await?;
    let votes = tx.named_votes(&[row.id]).await?;
    let policy: Policy = serde_json::from_str(&row.policy)?;
    let (route, seats) = line::route(&mut tx, &row, &policy, &stages, &votes, now).await?;
    let seat = seats
        .iter()
        .find(|seat| seat.stage_id == stage && seat.person_id == viewer.id());
    if seat.is_none()
        && !may_see_line(&mut tx, viewer, row.id, row.asker_id, row.beneficiary_id).await?
    {
        return Err(Error::Missing);
    }
    let current = stages
        .iter()
        .find(|one| one.id == stage)
        .ok_or(Error::Missing)?;
    let person = tx.person(row.beneficiary_id).await?.ok_or(Error::Missing)?;
    let here = route.iter().find(|one| one.id == stage);
    let gave_up = here.is_some_and(|stage| gave_up(stage, viewer.id()));
    let refusal = refusal(
        &mut tx, viewer, &row, &policy, current, &stages, &votes, seat, gave_up, now,
    )
    .await?;
    let manager = person.manager_id;
    let human = person.clone().into_domain();
    let beneficiary = facts(&mut tx, viewer, person).await?;
    let contents = tx.contents(row.package_version_id).await?;
    // Names of others, and what was denied before, are for those who decide.
    let deciding =
        seat.is_some() || viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor);
    let compares = compares(&mut tx, &row, manager, deciding, now).await?;
    let checks = if deciding && row.state == LineState::AwaitingApproval {
        let offer = tx
            .pinned_offer(row.package_version_id)
            .await?
            .ok_or(Error::Missing)?;
        let parts = tx.offered(row.package_version_id).await?;
        let asked = Asked {
            beneficiary: &human,
            offer: &offer,
            policy: &policy,
            parts: &parts,
            team: None,
            window: row.window(),
            extends: row.extends_grant_id,
            line: Some(row.id),
        };
        checks::look(&mut tx, &workflow.settings().risk, &asked, now).await?
    } else {
        Checks::default()
    };
    let waits_since = row
        .waits_since
        .filter(|_| row.state == LineState::AwaitingApproval);
    let wanted = if waits_since.is_some() {
        waits::of(&mut tx, viewer, row.id, now).await?
    } else {
        waits::wanted(&mut tx, viewer, row.beneficiary_id, &checks.conflicts, now).await?
    };
    let holds = tx
        .held_beside(row.beneficiary_id, row.package_id, 12)
        .await?;
    let application = tx
        .held_of_application(row.beneficiary_id, row.package_id, 12)
        .await?;
    let history = if deciding || viewer.id() == row.beneficiary_id {
        history::before(&mut tx, &row, now).await?
    } else {
        History::default()
    };
    let found = tx
        .found_rights(row.beneficiary_id, row.package_version_id)
        .await?;
    let denied = tx
        .standing_denial(row.beneficiary_id, row.package_id)
        .await?
        .filter(|vote| vote.line_id != row.id);
    let extends = match row.extends_grant_id {
        Some(id) => tx.grant(id).await?.map(|grant| extended(&row, &grant, now)),
        None => None,
    };
    let opened = current.opened_at.unwrap_or(row.submitted_at);
    let place = tx
        .place_in_queue(viewer.id(), stage, opened, CAP + 1)
        .await?;
    let frozen = tx.line(row.id).await?.ok_or(Error::Missing)?;
    let decisions = tx.decisions(row.id).await?;
    let cap_so_far = decide::cap_so_far(&decisions);
    let to_sign = decide::to_sign(&frozen, &decisions);
    Ok(DecisionPage {
        now,
        stage,
        line: row.id,
        request: row.request_id,
        number: row.number,
        kind: row.kind,
        state: row.state,
        asker: PersonTag::new(row.asker_id, row.asker_name.clone()),
        beneficiary,
        package: make::package_tag!(row),
        version: row.package_version_id,
        edition: row.edition,
        window: row.window(),
        limits: policy.limits,
        answers: line::answers(&mut tx, &policy, &row.answers).await?,
        submitted_at: row.submitted_at,
        lapse_at: row.pending().lapses_at(now),
        waits_since,
        wanted,
        conversation: conversation::of(&mut tx, &row, now).await?,
        handed_by: here.and_then(|stage| stage.handed_by(viewer.id())).cloned(),
        opens: make::opens(&row.opens),
        contents: contents.into_iter().map(EntitlementTag::from).collect(),
        compares,
        checks,
        holds: holds.into_iter().map(HeldBeside::from).collect(),
        application: application.into_iter().map(HeldBeside::from).collect(),
        history,
        account: row.account_name.clone(),
        found,
        denied: denied.map(Vote::from),
        extends,
        route,
        via: seat.filter(|_| refusal.is_none()).map(|seat| seat.via),
        behalf: seat.filter(|_| refusal.is_none()).and_then(|seat| {
            Some(PersonTag::new(
                seat.for_id?,
                seat.for_name.clone().unwrap_or_default(),
            ))
        }),
        position: (seat.is_some() && refusal.is_none()).then_some(place.ahead + 1),
        refusal,
        fresh: current.fresh,
        cap_so_far,
        to_sign_short: super::common::short_hash(&to_sign),
        to_sign,
        waiting: Capped::of(place.waiting, CAP),
        next: place.later.or(place.first),
        topics: vec![row.request_id.to_string()],
        reason: row.reason,
    })
}

/// Why the viewer may not decide, if so, as deciding would say it.
#[expect(
    clippy::too_many_arguments,
    reason = "everything is read once and passed on"
)]
async fn refusal(
    tx: &mut Tx,
    viewer: &Viewer,
    row: &FullLineRow,
    policy: &Policy,
    stage: &StageRow,
    stages: &[StageRow],
    votes: &[NamedVoteRow],
    seat: Option<&NamedSeatRow>,
    gave_up: bool,
    now: Timestamp,
) -> Result<Option<Refusal>> {
    // In another stage of the line as well: deciding says so before it says why they have no seat here.
    let voted = |vote: &NamedVoteRow| vote.decider_id == viewer.id();
    if votes
        .iter()
        .any(|vote| voted(vote) && (seat.is_none() || vote.stage_id == stage.id))
    {
        return Ok(Some(Refusal::DecidedAlready));
    }
    let barred = |why| Ok(Some(Refusal::MayNotDecide { why }));
    if row.asker_id == viewer.id() {
        return barred(DeciderBar::Asker);
    }
    if row.beneficiary_id == viewer.id() {
        return barred(DeciderBar::Beneficiary);
    }
    if row.state != LineState::AwaitingApproval {
        let state = row.state.to_string();
        return Ok(Some(Refusal::WrongState { state }));
    }
    if stage.state != StageState::Open {
        let state = stage.state.to_string();
        return Ok(Some(Refusal::WrongState { state }));
    }
    if seat.is_some() {
        return Ok(stage.stuck.then_some(Refusal::MayNotDecide {
            why: DeciderBar::NoSeat,
        }));
    }
    if gave_up {
        return barred(DeciderBar::HandedOn);
    }
    let beneficiary = tx
        .person(row.beneficiary_id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    let rule: StageRule = serde_json::from_str(&stage.rule)?;
    let route = std::slice::from_ref(&rule);
    let bench = Bench::load(tx, now, row.asker_id, &beneficiary, row.package_id, route).await?;
    let facts = bench.facts(&line::earlier(row, policy, stages, votes, stage.id));
    let why = facts
        .candidates()
        .filter(|candidate| candidate.person == viewer.id())
        .find_map(|candidate| bar(candidate, &facts));
    barred(why.unwrap_or(DeciderBar::NoSeat))
}

/// Whether somebody gave their seat to a colleague who decides in their place.
fn gave_up(stage: &StageView, person: PersonId) -> bool {
    stage.handed_on.iter().any(|one| {
        one.from.id == person
            && one.returned_at.is_none()
            && stage.seats.iter().any(|seat| seat.person.id == one.to.id)
    })
}

/// What the directory says of somebody.
pub(super) async fn facts(tx: &mut Tx, viewer: &Viewer, row: PersonRow) -> Result<Facts> {
    let manager = match row.manager_id {
        Some(id) => tx.person(id).await?,
        None => None,
    };
    Ok(Facts {
        person: PersonTag::new(row.id, row.name),
        job_title: row.job_title,
        department: row.department,
        office: row.office,
        country: row.country,
        employee_type: row.employee_type,
        user_type: row.user_type,
        reports_to_me: row.manager_id == Some(viewer.id()),
        manager: manager.map(|manager| PersonTag::new(manager.id, manager.name)),
        hired_at: row.hired_at,
        last_day_at: row.last_day_at,
    })
}

async fn compares(
    tx: &mut Tx,
    row: &FullLineRow,
    manager: Option<PersonId>,
    names: bool,
    now: Timestamp,
) -> Result<Compares> {
    let (person, package) = (row.beneficiary_id, row.package_id);
    let counts = tx.compare(person, manager, package, CAP + 1).await?;
    let longest = match manager {
        Some(manager) if counts.team_holding > 0 && counts.team_permanent == 0 => tx
            .team_spans(person, manager, package, CAP)
            .await?
            .iter()
            .filter_map(|span| Some((span.end_at? - span.valid_from).num_seconds()))
            .max(),
        _ => None,
    };
    let holders = match manager {
        Some(manager) if names && counts.team_holding > 0 => {
            tx.team_holders(person, manager, package, 8).await?
        }
        _ => Vec::new(),
    };
    let had = tx
        .had_since(person, package, now - Duration::days(365))
        .await?;
    Ok(Compares {
        team: counts.team,
        team_holding: counts.team_holding,
        team_names: holders
            .into_iter()
            .map(|row| PersonTag::new(row.id, row.name))
            .collect(),
        team_longest_seconds: longest,
        had: had.iter().map(|row| row.times).sum(),
        had_ended: had
            .iter()
            .filter_map(|row| Some((row.end_reason?, row.times)))
            .collect(),
        others: Capped::of(counts.others, CAP),
    })
}

impl From<BesideRow> for HeldBeside {
    fn from(row: BesideRow) -> Self {
        Self {
            name: row.name,
            privileged: row.privileged,
            control_scope: row.control_scope,
            end: row.end_at.map_or(End::Permanent, End::At),
            found: row.found,
        }
    }
}

fn extended(row: &FullLineRow, grant: &GrantRow, now: Timestamp) -> ExtendedBy {
    let seconds = |until: Timestamp| (until - grant.valid_from).num_seconds().max(0);
    ExtendedBy {
        from: grant.valid_from,
        end: grant.end(),
        held_seconds: seconds(grant.ended_at.unwrap_or(now)),
        total_seconds: match row.window().length {
            Length::Until(at) => Some(seconds(at)),
            Length::Seconds(more) => Some(seconds(now) + more),
            Length::Permanent => None,
        },
        ended: grant.state == GrantState::Ended,
    }
}
