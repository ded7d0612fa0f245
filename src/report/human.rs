//! Results for people.

mod check;
mod failing_run;
mod replay;

use super::Look;
use super::reporter::{Begin, Begun, Checked, Replayed, Reporter};
use super::survey::Judged;
use super::table::setting_text;

/// Writes results with this look.
pub struct Human(pub Look);

impl Reporter for Human {
    fn begin(&self, check: &Begun<'_>) -> Begin {
        Begin::Output(format!("{}\n", beginning(check, &self.0)))
    }

    fn check(&self, checked: &Checked<'_>) -> String {
        check::text(checked, &self.0)
    }

    fn replay(&self, replayed: &Replayed<'_>) -> String {
        replay::text(replayed, &self.0)
    }

    fn recording(&mut self, judged: &Judged<'_>) -> String {
        judged.text(&self.0)
    }

    fn end_of_recordings(&mut self, _: bool) -> String {
        String::new()
    }
}

/// The seed, the searches, and the setting or how many settings there are.
pub(super) fn beginning(check: &Begun<'_>, look: &Look) -> String {
    let Begun { seed, searches, .. } = check;
    look.text(&match check.setting {
        Some(setting) => format!("seed {seed:#x} · {searches}, {}", setting_text(setting)),
        None => format!("seed {seed:#x} · {searches}, {} settings", check.settings),
    })
}
