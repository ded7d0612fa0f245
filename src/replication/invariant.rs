//! Conditions of one's own on the replicas of all nodes.

use std::rc::Rc;

/// Whether the replicas of all nodes, in node order, meet a condition.
type Condition<R> = Rc<dyn Fn(&[&R]) -> bool>;

/// A condition of one's own on the replicas of all nodes.
#[derive(Clone)]
pub struct Invariant<R> {
    pub(crate) name: &'static str,
    pub(crate) when: When,
    pub(crate) holds: Condition<R>,
}

impl<R> Invariant<R> {
    /// What must hold in every state. The condition is given one replica per
    /// node, in node order; `name` is how verdicts name it.
    pub fn always(name: &'static str, holds: impl Fn(&[&R]) -> bool + 'static) -> Self {
        Invariant { name, when: When::Always, holds: Rc::new(holds) }
    }

    /// What must hold whenever the cluster is quiet: all nodes that are not gone
    /// are up, all links are whole, nothing is in flight, and timers change
    /// nothing more that a client could see.
    pub fn at_quiescence(name: &'static str, holds: impl Fn(&[&R]) -> bool + 'static) -> Self {
        Invariant { name, when: When::AtQuiescence, holds: Rc::new(holds) }
    }

    /// What must hold in at least one state.
    pub fn sometimes(name: &'static str, holds: impl Fn(&[&R]) -> bool + 'static) -> Self {
        Invariant { name, when: When::Sometimes, holds: Rc::new(holds) }
    }
}

/// When an [`Invariant`] must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// In every state of every run.
    Always,
    /// In every quiet state.
    AtQuiescence,
    /// In at least one state of at least one run.
    Sometimes,
}
