//! The module plan as data, and the rules that use it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::cycles::cycles;
use super::names::{End, Names};
use super::source::{Kind, Mention, OddityKind, Path, Tree};
use super::tables::{loops, table_types};

/// The rules, each with the planted violations that it must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Every file belongs to exactly one part of the plan.
    Covered,
    /// A part names only the parts that it may import.
    Arrows,
    /// A part names only the crates that it may use.
    Crates,
    /// A part does not name what the plan forbids it.
    Absences,
    /// There are no import cycles.
    Cycles,
    /// Nothing is iterated in hash order.
    HashOrder,
    /// All code is in the module tree, and every path is written out.
    Written,
    /// Lints are switched off only in known places.
    Suppressions,
    /// A file has at most [`LINES_MAX`] lines and begins by saying what it is
    /// for.
    Shape,
}

/// One place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub rule: Rule,
    pub file: String,
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {:?}: {}", self.file, self.line, self.rule, self.what)
    }
}

/// A part of the plan: the module `at` with everything below it, except what an
/// entry with a longer path covers.
pub struct Part {
    pub at: &'static str,
    /// Modules that it may name, with everything below them.
    pub uses: &'static [&'static str],
    /// Crates that it may name, besides the standard library.
    pub crates: &'static [&'static str],
    /// What it must not name of the standard library.
    pub without: &'static [&'static [&'static str]],
}

/// Files, the network and other processes.
const SURROUNDINGS: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::os",
    "std::process",
    "std::thread::sleep",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
];

/// Time: clocks and durations.
const TIME: &[&str] = &["std::time"];

/// Clocks, but not durations, which may be shown.
const CLOCKS: &[&str] = &["std::time::Instant", "std::time::SystemTime", "std::time::UNIX_EPOCH"];

/// Macros that write to the terminal.
const PRINTING: &[&str] =
    &["std::print!", "std::println!", "std::eprint!", "std::eprintln!", "std::dbg!"];

/// Threads, and means to share data between them.
const THREADS: &[&str] = &["std::sync", "std::thread", "std::thread_local!"];

/// As above, for parts that may share data that never changes.
const THREADS_BUT_ARC: &[&str] = &[
    "std::sync::atomic",
    "std::sync::mpsc",
    "std::sync::Barrier",
    "std::sync::Condvar",
    "std::sync::LazyLock",
    "std::sync::Mutex",
    "std::sync::Once",
    "std::sync::OnceLock",
    "std::sync::RwLock",
    "std::thread",
    "std::thread_local!",
];

/// Tables whose order differs from run to run, and the cause of that.
const CHANCE: &[&str] = &[
    "std::hash::RandomState",
    "std::hash::DefaultHasher",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
];

/// Environment variables: settings that the command line does not show.
const VARIABLES: &[&str] = &[
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::env::vars_os",
    "std::env::set_var",
    "std::env::remove_var",
];

/// What no code that makes decisions may use.
const DECIDES: &[&[&str]] = &[SURROUNDINGS, TIME, PRINTING, THREADS, CHANCE];

