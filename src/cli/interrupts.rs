//! Signals that ask the process to end.
//!
//! Invariant: until work begins that has a partial result, a signal ends the
//! process at once with 130. From [`heed`] on, the first signal only sets a flag:
//! the work looks at [`noted`], stops and prints its partial result. A second signal
//! ends the process at once. Other signals keep their default action: a process
//! that was started with `nohup` still ignores a hangup.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

use super::clock;
use super::exit::{Exit, Failure};

/// Whether a signal has asked the process to end.
static NOTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether the next signal ends the process at once.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));
/// Whether the time given to [`until`] is up. It changes only while that time is
/// locked, so a time that was replaced cannot end the work after it.
static LATE: AtomicBool = AtomicBool::new(false);

/// The precision of [`until`].
const GRAIN: Duration = Duration::from_millis(5);

/// Installs the handlers, once per process. A process that runs several command
/// lines would otherwise install several, and its first signal would count as the
/// first and the second.
pub fn install() -> Result<(), Failure> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    AT_ONCE.store(true, Ordering::Relaxed);
    if INSTALLED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let fault = |error| Failure::new(format!("interrupts cannot be caught: {error}"));
    for signal in [SIGINT, SIGTERM] {
        // Handlers run in this order: the first signal passes the shutdown and sets
        // its flag, and the second one finds the flag.
        let code = Exit::Interrupted as i32;
        register_conditional_shutdown(signal, code, AT_ONCE.clone()).map_err(fault)?;
        for flag in [&*NOTED, &*AT_ONCE] {
            register(signal, flag.clone()).map_err(fault)?;
        }
    }
    Ok(())
}

/// Lets the first signal from now on end work instead of the process.
pub fn heed() {
    AT_ONCE.store(false, Ordering::Relaxed);
}

/// Whether a signal has asked the process to end.
pub fn noted() -> bool {
    NOTED.load(Ordering::Relaxed)
}

/// Whether work that can end early must end: after a signal, or after the time
/// given to [`until`].
pub fn is_enough() -> bool {
    noted() || LATE.load(Ordering::Relaxed)
}

/// Makes [`is_enough`] true after this time from now. Each call replaces the
/// time of the call before.
pub fn until(time: Option<Duration>) {
    static END: Mutex<Option<Instant>> = Mutex::new(None);
    static WATCHED: Once = Once::new();
    let end = || END.lock().unwrap_or_else(PoisonError::into_inner);
    let mut next = end();
    *next = time.and_then(|time| clock::now().checked_add(time));
    LATE.store(false, Ordering::Relaxed);
    drop(next);
    if time.is_some() {
        WATCHED.call_once(|| {
            std::thread::spawn(move || {
                loop {
                    clock::sleep(GRAIN);
                    let end = end();
                    if end.is_some_and(|end| clock::now() >= end) {
                        LATE.store(true, Ordering::Relaxed);
                    }
                }
            });
        });
    }
}
