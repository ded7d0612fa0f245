//! `automerge`: entries of the root map, replicated by its sync protocol.
//!
//! Actors are the numbers of nodes, and changes have no time. With `RECONNECTS`, a
//! timer takes the connections to have been lost: what the library keeps of a peer
//! goes through `State::encode` and `State::decode`, as its documentation says.

use std::collections::BTreeMap;

use automerge::sync::{Message, State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, AutomergeError, ROOT, ReadDoc};
use quiescence::history::{Call, NodeId, Value};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};

/// A replica of the document.
pub struct Document<const RECONNECTS: bool> {
    document: Automerge,
    peers: BTreeMap<NodeId, State>,
}

impl<const RECONNECTS: bool> Core for Document<RECONNECTS> {
    const TIMER: bool = RECONNECTS;

    fn new(node: NodeId, cluster: &Cluster) -> Self {
        let actor = ActorId::from(&node.0.to_be_bytes());
        let peers = cluster.others(node).map(|peer| (peer, State::new())).collect();
        Document { document: Automerge::new().with_actor(actor), peers }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        let key = call.key.as_str();
        if call.is_read() {
            let held = self.document.get(ROOT, key).expect("the root is a map");
            let value = held.map(|(value, _)| value.as_i64().expect("numbers are written"));
            return Answer::Ok(value.map_or(Value::Null, Value::from));
        }
        let value = crate::number(call);
        let write = self.document.transact::<_, _, AutomergeError>(|it| it.put(ROOT, key, value));
        write.expect("the root is a map");
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, from: NodeId, bytes: &[u8]) {
        let message = Message::decode(bytes).expect("a message was sent");
        let peer = self.peers.get_mut(&from).expect("peers send");
        self.document.receive_sync_message(peer, message).expect("the message can be applied");
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        let mut out = Vec::new();
        for (to, peer) in &mut self.peers {
            while let Some(message) = self.document.generate_sync_message(peer) {
                out.push((*to, message.encode()));
            }
        }
        out
    }

    fn timer(&mut self) {
        for peer in self.peers.values_mut() {
            *peer = State::decode(&peer.encode()).expect("it was encoded just now");
        }
    }

    /// The document with changes that wait for others, and all that is known of
    /// each peer.
    fn digest(&self) -> Vec<u8> {
        let mut digest = self.document.save();
        digest.extend(format!("{:?}", self.peers).bytes());
        digest
    }

    fn show(&self) -> String {
        let keys = self.document.keys(ROOT);
        let shown = keys.map(|key| match self.document.get(ROOT, &key) {
            Ok(Some((value, _))) => format!("{key}={value}"),
            _ => key,
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    fn label(bytes: &[u8]) -> String {
        let message = Message::decode(bytes).expect("a message was sent");
        let Message { heads, need, .. } = &message;
        let short = |hashes: &[automerge::ChangeHash]| {
            let short = hashes.iter().map(|hash| hash.to_string()[..4].to_owned());
            format!("[{}]", short.collect::<Vec<_>>().join(" "))
        };
        let changes = message.changes.len();
        format!("sync heads {} need {} changes {changes}", short(heads), short(need))
    }
}
