//! The tables of strategies, promises and datatypes are made from the catalogue,
//! from what `check` finds, and from what `explain` says. In a document they are between `<!-- catalogue: … -->`
//! and `<!-- end -->`.
//!
//! `SNAPSHOTS=overwrite cargo test --test it docs::tables` writes them.

use std::collections::BTreeMap;

use quiescence::catalogue::{Family, Registry, TABLE};
use quiescence::hunt::promise::{Expected, Promise};
use quiescence::judgement::datatype::DESCRIBED;
use quiescence::report::table::setting_text;
use quiescence::report::verdict::property_name;
use quiescence::world::Setting;

use super::all_promises;
use crate::documents::{check_region, head, read, root, row};
use crate::support::case_file;

/// `FIFO, 1 crash, sticky`. Leaves out three nodes and no faults, the defaults.
fn place(setting: &Setting) -> String {
    let text = setting_text(setting);
    let parts = text.split(", ");
    let part = |part: &str| {
        let part = part.trim_end_matches(" network").trim_end_matches(" sessions");
        let part = part.trim_start_matches("faults ");
        match part.split_once(' ') {
            Some((kind, number)) if number.parse::<u16>().is_ok() => format!("{number} {kind}"),
            _ => part.to_owned(),
        }
    };
    let told = parts.filter(|part| !["no faults", "3 nodes"].contains(part)).map(part);
    told.collect::<Vec<_>>().join(", ")
}

