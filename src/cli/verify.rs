//! `verify`: judge recorded histories.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::history::formats::Recording;
use crate::history::{Completion, History, Key, Operation, Value, escape};
use crate::hunt::outcome::{Status, is_violated};
use crate::judgement::checker::Leasts;
use crate::judgement::datatype::{
    self, DESCRIBED, Datatype, Described, Like, Opaque, Queue, Register, UnorderedQueue, stranger,
    with_article,
};
use crate::judgement::initial::{seen, suggested};
use crate::judgement::{
    Begun, Budget, Distance, Elements, Judge, Model, Reason, Sums, Survey, Unknown, Verdict,
};
use crate::report::reporter::{EndOfRecordings, Unread};
use crate::report::survey::{Counted, Judged};

use super::args::VerifyArgs;
use super::clock;
use super::counterexample;
use super::exit::{Exit, Failure};
use super::follow;
use super::input::{self, Input};
use super::interrupts;
use super::progress::{Now, Phase, Progress};
use super::screen::Screen;
use super::values::Meaning;

/// The most operations for which evidence is rechecked before it is reported.
/// Rechecking takes quadratic time if a model holds, and a few passes if it is
/// violated.
const HOLDS_MAX: usize = 200;
const VIOLATED_MAX: usize = 100_000;

/// Runs the subcommand.
pub fn run(args: &VerifyArgs, screen: &Screen) -> Result<Exit, Failure> {
    if args.follow {
        return match &args.histories[..] {
            [one] => follow::run(args, one, screen),
            _ => Err(Failure::new("--follow takes one recording")),
        };
    }
    if args.save_counterexample.is_some() && args.histories.len() > 1 {
        return Err(Failure::new("--save-counterexample takes one recording"));
    }
    if args.histories.iter().filter(|history| *history == "-").count() > 1 {
        return Err(Failure::new("standard input can be read once, and `-` is given twice"));
    }
    for history in &args.histories {
        counterexample::keeps(args, history)?;
    }
    let mut exits = Vec::new();
    let mut reporter = args.format.reporter(screen.look);
    let progress = Progress::new(screen.progress);
    let start = clock::now();
    for (nth, history) in args.histories.iter().enumerate() {
        if interrupts::noted() {
            break;
        }
        let began = clock::now();
        let options = args.read.holding(args.initial.as_ref());
        let read = input::read_telling(history, &options, args.memory, &|bytes, of| {
            progress.tell(|| now(history, Phase::Reading(bytes, of), began.elapsed()));
        });
        let judged = read.and_then(|read| {
            let reading = began.elapsed();
            // From here on an interrupt has a partial result to print.
            interrupts::heed();
            let waiting = u32::try_from(args.histories.len() - nth).unwrap_or(u32::MAX);
            let left = args.time.map(|time| time.saturating_sub(start.elapsed()) / waiting);
            interrupts::until(left);
            let mut tell = |judged: &Judged<'_>| reporter.recording(judged);
            judge(args, screen, &mut tell, history, (&read, reading), &progress)
        });
        match judged {
            Ok(exit) => exits.push(exit),
            Err(failure) if args.histories.len() > 1 => {
                let why = failure.to_string();
                screen.note(&why);
                let told = reporter.unread(&Unread { name: history, why: &why });
                screen.result(args.format, &told);
                exits.push(Exit::Malformed);
            }
            Err(failure) => return Err(failure),
        }
    }
    let interrupted = interrupts::noted();
    let first = [Exit::Malformed, Exit::Violated, Exit::Unknown, Exit::Nothing];
    let worst = first.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Holds);
    let exit = if interrupted { Exit::Interrupted } else { worst };
    let end = EndOfRecordings { one: args.histories.len() == 1, exit: &exit.reason() };
    screen.result(args.format, &reporter.end_of_recordings(&end));
    if interrupted {
        screen.note("interrupted: these are the results so far");
    }
    Ok(exit)
}

/// What is done with a recording now.
pub(super) fn now(name: &str, phase: Phase, since: Duration) -> Now {
    Now { name: escape::line(name).into_owned(), phase, ended: None, since }
}

