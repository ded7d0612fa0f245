//! The meaning of actions, faults, settling and final reads, on strategies
//! made for the purpose.

mod commuting;

use std::cell::Cell;
use std::collections::BTreeSet;

use quiescence::catalogue::Registry;
use quiescence::history::{Completion, NodeId, Value, notation};
use quiescence::replication::asynchronous::async_primary::AsyncPrimary;
use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::replication::synchronous::abd::{Abd, WriteBack};
use quiescence::replication::{
    Cluster, Effects, Input, Invariant, OperationId, Strategy, StrategyName, Subject, TimerId,
};
use quiescence::world::{
    Action, Broken, Ending, FaultKind, FaultPlan, Faults, InboxOnCrash, Network, NotEnabled,
    Routing, Run, SessionId, Setting, Shows, Strike, Workload, World, close, re_execute,
};

fn workload(text: &str) -> Workload {
    text.parse().expect("the text is in the notation")
}

fn setting(nodes: u16, network: Network, budget: Faults) -> Setting {
    let faults = FaultPlan { budget, ..FaultPlan::default() };
    Setting { nodes, network, faults, routing: Routing::Roaming }
}

fn calm(nodes: u16) -> Setting {
    setting(nodes, Network::Unordered, Faults::NONE)
}

/// Runs a world by a script and closes it.
fn run(strategy: &dyn Subject, setting: &Setting, asked: &str, script: &str) -> Run {
    let workload = workload(asked);
    let mut world = World::new(strategy, setting, &workload).expect("no panic at the start");
    perform(&mut world, script);
    close(world)
}

/// Performs a script of words.
///
/// `A` invokes the next operation of session A · `1>2` delivers the oldest
/// message from n1 to n2 · `drop1>2`, `dup1>2` · `crash2`, `recover2`,
/// `kill2` · `cut1>2`, `heal1>2` · `fire1` · `giveA` · `retryA@2` · `tick1`, `back1`
fn perform(world: &mut World<'_>, script: &str) {
    for word in script.split_whitespace() {
        let action = action(world, word);
        let step = world.steps() + 1;
        world.perform(&action, step).unwrap_or_else(|why| panic!("{script}, {word}: {why}"));
    }
}

fn node(digit: &str) -> NodeId {
    NodeId(digit.parse::<u16>().expect("a digit") - 1)
}

fn link(text: &str) -> (NodeId, NodeId) {
    let (from, to) = text.split_once('>').expect("a link is written 1>2");
    (node(from), node(to))
}

fn action(world: &World<'_>, word: &str) -> Action {
    let oldest = |text: &str| {
        let (from, to) = link(text);
        let mut names: Vec<_> = world.in_flight().map(|(name, _)| name).collect();
        names.retain(|name| (name.from, name.to) == (from, to));
        names.sort();
        let name = names.first().unwrap_or_else(|| panic!("{word}: nothing is in flight"));
        (to, world.message_named(*name).expect("it is in flight"))
    };
    let session = |text: &str| SessionId::named(text).expect("a session");
    let digits = |prefix: &str| word.strip_prefix(prefix);
    if let Some(text) = digits("drop") {
        let (to, message) = oldest(text);
        Action::Drop(to, message)
    } else if let Some(text) = digits("dup") {
        let (to, message) = oldest(text);
        Action::Duplicate(to, message)
    } else if let Some(text) = digits("crash") {
        Action::Strike(node(text), Strike::Crash)
    } else if let Some(text) = digits("recover") {
        Action::Recover(node(text))
    } else if let Some(text) = digits("cut") {
        let (from, to) = link(text);
        Action::Strike(to, Strike::Cut(from))
    } else if let Some(text) = digits("heal") {
        let (from, to) = link(text);
        Action::Heal(from, to)
    } else if let Some(text) = digits("fire") {
        Action::Fire(node(text), TimerId(0))
    } else if let Some(text) = digits("give") {
        Action::GiveUp(session(text))
    } else if let Some(text) = digits("retry") {
        let (who, at) = text.split_once('@').expect("a retry names a node");
        Action::Retry(session(who), node(at))
    } else if let Some(text) = digits("suspect") {
        let (who, suspect) = link(text);
        Action::Strike(who, Strike::Suspect(suspect))
    } else if let Some(text) = digits("kill") {
        Action::Strike(node(text), Strike::Kill)
    } else if let Some(text) = digits("tick") {
        Action::Strike(node(text), Strike::Tick)
    } else if let Some(text) = digits("split") {
        let sides = text.split('|').map(|nodes| format!("n{nodes}")).collect::<Vec<_>>();
        let split = sides.join(" | ").parse().expect("two nodes");
        Action::Strike(NodeId(0), Strike::Partition(split))
    } else if word == "unite" {
        Action::Unite
    } else if let Some(text) = digits("back") {
        Action::Strike(node(text), Strike::JumpBack)
    } else if word.contains('>') {
        let (to, message) = oldest(word);
        Action::Deliver(to, message)
    } else {
        let (operation, _) = world.next_operation(session(word)).expect("an operation is left");
        Action::Invoke(operation)
    }
}

