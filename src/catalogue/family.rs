//! A family of strategies: one name, and all that is known of the strategies
//! that it stands for.
//!
//! Invariant: a variant with a bug comes with the setting in which the bug
//! shows and the way it shows. [`Family::mutant`] makes a promise, which is
//! searched for like any other.

use std::collections::BTreeMap;

use crate::hunt::Subject;
use crate::hunt::mutant::{Bug, Mutant};
use crate::hunt::promise::{Expected, Promise};
use crate::hunt::property::{Flaw, Property};
use crate::judgement::Kind;
use crate::judgement::datatype::Datatype;
use crate::replication::{Strategy, StrategyName};
use crate::world::Setting;

use super::variants::{Build, Parameter, Variants};

/// A strategy with its parameters still to be chosen.
pub struct Family {
    /// The name, for example `multi-primary-lww`.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Where it was described first, or best; empty if not given.
    pub sources: &'static str,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Where `check NAME` searches if NAME promises nothing.
    pub setting: Setting,
    /// What it promises, and what it is known to break.
    pub promises: Vec<Promise>,
    /// Its variants with a bug.
    pub mutants: Vec<Mutant>,
    /// What to try next.
    pub hints: Vec<Hint>,
    /// Whether it is one of this crate.
    pub(super) is_standard: bool,
    /// The most states of a search for the next of its promises.
    states: Option<u64>,
    /// What the operations mean, if no datatype of the crate says it.
    pub datatype: Option<&'static dyn Datatype>,
    build: Build,
}

/// What to try after a variant failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The variant, as on the command line.
    pub strategy: String,
    /// How it failed.
    pub flaw: Flaw,
    /// What to try.
    pub advice: Advice,
}

/// What to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// In a few words.
    pub text: &'static str,
    /// The command that follows it.
    pub command: &'static str,
}

/// An answer that no order explains, the commonest flaw.
pub(super) const UNEXPLAINED: Flaw = Flaw::History(Kind::Unexplained);

/// What the promise table tells of a strategy in its main setting.
pub const TABLE: [&str; 8] = [
    "read-your-writes",
    "monotonic-reads",
    "causal",
    "eventual",
    "eventual-rt",
    "linearizable",
    "durable",
    "answered",
];

impl Family {
    /// A family that promises nothing. `check NAME` searches in `setting`.
    pub fn new<S: Strategy>(
        name: &'static str,
        about: &'static str,
        setting: &Setting,
        variants: Variants<S>,
    ) -> Self {
        let (parameters, build) = variants.erased();
        Family {
            name,
            about,
            sources: "",
            parameters,
            setting: setting.clone(),
            promises: Vec::new(),
            mutants: Vec::new(),
            hints: Vec::new(),
            is_standard: false,
            states: None,
            datatype: None,
            build,
        }
    }

    /// Says where the strategy comes from.
    #[must_use]
    pub fn sources(mut self, sources: &'static str) -> Self {
        self.sources = sources;
        self
    }

    /// Says how many states a search for one of the promises that follow visits at most,
    /// where all promises are checked.
    #[must_use]
    pub fn states(mut self, states: u64) -> Self {
        self.states = Some(states);
        self
    }

    /// Says what the operations mean, for a datatype of one's own. Otherwise it is
    /// the one that the strategy [names](Strategy::datatype).
    #[must_use]
    pub fn datatype(mut self, datatype: &'static dyn Datatype) -> Self {
        self.datatype = Some(datatype);
        self
    }

    /// Promises that a variant keeps properties in a setting. `variant` is what
    /// follows `NAME:` on the command line. It is empty for the strategy
    /// without parameters, or with the default of each.
    #[must_use]
    pub fn keeps<P: Into<Property>>(
        mut self,
        variant: &str,
        setting: &Setting,
        properties: impl IntoIterator<Item = P>,
    ) -> Self {
        for property in properties {
            self.promise(variant, setting, property.into(), Expected::Holds);
        }
        self
    }

    /// Promises all that the promise table tells of a variant in a setting: that it keeps
    /// every property of it, other than these, which it breaks.
    ///
    /// # Panics
    /// If one of them has no place in the table.
    #[must_use]
    pub fn stands(mut self, variant: &str, setting: &Setting, breaks: &[(&str, Flaw)]) -> Self {
        let mut breaks: BTreeMap<&str, Flaw> = breaks.iter().copied().collect();
        for name in TABLE {
            let property = name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            let expected = breaks.remove(name).map_or(Expected::Holds, Expected::Violated);
            self.promise(variant, setting, property, expected);
        }
        assert!(breaks.is_empty(), "{breaks:?} have no place in the table");
        self
    }

    /// Promises that some run of a variant in a setting breaks a property in
    /// this way. If a search finds no such run, the search fails: it has missed
    /// a known violation.
    #[must_use]
    pub fn breaks(
        mut self,
        variant: &str,
        setting: &Setting,
        property: impl Into<Property>,
        flaw: impl Into<Flaw>,
    ) -> Self {
        self.promise(variant, setting, property.into(), Expected::Violated(flaw.into()));
        self
    }

    /// Names the bug of a variant, and promises that it breaks a property.
    ///
    /// # Panics
    /// If the bug keeps something that is no property.
    #[must_use]
    pub fn mutant(
        mut self,
        variant: &str,
        bug: Bug,
        setting: &Setting,
        property: impl Into<Property>,
        flaw: impl Into<Flaw>,
    ) -> Self {
        let (property, flaw) = (property.into(), flaw.into());
        let kept = |name: &&str| name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        self.mutants.push(Mutant {
            strategy: self.strategy(variant),
            setting: setting.clone(),
            property: property.clone(),
            flaw,
            keeps: bug.keeps.iter().map(kept).collect(),
            bug,
        });
        self.breaks(variant, setting, property, flaw)
    }

    /// Says what to try after a variant failed in this way.
    #[must_use]
    pub fn hint(
        mut self,
        variant: &str,
        flaw: impl Into<Flaw>,
        text: &'static str,
        command: &'static str,
    ) -> Self {
        let strategy = self.strategy(variant);
        let advice = Advice { text, command };
        self.hints.push(Hint { strategy, flaw: flaw.into(), advice });
        self
    }

    fn promise(&mut self, variant: &str, at: &Setting, property: Property, expected: Expected) {
        let strategy = self.strategy(variant);
        let (setting, states) = (at.clone(), self.states);
        self.promises.push(Promise { strategy, setting, property, expected, states });
    }

    /// `abd:write-back=never`, from `write-back=never`.
    fn strategy(&self, variant: &str) -> String {
        let separator = if variant.is_empty() { "" } else { ":" };
        format!("{}{separator}{variant}", self.name)
    }

    /// The strategy with these values, one for every parameter.
    pub(super) fn build(&self, chosen: BTreeMap<String, String>) -> Box<dyn Subject> {
        let name = StrategyName { name: self.name.to_owned(), parameters: chosen };
        Box::new((self.build)(name))
    }
}
