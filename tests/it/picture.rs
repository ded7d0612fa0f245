//! The picture of a run shows what the trace contains, whatever texts a
//! strategy produces: here its labels, replicas and panics are random texts
//! that look like parts of a picture.

use std::fmt;

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, prop_compose, proptest};
use proptest::strategy::Strategy as _;
use quiescence::catalogue::Registry;
use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::hunt::case::read::read;
use quiescence::hunt::case::replay::replay;
use quiescence::hunt::case::words::{asks, outcome};
use quiescence::replication::{Cluster, Effects, Input, OperationId, Strategy, StrategyName};
use quiescence::report::timeline::{Story, sentences, steps};
use quiescence::report::{Look, states};
use quiescence::world::trace::{Answered, Trace, TraceStep, trace};
use quiescence::world::{
    Action, FaultKind, FaultPlan, Faults, Network, Planned, Routing, Scenario, Script, SessionId,
    Setting, Workload, execute,
};

/// n1 answers; every other node forwards requests to it.
#[derive(Clone, Debug)]
struct Liar {
    labels: Vec<String>,
    debug: Vec<String>,
    /// The number of the write at which the handler panics, and the text of the
    /// panic.
    panic: (i64, String),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Replica {
    me: NodeId,
    value: i64,
    writes: i64,
    text: String,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

type Ask = (OperationId, bool, i64);

impl Liar {
    fn answer(&self, replica: &mut Replica, ask: Ask, effects: &mut Effects<Self>) {
        let (operation, is_write, value) = ask;
        if !is_write {
            effects.reply(operation, Completion::Ok(Value::Int(replica.value)));
            return;
        }
        replica.writes += 1;
        assert!(replica.writes != self.panic.0, "{}", self.panic.1);
        replica.value = value;
        replica.text =
            self.debug[usize::try_from(value).expect("small") % self.debug.len()].clone();
        effects.reply(operation, Completion::Ok(Value::Null));
    }
}

impl Strategy for Liar {
    type Replica = Replica;
    type Message = Ask;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("liar")
    }

    fn boot(&self, me: NodeId, _: &Cluster) -> Replica {
        Replica { me, value: 0, writes: 0, text: self.debug[0].clone() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        let ask = match input {
            Input::Request { operation, call, .. } => match call.argument {
                Value::Int(value) => (operation, true, value),
                _ => (operation, false, 0),
            },
            Input::Receive { message, .. } => message,
            _ => return,
        };
        match replica.me {
            NodeId(0) => self.answer(replica, ask, effects),
            _ => effects.send(NodeId(0), ask),
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        replica.clone()
    }

    fn label(&self, (operation, ..): &Ask) -> String {
        let number = usize::from(operation.session) + usize::from(operation.number);
        self.labels[number % self.labels.len()].clone()
    }
}

/// Texts that look like parts of pictures. No strategy must be able to add
/// them.
const FRAGMENTS: [&str; 16] = [
    " · B reads x: 1",
    "B reads x: 1",
    "B read x: 1",
    "● B read x: 1",
    "● answers 7",
    "answers 7",
    " · answers 7",
    "· pending",
    "\n          B reads x: 1",
    "\n     9  write x=1 ─▶ ● x=1",
    " ╌╌▶ ● x=9",
    " ◀─── read x",
    " at n1: 5",
    "lost: ",
    "· panicked: no",
    "\u{202e}── quiet ──",
];

fn hostile() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&FRAGMENTS[..]), 0..3)
        .prop_map(|parts| parts.concat())
}

prop_compose! {
    fn liar()(
        labels in proptest::collection::vec(hostile(), 1..4),
        debug in proptest::collection::vec(hostile(), 1..4),
        panic in (1..9i64, hostile()),
    ) -> Liar {
        Liar { labels, debug, panic }
    }
}

