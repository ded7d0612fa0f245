//! What settling leads to that is no state of the search: with patient timers,
//! settling may do what they may not.
//!
//! Invariant: a search that is complete has judged where every quiet state
//! settles, and what it goes through for ever if it does not settle. It does not
//! know what is judged.

use crate::history::{Call, NodeId, Operation};
use crate::world::{Ending, Shows, Told, re_execute};

use super::super::parts::rest_of;
use super::super::path::way_to;
use super::super::quiet::Looks;
use super::super::settled::Settled;
use super::super::stale;
use super::super::store::State;
use super::super::{Matter, Refused, Sight};
use super::{Engine, Judge};

impl Engine<'_> {
    /// Shows where quiet states settle, or what they go through for ever, if
    /// that is no state of this search: with patient timers, settling may do
    /// what they may not.
    pub(super) fn judge_elsewhere(&mut self, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let musts = self.tables.plan.tracks.invariants && !self.tables.musts().is_empty();
        if (self.wanted == 0 && !musts) || !self.tables.numbers.timers {
            return Ok(());
        }
        let states: Vec<State> = self.store.states().collect();
        for state in states {
            let row = self.store.row(state).to_vec();
            if !self.tables.numbers.is_quiet(&row) {
                continue;
            }
            self.tables.look_from(rest_of(&row));
            match self.tables.settled(&row)? {
                Settled::Here => {}
                Settled::There(target) => {
                    self.tables.look_from(rest_of(&target));
                    self.meet(&target, state);
                    match self.tables.judge(&target, Looks::Quiet, judge) {
                        Err(Refused::Panicked(_)) => self.offer(Matter::Panic, state, None, None),
                        violated => self.note(violated?, state, None),
                    }
                }
                Settled::Nowhere if self.tables.plan.patient => self.judge_endless(state, judge)?,
                // These are steps of this search: see `live`.
                Settled::Nowhere => {}
            }
        }
        Ok(())
    }

    /// Shows what settling goes through for ever from a quiet state, as a world
    /// does it. Timers that are not patient take part in that, so fair cycles of
    /// this search do not cover it (random protocol 555,636).
    fn judge_endless(&mut self, state: State, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let plan = self.tables.plan;
        let found = |matter| self.known.contains(&matter) || self.fresh.contains_key(&matter);
        let endless = found(Matter::Oscillating) || found(Matter::NeverQuiet);
        // That it is endless violates every model of quiet runs. Something else may
        // still be judged, and it may be unknown whether it is endless.
        let lively = self.wanted & plan.lively != 0;
        let more = self.wanted & plan.lively & !plan.quieting != 0;
        let musts = plan.tracks.invariants && !self.tables.musts().is_empty();
        if !(lively && (more || !endless)) && !musts {
            return Ok(());
        }
        self.is_told_whole(true, stale::ENDLESS)?;
        let workload = self.tables.clients.workload(self.rest_of(state), None);
        let stem = way_to(&self.tables, &self.store, &workload, state, None)?;
        let (strategy, setting) = (self.tables.strategy, self.tables.setting);
        let shows = if plan.tracks.severed { Shows::Severed } else { Shows::End };
        let run = re_execute(strategy, setting, &workload, &stem, shows);
        let matter = match run.ending {
            Ending::Oscillating { .. } => Matter::Oscillating,
            Ending::NeverQuiet { .. } => Matter::NeverQuiet,
            Ending::Unsettled(_) => {
                self.unsettled = true;
                return Ok(());
            }
            // A panic was seen when the search settled.
            _ => return Ok(()),
        };
        if !lively {
            return Ok(());
        }
        self.offer(matter, state, None, None);
        self.waiting |= run.stuck.is_none();
        self.unasked |= run.visits.is_none();
        for visit in run.visits.iter().flatten() {
            let answers: Vec<_> = visit.finals().iter().map(asked_of).collect();
            let sight = Sight {
                history: &visit.history,
                operations: &visit.operations,
                answers: &answers,
                open: run.stuck.as_ref().map_or(0, Vec::len),
                quiet: true,
                recurs: true,
                facts: plan.tracks.visible.then_some(&visit.facts),
            };
            let violated = judge(&sight) & plan.lively;
            self.note(violated, state, None);
        }
        Ok(())
    }
}

/// A final read as judges see it: who was asked what, and the answer.
fn asked_of(read: &Operation) -> (NodeId, Call, Told) {
    let node = read.node.expect("a world says who was asked");
    (node, read.call.clone(), Told::from(&read.completion))
}
