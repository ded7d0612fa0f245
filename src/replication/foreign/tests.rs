//! Toy cores: one that could be real, and some that break the contract.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::*;
use crate::replication::{Arming, Effects, Input, Strategy, TimerId};

/// Collects values and sends them two at a time; is neither `Clone` nor `Send`. Its
/// timer drops the value 255, so it usually changes nothing.
struct Bag {
    me: NodeId,
    cluster: Cluster,
    values: Rc<RefCell<BTreeSet<u8>>>,
    unsent: Vec<u8>,
    waiting: Vec<OperationId>,
}

impl Core for Bag {
    const TIMER: bool = true;

    fn new(me: NodeId, cluster: &Cluster) -> Self {
        let (values, unsent, waiting) = (Rc::default(), Vec::new(), Vec::new());
        Bag { me, cluster: *cluster, values, unsent, waiting }
    }

    fn request(&mut self, operation: OperationId, call: &Call) -> Answer {
        let Value::Int(value) = call.argument else {
            let values = self.values.borrow();
            let values: Vec<_> = values.iter().map(|value| i64::from(*value).into()).collect();
            return Answer::Ok(values.into());
        };
        let Ok(value) = u8::try_from(value) else { return Answer::Failed };
        self.values.borrow_mut().insert(value);
        self.unsent.push(value);
        self.waiting.push(operation);
        Answer::Pending
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        self.values.borrow_mut().extend(bytes);
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        if self.unsent.len() < 2 {
            return Vec::new();
        }
        let sent = std::mem::take(&mut self.unsent);
        self.cluster.others(self.me).map(|to| (to, sent.clone())).collect()
    }

    /// An operation ends when the next one begins.
    fn finished(&mut self) -> Vec<(OperationId, Completion)> {
        let ended = self.waiting.len().saturating_sub(1);
        let done = |operation| (operation, Completion::Ok(Value::Null));
        self.waiting.drain(..ended).map(done).collect()
    }

    fn timer(&mut self) {
        self.values.borrow_mut().remove(&255);
    }

    fn digest(&self) -> Vec<u8> {
        format!("{:?} {:?} {:?}", self.values, self.unsent, self.waiting).into_bytes()
    }

    fn show(&self) -> String {
        format!("{:?}", self.values.borrow())
    }
}

/// Where a core shows what it must not know.
#[derive(Clone, Copy, PartialEq)]
enum Sin {
    State,
    Message,
    Answer,
}

thread_local! {
    /// What no core should know.
    static HIDDEN: Cell<u8> = const { Cell::new(0) };
}

/// Depends on a variable outside.
struct Sinner<const SIN: u8>(u8);

impl<const SIN: u8> Sinner<SIN> {
    const ALL: [Sin; 3] = [Sin::State, Sin::Message, Sin::Answer];

    fn hidden(sin: Sin) -> u8 {
        if Self::ALL[usize::from(SIN)] == sin { HIDDEN.replace(HIDDEN.get() + 1) } else { 0 }
    }
}

impl<const SIN: u8> Core for Sinner<SIN> {
    fn new(_: NodeId, _: &Cluster) -> Self {
        Sinner(0)
    }

    fn request(&mut self, _: OperationId, _: &Call) -> Answer {
        self.0 = 1 + Self::hidden(Sin::State);
        Answer::Ok(i64::from(Self::hidden(Sin::Answer)).into())
    }

