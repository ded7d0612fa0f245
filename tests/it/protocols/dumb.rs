//! The dumb search: explores whole worlds, one after the other, with no memory
//! of steps, no reductions, and every scope as a list of scripts.
//!
//! Each state is settled and judged as a run of its own. Endless runs are found
//! by computing which states reach which. It shares the world with the search
//! that it checks, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use quiescence::history::{Call, Completion, Key, Menu, NodeId, notation};
use quiescence::hunt::property::{Judgement, Property, judge};
use quiescence::judgement::datatype::{Datatype, Register};
use quiescence::judgement::{Budget, Verdict, check_with};
use quiescence::replication::erased::{AnyMessage, AnyStrategy, AnyToken};
use quiescence::replication::{Cluster, Effects, OperationId, Stamp, Strategy, Subject, TimerId};
use quiescence::search::exhaustive::Open;
use quiescence::world::component::{self, LocalInput, local_step};
use quiescence::world::{
    Action, Ending, MessageName, NotEnabled, Planned, Routing, Run, Script, SessionId, Setting,
    Shows, State, Step, Strike, Visit, Workload, World, re_execute,
};
use rustc_hash::FxHashMap;

// Written out, because the fuzzers include this file by its path.
#[path = "dumb/severed.rs"]
mod severed;

/// The results of the dumb search.
#[derive(Debug, Default)]
pub struct Dumb {
    /// Distinct states, of all scripts together.
    pub states: usize,
    /// The violated properties, each with the fewest actions that violate it;
    /// `None` if only endless runs do.
    pub violated: BTreeMap<Property, Option<usize>>,
    /// For a violation in an endless run, the run where it was found first.
    pub stories: BTreeMap<Property, String>,
    /// The properties that could not be decided somewhere.
    pub unknown: BTreeSet<Property>,
}

/// The timer that caused a message, if one did.
type Tag = Option<(NodeId, TimerId)>;

/// For each operation, how many operations of each session had ended when it
/// began.
type Before = Vec<(OperationId, Vec<usize>)>;

/// All that determines the future of a state, and all of its past that is
/// judged.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Whole {
    state: State,
    inboxes: Vec<Vec<(NodeId, AnyMessage, Tag)>>,
    flushing: Vec<Vec<Tag>>,
    told: Vec<(OperationId, Call, Option<NodeId>, Completion)>,
    before: Before,
    taken: Vec<Vec<OperationId>>,
    stamps: Vec<(OperationId, Option<Stamp>)>,
    /// For each session, its open operation and the node that it asked last. A
    /// crash of that node ends the operation.
    open: Vec<Option<(OperationId, NodeId)>>,
}

/// The label of a transition that needs no client and no fault. Justice (weak
/// fairness) is defined for these.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Label<M> {
    Deliver(NodeId, NodeId, M),
    Fire(NodeId, TimerId),
    Flush(NodeId),
    Repair(NodeId),
    Unite,
}

struct Node<'w> {
    world: World<'w>,
    tags: BTreeMap<MessageName, Tag>,
    /// For each node, the timers that caused the images on their way to disk.
    flushing: Vec<Vec<Tag>>,
    before: Before,
    path: Vec<Step>,
    edges: Vec<(usize, Label<AnyMessage>)>,
}

/// The most messages in flight in a state. Larger worlds would take too long.
const IN_FLIGHT_MAX: usize = 100;

/// What clients ask, and what it means.
#[derive(Clone)]
pub struct Object {
    pub menu: Menu,
    pub datatype: &'static dyn Datatype,
}

impl Object {
    /// Registers.
    pub fn register() -> Self {
        Object { menu: Menu::register(), datatype: &Register }
    }
}

