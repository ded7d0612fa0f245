//! What strategies promise, as data: one row per strategy, setting and model.
//!
//! A row that expects *holds* fails if a violation is found; a row that expects a
//! violation fails if none is found. The latter guards against a search that sees
//! nothing.

use crate::judgement::{Kind, Model};
use crate::world::{FaultKind, FaultPlan, Faults, Network, Routing, Setting};

use super::property::{Flaw, Property};

/// One row of the promise table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The strategy, as on the command line.
    pub strategy: &'static str,
    /// Where.
    pub setting: Setting,
    /// What is judged.
    pub property: Property,
    /// What must be found.
    pub expected: Expected,
}

/// What a promise says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No run violates the model.
    Holds,
    /// Some run does, in this way.
    Violated(Flaw),
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expected::Holds => f.write_str("holds"),
            Expected::Violated(flaw) => write!(f, "violated ({flaw})"),
        }
    }
}

/// A setting without faults and with sticky sessions, to be changed with
/// struct update syntax.
pub fn calm(nodes: u16, network: Network) -> Setting {
    Setting { nodes, network, faults: FaultPlan::default(), routing: Routing::Sticky }
}

fn faulty(setting: Setting, budget: Faults) -> Setting {
    Setting { faults: FaultPlan { budget, ..FaultPlan::default() }, ..setting }
}

const UNEXPLAINED: Expected = Expected::Violated(Flaw::History(Kind::Unexplained));
const DIVERGED: Expected = Expected::Violated(Flaw::History(Kind::Diverged));

/// The promises of the strategies of this crate.
pub fn standard() -> Vec<Promise> {
    let mut rows = Vec::new();
    let mut promise = |strategy, setting: &Setting, promised: &[(Property, Expected)]| {
        rows.extend(promised.iter().cloned().map(|(property, expected)| Promise {
            strategy,
            setting: setting.clone(),
            property,
            expected,
        }));
    };
    let eventual = || Property::Model(Model::EVENTUAL);
    let ryw = || Property::Model(Model::READ_YOUR_WRITES);
    let mr = || Property::Model(Model::MONOTONIC_READS);
    let linearizable = || Property::Model(Model::Linearizable);
    let (durable, strong) = (Property::Durable, Property::StrongConvergence);
    let holds = Expected::Holds;

    let pair = calm(2, Network::Unordered);
    let illegal = Expected::Violated(Flaw::History(Kind::Illegal));
    let lost = Expected::Violated(Flaw::History(Kind::Lost));
    promise("notebook:as-written", &pair, &[(eventual(), DIVERGED)]);
    promise("notebook:wrong-key", &pair, &[(eventual(), lost)]);
    promise("notebook:call-error", &pair, &[(eventual(), illegal)]);
    promise("notebook:storing", &pair, &[(eventual(), DIVERGED)]);
    promise("notebook:echo", &pair, &[(eventual(), Expected::Violated(Flaw::NeverQuiet))]);

    let kept = (durable.clone(), holds);
    let all =
        [(eventual(), holds), (ryw(), holds), (mr(), holds), (linearizable(), holds), kept.clone()];
    let fifo = calm(3, Network::Fifo);
    let roaming = |setting: &Setting| Setting { routing: Routing::Roaming, ..setting.clone() };
    let one_crash = faulty(fifo.clone(), Faults::NONE.with(FaultKind::Crash, 1));
    promise("primary-backup", &one_crash, &all);
    promise(
        "primary-backup:reads=local",
        &fifo,
        &[(eventual(), holds), (mr(), holds), (linearizable(), UNEXPLAINED)],
    );
    promise("primary-backup:reads=local", &roaming(&fifo), &[(mr(), UNEXPLAINED)]);

    let unordered = calm(3, Network::Unordered);
    let mess = Faults::NONE
        .with(FaultKind::Drop, 1)
        .with(FaultKind::Duplicate, 1)
        .with(FaultKind::Crash, 1);
    promise("abd", &roaming(&faulty(unordered.clone(), mess)), &all);
    promise(
        "abd:write-back=never",
        &roaming(&unordered),
        &[(eventual(), holds), (linearizable(), UNEXPLAINED)],
    );

    promise(
        "async-primary",
        &fifo,
        &[(eventual(), holds), (mr(), holds), (ryw(), UNEXPLAINED), (linearizable(), UNEXPLAINED)],
    );
    promise("async-primary", &roaming(&fifo), &[(mr(), UNEXPLAINED)]);

    let lww = "multi-primary-lww";
    let one_drop = faulty(unordered.clone(), Faults::NONE.with(FaultKind::Drop, 1));
    let skewed = faulty(unordered.clone(), Faults::NONE.with(FaultKind::Skew, 1));
    promise(
        lww,
        &unordered,
        &[(eventual(), holds), (ryw(), holds), (mr(), holds), (linearizable(), UNEXPLAINED)],
    );
    promise("multi-primary-lww:clock=wall", &unordered, &[(eventual(), holds), (ryw(), holds)]);
    // With clocks that disagree a session may not read its own write back. But the
    // order of the stamps explains every answer, so `ryw` holds for clients. The
    // violation shows only together with writes-follow-reads, or in the strategy's
    // own record.
    let own_record = Property::WhiteBox(Model::READ_YOUR_WRITES);
    let with_wfr = Property::Model("ryw+wfr.g".parse().expect("a model of the grid"));
    promise(lww, &unordered, &[(own_record.clone(), holds), kept, (strong, holds)]);
    promise("multi-primary-lww:clock=wall", &unordered, &[(own_record.clone(), holds)]);
    promise(
        "multi-primary-lww:clock=wall",
        &skewed,
        &[
            (own_record, Expected::Violated(Flaw::Recorded)),
            (with_wfr, UNEXPLAINED),
            (ryw(), holds),
        ],
    );
    let lost = (durable, Expected::Violated(Flaw::LostWrite));
    promise(lww, &one_drop, &[(eventual(), DIVERGED), lost]);
    promise("multi-primary-lww:anti-entropy=on", &one_drop, &[(eventual(), holds)]);
    rows
}
