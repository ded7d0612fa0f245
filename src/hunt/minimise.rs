//! Minimises a failing run by re-execution.
//!
//! The schedule of a run consists of chosen actions and of settling, which
//! follows from them. Minimal means: if any one chosen action (an invocation, a
//! delivery out of turn, a fault) is removed with all that it made possible,
//! and the run settles again, then the property no longer fails in the same way
//! for the same [`Cause`]. [`minimise`] removes actions until that is so; its
//! last pass, over all single removals, is the check. Nor is there an amount, an element or
//! a position in a call that could alone be nearer to 0 by one, as far as
//! `nearer_to_zero` goes.
//!
//! Invariant: a node is removed only if no handler could have observed it:
//! nothing was sent to it and nothing happened there. Otherwise, for example, a
//! primary that waits for all backups would answer earlier.
//!
//! Removal of chunks: Zeller & Hildebrandt 2002 (delta debugging). At worst
//! O(n²) re-executions for n chosen actions.

use std::collections::BTreeSet;

use crate::history::{Argument, Call, Menu, NodeId, Value};
use crate::judgement::datatype::Datatype;
use crate::judgement::{Counterexample, Verdict, recheck_with};
use crate::replication::OperationId;
use crate::search::key;
use crate::world::re_execute;
use crate::world::trace;
use crate::world::{
    Action, Ending, FaultPlan, Routing, Run, Script, SessionId, Setting, Shows, Step, Strike,
    Workload,
};

use super::Subject;
use super::cause::Cause;
use super::property::{Flaw, Judgement, Property, judge};

/// A failing run, with everything needed to run it again.
#[derive(Clone, Debug)]
pub struct Failing {
    /// The setting.
    pub setting: Setting,
    /// What clients ask.
    pub workload: Workload,
    /// The run.
    pub run: Run,
    /// The property that fails.
    pub property: Property,
    /// What the operations mean.
    pub datatype: &'static dyn Datatype,
    /// How it fails.
    pub flaw: Flaw,
    /// The evidence, if the history itself is the flaw.
    pub counterexample: Option<Counterexample>,
}