/// The plan. A module without an entry is an error, and so is an entry without
/// a module.
pub const PLAN: &[Part] = &[
    Part { at: "main", uses: &["crate"], crates: &[], without: &[] },
    // This entry covers only the root, which names its modules and what it
    // re-exports, and leaves unit tests out where there is loom.
    Part { at: "crate", uses: &["crate"], crates: &["loom", "test"], without: DECIDES },
    Part {
        at: "crate::prelude",
        uses: &[
            "crate::catalogue",
            "crate::history",
            "crate::hunt",
            "crate::judgement",
            "crate::replication",
            "crate::world",
        ],
        crates: &[],
        without: DECIDES,
    },
    Part {
        at: "crate::history",
        uses: &[],
        crates: &["csv", "rustc_hash", "serde", "serde_json", "smol_str", "strsim", "thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::judgement",
        uses: &["crate::history", "crate::judgement"],
        crates: &["rustc_hash", "thiserror"],
        without: DECIDES,
    },
    // Checkers and the oracle share these conversions, so it must not import
    // anything through which they could share more.
    Part { at: "crate::judgement::number", uses: &[], crates: &[], without: DECIDES },
    Part {
        at: "crate::judgement::model",
        uses: &["crate::history"],
        crates: &["thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::judgement::datatype",
        uses: &["crate::history", "crate::judgement::datatype"],
        crates: &["thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::judgement::verdict",
        uses: &[
            "crate::history",
            "crate::judgement::datatype",
            "crate::judgement::model",
            "crate::judgement::verdict",
        ],
        crates: &["thiserror"],
        without: DECIDES,
    },
    // Where a proof says that no order explains a part, it tries every order as
    // the oracle does. It uses no checker.
    Part {
        at: "crate::judgement::verdict::recheck",
        uses: &[
            "crate::history",
            "crate::judgement::datatype",
            "crate::judgement::model",
            "crate::judgement::number",
            "crate::judgement::oracle",
            "crate::judgement::verdict",
        ],
        crates: &["thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::judgement::checker",
        uses: &[
            "crate::history",
            "crate::judgement::datatype",
            "crate::judgement::model",
            "crate::judgement::number",
            "crate::judgement::relation",
            "crate::judgement::verdict",
        ],
        crates: &["hashbrown", "rustc_hash"],
        without: DECIDES,
    },
    Part {
        at: "crate::judgement::oracle",
        uses: &[
            "crate::history",
            "crate::judgement::datatype",
            "crate::judgement::model",
            "crate::judgement::number",
        ],
        crates: &[],
        without: DECIDES,
    },
    Part {
        at: "crate::replication",
        uses: &["crate::history", "crate::replication"],
        crates: &["serde"],
        without: DECIDES,
    },
    // Values of erased types are shared, with Arc and without locks.
    Part {
        at: "crate::replication::erased",
        uses: &["crate::history", "crate::replication"],
        crates: &[],
        without: &[SURROUNDINGS, TIME, PRINTING, THREADS_BUT_ARC, CHANCE],
    },
    // Messages and inputs of cores are shared, too.
    Part {
        at: "crate::replication::foreign",
        uses: &["crate::history", "crate::replication"],
        crates: &[],
        without: &[SURROUNDINGS, TIME, PRINTING, THREADS_BUT_ARC, CHANCE],
    },
    // The library under test may bind its values to their thread, so live cores are
    // kept by threads. No result depends on whether one is found.
    Part {
        at: "crate::replication::foreign::live",
        uses: &[],
        crates: &[],
        without: &[SURROUNDINGS, TIME, PRINTING, CHANCE],
    },
    Part {
        at: "crate::world",
        uses: &["crate::history", "crate::replication"],
        crates: &["rustc_hash", "serde", "smallvec"],
        without: DECIDES,
    },
    Part {
        at: "crate::search",
        uses: &["crate::history", "crate::replication", "crate::world"],
        crates: &["hashbrown", "rustc_hash", "smallvec", "thiserror"],
        without: &[SURROUNDINGS, TIME, PRINTING, CHANCE],
    },
    Part {
        at: "crate::search::random",
        uses: &["crate::history", "crate::replication", "crate::search", "crate::world"],
        crates: &["proptest"],
        without: DECIDES,
    },
    Part {
        at: "crate::threads",
        uses: &["crate::history", "crate::replication", "crate::threads", "crate::world"],
        crates: &["thiserror"],
        without: DECIDES,
    },
    // The only module of `threads` that may name the threads of std or loom.
    Part {
        at: "crate::threads::sync",
        uses: &[],
        crates: &["loom"],
        without: &[SURROUNDINGS, TIME, PRINTING, CHANCE],
    },
    Part {
        at: "crate::hunt",
        uses: &[
            "crate::history",
            "crate::hunt",
            "crate::judgement",
            "crate::replication",
            "crate::search",
            "crate::threads",
            "crate::world",
        ],
        crates: &["serde", "serde_json", "thiserror"],
        without: &[SURROUNDINGS, TIME, PRINTING, CHANCE],
    },
    Part {
        at: "crate::catalogue",
        uses: &[
            "crate::catalogue",
            "crate::history",
            "crate::hunt",
            "crate::judgement",
            "crate::replication",
            "crate::search",
            "crate::world",
        ],
        crates: &["thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::hunt::random",
        uses: &[
            "crate::hunt",
            "crate::judgement",
            "crate::replication",
            "crate::search",
            "crate::world",
        ],
        crates: &["proptest"],
        without: DECIDES,
    },
    Part {
        at: "crate::report",
        uses: &[
            "crate::catalogue",
            "crate::history",
            "crate::hunt",
            "crate::judgement",
            "crate::replication",
            "crate::search",
            "crate::world",
        ],
        crates: &["rustc_hash", "serde_json", "unicode_width"],
        without: &[SURROUNDINGS, CLOCKS, PRINTING, THREADS, CHANCE],
    },
    Part {
        at: "crate::report::page",
        uses: &[
            "crate::history",
            "crate::hunt",
            "crate::judgement",
            "crate::report",
            "crate::world",
        ],
        crates: &["maud", "serde_json"],
        without: &[SURROUNDINGS, CLOCKS, PRINTING, THREADS, CHANCE],
    },
    Part {
        at: "crate::cli",
        uses: &["crate"],
        crates: &[
            "anstream",
            "clap",
            "clap_complete",
            "clap_mangen",
            "flate2",
            "indicatif",
            "ruzstd",
            "serde_json",
            "signal_hook",
            "tempfile",
            "terminal_size",
        ],
        without: &[PRINTING, VARIABLES],
    },
    // What a variable says becomes a word of the command line, which shows it.
    Part {
        at: "crate::cli::config",
        uses: &["crate::cli", "crate::history"],
        crates: &["clap", "toml_span"],
        without: &[PRINTING],
    },
];

/// What a part must not name although it may name the modules around it: the
/// code that finds evidence does not know the code that replays it.
const NEVER: &[(&str, &str)] =
    &[("crate::judgement::checker", "crate::judgement::verdict::recheck")];

/// Modules that re-export what others must not name directly.
const DOORS: &[&str] = &["crate::threads::sync"];

/// Files that may switch a lint off, with a reason each time.
const SUPPRESSIONS: &[&str] = &["src/cli/clock.rs", "src/world/fault.rs"];

/// Tables that are iterated where the order makes no difference: the file, and
/// the name of the table.
const LOOPS: &[(&str, &str)] = &[
    // The same thing is done to every register.
    ("src/judgement/live/mod.rs", "registers"),
];

/// The most lines that a file may have.
pub const LINES_MAX: usize = 700;

/// `a::b` as a list of names.
pub fn path(text: &str) -> Path {
    text.split("::").map(str::to_owned).collect()
}

/// A list of names as `a::b`.
pub fn text(path: &[String]) -> String {
    path.join("::")
}

/// The entries that could cover a module, the longest last. The entry of the
/// root covers only the root: a new module below it needs an entry of its own.
fn covering<'p>(plan: &'p [Part], module: &[String]) -> Vec<&'p Part> {
    let covers = |part: &&Part| {
        let at = path(part.at);
        if at.len() == 1 { at == module } else { module.starts_with(&at) }
    };
    let mut found: Vec<&Part> = plan.iter().filter(covers).collect();
    found.sort_by_key(|part| path(part.at).len());
    found
}

/// The entry with the longest path, if there is only one.
fn part_of<'p>(plan: &'p [Part], module: &[String]) -> Option<&'p Part> {
    let found = covering(plan, module);
    match found.as_slice() {
        [] => None,
        [.., one, other] if one.at == other.at => None,
        [.., part] => Some(part),
    }
}

/// Whether a part may name a module.
fn may_name(plan: &[Part], part: &Part, module: &[String]) -> bool {
    let below = |at: &str| module.starts_with(&path(at));
    if NEVER.iter().any(|(at, never)| *at == part.at && below(never)) {
        return false;
    }
    let own = part_of(plan, module).is_some_and(|of| of.at == part.at);
    own || part.uses.iter().any(|uses| below(uses))
}

/// Whether naming `named` gives access to `banned`: by a path that begins with
/// it, or by a glob of a module that contains it.
fn brings(named: &[String], kind: Kind, banned: &str) -> bool {
    let banned = path(banned);
    named.starts_with(&banned) || kind == Kind::Glob && banned.starts_with(named)
}

/// Every violation in these sources, sorted, each once for each file.
pub fn violations(tree: &Tree, crates: &BTreeSet<String>) -> Vec<Violation> {
    let mut found = Found { tree, first: BTreeMap::new() };
    for number in 0..tree.files.len() {
        shape(&mut found, number);
    }
    oddities(&mut found);
    let types = table_types(&tree.files);
    for (number, file) in tree.files.iter().enumerate().filter(|(_, file)| !file.is_test) {
        for (line, name) in loops(file, &types) {
            if LOOPS.contains(&(&*file.name, &*name)) {
                continue;
            }
            found.add(Rule::HashOrder, number, line, format!("a loop over the table `{name}`"));
        }
    }
    let names = Names::new(tree, crates);
    for mention in &tree.mentions {
        mentioned(&mut found, &names, mention);
    }
    for cycle in cycles(tree, &names) {
        let Some(&scope) = tree.modules.get(&path(&cycle.at)) else { continue };
        found.add(Rule::Cycles, tree.scopes[scope].file, 1, cycle.to_string());
    }
    let found = found.first.into_iter();
    found.map(|((rule, file, what), line)| Violation { rule, file, line, what }).collect()
}

/// The violations found so far, each with its first line.
struct Found<'t> {
    tree: &'t Tree,
    first: BTreeMap<(Rule, String, String), usize>,
}

