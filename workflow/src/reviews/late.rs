//! Removals of reviews that their targets have not confirmed in time: security and the owners are told, once for each.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    CampaignId, PackageId, PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    certification::{CONFIRMED_WITHIN, CampaignState},
    deadline::JobKind,
};
use serde_json::json;
use store::{
    certification::{CampaignRow, LateRow},
    jobs::{NewJob, Priority},
    views::names::Named,
};

use super::{changed, security};
use crate::{
    Result, Unit,
    chat::{self, Post},
    mail::{self, Mail},
};

/// The most that are told of in one transaction.
const BATCH: i64 = 200;
/// How many of them a mail names.
const NAMED: usize = 20;

/// Has it looked at, in time, whether what took effect at an instant is confirmed.
pub(super) fn arm(unit: &mut Unit, id: CampaignId, took_effect: Timestamp) {
    let due_at = (took_effect + CONFIRMED_WITHIN).max(unit.now);
    unit.enqueue(&[NewJob {
        key: format!("review_late:{id}"),
        kind: JobKind::ReviewLate,
        subject: Some(id.0),
        lane: None,
        priority: Priority::Low,
        due_at,
    }]);
}

/// Tells of what should be confirmed by now and is not.
pub(crate) async fn late_due(unit: &mut Unit, ids: &[CampaignId]) -> Result<()> {
    for id in ids {
        let now = unit.now;
        // Whether it stands in the report is not to change while somebody signs that.
        unit.tx.hold_campaign(*id).await?;
        let Some(row) = unit.tx.campaign(*id).await? else {
            continue;
        };
        let late = unit
            .tx
            .late_items(*id, now - CONFIRMED_WITHIN, BATCH)
            .await?;
        if !late.is_empty() {
            let items: Vec<_> = late.iter().map(|one| one.id).collect();
            let sealed = row.state != CampaignState::SignedOff;
            unit.tx.insert_late(*id, &items, now, sealed).await?;
            tell(unit, &row, &late).await?;
        }
        if let Some(next) = unit.tx.next_late(*id).await? {
            arm(unit, *id, next);
        }
    }
    Ok(())
}

async fn tell(unit: &mut Unit, row: &CampaignRow, late: &[LateRow]) -> Result<()> {
    let now = unit.now;
    for one in late {
        unit.record(
            Event::new(EventKind::RemovalLate, now, Actor::Portal)
                .about(one.id)
                .about(row.id)
                .about(one.grant_id)
                .about(one.person_id)
                .because("the target has not confirmed it")
                .changing(
                    json!({"took_effect": one.enforced_at}),
                    json!({"within_hours": CONFIRMED_WITHIN.num_hours()}),
                ),
        );
    }
    let people: BTreeSet<PersonId> = late.iter().map(|one| one.person_id).collect();
    let ids: Vec<_> = people.iter().map(|id| id.0).collect();
    let mut names = BTreeMap::new();
    for chunk in ids.chunks(200) {
        for name in unit.tx.names(Named::Person, chunk).await? {
            names.insert(PersonId(name.id), name.name);
        }
    }
    let mut owners: BTreeMap<PackageId, Vec<PersonId>> = BTreeMap::new();
    for package in late.iter().filter_map(|one| one.package_id) {
        if let std::collections::btree_map::Entry::Vacant(entry) = owners.entry(package) {
            entry.insert(unit.tx.owners_of_package(package).await?);
        }
    }
    let security = security(&mut unit.tx).await?;
    let mut told: BTreeMap<PersonId, Vec<&LateRow>> = BTreeMap::new();
    for one in late {
        let owners = one.package_id.and_then(|package| owners.get(&package));
        let owners = owners.into_iter().flatten().copied();
        let whom: BTreeSet<PersonId> = owners
            .chain(one.right_owner_id)
            .chain(security.iter().copied())
            .filter(|person| *person != one.person_id)
            .collect();
        for person in whom {
            told.entry(person).or_default().push(one);
        }
    }
    let key = format!("review_late:{}:{}", row.id, now.timestamp_micros());
    for (person, late) in told {
        let sees_all = security.contains(&person);
        let lines: Vec<String> = late
            .iter()
            .take(NAMED)
            .map(|one| {
                let whose = names.get(&one.person_id).map_or("", String::as_str);
                format!("- {} of {whose}", one.right_name)
            })
            .collect();
        let more = late.len().saturating_sub(NAMED);
        let more = if more > 0 {
            format!("\nAnd {more} more.")
        } else {
            String::new()
        };
        let mail = Mail {
            kind: "removal_late",
            subject: format!(
                "Taken away by a review, and not confirmed: {}",
                said(late.len())
            ),
            text: format!(
                "A review said no, the access has ended here, and the target has not confirmed within {} hours that it is gone:\n{}{more}\nLook at the target itself, and at what needs attention under Provisioner.",
                CONFIRMED_WITHIN.num_hours(),
                lines.join("\n")
            ),
            path: if sees_all {
                format!("/reviews/{}", row.id)
            } else {
                "/reviews".into()
            },
        };
        mail::queue(unit, person, &key, &mail);
    }
    let post = Post {
        title: "Taken away by a review, and not confirmed".into(),
        text: format!(
            "The targets have not confirmed {} within {} hours.",
            said(late.len()),
            CONFIRMED_WITHIN.num_hours()
        ),
        path: format!("/reviews/{}", row.id),
    };
    chat::queue(unit, &key, &post);
    changed(unit, row.id, None);
    Ok(())
}

fn said(removals: usize) -> String {
    if removals == 1 {
        "1 removal".into()
    } else {
        format!("{removals} removals")
    }
}
