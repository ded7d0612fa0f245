//! `verify --follow`: judge a recording while it is written.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::json;

use crate::history::formats::{Follower, Options};
use crate::history::{Event, Malformed, What, escape};
use crate::judgement::initial::{exchange, exchanged, exchanged_in};
use crate::judgement::live::{Live, Violation};
use crate::report::json::{self, with_frame};
use crate::report::{SCHEMA, Tone, count};

use super::args::VerifyArgs;
use super::clock;
use super::exit::{Exit, Failure};
use super::input;
use super::interrupts;
use super::screen::Screen;
use super::values::Format;

/// The pause before a file without new lines is read again.
const PAUSE: Duration = Duration::from_millis(50);
/// How many lines of standard input wait at most.
const LINES_AHEAD: usize = 1024;
/// The longest line, in bytes.
const LINE_MAX: usize = 16 << 20;

/// Runs the subcommand.
pub fn run(args: &VerifyArgs, path: &str, screen: &Screen) -> Result<Exit, Failure> {
    if input::typed(path, &Options::default()).is_some() {
        let typed = escape::short(path);
        return Err(Failure::new(format!("`{typed}` is not a file that grows"))
            .remedy("leave out --follow to judge a history that is typed"));
    }
    if !matches!(args.format, Format::Human | Format::Json | Format::Jsonl) {
        return Err(Failure::new("--follow writes human, json or jsonl")
            .remedy("judge the file without --follow once it is complete"));
    }
    let models = args.live_models();
    let live = Live::new(&models, args.window).map_err(|not| {
        Failure::new(not).remedy("judge the file without --follow once it is complete")
    })?;
    interrupts::heed();
    let deadline = args.time.and_then(|time| clock::now().checked_add(time));
    let ends = || interrupts::noted() || deadline.is_some_and(|end| clock::now() >= end);
    let mut lines = Growing::open(path)?;
    let follower = Follower::new(args.read.options());
    let mut watch = Watch { args, path, screen, live, follower, line: 0 };
    while let Some(line) = lines.next(&ends).map_err(|error| unreadable(path, &error))? {
        if let Some(exit) = watch.line(&line)? {
            return Ok(exit);
        }
    }
    if lines.is_cut() {
        let said = format!("the last line of {path} has no end yet, and was not judged");
        screen.note(&screen.look.text(&said));
    }
    let rest = watch.follower.end();
    match watch.events(rest)? {
        Some(exit) => Ok(exit),
        None => watch.end(),
    }
}

fn unreadable(path: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{path} cannot be read further: {error}"))
}

/// The lines of a recording that may still be growing.
enum Growing {
    /// A file, which may still grow.
    File(Rotating),
    /// Standard input. Another thread reads it, so that `--time` and signals can
    /// end the command while no input comes.
    Input(Receiver<io::Result<Vec<u8>>>),
}

impl Growing {
    fn open(path: &str) -> Result<Growing, Failure> {
        if path != "-" {
            let file = input::file(path)?;
            return Ok(Growing::File(Rotating { path: path.into(), lines: Lines::of(file) }));
        }
        let (sender, receiver) = mpsc::sync_channel(LINES_AHEAD);
        std::thread::spawn(move || {
            let mut lines = Lines::of(io::stdin());
            while let Some(line) = lines.next().or_else(|| lines.last()) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Growing::Input(receiver))
    }

    /// Whether a line has begun in the file, and has not ended.
    fn is_cut(&self) -> bool {
        match self {
            Growing::File(file) => !file.lines.text.trim_ascii().is_empty(),
            Growing::Input(_) => false,
        }
    }

    /// The next line that is complete; `None` at the end.
    fn next(&mut self, ends: &dyn Fn() -> bool) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self {
                Growing::File(lines) => match lines.next() {
                    Some(line) => return line.map(Some),
                    None if ends() => return Ok(None),
                    None => clock::sleep(PAUSE),
                },
                Growing::Input(lines) => match lines.recv_timeout(PAUSE) {
                    Ok(line) => return line.map(Some),
                    Err(RecvTimeoutError::Disconnected) => return Ok(None),
                    Err(RecvTimeoutError::Timeout) if ends() => return Ok(None),
                    Err(RecvTimeoutError::Timeout) => {}
                },
            }
        }
    }
}

/// A file that may still grow, and be replaced by a new one of its name.
struct Rotating {
    path: PathBuf,
    lines: Lines<File>,
}