/// Searches a scope. `None` if its scripts together have more states than
/// `limit`, or a state is too large.
pub fn search(
    strategy: &dyn Subject,
    setting: &Setting,
    (scope, object): (Open, &Object),
    properties: &[Property],
    limit: usize,
) -> Option<Dumb> {
    let strategy = &strategy.erased();
    let mut dumb = Dumb::default();
    let mut all: BTreeSet<u64> = BTreeSet::new();
    let mut left = limit;
    for workload in workloads(strategy, setting, scope, &object.menu) {
        let (nodes, wholes) =
            spread((strategy, setting, false), scope, &workload, properties, left, &mut dumb)?;
        left -= nodes.len();
        all.extend(wholes);
        for node in &nodes {
            dumb.judge_state(strategy, setting, (scope, object), node, properties);
        }
        if severed::matters(setting, properties) {
            dumb.sever((strategy, setting), (scope, object), &workload, limit)?;
        }
        for (part, happens) in components(&nodes, |_| true) {
            if is_just(&nodes, &part, &happens, false) {
                dumb.judge_component((strategy, object), setting, &nodes, &part, properties, false);
            }
        }
        let of_itself = |label: &Label<_>| matches!(label, Label::Deliver(..) | Label::Flush(_));
        for (part, happens) in components(&nodes, of_itself) {
            if is_just(&nodes, &part, &happens, true) {
                dumb.judge_component((strategy, object), setting, &nodes, &part, properties, true);
            }
        }
    }
    dumb.states = all.len();
    Some(dumb)
}

/// Finds every state of one workload, breadth first.
fn spread<'w>(
    (strategy, setting, severed): (&'w AnyStrategy, &'w Setting, bool),
    scope: Open,
    workload: &'w Workload,
    properties: &[Property],
    limit: usize,
    dumb: &mut Dumb,
) -> Option<(Vec<Node<'w>>, Vec<u64>)> {
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(_) => {
            dumb.violated.insert(Property::NoPanic, Some(1));
            // No other property can be judged.
            dumb.unknown.extend(properties.iter().cloned());
            return Some((Vec::new(), Vec::new()));
        }
    };
    if severed {
        world.sever();
    }
    let tags = world.in_flight().map(|(name, _)| (name, None)).collect();
    let at_start = |node: &component::Node| vec![None; node.flushing()];
    let flushing = world.nodes().iter().map(at_start).collect();
    let first =
        Node { world, tags, flushing, before: Vec::new(), path: Vec::new(), edges: Vec::new() };
    let mut known: FxHashMap<Whole, usize> = FxHashMap::default();
    let mut prints = vec![print(&whole(&first))];
    known.insert(whole(&first), 0);
    let mut nodes = vec![first];
    let mut at = 0;
    if limit == 0 {
        return None;
    }
    while at < nodes.len() {
        let mut enabled = Vec::new();
        nodes[at].world.enabled(&mut enabled);
        for action in enabled {
            let Some(tag) = tag_of(&nodes[at], &action, scope.patient) else { continue };
            let Some(next) = step(&nodes[at], action, tag) else {
                let length = nodes[at].path.len() + 1;
                dumb.note(Property::NoPanic, Some(length));
                continue;
            };
            let label = label_of(&nodes[at], &action);
            let whole = whole(&next);
            let whole_print = print(&whole);
            let to = *known.entry(whole).or_insert_with(|| {
                nodes.push(next);
                prints.push(whole_print);
                nodes.len() - 1
            });
            nodes[at].edges.extend(label.map(|label| (to, label)));
            let last = nodes.last().expect("there is one");
            let images = last.flushing.iter().map(Vec::len).sum::<usize>();
            if nodes.len() > limit || last.world.in_flight().count() + images > IN_FLIGHT_MAX {
                return None;
            }
        }
        at += 1;
    }
    Some((nodes, prints))
}

/// A hash of a state, the same in every process.
fn print(whole: &Whole) -> u64 {
    let mut hasher = DefaultHasher::new();
    whole.hash(&mut hasher);
    hasher.finish()
}

/// The timer that causes what this action sends, if one does; the outer `None`
/// if the action has to wait.
fn tag_of(node: &Node<'_>, action: &Action, patient: bool) -> Option<Tag> {
    match *action {
        Action::Fire(at, timer) => {
            let mine = Some((at, timer));
            let mut tags = node.tags.values().chain(node.flushing.iter().flatten());
            let waits = tags.any(|tag| patient || *tag == mine);
            (!waits).then_some(mine)
        }
        Action::Deliver(to, id) => {
            let (name, _) = node.world.message(to, id).expect("it is in flight");
            Some(node.tags[&name])
        }
        Action::Flush(at) | Action::Strike(at, Strike::LostFlush) => {
            Some(node.flushing[at.index()][0])
        }
        _ => Some(None),
    }
}

