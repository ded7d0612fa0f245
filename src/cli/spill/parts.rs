//! The folder of a spilled recording: one file for each part of the keys.
//!
//! Which part a key belongs to depends on its name alone. A file has the operations on its
//! keys, each with its number in the history and its line.
//!
//! Invariant: everything is in a new folder of its own, which is removed when this is dropped.
//! Nothing else is ever removed or written over, so two runs may share a directory.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::exit::Failure;
use crate::history::formats::stream::Streamed;
use crate::history::{Call, Completion, Function, Key, NodeId, Operation, ProcessId, Value};

/// How many parts there are: few enough for open files, and enough that a part of 100,000,000
/// operations takes some hundred megabytes.
pub const PARTS: usize = 64;

/// How the folders are called.
const PREFIX: &str = "quiescence-spill-";

/// How much is written at once to a file, in bytes.
const CHUNK: usize = 64 << 10;

/// How deep lists of values may be; deeper ones are not written by readers of recordings.
const DEPTH_MAX: usize = 200;

/// Parts that are being written.
pub struct Parts {
    folder: TempDir,
    files: Vec<BufWriter<File>>,
    /// How many operations each has.
    pub counts: Vec<u64>,
    /// How many bytes they take.
    pub sizes: Vec<u64>,
    directory: PathBuf,
}

impl Parts {
    /// Makes a new folder in a directory.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn create(directory: &Path) -> Result<Parts, Failure> {
        let shown = directory.display();
        let refused = |error: io::Error| match error.kind() {
            ErrorKind::NotFound if !directory.exists() => {
                Failure::new(format!("there is no directory {shown}"))
                    .remedy("make it, or name another one with --spill")
            }
            ErrorKind::NotADirectory => Failure::new(format!("{shown} is no directory"))
                .remedy("name a directory with --spill"),
            _ => fault(directory, &error),
        };
        // (A file as the directory gives another error on some systems.)
        if directory.is_file() {
            return Err(refused(ErrorKind::NotADirectory.into()));
        }
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(directory);
        let folder = folder.map_err(refused)?;
        let files = (0..PARTS).map(|part| {
            let file = File::create_new(path(&folder, part))?;
            Ok(BufWriter::with_capacity(CHUNK, file))
        });
        let files = files.collect::<io::Result<_>>().map_err(|error| fault(directory, &error))?;
        let (counts, sizes) = (vec![0; PARTS], vec![0; PARTS]);
        Ok(Parts { folder, files, counts, sizes, directory: directory.to_owned() })
    }

    /// How many folders there are in a directory that other runs have made: they go on, or
    /// were killed.
    pub fn left_in(directory: &Path) -> usize {
        let Ok(entries) = fs::read_dir(directory) else { return 0 };
        let ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(PREFIX);
        entries.flatten().filter(|entry| ours(&entry.file_name())).count()
    }

    /// Adds an operation to the part of its key.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn add(&mut self, one: &Streamed) -> Result<(), Failure> {
        let part = part_of(&one.operation.call.key);
        let mut record = Vec::new();
        let written = write(&mut record, one).and_then(|()| self.files[part].write_all(&record));
        self.counts[part] += 1;
        self.sizes[part] += record.len() as u64;
        written.map_err(|error| fault(&self.directory, &error))
    }

    /// Writes out what is still in memory.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let mut files = std::mem::take(&mut self.files).into_iter();
        let flushed = files.try_for_each(|mut file| file.flush());
        flushed.map_err(|error| fault(&self.directory, &error))
    }

    /// The operations of a part, in the order of the history. The file is not needed any
    /// more.
    ///
    /// # Errors
    /// If the file was changed by somebody else, or cannot be read.
    pub fn take(&self, part: usize) -> Result<Vec<Streamed>, Failure> {
        let path = path(&self.folder, part);
        let read = || -> io::Result<Vec<Streamed>> {
            let mut file = BufReader::with_capacity(1 << 20, File::open(&path)?);
            let count = usize::try_from(self.counts[part]).map_err(io::Error::other)?;
            let mut all = Vec::with_capacity(count);
            for _ in 0..count {
                all.push(read(&mut file)?);
            }
            Ok(all)
        };
        let mut all = read().map_err(|error| {
            Failure::new(format!("{} cannot be read again: {error}", path.display()))
                .remedy("let nobody else change files in the directory of --spill")
        })?;
        all.sort_unstable_by_key(|one| one.number);
        // If it stays, the folder is removed with it later.
        let _ = fs::remove_file(&path);
        Ok(all)
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(self) -> Result<(), Failure> {
        let shown = self.folder.path().display().to_string();
        self.folder.close().map_err(|error| {
            Failure::new(format!("{shown} cannot be removed: {error}")).remedy("remove it")
        })
    }
}

