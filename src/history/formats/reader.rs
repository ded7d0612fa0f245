//! Events in a form that Jepsen's EDN, its logs and JSON lines without keys share, made into
//! operations.
//!
//! Values may be pairs `[k v]`, and only some events show whether they are: the others wait.
//! It does not know how events are written.

use rustc_hash::FxHashSet;

use super::drain::is_drain;
use super::edn_value::key_of;
use super::options::Options;
use super::pairs::{Head, Pairs, Said, complain};
use super::{Format, Recording, only_asks, repeats};
use crate::history::{Call, Completion, Function, Key, Malformed, Value};

/// The answer of a compare-and-set that found another value.
pub(super) const MISMATCH: &str = "mismatch";

/// The object of a file without keys.
pub(super) const ONLY_KEY: &str = "x";

/// How many events of a file that grows wait for one that shows whether there are keys.
const WAITING_MAX: usize = 200_000;

/// Why no more of them do.
const UNDECIDED: &str = "no read has shown yet whether values are `[key value]`, and too many \
                         operations wait for it; judge the file without --follow";

/// Why the value of an operation cannot come with its completion where a file is followed.
const TOO_LATE: &str = "another operation may see the value before its completion names it, so \
                        it cannot be followed; judge the file without --follow once it is complete";

/// Whether the values of a file are pairs `[k v]`.
///
/// The first invocation that shows it decides, for the whole file. Not pairs:
/// if it has a `:key` of its own, if its value is not a vector of two or is a
/// list of micro-operations, or if it is a `cas` whose second part is not a
/// vector of two. Pairs: if it is a `read`, `get`, `dequeue`, `pop` or `generate` of `[k nil]`.
/// Any other invocation shows nothing, and waits for one that decides. If none
/// does, all values are vectors of two, and count as pairs. Functions that no
/// datatype knows never decide; a file of such functions alone has no keys. An
/// invocation that contradicts the decision is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    Undecided,
    Independent,
    None,
}

impl Keys {
    fn told_by(event: &Raw) -> Keys {
        if event.kind != Kind::Invoke {
            return Keys::Undecided;
        }
        let Some(f) = &event.f else { return Keys::Undecided };
        if event.key.is_some() {
            return Keys::None;
        }
        match pair(&event.value) {
            _ if event.value.is_transaction() => Keys::None,
            _ if !is_known(f) => Keys::Undecided,
            None => Keys::None,
            Some((_, value)) if f.as_str() == "cas" && pair(value).is_none() => Keys::None,
            Some((_, Value::Null)) if only_asks(f) => Keys::Independent,
            Some(_) => Keys::Undecided,
        }
    }
}

/// Turns raw events into operations, once it is known whether the file has
/// keys.
pub(super) struct Reader {
    pub(super) pairs: Pairs,
    keys: Keys,
    /// The events that wait for one that shows whether there are keys.
    waiting: Vec<Raw>,
    /// Numbers of processes whose last invocation was marked as a read at
    /// quiescence.
    announced: FxHashSet<u32>,
    /// Whether anything was invoked.
    pub(super) begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Kind {
    pub(super) fn named(name: &str) -> Result<Kind, String> {
        match name {
            "invoke" => Ok(Kind::Invoke),
            "ok" => Ok(Kind::Ok),
            "fail" => Ok(Kind::Fail),
            "info" => Ok(Kind::Info),
            other => Err(format!("there is no type `{other}`: invoke, ok, fail, info")),
        }
    }
}

/// An event as it is written, its value not yet split into key and value.
pub(super) struct Raw {
    pub(super) head: Head,
    pub(super) kind: Kind,
    pub(super) f: Option<Function>,
    pub(super) key: Option<Key>,
    pub(super) value: Value,
    pub(super) answer: Option<Value>,
    pub(super) last: bool,
}

impl Reader {
    /// For a whole file.
    pub(super) fn new(options: &Options) -> Reader {
        Reader::of(Pairs::new(options))
    }

    /// For a file that still grows.
    pub(super) fn growing(options: &Options) -> Reader {
        Reader::of(Pairs::growing(options))
    }

    fn of(pairs: Pairs) -> Reader {
        Reader {
            pairs,
            keys: Keys::Undecided,
            waiting: Vec::new(),
            announced: FxHashSet::default(),
            begun: false,
        }
    }

    pub(super) fn finish(mut self, format: Format) -> Result<Recording, Malformed> {
        self.end()?;
        Ok(self.pairs.finish(format))
    }

    /// Refuses everything that waits.
    pub(super) fn refuse_waiting(&mut self, reason: &str) -> Result<(), Malformed> {
        std::mem::take(&mut self.waiting)
            .iter()
            .try_for_each(|raw| self.pairs.log.or_skip(complain(raw.head.line, reason)))
    }

    /// Takes what still waits at the end of the file.
    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        let known = self.waiting.iter().any(|raw| raw.f.as_ref().is_some_and(is_known));
        self.decide(if known { Keys::Independent } else { Keys::None })
    }

