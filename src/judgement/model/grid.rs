//! The grid: 4 session guarantees × 3 scopes of arbitration × eventual
//! visibility, 96 models in all.
//!
//! Every one of them asks for a visibility `vis` (which writes each read
//! sees) and arbitrations `ar` (total orders of the writes) such that each
//! read answers the last visible write of its key and `so ∪ vis` has no cycle.
//! The grid says what else is asked.

use std::ops::BitOr;

/// Some of the four session guarantees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guarantees(u8);

impl Guarantees {
    /// None of them.
    pub const NONE: Guarantees = Guarantees(0);
    /// Read your writes: a process sees its own earlier writes.
    pub const RYW: Guarantees = Guarantees(1);
    /// Monotonic reads: a process still sees what its earlier reads saw.
    pub const MR: Guarantees = Guarantees(2);
    /// Monotonic writes: a read that sees a write sees the earlier writes of
    /// the writing process too, and they are arbitrated in that order.
    pub const MW: Guarantees = Guarantees(4);
    /// Writes follow reads: a read that sees a write sees what the writing
    /// process had seen before it, and that is arbitrated before the write.
    pub const WFR: Guarantees = Guarantees(8);
    /// All four.
    pub const ALL: Guarantees = Guarantees(15);

    /// Each guarantee with its short name, a description and its predicate.
    pub(super) const EACH: [(Guarantees, &'static str, &'static str, &'static str); 4] = [
        (Self::RYW, "ryw", "a process sees its own earlier writes", "so∩(W×R) ⊆ vis"),
        (Self::MR, "mr", "a process goes on seeing what it has seen", "vis;(so∩R×R) ⊆ vis"),
        (
            Self::MW,
            "mw",
            "who sees a write sees the earlier writes of its process, in their order",
            "(so∩W×W);vis ⊆ vis ∧ so∩W×W ⊆ ar",
        ),
        (
            Self::WFR,
            "wfr",
            "who sees a write sees what its process had seen before it, as older",
            "vis;(so∩R×W);vis ⊆ vis ∧ vis;(so∩R×W) ⊆ ar",
        ),
    ];

    /// Whether all of `other` are among these.
    pub const fn contain(self, other: Guarantees) -> bool {
        self.0 & other.0 == other.0
    }

    /// These without those of `other`.
    pub const fn without(self, other: Guarantees) -> Guarantees {
        Guarantees(self.0 & !other.0)
    }

    /// The 16 combinations, in order.
    pub fn all() -> impl Iterator<Item = Guarantees> {
        (0..16).map(Guarantees)
    }
}

impl BitOr for Guarantees {
    type Output = Guarantees;

    fn bitor(self, other: Guarantees) -> Guarantees {
        Guarantees(self.0 | other.0)
    }
}

/// How many reads must share one arbitration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One order of the writes explains all reads.
    Global,
    /// The reads of each session have an order of their own.
    Session,
    /// Each read has an order of its own.
    Read,
}

impl Scope {
    pub(super) const ALL: [Scope; 3] = [Scope::Global, Scope::Session, Scope::Read];

    pub(super) fn letter(self) -> char {
        match self {
            Scope::Global => 'g',
            Scope::Session => 's',
            Scope::Read => 'r',
        }
    }
}

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grid {
    /// Which session guarantees are asked.
    pub guarantees: Guarantees,
    /// How far an arbitration must be shared.
    pub scope: Scope,
    /// Whether reads at quiescence must see every write that happened.
    pub eventual: bool,
}

impl Grid {
    /// The 96 points, in order of `!`, then scope, then guarantees.
    pub fn all() -> impl Iterator<Item = Grid> {
        [false, true].into_iter().flat_map(|eventual| {
            Scope::ALL.into_iter().flat_map(move |scope| {
                Guarantees::all().map(move |guarantees| Grid { guarantees, scope, eventual })
            })
        })
    }

    /// Whether these guarantees are among those asked.
    pub const fn asks(self, guarantees: Guarantees) -> bool {
        self.guarantees.contain(guarantees)
    }

    /// The name of the model: guarantees joined by `+` (or `base`), a dot, the
    /// first letter of the scope, and `!` for eventual visibility.
    pub fn name(self) -> String {
        let guarantees = self.guarantees_name();
        let mark = if self.eventual { "!" } else { "" };
        format!("{guarantees}.{}{mark}", self.scope.letter())
    }

    /// The name without its scope: `ryw+mr`.
    pub fn guarantees_name(self) -> String {
        let asked: Vec<_> = self.asked().map(|(_, name, ..)| name).collect();
        if asked.is_empty() { "base".to_owned() } else { asked.join("+") }
    }

    fn asked(self) -> impl Iterator<Item = (Guarantees, &'static str, &'static str, &'static str)> {
        Guarantees::EACH.into_iter().filter(move |(guarantee, ..)| self.asks(*guarantee))
    }

    pub(super) fn about(self) -> String {
        let mut parts = vec!["Every answer comes from a write that happened".to_owned()];
        parts.extend(self.asked().map(|(_, _, about, _)| about.to_owned()));
        if self.eventual {
            parts.push("reads at quiescence see every write".to_owned());
        }
        let scope = match self.scope {
            Scope::Global => "one order of the writes explains all reads",
            Scope::Session => "each session has an order of the writes that explains its reads",
            Scope::Read => "each read has an order of the writes that explains it",
        };
        format!("{}; {scope}.", parts.join("; "))
    }

    pub(super) fn source(self) -> &'static str {
        match (self.guarantees, self.scope, self.eventual) {
            (Guarantees::ALL, _, false) => "Bouajjani, Enea, Guerraoui, Hamza, POPL 2017",
            (Guarantees::NONE, _, true) => {
                "Terry et al., SOSP 1995; Burckhardt, Principles of Eventual Consistency, 2014"
            }
            _ => "Terry et al., Session guarantees, PDIS 1994; Burckhardt 2014",
        }
    }

    pub(super) fn predicate(self) -> String {
        let mut parts = vec!["RVal ∧ acyclic(so ∪ vis)".to_owned()];
        parts.extend(self.asked().map(|(.., predicate)| predicate.to_owned()));
        if self.eventual {
            parts.push("W × final reads ⊆ vis".to_owned());
        }
        let quantifiers = match self.scope {
            Scope::Global => "∃ vis, ar",
            Scope::Session => "∃ vis ∀ session ∃ ar",
            Scope::Read => "∃ vis ∀ read ∃ ar",
        };
        format!("{quantifiers}: {}", parts.join(" ∧ "))
    }
}
