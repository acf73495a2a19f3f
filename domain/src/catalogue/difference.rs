//! How two editions of the catalogue differ, in words, and which differences widen what people may get.
//!
//! Widening needs a second person: more content, fewer or weaker stages, a longer maximum, wider eligibility, permanent
//! newly allowed, a smaller quorum, one person for several stages, asking for others, more holders at once, no ticket where one
//! was needed, lowered protection or risk, a rule removed or weakened, and anything offered anew (else a package under another
//! key would be a way around all of these).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Content, Entitlement, Package, calendar, conflict,
    said::{answer_words, called, eligibility_words, people, route_words, ticket_words},
    say_span,
};
use crate::{
    PersonId,
    asking::Asking,
    drift::Drift,
    policy::{ApproverRule, Condition, Limits, Quorum, SilenceEnd, StageRule},
    words,
};

words! {
    /// What happened to a part of the catalogue.
    pub enum ChangeKind {
        /// It is new.
        Added = "added",
        /// It is different.
        Changed = "changed",
        /// It is no longer there.
        Removed = "removed",
    }
}

words! {
    /// Which part of the catalogue.
    pub enum Thing {
        /// An application.
        Application = "application",
        /// An entitlement.
        Entitlement = "entitlement",
        /// A package.
        Package = "package",
        /// A separation-of-duties rule.
        Conflict = "conflict",
        /// When people of a country work.
        Calendar = "calendar",
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Which field, as the files call it.
    pub field: String,
    /// What it was; empty for something new.
    pub before: String,
    /// What it becomes; empty for something removed.
    pub after: String,
}

/// One application, entitlement or package that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happened to it.
    pub kind: ChangeKind,
    /// What it is.
    pub thing: Thing,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Field by field.
    pub fields: Vec<FieldChange>,
    /// What it does to people, in sentences with numbers.
    pub effect: Vec<String>,
    /// Why it widens; empty if it does not.
    pub widens: Vec<String>,
}

/// How two editions differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Part by part: applications, entitlements, packages, rules, each by key.
    pub changes: Vec<Change>,
}

impl Difference {
    /// Whether the editions are the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a second person must confirm.
    pub fn widens(&self) -> bool {
        self.changes.iter().any(|change| !change.widens.is_empty())
    }

    /// Every reason why it widens, with the name of the part that does.
    pub fn reasons(&self) -> Vec<String> {
        self.changes
            .iter()
            .flat_map(|change| {
                change
                    .widens
                    .iter()
                    .map(|why| format!("{}: {why}", change.name))
            })
            .collect()
    }
}

/// What comparing needs to know besides the two editions.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How many people hold a package now, by key.
    pub holders: BTreeMap<String, u64>,
    /// Names of the people that policies mention.
    pub names: BTreeMap<PersonId, String>,
    /// Names of the groups that policies mention, by object id.
    pub groups: BTreeMap<Uuid, String>,
}

/// Compares two editions.
pub fn compare(before: &Content, after: &Content, facts: &Facts) -> Difference {
    let mut changes = Vec::new();
    pairs(
        &before.applications,
        &after.applications,
        |key, old, new| {
            let named = new.or(old).map_or("", |one| &one.name);
            let mut fields = Fields::default();
            fields.add("name", old.map(|a| &a.name), new.map(|a| &a.name));
            fields.add("summary", old.map(|a| &a.summary), new.map(|a| &a.summary));
            fields.add("url", old.map(|a| &a.url), new.map(|a| &a.url));
            fields.add(
                "initials",
                old.map(|a| &a.initials),
                new.map(|a| &a.initials),
            );
            fields.add("tint", old.map(|a| &a.tint), new.map(|a| &a.tint));
            let kind = kind(old.is_some(), new.is_some());
            push(&mut changes, kind, Thing::Application, key, named, fields);
        },
    );
    pairs(
        &before.entitlements,
        &after.entitlements,
        |key, old, new| {
            let named = new.or(old).map_or("", |one| &one.name);
            let kind = kind(old.is_some(), new.is_some());
            let fields = entitlement_fields(old, new, facts);
            if let Some(change) = push(&mut changes, kind, Thing::Entitlement, key, named, fields)
                && let (Some(old), Some(new)) = (old, new)
            {
                change.widens = entitlement_widens(old, new);
                if new.owner.is_some()
                    && new.owner != old.owner
                    && owner_decides(before, key)
                    && owner_decides(after, key)
                {
                    change
                        .widens
                        .push("somebody else may decide, as its owner".to_owned());
                }
            }
        },
    );
    pairs(&before.packages, &after.packages, |key, old, new| {
        let named = new.or(old).map_or("", |one| &one.name);
        let kind = kind(old.is_some(), new.is_some());
        let fields = package_fields((before, old), (after, new), facts);
        if let Some(change) = push(&mut changes, kind, Thing::Package, key, named, fields) {
            let held = facts.holders.get(key).copied().unwrap_or(0);
            change.effect = effect((before, old), (after, new), held);
            change.widens = match (old, new) {
                (Some(old), Some(new)) => package_widens((before, old), (after, new)),
                (None, Some(new)) => vec![offered_anew(after, new)],
                (_, None) => Vec::new(),
            };
        }
    });
    pairs(&before.conflicts, &after.conflicts, |key, old, new| {
        let named = new.or(old).map_or("", |one| &one.name);
        let kind = kind(old.is_some(), new.is_some());
        let fields = conflict::fields(old, new, |id| called(id, facts));
        if let Some(change) = push(&mut changes, kind, Thing::Conflict, key, named, fields) {
            change.widens = conflict::widens(old, new);
        }
    });
    pairs(&before.calendars, &after.calendars, |country, old, new| {
        let kind = kind(old.is_some(), new.is_some());
        let fields = calendar::fields(old, new);
        push(
            &mut changes,
            kind,
            Thing::Calendar,
            country,
            country,
            fields,
        );
    });
    Difference { changes }
}

