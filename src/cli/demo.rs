//! `demo`: an experiment live on real threads, that of the notebook.
//!
//! A writer writes a new key to n1 every two seconds; a reader reads the first
//! key at n1, and five seconds later at n2. Everything is shown as it happens;
//! then the run is settled and judged in the world.
//!
//! The clock is here and nowhere below: this module tells the cluster when its
//! timers fire. It does not know how the cluster runs or what a strategy does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;

use crate::catalogue::Registry;
use crate::history::{Call, NodeId};
use crate::hunt::case::{words, write::why};
use crate::hunt::outcome::{Outcome, Status};
use crate::hunt::property::{Property, judge, looked_at};
use crate::hunt::{Subject, served};
use crate::judgement::datatype::Register;
use crate::report::{Tone, pad, verdict};
use crate::threads::live;
use crate::threads::live::Live;
use crate::threads::{Heard, ThreadRun};
use crate::world::trace::{Happening, trace};
use crate::world::{Action, FaultPlan, Network, Routing, Run, SessionId, Setting};

use super::clock;
use super::exit::{Exit, Failure};
use super::interrupts;
use super::screen::Screen;
use super::values;

/// Run an experiment live, on real threads, and judge it
///
/// A client writes a new key at n1 every 2 s; another one reads the first key at n1,
/// and 5 s later at n2.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The strategy to run
    #[arg(long, value_name = "STRATEGY")]
    strategy: String,
    /// How long clients are active, in time of the experiment
    #[arg(long, value_name = "TIME", value_parser = values::time, default_value = "12s")]
    duration: Duration,
    /// How many times faster than real time
    #[arg(long, value_name = "FACTOR", value_parser = speed, default_value = "1")]
    speed: f64,
}

/// A factor that a wait can be divided by.
fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.001..=1_000_000.0).contains(factor));
    factor.ok_or_else(|| "a speed is a factor like 1, 2.5 or 100".to_owned())
}

/// The strategy that the experiment was made for.
const USUAL: &str = "notebook:as-written";
/// How many nodes take part.
const NODES: u16 = 2;
/// Recording stops after this many events, because some strategies are never
/// quiet.
const EVENTS_MAX: usize = 500;
const WRITER: SessionId = SessionId(0);
const READER: SessionId = SessionId(1);

/// What has been told, so that a strategy that repeats itself does not fill the screen.
#[derive(Debug, Default)]
struct Told {
    times: BTreeMap<String, usize>,
    /// How many deliveries were not shown since the last line.
    hidden: usize,
}

impl Told {
    /// How often the same delivery is shown.
    const SHOWN: usize = 2;

    /// The lines for something that happened: none if the same has been shown often, and if
    /// something was not shown before it, how much. `what` tells deliveries apart.
    fn lines(&mut self, what: Option<String>, line: String) -> Vec<String> {
        if let Some(what) = what {
            let times = self.times.entry(what).or_default();
            *times += 1;
            if *times > Self::SHOWN {
                self.hidden += 1;
                return Vec::new();
            }
        }
        self.rest().into_iter().chain([line]).collect()
    }

    /// The line for what was not shown since the last line.
    fn rest(&mut self) -> Option<String> {
        let said = match std::mem::take(&mut self.hidden) {
            0 => return None,
            1 => "1 more delivery of what is above".to_owned(),
            more => format!("{more} more deliveries of what is above"),
        };
        Some(format!("        …  {said}"))
    }
}

/// An action of the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Write(u64),
    Read(NodeId),
    Timers,
}

/// All actions of the experiment, in order of time.
fn agenda(duration: Duration) -> Vec<(Duration, Deed)> {
    let seconds = Duration::from_secs;
    let within = |at: &Duration| *at < duration;
    let writes = (0..).map(|n| (seconds(2 * n), Deed::Write(n)));
    let reads = [(seconds(1), Deed::Read(NodeId(0))), (seconds(6), Deed::Read(NodeId(1)))];
    let half = Duration::from_millis(500);
    let timers = (0..).map(|n| (seconds(n) + half, Deed::Timers));
    let mut all: Vec<_> = writes.take_while(|(at, _)| within(at)).collect();
    all.extend(reads.into_iter().filter(|(at, _)| within(at)));
    all.extend(timers.take_while(|(at, _)| within(at)));
    all.sort_unstable();
    all
}

