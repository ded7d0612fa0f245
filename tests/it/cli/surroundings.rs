//! Problems around the tool, such as full disks, links, pipes and signals: no
//! data is lost or half written, nothing waits for ever, and the exit code says
//! what happened.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::runner::{Place, Said, read};

/// A history that every model allows.
const HISTORY: &str = r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":0}
{"process":0,"type":"ok","f":"write","key":"x","value":1,"time":1}
{"process":1,"type":"invoke","f":"read","key":"x","value":null,"time":2}
{"process":1,"type":"ok","f":"read","key":"x","value":1,"time":3}
"#;

const CASE: &str = "cases/notebook-storing-eventual.json";
const CHECK: &str = "check notebook:storing --seed 1";

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Makes a pipe at this path.
fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("there is a mkfifo");
    assert!(made.success());
}

/// Runs a command line while no file may grow beyond this many blocks, as on a
/// full disk.
fn on_a_full_disk(place: &Place, line: &str, blocks: u32) -> Said {
    let program = env!("CARGO_BIN_EXE_quiescence");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {line}");
    place.run_by(Command::new("bash").args(["-c", &script]))
}

/// The names in a directory.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("it is a directory");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("it can be listed"))).collect();
    names.sort();
    names
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error_of_every_command() {
    let (place, _) = Place::with_case();
    place.write("h.jsonl", HISTORY);
    for line in [
        "check notebook:storing",
        "check notebook:storing --format json",
        "bench lww-2-2",
        "bench lww-2-2 --format json",
        &format!("replay {CASE}"),
        &format!("replay {CASE} --format json"),
        "explain causal",
        "verify h.jsonl",
        "verify h.jsonl --format json",
        "verify --follow - --format json",
        "convert h.jsonl --to edn",
        "demo --speed 1000 --duration 1s",
        "list",
        "completions bash",
        "man",
        "--help",
        "check --help",
        "--version",
    ] {
        let full = || OpenOptions::new().write(true).open("/dev/full").expect("it is there");
        let output = place.command(&words(line)).stdin(Stdio::null()).stdout(full()).output();
        let output = output.expect("it can be run");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {err}");
        assert!(!err.contains("panicked"), "{line}: {err}");
    }
    for line in ["check notebook:storing --format json", "convert h.jsonl --to edn", "chekc"] {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("it is there");
        let output = place.command(&words(line)).stderr(full).output().expect("it can be run");
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    // Standard error has no reader.
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = place.command(&words("convert h.jsonl --to edn"));
    let status = command.stdout(Stdio::null()).stderr(writer).status().expect("it runs");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn what_cannot_be_saved_is_told_all_the_same() {
    let place = Place::new();
    place.write("cases", "a file, not a directory");
    let nowhere = Path::new("/proc").exists().then(|| Path::new("/proc"));
    for directory in [Some(place.path("")), nowhere.map(Path::to_owned)].into_iter().flatten() {
        let output = place.command(&words(CHECK)).current_dir(directory).output().expect("it runs");
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        assert!(out.contains("FAIL  eventual (diverged)") && out.contains("they will never agree"));
        assert!(!out.contains("saved"), "{out}");
        assert!(err.starts_with("warning: the case could not be saved in cases/"), "{err}");
        assert!(err.contains("run the command in a directory that you can write to"), "{err}");
    }
    let place = Place::new();
    let said = on_a_full_disk(&place, CHECK, 0);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("they will never agree") && said.err.starts_with("warning: "));
    assert!(names(&place.path("cases")).is_empty());
}

#[test]
fn a_name_that_something_else_has_is_left_to_it() {
    for plant in [
        |path: &Path| pipe(path),
        |path: &Path| symlink("/dev/null", path).expect("a link can be made"),
        |path: &Path| symlink("nowhere", path).expect("a link can be made"),
        |path: &Path| fs::create_dir(path).expect("a directory can be made"),
    ] {
        let place = Place::new();
        fs::create_dir(place.path("cases")).expect("a directory can be made");
        plant(&place.path(CASE));
        let kind = || fs::symlink_metadata(place.path(CASE)).expect("it is there").file_type();
        let planted = kind();
        let said = place.run(CHECK);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains("cases/notebook-storing-eventual-2.json"), "{said:?}");
        assert_eq!(kind(), planted);
        let replay = place.run("replay cases/notebook-storing-eventual-2.json");
        assert_eq!(replay.code, Some(1), "{replay:?}");
    }
}

#[test]
fn runs_in_one_directory_at_the_same_time_keep_their_cases() {
    let place = Place::new();
    let models = ["eventual", "eventual", "ryw", "ryw", "lin", "lin"];
    let run = |model: &'static str| {
        let line = format!("check notebook:storing --model {model} --seed 1");
        let mut command = place.command(&words(&line));
        (model, command.stdout(Stdio::piped()).spawn().expect("it can be run"))
    };
    let runs: Vec<(&str, Child)> = models.map(run).into();
    for (model, child) in runs {
        let out = child.wait_with_output().expect("it ends").stdout;
        let out = String::from_utf8(out).expect("output is UTF-8");
        let saved = out.lines().find_map(|line| line.trim().strip_prefix("saved "));
        let case = read(&place.path(saved.expect("it says where").trim()));
        let wanted = model.parse::<quiescence::judgement::Model>().expect("a model").name();
        assert!(case.contains(&format!("\"model\": \"{wanted}\"")), "{model}: {case}");
    }
    assert!(names(&place.path("cases")).iter().all(|name| name.ends_with(".json")));
}

