//! Asynchronous log shipping from one primary.

use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::async_primary::AsyncPrimary;
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

pub(super) fn family() -> Family {
    let fifo = Setting::calm(3, Network::Fifo);
    let cut = fifo.clone().with_faults(Faults::NONE.with(FaultKind::Cut, 1));
    let about = "asynchronous: a write is answered by the primary, then streamed";
    Family::new("async-primary", about, &fifo, Variants::of(AsyncPrimary))
        .sources("the log shipping of MongoDB, Redis and PostgreSQL; Terry et al. 1994")
        .states(1_200_000)
        .stands(
            "",
            &fifo,
            &[
                ("read-your-writes", UNEXPLAINED),
                ("causal", UNEXPLAINED),
                ("linearizable", UNEXPLAINED),
            ],
        )
        .breaks("", &cut, Property::Available, Flaw::Stuck)
        .breaks("", &fifo.roaming(), Model::MONOTONIC_READS, Kind::Unexplained)
}
