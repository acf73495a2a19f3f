//! A line's route: laying its stages, opening the next one, seating it, and what happens when the last one is met.

use std::collections::BTreeSet;

use domain::{
    LineId, PackageId, PersonId,
    approval::{
        Candidate, Facts, Seat, Seating, StageState, Verdict, Via, approved, met_by_asking, seat,
        tally,
    },
    audit::{Actor, Event, EventKind},
    hand_on::HandedOn,
    policy::{ApproverRule, Policy, StageRule},
};
use serde_json::json;
use store::{
    conversation::HandOnRow,
    requests::{DecisionRow, LineRow, StageRow},
};

use crate::{
    Error, Result, Unit,
    chat::{self, Post},
    checks, conversation,
    grants::{self, Decided},
    mail::{self, Mail},
    people::{self, Concern, Gathered},
    requests, silence,
};

/// Inserts the stages of a new line and opens the first; a line without stages is approved at once by its policy. The rules
/// that it breaks and its risk may add a stage of security, or let it pass by policy. The beneficiary is locked.
pub(crate) async fn lay(unit: &mut Unit, line: &LineRow, asked: &checks::Asked<'_>) -> Result<()> {
    let (policy, fresh) = checks::entered(unit, line, asked).await?;
    let policy = &policy;
    let mut stages = Vec::with_capacity(policy.route.len());
    for (position, rule) in (0_i64..).zip(&policy.route) {
        stages.push(StageRow {
            id: unit.new_id(),
            line_id: line.id,
            position,
            rule: serde_json::to_string(rule)?,
            approvers: rule.approvers,
            needed: 1,
            state: StageState::Waiting,
            fallback: false,
            by_subordinates: false,
            stuck: false,
            escalated: false,
            fresh,
            opened_at: None,
            closed_at: None,
        });
    }
    let mut known = None;
    let opened = walk(unit, line, policy, &mut stages, &[], &mut known).await?;
    unit.tx.insert_stages(&stages).await?;
    if opened.is_empty() {
        let decided = Decided {
            line,
            policy,
            decisions: &[],
            stages: &[],
            known: known.as_ref(),
        };
        return grants::approve(unit, decided).await;
    }
    open(unit, line, &stages, &opened, known.as_ref()).await?;
    unit.changed(line.request_id);
    unit.changed(line.asker_id);
    unit.changed(line.beneficiary_id);
    Ok(())
}

/// Seats those stages that were opened.
async fn open(
    unit: &mut Unit,
    line: &LineRow,
    stages: &[StageRow],
    opened: &[(usize, Seating)],
    known: Option<&Gathered>,
) -> Result<()> {
    let known = known.ok_or_else(|| Error::internal("a stage opened without facts"))?;
    for (position, seating) in opened {
        let stage = &stages[*position];
        seated(unit, line, stage, seating, EventKind::StageOpened, known).await?;
    }
    Ok(())
}

/// After a vote: seats those stages anew that are still open, for who votes in one stage does not in another; where none
/// is, opens what comes next, or approves the line when nothing is left. `known` was read in this transaction; `written` is
/// how the database has the stages.
pub(crate) async fn advance(
    unit: &mut Unit,
    line: &LineRow,
    policy: &Policy,
    mut stages: Vec<StageRow>,
    mut written: Vec<StageRow>,
    decisions: &[DecisionRow],
    known: Gathered,
) -> Result<()> {
    if stages.iter().any(|stage| stage.state == StageState::Open) {
        changed(unit, line).await?;
        write(unit, &stages, &written).await?;
        seat_open(unit, line, policy, &mut stages, decisions, &known).await?;
        written.clone_from(&stages);
    }
    onward(unit, line, policy, stages, written, decisions, known).await
}

/// Writes the stages that are not written yet as they stand; who sat in one that is closed by now sits there no more.
async fn write(unit: &mut Unit, stages: &[StageRow], written: &[StageRow]) -> Result<()> {
    unit.tx.update_stages(&unwritten(stages, written)).await?;
    for (stage, was) in stages.iter().zip(written) {
        if was.state == StageState::Open && stage.state != StageState::Open {
            unit.tx.clear_seats(stage.id).await?;
        }
    }
    Ok(())
}

