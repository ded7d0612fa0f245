//! Peers that remember what they have sent each other.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::sync_session::{Answers, Sessions, SyncSession};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const SENT: Bug = Bug {
    title: "what was sent before a peer connected again counts as sent, though it was lost",
    story: "A change is sent, the peer goes away before it arrives, and connects again. The \
            sender still has the session and finds that it has sent the change already. The \
            peer never gets it, whatever happens later.",
    source: "automerge-repo pull 368",
    repaired: "sync-session",
    keeps: &["ryw", "mr", "strong-convergence"],
    actions: 5,
};

const FOR_EVER: Bug = Bug {
    title: "a peer asks for what it lacks, and is answered without it, for ever",
    story: "As before, but each side answers a message of a peer that has something else. \
            The one says that it lacks a change, the other that it has nothing to send, and \
            so on. In automerge-repo a server did not clear the state of a peer that had \
            connected again.",
    source: "automerge-repo pull 206; automerge issue 772",
    repaired: "sync-session:answers=difference",
    keeps: &["ryw", "mr", "strong-convergence"],
    actions: 7,
};

pub(super) fn family() -> Family {
    let calm = Setting::calm(2, Network::Fifo);
    let with = |kind| calm.clone().with_faults(Faults::NONE.with(kind, 1));
    let (crashed, lossy) = (with(FaultKind::Crash), with(FaultKind::Drop));
    let plain = SyncSession { sessions: Sessions::Reset, answers: Answers::News };
    let variants = Variants::of(plain)
        .parameter(
            "sessions",
            "what becomes of a session when its peer connects again",
            [
                ("reset", |it| it.sessions = Sessions::Reset),
                ("kept", |it| it.sessions = Sessions::Kept),
            ],
        )
        .parameter(
            "answers",
            "when a message is answered: if the peer lacks something that was not sent, or if \
             it has something else",
            [
                ("news", |it| it.answers = Answers::News),
                ("difference", |it| it.answers = Answers::Difference),
            ],
        );
    let about = "asynchronous: peers remember what they have sent on a connection";
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let difference = "answers=difference";
    Family::new("sync-session", about, &crashed, variants)
        .states(20_000)
        .sources("the sync protocol of Automerge; automerge-repo pulls 206 and 368")
        .keeps("", &crashed, [eventual, ryw, mr])
        .keeps("", &crashed, [Property::StrongConvergence, Property::Durable])
        .keeps("", &Setting::calm(3, Network::Fifo), [eventual])
        .breaks("", &lossy, eventual, Kind::Diverged)
        .keeps(difference, &crashed, [eventual])
        .mutant("sessions=kept", SENT, &crashed, eventual, Kind::Diverged)
        .mutant("answers=difference,sessions=kept", FOR_EVER, &crashed, eventual, Flaw::NeverQuiet)
        .hint(
            "",
            Kind::Diverged,
            "use a connection that loses nothing while it lasts",
            "quiescence check sync-session",
        )
}
