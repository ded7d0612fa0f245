//! Threads reach what the world reaches, and nothing else.

use std::collections::BTreeSet;

use quiescence::replication::Subject;
use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use quiescence::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use quiescence::search::enumerate::outcomes;

use super::explore::{cluster, explore, line, scripts};

const LWW: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
const WALL: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Wall, anti_entropy: false };
const PRIMARY_BACKUP: PrimaryBackup = PrimaryBackup { reads: Reads::Local };

/// The outcomes on threads are among the world's, all of those named are
/// reached, and if the exploration is complete there is no other.
#[track_caller]
pub fn reaches(
    strategy: &dyn Subject,
    nodes: u16,
    text: &str,
    preemptions: Option<usize>,
    named: &[&str],
) {
    let workload = scripts(text);
    let world =
        outcomes(strategy, &cluster(nodes, &workload), &workload).expect("no handler panics");
    let explored = explore(strategy, nodes, &workload, preemptions);
    let threads = explored.outcomes(strategy);
    assert!(threads.is_subset(&world), "on threads only: {:?}", threads.difference(&world));
    if explored.complete {
        assert_eq!(threads, world);
    }
    let lines: BTreeSet<_> = threads.iter().map(line).collect();
    let named: BTreeSet<_> = named.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(lines, named);
}

#[test]
fn a_write_to_lww_is_seen_elsewhere_sooner_or_later() {
    reaches(&LWW, 2, "n1: wx1 rx@n2", None, &["A ok ok; 1 1", "A ok 1; 1 1"]);
}

#[test]
fn a_write_to_the_primary_is_answered_when_the_backup_has_it() {
    reaches(&PRIMARY_BACKUP, 2, "n1: wx1 rx@n2", Some(3), &["A ok 1; 1 1"]);
}

#[test]
fn two_clients_of_one_node_come_in_either_order() {
    reaches(
        &LWW,
        1,
        "n1: wx1 rx | n1: wx2",
        None,
        &["A ok 1, B ok; 1", "A ok 1, B ok; 2", "A ok 2, B ok; 2"],
    );
}

#[test]
fn two_writers_of_lww_agree_in_the_end() {
    let either = ["A ok, B ok; 1 1", "A ok, B ok; 2 2"];
    reaches(&LWW, 2, "n1: wx1 | n2: wx2", Some(2), &either);
}

#[test]
fn two_writers_of_lww_by_the_clock_agree_in_the_end() {
    let either = ["A ok, B ok; 1 1", "A ok, B ok; 2 2"];
    reaches(&WALL, 2, "n1: wx1 | n2: wx2", Some(2), &either);
}

#[test]
fn a_writer_of_lww_reads_its_own_write_or_a_newer_one() {
    let all: [&str; 3] = ["A ok 1, B ok; 1 1", "A ok 1, B ok; 2 2", "A ok 2, B ok; 2 2"];
    reaches(&LWW, 2, "n1: wx1 rx | n2: wx2", Some(3), &all);
}

#[test]
fn a_reader_of_the_backup_sees_the_write_or_not_yet() {
    let either = ["A ok, B ok; 1 1", "A ok, B 1; 1 1"];
    reaches(&PRIMARY_BACKUP, 2, "n1: wx1 | n2: rx", Some(3), &either);
}

#[test]
fn two_writers_of_the_primary_backup_read_their_own_write_or_a_newer_one() {
    let all = [
        "A ok 1, B ok 1; 1 1",
        "A ok 1, B ok 2; 1 1",
        "A ok 1, B ok 2; 2 2",
        "A ok 2, B ok 2; 2 2",
    ];
    reaches(&PRIMARY_BACKUP, 2, "n1: wx1 rx | n2: wx2 rx", Some(2), &all);
}
