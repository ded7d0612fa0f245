//! Writes files completely or not at all, and reads case files.
//!
//! Invariant: no existing data is lost. A file gets its name once it is complete.
//! A case never replaces another one, even if two processes save at the same time.
//! A device, a pipe or a link is never replaced by a regular file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::hunt::case::{self, Case};

use super::exit::Failure;

/// Larger files are not cases.
const BYTES_MAX: u64 = 64 << 20;

/// The directory of cases, below the current one.
pub const DIRECTORY: &str = "cases";

/// Saves a case among the new ones, and returns the path.
pub fn save(case: &Case, short: &str) -> Result<String, Failure> {
    let text = case.to_text();
    let slug = slug(&format!("{short}-{}", case.property));
    let fault = |error: io::Error| {
        Failure::new(format!("the case could not be saved in {DIRECTORY}/: {error}"))
            .remedy("run the command in a directory that you can write to")
    };
    let saved = numbered(Path::new(DIRECTORY), &slug, &text).map_err(fault)?;
    Ok(saved.to_string_lossy().into_owned())
}

/// Writes a case to a directory, which is made if it is not there, and returns the path. If the
/// name is taken by other contents, it gets a number; the same contents are not written twice.
pub fn numbered(directory: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let mut draft = Draft::beside(directory)?;
    draft.file.write_all(text.as_bytes())?;
    for number in 1.. {
        let name = if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
        let path = directory.join(format!("{name}.json"));
        if holds(&path, text.as_bytes()) {
            return Ok(path);
        }
        match draft.named(&path)? {
            None => return Ok(path),
            Some(again) => draft = again,
        }
    }
    unreachable!("there are more numbers than files")
}

/// Writes a new file, and the directories that it is in. Whatever has its name is left as it is,
/// and then the answer is no.
pub fn create(path: &Path, text: &str) -> io::Result<bool> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut draft = Draft::beside(directory)?;
    draft.file.write_all(text.as_bytes())?;
    Ok(draft.named(path)?.is_none())
}

/// Whether this is a regular file with these contents. A link is not followed, and
/// a pipe is not opened, because reading it could wait for ever.
fn holds(path: &Path, contents: &[u8]) -> bool {
    let same = |about: fs::Metadata| about.is_file() && about.len() == contents.len() as u64;
    fs::symlink_metadata(path).is_ok_and(same)
        && fs::read(path).is_ok_and(|there| there == contents)
}

/// A temporary file, which is deleted unless it gets its final name.
struct Draft {
    file: BufWriter<NamedTempFile>,
}

impl Draft {
    /// A new one in this directory, with the permissions of any new file.
    fn beside(directory: &Path) -> io::Result<Draft> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".quiescence-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Draft { file: BufWriter::new(builder.tempfile_in(directory)?) })
    }

    /// Writes everything to the disk.
    fn complete(self) -> io::Result<NamedTempFile> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Gives the file this name, or returns it if the name is taken.
    fn named(self, path: &Path) -> io::Result<Option<Draft>> {
        match self.complete()?.persist_noclobber(path) {
            Ok(_) => Ok(None),
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                Ok(Some(Draft { file: BufWriter::new(refused.file) }))
            }
            Err(refused) => Err(refused.error),
        }
    }
}

/// Where something is written.
enum Target {
    /// A regular file, or none yet: it is replaced once all is written.
    Replaced(PathBuf, Option<fs::Permissions>),
    /// A device, a pipe, …: it is written to directly.
    Direct(File),
}

impl Target {
    fn of(path: &Path) -> io::Result<Target> {
        // /dev/stdout may be a regular file to which a shell redirects output and
        // which other processes have open. To replace it would cut them off.
        let borrowed = path.starts_with("/dev") || path.starts_with("/proc");
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => Err(io::Error::other("it is a directory")),
            Ok(about) if about.is_file() && !borrowed => {
                if about.permissions().readonly() {
                    return Err(io::Error::other("it is read-only"));
                }
                // Replace the file that a link leads to, not the link.
                Ok(Target::Replaced(path.canonicalize()?, Some(about.permissions())))
            }
            Ok(_) => {
                let opened = OpenOptions::new().write(true).truncate(true).open(path);
                opened.map(Target::Direct)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match fs::symlink_metadata(path).is_ok() {
                    true => Err(io::Error::other("it is a link to a file that does not exist")),
                    false => Ok(Target::Replaced(path.to_owned(), None)),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether two paths lead to the same file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(one).is_some_and(|path| real(other) == Some(path))
}

/// Writes to a path. A regular file is replaced once everything is written, and
/// keeps its permissions; a device or a pipe is written to directly. Calls `begin`
/// before creating anything that a sudden end of the process would leave behind.
pub fn write(
    path: &Path,
    begin: impl FnOnce(),
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match Target::of(path)? {
        Target::Direct(file) => {
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.flush()
        }
        Target::Replaced(path, permissions) => {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            begin();
            let mut draft = Draft::beside(directory.unwrap_or(Path::new(".")))?;
            write(&mut draft.file)?;
            let file = draft.complete()?;
            if let Some(permissions) = permissions {
                file.as_file().set_permissions(permissions)?;
            }
            file.persist(&path)?;
            Ok(())
        }
    }
}

/// Letters, digits and single dashes: `notebook-storing-eventual`.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            slug.extend(letter.to_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Reads a case, and its text.
pub fn read(path: &Path) -> Result<(Case, String), Failure> {
    let text = text(path)?;
    let case = case::read::read(&text).map_err(|not| {
        let place = format!("{}:{}:{}: {}", path.display(), not.line, not.column, not.reason);
        Failure::new(place).remedy("`check` writes cases; check the strategy again for a new one")
    })?;
    Ok((case, text))
}

/// A line and column of a file, as `path:line:column`.
pub fn place(path: &Path, (line, column): (usize, usize)) -> String {
    format!("{}:{line}:{column}", path.display())
}

fn text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let fault = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("there is no file {shown}"))
            .remedy("`check STRATEGY` saves violations in cases/"),
        ErrorKind::PermissionDenied => {
            Failure::new(format!("{shown} cannot be read: permission denied"))
                .remedy("change its permissions")
        }
        _ => Failure::new(format!("{shown} cannot be read: {error}")),
    };
    if fs::metadata(path).map_err(fault)?.is_dir() {
        return Err(Failure::new(format!("{shown} is a directory, not a case file"))
            .remedy("name one of the files in it"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fault)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::new(format!("{shown} is not a case file: it has more than 64 MiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(format!("{shown} is not UTF-8: byte {} is invalid", at + 1))
            .remedy("case files are JSON text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_letters_digits_and_single_dashes() {
        assert_eq!(slug("notebook:storing-eventual"), "notebook-storing-eventual");
        assert_eq!(
            slug("multi-primary-lww:clock=wall-white-box:ryw"),
            "multi-primary-lww-clock-wall-white-box-ryw"
        );
        assert_eq!(slug("../a b-ryw+mr.g!"), "a-b-ryw-mr-g");
    }
}
