//! Starting a campaign: what is held now is frozen in one go, each item goes to a reviewer with a suggestion, what the targets
//! listed of the same rights stands beside it, and a hash over all of that goes into the audit log.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use domain::{
    AccountId, CampaignId, GrantId, PackageId, PersonId, Refusal, Timestamp,
    audit::Actor,
    certification::{Balance, CampaignState, Facts, ItemState, ReviewerRule, Scope, Via, suggest},
    grant::GrantSource,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Tx,
    certification::{CampaignItemRow, CampaignRow, HeldInScopeRow},
};

use super::{Pool, due, listings, locked, must_be, pool::Held, scope_of, seal, stages};
use crate::{Error, Result, Unit, Workflow, access::Viewer, frozen::hex, people::again};

/// How much is read at once.
const PAGE: i64 = 5_000;
/// The most items that a preview looks at.
pub const PREVIEWED: i64 = 5_000;

/// How much one reviewer would get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who; none for what nobody may review.
    pub reviewer: Option<PersonId>,
    /// How many items.
    pub items: u32,
    /// Of those, how many because those before them in the rule cannot.
    pub fallback: u32,
}

/// Who would get how much if a draft were started now, stage by stage, the most first; from at most [`PREVIEWED`] items. A
/// later stage is shown as if everything went on to it.
pub async fn preview(tx: &mut Tx, row: &CampaignRow, now: Timestamp) -> Result<Vec<Vec<Share>>> {
    let scope = scope_of(row)?;
    let held = tx.held_in_scope(&scope, now, None, PREVIEWED).await?;
    let mut before: Vec<Vec<PersonId>> = vec![Vec::new(); held.len()];
    let mut all = Vec::new();
    for asked in stages::of(row)? {
        let pool = Pool::load(tx, &facts(&held), asked.named, now).await?;
        let mut balance = balance(row);
        let mut shares: BTreeMap<Option<PersonId>, Share> = BTreeMap::new();
        for (one, before) in held.iter().zip(&mut before) {
            let chosen = stages::another(&pool, &mut balance, asked.rule, held_of(one), before);
            before.extend(chosen.map(|(id, _)| id));
            let share = shares.entry(chosen.map(|(id, _)| id)).or_insert(Share {
                reviewer: chosen.map(|(id, _)| id),
                items: 0,
                fallback: 0,
            });
            share.items += 1;
            share.fallback += u32::from(chosen.is_none_or(|(_, via)| !first(asked.rule, via)));
        }
        let mut shares: Vec<Share> = shares.into_values().collect();
        shares.sort_by_key(|share| (std::cmp::Reverse(share.items), share.reviewer));
        all.push(shares);
    }
    Ok(all)
}

/// Whether somebody reviews by the rule itself, and not as a fallback.
const fn first(rule: ReviewerRule, via: Via) -> bool {
    matches!(
        (rule, via),
        (ReviewerRule::Manager, Via::Manager)
            | (ReviewerRule::PackageOwner, Via::PackageOwner)
            | (ReviewerRule::EntitlementOwner, Via::EntitlementOwner)
            | (ReviewerRule::Security, Via::Security)
            | (ReviewerRule::Named, Via::Named)
    )
}

pub(super) fn balance(row: &CampaignRow) -> Balance {
    Balance::new(row.most_each.and_then(|most| u32::try_from(most).ok()))
}

pub(super) const fn held_of(row: &HeldInScopeRow) -> Held {
    Held {
        person: row.person_id,
        package: row.package_id,
        right_owner: row.right_owner_id,
    }
}

pub(super) fn facts(held: &[HeldInScopeRow]) -> Vec<Held> {
    held.iter().map(held_of).collect()
}

/// Starts a draft. For security.
pub async fn start(workflow: &Workflow, viewer: &Viewer, id: CampaignId) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Draft)?;
        freeze(&mut unit, &row, Some(viewer.id())).await?;
        unit.commit().await
    })
    .await
}

