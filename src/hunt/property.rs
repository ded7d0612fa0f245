//! The properties of a run, and how a run can violate them.
//!
//! A property is about the history (a consistency model), about the ending (never
//! quiet, oscillating), or about the code (no handler panics, invariants hold). A
//! judgement has three outcomes: holds, violated, unknown.

use std::borrow::Cow;
use std::fmt;

use crate::history::{Completion, History, Operation};
use crate::judgement::datatype::{Datatype, answered, reads, stranger, updates, with_article};
use crate::judgement::{
    Budget, Counterexample, Grid, Kind, Model, Scope, Unsound, Verdict, Witness, check_with,
    recheck_with,
};
use crate::replication::{Subject, When};
use crate::world::{Action, Ending, Run, Setting, Shows, Step, Workload, re_execute};

use super::durable::loss;

/// A property of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Property {
    /// Its history is allowed by a consistency model; for `eventual` the run
    /// must also become quiet.
    Model(Model),
    /// The strategy's own record (which writes each read took into account, and the
    /// order of the writes) satisfies the model. Stricter than [`Property::Model`]:
    /// clients may be unable to see the violation.
    WhiteBox(Model),
    /// No acknowledged write is lost, by the strategy's own record: every final
    /// read takes into account that write or one after it in the strategy's
    /// order.
    Durable,
    /// Nodes that have taken the same writes into account give the same answers,
    /// in every state.
    StrongConvergence,
    /// No handler panics.
    NoPanic,
    /// This invariant of the strategy holds in every state.
    Always(String),
    /// This invariant of the strategy holds whenever the cluster is quiet.
    AtQuiescence(String),
    /// When the cluster is quiet, or in what then goes on for ever, no operation
    /// is open, and for every key some node does not refuse a read.
    Answered,
    /// If links that are cut stay cut, every operation at a node that is not gone is
    /// answered, and none is refused: total availability (Gilbert & Lynch 2002).
    Available,
}

impl Property {
    /// Those that are neither about a model nor about an invariant.
    pub const PLAIN: [Property; 5] = [
        Property::Answered,
        Property::Available,
        Property::Durable,
        Property::StrongConvergence,
        Property::NoPanic,
    ];

    /// The property that an invariant of a strategy is; none if it only has to
    /// hold once.
    pub fn of_invariant(name: &str, when: When) -> Option<Property> {
        match when {
            When::Always => Some(Property::Always(name.to_owned())),
            When::AtQuiescence => Some(Property::AtQuiescence(name.to_owned())),
            When::Sometimes => None,
        }
    }

    /// Whether it is this invariant.
    pub(crate) fn is_of(&self, name: &str, when: When) -> bool {
        Property::of_invariant(name, when).as_ref() == Some(self)
    }

