//! The student's notebook: every variant is a mutant.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Flaw;
use crate::judgement::{Kind, Model};
use crate::replication::notebook::{Notebook, Variant};
use crate::world::{Network, Setting};

use super::family::Family;
use super::variants::Variants;

const FORGETS: Bug = Bug {
    title: "the receiver looks the key up and stores nothing",
    story: "The method that receives a copy was written, called and never tested: it finds \
               the key and leaves the value as it was. The node that took the write shows it, \
               the other one never does, and no message is on its way that could change that.",
    source: "the notebook itself",
    repaired: "multi-primary-lww",
    keeps: &["ccv", "cm", "pc", "prefix_mr"],
    actions: 2,
};

const MISFILES: Bug = Bug {
    title: "a write is stored under another key than reads use",
    story: "The writer builds its keys with spaces in them, the reader builds them without. \
               Both nodes agree, which is why a test that only compares nodes sees nothing: \
               the acknowledged write can be read under no key that anybody asks for.",
    source: "the notebook itself",
    repaired: "multi-primary-lww",
    keeps: &["prefix_mr", "strong-convergence"],
    actions: 2,
};

const DENIES: Bug = Bug {
    title: "the call to the replica fails after the local store, and the client is told \
               `fail`",
    story: "The name of the remote method is misspelt at one end, so the call fails when \
               the value is stored already. The client is told that nothing happened, and \
               others read the value. Reporting a failure for what may have happened is among \
               the most frequent findings in databases.",
    source: "the notebook itself; aphyr.com/posts/284 (MongoDB 2.4.3)",
    repaired: "multi-primary-lww",
    keeps: &[],
    actions: 1,
};

const OVERWRITES: Bug = Bug {
    title: "the receiver stores whatever arrives last",
    story: "Two clients write at two nodes, and the messages cross: each node ends with \
               what came last. Nothing orders the two writes, so no later message repairs it.",
    source: "the notebook itself",
    repaired: "multi-primary-lww",
    keeps: &["ev_vis"],
    actions: 4,
};

const ECHOES: Bug = Bug {
    title: "the receiver stores and replicates again",
    story: "A node that receives a write sends it on, and the node that sent it does the \
               same. In MySQL an event whose server has left the ring circles in the same way.",
    source: "the notebook itself; MySQL bugs 25998 and 27808",
    repaired: "multi-primary-lww",
    keeps: &["prefix_rt"],
    actions: 5,
};

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
    let about = "the notebook: a student's two nodes, each variant with one of its bugs";
    Family::new("notebook", about, &pair, variants)
        .sources("the notebook itself")
        .mutant("as-written", FORGETS, &pair, eventual, Kind::Diverged)
        .mutant("wrong-key", MISFILES, &pair, eventual, Kind::Lost)
        .mutant("call-error", DENIES, &pair, eventual, Kind::Illegal)
        .mutant("storing", OVERWRITES, &pair, eventual, Kind::Diverged)
        .mutant("echo", ECHOES, &pair, eventual, Flaw::NeverQuiet)
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
