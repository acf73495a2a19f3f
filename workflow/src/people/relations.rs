//! Managers and sponsors, once everybody in a reading is known.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PersonId,
    audit::{Actor, Event, EventKind},
    policy::ApproverRule,
};
use serde_json::json;
use store::people::PersonRow;
use uuid::Uuid;

use super::{
    directory::{DirectoryUser, Seen},
    movers::{Moved, follow},
};
use crate::{Result, Unit, Workflow, route};

/// Sets the managers and sponsors of a batch; gives how many people changed.
///
/// Somebody who is their own manager has none. Longer circles are kept as the directory has them: whoever climbs cuts
/// them, and a circle makes everybody in it a subordinate of the others, who then decide nothing for each other.
pub(super) async fn batch(workflow: &Workflow, tenant: Uuid, seen: &[&Seen]) -> Result<usize> {
    let users: Vec<&DirectoryUser> = seen
        .iter()
        .filter_map(|one| match one {
            Seen::User(user) => Some(&**user),
            Seen::Gone(_) => None,
        })
        .collect();
    let named: BTreeSet<Uuid> = users
        .iter()
        .flat_map(|user| {
            std::iter::once(user.object)
                .chain(user.manager)
                .chain(user.sponsors.iter().flatten().copied())
        })
        .collect();
    let mut unit = workflow.unit().await?;
    let whose: BTreeMap<Uuid, PersonId> = unit
        .tx
        .accounts_by_objects(tenant, &named.into_iter().collect::<Vec<_>>())
        .await?
        .into_iter()
        .map(|account| (account.object_id, account.person_id))
        .collect();
    let ids: Vec<PersonId> = users
        .iter()
        .filter_map(|user| whose.get(&user.object).copied())
        .collect();
    unit.tx.lock_persons(&ids).await?;
    let people: BTreeMap<PersonId, PersonRow> = unit
        .tx
        .persons(&ids)
        .await?
        .into_iter()
        .map(|person| (person.id, person))
        .collect();
    let mut sponsors: BTreeMap<PersonId, BTreeSet<PersonId>> = BTreeMap::new();
    for row in unit.tx.sponsors_of(&ids).await? {
        sponsors
            .entry(row.person_id)
            .or_default()
            .insert(row.sponsor_id);
    }

    let mut changed = 0;
    let mut movers: Vec<Moved> = Vec::new();
    let mut moved = BTreeSet::new();
    for user in users {
        let Some(person) = whose.get(&user.object).and_then(|id| people.get(id)) else {
            continue;
        };
        let manager = user
            .manager
            .and_then(|object| whose.get(&object).copied())
            .filter(|manager| *manager != person.id);
        let held = sponsors.remove(&person.id).unwrap_or_default();
        let wanted = match &user.sponsors {
            None => held.clone(),
            Some(objects) => objects
                .iter()
                .filter_map(|object| whose.get(object).copied())
                .filter(|sponsor| *sponsor != person.id)
                .collect(),
        };
        if manager == person.manager_id && wanted == held {
            continue;
        }
        // Below the old manager and below the new one: who is above whom counts for everybody underneath.
        moved.extend(unit.tx.lines_around(person.id).await?);
        relate(&mut unit, person, manager, &held, &wanted).await?;
        let after = PersonRow {
            manager_id: manager,
            ..person.clone()
        };
        movers.push(Moved {
            before: person.clone(),
            after,
            manager,
        });
        changed += 1;
    }
    if changed > 0 {
        // Those in need as well: whoever was barred as a subordinate may decide now.
        moved.extend(unit.tx.lines_open_for(ApproverRule::Sponsor).await?);
    }
    route::reseat_lines(&mut unit, moved).await?;
    follow(&mut unit, &movers).await?;
    unit.commit().await?;
    Ok(changed)
}

async fn relate(
    unit: &mut Unit,
    person: &PersonRow,
    manager: Option<PersonId>,
    held: &BTreeSet<PersonId>,
    wanted: &BTreeSet<PersonId>,
) -> Result<()> {
    if manager != person.manager_id {
        unit.tx
            .update_person(&PersonRow {
                manager_id: manager,
                updated_at: unit.now,
                ..person.clone()
            })
            .await?;
    }
    if wanted != held {
        let wanted: Vec<PersonId> = wanted.iter().copied().collect();
        unit.tx.set_sponsors(person.id, &wanted).await?;
    }
    unit.record(
        Event::new(EventKind::PersonChanged, unit.now, Actor::Portal)
            .about(person.id)
            .because("directory")
            .changing(
                json!({"manager": person.manager_id, "sponsors": held}),
                json!({"manager": manager, "sponsors": wanted}),
            ),
    );
    unit.changed(person.id);
    Ok(())
}
