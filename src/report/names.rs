//! What has a name, for programs, as `docs/schema/names.schema.json` describes it.

use serde_json::{Value, json};

use crate::catalogue::{Family, Mutant, Registry};
use crate::history::notation;
use crate::hunt::case::Case;
use crate::hunt::case::write::setting;
use crate::hunt::property::Property;
use crate::judgement::Model;
use crate::judgement::apart::{Apart, Implied};
use crate::judgement::datatype::{DESCRIBED, Described};
use crate::judgement::model::neighbours;
use crate::world::FaultKind;

use super::SCHEMA;
use super::json::{text, with_frame};

/// Everything that has a name.
pub fn list(registry: &Registry, models: impl Iterator<Item = Model>, exit: &str) -> String {
    let all = json!({
        "schema": SCHEMA,
        "strategies": registry.families().iter().map(strategy).collect::<Vec<_>>(),
        "models": models.map(model).collect::<Vec<_>>(),
        "properties": Property::PLAIN.iter().map(property).collect::<Vec<_>>(),
        "datatypes": DESCRIBED.iter().map(datatype).collect::<Vec<_>>(),
        "faults": FaultKind::ALL.map(fault),
    });
    text(&with_frame(all, exit))
}

/// What was explained: of each thing its kind, what is known of it, and the words for people.
pub fn explained(things: &[(&str, Value, String)], exit: &str) -> String {
    let things = things
        .iter()
        .map(|(kind, known, words)| json!({ "kind": kind, (*kind): known, "text": words }));
    let all = json!({ "schema": SCHEMA, "explained": things.collect::<Vec<_>>() });
    text(&with_frame(all, exit))
}

/// A strategy.
pub fn strategy(family: &Family) -> Value {
    let parameters = family.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "values": parameter.values,
            "default": parameter.default,
            "about": parameter.about,
        })
    });
    let promises = family.promises.iter().map(|promise| {
        json!({
            "strategy": promise.strategy,
            "setting": setting(&promise.setting),
            "model": promise.property.to_string(),
            "expected": promise.expected.to_string(),
        })
    });
    json!({
        "name": family.name,
        "about": family.about,
        "source": family.sources,
        "parameters": parameters.collect::<Vec<_>>(),
        "promises": promises.collect::<Vec<_>>(),
        "mutants": family.mutants.iter().map(mutant).collect::<Vec<_>>(),
    })
}

/// A strategy with a bug.
pub fn mutant(mutant: &Mutant) -> Value {
    json!({
        "strategy": mutant.strategy,
        "title": mutant.bug.title,
        "story": mutant.bug.story,
        "setting": setting(&mutant.setting),
        "model": mutant.property.to_string(),
        "kind": mutant.flaw.to_string(),
        "keeps": mutant.keeps.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "source": mutant.bug.source,
        "repaired": mutant.bug.repaired,
    })
}

/// A model.
pub fn model(model: Model) -> Value {
    let (above, below) = neighbours(model);
    let names = |list: Vec<Model>| list.into_iter().map(Model::name).collect::<Vec<_>>();
    json!({
        "name": model.name(),
        "long_name": model.long_name(),
        "about": model.about(),
        "predicate": model.predicate(),
        "source": model.source(),
        "implied_by": names(above),
        "implies": names(below),
    })
}

/// A property that is no model.
pub fn property(property: &Property) -> Value {
    json!({ "name": property.to_string(), "about": property.about() })
}

/// A datatype.
pub fn datatype(described: &Described) -> Value {
    json!({
        "names": described.names,
        "operations": described.operations,
        "about": described.about,
        "formula": described.formula,
    })
}

/// A kind of fault.
pub fn fault(kind: FaultKind) -> Value {
    json!({ "name": kind.name(), "about": kind.about() })
}

/// A case, as it is recorded.
pub fn case(case: &Case, strategy: &str) -> Value {
    json!({
        "strategy": strategy,
        "setting": setting(&case.setting),
        "model": case.property.to_string(),
        "kind": case.kind.map(|kind| kind.to_string()),
        "evidence": case.why(),
    })
}

/// What each of two models allows and the other one forbids.
pub fn comparison(models: [Model; 2], apart: [&Apart; 2]) -> Value {
    let [one, other] = models;
    let of = |allows: Model, forbids: Model, apart: &Apart| {
        let implied = match apart.implied {
            Implied::Always => "always",
            Implied::WhereQuiet => "where-quiet",
            Implied::Never => "never",
        };
        json!({
            "allowed_by": allows.name(),
            "forbidden_by": forbids.name(),
            "implied": implied,
            "history": apart.example.as_ref().map(|example| notation::write(&example.history)),
        })
    };
    json!([of(one, other, apart[0]), of(other, one, apart[1])])
}
