//! The measures computed straight from their definitions, in O(n²) and worse.
//! Tests compare the fast ones with them on thousands of small histories.

use std::collections::BTreeMap;

use quiescence::history::{
    Builder, Call, Completion, Event, Function, History, Key, NodeId, Operation, ProcessId, Value,
    notation,
};
use quiescence::judgement::distance::{
    Fates, Pair, Quantiles, Settled, Spread, Stale, Staleness, WentBack, Window,
};
use quiescence::judgement::{Budget, Distance, Model, check};

use crate::dice::Dice;

/// Some overlapping operations of a few processes on a few keys.
fn history(dice: &mut Dice) -> History {
    let (keys, processes) = (1 + dice.below(2), 1 + dice.below(4));
    let (nodes, values) = (dice.draw(4), [1, 3, 1_000][dice.below(3)]);
    let mut events = Builder::new();
    let mut open: Vec<Option<Call>> = vec![None; processes];
    let mut ended = vec![false; processes];
    let (mut time, mut last) = (0, 0);
    for _ in 0..4 + dice.draw(30) {
        time += dice.draw(3);
        let process = dice.below(processes);
        let id = ProcessId(process as u32);
        match open[process].take() {
            _ if ended[process] => {}
            None => {
                let key = ["x", "y"][dice.below(keys)];
                last += 1;
                let call = match dice.draw(40) {
                    0 => Call { f: Function::named("add"), ..Call::write("z", 1) },
                    1..20 => Call::write(key, 1 + last % values),
                    _ => Call::read(key),
                };
                let node = (nodes > 0 && dice.draw(9) > 0).then_some(NodeId(process as u16 % 3));
                let event = Event::invoke(id, time, call.clone()).at(node);
                events.event(event).expect("it is idle");
                open[process] = Some(call);
            }
            Some(call) => {
                ended[process] = complete(dice, &mut events, id, time, &call, values, last)
            }
        }
    }
    time += 1 + dice.draw(2);
    let mut all = Vec::new();
    for final_read in 0..dice.below(4) as u32 {
        let id = ProcessId(100 + final_read);
        let call = Call::read(["x", "y"][dice.below(keys)]);
        all.push(Event::invoke(id, time, call));
        all.push(Event::ok_final(id, time + dice.draw(3), answer(dice, values, last)));
        time += 1;
    }
    all.sort_by_key(|event| event.time);
    for event in all {
        events.event(event).expect("the processes are new");
    }
    events.finish()
}

fn answer(dice: &mut Dice, values: i64, last: i64) -> Value {
    match dice.draw(8) {
        0 => Value::Null,
        _ => Value::Int(1 + (last + 1 - dice.draw(5) as i64).max(0) % values),
    }
}

/// Completes an operation; true if its process has ended.
fn complete(
    dice: &mut Dice,
    events: &mut Builder,
    id: ProcessId,
    time: u64,
    call: &Call,
    values: i64,
    last: i64,
) -> bool {
    let value = if call.is_read() { answer(dice, values, last) } else { Value::Null };
    let (ends, event) = match dice.draw(12) {
        0 => (true, Event::info(id, time)),
        1 => (false, Event::fail(id, time)),
        _ => (false, Event::ok(id, time, value)),
    };
    events.event(event).expect("it is open");
    ends
}

/// A history, measured slowly.
struct Slow<'a> {
    operations: &'a [Operation],
}

/// A write, or `None` for the initial value.
type Origin = Option<usize>;