prop_compose! {
    fn scenario()(
        scripts in proptest::collection::vec((0..3u16, proptest::collection::vec(any::<bool>(), 1..4)), 1..4),
        choices in proptest::collection::vec(any::<u8>(), 0..30),
    ) -> Scenario {
        let call = |write: &bool, value: i64| if *write { Call::write("x", value) } else { Call::read("x") };
        let sessions = scripts.iter().map(|(node, writes)| Script {
            node: NodeId(*node),
            operations: (1..)
                .zip(writes)
                .map(|(value, write)| Planned { call: call(write, value), node: None })
                .collect(),
        });
        let kinds = [FaultKind::Duplicate, FaultKind::Drop, FaultKind::Retry, FaultKind::GiveUp];
        let budget = kinds.into_iter().fold(Faults::NONE, |budget, kind| budget.with(kind, 1));
        Scenario {
            setting: Setting {
                nodes: 3,
                network: Network::Unordered,
                faults: FaultPlan { budget, ..FaultPlan::default() },
                routing: Routing::Sticky,
            },
            workload: Workload { sessions: sessions.collect() },
            choices,
            priorities: Vec::new(),
        }
    }
}

/// Whether a line stands for several steps; then the step is one that nobody notices.
fn is_folded(step: &TraceStep, line: &str) -> bool {
    let folded = line.starts_with("     …  steps ");
    let happened = &step.happened;
    let is_quiet = happened.answers.is_empty() && happened.panicked.is_none() && !step.is_changed;
    assert!(!folded || step.step.settling && is_quiet && step.visible.is_empty(), "{line}");
    folded
}

/// Whether an earlier step did the same at the same node: all but the number of its message.
fn repeats(trace: &Trace, at: usize) -> bool {
    let said = |step: &TraceStep| {
        let link = step.happened.action.message().map(|(_, name)| (name.from, name.to));
        let words = sentences(step).join(" · ");
        (step.happened.node, link, words.split_once(' ').map(|(_, rest)| rest.to_owned()))
    };
    let alike = |one: &TraceStep, other: &TraceStep| match one.happened.action.message() {
        // The first words of a message are its link and its number.
        Some((_, name)) => {
            let number = format!("#{} ", name.number);
            let plain = |step: &TraceStep| said(step).2.unwrap_or_default();
            let rest = plain(one).replacen(&number, "", 1);
            let Some((_, before)) = other.happened.action.message() else { return false };
            let earlier = plain(other).replacen(&format!("#{} ", before.number), "", 1);
            said(one).1 == said(other).1 && rest == earlier
        }
        None => one.happened.node == other.happened.node && sentences(one) == sentences(other),
    };
    trace.steps[..at].iter().any(|step| alike(&trace.steps[at], step))
}

/// The answer of a step to the client that asked in it, and the answers to
/// others.
fn answers(step: &TraceStep) -> (Option<&Answered>, Vec<&Answered>) {
    let own = |answer: &&Answered| step.happened.action == Action::Invoke(answer.operation);
    let (own, others): (Vec<_>, Vec<_>) = step.happened.answers.iter().partition(own);
    (own.first().copied(), others)
}

fn session(answer: &Answered) -> SessionId {
    SessionId(answer.operation.session)
}

/// The numbered lines of a picture, each with the lines below that belong to
/// it.
fn lines(picture: &str) -> Vec<(&str, Vec<&str>)> {
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in picture.lines() {
        let number = line.get(..6).map(str::trim).unwrap_or_default();
        if let Some(said) = line.strip_prefix("     …  steps ") {
            let ends = said
                .strip_suffix(" repeat such steps, and no replica changes")
                .and_then(|said| said.split_once(" to "));
            let (first, last) = ends.expect("a folded line says where it begins and ends");
            assert_eq!(first, (steps.len() + 1).to_string(), "{picture}");
            let last: usize = last.parse().expect("a number");
            assert!(last >= steps.len() + 4, "{picture}");
            steps.resize_with(last, || (line, Vec::new()));
            continue;
        }
        match number.parse::<usize>() {
            Ok(number) => {
                assert_eq!(number, steps.len() + 1, "{picture}");
                steps.push((line, Vec::new()));
            }
            Err(_) if steps.is_empty() => assert!(line.trim_start().starts_with("step"), "{line}"),
            Err(_) => steps.last_mut().expect("there is one").1.push(line),
        }
    }
    steps
}

/// The texts after the signs of a line: `●` for what happened at a node, `·`
/// for further text.
fn signed(line: &str) -> Vec<&str> {
    let parts = line.split(['●', '·']).skip(1).map(|part| part.strip_prefix(' ').unwrap_or(part));
    parts
        .map(|part| {
            let ends = ["   ", "◀", "─", "╌"].iter().filter_map(|end| part.find(end)).min();
            part[..ends.unwrap_or(part.len())].trim()
        })
        .collect()
}