fn clients(run: &Run) -> String {
    notation::write(&run.history)
}

const STORING: Notebook = Notebook { variant: Variant::Storing };
const ABD: Abd = Abd { write_back: WriteBack::Always };
const LWW: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
const WALL: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Wall, anti_entropy: false };

#[test]
fn the_worked_example_diverges_when_writes_cross() {
    let run = run(&STORING, &calm(2), "wx1@n1|wx2@n2", "A B 1>2 2>1");
    assert_eq!(clients(&run), "wx1|wx2|rx2!|rx1! @ 00112233");
    assert_eq!(run.ending, Ending::Settled);
}

#[test]
fn a_cut_link_holds_messages_until_it_is_healed() {
    let budget = Faults::NONE.with(FaultKind::Cut, 1);
    let setting = setting(2, Network::Unordered, budget);
    let workload = workload("wx1@n1");
    let mut world = World::new(&LWW, &setting, &workload).expect("no panic");
    for (step, word) in (1..).zip(["cut1>2", "A"]) {
        let action = action(&world, word);
        world.perform(&action, step).expect("it is possible");
    }
    let held = action(&world, "1>2");
    let refused = world.perform(&held, 3);
    assert_eq!(refused, Err(NotEnabled::Impossible("the message is held back")));
    assert_eq!(clients(&close(world)), "wx1|rx1!|rx1! @ 001122", "settling heals");
}

#[test]
fn a_dropped_message_never_arrives() {
    let setting = setting(2, Network::Unordered, Faults::NONE.with(FaultKind::Drop, 1));
    let run = run(&LWW, &setting, "wx1@n1", "A drop1>2");
    assert_eq!(clients(&run), "wx1|rx1!|rx0! @ 001122");
}

#[test]
fn a_duplicate_arrives_twice_and_only_a_duplicate_does() {
    let setting = setting(2, Network::Unordered, Faults::NONE.with(FaultKind::Duplicate, 1));
    let run = run(&STORING, &setting, "wx1@n1 wx2@n2", "A dup1>2 1>2 A 1>2 2>1");
    assert_eq!(clients(&run), "wx1 wx2|rx2!|rx1! @ 00001122", "the copy overwrites");
}

#[test]
fn a_fifo_link_keeps_its_order_and_an_unordered_one_need_not() {
    for (network, ahead) in [(Network::Fifo, false), (Network::Unordered, true)] {
        let setting = setting(2, network, Faults::NONE);
        let workload = workload("wx1@n1 wx2@n1");
        let mut world = World::new(&STORING, &setting, &workload).expect("no panic");
        for step in 1..=2 {
            let action = action(&world, "A");
            world.perform(&action, step).expect("it is possible");
        }
        let mut deliveries = Vec::new();
        world.deliveries(&mut deliveries);
        assert_eq!(deliveries.len(), if ahead { 2 } else { 1 });
    }
}

#[test]
fn a_crash_leaves_open_operations_unknown_and_what_is_durable() {
    let budget = Faults::NONE.with(FaultKind::Crash, 1);
    let setting = setting(3, Network::Unordered, budget);
    // n1 coordinates a write, and crashes before any node has answered.
    let run = run(&ABD, &setting, "wx1@n1 wx2@n2", "A crash1");
    assert_eq!(clients(&run), "wx1?|rx0!|rx0!|rx0! @ 0112233", "nobody had been told");
    assert_eq!(run.faults[FaultKind::Crash], 1);
}

