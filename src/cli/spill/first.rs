//! The first pass over a recording: is it well formed, what is said of it as a whole, and which
//! file each operation goes to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cli::args::VerifyArgs;
use crate::cli::exit::Failure;
use crate::cli::input::{self, Input};
use crate::cli::{clock, interrupts, verify};
use crate::history::formats::stream::{NotStreamed, Stream, Streamed};
use crate::history::formats::{Options, Recording};
use crate::history::{Completion, History, Key, ProcessId, Value};
use crate::judgement::datatype::{Datatype, Register};
use crate::report::survey::Counted;

use super::parts::Parts;

/// How many operations are read before it is looked whether to stop.
const BREATH: u64 = 4_096;

/// What the first pass tells.
pub struct First {
    /// What was noted, without operations.
    pub recording: Recording,
    pub counted: Counted,
    pub bytes: u64,
    pub reading: Duration,
    /// Whether every process invokes an operation after the instant at which its last one
    /// returned, if that was on another key. (Both on one key are in one part, which keeps their
    /// order.)
    pub in_time: bool,
}

impl First {
    /// Reads the recording to its end and writes its operations to the parts. `None` if it was
    /// interrupted.
    pub fn pass(
        args: &VerifyArgs,
        name: &str,
        parts: &mut Parts,
        tell: &dyn Fn(u64, Option<u64>),
    ) -> Result<Option<First>, Failure> {
        let began = clock::now();
        let options = args.read.options();
        let mut file = input::counted(name, tell)?;
        let refused = |why| refused(name, why, (&options, args.initial.as_ref()));
        let mut stream = Stream::open(&mut file, &options).map_err(refused)?;
        let mut counted = Counted::default();
        let mut last: BTreeMap<ProcessId, (Option<u64>, Key)> = BTreeMap::new();
        let (mut in_time, mut seen) = (true, 0_u64);
        let said = args.datatype.clone().unwrap_or_default();
        let mut named: BTreeSet<&Key> = said.of.iter().map(|(key, _)| key).collect();
        while let Some(one) = stream.operation().map_err(refused)? {
            let operation = &one.operation;
            let key = &operation.call.key;
            if !said.knows(key) {
                is_register(name, &one)?;
            }
            named.remove(key);
            let before = last.insert(operation.process, (operation.returned, key.clone()));
            in_time &= before.is_none_or(|(end, on)| {
                on == *key || end.is_some_and(|end| end < operation.invoked)
            });
            counted.operations += 1;
            counted.pending += usize::from(operation.is_pending());
            parts.add(&one)?;
            seen += 1;
            if seen.is_multiple_of(BREATH) && interrupts::noted() {
                return Ok(None);
            }
        }
        if let Some(key) = named.first() {
            return Err(verify::nothing_on(key, name));
        }
        parts.flush()?;
        counted.processes = last.len();
        let recording = stream.finish().map_err(|malformed| refused(malformed.into()))?;
        let (bytes, reading) = (file.bytes(), began.elapsed());
        Ok(Some(First { recording, counted, bytes, reading, in_time }))
    }
}

/// Why a recording is not read operation by operation, and what to do about it.
fn refused(
    name: &str,
    why: NotStreamed,
    (options, initial): (&Options, Option<&Value>),
) -> Failure {
    let held = match initial {
        Some(Value::List(held)) => format!(" --initial '{}'", Value::List(held.clone())),
        _ => String::new(),
    };
    match why {
        NotStreamed::Malformed(malformed) => input::malformed(name, &malformed, options, false),
        NotStreamed::Whole(what) => Failure::new(format!(
            "{name} is {what}, which has to be read as a whole, and --spill reads line by line"
        ))
        .remedy(format!(
            "write it as JSON lines first: convert {name} --to operations{held} -o FILE"
        )),
    }
}

/// Refuses what is no operation of a register: which other datatype it may be, only the whole
/// recording tells.
fn is_register(name: &str, one: &Streamed) -> Result<(), Failure> {
    let call = &one.operation.call;
    let answer = match &one.operation.completion {
        Completion::Ok(answer) => Some(answer),
        Completion::Info | Completion::Fail => None,
    };
    let transaction = || answer.into_iter().chain([&call.argument]).any(Value::is_transaction);
    if Register.knows(call, answer) && !transaction() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{name}:{}: `{call}` is nothing that a register does, and --spill guesses nothing else",
        one.line
    ))
    .remedy("say what the operations mean: --datatype counter, set:add-wins, queue, …"))
}

/// These operations, in order of invocation, as a recording of their own.
pub fn recorded(all: Vec<Streamed>, noted: &Recording, bytes: u64) -> Input {
    let lines = all.iter().map(|one| one.line).collect();
    let operations = all.into_iter().map(|one| one.operation).collect();
    let history = History::of(operations).expect("a part of a well-formed history is well formed");
    Input { recording: Recording { history, lines, ..noted.clone() }, bytes }
}
