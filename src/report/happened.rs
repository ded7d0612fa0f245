//! What happened to a store, as its recording shows: what hurts most comes first.
//!
//! Invariant: at most 12 lines, each from a figure of [`Distance`], [`Elements`] or
//! [`Sums`] that is not zero. The figures are no verdicts. This module measures nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::formats::{Fault, Recording};
use crate::history::{Key, NodeId, Operation, ProcessId, Value};
use crate::judgement::distance::{Fates, Hidden, Settled, Strange, WentBack};
use crate::judgement::sums::Outside;
use crate::judgement::{Distance, Elements, Sums};

use super::deeds::{Deeds, short};
use super::distance::{counted, time};
use super::{Look, count, pad, wrap};

/// The most lines of a summary.
const LINES_MAX: usize = 12;
/// How many keys, ranges of values, nodes, pairs and processes are told.
const TOLD_MAX: usize = 3;
/// The width of the labels.
const LABEL: usize = 20;

/// A recording with its figures.
pub struct Happened<'a> {
    /// The figures of its registers, if it has any that were read.
    pub distance: Option<&'a Distance>,
    /// The figures of its sets, if it has any that were read.
    pub elements: Option<&'a Elements>,
    /// The figures of its counters, if a read is outside its bounds.
    pub sums: Option<&'a Sums>,
    /// What was recorded.
    pub recording: &'a Recording,
    /// The names of operations.
    pub deeds: Deeds<'a>,
}

