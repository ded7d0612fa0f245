//! Shrinks a failing part of a history to a minimal part that still fails.
//!
//! Invariant: every part is *closed*: it contains every operation that could
//! have written what one of its reads answered. Every model here that allows a
//! history allows its closed parts (restrict the witness), so a closed part
//! that fails proves that the whole fails. Parts that contain a failing part
//! fail too, so a part is minimal as soon as no single removal (of a read, or
//! of a write with the reads that it could have answered) leaves one that
//! fails.
//!
//! Large parts are first cut down to an interval of time, then by halves,
//! quarters, … (Zeller and Hildebrandt, TSE 2002). Operations that no other
//! needs are removed first: where values repeat, nearly every removal of
//! several writes removes all reads with them. This module does not know what
//! failing means.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::{Completion, Function, History, Key, Operation, Value};
use crate::judgement::datatype::{self, About, Datatype, MISMATCH};
use crate::judgement::number::{index, number_of};

/// For each operation of a part, which others a closed part with it must
/// contain.
pub(super) struct Sources {
    /// The positions of the part in the history, ascending.
    positions: Vec<usize>,
    /// For each, when it was, if that counts.
    times: Option<Vec<Times>>,
    /// For each: the number of the list of its sources, if it has any.
    of: Vec<Option<u32>>,
    /// For each: the numbers of the lists that contain it.
    within: Vec<[Option<u32>; 2]>,
    /// The lists of sources, by position in the history.
    lists: Vec<Vec<usize>>,
    /// Operations that may be about whatever others are about, so that no part lacks
    /// them, in order of invocation.
    always: Vec<usize>,
}

/// When an operation was, where operations take effect between their invocation and
/// their return.
struct Times {
    invoked: u64,
    /// When it was answered.
    answered: Option<u64>,
    until: Until,
}

/// Until when a source of an operation can have been invoked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Until it was answered itself; if its outcome is unknown, it matters only if it
    /// takes effect before the last answer of the part.
    Answered,
    /// Until the last answer of the part.
    LastAnswer,
    /// Whenever, because only what was invoked after its answer could explain it.
    Ever,
}

impl Times {
    fn until(&self, last: u64) -> u64 {
        match self.until {
            Until::Answered => self.answered.unwrap_or(last),
            Until::LastAnswer => last,
            Until::Ever => u64::MAX,
        }
    }
}

impl Sources {
    /// As [`within`](Self::within), for a model whose order keeps returns-before: what
    /// was invoked after an operation returned is no source of it.
    ///
    /// Let a history have such an order, and take of it what comes up to the last
    /// operation of a part that was answered. All of that was invoked before an answer
    /// of the part, so where a member of the part found a value, the operation that
    /// left the value is in the part too, if the part is closed in this sense. So the
    /// order, restricted to the part, explains the part.
    pub(super) fn in_time(history: &History, part: &[usize], datatype: &dyn Datatype) -> Sources {
        let all = history.operations();
        let mut sources = Sources::within(history, part, datatype);
        let register = datatype.name() == "register";
        let time = |(&at, list): (&usize, &Option<u32>)| {
            let answered = all[at].returned.filter(|_| all[at].completion != Completion::Fail);
            let found =
                datatype::found(&all[at]).filter(|value| register && **value != Value::Null);
            let mut others = list.iter().flat_map(|list| &sources.lists[index(*list)]);
            let in_time = |other: &usize| {
                *other != at && answered.is_none_or(|instant| all[*other].invoked <= instant)
            };
            let until = match (found, answered) {
                (Some(_), Some(_)) if !others.any(in_time) => Until::Ever,
                _ if matches!(about(&all[at], datatype), About::Part(_)) => Until::LastAnswer,
                _ => Until::Answered,
            };
            Times { invoked: all[at].invoked, answered, until }
        };
        let times = sources.positions.iter().zip(&sources.of).map(time).collect();
        sources.times = Some(times);
        sources
    }