impl Failing {
    /// Judges a run by a property: the failing run, if it fails. A run is
    /// judged only here.
    pub fn of(
        setting: Setting,
        workload: Workload,
        run: Run,
        (property, datatype): (Property, &'static dyn Datatype),
    ) -> Option<Failing> {
        let judgement = judge(&run, &property, datatype);
        Self::judged((setting, workload), run, (property, datatype), judgement)
    }

    /// The failing run, if the judgement says that it fails.
    pub(super) fn judged(
        (setting, workload): (Setting, Workload),
        run: Run,
        (property, datatype): (Property, &'static dyn Datatype),
        judgement: Judgement,
    ) -> Option<Failing> {
        let Judgement::Violated(flaw, counterexample) = judgement else { return None };
        Some(Failing { setting, workload, run, property, datatype, flaw, counterexample })
    }

    /// The result of judging it.
    pub fn judgement(&self) -> Judgement {
        Judgement::Violated(self.flaw, self.counterexample.clone())
    }

    /// The chosen actions, without those of settling.
    pub fn chosen(&self) -> Vec<Step> {
        self.run.schedule.iter().filter(|step| !step.settling).copied().collect()
    }

    /// Executes another schedule in another setting. Returns the run if it
    /// fails in the same way for the same cause. `name` maps the id of an
    /// operation to its new id, or to `None` if the operation is gone.
    fn again(
        &self,
        how: How<'_>,
        (setting, workload, chosen): (Setting, Workload, &[Step]),
        name: impl Fn(OperationId) -> Option<OperationId>,
    ) -> Option<Failing> {
        let run = re_execute(how.subject, &setting, &workload, chosen, self.property.shows());
        if how.aim == Aim::FewestActions && run.schedule.len() > self.run.schedule.len() {
            return None;
        }
        let judged = (self.property.clone(), self.datatype);
        let other = Failing::of(setting, workload, run, judged)?;
        let same = other.flaw == self.flaw && other.cause() == self.cause().renamed(name);
        same.then_some(other)
    }

    fn cause(&self) -> Cause {
        Cause::of(&self.run, &self.judgement(), self.datatype)
    }

    /// A key that orders equally short runs by simplicity: first the fewest
    /// chosen actions, then the fewest sessions, nodes, keys and faults, then
    /// the smallest values (numbers nearest to 0), nodes and processes.
    pub fn plainness(&self) -> impl Ord + use<> {
        let operations = self.run.history.operations();
        let asked: Vec<_> = operations.iter().filter(|op| !op.final_read).collect();
        let nodes: BTreeSet<_> = asked.iter().map(|op| op.node).collect();
        let keys: BTreeSet<_> = asked.iter().map(|op| op.call.key.clone()).collect();
        let faults: usize = self.run.faults.total();
        let used = (self.workload.sessions.len(), nodes.len(), keys.len(), faults);
        let size = |value: &Value| (distances(value), value.clone());
        let values: Vec<_> = asked.iter().map(|op| size(&op.call.argument)).collect();
        let who: Vec<_> = operations.iter().map(|op| op.process).collect();
        let places: Vec<_> = asked.iter().map(|op| op.node).collect();
        (self.chosen().len(), used, values, places, who)
    }

    /// Rechecks the evidence by code that did not produce it.
    ///
    /// # Panics
    /// If the evidence is wrong: then the checker has a bug, and nothing that
    /// it says can be trusted.
    fn recheck(&self) {
        if let (Property::Model(model), Some(found)) = (&self.property, &self.counterexample)
            && let verdict = Verdict::Violated(found.clone())
            && let Err(unsound) = recheck_with(&self.run.history, *model, self.datatype, &verdict)
        {
            let text = crate::history::notation::write(&self.run.history);
            assert!(
                unsound.too_large,
                "{unsound}; this is a bug in the checker of `{}`: {text}",
                model.name()
            );
        }
    }
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The number of chosen actions. A removal is accepted even if settling
    /// then takes longer, because the steps of settling need no explanation.
    FewestChoices,
    /// The number of all actions, for runs of the exhaustive search, which are
    /// shortest runs. A removal that makes settling longer is refused, because
    /// the run would no longer be one.
    FewestActions,
}

/// How a run is minimised.
#[derive(Clone, Copy)]
struct How<'s> {
    subject: &'s dyn Subject,
    aim: Aim,
}

/// Removes whatever can be removed. The result fails in the same way for the
/// same cause, no single chosen action can be removed from it, and its evidence
/// has been rechecked unless it is too large. A run that ends with a chosen
/// cycle is only rechecked.
pub fn minimise(subject: &dyn Subject, aim: Aim, mut failing: Failing) -> Failing {
    let how = How { subject, aim };
    // A cycle cannot be minimised step by step: without any one of its steps it
    // does not close.
    while !matches!(failing.run.ending, Ending::Cycle { .. }) {
        let (schedule, setting, workload) =
            (failing.run.schedule.clone(), failing.setting.clone(), failing.workload.clone());
        failing = shortest_end(how, failing);
        failing = fewer_actions(how, failing);
        failing = tidier(how, failing);
        failing = nearer_to_zero(how, failing);
        failing = fewer_nodes(how, failing);
        // A pass that changed nothing has tried every single removal, so the
        // run is minimal.
        let same = failing.setting == setting && failing.workload == workload;
        if same && failing.run.schedule == schedule {
            break;
        }
    }
    failing.recheck();
    failing
}

/// Ends the run at the step where the property fails, if that is not its last.
fn shortest_end(how: How<'_>, failing: Failing) -> Failing {
    if !matches!(failing.property.shows(), Shows::Broken(_)) {
        return failing;
    }
    let chosen = failing.chosen();
    let place = (failing.setting.clone(), failing.workload.clone(), &chosen[..]);
    failing.again(how, place, Some).unwrap_or(failing)
}

/// Removes chunks of chosen actions, halving their size down to one, until no
/// single action can be removed.
fn fewer_actions(how: How<'_>, mut failing: Failing) -> Failing {
    let mut chunk = failing.chosen().len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut removed = false;
        loop {
            let mut chosen = failing.chosen();
            if at >= chosen.len() {
                break;
            }
            let end = (at + chunk).min(chosen.len());
            chosen.drain(at..end);
            let place = (failing.setting.clone(), failing.workload.clone(), &chosen[..]);
            match failing.again(how, place, Some) {
                // Accept only a run with fewer chosen actions.
                Some(smaller) if smaller.chosen().len() < failing.chosen().len() => {
                    failing = smaller;
                    removed = true;
                }
                _ => at = end,
            }
        }
        if chunk > 1 {
            chunk = chunk.div_ceil(2);
        } else if !removed {
            return failing;
        }
    }
}

