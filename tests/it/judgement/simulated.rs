//! Random histories: arbitrary ones, and those that a correct store could give.
//!
//! Deterministic: a seed always gives the same history. The bench
//! `benches/judge.rs` draws from here too.

pub use super::dice::Dice;
use quiescence::history::{Call, Completion, Function, History, Operation, ProcessId, Value};

/// A history of these operations. Those invoked at the same time keep their
/// order.
pub fn built(mut operations: Vec<Operation>) -> History {
    operations.sort_by_key(|operation| operation.invoked);
    History::of(operations).expect("processes are sequential")
}

/// Assigns operations whose times were changed to sequential processes, to as
/// few as possible.
pub fn spread(operations: &mut [Operation]) {
    operations.sort_by_key(|operation| operation.invoked);
    // When each process is idle again.
    let mut idle: Vec<u64> = Vec::new();
    for operation in operations {
        let free = idle.iter().position(|until| *until < operation.invoked);
        let process = free.unwrap_or(idle.len());
        if process == idle.len() {
            idle.push(0);
        }
        idle[process] = operation.returned.unwrap_or(u64::MAX);
        operation.process = ProcessId(process as u32);
    }
}

/// The properties of a drawn history.
#[derive(Clone, Copy)]
pub struct Draw {
    pub operations: usize,
    pub processes: usize,
    pub keys: usize,
    /// How many different values are written; 0: each write its own.
    pub values: usize,
    /// One in so many operations ends with an unknown outcome; 0: none.
    pub pending: usize,
    /// Whether last reads of processes may be reads at quiescence.
    pub finals: bool,
}

const KEYS: [&str; 4] = ["x", "y", "z", "k"];

/// Any history. Reads answer some value of their key, mostly one whose write
/// had been invoked before they returned.
pub fn drawn(dice: &mut Dice, draw: Draw) -> History {
    let mut operations = intervals(dice, draw);
    let written: Vec<(Call, u64)> = operations
        .iter()
        .filter(|op| op.call.is_write())
        .map(|op| (op.call.clone(), op.invoked))
        .collect();
    let mut writes_later = Vec::new();
    for at in (0..operations.len()).rev() {
        let operation = &mut operations[at];
        if operation.call.is_write() {
            writes_later.push(operation.process);
            continue;
        }
        let Some(returned) = operation.returned else { continue };
        let future = dice.one_in(8);
        let fits = |(call, invoked): &&(Call, u64)| {
            call.key == operation.call.key && (future || *invoked < returned)
        };
        let values: Vec<&Value> =
            written.iter().filter(fits).map(|(call, _)| &call.argument).collect();
        let recent = values.len().saturating_sub(1 + dice.below(3).min(dice.below(4)));
        let value = match dice.below(10) {
            0 => Value::Null,
            1 if dice.one_in(8) => Value::from(-1),
            2..4 => values.get(dice.below(values.len())).map_or(Value::Null, |v| (*v).clone()),
            _ => values.get(recent).map_or(Value::Null, |v| (*v).clone()),
        };
        operation.completion = Completion::Ok(value);
        // Only reads follow a read at quiescence, of either kind.
        let last = !writes_later.contains(&operation.process);
        operation.final_read = draw.finals && last && dice.one_in(2);
    }
    built(operations)
}

/// Calls with times, in order of invocation; reads are not answered yet.
fn intervals(dice: &mut Dice, draw: Draw) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut open: Vec<Option<usize>> = vec![None; draw.processes];
    let mut names: Vec<u32> = (0..draw.processes as u32).collect();
    let mut time = 0;
    while operations.len() < draw.operations || open.iter().any(Option::is_some) {
        let process = dice.below(draw.processes);
        time += 1;
        match open[process].take() {
            Some(at) if draw.pending > 0 && dice.one_in(draw.pending) => {
                operations[at].returned = None;
                operations[at].completion = Completion::Info;
                names[process] += draw.processes as u32;
            }
            Some(at) => operations[at].returned = Some(time),
            None if operations.len() < draw.operations => {
                let key = KEYS[dice.below(draw.keys)];
                let value = match draw.values {
                    0 => operations.len() as i64 + 1,
                    values => dice.below(values) as i64 + 1,
                };
                let call = if dice.one_in(2) { Call::write(key, value) } else { Call::read(key) };
                open[process] = Some(operations.len());
                operations.push(Operation {
                    process: ProcessId(names[process]),
                    node: None,
                    call,
                    invoked: time,
                    returned: None,
                    completion: Completion::Ok(Value::Null),
                    final_read: false,
                });
            }
            None => {}
        }
    }
    operations
}

/// The requests to a correct register.
#[derive(Clone, Copy)]
pub struct Ask {
    pub operations: usize,
    pub clients: usize,
    pub keys: usize,
    /// How many different values are written; 0: each write its own.
    pub values: usize,
    /// Out of 100: how many are writes, and how many compare-and-set.
    pub writes: usize,
    pub swaps: usize,
    /// Out of 100: how many time out.
    pub timeouts: usize,
}

