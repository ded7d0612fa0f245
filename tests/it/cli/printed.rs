//! Text from files and arguments cannot control the terminal: whatever a key, a
//! value, a label or a name contains, the tool alone decides where lines begin.

use super::runner::{Place, read};

/// Text that would forge a verdict, erase lines, or reverse their direction.
const HOSTILE: &str =
    "x\nFORGED ✓ holds\r\x1b[2J\u{9b}31m\u{202e}\u{2066}\u{2028}FORGED\u{85}FORGED\u{7f}";

/// The characters that must not be sent to a terminal, by number. They are
/// listed again here, so that the tool is not tested against its own list.
fn steers(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0..=0x1f | 0x7f..=0x9f | 0x61c | 0x200e..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069
    )
}

fn harmless(what: &str, text: &str) {
    let steering: Vec<_> = text.chars().filter(|c| steers(*c) && *c != '\n').collect();
    assert!(steering.is_empty(), "{what}: {steering:?} in {text:?}");
    let forged = text.lines().find(|line| line.trim_start().starts_with("FORGED"));
    assert_eq!(forged, None, "{what}: {text}");
}

/// Runs every command that reads a recording, and checks all that it prints.
/// Whether the hostile text was printed.
fn print_all(place: &Place, name: &str) -> bool {
    let mut told = false;
    for line in [
        "verify",
        "verify --format json",
        "verify --format jsonl",
        "verify --format junit",
        "verify --format github",
        "verify --format markdown",
        "verify --format html",
        "report -o -",
        "verify --full --ascii",
        "verify --all",
        "verify --follow",
        "verify --follow --format json",
        "verify --lenient",
        "convert --to events",
        "convert --to operations",
        "convert --to edn",
    ] {
        let words: Vec<&str> = line.split(' ').chain([name]).collect();
        let mut command = place.command(&words);
        if line.contains("--follow") {
            let file = std::fs::File::open(place.path(name)).expect("it is there");
            command = place.command(&words[..words.len() - 1]);
            command.arg("-").stdin(file);
        }
        let said = place.run_by(&mut command);
        assert_ne!(said.code, Some(101), "{line}: {said:?}");
        harmless(line, &said.out);
        harmless(line, &said.err);
        told |= said.out.contains("\\nFORGED");
    }
    told
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a text is serialisable")
}

#[test]
fn keys_values_functions_and_paths_of_recordings_are_printed_in_one_line() {
    let place = Place::new();
    let (key, one, two) = (json(HOSTILE), json(&format!("1{HOSTILE}")), json(HOSTILE));
    let event = |process: u8, kind: &str, f: &str, value: &str, time: u8| {
        let f = json(f);
        format!(
            r#"{{"process":{process},"type":"{kind}","f":{f},"key":{key},"value":{value},"time":{time}}}"#
        ) + "\n"
    };
    let violated = [
        event(0, "invoke", "write", &one, 0),
        event(0, "ok", "write", &one, 1),
        event(0, "invoke", "write", &two, 2),
        event(0, "ok", "write", &two, 3),
        event(0, "invoke", "read", "null", 4),
        event(0, "ok", "read", &one, 5),
    ];
    let unknown = [event(0, "invoke", HOSTILE, "null", 0), event(0, "ok", HOSTILE, &one, 1)];
    for (name, lines) in [
        ("violated.jsonl", violated.concat()),
        ("unknown.jsonl", unknown.concat()),
        ("malformed.jsonl", violated[..2].concat() + &violated[1]),
        ("other.jsonl", violated[..2].concat() + &format!("{{\"field\\n{HOSTILE}\": 1}}\n")),
        ("text.jsonl", HOSTILE.to_owned()),
        (&format!("h{}", HOSTILE.replace('/', "")), violated.concat()),
    ] {
        place.write(name, &lines);
        let told = print_all(&place, name);
        assert!(told || !name.starts_with("violated"), "{name}: nothing of it is told");
    }
}

