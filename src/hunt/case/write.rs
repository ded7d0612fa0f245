//! Makes a case from a failing run, and the text of a case.

use serde_json::json;

use crate::history::{Completion, History, Value, notation};
use crate::hunt::Subject;
use crate::hunt::durable::loss;
use crate::hunt::minimise::Failing;
use crate::hunt::property::{Flaw, Judgement, Property, asked, record, refusals, white_box};
use crate::judgement::datatype::{Arbitration, Datatype, answered, updates};
use crate::judgement::{Counterexample, Guarantees, Kind, Model, Witness};
use crate::replication::CommandId;
use crate::world::trace::{Trace, TraceStep, trace};
use crate::world::{
    Action, Ending, FaultPlan, MessageName, Planned, Run, Script, SessionId, Setting, Strike,
    Workload,
};

use super::layout::to_text;
use super::schema::{
    ClusterShape, FaultsShape, File, FoundShape, FullShape, OperationShape, SessionShape,
    StepShape, VerdictWord,
};
use super::words::{asks, did, sentence};
use super::{Case, CaseStep, FORMAT, FULL_MAX, FoundBy, RecordedRun};

impl Case {
    /// The case of a failing run. `minimal` says whether it was checked that no
    /// chosen action can be removed.
    pub fn of(subject: &dyn Subject, failing: &Failing, minimal: bool, found: FoundBy) -> Case {
        let Failing { setting, workload, run, property, datatype, .. } = failing;
        let judged = (property, *datatype, &failing.judgement());
        Case::of_run(subject, (setting, workload), run, judged, minimal, found)
    }

    /// The case of any run, with the property and the result of judging it.
    pub fn of_run(
        subject: &dyn Subject,
        (setting, workload): (&Setting, &Workload),
        run: &Run,
        (property, datatype, judgement): (&Property, &dyn Datatype, &Judgement),
        minimal: bool,
        found: FoundBy,
    ) -> Case {
        let trace = trace(subject, setting, workload, &run.schedule);
        Case {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            strategy: subject.strategy_name(),
            datatype: datatype.name().to_owned(),
            setting: setting.clone(),
            workload: workload.clone(),
            start: trace.start.iter().map(sent).collect(),
            cycle: cycle(run),
            schedule: steps(trace),
            history: run.history.clone(),
            property: property.clone(),
            kind: judgement.flaw(),
            evidence: evidence(run, property, judgement, datatype),
            minimal,
            found,
            full: None,
        }
    }

    /// The same case, which was shrunk from this run. It keeps the run if that is another one
    /// and has at most [`FULL_MAX`] steps.
    pub fn shrunk_from(self, subject: &dyn Subject, first: &Failing) -> Case {
        let Case { setting, workload, start, schedule, cycle, history, .. } =
            Case::of(subject, first, false, FoundBy::default());
        let found = FoundBy { shrunk_from: Some(schedule.len()), ..self.found };
        let is_shrunk = (&workload, &schedule) != (&self.workload, &self.schedule);
        let full = (is_shrunk && schedule.len() <= FULL_MAX).then_some(RecordedRun {
            setting,
            workload,
            start,
            schedule,
            cycle,
            history,
        });
        Case { found, full, ..self }
    }

    /// The text of the case file.
    pub fn to_text(&self) -> String {
        to_text(&file(self))
    }
}

/// A message that was sent: `n1→n2 #1 store x=1`.
pub(super) fn sent((name, label): &(MessageName, String)) -> String {
    format!("{name} {label}")
}

/// The steps of a trace as a case records them.
pub(super) fn steps(trace: Trace) -> Vec<CaseStep> {
    let step = |step: TraceStep| CaseStep {
        action: step.happened.action,
        text: sentence(&step.happened).text(),
        sends: step.sends.iter().map(sent).collect(),
        settling: step.step.settling,
    };
    trace.steps.into_iter().map(step).collect()
}

/// How many steps at the end of a run repeat for ever, if they do.
pub fn cycle(run: &Run) -> Option<usize> {
    match run.ending {
        Ending::NeverQuiet { from, .. }
        | Ending::Oscillating { from }
        | Ending::Cycle { from, .. } => Some(run.schedule.len() - from),
        _ => None,
    }
}

