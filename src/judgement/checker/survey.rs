//! One history under every model: its place in the lattice.
//!
//! Strong models come first, and a verdict is reused where the lattice says
//! that it decides another model: a linearizable order is a witness for all
//! that linearizability implies, and what violates causal consistency violates
//! sequential consistency. So no two verdicts contradict the lattice, and most
//! models cost nothing. The lattice itself is compared with the oracle by
//! tests; it is used only for registers that are only read and written. Where
//! registers are also compared and set, an order of all operations is evidence for
//! every model that it implies: each operation sees what is before it in the order.

use std::rc::Rc;

use super::decide::is_for_every_datatype;
use super::judge::Judge;
use super::orders::{delta_atomic, k_atomic};
use super::whole::{Decision, Meter};
use crate::history::History;
use crate::judgement::checker::orders::k_atomic::Least;
use crate::judgement::model::{Model, implies, is_quiet, nodes};
use crate::judgement::verdict::{Budget, Unknown, Verdict, Witness};

/// A history under every model.
#[derive(Clone, Debug)]
pub struct Survey {
    verdicts: Vec<Entry>,
    /// Whether there are reads at quiescence.
    has_finals: bool,
    /// The least k for which it is k-atomic; `Ok(None)` if there is none; the
    /// bounds that are known if the budget ended.
    pub least_k: Result<Option<u32>, (u32, u32)>,
    /// The least Δ for which it is Δ-atomic, in nanoseconds; `Ok(None)` if
    /// there is none.
    pub least_delta: Result<Option<u64>, Unknown>,
}

/// The verdict on one model.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The model.
    pub model: Model,
    /// What was found; shared with the verdict that it follows from.
    pub verdict: Rc<Verdict>,
    /// The model that was judged, if this verdict follows from that one.
    pub from: Option<Model>,
}

/// The order in which models are judged: those that decide most others first.
fn plan() -> Vec<Model> {
    let first = ["linearizable", "base", "ccv", "sequential", "ccv_ev", "cc", "sess3", "pram"];
    let named = first.map(|name| name.parse::<Model>().expect("the model exists"));
    let mut plan: Vec<Model> = named.to_vec();
    let rest = nodes().chain(Model::all()).filter(|model| !named.contains(model));
    for model in rest {
        if !plan.contains(&model) {
            plan.push(model);
        }
    }
    plan
}

impl Survey {
    /// Judges a history by every model.
    ///
    /// `budget` is what each model may spend. The order of the entries is that
    /// of [`Model::all`].
    pub fn of(history: &History, budget: Budget) -> Survey {
        let all: Vec<Model> = Model::all().collect();
        let judge = Judge::of(history);
        let mut survey = Survey::among(&judge, &all, |model| judge.check(model, budget));
        (survey.least_k, survey.least_delta) = judge.least(budget);
        survey
    }

    /// Judges by these models only, and calls `check` only where the lattice
    /// does not decide; the least k and Δ are not searched for. The order of
    /// the entries is that of the models.
    pub fn among(
        judge: &Judge<'_>,
        models: &[Model],
        mut check: impl FnMut(Model) -> Verdict,
    ) -> Survey {
        let plain = judge.whole.as_ref().is_ok_and(|whole| whole.plain);
        let has_finals = judge.whole.as_ref().is_ok_and(|whole| whole.history.has_final_reads());
        let register = judge.datatype() == Some("register");
        let quiet = register
            && (!has_finals || judge.whole.as_ref().is_ok_and(|whole| is_quiet(whole.history)));
        let mut done: Vec<Entry> = Vec::new();
        for model in plan().into_iter().chain(models.iter().copied()) {
            if !models.contains(&model) || done.iter().any(|entry| entry.model == model) {
                continue;
            }
            let ordered = (register && !judge.covers(model)) || is_for_every_datatype(model);
            let known = done.iter().filter(|entry| entry.from.is_none()).find(|entry| {
                let order = ordered && matches!(*entry.verdict, Verdict::Holds(Witness::Linear(_)));
                (plain || order)
                    && match &*entry.verdict {
                        Verdict::Holds(_) => implies(entry.model, model, quiet),
                        Verdict::Violated(_) => implies(model, entry.model, quiet),
                        Verdict::Unknown(_) => false,
                    }
            });
            done.push(match known {
                Some(entry) => {
                    Entry { model, verdict: Rc::clone(&entry.verdict), from: Some(entry.model) }
                }
                None => Entry { model, verdict: Rc::new(check(model)), from: None },
            });
        }
        if plain {
            shown_by_weaker(&mut done, quiet);
        }
        let place = |entry: &Entry| models.iter().position(|model| *model == entry.model);
        done.sort_by_key(place);
        let (least_k, least_delta) = (Err((1, u32::MAX)), Err(unasked()));
        Survey { verdicts: done, has_finals, least_k, least_delta }
    }

    /// Leaves out the models that say nothing about the datatype of the history, and
    /// returns them: there is nothing to search for.
    pub fn leave_out(&mut self, judge: &Judge<'_>) -> Vec<Model> {
        let unknown = |entry: &Entry| matches!(*entry.verdict, Verdict::Unknown(_));
        let says_nothing = |entry: &mut Entry| unknown(entry) && !judge.covers(entry.model);
        self.verdicts.extract_if(.., says_nothing).map(|entry| entry.model).collect()
    }

