//! Stacks whose values are all different, in O(n² log n), mostly O(n log n).
//!
//! A pop that finds nothing needs an instant at which nothing must be on the stack. Any
//! will do, and it divides the values into those before it and those after it, since
//! what was pushed before and popped after it would have to be there; a value that may be
//! pushed and popped at that very instant is. The same holds for any other instant at
//! which nothing must be there, and, for values that are popped, for the instant at
//! which one is pushed that never is: nothing that is popped later can be below it.
//! Among values that no such instant divides, one must be at the bottom in every order:
//! pushed before all others, and popped after all others. What can be at the bottom can
//! be taken away, in any order with the rest in between. If nothing can, there is no
//! order. (The idea is that of Lee and Mathur, OOPSLA 2025.)
//!
//! A pop of unknown outcome is left out. If there is no order then, the procedure does
//! not answer, because it may have taken something.

use super::Decided;
use super::lives::{Covered, Life, Lives, Span, chain, timed};

/// Decides for the values of a stack.
pub(super) fn decide(lives: Lives) -> Option<Decided> {
    if lives.wrong.is_some() {
        return lives.wrong.map(Err);
    }
    match order(&lives) {
        Ok(order) => timed(&order),
        Err(mut part) => {
            part.sort_unstable();
            part.dedup();
            lives.unknown.is_empty().then_some(Err(part))
        }
    }
}

/// An order; the error: operations that have none.
fn order(lives: &Lives) -> Result<Vec<(usize, Span)>, Vec<usize>> {
    let (taken, left): (Vec<Life>, Vec<Life>) =
        lives.all.iter().partition(|life| life.taken.0.is_some());
    let mut alone = found_nothing(lives)?;
    // Nothing that is left lies below a pop that finds nothing.
    let last = alone.iter().copied().max();
    let covered = Covered::by(taken.iter());
    for life in left {
        let (at, span) = life.put;
        let from = last.map_or(span.from, |(instant, _)| span.from.max(instant));
        let instant = covered.free(from);
        if instant > span.to {
            let mut part = chain(&taken, Span { from, to: span.to });
            part.push(at);
            if let Some((last, at)) = last.filter(|_| from > span.from) {
                let empty = lives.empties.iter().find(|(empty, _)| *empty == at);
                let span = empty.map_or(Span { from, to: from }, |(_, span)| *span);
                part.push(at);
                part.extend(chain(&lives.all, Span { to: last.saturating_sub(1), ..span }));
            }
            return Err(part);
        }
        alone.push((instant, at));
    }
    // Pops that find nothing come first in this list, so they stay before pushes at the
    // same instant.
    alone.sort_by_key(|(instant, _)| *instant);
    let mut instants: Vec<u64> = alone.iter().map(|(instant, _)| *instant).collect();
    instants.dedup();
    let mut order: Vec<(usize, Span)> = Vec::new();
    let mut alone = alone.into_iter().peekable();
    for (group, until) in divided(taken, &instants) {
        pile(group, &mut order)?;
        let Some(until) = until else { continue };
        while let Some((_, at)) = alone.next_if(|(instant, _)| *instant == until) {
            order.push((at, Span { from: until, to: until }));
        }
    }
    Ok(order)
}

/// The pops that found nothing, each with the first instant at which the stack can be
/// empty. The error: one that has none, with the values that must be there.
fn found_nothing(lives: &Lives) -> Result<Vec<(u64, usize)>, Vec<usize>> {
    let covered = Covered::by(lives.all.iter());
    let instants = lives.empties.iter().map(|&(at, span)| {
        let instant = covered.free(span.from);
        if instant <= span.to {
            return Ok((instant, at));
        }
        let mut part = chain(&lives.all, span);
        part.push(at);
        Err(part)
    });
    instants.collect()
}

/// The values before the first of these instants (ascending), those at it, and so on.
/// After those at an instant that instant is named.
fn divided(values: Vec<Life>, instants: &[u64]) -> Vec<(Vec<Life>, Option<u64>)> {
    let mut groups: Vec<(Vec<Life>, Option<u64>)> = Vec::new();
    groups.resize_with(2 * instants.len() + 1, || (Vec::new(), None));
    for (nth, instant) in instants.iter().enumerate() {
        groups[2 * nth + 1].1 = Some(*instant);
    }
    for life in values {
        // The first instant by which it can be popped, and those by which it must have
        // been pushed: none of these is between.
        let next = instants.partition_point(|instant| *instant < life.taken.1.from);
        let at = instants
            .get(next)
            .filter(|instant| life.put.1.contains(**instant) && life.taken.1.contains(**instant));
        groups[2 * next + usize::from(at.is_some())].0.push(life);
    }
    groups
}

