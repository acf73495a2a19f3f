//! A target that speaks LDAP: where the directory is, what it looks like there, and who the portal is to it.

use provisioner::ldap::{Dialect, Disable, Leaver, MatchBy, Password, Settings};
use toml::Value;

use super::Section;

/// The settings of such a target.
const OWN: [&str; 17] = [
    "address",
    "clear_text",
    "ca_file",
    "dialect",
    "bind_dn",
    "password_file",
    "base",
    "people",
    "groups",
    "person_attribute",
    "person_filter",
    "match_by",
    "member_attribute",
    "placeholder",
    "leaver",
    "disable_attribute",
    "disable_value",
];

impl Section<'_> {
    /// Reads such a section; none if anything is wrong with it.
    pub(super) fn ldap(&mut self) -> Option<Settings> {
        self.only(&OWN);
        let before = self.faults.len();
        let address = self.needed("address");
        let base = self.needed("base");
        let bind_dn = self.needed("bind_dn");
        let dialect = self.needed("dialect").and_then(|word| {
            self.word(
                "dialect",
                &word,
                Dialect::parse,
                "openldap or active_directory",
            )
        });
        let password = self.file("password_file");
        if password.is_none() && !self.table.contains_key("password_file") {
            self.fault("password_file", "needed");
        }
        let ca = self.file("ca_file");
        let match_by = self.optional("match_by").and_then(|word| {
            let words = "user_name, alias, mail, employee_id or object_id";
            self.word("match_by", &word, MatchBy::parse, words)
        });
        let leaver = self
            .optional("leaver")
            .and_then(|word| self.word("leaver", &word, Leaver::parse, "keep, disable or expire"));
        let disable = match (
            self.optional("disable_attribute"),
            self.optional("disable_value"),
        ) {
            (None, None) => None,
            (Some(attribute), Some(value)) => Some(Disable::Attribute(attribute, value)),
            (None, Some(_)) => {
                self.fault("disable_attribute", "needed with disable_value");
                None
            }
            (Some(_), None) => {
                self.fault("disable_value", "needed with disable_attribute");
                None
            }
        };
        let clear_text = self.flag("clear_text");
        let others = [
            "people",
            "groups",
            "person_attribute",
            "person_filter",
            "member_attribute",
            "placeholder",
        ]
        .map(|key| self.optional(key));
        let [
            people,
            groups,
            person_attribute,
            person_filter,
            member_attribute,
            placeholder,
        ] = others;
        let usual = Settings::new(&address?, dialect?, &base?);
        let settings = Settings {
            clear_text,
            ca,
            bind_dn: bind_dn?,
            password: Password::new(password?),
            people: people.unwrap_or(usual.people),
            groups: groups.unwrap_or(usual.groups),
            person_attribute: person_attribute.unwrap_or(usual.person_attribute),
            person_filter: person_filter.unwrap_or(usual.person_filter),
            match_by: match_by.unwrap_or(usual.match_by),
            member_attribute: member_attribute.unwrap_or(usual.member_attribute),
            placeholder,
            leaver: leaver.unwrap_or(usual.leaver),
            disable: disable.unwrap_or(usual.disable),
            ..usual
        };
        for (setting, why) in settings.faults() {
            self.fault(setting, why);
        }
        (self.faults.len() == before).then_some(settings)
    }

    fn optional(&mut self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.table.get(key) {
            None => false,
            Some(Value::Boolean(set)) => *set,
            Some(_) => {
                self.fault(key, "must be true or false");
                false
            }
        }
    }

    fn word<T>(
        &mut self,
        key: &str,
        word: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        words: &str,
    ) -> Option<T> {
        let read = parse(word);
        if read.is_none() {
            self.fault(key, format!("must be {words}"));
        }
        read
    }

    /// What a file holds, without the end of its last line.
    fn file(&mut self, key: &str) -> Option<String> {
        let path = self.optional(key)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                self.fault(key, format!("cannot be read: {path}: {error}"));
                None
            }
        }
    }
}
