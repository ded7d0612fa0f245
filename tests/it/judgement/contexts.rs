//! Types whose concurrent updates have a meaning: checker, evidence and oracle
//! agree, on all small histories and on larger random ones.

use std::collections::BTreeMap;

use quiescence::history::{Builder, Call, Function, History, Key, ProcessId, Value, notation};
use quiescence::judgement::datatype::{
    Arbitration, Context, Counter, DESCRIBED, Datatype, Described, Flag, MaxRegister, MvRegister,
    Register, ReplicatedSet, named, stranger,
};
use quiescence::judgement::model::implies;
use quiescence::judgement::{
    Budget, Counterexample, Grid, Guarantees, Kind, Model, Reason, Scope, Verdict, check,
    check_with, oracle, recheck_with,
};

use crate::dice::Dice;
use crate::support::effort;

/// A call with its answer, and how it ends.
#[derive(Clone, Debug)]
enum Ask {
    Done(Call),
    Answered(Call, Value),
    Open(Call),
    Failed(Call),
    Read(Value),
    /// At quiescence, by a process of its own.
    Last(Value),
}

fn call(f: &str, argument: Value) -> Call {
    Call { f: Function::named(f), key: Key::new("s"), argument }
}

/// A history of these, each by the process at the same place.
fn history(asked: &[(Ask, u32)]) -> History {
    let mut events = Builder::new();
    let mut time = 0;
    // A process ends with what is open.
    let mut processes: BTreeMap<u32, u32> = BTreeMap::new();
    let mut fresh = 100;
    for (ask, process) in asked.iter().filter(|(ask, _)| !matches!(ask, Ask::Last(_))) {
        time += 2;
        let id = ProcessId(*processes.entry(*process).or_insert(*process));
        let (asked, answer) = match ask {
            Ask::Done(call) => (call.clone(), Some(Value::Null)),
            Ask::Answered(call, answer) => (call.clone(), Some(answer.clone())),
            Ask::Open(call) | Ask::Failed(call) => (call.clone(), None),
            Ask::Read(value) => (Call::read("s"), Some(value.clone())),
            Ask::Last(_) => unreachable!("they are left for later"),
        };
        events.invoke(id, time, asked).expect("the process is idle");
        match (ask, answer) {
            (Ask::Failed(_), _) => events.fail(id, time + 1).expect("it is open"),
            (_, Some(answer)) => events.ok(id, time + 1, answer).expect("it is open"),
            (_, None) => {
                events.info(id).expect("it is open");
                fresh += 1;
                processes.insert(*process, fresh);
            }
        }
    }
    for (ask, _) in asked {
        if let Ask::Last(value) = ask {
            time += 2;
            fresh += 1;
            let id = ProcessId(fresh);
            events.invoke(id, time, Call::read("s")).expect("a fresh process");
            events.ok_final(id, time + 1, value.clone()).expect("it is open");
        }
    }
    events.finish()
}

fn list(numbers: &[i64]) -> Value {
    numbers.iter().copied().map(Value::from).collect::<Vec<_>>().into()
}

/// Calls that change an object and answer something, with some answers.
fn answered(datatype: &dyn Datatype) -> Vec<Ask> {
    let ask = |f: &str, argument: Value, answers: Vec<Value>| {
        let asked = call(f, argument);
        answers.into_iter().map(move |answer| Ask::Answered(asked.clone(), answer))
    };
    let name = datatype.name();
    let numbers = |all: &[i64]| all.iter().copied().map(Value::from).collect::<Vec<_>>();
    match name {
        "counter" => ask("add-and-get", 1.into(), numbers(&[1, 2, 3])).collect(),
        _ if name.starts_with("set:") => ask("add-if-absent", 1.into(), numbers(&[0, 1])).collect(),
        _ if name.starts_with("text") => {
            let lists = |all: &[&[i64]]| all.iter().map(|one| list(one)).collect::<Vec<_>>();
            let second = ask("insert", list(&[2, 1]), lists(&[&[2], &[1, 2], &[2, 1]]));
            let third = ask("insert", list(&[3, 0]), lists(&[&[3, 1], &[3, 1, 2]]));
            let delete = ask("delete", 1.into(), lists(&[&[], &[2]]));
            second.chain(third).chain(delete).collect()
        }
        _ => Vec::new(),
    }
}