/// The state after an action; `None` if a handler panics.
fn step<'w>(node: &Node<'w>, action: Action, tag: Tag) -> Option<Node<'w>> {
    let mut world = node.world.clone();
    let cluster = world.cluster();
    let mut before = node.before.clone();
    if let Action::Invoke(operation) = action {
        let sessions = world.workload().sessions.len();
        let ended = |session: usize| {
            let id = SessionId(u16::try_from(session).expect("few"));
            let asked = before.iter().filter(|(other, _)| other.session == id.0).count();
            asked - usize::from(world.open_operation(id).is_some())
        };
        let counts = (0..sessions).map(ended).collect();
        before.push((operation, counts));
    }
    let number = world.steps() + 1;
    match world.perform(&action, number) {
        Ok(_) => {}
        Err(NotEnabled::Panicked(_)) => return None,
        Err(NotEnabled::Impossible(why)) => panic!("what is enabled is possible: {why}"),
    }
    let mut tags = BTreeMap::new();
    for (name, _) in world.in_flight() {
        let original = MessageName { copy: 0, ..name };
        let copied =
            || node.tags.iter().find(|(known, _)| MessageName { copy: 0, ..**known } == original);
        let known = node.tags.get(&name).or_else(|| copied().map(|(_, tag)| tag));
        tags.insert(name, known.copied().unwrap_or(tag));
    }
    let mut flushing = node.flushing.clone();
    for ((at, images), now) in cluster.nodes().zip(&mut flushing).zip(world.nodes()) {
        match action {
            Action::Flush(here) | Action::Strike(here, Strike::LostFlush) if here == at => {
                images.remove(0);
            }
            Action::Strike(here, Strike::Crash | Strike::Kill) if here == at => images.clear(),
            _ => {}
        }
        // Images are sent by the action's own node only.
        images.resize(now.flushing(), tag);
    }
    let mut path = node.path.clone();
    path.push(Step { number, action, settling: false });
    Some(Node { world, tags, flushing, before, path, edges: Vec::new() })
}

