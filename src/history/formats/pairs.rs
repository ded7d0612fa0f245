//! Turns lines that say an operation was invoked or completed into events.
//!
//! A line has a head (place, process, time, node) and says that an operation
//! was invoked or how it ended. [`Sayings`] finds the process that the number
//! in the file stands for, and checks that what a completion repeats agrees
//! with its invocation. It does not decide whether the events can be part of a
//! history: [`Pairs`] drives the [`Rules`] for that, for a whole file and, behind the
//! [`Follower`](super::Follower), for one that still grows.
//!
//! A lenient reader continues where the rules refuse something. From then on it
//! knows less, but nothing false: a completion that may belong to either of two
//! invocations is given to neither. The format of the file is not known here.

use rustc_hash::FxHashSet;

use super::drain::{self, is_drain};
use super::log::Log;
use super::names::Names;
use super::options::Options;
use super::{DELETE, Format, Recording, deletes};
use crate::history::rules::Place;
use crate::history::{
    Builder, Call, Completion, Event, Function, History, Key, Malformed, NodeId, ProcessId,
    Request, Rule, Rules, Value, What,
};

/// Where a line is, its process, its time and its node.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) line: usize,
    pub(super) process: u32,
    pub(super) time: Option<u64>,
    pub(super) node: Option<NodeId>,
}

impl Head {
    pub(super) fn place(self) -> Place {
        Place { line: self.line, process: self.process }
    }
}

/// What a completion says. What it repeats must agree with its invocation.
pub(super) struct Said {
    pub(super) f: Option<Function>,
    pub(super) key: Option<Key>,
    pub(super) argument: Option<Value>,
    pub(super) completion: Completion,
    /// What a drain had taken that did not succeed.
    pub(super) taken: Value,
    /// Whether it completes a read at quiescence.
    pub(super) last: bool,
}

impl Said {
    /// An error that names the field that differs from the invocation.
    fn contradicts(&self, request: &Request) -> Result<(), String> {
        let differs =
            |field| Err(format!("this completes `{request}`, but its `{field}` is another"));
        let call = request.call();
        if self.f.as_ref().is_some_and(|f| *f != call.f) {
            return differs("f");
        }
        if self.key.as_ref().is_some_and(|key| *key != call.key) {
            return differs("key");
        }
        if self.argument.as_ref().is_some_and(|argument| *argument != call.argument) {
            return differs("value");
        }
        Ok(())
    }
}

/// Interprets lines, one after the other.
#[derive(Default)]
pub(super) struct Sayings {
    pub(super) names: Names,
    /// Numbers that had two operations open, so that a completion may belong to
    /// either.
    doubtful: FxHashSet<u32>,
    events: u64,
    /// Whether events have times; `None` before the first operation.
    pub(super) timed: Option<bool>,
}

impl Sayings {
    /// The time of an event; without times, its position.
    pub(super) fn time(&mut self, head: Head) -> Result<u64, Malformed> {
        self.events += 1;
        let timed = head.time.is_some();
        if self.timed.is_some_and(|decided| decided != timed) {
            let reason = "`time` stands on some events only; it belongs on all or on none";
            return complain(head.line, reason);
        }
        Ok(head.time.unwrap_or(self.events))
    }

    /// The event of an invocation.
    pub(super) fn invocation(
        &mut self,
        head: Head,
        time: u64,
        request: Request,
        rules: &Rules,
    ) -> Event {
        let process = self.names.invoking(head.process, rules);
        Event::invoke(process, time, request).at(head.node)
    }

    /// The event of a completion.
    pub(super) fn completion(
        &self,
        head: Head,
        time: u64,
        said: Said,
        rules: &Rules,
    ) -> Result<Event, Malformed> {
        rules.in_order(head.place(), time)?;
        let open = self.names.current(head.process);
        let open = open.and_then(|process| Some((process, rules.open(process)?)));
        let Some((process, request)) = open else {
            return Err(Malformed::not_invoked(head.place()));
        };
        if self.doubtful.contains(&head.process) {
            return Err(Malformed::of_either(head.place()));
        }
        said.contradicts(request).or_else(|reason| complain(head.line, reason))?;
        let what = match said.completion {
            Completion::Ok(value) if said.last => What::OkFinal(value),
            Completion::Ok(value) => What::Ok(value),
            Completion::Fail => What::Fail,
            Completion::Info => What::Info,
        };
        Ok(Event { process, time, node: head.node, what })
    }