/// Normalises names, each only if the failure stays the same: drops what is not
/// used, names sessions in the order in which they begin and keys from the
/// first name on, and numbers values in the order of writing; equal ones stay
/// equal.
fn tidier(how: How<'_>, mut failing: Failing) -> Failing {
    failing = renamed(how, failing, Sessions::AsTheyAre);
    failing = renamed(how, failing, Sessions::AsTheyBegin);
    let before = failing.workload.clone();
    failing = revalued(how, failing, |written| {
        let first = |value| written.iter().position(|other| other == value).expect("one of them");
        let mut firsts: Vec<usize> = written.iter().map(first).collect();
        firsts.sort_unstable();
        firsts.dedup();
        let rank = |value| firsts.binary_search(&first(value)).expect("one of them");
        written.iter().map(|value| 1 + i64::try_from(rank(value)).expect("few")).collect()
    });
    if failing.workload == before {
        // The failure may depend on the order of the values, as with a strategy
        // that keeps the largest one. Then keep that order, and number the
        // values without gaps.
        failing = revalued(how, failing, |written| {
            let mut all = written.to_vec();
            all.sort_unstable();
            all.dedup();
            let rank = |value: &i64| all.binary_search(value).expect("one of them");
            written.iter().map(|value| 1 + i64::try_from(rank(value)).expect("few")).collect()
        });
    }
    let keys = failing.workload.keys();
    let mut workload = failing.workload.clone();
    for planned in workload.sessions.iter_mut().flat_map(|script| &mut script.operations) {
        let at = keys.binary_search(&planned.call.key).expect("a key of the workload");
        planned.call.key = key(at);
    }
    let setting = failing.setting.clone();
    changed(how, failing, setting, workload)
}

/// Runs the same steps in another setting with another workload. Keeps the
/// result only if it fails in the same way.
fn changed(how: How<'_>, failing: Failing, setting: Setting, workload: Workload) -> Failing {
    if failing.setting == setting && failing.workload == workload {
        return failing;
    }
    let chosen = failing.chosen();
    let other = failing.again(how, (setting, workload, &chosen), Some);
    other.filter(|other| other.chosen().len() <= chosen.len()).unwrap_or(failing)
}

/// The setting without unspent fault budgets, and the workload without nodes
/// that the routing never uses.
fn only_used(failing: &Failing) -> (Setting, Workload) {
    let faults = FaultPlan { budget: failing.run.faults, ..failing.setting.faults.clone() };
    let setting = Setting { faults, ..failing.setting.clone() };
    let mut workload = failing.workload.clone();
    for script in &mut workload.sessions {
        if setting.routing == Routing::Sticky {
            script.operations.iter_mut().for_each(|planned| planned.node = None);
        } else if let Some(node) = script.operations.first().and_then(|planned| planned.node) {
            // Every roaming operation names its node, so the session's own node
            // has no effect. Set it to the node of the first operation, so that
            // it does not keep another node in the cluster.
            script.node = node;
        }
    }
    (setting, workload)
}

/// The order in which sessions are named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sessions {
    AsTheyAre,
    AsTheyBegin,
}

/// Drops operations that are never invoked, and names the sessions in this
/// order.
fn renamed(how: How<'_>, failing: Failing, sessions: Sessions) -> Failing {
    let chosen = failing.chosen();
    let invoked: Vec<OperationId> = chosen
        .iter()
        .filter_map(|step| match step.action {
            Action::Invoke(operation) => Some(operation),
            _ => None,
        })
        .collect();
    let mut order: Vec<u16> = Vec::new();
    for operation in &invoked {
        if !order.contains(&operation.session) {
            order.push(operation.session);
        }
    }
    if sessions == Sessions::AsTheyAre {
        order.sort_unstable();
    }
    let (setting, used) = only_used(&failing);
    let mut names = Vec::new();
    let mut workload = Workload::default();
    for (session, &old) in (0u16..).zip(&order) {
        let script = &used.sessions[usize::from(old)];
        let mut operations = Vec::new();
        for (number, planned) in (0u16..).zip(&script.operations) {
            let old = OperationId { session: old, number };
            if invoked.contains(&old) {
                let number = u16::try_from(operations.len()).expect("few");
                names.push((old, OperationId { session, number }));
                operations.push(planned.clone());
            }
        }
        workload.sessions.push(Script { node: script.node, operations });
    }
    let name = |old: OperationId| {
        let found = names.iter().find(|(from, _)| *from == old);
        found.map(|(_, to)| *to)
    };
    let session = |old: SessionId| {
        let found = names.iter().find(|(from, _)| from.session == old.0);
        found.map_or(old, |(_, to)| SessionId(to.session))
    };
    let rename = |action: &Action| match *action {
        Action::Invoke(old) => Action::Invoke(name(old).expect("invoked operations are kept")),
        Action::GiveUp(old) => Action::GiveUp(session(old)),
        Action::Retry(old, node) => Action::Retry(session(old), node),
        other => other,
    };
    let steps: Vec<_> =
        chosen.iter().map(|step| Step { action: rename(&step.action), ..*step }).collect();
    if (&setting, &workload) == (&failing.setting, &failing.workload) {
        return failing;
    }
    let tidy = failing.again(how, (setting, workload, &steps), name);
    tidy.filter(|tidy| tidy.chosen().len() <= chosen.len()).unwrap_or(failing)
}

