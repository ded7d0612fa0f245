//! Decides k-atomicity, and finds the least k: staleness in versions.
//!
//! The order keeps real time, and a read may return any of the last k writes of
//! its key (the initial value counts as one). k = 1 is linearizability; k = 2
//! with known sources has a fast procedure of its own ([`two_atomic`]). For
//! more, [`search`](super::search) runs key by key over registers that remember
//! k values, within the budget; no polynomial algorithm is known for k ≥ 3
//! (Golab, Hurwitz and Li, ICDCS 2013).
//!
//! The least k is first bounded in O(n log n). From above: place every write at
//! the first return among itself and its reads, and every read as early as
//! possible; that is an order, so the k that it needs is enough. From below: a
//! write that is invoked after the source of a read returned, and that returns
//! before the read is invoked, is between the two in every order. Only the
//! values between the bounds are searched. There is a k unless a read answered
//! what nobody wrote, or returned before its source was invoked.
//!
//! All that is true if real time keeps the order of sessions. If a process begins
//! an operation at the instant at which its last one ends, the order from above
//! may break a session, so as many versions as there are writes are the bound.

use super::{keys, linearizable};
use crate::history::{Call, History, Key, Operation, Value};
use crate::judgement::checker::registers::two_atomic;
use crate::judgement::checker::time::is_local;
use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::datatype::{Datatype, Register};
use crate::judgement::number::{count, index, number_of};
use crate::judgement::verdict::Witness;

/// A register that remembers its last k values, newest last.
struct Recent(usize);

impl Datatype for Recent {
    fn name(&self) -> &'static str {
        "register that remembers"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.knows(call, answer)
    }

    fn only_reads(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn initial(&self, _: &Key) -> Value {
        vec![Value::Null].into()
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(values) = held else { return None };
        if call.is_read() {
            return answer.is_none_or(|answer| values.contains(answer)).then(|| held.clone());
        }
        let older = (values.len() + 1).saturating_sub(self.0);
        let mut values = values[older..].to_vec();
        values.push(call.argument.clone());
        Some(values.into())
    }
}

/// Decides k-atomicity for a whole history or a part of it.
pub(in crate::judgement::checker) fn decide(
    whole: &Whole<'_>,
    k: u32,
    meter: &mut Meter,
) -> Decision {
    match k {
        0 | 1 => linearizable::decide(whole, meter),
        2 => two(whole, meter),
        _ => remembering(whole, k, meter),
    }
}

/// Decides by search over registers that remember.
fn remembering(whole: &Whole<'_>, k: u32, meter: &mut Meter) -> Decision {
    let local = is_local(whole.history);
    keys::search_keys(whole.history, &Recent(index(k)), local, meter)
}

/// Decides 2-atomicity: by zones if all sources are known and keys are
/// independent.
fn two(whole: &Whole<'_>, meter: &mut Meter) -> Decision {
    let (history, view) = (whole.history, whole.view());
    if !is_local(history) || !view.has_known_sources() {
        return remembering(whole, 2, meter);
    }
    // This procedure needs no budget, but minimising a counterexample runs it
    // on thousands of parts, and that must end.
    if !meter.spend(count(history.len()) / 16) {
        return Decision::unknown("the budget ended");
    }
    match two_atomic::decide(history, view) {
        Ok(orders) => Decision::Holds(Witness::Linear(keys::merged(history, orders, 0))),
        Err(part) => Decision::Fails(part),
    }
}

/// What is known of the least k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// No k is enough.
    None,
    /// The least k.
    Is(u32),
    /// It lies between these, both included; the budget ended.
    Between(u32, u32),
}

/// The least k.
pub(in crate::judgement::checker) fn least(whole: &Whole<'_>, meter: &mut Meter) -> Least {
    let bounds = Bounds::of(whole.history, whole.view());
    let (mut lower, upper) = match bounds.find() {
        Ok(found) => found,
        Err(()) => return Least::None,
    };
    while lower < upper {
        match decide(whole, lower, meter) {
            Decision::Holds(_) => return Least::Is(lower),
            Decision::Fails(_) => lower += 1,
            Decision::Unknown(_) => return Least::Between(lower, upper),
        }
    }
    if bounds.local {
        return Least::Is(lower);
    }
    // A session may have read before it wrote what it read: then no k is enough.
    match decide(whole, upper, meter) {
        Decision::Holds(_) => Least::Is(upper),
        Decision::Fails(_) => Least::None,
        Decision::Unknown(_) => Least::Between(upper, u32::MAX),
    }
}

struct Bounds<'a> {
    history: &'a History,
    view: &'a View,
    /// Whether an order in real time keeps the order of sessions by itself.
    local: bool,
    /// The time at which each write happens, from 1, and its rank among the
    /// writes of its key, from 1: those at the same time have different ranks.
    points: Vec<(u64, u32)>,
    /// The times of the writes of each key, ascending.
    of_key: Vec<Vec<u64>>,
}

