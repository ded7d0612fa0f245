//! Replays evidence about types whose concurrent updates have a meaning.
//!
//! A witness is compared with every conjunct of the predicate, pair by pair. A
//! part that nothing explains is given to the oracle, which tries everything;
//! before, it is made sure that the part lacks nothing that could explain it.
//! Plain loops, for at most a few hundred operations.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, History, Key, Operation, Value};

use super::parts::{Divided, answered, lacks_nothing, restricted, updates};
use super::unsound::{Replayed, Unsound};
use crate::judgement::datatype::{Arbitration, Context, Datatype, Undone};
use crate::judgement::model::{Grid, Guarantees, Kind, Model, Scope};
use crate::judgement::oracle;
use crate::judgement::verdict::evidence::Counterexample;
use crate::judgement::verdict::reason::Reason;

/// Replays a visibility and its arbitrations.
pub(super) fn replay(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    visible: &[Vec<usize>],
    arbitration: &[Vec<usize>],
) -> Replayed {
    let (Model::Grid(grid), timed) = (match model {
        Model::EventualRealTime => (Model::EVENTUAL, true),
        model => (model, false),
    }) else {
        return Unsound::because(format!("a visibility says nothing about {model}"));
    };
    let operations = history.operations();
    let claim = Claim { operations, grid, datatype, visible, arbitration };
    claim.fits(history.processes().len())?;
    claim.rows_are_updates_that_happened()?;
    claim.causes_do_not_run_in_a_cycle()?;
    if timed {
        claim.arbitration_extends_time_and_causes()?;
    }
    claim.guarantees_are_kept()?;
    claim.answers_agree()?;
    claim.answers_are_explained(history)
}

struct Claim<'a> {
    operations: &'a [Operation],
    grid: Grid,
    datatype: &'a dyn Datatype,
    visible: &'a [Vec<usize>],
    arbitration: &'a [Vec<usize>],
}

