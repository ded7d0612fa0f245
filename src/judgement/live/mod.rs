//! Judges a recording while it grows: the first violation of each model, as
//! soon as it is certain, in bounded memory.
//!
//! *Certain* means that whatever comes later cannot excuse it, if no value is
//! written twice to a key, nor again after a failed write of it was read.
//! (Repetitions are detected; a key with one is not judged any more.) Every
//! violation is found on a closed part of the recording, judged by [`check`]
//! and replayed by [`recheck`] before it is reported, so there is no false
//! alarm.
//!
//! - **Linearizability** is judged at every event, by zones that grow
//!   (`clusters`). A read of what nobody has written yet is reported once time
//!   has advanced (then any write of it comes too late) and a write or a
//!   compare-and-set was seen: until then the object may be a counter or a set.
//!   If a process begins an operation at the very time at which its last one
//!   ended, zones do not say which came first: then linearizability is judged
//!   as often as the models of visibility are.
//! - **Models of visibility** are judged at every answer where a process goes
//!   back to a source that it knew before another; on everything that is kept
//!   whenever an eighth of it is new (so at every answer as long as there are
//!   no more than 8 operations); and at the end. A read of what nobody has
//!   written yet waits for its write until the end, since these models ignore
//!   real time.
//!
//! **What it can miss.** Only the last `window` operations are kept. A read of
//! a write that is forgotten is not judged, so a violation whose operations
//! span more than seven eighths of a window may be missed; [`Coverage`] says
//! so. If nothing was forgotten, the end finds whatever `check` finds on the
//! whole.
//!
//! O(log n) for each event of linearizability; for the others eight times what
//! the checker takes for each operation. Memory: O(window).

mod clusters;
mod coverage;
mod register;
mod window;

use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::checker::check;
use super::datatype;
use super::model::{Grid, Model, implies};
use super::number::count;
use super::verdict::{Budget, Counterexample, Verdict, recheck};
use crate::history::{
    Call, Completion, Event, Function, History, Key, Malformed, NodeId, Operation, ProcessId,
    Request, Rules, Value, What,
};
use clusters::INITIAL;
pub use coverage::Coverage;
use register::{Register, State, Written};
use window::{Kept, Source, Window};

/// A violation that is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The model.
    pub model: Model,
    /// The number of the event that made it certain, from 1.
    pub event: u64,
    /// The operations that violate it: a history of their own.
    pub history: History,
    /// Which operations of the recording these are, numbered from 0 in order
    /// of invocation.
    pub operations: Vec<u64>,
    /// Why they do; it is about [`history`](Self::history).
    pub counterexample: Counterexample,
}

impl Violation {
    /// Why, in words.
    pub fn explain(&self) -> String {
        self.counterexample.explain(&self.history)
    }
}

/// A model that cannot be judged while the recording grows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0} cannot be judged while the recording grows; linearizable and models of the grid without \
     `!` can"
)]
pub struct NotLive(pub Model);

/// The result of judging a part.
enum Found {
    Holds,
    Violated,
    Undecided(String),
}

/// What a recording is about, as far as the functions in it show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// There were only reads.
    Anything,
    Registers,
    /// Counters, sets, …: no register is judged then.
    Others,
}

/// Whether an answer to this call can be wrong by some datatype that knows it;
/// true if none does.
fn can_be_wrong(call: &Call) -> bool {
    let mut knowing = datatype::ALL.iter().filter(|datatype| datatype.knows(call, None)).peekable();
    knowing.peek().is_none() || knowing.any(|datatype| datatype.answers(call, None))
}

