//! Runs that never end, and settling that never becomes quiet.

use quiescence::history::{Completion, Value};
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::{Flaw, Property};
use quiescence::hunt::random;
use quiescence::replication::{Effects, Input, TimerId};
use quiescence::search::exhaustive::{Open, Reduce};

use super::{
    EVENTUAL, Held, LINEARIZABLE, TOY, Toy, calm, done, flaws, local, others, sample, scope, search,
};

/// The first write makes two nodes send a message back and forth for ever.
fn bounce(held: &mut Held, input: &Input<Toy>, effects: &mut Effects<Toy>) {
    match input {
        Input::Request { call, .. } if call.is_write() => {
            effects.broadcast(others(held), &call.argument);
        }
        Input::Receive { from, message, .. } => {
            held.value = message.clone();
            effects.send(*from, message.clone());
        }
        _ => {}
    }
}

#[test]
fn a_timer_hides_no_endless_run() {
    let toy = Toy {
        step: |held, input, effects| {
            if matches!(input, Input::Start | Input::Timer(_)) {
                effects.arm(TimerId(0));
            }
            bounce(held, &input, effects);
            local(held, &input, effects);
        },
        ..TOY
    };
    assert_eq!(flaws(&toy, &calm(2), scope(1, 1, 0), &[EVENTUAL]), [Some(Flaw::NeverQuiet)]);
}

#[test]
fn a_message_that_waits_may_end_what_seems_endless() {
    // The stop message arrives before the receiver's next message to itself,
    // because settling delivers the oldest first.
    let toy = Toy {
        step: |held, input, effects| {
            let stop = Value::from(-1);
            match &input {
                Input::Request { call, .. } if call.is_write() => {
                    effects.broadcast(others(held), &call.argument);
                    effects.broadcast(others(held), &stop);
                }
                Input::Receive { message, .. } if *message == stop => held.noise = 1,
                Input::Receive { message, .. } => {
                    held.value = message.clone();
                    if held.noise == 0 {
                        effects.send(held.node, message.clone());
                    }
                }
                _ => {}
            }
            local(held, &input, effects);
        },
        ..TOY
    };
    assert_eq!(flaws(&toy, &calm(2), scope(1, 1, 0), &[EVENTUAL]), [None]);
}

#[test]
fn a_long_exchange_that_another_message_ends_is_not_endless() {
    // While one message is sent again and again unchanged, another counts up to
    // an end.
    let toy = Toy {
        step: |held, input, effects| {
            match &input {
                Input::Request { call, .. } if call.is_write() => {
                    effects.send(held.node, Value::from(0));
                    effects.send(held.node, Value::from(100));
                }
                Input::Receive { message: Value::Int(count @ 100..), .. } => {
                    held.noise = u8::from(*count == 200);
                    if *count < 200 {
                        effects.send(held.node, Value::from(count + 1));
                    }
                }
                Input::Receive { message, .. } if held.noise == 0 => {
                    effects.send(held.node, message.clone());
                }
                _ => {}
            }
            local(held, &input, effects);
        },
        ..TOY
    };
    let found = sample(&toy, &calm(1), &[EVENTUAL]);
    assert!(matches!(found.found[0].outcome, random::Sampled::None), "{:?}", found.found);
}

#[test]
fn what_nobody_can_see_may_change_for_ever() {
    let toy = Toy {
        step: |held, input, effects| {
            if matches!(input, Input::Start | Input::Timer(_)) {
                held.noise = 1 - held.noise;
                effects.arm(TimerId(0));
            }
            local(held, &input, effects);
        },
        ..TOY
    };
    let setting = calm(1);
    assert_eq!(flaws(&toy, &setting, scope(1, 1, 1), &[EVENTUAL, LINEARIZABLE]), [None, None]);
    let seen = Toy {
        step: |held, input, effects| {
            if matches!(input, Input::Start | Input::Timer(_)) {
                held.noise = 1 - held.noise;
                effects.arm(TimerId(0));
            }
            match &input {
                Input::Request { operation, call, .. } if call.is_read() && held.noise == 0 => {
                    effects.reply(*operation, done());
                }
                _ => local(held, &input, effects),
            }
        },
        ..TOY
    };
    assert_eq!(flaws(&seen, &setting, scope(1, 1, 0), &[EVENTUAL]), [Some(Flaw::Oscillating)]);
}

