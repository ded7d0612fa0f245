//! Reads a case. Any text gives a case or [`NotACase`], with the line, the
//! column and what to do about it.
//!
//! This module checks that the file is consistent: nodes and sessions exist,
//! budgets suffice, delivered messages were sent. [`replay`](super::replay)
//! checks what depends on the strategy.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::history::{Call, NodeId, notation};
use crate::hunt::property::Flaw;
use crate::replication::{Cluster, CommandId, OperationId, TimerId};
use crate::world::client::Client;
use crate::world::{
    Action, FaultKind, FaultPlan, Faults, MessageName, Planned, Script, SessionId, Setting, Split,
    Strike, Workload,
};

use super::locate::{At, locate};
use super::schema::{
    ClusterShape, FaultsShape, File, FoundShape, FullShape, SessionShape, StepShape, VerdictWord,
};
use super::{Case, CaseStep, FORMAT, FoundBy, NotACase, RecordedRun};

/// A complaint about the value at a path.
struct Complaint(Vec<At>, String);

type Checked<T> = Result<T, Complaint>;

/// Reads a case.
///
/// # Errors
/// If the text is not JSON, not a case, a case of a newer format, or a case
/// that contradicts itself.
pub fn read(text: &str) -> Result<Case, NotACase> {
    let wrong_json = |error: serde_json::Error| NotACase {
        line: error.line().max(1),
        column: error.column().max(1),
        reason: match error.classify() {
            serde_json::error::Category::Eof => {
                "the file ends in the middle of the case; it was cut short".to_owned()
            }
            _ => without_place(&error.to_string()),
        },
    };
    if !text.trim_start().starts_with('{') {
        let what = if text.trim().is_empty() { "the file is empty" } else { "this is not a case" };
        let reason = format!("{what}: a case is a JSON object, {{…}}");
        return Err(NotACase { line: 1, column: 1, reason });
    }
    check_format(text).map_err(|error| match error {
        FormatError::Json(error) => wrong_json(error),
        FormatError::Other(reason) => {
            let (line, column) = locate(text, &[At::Key("format")]);
            NotACase { line, column, reason }
        }
    })?;
    let file: File = serde_json::from_str(text).map_err(wrong_json)?;
    case(file).map_err(|Complaint(path, reason)| {
        let (line, column) = locate(text, &path);
        NotACase { line, column, reason }
    })
}

/// The line and column, from 1, of the step at this position (from 0) in the
/// text of a case.
pub fn place_of_step(text: &str, step: usize) -> (usize, usize) {
    locate(text, &[At::Key("schedule"), At::Index(step)])
}

/// The line and column, from 1, of the strategy in the text of a case.
pub fn place_of_strategy(text: &str) -> (usize, usize) {
    locate(text, &[At::Key("strategy")])
}

/// The line and column, from 1, of the datatype in the text of a case.
pub fn place_of_datatype(text: &str) -> (usize, usize) {
    locate(text, &[At::Key("datatype")])
}

/// The line and column, from 1, of the verdict in the text of a case.
pub fn place_of_verdict(text: &str) -> (usize, usize) {
    locate(text, &[At::Key("verdict")])
}

