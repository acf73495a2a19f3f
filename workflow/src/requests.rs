//! Asking: submit a line, take it back, let it lapse or be withdrawn.

use std::collections::BTreeMap;

use domain::{
    AccountId, GrantId, LineId, PackageId, PersonId, Refusal, RequestId,
    audit::{Actor, Event, EventKind},
    deadline::JobKind,
    grant::{End, GrantState},
    person::Person,
    policy::Policy,
    request::{Ask, Length, LineKind, LineState, Start, Window, screen},
};
use serde_json::json;
use store::{
    grants::GrantRow,
    jobs::{NewJob, Priority},
    offers::OfferRow,
    requests::{BeforeAskRow, LineRow},
};

use crate::{
    Error, Result, Unit, Workflow, access::Viewer, eligibility::unmet, frozen::Frozen,
    people::again, route,
};

/// What somebody asks for: one package for themselves.
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
    /// Made with the form: the same form sent fifty times is one request.
    pub key: String,
}

/// What somebody asks for who wants to keep a grant longer.
#[derive(Clone, Debug)]
pub struct MoreTime {
    /// The grant.
    pub grant: GrantId,
    /// How many seconds after its present end; none for without end.
    pub seconds: Option<i64>,
    /// The business reason.
    pub reason: String,
    /// Made with the form.
    pub key: String,
}

/// The policy of an edition. A policy that cannot be read holds everything: it never means "no approval needed".
pub(crate) fn policy_of(offer: &OfferRow) -> Result<Policy> {
    serde_json::from_str(&offer.policy).map_err(|error| {
        Error::internal(format!(
            "policy of {} edition {} cannot be read: {error}",
            offer.package_id, offer.number
        ))
    })
}

/// Submits one line for the viewer and opens its first stage. Gives the request.
pub async fn submit(workflow: &Workflow, viewer: &Viewer, ask: NewAsk) -> Result<RequestId> {
    again(|| submit_once(workflow, viewer, &ask)).await
}

