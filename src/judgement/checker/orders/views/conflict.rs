//! The few operations that show why a process has no order.
//!
//! A belief is a graph: a step leads along a session, from a write to a read that answered
//! it, or from a write to the source of a read that the write was *put* before. Each write
//! was put there because steps that were known before lead from it to that read. So a
//! conflict rests on one path, and on one more for each put step of it, and so on: these
//! paths, with the reads, have the same conflict without any other operation. Steps along a
//! session cost nothing, because no operation between the two ends is needed; of the paths,
//! one with the fewest other steps is taken.
//!
//! Knows nothing of models. O(n) for each put step that is explained.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Belief, Conflict};
use crate::judgement::checker::view::Source;
use crate::judgement::checker::whole::Meter;
use crate::judgement::number::{index, number_of};

/// No item.
const NONE: u32 = u32::MAX;

/// A step to an item (or the beginning of a path).
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Session,
    Answer,
    /// By the number of the put step.
    Put(u32),
}

/// The items of a belief, and what leads from each to others.
struct Steps<'a> {
    belief: &'a Belief<'a>,
    /// By item: the next of its session.
    next: Vec<u32>,
    /// The reads that answered each write, by item of the write.
    readers: FxHashMap<u32, Vec<u32>>,
    /// By item of a write: numbers of put steps, ascending.
    puts: FxHashMap<u32, Vec<u32>>,
    /// By item: the path and the distance at which it was last reached, and from where.
    reached: Vec<(u32, u32, u32, Step)>,
    /// How many paths were looked for.
    paths: u32,
}

impl Belief<'_> {
    /// Operations (positions, ascending) that have this conflict, once closed; `None` if the
    /// budget ends. `causal`: whether the reads of other processes count, too.
    pub(super) fn explain(
        &self,
        conflict: Conflict,
        causal: bool,
        meter: &mut Meter,
    ) -> Option<Vec<usize>> {
        let mut steps = Steps::of(self, causal);
        let mut needed: BTreeSet<u32> = BTreeSet::new();
        let mut asked: FxHashSet<u32> = FxHashSet::default();
        let all = number_of(self.put.len());
        // From where, to where, by which put steps (those below a number).
        let mut open = match conflict {
            Conflict::Cycle(write) => vec![(write, write, all)],
            Conflict::NotInitial(write, read) => vec![(write, read, all)],
        };
        while let Some((from, to, below)) = open.pop() {
            needed.extend([from, to]);
            for (one, step, other) in steps.path(from, to, below, meter)? {
                if step != Step::Session {
                    needed.extend([one, other]);
                }
                if let Step::Put(number) = step
                    && asked.insert(number)
                {
                    let (write, read) = self.put[index(number)];
                    open.push((write, read, number));
                }
            }
        }
        // Items are in the order of the history.
        let part = needed.into_iter().map(|item| self.all.view.items[index(item)].at);
        Some(part.collect())
    }
}

