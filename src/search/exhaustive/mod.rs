//! Exhaustive search: every state of a small scope, exact, shortest first.
//!
//! A state is a row of numbers, one for each node with its inbox and one for
//! the clients. Steps are remembered, so a handler runs once for each (node,
//! input) however many states have it; the search itself knows only numbers,
//! and reads them on as many threads as there are. What it finds does not
//! depend on how many.
//!
//! Invariant: a search ends complete or bounded, and the two are never
//! confused; what it finds is found on a shortest way. It uses the world's own
//! local step, is no second interpreter, and knows no model: what it comes
//! upon is judged by the caller ([`Sight`]).
//!
//! Read next: `engine` for the search, `skip` for what it need not look up,
//! `stale` and `underway` for messages that no longer matter, `store` for states, `parts` for what they are made of, `tables` and `numbers`
//! for what is remembered, `clients` for histories, `quiet` for what is judged,
//! `settled` for where timers lead, `liveness` for fair cycles, `path` for the
//! way to a state.

mod answers;
mod clients;
mod engine;
mod links;
mod liveness;
mod numbered;
mod numbers;
mod parts;
mod path;
mod quiet;
mod reduce;
mod settled;
mod skip;
mod stale;
mod steps;
mod store;
mod tables;
mod underway;

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use crate::history::{Call, History, Menu, NodeId};
use crate::replication::OperationId;
use crate::world::component::Panicked;
use crate::world::{Facts, Faults, Step, Told, Workload};

pub use engine::{Judge, explore};
pub use stale::MISDECLARED;

/// What a search does, and how far it goes.
pub struct Plan<'a> {
    /// What clients ask.
    pub work: Work,
    /// What a state has to remember for what is judged.
    pub tracks: Tracks,
    /// What is left out because it cannot make a difference.
    pub reduce: Reduce,
    /// How far to go.
    pub limits: Limits,
    /// Which matters of the judge are about what holds in the end: a bit each.
    /// Fair cycles are looked for if there are any.
    pub lively: u64,
    /// Which of them a run that never settles violates by itself.
    pub quieting: u64,
    /// Whether a panic of a handler is asked for, too: then the search does not
    /// end before one has been found.
    pub panics: bool,
    /// Whether timers wait until nothing is in flight. Open work says that
    /// itself.
    pub patient: bool,
    /// How many threads read. It changes no result.
    pub jobs: usize,
    /// Asked now and then; the search ends, bounded, if it says yes.
    pub stop: &'a dyn Fn(&Progress) -> bool,
}

/// What clients ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// These scripts.
    Scripted(Workload),
    /// Whatever scripts there are within these bounds, of calls on this menu.
    Open(Open, Menu),
}

/// Bounds on what clients ask. Every session may ask anything of any node
/// (always the same one, if sessions stay) as long as something is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// How many sessions there are.
    pub sessions: usize,
    /// How many updates all of them ask together: writes, adds, removes, ….
    pub writes: usize,
    /// How many queries all of them ask together.
    pub reads: usize,
    /// How many keys there are.
    pub keys: usize,
    /// Whether timers wait until nothing is in flight. They may fire at any
    /// time otherwise, but not before all that came of their last firing has
    /// left the network.
    pub patient: bool,
}

/// What a state remembers besides what decides its future.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// What each session asked and was answered. Always, if work is open.
    pub history: bool,
    /// Which operations ended before which began.
    pub real_time: bool,
    /// Which writes reads take into account at each node.
    pub visible: bool,
    /// Whether nodes that took the same writes into account have to answer
    /// alike in every state.
    pub agreement: bool,
    /// Whether the strategy's invariants are looked at in every state.
    pub invariants: bool,
    /// Whether links that are cut stay cut, and lose what they hold back. To cut a
    /// link and heal it later only delays what is sent on it, so a search in which
    /// none heals comes wherever runs come that end with cut links.
    pub severed: bool,
}

impl Tracks {
    /// Whether something is asked of every state, not of quiet ones only.
    fn every_state(self) -> bool {
        self.agreement || self.invariants
    }
}

/// What may be left out of a search. Each is switched off by the search
/// itself where its assumptions are not met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reduce {
    /// Once no client has anything left to ask, nodes are served one after
    /// the other.
    pub persistent: bool,
    /// Deliveries at a node happen right before the next client there.
    pub macro_steps: bool,
    /// Nodes that no client uses differ only in what they hold.
    pub symmetry: bool,
    /// What no future can see is dropped.
    pub forget: bool,
    /// Messages that can no longer make a difference are dropped.
    pub stale: bool,
}

impl Reduce {
    /// Nothing is left out.
    pub const NONE: Reduce = Reduce {
        persistent: false,
        macro_steps: false,
        symmetry: false,
        forget: false,
        stale: false,
    };
    /// All that is possible.
    pub const ALL: Reduce =
        Reduce { persistent: true, macro_steps: true, symmetry: true, forget: true, stale: true };

