//! Raft: a log of calls that a majority agrees on, kept by a leader that a majority elected.
//!
//! The leader puts calls into its log and sends them to the followers. An entry is
//! *committed* when a majority has it; then the leader applies and answers it. A candidate
//! for a new *term* asks for votes. A node votes once in a term, and only for a candidate
//! whose log is at least as up to date as its own, so whoever is elected has all that is
//! committed. A follower takes entries only if its log agrees with the leader's up to
//! there, and gives up what disagrees with them. A leader counts only entries of its own
//! term; those before them are committed along with them.
//!
//! Reads go through the log like writes (`reads=log`), or the leader asks a majority
//! whether it is still the leader and answers from what it has applied (`read-index`), or
//! it answers at once (`local`), which a leader that was deposed must not do. With a *lease*
//! it may: nodes do not vote while they hear from a leader. But whom a leader told to campaign
//! gets votes in spite of that, so a leader that has begun to hand over asks a majority.
//! Unless the leader knows what was committed before its term, reads go through the log.
//!
//! With `hand-over=aborts` an operator tells a leader to hand over, and not a node to
//! campaign. The leader refuses requests from then on; when the next node has all that the
//! leader has, it is told to campaign. If the leader still leads when its timer fires, it
//! gives the hand-over up. With `hand-over=sticky` it never does.
//!
//! Term, vote and log are on disk before a message is sent. What is applied is not: after a
//! crash the log is applied anew.
//!
//! Source: Ongaro & Ousterhout 2014; reads: section 8 there and chapter 6 of Ongaro 2014;
//! handing over: section 3.10 of it.
//! Deviations, so that scopes stay finite: `n1` leads term 1 from the beginning; a node
//! campaigns if an operator tells it to, if a node comes back that had voted for itself (the
//! next one campaigns, or that node), and if it is asked for its vote by a candidate whose
//! log is behind its own, or by a later node while it is a candidate of the same term. There
//! are no heartbeats, and a term begins without an empty entry: a leader shows when it sends
//! entries, and followers learn what is committed when they lead. Leases are renewed in time,
//! always; the strategy `lease` shows what clocks do to them. Nodes do not change, logs are
//! not compacted, and nothing is sent again.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, Invariant, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// A replicated log with elections.
#[derive(Clone, Copy, Debug)]
pub struct Raft {
    /// What the log changes.
    pub object: Object,
    /// How reads are answered.
    pub reads: Reads,
    /// What a crash leaves of a vote.
    pub votes: Votes,
    /// Which candidates get votes.
    pub voters: Voters,
    /// What a follower does about entries of its own that the leader does not have.
    pub conflicts: Conflicts,
    /// What a node that comes back does about what it had applied.
    pub restart: Restart,
    /// Who campaigns when a node comes back that had voted for itself.
    pub returns: Returns,
    /// How long a leader that hands over refuses.
    pub hand_over: HandOver,
}

/// What the log changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// Registers.
    Register,
    /// Counters.
    Counter,
}

/// How reads are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// By an entry of the log.
    Log,
    /// By the leader, after a majority has confirmed that it leads.
    ReadIndex,
    /// By the leader, with a lease until it hands over; only for `HandOver::Aborts`.
    Lease,
    /// Bug: by the leader, with a lease that it trusts again when it gives handing over up.
    Resumed,
    /// Bug: by the leader, or who takes itself for it.
    Local,
}

/// What a crash leaves of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Votes {
    /// All of it.
    Durable,
    /// Bug: nothing, unless it was for the node itself, which has to campaign again.
    Volatile,
}

/// Which candidates get votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voters {
    /// Those whose log is at least as up to date as the voter's.
    Compare,
    /// Bug: whoever asks first.
    Trust,
}

/// What a follower does about entries of its own that the leader does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflicts {
    /// It refuses entries until both logs agree before them, and gives up what disagrees.
    Resolved,
    /// Bug: it does not look, and adds what is sent.
    Unseen,
}

/// What a node that comes back does about what it had applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It applies its log anew.
    Replays,
    /// Bug: it remembers how far it was, but not what that had led to.
    Skips,
    /// Bug: it remembers what that had led to, but not how far it was.
    Repeats,
}

/// Who campaigns when a node comes back that had voted for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// The next node.
    Next,
    /// That node.
    Itself,
}

/// How long a leader that hands over refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Leaders do not hand over.
    Never,
    /// Until another node leads, or a timer fires.
    Aborts,
    /// Bug: until another node leads.
    Sticky,
}

