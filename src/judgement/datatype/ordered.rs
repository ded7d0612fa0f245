//! Whether there is one order that several lists of elements follow, and in which what
//! was typed in one go stands together.
//!
//! For the second, each element hangs on its left neighbour: what hangs on an element,
//! and on that in turn, must stand right behind it, so the order is a walk through a
//! tree, parents first. What hangs on the same element is a forest by right neighbours,
//! walked with parents last. Such a walk is chosen by ordering what hangs on the same
//! parent. So what lists say about two elements is what they say about the two branches
//! that these are in, and there is a walk if nowhere that runs in a cycle.
//!
//! Elements whose neighbours are not known may stand anywhere. They still tell what is
//! before what, by way of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::Value;

/// What stood beside an element when it was inserted; `None`: an end of the list.
pub(super) type Beside<'a> = (Option<&'a Value>, Option<&'a Value>);

/// What lists say about the order of their elements, which are named by numbers. Gaps
/// (`null`) say nothing.
pub(super) struct Ordered<'a> {
    elements: Vec<&'a Value>,
    before: Pairs,
}

/// Pairs of elements of which the first comes before the second.
type Pairs = BTreeSet<(usize, usize)>;

/// The parents of elements: `None` if one hangs on the root.
type Parents = BTreeMap<usize, Option<usize>>;

/// Which of a parent and what hangs on it comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Parent,
    Child,
}

impl<'a> Ordered<'a> {
    /// What these lists say. O(n log n) for n elements in all.
    pub(super) fn by(lists: &[&'a [Value]]) -> Self {
        let elements: BTreeSet<&Value> = lists.iter().copied().flatten().collect();
        let elements = elements.into_iter().filter(|element| **element != Value::Null).collect();
        let mut ordered = Ordered { elements, before: Pairs::new() };
        for list in lists {
            let numbers: Vec<usize> = list.iter().filter_map(|one| ordered.number(one)).collect();
            ordered.before.extend(numbers.windows(2).map(|two| (two[0], two[1])));
        }
        ordered
    }

    fn number(&self, element: &Value) -> Option<usize> {
        self.elements.binary_search(&element).ok()
    }

    /// Whether there is an order. O(n log n).
    pub(super) fn exists(&self) -> bool {
        have_no_cycle(&self.before)
    }

    /// Whether there is an order in which what was typed in one go stands together.
    /// O(n·d log n) for trees of depth d.
    pub(super) fn is_together(&self, beside: &BTreeMap<&Value, Beside<'_>>) -> bool {
        if !self.exists() {
            return false;
        }
        let left = rooted(self.hanging(beside, |(left, _)| left));
        let mut right = self.hanging(beside, |(_, right)| right);
        right.retain(|at, _| left.contains_key(at));
        for (at, parent) in &mut right {
            // A right neighbour counts if it hangs on the same element.
            let elsewhere = |on: &usize| left.get(on).is_some_and(|other| *other != left[at]);
            *parent = parent.filter(|on| !elsewhere(on));
        }
        let right = rooted(right);
        let known = through(&self.before, |at| left.contains_key(&at));
        let Some(siblings) = branches(&left, &known, First::Parent) else { return false };
        let told = through(&siblings, |at| right.contains_key(&at));
        let told = told.into_iter().filter(|(a, b)| left[a] == left[b]).collect();
        let Some(told) = branches(&right, &told, First::Child) else { return false };
        have_no_cycle(&siblings) && have_no_cycle(&told)
    }

    /// On which of its neighbours each element hangs, where that is known.
    fn hanging<'b>(
        &self,
        beside: &BTreeMap<&Value, Beside<'b>>,
        on: impl Fn(Beside<'b>) -> Option<&'b Value>,
    ) -> Parents {
        let mut parents = Parents::new();
        for (element, both) in beside {
            let Some(at) = self.number(element) else { continue };
            match on(*both).map(|neighbour| self.number(neighbour)) {
                None => drop(parents.insert(at, None)),
                Some(Some(neighbour)) => drop(parents.insert(at, Some(neighbour))),
                // It stood beside a gap.
                Some(None) => {}
            }
        }
        parents
    }
}

/// The elements from which parents lead to the root.
fn rooted(mut parents: Parents) -> Parents {
    loop {
        let known: BTreeSet<usize> = parents.keys().copied().collect();
        parents.retain(|_, parent| parent.is_none_or(|on| known.contains(&on)));
        if parents.len() == known.len() {
            return parents;
        }
    }
}

/// These pairs among the elements for which this is true, also those that follow by way
/// of others.
fn through(pairs: &Pairs, keep: impl Fn(usize) -> bool) -> Pairs {
    let mut kept = Pairs::new();
    let firsts: BTreeSet<usize> = pairs.iter().map(|(first, _)| *first).collect();
    for from in firsts.into_iter().filter(|at| keep(*at)) {
        let (mut open, mut seen) = (vec![from], BTreeSet::new());
        while let Some(at) = open.pop() {
            for &(_, to) in pairs.range((at, 0)..(at + 1, 0)) {
                if keep(to) {
                    kept.insert((from, to));
                } else if seen.insert(to) {
                    open.push(to);
                }
            }
        }
    }
    kept
}

/// What these pairs say about branches that hang on the same parent; `None` if they
/// contradict what comes first, a parent or what hangs on it.
fn branches(parents: &Parents, pairs: &Pairs, first: First) -> Option<Pairs> {
    let line = |at: usize| {
        let mut line: Vec<usize> =
            std::iter::successors(Some(at), |at| parents.get(at).copied().flatten()).collect();
        line.reverse();
        line
    };
    let mut branches = Pairs::new();
    for &(a, b) in pairs {
        let (one, other) = (line(a), line(b));
        let shared = one.iter().zip(&other).take_while(|(x, y)| x == y).count();
        match (one.get(shared), other.get(shared)) {
            (Some(&x), Some(&y)) => drop(branches.insert((x, y))),
            // One of them hangs on the other, at last.
            (None, _) if first == First::Child => return None,
            (_, None) if first == First::Parent => return None,
            _ => {}
        }
    }
    Some(branches)
}

/// Whether these pairs do not run in a cycle. Takes away what nothing is before.
fn have_no_cycle(pairs: &Pairs) -> bool {
    let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
    for &(first, second) in pairs {
        waits.entry(first).or_default();
        *waits.entry(second).or_default() += 1;
    }
    let mut free: Vec<usize> =
        waits.iter().filter(|(_, waits)| **waits == 0).map(|(at, _)| *at).collect();
    let mut placed = 0;
    while let Some(at) = free.pop() {
        placed += 1;
        for (_, next) in pairs.range((at, 0)..(at + 1, 0)) {
            let waits = waits.get_mut(next).expect("it is in a pair");
            *waits -= 1;
            if *waits == 0 {
                free.push(*next);
            }
        }
    }
    placed == waits.len()
}
