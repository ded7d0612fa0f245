//! Two models side by side: the smallest history that one allows and the other forbids.
//!
//! Which histories tell models apart is known beforehand ([`SEPARATING`], found by going
//! through all small histories); what the models say of them is not: they are judged
//! here, by the checkers, and the evidence is replayed.

use super::checker::Judge;
use super::model::{Model, SEPARATING, implies, is_quiet};
use super::verdict::{Budget, Counterexample, Verdict, recheck};
use crate::history::{History, notation};

/// The largest number of a model for which histories are made.
const NUMBER_MAX: u32 = 64;

/// Whether one model implies another, for registers that are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Implied {
    /// Every history that the first model allows is allowed by the second.
    Always,
    /// Every such history is, if every write in it returned before the first read at
    /// quiescence began; not every other one.
    WhereQuiet,
    /// Not every such history is, or nothing is known of it.
    Never,
}

/// What one model allows and another one forbids.
#[derive(Clone, Debug)]
pub struct Apart {
    /// Whether the first model implies the second, so that there is no such history.
    pub implied: Implied,
    /// A history that the first allows and the second forbids. `None` if there is none, or
    /// none is known, as for models of staleness in time: the notation has no times.
    pub example: Option<Example>,
}

/// A history that one model allows and another one forbids.
#[derive(Clone, Debug)]
pub struct Example {
    /// The history.
    pub history: History,
    /// Why the second model forbids it.
    pub why: Counterexample,
    /// Whether no history with fewer operations does (not known of models with a number).
    pub smallest: bool,
}

/// The smallest history that `allows` allows and `forbids` forbids. If `allows` implies
/// `forbids` where all is quiet, the history is one where it is not.
///
/// ```
/// use quiescence::history::notation;
/// use quiescence::judgement::Model;
/// use quiescence::judgement::apart::{Implied, apart};
///
/// let (causal, sequential) = (Model::CAUSAL, Model::Sequential);
/// assert_eq!(apart(sequential, causal).implied, Implied::Always);
/// let example = apart(causal, sequential).example.expect("causal is weaker");
/// assert_eq!(notation::write(&example.history), "wx1 ry0|wy1 rx0 @ 00001111");
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn apart(allows: Model, forbids: Model) -> Apart {
    let implied = match (implies(allows, forbids, false), implies(allows, forbids, true)) {
        (true, _) => return Apart { implied: Implied::Always, example: None },
        (false, true) => Implied::WhereQuiet,
        (false, false) => Implied::Never,
    };
    let wanted = |history: &History| implied == Implied::WhereQuiet || is_quiet(history);
    let numbered = |model| matches!(model, Model::KAtomic(_) | Model::DeltaAtomic(_));
    let smallest = !numbered(allows) && !numbered(forbids);
    let of_a_number = match forbids {
        Model::KAtomic(k) if k <= NUMBER_MAX => behind(k),
        _ => Vec::new(),
    };
    let known = SEPARATING.iter().map(|text| (*text).to_owned());
    let example = known.chain(of_a_number).find_map(|text| {
        let history = notation::parse(&text).expect("the examples are in the notation");
        let why = if wanted(&history) { tells(&history, allows, forbids) } else { None };
        why.map(|why| Example { history, why, smallest })
    });
    Apart { implied, example }
}

/// A read that is `k` writes behind: of their process, and of another one.
fn behind(k: u32) -> Vec<String> {
    let writes = (1..=k).map(|value| format!("wx{value}")).collect::<Vec<_>>().join(" ");
    vec![format!("{writes} rx0"), format!("{writes}|rx0")]
}

/// Why `forbids` forbids the history, if it does, and `allows` allows it.
fn tells(history: &History, allows: Model, forbids: Model) -> Option<Counterexample> {
    let judge = Judge::of(history);
    let replayed = |model| {
        let verdict = judge.check(model, Budget::default());
        recheck(history, model, &verdict).is_ok().then_some(verdict)
    };
    if !replayed(allows)?.holds() {
        return None;
    }
    match replayed(forbids)? {
        Verdict::Violated(why) => Some(why),
        _ => None,
    }
}
