//! What the checkers outside the grid share: the history that is judged, the
//! budget that is left, and the decision.
//!
//! Knows no model and no algorithm.

use std::cell::OnceCell;

use rustc_hash::FxHashSet;

use super::parts::{Divided, answers, known};
use super::view::View;
use crate::history::{Completion, History, Key, Value};
use crate::judgement::datatype::{Datatype, Like, is_plain, with_article};
use crate::judgement::model::Model;
use crate::judgement::verdict::{Budget, Witness};

/// A history, or a part of one, that is judged.
pub(in crate::judgement::checker) struct Whole<'a> {
    pub(in crate::judgement::checker) history: &'a History,
    pub(in crate::judgement::checker) datatype: &'a dyn Datatype,
    /// Whether these are registers that are only read and written.
    pub(in crate::judgement::checker) plain: bool,
    /// The history as numbers, built on first use.
    view: OnceCell<View>,
    /// The parts of objects that are updated, found on first use.
    parts: OnceCell<FxHashSet<(Key, Value)>>,
}

impl<'a> Whole<'a> {
    pub(in crate::judgement::checker) fn of(
        history: &'a History,
        datatype: &'a dyn Datatype,
    ) -> Whole<'a> {
        let plain = datatype.name() == "register" && is_plain(history);
        Whole { history, datatype, plain, view: OnceCell::new(), parts: OnceCell::new() }
    }

    /// Why a model says nothing about what is judged.
    pub(in crate::judgement::checker) fn not_covered(&self, model: Model) -> String {
        let grid = matches!(model, Model::Grid(_) | Model::EventualRealTime);
        if grid && self.datatype.name() == "set" {
            "what concurrent adds and removes of a set mean has to be said: it may be set:add-wins, \
             set:remove-wins, set:last-writer, set:two-phase or set:grow-only"
                .to_owned()
        } else if grid && self.datatype.name() == Like::BY_KEY {
            format!(
                "{model} is about types whose concurrent updates have a meaning; that of some key \
                 gives them none: of each set it has to be said whether it is set:add-wins, \
                 set:remove-wins or another"
            )
        } else if grid && self.datatype.name() != "register" {
            format!(
                "{model} is about registers that are only read and written, and about types whose \
                 concurrent updates have a meaning; {} gives them none",
                with_article(self.datatype.name())
            )
        } else {
            format!("{model} is about registers that are only read and written")
        }
    }

    pub(in crate::judgement::checker) fn view(&self) -> &View {
        self.view.get_or_init(|| View::of(self.history))
    }

    /// What is left of the answers at these positions, where they say something of parts of
    /// objects that only operations elsewhere update.
    pub(in crate::judgement::checker) fn answers_left(
        &self,
        part: &[usize],
    ) -> Vec<(usize, Value)> {
        let divided = Divided::ByOperations;
        let known = |of: &(Key, Value)| {
            self.parts.get_or_init(|| known(self.history, self.datatype, divided)).contains(of)
        };
        answers(self.history, part, (self.datatype, divided), &known)
    }

    /// The operations at these positions, with what is left of their answers.
    ///
    /// If the whole has an order, so has this, if it has all operations about each part
    /// of which it has one: see [`Datatype::about`].
    pub(in crate::judgement::checker) fn restricted_to(&self, part: &[usize]) -> History {
        let chosen = self.history.restricted_to(part);
        let left = self.answers_left(part);
        if left.is_empty() {
            return chosen;
        }
        let mut all = chosen.operations().to_vec();
        for (at, answer) in left {
            let place = part.binary_search(&at).expect("it is in the part");
            all[place].completion = Completion::Ok(answer);
        }
        History::of(all).expect("only answers differ")
    }
}

/// What a checker found.
#[derive(Debug)]
pub(in crate::judgement::checker) enum Decision {
    Holds(Witness),
    /// Violated; this part (positions), once closed, is violated too.
    Fails(Vec<usize>),
    Unknown(&'static str),
}

impl Decision {
    pub(in crate::judgement::checker) fn unknown(reason: &'static str) -> Decision {
        Decision::Unknown(reason)
    }
}

/// What is left of a budget.
#[derive(Debug)]
pub(in crate::judgement::checker) struct Meter {
    given: u64,
    pub(in crate::judgement::checker) left: u64,
    stop: Option<fn() -> bool>,
}

impl Meter {
    pub(in crate::judgement::checker) fn new(budget: Budget) -> Self {
        Meter { given: budget.steps, left: budget.steps, stop: budget.stop }
    }

    /// Takes `steps`; false if fewer are left, or if the search must stop.
    pub(in crate::judgement::checker) fn spend(&mut self, steps: u64) -> bool {
        let enough = steps <= self.left && !self.is_stopped();
        self.left = self.left.saturating_sub(steps);
        enough
    }

    /// A meter of `steps`, or of what is left if that is less.
    pub(in crate::judgement::checker) fn part(&self, steps: u64) -> Meter {
        Meter::new(Budget { steps: steps.min(self.left), minimise: 0, stop: self.stop })
    }

    pub(in crate::judgement::checker) fn is_empty(&self) -> bool {
        self.left == 0 || self.is_stopped()
    }

    pub(in crate::judgement::checker) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop())
    }

    pub(in crate::judgement::checker) fn spent(&self) -> u64 {
        self.given - self.left
    }
}
