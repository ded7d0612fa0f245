//! Decides the 96 models of the grid.
//!
//! Where every value is written once to a key, the source of each answer is
//! known and one [`Closure`] decides, or, for a long history, [`vectors`].
//! Where values repeat, a backtracking search chooses the sources read by read.
//! Constraints only grow as sources are chosen, so a conflict refutes all
//! continuations, and a proof that does not use the chosen source of a read
//! refutes its other sources as well. When the budget is spent, the answer is
//! Unknown.
//!
//! O(n²/64) for n operations with unique writes, for each choice of sources
//! otherwise. Deciding sources is NP-hard in general (Gibbons and Korach 1997
//! for the sequential case). Knows nothing of real time.

mod closure;
mod derive;
mod eventual;
mod vectors;

use crate::history::History;
use crate::judgement::checker::minimise;
use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::Meter;
use crate::judgement::datatype::{self, Register};
use crate::judgement::model::{Grid, Guarantees, Model, Scope};
use crate::judgement::number::{count, index};
use crate::judgement::relation::{Set, Wide, Word};
use crate::judgement::verdict::{
    Because, Budget, Counterexample, Fact, Kind, Reason, Step, Unknown, Verdict, Witness,
};
use closure::Closure;

/// The base model, which every model of the grid implies.
const BASE: Grid = Grid { guarantees: Guarantees::NONE, scope: Scope::Global, eventual: false };
/// The closure decides up to this many operations, the vectors more, where both
/// could.
const CLOSURE_MAX: usize = 256;
/// How many reads with several possible sources are decided at most.
const DEPTH_MAX: usize = 1_000;
/// How many bits of visibility are kept at most (512 MiB).
const BITS_MAX: usize = 1 << 32;
/// How many entries a witness has at most.
const WITNESS_MAX: usize = 1 << 25;

/// What the search found.
pub(in crate::judgement::checker) enum Decision {
    Holds(Witness),
    Refuted(Reason),
    Unknown(&'static str),
}

/// Judges by a model of the grid.
pub(in crate::judgement::checker) fn check(
    history: &History,
    view: &View,
    grid: Grid,
    budget: Budget,
) -> Verdict {
    let mut meter = Meter::new(budget);
    match decide(history, view, grid, &mut meter) {
        Decision::Holds(witness) => Verdict::Holds(witness),
        Decision::Refuted(reason) => {
            Verdict::Violated(counterexample(history, view, grid, reason, budget))
        }
        Decision::Unknown(reason) => match beside_doubt(history, view, grid, budget) {
            Some(found) => Verdict::Violated(found),
            None => Verdict::Unknown(Unknown { reason: reason.to_owned(), spent: meter.spent() }),
        },
    }
}

/// What is violated even without the reads that may have one of several sources. A read without
/// a source constrains nothing, so no choice of sources mends it. It has the budget again.
fn beside_doubt(
    history: &History,
    view: &View,
    grid: Grid,
    budget: Budget,
) -> Option<Counterexample> {
    if view.has_known_sources() {
        return None;
    }
    let known =
        view.items.iter().filter(|item| item.write.is_some() || view.sources(item).len() <= 1);
    let known: Vec<usize> = known.map(|item| item.at).collect();
    let view = View::of_part(history, &known);
    match decide(history, &view, grid, &mut Meter::new(budget)) {
        Decision::Refuted(reason) => Some(counterexample(history, &view, grid, reason, budget)),
        Decision::Holds(_) | Decision::Unknown(_) => None,
    }
}

/// Decides for a whole history or a part of it.
pub(in crate::judgement::checker) fn decide(
    history: &History,
    view: &View,
    grid: Grid,
    meter: &mut Meter,
) -> Decision {
    if view.items.len() <= CLOSURE_MAX || !view.has_known_sources() {
        return Search::decide(history, view, grid, meter);
    }
    match vectors::decide(view, grid) {
        vectors::Outcome::Holds(orders) => {
            let at = |order: Vec<u32>| {
                order.into_iter().map(|write| view.write(index(write)).at).collect()
            };
            Decision::Holds(Witness::Least(orders.into_iter().map(at).collect()))
        }
        vectors::Outcome::Fails(items) => {
            let at: Vec<usize> = items.iter().map(|item| view.items[index(*item)].at).collect();
            let part = view.closed(history, &at);
            match Search::decide(history, &View::of_part(history, &part), grid, meter) {
                // The named part is not violated by itself: decide the whole.
                Decision::Holds(_) => Search::decide(history, view, grid, meter),
                decided => decided,
            }
        }
        // The closure's bits may fit where the vectors do not; if not, the
        // search answers Unknown.
        vectors::Outcome::TooMany => Search::decide(history, view, grid, meter),
    }
}

/// Whether the closure finds a witness. Tests compare [`vectors`] with it.
#[cfg(test)]
pub(in crate::judgement::checker) fn closure_decides(
    history: &History,
    view: &View,
    grid: Grid,
    meter: &mut Meter,
) -> bool {
    match Search::decide(history, view, grid, meter) {
        Decision::Holds(_) => true,
        Decision::Refuted(_) => false,
        Decision::Unknown(reason) => panic!("{reason}"),
    }
}

struct Search<'a> {
    history: &'a History,
    view: &'a View,
    grid: Grid,
    meter: &'a mut Meter,
    sources: Vec<Source>,
    /// The reads with several possible sources.
    open: Vec<usize>,
}

