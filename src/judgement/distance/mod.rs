//! How far a history of registers is from a single copy, beyond yes and no.
//!
//! One measure a file: [staleness](Staleness) in versions and in time,
//! [convergence](Convergence) after the last write, [lost](Lost) acknowledged
//! writes and those [suspected](Suspected) to be lost at a node, [backward](Backward)
//! reads across nodes and within [sessions](Sessions), [strange](Strange) answers, and the
//! [fates](Fates) of writes of unknown outcome. Each is defined at the top of its file and in docs/spec.md.
//!
//! Invariant: only what is certain is counted, every figure that is not zero
//! comes with the operations that show its worst case, and the same history
//! gives the same figures. It judges nothing: a figure is not a verdict. It
//! uses no model, except for the least k and Δ, which are those of
//! [`checker::least`](super::checker::least).
//!
//! Read next: `record` for what *known* and *certainly older* mean.

mod backward;
mod convergence;
mod fates;
mod lost;
mod record;
mod sessions;
mod staleness;
mod strange;
mod suspected;

pub use backward::{Backward, BackwardRead};
pub use convergence::{Convergence, KeyConvergence, Settled};
pub use fates::Fates;
pub use lost::{Lost, LostWrite};
pub use sessions::{Sessions, WentBack};
pub use staleness::{Pair, Quantiles, Spread, Stale, Staleness, Window};
pub use strange::{Strange, StrangeRead};
pub use suspected::{Hidden, Suspected};

use super::checker::{Judge, Leasts, least};
use super::verdict::Budget;
use crate::history::History;
use record::{Answer, Record, registers};

/// How far a history is from a single copy of each register.
///
/// Keys on which there are other operations than reads and writes are left
/// out, and counted. A read of a value that several writes could explain is
/// left out of staleness and of backward reads, and counted.
///
/// ```
/// use quiescence::history::notation;
/// use quiescence::judgement::Distance;
///
/// // x=1, then x=2, then a read of 1; in the end 1 again: 2 is lost.
/// let history = notation::parse("wx1 wx2|rx1|rx1! @ 00001122")?;
/// let distance = Distance::of(&history);
/// assert_eq!(distance.staleness.all.versions.max, 1);
/// assert_eq!(distance.lost.writes, [1]);
/// assert_eq!(distance.backward.count, 0);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Clone, Debug)]
pub struct Distance {
    /// How many reads were answered, on keys that are measured.
    pub reads: usize,
    /// How many of them have several possible sources.
    pub uncertain: usize,
    /// How many keys are left out, because of other operations on them.
    pub other_keys: usize,
    /// How old answers are.
    pub staleness: Staleness,
    /// How long answers still change after the last write.
    pub convergence: Convergence,
    /// Acknowledged writes of which nothing is left in the end.
    pub lost: Lost,
    /// Acknowledged writes that a node never shows, though it is read later.
    pub suspected: Suspected,
    /// Reads of something older than what was read elsewhere before.
    pub backward: Backward,
    /// Reads of something older than what their own process had before.
    pub sessions: Sessions,
    /// What became of writes of unknown outcome.
    pub fates: Fates,
    /// Reads that returned before their value was written.
    pub future: Strange,
    /// Reads of what only a failed write wrote.
    pub aborted: Strange,
    /// Reads of what nobody wrote.
    pub thin: Strange,
    /// The least k and Δ, if they were asked for.
    pub leasts: Option<Leasts>,
}

impl Distance {
    /// Measures a history, without the least k and Δ: see
    /// [`with_leasts`](Self::with_leasts).
    ///
    /// Complexity: O(n log n).
    pub fn of(history: &History) -> Distance {
        let (view, other_keys) = registers(history);
        Distance::measured(&Record::of(history, &view, other_keys))
    }

    /// The same of the history of a judge, with less work.
    pub fn of_judged(judge: &Judge<'_>) -> Option<Distance> {
        let history = judge.history()?;
        Some(match judge.registers() {
            Some(view) => Distance::measured(&Record::of(history, view, 0)),
            None => Distance::of(history),
        })
    }

    fn measured(record: &Record<'_>) -> Distance {
        let several = record.answers.iter().filter(|answer| **answer == Answer::Several);
        let [future, aborted, thin] = strange::measure(record);
        let lost = lost::measure(record);
        Distance {
            reads: record.reads().count(),
            uncertain: several.count(),
            other_keys: record.other_keys,
            staleness: staleness::measure(record),
            convergence: convergence::measure(record),
            suspected: suspected::measure(record, &lost.writes),
            lost,
            backward: backward::measure(record),
            sessions: sessions::measure(record),
            fates: fates::measure(record),
            future,
            aborted,
            thin,
            leasts: None,
        }
    }

    /// Adds the least k and the least Δ, the only figures that need a search:
    /// see [`least`] for what they cost. `history` is the one measured.
    pub fn with_leasts(mut self, history: &History, budget: Budget) -> Distance {
        self.leasts = Some(least(history, budget));
        self
    }
}
