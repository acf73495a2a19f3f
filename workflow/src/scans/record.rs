//! Acts on what a target listed of one right, in one transaction that is fenced by the job's attempt.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AssignmentId, EntitlementId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    drift::{Drift, Stop},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    assignments::AssignmentRow,
    jobs::Job,
    scans::{BelievedRow, DriftRow, ScanRightRow, ScannedRow},
};

use super::compare::{Compared, Given, Holders, compare};
use crate::{
    Error, Result, Unit, Workflow,
    assignments::{self, Pair, Withheld},
    chat::{self, Post},
    findings,
    frozen::hex,
    people::again,
};

/// What a target told of one right.
#[derive(Clone, Debug)]
pub enum Told {
    /// Who holds it.
    Listing {
        /// When it was asked for.
        asked: Timestamp,
        /// Those who hold it, and how.
        holders: Holders,
        /// Those of the believed holders that a direct read does not show either.
        gone: BTreeSet<AssignmentId>,
        /// Whether it lacks somebody whom a direct read shows.
        lacks: bool,
    },
    /// Nothing, and why.
    Nothing(String),
}

/// Acts on what a target told of one right, or notes why it does not. False if the pass does not go on here: the lease was
/// lost, or the target is held.
pub async fn record(
    workflow: &Workflow,
    job: &Job,
    right: &ScanRightRow,
    told: &Told,
) -> Result<bool> {
    again(|| record_once(workflow, job, right, told)).await
}

async fn record_once(
    workflow: &Workflow,
    job: &Job,
    right: &ScanRightRow,
    told: &Told,
) -> Result<bool> {
    let mut unit = workflow.unit().await?;
    let target = unit
        .tx
        .target(right.target_id)
        .await?
        .ok_or(Error::Missing)?;
    if target.paused || !unit.tx.holds_job(job).await? {
        return Ok(false);
    }
    // What a restored database does not know of is for a human: neither kept nor taken away by itself.
    let right = &ScanRightRow {
        drift: target.restored_at.map_or(right.drift, |_| Drift::Report),
        ..right.clone()
    };
    let before = unit.tx.scanned(right.id).await?;
    let allowed = before.as_ref().map_or(0, |row| row.allowed);
    let (asked, holders, gone, lacks) = match told {
        Told::Listing {
            asked,
            holders,
            gone,
            lacks,
        } => (*asked, holders, gone, *lacks),
        Told::Nothing(why) => {
            let row = ScannedRow {
                detail: why.clone(),
                ..counts(&unit, right, &Compared::default())
            };
            stop(&mut unit, right, row, Stop::Unread, before.as_ref()).await?;
            unit.commit().await?;
            return Ok(true);
        }
    };
    let first = compare(&mut unit.tx, &target, right, asked, holders).await?;
    let stopped = if lacks {
        Some(Stop::NotWhole)
    } else {
        first.stops(workflow.settings().scan_limit, allowed)
    };
    if let Some(why) = stopped {
        let row = ScannedRow {
            listing_hash: hash(&holders.direct),
            ..counts(&unit, right, &first)
        };
        stop(&mut unit, right, row, why, before.as_ref()).await?;
        unit.commit().await?;
        return Ok(true);
    }
    // Grants change under the lock of whoever holds them: what is acted on is compared again with them locked.
    let people = first.people();
    unit.tx
        .lock_persons(&people.iter().copied().collect::<Vec<_>>())
        .await?;
    let mut compared = compare(&mut unit.tx, &target, right, asked, holders).await?;
    keep_to(&mut compared, &people, gone);
    let row = ScannedRow {
        listing_hash: hash(&holders.direct),
        ..counts(&unit, right, &compared)
    };
    let quiet = compared.changes == 0 && compared.over.is_empty() && compared.returned.is_empty();
    let mut looked_at = given(&mut unit, right, &compared).await?;
    let restored = target.restored_at.is_some();
    looked_at.extend(vanished(&mut unit, right, asked, restored, &compared).await?);
    for person in looked_at {
        findings::scan_person(&mut unit, person);
        unit.changed(person);
    }
    if !quiet {
        unit.record(
            Event::new(EventKind::TargetScanned, unit.now, Actor::Provisioner)
                .about(right.target_id)
                .about(right.id)
                .because("scan")
                .changing(
                    serde_json::Value::Null,
                    json!({"listed": row.listed, "believed": row.believed, "given": row.given, "vanished": row.vanished, "over": compared.over.len(), "drift": right.drift}),
                ),
        );
    }
    unit.tx.save_scanned(&row).await?;
    unit.changed("provisioning");
    unit.commit().await?;
    Ok(true)
}