impl Rotating {
    /// The next line that is complete; `None` if there is no more for now.
    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        let line = self.lines.next();
        if line.is_some() || !self.is_replaced() {
            return line;
        }
        // What was written until then; nobody completes its last line any more.
        let rest = self.lines.next().or_else(|| self.lines.last());
        if rest.is_some() {
            return rest;
        }
        self.lines = Lines::of(File::open(&self.path).ok()?);
        self.lines.next()
    }

    /// Whether another file has this name now, and something is in it; or this one was
    /// emptied.
    fn is_replaced(&mut self) -> bool {
        let own = self.lines.input.get_ref().metadata();
        let (Ok(there), Ok(own)) = (std::fs::metadata(&self.path), own) else { return false };
        let read = self.lines.input.stream_position().unwrap_or(0);
        match is_same(&there, &own) {
            true => there.len() < read,
            false => there.len() > 0,
        }
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Only what was emptied is noticed.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// The complete lines of an input that may still grow.
struct Lines<R> {
    input: BufReader<R>,
    text: Vec<u8>,
}

impl<R: Read> Lines<R> {
    fn of(input: R) -> Self {
        Lines { input: BufReader::new(input), text: Vec::new() }
    }

    /// The next line that is complete; `None` if there is no more for now.
    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        loop {
            let room = (LINE_MAX + 1).saturating_sub(self.text.len());
            let room = u64::try_from(room).unwrap_or(u64::MAX);
            let read = (&mut self.input).take(room).read_until(b'\n', &mut self.text);
            match read {
                Err(error) => return Some(Err(error)),
                Ok(_) if self.text.ends_with(b"\n") => {
                    return Some(Ok(std::mem::take(&mut self.text)));
                }
                Ok(_) if self.text.len() > LINE_MAX => {
                    return Some(Err(io::Error::other("a line is longer than 16 MiB")));
                }
                Ok(0) => return None,
                Ok(_) => {}
            }
        }
    }

    /// What is left at the end without a newline.
    fn last(&mut self) -> Option<io::Result<Vec<u8>>> {
        (!self.text.is_empty()).then(|| Ok(std::mem::take(&mut self.text)))
    }
}

struct Watch<'a> {
    args: &'a VerifyArgs,
    path: &'a str,
    screen: &'a Screen,
    live: Live,
    follower: Follower,
    line: usize,
}

