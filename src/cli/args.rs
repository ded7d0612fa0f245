//! The options of `check` and `verify`.
//!
//! They are not in the files of these commands, because the code that plans and
//! carries out the commands imports them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::history::Value;
use crate::hunt::property::Property;
use crate::judgement::{Budget, Model};
use crate::search::exhaustive::{Limits as SearchLimits, Reduce};
use crate::world::Faults;

use super::reading::ReadArgs;
use super::values::{self, Format, InboxArg, NetworkArg, RoutingArg, SearchArg};

/// Search for a failing history; without a strategy, check every promise
///
/// First searches every run in a small scope, then random runs in a larger one.
/// A property that no run of the small scope violates is proved for that scope;
/// one that only random runs were searched for is sampled. Run k of seed S is
/// always the same run, so a seed finds the same violations again. A failing run
/// is shrunk, saved in cases/, and can be replayed.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// NAME, NAME:VARIANT or NAME:parameter=value,…
    #[arg(value_name = "STRATEGY")]
    pub strategies: Vec<String>,
    /// Judge by this model (can be given several times)
    #[arg(long = "model", short, value_name = "MODEL", value_parser = values::property)]
    pub models: Vec<Property>,
    /// What the operations mean: counter, set:add-wins, … [default: what the strategy says]
    #[arg(long, value_name = "DATATYPE", value_parser = values::datatype)]
    pub datatype: Option<values::Said>,
    /// Among how many elements of a set, or amounts of a counter, clients choose
    #[arg(long, value_name = "N", default_value = "2", value_parser = values::size)]
    pub arguments: usize,
    /// The number of nodes
    #[arg(long, value_name = "N", value_parser = values::nodes)]
    pub nodes: Option<u16>,
    /// The order in which the network delivers messages
    #[arg(long, value_enum)]
    pub network: Option<NetworkArg>,
    /// Which faults may happen, and how often in a run: drop=1,crash=1 or none
    #[arg(long, value_name = "KIND=N,…", value_parser = values::faults)]
    pub faults: Option<Faults>,
    /// What a crash does to messages that wait at the node
    #[arg(long, value_enum)]
    pub inbox: Option<InboxArg>,
    /// How far the clock of each node is off, from the first: 1,0,-1 (in units longer than a run).
    /// If timers have deadlines: bounded=1 or free, how many ticks clocks may be apart, and offsets in ticks
    #[arg(long, value_name = "OFFSET,…", value_parser = values::clocks, allow_hyphen_values = true)]
    pub clock: Option<values::Clocks>,
    /// If timers have deadlines: a crash sets the clock of its node back to where it began
    #[arg(long)]
    pub lose_clock: bool,
    /// Clients that go on after an unknown outcome keep their tokens
    #[arg(long)]
    pub keep_token: bool,
    /// How sessions choose nodes
    #[arg(long, value_enum)]
    pub routing: Option<RoutingArg>,
    /// Which searches to run
    #[arg(long, value_enum, default_value = "both")]
    pub search: SearchArg,
    /// The number of writes of all sessions in an exhaustive search [default: growing scopes]
    #[arg(long, value_name = "N", value_parser = values::amount)]
    pub writes: Option<usize>,
    /// The number of reads of all sessions in an exhaustive search [default: growing scopes]
    #[arg(long, value_name = "N", value_parser = values::amount)]
    pub reads: Option<usize>,
    /// In an exhaustive search, fire timers only when nothing is in flight
    #[arg(long)]
    pub patient_timers: bool,
    /// Reductions of an exhaustive search: persistent, macro, symmetry, forget, stale, all or none
    #[arg(long, value_name = "WHAT,…", default_value = "all", value_parser = values::reduce)]
    pub reduce: Reduce,
    /// The most states of an exhaustive search [default: 2000000]
    #[arg(long, value_name = "N")]
    pub states: Option<u64>,
    /// The most memory of an exhaustive search: 500MB, 4GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = values::memory)]
    pub memory: u64,
    /// The most sessions of a run [default: 3]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub sessions: Option<usize>,
    /// The most operations of a session [default: 4]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub operations: Option<usize>,
    /// The number of keys [default: 2]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub keys: Option<usize>,
    /// The number of random runs of each search [default: 2000]
    #[arg(long, alias = "cases", value_name = "N")]
    pub runs: Option<u64>,
    /// Search longer: 100,000 runs and 20,000,000 states each
    #[arg(long, conflicts_with = "runs")]
    pub deep: bool,
    /// The seed of random runs: 42 or 0x5eed [default: new each time; fixed without STRATEGY]
    #[arg(long, value_name = "SEED", value_parser = values::seed)]
    pub seed: Option<u64>,
    /// Stop after this time (500ms, 60s, 2m), which all searches share; random runs that are
    /// cut short are unknown, exit code 3, and a scope that is cut short is not proved
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub time: Option<Duration>,
    /// How many searches run at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = values::size)]
    pub jobs: Option<usize>,
    /// Examine the tool: is every known bug convicted, and nothing accused that is without it?
    #[arg(long, conflicts_with_all = DECIDED)]
    pub mutants: bool,
    /// Strategies as a ladder: on each rung one mistake is repaired and one promise gained
    #[arg(long, conflicts_with_all = DECIDED, conflicts_with_all = ["strategies", "mutants"])]
    pub ladder: bool,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// What `--mutants` and `--ladder` decide themselves: where is searched, and what is judged.
