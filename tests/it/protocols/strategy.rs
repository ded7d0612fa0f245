//! Random protocols: a strategy whose handlers are a small table, filled from
//! bytes.
//!
//! A table says, for each state of a node and each input, what is done: keep
//! what the input carries, send, answer now or later, arm timers, change state
//! that nobody can see. Most of these protocols are nonsense, on which all engines have
//! to agree, too. The same bytes give the same protocol, and missing bytes are zeros.

#![allow(dead_code, reason = "each test that includes this file uses a part of it")]

#[path = "choices.rs"]
mod choices;

use std::fmt::Write as _;
use std::sync::Arc;

pub use choices::{Choices, bytes_of};
use quiescence::history::{Call, Completion, Key, NodeId, Value};
use quiescence::replication::{
    Cluster, CommandId, Effects, ImageId, Input, Invariant, OperationId, Stamp, Strategy,
    StrategyName, TimerId, Visible,
};

/// What a table may contain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowed {
    pub timers: bool,
    pub clocks: bool,
    pub panics: bool,
    /// Writing to a disk, and an operator. It is drawn last, so what is drawn before it does not
    /// depend on it.
    pub disk: bool,
    /// Deadlines. They are drawn after everything else.
    pub deadlines: bool,
}

/// Everything but a disk and an operator, and deadlines.
pub const ALL: Allowed =
    Allowed { timers: true, clocks: true, panics: true, disk: false, deadlines: false };

/// What makes a handler act.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Start,
    Write,
    Read,
    /// A message of this kind.
    Message(u8),
    Timer(u8),
    Recovered,
    Cancelled,
    Suspect,
    Persisted,
    /// This command of the operator.
    Command(u16),
}

/// How many commands an operator has.
const COMMANDS: u16 = 2;

/// Those of a protocol without disk and operator; the others come after them.
const CAUSES: [Cause; 10] = [
    Cause::Start,
    Cause::Write,
    Cause::Read,
    Cause::Message(0),
    Cause::Message(1),
    Cause::Timer(0),
    Cause::Timer(1),
    Cause::Recovered,
    Cause::Cancelled,
    Cause::Suspect,
];

/// The greatest deadline: a timer that is armed again for ever must not let clocks go on
/// for ever.
const LAST: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Itself,
    Others,
    All,
    Sender,
    First,
    Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    /// Stores what the input carries in the register.
    Keep,
    /// Sends what the input carries, or what is stored, as a message of this
    /// kind.
    Send(To, u8),
    /// Answers the request of this input.
    Answer,
    /// Answers the request of this input later.
    Wait,
    /// Answers the request that has waited longest.
    AnswerFirst,
    /// Answers all requests that wait.
    AnswerAll,
    Fail,
    Unknown,
    Arm(u8),
    /// Arms it for this reading.
    ArmAt(u8, u64),
    /// Arms it for the next reading after that of the input, up to [`LAST`].
    ArmNext(u8),
    Disarm(u8),
    /// Changes state that no later step depends on.
    Noise,
    Forget,
    /// Sends an image to the disk.
    Persist,
    Panic,
}

/// Whether a register replaces its value by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Overwrite,
    Larger,
    Stamped,
    First,
}

#[derive(Debug, PartialEq, Eq)]
struct Rule {
    does: Vec<Do>,
    next: u8,
}

#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: String,
    /// By state, then by cause.
    rules: Vec<Vec<Rule>>,
    policy: Policy,
    /// How many times messages that follow from one input are forwarded; `None`
    /// for ever.
    hops: Option<u8>,
    /// Whether the order of arrivals is kept.
    arrivals: bool,
    /// For how many ticks a write is valid.
    lease: Option<u64>,
    /// Whether an answer waits until the node has as many keys as the token
    /// says.
    tokens: bool,
    /// The nodes that refuse reads, and those that refuse writes, one bit each.
    refuses: [u8; 2],
    durable: bool,
    observable: bool,
    invariants: bool,
    disk: bool,
    deadlines: bool,
    ignores: Ignores,
}

/// Which messages a protocol declares to ignore, often wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ignores {
    Nothing,
    Kind(u8),
    /// Those that would change nothing now, and send and answer nothing.
    Idle,
    /// Those that would change nothing now, and at most be answered to their sender.
    Answered,
    /// The same, where the sender is in this state or the kind is this one.
    AnsweredIn(u8),
}

/// A random protocol.
#[derive(Clone, Debug)]
pub struct Protocol {
    table: Arc<Table>,
}