/// The stages that the database has otherwise.
fn unwritten(stages: &[StageRow], written: &[StageRow]) -> Vec<StageRow> {
    stages
        .iter()
        .zip(written)
        .filter(|(stage, was)| stage != was)
        .map(|(stage, _)| stage.clone())
        .collect()
}

/// Closes an open stage that nobody answered in time, and opens what comes next. A later stage waits.
pub(crate) async fn pass_on(unit: &mut Unit, line: &LineRow, position: usize) -> Result<()> {
    let offer = unit
        .tx
        .pinned_offer(line.package_version_id)
        .await?
        .ok_or(Error::Missing)?;
    let policy = requests::policy_of(&offer)?;
    let (mut stages, decisions) = unit.tx.voted(line.id).await?;
    // Whoever loses a seat looks again as well.
    changed(unit, line).await?;
    unanswered(unit, line, &mut stages[position], StageState::PassedOn).await?;
    let known = facts_for(unit, line, &stages).await?;
    let written = stages.clone();
    onward(unit, line, &policy, stages, written, &decisions, known).await
}

/// Writes that a stage was not answered in time. Nobody's vote is made up.
pub(crate) async fn unanswered(
    unit: &mut Unit,
    line: &LineRow,
    stage: &mut StageRow,
    state: StageState,
) -> Result<()> {
    let (before, now) = (stage.state, unit.now);
    stage.state = state;
    stage.stuck = false;
    stage.closed_at = Some(now);
    unit.tx.update_stage(stage).await?;
    unit.tx.clear_seats(stage.id).await?;
    unit.record(
        Event::new(EventKind::StageUnanswered, now, Actor::Portal)
            .about(line.id)
            .about(line.request_id)
            .about(stage.id)
            .about(line.beneficiary_id)
            .under(line.package_version_id)
            .because("nobody answered in time")
            .changing(json!({"state": before}), json!({"state": state})),
    );
    Ok(())
}

/// Opens what comes next if no stage is open, or approves the line when none is left. `written` is how the database has the
/// stages.
async fn onward(
    unit: &mut Unit,
    line: &LineRow,
    policy: &Policy,
    mut stages: Vec<StageRow>,
    written: Vec<StageRow>,
    decisions: &[DecisionRow],
    known: Gathered,
) -> Result<()> {
    conversation::no_answer_needed(unit, line, &stages).await?;
    if stages.iter().any(|stage| stage.state == StageState::Open) {
        return Ok(unit.tx.touch_line(line.id).await?);
    }
    let mut known = Some(known);
    let opened = walk(unit, line, policy, &mut stages, decisions, &mut known).await?;
    if opened.is_empty() {
        let states: Vec<StageState> = stages.iter().map(|stage| stage.state).collect();
        if !approved(&states) {
            return Err(Error::internal(format!(
                "line {} has an unanswered stage and no later yes",
                line.id
            )));
        }
        let decided = Decided {
            line,
            policy,
            decisions,
            stages: &unwritten(&stages, &written),
            known: known.as_ref(),
        };
        return Box::pin(grants::approve(unit, decided)).await;
    }
    if written.iter().any(|stage| stage.state == StageState::Open) {
        // Whoever loses a seat looks again as well.
        changed(unit, line).await?;
    }
    write(unit, &stages, &written).await?;
    open(unit, line, &stages, &opened, known.as_ref()).await?;
    Ok(unit.tx.touch_line(line.id).await?)
}

/// Passes the waiting stages in order: those that count as a yes without a vote are closed, the first other one is
/// opened, with those that open together with it. Gives their positions and who sits there; none when all are met.
/// Writes nothing but audit events. What it needs to know is read once.
async fn walk(
    unit: &mut Unit,
    line: &LineRow,
    policy: &Policy,
    stages: &mut [StageRow],
    decisions: &[DecisionRow],
    known: &mut Option<Gathered>,
) -> Result<Vec<(usize, Seating)>> {
    let route: Vec<StageRule> = rules_of(stages)?;
    let mut opened: Vec<(usize, Seating)> = Vec::new();
    for (position, rule) in route.iter().enumerate() {
        if stages[position].state != StageState::Waiting {
            continue;
        }
        if !opened.is_empty() && !rule.together {
            break;
        }
        let now = unit.now;
        stages[position].opened_at = Some(now);
        let known: &Gathered = match known {
            Some(known) => known,
            None => known.insert(facts_for(unit, line, stages).await?),
        };
        if asked_by_manager(line, &route, position, known)? {
            close(unit, line, &mut stages[position], StageState::MetByAsking);
            continue;
        }
        let facts = for_stage(
            known.facts.clone(),
            line,
            stages,
            decisions,
            policy,
            position,
        );
        let seating = seat(rule, &facts);
        // Behind a silence somebody decides anew: a yes from before it does not count twice.
        let silent = stages
            .iter()
            .any(|stage| stage.state == StageState::PassedOn);
        if !silent && may_collapse(policy, stages.len()) && collapses(&seating, decisions) {
            close(unit, line, &mut stages[position], StageState::Collapsed);
            continue;
        }
        let stage = &mut stages[position];
        stage.state = StageState::Open;
        note(stage, &seating);
        opened.push((position, seating));
    }
    Ok(opened)
}

