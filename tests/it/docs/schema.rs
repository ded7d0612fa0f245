//! Checks JSON values against the schemas in docs/schema. Committed cases must
//! obey theirs.

use serde_json::Value as Json;

use super::{files, read, root};

#[test]
fn every_schema_is_json_and_names_its_draft() {
    for path in files(&root().join("docs/schema"), "json") {
        let schema: Json = serde_json::from_str(&read(&path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(schema["$schema"].is_string(), "{}", path.display());
    }
}

/// How a case violates docs/schema/case.schema.json.
pub fn complaints(case: &Json) -> Vec<String> {
    complaints_of("case", case)
}

/// A file in docs/schema.
fn schema_of(file: &str) -> Json {
    let text = read(&root().join("docs/schema").join(file));
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// How a value violates the schema with this name in docs/schema.
pub fn complaints_of(name: &str, value: &Json) -> Vec<String> {
    let schema = schema_of(&format!("{name}.schema.json"));
    let mut complaints = Vec::new();
    conforms(&schema, &schema, value, "", &mut complaints);
    complaints
}

#[test]
fn every_committed_case_conforms_to_the_schema() {
    let cases = files(&root().join("tests/cases/v1"), "json");
    assert!(!cases.is_empty(), "there are committed cases");
    for path in cases {
        let case = serde_json::from_str(&read(&path)).expect("a case is JSON");
        assert_eq!(complaints(&case), [""; 0], "{}", path.display());
    }
}

#[test]
fn the_schema_refuses_what_is_not_a_case() {
    let path = root().join("tests/cases/v1/notebook-storing-eventual-sticky.json");
    let good: Json = serde_json::from_str(&read(&path)).expect("a case is JSON");
    let broken: [(&str, Json); 5] = [
        ("/format", "quiescence-case/0".into()),
        ("/routing", "wandering".into()),
        ("/cluster/nodes", 0.into()),
        ("/schedule/0/do", "think".into()),
        ("/schedule/0/text", 7.into()),
    ];
    for (place, value) in broken {
        let mut case = good.clone();
        *case.pointer_mut(place).expect("the place exists") = value;
        assert_eq!(complaints(&case).len(), 1, "{place}: {:?}", complaints(&case));
    }
    let mut case = good;
    case.as_object_mut().expect("a case is an object").remove("schedule");
    assert_eq!(complaints(&case), [": `schedule` is missing"]);
}

/// The part of JSON Schema that the schemas of cases and lines use. An unknown
/// keyword fails, so that nothing remains unchecked.
fn conforms(root: &Json, schema: &Json, value: &Json, place: &str, complaints: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        let mut complain = |what: String| complaints.push(format!("{place}: {what}"));
        match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let path = wanted.as_str().expect("a path");
                let (file, inside) = path.split_once('#').expect("a schema in a file");
                let other = (!file.is_empty()).then(|| schema_of(file));
                let root = other.as_ref().unwrap_or(root);
                let named = root.pointer(inside).expect("a schema of the file");
                conforms(root, named, value, place, complaints);
            }
            "type" => {
                let words = wanted.as_array().map_or(vec![wanted], |words| words.iter().collect());
                if !words.iter().any(|word| is_of(value, word.as_str().expect("a type"))) {
                    complain(format!("{value} is not of type {wanted}"));
                }
            }
            "const" if value == wanted => {}
            "enum" if wanted.as_array().is_some_and(|all| all.contains(value)) => {}
            "const" | "enum" => complain(format!("{value} is not {wanted}")),
            "minimum" | "maximum" | "minItems" | "maxItems" => {
                if is_beyond(value, keyword, wanted) {
                    complain(format!("{value} is beyond the {keyword} {wanted}"));
                }
            }
            "required" => {
                for name in wanted.as_array().expect("names").iter().filter_map(Json::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        complain(format!("`{name}` is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().expect("properties") {
                    if let Some(inner) = value.get(name) {
                        conforms(root, schema, inner, &format!("{place}/{name}"), complaints);
                    }
                }
            }
            "additionalProperties" => others(root, schema, value, place, complaints),
            "items" => {
                for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
                    conforms(root, wanted, inner, &format!("{place}/{at}"), complaints);
                }
            }
            "oneOf" => {
                let fits = |schema: &&Json| fits(root, schema, value);
                let fitting = wanted.as_array().expect("schemas").iter().filter(fits).count();
                if fitting != 1 {
                    complain(format!("{fitting} of the forms fit"));
                }
            }
            other => panic!("the keyword `{other}` is not known to this test"),
        }
    }
}

/// The fields of a value that the schema does not name.
fn others(root: &Json, schema: &Json, value: &Json, place: &str, complaints: &mut Vec<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        if schema["properties"].get(name).is_some() {
            continue;
        }
        match &schema["additionalProperties"] {
            Json::Bool(true) => {}
            Json::Bool(false) => complaints.push(format!("{place}: `{name}` is not a field")),
            other => conforms(root, other, inner, &format!("{place}/{name}"), complaints),
        }
    }
}

/// Whether a number, or the length of a list, is beyond a limit.
fn is_beyond(value: &Json, keyword: &str, limit: &Json) -> bool {
    let is = match keyword.ends_with("Items") {
        true => value.as_array().and_then(|all| i64::try_from(all.len()).ok()),
        false => value.as_i64(),
    };
    let limit = limit.as_i64().expect("a limit");
    is.is_some_and(|is| if keyword.starts_with("min") { is < limit } else { is > limit })
}

fn fits(root: &Json, schema: &Json, value: &Json) -> bool {
    let mut found = Vec::new();
    conforms(root, schema, value, "", &mut found);
    found.is_empty()
}

fn is_of(value: &Json, word: &str) -> bool {
    match word {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is not a type"),
    }
}
