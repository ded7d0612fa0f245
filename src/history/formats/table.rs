//! Tables: a line of column names, then a row for each event or operation, with commas or
//! tabs between the cells.
//!
//! ```text
//! process,type,f,key,value,time
//! 0,invoke,write,x,1,10
//! 0,ok,write,x,1,20
//! ```
//!
//! Columns are the fields of [event lines](super::json_lines), or, if there is one called
//! `invoke`, of [operation lines](super::operation_lines). [`Options::columns`] says which
//! column is which. An empty cell is an absent field. A cell of `value`, `argument` or
//! `answer` that is JSON is that value, any other is a text. A cell may be quoted; a row is
//! one line.

use std::io::BufRead;

use serde_json::Value as Json;

use super::lines::Lines;
use super::operation_lines;
use super::options::Options;
use super::pairs::complain;
use super::record::{FIELDS, Record, Refused};
use super::{Format, Recording, json_lines};
use crate::history::Malformed;

/// The column names, if this line may be the first of a table, because it names a field; with
/// what is between them.
pub(super) fn columns(line: &[u8], options: &Options) -> Option<(Vec<String>, u8)> {
    let separator = [b'\t', b','].into_iter().find(|separator| line.contains(separator))?;
    let names = cells(line, separator).ok()?;
    let is_name = |name: &String| {
        let fits = |it: char| it.is_alphanumeric() || "_- .".contains(it);
        !name.is_empty() && name.len() < 64 && name.chars().all(fits)
    };
    let is_field = |name: &String| {
        let renamed = options.columns.iter().any(|(_, theirs)| theirs == name);
        renamed || FIELDS.contains(&name.as_str())
    };
    (names.iter().all(is_name) && names.iter().any(is_field)).then_some((names, separator))
}

/// The cells of a line.
fn cells(line: &[u8], separator: u8) -> Result<Vec<String>, String> {
    if !line.contains(&b'"') {
        let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())?;
        let cells = text.trim_end_matches(['\r', '\n']).split(char::from(separator));
        return Ok(cells.map(|cell| cell.trim().to_owned()).collect());
    }
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).delimiter(separator).trim(csv::Trim::All);
    let reader = reader.buffer_capacity(line.len());
    let mut row = csv::StringRecord::new();
    let read = reader.from_reader(line).read_record(&mut row);
    read.map_err(|_| "the line is not UTF-8".to_owned())?;
    Ok(row.iter().map(str::to_owned).collect())
}

/// What a cell of this column says; nothing if it is empty.
fn value(name: &str, cell: &str) -> Option<Json> {
    let text = || Json::from(cell);
    let json = || match cell.parse::<i64>() {
        Ok(number) if number.to_string() == cell => Json::from(number),
        _ => serde_json::from_str(cell).unwrap_or_else(|_| text()),
    };
    match name {
        _ if cell.is_empty() => None,
        // Of a number only some digits would be kept.
        "key" | "f" | "type" | "time" | "invoke" | "return" => Some(text()),
        "value" | "argument" | "answer" => Some(json()),
        // Numbers stay numbers, and what only looks like another value is a text.
        _ => Some(match json() {
            number @ Json::Number(_) => number,
            truth @ Json::Bool(_) if name == "final" => truth,
            _ => text(),
        }),
    }
}

/// Reads a table whose columns were read.
pub(super) fn read_from<R: BufRead>(
    lines: &mut Lines<R>,
    (columns, separator): (&[String], u8),
    options: &Options,
) -> Result<Recording, Malformed> {
    let first = lines.next()?.unwrap_or(1);
    let ours = |theirs: &String| {
        let renamed = options.columns.iter().find(|(_, other)| other == theirs);
        renamed.map_or(theirs.clone(), |(ours, _)| ours.clone())
    };
    let ours: Vec<_> = columns.iter().map(ours).collect();
    let has = |name: &str| ours.iter().any(|ours| ours == name);
    let missing: &[&str] = match has("invoke") {
        true => &["process", "f", "return"],
        false => &["process", "type", "f"],
    };
    if let Some(missing) = missing.iter().find(|name| !has(name)) {
        let there = columns.join(", ");
        let reason = format!(
            "this table has no column `{missing}`, only {there}; --columns {missing}=NAME says \
             which one it is"
        );
        return complain(first, reason);
    }
    let row = |text: &[u8]| -> Result<Record, Refused> {
        let cells = cells(text, separator)?;
        if cells.len() != columns.len() {
            let (many, wanted) = (cells.len(), columns.len());
            return Err(format!("the row has {many} cells, and the table {wanted} columns").into());
        }
        let fields = ours.iter().zip(columns).zip(&cells);
        let fields =
            fields.filter_map(|((ours, name), cell)| Some((name.clone(), value(ours, cell)?)));
        Ok(Record::of(fields.collect(), options)?)
    };
    match has("invoke") {
        true => operation_lines::read_records(lines, Format::Table, options, row),
        false => json_lines::read_records(lines, Format::Table, options, row),
    }
}
