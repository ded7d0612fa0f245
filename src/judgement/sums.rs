//! Which reads of counters are outside what can have been counted.
//!
//! A read answers at least what the counter held at first, with every increment that was
//! acknowledged before the read was invoked and every decrement that was asked for before
//! the read returned; and at most what it held at first, with every increment asked for
//! by then and every decrement acknowledged before. Increments and decrements that failed
//! do not count. These are the bounds of the checker *counter* of Jepsen (Kingsbury),
//! with decrements. A read within them may still be wrong.
//!
//! What only answers together with an update is no read here. Counters with other
//! operations are left out, and counted. O(n log n).

use super::datatype::change;
use super::measured::fitting;
use crate::history::{Completion, History, Operation, Value};

/// Which reads are outside their bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many counters were measured.
    pub counters: usize,
    /// How many keys have other operations and are left out.
    pub other_keys: usize,
    /// How many reads were answered.
    pub reads: usize,
    /// How many of them answered too little.
    pub low: usize,
    /// The one that answered least, compared with its bound.
    pub lowest: Option<Outside>,
    /// How many answered too much.
    pub high: usize,
    /// The one that answered most, compared with its bound.
    pub highest: Option<Outside>,
}

/// A read outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Its position in the history.
    pub read: usize,
    /// The bound: what it should at least, or at most, have answered.
    pub bound: i128,
    /// How far from the bound the answer is.
    pub by: u128,
}

/// Amounts with the times from which on they count, and their sums.
#[derive(Default)]
struct Amounts(Vec<(u64, i128)>);

impl Amounts {
    /// Sorts them, and adds up what counts from each time on.
    fn added_up(mut self) -> Amounts {
        self.0.sort_unstable();
        let mut sum = 0;
        for (_, amount) in &mut self.0 {
            sum += *amount;
            *amount = sum;
        }
        self
    }

    /// The sum of those for whose time this is true.
    fn sum(&self, counts: impl Fn(u64) -> bool) -> i128 {
        let end = self.0.partition_point(|(time, _)| counts(*time));
        end.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

impl Sums {
    /// Measures all counters of a history, which hold `initial` at first.
    pub fn of(history: &History, initial: i64) -> Sums {
        let (counters, other_keys) = fitting(history, |operation| {
            let call = &operation.call;
            match &operation.completion {
                Completion::Ok(answer) if call.is_read() => matches!(answer, Value::Int(_)),
                _ => call.is_read() || change(call).is_some(),
            }
        });
        let mut all = Sums { other_keys, ..Sums::default() };
        for own in counters {
            all.measure(history.operations(), &own, initial);
        }
        all
    }

    /// Whether a read is outside its bounds.
    pub fn tells(&self) -> bool {
        self.low + self.high > 0
    }

    fn measure(&mut self, operations: &[Operation], own: &[usize], initial: i64) {
        // What is asked for, and what is acknowledged: of decrements and of increments.
        let (mut asked, mut acked): ([Amounts; 2], [Amounts; 2]) = Default::default();
        let happened = |at: &&usize| operations[**at].completion != Completion::Fail;
        for operation in own.iter().filter(happened).map(|at| &operations[*at]) {
            let Some(amount) = change(&operation.call) else { continue };
            let sort = usize::from(amount > 0);
            asked[sort].0.push((operation.invoked, i128::from(amount)));
            if let (Completion::Ok(_), Some(returned)) = (&operation.completion, operation.returned)
            {
                acked[sort].0.push((returned, i128::from(amount)));
            }
        }
        let (asked, acked) = (asked.map(Amounts::added_up), acked.map(Amounts::added_up));
        self.counters += 1;
        for &at in own {
            let operation = &operations[at];
            let Some(Value::Int(answer)) = operation.answer() else { continue };
            self.reads += 1;
            let before = |time: u64| time < operation.invoked;
            let by_then = |time: u64| operation.returned.is_none_or(|returned| time <= returned);
            let (answer, initial) = (i128::from(*answer), i128::from(initial));
            let least = initial + acked[1].sum(before) + asked[0].sum(by_then);
            let most = initial + asked[1].sum(by_then) + acked[0].sum(before);
            let (count, worst, bound) = match answer {
                low if low < least => (&mut self.low, &mut self.lowest, least),
                high if high > most => (&mut self.high, &mut self.highest, most),
                _ => continue,
            };
            *count += 1;
            let by = answer.abs_diff(bound);
            if worst.is_none_or(|worst| (worst.by, at) < (by, worst.read)) {
                *worst = Some(Outside { read: at, bound, by });
            }
        }
    }
}
