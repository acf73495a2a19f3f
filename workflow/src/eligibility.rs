//! Who may ask for what: the policies of a package, read once and kept.
//!
//! The question itself is `domain`'s; reading a package's Cedar takes longer than answering, and lists ask for many packages.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use domain::{
    eligibility::{FAILED, Rules, text},
    person::Person,
    policy::Policy,
};

/// So many packages' rules are kept; then all are read again.
const MOST: usize = 4096;

/// What was read, by everything that it was read from.
static READ: LazyLock<Mutex<HashMap<String, Option<Arc<Rules>>>>> = LazyLock::new(Mutex::default);

/// Why `beneficiary` may not have what this policy gives when `asker` asks, in the policy's own words; empty: they may.
///
/// Rules that cannot be read forbid it to everybody.
pub fn unmet(policy: &Policy, beneficiary: &Person, asker: &Person) -> Vec<String> {
    if policy.eligibility.is_empty() && policy.cedar.trim().is_empty() {
        return Vec::new();
    }
    match rules(policy) {
        Some(rules) => rules.unmet(beneficiary, asker),
        None => vec![FAILED.to_owned()],
    }
}

/// Every condition of a policy in its own words, in order, and whether `person` meets it when asking for themselves.
pub fn conditions(policy: &Policy, person: &Person) -> Vec<(String, bool)> {
    let unmet = unmet(policy, person, person);
    let explained = rules(policy).map_or_else(Vec::new, |rules| rules.explained());
    if explained.is_empty() {
        return unmet.into_iter().map(|explain| (explain, false)).collect();
    }
    let failed = unmet.iter().any(|why| why == FAILED);
    explained
        .into_iter()
        .map(|explain| {
            let met = !failed && !unmet.contains(&explain);
            (explain, met)
        })
        .collect()
}

fn rules(policy: &Policy) -> Option<Arc<Rules>> {
    let about = &policy.about;
    let key = format!(
        "{}|{}|{}|{}\n{}",
        about.key,
        about.application,
        about.privileged,
        about.control_scope,
        text(&policy.eligibility, &policy.cedar)
    );
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rules) = read.get(&key) {
        return rules.clone();
    }
    let rules = match Rules::read(policy) {
        Ok(rules) => Some(Arc::new(rules)),
        Err(faults) => {
            tracing::error!(
                package = about.key,
                ?faults,
                "the rules of a package cannot be read: nobody may ask for it"
            );
            None
        }
    };
    if read.len() >= MOST {
        read.clear();
    }
    read.insert(key, rules.clone());
    rules
}
