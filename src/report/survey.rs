//! A recorded history under consistency models: what was read, the verdicts
//! with their reasons, the place in the lattice.
//!
//! Invariant: a verdict is printed with its reason: the lines that show a
//! violation, the stronger model that holds, or the budget that was used up.
//! This module judges nothing and measures no time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use rustc_hash::FxHashSet;
use serde_json::{Value as Json, json};

use crate::history::formats::{Fault, Recording};
use crate::history::{History, Value};
use crate::hunt::outcome;
use crate::judgement::checker::{Entry, Leasts};
use crate::judgement::model::Scope;
use crate::judgement::sums::Outside;
use crate::judgement::{Budget, Distance, Elements, Grid, Model, Sums, Survey, Verdict};

use super::deeds::Deeds;
use super::happened::{self, Happened};
use super::{Look, Tone, columns, count, distance, pad, witness, wrap};

/// The width of the column of model names.
const NAME: usize = 20;
/// How many steps of a counterexample are printed: the largest of these numbers with
/// which the page is not too long.
const STEPS: [usize; 4] = [12, 6, 3, 1];
/// The most lines of a page, unless everything was asked for.
const PAGE: usize = 150;
/// The most line numbers that are listed.
const LINES_MAX: usize = 8;

/// A recording, judged.
pub struct Judged<'a> {
    /// The name of the recording.
    pub name: &'a str,
    /// Whether every model was asked for.
    pub every: bool,
    /// Whether to print every step of every counterexample.
    pub full: bool,
    /// Whether to print why models hold.
    pub witnesses: bool,
    /// The recording that was judged.
    pub recording: &'a Recording,
    /// How much was recorded.
    pub counted: Counted,
    /// Whether it was judged key by key from disk. Then the recording has no other operations
    /// than those of counterexamples.
    pub spilled: bool,
    /// The size of the recording in bytes.
    pub bytes: u64,
    /// How long reading took.
    pub reading: Duration,
    /// The verdicts.
    pub survey: &'a Survey,
    /// The models that are usually asked for but say nothing about the datatype.
    pub not_asked: &'a [Model],
    /// Whether there is anything to check: an answer that could be wrong, or an
    /// operation that no datatype knows.
    pub says_anything: bool,
    /// An initial value that would explain reads which no write explains.
    pub initial: Option<Value>,
    /// If nobody said the datatype: which was guessed, and another that it may be.
    pub guessed: Option<(&'a str, &'a str)>,
    /// Why the fast procedures do not apply, so that verdicts were found by
    /// search; `None` if they apply.
    pub searched: Option<&'a str>,
    /// The models whose evidence was replayed by other code.
    pub rechecked: &'a BTreeSet<Model>,
    /// How long each verdict took, in the order of the survey.
    pub times: &'a [Duration],
    /// The largest budget of a verdict.
    pub budget: Budget,
    /// The least k and Δ, if they were looked for.
    pub least: Option<&'a Leasts>,
    /// How far the recording is from a single copy, if that was asked for and
    /// there are reads.
    pub distance: Option<&'a Distance>,
    /// What became of the elements of sets, likewise.
    pub elements: Option<&'a Elements>,
    /// Which reads of counters are outside their bounds, likewise.
    pub sums: Option<&'a Sums>,
    /// Whether to print all of that, and not only what happened.
    pub far: bool,
}

/// How much was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many operations.
    pub operations: usize,
    /// How many of them have an unknown outcome.
    pub pending: usize,
    /// How many processes.
    pub processes: usize,
    /// How many keys, if that is known.
    pub keys: Option<usize>,
}

impl Counted {
    /// What a history has. O(n).
    pub fn of(history: &History) -> Counted {
        let (mut keys, mut processes, mut pending) =
            (FxHashSet::default(), FxHashSet::default(), 0);
        for operation in history.operations() {
            keys.insert(&operation.call.key);
            processes.insert(operation.process);
            pending += usize::from(operation.is_pending());
        }
        let (keys, processes) = (Some(keys.len()), processes.len());
        Counted { operations: history.len(), pending, processes, keys }
    }
}

