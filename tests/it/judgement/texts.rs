//! What texts, logs and maps mean, compared with something dumb, and told in words.

use std::collections::{BTreeMap, BTreeSet};

use quiescence::history::{Builder, Call, Completion, Function, History, Key, Value, notation};
use quiescence::judgement::datatype::{Datatype, Log, Map, Opaque, Sequence, Set};
use quiescence::judgement::{
    Budget, Grid, Guarantees, Kind, Model, Reason, Scope, Verdict, check_with, recheck_with,
};

use crate::dice::Dice;
use crate::support::effort;

fn list(elements: &[i64]) -> Value {
    elements.iter().copied().map(Value::from).collect::<Vec<_>>().into()
}

fn call(f: &str, argument: Value) -> Call {
    Call { f: Function::named(f), key: Key::new("t"), argument }
}

/// All orders of 1 to this number.
fn orders(upto: i64) -> Vec<Vec<i64>> {
    let mut orders = vec![Vec::new()];
    for element in 1..=upto {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<i64>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, element);
                    longer
                })
            })
            .collect();
    }
    orders
}

fn is_part(list: &[i64], order: &[i64]) -> bool {
    let mut order = order.iter();
    list.iter().all(|one| order.any(|other| other == one))
}

/// Whether one of all orders of 1 to 4 has these lists as parts.
fn has_an_order(lists: &[Vec<i64>]) -> bool {
    orders(4).iter().any(|order| lists.iter().all(|list| is_part(list, order)))
}

/// Some of 1 to 4, in any order.
fn shuffled(dice: &mut Dice) -> Vec<i64> {
    let mut left: Vec<i64> = (1..=4).collect();
    let mut some = Vec::new();
    for _ in 0..dice.below(5) {
        some.push(left.remove(dice.below(left.len())));
    }
    some
}

#[test]
fn answers_agree_if_one_order_has_them_all() {
    let mut dice = Dice(3);
    let (mut strong, mut weak) = ([0, 0], [0, 0]);
    for _ in 0..effort(3_000, 300_000) {
        let lists: Vec<Vec<i64>> = (0..2 + dice.below(3)).map(|_| shuffled(&mut dice)).collect();
        let read = Call::read("t");
        let values: Vec<Value> = lists.iter().map(|one| list(one)).collect();
        let answers: Vec<_> = values.iter().map(|value| (&read, value)).collect();
        let one = has_an_order(&lists);
        let pairs = lists
            .iter()
            .all(|one| lists.iter().all(|other| has_an_order(&[one.clone(), other.clone()])));
        assert_eq!(Sequence::Strong.agree(&answers, &BTreeSet::new()), one, "{lists:?}");
        assert_eq!(Sequence::Weak.agree(&answers, &BTreeSet::new()), pairs, "{lists:?}");
        strong[usize::from(one)] += 1;
        weak[usize::from(pairs)] += 1;
    }
    assert!(strong.iter().chain(&weak).all(|times| *times > 100), "{strong:?} {weak:?}");
    assert!(weak[1] > strong[1], "three answers can go round: {strong:?} {weak:?}");
}

/// Elements of 1 to 5 that are deleted somewhere; mostly none.
fn some_undone(dice: &mut Dice) -> BTreeSet<Value> {
    let all = (1..=5).filter(|_| dice.below(8) == 0);
    all.map(Value::from).collect()
}

/// What is asked of answers is asked of any of them as well: a part of a contradiction
/// that is left out must not make another.
#[test]
fn fewer_answers_still_agree() {
    let mut dice = Dice(11);
    let mut agreed = 0;
    for _ in 0..effort(20_000, 2_000_000) {
        // Clients type into one list, each into what it saw last.
        let mut all: Vec<i64> = Vec::new();
        let mut told: Vec<(Call, Value)> = Vec::new();
        for element in 1..=5 {
            let mut seen = all.clone();
            seen.retain(|_| dice.below(4) > 0);
            let at = dice.below(seen.len() + 1);
            seen.insert(at, element);
            let position = i64::try_from(at).expect("it is short");
            told.push((call("insert", list(&[element, position])), list(&seen)));
            all.insert(dice.below(all.len() + 1), element);
        }
        told.push((Call::read("t"), list(&all)));
        let pairs: Vec<_> = told.iter().map(|(call, answer)| (call, answer)).collect();
        let undone = some_undone(&mut dice);
        let agree =
            |of: Sequence, answers: &[(&Call, &Value)]| Datatype::agree(&of, answers, &undone);
        for datatype in [Sequence::Strong, Sequence::Weak, Sequence::Together] {
            if !agree(datatype, &pairs) {
                continue;
            }
            agreed += 1;
            let mut fewer = pairs.clone();
            fewer.retain(|_| dice.below(3) > 0);
            assert!(agree(datatype, &fewer), "{datatype:?}: {pairs:?}, but not {fewer:?}");
            // Nor do gaps.
            let gone = Value::from(i64::try_from(1 + dice.below(5)).expect("a few"));
            let about = |part: &Value| *part != gone;
            let rest: Vec<_> = pairs
                .iter()
                .filter(|(call, _)| datatype.part(call) != gone)
                .map(|(call, answer)| (*call, datatype.answer_about(call, answer, &about)))
                .collect();
            let rest: Vec<_> = rest.iter().map(|(call, answer)| (*call, answer)).collect();
            assert!(agree(datatype, &rest), "{datatype:?}: {pairs:?}, but not {rest:?}");
        }
    }
    assert!(agreed > 1_000, "{agreed}");
}