/// Judges a recording and prints what `tell` makes of it.
pub(super) fn judge(
    args: &VerifyArgs,
    screen: &Screen,
    tell: &mut dyn FnMut(&Judged<'_>) -> String,
    name: &str,
    (read, reading): (&Input, Duration),
    progress: &Progress,
) -> Result<Exit, Failure> {
    let meaning = args.datatype.clone().unwrap_or_default();
    let called = read.recording.called(name);
    let begun = begun(meaning, args.initial.as_ref(), &called, read)?;
    let judge = begun.judge();
    // Measured first, because it takes little time, and judging may take all there is.
    let doing = |what: String| progress.tell(|| now(name, Phase::Other(what), Duration::ZERO));
    doing("measuring".to_owned());
    let (distance, elements, sums) = figures(args, &judge, begun.history());
    let models = args.models();
    let mut times = vec![Duration::ZERO; models.len()];
    let budget = budget(args);
    let mut most = budget;
    let mut rechecked = BTreeSet::new();
    let mut survey = Survey::among(&judge, &with_help(&judge, &models), |model| {
        if interrupts::is_enough() {
            let reason = "there was no time left to judge it".to_owned();
            return Verdict::Unknown(Unknown { reason, spent: 0 });
        }
        let began = clock::now();
        doing(format!("judging by {model}"));
        let verdict = within(&judge, model, (budget, args.time.is_some()), &mut most);
        let verdict = confirmed(&begun, model, verdict, &mut rechecked);
        if let Some(at) = models.iter().position(|other| *other == model) {
            times[at] = began.elapsed();
        }
        verdict
    });
    survey.keep(&models);
    // Who names no model asks for those that say something about the datatype.
    let usual = args.models.is_empty() && !args.all;
    let not_asked = if usual { survey.leave_out(&judge) } else { Vec::new() };
    let timed = models.iter().zip(times).filter(|(model, _)| !not_asked.contains(model));
    let times: Vec<_> = timed.map(|(_, time)| time).collect();
    doing("searching the least k and Δ".to_owned());
    let least: Option<Leasts> = args.all.then(|| judge.least(budget));
    let distance = distance.map(|distance| Distance { leasts: least.clone(), ..distance });
    let strange = args.initial.is_none() && saw_what_nobody_left(&judge, &survey);
    let guess = judge.datatype().filter(|_| args.datatype.is_none() && is_violated(&survey));
    let judged = Judged {
        name,
        every: args.all,
        full: args.full,
        witnesses: args.witness,
        recording: &read.recording,
        counted: Counted::of(&read.recording.history),
        spilled: false,
        bytes: read.bytes,
        reading,
        survey: &survey,
        not_asked: &not_asked,
        says_anything: judge.says_anything(),
        initial: if strange { suggested(seen(begun.history())) } else { None },
        guessed: guess.and_then(|guessed| {
            let other = datatype::mistaken(&read.recording.history, guessed)?;
            Some((guessed, other.name()))
        }),
        searched: judge.searched(),
        rechecked: &rechecked,
        times: &times,
        budget: most,
        least: least.as_ref(),
        distance: distance.as_ref().filter(|distance| distance.reads > 0),
        elements: elements.as_ref().filter(|elements| elements.tells()),
        sums: sums.as_ref().filter(|sums| sums.tells()),
        far: args.far || args.all || args.full,
    };
    progress.end();
    screen.result(args.format, &tell(&judged));
    if let Some(path) = &args.save_counterexample {
        counterexample::save(path, &read.recording.history, &survey, (args, screen))?;
    }
    Ok(Status::of_survey(&survey, judged.says_anything, judged.least, args.all).into())
}

/// The models with linearizability, if of one of them a linearization is the only evidence
/// there can be.
fn with_help(judge: &Judge<'_>, models: &[Model]) -> Vec<Model> {
    let mut all = models.to_vec();
    let helps = judge.datatype() == Some(Register.name());
    if helps && models.iter().any(|model| !judge.covers(*model)) {
        all.push(Model::Linearizable);
    }
    all
}

/// The figures of the datatype, if they are wanted.
fn figures(
    args: &VerifyArgs,
    judge: &Judge<'_>,
    history: &History,
) -> (Option<Distance>, Option<Elements>, Option<Sums>) {
    let is_of =
        |name: &str| args.measures() && judge.datatype().is_some_and(|it| it.starts_with(name));
    let distance = is_of("register").then(|| Distance::of_judged(judge)).flatten();
    // What a set holds at first, nobody added.
    let elements = (is_of("set") && args.initial.is_none()).then(|| Elements::of(history));
    let held = match &args.initial {
        None => Some(0),
        Some(Value::Int(held)) => Some(*held),
        Some(_) => None,
    };
    let sums = held.filter(|_| is_of("counter")).map(|held| Sums::of(history, held));
    (distance, elements, sums)
}

/// What each verdict may spend.
pub fn budget(args: &VerifyArgs) -> Budget {
    let budget = Budget { stop: Some(interrupts::is_enough), ..Budget::of(args.steps) };
    if args.no_minimise { Budget { minimise: 0, ..budget } } else { budget }
}

/// The recording with what its operations mean: as it is said, or else as one datatype
/// that knows them all says, or else, where there are several keys, as one for each key
/// says.
pub fn begun<'a>(
    said: Meaning,
    initial: Option<&Value>,
    name: &str,
    read: &'a Input,
) -> Result<Begun<'a>, Failure> {
    let history = &read.recording.history;
    let all = said.all.map(|said| said.0);
    let keys = || history.operations().iter().map(|op| &op.call.key);
    only_queues_are_drained(&said, name, read)?;
    let guess = all.is_none() && datatype::of(history).is_err();
    if said.of.is_empty() && !guess {
        if let Some(datatype) = all
            && let Some(at) = stranger(history, datatype, false)
        {
            return Err(not_of(datatype, name, read, at));
        }
        return Begun::typed(history, all, initial).map_err(|reason| {
            let failure = Failure::new(format!("{name}: {reason}"));
            failure.remedy("give a value of that kind to --initial")
        });
    }
    no_opaque_beside(&said, name)?;
    if let Some((key, _)) = said.of.iter().find(|(key, _)| !keys().any(|other| other == key)) {
        return Err(nothing_on(key, name));
    }
    let of: BTreeMap<Key, &'static dyn Datatype> =
        said.of.iter().map(|(key, said)| (key.clone(), said.0)).collect();
    match Like::by_key(history, of.clone(), all) {
        Ok(keyed) => match stranger(history, &keyed, false) {
            Some(at) => {
                let own = of.get(&history.operations()[at].call.key).copied().or(all);
                Err(not_of(own.unwrap_or(&Register), name, read, at))
            }
            None if initial.is_some() => Err(several(name)),
            None => Ok(Begun::by_key(history, keyed)),
        },
        // What no datatype knows is not judged, and the verdict says so.
        Err(at) if of.is_empty() && !is_known(&history.operations()[at]) => {
            Ok(Begun::with(history, None).expect("nothing is said"))
        }
        Err(at) => {
            let operation = &history.operations()[at];
            let key = &operation.call.key;
            let place = place(read, at);
            Err(Failure::new(format!(
                "{name}: {place}: no datatype here knows `{}` beside what came before",
                operation.call
            ))
            .remedy(format!("say what {key} is: --datatype …,{key}=DATATYPE")))
        }
    }
}