/// The answers of a linearizable register: every operation takes effect at some
/// instant between its invocation and its return. One that times out may take
/// effect at any later instant, or never.
pub fn register(dice: &mut Dice, ask: Ask) -> Vec<Operation> {
    let mut clocks: Vec<u64> = (0..ask.clients).map(|_| dice.below(100) as u64).collect();
    let mut names: Vec<u32> = (0..ask.clients as u32).collect();
    // Each operation with the instant of its effect.
    let mut all: Vec<(u64, Operation)> = Vec::with_capacity(ask.operations);
    for number in 0..ask.operations {
        let client = (0..ask.clients).min_by_key(|&client| clocks[client]).expect("a client");
        let invoked = clocks[client] + 1 + dice.below(20) as u64;
        let takes = 2 + dice.below(100) as u64;
        let mut effect = invoked + dice.below(takes as usize) as u64;
        let mut operation = Operation {
            process: ProcessId(names[client]),
            node: None,
            call: call(dice, ask, number),
            invoked,
            returned: Some(invoked + takes),
            completion: Completion::Ok(Value::Null),
            final_read: false,
        };
        clocks[client] = invoked + takes;
        if dice.below(100) < ask.timeouts {
            operation.returned = None;
            operation.completion = Completion::Info;
            names[client] += ask.clients as u32;
            let late = [takes, 10 * takes, u64::MAX / 4][dice.below(3)];
            effect = invoked + dice.below(late as usize) as u64;
        }
        all.push((effect, operation));
    }
    all.sort_by_key(|(effect, operation)| (*effect, operation.invoked));
    let mut held = vec![Value::Null; KEYS.len()];
    for (_, operation) in &mut all {
        let key = KEYS.iter().position(|key| *key == operation.call.key.as_str());
        let answer = perform(&operation.call, &mut held[key.expect("a key")]);
        if operation.completion != Completion::Info {
            operation.completion = Completion::Ok(answer);
        }
    }
    let mut operations: Vec<Operation> = all.into_iter().map(|(_, operation)| operation).collect();
    operations.sort_by_key(|operation| operation.invoked);
    operations
}

fn call(dice: &mut Dice, ask: Ask, number: usize) -> Call {
    let key = KEYS[dice.below(ask.keys)];
    let mut value = || match ask.values {
        0 => number as i64 + 1,
        values => dice.below(values) as i64,
    };
    let (old, new) = (value(), value());
    match dice.below(100) {
        kind if kind < ask.writes => Call::write(key, new),
        kind if kind < ask.writes + ask.swaps => Call {
            f: Function::named("cas"),
            key: key.into(),
            argument: vec![old.into(), new.into()].into(),
        },
        _ => Call::read(key),
    }
}

fn perform(call: &Call, held: &mut Value) -> Value {
    match (&call.f, &call.argument) {
        (Function::Read, _) => held.clone(),
        (Function::Write, value) => {
            *held = value.clone();
            Value::Null
        }
        (Function::Other(_), Value::List(pair)) if *held == pair[0] => {
            *held = pair[1].clone();
            Value::Null
        }
        (Function::Other(_), _) => Value::from("mismatch"),
    }
}

/// A write of the causal store. A replica must have applied as many writes of
/// each replica as the issuing replica had, before it may apply this one.
struct Shipped {
    key: usize,
    value: i64,
    stamp: (u64, usize),
    needs: Vec<usize>,
}

/// The answers of a convergent causal store: each client stays at its replica,
/// a write is applied elsewhere only after all writes that its replica had
/// applied, and the greatest Lamport stamp wins.
pub fn causal(dice: &mut Dice, operations: usize, replicas: usize, keys: usize) -> Vec<Operation> {
    let mut issued: Vec<Vec<Shipped>> = (0..replicas).map(|_| Vec::new()).collect();
    let mut applied = vec![vec![0; replicas]; replicas];
    let mut clocks = vec![0; replicas];
    let mut held = vec![vec![((0, 0), Value::Null); keys]; replicas];
    let mut all = Vec::new();
    while all.len() < operations {
        let here = dice.below(replicas);
        if dice.one_in(2) {
            let from = dice.below(replicas);
            let Some(write) = issued[from].get(applied[here][from]) else { continue };
            let ready = write.needs.iter().zip(&applied[here]).all(|(need, has)| need <= has);
            if from != here && ready {
                applied[here][from] += 1;
                clocks[here] = write.stamp.0.max(clocks[here]);
                let place = &mut held[here][write.key];
                if place.0 < write.stamp {
                    *place = (write.stamp, Value::from(write.value));
                }
            }
            continue;
        }
        let key = dice.below(keys);
        let time = 2 * all.len() as u64;
        let (call, answer) = if dice.one_in(3) {
            clocks[here] += 1;
            let (value, stamp) = (all.len() as i64 + 1, (clocks[here], here));
            issued[here].push(Shipped { key, value, stamp, needs: applied[here].clone() });
            applied[here][here] += 1;
            held[here][key] = (stamp, Value::from(value));
            (Call::write(KEYS[key], value), Value::Null)
        } else {
            (Call::read(KEYS[key]), held[here][key].1.clone())
        };
        all.push(Operation {
            process: ProcessId(here as u32),
            node: None,
            call,
            invoked: time,
            returned: Some(time + 1),
            completion: Completion::Ok(answer),
            final_read: false,
        });
    }
    all
}