fn without_place(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

enum FormatError {
    Json(serde_json::Error),
    Other(String),
}

fn check_format(text: &str) -> Result<(), FormatError> {
    #[derive(Deserialize)]
    struct Header {
        format: Option<String>,
    }
    let header: Header = serde_json::from_str(text).map_err(FormatError::Json)?;
    let tool = env!("CARGO_PKG_VERSION");
    match header.format.as_deref() {
        Some(FORMAT) => Ok(()),
        Some(other) if other.starts_with("quiescence-case/") => Err(FormatError::Other(format!(
            "this is a case of format `{other}`, and quiescence {tool} reads `{FORMAT}`; replay it with the version that wrote it, or a newer one"
        ))),
        Some(other) => Err(FormatError::Other(format!(
            "the format is `{other}`, not `{FORMAT}`: this is not a case file"
        ))),
        None => Err(FormatError::Other(format!(
            "there is no \"format\": \"{FORMAT}\" here: this is not a case file"
        ))),
    }
}

fn nodes(cluster: &ClusterShape) -> Checked<u16> {
    let nodes = cluster.nodes;
    u16::try_from(nodes).ok().filter(|n| (1..=Cluster::NODES_MAX).contains(n)).ok_or(Complaint(
        vec![At::Key("cluster"), At::Key("nodes")],
        format!("a cluster has 1 to {} nodes, not {nodes}", Cluster::NODES_MAX),
    ))
}

fn case(file: File) -> Checked<Case> {
    let setting = Setting {
        nodes: nodes(&file.cluster)?,
        network: file.cluster.network,
        faults: faults(file.faults),
        routing: file.routing,
    };
    let said = Said {
        workload: &file.workload,
        schedule: &file.schedule,
        cycle: file.cycle,
        history: &file.history,
    };
    let RecordedRun { setting, workload, start, schedule, cycle, history } =
        run(setting, file.start, &said)?;
    let property = file.model.parse().map_err(|error| Complaint(vec![At::Key("model")], error))?;
    let kind = kind(file.verdict, file.kind)?;
    let found = found(&file.found)?;
    let full = file.full.map(|shape| full(shape, &setting, found.shrunk_from)).transpose()?;
    Ok(Case {
        tool: file.tool,
        strategy: file.strategy,
        datatype: file.datatype,
        setting,
        workload,
        start,
        schedule,
        cycle,
        history,
        property,
        kind,
        evidence: file.evidence,
        minimal: file.minimal,
        found,
        full,
    })
}

/// The run as it was found, of a case with this setting that was shrunk from so many steps.
fn full(shape: FullShape, case: &Setting, shrunk_from: Option<usize>) -> Checked<RecordedRun> {
    let within = |Complaint(mut path, reason)| {
        path.insert(0, At::Key("full"));
        Complaint(path, format!("in the run as it was found, {reason}"))
    };
    let mut setting = case.clone();
    if let Some(cluster) = &shape.cluster {
        setting.nodes = nodes(cluster).map_err(within)?;
        setting.network = cluster.network;
    }
    if let Some(plan) = shape.faults {
        setting.faults = faults(plan);
    }
    let steps = shape.schedule.len();
    if let Some(from) = shrunk_from.filter(|from| *from != steps) {
        let reason = format!("there are {steps} steps, but the case was shrunk from {from}");
        return Err(within(Complaint(vec![At::Key("schedule")], reason)));
    }
    let said = Said {
        workload: &shape.workload,
        schedule: &shape.schedule,
        cycle: shape.cycle,
        history: &shape.history,
    };
    run(setting, shape.start, &said).map_err(within)
}

/// What a file says of a run.
struct Said<'a> {
    workload: &'a [SessionShape],
    schedule: &'a [StepShape],
    cycle: Option<usize>,
    history: &'a str,
}

/// A run in this setting, in which nodes sent this when they started.
fn run(setting: Setting, start: Vec<String>, said: &Said<'_>) -> Checked<RecordedRun> {
    let workload = workload(said.workload, setting.nodes)?;
    let history = notation::parse(said.history)
        .map_err(|error| Complaint(vec![At::Key("history")], error.reason))?;
    let mut walk = Walk::new(&setting, &workload, &start, said.schedule);
    let mut schedule = Vec::with_capacity(said.schedule.len());
    for (at, shape) in said.schedule.iter().enumerate() {
        let step = || vec![At::Key("schedule"), At::Index(at)];
        let action = action(shape, &mut walk).map_err(|(key, reason)| {
            let mut path = step();
            path.push(At::Key(key));
            Complaint(path, format!("step {}: {reason}", at + 1))
        })?;
        walk.step(&action, shape)
            .map_err(|reason| Complaint(step(), format!("step {}: {reason}", at + 1)))?;
        schedule.push(CaseStep {
            action,
            text: shape.text.clone(),
            sends: shape.sends.clone(),
            settling: shape.settling,
        });
    }
    if said.cycle.is_some_and(|cycle| cycle == 0 || cycle > schedule.len()) {
        let reason = format!("a cycle has 1 to {} steps", schedule.len());
        return Err(Complaint(vec![At::Key("cycle")], reason));
    }
    Ok(RecordedRun { setting, workload, start, schedule, cycle: said.cycle, history })
}

