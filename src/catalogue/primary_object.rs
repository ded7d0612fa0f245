//! Counters, sets, and registers with compare-and-set on a primary.

use crate::hunt::mutant::Bug;
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::primary_object::{Object, PrimaryObject, Retries};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const TWICE: Bug = Bug {
    title: "an update that is asked again is applied again: an add counts twice, and a \
               compare-and-set finds its own effect",
    story: "The answer is late, the client asks again, and the primary takes the second \
               request for a new one. One add counts twice. Aerospike resent writes whose \
               clients had been told of a failure.",
    source: "Birrell & Nelson 1984; jepsen.io/analyses/aerospike-3-99-0-3",
    repaired: "primary-object",
    keeps: &[],
    actions: 6,
};

const FOUND: Bug = Bug {
    title: "an add-if-absent that is asked again finds its own element, and answers that it \
               was there",
    story: "An add-if-absent is applied, its answer is late, and the client asks again. The \
               second attempt finds the element of the first one and answers that somebody \
               else was faster: the lock that the client holds looks taken.",
    source: "Birrell & Nelson 1984",
    repaired: "primary-object:object=set",
    keeps: &[],
    actions: 10,
};

pub(super) fn family() -> Family {
    let fifo = Setting::calm(2, Network::Fifo);
    let retried = fifo.clone().with_faults(Faults::NONE.with(FaultKind::Retry, 1));
    let plain = PrimaryObject { object: Object::Counter, retries: Retries::Recognised };
    let variants = Variants::of(plain)
        .parameter(
            "object",
            "what is replicated",
            [
                ("counter", |it| it.object = Object::Counter),
                ("answering-counter", |it| it.object = Object::AnsweringCounter),
                ("set", |it| it.object = Object::Set),
                ("cas-register", |it| it.object = Object::CasRegister),
            ],
        )
        .parameter(
            "retries",
            "what is done with an update that was asked before",
            [
                ("recognised", |it| it.retries = Retries::Recognised),
                ("applied", |it| it.retries = Retries::Applied),
            ],
        );
    let about = "synchronous: a counter, a set, or a register with compare-and-set, on a primary";
    let (cas, applied) = ("object=cas-register", "retries=applied");
    Family::new("primary-object", about, &retried, variants)
        .states(96_000)
        .sources("Alsberg & Day 1976; Birrell & Nelson 1984")
        .keeps("", &retried, [Model::Linearizable, Model::EVENTUAL])
        .keeps(cas, &retried, [Model::Linearizable])
        .keeps("object=answering-counter", &retried, [Model::Linearizable, Model::EVENTUAL])
        .keeps("object=set", &retried, [Model::Linearizable])
        .states(60_000)
        .keeps(applied, &fifo, [Model::Linearizable])
        .mutant(applied, TWICE, &retried, Model::EVENTUAL, Kind::Illegal)
        .mutant(
            "object=set,retries=applied",
            FOUND,
            &retried,
            Model::Linearizable,
            Kind::Unexplained,
        )
}
