//! The models outside the grid, as data: what they are called, what they
//! promise, and where they come from.
//!
//! The symbols of the predicates are those of the grid; `E` stands for all
//! operations, `E_p` for those of process p, `rf(r)` for the write that read r
//! answered.

use super::list::Model;
use super::orders::{LINEARIZABLE, Orders, PRAM, PREFIX, REGULAR, Reads, Shared, Time, Views};

/// The description of a model outside the grid.
pub(super) struct Other {
    pub(super) model: Model,
    pub(super) name: &'static str,
    pub(super) long: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) about: &'static str,
    pub(super) predicate: &'static str,
    pub(super) source: &'static str,
    /// What it asks of orders.
    pub(super) orders: Orders,
    /// A clause that says that the model is violated.
    pub(super) nothing: &'static str,
}

/// All of them, weaker ones later within each family.
pub(super) static OTHERS: [Other; 15] = [
    Other {
        model: Model::Linearizable,
        name: "linearizable",
        long: "linearizable",
        aliases: &["lin", "linearizability", "linearisable", "atomic"],
        about: "Every operation seems to happen at one instant between its invocation and its \
                answer, and every read sees the last write.",
        predicate: "∃ a legal total order of the operations that extends rb",
        source: "Herlihy and Wing, Linearizability, TOPLAS 1990",
        orders: LINEARIZABLE,
        nothing: "no order of these operations, each between its invocation and its answer, \
                  explains what was read",
    },
    Other {
        model: Model::Sequential,
        name: "sequential",
        long: "sequential",
        aliases: &["seq", "sc", "sequential-consistency"],
        about: "One order of all operations keeps the order of every process, and every read \
                sees the last write in it; real time does not count.",
        predicate: "∃ a legal total order of E that extends so",
        source: "Lamport, How to make a multiprocessor computer, IEEE ToC 1979",
        orders: Orders { time: Time::Ignored, ..LINEARIZABLE },
        nothing: "no order of these operations that keeps the order of each process explains \
                  what was read",
    },
    Other {
        model: Model::CausalMemory,
        name: "cm",
        long: "causal memory (CM)",
        aliases: &["causal-memory"],
        about: "Each process can put what is in its causal past into an order in which all its \
                own reads see the last write.",
        predicate: "∃ co ⊇ so ∀ o: past(o) ∪ {o} has an order ⊇ co in which o and the earlier \
                    reads of its process return the last write",
        source: "Ahamad et al., Causal memory, Distributed Computing 1995; Bouajjani et al., \
                 POPL 2017",
        orders: Orders { shared: Shared::Causes, ..PRAM },
        nothing: "some process cannot put its causal past into an order that explains its own \
                  reads",
    },
    Other {
        model: Model::Pram,
        name: "pram",
        long: "pipelined RAM (PRAM)",
        aliases: &["fifo", "pipelined-ram"],
        about: "Each process can put its own operations and all writes into an order that keeps \
                the order of every process, in which its own reads see the last write.",
        predicate: "∀ p ∃ an order of E_p ∪ W that extends so and is legal for the reads of p",
        source: "Lipton and Sandberg, PRAM, Princeton 1988",
        orders: PRAM,
        nothing: "some process cannot put its operations and all writes into an order that keeps \
                  the order of each process and explains its own reads",
    },
    Other {
        model: Model::Slow,
        name: "slow",
        long: "slow memory",
        aliases: &["slow-memory"],
        about: "PRAM for each key alone.",
        predicate: "∀ p, key x ∃ an order of the operations on x in E_p ∪ W that extends so and \
                    is legal for the reads of p",
        source: "Hutto and Ahamad, Slow memory, ICDCS 1990",
        orders: Orders { views: Views::ProcessAndKey, ..PRAM },
        nothing: "some process cannot put its operations and all writes on one key into an order \
                  that keeps the order of each process and explains its own reads",
    },
    Other {
        model: Model::Cache,
        name: "cache",
        long: "cache (coherence)",
        aliases: &["coherence", "coherent"],
        about: "Each key alone is sequential.",
        predicate: "∀ key x ∃ a legal total order of the operations on x that extends so",
        source: "Goodman, Cache consistency and sequential consistency, 1989",
        orders: Orders { views: Views::Key, time: Time::Ignored, ..LINEARIZABLE },
        nothing: "no order of these operations on one key that keeps the order of each process \
                  explains what was read",
    },
    Other {
        model: Model::Processor,
        name: "pc",
        long: "processor consistency (PC)",
        aliases: &["processor", "processor-consistency", "pcg"],
        about: "PRAM, and all processes agree on the order of the writes to each key.",
        predicate: "∃ an order of the writes of each key ∀ p ∃ an order of E_p ∪ W that extends \
                    so and these and is legal for the reads of p",
        source: "Goodman 1989; Ahamad et al., The power of processor consistency, SPAA 1993",
        orders: Orders { shared: Shared::WritesOfAKey, ..PRAM },
        nothing: "whatever the order of the writes of each key, some process cannot explain its \
                  own reads",
    },
    Other {
        model: Model::PrefixMonotonic,
        name: "prefix_mr",
        long: "consistent prefix with monotonic-reads",
        aliases: &["monotonic-prefix"],
        about: "Every read sees the beginning of one order of all writes, and a process never \
                goes back in it.",
        predicate: "∃ ar ⊇ so∩W×W, vis: RVal ∧ acyclic(so ∪ vis) ∧ every vis⁻¹(r) is a prefix of \
                    ar ∧ vis;(so∩R×R) ⊆ vis",
        source: "Terry, Replicated data consistency explained through baseball, CACM 2013",
        orders: Orders { reads: Reads::Prefix { monotonic: true, eventual: false }, ..PREFIX },
        nothing: "no order of the writes has these answers at its prefixes",
    },
    Other {
        model: Model::Prefix,
        name: "prefix",
        long: "consistent prefix",
        aliases: &["consistent-prefix"],
        about: "Every read sees the beginning of one order of all writes, but may go back in \
                it. Clients cannot tell this from base.",
        predicate: "∃ ar ⊇ so∩W×W, vis: RVal ∧ acyclic(so ∪ vis) ∧ every vis⁻¹(r) is a prefix of \
                    ar",
        source: "Terry 2013; equal to base for registers with unique values",
        orders: PREFIX,
        nothing: "no order of the writes has these answers at its prefixes",
    },
    Other {
        model: Model::PrefixRealTime,
        name: "prefix_rt",
        long: "consistent prefix in real time",
        aliases: &["real-time-prefix"],
        about: "Every read sees the beginning of one order of all writes, and that order keeps \
                real time.",
        predicate: "∃ ar ⊇ rb∩W×W, vis: RVal ∧ acyclic(so ∪ vis) ∧ every vis⁻¹(r) is a prefix of \
                    ar",
        source: "after Terry 2013, with returns-before of Burckhardt 2014",
        orders: Orders { time: Time::ReturnsBefore { reads_earlier: 0 }, ..PREFIX },
        nothing: "no order of the writes has these answers at its prefixes",
    },
    Other {
        model: Model::EventualRealTime,
        name: "eventual-rt",
        long: "eventual consistency in real time",
        aliases: &["ev_rt", "eventual-real-time"],
        about: "Reads at quiescence see every write, in an order that keeps real time: of writes \
                that were acknowledged one after the other, the last one wins.",
        predicate: "∃ ar, vis: RVal ∧ ar ⊇ rb∩W×W ∧ acyclic(so ∪ vis ∪ ar) ∧ W × final reads ⊆ vis",
        source: "eventual consistency (Terry et al., SOSP 1995) with returns-before of Burckhardt \
                 2014",
        orders: Orders {
            time: Time::ReturnsBefore { reads_earlier: 0 },
            reads: Reads::Prefix { monotonic: false, eventual: true },
            ..PREFIX
        },
        nothing: "no order of the writes that keeps real time explains what was read, with what \
                  is read at quiescence at its end",
    },
    Other {
        model: Model::Regular,
        name: "regular",
        long: "regular",
        aliases: &["mwreg", "regular-register"],
        about: "Every read sees the last write that was finished before it began, or one that \
                overlaps it; all reads agree on the order of the writes.",
        predicate: "∃ a total order of W that extends rb ∀ r: rf(r) is not after r in time, and \
                    no write of its key that returned before r is after rf(r) in it",
        source: "Lamport, On interprocess communication, 1986; Viotti and Vukolić, CSUR 2016",
        orders: REGULAR,
        nothing: "no order of the writes makes every read answer the last finished write or one \
                  that overlaps it",
    },
    Other {
        model: Model::RegularWeak,
        name: "regular_weak",
        long: "weakly regular",
        aliases: &["weak-regular", "mwreg-weak"],
        about: "Every read sees the last write that was finished before it began, or one that \
                overlaps it; each read may order overlapping writes in its own way.",
        predicate: "∀ r ∃ a total order of W that extends rb: rf(r) is not after r in time, and \
                    no write of its key that returned before r is after rf(r) in it",
        source: "Shao, Welch, Pierce, Lee, Multiwriter consistency conditions, SIAM 2011",
        orders: Orders { views: Views::Read, ..REGULAR },
        nothing: "no order of the writes makes every read answer the last finished write or one \
                  that overlaps it",
    },
    Other {
        model: Model::Safe,
        name: "safe",
        long: "safe",
        aliases: &["safe-register"],
        about: "A read that overlaps no write of its key sees the last one; a read that does may \
                answer anything.",
        predicate: "∃ a total order of W that extends rb: every read that overlaps no write of \
                    its key returns the last write before it",
        source: "Lamport, On interprocess communication, 1986",
        orders: Orders { reads: Reads::RecentUnlessOverlapped, ..REGULAR },
        nothing: "no order of the writes makes every read answer the last finished write or one \
                  that overlaps it",
    },
    Other {
        model: Model::Quiescent,
        name: "quiescent",
        long: "quiescently consistent",
        aliases: &["quiescent-consistency"],
        about: "Operations on two sides of an instant at which none was open seem to happen in \
                that order; in between anything goes, even against the order of a process.",
        predicate: "∃ a legal total order of E that extends rb across every instant without an \
                    open operation",
        source: "Herlihy and Shavit, The Art of Multiprocessor Programming, ch. 3",
        orders: Orders { session: false, time: Time::QuietInstants, ..LINEARIZABLE },
        nothing: "no order of these operations that keeps quiet instants explains what was read",
    },
];

pub(super) fn entry(model: Model) -> Option<&'static Other> {
    OTHERS.iter().find(|other| other.model == model)
}

/// The names and sources of the two families that take a number.
pub(super) mod families {
    pub(crate) const K: &str = "k-atomic";
    pub(crate) const DELTA: &str = "delta-atomic";
    pub(crate) const K_SOURCE: &str =
        "Aiyer, Alvisi, Bazzi, On the availability of non-strict quorums, DISC 2005";
    pub(crate) const DELTA_SOURCE: &str =
        "Golab, Li, Shah, Analyzing consistency properties for fun and profit, PODC 2011";
}
