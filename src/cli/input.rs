//! Recorded histories: files or standard input, compressed or not.
//!
//! What a file is, is told by its first bytes and not by its name. Nothing is
//! held but what the reader keeps.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

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
        return Ok(Box::new(BufReader::with_capacity(CHUNK, Frames::new(whole))));
    }
    Ok(Box::new(whole))
}

/// All frames of a zstd file: files that are put together, or were compressed
/// in parallel, have several.
struct Frames<R> {
    source: R,
    frame: FrameDecoder,
    /// Whether a frame has begun.
    inside: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Self {
        Frames { source, frame: FrameDecoder::new(), inside: false }
    }

    /// Begins a frame, or skips one that holds no data.
    fn begin(&mut self) -> io::Result<()> {
        use FrameDecoderError::ReadFrameHeaderError as Header;
        match self.frame.init(&mut self.source) {
            Ok(()) => self.inside = true,
            Err(Header(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                let mut rest = self.source.by_ref().take(length);
                if io::copy(&mut rest, &mut io::sink())? < length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.inside {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
            } else if self.frame.can_collect() > 0 {
                return self.frame.read(buffer);
            } else if self.frame.is_finished() {
                self.inside = false;
            } else {
                let some = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.source, some).map_err(io::Error::other)?;
            }
        }
        Ok(0)
    }
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
        } else if malformed.reason.starts_with("cannot read on") {
            "the file is cut short or damaged; record or copy it again"
        } else {
            "mend the line, or skip what makes no sense with --lenient"
        };
        Failure::new(format!("{name}:{}: {}", malformed.line, malformed.reason)).remedy(remedy)
    })?;
    Ok(Input { recording, bytes: counted.bytes })
}
