//! All small histories of registers, whatever the number of processes and keys.
//!
//! Left out are failed operations, reads without an answer and values that are written
//! twice: a history with them is allowed by the same models as one that has fewer
//! operations, or other values, and none of them.

use std::ops::Range;

/// The parameters of a space of histories.
#[derive(Clone, Copy)]
pub(crate) struct Small {
    /// How many operations, exactly.
    pub(crate) operations: usize,
    /// Whether reads may answer what nobody wrote.
    pub(crate) thin: bool,
    /// Whether the outcome of writes may be unknown.
    pub(crate) pending: bool,
    /// Whether reads may be at quiescence.
    pub(crate) finals: bool,
    /// Whether operations overlap in every way; else each process follows the one before.
    pub(crate) overlap: bool,
    /// How many keys there are at most.
    pub(crate) keys: usize,
}

/// A write or a read, its key, and how it ends.
type Shape = (char, usize, &'static str);

/// Names of keys.
const KEYS: [&str; 5] = ["x", "y", "z", "u", "v"];

/// Calls `each` with every history of the space, in the notation.
pub(crate) fn each_small(space: Small, each: &mut dyn FnMut(&str)) {
    assert!(space.keys <= KEYS.len(), "every key has a name");
    each_split(space.operations, &mut Vec::new(), &mut |lanes| {
        each_shape(space, lanes, &mut Vec::new(), &mut |shapes| {
            each_answer(space, shapes, &mut Vec::new(), &mut |values| {
                let text = text(lanes, shapes, values);
                if !space.overlap {
                    return each(&text);
                }
                let events: Vec<_> =
                    lanes.iter().map(|lane| events(&shapes[lane.clone()])).collect();
                let mut next = vec![0; lanes.len()];
                each_order(&events, &mut next, None, &mut format!("{text} @ "), each);
            });
        });
    });
}

/// Which operations each process has: none has more than the one before it.
fn each_split(all: usize, lanes: &mut Vec<Range<usize>>, each: &mut dyn FnMut(&[Range<usize>])) {
    let begin = lanes.last().map_or(0, |lane| lane.end);
    if begin == all {
        return each(lanes);
    }
    let most = lanes.last().map_or(all, Range::len).min(all - begin);
    for size in (1..=most).rev() {
        lanes.push(begin..begin + size);
        each_split(all, lanes, each);
        lanes.pop();
    }
}

fn each_shape(
    space: Small,
    lanes: &[Range<usize>],
    shapes: &mut Vec<Shape>,
    each: &mut dyn FnMut(&[Shape]),
) {
    let at = shapes.len();
    let Some(lane) = lanes.iter().find(|lane| lane.contains(&at)) else {
        // Of histories that differ in the names of processes, not all are needed.
        let kinds = |lane: &Range<usize>| -> Vec<_> {
            shapes[lane.clone()].iter().map(|(f, _, mark)| (*f, *mark)).collect()
        };
        let sorted = |pair: &[Range<usize>]| {
            pair[0].len() != pair[1].len() || kinds(&pair[0]) <= kinds(&pair[1])
        };
        if lanes.windows(2).all(sorted) {
            each(shapes);
        }
        return;
    };
    let is_quiet = shapes[lane.start..].iter().any(|(_, _, mark)| *mark == "!");
    let ends = at + 1 == lane.end;
    // Keys are named in the order in which they occur.
    let named = shapes.iter().map(|(_, key, _)| key + 1).max().unwrap_or(0);
    for key in 0..=named.min(space.keys - 1) {
        for (f, mark, may) in [
            ('w', "", !is_quiet),
            ('w', "?", !is_quiet && space.pending && ends),
            ('r', "", true),
            ('r', "!", space.finals),
        ] {
            if may {
                shapes.push((f, key, mark));
                each_shape(space, lanes, shapes, each);
                shapes.pop();
            }
        }
    }
}

/// Gives every write a value of its own, and every read each that it may answer.
fn each_answer(
    space: Small,
    shapes: &[Shape],
    values: &mut Vec<usize>,
    each: &mut dyn FnMut(&[usize]),
) {
    let at = values.len();
    let Some((f, key, _)) = shapes.get(at) else { return each(values) };
    let written = |at: &usize| shapes[*at].0 == 'w' && shapes[*at].1 == *key;
    let value = |at: usize| 1 + (0..at).filter(written).count();
    let mut all = vec![value(at)];
    if *f == 'r' {
        all = (0..shapes.len()).filter(written).map(value).chain([0]).collect();
        all.extend(space.thin.then_some(9));
    }
    for value in all {
        values.push(value);
        each_answer(space, shapes, values, each);
        values.pop();
    }
}

fn text(lanes: &[Range<usize>], shapes: &[Shape], values: &[usize]) -> String {
    let token = |at: usize| {
        let (f, key, mark) = shapes[at];
        format!("{f}{}{}{mark}", KEYS[key], values[at])
    };
    let lane = |lane: &Range<usize>| lane.clone().map(token).collect::<Vec<_>>().join(" ");
    lanes.iter().map(lane).collect::<Vec<_>>().join("|")
}

/// For each event of a process, whether it is an invocation.
fn events(lane: &[Shape]) -> Vec<bool> {
    lane.iter()
        .flat_map(|(_, _, mark)| if *mark == "?" { &[true][..] } else { &[true, false] })
        .copied()
        .collect()
}

/// Appends every order in real time that returns-before can tell from others: among
/// consecutive events of one type, only the order with ascending processes.
fn each_order(
    events: &[Vec<bool>],
    next: &mut Vec<usize>,
    last: Option<(usize, bool)>,
    text: &mut String,
    each: &mut dyn FnMut(&str),
) {
    if events.iter().zip(&*next).all(|(lane, next)| lane.len() == *next) {
        return each(text);
    }
    for lane in 0..events.len() {
        let Some(&invokes) = events[lane].get(next[lane]) else { continue };
        if last.is_some_and(|(before, kind)| kind == invokes && before > lane) {
            continue;
        }
        next[lane] += 1;
        text.push(char::from(b'0' + u8::try_from(lane).expect("few processes")));
        each_order(events, next, Some((lane, invokes)), text, each);
        text.pop();
        next[lane] -= 1;
    }
}
