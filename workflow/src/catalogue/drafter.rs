//! Who hands in an edition. Files are applied at the command line, which knows nobody, so whoever applies them says for whom.

use domain::{PersonId, Refusal, audit::Event, person::AccountKey};
use uuid::Uuid;

use crate::{Error, Result, Workflow, access};

/// The person behind an account of the tenant, if they work here: the one who hands an edition in.
pub async fn drafter(workflow: &Workflow, tenant: Uuid, object: Uuid) -> Result<PersonId> {
    let mut tx = workflow.store().read().await?;
    let account = tx.account_by_key(AccountKey { tenant, object }).await?;
    if let Some(account) = account {
        let now = workflow.clock().now();
        let viewer = access::viewer_in(&mut tx, now, account.person_id, account.id).await?;
        if let Some(viewer) = viewer {
            return Ok(viewer.id());
        }
    }
    Err(refused(format!(
        "{object} is nobody who works here: name the object id of an account of tenant {tenant} that the portal knows"
    )))
}

/// Says in the log for whom the command line acts.
pub(super) fn sign(event: Event, drafter: Option<PersonId>) -> Event {
    match drafter {
        Some(person) => event.for_person(person),
        None => event,
    }
}

/// Why an edition that widens is not taken from nobody.
pub(super) fn nobody() -> Error {
    refused(
        "it widens what people may get, and nobody is named who hands it in and so cannot confirm it: apply it with \
         --by <object id>, or with LATCHKEY_BY in the environment"
            .to_owned(),
    )
}

fn refused(fault: String) -> Error {
    Refusal::Catalogue {
        faults: vec![fault],
    }
    .into()
}
