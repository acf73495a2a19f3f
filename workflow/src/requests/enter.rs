//! Entering a request: its lines are frozen under their hash, the same ask that waits is superseded, and each line's
//! route is laid on its own.

use std::collections::BTreeMap;

use domain::{
    AccountId, GrantId, PersonId, RequestId,
    audit::{Actor, Event, EventKind},
    person::Person,
    policy::Policy,
    request::{Length, LineKind, LineState, Start, Window},
};
use serde_json::{Value, json};
use store::{offers::AskedOffer, requests::LineRow};

use super::end::{end, lapse_job};
use crate::{
    Result, Unit, checks,
    frozen::Frozen,
    mail::{self, Mail},
    route,
};

/// One line that passed screening and is about to be entered.
pub(super) struct Entry {
    pub kind: LineKind,
    pub extends: Option<GrantId>,
    pub beneficiary: Person,
    pub account: AccountId,
    pub window: Window,
    pub reason: String,
    pub answers: BTreeMap<String, String>,
    pub asked: AskedOffer,
    pub policy: Policy,
    /// What screening found, kept with the line.
    pub findings: Value,
    /// The same ask, waiting, whose place this one takes.
    pub waiting: Option<LineRow>,
}

/// Enters a request with all its lines. The caller holds the packages and the locks of all persons.
pub(super) async fn enter(
    unit: &mut Unit,
    asker: PersonId,
    key: &str,
    entries: Vec<Entry>,
) -> Result<RequestId> {
    let now = unit.now;
    for entry in &entries {
        if let Some(earlier) = &entry.waiting {
            end(
                unit,
                earlier,
                LineState::Superseded,
                Actor::Person(asker),
                "asked again",
            )
            .await?;
        }
    }
    let request: RequestId = unit.new_id();
    let number = unit.tx.count("request").await?;
    unit.tx
        .insert_request(request, number, asker, key, now)
        .await?;
    for entry in entries {
        line(unit, asker, (request, number), entry).await?;
    }
    Ok(request)
}

async fn line(
    unit: &mut Unit,
    asker: PersonId,
    (request, number): (RequestId, i64),
    entry: Entry,
) -> Result<()> {
    let now = unit.now;
    let Entry {
        asked,
        policy,
        beneficiary,
        ..
    } = &entry;
    let offer = &asked.offer;
    let answers = serde_json::to_string(&entry.answers)?;
    let frozen = Frozen {
        beneficiary: beneficiary.id,
        account: entry.account,
        package_version: offer.version_id,
        policy_version: offer.number,
        window: entry.window,
        reason: &entry.reason,
        answers: &answers,
    };
    let (length_kind, length_seconds, until_at) = match entry.window.length {
        Length::Seconds(seconds) => ("seconds", Some(seconds), None),
        Length::Until(at) => ("until", None, Some(at)),
        Length::Permanent => ("permanent", None, None),
    };
    let line = LineRow {
        id: unit.new_id(),
        request_id: request,
        number,
        kind: entry.kind,
        package_id: offer.package_id,
        package_version_id: offer.version_id,
        asker_id: asker,
        beneficiary_id: beneficiary.id,
        account_id: entry.account,
        extends_grant_id: entry.extends,
        state: LineState::AwaitingApproval,
        reason: entry.reason.clone(),
        frozen_hash: frozen.hash(),
        answers,
        start_at: match entry.window.start {
            Start::OnActivation => None,
            Start::At(at) => Some(at),
        },
        length_kind: length_kind.to_owned(),
        length_seconds,
        until_at,
        screening: entry.findings.to_string(),
        submitted_at: now,
        lapse_at: now + chrono::Duration::seconds(policy.limits.pending_seconds),
        ended_at: None,
        ended_by: None,
        version: 0,
        asked_back_at: None,
        stood_us: 0,
        nudged_at: None,
        waits_since: None,
    };
    unit.tx.insert_line(&line).await?;
    let mut event = Event::new(EventKind::LineSubmitted, now, Actor::Person(asker))
        .about(line.id)
        .about(request)
        .about(line.beneficiary_id)
        .about(line.package_id)
        .under(line.package_version_id)
        .changing(
            Value::Null,
            json!({
                "state": line.state, "kind": line.kind, "window": line.window(), "reason": line.reason,
                "account": line.account_id, "frozen": line.frozen_hash, "screening": entry.findings,
            }),
        );
    if line.beneficiary_id != asker {
        event = event.for_person(line.beneficiary_id);
    }
    unit.record(event);
    unit.enqueue(&[lapse_job(&line)]);
    unit.knows(
        (beneficiary.id, &beneficiary.name),
        (offer.package_id, &offer.name),
    );
    if line.beneficiary_id != asker {
        tell(unit, &line).await?;
    }
    let asked = checks::Asked {
        beneficiary,
        offer,
        policy,
        parts: &asked.parts,
        team: Some(asked.team),
        window: line.window(),
        extends: line.extends_grant_id,
        line: Some(line.id),
    };
    route::lay(unit, &line, &asked).await
}

/// Tells whoever it is for that somebody asked for them.
async fn tell(unit: &mut Unit, line: &LineRow) -> Result<()> {
    let labels = unit.labels(line.asker_id, line.package_id).await?;
    let (asker, package) = (labels.person, labels.package);
    let mail = Mail {
        kind: "asked_for_you",
        subject: format!("{asker} asked for {package} for you"),
        text: format!(
            "{asker} asked for {package} for you (AR-{}).\nReason: {}\nYou see here what comes of it.",
            line.number, line.reason
        ),
        path: format!("/requests/{}", line.request_id),
    };
    mail::queue(
        unit,
        line.beneficiary_id,
        &format!("asked:{}", line.id),
        &mail,
    );
    Ok(())
}
