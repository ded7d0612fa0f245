//! Compares the results of the search for a protocol with those of the dumb
//! search.

use std::collections::BTreeSet;

use quiescence::history::Call;
use quiescence::hunt::case::{Case, FoundBy, read, replay};
use quiescence::hunt::exhaustive::{Decision, Plan as HuntPlan, hunt};
use quiescence::hunt::property::Property;
use quiescence::hunt::{Subject, exhaustive::scope_text};
use quiescence::judgement::Model;
use quiescence::search::exhaustive::{
    Ending, Limits, MISDECLARED, Open, Plan, Reduce, Sight, Tracks, Work, explore,
};
use quiescence::world::{
    Ending as RunEnding, FaultKind, FaultPlan, Faults, InboxOnCrash, Network, Routing, Setting,
    Workload,
};

use super::dumb::{self, Dumb, Object};
use super::strategy::{ALL, Allowed, Choices, Protocol};

/// The most states of a random protocol.
const STATES_MAX: usize = 400;

/// A protocol, and the setting and scope in which it is searched.
pub struct Sample {
    pub protocol: Box<dyn Subject>,
    pub setting: Setting,
    pub scope: Open,
    pub object: Object,
    /// The most states, of all scripts together. Larger protocols are skipped.
    pub limit: usize,
    /// The protocol in words.
    pub words: String,
}

impl Sample {
    /// The sample that these bytes determine.
    pub fn of(bytes: &[u8], panics: bool) -> Self {
        let mut dice = Choices::of(bytes);
        let setting = setting(&mut dice);
        let scope = scope(&mut dice);
        let allowed = Allowed { panics: dice.once_in(4) && panics, ..ALL };
        let protocol = Protocol::of(&mut dice, setting.nodes, allowed);
        let words = format!("{protocol:?}");
        let object = Object::register();
        let protocol = Box::new(protocol);
        Sample { protocol, setting, scope, object, limit: STATES_MAX, words }
    }

    /// A protocol that writes to disks, where nodes may be gone for good, flushes
    /// be lost and operators be at work: the sample that these bytes determine.
    pub fn on_disk(bytes: &[u8]) -> Self {
        let mut dice = Choices::of(bytes);
        let mut setting = setting(&mut dice);
        let often = [FaultKind::Crash, FaultKind::Kill, FaultKind::LostFlush, FaultKind::Operator];
        setting.faults.budget = Faults::NONE;
        for _ in 0..1 + dice.below(2) {
            setting.faults.budget[often[usize::from(dice.below(4))]] = 1;
        }
        let scope = scope(&mut dice);
        let allowed = Allowed { panics: dice.once_in(6), disk: dice.below(5) > 0, ..ALL };
        let protocol = Protocol::of(&mut dice, setting.nodes, allowed);
        let words = format!("{protocol:?}");
        let object = Object::register();
        let protocol = Box::new(protocol);
        Sample { protocol, setting, scope, object, limit: 2 * STATES_MAX, words }
    }

    /// A protocol whose links are cut: the sample that these bytes determine.
    pub fn with_cuts(bytes: &[u8]) -> Self {
        let mut dice = Choices::of(bytes);
        let mut setting = setting(&mut dice);
        setting.nodes = setting.nodes.max(2);
        let kind = if dice.below(2) == 0 { FaultKind::Cut } else { FaultKind::Partition };
        setting.faults.budget = Faults::NONE.with(kind, 1);
        let others = [FaultKind::Cut, FaultKind::Crash, FaultKind::Kill, FaultKind::Partition];
        if dice.below(3) == 0 {
            setting.faults.budget[others[usize::from(dice.below(4))]] += 1;
        }
        let scope = scope(&mut dice);
        let allowed = Allowed { panics: dice.once_in(6), disk: dice.once_in(6), ..ALL };
        let protocol = Protocol::of(&mut dice, setting.nodes, allowed);
        let words = format!("{protocol:?}");
        let object = Object::register();
        let protocol = Box::new(protocol);
        Sample { protocol, setting, scope, object, limit: 2 * STATES_MAX, words }
    }