/// Why a run fails, as JSON that is the same for the same run.
pub(super) fn evidence(
    run: &Run,
    property: &Property,
    judgement: &Judgement,
    datatype: &dyn Datatype,
) -> serde_json::Value {
    let why = why(run, property, judgement, datatype);
    match judgement {
        Judgement::Violated(_, Some(counterexample)) => {
            let operations = run.history.operations();
            let told = counterexample.operations.iter().map(|&at| {
                let op = &operations[at];
                match op.node {
                    Some(node) => format!("{} at {node}", notation::token(op)),
                    None => notation::token(op),
                }
            });
            let told: Vec<_> = told.collect();
            match finals(&run.history, counterexample) {
                Some((key, finals)) => json!({ "key": key, "final": finals, "why": why }),
                None => json!({ "operations": told, "why": why }),
            }
        }
        _ => json!({ "why": why }),
    }
}

/// Which acknowledged write is lost, and which final read misses it.
fn lost(run: &Run, datatype: &dyn Datatype, who: &dyn Fn(usize) -> String) -> String {
    let Ok(Some(loss)) = loss(run, datatype) else { unreachable!("a write is lost") };
    let operations = loss.history.operations();
    let (write, read) = (&operations[loss.write], &operations[loss.read]);
    let node = read.node.map_or(String::new(), |node| format!(" at {node}"));
    let missed = match (datatype.arbitration(&write.call.key), write.call.is_write()) {
        (Arbitration::Last, true) => "neither that write nor a later one into account",
        (Arbitration::Last, false) => "neither that nor what replaces it into account",
        (Arbitration::Ignored | Arbitration::Whole | Arbitration::Listed, _) => "no account of it",
    };
    format!(
        "{} {} and was told that it was done, and in the end a read of {}{node} takes {missed}",
        who(loss.write),
        did(&write.call),
        read.call.key
    )
}

/// Which nodes disagree, and on what.
fn disagreed(run: &Run) -> String {
    let found = run.disagreement.as_ref().expect("two nodes disagree");
    format!(
        "after step {}, {} and {} have taken the same writes into account, and answer {} and {} to a read of {}",
        found.step, found.nodes.0, found.nodes.1, found.answers.0, found.answers.1, found.key
    )
}

/// Which operation is never answered.
fn stuck(run: &Run, property: &Property, who: &dyn Fn(usize) -> String) -> String {
    let stuck = run.stuck.iter().flatten().next();
    let (operation, node) = stuck.expect("an operation stays open");
    let at = run.operations.iter().position(|id| id == operation).expect("it was asked");
    let call = &run.history.operations()[at].call;
    let state = match run.ending {
        Ending::Settled if *property == Property::Available => {
            "nothing is in flight any more on links that are not cut"
        }
        Ending::Settled => "nothing is in flight any more",
        _ => "what goes on for ever does not answer it",
    };
    format!("{} {} at {node}, and no answer ever comes: {state}", who(at), asks(call))
}

/// Whether a run ends because an invariant broke.
fn ends_broken(ending: &Ending) -> bool {
    matches!(ending, Ending::Broken(_))
}

/// After which step an invariant broke, in a run that went on.
fn broken(run: &Run, name: &str) -> String {
    let step = run.broken.iter().find(|broken| broken.name == name).map_or(0, |it| it.step);
    format!("after step {step} `{name}` does not hold")
}

/// Which key is read nowhere.
fn refused(run: &Run) -> String {
    let finals = run.history.operations().iter();
    let mut refused = finals.rev().filter(|op| op.completion == Completion::Fail);
    let read = refused.next().expect("a read was refused");
    format!("at quiescence every node that serves reads of {} refuses one", read.call.key)
}

/// Which operation is refused.
fn refused_one(run: &Run, who: &dyn Fn(usize) -> String) -> String {
    let at = refusals(&run.history, asked(run)).next().expect("an operation was refused");
    let op = &run.history.operations()[at];
    let node = op.node.map_or(String::new(), |node| format!(" at {node}"));
    format!("{} {}{node}, and was refused", who(at), asks(&op.call))
}

