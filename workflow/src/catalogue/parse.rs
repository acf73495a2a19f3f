//! From the text of the files to applications, entitlements and packages whose people are still object ids.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    catalogue::{Application, Attribute, Condition, Question, Right, say_span},
    policy::{ApproverRule, Limits, QuestionKind, Quorum, SHORTEST_SECONDS},
};
use toml::de::DeTable;
use uuid::Uuid;

use super::{
    SourceFile,
    sheet::{At, Fault, Item, Section, Sheet, nearest, quoted},
};

/// Everything that the files say, with places.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub applications: BTreeMap<String, Application>,
    pub entitlements: Vec<DraftEntitlement>,
    pub packages: Vec<DraftPackage>,
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
}

#[derive(Debug)]
pub(super) struct DraftStage {
    pub approvers: ApproverRule,
    pub named: Vec<Mention>,
    pub quorum: Quorum,
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
    pub route: Vec<DraftStage>,
    pub collapse: Option<usize>,
    pub limits: Limits,
    pub questions: Vec<Question>,
}

/// How far ahead a start may lie, if the file does not say.
const FURTHEST_START: i64 = 30 * 86_400;
/// How long a line may wait, if the file does not say.
const PENDING: i64 = 14 * 86_400;

/// Reads all files. Faults are added to `faults`; what is faulty is left out of the draft.
pub(super) fn parse(files: &[SourceFile], faults: &mut Vec<Fault>) -> Draft {
    let mut draft = Draft::default();
    let mut keys = Keys::default();
    for file in files {
        let mut sheet = Sheet::new(&file.path, &file.text);
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        if errors.is_empty() {
            let whole = sheet.whole(&table);
            read_file(&mut sheet, whole, &mut draft, &mut keys);
        } else {
            sheet.syntax(&errors);
        }
        faults.append(&mut sheet.faults);
    }
    draft
}