/// Works out the seats of a line's open stages anew: an approver left, a manager, an owner or a role changed, somebody
/// stands in. Where everybody who is left has said yes, the line goes on.
pub(crate) async fn reseat_line(unit: &mut Unit, id: LineId) -> Result<()> {
    let Some(line) = unit
        .tx
        .lock_line(id)
        .await?
        .filter(|line| !line.state.is_final())
    else {
        return Ok(());
    };
    let (mut stages, decisions) = unit.tx.voted(id).await?;
    if !stages.iter().any(|stage| stage.state == StageState::Open) {
        return Ok(());
    }
    let offer = unit
        .tx
        .pinned_offer(line.package_version_id)
        .await?
        .ok_or(Error::Missing)?;
    let policy = requests::policy_of(&offer)?;
    let known = facts_for(unit, &line, &stages).await?;
    if !seat_open(unit, &line, &policy, &mut stages, &decisions, &known).await? {
        return Ok(());
    }
    let written = stages.clone();
    onward(unit, &line, &policy, stages, written, &decisions, known).await
}

/// Seats every open stage anew. Whether anything is different.
async fn seat_open(
    unit: &mut Unit,
    line: &LineRow,
    policy: &Policy,
    stages: &mut [StageRow],
    decisions: &[DecisionRow],
    known: &Gathered,
) -> Result<bool> {
    let sitting = unit.tx.seats_of_line(line.id).await?;
    let mut different = false;
    for position in 0..stages.len() {
        if stages[position].state != StageState::Open {
            continue;
        }
        let facts = for_stage(
            known.facts.clone(),
            line,
            stages,
            decisions,
            policy,
            position,
        );
        let facts = with_hand_ons(known, facts, &stages[position]);
        let mut stage = stages[position].clone();
        let seating = seat(&rule_of(&stage)?, &facts);
        note(&mut stage, &seating);
        if seating.yes > 0 && tally(seating.yes, seating.needed) == StageState::Met {
            // What the last yes would have locked before the line; here it is known only now.
            unit.tx.lock_persons(&requests::both(line)).await?;
            changed(unit, line).await?;
            stage.state = StageState::Met;
            stage.closed_at = Some(unit.now);
            unit.tx.update_stage(&stage).await?;
            unit.tx.clear_seats(stage.id).await?;
            record_seating(unit, line, &stage, &seating, EventKind::StageReseated);
            stages[position] = stage;
            different = true;
            continue;
        }
        let before: BTreeSet<_> = sitting
            .iter()
            .filter(|seat| seat.stage_id == stage.id)
            .map(|seat| (seat.person_id, seat.for_id))
            .collect();
        let after: BTreeSet<_> = seating
            .seats
            .iter()
            .map(|seat| (seat.person, seat.behalf))
            .collect();
        if before == after && stage == stages[position] {
            continue;
        }
        // Whoever loses a seat looks again as well.
        changed(unit, line).await?;
        unit.tx.update_stage(&stage).await?;
        unit.tx.clear_seats(stage.id).await?;
        let kind = EventKind::StageReseated;
        seated(unit, line, &stage, &seating, kind, known).await?;
        stages[position] = stage;
        different = true;
    }
    Ok(different)
}

/// Re-seats each of these lines once, in the order of their ids.
pub(crate) async fn reseat_lines(
    unit: &mut Unit,
    lines: impl IntoIterator<Item = LineId>,
) -> Result<()> {
    let lines: BTreeSet<LineId> = lines.into_iter().collect();
    for line in lines {
        // All that may follow from one line would make every caller's future as large.
        Box::pin(reseat_line(unit, line)).await?;
    }
    Ok(())
}

