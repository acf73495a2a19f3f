//! Taking the log or evidence along as a file: for auditors and security, and itself written into the log.

use domain::{
    audit::{Actor, Event, EventKind},
    person::PortalRole,
};
use serde_json::{Value, json};

use super::{Export, Filter, Format};
use crate::{Result, Workflow, access::Viewer, views};

const TAKERS: &[PortalRole] = &[PortalRole::Auditor, PortalRole::Security];

/// Begins an export of the entries that a page with the same filter shows, whole and oldest first.
pub async fn take(
    workflow: &Workflow,
    viewer: &Viewer,
    filter: &views::audit::Filter,
    format: Format,
) -> Result<Export> {
    viewer.must_have(TAKERS)?;
    let mut tx = workflow.store().read().await?;
    let subject = match &filter.subject {
        Some(text) => Some(views::audit::subject(&mut tx, text.trim()).await?),
        None => None,
    };
    drop(tx);
    let what = json!({
        "file": "audit log",
        "about": subject,
        "kind": filter.kind,
        "by": filter.actor,
        "from": filter.from,
        "until": filter.until,
    });
    evidence_taken(workflow, viewer, what).await?;
    let wanted = Filter {
        from: filter.from,
        until: filter.until,
        kind: filter.kind.map(|kind| kind.to_string()),
        subject,
    };
    Ok(Export::new(workflow.store().clone(), wanted, format).by(filter.actor))
}

/// Writes down that the viewer takes a file along, and which.
pub async fn evidence_taken(workflow: &Workflow, viewer: &Viewer, what: Value) -> Result<()> {
    viewer.must_have(TAKERS)?;
    let mut unit = workflow.unit().await?;
    let actor = Actor::Person(viewer.id());
    unit.record(Event::new(EventKind::EvidenceTaken, unit.now, actor).changing(Value::Null, what));
    unit.commit().await
}
