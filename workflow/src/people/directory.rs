//! What a reading of the directory does to people: added, changed, returned, left. Idempotent: the same reading twice
//! changes nothing the second time, and a stop in between is made good by the next one.
//!
//! Nobody is removed because a listing lacks them. A leave needs a disabled account, a deletion that the directory
//! states, or a last day that is over; many at once, or many earlier last days, wait for a human (see [`crate::holds`]).

use domain::Timestamp;
use store::directory::DirectoryRow;
use uuid::Uuid;

use super::{again, mirror, relations};
use crate::{Result, Workflow, holds};

/// People in one transaction.
const BATCH: usize = 100;

/// One user as the directory shows them, in the portal's terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryUser {
    /// Object id.
    pub object: Uuid,
    /// Name as shown.
    pub name: String,
    /// Given name.
    pub given_name: String,
    /// Mail address.
    pub mail: String,
    /// User principal name.
    pub user_name: String,
    /// Department.
    pub department: String,
    /// Job title.
    pub job_title: String,
    /// Country, two letters where known.
    pub country: String,
    /// Office.
    pub office: String,
    /// Company (legal entity).
    pub company: String,
    /// The employer's own number.
    pub employee_id: String,
    /// Lower case.
    pub employee_type: String,
    /// `member` or `guest`.
    pub user_type: String,
    /// Whether the account may sign in.
    pub enabled: bool,
    /// First working day.
    pub hired_at: Option<Timestamp>,
    /// End of the last working day.
    pub last_day_at: Option<Timestamp>,
    /// Whether the last day was read; if not, the one that is known stays.
    pub tells_last_day: bool,
    /// Object id of the manager.
    pub manager: Option<Uuid>,
    /// Object ids of the sponsors; none if they were not read.
    pub sponsors: Option<Vec<Uuid>>,
}

/// One thing that the directory said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// This is how the user is now.
    User(Box<DirectoryUser>),
    /// The directory itself says that the user was deleted.
    Gone(Uuid),
}

impl Seen {
    /// Whom it is about.
    pub const fn object(&self) -> Uuid {
        match self {
            Self::User(user) => user.object,
            Self::Gone(object) => *object,
        }
    }
}

/// What came of a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// People who became known.
    pub added: usize,
    /// People with other attributes, manager or sponsors.
    pub changed: usize,
    /// People who work here again.
    pub returned: usize,
    /// People who left.
    pub left: usize,
    /// People whose leave, or whose earlier last day, waits for a human now.
    pub held: usize,
}

/// Applies what the directory said of users of `tenant`, the last word on each user counting.
///
/// In order: attributes and newcomers; managers and sponsors; leaves, and earlier last days with the ends of grants. Each
/// batch and each leave is a transaction of its own.
pub async fn apply_directory(workflow: &Workflow, tenant: Uuid, seen: &[Seen]) -> Result<Applied> {
    let mut applied = Applied {
        left: holds::resume(workflow).await?,
        ..Applied::default()
    };
    let seen = last_words(seen);
    let mut rest = mirror::Rest::default();
    for batch in seen.chunks(BATCH) {
        let done = again(|| mirror::batch(workflow, tenant, batch)).await?;
        applied.added += done.added;
        applied.changed += done.changed;
        applied.returned += done.returned;
        rest.append(done.rest);
    }
    for batch in seen.chunks(BATCH) {
        applied.changed += again(|| relations::batch(workflow, tenant, batch)).await?;
    }
    let leavers = holds::let_leave(workflow, &rest.leavers, &rest.working).await?;
    applied.left += leavers.left;
    applied.changed += leavers.capped;
    applied.held = leavers.held;
    applied.left += mirror::past_last_day(workflow).await?;
    Ok(applied)
}

/// The last thing said of each user, in the order of object ids: the same reading gives the same writes.
fn last_words(seen: &[Seen]) -> Vec<&Seen> {
    let mut last: std::collections::BTreeMap<Uuid, &Seen> = std::collections::BTreeMap::new();
    for one in seen {
        last.insert(one.object(), one);
    }
    last.into_values().collect()
}

/// Where reading a tenant stands, if it was ever read.
pub async fn directory_state(workflow: &Workflow, tenant: Uuid) -> Result<Option<DirectoryRow>> {
    let mut tx = workflow.store().read().await?;
    Ok(tx.directory_state(tenant).await?)
}

/// Notes where reading a tenant stands. Open provisioner pages look again.
pub async fn save_directory_state(workflow: &Workflow, row: &DirectoryRow) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.tx.save_directory_state(row).await?;
    unit.changed("provisioning");
    unit.commit().await
}
