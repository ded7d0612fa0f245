//! The notebook as a ladder: on each rung one mistake is repaired and one promise gained.
//!
//! Invariant: what a rung gains is violated by the rung below, in the same setting. Both
//! are promises, which are searched for like any other.

use crate::hunt::promise::{Expected, Promise};
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::world::{FaultKind, Faults, Network, Setting};

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The strategy, as on the command line.
    pub strategy: &'static str,
    /// What it does better than the rung below.
    pub learns: &'static str,
    /// Where that shows.
    pub setting: Setting,
    /// What it gains.
    pub gains: Property,
    /// The strategy of the rung below, and how it fails here.
    pub below: (&'static str, Flaw),
}

impl Rung {
    /// That the rung below violates what this one gains, and that this one does not.
    pub fn promises(&self) -> [Promise; 2] {
        let promise = |strategy: &str, expected| Promise {
            strategy: strategy.to_owned(),
            setting: self.setting.clone(),
            property: self.gains.clone(),
            expected,
            states: Some(200_000),
        };
        let (below, flaw) = self.below;
        [promise(below, Expected::Violated(flaw)), promise(self.strategy, Expected::Holds)]
    }
}

/// All rungs, from the lowest.
pub fn ladder() -> Vec<Rung> {
    let pair = Setting::calm(2, Network::Unordered);
    let three = Setting::calm(3, Network::Unordered);
    let with = |kind| three.clone().with_faults(Faults::NONE.with(kind, 1));
    let model = |name: &str| Property::Model(name.parse().expect("a model of the list"));
    let (unexplained, diverged) = (Flaw::from(Kind::Unexplained), Flaw::from(Kind::Diverged));
    let rungs = [
        (
            "notebook:echo",
            "a node stores what it is sent",
            pair.clone(),
            Property::Durable,
            ("notebook:as-written", Flaw::LostWrite),
        ),
        (
            "notebook:storing",
            "and sends on only what clients wrote",
            pair.clone(),
            model("ev_vis"),
            ("notebook:echo", Flaw::NeverQuiet),
        ),
        (
            "multi-primary-lww:clock=wall",
            "writes have an order: the later reading of a clock wins",
            pair,
            model("eventual"),
            ("notebook:storing", diverged),
        ),
        (
            "multi-primary-lww",
            "nodes count instead of reading clocks, which may disagree",
            with(FaultKind::Skew),
            model("ryw+wfr.g"),
            ("multi-primary-lww:clock=wall", unexplained),
        ),
        (
            "multi-primary-lww:anti-entropy=on",
            "a timer sends again what may be lost",
            with(FaultKind::Drop),
            model("eventual"),
            ("multi-primary-lww", diverged),
        ),
        (
            "cops",
            "clients that move carry what they have seen",
            three.clone().roaming(),
            Model::READ_YOUR_WRITES.into(),
            ("multi-primary-lww:anti-entropy=on", unexplained),
        ),
        (
            "abd",
            "a majority is asked before an answer is given",
            three.roaming(),
            Model::Linearizable.into(),
            ("cops", unexplained),
        ),
    ];
    let rung = |(strategy, learns, setting, gains, below)| Rung {
        strategy,
        learns,
        setting,
        gains,
        below,
    };
    rungs.map(rung).to_vec()
}
