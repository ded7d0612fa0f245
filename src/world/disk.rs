//! The disk of a node: what a crash leaves, and what is on its way there.
//!
//! Invariant: images are flushed in the order in which they were sent, and only
//! a flush that is not lost changes what a crash leaves.

use smallvec::SmallVec;

use crate::replication::ImageId;
use crate::replication::erased::AnyReplica;

/// What a node has on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    /// What a crash leaves.
    flushed: AnyReplica,
    /// Images on their way, oldest first.
    queue: SmallVec<[(ImageId, AnyReplica); 1]>,
}

impl Disk {
    /// A disk on which this is durable, and nothing on its way.
    pub(super) fn of(durable: AnyReplica) -> Self {
        Disk { flushed: durable, queue: SmallVec::new() }
    }

    /// How many images are on their way.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Sends an image on its way.
    pub(super) fn send(&mut self, id: ImageId, durable: AnyReplica) {
        self.queue.push((id, durable));
    }

    /// Ends the oldest flush and says which image it is. If it was not lost, a
    /// crash leaves that image from now on.
    pub(super) fn flush(&mut self, lost: bool) -> ImageId {
        let (id, image) = self.queue.remove(0);
        if !lost {
            self.flushed = image;
        }
        id
    }

    /// Loses what is on its way, and says what is left.
    pub(super) fn crash(&mut self) -> AnyReplica {
        self.stop();
        self.flushed.clone()
    }

    /// Loses what is on its way.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
    }
}
