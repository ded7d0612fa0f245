//! What a model of orders asks, as a description.
//!
//! Such a model asks for one order or several ([`Views`]), says what each must
//! keep of sessions and of real [`Time`], how it explains the [`Reads`], and
//! what the orders have in common ([`Shared`]). The words are those of the
//! predicates: an order *has* some operations and *extends* some relation, and
//! a read *answers* a write.
//!
//! It knows no history. Whether a history has such orders is decided by the
//! checkers, verified by the replay of evidence and tried out by the oracle.

/// What a model asks of the orders of the operations that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) struct Orders {
    /// Which orders there are, of what.
    pub(in crate::judgement) views: Views,
    /// What the orders have in common.
    pub(in crate::judgement) shared: Shared,
    /// Whether each extends session order.
    pub(in crate::judgement) session: bool,
    /// What each keeps of real time.
    pub(in crate::judgement) time: Time,
    /// How each explains reads.
    pub(in crate::judgement) reads: Reads,
}

/// Which orders there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) enum Views {
    /// One.
    One,
    /// One for each key, of the operations on it.
    Key,
    /// One for each process, of its operations and of all writes. It explains
    /// the reads of its process.
    Process,
    /// One for each process and key, of its operations on that key and of all
    /// writes to it. It explains the reads of its process.
    ProcessAndKey,
    /// One for each read, which explains that read.
    Read,
}

/// What several orders have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) enum Shared {
    /// Nothing.
    Nothing,
    /// All put the writes of a key into the same order.
    WritesOfAKey,
    /// All extend one causal order, which contains session order and leads from
    /// a write to the reads that answered it. The order of a process has only
    /// the writes in its causal past.
    Causes,
}

/// What an order keeps of real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) enum Time {
    /// Nothing.
    Ignored,
    /// What returned before another operation was invoked comes before it.
    ReturnsBefore {
        /// By how many nanoseconds reads are taken to be invoked earlier.
        reads_earlier: u64,
    },
    /// An operation that returned before an instant at which no operation of
    /// the whole history is open comes before those invoked after it.
    QuietInstants,
}

/// How an order explains reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) enum Reads {
    /// The order contains the reads. Each answers one of the last so many
    /// writes of its key before it, where the initial value counts as the
    /// oldest write. With 1, every answer is that of a sequential object.
    LastOf(u32),
    /// The order contains the writes alone. A read sees a prefix of it, and
    /// answers the last write of its key in that prefix. Session order together
    /// with visibility has no cycle.
    Prefix {
        /// Whether a read sees all that earlier reads of its process saw.
        monotonic: bool,
        /// Whether a read at quiescence sees all of it.
        eventual: bool,
    },
    /// The order contains the writes alone. A read answers a write that does
    /// not follow the read in time or in its session, and that is not ordered
    /// before a write of its key that precedes the read in time or in its
    /// session.
    Recent,
    /// The same for reads that overlap no write of their key in the whole
    /// history. Other reads may answer anything.
    RecentUnlessOverlapped,
}

/// Linearizability; the other descriptions are derived from it.
pub(super) const LINEARIZABLE: Orders = Orders {
    views: Views::One,
    shared: Shared::Nothing,
    session: true,
    time: Time::ReturnsBefore { reads_earlier: 0 },
    reads: Reads::LastOf(1),
};
/// PRAM; the models with an order for each process are derived from it.
pub(super) const PRAM: Orders =
    Orders { views: Views::Process, time: Time::Ignored, ..LINEARIZABLE };
/// Consistent prefix; the other models of prefixes are derived from it.
pub(super) const PREFIX: Orders = Orders { time: Time::Ignored, reads: PREFIXES, ..LINEARIZABLE };
const PREFIXES: Reads = Reads::Prefix { monotonic: false, eventual: false };
/// The regular register; the weaker ones are derived from it.
pub(super) const REGULAR: Orders = Orders { reads: Reads::Recent, ..LINEARIZABLE };

impl Orders {
    /// Linearizable, but a read may answer any of the last k writes.
    pub(super) const fn k_atomic(k: u32) -> Orders {
        Orders { reads: Reads::LastOf(k), ..LINEARIZABLE }
    }

    /// Linearizable, once reads are taken to begin earlier. A read that begins
    /// earlier may overlap what came before it in its session, so session order
    /// is not asked then.
    pub(super) const fn delta_atomic(delta: u64) -> Orders {
        let time = Time::ReturnsBefore { reads_earlier: delta };
        Orders { session: delta == 0, time, ..LINEARIZABLE }
    }

    /// Whether there is an order for each process, which explains its reads.
    pub(in crate::judgement) fn is_by_process(&self) -> bool {
        matches!(self.views, Views::Process | Views::ProcessAndKey)
    }

    /// Whether there is an order for each key, or for each process and key.
    pub(in crate::judgement) fn is_by_key(&self) -> bool {
        matches!(self.views, Views::Key | Views::ProcessAndKey)
    }

    /// Whether the order contains the writes alone, and each read is compared
    /// with the writes that came before it (regular and safe registers).
    pub(in crate::judgement) fn is_regular(&self) -> bool {
        matches!(self.reads, Reads::Recent | Reads::RecentUnlessOverlapped)
    }

    /// Whether every operation takes effect at one instant between its invocation and
    /// its return, and sees what took effect before it. So what was invoked after it
    /// returned does not explain it.
    pub(in crate::judgement) fn is_instantaneous(&self) -> bool {
        let Orders { views, shared, session: _, time, reads } = *self;
        (views, shared) == (Views::One, Shared::Nothing)
            && time == Time::ReturnsBefore { reads_earlier: 0 }
            && reads == Reads::LastOf(1)
    }

    /// Whether a read may answer another write than the last before it.
    pub(in crate::judgement) fn may_be_stale(&self) -> bool {
        matches!(self.reads, Reads::LastOf(2..))
    }
}
