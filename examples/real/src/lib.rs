//! Published replication libraries under test, as they are: one core a file, and a
//! registry of all of them.
//!
//! Most hold one register for each key: `write x=1` sets an entry of the library's
//! map, and `read x` answers the entry. Others hold a set or a counter for each
//! key. docs/real.md of the crate says what was found.

pub mod automerge;
pub mod consensus;
pub mod crdts;
pub mod loro;
pub mod yrs;

use quiescence::catalogue::{Family, Registry, Variants};
use quiescence::history::{Call, Value};
use quiescence::hunt::property::{Flaw, Property};
use quiescence::judgement::{Kind, Model};
use quiescence::replication::foreign::{Core, Foreign};
use quiescence::world::{FaultKind, Faults, Network, Setting};

use self::automerge::Document;
use self::consensus::omnipaxos::Omni;
use self::consensus::raft::{Raft, reads};
use self::crdts::by;
use self::crdts::map::Crdts;
use self::crdts::objects::Objects;
use self::loro::Loro;
use self::yrs::{v0_18, v0_27, v0_28};

/// Every library, with what it was found to keep and to break.
pub fn registry() -> Registry {
    let all = of_yrs(Registry::empty());
    let all = of_counters(of_sets(of_crdts(of_loro(of_automerge(all)))));
    of_raft(of_omnipaxos(all))
}

fn of_yrs(all: Registry) -> Registry {
    let unordered = |nodes| Setting::calm(nodes, Network::Unordered);
    let (fifo, one_lost) = (Setting::calm(3, Network::Fifo), Faults::NONE.with(FaultKind::Drop, 1));
    let updates = "each write sends its update";
    let asks = "and a timer asks for what is missing, by state vectors";
    all.with(
        family::<v0_28::Yrs<false>>("yrs", "yrs 0.28.1", updates, &unordered(3))
            .keeps("", &fifo, SAFE_AND_EVENTUAL)
            .keeps("", &unordered(2), SAFE_AND_EVENTUAL)
            .keeps("", &unordered(3), [Property::NoPanic])
            .breaks("", &unordered(3), Model::EVENTUAL, Kind::Diverged),
    )
    .with(
        family::<v0_28::Yrs<true>>("yrs-asks", "yrs 0.28.1", asks, &unordered(3))
            .keeps("", &unordered(2).with_faults(one_lost), SAFE_AND_EVENTUAL)
            .keeps("", &unordered(3), SAFE_AND_EVENTUAL),
    )
    .with(
        family::<v0_27::Yrs<false>>("yrs-0.27", "yrs 0.27.0", updates, &unordered(2))
            .breaks("", &fifo, Model::EVENTUAL, Kind::Diverged)
            .breaks("", &unordered(2), Model::EVENTUAL, Kind::Diverged)
            .breaks("", &unordered(2), Property::NoPanic, Flaw::Panicked),
    )
    .with(
        family::<v0_18::Yrs<false>>("yrs-0.18", "yrs 0.18.2", updates, &unordered(2))
            .breaks("", &fifo, Model::EVENTUAL, Kind::Diverged)
            .breaks("", &unordered(2), Model::EVENTUAL, Kind::Diverged),
    )
}

fn of_automerge(all: Registry) -> Registry {
    let fifo = |faults| Setting::calm(2, Network::Fifo).with_faults(faults);
    let one_lost = Faults::NONE.with(FaultKind::Drop, 1);
    let plain = "its sync protocol, on connections that last";
    let reconnects = "its sync protocol, and a timer that connects again";
    all.with(
        family::<Document<false>>("automerge", "automerge 0.12.0", plain, &fifo(Faults::NONE))
            .keeps("", &fifo(Faults::NONE), SAFE_AND_EVENTUAL)
            .breaks("", &fifo(one_lost), Model::EVENTUAL, Kind::Diverged),
    )
    .with(
        family::<Document<true>>(
            "automerge-reconnects",
            "automerge 0.12.0",
            reconnects,
            &fifo(one_lost),
        )
        .keeps("", &fifo(Faults::NONE), SAFE_AND_EVENTUAL)
        .breaks("", &fifo(one_lost), Model::EVENTUAL, Flaw::NeverQuiet),
    )
}

fn of_crdts(all: Registry) -> Registry {
    let setting = Setting::calm;
    let (fifo, unordered) = (setting(3, Network::Fifo), setting(3, Network::Unordered));
    let (two_fifo, two) = (setting(2, Network::Fifo), setting(2, Network::Unordered));
    let twice = unordered.clone().with_faults(Faults::NONE.with(FaultKind::Duplicate, 1));
    let name = "crdts 7.3.2, Map of MVReg";
    all.with(
        family::<Crdts<{ by::OPERATIONS }>>("crdts-operations", name, "by operations", &fifo)
            .keeps("", &fifo, SAFE_AND_EVENTUAL)
            .breaks("", &two, Model::EVENTUAL, Kind::Diverged),
    )
    .with(family::<Crdts<{ by::STATES }>>("crdts-states", name, "by states", &unordered).keeps(
        "",
        &twice,
        SAFE_AND_EVENTUAL,
    ))
    .with(
        family::<Crdts<{ by::BOTH }>>("crdts-both", name, "by operations, later by states", &two)
            .keeps("", &two_fifo, SAFE_AND_EVENTUAL)
            .breaks("", &two, Model::EVENTUAL, Kind::Lost),
    )
}

