//! Sets to which elements are only added, in O(n log n) for n operations and elements
//! shown.
//!
//! An element is there from the first of its adds on that takes effect: between their
//! first invocation and the first return of one of them (or of what finds the element
//! there), and the add that was invoked first can be it. An `add-if-absent` that did not
//! find the element is it. What reads show grows, so reads are in order of size, and
//! each element comes right before the smallest read that shows it, or after all. So all
//! operations have ranks, and there is an order if and only if none returned before one
//! of a lower rank was invoked: a cycle would have to lead down somewhere.

use rustc_hash::FxHashMap;

use super::Decided;
use super::lives::{Span, timed};
use crate::history::{Completion, Function, Operation, Value};
use crate::judgement::number::{index, number_of};

/// Whether nothing is removed by the operations at these positions.
pub(super) fn applies(operations: &[Operation], part: &[usize]) -> bool {
    !part.iter().any(|at| operations[*at].call.f.as_str() == "remove")
}

/// Decides for the operations at these positions. `None` if something is removed.
pub(super) fn decide(operations: &[Operation], part: &[usize]) -> Option<Decided> {
    if !applies(operations, part) {
        return None;
    }
    let decided = match Set::of(operations, part) {
        Ok(set) => set.order(),
        Err(wrong) => Err(wrong),
    };
    match decided {
        Ok(order) => timed(&order),
        Err(mut wrong) => {
            wrong.sort_unstable();
            wrong.dedup();
            Some(Err(wrong))
        }
    }
}

/// What is known of an element.
struct Element {
    /// The operation that makes it appear.
    add: (usize, Span),
    /// Whether nothing else can have made it appear.
    only: bool,
    /// The first return of an operation that adds it or finds it, and which this is.
    there: (u64, usize),
    /// Its other operations that were answered.
    others: Vec<(usize, Span)>,
    /// The place of the smallest read that shows it, and how many do.
    shown: Option<(usize, usize)>,
}

impl Element {
    fn is_there(&mut self, at: usize, span: Span) {
        self.there = self.there.min((span.to, at));
    }
}

/// A read, and the numbers of the elements that it shows, ascending.
struct Read {
    at: usize,
    span: Span,
    shows: Vec<u32>,
}

struct Set {
    elements: Vec<Element>,
    /// In order of size; those of one size in order of invocation.
    reads: Vec<Read>,
}

/// The numbers of elements.
type Numbers<'a> = FxHashMap<&'a Value, u32>;

impl Set {
    /// The error: operations that no set can answer so, whatever the order.
    fn of(operations: &[Operation], part: &[usize]) -> Result<Set, Vec<usize>> {
        let mut set = Set { elements: Vec::new(), reads: Vec::new() };
        let mut numbers = Numbers::default();
        // What tells of elements that may be added later in the history.
        let (mut finds, mut reads) = (Vec::new(), Vec::new());
        for &at in part {
            let operation = &operations[at];
            let call = &operation.call;
            let span = Span::of(operation);
            let answer = match &operation.completion {
                Completion::Ok(answer) => Some(answer),
                Completion::Info => None,
                Completion::Fail => continue,
            };
            match (&call.f, answer) {
                (Function::Read, Some(Value::List(shows))) => reads.push((at, span, shows)),
                (Function::Read, _) => {}
                (f, Some(Value::Int(0))) if f.as_str() != "add" => {
                    finds.push((at, span, &call.argument));
                }
                (f, answer) => {
                    let only = f.as_str() != "add" && answer.is_some();
                    set.add(&mut numbers, &call.argument, (at, span), only)?;
                }
            }
        }
        for (at, span, element) in finds {
            let number = numbers.get(element).ok_or(vec![at])?;
            let element = &mut set.elements[index(*number)];
            element.others.push((at, span));
            element.is_there(at, span);
        }
        for (at, span, all) in reads {
            let shows: Option<Vec<u32>> = all.iter().map(|one| numbers.get(one).copied()).collect();
            let mut shows = shows.ok_or(vec![at])?;
            shows.sort_unstable();
            shows.dedup();
            set.reads.push(Read { at, span, shows });
        }
        set.reads.sort_by_key(|read| (read.shows.len(), read.span.from));
        set.grows().map(|()| set)
    }

