//! `verify --spill`: recordings that are larger than memory.
//!
//! A first pass reads the recording operation by operation, checks that it is well formed,
//! and writes each operation to the file of its key. Then one file after the other is judged,
//! by models that judge each key for itself.
//!
//! Invariant: the verdict on the whole is that of its parts. A violation of one part is one of
//! the whole. That all parts have an order means that the whole has one only where the model
//! is [local](Locality); else this module refuses the model, or says that it cannot tell.

mod first;
mod merge;
mod parts;

use std::path::Path;
use std::time::Duration;

use crate::history::escape;
use crate::history::formats::{Options, Recording};
use crate::judgement::Model;
use crate::judgement::model::Locality;
use crate::report::count;

use super::args::VerifyArgs;
use super::clock;
use super::exit::{Exit, Failure};
use super::progress::{Phase, Progress};
use super::screen::Screen;
use super::values::Meaning;
use super::{input, interrupts, verify};
use first::{First, recorded};
use merge::Merged;
use parts::{PARTS, Parts};

/// How much memory judging takes for each operation of a part, at most, in bytes: measured
/// with short operations.
const BYTES_EACH: u64 = 450;

/// The same for each byte of a part: of long values, measured with 50 kB each.
const BYTES_LONG: u64 = 2;

/// Judges one recording.
pub fn run(args: &VerifyArgs, directory: &Path, screen: &Screen) -> Result<Exit, Failure> {
    let [name] = &args.histories[..] else {
        return Err(Failure::new("--spill takes one recording"));
    };
    if input::typed(name, &Options::default()).is_some() {
        let typed = escape::short(name);
        return Err(Failure::new(format!("--spill reads a file, and `{typed}` is a history"))
            .remedy("leave out --spill to judge a history that is typed"));
    }
    let models = models(args)?;
    if let Some(said) = args.datatype.as_ref().filter(|said| !said.of.is_empty()) {
        verify::no_opaque_beside(said, name)?;
        if args.initial.is_some() {
            return Err(verify::several(name));
        }
    }
    // From here on a signal ends the work, so that the folder is removed.
    interrupts::heed();
    interrupts::until(args.time);
    let progress = Progress::new(screen.progress);
    let began = clock::now();
    let left = Parts::left_in(directory);
    if left > 0 {
        let said = format!(
            "{} has {} of other runs with --spill: if none of them goes on, remove what is called \
             quiescence-spill-…",
            directory.display(),
            if left == 1 { "a folder".to_owned() } else { format!("{left} folders") }
        );
        screen.note(&screen.look.text(&said));
    }
    let mut parts = Parts::create(directory)?;
    let reading = |bytes, of| {
        progress.tell(|| verify::now(name, Phase::Reading(bytes, of), began.elapsed()));
    };
    let Some(first) = First::pass(args, name, &mut parts, &reading)? else {
        parts.remove()?;
        screen.note("interrupted: nothing was judged");
        return Ok(Exit::Interrupted);
    };
    room(&parts, args)?;
    let mut merged = Merged::new(models);
    for part in 0..PARTS {
        if interrupts::is_enough() {
            merged.unjudged = PARTS - part;
            break;
        }
        let said = format!("judging part {} of {PARTS}", part + 1);
        progress.tell(|| verify::now(name, Phase::Other(said), Duration::ZERO));
        judge(args, name, (&parts, part), &first, &mut merged)?;
    }
    parts.remove()?;
    progress.end();
    let exit = merged.tell(args, name, first, screen)?;
    if exit == Exit::Interrupted {
        screen.note("interrupted: these are the results so far");
    }
    Ok(exit)
}

/// The models to judge by, if each can be judged key by key.
fn models(args: &VerifyArgs) -> Result<Vec<Model>, Failure> {
    if args.models.is_empty() {
        return Ok(vec![Model::Linearizable]);
    }
    match args.models.iter().find(|model| model.locality() == Locality::Whole) {
        None => Ok(args.models.clone()),
        Some(model) => Err(Failure::new(format!(
            "--spill judges key by key, and whether {model} holds is not told from single keys"
        ))
        .remedy(
            "judge it without --spill, or by linearizable, k-atomic:K, delta-atomic:NS, \
             regular, regular_weak, safe, cache or slow",
        )),
    }
}

/// Whether each part can be judged in memory.
fn room(parts: &Parts, args: &VerifyArgs) -> Result<(), Failure> {
    let memory = args.memory.unwrap_or_else(input::free_memory);
    let need = |(size, operations): (&u64, &u64)| {
        let each = operations.saturating_mul(BYTES_EACH);
        (each.saturating_add(size.saturating_mul(BYTES_LONG)), *operations)
    };
    let (need, most) = parts.sizes.iter().zip(&parts.counts).map(need).max().unwrap_or((0, 0));
    if need <= memory {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the keys of one of {PARTS} parts have {} operations, which may need {:.1} GB of memory, \
         and the limit is {:.1} GB",
        count(most),
        need as f64 / 1e9,
        memory as f64 / 1e9,
    ))
    .remedy(
        "allow more memory with --memory, or judge a part of the recording: one key is never split",
    ))
}

/// What the operations of a part mean: of the keys that are named it has only some.
fn meaning(args: &VerifyArgs, part: &Recording) -> Meaning {
    let keys = part.history.operations().iter().map(|operation| &operation.call.key).collect();
    args.datatype.as_ref().map(|said| said.on(&keys)).unwrap_or_default()
}

/// Judges one part.
fn judge(
    args: &VerifyArgs,
    name: &str,
    (parts, part): (&Parts, usize),
    first: &First,
    merged: &mut Merged,
) -> Result<(), Failure> {
    let all = parts.take(part)?;
    if all.is_empty() {
        return Ok(());
    }
    let numbers = all.iter().map(|one| one.number).collect();
    let input = recorded(all, &first.recording, first.bytes);
    let meaning = meaning(args, &input.recording);
    let begun = verify::begun(meaning, args.initial.as_ref(), name, &input)?;
    merged.add(args, &begun, &input.recording, numbers);
    Ok(())
}