async fn submit_once(workflow: &Workflow, viewer: &Viewer, ask: &NewAsk) -> Result<RequestId> {
    let mut unit = workflow.unit().await?;
    let asker = viewer.id();
    unit.tx.hold_package(ask.package).await?;
    unit.tx.lock_persons(&[asker]).await?;
    let before = before(&mut unit, asker, &ask.key, ask.package, viewer.account).await?;
    if let Some(known) = before.known {
        return Ok(known);
    }
    let person = working(&mut unit, asker).await?;
    let offer = unit.tx.offer(ask.package).await?.ok_or(Error::Missing)?;
    if offer.state != "offered" {
        return Err(Refusal::Retired.into());
    }
    too_many(&unit, before.recent)?;
    let policy = policy_of(&offer)?;
    let mut refusals = screen(
        &Ask {
            window: ask.window,
            reason: &ask.reason,
            answers: &ask.answers,
        },
        &unmet(&policy, &person, &person),
        &policy,
        unit.now,
    );
    manageable(&mut unit, &offer, &mut refusals).await?;
    if let Some(id) = before.held
        && let Some(held) = unit.tx.grant(id).await?
        && overlaps(ask.window, held.end(), unit.now)
    {
        refusals.push(Refusal::AlreadyHeld);
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let what = Line {
        kind: LineKind::New,
        extends: None,
        account: viewer.account,
        ..Line::of(ask)
    };
    let request = enter(&mut unit, &person, &offer, &policy, what, before.waiting).await?;
    unit.commit().await?;
    Ok(request)
}

/// Asks for more time on a grant that the viewer holds. A pending ask never holds access open.
pub async fn extend(workflow: &Workflow, viewer: &Viewer, ask: MoreTime) -> Result<RequestId> {
    again(|| extend_once(workflow, viewer, &ask)).await
}

async fn extend_once(workflow: &Workflow, viewer: &Viewer, ask: &MoreTime) -> Result<RequestId> {
    let mut unit = workflow.unit().await?;
    let asker = viewer.id();
    let seen = held(&mut unit, asker, ask.grant).await?;
    let package = seen.package_id.ok_or(Error::Missing)?;
    unit.tx.hold_package(package).await?;
    unit.tx.lock_persons(&[asker]).await?;
    let grant = held(&mut unit, asker, ask.grant).await?;
    let before = before(&mut unit, asker, &ask.key, package, grant.account_id).await?;
    if let Some(known) = before.known {
        return Ok(known);
    }
    let person = working(&mut unit, asker).await?;
    // An end that has come is an end, also while its job is late.
    if grant.state == GrantState::Ended || grant.end().passed(unit.now) {
        return Err(Refusal::WrongState {
            state: GrantState::Ended.to_string(),
        }
        .into());
    }
    let End::At(end) = grant.end() else {
        return Err(Refusal::WrongState {
            state: "permanent".into(),
        }
        .into());
    };
    let offer = unit.tx.offer(package).await?.ok_or(Error::Missing)?;
    if offer.state != "offered" {
        return Err(Refusal::Retired.into());
    }
    too_many(&unit, before.recent)?;
    let policy = policy_of(&offer)?;
    let length = match ask.seconds {
        None => Length::Permanent,
        Some(seconds) => {
            let more = chrono::Duration::try_seconds(seconds).unwrap_or(chrono::Duration::zero());
            Length::Until(
                end.checked_add_signed(more)
                    .unwrap_or(domain::Timestamp::MAX_UTC),
            )
        }
    };
    // The added time is held to the same limits as a first ask; answers given then still stand.
    let added = Window {
        start: Start::OnActivation,
        length: ask.seconds.map_or(Length::Permanent, Length::Seconds),
    };
    let unasked = Policy {
        questions: Vec::new(),
        ..policy.clone()
    };
    let answers = BTreeMap::new();
    let mut refusals = screen(
        &Ask {
            window: added,
            reason: &ask.reason,
            answers: &answers,
        },
        &unmet(&policy, &person, &person),
        &unasked,
        unit.now,
    );
    if let Length::Until(until) = length
        && let Some(latest) = policy.limits.latest_end(grant.valid_from)
        && until > latest
    {
        refusals.push(Refusal::HeldTooLong {
            most_seconds: policy.limits.continuous_seconds,
            latest,
        });
    }
    manageable(&mut unit, &offer, &mut refusals).await?;
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let what = Line {
        kind: LineKind::Extension,
        extends: Some(ask.grant),
        account: grant.account_id,
        window: Window {
            start: Start::OnActivation,
            length,
        },
        reason: &ask.reason,
        answers: &answers,
        key: &ask.key,
    };
    let request = enter(&mut unit, &person, &offer, &policy, what, before.waiting).await?;
    unit.commit().await?;
    Ok(request)
}

/// A grant of this person, whatever its state.
async fn held(unit: &mut Unit, person: PersonId, id: GrantId) -> Result<GrantRow> {
    unit.tx
        .grant(id)
        .await?
        .filter(|grant| grant.person_id == person)
        .ok_or(Error::Missing)
}

/// Takes a waiting line back. Only the asker may.
pub async fn cancel(workflow: &Workflow, viewer: &Viewer, line: LineId) -> Result<()> {
    again(|| cancel_once(workflow, viewer, line)).await
}

async fn cancel_once(workflow: &Workflow, viewer: &Viewer, line: LineId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    let seen = unit
        .tx
        .line(line)
        .await?
        .filter(|line| line.asker_id == viewer.id())
        .ok_or(Error::Missing)?;
    unit.tx.lock_persons(&both(&seen)).await?;
    let line = unit.tx.lock_line(line).await?.ok_or(Error::Missing)?;
    if line.state.is_final() {
        return Err(Refusal::WrongState {
            state: line.state.to_string(),
        }
        .into());
    }
    if line.pending().is_over(unit.now) {
        return lapsed(unit, &line).await;
    }
    end(
        &mut unit,
        &line,
        LineState::Cancelled,
        Actor::Person(viewer.id()),
        "cancelled",
    )
    .await?;
    unit.commit().await
}

/// Lets lines lapse whose pending deadline has come. Called by the deadlines' jobs.
pub(crate) async fn lapse(unit: &mut Unit, ids: &[LineId]) -> Result<()> {
    // Everybody at once and in id order, as all others lock them: line by line, two such batches could wait for each other.
    let mut persons = Vec::new();
    for id in ids {
        if let Some(seen) = unit.tx.line(*id).await? {
            persons.extend(both(&seen));
        }
    }
    persons.sort_unstable();
    persons.dedup();
    unit.tx.lock_persons(&persons).await?;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    for id in ids {
        let Some(line) = unit
            .tx
            .lock_line(id)
            .await?
            .filter(|line| !line.state.is_final())
        else {
            continue;
        };
        if line.pending().is_over(unit.now) {
            lapse_line(unit, &line).await?;
        } else {
            unit.enqueue(&[lapse_job(&line)]);
        }
    }
    Ok(())
}

/// What a person does to a line whose pending deadline has come, with its job late: the line lapses, and they are told so.
pub(crate) async fn lapsed(mut unit: Unit, line: &LineRow) -> Result<()> {
    lapse_line(&mut unit, line).await?;
    unit.commit().await?;
    Err(Refusal::WrongState {
        state: LineState::Lapsed.to_string(),
    }
    .into())
}

async fn lapse_line(unit: &mut Unit, line: &LineRow) -> Result<()> {
    end(
        unit,
        line,
        LineState::Lapsed,
        Actor::Portal,
        "nobody decided in time",
    )
    .await?;
    route::tell_outcome(
        unit,
        line,
        "Nobody decided in time",
        "You may ask again; nothing else changed.",
    )
    .await
}

/// Withdraws every waiting line that a person asked for or that is for them. The caller holds the person's lock.
pub async fn withdraw_of_person(unit: &mut Unit, person: PersonId, cause: &str) -> Result<()> {
    for line in unit.tx.waiting_lines_of_person(person).await? {
        end(unit, &line, LineState::Withdrawn, Actor::Portal, cause).await?;
    }
    Ok(())
}

/// Withdraws every waiting line for a package that is no longer offered.
pub async fn withdraw_of_package(unit: &mut Unit, package: PackageId, cause: &str) -> Result<()> {
    for line in unit.tx.waiting_lines_of_package(package).await? {
        end(unit, &line, LineState::Withdrawn, Actor::Portal, cause).await?;
        route::tell_outcome(
            unit,
            &line,
            "The package is no longer offered",
            "Your request was withdrawn.",
        )
        .await?;
    }
    Ok(())
}

/// Asker and beneficiary, the persons to lock.
pub(crate) fn both(line: &LineRow) -> Vec<PersonId> {
    let mut persons = vec![line.asker_id, line.beneficiary_id];
    persons.sort_unstable();
    persons.dedup();
    persons
}

/// Moves a waiting line to its end: stages close, the deadline goes, open pages look again.
pub(crate) async fn end(
    unit: &mut Unit,
    line: &LineRow,
    state: LineState,
    actor: Actor,
    cause: &str,
) -> Result<()> {
    let by = match actor {
        Actor::Person(person) => Some(person),
        Actor::Portal | Actor::Provisioner | Actor::Operator | Actor::Anonymous => None,
    };
    let now = unit.now;
    route::changed(unit, line).await?;
    if !unit.tx.end_line(line, state, by, now).await? {
        return Err(Error::Stale);
    }
    unit.tx.close_stages(line.id, now).await?;
    unit.cancel(&lapse_job(line).key).await?;
    unit.record(
        Event::new(EventKind::LineEnded, now, actor)
            .about(line.id)
            .about(line.request_id)
            .about(line.beneficiary_id)
            .about(line.package_id)
            .because(cause)
            .under(line.package_version_id)
            .changing(json!({"state": line.state}), json!({"state": state})),
    );
    Ok(())
}

/// One line about to be entered.
struct Line<'a> {
    kind: LineKind,
    extends: Option<GrantId>,
    account: AccountId,
    window: Window,
    reason: &'a str,
    answers: &'a BTreeMap<String, String>,
    key: &'a str,
}

