//! One batch of users against what is known: newcomers, other attributes, returns; and who is to leave.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PersonId,
    audit::{Actor, Event, EventKind},
    person::{AccountKind, PersonState},
};
use serde_json::{Map, Value, json};
use store::{
    directory::LeaveCause,
    people::{AccountRow, PersonRow},
};
use uuid::Uuid;

use super::{
    directory::{DirectoryUser, Seen},
    movers::{self, Moved},
    search_key,
};
use crate::{Error, Result, Unit, Workflow, assignments, leave, leave::Leaver, route};

/// What is not done with the batch but after it, each in a transaction of its own.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Those who left, and those whose last day came to lie earlier.
    pub leavers: Vec<Leaver>,
    /// People seen at work: a waiting hold no longer is about them.
    pub working: BTreeSet<PersonId>,
}

impl Rest {
    pub fn append(&mut self, other: Self) {
        self.leavers.extend(other.leavers);
        self.working.extend(other.working);
    }
}

/// What a batch did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub added: usize,
    pub changed: usize,
    pub returned: usize,
    pub rest: Rest,
    moved: Vec<(PersonRow, PersonRow, Option<Uuid>)>,
}

pub(super) async fn batch(workflow: &Workflow, tenant: Uuid, seen: &[&Seen]) -> Result<Done> {
    let mut unit = workflow.unit().await?;
    let objects: Vec<Uuid> = seen.iter().map(|one| one.object()).collect();
    let holders: Vec<PersonId> = unit
        .tx
        .accounts_by_objects(tenant, &objects)
        .await?
        .iter()
        .map(|account| account.person_id)
        .collect();
    unit.tx.lock_persons(&holders).await?;
    // Again, now that nobody else can change them.
    let accounts: BTreeMap<Uuid, AccountRow> = unit
        .tx
        .accounts_by_objects(tenant, &objects)
        .await?
        .into_iter()
        .map(|account| (account.object_id, account))
        .collect();
    let people: BTreeMap<PersonId, PersonRow> = unit
        .tx
        .persons(&holders)
        .await?
        .into_iter()
        .map(|person| (person.id, person))
        .collect();

    let mut done = Done::default();
    let mut back = BTreeSet::new();
    let mut new = (Vec::new(), Vec::new());
    for one in seen {
        match (accounts.get(&one.object()), one) {
            (None, Seen::Gone(_)) => {}
            (None, Seen::User(user)) => {
                let (person, account) = newcomer(&unit, tenant, user);
                log_newcomer(&mut unit, &person, &account);
                arm_leave(&mut unit, &person);
                new.0.push(person);
                new.1.push(account);
            }
            (Some(account), Seen::Gone(_)) => {
                let person = people.get(&account.person_id).ok_or(Error::Missing)?;
                gone(&mut unit, &mut done, account, person).await?;
            }
            (Some(account), Seen::User(user)) => {
                let person = people.get(&account.person_id).ok_or(Error::Missing)?;
                if known(&mut unit, &mut done, account, person, user).await? {
                    back.insert(person.id);
                }
            }
        }
    }
    done.added = new.0.len();
    unit.tx.insert_persons(&new.0).await?;
    unit.tx.insert_accounts(&new.1).await?;
    if done.added > 0 {
        unit.changed("people");
    }
    // Whoever is back may decide again: what fell back from them, or was stuck without them.
    let mut lines = BTreeSet::new();
    for person in &back {
        lines.extend(route::lines_awaiting(&mut unit, *person).await?);
    }
    route::reseat_lines(&mut unit, lines).await?;
    let moved = with_managers(&mut unit, tenant, std::mem::take(&mut done.moved)).await?;
    movers::follow(&mut unit, &moved).await?;
    done.returned = back.len();
    unit.commit().await?;
    Ok(done)
}

/// Moves with whom the directory names as manager: the relations themselves are written after this.
async fn with_managers(
    unit: &mut Unit,
    tenant: Uuid,
    moved: Vec<(PersonRow, PersonRow, Option<Uuid>)>,
) -> Result<Vec<Moved>> {
    let named: BTreeSet<Uuid> = moved
        .iter()
        .filter_map(|(_, _, manager)| *manager)
        .collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    let whose: BTreeMap<Uuid, PersonId> = unit
        .tx
        .accounts_by_objects(tenant, &named)
        .await?
        .into_iter()
        .map(|account| (account.object_id, account.person_id))
        .collect();
    Ok(moved
        .into_iter()
        .map(|(before, after, manager)| Moved {
            before,
            after,
            manager: manager.and_then(|object| whose.get(&object).copied()),
        })
        .collect())
}