#[test]
fn messages_sent_before_a_crash_still_arrive() {
    let budget = Faults::NONE.with(FaultKind::Crash, 1);
    let run = run(&LWW, &setting(2, Network::Unordered, budget), "wx1@n1", "A crash1 1>2");
    assert_eq!(clients(&run), "wx1|rx1!|rx1! @ 001122");
}

#[test]
fn the_inbox_of_a_crashed_node_is_lost_or_kept_as_the_plan_says() {
    for (inbox, at_n2) in [(InboxOnCrash::Lost, "rx0!"), (InboxOnCrash::Kept, "rx1!")] {
        let budget = Faults::NONE.with(FaultKind::Crash, 1);
        let mut setting = setting(2, Network::Unordered, budget);
        setting.faults.inbox = inbox;
        let run = run(&LWW, &setting, "wx1@n1", "A crash2 recover2");
        assert_eq!(clients(&run), format!("wx1|rx1!|{at_n2} @ 001122"));
    }
}

#[test]
fn a_client_that_gives_up_goes_on_as_a_new_process() {
    let budget = Faults::NONE.with(FaultKind::GiveUp, 1);
    let setting = setting(2, Network::Fifo, budget);
    let run = run(&AsyncPrimary, &setting, "wx1@n2 rx@n2", "A giveA A 2>1 1>2");
    // The write was not answered in time, but it took effect.
    assert_eq!(clients(&run), "wx1?|rx0|rx1!|rx1! @ 0112233");
}

#[test]
fn a_retried_operation_is_one_operation_with_one_answer() {
    let budget = Faults::NONE.with(FaultKind::Retry, 1);
    let setting = setting(2, Network::Fifo, budget);
    let run = run(&AsyncPrimary, &setting, "wx1@n2 wx2@n2", "A retryA@2 2>1 A 2>1 2>1");
    assert_eq!(clients(&run), "wx1 wx2|rx2!|rx2! @ 00001122", "the primary tells retries apart");
}

#[test]
fn a_clock_that_is_ahead_wins_over_later_writes() {
    let budget = Faults::NONE.with(FaultKind::Skew, 1);
    let setting = setting(2, Network::Unordered, budget);
    let skewed = run(&WALL, &setting, "wx1@n2 wx2@n1 rx@n1", "tick2 A 2>1 A A");
    assert_eq!(clients(&skewed), "wx1 wx2 rx1|rx1!|rx1! @ 0000001122");
    let agreed = run(&WALL, &setting, "wx1@n2 wx2@n1 rx@n1", "A 2>1 A A");
    assert_eq!(clients(&agreed), "wx1 wx2 rx2|rx2!|rx2! @ 0000001122");
}

#[test]
fn budgets_are_kept() {
    let setting = setting(2, Network::Unordered, Faults::NONE.with(FaultKind::Drop, 1));
    let workload = workload("wx1@n1 wx2@n1");
    let mut world = World::new(&LWW, &setting, &workload).expect("no panic");
    for (step, word) in (1..).zip(["A", "A", "drop1>2"]) {
        let action = action(&world, word);
        world.perform(&action, step).expect("it is possible");
    }
    let second = action(&world, "drop1>2");
    assert!(matches!(world.perform(&second, 4), Err(NotEnabled::Impossible(_))));
    let crash = Action::Strike(NodeId(0), Strike::Crash);
    assert!(matches!(world.perform(&crash, 4), Err(NotEnabled::Impossible(_))));
}

