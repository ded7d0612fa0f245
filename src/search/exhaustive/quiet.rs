//! What is judged: quiet clusters with their final reads, and conditions on
//! every state.
//!
//! Everything here is remembered by number: answers by what a node holds,
//! sights by history and answers, so that a judge is asked once for each pair
//! however many states have it. It does not know what is allowed.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::history::{Call, NodeId};
use crate::replication::erased::AnyToken;
use crate::replication::{Cluster, Effects, Invariant, OperationId, Strategy, When};
use crate::world::component::{LocalInput, Node, Panicked, local_step};
use crate::world::{Facts, Told, ask};

use super::answers::{AllHeld, Depends, Finals, HeldAt, Keys};
use super::numbered::Id;
use super::parts::{Component, Rest, at, components, rest_of};
use super::tables::Tables;
use super::{Refused, Sight, Work};

/// As what a row is shown to the judge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// A history that never comes to quiet.
    Busy,
    /// A quiet state.
    Quiet,
    /// A state that recurs for ever.
    Recurs,
    /// A state that recurs for ever if no timer fires. What is open may be
    /// answered if one does.
    Churns,
}

impl Tables<'_> {
    /// The keys that were asked about, by number.
    fn keys(&mut self, rest: Id<Rest>) -> Id<Keys> {
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
        keys: Id<Keys>,
        (place, held): HeldAt,
    ) -> Result<(Id<Finals>, bool), Panicked> {
        if let Some(known) = self.answers.local.get(&(keys, (place, held))) {
            return Ok(*known);
        }
        let node = NodeId(u16::try_from(place).expect("nodes are few"));
        let cluster = Cluster::of(self.setting.nodes);
        let session = u16::try_from(self.clients.sessions()).expect("sessions are few");
        let mut answers = Finals::new();
        let mut at_once = true;
        let gone = self.held[held].node.gone;
        for key in &self.answers.keys[keys] {
            let call = Call::read(key.clone());
            if gone || !self.strategy.serves(&call, node, &cluster) {
                continue;
            }
            let mut asked = self.held[held].node.clone();
            let operation = OperationId { session, number: 0 };
            let request = LocalInput::Request(operation, call.clone(), AnyToken::default());
            let mut effects = Effects::new();
            local_step(self.strategy, cluster, &mut asked, request, self.moment, &mut effects)?;
            let told = Told::first(operation, &effects);
            at_once &= told.is_some();
            answers.push((node, call, told.unwrap_or(Told::Nothing)));
        }
        let known = (self.answers.locals.number(answers), at_once);
        self.answers.local.insert((keys, (place, held)), known);
        Ok(known)
    }

    /// What tells the answers of a node apart, whoever asks for whatever: the
    /// number of its answers, if all are given at once.
    pub(super) fn answer_of(
        &mut self,
        place: usize,
        at: Id<Component>,
    ) -> Result<Option<Id<Finals>>, Panicked> {
        let all = match &self.plan.work {
            Work::Scripted(workload) => workload.keys(),
            Work::Open(open, _) => open.keys(),
        };
        let keys = self.answers.keys.number(all);
        let held = self.held_at(place, at);
        let (answers, at_once) = self.local_answers(keys, (place, held))?;
        Ok(at_once.then_some(answers))
    }

    /// The final reads of a row, by number. In a cluster that is not quiet
    /// what is in flight waits.
    ///
    /// # Errors
    /// If a handler panics, or if nodes were renamed though it matters in
    /// which order they are asked.
    pub(super) fn finals(&mut self, row: &[u32]) -> Result<Id<Finals>, Refused> {
        let keys = self.keys(rest_of(row));
        let mut all = SmallVec::new();
        for (place, at) in components(row) {
            let (answers, at_once) = self.local_answers(keys, (place, self.held_at(place, at)))?;
            all.extend(at_once.then_some(answers));
        }
        let depends = if all.len() == row.len() - 1 {
            Depends::Answers(all)
        } else if self.numbers.permutations.is_empty() {
            Depends::Held(self.all_held(row))
        } else {
            return Err(Refused::Reduction("symmetry", "final reads need messages"));
        };
        let key = (keys, depends);
        if let Some(known) = self.answers.known.get(&key) {
            return Ok(*known);
        }
        let finals = if let Depends::Answers(all) = &key.1 {
            let locals = all.iter().flat_map(|at| self.answers.locals[*at].clone());
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

    /// Whether two states give the same answers. That a read is refused in one and stays open
    /// in the other is no difference: no client sees a value in either.
    pub(super) fn answers_alike(&self, one: Id<Finals>, other: Id<Finals>) -> bool {
        let values = |finals| self.answers.finals[finals].iter().map(|(.., told)| told.answer());
        one == other || values(one).eq(values(other))
    }

    /// What each node of a row holds.
    fn all_held(&self, row: &[u32]) -> AllHeld {
        components(row).map(|(place, at)| self.held_at(place, at)).collect()
    }

    /// The nodes of a row while what is in flight waits.
    fn waiting_nodes(&self, row: &[u32]) -> Vec<Node> {
        let mut nodes = self.nodes(row);
        nodes.iter_mut().for_each(Node::discard_waiting);
        nodes
    }

    fn ask_all(&self, keys: Id<Keys>, nodes: &[Node]) -> Result<Finals, Panicked> {
        let cluster = Cluster::of(self.setting.nodes);
        let mut session = u16::try_from(self.clients.sessions()).expect("sessions are few");
        let mut finals = Finals::new();
        for key in &self.answers.keys[keys] {
            for node in cluster.nodes() {
                let call = Call::read(key.clone());
                let gone = nodes[node.index()].gone;
                if gone || !self.strategy.serves(&call, node, &cluster) {
                    continue;
                }
                let operation = OperationId { session, number: 0 };
                session += 1;
                let facts = || Facts::of(nodes.len());
                let (strategy, now) = (self.strategy, self.moment);
                let heard = ask(strategy, nodes, now, operation, node, &call, facts)?;
                finals.push((node, call, heard.told));
            }
        }
        Ok(finals)
    }

    /// What the final reads of a row take into account.
    fn facts(&self, row: &[u32], answers: &Finals) -> Result<Facts, Panicked> {
        let nodes = self.waiting_nodes(row);
        let mut facts = Facts::of(nodes.len());
        for &(write, stamp) in self.clients.stamps(rest_of(row)) {
            facts.stamped(write, stamp);
        }
        for (place, at) in components(row) {
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
            let heard = ask(strategy, &nodes, now, operation, *node, call, known)?;
            heard.record(&mut facts, operation);
        }
        Ok(facts)
    }

    /// Shows a row to the judge, unless its like has been judged; with final
    /// reads if it is quiet or recurs for ever.
    pub(super) fn judge(
        &mut self,
        row: &[u32],
        state: Looks,
        judge: &mut dyn FnMut(&Sight<'_>) -> u64,
    ) -> Result<u64, Refused> {
        let rest = rest_of(row);
        let quiet = state != Looks::Busy;
        let finals = if quiet { Some(self.finals(row)?) } else { None };
        // Equal answers do not mean that the same writes are visible.
        let held = if self.plan.tracks.visible { self.all_held(row) } else { AllHeld::default() };
        self.answers.rests.insert(rest);
        let open = if state == Looks::Churns { 0 } else { self.clients.open(rest) };
        if !self.answers.judged.insert((rest, finals, held, open)) {
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
            open,
            quiet,
            recurs: matches!(state, Looks::Recurs | Looks::Churns),
            facts: facts.as_ref(),
        };
        Ok(judge(&sight))
    }

    /// How often something was judged.
    pub(super) fn judged(&self) -> usize {
        self.answers.judged.len()
    }

    /// Whether a rest was judged at least once.
    pub(super) fn is_judged(&self, rest: Id<Rest>) -> bool {
        self.answers.rests.contains(&rest)
    }

    /// Whether every rest was judged at least once.
    pub(super) fn all_judged(&self) -> bool {
        self.answers.rests.len() == self.numbers.startable.len()
    }

    /// The invariants that must hold always or at quiescence, by their places.
    pub(super) fn musts(&self) -> BTreeSet<usize> {
        let all = self.strategy.invariants();
        let musts = all.iter().enumerate().filter(|(_, one)| one.when != When::Sometimes);
        musts.map(|(at, _)| at).collect()
    }

    /// Which invariants do not hold in this row, which is quiet, and have to.
    pub(super) fn unmet(&self, row: &[u32]) -> Vec<usize> {
        let held = self.all_held(row);
        let replicas: Vec<_> = held.iter().map(|at| &self.held[*at].node.replica).collect();
        let all = self.strategy.invariants();
        let unmet = |(_, one): &(usize, &Invariant<_>)| {
            one.when == When::AtQuiescence && !(one.holds)(&replicas)
        };
        all.iter().enumerate().filter(unmet).map(|(at, _)| at).collect()
    }

    /// Which invariants break in this row, and which hold that have to hold
    /// once.
    pub(super) fn invariants(&mut self, row: &[u32]) -> (Vec<usize>, Vec<usize>) {
        let held = self.all_held(row);
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
        let keys = self.keys(rest_of(row));
        let held = |tables: &Self, place| (place, tables.held_at(place, at(row, place)));
        pairs.into_iter().all(|(a, b)| self.agree(keys, held(self, a), held(self, b)))
    }

    fn agree(&mut self, keys: Id<Keys>, one: HeldAt, other: HeldAt) -> bool {
        let key = (keys, one, other);
        if let Some(known) = self.answers.agree.get(&key) {
            return *known;
        }
        let held = |(_, held): HeldAt| &self.held[held];
        let writes = |at: HeldAt| held(at).visible.iter().map(|(write, _)| *write);
        let alike = held(one).node.up
            && held(other).node.up
            && writes(one).next().is_some()
            && writes(one).eq(writes(other));
        let mut compared = false;
        let agree = !alike || {
            // No client asks here: a panic is found where one does.
            match (self.local_answers(keys, one), self.local_answers(keys, other)) {
                (Ok((a, _)), Ok((b, _))) => {
                    let values = |at: Id<Finals>| self.answers.locals[at].iter();
                    // What a node does not answer by itself is not compared.
                    let mut both = values(a).flat_map(|(_, call, mine)| {
                        let theirs = values(b).filter(move |(_, other, _)| call == other);
                        theirs.filter_map(move |(.., theirs)| mine.answer().zip(theirs.answer()))
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