/// Some updates of a type, and some answers.
fn vocabulary(datatype: &dyn Datatype) -> (Vec<Call>, Vec<Value>) {
    let pairs = |pairs: &[(i64, Value)]| -> Value {
        let pair = |(key, held): &(i64, Value)| vec![(*key).into(), held.clone()].into();
        pairs.iter().map(pair).collect::<Vec<_>>().into()
    };
    let map = |f: &str, held: [Value; 2]| {
        let [one, two] = held;
        let updates =
            vec![call(f, list(&[1, 1])), call("remove", 1.into()), call(f, list(&[1, 2]))];
        (updates, vec![pairs(&[]), pairs(&[(1, one.clone())]), pairs(&[(1, two)])])
    };
    let written = || [1, 2].map(|number| call("write", Value::from(number)));
    let sets = || {
        let add = |element: i64| call("add", element.into());
        vec![add(1), call("remove", 1.into()), add(2)]
    };
    let lists = || vec![list(&[]), list(&[1]), list(&[2]), list(&[2, 1])];
    let name = datatype.name();
    match name {
        "counter" => (
            vec![call("add", 1.into()), call("add", 2.into()), call("dec", Value::Null)],
            [0, 1, 2, 3].map(Value::from).to_vec(),
        ),
        "mv-register" => (written().to_vec(), lists()),
        "map:register" => map("write", [1.into(), 2.into()]),
        "map:mv-register" => map("write", [list(&[1]), list(&[1, 2])]),
        "map:counter" => map("add", [1.into(), 3.into()]),
        "map:set:add-wins" => map("add", [list(&[1]), list(&[2])]),
        "log" => (
            [1, 2].map(|number| call("append", Value::from(number))).to_vec(),
            vec![list(&[]), list(&[1]), list(&[1, 2]), list(&[2, 1])],
        ),
        _ if name.starts_with("text") => (
            vec![
                call("insert", list(&[1, 0])),
                call("insert", list(&[2, 0])),
                call("delete", 1.into()),
            ],
            vec![list(&[]), list(&[2]), list(&[1, 2]), list(&[2, 1])],
        ),
        "flag:enable-wins" | "flag:disable-wins" => (
            vec![call("enable", Value::Null), call("disable", Value::Null)],
            [0, 1].map(Value::from).to_vec(),
        ),
        "set:grow-only" => (vec![call("add", 1.into()), call("add", 2.into())], lists()),
        _ if name.starts_with("set:") => (sets(), lists()),
        _ => (written().to_vec(), vec![Value::Null, 1.into(), 2.into(), 3.into()]),
    }
}

/// Models that differ in every respect in which models of the grid can.
fn models() -> Vec<Model> {
    let grid = |guarantees, scope, eventual| Model::Grid(Grid { guarantees, scope, eventual });
    let mut all = vec![
        Model::BASE,
        Model::EVENTUAL,
        Model::EventualRealTime,
        grid(Guarantees::NONE, Scope::Read, true),
        grid(Guarantees::RYW, Scope::Global, false),
        grid(Guarantees::MR, Scope::Global, false),
        grid(Guarantees::RYW | Guarantees::MR | Guarantees::MW, Scope::Global, false),
        Model::Linearizable,
        Model::Sequential,
    ];
    for eventual in [false, true] {
        all.extend([
            grid(Guarantees::ALL, Scope::Global, eventual),
            grid(Guarantees::ALL, Scope::Session, eventual),
            grid(Guarantees::RYW | Guarantees::WFR, Scope::Read, eventual),
        ]);
    }
    all
}

/// The types that the search for a visibility judges, each once.
pub(super) fn replicated() -> impl Iterator<Item = &'static dyn Datatype> {
    let own = |one: &&Described| one.names.contains(&one.datatype.name());
    let all = DESCRIBED.iter().filter(own).map(|one| one.datatype);
    all.filter(|datatype| datatype.is_replicated())
}

/// What checker, recheck and oracle say of a history, which must be the same.
fn agreed(history: &History, datatype: &dyn Datatype, model: Model) -> Result<(), Kind> {
    let text = || format!("{} as {} under {model}", notation::write(history), datatype.name());
    let verdict = check_with(history, model, datatype, Budget::default());
    let checked = match &verdict {
        Verdict::Holds(_) => Ok(()),
        Verdict::Violated(found) => {
            assert!(found.minimal, "{}: {found:?}", text());
            Err(found.kind)
        }
        Verdict::Unknown(unknown) => panic!("{}: {unknown}", text()),
    };
    assert_eq!(checked, oracle::judge_with(history, model, datatype), "{}", text());
    if let Err(unsound) = recheck_with(history, model, datatype, &verdict) {
        panic!("{}: {unsound}: {verdict:?}", text());
    }
    checked
}

