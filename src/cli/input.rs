//! Recorded histories: files or standard input, compressed or not.
//!
//! What a file is, is told by its first bytes and not by its name. Nothing is
//! held but what the reader keeps.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::history::formats::{self, Options, Recording};

use super::exit::Failure;

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// A recording, and how many bytes it had once it was decompressed.
pub struct Input {
    /// What was recorded.
    pub recording: Recording,
    /// How many bytes were read.
    pub bytes: u64,
}

/// Opens a file (`-`: standard input) for reading lines.
pub fn open(path: &str) -> Result<Box<dyn BufRead>, Failure> {
    let file: Box<dyn Read> = if path == "-" {
        Box::new(io::stdin())
    } else {
        let shown = Path::new(path).display();
        let fault = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => Failure::new(format!("there is no file {shown}"))
                .remedy("name a recorded history, or `-` for standard input"),
            _ => Failure::new(format!("{shown} cannot be read: {error}")),
        };
        let file = File::open(path).map_err(fault)?;
        if file.metadata().map_err(fault)?.is_dir() {
            return Err(Failure::new(format!("{shown} is a directory, not a history"))
                .remedy("name one of the files in it"));
        }
        Box::new(file)
    };
    decompressed(file).map_err(|error| Failure::new(format!("{path} cannot be read: {error}")))
}

fn decompressed(mut file: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut magic = Vec::new();
    file.by_ref().take(4).read_to_end(&mut magic)?;
    let zipped = magic.starts_with(&[0x1f, 0x8b]);
    let zstd = magic == [0x28, 0xb5, 0x2f, 0xfd];
    let whole = BufReader::with_capacity(CHUNK, Cursor::new(magic).chain(file));
    if zipped {
        return Ok(Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(whole))));
    }
    if zstd {
        let decoder = StreamingDecoder::new(whole).map_err(io::Error::other)?;
        return Ok(Box::new(BufReader::with_capacity(CHUNK, decoder)));
    }
    Ok(Box::new(whole))
}

/// Counts what passes.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.bytes += amount as u64;
        self.inner.consume(amount);
    }
}

/// Reads a recorded history.
pub fn read(path: &str, options: Options) -> Result<Input, Failure> {
    let mut counted = Counted { inner: open(path)?, bytes: 0 };
    let recording = formats::read(&mut counted, options).map_err(|malformed| {
        let name = if path == "-" { "standard input" } else { path };
        let remedy = if malformed.reason.contains("neither a JSON") {
            "docs/histories.md shows the formats that are read"
        } else {
            "mend the line, or skip what makes no sense with --lenient"
        };
        Failure::new(format!("{name}:{}: {}", malformed.line, malformed.reason)).remedy(remedy)
    })?;
    Ok(Input { recording, bytes: counted.bytes })
}
