//! What can happen next in a world, and in which order it is listed.
//!
//! Invariant: an action can be performed if and only if it is listed here. The
//! order is canonical and begins with the most ordinary action: the oldest
//! message, then the next request, a timer, a tick, a fault. This module changes nothing
//! and chooses nothing.

use smallvec::SmallVec;

use crate::history::NodeId;

use super::perform::World;
use super::{Action, FaultKind, FaultKinds, MessageId, Strike};

impl World<'_> {
    /// Whether no session waits or has anything left to ask.
    pub fn clients_are_done(&self) -> bool {
        self.session_ids().all(|session| {
            self.sessions[session.index()].client.open().is_none()
                && self.next_operation(session).is_none()
        })
    }

    /// What disks and the network can do now: flushes, node by node, then
    /// deliveries, oldest message first.
    pub fn deliveries(&self, into: &mut Vec<Action>) {
        let start = into.len();
        for (node, id) in self.nodes.iter().zip(self.cluster().nodes()) {
            if node.flushing() > 0 {
                into.push(Action::Flush(id));
            }
        }
        let mut ages: SmallVec<[(u32, Action); 16]> = SmallVec::new();
        for (to, (node, flights)) in self.nodes.iter().zip(&self.flights).enumerate() {
            let to = NodeId(u16::try_from(to).expect("nodes are few"));
            for position in node.deliverable(self.setting.network) {
                let flight = &flights[position];
                ages.push((flight.age, Action::Deliver(to, flight.id)));
            }
        }
        ages.sort_unstable_by_key(|(age, _)| *age);
        into.extend(ages.into_iter().map(|(_, action)| action));
        debug_assert!(into.len() >= start);
    }

    /// Everything that can happen now, in canonical order: flushes, deliveries
    /// (oldest first), invocations, timers, ticks, then faults and repairs.
    pub fn enabled(&self, into: &mut Vec<Action>) {
        into.clear();
        self.deliveries(into);
        let deliveries = into.len();
        for session in self.session_ids() {
            if let Some((operation, node)) = self.next_operation(session)
                && self.sessions[session.index()].client.open().is_none()
                && self.nodes[node.index()].up
            {
                into.push(Action::Invoke(operation));
            }
        }
        self.timers(into);
        self.ticks(into);
        if !self.setting.faults.budget.is_none() {
            self.mishaps(deliveries, into);
        }
    }

    /// The timers that can fire now, in canonical order.
    pub fn timers(&self, into: &mut Vec<Action>) {
        for (node, id) in self.nodes.iter().zip(self.cluster().nodes()) {
            if node.up {
                into.extend(node.due().map(|timer| Action::Fire(id, timer)));
            }
        }
    }

    /// The clocks that can tick now, in node order.
    fn ticks(&self, into: &mut Vec<Action>) {
        if self.nodes[0].clock.is_some() {
            into.extend(self.cluster().nodes().filter(|id| self.may_tick(*id)).map(Action::Tick));
        }
    }

    /// Repairs, which cost nothing, in canonical order.
    pub(super) fn repairs(&self, into: &mut Vec<Action>) {
        for (node, id) in self.nodes.iter().zip(self.cluster().nodes()) {
            if !node.up && !node.gone {
                into.push(Action::Recover(id));
            }
            if node.cut != 0 && !self.is_severed() {
                let cut = self.cluster().nodes().filter(|from| node.cut & (1 << from.0) != 0);
                into.extend(cut.map(|from| Action::Heal(from, id)));
            }
        }
        if self.nodes[0].parted != 0 && !self.is_severed() {
            into.push(Action::Unite);
        }
    }

    fn mishaps(&self, deliveries: usize, into: &mut Vec<Action>) {
        self.repairs(into);
        let left = self.setting.faults.budget.left(self.spent);
        let messages: SmallVec<[(NodeId, MessageId); 16]> = into[..deliveries]
            .iter()
            .filter_map(|action| match action {
                Action::Deliver(to, message) => Some((*to, *message)),
                _ => None,
            })
            .collect();
        if left.contains(FaultKind::Duplicate) {
            into.extend(messages.iter().map(|&(to, message)| Action::Duplicate(to, message)));
        }
        if left.contains(FaultKind::Drop) {
            into.extend(messages.iter().map(|&(to, message)| Action::Drop(to, message)));
        }
        for kind in FaultKind::ALL {
            if kind == FaultKind::GiveUp {
                self.mishaps_of_clients(left, into);
            }
            self.mishaps_at_nodes(kind, left, into);
        }
    }

    /// Clients with an open operation that give up or ask again.
    fn mishaps_of_clients(&self, left: FaultKinds, into: &mut Vec<Action>) {
        for session in self.session_ids() {
            if self.sessions[session.index()].client.open().is_none() {
                continue;
            }
            if left.contains(FaultKind::GiveUp) {
                into.push(Action::GiveUp(session));
            }
            if left.contains(FaultKind::Retry) {
                let up = self.cluster().nodes().filter(|node| self.nodes[node.index()].up);
                into.extend(up.map(|node| Action::Retry(session, node)));
            }
        }
    }

    /// The faults of one kind that may strike nodes, in canonical order.
    fn mishaps_at_nodes(&self, kind: FaultKind, left: FaultKinds, into: &mut Vec<Action>) {
        if !left.contains(kind) {
            return;
        }
        let start = into.len();
        for (node, id) in self.nodes.iter().zip(self.cluster().nodes()) {
            let strikes = node.mishaps(kind, id, self.cluster(), &self.strategy);
            into.extend(strikes.into_iter().map(|strike| Action::Strike(id, strike)));
        }
        // All clocks that may jump ahead come before those that may jump back.
        into[start..].sort_by_key(|action| matches!(action, Action::Strike(_, Strike::JumpBack)));
    }
}