/// All that a node of such a protocol knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    node: NodeId,
    nodes: u16,
    state: u8,
    /// Ascending by key.
    register: Vec<Load>,
    /// Values in the order of arrival, if that is kept.
    arrivals: Vec<Value>,
    waiting: Vec<(OperationId, Option<Key>)>,
    /// No step depends on it.
    noise: bool,
}

/// A write, as messages carry it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Load {
    key: Key,
    stamp: Stamp,
    value: Value,
    write: OperationId,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    kind: u8,
    /// How many more times it may be forwarded.
    hops: u8,
    load: Option<Load>,
}

/// What the current input carries.
struct Given<'g> {
    request: Option<(OperationId, &'g Call, u8)>,
    from: Option<NodeId>,
    hops: u8,
    load: Option<Load>,
    clock: u64,
}

impl Protocol {
    /// The protocol that these choices determine, for `nodes` nodes.
    pub fn of(dice: &mut Choices<'_>, nodes: u16, allowed: Allowed) -> Self {
        let states = 1 + dice.below(2);
        let endless = dice.once_in(6);
        let mut table = Table {
            name: String::new(),
            rules: Vec::new(),
            policy: [Policy::Overwrite, Policy::Larger, Policy::Stamped, Policy::First]
                [usize::from(dice.below(4))],
            hops: if endless { None } else { Some(1 + dice.below(2)) },
            arrivals: dice.below(3) == 0,
            lease: (dice.once_in(4) && allowed.clocks).then(|| u64::from(dice.below(4))),
            tokens: dice.once_in(4),
            refuses: [0; 2],
            durable: dice.below(2) == 0,
            observable: dice.below(2) == 0,
            invariants: dice.below(2) == 0,
            disk: allowed.disk,
            ignores: Ignores::Nothing,
            deadlines: allowed.deadlines,
        };
        if dice.once_in(5) {
            let all = (1_u8 << nodes) - 1;
            // Some node serves reads, and some node serves writes.
            table.refuses = [dice.below(all), dice.below(all)];
        }
        for _ in 0..states {
            let rule = |cause: &Cause| rule(dice, *cause, states, allowed);
            table.rules.push(CAUSES.iter().map(rule).collect());
        }
        if allowed.disk {
            for rules in &mut table.rules {
                rules.push(rule(dice, Cause::Persisted, states, allowed));
                let told = (0..COMMANDS).map(Cause::Command);
                rules.extend(told.map(|cause| rule(dice, cause, states, allowed)));
                for rule in rules {
                    if dice.below(4) == 0 {
                        rule.does.insert(0, Do::Persist);
                    }
                }
            }
        }
        if allowed.deadlines {
            for rule in table.rules.iter_mut().flatten() {
                let timer = dice.below(2);
                let one = match dice.below(6) {
                    0 => Do::ArmAt(timer, 1 + u64::from(dice.below(2))),
                    1 => Do::ArmNext(timer),
                    _ => continue,
                };
                rule.does.push(one);
            }
        }
        let mixed = fingerprint(&format!("{table:?}"));
        table.name = format!("{mixed:016x}");
        let one = u8::from(mixed & 8 != 0);
        table.ignores = match mixed % 8 {
            0 => Ignores::Nothing,
            1 => Ignores::Kind(one),
            2..=4 => Ignores::Idle,
            5 | 6 => Ignores::Answered,
            _ => Ignores::AnsweredIn(one),
        };
        Protocol { table: Arc::new(table) }
    }

    /// Whether it may have finitely many states: no message is forwarded for
    /// ever.
    pub fn is_tame(&self) -> bool {
        self.table.hops.is_some()
    }

    fn rule(&self, state: u8, cause: Cause) -> &Rule {
        let late = match cause {
            Cause::Command(number) => 1 + usize::from(number),
            _ => 0,
        };
        let at = CAUSES.iter().position(|known| *known == cause);
        let at = at.unwrap_or(CAUSES.len() + late);
        &self.table.rules[usize::from(state)][at]
    }

    fn act(
        &self,
        replica: &mut Replica,
        cause: Cause,
        given: &Given<'_>,
        effects: &mut Effects<Self>,
    ) {
        let rule = self.rule(replica.state, cause);
        for does in &rule.does {
            self.perform(replica, *does, given, effects);
        }
        replica.state = rule.next;
    }

