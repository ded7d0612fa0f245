//! Tests each rule on violations that are planted in a small crate.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Rule, Violation, violations};
use super::source::Tree;

/// A crate that breaks no rule: one file for each module, as short as possible.
const HOUSE: &[(&str, &str)] = &[
    ("src/main.rs", "fn main() { quiescence::cli::main(); }"),
    (
        "src/lib.rs",
        "pub mod cli; pub mod history; pub mod hunt; pub mod judgement; pub mod replication;
         pub mod report; pub mod search; pub mod threads; pub mod world;
         pub use hunt::Subject; pub fn version() {}",
    ),
    ("src/history/mod.rs", "pub mod notation; pub struct History;"),
    ("src/history/notation.rs", "use super::History; pub fn parse() -> History { History }"),
    (
        "src/judgement/mod.rs",
        "pub mod checker; pub mod model; mod relation; pub mod verdict;
         pub use verdict::Verdict; pub struct Judge;",
    ),
    ("src/judgement/checker.rs", "use super::Verdict; pub fn check() -> Verdict { Verdict }"),
    ("src/judgement/model.rs", "pub struct Model;"),
    ("src/judgement/relation.rs", "pub struct Relation;"),
    ("src/judgement/verdict.rs", "pub mod recheck; use super::model::Model; pub struct Verdict;"),
    ("src/judgement/verdict/recheck.rs", "use super::Verdict; pub fn recheck(of: Verdict) {}"),
    ("src/replication/mod.rs", "use crate::history::History; pub trait Strategy {}"),
    ("src/world/mod.rs", "use crate::replication::Strategy; pub struct World;"),
    ("src/search/mod.rs", "use crate::world::World; use std::sync::Arc;"),
    ("src/threads/mod.rs", "mod engine; mod sync; use crate::world::World;"),
    ("src/threads/engine.rs", "use super::sync::{Arc, thread};"),
    (
        "src/threads/sync.rs",
        "#[cfg(loom)] pub use loom::thread; pub use std::sync::Arc;
         #[cfg(not(loom))] pub use std::thread;",
    ),
    ("src/hunt/mod.rs", "pub use crate::world::World; pub struct Subject; pub fn judge() {}"),
    ("src/report/mod.rs", "use crate::hunt::Subject; use std::time::Duration;"),
    ("src/cli/mod.rs", "use crate::{hunt, report}; use std::{fs, time::Instant}; pub fn main() {}"),
];

