//! Separation-of-duties rules in the files: read, checked, and brought to the tables of the published edition.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    CatalogueVersionId, ConflictId, EntitlementId,
    catalogue::{Conflict, Content, Names, Right},
    conflict::{Severity, Side},
};
use store::conflicts::ConflictRow;

use super::{
    parse::{Draft, Keys, Mention, read_mention},
    resolve::Known,
    sheet::{At, Section, Sheet, nearest, quoted},
};
use crate::{Result, Unit};

/// One rule as a file says it.
#[derive(Debug)]
pub(super) struct DraftConflict {
    pub file: String,
    pub line: usize,
    pub key: String,
    pub name: String,
    pub explain: String,
    pub severity: Severity,
    pub owner: Mention,
    pub left: DraftSide,
    pub right: DraftSide,
}

/// One side, with the places where it names something.
#[derive(Debug, Default)]
pub(super) struct DraftSide {
    pub packages: Vec<At<String>>,
    pub entitlements: Vec<At<String>>,
}

impl DraftSide {
    fn names(&self) -> Names {
        let keys = |list: &[At<String>]| list.iter().map(|at| at.value.clone()).collect();
        Names {
            packages: keys(&self.packages),
            entitlements: keys(&self.entitlements),
        }
    }
}

/// Reads a `[[conflict]]`. Faulty ones are left out.
pub(super) fn read_conflict(
    sheet: &mut Sheet,
    section: Section<'_>,
    keys: &mut Keys,
) -> Option<DraftConflict> {
    sheet.only(
        section,
        &[
            "key", "name", "explain", "severity", "owner", "left", "right",
        ],
    );
    let key = sheet.text(section, "key", "\"prepare-and-approve\"");
    if let Some(key) = &key {
        keys.take(sheet, "conflict", key);
    }
    let name = sheet.text(section, "name", "\"Prepare and approve payments\"");
    let explain = sheet.text(
        section,
        "explain",
        "\"Nobody releases a payment that they prepared.\"",
    );
    let severity = read_severity(sheet, section);
    let owner = sheet.section(section, "owner");
    if owner.is_none() {
        sheet.fault(section.line, "`owner` is missing: say who answers for it in the business, as owner = { id = \"…\", name = \"…\" }");
    }
    let owner = owner.and_then(|owner| read_mention(sheet, owner, "the business owner"));
    let left = read_side(sheet, section, "left");
    let right = read_side(sheet, section, "right");
    Some(DraftConflict {
        file: sheet.file.clone(),
        line: section.line,
        key: key?.value,
        name: name?.value,
        explain: explain?.value,
        severity: severity?,
        owner: owner?,
        left: left?,
        right: right?,
    })
}

fn read_severity(sheet: &mut Sheet, section: Section<'_>) -> Option<Severity> {
    let text = sheet.text(section, "severity", "\"high\"")?;
    let read = text.value.parse().ok();
    if read.is_none() {
        let known: Vec<&str> = Severity::ALL.iter().map(|one| one.as_str()).collect();
        sheet.fault(
            text.line,
            format!(
                "`severity` {:?} is not known: use {}",
                text.value,
                quoted(&known)
            ),
        );
    }
    read
}

fn read_side(sheet: &mut Sheet, section: Section<'_>, side: &str) -> Option<DraftSide> {
    let Some(table) = sheet.section(section, side) else {
        sheet.fault(
            section.line,
            format!(
                "`{side}` is missing: say what the side is, as {side} = {{ packages = [\"…\"], entitlements = [\"…\"] }}"
            ),
        );
        return None;
    };
    sheet.only(table, &["packages", "entitlements"]);
    let read = DraftSide {
        packages: sheet.texts(table, "packages"),
        entitlements: sheet.texts(table, "entitlements"),
    };
    if read.packages.is_empty() && read.entitlements.is_empty() {
        sheet.fault(
            table.line,
            format!("`{side}` is empty: name packages or entitlements"),
        );
        return None;
    }
    Some(read)
}

/// Adds the rules to the content. Whatever a side names must be defined, and what both sides name says nothing about
/// either: each must have something of its own.
pub(super) fn resolve(known: &mut Known, draft: &Draft, content: &mut Content) {
    let packages: BTreeSet<&str> = draft.packages.iter().map(|one| one.key.as_str()).collect();
    let defined: BTreeSet<&str> = draft.defined.iter().map(String::as_str).collect();
    for rule in &draft.conflicts {
        for side in [&rule.left, &rule.right] {
            check(known, rule, "package", &side.packages, &packages);
            check(known, rule, "entitlement", &side.entitlements, &defined);
        }
        let Some(owner) = known.person(&rule.owner) else {
            continue;
        };
        let conflict = Conflict {
            name: rule.name.clone(),
            explain: rule.explain.clone(),
            severity: rule.severity,
            owner,
            left: rule.left.names(),
            right: rule.right.names(),
        };
        let (left, right) = content.sides(&conflict);
        if left.is_empty() || right.is_empty() {
            let what = "one side has nothing that the other has not: name rights that are on one side only".to_owned();
            known.fault(&rule.file, rule.line, what);
        }
        content.conflicts.insert(rule.key.clone(), conflict);
    }
}

fn check(
    known: &mut Known,
    rule: &DraftConflict,
    what: &str,
    named: &[At<String>],
    defined: &BTreeSet<&str>,
) {
    for key in named {
        if defined.contains(key.value.as_str()) {
            continue;
        }
        let fix = nearest(&key.value, defined.iter().copied()).map_or_else(
            || format!("add a [[{what}]] with that key"),
            |near| format!("did you mean `{near}`?"),
        );
        let said = format!("the {what} `{}` is not defined: {fix}", key.value);
        known.fault(&rule.file, key.line, said);
    }
}

/// Brings the tables to the rules of this edition, and has everybody looked at whom they may concern. A rule that the files
/// no longer say is retired.
pub(super) async fn save(
    unit: &mut Unit,
    edition: CatalogueVersionId,
    rights: &BTreeMap<Right, EntitlementId>,
    after: &Content,
) -> Result<()> {
    let mut known: BTreeMap<String, ConflictRow> = unit
        .tx
        .all_conflicts()
        .await?
        .into_iter()
        .map(|row| (row.key.clone(), row))
        .collect();
    if known.is_empty() && after.conflicts.is_empty() {
        return Ok(());
    }
    for (key, rule) in &after.conflicts {
        let id: ConflictId = known
            .remove(key)
            .map_or_else(|| unit.new_id(), |row| row.id);
        let row = ConflictRow {
            id,
            key: key.clone(),
            name: rule.name.clone(),
            explain: rule.explain.clone(),
            severity: rule.severity,
            owner_id: rule.owner,
            catalogue_version_id: edition,
            retired: false,
        };
        unit.tx.save_conflict(&row).await?;
        let (left, right) = after.sides(rule);
        let on = |set: BTreeSet<Right>, side: Side| {
            set.into_iter()
                .filter_map(|right| rights.get(&right).map(|id| (*id, side)))
                .collect::<Vec<_>>()
        };
        let sides = [on(left, Side::Left), on(right, Side::Right)].concat();
        unit.tx.set_conflict_rights(id, &sides).await?;
    }
    for row in known.into_values().filter(|row| !row.retired) {
        unit.tx
            .save_conflict(&ConflictRow {
                retired: true,
                ..row
            })
            .await?;
    }
    crate::findings::scan_everybody(unit);
    Ok(())
}