/// Promises, grouped by strategy and setting, in the order in which each first occurs.
fn groups<'p>(promises: impl IntoIterator<Item = &'p Promise>) -> Vec<Vec<&'p Promise>> {
    let mut groups: Vec<Vec<&Promise>> = Vec::new();
    for row in promises {
        let same = |group: &&mut Vec<&Promise>| {
            group[0].strategy == row.strategy && group[0].setting == row.setting
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// Whether a family has its table among those of replicated datatypes.
fn converges(family: &Family) -> bool {
    let begin = format!("<!-- catalogue: {} -->", family.name);
    read(&root().join("docs/crdts.md")).lines().any(|line| line == begin)
}

/// The lines for one family.
fn of_family(family: &Family) -> Vec<String> {
    let mut lines = Vec::new();
    if !family.parameters.is_empty() {
        lines.extend(head(&["parameter", "values", "meaning"]));
    }
    for parameter in &family.parameters {
        let value = |value: &&str| match parameter.default {
            Some(default) if default == *value => format!("`{value}` (default)"),
            _ => format!("`{value}`"),
        };
        let values = parameter.values.iter().map(value).collect::<Vec<_>>().join(", ");
        let all = if parameter.default.is_none() { "; without one, all are checked" } else { "" };
        let about = format!("{}{all}", parameter.about);
        lines.push(row(&[format!("`{}`", parameter.name), values, about]));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.extend(head(&["promised of", "where", "holds", "is violated"]));
    for group in groups(&family.promises) {
        let (mut holds, mut violated) = (Vec::new(), Vec::new());
        for promise in &group {
            let name = property_name(&promise.property);
            match promise.expected {
                Expected::Holds => holds.push(name),
                Expected::Violated(flaw) => violated.push(format!("{name} ({flaw})")),
            }
        }
        let strategy = format!("`{}`", group[0].strategy);
        let place = place(&group[0].setting);
        lines.push(row(&[strategy, place, holds.join(", "), violated.join(", ")]));
    }
    if !family.mutants.is_empty() {
        lines.push(String::new());
        lines.extend(head(&["variant", "its bug"]));
    }
    for mutant in &family.mutants {
        lines.push(row(&[format!("`{}`", mutant.strategy), mutant.bug.title.to_owned()]));
    }
    if !family.sources.is_empty() {
        lines.extend([String::new(), format!("Source: {}.", family.sources)]);
    }
    lines
}

#[test]
fn the_tables_of_strategies_are_those_of_the_catalogue() {
    for family in Registry::standard().families() {
        let document = if converges(family) { "docs/crdts.md" } else { "docs/strategies.md" };
        check_region(document, family.name, &of_family(family));
    }
}

#[test]
fn the_table_of_replicated_datatypes_is_what_explain_says() {
    let mut lines = head(&["datatype", "operations", "a read answers"]).to_vec();
    for one in DESCRIBED.iter().filter(|one| !one.formula.is_empty()) {
        let operations = one.operations.trim_start_matches("read · ");
        lines.push(row(&[
            format!("`{}`", one.names[0]),
            operations.to_owned(),
            one.about.to_owned(),
        ]));
    }
    check_region("docs/spec.md", "datatypes", &lines);
}

/// What `check` found for every promise, by the heading above it (a strategy
/// and its setting) and by model.
fn promises() -> Found {
    let (lines, exit) = all_promises();
    assert_eq!(*exit, 0, "{}", lines.join("\n"));
    let mut found = BTreeMap::new();
    let mut here = "";
    for line in lines {
        if line.contains(" · ") && !line.starts_with(' ') {
            here = line;
        } else if let Some((promise, what)) = line.split_once(" found ") {
            let model = promise.split_whitespace().nth(1).expect("a mark, then a model");
            found.insert((here.to_owned(), model.to_owned()), verdict(what.trim()));
        }
    }
    found
}

/// `proved 2·2·1`, from `proved: 2 sessions, 2 writes, 1 read, 1 key (9 states)`.
fn verdict(found: &str) -> String {
    // The table does not show why larger scopes are not proved.
    let found = found.split("; not proved: ").next().unwrap_or_default();
    let Some(scopes) = found.strip_prefix("proved: ") else {
        return if found.ends_with("(sampled)") { "sampled" } else { "violated" }.to_owned();
    };
    let scope = |scope: &str| {
        // What clients choose among stands between brackets.
        let (begin, end) = (scope.find('('), scope.find("), "));
        let scope = match (begin, end) {
            (Some(begin), Some(end)) => format!("{}{}", &scope[..begin], &scope[end + 1..]),
            _ => scope.to_owned(),
        };
        let numbers: Vec<_> = scope.split(", ").map(|part| &part[..1]).take(3).collect();
        let patient = if scope.contains("patient") { " patient" } else { "" };
        format!("{}{patient}", numbers.join("·"))
    };
    format!("proved {}", scopes.split("; ").map(scope).collect::<Vec<_>>().join("; "))
}

/// What `check` found, by heading and property.
type Found = BTreeMap<(String, String), String>;

/// A table of what `check` found: one line for each strategy and setting, one column for each
/// of these properties. If it is the whole table it has a column for all others and leads to
/// the cases. Also says how many promises it tells.
fn table<'p>(
    promises: impl IntoIterator<Item = &'p Promise>,
    properties: &[&str],
    whole: bool,
    found: &Found,
) -> (Vec<String>, usize) {
    let others: &[&str] = if whole { &["others"] } else { &[] };
    let mut lines = head(&[&["strategy", "where"], properties, others].concat()).to_vec();
    let mut told = 0;
    for group in groups(promises) {
        let here = format!("{} · {}", group[0].strategy, setting_text(&group[0].setting));
        let cell = |row: &&Promise| {
            let name = property_name(&row.property);
            let what = found.get(&(here.clone(), name.clone())).expect("every promise is checked");
            let of_case = || format!("[{what}](../tests/cases/v1/{})", case_file(row));
            (name, if whole && what == "violated" { of_case() } else { what.clone() })
        };
        let mut cells: BTreeMap<String, String> = group.iter().map(cell).collect();
        let taken: Vec<_> = properties.iter().map(|one| cells.remove(*one)).collect();
        told += taken.iter().flatten().count();
        let mut line = vec![format!("`{}`", group[0].strategy), place(&group[0].setting)];
        if whole {
            told += cells.len();
            let rest: Vec<_> = cells.iter().map(|(name, what)| format!("{name} {what}")).collect();
            line.extend(taken.into_iter().map(Option::unwrap_or_default));
            line.push(rest.join(", "));
            lines.push(row(&line));
        } else if taken.iter().any(Option::is_some) {
            line.extend(taken.into_iter().map(Option::unwrap_or_default));
            lines.push(row(&line));
        }
    }
    (lines, told)
}

/// The columns of the table of replicated datatypes.
const OF_DATATYPES: [&str; 5] =
    ["eventual", "ccv_ev", "strong-convergence", "durable", "available"];

/// The columns of the table in README, which leaves variants out.
const SHORT: [&str; 6] =
    ["eventual", "read-your-writes", "monotonic-reads", "linearizable", "durable", "available"];

#[test]
fn the_tables_of_promises_say_what_is_proved_what_is_sampled_and_what_is_violated() {
    let found = promises();
    let registry = Registry::standard();
    let (converging, registers): (Vec<_>, Vec<_>) =
        registry.families().iter().partition(|family| converges(family));
    for (families, document, name, properties) in [
        (&registers, "docs/strategies.md", "all promises", &[&TABLE[..], &["available"]].concat()),
        (&converging, "docs/crdts.md", "datatype promises", &OF_DATATYPES.to_vec()),
    ] {
        let all: Vec<_> = families.iter().flat_map(|family| &family.promises).collect();
        let (lines, told) = table(all.iter().copied(), properties, true, &found);
        assert_eq!(told, all.len(), "{document} tells all promises");
        check_region(document, name, &lines);
    }
    let is_plain = |row: &&Promise| registry.families().iter().any(|it| it.name == row.strategy);
    let plain = registers.iter().flat_map(|family| &family.promises).filter(is_plain);
    let (lines, told) = table(plain, &SHORT, false, &found);
    assert!(told > 80, "{told} of the promises of strategies without parameters");
    check_region("README.md", "promises", &lines);
}
