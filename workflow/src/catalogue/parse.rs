//! From the text of the files to applications, entitlements and packages whose people are still object ids.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    asking::Asking,
    calendar::Calendar,
    catalogue::{Application, Condition, Question, Right, TargetKind},
    drift::Drift,
    person::PortalRole,
    policy::{Limits, RiskRule, StageRule},
};
use toml::de::DeTable;
use uuid::Uuid;

use super::{
    SourceFile,
    calendar::read_calendar,
    conflict::{DraftConflict, read_conflict},
    package::read_package,
    sheet::{At, Fault, Item, Section, Sheet, quoted},
};

/// Everything that the files say, with places.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub applications: BTreeMap<String, Application>,
    pub entitlements: Vec<DraftEntitlement>,
    pub packages: Vec<DraftPackage>,
    pub conflicts: Vec<DraftConflict>,
    /// When people work, by country.
    pub calendars: BTreeMap<String, Calendar>,
    /// Keys of all entitlements, also of those that are faulty otherwise.
    pub defined: BTreeSet<String>,
    /// Every place where a package names an entitlement, also of packages that are faulty otherwise.
    pub references: Vec<(String, At<String>)>,
    /// Every place where somebody is named, with the part that they play.
    pub people: Vec<(String, Mention, &'static str)>,
}

/// Somebody by object id, and where they are mentioned.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub object: Uuid,
    pub called: Option<String>,
    pub line: usize,
}

#[derive(Debug)]
pub(super) struct DraftEntitlement {
    pub file: String,
    pub line: usize,
    pub key: String,
    pub application: String,
    pub right: At<Right>,
    pub name: String,
    pub summary: String,
    pub privileged: bool,
    pub control_scope: Option<String>,
    pub effective_within_seconds: i64,
    pub owner: Option<Mention>,
    pub drift: Drift,
    pub instructions: String,
    pub due_within_seconds: i64,
}

#[derive(Debug)]
pub(super) struct DraftStage {
    /// The rule, but for the people whom it names.
    pub rule: StageRule,
    pub named: Vec<Mention>,
    /// The line that names the group, if it is one's members who decide.
    pub group: Option<usize>,
}

#[derive(Debug)]
pub(super) struct DraftPackage {
    pub file: String,
    pub line: usize,
    pub key: String,
    pub application: String,
    pub name: String,
    pub summary: String,
    pub opens: Vec<String>,
    pub entitlements: Vec<At<String>>,
    pub owners: Vec<Mention>,
    pub synonyms: Vec<String>,
    pub eligibility: Vec<Condition>,
    pub cedar: Option<At<String>>,
    pub route: Vec<DraftStage>,
    pub collapse: Option<usize>,
    pub limits: Limits,
    pub questions: Vec<Question>,
    pub risk: RiskRule,
    pub asking: Asking,
}

/// Reads all files. Faults are added to `faults`; what is faulty is left out of the draft.
pub(super) fn parse(files: &[SourceFile], faults: &mut Vec<Fault>) -> Draft {
    let mut draft = Draft::default();
    let mut keys = Keys::default();
    for file in files {
        let mut sheet = Sheet::new(&file.path, &file.text);
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        if errors.is_empty() {
            let whole = Sheet::whole(&table);
            read_file(&mut sheet, whole, &mut draft, &mut keys);
        } else {
            sheet.syntax(&errors);
        }
        let of = |file: &String| file.clone();
        draft
            .defined
            .append(&mut sheet.defined.into_iter().collect());
        draft.references.extend(
            sheet
                .references
                .into_iter()
                .map(|key| (of(&sheet.file), key)),
        );
        draft.people.extend(
            sheet
                .people
                .into_iter()
                .map(|(mention, part)| (of(&sheet.file), mention, part)),
        );
        faults.append(&mut sheet.faults);
    }
    draft
}

/// Keys seen so far, and where.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<(&'static str, String), String>);

impl Keys {
    pub(super) fn take(&mut self, sheet: &mut Sheet, what: &'static str, key: &At<String>) {
        let sound = key
            .value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !sound || key.value.len() > 64 {
            sheet.fault(
                key.line,
                format!(
                    "the key `{}` may have at most 64 small letters, digits and hyphens: write it so",
                    key.value
                ),
            );
        }
        let place = format!("{} line {}", sheet.file, key.line);
        if let Some(first) = self.0.get(&(what, key.value.clone())) {
            let said = format!(
                "the {what} `{}` stands in {first} already: give one of them another key",
                key.value
            );
            sheet.fault(key.line, said);
        } else {
            self.0.insert((what, key.value.clone()), place);
        }
    }
}

