//! The command line as its users meet it: transcripts of every command and of
//! every exit code.
//!
//! `SNAPSHOTS=overwrite cargo test --test it cli::` writes the golden texts anew;
//! commit the difference only if you can explain it.

mod assertion;
mod bad_input;
mod bench;
mod changed;
mod check;
mod completions;
mod config;
mod convert;
mod evidence;
mod examples;
mod follow;
mod happened;
mod init;
mod own;
mod pages;
mod printed;
mod results;
mod review;
mod runner;
mod spill;
mod suite;
#[cfg(unix)]
mod surroundings;
mod tools;
mod transcripts;
mod typed;
mod verify;
