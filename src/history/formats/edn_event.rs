//! Forms of Jepsen's EDN as events and as whole operations, their fields by any name.
//!
//! [`Options`] say which keyword is which field, and the unit of times.

use super::edn_text::Edn;
use super::edn_value::{key_of, shown, value_of};
use super::operation_lines::{self, Parts};
use super::options::Options;
use super::pairs::{Head, complain};
use super::reader::{Kind, Raw, Reader};
use super::unit::Unit;
use super::{names::Process, record};
use crate::history::{Function, Key, Malformed, NodeId, Value};

/// Keywords for the time of an invocation, unless [`Options::columns`] name another one.
const INVOKE: [&str; 7] =
    ["invoke", "invoke-time", "invoke_time", "start", "start-time", "start_time", "begin"];

/// Keywords for the time of a return.
const RETURN: [&str; 7] =
    ["return", "return-time", "return_time", "end", "end-time", "end_time", "finish"];

/// Why an operation is refused that does not tell when it began, in a file of whole ones.
pub(super) const NO_INVOCATION: &str = "an operation needs the time of its invocation, as in \
                                        `:start 10`, because the file has no invocations";

/// What is said to whoever recorded no invocations.
const ALONE: &str = "nothing was invoked before; where only completions are recorded, each needs \
                     both of its times, as in `:start 10, :end 20`, or with --columns \
                     invoke=NAME,return=NAME";

/// A form, its fields by the names that the options give them.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) line: usize,
    pub(super) form: &'a Edn,
    pub(super) options: &'a Options,
}