fn draw(scenario: &Scenario, trace: &Trace, run: &quiescence::world::Run, width: usize) -> String {
    let Scenario { setting, workload, .. } = scenario;
    let story = Story { setting, workload, trace, history: &run.history, ending: &run.ending };
    steps(&story, &Look { width, ..Look::default() })
}

/// Asserts that a step has one more line for each answer to another client, and
/// one for a panic. Returns the answers to others, each with its line.
fn told_to_others<'s, 'l>(
    others: Vec<&'s Answered>,
    step: &TraceStep,
    more: &'l [&'l str],
) -> impl Iterator<Item = (&'s Answered, &'l str)> {
    let panics = usize::from(step.happened.panicked.is_some());
    assert_eq!(more.len(), others.len() + panics, "{more:?}");
    others.into_iter().zip(more.iter().copied())
}

/// Checks the picture with a lane for each session.
fn with_sessions(step: &TraceStep, line: &str, more: &[&str]) {
    let (own, others) = answers(step);
    let said: Vec<_> = signed(line).into_iter().filter(|s| s.starts_with("answers")).collect();
    let expected =
        own.filter(|own| own.call.is_read()).map(|own| format!("answers {}", outcome(own)));
    assert_eq!(said, expected.iter().collect::<Vec<_>>(), "{line}");
    for (answer, line) in told_to_others(others, step, more) {
        assert!(line.contains(&format!("({})", asks(&answer.call))), "{line}");
        assert!(line.contains('▶') || line.contains('◀'), "{line}");
    }
}

/// Checks the picture with lanes for nodes alone.
fn with_nodes(step: &TraceStep, line: &str, more: &[&str]) {
    let (own, others) = answers(step);
    let asked = |said: &&str| said.get(1..2) == Some(" ") && said.starts_with(char::is_uppercase);
    let said: Vec<_> = signed(line).into_iter().filter(asked).collect();
    let expected = match (step.happened.action, &step.happened.asked, own) {
        (Action::Invoke(id), Some(call), own) => {
            let answer = match own {
                None => ": pending".to_owned(),
                Some(own) if !own.call.is_read() => String::new(),
                Some(own) => format!(": {}", outcome(own)),
            };
            Some(format!("{} {call}{answer}", SessionId(id.session)))
        }
        (Action::Retry(session, _), ..) => Some(format!("{session} asks again")),
        _ => None,
    };
    assert_eq!(said, expected.iter().collect::<Vec<_>>(), "{line}");
    for (answer, line) in told_to_others(others, step, more) {
        let told = format!("{} {}: {}", session(answer), asks(&answer.call), outcome(answer));
        assert_eq!(line.trim().split("   ").next(), Some(&*told));
    }
}

