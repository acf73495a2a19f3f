//! Makes cargo embed a new site: the folder is looked at only where its files go into the binary.

use std::{env, fs, path::Path};

fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    // A missing folder would count as changed at every build, and a development build would refuse every file of a site that is built
    // later: whether a file is inside is asked by the folder's real name, which only a folder that is there has.
    drop(fs::create_dir_all(&site));
    // PROFILE is `release` for every profile that inherits from it; development builds read the folder at run time.
    if env::var("PROFILE").as_deref() == Ok("release") {
        print(&format!("cargo::rerun-if-changed={}", site.display()));
    } else {
        print("cargo::rerun-if-changed=build.rs");
    }
}

/// A build script speaks to cargo through its standard output.
fn print(line: &str) {
    println!("{line}");
}
