//! Finding a colleague by name, to ask for them or to name them in an answer. Says no more of them than what tells them apart.

use std::collections::BTreeSet;

use domain::{PersonId, asking::ForOthers};
use store::{Tx, people::PeopleQuery};

use super::{PersonTag, search::FoundPerson};
use crate::{Result, Workflow, access::Viewer, fold::fold};

/// The most that are shown.
pub const MOST: usize = 12;
/// How many are looked at where not all may be shown.
const LOOKED_AT: i64 = 400;

/// People who work here whose name fits, at most twelve; of those whom the viewer may ask for, if `scope` says less than all.
pub async fn find(
    workflow: &Workflow,
    viewer: &Viewer,
    text: &str,
    scope: ForOthers,
) -> Result<Vec<FoundPerson>> {
    let text = text.trim();
    if text.is_empty() || scope == ForOthers::Nobody {
        return Ok(Vec::new());
    }
    let mut tx = workflow.store().read().await?;
    let now = workflow.clock().now();
    let query = PeopleQuery {
        text: Some(fold(text)),
        limit: LOOKED_AT,
        ..PeopleQuery::default()
    };
    let mut rows = tx.people_page(&query).await?;
    if scope == ForOthers::Reports {
        let ids: Vec<PersonId> = rows.iter().map(|row| row.id).collect();
        let below: BTreeSet<PersonId> = tx
            .managers_above(&ids)
            .await?
            .into_iter()
            .filter(|row| row.above_id == viewer.id())
            .map(|row| row.person_id)
            .collect();
        rows.retain(|row| below.contains(&row.id));
    }
    Ok(rows
        .into_iter()
        .filter(|row| row.id != viewer.id() && row.clone().into_domain().works_at(now))
        .take(MOST)
        .map(|row| FoundPerson {
            person: PersonTag::new(row.id, row.name),
            job_title: row.job_title,
            department: row.department,
        })
        .collect())
}

/// These people, as far as they are known.
pub async fn named(workflow: &Workflow, ids: &[PersonId]) -> Result<Vec<FoundPerson>> {
    let mut tx = workflow.store().read().await?;
    named_in(&mut tx, ids).await
}

async fn named_in(tx: &mut Tx, ids: &[PersonId]) -> Result<Vec<FoundPerson>> {
    Ok(tx
        .persons(ids)
        .await?
        .into_iter()
        .map(|row| FoundPerson {
            person: PersonTag::new(row.id, row.name),
            job_title: row.job_title,
            department: row.department,
        })
        .collect())
}