    /// The word for a property that is neither about a model nor about an invariant.
    fn word(&self) -> Option<&'static str> {
        Some(match self {
            Property::Answered => "answered",
            Property::Available => "available",
            Property::Durable => "durable",
            Property::StrongConvergence => "strong-convergence",
            Property::NoPanic => "no-panic",
            Property::Model(_)
            | Property::WhiteBox(_)
            | Property::Always(_)
            | Property::AtQuiescence(_) => return None,
        })
    }

    /// What executing a run again must show, so that this property can be
    /// judged.
    pub fn shows(&self) -> Shows<'_> {
        match self {
            Property::Always(name) => Shows::Broken(name),
            Property::StrongConvergence => Shows::All,
            Property::Available => Shows::Severed,
            Property::Model(_)
            | Property::WhiteBox(_)
            | Property::Durable
            | Property::NoPanic
            | Property::AtQuiescence(_)
            | Property::Answered => Shows::End,
        }
    }

    /// What it asks, in prose; `None` for a consistency model, which says that itself.
    pub fn about(&self) -> Option<String> {
        let text = match self {
            Property::Model(_) => return None,
            Property::WhiteBox(model) => {
                return Some(format!(
                    "What the strategy recorded of its own reads and writes satisfies {}.",
                    model.name()
                ));
            }
            Property::Durable => {
                "No acknowledged write is lost: in the end every final read takes it, or a later \
                 one in the strategy's own order, into account."
            }
            Property::StrongConvergence => {
                "In every state, nodes that have taken the same writes into account answer alike."
            }
            Property::NoPanic => "No handler of the strategy panics.",
            Property::Always(_) => "The invariant holds in every state.",
            Property::AtQuiescence(_) => "The invariant holds whenever the cluster is quiet.",
            Property::Answered => {
                "In the end, when links are healed and nodes have recovered, no operation is open \
                 whose client still waits (stuck), and some node answers for every key (refused)."
            }
            Property::Available => {
                "Total availability: whatever links are cut stay cut, what is sent on the others \
                 arrives, and nodes that crashed recover; then every operation at a node that is \
                 not gone for good is answered. One that never is, is stuck; one that is answered \
                 `fail` is refused. With cuts or a partition among the faults it says on which \
                 side of the CAP theorem a strategy is (Gilbert & Lynch 2002)."
            }
        };
        Some(text.to_owned())
    }

    /// Why no run of this strategy can be judged by it, if none can: the strategy has no
    /// such invariant, or it has to hold at another time. [`judge`] sees the run alone and
    /// cannot know.
    pub fn unfit_for(&self, subject: &dyn Subject) -> Option<&'static str> {
        let (Property::Always(_) | Property::AtQuiescence(_)) = self else { return None };
        let all = subject.conditions();
        let known = all.iter().any(|(name, when)| self.is_of(name, *when));
        (!known).then_some("the strategy has no such invariant")
    }
}

impl From<Model> for Property {
    fn from(model: Model) -> Self {
        Property::Model(model)
    }
}

impl fmt::Display for Property {
    /// The name used in case files: that of a model, `white-box:` and that of a
    /// model, `durable`, `answered`, `available`, `strong-convergence`, `no-panic`,
    /// `always:NAME`, or `at-quiescence:NAME`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Property::Model(model) => f.write_str(&model.name()),
            Property::WhiteBox(model) => write!(f, "white-box:{}", model.name()),
            Property::Always(name) => write!(f, "always:{name}"),
            Property::AtQuiescence(name) => write!(f, "at-quiescence:{name}"),
            plain => f.write_str(plain.word().expect("the others are called by a word")),
        }
    }
}

impl std::str::FromStr for Property {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let model = |name: &str| name.parse::<Model>().map_err(|error| error.to_string());
        if let Some(name) = text.strip_prefix("always:") {
            Ok(Property::Always(name.to_owned()))
        } else if let Some(name) = text.strip_prefix("at-quiescence:") {
            Ok(Property::AtQuiescence(name.to_owned()))
        } else if let Some(name) = text.strip_prefix("white-box:") {
            model(name).map(Property::WhiteBox)
        } else if let Some(one) = Property::PLAIN.into_iter().find(|it| it.word() == Some(text)) {
            Ok(one)
        } else {
            model(text).map(Property::Model)
        }
    }
}

/// How a property fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// The model does not allow the history.
    History(Kind),
    /// What the strategy recorded of its own reads and writes contradicts the
    /// model.
    Recorded,
    /// Deliveries alone keep the cluster busy for ever.
    NeverQuiet,
    /// With timers, the replicas change back and forth for ever.
    Oscillating,
    /// The cluster can reach right answers, but a fair order of events avoids
    /// them for ever.
    NotGuaranteed,
    /// A final read does not take an acknowledged write into account.
    LostWrite,
    /// Nodes that took the same writes into account answer differently.
    Disagreed,
    /// A handler panicked.
    Panicked,
    /// An invariant broke.
    Broken,
    /// An operation is never answered.
    Stuck,
    /// Every node that was asked refuses; or, where every operation has to be
    /// answered, one does.
    Refused,
}

impl From<Kind> for Flaw {
    fn from(kind: Kind) -> Self {
        Flaw::History(kind)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::History(kind) => kind.fmt(f),
            Flaw::Recorded => f.write_str("recorded"),
            Flaw::NeverQuiet => f.write_str("never-quiet"),
            Flaw::Oscillating => f.write_str("oscillating"),
            Flaw::NotGuaranteed => f.write_str("not-guaranteed"),
            Flaw::LostWrite => f.write_str("lost-write"),
            Flaw::Disagreed => f.write_str("disagreed"),
            Flaw::Panicked => f.write_str("panicked"),
            Flaw::Broken => f.write_str("broken"),
            Flaw::Stuck => f.write_str("stuck"),
            Flaw::Refused => f.write_str("refused"),
        }
    }
}

