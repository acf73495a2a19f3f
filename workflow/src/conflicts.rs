//! Separation of duties when access is asked for, approved and begun: which rules somebody would break, and whether an
//! exception covers it. `findings` looks at what stands.
//!
//! Two asks may be in flight at once: the caller holds the person's lock before this reads what they hold, so that of two
//! sides that are approved in the same instant the second sees the first.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ConflictId, EntitlementId, GrantId, LineId, PersonId, Timestamp,
    conflict::{Breach, Rule, Severity, Side, breaches},
    exception::ExceptionState,
    grant::{End, activation, plus},
    request::{Length, Window},
};
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    conflicts::{ConflictRightRow, ConflictRow, HeldRightRow},
    offers::OfferedRow,
};

use crate::{Result, powers};

/// A rule that an ask breaks, in the words that its asker and its deciders read. Kept with the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// The rule.
    pub rule: ConflictId,
    /// What it is called.
    pub name: String,
    /// Why one person must not hold both.
    pub explain: String,
    /// How bad it is.
    pub severity: Severity,
    /// What the person holds on the other side: names of packages, or of rights found at a target.
    pub held: Vec<String>,
    /// What is asked for them on the other side and not decided yet: names of packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// Whether a live exception covers it.
    pub covered: bool,
}

/// What would be added to what a person holds.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    /// Whose.
    pub person: PersonId,
    /// The rights.
    pub rights: Vec<EntitlementId>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: End,
    /// A grant of theirs that is not held beside it: the one that begins or is extended.
    pub except: Option<GrantId>,
    /// Whether it was read with the rights that it does not matter what else is held beside any of them
    /// ([`OfferedRow::watched`]).
    pub plain: bool,
}

impl Added {
    /// What an ask over `window` would add if it were approved at `now`.
    pub(crate) fn asked(
        person: PersonId,
        parts: &[OfferedRow],
        window: Window,
        now: Timestamp,
    ) -> Self {
        let from = activation(window, now);
        let until = match window.length {
            Length::Seconds(seconds) => End::At(plus(from, seconds)),
            Length::Until(at) => End::At(at),
            Length::Permanent => End::Permanent,
        };
        Self {
            person,
            rights: parts.iter().map(|part| part.id).collect(),
            from,
            until,
            except: None,
            plain: !parts.iter().any(|part| part.watched),
        }
    }

    /// Whether a grant is held while this would be.
    pub(crate) fn meets(&self, held: &HeldRightRow) -> bool {
        let begins_before_the_end = match self.until {
            End::At(until) => held.valid_from < until,
            End::Permanent => true,
        };
        begins_before_the_end
            && held.end_at.is_none_or(|end| end > self.from)
            && Some(held.grant_id) != self.except
    }
}

/// The rules that this would break, worst first.
pub(crate) async fn of(tx: &mut Tx, added: &Added, now: Timestamp) -> Result<Vec<Clash>> {
    clashes(tx, added, Besides::Nothing, now).await
}

/// As [`of`], and together with what else is asked for the person, apart from the line itself: of two asks in flight each is
/// told of the other.
pub(crate) async fn with_asked(
    tx: &mut Tx,
    added: &Added,
    line: Option<LineId>,
    now: Timestamp,
) -> Result<Vec<Clash>> {
    clashes(tx, added, Besides::Asked(line), now).await
}

/// What counts besides what is held.
#[derive(Clone, Copy)]
enum Besides {
    Nothing,
    /// What is asked for as well, apart from this line.
    Asked(Option<LineId>),
}

async fn clashes(
    tx: &mut Tx,
    added: &Added,
    besides: Besides,
    now: Timestamp,
) -> Result<Vec<Clash>> {
    if added.plain {
        return Ok(Vec::new());
    }
    let rules = tx.rules_about(&added.rights).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let held: Vec<HeldRightRow> = tx
        .held_rights(&[added.person], now)
        .await?
        .into_iter()
        .filter(|row| added.meets(row))
        .collect();
    let asked = match besides {
        Besides::Asked(line) => tx.asked_rights(added.person, line).await?,
        Besides::Nothing => Vec::new(),
    };
    let held: Vec<Way> = held
        .iter()
        .map(|row| (row.entitlement_id, way(row, &rules)))
        .collect();
    let asked: Vec<Way> = asked
        .into_iter()
        .map(|row| (row.entitlement_id, row.package_name))
        .collect();
    let holds: BTreeSet<EntitlementId> = held.iter().chain(&asked).map(|way| way.0).collect();
    let gets: BTreeSet<EntitlementId> = added.rights.iter().copied().collect();
    let found = breaches(&rules_of(&rules), &holds, &gets);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let covered = covered(tx, added.person, now).await?;
    let mut clashes = Vec::with_capacity(found.len());
    for breach in found {
        let Some(row) = tx.conflict(breach.rule).await? else {
            continue;
        };
        clashes.push(Clash {
            rule: breach.rule,
            name: row.name,
            explain: row.explain,
            severity: row.severity,
            held: across(&breach, &gets, &held),
            asked: across(&breach, &gets, &asked),
            covered: covered.contains(&breach.rule),
        });
    }
    clashes.sort_by(|one, two| (two.severity, &one.name).cmp(&(one.severity, &two.name)));
    Ok(clashes)
}

