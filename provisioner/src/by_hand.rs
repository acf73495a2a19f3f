//! A target that no program reaches: what a connector would write somebody does, and their word stands where it would read.
//!
//! The word is weaker than a read and is told as one. What waits to be taken away counts as there until somebody says that it is
//! gone.

use async_trait::async_trait;
use domain::task::TaskCall;
use workflow::{
    Workflow,
    tasks::{self, Wish},
};

use crate::connector::{Connector, Evidence, Failure, Finding, Listing, Outcome, Place, Reply};

/// Rights that people give and take away by hand.
#[derive(Clone, Debug)]
pub struct ByHand {
    workflow: Workflow,
}

impl ByHand {
    /// Over the use cases, for tasks are kept with everything else.
    pub const fn new(workflow: Workflow) -> Self {
        Self { workflow }
    }

    async fn wish(&self, place: &Place, call: TaskCall) -> Reply {
        match tasks::wish(&self.workflow, place, call).await {
            Ok(Wish::Waits { task, due_at }) => Reply {
                outcome: Outcome::Pending {
                    after: tasks::LOOK_EVERY,
                },
                evidence: Evidence {
                    request_id: Some(task.to_string()),
                    detail: format!(
                        "somebody does it by hand, due {}",
                        due_at.format("%Y-%m-%d %H:%M UTC")
                    ),
                    ..Evidence::default()
                },
            },
            Ok(Wish::Fulfilled) => Reply::unasked(Outcome::Already, "somebody has confirmed it"),
            Ok(Wish::Cannot { task, why }) => Reply {
                outcome: Outcome::Failed(Failure::Never {
                    why: format!("Whoever does it by hand says that it cannot be done: {why}"),
                    fix: "Clear up with them what stands in the way; the task can still be marked as done.".into(),
                }),
                evidence: Evidence {
                    request_id: Some(task.to_string()),
                    detail: "said to be impossible".into(),
                    ..Evidence::default()
                },
            },
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &workflow::Error) -> Reply {
    Reply::unasked(
        Outcome::Failed(Failure::Later {
            after: None,
            throttled: false,
            why: format!("the task could not be kept: {error}"),
        }),
        "not kept",
    )
}

#[async_trait]
impl Connector for ByHand {
    async fn observe(&self, place: &Place) -> Reply {
        match tasks::word(&self.workflow, place.id).await {
            Ok(word) => Reply::unasked(Outcome::Seen(word.observed), word.why),
            Err(error) => failed(&error),
        }
    }

    async fn ensure_present(&self, place: &Place) -> Reply {
        self.wish(place, TaskCall::Add).await
    }

    async fn ensure_absent(&self, place: &Place) -> Reply {
        self.wish(place, TaskCall::Remove).await
    }

    async fn list(&self, _: &str, _: &str) -> Result<Listing, Failure> {
        Err(Failure::Never {
            why: "No program can list who holds a right that is given by hand.".into(),
            fix: "Ask whoever gives it.".into(),
        })
    }

    async fn diagnose(&self) -> Vec<Finding> {
        vec![Finding {
            fine: true,
            what: "Tasks are kept here; people do them.".into(),
            fix: String::new(),
        }]
    }
}
