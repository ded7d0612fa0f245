//! `report`: a page about a case, for a browser.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::catalogue::Registry;
use crate::hunt::landmarks::Landmarks;
use crate::report::page::case;
use crate::report::reporter::Replayed;

use super::exit::{Exit, Failure};
use super::quiet::quietly;
use super::replay::again;
use super::screen::{self, Screen};
use super::{files, interrupts};

/// Write a page about a case: one HTML file that asks for nothing outside itself
///
/// The case is replayed first. The page shows why the run fails, the run as a picture, the
/// replicas at each step, and which models hold.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  quiescence report cases/notebook-storing-eventual.json
  quiescence report cases/notebook-storing-eventual.json -o story.html")]
pub struct ReportArgs {
    /// The case file
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// Where to write the page; `-` is standard output [default: the name of the case with
    /// .html, in the current directory]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &ReportArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let again = again(&args.case, registry)?;
    let short = registry.short(&again.case.strategy);
    let landmarks = quietly(|| Landmarks::of(&again.replay.run, again.replay.datatype));
    let replayed = Replayed {
        strategy: &short,
        registry,
        case: &again.case,
        replay: &again.replay,
        landmarks: &landmarks,
        until: None,
    };
    let command = format!("{} replay {}", screen::program(), args.case.display());
    let name = args.case.display().to_string();
    let told = case::Told { name: &name, text: &again.text, command: &command };
    let page = case::page(&replayed, &told);
    save(&page, &place(args), screen)
}

/// Where the page goes.
fn place(args: &ReportArgs) -> PathBuf {
    args.output.clone().unwrap_or_else(|| {
        let stem = args.case.file_stem().unwrap_or("case".as_ref());
        Path::new(stem).with_added_extension("html")
    })
}

fn save(page: &str, path: &Path, screen: &Screen) -> Result<Exit, Failure> {
    if path.as_os_str() == "-" {
        screen.print(page);
        return Ok(Exit::Holds);
    }
    let write = |file: &mut dyn std::io::Write| file.write_all(page.as_bytes());
    match files::write(path, interrupts::heed, write) {
        Ok(()) => {
            screen.note(&screen.look.text(&format!("wrote {}", path.display())));
            Ok(Exit::Holds)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Holds),
        Err(error) => Err(Failure::new(format!("{} cannot be written: {error}", path.display()))
            .remedy("choose another place with --output")),
    }
}
