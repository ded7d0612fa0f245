//! Bytes make a protocol; the search must say of it what the dumb search says.
//! See `tests/protocols/`.
#![no_main]

#[path = "../../tests/protocols/compare.rs"]
mod compare;
#[path = "../../tests/protocols/dumb.rs"]
mod dumb;
#[path = "../../tests/protocols/strategy.rs"]
mod strategy;

// A panic of a handler, though it is caught, would end the fuzzer.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    compare::compare(&compare::Sample::of(bytes, false));
});
