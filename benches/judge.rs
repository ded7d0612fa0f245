//! How long judging takes where it is hard: registers with compare-and-set and
//! values that repeat, correct and corrupted, for linearizability within the
//! default budget; and how stale a register is. `cargo bench --bench judge`
//!
//! Histories are simulated (tests/it/judgement/simulated.rs): the same ones every
//! time.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::time::{Duration, Instant};

use quiescence::history::{Completion, History, Operation, Value};
use quiescence::judgement::checker::least;
use quiescence::judgement::{Budget, Model, Verdict, check};

#[path = "../tests/it/dice.rs"]
mod dice;
#[path = "../tests/it/judgement/simulated.rs"]
#[expect(dead_code, reason = "shared with the tests, which draw more kinds")]
mod simulated;

use simulated::{Ask, Dice, built, register, spread};

/// Half reads, a quarter writes from 5 values, a quarter compare-and-set.
const MIXED: Ask =
    Ask { operations: 1_000, clients: 10, keys: 1, values: 5, writes: 25, swaps: 25, timeouts: 0 };

/// As a compare-and-set that says no more than that it failed.
fn mismatches_fail(operations: &mut [Operation]) {
    for operation in operations {
        if operation.completion == Completion::Ok(Value::from("mismatch")) {
            operation.completion = Completion::Fail;
        }
    }
}

/// Some read answers another value than it did.
fn corrupt(dice: &mut Dice, operations: &mut [Operation]) {
    loop {
        let at = dice.below(operations.len());
        let other = Value::from(dice.below(5) as i64);
        if let Some(answer) = operations[at].answer()
            && *answer != other
        {
            operations[at].completion = Completion::Ok(other);
            return;
        }
    }
}

/// Judges each; prints how many of each verdict, how long all took and the worst.
fn judge(name: &str, histories: impl Iterator<Item = History>) {
    let (mut counts, mut all, mut late) = ([0; 3], Duration::ZERO, 0);
    let mut worst = Duration::ZERO;
    for history in histories {
        let begin = Instant::now();
        let verdict = check(&history, Model::Linearizable, Budget::default());
        let took = begin.elapsed();
        let decided = match verdict {
            Verdict::Holds(_) => 0,
            Verdict::Violated(_) => 1,
            Verdict::Unknown(_) => 2,
        };
        counts[decided] += 1;
        late += usize::from(decided < 2 && took > Duration::from_secs(1));
        all += took;
        worst = worst.max(took);
    }
    let [holds, violated, unknown] = counts;
    println!(
        "{name:<44} {holds:>3} hold, {violated:>3} violated, {unknown:>3} unknown · {:>7.3} s \
         together · worst {:>6.3} s · {late} decided late",
        all.as_secs_f64(),
        worst.as_secs_f64(),
    );
}

fn seeds(
    count: u64,
    ask: Ask,
    change: impl Fn(&mut Dice, &mut [Operation]),
) -> impl Iterator<Item = History> {
    (0..count).map(move |seed| {
        let mut dice = Dice(seed);
        let mut operations = register(&mut dice, ask);
        change(&mut dice, &mut operations);
        built(operations)
    })
}

fn main() {
    for operations in [100, 1_000] {
        let ask = Ask { operations, ..MIXED };
        let name = |kind: &str| format!("{operations} operations, 10 clients, {kind}");
        judge(&name("correct"), seeds(100, ask, |_, _| {}));
        judge(&name("failures dropped"), seeds(100, ask, |_, all| mismatches_fail(all)));
        judge(&name("one read corrupted"), seeds(100, ask, corrupt));
    }
    let long = Ask { operations: 10_000, ..MIXED };
    judge("10000 operations, 10 clients, correct", seeds(20, long, |_, _| {}));
    let many = Ask { clients: 20, ..MIXED };
    judge("1000 operations, 20 clients, correct", seeds(100, many, |_, _| {}));
    judge("1000 operations, 20 clients, one corrupted", seeds(100, many, corrupt));
    let slow = Ask { timeouts: 2, ..MIXED };
    judge("1000 operations, 10 clients, 2 % timeouts", seeds(100, slow, |_, _| {}));
    let etcd = Ask { operations: 80, clients: 5, writes: 34, swaps: 33, timeouts: 20, ..MIXED };
    judge("etcd: 80 operations, 5 clients, correct", seeds(100, etcd, |_, _| {}));
    judge("etcd: 80 operations, 5 clients, corrupted", seeds(100, etcd, corrupt));
    staleness();
}

/// 2-atomicity and the least k of unique writes.
fn staleness() {
    for operations in [1_000, 10_000, 100_000, 1_000_000] {
        let ask = Ask { operations, clients: 50, values: 0, swaps: 0, ..MIXED };
        let mut late = register(&mut Dice(1), ask);
        for operation in late.iter_mut().filter(|operation| operation.call.is_read()) {
            operation.invoked += 3;
            operation.returned = operation.returned.map(|returned| returned + 3);
        }
        spread(&mut late);
        let history = built(late);
        let begin = Instant::now();
        let verdict = check(&history, Model::KAtomic(2), Budget::default());
        let two = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        let (least_k, _) = least(&history, Budget::default());
        let word = match verdict {
            Verdict::Holds(_) => "holds",
            Verdict::Violated(_) => "violated",
            Verdict::Unknown(_) => "unknown",
        };
        println!(
            "{operations:>9} unique writes and late reads: 2-atomic {word} in {two:.3} s · least \
             k {least_k:?}, with the least Δ in {:.3} s",
            begin.elapsed().as_secs_f64(),
        );
    }
}
