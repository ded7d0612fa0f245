//! Case files: finding a name, writing at once or not at all, reading.

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::hunt::case::{self, Case};

use super::exit::Failure;

/// Larger files are not cases.
const BYTES_MAX: u64 = 64 << 20;

/// The directory of cases, below the current one.
const DIRECTORY: &str = "cases";

/// Saves a case under its name, and tells where. A file with other contents is
/// left alone; the same contents are not written twice.
pub fn save(case: &Case, short: &str) -> Result<String, Failure> {
    let text = case.to_text();
    let slug = slug(&format!("{short}-{}", case.property));
    let fault = |error: std::io::Error| {
        Failure::new(format!("the case cannot be saved in {DIRECTORY}/: {error}"))
            .remedy("run the command in a directory that can be written")
    };
    fs::create_dir_all(DIRECTORY).map_err(fault)?;
    for number in 1.. {
        let name = if number == 1 { slug.clone() } else { format!("{slug}-{number}") };
        let path = format!("{DIRECTORY}/{name}.json");
        match fs::read(&path) {
            Ok(there) if there == text.as_bytes() => return Ok(path),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                write(Path::new(&path), &text).map_err(fault)?;
                return Ok(path);
            }
            Err(error) => return Err(fault(error)),
        }
    }
    unreachable!("there are more numbers than files")
}

/// Writes beside the place and renames, so that nobody sees half a file.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    write_with(path, |file| file.write_all(text.as_bytes()))
}

/// As [`write`], piece by piece.
pub fn write_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
) -> io::Result<()> {
    let beside = PathBuf::from(format!("{}.{}.tmp", path.display(), std::process::id()));
    let mut file = BufWriter::new(fs::File::create(&beside)?);
    let written = write(&mut file).and_then(|()| file.flush());
    let synced = written.and_then(|()| file.get_ref().sync_all());
    drop(file);
    synced.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // The half-made file is of no use; that it stays is the lesser evil.
        let _ = fs::remove_file(&beside);
    })
}

/// Letters, digits and single dashes: `notebook-storing-eventual`.
fn slug(text: &str) -> String {
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

/// Reads a case.
pub fn read(path: &Path) -> Result<Case, Failure> {
    let text = text(path)?;
    case::read::read(&text).map_err(|not| {
        let place = format!("{}:{}:{}: {}", path.display(), not.line, not.column, not.reason);
        Failure::new(place)
            .remedy("a case is written by `check`; `check` the strategy again for a new one")
    })
}

/// The path of a case with the line and column of something in it, as
/// `path:line:column`.
pub fn place(path: &Path, of: impl FnOnce(&str) -> (usize, usize)) -> String {
    let (line, column) = text(path).map_or((1, 1), |text| of(&text));
    format!("{}:{line}:{column}", path.display())
}

fn text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let fault = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("there is no file {shown}"))
            .remedy("`check STRATEGY` saves what it finds in cases/"),
        ErrorKind::PermissionDenied => {
            Failure::new(format!("{shown} may not be read: permission denied"))
                .remedy("change its permissions, or copy it")
        }
        _ => Failure::new(format!("{shown} cannot be read: {error}")),
    };
    if fs::metadata(path).map_err(fault)?.is_dir() {
        return Err(Failure::new(format!("{shown} is a directory, not a case file"))
            .remedy("name one of the files in it"));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(fault)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::new(format!("{shown} has more than 64 MiB: that is not a case file")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(format!("{shown} is not UTF-8: byte {} makes no sense", at + 1))
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