/// What is known of all that is held, for suggestions.
pub(super) struct Known {
    peers: BTreeMap<(PersonId, Option<PackageId>), i64>,
    breaches: BTreeSet<GrantId>,
}

impl Known {
    async fn load(tx: &mut Tx) -> Result<Self> {
        Ok(Self {
            peers: tx
                .peers()
                .await?
                .into_iter()
                .map(|row| ((row.manager_id, row.package_id), row.count))
                .collect(),
            breaches: tx
                .standing_breaches()
                .await?
                .into_iter()
                .map(|row| row.grant_id)
                .collect(),
        })
    }

    /// Only what says something of these.
    pub(super) async fn of(tx: &mut Tx, held: &[HeldInScopeRow]) -> Result<Self> {
        let managers: BTreeSet<PersonId> = held.iter().filter_map(|one| one.manager_id).collect();
        let people: BTreeSet<PersonId> = held.iter().map(|one| one.person_id).collect();
        let mut known = Self {
            peers: BTreeMap::new(),
            breaches: BTreeSet::new(),
        };
        for chunk in managers.into_iter().collect::<Vec<_>>().chunks(500) {
            let rows = tx.peers_under(chunk).await?;
            let rows = rows.into_iter();
            known
                .peers
                .extend(rows.map(|row| ((row.manager_id, row.package_id), row.count)));
        }
        for chunk in people.into_iter().collect::<Vec<_>>().chunks(500) {
            let rows = tx.breaches_of(chunk).await?;
            known
                .breaches
                .extend(rows.into_iter().map(|row| row.grant_id));
        }
        Ok(known)
    }

    /// How many others of the same manager hold it, and how many others there are.
    fn peers_of(&self, held: &HeldInScopeRow) -> Option<(i64, i64)> {
        let (manager, package) = (held.manager_id?, held.package_id?);
        let count = |package| self.peers.get(&(manager, package)).copied().unwrap_or(1);
        Some(((count(Some(package)) - 1).max(0), (count(None) - 1).max(0)))
    }

    fn item(
        &self,
        unit: &Unit,
        campaign: CampaignId,
        held: HeldInScopeRow,
        reviewer: Option<(PersonId, Via)>,
    ) -> Result<CampaignItemRow> {
        let peers = self.peers_of(&held);
        let (suggestion, why) = suggest(&Facts {
            breaks_rule: self.breaches.contains(&held.id),
            found: held.source == GrantSource::Import,
            privileged: held.privileged,
            held_days: (unit.now - held.valid_from).num_days(),
            ends_in_days: held.end_at.map(|end| (end - unit.now).num_days()),
            peers,
        });
        Ok(CampaignItemRow {
            id: unit.new_id(),
            campaign_id: campaign,
            grant_id: held.id,
            person_id: held.person_id,
            account_id: held.account_id,
            package_id: held.package_id,
            right_name: held.right_name,
            source: held.source,
            privileged: held.privileged,
            control_scope: held.control_scope,
            valid_from: held.valid_from,
            end_at: held.end_at,
            peers_holding: peers.map(|(holding, _)| holding),
            peers: peers.map(|(_, all)| all),
            suggestion,
            why: serde_json::to_string(&why)?,
            reviewer_id: reviewer.map(|(id, _)| id),
            via: reviewer.map(|(_, via)| via),
            stage: 1,
            state: ItemState::Open,
            answer: None,
            until_at: None,
            reason: String::new(),
            decided_by: None,
            decided_at: None,
            together: false,
            stood: false,
            void_cause: None,
            enforce_at: None,
            enforced_at: None,
            proof: None,
            proof_at: None,
            question: String::new(),
            reply: String::new(),
            version: 0,
        })
    }
}

/// One line of what the population's hash is over: ids and facts, never names.
pub(super) fn sealed_facts(
    (grant, person, account, package): (GrantId, PersonId, AccountId, Option<PackageId>),
    source: GrantSource,
    from: Timestamp,
    end: Option<Timestamp>,
) -> String {
    let time = |at: Timestamp| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    format!(
        "{grant}|{person}|{account}|{}|{source}|{}|{}\n",
        package.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        time(from),
        end.map_or_else(|| "-".to_owned(), time),
    )
}

