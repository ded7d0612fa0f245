//! A counter of likes: the operations of a PNCounter of `crdts`, each sent once.

use crdts::{CmRDT, PNCounter};
use quiescence::prelude::*;
use quiescence::replication::foreign::{Answer, Core, Foreign};

/// What one node holds.
pub struct Likes {
    me: u16,
    others: Vec<NodeId>,
    held: PNCounter<u16>,
    out: Vec<(NodeId, Vec<u8>)>,
}

impl Core for Likes {
    fn datatype() -> &'static str {
        "counter"
    }

    fn new(node: NodeId, cluster: &Cluster) -> Self {
        let others = cluster.others(node).collect();
        Likes { me: node.0, others, held: PNCounter::new(), out: Vec::new() }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        if call.is_read() {
            return Answer::Ok(Value::Int(self.held.read().try_into().expect("it is small")));
        }
        let Value::Int(amount) = call.argument else { return Answer::Failed };
        let operation = match amount < 0 {
            true => self.held.dec_many(self.me, amount.unsigned_abs()),
            false => self.held.inc_many(self.me, amount.unsigned_abs()),
        };
        let bytes = postcard::to_stdvec(&operation).expect("it can be written");
        self.out.extend(self.others.iter().map(|to| (*to, bytes.clone())));
        self.held.apply(operation);
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        self.held.apply(postcard::from_bytes(bytes).expect("a node has written it"));
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }
    fn digest(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.held).expect("it can be written")
    }
    fn show(&self) -> String {
        self.held.read().to_string()
    }
}

/// The library, with what it promises.
pub fn registry() -> Registry {
    let setting = Setting::calm(3, Network::Unordered);
    let likes = Variants::of(Foreign::<Likes>::new());
    Registry::empty().with(
        Family::new("likes", "operations of a PNCounter", &setting, likes).keeps(
            "",
            &setting,
            [Model::EVENTUAL],
        ),
    )
}