impl Claim<'_> {
    fn updates(&self, at: usize) -> bool {
        self.operations.get(at).is_some_and(|op| updates(op, self.datatype))
    }

    fn answered(&self, at: usize) -> bool {
        answered(&self.operations[at], self.datatype)
    }

    fn reads(&self, at: usize) -> bool {
        let depends = self.datatype.depends(&self.operations[at].call);
        self.answered(at) || (depends && self.updates(at))
    }

    /// Whether answers of the object of an operation list its updates in order.
    fn is_listed(&self, at: usize) -> bool {
        self.datatype.arbitration(&self.operations[at].call.key) == Arbitration::Listed
    }

    fn all(&self) -> std::ops::Range<usize> {
        0..self.operations.len()
    }

    fn so(&self, first: usize, second: usize) -> bool {
        first < second && self.operations[first].process == self.operations[second].process
    }

    fn sees(&self, reader: usize, update: usize) -> bool {
        self.visible[reader].contains(&update)
    }

    /// The updates that are taken to have happened.
    fn happened(&self, at: usize) -> bool {
        match self.arbitration.first() {
            Some(order) => order.contains(&at),
            None => self.updates(at) && self.operations[at].returned.is_some(),
        }
    }

    fn fits(&self, processes: usize) -> Replayed {
        let orders = match self.grid.scope {
            Scope::Global => 1,
            Scope::Session => processes,
            Scope::Read => self.all().filter(|&at| self.answered(at)).count(),
        };
        if self.visible.len() != self.operations.len() || self.arbitration.len() != orders {
            return Unsound::because("the rows and orders do not fit the history");
        }
        for order in self.arbitration {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            let listed = self.all().filter(|&at| self.happened(at));
            if !sorted.iter().copied().eq(listed) {
                return Unsound::because("two arbitrations order different updates");
            }
            if let Some(at) = order.iter().find(|&&at| !self.updates(at)) {
                return Unsound::because(format!("{at} is no update that can have happened"));
            }
        }
        let acknowledged = |&at: &usize| self.updates(at) && self.operations[at].returned.is_some();
        match self.all().filter(acknowledged).find(|&at| !self.happened(at)) {
            Some(at) => Unsound::because(format!("acknowledged update {at} is not arbitrated")),
            None => Ok(()),
        }
    }

    fn rows_are_updates_that_happened(&self) -> Replayed {
        for (reader, seen) in self.visible.iter().enumerate() {
            if !seen.is_empty() && !self.reads(reader) {
                return Unsound::because(format!("operation {reader} sees nothing"));
            }
            for (nth, &update) in seen.iter().enumerate() {
                if !self.updates(update) || !self.happened(update) || update == reader {
                    return Unsound::because(format!("{reader} cannot see {update}"));
                }
                if seen[..nth].contains(&update) {
                    return Unsound::because(format!("{reader} sees {update} twice"));
                }
            }
        }
        Ok(())
    }

    fn causes_do_not_run_in_a_cycle(&self) -> Replayed {
        match self.nothing_waits_for_itself(&|_, _| false) {
            true => Ok(()),
            false => Unsound::because("session order and visibility run in a cycle"),
        }
    }

    fn arbitration_extends_time_and_causes(&self) -> Replayed {
        let [order] = self.arbitration else {
            return Unsound::because("there is more than one arbitration");
        };
        let mut places = vec![None; self.operations.len()];
        for (place, &at) in order.iter().enumerate() {
            places[at] = Some(place);
        }
        let waits = |on: usize, at: usize| {
            let in_time = self.updates(on)
                && self.updates(at)
                && self.operations[on].returns_before(&self.operations[at]);
            in_time || places[on].zip(places[at]).is_some_and(|(older, newer)| older < newer)
        };
        match self.nothing_waits_for_itself(&waits) {
            true => Ok(()),
            false => Unsound::because("arbitration contradicts real time or causes"),
        }
    }

    /// Whether no operation waits for itself, if each waits for those before it in its
    /// session, for what it sees, and for these. Takes away whatever waits for nothing,
    /// until nothing is left.
    fn nothing_waits_for_itself(&self, also: &dyn Fn(usize, usize) -> bool) -> bool {
        let mut left: Vec<usize> = self.all().collect();
        while !left.is_empty() {
            let waits = |at: &usize| {
                left.iter().any(|&on| self.so(on, *at) || self.sees(*at, on) || also(on, *at))
            };
            let rest: Vec<usize> = left.iter().copied().filter(waits).collect();
            if rest.len() == left.len() {
                return false;
            }
            left = rest;
        }
        true
    }

    fn guarantees_are_kept(&self) -> Replayed {
        for reader in self.all().filter(|&at| self.reads(at)) {
            for update in self.all().filter(|&at| self.happened(at) && at != reader) {
                if !self.sees(reader, update)
                    && let Some(owed) = self.owed(reader, update)
                {
                    return Unsound::because(format!(
                        "{reader} does not see {update}, which {owed} demands"
                    ));
                }
            }
        }
        Ok(())
    }

    fn answers_agree(&self) -> Replayed {
        let undone = Undone::of(self.operations, self.datatype);
        match contradictory(self.operations.iter(), self.datatype, &undone) {
            None => Ok(()),
            Some(key) => Unsound::because(format!("the answers of {key} contradict each other")),
        }
    }

    /// Why a reader must see an update, if it must.
    fn owed(&self, reader: usize, update: usize) -> Option<&'static str> {
        let asks = |guarantee| self.grid.asks(guarantee);
        let readers = || self.all().filter(|&at| self.reads(at));
        let earlier = |by: &usize| self.so(*by, reader) && self.sees(*by, update);
        if asks(Guarantees::RYW) && self.so(update, reader) {
            Some("read-your-writes")
        } else if asks(Guarantees::MR) && readers().any(|by| earlier(&by)) {
            Some("monotonic reads")
        } else if asks(Guarantees::MW)
            && self.visible[reader].iter().any(|&later| self.so(update, later))
        {
            Some("monotonic writes")
        } else if asks(Guarantees::WFR)
            && self.visible[reader].iter().any(|&later| self.is_based_on(later, update))
        {
            Some("writes follow reads")
        } else if self.grid.eventual && self.operations[reader].final_read {
            Some("quiescence")
        } else {
            None
        }
    }

    /// Whether the session of `later` had seen `update` when it asked for `later`.
    fn is_based_on(&self, later: usize, update: usize) -> bool {
        let before = |by: &usize| *by == later || self.so(*by, later);
        self.all().filter(before).any(|by| self.sees(by, update))
    }

    fn answers_are_explained(&self, history: &History) -> Replayed {
        let processes = history.processes();
        let reads = self.all().filter(|&at| self.answered(at));
        for (nth, read) in reads.enumerate() {
            let process = self.operations[read].process;
            let order = match self.grid.scope {
                Scope::Global => 0,
                Scope::Session => processes.binary_search(&process).expect("it is listed"),
                Scope::Read => nth,
            };
            self.answer_is_explained(read, &self.arbitration[order])?;
            if self.is_listed(read) {
                let mut all = self.arbitration.iter();
                all.try_for_each(|order| self.answer_is_explained(read, order))?;
            }
        }
        self.arbitration.iter().try_for_each(|order| self.is_in_order(order))
    }

    fn answer_is_explained(&self, read: usize, order: &[usize]) -> Replayed {
        let operation = &self.operations[read];
        let counts = |at: &usize| {
            self.sees(read, *at) && self.operations[*at].call.key == operation.call.key
        };
        let seen: Vec<usize> = order.iter().copied().filter(counts).collect();
        let calls = seen.iter().map(|&at| &self.operations[at].call).collect();
        let saw = |one: usize, other: usize| self.sees(seen[one], seen[other]);
        let merged = self.datatype.merged(&operation.call, &Context::new(calls, &saw));
        let Completion::Ok(answer) = &operation.completion else { return Ok(()) };
        match merged {
            Some(merged) if merged == self.datatype.normal(&operation.call, answer) => Ok(()),
            Some(merged) => Unsound::because(format!("read {read} should have answered {merged}")),
            None => Unsound::because("the type gives concurrent updates no meaning"),
        }
    }

    /// Whether sessions are arbitrated as the guarantees say.
    fn is_in_order(&self, order: &[usize]) -> Replayed {
        for (rank, &newer) in order.iter().enumerate() {
            let late = order[rank..].iter().find(|&&older| {
                let listed = self.is_listed(newer);
                ((self.grid.asks(Guarantees::MW) || listed) && self.so(older, newer))
                    || ((self.grid.asks(Guarantees::WFR) || listed)
                        && self.is_based_on(newer, older))
            });
            if let Some(older) = late {
                return Unsound::because(format!("{newer} is arbitrated before {older}"));
            }
        }
        Ok(())
    }
}

