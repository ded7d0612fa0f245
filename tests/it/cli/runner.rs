//! Runs the binary in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A directory to run in.
pub struct Place {
    directory: TempDir,
}

/// The output of one run of the binary, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl Place {
    pub fn new() -> Self {
        Place { directory: TempDir::new().expect("a directory for temporary files") }
    }

    /// A place with the case of `notebook:storing` in it.
    pub fn with_case() -> (Self, PathBuf) {
        let place = Place::new();
        let said = place.run("check notebook:storing --seed 0x5eed91c4");
        assert_eq!(said.code, Some(1), "{said:?}");
        let case = place.path("cases/notebook-storing-eventual.json");
        (place, case)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).expect("the directory can be written");
        path
    }

    pub fn run(&self, line: &str) -> Said {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_words(&self, words: &[&str]) -> Said {
        self.run_by(&mut self.command(words))
    }

    /// Runs a command in this directory.
    pub fn run_by(&self, command: &mut Command) -> Said {
        let output = command.current_dir(self.directory.path()).output().expect("it can be run");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quiescence"));
        command.args(words).current_dir(self.directory.path()).env_remove("NO_COLOR");
        // (With which the tests themselves are run.)
        command.env_remove("QUIESCENCE_PROFILE");
        command
    }
}

/// An operation line.
pub fn line(process: u32, f: &str, key: &str, value: &str, [invoke, end]: [u32; 2]) -> String {
    format!(
        r#"{{"process":{process},"f":"{f}","key":"{key}","value":{value},"invoke":{invoke},"return":{end}}}"#
    )
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file is there")
}
