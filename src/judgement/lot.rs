//! A deterministic generator of pseudo-random numbers, and of histories, for unit tests.

use super::number::number_of;
use crate::history::{Builder, Call, Event, History, ProcessId, Value};

/// The generator, by its state.
pub(in crate::judgement) struct Lot(pub(in crate::judgement) u64);

impl Lot {
    /// A number less than `below`.
    pub(in crate::judgement) fn draw(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 33) % below
    }

    /// The same, as an index.
    pub(in crate::judgement) fn index(&mut self, below: u64) -> usize {
        usize::try_from(self.draw(below)).expect("what is drawn is an index")
    }

    /// The same, in 32 bits.
    pub(in crate::judgement) fn number(&mut self, below: u64) -> u32 {
        u32::try_from(self.draw(below)).expect("what is drawn has at most 31 bits")
    }

    /// Some calls of four processes, which overlap and may share instants. Reads answer
    /// anything; some operations fail, and some are open at the end.
    pub(in crate::judgement) fn history(
        &mut self,
        call: impl Fn(&mut Lot) -> Call,
        answer: impl Fn(&mut Lot) -> Value,
    ) -> History {
        let mut events = Builder::new();
        let mut time = 0;
        let mut open: Vec<Option<bool>> = vec![None; 4];
        for _ in 0..4 + self.draw(24) {
            time += self.draw(3);
            let process = self.index(4);
            let id = ProcessId(number_of(process));
            let event = match open[process].take() {
                None => {
                    let call = call(self);
                    open[process] = Some(call.is_read());
                    Event::invoke(id, time, call)
                }
                Some(is_read) => {
                    let seen = answer(self);
                    match self.draw(8) {
                        0 => Event::fail(id, time),
                        _ => Event::ok(id, time, if is_read { seen } else { Value::Null }),
                    }
                }
            };
            events.event(event).expect("processes are idle or answered");
        }
        events.finish()
    }
}
