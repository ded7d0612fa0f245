//! Queues whose values are all different, in O(n log n).
//!
//! Of two values, the one is in front if it was put in before the other, or taken out
//! before the other (never is after everything). If neither of any two values must be
//! in front of the other for both reasons, there is an order of the values that keeps
//! both, because each is an interval order: in a cycle of both, two steps of one kind
//! with one of the other between them are always cut short or turned round. And where
//! values are in such an order, each operation can take effect as early as those before
//! it allow. A dequeue that finds nothing needs an instant at which nothing must be in
//! the queue. Any will do: what is put in before it and taken out after it would have
//! to be there. So such a dequeue is like a value that is put in and taken out at that
//! instant. (Henzinger, Sezgin and Vafeiadis, CONCUR 2013, name the four patterns that
//! make a queue wrong; Lee and Mathur, OOPSLA 2025, the bound for monitors.)
//!
//! A dequeue of unknown outcome may have taken any value that is never seen again. The
//! earlier the better, so those that must have gone get the first ones, in the order in
//! which they must have gone. If there are empty dequeues besides and this fails, the
//! procedure does not answer.

use std::cmp::Reverse;

use super::Decided;
use super::lives::{Covered, Life, Lives, Span, chain, timed};

/// Decides for the values of a queue.
pub(super) fn decide(mut lives: Lives) -> Option<Decided> {
    if lives.wrong.is_some() {
        return lives.wrong.map(Err);
    }
    // Whether a value that is never seen again may be gone.
    let may_go = !lives.unknown.is_empty();
    let taken = |life: &&Life| life.taken.0.is_some();
    let sure: Vec<Life> = match may_go {
        true => lives.all.iter().filter(taken).copied().collect(),
        false => lives.all.clone(),
    };
    if let Some(part) = overtaken(&sure) {
        return Some(Err(part));
    }
    let free = match instants(&sure, &lives.empties) {
        Ok(free) => free,
        Err(part) => return Some(Err(part)),
    };
    if may_go && let Err(part) = take_unknown(&mut lives, &free) {
        return lives.empties.is_empty().then_some(Err(part));
    }
    in_order(&lives, &free)
}

/// For each dequeue that found nothing, the first instant at which none of these values
/// must be in the queue. The error: a dequeue that has none, with those that cover it.
fn instants(sure: &[Life], empties: &[(usize, Span)]) -> Result<Vec<u64>, Vec<usize>> {
    let covered = Covered::by(sure.iter());
    let mut all = Vec::with_capacity(empties.len());
    for &(at, span) in empties {
        let instant = covered.free(span.from);
        if instant > span.to {
            let mut part = chain(sure, span);
            part.push(at);
            part.sort_unstable();
            return Err(part);
        }
        all.push(instant);
    }
    Ok(all)
}

/// Lets dequeues of unknown outcome take the values that must be gone. The error: values
/// for which there are not enough.
fn take_unknown(lives: &mut Lives, free: &[u64]) -> Result<(), Vec<usize>> {
    // By when the values put in before an instant must be gone, and why: by the return
    // of what took out one behind them, or by when the queue was empty.
    let mut until: Vec<(u64, u64, Option<usize>)> = { lives.all.iter().enumerate() }
        .filter(|(_, life)| life.taken.0.is_some())
        .map(|(nth, life)| (life.put.1.from, life.taken.1.to, Some(nth)))
        .chain(free.iter().map(|&instant| (instant, instant, None)))
        .collect();
    until.sort_unstable_by_key(|(instant, until, why)| (*instant, Reverse(*until), Reverse(*why)));
    for nth in (1..until.len()).rev() {
        if until[nth].1 < until[nth - 1].1 {
            (until[nth - 1].1, until[nth - 1].2) = (until[nth].1, until[nth].2);
        }
    }
    let mut gone: Vec<(u64, usize, Option<usize>)> = Vec::new();
    for (nth, life) in lives.all.iter().enumerate().filter(|(_, life)| life.taken.0.is_none()) {
        let next = until.partition_point(|(instant, ..)| *instant <= life.put.1.to);
        gone.extend(until.get(next).map(|&(_, until, why)| (until, nth, why)));
    }
    gone.sort_unstable();
    for (nth, &(until, value, _)) in gone.iter().enumerate() {
        match lives.unknown.get(nth).filter(|(_, invoked)| *invoked <= until) {
            Some(&(at, invoked)) => {
                let from = invoked.max(lives.all[value].put.1.from);
                lives.all[value].taken = (Some(at), Span { from, to: u64::MAX });
            }
            None => {
                let of = |value: usize| lives.all[value].operations();
                let both = gone[..=nth].iter().flat_map(|(_, value, why)| {
                    of(*value).chain(why.iter().flat_map(|why| of(*why)).collect::<Vec<_>>())
                });
                let all = both.chain(lives.unknown.iter().map(|(at, _)| *at));
                let mut part: Vec<usize> = all.collect();
                part.sort_unstable();
                part.dedup();
                return Err(part);
            }
        }
    }
    Ok(())
}