    /// A protocol with deadlines, whose clocks may drift apart: the sample that these
    /// bytes determine.
    pub fn with_deadlines(bytes: &[u8]) -> Self {
        let mut dice = Choices::of(bytes);
        let mut setting = setting(&mut dice);
        let often = [FaultKind::Crash, FaultKind::Kill, FaultKind::Operator, FaultKind::Partition];
        setting.faults.budget = Faults::NONE;
        if dice.below(2) == 0 {
            setting.faults.budget[often[usize::from(dice.below(4))]] = 1;
        }
        setting.faults.clocks = if dice.once_in(4) { vec![0, 1] } else { Vec::new() };
        setting = setting.with_clocks(u16::from(dice.below(3)));
        if dice.below(4) > 0 {
            setting.nodes = setting.nodes.min(2);
        }
        let scope = scope(&mut dice);
        let (panics, disk) = (dice.once_in(6), dice.once_in(6));
        let allowed = Allowed { panics, disk, deadlines: true, ..ALL };
        let protocol = Protocol::of(&mut dice, setting.nodes, allowed);
        setting.faults.lose_clock = dice.below(2) == 0;
        let words = format!("{protocol:?}");
        let object = Object::register();
        let protocol = Box::new(protocol);
        Sample { protocol, setting, scope, object, limit: 2 * STATES_MAX, words }
    }

    fn properties(&self) -> Vec<Property> {
        let models = [
            Model::EVENTUAL,
            Model::EventualRealTime,
            Model::READ_YOUR_WRITES,
            Model::MONOTONIC_READS,
            Model::Linearizable,
        ];
        let mut all: Vec<_> = models.map(Property::Model).into();
        all.extend([Property::Durable, Property::Answered, Property::Available]);
        all.extend([Property::StrongConvergence, Property::NoPanic]);
        let conditions = self.protocol.conditions().into_iter();
        all.extend(conditions.filter_map(|(name, when)| Property::of_invariant(name, when)));
        all
    }

    /// The result of the search for each property.
    fn hunt(&self, reduce: Reduce, jobs: usize) -> Vec<(Property, Decision)> {
        let plan = HuntPlan {
            setting: self.setting.clone(),
            scopes: vec![self.scope],
            menu: self.object.menu.clone(),
            datatype: self.object.datatype,
            properties: self.properties(),
            reduce,
            limits: Limits::default(),
            enough: None,
            jobs,
        };
        hunt(&*self.protocol, &plan, &|_| false).found
    }

    /// A search on one thread that only visits states.
    fn plan(&self, work: Work, tracks: Tracks, reduce: Reduce) -> Plan<'static> {
        Plan {
            work,
            tracks,
            reduce,
            limits: Limits::default(),
            lively: 0,
            quieting: 0,
            panics: false,
            patient: self.scope.patient,
            jobs: 1,
            stop: &|_| false,
        }
    }

    /// How a search without stale messages compares with a plain one: whether it finds
    /// fewer states, and whether it finds that a declaration is wrong.
    pub fn without_stale(&self) -> (bool, bool) {
        let tracks = Tracks { history: true, ..Tracks::default() };
        let limits = Limits { states: 4 * STATES_MAX as u64, ..Limits::default() };
        let explored = |reduce| {
            let work = Work::Open(self.scope, self.object.menu.clone());
            let plan = Plan { limits, ..self.plan(work, tracks, reduce) };
            let explored = explore(&*self.protocol, &self.setting, &plan, 0, &mut |_| 0);
            explored.expect("it is covered")
        };
        let plain = explored(Reduce::NONE);
        let stale = explored(Reduce { stale: true, ..Reduce::NONE });
        let wrong = stale.declined.iter().any(|(_, why)| *why == MISDECLARED);
        let complete = plain.ending == Ending::Complete;
        // In a queue it may be dropped before what it waits behind, and then a link is cut.
        let counts = complete && self.setting.network == Network::Unordered;
        assert!(!counts || stale.states <= plain.states, "{}", self.told());
        (complete && stale.states < plain.states, wrong)
    }

    /// How many states the search finds; `None` if they are more than `most`.
    fn states(&self, most: u64) -> Option<u64> {
        let tracks = Tracks { history: true, real_time: true, visible: true, ..Tracks::default() };
        let limits = Limits { states: most, ..Limits::default() };
        let work = Work::Open(self.scope, self.object.menu.clone());
        let plan = Plan { limits, ..self.plan(work, tracks, Reduce::NONE) };
        let explored = explore(&*self.protocol, &self.setting, &plan, 0, &mut |_| 0);
        let explored = explored.expect("it is covered");
        let ended = explored.ending == Ending::Complete || explored.states == 0;
        assert!(ended || explored.states > most, "{}", self.told());
        ended.then_some(explored.states)
    }

    /// The answers to clients, and those to final reads without their nodes:
    /// with symmetry, nodes that no client uses may be exchanged.
    fn outcomes(&self, workload: &Workload, reduce: Reduce) -> BTreeSet<String> {
        let tracks = Tracks { history: true, ..Tracks::default() };
        let plan = self.plan(Work::Scripted(workload.clone()), tracks, reduce);
        let mut all = BTreeSet::new();
        let mut judge = |sight: &Sight<'_>| {
            let answer = |(_, call, told): &(_, Call, _)| format!("{call} {told:?}");
            let mut finals: Vec<_> = sight.answers.iter().map(answer).collect();
            finals.sort();
            let asked = sight.operations.len() - finals.len();
            let told = sight.operations.iter().zip(sight.history.operations()).take(asked);
            let told: Vec<_> = told.map(|(id, op)| (id, &op.call, &op.completion)).collect();
            all.insert(format!("{} {told:?} {finals:?}", sight.quiet));
            0
        };
        let explored = explore(&*self.protocol, &self.setting, &plan, 1, &mut judge);
        explored.expect("it is covered");
        all
    }

    fn told(&self) -> String {
        let Setting { nodes, network, faults, routing } = &self.setting;
        let scope = scope_text(&self.scope, &self.object.menu);
        format!("{nodes} nodes, {network}, {routing}, {faults:?}, {scope}, {}", self.words)
    }
}

