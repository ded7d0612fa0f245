//! Replays a counterexample, step by step, against the axioms of the model.
//!
//! Invariant: a proof that passes is a proof about every visibility and
//! arbitration (or order) of the *whole* history, since the possible sources
//! of a read are looked up there. It trusts nothing it is given.

use std::collections::BTreeMap;

use crate::history::{Completion, Function, History, Key, Operation, Value};

use super::cycle;
use super::facts::{Facts, Sources, sourceless};
use super::unsound::{Replayed, Unsound};
use super::{instants, parts};
use crate::judgement::datatype::{About, Datatype, MISMATCH, answered, is_plain};
use crate::judgement::model::Kind;
use crate::judgement::model::{Grid, Guarantees, Model, Scope, implies};
use crate::judgement::oracle;
use crate::judgement::verdict::evidence::Counterexample;
use crate::judgement::verdict::pattern::Pattern;
use crate::judgement::verdict::reason::{Because, Fact, Reason, Source, Step};

/// How many operations of unknown outcome a part may have: every choice of
/// which of them happened is tried.
const PENDING_MAX: usize = 12;

/// Replays a counterexample.
pub(super) fn replay(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    claim: &Counterexample,
) -> Replayed {
    let facts = Facts::of(history);
    let instants = claim.kind == Kind::Unexplained
        && model.orders().is_some_and(|asked| asked.is_instantaneous())
        && (datatype.name() != "register" || !is_plain(history));
    let facts = if instants {
        facts.in_time(&claim.operations, datatype.name() == "register")
    } else {
        facts
    };
    well_formed(facts, claim)?;
    let Model::Grid(base) = Model::BASE else { unreachable!("base is a model of the grid") };
    match (claim.kind, model) {
        (Kind::Illegal, _) if !implies(model, Model::BASE, false) => {
            Unsound::because(format!("{model} does not ask that causes be free of cycles"))
        }
        (Kind::Illegal, _) => Replay::new(facts, base).reason(&claim.reason),
        (Kind::Diverged | Kind::Lost, Model::EVENTUAL) => quiescent(facts, claim),
        (Kind::Diverged | Kind::Lost | Kind::Resurrected, _) => Unsound::because(format!(
            "{} is a kind of eventual consistency, not of {model}",
            claim.kind
        )),
        (Kind::Unexplained, Model::BASE | Model::EVENTUAL) => {
            Unsound::because(format!("{model} is never violated as {}", claim.kind))
        }
        (Kind::Unexplained, Model::Grid(grid)) => Replay::new(facts, grid).reason(&claim.reason),
        (Kind::Unexplained, _) => match &claim.reason {
            Reason::NoOrder { model: of, .. } if *of != model => {
                Unsound::because("the lack of an order is that of another model")
            }
            Reason::NoOrder { shows, .. } => {
                no_order(history, model, datatype, claim, instants)?;
                let found = || Pattern::of(&claim.of(history), model, datatype);
                match shows.is_none() || *shows == found() {
                    true => Ok(()),
                    false => Unsound::because("the part does not show this pattern"),
                }
            }
            _ if datatype.name() != "register" => {
                Unsound::because("this reason is about registers")
            }
            reason => cycle::replay(history, facts, model, &claim.operations, reason),
        },
    }
}

/// Verifies that the part is ascending, closed under possible sources, and
/// contains the operations of the proof.
fn well_formed(facts: Facts<'_>, claim: &Counterexample) -> Replayed {
    let part = &claim.operations;
    if !part.is_sorted_by(|a, b| a < b) || part.last().is_some_and(|&at| at >= facts.len()) {
        return Unsound::because("the operations are not ascending positions in the history");
    }
    if !matches!(claim.reason, Reason::NoOrder { .. }) && !claim.restricted.is_empty() {
        return Unsound::because("nothing can be left out of these answers");
    }
    let inside = |at: &usize| part.binary_search(at).is_ok();
    if let Some(at) = claim.reason.operations().iter().find(|at| !inside(at)) {
        return Unsound::because(format!("the proof mentions operation {at}, the part lacks it"));
    }
    for &read in part {
        for source in facts.sources(read) {
            if let Source::Write(write) = source
                && !inside(&write)
            {
                return Unsound::because(format!(
                    "operation {write} could explain read {read}, the part lacks it"
                ));
            }
        }
    }
    Ok(())
}

