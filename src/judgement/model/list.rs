//! Every consistency model there is, and short names in code for a few of them.

use super::grid::{Grid, Guarantees, Scope};

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
    /// As `Prefix`, and the reads of a session never go back.
    PrefixMonotonic,
    /// As `Prefix`, with an order that keeps real time.
    PrefixRealTime,
    /// As `PrefixRealTime`, and reads at quiescence see all of the order: the last
    /// write in real time wins.
    EventualRealTime,
    /// A read answers the last finished write or an overlapping one, with one
    /// order of the writes for all reads (Lamport 1986; Viotti and Vukolić
    /// 2016).
    Regular,
    /// As `Regular`, with an order for each read (Shao et al. 2011).
    RegularWeak,
    /// As `Regular`, but only for reads that overlap no write (Lamport 1986).
    Safe,
    /// Real time counts only across instants at which no operation is open
    /// (Herlihy and Shavit).
    Quiescent,
    /// Linearizable, but a read may return any of the last k writes of its key
    /// (the initial value counts as one); k ≥ 1.
    KAtomic(u32),
    /// Linearizable once every read is taken to begin this many nanoseconds
    /// earlier (Golab, Li and Shah 2011).
    DeltaAtomic(u64),
}

impl Model {
    /// Every answer comes from a write that happened, and causes have no cycle.
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
}
