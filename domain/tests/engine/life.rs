//! One request from its submission to its end, folded from stages as the portal does it, while the company changes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration};
use domain::{
    Timestamp,
    approval::{Facts, Seating, StageState, met_by_asking, seat, tally},
    hand_on::{HandedOn, take_over_bar},
    policy::{ApproverRule, Quorum, StageRule},
    waiting::Pending,
};

use crate::{
    Dice,
    model::{Standing, Yes},
    world::{GROUP, Nth, World, id, nth},
};

const RULES: [ApproverRule; 9] = [
    ApproverRule::Manager,
    ApproverRule::ManagersManager,
    ApproverRule::Sponsor,
    ApproverRule::PackageOwner,
    ApproverRule::EntitlementOwner,
    ApproverRule::Security,
    ApproverRule::Role,
    ApproverRule::Group,
    ApproverRule::Named,
];

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Approved,
    Denied,
    Lapsed,
    Withdrawn,
}

/// What the runs came across.
#[derive(Default)]
pub struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    fn saw(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub fn must_have_happened(&self) {
        for what in [
            "approved",
            "denied",
            "lapsed",
            "withdrawn",
            "stuck",
            "fallback",
            "by subordinates",
            "a yes of subordinates ignored",
            "collapsed",
            "met by asking",
            "met without a vote of now",
            "for somebody",
            "handed on",
            "refused to be handed on",
            "refused",
            "escalated",
            "two stages open",
        ] {
            assert!(
                self.0.contains_key(what),
                "never seen: {what}; {:?}",
                self.0
            );
        }
    }
}

struct Stage {
    rule: StageRule,
    state: StageState,
    yeses: Vec<Yes>,
    by_subordinates: bool,
    escalated: bool,
    handed: Vec<(Nth, Nth)>,
}

pub struct Life<'a> {
    seed: u64,
    dice: Dice,
    seen: &'a mut Seen,
    world: World,
    stages: Vec<Stage>,
    collapse: bool,
    now: Timestamp,
    pending: Pending,
    end: Option<End>,
}

pub fn run(seed: u64, seen: &mut Seen) {
    let mut dice = Dice::new(seed);
    let world = World::random(&mut dice);
    let stages = (0..=dice.below(3))
        .map(|position| Stage {
            rule: rule(&mut dice, &world, position),
            state: StageState::Waiting,
            yeses: Vec::new(),
            by_subordinates: false,
            escalated: false,
            handed: Vec::new(),
        })
        .collect();
    let now = DateTime::from_timestamp(1_800_000_000, 0).expect("within the calendar");
    let mut life = Life {
        seed,
        collapse: dice.once_in(3),
        pending: Pending {
            lapse_at: now + Duration::hours(40),
            asked_back_at: None,
            stood: Duration::zero(),
            waits_since: None,
        },
        dice,
        seen,
        world,
        stages,
        now,
        end: None,
    };
    life.open_next();
    for _ in 0..40 {
        if life.end.is_some() {
            break;
        }
        life.step();
    }
}

fn rule(dice: &mut Dice, world: &World, position: usize) -> StageRule {
    let quorum = match dice.below(4) {
        0 => Quorum::All,
        1 => Quorum::Count(2),
        _ => Quorum::Count(1),
    };
    let mut rule = StageRule::of(RULES[dice.below(RULES.len())], quorum);
    rule.named = world.named.iter().map(|n| id(*n)).collect();
    rule.role = Some(domain::person::PortalRole::Hr);
    rule.group = Some(GROUP);
    rule.together = position > 0 && dice.once_in(3);
    if dice.once_in(3) {
        rule.fallback = (0..dice.below(4))
            .map(|_| RULES[dice.below(RULES.len())])
            .collect();
    }
    rule
}

