//! Tests the documents: every command in them is run and its output compared,
//! every code block is compiled or read, and every link is followed.
//!
//! The language of a block says what it holds:
//!
//! | language | what is done with it |
//! |---|---|
//! | `console` | lines after `$ ` are run, the lines below them are the expected output; `# exit 1` is the exit code (0 if it is missing). In the output `[..]` matches any text in a line, `...` any lines |
//! | `rust` | compiled and run as a documentation test (see the end of `src/lib.rs`) |
//! | `rs` | an excerpt: must be in `examples/cache.rs`, word for word |
//! | `rs FILE`, `toml FILE` | that file, byte for byte; a part of the manifest of a package whose own tests compile the rest |
//! | `toml` | is `quiescence.toml` where the commands of the document are run |
//! | `json` | must be JSON |
//! | `jsonl` | must be a history as JSON lines, and conform to their schema |
//! | `edn`, `log` | must be a history as Jepsen's EDN, a Porcupine log |
//! | `history` | every line must be a history in the one-line notation |
//! | `text` | a drawing or a formula; not checked |
//!
//! `SNAPSHOTS=overwrite cargo test --test it docs::` writes the present output
//! into the documents, where the old one has no `[..]` and no `...`, and the
//! tables of the catalogue.

mod mutants;
pub mod schema;
mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::documents::{alone, edit, read, root};
use crate::support::overwrites;
use quiescence::history::formats::{self, FIELDS, Format, Options, json_lines, operation_lines};
use quiescence::history::notation;
use schema::{complaints, complaints_of};
use serde_json::Value as Json;

/// Commands that documents show and this test does not run, and why.
const NOT_RUN: [(&str, &str); 4] = [
    ("cargo test", "this is what is running"),
    (
        "RUSTFLAGS=\"--cfg loom\" cargo test --target-dir target/loom",
        "another build of everything; the gate runs it",
    ),
    ("cargo bench --bench runs", "its figures depend on the machine"),
    ("cargo run --release -- check --deep --time 10m", "it takes minutes"),
];

/// README.md and docs/*.md.
fn documents() -> Vec<PathBuf> {
    let mut found = files(&root().join("docs"), "md");
    found.insert(0, root().join("README.md"));
    found
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let mut found: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|it| it == ending)).collect();
    found.sort();
    found
}

/// A fenced block of a document.
struct Block {
    /// `README.md:12`.
    place: String,
    language: String,
    /// The position of its first line in the document, from 0.
    start: usize,
    lines: Vec<String>,
}

impl Block {
    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The file that it shows, if its language names one.
    fn file(&self) -> Option<&str> {
        self.language.strip_prefix("rs ").or_else(|| self.language.strip_prefix("toml "))
    }
}

