//! What it costs to judge a recording, as a whole process: reading, judging,
//! telling. Makes its own histories.
//!
//! `cargo bench --bench verify` goes to a million operations; with `-- deep` to
//! ten million; `-- write FOLDER` only writes the recordings. Last come logs that are
//! searched: of a register with compare-and-set and timeouts, and of text registers.
//! The figures are of this machine; the verdicts are asserted.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use quiescence::history::{Completion, Function, Operation, Value};

#[path = "../tests/it/dice.rs"]
mod dice;
#[path = "../tests/it/judgement/simulated.rs"]
#[expect(dead_code, reason = "shared with the tests, which draw more kinds")]
mod simulated;

use simulated::{Ask, Dice, register};

/// Numbers without order; the same every time.
struct Lot(u64);

impl Lot {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % below
    }
}

/// How a store answers.
#[derive(Clone, Copy, PartialEq)]
enum Store {
    /// Each operation at one instant.
    Linearizable,
    /// Five nodes that see a prefix of all writes, and their own.
    Causal,
}

/// One recording.
#[derive(Clone, Copy)]
struct Recording {
    name: &'static str,
    store: Store,
    operations: usize,
    clients: u32,
    keys: usize,
    /// Whether one late read answers what was overwritten long before.
    stale: bool,
}

/// What nodes know: how many writes, and their own beyond that.
struct Nodes {
    writes: Vec<(usize, u64)>,
    prefix: Vec<(usize, Vec<u64>)>,
    own: Vec<Vec<(usize, usize, u64)>>,
}

impl Nodes {
    fn new(nodes: usize, keys: usize) -> Nodes {
        let (prefix, own) = (vec![(0, vec![0; keys]); nodes], vec![Vec::new(); nodes]);
        Nodes { writes: Vec::new(), prefix, own }
    }

    fn write(&mut self, node: usize, key: usize, value: u64) {
        self.own[node].push((self.writes.len(), key, value));
        self.writes.push((key, value));
    }

    /// What `node` answers, once it knows all but the last `lag` writes.
    fn read(&mut self, node: usize, key: usize, lag: usize) -> u64 {
        let (known, values) = &mut self.prefix[node];
        while *known + lag < self.writes.len() {
            let (key, value) = self.writes[*known];
            values[key] = value;
            *known += 1;
        }
        let own = &mut self.own[node];
        own.retain(|(at, ..)| *at >= *known);
        let newest = own.iter().rev().find(|(_, of, _)| *of == key);
        newest.map_or(values[key], |(.., value)| *value)
    }
}

impl Recording {
    /// Writes it as operation lines.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut lot = Lot(7);
        let mut out = BufWriter::new(fs::File::create(path)?);
        let mut nodes = Nodes::new(if self.store == Store::Causal { 5 } else { 1 }, self.keys);
        let mut busy: Vec<u64> = (0..self.clients).map(|_| lot.below(1_000)).collect();
        let mut line = String::new();
        let mut middle = None;
        // Operations happen one after the other; around each instant the
        // operation is stretched, as far as its client is idle.
        for at in 0..self.operations {
            let instant = 2_000 + at as u64 * 40;
            let idle = |client: &u32| busy[*client as usize] < instant;
            let start = lot.below(u64::from(self.clients)) as u32;
            let client = (0..self.clients).map(|n| (start + n) % self.clients).find(idle);
            let client = client.expect("some client is idle");
            let begun = busy[client as usize].max(instant.saturating_sub(1 + lot.below(900))) + 1;
            let begun = begun.min(instant);
            let ended = instant + 1 + lot.below(900);
            busy[client as usize] = ended;
            let key = lot.below(self.keys as u64) as usize;
            let node = client as usize % nodes.prefix.len();
            let value = at as u64 + 1;
            let is_write = lot.below(2) == 0;
            let answer = match is_write {
                true => {
                    nodes.write(node, key, value);
                    value
                }
                false => {
                    let lag = if self.store == Store::Causal { lot.below(40) as usize } else { 0 };
                    nodes.read(node, key, lag)
                }
            };
            if at > self.operations / 2 && is_write && middle.is_none() {
                middle = Some((key, value));
            }
            let old = middle.filter(|(of, _)| {
                self.stale && *of == key && !is_write && at > self.operations / 10 * 9
            });
            if old.is_some() {
                middle = Some((usize::MAX, 0));
            }
            let answer = old.map_or(answer, |(_, value)| value);
            line.clear();
            let f = if is_write { "write" } else { "read" };
            let _ =
                write!(line, "{{\"process\":{client},\"f\":\"{f}\",\"key\":\"k{key}\",\"value\":");
            let _ = match answer {
                0 => write!(line, "null"),
                answer => write!(line, "{answer}"),
            };
            let _ = writeln!(line, ",\"invoke\":{begun},\"return\":{ended},\"type\":\"ok\"}}");
            out.write_all(line.as_bytes())?;
        }
        out.flush()
    }
}

