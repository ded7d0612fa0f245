//! Faults and their budgets.
//!
//! Invariant: every fault has a budget, so a plan of zeros is a world without
//! faults. Two faults of one kind share a budget, so they are not independent,
//! even at different nodes.

use std::fmt;
use std::num::NonZeroU16;
use std::ops::{Index, IndexMut};

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::history::NodeId;
use crate::replication::{Cluster, CommandId};

/// A kind of fault. Some kinds strike messages or clients; those that strike a
/// node are [`Strike`]s. A new one of these is an entry in the tables of this
/// file, what it does in [`local_step`], and its words in `hunt/case/words.rs`.
///
/// [`local_step`]: super::component::local_step
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A message is lost.
    Drop,
    /// A message is delivered twice.
    Duplicate,
    /// A node stops, loses what is not durable, and may come back.
    Crash,
    /// A link holds messages back until it is healed.
    Cut,
    /// A clock jumps one unit, ahead or back.
    Skew,
    /// A client stops waiting.
    GiveUp,
    /// A client sends an open request once more.
    Retry,
    /// A failure detector suspects a node, right or wrong.
    Suspect,
    /// A node stops and never comes back.
    Kill,
    /// A disk reports a flush that did not happen.
    LostFlush,
    /// An operator gives a node a command. It goes wrong only if the strategy
    /// lets it.
    Operator,
    /// Every link between two groups of nodes holds messages back until all are healed.
    Partition,
}

impl Kind {
    /// All kinds, in the order in which they are listed and written.
    pub const ALL: [Kind; 12] = [
        Kind::Drop,
        Kind::Duplicate,
        Kind::Crash,
        Kind::Cut,
        Kind::Skew,
        Kind::GiveUp,
        Kind::Retry,
        Kind::Suspect,
        Kind::Kill,
        Kind::LostFlush,
        Kind::Operator,
        Kind::Partition,
    ];

    /// The names of all kinds, as on the command line and in files.
    const NAMES: [&'static str; Kind::ALL.len()] = [
        "drop",
        "duplicate",
        "crash",
        "cut",
        "skew",
        "give_up",
        "retry",
        "suspect",
        "kill",
        "lost_flush",
        "operator",
        "partition",
    ];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        Kind::NAMES[self.place()]
    }

    /// What happens, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Kind::Drop => "a message is lost",
            Kind::Duplicate => "a message is delivered twice",
            Kind::Crash => "a node stops, loses what is not durable, and recovers",
            Kind::Cut => "a link holds back messages until it heals",
            Kind::Skew => "a clock jumps one unit, ahead or back",
            Kind::GiveUp => "a client stops waiting and never learns the outcome",
            Kind::Retry => "a client sends an open request again",
            Kind::Suspect => "a failure detector suspects a node, rightly or wrongly",
            Kind::Kill => "a node stops and never comes back",
            Kind::LostFlush => "a disk reports a flush that did not happen",
            Kind::Operator => "an operator gives a node a command",
            Kind::Partition => "the network splits in two until it is whole again",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a partition splits a cluster: the nodes on the side of n1 and those on the other
/// side, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Split {
    here: u64,
    there: u64,
}

impl Split {
    /// Clusters of more nodes are split only in front of a node: `n1 … nk` from the rest.
    const MANY: usize = 10;

    /// Every way to split n1 and these other nodes in two, in canonical order.
    fn all(others: &[NodeId]) -> Vec<Split> {
        let count = others.len();
        let choices: Vec<u64> = if count >= Split::MANY {
            (0..count).map(|end| (1 << end) - 1).collect()
        } else {
            (0..(1_u64 << count).saturating_sub(1)).collect()
        };
        let split = |choice: u64| {
            let mut split = Split { here: 1, there: 0 };
            for (at, node) in others.iter().enumerate() {
                let here = choice & (1 << at) != 0;
                let side = if here { &mut split.here } else { &mut split.there };
                *side |= 1 << node.0;
            }
            split
        };
        choices.into_iter().map(split).collect()
    }

    /// Whether it splits this cluster in two.
    pub(crate) fn splits(self, cluster: Cluster) -> bool {
        let all = cluster.nodes().fold(0, |bits, node| bits | 1_u64 << node.0);
        self.here & 1 != 0
            && self.there != 0
            && self.here & self.there == 0
            && self.here | self.there == all
    }

    /// The nodes on the other side of a node, a bit for each.
    pub(crate) fn across(self, node: NodeId) -> u64 {
        if self.here & (1 << node.0) != 0 { self.there } else { self.here }
    }

    /// The same without a node; `None` if nobody else is on its side.
    pub(crate) fn without(self, node: NodeId) -> Option<Split> {
        let rest = !(1 << node.0);
        let Split { here, there } = Split { here: self.here & rest, there: self.there & rest };
        (here & 1 != 0 && there != 0).then_some(Split { here, there })
    }
}