fn path(folder: &TempDir, part: usize) -> PathBuf {
    folder.path().join(format!("{part}"))
}

fn fault(directory: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}", directory.display()))
        .remedy("make room there, or name another directory with --spill")
}

/// Which part a key belongs to: by the hash FNV-1a (Fowler, Noll and Vo), its upper half mixed
/// into the lower one.
fn part_of(key: &Key) -> usize {
    let hash = key.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = hash ^ (hash >> 32);
    usize::try_from(mixed % PARTS as u64).expect("a part is a small number")
}

fn write(out: &mut impl Write, one: &Streamed) -> io::Result<()> {
    let Operation { process, node, call, invoked, returned, completion, final_read } =
        &one.operation;
    let (kind, answer) = match completion {
        Completion::Ok(answer) => (0, answer),
        Completion::Fail => (1, &Value::Null),
        Completion::Info => (2, &Value::Null),
    };
    let flags = kind | u8::from(*final_read) << 2 | u8::from(returned.is_some()) << 3;
    out.write_all(&[flags])?;
    out.write_all(&one.number.to_le_bytes())?;
    out.write_all(&one.line.to_le_bytes())?;
    out.write_all(&process.0.to_le_bytes())?;
    out.write_all(&node.map_or(0, |node| u32::from(node.0) + 1).to_le_bytes())?;
    out.write_all(&invoked.to_le_bytes())?;
    out.write_all(&returned.unwrap_or(0).to_le_bytes())?;
    match &call.f {
        Function::Read => out.write_all(&[0])?,
        Function::Write => out.write_all(&[1])?,
        Function::Other(name) => {
            out.write_all(&[2])?;
            write_text(out, name)?;
        }
    }
    write_text(out, call.key.as_str())?;
    write_value(out, &call.argument)?;
    write_value(out, answer)
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(text.as_bytes())
}

fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(&[0]),
        Value::Int(number) => {
            out.write_all(&[1])?;
            out.write_all(&number.to_le_bytes())
        }
        Value::Text(text) => {
            out.write_all(&[2])?;
            write_text(out, text)
        }
        Value::List(values) => {
            out.write_all(&[3])?;
            let length = u32::try_from(values.len()).map_err(io::Error::other)?;
            out.write_all(&length.to_le_bytes())?;
            values.iter().try_for_each(|value| write_value(out, value))
        }
    }
}

fn read(file: &mut impl Read) -> io::Result<Streamed> {
    let [flags] = bytes(file)?;
    let number = u64::from_le_bytes(bytes(file)?);
    let line = u32::from_le_bytes(bytes(file)?);
    let process = ProcessId(u32::from_le_bytes(bytes(file)?));
    let node = u32::from_le_bytes(bytes(file)?).checked_sub(1);
    let node = node.map(u16::try_from).transpose().map_err(io::Error::other)?.map(NodeId);
    let invoked = u64::from_le_bytes(bytes(file)?);
    let returned = u64::from_le_bytes(bytes(file)?);
    let f = match bytes(file)? {
        [0] => Function::Read,
        [1] => Function::Write,
        _ => Function::named(&read_text(file)?),
    };
    let key = Key::new(read_text(file)?);
    let call = Call { f, key, argument: read_value(file, 0)? };
    let answer = read_value(file, 0)?;
    let completion = match flags & 3 {
        0 => Completion::Ok(answer),
        1 => Completion::Fail,
        _ => Completion::Info,
    };
    let (final_read, returned) = (flags & 4 != 0, (flags & 8 != 0).then_some(returned));
    let operation = Operation { process, node, call, invoked, returned, completion, final_read };
    Ok(Streamed { number, line, operation })
}

fn bytes<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_text(file: &mut impl Read) -> io::Result<String> {
    let length = u64::from(u32::from_le_bytes(bytes(file)?));
    let mut text = String::new();
    file.take(length).read_to_string(&mut text)?;
    Ok(text)
}

fn read_value(file: &mut impl Read, depth: usize) -> io::Result<Value> {
    Ok(match bytes(file)? {
        [0] => Value::Null,
        [1] => Value::Int(i64::from_le_bytes(bytes(file)?)),
        [2] => Value::from(&*read_text(file)?),
        [3] if depth < DEPTH_MAX => {
            let length = u32::from_le_bytes(bytes(file)?);
            let values = (0..length).map(|_| read_value(file, depth + 1));
            Value::from(values.collect::<io::Result<Vec<_>>>()?)
        }
        [other] => return Err(io::Error::other(format!("{other} begins no value"))),
    })
}
