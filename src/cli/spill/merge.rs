//! The verdicts on the parts of a recording, put together.
//!
//! Of each violation only the operations of the counterexample are kept. They are a history
//! that the model forbids, too, so in the end it is judged again, and told, as a recording that
//! has no other operations: with the lines of the file.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cli::args::VerifyArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::screen::Screen;
use crate::cli::{clock, counterexample, interrupts, verify};

use crate::history::formats::stream::Streamed;
use crate::history::{Completion, Operation, Value, formats::Recording};
use crate::hunt::outcome::Status;
use crate::judgement::initial::{seen, suggested};
use crate::judgement::model::Locality;
use crate::judgement::{
    Begun, Budget, Counterexample, Judge, Kind, Model, Reason, Survey, Unknown, Verdict, Witness,
};
use crate::report::reporter::EndOfRecordings;
use crate::report::survey::{Counted, Judged};

use super::first::{First, recorded};
use super::parts::PARTS;

/// What the parts so far say about a model.
#[derive(Clone)]
enum Found {
    Holds,
    /// A part is not decided; whether the model says anything about it.
    Unknown(Unknown, bool),
    Violated(Shown),
}

/// What shows a violation.
#[derive(Clone)]
struct Shown {
    kind: Kind,
    minimal: bool,
    /// The operations of the counterexample.
    counterexample: Vec<Streamed>,
    /// The reason, if it is only that no order explains them. Then they are not
    /// judged again beside those of other counterexamples, of which their reads may tell.
    alone: Option<Reason>,
    /// What is left of their answers, by number.
    restricted: Vec<(u64, Value)>,
    /// Whether this was rechecked with its part.
    rechecked: bool,
    /// Others that are needed to judge it.
    beside: Vec<Streamed>,
}

/// What the parts so far say.
pub struct Merged {
    models: Vec<Model>,
    found: Vec<Found>,
    times: Vec<Duration>,
    keys: usize,
    says_anything: bool,
    searched: Option<&'static str>,
    /// The models of which the evidence was too large to be rechecked in some part.
    unchecked: BTreeSet<Model>,
    /// What early reads of the parts saw that no operation explains.
    seen: BTreeSet<Option<Value>>,
    /// The largest budget of a verdict.
    most: Option<Budget>,
    /// How many parts there was no time for.
    pub unjudged: usize,
}

/// Why it is not told that the whole has an order.
const TOUCHING: &str = "each key has an order, but a process begins an operation at the instant at \
                        which its last one ends, so that all keys together may have none";

impl Merged {
    pub fn new(models: Vec<Model>) -> Merged {
        Merged {
            found: vec![Found::Holds; models.len()],
            times: vec![Duration::ZERO; models.len()],
            models,
            keys: 0,
            says_anything: false,
            searched: None,
            unchecked: BTreeSet::new(),
            seen: BTreeSet::new(),
            most: None,
            unjudged: 0,
        }
    }

