//! Whether what was typed in one go can stand together.
//!
//! Each element hangs on its left neighbour: what hangs on an element, and on that in
//! turn, must stand right behind it, so the order is a walk through a tree, parents
//! first. What hangs on the same element is a forest by right neighbours, which is walked
//! with parents last. Such an order is chosen by ordering what hangs on the same parent
//! in both. So what answers say about two elements is what they say about the two
//! branches that they are in, and there is an order if nowhere these run in a cycle.
//!
//! Elements whose neighbours are not known may stand anywhere. They still tell what is
//! before what, by way of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::Value;

/// What stood beside an element when it was inserted; `None`: an end of the list.
pub(super) type Beside<'a> = (Option<&'a Value>, Option<&'a Value>);

/// The parents of elements, by number: `None` if it hangs on the root.
type Parents = BTreeMap<usize, Option<usize>>;

/// Whether one order has all these lists as parts (gaps tell nothing), and keeps together
/// what was typed in one go. O(n²·d) for n elements in trees of depth d.
pub(super) fn have_a_walk(lists: &[&[Value]], beside: &BTreeMap<&Value, Beside<'_>>) -> bool {
    let elements: BTreeSet<&Value> = lists.iter().copied().flatten().collect();
    let elements: Vec<&Value> = elements.into_iter().filter(|one| **one != Value::Null).collect();
    let number = |element: &Value| elements.binary_search(&element).ok();
    let mut next = BTreeSet::new();
    for list in lists {
        let numbers: Vec<usize> = list.iter().filter_map(number).collect();
        next.extend(numbers.windows(2).map(|two| (two[0], two[1])));
    }
    let Some(before) = closed(elements.len(), &next) else { return false };
    let hangs = |right: bool| {
        let mut parents = Parents::new();
        for (element, (left_neighbour, right_neighbour)) in beside {
            let neighbour = if right { right_neighbour } else { left_neighbour };
            match (number(element), neighbour.map(number)) {
                (Some(at), None) => drop(parents.insert(at, None)),
                (Some(at), Some(Some(on))) => drop(parents.insert(at, Some(on))),
                _ => {}
            }
        }
        parents
    };
    let left = rooted(hangs(false), |_| true);
    let Some(siblings) = lifted(&left, &before, First::Parent) else { return false };
    let Some(before) = closed(elements.len(), &siblings) else { return false };
    // The right neighbour counts if it hangs on the same element.
    let mut right = hangs(true);
    for (at, parent) in &mut right {
        let sibling = |on: &usize| left.contains_key(at) && left.get(on) == left.get(at);
        let is_known = parent.is_none_or(|on| left.contains_key(&on));
        *parent = match *parent {
            Some(on) if !is_known => Some(on),
            other => other.filter(sibling),
        };
    }
    let right = rooted(right, |at| left.contains_key(&at));
    let of_one = before.into_iter().filter(|(a, b)| left.get(a) == left.get(b));
    let Some(branches) = lifted(&right, &of_one.collect(), First::Child) else { return false };
    closed(elements.len(), &branches).is_some()
}

/// The elements from which parents lead to the root, among those that count.
fn rooted(mut parents: Parents, counts: impl Fn(usize) -> bool) -> Parents {
    parents.retain(|at, _| counts(*at));
    loop {
        let known: BTreeSet<usize> = parents.keys().copied().collect();
        parents.retain(|_, parent| parent.is_none_or(|on| known.contains(&on)));
        if parents.len() == known.len() {
            return parents;
        }
    }
}

/// Which of a parent and its child comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Parent,
    Child,
}

/// What these pairs say about branches that hang on the same parent; `None` if they
/// contradict what comes first. Pairs of other elements say nothing.
fn lifted(
    parents: &Parents,
    pairs: &BTreeSet<(usize, usize)>,
    first: First,
) -> Option<BTreeSet<(usize, usize)>> {
    let line = |at: usize| {
        let up = std::iter::successors(Some(at), |at| parents.get(at).copied().flatten());
        let mut line: Vec<usize> = up.collect();
        line.reverse();
        line
    };
    let mut branches = BTreeSet::new();
    for &(a, b) in pairs.iter().filter(|(a, b)| parents.contains_key(a) && parents.contains_key(b))
    {
        let (one, other) = (line(a), line(b));
        let shared = one.iter().zip(&other).take_while(|(x, y)| x == y).count();
        match (one.get(shared), other.get(shared)) {
            (Some(&x), Some(&y)) => {
                branches.insert((x, y));
            }
            // One of them hangs on the other, at last.
            (None, _) if first == First::Child => return None,
            (_, None) if first == First::Parent => return None,
            _ => {}
        }
    }
    Some(branches)
}

/// All pairs of which one leads to the other; `None` if something leads to itself.
fn closed(size: usize, next: &BTreeSet<(usize, usize)>) -> Option<BTreeSet<(usize, usize)>> {
    let mut closed = BTreeSet::new();
    for from in 0..size {
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for &(_, to) in next.range((at, 0)..(at + 1, 0)) {
                if closed.insert((from, to)) {
                    open.push(to);
                }
            }
        }
        if closed.contains(&(from, from)) {
            return None;
        }
    }
    Some(closed)
}
