//! Timers with deadlines, and clocks that tick by themselves, on a strategy made for the
//! purpose.

use quiescence::catalogue::Registry;
use quiescence::history::{NodeId, Value, notation};
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::Property;
use quiescence::replication::{Cluster, Effects, Input, OperationId, Strategy, TimerId};
use quiescence::search::exhaustive::{Open, Reduce};
use quiescence::threads;
use quiescence::world::{
    Action, Ending, FaultKind, Faults, Network, NotEnabled, Setting, Strike, Workload, World, close,
};

use crate::support::searched;

/// A write sets the alarm for what it writes and is answered when it has rung; a read
/// tells the clock and how often it has rung, or, if it naps, waits for the alarm.
#[derive(Clone)]
struct Alarm {
    /// Whether it says that it has deadlines.
    says: bool,
    /// By how many ticks a read waits.
    naps: u64,
}

const ALARM: Alarm = Alarm { says: true, naps: 0 };

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Rung {
    times: u64,
    waiting: Vec<OperationId>,
}

impl Strategy for Alarm {
    type Replica = Rung;
    type Message = ();
    type Token = ();

    fn boot(&self, _: NodeId, _: &Cluster) -> Rung {
        Rung::default()
    }

    fn step(&self, rung: &mut Rung, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, clock, .. } if call.is_read() => {
                if self.naps == 0 {
                    let told = 100 * clock + rung.times;
                    effects.ok(operation, Value::from(i64::try_from(told).expect("small")));
                } else {
                    rung.waiting.push(operation);
                    effects.arm_at(TimerId(0), clock + self.naps);
                }
            }
            Input::Request { operation, call, .. } => {
                rung.waiting.push(operation);
                match call.argument {
                    Value::Int(0) => effects.disarm(TimerId(0)),
                    Value::Int(until) => effects.arm_at(TimerId(0), until.unsigned_abs()),
                    other => panic!("{other}"),
                }
            }
            Input::Timer(_) => {
                rung.times += 1;
                for operation in std::mem::take(&mut rung.waiting) {
                    effects.ok(operation, Value::from(7));
                }
            }
            _ => {}
        }
    }

    fn durable(&self, rung: &Rung) -> Rung {
        Rung { waiting: Vec::new(), ..rung.clone() }
    }

    fn has_deadlines(&self) -> bool {
        self.says
    }
}

fn setting(nodes: u16, kinds: &[FaultKind]) -> Setting {
    Setting::calm(nodes, Network::Unordered).with_faults(Faults::once(kinds)).roaming()
}

/// What clocks and timers can do now: `t1` is a tick of n1, `f1` that its timer fires.
fn can(world: &World<'_>) -> String {
    let mut enabled = Vec::new();
    world.enabled(&mut enabled);
    let told = enabled.iter().filter_map(|action| match action {
        Action::Tick(node) => Some(format!("t{}", node.0 + 1)),
        Action::Fire(node, _) => Some(format!("f{}", node.0 + 1)),
        _ => None,
    });
    told.collect::<Vec<_>>().join(" ")
}

/// Performs `A`, which invokes, `t1`, `f1`, `kill1`, `crash1`, `back1`.
fn perform(world: &mut World<'_>, script: &str) {
    for word in script.split(' ') {
        let (what, at) = word.split_at(word.len() - 1);
        let node = || NodeId(at.parse::<u16>().expect("a node") - 1);
        let action = match what {
            "" => {
                let session = quiescence::world::SessionId::named(at).expect("a session");
                Action::Invoke(world.next_operation(session).expect("it has one").0)
            }
            "t" => Action::Tick(node()),
            "f" => Action::Fire(node(), TimerId(0)),
            "kill" => Action::Strike(node(), Strike::Kill),
            "crash" => Action::Strike(node(), Strike::Crash),
            "back" => Action::Recover(node()),
            other => panic!("{other}"),
        };
        let step = world.steps() + 1;
        world.perform(&action, step).unwrap_or_else(|why| panic!("{script}, {word}: {why}"));
    }
}

