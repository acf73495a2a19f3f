//! What the rules say about one stage: who may decide, for whom, how many must say yes. No code of the engine.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    approval::Via,
    policy::{ApproverRule, Quorum, StageRule},
};

use crate::world::{Nth, World};

/// A yes that was given in a stage.
#[derive(Clone, Copy, Debug)]
pub struct Yes {
    pub by: Nth,
    /// Whose voice it is, if not one's own.
    pub behalf: Option<Nth>,
}

impl Yes {
    pub fn voice(&self) -> Nth {
        self.behalf.unwrap_or(self.by)
    }
}

/// Where a stage stands, as far as seating depends on it.
pub struct Standing<'a> {
    pub world: &'a World,
    pub rule: &'a StageRule,
    /// Who decided in other stages of the line and therefore not here.
    pub elsewhere: &'a BTreeSet<Nth>,
    pub yeses: &'a [Yes],
    /// Those yeses were given by subordinates.
    pub by_subordinates: bool,
    pub escalated: bool,
    /// Whose seat is with whom.
    pub handed: &'a [(Nth, Nth)],
}

/// What the model expects of a seating.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who may decide, and in whose voices they may.
    pub may: BTreeMap<Nth, BTreeSet<Nth>>,
    pub needed: usize,
    pub yes: usize,
    pub by_subordinates: bool,
}

impl Standing<'_> {
    /// The exclusions, except for who reports to whom.
    fn excluded(&self, n: Nth) -> bool {
        let human = &self.world.people[n];
        !human.active
            || human.runs_portal
            || n == self.world.asker
            || n == self.world.beneficiary
            || self.elsewhere.contains(&n)
            || self.world.for_party().contains(&n)
    }

    fn below(&self, n: Nth) -> bool {
        let above = self.world.above(n);
        above.contains(&self.world.asker) || above.contains(&self.world.beneficiary)
    }

    pub fn free(&self, n: Nth) -> bool {
        !self.excluded(n) && !self.below(n)
    }

    /// Whether somebody may sit in a seat of this rule that a colleague gives them.
    pub fn may_hold(&self, n: Nth, via: Via) -> bool {
        self.free(n)
            && (via != Via::PackageOwner || self.world.owners.contains(&n))
            && (via != Via::Security || self.world.people[n].security)
            && (via != Via::Group || self.world.group.contains(&n))
    }

    /// The seats that one rule gives: who is free, or the colleague who has their seat.
    fn group(&self, rule: ApproverRule) -> Vec<(Nth, Via)> {
        let sponsors = self.world.named_by(ApproverRule::Sponsor);
        let (via, people) = if rule == ApproverRule::Manager
            && !self.world.employee
            && sponsors.1.iter().any(|n| self.free(*n))
        {
            sponsors
        } else {
            self.world.named_by(rule)
        };
        people
            .into_iter()
            .filter(|n| self.free(*n))
            .map(|n| {
                let colleague = self.handed.iter().find(|(from, _)| *from == n);
                let holder = colleague.map_or(n, |(_, to)| *to);
                (
                    if self.may_hold(holder, via) {
                        holder
                    } else {
                        n
                    },
                    via,
                )
            })
            .collect()
    }

    /// The voices that count, and those people who need not be asked because of them.
    fn heard(&self, subordinates_count: bool) -> (usize, BTreeSet<Nth>) {
        if self.by_subordinates && !subordinates_count {
            return (0, BTreeSet::new());
        }
        let voices: BTreeSet<Nth> = self.yeses.iter().map(Yes::voice).collect();
        let givers = self.yeses.iter().map(|yes| yes.by);
        (voices.len(), voices.iter().copied().chain(givers).collect())
    }

    pub fn expected(&self) -> Expected {
        let (yes, done) = self.heard(false);
        let silent =
            |seats: &BTreeMap<Nth, Via>| seats.keys().filter(|n| !done.contains(n)).count();
        // One human, one seat: the rule that seats them first stays.
        let add = |seats: &mut BTreeMap<Nth, Via>, rule: ApproverRule| {
            let before = seats.len();
            for (n, via) in self.group(rule) {
                seats.entry(n).or_insert(via);
            }
            seats.len() > before
        };
        let mut seats = BTreeMap::new();
        add(&mut seats, self.rule.approvers);
        let count = match self.rule.quorum {
            Quorum::Count(count) => Some(usize::from(count).max(1)),
            Quorum::All => None,
        };
        let by_rule = count.unwrap_or(yes + silent(&seats));
        let sat = !seats.is_empty() || count.is_some();
        if sat && yes + silent(&seats) >= by_rule.max(1) {
            if self.escalated {
                let mut chain = self.rule.fallback.iter();
                while chain.next().is_some_and(|next| !add(&mut seats, *next)) {}
            }
            return self.with_deputies(&seats, by_rule, yes);
        }
        let needed = count.unwrap_or(yes + 1);
        for next in &self.rule.fallback {
            add(&mut seats, *next);
            if yes + silent(&seats) >= needed {
                return self.with_deputies(&seats, needed, yes);
            }
        }
        let security = self.world.named_by(ApproverRule::Security).1;
        let below: Vec<Nth> = security
            .iter()
            .copied()
            .filter(|n| !self.excluded(*n) && self.below(*n))
            .collect();
        // A stage without a chain has no last resort either.
        let last_resort = seats.is_empty() && !self.rule.fallback.is_empty();
        if last_resort && below.len() >= 2 && !security.iter().any(|n| self.free(*n)) {
            return Expected {
                may: below.iter().map(|n| (*n, BTreeSet::from([*n]))).collect(),
                needed: 2,
                yes: self.heard(true).0,
                by_subordinates: true,
            };
        }
        self.with_deputies(&seats, needed, yes)
    }

    /// Beside those seated, whoever stands in for one of them, if nothing bars that person and the seat is no owner's,
    /// security's, role's or group's. A voice that a deputy gave has no seat left.
    fn with_deputies(&self, seats: &BTreeMap<Nth, Via>, needed: usize, yes: usize) -> Expected {
        let counts = !self.by_subordinates;
        let voted = |n: Nth| self.yeses.iter().any(|yes| yes.by == n);
        let voiced = |n: Nth| self.yeses.iter().any(|yes| yes.voice() == n);
        let mut may: BTreeMap<Nth, BTreeSet<Nth>> = seats
            .keys()
            .filter(|n| !(counts && voiced(**n) && !voted(**n)))
            .map(|n| (*n, BTreeSet::from([*n])))
            .collect();
        let own: BTreeSet<Nth> = may.keys().copied().collect();
        for (of, who, only) in &self.world.deputies {
            let Some(via) = seats.get(of) else {
                continue;
            };
            let personal = [Via::Manager, Via::ManagersManager, Via::Sponsor, Via::Named];
            if personal.contains(via)
                && only.is_none_or(|only| only == *via)
                && !self.handed.iter().any(|(_, to)| to == of)
                && (!voiced(*of) || voted(*who))
                && self.free(*who)
                && !own.contains(who)
            {
                may.entry(*who).or_default().insert(*of);
            }
        }
        Expected {
            may,
            needed,
            yes,
            by_subordinates: false,
        }
    }
}
