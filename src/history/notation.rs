//! A history on one line, for tests, documents and case files.
//!
//! ```text
//! wx1|wx2|rx2!|rx1! @ 00112323
//! ```
//!
//! Processes are separated by `|`, operations of one process by blanks.
//! An operation is `w` or `r`, a key, a value, and a mark:
//!
//! | text | meaning |
//! |---|---|
//! | `wx1` | write 1 to x, answered |
//! | `rx1`, `rx0` | a read of x that saw 1; one that saw the initial value |
//! | `rx1!` | a final read: issued at quiescence |
//! | `wx1?`, `rx?` | pending: the outcome is unknown |
//! | `wx1~`, `rx~` | failed: certainly no effect |
//! | `wkey0="v"`, `rkey0=null`, `wx=-3` | the long form: any key (quoted if it has blanks or marks), any JSON value |
//! | `[delete]x` | a write of `null`: a register is deleted |
//! | `[add]s=3`, `[pop]q=null:7` | another function, with argument and, if not null, answer |
//!
//! In the short form a key is letters and a value is digits, and the digit
//! `0` in a read stands for the initial value. After `@` comes the order in
//! real time: one character per event (invocation, then completion unless
//! pending), naming the process by `0`–`9`, `a`–`z`, or, where there are more
//! than 36 processes, numbers separated by blanks. Without `@` each process
//! runs after the one before it.
//!
//! Reading a text and writing it again gives a text that reads the same;
//! nodes and times are not kept (times become positions).

use std::fmt::Write as _;

use smol_str::SmolStr;

use super::escape;
use super::{
    Builder, Call, Completion, Function, History, Key, Malformed, NodeId, ProcessId, Value,
};

/// The mark that ends an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Answered,
    Final,
    Pending,
    Failed,
}

/// Characters that only a quoted key may contain.
const ODD: &str = "=|@!?~\"";

struct Token {
    call: Call,
    answer: Value,
    mark: Mark,
}

impl Token {
    fn events(&self) -> usize {
        if self.mark == Mark::Pending { 1 } else { 2 }
    }
}

/// Reads a history from its one-line form.
///
/// # Errors
/// If the text is not in the notation or does not describe a well-formed
/// history; the reason names the column in the text, from 1.
///
/// ```
/// use quiescence::history::notation;
///
/// let history = notation::parse("wx1|wx2|rx2!|rx1! @ 00112323")?;
/// assert_eq!(history.len(), 4);
/// assert_eq!(notation::write(&history), "wx1|wx2|rx2!|rx1! @ 00112323");
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn parse(text: &str) -> Result<History, Malformed> {
    let mut reader = Reader { text, at: 0, asks: false };
    let mut processes: Vec<Vec<(usize, Token)>> = vec![Vec::new()];
    loop {
        reader.skip_blanks();
        match reader.peek() {
            None | Some('@') => break,
            Some('|') => {
                reader.bump();
                processes.push(Vec::new());
            }
            Some(_) => {
                let start = reader.at;
                let token = reader.token()?;
                processes.last_mut().expect("never empty").push((start, token));
            }
        }
    }
    let merge = if reader.peek() == Some('@') {
        reader.bump();
        reader.merge(processes.len())?
    } else {
        let one_by_one = |(process, tokens): (usize, &Vec<(usize, Token)>)| {
            let events = tokens.iter().map(|(_, token)| token.events()).sum();
            std::iter::repeat_n((text.len(), process), events)
        };
        processes.iter().enumerate().flat_map(one_by_one).collect()
    };
    build(text, &processes, &merge)
}

