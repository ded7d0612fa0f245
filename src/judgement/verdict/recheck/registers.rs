//! Replays an order of the writes, for regular and safe registers.

use std::collections::BTreeMap;

use crate::history::History;

use super::facts::Facts;
use super::unsound::{Replayed, Unsound};
use crate::judgement::model::{Model, Orders, Reads, Time, Views};
use crate::judgement::verdict::reason::Source;

/// Replays the order.
pub(super) fn replay(history: &History, model: Model, order: &[usize]) -> Replayed {
    let Some(asked) = model.orders().filter(Orders::is_regular) else {
        return Unsound::because(format!("an order of writes says nothing about {model}"));
    };
    let facts = Facts::of(history);
    let operations = history.operations();
    let timed = asked.time == Time::ReturnsBefore { reads_earlier: 0 };
    let before = |a: usize, b: usize| {
        (timed && operations[a].returns_before(&operations[b]))
            || (asked.session && facts.session_order(a, b))
    };
    let mut ranks: BTreeMap<usize, usize> = BTreeMap::new();
    for (rank, &at) in order.iter().enumerate() {
        if !facts.possible_write(at) || ranks.insert(at, rank).is_some() {
            return Unsound::because(format!("{at} does not belong here in an order of writes"));
        }
    }
    for (rank, &late) in order.iter().enumerate() {
        if let Some(early) = order[..rank].iter().find(|early| before(late, **early)) {
            return Unsound::because(format!("write {late} should come before {early}"));
        }
    }
    let mut writes = (0..facts.len()).filter(|&at| facts.acked_write(at));
    if let Some(at) = writes.find(|at| !ranks.contains_key(at)) {
        return Unsound::because(format!("acknowledged write {at} is not placed"));
    }
    for read in (0..facts.len()).filter(|&at| facts.answered(at)) {
        let of_key = || order.iter().copied().filter(|&at| facts.same_key(at, read));
        let overlaps = |at: usize| !before(at, read) && !before(read, at);
        let pending = |at: &usize| facts.possible_write(*at) && facts.same_key(*at, read);
        if asked.reads == Reads::RecentUnlessOverlapped
            && (0..facts.len()).filter(pending).any(overlaps)
        {
            continue;
        }
        let finished: Vec<usize> = of_key().filter(|&at| before(at, read)).collect();
        let explains = |source: &Source| match *source {
            Source::Initial => finished.is_empty(),
            Source::Write(write) if before(read, write) || !ranks.contains_key(&write) => false,
            Source::Write(write) if asked.views == Views::Read => {
                // The read has an order of its own, with the finished writes
                // before the source, unless the source must come before one of
                // them.
                !finished.iter().any(|&other| before(write, other))
            }
            Source::Write(write) => finished.iter().all(|at| ranks[at] <= ranks[&write]),
        };
        if !facts.sources(read).iter().any(explains) {
            return Unsound::because(format!("read {read} is not explained by this order"));
        }
    }
    Ok(())
}