/// Re-seats every open stage that a person's change may touch: where they sit, and the lines that are for them.
pub async fn reseat_for(unit: &mut Unit, person: PersonId) -> Result<()> {
    let mut lines: BTreeSet<LineId> = unit.tx.lines_with_seat(person).await?.into_iter().collect();
    lines.extend(
        unit.tx
            .waiting_lines_of_person(person)
            .await?
            .iter()
            .map(|line| line.id),
    );
    reseat_lines(unit, lines).await
}

/// Re-seats every open stage that a change of roles may touch.
pub async fn reseat_rule(unit: &mut Unit, approvers: ApproverRule) -> Result<()> {
    let lines = unit.tx.lines_open_for(approvers).await?;
    reseat_lines(unit, lines).await
}

/// Re-seats every waiting line for a package: its owners changed.
pub(crate) async fn reseat_package(unit: &mut Unit, package: PackageId) -> Result<()> {
    let lines = unit.tx.waiting_lines_of_package(package).await?;
    reseat_lines(unit, lines.into_iter().map(|line| line.id)).await
}

/// The lines that may be decided by others once somebody may decide who could not, or the other way round: they came
/// back, or gained or lost a role that bars. By whatever rule they may be seated, besides security, which is its own.
pub(crate) async fn lines_awaiting(unit: &mut Unit, person: PersonId) -> Result<BTreeSet<LineId>> {
    let mut lines: BTreeSet<LineId> = unit.tx.lines_around(person).await?.into_iter().collect();
    for rule in [
        ApproverRule::PackageOwner,
        ApproverRule::EntitlementOwner,
        ApproverRule::Role,
        ApproverRule::Group,
        ApproverRule::Sponsor,
        ApproverRule::Named,
    ] {
        // Stuck stages, those in fallback and escalated ones are among them.
        lines.extend(unit.tx.lines_open_for(rule).await?);
    }
    let now = unit.now;
    for principal in unit.tx.stands_in_for(person, now).await? {
        lines.extend(unit.tx.lines_with_seat(principal).await?);
    }
    Ok(lines)
}

/// The rule of a stage, fixed when the line was submitted.
pub(crate) fn rule_of(stage: &StageRow) -> Result<StageRule> {
    serde_json::from_str(&stage.rule)
        .map_err(|error| Error::internal(format!("rule of {} cannot be read: {error}", stage.id)))
}

/// The rules of a route, in order.
pub(crate) fn rules_of(stages: &[StageRow]) -> Result<Vec<StageRule>> {
    stages.iter().map(rule_of).collect()
}

/// Whether one person may decide several stages of a line: where the policy says so, and screening added no stage. One that
/// was added is there because a rule is broken or the risk is high, so it wants a second person.
pub(crate) const fn may_collapse(policy: &Policy, stages: usize) -> bool {
    policy.collapse && stages <= policy.route.len()
}

/// Those whom a stage may not seat because they decided in another: whoever said yes there, whoever somebody said yes
/// for, and an asker who gave the manager stage by asking; nobody else where the policy collapses stages.
fn decided_elsewhere(
    line: &LineRow,
    stages: &[StageRow],
    decisions: &[DecisionRow],
    policy: &Policy,
    stage: &StageRow,
) -> BTreeSet<PersonId> {
    let mut elsewhere = BTreeSet::new();
    if stages
        .iter()
        .any(|stage| stage.state == StageState::MetByAsking)
    {
        elsewhere.insert(line.asker_id);
    }
    if !may_collapse(policy, stages.len()) {
        let votes = decisions
            .iter()
            .filter(|vote| vote.stage_id != stage.id && vote.verdict == Verdict::Approve);
        for vote in votes {
            elsewhere.insert(vote.decider_id);
            elsewhere.extend(vote.for_id);
        }
    }
    elsewhere
}

/// The facts that the stages of a line are seated from, read in this transaction. What is of one stage only is to be
/// added by [`for_stage`] and [`with_hand_ons`].
pub(crate) async fn facts_for(
    unit: &mut Unit,
    line: &LineRow,
    stages: &[StageRow],
) -> Result<Gathered> {
    let concern = Concern {
        asker: line.asker_id,
        beneficiary: line.beneficiary_id,
        package: line.package_id,
        route: &rules_of(stages)?,
        line: Some(line.id),
    };
    people::gather(&mut unit.tx, unit.now, concern).await
}

