//! Derives why no order explains a part of a history: what must come before
//! what, until that is a cycle.
//!
//! From what every order keeps, and from what each answer implies (its source
//! is before it, other writes of the key are before the source or after the
//! read), facts are derived round by round, those with the shortest proofs
//! first. When nothing new follows and there is no cycle yet, the proof splits
//! into cases: the sources of a read that has several, or the two orders of a
//! pair. So every contradiction is found, unless that takes too many cases: if
//! all pairs of writes are ordered and there is no cycle, there is an order.
//!
//! It runs on minimal parts only. It decides nothing: a part that it finds no
//! reason for is violated all the same. O(n³) for each round of n operations.

use std::collections::VecDeque;

use super::quiescent;
use crate::history::{Completion, History, Operation, Value};
use crate::judgement::datatype;
use crate::judgement::model::{Model, Orders, Reads, Shared, Time, Views};
use crate::judgement::verdict::{Place, Reason, Source, Why};

/// Parts of more operations get no reason.
const OPERATIONS_MAX: usize = 128;

/// How many cases one reason may have.
const CASES_MAX: usize = 24;

/// Why no order of the model explains the part (ascending positions, closed
/// under possible sources), if a few cases suffice to show it.
pub(in crate::judgement::checker) fn reason(
    history: &History,
    part: &[usize],
    model: Model,
) -> Option<Reason> {
    let asked = model.orders().filter(|_| part.len() <= OPERATIONS_MAX)?;
    let n = part.len();
    let operations: Vec<&Operation> = part.iter().map(|&at| &history.operations()[at]).collect();
    let mut epochs = vec![0; n];
    if asked.time == Time::QuietInstants {
        for (epoch, members) in quiescent::epochs(history, part).iter().enumerate() {
            for at in members {
                epochs[part.binary_search(at).expect("it is in the part")] = epoch;
            }
        }
    }
    let answers = operations.iter().filter(|op| matches!(op.completion, Completion::Ok(_)));
    let last = answers.filter_map(|op| op.returned).max().unwrap_or(0);
    let last = Some(last).filter(|_| asked.is_instantaneous() && !datatype::is_plain(history));
    let prover = Prover { history, part, operations, asked, epochs, last };
    let sources = (0..n).map(|at| prover.sources(at)).collect();
    let start = Branch { sources, facts: Vec::new() };
    let bound: Vec<bool> = prover
        .happened(&start)
        .into_iter()
        .zip(0..)
        .map(|(happened, at)| happened && prover.found(at).is_some() && !prover.is_excused(at))
        .collect();
    if let Some(read) = (0..n).find(|&at| bound[at] && start.sources[at].is_empty()) {
        return prover.sourceless(read);
    }
    let mut cases = CASES_MAX;
    prover.refute(&bound, start, &mut cases).map(|reason| prover.named(reason))
}

/// What is known in one branch: operations are named by their place in the part.
#[derive(Clone)]
struct Branch {
    /// The possible sources of each answered read.
    sources: Vec<Vec<Source>>,
    facts: Vec<Place>,
}

struct Prover<'a> {
    history: &'a History,
    part: &'a [usize],
    operations: Vec<&'a Operation>,
    /// What the model asks of orders.
    asked: Orders,
    /// If quiet instants count: how many of them were before each operation.
    epochs: Vec<usize>,
    /// When the last answer of the part was given, if only what was invoked in time
    /// explains an operation.
    last: Option<u64>,
}

/// One of the orders that the model asks for: whose, and what is known of it.
struct Order {
    of: Option<usize>,
    /// Whether each operation is in it.
    inside: Vec<bool>,
    /// Whether each operation is a read that it must explain.
    explains: Vec<bool>,
    /// For each operation, those that are directly after it.
    next: Vec<Vec<usize>>,
    /// For each operation, which ones are somewhere after it.
    after: Vec<Vec<bool>>,
}