impl<'a> Search<'a> {
    fn decide(history: &'a History, view: &'a View, grid: Grid, meter: &'a mut Meter) -> Decision {
        let sources = vec![Source::Open; view.items.len()];
        let mut search = Search { history, view, grid, meter, sources, open: Vec::new() };
        for (at, item) in view.items.iter().enumerate() {
            match view.sources(item) {
                _ if item.write.is_some() => {}
                [] => return Decision::Refuted(sourceless(history, item.at)),
                [only] => search.sources[at] = *only,
                _ => search.open.push(at),
            }
        }
        if search.open.len() > DEPTH_MAX {
            return Decision::Unknown(
                "too many reads answered a value that was written repeatedly",
            );
        }
        if view.writes.len().saturating_mul(view.items.len()) > BITS_MAX {
            return Decision::Unknown(
                "the history is too long, or has too many processes, for this checker",
            );
        }
        search.explore(0)
    }

    /// Decides the sources of the open reads from the `depth`-th on.
    fn explore(&mut self, depth: usize) -> Decision {
        if !self.meter.spend(1 + count(self.view.items.len()) / 4) {
            return Decision::Unknown("the budget ended before all possible sources were tried");
        }
        if let Some(decision) = self.judge(depth == self.open.len()) {
            return decision;
        }
        let read = self.open[depth];
        let at = self.view.items[read].at;
        let mut cases = Vec::new();
        for source in self.likely_first(read) {
            self.sources[read] = source;
            let decision = self.explore(depth + 1);
            self.sources[read] = Source::Open;
            match decision {
                Decision::Refuted(reason) if !relies_on(&reason, at, self.history) => {
                    return Decision::Refuted(reason);
                }
                Decision::Refuted(reason) => {
                    let origin = self.view.origin(source).expect("a possible source is decided");
                    cases.push((origin, reason));
                }
                decided => return decided,
            }
        }
        Decision::Refuted(Reason::Sources { read: at, cases })
    }

    /// Judges the sources chosen so far. `None`: they conflict with nothing,
    /// and more are to be chosen.
    fn judge(&self, finished: bool) -> Option<Decision> {
        match self.view.writes.len() {
            0..=64 => self.judge_by::<Word>(finished),
            _ => self.judge_by::<Wide>(finished),
        }
    }

    fn judge_by<S: Set>(&self, finished: bool) -> Option<Decision> {
        let closure = match Closure::<S>::of(self.view, self.grid, &self.sources) {
            Ok(closure) => closure,
            Err(cycle) => {
                let cycle = cycle.into_iter().map(|item| self.view.items[item].at).collect();
                return Some(Decision::Refuted(Reason::CausalCycle { cycle }));
            }
        };
        match closure.arbitrate() {
            Err(conflict) => Some(Decision::Refuted(derive::reason(&closure, conflict))),
            Ok(orders) => finished.then(|| witness(self.history, &closure, orders)),
        }
    }

    /// The possible sources of a read, likely ones first: writes before it from
    /// the latest to the oldest, the initial value, later writes.
    fn likely_first(&self, read: usize) -> Vec<Source> {
        let mut sources = self.view.sources(&self.view.items[read]).to_vec();
        sources.sort_by_key(|source| match source {
            Source::Write(write) => {
                let item = index(self.view.writes[index(*write)]);
                if item < read { (0, read - item) } else { (2, item) }
            }
            Source::Initial | Source::Open => (1, 0),
        });
        sources
    }
}

/// The reason for a read whose answer no write that happened can explain.
fn sourceless(history: &History, read: usize) -> Reason {
    let operations = history.operations();
    let reader = &operations[read];
    let failed = operations.iter().position(|op| datatype::aborted(op, reader));
    match failed {
        Some(write) => Reason::FailedWriteSeen { read, write },
        None => Reason::Thin { read },
    }
}

