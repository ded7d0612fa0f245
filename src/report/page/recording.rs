//! The page of a recording: the verdicts, what happened, every operation in real time, and
//! plots.
//!
//! The operations are columns of numbers, which the script draws: those in view as they are,
//! or, where there are too many, how many there are.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::json;

use crate::history::formats::Fault;
use crate::history::{Completion, Operation, ProcessId, Value, escape};
use crate::judgement::Verdict;
use crate::judgement::checker::Entry;
use crate::judgement::distance::{Settled, Stale};
use crate::judgement::verdict::{Counterexample, deed};
use crate::report::count;
use crate::report::distance::{counted, time};
use crate::report::survey::Judged;
use crate::report::verdict::model_name;

use super::plot::{Axis, Series, plot};
use super::ring::rings;
use super::{Script, document};

const SCRIPT: Script = Script {
    text: include_str!("recording.js"),
    hash: "JyK2/R2e7mGkHWJrDtk8g1mCEcMF4j+qBywYP5JRhN8=",
};

/// The most operations whose words and lines are in the page. Of larger recordings only
/// those of counterexamples have words.
const TOLD_MAX: usize = 200_000;

/// How many places a plot over time has.
const BINS: usize = 160;

/// How many keys of a table are shown.
const KEYS_MAX: usize = 50;

/// How much of a text is shown, in characters.
const SHORT: usize = 60;

/// The page of a judged recording.
pub fn page(judged: &Judged<'_>) -> String {
    let name = judged.recording.called(judged.name);
    let operations = judged.recording.history.operations();
    let body = html! {
        header {
            h1 { (escape::line(&name)) }
            p.where { (escape::line(&judged.heading())) }
            @for hint in judged.hints() { p.differs { "hint: " (escape::line(&hint)) } }
            (verdicts(judged))
        }
        main.wide {
            @let told = judged.happened_told();
            @if !told.is_empty() {
                section { h2 { "What happened" }
                    dl.facts { @for (what, said) in told {
                        dt { (what) } dd { (escape::line(&said)) }
                    } }
                }
            }
            (violations(judged))
            section { h2 { "Operations in real time" } (timeline(judged)) }
            section.plots { h2 { "Figures" } (plots(judged)) }
            (keys(judged))
        }
        @if !operations.is_empty() { (columns(judged)) }
    };
    document(&format!("{name} · quiescence"), &[SCRIPT], &body)
}

fn sign(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Holds(_) => ("holds", "✓ holds"),
        Verdict::Violated(_) => ("fails", "✗ FAILS"),
        Verdict::Unknown(_) => ("open", "? unknown"),
    }
}

fn verdicts(judged: &Judged<'_>) -> Markup {
    html! {
        table.verdicts {
            @for entry in judged.survey.entries() {
                @let (class, word) = sign(&entry.verdict);
                tr class=(class) {
                    th scope="row" { (model_name(entry.model)) }
                    td { (word) }
                    td { (escape::line(&judged.why(entry, 4))) }
                }
            }
        }
    }
}

/// The failing models that have a counterexample of their own.
fn counterexamples<'a>(judged: &'a Judged<'_>) -> Vec<(&'a Entry, &'a Counterexample)> {
    let entries = judged.survey.entries().iter().filter(|entry| entry.from.is_none());
    let found = entries.filter_map(|entry| match &*entry.verdict {
        Verdict::Violated(found) => Some((entry, found)),
        _ => None,
    });
    found.collect()
}

fn violations(judged: &Judged<'_>) -> Markup {
    let found = counterexamples(judged);
    let recording = judged.recording;
    let who = |at: usize| recording.who(recording.history.operations()[at].process);
    html! {
        @if !found.is_empty() {
            section.violations {
                h2 { "Violations" }
                @for (entry, found) in found {
                    @let operations = &found.operations;
                    div.violation {
                        h3.fails { "✗ " (model_name(entry.model)) }
                        button type="button" data-show=(listed(operations)) { "show on the time line" }
                        ol { @for at in operations.iter().take(KEYS_MAX) {
                            @let (word, number) = recording.place(*at);
                            li {
                                (escape::line(&who(*at)))
                                " " (escape::line(&deed(&recording.history, *at)))
                                " (" (word) " " (number) ")"
                            }
                        } }
                        @if operations.len() > KEYS_MAX {
                            p.small { "and " (count((operations.len() - KEYS_MAX) as u64)) " more" }
                        }
                        @if let Some(drawn) = rings(&recording.history, found, &who) { (drawn) }
                    }
                }
            }
        }
    }
}