/// All words of this length over these letters, one of so many.
fn words(letters: usize, length: u32, one_of: usize, mut each: impl FnMut(&[usize])) {
    let all = letters.pow(length);
    for number in (0..all).step_by(one_of) {
        let mut rest = number;
        let word: Vec<usize> = (0..length)
            .map(|_| {
                let letter = rest % letters;
                rest /= letters;
                letter
            })
            .collect();
        each(&word);
    }
}

/// Which process asks what: each new one is the next.
fn assignments(length: usize) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..length {
        all = all
            .into_iter()
            .flat_map(|known| {
                let next = known.iter().max().map_or(0, |most| most + 1);
                (0..=next.min(2)).map(move |process| [known.as_slice(), &[process]].concat())
            })
            .collect();
    }
    all
}

/// Compares about so many histories of this length of one type; how many were violated
/// as each kind.
fn compare(datatype: &dyn Datatype, length: u32, about: u64) -> BTreeMap<String, u64> {
    let (updates, answers) = vocabulary(datatype);
    let mut letters: Vec<Ask> = updates.iter().cloned().map(Ask::Done).collect();
    letters.extend(answered(datatype));
    letters.extend(updates.first().cloned().map(Ask::Open));
    letters.extend(updates.first().cloned().map(Ask::Failed));
    letters.extend(answers.iter().cloned().map(Ask::Read));
    letters.extend(answers.iter().cloned().map(Ask::Last));
    let assignments = assignments(usize::try_from(length).expect("it is short"));
    let models = models();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let one_of = one_of(letters.len(), length, about);
    let is_last = |letter: usize| matches!(letters[letter], Ask::Last(_));
    // Where every history is looked at, one of those in which each process does the same
    // is enough for models that do not see time.
    let stands_for_all = |processes: &[u32]| {
        let own = |process: u32| processes.iter().filter(|other| **other == process).count();
        one_of > 1 || (processes.is_sorted() && own(0) >= own(1) && own(1) >= own(2))
    };
    words(letters.len(), length, one_of, |word| {
        // Reads at quiescence come after everything, by processes of their own, wherever
        // the word has them: once is enough where all words are looked at.
        let first_last = word.iter().position(|letter| is_last(*letter)).unwrap_or(word.len());
        let repeats = |processes: &[u32]| {
            one_of == 1
                && (word[first_last..].iter().any(|letter| !is_last(*letter))
                    || processes[first_last..].iter().any(|process| *process > 0))
        };
        for processes in assignments.iter().filter(|processes| !repeats(processes)) {
            let asked: Vec<_> = word
                .iter()
                .zip(processes)
                .map(|(letter, process)| (letters[*letter].clone(), *process))
                .collect();
            let history = history(&asked);
            if stranger(&history, datatype, false).is_some() {
                continue;
            }
            let mut said = BTreeMap::new();
            let timeless = stands_for_all(processes);
            for model in models.iter().filter(|model| timeless || model.sees_time()) {
                let outcome = agreed(&history, datatype, *model);
                let kind = outcome.map_or_else(|kind| kind.to_string(), |()| "holds".to_owned());
                *kinds.entry(kind).or_default() += 1;
                said.insert(*model, outcome.is_ok());
            }
            for (strong, holds) in &said {
                for (weak, weak_holds) in &said {
                    let follows = !implies(*strong, *weak, false) || !holds || *weak_holds;
                    assert!(follows, "{} implies {}", strong, weak);
                }
            }
        }
    });
    kinds
}

/// One of how many words of this length is looked at, so that there are about so many
/// of them; all letters occur at all places.
fn one_of(letters: usize, length: u32, about: u64) -> usize {
    let wanted = letters.pow(length) / usize::try_from(about).expect("a few");
    let shares_a_factor =
        |step: usize| (2..=letters).any(|by| letters.is_multiple_of(by) && step.is_multiple_of(by));
    (wanted.max(1)..).find(|step| !shares_a_factor(*step)).expect("there are primes")
}

