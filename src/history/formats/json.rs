//! What the fields of JSON lines of both kinds mean (keys, values, nodes), and
//! the complaint about a line that is not JSON.

use std::io::{self, Write};

use serde_json::Value as Json;

use crate::history::{Key, NodeId, Operation, Value};

/// How deep lists may nest in a value.
pub(super) const NESTING_MAX: usize = 100;

/// The complaint about a line that cannot be read, with the column.
pub(super) fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let why = match text.split(" at line ").next().unwrap_or(&text) {
        "recursion limit exceeded" => "what is here nests too deep",
        why => why,
    };
    format!("column {}: {why}", error.column())
}

/// The node that a line names, if it does.
pub(super) fn node_of(
    node: Option<&Json>,
    replica: Option<&Json>,
) -> Result<Option<NodeId>, String> {
    let json = match (node, replica) {
        (Some(_), Some(_)) => {
            return Err("`node` and `replica` are the same; take one".to_owned());
        }
        (Some(json), None) | (None, Some(json)) => json,
        (None, None) => return Ok(None),
    };
    let number = match json {
        Json::Number(number) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
        Json::String(name) => {
            let from_one = name.strip_prefix('n').and_then(|n| n.parse::<u32>().ok());
            from_one.and_then(|n| u16::try_from(n.checked_sub(1)?).ok())
        }
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(NodeId(number))),
        None => Err(format!("a node is a number from 0 or \"n1\", …, not {json}")),
    }
}

/// The key that a line names.
pub(super) fn key_of(json: &Json) -> Result<Key, String> {
    match json {
        Json::String(name) => Ok(Key::new(name)),
        Json::Number(number) if number.is_i64() || number.is_u64() => {
            Ok(Key::new(number.to_string()))
        }
        _ => Err(format!("a key is a text or an integer, not {json}")),
    }
}

/// The value that a line names.
pub(super) fn value_of(json: &Json) -> Result<Value, String> {
    nested(json, NESTING_MAX)
}

fn nested(json: &Json, left: usize) -> Result<Value, String> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::String(text) => Ok(Value::from(text.as_str())),
        Json::Array(_) if left == 0 => {
            Err(format!("lists nest more than {NESTING_MAX} deep in this value"))
        }
        Json::Array(list) => list
            .iter()
            .map(|json| nested(json, left - 1))
            .collect::<Result<_, _>>()
            .map(Value::List),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Ok(Value::Int(number)),
            None => Err(format!("{number} is no integer of 64 bits")),
        },
        Json::Bool(_) | Json::Object(_) => {
            Err(format!("a value is null, an integer, a text or a list of them, not {json}"))
        }
    }
}

/// Writes the fields that end a line: `node` and `final`.
pub(super) fn write_marks(
    operation: &Operation,
    last: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    if let Some(node) = operation.node {
        write!(out, r#","node":{}"#, node.0)?;
    }
    out.write_all(if last { b",\"final\":true}\n" } else { b"}\n" })
}
