//! People who may come into question because somebody names them, not because a rule does.

use std::collections::BTreeMap;

use domain::{PersonId, Timestamp, approval::Candidate};
use store::Tx;

use super::running_portal;
use crate::Result;

/// What seating needs to know of these people. Whoever is not known is left out.
pub(crate) async fn candidates(
    tx: &mut Tx,
    ids: &[PersonId],
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut above: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
    for row in tx.managers_above(ids).await? {
        let chain = above.entry(row.person_id).or_default();
        // In a circle somebody is above themselves; that says nothing about them, and the chain ends there.
        if row.above_id != row.person_id && !chain.contains(&row.above_id) {
            chain.push(row.above_id);
        }
    }
    let roles = tx.roles_of(ids).await?;
    let running = running_portal(roles.into_iter().map(|row| (row.person_id, row.role)));
    Ok(tx
        .persons(ids)
        .await?
        .into_iter()
        .map(|row| {
            let person = row.into_domain();
            Candidate {
                person: person.id,
                active: person.works_at(now),
                runs_portal: running.contains(&person.id),
                above: above.remove(&person.id).unwrap_or_default(),
            }
        })
        .collect())
}