fn workload(text: &str) -> Workload {
    text.parse().expect("the text is in the notation")
}

#[test]
fn clocks_tick_within_the_bound_as_far_as_the_greatest_deadline() {
    let (asked, setting) = (workload("wx2@n1"), setting(3, &[]).with_clocks(1));
    let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
    assert_eq!(can(&world), "");
    perform(&mut world, "A");
    assert_eq!(can(&world), "t1 t2 t3");
    perform(&mut world, "t1");
    assert_eq!(can(&world), "t2 t3", "the clock of n1 is one ahead of others");
    perform(&mut world, "t2");
    assert_eq!(can(&world), "t3");
    perform(&mut world, "t3 t2");
    assert_eq!(can(&world), "t1 t3", "n2 has come to the deadline");
    perform(&mut world, "t1");
    assert_eq!(can(&world), "f1", "nobody waits for n3 to tick");
    let again = world.perform(&Action::Tick(NodeId(2)), 99);
    assert!(matches!(again, Err(NotEnabled::Impossible(_))), "{again:?}");
    perform(&mut world, "f1");
    assert_eq!(can(&world), "");
}

#[test]
fn without_a_bound_clocks_go_as_they_like() {
    let (asked, setting) = (workload("wx2@n1"), setting(2, &[]));
    let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut world, "A t1 t1 f1");
    assert_eq!(can(&world), "");
}

#[test]
fn a_deadline_is_replaced_passed_and_disarmed() {
    let asked = workload("wx3@n1|wx1@n1|wx0@n1|rx@n1");
    let setting = setting(1, &[]).with_clocks(1);
    let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut world, "A B t1");
    assert_eq!(can(&world), "f1", "1 has replaced 3");
    perform(&mut world, "C");
    assert_eq!(can(&world), "", "0 disarms");
    let mut again = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut again, "B t1 A");
    assert_eq!(can(&again), "t1", "3 has replaced 1, which had come");
    perform(&mut again, "t1 t1");
    assert_eq!(can(&again), "f1");
}

#[test]
fn offsets_are_in_ticks_from_the_lowest_clock() {
    let asked = workload("wx3@n1|rx@n2");
    let mut setting = setting(2, &[]).with_clocks(2);
    setting.faults.clocks = vec![-1, 1];
    let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut world, "A");
    assert_eq!(can(&world), "t1", "n2 is two ahead");
    perform(&mut world, "B t1 t2");
    assert_eq!(notation::write(&world.history()), "wx3?|rx200 @ 011");
    assert_eq!(can(&world), "t1");
}

#[test]
fn who_is_gone_holds_nobody_back_and_who_is_down_does() {
    let asked = workload("wx3@n1|wx3@n2");
    let setting = setting(2, &[FaultKind::Kill, FaultKind::Crash]).with_clocks(1);
    let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut world, "A crash2 t1");
    assert_eq!(can(&world), "t2", "its clock goes on");
    let mut gone = world.clone();
    perform(&mut gone, "kill2 t1 t1 f1");
    assert_eq!(can(&gone), "");
    perform(&mut world, "t2 back2 B t1 t2 kill2");
    assert_eq!(can(&world), "t1");
    perform(&mut world, "t1 f1");
    // A crash forgets deadlines, and keeps the clock.
    let mut crashed = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut crashed, "A t1 t2 crash1");
    assert_eq!(can(&crashed), "");
    perform(&mut crashed, "back1 B t2");
    assert_eq!(can(&crashed), "t1", "n1 shows 1, n2 shows 2");
    // Or it loses the clock, which begins anew, and the others wait for it.
    let mut setting = setting;
    setting.faults.lose_clock = true;
    let mut lost = World::new(&ALARM, &setting, &asked).expect("it begins");
    perform(&mut lost, "A t1 t2 crash1 back1 B");
    assert_eq!(can(&lost), "t1", "n1 shows 0, n2 shows 1");
    perform(&mut lost, "t1");
    assert_eq!(can(&lost), "t1 t2");
}

