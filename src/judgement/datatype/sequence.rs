//! A text, or any other list into which elements are inserted.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::ordered::{Beside, Ordered};
use super::{Context, Datatype, after_read, sorted_all};

/// Holds elements in order, none at first. `insert` with `[element, position]` puts
/// an element at that position, or at the end if the list is shorter; `delete` with an
/// element takes it out; `read` answers the list. Inserts and deletes answer nothing
/// (`null`), or the list that their author sees then.
///
/// No element is inserted twice. So a delete names what it deletes, where an editor
/// names a position: which element stands there is what its author sees.
///
/// Concurrent updates: a list has the elements whose insert is visible and that no
/// visible delete had seen. In which order it has them, the variants say. An insert
/// that answers a list says where its element stands; one that answers `null` does not.
/// Models that ask for one sequential order check every position.
///
/// Source: the strong and the weak list specification of Attiya, Burckhardt, Gotsman,
/// Morrison, Yang and Zawirski, *Specification and Complexity of Collaborative Text
/// Editing*, PODC 2016.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// There is one order of all elements ever inserted, and all answers follow it.
    Strong,
    /// Any two answers have the elements that they share in the same order.
    Weak,
    /// One order, and what was typed in one go stays together. Nothing else stands
    /// between an element and those that were inserted to its right, and to the right
    /// of these in turn (forward). And among those that were inserted to the right of
    /// the same one, nothing else stands between one and those that were inserted to
    /// its left, and to the left of these in turn (backward).
    ///
    /// Source: after *maximal non-interleaving* of Weidner and Kleppmann, *The Art of
    /// the Fugue*, 2023, but weaker: what was inserted to the left of an element is
    /// compared only among those with the same left neighbour. What stood beside an
    /// element is what its author's answer shows; elements of which no answer shows it
    /// are not looked at, nor those of which the answer does not show all that is ever
    /// deleted, because a deleted element may have stood beside them.
    Together,
}

const INSERT: &str = "insert";
const DELETE: &str = "delete";

/// The element and the position of an insert.
fn inserted(call: &Call) -> Option<(&Value, usize)> {
    match &call.argument {
        Value::List(pair) if call.f.as_str() == INSERT => match &pair[..] {
            [element, Value::Int(position)] => Some((element, usize::try_from(*position).ok()?)),
            _ => None,
        },
        _ => None,
    }
}

/// A list; empty if it is none.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(all) => all,
        _ => &[],
    }
}

/// Whether an answer to an insert shows its element once, where it was inserted.
fn stands(element: &Value, position: usize, all: &[Value]) -> bool {
    let place = position.min(all.len().saturating_sub(1));
    all.get(place) == Some(element) && all.iter().filter(|other| *other == element).count() == 1
}