/// Judges a recording while it grows.
///
/// ```
/// use quiescence::history::{Call, Event, ProcessId};
/// use quiescence::judgement::{Live, Model};
///
/// let mut live = Live::new(&[Model::READ_YOUR_WRITES], 100_000)?;
/// let process = ProcessId(0);
/// assert!(live.event(Event::invoke(process, 1, Call::write("x", 1)))?.is_empty());
/// assert!(live.event(Event::ok(process, 2, ()))?.is_empty());
/// assert!(live.event(Event::invoke(process, 3, Call::read("x")))?.is_empty());
/// let violations = live.event(Event::ok(process, 4, ()))?;
/// assert_eq!(
///     violations[0].explain(),
///     "process 0 wrote x=1, then read x and saw nothing; \
///      a process must see its own writes (read-your-writes)"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Live {
    /// The models of the grid that are not violated yet.
    grid: Vec<Model>,
    /// Whether linearizability is judged and not violated yet.
    linearizable: bool,
    /// Which events may come next.
    rules: Rules,
    window: Window,
    registers: FxHashMap<Key, Register>,
    /// How many operations of each process are kept.
    kept: FxHashMap<ProcessId, usize>,
    /// Reads of a value that nobody had written by then.
    suspects: Vec<u64>,
    about: About,
    /// Whether some process began an operation at the instant its last one
    /// ended.
    touching: bool,
    /// The state of a key that is seen for the first time: it may be one that
    /// was forgotten.
    unseen: Register,
    time: u64,
    /// How many completions there were since everything was judged.
    news: usize,
    coverage: Coverage,
}

impl Live {
    /// Judges by these models, keeping at most `window` operations.
    ///
    /// # Errors
    /// If one of the models cannot be judged live.
    pub fn new(models: &[Model], window: usize) -> Result<Live, NotLive> {
        let on_line = |model: &&Model| {
            matches!(model, Model::Linearizable | Model::Grid(Grid { eventual: false, .. }))
        };
        if let Some(model) = models.iter().find(|model| !on_line(model)) {
            return Err(NotLive(*model));
        }
        let window = window.max(1);
        let grid = models.iter().copied().filter(|model| *model != Model::Linearizable);
        let mut grid: Vec<Model> = grid.collect();
        grid.sort_unstable();
        grid.dedup();
        // The models that imply most others come first.
        grid.sort_by_key(|model| {
            Reverse(models.iter().filter(|other| implies(*model, **other, false)).count())
        });
        Ok(Live {
            grid,
            linearizable: models.contains(&Model::Linearizable),
            rules: Rules::default(),
            window: Window::default(),
            registers: FxHashMap::default(),
            kept: FxHashMap::default(),
            suspects: Vec::new(),
            about: About::Anything,
            touching: false,
            unseen: Register::default(),
            time: 0,
            news: 0,
            coverage: Coverage { window, ..Coverage::default() },
        })
    }

    /// How many operations and how many keys are kept now: no more operations than the window
    /// has, and at most one key more.
    pub fn kept(&self) -> (usize, usize) {
        (self.window.len(), self.registers.len())
    }

    /// How much is judged so far.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The models of which no violation was reported.
    pub fn unviolated(&self) -> Vec<Model> {
        let linearizable = self.linearizable.then_some(Model::Linearizable);
        self.grid.iter().copied().chain(linearizable).collect()
    }

    /// Takes the next event and reports what it makes certain: of each model
    /// the first violation only.
    ///
    /// # Errors
    /// If the event cannot be part of a history ([`Malformed::line`] is its
    /// number); it is not taken then.
    pub fn event(&mut self, event: Event) -> Result<Vec<Violation>, Malformed> {
        self.coverage.events += 1;
        let touches = self.rules.idle_since(event.process) == Some(event.time);
        let number = count(self.rules.accept(&event)?);
        let Event { process, time, node, what } = event;
        let mut found = Vec::new();
        if let What::Invoke(request) = &what {
            self.touching |= touches;
            self.learn_about(request.call());
        }
        self.report_suspects(time, &mut found);
        self.time = time;
        match what {
            What::Invoke(request) => self.invoke(process, request, node),
            what => {
                let completion = what.into_completion().expect("it is no invocation");
                self.complete(process, number, completion, &mut found);
            }
        }
        if self.news * 8 >= self.window.len() && self.news > 0 {
            self.judge_all(false, &mut found);
        }
        Ok(found)
    }

    /// The recording ends: judges everything that is kept once more.
    pub fn finish(&mut self) -> Vec<Violation> {
        let mut found = Vec::new();
        self.about = match self.about {
            About::Anything => About::Registers,
            about => about,
        };
        self.report_suspects(u64::MAX, &mut found);
        self.judge_all(true, &mut found);
        found
    }