    fn perform(
        &self,
        replica: &mut Replica,
        does: Do,
        given: &Given<'_>,
        effects: &mut Effects<Self>,
    ) {
        match does {
            Do::Keep => {
                if let Some(load) = &given.load {
                    self.keep(replica, load, effects);
                }
            }
            Do::Send(to, kind) => self.send(replica, to, kind, given, effects),
            Do::Answer => {
                if let Some((operation, call, token)) = given.request {
                    let key = call.is_read().then(|| call.key.clone());
                    if self.table.tokens && usize::from(token) > replica.register.len() {
                        wait(replica, operation, key);
                    } else {
                        self.answer(replica, operation, key.as_ref(), given.clock, effects);
                    }
                }
            }
            Do::Wait => {
                if let Some((operation, call, _)) = given.request {
                    wait(replica, operation, call.is_read().then(|| call.key.clone()));
                }
            }
            Do::AnswerFirst | Do::AnswerAll => {
                let many = if does == Do::AnswerAll { replica.waiting.len() } else { 1 };
                let many = many.min(replica.waiting.len());
                for (operation, key) in replica.waiting.drain(..many).collect::<Vec<_>>() {
                    self.answer(replica, operation, key.as_ref(), given.clock, effects);
                }
            }
            Do::Fail | Do::Unknown => {
                if let Some((operation, ..)) = given.request {
                    let outcome =
                        if does == Do::Fail { Completion::Fail } else { Completion::Info };
                    effects.reply(operation, outcome);
                }
            }
            Do::Arm(timer) => effects.arm(TimerId(u32::from(timer))),
            Do::ArmAt(timer, deadline) => effects.arm_at(TimerId(u32::from(timer)), deadline),
            Do::ArmNext(timer) => {
                effects.arm_at(TimerId(u32::from(timer)), LAST.min(given.clock + 1));
            }
            Do::Disarm(timer) => effects.disarm(TimerId(u32::from(timer))),
            Do::Noise => replica.noise = !replica.noise,
            Do::Forget => replica.register.clear(),
            // The number says how many times more may follow from it.
            Do::Persist if given.hops > 0 => {
                effects.persist(ImageId(u32::from(self.fewer(given.hops))));
            }
            Do::Persist => {}
            Do::Panic => panic!("a table says so"),
        }
    }

    /// How many times more what follows from this may be forwarded.
    fn fewer(&self, hops: u8) -> u8 {
        if self.table.hops.is_some() { hops - 1 } else { hops }
    }

    /// Whether a message would change nothing now, and send nothing to anybody but
    /// `from`. Not if the handler might panic.
    fn is_idle(&self, replica: &Replica, from: NodeId, message: &Message) -> Option<Effects<Self>> {
        if self.rule(replica.state, Cause::Message(message.kind)).does.contains(&Do::Panic) {
            return None;
        }
        let (mut copy, mut effects) = (replica.clone(), Effects::new());
        let input = Input::Receive { from, message: message.clone(), clock: 0 };
        self.step(&mut copy, input, &mut effects);
        let does = !effects.replies().is_empty()
            || !effects.timers().is_empty()
            || !effects.images().is_empty()
            || effects.sends().iter().any(|(to, _)| *to != from);
        (copy == *replica && !does).then_some(effects)
    }

    fn keep(&self, replica: &mut Replica, load: &Load, effects: &mut Effects<Self>) {
        if self.table.arrivals && replica.arrivals.len() < 4 {
            replica.arrivals.push(load.value.clone());
        }
        let at = replica.register.binary_search_by(|held| held.key.cmp(&load.key));
        let taken = match at {
            Err(_) => true,
            Ok(at) => {
                let held = &replica.register[at];
                match self.table.policy {
                    Policy::Overwrite => true,
                    Policy::Larger => load.value > held.value,
                    Policy::Stamped => load.stamp > held.stamp,
                    Policy::First => false,
                }
            }
        };
        effects.visible(load.write, load.stamp);
        match at {
            Ok(at) if taken => replica.register[at] = load.clone(),
            Err(at) => replica.register.insert(at, load.clone()),
            Ok(_) => {}
        }
    }

    fn send(
        &self,
        replica: &Replica,
        to: To,
        kind: u8,
        given: &Given<'_>,
        effects: &mut Effects<Self>,
    ) {
        if given.hops == 0 {
            return;
        }
        let hops = self.fewer(given.hops);
        let load = given.load.clone().or_else(|| replica.register.first().cloned());
        let message = Message { kind, hops, load };
        let me = replica.node;
        let all = (0..replica.nodes).map(NodeId);
        match to {
            To::Itself => effects.send(me, message),
            To::Others => effects.broadcast(all.filter(|node| *node != me), &message),
            To::All => effects.broadcast(all, &message),
            To::Sender => effects.send(given.from.unwrap_or(me), message),
            To::First => effects.send(NodeId(0), message),
            To::Next => effects.send(NodeId((me.0 + 1) % replica.nodes), message),
        }
    }

