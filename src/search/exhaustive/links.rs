//! What happens at a component without a message or a client, and what that does to
//! links: those that are cut, and networks that are split.
//!
//! A partition strikes n1, and the other nodes hear of it at once. In rows it is told
//! to them as messages are, by a number that stands for no message but for a split
//! ([`Message::parting`]): where a message would be put into the inbox, the node changes
//! its side. So this, too, is a step at one node that appends something to others.
//!
//! Invariant: in a severed search no inbox has a message that is held back.

use crate::history::NodeId;
use crate::replication::Cluster;
use crate::world::component::LocalInput;
use crate::world::{InboxOnCrash, Split, Strike};

use super::Refused;
use super::numbered::Id;
use super::numbers::Sort;
use super::parts::{Component, Held, Inbox, Message, Through};
use super::tables::{Happening, Reaction, Tables};

/// A fault, a repair, a flush or a timer, with its number if it is a timer.
pub(super) type Other = (LocalInput, Option<u8>, Sort);

impl Tables<'_> {
    /// Lets a fault, a repair, a flush or a timer happen at a component.
    pub(super) fn of_itself(
        &mut self,
        place: usize,
        (held, inbox): (Id<Held>, &Inbox),
        (input, timer, sort): Other,
    ) -> Result<(), Refused> {
        let empties = matches!(
            input,
            LocalInput::Strike(Strike::Crash, InboxOnCrash::Lost)
                | LocalInput::Strike(Strike::Kill, _)
        );
        let parts = match input {
            LocalInput::Strike(Strike::Partition(split), _) => Some(Some(split)),
            LocalInput::Unite => Some(None),
            _ => None,
        };
        let fault = if let Sort::Mishap(kind) = sort { Some(kind) } else { None };
        let happening = Happening { ask: None, fault };
        let mut reaction = self.react(place, held, input, timer, happening);
        let mut inbox = if empties { Inbox::new() } else { inbox.clone() };
        if let Ok(reaction) = &mut reaction {
            let through = if empties { Through::Loss } else { Through::Step };
            self.leads(place, (held, reaction.held), through)?;
            self.lose_held(reaction.held, &mut inbox);
            if let Some(split) = parts {
                self.tell(reaction, split);
            }
        }
        self.remember_at(place, inbox, reaction, sort)?;
        Ok(())
    }

    /// Tells all nodes but n1 of a split, or that there is none any more.
    fn tell(&mut self, reaction: &mut Reaction, split: Option<Split>) {
        let place = split.map(|split| {
            let known = self.splits.iter().position(|known| *known == split);
            known.unwrap_or_else(|| {
                self.splits.push(split);
                self.splits.len() - 1
            })
        });
        let others = Cluster::of(self.setting.nodes).others(NodeId(0));
        reaction.sends.extend(others.map(|node| (node.0, Message::parting(place))));
    }

    /// The split that a number stands for, or none (the network is whole again), if it
    /// stands for no message.
    pub(super) fn parting(&self, number: Id<Message>) -> Option<Option<Split>> {
        let place = Message::parts(number, self.splits.len())?;
        Some(place.map(|place| self.splits[place]))
    }

    /// Puts a component on its side of a split.
    pub(super) fn part(
        &mut self,
        place: usize,
        component: &mut Component,
        split: Option<Split>,
    ) -> Result<(), Refused> {
        let me = NodeId(u16::try_from(place).expect("nodes are few"));
        let mut held = self.held[component.held].clone();
        held.node.parted = split.map_or(0, |split| split.across(me));
        let before = std::mem::replace(&mut component.held, self.hold(held));
        self.lose_held(component.held, &mut component.inbox);
        self.leads(place, (before, component.held), Through::Step)
    }

    /// Takes out of an inbox what can never arrive, if links that are cut stay cut.
    fn lose_held(&self, held: Id<Held>, inbox: &mut Inbox) {
        if self.plan.tracks.severed {
            let node = &self.held[held].node;
            inbox.retain(|message| !node.is_cut_off(self.messages[*message].from));
        }
    }
}
