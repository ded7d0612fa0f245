//! `explain`: models, datatypes, strategies, mutants, faults, cases and typed histories in
//! prose.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::Value as Json;

use crate::catalogue::{Family, Mutant, Registry};
use crate::history::formats::Options;
use crate::history::nearest::{nearest, suggestion};
use crate::hunt::case::read::place_of_datatype;
use crate::hunt::property::Property;
use crate::judgement::apart::{Apart, Implied, apart};
use crate::judgement::datatype::named;
use crate::judgement::model::nodes;
use crate::judgement::{Budget, Model, Survey};
use crate::report::survey::{Counted, Judged};
use crate::report::table::setting_text;
use crate::report::{self, Look, names, prose};
use crate::world::FaultKind;

use super::exit::{Exit, Failure};
use super::screen::{Screen, page};
use super::values::{self, Meaning, PlainFormat};
use super::{files, input, verify};

/// Explain a case file, a model, a property, a datatype, a strategy, a mutant, a fault or a
/// history in prose
///
/// A history is typed on one line (docs/histories.md): the output says what each process did,
/// what overlaps in real time, and which models allow it. With --against, two models are
/// told apart by the smallest histories that one allows and the other forbids.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A case file, a model like `causal`, a property like `available`, a datatype like
    /// `set:add-wins`, a strategy or one of its mutants by the name that `list` shows, a fault
    /// like `crash`, or a history like 'wx1|rx1 rx0'
    #[arg(value_name = "CASE|MODEL|PROPERTY|DATATYPE|STRATEGY|MUTANT|FAULT|HISTORY")]
    subject: String,
    /// Another model: what does one of the two allow that the other forbids?
    #[arg(long, value_name = "MODEL", value_parser = values::model)]
    against: Option<Model>,
    /// What the operations of a typed history mean: `counter`, or `counter,cart=set:add-wins`
    #[arg(long, value_name = "DATATYPE", value_parser = values::meaning)]
    datatype: Option<Meaning>,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    format: PlainFormat,
}

/// Who can tell what the operations of a case mean.
pub const UNREGISTERED: &str =
    "the operations of a case mean what its datatype says; a binary that registers it knows it";