/// Writes other numbers: `values` maps the arguments that are numbers, and the first
/// ones of lists, in the order of invocation, to new ones.
fn revalued(how: How<'_>, failing: Failing, values: impl Fn(&[i64]) -> Vec<i64>) -> Failing {
    let mut workload = failing.workload.clone();
    let written: Vec<(OperationId, i64)> = failing
        .chosen()
        .iter()
        .filter_map(|step| {
            let Action::Invoke(id) = step.action else { return None };
            let script = workload.sessions.get(usize::from(id.session))?;
            let call = &script.operations.get(usize::from(id.number))?.call;
            match &call.argument {
                Value::Int(value) => Some((id, *value)),
                Value::List(all) => match all.first() {
                    Some(Value::Int(value)) => Some((id, *value)),
                    _ => None,
                },
                _ => None,
            }
        })
        .collect();
    let before: Vec<i64> = written.iter().map(|(_, value)| *value).collect();
    for ((id, _), value) in written.iter().zip(values(&before)) {
        let script = &mut workload.sessions[usize::from(id.session)];
        match &mut script.operations[usize::from(id.number)].call.argument {
            Value::List(all) => all[0] = Value::Int(value),
            argument => *argument = Value::Int(value),
        }
    }
    let setting = failing.setting.clone();
    changed(how, failing, setting, workload)
}

/// How far the numbers of a value are from 0; of two that are as far, the negative one is
/// said to be farther.
fn distances(value: &Value) -> Vec<(u64, bool)> {
    match value {
        Value::Int(number) => vec![(number.unsigned_abs(), *number < 0)],
        Value::List(all) => all.iter().flat_map(distances).collect(),
        Value::Null | Value::Text(_) => Vec::new(),
    }
}

/// Moves the numbers of calls toward 0, each as far as the failure stays the same: an
/// amount, an element among which clients choose, a position. What the menu of the datatype
/// calls a new number only tells values apart, as those that are written to a register do;
/// [`tidier`] has numbered these. Equal ones first go together: two inserts at one position
/// may matter because it is the same one.
fn nearer_to_zero(how: How<'_>, mut failing: Failing) -> Failing {
    let menu = failing.datatype.menu(1);
    for place in places(&failing.workload) {
        let Some(least) = place.least(&failing.workload, &menu) else { continue };
        let workload = &failing.workload;
        let mut equal = places(workload);
        equal.retain(|other| {
            other.number(workload) == place.number(workload)
                && other.least(workload, &menu) == Some(least)
        });
        failing = nearer(how, failing, &equal, least);
        failing = nearer(how, failing, &[place], least);
    }
    failing
}

/// Moves equal numbers toward 0 until the next step would be too far; not below `least`.
fn nearer(how: How<'_>, mut failing: Failing, equal: &[Place], least: u64) -> Failing {
    let now = |failing: &Failing| equal.first().and_then(|it| it.number(&failing.workload));
    let mut step = u64::MAX;
    while let Some(from) = now(&failing) {
        // The whole way, or half of what was too far.
        step = step.min(from.unsigned_abs().saturating_sub(least));
        if step == 0 {
            break;
        }
        let size = i64::try_from(from.unsigned_abs() - step).expect("it is nearer to 0");
        let mut workload = failing.workload.clone();
        equal.iter().for_each(|place| place.set(&mut workload, from.signum() * size));
        let setting = failing.setting.clone();
        failing = changed(how, failing, setting, workload);
        if now(&failing) == Some(from) {
            step /= 2;
        }
    }
    failing
}

