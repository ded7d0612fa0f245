//! `verify --save-counterexample`: the operations that show a violation, as a recording.

use std::path::Path;

use crate::history::History;
use crate::history::formats::json_lines;
use crate::judgement::{Survey, Verdict};

use super::args::VerifyArgs;
use super::exit::Failure;
use super::screen::Screen;
use super::{files, interrupts};

/// Refuses to write a counterexample over the recording that it is taken from.
pub fn keeps(args: &VerifyArgs, recording: &str) -> Result<(), Failure> {
    match &args.save_counterexample {
        Some(path) if files::is_same(path, Path::new(recording)) => {
            Err(Failure::new(format!("{} is the recording itself", path.display()))
                .remedy("choose another place with --save-counterexample"))
        }
        _ => Ok(()),
    }
}

/// Writes the counterexample of the weakest model that fails, and says so; says that nothing
/// is written if no model fails.
///
/// A counterexample is violated in the same way as the whole history, so the file judges the
/// same.
pub fn save(
    path: &Path,
    history: &History,
    survey: &Survey,
    (args, screen): (&VerifyArgs, &Screen),
) -> Result<(), Failure> {
    // A model about reads at quiescence is not placed in the lattice if there are none.
    let all = survey.entries().iter().map(|entry| entry.model);
    let failing = survey.weakest_failing().into_iter().chain(all).find_map(|model| match &*survey
        .entry(model)?
        .verdict
    {
        Verdict::Violated(found) => Some((model, found)),
        _ => None,
    });
    let place = path.display();
    let Some((model, found)) = failing else {
        screen.note(&screen.look.text(&format!("nothing fails: {place} is not written")));
        return Ok(());
    };
    let part = found.of(history);
    let written =
        files::write(path, interrupts::heed, |mut file| json_lines::write_to(&part, &mut file));
    written.map_err(|error| {
        Failure::new(format!("{place} cannot be written: {error}"))
            .remedy("choose another place with --save-counterexample")
    })?;
    let (number, name) = (part.len(), model.name());
    let more = match (&args.initial, &args.datatype) {
        (None, None) => "",
        _ => " with the same --initial and --datatype",
    };
    let program = &screen.program;
    let said = format!("saved {number} operations: {program} verify {place} --model {name}{more}");
    screen.note(&screen.look.text(&said));
    Ok(())
}