fn sealed_line(item: &CampaignItemRow) -> String {
    let who = (
        item.grant_id,
        item.person_id,
        item.account_id,
        item.package_id,
    );
    sealed_facts(who, item.source, item.valid_from, item.end_at)
}

/// Freezes what a draft looks at and starts it. Locks are held by the caller.
pub(super) async fn freeze(unit: &mut Unit, row: &CampaignRow, by: Option<PersonId>) -> Result<()> {
    let (scope, now) = (scope_of(row)?, unit.now);
    let known = Known::load(&mut unit.tx).await?;
    let mut frozen = Frozen::begin(row, known);
    let mut after = None;
    loop {
        let held = unit.tx.held_in_scope(&scope, now, after, PAGE).await?;
        let Some(last) = held.last() else { break };
        after = Some(last.id);
        frozen.take(unit, row, held).await?;
    }
    frozen.end(unit, row, by, None).await
}

/// A draft that is being frozen.
pub(super) struct Frozen {
    known: Known,
    balance: Balance,
    hasher: Sha256,
    population: i64,
    reviewers: BTreeMap<Option<PersonId>, i64>,
}

impl Frozen {
    pub(super) fn begin(row: &CampaignRow, known: Known) -> Self {
        Self {
            known,
            balance: balance(row),
            hasher: Sha256::new(),
            population: 0,
            reviewers: BTreeMap::new(),
        }
    }

    /// Takes what is held in, in the order of grants.
    pub(super) async fn take(
        &mut self,
        unit: &mut Unit,
        row: &CampaignRow,
        held: Vec<HeldInScopeRow>,
    ) -> Result<()> {
        let now = unit.now;
        let pool = Pool::load(&mut unit.tx, &facts(&held), row.named_id, now).await?;
        let mut items = Vec::with_capacity(held.len());
        for one in held {
            let reviewer = pool.reviewer(&mut self.balance, row.reviewers, held_of(&one));
            *self
                .reviewers
                .entry(reviewer.map(|(id, _)| id))
                .or_default() += 1;
            let item = self.known.item(unit, row.id, one, reviewer)?;
            self.hasher.update(sealed_line(&item));
            items.push(item);
        }
        unit.tx.insert_items(&items).await?;
        self.population += i64::try_from(items.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// Starts it. `event` is what happened and whom or what it is about, for a small review.
    pub(super) async fn end(
        mut self,
        unit: &mut Unit,
        row: &CampaignRow,
        by: Option<PersonId>,
        event: Option<(&str, &str)>,
    ) -> Result<()> {
        let now = unit.now;
        let population = self.population;
        if population == 0 {
            return Err(Refusal::NothingInScope.into());
        }
        // A small one looks at what somebody holds, not at whole rights.
        let scope: Option<Scope> = match event {
            None => Some(scope_of(row)?),
            Some(_) => None,
        };
        for line in listings::freeze(unit, row.id, scope.as_ref()).await? {
            self.hasher.update(line);
        }
        let hash = hex(&self.hasher.finalize());
        let days = stages::of(row)?
            .first()
            .map_or(row.days, |first| first.days);
        let due_at = now + Duration::days(days);
        if !unit
            .tx
            .start_campaign(row.id, by, now, due_at, population, &hash)
            .await?
        {
            return Err(Error::Stale);
        }
        let nobody = self.reviewers.get(&None).copied().unwrap_or_default();
        let after = json!({
            "population": population, "population_hash": hash, "due_at": due_at,
            "reviewers": self.reviewers.len() - usize::from(nobody > 0), "without_reviewer": nobody,
        });
        let actor = by.map_or(Actor::Portal, Actor::Person);
        seal::moved(unit, row, CampaignState::Running, actor, after);
        let running = CampaignRow {
            due_at: Some(due_at),
            started_at: Some(now),
            ..row.clone()
        };
        due::arm(unit, &running);
        stages::tell(unit, &running, &self.reviewers, event);
        Ok(())
    }
}
