//! The layers, merged key by key. The defaults list every key and fix its type, so that a misspelt key or a value of the
//! wrong type is a fault with a name, whichever layer it comes from.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write, fs, path::Path};

use toml::{Table, Value};

use super::{DEFAULTS, Fault};

/// Settings that are never shown.
const SECRETS: [(&str, &str); 6] = [
    ("database", "url"),
    ("sign_in", "client_secret"),
    ("graph", "client_secret"),
    ("mail", "smtp_url"),
    ("chat", "teams_url"),
    ("chat", "slack_url"),
];

/// Settings of a target that are shown; everything else may have been meant as a secret.
const NOT_SECRET: [&str; 17] = [
    "key",
    "name",
    "kind",
    "address",
    "leaver",
    "match_by",
    "clear_text",
    "dialect",
    "bind_dn",
    "base",
    "people",
    "groups",
    "person_attribute",
    "person_filter",
    "member_attribute",
    "placeholder",
    "disable_attribute",
];

/// Variables that are no settings: of the command line, of the build, of tests.
const NO_SETTINGS: [&str; 8] = [
    "LATCHKEY_CONFIG",
    "LATCHKEY_BY",
    "LATCHKEY_TRIAL_LOG",
    "LATCHKEY_BIN",
    "LATCHKEY_CACHE",
    "LATCHKEY_FOLDER",
    "LATCHKEY_SEED",
    "LATCHKEY_SEEDS",
];
/// Beginnings of variables that are no settings. Kubernetes tells every container of a service named `latchkey` where it
/// is, in variables of the last two forms.
const NO_SETTINGS_OF: [&str; 3] = ["LATCHKEY_TEST_", "LATCHKEY_SERVICE_", "LATCHKEY_PORT"];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Compiled in.
    Default,
    /// The configuration file.
    File,
    /// This environment variable.
    Environment(String),
    /// The file that `*_file` names.
    SecretFile(String),
}

/// Every setting with its value and source.
#[derive(Clone, Debug)]
pub struct Layers {
    values: BTreeMap<(String, String), (Value, Source)>,
    /// The `[[target]]` sections of the file, in order.
    targets: Vec<Table>,
    /// Secrets of targets from the environment, by key.
    target_secrets: BTreeMap<String, String>,
}

impl Layers {
    /// Merges the layers. Faults are collected; the value of the layer below stays.
    pub fn read<T: Into<OsString>>(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (T, T)>,
    ) -> (Self, Vec<Fault>) {
        let defaults: Table = DEFAULTS.parse().expect("a test reads the defaults");
        let mut layers = Self {
            values: BTreeMap::new(),
            targets: Vec::new(),
            target_secrets: BTreeMap::new(),
        };
        for (section, keys) in defaults {
            let Value::Table(keys) = keys else {
                unreachable!("the defaults hold sections only")
            };
            for (key, value) in keys {
                layers
                    .values
                    .insert((section.clone(), key), (value, Source::Default));
            }
        }
        let mut faults = Vec::new();
        if let Some(path) = file {
            layers.add_file(path, &mut faults);
        }
        for (name, text) in environment {
            // Whatever else the environment holds is not ours to read.
            let Ok(name) = name.into().into_string() else {
                continue;
            };
            if name.starts_with("LATCHKEY_") {
                layers.add_variable(&name, text.into(), &mut faults);
            }
        }
        layers.read_secret_files(&mut faults);
        (layers, faults)
    }

