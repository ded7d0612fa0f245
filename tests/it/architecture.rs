//! Enforces the module plan. docs/architecture.md gives the reasons. These
//! tests read the sources, resolve every path in them to its definition, and
//! compare it with the plan. Each rule is itself tested on planted violations.

mod cycles;
mod names;
mod plan;
mod planted;
mod source;
mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use plan::{LINES_MAX, PLAN, Rule, Violation, violations};
use source::Tree;
use syn::visit::Visit;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder of the repository, with their texts.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a source folder can be listed") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&root().join(folder), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the root").components();
        let name: Vec<_> = name.map(|part| part.as_os_str().to_string_lossy()).collect();
        (name.join("/"), fs::read_to_string(&path).expect("a source file can be read"))
    };
    found.into_iter().map(read).collect()
}

/// The names by which code can name other crates: the dependencies in
/// Cargo.toml, and the crates that come with the compiler.
fn crates() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    let mut depends = false;
    let mut found: BTreeSet<String> =
        ["std", "core", "alloc", "proc_macro", "test", "quiescence"].map(str::to_owned).into();
    for line in manifest.lines() {
        if line.starts_with('[') {
            depends = line.contains("dependencies");
        } else if let (true, Some((name, _))) = (depends, line.split_once('=')) {
            found.insert(name.trim().replace('-', "_"));
        }
    }
    found
}

/// All violations of the rules. They are found once for all tests, because
/// reading the sources is slow.
fn found() -> &'static [Violation] {
    static FOUND: LazyLock<Vec<Violation>> =
        LazyLock::new(|| violations(&Tree::read(sources("src")), &crates()));
    &FOUND
}

#[track_caller]
fn nothing_breaks(rule: Rule) {
    let found = found().iter().filter(|violation| violation.rule == rule);
    let found: Vec<_> = found.map(Violation::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_file_belongs_to_one_part_of_the_plan() {
    nothing_breaks(Rule::Covered);
    let modules: Vec<_> = Tree::read(sources("src")).modules.into_keys().collect();
    for part in PLAN {
        let covers = modules.iter().any(|module| module.starts_with(&plan::path(part.at)));
        assert!(covers, "the plan has a line for {}, and there is no such module", part.at);
    }
}

#[test]
fn arrows_point_down() {
    nothing_breaks(Rule::Arrows);
}

#[test]
fn a_crate_is_named_only_where_it_belongs() {
    nothing_breaks(Rule::Crates);
}

/// Their own gates build them with `--locked`, but not with every change.
#[test]
fn packages_beside_this_one_have_its_dependencies_in_their_locks() {
    let lines = |name: &str| {
        let text = fs::read_to_string(root().join(name)).expect("the file is there");
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let after = |lines: Vec<String>, begin: &str, end: &str| {
        let rest = lines.into_iter().skip_while(|line| line != begin).skip(1);
        rest.take_while(|line| !line.starts_with(end)).collect::<Vec<String>>()
    };
    let needed: Vec<String> = after(lines("Cargo.toml"), "[dependencies]", "[")
        .iter()
        .filter(|line| !line.contains("optional = true"))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.to_owned()))
        .collect();
    assert!(needed.len() > 5, "{needed:?}");
    for package in ["examples/check", "examples/real", "fuzz"] {
        let known = after(lines(&format!("{package}/Cargo.lock")), "name = \"quiescence\"", "]");
        // A name may come with its version.
        let is_known = |name: &&String| {
            let exact = |line: &String| {
                line.trim().trim_matches([',', '"']).split(' ').next() == Some(*name)
            };
            known.iter().any(exact)
        };
        let missing: Vec<_> = needed.iter().filter(|name| !is_known(name)).collect();
        assert!(missing.is_empty(), "{package}: {missing:?}: cargo update --workspace there");
    }
}

#[test]
fn nothing_that_decides_knows_a_clock_a_thread_or_chance() {
    nothing_breaks(Rule::Absences);
}

#[test]
fn hash_tables_are_not_iterated() {
    nothing_breaks(Rule::HashOrder);
}

#[test]
fn every_path_is_written_where_it_is_used() {
    nothing_breaks(Rule::Written);
}

#[test]
fn lints_are_switched_off_only_in_known_places() {
    nothing_breaks(Rule::Suppressions);
}

#[test]
fn every_module_says_what_it_is_for() {
    nothing_breaks(Rule::Shape);
}

#[test]
fn there_are_no_import_cycles() {
    nothing_breaks(Rule::Cycles);
}

#[test]
fn files_stay_short() {
    for folder in ["src", "tests", "benches", "examples", "fuzz/fuzz_targets"] {
        for (name, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= LINES_MAX, "{name} has {lines} lines");
        }
    }
}