#[test]
fn an_echo_never_becomes_quiet_on_any_network() {
    let echo = Notebook { variant: Variant::Echo };
    for nodes in [2, 3] {
        for network in [Network::Fifo, Network::Unordered] {
            let setting = setting(nodes, network, Faults::NONE);
            let run = run(&echo, &setting, "wx1@n1", "A");
            match (run.ending, nodes, network) {
                (Ending::NeverQuiet { from, .. }, ..) => {
                    assert!(from < run.schedule.len(), "there is a cycle");
                    assert!(!run.history.has_final_reads(), "it was never quiet");
                }
                // If queues only grow, no state repeats: the run is reported as
                // not settled.
                (Ending::Unsettled(_), 3, Network::Fifo) => {}
                (other, ..) => panic!("{nodes} nodes, {network}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_final_read_that_gets_no_answer_is_counted_not_invented() {
    let setting = setting(2, Network::Unordered, Faults::NONE);
    let silent = Toy { answers: false, ..Toy::default() };
    let run = run(&silent, &setting, "wx1@n1", "A");
    assert_eq!((run.lack.answers, clients(&run).as_str()), (2, "wx1?|rx?|rx? @ 012"));
}

/// Found by the 684,927th random run. What the session wrote is not behind the newer version
/// of x that it reads, so its dependencies must not be replaced by that one.
#[test]
fn who_reads_a_newer_version_still_depends_on_the_older_one() {
    let cops = Registry::standard().parse("cops").expect("it is registered").remove(0);
    let asked = "wy1@n3 wx2@n2 rx@n3 ry@n1|wz9@n1 wx3@n1";
    let run = run(&*cops, &calm(3), asked, "A 3>2 A B B 1>3 1>3 A 2>3 A");
    assert!(clients(&run).starts_with("wy1 wx2 rx3 ry1|"), "{}", clients(&run));
}

thread_local! {
    /// How often a message of this test was sent.
    static SENT: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn a_final_read_that_is_passed_on_for_ever_ends_and_one_that_is_passed_on_for_long_is_answered() {
    /// Passes a read on and on, and answers it when `LAST` is passed on, which may be never.
    fn pass<const LAST: u8>(_: &mut u8, input: Input<Toy>, effects: &mut Effects<Toy>) {
        let passed = match input {
            Input::Request { call, .. } if call.is_read() => 0,
            Input::Receive { message, .. } if message == LAST => {
                for session in [1, 2] {
                    effects.ok(OperationId { session, number: 0 }, Value::Int(7));
                }
                return;
            }
            Input::Receive { message, .. } => (message + 1) % 202,
            _ => return,
        };
        SENT.set(SENT.get() + 1);
        effects.send(NodeId(u16::from(passed % 2)), passed);
    }
    let setting = setting(2, Network::Unordered, Faults::NONE);
    let told = |step: ToyStep| {
        SENT.set(0);
        let run = run(&Toy { step, answers: false, ..Toy::default() }, &setting, "wx1@n1", "A");
        (run.lack.answers, clients(&run), SENT.get())
    };
    // Whenever a message is delivered, the replicas are as they were.
    assert_eq!(told(pass::<201>), (0, "wx1?|rx7!|rx7! @ 01122".to_owned(), 404));
    let (lack, seen, sent) = told(pass::<250>);
    assert_eq!((lack, seen.as_str()), (2, "wx1?|rx?|rx? @ 012"));
    assert!(sent < 2_000, "{sent}");
}

type ToyStep = fn(&mut u8, Input<Toy>, &mut Effects<Toy>);

/// A strategy whose replica is one byte and whose handler is a function.
#[derive(Clone)]
struct Toy {
    step: ToyStep,
    /// Whether reads are answered with the byte.
    answers: bool,
    invariants: fn() -> Vec<Invariant<u8>>,
}

impl Default for Toy {
    fn default() -> Self {
        Toy { step: |_, _, _| {}, answers: true, invariants: Vec::new }
    }
}

impl Strategy for Toy {
    type Replica = u8;
    type Message = u8;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("toy")
    }

    fn boot(&self, _: NodeId, _: &Cluster) -> u8 {
        0
    }

    fn step(&self, replica: &mut u8, input: Input<Self>, effects: &mut Effects<Self>) {
        if let Input::Request { operation, call, .. } = &input
            && call.is_read()
            && self.answers
        {
            let value = Value::Int(i64::from(*replica));
            effects.reply(*operation, Completion::Ok(value));
        }
        (self.step)(replica, input, effects);
    }

    fn durable(&self, replica: &u8) -> u8 {
        *replica
    }

    fn label(&self, message: &u8) -> String {
        format!("toy {message}")
    }

    fn invariants(&self) -> Vec<Invariant<u8>> {
        (self.invariants)()
    }
}

#[test]
fn a_timer_that_changes_nothing_is_not_noise_and_not_part_of_the_story() {
    let idle = Toy {
        step: |_, input, effects| {
            if matches!(input, Input::Start | Input::Timer(_)) {
                effects.arm(TimerId(0));
            }
        },
        ..Toy::default()
    };
    let run = run(&idle, &calm(2), "rx@n1", "A");
    assert_eq!((run.ending, run.schedule.len()), (Ending::Settled, 0));
}

#[test]
fn a_timer_that_only_arms_another_does_not_end_the_settling() {
    let chain = Toy {
        step: |replica, input, effects| match input {
            Input::Start => effects.arm(TimerId(0)),
            Input::Timer(TimerId(0)) => effects.arm(TimerId(1)),
            Input::Timer(_) => *replica = 7,
            _ => {}
        },
        ..Toy::default()
    };
    let run = run(&chain, &calm(1), "rx@n1", "A");
    assert_eq!((run.ending, run.schedule.len()), (Ending::Settled, 2));
    assert_eq!(notation::write(&run.history), "rx=0|rx7! @ 0011");
}

#[test]
fn timers_that_arm_each_other_and_change_nothing_are_quiet() {
    let relay = Toy {
        step: |_, input, effects| match input {
            Input::Start => effects.arm(TimerId(0)),
            Input::Timer(TimerId(fired)) => effects.arm(TimerId(1 - fired)),
            _ => {}
        },
        ..Toy::default()
    };
    let run = run(&relay, &calm(1), "rx@n1", "A");
    assert_eq!((run.ending, run.schedule.len()), (Ending::Settled, 0));
}

#[test]
fn timers_that_change_replicas_back_and_forth_oscillate() {
    let flip = Toy {
        step: |replica, input, effects| {
            if matches!(input, Input::Start | Input::Timer(_)) {
                effects.arm(TimerId(0));
            }
            if matches!(input, Input::Timer(_)) {
                *replica = 1 - *replica;
            }
        },
        ..Toy::default()
    };
    let run = run(&flip, &calm(1), "rx@n1", "A");
    assert_eq!((run.ending, run.schedule.len()), (Ending::Oscillating { from: 0 }, 2));
}

#[test]
fn what_keeps_changing_past_the_budget_is_undecided() {
    let count = Toy {
        step: |replica, input, effects| {
            if matches!(input, Input::Start | Input::Timer(_)) {
                effects.arm(TimerId(0));
                *replica += 1;
            }
        },
        ..Toy::default()
    };
    let run = run(&count, &calm(1), "rx@n1", "A");
    assert!(matches!(run.ending, Ending::Unsettled(_)), "{:?}", run.ending);
}

#[test]
fn a_handler_that_panics_ends_the_run_with_what_it_said() {
    let fragile = Toy {
        step: |replica, input, effects| match input {
            Input::Request { operation, .. } => {
                effects.send(NodeId(1), 7);
                effects.reply(operation, Completion::Ok(Value::Null));
            }
            Input::Receive { message, .. } => *replica = 250 + message,
            _ => {}
        },
        ..Toy::default()
    };
    let run = run(&fragile, &calm(2), "wx1@n1", "A");
    let Ending::Panicked(text) = run.ending else { panic!("{:?}", run.ending) };
    assert!(text.contains("overflow"), "{text}");
    assert_eq!(run.schedule.len(), 1, "the delivery that panicked is the last step");
}

#[test]
fn a_message_to_a_node_that_does_not_exist_is_the_strategys_fault() {
    let lost = Toy {
        step: |_, input, effects| {
            if let Input::Timer(_) = input {
                effects.send(NodeId(9), 1);
            }
            if let Input::Start = input {
                effects.arm(TimerId(0));
            }
        },
        ..Toy::default()
    };
    let run = run(&lost, &calm(1), "rx@n1", "");
    let Ending::Panicked(text) = run.ending else { panic!("{:?}", run.ending) };
    assert!(text.contains("n10, which does not exist"), "{text}");
}

#[test]
fn an_invariant_that_breaks_is_noted_as_is_one_that_is_reached() {
    let counting = Toy {
        step: |replica, input, _| {
            if matches!(input, Input::Request { .. }) {
                *replica += 1;
            }
        },
        answers: true,
        invariants: || {
            vec![
                Invariant::sometimes("reaches 1", |r| *r[0] == 1),
                Invariant::always("stays below 2", |r| *r[0] < 2),
            ]
        },
    };
    let scenario = |asked| quiescence::world::Scenario {
        setting: calm(1),
        workload: workload(asked),
        choices: vec![],
        priorities: vec![],
    };
    let once = quiescence::world::execute(&counting, &scenario("rx@n1"), None);
    assert_eq!((once.ending, once.reached), (Ending::Settled, BTreeSet::from([0])));
    let twice = quiescence::world::execute(&counting, &scenario("rx@n1 rx@n1"), None);
    assert_eq!((twice.ending, twice.schedule.len()), (Ending::Settled, 2));
    assert_eq!(twice.broken, [Broken { name: "stays below 2", step: 2 }]);
    let asked = scenario("rx@n1 rx@n1 rx@n1");
    let shows = Shows::Broken("stays below 2");
    let thrice = quiescence::world::execute(&counting, &asked, None);
    let told = re_execute(&counting, &asked.setting, &asked.workload, &thrice.schedule, shows);
    assert_eq!((told.ending, told.schedule.len()), (Ending::Broken("stays below 2"), 2));
}

#[test]
fn final_reads_do_not_change_the_cluster_for_each_other() {
    let counting = Toy {
        step: |replica, input, _| {
            if matches!(input, Input::Request { .. }) {
                *replica += 1;
            }
        },
        ..Toy::default()
    };
    let run = run(&counting, &calm(3), "rx@n1", "A");
    assert_eq!(clients(&run), "rx=0|rx1!|rx=0!|rx=0! @ 00112233");
}

/// Answers every read with the token of the session, and gives the session the
/// next one.
#[derive(Clone)]
struct Tokens;

impl Strategy for Tokens {
    type Replica = ();
    type Message = u8;
    type Token = i64;

    fn name(&self) -> StrategyName {
        StrategyName::new("tokens")
    }

    fn boot(&self, _: NodeId, _: &Cluster) {}

    fn step(&self, (): &mut (), input: Input<Self>, effects: &mut Effects<Self>) {
        if let Input::Request { operation, call, token, .. } = input
            && call.is_read()
        {
            let answer = Completion::Ok(Value::Int(token));
            effects.reply(operation, answer).with_token(token + 1);
        }
    }

    fn durable(&self, (): &()) {}

    fn label(&self, message: &u8) -> String {
        format!("token {message}")
    }
}

#[test]
fn a_session_carries_its_token_and_after_an_unknown_outcome_as_the_plan_says() {
    for (keep_token, after) in [(false, "rx=0"), (true, "rx2")] {
        let mut setting = setting(1, Network::Fifo, Faults::NONE.with(FaultKind::GiveUp, 1));
        setting.faults.keep_token = keep_token;
        let run = run(&Tokens, &setting, "rx@n1 rx@n1 wx1@n1 rx@n1", "A A A giveA A");
        let expected = format!("rx=0 rx1 wx1?|{after}|rx=0! @ 000001122");
        assert_eq!(clients(&run), expected);
    }
}

#[test]
fn an_operation_knows_its_place_in_the_order_of_ties() {
    let operation = OperationId { session: 3, number: 70 };
    assert_eq!(OperationId::from_tie(operation.as_tie()), operation);
}

/// What cannot happen is refused with its reason, and changes nothing.
#[test]
fn what_cannot_happen_is_refused() {
    let budget = FaultKind::ALL.into_iter().fold(Faults::NONE, |all, kind| all.with(kind, 1));
    let mut setting = setting(2, Network::Unordered, budget);
    setting.faults.inbox = InboxOnCrash::Kept;
    let asked = workload("wx1@n2 wx2@n2|rx@n1");
    for (before, refused, why) in [
        ("crash1", "crash1", "the node is down"),
        ("crash1", "suspect1>2", "the node is down"),
        ("crash1", "B", "the node is down"),
        ("A A", "A", "the session has no operation left"),
        ("A", "again", "the session has already gone past this operation"),
        ("A crash1", "2>1", "the node is down"),
        ("", "recover1", "the node is not down"),
        ("cut1>2", "cut1>2", "the link is cut already"),
        ("", "heal1>2", "the link is not cut"),
        ("A cut2>1", "2>1", "the message is held back"),
        ("split1|2", "split1|2", "the network is split already"),
        ("", "unite", "the network is not split"),
        ("A split1|2", "2>1", "the message is held back"),
        ("", "split1|3", "this does not split the cluster"),
        ("", "cut1>1", "there is no such other node"),
        ("", "suspect1>3", "there is no such other node"),
        ("", "crash3", "there is no such node"),
        ("", "fire1", "the timer is not armed"),
        ("", "giveA", "the session has no operation open"),
        ("", "retryA@1", "the session has no operation open"),
        ("cut1>2", "cut2>1", "the fault plan does not allow (more of) this fault"),
        ("crash1 recover1", "crash2", "the fault plan does not allow (more of) this fault"),
        ("tick1", "back1", "the fault plan does not allow (more of) this fault"),
    ] {
        let mut world = World::new(&LWW, &setting, &asked).expect("no panic at the start");
        perform(&mut world, before);
        let action = match refused {
            "A" => Action::Invoke(OperationId { session: 0, number: 2 }),
            "again" => Action::Invoke(OperationId { session: 0, number: 0 }),
            _ => action(&world, refused),
        };
        let (state, step) = (world.state(), world.steps() + 1);
        let said = world.perform(&action, step).expect_err(refused);
        assert_eq!(said, NotEnabled::Impossible(why), "{before}, then {refused}");
        assert!(world.state() == state && world.steps() + 1 == step, "{before}, then {refused}");
        let mut enabled = Vec::new();
        world.enabled(&mut enabled);
        assert!(!enabled.contains(&action), "{before}, then {refused}");
    }
}

/// Every kind of fault is offered, in canonical order, as long as its budget
/// lasts and it can strike.
#[test]
fn what_may_go_wrong_is_offered() {
    let budget = FaultKind::ALL.into_iter().fold(Faults::NONE, |all, kind| all.with(kind, 1));
    let setting = setting(2, Network::Unordered, budget);
    let asked = workload("wx1@n2|rx@n1");
    for (before, offered) in [
        (
            "",
            "A B crash1 crash2 cut2>1 cut1>2 tick1 tick2 back1 back2 suspect1>2 suspect2>1 kill1 kill2 split1|2",
        ),
        // The primary is n1, so A waits.
        (
            "A",
            "2>1 B dup2>1 drop2>1 crash1 crash2 cut2>1 cut1>2 tick1 tick2 back1 back2 \
             giveA retryA@1 retryA@2 suspect1>2 suspect2>1 kill1 kill2 split1|2",
        ),
        (
            "A crash1",
            "recover1 cut2>1 cut1>2 tick1 tick2 back1 back2 giveA retryA@2 suspect2>1 kill1 kill2 split1|2",
        ),
    ] {
        let mut world = World::new(&AsyncPrimary, &setting, &asked).expect("no panic at the start");
        perform(&mut world, before);
        let mut enabled = Vec::new();
        world.enabled(&mut enabled);
        let expected: Vec<_> =
            offered.split_whitespace().map(|word| action(&world, word)).collect();
        assert_eq!(enabled, expected, "after {before:?}");
    }
}

/// A client waits at the node that it asked last. The crash of that node ends
/// its operation; the crash of the first node does not.
#[test]
fn a_retry_moves_the_client_to_another_node() {
    let budget = Faults::NONE.with(FaultKind::Retry, 1).with(FaultKind::Crash, 1);
    let setting = setting(3, Network::Unordered, budget);
    for (crash, waits) in [("crash2", true), ("crash3", false)] {
        let asked = workload("wx1@n2 wx2@n1");
        let mut world = World::new(&AsyncPrimary, &setting, &asked).expect("no panic at the start");
        perform(&mut world, &format!("A retryA@3 {crash}"));
        let next = Action::Invoke(OperationId { session: 0, number: 1 });
        let mut enabled = Vec::new();
        world.enabled(&mut enabled);
        assert_eq!(enabled.contains(&next), !waits, "{crash}");
    }
}