/// The facts for one stage of a line: who decided elsewhere, and who said yes in it already.
pub(crate) fn for_stage(
    facts: Facts,
    line: &LineRow,
    stages: &[StageRow],
    decisions: &[DecisionRow],
    policy: &Policy,
    position: usize,
) -> Facts {
    let stage = &stages[position];
    Facts {
        decided_earlier: decided_elsewhere(line, stages, decisions, policy, stage),
        said_yes: yeses(stage, decisions).map(DecisionRow::voice).collect(),
        voted: yeses(stage, decisions)
            .map(|vote| vote.decider_id)
            .collect(),
        yes_by_subordinates: stage.by_subordinates,
        escalated: stage.escalated,
        handed_on: Vec::new(),
        ..facts
    }
}

/// Adds whose seats in the stage are handed on to whom.
pub(crate) fn with_hand_ons(known: &Gathered, facts: Facts, stage: &StageRow) -> Facts {
    Facts {
        handed_on: known.handed_on(stage.id),
        ..facts
    }
}

/// Whether somebody has no seat because they gave it to a colleague who decides in their place.
pub(crate) fn gave_up(person: PersonId, facts: &Facts, seating: &Seating) -> bool {
    facts.handed_on.iter().any(|one| {
        one.from == person
            && seating
                .seats
                .iter()
                .any(|seat| seat.person == one.to.person)
    })
}

/// Rows of handed-on seats as seating wants them.
pub(crate) fn handed_on(rows: &[HandOnRow], candidates: &[Candidate]) -> Vec<HandedOn> {
    rows.iter()
        .filter_map(|row| {
            let to = candidates.iter().find(|one| one.person == row.to_id)?;
            Some(HandedOn {
                from: row.from_id,
                to: to.clone(),
            })
        })
        .collect()
}

/// The yeses of a stage.
pub(crate) fn yeses<'a>(
    stage: &'a StageRow,
    decisions: &'a [DecisionRow],
) -> impl Iterator<Item = &'a DecisionRow> {
    decisions
        .iter()
        .filter(|vote| vote.stage_id == stage.id && vote.verdict == Verdict::Approve)
}

/// Notes who should look again: the line's page, the people it is for, and everybody who is or was seated.
pub(crate) async fn changed(unit: &mut Unit, line: &LineRow) -> Result<()> {
    unit.changed(line.request_id);
    unit.changed(line.asker_id);
    unit.changed(line.beneficiary_id);
    for seat in unit.tx.seats_of_line(line.id).await? {
        unit.changed(seat.person_id);
    }
    Ok(())
}

/// Mails the outcome of a line to whoever asked and whoever it is for.
pub(crate) async fn tell_outcome(
    unit: &mut Unit,
    line: &LineRow,
    headline: &str,
    text: &str,
) -> Result<()> {
    let labels = unit.labels(line.beneficiary_id, line.package_id).await?;
    let name = labels.package;
    let mail = Mail {
        kind: "decided",
        subject: format!("{headline}: {name}"),
        text: format!("{headline}: {name} (AR-{}).\n{text}", line.number),
        path: format!("/requests/{}", line.request_id),
    };
    for person in requests::both(line) {
        mail::queue(unit, person, &format!("decided:{}", line.id), &mail);
    }
    Ok(())
}

/// Notes on a stage how it is seated.
pub(crate) fn note(stage: &mut StageRow, seating: &Seating) {
    stage.needed = i64::try_from(seating.needed).unwrap_or(1);
    stage.fallback = seating.fallback;
    // A yes of theirs is remembered as such even when others are seated by now.
    stage.by_subordinates =
        seating.by_subordinates || (stage.by_subordinates && seating.yes_ignored);
    stage.stuck = seating.is_stuck();
}

