//! Named fields: of a JSON object, or of a row of a table.
//!
//! [`Options`] say which of the file's fields is which of ours, which are not looked at, and
//! the unit of times. Everything else is refused, all at once, so that a misspelt `final` is
//! not ignored.

use std::fmt;

use rustc_hash::FxHashSet;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::json::complaint;
use super::names::Process;
use super::options::Options;
use super::unit::Unit;

/// Fields that both kinds of lines may have and no reader looks at.
const UNUSED: [&str; 2] = ["index", "error"];

/// The fields of both kinds of lines.
pub const FIELDS: [&str; 13] = [
    "process", "type", "f", "key", "value", "answer", "argument", "time", "invoke", "return",
    "node", "replica", "final",
];

/// Those of them that are times.
const TIMES: [&str; 3] = ["time", "invoke", "return"];

/// Fields by name, in order.
#[derive(Debug, PartialEq)]
pub(super) struct Record(Vec<(String, Json)>);

/// Why a record is refused.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// For this reason.
    Reason(String),
    /// It has fields that nobody knows.
    Unknown(Vec<String>),
}

impl Refused {
    /// Why, in words.
    pub(super) fn in_words(self) -> String {
        match self {
            Refused::Reason(reason) => reason,
            Refused::Unknown(names) => unknown(&names),
        }
    }
}

impl From<&str> for Refused {
    fn from(reason: &str) -> Self {
        Refused::Reason(reason.to_owned())
    }
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Refused::Reason(reason)
    }
}

impl Record {
    /// Reads a JSON object, and calls its fields as we do.
    pub(super) fn parse(text: &[u8], options: &Options) -> Result<Record, String> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let fields = Fields(options).deserialize(&mut json);
        let fields = fields.and_then(|fields| json.end().map(|()| fields));
        Record::of(fields.map_err(|error| complaint(&error))?, options)
    }

    /// Calls fields as we do, and leaves out what is not looked at.
    pub(super) fn of(fields: Vec<(String, Json)>, options: &Options) -> Result<Record, String> {
        let mut record = Record(Vec::with_capacity(fields.len()));
        let mut seen = FxHashSet::default();
        for (name, value) in fields {
            let ours = options.columns.iter().find(|(_, theirs)| *theirs == name);
            let name = ours.map_or(name, |(ours, _)| ours.clone());
            if ours.is_none() && options.ignored.contains(&name) {
                continue;
            }
            if !seen.insert(name.clone()) {
                return Err(format!("there are two fields `{name}`"));
            }
            record.0.push((name, value));
        }
        Ok(record)
    }

    /// Takes a field out, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// As [`take`](Self::take); `null` counts as absent.
    pub(super) fn given(&mut self, name: &str) -> Option<Json> {
        self.take(name).filter(|value| *value != Json::Null)
    }

    /// As [`given`](Self::given), for a field that is a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.given(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{name}` is a text, not {other}")),
        }
    }

    /// As [`take`](Self::take), for a field that has to be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<Json, String> {
        self.take(name).ok_or_else(|| format!("`{name}` is missing"))
    }

    /// The time in this field: a number, or a text of one; `null` counts as absent.
    pub(super) fn time(&mut self, name: &str, unit: Unit) -> Result<Option<u64>, String> {
        match self.given(name) {
            None => Ok(None),
            Some(Json::String(number)) => unit.nanoseconds(&number).map(Some),
            Some(Json::Number(number)) => unit.nanoseconds(&number.to_string()).map(Some),
            Some(other) => Err(format!("`{name}` is a number, not {other}")),
        }
    }

    /// The client.
    pub(super) fn process(&mut self) -> Result<Process, String> {
        match self.needed("process")? {
            Json::String(name) => Ok(Process::Text(name)),
            Json::Number(number) => {
                let small = number.as_u64().and_then(|number| u32::try_from(number).ok());
                let reason = || format!("`process` is a number from 0 to 4294967295, not {number}");
                small.map(Process::Number).ok_or_else(reason)
            }
            other => Err(format!("`process` is a number or a text, not {other}")),
        }
    }

    /// Whether this is a final read.
    pub(super) fn last(&mut self) -> Result<bool, String> {
        match self.given("final") {
            None => Ok(false),
            Some(Json::Bool(last)) => Ok(last),
            Some(other) => Err(format!("`final` is true or false, not {other}")),
        }
    }

    /// Complains about fields that are not among these.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Refused> {
        let names = self.0.iter().map(|(name, _)| name);
        let strange =
            |name: &&String| !known.contains(&name.as_str()) && !UNUSED.contains(&name.as_str());
        let unknown: Vec<_> = names.filter(strange).cloned().collect();
        if unknown.is_empty() { Ok(()) } else { Err(Refused::Unknown(unknown)) }
    }
}

