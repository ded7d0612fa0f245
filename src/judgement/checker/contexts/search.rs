//! The search for a visibility that explains every answer.
//!
//! The answer of a read is explained part by part: a *task* is a read with one
//! part of its object. For the task with the fewest open updates the search picks
//! those that the read sees and, where that matters, decides which of these had
//! seen which others; then it compares. What is refuted by what follows from the
//! guarantees is never tried.
//!
//! Invariant: every visibility is tried but those that are refuted. Exponential
//! in the open pairs in the worst case; bounded by the meter, and by how many
//! choices are kept at the same time.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, Operation, Value};
use crate::judgement::checker::whole::Meter;
use crate::judgement::datatype::{Arbitration, Context};
use crate::judgement::number::count;
use crate::judgement::relation::Set;

use super::problem::{Choice, Problem};

/// How many choices are kept at the same time at most, one for each task and each
/// pair of updates that was decided: that bounds the stack.
const DEPTH_MAX: usize = 600;
/// How many bytes they take at most.
const BYTES_MAX: usize = 256 << 20;

/// A read, and one part of its object.
struct Task {
    read: usize,
    /// What it answered about that part.
    answer: Value,
    /// The updates of the part.
    updates: Vec<usize>,
}

/// What a search found.
pub(super) enum Found {
    /// A choice that explains every answer.
    Explained(Choice),
    /// There is none.
    Nothing,
    /// It is not known, for this reason.
    Unknown(&'static str),
}

/// Why a search ended early.
const SPENT: &str = "the budget ended before every visibility was tried";
const TOO_DEEP: &str =
    "too much would have to be decided at once: many updates are about the same part";

/// Looks for a choice that explains every answer.
pub(super) fn search(problem: &Problem<'_>, meter: &mut Meter) -> Found {
    if !meter.spend(count(problem.len() * problem.len()) / 256) {
        return Found::Unknown(SPENT);
    }
    if !problem.answers_agree() {
        return Found::Nothing;
    }
    let Some(start) = problem.start() else { return Found::Nothing };
    let tasks = tasks(problem);
    // A choice has two rows of bits for each operation.
    let bytes = problem.len().pow(2) / 4 + 1;
    let depth = DEPTH_MAX.min(BYTES_MAX / bytes);
    let mut search = Search { problem, tasks, meter, depth, ended: None };
    let Some((start, open)) = search.decided(&start) else { return Found::Nothing };
    match (search.explain(start, open), search.ended) {
        (Some(choice), _) => Found::Explained(choice),
        (None, Some(why)) => Found::Unknown(why),
        (None, None) => Found::Nothing,
    }
}

/// The parts of each answer that its read has to be explained in: those of which
/// there are updates here, and those of which nobody knows any.
fn tasks(problem: &Problem<'_>) -> Vec<Task> {
    let datatype = problem.datatype;
    let mut updates: BTreeMap<(&Key, Value), Vec<usize>> = BTreeMap::new();
    for at in problem.updates.numbers() {
        let call = &problem.operations[at].call;
        updates.entry((&call.key, datatype.part(call))).or_default().push(at);
    }
    let mut tasks = Vec::new();
    for read in problem.answered() {
        let Operation { call, completion, .. } = problem.operations[read];
        let Completion::Ok(answer) = completion else { unreachable!("it was answered") };
        let answer = datatype.normal(call, answer);
        let said: BTreeMap<Value, Value> = datatype.parts(call, &answer).into_iter().collect();
        let nothing = merged(problem, call, &Context::empty());
        let about = |part: &Value| said.get(part).unwrap_or(&nothing).clone();
        let only = datatype.asks(call);
        let asked = |part: &Value| only.as_ref().is_none_or(|only| only == part);
        let from = (&call.key, Value::Null);
        let own = updates.range(from..).take_while(|((key, _), _)| **key == call.key);
        for ((_, part), updates) in own.filter(|((_, part), _)| asked(part)) {
            tasks.push(Task { read, answer: about(part), updates: updates.clone() });
        }
        for part in said.keys().filter(|part| !problem.is_updated(&call.key, part)) {
            tasks.push(Task { read, answer: about(part), updates: Vec::new() });
        }
    }
    tasks
}

struct Search<'s, 'a> {
    problem: &'s Problem<'a>,
    tasks: Vec<Task>,
    meter: &'s mut Meter,
    /// How many more choices may be kept at the same time.
    depth: usize,
    /// Why it ended early, if it did.
    ended: Option<&'static str>,
}

impl Search<'_, '_> {
    /// The choice with all that the parts of at most one update decide, and the
    /// tasks that are left; `None` if those contradict each other.
    fn decided(&self, start: &Choice) -> Option<(Choice, Vec<usize>)> {
        let mut pairs = Vec::new();
        let mut open = Vec::new();
        for (at, task) in self.tasks.iter().enumerate() {
            let says = |seen: &[usize]| self.explains(start, at, seen);
            match task.updates[..] {
                [] => says(&[]).then_some(())?,
                [only] if only != task.read => match (says(&[]), says(&[only])) {
                    (false, false) => return None,
                    (true, true) => {}
                    (_, sees) => pairs.push((task.read, only, sees)),
                },
                _ => open.push(at),
            }
        }
        Some((self.problem.with_all(start, &pairs)?, open))
    }

