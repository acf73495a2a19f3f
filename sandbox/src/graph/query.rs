//! OData: `$select`, `$filter`, `$top` and paging, as far as the portal and its tests use them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::{Answer, Answered, Call},
    properties::COLLECTIONS,
};
use crate::uri;

/// Rows per page when `$top` does not say.
const DEFAULT_PAGE: usize = 100;
/// And at most.
const LARGEST_PAGE: usize = 999;

/// The properties asked for; `None` means the default ones.
pub(crate) fn select(
    call: &Call<'_>,
    known: &[&str],
    navigation: &[&str],
    type_name: &str,
) -> Result<Option<Vec<String>>, Answer> {
    let Some(list) = call.option("$select") else {
        return Ok(None);
    };
    parse_select(list, known, navigation, type_name).map(Some)
}

pub(crate) fn parse_select(
    list: &str,
    known: &[&str],
    navigation: &[&str],
    type_name: &str,
) -> Result<Vec<String>, Answer> {
    let names: Vec<String> = list
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    for name in &names {
        if !known.contains(&name.as_str()) && !navigation.contains(&name.as_str()) {
            return Err(Answer::bad_request(
                "BadRequest",
                &format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
                ),
            ));
        }
    }
    Ok(names)
}

/// Only the named properties of a whole object; one that is not held is null or empty. `id` comes as asked, like the rest.
pub(crate) fn pick(whole: &Map<String, Value>, names: &[impl AsRef<str>]) -> Map<String, Value> {
    let absent = |name: &str| {
        if COLLECTIONS.contains(&name) {
            json!([])
        } else {
            Value::Null
        }
    };
    names
        .iter()
        .map(AsRef::as_ref)
        .map(|name| {
            (
                name.to_owned(),
                whole.get(name).cloned().unwrap_or_else(|| absent(name)),
            )
        })
        .collect()
}

/// A page of a collection.
///
/// `ids` come in ascending order; `row` makes the whole object to filter on, `show` what is seen of it.
pub(crate) fn page(
    call: &Call<'_>,
    context: &str,
    ids: impl Iterator<Item = Uuid>,
    row: impl Fn(Uuid) -> Option<Map<String, Value>>,
    show: impl Fn(Uuid, Map<String, Value>) -> Value,
) -> Answered {
    let top = match call.option("$top") {
        None => DEFAULT_PAGE,
        Some(text) => text.parse().ok().filter(|top| (1..=LARGEST_PAGE).contains(top)).ok_or_else(|| {
            Answer::bad_request(
                "Request_UnsupportedQuery",
                &format!("Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive."),
            )
        })?,
    };
    let after = call.option("$skiptoken").map(read_token).transpose()?;
    let filter = call.option("$filter").map(Filter::parse).transpose()?;
    let count = call.option("$count") == Some("true") && call.eventual;

    let mut value = Vec::new();
    let mut last = None;
    let mut more = false;
    let mut total = 0_usize;
    for id in ids {
        let skipped = after.is_some_and(|after| id <= after);
        if skipped && !count {
            continue;
        }
        let Some(whole) =
            row(id).filter(|whole| filter.as_ref().is_none_or(|filter| filter.holds(whole)))
        else {
            continue;
        };
        total += 1;
        if skipped {
            continue;
        }
        if value.len() == top {
            more = true;
            if count {
                continue;
            }
            break;
        }
        value.push(show(id, whole));
        last = Some(id);
    }
    if let Some(keep) = call.effects.keep {
        value.truncate(keep);
        more = false;
    }
    let mut body = Map::new();
    body.insert("@odata.context".into(), call.context(context));
    if count {
        body.insert("@odata.count".into(), json!(total));
    }
    if let Some(last) = last.filter(|_| more) {
        body.insert(
            "@odata.nextLink".into(),
            json!(next_link(call, &write_token(last))),
        );
    }
    body.insert("value".into(), Value::Array(value));
    Ok(Answer::ok(Value::Object(body)))
}

/// The same address with another `$skiptoken`.
fn next_link(call: &Call<'_>, token: &str) -> String {
    let kept = call.query.iter().filter(|(key, _)| key != "$skiptoken");
    let pairs = kept
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .chain([("$skiptoken", token)]);
    uri::with_query(&format!("{}{}", call.root(), call.path), pairs)
}