impl Flaw {
    /// All flaws.
    pub const ALL: [Flaw; 15] = [
        Flaw::History(Kind::Illegal),
        Flaw::History(Kind::Diverged),
        Flaw::History(Kind::Lost),
        Flaw::History(Kind::Resurrected),
        Flaw::History(Kind::Unexplained),
        Flaw::Recorded,
        Flaw::NeverQuiet,
        Flaw::Oscillating,
        Flaw::NotGuaranteed,
        Flaw::LostWrite,
        Flaw::Disagreed,
        Flaw::Panicked,
        Flaw::Broken,
        Flaw::Stuck,
        Flaw::Refused,
    ];
}

impl std::str::FromStr for Flaw {
    type Err = String;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, String> {
        named("kind", &Flaw::ALL, text)
    }
}

/// The element of `all` that is displayed as `text`.
pub(super) fn named<T: Copy + fmt::Display>(
    what: &str,
    all: &[T],
    text: &str,
) -> Result<T, String> {
    let found = all.iter().find(|known| known.to_string() == text);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(ToString::to_string).collect();
        format!("there is no {what} `{text}`; there is {}", known.join(", "))
    })
}

/// The result of judging one property of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It holds in this run.
    Holds,
    /// It does not hold; for a flaw of the history, with the evidence.
    Violated(Flaw, Option<Counterexample>),
    /// It could not be decided.
    Unknown(String),
}

impl Judgement {
    /// How the property fails, if it does.
    pub fn flaw(&self) -> Option<Flaw> {
        match self {
            Judgement::Violated(flaw, _) => Some(*flaw),
            Judgement::Holds | Judgement::Unknown(_) => None,
        }
    }
}

/// Judges one property of a run whose operations mean what `datatype` says.
///
/// # Panics
/// If a checker rejects a history for which the run itself recorded a sound
/// witness: then the checker is wrong, and nothing it says can be trusted.
pub fn judge(run: &Run, property: &Property, datatype: &dyn Datatype) -> Judgement {
    match (property, &run.ending) {
        (Property::Durable, _) => match loss(run, datatype) {
            Ok(None) => Judgement::Holds,
            Ok(Some(_)) => Judgement::Violated(Flaw::LostWrite, None),
            Err(why) => Judgement::Unknown(why),
        },
        (Property::StrongConvergence, _) => match run.disagreement {
            Some(_) => Judgement::Violated(Flaw::Disagreed, None),
            None => Judgement::Holds,
        },
        (Property::NoPanic, Ending::Panicked(_)) => Judgement::Violated(Flaw::Panicked, None),
        (Property::NoPanic, _) => Judgement::Holds,
        (Property::Always(name), _) if run.broken.iter().any(|broken| broken.name == name) => {
            Judgement::Violated(Flaw::Broken, None)
        }
        (Property::Always(_), _) => Judgement::Holds,
        (Property::AtQuiescence(name), _) if run.unmet.iter().any(|unmet| unmet == name) => {
            Judgement::Violated(Flaw::Broken, None)
        }
        (Property::AtQuiescence(_), Ending::Unsettled(why)) => Judgement::Unknown(why.clone()),
        (Property::AtQuiescence(_), _) => Judgement::Holds,
        (Property::Answered, _) => judge_answers(run),
        (Property::Available, _) => judge_availability(run),
        (Property::Model(model), _) => judge_model(run, *model, datatype),
        (Property::WhiteBox(_), _) if let Some(at) = stranger(&run.history, datatype, false) => {
            let call = &run.history.operations()[at].call;
            let datatype = datatype.name();
            Judgement::Unknown(format!("`{call}` is no operation of the datatype `{datatype}`"))
        }
        (Property::WhiteBox(_), _)
            if datatype.name() != "register" && !datatype.is_replicated() =>
        {
            let name = with_article(datatype.name());
            Judgement::Unknown(format!("concurrent updates of {name} have no meaning"))
        }
        (Property::WhiteBox(model), _) => match record(run, *model, datatype) {
            None => Judgement::Unknown(
                "the strategy does not record what every read took into account".to_owned(),
            ),
            Some(Ok(())) => Judgement::Holds,
            Some(Err(_)) => Judgement::Violated(Flaw::Recorded, None),
        },
    }
}