/// As [`run`], with the exit code that is expected.
fn measure(path: &Path, words: &str, expected: i32) -> (Duration, u64) {
    let (time, peak, code) = run(path, words);
    assert_eq!(code, Some(expected), "{}: {words}", path.display());
    (time, peak)
}

/// Runs `verify` on a file: how long, the most memory in bytes, and the exit code.
fn run(path: &Path, words: &str) -> (Duration, u64, Option<i32>) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_quiescence"))
        .arg("verify")
        .arg(path)
        .args(words.split_whitespace())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("the child can be asked") {
            break ended;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        std::thread::yield_now();
    };
    (began.elapsed(), peak, ended.code())
}

/// As in the logs of etcd that Porcupine is tested with: 85 operations of 5 clients on 5
/// values, of which a fifth time out.
const ETCD: Ask =
    Ask { operations: 85, clients: 5, keys: 1, values: 5, writes: 34, swaps: 33, timeouts: 20 };

/// A log of a register with compare-and-set. In two of three, some reads are stale.
fn etcd(seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut operations = register(&mut dice, ETCD);
    if !seed.is_multiple_of(3) {
        for at in 0..operations.len() {
            let earlier = &operations[..at.saturating_sub(8)];
            let earlier = earlier.iter().rev().find_map(Operation::answer);
            if let (Some(_), Some(old)) = (operations[at].answer(), earlier.cloned())
                && dice.one_in(2)
            {
                operations[at].completion = Completion::Ok(old);
            }
        }
    }
    let mut lines: Vec<(u64, String)> = Vec::new();
    for operation in &operations {
        let (process, f) = (operation.process.0, operation.call.f.as_str());
        let said = |value: &Value| match value {
            Value::Null => "nil".to_owned(),
            other => other.to_string().replace(',', " "),
        };
        let argument = said(&operation.call.argument);
        let mut line = |time: u64, kind: &str, value: &str| {
            lines.push((time, format!("{process}\t:{kind}\t:{f}\t{value}\n")));
        };
        line(operation.invoked, "invoke", &argument);
        let returned = operation.returned.unwrap_or(operation.invoked + 500);
        match (&operation.completion, &operation.call.f) {
            (Completion::Ok(answer), Function::Read) => line(returned, "ok", &said(answer)),
            (Completion::Ok(Value::Null), _) => line(returned, "ok", &argument),
            (Completion::Ok(_), _) => line(returned, "fail", &argument),
            (_, Function::Read) => line(returned, "fail", ":timed-out"),
            _ => line(returned, "info", ":timed-out"),
        }
    }
    lines.sort_by_key(|(time, _)| *time);
    lines.into_iter().map(|(_, line)| format!("INFO  jepsen.util - {line}")).collect()
}