fn newcomer(unit: &Unit, tenant: Uuid, user: &DirectoryUser) -> (PersonRow, AccountRow) {
    // Somebody who left before we ever saw them is known only as that; managers above them are still found.
    let over = user.last_day_at.filter(|last| *last <= unit.now);
    let left = !user.enabled || over.is_some();
    let mut person = PersonRow {
        id: unit.new_id(),
        name: String::new(),
        given_name: String::new(),
        mail: String::new(),
        department: String::new(),
        job_title: String::new(),
        country: String::new(),
        office: String::new(),
        company: String::new(),
        employee_id: String::new(),
        employee_type: String::new(),
        user_type: String::new(),
        manager_id: None,
        hired_at: None,
        last_day_at: user.last_day_at,
        state: if left {
            PersonState::Left
        } else {
            PersonState::Active
        },
        left_at: left.then(|| over.unwrap_or(unit.now)),
        suspended_at: None,
        search_key: String::new(),
        version: 0,
        created_at: unit.now,
        updated_at: unit.now,
    };
    describe(&mut person, user);
    let account = AccountRow {
        id: unit.new_id(),
        person_id: person.id,
        tenant_id: tenant,
        object_id: user.object,
        kind: AccountKind::Directory,
        user_name: user.user_name.clone(),
        enabled: user.enabled,
        deleted: false,
        created_at: unit.now,
        updated_at: unit.now,
    };
    (person, account)
}

fn log_newcomer(unit: &mut Unit, person: &PersonRow, account: &AccountRow) {
    unit.record(
        Event::new(EventKind::PersonAdded, unit.now, Actor::Portal)
            .about(person.id)
            .because("directory")
            .changing(Value::Null, json!({"state": person.state})),
    );
    unit.record(
        Event::new(EventKind::AccountAdded, unit.now, Actor::Portal)
            .about(account.id)
            .about(person.id)
            .because("directory")
            .changing(
                Value::Null,
                json!({"tenant": account.tenant_id, "object": account.object_id, "kind": account.kind,
                    "enabled": account.enabled}),
            ),
    );
}

/// Copies what the directory says of a person, but for what a leave or a cap must go with.
fn describe(person: &mut PersonRow, user: &DirectoryUser) {
    person.name = if user.name.is_empty() {
        user.user_name.clone()
    } else {
        user.name.clone()
    };
    person.given_name.clone_from(&user.given_name);
    person.mail.clone_from(&user.mail);
    person.department.clone_from(&user.department);
    person.job_title.clone_from(&user.job_title);
    person.country.clone_from(&user.country);
    person.office.clone_from(&user.office);
    person.company.clone_from(&user.company);
    person.employee_id.clone_from(&user.employee_id);
    person.employee_type.clone_from(&user.employee_type);
    person.user_type.clone_from(&user.user_type);
    person.hired_at = user.hired_at;
    person.search_key = search_key(&person.name, &user.mail, &user.user_name);
}

async fn gone(
    unit: &mut Unit,
    done: &mut Done,
    account: &AccountRow,
    person: &PersonRow,
) -> Result<()> {
    if account.deleted {
        return Ok(());
    }
    if person.state == PersonState::Active {
        done.rest.leavers.push(Leaver {
            person: person.id,
            account: account.id,
            cause: LeaveCause::Deleted,
            last_day_at: None,
        });
        return Ok(());
    }
    set_account(unit, account, false, true).await
}

