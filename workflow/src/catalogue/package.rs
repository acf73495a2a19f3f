//! Reading one package: who may ask, for how long, who decides.

use domain::{
    catalogue::{Attribute, Condition, say_span},
    policy::{Limits, RiskRule, SHORTEST_SECONDS},
    risk::RiskLevel,
};

use super::{
    asking::{check_break_glass, read_asking, read_questions},
    parse::{DraftPackage, Keys, read_mentions},
    route::read_route,
    sheet::{At, Section, Sheet, quoted},
};

/// How far ahead a start may lie, if the file does not say.
const FURTHEST_START: i64 = 30 * 86_400;
/// How long a line may wait, if the file does not say.
const PENDING: i64 = 14 * 86_400;

/// How many times the longest ask it may be held without a break, if the file does not say.
const CONTINUOUS: i64 = 4;

/// Reads a `[[package]]`. Faulty ones are left out; whom and what they name is kept for checking.
pub(super) fn read_package(
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
            "cedar",
            "route",
            "collapse",
            "default",
            "longest",
            "continuous",
            "permanent",
            "furthest_start",
            "pending",
            "question",
            "risk",
            "auto_approve_below",
            "step_up",
            "for_others",
            "most_holders",
            "ticket",
            "break_glass",
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
    sheet.references.extend(entitlements.iter().cloned());
    let owners = read_mentions(sheet, section, "owners", "the owner");
    if owners.is_empty() {
        sheet.fault(
            section.line,
            "the package has no owner: add owners = [{ id = \"…\", name = \"…\" }]",
        );
    }
    let synonyms = sheet.texts(section, "synonyms");
    let eligibility = read_eligibility(sheet, section);
    let cedar = sheet.maybe_text(section, "cedar");
    let route = read_route(sheet, section);
    let limits = read_limits(sheet, section);
    let questions = read_questions(sheet, section);
    let risk = read_risk(sheet, section);
    let asking = read_asking(sheet, section);
    let collapse = sheet.flag(section, "collapse").then_some(section.line);
    if let (Some(route), Some(limits)) = (&route, &limits) {
        let open_to_all = eligibility.is_empty() && cedar.is_none();
        check_break_glass(
            sheet,
            section,
            &asking,
            (route.is_empty(), open_to_all),
            *limits,
        );
    }
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
        cedar,
        route: route?,
        collapse,
        limits: limits?,
        questions,
        risk,
        asking,
    })
}

fn read_risk(sheet: &mut Sheet, section: Section<'_>) -> RiskRule {
    let mut risk = RiskRule {
        step_up: sheet.flag(section, "step_up"),
        ..RiskRule::default()
    };
    if let Some(level) = sheet.maybe_text(section, "risk") {
        if let Ok(read) = level.value.parse::<RiskLevel>() {
            risk.level = read;
        } else {
            let known: Vec<&str> = RiskLevel::ALL.iter().map(|one| one.as_str()).collect();
            sheet.fault(
                level.line,
                format!(
                    "`risk` {:?} is not known: use {}",
                    level.value,
                    quoted(&known)
                ),
            );
        }
    }
    if let Some(below) = sheet.number_or_all(section, "auto_approve_below") {
        match below.value.and_then(|number| u32::try_from(number).ok()) {
            Some(number) if number > 0 => risk.auto_approve_below = Some(number),
            _ => sheet.fault(
                below.line,
                "`auto_approve_below` is no number of risk points: write one over 0, without quotes",
            ),
        }
    }
    risk
}

fn read_limits(sheet: &mut Sheet, section: Section<'_>) -> Option<Limits> {
    let default = sheet.span(section, "default", "\"8 hours\"");
    let longest = sheet.span(section, "longest", "\"30 days\"");
    let continuous = sheet.maybe_span(section, "continuous");
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
    if let Some(continuous) = &continuous
        && continuous.value < longest.value
    {
        let least = say_span(longest.value);
        sheet.fault(
            continuous.line,
            format!(
                "`longest` is {least} but `continuous` is {}: make continuous at least {least}",
                say_span(continuous.value)
            ),
        );
    }
    Some(Limits {
        default_seconds: default.value,
        longest_seconds: longest.value,
        continuous_seconds: continuous.map_or_else(
            || longest.value.saturating_mul(CONTINUOUS),
            |span| span.value,
        ),
        permanent,
        furthest_start_seconds: furthest.map_or(FURTHEST_START, |span| span.value),
        pending_seconds: pending.map_or(PENDING, |span| span.value),
    })
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
