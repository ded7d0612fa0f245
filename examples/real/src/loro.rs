//! `loro`: entries of a map, each write followed by the updates since the last ones
//! that were sent.
//!
//! The library does not show updates that wait for others. So the digest is made of
//! all inputs in order, as bytes: different states never have the same digest, but
//! equal states may have different ones.

use loro::{ExportMode, LoroDoc, LoroMap, LoroValue, VersionVector};
use quiescence::history::{Call, NodeId, Value};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};

/// A replica of the document.
pub struct Loro {
    others: Vec<NodeId>,
    document: LoroDoc,
    /// What was sent so far.
    sent: VersionVector,
    /// Updates that were made or received, in order.
    inputs: Vec<Vec<u8>>,
    out: Vec<(NodeId, Vec<u8>)>,
}

impl Loro {
    fn map(&self) -> LoroMap {
        self.document.get_map("registers")
    }
}

impl Core for Loro {
    fn new(node: NodeId, cluster: &Cluster) -> Self {
        let document = LoroDoc::new();
        document.set_peer_id(u64::from(node.0) + 1).expect("nothing was written");
        let (others, sent) = (cluster.others(node).collect(), document.oplog_vv());
        Loro { others, document, sent, inputs: Vec::new(), out: Vec::new() }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        let key = call.key.as_str();
        if call.is_read() {
            let held = self.map().get(key).and_then(|held| held.into_value().ok());
            return Answer::Ok(match held {
                None => Value::Null,
                Some(LoroValue::I64(value)) => value.into(),
                Some(other) => panic!("{other:?} was not written"),
            });
        }
        self.map().insert(key, crate::number(call)).expect("it is a map");
        self.document.commit();
        let update = self.document.export(ExportMode::updates(&self.sent));
        let update = update.expect("updates can be written");
        self.sent = self.document.oplog_vv();
        self.out.extend(self.others.iter().map(|to| (*to, update.clone())));
        self.inputs.push(update);
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        self.document.import(bytes).expect("an update was sent");
        self.inputs.push(bytes.to_vec());
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    fn digest(&self) -> Vec<u8> {
        format!("{:02x?}", self.inputs).into_bytes()
    }

    fn show(&self) -> String {
        let mut held = Vec::new();
        self.map().for_each(|key, value| {
            held.push(format!("{key}={}", value.into_value().map_or_else(|_| "?".into(), told)));
        });
        held.sort_unstable();
        held.join(" ")
    }

    fn label(bytes: &[u8]) -> String {
        let meta = LoroDoc::decode_import_blob_meta(bytes, true).expect("an update was sent");
        let counts = |version: &VersionVector| {
            // There is no iterator but that of a hash table.
            let count = |peer| version.get(&peer).map(|count| format!("{peer}.{count}"));
            let counts: Vec<_> = (1..=16).filter_map(count).collect();
            format!("[{}]", counts.join(" "))
        };
        let (from, to) = (counts(&meta.partial_start_vv), counts(&meta.partial_end_vv));
        format!("updates {from} to {to}")
    }
}

fn told(value: LoroValue) -> String {
    match value {
        LoroValue::I64(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}
