//! Searches on several threads.
//!
//! Invariant: results come in the order of the searches and do not depend on
//! how many threads there are; only how long they took does.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::hunt::both::{Hunt, hunt};
use crate::report::count;
use crate::search::exhaustive::Progress;

use super::exit::{Exit, Failure};
use super::plan::Search;
use super::quiet::quietly;

/// Whether the user has asked to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What limits all searches together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When to stop.
    pub deadline: Option<Instant>,
    /// How many threads.
    pub jobs: usize,
}

/// One search done.
pub struct Done {
    /// What it found.
    pub hunt: Hunt,
    /// How long it took.
    pub time: Duration,
}

/// Whether the user has asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Lets an interrupt end searches instead of the process; a second one ends
/// the process.
pub fn catch_interrupts() -> Result<(), Failure> {
    let stop = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    };
    match ctrlc::set_handler(stop) {
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(error) => Err(Failure::new(format!("interrupts cannot be caught: {error}"))),
    }
}

/// Does all searches.
pub fn search_all(searches: &[Search], limits: Limits) -> Vec<Done> {
    let bar = progress(searches.iter().map(runs).sum());
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<Done>>> = searches.iter().map(|_| Mutex::new(None)).collect();
    // Threads that are not needed for searches help inside them.
    let threads = (limits.jobs / searches.len().max(1)).max(1);
    let work = || {
        quietly(|| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(search) = searches.get(at) else { break };
                let done = search_one(search, limits, threads, &bar);
                *slots[at].lock().expect("no search panics with the lock") = Some(done);
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 1..limits.jobs.min(searches.len()) {
            scope.spawn(work);
        }
        work();
    });
    bar.finish_and_clear();
    let filled = |slot: Mutex<Option<Done>>| {
        let done = slot.into_inner().expect("no search panics with the lock");
        done.expect("every search was taken by a thread")
    };
    slots.into_iter().map(filled).collect()
}

/// How many random runs a search does.
fn runs(search: &Search) -> u64 {
    search.plan.random.as_ref().map_or(0, |random| random.runs)
}

fn search_one(search: &Search, limits: Limits, threads: usize, bar: &ProgressBar) -> Done {
    let began = Instant::now();
    let shown = AtomicUsize::new(0);
    let ends =
        || interrupted() || limits.deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let look = |progress: &Progress| {
        bar.set_message(format!("{}: {}", search.short, told(progress, began)));
        bar.tick();
        ends()
    };
    let stop = |runs: u64| {
        let runs = usize::try_from(runs).unwrap_or(usize::MAX);
        bar.inc((runs - shown.swap(runs, Ordering::Relaxed)) as u64);
        bar.set_message(search.short.clone());
        ends()
    };
    let mut plan = search.plan.clone();
    if let Some(exhaustive) = &mut plan.exhaustive {
        exhaustive.jobs = threads;
    }
    let hunt = hunt(&*search.subject, &plan, &look, &stop);
    bar.inc(runs(search).saturating_sub(shown.load(Ordering::Relaxed) as u64));
    Done { hunt, time: began.elapsed() }
}

/// How far a search has come, in one line.
pub fn told(progress: &Progress, began: Instant) -> String {
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    let rate = (progress.states as f64 / seconds) as u64;
    format!(
        "{} states · {}/s · frontier {} · depth {} · {} MB",
        count(progress.states),
        count(rate),
        count(progress.frontier),
        progress.depth,
        count(progress.bytes >> 20),
    )
}

/// A bar on the terminal of standard error, or without random runs a line;
/// nothing where there is no terminal.
pub fn progress(runs: u64) -> ProgressBar {
    if runs == 0 {
        let style = ProgressStyle::with_template("{spinner} {elapsed} · {msg}");
        return ProgressBar::new_spinner().with_style(style.expect("the template is well-formed"));
    }
    let style = "{bar:24} {human_pos} of {human_len} runs · {per_sec} · {eta} left · {msg}";
    let style = ProgressStyle::with_template(style).expect("the template is well-formed");
    ProgressBar::new(runs).with_style(style)
}