const PATIENCE: TimerId = TimerId(0);

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    term: u32,
    operation: OperationId,
    call: Call,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    term: u32,
    vote: Option<NodeId>,
    log: Vec<Entry>,
    role: Role,
    /// How many entries are applied; they are committed.
    applied: usize,
    objects: BTreeMap<Key, Value>,
    /// The term in which it began to hand over.
    handing: Option<u32>,
}

/// What a node is in its term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Follower,
    /// With the others who vote for it.
    Candidate(Vec<NodeId>),
    Leader(Leader),
}

/// What a leader knows of each node, and of its reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Leader {
    /// How many entries are not sent, because the node should have them.
    next: Vec<usize>,
    /// How many entries the node is known to have.
    matched: Vec<usize>,
    /// Reads, and the others who have confirmed since that this node leads.
    reads: BTreeMap<OperationId, (Key, Vec<NodeId>)>,
    /// Whether it has told another node to campaign, which may do so at any time.
    suspect: bool,
}

/// What nodes say to each other, each with a term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Asks for a vote; with the term of the last entry, and the number of entries.
    Campaign(u32, (u32, usize)),
    /// A vote.
    Vote(u32),
    /// Entries that follow this many, the last of which has this term.
    Append(u32, (usize, u32), Vec<Entry>),
    /// The sender's log agrees with the leader's in this many entries.
    Agrees(u32, usize),
    /// The sender's log differs from the leader's before this many entries.
    Differs(u32, usize),
    /// Asks whether the sender leads, for the sake of a read.
    Ask(u32, OperationId),
    /// Yes, it does.
    Confirm(u32, OperationId),
    /// There is a higher term.
    Term(u32),
    /// Nobody leads any more: the receiver shall campaign.
    TimeOut(u32),
}

impl Message {
    fn term(&self) -> u32 {
        match self {
            Message::Campaign(term, _)
            | Message::Vote(term)
            | Message::Append(term, ..)
            | Message::Agrees(term, _)
            | Message::Differs(term, _)
            | Message::Ask(term, _)
            | Message::Confirm(term, _)
            | Message::Term(term)
            | Message::TimeOut(term) => *term,
        }
    }

    /// Whether it waits for an answer.
    fn asks(&self) -> bool {
        matches!(self, Message::Campaign(..) | Message::Append(..) | Message::Ask(..))
    }
}

impl Replica {
    fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.others(self.me)
    }

    /// The term of the last of the first `count` entries.
    fn term_of(&self, count: usize) -> u32 {
        count.checked_sub(1).and_then(|at| self.log.get(at)).map_or(0, |entry| entry.term)
    }

    fn next(&self) -> NodeId {
        let next = (self.me.index() + 1) % self.cluster.size();
        self.cluster.nodes().nth(next).expect("it is a node")
    }

    /// How up to date its log is.
    fn last(&self) -> (u32, usize) {
        (self.term_of(self.log.len()), self.log.len())
    }

    /// What it has applied, unless its log does not have that any more.
    fn committed(&self) -> Option<&[Entry]> {
        self.log.get(..self.applied)
    }

    /// Whether an answer of the present term comes too late. A node leads and is a candidate
    /// at most once in a term.
    fn is_past(&self, message: &Message) -> bool {
        match (message, &self.role) {
            (Message::Term(_), _) => true,
            (Message::Vote(_), role) => !matches!(role, Role::Candidate(_)),
            (Message::Confirm(_, operation), Role::Leader(leader)) => {
                !leader.reads.contains_key(operation)
            }
            (Message::Agrees(..) | Message::Differs(..) | Message::Confirm(..), role) => {
                !matches!(role, Role::Leader(_))
            }
            _ => false,
        }
    }

    fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Sends a node what it lacks as far as the leader knows.
    fn send(&self, to: NodeId, effects: &mut Effects<Raft>) {
        let Role::Leader(Leader { next, .. }) = &self.role else { return };
        let after = next[to.index()];
        let entries = self.log[after..].to_vec();
        effects.send(to, Message::Append(self.term, (after, self.term_of(after)), entries));
    }

    /// Follows whoever leads a higher term. Clients who wait here learn no outcome.
    fn follow(&mut self, term: u32, effects: &mut Effects<Raft>) {
        if let Role::Leader(Leader { reads, .. }) = &self.role {
            for read in reads.keys() {
                effects.reply(*read, Completion::Fail);
            }
            for entry in self.log.iter().skip(self.applied).filter(|it| it.term == self.term) {
                let is_read = entry.call.is_read();
                let unknown = if is_read { Completion::Fail } else { Completion::Info };
                effects.reply(entry.operation, unknown);
            }
        }
        (self.term, self.vote, self.role) = (term, None, Role::Follower);
    }
}

