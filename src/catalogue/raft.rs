//! A replicated log with elections.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::raft::{
    Conflicts, HandOver, Object, Raft, Reads, Restart, Returns, Voters, Votes,
};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const PLAIN: Raft = Raft {
    object: Object::Register,
    reads: Reads::Log,
    votes: Votes::Durable,
    voters: Voters::Compare,
    conflicts: Conflicts::Resolved,
    restart: Restart::Replays,
    returns: Returns::Next,
    hand_over: HandOver::Never,
};

const STALE: Bug = Bug {
    title: "a leader that was deposed and does not know it answers a read from what it has",
    story: "A majority has elected another leader and the new one has answered a write. The old \
            one is only out of touch, takes itself for the leader, and reads what it had. etcd \
            answered reads so until 2014, and Consul documented it.",
    source: "etcd issue 741; consul issue 54; Ongaro & Ousterhout 2014, section 8",
    repaired: "raft:reads=read-index",
    keeps: &["monotonic-reads", "eventual", "durable"],
    actions: 11,
};

const TRUSTS: Bug = Bug {
    title: "a node votes for a candidate that lacks what is committed, and it is lost",
    story: "Whoever asks first gets the vote. A candidate that was out of touch is elected by \
            another that was, and leads without entries that had been answered.",
    source: "Ongaro & Ousterhout 2014, section 5.4.1",
    repaired: "raft",
    keeps: &["base"],
    actions: 10,
};

const UNSEEN: Bug = Bug {
    title: "a follower adds entries without looking whether its log agrees before them",
    story: "A follower that lacks earlier entries takes new ones for the next of its own. It \
            confirms a length that it does not have, and places differ from node to node.",
    source: "Ongaro & Ousterhout 2014, section 5.3",
    repaired: "raft",
    keeps: &["base"],
    actions: 9,
};

const SKIPS: Bug = Bug {
    title: "a node that comes back skips what it had applied, though that is gone",
    story: "How far the log was applied is on disk, and what that led to is not. After the crash \
            the node goes on from there and serves a state without those entries. In etcd 3.5.0 \
            the index was saved before the change; rqlite adopted the index of a snapshot that it \
            had not restored.",
    source: "etcd issue 13766; rqlite issue 2747",
    repaired: "raft:returns=itself",
    keeps: &["base"],
    actions: 10,
};

const TWICE: Bug = Bug {
    title: "a node that comes back applies again what it still has",
    story: "What entries led to is on disk, and how far they were applied is not. After the crash \
            the log is applied to a state that has it, and an add counts twice. In rqlite a failed \
            restore could duplicate committed rows.",
    source: "rqlite issue 2759",
    repaired: "raft:object=counter,returns=itself",
    keeps: &["durable"],
    actions: 10,
};

const REFUSES: Bug = Bug {
    title: "a leader that is to hand over refuses for ever, if nobody takes over",
    story: "A leader is told to hand over, refuses requests meanwhile, and tells another node to \
            campaign. That node is just then restarted and never campaigns. Nothing ends the \
            hand-over. In openraft this lasted for hours; in hashicorp/raft a hand-over that was \
            interrupted left the node refusing when it led again.",
    source: "openraft issue 1747; similar: hashicorp/raft issue 696",
    repaired: "raft:hand-over=aborts",
    keeps: &["linearizable"],
    actions: 3,
};

const RESUMED: Bug = Bug {
    title: "a leader that gives up a hand-over counts on its lease again",
    story: "A leader tells another node to campaign, hears nothing, and goes on as before: as \
            long as followers hear from it they elect nobody, so it reads what it has. But the \
            message was only late. The other node campaigns, is voted for at once because it \
            was told to, and answers a write. raft-rs and openraft have had this reported.",
    source: "raft-rs issue 234; openraft pull 1748; Ongaro 2014, sections 3.10 and 6.4.1",
    repaired: "raft:hand-over=aborts,reads=lease",
    keeps: &["monotonic-reads", "eventual", "durable", "answered"],
    actions: 15,
};

/// Three nodes, and as many of these faults.
fn with(faults: &[(FaultKind, u16)]) -> Setting {
    let faults = faults.iter().fold(Faults::NONE, |all, (kind, count)| all.with(*kind, *count));
    Setting::calm(3, Network::Fifo).with_faults(faults)
}

