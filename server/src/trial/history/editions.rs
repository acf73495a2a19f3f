//! Editions of the catalogue in the course of the year, made from the sample company's own files.

use domain::{CatalogueVersionId, Refusal};
use sandbox::company;
use workflow::{
    Error,
    catalogue::{self, Applied, SourceFile},
    fresh::Act,
};

use super::{
    Past,
    actors::{Actors, signed_in_again},
};

/// The file that says what one person must not hold together: it comes late in the year, so that something stands.
pub(in crate::trial) const RULES: &str = "conflicts.toml";

/// A step in the life of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    /// Two packages are offered for less time: in force at once.
    Narrow,
    /// The files as they are today: it widens, so it waits for a second person …
    WidenAgain,
    /// … who confirms it.
    Confirm(CatalogueVersionId),
    /// What one person must not hold together is said for the first time.
    Rules,
    /// What waits today: longer stays abroad.
    Waiting,
}

/// Hands an edition in, or confirms one. Gives what follows, and after how many minutes.
pub(super) async fn hand_in(
    past: &Past<'_>,
    actors: &Actors,
    edition: Edition,
) -> workflow::Result<Option<(i64, Edition)>> {
    let drafter = actors.person(company::user("freja.madsen"));
    let apply = |files: Vec<SourceFile>| async move {
        catalogue::apply(past.workflow, past.tenant, &files, drafter).await
    };
    match edition {
        Edition::Narrow => {
            let files = before_the_rules(&[
                (
                    "figma-editor",
                    "longest = \"1 year\"",
                    "longest = \"180 days\"",
                ),
                (
                    "model-training",
                    "longest = \"90 days\"",
                    "longest = \"60 days\"",
                ),
            ]);
            apply(files).await.map(|_| None)
        }
        Edition::WidenAgain => Ok(match apply(before_the_rules(&[])).await? {
            Applied::Pending { id, .. } => Some((95, Edition::Confirm(id))),
            Applied::Published { .. } | Applied::Unchanged => None,
        }),
        Edition::Confirm(id) => {
            let person = actors
                .person(company::user("nils.aberg"))
                .ok_or(workflow::Error::Missing)?;
            let viewer = actors.viewer(past.workflow, person).await?;
            let confirmed = match catalogue::confirm(past.workflow, &viewer, id).await {
                Err(Error::Refused(refusals)) if refusals == [Refusal::WantsFreshSignIn] => {
                    signed_in_again(past.workflow, &viewer, Act::Publish(id)).await
                }
                other => other,
            };
            confirmed.map(|()| None)
        }
        Edition::Rules => apply(files(&[])).await.map(|_| None),
        Edition::Waiting => {
            let files = files(&[(
                "vpn-abroad",
                "longest = \"30 days\"",
                "longest = \"60 days\"",
            )]);
            apply(files).await.map(|_| None)
        }
    }
}

/// The files as they were before rules stood in them.
fn before_the_rules(edits: &[(&str, &str, &str)]) -> Vec<SourceFile> {
    let mut files = files(edits);
    files.retain(|file| !file.path.ends_with(RULES));
    files
}

/// The sample company's files, with a line of some packages replaced.
fn files(edits: &[(&str, &str, &str)]) -> Vec<SourceFile> {
    company::catalogue()
        .into_iter()
        .map(|(path, text)| {
            let mut text = text.to_owned();
            for (key, old, new) in edits {
                if let Some(start) = text.find(&format!("[[package]]\nkey = \"{key}\"")) {
                    let (before, package) = text.split_at(start);
                    text = format!("{before}{}", package.replacen(old, new, 1));
                }
            }
            SourceFile {
                path: path.to_owned(),
                text,
            }
        })
        .collect()
}
