//! Recorded histories: files or standard input, compressed or not; and histories
//! that were typed instead of the name of a file.
//!
//! The compression is recognised by the first bytes, not by the name. Only what the
//! reader keeps is held in memory.
//!
//! Invariant: a file whose gzip or zstd checksum does not match is an error. So a
//! recording is judged only after it was read to its end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::history::Malformed;
use crate::history::formats::{self, Options, Recording};

use super::exit::Failure;

/// How many bytes judging takes for each byte of a recording, at most: measured
/// with short operation lines (docs/verify.md).
const BYTES_EACH: u64 = 5;

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// The history that an argument is, in the one-line notation; `None` if it can only be the
/// name of a file: if there is such a file, if it is one word (`run0` would be a read), or
/// if it does not begin like a history.
///
/// # Errors
/// If it looks like a history and is not in the notation.
pub fn typed(argument: &str, options: &Options) -> Option<Result<Recording, Malformed>> {
    let words = argument.contains(|c: char| c.is_whitespace() || c == '|' || c == '@');
    let begins = argument.contains('|') || argument.trim_start().starts_with(['w', 'r', '[']);
    if !words || !begins || std::fs::symlink_metadata(argument).is_ok() {
        return None;
    }
    let read = formats::typed(argument, options);
    let is_empty = read
        .as_ref()
        .is_ok_and(|recording| recording.history.is_empty() && recording.drains.read == 0);
    (!is_empty).then_some(read)
}

/// A recording, and how many bytes it had once it was decompressed.
pub struct Input {
    /// What was recorded.
    pub recording: Recording,
    /// How many bytes were read.
    pub bytes: u64,
}

/// Opens a file that is no directory.
pub fn file(path: &str) -> Result<File, Failure> {
    let shown = Path::new(path).display();
    let fault = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("there is no file {shown}")).remedy(
            "name a recorded history, or `-` for standard input, or type a history: 'wx1|rx1 rx0'",
        ),
        _ => Failure::new(format!("{shown} cannot be read: {error}")),
    };
    let file = File::open(path).map_err(fault)?;
    match file.metadata().map_err(fault)?.is_dir() {
        true => Err(Failure::new(format!("{shown} is a directory, not a history"))
            .remedy("name one of the files in it")),
        false => Ok(file),
    }
}

/// Opens a file (`-`: standard input) for reading lines.
pub fn open(path: &str) -> Result<Box<dyn BufRead>, Failure> {
    let file: Box<dyn Read> =
        if path == "-" { Box::new(io::stdin()) } else { Box::new(file(path)?) };
    decompressed(file).map_err(|error| Failure::new(format!("{path} cannot be read: {error}")))
}

fn decompressed(mut file: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut magic = Vec::new();
    file.by_ref().take(4).read_to_end(&mut magic)?;
    let zipped = magic.starts_with(&[0x1f, 0x8b]);
    let zstd = is_zstd(&magic);
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
                    return Err(fault("the last frame is incomplete"));
                }
            }
            Err(error) => return Err(in_words(&error)),
        }
        Ok(())
    }

    /// Ends a frame and compares its checksum.
    fn end(&mut self) -> io::Result<()> {
        let written = self.frame.get_checksum_from_data();
        if written.is_some() && written != self.frame.get_calculated_checksum() {
            return Err(fault("a frame does not match its checksum"));
        }
        self.inside = false;
        Ok(())
    }
}

/// What is wrong with compressed data. The decoder's own messages speak of its
/// internals.
fn in_words(error: &FrameDecoderError) -> io::Error {
    use FrameDecoderError as Error;
    match error {
        Error::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
            fault("other data follows a frame")
        }
        Error::DictNotProvided { dict_id } => fault(&format!(
            "a frame needs dictionary {dict_id}, and dictionaries are not supported"
        )),
        Error::WindowSizeTooBig { requested, max } => fault(&format!(
            "a frame needs a window of {requested} bytes, and at most {max} are allowed"
        )),
        _ => fault("a frame is incomplete or damaged"),
    }
}

fn fault(what: &str) -> io::Error {
    io::Error::other(format!("zstd data: {what}"))
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
                self.end()?;
            } else {
                let some = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.frame.decode_blocks(&mut self.source, some);
                decoded.map_err(|error| in_words(&error))?;
            }
        }
        Ok(0)
    }
}

/// Counts the bytes that are read, and fails once the recording would need too much
/// memory.
pub struct Counted<'t, R> {
    inner: R,
    bytes: u64,
    /// How much memory may be taken, in bytes.
    memory: u64,
    /// How many bytes there will be, if that is known.
    of: Option<u64>,
    /// Is told how many bytes were read, of how many.
    tell: &'t dyn Fn(u64, Option<u64>),
}

impl<R> Counted<'_, R> {
    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn add(&mut self, amount: usize) {
        self.bytes += amount as u64;
        // A look at the clock for each line would cost more than the line.
        if self.bytes >> 20 != (self.bytes - amount as u64) >> 20 {
            (self.tell)(self.bytes, self.of);
        }
    }

    fn fits(&self) -> io::Result<()> {
        match room(self.bytes, self.memory) {
            None => Ok(()),
            Some(why) => Err(io::Error::other(why)),
        }
    }
}

