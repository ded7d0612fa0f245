//! The only door to threads: locks, condition variables and threads, either
//! the standard library's or loom's.
//!
//! Under `--cfg loom` a [`Mutex`], a [`Condvar`] and a [`thread`] are loom's,
//! so that every order in which they can act is explored. What must not add
//! orders of its own stays the standard library's in both builds: [`Arc`],
//! whose count no protocol depends on, and [`Outside`], the lock around what is
//! only written down. A poisoned lock is entered like any other: handlers
//! cannot poison one, because their panics are values before they get here.
//!
//! No other file of the crate names `std::sync`, `std::thread` or loom. There
//! is no clock, no sleep and no timeout behind this door.

#[cfg(loom)]
pub(super) use loom::{
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};
pub(super) use std::sync::Arc;
#[cfg(not(loom))]
pub(super) use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};

use std::sync::PoisonError;

/// Locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unlocks, waits to be notified, locks again. As always it may wake up for
/// no reason.
pub(super) fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Something shared that loom does not see.
///
/// Whoever is inside must not take any other lock: loom runs all threads of a
/// model on one, and that one would wait for itself.
pub(super) struct Outside<T>(std::sync::Mutex<T>);

impl<T> Outside<T> {
    pub(super) fn new(value: T) -> Self {
        Outside(std::sync::Mutex::new(value))
    }

    /// Works on what is inside, alone.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
