//! Random protocols, on which all engines must agree.
//!
//! The exhaustive search, with every reduction and on one thread and two, must
//! agree with the dumb search, which has no optimisations: the same number of
//! states, the same verdict of every property, runs as short as the shortest,
//! and cases that replay. Every change of an engine has to pass this test.
//! `QUIESCENCE_PROFILE=deep` tries a million protocols,
//! `QUIESCENCE_PROTOCOLS=FROM..UNTIL` those with these seeds.

mod compare;
mod dumb;
mod kinds;
mod known;
pub mod strategy;

use std::collections::BTreeMap;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use compare::{Came, Sample, compare, compare_stale};
use strategy::bytes_of;

/// The seeds to try: so many, unless something else is asked for.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    if let Ok(range) = std::env::var("QUIESCENCE_PROTOCOLS") {
        let (from, until) = range.split_once("..").expect("FROM..UNTIL");
        return from.parse().expect("a number")..until.parse().expect("a number");
    }
    match std::env::var("QUIESCENCE_PROFILE").as_deref() {
        Ok("deep") => 0..1_000_000,
        _ => 0..usual,
    }
}

/// While this value lives, panics on unnamed threads print nothing, because
/// handlers panic thousands of times here. Tests run on named threads.
struct Quiet;

static QUIET: AtomicUsize = AtomicUsize::new(0);

impl Quiet {
    fn now() -> Quiet {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let loud = take_hook();
            set_hook(Box::new(move |info| {
                if QUIET.load(Ordering::Relaxed) == 0 || thread::current().name().is_some() {
                    loud(info);
                }
            }));
        });
        QUIET.fetch_add(1, Ordering::Relaxed);
        Quiet
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Compares samples on all cores. Returns how often each result occurred, and
/// the first disagreements by seed.
fn compare_all(
    seeds: std::ops::Range<u64>,
    sample: impl Fn(&[u8]) -> Sample + Sync + std::panic::RefUnwindSafe,
) -> (BTreeMap<Came, u64>, BTreeMap<u64, String>) {
    on_all_cores(seeds, |seed| compare(&sample(&bytes_of(seed))))
}

/// Does something with each seed on all cores. Returns how often each result occurred,
/// and the first panics by seed.
fn on_all_cores(
    seeds: std::ops::Range<u64>,
    each: impl Fn(u64) -> Came + Sync + std::panic::RefUnwindSafe,
) -> (BTreeMap<Came, u64>, BTreeMap<u64, String>) {
    let _quiet = Quiet::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let (mut came, mut wrong) = (BTreeMap::new(), BTreeMap::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || wrong.len() > 20 {
                return (came, wrong);
            }
            match catch_unwind(|| each(seed)) {
                Ok(what) => *came.entry(what).or_insert(0) += 1,
                Err(payload) => {
                    let said = payload.downcast_ref::<&str>().copied().map(str::to_owned);
                    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
                    wrong.insert(seed, said.unwrap_or_default());
                }
            }
        }
    };
    let done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("panics are caught")).collect()
    });
    let (mut came, mut wrong) = (BTreeMap::new(), BTreeMap::new());
    for (some, more) in done {
        some.into_iter().for_each(|(what, count)| *came.entry(what).or_insert(0) += count);
        wrong.extend(more);
    }
    (came, wrong)
}

#[test]
fn the_search_says_of_random_protocols_what_whole_worlds_say() {
    let (came, wrong) = compare_all(seeds(600), |bytes| Sample::of(bytes, true));
    println!("{came:?}");
    nothing(&wrong);
    let count = |what: Came| came.get(&what).copied().unwrap_or(0);
    assert!(count(Came::Kept) > 0 && count(Came::Violated) > count(Came::TooLarge) / 4);
}

