//! Both hunts of one strategy in one setting, and their combined result.
//!
//! The exhaustive hunt searches every run in a small scope. Then the random
//! hunt samples a larger scope, for the properties that were not violated. Only
//! the exhaustive hunt makes a property *proved*, in a scope; the random hunt
//! makes it *sampled*.

use super::Subject;
use super::exhaustive::{self, Doubt, Proof};
use super::minimise::Failing;
use super::property::Property;
use super::random;
use super::unreached::Unreached;
use crate::history::Menu;
use crate::replication::When;
use crate::search::exhaustive::Open;
use crate::world::{Ending, Faults};

/// Which hunts to run; at least one of the two.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is judged.
    pub properties: Vec<Property>,
    /// The exhaustive hunt, if it is to run.
    pub exhaustive: Option<exhaustive::Plan>,
    /// The random hunt, if it is to run. Its properties are replaced by those
    /// above that the exhaustive hunt did not find violated.
    pub random: Option<random::Plan>,
}

/// How a failing run was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum How {
    /// In a random run.
    Random {
        /// The number of the run.
        run: u64,
        /// That run, before it was shrunk.
        first: Box<Failing>,
    },
    /// By the exhaustive hunt, so no run in the scope is shorter.
    Exhaustive {
        /// The scope.
        scope: Open,
        /// Distinct states found so far.
        states: u64,
    },
}

/// A failing run, and how it was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The run.
    pub failing: Failing,
    /// How it was found.
    pub how: How,
}

impl Finding {
    fn of(found: random::Shrunk) -> Finding {
        let random::Shrunk { failing, first, run } = found;
        Finding { failing, how: How::Random { run, first: Box::new(first) } }
    }

    /// Whether it was checked that no action can be removed. A run with a
    /// chosen cycle is not minimised, because without any one of its steps the
    /// cycle does not close.
    pub fn is_minimal(&self) -> bool {
        !matches!(self.failing.run.ending, Ending::Cycle { .. })
    }
}

/// What both hunts found about one property.
#[derive(Clone, Debug)]
pub struct Conclusion {
    /// Which property.
    pub property: Property,
    /// A run that violates it.
    pub finding: Option<Box<Finding>>,
    /// The shortest random run of each other cause ([`random::Found::others`]).
    pub others: Vec<Finding>,
    /// The scopes in which it is proved.
    pub proofs: Vec<Proof>,
    /// Why the exhaustive hunt proved no more, if there was one.
    pub doubts: Vec<Doubt>,
    /// How many random runs could not be decided, and why the first of them
    /// could not.
    pub undecided: Option<(u64, String)>,
    /// How many answers (or other facts) were judged.
    pub looked_at: u64,
    /// Whether random runs were judged by it.
    pub sampled: bool,
}

/// What both hunts found out.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// One entry for each property, in the order of the plan.
    pub conclusions: Vec<Conclusion>,
    /// What clients chose from.
    pub menu: Menu,
    /// The coverage of the exhaustive hunt, if it ran.
    pub searched: Option<exhaustive::Explored>,
    /// The coverage of the random hunt; empty if it did not run.
    pub sampled: random::Sample,
    /// What was in no run; empty if all properties are violated, for then the hunts ended
    /// early.
    pub unreached: Unreached,
}