/// What runs if nobody says what: the first strategy of one's own that serves writes, or the
/// notebook as it is written, if there is one of them.
pub fn usual(registry: &Registry) -> Option<String> {
    let own = registry.own().filter_map(|family| registry.parse(family.name).ok()).flatten();
    let known = own.chain(registry.parse(USUAL).into_iter().flatten());
    let serves = |subject: &dyn Subject| !served(subject, NODES, &Register, 1).updates.is_empty();
    let subject = { known }.find(|subject| serves(&**subject))?;
    Some(registry.short(&subject.strategy_name()))
}

/// Runs the subcommand.
pub fn run(args: &DemoArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let mut subjects = registry.parse(&args.strategy).map_err(Failure::new)?;
    let Some(subject) = subjects.pop().filter(|_| subjects.is_empty()) else {
        return Err(Failure::new(format!("`{}` names several strategies", args.strategy))
            .remedy("name one variant, with a value of each parameter that has no default"));
    };
    interrupts::heed();
    let name = registry.short(&subject.strategy_name());
    screen.line(&format!("{name} · live, {NODES} nodes, FIFO network, {}× speed", args.speed));
    let recorded = experiment(args, &*subject, screen.clone());
    if let Some(why) = &recorded.cut_short {
        screen.line(&format!("recording has stopped: {why}"));
    }
    let run = recorded.replay(&*subject).map_err(Failure::new)?;
    settled(&*subject, &recorded, &run, screen);
    Ok(judged(&run, screen))
}

/// Runs the experiment, printing what happens.
fn experiment(args: &DemoArgs, subject: &dyn Subject, screen: Screen) -> ThreadRun {
    let setting = Setting {
        nodes: NODES,
        network: Network::Fifo,
        faults: FaultPlan::default(),
        routing: Routing::Roaming,
    };
    let (began, speed, screen) = (clock::now(), args.speed, screen);
    let shown = Arc::new(Mutex::new(Told::default()));
    let (so_far, ending) = (shown.clone(), screen.clone());
    let say = move |node: NodeId, what: Option<String>, text: &str| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let time = began.elapsed().as_secs_f64() * speed;
        let line = format!("{time:6.2} s  {node}  {text}");
        shown.lines(what, line).iter().for_each(|line| screen.line(line));
    };
    let show = say.clone();
    let observer =
        Box::new(move |event: &Happening| show(event.node, delivery(event), &told(event)));
    let live = live::start(subject, &setting, EVENTS_MAX, observer);
    let mut deeds = agenda(args.duration).into_iter();
    if deeds
        .all(|(due, deed)| sleep_until(began + due.div_f64(speed)) && perform(&*live, deed, &say))
    {
        sleep_until(began + args.duration.div_f64(speed));
    }
    let recorded = live.stop();
    let rest = so_far.lock().unwrap_or_else(PoisonError::into_inner).rest();
    rest.iter().for_each(|line| ending.line(line));
    recorded
}

/// What tells a delivery from others: its nodes and what it says, but not its number.
fn delivery(event: &Happening) -> Option<String> {
    let (_, name) = event.action.message()?;
    Some(format!("{} {} {}", name.from, event.node, words::sentence(event).text()))
}

fn told(event: &Happening) -> String {
    let text = words::sentence(event).text();
    match event.action {
        Action::Deliver(_, name) => format!("{name} {text}"),
        _ => text,
    }
}

/// Performs an action and prints what the record does not show. Whether
/// recording continues.
fn perform(live: &dyn Live, deed: Deed, say: &dyn Fn(NodeId, Option<String>, &str)) -> bool {
    let (session, node, call) = match deed {
        Deed::Write(n) => {
            let call = Call::write(format!("key{n}").as_str(), format!("v{n}").as_str());
            (WRITER, NodeId(0), call)
        }
        Deed::Read(node) => (READER, node, Call::read("key0")),
        Deed::Timers => {
            live.fire_timers();
            return true;
        }
    };
    match live.invoke(session, node, call) {
        Heard::Answer(_) => {}
        Heard::Waits => {
            say(node, None, &format!("{session} waits: no message in flight can answer it"))
        }
        Heard::Refused => say(node, None, &format!("{session} is refused")),
        Heard::Ended => return false,
    }
    true
}

