//! A strategy whose types have been forgotten.
//!
//! Worlds, searches and threads are compiled once, for [`AnyStrategy`], and
//! not once for every strategy: this is the one place where types are
//! forgotten. Whatever runs strategies takes a [`Subject`].
//!
//! Invariant: nothing can be told from the outside. Forgotten values are equal,
//! ordered, hashed and printed as the values are. They are shared until a
//! handler changes them, so copying a world copies no replica and no message.
//!
//! Read next: `world/component.rs`, where the steps of an [`AnyStrategy`] are
//! taken.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use crate::history::{Call, NodeId};

use super::{Cluster, Effects, Input, Invariant, Part, Strategy, StrategyName, When};

/// Any strategy.
#[derive(Clone)]
pub struct AnyStrategy(Arc<dyn Steps>);

/// A replica of any strategy.
#[derive(Clone)]
pub struct AnyReplica(Arc<dyn Kept>);

/// A message of any strategy. Messages of one strategy have their own order.
#[derive(Clone)]
pub struct AnyMessage(Arc<dyn Sent>);

/// What a session of any strategy carries. The default of every type is
/// `None`, so that it can be made without knowing the type.
#[derive(Clone, Default)]
pub struct AnyToken(Option<Arc<dyn Carried>>);

/// Something that can be run: every [`Strategy`].
pub trait Subject: Send + Sync {
    /// The strategy with its types forgotten.
    fn erased(&self) -> AnyStrategy;
}

impl dyn Subject + '_ {
    /// The strategy's name and parameters.
    pub fn strategy_name(&self) -> StrategyName {
        self.erased().name()
    }

    /// The invariants, by name.
    pub fn conditions(&self) -> Vec<(&'static str, When)> {
        let invariants = self.erased().invariants();
        invariants.iter().map(|invariant| (invariant.name, invariant.when)).collect()
    }
}

impl<S: Strategy> Subject for S {
    fn erased(&self) -> AnyStrategy {
        let any: &dyn Any = self;
        match any.downcast_ref::<AnyStrategy>() {
            Some(already) => already.clone(),
            None => AnyStrategy::named(self.clone(), self.name()),
        }
    }
}

impl AnyStrategy {
    /// A strategy that goes by this name, with its types forgotten.
    pub fn named(strategy: impl Strategy, name: StrategyName) -> Self {
        AnyStrategy(Arc::new(Typed(strategy, name)))
    }
}

impl AnyReplica {
    /// The replica as what it is, if it is an `R`.
    pub fn get<R: 'static>(&self) -> Option<&R> {
        self.0.as_any().downcast_ref()
    }
}

impl AnyMessage {
    /// The message as what it is, if it is an `M`.
    pub fn get<M: 'static>(&self) -> Option<&M> {
        self.0.as_any().downcast_ref()
    }
}

/// Values of different strategies have met.
const MIXED: &str = "values of one strategy stay among themselves";

/// What all forgotten values can do.
trait Kept: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn copy(&self) -> Arc<dyn Kept>;
    fn is(&self, other: &dyn Any) -> bool;
    fn hash_into(&self, state: &mut dyn Hasher);
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<R: Clone + Eq + Hash + Debug + Send + Sync + 'static> Kept for R {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn copy(&self) -> Arc<dyn Kept> {
        Arc::new(self.clone())
    }

    fn is(&self, other: &dyn Any) -> bool {
        self == other.downcast_ref::<R>().expect(MIXED)
    }

    fn hash_into(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

/// What a message can do besides.
trait Sent: Kept {
    fn against(&self, other: &dyn Any) -> Ordering;
}

impl<M: Clone + Ord + Hash + Debug + Send + Sync + 'static> Sent for M {
    fn against(&self, other: &dyn Any) -> Ordering {
        self.cmp(other.downcast_ref::<M>().expect(MIXED))
    }
}

/// What a token can do besides.
trait Carried: Sent {
    fn against_default(&self) -> Ordering;
}

impl<T: Clone + Ord + Hash + Debug + Default + Send + Sync + 'static> Carried for T {
    fn against_default(&self) -> Ordering {
        self.cmp(&T::default())
    }
}

