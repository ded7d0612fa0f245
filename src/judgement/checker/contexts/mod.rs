//! Models of visibility for datatypes whose concurrent updates have a meaning.
//!
//! What the 96 models of the grid ask is the same for every type, with updates
//! instead of writes: a visibility and arbitrations such that each answer is what
//! the type says of the updates that are visible ([`Datatype::merged`]). For
//! registers there is a faster way ([`grid`](super::grid)).
//!
//! The general problem is NP-hard, so this is a search within the budget
//! ([`search`]). Evidence is a visibility with its arbitrations, or a part of the
//! history that nothing explains.
//!
//! Eventual consistency in real time is judged here, too: the arbitration then extends
//! real time, session order and visibility. Nothing else here knows of time.
//!
//! Read next: `problem` for what is looked for, `search` for how.

mod problem;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::checker::parts::{Divided, answers};
use crate::judgement::checker::whole::Meter;
use crate::judgement::datatype::{Arbitration, Datatype, Undone, answered, updates};
use crate::judgement::model::{Grid, Guarantees, Kind, Model, Scope};
use crate::judgement::relation::Set;
use crate::judgement::verdict::{Budget, Counterexample, Reason, Unknown, Verdict, Witness};

use problem::{Choice, Problem, known_parts};
use search::{Found, search};

/// What every model of visibility asks.
const BASE: Visibility = Visibility {
    grid: Grid { guarantees: Guarantees::NONE, scope: Scope::Global, eventual: false },
    timed: false,
};

/// A model of visibility.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::judgement::checker) struct Visibility {
    grid: Grid,
    /// Whether arbitration extends real time, session order and visibility.
    timed: bool,
}

impl Visibility {
    /// What a model asks; `None` if it is no model of visibility.
    pub(in crate::judgement::checker) fn of(model: Model) -> Option<Visibility> {
        match (model, Model::EVENTUAL) {
            (Model::Grid(grid), _) => Some(Visibility { grid, timed: false }),
            (Model::EventualRealTime, Model::Grid(grid)) => Some(Visibility { grid, timed: true }),
            _ => None,
        }
    }

    fn model(self) -> Model {
        if self.timed { Model::EventualRealTime } else { Model::Grid(self.grid) }
    }
}

/// How many operations are searched at most: rows of bits for each take quadratic
/// space.
const OPERATIONS_MAX: usize = 8_192;

/// Judges by a model of visibility.
pub(in crate::judgement::checker) fn check(
    history: &History,
    datatype: &dyn Datatype,
    asked: Visibility,
    budget: Budget,
) -> Verdict {
    let grid = asked.grid;
    let unknown =
        |reason: &str, spent| Verdict::Unknown(Unknown { reason: reason.to_owned(), spent });
    if history.len() > OPERATIONS_MAX {
        return unknown("visibility is searched for up to 8,192 operations of this type", 0);
    }
    let known = known_parts(history, datatype);
    let undone = Undone::of(history.operations(), datatype);
    let contexts = Contexts { history, datatype, known: &known, undone: &undone, asked };
    let all: Vec<usize> = (0..history.len()).collect();
    let mut meter = Meter::new(budget);
    let problem = contexts.problem(&all, asked);
    // Reads at quiescence see the same updates, so nothing explains two that differ.
    let differ = grid.eventual
        && contexts.diverged(&all).is_some_and(|(read, _)| contexts.is_function(read));
    let found = if differ { Found::Nothing } else { search(&problem, &mut meter) };
    match found {
        Found::Explained(choice) => Verdict::Holds(contexts.witness(&problem, &choice)),
        Found::Unknown(why) => unknown(why, meter.spent()),
        Found::Nothing => match contexts.counterexample(&all, budget) {
            Some(counterexample) => Verdict::Violated(counterexample),
            None => unknown("the budget ended before it was known how it fails", meter.spent()),
        },
    }
}

#[derive(Clone, Copy)]
struct Contexts<'a> {
    history: &'a History,
    datatype: &'a dyn Datatype,
    known: &'a BTreeSet<(Key, Value)>,
    undone: &'a Undone<'a>,
    asked: Visibility,
}

