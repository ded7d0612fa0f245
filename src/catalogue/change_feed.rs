//! A store with a feed of its changes.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Property;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::change_feed::{ChangeFeed, Cursor, Numbers};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const SKIPPED: Bug = Bug {
    title: "a change is numbered before it commits, and a cursor passes it meanwhile",
    story: "Two transactions draw their numbers as they begin, and the second one commits \
            first. A reader of the log sees its number and moves on behind it. When the \
            first one commits, its number lies before the cursor, and it is never read. \
            Sequences and columns that count by themselves number rows in this way.",
    source: "juicefs issue 7521; Dudycz 2022, on sequences of PostgreSQL in an outbox",
    repaired: "change-feed",
    keeps: &["ryw", "mr", "strong-convergence"],
    actions: 8,
};

const AHEAD: Bug = Bug {
    title: "the cursor is stored when changes have arrived, and a crash comes before they are \
            applied",
    story: "A batch of changes arrives and the cursor moves to its end. The process dies \
            before it has applied them, begins again at the cursor, and never gets them. \
            PouchDB wrote its checkpoint while documents were still queued.",
    source: "pouchdb issue 1240",
    repaired: "change-feed",
    keeps: &["ryw", "mr", "strong-convergence"],
    actions: 7,
};

pub(super) fn family() -> Family {
    let calm = Setting::calm(2, Network::Unordered);
    let crashed = calm.clone().with_faults(Faults::NONE.with(FaultKind::Crash, 1));
    let lossy = calm.clone().with_faults(Faults::NONE.with(FaultKind::Drop, 1));
    let plain = ChangeFeed { numbers: Numbers::Commit, cursor: Cursor::Applied };
    let variants = Variants::of(plain)
        .parameter(
            "numbers",
            "when a change gets its number",
            [
                ("commit", |it| it.numbers = Numbers::Commit),
                ("start", |it| it.numbers = Numbers::Start),
            ],
        )
        .parameter(
            "cursor",
            "when a cursor moves: when changes are applied, or when they have arrived",
            [
                ("applied", |it| it.cursor = Cursor::Applied),
                ("read", |it| it.cursor = Cursor::Read),
            ],
        );
    let about = "asynchronous: a store numbers its changes, and copies follow by a cursor";
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    Family::new("change-feed", about, &calm, variants)
        .states(20_000)
        .sources("juicefs issue 7521; pouchdb issue 1240; Dudycz 2022")
        .keeps("", &crashed, [eventual, mr])
        .keeps("", &crashed, [Property::Durable])
        .keeps("", &lossy, [eventual])
        .keeps("", &calm, [Property::StrongConvergence])
        .breaks("", &calm.clone().roaming(), ryw, Kind::Unexplained)
        .mutant("numbers=start", SKIPPED, &calm, eventual, Kind::Diverged)
        .mutant("cursor=read", AHEAD, &crashed, eventual, Kind::Diverged)
        .hint(
            "numbers=start",
            Kind::Diverged,
            "number changes in the order in which they commit",
            "quiescence check change-feed",
        )
}