/// Runs both hunts. The exhaustive hunt calls `look` regularly, and ends its
/// current part if that returns true. The random hunt calls `stop` with the
/// number of runs done, and ends if that returns true.
pub fn hunt(
    subject: &dyn Subject,
    plan: &Plan,
    look: &dyn Fn(exhaustive::Stage<'_>) -> bool,
    stop: &dyn Fn(u64) -> bool,
) -> Hunt {
    let open = |property: &Property| Conclusion {
        property: property.clone(),
        finding: None,
        others: Vec::new(),
        proofs: Vec::new(),
        doubts: Vec::new(),
        undecided: None,
        looked_at: 0,
        sampled: false,
    };
    let mut conclusions: Vec<_> = plan.properties.iter().map(open).collect();
    let searched = plan.exhaustive.as_ref().map(|exhaustive| {
        let plan = exhaustive::Plan { properties: plan.properties.clone(), ..exhaustive.clone() };
        let hunt = exhaustive::hunt(subject, &plan, look);
        for (conclusion, (_, outcome)) in conclusions.iter_mut().zip(hunt.found) {
            conclusion.hear_exhaustive(outcome);
        }
        hunt.coverage
    });
    let mut sampled = random::Sample::default();
    if let Some(random) = &plan.random {
        let still = |conclusion: &Conclusion| conclusion.finding.is_none();
        let properties: Vec<_> =
            conclusions.iter().filter(|c| still(c)).map(|c| c.property.clone()).collect();
        // If every property is violated already, random runs are of no use. If
        // no property was asked for, they still show which states are reached.
        if !properties.is_empty() || conclusions.is_empty() {
            let hunt = random::hunt(subject, &random::Plan { properties, ..random.clone() }, stop);
            sampled = hunt.coverage;
            for (conclusion, found) in conclusions.iter_mut().filter(|c| still(c)).zip(hunt.found) {
                conclusion.hear_random(found);
            }
        }
    }
    // A `sometimes` invariant counts as reached if either hunt reached it. The
    // two see different states: random runs with four operations a session
    // reach "some node has two keys", which a scope with one key never does.
    let reached = searched.as_ref().map(|searched| searched.reached.clone()).unwrap_or_default();
    let conditions = subject.conditions();
    let missed = |at: usize| conditions[at].1 == When::Sometimes && !reached.contains(&at);
    let missing = (0..conditions.len()).filter(|at| missed(*at)).map(|at| conditions[at].0);
    let by_random = |name: &&str| sampled.runs == 0 || sampled.never_reached.contains(name);
    sampled.never_reached = missing.filter(by_random).collect();
    let menus = plan.exhaustive.iter().map(|plan| &plan.menu);
    let menu = menus.chain(plan.random.iter().map(|plan| &plan.scope.menu)).next();
    let menu = menu.cloned().unwrap_or_default();
    let unreached = match conclusions.iter().all(|conclusion| conclusion.finding.is_some()) {
        true => Unreached::default(),
        false => unreached(plan, &menu, searched.as_ref(), &sampled),
    };
    Hunt { conclusions, menu, searched, sampled, unreached }
}

/// What was in no run of either hunt.
fn unreached(
    plan: &Plan,
    menu: &Menu,
    searched: Option<&exhaustive::Explored>,
    sampled: &random::Sample,
) -> Unreached {
    let searches = plan.exhaustive.iter().map(|plan| &plan.setting);
    let runs = plan.random.iter().filter(|_| sampled.runs > 0).map(|plan| &plan.scope.setting);
    let mut allowed = Faults::NONE;
    for setting in searches.chain(runs) {
        for (kind, may) in setting.faults.budget.each() {
            allowed[kind] = may.max(allowed[kind]);
        }
    }
    let happened = |kind| {
        let by_search = searched.is_some_and(|searched| searched.faults[kind] > 0);
        by_search || sampled.faults.contains_key(&kind)
    };
    let by_search = searched.and_then(|searched| searched.answered.as_ref());
    let by_runs = (sampled.runs > 0).then_some(&sampled.answered);
    let answered: Vec<_> = by_search.into_iter().chain(by_runs).collect();
    // A search may be told that clients do not read, or only read.
    let scopes = || plan.exhaustive.iter().flat_map(|plan| &plan.scopes);
    let by_runs = sampled.runs > 0;
    let mut asked = menu.clone();
    asked.updates.retain(|_| by_runs || scopes().any(|scope| scope.writes > 0));
    asked.queries.retain(|_| by_runs || scopes().any(|scope| scope.reads > 0));
    Unreached::of((allowed, &happened), &asked, &answered)
}

impl Conclusion {
    fn hear_exhaustive(&mut self, outcome: exhaustive::Decision) {
        match outcome {
            exhaustive::Decision::Proved(proofs, doubts) => {
                self.doubts = doubts;
                self.looked_at += proofs.iter().map(|proof| proof.looked_at).sum::<u64>();
                // A complete search that judged no answer proved nothing.
                self.proofs = proofs.into_iter().filter(|proof| proof.looked_at > 0).collect();
            }
            exhaustive::Decision::Violated(found) => {
                let exhaustive::Shortest { failing, scope, states } = *found;
                let how = How::Exhaustive { scope, states };
                self.finding = Some(Box::new(Finding { failing, how }));
            }
            exhaustive::Decision::Unknown(doubts) if doubts.is_empty() => {
                self.doubts = vec![Doubt::Because("nothing was searched".to_owned())];
            }
            exhaustive::Decision::Unknown(doubts) => self.doubts = doubts,
            exhaustive::Decision::NotCovered(why) => {
                self.doubts = vec![Doubt::Because(why.to_owned())];
            }
        }
    }

    fn hear_random(&mut self, found: random::Found) {
        self.sampled = true;
        self.looked_at += found.looked_at;
        let others = found.others;
        match found.outcome {
            random::Sampled::None => {}
            random::Sampled::Violated(found) => {
                self.finding = Some(Box::new(Finding::of(*found)));
                self.others = others.into_iter().map(Finding::of).collect();
            }
            random::Sampled::Unknown(runs, why) => self.undecided = Some((runs, why)),
        }
    }
}
