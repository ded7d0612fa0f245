//! The student's notebook: every variant is a mutant.

use crate::hunt::property::Flaw;
use crate::judgement::{Kind, Model};
use crate::replication::notebook::{Notebook, Variant};
use crate::world::{Network, Setting};

use super::family::Family;
use super::variants::Variants;

pub(super) fn family() -> Family {
    let pair = Setting::calm(2, Network::Unordered);
    let eventual = Model::EVENTUAL;
    let variants = Variants::of(Notebook { variant: Variant::AsWritten }).open(
        "variant",
        "which bug",
        [
            ("as-written", |it| it.variant = Variant::AsWritten),
            ("wrong-key", |it| it.variant = Variant::WrongKey),
            ("call-error", |it| it.variant = Variant::CallError),
            ("storing", |it| it.variant = Variant::Storing),
            ("echo", |it| it.variant = Variant::Echo),
        ],
    );
    let about = "a student's two nodes, each variant with one of its bugs";
    let forgets = "the receiver looks the key up and stores nothing";
    let misfiles = "a write is stored under another key than reads use";
    let denies =
        "the call to the replica fails after the local store, and the client is told `fail`";
    let overwrites = "the receiver stores whatever arrives last";
    let echoes = "the receiver stores and replicates again";
    Family::new("notebook", about, &pair, variants)
        .sources("the notebook itself")
        .mutant("as-written", forgets, &pair, eventual, Kind::Diverged)
        .mutant("wrong-key", misfiles, &pair, eventual, Kind::Lost)
        .mutant("call-error", denies, &pair, eventual, Kind::Illegal)
        .mutant("storing", overwrites, &pair, eventual, Kind::Diverged)
        .mutant("echo", echoes, &pair, eventual, Flaw::NeverQuiet)
        .hint(
            "as-written",
            Kind::Diverged,
            "let the receiver store what it is sent",
            "quiescence check notebook:storing",
        )
        .hint(
            "wrong-key",
            Kind::Lost,
            "use one key for writing and reading",
            "quiescence check notebook:storing",
        )
        .hint(
            "call-error",
            Kind::Illegal,
            "answer `fail` only if nothing was stored",
            "quiescence check primary-backup",
        )
        .hint(
            "storing",
            Kind::Diverged,
            "order writes by (Lamport counter, node)",
            "quiescence check multi-primary-lww",
        )
        .hint(
            "echo",
            Flaw::NeverQuiet,
            "forward only what clients wrote, not what peers sent",
            "quiescence check notebook:storing",
        )
}
