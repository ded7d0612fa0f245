//! An object of which nothing is known.

use crate::history::{Call, Key, Menu, Value};

use super::Datatype;

/// Answers anything. Only agreement can be asked of it: replicas that took the same
/// into account answer alike (`strong-convergence`), and reads at quiescence do
/// (`eventual`, of which only that can be refuted).
///
/// For a library whose operations mean something that no type here says.
#[derive(Clone, Copy, Debug)]
pub struct Opaque;

impl Datatype for Opaque {
    fn name(&self) -> &'static str {
        "opaque"
    }

    fn knows(&self, _: &Call, _: Option<&Value>) -> bool {
        true
    }

    fn initial(&self, _: &Key) -> Value {
        Value::Null
    }

    fn apply(&self, held: &Value, _: &Call, _: Option<&Value>) -> Option<Value> {
        Some(held.clone())
    }

    fn menu(&self, _: usize) -> Menu {
        Menu::register()
    }
}