fn write_token(last: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(last.as_bytes())
}

fn read_token(token: &str) -> Result<Uuid, Answer> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or_else(|| {
        Answer::bad_request(
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included in your request.",
        )
    })
}

/// `a eq 'x' and startswith(b,'y')`, with `or` of such: what a directory index answers without advanced queries.
#[derive(Debug)]
struct Filter {
    /// Or of and.
    any: Vec<Vec<Clause>>,
}

#[derive(Debug)]
enum Clause {
    Equal(String, Value),
    OneOf(String, Vec<Value>),
    StartsWith(String, String),
    /// `list/any(x:x/property eq value)`
    Any(String, String, Value),
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Answer> {
        let all = |part: &str| {
            part.split(" and ")
                .map(Clause::parse)
                .collect::<Option<Vec<_>>>()
        };
        text.split(" or ")
            .map(all)
            .collect::<Option<Vec<_>>>()
            .map(|any| Self { any })
            .ok_or_else(|| {
                Answer::bad_request(
                    "Request_UnsupportedQuery",
                    &format!("Unsupported or invalid query filter clause specified: '{text}'."),
                )
            })
    }

    fn holds(&self, whole: &Map<String, Value>) -> bool {
        self.any
            .iter()
            .any(|all| all.iter().all(|clause| clause.holds(whole)))
    }
}

impl Clause {
    fn parse(text: &str) -> Option<Self> {
        if let Some(any) = Self::any(text.trim()) {
            return Some(any);
        }
        let text = text.trim().trim_matches(['(', ')'].as_slice()).trim();
        if let Some(arguments) = text
            .strip_prefix("startswith(")
            .or_else(|| text.strip_prefix("startsWith("))
        {
            let (name, value) = arguments.split_once(',')?;
            let Value::String(prefix) = literal(value)? else {
                return None;
            };
            return Some(Self::StartsWith(name.trim().into(), prefix.to_lowercase()));
        }
        if let Some((name, list)) = text.split_once(" in ") {
            let values = list
                .trim()
                .trim_matches(['(', ')'].as_slice())
                .split(',')
                .map(literal)
                .collect::<Option<_>>()?;
            return Some(Self::OneOf(name.trim().into(), values));
        }
        let (name, value) = text.split_once(" eq ")?;
        Some(Self::Equal(name.trim().into(), literal(value)?))
    }

    fn any(text: &str) -> Option<Self> {
        let (list, rest) = text.split_once("/any(")?;
        let (variable, condition) = rest.strip_suffix(')')?.split_once(':')?;
        let (path, value) = condition.split_once(" eq ")?;
        let property = path.trim().strip_prefix(variable)?.strip_prefix('/')?;
        Some(Self::Any(list.into(), property.into(), literal(value)?))
    }

    fn holds(&self, whole: &Map<String, Value>) -> bool {
        let value = |name: &str| whole.get(name).unwrap_or(&Value::Null);
        match self {
            Self::Equal(name, wanted) => same(value(name), wanted),
            Self::OneOf(name, wanted) => wanted.iter().any(|wanted| same(value(name), wanted)),
            Self::Any(name, property, wanted) => value(name).as_array().is_some_and(|list| {
                list.iter()
                    .any(|entry| same(entry.get(property).unwrap_or(&Value::Null), wanted))
            }),
            Self::StartsWith(name, prefix) => value(name)
                .as_str()
                .is_some_and(|text| text.to_lowercase().starts_with(prefix)),
        }
    }
}

/// Directory strings compare without case.
fn same(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::String(held), Value::String(wanted)) => {
            held.to_lowercase() == wanted.to_lowercase()
        }
        _ => held == wanted,
    }
}

fn literal(text: &str) -> Option<Value> {
    match text.trim() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        // An id is written without quotes.
        text if Uuid::try_parse(text).is_ok() => Some(Value::String(text.into())),
        text => text
            .strip_prefix('\'')?
            .strip_suffix('\'')
            .map(|inner| Value::String(inner.replace("''", "'"))),
    }
}
