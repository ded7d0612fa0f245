//! What helps show besides the text of each option: its group, and examples, which are
//! commands of this program with strategies that its registry has.

use clap::{Arg, Command};

use crate::catalogue::Registry;
use crate::catalogue::ladder::ladder;
use crate::hunt::promise::Expected;

use super::files::{DIRECTORY, slug};

/// What an example needs that a registry may lack; without it, the example is left out.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Promises,
    Ladder,
    /// A strategy of one's own, or this one.
    Strategy(&'static str),
    /// A family of one's own with mutants, or this one.
    Mutants(&'static str),
    /// A case of a strategy of one's own, or of this one.
    Case(&'static str),
}

use Needs::{Case, Ladder, Mutants, Nothing, Promises, Strategy};

/// A command, what it needs (which `{}` stands for), and what it is for. `$` is the program.
type Example = (&'static str, Needs, &'static str);

/// The examples of each subcommand.
const EXAMPLES: [(&str, &[Example]); 8] = [
    (
        "check",
        &[
            ("$ check", Promises, "every strategy against what it promises"),
            ("$ check {}", Strategy("notebook:storing"), "one strategy, or a variant of it"),
            ("$ check {} --faults drop=1 --model eventual", Strategy("multi-primary-lww"), ""),
            ("$ check {} --model lin --routing roaming --time 60s", Strategy("abd"), ""),
            (
                "$ check {} --search exhaustive --writes 3 --reads 2 --sessions 2",
                Strategy("async-primary"),
                "",
            ),
            ("$ check --mutants {}", Mutants("abd"), "are its known bugs convicted?"),
            ("$ check --ladder", Ladder, "from the notebook to linearizability"),
        ],
    ),
    (
        "bench",
        &[
            ("$ bench lww-3-8", Nothing, ""),
            ("$ bench lww-3-8 --reduce macro --format json", Nothing, ""),
            ("$ bench abd-3-1-1 --jobs 2", Nothing, ""),
        ],
    ),
    (
        "report",
        &[
            ("$ report {}", Case("notebook:storing"), ""),
            ("$ report history.jsonl -o history.html", Nothing, ""),
            ("$ report cases", Nothing, ""),
            ("$ report history.edn -- --initial 0 --model linearizable", Nothing, ""),
        ],
    ),
    (
        "test",
        &[
            ("$ test", Nothing, ""),
            ("$ test tests/cases --format junit", Nothing, ""),
            ("$ test {}", Case("notebook:storing"), ""),
        ],
    ),
    (
        "review",
        &[("$ review", Nothing, ""), ("$ review --all keep", Nothing, "as regression tests")],
    ),
    (
        "explain",
        &[
            ("$ explain causal", Nothing, ""),
            ("$ explain 'wx1|rx1 rx0 @ 001111'", Nothing, ""),
            (
                "$ explain '[add]s=1 [remove]s=1|[add]s=1|rs=[1]' --datatype set:add-wins",
                Nothing,
                "",
            ),
            ("$ explain causal --against sequential", Nothing, ""),
        ],
    ),
    (
        "verify",
        &[
            ("$ verify history.jsonl", Nothing, ""),
            ("$ verify history.edn.gz --model causal --model linearizable", Nothing, ""),
            ("$ verify history.jsonl --all --format json", Nothing, ""),
            ("$ verify history.edn --initial 0", Nothing, ""),
            ("$ verify 'wx1|rx1 rx0 @ 001111' --model mr", Nothing, ""),
            ("zcat log.gz | $ verify -", Nothing, ""),
            ("$ verify --follow growing.jsonl --time 10m", Nothing, ""),
        ],
    ),
    ("init", &[("$ init", Nothing, "")]),
];

/// The groups of options. What an option is called says what it is for, in every subcommand.
const GROUPS: [(&str, &[&str]); 7] = [
    (
        "What is checked",
        &["models", "all", "datatype", "far", "against", "strategy", "mutants", "ladder"],
    ),
    ("What becomes of cases", &["keep", "drop", "every", "into"]),
    (
        "Where",
        &[
            "nodes",
            "network",
            "faults",
            "inbox",
            "clock",
            "lose_clock",
            "keep_token",
            "routing",
            "sessions",
            "operations",
            "keys",
            "arguments",
            "writes",
            "reads",
            "patient_timers",
        ],
    ),
    (
        "How recordings are read",
        &["initial", "lenient", "strict_time", "time_unit", "columns", "ignored"],
    ),
    (
        "How, and how long",
        &[
            "search", "reduce", "states", "steps", "runs", "deep", "seed", "time", "memory",
            "jobs", "follow", "window", "spill", "duration", "speed",
        ],
    ),
    (
        "Output",
        &[
            "format",
            "to",
            "output",
            "step",
            "until",
            "no_minimise",
            "full",
            "witness",
            "save_counterexample",
            "color",
            "ascii",
            "progress",
        ],
    ),
    ("Settings", &["profile", "config", "no_config"]),
];

/// The options of a command in their groups.
pub fn grouped(command: Command) -> Command {
    let rank = |option: &Arg| {
        let is_in = |(_, options): &(_, &[&str])| options.contains(&option.get_id().as_str());
        GROUPS.iter().position(is_in).filter(|_| !option.is_positional())
    };
    command.mut_args(|option| match rank(&option) {
        Some(rank) => option.help_heading(GROUPS[rank].0),
        None => option,
    })
}

/// The subcommand with its examples at the end of its help, before what is there already.
pub fn told(command: Command, registry: &Registry, program: &str) -> Command {
    let of = EXAMPLES.iter().find(|(name, _)| *name == command.get_name());
    let Some((_, examples)) = of else { return command };
    let possible = examples.iter().filter_map(|(line, needs, about)| {
        let line = line.replace("{}", &needs.met_by(registry)?).replace('$', program);
        Some((line, about))
    });
    let possible: Vec<_> = possible.collect();
    let described = possible.iter().filter(|(_, about)| !about.is_empty());
    let wide = described.map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let lines = possible.iter().map(|(line, about)| format!("{line:wide$}  {about}"));
    let lines: String = lines.map(|line| format!("\n  {}", line.trim_end())).collect();
    let rest = command.get_after_help().map(|rest| format!("\n\n{rest}")).unwrap_or_default();
    command.after_help(format!("Examples:{lines}{rest}"))
}

/// Whether a registry has every rung of the ladder.
pub fn has_ladder(registry: &Registry) -> bool {
    ladder().iter().all(|rung| registry.parse(rung.strategy).is_ok())
}

impl Needs {
    /// What `{}` stands for, if this registry has what is needed.
    fn met_by(self, registry: &Registry) -> Option<String> {
        let nothing = String::new;
        match self {
            Nothing => Some(nothing()),
            Promises => registry.promises().next().map(|_| nothing()),
            Ladder => has_ladder(registry).then(nothing),
            Strategy(like) => {
                let ours = || registry.parse(like).is_ok().then(|| like.to_owned());
                own(registry).or_else(ours)
            }
            Mutants(like) => {
                let mut known = registry.own().chain(registry.family(like));
                known.find(|it| !it.mutants.is_empty()).map(|it| it.name.to_owned())
            }
            Case(like) => {
                let strategy = Strategy(like).met_by(registry)?;
                Some(format!("{DIRECTORY}/{}.json", slug(&format!("{strategy}-eventual"))))
            }
        }
    }
}

/// A strategy that is not of this crate, one that fails if one is known to.
fn own(registry: &Registry) -> Option<String> {
    let mut promises = registry.own().flat_map(|family| &family.promises);
    let fails = promises.find(|it| matches!(it.expected, Expected::Violated(_)));
    let first = || registry.own().next().map(|family| family.name.to_owned());
    fails.map(|promise| promise.strategy.clone()).or_else(first)
}
