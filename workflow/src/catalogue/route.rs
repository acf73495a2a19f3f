//! Reading a package's route: who decides, how many of them, and who else if they cannot.

use std::collections::BTreeSet;

use domain::{
    calendar::{WorkingSpan, read_working_span},
    person::PortalRole,
    policy::{ApproverRule, Quorum, Silence, SilenceEnd, StageRule},
};
use uuid::Uuid;

use super::{
    parse::{DraftStage, object, read_mentions},
    sheet::{At, Item, Section, Sheet, nearest, quoted},
};

/// The words of a route, as the files say them.
const STAGES: &[(&str, ApproverRule)] = &[
    ("manager", ApproverRule::Manager),
    ("managers_manager", ApproverRule::ManagersManager),
    ("sponsor", ApproverRule::Sponsor),
    ("owner", ApproverRule::PackageOwner),
    ("entitlement_owner", ApproverRule::EntitlementOwner),
    ("security", ApproverRule::Security),
    ("role", ApproverRule::Role),
    ("group", ApproverRule::Group),
    ("named", ApproverRule::Named),
];

/// Reads who decides, stage by stage; none for approval by policy alone.
pub(super) fn read_route(sheet: &mut Sheet, section: Section<'_>) -> Option<Vec<DraftStage>> {
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
    if let Some(more) = items.get(StageRule::MOST) {
        sheet.fault(
            more.line,
            format!(
                "the route has {} stages: leave {} at most",
                items.len(),
                StageRule::MOST
            ),
        );
    }
    let stages: Vec<DraftStage> = items
        .iter()
        .filter_map(|item| read_stage(sheet, item))
        .collect();
    if let (Some(first), Some(item)) = (stages.first(), items.first())
        && first.rule.together
    {
        sheet.fault(
            item.line,
            "`together` is said of the first stage: say it of the one that opens with the stage before it",
        );
    }
    let rules: Vec<StageRule> = stages.iter().map(|stage| stage.rule.clone()).collect();
    for (position, item) in items.iter().enumerate() {
        let passes_on = rules
            .get(position)
            .and_then(|rule| rule.silence)
            .is_some_and(|silence| silence.end == SilenceEnd::PassOn);
        if sheet.faults.len() == before && passes_on && !StageRule::may_pass_on(&rules, position) {
            sheet.fault(
                item.line,
                "on_silence = \"pass_on\" has nobody to pass on to: add a later stage that opens after this one and is not passed on itself, or write \"deny\"",
            );
        }
    }
    (sheet.faults.len() == before).then_some(stages)
}

/// The rule behind a word, with a fault if there is none.
fn rule(sheet: &mut Sheet, line: usize, word: &str) -> Option<ApproverRule> {
    let found = STAGES
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, rule)| *rule);
    if found.is_none() {
        let known: Vec<&str> = STAGES.iter().map(|(word, _)| *word).collect();
        let fix = nearest(word, known.iter().copied()).map_or_else(
            || format!("use one of {}", quoted(&known)),
            |near| format!("did you mean `{near}`?"),
        );
        sheet.fault(line, format!("`{word}` does not say who decides: {fix}"));
    }
    found
}

fn read_stage(sheet: &mut Sheet, item: &At<Item<'_>>) -> Option<DraftStage> {
    match item.value {
        Item::Word(word) => {
            let approvers = rule(sheet, item.line, word)?;
            let fix = match approvers {
                ApproverRule::Named => {
                    "nobody is named: write the stage as { approvers = \"named\", people = [{ id = \"…\", name = \"…\" }] }"
                }
                ApproverRule::Role => {
                    "no role is said: write the stage as { approvers = \"role\", role = \"auditor\" }"
                }
                ApproverRule::Group => {
                    "no group is said: write the stage as { approvers = \"group\", group = \"<object id of an Entra group>\" }"
                }
                _ => {
                    return Some(DraftStage {
                        rule: StageRule::of(approvers, Quorum::Count(1)),
                        named: Vec::new(),
                        group: None,
                    });
                }
            };
            sheet.fault(item.line, fix);
            None
        }
        Item::Table(section) => read_table(sheet, section),
    }
}

fn read_table(sheet: &mut Sheet, section: Section<'_>) -> Option<DraftStage> {
    sheet.only(
        section,
        &[
            "approvers",
            "people",
            "role",
            "group",
            "quorum",
            "fallback",
            "together",
            "remind_after",
            "escalate_after",
            "on_silence",
            "silent_after",
        ],
    );
    let word = sheet.text(section, "approvers", "\"named\"")?;
    let approvers = rule(sheet, word.line, &word.value)?;
    let named = read_mentions(sheet, section, "people", "the approver");
    if (approvers == ApproverRule::Named) == named.is_empty() {
        sheet.fault(section.line, "`people` goes with approvers = \"named\", and only with it: add them, or take them out");
        return None;
    }
    let role = read_role(sheet, section, approvers).ok()?;
    let group = read_group(sheet, section, approvers).ok()?;
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
    let fallback = read_fallback(sheet, section)?;
    let remind_after = read_working(sheet, section, "remind_after");
    let escalate_after = read_working(sheet, section, "escalate_after");
    if escalate_after.is_some() && fallback.is_empty() {
        sheet.fault(
            section.line,
            "`escalate_after` has nobody to turn to, for `fallback` is empty: name somebody there, or take it out",
        );
    }
    let silence = read_silence(sheet, section);
    Some(DraftStage {
        rule: StageRule {
            role,
            group: group.as_ref().map(|group| group.value),
            silence,
            remind_after: remind_after.unwrap_or(StageRule::usual_reminder()),
            escalate_after,
            fallback,
            together: sheet.flag(section, "together"),
            ..StageRule::of(approvers, quorum)
        },
        named,
        group: group.map(|group| group.line),
    })
}