    /// Lets every answer that can be wrong depend on all changes of its key, or, where
    /// an object has parts, all operations about a part on each other.
    ///
    /// What an answer tells of parts is taken out if the parts are.
    fn depend_on_changes(&mut self, history: &History, datatype: &dyn Datatype) {
        let all = history.operations();
        let mut places: FxHashMap<(&Key, Option<Value>), u32> = FxHashMap::default();
        for (place, &at) in self.positions.iter().enumerate() {
            let operation = &all[at];
            if operation.completion == Completion::Fail {
                continue;
            }
            let part = match about(operation, datatype) {
                About::Object => None,
                About::Part(part) => Some(part),
                About::Parts => continue,
                About::Unknown => {
                    self.always.push(at);
                    continue;
                }
            };
            let depends = part.is_some() || datatype::answered(operation, datatype);
            let new = number_of(self.lists.len());
            let list = *places.entry((&operation.call.key, part)).or_insert(new);
            if list == new {
                self.lists.push(Vec::new());
            }
            if datatype::updates(operation, datatype) {
                self.lists[index(list)].push(at);
                self.within[place][0] = Some(list);
            }
            self.of[place] = depends.then_some(list);
        }
    }

    /// When the last of these was answered.
    fn last_answer(&self, positions: impl Iterator<Item = usize>) -> u64 {
        let Some(times) = &self.times else { return u64::MAX };
        positions.filter_map(|at| times[self.place(at)].answered).max().unwrap_or(0)
    }

    /// Until when a source of an operation can have been invoked.
    fn until(&self, at: usize, last: u64) -> u64 {
        self.times.as_ref().map_or(u64::MAX, |times| times[self.place(at)].until(last))
    }

    fn invoked(&self, at: usize) -> u64 {
        self.times.as_ref().map_or(0, |times| times[self.place(at)].invoked)
    }

    /// Considers only the operations at these positions. A failed write is a
    /// source only of a read that nothing else explains.
    pub(super) fn within(history: &History, part: &[usize], datatype: &dyn Datatype) -> Sources {
        let operations = || part.iter().map(|at| (*at, &history.operations()[*at]));
        let positions = part.to_vec();
        let mut within = vec![[None; 2]; part.len()];
        if datatype.name() != "register" {
            let (of, lists, always) = (vec![None; part.len()], Vec::new(), Vec::new());
            let mut sources = Sources { positions, times: None, of, within, lists, always };
            sources.depend_on_changes(history, datatype);
            return sources;
        }
        let mut lists: Vec<Vec<usize>> = Vec::new();
        let mut places: FxHashMap<(bool, &Key, &Value), usize> = FxHashMap::default();
        for (at, op) in operations() {
            let failed = op.completion == Completion::Fail && op.call.is_write();
            let value = if failed { Some(&op.call.argument) } else { datatype::left(op) };
            let Some(value) = value else { continue };
            if failed && places.contains_key(&(failed, &op.call.key, value)) {
                // One failed write is enough to show that a failed write was
                // seen. The first will do: if any was invoked before the read
                // returned, it was.
                continue;
            }
            let place = places.entry((failed, &op.call.key, value)).or_insert(lists.len());
            if *place == lists.len() {
                lists.push(Vec::new());
            }
            lists[*place].push(at);
        }
        // The answer of a compare-and-set that found another value may depend
        // on all changes of its key.
        let missed = |op: &Operation| op.completion == Completion::Ok(Value::from(MISMATCH));
        let mut changes: FxHashMap<&Key, usize> = FxHashMap::default();
        if operations().any(|(_, op)| missed(op)) {
            for (at, op) in operations() {
                if datatype::left(op).is_some() {
                    let place = *changes.entry(&op.call.key).or_insert(lists.len());
                    if place == lists.len() {
                        lists.push(Vec::new());
                    }
                    lists[place].push(at);
                }
            }
        }
        let place = |at: &usize| part.binary_search(at).expect("it is in the part");
        for (list, members) in lists.iter().enumerate() {
            for member in members {
                let [first, second] = &mut within[place(member)];
                let free = if first.is_none() { first } else { second };
                *free = Some(number_of(list));
            }
        }
        let of = operations().map(|(_, op)| {
            // A compare-and-set of unknown outcome may be the source of a read.
            // Then it took effect, and the value that it must have found needs
            // a source too.
            if missed(op) && matches!(op.call.f, Function::Other(_)) {
                return changes.get(&op.call.key).map(|list| number_of(*list));
            }
            let value = datatype::found(op)?;
            let get =
                |failed| places.get(&(failed, &op.call.key, value)).map(|list| number_of(*list));
            let in_time =
                |list: &u32| datatype::aborted(&history.operations()[lists[index(*list)][0]], op);
            let failed = || match *value {
                Value::Null => None,
                _ => get(true).filter(in_time),
            };
            get(false).or_else(failed)
        });
        let of = of.collect();
        Sources { positions, times: None, of, within, lists, always: Vec::new() }
    }