#[test]
fn checker_and_oracle_agree_on_histories_of_three_operations() {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for datatype in replicated() {
        let kinds = compare(datatype, 3, effort(150, u64::MAX));
        for kind in ["holds", "illegal", "unexplained"] {
            assert!(kinds.contains_key(kind), "{}: {kinds:?}", datatype.name());
        }
        println!("{}: {kinds:?}", datatype.name());
        kinds.into_iter().for_each(|(kind, times)| *found.entry(kind).or_default() += times);
    }
    for kind in ["diverged", "lost", "resurrected"] {
        assert!(found.contains_key(kind), "{found:?}");
    }
}

/// A test for each type, so that they run beside each other.
macro_rules! four_operations {
    ($($test:ident $name:literal)*) => {
        mod agree_on_histories_of_four_operations {
            $(#[test]
            fn $test() {
                super::four_operations($name);
            })*

            #[test]
            fn every_type_is_among_these() {
                let all: Vec<&str> = super::replicated().map(|datatype| datatype.name()).collect();
                assert_eq!(all, [$($name),*]);
            }
        }
    };
}

four_operations! {
    mv_register "mv-register"
    counter "counter"
    max_register "max-register"
    flag_enable_wins "flag:enable-wins"
    flag_disable_wins "flag:disable-wins"
    set_add_wins "set:add-wins"
    set_remove_wins "set:remove-wins"
    set_last_writer "set:last-writer"
    set_two_phase "set:two-phase"
    set_grow_only "set:grow-only"
    map_register "map:register"
    map_mv_register "map:mv-register"
    map_counter "map:counter"
    map_set_add_wins "map:set:add-wins"
    log "log"
    text "text"
    text_weak "text:weak"
    text_together "text:together"
}

fn four_operations(name: &str) {
    let datatype = named(name).expect("it is one of ours").datatype;
    println!("{name}: {:?}", compare(datatype, 4, effort(8, u64::MAX)));
}

/// Registers under another name, so that the search judges them.
struct Renamed;

impl Datatype for Renamed {
    fn name(&self) -> &'static str {
        "a register by another name"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.knows(call, answer)
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.only_reads(call, answer)
    }

    fn answers(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.answers(call, answer)
    }

    fn initial(&self, key: &Key) -> Value {
        Register.initial(key)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        Register.apply(held, call, answer)
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        Register.merged(call, context)
    }

    fn arbitration(&self, key: &Key) -> Arbitration {
        Register.arbitration(key)
    }
}

#[test]
fn the_search_says_of_registers_what_their_own_checker_says() {
    let mut dice = Dice(7);
    let mut violated = 0;
    for _ in 0..effort(200, 20_000) {
        let length = 3 + dice.below(6);
        let asked: Vec<_> = (0..length)
            .map(|_| {
                let value = Value::from(i64::try_from(dice.below(3)).expect("a few"));
                let read = if value == Value::from(0) { Value::Null } else { value.clone() };
                let ask = match dice.below(6) {
                    0 | 1 => Ask::Done(call("write", value)),
                    2 => Ask::Open(call("write", value)),
                    3 => Ask::Last(read),
                    _ => Ask::Read(read),
                };
                (ask, u32::try_from(dice.below(3)).expect("a few"))
            })
            .collect();
        let history = history(&asked);
        for model in Grid::all().map(Model::Grid).chain([Model::EventualRealTime]) {
            let own = check(&history, model, Budget::default());
            let searched = check_with(&history, model, &Renamed, Budget::default());
            assert_eq!(own.holds(), searched.holds(), "{} {model}", notation::write(&history));
            assert_eq!(own.kind(), searched.kind(), "{} {model}", notation::write(&history));
            violated += u64::from(!own.holds());
        }
    }
    assert!(violated > 5_000, "{violated}");
}

