//! Flags that are enabled and disabled; of concurrent updates one kind wins.
//!
//! Source: Shapiro et al., 2011, as sets of one element; Baquero, Almeida and Shoker,
//! *Pure operation-based replicated data types*, 2017.

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Dots, Dropped, Lattice};

/// A flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// It is enabled while it holds an `enable` that no `disable` has removed.
    EnableWins,
    /// It is enabled if it ever was and holds no `disable` that no `enable` has
    /// removed.
    DisableWins,
}

/// What a flag holds: the updates of the winning kind that stand, and whether there
/// ever was an `enable`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    standing: Dots,
    enabled: bool,
}

impl Lattice for Flag {
    type State = State;

    fn datatype(&self) -> &'static str {
        match self {
            Flag::EnableWins => "flag:enable-wins",
            Flag::DisableWins => "flag:disable-wins",
        }
    }

    fn delta(&self, state: &State, stamp: Stamp, call: &Call) -> State {
        let enables = call.f.as_str() == "enable";
        let wins = enables == (*self == Flag::EnableWins);
        let put = wins.then_some((stamp, Value::Null));
        State { standing: state.standing.replacing(|_| !wins, put), enabled: enables }
    }

    fn join(&self, state: &mut State, other: &State) {
        state.standing.join(&other.standing, Dropped::Removed);
        state.enabled |= other.enabled;
    }

    fn read(&self, state: &State) -> Value {
        let stands = state.standing.values().next().is_some();
        let enabled = match self {
            Flag::EnableWins => stands,
            Flag::DisableWins => state.enabled && !stands,
        };
        Value::from(i64::from(enabled))
    }
}