#[test]
fn settling_goes_on_to_the_greatest_deadline() {
    for bounded in [0, 1, 2] {
        let (asked, setting) = (workload("wx3@n1|wx1@n2"), setting(2, &[]).with_clocks(bounded));
        let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
        perform(&mut world, "A B");
        let run = close(world);
        assert_eq!(run.ending, Ending::Settled);
        // Both rang once. Nobody waits for n2 when n1 has come to 3.
        let told = notation::write(&run.history);
        assert!(told.contains("|rx301!|rx201!"), "{told}");
        let many = |wanted: fn(&Action) -> bool| {
            run.schedule.iter().filter(|step| wanted(&step.action)).count()
        };
        assert_eq!(many(|action| matches!(action, Action::Tick(_))), 5);
        assert_eq!(many(|action| matches!(action, Action::Fire(..))), 2);
    }
}

#[test]
fn a_final_read_may_wait_for_a_deadline() {
    let alarm = Alarm { naps: 2, ..ALARM };
    let (asked, setting) = (workload("wx1@n1"), setting(2, &[]).with_clocks(1));
    let mut world = World::new(&alarm, &setting, &asked).expect("it begins");
    perform(&mut world, "A");
    let told = notation::write(&close(world).history);
    assert!(told.contains("|rx7!|rx7!"), "{told}");
}

#[test]
fn what_waits_for_a_deadline_is_answered() {
    let setting = Setting::calm(2, Network::Fifo).with_clocks(1);
    for alarm in [ALARM, Alarm { naps: 1, ..ALARM }] {
        for patient in [false, true] {
            let scope = Open { sessions: 1, writes: 2, reads: 1, keys: 1, patient };
            let all = [Property::Answered];
            let found = searched(&alarm, &setting, scope, &all, (Reduce::ALL, 1)).remove(0).1;
            assert!(matches!(found, Decision::Proved(..)), "{found:?}");
        }
    }
}

#[test]
fn clocks_that_tick_do_not_jump() {
    let (asked, setting) = (workload("wx2@n1"), setting(1, &[FaultKind::Skew]));
    let mut world = World::new(&ALARM, &setting, &asked).expect("it begins");
    for strike in [Strike::Tick, Strike::JumpBack] {
        let done = world.perform(&Action::Strike(NodeId(0), strike), 1);
        assert!(matches!(done, Err(NotEnabled::Impossible(_))), "{done:?}");
    }
    let plain = Registry::standard().parse("abd").expect("it is there").remove(0);
    let mut world = World::new(&*plain, &setting, &asked).expect("it begins");
    let done = world.perform(&Action::Tick(NodeId(0)), 1);
    assert!(matches!(done, Err(NotEnabled::Impossible(_))), "{done:?}");
}

#[test]
fn who_does_not_say_that_it_has_deadlines_panics() {
    let (asked, setting) = (workload("wx2@n1"), setting(1, &[]));
    let silent = Alarm { says: false, ..ALARM };
    let mut world = World::new(&silent, &setting, &asked).expect("it begins");
    let session = quiescence::world::SessionId(0);
    let action = Action::Invoke(world.next_operation(session).expect("it has one").0);
    let Err(NotEnabled::Panicked(panicked)) = world.perform(&action, 1) else {
        panic!("a deadline was taken")
    };
    assert!(panicked.0.contains("a deadline was set"), "{panicked:?}");
}

#[test]
fn threads_refuse_deadlines() {
    let asked = workload("wx2@n1");
    let run = || threads::mailbox::run(&ALARM, &setting(1, &[]), &asked);
    let refused = std::panic::catch_unwind(run).expect_err("clocks do not tick on threads");
    let why = refused.downcast_ref::<&str>().copied();
    assert_eq!(why, Some("clocks do not tick on threads"));
}