impl<'a> Line<'a> {
    fn of(ask: &'a NewAsk) -> Self {
        Self {
            kind: LineKind::New,
            extends: None,
            account: AccountId(uuid::Uuid::nil()),
            window: ask.window,
            reason: &ask.reason,
            answers: &ask.answers,
            key: &ask.key,
        }
    }
}

async fn enter(
    unit: &mut Unit,
    asker: &Person,
    offer: &OfferRow,
    policy: &Policy,
    what: Line<'_>,
    waiting: Option<LineId>,
) -> Result<RequestId> {
    let now = unit.now;
    if let Some(id) = waiting
        && let Some(earlier) = unit.tx.line(id).await?
    {
        end(
            unit,
            &earlier,
            LineState::Superseded,
            Actor::Person(asker.id),
            "asked again",
        )
        .await?;
    }
    let request: RequestId = unit.new_id();
    let number = unit.tx.count("request").await?;
    unit.tx
        .insert_request(request, number, asker.id, what.key, now)
        .await?;
    let answers = serde_json::to_string(what.answers)?;
    let reason = what.reason.trim();
    let frozen = Frozen {
        beneficiary: asker.id,
        account: what.account,
        package_version: offer.version_id,
        policy_version: offer.number,
        window: what.window,
        reason,
        answers: &answers,
    };
    let (length_kind, length_seconds, until_at) = match what.window.length {
        Length::Seconds(seconds) => ("seconds", Some(seconds), None),
        Length::Until(at) => ("until", None, Some(at)),
        Length::Permanent => ("permanent", None, None),
    };
    let line = LineRow {
        id: unit.new_id(),
        request_id: request,
        number,
        kind: what.kind,
        package_id: offer.package_id,
        package_version_id: offer.version_id,
        asker_id: asker.id,
        beneficiary_id: asker.id,
        account_id: what.account,
        extends_grant_id: what.extends,
        state: LineState::AwaitingApproval,
        reason: reason.to_owned(),
        frozen_hash: frozen.hash(),
        answers,
        start_at: match what.window.start {
            Start::OnActivation => None,
            Start::At(at) => Some(at),
        },
        length_kind: length_kind.to_owned(),
        length_seconds,
        until_at,
        screening: screening(asker, policy).to_string(),
        submitted_at: now,
        lapse_at: now + chrono::Duration::seconds(policy.limits.pending_seconds),
        ended_at: None,
        ended_by: None,
        version: 0,
        asked_back_at: None,
        stood_us: 0,
        nudged_at: None,
    };
    unit.tx.insert_line(&line).await?;
    unit.record(
        Event::new(EventKind::LineSubmitted, now, Actor::Person(asker.id))
            .about(line.id)
            .about(request)
            .about(asker.id)
            .about(line.package_id)
            .under(line.package_version_id)
            .changing(
                serde_json::Value::Null,
                json!({
                    "state": line.state, "kind": line.kind, "window": line.window(), "reason": line.reason,
                    "account": line.account_id, "frozen": line.frozen_hash, "screening": screening(asker, policy),
                }),
            ),
    );
    unit.enqueue(&[lapse_job(&line)]);
    route::lay(unit, &line, policy).await?;
    Ok(request)
}

