//! The search yardstick: every state of a replicated stamp on three replicas.
//! `cargo bench --bench exhaustive` prints distinct states, transitions, how
//! often a handler ran, states a second, and the peak memory of the process.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::cell::Cell;
use std::time::Instant;

use quiescence::catalogue::bench::{agree, puts, setting};
use quiescence::replication::yardstick::{Keeps, Yardstick};
use quiescence::search::exhaustive::{
    Ending, Exploration, Limits, Plan, Progress, Reduce, Tracks, Work, explore,
};

/// The peak resident memory of this process so far, where Linux tells it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |line| line.trim().to_owned())
}

fn plan(writes: usize, reduce: Reduce, jobs: usize) -> Plan<'static> {
    Plan {
        work: Work::Scripted(puts(writes)),
        tracks: Tracks::default(),
        reduce,
        limits: Limits::default(),
        lively: 0,
        quieting: 0,
        panics: false,
        patient: false,
        jobs,
        stop: &|_| false,
    }
}

fn search(nodes: u16, writes: usize, reduce: Reduce, jobs: usize) -> Exploration {
    let plan = plan(writes, reduce, jobs);
    let mut judge = agree;
    explore(&Yardstick(Keeps::Larger), &setting(nodes), &plan, 1, &mut judge).expect("covered")
}

/// States a second of one large search, from one million states to twenty.
fn rates() {
    let marks = [1, 2, 3, 5, 8, 10, 12, 15, 18, 20].map(|million| million * 1_000_000);
    let begin = Instant::now();
    let next = Cell::new(0);
    let look = |progress: &Progress| {
        if marks.get(next.get()).is_some_and(|mark| progress.states >= *mark) {
            let seconds = begin.elapsed().as_secs_f64();
            println!(
                "{:>10} states  depth {:>2}  {seconds:>7.3} s  {:>9.0} states/s",
                progress.states,
                progress.depth,
                progress.states as f64 / seconds,
            );
            next.set(next.get() + 1);
        }
        next.get() == marks.len()
    };
    println!("lww, 3 replicas, 9 puts, no reduction, 1 thread: states a second so far");
    let plan = Plan { stop: &look, ..plan(9, Reduce::NONE, 1) };
    let mut judge = agree;
    explore(&Yardstick(Keeps::Larger), &setting(3), &plan, 1, &mut judge).expect("covered");
}

fn main() {
    rates();
    let macros = Reduce { macro_steps: true, ..Reduce::NONE };
    let runs = [(Reduce::NONE, 1, 2..=8), (Reduce::NONE, 2, 6..=8), (macros, 1, 4..=10)];
    for (reduce, jobs, range) in runs {
        println!("lww, 3 replicas, two clients; reduction {reduce}, {jobs} thread(s)");
        for writes in range {
            let begin = Instant::now();
            let found = search(3, writes, reduce, jobs);
            let seconds = begin.elapsed().as_secs_f64();
            assert_eq!(found.ending, Ending::Complete, "last writer wins converges");
            println!(
                "{writes} puts  {:>9} states  {:>10} transitions  {:>6} local steps  {seconds:>7.3} s  {:>9.0} states/s  peak {}",
                found.states,
                found.transitions,
                found.local_steps,
                found.states as f64 / seconds,
                peak_memory(),
            );
        }
    }
}
