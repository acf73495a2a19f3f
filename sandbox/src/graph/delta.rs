//! `/users/delta` and `/groups/delta`: everything once, then what changed since a token. Tokens hold all there is to
//! know, so they outlive a restart; after seven days they are refused.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Answered, Call},
    groups,
    properties::{GROUP, USER},
    query, users,
};
use crate::world::World;

/// Entries per page; `Prefer: odata.maxpagesize=n` makes it smaller.
const PAGE: usize = 100;
/// Members in one entry of a group; larger groups come in several entries, as in Entra.
const MEMBERS: usize = 100;
/// How long a token is good.
const LIFE: Duration = Duration::days(7);

/// What a query goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Set {
    Users,
    Groups,
}

impl Set {
    fn path(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }
}

/// The content of `$deltatoken` and `$skiptoken`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    set: Set,
    /// Changes after this number; `None`: everything.
    since: Option<u64>,
    /// The number at the first page: where the next round begins.
    upto: u64,
    /// When it was issued, microseconds of the directory's time.
    at: i64,
    select: Option<Vec<String>>,
    /// The last entry shown: an object and, in groups, its last member.
    after: Option<(Uuid, Option<Uuid>)>,
}

impl Token {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("a token is plain data"))
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn selects(&self, name: &str, by_default: bool) -> bool {
        self.select
            .as_ref()
            .map_or(by_default, |names| names.iter().any(|held| held == name))
    }

    /// The selected properties without relations; the id always comes.
    fn properties(&self) -> Option<Vec<String>> {
        let names = self.select.as_ref()?;
        let mut kept: Vec<String> = names
            .iter()
            .filter(|name| !["manager", "members", "id"].contains(&name.as_str()))
            .cloned()
            .collect();
        kept.push("id".into());
        Some(kept)
    }

    fn changed(&self, seq: Option<&u64>) -> bool {
        match self.since {
            None => true,
            Some(since) => seq.is_some_and(|seq| *seq > since),
        }
    }
}

/// `GET /users/delta` and `GET /groups/delta`
pub(crate) fn answer(call: &Call<'_>, set: Set) -> Answered {
    let now = call.shared.clock.now();
    for refused in ["$top", "$orderby", "$expand"] {
        if call.option(refused).is_some() {
            return Err(Answer::bad_request(
                "Request_UnsupportedQuery",
                &format!("The query parameter '{refused}' is not supported for delta queries."),
            ));
        }
    }
    let given = call
        .option("$skiptoken")
        .or_else(|| call.option("$deltatoken"));
    let world = call.shared.world();
    let token = match given {
        Some("latest") | None => Token {
            set,
            since: None,
            upto: world.journal.seq,
            at: now.timestamp_micros(),
            select: select(call, set)?,
            after: None,
        },
        Some(text) => {
            let mut token = Token::read(text)
                .filter(|token| token.set == set)
                .ok_or_else(|| Answer::bad_request("Request_BadRequest", "Badly formed token."))?;
            if call.effects.delta_expired
                || now.timestamp_micros() - token.at > LIFE.num_microseconds().unwrap_or(i64::MAX)
            {
                return Err(gone(call, set, &token));
            }
            if call.option("$deltatoken").is_some() {
                token.since = Some(token.upto);
                token.upto = world.journal.seq;
                token.at = now.timestamp_micros();
            }
            token
        }
    };
    let size = page_size(call);
    let mut entries = match (call.option("$deltatoken"), set) {
        (Some("latest"), _) => Vec::new(),
        (_, Set::Users) => user_entries(&world, &token, size + 1),
        (_, Set::Groups) => group_entries(&world, &token, size + 1),
    };
    let more = entries.len() > size;
    entries.truncate(size);
    let mut next = token.clone();
    next.after = if more {
        entries.last().map(|(key, _)| *key)
    } else {
        None
    };
    let mut value: Vec<Value> = entries
        .into_iter()
        .map(|(_, entry)| Value::Object(entry))
        .collect();
    if let Some(keep) = call.effects.keep {
        value.truncate(keep);
    }
    let (link, parameter) = if more {
        ("@odata.nextLink", "$skiptoken")
    } else {
        ("@odata.deltaLink", "$deltatoken")
    };
    let mut body = Map::new();
    body.insert(
        "@odata.context".into(),
        call.context(&format!("{}/$delta", set.path())),
    );
    body.insert(
        link.into(),
        json!(format!(
            "{}/{}/delta?{parameter}={}",
            call.root(),
            set.path(),
            next.write()
        )),
    );
    body.insert("value".into(), Value::Array(value));
    Ok(Answer::ok(Value::Object(body)))
}

fn select(call: &Call<'_>, set: Set) -> Result<Option<Vec<String>>, Answer> {
    match set {
        Set::Users => {
            let names = query::select(call, &USER, &["manager"], "user")?;
            if let Some(names) = &names {
                users::may_read(call, names)?;
            }
            Ok(names)
        }
        Set::Groups => query::select(call, &GROUP, &["members"], "group"),
    }
}

fn page_size(call: &Call<'_>) -> usize {
    let preferred = call.prefer.and_then(|prefer| {
        prefer
            .split(',')
            .find_map(|part| part.trim().strip_prefix("odata.maxpagesize="))
    });
    preferred
        .and_then(|size| size.parse().ok())
        .unwrap_or(PAGE)
        .clamp(1, PAGE)
}

fn gone(call: &Call<'_>, set: Set, token: &Token) -> Answer {
    let fresh = format!("{}/{}/delta", call.root(), set.path());
    let names = token.select.as_ref().map(|names| names.join(","));
    let location = crate::uri::with_query(
        &fresh,
        names.iter().map(|names| ("$select", names.as_str())),
    );
    Answer::error(
        StatusCode::GONE,
        "syncStateNotFound",
        "The sync state generation is not found. Please start a full synchronization.",
    )
    .header("location", location)
}

