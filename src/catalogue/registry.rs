//! Strategies by name: what `check NAME:param=value` and case files refer to.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::history::nearest::{nearest, suggestion};
use crate::hunt::Subject;
use crate::hunt::promise::Promise;
use crate::hunt::property::Flaw;
use crate::judgement::datatype::{Datatype, UnknownDatatype, named};
use crate::replication::{Strategy, StrategyName};

use super::family::{Advice, Family};
use super::variants::Parameter;

/// Why a text does not name a strategy, and what might have been meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}; {}", suggestion(.meant.as_deref(), &format!("there is {}", .known.join(", "))))]
pub struct UnknownStrategy {
    /// What is wrong.
    pub problem: String,
    /// The nearest thing that exists, if one is near.
    pub meant: Option<String>,
    /// All names that exist there.
    pub known: Vec<String>,
}

impl UnknownStrategy {
    fn new(problem: String, word: &str, known: impl Iterator<Item = &'static str>) -> Self {
        let known: Vec<_> = known.map(str::to_owned).collect();
        UnknownStrategy { problem, meant: nearest(word, &known).cloned(), known }
    }
}

/// The strategies that a binary knows.
pub struct Registry {
    pub(super) families: Vec<Family>,
    pub(super) version: Option<&'static str>,
}

impl Registry {
    /// No strategies: for a binary with only strategies of its own.
    pub fn empty() -> Self {
        Registry { families: Vec::new(), version: None }
    }

    /// Says which version the binary with these strategies has: mostly that of its package,
    /// `env!("CARGO_PKG_VERSION")`. Its name is that of its file.
    #[must_use]
    pub fn versioned(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// The version of the binary, if it was said.
    pub fn version(&self) -> Option<&'static str> {
        self.version
    }

    /// Adds a family. It replaces an earlier one with the same name.
    #[must_use]
    pub fn with(mut self, family: Family) -> Self {
        self.families.retain(|known| known.name != family.name);
        self.families.push(family);
        self
    }

