//! A protocol of one's own: caches in front of a store, and the race between
//! a fill and an invalidation. docs/tutorial.md walks through this file.
//!
//! ```console
//! $ cargo run --release --example cache -- check cache:racy
//! $ cargo run --release --example cache -- check
//! ```

use std::collections::BTreeMap;

use quiescence::history::{Call, Completion, Key, NodeId, Value};
use quiescence::hunt::promise::{Expected, Promise, calm};
use quiescence::hunt::property::{Flaw, Property};
use quiescence::hunt::{Family, Parameter, Registry};
use quiescence::judgement::{Kind, Model};
use quiescence::replication::{Cluster, Effects, Input, OperationId, Strategy, StrategyName};
use quiescence::world::Network;

/// n1 is the store and serves writes; every other node is a cache.
#[derive(Clone)]
struct Cache {
    /// Whether caches ignore what is older than what they have heard of.
    versioned: bool,
}

const STORE: NodeId = NodeId(0);

/// A value with the number of the write that it comes from, if any.
type Versioned = (u64, Option<Value>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    me: NodeId,
    cluster: Cluster,
    entries: BTreeMap<Key, Versioned>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Fetch(OperationId, Key),
    Fill(OperationId, Key, Versioned),
    Invalidate(Key, u64),
}

impl Cache {
    /// A cache takes over an entry unless it has heard of a newer one.
    fn update(&self, node: &mut Node, key: Key, entry: Versioned) {
        let known = node.entries.get(&key).map_or(0, |(version, _)| *version);
        if !self.versioned || entry.0 >= known {
            node.entries.insert(key, entry);
        }
    }
}

impl Strategy for Cache {
    type Replica = Node;
    type Message = Message;
    type Token = ();

    fn name(&self) -> StrategyName {
        let variant = if self.versioned { "versioned" } else { "racy" };
        StrategyName::new("cache").with("variant", variant)
    }

    fn boot(&self, me: NodeId, cluster: &Cluster) -> Node {
        Node { me, cluster: *cluster, entries: BTreeMap::new() }
    }

    fn step(&self, node: &mut Node, input: Input<Self>, fx: &mut Effects<Self>) {
        match input {
            Input::Request { operation: id, call, .. } if call.is_write() => {
                let Call { key, argument, .. } = call;
                let version = node.entries.get(&key).map_or(0, |(version, _)| *version) + 1;
                node.entries.insert(key.clone(), (version, Some(argument)));
                fx.broadcast(node.cluster.others(STORE), &Message::Invalidate(key, version));
                fx.reply(id, Completion::Ok(Value::Null));
            }
            Input::Request { operation: id, call, .. } => match node.entries.get(&call.key) {
                Some((_, Some(value))) => {
                    fx.reply(id, Completion::Ok(value.clone()));
                }
                _ if node.me == STORE => {
                    fx.reply(id, Completion::Ok(Value::Null));
                }
                _ => fx.send(STORE, Message::Fetch(id, call.key)),
            },
            Input::Receive { from, message, .. } => match message {
                Message::Fetch(id, key) => {
                    let (version, value) = node.entries.get(&key).cloned().unwrap_or_default();
                    let entry = (version, Some(value.unwrap_or_default()));
                    fx.send(from, Message::Fill(id, key, entry));
                }
                Message::Fill(id, key, entry) => {
                    let value = entry.1.clone().unwrap_or_default();
                    self.update(node, key, entry);
                    fx.reply(id, Completion::Ok(value));
                }
                Message::Invalidate(key, version) => self.update(node, key, (version, None)),
            },
            _ => {}
        }
    }

    fn durable(&self, node: &Node) -> Node {
        node.clone()
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        call.is_read() || node == STORE
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Fetch(_, key) => format!("fetch {key}"),
            Message::Fill(_, key, (version, value)) => {
                let value = value.clone().unwrap_or_default();
                format!("fill {key}={value} (version {version})")
            }
            Message::Invalidate(key, version) => format!("invalidate {key} before {version}"),
        }
    }
}

fn registry() -> Registry {
    let setting = calm(3, Network::Unordered);
    let family = Family {
        name: "cache",
        about: "caches in front of a store, filled on a miss, invalidated by writes",
        parameters: &[Parameter {
            name: "variant",
            values: &["racy", "versioned"],
            default: None,
            about: "whether a cache ignores a fill that an invalidation has overtaken",
        }],
        setting: setting.clone(),
        build: |chosen| Box::new(Cache { versioned: chosen["variant"] == "versioned" }),
    };
    let promise = |strategy, expected| Promise {
        strategy,
        setting: setting.clone(),
        property: Property::Model(Model::EVENTUAL),
        expected,
    };
    Registry::standard().with(
        family,
        [
            promise("cache:racy", Expected::Violated(Flaw::History(Kind::Diverged))),
            promise("cache:versioned", Expected::Holds),
        ],
    )
}

fn main() -> std::process::ExitCode {
    quiescence::cli::main(registry())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quiescence::hunt::random::{Outcome, Plan, hunt};
    use quiescence::search::random::Scope;

    #[test]
    fn an_invalidation_that_overtakes_a_fill_is_found_and_versions_mend_it() {
        for (name, is_racy) in [("cache:racy", true), ("cache:versioned", false)] {
            let subject = registry().parse(name).expect("it is registered").remove(0);
            let scope = Scope { setting: calm(3, Network::Unordered), ..Scope::default() };
            let properties = vec![Property::Model(Model::EVENTUAL)];
            let plan = Plan { scope, properties, sought: vec![], runs: 5_000, seed: 1 };
            let found = hunt(&*subject, &plan, &|_| false).found.remove(0);
            assert!(found.looked_at > 0, "final reads were answered");
            match found.outcome {
                Outcome::Violated(found) => {
                    assert!(is_racy, "{name}");
                    assert_eq!(found.failing.flaw, Flaw::History(Kind::Diverged));
                }
                Outcome::None => assert!(!is_racy, "{name}"),
                Outcome::Unknown(runs, why) => panic!("{runs} runs undecided: {why}"),
            }
        }
    }
}
