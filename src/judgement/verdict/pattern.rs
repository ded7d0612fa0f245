//! The classic patterns of objects that are no registers: a few operations that no order
//! explains, whatever else was done.
//!
//! Invariant: a pattern that is found in a history is in no order of it. Each is a rule about
//! what comes before what: by session, and in real time where the model asks for that. Not
//! every history without an order has one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::datatype::{Datatype, Lock, Queue, Set, Stack, UniqueId, UnorderedQueue};
use crate::judgement::model::{Model, Reads, Time, Views};

/// Larger histories are not looked at: nobody would read so long a pattern.
const OPERATIONS_MAX: usize = 64;

/// A pattern, and the operations that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Which one.
    pub shape: Shape,
    /// Their positions (ascending) in the history that was looked at. In a
    /// [`Reason`](super::Reason) this is [the part](super::Counterexample::of).
    pub operations: Vec<usize>,
}

/// What is wrong with a few operations on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A value came out, and nobody puts it in.
    NeverPutIn(Value),
    /// A value came out before it was put in.
    TooEarly(Value),
    /// A value came out more often than it was put in.
    TooOften {
        /// The value.
        value: Value,
        /// How often it was put in.
        put: usize,
        /// How often it came out.
        out: usize,
    },
    /// The second value of a queue was put in after the first, and came out before it.
    Overtaken {
        /// What was put in first.
        first: Value,
        /// What came out first.
        second: Value,
    },
    /// Nothing was found while one of these values after the other was inside.
    NotEmpty(Vec<Value>),
    /// Nothing was found, although these values had been put in and those who are known to have
    /// taken values had not taken them: more than others can have taken by then.
    TooFewTakes {
        /// What had been put in, a value as often as it is missing.
        inside: Vec<Value>,
        /// How many takes of unknown outcome can have come before.
        takes: usize,
    },
    /// A value of a stack came out while one of these after the other was inside, all put in
    /// after it.
    Below {
        /// What came out.
        value: Value,
        /// What was on top of it.
        above: Vec<Value>,
    },
    /// A value of a stack was put in while one of these after the other was inside, all of
    /// which came out before it.
    Above {
        /// What was put in.
        value: Value,
        /// What it was put on.
        below: Vec<Value>,
    },
    /// An element of a set was found that nobody had added.
    NotAdded(Value),
    /// An element of a set was not found that was there, and that nobody had removed.
    Vanished(Value),
    /// An element of a set was found that was gone, and that nobody had added again.
    CameBack(Value),
    /// One read of a set saw the first of two elements without the second, another one the
    /// second without the first, and nobody removes them in between.
    Crossed([Value; 2]),
    /// A lock was acquired twice without a release in between.
    HeldTwice,
    /// A lock was released by who had not acquired it.
    NotHeld,
    /// A lock was released twice without being acquired in between.
    FreedTwice,
    /// A lock gave the first of these tokens before the second, which is not larger.
    TokenNotLarger([i64; 2]),
    /// A name was given twice.
    GivenTwice(Value),
}

impl Pattern {
    /// A pattern in the operations of a history that no order explains for which this model
    /// asks. `None` if there is none that is known, if the model asks for something else, or
    /// if objects hold something at first. Of more than 64 operations none is looked for.
    pub fn of(history: &History, model: Model, datatype: &dyn Datatype) -> Option<Pattern> {
        let asked =
            model.orders().filter(|asked| asked.session && asked.reads == Reads::LastOf(1))?;
        let real_time = match (asked.views, asked.time) {
            (Views::One, Time::ReturnsBefore { reads_earlier: 0 }) => true,
            (Views::One | Views::Key, Time::Ignored) => false,
            _ => return None,
        };
        let operations = history.operations();
        if operations.len() > OPERATIONS_MAX {
            return None;
        }
        let mut keys: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            if operation.completion != Completion::Fail {
                keys.entry(&operation.call.key).or_default().push(at);
            }
        }
        keys.into_iter().find_map(|(key, all)| {
            let object = Object { operations, all, real_time };
            let name = datatype.name_of(key);
            let held = datatype.initial(key);
            let is = |it: &dyn Datatype| name == it.name() && held == it.initial(key);
            match () {
                () if is(&Queue) => object.queue(),
                () if is(&Stack) => object.stack(),
                () if is(&UnorderedQueue) => Values::of(&object, "enqueue").astray(),
                () if is(&Set) => object.set(),
                () if is(&Lock) => object.lock(),
                () if is(&UniqueId) => object.names(),
                () => None,
            }
        })
    }
}