/// Writes the seats of a stage that has none, records them, and tells everybody seated.
async fn seated(
    unit: &mut Unit,
    line: &LineRow,
    stage: &StageRow,
    seating: &Seating,
    kind: EventKind,
    known: &Gathered,
) -> Result<()> {
    let opened = stage.opened_at.unwrap_or(unit.now);
    unit.tx
        .insert_seats(stage.id, &seating.seats, opened)
        .await?;
    record_seating(unit, line, stage, seating, kind);
    if stage.stuck {
        tracing::warn!(line.id = %line.id, stage.id = %stage.id, "nobody can decide stage {} of line {}", stage.id, line.id);
    }
    if kind == EventKind::StageOpened {
        let calendars = known.calendars(seating.seats.iter().map(|seat| seat.person))?;
        silence::arm(unit, stage, &calendars)?;
    }
    tell_seated(unit, line, stage, &seating.seats, known).await
}

/// Mails everybody seated that their decision is needed, each once a stage.
async fn tell_seated(
    unit: &mut Unit,
    line: &LineRow,
    stage: &StageRow,
    seats: &[Seat],
    known: &Gathered,
) -> Result<()> {
    let labels = unit.labels(line.beneficiary_id, line.package_id).await?;
    let (asker, package) = (labels.person, labels.package);
    let mail = Mail {
        kind: "decision_needed",
        subject: format!("Your decision is needed: {package} for {asker}"),
        text: format!("{asker} asks for {package}.\nReason: {}", line.reason),
        path: format!("/approvals/{}", stage.id),
    };
    for seat in seats {
        unit.changed(seat.person);
        let mut own = mail.clone();
        if let Some(row) = seat.behalf.and_then(|away| known.people.get(&away)) {
            own.text = format!(
                "You stand in for {}, who may decide as well.\n{}",
                row.name, mail.text
            );
        }
        mail::queue(unit, seat.person, &format!("needed:{}", stage.id), &own);
    }
    if stage.stuck {
        let post = Post {
            title: format!("Nobody can decide: {package} for {asker}"),
            text: format!(
                "AR-{} is held. It goes on by itself once an approver is found.",
                line.number
            ),
            path: format!("/requests/{}", line.request_id),
        };
        chat::queue(unit, &format!("stuck:{}", stage.id), &post);
    } else if seats.iter().all(|seat| seat.via == Via::Security) {
        let post = Post {
            title: format!("A decision waits for security: {package} for {asker}"),
            text: mail.text,
            path: mail.path,
        };
        chat::queue(unit, &format!("needed:{}", stage.id), &post);
    }
    Ok(())
}

fn record_seating(
    unit: &mut Unit,
    line: &LineRow,
    stage: &StageRow,
    seating: &Seating,
    kind: EventKind,
) {
    let event = Event::new(kind, unit.now, Actor::Portal)
        .about(line.id)
        .about(line.request_id)
        .about(stage.id)
        .under(line.package_version_id)
        .changing(
            serde_json::Value::Null,
            json!({
                "position": stage.position, "state": stage.state, "approvers": stage.approvers,
                "needed": stage.needed, "seats": seating.seats, "yes": seating.yes, "fallback": stage.fallback,
                "by_subordinates": stage.by_subordinates, "stuck": stage.stuck,
            }),
        );
    unit.record(event);
}

/// Closes a stage that counts as a yes without a vote of its own. The caller writes the row.
fn close(unit: &mut Unit, line: &LineRow, stage: &mut StageRow, state: StageState) {
    let now = unit.now;
    stage.state = state;
    stage.closed_at = Some(now);
    unit.record(
        Event::new(EventKind::StageOpened, now, Actor::Portal)
            .about(line.id)
            .about(line.request_id)
            .about(stage.id)
            .under(line.package_version_id)
            .changing(
                serde_json::Value::Null,
                json!({"position": stage.position, "state": state}),
            ),
    );
}

fn asked_by_manager(
    line: &LineRow,
    route: &[StageRule],
    position: usize,
    known: &Gathered,
) -> Result<bool> {
    if line.asker_id == line.beneficiary_id {
        return Ok(false);
    }
    let asker = known.person(line.asker_id)?;
    let beneficiary = known.person(line.beneficiary_id)?;
    Ok(met_by_asking(route, position, &asker, &beneficiary))
}

/// Whether somebody seated here said yes before, both times for themselves, and one yes is enough.
fn collapses(seating: &Seating, decisions: &[DecisionRow]) -> bool {
    seating.needed == 1
        && decisions.iter().any(|vote| {
            vote.verdict == Verdict::Approve
                && vote.for_id.is_none()
                && seating
                    .seats
                    .iter()
                    .any(|seat| seat.person == vote.decider_id && seat.behalf.is_none())
        })
}
