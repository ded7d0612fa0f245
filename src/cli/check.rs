//! `check`: search for a failing history.

use std::time::{Duration, Instant};

use crate::catalogue::Registry;
use crate::hunt::both::{Conclusion, Finding, How};
use crate::hunt::case::{Case, FoundBy, SearchName, replay, write::why};
use crate::hunt::exhaustive::scope_text;
use crate::hunt::property::judge;
use crate::hunt::random::Coverage;
use crate::report::table::{self, Line, Met};
use crate::report::{Tone, count, json, pad, verdict};
use crate::world::Ending;

use super::args::CheckArgs;
use super::clock;
use super::exit::{Exit, Failure};
use super::files;
use super::interrupts;
use super::jobs::{self, Done, Limits};
use super::plan::{self, Search};
use super::quiet::quietly;
use super::screen::{Screen, program};
use super::story::{Told, trace_of};
use super::values::Format;

/// The seed when every promise is checked. It is always the same, so that a
/// build never fails by chance.
const PROMISE_SEED: u64 = 0x5eed_91c4;

/// All searches with what they found.
struct Report<'a> {
    args: &'a CheckArgs,
    registry: &'a Registry,
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
    interrupts::heed();
    begin(args, screen, seed, &searches);
    let began = clock::now();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let elapsed = || began.elapsed();
    let limits = Limits { time: args.time, jobs: args.jobs.unwrap_or_else(cores), clock: &elapsed };
    let done = jobs::search_all(&searches, limits);
    let report = Report { args, registry, screen, seed, searches, done };
    quietly(|| report.tell(began))
}

/// Short seeds are easier to copy, and there are enough of them.
fn any_seed() -> u64 {
    clock::chance() & 0xffff_ffff
}

/// Prints the seed, before anything is searched.
fn begin(args: &CheckArgs, screen: &Screen, seed: u64, searches: &[Search]) {
    let line = match searches {
        [search] if !args.bare() => {
            let place = table::setting_text(&search.setting);
            format!("seed {seed:#x} · {}, {place}", args.searches())
        }
        _ => format!("seed {seed:#x} · {}, {} settings", args.searches(), searches.len()),
    };
    match args.format {
        Format::Human => screen.line(&line),
        Format::Json => screen.note(&screen.look.text(&line)),
    }
}