/// Violations: the rule that must find each, the file to which it is added, and
/// its code.
const PLANTED: &[(Rule, &str, &str)] = &[
    // A module that is not in the plan.
    (Rule::Covered, "src/gossip.rs", "pub struct Gossip;"),
    (Rule::Covered, "src/gossip/mod.rs", "pub struct Gossip;"),
    // Every way to name a module higher up.
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::hunt::judge;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::hunt;"),
    (Rule::Arrows, "src/judgement/relation.rs", "pub use crate::hunt::judge as decide;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::hunt as h; fn f() { h::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate as c; fn f() { c::hunt::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::{self as c}; use c::hunt::judge;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::{history::{History}, {hunt::judge}};"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::hunt::*;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::*; fn f() { hunt::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "use super::super::hunt::judge;"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { super::super::hunt::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "use super::super::*; fn f() { hunt::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "use self::super::super::hunt as h;"),
    (Rule::Arrows, "src/judgement/relation.rs", "mod inner { use super::super::super::hunt; }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { crate :: hunt :: judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { crate\n::\nhunt::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { crate::r#hunt::judge() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { { use crate::hunt as h; h::judge() } }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f(x: &[Option<crate::hunt::Subject>]) {}"),
    (
        Rule::Arrows,
        "src/judgement/relation.rs",
        "fn f(x: u8) { if let crate::hunt::Subject = x {} }",
    ),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f<T>() where T: crate::world::Any {}"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f(x: u8) { <u8 as crate::hunt::Named>::f(x) }"),
    (Rule::Arrows, "src/judgement/relation.rs", "impl crate::hunt::Named for Relation {}"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { x.collect::<crate::hunt::Subject>() }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { vec![crate::hunt::judge()] }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { format!(\"{}\", crate::hunt::NAME) }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { vec![[super::super::hunt::judge()]] }"),
    (Rule::Arrows, "src/judgement/relation.rs", "m! { use crate::{history, hunt::judge}; }"),
    (Rule::Arrows, "src/judgement/relation.rs", "m! { use crate::{history::{History}, hunt}; }"),
    (Rule::Arrows, "src/judgement/relation.rs", "fn f() { matches!(x, 0..crate::hunt::MAX) }"),
    (Rule::Arrows, "src/judgement/relation.rs", "#[m(crate::hunt::judge)] fn f() {}"),
    (Rule::Arrows, "src/judgement/relation.rs", "#[m(with = \"crate::hunt\")] struct S;"),
    (Rule::Arrows, "src/judgement/relation.rs", "#[doc = crate::hunt::text!()] struct S;"),
    (
        Rule::Arrows,
        "src/judgement/relation.rs",
        "extern crate quiescence as q; use q::hunt::judge;",
    ),
    (Rule::Arrows, "src/judgement/relation.rs", "extern crate self as q; use q::hunt::judge;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use quiescence::hunt::judge;"),
    // A re-export passes on what is defined elsewhere.
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::Subject;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use super::super::Subject as S;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::*; fn f(x: Subject) {}"),
    (Rule::Arrows, "src/report/mod.rs", "use crate::hunt::World; use crate::cli::main;"),
    (Rule::Arrows, "src/world/mod.rs", "use crate::hunt::World;"),
    (Rule::Arrows, "src/search/mod.rs", "use crate::hunt::World;"),
    // What a parent's file defines belongs to the parent's part.
    (Rule::Arrows, "src/judgement/verdict.rs", "use super::Judge; pub struct Verdict;"),
    (Rule::Arrows, "src/history/notation.rs", "fn f() { crate::version() }"),
    // Only items that exist in tests alone are ignored.
    (
        Rule::Arrows,
        "src/judgement/relation.rs",
        "#[cfg(test)] mod tests {} use crate::hunt::judge;",
    ),
    (Rule::Arrows, "src/judgement/relation.rs", "#[cfg(any(test, unix))] use crate::hunt::judge;"),
    (
        Rule::Arrows,
        "src/judgement/relation.rs",
        "#[cfg(any(test, feature = \"x\"))] mod m { use crate::hunt::judge; }",
    ),
    (Rule::Arrows, "src/judgement/relation.rs", "#[cfg(not(test))] use crate::hunt::judge;"),
    (Rule::Arrows, "src/judgement/relation.rs", "#[cfg(all(unix, not(test)))] use crate::hunt;"),
    (Rule::Arrows, "src/judgement/relation.rs", "#[cfg(feature = \"test\")] use crate::hunt;"),
    // Each entry of the plan.
    (Rule::Arrows, "src/history/notation.rs", "use crate::judgement::Verdict;"),
    (Rule::Arrows, "src/history/notation.rs", "use crate::replication::Strategy;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::replication::Strategy;"),
    (Rule::Arrows, "src/judgement/relation.rs", "use crate::threads;"),
    (Rule::Arrows, "src/judgement/verdict.rs", "use super::checker::check; pub struct Verdict;"),
    (Rule::Arrows, "src/judgement/verdict/recheck.rs", "use crate::judgement::checker::check;"),
    (Rule::Arrows, "src/judgement/checker.rs", "use super::verdict::recheck::recheck;"),
    (Rule::Arrows, "src/judgement/model.rs", "use super::verdict::Verdict; pub struct Model;"),
    (
        Rule::Arrows,
        "src/replication/mod.rs",
        "use crate::judgement::Verdict; pub trait Strategy {}",
    ),
    (Rule::Arrows, "src/replication/mod.rs", "use crate::world::World; pub trait Strategy {}"),
    (Rule::Arrows, "src/world/mod.rs", "use crate::judgement::Verdict; pub struct World;"),
    (Rule::Arrows, "src/search/mod.rs", "use crate::judgement::Verdict;"),
    (Rule::Arrows, "src/threads/engine.rs", "use crate::judgement::Verdict;"),
    (
        Rule::Arrows,
        "src/hunt/mod.rs",
        "use crate::report; pub struct Subject; pub use crate::world::World;",
    ),
    (Rule::Arrows, "src/report/mod.rs", "use crate::cli;"),
    // Crates that a part must not use.
    (Rule::Crates, "src/judgement/relation.rs", "use loom::thread;"),
    (Rule::Crates, "src/judgement/relation.rs", "fn f() { serde_json::from_str(x) }"),
    (Rule::Crates, "src/judgement/relation.rs", "fn f() { ::proptest::prelude::any() }"),
    (Rule::Crates, "src/judgement/relation.rs", "fn f() { vec![proptest::any()] }"),
    (Rule::Crates, "src/judgement/relation.rs", "extern crate proptest as p;"),
    (Rule::Crates, "src/replication/mod.rs", "use smallvec::SmallVec; pub trait Strategy {}"),
    (Rule::Crates, "src/threads/engine.rs", "use loom::thread;"),
    (Rule::Crates, "src/threads/engine.rs", "#[cfg(loom)] fn f() {}"),
    (Rule::Crates, "src/cli/mod.rs", "use loom::thread; pub fn main() {}"),
    // What the plan forbids.
    (Rule::Absences, "src/judgement/relation.rs", "use std::time::Instant;"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::time;"),
    (
        Rule::Absences,
        "src/judgement/relation.rs",
        "use std as s; fn f() { s::time::Instant::now() }",
    ),
    (Rule::Absences, "src/judgement/relation.rs", "extern crate std as s; use s::time::Instant;"),
    (Rule::Absences, "src/judgement/relation.rs", "fn f() { ::std::time::Instant::now() }"),
    (Rule::Absences, "src/judgement/relation.rs", "use core::time::Duration;"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::*; fn f() { time::Instant::now() }"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::{fmt, time::{Instant}};"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::collections::*;"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::collections::HashMap;"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::hash::RandomState;"),
    (Rule::Absences, "src/judgement/relation.rs", "fn f() { std::thread::spawn(g); }"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::sync::atomic::AtomicU64;"),
    (Rule::Absences, "src/judgement/relation.rs", "thread_local! { static X: u8 = 0; }"),
    (Rule::Absences, "src/judgement/relation.rs", "fn f() { println!(\"\") }"),
    (Rule::Absences, "src/judgement/relation.rs", "fn f() { std::eprintln!(\"\") }"),
    (Rule::Absences, "src/judgement/relation.rs", "use std::dbg as d; fn f() { d!(1) }"),
    (Rule::Absences, "src/history/notation.rs", "use std::fs::File;"),
    (Rule::Absences, "src/history/notation.rs", "fn f() { std::io::stdin().lines() }"),
    (Rule::Absences, "src/replication/mod.rs", "use std::net::TcpStream; pub trait Strategy {}"),
    (Rule::Absences, "src/world/mod.rs", "fn f() { std::env::var(\"X\") } pub struct World;"),
    (Rule::Absences, "src/search/mod.rs", "fn f() { std::thread::sleep(x) }"),
    (Rule::Absences, "src/search/mod.rs", "fn f() { std::time::Instant::now() }"),
    (Rule::Absences, "src/threads/engine.rs", "use std::sync::Mutex;"),
    (Rule::Absences, "src/threads/engine.rs", "fn f() { std::thread::spawn(g) }"),
    (
        Rule::Absences,
        "src/threads/sync.rs",
        "pub use std::{sync::Arc, thread}; use std::time::Instant;",
    ),
    (
        Rule::Absences,
        "src/hunt/mod.rs",
        "use std::process; pub struct Subject; pub use crate::world::World;",
    ),
    (Rule::Absences, "src/report/mod.rs", "use std::time::{Duration, Instant};"),
    (Rule::Absences, "src/report/mod.rs", "use std::fs;"),
    // Only re-exports of `threads::sync` are allowed, not those of other
    // modules.
    (Rule::Absences, "src/report/mod.rs", "use crate::search::Arc;"),
    (Rule::Absences, "src/cli/mod.rs", "fn f() { std::env::var(\"X\") } pub fn main() {}"),
    // Loops in hash order.
    (Rule::HashOrder, "src/judgement/relation.rs", "fn f(x: &FxHashMap<u8, u8>) { for y in x {} }"),
    (Rule::HashOrder, "src/judgement/relation.rs", "fn f(x: FxHashMap<u8, u8>) { x.into_iter(); }"),
    (
        Rule::HashOrder,
        "src/judgement/relation.rs",
        "struct S { x: FxHashSet<u8> } fn f(s: S) { s.x.iter(); }",
    ),
    (
        Rule::HashOrder,
        "src/judgement/relation.rs",
        "fn f() { let x = FxHashMap::default(); x.keys(); }",
    ),
    (
        Rule::HashOrder,
        "src/judgement/relation.rs",
        "type T = FxHashSet<u8>; fn f(x: T) { for y in &x {} }",
    ),
    (Rule::HashOrder, "src/judgement/relation.rs", "fn f(x: &FxHashSet<u8>) { v.extend(x) }"),
    (
        Rule::HashOrder,
        "src/judgement/relation.rs",
        "fn g() -> FxHashSet<u8> {} fn f() { for y in g() {} }",
    ),
    (
        Rule::HashOrder,
        "src/judgement/relation.rs",
        "use rustc_hash::FxHashMap as M; fn f() { let (a, b) = (1, M::default()); b.values(); }",
    ),
    // Code outside the module tree, and paths that are not written out.
    (Rule::Written, "src/judgement/relation.rs", "#[path = \"../hunt/mod.rs\"] mod h;"),
    (Rule::Written, "src/judgement/relation.rs", "#[cfg_attr(unix, path = \"x.rs\")] mod h;"),
    (Rule::Written, "src/judgement/relation.rs", "include!(\"../hunt/mod.rs\");"),
    (Rule::Written, "src/judgement/relation.rs", "fn f() { std::include!(\"x.rs\") }"),
    (Rule::Written, "src/judgement/relation.rs", "macro_rules! m { ($x:ident) => { crate::$x } }"),
    // Lints.
    (
        Rule::Suppressions,
        "src/judgement/relation.rs",
        "#[expect(dead_code, reason = \"no\")] fn f() {}",
    ),
    (Rule::Suppressions, "src/judgement/relation.rs", "#![allow(dead_code)] fn f() {}"),
    (Rule::Suppressions, "src/judgement/relation.rs", "fn f() { #[allow(unused)] let x = 1; }"),
    (
        Rule::Suppressions,
        "src/judgement/relation.rs",
        "#[cfg_attr(unix, allow(dead_code))] fn f() {}",
    ),
];

/// Cycles, each of several files.
const CYCLES: &[&[(&str, &str)]] = &[
    // Two files.
    &[
        ("src/world/mod.rs", "mod a; mod b; pub struct World;"),
        ("src/world/a.rs", "use super::b::B; pub struct A;"),
        ("src/world/b.rs", "pub struct B; fn f() { crate::world::a::A }"),
    ],
    // Two folders, through files that do not name each other.
    &[
        ("src/world/mod.rs", "mod run; mod state; pub struct World;"),
        ("src/world/run/mod.rs", "mod one; mod two;"),
        ("src/world/run/one.rs", "use crate::world::state::four::Four; pub struct One;"),
        ("src/world/run/two.rs", "pub struct Two;"),
        ("src/world/state/mod.rs", "mod three; pub mod four;"),
        ("src/world/state/three.rs", "use crate::world::run::two::Two;"),
        ("src/world/state/four.rs", "pub struct Four;"),
    ],
    // A parent that calls a child which calls it back.
    &[
        ("src/world/mod.rs", "mod run; pub struct World; pub fn go() { run::run() }"),
        ("src/world/run.rs", "pub fn run() { super::go() }"),
    ],
    // Indirectly, through a function of the parent that calls the other child.
    &[
        ("src/world/mod.rs", "mod a; mod b; pub struct World; pub fn go() { b::b() }"),
        ("src/world/a.rs", "pub fn a() { super::go() }"),
        ("src/world/b.rs", "use super::a::a; pub fn b() { a() }"),
    ],
    // By a re-export, a glob and a macro.
    &[
        ("src/world/mod.rs", "mod a; mod b; pub use a::A; pub use b::*; pub struct World;"),
        ("src/world/a.rs", "pub struct A; fn f() { vec![crate::world::B] }"),
        ("src/world/b.rs", "pub struct B; use super::*; fn f(a: A) {}"),
    ],
];

/// Code that breaks no rule, although a search for text would report it.
const INNOCENT: &[(&str, &str)] = &[
    ("src/judgement/relation.rs", "/// Not like [`crate::hunt::judge`].\nfn f() {}"),
    ("src/judgement/relation.rs", "fn f() { \"crate::hunt::judge, std::time::Instant\" }"),
    ("src/judgement/relation.rs", "#[cfg(test)] mod tests { use crate::hunt::judge; }"),
    ("src/judgement/relation.rs", "#[cfg(test)] use crate::hunt::judge;"),
    ("src/judgement/relation.rs", "#[cfg(all(test, unix))] mod tests { use crate::hunt::judge; }"),
    (
        "src/judgement/relation.rs",
        "struct S; impl S { #[cfg(test)] fn f() { crate::hunt::judge() } }",
    ),
    ("src/judgement/relation.rs", "mod hunt { pub fn judge() {} } fn f() { hunt::judge() }"),
    ("src/judgement/relation.rs", "fn f(s: S) { s.hunt.loom().proptest; vec![s.loom] }"),
    ("src/judgement/relation.rs", "fn f() { <[u8]>::to_vec(x); vec![<[u8]>::to_vec(x)] }"),
    ("src/judgement/relation.rs", "fn f(x: &FxHashMap<u8, u8>) { for y in x.get(0) {} }"),
    ("src/judgement/relation.rs", "fn f() -> &'static str { env!(\"CARGO_PKG_VERSION\") }"),
    ("src/judgement/relation.rs", "fn f<'loom>(x: &'loom u8) { m!(&'loom u8) }"),
    ("src/judgement/relation.rs", "pub(in crate::judgement) fn f() { use super::super::history; }"),
    // Names of a block are valid only in that block.
    (
        "src/report/mod.rs",
        "fn a() { use std::time as t; t::Duration::ZERO }
         fn b() { mod t { pub struct Instant; } t::Instant }",
    ),
    // The child that the parent calls may use a type of the parent.
    ("src/history/mod.rs", "pub mod notation; pub struct History; fn f() { notation::parse() }"),
];

/// The violations found in the crate with these files added or replaced.
fn found_in(changed: &[(&str, &str)]) -> Vec<Violation> {
    let mut house: BTreeMap<&str, &str> = HOUSE.iter().copied().collect();
    house.extend(changed.iter().copied());
    let files =
        house.into_iter().map(|(name, code)| (name.to_owned(), format!("//! A room.\n{code}")));
    let crates = [
        "alloc",
        "clap",
        "core",
        "loom",
        "proptest",
        "quiescence",
        "rustc_hash",
        "serde_json",
        "smallvec",
        "std",
    ];
    violations(&Tree::read(files), &crates.map(str::to_owned).into())
}

#[track_caller]
fn finds_only(rule: Rule, changed: &[(&str, &str)]) {
    let found = found_in(changed);
    let mut rules: BTreeSet<Rule> = found.iter().map(|violation| violation.rule).collect();
    if rule == Rule::Arrows {
        // An arrow that points up also closes a cycle with one that points
        // down.
        rules.remove(&Rule::Cycles);
    }
    assert_eq!(rules, [rule].into(), "{changed:#?}\n{found:#?}");
}

#[test]
fn the_house_without_plants_breaks_no_rule() {
    assert_eq!(found_in(&[]), []);
}

#[test]
fn every_planted_violation_is_found_by_its_rule_alone() {
    for (rule, file, code) in PLANTED {
        finds_only(*rule, &[(file, code)]);
    }
}

#[test]
fn every_planted_cycle_is_found() {
    for files in CYCLES {
        finds_only(Rule::Cycles, files);
    }
}

#[test]
fn what_breaks_no_rule_is_not_found() {
    for (file, code) in INNOCENT {
        assert_eq!(found_in(&[(file, code)]), [], "{code}");
    }
}

#[test]
fn a_file_that_is_long_or_does_not_say_what_it_is_for_is_found() {
    finds_only(Rule::Shape, &[("src/judgement/relation.rs", &"\n".repeat(super::LINES_MAX))]);
    let untold = [("src/history/mod.rs".to_owned(), "pub struct History;".to_owned())];
    let found = violations(&Tree::read(untold), &BTreeSet::new());
    assert_eq!(found.iter().map(|violation| violation.rule).collect::<Vec<_>>(), [Rule::Shape]);
}

#[test]
fn a_module_of_tests_alone_is_left_out() {
    let with_tests = [
        ("src/world/mod.rs", "#[cfg(test)] mod tests; pub struct World;"),
        ("src/world/tests.rs", "use crate::hunt::judge;"),
    ];
    assert_eq!(found_in(&with_tests), []);
    let without = [
        ("src/world/mod.rs", "mod tests; pub struct World;"),
        ("src/world/tests.rs", "use crate::hunt::judge;"),
    ];
    finds_only(Rule::Arrows, &without);
}
