//! The examples of every `--help`: each is run and gives a result.

#![cfg(unix)]

use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

use super::runner::{Place, Said};

/// An example that takes long, and the options that make it short here.
const SHORTER: [(&str, &str); 4] = [
    ("quiescence check", "--runs 50 --states 500"),
    (
        "quiescence check multi-primary-lww --faults drop=1 --model eventual",
        "--runs 1000 --states 20000",
    ),
    (
        "quiescence check async-primary --search exhaustive --writes 3 --reads 2 --sessions 2",
        "--states 100000",
    ),
    ("quiescence check abd --model lin --routing roaming --time 60s", "--runs 100 --states 20000"),
];

/// One client writes 1, then 2; then another reads 1.
const STALE: &str = r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":1}
{"process":0,"type":"ok","time":2}
{"process":0,"type":"invoke","f":"write","key":"x","value":2,"time":3}
{"process":0,"type":"ok","time":4}
{"process":1,"type":"invoke","f":"read","key":"x","time":5}
{"process":1,"type":"ok","value":1,"time":6}
"#;

const EDN: &str = "{:process 0, :type :invoke, :f :write, :value 1, :time 1}
{:process 0, :type :ok, :f :write, :value 1, :time 2}
{:process 1, :type :invoke, :f :read, :value nil, :time 3}
{:process 1, :type :ok, :f :read, :value 1, :time 4}
";

/// The value that is read is the initial value.
const BEGINS_WITH_0: &str = "{:process 0, :type :invoke, :f :read, :value nil, :time 1}
{:process 0, :type :ok, :f :read, :value 0, :time 2}
";

const CASE: &str = include_str!("../../cases/v1/notebook-storing-eventual-sticky.json");

/// The files that examples name.
fn place() -> Place {
    let gz = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    };
    let place = Place::new();
    place.write("history.jsonl", STALE);
    place.write("growing.jsonl", STALE);
    place.write("history.edn", BEGINS_WITH_0);
    place.write("history.edn.gz", gz(EDN));
    place.write("log.gz", gz(STALE));
    for folder in ["cases", "tests/cases"] {
        std::fs::create_dir_all(place.path(folder)).expect("it can be made");
        place.write(&format!("{folder}/notebook-storing-eventual.json"), CASE);
    }
    place
}

/// The subcommands that the help names.
fn subcommands() -> Vec<String> {
    let help = Place::new().run("--help").out;
    let (_, commands) = help.split_once("Commands:\n").expect("there are subcommands");
    let lines = commands.lines().take_while(|line| line.starts_with("  "));
    // (What a description goes on with stands further right.)
    let first = lines.filter(|line| !line.starts_with("   "));
    let names = first.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name != "help").collect()
}

/// The examples in the help of a subcommand, without their descriptions.
fn examples(subcommand: &str) -> Vec<String> {
    let help = Place::new().run(&format!("{subcommand} --help")).out;
    let Some((_, examples)) = help.split_once("Examples:\n") else { return Vec::new() };
    let lines = examples.lines().take_while(|line| line.starts_with("  ")).map(str::trim);
    lines.map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn options_are_grouped_by_what_they_are_for() {
    let groups = |subcommand: &str, help: &str| {
        let text = Place::new().run(&format!("{subcommand} {help}")).out;
        let mut found: Vec<(String, usize)> = Vec::new();
        for line in text.lines().take_while(|line| *line != "Examples:") {
            if line.ends_with(':') && !line.starts_with(' ') {
                found.push((line.trim_end_matches(':').to_owned(), 0));
            } else if let (true, Some(group)) = (line.trim().starts_with('-'), found.last_mut()) {
                group.1 += usize::from(line.find('-').is_some_and(|at| at <= 6));
            }
        }
        found
    };
    for subcommand in subcommands() {
        for help in ["-h", "--help"] {
            let all = groups(&subcommand, help);
            let alone = all.iter().find(|(name, _)| name == "Options");
            // Only what every command has, help, is in no group.
            assert_eq!(alone.map(|(_, number)| *number), Some(1), "{subcommand} {help}: {all:?}");
            assert!(all.iter().any(|(name, _)| name == "Output"), "{subcommand} {help}: {all:?}");
        }
    }
    let names = |subcommand| groups(subcommand, "-h").into_iter().map(|(name, _)| name);
    let check = [
        "Arguments",
        "Options",
        "What is checked",
        "Where",
        "How, and how long",
        "Output",
        "Settings",
    ];
    assert!(names("check").eq(check), "{:?}", groups("check", "-h"));
    let convert = [
        "Arguments",
        "Options",
        "How recordings are read",
        "How, and how long",
        "Output",
        "Settings",
    ];
    assert!(names("convert").eq(convert), "{:?}", groups("convert", "-h"));
}

/// Runs an example in a shell.
fn shell(place: &Place, line: &str) -> Said {
    let binary = Path::new(env!("CARGO_BIN_EXE_quiescence"));
    let folder = binary.parent().expect("the binary is in a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let line = format!("PATH='{folder}':\"$PATH\"; {line}");
    place.run_by(std::process::Command::new("sh").arg("-c").arg(line).env("PATH", path))
}

#[test]
fn every_example_of_every_help_decides_what_it_asks() {
    let mut with_examples = Vec::new();
    let mut shortened = 0;
    for subcommand in subcommands() {
        for example in examples(&subcommand) {
            assert!(example.contains(&format!("quiescence {subcommand}")), "{example}");
            let shorter = SHORTER.iter().find(|(long, _)| *long == example);
            shortened += usize::from(shorter.is_some());
            let line = format!("{example} {}", shorter.map_or("", |(_, shorter)| shorter));
            let said = shell(&place(), &line);
            assert!(matches!(said.code, Some(0 | 1)), "{line}: {said:?}");
            assert!(!said.out.is_empty(), "{line}: {said:?}");
            with_examples.push(subcommand.clone());
        }
    }
    assert_eq!(shortened, SHORTER.len(), "{SHORTER:?} are examples");
    with_examples.dedup();
    assert_eq!(
        with_examples,
        ["check", "bench", "report", "test", "review", "explain", "verify", "init"]
    );
}