fn read_file(sheet: &mut Sheet, whole: Section<'_>, draft: &mut Draft, keys: &mut Keys) {
    sheet.only(
        whole,
        &[
            "application",
            "entitlement",
            "package",
            "conflict",
            "calendar",
        ],
    );
    let rules = sheet.sections(whole, "conflict");
    for section in &rules {
        draft.conflicts.extend(read_conflict(sheet, *section, keys));
    }
    let calendars = sheet.sections(whole, "calendar");
    for section in &calendars {
        read_calendar(sheet, *section, &mut draft.calendars);
    }
    let Some(section) = sheet.section(whole, "application") else {
        // A file may hold rules or calendars alone.
        if sheet.faults.is_empty() && rules.is_empty() && calendars.is_empty() {
            sheet.fault(
                1,
                "`[application]` is missing: begin the file with it, its key and its name",
            );
        }
        return;
    };
    let Some(application) = read_application(sheet, section, draft, keys) else {
        return;
    };
    for section in sheet.sections(whole, "entitlement") {
        if let Some(read) = read_entitlement(sheet, section, &application, keys) {
            draft.entitlements.push(read);
        }
    }
    for section in sheet.sections(whole, "package") {
        if let Some(read) = read_package(sheet, section, &application, keys) {
            draft.packages.push(read);
        }
    }
}

fn read_application(
    sheet: &mut Sheet,
    section: Section<'_>,
    draft: &mut Draft,
    keys: &mut Keys,
) -> Option<String> {
    sheet.only(
        section,
        &["key", "name", "summary", "url", "initials", "tint"],
    );
    let key = sheet.text(section, "key", "\"orders\"");
    let name = sheet.text(section, "name", "\"Orders\"");
    let summary = sheet.maybe_text(section, "summary");
    let url = sheet.maybe_text(section, "url");
    let initials = sheet.maybe_text(section, "initials");
    let tint = sheet.maybe_text(section, "tint");
    if let Some(url) = &url
        && !url.value.starts_with("https://")
        && !url.value.starts_with("http://")
    {
        sheet.fault(
            url.line,
            format!(
                "`url` {:?} is no address: begin it with https://",
                url.value
            ),
        );
    }
    if let Some(initials) = &initials
        && initials.value.chars().count() > 3
    {
        sheet.fault(
            initials.line,
            format!(
                "`initials` {:?} are long: use at most 3 letters",
                initials.value
            ),
        );
    }
    let tint = match tint {
        Some(tint) if !matches!(tint.value.as_str(), "a" | "b" | "c" | "d" | "e" | "f") => {
            sheet.fault(
                tint.line,
                "`tint` is not known: use one of the letters \"a\" to \"f\"",
            );
            None
        }
        other => other.map(|tint| tint.value),
    };
    let (key, name) = (key?, name?.value);
    keys.take(sheet, "application", &key);
    let initials = initials.map_or_else(
        || {
            name.chars()
                .filter(|letter| letter.is_alphabetic())
                .take(2)
                .collect::<String>()
                .to_uppercase()
        },
        |initials| initials.value,
    );
    draft.applications.insert(
        key.value.clone(),
        Application {
            name,
            summary: summary.map(|text| text.value).unwrap_or_default(),
            url: url.map(|text| text.value).unwrap_or_default(),
            initials,
            tint: tint.unwrap_or_else(|| "a".to_owned()),
        },
    );
    Some(key.value)
}

