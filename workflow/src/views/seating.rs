//! Who would decide a route if its stages opened now. A preview for people to read: deciding works it out anew.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PackageId, PersonId, Timestamp,
    approval::{Facts, Seating, seat},
    person::Person,
    policy::StageRule,
};
use store::Tx;
use uuid::Uuid;

use super::{PersonTag, SeatView, StagePreview};
use crate::{
    Result, approver_groups,
    people::{Concern, gather},
};

/// Everybody who may come into question for a route, with their names.
pub(super) struct Bench {
    facts: Facts,
    names: BTreeMap<PersonId, String>,
    groups: BTreeMap<Uuid, String>,
}

impl Bench {
    /// Reads who may come into question when `asker` asks for `beneficiary`.
    pub(super) async fn load(
        tx: &mut Tx,
        now: Timestamp,
        asker: PersonId,
        beneficiary: &Person,
        package: PackageId,
        route: &[StageRule],
    ) -> Result<Self> {
        let concern = Concern {
            asker,
            beneficiary: beneficiary.id,
            package,
            route,
            line: None,
        };
        let gathered = gather(tx, now, concern).await?;
        let groups = approver_groups::names(tx, approver_groups::named(route).collect()).await?;
        Ok(Self {
            groups,
            facts: gathered.facts,
            names: gathered
                .people
                .into_iter()
                .map(|(id, row)| (id, row.name))
                .collect(),
        })
    }

    /// The facts for one stage.
    pub(super) fn facts(&self, earlier: &BTreeSet<PersonId>) -> Facts {
        Facts {
            decided_earlier: earlier.clone(),
            ..self.facts.clone()
        }
    }

    /// One stage for people to read.
    pub(super) fn preview(&self, rule: &StageRule, earlier: &BTreeSet<PersonId>) -> StagePreview {
        let seating = seat(rule, &self.facts(earlier));
        StagePreview {
            rule: rule.approvers,
            group: rule.group.and_then(|id| self.groups.get(&id).cloned()),
            together: rule.together,
            needed: seating.needed,
            seats: self.seats(&seating),
            fallback: seating.fallback,
            by_subordinates: seating.by_subordinates,
            stuck: seating.is_stuck(),
        }
    }

    /// The seats with names.
    fn seats(&self, seating: &Seating) -> Vec<SeatView> {
        let tag = |id: PersonId| PersonTag::new(id, self.names.get(&id).map_or("", String::as_str));
        seating
            .seats
            .iter()
            .map(|seat| SeatView {
                person: tag(seat.person),
                via: seat.via,
                behalf: seat.behalf.map(tag),
            })
            .collect()
    }
}
