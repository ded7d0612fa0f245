//! k-atomicity, and the least k: how stale, in versions.
//!
//! An order that keeps real time, in which a read may return any of the last k
//! writes of its key (the initial value counts as one). k = 1 is
//! linearizability. For more, [`search`](super::search) runs key by key over
//! registers that remember k values, within the budget; no polynomial
//! algorithm is known for k ≥ 3 (Golab, Hurwitz and Li, JPDC 2013).
//!
//! The least k is first bounded in O(n log n). From above: let every write
//! happen at the first return among itself and its reads, and every read as
//! early as it can; that is an order, so what it needs is enough. From below:
//! writes that begin after the source returned and return before the read
//! began are between the two in every order. Only what is in between is
//! searched. There is a k unless a read answered what nobody wrote, or
//! returned before its source was invoked.

use super::view::{Source, View};
use super::{Decision, Meter, Whole, linearizable};
use crate::history::{Call, History, Operation, Value};
use crate::judgement::datatype::{Datatype, Register};

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

    fn initial(&self) -> Value {
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
pub(super) fn decide(whole: &Whole<'_>, k: u32, meter: &mut Meter) -> Decision {
    match k {
        0 | 1 => linearizable::decide(whole, meter),
        _ => {
            let local = linearizable::is_local(whole.history);
            linearizable::search_keys(whole.history, &Recent(k as usize), local, meter)
        }
    }
}

/// What is known of the least k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// No k will do.
    None,
    /// This is it.
    Is(u32),
    /// It lies between these, both included; the budget ended.
    Between(u32, u32),
}

/// The least k.
pub(super) fn least(whole: &Whole<'_>, meter: &mut Meter) -> Least {
    let (mut lower, upper) = match Bounds::of(whole.history, whole.view()).find() {
        Ok(bounds) => bounds,
        Err(()) => return Least::None,
    };
    while lower < upper {
        match decide(whole, lower, meter) {
            Decision::Holds(_) => return Least::Is(lower),
            Decision::Fails(_) => lower += 1,
            Decision::Unknown(_) => return Least::Between(lower, upper),
        }
    }
    Least::Is(lower)
}

struct Bounds<'a> {
    history: &'a History,
    view: &'a View,
    /// When each write happens, from 1.
    points: Vec<u64>,
    /// The points of the writes of each key, ascending.
    of_key: Vec<Vec<u64>>,
}

impl<'a> Bounds<'a> {
    fn of(history: &'a History, view: &'a View) -> Self {
        let mut bounds = Bounds {
            history,
            view,
            points: Vec::with_capacity(view.writes.len()),
            of_key: vec![Vec::new(); view.keys],
        };
        for &item in &view.writes {
            bounds.points.push(bounds.times(item as usize).1);
        }
        for (at, item) in view.items.iter().enumerate() {
            if let [Source::Write(write)] = view.sources(item)
                && item.write.is_none()
            {
                let returned = bounds.times(at).1;
                let point = &mut bounds.points[*write as usize];
                *point = (*point).min(returned);
            }
        }
        for (write, &item) in view.writes.iter().enumerate() {
            let key = view.items[item as usize].key as usize;
            bounds.of_key[key].push(bounds.points[write]);
        }
        bounds.of_key.iter_mut().for_each(|list| list.sort_unstable());
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
        let reads = || (0..self.view.items.len()).filter(|&at| self.view.items[at].write.is_none());
        // How many versions each read needs in the order of the points.
        let mut needs = Vec::new();
        for read in reads() {
            needs.push((self.needs(read)?, read));
        }
        needs.sort_unstable_by(|a, b| b.cmp(a));
        let upper = needs.first().map_or(1, |(need, _)| *need);
        let mut lower = 1;
        for &(need, read) in needs.iter().take_while(|(need, _)| *need > 1) {
            if need <= lower {
                break;
            }
            lower = lower.max(self.certain(read));
        }
        Ok((lower, upper))
    }

    fn needs(&self, read: usize) -> Result<u32, ()> {
        let (invoked, returned) = self.times(read);
        let item = &self.view.items[read];
        let points = &self.of_key[item.key as usize];
        let began = |source: &Source| match *source {
            Source::Write(write) => self.times(self.view.writes[write as usize] as usize).0,
            _ => 0,
        };
        let possible = |source: &&Source| began(source) <= returned;
        match self.view.sources(item) {
            [source] if possible(&source) => {
                let at = match *source {
                    Source::Write(write) => self.points[write as usize],
                    _ => 0,
                };
                let newer = |until: u64| points.partition_point(|point| *point <= until);
                Ok((newer(invoked.max(at)) - newer(at)) as u32 + 1)
            }
            // Not worth guessing: everything may have come in between.
            sources if sources.iter().any(|source| possible(&source)) => {
                Ok(points.len() as u32 + 1)
            }
            _ => Err(()),
        }
    }

    /// How many versions the read needs in every order.
    fn certain(&self, read: usize) -> u32 {
        let item = &self.view.items[read];
        let invoked = self.times(read).0;
        let began = match self.view.sources(item) {
            [Source::Write(write)] => self.times(self.view.writes[*write as usize] as usize).1,
            [Source::Initial] => 0,
            _ => return 1,
        };
        let between = self.view.writes.iter().filter(|write| {
            let other = &self.view.items[**write as usize];
            let (from, to) = self.times(**write as usize);
            other.key == item.key && from > began && to < invoked
        });
        between.count() as u32 + 1
    }
}
