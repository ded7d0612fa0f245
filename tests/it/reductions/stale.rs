//! Messages that no longer matter: what is declared rightly leaves states out and
//! nothing else; what is declared wrongly is found out, and not believed.

use std::collections::BTreeSet;

use quiescence::history::{Call, Menu, NodeId, Value};
use quiescence::replication::synchronous::abd::{Abd, Message, Replica, WriteBack};
use quiescence::replication::{Cluster, Effects, Input, Strategy, StrategyName};
use quiescence::search::exhaustive::{
    Ending, Exploration, Limits, MISDECLARED, Open, Plan, Reduce, Sight, Tracks, Work, explore,
};
use quiescence::world::{
    FaultKind, FaultPlan, Faults, Network, Planned, Routing, Script, Setting, Workload,
};

/// The majority register with other declarations.
#[derive(Clone, Copy, Debug)]
struct Declaring(Says);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// What is right.
    Right,
    /// Wrong: no answer to a question is ever looked at.
    EveryAnswer,
    /// Wrong: nobody waits for answers.
    NobodyAwaits,
    /// Wrong: values need not be stored.
    EveryStore,
    /// Wrong: nobody waits for values to be stored.
    StoresUnawaited,
}

const ABD: Abd = Abd { write_back: WriteBack::Always };

impl Strategy for Declaring {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("declaring")
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        ABD.boot(node, cluster)
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        let mut inner = Effects::new();
        ABD.step(replica, input.map(|message| message, |token| token), &mut inner);
        inner.pass_on(effects, |message| message, |token| token);
    }

    fn durable(&self, replica: &Replica) -> Replica {
        ABD.durable(replica)
    }

    fn ignores(&self, replica: &Replica, from: NodeId, message: &Message) -> Option<bool> {
        let lie = match message {
            Message::Have { .. } => self.0 == Says::EveryAnswer,
            Message::Store { .. } => self.0 == Says::EveryStore,
            _ => false,
        };
        if lie { Some(true) } else { ABD.ignores(replica, from, message) }
    }

    fn awaits(&self, replica: &Replica, to: NodeId, message: &Message) -> bool {
        match self.0 {
            Says::NobodyAwaits => false,
            Says::StoresUnawaited if matches!(message, Message::Store { .. }) => false,
            _ => ABD.awaits(replica, to, message),
        }
    }
}

/// Two sessions with a write and a read, timers patient.
const SCOPE: Open = Open { sessions: 2, writes: 1, reads: 1, keys: 1, patient: true };

/// Without faults; and one write with one fault of each kind.
fn places() -> Vec<(Setting, Open)> {
    let calm = Setting::calm(3, Network::Unordered);
    let fifo = Setting::calm(3, Network::Fifo);
    let one = |kind: &FaultKind| {
        let budget = Faults::NONE.with(*kind, 1);
        let faults = FaultPlan { budget, ..FaultPlan::default() };
        let scope = Open { sessions: 1, reads: 0, ..SCOPE };
        (Setting { faults, routing: Routing::Roaming, ..calm.clone() }, scope)
    };
    let kinds = [FaultKind::Drop, FaultKind::Duplicate, FaultKind::Crash, FaultKind::Cut];
    let faulty: Vec<_> = kinds.iter().map(one).collect();
    [vec![(calm, SCOPE), (fifo, SCOPE)], faulty].concat()
}

fn plan(work: Work, reduce: Reduce) -> Plan<'static> {
    Plan {
        work,
        tracks: Tracks { history: true, real_time: true, ..Tracks::default() },
        reduce,
        limits: Limits::default(),
        lively: 1,
        quieting: 1,
        panics: true,
        patient: true,
        jobs: 2,
        stop: &|_| false,
    }
}

/// The outcomes of quiet clusters, and the search.
fn search(
    says: Says,
    (setting, scope): (&Setting, Open),
    reduce: Reduce,
) -> (BTreeSet<String>, Exploration) {
    let mut seen = BTreeSet::new();
    let mut judge = |sight: &Sight<'_>| {
        if sight.quiet {
            seen.insert(format!("{:?} {:?}", sight.history, sight.answers));
        }
        0
    };
    let plan = plan(Work::Open(scope, Menu::register()), reduce);
    let explored = explore(&Declaring(says), setting, &plan, 1, &mut judge).expect("it is covered");
    assert_eq!(explored.ending, Ending::Complete);
    (seen, explored)
}

