//! Random protocols on threads: a replay in the world has the same events, the
//! same answers and the same end.

use std::collections::BTreeMap;

use quiescence::history::{Call, Completion, NodeId};
use quiescence::search::enumerate::outcomes;
use quiescence::threads::{CutShort, Heard, ThreadRun, live, mailbox, nested};
use quiescence::world::{
    Action, FaultPlan, Network, Planned, Routing, Script, SessionId, Setting, Workload,
};

use super::in_time;
use crate::protocols::strategy::{ALL, Allowed, Choices, Protocol, bytes_of};
use crate::support::effort;

/// The cluster in which a protocol runs.
fn cluster(dice: &mut Choices<'_>, nodes_max: u8) -> Setting {
    let nodes = 1 + u16::from(dice.below(nodes_max));
    let network = if dice.below(2) == 0 { Network::Fifo } else { Network::Unordered };
    let faults = FaultPlan { keep_token: dice.below(2) == 0, ..FaultPlan::default() };
    Setting { nodes, network, faults, routing: Routing::Roaming }
}

/// A call. Its number makes the written value unique.
fn call(dice: &mut Choices<'_>, number: u8) -> Call {
    let key = ["x", "y"][usize::from(dice.below(2))];
    match dice.below(2) {
        0 => Call::write(key, i64::from(number) + 1),
        _ => Call::read(key),
    }
}

fn node(dice: &mut Choices<'_>, setting: &Setting) -> NodeId {
    NodeId(u16::from(dice.below(u8::try_from(setting.nodes).expect("nodes are few"))))
}

fn scripts(dice: &mut Choices<'_>, setting: &Setting, sessions: u8, calls: u8) -> Workload {
    let script = |session: u8| Script {
        node: node(dice, setting),
        operations: (0..1 + dice.below(calls))
            .map(|number| Planned {
                call: call(dice, session * calls + number),
                node: dice.once_in(3).then(|| node(dice, setting)),
            })
            .collect(),
    };
    Workload { sessions: (0..sessions).map(script).collect() }
}