fn blocks(path: &Path) -> Vec<Block> {
    let name = path.strip_prefix(root()).expect("documents are below the root").display();
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in read(path).lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let place = format!("{name}:{}", at + 1);
                let language = language.to_owned();
                open = Some(Block { place, language, start: at + 1, lines: Vec::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block is never closed");
    found
}

fn blocks_in(language: &str) -> Vec<Block> {
    let all = documents().into_iter().flat_map(|path| blocks(&path));
    let found: Vec<_> = all.filter(|block| block.language == language).collect();
    assert!(!found.is_empty(), "there is a block of `{language}`");
    found
}

/// A command of a console block, with its expected output and exit code.
struct Shown {
    place: String,
    command: String,
    output: Vec<String>,
    exit: i32,
    /// The lines of the expected output in the document.
    range: std::ops::Range<usize>,
}

fn shown(block: &Block) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for (at, line) in (block.start..).zip(&block.lines) {
        if let Some(command) = line.strip_prefix("$ ") {
            let (place, command) = (format!("{}: `{command}`", block.place), command.to_owned());
            let range = at + 1..at + 1;
            found.push(Shown { place, command, output: Vec::new(), exit: 0, range });
            continue;
        }
        let last = found.last_mut().unwrap_or_else(|| panic!("{}: no command", block.place));
        if let Some(exit) = line.strip_prefix("# exit ") {
            last.exit = exit.parse().unwrap_or_else(|_| panic!("{}: {line}", block.place));
        } else {
            last.output.push(line.clone());
            last.range.end = at + 1;
        }
    }
    found
}

/// The program and the arguments for a command; `None` if it is not run.
fn program(shown: &Shown) -> Option<(PathBuf, Vec<String>)> {
    if NOT_RUN.iter().any(|(command, _)| *command == shown.command) {
        return None;
    }
    let own = || PathBuf::from(env!("CARGO_BIN_EXE_quiescence"));
    let prefixes =
        ["quiescence ", "cargo run --release -- ", "cargo run --release --example cache -- "];
    let at = prefixes.iter().position(|prefix| shown.command.starts_with(prefix));
    let at = at.unwrap_or_else(|| panic!("{}: is not a command that is known here", shown.place));
    let words = words(&shown.command[prefixes[at].len()..]);
    let words = words.unwrap_or_else(|| panic!("{}: words only, no shell", shown.place));
    let program = if at == 2 { example() } else { own() };
    Some((program, words))
}

/// The words of a command, of which some may stand between single quotes; `None` if there
/// is something else that only a shell understands.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for (nth, part) in command.split('\'').enumerate() {
        if nth % 2 == 1 {
            words.push(part.to_owned());
        } else if part.contains(['"', '$', '|', '>']) {
            return None;
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    command.matches('\'').count().is_multiple_of(2).then_some(words)
}

/// The example `cache`, built with the profile of this test.
fn example() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let build = || {
        let this = std::env::current_exe().expect("a test has a file");
        let profile = this.ancestors().nth(2).expect("it is in PROFILE/deps");
        let target = profile.parent().expect("a profile is in the target directory");
        let name = if profile.ends_with("release") { "release" } else { "test" };
        let done = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--quiet", "--example", "cache", "--profile", name])
            .arg("--target-dir")
            .arg(target)
            .current_dir(root())
            .output()
            .expect("cargo can be run");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        profile.join("examples").join(format!("cache{}", std::env::consts::EXE_SUFFIX))
    };
    BUILT.get_or_init(build).clone()
}

/// Runs a command in a folder: its output, then its errors; its exit code.
fn run(program: &Path, words: &[String], folder: &Path) -> (Vec<String>, i32) {
    let done = Command::new(program)
        .args(words)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("COLUMNS")
        .env_remove("QUIESCENCE_PROFILE")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = [done.stdout, done.stderr].concat();
    let text = String::from_utf8(text).expect("output is text");
    let lines = text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect();
    (lines, done.status.code().unwrap_or(-1))
}

fn matches(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        Some((line, rest)) => match actual.split_first() {
            Some((first, others)) => line_matches(line, first) && matches(rest, others),
            None => false,
        },
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split("[..]");
    let first = parts.next().expect("splitting gives a part");
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn wildcards_stand_for_parts_of_lines_and_for_lines() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (expected, actual, same) in [
        ("a\nb", "a\nb", true),
        ("a", "a\nb", false),
        ("a\n...", "a\nb\nc", true),
        ("...\nc", "a\nb\nc", true),
        ("...\nb", "a\nb\nc", false),
        ("run [..] of [..]!", "run 7 of 9!", true),
        ("run [..] of [..]!", "run 7 of 9", false),
        ("[..]x", "abc", false),
    ] {
        assert_eq!(matches(&lines(expected), &lines(actual)), same, "{expected:?} {actual:?}");
    }
}

#[test]
fn what_stands_between_quotes_is_one_word() {
    let owned = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    assert_eq!(words("verify 'wx1|rx1 rx0' --all"), owned(&["verify", "wx1|rx1 rx0", "--all"]));
    for shell in ["a | b", "a > b", "a $b", "a \"b c\"", "a 'b"] {
        assert_eq!(words(shell), None, "{shell}");
    }
}