fn pairs<'a, T>(
    before: &'a BTreeMap<String, T>,
    after: &'a BTreeMap<String, T>,
    mut each: impl FnMut(&'a str, Option<&'a T>, Option<&'a T>),
) {
    let keys: BTreeSet<&str> = before
        .keys()
        .chain(after.keys())
        .map(String::as_str)
        .collect();
    for key in keys {
        each(key, before.get(key), after.get(key));
    }
}

const fn kind(was: bool, is: bool) -> ChangeKind {
    match (was, is) {
        (false, _) => ChangeKind::Added,
        (true, true) => ChangeKind::Changed,
        (true, false) => ChangeKind::Removed,
    }
}

/// Notes a change, unless the part stayed as it is.
fn push<'a>(
    changes: &'a mut Vec<Change>,
    kind: ChangeKind,
    thing: Thing,
    key: &str,
    name: &str,
    fields: Fields,
) -> Option<&'a mut Change> {
    if kind == ChangeKind::Changed && fields.0.is_empty() {
        return None;
    }
    changes.push(Change {
        kind,
        thing,
        key: key.to_owned(),
        name: name.to_owned(),
        fields: fields.0,
        effect: Vec::new(),
        widens: Vec::new(),
    });
    changes.last_mut()
}

#[derive(Default)]
pub(super) struct Fields(Vec<FieldChange>);