    /// Explains the tasks that are left, the one with the fewest open pairs first.
    fn explain(&mut self, choice: Choice, left: Vec<usize>) -> Option<Choice> {
        if !self.meter.spend(1 + count(self.problem.len()) / 4) {
            return self.end(SPENT);
        }
        if self.depth == 0 {
            return self.end(TOO_DEEP);
        }
        self.depth -= 1;
        let explained = self.explain_next(choice, left);
        self.depth += 1;
        explained
    }

    /// Ends the search, with the first reason.
    fn end<T>(&mut self, why: &'static str) -> Option<T> {
        self.ended.get_or_insert(why);
        None
    }

    fn explain_next(&mut self, choice: Choice, left: Vec<usize>) -> Option<Choice> {
        let open = |task: &usize| self.open(&choice, *task).len();
        let Some(task) = left.iter().copied().min_by_key(open) else { return Some(choice) };
        let read = self.tasks[task].read;
        let mut picks = Picks { read, open: self.open(&choice, task), seen: Vec::new() };
        let mut begun = false;
        while let Some(seen) = self.next_pick(&choice, task, &mut picks, begun) {
            begun = true;
            let sees = picks.open.iter().zip(seen).map(|(update, sees)| (read, *update, sees));
            let further = self.problem.with_all(&choice, &sees.collect::<Vec<_>>());
            let found = further.and_then(|choice| self.explain_task(choice, task, &left));
            if found.is_some() || self.ended.is_some() {
                return found;
            }
        }
        None
    }

    /// Decides what the updates that the read of a task sees had seen of each other,
    /// compares, and goes on with the other tasks.
    fn explain_task(&mut self, choice: Choice, task: usize, left: &[usize]) -> Option<Choice> {
        if !self.meter.spend(1 + count(self.problem.len()) / 16) {
            return self.end(SPENT);
        }
        if self.depth == 0 {
            return self.end(TOO_DEEP);
        }
        let seen = self.seen(&choice, task);
        if let Some((one, other)) = self.open_between(&choice, &seen) {
            self.is_between(&choice, task, &seen).then_some(())?;
            self.depth -= 1;
            // Most updates are seen by what was asked later.
            let found = [other < one, one < other].into_iter().find_map(|sees| {
                let further = self.problem.with(&choice, one, other, sees);
                let alive = further.filter(|_| self.ended.is_none());
                alive.and_then(|choice| self.explain_task(choice, task, left))
            });
            self.depth += 1;
            return found;
        }
        let left: Vec<usize> = left.iter().copied().filter(|other| *other != task).collect();
        match self.arbitration(task) {
            Arbitration::Last if seen.len() > 1 => seen.iter().find_map(|last| {
                let mut ordered = seen.clone();
                ordered.retain(|update| update != last);
                ordered.push(*last);
                if !self.explains(&choice, task, &ordered) || self.ended.is_some() {
                    return None;
                }
                let read = self.tasks[task].read;
                let further = self.problem.with_last(&choice, read, *last, &seen)?;
                self.explain(further, left.clone())
            }),
            Arbitration::Whole => self.explain_in_order(&choice, task, (&[], &seen), &left),
            _ => {
                self.explains(&choice, task, &seen).then_some(())?;
                self.explain(choice, left)
            }
        }
    }

    /// Tries every order of the updates that the read of a task sees: some, oldest
    /// first, and then the others.
    fn explain_in_order(
        &mut self,
        choice: &Choice,
        task: usize,
        (some, others): (&[usize], &[usize]),
        left: &[usize],
    ) -> Option<Choice> {
        if !self.meter.spend(1 + count(self.problem.len()) / 16) {
            return self.end(SPENT);
        }
        if others.is_empty() {
            self.explains(choice, task, some).then_some(())?;
            let read = self.tasks[task].read;
            return self.explain(self.problem.with_order(choice, read, some)?, left.to_vec());
        }
        for next in others {
            let rest: Vec<usize> = others.iter().copied().filter(|other| other != next).collect();
            let some = [some, &[*next]].concat();
            let found = self.explain_in_order(choice, task, (&some, &rest), left);
            if found.is_some() || self.ended.is_some() {
                return found;
            }
        }
        None
    }

    /// The updates of a task of which it is not decided whether its read sees them.
    fn open(&self, choice: &Choice, task: usize) -> Vec<usize> {
        let Task { read, updates, .. } = &self.tasks[task];
        let is_open = |update: &usize| is_open(choice, *read, *update);
        updates.iter().copied().filter(is_open).collect()
    }

