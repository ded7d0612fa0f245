//! What became of the elements of sets.
//!
//! An element is **there** from the first return among its acknowledged adds and the reads
//! that show it. It is **lost** if it was there before the last read of its set was
//! invoked, and that read does not show it; **late** if an earlier read that was invoked
//! after it was there does not show it, and the last one does. These are the outcomes of
//! the checker *set-full* of Jepsen (Kingsbury). An add of unknown outcome counts once a
//! read shows its element.
//!
//! An element that is also removed is **resurrected** if a read shows it that was invoked
//! after an acknowledged remove of it had returned, which in turn was invoked after all
//! its adds had. Nothing else is said of such elements.
//!
//! Sets with other operations are left out, and counted. O(n log n), n with all elements
//! that are answered.

use std::collections::BTreeMap;

use super::measured::fitting;
use super::number::{index, number_of};
use crate::history::{Completion, History, Value};

/// What became of elements. Operations by position in the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elements {
    /// How many sets were measured.
    pub sets: usize,
    /// How many keys have other operations and are left out.
    pub other_keys: usize,
    /// How many elements were acknowledged, or were shown.
    pub elements: usize,
    /// How many reads were answered.
    pub reads: usize,
    /// The first add of each lost element, ascending.
    pub lost: Vec<usize>,
    /// How many elements are late.
    pub late: usize,
    /// The element that a read missed longest after it was there, of those that are late.
    pub latest: Option<Late>,
    /// How many acknowledged elements were in sets that were not read after that.
    pub unread: usize,
    /// How many elements a read shows twice; with the first such read.
    pub twice: usize,
    /// The first read that shows an element twice.
    pub first_twice: Option<usize>,
    /// How many elements are shown that nobody added, or whose adds all failed.
    pub strange: usize,
    /// The first read that shows one.
    pub first_strange: Option<usize>,
    /// How many elements are removed and came back.
    pub resurrected: usize,
    /// The first remove of one of them that a read went back behind, and that read.
    pub first_resurrected: Option<(usize, usize)>,
    /// How many elements are shown whose adds are all of unknown outcome.
    pub unknown_seen: usize,
    /// How many are not shown.
    pub unknown_unseen: usize,
}

/// An element that a read missed. Operations by position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The first add of it.
    pub add: usize,
    /// The last read that missed it.
    pub read: usize,
    /// How long before that read was invoked it was there, in nanoseconds.
    pub time: u64,
}

/// What is known of one element.
#[derive(Default)]
struct Element {
    add: Option<usize>,
    /// The first return of an acknowledged add.
    acked: Option<u64>,
    /// Since when it was there.
    there: Option<u64>,
    /// The reads that show it, ascending, by their place among those of the set.
    shown: Vec<u32>,
    twice: bool,
    /// When all adds of it had returned; `None` if one never did, or there is none.
    added: Option<u64>,
    /// Its removes: position, invocation, and return if they were acknowledged.
    removes: Vec<(usize, u64, Option<u64>)>,
}

impl Elements {
    /// Measures all sets of a history.
    pub fn of(history: &History) -> Elements {
        let (sets, other_keys) = fitting(history, |operation| {
            let call = &operation.call;
            match &operation.completion {
                Completion::Ok(answer) if call.is_read() => matches!(answer, Value::List(_)),
                _ => call.is_read() || matches!(call.f.as_str(), "add" | "remove"),
            }
        });
        let mut all = Elements { other_keys, ..Elements::default() };
        for own in sets {
            all.measure(history, &own);
        }
        all.lost.sort_unstable();
        all
    }

    /// Whether anything was found that can be told.
    pub fn tells(&self) -> bool {
        self.elements + self.strange + self.resurrected > 0
    }

