//! Replays orders of operations: is this really an order that the model
//! accepts, and does it explain every answer?
//!
//! Written from the predicates, one conjunct after the other. An order that a
//! stronger model accepts is evidence for a weaker one, where the lattice says
//! that one implies the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, History, Key, Operation, ProcessId, Value};

use super::facts::Facts;
use super::unsound::{Replayed, Unsound};
use crate::judgement::datatype::{Datatype, Running, updates};
use crate::judgement::model::{Model, Orders, Reads, Shared, Time, Views, implies};

/// Replays one order of all operations.
pub(super) fn replay_linear(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    order: &[usize],
) -> Replayed {
    let claim = Claim { history, datatype };
    claim.is_complete(order)?;
    let one = |asked: &Orders| asked.views == Views::One && !asked.is_regular();
    if let Some(asked) = model.orders().filter(one) {
        return claim.is_accepted(order, &asked);
    }
    let quiet = is_quiet(history, datatype);
    let mut stronger = [Model::Sequential, Model::Linearizable].into_iter();
    let stronger = stronger.find(|stronger| implies(*stronger, model, quiet));
    match stronger.and_then(Model::orders) {
        Some(asked) => claim.is_accepted(order, &asked),
        None => Unsound::because(format!("an order of all operations says nothing about {model}")),
    }
}

/// Whether every change returned before the first read at quiescence began.
fn is_quiet(history: &History, datatype: &dyn Datatype) -> bool {
    let operations = history.operations();
    let finals = operations.iter().filter(|op| op.final_read && op.answer().is_some());
    let Some(first) = finals.map(|op| op.invoked).min() else { return true };
    let changes = operations.iter().filter(|op| updates(op, datatype));
    { changes }.all(|op| match op.completion {
        Completion::Ok(_) => op.returned.is_some_and(|returned| returned < first),
        Completion::Fail => true,
        Completion::Info => false,
    })
}

struct Claim<'a> {
    history: &'a History,
    datatype: &'a dyn Datatype,
}

