//! What is judged: quiet clusters with their final reads, and conditions on
//! every state.
//!
//! Everything here is remembered by number: answers by what a node holds,
//! sights by history and answers, so that a judge is asked once for each pair
//! however many states have it. It does not know what is allowed.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::history::{Call, Completion, NodeId, Value};
use crate::replication::{Cluster, Effects, OperationId, Strategy, When};
use crate::world::component::{LocalInput, NodeOf, Panicked, local_step};
use crate::world::{Facts, SettleLimits, ask};

use super::numbered::Numbered;
use super::tables::Tables;
use super::{Sight, Work};

/// Final reads with their answers.
type Finals = Vec<(NodeId, Call, Option<Value>)>;

/// Answers that are known, by number.
#[derive(Default)]
pub(super) struct Answers {
    /// The answers a node gives at once, by place and what is held; none if
    /// one of them takes others.
    local: FxHashMap<(usize, u32), Option<u32>>,
    locals: Numbered<Finals>,
    finals: Numbered<Finals>,
    /// By what answers depend on: the answers of each node, or what is held.
    known: FxHashMap<(bool, SmallVec<[u32; 8]>), u32>,
    /// What has been judged: rest and answers, or rest alone; and what is held
    /// everywhere, if what is visible counts.
    judged: FxHashSet<(u32, Option<u32>, SmallVec<[u32; 8]>)>,
    rests: FxHashSet<u32>,
    /// What a component comes to once all has been delivered.
    pub(super) drained: FxHashMap<(usize, u32), SmallVec<[u32; 4]>>,
    /// What has been looked at for invariants and for agreement.
    looked: FxHashSet<SmallVec<[u32; 8]>>,
    agree: FxHashMap<(usize, u32, usize, u32), bool>,
    /// How often two nodes could be compared.
    pub(super) compared: u64,
}

