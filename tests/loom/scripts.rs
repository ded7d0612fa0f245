//! Generated scripts around a model of threads, with shrinking: the smallest
//! scripts on which the notebook diverges are one write by each client.

use std::panic::{self, AssertUnwindSafe};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use quiescence::history::{Call, NodeId};
use quiescence::hunt::property::{Property, judge};
use quiescence::judgement::datatype::Register;
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::threads::mailbox;
use quiescence::world::{Planned, Script, Workload};

use super::explore::{builder, cluster};

const STORING: Notebook = Notebook { variant: Variant::Storing };

/// The values that a client writes to x, in order.
type Writes = Vec<i64>;

fn workload(clients: &[Writes; 2]) -> Workload {
    let planned = |value: &i64| Planned { call: Call::write("x", *value), node: None };
    let script = |(node, writes): (u16, &Writes)| Script {
        node: NodeId(node),
        operations: writes.iter().map(planned).collect(),
    };
    Workload { sessions: (0..).zip(clients).map(script).collect() }
}

/// Whether some interleaving diverges. The model panics where it does.
fn diverges(clients: &[Writes; 2]) -> bool {
    let workload = workload(clients);
    let property: Property = "eventual".parse().expect("the name of a model");
    let model = move || {
        let recorded = mailbox::run(&STORING, &cluster(2, &workload), &workload);
        let run = recorded.replay(&STORING).expect("the world follows");
        assert!(judge(&run, &property, &Register).flaw().is_none(), "it diverges");
    };
    panic::catch_unwind(AssertUnwindSafe(|| builder(Some(2)).check(model))).is_err()
}

#[test]
fn scripts_that_diverge_shrink_to_one_write_by_each_client() {
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let first = vec(1..=3_i64, 1..=2);
    let second = vec(2..=4_i64, 1..=2);
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome =
        runner.run(&[first.boxed(), second.boxed()], |clients| match diverges(&clients) {
            true => Err(TestCaseError::fail("diverges")),
            false => Ok(()),
        });
    panic::set_hook(quiet);
    let Err(TestError::Fail(_, smallest)) = outcome else {
        panic!("nothing diverged: {outcome:?}")
    };
    println!("smallest scripts that diverge: {smallest:?}");
    assert_eq!(smallest, [vec![1], vec![2]]);
}
