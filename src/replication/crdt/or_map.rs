//! An observed-remove map of registers that keep concurrent values: a write of a key
//! replaces what its node holds of that key, a remove takes that away.
//!
//! Source: Almeida, Shoker and Baquero, 2018, section 7; as the maps of Riak.

use std::collections::BTreeMap;

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Dots, Dropped, Lattice, sorted};

/// An observed-remove map.
#[derive(Clone, Copy, Debug)]
pub struct OrMap {
    /// What a remove takes away.
    pub removes: MapRemoves,
}

/// What a remove takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapRemoves {
    /// What was observed under the key.
    Key,
    /// Bug: all that was observed, under any key.
    All,
}

/// The key of a pair, or of a remove.
fn key(pair: &Value) -> &Value {
    match pair {
        Value::List(pair) if !pair.is_empty() => &pair[0],
        key => key,
    }
}

impl Lattice for OrMap {
    /// Pairs of a key and a value.
    type State = Dots;

    fn datatype(&self) -> &'static str {
        "map:mv-register"
    }

    fn delta(&self, state: &Dots, stamp: Stamp, call: &Call) -> Dots {
        let removes = call.f.as_str() == "remove";
        let all = removes && self.removes == MapRemoves::All;
        let gone = |held: &Value| all || key(held) == key(&call.argument);
        state.replacing(gone, (!removes).then(|| (stamp, call.argument.clone())))
    }

    fn join(&self, state: &mut Dots, other: &Dots) {
        state.join(other, Dropped::Removed);
    }

    fn read(&self, state: &Dots) -> Value {
        let mut held: BTreeMap<&Value, Vec<&Value>> = BTreeMap::new();
        for pair in state.values() {
            if let Value::List(both) = pair
                && let Some(key) = both.first()
            {
                held.entry(key).or_default().extend(both.get(1));
            }
        }
        let pair = |(key, values): (&Value, Vec<&Value>)| {
            vec![key.clone(), sorted(values.into_iter())].into()
        };
        held.into_iter().map(pair).collect::<Vec<_>>().into()
    }
}