impl<'a> Claim<'a> {
    fn operation(&self, at: usize) -> &'a Operation {
        &self.history.operations()[at]
    }

    fn answer(&self, at: usize) -> Option<&'a Value> {
        match &self.operation(at).completion {
            Completion::Ok(answer) => Some(answer),
            Completion::Info | Completion::Fail => None,
        }
    }

    fn is_read(&self, at: usize) -> bool {
        self.datatype.only_reads(&self.operation(at).call, None)
    }

    /// Every answered operation once; pending ones that change something at
    /// most once; nothing else.
    fn is_complete(&self, order: &[usize]) -> Replayed {
        let mut placed = vec![false; self.history.len()];
        for &at in order {
            let matters = self.history.operations().get(at).is_some_and(|op| match op.completion {
                Completion::Ok(_) => true,
                Completion::Info => !self.is_read(at),
                Completion::Fail => false,
            });
            if !matters || std::mem::replace(&mut placed[at], true) {
                return Unsound::because(format!("operation {at} does not belong here"));
            }
        }
        match (0..placed.len()).find(|&at| self.answer(at).is_some() && !placed[at]) {
            Some(at) => Unsound::because(format!("operation {at} is not placed")),
            None => Ok(()),
        }
    }

    /// Verifies that this is an order as it is asked for.
    fn is_accepted(&self, order: &[usize], asked: &Orders) -> Replayed {
        // Which pairs of a session keep its order, given whether the first and
        // the second are reads; whether real time counts for reads; and how
        // many of the last writes a read may answer.
        let (pairs, timed_reads, last): (&dyn Fn(bool, bool) -> bool, _, _) = match asked.reads {
            Reads::LastOf(last) => (&|_, _| true, true, last),
            // A read sees the writes that are before it here. It need not see
            // the earlier writes of its session; all other pairs of a session
            // keep their order, so that causes have no cycle.
            Reads::Prefix { monotonic: true, .. } => (&|first, second| first || !second, false, 1),
            Reads::Prefix { monotonic: false, .. } => {
                (&|first, second| !first && !second, false, 1)
            }
            Reads::Recent | Reads::RecentUnlessOverlapped => {
                return Unsound::because("reads have no place in an order of writes");
            }
        };
        self.keeps(order, asked, pairs, &|at| timed_reads || !self.is_read(at))?;
        if let Reads::Prefix { monotonic, eventual } = asked.reads {
            if !monotonic {
                self.causes_end(order)?;
            }
            if eventual {
                self.finals_see_all(order)?;
            }
        }
        self.is_legal(order, usize::try_from(last).unwrap_or(usize::MAX))
    }

    /// Verifies that no write comes after a read at quiescence of its key.
    fn finals_see_all(&self, order: &[usize]) -> Replayed {
        for (rank, &read) in order.iter().enumerate() {
            let key = &self.operation(read).call.key;
            let newer = |at: &&usize| !self.is_read(**at) && self.operation(**at).call.key == *key;
            if self.operation(read).final_read
                && let Some(write) = order[rank..].iter().find(newer)
            {
                return Unsound::because(format!("{read} does not see {write}"));
            }
        }
        Ok(())
    }

    /// Verifies that the order keeps what is asked of sessions, for these
    /// pairs, and of real time, for these operations.
    fn keeps(
        &self,
        order: &[usize],
        asked: &Orders,
        pairs: &dyn Fn(bool, bool) -> bool,
        timed: &dyn Fn(usize) -> bool,
    ) -> Replayed {
        if asked.session {
            self.keeps_sessions(order, pairs)?;
        }
        match asked.time {
            Time::Ignored => Ok(()),
            Time::ReturnsBefore { reads_earlier } => self.keeps_time(order, reads_earlier, timed),
            Time::QuietInstants => self.keeps_quiet_instants(order),
        }
    }

    /// Verifies that operations of a session come in its order, for pairs that
    /// count, given whether the first and the second are reads.
    fn keeps_sessions(&self, order: &[usize], counts: &dyn Fn(bool, bool) -> bool) -> Replayed {
        // The latest read and the latest other operation placed, by process.
        let mut latest: BTreeMap<ProcessId, [Option<usize>; 2]> = BTreeMap::new();
        for &at in order {
            let read = self.is_read(at);
            let latest = latest.entry(self.operation(at).process).or_default();
            for (of_reads, placed) in [(false, latest[0]), (true, latest[1])] {
                if counts(read, of_reads) && placed > Some(at) {
                    return Unsound::because(format!(
                        "operation {at} is out of the order of its session"
                    ));
                }
            }
            let place = &mut latest[usize::from(read)];
            *place = (*place).max(Some(at));
        }
        Ok(())
    }

    /// Verifies that no operation returned before one that is placed earlier
    /// was invoked. Reads count as invoked `earlier` nanoseconds earlier.
    fn keeps_time(
        &self,
        order: &[usize],
        earlier: u64,
        counts: &dyn Fn(usize) -> bool,
    ) -> Replayed {
        let mut latest = i128::MIN;
        for &at in order.iter().filter(|at| counts(**at)) {
            let operation = self.operation(at);
            if operation.returned.is_some_and(|returned| i128::from(returned) < latest) {
                return Unsound::because(format!(
                    "operation {at} returned before one placed earlier began"
                ));
            }
            let back = if operation.call.is_read() { i128::from(earlier) } else { 0 };
            latest = latest.max(i128::from(operation.invoked) - back);
        }
        Ok(())
    }

    /// Verifies that operations on two sides of an instant without an open
    /// operation keep their order.
    fn keeps_quiet_instants(&self, order: &[usize]) -> Replayed {
        let operations = self.history.operations();
        let mut epochs = vec![0; operations.len()];
        let (mut epoch, mut busy) = (0, None);
        for (at, op) in operations.iter().enumerate() {
            if op.completion == Completion::Fail {
                continue;
            }
            if busy.is_some_and(|until| op.invoked > until) {
                epoch += 1;
            }
            busy = busy.max(Some(op.returned.unwrap_or(u64::MAX)));
            epochs[at] = epoch;
        }
        match order.is_sorted_by_key(|at| epochs[*at]) {
            true => Ok(()),
            false => Unsound::because("the order goes back across a quiet instant"),
        }
    }

    /// Verifies that every read is possible in one of the last `k` states of
    /// its object, and every other operation in the last one.
    fn is_legal(&self, order: &[usize], k: usize) -> Replayed {
        let mut held: BTreeMap<&Key, Vec<Value>> = BTreeMap::new();
        let mut running: BTreeMap<&Key, Option<Box<dyn Running>>> = BTreeMap::new();
        for &at in order {
            let call = &self.operation(at).call;
            let object = running
                .entry(&call.key)
                .or_insert_with(|| self.datatype.running(&call.key).filter(|_| k == 1));
            if let Some(object) = object {
                if !object.step(call, self.answer(at)) {
                    return Unsound::because(format!(
                        "operation {at} cannot have been answered so"
                    ));
                }
                continue;
            }
            let values =
                held.entry(&call.key).or_insert_with(|| vec![self.datatype.initial(&call.key)]);
            let answer = self.answer(at);
            if self.datatype.only_reads(call, answer) {
                let possible = |value: &Value| self.datatype.apply(value, call, answer).is_some();
                if !values.iter().any(possible) {
                    let newest = values.last().expect("an object holds something");
                    return Unsound::because(format!("read {at} should have answered {newest}"));
                }
                continue;
            }
            let newest = values.last().expect("an object holds something");
            let Some(next) = self.datatype.apply(newest, call, answer) else {
                return Unsound::because(format!("operation {at} cannot have been answered so"));
            };
            values.push(next);
            if values.len() > k {
                values.remove(0);
            }
        }
        Ok(())
    }

    /// Verifies that session order, and every read after all writes placed
    /// before it, have no cycle, by a topological sort.
    fn causes_end(&self, order: &[usize]) -> Replayed {
        // A read comes after all writes placed before it. Instead of an edge
        // for each pair, each write has a second node, after itself and the
        // previous second node; a read comes after the latest one.
        let n = self.history.len();
        let mut waits = vec![0_usize; 2 * n];
        let mut wakes: Vec<Vec<usize>> = vec![Vec::new(); 2 * n];
        let mut edge = |from: usize, to: usize| {
            waits[to] += 1;
            wakes[from].push(to);
        };
        let mut seen = None;
        for &at in order {
            if self.is_read(at) {
                seen.into_iter().for_each(|seen| edge(seen, at));
            } else {
                edge(at, n + at);
                seen.into_iter().for_each(|seen| edge(seen, n + at));
                seen = Some(n + at);
            }
        }
        let placed: BTreeSet<usize> = order.iter().copied().collect();
        let mut last: BTreeMap<ProcessId, usize> = BTreeMap::new();
        for &at in &placed {
            if let Some(before) = last.insert(self.operation(at).process, at) {
                edge(before, at);
            }
        }
        let mut free: Vec<usize> = (0..2 * n).filter(|&node| waits[node] == 0).collect();
        let mut taken = 0;
        while let Some(node) = free.pop() {
            taken += 1;
            for &next in &wakes[node] {
                waits[next] -= 1;
                if waits[next] == 0 {
                    free.push(next);
                }
            }
        }
        match taken == 2 * n {
            true => Ok(()),
            false => Unsound::because("session order and visibility run in a cycle"),
        }
    }
}