impl<'a> Entry<'a> {
    /// What stands under a keyword.
    fn get(self, ours: &str) -> Option<&'a Edn> {
        let renamed = self.options.columns.iter().find(|(name, _)| name == ours);
        match renamed {
            Some((_, theirs)) => self.form.get(theirs),
            None if self.options.ignored.iter().any(|name| name == ours) => None,
            None => self.form.get(ours),
        }
    }

    fn word(self, ours: &str) -> Option<&'a str> {
        match self.get(ours) {
            Some(Edn::Keyword(word) | Edn::Word(word) | Edn::Text(word)) => Some(word),
            _ => None,
        }
    }

    /// The client; `None` if a keyword says that it is nobody's, or `"nemesis"`.
    pub(super) fn client(self) -> Result<Option<Process>, String> {
        let process = match self.get("process") {
            Some(Edn::Int(number)) => u32::try_from(*number).ok().map(Process::Number),
            Some(Edn::Text(name)) => Some(Process::Text(name.to_string())),
            Some(Edn::Keyword(_)) => return Ok(None),
            _ => None,
        };
        let process = process.ok_or_else(|| {
            let name = self.options.theirs("process");
            format!(
                "`:{name}` is a number from 0 to 4294967295, a text as `\"c0\"`, or a keyword as \
                 `:nemesis`"
            )
        })?;
        Ok((!process.is_no_client()).then_some(process))
    }

    /// Takes an event.
    pub(super) fn take(self, reader: &mut Reader) -> Result<(), Malformed> {
        let Entry { line, form, .. } = self;
        let Some(kind) = self.word("type") else {
            let name = self.options.theirs("type");
            return complain(line, format!("an event is a map with `:{name}`"));
        };
        let Some(process) = self.client().or_else(|reason| complain(line, reason))? else {
            reader.pairs.log.mark(line, shown(form));
            let said = ["f", "value"].into_iter().filter_map(|field| self.get(field));
            let said = said.filter(|part| **part != Edn::Nil).map(shown);
            let time = self.time("time", &["time"]).unwrap_or(None);
            reader.pairs.fault(line, time, said.collect::<Vec<_>>().join(" "));
            return Ok(());
        };
        let numbered = process.is_number();
        let process = reader.pairs.log.processes().number(process);
        let process = process.or_else(|reason| complain(line, reason))?;
        let raw = self.raw(process, kind).or_else(|reason| complain(line, reason))?;
        let begins = raw.kind == Kind::Invoke && raw.f.is_some();
        if !reader.begun && matches!(raw.kind, Kind::Ok | Kind::Fail) {
            let alone = Malformed::not_invoked(raw.head.place());
            return Err(Malformed { reason: self.alone(&alone.reason), ..alone });
        }
        reader.take(raw)?;
        if begins {
            reader.pairs.log.processes().begins(numbered);
        }
        Ok(())
    }

    /// The complaint about a completion before which nothing was invoked.
    fn alone(self, refused: &str) -> String {
        let Edn::Map(fields) = self.form else { return refused.to_owned() };
        let missing = |(ours, theirs): &&(String, String)| {
            ["invoke", "return"].contains(&ours.as_str()) && self.form.get(theirs).is_none()
        };
        if let Some((ours, theirs)) = self.options.columns.iter().find(missing) {
            return format!(
                "{refused}: --columns says that `:{theirs}` is `{ours}`, and it is not here"
            );
        }
        let names = fields.iter().filter_map(|(name, _)| match name {
            Edn::Keyword(name) => record::meant(name).map(|(ours, unit)| (name, ours, unit)),
            _ => None,
        });
        let times = names.filter(|(_, ours, _)| ["invoke", "return"].contains(ours));
        let hints: String =
            times.map(|(name, ours, unit)| record::perhaps(name, ours, unit)).collect();
        format!("{refused}: {ALONE}{hints}")
    }

    /// The time in the only one of these fields; `nil` and `-1` count as absent.
    fn time(self, ours: &str, names: &[&str]) -> Result<Option<u64>, String> {
        let renamed = self.options.columns.iter().any(|(name, _)| name == ours);
        let names = if renamed { &[ours] } else { names };
        let there = |name: &&&str| !matches!(self.get(name), None | Some(Edn::Nil | Edn::Int(-1)));
        let mut names = names.iter().filter(there);
        let Some(name) = names.next() else { return Ok(None) };
        if let Some(other) = names.next() {
            return Err(format!(
                "`:{name}` and `:{other}` may both be `{ours}`: --columns {ours}={name} says which"
            ));
        }
        let text = match self.get(name) {
            Some(Edn::Int(time)) if *time >= 0 && self.options.unit == Unit::Nanoseconds => {
                return Ok(Some(time.unsigned_abs()));
            }
            Some(Edn::Int(time)) => time.to_string(),
            // A number with decimals, perhaps with the `M` of those that are exact.
            Some(Edn::Word(text) | Edn::Text(text)) => {
                text.strip_suffix('M').unwrap_or(text).to_owned()
            }
            other => {
                let other = other.map_or_else(String::new, shown);
                return Err(format!("`:{name}` is a number, not {other}"));
            }
        };
        self.options.unit.nanoseconds(&text).map(Some)
    }

    fn key(self) -> Result<Option<Key>, String> {
        let key = self.get("key").filter(|key| **key != Edn::Nil);
        key.map(|key| Ok(key_of(&value_of(key)?))).transpose()
    }

    /// The value, nothing if it is of a failure and no value: it may describe the error.
    fn value(self, failed: bool) -> Result<Value, String> {
        match self.get("value").map(value_of).transpose() {
            Err(_) if failed => Ok(Value::Null),
            value => Ok(value?.unwrap_or_default()),
        }
    }

    fn node(self) -> Option<NodeId> {
        self.word("node").and_then(|name| name.parse().ok())
    }

    fn last(self) -> bool {
        let named = [self.form.get("final?"), self.get("final")];
        named.into_iter().flatten().any(|form| matches!(form, Edn::Word(word) if word == "true"))
    }

    fn raw(self, process: u32, kind: &str) -> Result<Raw, String> {
        let time = self.time("time", &["time"])?;
        let kind = Kind::named(kind)?;
        let answer = self.get("answer").map(value_of).transpose()?;
        let failed = matches!(kind, Kind::Fail | Kind::Info) && answer.is_none();
        Ok(Raw {
            head: Head { line: self.line, process, time, node: self.node() },
            kind,
            f: self.word("f").map(Function::named),
            key: self.key()?,
            value: self.value(failed)?,
            answer,
            last: self.last(),
        })
    }

    /// Whether this is a completion that tells when its operation was invoked.
    pub(super) fn is_whole(self) -> bool {
        let client = matches!(self.client(), Ok(Some(_)));
        let invoked = || self.time("invoke", &INVOKE);
        client && self.word("type") != Some("invoke") && !matches!(invoked(), Ok(None))
    }

    /// A whole operation, with what it answered if its value is the argument.
    pub(super) fn whole(self, process: Process) -> Result<(Parts, Option<Value>), String> {
        let said = self.word("type");
        if said == Some("invoke") {
            return Err("this is an invocation, and the file had whole operations".to_owned());
        }
        let invoked = self.time("invoke", &INVOKE)?;
        let invoked = invoked.ok_or(NO_INVOCATION)?;
        let returned = self.time("return", &RETURN)?;
        let kind = match said {
            Some(named) => Kind::named(named)?,
            None if returned.is_some() => Kind::Ok,
            None => Kind::Info,
        };
        let answer = self.get("answer").map(value_of).transpose()?;
        let failed = kind != Kind::Ok && answer.is_none();
        let kind = match kind {
            Kind::Fail if answer.is_none() => operation_lines::Kind::Fail,
            Kind::Ok | Kind::Fail => operation_lines::Kind::Ok,
            Kind::Info | Kind::Invoke => operation_lines::Kind::Info,
        };
        let parts = Parts {
            process,
            f: self.word("f").map(Function::named).ok_or("an operation needs `:f`")?,
            key: self.key()?,
            value: self.value(failed)?,
            argument: self.get("argument").map(value_of).transpose()?,
            invoked,
            returned,
            kind,
            node: self.node(),
            last: self.last() && kind == operation_lines::Kind::Ok,
        };
        Ok((parts, answer))
    }
}