    fn place(&self, at: usize) -> usize {
        self.positions.binary_search(&at).expect("it is in the part")
    }

    /// Whether no operation of the part needs this one.
    fn is_spare(&self, at: usize) -> bool {
        self.within[self.place(at)] == [None; 2] && !self.always.contains(&at)
    }

    /// These operations and their possible sources, transitively; ascending.
    pub(super) fn closed(&self, positions: &[usize]) -> Vec<usize> {
        let mut all = positions.to_vec();
        let mut inside: FxHashSet<usize> = positions.iter().copied().collect();
        // By list: how many of its members are known.
        let mut known: FxHashMap<u32, usize> = FxHashMap::default();
        loop {
            let before = all.len();
            let last = self.last_answer(all.iter().copied());
            let mut next = 0;
            // Transitively, because a compare-and-set has a source and can be one.
            while let Some(&at) = all.get(next) {
                next += 1;
                let Some(list) = self.of[self.place(at)] else { continue };
                let until = self.until(at, last);
                let known = known.entry(list).or_insert(0);
                let more = &self.lists[index(list)][*known..];
                let more = more.iter().take_while(|source| self.invoked(**source) <= until);
                for source in more {
                    *known += 1;
                    if inside.insert(*source) {
                        all.push(*source);
                    }
                }
            }
            let always = self.always.iter().filter(|at| self.invoked(**at) <= last);
            all.extend(always.filter(|at| inside.insert(**at)));
            // A source may have been answered later than all others.
            if self.times.is_none() || all.len() == before {
                all.sort_unstable();
                return all;
            }
        }
    }

    /// A closed part without `out` and without all that needs, transitively,
    /// one of them.
    fn without(&self, part: &[usize], out: &[usize]) -> Vec<usize> {
        if out.iter().all(|at| self.always.contains(at)) {
            return Vec::new();
        }
        let out: Vec<usize> = out.iter().copied().filter(|at| !self.always.contains(at)).collect();
        let mut gone: FxHashSet<usize> = out.iter().copied().collect();
        // By list: when the first member was invoked that is gone.
        let mut hit: FxHashMap<u32, u64> = FxHashMap::default();
        let mut fresh = out;
        loop {
            let mut grown = false;
            for &at in &fresh {
                let invoked = self.invoked(at);
                for list in self.within[self.place(at)].into_iter().flatten() {
                    let first = hit.entry(list).or_insert(u64::MAX);
                    grown |= invoked < *first;
                    *first = invoked.min(*first);
                }
            }
            let rest = || part.iter().copied().filter(|at| !gone.contains(at));
            if !grown {
                let last = self.last_answer(rest());
                let late = |at: &usize| self.always.contains(at) && self.invoked(*at) > last;
                return rest().filter(|at| !late(at)).collect();
            }
            let last = self.last_answer(rest());
            let needs = |at: &usize| {
                let first = self.of[self.place(*at)].and_then(|list| hit.get(&list));
                first.is_some_and(|first| *first <= self.until(*at, last))
            };
            fresh = rest().filter(needs).collect();
            gone.extend(&fresh);
        }
    }
}