/// A log of text registers that clients append to; now and then one of the first key
/// misses what was appended last.
fn texts(operations: usize, clients: u64, keys: u64) -> String {
    let mut lot = Lot(3);
    let mut held: Vec<[String; 2]> = vec![Default::default(); keys as usize];
    let mut idle: Vec<u64> = vec![0; clients as usize];
    let mut lines: Vec<(u64, String)> = Vec::new();
    for at in 0..operations as u64 {
        // Operations happen one after the other, and clients wait around them.
        let instant = 1_000 + at * 100;
        let start = lot.below(clients);
        let free =
            (0..clients).map(|n| (start + n) % clients).find(|c| idle[*c as usize] < instant);
        let client = free.expect("some client is idle");
        let begun = (instant - lot.below(400)).max(idle[client as usize] + 1);
        let ended = instant + 1 + lot.below(400);
        idle[client as usize] = ended;
        let key = lot.below(keys);
        let [now, before] = &mut held[key as usize];
        let (f, argument, answer) = match lot.below(20) {
            0 => {
                *before = std::mem::replace(now, format!("p {at} "));
                ("put", now.clone(), now.clone())
            }
            1..10 => {
                before.clone_from(now);
                let more = format!("a {client} {at} ");
                now.push_str(&more);
                ("append", more.clone(), more)
            }
            _ => {
                let stale = key == 0 && at > operations as u64 / 2 && lot.below(4) == 0;
                ("get", String::new(), if stale { before.clone() } else { now.clone() })
            }
        };
        let mut line = |time: u64, kind: &str, value: &str| {
            lines.push((
                time,
                format!(
                    "{{:process {client}, :type :{kind}, :f :{f}, :key \"{key}\", :value {value}}}\n"
                ),
            ));
        };
        let quoted = |text: &str| format!("\"{text}\"");
        let asked = if f == "get" { "nil".to_owned() } else { quoted(&argument) };
        line(begun, "invoke", &asked);
        line(ended, "ok", &quoted(&answer));
    }
    lines.sort_by_key(|(time, _)| *time);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Logs that are searched, as many processes one after the other: in all the seconds,
/// and the most megabytes.
fn searched(folder: &Path, name: &str, logs: &[String], only_writes: bool) {
    let (mut time, mut peak, mut violated) = (Duration::ZERO, 0, 0);
    for (at, log) in logs.iter().enumerate() {
        let path = folder.join(format!("{name}-{at:03}.log"));
        fs::write(&path, log).expect("the folder can be written");
        if only_writes {
            continue;
        }
        let (took, most, code) = run(&path, "");
        assert!([Some(0), Some(1)].contains(&code), "{}: {code:?}", path.display());
        violated += usize::from(code == Some(1));
        (time, peak) = (time + took, most.max(peak));
        fs::remove_file(&path).expect("what was written can be removed");
    }
    if only_writes {
        return;
    }
    let (time, peak) = (time.as_secs_f64(), peak / 1_000_000);
    println!("{name:<20} {time:>9.3} {peak:>9}  {violated} of {} violated", logs.len());
}

const LINEARIZABLE: &str = "--model linearizable";
const CAUSAL: &str =
    "--model ccv --model cc --model ryw --model mr --model mr_mw --model mr_wfr --model sess3";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let deep = words.iter().any(|word| word == "deep");
    let folder = match &words[..] {
        [first, folder, ..] if first == "write" => PathBuf::from(folder),
        _ => std::env::temp_dir().join(format!("quiescence-verify-{}", std::process::id())),
    };
    fs::create_dir_all(&folder).expect("a folder can be made");
    let one_key = |name, operations, clients, stale| Recording {
        name,
        store: Store::Linearizable,
        operations,
        clients,
        keys: 1,
        stale,
    };
    let causal = |name, operations, stale| Recording {
        name,
        store: Store::Causal,
        operations,
        clients: 50,
        keys: 1_000,
        stale,
    };
    let mut all = vec![
        (one_key("register-1e3", 1_000, 20, false), LINEARIZABLE, 0),
        (one_key("register-1e4", 10_000, 50, false), LINEARIZABLE, 0),
        (one_key("register-1e5", 100_000, 50, false), LINEARIZABLE, 0),
        (one_key("register-1e6", 1_000_000, 50, false), LINEARIZABLE, 0),
        (one_key("register-1e6-stale", 1_000_000, 50, true), LINEARIZABLE, 1),
        (causal("causal-1e3", 1_000, false), CAUSAL, 0),
        (causal("causal-1e4", 10_000, false), CAUSAL, 0),
        (causal("causal-1e5", 100_000, false), CAUSAL, 0),
        (causal("causal-1e6", 1_000_000, false), CAUSAL, 0),
        (causal("causal-1e6-stale", 1_000_000, true), CAUSAL, 1),
    ];
    if deep {
        all.push((one_key("register-1e7", 10_000_000, 50, false), LINEARIZABLE, 0));
        all.push((one_key("register-1e7-stale", 10_000_000, 50, true), LINEARIZABLE, 1));
        all.push((causal("causal-1e7", 10_000_000, false), CAUSAL, 0));
    }
    println!("{:<20} {:>9} {:>9}", "recording", "seconds", "MB");
    for (recording, models, expected) in all {
        let path = folder.join(format!("{}.jsonl", recording.name));
        recording.write(&path).expect("the folder can be written");
        if words.first().is_some_and(|word| word == "write") {
            continue;
        }
        let runs = if recording.operations > 1_000_000 { 1 } else { 3 };
        let mut taken: Vec<_> = (0..runs).map(|_| measure(&path, models, expected)).collect();
        taken.sort();
        let (time, peak) = taken[runs / 2];
        println!("{:<20} {:>9.3} {:>9}", recording.name, time.as_secs_f64(), peak / 1_000_000);
        fs::remove_file(&path).expect("what was written can be removed");
    }
    let only_writes = words.first().is_some_and(|word| word == "write");
    let logs: Vec<String> = (0..102).map(etcd).collect();
    searched(&folder, "etcd", &logs, only_writes);
    searched(&folder, "texts-10", &[texts(1_000, 10, 10)], only_writes);
    searched(&folder, "texts-50", &[texts(2_000, 50, 10)], only_writes);
    if words.is_empty() || deep {
        let _ = fs::remove_dir(&folder);
    }
}
