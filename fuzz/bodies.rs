//! What the fuzz targets assert. Also included by tests/it/regressions.rs, which
//! replays every finding in `regressions/` as an ordinary test.

use std::collections::BTreeSet;
use std::time::Duration;

use quiescence::catalogue::Registry;
use quiescence::history::formats::{
    self, Follower, Options, Unit, edn, json_lines, operation_lines,
};
use quiescence::history::{Builder, NodeId, escape, notation};
use quiescence::hunt::Subject;
use quiescence::hunt::case::{Case, FoundBy, read, replay};
use quiescence::hunt::property::{Judgement, Property};
use quiescence::judgement::{
    Budget, Distance, Elements, Judge, Model, Sums, Survey, check, initial, recheck,
};
use quiescence::report::json::Json;
use quiescence::report::json_lines::JsonLines;
use quiescence::report::listing::Listing;
use quiescence::report::reporter::{EndOfRecordings, Reporter};
use quiescence::report::survey::{Counted, Judged};
use quiescence::report::{Letters, Look, github, junit, markdown, page};
use quiescence::world::execute;
use quiescence::world::{
    Ending, FaultKind, FaultPlan, Faults, InboxOnCrash, Network, Planned, Routing, Scenario,
    Script, Setting, Workload,
};

/// Every text is a case or is refused with a place; a case survives writing
/// and reading; replaying it never panics.
pub fn case_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let case = match read::read(text) {
        Ok(case) => case,
        Err(refused) => {
            assert!(refused.line >= 1 && refused.column >= 1, "{refused:?}");
            assert!(!refused.reason.is_empty());
            return;
        }
    };
    let written = case.to_text();
    let again = read::read(&written).expect("what was written can be read");
    assert_eq!(again.to_text(), written, "writing is stable");
    let full = case.full.as_ref();
    let steps = case.schedule.len() + full.map_or(0, |full| full.schedule.len());
    let nodes = full.map_or(0, |full| full.setting.nodes).max(case.setting.nodes);
    if steps > 200 || nodes > 8 {
        return;
    }
    let registry = Registry::standard();
    if let (Ok(subject), Ok(datatype)) =
        (registry.named(&case.strategy), registry.datatype(&case.datatype))
    {
        let _ = replay::replay(&case, &*subject, datatype);
        let _ = replay::replay_full(&case, &*subject, datatype);
    }
}

/// Every text is a history or is refused; a history survives writing and
/// reading; it is judged without a panic and the evidence stands.
pub fn history_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // What clients ask is written alike.
    let _: Result<Workload, _> = text.parse();
    let Ok(history) = notation::parse(text) else { return };
    let written = notation::write(&history);
    let again = notation::parse(&written).expect("what was written can be read");
    assert_eq!(notation::write(&again), written, "writing is stable");
    if history.len() > 24 {
        return;
    }
    let models =
        [Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS, Model::Linearizable];
    for model in models {
        let verdict = check(&history, model, Budget::of(20_000));
        if let Err(unsound) = recheck(&history, model, &verdict) {
            panic!("{} of {written}: {unsound}", model.name());
        }
    }
}

/// Any bytes are a recording in some format, or are refused with a line. What
/// was read is the same after it was written in any format and read again. Line by line they are
/// events or refused.
pub fn recording(bytes: &[u8]) {
    followed(bytes);
    let (plain, in_seconds) = (Unit::default(), Unit::Seconds);
    for (lenient, unit) in [(false, plain), (true, plain), (true, in_seconds)] {
        let read = match formats::read(bytes, &Options { lenient, unit, ..Options::default() }) {
            Ok(recording) => recording,
            Err(malformed) => {
                assert!(malformed.line >= 1 && !malformed.reason.is_empty(), "{malformed:?}");
                continue;
            }
        };
        assert!(lenient || read.skipped == 0, "nothing is skipped unless that was asked for");
        let history = read.history;
        for text in
            [json_lines::write(&history), operation_lines::write(&history), edn::write(&history)]
        {
            let again = formats::read(text.as_bytes(), &Options::default());
            let again = again.unwrap_or_else(|malformed| panic!("{malformed} in\n{text}"));
            assert_eq!(again.history, history, "{text}");
        }
    }
}

/// Any lines are followed, and what is not refused is a history.
fn followed(bytes: &[u8]) {
    let (mut follower, mut builder) = (Follower::default(), Builder::new());
    let mut said: Vec<_> =
        bytes.split(|byte| *byte == b'\n').flat_map(|line| follower.line(line)).collect();
    said.extend(follower.end());
    for event in said {
        match event {
            Ok(event) => builder.event(event).expect("what a follower says obeys the rules"),
            Err(refused) => assert!(refused.line >= 1 && !refused.reason.is_empty(), "{refused:?}"),
        }
    }
}

/// Any bytes make a scenario that runs to an end without a panic, and whose
/// case, whatever it shows, replays to the letter.
pub fn schedule(bytes: &[u8]) {
    let Some((subject, scenario)) = decode(bytes) else { return };
    let run = execute(&*subject, &scenario, None);
    if let Ending::Panicked(text) = &run.ending {
        panic!("{}: {text}", subject.strategy_name());
    }
    let place = (&scenario.setting, &scenario.workload);
    let datatype = Registry::standard().datatype_of(&*subject).expect("it has a datatype");
    let judged = (&Property::NoPanic, datatype, &Judgement::Holds);
    let case = Case::of_run(&*subject, place, &run, judged, false, FoundBy::default());
    let again = read::read(&case.to_text()).expect("what was written can be read");
    let replayed = replay::replay(&again, &*subject, datatype).expect("its steps are possible");
    assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced);
}

