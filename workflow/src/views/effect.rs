//! What would happen if grants went: which rights fall, and which remain because they are held in another way.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, EntitlementId, GrantId, PersonId, Timestamp,
    grant::{End, GrantSource, GrantState},
};
use serde::Serialize;
use store::{Tx, holding::WayRow, views::grants::HeldRow};

use super::{EntitlementTag, HeldGrant, PersonTag, make};
use crate::{Result, access::Viewer};

/// One grant, and what goes with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The grant.
    pub grant: HeldGrant,
    /// Whose.
    pub person: PersonTag,
    /// What is in it, and what of that would remain.
    pub rights: Vec<RightEffect>,
}

/// One right of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RightEffect {
    /// The right.
    pub right: EntitlementTag,
    /// Other ways in which it is held now; none: it falls.
    pub remains: Vec<WayTag>,
}

/// One way in which a right is held, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayTag {
    /// The grant.
    pub grant: GrantId,
    /// The package's name; none for what was found at the target.
    pub package: Option<String>,
    /// Where it comes from.
    pub source: GrantSource,
    /// Until when.
    pub end: End,
}

impl Effect {
    /// How many of its rights would fall.
    pub fn falls(&self) -> usize {
        self.rights
            .iter()
            .filter(|right| right.remains.is_empty())
            .count()
    }
}

/// What would happen if these grants went: all of them together, or each alone.
pub(super) async fn of(
    tx: &mut Tx,
    viewer: &Viewer,
    rows: Vec<HeldRow>,
    now: Timestamp,
    together: bool,
) -> Result<Vec<Effect>> {
    let whose: BTreeMap<GrantId, (PersonId, AccountId)> = rows
        .iter()
        .map(|row| (row.id, (row.person_id, row.account_id)))
        .collect();
    let people: Vec<PersonId> = rows
        .iter()
        .map(|row| row.person_id)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let people: BTreeMap<PersonId, PersonTag> = tx
        .persons(&people)
        .await?
        .into_iter()
        .map(|row| (row.id, PersonTag::new(row.id, row.name)))
        .collect();
    let grants = make::held(tx, viewer, rows).await?;
    let pairs: BTreeSet<(AccountId, EntitlementId)> = grants
        .iter()
        .filter_map(|grant| Some((whose.get(&grant.id)?.1, grant)))
        .flat_map(|(account, grant)| grant.parts.iter().map(move |part| (account, part.id)))
        .collect();
    let ways = tx.ways(&pairs.into_iter().collect::<Vec<_>>()).await?;
    let others: Vec<&WayRow> = ways
        .iter()
        .filter(|way| covers(way, now) && !(together && whose.contains_key(&way.grant_id)))
        .collect();
    Ok(grants
        .into_iter()
        .filter_map(|grant| {
            let (person, account) = *whose.get(&grant.id)?;
            let rights = grant
                .parts
                .iter()
                .map(|part| RightEffect {
                    remains: others
                        .iter()
                        .filter(|way| {
                            way.account_id == account
                                && way.entitlement_id == part.id
                                && way.grant_id != grant.id
                        })
                        .map(|way| WayTag {
                            grant: way.grant_id,
                            package: way.package_name.clone(),
                            source: way.source,
                            end: way.end_at.map_or(End::Permanent, End::At),
                        })
                        .collect(),
                    right: part.clone(),
                })
                .collect();
            Some(Effect {
                person: people.get(&person)?.clone(),
                rights,
                grant,
            })
        })
        .collect())
}

/// Whether a way opens something now.
pub(super) fn covers(way: &WayRow, now: Timestamp) -> bool {
    way.state == GrantState::Active
        && way.valid_from <= now
        && way.end_at.is_none_or(|end| now < end)
}