/// A label, and what it is about, if the figure is not zero.
type Line = (&'static str, Option<String>);

impl Happened<'_> {
    /// A label and what it is about, for each figure that is not zero, what hurts most
    /// first; if there is none, that nothing was found.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let registers = self.distance.map(|distance| self.of_registers(distance));
        let sets = self.elements.map(|elements| self.of_sets(elements));
        let counters = self.sums.map(|sums| self.of_counters(sums));
        let others = counters.into_iter().chain(registers).flatten();
        let all = sets.into_iter().flatten().chain(others);
        let mut told: Vec<_> = all.filter_map(|(label, said)| Some((label, said?))).collect();
        let reads = self.distance.map_or(0, |it| it.reads) + self.elements.map_or(0, |it| it.reads);
        if told.is_empty() && reads > 0 {
            let said = format!("nothing lost, stale or going back in {}", counted(reads, "read"));
            told.push(("what happened", said));
        }
        told
    }

    fn of_registers(&self, distance: &Distance) -> Vec<Line> {
        let Distance { lost, thin, aborted, future, backward, sessions, .. } = distance;
        let strange = |strange: &Strange, what: &str| {
            let worst = strange.worst.map(|worst| self.deeds.did(worst.read));
            worst.map(|did| format!("{} {what}: {did}", counted(strange.count, "read")))
        };
        let elsewhere = backward.worst.map(|worst| {
            let reads = counted(backward.count, "read");
            let [before, after] = [worst.earlier, worst.later].map(|at| self.deeds.did(at));
            format!("{reads}; {before}, and {} later {after}", time(worst.time))
        });
        let in_the_end = lost.worst.map(|worst| worst.read);
        // Reads that are not at quiescence may be late.
        let label = if lost.keys_by_last_reads > 0 { "lost or late" } else { "lost" };
        vec![
            (label, self.lost(&lost.writes, "acknowledged write", in_the_end)),
            ("out of nowhere", strange(thin, "of what nobody had written")),
            ("aborted", strange(aborted, "of what had failed to be written")),
            ("from the future", strange(future, "before the write")),
            ("perhaps lost", self.suspected(distance)),
            ("own writes missed", self.back(&sessions.own_writes)),
            ("went back", self.back(&sessions.own_reads)),
            ("went back elsewhere", elsewhere),
            ("stale", self.stale(distance)),
            ("convergence", self.convergence(distance)),
            ("unknown outcome", fates("write", distance.fates)),
        ]
    }

    fn of_sets(&self, elements: &Elements) -> Vec<Line> {
        let first = |at: Option<usize>| at.map(|at| self.deeds.did(at)).unwrap_or_default();
        let some = |number: usize, said: &dyn Fn(String) -> String| {
            (number > 0).then(|| said(counted(number, "element")))
        };
        let late = elements.latest.map(|late| {
            let (add, read) = (self.deeds.did(late.add), self.deeds.did(late.read));
            format!(
                "{} of {}; {} after {add}: {read}",
                elements.late,
                counted(elements.elements, "element"),
                time(late.time)
            )
        });
        let back = elements.first_resurrected.map(|(remove, read)| {
            let (remove, read) = (self.deeds.did(remove), self.deeds.did(read));
            let many = counted(elements.resurrected, "element");
            format!("{many} removed before: {remove}, and then {read}")
        });
        let fates_of_adds = Fates {
            seen: elements.unknown_seen,
            unseen: elements.unknown_unseen,
            ..Fates::default()
        };
        vec![
            ("lost", self.lost(&elements.lost, "element", None)),
            (
                "out of nowhere",
                some(elements.strange, &|many| {
                    format!("{many} that nobody had added: {}", first(elements.first_strange))
                }),
            ),
            (
                "twice",
                some(elements.twice, &|many| {
                    format!("{many} more than once: {}", first(elements.first_twice))
                }),
            ),
            ("resurrected", back),
            ("late", late),
            ("not read", some(elements.unread, &|many| format!("{many}, after which nobody read"))),
            ("unknown outcome", fates("add", fates_of_adds)),
        ]
    }

    fn of_counters(&self, sums: &Sums) -> Vec<Line> {
        let outside = |many: usize, worst: Option<Outside>, side: &str| {
            let Outside { read, bound, by } = worst?;
            let did = self.deeds.did(read);
            let reads = counted(sums.reads, "read");
            let many = count(many as u64);
            Some(format!("{many} of {reads}, by up to {by}: {did}, of {side} {bound}"))
        };
        vec![
            ("counted too little", outside(sums.low, sums.lowest, "at least")),
            ("counted too much", outside(sums.high, sums.highest, "at most")),
        ]
    }

    /// The same as text of at most 12 lines.
    pub fn text(&self, look: &Look) -> String {
        let room = look.width.saturating_sub(LABEL + 1).max(30);
        let mut lines = Vec::new();
        for (label, said) in self.told() {
            let mut label = label;
            for line in wrap(&look.text(&said), room) {
                lines.push(format!("{} {line}\n", pad(label, LABEL)));
                label = "";
            }
        }
        if lines.len() > LINES_MAX {
            lines.truncate(LINES_MAX - 1);
            lines.push(format!("{} more with --far\n", pad("", LABEL)));
        }
        lines.concat()
    }

    fn operation(&self, at: usize) -> &Operation {
        &self.deeds.history.operations()[at]
    }

    /// `12 acknowledged writes of x (17 to 28), by n1 between 3.1 s and 4.8 s; …`.
    fn lost(&self, writes: &[usize], noun: &str, in_the_end: Option<usize>) -> Option<String> {
        let mut keys: BTreeMap<&Key, Vec<&Value>> = BTreeMap::new();
        for at in writes {
            let call = &self.operation(*at).call;
            keys.entry(&call.key).or_default().push(&call.argument);
        }
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_by_key(|(_, values)| std::cmp::Reverse(values.len()));
        let of_key = |(key, values): &(&Key, Vec<&Value>)| {
            let number = if keys.len() > 1 {
                format!("{}: ", count(values.len() as u64))
            } else {
                String::new()
            };
            format!("{} ({number}{})", short(key), ranges(values))
        };
        let told = listed(keys.iter().map(of_key), keys.len());
        let end = in_the_end
            .map_or_else(String::new, |read| format!("; in the end {}", self.deeds.did(read)));
        let all = counted(writes.len(), noun);
        (!writes.is_empty()).then(|| format!("{all} of {told}{}{end}", self.when(writes)))
    }

    /// `, by n1 between 3.1 s and 4.8 s, after "…" (line 9)`, since the first operation.
    fn when(&self, writes: &[usize]) -> String {
        let start = self.deeds.history.operations().iter().map(|op| op.invoked).min();
        let nodes: BTreeSet<NodeId> =
            writes.iter().filter_map(|at| self.operation(*at).node).collect();
        let by = match nodes.len() {
            0 => String::new(),
            many => format!(" by {}", listed(nodes.iter().map(NodeId::to_string), many)),
        };
        let since = |at: u64| time(at.saturating_sub(start.unwrap_or(0)));
        let first = writes.iter().map(|at| self.operation(*at).invoked).min().unwrap_or(0);
        let last = writes.iter().filter_map(|at| self.operation(*at).returned).max();
        let last = last.unwrap_or(first);
        let fault = writes.get(..1).and_then(|first| self.recording.faults_around(first).0);
        let fault = fault.map_or_else(String::new, |fault| {
            format!(", after the nemesis did {}", nemesis(fault))
        });
        format!(",{by} between {} and {}{fault}", since(first), since(last))
    }

    fn suspected(&self, distance: &Distance) -> Option<String> {
        let suspected = &distance.suspected;
        let mut pairs: Vec<_> = suspected.pairs.iter().collect();
        pairs.sort_by_key(|(_, hidden)| std::cmp::Reverse(hidden.writes));
        let (_, first) = pairs.first()?;
        let pair = |((written, read), hidden): &(&(NodeId, NodeId), &Hidden)| {
            format!("{} of {written} at {read}", count(hidden.writes as u64))
        };
        Some(format!(
            "{} never seen at a node that was read later ({}): {}, and then {}",
            counted(suspected.writes.len(), "acknowledged write"),
            listed(pairs.iter().map(pair), pairs.len()),
            self.deeds.did(first.write),
            self.deeds.did(first.read),
        ))
    }

    /// `5 reads (process 3: 4, process 1: 1); process 3 wrote x=2, and then …`.
    fn back(&self, of: &BTreeMap<ProcessId, WentBack>) -> Option<String> {
        let mut all: Vec<_> = of.iter().collect();
        all.sort_by_key(|(_, back)| std::cmp::Reverse(back.reads));
        let (_, worst) = all.first()?;
        let reads = all.iter().map(|(_, back)| back.reads).sum();
        let process = |(process, back): &(&ProcessId, &WentBack)| {
            format!("{}: {}", (self.deeds.who)(**process), count(back.reads as u64))
        };
        Some(format!(
            "{} ({}): {}, and then {}",
            counted(reads, "read"),
            listed(all.iter().map(process), all.len()),
            self.deeds.did(worst.earlier),
            self.deeds.did(worst.read),
        ))
    }

    fn stale(&self, distance: &Distance) -> Option<String> {
        let staleness = &distance.staleness;
        let (all, window) = (&staleness.all, staleness.window?);
        let start = self.deeds.history.operations().iter().map(|op| op.invoked).min()?;
        let since = |at: u64| time(at.saturating_sub(start));
        let key = short(&self.operation(window.first).call.key);
        let mut pairs: Vec<_> =
            staleness.pairs.iter().filter(|pair| pair.spread.stale > 0).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.spread.stale));
        let named = pairs.iter().filter_map(|pair| {
            let (written, read) = (pair.written?, pair.read?);
            Some(format!("{} of {written} at {read}", count(pair.spread.stale as u64)))
        });
        let named: Vec<String> = named.collect();
        let number = named.len();
        let by = match number {
            0 => String::new(),
            _ => format!(" ({})", listed(named.into_iter(), number)),
        };
        Some(format!(
            "{} of {}{by}, p99 {}, at most {} and {}; longest for {key}: {} from {} to {}",
            count(all.stale as u64),
            counted(all.reads, "read"),
            time(all.time.p99),
            time(all.time.max),
            counted(usize::try_from(all.versions.max).unwrap_or(usize::MAX), "version"),
            counted(window.reads, "read"),
            since(window.from),
            since(window.until),
        ))
    }

    fn convergence(&self, distance: &Distance) -> Option<String> {
        match distance.convergence.overall {
            Settled::Unread | Settled::After { time: 0, .. } => None,
            Settled::After { time: after, .. } => {
                Some(format!("{} after the last write", time(after)))
            }
            Settled::Never(one, other) => {
                Some(format!("none: {}, and {}", self.deeds.did(one), self.deeds.did(other)))
            }
        }
    }
}

