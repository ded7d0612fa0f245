//! What is running now, for whoever waits: a line on a terminal, or JSON lines for programs.
//!
//! Invariant: every number is of what runs at this moment, and nothing of it reaches the
//! results. It goes to standard error, at most ten times a second; where that is no terminal,
//! only if it was asked for.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::report::count;
use crate::report::survey::size;

use super::clock;

/// How progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// A line, if standard error is a terminal
    Auto,
    /// JSON lines on standard error
    Json,
    /// Not at all
    Never,
}

/// The shortest time from one line to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// What is running.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// An exhaustive search of a scope.
    Exhaustive {
        /// The scope, in words.
        scope: String,
        /// Distinct states.
        states: u64,
        /// States that wait to be looked at.
        frontier: u64,
        /// Actions to the states that are being looked at.
        depth: u32,
        /// Memory, and how much may be taken; in bytes.
        memory: (u64, u64),
    },
    /// Random runs: how many are done, and how many there will be.
    Random(u64, u64),
    /// A file is read: bytes, and how many it has, if that is known.
    Reading(u64, Option<u64>),
    /// Something without numbers: `judging by causal`.
    Other(String),
}

/// What is running, and of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Now {
    /// The strategy or the recording.
    pub name: String,
    /// What is done with it.
    pub phase: Phase,
    /// How many searches have ended, of how many, if there are several.
    pub ended: Option<(usize, usize)>,
    /// Since when this phase runs.
    pub since: Duration,
}

impl Now {
    /// How much of the phase is done: a number that grows, and where it ends, if that is known.
    fn done(&self) -> Option<(u64, Option<u64>)> {
        match &self.phase {
            Phase::Exhaustive { states, .. } => Some((*states, None)),
            Phase::Random(runs, of) => Some((*runs, Some(*of))),
            Phase::Reading(bytes, of) => Some((*bytes, *of)),
            Phase::Other(_) => None,
        }
    }

    /// How much of it a second; `None` until that can be told.
    fn rate(&self) -> Option<u64> {
        let seconds = self.since.as_secs_f64();
        let (done, _) = self.done()?;
        (seconds >= 0.5).then(|| (done as f64 / seconds) as u64)
    }

    /// How many seconds the phase still takes at this rate.
    fn left(&self) -> Option<u64> {
        let (done, Some(of)) = self.done()? else { return None };
        let rate = self.rate().filter(|rate| *rate > 0)?;
        Some(of.saturating_sub(done).div_ceil(rate))
    }

    /// The line for people.
    fn text(&self) -> String {
        let mut told = match self.ended {
            Some((ended, all)) => format!("{ended} of {all} · {}: ", self.name),
            None => format!("{}: ", self.name),
        };
        told.push_str(&match &self.phase {
            Phase::Exhaustive { scope, states, frontier, depth, memory: (bytes, most) } => format!(
                "{scope} · {} states · frontier {} · depth {depth} · {} of {}",
                count(rounded(*states)),
                count(rounded(*frontier)),
                size(*bytes),
                size(*most)
            ),
            Phase::Random(runs, of) => format!("{} of {} runs", count(*runs), count(*of)),
            Phase::Reading(bytes, Some(of)) => {
                let percent = u128::from(*bytes) * 100 / u128::from((*of).max(1));
                format!("reading {} of {} · {percent} %", size(*bytes), size(*of))
            }
            Phase::Reading(bytes, None) => format!("reading {}", size(*bytes)),
            Phase::Other(what) => what.clone(),
        });
        if let Some(rate) = self.rate() {
            told.push_str(&match &self.phase {
                Phase::Reading(..) => format!(" · {}/s", size(rate)),
                _ => format!(" · {}/s", count(rounded(rate))),
            });
        }
        if let Some(left) = self.left() {
            told.push_str(&match left {
                0..120 => format!(" · {left} s left"),
                _ => format!(" · {} min left", left.div_ceil(60)),
            });
        }
        told
    }