/// If a recording of so many bytes may need more than this memory, the message that
/// says so.
fn room(bytes: u64, memory: u64) -> Option<String> {
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let need = bytes.saturating_mul(BYTES_EACH);
    (need > memory).then(|| {
        format!(
            "{:.1} GB of recording may need {:.1} GB of memory, and the limit is {:.1} GB",
            gigabytes(bytes),
            gigabytes(need),
            gigabytes(memory)
        )
    })
}

/// Four fifths of the free memory, if the system reports it.
pub fn free_memory() -> u64 {
    let number = |text: &str| text.trim().trim_end_matches(" kB").trim().parse::<u64>().ok();
    let system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        number(line)?.checked_mul(1024)
    });
    let of_group = |file: &str| {
        let text = std::fs::read_to_string(format!("/sys/fs/cgroup/memory.{file}")).ok()?;
        number(&text)
    };
    let group = of_group("max").map(|most| most.saturating_sub(of_group("current").unwrap_or(0)));
    let all = [system, group].into_iter().flatten().min();
    all.map_or(u64::MAX, |all| all / 5 * 4)
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fits()?;
        let count = self.inner.read(buffer)?;
        self.add(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fits()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.add(amount);
        self.inner.consume(amount);
    }
}

const TOO_LARGE: &str = "judge a part of it, allow more memory with --memory, or judge it key by key \
                         by way of files with --spill";

/// Reads a recorded history, if it can be judged in this much memory (bytes; if
/// none is given, in most of what there is); or one that was typed.
pub fn read(path: &str, options: &Options, memory: Option<u64>) -> Result<Input, Failure> {
    read_telling(path, options, memory, &|_, _| {})
}

/// As [`read`], where `tell` is told now and then how many bytes were read, and of how many,
/// if that is known.
pub fn read_telling(
    path: &str,
    options: &Options,
    memory: Option<u64>,
    tell: &dyn Fn(u64, Option<u64>),
) -> Result<Input, Failure> {
    if let Some(typed) = typed(path, options) {
        let bytes = path.len() as u64;
        return typed.map(|recording| Input { recording, bytes }).map_err(|not| {
            Failure::new(format!(
                "there is no file {path}, and as a history it is malformed: {}",
                not.reason
            ))
            .remedy("docs/histories.md describes the notation: `wx1|rx1 rx0`")
        });
    }
    let memory = memory.unwrap_or_else(free_memory);
    let inner = open(path)?;
    let of = length(path);
    // A file has at least as many bytes after decompression, so a file that is too
    // large is refused before it is read.
    let size = std::fs::metadata(path).map_or(0, |about| about.len());
    if let Some(why) = room(size, memory).filter(|_| path != "-") {
        return Err(Failure::new(format!("{path} is too large: {why}")).remedy(TOO_LARGE));
    }
    let mut counted = Counted { inner, bytes: 0, memory, of, tell };
    let recording = formats::read(&mut counted, options);
    let recording = recording
        .map_err(|not| malformed(path, &not, options, room(counted.bytes, memory).is_some()))?;
    Ok(Input { recording, bytes: counted.bytes })
}

/// Opens a recorded history, however large, to read it line by line.
pub fn counted<'t>(
    path: &str,
    tell: &'t dyn Fn(u64, Option<u64>),
) -> Result<Counted<'t, Box<dyn BufRead>>, Failure> {
    Ok(Counted { inner: open(path)?, bytes: 0, memory: u64::MAX, of: length(path), tell })
}

/// How many bytes a file has, if it is a regular one that is not compressed.
fn length(path: &str) -> Option<u64> {
    let about = std::fs::metadata(path).ok().filter(|about| about.is_file())?;
    let mut magic = [0; 4];
    File::open(path).ok()?.read_exact(&mut magic).ok()?;
    let compressed = magic.starts_with(&[0x1f, 0x8b]) || is_zstd(&magic);
    (!compressed).then_some(about.len())
}

/// Whether a file that begins so is one of zstd.
fn is_zstd(magic: &[u8]) -> bool {
    match magic {
        [0x28, 0xb5, 0x2f, 0xfd] => true,
        // zstd files may begin with a frame that has no data.
        [first, 0x2a, 0x4d, 0x18] => (0x50..0x60).contains(first),
        _ => false,
    }
}