fn whole(node: &Node<'_>) -> Whole {
    let world = &node.world;
    let cluster = world.cluster();
    let mut inboxes = vec![Vec::new(); cluster.size()];
    for (name, message) in world.in_flight() {
        inboxes[name.to.index()].push((name.from, message.clone(), node.tags[&name]));
    }
    let fifo = world.setting().network == quiescence::world::Network::Fifo;
    for inbox in &mut inboxes {
        if fifo {
            inbox.sort_by_key(|(from, ..)| *from);
        } else {
            inbox.sort();
        }
    }
    let visit = world.history();
    let told = world.operations().iter().zip(visit.operations()).map(|(id, operation)| {
        (*id, operation.call.clone(), operation.node, operation.completion.clone())
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(id, ..)| *id);
    let mut before = node.before.clone();
    before.sort();
    let taken = |at: NodeId| {
        let mut taken = world.facts().taken(at).to_vec();
        taken.sort_unstable();
        taken.dedup();
        taken
    };
    let ids = told.iter().map(|(id, ..)| *id);
    let sessions = u16::try_from(world.workload().sessions.len()).expect("few");
    Whole {
        state: world.state(),
        inboxes,
        flushing: node.flushing.clone(),
        before,
        taken: cluster.nodes().map(taken).collect(),
        stamps: ids.map(|id| (id, world.facts().stamp(id))).collect(),
        told,
        open: (0..sessions).map(|session| world.open_operation(SessionId(session))).collect(),
    }
}

fn label_of(node: &Node<'_>, action: &Action) -> Option<Label<AnyMessage>> {
    Some(match *action {
        Action::Deliver(to, id) => {
            let (name, message) = node.world.message(to, id).expect("it is in flight");
            Label::Deliver(to, name.from, message.clone())
        }
        Action::Fire(at, timer) => Label::Fire(at, timer),
        Action::Flush(at) => Label::Flush(at),
        Action::Recover(at) | Action::Heal(_, at) => Label::Repair(at),
        Action::Unite => Label::Unite,
        _ => return None,
    })
}

/// The labels that justice requires to occur eventually, in this state.
fn dues(world: &World<'_>) -> BTreeSet<Label<AnyMessage>> {
    let deliver = |(name, message): (MessageName, &AnyMessage)| {
        Label::Deliver(name.to, name.from, message.clone())
    };
    let mut dues: BTreeSet<_> = world.in_flight().map(deliver).collect();
    for (node, at) in world.nodes().iter().zip(world.cluster().nodes()) {
        dues.extend(node.armed().iter().map(|timer| Label::Fire(at, *timer)));
        if node.flushing() > 0 {
            dues.insert(Label::Flush(at));
        }
        let whole = node.cut == 0 || world.is_severed();
        let broken = !(node.up && whole);
        if broken && !node.gone {
            dues.insert(Label::Repair(at));
        }
        if node.parted != 0 && !world.is_severed() {
            dues.insert(Label::Unite);
        }
    }
    dues
}

/// A strongly connected component, and the labels of its transitions.
type Part<M> = (Vec<usize>, BTreeSet<Label<M>>);

/// Every strongly connected component that has a transition.
fn components(
    nodes: &[Node<'_>],
    wanted: impl Fn(&Label<AnyMessage>) -> bool,
) -> Vec<Part<AnyMessage>> {
    let reaches = |from: usize| {
        let mut seen = vec![false; nodes.len()];
        let mut stack = vec![from];
        while let Some(at) = stack.pop() {
            for (to, label) in &nodes[at].edges {
                if wanted(label) && !std::mem::replace(&mut seen[*to], true) {
                    stack.push(*to);
                }
            }
        }
        seen
    };
    // A state that does not reach itself is in no component.
    let reach: Vec<_> = (0..nodes.len()).map(reaches).collect();
    let mut parts = Vec::new();
    let mut done = vec![false; nodes.len()];
    for from in 0..nodes.len() {
        if done[from] || !reach[from][from] {
            continue;
        }
        let part: Vec<usize> =
            (0..nodes.len()).filter(|at| reach[from][*at] && reach[*at][from]).collect();
        part.iter().for_each(|at| done[*at] = true);
        let edges = part.iter().flat_map(|at| &nodes[*at].edges);
        let inside = edges.filter(|(to, label)| part.contains(to) && wanted(label));
        let happens = inside.map(|(_, label)| label.clone()).collect();
        parts.push((part, happens));
    }
    parts
}

fn is_just(
    nodes: &[Node<'_>],
    part: &[usize],
    happens: &BTreeSet<Label<AnyMessage>>,
    deliveries: bool,
) -> bool {
    let mut due = dues(&nodes[part[0]].world);
    for at in part {
        let here = dues(&nodes[*at].world);
        due.retain(|label| here.contains(label));
    }
    due.iter()
        .all(|label| happens.contains(label) || (deliveries && matches!(label, Label::Fire(..))))
}

impl Dumb {
    fn note(&mut self, property: Property, length: Option<usize>) {
        let known = self.violated.entry(property).or_insert(length);
        *known = match (*known, length) {
            (Some(known), Some(length)) => Some(known.min(length)),
            (known, length) => known.or(length),
        };
    }

    /// Judges the run that leads to this state and then settles.
    fn judge_state(
        &mut self,
        strategy: &AnyStrategy,
        setting: &Setting,
        (scope, object): (Open, &Object),
        node: &Node<'_>,
        properties: &[Property],
    ) {
        let asked = asked(node);
        let again = |shows| re_execute(strategy, setting, &asked, &node.path, shows);
        if properties.contains(&Property::Available) {
            self.judge_severed(&again(Shows::Severed), object, scope.patient);
        }
        let run = again(Shows::All);
        // The same run without rounds of settling that change nothing.
        let calm = run.broken.is_empty() && run.disagreement.is_none();
        let plain = if calm { run.clone() } else { again(Shows::End) };
        // With patient timers, settling goes through states that the search
        // does not.
        if disagrees(strategy, &node.world) || run.disagreement.is_some() {
            self.note(Property::StrongConvergence, None);
        }
        for property in properties {
            if matches!(property, Property::StrongConvergence | Property::Available) {
                continue;
            }
            let length = match property {
                Property::Always(name) => {
                    let mut broken = run.broken.iter().filter(|broken| broken.name == name);
                    broken.next().map_or(0, |broken| broken.step)
                }
                _ => plain.schedule.len(),
            };
            match judge(&run, property, object.datatype) {
                Judgement::Holds => {}
                Judgement::Violated(..) => {
                    // The length of an endless run depends on the search, so it
                    // is not compared.
                    let ends = matches!(property, Property::Always(_) | Property::NoPanic)
                        || run.ending == Ending::Settled;
                    let shortest = self.violated.get(property).copied().flatten();
                    if shortest.is_none_or(|shortest| length < shortest) {
                        self.stories.insert(property.clone(), format!("{run:?}"));
                    }
                    self.note(property.clone(), ends.then_some(length));
                }
                // Whether this run ends is decided from the components, unless
                // timers have to wait in them and not in settling.
                Judgement::Unknown(_)
                    if matches!(run.ending, Ending::Unsettled(_)) && !scope.patient => {}
                // So is whether a timer answers.
                Judgement::Unknown(_)
                    if *property == Property::Answered
                        && matches!(run.ending, Ending::NeverQuiet { .. })
                        && !scope.patient => {}
                Judgement::Unknown(_) => {
                    self.unknown.insert(property.clone());
                }
            }
        }
    }

    /// Judges a component in which a run can stay for ever.
    fn judge_component(
        &mut self,
        (strategy, object): (&AnyStrategy, &Object),
        setting: &Setting,
        nodes: &[Node<'_>],
        part: &[usize],
        properties: &[Property],
        deliveries: bool,
    ) {
        let eventual: Vec<&Property> = properties.iter().filter(|one| is_eventual(one)).collect();
        if deliveries {
            eventual.iter().for_each(|property| self.note((*property).clone(), None));
        }
        let mut answers: Option<Vec<_>> = None;
        for at in part {
            let asked = asked(&nodes[*at]);
            let mut world = World::new(strategy, setting, &asked).expect("it did not panic before");
            for step in &nodes[*at].path {
                world.perform(&step.action, step.number).expect("it was possible before");
            }
            let Ok(visit) = Visit::of(&world) else {
                // A final read panics in this state, which recurs for ever.
                if deliveries {
                    let asked = [Property::Durable, Property::Answered, Property::Available];
                    self.unknown.extend(asked);
                }
                continue;
            };
            // If deliveries alone go on, a timer may yet answer.
            if is_open(&world) && !deliveries {
                self.note(Property::Answered, None);
                self.note(Property::Available, None);
            }
            let finals = visit.history.operations().iter().skip(world.operations().len());
            let here: Vec<_> = finals.map(|read| read.answer().cloned()).collect();
            if *answers.get_or_insert_with(|| here.clone()) != here {
                eventual.iter().for_each(|property| self.note((*property).clone(), None));
            }
            for property in properties {
                match property {
                    Property::Model(model) if is_eventual(property) => {
                        let history = &visit.history;
                        match check_with(history, *model, object.datatype, Budget::default()) {
                            Verdict::Violated(_) => self.note(property.clone(), None),
                            Verdict::Holds(_) if visit.lack.answers == 0 => {}
                            Verdict::Holds(_) | Verdict::Unknown(_) => {
                                self.unknown.insert(property.clone());
                            }
                        }
                    }
                    Property::Durable => {
                        let run =
                            re_execute(strategy, setting, &asked, &nodes[*at].path, Shows::All);
                        let Visit { history, operations, facts, lack, .. } = visit.clone();
                        let ending = Ending::Settled;
                        let run = Run { history, operations, facts, lack, ending, ..run };
                        match judge(&run, property, object.datatype) {
                            Judgement::Holds => {}
                            Judgement::Violated(..) => {
                                self.note(Property::Durable, None);
                                let history = notation::write(&run.history);
                                let story = format!(
                                    "{history} {:?} {deliveries} {part:?} {:?}",
                                    nodes[*at].path,
                                    world.nodes()
                                );
                                self.stories.entry(Property::Durable).or_insert(story);
                            }
                            Judgement::Unknown(_) => {
                                self.unknown.insert(Property::Durable);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn is_eventual(property: &Property) -> bool {
    matches!(property, Property::Model(model) if model.is_eventual())
}

/// Whether any operation is open.
fn is_open(world: &World<'_>) -> bool {
    let mut sessions = (0..).zip(&world.workload().sessions);
    sessions.any(|(session, _)| world.open_operation(SessionId(session)).is_some())
}

/// The workload, cut to the operations that were invoked.
fn asked(node: &Node<'_>) -> Workload {
    let mut workload = node.world.workload().clone();
    for (session, script) in (0u16..).zip(&mut workload.sessions) {
        let asked = node.before.iter().filter(|(id, _)| id.session == session).count();
        script.operations.truncate(asked);
    }
    workload
}

/// Whether two nodes that took the same writes into account answer differently.
fn disagrees(strategy: &AnyStrategy, world: &World<'_>) -> bool {
    let taken = |at: NodeId| {
        let taken: BTreeSet<_> = world.facts().taken(at).iter().copied().collect();
        (world.nodes()[at.index()].up && !taken.is_empty()).then_some(taken)
    };
    let answer = |at: NodeId, key: &Key| {
        let call = Call::read(key.clone());
        strategy.serves(&call, at, &world.cluster()).then_some(())?;
        let mut node = world.nodes()[at.index()].clone();
        let operation = OperationId { session: 99, number: 0 };
        let mut effects = Effects::new();
        let request = LocalInput::Request(operation, call, AnyToken::default());
        let now = u64::from(world.steps());
        local_step(strategy, world.cluster(), &mut node, request, now, &mut effects).ok()?;
        effects.answer(operation)
    };
    let keys = world.workload().keys();
    let nodes = || world.cluster().nodes();
    nodes().any(|one| {
        nodes().filter(|other| *other < one).any(|other| {
            taken(one).is_some()
                && taken(one) == taken(other)
                && keys.iter().any(|key| {
                    answer(one, key)
                        .zip(answer(other, key))
                        .is_some_and(|(mine, theirs)| mine != theirs)
                })
        })
    })
}

/// Every script in the scope, except those that are a prefix of another.
pub fn workloads(
    strategy: &dyn Subject,
    setting: &Setting,
    scope: Open,
    menu: &Menu,
) -> Vec<Workload> {
    let strategy = &strategy.erased();
    let cluster = Cluster::of(setting.nodes);
    let keys = || (0..scope.keys).map(quiescence::search::key);
    // Sessions as lists of calls, each with its node.
    let mut all: Vec<Vec<Vec<(Call, NodeId)>>> = vec![vec![Vec::new(); scope.sessions]];
    let mut next = 0;
    while next < all.len() {
        let now = all[next].clone();
        next += 1;
        let count = |updates: bool| {
            now.iter().flatten().filter(|(call, _)| menu.updates(call) == updates).count()
        };
        for session in 0..scope.sessions {
            let mut calls = Vec::new();
            let value = i64::try_from(100 * session + now[session].len() + 1).expect("small");
            for (items, left) in [
                (&menu.updates, count(true) < scope.writes),
                (&menu.queries, count(false) < scope.reads),
            ] {
                for item in items.iter().filter(|_| left) {
                    calls.extend(keys().map(|key| item.call(key, value)));
                }
            }
            for call in calls {
                for node in cluster.nodes() {
                    let home = now[session].first().map_or(node, |(_, home)| *home);
                    let strays = setting.routing == Routing::Sticky && node != home;
                    if strays || !strategy.serves(&call, node, &cluster) {
                        continue;
                    }
                    let mut longer = now.clone();
                    longer[session].push((call.clone(), node));
                    if !all.contains(&longer) {
                        all.push(longer);
                    }
                }
            }
        }
    }
    let begins = |short: &[Vec<(Call, NodeId)>], long: &[Vec<(Call, NodeId)>]| {
        short != long && short.iter().zip(long).all(|(short, long)| long.starts_with(short))
    };
    let whole = all.iter().filter(|short| !all.iter().any(|long| begins(short, long)));
    let script = |operations: &Vec<(Call, NodeId)>| Script {
        node: operations.first().map_or(NodeId(0), |(_, node)| *node),
        operations: operations
            .iter()
            .map(|(call, node)| Planned {
                call: call.clone(),
                node: (setting.routing == Routing::Roaming).then_some(*node),
            })
            .collect(),
    };
    whole.map(|sessions| Workload { sessions: sessions.iter().map(script).collect() }).collect()
}
