//! `man`: the manual page, with one section for each subcommand.

use clap::Command;

use super::exit::{Exit, Failure};
use super::screen::Screen;

/// Runs the subcommand.
pub fn run(mut command: Command, screen: &Screen) -> Result<Exit, Failure> {
    command.build();
    let mut page = Vec::new();
    let fault = |error: std::io::Error| Failure::new(format!("the page cannot be made: {error}"));
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(fault)?;
    for subcommand in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_title(&mut page).map_err(fault)?;
        man.render_synopsis_section(&mut page).map_err(fault)?;
        man.render_description_section(&mut page).map_err(fault)?;
        man.render_options_section(&mut page).map_err(fault)?;
        man.render_extra_section(&mut page).map_err(fault)?;
    }
    screen.print(&String::from_utf8_lossy(&page));
    Ok(Exit::Holds)
}
