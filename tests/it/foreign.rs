//! Cores of libraries in whole worlds: they are searched like any other strategy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
use quiescence::history::Menu;
use quiescence::hunt::exhaustive::{Decision, Plan as Proof, hunt as search};
use quiescence::hunt::random::{Plan, Sampled, hunt};
use quiescence::judgement::datatype::Register;
use quiescence::prelude::*;
use quiescence::replication::foreign::{Answer, Core, Foreign, Recheck};
use quiescence::search::exhaustive::{Limits, Open, Reduce};
use quiescence::search::random::{Scope, scenario};
use quiescence::world::trace::trace;
use quiescence::world::{Run, Scenario, execute};

/// A counter and a node, by which the last writer is found, and the value.
type Entry = (u64, u16, i64);

/// A register by last writer, as a library might have it: not `Clone`, not `Send`.
/// With `REPAIRS`, writes are sent by the timer as long as someone has not confirmed
/// them; without, they are sent once, at once.
struct LastWriter<const REPAIRS: bool> {
    me: NodeId,
    held: Rc<RefCell<BTreeMap<String, Entry>>>,
    unconfirmed: Vec<(NodeId, String, u64)>,
    out: Vec<(NodeId, Vec<u8>)>,
    others: Vec<NodeId>,
}

impl<const REPAIRS: bool> LastWriter<REPAIRS> {
    fn send_unconfirmed(&mut self) {
        let held = self.held.borrow();
        for (to, key, _) in &self.unconfirmed {
            let (counter, node, value) = held[key];
            self.out.push((*to, format!("{key} {counter} {node} {value}").into_bytes()));
        }
    }
}

impl<const REPAIRS: bool> Core for LastWriter<REPAIRS> {
    const TIMER: bool = REPAIRS;

    fn new(me: NodeId, cluster: &Cluster) -> Self {
        let others = cluster.others(me).collect();
        LastWriter { me, held: Rc::default(), unconfirmed: Vec::new(), out: Vec::new(), others }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        let key = call.key.as_str().to_owned();
        let before = self.held.borrow().get(&key).copied();
        let Value::Int(value) = call.argument else {
            return Answer::Ok(before.map_or(Value::Null, |(_, _, value)| value.into()));
        };
        let counter = before.map_or(0, |(counter, _, _)| counter) + 1;
        self.held.borrow_mut().insert(key.clone(), (counter, self.me.0, value));
        self.unconfirmed.retain(|(_, other, _)| *other != key);
        self.unconfirmed.extend(self.others.iter().map(|to| (*to, key.clone(), counter)));
        if !REPAIRS {
            self.send_unconfirmed();
            self.unconfirmed.clear();
        }
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, from: NodeId, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).expect("it was sent as text");
        let words: Vec<_> = text.split(' ').collect();
        let [key, numbers @ ..] = &words[..] else { panic!("no key in {text}") };
        let number = |text: &str| text.parse::<i64>().expect("a number");
        let [counter, node, value] = numbers else {
            let confirmed = (from, *key, number(numbers[0]).unsigned_abs());
            self.unconfirmed.retain(|(to, key, at)| (*to, key.as_str(), *at) != confirmed);
            return;
        };
        let node = u16::try_from(number(node)).expect("a node");
        let entry = (number(counter).unsigned_abs(), node, number(value));
        let mut held = self.held.borrow_mut();
        let mine = held.entry((*key).to_owned()).or_insert(entry);
        *mine = entry.max(*mine);
        if REPAIRS {
            self.out.push((from, format!("{key} {counter}").into_bytes()));
        }
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    fn timer(&mut self) {
        self.send_unconfirmed();
    }

    fn digest(&self) -> Vec<u8> {
        format!("{:?} {:?}", self.held, self.unconfirmed).into_bytes()
    }

    fn show(&self) -> String {
        format!("{:?}", self.held.borrow())
    }
}

const ONE_LOST: Faults = Faults::NONE.with(FaultKind::Drop, 1);

/// Proves or refutes `eventual` on two nodes in a small scope.
fn eventual<C: Core>(faults: Faults, patient: bool) -> Decision {
    let plan = Proof {
        setting: Setting::calm(2, Network::Unordered).with_faults(faults),
        scopes: vec![Open { sessions: 2, writes: 2, reads: 1, keys: 1, patient }],
        menu: Menu::register(),
        datatype: &Register,
        properties: vec![Model::EVENTUAL.into()],
        reduce: Reduce::ALL,
        limits: Limits { states: 200_000, ..Limits::default() },
        enough: None,
        jobs: 1,
    };
    search(&Foreign::<C>::new(), &plan, &|_| false).found.remove(0).1
}