    /// Judges a part; `numbers` are the positions of its operations in the whole.
    pub fn add(
        &mut self,
        args: &VerifyArgs,
        begun: &Begun<'_>,
        recording: &Recording,
        numbers: Vec<u64>,
    ) {
        let judge = begun.judge();
        let operations = recording.history.operations();
        let keys: BTreeSet<_> = operations.iter().map(|operation| &operation.call.key).collect();
        self.keys += keys.len();
        self.says_anything |= judge.says_anything();
        self.searched = self.searched.or(judge.searched());
        let budget = verify::budget(args);
        let mut most = self.most.unwrap_or(budget);
        let models = self.models.clone();
        let mut rechecked = BTreeSet::new();
        let survey = Survey::among(&judge, &models, |model| {
            let began = clock::now();
            let verdict = verify::within(&judge, model, (budget, args.time.is_some()), &mut most);
            let at = models.iter().position(|other| *other == model).expect("it was asked for");
            self.times[at] += began.elapsed();
            verify::confirmed(begun, model, verdict, &mut rechecked)
        });
        let judged = survey.entries().iter().filter(|entry| entry.from.is_none());
        let large = judged.map(|entry| entry.model).filter(|model| !rechecked.contains(model));
        self.unchecked.extend(large);
        self.most = Some(most);
        // More than two do not agree either.
        let room = 2_usize.saturating_sub(self.seen.len());
        self.seen.extend(seen(begun.history()).into_iter().take(room));
        let streamed = |at: usize| Streamed {
            number: numbers[at],
            line: recording.lines[at],
            operation: operations[at].clone(),
        };
        for (entry, found) in survey.entries().iter().zip(&mut self.found) {
            let next = match &*entry.verdict {
                Verdict::Holds(_) => continue,
                Verdict::Unknown(unknown) => {
                    Found::Unknown(unknown.clone(), judge.covers(entry.model))
                }
                Verdict::Violated(shown) => {
                    let beside = match entry.model {
                        Model::Safe => overlapping(recording, &shown.operations),
                        _ => Vec::new(),
                    };
                    let streamed = |at: &[usize]| at.iter().copied().map(streamed).collect();
                    Found::Violated(Shown {
                        kind: shown.kind,
                        minimal: shown.minimal,
                        counterexample: streamed(&shown.operations),
                        alone: Some(&shown.reason)
                            .filter(|reason| matches!(reason, Reason::NoOrder { .. }))
                            .cloned(),
                        restricted: { shown.restricted.iter() }
                            .map(|(at, answer)| (numbers[*at], answer.clone()))
                            .collect(),
                        rechecked: rechecked.contains(&entry.from.unwrap_or(entry.model)),
                        beside: streamed(&beside),
                    })
                }
            };
            if next.rank() > found.rank() {
                *found = next;
            }
        }
    }

    /// Tells the verdicts.
    pub fn tell(
        self,
        args: &VerifyArgs,
        name: &str,
        first: First,
        screen: &Screen,
    ) -> Result<Exit, Failure> {
        let shown = self.shown();
        let numbers: Vec<u64> = shown.iter().map(|one| one.number).collect();
        let input = recorded(shown, &first.recording, first.bytes);
        let meaning = super::meaning(args, &input.recording);
        let begun = verify::begun(meaning, args.initial.as_ref(), name, &input)?;
        let judge = begun.judge();
        let budget = verify::budget(args);
        let mut rechecked = BTreeSet::new();
        let survey = Survey::among(&judge, &self.models, |model| {
            match self.verdict((&judge, &numbers), model, budget, first.in_time) {
                (verdict, None) => verify::confirmed(&begun, model, verdict, &mut rechecked),
                (verdict, Some(before)) => {
                    rechecked.extend(before.then_some(model));
                    verdict
                }
            }
        });
        let strange = args.initial.is_none() && verify::saw_what_nobody_left(&judge, &survey);
        // What is not judged may say something, and have other keys.
        let says_anything = self.says_anything || self.unjudged > 0;
        let keys = if self.unjudged > 0 { None } else { Some(self.keys) };
        let counted = Counted { keys, ..first.counted };
        let judged = Judged {
            name,
            every: false,
            full: args.full,
            witnesses: false,
            recording: &input.recording,
            counted,
            spilled: true,
            bytes: first.bytes,
            reading: first.reading,
            survey: &survey,
            not_asked: &[],
            says_anything,
            initial: if strange { suggested(self.seen) } else { None },
            guessed: None,
            searched: self.searched,
            rechecked: &rechecked,
            times: &self.times,
            budget: self.most.unwrap_or(budget),
            least: None,
            distance: None,
            elements: None,
            sums: None,
            far: false,
        };
        let mut reporter = args.format.reporter(screen.look);
        screen.result(args.format, &reporter.recording(&judged));
        let status: Exit = Status::of_survey(&survey, says_anything, None, false).into();
        let exit = if interrupts::noted() { Exit::Interrupted } else { status };
        let end = EndOfRecordings { one: true, exit: &exit.reason() };
        screen.result(args.format, &reporter.end_of_recordings(&end));
        if let Some(path) = &args.save_counterexample {
            counterexample::save(path, &input.recording.history, &survey, (args, screen))?;
        }
        Ok(exit)
    }

