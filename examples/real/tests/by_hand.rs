//! Three of the findings without quiescence: calls of the library, one after the other.

use automerge::sync::{Message, State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, AutomergeError, ROOT, ReadDoc};
use omnipaxos::messages::Message as Sent;
use omnipaxos::storage::{Entry, NoSnapshot};
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, OmniPaxosConfig, ServerConfig};
use omnipaxos_storage::memory_storage::MemoryStorage;
use serde::{Deserialize, Serialize};
use yrs::updates::decoder::Decode;
use yrs::{Doc, Map, MapRef, ReadTxn, Transact, Update};

fn write(doc: &Doc, map: &MapRef, value: i64) -> Vec<u8> {
    let mut transaction = doc.transact_mut();
    map.insert(&mut transaction, "x", value);
    transaction.encode_update_v1()
}

fn apply(doc: &Doc, update: &[u8]) {
    let update = Update::decode_v1(update).expect("an update was sent");
    doc.transact_mut().apply_update(update).expect("it can be applied");
}

fn holds(doc: &Doc, map: &MapRef) -> Option<String> {
    let transaction = doc.transact();
    map.get(&transaction, "x").map(|value| value.to_string(&transaction))
}

#[test]
fn yrs_0_28_does_not_integrate_updates_that_arrive_second_third_first() {
    let docs: Vec<_> = (1..=3).map(Doc::with_client_id).collect();
    let maps: Vec<_> = docs.iter().map(|doc| doc.get_or_insert_map("registers")).collect();
    let first = write(&docs[0], &maps[0], 1);
    apply(&docs[1], &first);
    let second = write(&docs[1], &maps[1], 2);
    apply(&docs[0], &second);
    let third = write(&docs[0], &maps[0], 3);
    apply(&docs[1], &third);
    for update in [second, third, first] {
        apply(&docs[2], &update);
    }
    let held: Vec<_> = docs.iter().zip(&maps).map(|(doc, map)| holds(doc, map)).collect();
    assert_eq!(held, [Some("3".to_owned()), Some("3".to_owned()), None]);
    // Asking by state vector mends it.
    let theirs = docs[2].transact().state_vector();
    let missing = docs[0].transact().encode_state_as_update_v1(&theirs);
    apply(&docs[2], &missing);
    assert_eq!(holds(&docs[2], &maps[2]).as_deref(), Some("3"));
}

/// A document with what it knows of its peer.
struct Peer(Automerge, State);

impl Peer {
    fn new(actor: u8) -> Self {
        Peer(Automerge::new().with_actor(ActorId::from([actor])), State::new())
    }

    fn send(&mut self) -> Option<Message> {
        self.0.generate_sync_message(&mut self.1)
    }

    fn receive(&mut self, message: Message) {
        self.0.receive_sync_message(&mut self.1, message).expect("it can be applied");
    }

    fn write(&mut self, value: i64) {
        let write = self.0.transact::<_, _, AutomergeError>(|it| it.put(ROOT, "x", value));
        write.expect("the root is a map");
    }

    fn connect_again(&mut self) {
        self.1 = State::decode(&self.1.encode()).expect("it was encoded just now");
    }
}

/// How many messages two peers exchange until neither has anything to say, if that
/// is fewer than 1,000.
fn exchange(one: &mut Peer, other: &mut Peer) -> Option<usize> {
    let mut count = 0;
    while count < 1_000 {
        let (to_other, to_one) = (one.send(), other.send());
        if to_other.is_none() && to_one.is_none() {
            return Some(count);
        }
        count += usize::from(to_other.is_some()) + usize::from(to_one.is_some());
        to_other.into_iter().for_each(|message| other.receive(message));
        to_one.into_iter().for_each(|message| one.receive(message));
    }
    None
}