impl Raft {
    fn campaign(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        replica.follow(replica.term + 1, effects);
        replica.vote = Some(replica.me);
        replica.role = Role::Candidate(Vec::new());
        effects.broadcast(replica.others(), &Message::Campaign(replica.term, replica.last()));
        Self::count(replica);
    }

    /// Leads if a majority has voted for this node.
    fn count(replica: &mut Replica) {
        let Role::Candidate(votes) = &replica.role else { return };
        if votes.len() + 1 < replica.cluster.majority() {
            return;
        }
        let nodes = replica.cluster.size();
        let (next, matched) = (vec![replica.log.len(); nodes], vec![0; nodes]);
        replica.role = Role::Leader(Leader { next, matched, ..Leader::default() });
    }

    fn request(
        self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        effects: &mut Effects<Self>,
    ) {
        let term = replica.term;
        let known = replica.log.iter().any(|entry| entry.operation == operation);
        // A leader learns what was committed before its term from an entry of its own.
        let knows = replica.log.iter().skip(replica.applied).all(|entry| entry.term == term);
        let others = replica.others();
        let hands_over = replica.handing == Some(term);
        match &mut replica.role {
            Role::Leader(_) if hands_over => {
                effects.reply(operation, Completion::Fail);
            }
            Role::Leader(leader) if call.is_read() && self.reads != Reads::Log && knows => {
                leader.reads.insert(operation, (call.key, Vec::new()));
                if !self.at_once(leader) {
                    effects.broadcast(others, &Message::Ask(term, operation));
                }
                self.answer(replica, operation, effects);
            }
            Role::Leader(_) if !known => {
                replica.log.push(Entry { term, operation, call });
                others.for_each(|to| replica.send(to, effects));
                self.commit(replica, effects);
            }
            Role::Leader(_) => {}
            Role::Follower | Role::Candidate(_) => {
                effects.reply(operation, Completion::Fail);
            }
        }
    }

    /// Whether a leader answers reads without asking others.
    fn at_once(self, leader: &Leader) -> bool {
        match self.reads {
            Reads::Log | Reads::ReadIndex => false,
            Reads::Lease => !leader.suspect,
            Reads::Resumed | Reads::Local => true,
        }
    }

    /// Answers a read if enough have confirmed.
    fn answer(self, replica: &mut Replica, operation: OperationId, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut replica.role else { return };
        let Some((key, confirmed)) = leader.reads.get(&operation) else { return };
        if self.at_once(leader) || confirmed.len() + 1 >= replica.cluster.majority() {
            let value = self.read(&replica.objects, key);
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            leader.reads.remove(&operation);
        }
    }

    fn receive(
        self,
        replica: &mut Replica,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Self>,
    ) {
        if message.term() < replica.term {
            if message.asks() {
                effects.send(from, Message::Term(replica.term));
            }
            return;
        }
        if message.term() > replica.term {
            replica.follow(message.term(), effects);
        }
        let (me, term) = (from.index(), replica.term);
        match (message, &mut replica.role) {
            (Message::Campaign(_, last), _) => {
                let may = last >= replica.last() || self.voters == Voters::Trust;
                match replica.vote {
                    None if !may => self.campaign(replica, effects),
                    // Both candidates may have half of the votes.
                    Some(other) if other == replica.me && other < from && !replica.leads() => {
                        self.campaign(replica, effects);
                    }
                    Some(other) if other != from => {}
                    _ => {
                        replica.vote = Some(from);
                        effects.send(from, Message::Vote(term));
                    }
                }
            }
            (Message::Vote(_), Role::Candidate(votes)) if !votes.contains(&from) => {
                votes.push(from);
                votes.sort_unstable();
                Self::count(replica);
            }
            (Message::Append(_, (after, last), entries), _) => {
                replica.role = Role::Follower;
                let agrees = after <= replica.log.len() && replica.term_of(after) == last;
                if !agrees && self.conflicts != Conflicts::Unseen {
                    effects.send(from, Message::Differs(term, after));
                } else {
                    let agreed = after + entries.len();
                    Self::store(&mut replica.log, after, entries);
                    effects.send(from, Message::Agrees(term, agreed));
                }
            }
            (Message::Agrees(_, count), Role::Leader(leader)) => {
                leader.matched[me] = leader.matched[me].max(count);
                leader.next[me] = leader.next[me].max(count);
                self.commit(replica, effects);
                Self::hand_over(replica, effects);
            }
            (Message::Differs(_, count), Role::Leader(leader)) if leader.next[me] == count => {
                leader.next[me] = count.saturating_sub(1);
                replica.send(from, effects);
            }
            (Message::Ask(_, operation), _) => {
                effects.send(from, Message::Confirm(term, operation));
            }
            (Message::Confirm(_, operation), Role::Leader(leader)) => {
                if let Some((_, confirmed)) = leader.reads.get_mut(&operation)
                    && !confirmed.contains(&from)
                {
                    confirmed.push(from);
                }
                self.answer(replica, operation, effects);
            }
            (Message::TimeOut(_), Role::Follower | Role::Candidate(_)) => {
                self.campaign(replica, effects);
            }
            _ => {}
        }
    }