#[test]
fn every_command_does_what_the_documents_say() {
    let overwrite = overwrites();
    let mut complaints = Vec::new();
    for path in documents() {
        let _alone = alone();
        // One folder for each document, so that a command can use a case that
        // an earlier one saved.
        let folder = tempfile::tempdir().expect("a folder can be made");
        copy_samples(folder.path());
        for settings in blocks(&path).iter().filter(|block| block.language == "toml") {
            fs::write(folder.path().join("quiescence.toml"), settings.text()).expect("a new file");
        }
        let mut edits = Vec::new();
        let consoles = blocks(&path).into_iter().filter(|block| block.language == "console");
        for shown in consoles.flat_map(|block| shown(&block)) {
            let Some((program, words)) = program(&shown) else { continue };
            let (mut actual, exit) = match words.join(" ") == ALL_PROMISES {
                true => all_promises().clone(),
                false => run(&program, &words, folder.path()),
            };
            let mut expected = shown.output.clone();
            while expected.last().is_some_and(|line| line.trim().is_empty()) {
                expected.pop();
            }
            if exit != shown.exit {
                let said = format!("{} ends with {exit}, not {}", shown.place, shown.exit);
                complaints.push(format!("{said}:\n{}", actual.join("\n")));
            } else if !matches(&expected, &actual) {
                let fixed = expected.iter().all(|line| !line.contains("[..]") && line != "...");
                if overwrite && fixed {
                    actual.extend(shown.output[expected.len()..].iter().cloned());
                    edits.push((shown.range, actual));
                } else {
                    let (was, is) = (expected.join("\n"), actual.join("\n"));
                    complaints.push(format!("{} says\n{was}\n--- and not\n{is}", shown.place));
                }
            }
        }
        edit(&path, edits);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// The command of README that searches every promise. It takes a while, so it
/// is run once for all tests, and not at all if `QUIESCENCE_CHECKED` names a file with its
/// output, as in the gate, which runs it anyway.
const ALL_PROMISES: &str = "check --seed 0x5eed91c4";

/// The output of that command, and its exit code.
fn all_promises() -> &'static (Vec<String>, i32) {
    static SAID: OnceLock<(Vec<String>, i32)> = OnceLock::new();
    SAID.get_or_init(|| {
        if let Ok(path) = std::env::var("QUIESCENCE_CHECKED") {
            let said = read(Path::new(&path));
            return (said.trim_end().lines().map(|line| line.trim_end().to_owned()).collect(), 0);
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        let words: Vec<_> = ALL_PROMISES.split(' ').map(str::to_owned).collect();
        let said = run(Path::new(env!("CARGO_BIN_EXE_quiescence")), &words, folder.path());
        assert!(!folder.path().join("cases").exists(), "promised violations are not saved");
        said
    })
}

/// Copies the files of the repository that commands name.
fn copy_samples(folder: &Path) {
    for from in ["tests/cases/v1", "tests/recordings"] {
        fs::create_dir_all(folder.join(from)).expect("a folder can be made");
        for entry in fs::read_dir(root().join(from)).expect("the folder can be listed") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().expect("a file has a name");
            fs::copy(&path, folder.join(from).join(name)).expect("a sample can be copied");
        }
    }
}

#[test]
fn every_command_that_is_not_run_is_still_in_the_documents() {
    let all: Vec<_> = blocks_in("console").iter().flat_map(shown).collect();
    for (command, why) in NOT_RUN {
        let there = all.iter().any(|shown| shown.command == command);
        assert!(there, "no document shows `{command}` any more (it was not run because {why})");
    }
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    let kinds = [
        "console",
        "rust",
        "rust,no_run",
        "rs",
        "toml",
        "json",
        "jsonl",
        "edn",
        "log",
        "history",
        "text",
    ];
    for block in documents().iter().flat_map(|path| blocks(path)) {
        let known = kinds.contains(&block.language.as_str()) || block.file().is_some();
        assert!(known, "{}: nothing checks a block of `{}`", block.place, block.language);
    }
}

#[test]
fn every_document_with_code_is_a_documentation_test() {
    let lib = read(&root().join("src/lib.rs"));
    for path in documents() {
        let name = path.strip_prefix(root()).expect("documents are below the root").display();
        let has_code = blocks(&path).iter().any(|block| block.language.starts_with("rust"));
        let line = format!("include_str!(\"../{name}\")");
        assert!(!has_code || lib.contains(&line), "src/lib.rs does not include {name}");
    }
}

#[test]
fn every_excerpt_stands_in_the_example() {
    let plain = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let example = plain(&read(&root().join("examples/cache.rs")));
    for block in blocks_in("rs") {
        for part in block.text().split("\n// …\n") {
            let part = plain(part);
            assert!(example.contains(part.trim()), "{}: not in the example:\n{part}", block.place);
        }
    }
}

/// What the tutorial builds in a package of its own is a package, whose tests the deep gate
/// runs.
#[test]
fn every_block_that_shows_a_file_is_that_file() {
    let mut shown = BTreeSet::new();
    for block in documents().iter().flat_map(|path| blocks(path)) {
        let Some(path) = block.file() else { continue };
        let (text, file) = (block.text(), read(&root().join(path)));
        if path.ends_with(".toml") {
            // Readers have their clone somewhere else.
            let text = text.replace("\"../quiescence\"", "\"../..\"");
            assert!(file.contains(&format!("\n{text}\n")), "{}: not in {path}", block.place);
        } else {
            assert_eq!(text, file, "{}: {path}", block.place);
        }
        shown.insert(path.to_owned());
    }
    let package = ["Cargo.toml", "src/lib.rs", "src/main.rs", "tests/cases.rs"];
    let package = package.map(|file| format!("examples/check/{file}"));
    assert!(shown.iter().eq(&package), "{shown:?}");
    let gate = read(&root().join(".ci/run"));
    assert!(gate.contains("package examples/check") && gate.contains("package examples/real"));
}

#[test]
fn every_json_block_is_json_and_every_case_among_them_is_a_case() {
    for block in blocks_in("json") {
        let read: Result<Json, _> = serde_json::from_str(&block.text());
        let json = read.unwrap_or_else(|error| panic!("{}: {error}", block.place));
        if json.get("format").is_some() {
            assert_eq!(complaints(&json), [""; 0], "{}", block.place);
        }
    }
}

#[test]
fn every_history_in_the_documents_is_one() {
    for block in blocks_in("history") {
        for line in &block.lines {
            let parsed = notation::parse(line);
            let history = parsed.unwrap_or_else(|error| panic!("{}: {error}", block.place));
            let again = notation::parse(&notation::write(&history)).expect("what is written reads");
            assert_eq!(notation::write(&again), notation::write(&history), "{}", block.place);
        }
    }
    for (language, formats) in [
        ("jsonl", &[Format::Events, Format::Operations][..]),
        ("edn", &[Format::Edn]),
        ("log", &[Format::Porcupine, Format::Log]),
    ] {
        for block in blocks_in(language) {
            let read = formats::read(block.text().as_bytes(), &Options::default());
            let recording = read.unwrap_or_else(|error| panic!("{}: {error}", block.place));
            assert!(formats.contains(&recording.format), "{}: {}", block.place, recording.format);
            let Some(schema) = schema_of(recording.format) else { continue };
            for line in &block.lines {
                let json = serde_json::from_str(line).expect("it was read");
                assert_eq!(complaints_of(schema, &json), [""; 0], "{}", block.place);
            }
        }
    }
}

fn schema_of(format: Format) -> Option<&'static str> {
    match format {
        Format::Events => Some("event-line"),
        Format::Operations => Some("operation-line"),
        _ => None,
    }
}