fn no_order(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    claim: &Counterexample,
    in_time: bool,
) -> Replayed {
    all_changes(history, claim, datatype, in_time)?;
    let operations = history.operations();
    let members = claim.operations.iter().map(|at| &operations[*at]);
    let answered = members.filter(|op| matches!(op.completion, Completion::Ok(_)));
    let last = answered.filter_map(|op| op.returned).max().unwrap_or(0);
    let until = if in_time { last } else { u64::MAX };
    parts::lacks_no_operation(operations, &claim.operations, datatype, until)?;
    let divided = parts::Divided::ByOperations;
    let history = &parts::restricted(operations, claim, datatype, divided)?;
    let open = |at: &&usize| history.operations()[**at].is_pending();
    let explained = match model.orders().is_some_and(|asked| asked.is_instantaneous()) {
        true => instants::explained(history, &claim.operations, datatype),
        false if claim.operations.iter().filter(open).count() > PENDING_MAX => {
            return Unsound::too_large("the part has too many operations of unknown outcome");
        }
        false => oracle::explained(history, &claim.operations, model, datatype),
    };
    match explained {
        Some(false) => Ok(()),
        Some(true) => Unsound::because("an order explains the answers of this part"),
        None => Unsound::too_large("the part is too large to try every order"),
    }
}

/// Where an answer may depend on any change of its key, verifies that the part
/// has them all, or all that were invoked `in_time`: for a compare-and-set that found
/// another value, and for datatypes other than registers.
fn all_changes(
    history: &History,
    claim: &Counterexample,
    datatype: &dyn Datatype,
    in_time: bool,
) -> Replayed {
    let operations = history.operations();
    let missed = |op: &Operation| {
        matches!(op.call.f, Function::Other(_))
            && op.completion == Completion::Ok(Value::from(MISMATCH))
    };
    let register = datatype.name() == "register";
    let members = claim.operations.iter().map(|&at| &operations[at]);
    // Until when a change of each key may matter.
    let mut until: BTreeMap<&Key, u64> = BTreeMap::new();
    for op in members.filter(|op| !register || missed(op)) {
        if !register && !answered(op, datatype) {
            continue;
        }
        let last = if in_time { op.returned.unwrap_or(0) } else { u64::MAX };
        let until = until.entry(&op.call.key).or_default();
        *until = last.max(*until);
    }
    for (at, op) in operations.iter().enumerate() {
        let answer = match &op.completion {
            Completion::Ok(answer) => Some(answer),
            Completion::Info => None,
            Completion::Fail => continue,
        };
        let in_time = until.get(&op.call.key).is_some_and(|until| op.invoked <= *until);
        let changes = in_time && !datatype.only_reads(&op.call, answer);
        let whole = datatype.about(&op.call, answer) == About::Object;
        if changes && whole && claim.operations.binary_search(&at).is_err() {
            return Unsound::because(format!(
                "operation {at} could explain an answer, the part lacks it"
            ));
        }
    }
    Ok(())
}

/// Replays the kinds diverged and lost; lost only if diverged does not apply.
fn quiescent(facts: Facts<'_>, claim: &Counterexample) -> Replayed {
    let answer = |at: usize| facts.get(at).and_then(|op| op.answer());
    match (claim.kind, &claim.reason) {
        (Kind::Diverged, &Reason::Diverged { first, second }) => {
            if !facts.final_read(first) || !facts.final_read(second) {
                return Unsound::because("these are not two reads at quiescence");
            }
            if !facts.same_key(first, second) || answer(first) == answer(second) {
                return Unsound::because("these reads do not differ about one key");
            }
            Ok(())
        }
        (Kind::Lost, &Reason::Lost { read, write, seen_by }) => {
            let finals: Vec<_> = (0..facts.len()).filter(|&at| facts.final_read(at)).collect();
            let differ = |&a: &usize, &b: &usize| facts.same_key(a, b) && answer(a) != answer(b);
            if finals.iter().any(|a| finals.iter().any(|b| differ(a, b))) {
                return Unsound::because("reads at quiescence differ: it diverged");
            }
            if !finals.contains(&read) || facts.sources(read) != [Source::Initial] {
                return Unsound::because(
                    "this is not a read at quiescence that found its key initial",
                );
            }
            if !facts.same_key(read, write) || !happened(facts, write, seen_by) {
                return Unsound::because("this write of the key is not known to have happened");
            }
            Ok(())
        }
        _ => Unsound::because(format!("this reason does not show that it {}", claim.kind)),
    }
}

