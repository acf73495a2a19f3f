//! The log as a file: JSON lines, which can be verified, or CSV for a spreadsheet.
//!
//! A JSON line is `{"hash":"<64 hexadecimal digits>","entry":<the canonical text as it was hashed>}`. Whoever wants to check
//! it without us takes the text between `"entry":` and the last brace, byte for byte.

use std::fmt::Write;

use domain::{
    PersonId, Timestamp,
    audit::{Actor, Event},
};
use serde_json::Value;
use store::{Store, audit::AuditRow};

use crate::Result;

/// Rows read at a time.
const STEP: i64 = 1000;
const CSV_HEAD: &str = "seq,at,kind,actor,on_behalf_of,subjects,cause,policy,before,after,hash\r\n";

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line; the whole log in this form can be verified.
    JsonLines,
    /// Comma-separated values (RFC 4180) with a head line, safe to open in a spreadsheet.
    Csv,
}

/// Which entries. Everything that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only at or after.
    pub from: Option<Timestamp>,
    /// Only before.
    pub until: Option<Timestamp>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only entries about this printed id.
    pub subject: Option<String>,
}

impl Filter {
    fn admits(&self, row: &AuditRow) -> bool {
        self.from.is_none_or(|from| row.at >= from)
            && self.until.is_none_or(|until| row.at < until)
            && self.kind.as_ref().is_none_or(|kind| *kind == row.kind)
            && self.subject.as_ref().is_none_or(|subject| {
                serde_json::from_str::<Event>(&row.entry)
                    .is_ok_and(|event| event.subjects.contains(subject))
            })
    }
}

/// An export under way: call [`Export::next`] until it gives `None`.
#[derive(Debug)]
pub struct Export {
    store: Store,
    filter: Filter,
    format: Format,
    actor: Option<PersonId>,
    after: i64,
    started: bool,
}

impl Export {
    /// An export that has read nothing yet.
    pub fn new(store: Store, filter: Filter, format: Format) -> Self {
        Self {
            store,
            filter,
            format,
            actor: None,
            after: 0,
            started: false,
        }
    }

    /// Only entries by this person.
    #[must_use]
    pub fn by(mut self, actor: Option<PersonId>) -> Self {
        self.actor = actor;
        self
    }

    fn admits(&self, row: &AuditRow) -> bool {
        self.filter.admits(row)
            && self.actor.is_none_or(|actor| {
                serde_json::from_str::<Event>(&row.entry)
                    .is_ok_and(|event| event.actor == Actor::Person(actor))
            })
    }

