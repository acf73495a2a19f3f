//! Evidence: who held what of an application on a date, and every change in a period, counted.

use domain::{
    ApplicationId, EntitlementId, GrantId, LineId, PersonId, RequestId, Timestamp,
    assignment::{Observed, Origin},
    grant::{End, EndReason, GrantSource},
    person::PortalRole,
};
use serde::Serialize;
use store::views::evidence::{ChangeRow, HoldingAtRow};
use uuid::Uuid;

use super::{AppTag, ChangeKind, Cursor, Name};
use crate::{Error, Result, Workflow, access::Viewer, frozen::hex};

/// Who may look.
const READERS: &[PortalRole] = &[PortalRole::Auditor, PortalRole::Security];
/// The most rows that are read at once.
const MOST: i64 = 1000;

/// What may be asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Now.
    pub now: Timestamp,
    /// The applications, by name.
    pub applications: Vec<AppTag>,
}

/// Who held what of an application at an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Population {
    /// The application.
    pub application: AppTag,
    /// The instant.
    pub at: Timestamp,
    /// When this was read.
    pub read_at: Timestamp,
    /// How it was worked out, in words, complete enough to be repeated.
    pub query: String,
    /// The holdings, by name, one for each grant and right.
    pub rows: Vec<Holding>,
    /// Where the next page begins; the counts are always of all.
    pub next: Option<Cursor>,
    /// How many holdings there are.
    pub count: i64,
    /// How many different people.
    pub people: i64,
    /// How the holdings agree with what the targets say.
    pub reconciled: Reconciled,
    /// The log's last entry when this was read: position and hash (hex).
    pub head: (i64, String),
}

/// One right that somebody held through one grant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holding {
    /// Who.
    pub person: PersonId,
    /// Their name, as it is now.
    pub name: String,
    /// Their department, as it is now.
    pub department: String,
    /// The sign-in name of the account; a label.
    pub account: String,
    /// The package's name; none for what was found at the target.
    pub package: Option<String>,
    /// The right's name.
    pub entitlement: String,
    /// The target's name.
    pub target: String,
    /// The grant.
    pub grant: GrantId,
    /// Where it comes from.
    pub source: GrantSource,
    /// Begins.
    pub from: Timestamp,
    /// Ends, as planned.
    pub end: End,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<EndReason>,
    /// When every target first confirmed it.
    pub ready_at: Option<Timestamp>,
    /// When every target had confirmed that it is gone.
    pub gone_at: Option<Timestamp>,
    /// The request behind it, with its short number.
    pub request: Option<(RequestId, i64)>,
    /// Who approved, by name, in order.
    pub approvers: Vec<String>,
    /// What the target says of it now, and when it said so.
    pub observed: Observed,
    /// When it said so.
    pub observed_at: Option<Timestamp>,
    /// Whose the right at the target is.
    pub origin: Option<Origin>,
}

/// How the record agrees with the targets, for the rights of the application as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Reconciled {
    /// Rights that should be there.
    pub desired: i64,
    /// Of those, confirmed as there.
    pub present: i64,
    /// Of those, not there or not known.
    pub missing: i64,
    /// Rights that should not be there, but are.
    pub surplus: i64,
    /// The oldest reading among them.
    pub oldest_read: Option<Timestamp>,
    /// The newest.
    pub newest_read: Option<Timestamp>,
}

/// Every change of an application in a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// The application; none for all.
    pub application: Option<AppTag>,
    /// From, inclusive.
    pub from: Timestamp,
    /// Until, exclusive.
    pub until: Timestamp,
    /// When this was read.
    pub read_at: Timestamp,
    /// How it was worked out, in words, complete enough to be repeated.
    pub query: String,
    /// How many of each kind, all kinds listed.
    pub counts: Vec<(ChangeKind, i64)>,
    /// The changes, newest first.
    pub rows: Vec<Change>,
    /// Where the next page begins; the counts are always of all.
    pub next: Option<Cursor>,
    /// The log's last entry when this was read: position and hash (hex).
    pub head: (i64, String),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// Whose access.
    pub person: Name,
    /// The package's name; none for what was found at the target.
    pub package: Option<String>,
    /// The grant or the line, printed.
    pub subject: String,
    /// Why it ended.
    pub reason: Option<EndReason>,
    /// Who did it, if a person: who ended or denied it.
    pub by: Option<Name>,
    /// The request behind it, with its short number.
    pub request: Option<(RequestId, i64)>,
    /// When the targets had confirmed it.
    pub confirmed_at: Option<Timestamp>,
}

/// What may be asked for. For auditors and security.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Evidence> {
    viewer.must_have(READERS)?;
    let mut tx = workflow.store().read().await?;
    Ok(Evidence {
        now: workflow.clock().now(),
        applications: tx
            .application_tags()
            .await?
            .into_iter()
            .map(AppTag::from)
            .collect(),
    })
}