impl Slow<'_> {
    fn measured(&self, at: usize) -> bool {
        let other = |op: &Operation| op.call.f.as_str() == "add" && returned_ok(op);
        let pending = |op: &Operation| op.call.f.as_str() == "add" && op.is_pending();
        let key = &self.operations[at].call.key;
        !self.operations.iter().any(|op| &op.call.key == key && (other(op) || pending(op)))
    }

    fn reads(&self) -> Vec<usize> {
        let all = 0..self.operations.len();
        all.filter(|&at| self.operations[at].answer().is_some() && self.measured(at)).collect()
    }

    fn writes(&self, key: &Key) -> Vec<usize> {
        let writes = |at: &usize| {
            let op = &self.operations[*at];
            op.call.is_write() && (returned_ok(op) || op.is_pending()) && op.call.key == *key
        };
        (0..self.operations.len()).filter(writes).collect()
    }

    fn sources(&self, read: usize) -> Vec<Origin> {
        let op = &self.operations[read];
        let answer = op.answer().expect("it was answered");
        let mut all: Vec<Origin> = self.writes(&op.call.key).into_iter().map(Some).collect();
        all.retain(|write| self.operations[write.expect("one")].call.argument == *answer);
        all.extend((*answer == Value::Null).then_some(None));
        all
    }

    fn is_future(&self, read: usize) -> bool {
        let sources = self.sources(read);
        let after = |write: &Origin| write.is_some_and(|write| self.ends_before(read, write));
        !sources.is_empty() && sources.iter().all(after)
    }

    fn ends_before(&self, one: usize, two: usize) -> bool {
        self.operations[one].returns_before(&self.operations[two])
    }

    fn known(&self, read: usize) -> Option<Origin> {
        match *self.sources(read) {
            [source] if !self.is_future(read) => Some(source),
            _ => None,
        }
    }

    /// Whether some return in the cluster of `one` precedes the write `two`.
    fn is_older(&self, one: Origin, two: usize) -> bool {
        let Some(one) = one else { return true };
        let readers = self.reads().into_iter().filter(|read| self.known(*read) == Some(Some(one)));
        readers.chain([one]).any(|at| self.ends_before(at, two))
    }

    fn newer(&self, read: usize) -> Vec<usize> {
        let source = self.known(read).expect("it is known");
        let mut newer = self.writes(&self.operations[read].call.key);
        newer.retain(|&write| self.ends_before(write, read) && self.is_older(source, write));
        newer.sort_by_key(|write| (self.operations[*write].returned, *write));
        newer
    }

    fn stale(&self, read: usize) -> Option<Stale> {
        let newer = self.newer(read);
        let first = *newer.first()?;
        let time = self.operations[read].invoked - self.operations[first].returned.expect("it did");
        let source = self.known(read).expect("it is known");
        Some(Stale { read, source, newer: first, versions: newer.len() as u64, time })
    }

    fn spread(&self, reads: &[usize]) -> Spread {
        let stale: Vec<Stale> = reads.iter().filter_map(|read| self.stale(*read)).collect();
        let quantiles = |of: &dyn Fn(&Stale) -> u64| {
            let mut all = vec![0; reads.len() - stale.len()];
            all.extend(stale.iter().map(of));
            all.sort_unstable();
            // The least value that enough of them do not exceed.
            let rank = |percent: usize| {
                let enough = |value: &&u64| {
                    all.iter().filter(|other| *other <= value).count() * 100 >= percent * all.len()
                };
                all.iter().find(enough).copied().unwrap_or(0)
            };
            let max = rank(100);
            let worst = stale.iter().find(|stale| of(stale) == max).copied();
            Quantiles { p50: rank(50), p99: rank(99), max, worst }
        };
        Spread {
            reads: reads.len(),
            stale: stale.len(),
            versions: quantiles(&|stale| stale.versions),
            time: quantiles(&|stale| stale.time),
        }
    }

    fn staleness(&self) -> Staleness {
        let mut known = self.reads();
        known.retain(|read| self.known(*read).is_some());
        let pair = |read: usize| {
            let written = self.known(read).flatten().and_then(|at| self.operations[at].node);
            (written, self.operations[read].node)
        };
        let mut pairs: Vec<_> = known.iter().map(|read| pair(*read)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let of = |nodes: (Option<NodeId>, Option<NodeId>)| {
            let some: Vec<usize> = known.iter().copied().filter(|at| pair(*at) == nodes).collect();
            Pair { written: nodes.0, read: nodes.1, spread: self.spread(&some) }
        };
        let pairs = pairs.into_iter().map(of).collect();
        let stale = known.iter().filter_map(|read| self.stale(*read)).collect();
        Staleness { stale, all: self.spread(&known), pairs, window: self.window(&known) }
    }

    /// Of all runs of stale reads of a key, without a fresh one between, the longest.
    fn window(&self, known: &[usize]) -> Option<Window> {
        let key = |at: usize| &self.operations[at].call.key;
        let mut windows = Vec::new();
        for (place, &first) in known.iter().enumerate() {
            let own = known[place..].iter().copied().filter(|at| key(*at) == key(first));
            let run: Vec<usize> = own.take_while(|at| self.stale(*at).is_some()).collect();
            let until = run.iter().filter_map(|at| self.operations[*at].returned).max();
            let from = self.operations[first].invoked;
            windows.extend(until.map(|until| Window { reads: run.len(), first, from, until }));
        }
        // Of equal ones, the one that ends, or begins, first.
        windows.sort_by_key(|window| (window.from, std::cmp::Reverse(window.reads)));
        windows.sort_by_key(|window| (window.until, window.first));
        windows.sort_by_key(|window| std::cmp::Reverse(window.until - window.from));
        windows.first().copied()
    }

    /// What a process had before a read that answers something older, by read: its own
    /// writes, or what it had read.
    fn went_back(&self, writes: bool) -> BTreeMap<ProcessId, usize> {
        let mut found = BTreeMap::new();
        for read in self.reads() {
            let Some(source) = self.known(read) else { continue };
            let operation = &self.operations[read];
            let newer = |before: usize| {
                let other = &self.operations[before];
                let own =
                    other.process == operation.process && other.call.key == operation.call.key;
                let write = match writes {
                    true => self.writes(&operation.call.key).contains(&before).then_some(before),
                    false if other.answer().is_some() => self.known(before).flatten(),
                    false => None,
                };
                own && write.is_some_and(|write| self.is_older(source, write))
            };
            if (0..read).any(newer) {
                *found.entry(operation.process).or_insert(0) += 1;
            }
        }
        found
    }

    /// By acknowledged write and node: whether the node hides it.
    fn hidden(&self, lost: &[usize]) -> Vec<(usize, NodeId)> {
        let mut hidden = Vec::new();
        let nodes: std::collections::BTreeSet<NodeId> =
            self.operations.iter().filter_map(|op| op.node).collect();
        let reads = self.reads();
        let keys = || reads.iter().map(|at| &self.operations[*at].call.key);
        let mut writes: Vec<usize> = keys().flat_map(|key| self.acked(key)).collect();
        writes.sort_unstable();
        writes.dedup();
        for write in writes.into_iter().filter(|write| !lost.contains(write)) {
            let Operation { node: Some(own), call, .. } = &self.operations[write] else { continue };
            for node in nodes.iter().filter(|node| *node != own) {
                let later = reads.iter().copied().filter(|at| {
                    let read = &self.operations[*at];
                    read.node == Some(*node)
                        && read.call.key == call.key
                        && self.ends_before(write, *at)
                });
                let later: Vec<usize> = later.collect();
                let older = |read: &usize| {
                    self.known(*read).is_some_and(|source| self.is_older(source, write))
                };
                if !later.is_empty() && later.iter().all(older) {
                    hidden.push((write, *node));
                }
            }
        }
        hidden
    }

    fn fates(&self) -> Fates {
        let mut fates = Fates::default();
        let reads = self.reads();
        for (at, operation) in self.operations.iter().enumerate() {
            let unknown = operation.call.is_write() && operation.is_pending();
            if !unknown || !self.writes(&operation.call.key).contains(&at) || !self.measured(at) {
                continue;
            }
            let explains = |read: &&usize| {
                self.operations[**read].call.key == operation.call.key
                    && self.sources(**read).contains(&Some(at))
            };
            let surely = |read: &usize| self.known(*read) == Some(Some(at));
            let later = |read: &&usize| {
                let read = &self.operations[**read];
                read.call.key == operation.call.key && read.invoked > operation.invoked
            };
            let fate = match () {
                () if reads.iter().any(surely) => &mut fates.seen,
                () if reads.iter().any(|read| explains(&read)) => &mut fates.perhaps,
                () if reads.iter().any(|read| later(&read)) => &mut fates.unseen,
                () => &mut fates.unread,
            };
            *fate += 1;
        }
        fates
    }

    fn acked(&self, key: &Key) -> Vec<usize> {
        let mut acked = self.writes(key);
        acked.retain(|write| self.operations[*write].returned.is_some());
        acked
    }

    /// The reads of a key after all its acknowledged writes.
    fn last_reads(&self, key: &Key) -> Vec<usize> {
        let mut reads = self.reads();
        let after = |read: usize| self.acked(key).iter().all(|w| self.ends_before(*w, read));
        reads.retain(|read| self.operations[*read].call.key == *key && after(*read));
        reads
    }

    fn settled(&self, key: &Key) -> Settled {
        let reads = self.last_reads(key);
        let answer = |read: usize| self.operations[read].answer();
        let finals: Vec<usize> =
            reads.iter().copied().filter(|at| self.operations[*at].final_read).collect();
        let Some(&settled) = finals.last().or(reads.last()) else { return Settled::Unread };
        if let Some(other) = finals.iter().find(|other| answer(**other) != answer(settled)) {
            return Settled::Never(settled, *other);
        }
        let agrees = |at: &&usize| answer(**at) == answer(settled);
        let Some(&other) = reads.iter().rev().find(|at| !agrees(at)) else {
            return Settled::After { time: 0, last_other: None, reads: reads.len() };
        };
        if !reads.iter().any(|at| agrees(&at) && self.ends_before(other, *at)) {
            return Settled::Never(settled, other);
        }
        let start = self.acked(key).iter().filter_map(|at| self.operations[*at].returned).max();
        Settled::After {
            time: self.operations[other].invoked - start.expect("there is a write"),
            last_other: Some(other),
            reads: reads.iter().filter(|at| **at > other).count(),
        }
    }

    fn lost(&self, key: &Key) -> Vec<usize> {
        let mut last = self.last_reads(key);
        if last.iter().any(|at| self.operations[*at].final_read) {
            last.retain(|at| self.operations[*at].final_read);
        }
        let older = |read: usize, write: usize| match *self.sources(read) {
            _ if self.is_future(read) => false,
            [] => false,
            [source] => self.is_older(source, write),
            ref several => {
                several.iter().all(|one| one.is_none_or(|at| self.ends_before(at, write)))
            }
        };
        let mut lost = self.acked(key);
        lost.retain(|&write| !last.is_empty() && last.iter().all(|&read| older(read, write)));
        lost
    }

    /// For each backward read, how long ago the first newer answer was.
    fn backward(&self) -> Vec<(usize, u64)> {
        let mut known = self.reads();
        known.retain(|read| self.known(*read).is_some());
        let by_nodes = known.iter().all(|at| self.operations[*at].node.is_some());
        let elsewhere = |one: usize, two: usize| {
            let (one, two) = (&self.operations[one], &self.operations[two]);
            if by_nodes { one.node != two.node } else { one.process != two.process }
        };
        let contradicts = |one: usize, two: usize| {
            let older = self.known(two).expect("it is known");
            self.operations[one].call.key == self.operations[two].call.key
                && self.ends_before(one, two)
                && elsewhere(one, two)
                && self.known(one).flatten().is_some_and(|newer| self.is_older(older, newer))
        };
        let first = |two: usize| {
            let earlier = known.iter().filter(|one| contradicts(**one, two));
            let returned = earlier.filter_map(|one| self.operations[*one].returned).min()?;
            Some((two, self.operations[two].invoked - returned))
        };
        known.iter().filter_map(|two| first(*two)).collect()
    }
}

