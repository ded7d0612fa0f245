//! The record of locks, and which clients wait for each other in it.
//!
//! One line an event: `c1 wants n1`, `c1 has n1`, `c1 leaves n1`. It takes no
//! lock itself.

use std::collections::BTreeMap;
use std::fmt;

use crate::history::NodeId;

/// Who holds locks: a client, `c1`, `c2`, …; or the start, `c0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(u32);

impl Holder {
    /// The start of the cluster, before any client.
    pub const START: Holder = Holder(0);

    /// The client of this session.
    pub fn of(session: u16) -> Self {
        Holder(u32::from(session) + 1)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// One line of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// Somebody is about to lock a node.
    Wants(Holder, NodeId),
    /// Somebody has locked it.
    Has(Holder, NodeId),
    /// Somebody is about to unlock it.
    Leaves(Holder, NodeId),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Wants(who, node) => write!(f, "{who} wants {node}"),
            Line::Has(who, node) => write!(f, "{who} has {node}"),
            Line::Leaves(who, node) => write!(f, "{who} leaves {node}"),
        }
    }
}

/// Clients that wait for each other, in a cycle.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deadlock {
    /// Each waits for a node that the next one holds, and the last one for
    /// one that the first holds.
    pub waits: Vec<Wait>,
}

/// One client of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wait {
    /// Who.
    pub who: Holder,
    /// What it holds, in the order in which it was locked.
    pub holds: Vec<NodeId>,
    /// What it waits for.
    pub wants: NodeId,
}

impl fmt::Display for Deadlock {
    /// `c1 holds n1 and waits for n2, c2 holds n2 and waits for n1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, wait) in self.waits.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            let holds: Vec<_> = wait.holds.iter().map(NodeId::to_string).collect();
            let (who, holds, wants) = (wait.who, holds.join(" and "), wait.wants);
            write!(f, "{separator}{who} holds {holds} and waits for {wants}")?;
        }
        Ok(())
    }
}

/// The clients that wait for each other at the end of a record, beginning with
/// the first of them in order of name.
pub fn deadlock(record: &[Line]) -> Option<Deadlock> {
    let mut waits: BTreeMap<Holder, (Vec<NodeId>, Option<NodeId>)> = BTreeMap::new();
    for line in record {
        match *line {
            Line::Wants(who, node) => waits.entry(who).or_default().1 = Some(node),
            Line::Has(who, node) => {
                let (holds, wants) = waits.entry(who).or_default();
                holds.push(node);
                *wants = None;
            }
            Line::Leaves(who, node) => {
                waits.entry(who).or_default().0.retain(|held| *held != node);
            }
        }
    }
    let wait = |who: Holder| {
        let (holds, wants) = waits.get(&who)?;
        Some(Wait { who, holds: holds.clone(), wants: (*wants)? })
    };
    let owner = |node: NodeId| waits.iter().find(|(_, (holds, _))| holds.contains(&node));
    for &first in waits.keys() {
        let mut cycle = Vec::new();
        let mut next = wait(first);
        while let Some(wait_of) = next.filter(|_| cycle.len() < waits.len()) {
            let holder = owner(wait_of.wants).map(|(who, _)| *who);
            cycle.push(wait_of);
            match holder {
                Some(holder) if holder == first => return Some(Deadlock { waits: cycle }),
                Some(holder) => next = wait(holder),
                None => break,
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `c1 wants n1, c1 has n1`.
    #[track_caller]
    fn told(record: &str) -> String {
        let line = |text: &str| {
            let words: Vec<_> = text.split(' ').collect();
            let session = words[0].strip_prefix('c').and_then(|who| who.parse().ok());
            let who = Holder(session.expect("a client"));
            let node = words[2].parse().expect("a node");
            match words[1] {
                "wants" => Line::Wants(who, node),
                "has" => Line::Has(who, node),
                "leaves" => Line::Leaves(who, node),
                verb => panic!("`{verb}` is nothing that happens to a lock"),
            }
        };
        let lines: Vec<_> = record.split(", ").map(line).collect();
        let texts: Vec<_> = lines.iter().map(Line::to_string).collect();
        assert_eq!(texts.join(", "), record);
        deadlock(&lines).map_or("none".to_owned(), |deadlock| deadlock.to_string())
    }

    #[test]
    fn two_clients_that_wait_for_each_other_are_a_deadlock() {
        let record = "c1 wants n1, c2 wants n2, c1 has n1, c2 has n2, c2 wants n1, c1 wants n2";
        assert_eq!(told(record), "c1 holds n1 and waits for n2, c2 holds n2 and waits for n1");
    }

    #[test]
    fn a_client_can_wait_for_itself() {
        let record = "c1 wants n1, c1 has n1, c1 wants n2, c1 has n2, c1 wants n1";
        assert_eq!(told(record), "c1 holds n1 and n2 and waits for n1");
    }

    #[test]
    fn a_client_that_waits_for_one_that_goes_on_is_not_a_deadlock() {
        assert_eq!(told("c1 wants n1, c1 has n1, c2 wants n1"), "none");
        let record = "c1 wants n1, c1 has n1, c2 wants n1, c1 leaves n1, c2 has n1";
        assert_eq!(told(record), "none");
    }
}
