//! The exam of the tool itself: is every known bug found, and nothing accused that is
//! without it?
//!
//! For each mutant there are four hunts: one that searches every run of small scopes, one of
//! random runs, one for violations of what the mutant keeps, and one for its violation where
//! the bug is repaired.
//! Invariant: what is graded is what the hunts found; a hunt that was cut short fails
//! nobody and passes nobody.

use super::both::{Conclusion, How, Hunt};
use super::mutant::Mutant;
use super::outcome::{Outcome, Status};
use super::property::Property;
use super::random::Sample;
use crate::search::exhaustive::Open;

/// What the hunts for one mutant found.
#[derive(Clone, Debug)]
pub struct Paper<'h> {
    /// The mutant.
    pub mutant: &'h Mutant,
    /// Every run of small scopes, searched for what it violates.
    pub searched: &'h Hunt,
    /// Random runs, searched for the same.
    pub sampled: &'h Hunt,
    /// Both, searched for violations of what it keeps.
    pub kept: &'h Hunt,
    /// The strategy without the bug, in every run of small scopes and in random runs.
    pub repaired: &'h Hunt,
}

/// How the mutant was convicted by exhaustive search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// The actions of its counterexample; no run of the scope has fewer.
    pub actions: usize,
    /// Distinct states seen before.
    pub states: u64,
    /// The scope.
    pub scope: Open,
}

/// How the mutant was convicted by random runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// The actions of its counterexample.
    pub actions: usize,
    /// The number of the run that it was shrunk from.
    pub run: u64,
}

/// What is wrong with a paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Neither hunt convicted the mutant in the way that is stated.
    NotConvicted,
    /// The shortest counterexample has this many actions, more than are stated.
    Longer(usize),
    /// It violates something that it is said to keep.
    Breaks(Property),
    /// The strategy without the bug is accused, too.
    Accused,
    /// A hunt was cut short, or judged nothing.
    Unfinished,
}

impl Paper<'_> {
    /// The conviction by exhaustive search, if it lies within the scopes.
    pub fn by_search(&self) -> Option<Searched> {
        let finding = convicted(self.mutant, self.searched)?;
        match finding.how {
            How::Exhaustive { scope, states } => {
                Some(Searched { actions: finding.failing.run.schedule.len(), states, scope })
            }
            How::Random { .. } => None,
        }
    }

    /// The conviction by random runs.
    pub fn by_random(&self) -> Option<Sampled> {
        let finding = convicted(self.mutant, self.sampled)?;
        match finding.how {
            How::Random { run, .. } => {
                Some(Sampled { actions: finding.failing.run.schedule.len(), run })
            }
            How::Exhaustive { .. } => None,
        }
    }

    /// The outcome for each property that the mutant keeps.
    pub fn kept(&self) -> impl Iterator<Item = (&Conclusion, Outcome)> {
        let all = self.kept.conclusions.iter();
        all.map(|found| (found, Outcome::of(found, &self.kept.sampled)))
    }

    /// What was found of the strategy without the bug, and what follows from it.
    ///
    /// # Panics
    /// If the hunt did not look for what the mutant violates.
    pub fn acquitted(&self) -> (&Conclusion, Outcome) {
        let found = about(&self.mutant.property, self.repaired);
        (found, Outcome::of(found, &self.repaired.sampled))
    }

    /// What is wrong; nothing if the mutant was convicted and nothing else accused.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut all = Vec::new();
        let lengths = [
            self.by_search().map(|found| found.actions),
            self.by_random().map(|found| found.actions),
        ];
        match lengths.into_iter().flatten().min() {
            None if self.is_cut_short() => {}
            None => all.push(Complaint::NotConvicted),
            Some(least) if least > self.mutant.bug.actions => all.push(Complaint::Longer(least)),
            Some(_) => {}
        }
        for (found, outcome) in self.kept() {
            if let Outcome::Violated(_) = outcome {
                all.push(Complaint::Breaks(found.property.clone()));
            }
        }
        let (_, acquitted) = self.acquitted();
        if let Outcome::Violated(_) = acquitted {
            all.push(Complaint::Accused);
        }
        let open = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(_) | Outcome::Vacuous(_));
        let unsure = open(&acquitted) || self.kept().any(|(_, outcome)| open(&outcome));
        if unsure || self.is_cut_short() {
            all.push(Complaint::Unfinished);
        }
        all
    }

    /// How it ends for this mutant.
    pub fn status(&self) -> Status {
        let complaints = self.complaints();
        match complaints.iter().all(|complaint| *complaint == Complaint::Unfinished) {
            _ if complaints.is_empty() => Status::Holds,
            true => Status::Unknown,
            false => Status::Violated,
        }
    }

    fn is_cut_short(&self) -> bool {
        let hunts = [self.searched, self.sampled, self.kept, self.repaired];
        let stopped = |hunt: &Hunt| hunt.searched.as_ref().is_some_and(|searched| searched.stopped);
        let short = |Sample { cut_short, .. }: &Sample| *cut_short;
        hunts.iter().any(|hunt| stopped(hunt) || short(&hunt.sampled))
    }
}

/// What the hunt found of this property.
fn about<'h>(property: &Property, hunt: &'h Hunt) -> &'h Conclusion {
    let about = |found: &&Conclusion| found.property == *property;
    hunt.conclusions.iter().find(about).expect("the hunt looked for it")
}

/// What the hunt found, if it is what the mutant is known for.
fn convicted<'h>(mutant: &Mutant, hunt: &'h Hunt) -> Option<&'h super::both::Finding> {
    let finding = about(&mutant.property, hunt).finding.as_deref();
    finding.filter(|finding| finding.failing.flaw == mutant.flaw)
}

/// Of a hundred mutants random runs have to find so many.
const BY_RANDOM: usize = 90;

/// Whether enough mutants are convicted by random runs.
pub fn enough_by_random(papers: &[Paper<'_>]) -> bool {
    let found = papers.iter().filter(|paper| paper.by_random().is_some()).count();
    found * 100 >= papers.len() * BY_RANDOM
}

/// How the exam ends.
pub fn status(papers: &[Paper<'_>]) -> Status {
    let all: Vec<_> = papers.iter().map(Paper::status).collect();
    if all.contains(&Status::Violated) {
        Status::Violated
    } else if all.contains(&Status::Unknown) {
        Status::Unknown
    } else if papers.is_empty() {
        Status::Nothing
    } else if enough_by_random(papers) {
        Status::Holds
    } else {
        Status::Violated
    }
}