/// Whether every operation of a run is answered in the end.
fn judge_answers(run: &Run) -> Judgement {
    match &run.ending {
        Ending::Unsettled(why) => Judgement::Unknown(why.clone()),
        Ending::Panicked(_) | Ending::Broken(_) => Judgement::Unknown(NOT_QUIET.to_owned()),
        _ if run.stuck.as_ref().is_some_and(|stuck| !stuck.is_empty()) => {
            Judgement::Violated(Flaw::Stuck, None)
        }
        _ if run.stuck.is_none() => Judgement::Unknown(MAY_BE_ANSWERED.to_owned()),
        Ending::Settled => match run.lack.service {
            Some(true) => Judgement::Violated(Flaw::Refused, None),
            Some(false) => Judgement::Holds,
            None => Judgement::Unknown(run.lack.told()),
        },
        Ending::NeverQuiet { .. } | Ending::Oscillating { .. } | Ending::Cycle { .. } => {
            Judgement::Holds
        }
    }
}

/// Whether every operation of a run is answered although links that are cut stay cut.
fn judge_availability(run: &Run) -> Judgement {
    let refused = || refusals(&run.history, asked(run)).next().is_some();
    match &run.ending {
        _ if healed(run) => Judgement::Unknown(HEALED.to_owned()),
        Ending::Settled
        | Ending::NeverQuiet { .. }
        | Ending::Oscillating { .. }
        | Ending::Cycle { .. }
            if run.stuck.as_ref().is_some_and(|stuck| !stuck.is_empty()) =>
        {
            Judgement::Violated(Flaw::Stuck, None)
        }
        _ if refused() => Judgement::Violated(Flaw::Refused, None),
        Ending::Unsettled(why) => Judgement::Unknown(why.clone()),
        Ending::Panicked(_) | Ending::Broken(_) => Judgement::Unknown(NOT_QUIET.to_owned()),
        _ if run.stuck.is_none() => Judgement::Unknown(MAY_BE_ANSWERED.to_owned()),
        _ => Judgement::Holds,
    }
}

/// A whole run as the property judges it: if cut links have to stay cut, it settles again.
pub(super) fn fit<'r>(
    subject: &dyn Subject,
    (setting, workload): (&Setting, &Workload),
    run: &'r Run,
    property: &Property,
) -> Cow<'r, Run> {
    if property.shows() != Shows::Severed || !healed(run) {
        return Cow::Borrowed(run);
    }
    Cow::Owned(re_execute(subject, setting, workload, &run.schedule, Shows::Severed))
}

/// Whether a link was healed when the run settled.
fn healed(run: &Run) -> bool {
    let heals = |step: &Step| step.settling && step.action.heals();
    run.schedule.iter().any(heals)
}

/// How many operations clients asked: the first of the history.
pub(super) fn asked(run: &Run) -> usize {
    let invoked = run.schedule.iter().filter(|step| matches!(step.action, Action::Invoke(_)));
    invoked.count()
}

/// Which of the first operations of a history, so many, were refused, by position.
pub(super) fn refusals(history: &History, asked: usize) -> impl Iterator<Item = usize> {
    let asked = history.operations().iter().take(asked).enumerate();
    asked.filter(|(_, op)| op.completion == Completion::Fail).map(|(at, _)| at)
}

/// Why a run says nothing of whether the cluster is available.
const HEALED: &str = "links that were cut were healed in the end";

/// Why it is unknown whether an operation is answered.
const MAY_BE_ANSWERED: &str =
    "an operation is open in what goes on for ever, and something else may yet answer it";

/// Why nothing is known of the end of a run.
const NOT_QUIET: &str = "the run ended before it became quiet";