/// How many unknown fields are told.
pub(super) const TOLD_MAX: usize = 20;

/// What is said about unknown fields, and the options that help.
pub(super) fn unknown(names: &[String]) -> String {
    let names = &names[..names.len().min(TOLD_MAX)];
    let told: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let (noun, verb) = if names.len() == 1 { ("field", "is") } else { ("fields", "are") };
    let mut said = format!("the {noun} {} {verb} not known here", told.join(", "));
    let mut ignored = Vec::new();
    // What is known elsewhere is called as it should be.
    for name in names.iter().filter(|name| !FIELDS.contains(&name.as_str())) {
        match meant(name) {
            Some((ours, unit)) => said.push_str(&perhaps(name, ours, unit)),
            None => ignored.push(format!("--ignore-field {name}")),
        }
    }
    if !ignored.is_empty() {
        said.push_str(&format!("; {} reads on without", ignored.join(" ")));
    }
    said
}

/// That a name may stand for a known field, and the options that say so.
pub(super) fn perhaps(name: &str, ours: &str, unit: Option<&str>) -> String {
    let unit = unit.map_or(String::new(), |unit| format!(" --time-unit {unit}"));
    format!("; `{name}` may be `{ours}`: --columns {ours}={name}{unit}")
}

/// Which known field a name may stand for, and the unit that it ends with.
pub(super) fn meant(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    const OTHERS: [(&str, &str); 12] = [
        ("client", "process"),
        ("thread", "process"),
        ("session", "process"),
        ("op", "f"),
        ("operation", "f"),
        ("start", "invoke"),
        ("begin", "invoke"),
        ("end", "return"),
        ("finish", "return"),
        ("timestamp", "time"),
        ("ts", "time"),
        ("status", "type"),
    ];
    let lower = name.to_lowercase();
    let mut units = Unit::ALL.iter().map(|(sign, _)| *sign);
    let unit = units.find(|sign| lower.strip_suffix(sign).is_some_and(|it| it.ends_with('_')));
    let stem =
        unit.map_or(&lower[..], |sign| lower[..lower.len() - sign.len()].trim_end_matches('_'));
    let ours = FIELDS.iter().find(|ours| {
        let named = OTHERS.iter().any(|(theirs, of)| stem == *theirs && of == *ours);
        named || strsim::damerau_levenshtein(stem, ours) <= usize::from(stem.len() > 3)
    });
    ours.map(|ours| (*ours, unit))
}

/// Reads the fields of an object, in order, all of them where one occurs twice.
struct Fields<'a>(&'a Options);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Vec<(String, Json)>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Vec<(String, Json)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let times = TIMES.map(|ours| self.0.theirs(ours));
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = match times.contains(&name.as_str()) {
                true => digits(map.next_value::<&RawValue>()?.get()).map_err(A::Error::custom)?,
                false => map.next_value()?,
            };
            fields.push((name, value));
        }
        Ok(fields)
    }
}

/// A value; a number as the text of its digits, because 64 bits hold only some 16 of them.
fn digits(text: &str) -> Result<Json, serde_json::Error> {
    match text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        true => Ok(Json::from(text)),
        false => serde_json::from_str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_other_kind_of_lines_is_not_proposed_for_itself() {
        let names = ["invoke", "start"].map(str::to_owned);
        let said = "the fields `invoke`, `start` are not known here; `start` may be `invoke`: \
                    --columns invoke=start";
        assert_eq!(unknown(&names), said);
    }
}