impl Prover<'_> {
    /// A proof that this branch allows no order.
    fn refute(&self, bound: &[bool], mut branch: Branch, cases: &mut usize) -> Option<Reason> {
        *cases = cases.checked_sub(1)?;
        if self.asked.is_regular() {
            if let Some(reason) = self.regular(bound, &branch) {
                return Some(reason);
            }
            return self.split_sources(bound, &branch, cases);
        }
        let mut orders = self.orders(bound, &branch);
        loop {
            orders.iter_mut().for_each(|order| order.close());
            if let Some(reason) = orders.iter().find_map(|order| self.contradiction(&branch, order))
            {
                return Some(reason);
            }
            let fresh: Vec<Place> =
                orders.iter().flat_map(|order| self.consequences(&branch, order)).collect();
            if fresh.is_empty() {
                break;
            }
            for fact in fresh {
                self.learn(&mut branch, &mut orders, fact);
            }
        }
        if let Some(reason) = self.split_sources(bound, &branch, cases) {
            return Some(reason);
        }
        let (of, first, second) = self.undecided(&orders)?;
        let mut refuted = Vec::new();
        for (one, other) in [(first, second), (second, first)] {
            let mut branch = branch.clone();
            branch.facts.push(Place { of, first: one, second: other, why: Why::Assumed });
            refuted.push(self.refute(bound, branch, cases)?);
        }
        let cases: [Reason; 2] = refuted.try_into().expect("there are two cases");
        // A case that does not use its assumption is the whole proof.
        for (case, (one, other)) in cases.iter().zip([(first, second), (second, first)]) {
            if !assumes(case, of, one, other) {
                return Some(case.clone());
            }
        }
        Some(Reason::Either { of, first, second, cases: Box::new(cases) })
    }

    /// A proof for each possible source of the first read that has several.
    fn split_sources(&self, bound: &[bool], branch: &Branch, cases: &mut usize) -> Option<Reason> {
        let n = self.operations.len();
        let read = (0..n).find(|&at| bound[at] && branch.sources[at].len() > 1)?;
        let mut proofs = Vec::new();
        for &source in &branch.sources[read] {
            let mut branch = branch.clone();
            branch.sources[read] = vec![source];
            proofs.push((source, self.refute(bound, branch, cases)?));
        }
        Some(Reason::Sources { read, cases: proofs })
    }

    /// The orders that the model asks for, with what each keeps.
    fn orders(&self, bound: &[bool], branch: &Branch) -> Vec<Order> {
        let n = self.operations.len();
        let mut whose: Vec<Option<usize>> = vec![None];
        if self.asked.is_by_process() {
            // The last read of each process names the order of the process.
            let last = |at: &usize| {
                bound[*at]
                    && !(at + 1..n).any(|later| bound[later] && self.same_process(*at, later))
            };
            whose = (0..n).filter(last).map(Some).collect();
        }
        whose.into_iter().map(|of| self.order(of, bound, branch)).collect()
    }

    fn order(&self, of: Option<usize>, bound: &[bool], branch: &Branch) -> Order {
        let n = self.operations.len();
        let is_write = |at: usize| self.left(at).is_some();
        let happened = self.happened(branch);
        let past =
            of.filter(|_| self.asked.shared == Shared::Causes).map(|of| self.past(of, branch));
        let inside: Vec<bool> = (0..n)
            .map(|at| {
                happened[at]
                    && match (of, &past) {
                        (_, Some(past)) => past[at],
                        (Some(of), _) => is_write(at) || self.same_process(of, at),
                        (None, _) => true,
                    }
            })
            .collect();
        let mine = |at: usize| of.is_none_or(|of| self.same_process(of, at));
        let explains = (0..n).map(|at| bound[at] && inside[at] && mine(at)).collect();
        let mut order = Order {
            of,
            inside,
            explains,
            next: vec![Vec::new(); n],
            after: vec![vec![false; n]; n],
        };
        for first in 0..n {
            for second in 0..n {
                let both = order.inside[first] && order.inside[second];
                if both && first != second && self.keeps(first, second) {
                    order.next[first].push(second);
                }
            }
        }
        for fact in branch.facts.iter().filter(|fact| fact.of.is_none() || fact.of == of) {
            order.next[fact.first].push(fact.second);
        }
        order
    }

    /// The causal past of an operation.
    fn past(&self, of: usize, branch: &Branch) -> Vec<bool> {
        let mut past = vec![false; self.operations.len()];
        past[of] = true;
        let mut open = vec![of];
        while let Some(at) = open.pop() {
            let source = branch.source(at);
            for (cause, known) in past.iter_mut().enumerate() {
                let session = cause < at && self.same_process(cause, at);
                if !*known && (session || source == Some(Source::Write(cause))) {
                    *known = true;
                    open.push(cause);
                }
            }
        }
        past
    }

    /// A cycle in this order, or a read in it that is too old.
    fn contradiction(&self, branch: &Branch, order: &Order) -> Option<Reason> {
        let n = self.operations.len();
        let around = (0..n).filter(|&at| order.after[at][at]);
        let cycles = around.map(|at| {
            let mut path = order.path(at, at);
            path.pop();
            path
        });
        if let Some(cycle) = cycles.min_by_key(Vec::len) {
            let mut ring = cycle.clone();
            ring.push(cycle[0]);
            let steps = self.needed(branch, order.of, &[&ring]);
            return Some(Reason::OrderCycle { of: order.of, cycle, steps });
        }
        // If reads answer the last write, a newer write between the source and
        // the read has made a cycle already; only a larger k is left.
        let Reads::LastOf(k @ 2..) = self.asked.reads else { return None };
        let k = usize::try_from(k).unwrap_or(usize::MAX);
        for read in (0..n).filter(|&at| order.explains[at]) {
            let Some(source) = branch.source(read) else { continue };
            let through = |write: usize| {
                let is_other = self.wrote_the_key(write, read) && source != Source::Write(write);
                let from = match source {
                    Source::Write(source) => source,
                    Source::Initial => write,
                };
                let after = from == write || order.after[from][write];
                if !is_other || !after || !order.after[write][read] {
                    return None;
                }
                let mut path = if from == write { vec![write] } else { order.path(from, write) };
                path.extend(&order.path(write, read)[1..]);
                Some((write, path))
            };
            let mut newer: Vec<_> = (0..n).filter_map(through).collect();
            if newer.len() >= k {
                newer.truncate(k);
                let paths: Vec<&[usize]> = newer.iter().map(|(_, path)| &path[..]).collect();
                let steps = self.needed(branch, order.of, &paths);
                return Some(Reason::TooOld { read, newer, steps });
            }
        }
        None
    }

    /// The facts that these paths use and, transitively, those that they follow
    /// from, in the order in which they were found.
    fn needed(&self, branch: &Branch, of: Option<usize>, paths: &[&[usize]]) -> Vec<Place> {
        let mut wanted = vec![false; branch.facts.len()];
        let mut open: Vec<(Option<usize>, Vec<usize>)> =
            paths.iter().map(|path| (of, path.to_vec())).collect();
        while let Some((of, path)) = open.pop() {
            for pair in path.windows(2).filter(|pair| !self.keeps(pair[0], pair[1])) {
                let is_it = |fact: &Place| {
                    (fact.first, fact.second) == (pair[0], pair[1])
                        && (fact.of.is_none() || fact.of == of)
                };
                let at = branch.facts.iter().position(is_it).expect("a path goes along facts");
                if !std::mem::replace(&mut wanted[at], true) {
                    let fact = &branch.facts[at];
                    let of = if let Why::Agreed { of, .. } = fact.why { Some(of) } else { fact.of };
                    open.push((of, fact.path().to_vec()));
                }
            }
        }
        let facts = branch.facts.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        facts.map(|(fact, _)| fact.clone()).collect()
    }

    /// The new facts that follow in one step from what is known of an order.
    fn consequences(&self, branch: &Branch, order: &Order) -> Vec<Place> {
        let n = self.operations.len();
        let of = order.of;
        let mut fresh = Vec::new();
        let mut add = |first: usize, second: usize, why: Why| {
            fresh.push(Place { of, first, second, why });
        };
        for read in (0..n).filter(|&at| order.inside[at]) {
            let Some(source) = branch.source(read) else { continue };
            let causal = self.asked.shared == Shared::Causes;
            if let Source::Write(write) = source
                && (order.explains[read] || causal)
                && order.inside[write]
                && !order.next[write].contains(&read)
            {
                add(write, read, Why::Source);
            }
            if !order.explains[read] || self.asked.may_be_stale() {
                continue;
            }
            let others = (0..n).filter(|&at| order.inside[at] && self.wrote_the_key(at, read));
            for write in others.filter(|&at| at != read && source != Source::Write(at)) {
                match source {
                    Source::Initial if !order.after[read][write] => {
                        add(read, write, Why::Initial);
                    }
                    Source::Write(source) => {
                        if order.after[write][read] && !order.after[write][source] {
                            let path = order.path(write, read);
                            add(write, source, Why::Older { read, path });
                        }
                        if order.after[source][write] && !order.after[read][write] {
                            add(read, write, Why::Newer { path: order.path(source, write) });
                        }
                    }
                    Source::Initial => {}
                }
            }
        }
        if self.asked.shared == Shared::WritesOfAKey
            && let Some(of) = of
        {
            for first in (0..n).filter(|&at| self.left(at).is_some()) {
                for second in (0..n).filter(|&at| self.wrote_the_key(at, first)) {
                    let known = |fact: &Place| {
                        fact.of.is_none() && (fact.first, fact.second) == (first, second)
                    };
                    if first != second
                        && order.after[first][second]
                        && !self.keeps(first, second)
                        && !branch.facts.iter().any(known)
                    {
                        let path = order.path(first, second);
                        let why = Why::Agreed { of, path };
                        fresh.push(Place { of: None, first, second, why });
                    }
                }
            }
        }
        fresh
    }

    /// Adds a fact to a branch and to the orders that it is about.
    fn learn(&self, branch: &mut Branch, orders: &mut [Order], fact: Place) {
        let same = |known: &Place| {
            (known.of, known.first, known.second) == (fact.of, fact.first, fact.second)
        };
        if branch.facts.iter().any(same) {
            return;
        }
        for order in orders.iter_mut().filter(|order| fact.of.is_none() || order.of == fact.of) {
            order.next[fact.first].push(fact.second);
        }
        branch.facts.push(fact);
    }

    /// Two operations on one key whose order is not known, and in whose order.
    fn undecided(&self, orders: &[Order]) -> Option<(Option<usize>, usize, usize)> {
        let n = self.operations.len();
        let stale = self.asked.may_be_stale();
        for order in orders {
            let agreed = self.asked.shared == Shared::WritesOfAKey;
            let of = if agreed { None } else { order.of };
            let inside = |at: &usize| order.inside[*at];
            for first in (0..n).filter(inside).filter(|&at| self.left(at).is_some()) {
                for second in (0..n).filter(inside).filter(|&at| at != first) {
                    let writes = self.left(second).is_some();
                    let counts = if writes { first < second } else { stale };
                    let open = !order.after[first][second] && !order.after[second][first];
                    if counts && open && self.wrote_the_key(first, second) {
                        return Some((of, first, second));
                    }
                }
            }
        }
        None
    }

    /// Regular registers: a read before its own source, a finished write before
    /// a read of the initial value, or a cycle of writes.
    fn regular(&self, bound: &[bool], branch: &Branch) -> Option<Reason> {
        let n = self.operations.len();
        let place = |first, second, why| Place { of: None, first, second, why };
        let found = |cycle, steps| Some(Reason::OrderCycle { of: None, cycle, steps });
        let mut finished = Vec::new();
        for read in (0..n).filter(|&at| bound[at]) {
            let before = (0..n).filter(|&at| self.wrote_the_key(at, read) && self.keeps(at, read));
            match branch.source(read) {
                None => {}
                Some(Source::Initial) => {
                    if let Some(write) = { before }.next() {
                        return found(vec![write, read], vec![place(read, write, Why::Initial)]);
                    }
                }
                Some(Source::Write(source)) => {
                    if self.keeps(read, source) {
                        return found(vec![source, read], vec![place(source, read, Why::Source)]);
                    }
                    let older = before.filter(|&at| at != source);
                    finished.extend(older.map(|at| place(at, source, Why::Finished { read })));
                }
            }
        }
        let reader = |fact: &Place| match fact.why {
            Why::Finished { read } if self.asked.views == Views::Read => Some(read),
            _ => None,
        };
        for facts in finished.chunk_by(|a, b| reader(a) == reader(b)) {
            let branch = Branch { sources: branch.sources.clone(), facts: facts.to_vec() };
            let mut order = self.order(None, bound, &branch);
            let is_write = |at: usize| self.operations[at].call.is_write();
            for (at, next) in order.next.iter_mut().enumerate() {
                next.retain(|&other| is_write(at) && is_write(other));
            }
            order.close();
            if let Some(reason) = self.contradiction(&branch, &order) {
                return Some(reason);
            }
        }
        None
    }

    /// Whether a read may answer anything, because it overlaps a write.
    fn is_excused(&self, read: usize) -> bool {
        let reader = self.operations[read];
        let overlaps = |(at, op): (usize, &Operation)| {
            let session = op.process == reader.process && at != self.part[read];
            op.call.is_write()
                && op.completion != Completion::Fail
                && op.call.key == reader.call.key
                && !session
                && !op.returns_before(reader)
                && !reader.returns_before(op)
        };
        self.asked.reads == Reads::RecentUnlessOverlapped
            && self.history.operations().iter().enumerate().any(overlaps)
    }

    fn same_process(&self, one: usize, other: usize) -> bool {
        self.operations[one].process == self.operations[other].process
    }

    /// Whether the first is a write, which may have happened, of the other's key.
    fn wrote_the_key(&self, write: usize, other: usize) -> bool {
        let key = |at: usize| &self.operations[at].call.key;
        self.left(write).is_some() && key(write) == key(other)
    }

    fn found(&self, at: usize) -> Option<&Value> {
        datatype::found(self.operations[at])
    }

    fn left(&self, at: usize) -> Option<&Value> {
        datatype::left(self.operations[at])
    }

    /// Which operations are known to have happened: those that were answered,
    /// and the only possible sources of those.
    fn happened(&self, branch: &Branch) -> Vec<bool> {
        let answered = |op: &&Operation| matches!(op.completion, Completion::Ok(_));
        let mut happened: Vec<bool> = self.operations.iter().map(answered).collect();
        let mut open: Vec<usize> = (0..happened.len()).filter(|&at| happened[at]).collect();
        while let Some(at) = open.pop() {
            if let Some(Source::Write(source)) = branch.source(at)
                && !std::mem::replace(&mut happened[source], true)
            {
                open.push(source);
            }
        }
        happened
    }

    fn sources(&self, at: usize) -> Vec<Source> {
        let Some(found) = self.found(at) else { return Vec::new() };
        let initial = (*found == Value::Null).then_some(Source::Initial);
        let wrote = |&other: &usize| {
            other != at && self.wrote_the_key(other, at) && self.left(other) == Some(found)
        };
        let all: Vec<usize> = (0..self.part.len()).filter(wrote).collect();
        let (returned, invoked) =
            (self.operations[at].returned, |other: usize| self.operations[other].invoked);
        let until = self.last.map_or(u64::MAX, |last| returned.unwrap_or(last));
        let timely: Vec<usize> = all.iter().copied().filter(|at| invoked(*at) <= until).collect();
        let late = timely.is_empty() && initial.is_none() && returned.is_some();
        let all = if late { all } else { timely };
        initial.into_iter().chain(all.into_iter().map(Source::Write)).collect()
    }

    /// The reason for a read that has no possible source.
    fn sourceless(&self, read: usize) -> Option<Reason> {
        let reader = self.operations[read];
        reader.answer()?;
        let all = self.history.operations();
        let failed = all.iter().position(|op| datatype::aborted(op, reader));
        let read = self.part[read];
        Some(match failed {
            Some(write) => Reason::FailedWriteSeen { read, write },
            None => Reason::Thin { read },
        })
    }

    /// Whether every order that has both puts the first before the second.
    fn keeps(&self, first: usize, second: usize) -> bool {
        let (a, b) = (self.operations[first], self.operations[second]);
        let (a_writes, b_writes) = (a.call.is_write(), b.call.is_write());
        let session = self.asked.session && first < second && a.process == b.process;
        let timed = match self.asked.time {
            Time::Ignored => false,
            Time::ReturnsBefore { reads_earlier } => {
                let earlier = if b_writes { 0 } else { i128::from(reads_earlier) };
                a.returned.is_some_and(|at| i128::from(at) + earlier < i128::from(b.invoked))
            }
            Time::QuietInstants => self.epochs[first] < self.epochs[second],
        };
        if let Reads::Prefix { monotonic, eventual } = self.asked.reads {
            // The order has writes alone, and a read stands for the prefix that
            // it sees: without the later writes of its session and, if reads
            // are monotonic, with what earlier reads of the session saw. At
            // quiescence it may have to see all.
            let sessions = b_writes || (monotonic && !a_writes);
            let seen = eventual && a_writes && b.final_read;
            return seen || (session && sessions) || (timed && a_writes && b_writes);
        }
        let together = !self.asked.is_by_key() || a.call.key == b.call.key;
        together && (session || timed)
    }

    /// The reason with positions in the history instead of the part.
    fn named(&self, reason: Reason) -> Reason {
        let name = |at: usize| self.part[at];
        let names = |list: Vec<usize>| list.into_iter().map(name).collect::<Vec<_>>();
        let places = |steps: Vec<Place>| {
            let place = |step: Place| Place {
                of: step.of.map(name),
                first: name(step.first),
                second: name(step.second),
                why: match step.why {
                    Why::Older { read, path } => Why::Older { read: name(read), path: names(path) },
                    Why::Newer { path } => Why::Newer { path: names(path) },
                    Why::Finished { read } => Why::Finished { read: name(read) },
                    Why::Agreed { of, path } => Why::Agreed { of: name(of), path: names(path) },
                    Why::Source | Why::Initial | Why::Assumed => step.why,
                },
            };
            steps.into_iter().map(place).collect::<Vec<_>>()
        };
        match reason {
            Reason::OrderCycle { of, cycle, steps } => {
                Reason::OrderCycle { of: of.map(name), cycle: names(cycle), steps: places(steps) }
            }
            Reason::TooOld { read, newer, steps } => Reason::TooOld {
                read: name(read),
                newer: newer.into_iter().map(|(at, path)| (name(at), names(path))).collect(),
                steps: places(steps),
            },
            Reason::Either { of, first, second, cases } => Reason::Either {
                of: of.map(name),
                first: name(first),
                second: name(second),
                cases: Box::new(cases.map(|case| self.named(case))),
            },
            Reason::Sources { read, cases } => {
                let source = |source| match source {
                    Source::Write(at) => Source::Write(name(at)),
                    Source::Initial => Source::Initial,
                };
                let cases = cases.into_iter().map(|(of, case)| (source(of), self.named(case)));
                Reason::Sources { read: name(read), cases: cases.collect() }
            }
            reason => reason,
        }
    }
}

