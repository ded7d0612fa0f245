//! How far a history is from a single copy, as text and as JSON.
//!
//! Invariant: every figure in the text that is not zero is followed by the
//! operations that show its worst case. This module measures nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::history::{NodeId, ProcessId};
use crate::judgement::Distance;
use crate::judgement::checker::Leasts;
use crate::judgement::distance::{Hidden, Pair, Quantiles, Settled, Spread, Strange, WentBack};

use super::deeds::Deeds;
use super::{Look, count, pad, wrap};

/// How many pairs of nodes the text shows: those with the longest staleness.
const PAIRS_MAX: usize = 12;

/// Writes one line for each figure, and below each that is not zero its worst
/// case.
///
pub fn text(distance: &Distance, deeds: &Deeds<'_>, look: &Look) -> String {
    let page = Page { distance, deeds };
    let mut lines = page.staleness();
    lines.extend(page.leasts());
    lines.extend(page.convergence());
    lines.extend(page.lost());
    lines.extend(page.backward());
    lines.extend(page.strange());
    lines.extend(page.left_out());
    let mut text = String::new();
    for (label, said) in lines {
        let label = pad(&look.text(&label), 20);
        let lines = wrap(&look.text(&said), look.width.saturating_sub(21).max(30));
        let _ = writeln!(text, "{label} {}", lines.join(&format!("\n{}", " ".repeat(21))));
    }
    text
}

/// A label for the first column, and the text next to it.
type Line = (String, String);

struct Page<'a> {
    distance: &'a Distance,
    deeds: &'a Deeds<'a>,
}