    /// All families.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The families that are not of this crate.
    pub fn own(&self) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(|family| !family.is_standard)
    }

    /// What all of them promise, family by family.
    pub fn promises(&self) -> impl Iterator<Item = &Promise> {
        self.families.iter().flat_map(|family| &family.promises)
    }

    /// What to try after a strategy has failed in this way. The strategy is
    /// named [in short](Registry::short).
    pub fn hint(&self, short: &str, flaw: Flaw) -> Option<Advice> {
        let mut hints = self.families.iter().flat_map(|family| &family.hints);
        let hint = hints.find(|hint| hint.strategy == short && hint.flaw == flaw);
        hint.map(|hint| hint.advice)
    }

    /// The family with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn family(&self, name: &str) -> Result<&Family, UnknownStrategy> {
        self.families.iter().find(|family| family.name == name).ok_or_else(|| {
            let names = self.families.iter().map(|family| family.name);
            UnknownStrategy::new(format!("there is no strategy `{name}`"), name, names)
        })
    }

    /// What the operations of a strategy mean: the datatype of its family, or the
    /// one that it names.
    ///
    /// # Errors
    /// If nothing is known of the datatype that it names.
    pub fn datatype_of(
        &self,
        subject: &dyn Subject,
    ) -> Result<&'static dyn Datatype, UnknownDatatype> {
        let family = self.family(&subject.strategy_name().name).ok();
        match family.and_then(|family| family.datatype) {
            Some(own) => Ok(own),
            None => Ok(named(subject.erased().datatype())?.datatype),
        }
    }

    /// The datatype with this name, of the crate or of a family.
    ///
    /// # Errors
    /// If there is none.
    pub fn datatype(&self, name: &str) -> Result<&'static dyn Datatype, UnknownDatatype> {
        let mut own = self.families.iter().filter_map(|family| family.datatype);
        match own.find(|own| own.name() == name) {
            Some(own) => Ok(own),
            None => Ok(named(name)?.datatype),
        }
    }

    /// Every strategy that `NAME[:parameter=value,…]` stands for: one, or
    /// several where a parameter without a default was left open. A value alone
    /// selects the parameter that has it among its values.
    ///
    /// # Errors
    /// If the family, a parameter or a value is unknown.
    pub fn parse(&self, text: &str) -> Result<Vec<Box<dyn Subject>>, UnknownStrategy> {
        let (name, given) = text.split_once(':').unwrap_or((text, ""));
        let family = self.family(name)?;
        let mut chosen = BTreeMap::new();
        for word in given.split(',').filter(|word| !word.is_empty()) {
            let (parameter, value) = match word.split_once('=') {
                Some((parameter, value)) => (family.parameter(parameter)?, value),
                None => (family.parameter_with(word)?, word),
            };
            parameter.allows(value)?;
            chosen.insert(parameter.name.to_owned(), value.to_owned());
        }
        let mut all = vec![chosen];
        for parameter in &family.parameters {
            let values =
                parameter.default.as_ref().map_or(&parameter.values[..], std::slice::from_ref);
            all = all
                .into_iter()
                .flat_map(|chosen| {
                    let open = !chosen.contains_key(parameter.name);
                    let values = if open { values } else { &[] };
                    let filled = values.iter().map(|value| {
                        let mut chosen = chosen.clone();
                        chosen.insert(parameter.name.to_owned(), (*value).to_owned());
                        chosen
                    });
                    let as_it_is = (!open).then(|| chosen.clone());
                    as_it_is.into_iter().chain(filled).collect::<Vec<_>>()
                })
                .collect();
        }
        Ok(all.into_iter().map(|chosen| family.build(chosen)).collect())
    }

    /// The strategy with this name and these parameters; parameters that are
    /// not given have their defaults.
    ///
    /// # Errors
    /// If the family, a parameter or a value is unknown, or a parameter
    /// without a default is missing.
    pub fn named(&self, name: &StrategyName) -> Result<Box<dyn Subject>, UnknownStrategy> {
        let family = self.family(&name.name)?;
        let mut chosen = name.parameters.clone();
        for (parameter, value) in &name.parameters {
            family.parameter(parameter)?.allows(value)?;
        }
        for parameter in &family.parameters {
            if chosen.contains_key(parameter.name) {
                continue;
            }
            let Some(default) = parameter.default else {
                let problem = format!("the parameter `{}` is missing", parameter.name);
                return Err(UnknownStrategy::new(problem, "", parameter.values.iter().copied()));
            };
            chosen.insert(parameter.name.to_owned(), default.to_owned());
        }
        Ok(family.build(chosen))
    }
}

impl Registry {
    /// The name as people type it: parameters that have their default are left
    /// out. A name that is not registered is shown in full.
    pub fn short(&self, name: &StrategyName) -> String {
        let mut short = name.clone();
        if let Ok(family) = self.family(&name.name) {
            let is_default = |parameter: &str, value: &str| {
                let known = family.parameters.iter().find(|known| known.name == parameter);
                known.is_some_and(|known| known.default == Some(value))
            };
            short.parameters.retain(|parameter, value| !is_default(parameter, value));
        }
        short.to_string()
    }
}

impl Family {
    fn parameter(&self, name: &str) -> Result<&Parameter, UnknownStrategy> {
        self.parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
            let problem = format!("`{}` has no parameter `{name}`", self.name);
            UnknownStrategy::new(problem, name, self.parameters.iter().map(|p| p.name))
        })
    }

    fn parameter_with(&self, value: &str) -> Result<&Parameter, UnknownStrategy> {
        let has = |parameter: &&Parameter| parameter.values.contains(&value);
        self.parameters.iter().find(has).ok_or_else(|| {
            let problem = format!("no parameter of `{}` can be `{value}`", self.name);
            let values = self.parameters.iter().flat_map(|parameter| &parameter.values);
            UnknownStrategy::new(problem, value, values.copied())
        })
    }
}

impl Parameter {
    fn allows(&self, value: &str) -> Result<(), UnknownStrategy> {
        if self.values.contains(&value) {
            return Ok(());
        }
        let problem = format!("the parameter `{}` cannot be `{value}`", self.name);
        Err(UnknownStrategy::new(problem, value, self.values.iter().copied()))
    }
}