/// How often each kind of behaviour occurred. Each must occur, so that the test
/// cannot lose one unnoticed.
#[derive(Default, Debug)]
struct Seen(BTreeMap<&'static str, u32>);

impl Seen {
    fn when(&mut self, what: &'static str, seen: bool) {
        *self.0.entry(what).or_default() += u32::from(seen);
    }

    fn record(&mut self, protocol: &Protocol, recorded: &ThreadRun) {
        let ThreadRun { schedule, answers, workload, cut_short, .. } = recorded;
        let invoked = schedule.iter().filter(|action| matches!(action, Action::Invoke(_)));
        let passed_over = |action: &Action<_>| match action {
            Action::Invoke(operation) => operation.number > 0,
            _ => false,
        };
        let itself = |action: &Action<_>| match action {
            Action::Deliver(_, quiescence::world::MessageName { from, to, .. }) => from == to,
            _ => false,
        };
        let first = schedule.iter().find(|action| matches!(action, Action::Invoke(_)));
        self.when("panicked", matches!(cut_short, Some(CutShort::Panicked(_))));
        self.when("full", matches!(cut_short, Some(CutShort::Full(_))));
        self.when("unanswered", answers.len() < invoked.count());
        self.when("unknown", answers.values().any(|answer| *answer == Completion::Info));
        self.when("later", answers.len() > 1);
        self.when("refused first", workload.sessions.len() == 1 && first.is_some_and(passed_over));
        self.when("to itself", schedule.iter().any(itself));
        self.when("flushed", schedule.iter().any(|action| matches!(action, Action::Flush(_))));
        self.when("for ever", !protocol.is_tame());
    }

    #[track_caller]
    fn all(&self) {
        println!("{:?}", self.0);
        assert!(self.0.values().all(|count| *count > 0), "{:?}", self.0);
    }
}

/// Every other protocol writes to disks.
fn every_other(seed: u64, allowed: Allowed) -> Allowed {
    Allowed { disk: seed % 2 == 1, ..allowed }
}

#[test]
fn what_random_protocols_do_on_threads_the_world_does_too() {
    let mut seen = Seen::default();
    for seed in 0..effort(1_000, 100_000) {
        let bytes = bytes_of(seed);
        let dice = &mut Choices::of(&bytes);
        let setting = cluster(dice, 3);
        let sessions = 1 + dice.below(3);
        let workload = scripts(dice, &setting, sessions, 3);
        let protocol = Protocol::of(dice, setting.nodes, every_other(seed, ALL));
        for _ in 0..3 {
            let recorded = {
                let (protocol, setting, workload) =
                    (protocol.clone(), setting.clone(), workload.clone());
                in_time(move || mailbox::run(&protocol, &setting, &workload))
            };
            seen.record(&protocol, &recorded);
            if let Err(why) = recorded.replay(&protocol) {
                panic!("{why} (seed {seed}): {recorded:?} of {protocol:?}");
            }
        }
    }
    seen.all();
}

/// Makes random requests to a live cluster. What each session heard, and the
/// record.
fn asked_live(
    dice: &mut Choices<'_>,
    protocol: &Protocol,
    setting: &Setting,
) -> (Vec<(SessionId, Heard)>, ThreadRun) {
    let events_max = [2, 6, 200][usize::from(dice.below(3))];
    let (mut deeds, mut sessions) = (Vec::new(), 0);
    for number in 0..10 {
        let session = dice.below((sessions + 1).min(3));
        sessions = sessions.max(session + 1);
        let ask = (SessionId(u16::from(session)), node(dice, setting), call(dice, number));
        deeds.push((dice.once_in(3), ask));
    }
    let (protocol, setting) = (protocol.clone(), setting.clone());
    in_time(move || {
        let live = live::start(&protocol, &setting, events_max, Box::new(|_| {}));
        let mut heard = Vec::new();
        for (timers_first, (session, node, call)) in deeds {
            if timers_first {
                live.fire_timers();
            }
            heard.push((session, live.invoke(session, node, call)));
        }
        (heard, live.stop())
    })
}

#[test]
fn what_random_protocols_tell_live_sessions_is_what_the_world_says() {
    let mut seen = Seen::default();
    for seed in 0..effort(1_000, 100_000) {
        let bytes = bytes_of(seed);
        let dice = &mut Choices::of(&bytes);
        let setting = cluster(dice, 3);
        let mut table = Choices::of(&bytes[32..]);
        let protocol = Protocol::of(&mut table, setting.nodes, every_other(seed, ALL));
        let (heard, recorded) = asked_live(dice, &protocol, &setting);
        if let Err(why) = recorded.replay(&protocol) {
            panic!("{why} (seed {seed}): {recorded:?} of {protocol:?}");
        }
        for session in 0..3 {
            let told = heard.iter().filter(|(to, _)| to.0 == session);
            let told = told.filter_map(|(_, heard)| match heard {
                Heard::Answer(completion) => Some(completion),
                _ => None,
            });
            let of = recorded.answers.iter().filter(|(id, _)| id.session == session);
            let mut answers = of.map(|(_, completion)| completion);
            let in_order = told.clone().all(|told| answers.any(|answer| answer == told));
            assert!(in_order, "seed {seed}: {heard:?}, but {:?}", recorded.answers);
        }
        let told = heard.iter().filter(|(_, heard)| matches!(heard, Heard::Answer(_))).count();
        seen.when("answered after all", told < recorded.answers.len());
        seen.when("waits", heard.iter().any(|(_, heard)| *heard == Heard::Waits));
        seen.when("refused", heard.iter().any(|(_, heard)| *heard == Heard::Refused));
        seen.when("ended", heard.iter().any(|(_, heard)| *heard == Heard::Ended));
        seen.when("panicked", matches!(recorded.cut_short, Some(CutShort::Panicked(_))));
        seen.when("full", matches!(recorded.cut_short, Some(CutShort::Full(_))));
    }
    seen.all();
}

#[test]
fn nested_calls_of_random_protocols_end_and_one_client_hears_what_the_world_says() {
    let mut seen = Seen::default();
    let allowed = Allowed { clocks: false, ..ALL };
    for seed in 0..effort(300, 50_000) {
        let bytes = bytes_of(seed);
        let dice = &mut Choices::of(&bytes);
        let setting = Setting { network: Network::Fifo, ..cluster(dice, 2) };
        let sessions = 1 + dice.below(2);
        let workload = scripts(dice, &setting, sessions, 2);
        let protocol = Protocol::of(dice, setting.nodes, every_other(seed, allowed));
        let run = {
            let (protocol, setting, workload) =
                (protocol.clone(), setting.clone(), workload.clone());
            in_time(move || nested::run(&protocol, &setting, &workload))
        };
        seen.when("done", run.ending == nested::Ending::Done);
        seen.when("deadlock", matches!(run.ending, nested::Ending::Deadlock(_)));
        seen.when("cut short", matches!(run.ending, nested::Ending::CutShort(_)));
        if sessions > 1 || !protocol.is_tame() {
            continue;
        }
        let Ok(world) = outcomes(&protocol, &setting, &workload) else { continue };
        let tells_the_same = world.iter().any(|outcome| {
            run.answers.iter().all(|(id, told)| outcome.clients.contains(&(*id, told.clone())))
        });
        assert!(tells_the_same, "seed {seed}: {run:?}, not in {world:?}");
        seen.when("compared", !run.answers.is_empty());
    }
    seen.all();
}
