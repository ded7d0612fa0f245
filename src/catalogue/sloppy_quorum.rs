//! A sloppy quorum with hinted handoff.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Flaw;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::sloppy_quorum::{
    Counts, Deletes, Hints, SloppyQuorum, Window,
};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const PLAIN: SloppyQuorum = SloppyQuorum {
    r: 1,
    w: 2,
    counts: Counts::Hints,
    hints: Hints::Durable,
    deletes: Deletes::Confirmed,
    anti_entropy: false,
    window: Window::Open,
};

const VOLATILE: Bug = Bug {
    title: "a crash forgets the hint of a write that was answered, and one home never gets it",
    story: "A home has not got the write, and the client was answered. The coordinator crashes, \
            and its hint was in memory only. Nobody will ever send it again. \
            ScyllaDB discussed clearing all hints when a node starts, since they cannot be \
            relied on.",
    source: "scylladb pull 13501",
    repaired: "sloppy-quorum:w=1",
    keeps: &["base"],
    actions: 4,
};

const SENT: Bug = Bug {
    title: "a hint is deleted when it is handed over, and the message is lost",
    story: "The home comes back, the hint is sent to it and deleted at once. The message does \
            not arrive, and nobody has the write for this home any more.",
    source: "DeCandia et al. 2007, section 4.6, deletes it when the transfer has succeeded",
    repaired: "sloppy-quorum",
    keeps: &["base"],
    actions: 4,
};

const CLOSED: Bug = Bug {
    title: "hints are discarded when a home has been away for long, and nothing else repairs it",
    story: "A home is away for longer than hints are kept: three hours in Cassandra, unless one \
            sets max_hint_window. Its hints are discarded, and it comes back without the writes \
            that it missed. Hints are best effort: after an outage longer than the window \
            somebody has to run a repair.",
    source: "Cassandra documentation on hints; DataStax documentation on \
             max_hint_window_in_ms",
    repaired: "sloppy-quorum:anti-entropy=on,window=closes",
    keeps: &["base"],
    actions: 3,
};

/// Three nodes, and as many of these faults.
fn with(drops: u16, crashes: u16) -> Setting {
    let faults = Faults::NONE.with(FaultKind::Drop, drops).with(FaultKind::Crash, crashes);
    Setting::calm(3, Network::Unordered).with_faults(faults)
}

/// The register, and what each parameter changes in it.
fn variants() -> Variants<SloppyQuorum> {
    Variants::of(PLAIN)
        .parameter(
            "r",
            "how many copies a read waits for",
            [("1", |it| it.r = 1), ("2", |it| it.r = 2)],
        )
        .parameter(
            "w",
            "how many copies a write waits for",
            [("2", |it| it.w = 2), ("1", |it| it.w = 1)],
        )
        .parameter(
            "counts",
            "what counts as a copy: hints too, or copies of homes only",
            [
                ("hints", |it| it.counts = Counts::Hints),
                ("copies", |it| it.counts = Counts::Copies),
            ],
        )
        .parameter(
            "hints",
            "whether a hint survives a crash",
            [
                ("durable", |it| it.hints = Hints::Durable),
                ("volatile", |it| it.hints = Hints::Volatile),
            ],
        )
        .parameter(
            "deletes",
            "when a hint is deleted",
            [
                ("confirmed", |it| it.deletes = Deletes::Confirmed),
                ("sent", |it| it.deletes = Deletes::Sent),
            ],
        )
        .parameter(
            "anti-entropy",
            "whether homes send each other all that they hold",
            [("off", |it| it.anti_entropy = false), ("on", |it| it.anti_entropy = true)],
        )
        .parameter(
            "window",
            "for how long hints are kept: until they are delivered, or for some time",
            [("open", |it| it.window = Window::Open), ("closes", |it| it.window = Window::Closes)],
        )
}

pub(super) fn family() -> Family {
    let calm = with(0, 0);
    let (both, twice, lossy) = (with(1, 1), with(1, 2), with(2, 0));
    let about = "asynchronous: a write is accepted for nodes that do not answer, and handed over";
    let (eventual, ryw) = (Model::EVENTUAL, Model::READ_YOUR_WRITES);
    Family::new("sloppy-quorum", about, &calm, variants())
        .states(60_000)
        .sources("DeCandia et al. 2007 (Dynamo), section 4.6; Lakshman & Malik 2010 (Cassandra)")
        .stands(
            "",
            &both,
            &[
                ("read-your-writes", UNEXPLAINED),
                ("monotonic-reads", UNEXPLAINED),
                ("causal", UNEXPLAINED),
                ("eventual-rt", UNEXPLAINED),
                ("linearizable", UNEXPLAINED),
                ("answered", Flaw::Stuck),
            ],
        )
        .keeps("counts=copies", &calm, [eventual, ryw])
        .mutant("hints=volatile,w=1", VOLATILE, &twice, eventual, Kind::Diverged)
        .keeps("anti-entropy=on,hints=volatile,w=1", &both, [eventual])
        .mutant("deletes=sent", SENT, &lossy, eventual, Kind::Diverged)
        .mutant("window=closes", CLOSED, &with(1, 0), eventual, Kind::Diverged)
        .keeps("anti-entropy=on,window=closes", &with(1, 0), [eventual])
        .hint(
            "window=closes",
            Kind::Diverged,
            "let homes compare what they hold",
            "quiescence check sloppy-quorum:anti-entropy=on,window=closes",
        )
        .hint(
            "hints=volatile,w=1",
            Kind::Diverged,
            "let homes compare what they hold",
            "quiescence check sloppy-quorum:anti-entropy=on,hints=volatile,w=1",
        )
}
