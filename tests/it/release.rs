//! What is released: the package for crates.io, its manifest and its changelog.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::documents::{read, root};

/// The files in the package, as cargo would pack them now.
fn packed() -> BTreeSet<String> {
    let list = ["package", "--list", "--allow-dirty", "--offline"];
    let done = Command::new(env!("CARGO")).args(list).current_dir(root()).output();
    let done = done.expect("cargo can be run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).expect("names of ours are text");
    text.lines().map(|line| line.replace('\\', "/")).collect()
}

#[test]
fn the_package_has_no_recordings_and_no_large_file() {
    let files = packed();
    let made = ["Cargo.toml.orig", ".cargo_vcs_info.json"];
    let rooms = ["src/", "docs/", "examples/cache.rs", "README.md", "LICENSE-", "Cargo."];
    for name in files.iter().filter(|name| !made.contains(&name.as_str())) {
        assert!(rooms.iter().any(|room| name.starts_with(room)), "{name} is packed");
        let size = fs::metadata(root().join(name)).expect("it is there").len();
        assert!(size < 200_000, "{name} has {size} bytes");
    }
}

#[test]
fn the_package_has_what_its_readme_and_its_documentation_tests_need() {
    let files = packed();
    let readme = read(&root().join("README.md"));
    let after = |text: &str, start: &str, end: char| {
        let parts: Vec<_> = text.split(start).skip(1).map(str::to_owned).collect();
        let first = move |part: String| part.split(end).next().map(str::to_owned);
        parts.into_iter().filter_map(first).collect::<Vec<_>>()
    };
    let links = after(&readme, "](", ')').into_iter().filter(|link| !link.contains("://"));
    let links = links.filter_map(|link| link.split('#').next().map(str::to_owned));
    let included = after(&read(&root().join("src/lib.rs")), "include_str!(\"../", '"');
    let needed: Vec<_> = links.filter(|link| !link.is_empty()).chain(included).collect();
    assert!(needed.len() > 10, "{needed:?}");
    for name in needed {
        assert!(files.contains(&name), "{name} is needed, and is not packed");
    }
}

#[test]
fn the_manifest_says_where_everything_is() {
    for address in [
        env!("CARGO_PKG_HOMEPAGE"),
        env!("CARGO_PKG_REPOSITORY"),
        "https://docs.rs/quiescence", // The documentation; cargo has no variable for it.
    ] {
        assert!(address.starts_with("https://"), "{address:?}");
        let manifest = read(&root().join("Cargo.toml"));
        assert!(manifest.contains(&format!(" = \"{address}\"\n")), "{address}");
    }
    assert!(!env!("CARGO_PKG_DESCRIPTION").is_empty() && !env!("CARGO_PKG_LICENSE").is_empty());
}

#[test]
fn the_changelog_begins_with_this_version() {
    let changelog = read(&root().join("docs/changelog.md"));
    let first = changelog.lines().find(|line| line.starts_with("## "));
    let version = format!("## [{}] - ", env!("CARGO_PKG_VERSION"));
    assert!(first.is_some_and(|line| line.starts_with(&version)), "{first:?}, not {version}");
}
