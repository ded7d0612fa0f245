//! What can happen next in a world, and in which order it is listed.
//!
//! Invariant: nothing happens that is not listed here, and what is listed can
//! be performed. The order is canonical and its first entry the most ordinary
//! one: the oldest message, the next request, a timer, a mishap. It changes
//! nothing and chooses nothing.

use smallvec::SmallVec;

use crate::history::NodeId;

use super::perform::World;
use super::{Action, MessageId};

impl World<'_> {
    /// Whether no session waits or has anything left to ask.
    pub fn clients_are_done(&self) -> bool {
        self.session_ids().all(|session| {
            self.sessions[session.index()].open.is_none() && self.next_operation(session).is_none()
        })
    }

    /// The deliveries that can happen now, oldest message first.
    pub fn deliveries(&self, into: &mut Vec<Action>) {
        let start = into.len();
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

    /// Everything that can happen now, in canonical order: deliveries (oldest
    /// first), invocations, timers, then what goes wrong or is mended.
    pub fn enabled(&self, into: &mut Vec<Action>) {
        into.clear();
        self.deliveries(into);
        let deliveries = into.len();
        for session in self.session_ids() {
            if let Some((operation, node)) = self.next_operation(session)
                && self.sessions[session.index()].open.is_none()
                && self.nodes[node.index()].up
            {
                into.push(Action::Invoke(operation));
            }
        }
        self.timers(into);
        if !self.setting.faults.budget.is_none() {
            self.mishaps(deliveries, into);
        }
    }

    /// The timers that can fire now, in canonical order.
    pub fn timers(&self, into: &mut Vec<Action>) {
        for (node, id) in self.nodes.iter().zip(self.cluster().nodes()) {
            if node.up {
                into.extend(node.timers.iter().map(|&timer| Action::Fire(id, timer)));
            }
        }
    }

    /// Repairs, which cost nothing, in canonical order.
    pub(super) fn repairs(&self, into: &mut Vec<Action>) {
        for (node, id) in self.nodes.iter().zip(self.cluster().nodes()) {
            if !node.up {
                into.push(Action::Recover(id));
            }
            if node.cut != 0 {
                let cut = self.cluster().nodes().filter(|from| node.cut & (1 << from.0) != 0);
                into.extend(cut.map(|from| Action::Heal(from, id)));
            }
        }
    }

    fn mishaps(&self, deliveries: usize, into: &mut Vec<Action>) {
        self.repairs(into);
        let budget = &self.setting.faults.budget;
        let left = |budget: u16, spent: u16| spent < budget;
        let messages: SmallVec<[(NodeId, MessageId); 16]> = into[..deliveries]
            .iter()
            .filter_map(|action| match action {
                Action::Deliver(to, message) => Some((*to, *message)),
                _ => None,
            })
            .collect();
        if left(budget.duplicate, self.spent.duplicate) {
            into.extend(messages.iter().map(|&(to, message)| Action::Duplicate(to, message)));
        }
        if left(budget.drop, self.spent.drop) {
            into.extend(messages.iter().map(|&(to, message)| Action::Drop(to, message)));
        }
        let nodes = self.cluster();
        if left(budget.crash, self.spent.crash) {
            let up = nodes.nodes().filter(|node| self.nodes[node.index()].up);
            into.extend(up.map(Action::Crash));
        }
        if left(budget.cut, self.spent.cut) {
            for to in nodes.nodes() {
                let held = self.nodes[to.index()].cut;
                let free = nodes.others(to).filter(|from| held & (1 << from.0) == 0);
                into.extend(free.map(|from| Action::Cut(from, to)));
            }
        }
        if left(budget.skew, self.spent.skew) {
            into.extend(nodes.nodes().map(Action::Tick));
            into.extend(nodes.nodes().map(Action::JumpBack));
        }
        for session in self.session_ids() {
            if self.sessions[session.index()].open.is_none() {
                continue;
            }
            if left(budget.give_up, self.spent.give_up) {
                into.push(Action::GiveUp(session));
            }
            if left(budget.retry, self.spent.retry) {
                let up = nodes.nodes().filter(|node| self.nodes[node.index()].up);
                into.extend(up.map(|node| Action::Retry(session, node)));
            }
        }
        if left(budget.suspect, self.spent.suspect) {
            for node in nodes.nodes().filter(|node| self.nodes[node.index()].up) {
                into.extend(nodes.others(node).map(|suspect| Action::Suspect(node, suspect)));
            }
        }
    }
}
