//! Whether a history is told from its keys: where the part of each key has what a model
//! asks, the whole has it.

use super::list::Model;
use super::orders::{Orders, Reads, Shared, Time, Views};

/// Whether a history has what a model asks if the operations on each key, taken alone, have
/// it. (The converse is true of every model here.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locality {
    /// Always.
    Keys,
    /// If every process invokes an operation after the instant at which its last one
    /// returned, unless both are on one key.
    KeysInTime,
    /// Not in general.
    Whole,
}

impl Model {
    /// Whether the keys of a history can be judged one by one.
    ///
    /// ```
    /// use quiescence::judgement::Model;
    /// use quiescence::judgement::model::Locality;
    ///
    /// assert_eq!(Model::Linearizable.locality(), Locality::KeysInTime);
    /// assert_eq!(Model::Cache.locality(), Locality::Keys);
    /// assert_eq!(Model::Sequential.locality(), Locality::Whole);
    /// ```
    pub fn locality(self) -> Locality {
        self.orders().map_or(Locality::Whole, |asked| asked.locality())
    }
}

impl Orders {
    /// Proof for orders in time (Herlihy and Wing, TOPLAS 1990, Theorem 1, generalised). Let
    /// each key have such an order o₁, o₂, … of its operations (or of its writes alone), each
    /// with an interval from its invocation, perhaps moved to an earlier instant, to its
    /// return, or without end. Give oᵢ the latest beginning of the intervals of o₁ … oᵢ. That
    /// instant lies in the interval of oᵢ: not before its beginning, and not after its end,
    /// because none of o₁ … oᵢ₋₁ begins after oᵢ has ended, or the order would not extend
    /// returns-before. Sort all operations by these instants, those of one key at the same
    /// instant as they were. This extends the order of each key, so each read still has the
    /// same writes of its key before it, in the same order, and answers what it may. And it
    /// extends returns-before across keys: what returned before another began has an earlier
    /// instant. Session order it extends as well if returns-before contains it, but for
    /// operations on one key, which are as their key has them.
    ///
    /// A model with a view for each read asks for such an order for one read at a time, so the
    /// same is true of it. What a regular or safe read is compared with is on its key.
    fn locality(&self) -> Locality {
        let &Orders { views, shared, session, time, reads } = self;
        if shared != Shared::Nothing {
            return Locality::Whole;
        }
        match (views, time, reads) {
            // These ask for orders of the operations on one key, and of nothing else.
            (Views::Key | Views::ProcessAndKey, Time::Ignored, Reads::LastOf(_)) => Locality::Keys,
            (
                Views::One | Views::Read,
                Time::ReturnsBefore { .. },
                Reads::LastOf(_) | Reads::Recent | Reads::RecentUnlessOverlapped,
            ) => match session {
                true => Locality::KeysInTime,
                false => Locality::Keys,
            },
            // Sequential consistency is not: Lamport 1979. Quiet instants are those of all
            // keys, prefixes are of the writes of all keys, and what one process believes of
            // one key may follow from another.
            _ => Locality::Whole,
        }
    }
}
