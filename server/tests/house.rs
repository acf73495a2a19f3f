//! The house rules that no compiler holds: who may depend on whom (the table of `docs/architecture.md`), what must never
//! reach the browser, how long a file may get, and which words must not appear in sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates that bring a runtime, a driver, a framework or a protocol along: each room says which of them it may know.
const HEAVY: [&str; 9] = [
    "axum",
    "ldap3",
    "leptos",
    "leptos_axum",
    "lettre",
    "openidconnect",
    "reqwest",
    "sqlx",
    "tokio",
];

/// What one crate of the workspace may depend on, besides what is free to all.
struct Room {
    name: &'static str,
    /// Ours and heavy ones, always.
    may: &'static [&'static str],
    /// Only as an optional dependency: a feature that the WebAssembly leaves out brings it in.
    may_optionally: &'static [&'static str],
    /// Of ours, in tests only.
    may_in_tests: &'static [&'static str],
}

const HOUSE: [Room; 9] = [
    Room {
        name: "benches",
        may: &["sandbox", "store", "axum", "reqwest", "sqlx", "tokio"],
        may_optionally: &[],
        may_in_tests: &[],
    },
    Room {
        name: "domain",
        may: &[],
        may_optionally: &[],
        may_in_tests: &[],
    },
    Room {
        name: "store",
        may: &["domain", "sqlx", "tokio"],
        may_optionally: &[],
        // Its own feature `testing`.
        may_in_tests: &["store"],
    },
    Room {
        name: "workflow",
        may: &["domain", "store", "tokio"],
        may_optionally: &[],
        may_in_tests: &["sqlx"],
    },
    Room {
        name: "provisioner",
        may: &["domain", "store", "workflow", "reqwest", "ldap3", "tokio"],
        may_optionally: &[],
        may_in_tests: &["sandbox", "axum", "sqlx"],
    },
    Room {
        name: "app",
        may: &["domain", "leptos"],
        may_optionally: &["workflow", "leptos_axum", "axum", "tokio"],
        may_in_tests: &["tokio"],
    },
    Room {
        name: "frontend",
        may: &["app", "leptos"],
        may_optionally: &[],
        may_in_tests: &[],
    },
    Room {
        name: "sandbox",
        may: &["axum", "tokio"],
        may_optionally: &[],
        may_in_tests: &["reqwest"],
    },
    Room {
        name: "server",
        may: &[
            "app",
            "domain",
            "provisioner",
            "sandbox",
            "store",
            "workflow",
            "axum",
            "ldap3",
            "leptos",
            "leptos_axum",
            "lettre",
            "openidconnect",
            "reqwest",
            "sqlx",
            "tokio",
        ],
        may_optionally: &[],
        // What drives the running binary from outside.
        may_in_tests: &["benches"],
    },
];

/// Never in the browser, by any path.
const NOT_IN_WASM: [&str; 12] = [
    "axum",
    "hyper",
    "ldap3",
    "lettre",
    "mio",
    "openidconnect",
    "reqwest",
    "ring",
    "rustls",
    "sqlx",
    "sqlx-core",
    "tokio",
];

const LONGEST_FILE: usize = 800;

