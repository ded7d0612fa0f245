//! How recordings are read: what their files do not say themselves.

use clap::Args;

use crate::history::Value;
use crate::history::formats::{FIELDS, Options, Unit};

/// Options for reading recordings.
#[derive(Args, Debug, Default)]
pub struct ReadArgs {
    /// Skip malformed lines, and count them
    #[arg(long)]
    pub lenient: bool,
    /// Refuse times that run backwards; else the order of the lines counts
    #[arg(long)]
    pub strict_time: bool,
    /// The unit of times: ns, us, ms or s; they may have decimals [default: ns]
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub time_unit: Option<Unit>,
    /// Which fields or columns of the file are which: process=client,invoke=start_us
    #[arg(long, value_name = "OURS=THEIRS,…", value_delimiter = ',', value_parser = column)]
    pub columns: Vec<(String, String)>,
    /// A field or column to leave out (can be given several times)
    #[arg(long = "ignore-field", value_name = "NAME")]
    pub ignored: Vec<String>,
}

impl ReadArgs {
    /// What readers are told.
    pub fn options(&self) -> Options {
        Options {
            lenient: self.lenient,
            strict_time: self.strict_time,
            unit: self.time_unit.unwrap_or_default(),
            ignored: self.ignored.clone(),
            columns: self.columns.clone(),
            held: 0,
        }
    }

    /// The same, if objects hold this value at first.
    pub fn holding(&self, initial: Option<&Value>) -> Options {
        let held = match initial {
            Some(Value::List(list)) => list.len(),
            _ => 0,
        };
        Options { held, ..self.options() }
    }
}

fn unit(text: &str) -> Result<Unit, String> {
    let found = Unit::ALL.into_iter().find(|(sign, _)| *sign == text);
    found.map(|(_, unit)| unit).ok_or_else(|| "a unit of time is ns, us, ms or s".to_owned())
}

fn column(text: &str) -> Result<(String, String), String> {
    let two =
        text.split_once('=').filter(|(ours, theirs)| FIELDS.contains(ours) && !theirs.is_empty());
    let (ours, theirs) = two.ok_or_else(|| {
        format!("`{text}` is not like process=client; fields are {}", FIELDS.join(", "))
    })?;
    Ok((ours.to_owned(), theirs.to_owned()))
}
