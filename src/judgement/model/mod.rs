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

mod examples;
mod grid;
mod kind;
mod lattice;
mod names;
mod other;

pub use examples::SEPARATING;
pub use grid::{Grid, Guarantees, Scope};
pub use kind::Kind;
pub use lattice::{implies, neighbours, nodes};
pub use names::UnknownModel;

use other::families;

/// A consistency model: which histories are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Model {
    /// A point of the grid of session guarantees, arbitration and eventual visibility.
    Grid(Grid),
    /// Some order of all operations extends the order in real time and
    /// explains every answer (Herlihy and Wing, TOPLAS 1990).
    Linearizable,
    /// Some order of all operations extends session order and explains every
    /// answer (Lamport 1979).
    Sequential,
    /// Causal memory: each process explains its own reads (Ahamad et al. 1995).
    CausalMemory,
    /// Pipelined RAM: as causal memory, without causality (Lipton and Sandberg 1988).
    Pram,
    /// PRAM for each key alone (Hutto and Ahamad 1990).
    Slow,
    /// Each key alone is sequential (Goodman 1989).
    Cache,
    /// PRAM with one order of the writes of each key (Goodman 1989).
    Processor,
    /// Reads see prefixes of one order of the writes (Terry 2013).
    Prefix,
    /// The same, never going back within a session.
    PrefixMonotonic,
    /// The same as `Prefix`, with an order that keeps real time.
    PrefixRealTime,
    /// The last finished write or an overlapping one, one order of the writes
    /// for all reads (Lamport 1986; Viotti and Vukolić 2016).
    Regular,
    /// The same with an order for each read (Shao et al. 2011).
    RegularWeak,
    /// Only reads that overlap no write are bound (Lamport 1986).
    Safe,
    /// Order in time counts across quiet instants only (Herlihy and Shavit).
    Quiescent,
    /// Linearizable, but a read may return any of the last k writes of its key
    /// (the initial value counts as one); k ≥ 1.
    KAtomic(u32),
    /// Linearizable once every read is taken to begin this many nanoseconds
    /// earlier (Golab, Li and Shah 2011).
    DeltaAtomic(u64),
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
    /// Causal consistency with convergence: all four guarantees, one order of
    /// the writes.
    pub const CAUSAL: Model =
        Model::Grid(Grid { guarantees: Guarantees::ALL, scope: Scope::Global, eventual: false });

    /// Every model there is: the 96 of the grid, in order, then the others;
    /// of the families that take a number none.
    pub fn all() -> impl Iterator<Item = Model> {
        Grid::all().map(Model::Grid).chain(other::OTHERS.iter().map(|other| other.model))
    }

    /// Whether the order of operations in real time matters to the model.
    pub fn sees_time(self) -> bool {
        !matches!(
            self,
            Model::Grid(_)
                | Model::Sequential
                | Model::CausalMemory
                | Model::Pram
                | Model::Slow
                | Model::Cache
                | Model::Processor
                | Model::Prefix
                | Model::PrefixMonotonic
        )
    }

    /// Whether reads at quiescence must see everything.
    pub fn is_eventual(self) -> bool {
        matches!(self, Model::Grid(Grid { eventual: true, .. }))
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