    /// Another add of an element. `only`: if it did not find it there.
    fn add<'a>(
        &mut self,
        numbers: &mut Numbers<'a>,
        element: &'a Value,
        add: (usize, Span),
        only: bool,
    ) -> Result<(), Vec<usize>> {
        let new = number_of(self.elements.len());
        let number = *numbers.entry(element).or_insert(new);
        if number == new {
            let there = (add.1.to, add.0);
            self.elements.push(Element { add, only, there, others: Vec::new(), shown: None });
            return Ok(());
        }
        let element = &mut self.elements[index(number)];
        if element.only && only {
            return Err(vec![element.add.0, add.0]);
        }
        let first = only || (!element.only && add.1.from < element.add.1.from);
        let other = if first { std::mem::replace(&mut element.add, add) } else { add };
        element.only |= only;
        // What has an unknown outcome and is not needed need not have happened.
        element.others.extend(Some(other).filter(|(_, span)| span.to != u64::MAX));
        element.is_there(add.0, add.1);
        Ok(())
    }

    /// Notes which reads show each element, and verifies that what reads show grows. The
    /// error: two reads and two elements, of which each read shows another.
    fn grows(&mut self) -> Result<(), Vec<usize>> {
        for (place, read) in self.reads.iter().enumerate() {
            for number in &read.shows {
                let shown = &mut self.elements[index(*number)].shown;
                *shown = Some(shown.map_or((place, 1), |(first, count)| (first, count + 1)));
            }
        }
        let all = self.reads.len();
        for (number, element) in (0..).zip(&self.elements) {
            let Some((first, count)) = element.shown else { continue };
            if first + count == all {
                continue;
            }
            let smaller = &self.reads[first];
            let lacks = |read: &&Read| read.shows.binary_search(&number).is_err();
            let larger = self.reads[first..].iter().find(lacks).expect("not all show it");
            let other = self.shown_more(larger, smaller).expect("it shows as many");
            return Err(vec![smaller.at, larger.at, element.add.0, other]);
        }
        Ok(())
    }

    /// An add of an element that one read shows and the other does not.
    fn shown_more(&self, more: &Read, less: &Read) -> Option<usize> {
        let other = more.shows.iter().find(|number| less.shows.binary_search(number).is_err());
        other.map(|number| self.elements[index(*number)].add.0)
    }

    /// An order; the error: operations that contradict each other.
    fn order(&self) -> Result<Vec<(usize, Span)>, Vec<usize>> {
        let mut ranked: Vec<(usize, Span, Who)> = Vec::new();
        // Reads that show the same are in order of invocation, which is never wrong.
        for (place, read) in self.reads.iter().enumerate() {
            ranked.push((2 * place + 1, read.span, Who::Read(place)));
        }
        for (number, element) in self.elements.iter().enumerate() {
            let rank = element.shown.map_or(usize::MAX, |(place, _)| 2 * place);
            let span = Span { from: element.add.1.from, to: element.there.0 };
            ranked.push((rank, span, Who::Element(number)));
        }
        ranked.sort_by_key(|(rank, span, who)| (*rank, span.from, *who));
        let mut order: Vec<(u64, usize, (usize, Span))> = Vec::new();
        let mut latest = (0, Who::Read(0));
        for (nth, &(_, span, who)) in ranked.iter().enumerate() {
            latest = latest.max((span.from, who));
            if latest.0 > span.to {
                return Err(self.contradiction(latest.1, who));
            }
            match who {
                Who::Read(place) => order.push((latest.0, nth, (self.reads[place].at, span))),
                Who::Element(number) => {
                    let element = &self.elements[number];
                    order.push((latest.0, nth, element.add));
                    // These find it there.
                    let others = element.others.iter();
                    order.extend(others.map(|one| (one.1.from.max(latest.0), nth, *one)));
                }
            }
        }
        // Of those that are equal here, the one that adds was pushed first.
        order.sort_by_key(|(instant, nth, _)| (*instant, *nth));
        Ok(order.into_iter().map(|(.., one)| one).collect())
    }

    /// Two of which the first has no higher rank and was invoked after the second had
    /// returned (or an element that was found before it can have been added), with what
    /// gives them their ranks.
    fn contradiction(&self, lower: Who, higher: Who) -> Vec<usize> {
        // What adds the element, and what shows that it is there.
        let of = |who: Who| match who {
            Who::Read(place) => [self.reads[place].at; 2],
            Who::Element(number) => {
                let element = &self.elements[number];
                [element.add.0, element.there.1]
            }
        };
        let why = match (lower, higher) {
            (Who::Element(lower), Who::Element(_)) => {
                self.elements[lower].shown.map(|(place, _)| self.reads[place].at)
            }
            (Who::Read(less), Who::Read(more)) => {
                self.shown_more(&self.reads[more], &self.reads[less])
            }
            _ => None,
        };
        [of(lower), of(higher)].into_iter().flatten().chain(why).collect()
    }
}

/// What has a rank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// The read at this place.
    Read(usize),
    /// The element of this number.
    Element(usize),
}
