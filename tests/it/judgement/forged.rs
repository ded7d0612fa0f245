//! Evidence about replicated types that was made up is refused, each time for the one
//! thing that is wrong with it; next to it stands what is accepted.

use quiescence::history::{Completion, History, Value, notation};
use quiescence::judgement::datatype::{Counter, Datatype, Log, Opaque, ReplicatedSet, Sequence};
use quiescence::judgement::{
    Budget, Counterexample, Grid, Guarantees, Kind, Model, Reason, Scope, Verdict, Witness,
    check_with, recheck_with,
};

use super::texts::answered;

fn history(text: &str) -> History {
    notation::parse(text).expect("it is in the notation")
}

/// A model of these guarantees, with arbitrations of their own for sessions or reads.
fn grid(guarantees: Guarantees, scope: Scope, eventual: bool) -> Model {
    Model::Grid(Grid { guarantees, scope, eventual })
}

/// What is wrong with a visibility and its arbitrations; empty if nothing is.
fn witnessed(
    history: &History,
    datatype: &dyn Datatype,
    model: Model,
    (visible, arbitration): (&[&[usize]], &[&[usize]]),
) -> String {
    let rows = |rows: &[&[usize]]| rows.iter().map(|row| row.to_vec()).collect();
    let witness = Witness::Abstract { visible: rows(visible), arbitration: rows(arbitration) };
    let said = recheck_with(history, model, datatype, &Verdict::Holds(witness));
    said.err().map(|unsound| unsound.reason).unwrap_or_default()
}

/// What is wrong with a counterexample; empty if nothing is.
fn proved(
    history: &History,
    datatype: &dyn Datatype,
    model: Model,
    claim: (Kind, Reason, &[usize]),
) -> String {
    left(history, datatype, model, claim, &[])
}

/// The same, where of the answers at these positions only this is left.
fn left(
    history: &History,
    datatype: &dyn Datatype,
    model: Model,
    (kind, reason, operations): (Kind, Reason, &[usize]),
    answers: &[(usize, &[i64])],
) -> String {
    let list = |all: &[i64]| all.iter().copied().map(Value::from).collect::<Vec<_>>().into();
    let restricted = answers.iter().map(|(at, all)| (*at, list(all))).collect();
    let operations = operations.to_vec();
    let found = Counterexample { kind, operations, minimal: true, restricted, reason };
    let said = recheck_with(history, model, datatype, &Verdict::Violated(found));
    said.err().map(|unsound| unsound.reason).unwrap_or_default()
}

#[test]
fn who_sees_what_must_be_possible() {
    let seen = |text: &str, visible: &[&[usize]], order: &[usize]| {
        witnessed(&history(text), &Counter, Model::BASE, (visible, &[order]))
    };
    let two = "[add]x=1|[add]x=2|rx=3 @ 001122";
    assert_eq!(seen(two, &[&[], &[], &[0, 1]], &[0, 1]), "");
    assert_eq!(seen(two, &[&[], &[0], &[0, 1]], &[0, 1]), "operation 1 sees nothing");
    assert_eq!(seen(two, &[&[], &[], &[0, 1, 1]], &[0, 1]), "2 sees 1 twice");
    assert_eq!(seen(two, &[&[], &[], &[0]], &[0, 1]), "read 2 should have answered 1");
    assert_eq!(seen(two, &[&[], &[]], &[0, 1]), "the rows and orders do not fit the history");
    let other = "two arbitrations order different updates";
    assert_eq!(seen(two, &[&[], &[], &[0, 1]], &[0, 1, 1]), other);
    let no_update = "2 is no update that can have happened";
    assert_eq!(seen(two, &[&[], &[], &[0, 1]], &[0, 1, 2]), no_update);
    let left_out = "acknowledged update 0 is not arbitrated";
    assert_eq!(seen(two, &[&[], &[], &[1]], &[1]), left_out);
    // What nobody sees need not have happened, but then nobody sees it.
    let open = "[add]x=1?|rx=1 @ 011";
    assert_eq!(seen(open, &[&[], &[0]], &[0]), "");
    assert_eq!(seen(open, &[&[], &[0]], &[]), "1 cannot see 0");
    // Other objects may be visible, too; what failed never is.
    let keys = "[add]x=1|[add]y=5|rx=1 @ 001122";
    assert_eq!(seen(keys, &[&[], &[], &[0, 1]], &[0, 1]), "");
    assert_eq!(seen("[add]x=1~|rx0 @ 0011".replace("rx0", "rx=0").as_str(), &[&[], &[]], &[]), "");
    let cycle = "session order and visibility run in a cycle";
    assert_eq!(seen("rx=1 [add]x=1 @ 0000", &[&[1], &[]], &[1]), cycle);
}