#[test]
fn a_write_that_an_endless_run_misses_for_ever_is_lost() {
    let toy = Toy {
        step: |held, input, effects| {
            if let Input::Receive { from, message, .. } = &input {
                effects.send(*from, message.clone());
            } else {
                if matches!(&input, Input::Request { call, .. } if call.is_write()) {
                    effects.broadcast(others(held), &Value::Null);
                }
                local(held, &input, effects);
            }
        },
        ..TOY
    };
    let properties = [Property::Durable, EVENTUAL];
    let found = flaws(&toy, &calm(2), scope(1, 1, 0), &properties);
    assert_eq!(found, [Some(Flaw::LostWrite), Some(Flaw::NeverQuiet)]);
}

#[test]
fn a_cycle_of_what_can_be_observed_may_be_shorter_than_that_of_the_whole() {
    // A write sends y, then x. While they come in turns, x first, x sends both
    // again and flips a bit that no step looks at. The oldest first, it ends.
    let toy = Toy {
        step: |held, input, effects| {
            let [x, y] = ["x", "y"].map(Value::from);
            let is_write = matches!(&input, Input::Request { call, .. } if call.is_write());
            let is_x = matches!(&input, Input::Receive { message, .. } if *message == x);
            match &input {
                Input::Receive { .. } => {
                    let goes_on = is_x == (held.stamp == 0) && held.stamp < 2;
                    held.stamp = if goes_on { 1 - held.stamp } else { 2 };
                    held.noise ^= u8::from(is_x && goes_on);
                    if is_x && goes_on {
                        effects.send(held.node, y);
                        effects.send(held.node, x);
                    }
                }
                _ if is_write => {
                    effects.send(held.node, y);
                    effects.send(held.node, x);
                }
                _ => {}
            }
            local(held, &input, effects);
        },
        forgets: true,
        ..TOY
    };
    assert_eq!(flaws(&toy, &calm(1), scope(1, 1, 0), &[EVENTUAL]), [Some(Flaw::NeverQuiet)]);
}

/// Each node has a timer that sends. A change happens at a node that receives
/// the other's message before the answer to its own. Patient timers never cause
/// that; a round of settling always does.
fn race(
    held: &mut Held,
    input: &Input<Toy>,
    effects: &mut Effects<Toy>,
    change: impl FnOnce(&mut Held),
) {
    let mine = Value::from("mine");
    match input {
        Input::Start => effects.arm(TimerId(0)),
        Input::Timer(timer) => {
            held.noise = 1;
            effects.broadcast(others(held), &mine);
            effects.arm(*timer);
        }
        Input::Receive { from, message, .. } if *message == mine => {
            if held.noise == 1 {
                change(held);
            }
            effects.send(*from, Value::from("heard"));
        }
        Input::Receive { message: Value::Text(_), .. } => held.noise = 0,
        Input::Receive { message, .. } => held.value = message.clone(),
        Input::Request { operation, call, .. } if call.is_read() => {
            let value = if held.stamp == 1 { Value::Null } else { held.value.clone() };
            effects.reply(*operation, Completion::Ok(value));
        }
        Input::Request { call, .. } => {
            effects.broadcast(others(held), &call.argument);
            local(held, input, effects);
        }
        _ => {}
    }
}

const PATIENT: Open = Open { patient: true, ..scope(1, 1, 0) };

#[test]
fn settling_that_oscillates_is_judged_though_patient_timers_never_do_that() {
    let toy = Toy {
        step: |held, input, effects| race(held, &input, effects, |held| held.stamp ^= 1),
        ..TOY
    };
    assert_eq!(flaws(&toy, &calm(2), PATIENT, &[EVENTUAL]), [Some(Flaw::Oscillating)]);
    let calm_toy = Toy { step: |held, input, effects| race(held, &input, effects, |_| ()), ..TOY };
    assert_eq!(flaws(&calm_toy, &calm(2), PATIENT, &[EVENTUAL]), [None]);
}

#[test]
fn nothing_is_proved_where_settling_takes_too_long_and_timers_are_patient() {
    let toy = Toy {
        step: |held, input, effects| {
            race(held, &input, effects, |held| held.stamp = (held.stamp + 2).min(20_000));
        },
        ..TOY
    };
    let found = search(&toy, &calm(2), PATIENT, &[EVENTUAL, LINEARIZABLE], Reduce::NONE);
    assert!(matches!(found[0], Decision::Unknown(_)), "{:?}", found[0]);
    assert!(format!("{:?}", found[0]).contains("settling took too long"), "{:?}", found[0]);
}
