//! The cycle of orders in a counterexample as a drawing: operations one below the other, each
//! before the next, and an arrow back to the first, which no order of them can have.

use maud::{Markup, html};

use crate::history::{History, escape};
use crate::judgement::verdict::{Case, Counterexample, Link, Ring, Source, deed};
use crate::report::{Look, cut, wrap};

/// Larger cycles are not drawn: the words tell them.
const LINKS_MAX: usize = 12;

/// How many cycles are drawn, where a proof has one for each of its cases.
const RINGS_MAX: usize = 4;

/// The width of the drawing, in pixels as all lengths here.
const WIDE: i32 = 376;

/// Where boxes begin and end.
const BOX: (i32, i32) = (2, 338);

/// Where texts in boxes begin, and those of arrows.
const TOLD: i32 = 10;
const SAID: i32 = 34;

/// Where arrows go down, and where the last one goes up.
const DOWN: i32 = 18;
const UP: i32 = 362;

/// The height of a line of text.
const LINE: i32 = 16;

/// In how many lines a text is told at most.
const LINES_MAX: usize = 2;

/// The width of a letter of the style's fixed-width font, and a little more.
const LETTER: f64 = 6.8;

/// The drawings of the cycles that the proof ends in, with `who` saying who issued an
/// operation; `None` if it ends in none.
pub(super) fn rings(
    history: &History,
    found: &Counterexample,
    who: &dyn Fn(usize) -> String,
) -> Option<Markup> {
    let all = found.reason.rings(history.operations());
    let tell = |at: usize| escape::line(&format!("{} {}", who(at), deed(history, at))).into_owned();
    (!all.is_empty()).then(|| {
        html! {
            p.small {
                "In the drawing each operation comes before the next, and the last before the first: "
                "no order has that."
            }
            @for ring in all.iter().take(RINGS_MAX) {
                @let heading = heading(ring, &tell, who);
                @if !heading.is_empty() { p { (heading) ":" } }
                (drawing(ring, &tell))
            }
            @if all.len() > RINGS_MAX {
                p.small { "Of " (all.len()) " cases the first " (RINGS_MAX) " are drawn." }
            }
        }
    })
}

/// In which case and in whose order there is this cycle; empty if in all.
fn heading(ring: &Ring, tell: &dyn Fn(usize) -> String, who: &dyn Fn(usize) -> String) -> String {
    let case = |case: &Case| match *case {
        Case::Saw { read, source: Source::Initial } => format!("“{}” saw no write", tell(read)),
        Case::Saw { read, source: Source::Write(write) } => {
            format!("“{}” saw that “{}”", tell(read), tell(write))
        }
        Case::Before { first, second } => {
            format!("“{}” comes before “{}”", tell(first), tell(second))
        }
    };
    let cases = ring.cases.iter().map(case).collect::<Vec<_>>().join(" and ");
    let whose = ring.of.map(|of| escape::line(&who(of)).into_owned());
    match (cases.is_empty(), whose) {
        (true, None) => String::new(),
        (true, Some(whose)) => format!("In the order of {whose}"),
        (false, None) => format!("If {cases}"),
        (false, Some(whose)) => format!("If {cases}, in the order of {whose}"),
    }
}

/// An operation, and the arrow that leads from it to the next.
struct Row {
    /// Where its box begins and ends.
    top: i32,
    bottom: i32,
    /// The operation, and what the arrow is called.
    told: Vec<String>,
    called: &'static str,
    /// What shows it; empty if nothing more is needed.
    shown: Vec<String>,
    /// The operation and the arrow in words.
    operation: String,
    words: String,
}

impl Row {
    /// Where the next box begins.
    fn end(&self) -> i32 {
        self.bottom + height(1 + self.shown.len()) + 6
    }
}

fn height(lines: usize) -> i32 {
    LINE * i32::try_from(lines).unwrap_or(0) + 8
}

fn rows(ring: &Ring, tell: &dyn Fn(usize) -> String) -> Vec<Row> {
    let (mut rows, mut top) = (Vec::new(), BOX.0);
    for link in &ring.links {
        let operation = tell(link.first);
        let shown = link.by.first().map(|first| match link.by.len() - 1 {
            0 => format!("see {}", tell(*first)),
            more => format!("see {} and {more} more", tell(*first)),
        });
        let why = shown.as_ref().map_or_else(String::new, |shown| format!(", {shown}"));
        let called = link.order.name();
        let told = fit(&operation, BOX.1 - TOLD);
        let row = Row {
            top,
            bottom: top + height(told.len()),
            told,
            called,
            shown: shown.map_or_else(Vec::new, |shown| fit(&shown, UP - SAID)),
            words: format!("{operation}, before {} ({called}{why})", tell(link.second)),
            operation,
        };
        top = row.end();
        rows.push(row);
    }
    rows
}