fn build(
    text: &str,
    processes: &[Vec<(usize, Token)>],
    merge: &[(usize, usize)],
) -> Result<History, Malformed> {
    let mut events = Builder::new();
    let mut progress = vec![(0, false); processes.len()];
    for (time, &(column, process)) in (0u64..).zip(merge) {
        let (next, open) = progress[process];
        let Some((start, token)) = processes[process].get(next) else {
            return Err(malformed(
                text,
                column,
                format!("process {process} has no event left for this place in the order"),
            ));
        };
        let id = ProcessId(u32::try_from(process).expect("fewer processes than characters"));
        let place = |error: Malformed| Malformed {
            rule: error.rule,
            ..malformed(text, *start, error.reason)
        };
        if open {
            match token.mark {
                Mark::Answered => events.ok(id, time, token.answer.clone()),
                Mark::Final => events.ok_final(id, time, token.answer.clone()),
                Mark::Failed => events.fail(id, time),
                Mark::Pending => unreachable!("a pending operation has one event"),
            }
            .map_err(place)?;
            progress[process] = (next + 1, false);
        } else {
            events.invoke(id, time, token.call.clone()).map_err(place)?;
            if token.mark == Mark::Pending {
                events.info(id).map_err(place)?;
                progress[process] = (next + 1, false);
            } else {
                progress[process] = (next, true);
            }
        }
    }
    for (process, (next, open)) in progress.iter().enumerate() {
        if *open || *next < processes[process].len() {
            return Err(malformed(
                text,
                text.len(),
                format!("the order ends before process {process} does"),
            ));
        }
    }
    Ok(events.finish())
}

fn malformed(text: &str, at: usize, reason: String) -> Malformed {
    let column = text[..at.min(text.len())].chars().count() + 1;
    Malformed::unreadable(1, format!("column {column}: {reason}"))
}

/// What one client asks, as written in a text: its node, then its calls, each
/// with the node that it is sent to, where the text names them.
pub(crate) type Asked = (Option<NodeId>, Vec<(Call, Option<NodeId>)>);

