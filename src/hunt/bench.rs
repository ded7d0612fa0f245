//! Named scopes for measuring exhaustive searches.
//!
//! A name says strategy and size: `lww-3-8` is three replicas of the yardstick
//! and eight puts. The scripts are fixed, so that states can be compared with
//! those of other programs.

use crate::history::{Call, NodeId};
use crate::judgement::{Budget, Model, Verdict, check};
use crate::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use crate::replication::synchronous::abd::{Abd, WriteBack};
use crate::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use crate::replication::yardstick::{Keeps, Yardstick};
use crate::search::exhaustive::explore;
use crate::search::exhaustive::{Exploration, Plan, Refused, Sight, Tracks, Work};
use crate::world::{
    FaultKind, FaultPlan, Faults, Network, Planned, Routing, Script, Setting, Workload,
};

use super::Subject;

/// A scope that can be searched by name.
pub struct Scope {
    subject: Box<dyn Subject>,
    setting: Setting,
    workload: Workload,
    judged: Judged,
    /// Whether timers wait until nothing is in flight.
    patient: bool,
}

/// What is judged in every quiet state.
#[derive(Clone, Copy)]
enum Judged {
    /// Whether all final reads are answered alike.
    Agreement,
    /// Whether the history is allowed.
    Model(Model),
}

/// How names are made.
pub const NAMES: [&str; 6] = [
    "lww-NODES-PUTS",
    "naive-NODES-PUTS",
    "first-NODES-PUTS",
    "abd-NODES-WRITERS-READERS",
    "backup-NODES-WRITERS-READERS",
    "gossip-NODES-PUTS",
];

/// The scope with this name. `abd` has patient timers: on a network that loses
/// nothing, timers that fire earlier only send duplicates. `backup` is primary-backup
/// with one crash, `gossip` is multi-primary-lww with one drop and anti-entropy.
pub fn named(name: &str) -> Option<Scope> {
    let mut words = name.split('-');
    let family = words.next()?;
    let sizes: Vec<u16> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    let yardstick = |keeps| -> Box<dyn Subject> { Box::new(Yardstick(keeps)) };
    let faulty = |setting: Setting, budget| Setting {
        faults: FaultPlan { budget, ..FaultPlan::default() },
        ..setting
    };
    let fits = |nodes: u16, writers: u16, readers: u16| {
        (2..=8).contains(&nodes) && writers + readers <= 24
    };
    Some(match (family, &sizes[..]) {
        ("lww" | "naive" | "first", &[nodes, puts]) if fits(nodes, puts, 0) => Scope {
            subject: yardstick(match family {
                "lww" => Keeps::Larger,
                "naive" => Keeps::Last,
                _ => Keeps::First,
            }),
            setting: setting(nodes),
            workload: self::puts(usize::from(puts)),
            judged: Judged::Agreement,
            patient: false,
        },
        ("gossip", &[nodes, puts]) if fits(nodes, puts, 0) => Scope {
            subject: Box::new(MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: true }),
            setting: faulty(setting(nodes), Faults::NONE.with(FaultKind::Drop, 1)),
            workload: self::puts(usize::from(puts)),
            judged: Judged::Model(Model::EVENTUAL),
            patient: false,
        },
        ("abd", &[nodes, writers, readers]) if fits(nodes, writers, readers) => Scope {
            subject: Box::new(Abd { write_back: WriteBack::Always }),
            setting: setting(nodes),
            workload: one_each(nodes, writers, readers),
            judged: Judged::Model(Model::Linearizable),
            patient: true,
        },
        ("backup", &[nodes, writers, readers]) if fits(nodes, writers, readers) => {
            let crash = Faults::NONE.with(FaultKind::Crash, 1);
            let fifo = Setting { network: Network::Fifo, ..setting(nodes) };
            Scope {
                subject: Box::new(PrimaryBackup { reads: Reads::Primary }),
                setting: faulty(fifo, crash),
                workload: one_each(nodes, writers, readers),
                judged: Judged::Model(Model::Linearizable),
                patient: false,
            }
        }
        _ => return None,
    })
}

impl Scope {
    /// Searches the scope. The work, the tracks and the timers of the plan are
    /// replaced by those of the scope.
    ///
    /// # Errors
    /// As [`explore`].
    pub fn search(&self, plan: &Plan<'_>) -> Result<Exploration, Refused> {
        let (tracks, lively) = match self.judged {
            Judged::Agreement => (Tracks::default(), 0),
            Judged::Model(model) => {
                let real_time = model == Model::Linearizable;
                (Tracks { history: true, real_time, ..Tracks::default() }, 1)
            }
        };
        let work = Work::Scripted(self.workload.clone());
        let plan = Plan { work, tracks, lively, patient: self.patient, ..*plan };
        let mut judge = |sight: &Sight<'_>| match self.judged {
            Judged::Agreement => agree(sight),
            Judged::Model(model) => {
                let verdict = check(sight.history, model, Budget::default());
                u64::from(matches!(verdict, Verdict::Violated(_)))
            }
        };
        explore(&*self.subject, &self.setting, &plan, 1, &mut judge)
    }
}

/// `nodes` replicas on an unordered network.
pub fn setting(nodes: u16) -> Setting {
    Setting {
        nodes,
        network: Network::Unordered,
        faults: FaultPlan::default(),
        routing: Routing::Sticky,
    }
}

/// `puts` puts by two clients pinned to n1 and n2; n1 has the larger half.
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

/// One write by each writer, one read by each reader, node by node.
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

/// Whether all final reads were answered alike: bit 0 if not.
pub fn agree(sight: &Sight<'_>) -> u64 {
    let values = || sight.answers.iter().map(|(_, _, value)| value);
    u64::from(!values().all(|value| Some(value) == values().next()))
}