impl<'a> Bounds<'a> {
    fn of(history: &'a History, view: &'a View) -> Self {
        let mut bounds = Bounds {
            history,
            view,
            local: is_local(history),
            points: Vec::with_capacity(view.writes.len()),
            of_key: vec![Vec::new(); view.keys],
        };
        for &item in &view.writes {
            bounds.points.push((bounds.times(index(item)).1, 0));
        }
        for (at, item) in view.items.iter().enumerate() {
            if let [Source::Write(write)] = view.sources(item)
                && item.write.is_none()
            {
                let returned = bounds.times(at).1;
                let point = &mut bounds.points[index(*write)].0;
                *point = (*point).min(returned);
            }
        }
        let mut order: Vec<usize> = (0..view.writes.len()).collect();
        order.sort_unstable_by_key(|&write| (bounds.points[write].0, write));
        for write in order {
            let list = &mut bounds.of_key[index(view.write(write).key)];
            list.push(bounds.points[write].0);
            bounds.points[write].1 = number_of(list.len());
        }
        bounds
    }

    /// Invocation and return of an item, from 1.
    fn times(&self, item: usize) -> (u64, u64) {
        let operation: &Operation = &self.history.operations()[self.view.items[item].at];
        let returned = operation.returned.unwrap_or(u64::MAX);
        (operation.invoked.saturating_add(1), returned.saturating_add(1))
    }

    /// A lower and an upper bound.
    fn find(&self) -> Result<(u32, u32), ()> {
        let reads = (0..self.view.items.len()).filter(|&at| self.view.items[at].write.is_none());
        // How many versions each read needs in the order of the points.
        let mut upper = 1;
        for read in reads {
            upper = upper.max(self.needs(read)?);
        }
        Ok((self.certain().min(upper), upper))
    }

    fn needs(&self, read: usize) -> Result<u32, ()> {
        let (invoked, returned) = self.times(read);
        let item = &self.view.items[read];
        let points = &self.of_key[index(item.key)];
        let began = |source: &Source| match *source {
            Source::Write(write) => self.times(index(self.view.writes[index(write)])).0,
            _ => 0,
        };
        let possible = |source: &&Source| began(source) <= returned;
        match self.view.sources(item) {
            [source] if self.local && possible(&source) => {
                let (at, nth) = match *source {
                    Source::Write(write) => self.points[index(write)],
                    _ => (0, 0),
                };
                // The read happens right after its source, or when it is
                // invoked if that is later.
                let before = number_of(points.partition_point(|point| *point < invoked));
                Ok(if invoked <= at { 1 } else { before - nth + 1 })
            }
            // It has several possible sources, or the points may not keep the
            // order of sessions: any of the writes may come in between.
            sources if sources.iter().any(|source| possible(&source)) => {
                Ok(number_of(points.len()) + 1)
            }
            _ => Err(()),
        }
    }

    /// How many versions some read needs in every order: one sweep over the
    /// returns of writes and the invocations of reads.
    fn certain(&self) -> u32 {
        let mut reads: Vec<Vec<(u64, u64)>> = vec![Vec::new(); self.view.keys];
        let mut writes = reads.clone();
        for (at, item) in self.view.items.iter().enumerate() {
            let (invoked, returned) = self.times(at);
            let after = match self.view.sources(item) {
                _ if item.write.is_some() => {
                    writes[index(item.key)].push((returned, invoked));
                    continue;
                }
                [Source::Write(write)] => self.times(index(self.view.writes[index(*write)])).1,
                [Source::Initial] => 0,
                _ => continue,
            };
            reads[index(item.key)].push((invoked, after));
        }
        let keys = reads.into_iter().zip(writes);
        keys.map(|(reads, writes)| most_between(reads, writes)).max().unwrap_or(0) + 1
    }
}

/// The most writes (return, invocation) that lie between a read (invocation,
/// return of its source) and its source in every order.
fn most_between(mut reads: Vec<(u64, u64)>, mut writes: Vec<(u64, u64)>) -> u32 {
    reads.sort_unstable();
    writes.sort_unstable();
    let mut begins: Vec<u64> = writes.iter().map(|(_, invoked)| *invoked).collect();
    begins.sort_unstable();
    let mut returned = writes.iter().peekable();
    let mut count = 0;
    let mut most = 0;
    // A Fenwick tree over the invocations of the writes that have returned.
    let mut tree = vec![0_u32; begins.len() + 1];
    for (invoked, after) in reads {
        while let Some((_, began)) = returned.next_if(|(returned, _)| *returned < invoked) {
            count += 1;
            let mut at = begins.partition_point(|other| other < began) + 1;
            while at < tree.len() {
                tree[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
        let mut at = begins.partition_point(|began| *began <= after);
        let mut earlier = 0;
        while at > 0 {
            earlier += tree[at];
            at &= at - 1;
        }
        most = most.max(count - earlier);
    }
    most
}
