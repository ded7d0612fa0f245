//! A protocol of one's own: caches in front of a store, and the race between
//! a fill and an invalidation. docs/tutorial.md walks through this file.
//!
//! ```console
//! $ cargo run --release --example cache -- check cache:racy
//! $ cargo run --release --example cache -- check
//! ```

use std::collections::BTreeMap;

use quiescence::prelude::*;

/// n1 is the store and serves writes; every other node is a cache.
#[derive(Clone)]
struct Cache {
    /// Whether caches ignore what is older than what they have heard of.
    versioned: bool,
}

const STORE: NodeId = NodeId(0);

/// The number of the last write that was heard of, and its value if it is here.
type Entry = (u64, Option<Value>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    me: NodeId,
    cluster: Cluster,
    entries: BTreeMap<Key, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Fetch(OperationId, Key),
    Fill(OperationId, Key, u64, Value),
    Invalidate(Key, u64),
}

impl Cache {
    /// A cache takes over an entry unless it has heard of a newer one.
    fn update(&self, node: &mut Node, key: Key, entry: Entry) {
        let known = node.entries.entry(key).or_default();
        if !self.versioned || entry.0 >= known.0 {
            *known = entry;
        }
    }
}

impl Strategy for Cache {
    type Replica = Node;
    type Message = Message;
    type Token = ();

    fn boot(&self, me: NodeId, cluster: &Cluster) -> Node {
        Node { me, cluster: *cluster, entries: BTreeMap::new() }
    }

    fn step(&self, node: &mut Node, input: Input<Self>, fx: &mut Effects<Self>) {
        match input {
            Input::Request { operation: id, call, .. } if call.is_write() => {
                let entry = node.entries.entry(call.key.clone()).or_default();
                *entry = (entry.0 + 1, Some(call.argument));
                fx.broadcast(node.cluster.others(STORE), &Message::Invalidate(call.key, entry.0));
                fx.ok(id, Value::Null);
            }
            Input::Request { operation: id, call, .. } => match node.entries.get(&call.key) {
                Some((_, Some(value))) => fx.ok(id, value.clone()),
                _ if node.me == STORE => fx.ok(id, Value::Null),
                _ => fx.send(STORE, Message::Fetch(id, call.key)),
            },
            Input::Receive { from, message: Message::Fetch(id, key), .. } => {
                let (version, value) = node.entries.get(&key).cloned().unwrap_or_default();
                fx.send(from, Message::Fill(id, key, version, value.unwrap_or_default()));
            }
            Input::Receive { message: Message::Fill(id, key, version, value), .. } => {
                fx.ok(id, value.clone());
                self.update(node, key, (version, Some(value)));
            }
            Input::Receive { message: Message::Invalidate(key, version), .. } => {
                self.update(node, key, (version, None));
            }
            _ => {}
        }
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        call.is_read() || node == STORE
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Fetch(_, key) => format!("fetch {key}"),
            Message::Fill(_, key, version, value) => {
                format!("fill {key}={value} (version {version})")
            }
            Message::Invalidate(key, version) => format!("invalidate {key} before {version}"),
        }
    }

    fn show(&self, node: &Node) -> Option<Vec<Part>> {
        let part = |(key, (version, value)): (&Key, &Entry)| {
            let value = shown(value.as_ref().unwrap_or(&Value::Null));
            Part::Key(key.clone(), format!("({version}, {value})"))
        };
        Some(node.entries.iter().map(part).collect())
    }
}

fn registry() -> Registry {
    let setting = Setting::calm(3, Network::Unordered);
    let variants = Variants::of(Cache { versioned: false }).open(
        "variant",
        "whether a cache ignores a fill that an invalidation has overtaken",
        [("racy", |cache| cache.versioned = false), ("versioned", |cache| cache.versioned = true)],
    );
    let about = "caches in front of a store, filled on a miss, invalidated by writes";
    let family = Family::new("cache", about, &setting, variants)
        .breaks("racy", &setting, Model::EVENTUAL, Kind::Diverged)
        .keeps("versioned", &setting, [Model::EVENTUAL]);
    Registry::standard().with(family)
}

fn main() -> std::process::ExitCode {
    quiescence::cli::main(registry())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quiescence::cli::assert_holds;
    use quiescence::hunt::random::{Plan, Sampled, hunt};
    use quiescence::judgement::datatype::Register;
    use quiescence::search::random::Scope;

    #[test]
    fn versions_mend_the_race() {
        assert_holds(&registry(), "cache:versioned --model eventual --states 20000");
    }

    #[test]
    fn an_invalidation_that_overtakes_a_fill_is_found_and_versions_mend_it() {
        for (name, is_racy) in [("cache:racy", true), ("cache:versioned", false)] {
            let subject = registry().parse(name).expect("it is registered").remove(0);
            let scope = Scope { setting: Setting::calm(3, Network::Unordered), ..Scope::default() };
            let properties = vec![Property::Model(Model::EVENTUAL)];
            let plan = Plan {
                scope,
                properties,
                datatype: &Register,
                sought: vec![],
                runs: 5_000,
                seed: 1,
            };
            let found = hunt(&*subject, &plan, &|_| false).found.remove(0);
            assert!(found.looked_at > 0, "final reads were answered");
            match found.outcome {
                Sampled::Violated(found) => {
                    assert!(is_racy, "{name}");
                    assert_eq!(found.failing.flaw, Flaw::History(Kind::Diverged));
                }
                Sampled::None => assert!(!is_racy, "{name}"),
                Sampled::Unknown(runs, why) => panic!("{runs} runs undecided: {why}"),
            }
        }
    }
}