fn listed(operations: &[usize]) -> String {
    operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The part that the script draws.
fn timeline(judged: &Judged<'_>) -> Markup {
    let all = judged.recording.history.len();
    html! {
        @if !judged.recording.timed {
            p.small { "The file has no times: from one event to the next it is 1 ns here." }
        }
        @if all > TOLD_MAX {
            p.small { "Of " (count(all as u64)) " operations only those of violations have their values and lines here; \
                of the others the call and the key." }
        }
        p.controls {
            button type="button" id="in" { "zoom in" }
            button type="button" id="out" { "zoom out" }
            button type="button" id="left" aria-label="earlier" { "◀" }
            button type="button" id="right" aria-label="later" { "▶" }
            button type="button" id="whole" { "all" }
            label { "lanes " select id="lanes" {
                option value="process" { "processes" }
                option value="node" { "nodes" }
            } }
            output id="view" {}
        }
        p.controls role="group" aria-label="filters" {
            select id="way" aria-label="show only or hide" {
                option value="only" { "show only" }
                option value="hide" { "hide" }
            }
            select id="part" aria-label="what is filtered" {
                @for part in ["key", "process", "node", "call", "outcome"] { option { (part) } }
            }
            input id="name" type="text" size="16" list="names" aria-label="which one";
            datalist id="names" {}
            button type="button" id="add" { "filter" }
            output id="refused" {}
        }
        ul id="filters" aria-label="filters in use" {}
        div.scroll id="frame" tabindex="0" role="group"
            aria-label="time line: + and - zoom, arrows move" { svg id="timeline" {} }
        p id="picked" aria-live="polite" { "Point at an operation to read it." }
        noscript { p { "Without JavaScript the time line is not drawn; the rest of the page is all there." } }
    }
}

/// The scale of times: from when, and how many nanoseconds a unit is, so that all fit 32 bits.
fn scale(operations: &[Operation]) -> (u64, u64, u64) {
    let first = operations.iter().map(|op| op.invoked).min().unwrap_or(0);
    let last = |op: &Operation| op.returned.unwrap_or(op.invoked);
    let end = operations.iter().map(last).max().unwrap_or(0);
    let span = end - first;
    (first, span / u64::from(u32::MAX) + 1, span)
}

/// What stands for an operation of unknown outcome in the column of ends.
const OPEN: u32 = u32::MAX;

/// The operations as columns.
fn columns(judged: &Judged<'_>) -> Markup {
    let recording = judged.recording;
    let operations = recording.history.operations();
    let (first, unit, span) = scale(operations);
    let units = |at: u64| u32::try_from((at - first) / unit).unwrap_or(OPEN - 1).min(OPEN - 1);
    let starts = base64(operations.iter().flat_map(|op| units(op.invoked).to_le_bytes()));
    let ends =
        base64(operations.iter().flat_map(|op| op.returned.map_or(OPEN, units).to_le_bytes()));
    let mut lanes: BTreeMap<ProcessId, u32> = BTreeMap::new();
    for op in operations {
        lanes.entry(op.process).or_default();
    }
    for (number, lane) in (0..).zip(lanes.values_mut()) {
        *lane = number;
    }
    let processes = base64(operations.iter().flat_map(|op| lanes[&op.process].to_le_bytes()));
    let node = |op: &Operation| op.node.map_or(0, |node| node.0.saturating_add(1));
    let nodes = base64(operations.iter().flat_map(|op| node(op).to_le_bytes()));
    let (keys, of_key) = numbered(operations.iter().map(|op| op.call.key.as_str()));
    let of_key = base64(of_key.into_iter().flat_map(u32::to_le_bytes));
    let (mut calls, of_call) = numbered(operations.iter().map(|op| op.call.f.as_str()));
    let of_call = of_call.into_iter().map(|nth| u16::try_from(nth).unwrap_or(u16::MAX));
    let of_call = base64(of_call.flat_map(u16::to_le_bytes));
    if calls.len() > usize::from(u16::MAX) {
        calls.truncate(usize::from(u16::MAX));
        calls.push("another call");
    }
    let kinds = base64(operations.iter().map(kind));
    let told = match operations.len() > TOLD_MAX {
        true => {
            counterexamples(judged).iter().flat_map(|(_, found)| found.operations.clone()).collect()
        }
        false => (0..operations.len()).collect::<Vec<_>>(),
    };
    let words: BTreeMap<usize, String> =
        told.iter().map(|at| (*at, word(&operations[*at]))).collect();
    let lines: BTreeMap<usize, usize> =
        told.iter().map(|at| (*at, recording.place(*at).1)).collect();
    let data = json!({
        "count": operations.len(),
        "unit": unit,
        "span": span,
        "processes": lanes.keys().map(|one| short(&recording.name_of(*one))).collect::<Vec<_>>(),
        "keys": keys.into_iter().map(short).collect::<Vec<_>>(),
        "calls": calls.into_iter().map(short).collect::<Vec<_>>(),
        "words": match operations.len() > TOLD_MAX {
            true => json!(words),
            false => json!(words.values().collect::<Vec<_>>()),
        },
        "lines": match operations.len() > TOLD_MAX {
            true => json!(lines),
            false => json!(lines.values().collect::<Vec<_>>()),
        },
        "place": recording.place(0).0,
        "marks": marks(judged),
    });
    html! {
        div id="data" hidden data-all=(data.to_string()) data-starts=(starts) data-ends=(ends)
            data-process=(processes) data-node=(nodes) data-key=(of_key) data-call=(of_call)
            data-kind=(kinds) {}
    }
}

/// The names, each once, as they are first met, and the place there of each that was given.
fn numbered<'a>(given: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Vec<u32>) {
    let (mut names, mut places) = (Vec::new(), BTreeMap::new());
    let number = |name| {
        *places.entry(name).or_insert_with(|| {
            names.push(name);
            u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
        })
    };
    let numbers = given.map(number).collect();
    (names, numbers)
}