fn about(operation: &Operation, datatype: &dyn Datatype) -> About {
    datatype.about(&operation.call, operation.result())
}

/// These operations of a history and their possible sources, transitively;
/// ascending.
pub(super) fn closed(
    history: &History,
    positions: &[usize],
    datatype: &dyn Datatype,
) -> Vec<usize> {
    let all: Vec<usize> = (0..history.len()).collect();
    Sources::within(history, &all, datatype).closed(positions)
}

/// A minimal closed part of `part` (closed, failing) that still fails.
///
/// `fails` says whether a closed part fails, `None` if it cannot tell. Its last
/// call is about the result, so that a proof it keeps is one of the result. The
/// second answer is whether the result is known to be minimal.
pub(super) fn minimise(
    sources: &Sources,
    part: Vec<usize>,
    mut fails: impl FnMut(&[usize]) -> Option<bool>,
) -> (Vec<usize>, bool) {
    let mut part = match part.len() > LONG {
        true => stretch(sources, part, &mut fails),
        false => part,
    };
    let spare = |at: &usize| sources.is_spare(*at);
    cut(sources, &mut part, &spare, &mut fails);
    let certain = cut(sources, &mut part, &|_| true, &mut fails);
    let confirmed = fails(&part) == Some(true);
    (part, certain && confirmed)
}

/// How often `fails` may answer `None` before no more parts are tried.
const UNKNOWN_MAX: usize = 64;

/// Parts of more operations than this are first cut down to an interval of
/// time.
const LONG: usize = 32;

/// Cuts a failing part down to an interval of time that, once closed, fails,
/// while neither its first half nor its last half does. It tries the first and
/// the last few operations, then twice as many, and so on, and starts again on
/// a piece that fails. So a failure within a short time is found without ever
/// judging the whole again.
fn stretch(
    sources: &Sources,
    mut part: Vec<usize>,
    fails: &mut dyn FnMut(&[usize]) -> Option<bool>,
) -> Vec<usize> {
    let mut size = LONG;
    while size < part.len() {
        let ends = [&part[..size], &part[part.len() - size..]];
        let closed = ends.map(|end| sources.closed(end));
        let smaller = closed.into_iter().filter(|end| end.len() < part.len());
        match smaller.into_iter().find(|end| fails(end) == Some(true)) {
            Some(end) => (part, size) = (end, LONG),
            None => size *= 2,
        }
    }
    part
}

/// Removes what `may` be removed, in smaller and smaller pieces, until nothing
/// more can be. False if `fails` could not tell whether more can.
fn cut(
    sources: &Sources,
    part: &mut Vec<usize>,
    may: &dyn Fn(&usize) -> bool,
    fails: &mut dyn FnMut(&[usize]) -> Option<bool>,
) -> bool {
    let candidates = |part: &[usize]| part.iter().copied().filter(may).collect::<Vec<usize>>();
    let mut list = candidates(part);
    let mut size = list.len().next_power_of_two() / 2;
    let mut certain = true;
    let mut unknown = 0;
    while size > 0 {
        let before = part.len();
        let mut end = list.len();
        if size == 1 {
            certain = true;
        }
        while end > 0 {
            let start = end.saturating_sub(size);
            let less = sources.without(part, &list[start..end]);
            match fails(&less) {
                Some(true) => {
                    *part = less;
                    list = candidates(part);
                    end = start.min(list.len());
                }
                Some(false) => end = start,
                None => {
                    certain = false;
                    end = start;
                    unknown += 1;
                    if unknown > UNKNOWN_MAX {
                        return false;
                    }
                }
            }
        }
        if size > 1 || part.len() == before {
            size /= 2;
        }
    }
    certain
}
