//! `omnipaxos`: its log, its leader election by ticks, and the storage in memory that
//! is published beside it.
//!
//! A node that forwards a proposal does not do it again, and neither does the core.
//!
//! The library shows little of its state, so the digest is made of two halves.
//! Of the leader election it has everything: the round and the replies of the round
//! are seen as they pass, and the rest is what the library says of itself in
//! a reply to a heartbeat, which the core asks for after every input and sends to
//! nobody. By the source of 0.2.4 such a request changes nothing, and the order of
//! replies does not matter. Of the log it has every input since the beginning, in
//! order. So different states never have the same digest; but equal states often have
//! different ones, and a search counts them twice.

use std::fmt::Write;

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::messages::Message;
use omnipaxos::messages::ballot_leader_election::{BLEMessage, HeartbeatMsg, HeartbeatRequest};
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::storage::{Entry, NoSnapshot};
use omnipaxos::util::{LogEntry, LogSync};
use omnipaxos::{ClusterConfig, OmniPaxos, OmniPaxosConfig, ServerConfig};
use omnipaxos_storage::memory_storage::MemoryStorage;
use quiescence::history::{Call, Completion, NodeId};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};

use super::desk::Desk;
use super::register::{Command, listed};
use super::{number, pace};

impl Entry for Command {
    type Snapshot = NoSnapshot;
}

/// Every how many ticks what may be lost is sent again. Elections are at every tick.
const RESEND: u64 = 2;

/// How many ticks a clock goes on: enough to elect somebody in spite of a loss.
const TICKS: u8 = 6;

/// A replica of the registers. With `LOCAL`, reads are answered from the applied part
/// of the log, without asking anybody.
pub struct Omni<const LOCAL: bool> {
    peer: NodeId,
    paxos: OmniPaxos<Command, MemoryStorage<Command>>,
    desk: Desk,
    applied: usize,
    elections: Elections,
    /// What the log was given, in words.
    inputs: String,
}

/// What is known of the leader election.
#[derive(Debug, Default)]
struct Elections {
    /// Ticks since messages were sent again.
    ticks: u64,
    round: u32,
    /// Replies of this round, sorted.
    replies: Vec<String>,
    /// What it says of itself.
    says: String,
}

impl<const LOCAL: bool> Omni<LOCAL> {
    /// Applies what is decided, takes what is to be sent and asks the leader election
    /// what it thinks. Says whether the log had anything to send.
    fn collect(&mut self) -> bool {
        for entry in self.paxos.read_decided_suffix(self.applied).unwrap_or_default() {
            let LogEntry::Decided(command) = entry else { panic!("{entry:?} was decided") };
            self.desk.registers.apply(&command);
            self.applied += 1;
        }
        self.desk.count_answers();
        let mut messages = Vec::new();
        self.paxos.take_outgoing_messages(&mut messages);
        let mut log_speaks = false;
        for message in messages {
            match &message {
                Message::BLE(BLEMessage { msg: HeartbeatMsg::Request(request), .. }) => {
                    self.elections.round = request.round;
                }
                Message::BLE(_) => {}
                Message::SequencePaxos(_) => log_speaks = true,
            }
            let bytes = postcard::to_stdvec(&message).expect("a message can be written");
            self.desk.send(message.get_receiver(), &bytes);
        }
        self.elections.says = self.asked();
        log_speaks
    }

    /// What the leader election answers to a heartbeat.
    fn asked(&mut self) -> String {
        let msg = HeartbeatMsg::Request(HeartbeatRequest { round: 0 });
        let to = self.paxos.get_pid();
        let asks = BLEMessage { from: number(self.peer), to, msg };
        self.paxos.handle_incoming(Message::BLE(asks));
        let mut answers = Vec::new();
        self.paxos.take_outgoing_messages(&mut answers);
        format!("{answers:?}")
    }

    fn given(&mut self, input: impl std::fmt::Display) {
        write!(self.inputs, "{input}; ").expect("a string can be written");
    }
}

impl<const LOCAL: bool> Core for Omni<LOCAL> {
    const TIMER: bool = true;

    fn new(me: NodeId, cluster: &Cluster) -> Self {
        let cluster_config = ClusterConfig {
            configuration_id: 1,
            nodes: cluster.nodes().map(number).collect(),
            flexible_quorum: None,
        };
        let server_config = ServerConfig {
            pid: number(me),
            election_tick_timeout: 1,
            resend_message_tick_timeout: RESEND,
            ..ServerConfig::default()
        };
        let config = OmniPaxosConfig { cluster_config, server_config };
        let mut core = Omni {
            peer: cluster.others(me).next().expect("the library wants two nodes"),
            paxos: config.build(MemoryStorage::default()).expect("the configuration is valid"),
            desk: Desk::new(me, cluster, TICKS),
            applied: 0,
            elections: Elections::default(),
            inputs: String::new(),
        };
        core.collect();
        core
    }

