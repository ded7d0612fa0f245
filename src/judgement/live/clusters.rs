//! The zones of one register, updated event by event.
//!
//! As in `checker/zones`: a write and the reads that answered it form a
//! cluster, its zone extends from its first return to its last invocation, and
//! two clusters contradict each other if some return in each precedes some
//! invocation in the other. Returns only become earlier and invocations later
//! as a cluster grows, so a contradiction is permanent. Until there is one,
//! forward zones do not overlap, so only the neighbours of a changed cluster
//! have to be compared with it: O(log n + p) for each event, where p processes
//! have operations open.
//!
//! Operations are named by their number in the recording.

use std::collections::BTreeMap;

/// The name of the cluster of the initial value, and of its write.
pub(super) const INITIAL: u64 = u64::MAX;

/// A time (from 1, so that 0 is before everything) and the operation.
type When = (u64, u64);

/// One write (which names the cluster) with its reads.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// The first return; `None` as long as nothing returned.
    first: Option<When>,
    /// The last invocation among what returned, or of the write.
    last: When,
}

/// The clusters of one register.
#[derive(Clone, Debug, Default)]
pub(super) struct Clusters {
    all: BTreeMap<u64, Cluster>,
    /// The forward zones: by first return and name, the last invocation.
    forward: BTreeMap<(u64, u64), u64>,
    /// The others: by last invocation and name, the first return.
    backward: BTreeMap<(u64, u64), u64>,
}

impl Clusters {
    /// The write was invoked.
    pub(super) fn begin(&mut self, write: u64, invoked: u64) {
        let last = (invoked.saturating_add(1), write);
        self.all.insert(write, Cluster { first: None, last });
    }

    /// An operation of the cluster returned. If the cluster now contradicts
    /// another one, returns the operations that show it.
    pub(super) fn returned(
        &mut self,
        cluster: u64,
        operation: u64,
        invoked: u64,
        returned: u64,
    ) -> Option<Vec<u64>> {
        if cluster == INITIAL {
            let nothing = Cluster { first: Some((0, INITIAL)), last: (0, INITIAL) };
            self.all.entry(INITIAL).or_insert(nothing);
        }
        self.withdraw(cluster);
        let known = self.all.get_mut(&cluster)?;
        let returned = (returned.saturating_add(1), operation);
        known.first = Some(known.first.map_or(returned, |first| first.min(returned)));
        known.last = known.last.max((invoked.saturating_add(1), operation));
        let known = *known;
        let other = self.contradicts(known);
        self.place(cluster, known);
        let other = self.all.get(&other?)?;
        Some(known.shown().chain(other.shown()).filter(|at| *at != INITIAL).collect())
    }

    /// The write did not happen, or is forgotten.
    pub(super) fn remove(&mut self, write: u64) {
        self.withdraw(write);
        self.all.remove(&write);
    }

    fn place(&mut self, name: u64, cluster: Cluster) {
        match cluster.first {
            Some((first, _)) if first < cluster.last.0 => {
                self.forward.insert((first, name), cluster.last.0);
            }
            Some((first, _)) => {
                self.backward.insert((cluster.last.0, name), first);
            }
            None => {}
        }
    }

    fn withdraw(&mut self, name: u64) {
        if let Some(Cluster { first: Some((first, _)), last }) = self.all.get(&name) {
            self.forward.remove(&(*first, name));
            self.backward.remove(&(last.0, name));
        }
    }

    /// A cluster that contradicts this one, which is not placed.
    fn contradicts(&self, cluster: Cluster) -> Option<u64> {
        let (first, last) = (cluster.first?.0, cluster.last.0);
        // Forward zones do not overlap, so the last to begin is the last to end.
        let before = self.forward.range(..(last, 0)).next_back();
        if let Some(((_, name), _)) = before.filter(|(_, end)| **end > first) {
            return Some(*name);
        }
        if first >= last {
            return None;
        }
        let mut inside = self.backward.range((first + 1, 0)..(last, 0));
        inside.find(|(_, returned)| **returned < last).map(|((_, name), _)| *name)
    }
}

impl Cluster {
    fn shown(&self) -> impl Iterator<Item = u64> {
        self.first.map(|(_, operation)| operation).into_iter().chain([self.last.1])
    }
}