    /// The process that a number stands for, if it has invoked anything.
    pub(super) fn current(&self, number: u32) -> Option<ProcessId> {
        self.names.current(number)
    }

    /// The open request of a number.
    pub(super) fn open<'a>(&self, number: u32, rules: &'a Rules) -> Option<&'a Request> {
        rules.open(self.current(number)?)
    }

    /// Notes that the next completion of a number may belong to either of two
    /// open operations.
    pub(super) fn doubt(&mut self, number: u32) {
        self.doubtful.insert(number);
    }
}

/// Where events go.
enum Events {
    /// All of them into a history.
    Whole(Builder),
    /// Each to whoever follows, and then they are forgotten.
    Growing { rules: Rules, said: Vec<Result<Event, Malformed>> },
}

impl Events {
    fn rules(&self) -> &Rules {
        match self {
            Events::Whole(builder) => builder.rules(),
            Events::Growing { rules, .. } => rules,
        }
    }

    fn event_at(&mut self, place: Place, event: Event) -> Result<(), Malformed> {
        match self {
            Events::Whole(builder) => builder.event_at(place, event),
            Events::Growing { rules, said } => {
                rules.accept_at(place, &event)?;
                said.push(Ok(event));
                Ok(())
            }
        }
    }
}

/// Reads events: a whole file of them, or one by one.
pub(super) struct Pairs {
    pub(super) log: Log,
    /// Whether times that run backwards are refused.
    strict: bool,
    pub(super) sayings: Sayings,
    events: Events,
    /// Numbers of processes whose last operation is a delete.
    deleting: FxHashSet<u32>,
}

impl Pairs {
    /// For a whole file.
    pub(super) fn new(options: &Options) -> Pairs {
        let events = Events::Whole(Builder::new());
        Pairs {
            log: Log::new(options),
            strict: options.strict_time,
            sayings: Sayings::default(),
            events,
            deleting: FxHashSet::default(),
        }
    }

    /// For events that are told one by one and then forgotten. What is malformed is told, too,
    /// or skipped if the reader is lenient.
    pub(super) fn growing(options: &Options) -> Pairs {
        let events = Events::Growing { rules: Rules::default(), said: Vec::new() };
        Pairs { events, ..Pairs::new(options) }
    }

    /// Whether the file still grows, so that each event is told before the next one is known.
    pub(super) fn grows(&self) -> bool {
        matches!(self.events, Events::Growing { .. })
    }

    /// Tells whoever follows what is malformed; of a whole file, stops or skips it, and skips it
    /// if the reader is lenient.
    pub(super) fn or_tell(&mut self, done: Result<(), Malformed>) -> Result<(), Malformed> {
        match &mut self.events {
            Events::Growing { said, .. } if !self.log.is_lenient() => {
                said.extend(done.err().map(Err));
                Ok(())
            }
            _ => self.log.or_skip(done),
        }
    }

    /// What was told since the last time, if the file still grows.
    pub(super) fn said(&mut self) -> Vec<Result<Event, Malformed>> {
        match &mut self.events {
            Events::Whole(_) => Vec::new(),
            Events::Growing { said, .. } => std::mem::take(said),
        }
    }

    /// The recording; operations that are still open are pending. Of a file that grows, only
    /// what was noted.
    pub(super) fn finish(self, format: Format) -> Recording {
        let timed = self.sayings.timed != Some(false);
        let history = match self.events {
            Events::Whole(builder) => builder.finish(),
            Events::Growing { .. } => History::default(),
        };
        let recording = self.log.finish(history, format, self.sayings.names);
        Recording { timed, ..recording }
    }

    /// The time of an event. The order of events counts: a time that runs backwards is
    /// replaced by the next one after that of the event before it. If such times are refused,
    /// a lenient reader replaces them by that of the event before.
    fn time(&mut self, head: Head) -> Result<u64, Malformed> {
        let time = self.sayings.time(head)?;
        let last = self.events.rules().time();
        if self.strict {
            self.log.or_skip(self.events.rules().in_order(head.place(), time))?;
        } else if time < last {
            self.log.backwards += 1;
            return Ok(last.saturating_add(1));
        }
        Ok(time.max(last))
    }