/// The job that lets a line lapse. It comes when the line lapses at the latest; while a question holds the clock it looks
/// again then.
pub(crate) fn lapse_job(line: &LineRow) -> NewJob {
    NewJob {
        key: format!("lapse:{}", line.id),
        kind: JobKind::LineLapse,
        subject: Some(line.id.0),
        lane: None,
        priority: Priority::Normal,
        due_at: line.pending().latest(),
    }
}

/// What screening found, kept with the line and shown on its timeline.
fn screening(person: &Person, policy: &Policy) -> serde_json::Value {
    json!({
        "eligible": policy.eligibility.iter().map(|condition| condition.explain.clone()).collect::<Vec<_>>(),
        "department": person.department,
        "employee_type": person.employee_type,
        "stages": policy.route.iter().map(|stage| stage.approvers).collect::<Vec<_>>(),
    })
}

async fn working(unit: &mut Unit, id: PersonId) -> Result<Person> {
    let person = unit
        .tx
        .person(id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    if person.works_at(unit.now) {
        Ok(person)
    } else {
        Err(Error::Forbidden)
    }
}

/// What stands in the way of an ask, or answers it already: read in one statement.
async fn before(
    unit: &mut Unit,
    asker: PersonId,
    key: &str,
    package: PackageId,
    account: AccountId,
) -> Result<BeforeAskRow> {
    let since = unit.now - SPAN;
    Ok(unit
        .tx
        .before_ask(asker, key, package, account, since)
        .await?)
}

/// The span that the limit on asking counts over.
const SPAN: chrono::Duration = chrono::Duration::minutes(10);

fn too_many(unit: &Unit, recent: i64) -> Result<()> {
    let most = i64::from(unit.workflow().settings().asks_per_ten_minutes);
    if recent >= most {
        return Err(Refusal::TooMany {
            after_seconds: SPAN.num_seconds(),
        }
        .into());
    }
    Ok(())
}

async fn manageable(unit: &mut Unit, offer: &OfferRow, refusals: &mut Vec<Refusal>) -> Result<()> {
    for part in unit.tx.offered(offer.version_id).await? {
        if !part.manageable {
            refusals.push(Refusal::NotManageable {
                entitlement: part.name,
                why: part.unmanageable_reason.unwrap_or_default(),
            });
        }
    }
    Ok(())
}

/// Whether a new window would overlap what is held. A later start after the held end is a new ask, not an extension.
fn overlaps(window: Window, held: End, now: domain::Timestamp) -> bool {
    let from = match window.start {
        Start::OnActivation => now,
        Start::At(at) => at,
    };
    match held {
        End::Permanent => true,
        End::At(end) => from < end,
    }
}