    fn measure(&mut self, history: &History, own: &[usize]) {
        let operations = history.operations();
        let mut elements: BTreeMap<&Value, Element> = BTreeMap::new();
        // Invocation and position; in order of invocation, as operations are.
        let mut reads: Vec<(u64, usize)> = Vec::new();
        for &at in own {
            let operation = &operations[at];
            match &operation.completion {
                Completion::Fail => continue,
                Completion::Ok(Value::List(answer)) if operation.call.is_read() => {
                    let place = number_of(reads.len());
                    reads.push((operation.invoked, at));
                    for value in answer.iter() {
                        let element = elements.entry(value).or_default();
                        if element.shown.last() == Some(&place) {
                            element.twice = true;
                            self.first_twice.get_or_insert(at);
                            continue;
                        }
                        element.shown.push(place);
                        element.there = earlier(element.there, operation.returned);
                    }
                }
                _ if operation.call.is_read() => {}
                completion => {
                    let element = elements.entry(&operation.call.argument).or_default();
                    if operation.call.f.as_str() == "remove" {
                        element.removes.push((at, operation.invoked, operation.returned));
                        continue;
                    }
                    let is_first = element.add.is_none();
                    let last = element.added.filter(|_| !is_first).or(is_first.then_some(0));
                    element.added = last.zip(operation.returned).map(|(one, two)| one.max(two));
                    element.add.get_or_insert(at);
                    if matches!(completion, Completion::Ok(_)) {
                        element.acked = earlier(element.acked, operation.returned);
                        element.there = earlier(element.there, operation.returned);
                    }
                }
            }
        }
        self.sets += 1;
        self.reads += reads.len();
        for element in elements.values() {
            self.count(element, &reads);
        }
    }

    fn count(&mut self, element: &Element, reads: &[(u64, usize)]) {
        self.twice += usize::from(element.twice);
        let Some(add) = element.add else {
            let first = element.shown.first().map(|place| reads[index(*place)].1);
            self.strange += usize::from(first.is_some());
            self.first_strange = self.first_strange.into_iter().chain(first).min();
            return;
        };
        if !element.removes.is_empty() {
            self.look_behind_removes(element, reads);
            return;
        }
        if element.acked.is_none() {
            let fate = match element.shown.is_empty() {
                true => &mut self.unknown_unseen,
                false => &mut self.unknown_seen,
            };
            *fate += 1;
        }
        let Some(there) = element.there else { return };
        self.elements += 1;
        // The reads that should show it.
        let first = reads.partition_point(|(invoked, _)| *invoked <= there);
        let Some(last) = reads.len().checked_sub(1).filter(|last| first <= *last) else {
            self.unread += usize::from(element.shown.is_empty());
            return;
        };
        // The last of them that does not.
        let mut missed = Some(last);
        for place in element.shown.iter().rev() {
            if missed != Some(index(*place)) {
                break;
            }
            missed = missed.and_then(|missed| missed.checked_sub(1));
        }
        let Some(missed) = missed.filter(|missed| first <= *missed) else { return };
        if missed == last {
            self.lost.push(add);
            return;
        }
        self.late += 1;
        let (invoked, read) = reads[missed];
        let late = Late { add, read, time: invoked - there };
        if self.latest.is_none_or(|known| known.time < late.time) {
            self.latest = Some(late);
        }
    }
}

impl Elements {
    fn look_behind_removes(&mut self, element: &Element, reads: &[(u64, usize)]) {
        let Some(added) = element.added else { return };
        let removes = element.removes.iter().filter(|(_, invoked, _)| *invoked > added);
        let gone = removes.filter_map(|(at, _, returned)| Some(((*returned)?, *at))).min();
        let Some((gone, remove)) = gone else { return };
        let shown = element.shown.iter().map(|place| reads[index(*place)]);
        let Some((_, read)) = { shown }.find(|(invoked, _)| *invoked > gone) else { return };
        self.resurrected += 1;
        let first = self.first_resurrected.into_iter().chain([(remove, read)]);
        self.first_resurrected = first.min_by_key(|(_, read)| *read);
    }
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}