    fn request(&mut self, operation: OperationId, call: &Call) -> Answer {
        if LOCAL && call.is_read() {
            return Answer::Ok(self.desk.local(call));
        }
        let command = self.desk.take(operation, call);
        self.given(&command);
        self.paxos.append(command).expect("nobody changes the configuration");
        self.collect();
        Answer::Pending
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        let message = read(self.desk.pace.received(bytes));
        match &message {
            Message::BLE(BLEMessage { msg: HeartbeatMsg::Reply(reply), .. }) => {
                // Replies of other rounds are ignored.
                if reply.round == self.elections.round {
                    self.elections.replies.push(format!("{reply:?}"));
                    self.elections.replies.sort_unstable();
                }
            }
            Message::BLE(_) => {}
            Message::SequencePaxos(message) => self.given(format!("{message:?}")),
        }
        self.paxos.handle_incoming(message);
        self.collect();
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
        let promised = self.paxos.get_promise();
        self.elections.ticks = (self.elections.ticks + 1) % RESEND;
        self.elections.replies.clear();
        self.paxos.tick();
        // A tick reaches the log by making this node the leader, or by sending
        // something again.
        let promises = self.paxos.get_promise();
        if self.collect() || promises != promised {
            self.given(format!("tick, {promises:?}"));
        }
    }

    fn digest(&self) -> Vec<u8> {
        format!("{:?} {:?} {}", self.desk.pace, self.elections, self.inputs).into_bytes()
    }

    fn show(&self) -> String {
        let promised = ballot(&self.paxos.get_promise());
        let all = self.paxos.read_entries(0..).unwrap_or_default();
        let log = all.into_iter().filter_map(|entry| match entry {
            LogEntry::Decided(command) | LogEntry::Undecided(command) => Some(command),
            _ => None,
        });
        let (log, decided) = (listed(log), self.paxos.get_decided_idx());
        format!("promised {promised}, log {log}, {decided} decided; {}", self.desk.registers)
    }

    fn label(bytes: &[u8]) -> String {
        match read(pace::message(bytes)) {
            Message::SequencePaxos(message) => told(message.msg),
            Message::BLE(BLEMessage { msg: HeartbeatMsg::Request(request), .. }) => {
                format!("heartbeat {}", request.round)
            }
            Message::BLE(BLEMessage { msg: HeartbeatMsg::Reply(reply), .. }) => {
                let happy = if reply.happy { "" } else { ", unhappy" };
                let (own, leader) = (ballot(&reply.ballot), ballot(&reply.leader));
                format!("heartbeat {} from {own}, leader {leader}{happy}", reply.round)
            }
        }
    }
}

fn read(bytes: &[u8]) -> Message<Command> {
    postcard::from_bytes(bytes).expect("it was written by a node")
}

/// `2.3`: the number of the ballot, and whose it is.
fn ballot(ballot: &Ballot) -> String {
    format!("{}.{}", ballot.n, ballot.pid)
}

/// A message about the log, for people.
fn told(message: PaxosMsg<Command>) -> String {
    let from = |sync: LogSync<Command>| format!("{} from {}", listed(sync.suffix), sync.sync_idx);
    match message {
        PaxosMsg::PrepareReq(it) => format!("ask to prepare {}", ballot(&it.n)),
        PaxosMsg::Prepare(it) => format!(
            "prepare {}: accepted {} in {}, {} decided",
            ballot(&it.n),
            it.accepted_idx,
            ballot(&it.n_accepted),
            it.decided_idx
        ),
        PaxosMsg::Promise(it) => format!(
            "promise {}: accepted {} in {}, {} decided{}",
            ballot(&it.n),
            it.accepted_idx,
            ballot(&it.n_accepted),
            it.decided_idx,
            it.log_sync.map_or_else(String::new, |sync| format!(", {}", from(sync)))
        ),
        PaxosMsg::AcceptSync(it) => {
            let (n, session, decided) = (ballot(&it.n), it.seq_num.session, it.decided_idx);
            format!("accept {n} #{session}: {}, {decided} decided", from(it.log_sync))
        }
        PaxosMsg::AcceptDecide(it) => {
            let (n, at, decided) = (ballot(&it.n), it.seq_num, it.decided_idx);
            let entries = listed(it.entries);
            format!("accept {n} #{}.{}: {entries}, {decided} decided", at.session, at.counter)
        }
        PaxosMsg::Accepted(it) => format!("accepted {}: {}", ballot(&it.n), it.accepted_idx),
        PaxosMsg::NotAccepted(it) => format!("not accepted, promised {}", ballot(&it.n)),
        PaxosMsg::Decide(it) => {
            let (n, at, decided) = (ballot(&it.n), it.seq_num, it.decided_idx);
            format!("decide {n} #{}.{}: {decided}", at.session, at.counter)
        }
        PaxosMsg::ProposalForward(commands) => format!("propose {}", listed(commands)),
        other => format!("{other:?}"),
    }
}