impl fmt::Display for Split {
    /// `n1 n2 | n3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |bits: u64| {
            let nodes = (0..64).filter(|at| bits & (1 << at) != 0).map(NodeId);
            nodes.map(|node| node.to_string()).collect::<Vec<_>>().join(" ")
        };
        write!(f, "{} | {}", side(self.here), side(self.there))
    }
}

impl std::str::FromStr for Split {
    type Err = String;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, String> {
        let bit = |name: &str| name.parse::<NodeId>().ok().filter(|node| node.0 < 64);
        let side = |names: &str| {
            let bits = names.split(' ').map(|name| bit(name).map(|node| 1_u64 << node.0));
            bits.reduce(|all, one| Some(all? | one?)).flatten()
        };
        let split = text
            .split_once(" | ")
            .and_then(|(here, there)| Some(Split { here: side(here)?, there: side(there)? }));
        split
            .filter(|split| split.to_string() == text)
            .ok_or_else(|| format!("`{text}` does not say how nodes are split, like `n1 n2 | n3`"))
    }
}

/// A fault as it strikes one node; a partition, which strikes all, counts as one that
/// strikes n1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strike {
    /// The node stops.
    Crash,
    /// Messages from another node are held back.
    Cut(NodeId),
    /// The clock jumps one unit ahead.
    Tick,
    /// The clock jumps one unit back.
    JumpBack,
    /// The failure detector suspects another node.
    Suspect(NodeId),
    /// The node stops for good.
    Kill,
    /// The disk reports its oldest flush, which did not happen.
    LostFlush,
    /// The operator gives the node this command.
    Command(CommandId),
    /// The network splits like this.
    Partition(Split),
}

impl Strike {
    /// All strikes of a kind, in canonical order; `others` are the other nodes,
    /// and `commands` says how many commands there are. Kinds that strike messages
    /// and clients have none.
    pub(crate) fn all(
        kind: Kind,
        others: impl Iterator<Item = NodeId>,
        commands: impl FnOnce() -> u16,
    ) -> Vec<Strike> {
        match kind {
            Kind::Crash => vec![Strike::Crash],
            Kind::Cut => others.map(Strike::Cut).collect(),
            Kind::Skew => vec![Strike::Tick, Strike::JumpBack],
            Kind::Suspect => others.map(Strike::Suspect).collect(),
            Kind::Kill => vec![Strike::Kill],
            Kind::LostFlush => vec![Strike::LostFlush],
            Kind::Operator => (0..commands()).map(CommandId).map(Strike::Command).collect(),
            Kind::Partition => {
                let others: Vec<_> = others.collect();
                let first = !others.contains(&NodeId(0));
                let all = if first { Split::all(&others) } else { Vec::new() };
                all.into_iter().map(Strike::Partition).collect()
            }
            Kind::Drop | Kind::Duplicate | Kind::GiveUp | Kind::Retry => Vec::new(),
        }
    }

    /// Those that are about no other node, and no command.
    pub(crate) fn alone() -> impl Iterator<Item = Strike> {
        Kind::ALL.into_iter().flat_map(|kind| Strike::all(kind, std::iter::empty(), || 0))
    }

    /// Whether it stops the node.
    pub(crate) fn stops(self) -> bool {
        matches!(self, Strike::Crash | Strike::Kill)
    }

    /// The kind of fault that this is.
    pub fn kind(self) -> Kind {
        match self {
            Strike::Crash => Kind::Crash,
            Strike::Cut(_) => Kind::Cut,
            Strike::Tick | Strike::JumpBack => Kind::Skew,
            Strike::Suspect(_) => Kind::Suspect,
            Strike::Kill => Kind::Kill,
            Strike::LostFlush => Kind::LostFlush,
            Strike::Command(_) => Kind::Operator,
            Strike::Partition(_) => Kind::Partition,
        }
    }

    /// What it is called in files.
    pub fn name(self) -> &'static str {
        match self {
            Strike::Tick => "tick",
            Strike::JumpBack => "jump-back",
            Strike::LostFlush => "lost-flush",
            Strike::Command(_) => "command",
            Strike::Crash
            | Strike::Cut(_)
            | Strike::Suspect(_)
            | Strike::Kill
            | Strike::Partition(_) => self.kind().name(),
        }
    }

    /// The other node that this is about, if it is about one.
    pub fn other(self) -> Option<NodeId> {
        match self {
            Strike::Cut(other) | Strike::Suspect(other) => Some(other),
            Strike::Crash
            | Strike::Tick
            | Strike::JumpBack
            | Strike::Kill
            | Strike::LostFlush
            | Strike::Command(_)
            | Strike::Partition(_) => None,
        }
    }
}