/// Keys seen so far, and where.
#[derive(Default)]
struct Keys(BTreeMap<(&'static str, String), String>);

impl Keys {
    fn take(&mut self, sheet: &mut Sheet, what: &'static str, key: &At<String>) {
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
    sheet.only(whole, &["application", "entitlement", "package"]);
    let Some(section) = sheet.section(whole, "application") else {
        if sheet.faults.is_empty() {
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
            "name",
            "summary",
            "privileged",
            "control_scope",
            "effective_within",
            "owner",
        ],
    );
    let key = sheet.text(section, "key", "\"orders-read\"");
    let name = sheet.text(section, "name", "\"sg-orders-read\"");
    let summary = sheet.maybe_text(section, "summary");
    let control_scope = sheet.maybe_text(section, "control_scope");
    let within = sheet.maybe_span(section, "effective_within");
    let right = read_right(sheet, section);
    let owner = sheet
        .section(section, "owner")
        .and_then(|section| read_mention(sheet, section));
    let privileged = sheet.flag(section, "privileged");
    let key = key?;
    keys.take(sheet, "entitlement", &key);
    Some(DraftEntitlement {
        file: sheet.file.clone(),
        line: section.line,
        key: key.value,
        application: application.to_owned(),
        right: right?,
        name: name?.value,
        summary: summary.map(|text| text.value).unwrap_or_default(),
        privileged,
        control_scope: control_scope.map(|text| text.value),
        effective_within_seconds: within.map_or(0, |span| span.value),
        owner,
    })
}

fn read_right(sheet: &mut Sheet, section: Section<'_>) -> Option<At<Right>> {
    let group = object(sheet, section, "group");
    let role = object(sheet, section, "app_role");
    let resource = object(sheet, section, "resource");
    match (group, role, resource) {
        (Some(group), None, None) => Some(At {
            line: group.line,
            value: Right::Group { id: group.value? },
        }),
        (None, Some(role), Some(resource)) => Some(At {
            line: role.line,
            value: Right::AppRole {
                role: role.value?,
                resource: resource.value?,
            },
        }),
        _ => {
            sheet.fault(
                section.line,
                "it is not said what this is at the target: add `group` with the group's object id, or `app_role` with the role's id and `resource` with the service principal's object id",
            );
            None
        }
    }
}

/// An object id that may be there; its value is none if it is not one.
fn object(sheet: &mut Sheet, section: Section<'_>, key: &str) -> Option<At<Option<Uuid>>> {
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

fn read_mention(sheet: &mut Sheet, section: Section<'_>) -> Option<Mention> {
    sheet.only(section, &["id", "name"]);
    let called = sheet.maybe_text(section, "name").map(|text| text.value);
    let Some(id) = object(sheet, section, "id") else {
        sheet.fault(section.line, "`id` is missing: name people by their Entra object id, as { id = \"…\", name = \"…\" }");
        return None;
    };
    Some(Mention {
        object: id.value?,
        called,
        line: id.line,
    })
}

fn read_mentions(sheet: &mut Sheet, section: Section<'_>, key: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    for item in sheet.mixed(section, key).unwrap_or_default() {
        match item.value {
            Item::Table(table) => found.extend(read_mention(sheet, table)),
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

fn read_package(
    sheet: &mut Sheet,
    section: Section<'_>,
    application: &str,
    keys: &mut Keys,
) -> Option<DraftPackage> {
    sheet.only(
        section,
        &[
            "key",
            "name",
            "summary",
            "opens",
            "entitlements",
            "owners",
            "synonyms",
            "eligibility",
            "route",
            "collapse",
            "default",
            "longest",
            "permanent",
            "furthest_start",
            "pending",
            "question",
        ],
    );
    let key = sheet.text(section, "key", "\"orders-read\"");
    if let Some(key) = &key {
        keys.take(sheet, "package", key);
    }
    let name = sheet.text(section, "name", "\"Orders, read\"");
    let summary = sheet.maybe_text(section, "summary");
    let opens = sheet.texts(section, "opens");
    if opens.is_empty() {
        sheet.fault(
            section.line,
            "`opens` is missing: say in plain words what it opens, as [\"Look up orders.\"]",
        );
    }
    let entitlements = sheet.texts(section, "entitlements");
    if entitlements.is_empty() {
        sheet.fault(
            section.line,
            "`entitlements` is missing: list the keys of what it gives",
        );
    }
    let owners = read_mentions(sheet, section, "owners");
    if owners.is_empty() {
        sheet.fault(
            section.line,
            "the package has no owner: add owners = [{ id = \"…\", name = \"…\" }]",
        );
    }
    let synonyms = sheet.texts(section, "synonyms");
    let eligibility = read_eligibility(sheet, section);
    let route = read_route(sheet, section);
    let limits = read_limits(sheet, section);
    let questions = read_questions(sheet, section);
    let collapse = sheet.flag(section, "collapse").then_some(section.line);
    let texts = |list: Vec<At<String>>| list.into_iter().map(|at| at.value).collect();
    Some(DraftPackage {
        file: sheet.file.clone(),
        line: section.line,
        key: key?.value,
        application: application.to_owned(),
        name: name?.value,
        summary: summary.map(|text| text.value).unwrap_or_default(),
        opens: texts(opens),
        entitlements,
        owners,
        synonyms: texts(synonyms),
        eligibility,
        route: route?,
        collapse,
        limits: limits?,
        questions,
    })
}

fn read_limits(sheet: &mut Sheet, section: Section<'_>) -> Option<Limits> {
    let default = sheet.span(section, "default", "\"8 hours\"");
    let longest = sheet.span(section, "longest", "\"30 days\"");
    let furthest = sheet.maybe_span(section, "furthest_start");
    let pending = sheet.maybe_span(section, "pending");
    let permanent = sheet.flag(section, "permanent");
    let (default, longest) = (default?, longest?);
    if default.value > longest.value {
        let most = say_span(longest.value);
        sheet.fault(
            default.line,
            format!(
                "`longest` is {most} but `default` is {}: make default at most {most}",
                say_span(default.value)
            ),
        );
    }
    if default.value < SHORTEST_SECONDS {
        sheet.fault(
            default.line,
            format!(
                "`default` is under {}: make it longer",
                say_span(SHORTEST_SECONDS)
            ),
        );
    }
    Some(Limits {
        default_seconds: default.value,
        longest_seconds: longest.value,
        permanent,
        furthest_start_seconds: furthest.map_or(FURTHEST_START, |span| span.value),
        pending_seconds: pending.map_or(PENDING, |span| span.value),
    })
}

/// The words of a route, as the files say them.
const STAGES: &[(&str, ApproverRule)] = &[
    ("manager", ApproverRule::Manager),
    ("managers_manager", ApproverRule::ManagersManager),
    ("sponsor", ApproverRule::Sponsor),
    ("owner", ApproverRule::PackageOwner),
    ("security", ApproverRule::Security),
    ("named", ApproverRule::Named),
];

fn read_route(sheet: &mut Sheet, section: Section<'_>) -> Option<Vec<DraftStage>> {
    let Some(items) = sheet.mixed(section, "route") else {
        sheet.fault(
            section.line,
            "`route` is missing: say who decides, as route = [\"manager\", \"security\"]; route = \"none\" approves by policy alone",
        );
        return None;
    };
    if let [
        At {
            value: Item::Word("none"),
            ..
        },
    ] = items[..]
    {
        return Some(Vec::new());
    }
    if items.is_empty() {
        sheet.fault(section.line, "`route` is empty: say who decides, or write route = \"none\" to approve by policy alone");
        return None;
    }
    let before = sheet.faults.len();
    let stages = items
        .iter()
        .filter_map(|item| read_stage(sheet, item))
        .collect();
    (sheet.faults.len() == before).then_some(stages)
}

fn read_stage(sheet: &mut Sheet, item: &At<Item<'_>>) -> Option<DraftStage> {
    let known: Vec<&str> = STAGES.iter().map(|(word, _)| *word).collect();
    let rule = |sheet: &mut Sheet, line: usize, word: &str| {
        let found = STAGES
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, rule)| *rule);
        if found.is_none() {
            let fix = nearest(word, known.iter().copied()).map_or_else(
                || format!("use one of {}", quoted(&known)),
                |near| format!("did you mean `{near}`?"),
            );
            sheet.fault(line, format!("`{word}` does not say who decides: {fix}"));
        }
        found
    };
    match item.value {
        Item::Word(word) => {
            let approvers = rule(sheet, item.line, word)?;
            if approvers == ApproverRule::Named {
                sheet.fault(item.line, "nobody is named: write the stage as { approvers = \"named\", people = [{ id = \"…\", name = \"…\" }] }");
                return None;
            }
            Some(DraftStage {
                approvers,
                named: Vec::new(),
                quorum: Quorum::Count(1),
            })
        }
        Item::Table(section) => {
            sheet.only(section, &["approvers", "people", "quorum"]);
            let word = sheet.text(section, "approvers", "\"named\"")?;
            let approvers = rule(sheet, word.line, &word.value)?;
            let named = read_mentions(sheet, section, "people");
            if (approvers == ApproverRule::Named) == named.is_empty() {
                sheet.fault(section.line, "`people` goes with approvers = \"named\", and only with it: add them, or take them out");
                return None;
            }
            let quorum = read_quorum(sheet, section)?;
            let different: BTreeSet<Uuid> = named.iter().map(|mention| mention.object).collect();
            if let Quorum::Count(count) = quorum
                && approvers == ApproverRule::Named
                && usize::from(count) > different.len()
            {
                sheet.fault(
                    section.line,
                    format!(
                        "`quorum` is {count} but only {} are named: name more people, or lower it",
                        different.len()
                    ),
                );
                return None;
            }
            Some(DraftStage {
                approvers,
                named,
                quorum,
            })
        }
    }
}

fn read_quorum(sheet: &mut Sheet, section: Section<'_>) -> Option<Quorum> {
    let said = sheet.number_or_all(section, "quorum");
    match said {
        None => Some(Quorum::Count(1)),
        Some(At { value: None, .. }) => Some(Quorum::All),
        Some(At {
            line,
            value: Some(count),
        }) => {
            let count = u8::try_from(count)
                .ok()
                .filter(|count| (1..=10).contains(count));
            if count.is_none() {
                sheet.fault(
                    line,
                    "`quorum` must be 1 to 10, or \"all\": write how many must say yes",
                );
            }
            count.map(Quorum::Count)
        }
    }
}

fn read_eligibility(sheet: &mut Sheet, section: Section<'_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for section in sheet.sections(section, "eligibility") {
        sheet.only(section, &["attribute", "any_of", "none_of", "explain"]);
        let attribute = sheet.text(section, "attribute", "\"department\"");
        let explain = sheet.text(section, "explain", "\"Only for people in Finance.\"");
        let any_of = sheet.texts(section, "any_of");
        let none_of = sheet.texts(section, "none_of");
        if any_of.is_empty() && none_of.is_empty() {
            sheet.fault(
                section.line,
                "the condition says nothing, so nobody would meet it: add `any_of` or `none_of`",
            );
        }
        let (Some(attribute), Some(explain)) = (attribute, explain) else {
            continue;
        };
        let Ok(known) = attribute.value.parse::<Attribute>() else {
            let words: Vec<&str> = Attribute::ALL.iter().map(|word| word.as_str()).collect();
            sheet.fault(
                attribute.line,
                format!(
                    "`{}` is not an attribute: use one of {}",
                    attribute.value,
                    quoted(&words)
                ),
            );
            continue;
        };
        conditions.push(Condition {
            attribute: known,
            any_of: any_of.into_iter().map(|at| at.value).collect(),
            none_of: none_of.into_iter().map(|at| at.value).collect(),
            explain: explain.value,
        });
    }
    conditions
}

fn read_questions(sheet: &mut Sheet, section: Section<'_>) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for section in sheet.sections(section, "question") {
        sheet.only(section, &["key", "ask", "choices", "required"]);
        let key = sheet.text(section, "key", "\"ticket\"");
        let ask = sheet.text(section, "ask", "\"Which ticket is this for?\"");
        let choices: Vec<String> = sheet
            .texts(section, "choices")
            .into_iter()
            .map(|at| at.value)
            .collect();
        let required = sheet.flag(section, "required");
        let (Some(key), Some(ask)) = (key, ask) else {
            continue;
        };
        if choices.len() == 1 {
            sheet.fault(section.line, "`choices` offers only one answer: offer at least two, or leave it out for free text");
        }
        if questions.iter().any(|question| question.key == key.value) {
            sheet.fault(
                key.line,
                format!(
                    "the question `{}` stands twice in this package: give one another key",
                    key.value
                ),
            );
        }
        questions.push(Question {
            key: key.value,
            ask: ask.value,
            kind: if choices.is_empty() {
                QuestionKind::Text
            } else {
                QuestionKind::Choice
            },
            choices,
            required,
        });
    }
    questions
}
