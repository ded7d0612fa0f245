//! Sets of small numbers as bits, and topological orders of relations over
//! them.
//!
//! A relation is a slice of rows: `rows[b]` holds every `a` that comes before
//! `b`. A row is a [`Word`] where 64 numbers are enough (that is nearly every
//! history of a search) and [`Wide`] otherwise; algorithms are written once,
//! over [`Set`]. Knows nothing of operations.

use crate::judgement::number::index;

/// A set of the numbers below some bound.
pub(crate) trait Set: Clone {
    /// The empty set, for numbers below `bound`.
    fn empty(bound: usize) -> Self;
    /// Whether `number` is in the set.
    fn contains(&self, number: usize) -> bool;
    /// Puts `number` into the set.
    fn insert(&mut self, number: usize);
    /// Takes `number` out of the set.
    fn remove(&mut self, number: usize);
    /// Puts all of `other` into the set.
    fn unite(&mut self, other: &Self);
    /// What is in both.
    fn common(&self, other: &Self) -> Self;
    /// The least number that is in this set and in `other`, but not in `without`.
    fn first_of(&self, other: &Self, without: &Self) -> Option<usize>;
    /// The numbers, ascending.
    fn numbers(&self) -> impl Iterator<Item = usize> + '_;
    /// How many there are.
    fn len(&self) -> usize;
}

/// A set of numbers below 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

/// A set of numbers below any bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wide(Box<[u64]>);

fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let lowest = index(word.trailing_zeros());
            word &= word - 1;
            lowest
        })
    })
}

impl Set for Word {
    fn empty(bound: usize) -> Self {
        debug_assert!(bound <= 64, "a word holds 64 numbers");
        Word(0)
    }
    fn contains(&self, number: usize) -> bool {
        self.0 >> number & 1 == 1
    }
    fn insert(&mut self, number: usize) {
        self.0 |= 1 << number;
    }
    fn remove(&mut self, number: usize) {
        self.0 &= !(1 << number);
    }
    fn unite(&mut self, other: &Self) {
        self.0 |= other.0;
    }
    fn common(&self, other: &Self) -> Self {
        Word(self.0 & other.0)
    }
    fn first_of(&self, other: &Self, without: &Self) -> Option<usize> {
        bits(self.0 & other.0 & !without.0).next()
    }
    fn numbers(&self) -> impl Iterator<Item = usize> + '_ {
        bits(self.0)
    }
    fn len(&self) -> usize {
        index(self.0.count_ones())
    }
}

impl Set for Wide {
    fn empty(bound: usize) -> Self {
        Wide(vec![0; bound.div_ceil(64)].into_boxed_slice())
    }
    fn contains(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }
    fn insert(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }
    fn remove(&mut self, number: usize) {
        self.0[number / 64] &= !(1 << (number % 64));
    }
    fn unite(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
    fn common(&self, other: &Self) -> Self {
        Wide(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }
    fn first_of(&self, other: &Self, without: &Self) -> Option<usize> {
        let words = self.0.iter().zip(&other.0).zip(&without.0).enumerate();
        words
            .into_iter()
            .find_map(|(at, ((a, b), c))| bits(a & b & !c).next().map(|lowest| at * 64 + lowest))
    }
    fn numbers(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| bits(word).map(move |bit| at * 64 + bit))
    }
    fn len(&self) -> usize {
        self.0.iter().map(|word| index(word.count_ones())).sum()
    }
}

/// A topological order of `nodes` by the relation `before`, or a cycle
/// `a → b → … → a` in it (without the last `a`).
///
/// Depth-first search; O(n²/64) for n nodes. The result depends only on the
/// relation.
pub(crate) fn order<S: Set>(before: &[S], nodes: &S) -> Result<Vec<usize>, Vec<usize>> {
    let mut done = S::empty(before.len());
    let mut open = S::empty(before.len());
    let mut path = Vec::new();
    let mut ordered = Vec::with_capacity(nodes.len());
    for root in nodes.numbers() {
        if !done.contains(root) {
            path.push(root);
            open.insert(root);
        }
        while let Some(&node) = path.last() {
            match before[node].first_of(nodes, &done) {
                Some(earlier) if open.contains(earlier) => {
                    let start = path.iter().position(|&on| on == earlier);
                    let start = start.expect("what is open is on the path");
                    return Err(path.drain(start..).rev().collect());
                }
                Some(earlier) => {
                    path.push(earlier);
                    open.insert(earlier);
                }
                None => {
                    path.pop();
                    open.remove(node);
                    done.insert(node);
                    ordered.push(node);
                }
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<S: Set>(edges: &[(usize, usize)], bound: usize) -> (Vec<S>, S) {
        let mut before = vec![S::empty(bound); bound];
        let mut nodes = S::empty(bound);
        for &(a, b) in edges {
            before[b].insert(a);
            nodes.insert(a);
            nodes.insert(b);
        }
        (before, nodes)
    }

    fn ordered(edges: &[(usize, usize)]) -> Result<Vec<usize>, Vec<usize>> {
        let (word, all) = rows::<Word>(edges, 64);
        let (wide, every) = rows::<Wide>(edges, 200);
        let answer = order(&word, &all);
        assert_eq!(answer, order(&wide, &every));
        answer
    }

    #[test]
    fn what_is_before_comes_first() {
        assert_eq!(ordered(&[(3, 1), (1, 2), (3, 2), (2, 0)]), Ok(vec![3, 1, 2, 0]));
    }

    #[test]
    fn a_cycle_is_told_in_its_direction() {
        assert_eq!(ordered(&[(5, 0), (0, 1), (1, 2), (2, 0)]), Err(vec![1, 2, 0]));
        assert_eq!(ordered(&[(7, 7)]), Err(vec![7]));
    }

    #[test]
    fn sets_of_both_sizes_answer_alike() {
        fn answers<S: Set>(bound: usize) -> (Vec<usize>, Option<usize>, usize, bool) {
            let (mut a, mut b) = (S::empty(bound), S::empty(bound));
            [3, 9, 33, 63].into_iter().for_each(|n| a.insert(n));
            [9, 33, 40].into_iter().for_each(|n| b.insert(n));
            let both = a.common(&b);
            let mut nine = S::empty(bound);
            nine.insert(9);
            let first = a.first_of(&b, &nine);
            b.unite(&a);
            b.remove(63);
            (b.numbers().collect(), first, both.len(), b.contains(63))
        }
        assert_eq!(answers::<Word>(64), answers::<Wide>(300));
        assert_eq!(answers::<Word>(64), (vec![3, 9, 33, 40], Some(33), 2, false));
    }
}
