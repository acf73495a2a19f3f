//! Who plays: the company's people and packages, as the portal knows them.

use std::collections::BTreeMap;

use domain::{AccountId, PackageId, PersonId, Timestamp, person::Person, policy::Policy};
use store::people::PersonRow;
use uuid::Uuid;
use workflow::{
    Workflow,
    access::{self, Viewer},
    eligibility::unmet,
    fresh::{self, Act, SignedInAgain},
};

use super::Past;

/// Somebody who may ask and decide.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub object: Uuid,
    pub account: AccountId,
    pub facts: Person,
    pub hired_at: Option<Timestamp>,
}

/// Something to ask for.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub key: String,
    pub id: PackageId,
    pub policy: Policy,
}

impl Offer {
    /// Whether the package is for this person.
    pub(super) fn suits(&self, actor: &Actor) -> bool {
        unmet(&self.policy, &actor.facts, &actor.facts).is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Actors {
    /// In the order of object ids, which is the same for every start.
    pub all: Vec<Actor>,
    pub offers: Vec<Offer>,
    accounts: BTreeMap<PersonId, AccountId>,
}

impl Actors {
    pub(super) async fn load(past: &Past<'_>) -> workflow::Result<Self> {
        let mut tx = past.workflow.store().read().await?;
        let rows = tx.accounts_after(past.tenant, None, 10_000).await?;
        let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
        let people: BTreeMap<PersonId, PersonRow> = tx
            .persons(&ids)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let mut all: Vec<Actor> = rows
            .into_iter()
            .filter_map(|row| {
                let person = people.get(&row.person_id)?.clone();
                Some(Actor {
                    object: row.object_id,
                    account: row.id,
                    hired_at: person.hired_at,
                    facts: person.into_domain(),
                })
            })
            .collect();
        all.sort_unstable_by_key(|actor| actor.object);
        let mut offers = Vec::new();
        for row in tx.packages().await? {
            if let Some(offer) = tx.offer(row.id).await? {
                offers.push(Offer {
                    key: row.key,
                    id: row.id,
                    policy: serde_json::from_str(&offer.policy)?,
                });
            }
        }
        let accounts = all
            .iter()
            .map(|actor| (actor.facts.id, actor.account))
            .collect();
        Ok(Self {
            all,
            offers,
            accounts,
        })
    }

    pub(super) fn person(&self, object: Uuid) -> Option<PersonId> {
        self.all
            .iter()
            .find(|actor| actor.object == object)
            .map(|actor| actor.facts.id)
    }

    pub(super) fn offer(&self, key: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.key == key)
    }

    /// Somebody signed in, as they are now.
    pub(super) async fn viewer(
        &self,
        workflow: &Workflow,
        person: PersonId,
    ) -> workflow::Result<Viewer> {
        let account = *self.accounts.get(&person).ok_or(workflow::Error::Missing)?;
        access::viewer(workflow, person, account)
            .await?
            .ok_or(workflow::Error::Forbidden)
    }
}

/// Does what takes a fresh sign-in, as somebody who signed in once more at once.
pub(super) async fn signed_in_again(
    workflow: &Workflow,
    viewer: &Viewer,
    act: Act,
) -> workflow::Result<()> {
    let id = fresh::keep(workflow, viewer, act).await?;
    let account = workflow
        .store()
        .read()
        .await?
        .account(viewer.account)
        .await?
        .ok_or(workflow::Error::Missing)?;
    let signed_in = SignedInAgain {
        account: account.into_domain().key,
        at: Some(workflow.clock().system_now()),
        contexts: workflow.settings().step_up.iter().cloned().collect(),
    };
    match fresh::carry_out(workflow, viewer, id, &signed_in).await? {
        stands if stands.is_empty() => Ok(()),
        stands => Err(workflow::Error::Refused(stands)),
    }
}
