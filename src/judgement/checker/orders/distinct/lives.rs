//! Values that are put in once and taken out at most once: when that was, and when the
//! object must have held something.

use rustc_hash::FxHashMap;

use super::Decided;
use crate::history::{Completion, Operation, Value};
use crate::judgement::datatype::{About, Datatype};
use crate::judgement::number::{index, number_of};

/// Between which instants an operation takes effect; both may be the instant itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Span {
    pub(super) fn of(operation: &Operation) -> Span {
        Span { from: operation.invoked, to: operation.returned.unwrap_or(u64::MAX) }
    }

    pub(super) fn returns_before(self, other: Span) -> bool {
        self.to < other.from
    }

    pub(super) fn contains(self, instant: u64) -> bool {
        (self.from..=self.to).contains(&instant)
    }
}

/// Never: after everything.
const NEVER: Span = Span { from: u64::MAX, to: u64::MAX };

/// What became of one value: the operation that put it in and the one that took it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) put: (usize, Span),
    /// The position of what took it out, if anything did, and when: never, otherwise.
    pub(super) taken: (Option<usize>, Span),
}

impl Life {
    /// Between which instants (both left out) the object must have held it, if there is
    /// any instant between them.
    pub(super) fn held(&self) -> (u64, u64) {
        (self.put.1.to, self.taken.1.from)
    }

    /// Its operations.
    pub(super) fn operations(&self) -> impl Iterator<Item = usize> {
        [Some(self.put.0), self.taken.0].into_iter().flatten()
    }
}

/// All values of an object.
pub(super) struct Lives {
    pub(super) all: Vec<Life>,
    /// The operations that found nothing, and when that was.
    pub(super) empties: Vec<(usize, Span)>,
    /// The operations of unknown outcome that may have taken something out, in order of
    /// invocation.
    pub(super) unknown: Vec<(usize, u64)>,
    /// A part that has no order, if that is already known.
    pub(super) wrong: Option<Vec<usize>>,
}

impl Lives {
    /// The lives of the values of a queue or a stack; `None` if a value is put in twice, or
    /// is `null`.
    ///
    /// A value was put in before the return of what took it out, so spans are cut
    /// accordingly. What was put in with unknown outcome and never seen again may come
    /// after everything.
    pub(super) fn of(
        operations: &[Operation],
        part: &[usize],
        datatype: &dyn Datatype,
    ) -> Option<Lives> {
        let mut lives = Lives { all: vec![], empties: vec![], unknown: vec![], wrong: None };
        let mut numbers: FxHashMap<&Value, u32> = FxHashMap::default();
        let mut takes: Vec<(usize, &Value, Span)> = Vec::new();
        for &at in part {
            let operation = &operations[at];
            let span = Span::of(operation);
            let is_put = match datatype.about(&operation.call, None) {
                About::Part(_) => true,
                About::Parts | About::Unknown => false,
                About::Object => return None,
            };
            match &operation.completion {
                Completion::Fail => {}
                // It cannot be told from nothing.
                _ if is_put && operation.call.argument == Value::Null => return None,
                _ if is_put => {
                    let new = number_of(lives.all.len());
                    if numbers.insert(&operation.call.argument, new).is_some() {
                        return None;
                    }
                    lives.all.push(Life { put: (at, span), taken: (None, NEVER) });
                }
                Completion::Ok(Value::Null) => lives.empties.push((at, span)),
                Completion::Ok(value) => takes.push((at, value, span)),
                Completion::Info => lives.unknown.push((at, span.from)),
            }
        }
        for (at, value, span) in takes {
            let Some(life) = numbers.get(value).map(|number| &mut lives.all[index(*number)]) else {
                return Some(lives.with_wrong(vec![at]));
            };
            let put = life.put.1;
            if let (Some(other), _) = life.taken {
                let wrong = vec![life.put.0, other, at];
                return Some(lives.with_wrong(wrong));
            }
            if span.returns_before(put) {
                let wrong = vec![life.put.0, at];
                return Some(lives.with_wrong(wrong));
            }
            life.taken = (Some(at), Span { from: span.from.max(put.from), to: span.to });
            life.put.1.to = put.to.min(span.to);
        }
        lives.unknown.sort_unstable_by_key(|(at, from)| (*from, *at));
        Some(lives)
    }

    fn with_wrong(mut self, mut part: Vec<usize>) -> Lives {
        part.sort_unstable();
        self.wrong = Some(part);
        self
    }
}

/// Times at which an object must have held something: open intervals, apart from each
/// other and ascending.
pub(super) struct Covered(Vec<(u64, u64)>);

impl Covered {
    /// What the lives of these values cover.
    pub(super) fn by<'l>(lives: impl Iterator<Item = &'l Life>) -> Covered {
        let mut held: Vec<(u64, u64)> =
            lives.map(Life::held).filter(|(from, to)| from < to).collect();
        held.sort_unstable();
        let mut covered: Vec<(u64, u64)> = Vec::new();
        for (from, to) in held {
            match covered.last_mut() {
                // Where one ends at the instant at which the next begins, that instant
                // is free.
                Some(last) if from < last.1 => last.1 = last.1.max(to),
                _ => covered.push((from, to)),
            }
        }
        Covered(covered)
    }

    /// The first instant from this one on that is not covered.
    pub(super) fn free(&self, instant: u64) -> u64 {
        let next = self.0.partition_point(|(from, _)| *from < instant);
        match next.checked_sub(1).map(|last| self.0[last].1) {
            Some(to) if instant < to => to,
            _ => instant,
        }
    }

    /// The ends of what is covered.
    pub(super) fn ends(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|(_, to)| *to)
    }
}

/// As few of these lives as cover all instants of a span, one after the other, and all
/// their operations; the span is covered.
pub(super) fn chain(lives: &[Life], span: Span) -> Vec<usize> {
    let mut part = Vec::new();
    let mut instant = span.from;
    while instant <= span.to {
        let covers = |life: &&Life| {
            let (from, to) = life.held();
            from < instant && instant < to
        };
        let Some(longest) = lives.iter().filter(covers).max_by_key(|life| life.held().1) else {
            break;
        };
        part.extend(longest.operations());
        instant = longest.held().1;
    }
    part
}

/// The positions of an order, if each of its operations can take effect at an instant
/// that is not before that of the one before.
pub(super) fn timed(order: &[(usize, Span)]) -> Option<Decided> {
    let mut instant = 0;
    for (_, span) in order {
        instant = span.from.max(instant);
        if instant > span.to {
            debug_assert!(false, "an order that breaks returns-before was proposed");
            return None;
        }
    }
    Some(Ok(order.iter().map(|(at, _)| *at).collect()))
}