const STALE: Reduce = Reduce { stale: true, ..Reduce::NONE };

#[test]
fn a_right_declaration_leaves_out_states_and_no_outcome() {
    for (setting, scope) in places() {
        let (all, plain) = search(Says::Right, (&setting, scope), Reduce::NONE);
        let (seen, stale) = search(Says::Right, (&setting, scope), STALE);
        assert_eq!(seen, all, "{setting:?}");
        assert_eq!(stale.declined, [], "{setting:?}");
        assert!(4 * stale.states < 3 * plain.states, "{} of {}", stale.states, plain.states);
    }
}

#[test]
fn a_wrong_declaration_is_found_out_and_changes_nothing() {
    for says in [Says::EveryAnswer, Says::NobodyAwaits, Says::EveryStore, Says::StoresUnawaited] {
        // Of two nodes both have to store: then it is no lie that matters.
        let nodes = if says == Says::EveryStore { 3 } else { 2 };
        let setting = Setting::calm(nodes, Network::Unordered);
        let (all, plain) = search(says, (&setting, SCOPE), Reduce::NONE);
        let (seen, stale) = search(says, (&setting, SCOPE), STALE);
        assert_eq!(stale.declined, [("stale", MISDECLARED)], "{says:?}");
        assert_eq!((seen, stale.states), (all, plain.states), "{says:?}");
    }
}

#[test]
fn two_writers_and_a_reader_of_the_majority_register_have_few_states() {
    let script = |node: u16, call: Call| Script {
        node: NodeId(node),
        operations: vec![Planned { call, node: None }],
    };
    let calls = [Call::write("x", 1), Call::write("x", 2), Call::read("x")];
    let sessions = (0..).zip(calls).map(|(node, call)| script(node, call)).collect();
    let plan = plan(Work::Scripted(Workload { sessions }), STALE);
    let setting = Setting::calm(3, Network::Unordered);
    let found = explore(&ABD, &setting, &plan, 1, &mut |_| 0).expect("it is covered");
    // Without the reduction these are 12,029,674.
    assert_eq!((found.ending, found.states), (Ending::Complete, 13_468));
}

/// A message that is ignored for now and makes a difference later, or somewhere else. What
/// is declared is true at the moment.
#[derive(Clone, Copy, Debug)]
struct Turning {
    strikes: Strikes,
    by: By,
}

/// What the message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strikes {
    /// It strikes its receiver, after that has turned.
    Receiver,
    /// It is answered, and the answer strikes the sender, after that has turned.
    Sender,
    /// It is answered after its receiver has turned, and the answer strikes the sender.
    WithAnAnswer,
    /// It is answered to a third node, and strikes that.
    Third,
}

/// What turns the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// A delivery that the search has seen before anything was dropped.
    KnownDelivery,
    /// A delivery that it sees afterwards.
    NewDelivery,
    /// A read, which a client begins at any time.
    ClientRead,
}

