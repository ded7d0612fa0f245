//! Sets by what concurrent adds and removes of one element mean.

use crate::history::{Call, Item, Key, Menu, Value};

use super::set::ADD_IF_ABSENT;
use super::{Arbitration, Context, Datatype, Set, sorted};

/// A [`Set`] with a meaning for concurrent updates. One after the other they all
/// do the same, but for the last two.
///
/// Sources: Shapiro, Preguiça, Baquero and Zawirski, *A comprehensive study of
/// Convergent and Commutative Replicated Data Types*, 2011; as predicates:
/// Burckhardt et al., POPL 2014.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicatedSet {
    /// Observed-remove: an element is in the set if some visible add of it was
    /// seen by no visible remove of it.
    AddWins,
    /// An element is in the set if a visible add of it exists and each visible
    /// remove of it was seen by a visible add of it.
    RemoveWins,
    /// An element is in the set if the last add or remove of it, by arbitration,
    /// is an add.
    LastWriter,
    /// An element is in the set if it was added and never removed: whoever
    /// removes an element removes it for ever.
    TwoPhase,
    /// Elements are added only.
    GrowOnly,
}

const ADD: &str = "add";
const REMOVE: &str = "remove";

/// Whether an update adds an element; otherwise it removes one.
fn adds(update: &Call) -> bool {
    update.f.as_str() != REMOVE
}

impl ReplicatedSet {
    /// All of them.
    pub const ALL: [ReplicatedSet; 5] = [
        ReplicatedSet::AddWins,
        ReplicatedSet::RemoveWins,
        ReplicatedSet::LastWriter,
        ReplicatedSet::TwoPhase,
        ReplicatedSet::GrowOnly,
    ];

    /// Whether an element is in the set that these updates of it make.
    fn has(self, context: &Context<'_>) -> bool {
        let updates = context.updates();
        let places = |adding: bool| {
            let all = updates.iter().enumerate();
            all.filter(move |(_, call)| adds(call) == adding).map(|(at, _)| at)
        };
        let was_seen = |update: usize, adding: bool| {
            places(adding).any(|by| by != update && context.saw(by, update))
        };
        let (added, removed) = (places(true).next().is_some(), places(false).next().is_some());
        match self {
            ReplicatedSet::AddWins => places(true).any(|at| !was_seen(at, false)),
            ReplicatedSet::RemoveWins => added && places(false).all(|at| was_seen(at, true)),
            ReplicatedSet::LastWriter => updates.last().is_some_and(|last| adds(last)),
            ReplicatedSet::TwoPhase => added && !removed,
            ReplicatedSet::GrowOnly => added,
        }
    }

    /// Whether a set that these updates make has an element.
    fn contains(self, element: &Value, context: &Context<'_>) -> bool {
        let updates = context.updates();
        let of = |at: &usize| updates[*at].argument == *element;
        let places: Vec<usize> = (0..updates.len()).filter(of).collect();
        let saw = |one: usize, other: usize| context.saw(places[one], places[other]);
        let own = places.iter().map(|at| updates[*at]).collect();
        self.has(&Context::new(own, &saw))
    }
}