    fn answer(
        &self,
        replica: &Replica,
        operation: OperationId,
        key: Option<&Key>,
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        let value = key.map_or(Value::Null, |key| {
            let held = replica.register.iter().find(|held| held.key == *key);
            let good = |held: &&Load| {
                self.table.lease.is_none_or(|lease| clock <= held.stamp.counter + lease)
            };
            held.filter(good).map_or(Value::Null, |held| held.value.clone())
        });
        let token = u8::try_from(replica.register.len()).expect("keys are few");
        effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here).with_token(token);
    }
}

fn wait(replica: &mut Replica, operation: OperationId, key: Option<Key>) {
    if replica.waiting.iter().all(|(known, _)| *known != operation) {
        replica.waiting.push((operation, key));
    }
}

fn rule(dice: &mut Choices<'_>, cause: Cause, states: u8, allowed: Allowed) -> Rule {
    let mut does = Vec::new();
    let asked = matches!(cause, Cause::Write | Cause::Read);
    let often = match cause {
        Cause::Write | Cause::Message(_) => 2 + dice.below(2),
        Cause::Read => dice.below(3),
        Cause::Start | Cause::Timer(_) => dice.below(3),
        Cause::Recovered | Cause::Cancelled | Cause::Suspect => dice.below(2),
        Cause::Persisted | Cause::Command(_) => 1 + dice.below(2),
    };
    for _ in 0..often {
        let kind = dice.below(2);
        let one = match dice.below(16) {
            0..=3 => Do::Keep,
            4..=8 => {
                let to = [To::Others, To::Itself, To::All, To::Sender, To::First, To::Next];
                Do::Send(to[usize::from(dice.below(6))], kind)
            }
            9 => Do::AnswerFirst,
            10 => Do::AnswerAll,
            11 => Do::Arm(kind),
            12 => Do::Disarm(kind),
            13 => Do::Noise,
            14 if dice.once_in(6) => Do::Forget,
            15 if dice.once_in(12) => Do::Panic,
            _ if asked => Do::Wait,
            _ => Do::Keep,
        };
        let timer = matches!(one, Do::Arm(_) | Do::Disarm(_));
        if (timer && !allowed.timers) || (one == Do::Panic && !allowed.panics) {
            continue;
        }
        does.push(one);
    }
    if asked && !does.contains(&Do::Wait) {
        does.push(match dice.below(16) {
            0 => Do::Fail,
            1 => Do::Unknown,
            2 => Do::Wait,
            _ => Do::Answer,
        });
    }
    let next = dice.below(states);
    Rule { does, next }
}

