//! Construction of a [`History`]; there is no other way to get one.
//!
//! Invariant: every history obeys the [`Rules`] of well-formedness, and its
//! operations cannot be changed afterwards. Input that breaks a rule becomes a
//! [`Malformed`] error with its line.

use rustc_hash::FxHashSet;

use super::rules::Place;
use super::{Completion, Event, Malformed, Operation, ProcessId, Request, Rules, Value, What};

/// What clients saw: operations in order of invocation.
///
/// Two histories are equal if they have the same operations in the same order.
///
/// An [`Operation`] alone is plain data that anyone may construct. Inside a
/// history it has passed the rules, and can only be read:
///
/// ```compile_fail,E0594
/// use quiescence::history::notation;
///
/// let mut history = notation::parse("wx1")?;
/// history.operations()[0].returned = Some(0);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    operations: Vec<Operation>,
}

impl History {
    /// The history of these whole operations, which must be in order of
    /// invocation.
    ///
    /// # Errors
    /// If an operation breaks a rule. The line is the number of the first that
    /// does, from 1.
    ///
    /// ```
    /// use quiescence::history::{History, Rule, notation};
    ///
    /// let mut operations = notation::parse("wx1 rx1")?.operations().to_vec();
    /// assert_eq!(History::of(operations.clone())?.len(), 2);
    /// operations[1].returned = Some(0);
    /// let refused = History::of(operations).expect_err("it returns before it is invoked");
    /// assert_eq!((refused.line, refused.rule), (2, Some(Rule::Duration)));
    /// # Ok::<(), quiescence::history::Malformed>(())
    /// ```
    pub fn of(operations: Vec<Operation>) -> Result<History, Malformed> {
        let place = |at: usize, op: &mut Operation, _: &Rules| Place {
            line: at + 1,
            process: op.process.0,
        };
        History::screened(operations, place, |_, refused| Err(refused))
    }

    /// The history of those operations that pass the rules. `place` may give
    /// the operation its process, and returns where it is in the input.
    /// `refused` gets the error of an operation that fails: `Ok` drops the
    /// operation and continues, `Err` stops. Works in place, without a second
    /// copy of the operations.
    pub(super) fn screened(
        mut operations: Vec<Operation>,
        mut place: impl FnMut(usize, &mut Operation, &Rules) -> Place,
        mut refused: impl FnMut(usize, Malformed) -> Result<(), Malformed>,
    ) -> Result<History, Malformed> {
        let mut rules = Rules::default();
        let (mut at, mut stop) = (0, Ok(()));
        operations.retain_mut(|operation| {
            if stop.is_err() {
                return false;
            }
            let place = place(at, operation, &rules);
            let passed = rules.accept_whole(place, operation);
            let stays = passed.is_ok();
            if let Err(malformed) = passed {
                stop = refused(at, malformed);
            }
            at += 1;
            stays
        });
        stop.map(|()| History { operations })
    }

    /// The operations, in order of invocation.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is no operation at all.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The processes that occur, in ascending order.
    pub fn processes(&self) -> Vec<ProcessId> {
        let mut known = FxHashSet::default();
        let new = |process: &ProcessId| known.insert(*process);
        let mut all: Vec<_> = self.operations.iter().map(|op| op.process).filter(new).collect();
        all.sort_unstable();
        all
    }

    /// Whether any read is marked as issued at quiescence.
    pub fn has_final_reads(&self) -> bool {
        self.operations.iter().any(|op| op.final_read)
    }

    /// How many reads were answered. If none was, there is nothing to check.
    pub fn answered_reads(&self) -> usize {
        self.operations.iter().filter(|op| op.answer().is_some()).count()
    }

    /// The history of the operations at these positions only.
    ///
    /// A part of a well-formed history is well formed.
    ///
    /// # Panics
    /// If the positions are not ascending, or there is no operation at one.
    pub fn restricted_to(&self, positions: &[usize]) -> History {
        assert!(positions.is_sorted_by(|one, next| one < next), "positions are ascending");
        History { operations: positions.iter().map(|&at| self.operations[at].clone()).collect() }
    }
}

/// Collects events in the order in which they happened.
///
/// ```
/// use quiescence::history::{Builder, Call, ProcessId};
///
/// let mut events = Builder::new();
/// events.invoke(ProcessId(0), 10, Call::write("x", 1))?;
/// events.ok(ProcessId(0), 20, ())?;
/// events.invoke(ProcessId(1), 30, Call::read("x"))?;
/// events.ok(ProcessId(1), 40, 1)?;
/// let history = events.finish();
/// assert_eq!(history.len(), 2);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    rules: Rules,
    operations: Vec<Operation>,
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Null
    }
}

impl Builder {
    /// No events yet.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// If the event breaks a [`Rule`](super::Rule). The line is the number of
    /// the event. A refused event is not recorded.
    pub fn event(&mut self, event: Event) -> Result<(), Malformed> {
        let number = self.rules.accept(&event)?;
        self.record(number, event);
        Ok(())
    }

    /// As [`event`](Self::event), for an event at this place in a file.
    pub(super) fn event_at(&mut self, place: Place, event: Event) -> Result<(), Malformed> {
        let number = self.rules.accept_at(place, &event)?;
        self.record(number, event);
        Ok(())
    }

    /// Records an accepted event of the operation with this number.
    fn record(&mut self, number: usize, event: Event) {
        let Event { process, time, node, what } = event;
        let final_read = matches!(what, What::OkFinal(_));
        match what {
            What::Invoke(request) => self.operations.push(Operation {
                process,
                node,
                call: request.into_call(),
                invoked: time,
                returned: None,
                completion: Completion::Info,
                final_read: false,
            }),
            what => {
                let operation = &mut self.operations[number];
                operation.completion = what.into_completion().expect("it is no invocation");
                operation.returned = (!operation.is_pending()).then_some(time);
                operation.final_read = final_read;
                operation.node = operation.node.or(node);
            }
        }
    }

    /// `process` invokes `request` at `time` (nanoseconds).
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub fn invoke(
        &mut self,
        process: ProcessId,
        time: u64,
        request: impl Into<Request>,
    ) -> Result<(), Malformed> {
        self.event(Event::invoke(process, time, request))
    }

    /// The open operation of `process` is answered with `value`.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub fn ok(
        &mut self,
        process: ProcessId,
        time: u64,
        value: impl Into<Value>,
    ) -> Result<(), Malformed> {
        self.event(Event::ok(process, time, value))
    }

    /// As [`ok`](Self::ok), for a read issued at quiescence.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub fn ok_final(
        &mut self,
        process: ProcessId,
        time: u64,
        value: impl Into<Value>,
    ) -> Result<(), Malformed> {
        self.event(Event::ok_final(process, time, value))
    }

    /// The open operation of `process` certainly took no effect.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub fn fail(&mut self, process: ProcessId, time: u64) -> Result<(), Malformed> {
        self.event(Event::fail(process, time))
    }

    /// The outcome of the open operation of `process` will never be known; the
    /// process ends here.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub fn info(&mut self, process: ProcessId) -> Result<(), Malformed> {
        self.event(Event::info(process, self.rules.time()))
    }

    /// The rules, in their state after the events so far.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Sets the argument of the open operation of a process, for files in which
    /// only the completion names it.
    pub(super) fn settle(&mut self, process: ProcessId, argument: Value) {
        if let Some(number) = self.rules.settle(process, argument.clone()) {
            self.operations[number].call.argument = argument;
        }
    }

    /// The history so far. Operations that are still open are pending.
    pub fn finish(self) -> History {
        History { operations: self.operations }
    }
}