/// Whether the record of the run satisfies `model`; `None` if there is no
/// record.
pub fn record(run: &Run, model: Model, datatype: &dyn Datatype) -> Option<Result<(), Unsound>> {
    let verdict = Verdict::Holds(white_box(run, model, datatype)?);
    Some(recheck_with(&run.history, model, datatype, &verdict))
}

/// How many operations a history has at most whose record is replayed unasked, if its
/// type is not the register: every pair of operations is looked at many times.
const FEW: usize = 256;

/// Whether a model allows the history of a run. Where that has to be searched for,
/// the record of the run, which is a witness if it is sound, is tried first.
fn verdict(run: &Run, model: Model, datatype: &dyn Datatype) -> Verdict {
    if datatype.is_replicated()
        && run.history.len() <= FEW
        && stranger(&run.history, datatype, false).is_none()
        && let Some(witness) = white_box(run, model, datatype)
    {
        let verdict = Verdict::Holds(witness);
        if recheck_with(&run.history, model, datatype, &verdict).is_ok() {
            return verdict;
        }
    }
    check_with(&run.history, model, datatype, Budget::default())
}

fn judge_model(run: &Run, model: Model, datatype: &dyn Datatype) -> Judgement {
    let verdict = verdict(run, model, datatype);
    let wants_quiet = model.is_eventual();
    if wants_quiet && let Some(flaw) = flaw_of_cycle(run, &verdict) {
        return Judgement::Violated(flaw, None);
    }
    match (verdict, &run.ending) {
        (Verdict::Violated(counterexample), _) => {
            contradiction(run, model, datatype);
            Judgement::Violated(Flaw::History(counterexample.kind), Some(counterexample))
        }
        (Verdict::Unknown(unknown), _) => Judgement::Unknown(unknown.to_string()),
        (Verdict::Holds(_), _) if !wants_quiet => Judgement::Holds,
        (Verdict::Holds(_), Ending::NeverQuiet { .. }) => {
            Judgement::Violated(Flaw::NeverQuiet, None)
        }
        (Verdict::Holds(_), Ending::Oscillating { .. }) => {
            Judgement::Violated(Flaw::Oscillating, None)
        }
        // The final reads are right in every state of the cycle.
        (Verdict::Holds(_), Ending::Cycle { .. }) => Judgement::Holds,
        (Verdict::Holds(_), Ending::Unsettled(why)) => Judgement::Unknown(why.clone()),
        (Verdict::Holds(_), Ending::Panicked(_) | Ending::Broken(_)) => {
            Judgement::Unknown(NOT_QUIET.to_owned())
        }
        (Verdict::Holds(_), Ending::Settled) if run.lack.answers > 0 => {
            Judgement::Unknown(run.lack.told())
        }
        (Verdict::Holds(_), Ending::Settled) => Judgement::Holds,
    }
}

/// The result of judging a recorded history again, without its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejudged {
    /// The model allows it, and the evidence was rechecked.
    Holds,
    /// The model does not, and the evidence was rechecked.
    Violated(Kind),
    /// It could not be decided, or its evidence is too large to be replayed.
    Unknown(String),
    /// The evidence is wrong: so is a checker.
    Unsound(String),
}

/// Judges a recorded history by a model.
pub fn rejudge(history: &History, model: Model, datatype: &dyn Datatype) -> Rejudged {
    let verdict = check_with(history, model, datatype, Budget::default());
    match (&verdict, recheck_with(history, model, datatype, &verdict)) {
        (Verdict::Unknown(unknown), _) => Rejudged::Unknown(unknown.to_string()),
        (_, Err(unsound)) if unsound.too_large => Rejudged::Unknown(unsound.reason),
        (_, Err(unsound)) => Rejudged::Unsound(unsound.to_string()),
        (Verdict::Violated(found), Ok(())) => Rejudged::Violated(found.kind),
        (Verdict::Holds(_), Ok(())) => Rejudged::Holds,
    }
}

