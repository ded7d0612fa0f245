//! All small histories, up to renaming processes and keys.

/// The parameters of a space of histories.
#[derive(Clone, Copy)]
pub(crate) struct Space {
    /// How many operations, exactly.
    pub(crate) operations: usize,
    /// Whether writes may fail.
    pub(crate) failures: bool,
    /// The values that are written, and may be read; `None` for unique values.
    pub(crate) values: Option<&'static [&'static str]>,
    /// Whether the outcome of writes may be unknown.
    pub(crate) pending: bool,
    /// How reads may end: answered, `?` without an answer, `!` at quiescence.
    pub(crate) reads: &'static [&'static str],
    /// Whether reads may answer a value that nobody wrote, if values are
    /// unique.
    pub(crate) thin: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    write: bool,
    key: char,
    mark: &'static str,
}

type Lanes = [Vec<Shape>; 2];

/// Calls `each` with the two lanes of every history, in the notation, and for
/// each event of each lane whether it is an invocation.
pub(crate) fn each_history(space: Space, each: &mut impl FnMut(&[String; 2], &[Vec<bool>; 2])) {
    for second in 0..=space.operations / 2 {
        let first = space.operations - second;
        grow(space, &mut [Vec::new(), Vec::new()], [first, second], each);
    }
}

fn grow(
    space: Space,
    lanes: &mut Lanes,
    sizes: [usize; 2],
    each: &mut impl FnMut(&[String; 2], &[Vec<bool>; 2]),
) {
    let Some(lane) = (0..2).find(|&lane| lanes[lane].len() < sizes[lane]) else {
        if canonical(lanes) {
            with_values(space, lanes, &mut Vec::new(), each);
        }
        return;
    };
    for shape in shapes(space, &lanes[lane]) {
        lanes[lane].push(shape);
        grow(space, lanes, sizes, each);
        lanes[lane].pop();
    }
}

/// The operations that may follow in a lane.
fn shapes(space: Space, lane: &[Shape]) -> Vec<Shape> {
    if lane.last().is_some_and(|last| last.mark == "?") {
        return Vec::new();
    }
    let quiet = lane.iter().any(|shape| shape.mark == "!");
    let mut all = Vec::new();
    for key in ['x', 'y'] {
        if !quiet {
            let marks = [("", true), ("?", space.pending), ("~", space.failures)];
            let marks = marks.into_iter().filter(|(_, may)| *may);
            all.extend(marks.map(|(mark, _)| Shape { write: true, key, mark }));
        }
        all.extend(space.reads.iter().map(|mark| Shape { write: false, key, mark }));
    }
    all
}

/// Whether these lanes are the least of their renamings, so that of histories
/// that differ only in names one is taken.
fn canonical(lanes: &Lanes) -> bool {
    let swapped = [lanes[1].clone(), lanes[0].clone()];
    let renamed = |lanes: &Lanes| {
        lanes.clone().map(|mut lane| {
            lane.iter_mut().for_each(|shape| shape.key = if shape.key == 'x' { 'y' } else { 'x' });
            lane
        })
    };
    let same_sizes = lanes[0].len() == lanes[1].len();
    let mut others = vec![renamed(lanes)];
    if same_sizes {
        others.extend([renamed(&swapped), swapped]);
    }
    others.iter().all(|other| lanes <= other)
}

/// Gives every write and every answered read each possible value.
fn with_values(
    space: Space,
    lanes: &Lanes,
    values: &mut Vec<String>,
    each: &mut impl FnMut(&[String; 2], &[Vec<bool>; 2]),
) {
    let flat: Vec<Shape> = lanes.iter().flatten().copied().collect();
    let Some(shape) = flat.get(values.len()) else {
        return each(&texts(lanes, values), &events(lanes));
    };
    let pool: Vec<String> = match (space.values, shape.write) {
        (None, true) => vec![(values.len() + 1).to_string()],
        (Some(pool), true) => pool.iter().map(|value| (*value).to_owned()).collect(),
        (_, false) if shape.mark == "?" => vec![String::new()],
        (Some(pool), false) => {
            let null = (!pool.contains(&"null")).then_some("null");
            pool.iter().copied().chain(null).map(str::to_owned).collect()
        }
        (None, false) => {
            let same_key = |at: &usize| flat[*at].write && flat[*at].key == shape.key;
            let written = (0..flat.len()).filter(same_key).map(|at| (at + 1).to_string());
            let thin = space.thin.then(|| "9".to_owned());
            written.chain(["null".to_owned()]).chain(thin).collect()
        }
    };
    for value in pool {
        values.push(value);
        with_values(space, lanes, values, each);
        values.pop();
    }
}

fn texts(lanes: &Lanes, values: &[String]) -> [String; 2] {
    let mut values = values.iter();
    lanes.each_ref().map(|lane| {
        let token = |shape: &Shape| {
            let value = values.next().expect("one value for each operation");
            let Shape { write, key, mark } = *shape;
            match (write, value.is_empty()) {
                (true, _) => format!("w{key}={value}{mark}"),
                (false, true) => format!("r{key}{mark}"),
                (false, false) => format!("r{key}={value}{mark}"),
            }
        };
        lane.iter().map(token).collect::<Vec<_>>().join(" ")
    })
}

/// For each event of each lane, whether it is an invocation.
fn events(lanes: &Lanes) -> [Vec<bool>; 2] {
    lanes.each_ref().map(|lane| {
        let of = |shape: &Shape| if shape.mark == "?" { &[true][..] } else { &[true, false] };
        lane.iter().flat_map(of).copied().collect()
    })
}

/// Every order in real time that returns-before can distinguish: among
/// consecutive events of one type, only the order with ascending processes.
pub(crate) fn merges(events: &[Vec<bool>; 2]) -> Vec<String> {
    let mut all = Vec::new();
    merge(events, [0, 0], None, &mut String::new(), &mut all);
    all
}

fn merge(
    events: &[Vec<bool>; 2],
    next: [usize; 2],
    last: Option<(usize, bool)>,
    text: &mut String,
    all: &mut Vec<String>,
) {
    if (0..2).all(|lane| next[lane] == events[lane].len()) {
        all.push(text.clone());
    }
    for lane in 0..2 {
        let Some(&invocation) = events[lane].get(next[lane]) else { continue };
        if last.is_some_and(|(before, kind)| kind == invocation && before > lane) {
            continue;
        }
        let mut after = next;
        after[lane] += 1;
        text.push(if lane == 0 { '0' } else { '1' });
        merge(events, after, Some((lane, invocation)), text, all);
        text.pop();
    }
}