/// Brings somebody known up to date. True if they are back at work.
async fn known(
    unit: &mut Unit,
    done: &mut Done,
    account: &AccountRow,
    person: &PersonRow,
    user: &DirectoryUser,
) -> Result<bool> {
    let now = unit.now;
    let mut after = person.clone();
    describe(&mut after, user);
    let last_day_at = if user.tells_last_day {
        user.last_day_at
    } else {
        person.last_day_at
    };
    let over = last_day_at.is_some_and(|last| last <= now);
    let active = person.state == PersonState::Active;
    let earlier =
        active && last_day_at.is_some_and(|new| person.last_day_at.is_none_or(|old| new < old));
    if !earlier {
        after.last_day_at = last_day_at;
    }

    if user.enabled && !over {
        done.rest.working.insert(person.id);
    }
    if !user.enabled && account.usable() && active {
        done.rest.leavers.push(Leaver {
            person: person.id,
            account: account.id,
            cause: LeaveCause::Disabled,
            last_day_at: None,
        });
    } else if active && over && earlier {
        done.rest.leavers.push(Leaver {
            person: person.id,
            account: account.id,
            cause: LeaveCause::LastDay,
            last_day_at,
        });
    } else {
        if let (true, Some(last_day_at)) = (earlier, last_day_at) {
            done.rest.leavers.push(Leaver {
                person: person.id,
                account: account.id,
                cause: LeaveCause::LastDay,
                last_day_at: Some(last_day_at),
            });
        }
        let toggled = account.enabled != user.enabled || account.deleted;
        if toggled {
            set_account(unit, account, user.enabled, false).await?;
            if account.deleted || user.enabled {
                assignments::account_returned(unit, account).await?;
            }
        }
        // Back at work, or never gone because the last day was wrong; somebody whom HR let leave stays away until the
        // account itself comes back. Nothing returns with them: no grant, no request and no role.
        let mistaken = person.last_day_at.is_some_and(|last| last <= now);
        if (toggled || mistaken) && user.enabled && !active && !over {
            after.state = PersonState::Active;
            after.left_at = None;
        }
    }
    let relabelled = account.user_name != user.user_name;
    if relabelled {
        let mut account = unit.tx.account(account.id).await?.ok_or(Error::Missing)?;
        account.user_name.clone_from(&user.user_name);
        account.updated_at = now;
        unit.tx.update_account(&account).await?;
    }
    if after == *person && !relabelled {
        return Ok(false);
    }
    after.updated_at = now;
    unit.tx.update_person(&after).await?;
    log_changed(unit, person, &after, relabelled);
    done.moved
        .push((person.clone(), after.clone(), user.manager));
    if (after.last_day_at, after.state) != (person.last_day_at, person.state) {
        arm_leave(unit, &after);
    }
    done.changed += 1;
    Ok(after.state != person.state)
}

/// Whoever works here and has a last day leaves when it is over, whether or not the directory is read then.
fn arm_leave(unit: &mut Unit, person: &PersonRow) {
    if let (PersonState::Active, Some(last)) = (person.state, person.last_day_at) {
        leave::arm(unit, person.id, last);
    }
}

/// Logs what changed. Labels that name the human are listed but not repeated: the log holds no names.
fn log_changed(unit: &mut Unit, before: &PersonRow, after: &PersonRow, relabelled: bool) {
    let view = |row: &PersonRow| -> Map<String, Value> {
        let Value::Object(fields) = json!({
            "department": row.department, "job_title": row.job_title, "country": row.country,
            "office": row.office, "company": row.company, "employee_type": row.employee_type,
            "user_type": row.user_type, "hired_at": row.hired_at, "last_day_at": row.last_day_at,
            "state": row.state,
        }) else {
            unreachable!("the literal above is an object");
        };
        fields
    };
    let (mut old, mut new) = (view(before), view(after));
    old.retain(|field, value| new.get(field) != Some(value));
    new.retain(|field, _| old.contains_key(field));
    let labels: Vec<&str> = [
        ("name", before.name != after.name),
        ("given_name", before.given_name != after.given_name),
        ("mail", before.mail != after.mail),
        ("employee_id", before.employee_id != after.employee_id),
        ("user_name", relabelled),
    ]
    .into_iter()
    .filter_map(|(label, changed)| changed.then_some(label))
    .collect();
    if !labels.is_empty() {
        new.insert("labels".into(), json!(labels));
    }
    unit.record(
        Event::new(EventKind::PersonChanged, unit.now, Actor::Portal)
            .about(after.id)
            .because("directory")
            .changing(Value::Object(old), Value::Object(new)),
    );
    unit.changed(after.id);
}

async fn set_account(
    unit: &mut Unit,
    account: &AccountRow,
    enabled: bool,
    deleted: bool,
) -> Result<()> {
    let after = AccountRow {
        enabled,
        deleted,
        updated_at: unit.now,
        ..account.clone()
    };
    unit.tx.update_account(&after).await?;
    unit.record(
        Event::new(EventKind::AccountChanged, unit.now, Actor::Portal)
            .about(account.id)
            .about(account.person_id)
            .because("directory")
            .changing(
                json!({"enabled": account.enabled, "deleted": account.deleted}),
                json!({"enabled": enabled, "deleted": deleted}),
            ),
    );
    unit.changed(account.person_id);
    Ok(())
}

/// Lets those leave whose last day, known before, is over by now, should the deadline of one ever be lost. Due ends are not
/// counted against any limit.
pub(super) async fn past_last_day(workflow: &Workflow) -> Result<usize> {
    let mut left = 0;
    loop {
        let mut tx = workflow.store().read().await?;
        let due = tx.people_past_last_day(workflow.clock().now(), 100).await?;
        drop(tx);
        if due.is_empty() {
            return Ok(left);
        }
        for person in due {
            super::again(|| async move {
                let mut unit = workflow.unit().await?;
                leave::leave(
                    &mut unit,
                    person,
                    Actor::Portal,
                    LeaveCause::LastDay.as_str(),
                )
                .await?;
                unit.commit().await
            })
            .await?;
            left += 1;
        }
    }
}