fn read_entitlement(
    sheet: &mut Sheet,
    section: Section<'_>,
    application: &str,
    keys: &mut Keys,
) -> Option<DraftEntitlement> {
    sheet.only(
        section,
        &[
            "key",
            "group",
            "app_role",
            "resource",
            "licence",
            "target",
            "scim_group",
            "ldap_group",
            "right",
            "instructions",
            "due_within",
            "portal_role",
            "name",
            "summary",
            "privileged",
            "control_scope",
            "effective_within",
            "owner",
            "drift",
        ],
    );
    let key = sheet.text(section, "key", "\"orders-read\"");
    let name = sheet.text(section, "name", "\"sg-orders-read\"");
    let summary = sheet.maybe_text(section, "summary");
    let control_scope = sheet.maybe_text(section, "control_scope");
    let within = sheet.maybe_span(section, "effective_within");
    let right = read_right(sheet, section, key.as_ref());
    let by_hand = read_by_hand(sheet, section, right.as_ref());
    // Power over others' access is privileged, whatever the file says.
    let power = right
        .as_ref()
        .is_some_and(|right| right.value.portal_role().is_some());
    let owner = sheet
        .section(section, "owner")
        .and_then(|section| read_mention(sheet, section, "the owner"));
    let privileged = sheet.flag(section, "privileged");
    let drift = read_drift(sheet, section, right.as_ref());
    let key = key?;
    keys.take(sheet, "entitlement", &key);
    sheet.defined.push(key.value.clone());
    Some(DraftEntitlement {
        file: sheet.file.clone(),
        line: section.line,
        key: key.value,
        application: application.to_owned(),
        right: right?,
        name: name?.value,
        summary: summary.map(|text| text.value).unwrap_or_default(),
        privileged: privileged || power,
        control_scope: control_scope.map(|text| text.value),
        effective_within_seconds: within.map_or(0, |span| span.value),
        owner,
        drift,
        instructions: by_hand.0,
        due_within_seconds: by_hand.1,
    })
}

/// What becomes of the right where somebody gives it out of band. A word that is none is a fault, and so is one about what no
/// program can list.
fn read_drift(sheet: &mut Sheet, section: Section<'_>, right: Option<&At<Right>>) -> Drift {
    let Some(said) = sheet.maybe_text(section, "drift") else {
        return Drift::default();
    };
    let unlisted = right.is_some_and(|right| match &right.value {
        Right::At { kind, .. } => *kind == TargetKind::Manual,
        Right::Group { .. } | Right::AppRole { .. } | Right::Licence { .. } => false,
        Right::PortalRole { .. } => true,
    });
    if unlisted {
        sheet.fault(
            said.line,
            "`drift` is for what a program can list: take it out",
        );
    }
    said.value.parse().unwrap_or_else(|_| {
        let words: Vec<&str> = Drift::ALL.iter().map(|word| word.as_str()).collect();
        sheet.fault(
            said.line,
            format!(
                "`{}` is no way to meet drift: write {}",
                said.value,
                quoted(&words)
            ),
        );
        Drift::default()
    })
}

/// Within which time something is done by hand if the file does not say.
const BY_HAND_WITHIN_SECONDS: i64 = 2 * 86_400;

/// What whoever does it by hand is told, and within which time; nothing where a program does it.
fn read_by_hand(
    sheet: &mut Sheet,
    section: Section<'_>,
    right: Option<&At<Right>>,
) -> (String, i64) {
    let said = sheet.maybe_text(section, "instructions");
    let within = sheet.maybe_span(section, "due_within");
    let by_hand = right.is_some_and(|right| {
        matches!(
            right.value,
            Right::At {
                kind: TargetKind::Manual,
                ..
            }
        )
    });
    if by_hand {
        let within = within.map_or(BY_HAND_WITHIN_SECONDS, |span| span.value);
        return (said.map(|text| text.value).unwrap_or_default(), within);
    }
    if let Some(within) = within {
        sheet.fault(
            within.line,
            "`due_within` is for what is done by hand: take it out",
        );
    }
    (String::new(), 0)
}

fn read_right(
    sheet: &mut Sheet,
    section: Section<'_>,
    key: Option<&At<String>>,
) -> Option<At<Right>> {
    if let Some(target) = sheet.maybe_text(section, "target") {
        return read_right_at(sheet, section, target, key);
    }
    let group = object(sheet, section, "group");
    let role = object(sheet, section, "app_role");
    let resource = object(sheet, section, "resource");
    let licence = object(sheet, section, "licence");
    let power = sheet.maybe_text(section, "portal_role");
    match (group, role, resource, licence, power) {
        (None, None, None, None, Some(word)) => portal_role(sheet, &word),
        (Some(group), None, None, None, None) => Some(At {
            line: group.line,
            value: Right::Group { id: group.value? },
        }),
        (None, None, None, Some(licence), None) => Some(At {
            line: licence.line,
            value: Right::Licence {
                sku: licence.value?,
            },
        }),
        (None, Some(role), Some(resource), None, None) => Some(At {
            line: role.line,
            value: Right::AppRole {
                role: role.value?,
                resource: resource.value?,
            },
        }),
        _ => {
            sheet.fault(
                section.line,
                "it is not said what this is at the target: add `group` with the group's object id, `app_role` with the role's id and `resource` with the service principal's object id, `licence` with the id of what was bought (skuId), or `portal_role` with a role of this portal",
            );
            None
        }
    }
}

