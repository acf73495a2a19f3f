//! The lines of one request, whole: route with names, votes, grant, targets, timeline.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AssignmentId, GrantId, LineId, PersonId, RequestId, StageId, Timestamp,
    approval::{StageState, Verdict},
    asking::Ticket,
    assignment::{Observed, Phase},
    calendar::said_in,
    deadline::JobKind,
    grant::{End, GrantSource, GrantState},
    policy::{Policy, QuestionKind, StageRule},
    request::LineState,
    waiting::may_nudge,
};
use store::{
    Tx,
    requests::StageRow,
    views::{
        grants::{HeldPartRow, HeldRow},
        lines::NamedSeatRow,
        request::{FullLineRow, NamedVoteRow},
    },
};

use super::{
    Answer, Deciders, PersonTag, SeatView, Vote, conversation,
    make::{self, GrantFacts},
    request::{LineView, OperationView, PartView, RequestPage, StageView},
    seating::Bench,
    sight::{may_see_line, sees_target},
    timeline::{Given, steps},
    waits,
};
use crate::{
    Error, Result, access::Viewer, approver_groups, assignments::Problem, route::may_collapse,
    silence,
};

/// Names that are shown of an open stage.
const SEATS: i64 = 100;
/// Calls at targets that are shown of a grant.
const CALLS: i64 = 50;

/// Reads a request inside a transaction, with the grants behind its lines.
pub(super) async fn page(
    tx: &mut Tx,
    viewer: &Viewer,
    id: RequestId,
    now: Timestamp,
) -> Result<(RequestPage, Vec<HeldRow>)> {
    let all = tx.full_lines(id).await?;
    let of_all = all.len();
    // Whoever a line is for, or may decide it, learns nothing of what else was asked with it.
    let mut rows = Vec::with_capacity(of_all);
    for row in all {
        if may_see_line(tx, viewer, row.id, row.asker_id, row.beneficiary_id).await? {
            rows.push(row);
        }
    }
    let first = rows.first().ok_or(Error::Missing)?;
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
        whole: rows.len() == of_all,
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
        .filter(|seat| seat.person_id == viewer.id())
        .map(|seat| seat.stage_id)
        .find(|stage| {
            !votes
                .iter()
                .any(|vote| vote.stage_id == *stage && vote.decider_id == viewer.id())
        });
    let waits = row.waits_since.is_some() && row.state == LineState::AwaitingApproval;
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
        answers: answers(tx, &policy, &row.answers).await?,
        state: row.state,
        standing: make::standing(
            row.state,
            row.kind,
            row.submitted_at,
            (row.waits_since, row.ended_at),
            open,
            facts,
        ),
        lapse_at: row.pending().lapses_at(whole.now),
        wanted: waits::of(tx, viewer, row.id, whole.now).await?,
        conversation: conversation::of(tx, row, whole.now).await?,
        steps,
        grant: grant.map(|grant| grant.id),
        extends: row.extends_grant_id,
        parts: views,
        may_cancel: row.state == LineState::AwaitingApproval && row.asker_id == viewer.id(),
        may_answer: row.state == LineState::AwaitingApproval
            && !waits
            && [row.asker_id, row.beneficiary_id].contains(&viewer.id()),
        may_nudge: row.state == LineState::AwaitingApproval
            && !waits
            && row.asker_id == viewer.id()
            && row.asked_back_at.is_none()
            && may_nudge(row.nudged_at, whole.now),
        may_extend: held.is_some_and(|grant| {
            grant.offered == Some(true)
                && grant.end() != End::Permanent
                && grant.source != GrantSource::BreakGlass
        }),
        may_give_back: held.is_some(),
        may_decide,
        sign_off: row.frozen_hash.clone(),
    })
}

