//! What has to be found for a model of visibility: who sees which updates.
//!
//! An operation *updates* if it changes its object. It *reads* if its answer
//! could be wrong, or if what it had seen matters to others
//! ([`Datatype::depends`]). A [`Choice`] says of some pairs whether the reader
//! sees the update; the guarantees of the model say what follows.
//!
//! Invariant: what follows is necessary, so a choice from which a contradiction
//! follows has no completion; and if nothing contradicts a choice, seeing
//! nothing else completes it as far as the guarantees are concerned, because
//! each of them only ever asks to see more. It does not know what answers mean.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, History, Key, Operation, Value};
use crate::judgement::datatype::{Arbitration, Datatype, Undone, answered, reads, updates};
use crate::judgement::model::{Grid, Guarantees, Scope};
use crate::judgement::relation::{Set, Wide, order};

use super::Visibility;

/// Some operations of a history, and what a model asks of them. They are named
/// by their places among these.
pub(super) struct Problem<'a> {
    pub(super) operations: Vec<&'a Operation>,
    /// Their positions in the history.
    pub(super) positions: Vec<usize>,
    pub(super) datatype: &'a dyn Datatype,
    /// The parts of objects that are updated anywhere in the history.
    known: &'a BTreeSet<(Key, Value)>,
    /// The parts of objects that are taken back anywhere in the history.
    undone: &'a Undone<'a>,
    grid: Grid,
    /// If arbitration extends real time: for each operation, the updates that returned
    /// before it was invoked, if it is an update.
    returned: Option<Vec<Wide>>,
    /// Those that change an object.
    pub(super) updates: Wide,
    /// Those that read.
    pub(super) readers: Wide,
    /// For each: those of the same process before it.
    earlier: Vec<Wide>,
    /// The updates of each process.
    of_process: Vec<Wide>,
    /// Updates that reads at quiescence need not see.
    excused: Wide,
}

/// What has been chosen, and what follows from it.
#[derive(Clone)]
pub(super) struct Choice {
    /// For each operation: the updates that it sees.
    pub(super) sees: Vec<Wide>,
    /// For each operation: the updates that it does not see.
    pub(super) hides: Vec<Wide>,
    /// Updates that must be arbitrated before another, for the answer of a reader:
    /// reader, older and newer update.
    older: Vec<(usize, usize, usize)>,
}

impl<'a> Problem<'a> {
    /// The operations at these positions, but for those that failed and reads
    /// that were not answered.
    pub(super) fn of(
        history: &'a History,
        part: &[usize],
        datatype: &'a dyn Datatype,
        (known, undone): (&'a BTreeSet<(Key, Value)>, &'a Undone<'a>),
        asked: Visibility,
    ) -> Self {
        let all = history.operations();
        let counts = |at: &usize| all[*at].completion != Completion::Fail;
        let plays = |at: &usize| updates(&all[*at], datatype) || answered(&all[*at], datatype);
        let positions: Vec<usize> = part.iter().copied().filter(counts).filter(plays).collect();
        let operations: Vec<&Operation> = positions.iter().map(|at| &all[*at]).collect();
        let size = operations.len();
        let (mut changing, mut reading) = (Wide::empty(size), Wide::empty(size));
        for (at, operation) in operations.iter().enumerate() {
            if updates(operation, datatype) {
                changing.insert(at);
            }
            if reads(operation, datatype) {
                reading.insert(at);
            }
        }
        let earlier = (0..size).map(|at| {
            let mut earlier = Wide::empty(size);
            let same = |before: &usize| operations[*before].process == operations[at].process;
            (0..at).filter(same).for_each(|before| earlier.insert(before));
            earlier
        });
        let earlier: Vec<Wide> = earlier.collect();
        let mut of_process = Vec::new();
        for first in (0..size).filter(|at| earlier[*at].len() == 0) {
            let mut own = Wide::empty(size);
            let same = |at: &usize| operations[*at].process == operations[first].process;
            (first..size).filter(same).for_each(|at| own.insert(at));
            of_process.push(own.common(&changing));
        }
        let returned = asked.timed.then(|| returned_before(&operations, &changing));
        Problem {
            operations,
            positions,
            datatype,
            known,
            undone,
            grid: asked.grid,
            returned,
            updates: changing,
            readers: reading,
            earlier,
            of_process,
            excused: Wide::empty(size),
        }
    }

    /// The same, where reads at quiescence need not see these updates.
    pub(super) fn excusing(mut self, may: impl Fn(&Operation) -> bool) -> Self {
        for at in self.updates.numbers().collect::<Vec<_>>() {
            if may(self.operations[at]) {
                self.excused.insert(at);
            }
        }
        self
    }

    /// Whether a part of an object is updated anywhere in the history.
    pub(super) fn is_updated(&self, key: &Key, part: &Value) -> bool {
        self.known.contains(&(key.clone(), part.clone()))
    }

    pub(super) fn len(&self) -> usize {
        self.operations.len()
    }

    /// The readers whose answers have to be explained.
    pub(super) fn answered(&self) -> impl Iterator<Item = usize> + '_ {
        self.readers.numbers().filter(|at| answered(self.operations[*at], self.datatype))
    }