#[test]
fn convert_replaces_regular_files_and_nothing_else() {
    let place = Place::new();
    place.write("h.jsonl", HISTORY);
    let edn = place.run("convert h.jsonl --to edn").out;
    let to = |name: &str| place.run(&format!("convert h.jsonl --to edn -o {name}"));

    // A link stays a link; the file that it leads to is replaced and keeps its
    // permissions.
    place.write("real", "before");
    fs::set_permissions(place.path("real"), fs::Permissions::from_mode(0o640)).expect("ours");
    symlink("real", place.path("link")).expect("a link can be made");
    assert_eq!(to("link").code, Some(0));
    assert!(fs::symlink_metadata(place.path("link")).expect("there").is_symlink());
    assert_eq!(read(&place.path("real")), edn);
    let mode = fs::metadata(place.path("real")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);

    // A file that is read-only, a dangling link and a directory are refused and
    // stay unchanged.
    place.write("fixed", "before");
    fs::set_permissions(place.path("fixed"), fs::Permissions::from_mode(0o444)).expect("ours");
    symlink("nowhere", place.path("loose")).expect("a link can be made");
    fs::create_dir(place.path("directory")).expect("a directory can be made");
    for (name, why) in
        [("fixed", "read-only"), ("loose", "does not exist"), ("directory", "is a directory")]
    {
        let said = to(name);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(why) && said.err.contains("--output"), "{said:?}");
    }
    assert_eq!(read(&place.path("fixed")), "before");
    assert!(!place.path("nowhere").exists());

    // A device is written to, and so is a pipe. (The test makes its own device,
    // where it can, because it must not risk the system's.)
    let made = Command::new("mknod").arg(place.path("null")).args(["c", "1", "3"]).output();
    if made.is_ok_and(|made| made.status.success()) {
        assert_eq!(to("null").code, Some(0));
        assert!(fs::metadata(place.path("null")).expect("there").file_type().is_char_device());
    }
    pipe(&place.path("pipe"));
    let path = place.path("pipe");
    let reader = std::thread::spawn(move || read(&path));
    assert_eq!(to("pipe").code, Some(0));
    // (If it were no longer a pipe, the reader would wait for ever.)
    assert!(fs::metadata(place.path("pipe")).expect("there").file_type().is_fifo());
    assert_eq!(reader.join().expect("it reads"), edn);
    let program = env!("CARGO_BIN_EXE_quiescence");
    let script = format!("{program} convert h.jsonl --to edn -o >(cat > substituted; echo >done)");
    pipe(&place.path("done"));
    let path = place.path("done");
    let done = std::thread::spawn(move || read(&path));
    assert_eq!(place.run_by(Command::new("bash").args(["-c", &script])).code, Some(0));
    done.join().expect("it reads");
    assert_eq!(read(&place.path("substituted")), edn);

    // A dash is standard output.
    assert_eq!(to("-").out, edn);
    assert!(!place.path("-").exists());
}

#[test]
fn a_file_for_which_there_is_no_room_stays_as_it_was() {
    let place = Place::new();
    place.write("h.jsonl", HISTORY);
    place.write("out", "before");
    let said = on_a_full_disk(&place, "convert h.jsonl --to edn -o out", 0);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("out cannot be written"), "{said:?}");
    assert_eq!(read(&place.path("out")), "before");
    assert_eq!(names(&place.path("")), ["h.jsonl", "out"]);
}

/// Sends a signal once the process has a handler for it.
#[cfg(target_os = "linux")]
fn signal(child: &Child, name: &str, number: u32) {
    let status = format!("/proc/{}/status", child.id());
    let waits = || {
        let text = fs::read_to_string(&status).expect("it has not been waited for");
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.expect("the system tells it").trim().to_owned()
        };
        let caught = u64::from_str_radix(&field("SigCgt:"), 16).expect("a mask is hexadecimal");
        // A process that has ended will never have one.
        caught & (1 << (number - 1)) == 0 && !field("State:").starts_with('Z')
    };
    while waits() {
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("there is a kill").success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_every_command_with_130_and_leaves_nothing() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        for line in [
            "check abd --runs 1000000000",
            "bench lww-5-12 --reduce none",
            "demo --duration 1000s",
            "verify -",
            "verify --follow -",
            "convert - --to edn -o out",
        ] {
            let place = Place::new();
            let mut command = place.command(&words(line));
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("it can be run");
            // Standard input stays open, and nothing is written to it.
            let open = child.stdin.take();
            signal(&child, name, number);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(130), "{name} {line}: {output:?}");
            assert!(names(&place.path("")).is_empty(), "{line}: {:?}", names(&place.path("")));
            drop(open);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_judged_before_a_signal_is_told() {
    let place = Place::new();
    place.write("easy.jsonl", HISTORY);
    place.write("hard.jsonl", hard());
    let line = "verify easy.jsonl hard.jsonl --model linearizable --steps 1000000000000";
    let mut command = place.command(&words(line));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be run");
    let mut out = child.stdout.take().expect("it was asked for");
    let mut first = [0; 16];
    out.read_exact(&mut first).expect("the first recording is judged at once");
    signal(&child, "INT", 2);
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("output is UTF-8");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{rest}");
    assert!(rest.contains("✓ holds"), "{rest}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"), "{output:?}");
}

