//! Signals that ask the process to end.
//!
//! Invariant: until work begins that can tell a partial result, a signal ends
//! the process at once with 130. From [`heed`] on the first one is only noted:
//! whoever works looks at [`noted`] and tells what is known; a second one ends
//! the process. (Other signals do what they always do: `nohup` is not undone.)

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

use super::clock;
use super::exit::{Exit, Failure};

/// Whether somebody asked the process to end.
static NOTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether the next signal ends it without a word.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));
/// Whether work must end: because of a signal, or because its time is up.
static ENOUGH: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How exactly times are kept.
const GRAIN: Duration = Duration::from_millis(5);

/// Answers signals from now on. A process that runs several command lines asks
/// once, or its first signal would be taken for a second one.
pub fn install() -> Result<(), Failure> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    AT_ONCE.store(true, Ordering::Relaxed);
    if INSTALLED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let fault = |error| Failure::new(format!("interrupts cannot be caught: {error}"));
    for signal in [SIGINT, SIGTERM] {
        // They are carried out in this order, so the second signal finds what
        // the first one set.
        let code = Exit::Interrupted as i32;
        register_conditional_shutdown(signal, code, AT_ONCE.clone()).map_err(fault)?;
        for flag in [&*NOTED, &*ENOUGH, &*AT_ONCE] {
            register(signal, flag.clone()).map_err(fault)?;
        }
    }
    Ok(())
}

/// Lets the first signal from now on end work instead of the process.
pub fn heed() {
    AT_ONCE.store(false, Ordering::Relaxed);
}

/// Whether somebody asked the process to end.
pub fn noted() -> bool {
    NOTED.load(Ordering::Relaxed)
}

/// Whether work that may end early has to: after a signal, or the time of
/// [`until`].
pub fn is_enough() -> bool {
    ENOUGH.load(Ordering::Relaxed)
}

/// Lets work end after this time from now. There is one at a time: a call
/// begins the next.
pub fn until(time: Option<Duration>) {
    static END: Mutex<Option<Instant>> = Mutex::new(None);
    static WATCHED: Once = Once::new();
    let end = || END.lock().unwrap_or_else(PoisonError::into_inner);
    *end() = time.and_then(|time| clock::now().checked_add(time));
    ENOUGH.store(noted(), Ordering::Relaxed);
    if time.is_some() {
        WATCHED.call_once(|| {
            std::thread::spawn(move || {
                loop {
                    clock::sleep(GRAIN);
                    if end().is_some_and(|end| clock::now() >= end) {
                        ENOUGH.store(true, Ordering::Relaxed);
                    }
                }
            });
        });
    }
}
