//! Reading one TOML file so that every fault is found at once, with its line and how to mend it.

use std::{fmt, ops::Range};

use domain::catalogue::read_span;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::parse::Mention;

/// One thing that is wrong in a file of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as it was handed in.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do about it, in a sentence.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}: {}", self.file, self.line, self.what)
    }
}

/// A value and the line where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub line: usize,
    pub value: T,
}

/// One table of a file.
#[derive(Clone, Copy)]
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    pub line: usize,
}

type Value<'t> = &'t Spanned<DeValue<'t>>;

/// One file being read.
pub(super) struct Sheet {
    pub file: String,
    breaks: Vec<usize>,
    pub faults: Vec<Fault>,
    /// Keys of the entitlements defined here.
    pub defined: Vec<String>,
    /// Where packages name entitlements.
    pub references: Vec<At<String>>,
    /// Where people are named, with the part that they play.
    pub people: Vec<(Mention, &'static str)>,
}

impl Sheet {
    pub(super) fn new(file: &str, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            breaks: text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect(),
            faults: Vec::new(),
            defined: Vec::new(),
            references: Vec::new(),
            people: Vec::new(),
        }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.breaks.partition_point(|at| *at < span.start) + 1
    }

    pub(super) fn fault(&mut self, line: usize, what: impl Into<String>) {
        self.faults.push(Fault {
            file: self.file.clone(),
            line,
            what: what.into(),
        });
    }

