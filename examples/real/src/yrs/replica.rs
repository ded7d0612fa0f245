//! A replica of a shared map. A write sends its update to every other node. With
//! `ASKS`, a timer asks the others for what is missing, by the state vector.

use quiescence::history::{Call, NodeId, Value};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};

use super::super::Applied;
use super::library::updates::decoder::Decode;
use super::library::updates::encoder::Encode;
use super::library::{Doc, Map, MapRef, ReadTxn, StateVector, Transact, Update};

/// The first byte of a message: an update follows.
const UPDATE: u8 = 0;
/// The first byte of a message: a state vector follows, to be answered.
const ASK: u8 = 1;

/// A replica of the map.
pub struct Yrs<const ASKS: bool> {
    others: Vec<NodeId>,
    doc: Doc,
    map: MapRef,
    out: Vec<(NodeId, Vec<u8>)>,
}

impl<const ASKS: bool> Yrs<ASKS> {
    fn broadcast(&mut self, kind: u8, bytes: &[u8]) {
        let message = [&[kind], bytes].concat();
        self.out.extend(self.others.iter().map(|to| (*to, message.clone())));
    }
}

impl<const ASKS: bool> Core for Yrs<ASKS> {
    const TIMER: bool = ASKS;

    fn new(node: NodeId, cluster: &Cluster) -> Self {
        let doc = Doc::with_client_id(u64::from(node.0) + 1);
        let map = doc.get_or_insert_map("registers");
        Yrs { others: cluster.others(node).collect(), doc, map, out: Vec::new() }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        let key = call.key.as_str();
        if call.is_read() {
            let held = self.map.get(&self.doc.transact(), key);
            let text = held.map(|held| held.to_string(&self.doc.transact()));
            let value = text.map(|text| text.parse::<i64>().expect("numbers are written"));
            return Answer::Ok(value.map_or(Value::Null, Value::from));
        }
        let update = {
            let mut transaction = self.doc.transact_mut();
            self.map.insert(&mut transaction, key, crate::number(call));
            transaction.encode_update_v1()
        };
        self.broadcast(UPDATE, &update);
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, from: NodeId, bytes: &[u8]) {
        let (kind, bytes) = bytes.split_first().expect("a message has a kind");
        if *kind == UPDATE {
            let update = Update::decode_v1(bytes).expect("an update was sent");
            self.doc.transact_mut().apply_update(update).expect_applied();
        } else {
            let theirs = StateVector::decode_v1(bytes).expect("a state vector was sent");
            let missing = self.doc.transact().encode_state_as_update_v1(&theirs);
            self.out.push((from, [&[UPDATE], &*missing].concat()));
        }
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    fn timer(&mut self) {
        let mine = self.doc.transact().state_vector().encode_v1();
        self.broadcast(ASK, &mine);
    }

    /// The document, and what waits for updates that have not arrived.
    fn digest(&self) -> Vec<u8> {
        let transaction = self.doc.transact();
        let mut digest = transaction.encode_diff_v1(&StateVector::default());
        let store = transaction.store();
        if let Some(pending) = store.pending_update() {
            let mut missing: Vec<_> = pending.missing.iter().collect();
            missing.sort();
            digest.extend(format!("{:?} {missing:?}", pending.update).bytes());
        }
        digest.extend(format!("{:?}", store.pending_ds()).bytes());
        digest
    }

    fn show(&self) -> String {
        let transaction = self.doc.transact();
        let entries = self.map.iter(&transaction);
        let mut entries: Vec<_> = entries
            .map(|(key, value)| format!("{key}={}", value.to_string(&transaction)))
            .collect();
        entries.sort();
        let waits = transaction.store().pending_update().is_some();
        entries.extend(waits.then(|| "and updates that wait".to_owned()));
        entries.join(" ")
    }

    fn label(bytes: &[u8]) -> String {
        let (kind, bytes) = bytes.split_first().expect("a message has a kind");
        if *kind == UPDATE {
            let update = Update::decode_v1(bytes).expect("an update was sent");
            format!("update {}", short(&format!("{update:?}")))
        } else {
            let theirs = StateVector::decode_v1(bytes).expect("a state vector was sent");
            let mut theirs: Vec<_> = theirs.iter().collect();
            theirs.sort();
            format!("ask after {theirs:?}")
        }
    }
}

/// What the library prints of an update, without the names of its types.
fn short(update: &str) -> String {
    let names = ["{", "}", "blocks: BlockSet", "blocks: UpdateBlocks", "clients:", "ClientID"];
    let names = names.into_iter().chain([", len: 1", "parent: registers, ", ", ()"]);
    let short = names.fold(update.to_owned(), |text, name| text.replace(name, ""));
    short.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",")
}