#[test]
fn edn_with_any_letters_becomes_edn_that_reads_as_the_same() {
    let place = Place::new();
    let text = |text: &str| {
        let units = text.chars().map(|c| format!("\\u{:04x}", u32::from(c)));
        format!("\"{}\"", units.collect::<String>())
    };
    let (key, value) = (text(HOSTILE), text(&format!("1{HOSTILE}")));
    let lines = format!(
        "{{:process 0 :type :invoke :f :write :key {key} :value {value}}}\n{{:process 0 :type :ok :f :write :key {key} :value {value}}}\n"
    );
    place.write("h.edn", &lines);
    assert!(print_all(&place, "h.edn"));
    for format in ["edn", "events", "operations"] {
        let line = format!("convert h.edn --to {format} -o {format}");
        assert_eq!(place.run(&line).code, Some(0));
        let again = place.run(&format!("convert {format} --to edn")).out;
        assert_eq!(again, read(&place.path("edn")), "{format}");
    }
}

#[test]
fn what_a_case_says_is_printed_in_one_line() {
    let (place, path) = Place::with_case();
    let text = read(&path);
    let mut told = 0;
    // Replace every string of the case, one at a time.
    for quoted in text.split('"').skip(1).step_by(2) {
        for hostile in [format!("{quoted}{HOSTILE}"), HOSTILE.to_owned()] {
            let changed = text.replacen(&format!("\"{quoted}\""), &json(&hostile), 1);
            place.write("changed.json", &changed);
            for line in [
                "replay",
                "replay --step",
                "replay --format json",
                "replay --format junit",
                "replay --format github",
                "replay --format markdown",
                "replay --format html",
                "report -o -",
                "explain",
            ] {
                let words: Vec<&str> = line.split(' ').chain(["changed.json"]).collect();
                let said = place.run_words(&words);
                assert_ne!(said.code, Some(101), "{line}: {said:?}");
                harmless(line, &said.out);
                harmless(line, &said.err);
                told += usize::from((said.out + &said.err).contains("\\nFORGED"));
            }
        }
    }
    assert!(told > 20, "only {told} outputs tell what was changed");
}

#[test]
fn what_the_command_line_says_is_printed_in_one_line() {
    let place = Place::new();
    for words in [
        vec!["check", HOSTILE],
        vec!["check", "notebook:storing", "--seed", "1", "--model", HOSTILE],
        vec!["explain", HOSTILE],
        vec!["replay", HOSTILE],
        vec!["verify", HOSTILE],
        vec!["bench", HOSTILE],
        vec!["demo", "--strategy", HOSTILE],
    ] {
        let said = place.run_words(&words);
        assert_eq!(said.code, Some(2), "{said:?}");
        harmless(words[0], &said.out);
        harmless(words[0], &said.err);
    }
}

#[test]
fn a_history_that_is_typed_is_printed_in_one_line() {
    let place = Place::new();
    let quoted = json(HOSTILE);
    // With letters that JSON would escape and does not have to.
    let raw = quoted.replace("\\u007f", "\u{7f}");
    let mut told = 0;
    for text in [
        format!("w{quoted}={quoted} r{quoted}=null"),
        format!("w{raw}=1|r{raw}=2"),
        format!("[{HOSTILE}]x=1|wx1"),
        format!("wx1|rx={quoted}"),
        format!("wx1|{HOSTILE}"),
        format!("wx1 @ 00{HOSTILE}"),
    ] {
        for line in [
            "verify",
            "verify --format json",
            "verify --full --ascii",
            "verify --follow",
            "verify --datatype set:add-wins",
            "convert --to edn",
            "explain",
            "explain --ascii",
        ] {
            let words: Vec<&str> = line.split(' ').chain([&*text]).collect();
            let said = place.run_words(&words);
            assert_ne!(said.code, Some(101), "{line}: {said:?}");
            harmless(line, &said.out);
            harmless(line, &said.err);
            told += usize::from((said.out + &said.err).contains("\\nFORGED"));
        }
    }
    assert!(told > 20, "only {told} outputs tell what was typed");
}
