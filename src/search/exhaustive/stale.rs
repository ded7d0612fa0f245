//! Messages that can no longer make a difference, and the test that they cannot.
//!
//! A strategy may declare that a message is ignored where it waits and that whatever
//! is answered to it is ignored where it came from ([`Strategy::ignores`],
//! [`Strategy::awaits`]). Such a message is dropped: it is the same as if it were
//! delivered at once. Nothing of that is believed. What has been dropped may in
//! truth still be under way, so it is kept in mind wherever its receiver or its
//! sender comes afterwards, and at each such place it is delivered on a copy: it
//! must change nothing, tell no client anything, and be answered to nobody but its
//! sender, where the same must hold of the answer. And a declaration must stay true.
//!
//! Where a node comes afterwards is what the search has seen it do from there,
//! whatever the rest of the cluster did meanwhile; but a client does not begin an
//! operation a second time.
//!
//! Invariant: a search that ends without [`Refused::Reduction`] has tested all that
//! it dropped at everything that its receiver and its sender came to hold.

use smallvec::SmallVec;

use crate::history::NodeId;
use crate::replication::{OperationId, Stamp, Strategy};
use crate::world::Network;

use super::Refused;
use super::numbered::Id;
use super::numbers::{Miss, Numbers};
use super::parts::{Component, Event, Held, Message, Progress, Rest, Stripping, Through, at};
use super::tables::{Reaction, Tables};
use super::underway::{Dropped, HeldAt};

/// Why nothing is dropped where a strategy declares wrongly what it
/// [ignores](Strategy::ignores).
pub const MISDECLARED: &str =
    "a message that the strategy declares to be ignored makes a difference";

/// What a violation means where messages are dropped.
pub(super) const FOUND: &str = "a violation is told by its shortest run, with every delivery";

/// What settling means that goes on for ever.
pub(super) const ENDLESS: &str = "what settling goes through for ever is told by a run";