    /// The same for programs.
    fn json(&self) -> Value {
        let (what, mut all) = match &self.phase {
            Phase::Exhaustive { scope, states, frontier, depth, memory: (bytes, most) } => (
                "exhaustive",
                json!({
                    "scope": scope, "states": states, "frontier": frontier, "depth": depth,
                    "bytes": bytes, "bytes_max": most,
                }),
            ),
            Phase::Random(runs, of) => ("random", json!({ "runs": runs, "of": of })),
            Phase::Reading(bytes, of) => ("reading", json!({ "bytes": bytes, "of": of })),
            Phase::Other(said) => ("other", json!({ "said": said })),
        };
        all["phase"] = what.into();
        all["name"] = self.name.as_str().into();
        all["seconds"] = self.since.as_secs().into();
        all["per_second"] = self.rate().into();
        all["seconds_left"] = self.left().into();
        if let Some((ended, searches)) = self.ended {
            all["ended"] = ended.into();
            all["searches"] = searches.into();
        }
        json!({ "progress": all })
    }
}

/// A number with three digits that count.
fn rounded(number: u64) -> u64 {
    let scale = 10_u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(2));
    number / scale * scale
}

/// Where progress goes.
pub struct Progress {
    how: How,
    bar: ProgressBar,
    last: Mutex<Option<Instant>>,
}

impl Progress {
    /// One that tells it so.
    pub fn new(how: How) -> Progress {
        let bar = match how == How::Auto && io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{spinner} {elapsed} · {wide_msg}");
        bar.set_style(style.expect("the template is well-formed"));
        if !bar.is_hidden() {
            bar.enable_steady_tick(PAUSE);
        }
        Progress { how, bar, last: Mutex::new(None) }
    }

    /// Whether nobody is told anything.
    fn is_silent(&self) -> bool {
        self.how != How::Json && self.bar.is_hidden()
    }

    /// Tells what is running, unless it was told a moment ago.
    pub fn tell(&self, now: impl FnOnce() -> Now) {
        if self.is_silent() {
            return;
        }
        let Ok(mut last) = self.last.try_lock() else { return };
        let present = clock::now();
        if last.is_some_and(|last| present.duration_since(last) < PAUSE) {
            return;
        }
        *last = Some(present);
        let now = now();
        match self.how {
            // Whoever reads it may have gone away.
            How::Json => drop(writeln!(io::stderr().lock(), "{}", now.json())),
            _ => self.bar.set_message(now.text()),
        }
    }

    /// Clears the line.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(phase: Phase, seconds: u64) -> Now {
        let since = Duration::from_secs(seconds);
        Now { name: "abd".to_owned(), phase, ended: Some((3, 12)), since }
    }

    #[test]
    fn a_phase_is_told_with_its_own_rate_and_remaining_time() {
        let random = now(Phase::Random(2_000, 100_000), 4);
        assert_eq!(random.text(), "3 of 12 · abd: 2,000 of 100,000 runs · 500/s · 4 min left");
        let all = &random.json()["progress"];
        assert_eq!(all["per_second"], 500);
        assert_eq!(all["seconds_left"], 196);
        let exhaustive = now(
            Phase::Exhaustive {
                scope: "2 writes".to_owned(),
                states: 123_456,
                frontier: 999,
                depth: 7,
                memory: (3_000_000, 2_000_000_000),
            },
            2,
        );
        assert_eq!(
            exhaustive.text(),
            "3 of 12 · abd: 2 writes · 123,000 states · frontier 999 · depth 7 · 3.0 MB of 2.0 \
             GB · 61,700/s"
        );
        assert_eq!(exhaustive.left(), None, "nobody knows how many states there are");
    }

    #[test]
    fn nothing_is_foretold_too_early_or_without_an_end() {
        assert_eq!(now(Phase::Random(1, 100), 0).text(), "3 of 12 · abd: 1 of 100 runs");
        assert_eq!(now(Phase::Random(0, 100), 9).left(), None, "at this rate it never ends");
        assert_eq!(now(Phase::Reading(5_000, None), 5).left(), None);
        let reading = now(Phase::Reading(50_000_000, Some(100_000_000)), 5);
        assert!(reading.text().ends_with("50 % · 10.0 MB/s · 5 s left"), "{}", reading.text());
    }
}