/// A history without an order, which takes too long to search: a read of an odd
/// sum while many even numbers are added.
fn hard() -> String {
    let event = |process: u32, kind: &str, f: &str, value: &str, time: u32| {
        format!(
            r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"c","value":{value},"time":{time}}}"#
        )
    };
    let adds = |kind, time| {
        let add = move |process: u32| {
            event(process, kind, "add", &(2_u64 << process).to_string(), time) + "\n"
        };
        (0..26).map(add).collect::<String>()
    };
    let read = event(26, "invoke", "read", "null", 0) + "\n" + &event(26, "ok", "read", "1", 10);
    adds("invoke", 0) + &read + "\n" + &adds("ok", 10)
}

#[test]
fn a_time_that_is_over_ends_a_verdict() {
    let place = Place::new();
    place.write("hard.jsonl", hard());
    let said = place.run("verify hard.jsonl --model lin --steps 1000000000000 --time 50ms");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("? unknown"), "{said:?}");
}

#[test]
fn what_writes_to_a_file_says_so_only_once_it_is_there() {
    let place = Place::new();
    place.write("h.jsonl", HISTORY);
    let mut file = File::create(place.path("out")).expect("it can be made");
    file.write_all(b"before").expect("it can be written");
    let said = place.run("convert h.jsonl --to operations -o out");
    assert_eq!(said.code, Some(0), "{said:?}");
    // A process that has the old file open keeps its contents.
    assert!(read(&place.path("out")).starts_with("{\"process\":0"));
    assert_eq!(names(&place.path("")), ["h.jsonl", "out"]);
}

#[test]
fn a_recording_that_would_take_too_much_memory_is_refused_with_the_need() {
    let place = Place::new();
    place.write("h.jsonl", HISTORY);
    let said = place.run("verify h.jsonl --memory 1kB");
    assert_eq!(said.code, Some(2), "{said:?}");
    for word in ["h.jsonl is too large", "GB of memory", "--memory"] {
        assert!(said.err.contains(word), "{word}: {said:?}");
    }
    // The size of compressed or piped input is known only as it is read.
    let program = env!("CARGO_BIN_EXE_quiescence");
    for script in [
        format!("cat h.jsonl | {program} verify - --memory 1kB"),
        format!("gzip -c h.jsonl | {program} convert - --to edn --memory 1kB"),
    ] {
        let said = place.run_by(Command::new("bash").args(["-c", &script]));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("GB of memory") && said.err.contains("--memory"), "{said:?}");
    }
    assert_eq!(place.run("verify h.jsonl --memory 1MB").code, Some(0));
}

#[test]
fn what_is_long_is_told_by_its_length() {
    let place = Place::new();
    let long = "k".repeat(2_000_000);
    let violated = HISTORY.replace("\"x\"", &format!("\"{long}\"")).replacen(
        "\"value\":1,\"time\":3",
        &format!("\"value\":\"{long}\",\"time\":3"),
        1,
    );
    place.write("h.jsonl", &violated);
    let said = place.run("verify h.jsonl");
    assert_eq!(said.code, Some(1), "{}", said.out.len());
    assert!(said.out.len() < 20_000, "{}", said.out.len());
    assert!(said.out.contains("(2000000 letters)"), "{}", said.out);
    place.write("h.jsonl", violated.replacen("\"invoke\"", &format!("\"{long}\""), 1));
    let said = place.run("verify h.jsonl");
    assert_eq!(said.code, Some(2));
    assert!(said.err.len() < 5_000, "{}", said.err.len());
    assert!(
        said.err.contains("letters left out") && said.err.contains("h.jsonl:1"),
        "{}",
        said.err
    );
}

#[test]
fn marks_are_counted_and_the_first_are_kept() {
    let place = Place::new();
    let mark = "{:process :nemesis :type :info :f :start :value nil}\n".repeat(3_000);
    let read = "{:process 0 :type :invoke :f :read :value nil}\n{:process 0 :type :ok :f :read :value nil}\n";
    place.write("h.edn", mark + read);
    let said = place.run("verify h.edn");
    assert!(said.out.contains("3,000 kept as marks"), "{said:?}");
}