/// Whether a proof uses what the source of `read` is.
fn relies_on(reason: &Reason, read: usize, history: &History) -> bool {
    let by_step = |step: &Step| match (step.fact, step.because) {
        (Fact::Visible { read: reader, .. }, Because::ReadsFrom) => reader == read,
        (_, Because::Overwritten { read: reader }) => reader == read,
        (_, Because::FinalRead { seen_by }) => seen_by == Some(read),
        _ => false,
    };
    match reason {
        Reason::CausalCycle { cycle } => {
            let operations = history.operations();
            cycle.iter().enumerate().any(|(at, &from)| {
                let to = cycle[(at + 1) % cycle.len()];
                let in_session = operations[from].process == operations[to].process && from < to;
                to == read && !in_session
            })
        }
        Reason::InitialRead { read: reader, steps, .. } => {
            *reader == read || steps.iter().any(by_step)
        }
        Reason::ArbitrationCycle { steps, .. } => steps.iter().any(by_step),
        Reason::Sources { cases, .. } => {
            cases.iter().any(|(_, reason)| relies_on(reason, read, history))
        }
        _ => false,
    }
}

/// The evidence that the model holds, by position in the history.
fn witness<S: Set>(
    history: &History,
    closure: &Closure<'_, S>,
    orders: Vec<Vec<usize>>,
) -> Decision {
    let view = closure.view;
    let reads = || (view.items.iter().enumerate()).filter(|(_, item)| item.write.is_none());
    if view.items.len() > 1 << 12 {
        let seen: usize = reads().map(|(at, _)| closure.rows[at].len()).sum();
        if seen + orders.len() * view.writes.len() > WITNESS_MAX {
            return Decision::Unknown("the evidence would be too large to write down");
        }
    }
    let mut visible = vec![Vec::new(); history.len()];
    for (at, item) in reads() {
        let row = &closure.rows[at];
        let seen = &mut visible[item.at];
        seen.reserve_exact(row.len());
        seen.extend(row.numbers().map(|write| view.write(write).at));
    }
    let mut arbitration = orders;
    for write in arbitration.iter_mut().flatten() {
        *write = view.write(*write).at;
    }
    if closure.grid.scope == Scope::Session {
        arbitration = one_per_process(history, view, arbitration);
    }
    Decision::Holds(Witness::Abstract { visible, arbitration })
}

/// Extends the orders to all processes of the history: one without items gets
/// any of them.
fn one_per_process(history: &History, view: &View, orders: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let processes = history.processes();
    let mut all = vec![None; processes.len()];
    for item in &view.items {
        let process = history.operations()[item.at].process;
        let at = processes.binary_search(&process).expect("every process is listed");
        all[at] = Some(index(item.session));
    }
    let any = orders.first().cloned().unwrap_or_default();
    all.into_iter()
        .map(|session| session.map_or_else(|| any.clone(), |at| orders[at].clone()))
        .collect()
}

/// A minimal part of the history that is violated in the same way, with the proof.
fn counterexample(
    history: &History,
    view: &View,
    grid: Grid,
    reason: Reason,
    budget: Budget,
) -> Counterexample {
    let illegal = if by_base_alone(&reason) {
        Some(minimal(history, view, BASE, Kind::Illegal, reason.clone(), budget))
    } else {
        illegal(history, view, budget)
    };
    if let Some(illegal) = illegal {
        return illegal;
    }
    if Model::Grid(grid) == Model::EVENTUAL
        && let Some(counterexample) = eventual::counterexample(history, view)
    {
        return counterexample;
    }
    minimal(history, view, grid, Kind::Unexplained, reason, budget)
}

/// Whether a proof shows that base fails.
fn by_base_alone(reason: &Reason) -> bool {
    match reason {
        Reason::Thin { .. } | Reason::FailedWriteSeen { .. } | Reason::CausalCycle { .. } => true,
        Reason::Sources { cases, .. } => cases.iter().all(|(_, reason)| by_base_alone(reason)),
        _ => false,
    }
}

/// Shrinks the operations that a proof mentions, and proves the violation again
/// on what is left.
fn minimal(
    history: &History,
    view: &View,
    grid: Grid,
    kind: Kind,
    reason: Reason,
    budget: Budget,
) -> Counterexample {
    let core = view.closed(history, &reason.operations());
    let sources = minimise::Sources::within(history, &core, &Register);
    let mut meter = Meter::new(budget.to_minimise());
    let mut proof = reason;
    let (operations, minimal) = minimise::minimise(&sources, core, |part| {
        match decide(history, &View::of_part(history, part), grid, &mut meter) {
            Decision::Refuted(reason) => {
                proof = reason;
                Some(true)
            }
            Decision::Holds(_) => Some(false),
            Decision::Unknown(_) => None,
        }
    });
    Counterexample { kind, operations, minimal, restricted: Vec::new(), reason: proof }
}

/// The counterexample to base, and so to every model that implies it, if base
/// fails.
pub(in crate::judgement::checker) fn illegal(
    history: &History,
    view: &View,
    budget: Budget,
) -> Option<Counterexample> {
    match decide(history, view, BASE, &mut Meter::new(budget)) {
        Decision::Refuted(reason) => {
            Some(minimal(history, view, BASE, Kind::Illegal, reason, budget))
        }
        Decision::Holds(_) | Decision::Unknown(_) => None,
    }
}