/// Two values of which one was put in before the other and taken out after it.
fn overtaken(lives: &[Life]) -> Option<Vec<usize>> {
    let mut by_return: Vec<usize> = (0..lives.len()).collect();
    by_return.sort_unstable_by_key(|nth| lives[*nth].put.1.to);
    let mut by_invocation: Vec<usize> = (0..lives.len()).collect();
    by_invocation.sort_unstable_by_key(|nth| lives[*nth].put.1.from);
    let mut earlier = by_return.into_iter().peekable();
    // Of the values put in before, the one whose removal was invoked last.
    let mut last: Option<usize> = None;
    for behind in by_invocation {
        let before = |nth: &usize| lives[*nth].put.1.returns_before(lives[behind].put.1);
        while let Some(nth) = earlier.next_if(before) {
            let later = last.is_none_or(|last| lives[last].taken.1.from < lives[nth].taken.1.from);
            last = if later { Some(nth) } else { last };
        }
        if let Some(front) = last
            && lives[behind].taken.1.returns_before(lives[front].taken.1)
        {
            let both = [lives[front], lives[behind]];
            let mut part: Vec<usize> = both.iter().flat_map(Life::operations).collect();
            part.sort_unstable();
            return Some(part);
        }
    }
    None
}

/// A value in the queue, or a dequeue that found nothing at an instant.
struct Item {
    put: Span,
    taken: Span,
    /// The operations: that of an empty dequeue is both.
    operations: (usize, Option<usize>),
    is_value: bool,
}

/// An order of the operations of values of which none must overtake another.
fn in_order(lives: &Lives, free: &[u64]) -> Option<Decided> {
    let values = lives.all.iter().map(|life| Item {
        put: life.put.1,
        taken: life.taken.1,
        operations: (life.put.0, life.taken.0),
        is_value: true,
    });
    let empties = lives.empties.iter().zip(free).map(|((at, _), &instant)| {
        let span = Span { from: instant, to: instant };
        Item { put: span, taken: span, operations: (*at, Some(*at)), is_value: false }
    });
    let items: Vec<Item> = values.chain(empties).collect();
    let sequence = in_both_orders(&items)?;
    // When each is put in and taken out at the earliest.
    let mut order: Vec<(usize, Span)> = Vec::with_capacity(2 * items.len());
    let mut earliest: Vec<(u64, u64)> = Vec::with_capacity(items.len());
    let (mut put, mut taken) = (0, 0);
    for &nth in &sequence {
        put = items[nth].put.from.max(put);
        taken = items[nth].taken.from.max(taken).max(put);
        earliest.push((put, taken));
    }
    let (mut next, mut front) = (0, 0);
    let takes = |front: usize| items[sequence[front]].operations.1.is_some();
    while next < sequence.len() || (front < next && takes(front)) {
        let item = sequence.get(next).map(|nth| &items[*nth]);
        let out = front < next
            && takes(front)
            && item.is_none_or(|_| earliest[front].1 <= earliest[next].0);
        match item {
            _ if out => {
                let item = &items[sequence[front]];
                order.extend(item.operations.1.map(|at| (at, item.taken)));
                front += 1;
            }
            Some(item) => {
                order.push((item.operations.0, item.put));
                next += 1;
                if !item.is_value {
                    // Nothing is in the queue then.
                    if front + 1 != next {
                        debug_assert!(false, "something is in front of an empty dequeue");
                        return None;
                    }
                    front = next;
                }
            }
            None => return None,
        }
    }
    timed(&order)
}

/// The items in an order that keeps that in which they must be put in and that in which
/// they must be taken out.
fn in_both_orders(items: &[Item]) -> Option<Vec<usize>> {
    let sorted = |key: &dyn Fn(&Item) -> u64| {
        let mut all: Vec<usize> = (0..items.len()).collect();
        all.sort_by_key(|nth| key(&items[*nth]));
        all
    };
    // Of each kind: by the end of the span, and by its beginning.
    let ends = [sorted(&|item| item.put.to), sorted(&|item| item.taken.to)];
    let begins = [sorted(&|item| item.put.from), sorted(&|item| item.taken.from)];
    let from = |kind: usize, nth: usize| match kind {
        0 => items[nth].put.from,
        _ => items[nth].taken.from,
    };
    let to = |kind: usize, nth: usize| match kind {
        0 => items[nth].put.to,
        _ => items[nth].taken.to,
    };
    let (mut end, mut begin) = ([0; 2], [0; 2]);
    let mut placed = vec![false; items.len()];
    let mut allowed = vec![0_u8; items.len()];
    let mut ready: Vec<usize> = Vec::new();
    let mut sequence = Vec::with_capacity(items.len());
    while sequence.len() < items.len() {
        for kind in 0..2 {
            while ends[kind].get(end[kind]).is_some_and(|nth| placed[*nth]) {
                end[kind] += 1;
            }
            // Nothing that is left must come before what begins by then.
            let until = ends[kind].get(end[kind]).map_or(u64::MAX, |nth| to(kind, *nth));
            while let Some(&nth) = begins[kind].get(begin[kind])
                && from(kind, nth) <= until
            {
                begin[kind] += 1;
                allowed[nth] += 1;
                if allowed[nth] == 2 {
                    ready.push(nth);
                }
            }
        }
        let Some(nth) = ready.pop() else {
            debug_assert!(false, "values overtake each other after all");
            return None;
        };
        placed[nth] = true;
        sequence.push(nth);
    }
    Some(sequence)
}