/// A key whose answers cannot be true together.
fn contradictory<'o>(
    operations: impl Iterator<Item = &'o Operation>,
    datatype: &dyn Datatype,
    undone: &Undone<'_>,
) -> Option<&'o Key> {
    let mut told: BTreeMap<&Key, Vec<(&Call, &Value)>> = BTreeMap::new();
    for operation in operations.filter(|op| answered(op, datatype)) {
        if let Completion::Ok(answer) = &operation.completion {
            told.entry(&operation.call.key).or_default().push((&operation.call, answer));
        }
    }
    let agree = |key: &Key, answers: &[_]| datatype.agree(answers, undone.parts(key));
    told.into_iter().find(|(key, answers)| !agree(key, answers)).map(|(key, _)| key)
}

/// Replays a counterexample.
pub(super) fn replay_proof(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    claim: &Counterexample,
) -> Replayed {
    let part = &claim.operations;
    let operations = history.operations();
    if !part.is_sorted_by(|a, b| a < b) || part.last().is_some_and(|&at| at >= history.len()) {
        return Unsound::because("the operations are not ascending positions in the history");
    }
    if claim.reason.operations().iter().any(|at| part.binary_search(at).is_err()) {
        return Unsound::because("the proof mentions an operation that the part lacks");
    }
    let named = |at: usize, final_read: bool, undoes: Option<bool>| match undoes {
        None => operations[at].final_read == final_read && answered(&operations[at], datatype),
        Some(undoes) => {
            updates(&operations[at], datatype) && datatype.undoes(&operations[at].call) == undoes
        }
    };
    let (fails, fits) = match (claim.kind, &claim.reason) {
        (Kind::Illegal, Reason::Thin { read }) => {
            (Model::BASE, answered(&operations[*read], datatype))
        }
        (Kind::Illegal, Reason::NoOrder { .. } | Reason::Contradictory) => (Model::BASE, true),
        (Kind::Diverged, &Reason::Diverged { first, second }) => {
            return match claim.restricted.is_empty() {
                true => diverged(operations, datatype, model, first, second),
                false => Unsound::because("nothing can be left out of these answers"),
            };
        }
        (Kind::Lost, &Reason::Missing { read, update }) => {
            (Model::EVENTUAL, named(read, true, None) && named(update, false, Some(false)))
        }
        (Kind::Resurrected, &Reason::Resurrected { read, update }) => {
            (Model::EVENTUAL, named(read, true, None) && named(update, false, Some(true)))
        }
        (Kind::Unexplained, Reason::NoOrder { model: of, shows: None }) => (model, *of == model),
        _ => (model, false),
    };
    let about_quiescence = matches!(claim.kind, Kind::Lost | Kind::Resurrected);
    if !fits || (about_quiescence && model != Model::EVENTUAL) {
        return Unsound::because(format!("this reason does not show that it is {}", claim.kind));
    }
    lacks_nothing(operations, part, datatype)?;
    let about = restricted(operations, claim, datatype, Divided::ByUpdates)?;
    if claim.reason == Reason::Contradictory {
        let inside = part.iter().map(|at| &about.operations()[*at]);
        return match contradictory(inside, datatype, &Undone::of(operations, datatype)) {
            Some(_) => Ok(()),
            None => Unsound::because("one order fits these answers"),
        };
    }
    match oracle::explained(&about, part, fails, datatype) {
        Some(false) => Ok(()),
        Some(true) => Unsound::because("a visibility explains the answers of this part"),
        None => Unsound::too_large("the part is too large to try every visibility"),
    }
}

