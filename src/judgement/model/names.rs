//! The names of the models, and the suggestion for a misspelt name.
//!
//! Invariant: [`Model::name`] is read back by [`Model::from_str`] as the same
//! model; every alias names exactly one model.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::history::nearest::{nearest, suggestion};

use super::grid::{Grid, Guarantees, Scope};
use super::list::Model;
use super::other::{self, OTHERS, Other, families};

/// A point of the grid that has a name of its own.
pub(super) struct Named {
    pub(super) grid: Grid,
    name: &'static str,
    long: &'static str,
    aliases: &'static [&'static str],
}

const fn named(
    (guarantees, scope, eventual): (Guarantees, Scope, bool),
    name: &'static str,
    long: &'static str,
    aliases: &'static [&'static str],
) -> Named {
    Named { grid: Grid { guarantees, scope, eventual }, name, long, aliases }
}

const SESS3: Guarantees = Guarantees::ALL.without(Guarantees::WFR);
const MR_MW: Guarantees = SESS3.without(Guarantees::RYW);
const MR_WFR: Guarantees = Guarantees::ALL.without(Guarantees::RYW).without(Guarantees::MW);

/// All named points of the grid.
pub(super) static NAMED: [Named; 16] = {
    use Guarantees as G;
    use Scope::{Global, Read, Session};
    [
        named((G::NONE, Global, false), "base", "base", &["legal"]),
        named(
            (G::NONE, Global, true),
            "eventual",
            "eventual consistency",
            &["ev", "convergence", "eventual-consistency"],
        ),
        named((G::NONE, Read, true), "ev_vis", "eventual visibility", &["eventual-visibility"]),
        named((G::RYW, Global, false), "ryw", "read-your-writes", &["read-my-writes"]),
        named((G::MR, Global, false), "mr", "monotonic-reads", &[]),
        named((G::MW, Global, false), "mw", "monotonic-writes", &[]),
        named((G::WFR, Global, false), "wfr", "writes-follow-reads", &["session-causality"]),
        named((MR_MW, Global, false), "mr_mw", "monotonic-reads and monotonic-writes", &[]),
        named((MR_WFR, Global, false), "mr_wfr", "monotonic-reads and writes-follow-reads", &[]),
        named(
            (SESS3, Global, false),
            "sess3",
            "read-your-writes, monotonic-reads and monotonic-writes",
            &[],
        ),
        named((G::ALL, Read, false), "cc", "weak causal (CC)", &["weak-causal"]),
        named((G::ALL, Session, false), "causal_s", "causal per session", &["causal-session"]),
        named(
            (G::ALL, Global, false),
            "ccv",
            "causal (CCv)",
            &["causal", "causal+", "causal-convergence"],
        ),
        named((G::MW, Global, true), "mw_ev", "eventual consistency with monotonic-writes", &[]),
        named(
            (G::WFR, Global, true),
            "wfr_ev",
            "eventual consistency with writes-follow-reads",
            &[],
        ),
        named((G::ALL, Global, true), "ccv_ev", "causal and eventual", &["causal-eventual"]),
    ]
};

impl Model {
    /// The short name, as in tests and on the command line: `eventual`,
    /// `ryw`, `ryw+mr.g!`, …
    pub fn name(self) -> String {
        match self {
            Model::Grid(grid) => {
                entry(grid).map_or_else(|| grid.name(), |entry| entry.name.to_owned())
            }
            Model::KAtomic(k) => format!("{}:{k}", families::K),
            Model::DeltaAtomic(delta) => format!("{}:{delta}", families::DELTA),
            _ => other::entry(self).expect("every other model is listed").name.to_owned(),
        }
    }

    /// The name for people: `read-your-writes`, `causal (CCv)`, …
    pub fn long_name(self) -> String {
        match self {
            Model::Grid(grid) => {
                entry(grid).map_or_else(|| grid.name(), |entry| entry.long.to_owned())
            }
            Model::KAtomic(_) | Model::DeltaAtomic(_) => self.name(),
            _ => other::entry(self).expect("every other model is listed").long.to_owned(),
        }
    }
}

impl Model {
    /// Every word that is a name, a long name or an alias of a model, without those of points
    /// of the grid that are only called by what they promise.
    pub fn words() -> impl Iterator<Item = &'static str> {
        every().filter(|name| !name.contains(' '))
    }
}

fn every() -> impl Iterator<Item = &'static str> {
    NAMED.iter().flat_map(spellings).chain(OTHERS.iter().flat_map(names))
}

fn entry(grid: Grid) -> Option<&'static Named> {
    NAMED.iter().find(|entry| entry.grid == grid)
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// A name that no model has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no model `{name}`; {}", suggestion(.nearest.as_deref(), "`list` shows the models"))]
pub struct UnknownModel {
    /// The name that was asked for.
    pub name: String,
    /// The name that is nearest to it, if one is near.
    pub nearest: Option<String>,
}

impl FromStr for Model {
    type Err = UnknownModel;

