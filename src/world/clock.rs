//! Clocks that tick by themselves, and the deadlines that they come to.
//!
//! Strategies with deadlines have them, one clock a node. A clock ticks as long as it is
//! behind the greatest deadline that is armed at any node, unless that would bring it
//! too far from another one. So time passes only while somebody waits for it, and a
//! search stays finite.
//!
//! Invariant: of two clocks that start within the bound neither ever leaves it, and a
//! deadline that is armed can be reached: the lowest clock may always tick. A crash keeps
//! the clock, which goes on while its node is down. Or, if the plan says so, it shows again
//! what it showed at first; then others wait until it has come within the bound.

use smallvec::SmallVec;

use crate::replication::TimerId;

/// The clock of a node, and what waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    reading: u64,
    /// What it shows after a crash, if that loses it.
    first: Option<u64>,
    /// Deadlines that have not come, ascending by timer.
    ahead: SmallVec<[(TimerId, u64); 1]>,
}

impl Clock {
    /// A clock that shows this, and for which nobody waits; whether a crash loses it.
    pub(super) fn at(reading: u64, lost: bool) -> Self {
        Clock { reading, first: lost.then_some(reading), ahead: SmallVec::new() }
    }

    /// What it shows.
    pub(crate) fn reading(&self) -> u64 {
        self.reading
    }

    /// The greatest deadline that has not come; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.ahead.iter().map(|(_, deadline)| *deadline).max().unwrap_or(0)
    }

    /// Whether this timer need not wait for it.
    pub(super) fn is_due(&self, timer: TimerId) -> bool {
        self.ahead.iter().all(|(waits, _)| *waits != timer)
    }

    /// Lets a timer wait for a deadline instead of what it waited for.
    pub(super) fn wait(&mut self, timer: TimerId, deadline: u64) {
        self.forget(timer);
        if deadline > self.reading {
            let place = self.ahead.partition_point(|(waits, _)| *waits < timer);
            self.ahead.insert(place, (timer, deadline));
        }
    }

    /// This timer waits no more.
    pub(super) fn forget(&mut self, timer: TimerId) {
        self.ahead.retain(|(waits, _)| *waits != timer);
    }

    /// No timer waits any more.
    pub(super) fn forget_all(&mut self) {
        self.ahead.clear();
    }

    /// Its node crashes. No timer waits any more.
    pub(super) fn crash(&mut self) {
        self.reading = self.first.unwrap_or(self.reading);
        self.forget_all();
    }

    /// Goes on by one tick.
    pub(super) fn tick(&mut self) {
        self.reading += 1;
        self.ahead.retain(|(_, deadline)| *deadline > self.reading);
    }
}

/// What decides whether other clocks may tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hands {
    /// What a clock shows; more than any other if its node is gone for good.
    pub(crate) reading: u64,
    /// The greatest deadline that has not come; 0 if there is none.
    pub(crate) last: u64,
}

impl Hands {
    /// Whether the clock at a place may tick: somebody waits for it to go on, and none
    /// of the others is `apart` behind already.
    #[inline]
    pub(crate) fn may_tick(
        place: usize,
        all: impl Iterator<Item = Hands> + Clone,
        apart: u64,
    ) -> bool {
        let Some(reading) = all.clone().nth(place).map(|hands| hands.reading) else { return false };
        reading < u64::MAX
            && all.clone().any(|hands| hands.last > reading)
            && all.into_iter().all(|other| reading.saturating_sub(other.reading) < apart)
    }

    /// Which clock ticks next in a round of settling, in which every clock ticks that is
    /// the `lowest` where the round begins, as long as a deadline is ahead of it.
    pub(crate) fn to_tick(
        mut all: impl Iterator<Item = Hands> + Clone,
        lowest: &mut Option<u64>,
    ) -> Option<usize> {
        let least = all.clone().map(|hands| hands.reading).min()?;
        let lowest = *lowest.get_or_insert(least);
        let waits = all.clone().any(|hands| hands.last > lowest);
        if waits { all.position(|hands| hands.reading == lowest) } else { None }
    }
}