impl Branch {
    /// The source of a read, if there is only one that is possible.
    fn source(&self, read: usize) -> Option<Source> {
        match self.sources[read][..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl Order {
    /// Computes `after`, the transitive closure of `next`.
    fn close(&mut self) {
        for from in 0..self.next.len() {
            let mut reached = vec![false; self.next.len()];
            let mut open = vec![from];
            while let Some(at) = open.pop() {
                for &next in &self.next[at] {
                    if !std::mem::replace(&mut reached[next], true) {
                        open.push(next);
                    }
                }
            }
            self.after[from] = reached;
        }
    }

    /// A shortest path; there must be one.
    fn path(&self, from: usize, to: usize) -> Vec<usize> {
        let mut before: Vec<Option<usize>> = vec![None; self.next.len()];
        let mut open = VecDeque::from([from]);
        while before[to].is_none() {
            let at = open.pop_front().expect("there is a path");
            for &next in &self.next[at] {
                if before[next].is_none() {
                    before[next] = Some(at);
                    open.push_back(next);
                }
            }
        }
        let mut path = vec![to];
        while path.len() == 1 || path[path.len() - 1] != from {
            path.push(before[path[path.len() - 1]].expect("it was reached"));
        }
        path.reverse();
        path
    }
}

/// Whether a proof uses the assumption that `first` is before `second`.
fn assumes(reason: &Reason, of: Option<usize>, first: usize, second: usize) -> bool {
    let is_it = |step: &Place| {
        step.why == Why::Assumed && (step.of, step.first, step.second) == (of, first, second)
    };
    match reason {
        Reason::OrderCycle { steps, .. } | Reason::TooOld { steps, .. } => steps.iter().any(is_it),
        Reason::Either { cases, .. } => cases.iter().any(|case| assumes(case, of, first, second)),
        Reason::Sources { cases, .. } => {
            cases.iter().any(|(_, case)| assumes(case, of, first, second))
        }
        _ => false,
    }
}
