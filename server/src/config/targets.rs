//! `[[target]]`: the systems besides the directory of the tenant in which rights are given. Each has a key, a name and a kind,
//! and what its kind needs; its secret stands in a file or in the environment.

mod ldap;

use std::{collections::BTreeSet, fs};

use domain::catalogue::TargetKind;
use provisioner::{
    scim::{Leaver, MatchBy},
    webhook,
};
use toml::{Table, Value};

use super::{Fault, Layers, Secret, check};

/// One target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its key, by which the catalogue's files name it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Whether it is only looked at: nothing is written there.
    pub shadow: bool,
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
    /// A SCIM server.
    Scim {
        /// Its base address, without a slash at the end.
        address: String,
        /// The bearer token.
        token: Secret,
        /// What happens to the accounts of those who left.
        leaver: Leaver,
        /// By what accounts are found.
        match_by: MatchBy,
    },
    /// The receiver of a webhook.
    Webhook {
        /// The one address that is called.
        address: String,
        /// What both sides sign with.
        secret: webhook::Secret,
    },
}

impl TargetSettings {
    /// What the target speaks.
    pub const fn kind(&self) -> TargetKind {
        match self {
            Self::Manual => TargetKind::Manual,
            Self::Ldap(_) => TargetKind::Ldap,
            Self::Scim { .. } => TargetKind::Scim,
            Self::Webhook { .. } => TargetKind::Webhook,
        }
    }
}

/// The keys that belong to the parts that every target of some kind has.
const COMMON: [&str; 4] = ["key", "name", "kind", "mode"];
/// Targets that are there without being configured.
const RESERVED: [&str; 2] = ["entra", "latchkey"];

/// What a mode that is none is told.
pub(super) const MODES: &str = "must be live or shadow";

/// Whether a target of this mode is only looked at; none if there is no such mode.
pub(super) fn is_shadow(mode: &str) -> Option<bool> {
    match mode {
        "" | "live" => Some(false),
        "shadow" => Some(true),
        _ => None,
    }
}

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
        let target = section.target(layers);
        if !key.is_empty() && !seen.insert(key.to_owned()) {
            section.fault("key", "is that of an earlier target: give it another");
        }
        targets.extend(target);
    }
    targets
}

impl Section<'_> {
    fn target(&mut self, layers: &Layers) -> Option<Target> {
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
        let mode = self.text("mode");
        let shadow = is_shadow(&mode);
        if shadow.is_none() {
            self.fault("mode", MODES);
        }
        let settings = match kind.as_deref() {
            None => None,
            Some("manual") => {
                self.only(&[]);
                Some(TargetSettings::Manual)
            }
            Some("ldap") => self
                .ldap()
                .map(|settings| TargetSettings::Ldap(Box::new(settings))),
            Some("scim") => self.scim(layers),
            Some("webhook") => self.webhook(layers),
            Some(_) => {
                self.fault("kind", "must be ldap, scim, webhook or manual");
                None
            }
        };
        Some(Target {
            key: key?,
            name: name?,
            shadow: shadow?,
            settings: settings?,
        })
    }

    fn scim(&mut self, layers: &Layers) -> Option<TargetSettings> {
        self.only(&["address", "secret_file", "leaver", "match_by"]);
        let address = self.address();
        let token = self.secret(layers);
        let leaver = match self.text("leaver").as_str() {
            "" | "deactivate" => Some(Leaver::Deactivate),
            "delete" => Some(Leaver::Delete),
            "keep" => Some(Leaver::Keep),
            _ => {
                self.fault("leaver", "must be deactivate, delete or keep");
                None
            }
        };
        let match_by = match self.text("match_by").as_str() {
            "" | "external_id" => Some(MatchBy::ExternalId),
            "user_name" => Some(MatchBy::UserName),
            _ => {
                self.fault("match_by", "must be external_id or user_name");
                None
            }
        };
        Some(TargetSettings::Scim {
            address: address?,
            token: token?,
            leaver: leaver?,
            match_by: match_by?,
        })
    }

    fn webhook(&mut self, layers: &Layers) -> Option<TargetSettings> {
        self.only(&["address", "secret_file"]);
        let address = self.address();
        let secret = self.secret(layers);
        let secret = match webhook::Secret::read(secret?.expose()) {
            Ok(secret) => Some(secret),
            Err(why) => {
                self.fault("secret_file", why);
                None
            }
        };
        Some(TargetSettings::Webhook {
            address: address?,
            secret: secret?,
        })
    }

    fn address(&mut self) -> Option<String> {
        let address = self.needed("address")?;
        if let Some(why) = check::unfit_address(&address) {
            self.fault("address", why);
            return None;
        }
        Some(address.trim_end_matches('/').to_owned())
    }

    /// The secret: from the file that is named, or from the environment.
    fn secret(&mut self, layers: &Layers) -> Option<Secret> {
        let path = self.text("secret_file");
        let key = self.text("key");
        let text = match layers.target_secret(&key) {
            Some(text) => text.to_owned(),
            None if path.is_empty() => {
                let variable = key.replace('-', "_").to_uppercase();
                self.fault(
                    "secret_file",
                    format!("needed, or LATCHKEY_TARGET__{variable}__SECRET in the environment"),
                );
                return None;
            }
            None => match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    self.fault("secret_file", format!("{path} cannot be read: {error}"));
                    return None;
                }
            },
        };
        let text = text.trim_end();
        if text.is_empty() {
            self.fault("secret_file", "the secret is empty");
            return None;
        }
        Some(text.to_owned().into())
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