#[test]
fn what_a_type_says_of_concurrent_updates_is_what_its_name_says() {
    let (add, remove) = (call("add", 1.into()), call("remove", 1.into()));
    // Neither saw the other; the remove is arbitrated last.
    let apart = Context::new(vec![&add, &remove], &|_, _| false);
    // The remove saw the add.
    let removed = Context::new(vec![&add, &remove], &|one, other| (one, other) == (1, 0));
    // The add saw the remove.
    let added = Context::new(vec![&remove, &add], &|one, other| (one, other) == (1, 0));
    let has = |set: ReplicatedSet, context: &Context<'_>| {
        set.merged(&Call::read("s"), context) == Some(vec![Value::from(1)].into())
    };
    let said = |set| [&apart, &removed, &added].map(|context| has(set, context));
    assert_eq!(said(ReplicatedSet::AddWins), [true, false, true]);
    assert_eq!(said(ReplicatedSet::RemoveWins), [false, false, true]);
    assert_eq!(said(ReplicatedSet::LastWriter), [false, false, true]);
    assert_eq!(said(ReplicatedSet::TwoPhase), [false, false, false]);
    let (on, off) = (call("enable", Value::Null), call("disable", Value::Null));
    let flags = Context::new(vec![&on, &off], &|_, _| false);
    assert_eq!(Flag::EnableWins.merged(&Call::read("s"), &flags), Some(1.into()));
    assert_eq!(Flag::DisableWins.merged(&Call::read("s"), &flags), Some(0.into()));
    let (one, two) = (call("write", 1.into()), call("write", 2.into()));
    let written = Context::new(vec![&two, &one], &|_, _| false);
    assert_eq!(
        MvRegister.merged(&Call::read("s"), &written),
        Some(vec![1.into(), 2.into()].into())
    );
    assert_eq!(MaxRegister.merged(&Call::read("s"), &written), Some(2.into()));
    assert_eq!(Register.merged(&Call::read("s"), &written), Some(1.into()));
    let (three, less) = (call("add", 3.into()), call("dec", Value::Null));
    let added = Context::new(vec![&three, &less], &|_, _| false);
    assert_eq!(Counter.merged(&Call::read("s"), &added), Some(2.into()));
}

#[test]
fn a_witness_of_a_weaker_model_is_none_of_a_stronger_one() {
    let mut refused: BTreeMap<Model, u64> = BTreeMap::new();
    for datatype in replicated() {
        let (updates, answers) = vocabulary(datatype);
        let mut letters: Vec<Ask> = updates.into_iter().map(Ask::Done).collect();
        letters.extend(
            answers.iter().cloned().flat_map(|value| [Ask::Read(value.clone()), Ask::Last(value)]),
        );
        words(letters.len(), 3, 7, |word| {
            for processes in assignments(3) {
                let asked = word.iter().map(|letter| letters[*letter].clone());
                let history = history(&asked.zip(processes).collect::<Vec<_>>());
                if stranger(&history, datatype, false).is_some() {
                    continue;
                }
                let base = check_with(&history, Model::BASE, datatype, Budget::default());
                if !base.holds() {
                    continue;
                }
                for model in models() {
                    let Model::Grid(Grid { scope: Scope::Global, .. }) = model else { continue };
                    if check_with(&history, model, datatype, Budget::default()).holds() {
                        continue;
                    }
                    let text = || format!("{} {model}", notation::write(&history));
                    assert!(recheck_with(&history, model, datatype, &base).is_err(), "{}", text());
                    *refused.entry(model).or_default() += 1;
                }
            }
        });
    }
    assert!(refused.len() >= 6, "{refused:?}");
}

#[test]
fn a_counterexample_that_lacks_what_explains_it_is_refused() {
    let add = |number: i64| Ask::Done(call("add", number.into()));
    let counted = history(&[(add(1), 0), (add(2), 1), (Ask::Read(3.into()), 2)]);
    let claim = |operations: Vec<usize>| {
        let reason = Reason::Thin { read: 2 };
        let found = Counterexample {
            kind: Kind::Illegal,
            operations,
            minimal: true,
            restricted: Vec::new(),
            reason,
        };
        recheck_with(&counted, Model::BASE, &Counter, &Verdict::Violated(found))
    };
    let why = |operations| claim(operations).expect_err("it is explained").reason;
    assert_eq!(why(vec![0, 2]), "operation 1 could explain an answer, the part lacks it");
    assert_eq!(why(vec![0, 1, 2]), "a visibility explains the answers of this part");
    assert_eq!(why(vec![0, 1]), "the proof mentions an operation that the part lacks");
    // The same about another element is no part of it.
    let set = history(&[(add(1), 0), (add(2), 1), (Ask::Last(vec![1.into()].into()), 2)]);
    let lost = |update| {
        let reason = Reason::Missing { read: 2, update };
        // Of the element that is updated here, the read shows this.
        let left: Vec<Value> = if update == 1 { vec![] } else { vec![1.into()] };
        let restricted = if update == 1 { vec![(2, left.into())] } else { vec![] };
        let operations = vec![update, 2];
        let (kind, minimal) = (Kind::Lost, true);
        Counterexample { kind, operations, minimal, restricted, reason }
    };
    let replayed = |found: Counterexample| {
        let verdict = Verdict::Violated(found);
        recheck_with(&set, Model::EVENTUAL, &ReplicatedSet::AddWins, &verdict)
    };
    assert_eq!(replayed(lost(1)), Ok(()));
    assert!(replayed(lost(0)).is_err());
    for restricted in [vec![], vec![(2, vec![1.into()].into())], vec![(2, Value::Null)]] {
        let forged = Counterexample { restricted, ..lost(1) };
        assert!(replayed(forged.clone()).is_err(), "{forged:?}");
    }
}