/// Why a run fails, in words.
pub fn why(
    run: &Run,
    property: &Property,
    judgement: &Judgement,
    datatype: &dyn Datatype,
) -> String {
    let operations = run.history.operations();
    let who = |at: usize| format!("process {}", operations[at].process.0);
    why_by(run, property, judgement, datatype, &who)
}

/// As [`why`], where `who` names the client that issued the operation at a
/// position of the history.
pub fn why_by(
    run: &Run,
    property: &Property,
    judgement: &Judgement,
    datatype: &dyn Datatype,
    who: &dyn Fn(usize) -> String,
) -> String {
    why_marked(run, property, judgement, datatype, who, &|_, told| told)
}

/// As [`why_by`], where `mark` says what stands in place of the words that tell of the
/// operation at a position of the history.
pub fn why_marked(
    run: &Run,
    property: &Property,
    judgement: &Judgement,
    datatype: &dyn Datatype,
    who: &dyn Fn(usize) -> String,
    mark: &dyn Fn(usize, String) -> String,
) -> String {
    let marked = |at: usize| mark(at, who(at));
    match (judgement, &run.ending) {
        (Judgement::Violated(_, Some(counterexample)), _) => {
            counterexample.explain_marked(&run.history, who, mark)
        }
        (Judgement::Violated(Flaw::LostWrite, None), _) => lost(run, datatype, &marked),
        (Judgement::Violated(Flaw::Disagreed, None), _) => disagreed(run),
        (Judgement::Violated(Flaw::Stuck, None), _) => stuck(run, property, &marked),
        (Judgement::Violated(Flaw::Refused, None), _) if *property == Property::Available => {
            refused_one(run, &marked)
        }
        (Judgement::Violated(Flaw::Refused, None), _) => refused(run),
        (Judgement::Violated(Flaw::Recorded, None), _) => match property {
            Property::WhiteBox(model) => match record(run, *model, datatype) {
                Some(Err(unsound)) => own_update_unseen(run, *model, datatype, &marked)
                    .unwrap_or_else(|| format!("by the strategy's own record, {unsound}")),
                Some(Ok(())) | None => unreachable!("the record contradicts the model"),
            },
            _ => unreachable!("only white-box properties have this flaw"),
        },
        (Judgement::Violated(Flaw::Broken, None), ending) if !ends_broken(ending) => match property
        {
            Property::AtQuiescence(name) => format!("at quiescence `{name}` does not hold"),
            Property::Always(name) => broken(run, name),
            _ => String::new(),
        },
        (Judgement::Violated(_, None), ending) => match ending {
            Ending::NeverQuiet { from, .. } => format!(
                "the last {} deliveries lead back to where they began, with at least as much in flight: they can go on for ever",
                run.schedule.len() - from
            ),
            Ending::Oscillating { from } => format!(
                "the last {} steps lead back to the same replicas by way of others, for ever",
                run.schedule.len() - from
            ),
            Ending::Cycle { from, deliveries_only, way_out, .. } => format!(
                "the last {} lead back to where they began{}, and every message and timer has its turn: they can go on for ever{}",
                match (run.schedule.len() - from, deliveries_only) {
                    (1, true) => "delivery".to_owned(),
                    (1, false) => "step".to_owned(),
                    (steps, true) => format!("{steps} deliveries"),
                    (steps, false) => format!("{steps} steps"),
                },
                if *deliveries_only { "" } else { " and what is read is wrong" },
                if *way_out && !deliveries_only {
                    "; the cluster can leave them and converges almost surely, but nothing guarantees it"
                } else {
                    ""
                },
            ),
            Ending::Panicked(text) => format!("a handler panicked: {text}"),
            Ending::Broken(name) => format!("after the last step `{name}` does not hold"),
            Ending::Settled | Ending::Unsettled(_) => String::new(),
        },
        (Judgement::Holds, _) => "nothing contradicts it".to_owned(),
        (Judgement::Unknown(why), _) => why.clone(),
    }
}

