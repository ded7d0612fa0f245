//! The search for a visibility that explains every answer.
//!
//! The answer of a read is explained part by part: a *task* is a read with one
//! part of its object. The search decides, for the task with the fewest open
//! pairs, which updates of the part the read sees and, where that matters, which
//! of these had seen which others; then it compares. What is refuted by what
//! follows from the guarantees is never tried.
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

/// How many choices are kept at the same time at most, one for each open pair that
/// was decided: that bounds the stack.
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
    /// The budget ended before.
    Unknown,
}

/// Looks for a choice that explains every answer.
pub(super) fn search(problem: &Problem<'_>, meter: &mut Meter) -> Found {
    if !meter.spend(count(problem.len() * problem.len()) / 256) {
        return Found::Unknown;
    }
    let Some(start) = problem.start() else { return Found::Nothing };
    let tasks = tasks(problem);
    // A choice has two rows of bits for each operation.
    let bytes = problem.len().pow(2) / 4 + 1;
    let depth = DEPTH_MAX.min(BYTES_MAX / bytes);
    let mut search = Search { problem, tasks, meter, depth, out_of_steps: false };
    let Some((start, open)) = search.decided(&start) else { return Found::Nothing };
    match search.explain(start, open) {
        Some(choice) => Found::Explained(choice),
        None if search.out_of_steps => Found::Unknown,
        None => Found::Nothing,
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
    let nothing = merged(problem, &Context::empty());
    let mut tasks = Vec::new();
    for read in problem.answered() {
        let Operation { call, completion, .. } = problem.operations[read];
        let Completion::Ok(answer) = completion else { unreachable!("it was answered") };
        let answer = datatype.normal(answer);
        let said: BTreeMap<Value, Value> = datatype.parts(&answer).into_iter().collect();
        let about = |part: &Value| said.get(part).unwrap_or(&nothing).clone();
        let from = (&call.key, Value::Null);
        for ((_, part), updates) in
            updates.range(from..).take_while(|((key, _), _)| **key == call.key)
        {
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
    out_of_steps: bool,
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
        if self.depth == 0 || !self.meter.spend(1 + count(self.problem.len()) / 4) {
            self.out_of_steps = true;
            return None;
        }
        self.depth -= 1;
        let explained = self.explain_next(choice, left);
        self.depth += 1;
        explained
    }

    fn explain_next(&mut self, choice: Choice, mut left: Vec<usize>) -> Option<Choice> {
        let open = |task: &usize| self.open(&choice, *task).count();
        let Some(next) = left.iter().copied().min_by_key(open) else { return Some(choice) };
        let pair = self.open(&choice, next).next();
        if !self.is_possible(&choice, next) {
            return None;
        }
        if let Some((reader, update)) = pair {
            // Most updates are seen by what was asked later.
            let first = update < reader;
            for sees in [first, !first] {
                let further = self.problem.with(&choice, reader, update, sees);
                if let Some(found) = further.and_then(|choice| self.explain(choice, left.clone())) {
                    return Some(found);
                }
                if self.out_of_steps {
                    return None;
                }
            }
            return None;
        }
        left.retain(|task| *task != next);
        let seen = self.seen(&choice, next);
        match self.problem.datatype.arbitration() {
            Arbitration::Last if seen.len() > 1 => seen.iter().find_map(|last| {
                let mut ordered = seen.clone();
                ordered.retain(|update| update != last);
                ordered.push(*last);
                if !self.explains(&choice, next, &ordered) || self.out_of_steps {
                    return None;
                }
                let read = self.tasks[next].read;
                let further = self.problem.with_last(&choice, read, *last, &seen)?;
                self.explain(further, left.clone())
            }),
            _ => self
                .explains(&choice, next, &seen)
                .then_some(())
                .and_then(|()| self.explain(choice, left)),
        }
    }

    /// The pairs of a reader and an update that a task depends on and that are not
    /// decided yet: what its read sees, then what these updates had seen.
    fn open<'c>(
        &'c self,
        choice: &'c Choice,
        task: usize,
    ) -> impl Iterator<Item = (usize, usize)> + 'c {
        let Task { read, updates, .. } = &self.tasks[task];
        let is_open = |reader: usize, update: usize| {
            reader != update
                && !choice.sees[reader].contains(update)
                && !choice.hides[reader].contains(update)
        };
        let own = updates.iter().map(|update| (*read, *update));
        let seen = || updates.iter().filter(|update| choice.sees[*read].contains(**update));
        let depends = |update: &&usize| {
            self.problem.datatype.depends(&self.problem.operations[**update].call)
        };
        let pairs =
            seen().filter(depends).flat_map(move |one| seen().map(move |other| (*one, *other)));
        own.chain(pairs).filter(move |(reader, update)| is_open(*reader, *update))
    }

    /// Whether the answer may still be given, whatever is decided next.
    fn is_possible(&self, choice: &Choice, task: usize) -> bool {
        let Task { read, updates, answer, .. } = &self.tasks[task];
        let call = |update: &usize| -> &Call { &self.problem.operations[*update].call };
        let possible = |update: &&usize| !choice.hides[*read].contains(**update);
        let (certain, maybe): (Vec<_>, Vec<_>) = updates
            .iter()
            .filter(possible)
            .partition(|update| choice.sees[*read].contains(**update));
        let certain: Vec<_> = certain.into_iter().map(call).collect();
        let maybe: Vec<_> = maybe.into_iter().map(call).collect();
        self.problem.datatype.may_answer(answer, &certain, &maybe)
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
        merged(self.problem, &Context::new(calls, &saw)) == self.tasks[task].answer
    }
}

/// What a read answers that sees this.
fn merged(problem: &Problem<'_>, context: &Context<'_>) -> Value {
    let merged = problem.datatype.merged(context);
    merged.expect("only types with a meaning for concurrent updates come here")
}