pub(super) fn family() -> Family {
    let elects = with(&[(FaultKind::Operator, 1)]).roaming();
    let crashes = with(&[(FaultKind::Crash, 1)]).roaming();
    let interrupted = with(&[(FaultKind::Operator, 1), (FaultKind::Crash, 1)]);
    let again = with(&[(FaultKind::Operator, 2), (FaultKind::Crash, 1)]);
    let always = |name: &str| Property::Always(name.to_owned());
    let all = ["one-leader", "logs-match", "leader-complete", "on-a-majority"];
    let (linearizable, eventual) = (Model::Linearizable, Model::EVENTUAL);
    let resumed = "hand-over=aborts,reads=resumed";
    let skips = "restart=skips,returns=itself";
    let twice = "object=counter,restart=repeats,returns=itself";
    let about = "synchronous: a log that a majority agrees on, and a leader that it elects";
    Family::new("raft", about, &with(&[]), variants())
        .states(360_000)
        .sources("Ongaro & Ousterhout 2014; Ongaro 2014, chapter 6")
        .keeps("", &crashes, [linearizable])
        .keeps("", &crashes, [Property::Durable])
        .keeps("", &crashes, all.map(always))
        .stands("", &elects, &[])
        .keeps("", &interrupted, [linearizable])
        .keeps("reads=read-index", &elects, [linearizable])
        .keeps("hand-over=aborts,reads=lease", &elects, [linearizable])
        .mutant("reads=local", STALE, &elects, linearizable, Kind::Unexplained)
        .mutant("voters=trust", TRUSTS, &elects, linearizable, Kind::Unexplained)
        // Too deep for the exam: two commands and a crash in one order.
        .breaks("votes=volatile", &again, always("one-leader"), Flaw::Broken)
        .mutant("conflicts=unseen", UNSEEN, &elects, always("on-a-majority"), Flaw::Broken)
        .mutant("hand-over=sticky", REFUSES, &interrupted, Property::Answered, Flaw::Refused)
        .mutant(skips, SKIPS, &crashes, linearizable, Kind::Unexplained)
        .mutant(twice, TWICE, &crashes, eventual, Kind::Illegal)
        .mutant(resumed, RESUMED, &elects, linearizable, Kind::Unexplained)
        .hint(
            "reads=local",
            Kind::Unexplained,
            "let a majority confirm that the leader leads",
            "quiescence check raft:reads=read-index",
        )
}

fn variants() -> Variants<Raft> {
    Variants::of(PLAIN)
        .parameter(
            "object",
            "what the log changes",
            [
                ("register", |it| it.object = Object::Register),
                ("counter", |it| it.object = Object::Counter),
            ],
        )
        .parameter(
            "reads",
            "how reads are answered",
            [
                ("log", |it| it.reads = Reads::Log),
                ("read-index", |it| it.reads = Reads::ReadIndex),
                ("lease", |it| it.reads = Reads::Lease),
                ("resumed", |it| it.reads = Reads::Resumed),
                ("local", |it| it.reads = Reads::Local),
            ],
        )
        .parameter(
            "votes",
            "whether a vote survives a crash",
            [
                ("durable", |it| it.votes = Votes::Durable),
                ("volatile", |it| it.votes = Votes::Volatile),
            ],
        )
        .parameter(
            "voters",
            "whether a node compares its log with a candidate's",
            [
                ("compare", |it| it.voters = Voters::Compare),
                ("trust", |it| it.voters = Voters::Trust),
            ],
        )
        .parameter(
            "conflicts",
            "what a follower does where its log differs from the leader's",
            [
                ("resolved", |it| it.conflicts = Conflicts::Resolved),
                ("unseen", |it| it.conflicts = Conflicts::Unseen),
            ],
        )
        .parameter(
            "restart",
            "what a node that comes back does about what it had applied",
            [
                ("replays", |it| it.restart = Restart::Replays),
                ("skips", |it| it.restart = Restart::Skips),
                ("repeats", |it| it.restart = Restart::Repeats),
            ],
        )
        .parameter(
            "hand-over",
            "whether leaders hand over, and whether they give it up after a while",
            [
                ("never", |it| it.hand_over = HandOver::Never),
                ("aborts", |it| it.hand_over = HandOver::Aborts),
                ("sticky", |it| it.hand_over = HandOver::Sticky),
            ],
        )
        .parameter(
            "returns",
            "who campaigns when a node comes back that had voted for itself",
            [
                ("next", |it| it.returns = Returns::Next),
                ("itself", |it| it.returns = Returns::Itself),
            ],
        )
}
