//! `$expand`, as far as it is used: the manager (once or with `$levels=max`) and the members of a group.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Call},
    groups,
    properties::USER,
    query, users,
};
use crate::{directory::User, world::World};

/// Related objects that `$expand` shows at most.
pub(crate) const LARGEST: usize = 20;

/// One expanded relation with its own options.
#[derive(Debug)]
pub(crate) struct Expand {
    select: Option<Vec<String>>,
    all_levels: bool,
}

impl Expand {
    /// Reads `$expand=manager($select=id,displayName)`; only the relations in `known` are taken.
    pub fn parse(call: &Call<'_>, known: &[&str]) -> Result<Option<Self>, Answer> {
        let Some(text) = call.option("$expand") else {
            return Ok(None);
        };
        let (relation, options) = match text.split_once('(') {
            Some((relation, options)) => (relation, options.strip_suffix(')').unwrap_or(options)),
            None => (text, ""),
        };
        if !known.contains(&relation.trim()) {
            return Err(Answer::bad_request(
                "BadRequest",
                &format!(
                    "Parsing OData Select and Expand failed: the sandbox does not expand '{relation}' here."
                ),
            ));
        }
        let mut expand = Self {
            select: None,
            all_levels: false,
        };
        for option in options
            .split(';')
            .map(str::trim)
            .filter(|option| !option.is_empty())
        {
            match option.split_once('=') {
                Some(("$select", list)) => {
                    let names = query::parse_select(list, &USER, &[], "user")?;
                    users::may_read(call, &names)?;
                    expand.select = Some(names);
                }
                Some(("$levels", "max")) if call.eventual => expand.all_levels = true,
                _ => {
                    return Err(Answer::bad_request(
                        "BadRequest",
                        &format!(
                            "Parsing OData Select and Expand failed: '{option}' is not taken here."
                        ),
                    ));
                }
            }
        }
        Ok(Some(expand))
    }
}

/// Puts the manager into a shown user. Who has none has no such property.
pub(crate) fn manager(world: &World, user: &User, expand: &Expand, shown: &mut Map<String, Value>) {
    let mut chain = Vec::new();
    let mut seen = BTreeSet::from([user.id]);
    let mut next = user.manager;
    while let Some(manager) = next.and_then(|id| world.users.get(&id)) {
        // Circles happen in real directories.
        if !seen.insert(manager.id) {
            break;
        }
        chain.push(users::show(
            &users::whole(manager),
            expand.select.as_deref(),
            true,
        ));
        next = manager.manager.filter(|_| expand.all_levels);
    }
    let nested = chain.into_iter().rev().reduce(|above, mut below| {
        below.insert("manager".into(), Value::Object(above));
        below
    });
    if let Some(nested) = nested {
        shown.insert("manager".into(), Value::Object(nested));
    }
}

/// Puts the first members into a shown group.
pub(crate) fn members(
    world: &World,
    ids: &BTreeSet<Uuid>,
    expand: &Expand,
    shown: &mut Map<String, Value>,
) {
    let first = ids.iter().take(LARGEST);
    let members: Vec<Value> = first
        .filter_map(|id| groups::principal(world, *id, expand.select.as_deref(), true))
        .collect();
    shown.insert("members".into(), json!(members));
}