impl PartialEq for AnyReplica {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.is(other.0.as_any())
    }
}

impl Eq for AnyReplica {}

impl Hash for AnyReplica {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
}

impl Debug for AnyReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

impl Ord for AnyMessage {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.against(other.0.as_any())
    }
}

impl PartialOrd for AnyMessage {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for AnyMessage {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.is(other.0.as_any())
    }
}

impl Eq for AnyMessage {}

impl Hash for AnyMessage {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
}

impl Debug for AnyMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

impl Ord for AnyToken {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (None, None) => Ordering::Equal,
            (Some(one), None) => one.against_default(),
            (None, Some(other)) => other.against_default().reverse(),
            (Some(one), Some(other)) => one.against((**other).as_any()),
        }
    }
}

impl PartialOrd for AnyToken {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for AnyToken {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for AnyToken {}

impl Hash for AnyToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A token that equals the default is kept as `None`.
        if let Some(token) = &self.0 {
            token.hash_into(state);
        }
    }
}

impl Debug for AnyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(token) => token.show(f),
            None => f.write_str("the default"),
        }
    }
}

/// The methods of a [`Strategy`] for values whose types are forgotten.
trait Steps: Send + Sync {
    fn name(&self) -> StrategyName;
    fn boot(&self, node: NodeId, cluster: &Cluster) -> AnyReplica;
    fn step(
        &self,
        replica: &mut AnyReplica,
        input: Input<AnyStrategy>,
        effects: &mut Effects<AnyStrategy>,
    );
    fn durable(&self, replica: &AnyReplica) -> AnyReplica;
    fn label(&self, message: &AnyMessage) -> String;
    fn show(&self, replica: &AnyReplica) -> Option<Vec<Part>>;
    fn datatype(&self) -> &'static str;
    fn serves(&self, call: &Call, node: NodeId, cluster: &Cluster) -> bool;
    fn reads_clock(&self) -> bool;
    fn has_deadlines(&self) -> bool;
    fn commands(&self, cluster: &Cluster) -> Vec<String>;
    fn writes_disk(&self) -> bool;
    fn observable(&self, replica: &AnyReplica) -> Option<AnyReplica>;
    fn ignores(&self, replica: &AnyReplica, from: NodeId, message: &AnyMessage) -> Option<bool>;
    fn awaits(&self, replica: &AnyReplica, to: NodeId, message: &AnyMessage) -> bool;
    fn renamed(&self, replica: &AnyReplica, name: &dyn Fn(NodeId) -> NodeId) -> Option<AnyReplica>;
    fn renamed_message(
        &self,
        message: &AnyMessage,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<AnyMessage>;
    fn invariants(&self) -> Vec<Invariant<AnyReplica>>;
}

/// A strategy that still knows its types, and the name by which it goes.
struct Typed<S>(S, StrategyName);

fn replica_of<S: Strategy>(replica: &AnyReplica) -> &S::Replica {
    replica.get().expect(MIXED)
}

fn any_replica<S: Strategy>(replica: S::Replica) -> AnyReplica {
    AnyReplica(Arc::new(replica))
}

fn any_token<S: Strategy>(token: S::Token) -> AnyToken {
    AnyToken((token != S::Token::default()).then(|| Arc::new(token) as Arc<dyn Carried>))
}

fn typed_input<S: Strategy>(input: Input<AnyStrategy>) -> Input<S> {
    input.map(
        |message| message.get::<S::Message>().expect(MIXED).clone(),
        |token| match &token.0 {
            Some(token) => (**token).as_any().downcast_ref::<S::Token>().expect(MIXED).clone(),
            None => S::Token::default(),
        },
    )
}

impl<S: Strategy> Steps for Typed<S> {
    fn name(&self) -> StrategyName {
        self.1.clone()
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> AnyReplica {
        any_replica::<S>(self.0.boot(node, cluster))
    }

    fn step(
        &self,
        replica: &mut AnyReplica,
        input: Input<AnyStrategy>,
        effects: &mut Effects<AnyStrategy>,
    ) {
        if Arc::get_mut(&mut replica.0).is_none() {
            replica.0 = (*replica.0).copy();
        }
        let own = Arc::get_mut(&mut replica.0).expect("nobody shares a fresh copy");
        let own = own.as_any_mut().downcast_mut().expect(MIXED);
        let mut typed = Effects::<S>::new();
        self.0.step(own, typed_input::<S>(input), &mut typed);
        typed.pass_on(effects, |message| AnyMessage(Arc::new(message)), any_token::<S>);
    }

    fn durable(&self, replica: &AnyReplica) -> AnyReplica {
        any_replica::<S>(self.0.durable(replica_of::<S>(replica)))
    }

    fn label(&self, message: &AnyMessage) -> String {
        self.0.label(message.get().expect(MIXED))
    }

    fn show(&self, replica: &AnyReplica) -> Option<Vec<Part>> {
        self.0.show(replica_of::<S>(replica))
    }

    fn datatype(&self) -> &'static str {
        self.0.datatype()
    }