    /// The operations of all counterexamples.
    fn shown(&self) -> Vec<Streamed> {
        let mut all: Vec<Streamed> = Vec::new();
        for found in &self.found {
            if let Found::Violated(shown) = found {
                all.extend(shown.counterexample.iter().chain(&shown.beside).cloned());
            }
        }
        all.sort_unstable_by_key(|one| one.number);
        all.dedup_by_key(|one| one.number);
        all
    }

    /// The verdict on the whole, and whether its evidence was rechecked with its part; `None`
    /// if it can be rechecked beside that of the other parts. The judge has the operations of
    /// all counterexamples, of these numbers.
    fn verdict(
        &self,
        (judge, numbers): (&Judge<'_>, &[u64]),
        model: Model,
        budget: Budget,
        in_time: bool,
    ) -> (Verdict, Option<bool>) {
        let unknown = |reason: String| (Verdict::Unknown(Unknown { reason, spent: 0 }), None);
        let at = self.models.iter().position(|other| *other == model).expect("it was asked for");
        match &self.found[at] {
            Found::Unknown(unknown, _) => (Verdict::Unknown(unknown.clone()), None),
            Found::Violated(shown) => {
                let anew = || judge.check(model, Budget { stop: None, ..budget });
                match shown.alone.is_none().then(anew) {
                    Some(Verdict::Violated(found)) => (Verdict::Violated(found), None),
                    // The budget ended; it was a violation before.
                    _ => (shown.verdict(numbers, model), Some(shown.rechecked)),
                }
            }
            Found::Holds if self.unjudged > 0 => unknown(format!(
                "there was no time left to judge {} of {PARTS} parts of the keys",
                self.unjudged
            )),
            Found::Holds if !in_time && model.locality() == Locality::KeysInTime => {
                unknown(TOUCHING.to_owned())
            }
            // Each part has its orders. They are not kept.
            Found::Holds => {
                let before = !self.unchecked.contains(&model);
                (Verdict::Holds(Witness::Linear(Vec::new())), Some(before))
            }
        }
    }
}

impl Shown {
    /// That no order explains its operations; `numbers` are those of the operations by
    /// position.
    fn verdict(&self, numbers: &[u64], model: Model) -> Verdict {
        let at = |number: u64| numbers.binary_search(&number).ok();
        let answers = self.restricted.iter();
        Verdict::Violated(Counterexample {
            kind: self.kind,
            operations: self.counterexample.iter().filter_map(|one| at(one.number)).collect(),
            minimal: self.minimal,
            restricted: answers.filter_map(|(of, left)| Some((at(*of)?, left.clone()))).collect(),
            reason: self.alone.clone().unwrap_or(Reason::NoOrder { model, shows: None }),
        })
    }
}

impl Found {
    /// What counts more. A model that does not say anything about a part says nothing about the
    /// whole.
    fn rank(&self) -> u32 {
        match self {
            Found::Holds => 0,
            Found::Unknown(_, true) => 1,
            Found::Violated(_) => 2,
            Found::Unknown(_, false) => 3,
        }
    }
}

/// The writes of its key that overlap a read of a part: a safe register may answer
/// anything then, so without them a read would count as wrong that is not.
fn overlapping(recording: &Recording, part: &[usize]) -> Vec<usize> {
    let operations = recording.history.operations();
    let reads: Vec<_> =
        part.iter().map(|at| &operations[*at]).filter(|it| it.answer().is_some()).collect();
    let beside = |at: &usize| {
        let write = &operations[*at];
        let overlaps = |read: &&Operation| {
            read.call.key == write.call.key
                && !read.returns_before(write)
                && !write.returns_before(read)
        };
        write.call.is_write() && write.completion != Completion::Fail && reads.iter().any(overlaps)
    };
    (0..operations.len()).filter(beside).collect()
}