/// Whether the elements for which this is true stand beside each other, among some.
fn is_one_run(order: &[i64], among: impl Fn(i64) -> bool, of: impl Fn(i64) -> bool) -> bool {
    let places: Vec<bool> = order.iter().copied().filter(|one| among(*one)).map(of).collect();
    let first = places.iter().position(|it| *it);
    let last = places.iter().rposition(|it| *it);
    first.zip(last).is_none_or(|(first, last)| places[first..=last].iter().all(|it| *it))
}

/// Whether some order has all these lists as parts and keeps together what was typed in
/// one go; of each element, the one on its left and the one on its right if they are
/// known (0: the end of the list).
fn have_a_walk(lists: &[Vec<i64>], beside: &BTreeMap<i64, (i64, i64)>) -> bool {
    let known = |one: i64| {
        let mut at = one;
        while at != 0 {
            let Some((left, _)) = beside.get(&at) else { return false };
            at = *left;
        }
        true
    };
    let left = |one: i64| beside.get(&one).filter(|_| known(one)).map(|(left, _)| *left);
    let sibling = |one: i64, other: i64| left(one).is_some() && left(one) == left(other);
    let told = |one: i64| {
        let mut at = one;
        loop {
            let (_, right) = beside[&at];
            if right == 0 || (known(right) && !sibling(right, at)) {
                return true;
            }
            if !known(right) {
                return false;
            }
            at = right;
        }
    };
    let hangs = |one: i64, on: i64, right: bool| {
        let mut at = one;
        for _ in 0..6 {
            if at == on {
                return true;
            }
            let Some((l, r)) = beside.get(&at) else { return false };
            at = match right {
                false => *l,
                true if *r != 0 && sibling(*r, at) => *r,
                true => 0,
            };
        }
        false
    };
    orders(5).iter().any(|order| {
        let goes = |all: &dyn Fn(i64) -> bool| (1..=5).filter(|one| known(*one)).all(all);
        lists.iter().all(|list| is_part(list, order))
            && goes(&|first| is_one_run(order, known, |one| hangs(one, first, false)))
            && goes(&|first| {
                let among = |one: i64| sibling(one, first) && told(one);
                is_one_run(order, among, |one| hangs(one, first, true))
            })
    })
}

#[test]
fn what_was_typed_stands_together_if_some_order_has_it_so() {
    let mut dice = Dice(29);
    let mut found = [0, 0];
    for _ in 0..effort(1_500, 150_000) {
        // Clients type, each into some of what there is, and readers see some.
        let mut all: Vec<i64> = Vec::new();
        let mut told: Vec<(Call, Value)> = Vec::new();
        let (mut lists, mut beside) = (Vec::new(), BTreeMap::new());
        let undone = some_undone(&mut dice);
        for element in 1..=5 {
            let mut seen = all.clone();
            seen.retain(|_| dice.below(4) > 0);
            let at = dice.below(seen.len() + 1);
            seen.insert(at, element);
            let position = i64::try_from(at).expect("it is short");
            let next =
                |place: Option<usize>| place.and_then(|at| seen.get(at)).copied().unwrap_or(0);
            let answered = dice.below(5) > 0;
            let shows = |gone: &Value| seen.iter().any(|one| Value::from(*one) == *gone);
            if answered && undone.iter().all(shows) {
                beside.insert(element, (next(at.checked_sub(1)), next(Some(at + 1))));
            }
            if answered {
                told.push((call("insert", list(&[element, position])), list(&seen)));
                lists.push(seen);
            }
            all.insert(dice.below(all.len() + 1), element);
        }
        for _ in 0..dice.below(4) {
            let mut seen = all.clone();
            seen.retain(|_| dice.below(3) > 0);
            told.push((Call::read("t"), list(&seen)));
            lists.push(seen);
        }
        let pairs: Vec<_> = told.iter().map(|(call, answer)| (call, answer)).collect();
        let expected = have_a_walk(&lists, &beside);
        assert_eq!(Sequence::Together.agree(&pairs, &undone), expected, "{pairs:?} {undone:?}");
        found[usize::from(expected)] += 1;
    }
    assert!(found.iter().all(|times| *times > 200), "{found:?}");
}