impl Life<'_> {
    /// One thing that happens.
    fn step(&mut self) {
        match self.dice.below(20) {
            0..=7 => self.vote(),
            8 | 9 => self.hand_on(),
            10 => {
                let position = self.dice.below(self.stages.len());
                self.stages[position].handed.pop();
            }
            11 => self.pending = self.pending.asked(self.now),
            12 => self.pending = self.pending.answered(self.now),
            13 => {
                let position = self.dice.below(self.stages.len());
                if self.stages[position].state == StageState::Open {
                    self.stages[position].escalated = true;
                    self.seen.saw("escalated");
                }
            }
            14 => self.now += Duration::hours(self.dice.below(20) as i64),
            _ => self.company_changes(),
        }
        if self.end.is_none() && self.pending.is_over(self.now) {
            self.finish(End::Lapsed);
        }
        if self.end.is_none() {
            self.seat_anew();
        }
    }

    fn company_changes(&mut self) {
        let count = self.world.people.len();
        let who = self.dice.below(count);
        match self.dice.below(9) {
            0 | 1 => {
                self.world.people[who].active = !self.world.people[who].active;
                if [self.world.asker, self.world.beneficiary].contains(&who) && self.dice.once_in(4)
                {
                    self.finish(End::Withdrawn);
                }
            }
            2 => {
                self.world.people[who].manager = Some(self.dice.below(count)).filter(|n| *n != who);
            }
            3 => self.world.people[who].security = !self.world.people[who].security,
            4 => self.world.people[who].runs_portal = !self.world.people[who].runs_portal,
            5 => self.world.owners = self.dice.some_of(count, 3),
            6 => {
                self.world.deputies.pop();
            }
            7 => self.world.group = self.dice.some_of(count, 4),
            _ => self.world.deputise(&mut self.dice),
        }
    }

    /// Whoever decided in another stage does not decide in this one, unless one person may decide several.
    fn elsewhere(&self, position: usize) -> BTreeSet<Nth> {
        let mut elsewhere = BTreeSet::new();
        if self
            .stages
            .iter()
            .any(|stage| stage.state == StageState::MetByAsking)
        {
            elsewhere.insert(self.world.asker);
        }
        if !self.collapse {
            for (other, stage) in self.stages.iter().enumerate() {
                if other != position {
                    elsewhere.extend(stage.yeses.iter().flat_map(|yes| [yes.by, yes.voice()]));
                }
            }
        }
        elsewhere
    }

    /// Seats a stage by the engine and by the model, which must agree.
    fn seating(&mut self, position: usize) -> (Seating, Facts) {
        let elsewhere = self.elsewhere(position);
        let stage = &self.stages[position];
        let facts = Facts {
            decided_earlier: elsewhere.iter().map(|n| id(*n)).collect(),
            said_yes: stage.yeses.iter().map(|yes| id(yes.voice())).collect(),
            voted: stage.yeses.iter().map(|yes| id(yes.by)).collect(),
            yes_by_subordinates: stage.by_subordinates,
            escalated: stage.escalated,
            handed_on: stage
                .handed
                .iter()
                .map(|(from, to)| HandedOn {
                    from: id(*from),
                    to: self.world.candidate(*to),
                })
                .collect(),
            ..self.world.facts()
        };
        let seating = seat(&stage.rule, &facts);
        let expected = self.standing(position, &elsewhere).expected();
        let place = format!(
            "repeat with LATCHKEY_SEED={}\n{seating:?}\n{expected:?}",
            self.seed
        );
        let sits: Vec<Nth> = seating.seats.iter().map(|seat| nth(seat.person)).collect();
        let may: Vec<Nth> = expected.may.keys().copied().collect();
        let unique: BTreeSet<Nth> = sits.iter().copied().collect();
        assert_eq!(unique.len(), sits.len(), "one human, one seat; {place}");
        assert_eq!(unique.into_iter().collect::<Vec<_>>(), may, "{place}");
        for seat in &seating.seats {
            let voices = &expected.may[&nth(seat.person)];
            assert!(voices.contains(&nth(seat.voice())), "{place}");
        }
        assert_eq!(
            (seating.needed, seating.yes, seating.by_subordinates),
            (expected.needed, expected.yes, expected.by_subordinates),
            "{place}"
        );
        for n in sits {
            self.never_their_own(n, seating.by_subordinates, &place);
        }
        if seating.fallback {
            self.seen.saw("fallback");
        }
        if seating.by_subordinates {
            self.seen.saw("by subordinates");
        }
        if seating.yes_ignored {
            self.seen.saw("a yes of subordinates ignored");
        }
        (seating, facts)
    }

    fn standing<'b>(&'b self, position: usize, elsewhere: &'b BTreeSet<Nth>) -> Standing<'b> {
        let stage = &self.stages[position];
        Standing {
            world: &self.world,
            rule: &stage.rule,
            elsewhere,
            yeses: &stage.yeses,
            by_subordinates: stage.by_subordinates,
            escalated: stage.escalated,
            handed: &stage.handed,
        }
    }

    /// The rule that never breaks, said once more from the company alone.
    fn never_their_own(&self, n: Nth, by_subordinates: bool, place: &str) {
        let World {
            asker, beneficiary, ..
        } = self.world;
        assert!(n != asker && n != beneficiary, "their own; {place}");
        for (of, who, _) in &self.world.deputies {
            let party = *of == asker || *of == beneficiary;
            assert!(!(party && *who == n), "a deputy of a party; {place}");
        }
        let above = self.world.above(n);
        if above.contains(&asker) || above.contains(&beneficiary) {
            let security = self.world.people[n].security;
            assert!(by_subordinates && security, "a subordinate; {place}");
        }
        let human = &self.world.people[n];
        assert!(human.active && !human.runs_portal, "{place}");
    }

    fn open(&self) -> Vec<usize> {
        (0..self.stages.len())
            .filter(|position| self.stages[*position].state == StageState::Open)
            .collect()
    }

    /// Somebody tries to vote, whoever they are.
    fn vote(&mut self) {
        let open = self.open();
        let position = open[self.dice.below(open.len())];
        let (seating, _) = self.seating(position);
        let someone = if seating.seats.is_empty() || self.dice.once_in(4) {
            self.dice.below(self.world.people.len())
        } else {
            nth(seating.seats[self.dice.below(seating.seats.len())].person)
        };
        let seat = seating.seats.iter().find(|seat| seat.person == id(someone));
        let voted = self.stages[position]
            .yeses
            .iter()
            .any(|yes| yes.by == someone);
        let Some(seat) = seat.filter(|_| !voted && !seating.is_stuck()) else {
            self.seen.saw("refused");
            return;
        };
        if self.dice.once_in(8) {
            self.stages[position].state = StageState::Denied;
            self.finish(End::Denied);
            return;
        }
        let yes = Yes {
            by: someone,
            behalf: seat.behalf.map(nth),
        };
        if yes.behalf.is_some() {
            self.seen.saw("for somebody");
        }
        let seed = self.seed;
        assert!(seating.yes < seating.needed, "a met quorum, seed {seed}");
        let stage = &mut self.stages[position];
        if !stage.by_subordinates {
            let again = stage.yeses.iter().any(|one| one.voice() == yes.voice());
            assert!(!again, "a voice twice, seed {seed}");
        }
        note(stage, &seating);
        stage.yeses.push(yes);
        stage.state = tally(seating.yes + 1, seating.needed);
        let counted = seating.yes + 1;
        assert_eq!(
            stage.state == StageState::Met,
            counted == seating.needed,
            "seed {seed}"
        );
    }

    /// Somebody seated gives their seat to somebody, whoever that is.
    fn hand_on(&mut self) {
        let open = self.open();
        let position = open[self.dice.below(open.len())];
        let (seating, mut facts) = self.seating(position);
        if seating.seats.is_empty() || seating.is_stuck() {
            return;
        }
        let seat = seating.seats[self.dice.below(seating.seats.len())];
        let (from, to) = (nth(seat.person), self.dice.below(self.world.people.len()));
        if self.stages[position].yeses.iter().any(|yes| yes.by == from) {
            return;
        }
        // What was handed to somebody who may not decide any more has fallen back already.
        let sits = |n: Nth| seating.seats.iter().any(|one| one.person == id(n));
        self.stages[position].handed.retain(|(_, to)| sits(*to));
        facts.handed_on.retain(|one| sits(nth(one.to.person)));
        let handed = self.stages[position].handed.clone();
        let elsewhere = self.elsewhere(position);
        let standing = self.standing(position, &elsewhere);
        let may = !seating.by_subordinates
            && seat.behalf.is_none()
            && !sits(to)
            && !handed
                .iter()
                .any(|(giver, holder)| *holder == from || *giver == to)
            && !standing.yeses.iter().any(|yes| yes.voice() == to)
            && standing.may_hold(to, seat.via);
        let rule = &self.stages[position].rule;
        let bar = take_over_bar(seat, &self.world.candidate(to), rule, &facts, &seating);
        assert_eq!(bar.is_none(), may, "seed {}, {bar:?}", self.seed);
        if may {
            self.stages[position].handed.push((from, to));
            self.seen.saw("handed on");
        } else {
            self.seen.saw("refused to be handed on");
        }
    }

    /// Every open stage as the company is now; then what follows.
    fn seat_anew(&mut self) {
        for position in self.open() {
            let (seating, _) = self.seating(position);
            if seating.is_stuck() {
                self.seen.saw("stuck");
            }
            let stage = &mut self.stages[position];
            note(stage, &seating);
            if seating.yes > 0 && tally(seating.yes, seating.needed) == StageState::Met {
                stage.state = StageState::Met;
                self.seen.saw("met without a vote of now");
            }
        }
        match self.open().len() {
            0 => self.open_next(),
            1 => {}
            _ => self.seen.saw("two stages open"),
        }
    }

    /// Passes what counts without a vote, opens the next stage, or approves.
    fn open_next(&mut self) {
        let rules: Vec<StageRule> = self.stages.iter().map(|one| one.rule.clone()).collect();
        let asker = self.world.person(self.world.asker);
        let beneficiary = self.world.person(self.world.beneficiary);
        for position in 0..rules.len() {
            if self.stages[position].state != StageState::Waiting {
                continue;
            }
            if !self.open().is_empty() && !rules[position].together {
                break;
            }
            if met_by_asking(&rules, position, &asker, &beneficiary) {
                self.stages[position].state = StageState::MetByAsking;
                self.seen.saw("met by asking");
                continue;
            }
            let (seating, _) = self.seating(position);
            let before = self.stages.iter().flat_map(|stage| &stage.yeses);
            let same = self.collapse
                && seating.needed == 1
                && before.filter(|yes| yes.behalf.is_none()).any(|yes| {
                    seating
                        .seats
                        .iter()
                        .any(|seat| seat.person == id(yes.by) && seat.behalf.is_none())
                });
            let stage = &mut self.stages[position];
            if same {
                stage.state = StageState::Collapsed;
                self.seen.saw("collapsed");
                continue;
            }
            stage.state = StageState::Open;
            note(stage, &seating);
        }
        if self.open().is_empty() {
            self.finish(End::Approved);
        }
    }

    fn finish(&mut self, end: End) {
        assert_eq!(self.end, None, "it ends once; seed {}", self.seed);
        self.end = Some(end);
        self.seen.saw(match end {
            End::Approved => "approved",
            End::Denied => "denied",
            End::Lapsed => "lapsed",
            End::Withdrawn => "withdrawn",
        });
        if end == End::Approved {
            self.approved_by_people();
        }
    }

    /// Silence and errors never approve: every stage is a yes of somebody, and somebody else than the parties said one.
    fn approved_by_people(&self) {
        let seed = self.seed;
        let mut people: Vec<Nth> = Vec::new();
        for (position, stage) in self.stages.iter().enumerate() {
            match stage.state {
                StageState::Met => assert!(!stage.yeses.is_empty(), "seed {seed}"),
                StageState::MetByAsking => {
                    assert_ne!(self.world.asker, self.world.beneficiary, "seed {seed}");
                    assert!(position + 1 < self.stages.len(), "seed {seed}");
                }
                StageState::Collapsed => assert!(self.collapse, "seed {seed}"),
                other => panic!("approved with a stage {other}; seed {seed}"),
            }
            people.extend(stage.yeses.iter().map(|yes| yes.by));
        }
        assert!(!people.is_empty(), "nobody said yes; seed {seed}");
        if !self.collapse {
            let all = people.len();
            people.sort_unstable();
            people.dedup();
            assert_eq!(people.len(), all, "one human, one vote; seed {seed}");
        }
    }
}

/// What a stage keeps of how it is seated.
fn note(stage: &mut Stage, seating: &Seating) {
    stage.by_subordinates =
        seating.by_subordinates || (stage.by_subordinates && seating.yes_ignored);
}