pub fn setting(dice: &mut Choices<'_>) -> Setting {
    let nodes = 1 + u16::from(dice.below(3));
    let mut budget = Faults::NONE;
    if dice.below(2) == 0 {
        let kind = FaultKind::ALL[usize::from(dice.below(8))];
        budget[kind] = 1;
    }
    let inbox = [InboxOnCrash::Lost, InboxOnCrash::Kept][usize::from(dice.below(2))];
    let clocks = if dice.once_in(6) { vec![1, 0, -1] } else { Vec::new() };
    let keep_token = dice.below(2) == 0;
    Setting {
        nodes,
        network: [Network::Fifo, Network::Unordered][usize::from(dice.below(2))],
        faults: FaultPlan { budget, inbox, clocks, keep_token, ..FaultPlan::default() },
        routing: [Routing::Sticky, Routing::Roaming][usize::from(dice.below(2))],
    }
}

pub fn scope(dice: &mut Choices<'_>) -> Open {
    let (sessions, writes, reads) =
        [(1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 3, 0), (2, 2, 0), (1, 1, 2)]
            [usize::from(dice.below(6))];
    let keys = if dice.once_in(5) { 2 } else { 1 };
    Open { sessions, writes, reads, keys, patient: dice.once_in(5) }
}

/// The result for a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    TooLarge,
    Kept,
    Violated,
}

/// Asserts that the search agrees with the dumb search.
pub fn compare(sample: &Sample) -> Came {
    let properties = sample.properties();
    let (protocol, setting) = (&*sample.protocol, &sample.setting);
    let scope = (sample.scope, &sample.object);
    // Whole worlds take much longer to find out that there are too many of them.
    let Some(states) = sample.states(4 * sample.limit as u64) else { return Came::TooLarge };
    let dumb = dumb::search(protocol, setting, scope, &properties, sample.limit);
    let Some(dumb) = dumb else { return Came::TooLarge };
    let expected = dumb.states as u64;
    if setting.faults.budget[FaultKind::Retry] == 0 {
        assert_eq!(states, expected, "states of {}", sample.told());
    } else {
        // One write may have a different stamp at each node. The search
        // distinguishes such states, but a world keeps only the highest stamp.
        assert!(states >= expected, "{states} of {expected} states of {}", sample.told());
    }
    let none = Reduce::NONE;
    for workload in
        dumb::workloads(protocol, setting, sample.scope, &sample.object.menu).iter().take(2)
    {
        let symmetric = sample.outcomes(workload, Reduce { symmetry: true, ..none });
        let plain = sample.outcomes(workload, none);
        assert_eq!(symmetric, plain, "outcomes with symmetry of {}", sample.told());
        // What never comes to quiet is shown once for all faults that have struck, and
        // which have is different without messages that make no difference.
        let quiet = |all: BTreeSet<String>| {
            all.into_iter().filter(|outcome| outcome.starts_with("true")).collect::<Vec<_>>()
        };
        let stale = quiet(sample.outcomes(workload, Reduce { stale: true, ..none }));
        assert_eq!(stale, quiet(plain), "outcomes without stale messages of {}", sample.told());
    }
    let others = [
        (none, 2),
        (Reduce { persistent: true, ..none }, 1),
        (Reduce { macro_steps: true, ..none }, 1),
        (Reduce { stale: true, ..none }, 1),
        (Reduce::ALL, 2),
    ];
    // Each protocol is searched without reductions, and with two of the others;
    // over many protocols all of them are used.
    let first = dumb.states % 5;
    agree_with(sample, &dumb, &[(none, 1), others[first], others[(first + 1) % 5]]);
    if dumb.violated.is_empty() { Came::Kept } else { Came::Violated }
}