#[test]
fn each_guarantee_is_asked_of_who_sees_what() {
    let owed = |text: &str, guarantee: Guarantees, visible: &[&[usize]], order: &[usize]| {
        let said = |datatype: &dyn Datatype, guarantees| {
            let model = grid(guarantees, Scope::Global, false);
            witnessed(&history(text), datatype, model, (visible, &[order]))
        };
        let datatype: &dyn Datatype =
            if text.contains("s=") { &ReplicatedSet::AddWins } else { &Counter };
        let others = Guarantees::ALL.without(guarantee);
        assert_eq!(said(datatype, others), "", "{text}");
        said(datatype, guarantee)
    };
    let (ryw, mr, mw, wfr) = (Guarantees::RYW, Guarantees::MR, Guarantees::MW, Guarantees::WFR);
    assert_eq!(
        owed("[add]x=1 rx=0 @ 0000", ryw, &[&[], &[]], &[0]),
        "1 does not see 0, which read-your-writes demands"
    );
    assert_eq!(
        owed("[add]x=1|rx=1 rx=0 @ 001111", mr, &[&[], &[0], &[]], &[0]),
        "2 does not see 0, which monotonic reads demands"
    );
    assert_eq!(
        owed("[add]x=1 [add]x=2|rx=2 @ 000011", mw, &[&[], &[], &[1]], &[0, 1]),
        "2 does not see 0, which monotonic writes demands"
    );
    let follows = "which writes follow reads demands";
    let read_first = "[add]x=1|rx=1 [add]x=2|rx=2 @ 00111122";
    let why = owed(read_first, wfr, &[&[], &[0], &[], &[2]], &[0, 2]);
    assert_eq!(why, format!("3 does not see 0, {follows}"));
    // A remove has itself seen the add.
    let why = owed("[add]s=1|[remove]s=1|rs=[] @ 001122", wfr, &[&[], &[0], &[1]], &[0, 1]);
    assert_eq!(why, format!("2 does not see 0, {follows}"));
    // And of the arbitrations.
    let why = owed("[add]x=1 [add]x=2|rx=3 @ 000011", mw, &[&[], &[], &[0, 1]], &[1, 0]);
    assert_eq!(why, "1 is arbitrated before 0");
    let why =
        owed(read_first.replace("rx=2", "rx=3").as_str(), wfr, &[&[], &[0], &[], &[0, 2]], &[2, 0]);
    assert_eq!(why, "2 is arbitrated before 0");
    // At quiescence all is seen.
    let last = history("[add]x=1|rx=0! @ 0011");
    let rows: (&[&[usize]], &[&[usize]]) = (&[&[], &[]], &[&[0]]);
    let demanded = "1 does not see 0, which quiescence demands";
    assert_eq!(witnessed(&last, &Counter, Model::BASE, rows), "");
    assert_eq!(witnessed(&last, &Counter, Model::EVENTUAL, rows), demanded);
}

