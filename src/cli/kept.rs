//! Cases that are kept in files, for the page of results, which leads to them.

use std::path::PathBuf;

use crate::catalogue::Registry;
use crate::report::reporter::Kept;

use super::report::is_page;
use super::screen::quoted;
use super::values::Format;
use super::{files, test};

/// The violations in the usual places, if this form of output leads to them. What is no case is
/// for `test` to complain of.
pub fn kept(format: Format, registry: &Registry, program: &str) -> Vec<Kept> {
    let places = if format == Format::Html { test::usual() } else { Vec::new() };
    places.into_iter().filter_map(|path| of(path, registry, program)).collect()
}

fn of(path: PathBuf, registry: &Registry, program: &str) -> Option<Kept> {
    let (case, _) = files::read(&path).ok()?;
    let page = path.with_extension("html");
    let page = is_page(&page).then(|| page.to_str().map(str::to_owned)).flatten();
    let path = path.to_str()?.to_owned();
    let command = |name: &str| format!("{} {name} {}", program, quoted(&path));
    Some(Kept {
        commands: ["replay", "report"].map(command),
        page,
        strategy: registry.short(&case.strategy),
        setting: case.setting,
        property: case.property,
        flaw: case.kind?,
        path,
    })
}