/// Reads the calls of clients: as in histories, without answers and marks.
pub(crate) fn asked(text: &str) -> Result<Vec<Asked>, Malformed> {
    let mut reader = Reader { text, at: 0, asks: true };
    let mut clients: Vec<Asked> = vec![(None, Vec::new())];
    loop {
        reader.skip_blanks();
        let (home, calls) = clients.last_mut().expect("never empty");
        match reader.peek() {
            None => return Ok(clients),
            Some('|') => {
                reader.bump();
                clients.push((None, Vec::new()));
            }
            Some('n') if home.is_none() && calls.is_empty() => {
                *home = Some(reader.node()?);
                if reader.bump() != Some(':') {
                    return reader.complain("the node of a client is written `n1:`");
                }
            }
            Some(_) => {
                let call = reader.token()?.call;
                let node = match reader.peek() {
                    Some('@') => {
                        reader.bump();
                        Some(reader.node()?)
                    }
                    _ => None,
                };
                calls.push((call, node));
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Whether the text holds only calls, which nobody has answered yet.
    asks: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.bump();
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.bump();
        }
        &self.text[start..self.at]
    }

    fn complain<T>(&self, reason: impl Into<String>) -> Result<T, Malformed> {
        Err(malformed(self.text, self.at, reason.into()))
    }

    fn node(&mut self) -> Result<NodeId, Malformed> {
        let name = self.take_while(char::is_alphanumeric).to_owned();
        name.parse().or_else(|reason| self.complain(reason))
    }

    fn token(&mut self) -> Result<Token, Malformed> {
        let f = match self.bump() {
            Some('w') => Function::Write,
            Some('r') => Function::Read,
            Some('[') => {
                let name = SmolStr::new(self.take_while(|c| c.is_alphanumeric() || c == '-'));
                if self.bump() != Some(']') || name.is_empty() {
                    return self.complain("a function name is written `[name]`");
                }
                Function::named(&name)
            }
            _ => {
                self.at -= 1;
                while !self.text.is_char_boundary(self.at) {
                    self.at -= 1;
                }
                return self.complain("an operation begins with `w`, `r` or `[name]`");
            }
        };
        let key = match self.peek() {
            Some('"') => match self.json()? {
                Value::Text(key) => key.to_string(),
                _ => return self.complain("a quoted key is a JSON string"),
            },
            _ => self.take_while(char::is_alphabetic).to_owned(),
        };
        let long = self.take_while(|c| !c.is_whitespace() && !ODD.contains(c)).to_owned();
        let is_read = f == Function::Read;
        let deletes = f.as_str() == "delete";
        let alone = (self.asks && f != Function::Write) || deletes;
        let (key, argument, answer) = if alone && self.peek() != Some('=') {
            (key + &long, Value::Null, Value::Null)
        } else if self.asks && is_read {
            return self.complain("here stands what is asked, and not what is answered");
        } else if self.peek() == Some('=') {
            let (argument, answer) = self.long_values(is_read)?;
            (key + &long, argument, answer)
        } else {
            match (is_read, self.short_value(&long, is_read)?) {
                (true, answer) => (key, Value::Null, answer),
                (false, argument) => (key, argument, Value::Null),
            }
        };
        let mark = match self.peek() {
            Some('!') => Mark::Final,
            Some('?') => Mark::Pending,
            Some('~') => Mark::Failed,
            _ => Mark::Answered,
        };
        if mark != Mark::Answered {
            if self.asks {
                return self.complain("here stands what is asked, and not what came of it");
            }
            self.bump();
        }
        if self.peek().is_some_and(|c| !c.is_whitespace() && c != '|' && c != '@') {
            return self.complain("expected a blank, `|` or `@` after an operation");
        }
        // A register is deleted by a write of what a new one holds.
        let f = if deletes && argument == Value::Null { Function::Write } else { f };
        Ok(Token { call: Call { f, key: Key::new(key), argument }, answer, mark })
    }

    /// The long form after the key, `=value` or `=value:value`: the argument
    /// and the answer. In a read the answer is written first.
    fn long_values(&mut self, is_read: bool) -> Result<(Value, Value), Malformed> {
        self.bump();
        let first = self.json()?;
        let second = if self.peek() == Some(':') {
            self.bump();
            self.json()?
        } else {
            Value::Null
        };
        Ok(if is_read { (second, first) } else { (first, second) })
    }

    /// The short form after the key: digits, or nothing after a read that was
    /// not answered.
    fn short_value(&self, digits: &str, is_read: bool) -> Result<Value, Malformed> {
        match digits {
            "" if is_read && matches!(self.peek(), Some('?' | '~')) => Ok(Value::Null),
            digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                match digits.parse() {
                    Ok(0) if is_read => Ok(Value::Null),
                    Ok(number) => Ok(Value::Int(number)),
                    Err(_) => self.complain(format!("{digits} is too large a value")),
                }
            }
            _ => self.complain("expected a key of letters and a value of digits (or `key=value`)"),
        }
    }

    /// One JSON value: up to the first blank or mark outside strings and lists.
    fn json(&mut self) -> Result<Value, Malformed> {
        let start = self.at;
        let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
        while let Some(c) = self.peek() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_text => escaped = true,
                '"' => in_text = !in_text,
                _ if in_text => {}
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ if depth == 0 && (c.is_whitespace() || "=|@!?~:".contains(c)) => break,
                _ => {}
            }
            self.bump();
            if c == '"' && !in_text && depth == 0 {
                break;
            }
        }
        serde_json::from_str(&self.text[start..self.at])
            .or_else(|error| self.complain(format!("expected a JSON value: {error}")))
    }

    /// The order after `@`: for each event, its place in the text and its
    /// process.
    fn merge(&mut self, processes: usize) -> Result<Vec<(usize, usize)>, Malformed> {
        let mut order = Vec::new();
        loop {
            self.skip_blanks();
            let start = self.at;
            let process = if processes > 36 {
                let digits = self.take_while(|c| c.is_ascii_digit());
                digits.parse().ok()
            } else {
                match self.peek() {
                    Some(c) => {
                        self.bump();
                        c.to_digit(36)
                            .filter(|_| !c.is_ascii_uppercase())
                            .and_then(|d| usize::try_from(d).ok())
                    }
                    None => None,
                }
            };
            match process {
                Some(process) if process < processes => order.push((start, process)),
                None if self.at == start && self.peek().is_none() => return Ok(order),
                _ => {
                    self.at = start;
                    return self.complain(format!(
                        "expected one of the {processes} processes, numbered from 0"
                    ));
                }
            }
        }
    }
}