#[test]
fn sessions_and_reads_have_their_own_arbitrations_but_lists_have_one() {
    let set = history("[add]s=1|[remove]s=1|rs=[1]|rs=[] @ 00112233");
    let visible: &[&[usize]] = &[&[], &[], &[0, 1], &[0, 1]];
    let own = |scope, orders: &[&[usize]]| {
        let model = grid(Guarantees::NONE, scope, false);
        witnessed(&set, &ReplicatedSet::LastWriter, model, (visible, orders))
    };
    let (first, last): (&[usize], &[usize]) = (&[1, 0], &[0, 1]);
    assert_eq!(own(Scope::Session, &[last, last, first, last]), "");
    assert_eq!(own(Scope::Read, &[first, last]), "");
    let wrong = "read 2 should have answered []";
    assert_eq!(own(Scope::Session, &[first, first, last, first]), wrong);
    assert_eq!(own(Scope::Read, &[last, first]), wrong);
    let differ = "two arbitrations order different updates";
    assert_eq!(own(Scope::Read, &[first, &[1]]), differ);
    let log = history("[append]t=1|[append]t=2|rt=[2,1]|rt=[1,2] @ 00112233");
    let model = grid(Guarantees::NONE, Scope::Read, false);
    let why = witnessed(&log, &Log, model, (visible, &[first, last]));
    assert_eq!(why, "read 2 should have answered [1,2]");
}

/// An order of a log extends session order and visibility, though the model asks nothing.
#[test]
fn the_order_of_a_log_extends_causes() {
    let said = |text: &str, visible: &[&[usize]], order: &[usize]| {
        witnessed(&history(text), &Log, Model::BASE, (visible, &[order]))
    };
    let own = "[append]t=1 [append]t=2|rt=[2,1] @ 000011";
    let late = "1 is arbitrated before 0";
    assert_eq!(said(own, &[&[], &[], &[0, 1]], &[1, 0]), late);
    assert_eq!(said(&own.replace("2,1", "1,2"), &[&[], &[], &[0, 1]], &[0, 1]), "");
    let read = "[append]t=1|rt=[1] [append]t=2|rt=[2,1] @ 00111122";
    let late = "2 is arbitrated before 0";
    assert_eq!(said(read, &[&[], &[0], &[], &[0, 2]], &[2, 0]), late);
}

#[test]
fn answers_that_contradict_each_other_have_no_witness() {
    let apart = history("[insert]t=[1,0]|[insert]t=[2,0]|rt=[1,2]|rt=[2,1] @ 00112233");
    let rows: (&[&[usize]], &[&[usize]]) = (&[&[], &[], &[0, 1], &[0, 1]], &[&[0, 1]]);
    let why = witnessed(&apart, &Sequence::Strong, Model::BASE, rows);
    assert_eq!(why, "the answers of t contradict each other");
}

#[test]
fn eventual_consistency_in_real_time_needs_an_order_that_extends_time_and_causes() {
    let contradicts = "arbitration contradicts real time or causes";
    let both = |text: &str, visible: &[&[usize]], order: &[usize]| {
        [Model::EVENTUAL, Model::EventualRealTime].map(|model| {
            let rows: (&[&[usize]], &[&[usize]]) = (visible, &[order]);
            witnessed(&history(text), &ReplicatedSet::LastWriter, model, rows)
        })
    };
    let visible: &[&[usize]] = &[&[], &[], &[0, 1]];
    // The remove came after the add had been acknowledged.
    let after = "[add]s=1|[remove]s=1|rs=[1]! @ 001122";
    assert_eq!(both(after, visible, &[1, 0]), ["", contradicts]);
    assert_eq!(both("[add]s=1|[remove]s=1|rs=[1]! @ 010122", visible, &[1, 0]), ["", ""]);
    assert_eq!(both(&after.replace("[1]", "[]"), visible, &[0, 1]), ["", ""]);
    // The add was seen before the remove was asked for, though not yet acknowledged.
    let seen = "[add]s=1|rs=[1] [remove]s=1|rs=[1]! @ 01111022";
    assert_eq!(both(seen, &[&[], &[0], &[], &[0, 2]], &[2, 0]), ["", contradicts]);
}

