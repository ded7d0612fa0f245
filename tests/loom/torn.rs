//! A map that threads share without a lock: a reader finds a key whose value is not there
//! yet, and answers what nobody has written. The judge says so of what was recorded.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as Collected};

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicI64, Ordering};
use quiescence::history::{Builder, Call, ProcessId, Value};
use quiescence::judgement::{Budget, Kind, Model, check};

use super::explore::builder;

const WRITER: ProcessId = ProcessId(0);
const READER: ProcessId = ProcessId(1);

/// A key that is there or not, and its value, which is written after it.
struct Store {
    there: AtomicI64,
    value: AtomicI64,
    /// Held by writers and readers, if there is a lock.
    lock: Option<Mutex<()>>,
}

impl Store {
    fn write(&self, value: i64) {
        let _held = self.lock.as_ref().map(|lock| lock.lock().expect("nobody panics with it"));
        self.there.store(1, Ordering::SeqCst);
        self.value.store(value, Ordering::SeqCst);
    }

    fn read(&self) -> Value {
        let _held = self.lock.as_ref().map(|lock| lock.lock().expect("nobody panics with it"));
        match self.there.load(Ordering::SeqCst) {
            0 => Value::Null,
            _ => self.value.load(Ordering::SeqCst).into(),
        }
    }
}

/// The events so far, each at the time after the last.
struct Record(Mutex<(Builder, u64)>);

impl Record {
    fn event(&self, add: impl FnOnce(&mut Builder, u64)) {
        let mut record = self.0.lock().expect("nobody panics with it");
        record.1 += 1;
        let (events, time) = &mut *record;
        add(events, *time);
    }
}

/// What the judge says of every interleaving of a write of 7 and a read.
fn verdicts(locked: bool) -> BTreeSet<Option<Kind>> {
    let found = Arc::new(Collected::new(BTreeSet::new()));
    let collected = Arc::clone(&found);
    let model = move || {
        let lock = locked.then(|| Mutex::new(()));
        let [there, value] = [AtomicI64::new(0), AtomicI64::new(0)];
        let store = loom::sync::Arc::new(Store { there, value, lock });
        let record = loom::sync::Arc::new(Record(Mutex::new((Builder::new(), 0))));
        let writer = {
            let (store, record) = (store.clone(), record.clone());
            loom::thread::spawn(move || {
                let call = Call::write("x", 7);
                record.event(|it, at| it.invoke(WRITER, at, call).expect("it is in order"));
                store.write(7);
                record.event(|it, at| it.ok(WRITER, at, ()).expect("it is in order"));
            })
        };
        record.event(|it, at| it.invoke(READER, at, Call::read("x")).expect("it is in order"));
        let value = store.read();
        record.event(|it, at| it.ok(READER, at, value).expect("it is in order"));
        writer.join().expect("it does not panic");
        let history = std::mem::take(&mut record.0.lock().expect("nobody panics with it").0);
        let verdict = check(&history.finish(), Model::Linearizable, Budget::default());
        collected.lock().expect("nobody panics with it").insert(verdict.kind());
    };
    builder(None).check(model);
    std::mem::take(&mut *found.lock().expect("nobody panics with it"))
}

#[test]
fn a_map_without_a_lock_shows_what_nobody_has_written() {
    assert_eq!(verdicts(false), [None, Some(Kind::Illegal)].into());
}

#[test]
fn a_map_with_a_lock_is_linearizable() {
    assert_eq!(verdicts(true), [None].into());
}
