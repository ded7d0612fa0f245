//! A counterexample in words.

use std::borrow::Cow;
use std::cell::Cell;
use std::mem;

use crate::history::{Completion, Function, History, Operation, Value, escape};

use super::super::datatype;
use super::evidence::Counterexample;
use super::pattern::{Pattern, Shape};
use super::reason::{Because, Fact, Place, Reason, Source, Step, Why};

/// How many operations of a path are named at least, however few steps are
/// left.
const PATH_MIN: usize = 4;

/// How many operations of a list are named at most.
const LISTED_MAX: usize = 8;

impl Counterexample {
    /// Tells in plain sentences why the history is not allowed.
    ///
    /// ```
    /// use quiescence::history::notation;
    /// use quiescence::judgement::{Budget, Model, Verdict, check};
    ///
    /// let history = notation::parse("wx1 rx0")?;
    /// let verdict = check(&history, Model::READ_YOUR_WRITES, Budget::default());
    /// let Verdict::Violated(counterexample) = verdict else { panic!("x=1 was not seen") };
    /// assert_eq!(
    ///     counterexample.explain(&history),
    ///     "process 0 wrote x=1, then read x and saw nothing; \
    ///      a process must see its own writes (read-your-writes)"
    /// );
    /// # Ok::<(), quiescence::history::Malformed>(())
    /// ```
    ///
    /// # Panics
    /// If the counterexample is not about this history.
    pub fn explain(&self, history: &History) -> String {
        let operations = history.operations();
        let who = |at: usize| format!("process {}", operations[at].process.0);
        self.explain_by(history, &who)
    }

    /// As [`explain`](Self::explain), with `who` saying who issued the operation
    /// at a position of the history.
    ///
    /// # Panics
    /// If the counterexample is not about this history.
    pub fn explain_by(&self, history: &History, who: &dyn Fn(usize) -> String) -> String {
        self.explain_in(usize::MAX, history, who).0
    }

    /// As [`explain_by`](Self::explain_by), where `mark` is given every operation that is
    /// told of, by position, with the words that tell of it, and says what stands there
    /// instead: a link to it, for example.
    ///
    /// # Panics
    /// If the counterexample is not about this history.
    pub fn explain_marked(
        &self,
        history: &History,
        who: &dyn Fn(usize) -> String,
        mark: &dyn Fn(usize, String) -> String,
    ) -> String {
        self.prose(usize::MAX, history, who, mark).0
    }

    /// As [`explain_by`](Self::explain_by), in at most `steps` steps: `…` replaces
    /// the others, and their number is returned too.
    ///
    /// # Panics
    /// If the counterexample is not about this history.
    pub fn explain_in(
        &self,
        steps: usize,
        history: &History,
        who: &dyn Fn(usize) -> String,
    ) -> (String, usize) {
        self.prose(steps, history, who, &|_, told| told)
    }

    fn prose(
        &self,
        steps: usize,
        history: &History,
        who: &dyn Fn(usize) -> String,
        mark: &dyn Fn(usize, String) -> String,
    ) -> (String, usize) {
        let prose = Prose {
            operations: history.operations(),
            part: &self.operations,
            restricted: &self.restricted,
            who,
            mark,
            left: Cell::new(steps),
            left_out: Cell::new(0),
        };
        let text = match &self.reason {
            Reason::NoOrder { shows: Some(Pattern { shape, operations }), .. } => {
                let places = operations.iter().map(|place| self.operations[*place]);
                format!("{}: {}", said(shape), prose.in_time(&places.collect::<Vec<_>>()))
            }
            Reason::NoOrder { model, shows: None } => {
                format!("{}: {}", model.nothing_explains(), prose.in_time(&self.operations))
            }
            Reason::Contradictory => {
                format!("{CONTRADICTORY}: {}", prose.in_time(&self.operations))
            }
            reason => prose.reason(reason),
        };
        (text, prose.left_out.get())
    }
}

/// What the operation at a position of a history did, without who: `wrote x=1 at n1`,
/// `read x and saw nothing`.
///
/// # Panics
/// If the history has no such position.
pub fn deed(history: &History, at: usize) -> String {
    let who = |_: usize| String::new();
    let operations = history.operations();
    let (left, left_out) = (Cell::new(0), Cell::new(0));
    let mark = |_, told| told;
    Prose { operations, part: &[], restricted: &[], who: &who, mark: &mark, left, left_out }
        .deed(at)
}