impl Report<'_> {
    fn tell(&self, began: Instant) -> Result<Exit, Failure> {
        let mut unsaved = Vec::new();
        let searches = self.searches.iter().zip(&self.done);
        let lines: Vec<_> =
            searches.map(|(search, done)| self.lines(search, done, &mut unsaved)).collect();
        if self.args.format == Format::Json {
            self.screen.print(&json::results(&lines.concat()));
        } else if self.args.bare() {
            self.tell_promises(&lines, began.elapsed());
        } else {
            for ((search, done), lines) in self.searches.iter().zip(&self.done).zip(&lines) {
                self.tell_search(search, done, lines);
            }
            if !lines.iter().flatten().any(Line::is_news) {
                self.again();
            }
        }
        let lines = lines.concat();
        if interrupts::noted() && self.args.format == Format::Human {
            self.screen.line("interrupted: these are the results so far");
        }
        // A case that cannot be saved does not change the verdict.
        unsaved.dedup();
        unsaved.iter().for_each(|failure: &Failure| self.screen.note(&failure.as_warning()));
        Ok(exit(&lines))
    }

    /// One line per property. Saves unexpected violations as cases.
    fn lines(&self, search: &Search, done: &Done, unsaved: &mut Vec<Failure>) -> Vec<Line> {
        let coverage = &done.hunt.sampled;
        let found = done.hunt.conclusions.iter().zip(&search.expected);
        let line = |(found, expected): (&Conclusion, &_)| {
            let why = found.finding.as_ref().map_or(String::new(), |finding| {
                let run = &finding.failing.run;
                why(run, &found.property, &judge(run, &found.property))
            });
            let mut line = Line {
                strategy: search.short.clone(),
                setting: search.setting.clone(),
                property: found.property.clone(),
                expected: *expected,
                result: table::Result::of(found, coverage, why),
                proofs: found.proofs.clone(),
                doubts: found.doubts.clone(),
                coverage: coverage.clone(),
                searched: done.hunt.searched.clone(),
                time: done.time,
                case: None,
            };
            if let Some(finding) = &found.finding {
                let case = self.case(search, finding);
                // A promised violation is expected, so no case is saved.
                if line.is_news() {
                    let saved = files::save(&case, &search.short);
                    line.case = saved.map_err(|failure| unsaved.push(failure)).ok();
                }
            }
            line
        };
        found.map(line).collect()
    }

    /// The case of a finding, after checking that it replays.
    fn case(&self, search: &Search, finding: &Finding) -> Case {
        let found = match finding.how {
            How::Random { run, shrunk_from } => FoundBy {
                search: Some(SearchName::Random),
                seed: Some(self.seed),
                run: Some(run),
                shrunk_from: Some(shrunk_from),
            },
            How::Exhaustive { .. } => {
                FoundBy { search: Some(SearchName::Exhaustive), ..FoundBy::default() }
            }
        };
        let case = Case::of(&*search.subject, &finding.failing, is_minimal(finding), found);
        let replayed = replay::replay(&case, &*search.subject).map(|replayed| replayed.outcome);
        assert_eq!(replayed, Ok(replay::Outcome::Reproduced), "what was found must replay");
        case
    }

    fn tell_promises(&self, lines: &[Vec<Line>], time: Duration) {
        let all = lines.concat();
        self.screen.print("\n");
        self.screen.print(&table::table(&all, &self.screen.look));
        for ((search, done), lines) in self.searches.iter().zip(&self.done).zip(lines) {
            if lines.iter().any(Line::is_news) {
                self.screen.print("\n");
                self.screen.line(&format!("{} does not keep its promise", search.short));
                self.tell_findings(search, done, lines);
            }
        }
        self.screen.print("\n");
        self.screen.line(&table::totals(&all, time));
        self.again();
    }

    /// Prints the command that repeats this check.
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
            let place = look.text(&table::setting_text(&search.setting));
            let name = look.paint(Tone::Strong, &search.short);
            self.screen.print(&format!("\n{name}  {place}\n"));
        }
        self.tell_findings(search, done, lines);
        self.tell_kept(&done.hunt.sampled, lines);
        let doubtful: Vec<_> = lines.iter().filter(|line| doubt(line).is_some()).collect();
        for same in alike(&doubtful, |line| (doubt(line), line.extent())) {
            let (mark, said) = doubt(same[0]).expect("only those are left");
            let names = pad(&look.text(&names(&same)), 18);
            let mark = look.paint(Tone::Doubt, mark);
            self.screen.print(&format!("{mark}  {names}  {}\n", look.text(&said)));
            self.tell_below(&same[0].extent());
        }
    }

    /// Prints the properties that no run violates, proved ones first.
    fn tell_kept(&self, sampled: &Coverage, lines: &[Line]) {
        let Screen { look, .. } = self.screen;
        let kept = lines.iter().filter(|line| line.met() == Met::Yes);
        let (proved, only_sampled): (Vec<_>, Vec<_>) =
            kept.partition(|line| !line.proofs.is_empty());
        let tell_names = |same: &[&Line]| {
            self.screen.print(&format!(
                "{}  {}\n",
                look.paint(Tone::Good, "ok  "),
                look.text(&names(same))
            ));
        };
        for same in alike(&proved, Line::extent) {
            tell_names(&same);
            self.tell_below(&same[0].extent());
        }
        let runs = table::coverage_text(sampled);
        if sampled.runs > 0 && !proved.is_empty() {
            self.tell_below(&[format!("no violation in larger runs either: {runs} (sampled)")]);
        }
        for same in alike(&only_sampled, Line::extent) {
            tell_names(&same);
            self.tell_below(&[format!("no violation in {runs} (sampled)")]);
            self.tell_below(&same[0].extent());
        }
    }

    /// Prints texts indented below the line that they belong to.
    fn tell_below(&self, texts: &[String]) {
        for text in texts {
            self.screen.print(&format!("      {}\n", self.screen.look.text(text)));
        }
    }

    /// Prints every unexpected finding. Findings with the same run share one picture.
    fn tell_findings(&self, search: &Search, done: &Done, lines: &[Line]) {
        let news = done.hunt.conclusions.iter().zip(lines).filter(|(_, line)| line.is_news());
        let mut stories: Vec<Vec<(&Finding, &Line)>> = Vec::new();
        for (found, line) in news {
            let Some(finding) = found.finding.as_deref() else { continue };
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
            let size = match &finding.how {
                How::Random { run, shrunk_from } => {
                    format!("run {run} · {shrunk_from} actions shrunk to {all}")
                }
                How::Exhaustive { scope, states } => format!(
                    "{all} {}, the fewest with {} · {} states",
                    if all == 1 { "action" } else { "actions" },
                    scope_text(scope),
                    count(*states)
                ),
            };
            let mark = look.paint(Tone::Bad, "FAIL");
            let title = look.paint(Tone::Strong, &pad(&title, 20));
            self.screen.print(&format!("{mark}  {title}  {}\n", look.text(&size)));
        }
        for (at, (finding, line)) in story.iter().enumerate() {
            let run = &finding.failing.run;
            let judgement = judge(run, &line.property);
            let flaw = judgement.flaw();
            let told = Told {
                setting: &failing.setting,
                workload: &failing.workload,
                trace: &trace,
                run,
                property: &line.property,
                judgement: &judgement,
                minimal: is_minimal(finding),
                hint: flaw.and_then(|flaw| self.registry.hint(&search.short, flaw)),
            };
            if at == 0 {
                self.screen.print(&format!("\n{}", told.picture(look)));
            }
            let path = line.case.as_deref();
            let replay = path.map(|path| format!("{} replay {path}", program()));
            self.screen.print(&format!("\n{}", told.block(path, replay.as_deref(), look)));
        }
        self.screen.print("\n");
    }
}

