//! `raft`, which TiKV is built on: a `RawNode` with the library's storage in memory.
//!
//! The draw of the election timeout is from a range of one number, which differs from
//! node to node, so `pre_vote` is on: without it, or chance, a node that waits least and
//! cannot win would keep the others from being elected. What a `Ready` says is done at once and in the order of the library's
//! documentation. A proposal that the library drops because it knows no leader is made
//! again when it does; one that was forwarded is not made again.
//!
//! The digest has all that the library shows. What it does not show follows from that
//! or cannot differ: heartbeats are sent at every tick, so `heartbeat_elapsed` is
//! always 0, uncommitted entries have no limit, so they are not counted, and between
//! two inputs no `Ready` is open. (By the source of 0.7.0.)

use std::collections::BTreeMap;

use protobuf::Message as _;
use quiescence::history::{Call, Completion, NodeId};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};
use raft::eraftpb::{Entry, Message, MessageType};
use raft::storage::MemStorage;
use raft::{Config, GetEntriesContext, INVALID_ID, RawNode, ReadState, Storage};

use super::desk::Desk;
use super::register::Command;
use super::{number, pace};

/// How reads are answered.
pub mod reads {
    /// Through the log, as writes are.
    pub const LOGGED: u8 = 0;
    /// At the index that the leader gives after it has asked a majority
    /// (`ReadOnlyOption::Safe`).
    pub const INDEXED: u8 = 1;
    /// At once, from what is applied here, without asking anybody.
    pub const LOCAL: u8 = 2;
}

/// The first node's election timeout; each other node waits one tick longer than the
/// node before it.
const ELECTION: usize = 2;

/// How many ticks a clock goes on: enough for the third node to be elected, and to
/// begin once more.
const TICKS: u8 = 12;

/// A replica of the registers.
pub struct Raft<const READS: u8> {
    node: RawNode<MemStorage>,
    desk: Desk,
    /// Commands that wait for a leader to be known.
    unsent: Vec<Command>,
    /// Reads whose index is not known.
    unindexed: Vec<Command>,
    /// Reads that wait until so much of the log is applied.
    indexed: BTreeMap<u64, Vec<Command>>,
}

impl<const READS: u8> Raft<READS> {
    /// Does all that the library asks for.
    fn run(&mut self) {
        let mut out = Vec::new();
        self.propose();
        while self.node.has_ready() {
            let mut ready = self.node.ready();
            out.extend(ready.take_messages());
            assert!(ready.snapshot().is_empty(), "nothing is compacted");
            self.apply(ready.take_committed_entries());
            self.node.store().wl().append(ready.entries()).expect("entries follow the log");
            if let Some(state) = ready.hs() {
                self.node.store().wl().set_hardstate(state.clone());
            }
            out.extend(ready.take_persisted_messages());
            self.index(ready.take_read_states());
            let mut light = self.node.advance(ready);
            if let Some(commit) = light.commit_index() {
                self.node.store().wl().mut_hard_state().set_commit(commit);
            }
            out.extend(light.take_messages());
            self.apply(light.take_committed_entries());
            self.node.advance_apply();
            self.propose();
        }
        self.answer_reads();
        self.desk.count_answers();
        for message in out {
            let bytes = message.write_to_bytes().expect("a message can be written");
            self.desk.send(message.to, &bytes);
        }
    }

    /// Proposes what waits for a leader, if there is one.
    fn propose(&mut self) {
        if self.node.raft.leader_id == INVALID_ID {
            return;
        }
        for command in std::mem::take(&mut self.unsent) {
            if self.node.propose(Vec::new(), command.bytes()).is_err() {
                self.unsent.push(command);
            }
        }
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        for command in entries.iter().filter_map(command) {
            self.desk.registers.apply(&command);
        }
    }

    /// Takes note of the indices that reads have to wait for.
    fn index(&mut self, states: Vec<ReadState>) {
        for ReadState { index, request_ctx } in states {
            let operation = Command::read(&request_ctx).operation();
            let at = self.unindexed.iter().position(|read| read.operation() == operation);
            let read = at.map(|at| self.unindexed.remove(at));
            self.indexed.entry(index).or_default().extend(read);
        }
    }

    fn answer_reads(&mut self) {
        let later = self.indexed.split_off(&(self.node.raft.raft_log.applied + 1));
        for read in std::mem::replace(&mut self.indexed, later).into_values().flatten() {
            self.desk.registers.apply(&read);
        }
    }
}

impl<const READS: u8> Core for Raft<READS> {
    const TIMER: bool = true;

    fn new(me: NodeId, cluster: &Cluster) -> Self {
        let timeout = ELECTION + me.index();
        let config = Config {
            id: number(me),
            heartbeat_tick: 1,
            election_tick: ELECTION,
            min_election_tick: timeout,
            max_election_tick: timeout + 1,
            pre_vote: true,
            ..Config::default()
        };
        let voters: Vec<u64> = cluster.nodes().map(number).collect();
        let storage = MemStorage::new_with_conf_state((voters, Vec::new()));
        let silent = slog::Logger::root(slog::Discard, slog::o!());
        Raft {
            node: RawNode::new(&config, storage, &silent).expect("the configuration is valid"),
            desk: Desk::new(me, cluster, TICKS),
            unsent: Vec::new(),
            unindexed: Vec::new(),
            indexed: BTreeMap::new(),
        }
    }