    /// Tells the next node to campaign, if it is time to and it has all entries.
    fn hand_over(replica: &mut Replica, effects: &mut Effects<Self>) {
        let (next, Role::Leader(leader)) = (replica.next(), &mut replica.role) else { return };
        let level = leader.matched[next.index()] == replica.log.len();
        if level && replica.handing == Some(replica.term) {
            leader.suspect = true;
            effects.send(next, Message::TimeOut(replica.term));
        }
    }

    /// Takes over entries that follow the first `after`.
    fn store(log: &mut Vec<Entry>, after: usize, entries: Vec<Entry>) {
        for (at, entry) in (after..).zip(entries) {
            match log.get(at) {
                Some(held) if held.term == entry.term => {}
                _ => {
                    log.truncate(at);
                    log.push(entry);
                }
            }
        }
    }

    /// Applies what a majority has.
    fn commit(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let Role::Leader(Leader { matched, .. }) = &replica.role else { return };
        let mut counts: Vec<usize> = matched.clone();
        counts[replica.me.index()] = replica.log.len();
        counts.sort_unstable();
        let by_majority = counts[counts.len() - replica.cluster.majority()];
        let may = replica.term_of(by_majority) == replica.term;
        while may && replica.applied < by_majority {
            let Entry { term, operation, call } = replica.log[replica.applied].clone();
            replica.applied += 1;
            let held = self.read(&replica.objects, &call.key);
            let answer = if call.is_read() { held } else { Value::Null };
            if !call.is_read() {
                self.change(&mut replica.objects, &call);
                effects.visible(operation, Stamp { counter: replica.applied as u64, tie: 0 });
            }
            if term == replica.term {
                effects.reply(operation, Completion::Ok(answer)).seeing(Visible::Here);
            }
        }
    }

    fn read(self, objects: &BTreeMap<Key, Value>, key: &Key) -> Value {
        let initial = match self.object {
            Object::Register => Value::Null,
            Object::Counter => Value::Int(0),
        };
        objects.get(key).cloned().unwrap_or(initial)
    }

    fn change(self, objects: &mut BTreeMap<Key, Value>, call: &Call) {
        let changed = match (self.object, self.read(objects, &call.key), &call.argument) {
            (Object::Counter, Value::Int(sum), Value::Int(by)) => sum.saturating_add(*by).into(),
            (_, _, written) => written.clone(),
        };
        objects.insert(call.key.clone(), changed);
    }
}

impl Strategy for Raft {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        let none = vec![0; cluster.size()];
        let leader = Leader { next: none.clone(), matched: none, ..Leader::default() };
        Replica {
            me: node,
            cluster: *cluster,
            term: 1,
            vote: Some(NodeId(0)),
            log: Vec::new(),
            role: if node == NodeId(0) { Role::Leader(leader) } else { Role::Follower },
            applied: 0,
            objects: BTreeMap::new(),
            handing: None,
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                self.request(replica, (operation, call), effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Command(_) if self.hand_over == HandOver::Never && !replica.leads() => {
                self.campaign(replica, effects);
            }
            Input::Command(_) if self.hand_over != HandOver::Never && replica.leads() => {
                replica.handing = Some(replica.term);
                replica.send(replica.next(), effects);
                Self::hand_over(replica, effects);
                if self.hand_over == HandOver::Aborts {
                    effects.arm(PATIENCE);
                }
            }
            Input::Timer(_) => replica.handing = None,
            Input::Recovered if replica.vote == Some(replica.me) => match self.returns {
                Returns::Itself => self.campaign(replica, effects),
                Returns::Next => {
                    effects.send(replica.next(), Message::TimeOut(replica.term));
                }
            },
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        let mut left = Replica { role: Role::Follower, handing: None, ..replica.clone() };
        if self.votes == Votes::Volatile && left.vote != Some(left.me) {
            left.vote = None;
        }
        if self.restart != Restart::Skips {
            left.applied = 0;
        }
        if self.restart != Restart::Repeats {
            left.objects.clear();
        }
        left
    }

    fn ignores(&self, replica: &Replica, _: NodeId, message: &Message) -> Option<bool> {
        // What asks may be answered that there is a higher term, and that is news for ever.
        if message.asks() || message.term() > replica.term {
            return Some(false);
        }
        Some(message.term() < replica.term || replica.is_past(message))
    }

    fn datatype(&self) -> &'static str {
        match self.object {
            Object::Register => "register",
            Object::Counter => "counter",
        }
    }