/// Refuses opaque objects where keys have datatypes of their own.
pub fn no_opaque_beside(said: &Meaning, name: &str) -> Result<(), Failure> {
    let named = said.of.iter().map(|(_, said)| said);
    if !named.chain(&said.all).any(|said| said.0.name() == Opaque.name()) {
        return Ok(());
    }
    Err(Failure::new(format!("{name}: opaque objects are not judged beside others"))
        .remedy("give --datatype opaque alone, or leave it out"))
}

/// That a key which is named is not in the recording.
pub fn nothing_on(key: &Key, name: &str) -> Failure {
    Failure::new(format!("{name}: no operation is on the key {key}"))
        .remedy("give --datatype a key of the recording, as in `counter,cart=set:add-wins`")
}

/// That one initial value does not do for keys of several datatypes.
pub fn several(name: &str) -> Failure {
    Failure::new(format!("{name}: its keys are of several datatypes")).remedy("leave out --initial")
}

/// Refuses drains of what is no queue: drains are read as dequeues, and these may be none.
fn only_queues_are_drained(said: &Meaning, name: &str, read: &Input) -> Result<(), Failure> {
    let Recording { history, drains, .. } = &read.recording;
    let named = |key: &Key| {
        let own = said.of.iter().find(|(other, _)| other == key).map(|(_, said)| said);
        own.or(said.all.as_ref()).map(|said| said.0)
    };
    let queues: [&dyn Datatype; 2] = [&Queue, &UnorderedQueue];
    for (key, (word, number)) in &drains.first {
        let is_queue = |it: &dyn Datatype| queues.iter().any(|queue| queue.name() == it.name());
        if let Some(datatype) = named(key).filter(|it| !is_queue(*it)) {
            let problem = format!(
                "{name}: {word} {number}: `drain` is nothing that a {} does",
                datatype.name()
            );
            return Err(Failure::new(problem).remedy("only a queue and an unordered-queue know it"));
        }
    }
    // Of others it is guessed what they are, and the operations beside a drain may be of none.
    let no_queue = |operation: &Operation| {
        let Operation { call, completion, .. } = operation;
        let drained = drains.first.contains_key(&call.key) && named(&call.key).is_none();
        drained && *completion != Completion::Fail && !Queue.knows(call, operation.result())
    };
    let Some(at) = history.operations().iter().position(no_queue) else { return Ok(()) };
    let call = &history.operations()[at].call;
    let (key, (word, number)) = (&call.key, &drains.first[&call.key]);
    Err(Failure::new(format!(
        "{name}: {word} {number}: `drain {key}` is known only of queues, and {key} is none: {}: \
         `{call}`",
        place(read, at)
    ))
    .remedy(format!(
        "if {key} is a queue, what is put in is `enqueue` and what is taken out is `dequeue`, with \
         --datatype queue or --datatype unordered-queue; if not, leave its drains out"
    )))
}