/// Writes a history in its one-line form. See the [module](self).
pub fn write(history: &History) -> String {
    let ids = history.processes();
    let column = |process| ids.binary_search(&process).expect("every process is listed");
    let mut lanes = vec![Vec::new(); ids.len()];
    let mut events = Vec::new();
    for (at, op) in history.operations().iter().enumerate() {
        let process = column(op.process);
        lanes[process].push(token_text(&op.call, &op.completion, op.final_read));
        events.push((op.invoked, 1, at, process));
        if let Some(returned) = op.returned {
            // At equal times a completion comes after all invocations, so also
            // after its own.
            events.push((returned, 2, at, process));
        }
    }
    events.sort_unstable();
    let mut text = lanes.iter().map(|lane| lane.join(" ")).collect::<Vec<_>>().join("|");
    text.push_str(" @ ");
    let many = ids.len() > 36;
    for (at, (.., process)) in events.iter().enumerate() {
        if many {
            let blank = if at > 0 { " " } else { "" };
            write!(text, "{blank}{process}").expect("writing to a string succeeds");
        } else {
            let digit = u32::try_from(*process).ok().and_then(|p| char::from_digit(p, 36));
            text.push(digit.expect("at most 36 processes"));
        }
    }
    text
}

/// One operation in the notation, for example `rx1!`.
pub fn token(operation: &super::Operation) -> String {
    token_text(&operation.call, &operation.completion, operation.final_read)
}