#[test]
fn examples_tell_types_apart() {
    let model: Model = "ccv_ev".parse().expect("a model");
    let mut examples = 0;
    for described in &DESCRIBED {
        for (text, other) in described.examples {
            let history = notation::parse(text).expect("the examples are in the notation");
            let other = named(other).expect("an example names another type").datatype;
            let judged = |datatype| check_with(&history, model, datatype, Budget::default());
            assert!(judged(described.datatype).kind().is_some(), "{text}");
            assert!(judged(other).holds(), "{text}");
            examples += 1;
        }
    }
    assert!(examples >= 6);
}

#[test]
fn every_datatype_has_the_name_that_it_goes_by() {
    for described in &DESCRIBED {
        // Registers and counters of which more is asked are registers and counters.
        let (name, names) = (described.datatype.name(), described.names);
        let asked = ["register", "counter"].contains(&name);
        assert!(names.contains(&name) || asked, "{names:?}");
        let replicated = described.datatype.merged(&Call::read("s"), &Context::empty()).is_some();
        assert_eq!(replicated, !described.formula.is_empty(), "{}", described.names[0]);
    }
    let error = named("set:ad-wins").err().expect("it is misspelt").to_string();
    assert!(error.contains("did you mean `set:add-wins`?"), "{error}");
}

#[test]
fn long_histories_are_judged_or_unknown_and_nothing_else() {
    // Five processes add, each read sees all so far; of the adds one may be lost.
    let long = |adds: i64, lost: Option<i64>| {
        let mut asked: Vec<(Ask, u32)> = Vec::new();
        let seen = |upto: i64| -> Value {
            let all = (0..upto).filter(|element| Some(*element) != lost).map(Value::from);
            all.collect::<Vec<_>>().into()
        };
        for element in 0..adds {
            let process = u32::try_from(element % 5).expect("a few");
            asked.push((Ask::Done(call("add", element.into())), process));
            if element % 50 == 49 {
                asked.push((Ask::Read(seen(element + 1)), 5));
            }
        }
        asked.push((Ask::Last(seen(adds)), 6));
        history(&asked)
    };
    let set = ReplicatedSet::GrowOnly;
    let ccv: Model = "ccv".parse().expect("a model");
    for model in [Model::EVENTUAL, ccv] {
        assert!(check_with(&long(600, None), model, &set, Budget::default()).holds());
        let lossy = long(600, Some(300));
        let verdict = check_with(&lossy, model, &set, Budget::default());
        let Verdict::Violated(found) = &verdict else { panic!("{model}: {verdict:?}") };
        assert!(found.minimal && found.operations.len() <= 3, "{model}: {found:?}");
        assert_eq!(recheck_with(&lossy, model, &set, &verdict), Ok(()));
    }
    // Which of many equal adds a read of a counter sees is not known.
    let mut asked: Vec<(Ask, u32)> = Vec::new();
    for nth in 0..300_u32 {
        asked.push((Ask::Done(call("add", 1.into())), nth % 5));
        asked.push((Ask::Read(i64::from(nth + 1).into()), 5));
    }
    let huge = Budget { steps: u64::MAX / 2, ..Budget::default() };
    let verdict = check_with(&history(&asked), ccv, &Counter, huge);
    assert!(!matches!(verdict, Verdict::Violated(_)), "{verdict:?}");
}