/// What the nemesis did, each with when it did so, or, where the file does not say, when the
/// first operation after its line was asked.
fn marks(judged: &Judged<'_>) -> Vec<(u64, String)> {
    let recording = judged.recording;
    let operations = recording.history.operations();
    let (first, unit, _) = scale(operations);
    let mut by_line: Vec<_> = recording.lines.iter().copied().zip(operations).collect();
    by_line.sort_by_key(|(line, _)| *line);
    let place = |line: usize| {
        let after = by_line.partition_point(|(own, _)| (*own as usize) < line);
        let op = by_line.get(after).or(by_line.last())?.1;
        Some((op.invoked - first) / unit)
    };
    let faults = recording.faults.iter();
    let when = |fault: &Fault| match fault.time.filter(|_| recording.backwards == 0) {
        Some(time) => Some(time.saturating_sub(first) / unit),
        None => place(fault.line),
    };
    faults.filter_map(|fault| Some((when(fault)?, short(&fault.what)))).collect()
}

/// 0 read, 1 write, 2 another call; 3 more if it failed, 6 more if its outcome is unknown.
fn kind(op: &Operation) -> u8 {
    let what = match (op.call.is_read(), op.call.is_write()) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    };
    what + match op.completion {
        Completion::Ok(_) => 0,
        Completion::Fail => 3,
        Completion::Info => 6,
    }
}

/// `read x → 4`, `write x=1`.
fn word(op: &Operation) -> String {
    let answer = match &op.completion {
        Completion::Ok(value) if op.call.is_read() => format!(" → {value}"),
        Completion::Ok(Value::Null) => String::new(),
        Completion::Ok(value) => format!(" → {value}"),
        Completion::Fail => " failed".to_owned(),
        Completion::Info => " (outcome unknown)".to_owned(),
    };
    short(&format!("{}{answer}", op.call))
}