/// Asserts that the search without stale messages agrees with the dumb search.
pub fn compare_stale(sample: &Sample) {
    let (protocol, scope) = (&*sample.protocol, (sample.scope, &sample.object));
    let properties = sample.properties();
    let dumb = dumb::search(protocol, &sample.setting, scope, &properties, 2 * sample.limit);
    if let Some(dumb) = dumb {
        agree_with(sample, &dumb, &[(Reduce { stale: true, ..Reduce::NONE }, 1)]);
    }
}

fn agree_with(sample: &Sample, dumb: &Dumb, all: &[(Reduce, usize)]) {
    for &(reduce, jobs) in all {
        for (property, outcome) in sample.hunt(reduce, jobs) {
            let told = || format!("{property} with {reduce} of {}", sample.told());
            agree(sample, dumb, &property, &outcome, &told);
        }
    }
}

fn agree(
    sample: &Sample,
    dumb: &Dumb,
    property: &Property,
    outcome: &Decision,
    told: &dyn Fn() -> String,
) {
    let panics = dumb.violated.contains_key(&Property::NoPanic);
    let lively = match property {
        Property::Model(model) => model.is_eventual(),
        Property::Durable | Property::Answered | Property::Available => true,
        _ => false,
    };
    match (dumb.violated.get(property), outcome) {
        (Some(length), Decision::Violated(finding)) => {
            let failing = &finding.failing;
            let found = failing.run.schedule.len();
            let counts = *property != Property::StrongConvergence;
            let endless = failing.run.ending != RunEnding::Settled && lively;
            if let Some(length) = length.filter(|_| counts && !endless) {
                // The search may find a shorter run with other values and
                // sessions. With patient timers it may find a longer one,
                // because settling may do what patient timers may not, and is
                // then found last.
                let short = found <= length || sample.scope.patient;
                let story = dumb.stories.get(property);
                assert!(
                    short,
                    "{found} actions, though {length} do: {}\n{story:?}\nFOUND {:?}",
                    told(),
                    failing.run
                );
            }
            let case = Case::of(&*sample.protocol, failing, true, FoundBy::default());
            let text = case.to_text();
            let again = read::read(&text).expect("a case that was written can be read");
            let replayed = replay::replay(&again, &*sample.protocol, sample.object.datatype);
            let outcome = replayed.map(|replayed| replayed.fidelity);
            assert_eq!(outcome, Ok(replay::Fidelity::Reproduced), "{}\n{text}", told());
        }
        // Where reads panic in what recurs for ever, the search asks nobody, and does not
        // look at what is open either.
        (Some(None), Decision::Unknown(_))
            if matches!(property, Property::Answered | Property::Available)
                && dumb.unknown.contains(property) => {}
        (None, Decision::Proved(..)) => {
            let unknown = dumb.unknown.contains(property) || (panics && lively);
            let why = (&dumb.unknown, &dumb.violated, &dumb.stories);
            assert!(!unknown, "proved, though not known: {}\n{why:?}", told());
        }
        (None, Decision::Unknown(why)) => {
            let unknown = dumb.unknown.contains(property) || (panics && lively);
            assert!(unknown, "unknown ({why:?}), though known: {}", told());
        }
        (known, other) => {
            let story = dumb.stories.get(property);
            panic!("{known:?} against {other:?}: {}\n{story:?}", told())
        }
    }
}