    fn serves(&self, call: &Call, node: NodeId, cluster: &Cluster) -> bool {
        self.0.serves(call, node, cluster)
    }

    fn reads_clock(&self) -> bool {
        self.0.reads_clock() && !self.0.has_deadlines()
    }

    fn has_deadlines(&self) -> bool {
        self.0.has_deadlines()
    }

    fn commands(&self, cluster: &Cluster) -> Vec<String> {
        self.0.commands(cluster)
    }

    fn writes_disk(&self) -> bool {
        self.0.writes_disk()
    }

    fn observable(&self, replica: &AnyReplica) -> Option<AnyReplica> {
        self.0.observable(replica_of::<S>(replica)).map(any_replica::<S>)
    }

    fn ignores(&self, replica: &AnyReplica, from: NodeId, message: &AnyMessage) -> Option<bool> {
        self.0.ignores(replica_of::<S>(replica), from, message.get().expect(MIXED))
    }

    fn awaits(&self, replica: &AnyReplica, to: NodeId, message: &AnyMessage) -> bool {
        self.0.awaits(replica_of::<S>(replica), to, message.get().expect(MIXED))
    }

    fn renamed(&self, replica: &AnyReplica, name: &dyn Fn(NodeId) -> NodeId) -> Option<AnyReplica> {
        self.0.renamed(replica_of::<S>(replica), name).map(any_replica::<S>)
    }

    fn renamed_message(
        &self,
        message: &AnyMessage,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<AnyMessage> {
        let renamed = self.0.renamed_message(message.get().expect(MIXED), name);
        renamed.map(|message| AnyMessage(Arc::new(message)))
    }

    fn invariants(&self) -> Vec<Invariant<AnyReplica>> {
        let forget = |Invariant { name, when, holds }: Invariant<S::Replica>| {
            let holds = move |replicas: &[&AnyReplica]| {
                let typed: Vec<_> = replicas.iter().map(|any| replica_of::<S>(any)).collect();
                holds(&typed)
            };
            Invariant { name, when, holds: Rc::new(holds) }
        };
        self.0.invariants().into_iter().map(forget).collect()
    }
}

impl Strategy for AnyStrategy {
    type Replica = AnyReplica;
    type Message = AnyMessage;
    type Token = AnyToken;

    fn name(&self) -> StrategyName {
        self.0.name()
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> AnyReplica {
        self.0.boot(node, cluster)
    }

    fn step(&self, replica: &mut AnyReplica, input: Input<Self>, effects: &mut Effects<Self>) {
        self.0.step(replica, input, effects);
    }

    fn durable(&self, replica: &AnyReplica) -> AnyReplica {
        self.0.durable(replica)
    }

    fn label(&self, message: &AnyMessage) -> String {
        self.0.label(message)
    }

    fn show(&self, replica: &AnyReplica) -> Option<Vec<Part>> {
        self.0.show(replica)
    }

    fn datatype(&self) -> &'static str {
        self.0.datatype()
    }

    fn serves(&self, call: &Call, node: NodeId, cluster: &Cluster) -> bool {
        self.0.serves(call, node, cluster)
    }

    fn reads_clock(&self) -> bool {
        self.0.reads_clock()
    }