/// A set of kinds of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds([bool; Kind::ALL.len()]);

impl Kinds {
    pub(crate) fn contains(self, kind: Kind) -> bool {
        self.0[kind.place()]
    }
}

/// How often each kind of fault may strike, or did.
///
/// ```
/// use quiescence::world::{FaultKind, Faults};
///
/// let faults = Faults::NONE.with(FaultKind::Crash, 2).with(FaultKind::Drop, 1);
/// assert_eq!(faults[FaultKind::Crash], 2);
/// assert_eq!(faults.to_string(), "drop 1, crash 2");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Faults([u16; Kind::ALL.len()]);

impl Faults {
    /// No fault of any kind.
    pub const NONE: Faults = Faults([0; Kind::ALL.len()]);

    /// One of each of these kinds.
    pub fn once(kinds: &[Kind]) -> Faults {
        kinds.iter().fold(Faults::NONE, |all, kind| all.with(*kind, 1))
    }

    /// The same with this count of this kind.
    #[must_use]
    pub const fn with(mut self, kind: Kind, count: u16) -> Self {
        self.0[kind.place()] = count;
        self
    }

    /// Every kind with its count.
    pub fn each(self) -> impl Iterator<Item = (Kind, u16)> {
        Kind::ALL.into_iter().zip(self.0)
    }

    /// How many there are of all kinds together.
    pub fn total(self) -> usize {
        self.0.into_iter().map(usize::from).sum()
    }

    /// Whether nothing may go wrong.
    pub fn is_none(self) -> bool {
        self == Faults::NONE
    }

    /// The kinds of which less is spent than this budget allows.
    pub(crate) fn left(self, spent: Faults) -> Kinds {
        Kinds(Kind::ALL.map(|kind| spent[kind] < self[kind]))
    }
}

impl Index<Kind> for Faults {
    type Output = u16;

    fn index(&self, kind: Kind) -> &u16 {
        &self.0[kind.place()]
    }
}

impl IndexMut<Kind> for Faults {
    fn index_mut(&mut self, kind: Kind) -> &mut u16 {
        &mut self.0[kind.place()]
    }
}

impl fmt::Display for Faults {
    /// `drop 1, crash 2`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (kind, count) in self.each().filter(|(_, count)| *count > 0) {
            write!(f, "{separator}{kind} {count}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl Serialize for Faults {
    /// A map from names to counts, without zeros.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let struck = self.each().filter(|(_, count)| *count > 0);
        serializer.collect_map(struck.map(|(kind, count)| (kind.name(), count)))
    }
}

impl<'de> Deserialize<'de> for Faults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts;

        impl<'de> Visitor<'de> for Counts {
            type Value = Faults;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("how often each kind of fault strikes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Faults, A::Error> {
                let mut faults = Faults::NONE;
                while let Some(name) = map.next_key::<String>()? {
                    let kind = Kind::named(&name)
                        .ok_or_else(|| A::Error::unknown_field(&name, &Kind::NAMES))?;
                    faults[kind] = map.next_value()?;
                }
                Ok(faults)
            }
        }

        deserializer.deserialize_map(Counts)
    }
}

/// What happens to the messages that wait at a node when it crashes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum InboxOnCrash {
    /// They are lost with it.
    #[default]
    Lost,
    /// They wait until it is back.
    Kept,
}

/// What may go wrong in a run, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultPlan {
    /// The budgets.
    pub budget: Faults,
    /// What a crash does to waiting messages.
    pub inbox: InboxOnCrash,
    /// How far the clock of each node is off from the start, in units;
    /// nodes beyond the end of the list are not off.
    pub clocks: Vec<i32>,
    /// Whether a client that goes on after an unknown outcome keeps its token.
    pub keep_token: bool,
    /// How many ticks the clocks of two nodes that are not gone may be apart, if the
    /// strategy [has deadlines](crate::replication::Strategy::has_deadlines); without a
    /// bound they go as they like. Offsets of such clocks are in ticks.
    pub bounded: Option<NonZeroU16>,
    /// Whether a crash loses such a clock: it shows again what it showed at first, and the
    /// others wait until it has come within the bound.
    pub lose_clock: bool,
}

impl FaultPlan {
    /// How far the clock of a node is off from the start.
    pub(crate) fn offset(&self, node: NodeId) -> i32 {
        self.clocks.get(node.index()).copied().unwrap_or(0)
    }

    /// How many ticks two clocks may be apart at most.
    pub(crate) fn apart(&self) -> u64 {
        self.bounded.map_or(u64::MAX, |bound| u64::from(bound.get()))
    }
}
