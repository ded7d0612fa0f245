//! What types rule out to end a search sooner never happens: compared with what they answer
//! on contexts drawn at random.

use quiescence::history::{Call, Value};
use quiescence::judgement::datatype::{Arbitration, Context, Datatype};

use super::contexts::replicated;
use super::dice::Dice;
use super::effort;

/// Updates of one part of an object.
fn of_one_part(datatype: &dyn Datatype, dice: &mut Dice) -> Vec<Call> {
    let menu = datatype.menu(2);
    let calls = (1..=5).map(|new| {
        let item = &menu.updates[dice.below(menu.updates.len())];
        item.call("s", if dice.one_in(3) { 1 } else { new })
    });
    let calls: Vec<Call> = calls.collect();
    let part = datatype.part(&calls[0]);
    let mut own: Vec<Call> = calls.into_iter().filter(|call| datatype.part(call) == part).collect();
    // Only one update can make a part.
    let mut makers = 0;
    own.retain(|call| {
        makers += usize::from(datatype.makes(call));
        !datatype.makes(call) || makers == 1
    });
    own
}

/// Pairs of a later update and an earlier one that it had seen.
type Saw = Vec<(usize, usize)>;

fn answer(datatype: &dyn Datatype, call: &Call, updates: &[&Call], saw: &Saw) -> Value {
    let saw = |one: usize, other: usize| saw.contains(&(one, other));
    let merged = datatype.merged(call, &Context::new(updates.to_vec(), &saw));
    merged.expect("the type is replicated")
}

#[test]
fn what_cannot_be_answered_is_not_answered() {
    let mut dice = Dice(0x5eed);
    for datatype in replicated() {
        let menu = datatype.menu(2);
        let (mut refused, mut between) = (0, 0);
        for _ in 0..effort(3_000, 300_000) {
            let updates = of_one_part(datatype, &mut dice);
            let queries: Vec<Call> = menu.queries.iter().map(|item| item.call("s", 0)).collect();
            let call = &queries[dice.below(queries.len())];
            let seen: Vec<&Call> = updates.iter().filter(|_| !dice.one_in(3)).collect();
            let places =
                || (0..seen.len()).flat_map(|one| (0..seen.len()).map(move |two| (one, two)));
            let pairs: Saw = places().filter(|(one, two)| two < one).collect();
            let saw: Saw = pairs.iter().copied().filter(|_| dice.one_in(2)).collect();
            let said = answer(datatype, call, &seen, &saw);

            let certain: Vec<&Call> = seen.iter().copied().filter(|_| !dice.one_in(3)).collect();
            let is_certain = |call: &Call| certain.iter().any(|one| std::ptr::eq(*one, call));
            let is_seen = |call: &Call| seen.iter().any(|one| std::ptr::eq(*one, call));
            let rest = updates.iter().filter(|call| !is_certain(call));
            let possible: Vec<&Call> =
                rest.filter(|call| is_seen(call) || dice.one_in(2)).collect();
            let told = || format!("{}: {said:?} of {seen:?} with {saw:?}", datatype.name());
            assert!(datatype.may_answer(call, &said, &certain, &possible), "{}", told());

            // Another answer may be ruled out, or this check would say nothing.
            let other = answer(datatype, call, &updates.iter().collect::<Vec<_>>(), &vec![]);
            refused += usize::from(!datatype.may_answer(call, &other, &certain, &[]));

            if !matches!(datatype.arbitration(&call.key), Arbitration::Last | Arbitration::Whole) {
                let few: Saw = saw.iter().copied().filter(|_| dice.one_in(2)).collect();
                let more = places().filter(|(one, two)| one != two && dice.one_in(2));
                let many: Saw = saw.iter().copied().chain(more).collect();
                let [few, many] = [few, many].map(|saw| answer(datatype, call, &seen, &saw));
                let fits = |value: &Value| datatype.is_between(call, value, &few, &many);
                assert!(fits(&said), "{}: between {few:?} and {many:?}", told());
                between += usize::from(!fits(&other));
            }
        }
        let name = datatype.name();
        assert!(refused > 0 || !RULES_OUT.contains(&name), "{name} rules nothing out");
        assert!(between > 0 || !RULES_OUT_BETWEEN.contains(&name), "{name} rules nothing out");
    }
}

/// The types that say which answers are impossible.
const RULES_OUT: [&str; 6] = [
    "counter",
    "mv-register",
    "map:register",
    "map:mv-register",
    "map:counter",
    "map:set:add-wins",
];

/// The types that say so of what updates had seen.
const RULES_OUT_BETWEEN: [&str; 5] =
    ["mv-register", "set:add-wins", "set:remove-wins", "flag:enable-wins", "map:mv-register"];