    fn invoke(&mut self, process: ProcessId, request: Request, node: Option<NodeId>) {
        self.coverage.operations += 1;
        let call = request.into_call();
        let number = self.window.push(Operation {
            process,
            node,
            call: call.clone(),
            invoked: self.time,
            returned: None,
            completion: Completion::Info,
            final_read: false,
        });
        *self.kept.entry(process).or_default() += 1;
        let (unseen, unjudged) = (&self.unseen, &mut self.coverage.unjudged_keys);
        let register = self.registers.entry(call.key).or_insert_with(|| {
            *unjudged += u64::from(unseen.unjudged);
            unseen.clone()
        });
        register.kept += 1;
        match call.f {
            _ if call.argument.is_transaction() => self.give_up(number),
            Function::Write if !register.unjudged => self.begin_write(number, call.argument),
            Function::Other(_) => self.give_up(number),
            Function::Read | Function::Write => {}
        }
        while self.window.len() > self.coverage.window {
            self.forget();
        }
    }

    fn begin_write(&mut self, number: u64, value: Value) {
        let (time, linearizable) = (self.time, self.linearizable);
        let register = self.register(number).expect("its operation was just kept");
        let again =
            register.written.get(&value).is_some_and(|written| written.state != State::Failed);
        if again || value == Value::Null {
            return self.give_up(number);
        }
        if linearizable {
            register.clusters.begin(number, time);
        }
        let readers = register.waiting.remove(&value).unwrap_or_default();
        let list = readers.iter().copied().collect();
        register
            .written
            .insert(value, Written { write: number, state: State::Open, readers: list });
        for read in readers {
            self.explain(read, Source::Write(number));
        }
    }

    /// The operation with this number ended.
    fn complete(
        &mut self,
        process: ProcessId,
        number: u64,
        completion: Completion,
        found: &mut Vec<Violation>,
    ) {
        if !self.kept.contains_key(&process) {
            self.rules.forget(process);
        }
        let Some(kept) = self.window.get_mut(number) else {
            self.coverage.answers += u64::from(matches!(completion, Completion::Ok(_)));
            return;
        };
        if completion != Completion::Info {
            kept.operation.returned = Some(self.time);
        }
        kept.operation.completion = completion;
        let operation = kept.operation.clone();
        self.news += 1;
        let answered = matches!(operation.completion, Completion::Ok(_));
        self.coverage.answers += u64::from(answered && can_be_wrong(&operation.call));
        if self.registers.get(&operation.call.key).is_none_or(|register| register.unjudged) {
            return;
        }
        match (&operation.call.f, &operation.completion) {
            (Function::Read, Completion::Ok(value)) if value.is_transaction() => {
                self.give_up(number);
            }
            (Function::Read, Completion::Ok(value)) => {
                self.answered(number, &operation, value.clone(), found);
            }
            (Function::Write, Completion::Ok(_)) => {
                self.acknowledged(number, &operation.call.argument);
                self.learn(number, Some(number), &operation, found);
                self.returned(number, number, &operation, found);
            }
            (Function::Write, Completion::Fail) => self.failed(&operation),
            _ => {}
        }
    }

    fn answered(
        &mut self,
        number: u64,
        operation: &Operation,
        value: Value,
        found: &mut Vec<Violation>,
    ) {
        let register = self.register(number).expect("its operation is kept");
        let source = match register.written.get_mut(&value) {
            _ if value == Value::Null => Source::Initial,
            Some(written) if written.state != State::Failed => {
                if written.state == State::Open {
                    written.readers.push(number);
                }
                Source::Write(written.write)
            }
            _ if register.forgot => Source::Gone,
            _ => {
                register.waiting.entry(value).or_default().insert(number);
                Source::Waiting
            }
        };
        self.explain(number, source);
        match source {
            Source::Initial => {
                self.learn(number, None, operation, found);
                self.returned(INITIAL, number, operation, found);
            }
            Source::Write(write) => {
                self.learn(number, Some(write), operation, found);
                self.returned(write, number, operation, found);
            }
            Source::Waiting => self.suspects.push(number),
            Source::Gone => self.coverage.unjudged_reads += 1,
            Source::None => {}
        }
    }

