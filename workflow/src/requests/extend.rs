//! Asking to keep something longer: a line of its own that stands for a grant, and never holds access open while it waits.

use std::collections::BTreeMap;

use domain::{
    GrantId, PersonId, Refusal, RequestId,
    asking::Asking,
    break_glass::BreakGlassBar,
    grant::{End, GrantState},
    policy::Policy,
    request::{Ask, Length, LineKind, Start, Window},
};
use store::grants::GrantRow;

use super::{
    before::{self, Asker},
    enter::{self, Entry},
    policy_of,
};
use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    people::again,
    screening::{self, Subject},
};

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

/// Asks for more time on a grant that the viewer holds. A pending ask never holds access open.
pub async fn extend(workflow: &Workflow, viewer: &Viewer, ask: MoreTime) -> Result<RequestId> {
    again(|| extend_once(workflow, viewer, &ask)).await
}

async fn extend_once(workflow: &Workflow, viewer: &Viewer, ask: &MoreTime) -> Result<RequestId> {
    let mut unit = workflow.unit().await?;
    let asker = viewer.id();
    let seen = held(&mut unit, asker, ask.grant).await?;
    let package = seen.package_id.ok_or(Error::Missing)?;
    unit.hold(&[package], &[asker]).await?;
    let grant = held(&mut unit, asker, ask.grant).await?;
    let person = match before::asking(&mut unit, asker, &ask.key, 1).await? {
        Asker::Known(known) => return Ok(known),
        Asker::By(person) => *person,
    };
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
    let asked = before::offered(&mut unit, package, asker, grant.account_id).await?;
    let policy = policy_of(&asked.offer)?;
    if policy.asking.break_glass.is_some() {
        let why = BreakGlassBar::NotLonger;
        return Err(Refusal::BreakGlass { why }.into());
    }
    let length = match ask.seconds {
        None => Length::Permanent,
        Some(seconds) => Length::Until(domain::grant::plus(end, seconds)),
    };
    // The added time is held to the same limits as a first ask; answers given then still stand.
    let added = Window {
        start: Start::OnActivation,
        length: ask.seconds.map_or(Length::Permanent, Length::Seconds),
    };
    let unasked = Policy {
        questions: Vec::new(),
        asking: Asking {
            ticket: None,
            ..policy.asking.clone()
        },
        ..policy.clone()
    };
    let answers = BTreeMap::new();
    let subject = Subject {
        asker: &person,
        beneficiary: &person,
        offer: &asked.offer,
        policy: &unasked,
        parts: &asked.parts,
        asked: Some(Ask {
            window: added,
            reason: &ask.reason,
            answers: &answers,
        }),
        extends: Some(&grant),
    };
    let now = unit.now;
    let mut screened = screening::screen(&mut unit.tx, now, &subject).await?;
    if let Length::Until(until) = length {
        screened
            .refusals
            .extend(held_too_long(&policy, &grant, until));
    }
    if !screened.refusals.is_empty() {
        return Err(Error::Refused(screened.refusals));
    }
    let waiting = before::waiting(&mut unit, &asked, asker, asker).await?;
    let entry = Entry {
        kind: LineKind::Extension,
        extends: Some(ask.grant),
        beneficiary: person,
        account: grant.account_id,
        window: Window {
            start: Start::OnActivation,
            length,
        },
        reason: ask.reason.trim().to_owned(),
        answers,
        asked,
        policy,
        findings: screened.findings,
        waiting,
    };
    let request = enter::enter(&mut unit, asker, &ask.key, vec![entry]).await?;
    unit.commit().await?;
    Ok(request)
}

/// Refuses an end that lies past what may be held without a break.
pub(super) fn held_too_long(
    policy: &Policy,
    grant: &GrantRow,
    until: domain::Timestamp,
) -> Option<Refusal> {
    policy
        .limits
        .latest_end(grant.valid_from)
        .filter(|latest| until > *latest)
        .map(|latest| Refusal::HeldTooLong {
            most_seconds: policy.limits.continuous_seconds,
            latest,
        })
}

/// A grant of this person, whatever its state.
async fn held(unit: &mut Unit, person: PersonId, id: GrantId) -> Result<GrantRow> {
    unit.tx
        .grant(id)
        .await?
        .filter(|grant| grant.person_id == person)
        .ok_or(Error::Missing)
}