/// The operations on one object that may have happened.
struct Object<'a> {
    operations: &'a [Operation],
    /// Their positions, ascending.
    all: Vec<usize>,
    /// Whether the order keeps real time, besides sessions.
    real_time: bool,
}

impl<'a> Object<'a> {
    /// Whether every order has the first before the second.
    fn before(&self, first: usize, second: usize) -> bool {
        let (a, b) = (&self.operations[first], &self.operations[second]);
        a.process == b.process && first < second || self.real_time && a.returns_before(b)
    }

    fn name(&self, at: usize) -> &'a str {
        self.operations[at].call.f.as_str()
    }

    fn argument(&self, at: usize) -> &'a Value {
        &self.operations[at].call.argument
    }

    fn answer(&self, at: usize) -> Option<&'a Value> {
        self.operations[at].result()
    }

    fn queue(&self) -> Option<Pattern> {
        let values = Values::of(self, "enqueue");
        values.astray().or_else(|| values.overtaken()).or_else(|| values.found_nothing())
    }

    fn stack(&self) -> Option<Pattern> {
        let values = Values::of(self, "push");
        let order = || values.below().or_else(|| values.above());
        values.astray().or_else(order).or_else(|| values.found_nothing())
    }

    fn names(&self) -> Option<Pattern> {
        let mut given: BTreeMap<&Value, usize> = BTreeMap::new();
        self.all.iter().find_map(|&at| {
            let name = self.answer(at)?;
            let first = given.insert(name, at)?;
            Some(Shape::GivenTwice(name.clone()).shown_by([first, at]))
        })
    }
}

impl Shape {
    fn shown_by(self, operations: impl IntoIterator<Item = usize>) -> Pattern {
        let operations: BTreeSet<usize> = operations.into_iter().collect();
        Pattern { shape: self, operations: operations.into_iter().collect() }
    }
}

/// What is put into an object and taken out again.
struct Values<'a, 'b> {
    object: &'b Object<'a>,
    /// Who puts each value in, and who took it out.
    known: BTreeMap<&'a Value, (Vec<usize>, Vec<usize>)>,
    /// Those that are put in once and came out at most once.
    lives: Vec<Life<'a>>,
    /// Who found nothing.
    empty: Vec<usize>,
    /// Who may have taken any value.
    open: Vec<usize>,
}

struct Life<'a> {
    value: &'a Value,
    put: usize,
    /// Who took it out.
    out: Option<usize>,
    /// Who took it out, or may have done so.
    takes: Vec<usize>,
}

impl<'a, 'b> Values<'a, 'b> {
    fn of(object: &'b Object<'a>, put: &str) -> Self {
        let mut known: BTreeMap<&Value, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        let (mut empty, mut open) = (Vec::new(), Vec::new());
        for &at in &object.all {
            match object.answer(at) {
                _ if object.name(at) == put => {
                    known.entry(object.argument(at)).or_default().0.push(at);
                }
                None => open.push(at),
                Some(Value::Null) => empty.push(at),
                Some(value) => known.entry(value).or_default().1.push(at),
            }
        }
        // Then nobody knows whether this means that nothing was found.
        if known.contains_key(&Value::Null) {
            empty.clear();
            known.remove(&Value::Null);
        }
        let lives = known.iter().filter_map(|(value, (puts, outs))| {
            let &[put] = &puts[..] else { return None };
            let takes = if outs.is_empty() { open.clone() } else { outs.clone() };
            let life = Life { value, put, out: outs.first().copied(), takes };
            (outs.len() < 2).then_some(life)
        });
        let lives = lives.collect();
        Values { object, known, lives, empty, open }
    }

    fn before(&self, first: usize, second: usize) -> bool {
        self.object.before(first, second)
    }

