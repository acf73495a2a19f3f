//! The audit log: search, filter, page, one entry whole.

use domain::{
    PersonId, Timestamp,
    audit::{Actor, Event, EventKind},
    person::PortalRole,
};
use serde::Serialize;
use store::{
    Tx,
    audit::AuditRow,
    people::{PeopleQuery, PersonRow},
    views::audit::TrailQuery,
};

use super::{Entry, PersonTag, names::Names, search::FoundPerson};
use crate::{Error, Result, Workflow, access::Viewer, fold::fold, frozen::hex, unit::link};

/// Who may look.
const READERS: &[PortalRole] = &[
    PortalRole::Auditor,
    PortalRole::Security,
    PortalRole::Administrator,
];
/// Entries on a page.
const PAGE: i64 = 50;
/// People that a name may mean before it has to be said better.
const MEANT: i64 = 8;

/// What somebody looks for. All given conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// About this: a printed id, or a request's short number (`AR-1042`).
    pub subject: Option<String>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only by this person.
    pub actor: Option<PersonId>,
    /// Only at or after.
    pub from: Option<Timestamp>,
    /// Only before.
    pub until: Option<Timestamp>,
    /// Only entries with a smaller number: where the last page ended.
    pub before: Option<i64>,
}

/// A page of the log, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The `before` of the next (older) page.
    pub next: Option<i64>,
    /// The position of the log's last entry: how long the log is.
    pub length: i64,
    /// The last entry's hash, hex.
    pub head: String,
    /// Every kind, for the filter.
    pub kinds: Vec<EventKind>,
}

/// One entry whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The entry.
    pub entry: Entry,
    /// The canonical text that is hashed.
    pub canonical: String,
    /// The hash of the entry before it, hex; zeros before the first.
    pub previous_hash: String,
    /// Whether the hash of this entry follows from both.
    pub whole: bool,
    /// The older neighbour.
    pub older: Option<i64>,
    /// The newer neighbour.
    pub newer: Option<i64>,
}

/// Reads a page of the log, 50 entries long. For auditors, security and administrators.
pub async fn load(workflow: &Workflow, viewer: &Viewer, filter: &Filter) -> Result<AuditPage> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let head = tx.audit_head().await?;
    let subject = match &filter.subject {
        Some(text) => Some(subject(&mut tx, text.trim()).await?),
        None => None,
    };
    let query = TrailQuery {
        subject,
        kind: filter.kind.map(|kind| kind.to_string()),
        actor: filter.actor.map(|actor| actor.0),
        from: filter.from,
        until: filter.until,
        before: filter.before,
        limit: PAGE + 1,
    };
    let mut rows = tx.trail_page(&query).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok(AuditPage {
        now: workflow.clock().now(),
        next: rows.last().filter(|_| more).map(|row| row.seq),
        entries: entries(&mut tx, rows).await?,
        length: head.seq,
        head: hex(&head.hash),
        kinds: EventKind::ALL.to_vec(),
    })
}

/// Whom a text means who may have done something: the one with the printed id in it; else the one whose whole name it is;
/// else everybody whose name, mail or sign-in name contains it, at most eight. For auditors, security and administrators.
pub async fn meant(workflow: &Workflow, viewer: &Viewer, text: &str) -> Result<Vec<FoundPerson>> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let id = text
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .find_map(|word| word.parse::<PersonId>().ok());
    if let Some(id) = id {
        // Somebody who is not known any more can still be looked for.
        return Ok(vec![match tx.person(id).await? {
            Some(row) => found(row),
            None => FoundPerson {
                person: PersonTag::new(id, ""),
                job_title: String::new(),
                department: String::new(),
            },
        }]);
    }
    let wanted = fold(text);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let query = PeopleQuery {
        text: Some(wanted.clone()),
        limit: MEANT,
        ..PeopleQuery::default()
    };
    let rows = tx.people_page(&query).await?;
    let mut named = rows.iter().filter(|row| fold(&row.name) == wanted);
    if let (Some(one), None) = (named.next(), named.next()) {
        return Ok(vec![found(one.clone())]);
    }
    Ok(rows.into_iter().map(found).collect())
}

fn found(row: PersonRow) -> FoundPerson {
    FoundPerson {
        person: PersonTag::new(row.id, row.name),
        job_title: row.job_title,
        department: row.department,
    }
}

/// A request's short number (`AR-1042`) as its printed id; anything else as it is.
pub(crate) async fn subject(tx: &mut Tx, text: &str) -> Result<String> {
    let number = text
        .get(..3)
        .filter(|prefix| prefix.eq_ignore_ascii_case("AR-"))
        .and_then(|_| text[3..].parse().ok());
    let request = match number {
        Some(number) => tx.request_by_number(number).await?,
        None => None,
    };
    Ok(request.map_or_else(|| text.to_owned(), |id| id.to_string()))
}

/// Reads one entry. For auditors, security and administrators.
pub async fn entry(workflow: &Workflow, viewer: &Viewer, seq: i64) -> Result<EntryPage> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    let rows = tx.trail_around(seq).await?;
    let find = |seq: i64| rows.iter().find(|row| row.seq == seq);
    let row = find(seq).cloned().ok_or(Error::Missing)?;
    let previous = find(seq - 1).map_or_else(|| vec![0; 32], |row| row.hash.clone());
    Ok(EntryPage {
        now: workflow.clock().now(),
        canonical: row.entry.clone(),
        whole: link(&previous, &row.entry) == row.hash,
        previous_hash: hex(&previous),
        older: find(seq - 1).map(|row| row.seq),
        newer: find(seq + 1).map(|row| row.seq),
        entry: entries(&mut tx, vec![row])
            .await?
            .pop()
            .ok_or(Error::Missing)?,
    })
}

/// Entries for people, with names beside ids: one statement for each kind of thing that they mention.
pub(super) async fn entries(tx: &mut Tx, rows: Vec<AuditRow>) -> Result<Vec<Entry>> {
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        // What another version wrote is shown as far as it goes: the canonical text is on its own page.
        let event = serde_json::from_str::<Event>(&row.entry)
            .unwrap_or_else(|_| Event::new(EventKind::Started, row.at, Actor::Portal));
        events.push((row, event));
    }
    let mentioned = events.iter().flat_map(|(_, event)| {
        let actor = match event.actor {
            Actor::Person(id) => Some(id.to_string()),
            Actor::Portal | Actor::Provisioner | Actor::Operator | Actor::Anonymous => None,
        };
        event
            .subjects
            .iter()
            .cloned()
            .chain(event.cause.clone())
            .chain(event.behalf.map(|id| id.to_string()))
            .chain(actor)
    });
    let names = Names::load(tx, mentioned).await?;
    Ok(events
        .into_iter()
        .map(|(row, event)| {
            let (actor, actor_name) = match event.actor {
                Actor::Person(id) => ("person", Some(names.of(&id.to_string()))),
                Actor::Portal => ("portal", None),
                Actor::Provisioner => ("provisioner", None),
                Actor::Operator => ("operator", None),
                Actor::Anonymous => ("anonymous", None),
            };
            Entry {
                seq: row.seq,
                at: row.at,
                kind: row.kind,
                actor: actor.to_owned(),
                actor_name,
                behalf: event.behalf.map(|id| names.of(&id.to_string())),
                subjects: event
                    .subjects
                    .iter()
                    .map(|subject| names.of(subject))
                    .collect(),
                cause: event.cause.as_deref().map(|cause| names.of(cause)),
                policy: event.policy,
                before: event.before,
                after: event.after,
                hash: hex(&row.hash),
            }
        })
        .collect())
}
