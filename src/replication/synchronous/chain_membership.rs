//! Chain replication whose chain an operator shortens when a node has failed, and extends.
//!
//! Writes go down the chain from the *head* to the *tail*, which answers them when every
//! node has them. An operator tells any node that some node is *removed*, or that the spare
//! one *joins*; the chain is what is left, in the order of the nodes. Messages carry who was
//! removed and who has joined, which is the configuration. Who hears of more adds it to its
//! own; two that do not know of each other become their union. A message of an older chain
//! is not obeyed, but the request in it is brought to the head of the new one.
//!
//! - A *head* is removed: its successor is the head. What only the old head had was never
//!   answered.
//! - A node *in the middle* is removed: its predecessor sends its new successor all that
//!   may have been under way, before anything else.
//! - The *tail* is removed: its predecessor is the tail, and what it holds is committed at
//!   once, as every node that is left has it.
//! - The *spare* joins, as the tail: its predecessor sends it all that it has, which nobody
//!   but the new tail answers from then on.
//!
//! Whatever a node holds, those before it in the chain hold, too, and in the same order
//! (`update-propagation`, the paper's invariant of that name). So the writes that were
//! answered are in every shorter chain. The paper's tail answers reads by itself, which
//! takes for granted that only nodes are removed that have stopped: a tail that was
//! removed and does not know it answers what is out of date (`reads=tail`). Here a read
//! goes down the chain like a write, and takes with it how many entries there are.
//!
//! So the chain is linearizable whomever an operator removes, and however many at the same
//! time, as long as one node of the first chain never is. It is before every tail,
//! so what any tail answers is a prefix of its log; and every read passes through it, and
//! sees what it has by then.
//!
//! Source: van Renesse & Schneider 2004, section 3. Deviations: no master detects failures
//! and numbers configurations; a node that was removed stays so, and one at most is added;
//! the old tail does not go on answering until the new one has all; the tail sends no acknowledgements back, so that what may have been under way is
//! the whole log; the log is durable, and a node that recovers without having been removed
//! fetches what it missed; any node takes requests.

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::log::{Entry, Log};
use crate::replication::members::{Members, Spares};
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
    /// Which nodes are not in the chain at first.
    pub spares: Spares,
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

/// A node of the chain, or one that is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    members: Members,
    /// Applied at the tail, when entries are committed.
    log: Log,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// Who is in the chain, as far as the sender knows.
    members: Members,
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
    /// Nothing more than who is in the chain.
    News,
}

impl Replica {
    fn successor(&self) -> Option<NodeId> {
        self.members.successor(self.me)
    }

    /// Whether it has this write, which then is on its way, or was answered.
    fn holds(&self, entry: &Entry) -> bool {
        self.log.position(entry.operation).is_some()
    }

    fn send(&self, to: NodeId, said: Said, effects: &mut Effects<ChainMembership>) {
        effects.send(to, Message { members: self.members.clone(), said });
    }

    fn broadcast(&self, said: Said, effects: &mut Effects<ChainMembership>) {
        let message = Message { members: self.members.clone(), said };
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
        let head = self.members.head();
        if self.me != head {
            self.send(head, Said::Write(entry), effects);
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
            Reads::Chain => replica.members.head(),
            Reads::Tail => replica.members.tail(),
        };
        if replica.me == first {
            replica.read(read.0, read.1, effects);
        } else {
            replica.send(first, Said::Read(read.0, read.1, 0), effects);
        }
    }

    /// Learns who is in the chain.
    fn learn(self, replica: &mut Replica, members: &Members, effects: &mut Effects<Self>) {
        if !replica.members.learn(members) {
            return;
        }
        if let Some(successor) = replica.successor() {
            // Even the successor of before no longer obeys what the old chain sent.
            if self.resends == Resends::Log {
                replica.catch_up(successor, 0, effects);
            }
        } else if replica.me == replica.members.tail() && self.pending == Pending::Committed {
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
        self.learn(replica, &message.members, effects);
        if replica.members == message.members {
            Self::obey(replica, from, message.said, effects);
            return;
        }
        match message.said {
            Said::Append(_, entry) if replica.holds(&entry) => {}
            Said::Write(entry) | Said::Append(_, entry) => replica.write(entry, effects),
            Said::Read(operation, key, _) => self.begin(replica, (operation, key), effects),
            Said::Fetch(_) => replica.send(from, Said::News, effects),
            Said::News => {}
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
            Said::Append(..) | Said::Fetch(_) | Said::News => {}
        }
    }
}

impl Strategy for ChainMembership {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        let members = self.spares.members(cluster);
        Replica { me: node, cluster: *cluster, members, log: Log::default() }
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
            Input::Command(CommandId(number)) => {
                let known = replica.members.clone();
                let nodes = replica.cluster.size();
                let members = match self.spares.node(&replica.cluster) {
                    Some(spare) if usize::from(number) == nodes => known.with(spare),
                    _ => known.without(NodeId(number)),
                };
                self.learn(replica, &members, effects);
                replica.broadcast(Said::News, effects);
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
            Said::News => true,
            Said::Append(_, entry) => replica.holds(entry),
            Said::Write(_) | Said::Read(..) | Said::Fetch(_) => false,
        };
        Some(done && replica.members.know(&message.members))
    }

    fn commands(&self, cluster: &Cluster) -> Vec<String> {
        let removed = cluster.nodes().map(|node| format!("remove {node}"));
        let joins = self.spares.node(cluster).map(|node| format!("add {node}"));
        removed.chain(joins).collect()
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        // Of two nodes, the later holds a prefix of what the earlier holds, unless it knows
        // that the earlier is removed.
        let ordered = |nodes: &[&Replica]| {
            nodes.iter().enumerate().all(|(at, later)| {
                let before = nodes[..at].iter().filter(|it| !later.members.removed(it.me));
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
            Said::News => return format!("chain{}", message.members),
        };
        message.members.told(said)
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let chain: Vec<_> = replica.members.chain().map(|node| node.to_string()).collect();
        let mut parts = replica.log.show();
        parts.push(Part::Field("chain".to_owned(), chain.join(" ")));
        Some(parts)
    }
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
            spares: Spares::None,
        };
        let operation = |number| OperationId { session: 0, number };
        let entry = Entry { operation: operation(0), key: Key::new("x"), value: Value::Int(1) };
        let members = Members::of(Cluster::of(3).nodes()).without(NodeId(1));
        let mut tail = plain.boot(NodeId(2), &Cluster::of(3));
        let mut hears = |said| {
            let message = Message { members: members.clone(), said };
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