    /// The next piece of the file, oldest entries first. Pieces hold whole lines.
    pub async fn next(&mut self) -> Result<Option<String>> {
        let mut text = String::new();
        if !self.started {
            self.started = true;
            if self.format == Format::Csv {
                text.push_str(CSV_HEAD);
            }
        }
        loop {
            let mut tx = self.store.read().await?;
            let rows = tx.audit_after(self.after, STEP).await?;
            let Some(last) = rows.last() else {
                return Ok((!text.is_empty()).then_some(text));
            };
            self.after = last.seq;
            for row in rows.iter().filter(|row| self.admits(row)) {
                text.push_str(&line(row, self.format));
            }
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }
}

pub(super) fn line(row: &AuditRow, format: Format) -> String {
    match format {
        Format::JsonLines => {
            format!(
                "{{\"hash\":\"{}\",\"entry\":{}}}\n",
                hex(&row.hash),
                row.entry
            )
        }
        Format::Csv => csv_line(row),
    }
}

pub(super) fn read_line(line: &str) -> Option<AuditRow> {
    let (hash, entry) = line
        .strip_prefix("{\"hash\":\"")?
        .strip_suffix('}')?
        .split_once("\",\"entry\":")?;
    let place: Value = serde_json::from_str(entry).ok()?;
    Some(AuditRow {
        seq: place.get("seq")?.as_i64()?,
        at: place.get("at")?.as_str()?.parse().ok()?,
        kind: place.get("kind")?.as_str()?.to_owned(),
        entry: entry.to_owned(),
        hash: unhex(hash)?,
    })
}

fn csv_line(row: &AuditRow) -> String {
    let event: Option<Event> = serde_json::from_str(&row.entry).ok();
    let event = event.as_ref();
    let json = |value: &Value| match value {
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let cells = [
        row.seq.to_string(),
        row.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        row.kind.clone(),
        event.map_or_else(String::new, |event| match event.actor {
            Actor::Person(id) => id.to_string(),
            Actor::Portal => "portal".into(),
            Actor::Provisioner => "provisioner".into(),
            Actor::Operator => "operator".into(),
            Actor::Anonymous => "anonymous".into(),
        }),
        event
            .and_then(|event| event.behalf)
            .map_or_else(String::new, |id| id.to_string()),
        event.map_or_else(String::new, |event| event.subjects.join(" ")),
        event
            .and_then(|event| event.cause.clone())
            .unwrap_or_default(),
        event
            .and_then(|event| event.policy.clone())
            .unwrap_or_default(),
        event.map_or_else(String::new, |event| json(&event.before)),
        event.map_or_else(String::new, |event| json(&event.after)),
        hex(&row.hash),
    ];
    let mut line = cells.map(|cell| csv_cell(&cell)).join(",");
    line.push_str("\r\n");
    line
}

/// One cell (RFC 4180) that no spreadsheet takes for a formula (OWASP: CSV injection): whatever begins like one gets an
/// apostrophe. Where lists are separated otherwise than with commas the file is cut elsewhere too, so a new cell may begin
/// inside of this one.
pub fn csv_cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    let mut begins = true;
    let mut quoted = false;
    // Some drop these before they look.
    if text.starts_with(['\t', '\r', '\n']) {
        safe.push('\'');
        quoted = true;
    }
    for letter in text.chars() {
        // The wide forms are what keyboards of East Asia write, and some spreadsheets read.
        if begins && matches!(letter, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            safe.push('\'');
            quoted = true;
        }
        if letter == '"' {
            safe.push('"');
        }
        quoted |= matches!(letter, '"' | ',' | ';' | '\t' | '\r' | '\n');
        // Quotes are ours to double, and a cut before them would leave a pair that says nothing.
        begins =
            matches!(letter, ';' | '\t' | '\r' | '\n') || begins && matches!(letter, ' ' | '"');
        safe.push(letter);
    }
    if quoted { format!("\"{safe}\"") } else { safe }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::audit::EventKind;
    use serde_json::json;

    use super::*;

    fn row() -> AuditRow {
        let at = Timestamp::from_timestamp(1_772_000_000, 0).expect("it is a time");
        let event = Event::new(EventKind::LineSubmitted, at, Actor::Anonymous)
            .about("lin_1")
            .because("=HYPERLINK(\"http://evil.example\")")
            .changing(Value::Null, json!({"reason": "a\"b,c\nd"}));
        AuditRow {
            seq: 3,
            at,
            kind: "line_submitted".into(),
            entry: event.canonical(3),
            hash: vec![0xab; 32],
        }
    }

    #[test]
    fn a_json_line_reads_back() {
        let text = line(&row(), Format::JsonLines);
        let back = read_line(text.trim_end()).expect("it is a line of ours");
        assert_eq!(
            (back.seq, back.entry, back.hash),
            (3, row().entry, row().hash)
        );
        assert!(read_line("{}").is_none());
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }

    #[test]
    fn no_cell_is_a_formula_and_every_cell_is_one_cell() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(csv_cell(hostile).starts_with("\"'"), "{hostile:?}");
        }
        // Where the list separator is a semicolon or a tab, cells begin in the middle.
        for (hostile, cell) in [
            ("x;=cmd|' /C calc'!A0;y", "\"x;'=cmd|' /C calc'!A0;y\""),
            ("x; @SUM(A1)", "\"x; '@SUM(A1)\""),
            ("x\t+1", "\"x\t'+1\""),
            ("x\r\n-1", "\"x\r\n'-1\""),
            ("x;\"=1\"", "\"x;\"\"'=1\"\"\""),
            ("a = b - c", "a = b - c"),
            ("a;b", "\"a;b\""),
        ] {
            assert_eq!(csv_cell(hostile), cell, "{hostile:?}");
        }
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a\"b"), "\"a\"\"b\"");
        let text = csv_line(&row());
        assert!(
            text.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
            "{text}"
        );
    }
}