const DECIDED: [&str; 18] = [
    "models",
    "datatype",
    "arguments",
    "nodes",
    "network",
    "faults",
    "inbox",
    "clock",
    "lose_clock",
    "keep_token",
    "routing",
    "search",
    "writes",
    "reads",
    "patient_timers",
    "sessions",
    "operations",
    "keys",
];

/// The most states of each search of the exam, unless the promise says more: most bugs show
/// within a few thousand.
const EXAM_STATES: u64 = 50_000;

impl CheckArgs {
    /// How many random runs each search does.
    pub fn runs(&self) -> u64 {
        self.runs.unwrap_or(if self.deep { 100_000 } else { 2_000 })
    }

    /// The limits of one exhaustive search.
    pub fn limits(&self) -> SearchLimits {
        let usual = match (self.deep, self.mutants) {
            (true, _) => 20_000_000,
            (false, true) => EXAM_STATES,
            (false, false) => 2_000_000,
        };
        let states = self.states.unwrap_or(usual);
        SearchLimits { states, bytes: self.memory }
    }

    /// The searches to run, in words.
    pub fn searches(&self) -> &'static str {
        match self.search {
            SearchArg::Exhaustive => "exhaustive",
            SearchArg::Random => "random",
            SearchArg::Both => "exhaustive, then random",
        }
    }

    /// Whether promises are checked and no strategy was named.
    pub fn bare(&self) -> bool {
        self.strategies.is_empty()
    }
}

