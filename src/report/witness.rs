//! Why a recording is allowed: the orders that its witness names.
//!
//! Invariant: all operations of an order are told, in that order. Nothing is judged here.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::judgement::Witness;

use super::deeds::Deeds;
use super::{Look, wrap};

/// What the orders of a witness are of, and the orders.
fn orders(witness: &Witness) -> (&'static str, &[Vec<usize>]) {
    match witness {
        Witness::Abstract { arbitration: orders, .. } | Witness::Least(orders) => {
            ("updates, oldest first", orders.as_slice())
        }
        Witness::Linear(order) => ("operations", std::slice::from_ref(order)),
        Witness::Views(orders) => ("operations, as a process or key has them", orders.as_slice()),
        Witness::Writes(order) => ("writes", std::slice::from_ref(order)),
    }
}

/// One line for each operation of each order.
pub fn text(model: &str, witness: &Witness, deeds: &Deeds<'_>, look: &Look) -> String {
    let (of, orders) = orders(witness);
    let mut text = String::new();
    for (nth, order) in orders.iter().enumerate() {
        let which = if orders.len() > 1 { format!(" {}", nth + 1) } else { String::new() };
        let _ =
            writeln!(text, "{}", look.text(&format!("witness of {model}, order{which} of {of}")));
        for at in order {
            for line in wrap(&look.text(&deeds.did(*at)), look.width.saturating_sub(2).max(40)) {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    text
}

/// The orders, and for models of visibility what each operation sees; operations by position.
pub(super) fn json(witness: &Witness) -> Json {
    let (of, orders) = orders(witness);
    let visible = match witness {
        Witness::Abstract { visible, .. } => json!(visible),
        _ => Json::Null,
    };
    json!({ "of": of, "orders": orders, "visible": visible })
}