/// Why a reader refuses a line, if it does.
fn refusal(schema: &str, line: &Json) -> Option<String> {
    let text = line.to_string();
    let read = match schema {
        "event-line" => json_lines::read(text.as_bytes()),
        _ => operation_lines::read(text.as_bytes()),
    };
    read.err().map(|malformed| malformed.reason)
}

/// Lines with every field, each with one of the two names of the node.
fn full_lines(schema: &str) -> [Json; 2] {
    let line = match schema {
        "event-line" => {
            r#"{"process":1,"type":"invoke","f":"write","key":"x","value":[1,null,"v"],"answer":null,
                "time":5,"final":false,"index":3,"error":["timeout"],"node":2}"#
        }
        _ => {
            r#"{"process":1,"f":"cas","key":7,"argument":[1,2],"value":"mismatch","invoke":4,
                "return":9,"type":"ok","final":false,"index":3,"error":"none","node":"n2"}"#
        }
    };
    let one: Json = serde_json::from_str(line).expect("JSON");
    let mut other = one.clone();
    let fields = other.as_object_mut().expect("an object");
    let node = fields.remove("node").expect("it is there");
    fields.insert("replica".to_owned(), node);
    [one, other]
}

#[test]
fn the_schemas_of_lines_name_what_readers_accept() {
    for schema in ["event-line", "operation-line"] {
        let text = read(&root().join(format!("docs/schema/{schema}.schema.json")));
        let json: Json = serde_json::from_str(&text).expect("the schema is JSON");
        let named: BTreeSet<&str> =
            json["properties"].as_object().expect("fields").keys().map(String::as_str).collect();
        let is_known = |name: &&str| {
            let refused = refusal(schema, &serde_json::json!({*name: 1}));
            !refused.is_some_and(|reason| reason.contains("not known here"))
        };
        assert!(!is_known(&"odd"));
        let accepted = FIELDS.iter().chain(&["index", "error"]).copied().filter(is_known);
        let accepted: BTreeSet<&str> = accepted.collect();
        assert_eq!(named, accepted, "{schema}");
        let needed = json["required"].as_array().expect("names");
        let mut seen = BTreeSet::new();
        for line in full_lines(schema) {
            assert_eq!(refusal(schema, &line), None, "{line}");
            assert_eq!(complaints_of(schema, &line), [""; 0], "{line}");
            for name in line.as_object().expect("an object").keys() {
                seen.insert(name.clone());
                let mut without = line.clone();
                without.as_object_mut().expect("an object").remove(name);
                let missing = refusal(schema, &without)
                    .is_some_and(|reason| reason.contains(&format!("`{name}` is missing")));
                assert_eq!(missing, needed.contains(&name.as_str().into()), "{schema}: {name}");
            }
        }
        assert!(seen.iter().map(String::as_str).eq(named), "{schema}: {seen:?}");
    }
}

