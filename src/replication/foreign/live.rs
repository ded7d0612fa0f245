//! Where live cores are: each on the thread that stepped it last.
//!
//! A core may be bound to its thread, and a replica may not. So the replica has a
//! [`Ticket`], and the core is in a store of its thread. A replica that goes to
//! another thread finds nothing there, and its core is rebuilt.
//!
//! Invariant: whether a core is found changes how long a step takes and nothing
//! else. The store knows no input and no strategy.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many cores a thread keeps.
const CORES_MAX: usize = 1 << 10;

thread_local! {
    static CORES: RefCell<Store> = const { RefCell::new(Store::new()) };
}

/// What a live core is kept under. Copies stand for the same core.
#[derive(Clone, Default)]
pub(super) struct Ticket(Arc<()>);

/// The cores of one thread, by the addresses of their tickets. An address is not
/// used again while the ticket is here.
struct Store(BTreeMap<usize, (Ticket, Box<dyn Any>)>);

impl Store {
    const fn new() -> Self {
        Store(BTreeMap::new())
    }

    /// Makes room if the store is full: takes out the cores that no replica has a
    /// ticket for, and if that is less than half of them, all.
    fn make_room(&mut self) -> Store {
        if self.0.len() < CORES_MAX {
            return Store::new();
        }
        let (wanted, mut unwanted): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(_, (ticket, _))| Arc::strong_count(&ticket.0) > 1);
        if unwanted.len() < CORES_MAX / 2 {
            unwanted.extend(wanted);
        } else {
            self.0 = wanted;
        }
        Store(unwanted)
    }
}

impl Ticket {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Keeps a core on this thread.
    pub(super) fn keep(core: impl Any) -> Ticket {
        let ticket = Ticket::default();
        // Cores are dropped when the store is free again: who knows what they do.
        let unwanted = CORES.with_borrow_mut(|cores| {
            let unwanted = cores.make_room();
            cores.0.insert(ticket.address(), (ticket.clone(), Box::new(core)));
            unwanted
        });
        drop(unwanted);
        ticket
    }

    /// Takes the core, if it is on this thread and nobody took it before.
    pub(super) fn take<C: Any>(&self) -> Option<C> {
        let (_, core) = CORES.with_borrow_mut(|cores| cores.0.remove(&self.address()))?;
        core.downcast().ok().map(|core| *core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_taken_once_and_only_on_its_own_thread() {
        let ticket = Ticket::keep("core".to_owned());
        let copy = ticket.clone();
        let elsewhere = std::thread::spawn(move || copy.take::<String>());
        assert_eq!(elsewhere.join().expect("nothing panics"), None);
        assert_eq!(ticket.clone().take::<String>().as_deref(), Some("core"));
        assert_eq!(ticket.take::<String>(), None);
    }

    #[test]
    fn a_full_store_keeps_what_is_wanted_unless_that_is_nearly_all() {
        let wanted = Ticket::keep(0_usize);
        for number in 1..=CORES_MAX {
            drop(Ticket::keep(number));
        }
        assert_eq!(wanted.take::<usize>(), Some(0));
        let all: Vec<_> = (0..=2 * CORES_MAX).map(Ticket::keep).collect();
        assert!(CORES.with_borrow(|cores| cores.0.len()) <= CORES_MAX);
        assert_eq!(all[2 * CORES_MAX].take::<usize>(), Some(2 * CORES_MAX));
    }
}
