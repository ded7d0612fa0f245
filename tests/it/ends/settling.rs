//! What is judged where only settling leads, in what goes on for ever, and in
//! which order messages wait meanwhile.

use quiescence::history::{Call, Completion, Value};
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::{Flaw, Property};
use quiescence::judgement::{Kind, Model};
use quiescence::replication::{Effects, Input, OperationId, Stamp, Visible};
use quiescence::search::exhaustive::Open;

use super::{EVENTUAL, Kept, N1, N2, SMALL, Toy, decided, faults, hurries, searches, searches_in};

/// Nobody writes it.
fn nine() -> Value {
    Value::from(9)
}

fn toy(step: fn(&mut Kept, Input<Toy>, &mut Effects<Toy>)) -> Toy {
    Toy { step, invariants: Vec::new }
}

/// Answers `value` to a read, and refuses a write.
fn answer(operation: OperationId, call: &Call, value: Value, effects: &mut Effects<Toy>) {
    effects.reply(operation, if call.is_read() { Completion::Ok(value) } else { Completion::Fail });
}

#[test]
fn answers_are_judged_where_settling_leads_and_patient_timers_do_not() {
    let hurried = toy(|kept, input, effects| {
        kept.flags[2] |= hurries(kept, &input, effects);
        if let Input::Request { operation, call, .. } = input {
            let value = if kept.flags[2] { nine() } else { Value::Null };
            answer(operation, &call, value, effects);
        }
    });
    let illegal = Some(Flaw::History(Kind::Illegal));
    assert_eq!(decided(&hurried, true, &[EVENTUAL]), [illegal]);
}

/// What settling goes through for ever says something of the end alone.
#[test]
fn what_recurs_for_ever_does_not_count_for_what_clients_see_on_the_way() {
    let back_and_forth = toy(|kept, input, effects| {
        kept.flags[2] ^= hurries(kept, &input, effects);
        match input {
            Input::Timer(timer) => effects.arm(timer),
            Input::Request { operation, call, .. } => {
                let value = if kept.flags[2] { nine() } else { Value::Null };
                answer(operation, &call, value, effects);
            }
            _ => {}
        }
    });
    let base = Property::Model(Model::BASE);
    let [eventual, base] = decided(&back_and_forth, true, &[EVENTUAL, base])[..] else {
        panic!("two properties")
    };
    assert!(eventual.is_some() && base.is_none(), "{eventual:?} {base:?}");
}

/// The first endless run has no write. In a later one a state that recurs misses it,
/// and that is not the state with which the cycle begins.
#[test]
fn a_write_is_lost_in_any_state_of_any_endless_run() {
    let forgets = toy(|kept, input, effects| {
        kept.flags[2] ^= hurries(kept, &input, effects);
        let [_, arrived, turned] = kept.flags;
        match input {
            Input::Timer(timer) => effects.arm(timer),
            Input::Request { operation, call, .. } if call.is_read() => {
                let seen = if turned && !arrived { Vec::new() } else { kept.open.clone() };
                let value = Value::from(i64::from(turned));
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::These(seen));
            }
            Input::Request { operation, .. } => {
                kept.open.push(operation);
                effects.visible(operation, Stamp::default());
                effects.ok(operation, Value::Null);
            }
            _ => {}
        }
    });
    assert_eq!(decided(&forgets, true, &[Property::Durable]), [Some(Flaw::LostWrite)]);
}

/// Once it is busy for ever, nobody can be asked whether the write is lost.
#[test]
fn whether_a_write_is_lost_is_unknown_where_a_read_panics_for_ever() {
    let busy = toy(|kept, input, effects| {
        if hurries(kept, &input, effects) {
            kept.flags[2] = true;
            effects.send(N1, 1);
        }
        match input {
            Input::Receive { message: 1, .. } => effects.send(N1, 1),
            Input::Request { call, .. } if call.is_read() && kept.flags[2] => {
                panic!("it is busy")
            }
            Input::Request { operation, call, .. } if call.is_read() => {
                let reply = effects.reply(operation, Completion::Ok(Value::Null));
                reply.seeing(Visible::Here);
            }
            Input::Request { operation, .. } => {
                effects.visible(operation, Stamp::default());
                effects.ok(operation, Value::Null);
            }
            _ => {}
        }
    });
    let found = searches(&busy, (faults(&[]), true), &[Property::Durable]);
    assert!(matches!(found[0].1, Decision::Unknown(_)), "{found:?}");
}

#[test]
fn every_key_that_was_asked_about_is_read_in_the_end() {
    let second = toy(|kept, input, effects| {
        if let Input::Request { operation, call, .. } = input {
            let written = usize::from(call.key.as_str() == "y");
            kept.flags[written] |= !call.is_read();
            let both = kept.flags[0] && kept.flags[1] && written == 1;
            let value = if both { nine() } else { Value::Null };
            answer(operation, &call, value, effects);
        }
    });
    let scope = Open { writes: 2, reads: 0, keys: 2, ..SMALL };
    let found = searches_in(&second, (faults(&[]), scope), &[EVENTUAL]);
    assert!(matches!(found[0].1, Decision::Violated(_)), "{found:?}");
}

/// A read at the first node asks the second, and never gets an answer from what
/// was in flight before.
#[test]
fn what_is_in_flight_waits_while_final_reads_are_asked() {
    let busy = toy(|kept, input, effects| match input {
        Input::Request { operation, call, .. } if call.is_read() => {
            kept.open.push(operation);
            effects.send(N2, 2);
        }
        Input::Request { operation, .. } => {
            effects.visible(operation, Stamp::default());
            effects.ok(operation, Value::Null);
            effects.send(N2, 0);
        }
        Input::Receive { message: 2, .. } => effects.send(N1, 3),
        Input::Receive { message: 3, .. } => {
            let operation = kept.open.remove(0);
            let reply = effects.reply(operation, Completion::Ok(Value::Null));
            reply.seeing(Visible::Here);
        }
        Input::Receive { from, message: 0, .. } => {
            effects.send(from, 7);
            effects.send(from, 0);
        }
        _ => {}
    });
    assert_eq!(decided(&busy, false, &[Property::Durable]), [None]);
}
