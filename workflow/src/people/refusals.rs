//! Refused sign-ins. Those of known people are logged one by one; anonymous ones are summed, so that nobody can fill
//! the audit log from outside.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use domain::{
    audit::{Actor, Event, EventKind},
    person::AccountKey,
};
use serde_json::{Value, json};

use crate::{Result, Workflow};

/// Anonymous refusals since they were last written, by reason.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<&'static str, u64>>);

impl Refusals {
    fn count(&self, reason: &'static str) {
        *self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(reason)
            .or_default() += 1;
    }

    fn take(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, counts: &BTreeMap<&'static str, u64>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (reason, count) in counts {
            *held.entry(reason).or_default() += count;
        }
    }
}

/// Notes that a sign-in or a call was refused for `reason`, a fixed word such as `wrong_tenant` or `bad_state`.
///
/// With the key from a token whose signature was verified, a known person's refusal is logged under them. Anything
/// else is counted and written by [`flush_refusals`].
pub async fn sign_in_refused(
    workflow: &Workflow,
    verified: Option<AccountKey>,
    reason: &'static str,
) -> Result<()> {
    if let Some(key) = verified {
        let mut unit = workflow.unit().await?;
        if let Some(account) = unit.tx.account_by_key(key).await? {
            let actor = Actor::Person(account.person_id);
            unit.record(
                Event::new(EventKind::SignInRefused, unit.now, actor)
                    .about(account.person_id)
                    .about(account.id)
                    .because(reason),
            );
            return unit.commit().await;
        }
    }
    workflow.refusals().count(reason);
    Ok(())
}

/// Writes the anonymous refusals since the last call as one event. To be called once a minute and before the end.
pub async fn flush_refusals(workflow: &Workflow) -> Result<()> {
    let counts = workflow.refusals().take();
    if counts.is_empty() {
        return Ok(());
    }
    let written = write(workflow, &counts).await;
    if written.is_err() {
        workflow.refusals().put_back(&counts);
    }
    written
}

async fn write(workflow: &Workflow, counts: &BTreeMap<&'static str, u64>) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.record(
        Event::new(EventKind::RefusalsSummed, unit.now, Actor::Anonymous)
            .changing(Value::Null, json!(counts)),
    );
    unit.commit().await
}