const CONTRADICTORY: &str =
    "no order of the elements, as the datatype asks for it, fits all of these answers";

/// What is wrong with the operations of a pattern.
fn said(shape: &Shape) -> String {
    let listed = |all: &[Value], between: &str| {
        let verb = if all.len() == 1 { "was" } else { "were" };
        let all: Vec<String> = all.iter().map(short).collect();
        format!("{} {verb} inside", all.join(between))
    };
    let inside = |all: &[Value]| listed(all, ", then ");
    let times = |number: &usize| match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    };
    let one = |value: &Value| short(value);
    match shape {
        Shape::NeverPutIn(value) => {
            format!("{} came out, and nobody had put it in by then", one(value))
        }
        Shape::TooEarly(value) => format!("{} came out before it was put in", one(value)),
        Shape::TooOften { value, put, out } => {
            format!("{} came out {}, and had been put in {}", one(value), times(out), times(put))
        }
        Shape::Overtaken { first, second } => {
            let (first, second) = (one(first), one(second));
            format!("{first} was put in before {second}, but {second} came out first")
        }
        Shape::NotEmpty(all) => format!("nothing was found although {}", inside(all)),
        Shape::TooFewTakes { inside, takes } => {
            let takes = match takes {
                0 => "no take".to_owned(),
                1 => "only one take".to_owned(),
                more => format!("only {more} takes"),
            };
            let inside = listed(inside, ", ");
            format!(
                "nothing was found although {inside}, and {takes} of unknown outcome can have come \
                 before"
            )
        }
        Shape::Below { value, above } => {
            format!("{} came out while {}, put in after it", one(value), inside(above))
        }
        Shape::Above { value, below } => {
            format!("{} was put in while {}, and came out later", one(value), inside(below))
        }
        Shape::NotAdded(element) => {
            format!("{} was found, and nobody had added it by then", one(element))
        }
        Shape::Vanished(element) => {
            format!("{} was there and then was not, and nobody had removed it", one(element))
        }
        Shape::CameBack(element) => {
            format!("{} was gone and then was there, and nobody had added it again", one(element))
        }
        Shape::Crossed([a, b]) => format!(
            "one saw {} without {}, another {} without {}, and nobody removed them in between",
            one(a),
            one(b),
            one(b),
            one(a)
        ),
        Shape::HeldTwice => "two held it, and nobody released it in between".to_owned(),
        Shape::NotHeld => "it was released by one who had not acquired it".to_owned(),
        Shape::FreedTwice => "it was released twice, and nobody acquired it in between".to_owned(),
        Shape::TokenNotLarger([first, second]) if first == second => {
            format!("the token {first} was given twice")
        }
        Shape::TokenNotLarger([first, second]) => {
            format!("the token {second} was given after {first}, and is not larger")
        }
        Shape::GivenTwice(name) => format!("{} was given twice", one(name)),
    }
}

struct Prose<'a> {
    operations: &'a [Operation],
    /// The operations of the counterexample.
    part: &'a [usize],
    /// What is left of answers that tell of more than the others are about.
    restricted: &'a [(usize, Value)],
    /// Who issued an operation.
    who: &'a dyn Fn(usize) -> String,
    /// What stands in place of the words that tell of an operation.
    mark: &'a dyn Fn(usize, String) -> String,
    /// How many steps may still be explained.
    left: Cell<usize>,
    /// How many were left out.
    left_out: Cell<usize>,
}

/// What was written, or seen: `x=1`, `nothing`.
fn shown(value: &Value) -> String {
    if *value == Value::Null { "nothing".to_owned() } else { short(value) }
}

/// A key, a value or a call; shortened if it is long.
fn short(text: &impl ToString) -> String {
    escape::short(&text.to_string()).into_owned()
}