    fn receive(&mut self, _: NodeId, _: &[u8]) {}

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        vec![(NodeId(1), vec![Self::hidden(Sin::Message)])]
    }

    fn digest(&self) -> Vec<u8> {
        vec![self.0]
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

fn asks<S: Strategy>(number: u16, call: Call) -> Input<S> {
    let operation = OperationId { session: 0, number };
    Input::Request { operation, call, token: S::Token::default(), clock: 0 }
}

/// Does a step and says in a line what was done.
fn does<C: Core>(
    strategy: &Foreign<C>,
    replica: &mut Replica<C>,
    input: Input<Foreign<C>>,
) -> String {
    let mut effects = Effects::new();
    strategy.step(replica, input, &mut effects);
    let answers: Vec<_> = effects
        .replies()
        .iter()
        .map(|reply| format!("{}={:?}", reply.operation(), reply.completion()))
        .collect();
    format!("{answers:?} {:?} {:?}", effects.sends(), effects.timers())
}

#[test]
fn clones_that_step_differently_do_not_influence_each_other() {
    let (bags, cluster) = (Foreign::<Bag>::new().rechecked(Recheck::Sampled), Cluster::of(2));
    let mut one = bags.boot(NodeId(0), &cluster);
    does(&bags, &mut one, asks(0, Call::write("x", 1)));
    let mut other = one.clone();
    let mut third = one.clone();
    let mut both = Vec::new();
    for (replica, value) in [(&mut one, 2), (&mut other, 3)] {
        let sent = does(&bags, replica, asks(1, Call::write("x", value)));
        assert_eq!(sent, format!("[\"A1=Ok(Null)\"] [(NodeId(1), [1, {value}])] []"));
        both.push(does(&bags, replica, asks(2, Call::read("x"))));
    }
    assert!(both[0].contains("Int(1), Int(2)") && both[1].contains("Int(1), Int(3)"), "{both:?}");
    let untouched = does(&bags, &mut third, asks(2, Call::read("x")));
    assert!(untouched.contains("Ok(List([Int(1)]))"), "{untouched}");
    assert!(one != other && other != third);
    // Another way to the same digest is the same replica.
    let mut again = bags.boot(NodeId(0), &cluster);
    does(&bags, &mut again, asks(0, Call::write("x", 1)));
    assert_eq!(again, third);
    assert_ne!(bags.boot(NodeId(0), &cluster), bags.boot(NodeId(1), &cluster));
}

#[test]
fn a_replica_goes_to_another_thread_although_its_core_does_not() {
    let bags = Foreign::<Bag>::new();
    let mut replica = bags.boot(NodeId(0), &Cluster::of(2));
    for (number, value) in [(0, 1), (1, 2), (2, 3)] {
        does(&bags, &mut replica, asks(number, Call::write("x", value)));
    }
    let (mut copy, there) = (replica.clone(), bags.clone());
    let other = std::thread::spawn(move || does(&there, &mut copy, asks(3, Call::write("x", 4))));
    let here = does(&bags, &mut replica, asks(3, Call::write("x", 4)));
    assert_eq!(other.join().expect("nothing panics"), here);
    assert!(here.contains("[(NodeId(1), [3, 4])]"), "{here}");
}

#[test]
fn what_changes_nothing_is_not_kept_and_the_timer_goes_on() {
    let bags = Foreign::<Bag>::new();
    let mut replica = bags.boot(NodeId(0), &Cluster::of(2));
    let armed = format!("[] [] {:?}", [Arming::Armed(TimerId(0))]);
    assert_eq!(does(&bags, &mut replica, Input::Start), armed);
    let before = replica.clone();
    assert_eq!(does(&bags, &mut replica, Input::Timer(TimerId(0))), armed);
    assert_eq!(does(&bags, &mut replica, Input::Recovered), armed);
    assert_eq!((replica.length(), &replica), (0, &before));
    // An answer is kept although it changes nothing.
    does(&bags, &mut replica, asks(0, Call::read("x")));
    assert_eq!((replica.length(), &replica), (1, &before));
    assert!(does(&bags, &mut replica, asks(1, Call::write("x", 300))).contains("Fail"));
    does(&bags, &mut replica, asks(2, Call::write("x", 255)));
    let written = replica.clone();
    does(&bags, &mut replica, Input::Timer(TimerId(0)));
    assert_ne!(replica, written);
    assert_eq!(replica.length(), 4);
    let shown = bags.show(&written).expect("it shows something");
    assert_eq!((shown[0].name(), shown[0].value()), ("Bag", "{255}"));
}

#[test]
fn a_long_list_of_inputs_is_dropped_link_by_link() {
    let sinners = Foreign::<Sinner<2>>::new().rechecked(Recheck::Sampled);
    let mut replica = sinners.boot(NodeId(0), &Cluster::of(2));
    HIDDEN.set(0);
    for _ in 0..200_000 {
        does(&sinners, &mut replica, Input::Timer(TimerId(0)));
    }
    assert_eq!(replica.length(), 200_000);
    let copy = replica.clone();
    drop(replica);
    drop(copy);
}

#[test]
fn a_core_that_knows_something_hidden_is_caught() {
    fn caught<const SIN: u8>() -> String {
        let sinners = Foreign::<Sinner<SIN>>::new().rechecked(Recheck::Always);
        let mut replica = sinners.boot(NodeId(1), &Cluster::of(2));
        let step = || does(&sinners, &mut replica, asks(0, Call::write("x", 1)));
        let panicked = catch_unwind(AssertUnwindSafe(step)).expect_err("it is noticed");
        *panicked.downcast::<String>().expect("it says why")
    }
    let begins = "the core is not deterministic: ";
    let ends = " of `Sinner` at n2 differs when the same inputs are given to a new core \
                (or its digest leaves out what an earlier input changed)";
    for (said, what) in
        [(caught::<0>(), "a digest"), (caught::<1>(), "a message"), (caught::<2>(), "an answer")]
    {
        assert_eq!(said, format!("{begins}{what}{ends}"));
    }
}

/// Remembers a message, which its digest does not say.
struct Forgetful(bool);

impl Core for Forgetful {
    fn new(_: NodeId, _: &Cluster) -> Self {
        Forgetful(false)
    }

    fn request(&mut self, _: OperationId, _: &Call) -> Answer {
        Answer::Ok(i64::from(self.0).into())
    }

    fn receive(&mut self, _: NodeId, _: &[u8]) {
        self.0 = true;
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        Vec::new()
    }

    fn digest(&self) -> Vec<u8> {
        Vec::new()
    }

    fn show(&self) -> String {
        String::new()
    }
}

#[test]
fn a_digest_that_leaves_out_what_a_message_changed_is_caught_when_it_shows() {
    let forgetful = Foreign::<Forgetful>::new().rechecked(Recheck::Always);
    let mut replica = forgetful.boot(NodeId(0), &Cluster::of(2));
    let message = Input::Receive { from: NodeId(1), message: vec![1].into(), clock: 0 };
    does(&forgetful, &mut replica, message);
    let step = || does(&forgetful, &mut replica, asks(0, Call::read("x")));
    let panicked = catch_unwind(AssertUnwindSafe(step)).expect_err("it is noticed");
    let said = panicked.downcast::<String>().expect("it says why");
    assert!(said.contains("an answer of `Forgetful` at n1 differs"), "{said}");
}

#[test]
fn sampling_finds_it_too_if_there_are_enough_digests() {
    let sampled = Foreign::<Sinner<0>>::new().rechecked(Recheck::Sampled);
    let noticed = |hidden: u8| {
        let mut replica = sampled.boot(NodeId(0), &Cluster::of(2));
        HIDDEN.set(hidden);
        let step = || does(&sampled, &mut replica, asks(0, Call::write("x", 1)));
        catch_unwind(AssertUnwindSafe(step)).is_err()
    };
    let count = (0..250).filter(|hidden| noticed(*hidden)).count();
    assert!((1..=16).contains(&count), "{count} of 250");
}

#[test]
fn a_label_is_the_text_or_tells_bytes_apart() {
    assert_eq!(Bag::label(b"hello x=1"), "hello x=1");
    let (one, other) = (Bag::label(&[1, 2]), Bag::label(&[1, 3]));
    assert!(one.starts_with("2 bytes ") && one != other, "{one} {other}");
    assert!(Bag::label("\u{1b}[2J".as_bytes()).starts_with("4 bytes "));
    assert!(Bag::label(b"").starts_with("0 bytes "));
}
