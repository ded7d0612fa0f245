//! What a search may leave out.
//!
//! *Macro-steps*: where deliveries send and answer nothing, a delivery matters
//! only to the next client at the same node, so the two are taken together.
//! *Symmetry*: nodes that no client uses differ only in what they
//! hold. *Forgetting* is done where components are numbered. docs/search.md
//! has the arguments.
//!
//! Invariant: whatever turns out not to be met ends the search with
//! [`Refused::Reduction`], and the search begins again without.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::history::{Call, NodeId};
use crate::replication::{Cluster, Strategy};
use crate::world::component::Node;

use super::answers::Drained;
use super::numbered::Id;
use super::numbers::{Closure, Miss, Span};
use super::parts::{Component, Held, Inbox, Message};
use super::tables::{REACTS, Tables};
use super::{Refused, Work};

impl Tables<'_> {
    /// All components that deliveries alone lead to.
    pub(super) fn closure(&mut self, place: usize, at: Id<Component>) -> Result<Closure, Refused> {
        let mut all = vec![at];
        let mut known = FxHashSet::from_iter([at]);
        let mut next = 0;
        while next < all.len() {
            let component = all[next];
            next += 1;
            let span = self.span(place, component)?;
            if self.numbers.reacts || self.numbers.timers {
                return Err(Refused::Reduction("macro", REACTS));
            }
            for step in span.of(&self.numbers.moves) {
                if known.insert(step.next) {
                    all.push(step.next);
                }
            }
        }
        let place = &mut self.numbers.places[place];
        let start = place.reached.len();
        place.reached.extend(&all);
        let middle = place.reached.len();
        place.reached.extend(all.iter().filter(|component| place.quiet[component.index()]));
        let end = place.reached.len();
        Ok(Closure { all: Span::between(start, middle), drained: Span::between(middle, end) })
    }

    /// The components that a node may be in once everything at it has been
    /// delivered, one for each set of answers if it answers by itself.
    pub(super) fn drained(&mut self, place: usize, at: Id<Component>) -> Result<Drained, Refused> {
        if let Some(known) = self.answers.drained.get(&(place, at)) {
            return Ok(known.clone());
        }
        let drained = match self.in_any_order(place, at)? {
            Some(end) => SmallVec::from_slice(&[end]),
            None => self.in_every_order(place, at)?,
        };
        self.answers.drained.insert((place, at), drained.clone());
        Ok(drained)
    }

    /// Where everything at a node leads if the order of deliveries does not
    /// matter; none if it may. Of what the node can come to hold, every two
    /// messages must lead to the same in either order; then any order of all
    /// can be turned into any other, pair by pair.
    fn in_any_order(
        &mut self,
        place: usize,
        at: Id<Component>,
    ) -> Result<Option<Id<Component>>, Refused> {
        let Component { held, inbox } = self.places[place][at].clone();
        let mut messages = inbox.clone();
        messages.sort_unstable();
        messages.dedup();
        // What can be held, and what each message makes of it.
        let mut holds = vec![held];
        let mut after: Vec<SmallVec<[usize; 8]>> = Vec::new();
        while after.len() < holds.len() {
            if holds.len() > 4 * (inbox.len() + 1) {
                return Ok(None);
            }
            let now = holds[after.len()];
            let mut leads = SmallVec::new();
            for &message in &messages {
                let next = self.take_in(place, now, message)?;
                let known = holds.iter().position(|&other| other == next);
                leads.push(known.unwrap_or(holds.len()));
                if known.is_none() {
                    holds.push(next);
                }
            }
            after.push(leads);
        }
        let pairs = || (0..messages.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let commute = |leads: &SmallVec<[usize; 8]>| {
            pairs().all(|(a, b)| after[leads[a]][b] == after[leads[b]][a])
        };
        if !after.iter().all(commute) {
            return Ok(None);
        }
        let mut end = 0;
        for message in &inbox {
            let which = messages.binary_search(message).expect("it is one of them");
            end = after[end][which];
        }
        Ok(Some(self.component(place, Component::without_inbox(holds[end]))))
    }

    /// What is held after a message, which must not send or answer anything.
    fn take_in(
        &mut self,
        place: usize,
        held: Id<Held>,
        message: Id<Message>,
    ) -> Result<Id<Held>, Refused> {
        let reaction = self.deliver(place, held, message)?;
        self.numbers.reacts |= !reaction.sends.is_empty() || reaction.event != Id::FIRST;
        if self.numbers.reacts || self.numbers.timers {
            return Err(Refused::Reduction("macro", REACTS));
        }
        Ok(reaction.held)
    }

    /// Where everything at a node leads in every order, one for each set of
    /// answers.
    fn in_every_order(&mut self, place: usize, at: Id<Component>) -> Result<Drained, Refused> {
        if self.numbers.closure(place, at).is_err() {
            self.resolve(Miss::Closure(place, at))?;
        }
        let closure = self.numbers.closure(place, at).expect("it was just added");
        let mut drained = SmallVec::new();
        let mut told = Vec::new();
        for position in closure.drained.each() {
            let component = self.numbers.places[place].reached[position.index()];
            let answers = self.answer_of(place, component)?;
            let visible = self.plan.tracks.visible;
            if answers.is_none() || visible || !told.contains(&answers) {
                told.push(answers);
                drained.push(component);
            }
        }
        Ok(drained)
    }

    /// The renamings of nodes that change nothing: of nodes that no client
    /// uses, if the strategy treats all nodes alike.
    pub(super) fn find_permutations(&mut self) {
        let Work::Scripted(workload) = &self.plan.work else { return };
        if !self.plan.reduce.symmetry || !self.setting.faults.clocks.is_empty() {
            return;
        }
        let nodes = usize::from(self.setting.nodes);
        let mut used = vec![false; nodes];
        for script in &workload.sessions {
            for planned in &script.operations {
                used[planned.node.unwrap_or(script.node).index()] = true;
            }
        }
        let free: Vec<_> = (0..nodes).filter(|&node| !used[node]).collect();
        let mut orders = vec![Vec::new()];
        for _ in &free {
            let longer = |order: &Vec<usize>| {
                let left = free.iter().filter(|node| !order.contains(node));
                left.map(|&node| [order.as_slice(), &[node]].concat()).collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        let serves = |place: usize, call: &Call| {
            let cluster = Cluster::of(self.setting.nodes);
            let node = NodeId(u16::try_from(place).expect("nodes are few"));
            self.strategy.serves(call, node, &cluster)
        };
        let reads: Vec<Call> = workload.keys().into_iter().map(Call::read).collect();
        for order in orders.into_iter().filter(|order| *order != free) {
            let mut permutation: Vec<_> = (0..nodes).collect();
            for (from, to) in free.iter().zip(order) {
                permutation[*from] = to;
            }
            // Nodes that are asked in the end are not nodes that are not.
            let mut pairs = permutation.iter().enumerate();
            if !pairs.all(|(from, to)| reads.iter().all(|r| serves(from, r) == serves(*to, r))) {
                continue;
            }
            self.numbers.permutations.push(permutation);
            self.numbers.renamed.push(vec![FxHashMap::default(); nodes]);
        }
    }

    /// A component with nodes renamed.
    pub(super) fn rename(
        &mut self,
        permutation: usize,
        place: usize,
        at: Id<Component>,
    ) -> Result<(), Refused> {
        let to = self.numbers.permutations[permutation].clone();
        let renamed = |node: NodeId| NodeId(u16::try_from(to[node.index()]).expect("few"));
        let component = self.places[place][at].clone();
        let refused = || Refused::Reduction("symmetry", "the strategy does not rename nodes");
        let mut held = self.held[component.held].clone();
        let node = &mut held.node;
        node.replica = self.strategy.renamed(&node.replica, &renamed).ok_or_else(refused)?;
        let cluster = Cluster::of(self.setting.nodes);
        let cut = cluster.nodes().filter(|from| node.cut & (1 << from.0) != 0);
        node.cut = cut.fold(0, |bits, from| bits | 1 << renamed(from).0);
        let held = self.hold(held);
        let mut inbox = Inbox::new();
        for message in component.inbox {
            let Message { from, content, timer } = self.messages[message].clone();
            let content = self.strategy.renamed_message(&content, &renamed).ok_or_else(refused)?;
            // It is the timer of a node, which has been renamed, too.
            let rename = |number: u8| {
                let (node, id) = self.timers.values[usize::from(number)];
                self.timer_number(renamed(node), id)
            };
            let timer = timer.map(rename).transpose()?;
            inbox.push(self.messages.number(Message { from: renamed(from), content, timer }));
        }
        let number = self.component(to[place], Component { held, inbox });
        self.numbers.renamed[permutation][place].insert(at, number);
        Ok(())
    }

    /// Whether these nodes are the wanted ones, as far as the search
    /// distinguishes nodes. `sees` says whether what is visible at a place is what is
    /// wanted at another.
    pub(super) fn are_like(
        &self,
        nodes: &[Node],
        wanted: &[Node],
        sees: impl Fn(usize, usize) -> bool,
    ) -> bool {
        let nodes: Vec<_> = nodes.iter().map(|node| self.plain(node)).collect();
        let wanted: Vec<_> = wanted.iter().map(|node| self.plain(node)).collect();
        if nodes == wanted && (0..nodes.len()).all(|place| sees(place, place)) {
            return true;
        }
        self.numbers.permutations.iter().any(|to| {
            nodes.iter().enumerate().all(|(place, node)| {
                let renamed = self.renamed(node, to);
                renamed.is_some_and(|node| node == wanted[to[place]]) && sees(place, to[place])
            })
        })
    }

    /// Whether a node is the one wanted at this place, or, renamed, at the
    /// place where it may stand instead.
    pub(super) fn is_one_of(
        &self,
        node: &Node,
        wanted: &[Node],
        place: usize,
        sees: impl Fn(usize, usize) -> bool,
    ) -> bool {
        let node = self.plain(node);
        let renamed = |to: &Vec<usize>| {
            let there = self.plain(&wanted[to[place]]);
            self.renamed(&node, to).is_some_and(|node| node == there) && sees(place, to[place])
        };
        (node == self.plain(&wanted[place]) && sees(place, place))
            || self.numbers.permutations.iter().any(renamed)
    }

    /// A node with its inbox in canonical order and without what the search
    /// ignores.
    fn plain(&self, node: &Node) -> Node {
        let mut node = node.clone();
        node.inbox = node.canonical_inbox(self.setting.network);
        let less = self.plan.reduce.forget.then(|| self.strategy.observable(&node.replica));
        node.replica = less.flatten().unwrap_or(node.replica);
        node
    }

    fn renamed(&self, node: &Node, to: &[usize]) -> Option<Node> {
        let name = |node: NodeId| NodeId(u16::try_from(to[node.index()]).expect("few"));
        let mut node = node.clone();
        node.replica = self.strategy.renamed(&node.replica, &name)?;
        let cut = (0..to.len()).filter(|from| node.cut & (1 << from) != 0);
        node.cut = cut.fold(0, |bits, from| bits | 1 << to[from]);
        for (from, message) in &mut node.inbox {
            *from = name(*from);
            *message = self.strategy.renamed_message(message, &name)?;
        }
        Some(self.plain(&node))
    }
}
