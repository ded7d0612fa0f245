//! Whether operations are answered although links stay cut.
//!
//! Runs are judged twice: every run of the scope settles with the links that are cut
//! at its end; and so does every run of worlds in which no link heals and what cut
//! links hold back is lost. That these find the same is what the search relies on.

use quiescence::hunt::property::{Judgement, Property, judge};
use quiescence::replication::erased::AnyStrategy;
use quiescence::search::exhaustive::Open;
use quiescence::world::{
    Ending, FaultKind, Run, Setting, Shows, Visit, Workload, World, re_execute,
};

use super::{Dumb, Label, Node, Object, asked, components, is_just, is_open, spread};

const AVAILABLE: Property = Property::Available;

/// Whether it matters that links stay cut.
pub fn matters(setting: &Setting, properties: &[Property]) -> bool {
    let budget = setting.faults.budget;
    let cuts = budget[FaultKind::Cut] + budget[FaultKind::Partition];
    properties.contains(&AVAILABLE) && cuts > 0
}

impl Dumb {
    /// Judges worlds in which no link heals; `None` if there are too many.
    pub(super) fn sever(
        &mut self,
        (strategy, setting): (&AnyStrategy, &Setting),
        (scope, object): (Open, &Object),
        workload: &Workload,
        limit: usize,
    ) -> Option<()> {
        let mut apart = Dumb::default();
        let place = (strategy, setting, true);
        let (nodes, _) = spread(place, scope, workload, &[AVAILABLE], limit, &mut apart)?;
        for node in &nodes {
            let shows = Shows::Severed;
            let run = re_execute(strategy, setting, &asked(node), &node.path, shows);
            self.judge_severed(&run, object, scope.patient);
        }
        for (part, happens) in components(&nodes, |_| true) {
            if is_just(&nodes, &part, &happens, false) {
                self.judge_open((strategy, setting), &nodes, &part, false);
            }
        }
        let of_itself = |label: &Label<_>| matches!(label, Label::Deliver(..) | Label::Flush(_));
        for (part, happens) in components(&nodes, of_itself) {
            if is_just(&nodes, &part, &happens, true) {
                self.judge_open((strategy, setting), &nodes, &part, true);
            }
        }
        if apart.violated.contains_key(&Property::NoPanic) {
            self.unknown.insert(AVAILABLE);
        }
        Some(())
    }

    /// Looks for open operations where a run can stay for ever.
    fn judge_open(
        &mut self,
        (strategy, setting): (&AnyStrategy, &Setting),
        nodes: &[Node<'_>],
        part: &[usize],
        deliveries: bool,
    ) {
        for at in part {
            let asked = asked(&nodes[*at]);
            let mut world = World::new(strategy, setting, &asked).expect("it did not panic before");
            world.sever();
            for step in &nodes[*at].path {
                world.perform(&step.action, step.number).expect("it was possible before");
            }
            if Visit::of(&world).is_err() {
                if deliveries {
                    self.unknown.insert(AVAILABLE);
                }
            } else if is_open(&world) && !deliveries {
                self.note(AVAILABLE, None);
            }
        }
    }

    /// Judges a run that settles with its links as they are.
    pub(super) fn judge_severed(&mut self, run: &Run, object: &Object, patient: bool) {
        let property = AVAILABLE;
        let length = run.schedule.len();
        match judge(run, &property, object.datatype) {
            Judgement::Holds => {}
            Judgement::Violated(..) => {
                let shortest = self.violated.get(&property).copied().flatten();
                if shortest.is_none_or(|shortest| length < shortest) {
                    self.stories.insert(property.clone(), format!("{run:?}"));
                }
                self.note(property, (run.ending == Ending::Settled).then_some(length));
            }
            // As for `answered`: see `judge_state`.
            Judgement::Unknown(_)
                if matches!(run.ending, Ending::Unsettled(_) | Ending::NeverQuiet { .. })
                    && !patient => {}
            Judgement::Unknown(_) => {
                self.unknown.insert(property);
            }
        }
    }
}