    /// Notes what the nemesis did, which may have told its time.
    pub(super) fn fault(&mut self, line: usize, told: Option<u64>, text: impl AsRef<str>) {
        let time = match self.sayings.timed {
            Some(true) => told,
            // Then the time of an event is its position among all of them.
            Some(false) => Some(self.sayings.events),
            None => None,
        };
        self.log.fault(line, time, text);
    }

    /// Takes an invocation.
    pub(super) fn invoke(&mut self, head: Head, mut call: Call) -> Result<(), Malformed> {
        let time = self.time(head)?;
        let before = self.sayings.current(head.process);
        match deletes(&call.f, &call.argument) {
            true => self.deleting.insert(head.process),
            false => self.deleting.remove(&head.process),
        };
        if self.deleting.contains(&head.process) {
            call.f = Function::Write;
        }
        let rules = self.events.rules();
        let mut event = self.sayings.invocation(head, time, call.into(), rules);
        if self.log.is_lenient() && rules.open(event.process).is_some() {
            // Both were invoked, and a completion may belong to either.
            let refused = self.events.event_at(head.place(), event.clone());
            self.log.or_skip(refused)?;
            self.lose(head, time);
            self.sayings.doubt(head.process);
            event.process = self.sayings.names.invoking(head.process, self.events.rules());
        }
        let ended = before.filter(|process| *process != event.process);
        let done = self.events.event_at(head.place(), event);
        if done.is_ok() {
            self.sayings.timed.get_or_insert(head.time.is_some());
        }
        match (&mut self.events, &done) {
            (Events::Whole(_), Ok(())) => self.log.operation(head.line),
            // No later line can name the process that this number stood for.
            (Events::Growing { rules, .. }, Ok(())) => {
                ended.into_iter().for_each(|process| rules.forget(process));
            }
            (_, Err(refused)) if refused.rule == Some(Rule::Sequential) => {
                self.sayings.doubt(head.process);
            }
            (_, Err(_)) => {}
        }
        done
    }

    /// The open request of a process.
    pub(super) fn open(&self, process: u32) -> Option<&Request> {
        self.sayings.open(process, self.events.rules())
    }

    /// What a completion repeats and tells. That of a delete completes a write, and whether
    /// there was anything says nothing.
    pub(super) fn told(
        &self,
        process: u32,
        f: Option<Function>,
        value: Value,
    ) -> (Option<Function>, Value) {
        match self.deleting.contains(&process) {
            true => (f.filter(|f| f.as_str() != DELETE), Value::Null),
            false => (f, value),
        }
    }

    /// Sets the argument of the open operation of a process, for files in which
    /// only the completion names it.
    pub(super) fn settle(&mut self, process: u32, argument: Value) {
        if let (Some(process), Events::Whole(events)) =
            (self.sayings.current(process), &mut self.events)
        {
            events.settle(process, argument);
        }
    }

    /// Takes a completion.
    pub(super) fn complete(&mut self, head: Head, said: Said) -> Result<(), Malformed> {
        let time = self.time(head)?;
        let taken = said.taken.clone();
        let mut event = self.sayings.completion(head, time, said, self.events.rules());
        if self.open(head.process).is_some_and(|open| is_drain(&open.call().f))
            && let Ok(Event { what, .. }) = &event
            && let Some(completion) = what.clone().into_completion()
        {
            match drain::check(&completion, &taken) {
                Err(reason) => event = complain(head.line, reason),
                Ok(()) if completion == Completion::Info => {
                    self.settle(head.process, drain::noted(taken, Some(time)));
                }
                Ok(()) => {}
            }
        }
        let done = event.and_then(|event| self.events.event_at(head.place(), event));
        if done.is_err() && self.log.is_lenient() {
            self.lose(head, time);
        }
        done
    }

    /// Ends the open operation of a process with an unknown outcome.
    fn lose(&mut self, head: Head, time: u64) {
        self.sayings.doubtful.remove(&head.process);
        let Some(process) = self.sayings.current(head.process) else { return };
        if self.events.rules().open(process).is_some() {
            let lost = self.events.event_at(head.place(), Event::info(process, time));
            lost.expect("the operation is open and time moves on");
        }
    }
}

/// A complaint about a line.
pub(super) fn complain<T>(line: usize, reason: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed::unreadable(line, reason))
}