    /// Whether the answers of each object can be true together, as far as they speak
    /// of parts of which there are updates here, or of which nobody knows any.
    pub(super) fn answers_agree(&self) -> bool {
        let mut here = BTreeSet::new();
        for at in self.updates.numbers() {
            let call = &self.operations[at].call;
            here.insert((call.key.clone(), self.datatype.part(call)));
        }
        let mut told: BTreeMap<&Key, Vec<(&Call, Value)>> = BTreeMap::new();
        for read in self.answered() {
            let Operation { call, completion, .. } = self.operations[read];
            let Completion::Ok(answer) = completion else { unreachable!("it was answered") };
            let counts = |part: &Value| {
                let of = (call.key.clone(), part.clone());
                here.contains(&of) || !self.known.contains(&of)
            };
            let answer = self.datatype.answer_about(call, answer, &counts);
            told.entry(&call.key).or_default().push((call, answer));
        }
        let agree = |(key, answers): (&&Key, &Vec<(&Call, Value)>)| {
            let all: Vec<_> = answers.iter().map(|(call, answer)| (*call, answer)).collect();
            self.datatype.agree(&all, self.undone.parts(key))
        };
        told.iter().all(agree)
    }

    /// Nothing is chosen; `None` if even that is contradictory.
    pub(super) fn start(&self) -> Option<Choice> {
        let none = vec![Wide::empty(self.len()); self.len()];
        let older = self.listed();
        self.followed(Choice { sees: none.clone(), hides: none, older })
    }

    /// Whether answers of the object of an operation list its updates in order.
    fn is_listed(&self, at: usize) -> bool {
        self.datatype.arbitration(&self.operations[at].call.key) == Arbitration::Listed
    }

    /// What answers that list updates in order say about it: reader, older and newer
    /// update.
    fn listed(&self) -> Vec<(usize, usize, usize)> {
        let mut makers: BTreeMap<(&Key, Value), usize> = BTreeMap::new();
        for at in self.updates.numbers().filter(|at| self.is_listed(*at)) {
            let call = &self.operations[at].call;
            makers.insert((&call.key, self.datatype.part(call)), at);
        }
        let mut older = Vec::new();
        for read in self.answered().filter(|read| self.is_listed(*read)) {
            let Operation { call, completion, .. } = self.operations[read];
            let Completion::Ok(answer) = completion else { unreachable!("it was answered") };
            let parts = self.datatype.parts(call, answer).into_iter();
            let updates: Vec<usize> =
                parts.filter_map(|(part, _)| makers.get(&(&call.key, part)).copied()).collect();
            older.extend(updates.windows(2).map(|two| (read, two[0], two[1])));
        }
        older
    }

    /// The choice where also these readers see these updates, and others do not.
    pub(super) fn with_all(
        &self,
        choice: &Choice,
        pairs: &[(usize, usize, bool)],
    ) -> Option<Choice> {
        let mut choice = choice.clone();
        for &(reader, update, sees) in pairs {
            let rows = if sees { &mut choice.sees } else { &mut choice.hides };
            rows[reader].insert(update);
        }
        self.followed(choice)
    }