fn drawing(ring: &Ring, tell: &dyn Fn(usize) -> String) -> Markup {
    let links = ring.links.len();
    if links > LINKS_MAX {
        return html! {
            p { "This cycle has " (links) " operations; more than " (LINKS_MAX) " are not drawn." }
        };
    }
    let rows = rows(ring, tell);
    let height = rows.last().map_or(0, Row::end);
    let words: Vec<_> = rows.iter().map(|row| &row.words[..]).collect();
    html! {
        svg.ring role="img" aria-label={ "a cycle: " (words.join("; ")) }
            viewBox={ "0 0 " (WIDE) " " (height) } width=(WIDE) height=(height) {
            @for (at, (row, link)) in rows.iter().zip(&ring.links).enumerate() {
                g data-ops=(link.first) {
                    title { (row.operation) }
                    rect x=(BOX.0) y=(row.top) width=(BOX.1 - BOX.0) height=(row.bottom - row.top) rx="4" {}
                    @for (y, line) in (1..).map(|nth| row.top + LINE * nth).zip(&row.told) {
                        text x=(TOLD) y=(y) { (line) }
                    }
                }
                (arrow(row, link, rows.get(at + 1), &rows[0]))
            }
        }
    }
}

/// The arrow to the next operation; from the last one back to the first.
fn arrow(row: &Row, link: &Link, next: Option<&Row>, first: &Row) -> Markup {
    html! {
        g class=[next.is_none().then_some("closes")] data-ops=(listed(link)) {
            title { (row.words) }
            @if let Some(next) = next {
                path d={ "M" (DOWN) " " (row.bottom) "V" (next.top - 8) } {}
                polygon points=(head(DOWN, next.top, (0, 1))) {}
            } @else {
                @let to = first.top + 12;
                path d={ "M" (DOWN) " " (row.bottom) "V" (row.end() - 4) "H" (UP) "V" (to) "H" (BOX.1 + 8) } {}
                polygon points=(head(BOX.1, to, (-1, 0))) {}
            }
            text.order x=(SAID) y=(row.bottom + LINE) {
                @if next.is_some() { (row.called) } @else { "↺ " (row.called) ": closes the cycle" }
            }
            @for (y, line) in (2..).map(|nth| row.bottom + LINE * nth).zip(&row.shown) {
                text x=(SAID) y=(y) { (line) }
            }
        }
    }
}

/// The head of an arrow with its tip here.
fn head(x: i32, y: i32, (dx, dy): (i32, i32)) -> String {
    let corner = |side: i32| (x - 9 * dx + 5 * side * dy, y - 9 * dy + 5 * side * dx);
    let ((ax, ay), (bx, by)) = (corner(1), corner(-1));
    format!("{x},{y} {ax},{ay} {bx},{by}")
}

/// The operations that an arrow is about.
fn listed(link: &Link) -> String {
    let all = [link.first, link.second].into_iter().chain(link.by.iter().copied());
    all.map(|at| at.to_string()).collect::<Vec<_>>().join(" ")
}

/// The lines of a text, or as much of it as there is room for.
fn fit(text: &str, wide: i32) -> Vec<String> {
    let room = (f64::from(wide) / LETTER) as usize;
    let mut lines = wrap(text, room);
    if lines.len() > LINES_MAX {
        let rest = lines[LINES_MAX - 1..].join(" ");
        lines.truncate(LINES_MAX - 1);
        lines.push(rest);
    }
    lines.iter().map(|line| cut(line, room, &Look::default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::verdict::Order;

    fn around(operations: usize) -> Ring {
        let link = |first| {
            let second = (first + 1) % operations;
            let by = if first % 3 == 1 { vec![20, 21] } else { Vec::new() };
            Link { first, second, order: Order::Overwritten, by }
        };
        Ring { cases: Vec::new(), of: None, links: (0..operations).map(link).collect() }
    }

    #[test]
    fn boxes_and_lines_of_text_are_below_each_other() {
        let tells: [&dyn Fn(usize) -> String; 3] = [
            &|at| format!("A wrote x={at}"),
            &|at| format!("B read {} and saw {at}", "key ".repeat(30)),
            &|at| format!("C read {} and saw {at}", "キー".repeat(30)),
        ];
        for (operations, tell) in (2..=8).flat_map(|all| tells.map(|tell| (all, tell))) {
            let rows = rows(&around(operations), tell);
            assert_eq!(rows.len(), operations);
            let mut free = 0;
            for row in &rows {
                assert!(free <= row.top && row.top + height(row.told.len()) <= row.bottom);
                free = row.bottom + height(1 + row.shown.len());
                assert!(free <= row.end() - 4, "the line below the last text");
                for (line, wide) in row
                    .told
                    .iter()
                    .map(|line| (line, BOX.1 - TOLD))
                    .chain(row.shown.iter().map(|line| (line, UP - SAID)))
                {
                    let taken = crate::report::columns(line) as f64 * LETTER;
                    assert!(taken <= f64::from(wide), "{line}");
                    assert_eq!(line.trim(), line);
                }
            }
        }
    }

    #[test]
    fn a_cycle_that_is_too_large_is_said_to_be() {
        let drawn = |operations| drawing(&around(operations), &|at| at.to_string()).into_string();
        assert!(drawn(LINKS_MAX).starts_with("<svg"));
        let said = "<p>This cycle has 13 operations; more than 12 are not drawn.</p>";
        assert_eq!(drawn(LINKS_MAX + 1), said);
    }
}