impl<S: Strategy> Tables<'_, S> {
    /// What a node that holds this answers at once to a read of every key.
    fn local_answers(&mut self, place: usize, held: u32) -> Result<Option<u32>, Panicked> {
        if let Some(known) = self.answers.local.get(&(place, held)) {
            return Ok(*known);
        }
        let node = NodeId(u16::try_from(place).expect("nodes are few"));
        let cluster = Cluster::of(self.setting.nodes);
        let session = u16::try_from(self.clients.sessions()).expect("sessions are few");
        let mut answers = Finals::new();
        let mut at_once = true;
        for key in self.keys() {
            let call = Call::read(key);
            if !self.strategy.serves(&call, node, &cluster) {
                continue;
            }
            let mut asked = self.held.values[held as usize].node.clone();
            let operation = OperationId { session, number: 0 };
            let request = LocalInput::Request(operation, call.clone(), S::Token::default());
            let mut effects = Effects::new();
            local_step(self.strategy, &mut asked, request, self.now, &mut effects)?;
            let value = effects.replies.into_iter().find_map(|reply| match reply.completion {
                Completion::Ok(value) if reply.operation == operation => Some(value),
                _ => None,
            });
            at_once &= value.is_some();
            answers.push((node, call, value));
        }
        let number = at_once.then(|| self.answers.locals.number(answers));
        self.answers.local.insert((place, held), number);
        Ok(number)
    }

    fn keys(&self) -> Vec<crate::history::Key> {
        match &self.plan.work {
            Work::Scripted(workload) => workload.keys(),
            Work::Open(open) => open.keys(),
        }
    }

    /// What tells the answers of a row apart: the number of each node's
    /// answers, if all are given at once.
    pub(super) fn answer_of(&mut self, place: usize, at: u32) -> Result<Option<u32>, Panicked> {
        let held = self.held_at(place, at);
        self.local_answers(place, held)
    }

    /// The final reads of a row, by number. In a cluster that is not quiet,
    /// only if every node answers at once.
    pub(super) fn finals(&mut self, row: &[u32]) -> Result<Option<u32>, Panicked> {
        let nodes = row.len() - 1;
        let mut by: SmallVec<[u32; 8]> = SmallVec::new();
        for (place, &at) in row.iter().enumerate().take(nodes) {
            by.extend(self.answer_of(place, at)?);
        }
        let at_once = by.len() == nodes;
        if !at_once && !self.numbers.is_quiet(row) {
            return Ok(None);
        }
        if !at_once {
            by = (0..nodes).map(|place| self.held_at(place, row[place])).collect();
        }
        let key = (at_once, by);
        if let Some(known) = self.answers.known.get(&key) {
            return Ok(Some(*known));
        }
        let finals = if at_once {
            let locals =
                key.1.iter().flat_map(|at| self.answers.locals.values[*at as usize].clone());
            let mut finals: Finals = locals.collect();
            // Key by key, as a run issues them.
            finals.sort_by(|a, b| a.1.key.cmp(&b.1.key));
            finals
        } else {
            self.ask_all(&self.nodes(row))?
        };
        let number = self.answers.finals.number(finals);
        self.answers.known.insert(key, number);
        Ok(Some(number))
    }

    fn ask_all(&self, nodes: &[NodeOf<S>]) -> Result<Finals, Panicked> {
        let cluster = Cluster::of(self.setting.nodes);
        let mut session = u16::try_from(self.clients.sessions()).expect("sessions are few");
        let mut finals = Finals::new();
        for key in self.keys() {
            for node in cluster.nodes() {
                let call = Call::read(key.clone());
                if !self.strategy.serves(&call, node, &cluster) {
                    continue;
                }
                let operation = OperationId { session, number: 0 };
                session += 1;
                let limits = SettleLimits::default();
                let facts = || crate::world::Facts::of(nodes.len());
                let (strategy, now) = (self.strategy, self.now);
                let answer = ask(strategy, nodes, now, operation, node, &call, limits, facts)?;
                finals.push((node, call, answer.map(|answer| answer.value)));
            }
        }
        Ok(finals)
    }

    /// What the final reads of a row take into account.
    fn facts(&self, row: &[u32], answers: &Finals) -> Result<Facts, Panicked> {
        let nodes = self.nodes(row);
        let mut facts = Facts::of(nodes.len());
        for (place, &at) in row.iter().enumerate().take(nodes.len()) {
            let node = NodeId(u16::try_from(place).expect("nodes are few"));
            for &(write, stamp) in &self.held.values[self.held_at(place, at) as usize].visible {
                facts.visible(node, write, stamp);
            }
        }
        let first = u16::try_from(self.clients.sessions()).expect("sessions are few");
        for (session, (node, call, _)) in (first..).zip(answers) {
            let operation = OperationId { session, number: 0 };
            let limits = SettleLimits::default();
            let (strategy, now) = (self.strategy, self.now);
            let known = || facts.clone();
            let answer = ask(strategy, &nodes, now, operation, *node, call, limits, known)?;
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
    ) -> Result<u64, Panicked> {
        let rest = row[row.len() - 1];
        let finals = if quiet { self.finals(row)? } else { None };
        // What is visible where is not told by the answers.
        let places = if self.plan.tracks.visible { row.len() - 1 } else { 0 };
        let held = (0..places).map(|place| self.held_at(place, row[place])).collect();
        self.answers.rests.insert(rest);
        if !self.answers.judged.insert((rest, finals, held)) {
            return Ok(0);
        }
        let answers = finals.map(|finals| self.answers.finals.values[finals as usize].clone());
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

    /// The invariants that must hold always, one bit each.
    pub(super) fn always(&self) -> u64 {
        let all = self.strategy.invariants();
        let always = all.iter().enumerate().filter(|(_, one)| one.when == When::Always);
        always.fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// Which invariants break in this row, and which hold that have to hold
    /// once, one bit each.
    pub(super) fn invariants(&mut self, row: &[u32]) -> (u64, u64) {
        let nodes = row.len() - 1;
        let held: SmallVec<[u32; 8]> =
            (0..nodes).map(|place| self.held_at(place, row[place])).collect();
        let (mut broken, mut reached) = (0, 0);
        if self.answers.looked.contains(&held) {
            return (broken, reached);
        }
        let replicas: Vec<_> =
            held.iter().map(|at| &self.held.values[*at as usize].node.replica).collect();
        for (at, invariant) in self.strategy.invariants().iter().enumerate() {
            match (invariant.when, (invariant.holds)(&replicas)) {
                (When::Always, false) => broken |= 1 << at,
                (When::Sometimes, true) => reached |= 1 << at,
                _ => {}
            }
        }
        self.answers.looked.insert(held);
        (broken, reached)
    }

    /// Whether nodes that took the same writes into account answer alike.
    pub(super) fn agrees(&mut self, row: &[u32]) -> Result<bool, Panicked> {
        for one in 0..row.len() - 1 {
            for other in 0..one {
                if !self.agree(one, row[one], other, row[other])? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn agree(&mut self, one: usize, a: u32, other: usize, b: u32) -> Result<bool, Panicked> {
        let (a, b) = (self.held_at(one, a), self.held_at(other, b));
        let key = (one, a, other, b);
        if let Some(known) = self.answers.agree.get(&key) {
            return Ok(*known);
        }
        let held = |at: u32| &self.held.values[at as usize];
        let writes = |at: u32| held(at).visible.iter().map(|(write, _)| *write);
        let alike = held(a).node.up
            && held(b).node.up
            && writes(a).next().is_some()
            && writes(a).eq(writes(b));
        let mut compared = false;
        let agree = !alike || {
            let (a, b) = (self.local_answers(one, a)?, self.local_answers(other, b)?);
            let values = |at: Option<u32>| at.map(|at| &self.answers.locals.values[at as usize]);
            // A node that does not answer by itself is not compared.
            match (values(a), values(b)) {
                (Some(a), Some(b)) => {
                    compared = true;
                    a.iter().all(|(_, call, value)| {
                        b.iter().all(|(_, other, theirs)| call != other || value == theirs)
                    })
                }
                _ => true,
            }
        };
        self.answers.compared += u64::from(compared);
        self.answers.agree.insert(key, agree);
        Ok(agree)
    }
}