/// Words that no source holds, and the files in which they are at home.
fn forbidden_words() -> [(String, &'static [&'static str]); 7] {
    // Put together, so that this file does not hold them either.
    let word = |parts: &[&str]| parts.concat();
    [
        (word(&["TO", "DO"]), &[]),
        (word(&["FIX", "ME"]), &[]),
        (word(&["#[al", "low("]), &[]),
        (word(&["#![al", "low("]), &[]),
        (word(&["Utc::", "now"]), &["workflow/src/clock.rs"]),
        (
            word(&["SystemTime::", "now"]),
            &["workflow/src/clock.rs", "sandbox/src/clock.rs"],
        ),
        (word(&["Uuid::", "now_v7"]), &["workflow/src/clock.rs"]),
    ]
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("the server's crate lies inside the workspace")
        .to_path_buf()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the cargo that built this test can be run");
    assert!(
        output.status.success(),
        "cargo {arguments:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Every source that people wrote: by its path from the root, with its text.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).expect("the workspace can be read") {
            let path = entry.expect("the workspace can be read").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() {
                if !matches!(
                    name,
                    "target" | "node_modules" | ".git" | "var" | "results" | "contracts"
                ) {
                    walk(&path, root, found);
                }
            } else if matches!(
                path.extension().and_then(|extension| extension.to_str()),
                Some("rs" | "sql" | "ts" | "js" | "mjs" | "css" | "toml" | "yaml" | "yml")
            ) {
                let place = path
                    .strip_prefix(root)
                    .expect("it was found below the root");
                let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
                found.insert(place.to_string_lossy().replace('\\', "/"), text);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&root(), &root(), &mut found);
    assert!(
        found.len() > 20,
        "only {} sources were found: the walk is wrong",
        found.len()
    );
    found
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps"]))
            .expect("cargo metadata is JSON");
    let packages = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages");
    let ours: Vec<&str> = HOUSE.iter().map(|room| room.name).collect();
    let mut faults = Vec::new();

    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let Some(room) = HOUSE.iter().find(|room| room.name == name) else {
            faults.push(format!("{name} is not in the table: give it a room"));
            continue;
        };
        for dependency in package["dependencies"]
            .as_array()
            .expect("a package lists dependencies")
        {
            let other = dependency["name"]
                .as_str()
                .expect("a dependency has a name");
            if other == name || !(ours.contains(&other) || HEAVY.contains(&other)) {
                continue;
            }
            let optional = dependency["optional"].as_bool() == Some(true);
            let allowed = room.may.contains(&other)
                || (optional && room.may_optionally.contains(&other))
                || (dependency["kind"] == "dev"
                    && (room.may_in_tests.contains(&other) || other == "tokio"));
            if !allowed {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                faults.push(format!(
                    "{name} must not depend on {other} ({kind}, optional: {optional})"
                ));
            }
        }
    }
    for room in &HOUSE {
        if !packages.iter().any(|package| package["name"] == room.name) {
            faults.push(format!(
                "{} is in the table but not in the workspace",
                room.name
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_browser_gets_no_runtime_driver_or_protocol() {
    let wasm = [
        "--target=wasm32-unknown-unknown",
        "-e",
        "normal,no-proc-macro",
        "--prefix=none",
    ];
    let tree = cargo(&[&["tree", "-p", "frontend"], &wasm[..]].concat());
    let inside: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        inside.contains(&"leptos"),
        "the tree was not understood:\n{tree}"
    );
    let found: Vec<&&str> = NOT_IN_WASM
        .iter()
        .filter(|name| inside.contains(*name))
        .collect();
    assert!(
        found.is_empty(),
        "in the WebAssembly: {found:?}; see cargo tree -p frontend {} -i NAME",
        wasm.join(" ")
    );

    // Leptos reads its own configuration with a regex that the linker drops again; nobody else may bring one.
    let users = cargo(
        &[
            &["tree", "-p", "frontend", "--invert=regex", "--depth=1"],
            &wasm[..],
        ]
        .concat(),
    );
    for user in users.lines().filter_map(|line| line.split(' ').next()) {
        assert!(
            matches!(user, "" | "regex" | "leptos_config"),
            "{user} brings a regex into the WebAssembly"
        );
    }
}

#[test]
fn no_file_outgrows_its_reader() {
    let long: Vec<String> = sources()
        .iter()
        .map(|(place, text)| (place, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(place, lines)| format!("{place}: {lines} lines, of {LONGEST_FILE} at most"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn sources_hold_no_forbidden_words() {
    let words = forbidden_words();
    let mut faults = Vec::new();
    for (place, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for (word, at_home) in &words {
                // clippy.toml names by path what it forbids, a doc comment may speak of it, and a test that plays
                // another machine has that machine's clock.
                let excused = place == "clippy.toml"
                    || (word.contains("::")
                        && (line.trim_start().starts_with("//") || place.contains("/tests/")));
                if line.contains(word.as_str()) && !excused && !at_home.contains(&place.as_str()) {
                    faults.push(format!("{place}:{}: {word}", number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
