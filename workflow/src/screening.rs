//! Screening: what the rules say about one line before anybody is asked to decide. The same function answers the form
//! before it is sent and the request when it is.

use domain::{
    PackageId, PersonId, Refusal, Timestamp,
    grant::GrantState,
    person::Person,
    policy::{Policy, QuestionKind},
    request::{self, Ask},
};
use serde_json::{Value, json};
use store::{
    Tx,
    grants::GrantRow,
    offers::{OfferRow, OfferedRow},
    people::PersonRow,
};

use crate::{Result, conflicts::Added, eligibility, pattern, powers};

/// One line, and whatever it is screened against. Everything was read in this transaction.
pub(crate) struct Subject<'a> {
    /// Who asks.
    pub asker: &'a Person,
    /// For whom.
    pub beneficiary: &'a Person,
    /// The package in its present edition.
    pub offer: &'a OfferRow,
    /// That edition's policy.
    pub policy: &'a Policy,
    /// What that edition contains.
    pub parts: &'a [OfferedRow],
    /// What was typed; none before anything is.
    pub asked: Option<Ask<'a>>,
    /// The grant that more time is asked for.
    pub extends: Option<&'a GrantRow>,
}

/// What screening says.
pub(crate) struct Screened {
    /// Everything that stands against it, not just the first.
    pub refusals: Vec<Refusal>,
    /// What was found, kept with the line and shown on its timeline.
    pub findings: Value,
}

/// Screens one line.
pub(crate) async fn screen(tx: &mut Tx, now: Timestamp, line: &Subject<'_>) -> Result<Screened> {
    let unmet = eligibility::unmet(line.policy, line.beneficiary, line.asker);
    let mut refusals = match &line.asked {
        Some(ask) => request::screen(ask, &unmet, line.policy, now),
        None if unmet.is_empty() => Vec::new(),
        None => vec![Refusal::NotEligible { because: unmet }],
    };
    if let Some(ask) = &line.asked {
        refusals.extend(pattern::misfits(line.policy, ask.answers));
        refusals.extend(unknown_people(tx, now, line.policy, ask).await?);
    }
    refusals.extend(scope(tx, line.policy, line.asker.id, line.beneficiary.id).await?);
    // What is held back goes on or ends first; more time would only look like access.
    if let Some(grant) = line.extends
        && grant.state == GrantState::Suspended
    {
        let state = grant.state.to_string();
        refusals.push(Refusal::WrongState { state });
    }
    if line.extends.is_none() {
        refusals.extend(full(tx, line.policy, line.offer.package_id, line.beneficiary.id).await?);
    }
    if let Some(ask) = &line.asked {
        let mut added = Added::asked(line.beneficiary.id, line.parts, ask.window, now);
        added.except = line.extends.map(|grant| grant.id);
        let clash = powers::against(tx, &added, now).await?;
        refusals.extend(clash.map(|(one, other)| Refusal::RolesExclude { one, other }));
    }
    for part in line.parts.iter().filter(|part| !part.manageable) {
        refusals.push(Refusal::NotManageable {
            entitlement: part.name.clone(),
            why: part.unmanageable_reason.clone().unwrap_or_default(),
        });
    }
    Ok(Screened {
        refusals,
        findings: findings(line),
    })
}

/// Refuses to ask for somebody for whom this policy lets the asker not ask. Looked at again when the last yes falls.
pub(crate) async fn scope(
    tx: &mut Tx,
    policy: &Policy,
    asker: PersonId,
    beneficiary: PersonId,
) -> Result<Option<Refusal>> {
    if asker == beneficiary {
        return Ok(None);
    }
    let scope = policy.asking.for_others;
    let above: Vec<PersonId> = tx
        .managers_above(&[beneficiary])
        .await?
        .into_iter()
        .map(|row| row.above_id)
        .collect();
    let allowed = scope.allows(asker, beneficiary, &above);
    Ok((!allowed).then_some(Refusal::NotForOthers { scope }))
}

/// Refuses when as many others hold the package as may. Looked at again when the last yes falls.
pub(crate) async fn full(
    tx: &mut Tx,
    policy: &Policy,
    package: PackageId,
    beneficiary: PersonId,
) -> Result<Option<Refusal>> {
    if policy.asking.most_holders.is_none() {
        return Ok(None);
    }
    let holders = tx.holders_besides(package, beneficiary).await?;
    Ok(policy.asking.full(holders.unsigned_abs()))
}

/// Refuses answers that name somebody who does not work here.
async fn unknown_people(
    tx: &mut Tx,
    now: Timestamp,
    policy: &Policy,
    ask: &Ask<'_>,
) -> Result<Vec<Refusal>> {
    let mut refusals = Vec::new();
    for question in &policy.questions {
        if question.kind != QuestionKind::Person {
            continue;
        }
        // What is not even an id is refused by `domain`.
        let given = ask
            .answers
            .get(&question.key)
            .map_or("", |text| text.trim());
        let Ok(id) = given.parse::<PersonId>() else {
            continue;
        };
        let person = tx.person(id).await?.map(PersonRow::into_domain);
        if !person.is_some_and(|person| person.works_at(now)) {
            refusals.push(Refusal::Answer {
                question: question.key.clone(),
                why: "choose somebody who works here".to_owned(),
            });
        }
    }
    Ok(refusals)
}

fn findings(line: &Subject<'_>) -> Value {
    let (person, policy) = (line.beneficiary, line.policy);
    json!({
        "eligible": policy.eligibility.iter().map(|condition| condition.explain.clone()).collect::<Vec<_>>(),
        "department": person.department,
        "employee_type": person.employee_type,
        "stages": policy.route.iter().map(|stage| stage.approvers).collect::<Vec<_>>(),
    })
}
