//! `check`: search for a failing history.

use std::time::{Duration, Instant};

use clap::Args;

use crate::hunt::Registry;
use crate::hunt::case::{Case, FoundBy, replay, write::why};
use crate::hunt::property::{Property, judge};
use crate::hunt::random::{Finding, Found, Outcome};
use crate::report::table::{self, Line, Met};
use crate::report::{Tone, json, pad, verdict};
use crate::world::Faults;

use super::exit::{Exit, Failure};
use super::files;
use super::jobs::{self, Done, Limits, interrupted};
use super::plan::{self, Search};
use super::quiet::quietly;
use super::screen::{Screen, program};
use super::story::{Told, trace_of};
use super::values::{self, Format, NetworkArg, RoutingArg};

/// Search for a failing history; without a strategy, check every promise
///
/// Runs are random. Each has a number, and the seed with the number says all:
/// the same seed finds the same. What is found is made as small as it can be,
/// saved below cases/, and can be replayed without the seed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  quiescence check                                every strategy against what it promises
  quiescence check notebook:storing               the student's notebook, storing variant
  quiescence check multi-primary-lww --faults drop=1 --model eventual
  quiescence check abd --model lin --routing roaming --deep --time 60s")]
pub struct CheckArgs {
    /// NAME, NAME:VARIANT or NAME:parameter=value,…
    #[arg(value_name = "STRATEGY")]
    pub strategies: Vec<String>,
    /// Judge by this model (can be given several times)
    #[arg(long = "model", short, value_name = "MODEL", value_parser = values::property)]
    pub models: Vec<Property>,
    /// How many nodes there are
    #[arg(long, value_name = "N", value_parser = values::nodes)]
    pub nodes: Option<u16>,
    /// What order the network keeps
    #[arg(long, value_enum)]
    pub network: Option<NetworkArg>,
    /// What may go wrong, how often: drop=1,crash=1 or none
    #[arg(long, value_name = "KIND=N,…", value_parser = values::faults)]
    pub faults: Option<Faults>,
    /// How sessions choose nodes
    #[arg(long, value_enum)]
    pub routing: Option<RoutingArg>,
    /// The most sessions of a run [default: 3]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub sessions: Option<usize>,
    /// The most operations of a session [default: 4]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub operations: Option<usize>,
    /// How many keys there are [default: 2]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub keys: Option<usize>,
    /// How many runs each search does [default: 2000]
    #[arg(long, alias = "cases", value_name = "N")]
    runs: Option<u64>,
    /// Search for long: 100,000 runs each
    #[arg(long, conflicts_with = "runs")]
    deep: bool,
    /// Where chance begins: 42 or 0x5eed [default: new each time; fixed without STRATEGY]
    #[arg(long, value_name = "SEED", value_parser = values::seed)]
    seed: Option<u64>,
    /// Stop after this time (500ms, 60s, 2m); what was cut short exits with 3
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    time: Option<Duration>,
    /// How many searches run at the same time [default: one a core]
    #[arg(long, value_name = "N", value_parser = values::size)]
    jobs: Option<usize>,
    /// For whom results are written
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Where chance begins when every promise is checked: always the same, so that
/// a build does not fail by chance.
const PROMISE_SEED: u64 = 0x5eed_91c4;

impl CheckArgs {
    /// How many runs each search does.
    pub fn runs(&self) -> u64 {
        self.runs.unwrap_or(if self.deep { 100_000 } else { 2_000 })
    }

    fn bare(&self) -> bool {
        self.strategies.is_empty()
    }
}

/// All searches with what they found.
struct Report<'a> {
    args: &'a CheckArgs,
    screen: &'a Screen,
    seed: u64,
    searches: Vec<Search>,
    done: Vec<Done>,
}

/// Runs the subcommand.
pub fn run(args: &CheckArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let seed = args.seed.unwrap_or_else(|| if args.bare() { PROMISE_SEED } else { any_seed() });
    let searches = if args.bare() {
        plan::promised(args, registry, seed)?
    } else {
        plan::named(args, registry, seed)?
    };
    jobs::catch_interrupts()?;
    begin(args, screen, seed, &searches);
    let began = Instant::now();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let limits = Limits {
        deadline: args.time.and_then(|time| began.checked_add(time)),
        jobs: args.jobs.unwrap_or_else(cores),
    };
    let done = jobs::search_all(&searches, limits);
    let report = Report { args, screen, seed, searches, done };
    quietly(|| report.tell(began))
}