/// Whether some datatype knows an operation by itself.
fn is_known(operation: &Operation) -> bool {
    let answer = match &operation.completion {
        Completion::Ok(answer) => Some(answer),
        Completion::Info | Completion::Fail => None,
    };
    let all = || answer.into_iter().chain([&operation.call.argument]);
    !all().any(Value::is_transaction)
        && datatype::ALL.iter().any(|datatype| datatype.knows(&operation.call, answer))
}

/// Where an operation is in a recording.
fn place(read: &Input, at: usize) -> String {
    let (word, number) = read.recording.place(at);
    format!("{word} {number}")
}

/// That the operation at a position of a recording is none of a datatype.
fn not_of(datatype: &dyn Datatype, name: &str, read: &Input, at: usize) -> Failure {
    let operation = &read.recording.history.operations()[at];
    let place = place(read, at);
    let answered = match &operation.completion {
        Completion::Ok(answer) if *answer != Value::Null => format!(", answered {answer}"),
        _ => String::new(),
    };
    let names = |one: &&Described| one.datatype.name() == datatype.name();
    let known = DESCRIBED.iter().find(names).map_or("", |one| one.operations);
    let before = &read.recording.history.operations()[..at];
    let call = &operation.call;
    let again = |other: &Operation| {
        other.completion != Completion::Fail
            && datatype.makes(&other.call)
            && other.call.key == call.key
            && datatype.part(&other.call) == datatype.part(call)
    };
    if datatype.makes(call)
        && let Some(first) = before.iter().position(again)
    {
        let first = self::place(read, first);
        let problem = format!("{name}: {place}: `{call}` puts in what {first} has put in already");
        let remedy =
            format!("{} is judged if no value is put in twice", with_article(datatype.name()));
        return Failure::new(problem).remedy(remedy);
    }
    Failure::new(format!(
        "{name}: {place}: `{}`{answered} is nothing that {} does",
        operation.call,
        with_article(datatype.name())
    ))
    .remedy(format!("its operations are {known}; without --datatype the type is guessed"))
}

/// Whether a violation may be due to an unusual initial value of an object.
pub fn saw_what_nobody_left(judge: &Judge<'_>, survey: &Survey) -> bool {
    let other = judge.datatype() != Some("register");
    survey.entries().iter().any(|entry| match &*entry.verdict {
        Verdict::Violated(found) => {
            other || matches!(found.reason, Reason::Thin { .. } | Reason::Unfounded { .. })
        }
        _ => false,
    })
}

/// The verdict, after other code has replayed its evidence, if that is
/// feasible.
pub fn confirmed(
    begun: &Begun<'_>,
    model: Model,
    verdict: Verdict,
    rechecked: &mut BTreeSet<Model>,
) -> Verdict {
    let most = if verdict.holds() { HOLDS_MAX } else { VIOLATED_MAX };
    if begun.history().len() > most {
        return verdict;
    }
    match begun.recheck(model, &verdict) {
        Ok(()) => {
            rechecked.insert(model);
            verdict
        }
        Err(unsound) if unsound.too_large => verdict,
        // The evidence is wrong, so the checker has a bug, and its verdict
        // cannot be trusted.
        Err(unsound) => Verdict::Unknown(Unknown { reason: unsound.to_string(), spent: 0 }),
    }
}

/// Judges by a model. If the budget may grow, repeats an unknown verdict with
/// four times the steps until the time is up.
pub fn within(
    judge: &Judge<'_>,
    model: Model,
    (budget, goes_on): (Budget, bool),
    most: &mut Budget,
) -> Verdict {
    let mut steps = budget.steps;
    loop {
        let verdict = judge.check(model, Budget { steps, ..budget });
        most.steps = most.steps.max(steps);
        let spent = match &verdict {
            Verdict::Unknown(unknown) => unknown.spent,
            _ => return verdict,
        };
        // If the budget was not used up, it was not the reason, and a larger
        // one would not help. For example, the model may not support this
        // history.
        let larger = steps.saturating_mul(4);
        if spent < steps || larger == steps || !goes_on || interrupts::is_enough() {
            return verdict;
        }
        steps = larger;
    }
}