    /// The choice where also a reader sees an update, or does not.
    pub(super) fn with(
        &self,
        choice: &Choice,
        reader: usize,
        update: usize,
        sees: bool,
    ) -> Option<Choice> {
        self.with_all(choice, &[(reader, update, sees)])
    }

    /// The choice where also, for a reader, this update is the last of some.
    pub(super) fn with_last(
        &self,
        choice: &Choice,
        reader: usize,
        last: usize,
        of: &[usize],
    ) -> Option<Choice> {
        let mut choice = choice.clone();
        let others = of.iter().filter(|update| **update != last);
        choice.older.extend(others.map(|older| (reader, *older, last)));
        self.followed(choice)
    }

    /// The choice where also, for a reader, these updates are in this order.
    pub(super) fn with_order(
        &self,
        choice: &Choice,
        reader: usize,
        order: &[usize],
    ) -> Option<Choice> {
        let mut choice = choice.clone();
        choice.older.extend(order.windows(2).map(|two| (reader, two[0], two[1])));
        self.followed(choice)
    }

    /// The choice with all that follows; `None` if that contradicts it.
    fn followed(&self, mut choice: Choice) -> Option<Choice> {
        loop {
            let mut grown = false;
            let seen = self.seen_by_any(&choice);
            let based = self.all_based_on(&choice);
            for reader in self.readers.numbers() {
                let must = self.must_see(reader, &choice, &seen, &based);
                let before = choice.sees[reader].len();
                choice.sees[reader].unite(&must);
                grown |= choice.sees[reader].len() > before;
                let contradicts = choice.sees[reader].common(&choice.hides[reader]).len() > 0;
                if contradicts || choice.sees[reader].contains(reader) {
                    return None;
                }
            }
            if !grown {
                break;
            }
        }
        self.has_no_causal_cycle(&choice).then_some(())?;
        self.arbitrations(&choice)?;
        Some(choice)
    }

    fn seen_by_any(&self, choice: &Choice) -> Wide {
        let mut seen = Wide::empty(self.len());
        self.readers.numbers().for_each(|reader| seen.unite(&choice.sees[reader]));
        seen
    }

    /// What a reader must see, given what it and others see.
    fn must_see(&self, reader: usize, choice: &Choice, seen: &Wide, based: &[Wide]) -> Wide {
        let mut must = choice.sees[reader].clone();
        if self.grid.asks(Guarantees::RYW) {
            must.unite(&self.earlier[reader].common(&self.updates));
        }
        if self.grid.asks(Guarantees::MR) {
            // What the read before it sees contains what those before that see.
            let reads = self.earlier[reader].common(&self.readers);
            reads.numbers().last().into_iter().for_each(|read| must.unite(&choice.sees[read]));
        }
        if self.grid.eventual && self.operations[reader].final_read {
            for update in self.updates.numbers() {
                let happened = seen.contains(update) || !self.operations[update].is_pending();
                if happened && !self.excused.contains(update) {
                    must.insert(update);
                }
            }
        }
        if !self.grid.asks(Guarantees::MW) && !self.grid.asks(Guarantees::WFR) {
            return must;
        }
        // What is behind an update contains what is behind earlier ones of its
        // process, so the last one of each process is enough.
        for own in &self.of_process {
            let Some(last) = choice.sees[reader].common(own).numbers().last() else { continue };
            if self.grid.asks(Guarantees::MW) {
                must.unite(&self.earlier[last].common(&self.updates));
            }
            if self.grid.asks(Guarantees::WFR) {
                must.unite(&based[last]);
            }
        }
        must
    }

    /// For each update: what its session had seen when it asked for it; nothing if
    /// the model does not look at that.
    fn all_based_on(&self, choice: &Choice) -> Vec<Wide> {
        let mut based = vec![Wide::empty(self.len()); self.len()];
        if self.grid.asks(Guarantees::WFR) {
            for update in self.updates.numbers() {
                based[update] = self.based_on(update, choice);
            }
        }
        based
    }

    /// What the session of an update had seen when it asked for the update.
    fn based_on(&self, update: usize, choice: &Choice) -> Wide {
        let mut base = Wide::empty(self.len());
        let mut reads = self.earlier[update].common(&self.readers);
        if self.readers.contains(update) {
            reads.insert(update);
        }
        reads.numbers().for_each(|read| base.unite(&choice.sees[read]));
        base
    }