/// The package's questions with what was answered, and its ticket, in words.
pub(super) async fn answers(tx: &mut Tx, policy: &Policy, answers: &str) -> Result<Vec<Answer>> {
    let given: BTreeMap<String, String> = serde_json::from_str(answers).unwrap_or_default();
    let mut said = Vec::with_capacity(policy.questions.len() + 1);
    if let Some(ticket) = &policy.asking.ticket {
        let reference = given.get(Ticket::KEY).cloned().unwrap_or_default();
        said.push(Answer {
            ask: "Ticket".to_owned(),
            link: ticket.link(&reference),
            answer: reference,
        });
    }
    for question in &policy.questions {
        let answer = given.get(&question.key).cloned().unwrap_or_default();
        let answer = match question.kind {
            QuestionKind::YesNo if answer == "yes" => "Yes".to_owned(),
            QuestionKind::YesNo if answer == "no" => "No".to_owned(),
            QuestionKind::Person => match answer.parse::<PersonId>() {
                Ok(id) => tx.person(id).await?.map_or(answer, |person| person.name),
                Err(_) => answer,
            },
            _ => answer,
        };
        said.push(Answer {
            ask: question.ask.clone(),
            answer,
            link: None,
        });
    }
    Ok(said)
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
    let named = stages.iter().filter_map(|stage| rule_of(stage)?.group);
    let groups = approver_groups::names(tx, named.collect()).await?;
    let handed_on = conversation::hand_ons(tx, row.id).await?;
    let mut due = BTreeMap::new();
    for id in &open {
        due.insert(*id, Due::of(tx, *id).await?);
    }
    let views = stages
        .iter()
        .map(|stage| {
            let mut view = StageView {
                id: stage.id,
                position: stage.position,
                rule: stage.approvers,
                group: rule_of(stage)
                    .and_then(|rule| rule.group)
                    .and_then(|group| groups.get(&group).cloned()),
                together: rule_of(stage).is_some_and(|rule| rule.together),
                state: stage.state,
                needed: stage.needed,
                seats: seats
                    .iter()
                    .filter(|seat| seat.stage_id == stage.id)
                    .map(|seat| SeatView {
                        person: PersonTag::new(seat.person_id, seat.name.clone()),
                        via: seat.via,
                        behalf: seat.for_id.map(|id| {
                            PersonTag::new(id, seat.for_name.clone().unwrap_or_default())
                        }),
                    })
                    .collect(),
                fallback: stage.fallback,
                escalated: stage.escalated,
                silence: rule_of(stage).and_then(|rule| rule.silence),
                silence_ends: due.get(&stage.id).and_then(|due| due.silence_ends.clone()),
                reminded: due.get(&stage.id).and_then(|due| due.reminded.clone()),
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
                handed_on: handed_on
                    .iter()
                    .filter(|(of, _)| *of == stage.id)
                    .map(|(_, one)| one.clone())
                    .collect(),
            };
            if let (StageState::Waiting, Some(bench), Some(rule)) =
                (stage.state, &bench, rule_of(stage))
            {
                let earlier = earlier(row, policy, stages, votes, stage.id);
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

/// When an open stage's deadlines come, in words and by the clock of those who decide.
struct Due {
    silence_ends: Option<String>,
    reminded: Option<String>,
}

impl Due {
    async fn of(tx: &mut Tx, stage: StageId) -> Result<Self> {
        let calendars = silence::calendars(tx, stage).await?;
        let said = |at: Option<Timestamp>| Some(said_in(at?, calendars.first()?));
        let reminder = silence::key(JobKind::StageReminder, stage);
        let end = silence::key(JobKind::StageSilence, stage);
        Ok(Self {
            reminded: said(tx.job_due(&reminder).await?),
            silence_ends: said(tx.job_due(&end).await?),
        })
    }
}

fn rule_of(stage: &StageRow) -> Option<StageRule> {
    serde_json::from_str(&stage.rule).ok()
}

/// Who may not sit in a stage because they decided in another, or somebody decided for them.
pub(super) fn earlier(
    row: &FullLineRow,
    policy: &Policy,
    stages: &[StageRow],
    votes: &[NamedVoteRow],
    stage: StageId,
) -> BTreeSet<PersonId> {
    let mut earlier = BTreeSet::new();
    if stages
        .iter()
        .any(|stage| stage.state == StageState::MetByAsking)
    {
        earlier.insert(row.asker_id);
    }
    if !may_collapse(policy, stages.len()) {
        let elsewhere =
            |vote: &&NamedVoteRow| vote.stage_id != stage && vote.verdict == Verdict::Approve;
        for vote in votes.iter().filter(elsewhere) {
            earlier.insert(vote.decider_id);
            earlier.extend(vote.for_id);
        }
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
