//! The record of locks, and who waits for whom in it.
//!
//! One line an event: `begin`, `c1 wants n1`, `c1 has n1`, `c1 leaves n1`. A
//! record of several runs is judged by the last one. All of this is text in,
//! text out: it takes no lock.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A run begins; nothing is held.
    Begin,
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
            Line::Begin => f.write_str("begin"),
            Line::Wants(who, node) => write!(f, "{who} wants {node}"),
            Line::Has(who, node) => write!(f, "{who} has {node}"),
            Line::Leaves(who, node) => write!(f, "{who} leaves {node}"),
        }
    }
}

impl std::str::FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            if text == "begin" {
                return Some(Line::Begin);
            }
            let mut words = text.split(' ');
            let who = Holder(words.next()?.strip_prefix('c')?.parse().ok()?);
            let (verb, node) = (words.next()?, words.next()?.parse().ok()?);
            match (verb, words.next()) {
                ("wants", None) => Some(Line::Wants(who, node)),
                ("has", None) => Some(Line::Has(who, node)),
                ("leaves", None) => Some(Line::Leaves(who, node)),
                _ => None,
            }
        };
        parse().ok_or_else(|| format!("`{text}` is not a line like `c1 wants n1`"))
    }
}

/// Clients that wait for each other, in a circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// Each waits for a node that the next one holds, and the last one for
    /// one that the first holds.
    pub waits: Vec<Wait>,
}

/// One client of a deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Reads a record and finds the clients that wait for each other at its end.
/// It begins with the first client in order of name that is among them. A last
/// line that was cut short is ignored.
///
/// # Errors
/// With the number of the line, from 1, and the reason, if another line is not
/// one of a record.
pub fn deadlock(record: &str) -> Result<Option<Deadlock>, (usize, String)> {
    let mut waits: BTreeMap<Holder, (Vec<NodeId>, Option<NodeId>)> = BTreeMap::new();
    for (at, text) in record.split_inclusive('\n').enumerate() {
        let Some(text) = text.strip_suffix('\n') else { break };
        match text.parse().map_err(|why| (at + 1, why))? {
            Line::Begin => waits.clear(),
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
        let mut circle = Vec::new();
        let mut next = wait(first);
        while let Some(wait_of) = next.filter(|_| circle.len() < waits.len()) {
            let holder = owner(wait_of.wants).map(|(who, _)| *who);
            circle.push(wait_of);
            match holder {
                Some(holder) if holder == first => return Ok(Some(Deadlock { waits: circle })),
                Some(holder) => next = wait(holder),
                None => break,
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(record: &str) -> String {
        let found = deadlock(record).expect("the record is well-formed");
        found.map_or("none".to_owned(), |deadlock| deadlock.to_string())
    }

    #[test]
    fn two_clients_that_wait_for_each_other_are_a_deadlock() {
        let record =
            "begin\nc1 wants n1\nc2 wants n2\nc1 has n1\nc2 has n2\nc2 wants n1\nc1 wants n2\n";
        assert_eq!(told(record), "c1 holds n1 and waits for n2, c2 holds n2 and waits for n1");
    }

    #[test]
    fn a_client_can_wait_for_itself() {
        let record = "begin\nc1 wants n1\nc1 has n1\nc1 wants n2\nc1 has n2\nc1 wants n1\n";
        assert_eq!(told(record), "c1 holds n1 and n2 and waits for n1");
    }

    #[test]
    fn a_client_that_waits_for_one_that_goes_on_is_not_a_deadlock() {
        let record = "begin\nc1 wants n1\nc1 has n1\nc2 wants n1\n";
        assert_eq!(told(record), "none");
        let record = "begin\nc1 wants n1\nc1 has n1\nc2 wants n1\nc1 leaves n1\nc2 has n1\n";
        assert_eq!(told(record), "none");
    }

    #[test]
    fn only_the_last_run_of_a_record_counts() {
        let record = "begin\nc1 wants n1\nc1 has n1\nc1 wants n1\nbegin\nc1 wants n1\n";
        assert_eq!(told(record), "none");
    }

    #[test]
    fn a_line_that_is_cut_short_is_ignored_at_the_end_and_nowhere_else() {
        assert_eq!(told("begin\nc1 wa"), "none");
        let wrong = deadlock("begin\nc1 wa\nc1 has n1\n").expect_err("line 2 is no line");
        assert_eq!(wrong, (2, "`c1 wa` is not a line like `c1 wants n1`".to_owned()));
    }
}
