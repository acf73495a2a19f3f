//! The catalogue lives in files: what they say, how it differs from what is published, and publishing it.
//!
//! Reading them ends in a list of all faults, each with file, line and fix, or in a [`domain::catalogue::Content`].
//! [`plan`] compares that with the published edition; [`apply`] publishes it in one transaction, or leaves it pending
//! if it widens what people may get. A second person then says [`confirm`] or [`refuse`]. [`import`] stores which
//! rights exist at the target and whether we can manage them; files may only offer what has been imported.
//!
//! Nothing here gives anybody access. An addition to a package reaches no present holder; a removal reaches all at once.

mod asking;
mod calendar;
mod conflict;
mod decide;
mod drafter;
mod import;
mod package;
mod parse;
mod plan;
mod powers;
mod publish;
mod resolve;
mod route;
mod sheet;

use std::{
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

pub(crate) use decide::{asked, by};
pub use decide::{confirm, refuse};
pub use drafter::drafter;
pub use import::{AppRoleFacts, ImportOutcome, Imported, LicenceFacts, import, unlisted};
pub use plan::{Plan, plan};
pub use publish::{Applied, apply};
pub use sheet::Fault;

/// One file of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFile {
    /// Where it is, as it is named in faults.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Reads every `.toml` file below a folder, sorted by path.
pub fn read_folder(folder: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "toml") {
                let text = std::fs::read_to_string(&path)?;
                let path = path.display().to_string();
                files.push(SourceFile { path, text });
            }
        }
    }
    files.sort();
    Ok(files)
}

/// SHA-256 over the files in order of their file names, hex: which text was published. Folders above them do not count,
/// so that the same catalogue has the same hash wherever it lies.
pub fn hash(files: &[SourceFile]) -> String {
    let mut named: Vec<(&str, &str)> = files
        .iter()
        .map(|file| {
            let name = file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path);
            (name, file.text.as_str())
        })
        .collect();
    named.sort_unstable();
    let mut hasher = Sha256::new();
    for (name, text) in named {
        for part in [name, text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    let digest = hasher.finalize();
    digest.iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