/// Groups rows that print the same text.
fn alike<'l, T: PartialEq>(lines: &[&'l Line], said: impl Fn(&Line) -> T) -> Vec<Vec<&'l Line>> {
    let mut found: Vec<(T, Vec<&Line>)> = Vec::new();
    for line in lines {
        let said = said(line);
        match found.iter_mut().find(|(known, _)| *known == said) {
            Some((_, same)) => same.push(line),
            None => found.push((said, vec![line])),
        }
    }
    found.into_iter().map(|(_, same)| same).collect()
}

/// The properties of rows, by name.
fn names(lines: &[&Line]) -> String {
    let names = lines.iter().map(|line| verdict::property_name(&line.property));
    names.collect::<Vec<_>>().join(", ")
}

/// The sign of an undecided row, and the reason.
fn doubt(line: &Line) -> Option<(&'static str, String)> {
    match &line.result {
        table::Result::Unknown(why) => Some(("?   ", format!("unknown: {why}"))),
        table::Result::Unchecked(why) => Some(("-   ", format!("nothing was checked: {why}"))),
        table::Result::Kept | table::Result::Violated(..) => None,
    }
}

/// Whether the run was minimised. A run with a chosen cycle is not.
fn is_minimal(finding: &Finding) -> bool {
    !matches!(finding.failing.run.ending, Ending::Cycle { .. })
}

/// The exit code of all rows together.
fn exit(lines: &[Line]) -> Exit {
    let any = |met: Met| lines.iter().any(|line| line.met() == met);
    if interrupts::noted() {
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