    /// Two of these updates of which it matters and is not decided whether the
    /// first had seen the second.
    fn open_between(&self, choice: &Choice, seen: &[usize]) -> Option<(usize, usize)> {
        let call = |update: usize| &self.problem.operations[update].call;
        let mut pairs = seen.iter().flat_map(|one| seen.iter().map(move |other| (*one, *other)));
        pairs.find(|(one, other)| {
            is_open(choice, *one, *other) && self.problem.datatype.matters(call(*one), call(*other))
        })
    }

    /// Whether the answer may still be given, however it is decided which of the
    /// updates that the read sees had seen which others.
    fn is_between(&self, choice: &Choice, task: usize, seen: &[usize]) -> bool {
        let datatype = self.problem.datatype;
        if matches!(self.arbitration(task), Arbitration::Last | Arbitration::Whole) {
            return true;
        }
        let call = self.call(task);
        let calls = || seen.iter().map(|update| &self.problem.operations[*update].call).collect();
        let saw = |one: usize, other: usize| choice.sees[seen[one]].contains(seen[other]);
        let may = |one: usize, other: usize| {
            one != other && !choice.hides[seen[one]].contains(seen[other])
        };
        let few = merged(self.problem, call, &Context::new(calls(), &saw));
        let many = merged(self.problem, call, &Context::new(calls(), &may));
        datatype.is_between(call, &self.tasks[task].answer, &few, &many)
    }

    /// The next way to decide which of the open updates the read sees, likely ones
    /// first; none of which a beginning makes the answer impossible.
    fn next_pick(
        &mut self,
        choice: &Choice,
        task: usize,
        picks: &mut Picks,
        begun: bool,
    ) -> Option<Vec<bool>> {
        let mut back = begun;
        loop {
            if back {
                picks.step_back()?;
            }
            loop {
                if !self.meter.spend(1 + count(picks.open.len()) / 16) {
                    return self.end(SPENT);
                }
                if !self.is_possible(choice, task, picks) {
                    break;
                }
                if picks.seen.len() == picks.open.len() {
                    return Some(picks.seen.clone());
                }
                picks.seen.push(picks.likely(picks.seen.len()));
            }
            back = true;
        }
    }

    /// Whether the answer may still be given after what is decided and picked.
    fn is_possible(&self, choice: &Choice, task: usize, picks: &Picks) -> bool {
        let Task { read, updates, answer } = &self.tasks[task];
        let picked = |update: &usize| {
            let place = picks.open.binary_search(update).ok()?;
            picks.seen.get(place).copied()
        };
        let (mut certain, mut maybe) = (Vec::new(), Vec::new());
        for update in updates {
            let call: &Call = &self.problem.operations[*update].call;
            match picked(update) {
                Some(true) => certain.push(call),
                Some(false) => {}
                None if choice.sees[*read].contains(*update) => certain.push(call),
                None if choice.hides[*read].contains(*update) || update == read => {}
                None => maybe.push(call),
            }
        }
        self.problem.datatype.may_answer(self.call(task), answer, &certain, &maybe)
    }

    /// The updates of a task that its read sees.
    fn seen(&self, choice: &Choice, task: usize) -> Vec<usize> {
        let Task { read, updates, .. } = &self.tasks[task];
        updates.iter().copied().filter(|update| choice.sees[*read].contains(*update)).collect()
    }

    /// Whether a read that sees just these updates of a part, oldest first, answers
    /// what it did.
    fn explains(&self, choice: &Choice, task: usize, seen: &[usize]) -> bool {
        let calls = seen.iter().map(|update| &self.problem.operations[*update].call).collect();
        let saw = |one: usize, other: usize| choice.sees[seen[one]].contains(seen[other]);
        merged(self.problem, self.call(task), &Context::new(calls, &saw)) == self.tasks[task].answer
    }

    /// What the read of a task asked.
    fn call(&self, task: usize) -> &Call {
        &self.problem.operations[self.tasks[task].read].call
    }

    fn arbitration(&self, task: usize) -> Arbitration {
        self.problem.datatype.arbitration(&self.call(task).key)
    }
}

/// Whether it is not decided yet whether a reader sees an update.
fn is_open(choice: &Choice, reader: usize, update: usize) -> bool {
    reader != update
        && !choice.sees[reader].contains(update)
        && !choice.hides[reader].contains(update)
}

/// Which of the open updates a read sees, as far as that is picked.
struct Picks {
    read: usize,
    /// Ascending.
    open: Vec<usize>,
    seen: Vec<bool>,
}

impl Picks {
    /// What is picked first for an open update: most are seen by what was asked
    /// later.
    fn likely(&self, place: usize) -> bool {
        self.open[place] < self.read
    }

    /// Picks otherwise for the last update for which that was not tried yet; `None`
    /// if there is none.
    fn step_back(&mut self) -> Option<()> {
        while let Some(seen) = self.seen.pop() {
            if seen == self.likely(self.seen.len()) {
                self.seen.push(!seen);
                return Some(());
            }
        }
        None
    }
}

/// What this call answers if it sees this.
fn merged(problem: &Problem<'_>, call: &Call, context: &Context<'_>) -> Value {
    let merged = problem.datatype.merged(call, context);
    merged.expect("only types with a meaning for concurrent updates come here")
}