/// What the stage's silence does and when; both are said, or neither.
fn read_silence(sheet: &mut Sheet, section: Section<'_>) -> Option<Silence> {
    let after = read_working(sheet, section, "silent_after");
    let said = sheet.maybe_text(section, "on_silence");
    let (after, word) = match (after, said) {
        (Some(after), Some(word)) => (after, word),
        (Some(_), None) => {
            sheet.fault(
                section.line,
                "`silent_after` says when but not what: add on_silence = \"deny\", \"lapse\" or \"pass_on\"",
            );
            return None;
        }
        (None, Some(word)) => {
            sheet.fault(
                word.line,
                "`on_silence` says what but not when: add silent_after = \"3 working days\"",
            );
            return None;
        }
        (None, None) => return None,
    };
    let end: Option<SilenceEnd> = word.value.parse().ok();
    if end.is_none() {
        sheet.fault(
            word.line,
            format!(
                "`{}` is nothing that a silence does: use \"deny\", \"lapse\" or \"pass_on\"; it never approves",
                word.value
            ),
        );
    }
    end.map(|end| Silence { after, end })
}

/// A span of working time that may be there.
fn read_working(sheet: &mut Sheet, section: Section<'_>, key: &str) -> Option<WorkingSpan> {
    let text = sheet.maybe_text(section, key)?;
    let span = read_working_span(&text.value);
    if span.is_none() {
        sheet.fault(
            text.line,
            format!("`{key}` is no working time: write it as \"4 working hours\" or \"2 working days\", at most 100"),
        );
    }
    span
}

/// The portal role of a stage of rule `role`; nothing for the others. An error after a fault.
fn read_role(
    sheet: &mut Sheet,
    section: Section<'_>,
    approvers: ApproverRule,
) -> Result<Option<PortalRole>, ()> {
    let said = sheet.maybe_text(section, "role");
    match (approvers, said) {
        (ApproverRule::Role, Some(word)) => {
            let decides = |role: &PortalRole| !role.runs_portal() && *role != PortalRole::Security;
            let role = word.value.parse().ok().filter(decides);
            if role.is_none() {
                let known: Vec<&str> = PortalRole::ALL
                    .iter()
                    .filter(|role| decides(role))
                    .map(|role| role.as_str())
                    .collect();
                sheet.fault(
                    word.line,
                    format!(
                        "`{}` is not a role that decides: use one of {}; for security write approvers = \"security\"",
                        word.value,
                        quoted(&known)
                    ),
                );
            }
            role.map(Some).ok_or(())
        }
        (ApproverRule::Role, None) => {
            sheet.fault(
                section.line,
                "`role` is missing: say whose decision it is, as role = \"auditor\"",
            );
            Err(())
        }
        (_, Some(word)) => {
            sheet.fault(
                word.line,
                "`role` goes with approvers = \"role\", and only with it: take it out",
            );
            Err(())
        }
        (_, None) => Ok(None),
    }
}

/// The object id of the group of a stage of rule `group`; nothing for the others. An error after a fault.
fn read_group(
    sheet: &mut Sheet,
    section: Section<'_>,
    approvers: ApproverRule,
) -> Result<Option<At<Uuid>>, ()> {
    match (approvers, object(sheet, section, "group")) {
        (ApproverRule::Group, Some(At { line, value })) => {
            value.map(|value| Some(At { line, value })).ok_or(())
        }
        (ApproverRule::Group, None) => {
            sheet.fault(
                section.line,
                "`group` is missing: say whose members decide, as group = \"<object id of an Entra group>\"",
            );
            Err(())
        }
        (_, Some(word)) => {
            sheet.fault(
                word.line,
                "`group` goes with approvers = \"group\", and only with it: take it out",
            );
            Err(())
        }
        (_, None) => Ok(None),
    }
}

/// Who is asked where those whom the rule names cannot decide. None after a fault.
fn read_fallback(sheet: &mut Sheet, section: Section<'_>) -> Option<Vec<ApproverRule>> {
    let Some(items) = sheet.mixed(section, "fallback") else {
        return Some(StageRule::usual_fallback());
    };
    let mut chain = Vec::new();
    for item in &items {
        let found = match item.value {
            Item::Word(word) => rule(sheet, item.line, word)?,
            Item::Table(_) => {
                sheet.fault(
                    item.line,
                    "`fallback` holds a table: write words, as [\"owner\", \"security\"]",
                );
                return None;
            }
        };
        let fault = match found {
            ApproverRule::Named | ApproverRule::Role | ApproverRule::Group => Some(
                "a fallback names nobody by itself: use `manager`, `managers_manager`, `sponsor`, `owner`, `entitlement_owner` or `security`",
            ),
            found if chain.contains(&found) => {
                Some("this stands twice in `fallback`: take one out")
            }
            _ => None,
        };
        if let Some(fault) = fault {
            sheet.fault(item.line, fault);
            return None;
        }
        chain.push(found);
    }
    Some(chain)
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