#[test]
fn what_the_schemas_of_lines_refuse_readers_refuse() {
    let wrong = |pointer: &str, value: Json| (pointer.to_owned(), value);
    for schema in ["event-line", "operation-line"] {
        let time = if schema == "event-line" { "/time" } else { "/invoke" };
        for (pointer, value) in [
            wrong("/process", (-1).into()),
            wrong("/process", 4_294_967_296_u64.into()),
            wrong("/type", "maybe".into()),
            wrong("/f", 3.into()),
            wrong("/key", true.into()),
            wrong("/value", serde_json::json!({"a": 1})),
            wrong("/value", serde_json::json!([1, [true]])),
            wrong("/value", serde_json::json!(1.5)),
            wrong(time, (-5).into()),
            wrong("/node", 65_536.into()),
            wrong("/final", "yes".into()),
        ] {
            let [mut line, _] = full_lines(schema);
            *line.pointer_mut(&pointer).expect("the field is there") = value;
            assert!(refusal(schema, &line).is_some(), "{line}");
            assert_eq!(complaints_of(schema, &line).len(), 1, "{line}");
        }
    }
}

#[test]
fn every_link_leads_to_a_file() {
    for path in documents() {
        let text = read(&path);
        let folder = path.parent().expect("a file is in a folder");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().expect("splitting gives a part");
            if !file.is_empty() && !link.contains("://") {
                assert!(folder.join(file).exists(), "{}: {link} leads nowhere", path.display());
            }
        }
    }
}

#[test]
fn every_document_is_linked_from_the_readme() {
    let readme = read(&root().join("README.md"));
    for path in files(&root().join("docs"), "md") {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        assert!(readme.contains(&format!("]({name})")), "README.md does not link {name}");
    }
}
