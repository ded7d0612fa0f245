//! The `quiescence` command.
fn main() {}