/// How many answers of a run, or other facts, a property can judge. If there
/// are none in any run, nothing was checked.
pub fn looked_at(run: &Run, property: &Property, datatype: &dyn Datatype) -> usize {
    let answered = run.history.operations().iter().filter(|op| answered(op, datatype));
    match property {
        Property::Model(model) | Property::WhiteBox(model) if model.is_eventual() => {
            answered.filter(|op| op.final_read).count() + usize::from(never_settles(run))
        }
        Property::Model(Model::Grid(_)) | Property::WhiteBox(Model::Grid(_)) => {
            answered.filter(|op| !op.final_read).count()
        }
        Property::Model(_) | Property::WhiteBox(_) => answered.count(),
        Property::Durable => {
            let acknowledged = |op: &&Operation| updates(op, datatype) && op.returned.is_some();
            run.history.operations().iter().filter(acknowledged).count()
        }
        Property::StrongConvergence => usize::try_from(run.compared).unwrap_or(usize::MAX),
        Property::NoPanic | Property::Always(_) => run.schedule.len(),
        Property::AtQuiescence(_) => usize::from(run.ending == Ending::Settled),
        Property::Answered => run.history.len(),
        Property::Available => asked(run),
    }
}

fn never_settles(run: &Run) -> bool {
    matches!(
        run.ending,
        Ending::NeverQuiet { .. } | Ending::Oscillating { .. } | Ending::Cycle { .. }
    )
}

/// The flaw of a run with a chosen cycle; `None` if only its history decides.
fn flaw_of_cycle(run: &Run, verdict: &Verdict) -> Option<Flaw> {
    let Ending::Cycle { deliveries_only, answers_change, way_out, .. } = run.ending else {
        return None;
    };
    match verdict {
        Verdict::Unknown(_) => None,
        Verdict::Violated(found) if found.kind == Kind::Illegal => None,
        _ if deliveries_only => Some(Flaw::NeverQuiet),
        _ if answers_change && !way_out => Some(Flaw::Oscillating),
        Verdict::Violated(_) if way_out => Some(Flaw::NotGuaranteed),
        _ if answers_change => Some(Flaw::NotGuaranteed),
        Verdict::Violated(_) | Verdict::Holds(_) => None,
    }
}

/// A self-test for every rejected run. The visibility and the order that the
/// run recorded are a candidate witness. If that witness is sound, the checker
/// was wrong to reject the history.
fn contradiction(run: &Run, model: Model, datatype: &dyn Datatype) {
    if datatype.is_replicated() && run.history.len() > FEW {
        return;
    }
    assert!(
        !matches!(record(run, model, datatype), Some(Ok(()))),
        "the checker of `{}` rejects a history that the run's own record explains; \
         this is a bug in the checker: {}",
        model.name(),
        crate::history::notation::write(&run.history),
    );
}

/// The visibility and the order that the run recorded, as a witness for
/// `model`; `None` if the strategy did not record them for every operation that
/// reads.
pub fn white_box(run: &Run, model: Model, datatype: &dyn Datatype) -> Option<Witness> {
    let Model::Grid(Grid { scope: Scope::Global, .. }) = model else { return None };
    let operations = run.history.operations();
    let happened = |at: &usize| {
        let op = &operations[*at];
        let stamped = run.facts.stamp(run.operations[*at]).is_some();
        updates(op, datatype) && (matches!(op.completion, Completion::Ok(_)) || stamped)
    };
    let mut order: Vec<usize> = (0..operations.len()).filter(happened).collect();
    order.sort_by_key(|&at| (run.facts.stamp(run.operations[at]), at));
    let known: Vec<_> =
        order.iter().map(|&at| (run.operations[at], operations[at].call.key.clone())).collect();
    let mut visible = vec![Vec::new(); operations.len()];
    for (at, op) in operations.iter().enumerate() {
        let id = run.operations[at];
        let seen = if answered(op, datatype) {
            run.facts.visible_to(id, &op.call.key, &known)?
        } else if reads(op, datatype) && order.contains(&at) {
            run.facts.seen_by_write(id)?
        } else {
            continue;
        };
        let sees =
            |update: &usize| *update != at && seen.binary_search(&run.operations[*update]).is_ok();
        visible[at] = order.iter().copied().filter(sees).collect();
        visible[at].sort_unstable();
    }
    Some(Witness::Abstract { visible, arbitration: vec![order] })
}