/// In words, a read that did not take an earlier write of its own process into
/// account, by the strategy's own record.
fn own_update_unseen(
    run: &Run,
    model: Model,
    datatype: &dyn Datatype,
    who: &dyn Fn(usize) -> String,
) -> Option<String> {
    let asked = matches!(model, Model::Grid(grid) if grid.asks(Guarantees::RYW));
    let record = white_box(run, model, datatype).filter(|_| asked);
    let Some(Witness::Abstract { visible, .. }) = record else { return None };
    let operations = run.history.operations();
    let reads = operations.iter().enumerate().filter(|(_, op)| answered(op, datatype));
    reads.into_iter().find_map(|(at, read)| {
        let own = |update: &usize| {
            let op = &operations[*update];
            op.process == read.process && updates(op, datatype) && op.returned.is_some()
        };
        let update = (0..at).filter(own).find(|update| !visible[at].contains(update))?;
        let saw = match &read.completion {
            Completion::Ok(Value::Null) => "nothing".to_owned(),
            Completion::Ok(answer) => answer.to_string(),
            Completion::Info | Completion::Fail => unreachable!("it was answered"),
        };
        let updated = &operations[update].call;
        let what = if updated.is_write() { "write" } else { "update" };
        Some(format!(
            "{} {}, then {} and saw {saw}; by the strategy's own record that read did not take the {what} of its own process into account",
            who(update), did(updated), did(&read.call)
        ))
    })
}

/// The key on which a run diverged or lost a write, and all final reads of that
/// key; `None` for other violations.
fn finals(
    history: &History,
    counterexample: &Counterexample,
) -> Option<(String, Vec<serde_json::Value>)> {
    if !matches!(counterexample.kind, Kind::Diverged | Kind::Lost) {
        return None;
    }
    let operations = history.operations();
    let involved = counterexample.operations.iter().map(|&at| &operations[at]);
    let key = involved.clone().find(|op| op.final_read)?.call.key.clone();
    let reads = operations.iter().filter(|op| op.final_read && op.call.key == key);
    let finals = reads.map(|read| {
        let node = read.node.map(|node| node.to_string());
        json!({ "node": node, "value": read.answer() })
    });
    Some((key.to_string(), finals.collect()))
}

/// A setting as it stands in a case file: `cluster`, `faults` and `routing`.
pub fn setting(setting: &Setting) -> serde_json::Value {
    json!({
        "cluster": cluster(setting),
        "faults": faults(&setting.faults),
        "routing": setting.routing,
    })
}

fn cluster(setting: &Setting) -> ClusterShape {
    ClusterShape { nodes: setting.nodes.into(), network: setting.network }
}

fn faults(plan: &FaultPlan) -> FaultsShape {
    FaultsShape {
        budget: plan.budget,
        inbox: plan.inbox,
        clocks: plan.clocks.clone(),
        keep_token: plan.keep_token,
        bounded: plan.bounded,
        lose_clock: plan.lose_clock,
    }
}

fn file(case: &Case) -> File {
    File {
        format: FORMAT.to_owned(),
        tool: case.tool.clone(),
        strategy: case.strategy.clone(),
        datatype: case.datatype.clone(),
        cluster: cluster(&case.setting),
        faults: faults(&case.setting.faults),
        routing: case.setting.routing,
        workload: sessions(&case.workload),
        start: case.start.clone(),
        schedule: schedule(&case.workload, &case.schedule),
        cycle: case.cycle,
        history: notation::write(&case.history),
        model: case.property.to_string(),
        verdict: match case.kind {
            Some(_) => VerdictWord::Violated,
            None => VerdictWord::Holds,
        },
        kind: case.kind.map(|kind| kind.to_string()),
        evidence: case.evidence.clone(),
        minimal: case.minimal,
        found: FoundShape {
            search: case.found.search.map_or(String::new(), |search| search.to_string()),
            seed: case.found.seed.map(|seed| format!("{seed:#x}")),
            run: case.found.run,
            shrunk_from: case.found.shrunk_from,
        },
        full: case.full.as_ref().map(|run| full(run, &case.setting)),
    }
}