    /// Notes what the TOML parser itself found.
    pub(super) fn syntax(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let line = error.span().map_or(1, |span| self.line(&span));
            let said = error.message().trim().replace('\n', ", ");
            self.fault(line, format!("this is not TOML: {said}"));
        }
    }

    /// The whole file as one section.
    pub(super) fn whole<'t>(table: &'t Spanned<DeTable<'t>>) -> Section<'t> {
        Section {
            table: table.get_ref(),
            line: 1,
        }
    }

    /// Refuses every key that is not one of `known`, with the nearest that is.
    pub(super) fn only(&mut self, section: Section<'_>, known: &[&str]) {
        for key in section.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let nearest = known.iter().min_by_key(|word| distance(name, word));
            let fix = match nearest {
                Some(word) if distance(name, word) <= 2 => format!("did you mean `{word}`?"),
                _ => format!("use one of {}", quoted(known)),
            };
            let line = self.line(&key.span());
            self.fault(line, format!("`{name}` is not known here: {fix}"));
        }
    }

    fn get<'t>(section: Section<'t>, key: &str) -> Option<Value<'t>> {
        section.table.get(key)
    }

    fn must<'t>(&mut self, section: Section<'t>, key: &str, example: &str) -> Option<Value<'t>> {
        let value = Self::get(section, key);
        if value.is_none() {
            self.fault(
                section.line,
                format!("`{key}` is missing: add a line such as {key} = {example}"),
            );
        }
        value
    }

    fn as_text(&mut self, key: &str, value: Value<'_>) -> Option<At<String>> {
        let line = self.line(&value.span());
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.fault(
                    line,
                    format!("`{key}` is empty: say it, or remove the line"),
                );
                None
            }
            DeValue::String(text) => Some(At {
                line,
                value: text.trim().to_owned(),
            }),
            _ => {
                self.fault(line, format!("`{key}` is not text: put it in \"quotes\""));
                None
            }
        }
    }

    /// Text that must be there.
    pub(super) fn text(
        &mut self,
        section: Section<'_>,
        key: &str,
        example: &str,
    ) -> Option<At<String>> {
        let value = self.must(section, key, example)?;
        self.as_text(key, value)
    }

    /// Text that may be there.
    pub(super) fn maybe_text(&mut self, section: Section<'_>, key: &str) -> Option<At<String>> {
        let value = Self::get(section, key)?;
        self.as_text(key, value)
    }

    /// Yes or no, no if it is not said.
    pub(super) fn flag(&mut self, section: Section<'_>, key: &str) -> bool {
        let Some(value) = Self::get(section, key) else {
            return false;
        };
        if let DeValue::Boolean(yes) = value.get_ref() {
            return *yes;
        }
        let line = self.line(&value.span());
        self.fault(
            line,
            format!("`{key}` is neither true nor false: write one of them, without quotes"),
        );
        false
    }

    /// A whole number (0 if it is none), or nothing for the word `all`; none if it is not said.
    pub(super) fn number_or_all(
        &mut self,
        section: Section<'_>,
        key: &str,
    ) -> Option<At<Option<i64>>> {
        let value = Self::get(section, key)?;
        let line = self.line(&value.span());
        let value = match value.get_ref() {
            DeValue::String(word) if word == "all" => None,
            DeValue::Integer(number) => {
                Some(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(0))
            }
            _ => Some(0),
        };
        Some(At { line, value })
    }

    /// A whole number that may be there.
    pub(super) fn maybe_number(&mut self, section: Section<'_>, key: &str) -> Option<At<i64>> {
        let value = Self::get(section, key)?;
        let line = self.line(&value.span());
        if let DeValue::Integer(number) = value.get_ref()
            && let Ok(value) = i64::from_str_radix(number.as_str(), number.radix())
        {
            return Some(At { line, value });
        }
        self.fault(
            line,
            format!("`{key}` is not a whole number: write it without quotes"),
        );
        None
    }

    /// A length of time in seconds that may be there.
    pub(super) fn maybe_span(&mut self, section: Section<'_>, key: &str) -> Option<At<i64>> {
        let text = self.maybe_text(section, key)?;
        match read_span(&text.value) {
            Ok(value) => Some(At {
                line: text.line,
                value,
            }),
            Err(bad) => {
                self.fault(
                    text.line,
                    format!("`{key}`: {bad}: write it as \"8 hours\", \"30 days\" or \"1 year\""),
                );
                None
            }
        }
    }

    /// A length of time in seconds that must be there.
    pub(super) fn span(
        &mut self,
        section: Section<'_>,
        key: &str,
        example: &str,
    ) -> Option<At<i64>> {
        self.must(section, key, example)?;
        self.maybe_span(section, key)
    }

    /// A list of texts; empty if it is not said.
    pub(super) fn texts(&mut self, section: Section<'_>, key: &str) -> Vec<At<String>> {
        let Some(value) = Self::get(section, key) else {
            return Vec::new();
        };
        let Some(items) = self.items(key, value) else {
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| self.as_text(key, item))
            .collect()
    }

    fn items<'t>(&mut self, key: &str, value: Value<'t>) -> Option<&'t [Spanned<DeValue<'t>>]> {
        if let DeValue::Array(items) = value.get_ref() {
            return Some(items);
        }
        let line = self.line(&value.span());
        self.fault(line, format!("`{key}` is not a list: put it in [brackets]"));
        None
    }

    /// A list whose items are words or tables, with their lines; none if it is not said.
    pub(super) fn mixed<'t>(
        &mut self,
        section: Section<'t>,
        key: &str,
    ) -> Option<Vec<At<Item<'t>>>> {
        let value = Self::get(section, key)?;
        let line = self.line(&value.span());
        if let DeValue::String(word) = value.get_ref() {
            let value = Item::Word(word.as_ref());
            return Some(vec![At { line, value }]);
        }
        let items = self.items(key, value)?;
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let line = self.line(&item.span());
            match item.get_ref() {
                DeValue::String(word) => found.push(At {
                    line,
                    value: Item::Word(word.as_ref()),
                }),
                DeValue::Table(table) => found.push(At {
                    line,
                    value: Item::Table(Section { table, line }),
                }),
                _ => self.fault(
                    line,
                    format!("`{key}` holds something that is neither a word nor a table"),
                ),
            }
        }
        Some(found)
    }

    /// A table that may be there.
    pub(super) fn section<'t>(&mut self, section: Section<'t>, key: &str) -> Option<Section<'t>> {
        let value = Self::get(section, key)?;
        let line = self.line(&value.span());
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Section { table, line });
        }
        self.fault(
            line,
            format!("`{key}` is not a table: write [{key}] on a line of its own"),
        );
        None
    }

    /// A list of tables; empty if it is not said.
    pub(super) fn sections<'t>(&mut self, section: Section<'t>, key: &str) -> Vec<Section<'t>> {
        let Some(value) = Self::get(section, key) else {
            return Vec::new();
        };
        let line = self.line(&value.span());
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(
                line,
                format!("`{key}` stands alone: write [[{key}]], it may be repeated"),
            );
            return Vec::new();
        };
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let line = self.line(&item.span());
            match item.get_ref() {
                DeValue::Table(table) => found.push(Section { table, line }),
                _ => self.fault(line, format!("`{key}` holds something that is not a table")),
            }
        }
        found
    }
}

/// An item of a list that may hold both.
#[derive(Clone, Copy)]
pub(super) enum Item<'t> {
    /// A word.
    Word(&'t str),
    /// A table.
    Table(Section<'t>),
}

/// Words for a sentence: `a`, `b` or `c`.
pub(super) fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The known word that somebody may have meant, if one is near.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    known
        .map(|other| (distance(word, other), other))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, other)| other)
}

/// How many letters must be put in, taken out or changed to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, wanted) in other.iter().enumerate() {
            let change = diagonal + usize::from(letter != *wanted);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