impl Found<'_> {
    fn add(&mut self, rule: Rule, file: usize, line: usize, what: String) {
        let file = self.tree.files[file].name.clone();
        let first = self.first.entry((rule, file, what)).or_insert(line);
        *first = line.min(*first);
    }
}

fn shape(found: &mut Found<'_>, number: usize) {
    let file = &found.tree.files[number];
    if part_of(PLAN, &file.module).is_none() {
        found.add(Rule::Covered, number, 1, format!("no single line for {}", text(&file.module)));
    }
    if !file.text.starts_with("//! ") {
        found.add(Rule::Shape, number, 1, "begins without saying what it is for".into());
    }
    if file.text.lines().count() > LINES_MAX {
        found.add(Rule::Shape, number, LINES_MAX, format!("has more than {LINES_MAX} lines"));
    }
}

fn oddities(found: &mut Found<'_>) {
    for oddity in &found.tree.oddities {
        let (rule, what) = match oddity.kind {
            OddityKind::Included => (Rule::Written, "code from a place that no module tells"),
            OddityKind::MacroRules => (Rule::Written, "a macro whose paths are not written"),
            OddityKind::Suppression => (Rule::Suppressions, "a lint switched off"),
        };
        let known = SUPPRESSIONS.contains(&found.tree.files[oddity.file].name.as_str());
        if rule != Rule::Suppressions || !known {
            found.add(rule, oddity.file, oddity.line, what.into());
        }
    }
}