    fn acknowledged(&mut self, number: u64, value: &Value) {
        let register = self.register(number).expect("its operation is kept");
        if let Some(written) = register.written.get_mut(value) {
            (written.state, written.readers) = (State::Acknowledged, Vec::new());
        }
    }

    /// A write did not happen: the reads that answered it wait for another
    /// write.
    fn failed(&mut self, operation: &Operation) {
        let Some(register) = self.registers.get_mut(&operation.call.key) else { return };
        let value = &operation.call.argument;
        let Some(written) = register.written.get_mut(value) else { return };
        written.state = State::Failed;
        let (write, readers) = (written.write, std::mem::take(&mut written.readers));
        register.clusters.remove(write);
        if readers.is_empty() {
            return;
        }
        if register.forgot {
            self.coverage.unjudged_reads += count(readers.len());
            return readers.into_iter().for_each(|read| self.explain(read, Source::Gone));
        }
        register.waiting.entry(value.clone()).or_default().extend(&readers);
        for &read in &readers {
            self.explain(read, Source::Waiting);
        }
        // Another write of the value may come at this very instant, in time for
        // the reads, so they are only suspects.
        self.suspects.extend(readers);
    }

    fn explain(&mut self, read: u64, source: Source) {
        if let Some(kept) = self.window.get_mut(read) {
            kept.source = source;
        }
    }

    /// Notes that a process knows a source by this operation; judges the models
    /// of visibility if it goes back to that source.
    fn learn(
        &mut self,
        number: u64,
        source: Option<u64>,
        operation: &Operation,
        found: &mut Vec<Violation>,
    ) {
        if self.grid.is_empty() {
            return;
        }
        let register = self.register(number).expect("its operation is kept");
        if let Some(shown) = register.learn(operation.process, source, number) {
            let part = self.window.closed(&shown);
            let history = self.window.history(&part);
            for model in self.grid.clone() {
                self.judge(model, &history, &part, found);
            }
        }
    }

    /// An operation of a cluster returned: judges linearizability if the
    /// cluster now contradicts another.
    fn returned(
        &mut self,
        cluster: u64,
        number: u64,
        operation: &Operation,
        found: &mut Vec<Violation>,
    ) {
        if !self.linearizable {
            return;
        }
        let (invoked, time) = (operation.invoked, self.time);
        let register = self.register(number).expect("its operation is kept");
        if let Some(shown) = register.clusters.returned(cluster, number, invoked, time) {
            let part = self.window.closed(&shown);
            let history = self.window.history(&part);
            self.judge(Model::Linearizable, &history, &part, found);
        }
    }

    /// Learns from a call what the recording is about.
    fn learn_about(&mut self, call: &Call) {
        let swaps = call.f.as_str() == "cas";
        match (self.about, &call.f) {
            (About::Anything, Function::Write) => self.about = About::Registers,
            (About::Anything, Function::Other(_)) if swaps => self.about = About::Registers,
            (About::Anything, Function::Other(_)) => {
                self.about = About::Others;
                for register in self.registers.values_mut().filter(|one| !one.unjudged) {
                    register.give_up();
                    self.coverage.unjudged_keys += 1;
                }
                self.unseen.unjudged = true;
            }
            _ => {}
        }
    }

    /// Judges reads of a value that nobody had written, once time has advanced
    /// past their returns: a write of it comes too late from now on.
    fn report_suspects(&mut self, now: u64, found: &mut Vec<Violation>) {
        if self.about == About::Anything {
            if self.suspects.len() > 2 * self.coverage.window {
                self.suspects.retain(|read| self.window.get(*read).is_some());
            }
            return;
        }
        for read in std::mem::take(&mut self.suspects) {
            let Some(Kept { operation, source: Source::Waiting }) = self.window.get(read) else {
                continue;
            };
            if operation.returned.is_none_or(|returned| returned >= now) {
                self.suspects.push(read);
                continue;
            }
            let Some(register) = self.registers.get(&operation.call.key) else { continue };
            if !self.linearizable || register.unjudged {
                continue;
            }
            let failed = operation.answer().and_then(|value| register.written.get(value));
            let mut part: Vec<u64> =
                failed.map(|written| written.write).into_iter().chain([read]).collect();
            part.sort_unstable();
            let history = self.window.history(&part);
            self.judge(Model::Linearizable, &history, &part, found);
        }
    }