    fn request(&mut self, operation: OperationId, call: &Call) -> Answer {
        if READS == reads::LOCAL && call.is_read() {
            return Answer::Ok(self.desk.local(call));
        }
        let command = self.desk.take(operation, call);
        if READS == reads::INDEXED && call.is_read() {
            self.node.read_index(command.bytes());
            self.unindexed.push(command);
        } else {
            self.unsent.push(command);
        }
        self.run();
        Answer::Pending
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        let message = read(self.desk.pace.received(bytes));
        // An error says that the message has no effect, such as a proposal that
        // arrives where nobody leads.
        let _ = self.node.step(message);
        self.run();
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        self.desk.outgoing()
    }

    fn finished(&mut self) -> Vec<(OperationId, Completion)> {
        self.desk.finished()
    }

    fn timer(&mut self) {
        if !self.desk.pace.ticks() {
            return;
        }
        self.node.tick();
        // A leader drops such a request until it has committed something.
        for read in &self.unindexed {
            self.node.read_index(read.bytes());
        }
        self.run();
    }

    fn digest(&self) -> Vec<u8> {
        let raft = &self.node.raft;
        let state = (raft.term, raft.vote, raft.leader_id, raft.state, raft.election_elapsed);
        let log = &raft.raft_log;
        let marks = (log.committed, log.persisted, log.applied, &log.unstable.entries);
        let rare = (raft.lead_transferee, raft.pending_conf_index, raft.pending_request_snapshot);
        let peers: BTreeMap<_, _> = raft.prs().iter().collect();
        let votes: Vec<_> = peers.keys().map(|id| raft.prs().votes().get(id)).collect();
        let reads = (&raft.read_only, &self.unindexed, &self.indexed, &self.unsent);
        let (stored, waiting) = (stored(raft.store()), self.desk.registers.waiting());
        let pace = &self.desk.pace;
        format!(
            "{pace:?} {state:?} {marks:?} {rare:?} {peers:?} {votes:?} {reads:?} {stored:?} \
             {waiting:?}"
        )
        .into_bytes()
    }

    fn show(&self) -> String {
        let raft = &self.node.raft;
        let (role, term, committed) = (raft.state, raft.term, raft.raft_log.committed);
        let log = entries(&stored(raft.store()));
        format!(
            "{role:?} in term {term}, log {log}, {committed} committed; {}",
            self.desk.registers
        )
    }

    fn label(bytes: &[u8]) -> String {
        let message = read(pace::message(bytes));
        let (term, index, log) = (message.term, message.index, entries(&message.entries));
        let no = if message.reject { " refused" } else { "" };
        let (before, commit) = (message.log_term, message.commit);
        let reads = match message.context.is_empty() {
            true => String::new(),
            false => format!(" for {}", Command::read(&message.context)),
        };
        match message.get_msg_type() {
            MessageType::MsgPropose => format!("propose {log}"),
            MessageType::MsgAppend => {
                format!("append t{term}: {log} after {index} of t{before}, {commit} committed")
            }
            MessageType::MsgAppendResponse => format!("appended t{term}: {index}{no}"),
            MessageType::MsgRequestVote => {
                format!("ask for vote t{term}: log to {index} of t{before}")
            }
            MessageType::MsgRequestVoteResponse => format!("vote t{term}{no}"),
            MessageType::MsgHeartbeat => format!("heartbeat t{term}: {commit} committed{reads}"),
            MessageType::MsgHeartbeatResponse => format!("heartbeat answered t{term}{reads}"),
            MessageType::MsgReadIndex => format!("ask for index of {log}"),
            MessageType::MsgReadIndexResp => format!("index of {log} t{term}: {index}"),
            other => format!("{other:?} t{term}"),
        }
    }
}

fn read(bytes: &[u8]) -> Message {
    Message::parse_from_bytes(bytes).expect("it was written by a node")
}

/// The command of an entry; a new leader's entry has none.
fn command(entry: &Entry) -> Option<Command> {
    (!entry.data.is_empty()).then(|| Command::read(&entry.data))
}

fn entries(entries: &[Entry]) -> String {
    let some = entries.iter().map(|entry| match command(entry) {
        Some(command) => command.to_string(),
        None => "new leader".to_owned(),
    });
    format!("[{}]", some.collect::<Vec<_>>().join(", "))
}

/// The stored part of the log, which is all of it between two inputs.
fn stored(store: &MemStorage) -> Vec<Entry> {
    let first = store.first_index().expect("there is a log");
    let last = store.last_index().expect("there is a log");
    if last < first {
        return Vec::new();
    }
    let context = GetEntriesContext::empty(false);
    store.entries(first, last + 1, None, context).expect("nothing is compacted")
}
