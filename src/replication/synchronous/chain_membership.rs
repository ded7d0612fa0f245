//! Chain replication whose chain an operator shortens when a node has failed.
//!
//! Writes go down the chain from the *head* to the *tail*, which answers them when every
//! node has them. An operator tells any node that some node is *removed*; the chain is
//! what is left, in the order of the nodes. Messages carry the set of removed nodes, which
//! is the configuration. Who hears of more removed nodes adds them to its own; two sets
//! that do not know of each other become their union. A message of an older chain is not
//! obeyed, but the request in it is brought to the head of the new one.
//!
//! - A *head* is removed: its successor is the head. What only the old head had was never
//!   answered.
//! - A node *in the middle* is removed: its predecessor sends its new successor all that
//!   may have been under way, before anything else.
//! - The *tail* is removed: its predecessor is the tail, and what it holds is committed at
//!   once, as every node that is left has it.
//!
//! Whatever a node holds, those before it in the chain hold, too, and in the same order
//! (`update-propagation`, the paper's invariant of that name). So the writes that were
//! answered are in every shorter chain. The paper's tail answers reads by itself, which
//! takes for granted that only nodes are removed that have stopped: a tail that was
//! removed and does not know it answers what is out of date (`reads=tail`). Here a read
//! goes down the chain like a write, and takes with it how many entries there are.
//!
//! So the chain is linearizable whomever an operator removes, and however many at the same
//! time, as long as one node never is. That node is in every chain and before every tail,
//! so what any tail answers is a prefix of its log; and every read passes through it, and
//! sees what it has by then.
//!
//! Source: van Renesse & Schneider 2004, section 3. Deviations: no master detects failures
//! and numbers configurations; a node that was removed stays so, and none is added at the
//! end; the tail sends no acknowledgements back, so that what may have been under way is
//! the whole log; the log is durable, and a node that recovers without having been removed
//! fetches what it missed; any node takes requests.

use std::collections::BTreeSet;

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::log::{Entry, Log};
use crate::replication::{
    Cluster, CommandId, Effects, Input, Invariant, OperationId, Part, Strategy, Visible,
};

/// Chain replication with removal of nodes.
#[derive(Clone, Copy, Debug)]
pub struct ChainMembership {
    /// How a read is answered.
    pub reads: Reads,
    /// What a node sends its successor in a new chain.
    pub resends: Resends,
    /// What a new tail makes of the entries that it holds.
    pub pending: Pending,
}

/// How a read is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// By the tail, when every node of the chain has passed it on.
    Chain,
    /// Bug, if a node may be removed that has not stopped: by the tail, at once.
    Tail,
}

/// What a node sends its successor in a new chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resends {
    /// All that may have been under way in the old one.
    Log,
    /// Bug: nothing.
    Nothing,
}

/// What a new tail makes of the entries that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// They are committed.
    Committed,
    /// Bug: they wait for the next one.
    Waits,
}

/// The nodes that were removed.
type Removed = BTreeSet<NodeId>;

/// A node of the chain, or one that was removed from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    removed: Removed,
    /// Applied at the tail, when entries are committed.
    log: Log,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// The nodes that the sender knows to be removed.
    removed: Removed,
    said: Said,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Said {
    /// To the head: a client writes.
    Write(Entry),
    /// To the head, and down the chain: a client reads, and those who have passed it on
    /// have so many entries.
    Read(OperationId, Key, usize),
    /// To the successor: the entry at a position of the log.
    Append(usize, Entry),
    /// How many entries the sender has: a request for the rest, and for news.
    Fetch(usize),
    /// Nothing more than who was removed.
    Removal,
}

impl Replica {
    /// The chain as far as this node knows, from the head to the tail.
    fn chain(&self) -> impl DoubleEndedIterator<Item = NodeId> {
        let all = self.cluster.nodes().collect::<Vec<_>>().into_iter();
        all.filter(|node| !self.removed.contains(node))
    }

    fn head(&self) -> NodeId {
        self.chain().next().expect("a node is left")
    }

    fn tail(&self) -> NodeId {
        self.chain().next_back().expect("a node is left")
    }

    fn successor(&self) -> Option<NodeId> {
        self.chain().find(|node| *node > self.me && !self.removed.contains(&self.me))
    }

    /// Whether it has this write, which then is on its way, or was answered.
    fn holds(&self, entry: &Entry) -> bool {
        self.log.position(entry.operation).is_some()
    }