    /// A value that came out more often than it was inside.
    fn astray(&self) -> Option<Pattern> {
        self.known.iter().find_map(|(&value, (puts, outs))| {
            let early = |out: &&usize| puts.iter().all(|put| self.before(**out, *put));
            if let Some(&out) = outs.iter().find(early) {
                return Some(match puts.is_empty() {
                    true => Shape::NeverPutIn(value.clone()).shown_by([out]),
                    false => {
                        let shown = puts.iter().copied().chain([out]);
                        Shape::TooEarly(value.clone()).shown_by(shown)
                    }
                });
            }
            let (put, out) = (puts.len(), outs.len());
            let often = Shape::TooOften { value: value.clone(), put, out };
            (out > put).then(|| often.shown_by(puts.iter().chain(outs).copied()))
        })
    }

    fn overtaken(&self) -> Option<Pattern> {
        let pairs = self.lives.iter().flat_map(|a| self.lives.iter().map(move |b| (a, b)));
        let mut all = pairs.filter_map(|(a, b)| {
            let out = b.out?;
            let found =
                self.before(a.put, b.put) && a.takes.iter().all(|take| self.before(out, *take));
            let (first, second) = (a.value.clone(), b.value.clone());
            let shape = Shape::Overtaken { first, second };
            found.then(|| shape.shown_by([a.put, b.put, out].into_iter().chain(a.out)))
        });
        all.next()
    }

    fn found_nothing(&self) -> Option<Pattern> {
        self.not_empty().or_else(|| self.too_few_takes())
    }

    /// Nothing was found, and whoever may have come before cannot have taken all that was put
    /// in before: known takes only their own values, others one value each.
    fn too_few_takes(&self) -> Option<Pattern> {
        self.empty.iter().find_map(|&at| {
            let sooner = |takes: &[usize]| -> Vec<usize> {
                takes.iter().copied().filter(|take| !self.before(at, *take)).collect()
            };
            let open = sooner(&self.open);
            let (mut inside, mut shown) = (Vec::new(), Vec::new());
            for (&value, (puts, outs)) in &self.known {
                let puts = puts.iter().copied().filter(|put| self.before(*put, at));
                let puts: Vec<usize> = puts.collect();
                let left = puts.len().saturating_sub(sooner(outs).len());
                let needed = left.min(open.len() + 1 - inside.len());
                if needed > 0 {
                    inside.extend(std::iter::repeat_n(value.clone(), needed));
                    shown.extend(puts.iter().chain(outs));
                }
            }
            let takes = open.len();
            let found = inside.len() > takes;
            let shape = Shape::TooFewTakes { inside, takes };
            found.then(|| shape.shown_by(shown.into_iter().chain(open).chain([at])))
        })
    }

    fn not_empty(&self) -> Option<Pattern> {
        self.empty.iter().find_map(|&at| {
            let inside = self.covering(at, &|_| true)?;
            Some(Shape::NotEmpty(values(&inside)).shown_by(self.shown(&inside).chain([at])))
        })
    }

    fn below(&self) -> Option<Pattern> {
        self.lives.iter().find_map(|life| {
            let out = life.out?;
            let above = self.covering(out, &|other| self.before(life.put, other.put))?;
            let shape = Shape::Below { value: life.value.clone(), above: values(&above) };
            Some(shape.shown_by(self.shown(&above).chain([life.put, out])))
        })
    }

    fn above(&self) -> Option<Pattern> {
        self.lives.iter().find_map(|life| {
            // It may not have happened.
            if life.out.is_none() && self.object.answer(life.put).is_none() {
                return None;
            }
            let sooner = |other: &Life| {
                other.out.is_some_and(|out| life.takes.iter().all(|take| self.before(out, *take)))
            };
            let below = self.covering(life.put, &sooner)?;
            let shape = Shape::Above { value: life.value.clone(), below: values(&below) };
            Some(shape.shown_by(self.shown(&below).chain([life.put]).chain(life.out)))
        })
    }