/// Who held what of an application at `at`, `limit` rows long (at most 1,000; an export asks page by page). For auditors
/// and security.
pub async fn population(
    workflow: &Workflow,
    viewer: &Viewer,
    application: ApplicationId,
    at: Timestamp,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Population> {
    viewer.must_have(READERS)?;
    let read_at = workflow.clock().now();
    // Of what has not happened yet there is no evidence.
    let at = at.min(read_at);
    let limit = limit.clamp(1, MOST);
    let mut tx = workflow.store().read().await?;
    let app = tx
        .application_tag(application)
        .await?
        .map(AppTag::from)
        .ok_or(Error::Missing)?;
    let after = after.and_then(Cursor::text).and_then(|(key, grant)| {
        let (right, name) = key.split_at_checked(32)?;
        Some((name.to_owned(), grant, Uuid::try_parse(right).ok()?))
    });
    let after = after
        .as_ref()
        .map(|(name, grant, right)| (name.as_str(), GrantId(*grant), EntitlementId(*right)));
    let count = tx.count_population(application, at).await?;
    let mut rows = tx.population(application, at, after, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| {
        let key = format!("{}{}", row.entitlement_id.0.simple(), row.name);
        Cursor::by_text(&key, row.grant_id.0)
    });
    let lines: Vec<LineId> = rows.iter().filter_map(|row| row.line_id).collect();
    let approvers = tx.approvers_of(&lines).await?;
    let reconciled = tx.reconcile(application).await?;
    let head = tx.audit_head().await?;
    Ok(Population {
        query: format!(
            "Every grant that had begun at {at} and had not ended then, with each of its rights that belongs to the application {} or is part of one of its packages; one row for each grant and right. Read at {read_at}.",
            app.name
        ),
        application: app,
        at,
        read_at,
        rows: rows
            .into_iter()
            .map(|row| {
                let yes = approvers
                    .iter()
                    .filter(|vote| Some(vote.line_id) == row.line_id)
                    .map(|vote| vote.name.clone())
                    .collect();
                holding(row, yes)
            })
            .collect(),
        next,
        count: count.holdings,
        people: count.people,
        reconciled: Reconciled {
            desired: reconciled.desired,
            present: reconciled.present,
            missing: reconciled.desired - reconciled.present,
            surplus: reconciled.surplus,
            oldest_read: reconciled.oldest_read,
            newest_read: reconciled.newest_read,
        },
        head: (head.seq, hex(&head.hash)),
    })
}

fn holding(row: HoldingAtRow, approvers: Vec<String>) -> Holding {
    Holding {
        end: row.end(),
        person: row.person_id,
        name: row.name,
        department: row.department,
        account: row.account_name,
        package: row.package_name,
        entitlement: row.entitlement_name,
        target: row.target_name,
        grant: row.grant_id,
        source: row.source,
        from: row.valid_from,
        ended_at: row.ended_at,
        end_reason: row.end_reason,
        ready_at: row.ready_at,
        gone_at: row.gone_at,
        request: row.request_id.zip(row.number),
        approvers,
        observed: row.observed.unwrap_or(Observed::Unknown),
        observed_at: row.observed_at,
        origin: row.origin,
    }
}

/// Every change in `[from, until)`, counted by kind, `limit` rows long (at most 1,000; an export asks page by page). For
/// auditors and security.
pub async fn changes(
    workflow: &Workflow,
    viewer: &Viewer,
    application: Option<ApplicationId>,
    from: Timestamp,
    until: Timestamp,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Changes> {
    viewer.must_have(READERS)?;
    let read_at = workflow.clock().now();
    let limit = limit.clamp(1, MOST);
    let mut tx = workflow.store().read().await?;
    let app = match application {
        Some(id) => Some(
            tx.application_tag(id)
                .await?
                .map(AppTag::from)
                .ok_or(Error::Missing)?,
        ),
        None => None,
    };
    let counted = tx.count_changes(application, from, until).await?;
    let before = after.and_then(Cursor::time);
    let mut rows = tx
        .changes(application, from, until, before, limit + 1)
        .await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| Cursor::by_time(row.at, row.id));
    let head = tx.audit_head().await?;
    let whose = app.as_ref().map_or_else(
        || "all applications".to_owned(),
        |app| format!("the application {}", app.name),
    );
    Ok(Changes {
        query: format!(
            "Every grant to packages of {whose} that began or ended, every extension that was approved, and every request that ended otherwise, from {from} and before {until}. Read at {read_at}."
        ),
        application: app,
        from,
        until,
        read_at,
        counts: ChangeKind::ALL
            .iter()
            .map(|kind| {
                let count = counted
                    .iter()
                    .find(|row| row.kind == kind.as_str())
                    .map_or(0, |row| row.changes);
                (*kind, count)
            })
            .collect(),
        rows: rows.into_iter().map(change).collect::<Result<_>>()?,
        next,
        head: (head.seq, hex(&head.hash)),
    })
}

fn change(row: ChangeRow) -> Result<Change> {
    let kind: ChangeKind = row
        .kind
        .parse()
        .map_err(|error| Error::internal(format!("{error}")))?;
    let subject = match kind {
        ChangeKind::Granted | ChangeKind::Ended => GrantId(row.id).to_string(),
        _ => LineId(row.id).to_string(),
    };
    let name = |id: PersonId, name: String| Name {
        id: id.to_string(),
        name,
        path: Some(format!("/people/{id}")),
    };
    Ok(Change {
        kind,
        at: row.at,
        person: name(row.person_id, row.person_name),
        package: row.package_name,
        subject,
        reason: row.end_reason,
        by: row
            .by_id
            .map(|id| name(id, row.by_name.unwrap_or_default())),
        request: row.request_id.zip(row.number),
        confirmed_at: row.confirmed_at,
    })
}