fn returned_ok(operation: &Operation) -> bool {
    matches!(operation.completion, Completion::Ok(_))
}

/// Compares what was added to the oldest measures; how often each occurred.
fn agreed_on_more(slow: &Slow<'_>, quick: &Distance, lost: &[usize]) -> [usize; 7] {
    let text = || format!("{:?}", slow.operations);
    let reads = |told: &BTreeMap<ProcessId, WentBack>| -> BTreeMap<ProcessId, usize> {
        told.iter().map(|(process, back)| (*process, back.reads)).collect()
    };
    let (own_writes, own_reads) = (slow.went_back(true), slow.went_back(false));
    assert_eq!(reads(&quick.sessions.own_writes), own_writes, "{}", text());
    assert_eq!(reads(&quick.sessions.own_reads), own_reads, "{}", text());
    let hidden = slow.hidden(lost);
    let mut writes: Vec<usize> = hidden.iter().map(|(write, _)| *write).collect();
    writes.dedup();
    assert_eq!(quick.suspected.writes, writes, "{}", text());
    let of_pairs = quick.suspected.pairs.values().map(|pair| pair.writes).sum::<usize>();
    assert_eq!(of_pairs, hidden.len(), "{}", text());
    let fates = slow.fates();
    assert_eq!(quick.fates, fates, "{}", text());
    let Fates { seen, perhaps, unseen, unread } = fates;
    [own_writes.len(), own_reads.len(), hidden.len(), seen, perhaps, unseen, unread]
}