impl Prose<'_> {
    /// How many of these steps may be explained; they are taken from the limit.
    fn take(&self, steps: usize) -> usize {
        let taken = steps.min(self.left.get());
        self.left.set(self.left.get() - taken);
        self.left_out.set(self.left_out.get() + steps - taken);
        taken
    }

    /// The steps one after the other; if the limit does not allow all, the first and the
    /// last.
    fn told(&self, steps: &[String]) -> String {
        self.folded(steps, |_| true)
    }

    /// The steps one after the other; if the limit does not allow all, those at which the
    /// proof `turns`, or the first and the last of those.
    fn folded(&self, steps: &[String], turns: impl Fn(usize) -> bool) -> String {
        let room = self.left.get();
        let mut kept: Vec<usize> = (0..steps.len()).collect();
        if kept.len() > room {
            kept.retain(|at| turns(*at));
        }
        if let Some(many) = kept.len().checked_sub(room) {
            kept.drain(room.div_ceil(2)..room.div_ceil(2) + many);
        }
        self.take(kept.len());
        self.left_out.set(self.left_out.get() + steps.len() - kept.len());
        let (mut told, mut next) = (Vec::new(), 0);
        for at in kept.into_iter().chain([steps.len()]) {
            if let Some(between @ 1..) = at.checked_sub(next) {
                told.push(format!("… {between} more …"));
            }
            told.extend(steps.get(at).cloned());
            next = at + 1;
        }
        told.join("; ")
    }

    /// The cases one after the other. Each counts as a step, besides its own
    /// steps.
    fn cases<F: FnOnce() -> String>(&self, cases: impl Iterator<Item = F>) -> String {
        let mut told = Vec::new();
        for case in cases {
            if self.take(1) == 1 {
                told.push(case());
            } else if told.last().is_none_or(|last| last != "…") {
                told.push("…".to_owned());
            }
        }
        told.join(". ")
    }

    fn who(&self, at: usize) -> String {
        (self.who)(at)
    }

    /// What happened, without who: `wrote x=1 at n1`.
    fn deed(&self, at: usize) -> String {
        (self.mark)(at, self.unmarked_deed(at))
    }

    fn unmarked_deed(&self, at: usize) -> String {
        let operation = &self.operations[at];
        let key = short(&operation.call.key);
        let place = operation.node.map_or_else(String::new, |node| format!(" at {node}"));
        match operation.answer() {
            Some(value) => {
                let when = if operation.final_read { " at quiescence" } else { "" };
                // What is short is shown as it is.
                let long = matches!(escape::short(&value.to_string()), Cow::Owned(_));
                let left = self.restricted.iter().find(|(of, _)| *of == at && long);
                let saw = match left.map(|(_, left)| left) {
                    None => shown(value),
                    Some(Value::List(none)) if none.is_empty() => "none of these".to_owned(),
                    Some(left) => format!("{} of these", shown(left)),
                };
                format!("read {key}{place}{when} and saw {saw}")
            }
            None if operation.call.is_write() => {
                let known = match &operation.completion {
                    Completion::Ok(_) => "",
                    Completion::Info => " (outcome unknown)",
                    Completion::Fail => ", which failed",
                };
                format!(
                    "wrote {key}={}{}{place}{known}",
                    short(&operation.call.argument),
                    self.which(at)
                )
            }
            None => {
                let asked = format!("asked for `{}`{place}", short(&operation.call));
                match &operation.completion {
                    Completion::Ok(Value::Null) => asked,
                    Completion::Ok(answer) => format!("{asked} and was answered {}", short(answer)),
                    Completion::Info => format!("{asked} (outcome unknown)"),
                    Completion::Fail => format!("{asked}, which failed"),
                }
            }
        }
    }

    /// That an update was acknowledged, if it was.
    fn acknowledged(&self, at: usize) -> &'static str {
        if self.operations[at].is_pending() { "" } else { " and was answered" }
    }

    fn did(&self, at: usize) -> String {
        format!("{} {}", self.who(at), self.deed(at))
    }

    /// A name for the operation: `the write x=1 of process 0`.
    fn name(&self, at: usize) -> String {
        (self.mark)(at, self.unmarked_name(at))
    }

    fn unmarked_name(&self, at: usize) -> String {
        let operation = &self.operations[at];
        let key = short(&operation.call.key);
        match operation.answer() {
            Some(value) => format!("{}'s read of {key} ({})", self.who(at), shown(value)),
            None if operation.call.is_write() => {
                format!("{key}={}{}", short(&operation.call.argument), self.which(at))
            }
            None => format!("{}'s `{}`", self.who(at), short(&operation.call)),
        }
    }

    /// Which one it is of several writes of one value: ` (1 of 2)`.
    fn which(&self, at: usize) -> String {
        let same = |other: &&usize| self.operations[**other].call == self.operations[at].call;
        let alike: Vec<usize> = self.part.iter().filter(same).copied().collect();
        match alike.iter().position(|other| *other == at) {
            Some(place) if alike.len() > 1 => format!(" ({} of {})", place + 1, alike.len()),
            _ => String::new(),
        }
    }

    /// Two operations of one process.
    fn then(&self, first: usize, second: usize) -> String {
        format!("{}, then {}", self.did(first), self.deed(second))
    }

    /// Operations in order of invocation: `then` after all before have
    /// returned, `meanwhile` otherwise.
    fn in_time(&self, part: &[usize]) -> String {
        let mut text = String::new();
        let taken = self.take(part.len());
        for (nth, &at) in part.iter().enumerate().take(taken) {
            let after =
                |&before: &usize| self.operations[before].returns_before(&self.operations[at]);
            match nth {
                0 => {}
                _ if part[..nth].iter().all(after) => text.push_str("; then "),
                _ => text.push_str("; meanwhile "),
            }
            text.push_str(&self.did(at));
        }
        if taken < part.len() { text + "; …" } else { text }
    }

    fn reason(&self, reason: &Reason) -> String {
        match reason {
            Reason::Thin { read } => {
                let key = &self.operations[*read].call.key;
                let other = |op: &Operation| matches!(&op.call.f, Function::Other(f) if f != "cas");
                let others = self.operations.iter().any(|op| op.call.key == *key && other(op));
                let why = if others { "which nothing explains" } else { "which nobody wrote" };
                format!("{}, {why}", self.did(*read))
            }
            Reason::FailedWriteSeen { read, write } => format!(
                "{}, but the write {} of {} had failed",
                self.did(*read),
                self.name(*write),
                self.who(*write)
            ),
            Reason::Unfounded { read, among } => self.unfounded(*read, among),
            Reason::CausalCycle { cycle } => {
                let pairs = cycle.iter().zip(cycle.iter().cycle().skip(1));
                let links: Vec<_> = pairs.map(|(&a, &b)| self.link(a, b)).collect();
                format!("causes run in a cycle: {}", self.told(&links))
            }
            Reason::InitialRead { read, write, steps } => self.initial_read(*read, *write, steps),
            Reason::ArbitrationCycle { cycle, steps } => {
                let ring = [&cycle[..], &cycle[..1]].concat();
                let steps = self.steps(steps);
                format!("{steps}; so the order of the writes would be {}", self.path(&ring))
            }
            Reason::Diverged { first, second } => {
                format!("{}, and {}: they will never agree", self.did(*first), self.did(*second))
            }
            Reason::Lost { read, write, seen_by } => {
                let proof = match seen_by {
                    Some(seen_by) => format!(" and {}", self.did(*seen_by)),
                    None => " and was answered".to_owned(),
                };
                format!("{}{proof}; yet {}: the write is lost", self.did(*write), self.did(*read))
            }
            Reason::Missing { read, update } => format!(
                "{}{}; yet {}: the update is missing there",
                self.did(*update),
                self.acknowledged(*update),
                self.did(*read)
            ),
            Reason::Resurrected { read, update } => format!(
                "{}{}; yet {}, as if nothing had been taken back",
                self.did(*update),
                self.acknowledged(*update),
                self.did(*read)
            ),
            Reason::NoOrder { model, .. } => model.nothing_explains(),
            Reason::Contradictory => CONTRADICTORY.to_owned(),
            Reason::OrderCycle { of, cycle, steps } => self.order_cycle(*of, cycle, steps),
            Reason::TooOld { read, newer, steps } => self.too_old(*read, newer, steps),
            Reason::Either { first, second, cases, .. } => {
                let orders = [(first, second), (second, first)];
                self.cases(orders.into_iter().zip(cases.iter()).map(|((one, other), case)| {
                    let (one, other) = (self.name(*one), self.name(*other));
                    move || format!("If {one} comes before {other}: {}", self.reason(case))
                }))
            }
            Reason::Sources { read, cases } => {
                let did = self.did(*read);
                let cases = self.cases(cases.iter().map(|case| || self.case(case)));
                format!("{did}, and no source explains that. {cases}")
            }
        }
    }

    /// Explains that only these leave the value that `read` found, and none
    /// can.
    fn unfounded(&self, read: usize, among: &[usize]) -> String {
        let found = datatype::found(&self.operations[read]).map_or("a value".to_owned(), shown);
        let did = self.did(read);
        if among.is_empty() {
            return format!("{did}, which finds {found}, but nobody wrote that");
        }
        let names: Vec<_> = among.iter().take(LISTED_MAX).map(|at| self.name(*at)).collect();
        let more = among.len().saturating_sub(LISTED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "{did}, and {found} is left only by {}{more}, of which none can be the first: each \
             needs what another of them leaves, or what nobody does",
            names.join(", ")
        )
    }

    fn case(&self, (source, reason): &(Source, Reason)) -> String {
        let reason = self.reason(reason);
        match source {
            Source::Initial => format!("If it saw no write: {reason}"),
            Source::Write(write) => {
                format!("If it saw {} of {}: {reason}", self.name(*write), self.who(*write))
            }
        }
    }

    fn link(&self, first: usize, second: usize) -> String {
        if self.operations[first].process == self.operations[second].process && first < second {
            self.then(first, second)
        } else {
            format!("{}, written by {}", self.did(second), self.who(first))
        }
    }

    /// Explains what must come before what, and the cycle in that.
    fn order_cycle(&self, of: Option<usize>, cycle: &[usize], steps: &[Place]) -> String {
        let mut ring = cycle.to_vec();
        ring.push(cycle[0]);
        let mut told = self.places(steps);
        told.extend(self.links(of, &ring, steps));
        let whose = of.map_or_else(String::new, |of| format!(" for {}", self.who(of)));
        format!("{}; so the order{whose} would be {}", self.told(&told), self.path(&ring))
    }

    fn too_old(&self, read: usize, newer: &[(usize, Vec<usize>)], steps: &[Place]) -> String {
        let mut told = self.places(steps);
        let links = newer.iter().flat_map(|(_, path)| self.links(None, path, steps));
        for link in links {
            if !told.contains(&link) {
                told.push(link);
            }
        }
        let names: Vec<_> = newer.iter().map(|(write, _)| self.name(*write)).collect();
        let names = names.join(" and ");
        format!(
            "{}; so {names} would come between, and {} would be too old",
            self.told(&told),
            self.name(read)
        )
    }

    /// `x=1 before x=2 before x=3`.
    fn path(&self, path: &[usize]) -> String {
        let mut names: Vec<_> = path.iter().map(|&at| self.name(at)).collect();
        // Of a long path only the ends are named.
        let room = self.left.get().saturating_add(PATH_MIN);
        if names.len() > room {
            self.left_out.set(self.left_out.get() + names.len() - room);
            names.splice(room / 2..names.len() - room / 2, ["…".to_owned()]);
        }
        names.join(" before ")
    }

    /// The links of a path that every order keeps.
    fn links(&self, of: Option<usize>, path: &[usize], steps: &[Place]) -> Vec<String> {
        let shown = |pair: &[usize]| steps.iter().any(|step| step.shows(of, pair[0], pair[1]));
        let kept = path.windows(2).filter(|pair| !shown(pair));
        kept.map(|pair| self.after(pair[0], pair[1])).collect()
    }

    /// Two operations of which the second comes after the first.
    fn after(&self, first: usize, second: usize) -> String {
        let (a, b) = (&self.operations[first], &self.operations[second]);
        if a.process == b.process {
            self.then(first, second)
        } else {
            format!("{}, and after that {}", self.did(first), self.did(second))
        }
    }

    fn places(&self, steps: &[Place]) -> Vec<String> {
        steps.iter().filter_map(|step| self.place(step)).collect()
    }

    /// A step in words; `None` if it needs no explanation.
    fn place(&self, step: &Place) -> Option<String> {
        let (first, second) = (self.name(step.first), self.name(step.second));
        let did = |at: usize| self.did(at);
        Some(match &step.why {
            Why::Source | Why::Assumed => return None,
            Why::Initial => format!("{}, so it comes before {second}", did(step.first)),
            Why::Older { path, .. } if path.len() == 2 => {
                format!("{}, so {first} is before {second}", self.after(path[0], path[1]))
            }
            Why::Older { read, path } => format!(
                "{} although {first} is before that ({}), so {first} is before {second}",
                did(*read),
                self.path(path)
            ),
            Why::Newer { path } if path.len() == 2 => format!(
                "{}, and {}, so that read is before {second}",
                self.after(path[0], path[1]),
                did(step.first)
            ),
            Why::Newer { path } => format!(
                "{}, and {second} is after that write ({}), so the read is before {second}",
                did(step.first),
                self.path(path)
            ),
            Why::Finished { read } => format!(
                "{} although {first} had finished before it began, so {first} is before {second}",
                did(*read)
            ),
            Why::Agreed { of, path } => format!(
                "for {} the order is {}, so for all {first} is before {second}",
                self.who(*of),
                self.path(path)
            ),
        })
    }

    fn initial_read(&self, read: usize, write: usize, steps: &[Step]) -> String {
        match steps {
            [Step { because: Because::ReadYourWrites, .. }] => format!(
                "{}; a process must see its own writes (read-your-writes)",
                self.then(write, read)
            ),
            [_, Step { because: Because::MonotonicReads { earlier }, .. }] => format!(
                "{}; a process must go on seeing what it has seen (monotonic-reads)",
                self.then(*earlier, read)
            ),
            _ => format!(
                "{}; so {} must be visible to {}, which saw nothing",
                self.steps(steps),
                self.name(write),
                self.name(read)
            ),
        }
    }

    fn steps(&self, steps: &[Step]) -> String {
        let told: Vec<String> = steps.iter().map(|step| self.step(step)).collect();
        // The same rule many times over is what makes proofs long.
        let rule = |at: usize| steps.get(at).map(|step| mem::discriminant(&step.because));
        let turns = |at: usize| at == 0 || rule(at - 1) != rule(at) || rule(at + 1) != rule(at);
        self.folded(&told, turns)
    }

    fn step(&self, step: &Step) -> String {
        match step.fact {
            Fact::Visible { write, read } => self.visible(write, read, step.because),
            Fact::Before { first, second } => self.before(first, second, step.because),
        }
    }

    fn visible(&self, write: usize, read: usize, because: Because) -> String {
        let (w, r) = (self.name(write), self.name(read));
        match because {
            Because::ReadYourWrites => {
                format!("{}, and sees its own write (read-your-writes)", self.then(write, read))
            }
            Because::MonotonicReads { earlier } => {
                format!("{}, so it still sees {w} (monotonic-reads)", self.then(earlier, read))
            }
            Because::MonotonicWrites { later } => format!(
                "{}, so {r}, which sees {}, sees {w} too (monotonic-writes)",
                self.then(write, later),
                self.name(later)
            ),
            Because::WritesFollowReads { earlier, later } => format!(
                "{}, so {r}, which sees {}, sees {w} too (writes-follow-reads)",
                self.then(earlier, later),
                self.name(later)
            ),
            Because::FinalRead { .. } => {
                format!("{}, so it sees every write, {w} among them", self.did(read))
            }
            _ => format!("{}, written by {}", self.did(read), self.who(write)),
        }
    }

    fn before(&self, first: usize, second: usize, because: Because) -> String {
        let order = format!("{} is older than {}", self.name(first), self.name(second));
        match because {
            Because::SessionOrder => {
                format!("{}, so {order} (monotonic-writes)", self.then(first, second))
            }
            Because::FollowsRead { read } => {
                format!("{}, so {order} (writes-follow-reads)", self.then(read, second))
            }
            Because::Overwritten { read } => {
                format!("{} although it sees {}, so {order}", self.did(read), self.name(first))
            }
            _ => order,
        }
    }
}