/// Whether a write of this value happened, given the read that answered it.
fn happened(facts: Facts<'_>, write: usize, seen_by: Option<usize>) -> bool {
    match seen_by {
        None => facts.acked_write(write),
        Some(read) => {
            let sources = facts.sources(read);
            sources.contains(&Source::Write(write)) && !sources.contains(&Source::Initial)
        }
    }
}

struct Replay<'a> {
    facts: Facts<'a>,
    grid: Grid,
    sources: Sources<'a>,
}

impl<'a> Replay<'a> {
    fn new(facts: Facts<'a>, grid: Grid) -> Self {
        Replay { facts, grid, sources: Sources::of(facts) }
    }

    fn source(&self, read: usize) -> Option<Source> {
        self.sources.source(read)
    }

    fn reason(&mut self, reason: &Reason) -> Replayed {
        match reason {
            &Reason::Thin { read } => sourceless(self.facts, read, None),
            &Reason::FailedWriteSeen { read, write } => sourceless(self.facts, read, Some(write)),
            Reason::Unfounded { read, among } => self.unfounded(*read, among),
            Reason::CausalCycle { cycle } => self.causal_cycle(cycle),
            Reason::InitialRead { read, write, steps } => {
                let known = self.steps(steps)?;
                let fact = Fact::Visible { write: *write, read: *read };
                let initial = self.source(*read) == Some(Source::Initial);
                if !initial || !self.facts.same_key(*read, *write) || !known.contains(&fact) {
                    return Unsound::because("no write of its key is visible to an initial read");
                }
                Ok(())
            }
            Reason::ArbitrationCycle { cycle, steps } => self.arbitration_cycle(cycle, steps),
            Reason::Sources { read, cases } => self.cases(*read, cases),
            Reason::Diverged { .. }
            | Reason::Lost { .. }
            | Reason::Missing { .. }
            | Reason::Resurrected { .. }
            | Reason::NoOrder { .. }
            | Reason::Contradictory
            | Reason::OrderCycle { .. }
            | Reason::TooOld { .. }
            | Reason::Either { .. } => {
                Unsound::because("this reason does not show the kind of violation that is claimed")
            }
        }
    }

    /// Verifies that every operation that leaves what one of these found is
    /// among them.
    fn unfounded(&self, read: usize, among: &[usize]) -> Replayed {
        let operation =
            self.facts.get(read).filter(|op| matches!(op.completion, Completion::Ok(_)));
        if operation.is_none() {
            return Unsound::because(format!("operation {read} was not answered"));
        }
        for &at in among.iter().chain([&read]) {
            let inside = |source: &Source| match source {
                Source::Initial => false,
                Source::Write(write) => among.contains(write),
            };
            let found = self.facts.found(at).is_some();
            if !found || !self.facts.sources(at).iter().all(inside) {
                return Unsound::because(format!("something else explains operation {at}"));
            }
        }
        Ok(())
    }

    fn cases(&mut self, read: usize, cases: &[(Source, Reason)]) -> Replayed {
        if !self.facts.answered(read) || !self.sources.are_all(read, cases) {
            return Unsound::because(format!("these are not the possible sources of read {read}"));
        }
        for (source, reason) in cases {
            self.sources.assume(read, *source);
            self.reason(reason)?;
            self.sources.drop_last();
        }
        Ok(())
    }

    fn causal_cycle(&self, cycle: &[usize]) -> Replayed {
        for (first, second) in around(cycle) {
            let read = self.facts.answered(second);
            let source = read && self.source(second) == Some(Source::Write(first));
            if !source && !self.facts.session_order(first, second) {
                return Unsound::because(format!("{first} does not come before {second}"));
            }
        }
        if cycle.is_empty() { Unsound::because("there is no cycle") } else { Ok(()) }
    }

