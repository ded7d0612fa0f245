//! A strategy with its parameters: everything that one name can stand for.
//!
//! Invariant: each value on the command line is defined here once, as one
//! change of the strategy. The type of the strategy is erased here: a family
//! knows only words.

use std::collections::BTreeMap;

use crate::replication::erased::AnyStrategy;
use crate::replication::{Strategy, StrategyName};

/// A parameter of a strategy.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, for example `clock`.
    pub name: &'static str,
    /// The values it can have.
    pub values: Vec<&'static str>,
    /// The value if none is chosen; without a default, every value is checked.
    pub default: Option<&'static str>,
    /// What it changes, in one line.
    pub about: &'static str,
}

/// A strategy, and how each parameter changes it.
///
/// ```
/// # use quiescence::catalogue::Variants;
/// use quiescence::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
///
/// let variants = Variants::of(PrimaryBackup { reads: Reads::Primary }).parameter(
///     "reads",
///     "which node answers reads",
///     [("primary", |it| it.reads = Reads::Primary), ("local", |it| it.reads = Reads::Local)],
/// );
/// ```
pub struct Variants<S> {
    plain: S,
    parameters: Vec<Parameter>,
    /// What each value of each parameter does to the strategy.
    changes: Vec<Vec<Change<S>>>,
}

/// What a value of a parameter does to the strategy.
type Change<S> = fn(&mut S);

/// Makes the strategy with this name, in which every parameter has a value.
pub(super) type Build = Box<dyn Fn(StrategyName) -> AnyStrategy + Send + Sync>;

impl<S: Strategy> Variants<S> {
    /// A strategy without parameters.
    pub fn of(plain: S) -> Self {
        Variants { plain, parameters: Vec::new(), changes: Vec::new() }
    }

    /// Adds a parameter. The first value is the default.
    #[must_use]
    pub fn parameter<const N: usize>(
        self,
        name: &'static str,
        about: &'static str,
        values: [(&'static str, Change<S>); N],
    ) -> Self {
        let default = values.first().map(|(word, _)| *word);
        self.with(name, about, default, &values)
    }

    /// Adds a parameter without a default: if no value is chosen, all are
    /// checked.
    #[must_use]
    pub fn open<const N: usize>(
        self,
        name: &'static str,
        about: &'static str,
        values: [(&'static str, Change<S>); N],
    ) -> Self {
        self.with(name, about, None, &values)
    }

    fn with(
        mut self,
        name: &'static str,
        about: &'static str,
        default: Option<&'static str>,
        values: &[(&'static str, Change<S>)],
    ) -> Self {
        let words = values.iter().map(|(word, _)| *word).collect();
        self.parameters.push(Parameter { name, values: words, default, about });
        self.changes.push(values.iter().map(|(_, change)| *change).collect());
        self
    }

    /// Erases the type of the strategy.
    pub(super) fn erased(self) -> (Vec<Parameter>, Build) {
        let parameters = self.parameters.clone();
        let build = move |name: StrategyName| {
            let strategy = self.chosen(&name.parameters);
            AnyStrategy::named(strategy, name)
        };
        (parameters, Box::new(build))
    }

    /// The strategy with these values, one for every parameter.
    fn chosen(&self, chosen: &BTreeMap<String, String>) -> S {
        let mut strategy = self.plain.clone();
        for (parameter, changes) in self.parameters.iter().zip(&self.changes) {
            let is_chosen = |(word, _): &(&&str, _)| **word == chosen[parameter.name];
            let change = parameter.values.iter().zip(changes).find(is_chosen);
            let (_, change) = change.expect("a value that the parameter allows");
            change(&mut strategy);
        }
        strategy
    }
}