/// How the property fails, if it does.
fn kind(verdict: VerdictWord, kind: Option<String>) -> Checked<Option<Flaw>> {
    Ok(match (verdict, kind) {
        (VerdictWord::Violated, Some(kind)) => {
            let kind = kind.parse().map_err(|reason| Complaint(vec![At::Key("kind")], reason))?;
            Some(kind)
        }
        (VerdictWord::Holds, None) => None,
        (VerdictWord::Violated, None) => {
            let reason = "a violated verdict has a kind, for example \"diverged\"";
            return Err(Complaint(vec![At::Key("verdict")], reason.to_owned()));
        }
        (VerdictWord::Holds, Some(_)) => {
            let reason = "a verdict that holds has no kind";
            return Err(Complaint(vec![At::Key("kind")], reason.to_owned()));
        }
    })
}

fn found(shape: &FoundShape) -> Checked<FoundBy> {
    let wrong = |key, reason| Complaint(vec![At::Key("found"), At::Key(key)], reason);
    let search = match shape.search.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|reason| wrong("search", reason))?),
    };
    let read = |text: &String| {
        seed(text).ok_or_else(|| wrong("seed", format!("`{text}` is not a seed like \"0x5eed\"")))
    };
    let seed = shape.seed.as_ref().map(read).transpose()?;
    Ok(FoundBy { search, seed, run: shape.run, shrunk_from: shape.shrunk_from })
}

fn seed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn faults(shape: FaultsShape) -> FaultPlan {
    FaultPlan {
        budget: shape.budget,
        inbox: shape.inbox,
        clocks: shape.clocks,
        keep_token: shape.keep_token,
        bounded: shape.bounded,
        lose_clock: shape.lose_clock,
    }
}

fn existing(text: &str, nodes: u16) -> Result<NodeId, String> {
    let node: NodeId = text.parse()?;
    if node.0 < nodes {
        Ok(node)
    } else {
        Err(format!("there is no node {node}; the cluster has {nodes}"))
    }
}

fn workload(shapes: &[SessionShape], nodes: u16) -> Checked<Workload> {
    /// The most sessions, and operations of a session. Their ids can hold more.
    const MANY: usize = 10_000;
    let mut workload = Workload::default();
    for (at, shape) in shapes.iter().enumerate() {
        let path = |mut rest: Vec<At>| {
            let mut path = vec![At::Key("workload"), At::Index(at)];
            path.append(&mut rest);
            path
        };
        let id = u16::try_from(at).map(SessionId).ok().filter(|_| at < MANY);
        if id.is_none_or(|id| id.to_string() != shape.session) {
            let expected = id.map_or("nothing more".to_owned(), |id| id.to_string());
            let reason =
                format!("sessions are named in order: `{expected}` here, not `{}`", shape.session);
            return Err(Complaint(path(vec![At::Key("session")]), reason));
        }
        if shape.operations.len() > MANY {
            let reason = format!("a session has at most {MANY} operations");
            return Err(Complaint(path(vec![At::Key("operations")]), reason));
        }
        let home = existing(&shape.node, nodes)
            .map_err(|reason| Complaint(path(vec![At::Key("node")]), reason))?;
        let mut operations = Vec::new();
        for (number, operation) in shape.operations.iter().enumerate() {
            let node = operation.node.as_deref().map(|node| existing(node, nodes)).transpose();
            let node = node.map_err(|reason| {
                let rest = vec![At::Key("operations"), At::Index(number), At::Key("node")];
                Complaint(path(rest), reason)
            })?;
            let call = Call {
                f: operation.f.clone(),
                key: operation.key.clone(),
                argument: operation.value.clone(),
            };
            operations.push(Planned { call, node });
        }
        workload.sessions.push(Script { node: home, operations });
    }
    Ok(workload)
}

