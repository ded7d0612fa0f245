//! What might have been in the runs of a hunt, and was in none: a hunt that finds no
//! violation says nothing of it.

use std::collections::BTreeSet;

use crate::history::{Completion, Function, History, Menu};
use crate::world::{FaultKind, Faults};

/// What was in no run, whatever the runs were judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreached {
    /// Faults that were allowed and never happened.
    pub faults: Vec<FaultKind>,
    /// What clients might ask, and was never answered: neither refused nor left open.
    pub calls: Vec<Function>,
}

impl Unreached {
    /// What is left of the faults that were allowed and of the menu by what happened, and
    /// what each hunt was answered; if no hunt heard anything, only of the faults.
    pub fn of(
        (allowed, happened): (Faults, &dyn Fn(FaultKind) -> bool),
        menu: &Menu,
        answered: &[&Answered],
    ) -> Unreached {
        let faults = allowed.each().filter(|(kind, may)| *may > 0 && !happened(*kind));
        let mut calls: Vec<Function> = Vec::new();
        for item in menu.updates.iter().chain(&menu.queries) {
            let is_open = answered.iter().all(|one| !one.0.contains(&item.f));
            if is_open && !answered.is_empty() && !calls.contains(&item.f) {
                calls.push(item.f.clone());
            }
        }
        Unreached { faults: faults.map(|(kind, _)| kind).collect(), calls }
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.calls.is_empty()
    }
}

/// What clients were answered in some run. Final reads are asked by the hunt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered(BTreeSet<Function>);

impl Answered {
    /// Takes note of a run.
    pub(super) fn hear(&mut self, history: &History) {
        for operation in history.operations() {
            let is_ok = matches!(operation.completion, Completion::Ok(_));
            if is_ok && !operation.final_read && !self.0.contains(&operation.call.f) {
                self.0.insert(operation.call.f.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation;

    #[test]
    fn what_neither_happened_nor_was_answered_is_left() {
        let mut allowed = Faults::NONE;
        allowed[FaultKind::Drop] = 2;
        allowed[FaultKind::Crash] = 1;
        let (mut answered, mut other) = (Answered::default(), Answered::default());
        answered.hear(&notation::parse("wx1").expect("a history"));
        let crash = |kind| kind == FaultKind::Crash;
        let of =
            |answered: &[&Answered]| Unreached::of((allowed, &crash), &Menu::register(), answered);
        let left = of(&[&answered, &other]);
        assert_eq!(left, Unreached { faults: vec![FaultKind::Drop], calls: vec![Function::Read] });
        assert_eq!(of(&[]).calls, [], "nothing was heard");
        other.hear(&notation::parse("rx0").expect("a history"));
        let answered: &[_] = &[&answered, &other];
        let left = Unreached::of((allowed, &|_| true), &Menu::register(), answered);
        assert!(left.is_empty());
    }

    #[test]
    fn what_is_refused_or_open_is_no_answer_and_no_client_asks_final_reads() {
        for history in ["wx1~", "wx1?", "rx0!"] {
            let mut answered = Answered::default();
            answered.hear(&notation::parse(history).expect("a history"));
            assert_eq!(answered, Answered::default());
        }
    }
}
