//! Searches on several threads.
//!
//! Invariant: results come in the order of the searches. Unless the time ends
//! first, they do not depend on the number of threads, except for the time that
//! they took. No search uses the time of another one, and an exhaustive hunt
//! does not use the time of the random hunt after it.

use std::cell::{Cell, OnceCell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::hunt::both::{Hunt, hunt};
use crate::hunt::exhaustive::{Stage, scope_text};
use crate::search::exhaustive::Open;

use super::interrupts;
use super::plan::Search;
use super::progress::{How, Now, Phase, Progress};
use super::quiet::quietly;

/// The limits of all searches together.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// The time for all searches, if it is limited.
    pub time: Option<Duration>,
    /// The number of threads.
    pub jobs: usize,
    /// The time elapsed so far.
    pub clock: &'a (dyn Fn() -> Duration + Sync),
    /// How progress is told.
    pub progress: How,
}

impl Limits<'_> {
    /// The share of the remaining time for a search that begins now, if `waiting`
    /// searches, itself included, have not begun.
    fn share(&self, waiting: usize) -> Option<Duration> {
        let left = self.time?.saturating_sub((self.clock)());
        let rounds = waiting.div_ceil(self.jobs.max(1)).max(1);
        Some(left / u32::try_from(rounds).unwrap_or(u32::MAX))
    }
}

/// What one search has of the time, counted from its beginning.
#[derive(Clone, Copy)]
struct Share {
    /// All of it, if time is limited.
    whole: Option<Duration>,
    /// Whether random runs follow the exhaustive hunt: then each has one half.
    halved: bool,
}

impl Share {
    /// When a part of the exhaustive hunt is to end. Each ends at its own moment, so time that
    /// a part does not use goes to those after it.
    fn of_part(self, part: u32, parts: u32) -> Option<Duration> {
        let halves = if self.halved { 2 } else { 1 };
        Some(self.whole? / halves * (part + 1) / parts)
    }

    /// When random runs that begin now are to end: they have all that is left, and at least
    /// their half, for the exhaustive hunt may notice late that its time is up.
    fn of_runs(self, now: Duration) -> Option<Duration> {
        let whole = self.whole?;
        Some(whole.max(now + whole / 2))
    }
}

/// The result of one search.
pub struct Done {
    /// What it found.
    pub hunt: Hunt,
    /// How long it took.
    pub time: Duration,
}

/// Runs all searches.
pub fn search_all(searches: &[Search], limits: Limits<'_>) -> Vec<Done> {
    let progress = Progress::new(limits.progress);
    let ended = AtomicUsize::new(0);
    let several = (searches.len() > 1).then_some((&ended, searches.len()));
    // With fewer searches than threads, each search gets several threads.
    let threads = (limits.jobs / searches.len().max(1)).max(1);
    let all = in_order(searches.len(), limits.jobs, |at| {
        let share = limits.share(searches.len() - at);
        let done = search_one(&searches[at], limits, share, threads, (&progress, several));
        ended.fetch_add(1, Ordering::Relaxed);
        done
    });
    progress.end();
    all
}

/// The results of so many pieces of work, in their order, done by several threads that take
/// one after the other.
pub fn in_order<T: Send>(pieces: usize, jobs: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<T>>> = (0..pieces).map(|_| Mutex::new(None)).collect();
    let take = || {
        quietly(|| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(slot) = slots.get(at) else { break };
                let done = work(at);
                *slot.lock().expect("nothing panics with the lock") = Some(done);
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(pieces) {
            scope.spawn(take);
        }
        take();
    });
    let filled = |slot: Mutex<Option<T>>| {
        let done = slot.into_inner().expect("nothing panics with the lock");
        done.expect("every piece was taken by a thread")
    };
    slots.into_iter().map(filled).collect()
}

