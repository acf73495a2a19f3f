//! What a move brings with it: open stages seat others, waiting lines that no longer fit are withdrawn, and requested
//! grants that no longer fit end: privileged ones at once, the others after a grace.

use std::collections::BTreeSet;

use domain::{
    PackageVersionId, PersonId,
    audit::{Actor, Event, EventKind},
    grant::{End, EndReason, GrantSource},
    mover::{Fate, Move, fate},
    person::{Person, PersonState},
    request::LineState,
};
use serde_json::json;
use store::{grants::GrantRow, people::PersonRow};

use crate::{
    Error, Result, Unit,
    eligibility::unmet,
    grants,
    mail::{self, Mail},
    requests, reviews, route,
};

/// A move as the directory tells it.
#[derive(Debug)]
pub(super) struct Moved {
    /// The person as they were.
    pub before: PersonRow,
    /// As they are now.
    pub after: PersonRow,
    /// Whom they report to from now on, also where that is written only after this.
    pub manager: Option<PersonId>,
}

/// What becomes of one person's access.
#[derive(Default)]
struct Effect {
    ended: Vec<(GrantRow, Vec<String>)>,
    later: Vec<(GrantRow, Vec<String>)>,
    withdrawn: Vec<domain::LineId>,
}

/// Follows moves, in the transaction that sees them. The persons are locked by the caller.
pub(super) async fn follow(unit: &mut Unit, moved: &[Moved]) -> Result<()> {
    let mut seen = Vec::new();
    for one in moved {
        let (old, new) = (
            one.before.clone().into_domain(),
            one.after.clone().into_domain(),
        );
        let what = Move::between(&old, &new);
        if what.tests_again() && one.after.state == PersonState::Active {
            let differs = differs(what, &old, &new);
            seen.push((what, new, one.manager, differs));
        }
    }
    // Lines of all of them before assignments of any.
    let mut effects = Vec::with_capacity(seen.len());
    let mut reseat = BTreeSet::new();
    for (what, person, manager, differs) in seen {
        let mut effect = Effect::default();
        for line in unit.tx.waiting_lines_of_person(person.id).await? {
            if line.beneficiary_id != person.id {
                continue;
            }
            let because = unmet_in(unit, line.package_version_id, &person, line.asker_id).await?;
            if because.is_empty() {
                reseat.insert(line.id);
                continue;
            }
            let why = because.join("; ");
            let cause = format!("moved, and no longer eligible: {why}");
            requests::end(unit, &line, LineState::Withdrawn, Actor::Portal, &cause).await?;
            let text = format!(
                "The request was withdrawn, as the new place in the company does not fit it: {why}."
            );
            route::tell_outcome(unit, &line, "No longer possible after the move", &text).await?;
            effect.withdrawn.push(line.id);
        }
        effects.push((what, person, manager, differs, effect));
    }
    route::reseat_lines(unit, reseat).await?;
    for (what, person, manager, differs, mut effect) in effects {
        one(unit, what, &person, &mut effect).await?;
        if what.is_move() {
            reviews::small::moved(unit, person.id, differs).await?;
        }
        tell(unit, &person, manager, &effect).await?;
    }
    Ok(())
}