/// What is left to do.
enum Task {
    Arrange(Vec<Life>),
    /// The pops of what is at the bottom.
    Pops(Vec<(usize, Span)>),
}

/// Appends an order of these values, one after the other or upon each other; the error:
/// all operations of values that have none.
fn pile(values: Vec<Life>, order: &mut Vec<(usize, Span)>) -> Result<(), Vec<usize>> {
    let mut tasks = vec![Task::Arrange(values)];
    while let Some(task) = tasks.pop() {
        let rest = match task {
            Task::Pops(pops) => {
                order.extend(pops);
                continue;
            }
            Task::Arrange(values) => {
                let (bottom, rest) = bottom(values);
                order.extend(bottom.iter().map(|life| life.put));
                let pops = bottom.iter().rev();
                let pops = pops.filter_map(|life| Some((life.taken.0?, life.taken.1)));
                tasks.push(Task::Pops(pops.collect()));
                rest
            }
        };
        if rest.is_empty() {
            continue;
        }
        let covered = Covered::by(rest.iter());
        let mut instants: Vec<u64> = covered.ends().filter(|end| *end != u64::MAX).collect();
        // A value that need not be there at any instant may be pushed and popped at one.
        for life in rest.iter().filter(|life| life.held().0 >= life.held().1) {
            let instant = covered.free(life.taken.1.from);
            instants.extend(Some(instant).filter(|instant| life.put.1.contains(*instant)));
        }
        instants.sort_unstable();
        instants.dedup();
        let count = rest.len();
        let groups = divided(rest, &instants);
        if let Some((whole, _)) = groups.iter().find(|(group, _)| group.len() == count) {
            return Err(whole.iter().flat_map(Life::operations).collect());
        }
        let groups = groups.into_iter().filter(|(group, _)| !group.is_empty()).rev();
        tasks.extend(groups.map(|(group, _)| Task::Arrange(group)));
    }
    Ok(())
}

/// Takes away what can be at the bottom, again and again: these values, the lowest
/// first, and the rest.
fn bottom(values: Vec<Life>) -> (Vec<Life>, Vec<Life>) {
    let count = values.len();
    let sorted = |key: &dyn Fn(&Life) -> u64| {
        let mut all: Vec<usize> = (0..count).collect();
        all.sort_by_key(|nth| key(&values[*nth]));
        all
    };
    // A value's push returns before its pop does, and its pop is invoked after its push.
    let (by_return, by_invocation) =
        (sorted(&|life| life.put.1.to), sorted(&|life| u64::MAX - life.taken.1.from));
    let (pushed, popped) =
        (sorted(&|life| life.put.1.from), sorted(&|life| u64::MAX - life.taken.1.to));
    let mut placed = vec![false; count];
    let mut allowed = vec![0_u8; count];
    let mut places = [0; 4];
    let mut lowest = Vec::new();
    loop {
        let mut ready = Vec::new();
        for (place, all) in [&by_return, &by_invocation].into_iter().enumerate() {
            while all.get(places[place]).is_some_and(|nth| placed[*nth]) {
                places[place] += 1;
            }
        }
        let first = by_return.get(places[0]).map_or(u64::MAX, |nth| values[*nth].put.1.to);
        let last = by_invocation.get(places[1]).map_or(0, |nth| values[*nth].taken.1.from);
        while let Some(&nth) = pushed.get(places[2])
            && values[nth].put.1.from <= first
        {
            places[2] += 1;
            allowed[nth] += 1;
            ready.extend((allowed[nth] == 2).then_some(nth));
        }
        while let Some(&nth) = popped.get(places[3])
            && values[nth].taken.1.to >= last
        {
            places[3] += 1;
            allowed[nth] += 1;
            ready.extend((allowed[nth] == 2).then_some(nth));
        }
        if ready.is_empty() {
            break;
        }
        for nth in ready {
            placed[nth] = true;
            lowest.push(nth);
        }
    }
    let rest = (0..count).filter(|nth| !placed[*nth]).map(|nth| values[nth]).collect();
    (lowest.into_iter().map(|nth| values[nth]).collect(), rest)
}