    fn serves(&self, call: &Call, _: NodeId, _: &Cluster) -> bool {
        self.object == Object::Counter || call.is_read() || call.is_write()
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        let told = if self.hand_over == HandOver::Never { "campaign" } else { "hand over" };
        vec![told.to_owned()]
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        vec![
            Invariant::always("one-leader", one_leader),
            Invariant::always("logs-match", logs_match),
            Invariant::always("leader-complete", leader_complete),
            Invariant::always("on-a-majority", on_a_majority),
        ]
    }

    fn label(&self, message: &Message) -> String {
        let term = message.term();
        match message {
            Message::Campaign(_, (last, count)) => {
                format!("campaign for term {term} with {count} up to term {last}")
            }
            Message::Vote(_) => format!("vote in term {term}"),
            Message::Append(_, (after, _), entries) => {
                let told: Vec<_> = entries.iter().map(Entry::told).collect();
                format!("append {} after {after} in term {term}", told.join(", "))
            }
            Message::Agrees(_, count) => format!("agrees in {count} in term {term}"),
            Message::Differs(_, count) => format!("differs before {count} in term {term}"),
            Message::Ask(..) => format!("ask who leads term {term}"),
            Message::Confirm(..) => format!("confirm term {term}"),
            Message::Term(_) => format!("it is term {term}"),
            Message::TimeOut(_) => format!("nobody leads term {term}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let role = match replica.role {
            Role::Follower => "follower",
            Role::Candidate(_) => "candidate",
            Role::Leader(_) => "leader",
        };
        let log: Vec<_> = replica.log.iter().map(Entry::told).collect();
        let vote = replica.vote.map_or("nobody".to_owned(), |node| node.to_string());
        let mut parts = vec![
            Part::Field("role".to_owned(), format!("{role} in term {}", replica.term)),
            Part::Field("vote".to_owned(), vote),
            Part::Field("log".to_owned(), format!("[{}]", log.join(", "))),
            Part::Field("applied".to_owned(), replica.applied.to_string()),
        ];
        let handing = replica.handing.map(|term| format!("since term {term}"));
        parts.extend(handing.map(|since| Part::Field("hands over".to_owned(), since)));
        parts.extend(replica.objects.iter().map(|(key, v)| Part::Key(key.clone(), shown(v))));
        Some(parts)
    }
}

impl Entry {
    fn told(&self) -> String {
        format!("{} of term {}", self.call, self.term)
    }
}

/// Election safety: no two nodes lead in one term.
fn one_leader(all: &[&Replica]) -> bool {
    let leaders = || all.iter().filter(|it| it.leads());
    leaders().all(|one| leaders().filter(|it| it.term == one.term).count() == 1)
}

/// Log matching: where two logs have an entry of one term in one place, they are equal up
/// to there.
fn logs_match(all: &[&Replica]) -> bool {
    let pair = |one: &Replica, other: &Replica| {
        let both = one.log.iter().zip(&other.log);
        let last = both.clone().rposition(|(a, b)| a.term == b.term);
        last.is_none_or(|last| both.take(last + 1).all(|(a, b)| a == b))
    };
    all.iter().all(|one| all.iter().all(|other| pair(one, other)))
}

/// Leader completeness: a leader has all that was committed in earlier terms.
fn leader_complete(all: &[&Replica]) -> bool {
    all.iter().filter(|leader| leader.leads()).all(|leader| {
        let earlier = all.iter().filter(|it| it.term <= leader.term);
        earlier
            .into_iter()
            .all(|it| it.committed().is_some_and(|entries| leader.log.starts_with(entries)))
    })
}

/// What is committed is in the logs of a majority.
fn on_a_majority(all: &[&Replica]) -> bool {
    all.iter().all(|one| {
        let has =
            |it: &&&Replica| one.committed().is_some_and(|entries| it.log.starts_with(entries));
        all.iter().filter(has).count() >= one.cluster.majority()
    })
}