/// The attributes of these names in a file, with their lines.
fn attributes(text: &str, names: &[&str]) -> Vec<(usize, String)> {
    struct Attributes<'n> {
        names: &'n [&'n str],
        found: Vec<(usize, String)>,
    }
    impl<'ast> Visit<'ast> for Attributes<'_> {
        fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
            let named = |name: &&&str| attribute.path().is_ident(name);
            if let Some(name) = self.names.iter().find(named) {
                let line = attribute.pound_token.spans[0].start().line;
                self.found.push((line, (*name).to_owned()));
            }
        }
    }
    let mut attributes = Attributes { names, found: Vec::new() };
    attributes.visit_file(&syn::parse_file(text).expect("a source file is Rust"));
    attributes.found
}

/// Attributes of tests that pass without running, or pass on any panic.
const NO_TESTS: [&str; 2] = ["ignore", "should_panic"];

#[test]
fn no_test_is_ignored_or_expects_any_panic() {
    for folder in ["src", "tests", "examples"] {
        for (name, text) in sources(folder) {
            assert_eq!(attributes(&text, &NO_TESTS), [], "{name}");
        }
    }
    let planted = "#[test]\n#[ignore]\nfn f() {}\nmod m {\n#[test]\n#[should_panic]\nfn g() {}\n}";
    let found = attributes(planted, &NO_TESTS);
    assert_eq!(found, [(2, "ignore".to_owned()), (6, "should_panic".to_owned())]);
}

/// The names in backquotes in a text. Code fences are removed, because their
/// backquotes would be counted.
fn quoted(text: &str) -> BTreeSet<String> {
    let text = text.replace("```", "");
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The last part of the name of a module or a folder, in the form that the map
/// uses.
fn last(name: &str) -> &str {
    let name = name.trim_end_matches('/').trim_end_matches("/mod.rs").trim_end_matches(".rs");
    name.rsplit('/').next().expect("a name has a last part")
}

#[test]
fn the_map_names_every_module_and_no_other() {
    let map = fs::read_to_string(root().join("docs/architecture.md")).expect("the map exists");
    let named = quoted(&map);
    let sources = sources("src");
    for (name, _) in &sources {
        let is_named = named.iter().any(|code| last(code) == last(name));
        assert!(is_named, "docs/architecture.md does not name {name}");
    }
    let (_, modules) = map.split_once("## Every module").expect("the map has its table");
    let (modules, _) = modules.split_once("\n## ").expect("the table ends");
    let rows = modules.lines().filter_map(|line| line.strip_prefix("| "));
    for row in rows {
        let first = row.split(" | ").next().expect("a row has a first column");
        for code in quoted(first) {
            let exists = sources
                .iter()
                .any(|(name, _)| name.split('/').any(|part| last(part) == last(&code)));
            assert!(exists, "docs/architecture.md names {code}, which is no module");
        }
    }
}

#[test]
fn every_absence_is_held_by_a_test_that_exists() {
    let map = fs::read_to_string(root().join("docs/architecture.md")).expect("the map exists");
    let (_, absences) = map.split_once("## Absences").expect("the map has its absences");
    let (absences, _) = absences.split_once("\n## ").expect("the absences end");
    let tests: String = sources("tests").into_iter().map(|(_, text)| text).collect();
    let named = quoted(absences);
    let named: Vec<_> = named.iter().filter(|name| name.matches('_').count() > 2).collect();
    assert!(named.len() > 5, "{named:?}");
    for name in named {
        assert!(tests.contains(&format!("fn {name}()")), "there is no test {name}");
    }
}