    fn add_file(&mut self, path: &Path, faults: &mut Vec<Fault>) {
        let at = path.display().to_string();
        let table = fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                text.parse::<Table>()
                    .map_err(|error| without_the_line(&text, &error))
            });
        let table = match table {
            Ok(table) => table,
            Err(why) => {
                faults.push(Fault {
                    setting: at,
                    why: format!("cannot be read: {why}"),
                });
                return;
            }
        };
        for (section, keys) in table {
            if section == "target" {
                self.add_targets(keys, &at, faults);
                continue;
            }
            let Value::Table(keys) = keys else {
                faults.push(Fault {
                    setting: section,
                    why: format!("settings stand in sections such as [server] (in {at})"),
                });
                continue;
            };
            for (key, value) in keys {
                self.put(&section, &key, value, Source::File, faults);
            }
        }
    }

    fn add_targets(&mut self, value: Value, at: &str, faults: &mut Vec<Fault>) {
        let Value::Array(items) = value else {
            faults.push(Fault {
                setting: "target".into(),
                why: format!("stands in sections of its own, each as [[target]] (in {at})"),
            });
            return;
        };
        for item in items {
            match item {
                Value::Table(table) => self.targets.push(table),
                _ => faults.push(Fault {
                    setting: "target".into(),
                    why: format!("must be a section [[target]] (in {at})"),
                }),
            }
        }
    }

    /// The sections of targets, as the file says them.
    pub(super) fn targets(&self) -> &[Table] {
        &self.targets
    }

    /// The secret of a target from the environment: `LATCHKEY_TARGET__<KEY>__SECRET`, hyphens written as underscores.
    pub(super) fn target_secret(&self, key: &str) -> Option<&str> {
        self.target_secrets
            .get(&key.replace('-', "_"))
            .map(String::as_str)
    }

    fn add_variable(&mut self, name: &str, text: OsString, faults: &mut Vec<Fault>) {
        if NO_SETTINGS.contains(&name) || NO_SETTINGS_OF.iter().any(|start| name.starts_with(start))
        {
            return;
        }
        let mut fault = |why: String| {
            faults.push(Fault {
                setting: name.to_owned(),
                why,
            });
        };
        let Some((section, key)) = name
            .strip_prefix("LATCHKEY_")
            .and_then(|rest| rest.split_once("__"))
        else {
            return fault(self.meant(name));
        };
        let Ok(text) = text.into_string() else {
            return fault("is no text in UTF-8".into());
        };
        let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
        if section == "target"
            && let Some(target) = key.strip_suffix("__secret")
        {
            self.target_secrets.insert(target.to_owned(), text);
            return;
        }
        let value = match self.default_of(&section, &key) {
            Some(Value::Integer(_)) => text.parse().map_or(Value::String(text), Value::Integer),
            Some(Value::Boolean(_)) => text.parse().map_or(Value::String(text), Value::Boolean),
            _ => Value::String(text),
        };
        self.put(
            &section,
            &key,
            value,
            Source::Environment(name.to_owned()),
            faults,
        );
    }

    /// What to say of a variable without a section.
    fn meant(&self, name: &str) -> String {
        let bare = |text: &str| text.replace('_', "").to_ascii_uppercase();
        let wanted = bare(name);
        self.values
            .keys()
            .map(|(section, key)| format!("LATCHKEY_{section}__{key}").to_ascii_uppercase())
            .find(|right| bare(right) == wanted)
            .map_or_else(
                || "there is no such setting: they are named LATCHKEY_<SECTION>__<NAME>".into(),
                |right| format!("there is no such setting: did you mean {right}?"),
            )
    }

    fn default_of(&self, section: &str, key: &str) -> Option<&Value> {
        self.values
            .get(&(section.to_owned(), key.to_owned()))
            .map(|(value, _)| value)
    }

    fn put(
        &mut self,
        section: &str,
        key: &str,
        value: Value,
        source: Source,
        faults: &mut Vec<Fault>,
    ) {
        let mut fault = |why: String| {
            faults.push(Fault {
                setting: format!("{section}.{key}"),
                why,
            });
        };
        let Some(slot) = self.values.get_mut(&(section.to_owned(), key.to_owned())) else {
            return fault("there is no such setting".into());
        };
        if slot.0.same_type(&value) {
            *slot = (value, source);
        } else {
            fault(format!("must be of type {}", slot.0.type_str()));
        }
    }

    fn read_secret_files(&mut self, faults: &mut Vec<Fault>) {
        for (section, key) in SECRETS {
            let path = self.text(section, &format!("{key}_file"));
            if path.is_empty() {
                continue;
            }
            match fs::read_to_string(&path) {
                Ok(text) => {
                    let value = Value::String(text.trim_end().to_owned());
                    self.values.insert(
                        (section.to_owned(), key.to_owned()),
                        (value, Source::SecretFile(path)),
                    );
                }
                Err(error) => faults.push(Fault {
                    setting: format!("{section}.{key}_file"),
                    why: format!("{path} cannot be read: {error}"),
                }),
            }
        }
    }

    /// A text setting.
    ///
    /// # Panics
    /// When the defaults do not have it as a text.
    pub(super) fn text(&self, section: &str, key: &str) -> String {
        self.default_of(section, key)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("config.default.toml has no text {section}.{key}"))
            .trim()
            .to_owned()
    }

    /// A whole number.
    ///
    /// # Panics
    /// When the defaults do not have it as a number.
    pub(super) fn number(&self, section: &str, key: &str) -> i64 {
        self.default_of(section, key)
            .and_then(Value::as_integer)
            .unwrap_or_else(|| panic!("config.default.toml has no number {section}.{key}"))
    }

    /// A switch.
    ///
    /// # Panics
    /// When the defaults do not have it as a switch.
    pub(super) fn flag(&self, section: &str, key: &str) -> bool {
        self.default_of(section, key)
            .and_then(Value::as_bool)
            .unwrap_or_else(|| panic!("config.default.toml has no switch {section}.{key}"))
    }

    /// What is in force, as a configuration file with the source of each value; secrets masked.
    pub fn show(&self) -> String {
        let mut text = String::new();
        let mut current = "";
        for ((section, key), (value, source)) in &self.values {
            if section != current {
                if !current.is_empty() {
                    text.push('\n');
                }
                writeln!(text, "[{section}]").expect("a string takes everything");
                current = section;
            }
            let secret = SECRETS.contains(&(section, key));
            let shown = match value {
                Value::String(inner) if secret && !inner.is_empty() => "\"…\"".to_owned(),
                other => other.to_string(),
            };
            let source = match source {
                Source::Default => String::new(),
                Source::File => "  # from the file".to_owned(),
                Source::Environment(name) => format!("  # from {name}"),
                Source::SecretFile(path) => format!("  # from {path}"),
            };
            writeln!(text, "{key} = {shown}{source}").expect("a string takes everything");
        }
        for target in &self.targets {
            writeln!(text, "\n[[target]]").expect("a string takes everything");
            for (key, value) in target {
                // Secrets stand in files of their own; one that was written here all the same is not shown.
                let shown = if key.ends_with("_file") || NOT_SECRET.contains(&key.as_str()) {
                    value.to_string()
                } else {
                    "\"…\"".to_owned()
                };
                writeln!(text, "{key} = {shown}  # from the file")
                    .expect("a string takes everything");
            }
        }
        text
    }
}

/// What is wrong with a file and where, without the line itself, which may hold a secret.
fn without_the_line(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}
