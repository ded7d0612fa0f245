//! What every node has around its library: the registers above the log, the clock, and
//! what is to be sent.

use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::replication::{Cluster, OperationId};

use super::node;
use super::pace::Pace;
use super::register::{Command, Registers};

/// Where clients ask, and where messages of the library leave and arrive.
pub struct Desk {
    /// The registers, as of the applied part of the log.
    pub registers: Registers,
    /// The clock.
    pub pace: Pace,
    out: Vec<(NodeId, Vec<u8>)>,
}

impl Desk {
    /// A desk whose clock stops after so many ticks without a new request.
    pub fn new(me: NodeId, cluster: &Cluster, ticks: u8) -> Desk {
        let pace = Pace::new(me, cluster, ticks);
        Desk { registers: Registers::default(), pace, out: Vec::new() }
    }

    /// What the applied part of the log answers to a read, without asking anybody.
    pub fn local(&self, read: &Call) -> Value {
        self.registers.value(read.key.as_str())
    }

    /// The command of a call that was taken here, and is answered once it is applied.
    pub fn take(&mut self, operation: OperationId, call: &Call) -> Command {
        self.pace.asked();
        self.registers.wait(operation);
        Command::of(operation, call)
    }

    /// Counts the answers that are to be given. Messages that are sent afterwards tell
    /// of them.
    pub fn count_answers(&mut self) {
        self.pace.answered(self.registers.answers());
    }

    /// Sends a message of the library to the node that it calls by this number.
    pub fn send(&mut self, to: u64, message: &[u8]) {
        self.out.push((node(to), self.pace.wrapped(message)));
    }

    /// The messages since it was last asked.
    pub fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    /// The answers since it was last asked.
    pub fn finished(&mut self) -> Vec<(OperationId, Completion)> {
        self.registers.finished()
    }
}