    /// Judges everything that is kept by the models that are left; at the end
    /// also the reads that still wait for a write.
    fn judge_all(&mut self, at_end: bool, found: &mut Vec<Violation>) {
        self.news = 0;
        let all = at_end || self.touching;
        let models = if all { self.unviolated() } else { self.grid.clone() };
        if models.is_empty() {
            return;
        }
        let registers = &self.registers;
        let counts = |kept: &Kept| {
            let register = registers.get(&kept.operation.call.key);
            register.is_some_and(|register| !register.unjudged)
                && (at_end || kept.source != Source::Waiting)
        };
        let part = self.window.part(counts);
        let history = self.window.history(&part);
        let mut hold: Vec<Model> = Vec::new();
        for model in models {
            if hold.iter().any(|stronger| implies(*stronger, model, false)) {
                continue;
            }
            match self.judge(model, &history, &part, found) {
                Found::Holds => hold.push(model),
                Found::Undecided(why) if at_end => self.coverage.undecided.push((model, why)),
                Found::Violated | Found::Undecided(_) => {}
            }
        }
    }

    /// Judges a closed part, of which `history` consists, and reports a
    /// violation.
    fn judge(
        &mut self,
        model: Model,
        history: &History,
        part: &[u64],
        found: &mut Vec<Violation>,
    ) -> Found {
        let operations = match check(history, model, Budget::default()) {
            Verdict::Violated(counterexample) => counterexample.operations,
            Verdict::Holds(_) => return Found::Holds,
            Verdict::Unknown(unknown) => return Found::Undecided(unknown.to_string()),
        };
        // Judged again on the operations that are reported, so that the
        // evidence is about those.
        let history = history.restricted_to(&operations);
        let verdict = check(&history, model, Budget::default());
        let sound = recheck(&history, model, &verdict).is_ok();
        let Verdict::Violated(counterexample) = verdict else {
            self.coverage.withheld += 1;
            return Found::Violated;
        };
        if !sound {
            self.coverage.withheld += 1;
            return Found::Violated;
        }
        let operations = operations.iter().map(|at| part[*at]).collect();
        let event = self.coverage.events;
        found.push(Violation { model, event, history, operations, counterexample });
        self.grid.retain(|other| *other != model);
        self.linearizable &= model != Model::Linearizable;
        Found::Violated
    }

    /// The register that an operation is about, if the operation is kept.
    fn register(&mut self, number: u64) -> Option<&mut Register> {
        self.registers.get_mut(&self.window.get(number)?.operation.call.key)
    }

    /// Stops judging the register of an operation.
    fn give_up(&mut self, number: u64) {
        let register = self.register(number).expect("its operation is kept");
        if !register.unjudged {
            register.give_up();
            self.coverage.unjudged_keys += 1;
        }
    }

    /// Forgets the first operation that is kept.
    fn forget(&mut self) {
        let Some((number, Kept { operation, source })) = self.window.pop() else { return };
        self.coverage.forgotten = self.window.forgotten();
        if let Some(kept) = self.kept.get_mut(&operation.process) {
            *kept -= 1;
            if *kept == 0 {
                self.kept.remove(&operation.process);
                self.rules.forget(operation.process);
            }
        }
        let many = self.registers.len() > self.coverage.window;
        let Some(register) = self.registers.get_mut(&operation.call.key) else { return };
        register.kept -= 1;
        if !register.unjudged {
            register.forget_operation(number, &operation, source);
        }
        if register.kept == 0 && many {
            // From now on a key that seems new may be one that was forgotten.
            self.unseen.unjudged |= register.unjudged;
            self.unseen.forgot |= register.forgot;
            self.registers.remove(&operation.call.key);
        }
    }
}