fn token_text(call: &Call, completion: &Completion, final_read: bool) -> String {
    let mark = match completion {
        Completion::Ok(_) if final_read => "!",
        Completion::Ok(_) => "",
        Completion::Fail => "~",
        Completion::Info => "?",
    };
    let answer = match completion {
        Completion::Ok(value) => value.clone(),
        Completion::Fail | Completion::Info => Value::Null,
    };
    let key = call.key.as_str();
    let plain_key = !key.is_empty() && key.chars().all(char::is_alphabetic);
    let quoted;
    let odd = |c: char| c.is_whitespace() || ODD.contains(c) || escape::steers(c);
    let key = if key.is_empty() || key.contains(odd) {
        quoted = Value::from(key).to_string();
        &quoted
    } else {
        key
    };
    let unanswered = !matches!(completion, Completion::Ok(_));
    match (&call.f, &call.argument, &answer) {
        (Function::Read, Value::Null, Value::Null) if plain_key && unanswered => {
            format!("r{key}{mark}")
        }
        (Function::Read, Value::Null, Value::Null) if plain_key => format!("r{key}0{mark}"),
        (Function::Read, Value::Null, Value::Int(n)) if plain_key && *n > 0 => {
            format!("r{key}{n}{mark}")
        }
        (Function::Write, Value::Int(n), Value::Null) if plain_key && *n >= 0 => {
            format!("w{key}{n}{mark}")
        }
        (Function::Read, Value::Null, answer) => format!("r{key}={answer}{mark}"),
        (Function::Read, argument, answer) => format!("r{key}={answer}:{argument}{mark}"),
        (Function::Write, argument, Value::Null) => format!("w{key}={argument}{mark}"),
        (Function::Write, argument, answer) => format!("w{key}={argument}:{answer}{mark}"),
        (Function::Other(name), argument, Value::Null) => format!("[{name}]{key}={argument}{mark}"),
        (Function::Other(name), argument, answer) => {
            format!("[{name}]{key}={argument}:{answer}{mark}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn survives(text: &str) {
        let history = parse(text).expect("the text is in the notation");
        assert_eq!(write(&history), text);
    }

    #[test]
    fn every_form_of_an_operation_survives_reading_and_writing() {
        survives("wx1|wx2|rx2!|rx1! @ 00112323");
        survives("wx1?|rx1 rx0! @ 01111");
        survives("wx1~ rx~ rx?|rx0 @ 0000110");
        survives("wkey0=\"v - 0\" rkey0=null|rx=-3 @ 000011");
        survives("[add]s=3|[pop]q=null:7 @ 0011");
        survives("wx0|rx=0 @ 0011");
        survives("w\" k - 0\"=\" v - 0\"|r\"\"=null @ 0011");
    }

    #[test]
    fn without_an_order_each_process_follows_the_one_before() {
        let history = parse("wx1|rx1 rx0").expect("the text is in the notation");
        assert_eq!(write(&history), "wx1|rx1 rx0 @ 001111");
    }

    #[test]
    fn more_than_36_processes_are_numbered_with_blanks() {
        let lanes = vec!["wx1"; 40].join("|");
        let history = parse(&lanes).expect("the text is in the notation");
        survives(&write(&history));
    }

    #[test]
    fn what_is_asked_has_neither_answers_nor_marks() {
        let calls = |text| -> Vec<String> {
            let clients = asked(text).expect("the text is in the notation");
            let shown = |(call, node): &(Call, Option<NodeId>)| match node {
                Some(node) => format!("{call} at {node}"),
                None => call.to_string(),
            };
            let client = |(home, calls): &Asked| {
                let home = home.map_or(String::new(), |home| format!("{home}: "));
                home + &calls.iter().map(shown).collect::<Vec<_>>().join(", ")
            };
            clients.iter().map(client).collect()
        };
        assert_eq!(
            calls("n2: wx1 rx@n1|rkey0 wkey0=\"v\""),
            ["n2: write x=1, read x at n1", "read key0, write key0=\"v\"",]
        );
        assert_eq!(
            calls("[add]s=3 [pop]q1@n2 || r\"a|b\""),
            ["add s=3, pop q1 at n2", "", "read a|b"]
        );
        for (text, why) in [
            ("rx=1", "column 3: here stands what is asked, and not what is answered"),
            ("wx1?", "column 4: here stands what is asked, and not what came of it"),
            ("wx", "expected a key of letters and a value"),
            ("n1 rx", "the node of a client is written `n1:`"),
            ("n0: rx", "`n0` does not name a node"),
            ("rx@x", "`x` does not name a node"),
            ("rx n1: rx", "an operation begins with"),
        ] {
            let said = asked(text).expect_err(text).to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn a_complaint_names_the_column_and_the_remedy() {
        let reason = |text| parse(text).expect_err("not in the notation").to_string();
        assert!(reason("wx1|qx2").contains("column 5"), "{}", reason("wx1|qx2"));
        assert!(reason("wx1 @ 0").contains("ends before process 0"), "{}", reason("wx1 @ 0"));
        assert!(reason("wx1 @ 000").contains("no event left"), "{}", reason("wx1 @ 000"));
        assert!(reason("wx1 @ 01").contains("one of the 1 processes"), "{}", reason("wx1 @ 01"));
        assert!(reason("wx1? wx2").contains("unknown outcome"), "{}", reason("wx1? wx2"));
        assert!(reason("rx1! wx2").contains("after its final read"), "{}", reason("rx1! wx2"));
        assert!(reason("wx1!").contains("only a read"), "{}", reason("wx1!"));
        assert!(reason("wx99999999999999999999").contains("too large"));
    }
}