impl Judged<'_> {
    /// Whether nothing was checked, so that no verdict means anything.
    pub(super) fn is_vacuous(&self) -> bool {
        outcome::is_vacuous(self.survey, self.says_anything)
    }

    /// The initial value to try, if the objects seem not to have begun with the
    /// default.
    fn another_beginning(&self) -> Option<String> {
        let initial = self.initial.as_ref().filter(|_| outcome::is_violated(self.survey))?;
        let quote = if matches!(initial, Value::Int(_)) { "" } else { "'" };
        Some(format!("perhaps the initial value is {initial}? --initial {quote}{initial}{quote}"))
    }

    /// The datatype to try, if another one than was guessed has the same operations.
    fn another_datatype(&self) -> Option<String> {
        let (guessed, other) = self.guessed.filter(|_| outcome::is_violated(self.survey))?;
        let (doubt, more) = match other {
            "semaphore" => ("several may hold it at once", " --initial PERMITS"),
            "unordered-queue" => ("it may answer in any order", ""),
            "mv-register" => ("reads answer all values that none replaced", ""),
            _ => ("it is another type", ""),
        };
        Some(format!("it was taken for a {guessed}; if {doubt}: --datatype {other}{more}"))
    }

    /// What to try, if it seems not to have been judged as what it is.
    pub(super) fn hints(&self) -> Vec<String> {
        [self.another_datatype(), self.another_beginning()].into_iter().flatten().collect()
    }

    /// What was read, in one line.
    pub(super) fn heading(&self) -> String {
        let Counted { operations, pending, processes, keys } = self.counted;
        let plural = |number: usize, one: &str, many: &str| {
            format!("{} {}", count(number as u64), if number == 1 { one } else { many })
        };
        let mut said = format!(
            "{}: read {} of {} ({}, {}) in {:.2} s",
            self.recording.called(self.name),
            plural(operations, "operation", "operations"),
            plural(processes, "process", "processes"),
            size(self.bytes),
            self.recording.format,
            self.reading.as_secs_f64(),
        );
        if let Some(keys) = keys {
            let _ = write!(said, " · {}", plural(keys, "key", "keys"));
        }
        let recording = self.recording;
        let remarks = [
            (pending, ["of unknown outcome"; 2]),
            (
                recording.continued,
                [
                    "continued as a new process after an unknown outcome",
                    "continued as new processes after an unknown outcome",
                ],
            ),
            (
                recording.marks_seen,
                [
                    "kept as a mark (no operation of a client)",
                    "kept as marks (no operations of clients)",
                ],
            ),
            (recording.skipped, ["malformed and skipped"; 2]),
            (
                recording.backwards,
                [
                    "time ran backwards, so the order of the lines counts",
                    "times ran backwards, so the order of the lines counts",
                ],
            ),
        ];
        for (number, [one, many]) in remarks.into_iter().filter(|(number, _)| *number > 0) {
            let what = if number == 1 { one } else { many };
            let _ = write!(said, " · {} {what}", count(number as u64));
        }
        said
    }

    /// What processes are called, by number, where the number does not tell.
    fn names(&self) -> BTreeMap<u32, String> {
        let mut names = self.recording.processes.clone();
        let parts = self.recording.drains.parts.iter();
        names.extend(parts.map(|(process, name)| (process.0, name.clone())));
        names
    }

    /// As what drains of queues were read.
    fn drains(&self) -> Option<String> {
        let drains = &self.recording.drains;
        let counted = distance::counted;
        let perhaps = match drains.unfinished {
            0 => String::new(),
            unfinished => format!(
                ", and as {} of unknown outcome for what {} of them may have taken besides",
                counted(drains.perhaps, "dequeue"),
                count(unfinished as u64),
            ),
        };
        (drains.read > 0).then(|| {
            format!(
                "{} read as {}, each in a process of its own and at any instant of its \
                 drain{perhaps}",
                counted(drains.read, "drain"),
                counted(drains.dequeues, "dequeue"),
            )
        })
    }

    /// Whether the model is about reads at quiescence and there are none.
    fn is_reduced(&self, model: Model) -> bool {
        model.is_eventual() && !self.recording.history.has_final_reads()
    }

    /// Whether the evidence was replayed by code that did not produce it.
    fn is_rechecked(&self, entry: &Entry) -> bool {
        self.rechecked.contains(&entry.from.unwrap_or(entry.model))
    }

    /// The reason of a verdict, with at most this many steps of a
    /// counterexample.
    pub(super) fn why(&self, entry: &Entry, steps: usize) -> String {
        let history = &self.recording.history;
        let reduced = match self.is_reduced(entry.model) {
            true => "judged without final reads, because there are none",
            false => "",
        };
        let from = entry.from.map(|from| match *entry.verdict {
            Verdict::Holds(_) => format!("implied by {from}"),
            _ => format!("since {from} fails"),
        });
        let mut parts: Vec<String> = from.into_iter().collect();
        let who = |at: usize| self.recording.who(history.operations()[at].process);
        match &*entry.verdict {
            Verdict::Holds(_) => {}
            Verdict::Violated(found) if parts.is_empty() => {
                let lines = self.lines(&found.operations);
                let (why, more) = found.explain_in(steps, history, &who);
                parts.push(format!("{lines}: {why}"));
                if more > 0 {
                    let plural = if more == 1 { "" } else { "s" };
                    parts.push(format!("{} more step{plural} with --full", count(more as u64)));
                }
                parts.extend(happened::around(self.recording, &found.operations));
                if !found.minimal && self.budget.minimise == 0 {
                    parts.push("not minimised".to_owned());
                } else if !found.minimal {
                    parts.push("perhaps not minimal: the budget ended".to_owned());
                }
                if !self.is_rechecked(entry) {
                    parts.push("not rechecked: the evidence is too large".to_owned());
                }
            }
            Verdict::Violated(_) => {}
            Verdict::Unknown(unknown) if unknown.spent == 0 => parts.push(unknown.reason.clone()),
            Verdict::Unknown(unknown) => parts.push(format!(
                "{}; {} of {} steps (more with --steps or --time)",
                unknown.reason,
                count(unknown.spent),
                count(self.budget.steps)
            )),
        }
        parts.extend((!reduced.is_empty()).then(|| reduced.to_owned()));
        parts.join("; ")
    }

    /// Where these operations stand: `lines 2, 4`.
    fn lines(&self, operations: &[usize]) -> String {
        let places = || operations.iter().map(|at| self.recording.place(*at));
        let shown: Vec<String> = places().take(LINES_MAX).map(|(_, at)| at.to_string()).collect();
        let more = if operations.len() > LINES_MAX { ", …" } else { "" };
        let word = places().next().map_or("line", |(word, _)| word);
        let plural = if operations.len() == 1 { "" } else { "s" };
        format!("{word}{plural} {}{more}", shown.join(", "))
    }

    /// The text for people. Unless everything was asked for, it shows fewer
    /// steps where that is needed to fit on a page.
    pub fn text(&self, look: &Look) -> String {
        match self.full {
            true => self.told(usize::MAX, look),
            false => on_a_page(|steps| self.told(steps, look)),
        }
    }

    fn told(&self, steps: usize, look: &Look) -> String {
        let mut text = String::new();
        let width = look.width;
        for line in wrap(&look.text(&self.heading()), width) {
            let _ = writeln!(text, "{line}");
        }
        let searched = self.searched;
        let remarks = [
            searched.map(|why| {
                format!("decided by search within the budget, not by the fast procedure: {why}")
            }),
            (self.recording.skipped > 0).then(|| {
                "lines were skipped: a violation may be due to what is missing".to_owned()
            }),
            self.drains(),
            (self.recording.backwards > 0).then(|| {
                "times ran backwards: if the lines are not in the order of events, verdicts about \
                 real time are wrong (--strict-time refuses such a file)"
                    .to_owned()
            }),
            self.spilled.then(|| {
                "judged key by key from disk: what happened over all keys was not looked at"
                    .to_owned()
            }),
            (!self.recording.timed && (self.distance.is_some() || self.elements.is_some()))
                .then(|| "there are no times: from one event to the next is 1 ns here".to_owned()),
        ];
        for line in remarks.iter().flatten().flat_map(|said| wrap(said, width)) {
            let _ = writeln!(text, "{}", look.text(&line));
        }
        let happened = self.figures(|happened| happened.text(look));
        if !happened.is_empty() {
            let _ = writeln!(text, "{happened}");
        }
        let wanted = |entry: &&Entry| !self.every || !is_unnamed(entry.model);
        let times = self.times.iter().copied().chain(std::iter::repeat(Duration::ZERO));
        for (entry, time) in self.survey.entries().iter().zip(times).filter(|(e, _)| wanted(e)) {
            text.push_str(&self.row(entry, Some(time), steps, look));
        }
        if self.every {
            text.push_str(&self.grid(look));
        }
        text.push_str(&self.place(look));
        for entry in self.survey.entries().iter().filter(|_| self.witnesses) {
            if let (Verdict::Holds(found), None) = (&*entry.verdict, entry.from) {
                let name = entry.model.name();
                text.push('\n');
                text.push_str(&self.figures(|it| witness::text(&name, found, &it.deeds, look)));
            }
        }
        if let Some(far) = self.distance.filter(|_| self.far) {
            text.push('\n');
            text.push_str(&self.figures(|it| distance::text(far, &it.deeds, look)));
        }
        text
    }

    /// What is told of the figures.
    fn figures<T>(&self, told: impl Fn(&Happened<'_>) -> T) -> T {
        let Judged { distance, elements, sums, recording, .. } = *self;
        let who = |process| recording.who(process);
        let place = |at: usize| match recording.place(at) {
            ("line", line) => format!("{}:{line}", self.name),
            (word, number) => format!("{word} {number}"),
        };
        let deeds = Deeds { history: &recording.history, who: &who, place: &place };
        told(&Happened { distance, elements, sums, recording, deeds })
    }

    /// A model and its verdict with the reason, and how long that took, if it matters.
    pub(super) fn row(
        &self,
        entry: &Entry,
        time: Option<Duration>,
        steps: usize,
        look: &Look,
    ) -> String {
        let (mark, tone) = match &*entry.verdict {
            Verdict::Holds(_) => ("✓ holds  ", Tone::Good),
            Verdict::Violated(_) => ("✗ FAILS  ", Tone::Bad),
            Verdict::Unknown(_) => ("? unknown", Tone::Doubt),
        };
        let kind = entry.verdict.kind().map_or(String::new(), |kind| format!("({kind}) "));
        let name = pad(&short(entry.model), NAME);
        let time =
            time.map_or(String::new(), |time| pad(&format!("{:.2} s", time.as_secs_f64()), 8));
        let said = format!("{kind}{}", self.why(entry, steps));
        let indent = NAME + 2 + 9 + 2 + time.len();
        // On a narrow page the reason stands below.
        let is_narrow = look.width < indent + 40;
        let margin = if is_narrow { 4 } else { indent };
        let mut lines = wrap(&look.text(&said), look.width.saturating_sub(margin)).into_iter();
        let first = if is_narrow { None } else { lines.next() }.unwrap_or_default();
        let head = look.paint(tone, mark);
        let mut text = format!("{name}  {head}  {time}{first}\n");
        for line in lines {
            let _ = writeln!(text, "{}{line}", " ".repeat(margin));
        }
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// The models of the grid that have no name of their own, as a table.
    fn grid(&self, look: &Look) -> String {
        let scopes = [Scope::Global, Scope::Session, Scope::Read];
        let columns = scopes.map(|scope| (scope, false)).into_iter();
        let columns: Vec<_> = columns.chain(scopes.map(|scope| (scope, true))).collect();
        let mut text = String::from("\nguarantees           g    s    r    g!   s!   r!\n");
        let mut seen = Vec::new();
        for grid in Grid::all() {
            if seen.contains(&grid.guarantees) {
                continue;
            }
            seen.push(grid.guarantees);
            let mut line = pad(&grid.guarantees_name(), NAME + 1);
            for &(scope, eventual) in &columns {
                let model = Model::Grid(Grid { guarantees: grid.guarantees, scope, eventual });
                let mark = match self.survey.entry(model).map(|entry| &*entry.verdict) {
                    Some(Verdict::Holds(_)) => "✓",
                    Some(Verdict::Violated(_)) => "✗",
                    Some(Verdict::Unknown(_)) | None => "?",
                };
                line.push_str(&pad(&look.text(mark), 5));
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    /// The strongest models that hold, the weakest that fail, and the undecided ones.
    pub(super) fn place(&self, look: &Look) -> String {
        let names = |models: Vec<Model>| {
            models.into_iter().map(|model| model.name()).collect::<Vec<_>>().join(", ")
        };
        let mut lines = vec![
            ("strongest that hold", names(self.survey.strongest())),
            ("weakest that fail", names(self.survey.weakest_failing())),
            ("not decided", names(self.survey.unknown())),
        ];
        if !self.not_asked.is_empty() {
            let said = names(self.not_asked.to_vec());
            lines.push(("not asked", format!("{said}: see --model {}", self.not_asked[0])));
        }
        lines.extend(self.hints().into_iter().map(|hint| ("hint", hint)));
        if self.is_vacuous() {
            let said = "no answer could be wrong, so no verdict means anything";
            lines.push(("nothing was checked", said.to_owned()));
        }
        let mut text = String::from("\n");
        for (label, said) in lines.iter().filter(|(_, said)| !said.is_empty()) {
            let label = look.paint(Tone::Faint, &pad(label, NAME + 2));
            let room = look.width.saturating_sub(NAME + 2).max(40);
            let said = wrap(&look.text(said), room);
            let _ = writeln!(text, "{label}{}", said.join(&format!("\n{}", " ".repeat(NAME + 2))));
        }
        text
    }

    /// The result for programs.
    pub(crate) fn json(&self) -> Json {
        let names = |models: Vec<Model>| models.into_iter().map(Model::name).collect::<Vec<_>>();
        let verdicts = self.verdicts();
        let (min_k, min_delta, bounds) = match self.least {
            None => (Json::Null, Json::Null, Json::Null),
            Some((k, delta)) => (
                k.as_ref().map_or(Json::Null, |k| k.unwrap_or(0).into()),
                delta.as_ref().map_or(Json::Null, |delta| match delta {
                    Some(delta) => (*delta).into(),
                    None => (-1).into(),
                }),
                k.as_ref().err().map_or(Json::Null, |(low, high)| json!([low, high])),
            ),
        };
        json!({
            "schema": super::SCHEMA,
            "history": self.name,
            "format": self.recording.format.to_string(),
            "operations": self.counted.operations,
            "processes": self.counted.processes,
            "pending": self.counted.pending,
            "continued": self.recording.continued,
            "skipped": self.recording.skipped,
            "marks": self.recording.marks_seen,
            "timed": self.recording.timed,
            "backwards": self.recording.backwards,
            "drains": {
                "read": self.recording.drains.read,
                "dequeues": self.recording.drains.dequeues,
                "unfinished": self.recording.drains.unfinished,
                "perhaps": self.recording.drains.perhaps,
            },
            "names": self.names(),
            "checked": !self.is_vacuous(),
            "hint": Some(self.hints().join("; ")).filter(|hints| !hints.is_empty()),
            "steps": self.budget.steps,
            "searched": self.searched,
            "verdicts": verdicts,
            "strongest": names(self.survey.strongest()),
            "weakest_failing": names(self.survey.weakest_failing()),
            "undecided": names(self.survey.unknown()),
            "not_asked": names(self.not_asked.to_vec()),
            "min_k": min_k,
            "min_k_between": bounds,
            "min_delta": min_delta,
            "distance": self.distance.map(distance::json),
            "elements": self.elements.map(elements),
            "sums": self.sums.map(sums),
            "happened": self.happened(),
        })
    }

    /// What happened, in words: a label, and what it is about.
    pub(super) fn happened_told(&self) -> Vec<(&'static str, String)> {
        self.figures(|happened| happened.told())
    }

    /// The verdicts for programs, under each name of a model.
    pub(super) fn verdicts(&self) -> Vec<Json> {
        let all = self.survey.entries().iter();
        let named = |entry: &Entry| {
            let names = names_of(entry.model).into_iter();
            names.map(|name| self.verdict(entry, &name)).collect::<Vec<_>>()
        };
        all.flat_map(named).collect()
    }

    /// What happened, in words.
    fn happened(&self) -> Json {
        let one = |(label, said)| json!({ "what": label, "said": said });
        self.happened_told().into_iter().map(one).collect::<Vec<_>>().into()
    }

    fn verdict(&self, entry: &Entry, name: &str) -> Json {
        let mut lines = Json::Null;
        let mut minimal = Json::Null;
        let mut nemesis = Json::Null;
        let word = match &*entry.verdict {
            Verdict::Holds(_) => "holds",
            Verdict::Unknown(_) => "unknown",
            Verdict::Violated(found) => {
                let line = |at: &usize| self.recording.place(*at).1;
                lines = found.operations.iter().map(line).collect::<Vec<_>>().into();
                minimal = found.minimal.into();
                let (before, within) = self.recording.faults_around(&found.operations);
                let did = |Fault { line, what, .. }: &Fault| json!({ "line": line, "did": what });
                let within: Vec<_> = within.iter().map(did).collect();
                nemesis = json!({ "before": before.map(did), "within": within });
                "violated"
            }
        };
        json!({
            "model": name,
            "verdict": word,
            "kind": entry.verdict.kind().map(|kind| kind.to_string()),
            "why": self.why(entry, usize::MAX),
            "lines": lines,
            "minimal": minimal,
            "nemesis": nemesis,
            "rechecked": self.is_rechecked(entry),
            "from": entry.from.map(Model::name),
            "reduced": self.is_reduced(entry.model),
            "witness": match &*entry.verdict {
                Verdict::Holds(found) if self.witnesses => witness::json(found),
                _ => Json::Null,
            },
        })
    }
}

fn elements(all: &Elements) -> Json {
    let latest =
        all.latest.map(|late| json!({ "add": late.add, "read": late.read, "time": late.time }));
    json!({
        "sets": all.sets,
        "other_keys": all.other_keys,
        "elements": all.elements,
        "reads": all.reads,
        "lost": all.lost,
        "late": all.late,
        "latest": latest,
        "unread": all.unread,
        "twice": all.twice,
        "strange": all.strange,
        "resurrected": all.resurrected,
        "unknown_seen": all.unknown_seen,
        "unknown_unseen": all.unknown_unseen,
    })
}

fn sums(all: &Sums) -> Json {
    let worst = |outside: Option<Outside>| {
        outside.map(|Outside { read, bound, by }| {
            json!({ "read": read, "bound": bound.to_string(), "by": by.to_string() })
        })
    };
    json!({
        "counters": all.counters,
        "other_keys": all.other_keys,
        "reads": all.reads,
        "low": all.low,
        "lowest": worst(all.lowest),
        "high": all.high,
        "highest": worst(all.highest),
    })
}

/// The text with as many steps as fit on a page.
fn on_a_page(told: impl Fn(usize) -> String) -> String {
    let mut page = String::new();
    for steps in STEPS {
        page = told(steps);
        if page.lines().count() <= PAGE {
            break;
        }
    }
    page
}

/// All names by which programs look up a model, including its name in the grid.
fn names_of(model: Model) -> Vec<String> {
    let mut names = vec![model.name()];
    if let Model::Grid(grid) = model
        && grid.name() != names[0]
    {
        names.insert(0, grid.name());
    }
    names
}

/// Whether the name in the grid is the only name of a model.
fn is_unnamed(model: Model) -> bool {
    matches!(model, Model::Grid(grid) if grid.name() == model.name())
}

/// The long name if it fits the column, else the short one.
fn short(model: Model) -> String {
    let long = model.long_name();
    if columns(&long) <= NAME { long } else { model.name() }
}

/// `2.8 MB`.
/// A number of bytes with its unit.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_steps_are_told_where_many_make_too_long_a_page() {
        let lines = |each: usize| on_a_page(|steps| "line\n".repeat(steps * each)).lines().count();
        assert_eq!(
            [1, 12, 13, 25, 26, 50, 51, 150].map(lines),
            [12, 144, 78, 150, 78, 150, 51, 150]
        );
        assert_eq!(lines(200), 200, "nobody is told less than one step");
    }
}
