//! The rules that make a sequence of events a history. No other module knows
//! them.
//!
//! A state machine. It takes events one by one, in the order in which they
//! happened. It accepts an event that can continue the history, and otherwise
//! names the [`Rule`] that the event breaks. A refused event changes nothing
//! but the count of events. The [`Builder`](super::Builder), every reader of
//! files and live judgement use it; none of them has rules of its own.
//!
//! If a file holds whole operations in any order, they are taken in order of
//! invocation ([`Rules::accept_whole`]); the rules for one process are the
//! same.
//!
//! O(1) for each event; memory grows with the processes, not with the events.

use std::fmt;

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::{Completion, Event, Operation, ProcessId, Request, Value, What};

/// The rules that every history obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Events stand in the order in which they happened.
    Order,
    /// A process has at most one operation open.
    Sequential,
    /// A process ends with an operation of unknown outcome.
    End,
    /// What completes was invoked by the same process.
    Invoked,
    /// An operation does not return before it is invoked.
    Duration,
    /// An operation has a time of return exactly if its outcome is known.
    Outcome,
    /// Only a read that was answered can be a final read.
    FinalRead,
    /// A process that has issued a final read issues nothing but reads.
    Quiescence,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Order => "events stand in the order in which they happened",
            Rule::Sequential => "a process has at most one operation open",
            Rule::End => "a process ends with an operation of unknown outcome",
            Rule::Invoked => "what completes was invoked by the same process",
            Rule::Duration => "an operation does not return before it is invoked",
            Rule::Outcome => "an operation has a time of return exactly if its outcome is known",
            Rule::FinalRead => "only a read that was answered can be a final read",
            Rule::Quiescence => "after a final read a process issues nothing but reads",
        })
    }
}

/// Why something is not a history, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct Malformed {
    /// The line (or event number) that cannot be part of a history, from 1.
    pub line: usize,
    /// The rule that it breaks; `None` if it cannot even be read as an event.
    pub rule: Option<Rule>,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl Malformed {
    /// Something that cannot be read as an event or an operation.
    pub(crate) fn unreadable(line: usize, reason: impl Into<String>) -> Malformed {
        Malformed { line, rule: None, reason: reason.into() }
    }

    fn broken(place: Place, rule: Rule, reason: String) -> Malformed {
        Malformed { line: place.line, rule: Some(rule), reason }
    }

    /// A process completes what it did not invoke.
    pub(super) fn not_invoked(place: Place) -> Malformed {
        let Place { process: p, .. } = place;
        let reason = format!("process {p} completes an operation that it did not invoke");
        Malformed::broken(place, Rule::Invoked, reason)
    }

    /// A completion may belong to either of two open operations of a process.
    pub(super) fn of_either(place: Place) -> Malformed {
        let reason = format!("process {} had two operations open", place.process);
        Malformed::broken(place, Rule::Sequential, reason)
    }
}

/// Where an event is in its input, and the number that its process has there.
/// Complaints use that number, because a file keeps it after a process has
/// ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) process: u32,
}

/// The state machine that decides which events form a history.
///
/// ```
/// use quiescence::history::{Call, Event, ProcessId, Rule, Rules};
///
/// let (mut rules, process) = (Rules::default(), ProcessId(0));
/// assert_eq!(rules.accept(&Event::invoke(process, 5, Call::read("x"))), Ok(0));
/// assert_eq!(rules.accept(&Event::ok(process, 7, 1)), Ok(0));
/// let refused = rules.accept(&Event::fail(process, 8)).expect_err("nothing is open");
/// assert_eq!((refused.line, refused.rule), (3, Some(Rule::Invoked)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rules {
    processes: FxHashMap<ProcessId, Process>,
    /// The time of the last event (or invocation, of whole operations).
    time: u64,
    /// How many events were given, including refused ones.
    events: usize,
    /// How many operations were invoked.
    operations: usize,
}

/// What a process may do next.
#[derive(Clone, Debug, Default)]
struct Process {
    state: State,
    /// Whether it has issued a final read.
    at_quiescence: bool,
}

#[derive(Clone, Debug)]
enum State {
    Idle {
        /// When its last operation returned, in nanoseconds.
        since: Option<u64>,
    },
    Open(Open),
    Ended,
}

impl Default for State {
    fn default() -> Self {
        State::Idle { since: None }
    }
}

/// An operation that was invoked and not yet completed.
#[derive(Clone, Debug)]
struct Open {
    /// Its number among all operations.
    number: usize,
    /// Where it was invoked.
    line: usize,
    request: Request,
}

impl Rules {
    /// Takes the next event, if it can continue the history. Returns the number
    /// of its operation, from 0 in order of invocation.
    ///
    /// # Errors
    /// If the event breaks a rule. The line is the number of the event. A
    /// refused event is not taken.
    pub fn accept(&mut self, event: &Event) -> Result<usize, Malformed> {
        let place = Place { line: self.events + 1, process: event.process.0 };
        self.accept_at(place, event)
    }

    /// As [`accept`](Self::accept), for an event at this place in a file.
    pub(super) fn accept_at(&mut self, place: Place, event: &Event) -> Result<usize, Malformed> {
        self.events += 1;
        self.in_order(place, event.time)?;
        let number = match &event.what {
            What::Invoke(request) => {
                let process = self.processes.entry(event.process).or_default();
                process.may_invoke(place, event.time, request, request.only_reads())?;
                let number = self.operations;
                self.operations += 1;
                process.state =
                    State::Open(Open { number, line: place.line, request: request.clone() });
                number
            }
            what => {
                let Some(process) = self.processes.get_mut(&event.process) else {
                    return Err(Malformed::not_invoked(place));
                };
                process.complete(place, event.time, what)?
            }
        };
        self.time = event.time;
        Ok(number)
    }