/// What is wrong with a recording, and what to do about it.
pub fn malformed(path: &str, not: &Malformed, options: &Options, too_large: bool) -> Failure {
    let name = if path == "-" { "standard input" } else { path };
    let remedy = if not.reason.starts_with("none of the") {
        match options.lenient {
            true => {
                "docs/histories.md describes the formats; without --lenient it is said what is \
                     wrong with the first line"
            }
            false => "docs/histories.md describes what tells of an operation",
        }
    } else if not.reason.contains("in UTF-16") {
        "write it again: iconv -f UTF-16 -t UTF-8"
    } else if not.reason.contains("neither a JSON") && !options.lenient {
        "docs/histories.md describes the formats; --lenient skips lines at the beginning"
    } else if not.reason.contains("not known here") {
        "docs/histories.md describes the fields"
    } else if too_large {
        TOO_LARGE
    } else if not.reason.starts_with("cannot read on") {
        "the file is incomplete or damaged; record or copy it again"
    } else if options.lenient {
        "fix the line: --lenient skips lines, but not this"
    } else {
        "fix the line, or skip malformed lines with --lenient"
    };
    Failure::new(format!("{name}:{}: {}", not.line, not.reason)).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A write of 1 and a read that answers it, in EDN: a zstd frame with its
    /// checksum.
    const FRAME: [u8; 91] = [
        0x28, 0xb5, 0x2f, 0xfd, 0x24, 0xa5, 0x75, 0x02, 0x00, 0x64, 0x03, 0x7b, 0x3a, 0x70, 0x72,
        0x6f, 0x63, 0x65, 0x73, 0x73, 0x20, 0x30, 0x20, 0x3a, 0x74, 0x79, 0x70, 0x65, 0x20, 0x3a,
        0x69, 0x6e, 0x76, 0x6f, 0x6b, 0x65, 0x20, 0x3a, 0x66, 0x20, 0x3a, 0x77, 0x72, 0x69, 0x74,
        0x65, 0x20, 0x3a, 0x76, 0x61, 0x6c, 0x75, 0x65, 0x20, 0x31, 0x7d, 0x0a, 0x6f, 0x6b, 0x31,
        0x72, 0x65, 0x61, 0x64, 0x31, 0x08, 0x00, 0x7a, 0x30, 0x18, 0x2a, 0x00, 0xe8, 0x6e, 0x14,
        0x9c, 0xb6, 0x60, 0x00, 0x10, 0xb7, 0xa9, 0x06, 0x3b, 0x26, 0xaa, 0x0c, 0xc5, 0xcb, 0xc4,
        0x2c,
    ];
    const SKIPPED: &[u8] = b"\x5c\x2a\x4d\x18\x03\0\0\0abc";

    fn recorded(bytes: Vec<u8>) -> Result<Recording, String> {
        let mut text = decompressed(Box::new(Cursor::new(bytes))).map_err(|e| e.to_string())?;
        formats::read(&mut text, &Options::default()).map_err(|malformed| malformed.to_string())
    }

    #[track_caller]
    fn no_flipped_bit_goes_unnoticed(sound: &[u8]) {
        let expected = recorded(sound.to_vec());
        assert_eq!(expected.as_ref().map(|read| read.history.len() >= 2), Ok(true));
        for bit in 0..sound.len() * 8 {
            let mut flipped = sound.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let read = recorded(flipped);
            assert!(read.is_err() || read == expected, "bit {bit}: {read:?}");
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_changes_nothing() {
        no_flipped_bit_goes_unnoticed(&FRAME);
        no_flipped_bit_goes_unnoticed(&[SKIPPED, &FRAME, SKIPPED, &FRAME].concat());
        let text = "{:process 0 :type :invoke :f :write :value 1}{:process 0 :type :ok}\n\
                    {:process 1 :type :invoke :f :read}{:process 1 :type :ok :value 1}";
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        zipped.write_all(text.as_bytes()).expect("memory can be written");
        no_flipped_bit_goes_unnoticed(&zipped.finish().expect("memory can be written"));
    }

    #[test]
    fn frames_without_data_are_skipped_wherever_they_stand() {
        let alone = recorded(FRAME.to_vec()).expect("sound");
        for frames in [[SKIPPED, &FRAME].concat(), [&FRAME, SKIPPED].concat()] {
            assert_eq!(recorded(frames), Ok(alone.clone()));
        }
    }

    #[test]
    fn what_is_wrong_with_compressed_data_is_said_in_words() {
        let changed = |at: usize, new: u8| {
            let mut bytes = FRAME.to_vec();
            bytes[at] = new;
            recorded(bytes).expect_err("damaged")
        };
        for (said, words) in [
            (changed(87, 0), "cannot read on: zstd data: a frame does not match its checksum"),
            (changed(4, 0x25), "a frame needs dictionary 165, and dictionaries are not supported"),
            (changed(4, 0x2c | 0x80), "zstd data: a frame is incomplete or damaged"),
            (recorded(FRAME[..50].to_vec()).expect_err("cut"), "a frame is incomplete or damaged"),
            (
                recorded([&FRAME[..], b"what"].concat()).expect_err("more"),
                "other data follows a frame",
            ),
            (recorded(SKIPPED[..9].to_vec()).expect_err("cut"), "the last frame is incomplete"),
            (
                recorded(vec![0x28, 0xb5, 0x2f, 0xfd, 0x04, 0xa0]).expect_err("a huge window"),
                "a frame needs a window of 1073741824 bytes",
            ),
        ] {
            assert!(said.contains(words), "{said}");
        }
    }
}
