//! Break-glass in use: who may now, who is told at once, and the review that each use leaves behind.

use domain::{
    PersonId, Refusal, Timestamp,
    audit::{Actor, Event, EventKind},
    break_glass::{BreakGlass, Use, bars},
    calendar::{Calendar, WorkingSpan, add_working},
    finding::{FindingKind, FindingState},
    person::{Person, PortalRole},
    policy::Policy,
    request::{Start, Window},
};
use serde_json::json;
use store::{
    findings::FindingRow,
    grants::GrantRow,
    offers::{OfferRow, OfferedRow},
    requests::LineRow,
};

use crate::{
    Result, Unit,
    chat::{self, Post},
    conflicts::{self, Added},
    mail::{self, Mail},
    people,
};

/// How many overdue reviews are told of at a time.
const BATCH: i64 = 100;

/// One line of break-glass, as it was asked.
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub asker: PersonId,
    /// For whom.
    pub beneficiary: &'a Person,
    /// The package.
    pub offer: &'a OfferRow,
    /// What it contains.
    pub parts: &'a [OfferedRow],
    /// Start and length.
    pub window: Window,
    /// It is the only line, and comes from no cart.
    pub alone: bool,
    /// The person said that they know what follows.
    pub confirmed: bool,
    /// It is held already.
    pub held: bool,
}

/// What stands against using break-glass like this; the person is locked where it is to count.
pub(crate) async fn against(
    unit: &mut Unit,
    rule: BreakGlass,
    asked: &Asked<'_>,
) -> Result<Vec<Refusal>> {
    let now = unit.now;
    let person = asked.beneficiary.id;
    let since = BreakGlass::counted_since(now);
    let (uses, overdue) = unit
        .tx
        .break_glass_before(person, asked.offer.package_id, since, now)
        .await?;
    let added = Added::asked(person, asked.parts, asked.window, now);
    let meant = Use {
        own: asked.asker == person,
        alone: asked.alone,
        at_once: asked.window.start == Start::OnActivation,
        confirmed: asked.confirmed,
        held: asked.held,
        uses: u32::try_from(uses).unwrap_or(u32::MAX),
        overdue: overdue > 0,
        breaks: conflicts::stands_against(&mut unit.tx, &added, now)
            .await?
            .is_some(),
    };
    Ok(bars(rule, meant)
        .into_iter()
        .map(|why| Refusal::BreakGlass { why })
        .collect())
}

/// A use has begun: its review is opened and everybody concerned is told at once.
pub(crate) async fn used(
    unit: &mut Unit,
    line: &LineRow,
    policy: &Policy,
    grant: &GrantRow,
) -> Result<()> {
    if policy.asking.break_glass.is_none() {
        return Ok(());
    }
    let now = unit.now;
    let owners: Vec<PersonId> = unit
        .tx
        .owners_of_package(line.package_id)
        .await?
        .into_iter()
        .filter(|owner| *owner != grant.person_id)
        .collect();
    let row = FindingRow {
        id: unit.new_id(),
        kind: FindingKind::BreakGlass,
        subject: grant.id.to_string(),
        person_id: Some(grant.person_id),
        account_id: Some(grant.account_id),
        entitlement_id: None,
        conflict_id: None,
        owner_id: owners.first().copied(),
        state: FindingState::Open,
        opened_at: now,
        due_at: due(now),
        closed_at: None,
        noted_by: None,
        note: String::new(),
        version: 0,
        grant_id: Some(grant.id),
        conclusion: None,
        holder: None,
    };
    unit.tx.insert_finding(&row).await?;
    unit.record(
        Event::new(EventKind::FindingChanged, now, Actor::Portal)
            .about(row.id)
            .about(grant.person_id)
            .about(grant.id)
            .about(line.package_id)
            .because(line.id)
            .changing(
                serde_json::Value::Null,
                json!({"kind": row.kind, "state": row.state, "due": row.due_at, "owner": row.owner_id}),
            ),
    );
    unit.changed("findings");
    tell(unit, line, grant, &row, owners).await
}

/// When the review of a use that began then is due.
fn due(began: Timestamp) -> Timestamp {
    let days = u16::try_from(BreakGlass::REVIEW_DAYS).unwrap_or(u16::MAX);
    add_working(began, WorkingSpan::Days(days), &Calendar::default())
}

async fn tell(
    unit: &mut Unit,
    line: &LineRow,
    grant: &GrantRow,
    review: &FindingRow,
    owners: Vec<PersonId>,
) -> Result<()> {
    let labels = unit.labels(grant.person_id, line.package_id).await?;
    let until = grant.end_at.map_or_else(String::new, |at| {
        format!(" until {} UTC", at.format("%-d %B %Y, %H:%M"))
    });
    let mail = Mail {
        kind: "break_glass",
        subject: format!("Break-glass: {} opened {}", labels.person, labels.package),
        text: format!(
            "{} opened {} without an approval beforehand{until} (AR-{}).\nReason: {}\nSomebody else reviews it by {}.",
            labels.person,
            labels.package,
            line.number,
            line.reason,
            review.due_at.format("%-d %B %Y")
        ),
        path: format!("/findings/{}", review.id),
    };
    let mut told = owners;
    told.extend(security(unit).await?);
    told.sort_unstable();
    told.dedup();
    let manager = unit
        .tx
        .person(grant.person_id)
        .await?
        .and_then(|row| row.manager_id);
    for person in told.iter().filter(|person| **person != grant.person_id) {
        mail::queue(unit, *person, &format!("break_glass:{}", grant.id), &mail);
    }
    // A manager sees the request, and not the review unless it is theirs.
    if let Some(manager) = manager.filter(|id| !told.contains(id) && *id != grant.person_id) {
        let own = Mail {
            path: format!("/requests/{}", line.request_id),
            ..mail.clone()
        };
        mail::queue(unit, manager, &format!("break_glass:{}", grant.id), &own);
    }
    let post = Post {
        title: mail.subject,
        text: mail.text,
        path: mail.path,
    };
    chat::queue(unit, &format!("break_glass:{}", grant.id), &post);
    Ok(())
}

async fn security(unit: &mut Unit) -> Result<Vec<PersonId>> {
    let rows = unit.tx.roles_of_holders(PortalRole::Security).await?;
    let held: Vec<_> = rows.iter().map(|row| (row.person_id, row.role)).collect();
    Ok(people::effective_members(&held, PortalRole::Security))
}

/// Tells security of reviews that are overdue, each once.
pub(crate) async fn escalate(unit: &mut Unit) -> Result<()> {
    let now = unit.now;
    let overdue = unit.tx.reviews_overdue(now, BATCH).await?;
    if overdue.is_empty() {
        return Ok(());
    }
    let security = security(unit).await?;
    for row in overdue {
        let Some(whose) = row.person_id else { continue };
        let name = unit
            .tx
            .person(whose)
            .await?
            .map_or_else(String::new, |person| person.name);
        let mail = Mail {
            kind: "break_glass_overdue",
            subject: format!("Overdue: the review of {name}’s break-glass"),
            text: format!(
                "The use of {} by {name} was to be reviewed by {}. Until it is, {name} cannot open that package again.",
                row.opened_at.format("%-d %B %Y"),
                row.due_at.format("%-d %B %Y")
            ),
            path: format!("/findings/{}", row.id),
        };
        for person in security.iter().filter(|person| **person != whose) {
            mail::queue(unit, *person, &format!("overdue:{}", row.id), &mail);
        }
    }
    Ok(())
}