    fn arbitration_cycle(&self, cycle: &[usize], steps: &[Step]) -> Replayed {
        let known = self.steps(steps)?;
        let mut readers = Vec::new();
        for (first, second) in around(cycle) {
            let fact = Fact::Before { first, second };
            let Some(at) = known.iter().position(|known| *known == fact) else {
                return Unsound::because(format!("{first} is not shown to be before {second}"));
            };
            if let Because::Overwritten { read } = steps[at].because {
                readers.push(read);
            }
        }
        let one =
            |same: &dyn Fn(usize, usize) -> bool| readers.iter().all(|&a| same(a, readers[0]));
        let process = |at: usize| self.facts.get(at).map(|op| op.process);
        let shared = match self.grid.scope {
            Scope::Global => true,
            Scope::Session => one(&|a, b| process(a) == process(b)),
            Scope::Read => one(&|a, b| a == b),
        };
        match shared {
            _ if cycle.is_empty() => Unsound::because("there is no cycle"),
            true => Ok(()),
            false => Unsound::because("the cycle mixes arbitrations that may differ"),
        }
    }

    /// Replays the steps, and returns the facts that they show.
    fn steps(&self, steps: &[Step]) -> Result<Vec<Fact>, Unsound> {
        let mut known = Vec::new();
        for step in steps {
            if !self.follows(step, &known) {
                return Unsound::because(format!(
                    "{:?} does not follow by {:?}",
                    step.fact, step.because
                ));
            }
            known.push(step.fact);
        }
        Ok(known)
    }

    fn follows(&self, step: &Step, known: &[Fact]) -> bool {
        let (facts, asks) = (self.facts, |guarantee| self.grid.asks(guarantee));
        let sees = |write, read| known.contains(&Fact::Visible { write, read });
        match (step.fact, step.because) {
            (Fact::Visible { write, read }, _)
                if !facts.possible_write(write) || !facts.answered(read) =>
            {
                false
            }
            (Fact::Visible { write, read }, Because::ReadsFrom) => {
                self.source(read) == Some(Source::Write(write))
            }
            (Fact::Visible { write, read }, Because::ReadYourWrites) => {
                asks(Guarantees::RYW) && facts.session_order(write, read)
            }
            (Fact::Visible { write, read }, Because::MonotonicReads { earlier }) => {
                asks(Guarantees::MR) && facts.session_order(earlier, read) && sees(write, earlier)
            }
            (Fact::Visible { write, read }, Because::MonotonicWrites { later }) => {
                asks(Guarantees::MW) && facts.session_order(write, later) && sees(later, read)
            }
            (Fact::Visible { write, read }, Because::WritesFollowReads { earlier, later }) => {
                asks(Guarantees::WFR)
                    && facts.session_order(earlier, later)
                    && sees(write, earlier)
                    && sees(later, read)
            }
            (Fact::Visible { write, read }, Because::FinalRead { seen_by }) => {
                let seen = |by| facts.answered(by) && self.source(by) == Some(Source::Write(write));
                let happened = facts.acked_write(write) || seen_by.is_some_and(seen);
                self.grid.eventual && facts.final_read(read) && happened
            }
            (Fact::Before { first, second }, because) => {
                self.arbitrated(first, second, because, &sees)
            }
            _ => false,
        }
    }

    /// Each rule also shows that `first` happened, so on a cycle all writes
    /// did.
    fn arbitrated(
        &self,
        first: usize,
        second: usize,
        because: Because,
        sees: &dyn Fn(usize, usize) -> bool,
    ) -> bool {
        let facts = self.facts;
        let writes = facts.possible_write(first) && facts.possible_write(second);
        writes
            && match because {
                Because::SessionOrder => {
                    self.grid.asks(Guarantees::MW) && facts.session_order(first, second)
                }
                Because::FollowsRead { read } => {
                    self.grid.asks(Guarantees::WFR)
                        && facts.session_order(read, second)
                        && sees(first, read)
                }
                Because::Overwritten { read } => {
                    first != second
                        && facts.same_key(first, read)
                        && self.source(read) == Some(Source::Write(second))
                        && sees(first, read)
                }
                _ => false,
            }
    }
}

/// Each element with the next, and the last with the first.
fn around(cycle: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let next = cycle.iter().cycle().skip(1);
    cycle.iter().copied().zip(next.copied())
}
