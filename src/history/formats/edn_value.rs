//! Converts EDN forms to values, and values to forms.
//!
//! Invariant: equal forms give equal values, however they are written. It does
//! not know what an event is.

use super::edn_text::Edn;
use super::json::NESTING_MAX;
use crate::history::{Key, Value, escape};

/// The key that a value names.
pub(super) fn key_of(value: &Value) -> Key {
    match value {
        Value::Text(text) => Key::new(text),
        other => Key::new(other.to_string()),
    }
}

/// The value of a form. Keywords keep their colon and characters their
/// backslash, so that they differ from strings. The elements of a set are
/// sorted. A map is refused, because it is about several objects.
pub(super) fn value_of(form: &Edn) -> Result<Value, String> {
    nested(form, NESTING_MAX)
}

fn nested(form: &Edn, left: usize) -> Result<Value, String> {
    let all = |list: &[Edn]| {
        if left == 0 {
            return Err(format!("lists nest more than {NESTING_MAX} deep in this value"));
        }
        list.iter().map(|form| nested(form, left - 1)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match form {
        Edn::Nil => Value::Null,
        Edn::Int(number) => Value::Int(*number),
        Edn::Text(text) | Edn::Word(text) => Value::Text(text.clone()),
        Edn::Keyword(_) => Value::from(shown(form).as_str()),
        Edn::Map(_) => {
            return Err(format!(
                "`{}` is a map, as in a transaction on several objects; a value is one of a single \
                 object",
                shown(form)
            ));
        }
        Edn::List(list) => Value::from(all(list)?),
        Edn::Set(list) => {
            let mut elements = all(list)?;
            elements.sort_unstable();
            Value::from(elements)
        }
    })
}

/// A form as text; equal forms give equal texts.
pub(super) fn shown(form: &Edn) -> String {
    let all = |list: &[Edn]| list.iter().map(shown).collect::<Vec<_>>().join(" ");
    match form {
        Edn::Nil => "nil".to_owned(),
        Edn::Int(number) => number.to_string(),
        Edn::Text(text) => quoted(text),
        Edn::Keyword(name) => format!(":{name}"),
        Edn::Word(word) => word.to_string(),
        Edn::List(list) => format!("[{}]", all(list)),
        Edn::Set(list) => {
            let mut list = list.clone();
            list.sort_unstable();
            format!("#{{{}}}", all(&list))
        }
        Edn::Map(pairs) => {
            let mut pairs = pairs.clone();
            pairs.sort_unstable();
            let pair = |(key, value): &(Edn, Edn)| format!("{} {}", shown(key), shown(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A name as a keyword, or as a string if it cannot be one.
pub(super) fn keyword(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_*+!?<>=.".contains(c);
    if !name.is_empty() && name.chars().all(plain) { format!(":{name}") } else { quoted(name) }
}

/// A text in quotes, with escapes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if escape::steers(letter) => escape::push_unit(&mut quoted, letter),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A value as a form.
pub(super) fn edn_of(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::List(list) => {
            format!("[{}]", list.iter().map(edn_of).collect::<Vec<_>>().join(" "))
        }
    }
}
