//! Small strategies that misbehave in ways that a cluster on threads must
//! survive.

#![allow(dead_code, reason = "each test that includes this file uses a part of it")]

use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::replication::{
    Cluster, Effects, Input, OperationId, Strategy, StrategyName, TimerId,
};

const N2: NodeId = NodeId(1);
/// Added to the number of an operation to mark a second message about it.
const MARK: u16 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unruly {
    /// Sends the request to n2, which panics.
    Panics,
    /// Sends two messages to n2. It panics at the first, and would answer the
    /// second.
    PanicsFirst,
    /// Never answers.
    Silent,
    /// Sends to a node that does not exist.
    Astray,
    /// Sends the request to n2, which answers.
    Forwards,
    /// As `Forwards`, but panics when asked for the label of its message.
    Unspeakable,
    /// Sends the request to itself, and answers when it arrives.
    Itself,
    /// Sends the request to itself and to n2. When it arrives at itself, sends
    /// it to n2 once more, marked; n2 answers the marked one with the number of
    /// requests that had arrived before.
    InOrder,
    /// Sends the request to itself for ever.
    Forever,
    /// Answers when a timer fires.
    ByTimer,
    /// Answers an operation when the next one is invoked.
    ByTheNext,
    /// Answers requests at n1; n2 serves nothing.
    Refuses,
    /// Answers reads with the token and writes with an unknown outcome, and
    /// counts in the token.
    Counts,
    /// Answers with the clock, both the request and the very first operation.
    Clock,
}

/// The node, and the operations that wait at it.
pub type Replica = (NodeId, Vec<OperationId>);

impl Strategy for Unruly {
    type Replica = Replica;
    /// The request; `None` makes the receiver panic.
    type Message = Option<OperationId>;
    type Token = i64;

    fn name(&self) -> StrategyName {
        StrategyName::new("unruly").with("variant", format!("{self:?}"))
    }

    fn boot(&self, node: NodeId, _: &Cluster) -> Replica {
        (node, Vec::new())
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        let (node, waiting) = replica;
        match input {
            Input::Request { operation, call, token, clock } => match self {
                Unruly::Panics => effects.send(N2, None),
                Unruly::PanicsFirst => {
                    effects.send(N2, None);
                    effects.send(N2, Some(operation));
                }
                Unruly::Silent => {}
                Unruly::Astray => effects.send(NodeId(7), None),
                Unruly::Forwards | Unruly::Unspeakable => {
                    effects.send(N2, Some(operation));
                }
                Unruly::Itself | Unruly::Forever => effects.send(*node, Some(operation)),
                Unruly::InOrder => {
                    effects.send(*node, Some(operation));
                    effects.send(N2, Some(operation));
                }
                Unruly::ByTimer => {
                    waiting.push(operation);
                    effects.arm(TimerId(0));
                }
                Unruly::ByTheNext => {
                    waiting.drain(..).for_each(|before| ok(effects, before, 0));
                    waiting.push(operation);
                }
                Unruly::Refuses => ok(effects, operation, 0),
                Unruly::Counts => {
                    let outcome = match call.is_read() {
                        true => Completion::Ok(Value::Int(token)),
                        false => Completion::Info,
                    };
                    effects.reply(operation, outcome).with_token(token + 1);
                }
                Unruly::Clock => {
                    let clock = i64::try_from(clock).expect("runs are short");
                    ok(effects, OperationId { session: 0, number: 0 }, clock);
                    ok(effects, operation, clock);
                }
            },
            Input::Receive { message: None, .. } => panic!("on purpose"),
            Input::Receive { message: Some(operation), from, .. } => match self {
                Unruly::Forever => effects.send(*node, Some(operation)),
                Unruly::InOrder if from == *node => {
                    effects.send(
                        N2,
                        Some(OperationId { number: operation.number + MARK, ..operation }),
                    );
                }
                Unruly::InOrder if operation.number < MARK => waiting.push(operation),
                Unruly::InOrder => {
                    let before = i64::try_from(waiting.len()).expect("few");
                    ok(
                        effects,
                        OperationId { number: operation.number - MARK, ..operation },
                        before,
                    );
                }
                _ => ok(effects, operation, 0),
            },
            Input::Timer(_) => waiting.drain(..).for_each(|before| ok(effects, before, 0)),
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        replica.clone()
    }

    fn label(&self, message: &Option<OperationId>) -> String {
        match message {
            Some(_) if *self == Unruly::Unspeakable => panic!("no words"),
            Some(operation) => format!("word {}", operation.as_tie()),
            None => "a bad word".to_owned(),
        }
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        (call.is_read() || call.is_write()) && (*self != Unruly::Refuses || node != N2)
    }

    fn reads_clock(&self) -> bool {
        *self == Unruly::Clock
    }
}

fn ok(effects: &mut Effects<Unruly>, operation: OperationId, value: i64) {
    effects.reply(operation, Completion::Ok(Value::Int(value)));
}