/// The first bytes choose strategy, setting and workload; the rest are choices.
fn decode(bytes: &[u8]) -> Option<(Box<dyn Subject>, Scenario)> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let names = [
        "notebook:storing",
        "notebook:echo",
        "primary-backup",
        "primary-backup:reads=local",
        "abd",
        "async-primary",
        "multi-primary-lww",
        "multi-primary-lww:clock=wall",
        "multi-primary-lww:anti-entropy=on",
    ];
    let name = names[usize::from(head[0]) % names.len()];
    let subject = Registry::standard().parse(name).ok()?.pop()?;
    let nodes = 1 + u16::from(head[1] % 4);
    let some = |byte: u8, at: u32| u16::from((byte >> at) & 3);
    let mut budget = Faults::NONE;
    for (kind, at) in FaultKind::ALL.into_iter().zip(0..) {
        budget[kind] = some(head[2 + usize::from(at > 3)], 2 * (at % 4));
    }
    let flag = |bit: u8| head[4] & (1 << bit) != 0;
    let faults = FaultPlan {
        budget,
        inbox: if flag(0) { InboxOnCrash::Kept } else { InboxOnCrash::Lost },
        clocks: vec![i32::from(head[5] % 3); 2],
        keep_token: flag(1),
        bounded: None,
        lose_clock: false,
    };
    let network = if flag(2) { Network::Fifo } else { Network::Unordered };
    let setting = Setting { nodes, network, faults, routing: Routing::Roaming };
    let sessions = 1 + usize::from(head[6] % 3);
    let operations = 1 + usize::from(head[7] % 4);
    let mut bytes = rest.iter().copied();
    let mut workload = Workload::default();
    for session in 0..sessions {
        let planned = (0..operations).map(|number| {
            let byte = bytes.next().unwrap_or_default();
            let key = if byte & 2 == 0 { "x" } else { "y" };
            let value = i64::try_from(10 * session + number + 1).expect("small");
            let call = if byte & 1 == 0 {
                quiescence::history::Call::write(key, value)
            } else {
                quiescence::history::Call::read(key)
            };
            Planned { call, node: Some(NodeId(u16::from(byte >> 2) % nodes)) }
        });
        let operations = planned.collect();
        workload.sessions.push(Script { node: NodeId(0), operations });
    }
    let priorities = if flag(3) { bytes.by_ref().take(16).collect() } else { Vec::new() };
    let choices = bytes.take(200).collect();
    Some((subject, Scenario { setting, workload, choices, priorities }))
}

/// Whatever a recording says is printed, for people, for programs and in every
/// format, and steers nobody.
pub fn printed(bytes: &[u8]) {
    let options = Options { lenient: true, ..Options::default() };
    let Ok(recording) = formats::read(bytes, &options) else { return };
    let history = &recording.history;
    if history.len() > 24 {
        return;
    }
    let name = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]);
    let models: Vec<Model> = ["eventual", "ryw", "ccv", "slow", "linearizable", "sequential"]
        .map(|name| name.parse().expect("the model exists"))
        .into();
    let (judge, budget) = (Judge::of(history), Budget::of(5_000));
    let survey = Survey::among(&judge, &models, |model| judge.check(model, budget));
    let (distance, elements) = (Distance::of(history), Elements::of(history));
    let sums = Sums::of(history, 0);
    let judged = Judged {
        name: &name,
        every: true,
        full: true,
        witnesses: true,
        recording: &recording,
        counted: Counted::of(history),
        spilled: false,
        bytes: bytes.len() as u64,
        reading: Duration::ZERO,
        survey: &survey,
        not_asked: &[],
        says_anything: judge.says_anything(),
        initial: initial::suggested(initial::seen(history)),
        guessed: None,
        searched: judge.searched(),
        rechecked: &BTreeSet::new(),
        times: &[],
        budget,
        least: None,
        distance: Some(&distance),
        elements: Some(&elements),
        sums: Some(&sums),
        far: true,
    };
    let narrow = Look { width: 20, letters: Letters::Ascii, ..Look::default() };
    let pages = [Look::default(), narrow].map(|look| judged.text(&look));
    let end = EndOfRecordings { one: true, exit: "holds" };
    let told = |mut reporter: Box<dyn Reporter>| {
        reporter.recording(&judged) + &reporter.end_of_recordings(&end)
    };
    let list = |form| told(Box::new(Listing::new(narrow, form)));
    let commands = list(github::text);
    assert!(commands.lines().all(|line| line.starts_with("::")), "{commands}");
    let forms = [
        told(Box::<Json>::default()),
        told(Box::new(JsonLines(narrow))),
        list(junit::text),
        list(markdown::text),
        list(page::results::page),
        page::recording::page(&judged),
        commands,
    ];
    let written =
        [json_lines::write(history), operation_lines::write(history), edn::write(history)];
    for text in pages.into_iter().chain(written).chain(forms) {
        let steering = text.chars().find(|letter| escape::steers(*letter) && *letter != '\n');
        assert_eq!(steering, None, "{text:?}");
    }
}
