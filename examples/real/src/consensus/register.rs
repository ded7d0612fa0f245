//! The state machine above a log: registers, and who waits for which command.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use quiescence::history::{Call, Completion, Value};
use quiescence::replication::OperationId;
use serde::{Deserialize, Serialize};

/// An entry of the log: what a client asks, and the operation it is asked by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    session: u16,
    number: u16,
    key: String,
    /// What is written; nothing for a read.
    written: Option<i64>,
}

/// Registers by key, as of the applied part of the log.
#[derive(Default)]
pub struct Registers {
    held: BTreeMap<String, i64>,
    /// Operations whose command was applied. A network that duplicates a proposal
    /// makes the log hold it twice; the second one has no effect.
    applied: BTreeSet<OperationId>,
    /// Operations that were asked here and are not answered.
    waiting: BTreeSet<OperationId>,
    finished: Vec<(OperationId, Completion)>,
}

impl Command {
    /// The command of a call.
    pub fn of(operation: OperationId, call: &Call) -> Command {
        let OperationId { session, number } = operation;
        let written = (!call.is_read()).then(|| crate::number(call));
        Command { session, number, key: call.key.as_str().to_owned(), written }
    }

    /// Whose command it is.
    pub fn operation(&self) -> OperationId {
        OperationId { session: self.session, number: self.number }
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a command can be written")
    }

    /// The command that was sent as these bytes.
    pub fn read(bytes: &[u8]) -> Command {
        postcard::from_bytes(bytes).expect("it was written by a node")
    }
}

impl fmt::Display for Command {
    /// `A1 x=3`, `B2 x?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, key) = (self.operation(), &self.key);
        match self.written {
            Some(value) => write!(f, "{operation} {key}={value}"),
            None => write!(f, "{operation} {key}?"),
        }
    }
}

/// Commands for people: `[A1 x=3, B2 x?]`.
pub fn listed(commands: impl IntoIterator<Item = Command>) -> String {
    let all: Vec<_> = commands.into_iter().map(|command| command.to_string()).collect();
    format!("[{}]", all.join(", "))
}

impl Registers {
    /// What a key holds.
    pub fn value(&self, key: &str) -> Value {
        self.held.get(key).map_or(Value::Null, |value| (*value).into())
    }

    /// The operation is answered here once its command is applied.
    pub fn wait(&mut self, operation: OperationId) {
        self.waiting.insert(operation);
    }

    /// How many answers are to be given.
    pub fn answers(&self) -> usize {
        self.finished.len()
    }

    /// Applies the next command of the log.
    pub fn apply(&mut self, command: &Command) {
        let operation = command.operation();
        let first = self.applied.insert(operation);
        let answer = match command.written {
            None => self.value(&command.key),
            Some(value) => {
                if first {
                    self.held.insert(command.key.clone(), value);
                }
                Value::Null
            }
        };
        self.answer(operation, answer);
    }

    /// Answers an operation, if it was asked here and waits.
    fn answer(&mut self, operation: OperationId, answer: Value) {
        if self.waiting.remove(&operation) {
            self.finished.push((operation, Completion::Ok(answer)));
        }
    }

    /// The answers since it was last asked.
    pub fn finished(&mut self) -> Vec<(OperationId, Completion)> {
        std::mem::take(&mut self.finished)
    }

    /// Who waits. All else follows from the applied part of the log.
    pub fn waiting(&self) -> &BTreeSet<OperationId> {
        &self.waiting
    }
}

impl fmt::Display for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<_> = self.held.iter().map(|(key, value)| format!("{key}={value}")).collect();
        write!(f, "{}", held.join(" "))?;
        for operation in &self.waiting {
            write!(f, " {operation} waits")?;
        }
        Ok(())
    }
}
