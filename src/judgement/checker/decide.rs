//! Chooses the procedure that decides a model outside the grid. If the model is
//! violated, shrinks the violated part to a minimal one and finds the reason.
//!
//! Read next: a file of `orders` or `registers`.

use super::orders::keys::is_of_one_key;
use super::orders::sweep::{Sweep, Swept};
use super::orders::{
    cycle, delta_atomic, k_atomic, prefix, processor, quiescent, sequential, views,
};
use super::registers::regular;
use super::time::is_local;
use super::whole::{Decision, Meter, Whole};
use super::{grid, minimise, unfounded};
use crate::judgement::datatype::{self, About};
use crate::judgement::model::{Model, Orders, Reads, Shared, Time, Views, implies};
use crate::judgement::verdict::{Budget, Counterexample, Kind, Pattern, Reason, Unknown, Verdict};

impl Whole<'_> {
    /// Judges the history by `model`, a model outside the grid that asks
    /// `asked`.
    pub(in crate::judgement::checker) fn check(
        &self,
        model: Model,
        asked: &Orders,
        budget: Budget,
    ) -> Verdict {
        let mut meter = Meter::new(budget);
        let unfounded = match !self.plain && self.datatype.name() == "register" {
            true => unfounded::unfounded(self.history),
            false => None,
        };
        let all: Vec<usize> = (0..self.history.len()).collect();
        let decision = match unfounded {
            Some(illegal) if implies(model, Model::BASE, false) => {
                return Verdict::Violated(illegal);
            }
            Some(illegal) => Decision::Fails(illegal.operations),
            None => self.decide_part(&all, asked, &mut meter),
        };
        match decision {
            Decision::Holds(witness) => Verdict::Holds(witness),
            Decision::Unknown(reason) => {
                Verdict::Unknown(Unknown { reason: reason.to_owned(), spent: meter.spent() })
            }
            Decision::Fails(part) => {
                let causal = self.plain && implies(model, Model::BASE, false);
                if causal && let Some(illegal) = grid::illegal(self.history, self.view(), budget) {
                    return Verdict::Violated(illegal);
                }
                Verdict::Violated(minimal(self, part, model, asked, budget))
            }
        }
    }

    /// Decides with the procedure made for `asked`. `excused` names, by
    /// position, the reads that count as overlapping a write although this part
    /// of the history does not contain that write.
    fn decide(
        &self,
        asked: &Orders,
        excused: &dyn Fn(usize) -> bool,
        meter: &mut Meter,
    ) -> Decision {
        // Matches on every field, so that a description with a new value
        // reaches the last arm, not a procedure that ignores that value.
        let &Orders { views, shared, session, time, reads } = asked;
        let in_sessions = session && time == Time::Ignored;
        let in_time = session && time == Time::ReturnsBefore { reads_earlier: 0 };
        match (views, shared, reads) {
            (Views::One, Shared::Nothing, Reads::LastOf(k)) if in_time => {
                k_atomic::decide(self, k, meter)
            }
            (Views::One, Shared::Nothing, Reads::LastOf(1)) if in_sessions => {
                sequential::decide(self, meter)
            }
            (Views::One, Shared::Nothing, Reads::LastOf(1))
                if !session && let Time::ReturnsBefore { reads_earlier: delta @ 1.. } = time =>
            {
                delta_atomic::decide(self, delta, meter)
            }
            (Views::Key, Shared::Nothing, Reads::LastOf(1)) if in_sessions => {
                sequential::cache(self, meter)
            }
            (Views::Process, Shared::WritesOfAKey, Reads::LastOf(1)) if in_sessions => {
                processor::decide(self.view(), meter)
            }
            (Views::Process, Shared::Nothing | Shared::Causes, Reads::LastOf(1))
            | (Views::ProcessAndKey, Shared::Nothing, Reads::LastOf(1))
                if in_sessions =>
            {
                views::decide(self.view(), asked, meter)
            }
            (Views::One, Shared::Nothing, Reads::Prefix { monotonic: true, eventual: false })
                if in_sessions =>
            {
                sequential::prefix_monotonic(self, meter)
            }
            (Views::One, Shared::Nothing, Reads::Prefix { monotonic: false, eventual })
                if in_sessions || in_time =>
            {
                prefix::decide(self, (in_time, eventual), meter)
            }
            (Views::One | Views::Read, Shared::Nothing, Reads::Recent)
            | (Views::One, Shared::Nothing, Reads::RecentUnlessOverlapped)
                if in_time =>
            {
                regular::decide(self, asked, excused, meter)
            }
            _ => Decision::unknown("no procedure decides what this model asks of orders"),
        }
    }

    /// Decides for the operations at these positions.
    fn decide_part(&self, part: &[usize], asked: &Orders, meter: &mut Meter) -> Decision {
        if is_quiescent(asked) {
            return quiescent::decide(self.history, part);
        }
        if part.len() == self.history.len() {
            return self.decide(asked, &|_| false, meter);
        }
        let overlapped = match asked.reads {
            Reads::RecentUnlessOverlapped => regular::overlapped(self),
            _ => Vec::new(),
        };
        let excused = |at: usize| overlapped.binary_search(&part[at]).is_ok();
        let restricted = self.restricted_to(part);
        match Whole::of(&restricted, self.datatype).decide(asked, &excused, meter) {
            Decision::Fails(inner) => Decision::Fails(inner.iter().map(|&at| part[at]).collect()),
            other => other,
        }
    }
}