impl Page<'_> {
    fn did(&self, at: usize) -> String {
        self.deeds.did(at)
    }

    fn staleness(&self) -> Vec<Line> {
        let staleness = &self.distance.staleness;
        if staleness.all.reads == 0 {
            return vec![("staleness".to_owned(), "no read has a known source".to_owned())];
        }
        let mut lines = vec![("staleness".to_owned(), self.spread(&staleness.all))];
        if let Some(worst) = staleness.all.time.worst {
            let said = format!(
                "{}; {} before, a newer write had returned: {}",
                self.did(worst.read),
                time(worst.time),
                self.did(worst.newer)
            );
            lines.push((String::new(), said));
        }
        if let Some(worst) = staleness.all.versions.worst
            && Some(worst.read) != staleness.all.time.worst.map(|worst| worst.read)
        {
            let newer = counted(worst.versions as usize, "newer write");
            lines.push((String::new(), format!("{}, behind {newer}", self.did(worst.read))));
        }
        lines.extend(self.pairs());
        lines
    }

    /// `p50 0.4 ms · p99 18 ms · max 1.5 s · versions p50 0 · p99 1 · max 2 · 3 of 9 reads`.
    fn spread(&self, spread: &Spread) -> String {
        if spread.stale == 0 {
            return format!("none in {}", counted(spread.reads, "read"));
        }
        let (times, versions) = (spread.time, spread.versions);
        format!(
            "p50 {} · p99 {} · max {} · versions p50 {} · p99 {} · max {} · {} of {}",
            time(times.p50),
            time(times.p99),
            time(times.max),
            versions.p50,
            versions.p99,
            versions.max,
            count(spread.stale as u64),
            counted(spread.reads, "read"),
        )
    }

    /// The stalest pairs of nodes, if nodes were recorded.
    fn pairs(&self) -> Vec<Line> {
        let recorded = |pair: &&Pair| pair.read.is_some();
        let pairs = self.distance.staleness.pairs.iter().filter(recorded);
        let mut pairs: Vec<&Pair> = pairs.filter(|pair| pair.spread.stale > 0).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.spread.time.max));
        let more = pairs.len().saturating_sub(PAIRS_MAX);
        pairs.truncate(PAIRS_MAX);
        let line = |pair: &Pair| {
            let [written, read] = [pair.written, pair.read].map(node_name);
            (format!("  {written} → {read}"), self.spread(&pair.spread))
        };
        let mut lines: Vec<Line> = pairs.into_iter().map(line).collect();
        if more > 0 {
            lines.push((String::new(), format!("and {}", counted(more, "less stale pair"))));
        }
        lines
    }

    fn leasts(&self) -> Option<Line> {
        let (least_k, least_delta) = self.distance.leasts.as_ref()?;
        let k = match least_k {
            Ok(Some(k)) => format!("k = {k}"),
            Ok(None) => "there is no such k".to_owned(),
            Err((lower, u32::MAX)) => format!("k ≥ {lower}"),
            Err((lower, upper)) => format!("{lower} ≤ k ≤ {upper}"),
        };
        let delta = match least_delta {
            Ok(Some(delta)) => format!("Δ = {}", time(*delta)),
            Ok(None) => "no Δ will do".to_owned(),
            Err(unknown) => format!("Δ unknown: {}", unknown.reason),
        };
        Some(("least".to_owned(), format!("{k} · {delta}")))
    }

    fn convergence(&self) -> Vec<Line> {
        let convergence = &self.distance.convergence;
        let mut lines = Vec::new();
        let said = match convergence.overall {
            Settled::Unread => "unknown: nothing was read after the last write".to_owned(),
            Settled::After { time: 0, reads, .. } => {
                format!("at once: all {} after the last write agree", counted(reads, "read"))
            }
            Settled::After { time: after, last_other, .. } => {
                let other = last_other.map_or_else(String::new, |at| self.did(at));
                format!("{} after the last write; until then {other}", time(after))
            }
            Settled::Never(one, other) => {
                format!("not seen: {}, and {}", self.did(one), self.did(other))
            }
        };
        lines.push(("convergence".to_owned(), said));
        let never = |settled: Settled| matches!(settled, Settled::Never(..));
        let open = convergence.keys.iter().filter(|key| never(key.settled)).count();
        if open > 1 {
            let all = counted(convergence.keys.len(), "key");
            lines.push((String::new(), format!("{} of {all} do not settle", count(open as u64))));
        }
        lines
    }

    fn lost(&self) -> Vec<Line> {
        let lost = &self.distance.lost;
        let label = "acked writes lost".to_owned();
        let mut said = count(lost.writes.len() as u64);
        match (lost.keys_at_quiescence, lost.keys_by_last_reads, lost.keys_unread) {
            (0, 0, 0) => said.push_str(" (nothing was written)"),
            (0, 0, _) => said = "unknown: nothing was read after the last writes".to_owned(),
            (_, 0, 0) => {}
            (_, 0, unread) => {
                let _ = write!(said, " ({} not read in the end)", counted(unread, "key"));
            }
            (_, last, unread) => {
                let _ = write!(said, " ({} without final reads", counted(last, "key"));
                let more = format!(", {} not read in the end", counted(unread, "key"));
                said.push_str(if unread > 0 { &more } else { "" });
                said.push(')');
            }
        }
        let mut lines = vec![(label, said)];
        if let Some(worst) = lost.worst {
            let more = match worst.of_key {
                1 => String::new(),
                many => format!(", the last of {} that this key lost", count(many as u64)),
            };
            let said =
                format!("{}{more}; in the end {}", self.did(worst.write), self.did(worst.read));
            lines.push((String::new(), said));
        }
        lines
    }

    fn backward(&self) -> Vec<Line> {
        let backward = &self.distance.backward;
        let mut lines = vec![("backward reads".to_owned(), count(backward.count as u64))];
        if let Some(worst) = backward.worst {
            let place = if backward.by_nodes { "node" } else { "process" };
            lines[0].1.push_str(&format!(" (across {})", plural(place)));
            let said = format!(
                "{}; {} after that {}, which is older",
                self.did(worst.earlier),
                time(worst.time),
                self.did(worst.later)
            );
            lines.push((String::new(), said));
        }
        lines
    }

    fn strange(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let Distance { future, aborted, thin, .. } = self.distance;
        for (label, strange) in
            [("future reads", future), ("aborted reads", aborted), ("thin reads", thin)]
        {
            lines.push((label.to_owned(), count(strange.count as u64)));
            let Some(worst) = strange.worst else { continue };
            let read = self.did(worst.read);
            let said = match worst.write {
                None => format!("{read}, which nobody wrote"),
                Some(write) if worst.ahead > 0 => {
                    format!("{read}; {} later {}", time(worst.ahead), self.did(write))
                }
                Some(write) => {
                    format!("{read}, but only this had, and failed: {}", self.did(write))
                }
            };
            lines.push((String::new(), said));
        }
        lines
    }

    fn left_out(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let Distance { uncertain, other_keys, .. } = *self.distance;
        if uncertain > 0 {
            let reads = counted(uncertain, "read");
            let said =
                format!("{reads} of values that several writes wrote (staleness, backward reads)");
            lines.push(("left out".to_owned(), said));
        }
        if other_keys > 0 {
            let said = format!("{} with other operations", counted(other_keys, "key"));
            lines.push(("left out".to_owned(), said));
        }
        lines
    }
}

fn node_name(node: Option<NodeId>) -> String {
    node.map_or_else(|| "?".to_owned(), |node| node.to_string())
}

fn plural(word: &str) -> String {
    format!("{word}{}", if word.ends_with('s') { "es" } else { "s" })
}

