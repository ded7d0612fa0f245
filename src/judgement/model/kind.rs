//! The kinds of violation.

use std::fmt;

/// How a model is violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An answer that no write that happened can have caused: a value never
    /// written, the value of a failed write, or a cycle of causes. It violates
    /// base and every model that implies base.
    Illegal,
    /// Two reads of one key at quiescence differ.
    Diverged,
    /// At quiescence every read of a key finds it initial, although a write to
    /// it was acknowledged or read.
    Lost,
    /// Reads at quiescence agree, and what they answer is explained only if some
    /// update that happened and takes back another (a remove) is left out.
    Resurrected,
    /// Each answer alone is possible, but nothing the model allows explains
    /// them together.
    Unexplained,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Illegal => "illegal",
            Kind::Diverged => "diverged",
            Kind::Lost => "lost",
            Kind::Resurrected => "resurrected",
            Kind::Unexplained => "unexplained",
        })
    }
}