/// Short seeds are easier to copy, and there are enough of them.
fn any_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let drawn = std::hash::RandomState::new().build_hasher().finish();
    drawn & 0xffff_ffff
}

/// Says where chance begins, before anything is searched.
fn begin(args: &CheckArgs, screen: &Screen, seed: u64, searches: &[Search]) {
    let line = match searches {
        [search] if !args.bare() => {
            let place = table::setting_text(&search.plan.scope.setting);
            format!("seed {seed:#x} · random, {place}")
        }
        _ => format!("seed {seed:#x} · random, {} searches", searches.len()),
    };
    match args.format {
        Format::Human => screen.line(&line),
        Format::Json => eprintln!("{line}"),
    }
}

impl Report<'_> {
    fn tell(&self, began: Instant) -> Result<Exit, Failure> {
        let mut lines = Vec::new();
        for (search, done) in self.searches.iter().zip(&self.done) {
            lines.push(self.lines(search, done)?);
        }
        if self.args.format == Format::Json {
            self.screen.print(&json::results(&lines.concat()));
        } else if self.args.bare() {
            self.tell_promises(&lines, began.elapsed());
        } else {
            for ((search, done), lines) in self.searches.iter().zip(&self.done).zip(&lines) {
                self.tell_search(search, done, lines);
            }
            let found = lines.iter().flatten().any(|line| line.case.is_some());
            if !found {
                self.again();
            }
        }
        let lines = lines.concat();
        if interrupted() && self.args.format == Format::Human {
            self.screen.line("interrupted: this is what was found until then");
        }
        Ok(exit(&lines))
    }

    /// One line a property, with violations saved.
    fn lines(&self, search: &Search, done: &Done) -> Result<Vec<Line>, Failure> {
        let coverage = &done.hunt.coverage;
        let found = done.hunt.found.iter().zip(&search.expected);
        let line = |(found, expected): (&Found, &_)| {
            let why = finding(found).map_or(String::new(), |finding| {
                let run = &finding.failing.run;
                why(run, &found.property, &judge(run, &found.property))
            });
            let mut line = Line {
                strategy: search.short.clone(),
                setting: search.plan.scope.setting.clone(),
                property: found.property.clone(),
                expected: *expected,
                result: table::Result::of(&found.outcome, found.looked_at, coverage, why),
                coverage: coverage.clone(),
                time: done.time,
                case: None,
            };
            if let Some(finding) = finding(found) {
                let case = self.case(search, finding);
                // What was promised to fail is no news and leaves no file.
                if line.met() == Met::No {
                    line.case = Some(files::save(&case, &search.short)?);
                }
            }
            Ok(line)
        };
        found.map(line).collect()
    }

    /// The case of a finding, having made sure that it replays.
    fn case(&self, search: &Search, finding: &Finding) -> Case {
        let found = FoundBy {
            search: "random".to_owned(),
            seed: Some(self.seed),
            run: Some(finding.run),
            shrunk_from: Some(finding.shrunk_from),
        };
        let case = Case::of(&*search.subject, &finding.failing, true, found);
        let replayed = replay::replay(&case, &*search.subject).map(|replayed| replayed.outcome);
        assert_eq!(replayed, Ok(replay::Outcome::Reproduced), "what was found must replay");
        case
    }

    fn tell_promises(&self, lines: &[Vec<Line>], time: Duration) {
        let all = lines.concat();
        self.screen.print("\n");
        self.screen.print(&table::table(&all, &self.screen.look));
        for ((search, done), lines) in self.searches.iter().zip(&self.done).zip(lines) {
            if lines.iter().any(|line| line.case.is_some()) {
                self.screen.line(&format!("\n{} does not keep its promise", search.short));
                self.tell_findings(search, done, lines);
            }
        }
        self.screen.print("\n");
        self.screen.line(&table::totals(&all, time));
        self.again();
    }

    /// The command that does the same again.
    fn again(&self) {
        let seed = match self.args.seed {
            Some(_) => String::new(),
            None => format!(" --seed {:#x}", self.seed),
        };
        self.screen.line(&format!("again: {}{seed}", self.screen.command));
    }

    fn tell_search(&self, search: &Search, done: &Done, lines: &[Line]) {
        let Screen { look, .. } = self.screen;
        if self.searches.len() > 1 {
            let place = look.text(&table::setting_text(&search.plan.scope.setting));
            let name = look.paint(Tone::Strong, &search.short);
            self.screen.print(&format!("\n{name}  {place}\n"));
        }
        self.tell_findings(search, done, lines);
        let kept: Vec<_> = lines.iter().filter(|line| line.met() == Met::Yes).collect();
        if !kept.is_empty() {
            let names: Vec<_> =
                kept.iter().map(|line| verdict::property_name(&line.property)).collect();
            let said =
                format!("no violation in {} (sampled)", table::coverage_text(&done.hunt.coverage));
            let mark = look.paint(Tone::Good, "ok  ");
            self.screen.print(&format!(
                "{mark}  {}\n      {}\n",
                names.join(", "),
                look.text(&said)
            ));
        }
        for line in lines {
            let (mark, said) = match &line.result {
                table::Result::Unknown(why) => ("?   ", format!("unknown: {why}")),
                table::Result::Unchecked(why) => ("-   ", format!("nothing was checked: {why}")),
                _ => continue,
            };
            let name = pad(&verdict::property_name(&line.property), 18);
            let mark = look.paint(Tone::Doubt, mark);
            self.screen.print(&format!("{mark}  {name}  {}\n", look.text(&said)));
        }
    }

    /// Tells every saved finding; those that are one run share one picture.
    fn tell_findings(&self, search: &Search, done: &Done, lines: &[Line]) {
        let saved = done.hunt.found.iter().zip(lines).filter(|(_, line)| line.case.is_some());
        let mut stories: Vec<Vec<(&Finding, &Line)>> = Vec::new();
        for (found, line) in saved {
            let Some(finding) = finding(found) else { continue };
            let run = |finding: &Finding| {
                (finding.failing.workload.clone(), finding.failing.run.schedule.clone())
            };
            match stories.iter_mut().find(|story| run(story[0].0) == run(finding)) {
                Some(story) => story.push((finding, line)),
                None => stories.push(vec![(finding, line)]),
            }
        }
        for story in stories {
            self.tell_story(search, &story);
        }
    }

    fn tell_story(&self, search: &Search, story: &[(&Finding, &Line)]) {
        let Screen { look, .. } = self.screen;
        let (first, _) = story[0];
        let failing = &first.failing;
        let trace = trace_of(&*search.subject, failing);
        for (finding, line) in story {
            let judgement = judge(&finding.failing.run, &line.property);
            let title = look.text(&verdict::title(&line.property, &judgement));
            let all = finding.failing.run.schedule.len();
            let size =
                format!("run {} · {} actions shrunk to {all}", finding.run, finding.shrunk_from);
            let mark = look.paint(Tone::Bad, "FAIL");
            let title = look.paint(Tone::Strong, &pad(&title, 20));
            self.screen.print(&format!("{mark}  {title}  {}\n", look.text(&size)));
        }
        for (at, (finding, line)) in story.iter().enumerate() {
            let run = &finding.failing.run;
            let judgement = judge(run, &line.property);
            let told = Told {
                short: &search.short,
                setting: &failing.setting,
                workload: &failing.workload,
                trace: &trace,
                run,
                property: &line.property,
                judgement: &judgement,
                minimal: true,
            };
            if at == 0 {
                self.screen.print(&format!("\n{}", told.picture(look)));
            }
            let path = line.case.as_deref().unwrap_or_default();
            let replay = format!("{} replay {path}", program());
            self.screen.print(&format!("\n{}", told.block(Some(path), Some(&replay), look)));
        }
        self.screen.print("\n");
    }
}

fn finding(found: &Found) -> Option<&Finding> {
    match &found.outcome {
        Outcome::Violated(finding) => Some(finding),
        Outcome::None | Outcome::Unknown(..) => None,
    }
}

/// What the rows together say.
fn exit(lines: &[Line]) -> Exit {
    let any = |met: Met| lines.iter().any(|line| line.met() == met);
    if interrupted() {
        Exit::Interrupted
    } else if any(Met::No) {
        Exit::Violated
    } else if any(Met::Unknown) {
        Exit::Unknown
    } else if any(Met::Unchecked) || lines.is_empty() {
        Exit::Nothing
    } else {
        Exit::Holds
    }
}