impl<'a> Contexts<'a> {
    fn problem(&self, part: &[usize], asked: Visibility) -> Problem<'a> {
        Problem::of(self.history, part, self.datatype, (self.known, self.undone), asked)
    }

    /// A choice that explains every answer, as evidence.
    fn witness(&self, problem: &Problem<'_>, choice: &Choice) -> Witness {
        let positions = |places: &[usize]| places.iter().map(|at| problem.positions[*at]).collect();
        let mut visible = vec![Vec::new(); self.history.len()];
        for (at, position) in problem.positions.iter().enumerate() {
            visible[*position] = positions(&choice.sees[at].numbers().collect::<Vec<_>>());
        }
        let orders = problem.arbitrations(choice).expect("a choice has arbitrations");
        let all: Vec<usize> = problem.happened(choice).numbers().collect();
        let any = orders.first().map_or(all, |(_, order)| order.clone());
        let place = |at: usize| problem.positions.binary_search(&at).ok();
        let of = |first: Option<usize>| {
            let found = orders.iter().find(|(group, _)| Some(*group) == first);
            positions(found.map_or(&any, |(_, order)| order))
        };
        let operations = self.history.operations();
        let arbitration = match self.asked.grid.scope {
            Scope::Global => vec![of(Some(0))],
            Scope::Session => {
                let first = |process| {
                    let own = |at: &&usize| operations[**at].process == process;
                    problem.positions.iter().find(own).and_then(|at| place(*at))
                };
                self.history.processes().into_iter().map(|id| of(first(id))).collect()
            }
            Scope::Read => {
                let all = 0..operations.len();
                let reads = all.filter(|at| answered(&operations[*at], self.datatype));
                reads.map(|at| of(place(at))).collect()
            }
        };
        Witness::Abstract { visible, arbitration }
    }

    /// How a history fails that nothing explains: the first kind that applies, with
    /// a minimal part. `None` if the budget ends before that is known.
    fn counterexample(&self, all: &[usize], budget: Budget) -> Option<Counterexample> {
        let mut meter = Meter::new(budget);
        if self.explained(all, BASE, &|_| false, &mut meter)? == Explained::No {
            return Some(self.illegal(all, budget));
        }
        let model = self.asked.model();
        if model != Model::EVENTUAL {
            let reason = Reason::NoOrder { model, shows: None };
            return Some(self.minimal(all, self.asked, Kind::Unexplained, reason, budget));
        }
        if let Some((first, second)) = self.diverged(all) {
            let reason = Reason::Diverged { first, second };
            let operations = vec![first, second];
            let kind = Kind::Diverged;
            let restricted = Vec::new();
            return Some(Counterexample { kind, operations, minimal: true, restricted, reason });
        }
        let undoes = |op: &Operation| self.datatype.undoes(&op.call);
        let adds_excused =
            self.explained(all, self.asked, &|op| !undoes(op), &mut meter)? == Explained::Yes;
        let (kind, of_kind): (_, &dyn Fn(&Operation) -> bool) = match adds_excused {
            true => (Kind::Lost, &|op| !undoes(op)),
            false => (Kind::Resurrected, &undoes),
        };
        let (read, update) = self.missing(all, of_kind, adds_excused, &mut meter)?;
        let reason = match kind {
            Kind::Lost => Reason::Missing { read, update },
            _ => Reason::Resurrected { read, update },
        };
        Some(self.minimal(all, self.asked, kind, reason, budget))
    }

    /// Whether reads that see the same updates of the object of this read answer alike.
    fn is_function(&self, read: usize) -> bool {
        let key = &self.history.operations()[read].call.key;
        let whole = [Arbitration::Ignored, Arbitration::Listed];
        self.asked.grid.scope == Scope::Global || whole.contains(&self.datatype.arbitration(key))
    }

    /// Two reads at quiescence of one key that differ.
    fn diverged(&self, all: &[usize]) -> Option<(usize, usize)> {
        let operations = self.history.operations();
        let answer = |at: usize| match &operations[at].completion {
            Completion::Ok(answer) => self.datatype.normal(&operations[at].call, answer),
            Completion::Info | Completion::Fail => Value::Null,
        };
        let last =
            |at: &&usize| operations[**at].final_read && answered(&operations[**at], self.datatype);
        let finals: Vec<usize> = all.iter().filter(last).copied().collect();
        finals.iter().enumerate().find_map(|(nth, &first)| {
            let differs = |second: &&usize| {
                operations[first].call.key == operations[**second].call.key
                    && answer(first) != answer(**second)
            };
            finals[nth + 1..].iter().find(differs).map(|second| (first, *second))
        })
    }

    /// An update of this kind such that reads at quiescence are explained if one of
    /// them need not see it (and perhaps some others), and not otherwise; with that
    /// read.
    fn missing(
        &self,
        all: &[usize],
        of_kind: &dyn Fn(&Operation) -> bool,
        others_count: bool,
        meter: &mut Meter,
    ) -> Option<(usize, usize)> {
        let operations = self.history.operations();
        let mut excused: Vec<usize> = all
            .iter()
            .copied()
            .filter(|at| updates(&operations[*at], self.datatype))
            .filter(|at| !others_count || of_kind(&operations[*at]))
            .collect();
        loop {
            let problem = self.excusing(all, &excused);
            let Found::Explained(choice) = search(&problem, meter) else { return None };
            // Those that are seen by all need no excuse.
            let unseen = |update: &usize| {
                let place = problem.positions.binary_search(update).ok()?;
                let mut finals = problem.answered().filter(|at| problem.operations[*at].final_read);
                let read = finals.find(|read| !choice.sees[*read].contains(place))?;
                Some((problem.positions[read], *update))
            };
            excused.retain(|update| unseen(update).is_some());
            let next = excused.iter().position(|at| of_kind(&operations[*at]))?;
            let mut fewer = excused.clone();
            let update = fewer.remove(next);
            match search(&self.excusing(all, &fewer), meter) {
                Found::Nothing => return unseen(&update),
                Found::Explained(_) => excused = fewer,
                Found::Unknown(_) => return None,
            }
        }
    }

    fn excusing(&self, all: &[usize], excused: &[usize]) -> Problem<'a> {
        let operations = self.history.operations();
        let is = |op: &Operation| excused.iter().any(|at| std::ptr::eq(&operations[*at], op));
        self.problem(all, self.asked).excusing(is)
    }

    /// What even the weakest model does not allow.
    fn illegal(&self, all: &[usize], budget: Budget) -> Counterexample {
        let reason = Reason::NoOrder { model: Model::BASE, shows: None };
        let found = self.minimal(all, BASE, Kind::Illegal, reason, budget);
        let operations = self.history.operations();
        let mut reads =
            found.operations.iter().filter(|at| answered(&operations[**at], self.datatype));
        match (reads.next(), reads.next()) {
            (Some(&read), None) => Counterexample { reason: Reason::Thin { read }, ..found },
            _ if !self.problem(&found.operations, BASE).answers_agree() => {
                Counterexample { reason: Reason::Contradictory, ..found }
            }
            _ => found,
        }
    }

    fn explained(
        &self,
        part: &[usize],
        asked: Visibility,
        excused: &dyn Fn(&Operation) -> bool,
        meter: &mut Meter,
    ) -> Option<Explained> {
        match search(&self.problem(part, asked).excusing(excused), meter) {
            Found::Explained(_) => Some(Explained::Yes),
            Found::Nothing => Some(Explained::No),
            Found::Unknown(_) => None,
        }
    }

    /// The smallest part that fails, found by leaving out reads, and all updates of
    /// a part of an object together: what answers say of that part is then not
    /// asked.
    ///
    /// Leaving these out is sound: whoever explains the whole explains such a
    /// part with the same visibility, restricted to it.
    fn minimal(
        &self,
        all: &[usize],
        asked: Visibility,
        kind: Kind,
        reason: Reason,
        budget: Budget,
    ) -> Counterexample {
        let mut meter = Meter::new(budget.to_minimise());
        let operations = self.history.operations();
        let counts = |at: &usize| operations[*at].completion != Completion::Fail;
        let mut part: Vec<usize> = all.iter().copied().filter(counts).collect();
        let kept = reason.operations();
        let mut minimal = true;
        // Ever smaller pieces (Zeller and Hildebrandt, TSE 2002), until no single
        // unit can go.
        let mut size = usize::MAX;
        loop {
            let spare = |unit: &Vec<usize>| !unit.iter().any(|at| kept.contains(at));
            let units: Vec<Vec<usize>> = self.units(&part).into_iter().filter(spare).collect();
            size = size.min(units.len().next_power_of_two()).max(1);
            let before = part.len();
            for piece in units.chunks(size) {
                let out: BTreeSet<usize> = piece.iter().flatten().copied().collect();
                let less: Vec<usize> =
                    part.iter().copied().filter(|at| !out.contains(at)).collect();
                match self.explained(&less, asked, &|_| false, &mut meter) {
                    Some(Explained::No) => part = less,
                    Some(Explained::Yes) => {}
                    None => minimal = false,
                }
            }
            if size == 1 && part.len() == before {
                let known = |of: &(Key, Value)| self.known.contains(of);
                let divided = (self.datatype, Divided::ByUpdates);
                let restricted = answers(self.history, &part, divided, &known);
                return Counterexample { kind, operations: part, minimal, restricted, reason };
            }
            size = (size / 2).max(1);
        }
    }

    /// What may be left out of a part together: each read alone, and all updates
    /// of a part of an object.
    fn units(&self, part: &[usize]) -> Vec<Vec<usize>> {
        let operations = self.history.operations();
        let mut units = Vec::new();
        let mut groups: BTreeMap<(&Key, Value), Vec<usize>> = BTreeMap::new();
        for &at in part {
            let call = &operations[at].call;
            if updates(&operations[at], self.datatype) {
                groups.entry((&call.key, self.datatype.part(call))).or_default().push(at);
            } else {
                units.push(vec![at]);
            }
        }
        units.extend(groups.into_values());
        units
    }
}

/// Whether anything explains the answers of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Explained {
    Yes,
    No,
}
