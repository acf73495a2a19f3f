//! How many calls this process has under way at each target: counted by its provisioner, shown to operators, kept nowhere.

use std::{fmt, sync::Arc, sync::OnceLock};

use domain::TargetId;
use serde::Serialize;

use crate::Workflow;

/// Calls of this process at one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// How many are under way.
    pub under_way: usize,
    /// How many may be at once.
    pub most: usize,
}

/// Whoever counts the calls of this process.
pub trait Counts: Send + Sync + fmt::Debug {
    /// Those at one target now.
    fn calls(&self, target: TargetId) -> Calls;
}

/// The one who counts, once there is one.
#[derive(Debug, Default)]
pub(crate) struct Traffic(OnceLock<Arc<dyn Counts>>);

/// Has calls counted from now on. The first who says so counts.
pub fn count(workflow: &Workflow, counts: Arc<dyn Counts>) {
    // A second worker in one process is a test's: its calls are not shown.
    let _ = workflow.traffic().0.set(counts);
}

/// The calls under way at a target, where this process makes any.
pub(crate) fn calls(workflow: &Workflow, target: TargetId) -> Option<Calls> {
    let counts = workflow.traffic().0.get()?;
    Some(counts.calls(target))
}