/// Leaves out whoever was not locked, and whoever a direct read did not miss.
fn keep_to(compared: &mut Compared, people: &BTreeSet<PersonId>, gone: &BTreeSet<AssignmentId>) {
    compared
        .given
        .retain(|one| one.known.is_none_or(|(_, person)| people.contains(&person)));
    compared
        .vanished
        .retain(|row| people.contains(&row.person_id) && gone.contains(&row.id));
    compared
        .returned
        .retain(|row| people.contains(&row.person_id));
}

fn counts(unit: &Unit, right: &ScanRightRow, compared: &Compared) -> ScannedRow {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    ScannedRow {
        entitlement_id: right.id,
        scanned_at: unit.now,
        listed: count(compared.listed),
        believed: count(compared.believed),
        given: count(compared.given.len()),
        vanished: count(compared.vanished.len()),
        changes: count(compared.changes),
        stopped: None,
        detail: String::new(),
        allowed: 0,
        allowed_by: None,
        listing_hash: String::new(),
    }
}

/// The SHA-256 (hex) over those whom a target lists as holding the right itself: its own ids in their order, each on a line.
fn hash(holders: &BTreeSet<String>) -> String {
    let mut hasher = Sha256::new();
    for holder in holders {
        hasher.update(holder);
        hasher.update("\n");
    }
    hex(&hasher.finalize())
}

/// Changes nothing and says why. What an operator let through stays for a pass that can be done.
async fn stop(
    unit: &mut Unit,
    right: &ScanRightRow,
    row: ScannedRow,
    why: Stop,
    before: Option<&ScannedRow>,
) -> Result<()> {
    let fresh = before.is_none_or(|row| row.stopped != Some(why));
    let kept = before.filter(|_| !why.may_go_on());
    let row = ScannedRow {
        stopped: Some(why),
        allowed: kept.map_or(0, |row| row.allowed),
        allowed_by: kept.and_then(|row| row.allowed_by),
        ..row
    };
    unit.tx.save_scanned(&row).await?;
    if fresh {
        unit.record(
            Event::new(EventKind::TargetScanned, unit.now, Actor::Provisioner)
                .about(right.target_id)
                .about(right.id)
                .because("scan")
                .changing(
                    serde_json::Value::Null,
                    json!({"stopped": why, "listed": row.listed, "believed": row.believed, "changes": row.changes, "detail": row.detail}),
                ),
        );
        tell(
            unit,
            &right.id.to_string(),
            "A scan of a right stopped and changed nothing. The page says why.",
        );
    }
    unit.changed("provisioning");
    Ok(())
}

/// Tells the channel of the operators, once a day for each subject.
pub(super) fn tell(unit: &mut Unit, subject: &str, text: &str) {
    let day = unit.now.format("%Y-%m-%d");
    let post = Post {
        title: "A scan needs attention".into(),
        text: text.to_owned(),
        path: "/provisioning".into(),
    };
    chat::queue(unit, &format!("scan:{subject}:{day}"), &post);
}