/// What is possible after the steps so far, as far as the file alone can tell.
struct Walk<'a> {
    setting: &'a Setting,
    workload: &'a Workload,
    clients: Vec<Client>,
    spent: Faults,
    down: BTreeSet<NodeId>,
    gone: BTreeSet<NodeId>,
    cut: BTreeSet<(NodeId, NodeId)>,
    split: Option<Split>,
    /// The messages in flight; `None` if the file does not record what was
    /// sent.
    in_flight: Option<BTreeSet<MessageName>>,
}

impl<'a> Walk<'a> {
    fn new(
        setting: &'a Setting,
        workload: &'a Workload,
        start: &[String],
        schedule: &[StepShape],
    ) -> Self {
        let records_sends = !start.is_empty() || schedule.iter().any(|step| !step.sends.is_empty());
        let mut walk = Walk {
            setting,
            workload,
            clients: vec![Client::default(); workload.sessions.len()],
            spent: Faults::NONE,
            down: BTreeSet::new(),
            gone: BTreeSet::new(),
            cut: BTreeSet::new(),
            split: None,
            in_flight: records_sends.then(BTreeSet::new),
        };
        walk.sends(start);
        walk
    }

    fn sends(&mut self, sends: &[String]) {
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.extend(sends.iter().filter_map(|sent| name_of(sent)));
        }
    }

    /// The operation that a session invokes: the one with this number, from 1,
    /// or its next one. Operations may be skipped, but not repeated.
    fn invoke(&mut self, session: SessionId, number: Option<u64>) -> Result<OperationId, Bad> {
        let all = self.workload.sessions[session.index()].operations.len();
        let client = &mut self.clients[session.index()];
        let next = client.next();
        let position = match number {
            None if usize::from(next) == all => {
                return Err(("session", format!("session {session} has no operation left")));
            }
            None => next,
            Some(number) => {
                let position = usize::try_from(number).ok().and_then(|at| at.checked_sub(1));
                let position = position.filter(|at| *at < all).ok_or_else(|| {
                    let reason = format!(
                        "session {session} has no operation {number}; it has {all}, from 1"
                    );
                    ("operation", reason)
                })?;
                u16::try_from(position).expect("sessions are short")
            }
        };
        if position < next {
            let reason = format!(
                "session {session} has gone past its operation {}; operations may be left out, never repeated",
                position + 1
            );
            return Err(("operation", reason));
        }
        let script = &self.workload.sessions[session.index()];
        let planned = &script.operations[usize::from(position)];
        client.invoke(position, planned.node.unwrap_or(script.node));
        Ok(OperationId { session: session.0, number: position })
    }

    fn spend(&mut self, kind: FaultKind) -> Result<(), String> {
        let budget = self.setting.faults.budget[kind];
        if self.spent[kind] == budget {
            return Err(format!("the fault plan allows {budget} × {kind}"));
        }
        self.spent[kind] += 1;
        Ok(())
    }

    fn takes(&mut self, message: &MessageName, away: bool) -> Result<(), String> {
        let Some(in_flight) = &mut self.in_flight else { return Ok(()) };
        if !in_flight.contains(message) {
            let there: Vec<_> = in_flight.iter().map(ToString::to_string).collect();
            let there = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
            return Err(format!("{message} is not in flight here (in flight: {there})"));
        }
        if away {
            in_flight.remove(message);
        } else {
            let same = |other: &&MessageName| {
                (other.from, other.to, other.number) == (message.from, message.to, message.number)
            };
            let last = in_flight.iter().filter(same).map(|other| other.copy).max();
            let copy = last.expect("the message itself is in flight") + 1;
            in_flight.insert(MessageName { copy, ..*message });
        }
        Ok(())
    }

    /// Checks one step against the steps before it, and applies it.
    fn step(&mut self, action: &Action<MessageName>, shape: &StepShape) -> Result<(), String> {
        let running = |walk: &Self, node: &NodeId| {
            if walk.down.contains(node) { Err(format!("{node} is down here")) } else { Ok(()) }
        };
        if let Some(kind) = action.fault() {
            self.spend(kind)?;
        }
        match action {
            Action::Invoke(_) | Action::GiveUp(_) | Action::Retry(..) => {}
            Action::Deliver(to, message) => {
                running(self, to)?;
                if self.cut.contains(&(message.from, *to)) {
                    return Err(format!("the link {}→{to} is cut here", message.from));
                }
                let across = self.split.map_or(0, |split| split.across(*to));
                if across & (1 << message.from.0) != 0 {
                    return Err(format!("{} and {to} are split here", message.from));
                }
                self.takes(message, true)?;
            }
            Action::Drop(_, message) => {
                self.takes(message, true)?;
            }
            Action::Duplicate(_, message) => {
                self.takes(message, false)?;
            }
            Action::Fire(node, _)
            | Action::Flush(node)
            | Action::Strike(node, Strike::LostFlush) => running(self, node)?,
            Action::Strike(node, strike @ (Strike::Crash | Strike::Kill)) => {
                let gone = *strike == Strike::Kill;
                if gone && !self.gone.insert(*node) {
                    return Err(format!("{node} is gone for good here"));
                }
                if !gone {
                    running(self, node)?;
                }
                self.down.insert(*node);
                if (gone || self.setting.faults.inbox == crate::world::InboxOnCrash::Lost)
                    && let Some(in_flight) = &mut self.in_flight
                {
                    in_flight.retain(|message| message.to != *node);
                }
            }
            Action::Recover(node) => {
                if self.gone.contains(node) {
                    return Err(format!("{node} is gone for good here"));
                }
                if !self.down.remove(node) {
                    return Err(format!("{node} is not down here"));
                }
            }
            Action::Tick(node) => {
                if self.gone.contains(node) {
                    return Err(format!("{node} is gone for good here"));
                }
            }
            Action::Strike(..) | Action::Heal(..) | Action::Unite => self.links(action)?,
        }
        self.sends(&shape.sends);
        Ok(())
    }

    /// Applies what an action does to links, if anything.
    fn links(&mut self, action: &Action<MessageName>) -> Result<(), String> {
        let (possible, why) = match action {
            Action::Strike(to, Strike::Cut(from)) => {
                let cut = from != to && self.cut.insert((*from, *to));
                (cut, format!("the link {from}→{to} cannot be cut here"))
            }
            Action::Heal(from, to) => {
                let healed = self.cut.remove(&(*from, *to));
                (healed, format!("the link {from}→{to} is not cut here"))
            }
            Action::Strike(_, Strike::Partition(split)) => {
                let whole = self.split.replace(*split).is_none();
                (whole, "the network is split already".to_owned())
            }
            Action::Unite => {
                let split = self.split.take().is_some();
                (split, "the network is not split here".to_owned())
            }
            _ => return Ok(()),
        };
        if possible { Ok(()) } else { Err(why) }
    }
}