    fn send(&self, to: NodeId, said: Said, effects: &mut Effects<ChainMembership>) {
        effects.send(to, Message { removed: self.removed.clone(), said });
    }

    fn broadcast(&self, said: Said, effects: &mut Effects<ChainMembership>) {
        let message = Message { removed: self.removed.clone(), said };
        effects.broadcast(self.cluster.others(self.me), &message);
    }

    /// All that is held is committed: this is the tail.
    fn commit(&mut self, effects: &mut Effects<ChainMembership>) {
        for operation in self.log.apply(self.log.len(), effects) {
            effects.ok(operation, Value::Null);
        }
    }

    /// Brings a write to the head.
    fn write(&mut self, entry: Entry, effects: &mut Effects<ChainMembership>) {
        if self.me != self.head() {
            self.send(self.head(), Said::Write(entry), effects);
        } else if !self.holds(&entry) {
            self.append(entry, effects);
        }
    }

    /// Takes an entry that is next in order, and hands it on.
    fn append(&mut self, entry: Entry, effects: &mut Effects<ChainMembership>) {
        let position = self.log.append(entry.clone());
        match self.successor() {
            Some(successor) => self.send(successor, Said::Append(position, entry), effects),
            None => self.commit(effects),
        }
    }

    /// Sends the entries from a position on.
    fn catch_up(&self, to: NodeId, from: usize, effects: &mut Effects<ChainMembership>) {
        for (position, entry) in self.log.from(from) {
            self.send(to, Said::Append(position, entry.clone()), effects);
        }
    }

    /// Answers a read as the tail, or passes it on.
    fn read(&self, operation: OperationId, key: Key, effects: &mut Effects<ChainMembership>) {
        if let Some(successor) = self.successor() {
            self.send(successor, Said::Read(operation, key, self.log.len()), effects);
        } else {
            let value = self.log.read(&key);
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
        }
    }
}

impl ChainMembership {
    /// Begins a read at the node where reads begin.
    fn begin(self, replica: &Replica, read: (OperationId, Key), effects: &mut Effects<Self>) {
        let first = match self.reads {
            Reads::Chain => replica.head(),
            Reads::Tail => replica.tail(),
        };
        if replica.me == first {
            replica.read(read.0, read.1, effects);
        } else {
            replica.send(first, Said::Read(read.0, read.1, 0), effects);
        }
    }

    /// Learns that these nodes were removed, unless that would be all of them.
    fn learn(self, replica: &mut Replica, removed: &Removed, effects: &mut Effects<Self>) {
        let all = &replica.removed | removed;
        if all == replica.removed || all.len() == replica.cluster.size() {
            return;
        }
        replica.removed = all;
        if let Some(successor) = replica.successor() {
            // Even the successor of before no longer obeys what the old chain sent.
            if self.resends == Resends::Log {
                replica.catch_up(successor, 0, effects);
            }
        } else if replica.me == replica.tail() && self.pending == Pending::Committed {
            replica.commit(effects);
        }
    }

    fn receive(
        self,
        replica: &mut Replica,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Self>,
    ) {
        self.learn(replica, &message.removed, effects);
        if replica.removed == message.removed {
            Self::obey(replica, from, message.said, effects);
            return;
        }
        match message.said {
            Said::Append(_, entry) if replica.holds(&entry) => {}
            Said::Write(entry) | Said::Append(_, entry) => replica.write(entry, effects),
            Said::Read(operation, key, _) => self.begin(replica, (operation, key), effects),
            Said::Fetch(_) => replica.send(from, Said::Removal, effects),
            Said::Removal => {}
        }
    }

    /// Does what a node of the same chain says, but not before it has the entries that
    /// the other has sent before: a crash may have lost them.
    fn obey(replica: &mut Replica, from: NodeId, said: Said, effects: &mut Effects<Self>) {
        match said {
            Said::Write(entry) => replica.write(entry, effects),
            Said::Read(operation, key, entries) if entries > replica.log.len() => {
                replica.send(from, Said::Fetch(replica.log.len()), effects);
                replica.send(from, Said::Read(operation, key, 0), effects);
            }
            Said::Read(operation, key, _) => replica.read(operation, key, effects),
            Said::Append(position, entry) if position == replica.log.len() => {
                replica.append(entry, effects);
            }
            Said::Append(position, _) if position > replica.log.len() => {
                replica.send(from, Said::Fetch(replica.log.len()), effects);
            }
            Said::Fetch(entries) if replica.successor() == Some(from) => {
                replica.catch_up(from, entries, effects);
            }
            Said::Append(..) | Said::Fetch(_) | Said::Removal => {}
        }
    }
}