    /// The fewest of these values such that in every order one of them is inside when this
    /// operation happens: the first was put in before, each was put in before the one before it
    /// came out, and the last came out after it.
    fn covering(&self, at: usize, counts: &dyn Fn(&Life<'_>) -> bool) -> Option<Vec<&Life<'a>>> {
        let all: Vec<&Life> = self.lives.iter().filter(|life| counts(life)).collect();
        let mut from: Vec<Option<usize>> = vec![None; all.len()];
        let first = |nth: &usize| self.before(all[*nth].put, at);
        let mut next: VecDeque<usize> = (0..all.len()).filter(first).collect();
        let mut seen: BTreeSet<usize> = next.iter().copied().collect();
        while let Some(nth) = next.pop_front() {
            let later = |than: usize| all[nth].takes.iter().all(|take| self.before(than, *take));
            if later(at) {
                let mut chain = vec![all[nth]];
                let mut last = nth;
                while let Some(before) = from[last] {
                    chain.push(all[before]);
                    last = before;
                }
                chain.reverse();
                return Some(chain);
            }
            for other in 0..all.len() {
                if later(all[other].put) && seen.insert(other) {
                    from[other] = Some(nth);
                    next.push_back(other);
                }
            }
        }
        None
    }

    /// Who puts these values in and took them out.
    fn shown(&self, lives: &[&Life<'_>]) -> impl Iterator<Item = usize> {
        let shown = lives.iter().flat_map(|life| life.out.into_iter().chain([life.put]));
        shown.collect::<Vec<_>>().into_iter()
    }
}

fn values(lives: &[&Life<'_>]) -> Vec<Value> {
    lives.iter().map(|life| life.value.clone()).collect()
}

/// What an operation says of one element of a set.
#[derive(Clone, Copy)]
struct Said {
    at: usize,
    /// Whether it found the element there.
    found: Option<bool>,
    /// Whether the element is there afterwards, if it happened.
    leaves: bool,
    /// Whether it may have made that so.
    changes: bool,
}

/// An element of a set, and what is said of it.
struct Element<'a, 'b> {
    object: &'b Object<'a>,
    value: &'a Value,
    said: Vec<Said>,
}

impl<'a, 'b> Element<'a, 'b> {
    fn of(object: &'b Object<'a>, value: &'a Value) -> Self {
        let said = |&at: &usize| {
            let (found, leaves, changes) = match (object.name(at), object.answer(at)) {
                ("read", Some(Value::List(seen))) => {
                    (Some(seen.contains(value)), seen.contains(value), false)
                }
                _ if object.argument(at) != value => return None,
                ("remove", _) => (None, false, true),
                ("add", _) => (None, true, true),
                // An `add-if-absent` answers 0 if the element is there.
                (_, answer) => {
                    let found = answer.map(|answer| *answer == Value::from(0));
                    (found, true, found != Some(true))
                }
            };
            Some(Said { at, found, leaves, changes })
        };
        Element { object, value, said: object.all.iter().filter_map(said).collect() }
    }

    /// What makes it be there, or be gone.
    fn changes(&self, there: bool) -> impl Iterator<Item = usize> + '_ {
        let all = self.said.iter().filter(move |said| said.changes && said.leaves == there);
        all.map(|said| said.at)
    }

    /// Whether something that makes it be there, or be gone, can come in between.
    fn fits(&self, first: usize, last: usize, there: bool) -> bool {
        let before = |a, b| self.object.before(a, b);
        self.changes(there).any(|at| !before(at, first) && !before(last, at))
    }

    fn alone(&self) -> Option<Pattern> {
        self.said.iter().find_map(|last| {
            let found = last.found?;
            if found && self.changes(true).all(|at| self.object.before(last.at, at)) {
                return Some(Shape::NotAdded(self.value.clone()).shown_by([last.at]));
            }
            let first = self.said.iter().find(|first| {
                first.leaves != found
                    && self.object.before(first.at, last.at)
                    && !self.fits(first.at, last.at, found)
            })?;
            let shape = if found { Shape::CameBack } else { Shape::Vanished };
            Some(shape(self.value.clone()).shown_by([first.at, last.at]))
        })
    }

    /// Whether only the first of these reads can have come first: it alone saw the element,
    /// and nobody removes it in between.
    fn is_only_in(&self, seen: usize, missed: usize) -> bool {
        let found = |at: usize| self.said.iter().find(|said| said.at == at)?.found;
        let kept = || self.object.before(missed, seen) || !self.fits(seen, missed, false);
        found(seen) == Some(true) && found(missed) == Some(false) && kept()
    }
}

impl<'a> Object<'a> {
    fn set(&self) -> Option<Pattern> {
        let mut elements: BTreeSet<&Value> = BTreeSet::new();
        let mut reads = Vec::new();
        for &at in &self.all {
            match self.operations[at].answer() {
                Some(Value::List(seen)) => {
                    elements.extend(seen);
                    reads.push(at);
                }
                _ if self.name(at) == "read" => {}
                _ => drop(elements.insert(self.argument(at))),
            }
        }
        let elements: Vec<_> = elements.into_iter().map(|it| Element::of(self, it)).collect();
        let crossed = || {
            let pairs = reads.iter().flat_map(|a| reads.iter().map(move |b| (*a, *b)));
            let mut all = pairs.filter(|(a, b)| a < b).filter_map(|(a, b)| {
                let only = |seen, missed| elements.iter().find(|it| it.is_only_in(seen, missed));
                let both = [only(a, b)?, only(b, a)?].map(|element| element.value.clone());
                Some(Shape::Crossed(both).shown_by([a, b]))
            });
            all.next()
        };
        elements.iter().find_map(Element::alone).or_else(crossed)
    }

    fn lock(&self) -> Option<Pattern> {
        let between = |at: usize, a: usize, b: usize| !self.before(at, a) && !self.before(b, at);
        let released = |a: usize, b: usize| {
            self.named("release").any(|at| self.frees(at, a) && between(at, a, b))
        };
        let acquired = |a: usize, b: usize| {
            self.named("acquire").any(|at| self.frees(b, at) && between(at, a, b))
        };
        let not_held = || {
            let held = |release: &usize| {
                let mut all = self.named("acquire");
                all.any(|at| self.frees(*release, at) && !self.before(*release, at))
            };
            let release = self.done("release").into_iter().find(|release| !held(release))?;
            Some(Shape::NotHeld.shown_by([release]))
        };
        not_held()
            .or_else(|| Some(Shape::HeldTwice.shown_by(self.twice("acquire", &released)?)))
            .or_else(|| Some(Shape::FreedTwice.shown_by(self.twice("release", &acquired)?)))
            .or_else(|| self.tokens())
    }

    fn named<'b>(&'b self, name: &'b str) -> impl Iterator<Item = usize> + 'b {
        self.all.iter().copied().filter(move |at| self.name(*at) == name)
    }

    /// Those that were answered.
    fn done(&self, name: &str) -> Vec<usize> {
        self.named(name).filter(|at| self.answer(*at).is_some()).collect()
    }

    /// Two that happened, whichever came first, without what must come between them.
    fn twice(&self, name: &str, between: &dyn Fn(usize, usize) -> bool) -> Option<[usize; 2]> {
        let no_order = |a, b| self.before(b, a) || !between(a, b);
        let done = self.done(name);
        let mut pairs = done.iter().flat_map(|a| done.iter().map(move |b| [*a, *b]));
        pairs.find(|&[a, b]| a < b && no_order(a, b) && no_order(b, a))
    }

    /// Whether this release can be of this acquire.
    fn frees(&self, release: usize, acquire: usize) -> bool {
        let [by, of] = [release, acquire].map(|at| self.argument(at));
        *by == Value::Null || *of == Value::Null || by == of
    }

    /// Two tokens of which the later one is not larger.
    fn tokens(&self) -> Option<Pattern> {
        let token = |at: &usize| match self.answer(*at)? {
            // Some recordings repeat the argument.
            answer if answer == self.argument(*at) => None,
            Value::Int(token) => Some((*at, *token)),
            _ => None,
        };
        let all: Vec<(usize, i64)> = self.done("acquire").iter().filter_map(token).collect();
        let mut pairs = all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b)));
        pairs.find_map(|((a, first), (b, second))| {
            let found = a < b && first == second || self.before(a, b) && second <= first;
            found.then(|| Shape::TokenNotLarger([first, second]).shown_by([a, b]))
        })
    }
}