/// What of a move people understand as one, in words that name nobody.
fn differs(what: Move, before: &Person, after: &Person) -> String {
    let or_none = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text.to_owned()
        }
    };
    let changed =
        |of: &str, old: &str, new: &str| format!("{of} {}, before {}", or_none(new), or_none(old));
    let parts = [
        what.department
            .then(|| changed("department", &before.department, &after.department)),
        what.employment
            .then(|| changed("employment", &before.employee_type, &after.employee_type)),
        what.manager.then(|| "another manager".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Why the policy of an edition no longer means a person, for whom this asker asked.
async fn unmet_in(
    unit: &mut Unit,
    version: PackageVersionId,
    person: &Person,
    asker: PersonId,
) -> Result<Vec<String>> {
    let offer = unit.tx.pinned_offer(version).await?.ok_or(Error::Missing)?;
    let policy = requests::policy_of(&offer)?;
    if asker == person.id {
        return Ok(unmet(&policy, person, person));
    }
    let (_, asker) = grants::both(unit, person.id, asker).await?;
    Ok(unmet(&policy, person, &asker))
}

async fn one(unit: &mut Unit, what: Move, person: &Person, effect: &mut Effect) -> Result<()> {
    let now = unit.now;
    let grace = unit.workflow().settings().mover_grace_days;
    for grant in unit.tx.live_grants_of_person(person.id).await? {
        let (GrantSource::Request, Some(version)) = (grant.source, grant.package_version_id) else {
            continue;
        };
        if grant.end().passed(now) {
            continue;
        }
        let asker = match grant.line_id {
            Some(line) => unit.tx.line(line).await?.map(|line| line.asker_id),
            None => None,
        };
        let asker = asker.unwrap_or(person.id);
        let because = unmet_in(unit, version, person, asker).await?;
        let privileged = unit
            .tx
            .offered(version)
            .await?
            .iter()
            .any(|part| part.privileged);
        let held = (grant.valid_from, grant.end());
        match fate(because, held, privileged, grace, now) {
            Fate::Stays => {}
            Fate::Ends(at, because) if at <= now => effect.ended.push((grant, because)),
            Fate::Ends(at, because) => {
                let end = End::At(at);
                grants::shorten(unit, &grant, end, "moved", Some(EndReason::Mover)).await?;
                let grant = GrantRow {
                    end_at: end.at(),
                    ..grant
                };
                effect.later.push((grant, because));
            }
        }
    }
    for (grant, because) in &effect.ended {
        let note = because.join("; ");
        let grants = std::slice::from_ref(grant);
        let reason = EndReason::Mover;
        grants::end_many(unit, grants, reason, Actor::Portal, Some(&note), "moved").await?;
    }
    let touched =
        !effect.ended.is_empty() || !effect.later.is_empty() || !effect.withdrawn.is_empty();
    if what.is_move() || touched {
        let ids = |all: &[(GrantRow, Vec<String>)]| {
            all.iter()
                .map(|(grant, _)| grant.id.to_string())
                .collect::<Vec<_>>()
        };
        unit.record(
            Event::new(EventKind::PersonMoved, now, Actor::Portal)
                .about(person.id)
                .because("directory")
                .changing(
                    serde_json::Value::Null,
                    json!({
                        "manager": what.manager, "department": what.department, "employment": what.employment,
                        "other": what.other, "ended": ids(&effect.ended), "end_later": ids(&effect.later),
                        "withdrawn": effect.withdrawn,
                    }),
                ),
        );
    }
    Ok(())
}

/// Tells whoever moved, and whom they report to now, what ends and when.
async fn tell(
    unit: &mut Unit,
    person: &Person,
    manager: Option<PersonId>,
    effect: &Effect,
) -> Result<()> {
    if effect.ended.is_empty() && effect.later.is_empty() {
        return Ok(());
    }
    let mut lines = Vec::new();
    for (grant, because) in effect.ended.iter().chain(&effect.later) {
        let name = grants::name_of(unit, grant).await?;
        let when = match grant.end().at() {
            Some(at)
                if at > unit.now && !effect.ended.iter().any(|(one, _)| one.id == grant.id) =>
            {
                format!("ends {}", mail::time_left(at - unit.now))
            }
            _ => "has ended".into(),
        };
        lines.push(format!("- {name} {when}: {}", because.join("; ")));
    }
    let list = lines.join("\n");
    let key = format!("moved:{}:{}", person.id, unit.now.timestamp_micros());
    let own = Mail {
        kind: "moved",
        subject: "Access that no longer fits your new place".into(),
        text: format!(
            "Your place in the company has changed. This access was for the old one:\n{list}\nIf you still need something of it, talk to your manager."
        ),
        path: "/access".into(),
    };
    mail::queue(unit, person.id, &key, &own);
    if let Some(manager) = manager {
        let theirs = Mail {
            kind: "moved",
            subject: format!("{} moved: access that no longer fits", person.name),
            text: format!(
                "{} reports to you, and their place in the company has changed. This access was for the old one:\n{list}",
                person.name
            ),
            path: format!("/people/{}", person.id),
        };
        mail::queue(unit, manager, &key, &theirs);
    }
    Ok(())
}
