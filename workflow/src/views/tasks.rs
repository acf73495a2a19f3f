//! What is to be done by hand: the list of whoever does it, and one task.

use domain::{
    AssignmentId, TaskId, Timestamp,
    person::PortalRole,
    task::{TaskCall, TaskState},
};
use serde::Serialize;
use store::{Tx, tasks::NamedTaskRow};

use super::PersonTag;
use crate::{Error, Result, Workflow, access::Viewer, tasks};

/// Who sees every task, also those of others.
const READERS: &[PortalRole] = &[
    PortalRole::Operator,
    PortalRole::Security,
    PortalRole::Auditor,
];
/// Tasks in a list.
const MOST: i64 = 200;

/// The lists.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tasks {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What waits for the viewer, the first due first.
    pub mine: Vec<TaskItem>,
    /// What waits for others; for those who watch over it.
    pub others: Vec<TaskItem>,
    /// What the viewer did last, at most ten.
    pub done: Vec<TaskItem>,
    /// Whether the viewer watches over those of others.
    pub sees_all: bool,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskItem {
    /// Which.
    pub id: TaskId,
    /// Whose access it is.
    pub person: PersonTag,
    /// The sign-in name of the account; a label.
    pub account: String,
    /// The right's name.
    pub right: String,
    /// What holding it means.
    pub summary: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// The target's name.
    pub target: String,
    /// What has to be done.
    pub call: TaskCall,
    /// Where it stands.
    pub state: TaskState,
    /// When it should be done.
    pub due_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who said what came of it, and when.
    pub closed: Option<(PersonTag, Timestamp)>,
    /// What they wrote.
    pub note: String,
}

/// One task with everything that whoever does it needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The task.
    pub item: TaskItem,
    /// What is to be done, in the words of the catalogue.
    pub instructions: String,
    /// The assignment behind it.
    pub assignment: AssignmentId,
    /// Who does it.
    pub doers: Vec<PersonTag>,
    /// Whether the viewer is one of them and there is something to do.
    pub may_say: bool,
    /// Whether the viewer may look at the provisioner.
    pub sees_provisioning: bool,
}

/// Reads the lists. Somebody who does nothing by hand finds them empty.
pub async fn list(workflow: &Workflow, viewer: &Viewer) -> Result<Tasks> {
    let now = workflow.clock().now();
    let sees_all = viewer.must_have(READERS).is_ok();
    let mut tx = workflow.store().read().await?;
    let (mut mine, mut others) = (Vec::new(), Vec::new());
    for row in tx.tasks_near(viewer.id(), sees_all, MOST).await? {
        let doers = tasks::doers_of(&mut tx, now, row.person_id, row.entitlement_id).await?;
        if doers.contains(&viewer.id()) {
            mine.push(TaskItem::from(row));
        } else if sees_all && row.person_id != viewer.id() {
            others.push(TaskItem::from(row));
        }
    }
    let done = tx.tasks_closed_by(viewer.id(), 10).await?;
    Ok(Tasks {
        now,
        mine,
        others,
        done: done.into_iter().map(TaskItem::from).collect(),
        sees_all,
    })
}

/// Reads a task. For whoever does it or did it, and those who watch over all; for anybody else there is none.
pub async fn one(workflow: &Workflow, viewer: &Viewer, id: TaskId) -> Result<TaskPage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx.named_task(id).await?.ok_or(Error::Missing)?;
    let doers = tasks::doers_of(&mut tx, now, row.person_id, row.entitlement_id).await?;
    let mine = doers.contains(&viewer.id());
    let sees = mine || row.closed_by == Some(viewer.id()) || viewer.must_have(READERS).is_ok();
    if !sees {
        return Err(Error::Missing);
    }
    let names = names(&mut tx, &doers).await?;
    Ok(TaskPage {
        now,
        instructions: row.instructions.clone(),
        assignment: row.assignment_id,
        doers: names,
        may_say: mine && row.state.is_live(),
        sees_provisioning: viewer.must_have(super::provisioning::READERS).is_ok(),
        item: TaskItem::from(row),
    })
}

async fn names(tx: &mut Tx, people: &[domain::PersonId]) -> Result<Vec<PersonTag>> {
    Ok(tx
        .persons(people)
        .await?
        .into_iter()
        .map(|person| PersonTag::new(person.id, person.name))
        .collect())
}

impl From<NamedTaskRow> for TaskItem {
    fn from(row: NamedTaskRow) -> Self {
        let closer = row.closed_by.zip(row.closer_name);
        Self {
            id: row.id,
            person: PersonTag::new(row.person_id, row.person_name),
            account: row.account_name,
            right: row.entitlement_name,
            summary: row.entitlement_summary,
            privileged: row.privileged,
            target: row.target_name,
            call: row.call,
            state: row.state,
            due_at: row.due_at,
            opened_at: row.created_at,
            closed: closer
                .zip(row.closed_at)
                .map(|((id, name), at)| (PersonTag::new(id, name), at)),
            note: row.note,
        }
    }
}
