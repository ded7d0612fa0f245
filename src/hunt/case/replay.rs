//! Replays a case: executes its actions on the registered strategy, compares every
//! step with the record, and judges the run again.

use crate::history::notation;
use crate::hunt::Subject;
use crate::hunt::property::{Flaw, Judgement, fit, judge};
use crate::judgement::datatype::{self, Datatype};
use crate::world::trace;
use crate::world::trace::{Trace, TraceStep};
use crate::world::{Ending, NotEnabled, Run, Shows, Step};
use crate::world::{re_execute, repeat};

use super::read::{place_of_step, place_of_verdict};
use super::words::sentence;
use super::write::{cycle, sent, steps};
use super::{Case, CaseStep};

/// The result of a replay.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Whether it matched the record.
    pub fidelity: Fidelity,
    /// What happened this time.
    pub trace: Trace,
    /// The new run.
    pub run: Run,
    /// The result of judging the new run by the property of the case.
    pub judgement: Judgement,
    /// What the operations mean.
    pub datatype: &'static dyn Datatype,
}

/// The replay of the run as it was found.
#[derive(Clone, Debug)]
pub struct FullReplay {
    /// The case that this run would be.
    pub case: Case,
    /// What happened this time.
    pub replay: Replay,
}

impl FullReplay {
    /// How many steps the run had when it was found.
    pub fn steps(&self) -> usize {
        self.case.schedule.len()
    }

    /// Whether it still fails in the way that the case records.
    pub fn fails_so(&self) -> bool {
        self.replay.judgement.flaw() == self.case.kind
    }
}

/// Whether a replay matched the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// Everything was the same, texts included.
    Reproduced,
    /// Actions, answers and verdict are the same; a text is not.
    TextsDiffer(Difference),
    /// Something else happened.
    Differs(Difference),
}

/// The first difference of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The step, from 1. One past the last step stands for the final reads and
    /// the verdict.
    pub step: usize,
    /// What was recorded.
    pub recorded: String,
    /// What happened this time.
    pub present: String,
}

/// Replays a case on a strategy. The operations mean what `datatype` says; it is
/// for the caller to find the one that the case names.
///
/// # Errors
/// If an action is impossible although nothing differed before it, and the case
/// does not record what was sent: the position of the step, from 0, and the
/// reason. Such a file cannot show that the action was ever possible, so this
/// is an error of the file, not a changed strategy.
pub fn replay(
    case: &Case,
    subject: &dyn Subject,
    datatype: &'static dyn Datatype,
) -> Result<Replay, (usize, String)> {
    let followed = follow(case, subject);
    let mut before = followed.steps.iter().zip(&case.schedule);
    if let Some(NotEnabled::Impossible(why)) = followed.stuck
        && !records_sends(case)
        && before.all(|(now, recorded)| sentence(&now.happened).text() == recorded.text)
    {
        return Err((followed.steps.len(), why.to_owned()));
    }
    let resolved = chosen(&followed);
    let run = match chosen_cycle(case) {
        Some(steps) if steps <= resolved.len() => {
            let (stem, cycle) = resolved.split_at(resolved.len() - steps);
            let shows = case.property.shows();
            repeat(subject, &case.setting, &case.workload, (stem, cycle), shows)
        }
        _ => re_execute(subject, &case.setting, &case.workload, &resolved, case.property.shows()),
    };
    Ok(compared(case, &followed, run, subject, datatype))
}

/// Replays the run as it was found, of a case that has it: to its end, as the search executed
/// it, whatever else it shows. A step that is impossible is a difference, never an error: the
/// case does not rest on this run.
pub fn replay_full(
    case: &Case,
    subject: &dyn Subject,
    datatype: &'static dyn Datatype,
) -> Option<FullReplay> {
    let case = case.as_found()?;
    let followed = follow(&case, subject);
    let place = (&case.setting, &case.workload);
    let run = re_execute(subject, place.0, place.1, &chosen(&followed), Shows::All);
    let run = fit(subject, place, &run, &case.property).into_owned();
    let replay = compared(&case, &followed, run, subject, datatype);
    Some(FullReplay { case, replay })
}

/// The recorded steps, as far as they are possible.
fn follow(case: &Case, subject: &dyn Subject) -> Trace {
    let recorded: Vec<_> = case.schedule.iter().map(|step| (step.action, step.settling)).collect();
    trace::follow(subject, &case.setting, &case.workload, &recorded)
}

/// The chosen ones of the steps that were followed.
fn chosen(followed: &Trace) -> Vec<Step> {
    followed.steps.iter().map(|step| step.step).filter(|step| !step.settling).collect()
}

/// Judges the run that was executed, and compares it with the record.
fn compared(
    case: &Case,
    followed: &Trace,
    run: Run,
    subject: &dyn Subject,
    datatype: &'static dyn Datatype,
) -> Replay {
    let trace = trace::trace(subject, &case.setting, &case.workload, &run.schedule);
    let judgement = match case.property.unfit_for(subject) {
        Some(why) => Judgement::Unknown(why.to_owned()),
        None => judge(&run, &case.property, datatype),
    };
    let fidelity = compare(case, followed, &trace, &run, &judgement);
    Replay { fidelity, trace, run, judgement, datatype }
}