impl Watch<'_> {
    /// Judges a line. Returns the exit code if it makes a violation certain.
    fn line(&mut self, text: &[u8]) -> Result<Option<Exit>, Failure> {
        self.line += 1;
        let events = self.follower.line(text);
        self.events(events)
    }

    /// Judges the events that have become known.
    fn events(&mut self, events: Vec<Result<Event, Malformed>>) -> Result<Option<Exit>, Failure> {
        for event in events {
            let event = match event {
                Ok(event) => self.with_initial(event),
                Err(malformed) => {
                    self.skip(&malformed)?;
                    continue;
                }
            };
            match self.live.event(event) {
                Ok(found) if found.is_empty() => {}
                Ok(found) => return Ok(Some(self.tell(&found))),
                Err(refused) => self.skip(&Malformed { line: self.line, ..refused })?,
            }
        }
        Ok(None)
    }

    /// The same event of an object that held nothing at first.
    fn with_initial(&self, event: Event) -> Event {
        let what = match (event.what, &self.args.initial) {
            (What::Invoke(request), Some(initial)) => {
                What::Invoke(exchanged_in(request.into_call(), initial).into())
            }
            // The answer of a write carries no information, so exchanging it
            // too does no harm.
            (What::Ok(value), Some(initial)) => What::Ok(exchanged(value, initial)),
            (What::OkFinal(value), Some(initial)) => What::OkFinal(exchanged(value, initial)),
            (what, _) => what,
        };
        Event { what, ..event }
    }

    /// Skips a malformed line with `--lenient`; otherwise it is an error.
    fn skip(&self, malformed: &Malformed) -> Result<(), Failure> {
        let Malformed { line, reason, .. } = malformed;
        if self.args.read.lenient {
            let place = format!("{}:{line}", self.path);
            self.screen.note(&self.screen.look.text(&format!("{place}: skipped: {reason}")));
            return Ok(());
        }
        Err(Failure::new(format!("{}:{line}: {reason}", self.path)).remedy(
            "--follow reads lines of events: JSON, EDN with a map on each line, or Jepsen's log \
             (`convert --to events` writes them); --lenient skips malformed lines",
        ))
    }

    fn tell(&self, found: &[Violation]) -> Exit {
        if self.args.format != Format::Human {
            self.json(found, Exit::Violated);
            return Exit::Violated;
        }
        for violation in found {
            let mark = self.screen.look.paint(Tone::Bad, "✗ FAILS");
            let name = violation.model.long_name();
            let why = self.screen.look.text(&self.why(violation));
            self.screen.tell(&format!("line {}: {mark}  {name}: {why}\n", self.line));
        }
        self.screen.line(&format!("judged {}", self.live.coverage()));
        Exit::Violated
    }

    /// The reason of a violation, in the values of the recording.
    fn why(&self, violation: &Violation) -> String {
        match &self.args.initial {
            Some(initial) => {
                violation.counterexample.explain(&exchange(&violation.history, initial))
            }
            None => violation.explain(),
        }
    }

    fn json(&self, found: &[Violation], exit: Exit) {
        let violations: Vec<_> = found
            .iter()
            .map(|violation| {
                json!({
                    "model": violation.model.name(),
                    "line": self.line,
                    "operations": violation.operations,
                    "kind": violation.counterexample.kind.to_string(),
                    "why": self.why(violation),
                })
            })
            .collect();
        let coverage = self.live.coverage();
        let live = json!({
            "violations": violations,
            "operations": coverage.operations,
            "complete": coverage.is_complete(),
            "coverage": coverage.to_string(),
        });
        let all = with_frame(json!({ "schema": SCHEMA, "live": live }), &exit.reason());
        self.screen.print(&json::line(&all));
    }

    /// Reports the result when the recording, the time or the process ends.
    fn end(&mut self) -> Result<Exit, Failure> {
        let backwards = count(u64::try_from(self.follower.backwards()).unwrap_or(u64::MAX));
        if backwards != "0" {
            self.screen.note(&format!(
                "times ran backwards: {backwards}; the order of the lines counts (--strict-time \
                 refuses them)"
            ));
        }
        let found = self.live.finish();
        if !found.is_empty() {
            return Ok(self.tell(&found));
        }
        let exit = match self.live.coverage() {
            _ if interrupts::noted() => Exit::Interrupted,
            coverage if coverage.answers == 0 => Exit::Nothing,
            coverage if coverage.is_complete() => Exit::Holds,
            _ => Exit::Unknown,
        };
        if self.args.format != Format::Human {
            self.json(&[], exit);
        } else {
            let coverage = self.live.coverage();
            let names = self.live.unviolated();
            let names: Vec<_> = names.iter().map(|model| model.name()).collect();
            let lines = count(u64::try_from(self.line).unwrap_or(u64::MAX));
            self.screen.line(&format!(
                "no violation of {} in {lines} lines: judged {coverage}",
                names.join(", ")
            ));
        }
        Ok(exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn all(lines: &mut Rotating) -> String {
        let mut text = Vec::new();
        while let Some(line) = lines.next() {
            text.extend(line.expect("it can be read"));
        }
        String::from_utf8(text).expect("it is text")
    }

    #[test]
    fn a_file_that_is_replaced_or_emptied_is_read_from_its_start() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("log");
        fs::write(&path, "1\n2\npart").expect("it can be written");
        let file = File::open(&path).expect("it is there");
        let mut lines = Rotating { path: path.clone(), lines: Lines::of(file) };
        assert_eq!(all(&mut lines), "1\n2\n");
        fs::rename(&path, folder.path().join("log.1")).expect("it can be renamed");
        assert_eq!(all(&mut lines), "", "nothing has this name");
        fs::write(&path, "").expect("it can be written");
        assert_eq!(all(&mut lines), "", "the writer may still write to the old file");
        fs::write(&path, "3\n4\n").expect("it can be written");
        assert_eq!(all(&mut lines), "part3\n4\n");
        fs::write(&path, "5\n").expect("it can be written");
        assert_eq!(all(&mut lines), "5\n", "it was emptied");
    }

    #[test]
    fn a_file_that_is_begun_again_goes_on_with_the_same_events_in_every_format() {
        for [invoked, answered] in [
            [
                r#"{"process":0,"type":"invoke","f":"read","key":"x"}"#,
                r#"{"process":0,"type":"ok","value":1}"#,
            ],
            ["{:process 0 :type :invoke :f :read}", "{:process 0 :type :ok :value 1}"],
            ["jepsen.util - 0\t:invoke\t:read\tnil", "0\t:ok\t:read\t1"],
        ] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let path = folder.path().join("log");
            fs::write(&path, format!("{invoked}\n")).expect("it can be written");
            let file = File::open(&path).expect("it is there");
            let mut lines = Rotating { path: path.clone(), lines: Lines::of(file) };
            let mut follower = Follower::default();
            let mut events = follower.line(all(&mut lines).as_bytes());
            fs::rename(&path, folder.path().join("log.1")).expect("it can be renamed");
            fs::write(&path, format!("{answered}\n")).expect("it can be written");
            events.extend(follower.line(all(&mut lines).as_bytes()));
            let [Ok(_), Ok(answer)] = &events[..] else { panic!("{events:?}") };
            assert_eq!(answer.what, What::Ok(1.into()));
        }
    }
}
