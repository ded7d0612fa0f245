//! `bench`: measures an exhaustive search of a named scope.

use clap::Args;
use serde_json::json;

use crate::catalogue::bench::Scope;
use crate::report::{count, json};
use crate::search::exhaustive::{Ending, Exploration, Limits, Plan, Reduce, Tracks, Work};
use crate::world::Workload;

use super::clock;
use super::exit::{Exit, Failure};
use super::interrupts;
use super::progress::{Now, Phase, Progress};
use super::screen::Screen;
use super::values::{self, PlainFormat};

/// Search a named scope and print what it cost
///
/// Scopes: lww-N-P, naive-N-P, first-N-P (one register on N replicas, P writes by
/// two clients; the largest stamp, the last or the first write wins), abd-N-W-R (W
/// writers, R readers; patient timers), backup-N-W-R (one crash), gossip-N-P
/// (multi-primary-lww with one drop and anti-entropy), orset-N-P (P adds and removes
/// in an or-set by a client at each node).
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// The scope
    #[arg(value_name = "NAME")]
    name: String,
    /// Reductions: persistent, macro, symmetry, forget, stale, all or none
    #[arg(long, value_name = "WHAT,…", default_value = "none", value_parser = values::reduce)]
    reduce: Reduce,
    /// The number of threads
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::size)]
    jobs: usize,
    /// The most states
    #[arg(long, value_name = "N", default_value = "100000000")]
    states: u64,
    /// The most memory: 500MB, 4GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = values::memory)]
    memory: u64,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    format: PlainFormat,
}

/// Runs the subcommand.
pub fn run(args: &BenchArgs, screen: &Screen) -> Result<Exit, Failure> {
    let scope = Scope::named(&args.name).ok_or_else(|| {
        Failure::new(format!("there is no scope `{}`", args.name))
            .remedy(format!("scopes are named {}", Scope::names().join(", ")))
    })?;
    interrupts::heed();
    let progress = Progress::new(screen.progress);
    let began = clock::now();
    let plan = Plan {
        work: Work::Scripted(Workload::default()),
        tracks: Tracks::default(),
        reduce: args.reduce,
        limits: Limits { states: args.states, bytes: args.memory },
        lively: 0,
        quieting: 0,
        panics: false,
        patient: false,
        jobs: args.jobs,
        stop: &|seen| {
            progress.tell(|| Now {
                name: args.name.clone(),
                phase: Phase::Exhaustive {
                    scope: "the scope".to_owned(),
                    states: seen.states,
                    frontier: seen.frontier,
                    depth: seen.depth,
                    memory: (seen.bytes, args.memory),
                },
                ended: None,
                since: began.elapsed(),
            });
            interrupts::noted()
        },
    };
    let found = scope.search(&plan).map_err(|refused| Failure::new(refused.to_string()))?;
    let seconds = began.elapsed().as_secs_f64();
    progress.end();
    let (verdict, exit) = match found.ending {
        Ending::Bounded(_) if interrupts::noted() => ("bounded", Exit::Interrupted),
        Ending::Bounded(_) => ("bounded", Exit::Unknown),
        _ if found.found.is_empty() => ("holds", Exit::Holds),
        _ => ("violated", Exit::Violated),
    };
    match args.format {
        PlainFormat::Human => screen.page(&told(args, &found, seconds, verdict)),
        PlainFormat::Json => {
            let length = found.found.first().map(|way| way.stem.len());
            let declined: Vec<_> = found.declined.iter().map(|(name, _)| *name).collect();
            let all = json!({
                "name": args.name,
                "reduce": found.reduce.to_string(),
                "declined": declined,
                "jobs": args.jobs,
                "states": found.states,
                "local_steps": found.local_steps,
                "transitions": found.transitions,
                "depth": found.depth,
                "seconds": seconds,
                "peak_bytes": peak_bytes(),
                "verdict": verdict,
                "length": length,
            });
            screen.print(&json::text(&all));
        }
    }
    Ok(exit)
}

fn told(args: &BenchArgs, found: &Exploration, seconds: f64, verdict: &str) -> String {
    let rate = (found.states as f64 / seconds.max(1e-9)) as u64;
    let peak =
        peak_bytes().map_or("unknown".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
    let plural = if args.jobs == 1 { "" } else { "s" };
    let mut lines = vec![
        format!("{} · reduction {} · {} thread{plural}", args.name, found.reduce, args.jobs),
        format!("states       {}", count(found.states)),
        format!("local steps  {}", count(found.local_steps)),
        format!("transitions  {}", count(found.transitions)),
        format!("depth        {}", found.depth),
        format!("time         {seconds:.3} s, {} states/s", count(rate)),
        format!("peak memory  {peak}"),
    ];
    lines.extend(found.declined.iter().map(|(name, why)| format!("declined     {name}: {why}")));
    let length = found.found.first().map(|way| format!(" in {} actions", way.stem.len()));
    let bound = match found.ending {
        Ending::Bounded(bound) => format!(": {bound} came first"),
        _ => String::new(),
    };
    lines.push(format!("verdict      {verdict}{}{bound}", length.unwrap_or_default()));
    lines.join("\n")
}

/// The peak memory of this process in bytes, where the system reports it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