    fn has_deadlines(&self) -> bool {
        self.0.has_deadlines()
    }

    fn commands(&self, cluster: &Cluster) -> Vec<String> {
        self.0.commands(cluster)
    }

    fn writes_disk(&self) -> bool {
        self.0.writes_disk()
    }

    fn observable(&self, replica: &AnyReplica) -> Option<AnyReplica> {
        self.0.observable(replica)
    }

    fn ignores(&self, replica: &AnyReplica, from: NodeId, message: &AnyMessage) -> Option<bool> {
        self.0.ignores(replica, from, message)
    }

    fn awaits(&self, replica: &AnyReplica, to: NodeId, message: &AnyMessage) -> bool {
        self.0.awaits(replica, to, message)
    }

    fn renamed(&self, replica: &AnyReplica, name: &dyn Fn(NodeId) -> NodeId) -> Option<AnyReplica> {
        self.0.renamed(replica, name)
    }

    fn renamed_message(
        &self,
        message: &AnyMessage,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<AnyMessage> {
        self.0.renamed_message(message, name)
    }

    fn invariants(&self) -> Vec<Invariant<AnyReplica>> {
        self.0.invariants()
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::*;
    use crate::history::{Completion, Key, Value};
    use crate::replication::{OperationId, Stamp, TimerId, Visible};

    /// Whatever happens is kept, sent on, and carried by the session.
    #[derive(Clone)]
    struct Echo;

    impl Strategy for Echo {
        type Replica = Vec<i64>;
        type Message = Option<i64>;
        type Token = i64;

        fn name(&self) -> StrategyName {
            StrategyName::new("echo")
        }

        fn boot(&self, node: NodeId, _: &Cluster) -> Vec<i64> {
            vec![i64::from(node.0)]
        }

        fn step(&self, replica: &mut Vec<i64>, input: Input<Self>, effects: &mut Effects<Self>) {
            match input {
                Input::Request { operation, token, clock, .. } => {
                    let seen = token - i64::try_from(clock).expect("it is small");
                    replica.push(seen);
                    effects.send(NodeId(1), (seen != 0).then_some(seen));
                    effects
                        .reply(operation, Completion::Ok(Value::from(seen)))
                        .seeing(Visible::Here)
                        .with_token(seen);
                    effects.visible(operation, Stamp { counter: clock, tie: 0 });
                }
                Input::Receive { from, message, .. } => {
                    replica.push(message.unwrap_or(i64::from(from.0)));
                    replica.sort_unstable();
                }
                _ => effects.arm(TimerId(0)),
            }
        }

        fn durable(&self, replica: &Vec<i64>) -> Vec<i64> {
            replica.iter().copied().take(1).collect()
        }

        fn label(&self, message: &Option<i64>) -> String {
            format!("{message:?}")
        }

        fn show(&self, replica: &Vec<i64>) -> Option<Vec<Part>> {
            Some(vec![Part::Field("kept".to_owned(), replica.len().to_string())])
        }

        fn observable(&self, replica: &Vec<i64>) -> Option<Vec<i64>> {
            Some(replica.iter().copied().skip(1).collect())
        }

        fn invariants(&self) -> Vec<Invariant<Vec<i64>>> {
            vec![Invariant::always("short", |all: &[&Vec<i64>]| all[0].len() < 3)]
        }
    }

    fn hash_of(value: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    /// Both of these are equal, ordered, hashed and printed alike, pair by pair.
    fn alike<T: Ord + Hash + Debug, A: Ord + Hash + Debug>(typed: &[T], erased: &[A]) {
        assert_eq!(typed.len(), erased.len());
        for (one, any_one) in typed.iter().zip(erased) {
            for (two, any_two) in typed.iter().zip(erased) {
                assert_eq!(one.cmp(two), any_one.cmp(any_two), "{one:?} and {two:?}");
                assert_eq!(one == two, any_one == any_two, "{one:?} and {two:?}");
                let same = hash_of(any_one) == hash_of(any_two);
                assert!(same || one != two, "{one:?} has two hashes");
            }
        }
    }

    /// All that a step did, but for messages and tokens.
    fn plain<S: Strategy>(effects: &Effects<S>) -> String {
        let replies = effects.replies.iter();
        let replies: Vec<_> =
            replies.map(|reply| (reply.operation, &reply.completion, &reply.visible)).collect();
        let to: Vec<_> = effects.sends.iter().map(|(to, _)| to).collect();
        format!("{to:?} {replies:?} {:?} {:?}", effects.timers, effects.visible)
    }

    fn input_of<S: Strategy>(step: usize, token: S::Token, message: S::Message) -> Input<S> {
        let clock = u64::try_from(step % 4).expect("it is small");
        let operation = OperationId { session: 0, number: 7 };
        match step % 3 {
            0 => Input::Request { operation, call: Call::read(Key::from("x")), token, clock },
            1 => Input::Receive { from: NodeId(2), message, clock },
            _ => Input::Timer(TimerId(1)),
        }
    }

    #[test]
    fn nothing_can_be_told_from_the_outside() {
        let (echo, any) = (Echo, Echo.erased());
        let cluster = Cluster::of(3);
        let mut replica = echo.boot(NodeId(0), &cluster);
        let mut any_replica = any.boot(NodeId(0), &cluster);
        let (mut tokens, mut any_tokens) = (vec![0, 2], vec![AnyToken::default()]);
        any_tokens.push(any_token::<Echo>(2));
        let (mut messages, mut any_messages) =
            (vec![None], vec![AnyMessage(Arc::new(None::<i64>))]);
        let (mut replicas, mut any_replicas) = (Vec::new(), Vec::new());
        for step in 0..24 {
            replicas.push(replica.clone());
            any_replicas.push(any_replica.clone());
            let (token, message) = (step * 5 % tokens.len(), step * 7 % messages.len());
            let (mut effects, mut any_effects) = (Effects::new(), Effects::new());
            let input = input_of::<Echo>(step, tokens[token], messages[message]);
            echo.step(&mut replica, input, &mut effects);
            let (token, message) = (any_tokens[token].clone(), any_messages[message].clone());
            any.step(
                &mut any_replica,
                input_of::<AnyStrategy>(step, token, message),
                &mut any_effects,
            );
            assert_eq!(plain(&effects), plain(&any_effects));
            tokens.extend(effects.replies.iter().map(|reply| reply.token));
            any_tokens.extend(any_effects.replies.iter().map(|reply| reply.token.clone()));
            messages.extend(effects.sends.iter().map(|(_, message)| *message));
            any_messages.extend(any_effects.sends.iter().map(|(_, message)| message.clone()));
        }
        alike(&tokens, &any_tokens);
        alike(&messages, &any_messages);
        for (message, any_message) in messages.iter().zip(&any_messages) {
            assert_eq!(format!("{message:#?}"), format!("{any_message:#?}"));
            assert_eq!(hash_of(message), hash_of(any_message));
            assert_eq!(echo.label(message), any.label(any_message));
        }
        // What was copied before a step has not been changed by it.
        for (replica, any_replica) in replicas.iter().zip(&any_replicas) {
            assert_eq!(any_replica.get::<Vec<i64>>(), Some(replica));
            assert_eq!(format!("{replica:#?}"), format!("{any_replica:#?}"));
            assert_eq!(hash_of(replica), hash_of(any_replica));
            assert_eq!(any.show(any_replica), echo.show(replica));
            assert_eq!(any.durable(any_replica).get(), Some(&echo.durable(replica)));
            let observable = any.observable(any_replica).expect("Echo has one");
            assert_eq!(observable.get(), echo.observable(replica).as_ref());
            let [short] = &any.invariants()[..] else { panic!("Echo has one") };
            assert_eq!((short.holds)(&[any_replica]), replica.len() < 3);
            for (other, any_other) in replicas.iter().zip(&any_replicas) {
                assert_eq!(replica == other, any_replica == any_other);
            }
        }
        assert!(tokens.contains(&0) && tokens.iter().any(|token| *token < 0), "{tokens:?}");
        assert!(any.erased().boot(NodeId(1), &cluster).get::<Vec<i64>>().is_some(), "erased once");
    }
}
