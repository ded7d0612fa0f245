//! Named scopes for measuring exhaustive searches.
//!
//! A name consists of a strategy and a size: `lww-3-8` is three replicas of the
//! yardstick and eight puts. The scripts are fixed, so that numbers of states
//! can be compared with those of other programs.

use crate::history::{Call, Function, Key, NodeId};
use crate::hunt::Subject;
use crate::judgement::{Budget, Model, Verdict, check};
use crate::search::exhaustive::{Exploration, Plan, Refused, Sight, Tracks, Work, explore};
use crate::world::{Network, Planned, Script, Setting, Workload};

/// A scope that can be searched by name.
pub struct Scope {
    bench: Bench,
    setting: Setting,
    workload: Workload,
}

/// Scopes of one strategy that differ only in size.
#[derive(Clone, Copy)]
pub(super) struct Bench {
    /// The first word of their names.
    pub(super) word: &'static str,
    /// What clients ask, and which sizes the name ends with.
    pub(super) clients: Clients,
    /// What is run.
    pub(super) subject: fn() -> Box<dyn Subject>,
    /// The setting, for a number of nodes.
    pub(super) setting: fn(u16) -> Setting,
    /// What is judged in every quiet state.
    pub(super) judged: Judged,
    /// Whether timers wait until nothing is in flight.
    pub(super) patient: bool,
}

/// Which clients there are, and what each asks.
#[derive(Clone, Copy)]
pub(super) enum Clients {
    /// See [`puts`].
    TwoWriters,
    /// See [`one_each`].
    WritersAndReaders,
    /// See [`adds_and_removes`].
    AtEachNode,
}

/// What is judged in every quiet state.
#[derive(Clone, Copy)]
pub(super) enum Judged {
    /// Whether all final reads have the same answer.
    Agreement,
    /// Whether the model allows the history.
    Model(Model),
}

impl Bench {
    /// The form of its names: `lww-NODES-PUTS`.
    pub(super) fn name(&self) -> String {
        let sizes = match self.clients {
            Clients::TwoWriters => "NODES-PUTS",
            Clients::WritersAndReaders => "NODES-WRITERS-READERS",
            Clients::AtEachNode => "NODES-OPERATIONS",
        };
        format!("{}-{sizes}", self.word)
    }

    /// The scope of this size; `None` if the sizes are too many, too few or out
    /// of bounds.
    pub(super) fn scope(self, sizes: &[u16]) -> Option<Scope> {
        let (nodes, clients) = match (self.clients, sizes) {
            (Clients::TwoWriters | Clients::AtEachNode, &[nodes, puts]) => (nodes, [puts, 0]),
            (Clients::WritersAndReaders, &[nodes, writers, readers]) => (nodes, [writers, readers]),
            _ => return None,
        };
        let [writers, readers] = clients;
        if !(2..=8).contains(&nodes) || writers.saturating_add(readers) > 24 {
            return None;
        }
        let workload = match self.clients {
            Clients::TwoWriters => puts(usize::from(writers)),
            Clients::WritersAndReaders => one_each(nodes, writers, readers),
            Clients::AtEachNode => adds_and_removes(nodes, writers),
        };
        Some(Scope { bench: self, setting: (self.setting)(nodes), workload })
    }
}

impl Scope {
    /// Searches the scope. The scope replaces the work, the tracks and the
    /// timers of the plan.
    ///
    /// # Errors
    /// As [`explore`].
    pub fn search(&self, plan: &Plan<'_>) -> Result<Exploration, Refused> {
        let (tracks, lively) = match self.bench.judged {
            Judged::Agreement => (Tracks::default(), 0),
            Judged::Model(model) => {
                let real_time = model == Model::Linearizable;
                (Tracks { history: true, real_time, ..Tracks::default() }, 1)
            }
        };
        let work = Work::Scripted(self.workload.clone());
        let plan = Plan { work, tracks, lively, patient: self.bench.patient, ..*plan };
        let mut judge = |sight: &Sight<'_>| match self.bench.judged {
            Judged::Agreement => agree(sight),
            Judged::Model(model) => {
                let verdict = check(sight.history, model, Budget::default());
                u64::from(matches!(verdict, Verdict::Violated(_)))
            }
        };
        explore(&*(self.bench.subject)(), &self.setting, &plan, 1, &mut judge)
    }
}

/// `nodes` replicas on an unordered network.
pub fn setting(nodes: u16) -> Setting {
    Setting::calm(nodes, Network::Unordered)
}

/// `puts` puts by two clients at n1 and n2; the client at n1 makes the larger
/// half.
pub fn puts(puts: usize) -> Workload {
    let script = |node: u16, count: usize| Script {
        node: NodeId(node),
        operations: (0..count)
            .map(|number| {
                let value = i64::try_from(number).expect("few") + 1;
                Planned { call: Call::write("x", value), node: None }
            })
            .collect(),
    };
    Workload { sessions: vec![script(0, puts.div_ceil(2)), script(1, puts / 2)] }
}

/// One write by each writer and one read by each reader, at the nodes in turn.
fn one_each(nodes: u16, writers: u16, readers: u16) -> Workload {
    let script = |number: u16| {
        let call = match number < writers {
            true => Call::write("x", i64::from(number) + 1),
            false => Call::read("x"),
        };
        let operations = vec![Planned { call, node: None }];
        Script { node: NodeId(number % nodes), operations }
    };
    Workload { sessions: (0..writers + readers).map(script).collect() }
}

/// So many operations on a set by a client at each node, in turn. Each client adds one of
/// two elements, then removes the other one, and so on.
fn adds_and_removes(nodes: u16, operations: u16) -> Workload {
    let script = |node: u16| {
        let call = |number: u16| {
            let add = (number / nodes).is_multiple_of(2);
            let element = 1 + i64::from(node.is_multiple_of(2) != add);
            let f = Function::named(if add { "add" } else { "remove" });
            Planned { call: Call { f, key: Key::new("x"), argument: element.into() }, node: None }
        };
        let own = (0..operations).filter(|number| number % nodes == node);
        Script { node: NodeId(node), operations: own.map(call).collect() }
    };
    Workload { sessions: (0..nodes).map(script).collect() }
}

/// Whether final reads had different answers (bit 0).
pub fn agree(sight: &Sight<'_>) -> u64 {
    let values = || sight.answers.iter().map(|(_, _, value)| value);
    u64::from(!values().all(|value| Some(value) == values().next()))
}
