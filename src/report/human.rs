//! Results for people.

pub(super) mod check;
pub(super) mod exam;
mod failing_run;
mod replay;
pub(super) mod suite;

use crate::catalogue::ladder::Rung;

use super::reporter::{
    Begin, Begun, Checked, EndOfRecordings, Examined, Replayed, Reporter, Suite, Unread,
};
use super::survey::Judged;
use super::table::setting_text;
use super::verdict::property_name;
use super::{Look, pad};

/// Writes results with this look.
pub struct Human(pub Look);

impl Reporter for Human {
    fn begin(&self, check: &Begun<'_>) -> Begin {
        Begin::Output(format!("{}\n", beginning(check, &self.0)))
    }

    fn ladder(&self, rungs: &[Rung]) -> Begin {
        Begin::Output(self::rungs(rungs, &self.0))
    }

    fn check(&self, checked: &Checked<'_>) -> String {
        check::text(checked, &self.0)
    }

    fn exam(&self, examined: &Examined<'_>) -> String {
        exam::text(examined, &self.0)
    }

    fn replay(&self, replayed: &Replayed<'_>) -> String {
        replay::text(replayed, &self.0)
    }

    fn suite(&self, suite: &Suite<'_>) -> String {
        suite::text(suite, &self.0)
    }

    fn recording(&mut self, judged: &Judged<'_>) -> String {
        judged.text(&self.0)
    }

    /// Whoever reads this has seen it on standard error.
    fn unread(&mut self, _: &Unread<'_>) -> String {
        String::new()
    }

    fn end_of_recordings(&mut self, _: &EndOfRecordings<'_>) -> String {
        String::new()
    }
}

/// The seed, the searches, and the setting or how many settings there are.
pub(super) fn beginning(check: &Begun<'_>, look: &Look) -> String {
    let Begun { seed, searches, settings, .. } = check;
    look.text(&match (check.mutants, check.setting) {
        (Some(mutants), _) => {
            format!("seed {seed:#x} · {searches}, {mutants} mutants, {settings} searches")
        }
        (None, Some(setting)) => format!("seed {seed:#x} · {searches}, {}", setting_text(setting)),
        (None, None) => format!("seed {seed:#x} · {searches}, {settings} settings"),
    })
}

/// The rungs, from the lowest: what each learns, and what it gains by that.
pub(super) fn rungs(rungs: &[Rung], look: &Look) -> String {
    let mut text =
        String::from("\nwhat a rung gains, the rung below it violates in the same setting\n");
    for (number, rung) in (1..).zip(rungs) {
        let gains = property_name(&rung.gains);
        let line = format!("  {number}  {}  {} ({gains})", pad(rung.strategy, 34), rung.learns);
        text.push_str(&format!("{}\n", look.text(&line)));
    }
    text
}