/// Replays several orders, one for each process or key.
pub(super) fn replay_views(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    orders: &[Vec<usize>],
) -> Replayed {
    let claim = Claim { history, datatype };
    let nothing = || Unsound::because(format!("several orders say nothing about {model}"));
    let Some(asked) = model.orders() else { return nothing() };
    let Reads::LastOf(last) = asked.reads else { return nothing() };
    for order in orders {
        if order.iter().any(|&at| at >= history.len()) {
            return Unsound::because("there is no such operation");
        }
        claim.keeps(order, &asked, &|_, _| true, &|_| true)?;
        claim.is_legal(order, usize::try_from(last).unwrap_or(usize::MAX))?;
    }
    match (asked.views, asked.shared) {
        (Views::Key, _) => claim.views_are_keys(orders),
        (Views::Process, Shared::Causes) => claim.views_are_pasts(orders),
        (Views::Process | Views::ProcessAndKey, shared) => {
            claim.views_are_complete(orders, asked.is_by_key())?;
            match shared {
                Shared::WritesOfAKey => claim.views_agree_on_writes(orders),
                Shared::Nothing => Ok(()),
                Shared::Causes => nothing(),
            }
        }
        (Views::One | Views::Read, _) => nothing(),
    }
}

impl Claim<'_> {
    /// Every order is one of a key, and no key has two.
    fn views_are_keys(&self, orders: &[Vec<usize>]) -> Replayed {
        let all = orders.concat();
        self.is_complete(&all)?;
        let key = |at: &usize| &self.operation(*at).call.key;
        for order in orders {
            let keys: BTreeSet<_> = order.iter().map(key).collect();
            if keys.len() > 1 {
                return Unsound::because("an order has operations of two keys");
            }
        }
        let keys: BTreeSet<_> = all.iter().map(key).collect();
        match keys.len() == orders.iter().filter(|order| !order.is_empty()).count() {
            true => Ok(()),
            false => Unsound::because("a key has two orders"),
        }
    }

    fn matters(&self, at: usize) -> bool {
        let facts = Facts::of(self.history);
        facts.answered(at) || facts.possible_write(at)
    }

    /// The processes that matter, ascending: one order each (or one for each
    /// key, keys in order of appearance).
    fn processes(&self) -> Vec<ProcessId> {
        let matter = (0..self.history.len()).filter(|&at| self.matters(at));
        let all: BTreeSet<_> = matter.map(|at| self.operation(at).process).collect();
        all.into_iter().collect()
    }

    /// Every order has the reads of its process and the writes that happened,
    /// the same ones for all.
    fn views_are_complete(&self, orders: &[Vec<usize>], by_key: bool) -> Replayed {
        let processes = self.processes();
        let mut keys: Vec<&Key> = Vec::new();
        for at in (0..self.history.len()).filter(|&at| self.matters(at)) {
            let key = &self.operation(at).call.key;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let each = if by_key { keys.len() } else { 1 };
        if orders.len() != processes.len() * each {
            return Unsound::because("there is not one order for each process");
        }
        let happened: BTreeSet<usize> =
            orders.iter().take(each).flatten().copied().filter(|&at| !self.is_read(at)).collect();
        let facts = Facts::of(self.history);
        let acked = (0..self.history.len()).filter(|&at| facts.acked_write(at));
        if let Some(at) = { acked }.find(|at| !happened.contains(at)) {
            return Unsound::because(format!("acknowledged write {at} is in no order"));
        }
        if let Some(at) = happened.iter().find(|at| !facts.possible_write(**at)) {
            return Unsound::because(format!("{at} is no write that can have happened"));
        }
        for (nth, order) in orders.iter().enumerate() {
            let process = processes[nth / each];
            let of_key = |at: usize| !by_key || self.operation(at).call.key == *keys[nth % each];
            let own = (0..self.history.len())
                .filter(|&at| facts.answered(at) && self.operation(at).process == process);
            let expected: BTreeSet<usize> =
                happened.iter().copied().chain(own).filter(|&at| of_key(at)).collect();
            let has: BTreeSet<usize> = order.iter().copied().collect();
            if has.len() != order.len() || has != expected {
                return Unsound::because(format!(
                    "order {nth} has not the reads of its process and every write"
                ));
            }
        }
        Ok(())
    }

    fn views_agree_on_writes(&self, orders: &[Vec<usize>]) -> Replayed {
        let mut agreed: Option<BTreeMap<&Key, Vec<usize>>> = None;
        for order in orders {
            let mut of_key: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
            for &at in order.iter().filter(|at| !self.is_read(**at)) {
                of_key.entry(&self.operation(at).call.key).or_default().push(at);
            }
            if agreed.as_ref().is_some_and(|agreed| *agreed != of_key) {
                return Unsound::because("two processes order the writes of a key differently");
            }
            agreed = Some(of_key);
        }
        Ok(())
    }

    /// Every order has the causal past of its process's last operation and
    /// extends causal order, where a read's source is the one that it has in
    /// the order of its process.
    fn views_are_pasts(&self, orders: &[Vec<usize>]) -> Replayed {
        let processes = self.processes();
        if orders.len() != processes.len() {
            return Unsound::because("there is not one order for each process");
        }
        let sources = self.sources_in(orders, &processes)?;
        let happened: BTreeSet<usize> = orders.iter().flatten().copied().collect();
        // Direct causes: the operation before in the session, and the source.
        let mut causes: Vec<Vec<usize>> = vec![Vec::new(); self.history.len()];
        let mut last: BTreeMap<ProcessId, usize> = BTreeMap::new();
        for at in 0..self.history.len() {
            if Facts::of(self.history).answered(at) && sources[at].is_none() {
                return Unsound::because(format!("read {at} is in no order"));
            }
            if Facts::of(self.history).acked_write(at) && !happened.contains(&at) {
                return Unsound::because(format!("acknowledged write {at} is in no order"));
            }
            causes[at].extend(sources[at].flatten());
            if happened.contains(&at) {
                causes[at].extend(last.insert(self.operation(at).process, at));
            }
        }
        for (order, process) in orders.iter().zip(&processes) {
            if let Some(&end) = last.get(process) {
                self.is_past(order, *process, end, &causes)?;
            }
        }
        Ok(())
    }

    /// For each read that is in the order of its process, the source that it
    /// has there: `Some(None)` if no write of its key is before it.
    fn sources_in(
        &self,
        orders: &[Vec<usize>],
        processes: &[ProcessId],
    ) -> Result<Vec<Option<Option<usize>>>, Unsound> {
        let mut sources = vec![None; self.history.len()];
        for (order, process) in orders.iter().zip(processes) {
            let mut held: BTreeMap<&Key, usize> = BTreeMap::new();
            for &at in order {
                let operation = self.operation(at);
                if !self.is_read(at) {
                    held.insert(&operation.call.key, at);
                } else if operation.process == *process {
                    sources[at] = Some(held.get(&operation.call.key).copied());
                } else {
                    return Unsound::because(format!(
                        "read {at} is in the order of another process"
                    ));
                }
            }
        }
        Ok(sources)
    }

    /// Verifies that the order has the causal past of this operation, without
    /// the reads of others, and that every cause comes before its effect.
    fn is_past(
        &self,
        order: &[usize],
        process: ProcessId,
        end: usize,
        causes: &[Vec<usize>],
    ) -> Replayed {
        let mut past = BTreeSet::from([end]);
        let mut open = vec![end];
        while let Some(at) = open.pop() {
            open.extend(causes[at].iter().filter(|cause| past.insert(**cause)));
        }
        past.retain(|at| !self.is_read(*at) || self.operation(*at).process == process);
        let place: BTreeMap<usize, usize> = order.iter().copied().zip(0..).collect();
        if place.len() != order.len() || !place.keys().eq(past.iter()) {
            return Unsound::because("an order has not the causal past of its process");
        }
        // Reads of others have no place in this order, but causes pass through
        // them: if B read x=1 and then wrote y=1, x=1 comes before y=1 for A as
        // well, although B's read is not in A's order. So a cause without a
        // place is replaced by its own causes.
        for &at in order {
            let mut open = causes[at].clone();
            let mut behind: BTreeSet<usize> = BTreeSet::new();
            while let Some(cause) = open.pop() {
                if !behind.insert(cause) {
                    continue;
                }
                match place.get(&cause) {
                    Some(earlier) if *earlier >= place[&at] => {
                        return Unsound::because(format!("{cause} should come before {at}"));
                    }
                    Some(_) => {}
                    None => open.extend(&causes[cause]),
                }
            }
        }
        Ok(())
    }
}