impl<'a> Steps<'a> {
    fn of(belief: &'a Belief<'a>, causal: bool) -> Steps<'a> {
        let all = belief.all;
        let mut steps = Steps {
            belief,
            next: vec![NONE; all.view.items.len()],
            readers: FxHashMap::default(),
            puts: FxHashMap::default(),
            reached: vec![(0, 0, NONE, Step::Session); all.view.items.len()],
            paths: 0,
        };
        let mut last = vec![NONE; all.view.sessions];
        for (at, item) in all.view.items.iter().enumerate() {
            let happened = match item.write {
                Some(write) => all.place[index(write)] > 0,
                None => {
                    let own = index(item.session) == belief.process;
                    (own || causal) && all.sources[at] != Source::Open
                }
            };
            if !happened || !belief.counts(item) {
                continue;
            }
            let before = std::mem::replace(&mut last[index(item.session)], number_of(at));
            if before != NONE {
                steps.next[index(before)] = number_of(at);
            }
            if let (None, Source::Write(write)) = (item.write, all.sources[at]) {
                let write = all.view.writes[index(write)];
                steps.readers.entry(write).or_default().push(number_of(at));
            }
        }
        for (number, (write, _)) in belief.put.iter().enumerate() {
            steps.puts.entry(*write).or_default().push(number_of(number));
        }
        steps
    }

    /// A path with the fewest steps that are not along a session, by put steps whose number is
    /// less than `below`; not the empty one. `None` if there is none, or the budget ends.
    fn path(
        &mut self,
        from: u32,
        to: u32,
        below: u32,
        meter: &mut Meter,
    ) -> Option<Vec<(u32, Step, u32)>> {
        self.paths += 1;
        let mut queue = VecDeque::from([(from, 0)]);
        let mut visited = 0_u64;
        let mut begun = false;
        while let Some((item, far)) = queue.pop_front() {
            let (path, known, ..) = self.reached[index(item)];
            let known = (path == self.paths).then_some(known);
            if begun && item == to {
                visited += 1;
                if !meter.spend(visited / 16 + 1) {
                    return None;
                }
                return Some(self.back(from, to));
            }
            // It was reached on a shorter way since.
            if begun && known != Some(far) {
                continue;
            }
            begun = true;
            visited += 1;
            let next = Some(self.next[index(item)]).filter(|next| *next != NONE);
            let readers = self.readers.get(&item).into_iter().flatten();
            let puts = self.puts.get(&item).into_iter().flatten();
            let puts = puts.take_while(|number| **number < below);
            let along = next.into_iter().map(|next| (Step::Session, next));
            let answers = readers.map(|read| (Step::Answer, *read));
            let puts = puts.map(|number| (Step::Put(*number), self.target(*number)));
            let steps: Vec<_> = along.chain(answers).chain(puts).collect();
            for (step, other) in steps {
                let longer = far + u32::from(step != Step::Session);
                let reached = &mut self.reached[index(other)];
                if reached.0 == self.paths && reached.1 <= longer {
                    continue;
                }
                *reached = (self.paths, longer, item, step);
                match step {
                    Step::Session => queue.push_front((other, longer)),
                    _ => queue.push_back((other, longer)),
                }
            }
        }
        None
    }

    /// The write that a put step leads to: the source of its read.
    fn target(&self, number: u32) -> u32 {
        let all = self.belief.all;
        let (_, read) = self.belief.put[index(number)];
        match all.sources[index(read)] {
            Source::Write(write) => all.view.writes[index(write)],
            Source::Initial | Source::Open => unreachable!("a write was put before a source"),
        }
    }

    /// The steps of the path that was found.
    fn back(&self, from: u32, to: u32) -> Vec<(u32, Step, u32)> {
        let mut steps = Vec::new();
        let mut item = to;
        while steps.is_empty() || item != from {
            let (_, _, before, step) = self.reached[index(item)];
            steps.push((before, step, item));
            item = before;
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use crate::history::{Call, Completion, History, Operation, ProcessId};
    use crate::judgement::checker::orders::views::decide;
    use crate::judgement::checker::view::View;
    use crate::judgement::checker::whole::{Decision, Meter};
    use crate::judgement::lot::Lot;
    use crate::judgement::model::Model;
    use crate::judgement::number::number_of;
    use crate::judgement::verdict::Budget;

    /// Registers of which some reads answer an older value.
    fn drawn(lot: &mut Lot, length: usize) -> History {
        let mut values: Vec<Vec<i64>> = vec![vec![]; 3];
        let operation = |at: usize| {
            let (process, key) = (lot.index(4), lot.index(3));
            let invoked = 10 * u64::try_from(at).expect("a small number");
            let name = ["x", "y", "z"][key];
            let (call, answer) = if lot.draw(2) == 0 {
                let value = i64::from(number_of(at + 1));
                values[key].push(value);
                (Call::write(name, value), ().into())
            } else {
                let all = &values[key];
                let behind = lot.index(5).saturating_sub(2).min(all.len());
                let answer = all.len().checked_sub(behind + 1).map(|at| all[at]);
                (Call::read(name), answer.map_or(().into(), Into::into))
            };
            Operation {
                process: ProcessId(number_of(process)),
                node: None,
                call,
                invoked,
                returned: Some(invoked + 5),
                completion: Completion::Ok(answer),
                final_read: false,
            }
        };
        History::of((0..length).map(operation).collect()).expect("it is well formed")
    }

    #[test]
    fn the_operations_of_a_conflict_have_no_order_without_the_others() {
        let mut lot = Lot(16);
        for name in ["pram", "slow", "causal-memory"] {
            let model: Model = name.parse().expect("the model exists");
            let asked = model.orders().expect("it asks for orders");
            let (mut fails, mut smaller) = (0, 0);
            for round in 0..400 {
                let history = drawn(&mut lot, 8 + round % 60);
                let view = View::of(&history);
                let mut meter = Meter::new(Budget::default());
                let Decision::Fails(part) = decide(&view, &asked, &mut meter) else { continue };
                let part = view.closed(&history, &part);
                let alone = decide(&View::of_part(&history, &part), &asked, &mut meter);
                assert!(matches!(alone, Decision::Fails(_)), "{name}: {part:?} of {history:?}");
                fails += 1;
                smaller += usize::from(2 * part.len() < history.len());
            }
            assert!(fails > 100 && 2 * smaller > fails, "{name}: {smaller} of {fails}");
        }
    }
}