/// Judge recorded histories by consistency models
///
/// Reads JSON event or operation lines, arrays and tables, Jepsen's EDN and logs, plain
/// or compressed by gzip or zstd; the format is recognised by the content. Without
/// --model and --all it judges eventual consistency, the session guarantees,
/// causal consistency and linearizability, as far as they say something about what was
/// recorded. A violation is told with the lines that show it; a verdict that follows from
/// another says from which. A history can also be typed, on one line (docs/histories.md):
/// `explain` says what it means.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit: 1 if a model is violated, else 3 if one is unknown; with --all 0 if every
model is decided, else 3; 2 if a file is malformed; 4 if no answer could be wrong."
)]
pub struct VerifyArgs {
    /// Recorded histories; `-` is standard input; or histories on one line, like 'wx1|rx1 rx0'
    #[arg(required = true, value_name = "HISTORY", value_hint = ValueHint::AnyPath)]
    pub histories: Vec<String>,
    /// Judge by this model (can be given several times)
    #[arg(long = "model", short, value_name = "MODEL", value_parser = values::model, conflicts_with = "all")]
    pub models: Vec<Model>,
    /// Judge by every model, and find the least k and Δ
    #[arg(long)]
    pub all: bool,
    /// What the operations mean: set:add-wins, counter, … (`explain set:add-wins`), also for
    /// single keys: `counter,cart=set:add-wins` [default: the first of register, set, counter,
    /// queue and text that knows them all, or all of a key]
    #[arg(long, value_name = "DATATYPE", value_parser = values::meaning)]
    pub datatype: Option<values::Meaning>,
    /// The initial value of every object, as JSON [default: null in a register, 0 in a
    /// counter; sets, queues and texts are empty, a lock is free, a semaphore has 1 permit]
    #[arg(long, value_name = "VALUE", value_parser = value, allow_negative_numbers = true)]
    pub initial: Option<Value>,
    #[command(flatten)]
    pub read: ReadArgs,
    /// The most search steps of each verdict
    #[arg(long, value_name = "N", default_value_t = Budget::default().steps)]
    pub steps: u64,
    /// Judge for about this time (100ms, 60s, 10m): repeat unknown verdicts with larger budgets,
    /// and stop when the time is up
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub time: Option<Duration>,
    /// Print counterexamples as they were found, without minimising them
    #[arg(long)]
    pub no_minimise: bool,
    /// Print every step of every counterexample
    #[arg(long)]
    pub full: bool,
    /// Print why models hold: the orders that explain all answers
    #[arg(long)]
    pub witness: bool,
    /// Write the operations that show the first violation to a recording of its own, as JSON
    /// event lines, which judges the same
    #[arg(long, value_name = "FILE")]
    pub save_counterexample: Option<PathBuf>,
    /// Measure how far the recording is from a single copy: staleness, lost writes, …
    #[arg(long)]
    pub far: bool,
    /// Judge event lines while they are written, and stop at the first violation
    #[arg(long, conflicts_with_all = WHOLE)]
    pub follow: bool,
    /// Judge a recording that is larger than memory, key by key, by way of files in this directory
    /// [default model: linearizable]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["all", "far", "witness"])]
    pub spill: Option<PathBuf>,
    /// How many operations --follow keeps in memory
    #[arg(long, value_name = "N", default_value_t = 100_000, requires = "follow", conflicts_with_all = WHOLE)]
    pub window: usize,
    /// The most memory for a recording: 500MB, 4GiB [default: 80 % of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    pub memory: Option<u64>,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// What means nothing while a recording grows. (Beside what excludes `--follow`, an option that
/// requires it would be let through.)
const WHOLE: [&str; 9] = [
    "all",
    "far",
    "full",
    "no_minimise",
    "memory",
    "datatype",
    "witness",
    "save_counterexample",
    "spill",
];

impl VerifyArgs {
    /// The models to judge while a recording grows.
    pub fn live_models(&self) -> Vec<Model> {
        let named = |name: &str| name.parse().expect("the model exists");
        match self.models.is_empty() {
            true => ["ryw", "mr", "mr_mw", "mr_wfr", "linearizable"].map(named).to_vec(),
            false => self.models.clone(),
        }
    }

    /// Whether distances are measured: with `--far` or `--all`, or if no model
    /// was named.
    pub fn measures(&self) -> bool {
        self.far || self.all || self.models.is_empty()
    }

    /// The models to judge when the recording is complete.
    pub fn models(&self) -> Vec<Model> {
        let named = |name: &str| name.parse().expect("the model exists");
        match (self.all, self.models.is_empty()) {
            (true, _) => Model::all().collect(),
            (false, false) => self.models.clone(),
            (false, true) => {
                ["eventual", "eventual-rt", "ryw", "mr", "mr_mw", "mr_wfr", "ccv", "linearizable"]
                    .map(named)
                    .to_vec()
            }
        }
    }
}

/// Parses a value written as JSON.
fn value(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|_| {
        "a value is JSON: null, an integer, a text between quotes, or a list of values".to_owned()
    })
}
