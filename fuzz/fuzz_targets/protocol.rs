//! Bytes make a protocol; the search must say of it what the dumb search says.
//! See `tests/it/protocols/`.
#![no_main]

#[path = "../../tests/it/protocols/compare.rs"]
mod compare;
#[path = "../../tests/it/dice.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod dice;
#[path = "../../tests/it/protocols/dumb.rs"]
mod dumb;
#[path = "../../tests/it/protocols/strategy.rs"]
mod strategy;

// A panic of a handler, though it is caught, would end the fuzzer.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    compare::compare(&compare::Sample::of(bytes, false));
});
