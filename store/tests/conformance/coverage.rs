//! Whether the script calls everything: the public methods, read from the sources, against the calls, read from here.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn texts(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        &mut found,
    );
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// Whether `name(` stands in `text` as a whole word.
fn calls(text: &str, name: &str) -> bool {
    let wanted = format!("{name}(");
    text.match_indices(&wanted).any(|(at, _)| {
        !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

#[test]
fn every_method_of_the_store_is_called() {
    let methods: BTreeSet<String> = texts("src")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("testing.rs"))
        .flat_map(|(_, text)| {
            text.lines()
                .filter_map(|line| line.trim_start().strip_prefix("pub async fn "))
                .filter_map(|rest| rest.split(['(', '<']).next().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(methods.len() > 100, "the search is wrong: {methods:?}");
    let here: Vec<(PathBuf, String)> = texts("tests/conformance");
    let missing: Vec<&String> = methods
        .iter()
        .filter(|name| !here.iter().any(|(_, text)| calls(text, name)))
        .collect();
    assert!(
        missing.is_empty(),
        "the conformance script does not call {missing:?}: add each to a file of store/tests/conformance"
    );
}