    /// Takes a whole operation, in order of invocation. Do not mix with single
    /// events.
    pub(super) fn accept_whole(
        &mut self,
        place: Place,
        operation: &Operation,
    ) -> Result<(), Malformed> {
        let Operation { call, invoked, returned, completion, final_read, .. } = operation;
        self.events += 1;
        self.in_order(place, *invoked)?;
        let process = self.processes.entry(operation.process).or_default();
        process.may_invoke(place, *invoked, call, call.is_read())?;
        if returned.is_some_and(|returned| returned < *invoked) {
            let reason =
                format!("`{call}` of process {} returns before it is invoked", place.process);
            return Err(Malformed::broken(place, Rule::Duration, reason));
        }
        if returned.is_none() != (*completion == Completion::Info) {
            let reason = format!(
                "`{call}` of process {} has a time of return exactly if its outcome is known",
                place.process
            );
            return Err(Malformed::broken(place, Rule::Outcome, reason));
        }
        let answered = matches!(completion, Completion::Ok(_));
        if *final_read && !(call.is_read() && answered) {
            return Err(marked_final(place, call));
        }
        process.at_quiescence |= *final_read;
        process.state = match returned {
            Some(_) => State::Idle { since: *returned },
            None => State::Ended,
        };
        self.operations += 1;
        self.time = *invoked;
        Ok(())
    }

    /// Whether an event with this time can come next.
    pub(super) fn in_order(&self, place: Place, time: u64) -> Result<(), Malformed> {
        if time >= self.time {
            return Ok(());
        }
        let reason = format!(
            "time runs backwards: {time} after {}; events stand in the order in which they \
             happened",
            self.time
        );
        Err(Malformed::broken(place, Rule::Order, reason))
    }

    /// The time of the last event, in nanoseconds.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The open request of a process.
    pub fn open(&self, process: ProcessId) -> Option<&Request> {
        match &self.processes.get(&process)?.state {
            State::Open(open) => Some(&open.request),
            State::Idle { .. } | State::Ended => None,
        }
    }

    /// When the last operation of a process returned, if it has none open.
    pub fn idle_since(&self, process: ProcessId) -> Option<u64> {
        match self.processes.get(&process)?.state {
            State::Idle { since } => since,
            State::Open(_) | State::Ended => None,
        }
    }

    /// Whether a process ended with an operation of unknown outcome.
    pub fn has_ended(&self, process: ProcessId) -> bool {
        self.processes.get(&process).is_some_and(|one| matches!(one.state, State::Ended))
    }

    /// Forgets a process that has nothing open, to bound the memory for endless
    /// recordings. If it comes again it counts as a new process.
    pub fn forget(&mut self, process: ProcessId) {
        if self.open(process).is_none() {
            self.processes.remove(&process);
        }
    }

    /// Sets the argument of the open operation of a process, for files in which
    /// only the completion names it. The number of the operation.
    pub(super) fn settle(&mut self, process: ProcessId, argument: Value) -> Option<usize> {
        match &mut self.processes.get_mut(&process)?.state {
            State::Open(open) => {
                open.request = open.request.clone().with_argument(argument);
                Some(open.number)
            }
            State::Idle { .. } | State::Ended => None,
        }
    }
}

impl Process {
    /// Whether the process can invoke an operation now.
    fn may_invoke(
        &self,
        place: Place,
        time: u64,
        asks: &dyn fmt::Display,
        only_reads: bool,
    ) -> Result<(), Malformed> {
        let p = place.process;
        match &self.state {
            State::Open(Open { request, line, .. }) => {
                let reason = format!(
                    "process {p} invokes `{asks}` while its `{request}` of line {line} is open; a \
                     process is sequential"
                );
                Err(Malformed::broken(place, Rule::Sequential, reason))
            }
            State::Idle { since: Some(since) } if time < *since => {
                let reason = format!(
                    "process {p} invokes `{asks}` at {time} while another operation of it is open \
                     until {since}; a process is sequential"
                );
                Err(Malformed::broken(place, Rule::Sequential, reason))
            }
            State::Ended => {
                let reason = format!(
                    "process {p} invokes `{asks}` after an operation of unknown outcome; a client \
                     that goes on does so as a new process"
                );
                Err(Malformed::broken(place, Rule::End, reason))
            }
            State::Idle { .. } if self.at_quiescence && !only_reads => {
                let reason = format!(
                    "process {p} invokes `{asks}` after its final read; a final read is issued at \
                     quiescence"
                );
                Err(Malformed::broken(place, Rule::Quiescence, reason))
            }
            State::Idle { .. } => Ok(()),
        }
    }

    /// Ends the open operation at this time. Returns its number.
    fn complete(&mut self, place: Place, time: u64, what: &What) -> Result<usize, Malformed> {
        let State::Open(Open { number, request, .. }) = &self.state else {
            return Err(Malformed::not_invoked(place));
        };
        let (number, final_read) = (*number, matches!(what, What::OkFinal(_)));
        if final_read && !request.only_reads() {
            return Err(marked_final(place, request));
        }
        self.at_quiescence |= final_read;
        self.state = match what {
            What::Info => State::Ended,
            _ => State::Idle { since: Some(time) },
        };
        Ok(number)
    }
}

fn marked_final(place: Place, asks: &dyn fmt::Display) -> Malformed {
    let reason = format!("`{asks}` is marked final; only a read can be a final read");
    Malformed::broken(place, Rule::FinalRead, reason)
}
