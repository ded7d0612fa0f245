//! The consistency models, as data.
//!
//! Owns what a model is called and which axioms it is made of. It knows no
//! history and no algorithm: a checker reads the data and decides, the
//! [`recheck`](super::recheck) of evidence reads the same data and verifies.
//!
//! Most models are points of one [`Grid`]: some of four session guarantees,
//! times how far an arbitration must be shared, times whether reads at
//! quiescence must see everything. The vocabulary of visibility and
//! arbitration is Burckhardt's (*Principles of Eventual Consistency*, 2014);
//! the guarantees are those of Terry et al. (PDIS 1994).
//!
//! The other models ask for orders of operations. Each is described by a value
//! of `Orders`, which is the only definition of the model: the checkers, the
//! replay of evidence and the oracle interpret it, each with code of its own.
//!
//! Read next: `orders`, and `other` for the table; `names` for spelling.

mod examples;
mod grid;
mod kind;
mod lattice;
mod list;
mod locality;
mod names;
mod orders;
mod other;

pub use examples::SEPARATING;
pub use grid::{Grid, Guarantees, Scope};
pub use kind::Kind;
pub use lattice::{implies, is_quiet, neighbours, nodes};
pub use list::Model;
pub use locality::Locality;
pub use names::UnknownModel;
pub(in crate::judgement) use orders::{Orders, Reads, Shared, Time, Views};

use other::families;

impl Model {
    /// All models without a parameter: the 96 of the grid, in order, then the
    /// others, but not the two families that take a number.
    pub fn all() -> impl Iterator<Item = Model> {
        Grid::all().map(Model::Grid).chain(other::OTHERS.iter().map(|other| other.model))
    }

    /// Whether the order of operations in real time matters to the model.
    pub fn sees_time(self) -> bool {
        self.orders().is_some_and(|orders| orders.time != Time::Ignored)
    }

    /// Whether reads at quiescence must see everything.
    pub fn is_eventual(self) -> bool {
        matches!(self, Model::Grid(Grid { eventual: true, .. }) | Model::EventualRealTime)
    }

    /// What the model asks of orders; `None` for a model of the grid, which
    /// asks for a visibility.
    pub(in crate::judgement) fn orders(self) -> Option<Orders> {
        match self {
            Model::Grid(_) => None,
            Model::KAtomic(k) => Some(Orders::k_atomic(k)),
            Model::DeltaAtomic(delta) => Some(Orders::delta_atomic(delta)),
            _ => Some(other::entry(self).expect("every other model is listed").orders),
        }
    }

    /// A clause that says that the model does not allow a part of a history.
    pub(in crate::judgement) fn nothing_explains(self) -> String {
        match self {
            Model::Grid(_) => "nothing explains what was read".to_owned(),
            Model::KAtomic(k) => {
                format!("no order in real time lets every read answer one of the last {k} writes")
            }
            Model::DeltaAtomic(delta) => format!(
                "no order in real time explains what was read, even if every read began {delta} ns \
                 earlier"
            ),
            _ => other::entry(self).expect("every other model is listed").nothing.to_owned(),
        }
    }

    /// One plain sentence: what the model promises.
    pub fn about(self) -> String {
        match self {
            Model::Grid(grid) => grid.about(),
            Model::KAtomic(k) => format!(
                "Every operation seems to happen at one instant between its invocation and its \
                 answer, and every read sees one of the last {k} writes."
            ),
            Model::DeltaAtomic(delta) => {
                format!("Linearizable, if every read had begun {delta} ns earlier.")
            }
            _ => other::entry(self).expect("every other model is listed").about.to_owned(),
        }
    }

    /// The model as a predicate, in the vocabulary of Burckhardt's book:
    /// `so` session order, `rb` returns-before, `vis` visibility, `ar`
    /// arbitration, `W` and `R` writes and reads, `;` composition.
    pub fn predicate(self) -> String {
        match self {
            Model::Grid(grid) => grid.predicate(),
            Model::KAtomic(k) => format!(
                "∃ a total order of E that extends rb in which every read returns one of the \
                 last {k} writes of its key"
            ),
            Model::DeltaAtomic(delta) => format!(
                "∃ a legal total order of E that extends rb after inv(r) := inv(r) - {delta} \
                 for every read r"
            ),
            _ => other::entry(self).expect("every other model is listed").predicate.to_owned(),
        }
    }

    /// Where the model comes from.
    pub fn source(self) -> &'static str {
        match self {
            Model::Grid(grid) => grid.source(),
            Model::KAtomic(_) => families::K_SOURCE,
            Model::DeltaAtomic(_) => families::DELTA_SOURCE,
            _ => other::entry(self).expect("every other model is listed").source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_models_ask_the_same_of_orders() {
        let all: Vec<Orders> = Model::all().filter_map(Model::orders).collect();
        assert_eq!(all.len(), 15);
        for (nth, one) in all.iter().enumerate() {
            assert!(!all[..nth].contains(one), "{one:?}");
        }
        let linearizable = Model::Linearizable.orders();
        assert_eq!(Model::KAtomic(1).orders(), linearizable);
        assert_eq!(Model::DeltaAtomic(0).orders(), linearizable);
    }
}
