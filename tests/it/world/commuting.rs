//! Steps at different nodes commute.

use super::*;
use proptest::prelude::{ProptestConfig, prop_assert, proptest};
use quiescence::search::random::{Scope, scenario};

/// The node of an action, if the action spends no shared budget.
fn local(world: &World<'_>, action: &Action) -> Option<NodeId> {
    action.is_ordinary().then(|| world.place(action))
}

/// The law of locality: two actions at different nodes, of different
/// sessions, lead to the same state in either order.
fn commute(strategy: &dyn Subject, network: Network) {
    let mut scope = Scope::default();
    scope.setting.network = network;
    let config = ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    };
    let pairs_seen = std::cell::Cell::new(0);
    proptest!(config, |(scenario in scenario(&scope), prefix in 0usize..20)| {
        let run = quiescence::world::execute(strategy, &scenario, None);
        let mut world = World::new(strategy, &scenario.setting, &scenario.workload)
            .expect("no panic at the start");
        for step in run.schedule.iter().take(prefix) {
            world.perform(&step.action, step.number).expect("the run did it");
        }
        let mut enabled = Vec::new();
        world.enabled(&mut enabled);
        let next = world.steps() + 1;
        for a in &enabled {
            for b in &enabled {
                let (Some(at_a), Some(at_b)) = (local(&world, a), local(&world, b)) else {
                    continue;
                };
                if at_a >= at_b {
                    continue;
                }
                let go = |order: [&Action; 2]| {
                    let mut world = world.clone();
                    for (step, action) in (next..).zip(order) {
                        world.perform(action, step).expect("it stays enabled");
                    }
                    world.state()
                };
                prop_assert!(go([a, b]) == go([b, a]), "{a:?} and {b:?}");
                pairs_seen.set(pairs_seen.get() + 1);
            }
        }
    });
    assert!(pairs_seen.get() > 100, "only {} pairs were tried", pairs_seen.get());
}

#[test]
fn actions_at_different_nodes_commute() {
    commute(&LWW, Network::Unordered);
    commute(&ABD, Network::Unordered);
    commute(&AsyncPrimary, Network::Fifo);
}
