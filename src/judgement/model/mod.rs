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
//! Read next: `names` for spelling.

mod grid;
mod names;

pub use grid::{Grid, Guarantees, Scope};
pub use names::UnknownModel;

/// A consistency model: which histories are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Model {
    /// A point of the grid of session guarantees, arbitration and eventual visibility.
    Grid(Grid),
    /// Some order of all operations extends the order in real time and
    /// explains every answer (Herlihy and Wing, TOPLAS 1990).
    Linearizable,
}

impl Model {
    /// Answers come from operations, without circular causes.
    pub const BASE: Model =
        Model::Grid(Grid { guarantees: Guarantees::NONE, scope: Scope::Global, eventual: false });
    /// At quiescence every read sees every write, and one order of the writes
    /// explains them all.
    pub const EVENTUAL: Model =
        Model::Grid(Grid { guarantees: Guarantees::NONE, scope: Scope::Global, eventual: true });
    /// A process sees its own writes.
    pub const READ_YOUR_WRITES: Model =
        Model::Grid(Grid { guarantees: Guarantees::RYW, scope: Scope::Global, eventual: false });
    /// A process goes on seeing what it has seen.
    pub const MONOTONIC_READS: Model =
        Model::Grid(Grid { guarantees: Guarantees::MR, scope: Scope::Global, eventual: false });

    /// Every model there is: the 96 of the grid, in order, then the others.
    pub fn all() -> impl Iterator<Item = Model> {
        Grid::all().map(Model::Grid).chain([Model::Linearizable])
    }

    /// One plain sentence: what the model promises.
    pub fn about(self) -> String {
        match self {
            Model::Grid(grid) => grid.about(),
            Model::Linearizable => "Every operation seems to happen at one instant between its \
                                    invocation and its answer, and every read sees the last write."
                .to_owned(),
        }
    }

    /// The model as a predicate, in the vocabulary of Burckhardt's book:
    /// `so` session order, `rb` returns-before, `vis` visibility, `ar`
    /// arbitration, `W` and `R` writes and reads, `;` composition.
    pub fn predicate(self) -> String {
        match self {
            Model::Grid(grid) => grid.predicate(),
            Model::Linearizable => {
                "∃ a legal total order of the operations that extends rb".to_owned()
            }
        }
    }
}