/// Reports, keeps or takes away what was given out of band, as the catalogue says. Gives whose findings may be others now.
async fn given(
    unit: &mut Unit,
    right: &ScanRightRow,
    compared: &Compared,
) -> Result<BTreeSet<PersonId>> {
    let now = unit.now;
    let (mut rows, mut taken, mut kept) = (Vec::new(), Vec::<Pair>::new(), BTreeSet::new());
    let mut people = BTreeSet::new();
    for one in &compared.given {
        if let Some((account, person)) = one.known {
            people.insert(person);
            if keeps(unit, right, one).await? {
                assignments::keep_found(unit, person, account, right.id).await?;
                kept.insert(one.holder.clone());
                continue;
            }
            if right.drift == Drift::Repair {
                taken.push((account, right.id));
            }
        }
        rows.push(DriftRow {
            entitlement_id: right.id,
            holder: one.holder.clone(),
            account_id: one.known.map(|(account, _)| account),
            person_id: one.known.map(|(_, person)| person),
            found_at: now,
        });
    }
    people.extend(compared.over.iter().filter_map(|row| row.person_id));
    let over: Vec<String> = compared
        .over
        .iter()
        .map(|row| row.holder.clone())
        .chain(kept)
        .collect();
    unit.tx.delete_drift(right.id, &over).await?;
    unit.tx.insert_drift(&rows).await?;
    for pairs in taken.chunks(300) {
        assignments::take_found(unit, pairs, "scan").await?;
    }
    let strangers: BTreeSet<&str> = compared
        .given
        .iter()
        .filter(|one| one.known.is_none())
        .map(|one| one.holder.as_str())
        .collect();
    findings::strangers(unit, right.id, right.owner_id, &strangers).await?;
    Ok(people)
}

/// Whether what was given out of band becomes an import by itself. What is privileged or under a control scope never does, nor
/// what somebody holds who does not work here or on an account that is not in use.
async fn keeps(unit: &mut Unit, right: &ScanRightRow, one: &Given) -> Result<bool> {
    let Some((account, person)) = one.known else {
        return Ok(false);
    };
    if right.drift != Drift::Adopt || right.privileged || right.control_scope.is_some() {
        return Ok(false);
    }
    let now = unit.now;
    let works = unit
        .tx
        .person(person)
        .await?
        .is_some_and(|person| person.into_domain().works_at(now));
    let usable = unit
        .tx
        .account(account)
        .await?
        .is_some_and(|account| account.usable());
    Ok(works && usable)
}

/// Puts back what vanished, once, or leaves it for a person; and has asked anew what came back.
async fn vanished(
    unit: &mut Unit,
    right: &ScanRightRow,
    asked: Timestamp,
    restored: bool,
    compared: &Compared,
) -> Result<BTreeSet<PersonId>> {
    let rows: Vec<&BelievedRow> = compared.vanished.iter().chain(&compared.returned).collect();
    let mut locked = BTreeMap::new();
    let ids: Vec<AssignmentId> = rows.iter().map(|row| row.id).collect();
    for ids in ids.chunks(300) {
        let chunk = unit.tx.lock_assignments(ids).await?;
        locked.extend(chunk.into_iter().map(|row| (row.id, row)));
    }
    for row in &compared.returned {
        if let Some(assignment) = locked.remove(&row.id) {
            assignments::ask_anew(unit, assignment).await?;
        }
    }
    for row in &compared.vanished {
        let Some(assignment) = locked.remove(&row.id) else {
            continue;
        };
        if restored && !row.only_imports {
            assignments::withhold(unit, assignment, Withheld::Restored, asked).await?;
        } else {
            put_back(unit, right, row, assignment, asked).await?;
        }
    }
    Ok(rows.into_iter().map(|row| row.person_id).collect())
}

async fn put_back(
    unit: &mut Unit,
    right: &ScanRightRow,
    row: &BelievedRow,
    assignment: AssignmentRow,
    asked: Timestamp,
) -> Result<()> {
    if row.only_imports {
        // Nobody here gave it: what is read next is believed, and nothing is put back.
        return assignments::ask_anew(unit, assignment).await;
    }
    let why = if right.privileged {
        Some(Withheld::Privileged)
    } else if !row.usable {
        Some(Withheld::Unusable)
    } else if spent(unit, right.id, row).await? {
        Some(Withheld::Again)
    } else {
        None
    };
    if let Some(why) = why {
        return assignments::withhold(unit, assignment, why, asked).await;
    }
    let now = unit.now;
    unit.tx.set_put_back(row.id, now).await?;
    assignments::ask_anew(unit, assignment).await
}

/// Whether it was put back before, and no grant began since.
async fn spent(unit: &mut Unit, right: EntitlementId, row: &BelievedRow) -> Result<bool> {
    let Some(at) = row.put_back_at else {
        return Ok(false);
    };
    let pair = (row.account_id, right);
    let claims = assignments::claims_by_pair(unit, &[pair]).await?;
    Ok(!claims
        .get(&pair)
        .is_some_and(|claims| claims.iter().any(|claim| claim.counts && claim.from > at)))
}