impl Datatype for Sequence {
    fn name(&self) -> &'static str {
        match self {
            Sequence::Strong => "text",
            Sequence::Weak => "text:weak",
            Sequence::Together => "text:together",
        }
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        let elements = |answer: &Value| match answer {
            Value::List(all) => !all.contains(&Value::Null),
            other => *other == Value::Null && !call.is_read(),
        };
        let known = match call.f.as_str() {
            "read" => true,
            INSERT => inserted(call).is_some_and(|(element, _)| *element != Value::Null),
            DELETE => call.argument != Value::Null,
            _ => false,
        };
        known && answer.is_none_or(elements)
    }

    fn answers(&self, _: &Call, answer: Option<&Value>) -> bool {
        answer != Some(&Value::Null)
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        matches!(value, Value::List(_)).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let mut all = list(held).to_vec();
        match (call.f.as_str(), inserted(call)) {
            (_, Some((element, position))) => {
                all.insert(position.min(all.len()), element.clone());
            }
            (DELETE, None) => all.retain(|element| *element != call.argument),
            _ => return after_read(held, answer),
        }
        let all: Value = all.into();
        answer.is_none_or(|answer| *answer == Value::Null || *answer == all).then_some(all)
    }

    /// The elements, without their order, and without the one that `call` inserts or
    /// deletes.
    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        let updates = context.updates();
        let mut left = Vec::new();
        for (at, update) in updates.iter().enumerate() {
            let Some((element, _)) = inserted(update) else { continue };
            let deletes = |by: &Call| by.f.as_str() == DELETE && by.argument == *element;
            let deleted = |by: usize| deletes(updates[by]) && context.saw(by, at);
            if !deletes(call) && !(0..updates.len()).any(deleted) {
                left.push(element.clone());
            }
        }
        Some(sorted_all(&left))
    }

    /// As [`merged`](Self::merged) says it. An insert that does not answer its element
    /// where it belongs is taken to show one that it saw before, which nothing explains.
    fn normal(&self, call: &Call, answer: &Value) -> Value {
        let mut all = list(answer).to_vec();
        if let Some((element, position)) = inserted(call) {
            let stands = stands(element, position, &all);
            all.retain(|other| other != element);
            if !stands {
                all.push(element.clone());
            }
        }
        all.retain(|element| *element != Value::Null);
        sorted_all(&all)
    }

    fn depends(&self, update: &Call) -> bool {
        update.f.as_str() == DELETE
    }

    fn matters(&self, update: &Call, other: &Call) -> bool {
        (update.f.as_str(), other.f.as_str()) == (DELETE, INSERT)
    }

    /// An element that is there and one that is not are all that can be told of it.
    fn is_between(&self, _: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        [few, many].contains(&answer)
    }

    fn part(&self, update: &Call) -> Value {
        inserted(update).map_or(&update.argument, |(element, _)| element).clone()
    }

    fn parts(&self, _: &Call, answer: &Value) -> Vec<(Value, Value)> {
        let mut parts: BTreeMap<&Value, Vec<Value>> = BTreeMap::new();
        for element in list(answer) {
            parts.entry(element).or_default().push(element.clone());
        }
        parts.into_iter().map(|(element, all)| (element.clone(), all.into())).collect()
    }

    fn makes(&self, update: &Call) -> bool {
        update.f.as_str() == INSERT
    }

    fn agree(&self, answers: &[(&Call, &Value)], undone: &BTreeSet<Value>) -> bool {
        let lists: Vec<&[Value]> = answers.iter().map(|(_, answer)| list(answer)).collect();
        match self {
            Sequence::Strong => Ordered::by(&lists).exists(),
            Sequence::Weak => {
                let mut firsts = lists.iter().enumerate();
                firsts.all(|(nth, one)| {
                    lists[..=nth].iter().all(|other| Ordered::by(&[one, other]).exists())
                })
            }
            Sequence::Together => Ordered::by(&lists).is_together(&beside(answers, undone)),
        }
    }

    /// Elements that are not asked about leave a gap, so that the others stand where
    /// they stood.
    fn answer_about(&self, _: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        if *answer == Value::Null {
            return Value::Null;
        }
        let kept = |element: &Value| if about(element) { element.clone() } else { Value::Null };
        list(answer).iter().map(kept).collect::<Vec<_>>().into()
    }

    fn undoes(&self, update: &Call) -> bool {
        update.f.as_str() == DELETE
    }

    /// Inserts at the first positions, and deletes of the elements that are inserted
    /// first.
    fn menu(&self, arguments: usize) -> Menu {
        let positions = (0..).take(arguments);
        let insert = |position: i64| {
            let position = Argument::This(position.into());
            Item::new(INSERT, Argument::List(vec![Argument::New, position]))
        };
        let elements = (1..).take(arguments);
        let delete = |element: i64| Item::with(DELETE, element);
        Menu::with_reads(positions.map(insert).chain(elements.map(delete)).collect())
    }
}

/// Where elements were inserted, as far as the answers to their inserts tell. One that
/// does not show an element that is deleted somewhere tells nothing: the author may have
/// typed beside what is left of it.
fn beside<'a>(
    answers: &[(&'a Call, &'a Value)],
    deleted: &BTreeSet<Value>,
) -> BTreeMap<&'a Value, Beside<'a>> {
    let mut told = BTreeMap::new();
    for (call, answer) in answers {
        let Some((element, _)) = inserted(call) else { continue };
        let all = list(answer);
        let shown: BTreeSet<_> = all.iter().filter(|one| deleted.contains(*one)).collect();
        if shown.len() < deleted.len() {
            continue;
        }
        let Some(at) = all.iter().position(|other| other == element) else { continue };
        let left = at.checked_sub(1).map(|before| &all[before]);
        told.insert(element, (left, all.get(at + 1)));
    }
    told
}