/// The rules that the asks of one cart would break with each other, each about one person: the two positions, and the rule.
pub(crate) async fn among(
    tx: &mut Tx,
    asks: &[(PersonId, Vec<EntitlementId>)],
) -> Result<Vec<(usize, usize, ConflictRow)>> {
    let all: BTreeSet<EntitlementId> = asks.iter().flat_map(|ask| ask.1.iter().copied()).collect();
    let rights = tx.rules_about(&all.into_iter().collect::<Vec<_>>()).await?;
    let rules = rules_of(&rights);
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let set = |ask: &(PersonId, Vec<EntitlementId>)| ask.1.iter().copied().collect();
    let mut found = Vec::new();
    for (first, one) in asks.iter().enumerate() {
        for (second, other) in asks.iter().enumerate().skip(first + 1) {
            if one.0 != other.0 {
                continue;
            }
            for breach in breaches(&rules, &set(one), &set(other)) {
                if breach.stands {
                    continue;
                }
                if let Some(rule) = tx.conflict(breach.rule).await? {
                    found.push((first, second, rule));
                }
            }
        }
    }
    Ok(found)
}

/// What stands against giving something.
#[derive(Clone, Debug)]
pub(crate) enum Against {
    /// Portal roles that exclude each other, in words: nothing makes that right.
    Roles(String),
    /// Rules that no exception covers yet, worst first.
    Rules(Vec<Clash>),
}

/// What stands against giving something, if anything does.
pub(crate) async fn against(tx: &mut Tx, added: &Added, now: Timestamp) -> Result<Option<Against>> {
    if let Some((one, other)) = powers::against(tx, added, now).await? {
        return Ok(Some(Against::Roles(format!(
            "the portal roles {} and {} exclude each other",
            one.name(),
            other.name()
        ))));
    }
    let mut clashes = of(tx, added, now).await?;
    clashes.retain(|clash| !clash.covered);
    Ok((!clashes.is_empty()).then_some(Against::Rules(clashes)))
}

/// Why nothing may be given, if portal roles exclude each other or a rule is broken that no exception covers: in words,
/// for the log and for the asker.
pub(crate) async fn stands_against(
    tx: &mut Tx,
    added: &Added,
    now: Timestamp,
) -> Result<Option<String>> {
    Ok(against(tx, added, now).await?.map(|against| match against {
        Against::Roles(why) => why,
        Against::Rules(clashes) => clashes.first().map_or_else(String::new, Clash::uncovered),
    }))
}

impl Clash {
    /// That it stands in the way, in words for the log and for the asker.
    pub(crate) fn uncovered(&self) -> String {
        format!(
            "it breaks the rule “{}” and no exception covers it",
            self.name
        )
    }
}

/// The rules that live exceptions of a person cover now.
async fn covered(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<BTreeSet<ConflictId>> {
    Ok(tx
        .open_exceptions_of(&[person])
        .await?
        .into_iter()
        .filter(|row| row.state == ExceptionState::Live && row.ends_at > now)
        .map(|row| row.conflict_id)
        .collect())
}

/// The rules as `domain` knows them, from the rows of their rights.
pub(crate) fn rules_of(rows: &[ConflictRightRow]) -> Vec<Rule> {
    let mut rules: BTreeMap<ConflictId, BTreeMap<EntitlementId, Side>> = BTreeMap::new();
    for row in rows {
        rules
            .entry(row.conflict_id)
            .or_default()
            .insert(row.entitlement_id, row.side);
    }
    rules
        .into_iter()
        .map(|(id, sides)| Rule { id, sides })
        .collect()
}

/// A right, and by what it is held or asked for, in words.
type Way = (EntitlementId, String);

/// What there is on the side that the added rights are not on. Of a rule that they have on both sides: all that there is.
fn across(breach: &Breach, gets: &BTreeSet<EntitlementId>, ways: &[Way]) -> Vec<String> {
    let adds = |side: Side| !breach.side(side).is_disjoint(gets);
    let (left, right) = (!adds(Side::Left), !adds(Side::Right));
    let counts = |way: &&Way| {
        let on = |side: Side| breach.side(side).contains(&way.0);
        (on(Side::Left) && (left || !right)) || (on(Side::Right) && (right || !left))
    };
    let mut names: Vec<String> = ways
        .iter()
        .filter(counts)
        .map(|way| way.1.clone())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A way of holding in words: the package's name, or the right's where it was found at a target.
pub(crate) fn way(row: &HeldRightRow, rules: &[ConflictRightRow]) -> String {
    if row.package_id.is_some() {
        return row.package_name.clone();
    }
    let named = rules
        .iter()
        .find(|right| right.entitlement_id == row.entitlement_id);
    named.map_or_else(
        || row.entitlement_id.to_string(),
        |right| right.name.clone(),
    )
}