    /// Leaves out the models that are none of these.
    pub fn keep(&mut self, models: &[Model]) {
        self.verdicts.retain(|entry| models.contains(&entry.model));
    }

    /// The verdicts, in the order of the models.
    pub fn entries(&self) -> &[Entry] {
        &self.verdicts
    }

    /// The verdict on a model, if it was judged. (A survey of all models has
    /// none on those that take a number.)
    pub fn entry(&self, model: Model) -> Option<&Entry> {
        self.verdicts.iter().find(|entry| entry.model == model)
    }

    /// The models of the lattice whose verdict is `like` that.
    fn nodes(&self, like: impl Fn(&Verdict) -> bool) -> Vec<Model> {
        let alike = |model: &Model| self.entry(*model).is_some_and(|entry| like(&entry.verdict));
        // Without reads at quiescence, `!` asks for nothing.
        let counts = |model: &Model| self.has_finals || !model.is_eventual();
        nodes().filter(counts).filter(alike).collect()
    }

    /// The strongest models of the lattice that hold.
    pub fn strongest(&self) -> Vec<Model> {
        let holds = self.nodes(Verdict::holds);
        let implied = |model: Model| {
            holds.iter().any(|other| implies(*other, model, true) && !implies(model, *other, true))
        };
        apart(holds.iter().copied().filter(|model| !implied(*model)))
    }

    /// The weakest models of the lattice that fail.
    pub fn weakest_failing(&self) -> Vec<Model> {
        let fails = self.nodes(|verdict| verdict.kind().is_some());
        let implies_another = |model: Model| {
            fails.iter().any(|other| implies(model, *other, true) && !implies(*other, model, true))
        };
        apart(fails.iter().copied().filter(|model| !implies_another(*model)))
    }

    /// The models of the lattice on which there is no verdict.
    pub fn unknown(&self) -> Vec<Model> {
        self.nodes(|verdict| matches!(verdict, Verdict::Unknown(_)))
    }
}

/// Replaces a counterexample that is not known to be minimal by a minimal one
/// of a weaker model, which is a counterexample of the stronger model too.
fn shown_by_weaker(done: &mut [Entry], quiet: bool) {
    let minimal = |entry: &Entry| {
        entry.from.is_none() && matches!(&*entry.verdict, Verdict::Violated(found) if found.minimal)
    };
    for at in 0..done.len() {
        let model = done[at].model;
        if done[at].verdict.kind().is_none() || done[at].from.is_some() || minimal(&done[at]) {
            continue;
        }
        let weaker = |other: &&Entry| minimal(other) && implies(model, other.model, quiet);
        if let Some(weaker) = done.iter().find(weaker) {
            let (from, verdict) = (Some(weaker.model), Rc::clone(&weaker.verdict));
            done[at] = Entry { model, verdict, from };
        }
    }
}

/// One of each group of models that allow the same histories.
fn apart(models: impl Iterator<Item = Model>) -> Vec<Model> {
    let mut all: Vec<Model> = Vec::new();
    for model in models {
        let equal = |other: &Model| implies(*other, model, true) && implies(model, *other, true);
        if !all.iter().any(equal) {
            all.push(model);
        }
    }
    all
}

/// The least k, or the known bounds if the budget ended, and the least Δ.
pub type Leasts = (Result<Option<u32>, (u32, u32)>, Result<Option<u64>, Unknown>);

/// Why there is no least Δ in a survey that did not search for it.
fn unasked() -> Unknown {
    Unknown { reason: "it was not looked for".to_owned(), spent: 0 }
}

/// The least k and the least Δ (nanoseconds) for which a history is k-atomic
/// and Δ-atomic; `None` if there is none.
///
/// Complexity: Δ in O(n log n) for each step of a binary search where every
/// answer has one possible source; k within `budget`, unless its bounds meet.
pub fn least(history: &History, budget: Budget) -> Leasts {
    Judge::of(history).least(budget)
}

impl Judge<'_> {
    /// The least k and the least Δ, as [`least`] finds them.
    pub fn least(&self, budget: Budget) -> Leasts {
        let Some(whole) = self.whole.as_ref().ok().filter(|whole| whole.plain) else {
            let reason = "staleness is about registers that are only read and written";
            let unknown = Unknown { reason: reason.to_owned(), spent: 0 };
            return (Err((1, u32::MAX)), Err(unknown));
        };
        let least_k = match k_atomic::least(whole, &mut Meter::new(budget)) {
            Least::None => Ok(None),
            Least::Is(k) => Ok(Some(k)),
            Least::Between(lower, upper) => Err((lower, upper)),
        };
        let mut meter = Meter::new(budget);
        let least_delta = delta_atomic::least(whole, &mut meter).map_err(|decision| {
            let reason = match decision {
                Decision::Unknown(reason) => reason,
                _ => "no verdict",
            };
            Unknown { reason: reason.to_owned(), spent: meter.spent() }
        });
        (least_k, least_delta)
    }
}
