//! What lines say becomes events of processes.
//!
//! A line has a head (who, when, where) and says that an operation was invoked
//! or how it ended. [`Sayings`] finds out what that means: which process the
//! number in the file stands for, and that what a completion repeats is what
//! was asked. Whether the events can be part of a history is not known here,
//! but by the [`Rules`] that whoever takes them drives: [`Pairs`] for a whole
//! file, the [`Follower`](super::Follower) for one that still grows.
//!
//! A reader that is lenient goes on where the rules refuse something, and from
//! then on knows less, never something else: where a completion may belong to
//! either of two invocations it belongs to none. What files look like is not
//! known here.

use rustc_hash::FxHashSet;

use super::lines::Options;
use super::log::Log;
use super::names::Names;
use super::{Format, Recording};
use crate::history::rules::Place;
use crate::history::{
    Builder, Completion, Event, Function, Key, Malformed, NodeId, ProcessId, Request, Rules, Value,
    What,
};

/// Where a line stands, whom it is about, when and where.
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

/// What a completion says. What it repeats of its invocation must agree.
pub(super) struct Said {
    pub(super) f: Option<Function>,
    pub(super) key: Option<Key>,
    pub(super) argument: Option<Value>,
    pub(super) completion: Completion,
    /// Whether it is of a read at quiescence.
    pub(super) last: bool,
}

impl Said {
    /// Which field says something else than the invocation did.
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

/// What lines say, one after the other.
#[derive(Default)]
pub(super) struct Sayings {
    names: Names,
    /// Numbers of which two operations were open: a completion may belong to
    /// either.
    doubtful: FxHashSet<u32>,
    events: u64,
    /// Whether events have times.
    timed: Option<bool>,
}

impl Sayings {
    /// When something happened; without times, their order is their time.
    pub(super) fn time(&mut self, head: Head) -> Result<u64, Malformed> {
        self.events += 1;
        let timed = head.time.is_some();
        if *self.timed.get_or_insert(timed) != timed {
            let reason = "`time` stands on some events only; it belongs on all or on none";
            return complain(head.line, reason);
        }
        Ok(head.time.unwrap_or(self.events))
    }

    /// A process asks.
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

    /// A process is answered, or gives up.
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

    /// Who a number stands for, if it has invoked anything.
    pub(super) fn current(&self, number: u32) -> Option<ProcessId> {
        self.names.current(number)
    }

    /// What a number has open.
    pub(super) fn open<'a>(&self, number: u32, rules: &'a Rules) -> Option<&'a Request> {
        rules.open(self.current(number)?)
    }

    /// Which of two open operations of a number the next completion belongs to
    /// is not known.
    pub(super) fn doubt(&mut self, number: u32) {
        self.doubtful.insert(number);
    }
}

/// A whole file of events.
pub(super) struct Pairs {
    pub(super) log: Log,
    sayings: Sayings,
    events: Builder,
}

impl Pairs {
    pub(super) fn new(options: Options) -> Pairs {
        Pairs { log: Log::new(options), sayings: Sayings::default(), events: Builder::new() }
    }

    /// What is still open is pending.
    pub(super) fn finish(self, format: Format) -> Recording {
        self.log.finish(self.events.finish(), format, self.sayings.names.continued)
    }

    /// When something happened; a time that runs backwards is taken as the one
    /// before it, if what makes no sense is skipped.
    fn time(&mut self, head: Head) -> Result<u64, Malformed> {
        let time = self.sayings.time(head)?;
        self.log.or_skip(self.events.rules().in_order(head.place(), time))?;
        Ok(time.max(self.events.rules().time()))
    }

    /// A process asks.
    pub(super) fn invoke(
        &mut self,
        head: Head,
        request: impl Into<Request>,
    ) -> Result<(), Malformed> {
        let time = self.time(head)?;
        let rules = self.events.rules();
        let mut event = self.sayings.invocation(head, time, request.into(), rules);
        if self.log.is_lenient() && rules.open(event.process).is_some() {
            // Both were asked, and what comes back may belong to either.
            let refused = self.events.event_at(head.place(), event.clone());
            self.log.or_skip(refused)?;
            self.lose(head, time);
            self.sayings.doubt(head.process);
            event.process = self.sayings.names.invoking(head.process, self.events.rules());
        }
        self.events.event_at(head.place(), event)?;
        self.log.operation(head.line);
        Ok(())
    }

    /// What a process has open.
    pub(super) fn open(&self, process: u32) -> Option<&Request> {
        self.sayings.open(process, self.events.rules())
    }

    /// The argument of what a process has open, where only the completion
    /// knows it.
    pub(super) fn settle(&mut self, process: u32, argument: Value) {
        if let Some(process) = self.sayings.current(process) {
            self.events.settle(process, argument);
        }
    }

    /// A process is answered, or gives up.
    pub(super) fn complete(&mut self, head: Head, said: Said) -> Result<(), Malformed> {
        let time = self.time(head)?;
        let event = self.sayings.completion(head, time, said, self.events.rules());
        let done = event.and_then(|event| self.events.event_at(head.place(), event));
        if done.is_err() && self.log.is_lenient() {
            self.lose(head, time);
        }
        done
    }

    /// What came of the open operation of a process will never be known.
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