/// Where a number stands in a workload: in the argument of this operation, the only one or
/// the one at this place of a list.
#[derive(Clone, Copy)]
struct Place {
    session: usize,
    operation: usize,
    nth: usize,
}

/// Where numbers may stand.
fn places(workload: &Workload) -> Vec<Place> {
    let mut all = Vec::new();
    for (session, script) in workload.sessions.iter().enumerate() {
        for (operation, planned) in script.operations.iter().enumerate() {
            let length = match &planned.call.argument {
                Value::List(list) => list.len(),
                _ => 1,
            };
            all.extend((0..length).map(|nth| Place { session, operation, nth }));
        }
    }
    all
}

impl Place {
    fn call(self, workload: &Workload) -> &Call {
        &workload.sessions[self.session].operations[self.operation].call
    }

    /// The number that stands there, if there is one.
    fn number(self, workload: &Workload) -> Option<i64> {
        let value = match &self.call(workload).argument {
            Value::List(all) => all.get(self.nth)?,
            value => value,
        };
        match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    fn set(self, workload: &mut Workload, number: i64) {
        let script = &mut workload.sessions[self.session];
        match &mut script.operations[self.operation].call.argument {
            Value::List(all) => all[self.nth] = Value::Int(number),
            value => *value = Value::Int(number),
        }
    }

    /// How near to 0 the number may come that clients choose there; `None` if they choose
    /// none. Like [`tidier`], elements and amounts begin at 1, with a call that does
    /// something; positions begin where the menu says.
    fn least(self, workload: &Workload, menu: &Menu) -> Option<u64> {
        let call = self.call(workload);
        let mut least: Option<u64> = None;
        let items = menu.updates.iter().chain(&menu.queries).filter(|item| item.f == call.f);
        for item in items {
            let argument = match &item.argument {
                Argument::List(all) => all.get(self.nth),
                only => (self.nth == 0).then_some(only),
            };
            match argument {
                Some(Argument::This(Value::Int(number))) => {
                    let size = number.unsigned_abs();
                    least = Some(least.map_or(size, |least| least.min(size)));
                }
                Some(Argument::New) => return None,
                _ => {}
            }
        }
        least.map(|least| least.max(u64::from(self.nth == 0)))
    }
}

/// Removes nodes that took no part in the run, from the end of the cluster.
fn fewer_nodes(how: How<'_>, mut failing: Failing) -> Failing {
    while failing.setting.nodes > 1 && !takes_part(how.subject, &failing) {
        let setting = Setting { nodes: failing.setting.nodes - 1, ..failing.setting.clone() };
        let nodes = setting.nodes;
        let chosen = failing.chosen();
        let place = (setting, failing.workload.clone(), &smaller_splits(&chosen, nodes)[..]);
        match failing.again(how, place, Some) {
            Some(other) if other.chosen().len() <= chosen.len() => failing = other,
            _ => break,
        }
    }
    failing
}

/// The steps without this node in what partitions split. A side that is empty then stays,
/// and the partition is not possible.
fn smaller_splits(chosen: &[Step], node: u16) -> Vec<Step> {
    let smaller = |step: &Step| match step.action {
        Action::Strike(at, Strike::Partition(split)) => {
            let split = split.without(NodeId(node)).unwrap_or(split);
            Step { action: Action::Strike(at, Strike::Partition(split)), ..*step }
        }
        _ => *step,
    };
    chosen.iter().map(smaller).collect()
}

/// Whether the last node was used by a client, took a step, or sent or was sent
/// a message.
fn takes_part(subject: &dyn Subject, failing: &Failing) -> bool {
    let last = NodeId(failing.setting.nodes - 1);
    let mut scripts = failing.workload.sessions.iter();
    let asked = scripts.any(|script| {
        let mut nodes = script.operations.iter().map(|planned| planned.node);
        script.node == last || nodes.any(|node| node == Some(last))
    });
    let trace = trace::trace(subject, &failing.setting, &failing.workload, &failing.run.schedule);
    let mut sent = trace.start.iter().chain(trace.steps.iter().flat_map(|step| &step.sends));
    asked
        || trace.steps.iter().any(|step| step.happened.node == last)
        || sent.any(|(name, _)| name.from == last || name.to == last)
}
