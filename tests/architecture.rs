//! The house plan, enforced: arrows point down, and what a part must not know
//! it does not name. docs/architecture.md tells why; this test reads the
//! sources.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file: without comments and doc comments, and without its
/// unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file can be read");
    let text = text.split("\n#[cfg(test)]").next().unwrap_or_default().to_owned();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The files under src/`part` that name any of `banned`.
fn offenders(part: &str, banned: &[&str], except: &[&str]) -> Vec<String> {
    let folder = root().join("src").join(part);
    let mut found = Vec::new();
    for path in sources(&folder) {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        if except.contains(&name.as_str()) {
            continue;
        }
        let code = code(&path);
        let named = banned.iter().filter(|word| code.contains(**word));
        found.extend(named.map(|word| format!("{name} names `{word}`")));
    }
    found
}

#[track_caller]
fn never_names(part: &str, banned: &[&str]) {
    let found = offenders(part, banned, &[]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

const TOWERS_AND_ABOVE: [&str; 8] = [
    "crate::judgement",
    "crate::replication",
    "crate::world",
    "crate::search",
    "crate::threads",
    "crate::hunt",
    "crate::report",
    "crate::cli",
];

fn all_but(allowed: &[&str]) -> Vec<&'static str> {
    TOWERS_AND_ABOVE.into_iter().filter(|part| !allowed.contains(part)).collect()
}

#[test]
fn the_ground_knows_neither_tower() {
    never_names("history", &all_but(&[]));
}

#[test]
fn judgement_cannot_know_how_a_history_was_made() {
    never_names("judgement", &all_but(&["crate::judgement"]));
}

#[test]
fn a_verdict_is_rechecked_by_code_that_knows_no_checker() {
    never_names("judgement/verdict", &["checker"]);
}

#[test]
fn replication_knows_only_the_ground() {
    never_names("replication", &all_but(&["crate::replication"]));
}

#[test]
fn the_world_knows_replication_and_not_what_is_allowed() {
    never_names("world", &all_but(&["crate::replication", "crate::world"]));
}

#[test]
fn searches_and_threads_do_not_judge() {
    let below = ["crate::replication", "crate::world", "crate::search", "crate::threads"];
    never_names("search", &all_but(&below[..3]));
    never_names("threads", &all_but(&below));
}

#[test]
fn the_bridge_does_not_know_the_face() {
    never_names("hunt", &["crate::report", "crate::cli"]);
    never_names("report", &["crate::cli"]);
}

#[test]
fn nothing_that_decides_knows_a_clock_a_thread_or_chance() {
    let banned = [
        "std::sync",
        "std::thread",
        "std::time",
        "std::net",
        "std::fs",
        "std::env",
        "std::process",
        "HashMap::new",
        "HashSet::new",
        "RandomState",
        "Instant",
        "SystemTime",
        "println!",
        "thread_rng",
    ];
    // Forgotten values are shared, which takes std::sync::Arc and no lock.
    let shares = ["src/replication/erased.rs"];
    for part in ["history", "replication", "judgement", "world"] {
        let found = offenders(part, &banned, &shares);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
    let erased = code(&root().join(shares[0]));
    assert_eq!(erased.matches("std::sync").count(), erased.matches("std::sync::Arc;").count());
    never_names("search", &["std::time", "std::fs", "std::env", "println!", "Instant"]);
    never_names("hunt", &["std::time", "std::fs", "std::env", "println!", "Instant"]);
    // A report may show a duration; it cannot measure one.
    never_names("report", &["Instant", "SystemTime", "std::fs", "std::env", "println!"]);
}

#[test]
fn one_file_alone_names_threads_and_loom() {
    let banned = ["std::sync", "std::thread", "loom"];
    let found = offenders("threads", &banned, &["src/threads/sync.rs"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
    for part in ["history", "replication", "judgement", "world", "search", "hunt", "report", "cli"]
    {
        never_names(part, &["loom"]);
    }
}

#[test]
fn hash_tables_that_are_iterated_have_an_order_that_is_given() {
    // Fast hash tables are for looking up; a loop over one would make the
    // result depend on hash order.
    for part in ["history", "replication", "judgement", "world", "search", "hunt", "report"] {
        for path in sources(&root().join("src").join(part)) {
            let code = code(&path);
            for word in ["FxHashMap", "FxHashSet"] {
                let fields = code.lines().filter(|line| line.contains(word));
                for name in fields.filter_map(|line| line.split_once(':')).map(|(name, _)| name) {
                    let name =
                        name.trim().trim_start_matches("pub ").trim_start_matches("let mut ");
                    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                        continue;
                    }
                    for loops in [".iter()", ".keys()", ".values()", ".into_iter()", ".drain("] {
                        let looped = format!("{name}{loops}");
                        assert!(!code.contains(&looped), "{}: `{looped}`", path.display());
                    }
                }
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("a source file can be read");
        assert!(text.starts_with("//! "), "{} begins without a top doc", path.display());
    }
}

#[test]
fn the_map_names_every_module() {
    let map = fs::read_to_string(root().join("docs/architecture.md")).expect("the map exists");
    // A fence would be taken for the beginning of a name.
    let map = map.replace("```", "");
    for path in sources(&root().join("src")) {
        let name = path.strip_prefix(root().join("src")).expect("below src");
        let name = name.to_str().expect("names are UTF-8").trim_end_matches("/mod.rs");
        let stem = name.trim_end_matches(".rs");
        let last = stem.rsplit('/').next().expect("a name has a last part");
        let is_named = map.split('`').skip(1).step_by(2).any(|code| {
            code.trim_end_matches('/').trim_end_matches(".rs").rsplit('/').next() == Some(last)
        });
        assert!(is_named, "docs/architecture.md does not name {name}");
    }
}
