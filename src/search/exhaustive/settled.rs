//! Where settling leads: the rounds of timers from a quiet row.
//!
//! Without timers a quiet row is settled. With timers it is if they do nothing
//! more than lead back to it; else settling goes on to another row. Here the
//! rounds of `world::settle` are gone through on remembered reactions, and
//! [`Rounds`] says for both when they have come to an end.
//!
//! Invariant: what is settled here is settled in a world, and the other way
//! round. It does not know what is judged.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::history::NodeId;
use crate::replication::TimerId;
use crate::replication::erased::AnyReplica;
use crate::world::component::LocalInput;
use crate::world::{Hands, Round, Rounds, SettleLimits};

use super::numbered::Id;
use super::parts::{Component, Event, Held, Message, Rest, Sends, components, rest_of};
use super::tables::{Happening, Tables};
use super::{Matter, Refused};

/// Where a quiet row settles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Where it is.
    Here,
    /// At this row.
    There(Vec<u32>),
    /// Nowhere: it goes on for ever or past the limit, or it panics.
    Nowhere,
}

/// What is held at each place, and the clients' number: a row without inboxes.
type Drained = (Vec<Id<Held>>, Id<Rest>);

impl Tables<'_> {
    /// Where settling leads from a quiet row.
    ///
    /// # Errors
    /// If something cannot be used here; a panic is none, it leads nowhere.
    pub(super) fn settled(&mut self, row: &[u32]) -> Result<Settled, Refused> {
        let held: Vec<_> = components(row).map(|(place, at)| self.held_at(place, at)).collect();
        if held.iter().all(|held| self.timers_of(*held).is_empty()) {
            return Ok(Settled::Here);
        }
        if !self.numbers.permutations.is_empty() {
            return Err(Refused::Reduction("symmetry", "timers fire in the order of nodes"));
        }
        if self.plan.reduce.forget {
            return Err(Refused::Reduction("forget", "settling compares what is dropped"));
        }
        let (now, moment) = (self.now, self.moment);
        let end = match self.rounds((held, rest_of(row))) {
            Err(Refused::Panicked(_)) => {
                if self.plan.patient {
                    self.passed.insert(Matter::Panic);
                }
                Ok(None)
            }
            end => end,
        };
        self.moment_is(now, moment);
        Ok(match end? {
            None => Settled::Nowhere,
            Some((0, _)) => Settled::Here,
            Some((_, (held, rest))) => Settled::There(self.drained_row(&held, rest)),
        })
    }

    /// The state at which rounds end, and after how many.
    fn rounds(&mut self, first: Drained) -> Result<Option<(usize, Drained)>, Refused> {
        let mut rounds = Rounds::default();
        let mut seen = vec![first];
        loop {
            let (held, rest) = seen.last().expect("there is always one").clone();
            let nodes = held.iter().map(|held| &self.held[*held].node);
            let replicas: Vec<(AnyReplica, Option<Hands>)> =
                nodes.clone().map(|node| (node.replica.clone(), node.hands())).collect();
            let timers: Vec<_> =
                nodes.map(|node| (node.timers.clone(), node.clock.clone())).collect();
            let calm = timers.iter().all(|(timers, _)| timers.is_empty());
            let end = match rounds.add((replicas, self.clients.open(rest)), timers, calm) {
                Round::Another if seen.len() > SettleLimits::default().rounds => return Ok(None),
                Round::Another => {
                    let Some(next) = self.round(held, rest)? else { return Ok(None) };
                    seen.push(next);
                    continue;
                }
                Round::Ends(at) => at,
                Round::Repeats(from) => {
                    let cycle = &seen[from..seen.len() - 1];
                    match self.answer_alike(cycle) {
                        Ok(true) => from,
                        Ok(false) => return Ok(None),
                        Err(refused) => {
                            if matches!(refused, Refused::Panicked(_)) {
                                self.passed.insert(Matter::Panic);
                            }
                            return Err(refused);
                        }
                    }
                }
            };
            return Ok(Some((end, seen.swap_remove(end))));
        }
    }

    /// Lets the lowest clocks tick if a deadline is ahead, fires every timer that is due
    /// once, in order, then flushes and delivers, oldest first, until nothing is in
    /// flight; none if that takes too long.
    fn round(
        &mut self,
        mut held: Vec<Id<Held>>,
        mut rest: Id<Rest>,
    ) -> Result<Option<Drained>, Refused> {
        let limits = SettleLimits::default();
        let mut flight: VecDeque<(usize, Id<Message>)> = VecDeque::new();
        let mut lowest = None;
        while let Some(place) = self.to_tick(&held, &mut lowest) {
            let calm = Happening::default();
            held[place] = self.react(place, held[place], LocalInput::Tick, None, calm)?.held;
            self.pass(&held, rest);
        }
        // Those that were due when the round began.
        let due = |held: &Id<Held>| self.held[*held].node.due().collect();
        let due: Vec<SmallVec<[TimerId; 2]>> = held.iter().map(due).collect();
        for (place, due) in due.into_iter().enumerate() {
            for timer in due {
                if !self.held[held[place]].node.due().any(|now| now == timer) {
                    continue;
                }
                let input = LocalInput::Fire(timer);
                let step = self.react(place, held[place], input, None, Happening::default())?;
                held[place] = step.held;
                self.post(place, &step.sends, &held, &mut flight);
                rest = self.rest_after(rest, step.event)?;
                self.pass(&held, rest);
            }
        }
        let mut deliveries = 0;
        loop {
            // As a world does it: flushes first, node by node.
            let flushes = held.iter().position(|held| self.held[*held].node.flushing() > 0);
            let Some(place) = flushes.or_else(|| flight.front().map(|(to, _)| *to)) else {
                return Ok(Some((held, rest)));
            };
            deliveries += 1;
            if deliveries > limits.deliveries || flight.len() > limits.in_flight {
                return Ok(None);
            }
            let step = if flushes.is_some() {
                self.react(place, held[place], LocalInput::Flush, None, Happening::default())?
            } else {
                let (_, message) = flight.pop_front().expect("it is not empty");
                self.deliver(place, held[place], message)?
            };
            held[place] = step.held;
            self.post(place, &step.sends, &held, &mut flight);
            rest = self.rest_after(rest, step.event)?;
            self.pass(&held, rest);
        }
    }

    /// Puts what a place sends in flight, but for what is lost at once.
    fn post(
        &self,
        place: usize,
        sends: &Sends,
        held: &[Id<Held>],
        flight: &mut VecDeque<(usize, Id<Message>)>,
    ) {
        let from = NodeId(u16::try_from(place).expect("nodes are few"));
        let sends = sends.iter().map(|(to, message)| (usize::from(*to), *message));
        let lost = |to: usize| self.held[held[to]].node.is_lost(from, self.plan.tracks.severed);
        flight.extend(sends.filter(|(to, _)| !lost(*to)));
    }

    /// Looks at what settling passes through, if timers do there what they may
    /// not in this search; else the state is one of the search.
    fn pass(&mut self, held: &[Id<Held>], rest: Id<Rest>) {
        let tracks = self.plan.tracks;
        if !self.plan.patient || !(tracks.invariants || tracks.agreement) {
            return;
        }
        let row = self.drained_row(held, rest);
        if tracks.invariants {
            let (broken, _) = self.invariants(&row);
            self.passed.extend(broken.into_iter().map(Matter::Invariant));
        }
        if tracks.agreement && !self.agrees(&row) {
            self.passed.insert(Matter::Agreement);
        }
    }

    fn drained_row(&mut self, held: &[Id<Held>], rest: Id<Rest>) -> Vec<u32> {
        let places = held.iter().enumerate();
        let component = |(place, held): (usize, &Id<Held>)| {
            self.component(place, Component::without_inbox(*held))
        };
        let mut row: Vec<u32> = places.map(component).map(Id::number).collect();
        row.push(rest.number());
        row
    }

    fn rest_after(&mut self, rest: Id<Rest>, event: Id<Event>) -> Result<Id<Rest>, Refused> {
        if let Err(miss) = self.numbers.after(rest, event) {
            self.resolve(miss)?;
        }
        let next = self.numbers.after(rest, event).expect("it is there by now");
        self.moment_is(self.now + 1, self.now);
        Ok(next)
    }

    /// Whether final reads are answered the same in each of these states.
    fn answer_alike(&mut self, cycle: &[Drained]) -> Result<bool, Refused> {
        let mut all = None;
        for (held, rest) in cycle {
            self.look_from(*rest);
            let row = self.drained_row(held, *rest);
            let here = self.finals(&row)?;
            let before = *all.get_or_insert(here);
            if !self.answers_alike(before, here) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which clock ticks next in a round.
    fn to_tick(&self, held: &[Id<Held>], lowest: &mut Option<u64>) -> Option<usize> {
        Hands::to_tick(held.iter().filter_map(|held| self.held[*held].node.hands()), lowest)
    }

    fn timers_of(&self, held: Id<Held>) -> SmallVec<[TimerId; 2]> {
        self.held[held].node.timers.clone()
    }
}