/// Checks one path against the entry for the module where it occurs.
fn mentioned(found: &mut Found<'_>, names: &Names<'_>, mention: &Mention) {
    let scope = &found.tree.scopes[mention.scope];
    let Some(part) = part_of(PLAN, &scope.module) else { return };
    let mut add = |rule, what| found.add(rule, scope.file, mention.line, what);
    let led = names.follow(mention);
    let door = |module: &Path| DOORS.iter().any(|door| *module == path(door));
    let by_a_door = led.through.iter().any(door) && !door(&scope.module);
    // A path goes through the modules around it without using their items.
    let around = |module: &&Path| scope.module.starts_with(module);
    let mut named: BTreeSet<&Path> = led.through.iter().filter(|m| !around(m)).collect();
    for end in &led.ends {
        match end {
            End::Inside { module, item } => {
                if item.is_some() || !around(&module) {
                    named.insert(module);
                }
            }
            End::Outside(_) if by_a_door => {}
            End::Outside(path) if path[0] == "std" => {
                let banned = part.without.iter().copied().flatten();
                for banned in banned.filter(|banned| brings(path, mention.kind, banned)) {
                    add(Rule::Absences, format!("{} names {banned}", part.at));
                }
            }
            End::Outside(path) => {
                let name = path[0].trim_end_matches('!');
                if !part.crates.contains(&name) {
                    add(Rule::Crates, format!("{} names the crate {name}", part.at));
                }
            }
        }
    }
    for module in named.into_iter().filter(|module| !may_name(PLAN, part, module)) {
        add(Rule::Arrows, format!("{} names {}", part.at, text(module)));
    }
}