/// Whether both agree; of several differing reads, either may be named.
fn same(one: Settled, two: Settled) -> bool {
    matches!((one, two), (Settled::Never(..), Settled::Never(..))) || one == two
}

#[test]
fn every_measure_agrees_with_its_twin() {
    let mut dice = Dice(11);
    let mut seen = [0; 15];
    for _ in 0..6_000 {
        let history = history(&mut dice);
        let text = || notation::write(&history);
        let (slow, quick) = (Slow { operations: history.operations() }, Distance::of(&history));
        assert_eq!(quick.staleness, slow.staleness(), "{}", text());
        let mut lost = Vec::new();
        for key in &quick.convergence.keys {
            let settled = slow.settled(&key.key);
            assert!(same(key.settled, settled), "{key:?} but {settled:?}: {}", text());
            lost.extend(slow.lost(&key.key));
            seen[0] += usize::from(matches!(settled, Settled::After { time: 1.., .. }));
            seen[1] += usize::from(matches!(settled, Settled::Never(..)));
        }
        lost.sort_unstable();
        assert_eq!(quick.lost.writes, lost, "{}", text());
        let backward = slow.backward();
        assert_eq!(quick.backward.count, backward.len(), "{}", text());
        assert_eq!(
            quick.backward.worst.map(|worst| worst.time),
            backward.iter().map(|(_, time)| *time).max(),
            "{}",
            text()
        );
        let reads = slow.reads();
        let future = reads.iter().filter(|read| slow.is_future(**read)).count();
        assert_eq!(quick.future.count, future, "{}", text());
        let nobody = reads.iter().filter(|read| slow.sources(**read).is_empty()).count();
        assert_eq!(quick.aborted.count + quick.thin.count, nobody, "{}", text());
        let figures = [lost.len(), backward.len(), future, quick.aborted.count, quick.thin.count];
        for (total, figure) in seen[2..].iter_mut().zip(figures) {
            *total += usize::from(figure > 0);
        }
        seen[7] += usize::from(quick.staleness.all.versions.max > 1);
        for (place, figure) in agreed_on_more(&slow, &quick, &lost).into_iter().enumerate() {
            seen[8 + place] += usize::from(figure > 0);
        }
    }
    assert!(seen.iter().all(|count| *count > 100), "something was hardly seen: {seen:?}");
}

