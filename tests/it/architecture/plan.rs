//! The house plan as data, and the rules that read it.

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
    /// A part does not name what the plan keeps from it.
    Absences,
    /// There are no import cycles.
    Cycles,
    /// Nothing is iterated in hash order.
    HashOrder,
    /// All code is in the module tree, and every path is written out.
    Written,
    /// Lints are switched off nowhere but in known places.
    Suppressions,
    /// A file has at most [`LINES_MAX`] lines and says first what it is for.
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

/// A part of the house: the module `at` with everything below it that no
/// longer line covers.
pub struct Part {
    pub at: &'static str,
    /// Modules that it may name, with everything below them.
    pub uses: &'static [&'static str],
    /// Crates that it may name, besides the standard library.
    pub crates: &'static [&'static str],
    /// What of the standard library it must not name.
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

/// Time, and how long something takes.
const TIME: &[&str] = &["std::time"];

/// Time, but not how long something took, which may be shown.
const CLOCKS: &[&str] = &["std::time::Instant", "std::time::SystemTime", "std::time::UNIX_EPOCH"];

/// Macros that write to the terminal.
const PRINTING: &[&str] =
    &["std::print!", "std::println!", "std::eprint!", "std::eprintln!", "std::dbg!"];

/// Threads, and what they share.
const THREADS: &[&str] = &["std::sync", "std::thread", "std::thread_local!"];

/// As above, for those that may share what never changes.
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

/// Tables whose order differs from run to run, and what makes it differ.
const CHANCE: &[&str] = &[
    "std::hash::RandomState",
    "std::hash::DefaultHasher",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
];

/// Settings that nobody sees on the command line.
const VARIABLES: &[&str] = &[
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::env::vars_os",
    "std::env::set_var",
    "std::env::remove_var",
];

/// What nothing that decides may know.
const DECIDES: &[&[&str]] = &[SURROUNDINGS, TIME, PRINTING, THREADS, CHANCE];

/// The plan. A module without a line is an error, and so is a line without a
/// module.
pub const PLAN: &[Part] = &[
    Part { at: "main", uses: &["crate"], crates: &[], without: &[] },
    // The root names its modules and what it re-exports; it is covered alone.
    Part { at: "crate", uses: &["crate"], crates: &[], without: DECIDES },
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
        crates: &["rustc_hash", "serde", "serde_json", "smol_str", "thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::judgement",
        uses: &["crate::history", "crate::judgement"],
        crates: &["rustc_hash", "thiserror"],
        without: DECIDES,
    },
    // Checkers and the oracle share these conversions, and so nothing else may
    // come in by them.
    Part { at: "crate::judgement::number", uses: &[], crates: &[], without: DECIDES },
    Part {
        at: "crate::judgement::model",
        uses: &["crate::history"],
        crates: &["strsim", "thiserror"],
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
    // It tries every order, as the oracle does, where a proof says that none
    // explains a part; no checker has a part in that.
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
    // Values whose types are forgotten are shared, with Arc and no lock.
    Part {
        at: "crate::replication::erased",
        uses: &["crate::history", "crate::replication"],
        crates: &[],
        without: &[SURROUNDINGS, TIME, PRINTING, THREADS_BUT_ARC, CHANCE],
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
    // The only door to threads.
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
        crates: &["strsim", "thiserror"],
        without: DECIDES,
    },
    Part {
        at: "crate::hunt::random",
        uses: &["crate::hunt", "crate::replication", "crate::search", "crate::world"],
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
            "strsim",
            "tempfile",
            "terminal_size",
        ],
        without: &[PRINTING, VARIABLES],
    },
];

/// What is not allowed to a part although it may use what lies around: who
/// finds evidence does not know the code that replays it.
const NEVER: &[(&str, &str)] =
    &[("crate::judgement::checker", "crate::judgement::verdict::recheck")];

/// Modules that re-export what others must not name themselves.
const DOORS: &[&str] = &["crate::threads::sync"];

/// Files that may switch a lint off, each time with a reason.
const SUPPRESSIONS: &[&str] = &["src/cli/clock.rs", "src/world/fault.rs"];

/// Tables that are iterated where the order makes no difference: the file, and
/// the name of the table.
const LOOPS: &[(&str, &str)] = &[
    // Every register gives up.
    ("src/judgement/live/mod.rs", "registers"),
];

/// The most lines that a file may have.
pub const LINES_MAX: usize = 700;

/// `a::b` as names.
pub fn path(text: &str) -> Path {
    text.split("::").map(str::to_owned).collect()
}

/// As it is written.
pub fn text(path: &[String]) -> String {
    path.join("::")
}

/// The lines that could cover a module, the longest last. The root's covers
/// only the root: a new module below it needs a line of its own.
fn covering<'p>(plan: &'p [Part], module: &[String]) -> Vec<&'p Part> {
    let covers = |part: &&Part| {
        let at = path(part.at);
        if at.len() == 1 { at == module } else { module.starts_with(&at) }
    };
    let mut found: Vec<&Part> = plan.iter().filter(covers).collect();
    found.sort_by_key(|part| path(part.at).len());
    found
}

/// The only line with the longest prefix.
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

/// Whether naming `named` brings in `banned`: by a path that begins with it,
/// or by a glob that opens what has it.
fn brings(named: &[String], kind: Kind, banned: &str) -> bool {
    let banned = path(banned);
    named.starts_with(&banned) || kind == Kind::Glob && banned.starts_with(named)
}

/// Every violation in these sources, sorted, each once a file.
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

/// What has been found, with the first line of each.
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

/// Holds one path against the line of the plan for where it stands.
fn mentioned(found: &mut Found<'_>, names: &Names<'_>, mention: &Mention) {
    let scope = &found.tree.scopes[mention.scope];
    let Some(part) = part_of(PLAN, &scope.module) else { return };
    let mut add = |rule, what| found.add(rule, scope.file, mention.line, what);
    let led = names.follow(mention);
    let door = |module: &Path| DOORS.iter().any(|door| *module == path(door));
    let by_a_door = led.through.iter().any(door) && !door(&scope.module);
    // A path goes through the modules around it without naming what they have.
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