fn of_sets(all: Registry) -> Registry {
    type Set<const BY: u8> = Objects<::crdts::Orswot<i64, u16>, BY>;
    let setting = Setting::calm;
    let (fifo, unordered) = (setting(3, Network::Fifo), setting(3, Network::Unordered));
    let (two_fifo, two) = (setting(2, Network::Fifo), setting(2, Network::Unordered));
    let twice = unordered.clone().with_faults(Faults::NONE.with(FaultKind::Duplicate, 1));
    let name = "crdts 7.3.2, Orswot";
    all.with(
        family::<Set<{ by::OPERATIONS }>>("crdts-set-operations", name, "by operations", &fifo)
            .keeps("", &fifo, SAFE_AND_EVENTUAL)
            .breaks("", &two, Model::EVENTUAL, Kind::Diverged),
    )
    .with(family::<Set<{ by::STATES }>>("crdts-set-states", name, "by states", &unordered).keeps(
        "",
        &twice,
        SAFE_AND_EVENTUAL,
    ))
    .with(
        family::<Set<{ by::BOTH }>>("crdts-set-both", name, "by operations, later by states", &two)
            .keeps("", &two_fifo, SAFE_AND_EVENTUAL)
            .breaks("", &two, Model::EVENTUAL, Kind::Lost),
    )
}

fn of_counters(all: Registry) -> Registry {
    type Counter<const BY: u8> = Objects<::crdts::PNCounter<u16>, BY>;
    let unordered = Setting::calm(3, Network::Unordered);
    let with = |kind| unordered.clone().with_faults(Faults::NONE.with(kind, 1));
    let (twice, lost) = (with(FaultKind::Duplicate), with(FaultKind::Drop));
    let name = "crdts 7.3.2, PNCounter";
    all.with(
        family::<Counter<{ by::OPERATIONS }>>(
            "crdts-counter-operations",
            name,
            "by operations",
            &unordered,
        )
        .keeps("", &twice, SAFE_AND_EVENTUAL)
        .breaks("", &lost, Model::EVENTUAL, Kind::Diverged),
    )
    .with(
        family::<Counter<{ by::STATES }>>("crdts-counter-states", name, "by states", &unordered)
            .keeps("", &twice, SAFE_AND_EVENTUAL)
            .breaks("", &lost, Model::EVENTUAL, Kind::Diverged),
    )
}

fn of_loro(all: Registry) -> Registry {
    let unordered = |nodes| Setting::calm(nodes, Network::Unordered);
    let twice = unordered(2).with_faults(Faults::NONE.with(FaultKind::Duplicate, 1));
    let how = "each write sends the updates since the last";
    all.with(
        family::<Loro>("loro", "loro 1.17.1", how, &unordered(3))
            .keeps("", &twice, SAFE_AND_EVENTUAL)
            .keeps("", &unordered(3), SAFE_AND_EVENTUAL),
    )
}

fn of_omnipaxos(all: Registry) -> Registry {
    let fifo = |nodes| Setting::calm(nodes, Network::Fifo);
    let one_lost = fifo(3).with_faults(Faults::NONE.with(FaultKind::Drop, 1));
    let name = "omnipaxos 0.2.4";
    all.with(
        family::<Omni<false>>("omnipaxos", name, "reads go through the log", &fifo(3))
            .keeps("", &fifo(2), LINEARIZABLE)
            .keeps("", &one_lost, LINEARIZABLE),
    )
    .with(
        family::<Omni<true>>("omnipaxos-local-reads", name, "reads ask nobody", &fifo(3))
            .keeps("", &fifo(2), SAFE_AND_EVENTUAL)
            .breaks("", &fifo(3), Model::Linearizable, Kind::Unexplained),
    )
}

fn of_raft(all: Registry) -> Registry {
    let fifo = |nodes| Setting::calm(nodes, Network::Fifo);
    let lost_and_twice = Faults::NONE.with(FaultKind::Drop, 1).with(FaultKind::Duplicate, 1);
    let mess = Setting::calm(3, Network::Unordered).with_faults(lost_and_twice);
    let name = "raft 0.7.0";
    let (logged, indexed) = ("reads go through the log", "reads ask the leader for an index");
    all.with(
        family::<Raft<{ reads::LOGGED }>>("raft", name, logged, &fifo(3))
            .keeps("", &fifo(2), LINEARIZABLE)
            .keeps("", &fifo(3), LINEARIZABLE)
            .keeps("", &mess, LINEARIZABLE),
    )
    .with(
        family::<Raft<{ reads::INDEXED }>>("raft-read-index", name, indexed, &fifo(3))
            .keeps("", &fifo(2), LINEARIZABLE)
            .keeps("", &mess, LINEARIZABLE),
    )
    .with(
        family::<Raft<{ reads::LOCAL }>>("raft-local-reads", name, "reads ask nobody", &fifo(3))
            .keeps("", &fifo(2), SAFE_AND_EVENTUAL)
            .breaks("", &fifo(3), Model::Linearizable, Kind::Unexplained),
    )
}

/// What is asked of logs.
const LINEARIZABLE: [Property; 3] =
    [Property::NoPanic, Property::Model(Model::EVENTUAL), Property::Model(Model::Linearizable)];

/// What is asked of every library where it is used as documented.
const SAFE_AND_EVENTUAL: [Property; 2] = [Property::NoPanic, Property::Model(Model::EVENTUAL)];

/// A family whose only member is a core.
fn family<C: Core>(
    name: &'static str,
    library: &'static str,
    how: &'static str,
    setting: &Setting,
) -> Family {
    Family::new(name, how, setting, Variants::of(Foreign::<C>::new())).sources(library)
}

/// The number that an update is called with: workloads have whole numbers only.
fn number(call: &Call) -> i64 {
    let Value::Int(value) = call.argument else { panic!("{call} has no number") };
    value
}