/// Sleeps until `due`. Returns false if a signal interrupted it.
fn sleep_until(due: Instant) -> bool {
    const SLICE: Duration = Duration::from_millis(50);
    loop {
        let left = due.saturating_duration_since(clock::now());
        if interrupts::noted() {
            return false;
        }
        if left.is_zero() {
            return true;
        }
        clock::sleep(left.min(SLICE));
    }
}

/// Prints what settling did and what the final reads at every node answered.
fn settled(subject: &dyn Subject, recorded: &ThreadRun, run: &Run, screen: &Screen) {
    let trace = trace(subject, &recorded.setting, &recorded.workload, &run.schedule);
    let mut shown = Told::default();
    for step in trace.steps.iter().filter(|step| step.step.settling).take(EVENTS_MAX) {
        let text = words::sentence(&step.happened).text();
        let line = format!(" settling  {}  {text}", step.happened.node);
        shown.lines(delivery(&step.happened), line).iter().for_each(|line| screen.line(line));
    }
    shown.rest().iter().for_each(|line| screen.line(line));
    for read in run.history.operations().iter().filter(|operation| operation.final_read) {
        let node = read.node.map_or_else(String::new, |node| node.to_string());
        let value = read.answer().map_or("no answer".to_owned(), ToString::to_string);
        screen.line(&format!("    final  {node}  reads {}: {value}", read.call.key));
    }
}

/// Judges the run and prints the result.
fn judged(run: &Run, screen: &Screen) -> Exit {
    let mut outcomes = Vec::new();
    screen.print("\n");
    for name in ["eventual", "ryw", "mr"] {
        let property: Property = name.parse().expect("these are names of models");
        let judgement = judge(run, &property, &Register);
        let outcome = Outcome::of_run(&judgement, looked_at(run, &property, &Register));
        let (tone, word) = match outcome {
            Outcome::Violated(_) => (Tone::Bad, "FAIL"),
            Outcome::Vacuous(_) => (Tone::Doubt, "-   "),
            Outcome::Kept => (Tone::Good, "ok  "),
            Outcome::Unknown(_) => (Tone::Doubt, "?   "),
        };
        outcomes.push(outcome);
        let why = why(run, &property, &judgement, &Register);
        let (mark, title) =
            (screen.look.paint(tone, word), pad(&verdict::title(&property, &judgement), 34));
        screen.tell(&format!("{mark}  {title}  {}\n", screen.look.text(&why)));
    }
    if interrupts::noted() { Exit::Interrupted } else { Status::of_run(&outcomes).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_counted_and_what_is_new_is_shown() {
        let mut told = Told::default();
        let mut lines = Vec::new();
        for (what, line) in [("a", "1"), ("b", "2"), ("a", "3"), ("a", "4"), ("a", "5"), ("c", "6")]
        {
            lines.extend(told.lines(Some(what.to_owned()), line.to_owned()));
        }
        lines.extend(told.lines(Some("a".to_owned()), "7".to_owned()));
        lines.extend(told.lines(None, "8".to_owned()));
        lines.extend(told.rest());
        let more = |said: &str| format!("        …  {said}");
        let counted = more("2 more deliveries of what is above");
        let one = more("1 more delivery of what is above");
        assert_eq!(lines, ["1", "2", "3", &*counted, "6", &*one, "8"]);
    }

    #[test]
    fn the_experiment_writes_every_two_seconds_and_reads_five_seconds_apart() {
        let agenda = agenda(Duration::from_secs(12));
        let at = |wanted: Deed| agenda.iter().find(|(_, deed)| *deed == wanted).map(|(at, _)| *at);
        let writes = agenda.iter().filter(|(_, deed)| matches!(deed, Deed::Write(_)));
        assert_eq!(writes.count(), 6);
        assert_eq!(at(Deed::Write(5)), Some(Duration::from_secs(10)));
        let reads = [NodeId(0), NodeId(1)].map(|node| at(Deed::Read(node)).expect("both read"));
        assert_eq!(reads[1] - reads[0], Duration::from_secs(5));
    }
}