/// The run as it was found, of a case with this setting.
fn full(run: &RecordedRun, shrunk: &Setting) -> FullShape {
    let (now, then) = (&run.setting, shrunk);
    let is_same_cluster = (now.nodes, now.network) == (then.nodes, then.network);
    FullShape {
        cluster: (!is_same_cluster).then(|| cluster(now)),
        faults: (now.faults != then.faults).then(|| faults(&now.faults)),
        workload: sessions(&run.workload),
        start: run.start.clone(),
        schedule: schedule(&run.workload, &run.schedule),
        cycle: run.cycle,
        history: notation::write(&run.history),
    }
}

fn sessions(workload: &Workload) -> Vec<SessionShape> {
    let operation = |planned: &Planned| OperationShape {
        f: planned.call.f.clone(),
        key: planned.call.key.clone(),
        value: planned.call.argument.clone(),
        node: planned.node.map(|node| node.to_string()),
    };
    let session = |(at, script): (u16, &Script)| SessionShape {
        session: SessionId(at).to_string(),
        node: script.node.to_string(),
        operations: script.operations.iter().map(operation).collect(),
    };
    (0..).zip(&workload.sessions).map(session).collect()
}

fn schedule(workload: &Workload, steps: &[CaseStep]) -> Vec<StepShape> {
    // The number of an operation is written only if it is not the session's
    // next one.
    let mut next = vec![0; workload.sessions.len()];
    let shape = |step: &CaseStep| {
        let mut shape = self::step(step);
        if let Action::Invoke(operation) = step.action {
            let next = &mut next[usize::from(operation.session)];
            shape.operation = (operation.number != *next).then(|| u64::from(operation.number) + 1);
            *next = operation.number + 1;
        }
        shape
    };
    steps.iter().map(shape).collect()
}

fn step(step: &CaseStep) -> StepShape {
    let mut shape = StepShape {
        text: step.text.clone(),
        sends: step.sends.clone(),
        settling: step.settling,
        ..StepShape::default()
    };
    let mut word = |word: &str| shape.r#do = word.to_owned();
    match &step.action {
        Action::Invoke(operation) => {
            word("invoke");
            shape.session = Some(SessionId(operation.session).to_string());
        }
        Action::Deliver(_, message) => {
            word("deliver");
            shape.message = Some(message.to_string());
        }
        Action::Drop(_, message) => {
            word("drop");
            shape.message = Some(message.to_string());
        }
        Action::Duplicate(_, message) => {
            word("duplicate");
            shape.message = Some(message.to_string());
        }
        Action::Fire(node, timer) => {
            word("fire");
            shape.node = Some(node.to_string());
            shape.timer = Some(timer.0);
        }
        Action::Flush(node) | Action::Tick(node) => {
            word(if matches!(step.action, Action::Tick(_)) { "advance" } else { "flush" });
            shape.node = Some(node.to_string());
        }
        Action::Strike(node, strike) => {
            word(strike.name());
            if let Strike::Cut(from) = strike {
                shape.link = Some(format!("{from}→{node}"));
            } else if let Strike::Partition(split) = strike {
                shape.split = Some(split.to_string());
            } else {
                shape.node = Some(node.to_string());
                shape.suspect = strike.other().map(|other| other.to_string());
                if let Strike::Command(CommandId(number)) = strike {
                    shape.command = Some(number + 1);
                }
            }
        }
        Action::Recover(node) => {
            word("recover");
            shape.node = Some(node.to_string());
        }
        Action::Heal(from, to) => {
            word("heal");
            shape.link = Some(format!("{from}→{to}"));
        }
        Action::Unite => word("unite"),
        Action::GiveUp(session) => {
            word("give-up");
            shape.session = Some(session.to_string());
        }
        Action::Retry(session, node) => {
            word("retry");
            shape.session = Some(session.to_string());
            shape.node = Some(node.to_string());
        }
    }
    shape
}
