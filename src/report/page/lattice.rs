//! Well-known models as a drawing: stronger ones above, a line from each to those that it
//! implies, and what each says of the run.

use maud::{Markup, html};

use crate::judgement::Model;
use crate::judgement::model::implies;
use crate::report::verdict::model_name;

/// The width of a box, in pixels as all lengths here.
const WIDE: i32 = 136;

/// The height of a box.
const HIGH: i32 = 30;

/// From one box to the next, across and down.
const STEP: (i32, i32) = (152, 58);

/// Draws the models, given strongest first, with the verdict on each: `None` if it was not
/// decided. `quiet` is whether every write had returned before the final reads.
pub(super) fn lattice(models: &[(Model, Option<bool>)], quiet: bool) -> Markup {
    let below = |a: usize, b: usize| a != b && implies(models[a].0, models[b].0, quiet);
    // A line only where no model is between the two.
    let covers = |a: usize, b: usize| {
        below(a, b) && !(0..models.len()).any(|c| c != a && c != b && below(a, c) && below(c, b))
    };
    // The longest way down to a model. Stronger ones come first.
    let mut levels = vec![0; models.len()];
    for b in 0..models.len() {
        levels[b] = (0..b).filter(|a| below(*a, b)).map(|a| levels[a] + 1).max().unwrap_or(0);
    }
    let place = |at: usize| {
        let before = levels[..at].iter().filter(|level| **level == levels[at]).count();
        let all = levels.iter().filter(|level| **level == levels[at]).count();
        let widest = (0..=models.len()).map(|l| levels.iter().filter(|n| **n == l).count()).max();
        let left = pixels(widest.unwrap_or(1) - all) * STEP.0 / 2;
        (left + pixels(before) * STEP.0 + 4, pixels(levels[at]) * STEP.1 + 4)
    };
    let places: Vec<_> = (0..models.len()).map(place).collect();
    let width = places.iter().map(|(x, _)| x + WIDE + 4).max().unwrap_or(0);
    let height = places.iter().map(|(_, y)| y + HIGH + 4).max().unwrap_or(0);
    let pairs = (0..models.len()).flat_map(|a| (0..models.len()).map(move |b| (a, b)));
    html! {
        svg.lattice role="img" aria-label="which models the run satisfies, stronger ones above"
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
            @for (a, b) in pairs.filter(|(a, b)| covers(*a, *b)) {
                line x1=(places[a].0 + WIDE / 2) y1=(places[a].1 + HIGH)
                    x2=(places[b].0 + WIDE / 2) y2=(places[b].1) {}
            }
            @for ((model, verdict), (x, y)) in models.iter().zip(&places) {
                @let (class, sign) = match verdict {
                    Some(true) => ("holds", "✓"),
                    Some(false) => ("fails", "✗"),
                    None => ("open", "?"),
                };
                g class=(class) {
                    rect x=(x) y=(y) width=(WIDE) height=(HIGH) rx="4" {}
                    text x=(x + WIDE / 2) y=(y + HIGH / 2 + 5) text-anchor="middle" {
                        (sign) " " (model_name(*model))
                    }
                }
            }
        }
    }
}

fn pixels(many: usize) -> i32 {
    i32::try_from(many).unwrap_or(0)
}