#[test]
fn declarations_of_random_protocols_are_right_or_are_found_to_be_wrong() {
    let (fewer, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
    let seeds = seeds(300);
    let each = |seed| {
        let bytes = bytes_of(seed);
        let samples =
            [Sample::of(&bytes, false), Sample::with_cuts(&bytes), Sample::on_disk(&bytes)];
        for sample in samples {
            let (less, refused) = sample.without_stale();
            fewer.fetch_add(u64::from(less), Ordering::Relaxed);
            wrong.fetch_add(u64::from(refused), Ordering::Relaxed);
            if less {
                compare_stale(&sample);
            }
        }
        Came::Kept
    };
    let (_, mut disagree) = on_all_cores(seeds.clone(), each);
    // One has more states, as a link is cut before a queue; what is dropped in the others makes
    // a difference after its receiver has recovered, and as a new answer.
    for seed in [1_408, 2_607, 6_565] {
        disagree.extend(on_all_cores(seed..seed + 1, each).1);
    }
    nothing(&disagree);
    let (fewer, wrong) = (fewer.into_inner(), wrong.into_inner());
    println!("fewer states: {fewer}, wrong: {wrong}");
    let many = (seeds.end - seeds.start) / 12;
    assert!(fewer > many && wrong > many, "{fewer} and {wrong}");
}

#[test]
fn the_search_says_of_random_protocols_on_disks_what_whole_worlds_say() {
    let (came, wrong) = compare_all(seeds(300), Sample::on_disk);
    println!("{came:?}");
    nothing(&wrong);
    let count = |what: Came| came.get(&what).copied().unwrap_or(0);
    assert!(count(Came::Kept) > 4 && count(Came::Violated) > 20, "{came:?}");
}

#[test]
fn the_search_says_of_random_protocols_with_cut_links_what_whole_worlds_say() {
    let (came, mut wrong) = compare_all(seeds(300), Sample::with_cuts);
    println!("{came:?}");
    // On these it matters that a node is calm though a link to it stays cut.
    for seed in [512, 556, 607] {
        wrong.extend(compare_all(seed..seed + 1, Sample::with_cuts).1);
    }
    nothing(&wrong);
    let count = |what: Came| came.get(&what).copied().unwrap_or(0);
    assert!(count(Came::Kept) > 4 && count(Came::Violated) > 20, "{came:?}");
}

#[test]
fn the_search_says_of_random_protocols_with_deadlines_what_whole_worlds_say() {
    let (came, mut wrong) = compare_all(seeds(140), Sample::with_deadlines);
    println!("{came:?}");
    // What goes on for ever refuses a read in one state and leaves it open in another.
    for seed in [1_471, 3_318] {
        wrong.extend(compare_all(seed..seed + 1, Sample::with_deadlines).1);
    }
    nothing(&wrong);
    let count = |what: Came| came.get(&what).copied().unwrap_or(0);
    assert!(count(Came::Kept) > 4 && count(Came::Violated) > 20, "{came:?}");
}

/// Asserts that no seed disagrees.
fn nothing(wrong: &BTreeMap<u64, String>) {
    let told = |(seed, said): (&u64, &String)| format!("seed {seed}: {said}");
    let first = wrong.iter().map(told).collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "seeds {:?} disagree:\n{first}", wrong.keys());
}

#[test]
fn the_search_says_of_known_strategies_in_random_circumstances_what_whole_worlds_say() {
    let (came, wrong) = compare_all(seeds(100), known::sample);
    println!("{came:?}");
    nothing(&wrong);
    let count = |what: Came| came.get(&what).copied().unwrap_or(0);
    assert!(count(Came::Kept) > 20 && count(Came::Violated) > 20, "{came:?}");
}

/// Protocols of the deep profile on which engines once disagreed, and what was
/// special about them.
const DISAGREED: [(u64, &str); 14] = [
    (14_724, "an answer that nobody wrote, in runs that a panic ends"),
    (28_108, "an invariant that breaks in a round of settling made other stories longer"),
    (28_838, "the same"),
    (110_052, "the same, and final reads late"),
    (8_310, "messages without end, in states in which a read panics"),
    (104_195, "the same"),
    (128_468, "an invariant that breaks where settling comes and patient timers do not"),
    (62_140, "a write that is applied again by a retry has a stamp at each node"),
    (65_708, "the same"),
    (320_801, "no write is lost in the states that recur and can be asked; others panic"),
    (555_636, "settling oscillates, which patient timers never do by themselves"),
    (560_629, "nodes disagree while it settles; the dumb search did not look there"),
    (699_796, "orders of deliveries that differ only in what they make visible"),
    (873_476, "a cycle of what can be observed, on which the rest of a replica changes"),
];

#[test]
fn protocols_on_which_engines_once_disagreed() {
    for (seed, special) in DISAGREED {
        let (_, wrong) = compare_all(seed..seed + 1, |bytes| Sample::of(bytes, true));
        assert!(wrong.is_empty(), "{special}: {wrong:?}");
    }
}

#[test]
fn protocols_that_fuzzing_has_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions/protocol");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("every target has a folder of findings")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there is at least a seed");
    for path in paths {
        let bytes = std::fs::read(&path).expect("a finding can be read");
        compare(&Sample::of(&bytes, false));
    }
}