#[test]
fn a_kind_of_failure_needs_its_own_reason() {
    let illegal = history("[add]x=1|[add]x=2|rx=5 @ 001122");
    let said = |kind, reason, operations: &[usize]| {
        proved(&illegal, &Counter, Model::EVENTUAL, (kind, reason, operations))
    };
    let thin = |read| Reason::Thin { read };
    assert_eq!(said(Kind::Illegal, thin(2), &[0, 1, 2]), "");
    let order = "the operations are not ascending positions in the history";
    assert_eq!(said(Kind::Illegal, thin(2), &[1, 0, 2]), order);
    assert_eq!(said(Kind::Illegal, thin(2), &[0, 1, 2, 99]), order);
    let lacks = "the proof mentions an operation that the part lacks";
    assert_eq!(said(Kind::Illegal, thin(2), &[0, 1]), lacks);
    let shows = |kind: &str| format!("this reason does not show that it is {kind}");
    // An update whose answer cannot be wrong.
    assert_eq!(said(Kind::Illegal, thin(0), &[0, 1, 2]), shows("illegal"));
    let missing = Reason::Missing { read: 2, update: 0 };
    assert_eq!(said(Kind::Illegal, missing.clone(), &[0, 1, 2]), shows("illegal"));
    assert_eq!(said(Kind::Lost, thin(2), &[0, 1, 2]), shows("lost"));
    assert_eq!(said(Kind::Lost, missing, &[0, 1, 2]), shows("lost"));
    let none = |model| Reason::NoOrder { model, shows: None };
    assert_eq!(said(Kind::Unexplained, none(Model::BASE), &[0, 1, 2]), shows("unexplained"));
    // What only a guarantee forbids is not illegal.
    let stale = history("[add]x=1 rx=0 @ 0000");
    let own = grid(Guarantees::RYW, Scope::Global, false);
    let claim = |kind| proved(&stale, &Counter, own, (kind, none(own), &[0, 1]));
    assert_eq!(claim(Kind::Unexplained), "");
    assert_eq!(claim(Kind::Illegal), "a visibility explains the answers of this part");
}

#[test]
fn what_is_lost_or_comes_back_is_missed_by_a_read_at_quiescence() {
    let shows = |kind: &str| format!("this reason does not show that it is {kind}");
    let missing = |read, update| (Kind::Lost, Reason::Missing { read, update });
    let back = |read, update| (Kind::Resurrected, Reason::Resurrected { read, update });
    let lost = history("[add]x=1|rx=0|rx=0! @ 001122");
    let said = |(kind, reason), model| proved(&lost, &Counter, model, (kind, reason, &[0, 1, 2]));
    assert_eq!(said(missing(2, 0), Model::EVENTUAL), "");
    assert_eq!(said(missing(1, 0), Model::EVENTUAL), shows("lost"));
    assert_eq!(said(missing(2, 1), Model::EVENTUAL), shows("lost"));
    let causal = grid(Guarantees::ALL, Scope::Global, true);
    assert_eq!(said(missing(2, 0), causal), shows("lost"));
    let removed = history("[add]s=1|[remove]s=1|rs=[1]|rs=[1]! @ 00112233");
    let said = |(kind, reason)| {
        let claim = (kind, reason, &[0, 1, 2, 3][..]);
        proved(&removed, &ReplicatedSet::TwoPhase, Model::EVENTUAL, claim)
    };
    assert_eq!(said(back(3, 1)), "");
    assert_eq!(said(back(2, 1)), shows("resurrected"));
    assert_eq!(said(back(3, 0)), shows("resurrected"));
    assert_eq!(said(missing(3, 1)), shows("lost"));
}

/// A part of a history is judged by what its answers say about the updates in it, and
/// about what nobody did.
#[test]
fn a_part_is_not_asked_about_what_it_lacks() {
    let set = &ReplicatedSet::AddWins;
    let base = |history: &History, reason, operations: &[usize], answers: &[(usize, &[i64])]| {
        left(history, set, Model::BASE, (Kind::Illegal, reason, operations), answers)
    };
    let explained = "a visibility explains the answers of this part";
    let both = history("[add]s=1|[add]s=2|rs=[1,2] @ 001122");
    let other = "something else is left of what was answered";
    let thin = |read| Reason::Thin { read };
    assert_eq!(base(&both, thin(2), &[0, 2], &[(2, &[1])]), explained);
    assert_eq!(base(&both, thin(2), &[0, 2], &[(2, &[2])]), other);
    assert_eq!(base(&both, thin(2), &[0, 2], &[]), other);
    let unknown = history("[add]s=1|rs=[1,3] @ 0011");
    assert_eq!(base(&unknown, thin(1), &[0, 1], &[]), "");
    assert_eq!(base(&unknown, thin(1), &[1], &[(1, &[3])]), "");
    // It found the element, which only the add explains.
    let found = history("[add]s=1|[add-if-absent]s=1 @ 0011");
    let found = answered(&answered(&found, 0, "null"), 1, "0");
    let none = Reason::NoOrder { model: Model::BASE, shows: None };
    assert_eq!(base(&found, none, &[1], &[]), explained);
    let lacks = "operation 1 could explain an answer, the part lacks it";
    let counted = history("[add]x=1|[add]x=2|rx=3 @ 001122");
    let claim = (Kind::Illegal, Reason::Thin { read: 2 }, &[0, 2][..]);
    assert_eq!(proved(&counted, &Counter, Model::BASE, claim), lacks);
}