fn short(text: &str) -> String {
    let text = escape::line(text);
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// Bytes as text, as scripts can read them back (RFC 4648, section 4).
fn base64(bytes: impl Iterator<Item = u8>) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    let mut bytes = bytes.peekable();
    while bytes.peek().is_some() {
        let three: Vec<u8> = bytes.by_ref().take(3).collect();
        let whole = three.iter().fold(0, |whole, byte| whole << 8 | u32::from(*byte));
        let whole = whole << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(whole >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// When things happened, as a place in time and in a plot.
struct Course {
    first: u64,
    span: u64,
}

impl Course {
    /// The part of the time in which this instant is.
    fn bin(&self, at: u64) -> usize {
        let part = u128::from(at - self.first) * BINS as u128 / (u128::from(self.span) + 1);
        usize::try_from(part).unwrap_or(0)
    }

    /// The middle of a part.
    fn middle(&self, bin: usize) -> f64 {
        (bin as f64 + 0.5) * self.span as f64 / BINS as f64
    }

    fn axis(&self) -> Axis<'static> {
        Axis { name: "time since the first operation", max: self.span as f64, said: &nanos }
    }
}

/// Latency over time, staleness over time, and how stale reads are.
fn plots(judged: &Judged<'_>) -> Markup {
    let operations = judged.recording.history.operations();
    let (first, _, span) = scale(operations);
    let course = Course { first, span };
    let mut kinds: BTreeMap<&str, Vec<Vec<u64>>> = BTreeMap::new();
    for op in operations {
        let Some(returned) = op.returned else { continue };
        let kind = match kind(op) % 3 {
            0 => "reads",
            1 => "writes",
            _ => "other calls",
        };
        let bins = kinds.entry(kind).or_insert_with(|| vec![Vec::new(); BINS]);
        bins[course.bin(op.invoked)].push(returned - op.invoked);
    }
    html! {
        @for (kind, bins) in kinds { (latency(kind, bins, &course)) }
        @if let Some(distance) = judged.distance {
            (staleness(&distance.staleness.stale, operations, &course))
        }
    }
}

/// How long one kind of operations took, over time.
fn latency(kind: &str, mut bins: Vec<Vec<u64>>, course: &Course) -> Markup {
    bins.iter_mut().for_each(|bin| bin.sort_unstable());
    let at = |percent: usize| {
        let filled = bins.iter().enumerate().filter(|(_, all)| !all.is_empty());
        let ranked = |all: &Vec<u64>| all[(all.len() * percent / 100).min(all.len() - 1)] as f64;
        filled.map(|(nth, all)| (course.middle(nth), ranked(all))).collect::<Vec<_>>()
    };
    let longest = at(100);
    let max = longest.iter().map(|(_, it)| *it).fold(0.0, f64::max);
    let series = [("p50", at(50)), ("p99", at(99)), ("longest", longest)];
    let series = series.map(|(name, points)| Series { name, points, bars: false });
    let up = Axis { name: "latency", max, said: &nanos };
    plot(&format!("latency of {kind}"), &course.axis(), &up, &series)
}

/// The stalest reads over time, and how many are how stale.
fn staleness(stale: &[Stale], operations: &[Operation], course: &Course) -> Markup {
    if stale.is_empty() {
        return html! { p { "No read was certainly stale." } };
    }
    let mut worst = vec![0_u64; BINS];
    for read in stale {
        let place = course.bin(operations[read.read].invoked);
        worst[place] = worst[place].max(read.time);
    }
    let max = worst.iter().copied().max().unwrap_or(0) as f64;
    let points = worst.iter().enumerate().filter(|(_, it)| **it > 0);
    let points = points.map(|(nth, it)| (course.middle(nth), *it as f64)).collect();
    let times: Vec<u64> = stale.iter().map(|read| read.time).collect();
    html! {
        (plot("the stalest read, over time", &course.axis(),
            &Axis { name: "staleness", max, said: &nanos },
            &[Series { name: "staleness", points, bars: true }]))
        (distribution(&times))
    }
}

/// How many stale reads are so stale.
fn distribution(times: &[u64]) -> Markup {
    let max = times.iter().copied().max().unwrap_or(0);
    let mut bars = vec![0_u64; 40];
    for time in times {
        let place = u128::from(*time) * 40 / (u128::from(max) + 1);
        bars[usize::try_from(place).unwrap_or(0)] += 1;
    }
    // Four ticks, of which none is a fraction of a read.
    let top = bars.iter().copied().max().unwrap_or(0).next_multiple_of(4) as f64;
    let points = bars.iter().enumerate().filter(|(_, it)| **it > 0);
    let points =
        points.map(|(nth, it)| ((nth as f64 + 0.5) * max as f64 / 40.0, *it as f64)).collect();
    plot(
        &format!("how stale: {}", counted(times.len(), "stale read")),
        &Axis { name: "staleness", max: max as f64, said: &nanos },
        &Axis { name: "reads", max: top, said: &|it| format!("{it:.0}") },
        &[Series { name: "reads", points, bars: true }],
    )
}

fn nanos(number: f64) -> String {
    time(number as u64)
}

/// Key by key: writes that were lost, and when all that read it agreed.
fn keys(judged: &Judged<'_>) -> Markup {
    let Some(distance) = judged.distance else { return html! {} };
    let operations = judged.recording.history.operations();
    let mut lost: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for at in &distance.lost.writes {
        lost.entry(&operations[*at].call.key).or_default().push(*at);
    }
    let late = |settled: &Settled| match settled {
        Settled::After { time: 0, .. } => "at once".to_owned(),
        Settled::After { time: after, .. } => time(*after),
        Settled::Never(..) => "never".to_owned(),
        Settled::Unread => "not read".to_owned(),
    };
    html! {
        section { h2 { "Keys" }
            table {
                tr { th { "key" } th { "agreed after the last write" } th { "acknowledged writes lost" } }
                @for key in distance.convergence.keys.iter().take(KEYS_MAX) {
                    tr {
                        th scope="row" { (short(key.key.as_str())) }
                        td { (late(&key.settled)) }
                        td { @match lost.get(&key.key) {
                            None => "0",
                            Some(all) => { (count(all.len() as u64)) " "
                                button type="button" data-show=(listed(&all[..all.len().min(500)])) { "show" } }
                        } }
                    }
                }
            }
            @if distance.convergence.keys.len() > KEYS_MAX {
                p.small { "and " (count((distance.convergence.keys.len() - KEYS_MAX) as u64)) " more keys" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_the_texts_of_the_standard() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.bytes()), text);
        }
        assert_eq!(base64([0xff, 0xfb, 0x3e].into_iter()), "//s+");
    }
}
