//! What to try next, as data: one row per strategy and flaw.

use crate::hunt::property::Flaw;
use crate::judgement::Kind;

/// Strategy (as shown), flaw, advice.
const HINTS: [(&str, Flaw, &str); 7] = [
    (
        "notebook:as-written",
        Flaw::History(Kind::Diverged),
        "let the receiver store what it is sent: quiescence check notebook:storing",
    ),
    (
        "notebook:wrong-key",
        Flaw::History(Kind::Lost),
        "use one key for writing and reading: quiescence check notebook:storing",
    ),
    (
        "notebook:call-error",
        Flaw::History(Kind::Illegal),
        "answer `fail` only if nothing was stored: quiescence check primary-backup",
    ),
    (
        "notebook:storing",
        Flaw::History(Kind::Diverged),
        "order writes by (Lamport counter, node): quiescence check multi-primary-lww",
    ),
    (
        "notebook:echo",
        Flaw::NeverQuiet,
        "forward only what clients wrote, not what peers sent: quiescence check notebook:storing",
    ),
    (
        "multi-primary-lww",
        Flaw::History(Kind::Diverged),
        "repair what was lost: quiescence check multi-primary-lww:anti-entropy=on --faults drop=1",
    ),
    (
        "multi-primary-lww:clock=wall",
        Flaw::Recorded,
        "order writes by counters, not clocks: quiescence check multi-primary-lww --faults skew=1",
    ),
];

/// The advice for this flaw of this strategy.
pub(super) fn hint(strategy: &str, flaw: Flaw) -> Option<&'static str> {
    let row = HINTS.iter().find(|(name, known, _)| *name == strategy && *known == flaw);
    row.map(|(.., advice)| *advice)
}
