//! `[[target]]`: the systems besides the directory of the tenant in which rights are given. Each has a key, a name and a kind,
//! and what its kind needs; its secret stands in a file or in the environment.

mod ldap;

use std::collections::BTreeSet;

use domain::catalogue::TargetKind;
use toml::{Table, Value};

use super::{Fault, Layers};

/// One target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its key, by which the catalogue's files name it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it needs.
    pub settings: TargetSettings,
}

/// What a kind of target needs.
#[derive(Clone, Debug)]
pub enum TargetSettings {
    /// A person who does it.
    Manual,
    /// A directory that speaks LDAP.
    Ldap(Box<provisioner::ldap::Settings>),
}

impl TargetSettings {
    /// What the target speaks.
    pub const fn kind(&self) -> TargetKind {
        match self {
            Self::Manual => TargetKind::Manual,
            Self::Ldap(_) => TargetKind::Ldap,
        }
    }
}

/// The keys that belong to the parts that every target of some kind has.
const COMMON: [&str; 3] = ["key", "name", "kind"];
/// Targets that are there without being configured.
const RESERVED: [&str; 2] = ["entra", "latchkey"];

/// Reads one section; collects its faults, so that one run names them all.
struct Section<'a> {
    table: &'a Table,
    called: String,
    faults: &'a mut Vec<Fault>,
}

/// The targets of the file. What is faulty is left out, and named.
pub(super) fn read(layers: &Layers, faults: &mut Vec<Fault>) -> Vec<Target> {
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for (index, table) in layers.targets().iter().enumerate() {
        let key = table.get("key").and_then(Value::as_str).unwrap_or_default();
        let called = if key.is_empty() {
            format!("target {}", index + 1)
        } else {
            format!("target {key}")
        };
        let mut section = Section {
            table,
            called,
            faults,
        };
        let target = section.target();
        if !key.is_empty() && !seen.insert(key.to_owned()) {
            section.fault("key", "is that of an earlier target: give it another");
        }
        targets.extend(target);
    }
    targets
}

impl Section<'_> {
    fn target(&mut self) -> Option<Target> {
        let key = self.needed("key");
        if let Some(key) = &key {
            let sound = key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !sound || key.len() > 64 {
                self.fault(
                    "key",
                    "may have at most 64 small letters, digits and hyphens",
                );
            }
            if RESERVED.contains(&key.as_str()) {
                self.fault("key", "is taken: the portal has a target of its own by it");
            }
        }
        let name = self.needed("name");
        let kind = self.needed("kind");
        let settings = match kind.as_deref() {
            None => None,
            Some("manual") => {
                self.only(&[]);
                Some(TargetSettings::Manual)
            }
            Some("ldap") => self
                .ldap()
                .map(|settings| TargetSettings::Ldap(Box::new(settings))),
            Some(_) => {
                self.fault("kind", "must be manual or ldap");
                None
            }
        };
        Some(Target {
            key: key?,
            name: name?,
            settings: settings?,
        })
    }

    fn fault(&mut self, key: &str, why: impl Into<String>) {
        self.faults.push(Fault {
            setting: format!("{}.{key}", self.called),
            why: why.into(),
        });
    }

    /// A text; empty if it is not there.
    fn text(&mut self, key: &str) -> String {
        match self.table.get(key) {
            None => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(_) => {
                self.fault(key, "must be of type string");
                String::new()
            }
        }
    }

    fn needed(&mut self, key: &str) -> Option<String> {
        let there = self.table.contains_key(key);
        let text = self.text(key);
        if text.is_empty() && !there {
            self.fault(key, "needed");
        }
        (!text.is_empty()).then_some(text)
    }

    /// Refuses every key that this kind does not know.
    fn only(&mut self, own: &[&str]) {
        let unknown: Vec<String> = self
            .table
            .keys()
            .filter(|key| !COMMON.contains(&key.as_str()) && !own.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            self.fault(&key, "there is no such setting for a target of this kind");
        }
    }
}