fn search_one(
    search: &Search,
    limits: Limits<'_>,
    share: Option<Duration>,
    threads: usize,
    (progress, several): (&Progress, Option<(&AtomicUsize, usize)>),
) -> Done {
    let began = (limits.clock)();
    let elapsed = || (limits.clock)().saturating_sub(began);
    let mut plan = search.plan.clone();
    let share = Share { whole: share, halved: plan.random.is_some() };
    let second = OnceCell::new();
    let ends =
        |end: Option<Duration>| interrupts::noted() || end.is_some_and(|end| elapsed() >= end);
    let now = |phase: Phase, since: Duration| Now {
        name: search.short.clone(),
        phase,
        ended: several.map(|(ended, all)| (ended.load(Ordering::Relaxed), all)),
        since,
    };
    // Which scope is searched, and since when; since when runs are random.
    let (searched, sampled) = (Cell::new(None::<(Open, Duration)>), OnceCell::new());
    let look = |stage: Stage<'_>| {
        let begun = searched.get().filter(|(scope, _)| *scope == stage.scope);
        let (_, since) = begun.unwrap_or((stage.scope, elapsed()));
        searched.set(Some((stage.scope, since)));
        progress.tell(|| now(exhaustive(search, &stage), elapsed().saturating_sub(since)));
        ends(share.of_part(stage.part, stage.parts))
    };
    let stop = |runs: u64| {
        let since = *sampled.get_or_init(elapsed);
        let of = search.plan.random.as_ref().map_or(0, |random| random.runs);
        progress.tell(|| now(Phase::Random(runs, of), elapsed().saturating_sub(since)));
        ends(*second.get_or_init(|| share.of_runs(elapsed())))
    };
    if let Some(exhaustive) = &mut plan.exhaustive {
        exhaustive.jobs = threads;
    }
    let hunt = hunt(&*search.subject, &plan, &look, &stop);
    Done { hunt, time: elapsed() }
}

/// What an exhaustive search does now.
fn exhaustive(search: &Search, stage: &Stage<'_>) -> Phase {
    let plan = search.plan.exhaustive.as_ref();
    Phase::Exhaustive {
        scope: plan.map_or(String::new(), |plan| scope_text(&stage.scope, &plan.menu)),
        states: stage.progress.states,
        frontier: stage.progress.frontier,
        depth: stage.progress.depth,
        memory: (stage.progress.bytes, plan.map_or(0, |plan| plan.limits.bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_shared_by_those_that_have_not_begun() {
        let at = |seconds, jobs, waiting| {
            let clock = move || Duration::from_secs(seconds);
            let limits = Limits {
                time: Some(Duration::from_secs(60)),
                jobs,
                clock: &clock,
                progress: How::Never,
            };
            limits.share(waiting).map(|share| share.as_secs())
        };
        assert_eq!(at(0, 1, 1), Some(60));
        assert_eq!(at(0, 1, 3), Some(20));
        assert_eq!(at(0, 2, 3), Some(30), "two at the same time, then one");
        assert_eq!(at(0, 8, 3), Some(60));
        assert_eq!(at(30, 1, 2), Some(15));
        assert_eq!(at(61, 1, 2), Some(0));
        let endless =
            Limits { time: None, jobs: 1, clock: &|| Duration::ZERO, progress: How::Never };
        assert_eq!(endless.share(3), None);
    }

    #[test]
    fn no_part_takes_the_time_of_those_after_it() {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        let parts = |share: Share| [0, 1, 2].map(|part| seconds(share.of_part(part, 3)));
        let alone = Share { whole: Some(Duration::from_secs(60)), halved: false };
        assert_eq!(parts(alone), [Some(20), Some(40), Some(60)]);
        let both = Share { halved: true, ..alone };
        assert_eq!(parts(both), [Some(10), Some(20), Some(30)]);
        let endless = Share { whole: None, halved: true };
        assert_eq!(parts(endless), [None; 3]);
        assert_eq!(endless.of_runs(Duration::from_secs(5)), None);
    }

    #[test]
    fn random_runs_have_their_half_however_late_they_begin() {
        let share = Share { whole: Some(Duration::from_secs(60)), halved: true };
        let runs = |now| share.of_runs(Duration::from_secs(now)).map(|end| end.as_secs());
        assert_eq!(runs(0), Some(60), "all that the exhaustive hunt did not use");
        assert_eq!(runs(30), Some(60));
        assert_eq!(runs(45), Some(75));
        assert_eq!(runs(1_000), Some(1_030));
    }
}