/// Checks the plain list, and other output that describes a step in sentences.
fn in_sentences(step: &TraceStep, more: &[&str]) {
    let (_, others) = answers(step);
    let told = |answer: &Answered| {
        format!("{} {}: {}", session(answer), asks(&answer.call), outcome(answer))
    };
    let expected: Vec<_> = others.into_iter().map(told).collect();
    let (answers, panics) = more.split_at(expected.len().min(more.len()));
    assert_eq!(answers.iter().map(|line| line.trim()).collect::<Vec<_>>(), expected);
    assert_eq!(panics.len(), usize::from(step.happened.panicked.is_some()), "{more:?}");
    assert!(panics.iter().all(|line| line.trim_start().starts_with("panicked: ")), "{panics:?}");
    let sentences = sentences(step);
    assert_eq!(sentences[1..].len(), more.len());
    assert_eq!(sentences.join(" · ").split(" · ").collect::<Vec<_>>(), sentences);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_label_no_replica_and_no_panic_makes_a_picture_say_what_did_not_happen(
        liar in liar(), scenario in scenario(),
    ) {
        let run = execute(&liar, &scenario, None);
        let trace = trace(&liar, &scenario.setting, &scenario.workload, &run.schedule);
        let wide = draw(&scenario, &trace, &run, 10_000);
        let narrow = draw(&scenario, &trace, &run, 1);
        let widest = wide.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        prop_assert_eq!(lines(&wide).len(), trace.steps.len());
        for (at, (step, (line, more))) in trace.steps.iter().zip(lines(&wide)).enumerate() {
            match is_folded(step, line) {
                true => prop_assert!(repeats(&trace, at), "step {}: {wide}", at + 1),
                false => with_sessions(step, line, &more),
            }
        }
        let mut before = String::new();
        for width in (1..widest).rev() {
            let text = draw(&scenario, &trace, &run, width);
            let has_lanes = text.starts_with("  step  ");
            if text == before || !has_lanes {
                continue;
            }
            before = text.clone();
            prop_assert_eq!(lines(&text).len(), trace.steps.len());
            let rows = || text.lines().filter(|line| !line.starts_with("     …"));
            prop_assert!(rows().all(|line| line.chars().count() <= width));
            if !text.contains("session ") && !rows().any(|line| line.contains('…')) {
                for (step, (line, more)) in trace.steps.iter().zip(lines(&text)) {
                    if !is_folded(step, line) {
                        with_nodes(step, line, &more);
                    }
                }
            }
            // A picture with sessions says what the widest one says; what is cut, says so.
            if text.contains("session ") {
                for (whole, cut) in wide.lines().zip(text.lines()) {
                    for (whole, cut) in signed(whole).into_iter().zip(signed(cut)) {
                        let start = cut.strip_suffix('…').map(str::trim_end);
                        let is_cut = start.is_some_and(|start| whole.starts_with(start));
                        prop_assert!(whole == cut || is_cut, "{whole}\n{cut}");
                    }
                }
            }
        }
        for (number, (step, (line, more))) in (1..).zip(trace.steps.iter().zip(lines(&narrow))) {
            if is_folded(step, line) {
                continue;
            }
            in_sentences(step, &more);
            let state = states::step(&trace, number, &Look::default());
            let state: Vec<_> = state.lines().skip(1).take(more.len()).map(str::trim).collect();
            prop_assert_eq!(state, more.iter().map(|line| line.trim()).collect::<Vec<_>>());
        }
    }
}

/// The random pictures are too short for that.
#[test]
fn only_what_repeats_is_folded_in_pictures_of_committed_cases() {
    let (mut folded, mut new) = (0, 0);
    let registry = Registry::standard();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1");
    for entry in std::fs::read_dir(folder).expect("there are cases") {
        let text = std::fs::read_to_string(entry.expect("one").path()).expect("it can be read");
        let case = read(&text).expect("it is a case");
        let subject = registry.named(&case.strategy).expect("it exists");
        let datatype = registry.datatype(&case.datatype).expect("it is known");
        let replayed = replay(&case, &*subject, datatype).expect("every step is possible");
        let (trace, run) = (&replayed.trace, &replayed.run);
        let (setting, workload) = (&case.setting, &case.workload);
        let story = Story { setting, workload, trace, history: &run.history, ending: &run.ending };
        let text = steps(&story, &Look { width: 10_000, ..Look::default() });
        let told = lines(&text);
        assert_eq!(told.len(), trace.steps.len(), "{text}");
        for (at, (step, (line, _))) in trace.steps.iter().zip(told).enumerate() {
            let is_quiet = step.step.settling && !step.is_changed;
            match is_folded(step, line) {
                true => assert!(repeats(trace, at), "step {}: {text}", at + 1),
                false => new += usize::from(is_quiet && !repeats(trace, at)),
            }
            folded += usize::from(is_folded(step, line));
        }
    }
    assert!(folded >= 4 && new > 50, "{folded} folded, {new} new");
}

/// The only line that may split a text: it breaks it into lines at blanks.
const WRAP: &str = "for word in text.split(' ') {";

#[test]
fn no_report_takes_a_text_apart() {
    let mut files = vec![std::path::PathBuf::from("src/report")];
    let mut wraps = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("the folder can be read");
            files.extend(entries.map(|entry| entry.expect("it can be read").path()));
            continue;
        }
        // Scripts of pages take apart only what the pages themselves say.
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let code = text.split("#[cfg(test)]").next().expect("there is a first part");
        for line in code.lines() {
            if line.trim() == WRAP {
                wraps += 1;
                continue;
            }
            for word in ["split", ".parse", "strip_", "_matches(", "SessionId::named", ".lines()"] {
                let allowed = word == ".lines()" && line.contains("trim_end()");
                let allowed = allowed || line.contains(".lines().count()");
                assert!(allowed || !line.contains(word), "{}: {line}", path.display());
            }
        }
    }
    assert_eq!(wraps, 1, "the rule looks at the files");
}