type Entry = ((Uuid, Option<Uuid>), Map<String, Value>);

/// Objects that are there or were deleted, in the order of their ids, after the last one shown.
fn ids<'w, A, B>(there: A, deleted: B, token: &Token) -> Vec<(Uuid, bool)>
where
    A: Iterator<Item = Uuid>,
    B: Iterator<Item = (&'w Uuid, &'w u64)>,
{
    let after = token.after.map(|(id, _)| id);
    // Who was deleted matters only to those who saw them.
    let deleted = deleted
        .filter(|(_, seq)| token.since.is_some_and(|since| **seq > since))
        .map(|(id, _)| (*id, false));
    let mut ids: Vec<(Uuid, bool)> = there
        .map(|id| (id, true))
        .chain(deleted)
        .filter(|(id, _)| after.is_none_or(|after| *id >= after))
        .collect();
    ids.sort_unstable();
    ids
}

fn removed(id: Uuid) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("id".into(), json!(id));
    // "changed": soft-deleted, can be restored.
    entry.insert("@removed".into(), json!({ "reason": "changed" }));
    entry
}

fn user_entries(world: &World, token: &Token, limit: usize) -> Vec<Entry> {
    let journal = &world.journal;
    let properties = token.properties();
    let mut entries = Vec::new();
    for (id, there) in ids(
        world.listed_users().map(|user| user.id),
        journal.deleted_users.iter(),
        token,
    ) {
        if entries.len() == limit {
            break;
        }
        if token.after.is_some_and(|(after, _)| id == after) {
            continue;
        }
        if !there {
            entries.push(((id, None), removed(id)));
            continue;
        }
        let Some(user) = world
            .users
            .get(&id)
            .filter(|_| token.changed(journal.users.get(&id)))
        else {
            continue;
        };
        let mut entry = users::show(&users::whole(user), properties.as_deref(), false);
        let manager = journal.managers.get(&id);
        if token.selects("manager", false)
            && (token.since.is_none() || token.changed(manager.map(|(seq, _)| seq)))
        {
            let link = |id: Uuid| json!({ "@odata.type": "#microsoft.graph.user", "id": id });
            let gone = |id: Uuid| json!({ "@odata.type": "#microsoft.graph.user", "id": id, "@removed": { "reason": "deleted" } });
            let before = manager
                .and_then(|(_, before)| *before)
                .filter(|_| token.since.is_some());
            let list: Vec<Value> = before
                .map(gone)
                .into_iter()
                .chain(user.manager.map(link))
                .collect();
            if !list.is_empty() {
                entry.insert("manager@delta".into(), json!(list));
            }
        }
        entries.push(((id, None), entry));
    }
    entries
}

fn group_entries(world: &World, token: &Token, limit: usize) -> Vec<Entry> {
    let journal = &world.journal;
    let properties = token.properties();
    let with_members = token.selects("members", true);
    let mut entries = Vec::new();
    for (id, there) in ids(
        world.groups.keys().copied(),
        journal.deleted_groups.iter(),
        token,
    ) {
        if entries.len() >= limit {
            break;
        }
        let resumed = token
            .after
            .filter(|(after, _)| id == *after)
            .map(|(_, member)| member);
        if !there {
            if resumed.is_none() {
                entries.push(((id, None), removed(id)));
            }
            continue;
        }
        let Some(group) = world.groups.get(&id) else {
            continue;
        };
        let changed = token.changed(journal.groups.get(&id));
        let mut links = if with_members {
            changed_links(world, id, token)
        } else {
            Vec::new()
        };
        if let Some(last) = resumed {
            // The rest of a large group, or nothing when the last entry had no members.
            links.retain(|(member, _)| last.is_some_and(|last| *member > last));
            if links.is_empty() {
                continue;
            }
        } else if !changed && links.is_empty() {
            continue;
        }
        let head = || {
            let mut head = Map::new();
            if changed {
                let whole = groups::whole(group);
                head = match &properties {
                    Some(names) => query::pick(&whole, names),
                    None => whole,
                };
            }
            head.insert("id".into(), json!(id));
            head
        };
        if links.is_empty() {
            entries.push(((id, None), head()));
        }
        for chunk in links.chunks(MEMBERS) {
            let mut entry = head();
            let list: Vec<Value> = chunk
                .iter()
                .map(|(member, there)| member_link(world, *member, *there))
                .collect();
            entry.insert("members@delta".into(), json!(list));
            entries.push(((id, chunk.last().map(|(member, _)| *member)), entry));
        }
    }
    entries.truncate(limit);
    entries
}

/// Members of a group that changed, in the order of their ids, and whether they are members now.
fn changed_links(world: &World, group: Uuid, token: &Token) -> Vec<(Uuid, bool)> {
    let present = world.members(group, std::time::Duration::ZERO);
    match token.since {
        None => present.into_iter().map(|member| (member, true)).collect(),
        Some(since) => {
            let links = world.journal.links.get(&group).into_iter().flatten();
            links
                .filter(|(_, seq)| **seq > since)
                .map(|(member, _)| (*member, present.contains(member)))
                .collect()
        }
    }
}

fn member_link(world: &World, member: Uuid, there: bool) -> Value {
    let kind = if world.groups.contains_key(&member) {
        "#microsoft.graph.group"
    } else {
        "#microsoft.graph.user"
    };
    let mut link = json!({ "@odata.type": kind, "id": member });
    if !there {
        link["@removed"] = json!({ "reason": "deleted" });
    }
    link
}