#[test]
fn what_is_linearizable_is_at_no_distance_and_the_leasts_bound_staleness() {
    let mut dice = Dice(5);
    let mut linearizable = 0;
    for _ in 0..1_500 {
        let history = history(&mut dice);
        let text = || notation::write(&history);
        let budget = Budget::default();
        let found = Distance::of(&history).with_leasts(&history, budget);
        let (least_k, least_delta) = found.leasts.clone().expect("it was asked for");
        if let Ok(Some(k)) = least_k {
            assert!(found.staleness.all.versions.max < u64::from(k), "k = {k}: {}", text());
        }
        if let Ok(Some(delta)) = least_delta {
            assert!(found.staleness.all.time.max <= delta, "Δ = {delta}: {}", text());
        }
        if found.other_keys == 0 && check(&history, Model::Linearizable, budget).holds() {
            linearizable += 1;
            assert_eq!(found.staleness.all.stale, 0, "{}", text());
            assert!(found.lost.writes.is_empty(), "{}", text());
            let strange = [&found.future, &found.aborted, &found.thin];
            let strange: usize = strange.iter().map(|strange| strange.count).sum();
            assert_eq!((found.backward.count, strange), (0, 0), "{}", text());
        }
    }
    assert!(linearizable > 50, "{linearizable}");
}