/// Whether this is quiescent consistency. Its quiet instants are those of the
/// whole history, so its procedure takes a part as positions.
fn is_quiescent(asked: &Orders) -> bool {
    let quiescent = Orders {
        views: Views::One,
        shared: Shared::Nothing,
        session: false,
        time: Time::QuietInstants,
        reads: Reads::LastOf(1),
    };
    *asked == quiescent
}

/// Whether a search decides this for every datatype, not for registers only.
pub(in crate::judgement::checker) fn is_for_every_datatype(model: Model) -> bool {
    let staleness = matches!(model, Model::KAtomic(_) | Model::DeltaAtomic(_));
    let Some(asked) = model.orders().filter(|_| !staleness) else { return false };
    let kept = match asked.time {
        Time::ReturnsBefore { reads_earlier: 0 } => asked.views == Views::One,
        Time::Ignored => matches!(asked.views, Views::One | Views::Key),
        _ => false,
    };
    kept && asked.session && asked.reads == Reads::LastOf(1)
}

/// Shrinks `part`, which is violated, to a minimal part that still is.
fn minimal(
    whole: &Whole<'_>,
    part: Vec<usize>,
    model: Model,
    asked: &Orders,
    budget: Budget,
) -> Counterexample {
    let mut meter = Meter::new(budget.to_minimise());
    let (operations, minimal) = match !whole.plain && asked.is_instantaneous() {
        true => minimal_in_time(whole, &part, asked, &mut meter),
        false => {
            let mut part = match whole.plain {
                true => whole.view().closed(whole.history, &part),
                false => minimise::closed(whole.history, &part, whole.datatype),
            };
            // The few operations of a conflict are judged like any other part.
            let of_conflict = matches!(asked.views, Views::Process | Views::ProcessAndKey);
            if of_conflict && fails(whole, &part, asked, &mut meter) != Some(true) {
                part = (0..whole.history.len()).collect();
            }
            let sources = minimise::Sources::within(whole.history, &part, whole.datatype);
            minimise::minimise(&sources, part, |part| fails(whole, part, asked, &mut meter))
        }
    };
    let pattern = || Pattern::of(&whole.restricted_to(&operations), model, whole.datatype);
    let reason = match whole.datatype.name() {
        "register" => cycle::reason(whole.history, &operations, model),
        _ => None,
    };
    let reason = reason.unwrap_or_else(|| Reason::NoOrder { model, shows: pattern() });
    let restricted = whole.answers_left(&operations);
    Counterexample { kind: Kind::Unexplained, operations, minimal, restricted, reason }
}

/// Whether a part fails; `None` if the budget does not suffice to tell.
fn fails(whole: &Whole<'_>, part: &[usize], asked: &Orders, meter: &mut Meter) -> Option<bool> {
    match whole.decide_part(part, asked, meter) {
        Decision::Fails(_) => Some(true),
        Decision::Holds(_) => Some(false),
        Decision::Unknown(_) => None,
    }
}

/// As [`minimal`], for linearizability where an answer may have many explanations. A
/// part of one object is first cut down to the shortest beginning that fails, and
/// then each smaller part is swept through.
fn minimal_in_time(
    whole: &Whole<'_>,
    part: &[usize],
    asked: &Orders,
    meter: &mut Meter,
) -> (Vec<usize>, bool) {
    let history = whole.history;
    let operations = history.operations();
    let all: Vec<usize> = (0..history.len()).collect();
    let one = is_of_one_key(history, part) && is_local(history);
    let key = |at: &usize| operations[*at].call.key == operations[part[0]].call.key;
    let among = if one { all.into_iter().filter(key).collect() } else { all };
    let sources = minimise::Sources::in_time(history, &among, whole.datatype);
    let closed = sources.closed(part);
    if !one {
        return minimise::minimise(&sources, closed, |part| fails(whole, part, asked, meter));
    }
    let about = |at: &usize| whole.datatype.about(&operations[*at].call, operations[*at].result());
    // Then answers depend on what is left out, and only the whole can be swept through.
    let divided = closed.iter().any(|at| about(at) == About::Parts);
    if divided && closed.len() < among.len() {
        return minimise::minimise(&sources, closed, |part| fails(whole, part, asked, meter));
    }
    // An answer may tell of what was done only later.
    let changes = |operation| datatype::updates(operation, whole.datatype);
    let mut sweep = Sweep::of(operations, &closed, whole.datatype);
    let beginning = match sweep.all(meter) {
        Swept::Stuck(last) => {
            let end = operations[last].returned.unwrap_or(u64::MAX);
            let counts = |at: &usize| {
                let operation = &operations[*at];
                let returned = operation.returned.is_some_and(|returned| returned <= end);
                let begun = operation.invoked <= end;
                begun && returned || (begun || divided) && changes(operation)
            };
            sources.closed(&closed.into_iter().filter(counts).collect::<Vec<usize>>())
        }
        Swept::Through | Swept::Spent => closed,
    };
    if divided {
        return minimise::minimise(&sources, beginning, |part| fails(whole, part, asked, meter));
    }
    minimise::minimise(&sources, beginning, |part| match sweep.part(part, meter) {
        Swept::Stuck(_) => Some(true),
        Swept::Through => Some(false),
        Swept::Spent => fails(whole, part, asked, meter),
    })
}