/// `1 read`, `41,200 reads`.
pub(super) fn counted(number: usize, word: &str) -> String {
    let word = if number == 1 { word.to_owned() } else { plural(word) };
    format!("{} {word}", count(number as u64))
}

/// A time given in nanoseconds, with two or three significant digits: `1.5 s`.
pub(super) fn time(nanoseconds: u64) -> String {
    let (unit, size) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let (whole, tenths) = (nanoseconds / size, nanoseconds % size * 10 / size);
    match tenths {
        1.. if whole < 100 => format!("{}.{tenths} {unit}", count(whole)),
        _ => format!("{} {unit}", count(whole)),
    }
}

/// All figures. The operations that show a worst case are given by position.
pub(crate) fn json(distance: &Distance) -> Json {
    let pairs = distance.staleness.pairs.iter().map(|pair| {
        let mut all = spread(&pair.spread);
        all["written"] = json!(pair.written.map(|node| node.to_string()));
        all["read"] = json!(pair.read.map(|node| node.to_string()));
        all
    });
    let mut staleness = spread(&distance.staleness.all);
    staleness["pairs"] = pairs.collect();
    staleness["window"] = json!(distance.staleness.window.map(|window| {
        json!({
            "reads": window.reads,
            "first": window.first,
            "from": window.from,
            "until": window.until,
        })
    }));
    let keys = distance.convergence.keys.iter().map(|key| {
        let mut settles = settled(key.settled);
        settles["key"] = json!(key.key.as_str());
        settles["last_write"] = json!(key.last_write);
        settles
    });
    let mut convergence = settled(distance.convergence.overall);
    convergence["keys"] = keys.collect();
    let (min_k, min_delta) = distance.leasts.as_ref().map_or((Json::Null, Json::Null), leasts);
    json!({
        "reads": distance.reads,
        "uncertain": distance.uncertain,
        "other_keys": distance.other_keys,
        "staleness": staleness,
        "min_k": min_k,
        "min_delta": min_delta,
        "convergence": convergence,
        "lost": lost(distance),
        "suspected": suspected(distance),
        "backward": backward(distance),
        "own_writes_missed": backwards(&distance.sessions.own_writes),
        "own_reads_back": backwards(&distance.sessions.own_reads),
        "unknown_outcome": {
            "seen": distance.fates.seen,
            "perhaps": distance.fates.perhaps,
            "unseen": distance.fates.unseen,
            "unread": distance.fates.unread,
        },
        "future": strange(&distance.future),
        "aborted": strange(&distance.aborted),
        "thin": strange(&distance.thin),
    })
}

fn spread(spread: &Spread) -> Json {
    let quantiles = |quantiles: &Quantiles| {
        let worst = quantiles.worst.map(|worst| {
            json!({
                "read": worst.read,
                "source": worst.source,
                "newer": worst.newer,
                "versions": worst.versions,
                "time": worst.time,
            })
        });
        json!({ "p50": quantiles.p50, "p99": quantiles.p99, "max": quantiles.max, "worst": worst })
    };
    json!({
        "reads": spread.reads,
        "stale": spread.stale,
        "versions": quantiles(&spread.versions),
        "time": quantiles(&spread.time),
    })
}

fn settled(settled: Settled) -> Json {
    match settled {
        Settled::Unread => json!({ "settled": "unread" }),
        Settled::Never(one, other) => json!({ "settled": "never", "differ": [one, other] }),
        Settled::After { time, last_other, reads } => {
            json!({ "settled": "after", "time": time, "last_other": last_other, "reads": reads })
        }
    }
}

/// The number, null if there is none, or the bounds between which it lies.
fn leasts((least_k, least_delta): &Leasts) -> (Json, Json) {
    let k = match least_k {
        Ok(k) => json!(k),
        Err((lower, u32::MAX)) => json!({ "at_least": lower }),
        Err((lower, upper)) => json!({ "at_least": lower, "at_most": upper }),
    };
    let delta = match least_delta {
        Ok(delta) => json!(delta),
        Err(unknown) => json!({ "unknown": unknown.reason }),
    };
    (k, delta)
}

fn lost(distance: &Distance) -> Json {
    let lost = &distance.lost;
    let worst = lost.worst.map(|worst| {
        json!({
            "write": worst.write,
            "read": worst.read,
            "source": worst.source,
            "of_key": worst.of_key,
        })
    });
    json!({
        "count": lost.writes.len(),
        "writes": lost.writes,
        "worst": worst,
        "keys_at_quiescence": lost.keys_at_quiescence,
        "keys_by_last_reads": lost.keys_by_last_reads,
        "keys_unread": lost.keys_unread,
    })
}