impl Datatype for ReplicatedSet {
    fn name(&self) -> &'static str {
        match self {
            ReplicatedSet::AddWins => "set:add-wins",
            ReplicatedSet::RemoveWins => "set:remove-wins",
            ReplicatedSet::LastWriter => "set:last-writer",
            ReplicatedSet::TwoPhase => "set:two-phase",
            ReplicatedSet::GrowOnly => "set:grow-only",
        }
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        let removes = call.f.as_str() == REMOVE;
        Set.knows(call, answer) && !(removes && *self == ReplicatedSet::GrowOnly)
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        Set.only_reads(call, answer)
    }

    fn answers(&self, call: &Call, answer: Option<&Value>) -> bool {
        Set.answers(call, answer)
    }

    fn initial(&self, key: &Key) -> Value {
        match self {
            // What is in the set, and what was removed.
            ReplicatedSet::TwoPhase => vec![Set.initial(key), Set.initial(key)].into(),
            _ => Set.initial(key),
        }
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        let held = Set.holding(value)?;
        match self {
            ReplicatedSet::TwoPhase => Some(vec![held, Vec::new().into()].into()),
            _ => Some(held),
        }
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        if *self != ReplicatedSet::TwoPhase {
            return Set.apply(held, call, answer);
        }
        let Value::List(both) = held else { return None };
        let [elements, removed] = &both[..] else { return None };
        let gone = |element: &Value| matches!(removed, Value::List(all) if all.contains(element));
        match call.f.as_str() {
            ADD if gone(&call.argument) => Some(held.clone()),
            ADD_IF_ABSENT if gone(&call.argument) => {
                answer.is_none_or(|answer| *answer == Value::Int(1)).then(|| held.clone())
            }
            REMOVE => {
                let add = Call { f: crate::history::Function::named(ADD), ..call.clone() };
                let elements = Set.apply(elements, call, answer)?;
                Some(vec![elements, Set.apply(removed, &add, None)?].into())
            }
            _ => Some(vec![Set.apply(elements, call, answer)?, removed.clone()].into()),
        }
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        let updates = context.updates();
        if call.f.as_str() == ADD_IF_ABSENT {
            return Some(Value::from(i64::from(!self.contains(&call.argument, context))));
        }
        let mut elements: Vec<&Value> = updates.iter().map(|call| &call.argument).collect();
        elements.sort_unstable();
        elements.dedup();
        let has = |element: &&Value| self.contains(element, context);
        Some(elements.into_iter().filter(has).cloned().collect::<Vec<_>>().into())
    }

    fn normal(&self, _: &Call, answer: &Value) -> Value {
        sorted(answer).unwrap_or_else(|| answer.clone())
    }

    fn depends(&self, _: &Call) -> bool {
        matches!(self, ReplicatedSet::AddWins | ReplicatedSet::RemoveWins)
    }

    fn matters(&self, update: &Call, other: &Call) -> bool {
        match self {
            ReplicatedSet::AddWins => !adds(update) && adds(other),
            ReplicatedSet::RemoveWins => adds(update) && !adds(other),
            _ => false,
        }
    }

    /// An element that is there and one that is not are all that can be told of it.
    fn is_between(&self, _: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        [few, many].contains(&answer)
    }

    fn arbitration(&self, _: &Key) -> Arbitration {
        match self {
            ReplicatedSet::LastWriter => Arbitration::Last,
            _ => Arbitration::Ignored,
        }
    }

    fn part(&self, update: &Call) -> Value {
        update.argument.clone()
    }

    fn asks(&self, call: &Call) -> Option<Value> {
        (call.f.as_str() == ADD_IF_ABSENT).then(|| call.argument.clone())
    }

    fn parts(&self, call: &Call, answer: &Value) -> Vec<(Value, Value)> {
        if let Some(element) = self.asks(call) {
            return vec![(element, answer.clone())];
        }
        let Some(Value::List(elements)) = sorted(answer) else { return Vec::new() };
        elements.into_iter().map(|element| (element.clone(), vec![element].into())).collect()
    }

    fn answer_about(&self, _: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        let Some(Value::List(elements)) = sorted(answer) else { return answer.clone() };
        elements.into_iter().filter(about).collect::<Vec<_>>().into()
    }

    fn undoes(&self, update: &Call) -> bool {
        update.f.as_str() == REMOVE
    }

    fn menu(&self, arguments: usize) -> Menu {
        let elements = (1..).take(arguments);
        let both = |element: i64| [ADD, REMOVE].map(|f| Item::with(f, element));
        let all = Menu::with_reads(elements.flat_map(both).collect());
        all.only(|item| *self != ReplicatedSet::GrowOnly || item.f.as_str() != REMOVE)
    }
}
