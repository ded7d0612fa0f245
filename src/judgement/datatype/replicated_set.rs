//! Sets by what concurrent adds and removes of one element mean.

use crate::history::{Call, Item, Menu, Value};

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
        let named = |name: &'static str| {
            let all = updates.iter().enumerate();
            all.filter(move |(_, call)| call.f.as_str() == name).map(|(at, _)| at)
        };
        match self {
            ReplicatedSet::AddWins => named(ADD).any(|at| !context.was_seen(at, REMOVE)),
            ReplicatedSet::RemoveWins => {
                named(ADD).next().is_some() && named(REMOVE).all(|at| context.was_seen(at, ADD))
            }
            ReplicatedSet::LastWriter => updates.last().is_some_and(|last| last.f.as_str() == ADD),
            ReplicatedSet::TwoPhase => {
                named(ADD).next().is_some() && named(REMOVE).next().is_none()
            }
            ReplicatedSet::GrowOnly => named(ADD).next().is_some(),
        }
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

    fn answers(&self, call: &Call) -> bool {
        Set.answers(call)
    }

    fn initial(&self) -> Value {
        match self {
            // What is in the set, and what was removed.
            ReplicatedSet::TwoPhase => vec![Set.initial(), Set.initial()].into(),
            _ => Set.initial(),
        }
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        let held = Set.holding(value)?;
        match self {
            ReplicatedSet::TwoPhase => Some(vec![held, Set.initial()].into()),
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
            REMOVE => {
                let add = Call { f: crate::history::Function::named(ADD), ..call.clone() };
                let elements = Set.apply(elements, call, answer)?;
                Some(vec![elements, Set.apply(removed, &add, None)?].into())
            }
            _ => Some(vec![Set.apply(elements, call, answer)?, removed.clone()].into()),
        }
    }

    fn merged(&self, context: &Context<'_>) -> Option<Value> {
        let updates = context.updates();
        let mut elements: Vec<&Value> = updates.iter().map(|call| &call.argument).collect();
        elements.sort_unstable();
        elements.dedup();
        let has = |element: &&Value| {
            let of = |at: &usize| updates[*at].argument == **element;
            let places: Vec<usize> = (0..updates.len()).filter(of).collect();
            let saw = |one: usize, other: usize| context.saw(places[one], places[other]);
            let own = places.iter().map(|at| updates[*at]).collect();
            self.has(&Context::new(own, &saw))
        };
        Some(elements.into_iter().filter(has).cloned().collect::<Vec<_>>().into())
    }

    fn normal(&self, answer: &Value) -> Value {
        sorted(answer).unwrap_or_else(|| answer.clone())
    }

    fn depends(&self, _: &Call) -> bool {
        matches!(self, ReplicatedSet::AddWins | ReplicatedSet::RemoveWins)
    }

    fn matters(&self, update: &Call, other: &Call) -> bool {
        let names = (update.f.as_str(), other.f.as_str());
        match self {
            ReplicatedSet::AddWins => names == (REMOVE, ADD),
            ReplicatedSet::RemoveWins => names == (ADD, REMOVE),
            _ => false,
        }
    }

    /// An element that is there and one that is not are all that can be told of it.
    fn is_between(&self, answer: &Value, few: &Value, many: &Value) -> bool {
        [few, many].contains(&answer)
    }

    fn arbitration(&self) -> Arbitration {
        match self {
            ReplicatedSet::LastWriter => Arbitration::Last,
            _ => Arbitration::Ignored,
        }
    }

    fn part(&self, update: &Call) -> Value {
        update.argument.clone()
    }

    fn parts(&self, answer: &Value) -> Vec<(Value, Value)> {
        let Some(Value::List(elements)) = sorted(answer) else { return Vec::new() };
        elements.into_iter().map(|element| (element.clone(), vec![element].into())).collect()
    }

    fn answer_about(&self, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
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