/// FNV-1a.
fn fingerprint(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

impl Strategy for Protocol {
    type Replica = Replica;
    type Message = Message;
    type Token = u8;

    fn name(&self) -> StrategyName {
        StrategyName::new("random-protocol").with("table", &self.table.name)
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            node,
            nodes: u16::try_from(cluster.size()).expect("nodes are few"),
            state: 0,
            register: Vec::new(),
            arrivals: Vec::new(),
            waiting: Vec::new(),
            noise: false,
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        let hops = self.table.hops.unwrap_or(1);
        let mut given = Given { request: None, from: None, hops, load: None, clock: 0 };
        let cause = match input {
            Input::Start => Cause::Start,
            Input::Recovered => Cause::Recovered,
            Input::Cancelled(_) => Cause::Cancelled,
            Input::Suspect(_) => Cause::Suspect,
            Input::Command(CommandId(number)) => Cause::Command(number),
            Input::Persisted(ImageId(hops)) => {
                given.hops = u8::try_from(hops).expect("hops are few");
                Cause::Persisted
            }
            Input::Timer(TimerId(timer)) => Cause::Timer(u8::try_from(timer).expect("0 or 1")),
            Input::Receive { from, message, clock } => {
                let load = message.load;
                let cause = Cause::Message(message.kind);
                given = Given { from: Some(from), hops: message.hops, load, clock, ..given };
                cause
            }
            Input::Request { operation, call, token, clock } => {
                let reads = call.is_read();
                let held = replica.register.iter().find(|held| held.key == call.key);
                let next = held.map_or(1, |held| held.stamp.counter + 1);
                let counter = if self.table.lease.is_some() { clock } else { next };
                let stamp = Stamp { counter, tie: operation.as_tie() };
                let (key, value) = (call.key.clone(), call.argument.clone());
                let load = (!reads).then_some(Load { key, stamp, value, write: operation });
                let given =
                    Given { request: Some((operation, &call, token)), load, clock, ..given };
                let cause = if reads { Cause::Read } else { Cause::Write };
                return self.act(replica, cause, &given, effects);
            }
            _ => return,
        };
        self.act(replica, cause, &given, effects);
    }

    fn durable(&self, replica: &Replica) -> Replica {
        let mut left = replica.clone();
        left.waiting.clear();
        left.noise = false;
        if !self.table.durable {
            left.register.clear();
            left.arrivals.clear();
        }
        left
    }

    fn label(&self, message: &Message) -> String {
        let mut text = format!("kind {} hops {}", message.kind, message.hops);
        if let Some(Load { key, stamp, value, write }) = &message.load {
            let by = write.as_tie();
            write!(text, " {key}={value} {stamp} by {by}").expect("a String takes all");
        }
        text
    }

    fn serves(&self, call: &Call, node: NodeId, _cluster: &Cluster) -> bool {
        let [reads, writes] = self.table.refuses;
        let refuses = if call.is_read() { reads } else { writes };
        (call.is_read() || call.is_write()) && refuses & (1 << node.0) == 0
    }

    fn reads_clock(&self) -> bool {
        self.table.lease.is_some()
    }

    fn has_deadlines(&self) -> bool {
        self.table.deadlines
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        let many = if self.table.disk { COMMANDS } else { 0 };
        (0..many).map(|number| format!("do {number}")).collect()
    }

    fn writes_disk(&self) -> bool {
        self.table.disk
    }

    fn observable(&self, replica: &Replica) -> Option<Replica> {
        self.table.observable.then(|| Replica { noise: false, ..replica.clone() })
    }

    fn ignores(&self, replica: &Replica, from: NodeId, message: &Message) -> Option<bool> {
        let idle = || self.is_idle(replica, from, message);
        Some(match self.table.ignores {
            Ignores::Nothing => return None,
            Ignores::Kind(kind) => message.kind == kind,
            Ignores::Idle => idle().is_some_and(|did| did.sends().is_empty()),
            Ignores::Answered | Ignores::AnsweredIn(_) => idle().is_some(),
        })
    }

    fn awaits(&self, replica: &Replica, _: NodeId, message: &Message) -> bool {
        match self.table.ignores {
            Ignores::AnsweredIn(one) => replica.state != one && message.kind != one,
            _ => false,
        }
    }

    fn renamed(&self, replica: &Replica, name: &dyn Fn(NodeId) -> NodeId) -> Option<Replica> {
        // Renaming is valid only if no rule and no refusal depends on the
        // number of a node.
        let numbers = |does: &Do| matches!(does, Do::Send(To::First | To::Next, _));
        let mut all = self.table.rules.iter().flatten().flat_map(|rule| &rule.does);
        let lawful = !all.any(numbers) && self.table.refuses == [0; 2];
        lawful.then(|| Replica { node: name(replica.node), ..replica.clone() })
    }

    fn renamed_message(
        &self,
        message: &Message,
        _name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<Message> {
        Some(message.clone())
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        fn two_is_not_first(all: &[&Replica]) -> bool {
            all.iter().all(|replica| replica.arrivals.first() != Some(&Value::from(2)))
        }
        fn two_is_not_first_and_one_third(all: &[&Replica]) -> bool {
            let both = |replica: &&Replica| {
                let at = |at: usize| replica.arrivals.get(at);
                at(0) == Some(&Value::from(2)) && at(2) == Some(&Value::from(1))
            };
            !all.iter().any(both)
        }
        fn not_all_move_on(all: &[&Replica]) -> bool {
            all.iter().any(|replica| replica.state == 0)
        }
        fn the_last_makes_no_noise(all: &[&Replica]) -> bool {
            all.last().is_none_or(|replica| !replica.noise)
        }
        fn somebody_waits(all: &[&Replica]) -> bool {
            all.iter().any(|replica| !replica.waiting.is_empty())
        }
        if !self.table.invariants {
            return Vec::new();
        }
        vec![
            Invariant::always("two-is-not-first", two_is_not_first),
            Invariant::always("two-is-not-first-and-one-third", two_is_not_first_and_one_third),
            Invariant::always("not-all-move-on", not_all_move_on),
            Invariant::always("the-last-makes-no-noise", the_last_makes_no_noise),
            Invariant::at_quiescence("nobody-waits", |all| !somebody_waits(all)),
            Invariant::sometimes("somebody-waits", somebody_waits),
        ]
    }
}