const SENDER: NodeId = NodeId(0);
const RECEIVER: NodeId = NodeId(1);
const THIRD: NodeId = NodeId(2);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Sent {
    Late,
    Answer,
    Turn,
    /// To the third node and back: what it brings about comes some steps later.
    Kick,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Turned {
    me: NodeId,
    turned: bool,
    struck: bool,
}

impl Turning {
    /// The node that turns.
    fn turns(self) -> NodeId {
        if self.strikes == Strikes::Sender { SENDER } else { RECEIVER }
    }

    fn struck(self) -> NodeId {
        match self.strikes {
            Strikes::Receiver => RECEIVER,
            Strikes::Sender | Strikes::WithAnAnswer => SENDER,
            Strikes::Third => THIRD,
        }
    }
}

impl Strategy for Turning {
    type Replica = Turned;
    type Message = Sent;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("turning")
    }

    fn boot(&self, me: NodeId, _: &Cluster) -> Turned {
        Turned { me, turned: false, struck: false }
    }

    fn step(&self, node: &mut Turned, input: Input<Self>, effects: &mut Effects<Self>) {
        let (turn, late) = ((self.turns(), Sent::Turn), (RECEIVER, Sent::Late));
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                effects.ok(operation, Value::from(i64::from(node.struck)));
                node.turned |= self.by == By::ClientRead && node.me == self.turns();
            }
            Input::Request { operation, .. } => {
                let (to, first) = if self.by == By::KnownDelivery { turn } else { late };
                effects.send(to, first);
                effects.send(THIRD, Sent::Kick);
                effects.ok(operation, Value::Null);
            }
            Input::Receive { message: Sent::Kick, .. } if node.me == THIRD => {
                effects.send(SENDER, Sent::Kick);
            }
            Input::Receive { message: Sent::Kick, .. } => match self.by {
                By::KnownDelivery => effects.send(late.0, late.1),
                By::NewDelivery => effects.send(turn.0, turn.1),
                By::ClientRead => {}
            },
            Input::Receive { message: Sent::Turn, .. } => node.turned = true,
            Input::Receive { message: Sent::Late, .. } => match self.strikes {
                Strikes::Receiver => node.struck |= node.turned,
                Strikes::WithAnAnswer if !node.turned => {}
                Strikes::Sender | Strikes::WithAnAnswer => effects.send(SENDER, Sent::Answer),
                Strikes::Third => effects.send(THIRD, Sent::Answer),
            },
            Input::Receive { message: Sent::Answer, .. } => {
                let ready = node.turned || self.strikes != Strikes::Sender;
                node.struck |= ready && node.me == self.struck();
            }
            _ => {}
        }
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        if call.is_read() { [self.turns(), self.struck()].contains(&node) } else { node == SENDER }
    }

    fn ignores(&self, node: &Turned, _: NodeId, message: &Sent) -> Option<bool> {
        Some(match message {
            Sent::Late => self.strikes != Strikes::Receiver || !node.turned,
            Sent::Answer if node.me != self.struck() => true,
            Sent::Answer => self.strikes == Strikes::Sender && !node.turned,
            Sent::Turn | Sent::Kick => false,
        })
    }

    fn awaits(&self, node: &Turned, _: NodeId, _: &Sent) -> bool {
        self.strikes == Strikes::Sender && node.turned
    }
}

/// The histories with their answers, how many states there are, and what was declined.
type Explored = (BTreeSet<String>, u64, Vec<(&'static str, &'static str)>);

fn explored(turning: Turning, reduce: Reduce) -> Explored {
    let mut seen = BTreeSet::new();
    let mut judge = |sight: &Sight<'_>| {
        seen.insert(format!("{:?} {:?}", sight.history, sight.answers));
        0
    };
    // Nobody reads but at quiescence, if no read is needed.
    let (sessions, reads) = if turning.by == By::ClientRead { (2, 1) } else { (1, 0) };
    let work = Work::Open(Open { sessions, reads, ..SCOPE }, Menu::register());
    let setting = Setting::calm(3, Network::Unordered);
    let found = explore(&turning, &setting, &plan(work, reduce), 1, &mut judge);
    let found = found.expect("it is covered");
    assert_eq!(found.ending, Ending::Complete);
    (seen, found.states, found.declined)
}

#[test]
fn what_was_dropped_is_tried_wherever_its_receiver_and_its_sender_come() {
    for strikes in [Strikes::Receiver, Strikes::Sender, Strikes::WithAnAnswer, Strikes::Third] {
        for by in [By::KnownDelivery, By::NewDelivery, By::ClientRead] {
            let turning = Turning { strikes, by };
            let (all, states, _) = explored(turning, Reduce::NONE);
            let struck = all.iter().any(|told| told.contains("Int(1)"));
            assert!(struck, "the message makes a difference: {turning:?} {all:?}");
            let found_out = vec![("stale", MISDECLARED)];
            assert_eq!(explored(turning, STALE), (all, states, found_out), "{turning:?}");
        }
    }
}