impl Fields {
    pub(super) fn add<T: ToString>(&mut self, field: &str, before: Option<T>, after: Option<T>) {
        let text = |value: Option<T>| value.map(|value| value.to_string()).unwrap_or_default();
        let (before, after) = (text(before), text(after));
        if before != after {
            self.0.push(FieldChange {
                field: field.to_owned(),
                before,
                after,
            });
        }
    }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn entitlement_fields(
    old: Option<&Entitlement>,
    new: Option<&Entitlement>,
    facts: &Facts,
) -> Fields {
    let mut fields = Fields::default();
    let mut add = |field: &str, of: &dyn Fn(&Entitlement) -> String| {
        fields.add(field, old.map(of), new.map(of));
    };
    add("application", &|e| e.application.clone());
    add("right", &|e| {
        let at = e
            .right
            .target()
            .map_or(String::new(), |target| format!(" at {target}"));
        format!("{} {}{at}", e.right.kind(), e.right.external_id())
    });
    add("name", &|e| e.name.clone());
    add("summary", &|e| e.summary.clone());
    add("privileged", &|e| yes_no(e.privileged).to_owned());
    add("control_scope", &|e| {
        e.control_scope.clone().unwrap_or_default()
    });
    add("effective_within", &|e| {
        if e.effective_within_seconds == 0 {
            String::new()
        } else {
            say_span(e.effective_within_seconds)
        }
    });
    add("owner", &|e| {
        e.owner.map(|id| called(id, facts)).unwrap_or_default()
    });
    add("drift", &|e| match e.drift {
        Drift::Report => String::new(),
        other => other.to_string(),
    });
    add("instructions", &|e| e.instructions.clone());
    add("due_within", &|e| {
        if e.due_within_seconds == 0 {
            String::new()
        } else {
            say_span(e.due_within_seconds)
        }
    });
    fields
}

fn entitlement_widens(old: &Entitlement, new: &Entitlement) -> Vec<String> {
    let mut why = Vec::new();
    if old.privileged && !new.privileged {
        why.push("it is no longer protected as privileged".to_owned());
    }
    if let Some(scope) = &old.control_scope
        && new.control_scope.as_ref() != Some(scope)
    {
        why.push(format!("it no longer falls under {scope}"));
    }
    if old.drift != Drift::Adopt && new.drift == Drift::Adopt {
        why.push("what somebody gives out of band stays from now on".to_owned());
    }
    if !old.instructions.is_empty() && old.instructions != new.instructions {
        why.push("who does it by hand is told to do something else".to_owned());
    }
    why
}

/// Whether whoever owns this right decides on a package that contains it.
fn owner_decides(content: &Content, key: &str) -> bool {
    content.packages.values().any(|package| {
        let asked = |stage: &StageRule| {
            stage.approvers == ApproverRule::EntitlementOwner
                || stage.fallback.contains(&ApproverRule::EntitlementOwner)
        };
        package.entitlements.contains(key) && package.policy.route.iter().any(asked)
    })
}

type Edition<'a> = (&'a Content, Option<&'a Package>);

fn package_fields(before: Edition<'_>, after: Edition<'_>, facts: &Facts) -> Fields {
    let mut fields = Fields::default();
    let mut add = |field: &str, of: &dyn Fn(&Content, &Package) -> String| {
        fields.add(
            field,
            before.1.map(|package| of(before.0, package)),
            after.1.map(|package| of(after.0, package)),
        );
    };
    add("application", &|_, p| p.application.clone());
    add("name", &|_, p| p.name.clone());
    add("summary", &|_, p| p.summary.clone());
    add("opens", &|_, p| p.opens.join(" "));
    add("entitlements", &|content, p| content_words(content, p));
    add("owners", &|_, p| people(p.owners.iter(), facts));
    add("synonyms", &|_, p| p.synonyms.join(", "));
    add("eligibility", &|_, p| {
        eligibility_words(&p.policy.eligibility)
    });
    add("cedar", &|_, p| p.policy.cedar.clone());
    add("route", &|_, p| route_words(&p.policy.route, facts));
    add("collapse", &|_, p| yes_no(p.policy.collapse).to_owned());
    let mut limit = |field: &str, of: &dyn Fn(&Limits) -> i64| {
        add(field, &|_, p| say_span(of(&p.policy.limits)));
    };
    limit("default", &|l| l.default_seconds);
    limit("longest", &|l| l.longest_seconds);
    limit("continuous", &|l| l.continuous_seconds);
    limit("furthest_start", &|l| l.furthest_start_seconds);
    limit("pending", &|l| l.pending_seconds);
    add("risk", &|_, p| p.policy.risk.level.to_string());
    add("auto_approve_below", &|_, p| {
        let below = p.policy.risk.auto_approve_below;
        below.map(|points| points.to_string()).unwrap_or_default()
    });
    add("step_up", &|_, p| yes_no(p.policy.risk.step_up).to_owned());
    add("permanent", &|_, p| {
        yes_no(p.policy.limits.permanent).to_owned()
    });
    add("questions", &|_, p| {
        let said = p.policy.questions.iter().map(|question| {
            let must = if question.required { "" } else { " (optional)" };
            let choices = if question.choices.is_empty() {
                String::new()
            } else {
                format!(" [{}]", question.choices.join(" | "))
            };
            format!("{}{choices}{must}{}", question.ask, answer_words(question))
        });
        said.collect::<Vec<_>>().join(" ")
    });
    add("for_others", &|_, p| p.policy.asking.for_others.to_string());
    add("most_holders", &|_, p| {
        p.policy
            .asking
            .most_holders
            .map(|most| most.to_string())
            .unwrap_or_default()
    });
    add("ticket", &|_, p| {
        p.policy
            .asking
            .ticket
            .as_ref()
            .map(ticket_words)
            .unwrap_or_default()
    });
    add("break_glass", &|_, p| {
        let rule = p.policy.asking.break_glass;
        rule.map(|rule| format!("{} uses a week", rule.uses_per_week))
            .unwrap_or_default()
    });
    fields
}

fn content_words(content: &Content, package: &Package) -> String {
    let said = package.entitlements.iter().map(|key| {
        content.entitlements.get(key).map_or_else(
            || key.clone(),
            |part| format!("{key} ({})", part.right.external_id()),
        )
    });
    said.collect::<Vec<_>>().join(", ")
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn effect(before: Edition<'_>, after: Edition<'_>, held: u64) -> Vec<String> {
    let people = count(held, "person holds it", "people hold it");
    match (before.1, after.1) {
        (Some(_), None) => vec![format!(
            "No longer offered; waiting requests are withdrawn. {people}, each until the end that was granted."
        )],
        (Some(old), Some(new)) => {
            let (was, is) = (before.0.rights(old), after.0.rights(new));
            let gone = was.difference(&is).count() as u64;
            let more = is.difference(&was).count() as u64;
            let mut said = Vec::new();
            if gone > 0 {
                let rights = count(gone, "entitlement", "entitlements");
                said.push(format!("{people} and lose {rights} at once."));
            }
            if more > 0 {
                let rights = count(more, "entitlement", "entitlements");
                said.push(format!(
                    "{people} and do not get the {rights} added; new requests do."
                ));
            }
            if said.is_empty() && held > 0 {
                said.push(format!(
                    "{people}, unchanged until the end that was granted."
                ));
            }
            said
        }
        (None, _) => Vec::new(),
    }
}

fn offered_anew(content: &Content, package: &Package) -> String {
    let rights = count(
        package.entitlements.len() as u64,
        "entitlement",
        "entitlements",
    );
    let mut why = format!("it is offered anew, with {rights}");
    if content.privileged(package) {
        why.push_str(", privileged");
    }
    if package.policy.route.is_empty() {
        why.push_str(", approved by policy alone");
    }
    why
}

fn package_widens(before: (&Content, &Package), after: (&Content, &Package)) -> Vec<String> {
    let (old, new) = (before.1, after.1);
    let mut why = Vec::new();
    let added = after
        .0
        .rights(new)
        .difference(&before.0.rights(old))
        .count() as u64;
    if added > 0 {
        why.push(format!(
            "it opens more: {}",
            count(added, "entitlement", "entitlements")
        ));
    }
    if let Some(reason) = weaker_route(&old.policy.route, &new.policy.route) {
        why.push(reason);
    }
    let decides = |package: &Package| {
        package
            .policy
            .route
            .iter()
            .any(|stage| stage.approvers == ApproverRule::PackageOwner)
    };
    let owners = new.owners.difference(&old.owners).count() as u64;
    if owners > 0 && decides(new) && decides(old) {
        why.push(format!(
            "{} as its owner",
            count(owners, "more person may decide", "more people may decide")
        ));
    }
    if new.policy.collapse && !old.policy.collapse {
        why.push("one person may decide several stages".to_owned());
    }
    if new.policy.risk.level < old.policy.risk.level {
        why.push("it counts as less of a risk".to_owned());
    }
    if new.policy.risk.auto_approve_below > old.policy.risk.auto_approve_below {
        why.push("more of it is approved by policy alone".to_owned());
    }
    if old.policy.risk.step_up && !new.policy.risk.step_up {
        why.push("a yes no longer wants a fresh sign-in in any case".to_owned());
    }
    let (was, is) = (&old.policy.limits, &new.policy.limits);
    if is.longest_seconds > was.longest_seconds {
        why.push(format!(
            "the longest time grows from {} to {}",
            say_span(was.longest_seconds),
            say_span(is.longest_seconds)
        ));
    }
    if is.continuous_seconds > was.continuous_seconds && !is.permanent {
        why.push(format!(
            "the longest time without a break grows from {} to {}",
            say_span(was.continuous_seconds),
            say_span(is.continuous_seconds)
        ));
    }
    if is.permanent && !was.permanent {
        why.push("it may be held without end".to_owned());
    }
    let (asked, asks) = (&old.policy.asking, &new.policy.asking);
    if asks.for_others > asked.for_others {
        why.push(format!(
            "it may be asked for others: {} instead of {}",
            asks.for_others, asked.for_others
        ));
    }
    let seats = |asking: &Asking| asking.most_holders.unwrap_or(u32::MAX);
    if seats(asks) > seats(asked) {
        why.push(asks.most_holders.map_or_else(
            || "as many as like may hold it at once".to_owned(),
            |most| format!("{most} people may hold it at once"),
        ));
    }
    let uses = |asking: &Asking| asking.break_glass.map_or(0, |rule| rule.uses_per_week);
    if uses(asked) == 0 && uses(asks) > 0 {
        why.push("it is given without asking anybody before (break-glass)".to_owned());
    } else if uses(asks) > uses(asked) {
        why.push(format!(
            "break-glass may be used {} times a week",
            uses(asks)
        ));
    }
    if asked.ticket.as_ref().is_some_and(|ticket| ticket.required)
        && !asks.ticket.as_ref().is_some_and(|ticket| ticket.required)
    {
        why.push("it needs no ticket any more".to_owned());
    }
    if !narrower(&old.policy.eligibility, &new.policy.eligibility) {
        why.push("more people may ask for it".to_owned());
    }
    // Of a text nobody can tell: only what stands behind it, unchanged, takes nothing back.
    if !new.policy.cedar.starts_with(&old.policy.cedar) {
        why.push("what is forbidden in Cedar is not the same".to_owned());
    }
    why
}

/// Whether everybody who meets `new` meets `old`, as far as the conditions themselves prove it: for each old condition
/// there is a new one on the same attribute that allows no value more.
fn narrower(old: &[Condition], new: &[Condition]) -> bool {
    let folded = |list: &[String]| -> BTreeSet<String> {
        list.iter().map(|value| value.to_lowercase()).collect()
    };
    old.iter().all(|was| {
        let (was_any, was_none) = (folded(&was.any_of), folded(&was.none_of));
        if was_any.is_empty() && was_none.is_empty() {
            // Nobody met it; only the same condition keeps it so.
            return new.iter().any(|is| {
                is.attribute == was.attribute && is.any_of.is_empty() && is.none_of.is_empty()
            });
        }
        new.iter()
            .filter(|is| is.attribute == was.attribute)
            .any(|is| {
                let (is_any, is_none) = (folded(&is.any_of), folded(&is.none_of));
                if is_any.is_empty() && is_none.is_empty() {
                    return true;
                }
                let within =
                    was_any.is_empty() || (!is_any.is_empty() && is_any.is_subset(&was_any));
                let without = was_none.iter().all(|value| {
                    is_none.contains(value) || (!is_any.is_empty() && !is_any.contains(value))
                });
                within && without
            })
    })
}

/// Why the new route is weaker, if it is: each old stage must find, in order, a new one at least as strict.
fn weaker_route(old: &[StageRule], new: &[StageRule]) -> Option<String> {
    let mut rest = new.iter();
    let kept = old.iter().all(|was| rest.any(|is| as_strict(was, is)));
    if kept {
        return None;
    }
    Some(if new.is_empty() {
        "nobody decides any more: it is approved by policy alone".to_owned()
    } else if new.len() < old.len() {
        format!(
            "fewer stages decide: {} instead of {}",
            new.len(),
            old.len()
        )
    } else {
        "other people decide, or fewer must agree".to_owned()
    })
}

fn as_strict(was: &StageRule, is: &StageRule) -> bool {
    let people = was.approvers != ApproverRule::Named
        || is.named.iter().all(|person| was.named.contains(person));
    let quorum = match (was.quorum, is.quorum) {
        // Everybody of fewer people may be fewer: only the same people count as all.
        (Quorum::All, Quorum::All) => was.named.iter().all(|person| is.named.contains(person)),
        (Quorum::All, Quorum::Count(_)) => false,
        (Quorum::Count(was), Quorum::Count(is)) => is.max(1) >= was.max(1),
        (Quorum::Count(was), Quorum::All) => was <= 1 || is.named.len() >= usize::from(was),
    };
    let fallback = is.fallback.iter().all(|rule| was.fallback.contains(rule));
    // Sooner, or at all, others may decide as well.
    let escalation = match (was.escalate_after, is.escalate_after) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(was), Some(is)) => was == is,
    };
    // Passed on, one stage fewer decides; otherwise a silence only ends a request.
    let passes_on = |stage: &StageRule| {
        stage
            .silence
            .filter(|silence| silence.end == SilenceEnd::PassOn)
    };
    let silence = match (passes_on(was), passes_on(is)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(was), Some(is)) => was == is,
    };
    was.approvers == is.approvers
        && was.role == is.role
        && was.group == is.group
        && people
        && quorum
        && fallback
        && escalation
        && silence
}

#[cfg(test)]
#[path = "difference_tests.rs"]
mod tests;