    /// Whether session order and visibility have no cycle.
    fn has_no_causal_cycle(&self, choice: &Choice) -> bool {
        self.in_causal_order(choice).is_some()
    }

    /// All operations, so that session order and visibility are kept, and also real
    /// time and what is chosen of arbitration, if arbitration extends real time; `None`
    /// if they cannot all be kept.
    fn in_causal_order(&self, choice: &Choice) -> Option<Vec<usize>> {
        let mut before = self.earlier.clone();
        let mut all = Wide::empty(self.len());
        for (at, row) in before.iter_mut().enumerate() {
            row.unite(&choice.sees[at]);
            if let Some(returned) = &self.returned {
                row.unite(&returned[at]);
            }
            all.insert(at);
        }
        if self.returned.is_some() {
            choice.older.iter().for_each(|&(_, older, newer)| before[newer].insert(older));
        }
        order(&before, &all).ok()
    }

    /// The orders of the updates that happened, one for each group of readers
    /// that share one, oldest first; `None` if there is none.
    pub(super) fn arbitrations(&self, choice: &Choice) -> Option<Vec<(usize, Vec<usize>)>> {
        let mut before = vec![Wide::empty(self.len()); self.len()];
        for update in self.updates.numbers() {
            let listed = self.is_listed(update);
            if self.grid.asks(Guarantees::MW) || listed {
                before[update].unite(&self.earlier[update].common(&self.updates));
            }
            if self.grid.asks(Guarantees::WFR) || listed {
                before[update].unite(&self.based_on(update, choice));
            }
        }
        let group = |reader: usize| match self.grid.scope {
            Scope::Global => 0,
            Scope::Session => self.first_of_process(reader),
            Scope::Read => reader,
        };
        let mut groups: Vec<usize> = self.answered().map(group).collect();
        groups.sort_unstable();
        groups.dedup();
        let happened = self.happened(choice);
        if self.returned.is_some() {
            let mut order = self.in_causal_order(choice)?;
            order.retain(|at| happened.contains(*at));
            return Some(groups.into_iter().map(|of| (of, order.clone())).collect());
        }
        if choice.older.is_empty() {
            let order = order(&before, &happened).ok()?;
            return Some(groups.into_iter().map(|of| (of, order.clone())).collect());
        }
        let mut orders = Vec::new();
        for of in groups {
            let mut before = before.clone();
            for &(reader, older, newer) in &choice.older {
                if group(reader) == of || self.is_listed(reader) {
                    before[newer].insert(older);
                }
            }
            orders.push((of, order(&before, &happened).ok()?));
        }
        Some(orders)
    }

    /// The updates that are taken to have happened: those that were acknowledged,
    /// and those that somebody sees.
    pub(super) fn happened(&self, choice: &Choice) -> Wide {
        let mut happened = self.seen_by_any(choice);
        let acknowledged = |at: &usize| !self.operations[*at].is_pending();
        self.updates.numbers().filter(acknowledged).for_each(|at| happened.insert(at));
        happened
    }

    /// The first operation of the same process.
    fn first_of_process(&self, at: usize) -> usize {
        self.earlier[at].numbers().next().unwrap_or(at)
    }
}

/// For each update: the updates that returned before it was invoked.
fn returned_before(operations: &[&Operation], updates: &Wide) -> Vec<Wide> {
    let rows = (0..operations.len()).map(|at| {
        let mut row = Wide::empty(operations.len());
        if updates.contains(at) {
            let before = |other: &usize| operations[*other].returns_before(operations[at]);
            updates.numbers().filter(before).for_each(|other| row.insert(other));
        }
        row
    });
    rows.collect()
}

/// The parts of objects that are updated anywhere in a history, if not by what
/// failed.
pub(super) fn known_parts(history: &History, datatype: &dyn Datatype) -> BTreeSet<(Key, Value)> {
    let counts = |op: &&Operation| op.completion != Completion::Fail && updates(op, datatype);
    let all = history.operations().iter().filter(counts);
    all.map(|op| (op.call.key.clone(), datatype.part(&op.call))).collect()
}