fn suspected(distance: &Distance) -> Json {
    let pair = |((written, read), hidden): (&(NodeId, NodeId), &Hidden)| {
        json!({
            "written": written.to_string(),
            "read": read.to_string(),
            "writes": hidden.writes,
            "first": { "write": hidden.write, "read": hidden.read },
        })
    };
    let pairs = distance.suspected.pairs.iter().map(pair).collect::<Vec<_>>();
    json!({ "writes": distance.suspected.writes, "pairs": pairs })
}

fn backwards(of: &BTreeMap<ProcessId, WentBack>) -> Json {
    let process = |(process, back): (&ProcessId, &WentBack)| {
        json!({
            "process": process.0,
            "reads": back.reads,
            "first": { "earlier": back.earlier, "read": back.read },
        })
    };
    of.iter().map(process).collect()
}

fn backward(distance: &Distance) -> Json {
    let backward = &distance.backward;
    let worst = backward.worst.map(|worst| {
        json!({
            "earlier": worst.earlier,
            "newer": worst.newer,
            "later": worst.later,
            "older": worst.older,
            "time": worst.time,
        })
    });
    json!({ "count": backward.count, "by_nodes": backward.by_nodes, "worst": worst })
}

fn strange(strange: &Strange) -> Json {
    let worst = strange
        .worst
        .map(|worst| json!({ "read": worst.read, "write": worst.write, "ahead": worst.ahead }));
    json!({ "count": strange.count, "worst": worst })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Builder, Call, Event, History, ProcessId, Value};
    use crate::judgement::Budget;

    /// Two nodes, times in milliseconds: n2 shows 2, then n1 shows 1 in the
    /// end.
    fn rolled_back() -> History {
        let mut events = Builder::new();
        let ms = 1_000_000;
        let plan = [
            (0, 0, Call::write("x", 1), None),
            (0, 0, Call::write("x", 2), None),
            (1, 1, Call::read("x"), Some(2)),
            (2, 0, Call::read("x"), Some(1)),
        ];
        for (at, (process, node, call, answer)) in (0..).zip(plan) {
            let id = ProcessId(process);
            let event = Event::invoke(id, 10 * at * ms, call).at(NodeId(node));
            events.event(event).expect("idle");
            let value = answer.map_or(Value::Null, Value::Int);
            match process {
                2 => events.ok_final(id, (10 * at + 5) * ms, value).expect("open"),
                _ => events.ok(id, (10 * at + 5) * ms, value).expect("open"),
            };
        }
        events.finish()
    }

    #[test]
    fn every_figure_that_is_not_zero_comes_with_its_worst_case() {
        let history = rolled_back();
        let distance = Distance::of(&history).with_leasts(&history, Budget::default());
        let look = Look { width: 200, ..Look::default() };
        let deeds = Deeds {
            history: &history,
            who: &|process| format!("process {}", process.0),
            place: &|at| format!("line {}", at + 1),
        };
        let text = text(&distance, &deeds, &look);
        let expected = "\
staleness            p50 0 ns · p99 15 ms · max 15 ms · versions p50 0 · p99 1 · max 1 · 1 of 2 reads
                     process 2 read x at n1 at quiescence and saw 1 (line 4); 15 ms before, a newer write had returned: process 0 wrote x=2 at n1 (line 2)
  n1 → n1            p50 15 ms · p99 15 ms · max 15 ms · versions p50 1 · p99 1 · max 1 · 1 of 1 read
least                k = 2 · Δ = 15 ms
convergence          5 ms after the last write; until then process 1 read x at n2 and saw 2 (line 3)
acked writes lost    1
                     process 0 wrote x=2 at n1 (line 2); in the end process 2 read x at n1 at quiescence and saw 1 (line 4)
backward reads       1 (across nodes)
                     process 1 read x at n2 and saw 2 (line 3); 5 ms after that process 2 read x at n1 at quiescence and saw 1 (line 4), which is older
future reads         0
aborted reads        0
thin reads           0
";
        assert_eq!(text, expected);
    }

    #[test]
    fn programs_get_every_figure_and_the_positions_of_the_worst_case() {
        let history = rolled_back();
        let json = json(&Distance::of(&history));
        assert_eq!(json["staleness"]["time"]["max"], 15_000_000);
        assert_eq!(json["lost"]["writes"], json!([1]));
        assert_eq!(json["lost"]["worst"]["read"], 3);
        assert_eq!(json["backward"]["worst"]["later"], 3);
        assert_eq!(json["convergence"]["settled"], "after");
    }

    #[test]
    fn times_are_short() {
        let times = [0, 999, 1_500, 400_000, 18_000_000, 1_540_000_000, 123_456_000_000_000];
        assert_eq!(times.map(time).join(" "), "0 ns 999 ns 1.5 µs 400 µs 18 ms 1.5 s 123,456 s");
    }
}