#[test]
fn automerge_talks_for_ever_after_a_loss_until_both_connect_again() {
    let (mut one, mut other) = (Peer::new(1), Peer::new(2));
    let (hello, answer) = (one.send().expect("hello"), other.send().expect("hello"));
    other.receive(hello);
    other.write(1);
    other.send().expect("the change of 1, which is lost");
    one.receive(answer);
    one.write(2);
    assert_eq!(exchange(&mut one, &mut other), None, "it goes on");
    one.connect_again();
    other.connect_again();
    let count = exchange(&mut one, &mut other);
    assert!(count.is_some_and(|count| count < 10), "{count:?} messages after connecting again");
    let values: Vec<_> = [&one, &other].map(|peer| peer.0.get(ROOT, "x").expect("a map")).into();
    assert!(values[0].is_some());
    let held = values.iter().map(|value| value.as_ref().map(|(value, _)| value.to_string()));
    let held: Vec<_> = held.collect();
    assert_eq!(held[0], held[1]);
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Word(u8);

impl Entry for Word {
    type Snapshot = NoSnapshot;
}

/// A server of the log.
struct Server(OmniPaxos<Word, MemoryStorage<Word>>);

impl Server {
    fn new(pid: u64) -> Self {
        let (configuration_id, nodes, flexible_quorum) = (1, vec![1, 2, 3], None);
        let cluster_config = ClusterConfig { configuration_id, nodes, flexible_quorum };
        let server_config =
            ServerConfig { pid, resend_message_tick_timeout: 2, ..ServerConfig::default() };
        let config = OmniPaxosConfig { cluster_config, server_config };
        Server(config.build(MemoryStorage::default()).expect("the configuration is valid"))
    }

    /// What it sends about the log to another one. The rest stays on its way.
    fn says(&mut self, to: u64) -> Sent<Word> {
        let mut all = Vec::new();
        self.0.take_outgoing_messages(&mut all);
        let about_log = |it: &Sent<Word>| matches!(it, Sent::SequencePaxos(_));
        let mut to_it = all.into_iter().filter(|it| about_log(it) && it.get_receiver() == to);
        to_it.next().expect("it has something to say")
    }

    fn hears(&mut self, message: Sent<Word>) {
        self.0.handle_incoming(message);
    }

    fn append(&mut self, word: u8) {
        self.0.append(Word(word)).expect("nobody changes the configuration");
    }

    fn decided(&self) -> Vec<LogEntry<Word>> {
        self.0.read_decided_suffix(0).unwrap_or_default()
    }
}

#[test]
fn omnipaxos_decides_differently_if_an_overtaken_synchronisation_arrives_late() {
    let [mut one, mut two, mut three] = [1, 2, 3].map(Server::new);
    three.0.tick();
    one.hears(three.says(1));
    let promise = one.says(3);
    one.0.tick();
    one.0.tick();
    let promise_again = one.says(3);
    three.hears(promise);
    let late = three.says(1);
    three.append(1);
    three.says(1);
    three.hears(promise_again);
    // The second synchronisation overtakes the first.
    one.hears(three.says(1));
    three.hears(one.says(3));
    assert_eq!(three.decided(), [LogEntry::Decided(Word(1))]);
    // So does an entry the message before it, and one prepares again.
    three.says(1);
    three.append(2);
    one.hears(three.says(1));
    three.hears(one.says(3));
    one.hears(three.says(1));
    one.says(3);
    assert_eq!(one.0.read_entries(0..), Some(vec![LogEntry::Undecided(Word(1))]));
    one.hears(late);
    one.says(3);
    assert_eq!(one.0.read_entries(0..), None);
    // A leader that never had the entry is elected by a server that had it.
    two.0.try_become_leader();
    two.says(1);
    two.0.try_become_leader();
    one.hears(two.says(1));
    two.hears(one.says(2));
    one.hears(two.says(1));
    two.hears(one.says(2));
    two.append(9);
    one.hears(two.says(1));
    two.hears(one.says(2));
    assert_eq!(two.decided(), [LogEntry::Decided(Word(9))]);
    assert_eq!(three.decided(), [LogEntry::Decided(Word(1))]);
}
