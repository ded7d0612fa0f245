//! What may go on for ever, judged when a search is complete.
//!
//! Invariant: every fair cycle of the search is looked at, and a violation that
//! is kept is one that a world repeats. Which cycles are fair is not known here.

use super::super::liveness::{Just, Kinds, just_components};
use super::super::parts::rest_of;
use super::super::path::{self, way_to};
use super::super::quiet::Looks;
use super::super::skip::Before;
use super::super::stale;
use super::super::steps::steps;
use super::super::store::State;
use super::super::{Found, Matter, Refused};
use super::{Engine, Judge};

/// Why replicas cannot be counted as one that differ in what nobody observes.
const UNSEEN: &str = "what recurs as far as it can be observed does not recur as a whole";

impl Engine<'_> {
    /// Looks for what may go on for ever, and judges the answers in it.
    pub(super) fn live(&mut self, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let numbers = &self.tables.numbers;
        let asked = self.wanted & self.tables.plan.lively;
        // Without timers, deliveries that send nothing come to an end.
        if asked == 0 || !(numbers.timers || numbers.reacts) || numbers.ticks {
            return Ok(());
        }
        if !numbers.permutations.is_empty() {
            return Err(Refused::Reduction("symmetry", "fair cycles are looked for"));
        }
        self.fill()?;
        self.tables.know_contents();
        for component in just_components(&self.tables, &self.store) {
            self.live_in(&component, judge)?;
        }
        Ok(())
    }

    /// Judges the answers in a component.
    fn live_in(&mut self, component: &Just, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let busy = component.kinds == Kinds::Deliveries;
        if busy {
            self.keep_cycle(Matter::NeverQuiet, component, component.states[0])?;
        }
        let mut answers = None;
        for &state in &component.states {
            let row = self.store.row(state).to_vec();
            let here = match self.tables.finals(&row) {
                // That it goes on stands all the same, but nobody can be asked
                // here. Where settling asks, the panic was seen.
                Err(Refused::Panicked(_)) => {
                    self.unasked = true;
                    continue;
                }
                here => here?,
            };
            let before = *answers.get_or_insert(here);
            if !busy && !self.tables.answers_alike(before, here) {
                self.keep_cycle(Matter::Oscillating, component, state)?;
            }
            // Where a timer may yet answer, a larger component has it fire.
            let looks = if busy { Looks::Churns } else { Looks::Recurs };
            self.waiting |=
                busy && self.tables.patient() && self.tables.clients.open(rest_of(&row)) > 0;
            let violated = self.tables.judge(&row, looks, judge)?;
            let fresh = violated & self.wanted & self.tables.plan.lively;
            for bit in (0..64).filter(|bit| fresh & (1 << bit) != 0) {
                self.keep_cycle(Matter::Judged(bit), component, state)?;
            }
        }
        Ok(())
    }

    /// Adds what is missing to know every step of every state, the skipped
    /// ones included.
    fn fill(&mut self) -> Result<(), Refused> {
        let reduce = self.tables.plan.reduce;
        let mut room = Vec::new();
        for state in self.store.states() {
            let row = self.store.row(state);
            room.clear();
            while let Err(miss) =
                steps(&self.tables.numbers, reduce, row, (state, 0), Before::NONE, &mut room)
            {
                self.tables.resolve(miss)?;
                room.clear();
            }
        }
        Ok(())
    }

    /// Keeps what is violated in a component for the first time, with the way
    /// to it and round in it.
    fn keep_cycle(
        &mut self,
        matter: Matter,
        component: &Just,
        state: State,
    ) -> Result<(), Refused> {
        if self.found.iter().any(|found| found.matter == matter) {
            return Ok(());
        }
        self.is_told_whole(true, stale::FOUND)?;
        let workload = self.tables.clients.workload(self.rest_of(state), None);
        let stem = way_to(&self.tables, &self.store, &workload, state, None)?;
        let walk = component.walk(&self.tables, &self.store, state);
        let Some(cycle) = path::cycle(&self.tables, &self.store, &workload, &stem, &walk)? else {
            assert!(self.tables.plan.reduce.forget, "what the search did, a world can do");
            return Err(Refused::Reduction("forget", UNSEEN));
        };
        self.found.push(Found { matter, workload, stem, cycle });
        Ok(())
    }
}