    /// Takes one event of a process.
    pub(super) fn take(&mut self, raw: Raw) -> Result<(), Malformed> {
        self.begun |= raw.kind == Kind::Invoke;
        if self.keys != Keys::Undecided {
            return self.understand(raw);
        }
        let told = Keys::told_by(&raw);
        let full = self.pairs.grows() && self.waiting.len() == WAITING_MAX;
        if full && told == Keys::Undecided {
            return complain(raw.head.line, UNDECIDED);
        }
        self.waiting.push(raw);
        self.decide(told)
    }

    fn decide(&mut self, keys: Keys) -> Result<(), Malformed> {
        if self.keys != Keys::Undecided || keys == Keys::Undecided {
            return Ok(());
        }
        self.keys = keys;
        for raw in std::mem::take(&mut self.waiting) {
            let done = self.understand(raw);
            self.pairs.or_tell(done)?;
        }
        Ok(())
    }

    fn understand(&mut self, mut raw: Raw) -> Result<(), Malformed> {
        let line = raw.head.line;
        let told = Keys::told_by(&raw);
        let contradicts = match self.keys {
            Keys::Independent => told == Keys::None,
            _ => told == Keys::Independent,
        };
        if contradicts {
            let value = &raw.value;
            return complain(
                line,
                format!(
                    "`{value}` {} a `[key value]`, unlike the values before it",
                    if told == Keys::None { "is not" } else { "is" }
                ),
            );
        }
        if self.keys == Keys::Independent {
            let open = self.pairs.open(raw.head.process);
            let known = open.is_some_and(|request| is_known(&request.call().f));
            match raw.value {
                Value::List(two) if two.len() == 2 => {
                    let [key, value] =
                        <[Value; 2]>::try_from(two.into_vec()).expect("there are two");
                    (raw.key, raw.value) = (Some(key_of(&key)), value);
                }
                value if raw.kind == Kind::Ok && value != Value::Null && known => {
                    return complain(line, format!("`{value}` is not a `[key value]`"));
                }
                value => raw.value = value,
            }
        }
        match raw.kind {
            Kind::Invoke => self.invoke(raw),
            _ => self.complete(raw),
        }
    }

    fn invoke(&mut self, raw: Raw) -> Result<(), Malformed> {
        let Some(f) = raw.f else { return complain(raw.head.line, "an invocation needs `:f`") };
        let call = Call {
            key: raw.key.unwrap_or_else(|| Key::new(ONLY_KEY)),
            // Some recorders write the later answer of a read here.
            argument: if only_asks(&f) { Value::Null } else { raw.value },
            f,
        };
        if self.pairs.grows() && repeats(&call.f) && call.argument == Value::Null {
            let f = call.f.as_str();
            return complain(raw.head.line, format!("this {f} has no value yet; {TOO_LATE}"));
        }
        let announces = raw.last && call.is_read();
        self.pairs.invoke(raw.head, call)?;
        match announces {
            true => self.announced.insert(raw.head.process),
            false => self.announced.remove(&raw.head.process),
        };
        Ok(())
    }

    fn complete(&mut self, raw: Raw) -> Result<(), Malformed> {
        let Raw { head, kind, f, key, value, answer, last } = raw;
        let Some(open) = self.pairs.open(head.process) else {
            if kind == Kind::Info {
                self.pairs.log.mark(head.line, format!("process {} :info", head.process));
                return Ok(());
            }
            let (completion, taken) = (Completion::Fail, Value::Null);
            let said = Said { f, key, argument: None, completion, taken, last: false };
            return self.pairs.complete(head, said);
        };
        let last = last && open.only_reads() && kind == Kind::Ok;
        let last = self.announced.remove(&head.process) || last;
        let open = open.call();
        let (f, value) = self.pairs.told(head.process, f, value);
        let mut argument = None;
        let (mut came, mut taken) = (Value::Null, Value::Null);
        if kind == Kind::Ok || answer.is_some() {
            let same = value == Value::Null || value == open.argument;
            let late = repeats(&open.f) && open.argument == Value::Null;
            match value {
                value if only_asks(&open.f) || is_transaction(&open.f, &value) => came = value,
                _ if same => {}
                value if late => self.pairs.settle(head.process, value),
                value if answer.is_some() || repeats(&open.f) || open.f.as_str() == "cas" => {
                    argument = Some(value);
                }
                value => came = value,
            }
        } else if is_drain(&open.f) {
            taken = value;
        }
        let completion = match (kind, answer) {
            (Kind::Ok | Kind::Fail, Some(answer)) => Completion::Ok(answer),
            (Kind::Ok, None) => Completion::Ok(came),
            (Kind::Fail, None) => Completion::Fail,
            (Kind::Info | Kind::Invoke, _) => Completion::Info,
        };
        self.pairs.complete(head, Said { f, key, argument, completion, taken, last })
    }
}

/// Functions whose values can show whether there are keys.
pub(super) fn is_known(f: &Function) -> bool {
    only_asks(f) || repeats(f) || matches!(f.as_str(), "cas" | "inc" | "dec")
}

/// Whether this value of a function says what transactions do and what they saw.
pub(super) fn is_transaction(f: &Function, value: &Value) -> bool {
    value.is_transaction() && !is_known(f)
}

/// The two parts of a list of two.
pub(super) fn pair(value: &Value) -> Option<(&Value, &Value)> {
    match value {
        Value::List(list) => match &list[..] {
            [one, other] => Some((one, other)),
            _ => None,
        },
        _ => None,
    }
}