impl Numbers {
    /// Drops from a row, which comes of another one, what can no longer make a
    /// difference. Only nodes that have changed can have come to ignore something,
    /// or not to await it any more.
    #[inline]
    pub(super) fn strip(&self, row: &mut [u32], before: &[u32]) -> Result<(), Miss> {
        if !self.stale {
            return Ok(());
        }
        let moved = |place: usize, row: &[u32]| {
            let (now, then) = (row[place], before[place]);
            let held = &self.places[place].held;
            now != then && held.get(then as usize) != held.get(now as usize)
        };
        let places = row.len() - 1;
        let all = (0..places).filter(|place| moved(*place, row));
        let all = all.fold(0_u64, |all, place| all | 1 << place);
        for place in 0..places {
            let mut waiting = self.places[place].senders[row[place] as usize];
            if row[place] == before[place] {
                waiting &= all;
            }
            while waiting != 0 {
                let from = waiting.trailing_zeros() as usize;
                waiting &= waiting - 1;
                self.strip_from(row, place, from)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn strip_from(&self, row: &mut [u32], place: usize, from: usize) -> Result<(), Miss> {
        let (component, rest) = (at(row, place), Id::of(row[row.len() - 1]));
        let held = self.places[from].held[row[from] as usize];
        let key = (from, component, held);
        let miss = Miss::Strip(place, key, rest);
        let left = *self.places[place].strip.get(&key).ok_or(miss)?;
        if left != component {
            let progress = self.progress[rest.index()];
            if !self.places[place].stripped.contains(&(key, progress)) {
                return Err(miss);
            }
            row[place] = left.number();
        }
        Ok(())
    }

    /// Whether it is (still) unknown what is dropped.
    pub(super) fn lacks_strip(&self, place: usize, key: Stripping, rest: Id<Rest>) -> bool {
        let progress = self.progress[rest.index()];
        match self.places[place].strip.get(&key) {
            None => true,
            Some(left) if *left == key.1 => false,
            Some(_) => !self.places[place].stripped.contains(&(key, progress)),
        }
    }
}

impl Tables<'_> {
    /// The number of what clients have done.
    pub(super) fn progress_of(&mut self, rest: Id<Rest>) -> Id<Progress> {
        self.underway.progress.number(self.clients.progress(rest))
    }

    /// Finds what is dropped at a place of what came from a node, and keeps it in mind.
    pub(super) fn strip(
        &mut self,
        place: usize,
        key: Stripping,
        rest: Id<Rest>,
    ) -> Result<(), Refused> {
        let (from, number, theirs) = key;
        let progress = self.numbers.progress[rest.index()];
        let component = self.places[place][number].clone();
        if self.declares_nothing(&component) {
            self.numbers.stale = false;
            return Ok(());
        }
        let mut left = component.clone();
        let mut dropped = Vec::new();
        while let Some(position) = self.ignored_in(place, &left, (from, theirs))? {
            dropped.push(left.inbox.remove(position));
        }
        let after = self.component(place, left);
        self.numbers.places[place].strip.insert(key, after);
        for message in dropped {
            self.keep_in_mind((place, message), progress, (component.held, theirs))?;
        }
        self.numbers.places[place].stripped.insert((key, progress));
        Ok(())
    }

    /// The position of a message from a node that makes no difference, where that node
    /// holds this. Messages and answers must be able to pass: whether a message is
    /// dropped before or after its answer was sent, the same has to be left.
    fn ignored_in(
        &mut self,
        place: usize,
        component: &Component,
        (from, theirs): (usize, Id<Held>),
    ) -> Result<Option<usize>, Refused> {
        let held = component.held;
        let (here, there) = (&self.held[held].node, &self.held[theirs].node);
        let cut = here.held_back() & (1 << from) != 0 || there.held_back() & (1 << place) != 0;
        if cut || !here.up || !there.up {
            return Ok(None);
        }
        for (position, &message) in component.inbox.iter().enumerate() {
            let Message { from: sender, timer, .. } = &self.messages[message];
            // What waits in a queue behind something else may hold up a timer.
            let holds_up = timer.is_some() && self.setting.network == Network::Fifo;
            if sender.index() == from
                && !holds_up
                && !self.is_awaited(place, theirs, message)
                && self.is_ignored(place, held, message)?
            {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Whether the strategy says nothing of messages, and none was dropped.
    fn declares_nothing(&self, component: &Component) -> bool {
        let says = |message: &Id<Message>| self.declared(component.held, *message).is_some();
        !self.underway.is_used() && !component.inbox.iter().any(says)
    }

    /// What a node that holds this declares of a message: whether it is ignored.
    fn declared(&self, held: Id<Held>, message: Id<Message>) -> Option<bool> {
        let Message { from, content, .. } = &self.messages[message];
        self.strategy.ignores(&self.held[held].node.replica, *from, content)
    }

    /// Whether a node that holds this declares to ignore a message. A strategy does not
    /// know which writes count as visible: where that is part of a state, a message may
    /// not add to it either.
    fn is_ignored(
        &mut self,
        place: usize,
        held: Id<Held>,
        message: Id<Message>,
    ) -> Result<bool, Refused> {
        if self.declared(held, message) != Some(true) || !self.plan.tracks.visible {
            return Ok(self.declared(held, message) == Some(true));
        }
        let next = self.deliver_unless_panics(place, held, message)?.held;
        Ok(self.held[next].visible == self.held[held].visible)
    }

    /// Whether an event at a node that holds this changes nothing for the clients.
    /// What is visible there was told before.
    fn means_nothing(&self, held: Id<Held>, event: Id<Event>) -> bool {
        let meaning = self.clients.meaning(event);
        let visible = &self.held[held].visible;
        let known = |(write, stamp): &(OperationId, Stamp)| {
            visible.iter().any(|(other, highest)| other == write && highest >= stamp)
        };
        let told = Event { stamped: Vec::new(), ..meaning.clone() };
        told == Event::default() && meaning.stamped.iter().all(known)
    }

    /// Whether a node that holds this awaits an answer to a message that it sent to a
    /// place.
    fn is_awaited(&self, to: usize, held: Id<Held>, message: Id<Message>) -> bool {
        let to = NodeId(u16::try_from(to).expect("nodes are few"));
        let node = &self.held[held].node;
        self.strategy.awaits(&node.replica, to, &self.messages[message].content)
    }

    /// Something has been dropped where its receiver and its sender hold this.
    fn keep_in_mind(
        &mut self,
        dropped: Dropped,
        progress: Id<Progress>,
        (held, theirs): (Id<Held>, Id<Held>),
    ) -> Result<(), Refused> {
        let (place, message) = dropped;
        let number = self.underway.dropped.number(dropped).index();
        let progress = self.underway.progress[progress].clone();
        if number == self.underway.since.len() {
            self.underway.since.push(progress);
            self.underway.answers.push(SmallVec::new());
        } else {
            self.lower(number, &progress)?;
        }
        let from = self.messages[message].from.index();
        self.comes_to(number, (place, held))?;
        self.comes_to(number, (from, theirs))
    }

    /// It has been dropped where clients had done less: more may be still to come.
    fn lower(&mut self, number: usize, progress: &Progress) -> Result<(), Refused> {
        let since = &mut self.underway.since[number];
        let before = since.clone();
        for (least, now) in since.iter_mut().zip(progress) {
            *least = (least.0.min(now.0), least.1.min(now.1));
        }
        if *since == before {
            return Ok(());
        }
        for (place, held) in self.underway.places(number) {
            for (next, through) in self.underway.mind((place, held)).leads.clone() {
                if self.underway.outlives(number, place, through) {
                    self.comes_to(number, (place, next))?;
                }
            }
        }
        Ok(())
    }

    /// A node that holds one thing comes to hold another.
    pub(super) fn leads(
        &mut self,
        place: usize,
        (held, next): (Id<Held>, Id<Held>),
        through: Through,
    ) -> Result<(), Refused> {
        if !self.numbers.stale || held == next {
            return Ok(());
        }
        let mind = self.underway.mind((place, held));
        if mind.leads.contains(&(next, through)) {
            return Ok(());
        }
        mind.leads.push((next, through));
        for (word, bits) in mind.dropped.clone().into_iter().enumerate() {
            for bit in (0..64).filter(|bit| bits & (1 << bit) != 0) {
                let number = 64 * word + bit;
                if self.underway.outlives(number, place, through) {
                    self.comes_to(number, (place, next))?;
                }
            }
        }
        Ok(())
    }

    /// What was dropped may be under way while a node holds this, and whatever it
    /// comes to hold after that.
    fn comes_to(&mut self, number: usize, first: HeldAt) -> Result<(), Refused> {
        let mut waiting = vec![first];
        while let Some((place, held)) = waiting.pop() {
            if !self.underway.note((place, held), number) {
                continue;
            }
            self.test(number, (place, held))?;
            for (next, through) in self.underway.mind((place, held)).leads.clone() {
                if self.underway.outlives(number, place, through) {
                    waiting.push((place, next));
                }
            }
        }
        Ok(())
    }

    /// Tests that what was dropped makes no difference while a node holds this.
    fn test(&mut self, number: usize, (place, held): HeldAt) -> Result<(), Refused> {
        let (to, message) = self.underway.dropped.values[number];
        let from = self.messages[message].from.index();
        let answers = self.underway.answers[number].clone();
        if place == from {
            sound(!self.is_awaited(to, held, message))?;
            for answer in &answers {
                self.test_silence((place, held), *answer)?;
            }
        }
        if place != to {
            return Ok(());
        }
        for answer in answers {
            sound(!self.is_awaited(from, held, answer))?;
        }
        if !self.held[held].node.up {
            return Ok(());
        }
        sound(self.is_ignored(place, held, message)?)?;
        let reaction = self.deliver_unless_panics(place, held, message)?;
        sound(reaction.held == held && self.means_nothing(held, reaction.event))?;
        for (receiver, answer) in reaction.sends {
            sound(usize::from(receiver) == from)?;
            if !self.underway.answers[number].contains(&answer) {
                self.underway.answers[number].push(answer);
                self.test_answer(number, answer)?;
            }
        }
        Ok(())
    }

    /// Tests that an answer makes no difference while that to which it is one may be
    /// under way.
    fn test_answer(&mut self, number: usize, answer: Id<Message>) -> Result<(), Refused> {
        let (to, message) = self.underway.dropped.values[number];
        let from = self.messages[message].from.index();
        for (place, held) in self.underway.places(number) {
            if place == to {
                sound(!self.is_awaited(from, held, answer))?;
            }
            if place == from {
                self.test_silence((place, held), answer)?;
            }
        }
        Ok(())
    }

    /// Tests that a message does nothing at all where this is held.
    fn test_silence(&mut self, at: HeldAt, message: Id<Message>) -> Result<(), Refused> {
        let (place, held) = at;
        if !self.held[held].node.up || !self.underway.silent.insert((at, message)) {
            return Ok(());
        }
        sound(self.is_ignored(place, held, message)?)?;
        let reaction = self.deliver_unless_panics(place, held, message)?;
        let nothing = reaction.sends.is_empty() && self.means_nothing(held, reaction.event);
        sound(nothing && reaction.held == held)
    }

    fn deliver_unless_panics(
        &mut self,
        place: usize,
        held: Id<Held>,
        message: Id<Message>,
    ) -> Result<Reaction, Refused> {
        match self.deliver(place, held, message) {
            Err(Refused::Panicked(_)) => Err(Refused::Reduction("stale", MISDECLARED)),
            reaction => reaction,
        }
    }
}

fn sound(holds: bool) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Refused::Reduction("stale", MISDECLARED)) }
}