/// The name at the beginning of `n1→n2 #1 store x=1`.
fn name_of(sent: &str) -> Option<MessageName> {
    let end = sent.match_indices(' ').nth(1).map_or(sent.len(), |(at, _)| at);
    sent[..end].parse().ok()
}

type Bad = (&'static str, String);

/// The command of a step.
fn command(shape: &StepShape) -> Result<Strike, Bad> {
    let number = shape.command.and_then(|number| number.checked_sub(1));
    let missing = || ("do", "`command` needs a \"command\", a number from 1".to_owned());
    number.map(CommandId).map(Strike::Command).ok_or_else(missing)
}

/// How a partition splits the cluster.
fn split(shape: &StepShape, nodes: u16) -> Result<Split, Bad> {
    let Some(text) = &shape.split else {
        return Err(("do", "`partition` needs a \"split\" like \"n1 n2 | n3\"".to_owned()));
    };
    let split: Split = text.parse().map_err(|reason| ("split", reason))?;
    if !split.splits(Cluster::of(nodes)) {
        let reason = format!("`{text}` does not split {nodes} nodes in two, n1 on the first side");
        return Err(("split", reason));
    }
    Ok(split)
}

/// The action of a step. An error names the field.
fn action(shape: &StepShape, walk: &mut Walk<'_>) -> Result<Action<MessageName>, Bad> {
    let nodes = walk.setting.nodes;
    let node = |key: &'static str, text: &Option<String>| match text {
        Some(text) => existing(text, nodes).map_err(|reason| (key, reason)),
        None => Err(("do", format!("`{}` needs a \"{key}\"", shape.r#do))),
    };
    let message = || {
        let Some(text) = &shape.message else {
            return Err(("do", format!("`{}` needs a \"message\"", shape.r#do)));
        };
        let name: MessageName = text.parse().map_err(|reason| ("message", reason))?;
        for end in [name.from, name.to] {
            existing(&end.to_string(), nodes).map_err(|reason| ("message", reason))?;
        }
        Ok(name)
    };
    let link = || {
        let text = shape.link.as_deref().unwrap_or_default();
        let Some((from, to)) = text.split_once('→') else {
            return Err(("do", format!("`{}` needs a \"link\" like \"n1→n2\"", shape.r#do)));
        };
        let end = |text| existing(text, nodes).map_err(|reason| ("link", reason));
        Ok((end(from)?, end(to)?))
    };
    let session = || {
        let Some(text) = &shape.session else {
            return Err(("do", format!("`{}` needs a \"session\"", shape.r#do)));
        };
        SessionId::named(text)
            .filter(|session| session.index() < walk.workload.sessions.len())
            .ok_or_else(|| ("session", format!("there is no session `{text}` in the workload")))
    };
    if shape.operation.is_some() && shape.r#do != "invoke" {
        return Err(("operation", "only `invoke` has an \"operation\"".to_owned()));
    }
    Ok(match shape.r#do.as_str() {
        "invoke" => Action::Invoke(walk.invoke(session()?, shape.operation)?),
        "deliver" => message().map(|name| Action::Deliver(name.to, name))?,
        "drop" => message().map(|name| Action::Drop(name.to, name))?,
        "duplicate" => message().map(|name| Action::Duplicate(name.to, name))?,
        "fire" => {
            let timer = shape.timer.ok_or(("do", "`fire` needs a \"timer\"".to_owned()))?;
            Action::Fire(node("node", &shape.node)?, TimerId(timer))
        }
        "flush" => Action::Flush(node("node", &shape.node)?),
        "advance" => Action::Tick(node("node", &shape.node)?),
        "recover" => Action::Recover(node("node", &shape.node)?),
        "cut" => link().map(|(from, to)| Action::Strike(to, Strike::Cut(from)))?,
        "partition" => Action::Strike(NodeId(0), Strike::Partition(split(shape, nodes)?)),
        "unite" => Action::Unite,
        "heal" => link().map(|(from, to)| Action::Heal(from, to))?,
        "give-up" => Action::GiveUp(session()?),
        "retry" => Action::Retry(session()?, node("node", &shape.node)?),
        "suspect" => {
            let here = node("node", &shape.node)?;
            Action::Strike(here, Strike::Suspect(node("suspect", &shape.suspect)?))
        }
        "command" => Action::Strike(node("node", &shape.node)?, command(shape)?),
        other => match Strike::alone().find(|strike| strike.name() == other) {
            Some(strike) => Action::Strike(node("node", &shape.node)?, strike),
            None => {
                let alone: Vec<_> = Strike::alone().map(Strike::name).collect();
                let reason = format!(
                    "there is no action `{other}`; there is invoke, deliver, drop, duplicate, fire, flush, advance, {}, recover, cut, heal, partition, unite, give-up, retry, suspect, command",
                    alone.join(", ")
                );
                return Err(("do", reason));
            }
        },
    })
}