/// What is told of a thing: its kind, what is known of it for programs, and the words for
/// people.
type Told = (&'static str, Json, String);

/// Runs the subcommand.
pub fn run(args: &ExplainArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let look = match args.format {
        PlainFormat::Human => screen.look,
        PlainFormat::Json => Look::default(),
    };
    let (told, exit) = match args.against {
        Some(other) => {
            let one = args.subject.parse().map_err(Failure::new)?;
            let (told, exit) = against(one, other, &look);
            (vec![told], exit)
        }
        None => (explained(args, registry, (screen, &look))?, Exit::Holds),
    };
    match args.format {
        PlainFormat::Human => {
            let texts: Vec<_> = told.into_iter().map(|(.., text)| text).collect();
            screen.tell(&texts.join("\n"));
        }
        PlainFormat::Json => screen.print(&names::explained(&told, &exit.reason())),
    }
    Ok(exit)
}

/// What is told of the subject.
fn explained(
    args: &ExplainArgs,
    registry: &Registry,
    (screen, look): (&Screen, &Look),
) -> Result<Vec<Told>, Failure> {
    let text = &args.subject;
    let is_typed = || input::typed(text, &Options::default()).is_some();
    if args.datatype.is_some() && !is_typed() {
        return Err(Failure::new("--datatype says what a typed history means")
            .remedy("leave it out, or give a history like 'wx1|rx1 rx0'"));
    }
    let width = look.width;
    let datatype = named(text);
    let of_model = |model| ("model", names::model(model), prose::model(model, width));
    let family = registry.family(text.split(':').next().unwrap_or_default());
    let told = match (text.parse::<Model>(), family) {
        // A word may be the name of both.
        (Ok(model), Ok(family)) => vec![of_model(model), of_family(family, screen)],
        (Ok(model), Err(_)) => vec![of_model(model)],
        (Err(_), _) if let Some((property, about)) = about(text) => {
            let words = prose::property(text, &about, width);
            vec![("property", names::property(&property), words)]
        }
        (_, Err(_)) if let Ok(datatype) = datatype => {
            vec![("datatype", names::datatype(datatype), prose::datatype(datatype, width))]
        }
        (Err(_), Ok(family)) => {
            let subjects = registry.parse(text).map_err(Failure::new)?;
            let all: Vec<_> =
                subjects.iter().map(|subject| registry.short(&subject.strategy_name())).collect();
            let is_named = |mutant: &&Mutant| all == [mutant.strategy.as_str()];
            vec![match family.mutants.iter().find(is_named) {
                Some(known) => {
                    let setting = setting_text(&known.setting);
                    let words = prose::mutant(known, &screen.program, &setting, width);
                    ("mutant", names::mutant(known), words)
                }
                None => of_family(family, screen),
            }]
        }
        _ if let Some(fault) = fault(text) => {
            vec![("fault", names::fault(fault), prose::fault(fault, width))]
        }
        _ if is_typed() => {
            return Ok(vec![typed(text, args.datatype.clone().unwrap_or_default(), look)?]);
        }
        _ if is_file(text) => vec![of_case(text, registry, width)?],
        (Err(model), Err(strategy)) => {
            let message = format!(
                "`{text}` is not a case file, a model, a property, a datatype, a strategy, a fault \
                 or a history"
            );
            let datatype = datatype.err().and_then(|unknown| unknown.nearest);
            let known = [strategy.meant, model.nearest, datatype].into_iter().flatten();
            let faults = FaultKind::ALL.into_iter().map(|kind| kind.name().to_owned());
            let meant = nearest(text, known.chain(faults));
            let remedy = suggestion(meant.as_deref(), "`list` shows strategies, models and faults");
            return Err(Failure::new(message).remedy(remedy));
        }
    };
    let shown = |(kind, known, words): Told| (kind, known, page(&words, look));
    Ok(told.into_iter().map(shown).collect())
}

fn of_family(family: &Family, screen: &Screen) -> Told {
    let words = prose::strategy(family, &screen.program, setting_text);
    ("strategy", names::strategy(family), words)
}

fn of_case(text: &str, registry: &Registry, width: usize) -> Result<Told, Failure> {
    let (case, written) = files::read(Path::new(text))?;
    let name = registry.short(&case.strategy);
    let datatype = registry.datatype(&case.datatype).map_err(|error| {
        let place = files::place(Path::new(text), place_of_datatype(&written));
        Failure::new(format!("{place}: {error}")).remedy(UNREGISTERED)
    })?;
    let words = prose::case(&case, datatype, &name, &setting_text(&case.setting), width);
    Ok(("case", names::case(&case, &name), words))
}

/// The fault of this name, where dashes do for the underscores of its name in files.
fn fault(text: &str) -> Option<FaultKind> {
    FaultKind::named(&text.replace('-', "_"))
}

/// Tells two models apart.
fn against(one: Model, other: Model, look: &Look) -> (Told, Exit) {
    let [there, back] = [apart(one, other), apart(other, one)];
    let words = report::apart::text([one, other], &there, &back, look);
    let known = |apart: &Apart| apart.implied == Implied::Always || apart.example.is_some();
    let exit = if known(&there) && known(&back) { Exit::Holds } else { Exit::Unknown };
    (("comparison", names::comparison([one, other], [&there, &back]), words), exit)
}

/// A history that was typed, and which models allow it.
fn typed(text: &str, said: Meaning, look: &Look) -> Result<Told, Failure> {
    let read = input::read(text, &Options::default(), None)?;
    let called = read.recording.called(text);
    if read.recording.history.is_empty() {
        return Err(Failure::new(format!("{called}: its drains took nothing"))
            .remedy("type an operation besides: '[enqueue]q=1|[drain]q=null:[1]'"));
    }
    let begun = verify::begun(said, None, &called, &read)?;
    let judge = begun.judge();
    let models: Vec<Model> = nodes().collect();
    let budget = Budget::default();
    let mut rechecked = BTreeSet::new();
    let survey = Survey::among(&judge, &models, |model| {
        verify::confirmed(&begun, model, judge.check(model, budget), &mut rechecked)
    });
    let judged = Judged {
        name: text,
        every: false,
        full: true,
        witnesses: false,
        not_asked: &[],
        recording: &read.recording,
        counted: Counted::of(begun.history()),
        spilled: false,
        bytes: read.bytes,
        reading: Duration::ZERO,
        survey: &survey,
        says_anything: judge.says_anything(),
        initial: None,
        guessed: None,
        searched: judge.searched(),
        rechecked: &rechecked,
        times: &[],
        budget,
        least: None,
        distance: None,
        elements: None,
        sums: None,
        far: false,
    };
    Ok(("history", judged.json(), report::typed::text(&judged, look)))
}

/// What the property of this name asks, if it is one and no model.
fn about(name: &str) -> Option<(Property, String)> {
    let property: Property = name.parse().ok()?;
    let about = property.about()?;
    Some((property, about))
}

/// Whether the argument names a file, even one that does not exist.
fn is_file(text: &str) -> bool {
    text.contains(['/', '\\']) || text.ends_with(".json") || Path::new(text).exists()
}