    /// Reads a name, a long name or an alias, in any case; `_` and blanks
    /// count as `-`.
    fn from_str(text: &str) -> Result<Model, UnknownModel> {
        let plain = normal(text);
        let called = |other: &&Other| names(other).any(|name| is_spelt(name, &plain));
        if let Some(other) = OTHERS.iter().find(called) {
            return Ok(other.model);
        }
        let by_name = |entry: &&Named| spellings(entry).any(|name| is_spelt(name, &plain));
        if let Some(entry) = NAMED.iter().find(by_name) {
            return Ok(Model::Grid(entry.grid));
        }
        grid_named(&plain)
            .map(Model::Grid)
            .or_else(|| of_family(&plain))
            .ok_or_else(|| UnknownModel { name: text.to_owned(), nearest: meant(&plain) })
    }
}

fn normal(text: &str) -> String {
    text.trim().to_lowercase().replace(['_', ' '], "-")
}

/// Whether `plain` is the normal form of a name of the tables, which are in ASCII.
/// The catalogue reads hundreds of names at every start, so nothing is allocated.
fn is_spelt(name: &str, plain: &str) -> bool {
    let normal = |letter: u8| match letter {
        b'_' | b' ' => b'-',
        other => other.to_ascii_lowercase(),
    };
    name.len() == plain.len() && name.bytes().map(normal).eq(plain.bytes())
}

fn spellings(entry: &Named) -> impl Iterator<Item = &'static str> {
    [entry.name, entry.long].into_iter().chain(entry.aliases.iter().copied())
}

fn names(other: &Other) -> impl Iterator<Item = &'static str> {
    [other.name, other.long].into_iter().chain(other.aliases.iter().copied())
}

/// Reads `k-atomic:2` and `delta-atomic:1000`.
fn of_family(text: &str) -> Option<Model> {
    let (family, number) = text.split_once(':')?;
    match family {
        families::K => number.parse().ok().filter(|k| *k > 0).map(Model::KAtomic),
        families::DELTA => number.parse().ok().map(Model::DeltaAtomic),
        _ => None,
    }
}

/// Reads `ryw+mr.g!`; without a scope the global one is meant.
fn grid_named(text: &str) -> Option<Grid> {
    let (text, eventual) = match text.strip_suffix('!') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (asked, scope) = match text.rsplit_once('.') {
        Some((asked, letter)) => {
            (asked, Scope::ALL.into_iter().find(|scope| *letter == scope.letter().to_string())?)
        }
        None => (text, Scope::Global),
    };
    let mut guarantees = Guarantees::NONE;
    if asked != "base" {
        for part in asked.split('+') {
            let (guarantee, ..) =
                Guarantees::EACH.into_iter().find(|(_, name, ..)| *name == part)?;
            guarantees = guarantees | guarantee;
        }
    }
    Some(Grid { guarantees, scope, eventual })
}

/// The name that is nearest to a text in its normal form.
fn meant(plain: &str) -> Option<String> {
    let families = [Model::KAtomic(2), Model::DeltaAtomic(1)].map(Model::name);
    let every = every().map(str::to_owned).chain(Grid::all().map(Grid::name)).chain(families);
    let by_form: BTreeMap<_, _> = every.map(|name| (normal(&name), name)).collect();
    nearest(plain, by_form.keys()).map(|form| by_form[form].clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_read_back_from_its_names() {
        for model in Model::all().chain([Model::KAtomic(3), Model::DeltaAtomic(1_000)]) {
            for name in [model.name(), model.long_name(), model.name().to_uppercase()] {
                assert!(name.is_ascii(), "{name}");
                assert!(is_spelt(&name, &normal(&name)), "{name}");
                assert_eq!(name.parse(), Ok(model), "{name}");
            }
        }
        for grid in Grid::all() {
            assert_eq!(grid.name().parse(), Ok(Model::Grid(grid)));
        }
    }

    #[test]
    fn all_models_have_different_names_and_sentences() {
        let mut names: Vec<_> = Model::all().map(Model::name).collect();
        let mut sentences: Vec<_> = Model::all().map(Model::about).collect();
        let mut predicates: Vec<_> = Model::all().map(Model::predicate).collect();
        for list in [&mut names, &mut sentences, &mut predicates] {
            list.sort();
            list.dedup();
            assert_eq!(list.len(), 96 + 15);
        }
    }

    #[test]
    fn an_alias_names_the_model_that_people_mean() {
        let name = |text: &str| text.parse::<Model>().map(Model::name);
        assert_eq!(name("causal").as_deref(), Ok("ccv"));
        assert_eq!(name("convergence").as_deref(), Ok("eventual"));
        assert_eq!(name("Monotonic Reads").as_deref(), Ok("mr"));
        assert_eq!(name("lin").as_deref(), Ok("linearizable"));
        assert_eq!(name("mr+ryw").as_deref(), Ok("ryw+mr.g"));
        assert_eq!(name("base.g!").as_deref(), Ok("eventual"));
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest_one() {
        let complaint = |text: &str| text.parse::<Model>().expect_err("no such model").to_string();
        assert_eq!(
            complaint("linearisible"),
            "there is no model `linearisible`; did you mean `linearisable`?"
        );
        assert_eq!(
            complaint("monotonic-raeds"),
            "there is no model `monotonic-raeds`; did you mean `monotonic-reads`?"
        );
        assert_eq!(
            complaint("ryw+mx.g!"),
            "there is no model `ryw+mx.g!`; did you mean `ryw+mr.g!`?"
        );
        assert_eq!(complaint("drop"), "there is no model `drop`; `list` shows the models");
        assert_eq!(complaint(""), "there is no model ``; `list` shows the models");
    }
}