#[test]
fn a_contradiction_stands_in_the_answers_of_its_part() {
    let said = |text: &str, operations: &[usize]| {
        let claim = (Kind::Illegal, Reason::Contradictory, operations);
        proved(&history(text), &Sequence::Strong, Model::BASE, claim)
    };
    let apart = "[insert]t=[1,0]|[insert]t=[2,0]|rt=[1,2]|rt=[2,1] @ 00112233";
    assert_eq!(said(apart, &[0, 1, 2, 3]), "");
    let fits = "one order fits these answers";
    assert_eq!(said(apart, &[0, 1, 2]), fits);
    // Nobody inserted it, which is another reason.
    assert_eq!(said("[insert]t=[1,0]|rt=[2] @ 0011", &[0, 1]), fits);
}

#[test]
fn reads_diverge_if_they_are_answered_differently_about_one_object_at_quiescence() {
    let said = |text: &str, datatype: &dyn Datatype, model| {
        let reason = Reason::Diverged { first: 1, second: 2 };
        proved(&history(text), datatype, model, (Kind::Diverged, reason, &[1, 2]))
    };
    let set = |text: &str, model| said(text, &ReplicatedSet::AddWins, model);
    let no = "these are not two reads at quiescence that differ";
    let apart = "[add]s=1|rs=[1]!|rs=[]! @ 001122";
    assert_eq!(set(apart, Model::EVENTUAL), "");
    assert_eq!(set(apart, Model::BASE), no);
    assert_eq!(set(&apart.replace("[1]!", "[1]"), Model::EVENTUAL), no);
    assert_eq!(set(&apart.replace("rs=[]", "ru=[]"), Model::EVENTUAL), no);
    assert_eq!(set("[add]s=1|rs=[1,2]!|rs=[2,1]! @ 001122", Model::EVENTUAL), no);
    // A text answers a list.
    let odd = "[insert]t=[1,0]|rt0!|rt=[1]! @ 001122";
    assert_eq!(said(odd, &Sequence::Strong, Model::EVENTUAL), no);
}

#[test]
fn of_opaque_objects_nothing_but_agreement_is_believed() {
    let holds = |text: &str, model| {
        let verdict = Verdict::Holds(Witness::Linear(vec![]));
        recheck_with(&history(text), model, &Opaque, &verdict).is_ok()
    };
    let same = "wx1|wx2|rx=9|rx=8!|rx=8! @ 0011223344";
    assert!(holds(same, Model::EVENTUAL) && !holds(same, Model::BASE));
    assert!(!holds("wx1|wx2|rx=9!|rx=8! @ 00112233", Model::EVENTUAL));
}

/// What was made up above is near to what is true: the checker finds the true one.
#[test]
fn what_failed_is_no_update_for_checker_and_recheck() {
    let failed = history("[add]x=1~|rx=0! @ 0011");
    assert_eq!(failed.operations()[0].completion, Completion::Fail);
    let verdict = check_with(&failed, Model::EVENTUAL, &Counter, Budget::default());
    assert!(verdict.holds(), "{verdict:?}");
    assert_eq!(recheck_with(&failed, Model::EVENTUAL, &Counter, &verdict), Ok(()));
}