/// That all reads at quiescence of a key answer the same, which is all that is asked
/// of an opaque object.
pub(super) fn replay_agreement(history: &History, model: Model) -> Replayed {
    let finals = history.operations().iter().filter(|op| op.final_read);
    let told = |op: &Operation| match &op.completion {
        Completion::Ok(answer) => Some((op.call.key.clone(), answer.clone())),
        Completion::Info | Completion::Fail => None,
    };
    let answers: BTreeSet<_> = finals.filter_map(told).collect();
    let keys: BTreeSet<_> = answers.iter().map(|(key, _)| key).collect();
    match keys.len() == answers.len() && model == Model::EVENTUAL {
        true => Ok(()),
        false => Unsound::because("reads at quiescence differ, or the model asks for more"),
    }
}

/// That two reads at quiescence differ about one key.
fn diverged(
    operations: &[Operation],
    datatype: &dyn Datatype,
    model: Model,
    first: usize,
    second: usize,
) -> Replayed {
    let [one, two] = [&operations[first], &operations[second]];
    let finals = [one, two].iter().all(|op| op.final_read && answered(op, datatype));
    let (Completion::Ok(a), Completion::Ok(b)) = (&one.completion, &two.completion) else {
        return Unsound::because("these reads were not answered");
    };
    let differ = one.call.key == two.call.key
        && datatype.normal(&one.call, a) != datatype.normal(&two.call, b);
    match finals && differ && model == Model::EVENTUAL {
        true => Ok(()),
        false => Unsound::because("these are not two reads at quiescence that differ"),
    }
}