/// A right at a target that the configuration names: what the target speaks is said by how the right is named there.
fn read_right_at(
    sheet: &mut Sheet,
    section: Section<'_>,
    target: At<String>,
    key: Option<&At<String>>,
) -> Option<At<Right>> {
    let mut named = Vec::new();
    for (word, kind) in [
        ("scim_group", TargetKind::Scim),
        ("ldap_group", TargetKind::Ldap),
        ("right", TargetKind::Webhook),
    ] {
        if let Some(id) = sheet.maybe_text(section, word) {
            named.push((kind, id));
        }
    }
    if let Some(said) = sheet.maybe_text(section, "instructions") {
        // Nobody but us knows it: the key is its id.
        let value = key.map(|key| key.value.clone()).unwrap_or_default();
        named.push((
            TargetKind::Manual,
            At {
                line: said.line,
                value,
            },
        ));
    }
    let directory = ["group", "app_role", "resource", "licence"]
        .into_iter()
        .any(|word| sheet.maybe_text(section, word).is_some());
    match named.pop() {
        Some((kind, id)) if named.is_empty() && !directory => Some(At {
            line: id.line,
            value: Right::At {
                target: target.value,
                kind,
                id: id.value,
            },
        }),
        _ => {
            sheet.fault(
                target.line,
                "it is not said what this is at the target: add one of `scim_group`, `ldap_group`, `right` (the word that a webhook is sent) or `instructions` (what is done by hand)",
            );
            None
        }
    }
}

fn portal_role(sheet: &mut Sheet, word: &At<String>) -> Option<At<Right>> {
    if let Ok(role) = word.value.parse() {
        return Some(At {
            line: word.line,
            value: Right::PortalRole { role },
        });
    }
    let known: Vec<&str> = PortalRole::ALL.iter().map(|role| role.as_str()).collect();
    let what = format!(
        "`portal_role` {:?} is not known: use one of {}",
        word.value,
        quoted(&known)
    );
    sheet.fault(word.line, what);
    None
}

/// An object id that may be there; its value is none if it is not one.
pub(super) fn object(
    sheet: &mut Sheet,
    section: Section<'_>,
    key: &str,
) -> Option<At<Option<Uuid>>> {
    let text = sheet.maybe_text(section, key)?;
    let value = Uuid::try_parse(&text.value).ok();
    if value.is_none() {
        sheet.fault(
            text.line,
            format!("`{key}` {:?} is no object id: copy it from Entra, it looks like 00000000-0000-0000-0000-000000000000", text.value),
        );
    }
    Some(At {
        line: text.line,
        value,
    })
}

pub(super) fn read_mention(
    sheet: &mut Sheet,
    section: Section<'_>,
    part: &'static str,
) -> Option<Mention> {
    sheet.only(section, &["id", "name"]);
    let called = sheet.maybe_text(section, "name").map(|text| text.value);
    let Some(id) = object(sheet, section, "id") else {
        sheet.fault(section.line, "`id` is missing: name people by their Entra object id, as { id = \"…\", name = \"…\" }");
        return None;
    };
    let mention = Mention {
        object: id.value?,
        called,
        line: id.line,
    };
    sheet.people.push((mention.clone(), part));
    Some(mention)
}

pub(super) fn read_mentions(
    sheet: &mut Sheet,
    section: Section<'_>,
    key: &str,
    part: &'static str,
) -> Vec<Mention> {
    let mut found = Vec::new();
    for item in sheet.mixed(section, key).unwrap_or_default() {
        match item.value {
            Item::Table(table) => found.extend(read_mention(sheet, table, part)),
            Item::Word(_) => sheet.fault(
                item.line,
                format!(
                    "`{key}` holds a bare word: write people as {{ id = \"…\", name = \"…\" }}"
                ),
            ),
        }
    }
    found
}
