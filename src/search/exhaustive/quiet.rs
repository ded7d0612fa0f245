//! What is judged: quiet clusters with their final reads, and conditions on
//! every state.
//!
//! Everything here is remembered by number: answers by what a node holds,
//! sights by history and answers, so that a judge is asked once for each pair
//! however many states have it. It does not know what is allowed.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::history::{Call, Completion, NodeId};
use crate::replication::erased::AnyToken;
use crate::replication::{Cluster, Effects, OperationId, Strategy, When};
use crate::world::component::{LocalInput, Node, Panicked, local_step};
use crate::world::{Facts, ask};

use super::answers::Finals;
use super::tables::Tables;
use super::{Refused, Sight, Work};

impl Tables<'_> {
    /// The keys that were asked about, by number.
    fn keys(&mut self, rest: u32) -> u32 {
        if let Some(known) = self.answers.asked.get(&rest) {
            return *known;
        }
        let mut keys = self.clients.keys(rest);
        keys.sort_unstable();
        keys.dedup();
        let number = self.answers.keys.number(keys);
        self.answers.asked.insert(rest, number);
        number
    }

    /// What a node that holds this answers at once to a read of each of these
    /// keys, and whether it answers all of them.
    fn local_answers(
        &mut self,
        keys: u32,
        place: usize,
        held: u32,
    ) -> Result<(u32, bool), Panicked> {
        if let Some(known) = self.answers.local.get(&(keys, place, held)) {
            return Ok(*known);
        }
        let node = NodeId(u16::try_from(place).expect("nodes are few"));
        let cluster = Cluster::of(self.setting.nodes);
        let session = u16::try_from(self.clients.sessions()).expect("sessions are few");
        let mut answers = Finals::new();
        let mut at_once = true;
        for key in &self.answers.keys[keys] {
            let call = Call::read(key.clone());
            if !self.strategy.serves(&call, node, &cluster) {
                continue;
            }
            let mut asked = self.held[held].node.clone();
            let operation = OperationId { session, number: 0 };
            let request = LocalInput::Request(operation, call.clone(), AnyToken::default());
            let mut effects = Effects::new();
            local_step(self.strategy, cluster, &mut asked, request, self.moment, &mut effects)?;
            let value = effects.replies.into_iter().find_map(|reply| match reply.completion {
                Completion::Ok(value) if reply.operation == operation => Some(value),
                _ => None,
            });
            at_once &= value.is_some();
            answers.push((node, call, value));
        }
        let known = (self.answers.locals.number(answers), at_once);
        self.answers.local.insert((keys, place, held), known);
        Ok(known)
    }

    /// What tells the answers of a node apart, whoever asks for whatever: the
    /// number of its answers, if all are given at once.
    pub(super) fn answer_of(&mut self, place: usize, at: u32) -> Result<Option<u32>, Panicked> {
        let all = match &self.plan.work {
            Work::Scripted(workload) => workload.keys(),
            Work::Open(open) => open.keys(),
        };
        let keys = self.answers.keys.number(all);
        let held = self.held_at(place, at);
        let (answers, at_once) = self.local_answers(keys, place, held)?;
        Ok(at_once.then_some(answers))
    }

    /// The final reads of a row, by number. In a cluster that is not quiet
    /// what is in flight waits.
    ///
    /// # Errors
    /// If a handler panics, or if nodes were renamed though it matters in
    /// which order they are asked.
    pub(super) fn finals(&mut self, row: &[u32]) -> Result<u32, Refused> {
        let nodes = row.len() - 1;
        let keys = self.keys(row[nodes]);
        let mut by: SmallVec<[u32; 8]> = SmallVec::new();
        for (place, &at) in row.iter().enumerate().take(nodes) {
            let (answers, at_once) = self.local_answers(keys, place, self.held_at(place, at))?;
            by.extend(at_once.then_some(answers));
        }
        let at_once = by.len() == nodes;
        if !at_once && !self.numbers.permutations.is_empty() {
            return Err(Refused::Reduction("symmetry", "final reads need messages"));
        }
        if !at_once {
            by = (0..nodes).map(|place| self.held_at(place, row[place])).collect();
        }
        let key = (keys, at_once, by);
        if let Some(known) = self.answers.known.get(&key) {
            return Ok(*known);
        }
        let finals = if at_once {
            let locals = key.2.iter().flat_map(|at| self.answers.locals[*at].clone());
            let mut finals: Finals = locals.collect();
            // Key by key, as a run issues them.
            finals.sort_by(|a, b| a.1.key.cmp(&b.1.key));
            finals
        } else {
            self.ask_all(keys, &self.waiting_nodes(row))?
        };
        let number = self.answers.finals.number(finals);
        self.answers.known.insert(key, number);
        Ok(number)
    }

    /// The nodes of a row while what is in flight waits.
    fn waiting_nodes(&self, row: &[u32]) -> Vec<Node> {
        let mut nodes = self.nodes(row);
        nodes.iter_mut().for_each(|node| node.inbox.clear());
        nodes
    }

    fn ask_all(&self, keys: u32, nodes: &[Node]) -> Result<Finals, Panicked> {
        let cluster = Cluster::of(self.setting.nodes);
        let mut session = u16::try_from(self.clients.sessions()).expect("sessions are few");
        let mut finals = Finals::new();
        for key in &self.answers.keys[keys] {
            for node in cluster.nodes() {
                let call = Call::read(key.clone());
                if !self.strategy.serves(&call, node, &cluster) {
                    continue;
                }
                let operation = OperationId { session, number: 0 };
                session += 1;
                let facts = || Facts::of(nodes.len());
                let (strategy, now) = (self.strategy, self.moment);
                let answer = ask(strategy, nodes, now, operation, node, &call, facts)?;
                finals.push((node, call, answer.map(|answer| answer.value)));
            }
        }
        Ok(finals)
    }

    /// What the final reads of a row take into account.
    fn facts(&self, row: &[u32], answers: &Finals) -> Result<Facts, Panicked> {
        let nodes = self.waiting_nodes(row);
        let mut facts = Facts::of(nodes.len());
        for &(write, stamp) in self.clients.stamps(row[nodes.len()]) {
            facts.stamped(write, stamp);
        }
        for (place, &at) in row.iter().enumerate().take(nodes.len()) {
            let node = NodeId(u16::try_from(place).expect("nodes are few"));
            for &(write, stamp) in &self.held[self.held_at(place, at)].visible {
                facts.visible(node, write, stamp);
            }
        }
        let first = u16::try_from(self.clients.sessions()).expect("sessions are few");
        for (session, (node, call, _)) in (first..).zip(answers) {
            let operation = OperationId { session, number: 0 };
            let (strategy, now) = (self.strategy, self.moment);
            let known = || facts.clone();
            let answer = ask(strategy, &nodes, now, operation, *node, call, known)?;
            if let Some(answer) = answer {
                answer.record(&mut facts, operation);
            }
        }
        Ok(facts)
    }

    /// Shows a row to the judge, unless its like has been judged; with final
    /// reads if it is quiet.
    pub(super) fn judge(
        &mut self,
        row: &[u32],
        quiet: bool,
        judge: &mut dyn FnMut(&Sight<'_>) -> u64,
    ) -> Result<u64, Refused> {
        let rest = row[row.len() - 1];
        let finals = if quiet { Some(self.finals(row)?) } else { None };
        // Equal answers do not mean that the same writes are visible.
        let places = if self.plan.tracks.visible { row.len() - 1 } else { 0 };
        let held = (0..places).map(|place| self.held_at(place, row[place])).collect();
        self.answers.rests.insert(rest);
        if !self.answers.judged.insert((rest, finals, held)) {
            return Ok(0);
        }
        let answers = finals.map(|finals| self.answers.finals[finals].clone());
        let answers = answers.unwrap_or_default();
        let (history, operations) = self.clients.history(rest, &answers);
        let facts = match (quiet, self.plan.tracks.visible) {
            (true, true) => Some(self.facts(row, &answers)?),
            _ => None,
        };
        let sight = Sight {
            history: &history,
            operations: &operations,
            answers: &answers,
            quiet,
            facts: facts.as_ref(),
        };
        Ok(judge(&sight))
    }

    /// How often something was judged.
    pub(super) fn judged(&self) -> usize {
        self.answers.judged.len()
    }

    /// Whether a rest was judged at least once.
    pub(super) fn is_judged(&self, rest: u32) -> bool {
        self.answers.rests.contains(&rest)
    }

    /// Whether every rest was judged at least once.
    pub(super) fn all_judged(&self) -> bool {
        self.answers.rests.len() == self.numbers.startable.len()
    }

    /// The invariants that must hold always, by their places.
    pub(super) fn always(&self) -> BTreeSet<usize> {
        let all = self.strategy.invariants();
        let always = all.iter().enumerate().filter(|(_, one)| one.when == When::Always);
        always.map(|(at, _)| at).collect()
    }

    /// Which invariants break in this row, and which hold that have to hold
    /// once.
    pub(super) fn invariants(&mut self, row: &[u32]) -> (Vec<usize>, Vec<usize>) {
        let nodes = row.len() - 1;
        let held: SmallVec<[u32; 8]> =
            (0..nodes).map(|place| self.held_at(place, row[place])).collect();
        let (mut broken, mut reached) = (Vec::new(), Vec::new());
        if let Some(broken) = self.answers.looked.get(&held) {
            return (broken.clone(), reached);
        }
        let replicas: Vec<_> = held.iter().map(|at| &self.held[*at].node.replica).collect();
        for (at, invariant) in self.strategy.invariants().iter().enumerate() {
            match (invariant.when, (invariant.holds)(&replicas)) {
                (When::Always, false) => broken.push(at),
                (When::Sometimes, true) => reached.push(at),
                _ => {}
            }
        }
        self.answers.looked.insert(held, broken.clone());
        (broken, reached)
    }

    /// Whether nodes that took the same writes into account answer alike.
    pub(super) fn agrees(&mut self, row: &[u32]) -> bool {
        let pairs = (0..row.len() - 1).flat_map(|one| (0..one).map(move |other| (one, other)));
        let keys = self.keys(row[row.len() - 1]);
        pairs.into_iter().all(|(one, other)| self.agree(keys, (one, row[one]), (other, row[other])))
    }

    fn agree(&mut self, keys: u32, (one, a): (usize, u32), (other, b): (usize, u32)) -> bool {
        let (a, b) = (self.held_at(one, a), self.held_at(other, b));
        let key = (keys, one, a, other, b);
        if let Some(known) = self.answers.agree.get(&key) {
            return *known;
        }
        let held = |at: u32| &self.held[at];
        let writes = |at: u32| held(at).visible.iter().map(|(write, _)| *write);
        let alike = held(a).node.up
            && held(b).node.up
            && writes(a).next().is_some()
            && writes(a).eq(writes(b));
        let mut compared = false;
        let agree = !alike || {
            // No client asks here: a panic is found where one does.
            match (self.local_answers(keys, one, a), self.local_answers(keys, other, b)) {
                (Ok((a, _)), Ok((b, _))) => {
                    let values = |at: u32| self.answers.locals[at].iter();
                    // What a node does not answer by itself is not compared.
                    let mut both = values(a).flat_map(|(_, call, mine)| {
                        let theirs = values(b).filter(move |(_, other, _)| call == other);
                        theirs.filter_map(move |(.., theirs)| mine.as_ref().zip(theirs.as_ref()))
                    });
                    both.all(|(mine, theirs)| {
                        compared = true;
                        mine == theirs
                    })
                }
                _ => true,
            }
        };
        self.answers.compared += u64::from(compared);
        self.answers.agree.insert(key, agree);
        agree
    }
}
