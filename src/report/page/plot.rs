//! Plots: a few series over one axis, drawn as SVG with ticks and units.
//!
//! It knows no recording: numbers in, a drawing out.

use maud::{Markup, html};

/// The size of a plot and of the room around its axes, in pixels.
const SIZE: (f64, f64) = (640.0, 180.0);
const LEFT: f64 = 72.0;
const RIGHT: f64 = 32.0;
const BELOW: f64 = 34.0;
const ABOVE: f64 = 10.0;

/// A line or a row of bars.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    /// Places on both axes, ascending along the first.
    pub(super) points: Vec<(f64, f64)>,
    /// Whether each point is a bar from the axis up, and not a place on a line.
    pub(super) bars: bool,
}

/// An axis: what it shows, how far it goes, and how its numbers are said.
pub(super) struct Axis<'a> {
    pub(super) name: &'a str,
    pub(super) max: f64,
    pub(super) said: &'a dyn Fn(f64) -> String,
}

/// Draws the series, from 0 on both axes.
pub(super) fn plot(title: &str, across: &Axis<'_>, up: &Axis<'_>, all: &[Series<'_>]) -> Markup {
    let (wide, high) = (SIZE.0 - LEFT - RIGHT, SIZE.1 - BELOW - ABOVE);
    let x = |at: f64| LEFT + wide * at / across.max.max(f64::MIN_POSITIVE);
    let y = |at: f64| ABOVE + high * (1.0 - at / up.max.max(f64::MIN_POSITIVE));
    let line = |points: &[(f64, f64)]| {
        let places = points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b)));
        places.collect::<Vec<_>>().join(" ")
    };
    let quarters = [0.0, 0.25, 0.5, 0.75, 1.0];
    html! {
        figure {
            figcaption { (title) }
            svg.plot role="img" aria-label={ (title) ": " (up.name) " by " (across.name) }
                viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } width=(SIZE.0) height=(SIZE.1) {
                @for part in quarters {
                    @let (a, b) = (part * across.max, part * up.max);
                    line.grid x1=(LEFT) x2=(SIZE.0 - RIGHT) y1=(fixed(y(b))) y2=(fixed(y(b))) {}
                    text.tick x=(LEFT - 6.0) y=(fixed(y(b) + 4.0)) text-anchor="end" { ((up.said)(b)) }
                    text.tick x=(fixed(x(a))) y=(SIZE.1 - BELOW + 16.0) text-anchor="middle" {
                        ((across.said)(a))
                    }
                }
                text.axis x=(LEFT + wide / 2.0) y=(SIZE.1 - 3.0) text-anchor="middle" { (across.name) }
                @for (nth, series) in all.iter().enumerate() {
                    @if series.bars {
                        @for (a, b) in &series.points {
                            line class={ "bar s" (nth) } x1=(fixed(x(*a))) x2=(fixed(x(*a)))
                                y1=(fixed(y(0.0))) y2=(fixed(y(*b))) {}
                        }
                    } @else {
                        polyline class={ "s" (nth) } points=(line(&series.points)) {}
                    }
                }
            }
            @if all.len() > 1 {
                p.small {
                    @for (nth, series) in all.iter().enumerate() {
                        span class={ "key s" (nth) } { (series.name) } " "
                    }
                }
            }
        }
    }
}

fn fixed(number: f64) -> String {
    format!("{number:.1}")
}