    /// The reductions by the names used on the command line.
    pub const NAMES: [&'static str; 5] = ["persistent", "macro", "symmetry", "forget", "stale"];

    fn flags(self) -> [bool; 5] {
        [self.persistent, self.macro_steps, self.symmetry, self.forget, self.stale]
    }

    /// The reduction with this name.
    pub fn flag_mut(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "persistent" => &mut self.persistent,
            "macro" => &mut self.macro_steps,
            "symmetry" => &mut self.symmetry,
            "forget" => &mut self.forget,
            "stale" => &mut self.stale,
            _ => return None,
        })
    }
}

impl fmt::Display for Reduce {
    /// `persistent, macro`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Reduce::NAMES.iter().zip(self.flags()).filter(|(_, on)| *on);
        let names: Vec<_> = on.map(|(name, _)| *name).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

/// How far a search may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// States that are kept.
    pub states: u64,
    /// Bytes that states and what is remembered of steps may take.
    pub bytes: u64,
}

impl Default for Limits {
    /// 100 million states, 4 GiB.
    fn default() -> Self {
        Limits { states: 100_000_000, bytes: 4 << 30 }
    }
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Distinct states.
    pub states: u64,
    /// States that wait to be looked at.
    pub frontier: u64,
    /// Actions to the states that are being looked at.
    pub depth: u32,
    /// Bytes of states and tables, roughly.
    pub bytes: u64,
}

/// What the search has come upon: a cluster that is quiet, or a history that
/// never comes to quiet.
pub struct Sight<'s> {
    /// What clients saw, with final reads if the cluster is quiet.
    pub history: &'s History,
    /// Which operation stands at each position of the history.
    pub operations: &'s [OperationId],
    /// Final reads; empty if the cluster is not quiet.
    pub answers: &'s [(NodeId, Call, Told)],
    /// How many operations stay open.
    pub open: usize,
    /// Whether the cluster is quiet, or this recurs for ever.
    pub quiet: bool,
    /// Whether this recurs for ever without being quiet.
    pub recurs: bool,
    /// What final reads take into account, if that is tracked.
    pub facts: Option<&'s Facts>,
}

/// What is violated, by the bits of the judging caller; and what the search sees
/// by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// What the judge of [`Sight`]s has numbered so.
    Judged(u32),
    /// The invariant at this place among the strategy's, which must hold always
    /// or at quiescence.
    Invariant(usize),
    /// Nodes with the same writes answer differently.
    Agreement,
    /// A handler panics.
    Panic,
    /// Deliveries alone may go on for ever.
    NeverQuiet,
    /// Answers may go back and forth for ever.
    Oscillating,
}

/// A violation with the shortest way to it.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is violated.
    pub matter: Matter,
    /// What clients ask on the way.
    pub workload: Workload,
    /// The way.
    pub stem: Vec<Step>,
    /// What then goes on for ever; empty if nothing does.
    pub cycle: Vec<Step>,
}

/// What a search found out.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Distinct states.
    pub states: u64,
    /// Steps between them, those to known states included.
    pub transitions: u64,
    /// How often a handler ran.
    pub local_steps: u64,
    /// The most actions on a shortest way to a state.
    pub depth: u32,
    /// Bytes of states and tables, roughly.
    pub bytes: u64,
    /// How often something was judged.
    pub judged: u64,
    /// The most of each kind of fault in one state.
    pub faults: Faults,
    /// Which `sometimes` invariants were seen to hold, by their places.
    pub reached: BTreeSet<usize>,
    /// How often nodes with the same writes could be compared.
    pub compared: u64,
    /// Whether a state that recurs for ever was not judged, because a final
    /// read panics there.
    pub unasked: bool,
    /// Whether, with patient timers, settling took too long from some state: what
    /// it comes to is unknown then.
    pub unsettled: bool,
    /// Whether an operation is open in what goes on for ever, with patient timers
    /// that might answer it if they fired.
    pub waiting: bool,
    /// Whether any node had a timer armed.
    pub timers: bool,
    /// What was left out.
    pub reduce: Reduce,
    /// Reductions that were asked for and cannot be used, and why.
    pub declined: Vec<(&'static str, &'static str)>,
    /// How it ended.
    pub ending: Ending,
    /// What was found, in the order of finding: up to 16 shortest ways a matter.
    pub found: Vec<Found>,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every state was seen.
    Complete,
    /// Everything that was asked for has been found; of anything else nothing
    /// is known.
    Settled,
    /// This came first.
    Bounded(Bound),
}

/// What bounds a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The limit of states.
    States,
    /// The limit of memory.
    Bytes,
    /// The caller stopped it.
    Stopped,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::States => "the limit of states",
            Bound::Bytes => "the limit of memory",
            Bound::Stopped => "stopped early",
        })
    }
}

/// Why a search was not begun or not finished.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The setting or the strategy has something that is not explored.
    #[error("an exhaustive search does not cover {0}")]
    NotCovered(&'static str),
    /// A reduction cannot be used.
    #[error("the reduction `{0}` cannot be used: {1}")]
    Reduction(&'static str, &'static str),
    /// A handler panicked.
    #[error("a handler panicked: {}", .0.0)]
    Panicked(Panicked),
}

impl From<Panicked> for Refused {
    fn from(panicked: Panicked) -> Self {
        Refused::Panicked(panicked)
    }
}