impl Replay {
    /// The line of the file of a case, of which `text` is the text, that shows what this
    /// replay of it has found: the first step that differs; or else the step in which a
    /// handler panicked or an invariant broke, or with the last answer to a read that the
    /// violation is about; or else, where final reads or the run as a whole show it, the
    /// verdict.
    pub fn line(&self, case: &Case, text: &str) -> usize {
        let step = match &self.fidelity {
            Fidelity::TextsDiffer(difference) | Fidelity::Differs(difference) => {
                difference.step.checked_sub(1)
            }
            Fidelity::Reproduced => match self.run.ending {
                Ending::Panicked(_) | Ending::Broken(_) => case.schedule.len().checked_sub(1),
                _ => self.last_answer(),
            },
        };
        match step.filter(|step| *step < case.schedule.len()) {
            Some(step) => place_of_step(text, step).0,
            None => place_of_verdict(text).0,
        }
    }

    /// The position of the step with the last answer to a read that the violation is about, if
    /// each of them was answered in a step. (A write may be answered long after the reads that
    /// should have seen it.)
    fn last_answer(&self) -> Option<usize> {
        let Judgement::Violated(_, Some(found)) = &self.judgement else { return None };
        let answered = |at: &usize| {
            let operation = self.run.operations[*at];
            let answers = |step: &TraceStep| {
                step.happened.answers.iter().any(|answer| answer.operation == operation)
            };
            self.trace.steps.iter().position(answers)
        };
        let operations = self.run.history.operations();
        let is_read = |at: &&usize| datatype::answered(&operations[**at], self.datatype);
        let reads = found.operations.iter().filter(is_read);
        let steps: Option<Vec<usize>> = reads.map(answered).collect();
        steps?.into_iter().max()
    }
}

/// How many of the last steps form a cycle that was chosen, if they do.
fn chosen_cycle(case: &Case) -> Option<usize> {
    let steps = case.cycle?;
    let last = case.schedule.len().checked_sub(steps)?;
    case.schedule[last..].iter().all(|step| !step.settling).then_some(steps)
}

fn records_sends(case: &Case) -> bool {
    !case.start.is_empty() || case.schedule.iter().any(|step| !step.sends.is_empty())
}

fn compare(
    case: &Case,
    followed: &Trace,
    trace: &Trace,
    run: &Run,
    judgement: &Judgement,
) -> Fidelity {
    let start: Vec<_> = trace.start.iter().map(sent).collect();
    let present = steps(trace.clone());
    let same_sends = |a: &[String], b: &[String]| !records_sends(case) || a == b;
    let mut texts = None;
    if !same_sends(&case.start, &start) {
        texts = Some(Difference {
            step: 1,
            recorded: format!("at the start: {}", case.start.join("; ")),
            present: format!("at the start: {}", start.join("; ")),
        });
    }
    for at in 0..case.schedule.len().max(present.len()) {
        let (recorded, now) = (case.schedule.get(at), present.get(at));
        let same = match (recorded, now) {
            (Some(a), Some(b)) => {
                a.action == b.action && a.text == b.text && same_sends(&a.sends, &b.sends)
            }
            _ => false,
        };
        if same {
            continue;
        }
        let stuck = (at >= followed.steps.len()).then_some(followed.stuck.as_ref()).flatten();
        let difference = Difference {
            step: at + 1,
            recorded: recorded.map_or("nothing more".to_owned(), tell),
            present: match (stuck, now) {
                (Some(why), _) => why.to_string(),
                (None, Some(step)) => tell(step),
                (None, None) => "nothing more".to_owned(),
            },
        };
        let only_text = recorded.zip(now).is_some_and(|(a, b)| a.action == b.action);
        // Keep only the first difference; the later ones follow from it.
        texts = texts.or(Some(difference));
        if !only_text {
            return Fidelity::Differs(texts.expect("there is a difference"));
        }
    }
    let end = case.schedule.len() + 1;
    let (before, now) = (notation::write(&case.history), notation::write(&run.history));
    let kind = judgement.flaw();
    let told = |kind: Option<Flaw>| match kind {
        Some(kind) => format!("{} is violated ({kind})", case.property),
        None => format!("{} is not violated", case.property),
    };
    let last = if before != now {
        Some(Difference { step: end, recorded: before, present: now })
    } else if case.kind != kind {
        let present = match judgement {
            Judgement::Unknown(why) => format!("{} is not decided: {why}", case.property),
            Judgement::Holds | Judgement::Violated(..) => told(kind),
        };
        Some(Difference { step: end, recorded: told(case.kind), present })
    } else if case.cycle != cycle(run) {
        let told = |cycle: Option<usize>| match cycle {
            Some(steps) => format!("the last {steps} steps repeat"),
            None => "nothing repeats".to_owned(),
        };
        let (recorded, present) = (told(case.cycle), told(cycle(run)));
        Some(Difference { step: end, recorded, present })
    } else {
        None
    };
    match (last, texts) {
        (None, None) => Fidelity::Reproduced,
        (None, Some(text)) => Fidelity::TextsDiffer(text),
        (Some(last), texts) => Fidelity::Differs(texts.unwrap_or(last)),
    }
}

/// A step on one line, with what it sent.
fn tell(step: &CaseStep) -> String {
    let name = match step.action.message() {
        Some((_, name)) => format!("{name} "),
        None => String::new(),
    };
    let sends = match step.sends.as_slice() {
        [] => String::new(),
        sends => format!(" [sends {}]", sends.join("; ")),
    };
    format!("{name}{}{sends}", step.text)
}