impl Strategy for ChainMembership {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica { me: node, cluster: *cluster, removed: Removed::new(), log: Log::default() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                self.begin(replica, (operation, call.key), effects);
            }
            Input::Request { operation, call, .. } => {
                let entry = Entry { operation, key: call.key, value: call.argument };
                replica.write(entry, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Command(CommandId(node)) => {
                self.learn(replica, &Removed::from([NodeId(node)]), effects);
                replica.broadcast(Said::Removal, effects);
            }
            Input::Recovered => {
                replica.log.announce(effects);
                replica.broadcast(Said::Fetch(replica.log.len()), effects);
            }
            _ => {}
        }
    }

    fn ignores(&self, replica: &Replica, _: NodeId, message: &Message) -> Option<bool> {
        let done = match &message.said {
            Said::Removal => true,
            Said::Append(_, entry) => replica.holds(entry),
            Said::Write(_) | Said::Read(..) | Said::Fetch(_) => false,
        };
        Some(done && message.removed.is_subset(&replica.removed))
    }

    fn commands(&self, cluster: &Cluster) -> Vec<String> {
        cluster.nodes().map(|node| format!("remove {node}")).collect()
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        // Of two nodes, the later holds a prefix of what the earlier holds, unless it knows
        // that the earlier is removed.
        let ordered = |nodes: &[&Replica]| {
            nodes.iter().enumerate().all(|(at, later)| {
                let before = nodes[..at].iter().filter(|it| !later.removed.contains(&it.me));
                before.into_iter().all(|earlier| {
                    let mut held = earlier.log.from(0);
                    later.log.from(0).all(|entry| held.next() == Some(entry))
                })
            })
        };
        vec![Invariant::always("update-propagation", ordered)]
    }

    fn label(&self, message: &Message) -> String {
        let said = match &message.said {
            Said::Write(entry) => format!("forward write {entry}"),
            Said::Read(_, key, 0) => format!("read {key}"),
            Said::Read(_, key, entries) => format!("read {key} after {entries}"),
            Said::Append(position, entry) => format!("append #{position} {entry}"),
            Said::Fetch(entries) => format!("fetch after {entries}"),
            Said::Removal => return format!("chain {}", without(&message.removed)),
        };
        match message.removed.is_empty() {
            true => said,
            false => format!("{said} in the chain {}", without(&message.removed)),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let chain: Vec<_> = replica.chain().map(|node| node.to_string()).collect();
        let mut parts = replica.log.show();
        parts.push(Part::Field("chain".to_owned(), chain.join(" ")));
        Some(parts)
    }
}

/// `without n2 n3`.
fn without(removed: &Removed) -> String {
    removed.iter().fold("without".to_owned(), |all, node| format!("{all} {node}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chain without n3 has answered a write. Then n1, which hears of no such removal,
    /// is told that n2 is removed, and n3 loses in a crash what n1 has sent it again.
    #[test]
    fn a_tail_that_has_lost_an_entry_does_not_answer_the_read_behind_it() {
        let plain = ChainMembership {
            reads: Reads::Chain,
            resends: Resends::Log,
            pending: Pending::Committed,
        };
        let operation = |number| OperationId { session: 0, number };
        let entry = Entry { operation: operation(0), key: Key::new("x"), value: Value::Int(1) };
        let removed = Removed::from([NodeId(1)]);
        let mut tail = plain.boot(NodeId(2), &Cluster::of(3));
        let mut hears = |said| {
            let message = Message { removed: removed.clone(), said };
            let mut effects = Effects::new();
            plain.step(
                &mut tail,
                Input::Receive { from: NodeId(0), message, clock: 0 },
                &mut effects,
            );
            let sent = effects.sends().iter().map(|(_, message)| plain.label(message));
            (sent.collect::<Vec<_>>(), effects.answer(operation(1)))
        };
        let read = || Said::Read(operation(1), Key::new("x"), 1);
        let chain = "in the chain without n2";
        assert_eq!(
            hears(read()),
            (vec![format!("fetch after 0 {chain}"), format!("read x {chain}")], None)
        );
        assert_eq!(hears(Said::Append(0, entry)), (Vec::new(), None));
        assert_eq!(hears(read()), (Vec::new(), Some(Value::Int(1))));
    }
}