/// `3 writes: 1 seen later, 2 never seen`.
fn fates(noun: &str, Fates { seen, perhaps, unseen, unread }: Fates) -> Option<String> {
    let fates = [
        (seen, "seen later"),
        (perhaps, "perhaps seen"),
        (unseen, "never seen"),
        (unread, "not read later"),
    ];
    let some = fates.iter().filter(|(number, _)| *number > 0);
    let told: Vec<_> =
        some.map(|(number, fate)| format!("{} {fate}", count(*number as u64))).collect();
    let all = counted(seen + perhaps + unseen + unread, noun);
    (!told.is_empty()).then(|| format!("{all}: {}", told.join(", ")))
}

/// The first of these, and how many more there are.
fn listed(all: impl Iterator<Item = String>, number: usize) -> String {
    let mut told: Vec<String> = all.take(TOLD_MAX).collect();
    if number > TOLD_MAX {
        told.push(format!("{} more", count((number - TOLD_MAX) as u64)));
    }
    told.join(", ")
}

/// `after the nemesis did "isolate n1" (line 7); meanwhile it did "promote n2" (line 16)`: what
/// it did around these operations, if anything.
pub(super) fn around(recording: &Recording, operations: &[usize]) -> Option<String> {
    let (before, within) = recording.faults_around(operations);
    let before = before.map(|fault| format!("after the nemesis did {}", nemesis(fault)));
    let did = listed(within.iter().map(nemesis), within.len());
    let who = if before.is_some() { "it" } else { "the nemesis" };
    let within = (!within.is_empty()).then(|| format!("meanwhile {who} did {did}"));
    let told: Vec<_> = before.into_iter().chain(within).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// `"isolate n1" (line 7)`.
fn nemesis(Fault { line, what, .. }: &Fault) -> String {
    format!("\"{what}\" (line {line})")
}

/// `3, 17 to 28, 40 and 6 more`: integers as ranges.
fn ranges(values: &[&Value]) -> String {
    let mut numbers: Vec<i64> = Vec::new();
    let mut others = Vec::new();
    for value in values {
        match value {
            Value::Int(number) => numbers.push(*number),
            other => others.push(short(*other)),
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): (i64, i64)| match last.saturating_sub(first) {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    let all: Vec<String> = runs.into_iter().map(run).chain(others).collect();
    let number = all.len();
    listed(all.into_iter(), number)
}
