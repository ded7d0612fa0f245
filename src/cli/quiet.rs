//! Panics of the strategy under test are results, so they are not printed.
//!
//! While [`quietly`] runs, panics are recorded instead of printed; the world catches
//! those of handlers and turns them into values. A panic that is not caught is a bug
//! of this tool. It is printed with its place, as without this module, and goes on.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Does the work, without printing panics that are caught inside it.
pub fn quietly<T>(work: impl FnOnce() -> T) -> T {
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |info| {
            if QUIET.get() {
                LAST.set(Some(info.to_string()));
            } else {
                loud(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    outcome.unwrap_or_else(|payload| {
        if let Some(text) = LAST.take() {
            let text = format!("{text}\nthis is a bug in quiescence itself, please report it\n");
            // If this cannot be written either, nothing else can be done.
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
        resume_unwind(payload)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_caught_inside_stays_inside() {
        let caught = quietly(|| catch_unwind(|| panic!("of a handler")).is_err());
        assert!(caught);
    }

    #[test]
    fn what_nobody_catches_goes_on() {
        let outcome = catch_unwind(|| quietly(|| -> u8 { panic!("of the tool") }));
        assert!(outcome.is_err());
    }
}