/// What was typed, in the order of typing, and what is read.
fn together(typed: &[(i64, i64, &[i64])], read: &[i64]) -> bool {
    let typed = typed.iter();
    let typed =
        typed.map(|(element, at, seen)| (call("insert", list(&[*element, *at])), list(seen)));
    let mut told: Vec<(Call, Value)> = typed.collect();
    told.push((Call::read("t"), list(read)));
    let pairs: Vec<_> = told.iter().map(|(call, answer)| (call, answer)).collect();
    Sequence::Together.agree(&pairs, &BTreeSet::new())
}

#[test]
fn what_was_typed_in_one_go_stays_together() {
    // A types 1, 2 forward; B types 3, 4.
    let forward: [(i64, i64, &[i64]); 4] =
        [(1, 0, &[1]), (2, 1, &[1, 2]), (3, 0, &[3]), (4, 1, &[3, 4])];
    assert!(together(&forward, &[1, 2, 3, 4]) && together(&forward, &[3, 4, 1, 2]));
    assert!(!together(&forward, &[1, 3, 2, 4]) && !together(&forward, &[1, 3, 4, 2]));
    // The same backward.
    let backward: [(i64, i64, &[i64]); 4] =
        [(1, 0, &[1]), (2, 0, &[2, 1]), (3, 0, &[3]), (4, 0, &[4, 3])];
    assert!(together(&backward, &[2, 1, 4, 3]) && together(&backward, &[4, 3, 2, 1]));
    assert!(!together(&backward, &[2, 4, 1, 3]) && !together(&backward, &[4, 2, 1, 3]));
    // Two reads leave one order, which no single answer shows.
    let typed: [(i64, i64, &[i64]); 3] = [(1, 0, &[1]), (2, 0, &[2]), (3, 0, &[3, 2])];
    let mut told: Vec<(Call, Value)> = typed
        .iter()
        .map(|(one, at, seen)| (call("insert", list(&[*one, *at])), list(seen)))
        .collect();
    told.extend([&[3, 1][..], &[1, 2]].map(|seen| (Call::read("t"), list(seen))));
    let pairs: Vec<_> = told.iter().map(|(call, answer)| (call, answer)).collect();
    let none = BTreeSet::new();
    assert!(Sequence::Strong.agree(&pairs, &none) && !Sequence::Together.agree(&pairs, &none));
    // Of 9 no answer shows where it was inserted. Left neighbours are enough to tell.
    let before_it: [(i64, i64, &[i64]); 4] =
        [(1, 0, &[1, 9]), (2, 1, &[1, 2, 9]), (3, 0, &[3, 9]), (4, 1, &[3, 4, 9])];
    assert!(together(&before_it, &[1, 2, 3, 4, 9]) && !together(&before_it, &[1, 3, 2, 4, 9]));
    // What stands to its right, and to the right of that, may stand anywhere.
    let behind_it: [(i64, i64, &[i64]); 4] =
        [(1, 1, &[9, 1]), (2, 2, &[9, 1, 2]), (4, 3, &[9, 1, 2, 4]), (3, 0, &[3])];
    assert!(together(&behind_it, &[9, 1, 2, 3, 4]));
    // What is known of 2, 4 and 1 is known by way of 5 and 6.
    let by_way: [(i64, i64, &[i64]); 6] = [
        (1, 0, &[1]),
        (2, 0, &[2, 1]),
        (3, 0, &[3]),
        (4, 0, &[4, 3]),
        (5, 0, &[5, 9]),
        (6, 0, &[6, 9]),
    ];
    assert!(together(&by_way, &[2, 1, 5, 4, 6]) && !together(&by_way, &[2, 5, 4, 6, 1]));
    // Who inserts between 1 and 2 means to.
    assert!(together(&[(1, 0, &[1]), (2, 1, &[1, 2]), (3, 1, &[1, 3, 2])], &[1, 3, 2]));
}

