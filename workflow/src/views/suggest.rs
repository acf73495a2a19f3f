//! What the team has: what is usual in it, and what a certain colleague holds, as far as one may ask for the same.
//!
//! Of what colleagues hold one learns as little as helps. What is usual is a number of at least three people. Like a certain
//! colleague one may ask only who has the same manager, or is below the asker ([`domain::team::alike`]); a manager may do so
//! for somebody below them. Never shown: what is privileged, under a control regime, for emergencies or found at a target,
//! what the asker could not ask for, and since when, until when or why anybody holds it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId, Timestamp,
    person::PersonState,
    policy::Policy,
    team::{alike, usual},
};
use serde::Serialize;
use store::{Tx, people::PersonRow};

use super::{
    PersonTag, cart,
    catalog::{self, Card},
    search::FoundPerson,
    sight::is_above,
};
use crate::{Error, Result, Workflow, access::Viewer, eligibility, screening};

/// How many of a team are looked at.
const TEAM: i64 = 100;
/// How many colleagues are offered to choose from.
const COLLEAGUES: i64 = 50;
/// How many of their packages are looked at.
const LOOKED_AT: i64 = 60;
/// How many are proposed.
const MOST: usize = 12;

/// What the team has that one does not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggested {
    /// Now, for relative times.
    pub now: Timestamp,
    /// For whom.
    pub whom: PersonTag,
    /// Whether that is the viewer.
    pub mine: bool,
    /// What is usual in their team, most widely held first, each with how many hold it.
    pub usual: Vec<Card>,
    /// Whom one may ask to be like, by name.
    pub colleagues: Vec<FoundPerson>,
    /// Who was chosen, and what they hold.
    pub like: Option<Like>,
}

/// What a colleague holds that one may ask for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Like {
    /// Who.
    pub person: PersonTag,
    /// What.
    pub cards: Vec<Card>,
}

/// Reads what the team of `whom` (the viewer, if nobody is said) has, and what `like` holds. Where the viewer may not ask
/// for or look at somebody, there is no such person.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    whom: Option<PersonId>,
    like: Option<PersonId>,
) -> Result<Suggested> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let tx = &mut tx;
    let whom = match whom.filter(|id| *id != viewer.id()) {
        None => viewer.clone(),
        Some(id) => {
            if !is_above(tx, viewer.id(), id).await? {
                return Err(Error::Missing);
            }
            let person = tx.person(id).await?.ok_or(Error::Missing)?.into_domain();
            cart::standing(tx, now, person)
                .await?
                .ok_or(Error::Missing)?
        }
    };
    let like = match like {
        None => None,
        Some(id) => Some(like_somebody(tx, viewer, &whom, id).await?),
    };
    let usual = usual_for(tx, viewer, &whom).await?;
    let mine = whom.id() == viewer.id();
    Ok(Suggested {
        now,
        mine,
        usual,
        colleagues: colleagues(tx, now, viewer, &whom).await?,
        like,
        whom: PersonTag::new(whom.id(), whom.person.name),
    })
}

/// What is usual in the team of `whom` and may be asked for.
pub(super) async fn usual_for(tx: &mut Tx, viewer: &Viewer, whom: &Viewer) -> Result<Vec<Card>> {
    let Some(manager) = whom.person.manager else {
        return Ok(Vec::new());
    };
    let rows = tx.held_in_team(manager, whom.id(), TEAM, LOOKED_AT).await?;
    let holders: BTreeMap<PackageId, i64> = rows
        .into_iter()
        .filter(|row| usual(row.holders, row.team))
        .map(|row| (row.package_id, row.holders))
        .collect();
    let ids: Vec<PackageId> = holders.keys().copied().collect();
    let mut cards = askable(tx, viewer, whom, &ids).await?;
    for card in &mut cards {
        card.held_nearby = holders.get(&card.id).copied();
    }
    cards.sort_by_key(|card| std::cmp::Reverse(card.held_nearby));
    cards.truncate(MOST);
    Ok(cards)
}

async fn like_somebody(tx: &mut Tx, viewer: &Viewer, whom: &Viewer, id: PersonId) -> Result<Like> {
    // Whoever is stopped holds nothing now; that they are is not told by their being unknown.
    let colleague = tx
        .person(id)
        .await?
        .map(PersonRow::into_domain)
        .filter(|person| person.state == PersonState::Active)
        .ok_or(Error::Missing)?;
    let above_whom = is_above(tx, viewer.id(), whom.id()).await?;
    let above = is_above(tx, viewer.id(), id).await?;
    if !alike(viewer.id(), &whom.person, &colleague, above_whom, above) {
        return Err(Error::Missing);
    }
    let ids = tx.held_openly(id, LOOKED_AT).await?;
    let cards = askable(tx, viewer, whom, &ids).await?;
    Ok(Like {
        person: PersonTag::new(colleague.id, colleague.name),
        cards,
    })
}

/// Those who have the same manager; of somebody else only where the viewer is above that team.
async fn colleagues(
    tx: &mut Tx,
    now: Timestamp,
    viewer: &Viewer,
    whom: &Viewer,
) -> Result<Vec<FoundPerson>> {
    let Some(manager) = whom.person.manager else {
        return Ok(Vec::new());
    };
    let rows = tx.reports_of(manager, None, COLLEAGUES + 2).await?;
    let mut found: Vec<FoundPerson> = rows
        .into_iter()
        .filter(|row| row.id != whom.id() && row.id != viewer.id())
        .filter(|row| row.last_day_at.is_none_or(|last| last > now))
        .map(|row| FoundPerson {
            person: PersonTag::new(row.id, row.name),
            job_title: row.job_title,
            department: row.department,
        })
        .collect();
    found.truncate(usize::try_from(COLLEAGUES).unwrap_or(usize::MAX));
    Ok(found)
}

/// Of these packages those that `viewer` may ask for, for `whom`, by name: not held, not waiting, not in the cart.
async fn askable(
    tx: &mut Tx,
    viewer: &Viewer,
    whom: &Viewer,
    ids: &[PackageId],
) -> Result<Vec<Card>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let in_cart: BTreeSet<PackageId> = match tx.draft_of(viewer.id()).await? {
        Some(draft) => tx
            .draft_lines(draft.id)
            .await?
            .into_iter()
            .filter(|line| line.beneficiary_id == whom.id())
            .map(|line| line.package_id)
            .collect(),
        None => BTreeSet::new(),
    };
    let mut rows = Vec::with_capacity(ids.len());
    for row in tx.cards_by_ids(ids).await? {
        if !row.offered
            || row.privileged
            || row.control_scope.is_some()
            || in_cart.contains(&row.id)
        {
            continue;
        }
        let policy: Policy = serde_json::from_str(&row.policy)?;
        let open = policy.asking.break_glass.is_none()
            && eligibility::unmet(&policy, &whom.person, &viewer.person).is_empty()
            && screening::scope(tx, &policy, viewer.id(), whom.id())
                .await?
                .is_none()
            && screening::full(tx, &policy, row.id, whom.id())
                .await?
                .is_none();
        if open {
            rows.push(row);
        }
    }
    let mut cards = catalog::cards(tx, whom, rows).await?;
    cards.retain(|card| card.held.is_none() && card.waiting.is_none());
    Ok(cards)
}