/// What matters between updates is searched for where nothing but the final read
/// tells it.
#[test]
fn a_final_read_decides_what_updates_had_seen() {
    let removed_or_not = [("[]", true), ("[1]", true), ("[2]", false)];
    for datatype in [ReplicatedSet::AddWins, ReplicatedSet::RemoveWins] {
        for (answer, holds) in removed_or_not {
            let text = format!("[add]s=1|[remove]s=1|rs={answer}! @ 001122");
            let history = notation::parse(&text).expect("it is in the notation");
            let verdict = check_with(&history, Model::EVENTUAL, &datatype, Budget::default());
            assert_eq!(verdict.holds(), holds, "{text} as {datatype:?}: {verdict:?}");
        }
    }
}

/// What the checker says of a history in the notation, with evidence that is rechecked.
fn judged(text: &str, datatype: &dyn Datatype, model: Model) -> Verdict {
    let history = notation::parse(text).expect("it is in the notation");
    let verdict = check_with(&history, model, datatype, Budget::default());
    assert_eq!(recheck_with(&history, model, datatype, &verdict), Ok(()), "{text}: {verdict:?}");
    verdict
}

#[test]
fn one_arbitration_serves_all_reads_where_the_model_says_so() {
    // Each session saw its own update, and then the other one as the later.
    let text = "[remove]s=1 rs=[1]|[add]s=1 rs=[] @ 01010101";
    let holds = |scope| {
        let model = Model::Grid(Grid { guarantees: Guarantees::RYW, scope, eventual: false });
        judged(text, &ReplicatedSet::LastWriter, model).holds()
    };
    assert_eq!([Scope::Global, Scope::Session, Scope::Read].map(holds), [false, true, true]);
}

/// Of registers in a map the whole order of the writes matters.
#[test]
fn writes_to_a_map_may_have_any_order_but_one_for_all() {
    let map = named("map:register").expect("it is known").datatype;
    let last = "[write]t=[1,7]|[write]t=[1,8]|rt=[[1,7]]! @ 001122";
    assert!(judged(last, map, Model::EVENTUAL).holds());
    assert!(judged(&last.replace("[[1,7]]", "[[1,8]]"), map, Model::EVENTUAL).holds());
    let apart = "[write]t=[1,7] rt=[[1,8]]|[write]t=[1,8] rt=[[1,7]] @ 01010101";
    assert!(!judged(apart, map, Model::READ_YOUR_WRITES).holds());
}

#[test]
fn what_failed_did_nothing_and_what_is_open_may_have_happened() {
    let kind = |text: &str, datatype: &dyn Datatype| judged(text, datatype, Model::BASE).kind();
    assert_eq!(kind("[add]x=1?|rx=1 @ 011", &Counter), None);
    assert_eq!(kind("[add]x=1~|rx=1 @ 0011", &Counter), Some(Kind::Illegal));
    assert_eq!(kind("[add]s=1~|rs=[1] @ 0011", &ReplicatedSet::AddWins), Some(Kind::Illegal));
}

#[test]
fn reads_at_quiescence_diverge_only_about_one_object() {
    let holds =
        |text: &str, datatype: &dyn Datatype| judged(text, datatype, Model::EVENTUAL).holds();
    assert!(holds("[add]x=1|rx=1!|ry=0! @ 001122", &Counter));
    // Elements of a set have no order.
    let set = "[add]s=1|[add]s=2|rs=[1,2]!|rs=[2,1]! @ 00112233";
    assert!(holds(set, &ReplicatedSet::AddWins));
}

#[test]
fn a_counterexample_keeps_what_its_reason_names_and_says_if_it_is_minimal() {
    let found = |text: &str, model| match judged(text, &ReplicatedSet::AddWins, model) {
        Verdict::Violated(found) => found,
        other => panic!("{text}: {other:?}"),
    };
    let lost = found("[add]s=2|[add]s=3|[add]s=1|rs=[]! @ 00112233", Model::EVENTUAL);
    assert!(matches!(lost.reason, Reason::Missing { read: 3, .. }), "{lost:?}");
    assert_eq!((lost.operations.len(), lost.minimal), (2, true));
    let thin = found("[add]s=1|rs=[1]|rs=[2] @ 001122", Model::BASE);
    assert_eq!((thin.reason, thin.operations), (Reason::Thin { read: 2 }, vec![2]));
    let text = "[add]s=1|rs=[1]|rs=[2] @ 001122";
    let history = notation::parse(text).expect("it is in the notation");
    let hasty = Budget { minimise: 0, ..Budget::default() };
    let verdict = check_with(&history, Model::BASE, &ReplicatedSet::AddWins, hasty);
    assert!(matches!(verdict, Verdict::Violated(found) if !found.minimal));
}