#[test]
fn who_types_beside_what_is_deleted_is_not_accused() {
    // In 4, 2, 1, 3, as Fugue has it, 2 stands to the left of 1, which its author had deleted,
    // so that the answer to its insert does not show 1.
    let read = |deletes: &str, order: &str| {
        let text = format!(
            "[insert]t=[1,0]:[1] {deletes}[insert]t=[2,0]:[2]|\
             [insert]t=[3,1]:[1,3] [insert]t=[4,0]:[4,1,3]|rt=[4,2,3] @ {order}"
        );
        judged(&text, &Sequence::Together, Model::BASE).kind()
    };
    assert_eq!(read("[delete]t=1:[] ", "000000111122"), None);
    assert_eq!(read("[delete]t=1 ", "000000111122"), None);
    // Had nobody deleted 1, its author would have typed 2 beside 1.
    assert_eq!(read("", "0000111122"), Some(Kind::Illegal));
}

fn judged(text: &str, datatype: &dyn Datatype, model: Model) -> Verdict {
    let history = notation::parse(text).expect("it is in the notation");
    let verdict = check_with(&history, model, datatype, Budget::default());
    assert_eq!(recheck_with(&history, model, datatype, &verdict), Ok(()), "{text}: {verdict:?}");
    verdict
}

#[test]
fn histories_of_texts_are_judged_as_the_specification_says() {
    let base = |text: &str, datatype: Sequence| judged(text, &datatype, Model::BASE);
    // Two readers see two elements in different orders.
    let apart = "[insert]t=[1,0]|[insert]t=[2,0]|rt=[1,2]|rt=[2,1] @ 00112233";
    for datatype in [Sequence::Strong, Sequence::Weak, Sequence::Together] {
        let Verdict::Violated(found) = base(apart, datatype) else { panic!("{datatype:?}") };
        assert_eq!((found.kind, found.reason), (Kind::Illegal, Reason::Contradictory));
    }
    // Three readers whose orders go round: no two of them contradict each other.
    let round = "[insert]t=[1,0]|[insert]t=[2,0]|[insert]t=[3,0]|rt=[1,2]|rt=[2,3]|rt=[3,1] \
                 @ 001122334455";
    assert!(base(round, Sequence::Weak).holds());
    assert!(!base(round, Sequence::Strong).holds());
    // An element stands where it was inserted, and once; it is not there before.
    let at = |answer: &str| format!("[insert]t=[1,0] [insert]t=[2,1]:{answer} @ 0000");
    let inserted = |answer: &str| {
        let history = at(answer).replace(&format!(":{answer}"), "");
        let mut history = notation::parse(&history).expect("it is in the notation");
        history = answered(&history, 1, answer);
        check_with(&history, Model::BASE, &Sequence::Strong, Budget::default()).holds()
    };
    assert!(inserted("[1,2]") && inserted("[2]"));
    assert!(!inserted("[2,1]") && !inserted("[1]") && !inserted("[1,2,2]") && !inserted("[1,2,3]"));
}

/// The same history, where the operation at a place was answered this.
pub fn answered(history: &History, at: usize, answer: &str) -> History {
    let answer: Value = serde_json::from_str(answer).expect("it is JSON");
    let mut operations = history.operations().to_vec();
    operations[at].completion = Completion::Ok(answer);
    let mut events = Builder::new();
    for operation in operations {
        events.invoke(operation.process, operation.invoked, operation.call).expect("it is idle");
        let Completion::Ok(answer) = operation.completion else { unreachable!("all are answered") };
        let returned = operation.returned.expect("it is answered");
        events.ok(operation.process, returned, answer).expect("it is open");
    }
    events.finish()
}

#[test]
fn a_delete_takes_out_what_its_author_saw() {
    let holds = |text: &str| judged(text, &Sequence::Strong, Model::EVENTUAL).holds();
    // Neither saw the other, or the delete saw the insert.
    assert!(holds("[insert]t=[1,0]|[delete]t=1|rt=[1]! @ 001122"));
    assert!(holds("[insert]t=[1,0]|[delete]t=1|rt=[]! @ 001122"));
    let own = notation::parse("[insert]t=[1,0] [delete]t=1 @ 0000").expect("well-formed");
    let own = answered(&own, 0, "null");
    let says = |answer: &str| {
        let history = answered(&own, 1, answer);
        check_with(&history, Model::READ_YOUR_WRITES, &Sequence::Strong, Budget::default()).holds()
    };
    assert!(says("[]") && !says("[1]"));
}

