//! What applying a folder would change.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{
    PersonId, Refusal, Timestamp,
    catalogue::{Change, ChangeKind, Content, Difference, Facts, Thing, compare},
};
use store::{Tx, catalogue::CatalogueVersionRow};
use uuid::Uuid;

use super::{SourceFile, hash, resolve};
use crate::{Error, Result, Workflow, approver_groups};

/// What applying would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number of the published edition, if there is one.
    pub published: Option<i64>,
    /// SHA-256 of the files.
    pub file_hash: String,
    /// What is different.
    pub difference: Difference,
    /// Whether it would wait for a second person.
    pub waits: bool,
    /// What is offered already and can no longer be lent: it stops no other change, but nobody can ask for it.
    pub doubts: Vec<String>,
}

/// Compares the files with what is published. Changes nothing.
pub async fn plan(workflow: &Workflow, tenant: Uuid, files: &[SourceFile]) -> Result<Plan> {
    let mut tx = workflow.store().read().await?;
    let now = workflow.clock().now();
    Ok(compared(&mut tx, now, tenant, files).await?.plan)
}

/// A plan together with the content that it is about.
pub(super) struct Compared {
    pub plan: Plan,
    pub content: Content,
    pub published: Option<CatalogueVersionRow>,
}

pub(super) async fn compared(
    tx: &mut Tx,
    now: Timestamp,
    tenant: Uuid,
    files: &[SourceFile],
) -> Result<Compared> {
    let published = tx.published_catalogue().await?;
    let before = content_of(published.as_ref())?;
    let resolved = match resolve::resolve(tx, now, tenant, files, &before.offered()).await? {
        Ok(resolved) => resolved,
        Err(faults) => {
            let faults = faults.iter().map(ToString::to_string).collect();
            return Err(Refusal::Catalogue { faults }.into());
        }
    };
    let facts = facts(tx, resolved.names, &before, &resolved.content).await?;
    let difference = compare(&before, &resolved.content, &facts);
    let plan = Plan {
        published: published.as_ref().map(|row| row.number),
        file_hash: hash(files),
        // The very first edition of an empty installation widens nothing that anybody has.
        waits: published.is_some() && difference.widens(),
        doubts: resolved.doubts.iter().map(ToString::to_string).collect(),
        difference,
    };
    Ok(Compared {
        plan,
        content: resolved.content,
        published,
    })
}

/// The content of an edition; nothing if there is none.
pub(super) fn content_of(row: Option<&CatalogueVersionRow>) -> Result<Content> {
    let Some(row) = row else {
        return Ok(Content::default());
    };
    serde_json::from_str(&row.content).map_err(|error| {
        Error::internal(format!(
            "catalogue edition {} cannot be read: {error}",
            row.number
        ))
    })
}

/// Holders of packages, and names of the people and groups of both editions.
pub(super) async fn facts(
    tx: &mut Tx,
    mut names: BTreeMap<PersonId, String>,
    before: &Content,
    after: &Content,
) -> Result<Facts> {
    let holders = tx
        .package_holders()
        .await?
        .into_iter()
        .map(|row| (row.key, u64::try_from(row.people).unwrap_or(0)))
        .collect();
    let mut unnamed: Vec<PersonId> = people_of(before)
        .filter(|id| !names.contains_key(id))
        .collect();
    unnamed.sort_unstable();
    unnamed.dedup();
    for person in tx.persons(&unnamed).await? {
        names.insert(person.id, person.name);
    }
    let packages = before.packages.values().chain(after.packages.values());
    let groups: BTreeSet<Uuid> = packages
        .flat_map(|package| approver_groups::named(&package.policy.route))
        .collect();
    let groups = approver_groups::names(tx, groups).await?;
    Ok(Facts {
        holders,
        names,
        groups,
    })
}

/// Everybody whom an edition mentions.
pub(super) fn people_of(content: &Content) -> impl Iterator<Item = PersonId> {
    let packages = content.packages.values();
    let stages = packages.clone().flat_map(|package| &package.policy.route);
    packages
        .flat_map(|package| package.owners.iter().copied())
        .chain(stages.flat_map(|stage| stage.named.iter().copied()))
        .chain(content.entitlements.values().filter_map(|one| one.owner))
        .chain(content.conflicts.values().map(|one| one.owner))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.published {
            Some(number) => writeln!(f, "Compared with edition {number}:")?,
            None => writeln!(
                f,
                "Nothing is published yet; this would be the first edition:"
            )?,
        }
        for doubt in &self.doubts {
            writeln!(f, "  ? {doubt}")?;
        }
        if self.difference.is_empty() {
            return writeln!(f, "  no difference");
        }
        for change in &self.difference.changes {
            say(f, change)?;
        }
        if self.waits {
            writeln!(
                f,
                "\nIt widens what people may get, so a second person must confirm it in the portal; nothing of it takes effect before:"
            )?;
            for why in self.difference.reasons() {
                writeln!(f, "  ! {why}")?;
            }
        } else {
            writeln!(f, "\nIt would be published at once.")?;
        }
        Ok(())
    }
}

fn say(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    let sign = match change.kind {
        ChangeKind::Added => '+',
        ChangeKind::Changed => '~',
        ChangeKind::Removed => '-',
    };
    writeln!(
        f,
        "  {sign} {} {} ({})",
        change.thing, change.name, change.key
    )?;
    // Of something new, only what matters for a decision is said; the file says the rest.
    let brief = change.kind != ChangeKind::Changed;
    for field in &change.fields {
        match change.kind {
            ChangeKind::Changed => writeln!(
                f,
                "      {}: {} → {}",
                field.field,
                shown(&field.before),
                shown(&field.after)
            )?,
            ChangeKind::Added
                if change.thing == Thing::Package
                    && matches!(field.field.as_str(), "route" | "longest" | "eligibility") =>
            {
                writeln!(f, "      {}: {}", field.field, shown(&field.after))?;
            }
            _ => {}
        }
    }
    for effect in &change.effect {
        writeln!(f, "      {effect}")?;
    }
    if !brief {
        for why in &change.widens {
            writeln!(f, "      widens: {why}")?;
        }
    }
    Ok(())
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "(nothing)" } else { text }
}