#[test]
fn a_core_is_searched_completely_with_a_timer_and_without() {
    for decision in [
        eventual::<LastWriter<false>>(Faults::NONE, false),
        eventual::<LastWriter<true>>(Faults::NONE, true),
        eventual::<LastWriter<true>>(ONE_LOST, true),
    ] {
        let Decision::Proved(proofs, doubts) = decision else { panic!("{decision:?}") };
        assert!(doubts.is_empty() && proofs[0].looked_at > 0, "{proofs:?} {doubts:?}");
    }
}

#[test]
fn a_core_that_sends_once_is_convicted_where_a_message_is_lost() {
    let decision = eventual::<LastWriter<false>>(ONE_LOST, false);
    let Decision::Violated(found) = decision else { panic!("{decision:?}") };
    assert_eq!(found.failing.flaw, Flaw::History(Kind::Diverged));
}

#[test]
fn random_runs_of_a_core_hold() {
    let setting = Setting::calm(3, Network::Unordered).with_faults(ONE_LOST);
    let scope = Scope { setting, ..Scope::default() };
    let properties = vec![Property::Model(Model::EVENTUAL), Property::NoPanic];
    let plan = Plan { scope, properties, datatype: &Register, sought: vec![], runs: 300, seed: 7 };
    for found in hunt(&Foreign::<LastWriter<true>>::new(), &plan, &|_| false).found {
        assert!(found.looked_at > 0 && matches!(found.outcome, Sampled::None), "{found:?}");
    }
}

/// Everything in a run: its steps with what each sent, its history, its end.
fn all_of(core: &Foreign<LastWriter<true>>, scenario: &Scenario) -> String {
    let Run { schedule, history, ending, .. } = execute(core, scenario, None);
    let trace = trace(core, &scenario.setting, &scenario.workload, &schedule);
    format!("{trace:?} {history:?} {ending:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_script_sends_the_same_bytes_in_every_world_and_on_every_thread(
        scenario in scenario(&Scope::default()),
    ) {
        let core = Foreign::<LastWriter<true>>::new().rechecked(Recheck::Sampled);
        let here = all_of(&core, &scenario);
        let always = core.clone().rechecked(Recheck::Always);
        prop_assert_eq!(&here, &all_of(&always, &scenario));
        let there = std::thread::spawn(move || all_of(&core, &scenario));
        prop_assert_eq!(&here, &there.join().expect("nothing panics"));
    }
}

/// Asks the other node for what it answers, by a timer that has to fire three times.
struct Slow {
    me: NodeId,
    fired: u8,
    waiting: Vec<OperationId>,
    finished: Vec<(OperationId, Completion)>,
    out: Vec<(NodeId, Vec<u8>)>,
}

impl Core for Slow {
    const TIMER: bool = true;

    fn new(me: NodeId, _: &Cluster) -> Self {
        let (waiting, finished, out) = (Vec::new(), Vec::new(), Vec::new());
        Slow { me, fired: 0, waiting, finished, out }
    }

    fn request(&mut self, operation: OperationId, _: &Call) -> Answer {
        self.waiting.push(operation);
        Answer::Pending
    }

    fn receive(&mut self, from: NodeId, bytes: &[u8]) {
        if bytes == b"which?" {
            self.out.push((from, b"none".to_vec()));
        } else {
            let none = |operation| (operation, Completion::Ok(Value::Null));
            self.finished.extend(self.waiting.drain(..).map(none));
        }
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    fn finished(&mut self) -> Vec<(OperationId, Completion)> {
        std::mem::take(&mut self.finished)
    }

    fn timer(&mut self) {
        self.fired = if self.waiting.is_empty() { 0 } else { (self.fired + 1).min(3) };
        if self.fired == 3 {
            self.out.push((NodeId(1 - self.me.0), b"which?".to_vec()));
        }
    }

    fn digest(&self) -> Vec<u8> {
        format!("{} {:?}", self.fired, self.waiting).into_bytes()
    }

    fn show(&self) -> String {
        format!("fired {}", self.fired)
    }
}

#[test]
fn a_final_read_waits_for_a_timer_that_counts_before_it_sends() {
    let setting = Setting::calm(2, Network::Fifo);
    let workload = "rx@n1".parse().expect("the text is in the notation");
    let scenario = Scenario { setting, workload, choices: Vec::new(), priorities: Vec::new() };
    let run = execute(&Foreign::<Slow>::new(), &scenario, None);
    assert_eq!((run.pending, run.lack.answers), (0, 0));
}