#[test]
fn one_element_is_inserted_once() {
    let twice = notation::parse("[insert]t=[1,0]|[insert]t=[1,0] @ 0011").expect("well-formed");
    let verdict = check_with(&twice, Model::BASE, &Sequence::Strong, Budget::default());
    let Verdict::Unknown(unknown) = verdict else { panic!("{verdict:?}") };
    assert!(unknown.reason.contains("is no operation of the datatype `text`"), "{unknown}");
    // What failed inserted nothing.
    assert!(
        judged("[insert]t=[1,0]~|[insert]t=[1,0] @ 0011", &Sequence::Strong, Model::BASE).holds()
    );
}

#[test]
fn a_log_has_one_order_which_extends_what_its_authors_had_seen() {
    let eventual = |text: &str| judged(text, &Log, Model::EVENTUAL).kind();
    assert_eq!(eventual("[append]t=1|[append]t=2|rt=[1,2]!|rt=[1,2]! @ 00112233"), None);
    assert_eq!(eventual("[append]t=1|[append]t=2|rt=[2,1]!|rt=[2,1]! @ 00112233"), None);
    // Its author appended 1 before, or had read it.
    assert_eq!(eventual("[append]t=1 [append]t=2|rt=[2,1]! @ 000011"), Some(Kind::Illegal));
    let read = "[append]t=1|rt=[1] [append]t=2|rt=[2,1]! @ 00111122";
    assert_eq!(eventual(read), Some(Kind::Illegal));
    // One order for all, even where each session may have its own arbitration.
    for scope in [Scope::Global, Scope::Session, Scope::Read] {
        let model = Model::Grid(Grid { guarantees: Guarantees::NONE, scope, eventual: false });
        let apart = judged("[append]t=1|[append]t=2|rt=[1,2]|rt=[2,1] @ 00112233", &Log, model);
        assert!(apart.kind().is_some(), "{scope:?}");
    }
}

#[test]
fn an_update_of_a_key_wins_over_a_remove_that_had_not_seen_it() {
    let holds = |text: &str, map: Map| judged(text, &map, Model::EVENTUAL).holds();
    let (registers, counters) = (Map::MV_REGISTERS, Map::COUNTERS);
    assert!(holds("[write]t=[1,7]|[remove]t=1|rt=[[1,[7]]]! @ 001122", registers));
    assert!(holds("[write]t=[1,7]|[remove]t=1|rt=[]! @ 001122", registers));
    let seen = "[write]t=[1,7]|rt=[[1,[7]]] [remove]t=1|rt=[[1,[7]]]! @ 00111122";
    let causal: Model = "ccv_ev".parse().expect("a model");
    assert!(!judged(seen, &registers, causal).holds());
    // What the remove had not seen is left of a counter.
    assert!(holds("[add]t=[1,3]|[add]t=[1,4]|[remove]t=1|rt=[[1,4]]! @ 00112233", counters));
    assert!(!holds("[add]t=[1,3]|[add]t=[1,4]|[remove]t=1|rt=[[1,5]]! @ 00112233", counters));
}

#[test]
fn of_an_opaque_object_only_agreement_is_judged() {
    let apart = judged("wx1|wx2|rx=9!|rx=8! @ 00112233", &Opaque, Model::EVENTUAL);
    assert_eq!(apart.kind(), Some(Kind::Diverged));
    assert!(judged("wx1|wx2|rx=9!|rx=9! @ 00112233", &Opaque, Model::EVENTUAL).holds());
    let base = judged("wx1|wx2|rx=9 @ 001122", &Opaque, Model::BASE);
    assert!(matches!(base, Verdict::Unknown(_)), "{base:?}");
    let linearizable = judged("wx1 rx=9 @ 0000", &Opaque, Model::Linearizable);
    assert!(matches!(linearizable, Verdict::Unknown(_)), "{linearizable:?}");
}

#[test]
fn a_set_says_whether_an_element_was_absent() {
    let text = "[add-if-absent]t=1 [remove]t=1 [add-if-absent]t=1 @ 000000";
    let history = notation::parse(text).expect("it is in the notation");
    let answers = |all: [&str; 3]| {
        let told = all.iter().enumerate();
        told.fold(history.clone(), |history, (at, answer)| answered(&history, at, answer))
    };
    let linearizable =
        |history| check_with(&history, Model::Linearizable, &Set, Budget::default()).holds();
    assert!(linearizable(answers(["1", "null", "1"])));
    assert!(!linearizable(answers(["1", "null", "0"])));
    assert!(!linearizable(answers(["0", "null", "1"])));
}
