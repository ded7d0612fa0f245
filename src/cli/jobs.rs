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
    // The exhaustive hunt gets half of the share. The random hunt gets all that is
    // left, and at least its half: the exhaustive one may notice late that its
    // time is up.
    let half = share.map(|share| share / 2);
    let first = if plan.random.is_some() { half } else { share };
    let second = OnceCell::new();
    let ends = |share: Option<Duration>| {
        interrupts::noted() || share.is_some_and(|share| elapsed() >= share)
    };
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
        // Each part ends at its own moment since the beginning of the hunt, so time
        // that a part does not use goes to those after it.
        ends(first.map(|first| first * (stage.part + 1) / stage.parts))
    };
    let stop = |runs: u64| {
        let since = *sampled.get_or_init(elapsed);
        let of = search.plan.random.as_ref().map_or(0, |random| random.runs);
        progress.tell(|| now(Phase::Random(runs, of), elapsed().saturating_sub(since)));
        let late = || share.zip(half).map(|(share, half)| share.max(elapsed() + half));
        ends(*second.get_or_init(late))
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
    use std::sync::atomic::AtomicU64;

    use clap::Parser;

    use super::*;
    use crate::catalogue::{Family, Registry, Variants};
    use crate::cli::args::CheckArgs;
    use crate::cli::plan;
    use crate::hunt::exhaustive::Doubt;
    use crate::replication::synchronous::abd::{Abd, WriteBack};
    use crate::world::{Network, Setting};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: CheckArgs,
    }

    fn searches(line: &str) -> Vec<Search> {
        let words = std::iter::once("check").chain(line.split_whitespace());
        let args = Line::parse_from(words).args;
        // Every strategy of the catalogue would make these tests slow to compile.
        let family = |name| {
            let variants = Variants::of(Abd { write_back: WriteBack::Always });
            Family::new(name, "a test", &Setting::calm(3, Network::Unordered), variants)
        };
        let registry = Registry::empty().with(family("a")).with(family("b")).with(family("c"));
        plan::named(&args, &registry, 1).expect("the strategies exist")
    }

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
    fn no_search_and_no_hunt_takes_the_time_of_another() {
        // Each call of this clock takes a millisecond; nothing else takes time.
        let looks = AtomicU64::new(0);
        let clock = || Duration::from_millis(looks.fetch_add(1, Ordering::Relaxed));
        let time = Duration::from_millis(480);
        let limits = Limits { time: Some(time), jobs: 1, clock: &clock, progress: How::Never };
        let searches = searches("a b c --deep --patient-timers");
        assert_eq!(searches.len(), 3);
        let begun = |doubt: &Doubt| matches!(doubt, Doubt::Bounded { states: 2.., .. });
        for (search, done) in searches.iter().zip(search_all(&searches, limits)) {
            let Hunt { conclusions, sampled, .. } = done.hunt;
            assert!(sampled.runs > 0 && sampled.cut_short, "{}: {sampled:?}", search.short);
            for found in conclusions.iter().filter(|found| found.finding.is_none()) {
                let searched = !found.proofs.is_empty() || found.doubts.iter().any(begun);
                assert!(searched, "{}, {}: {:?}", search.short, found.property, found.doubts);
            }
            let share = time / 3;
            assert!(done.time < share * 5 / 4, "{}: {:?}", search.short, done.time);
        }
    }

    #[test]
    fn a_random_hunt_has_its_half_however_late_the_exhaustive_one_ends() {
        // From its eleventh call on, this clock is far past the end.
        let looks = AtomicU64::new(0);
        let clock = || {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            Duration::from_millis(if look < 10 { look } else { 1_000 + look })
        };
        let time = Some(Duration::from_millis(100));
        let limits = Limits { time, jobs: 1, clock: &clock, progress: How::Never };
        let done = search_all(&searches("a --deep"), limits).remove(0);
        assert!(done.time > Duration::from_millis(1_000), "{:?}", done.time);
        assert!(done.hunt.sampled.runs > 0 && done.hunt.sampled.cut_short);
    }
}
