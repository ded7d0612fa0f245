//! Consistent prefix, and consistent prefix in real time.
//!
//! If session order, reads-from and (for the second) returns-before among
//! writes are acyclic together, any order that extends them explains every
//! read: let it see the writes up to its source. If they have a cycle, nothing
//! explains the reads, since a read must at least see its source. The condition
//! for the first model is that of base, so clients cannot tell consistent
//! prefix and base apart. O(n log n): returns-before is added as a chain of
//! instants, not as pairs.

use crate::history::History;
use crate::judgement::checker::graph::Graph;
use crate::judgement::checker::sources::{kept, try_all};
use crate::judgement::checker::time::{operations_of, returns_before};
use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::number::{index, number_of};
use crate::judgement::verdict::Witness;

/// Decides consistent prefix; in real time if `timed`.
pub(in crate::judgement::checker) fn decide(
    whole: &Whole<'_>,
    timed: bool,
    meter: &mut Meter,
) -> Decision {
    let (history, view) = (whole.history, whole.view());
    try_all(view, meter, &|_| true, &mut |sources, _| given(history, view, sources, timed))
}

fn given(history: &History, view: &View, sources: &[Source], timed: bool) -> Decision {
    let kept = kept(view, sources);
    let counts = |at: usize| view.items[at].write.is_none_or(|write| kept[index(write)]);
    let mut graph = Graph::new(view.items.len());
    let mut last = vec![None; view.sessions];
    for (at, item) in view.items.iter().enumerate() {
        if let Source::Write(write) = sources[at] {
            graph.add(view.writes[index(write)], number_of(at));
        }
        if counts(at)
            && let Some(before) = last[index(item.session)].replace(number_of(at))
        {
            graph.add(before, number_of(at));
        }
    }
    if timed {
        let writes: Vec<u32> =
            view.writes.iter().copied().filter(|&item| counts(index(item))).collect();
        returns_before(history, view, &writes, &mut graph);
    }
    match graph.order() {
        Err(cycle) => Decision::Fails(operations_of(view, &cycle)),
        Ok(order) => {
            // Each read comes right after its source, initial reads first.
            let mut after: Vec<Vec<usize>> = vec![Vec::new(); view.writes.len() + 1];
            for (at, item) in view.items.iter().enumerate().filter(|(_, item)| item.write.is_none())
            {
                match sources[at] {
                    Source::Write(write) => after[index(write) + 1].push(item.at),
                    _ => after[0].push(item.at),
                }
            }
            let mut linear = std::mem::take(&mut after[0]);
            for node in order.into_iter().filter(|node| (index(*node)) < view.items.len()) {
                if let Some(write) = view.items[index(node)].write
                    && kept[index(write)]
                {
                    linear.push(view.items[index(node)].at);
                    linear.append(&mut after[index(write) + 1]);
                }
            }
            Decision::Holds(Witness::Linear(linear))
        }
    }
}
