//! The strategies of this crate, and the scopes used to measure searches.

use super::bench::{Bench, Scope};
use super::registry::Registry;
use super::{
    abd, async_primary, cache, causal, chain, chain_membership, change_feed, crdt, failover,
    gossip, lease, multi_primary_lww, notebook, plans, postgres, primary_backup, primary_object,
    quorum, raft, redis_like, semi_sync, sloppy_quorum, sync_session, tombstones, view_change,
    yardstick,
};

impl Registry {
    /// The strategies of this crate, in the order in which they are listed.
    pub fn standard() -> Self {
        let mut families = vec![
            notebook::family(),
            primary_backup::family(),
            primary_object::family(),
            abd::family(),
            quorum::family(),
            chain::chain(),
            chain::craq(),
            chain_membership::family(),
            async_primary::family(),
            multi_primary_lww::family(),
            tombstones::family(),
            gossip::family(),
            causal::broadcast(),
            causal::cops(),
            cache::family(),
            failover::family(),
            semi_sync::family(),
            postgres::family(),
            view_change::family(),
            redis_like::family(),
            raft::family(),
            sloppy_quorum::family(),
            change_feed::family(),
            plans::family(),
            sync_session::family(),
            lease::family(),
        ];
        families.extend(crdt::state_based::families());
        families.extend(crdt::delta_based::families());
        families.extend(crdt::operation_based::families());
        families.extend(crdt::texts::families());
        Registry { families }
    }
}

fn benches() -> impl Iterator<Item = Bench> {
    let protocols = [abd::BENCH, primary_backup::BENCH, multi_primary_lww::BENCH];
    yardstick::BENCHES.into_iter().chain(protocols)
}

impl Scope {
    /// The forms of the names: `lww-NODES-PUTS` and so on.
    pub fn names() -> Vec<String> {
        benches().map(|bench| bench.name()).collect()
    }

    /// The scope with this name.
    pub fn named(name: &str) -> Option<Scope> {
        let mut words = name.split('-');
        let word = words.next()?;
        let sizes: Vec<u16> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        benches().find(|bench| bench.word == word)?.scope(&sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A promise about a misspelt variant would promise nothing, and a hint for
    /// one would never be shown.
    #[test]
    fn every_variant_that_is_told_of_is_one_strategy_in_its_shortest_form() {
        let registry = Registry::standard();
        for family in registry.families() {
            let promised = family.promises.iter().map(|promise| &promise.strategy);
            let mutants = family.mutants.iter().map(|mutant| &mutant.strategy);
            let hinted = family.hints.iter().map(|hint| &hint.strategy);
            for text in promised.chain(mutants).chain(hinted) {
                let subjects = registry.parse(text).unwrap_or_else(|error| panic!("{error}"));
                let names: Vec<_> = subjects
                    .iter()
                    .map(|subject| registry.short(&subject.strategy_name()))
                    .collect();
                assert_eq!(names, [text.as_str()]);
            }
        }
    }

    #[test]
    fn a_hint_is_for_a_way_in_which_its_variant_is_known_to_fail() {
        use crate::hunt::promise::Expected;
        let registry = Registry::standard();
        for family in registry.families() {
            for hint in &family.hints {
                let fails = family.promises.iter().any(|promise| {
                    promise.strategy == hint.strategy
                        && promise.expected == Expected::Violated(hint.flaw)
                });
                assert!(fails, "{}: nobody has seen {}", hint.strategy, hint.flaw);
                assert_eq!(registry.hint(&hint.strategy, hint.flaw), Some(hint.advice));
            }
        }
    }

    #[test]
    fn a_strategy_goes_by_the_words_that_chose_it() {
        let registry = Registry::standard();
        let named = |text: &str| {
            let subjects = registry.parse(text).expect("it is registered");
            subjects.iter().map(|subject| subject.strategy_name().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(named("abd:never"), ["abd:write-back=never"]);
        let wall = "multi-primary-lww:anti-entropy=off,clock=wall";
        assert_eq!(named("multi-primary-lww:clock=wall"), [wall]);
        assert_eq!(named("notebook").len(), 5);
        let scope = |name| Scope::named(name).is_some();
        assert!(scope("lww-3-8") && scope("abd-3-1-1"));
        assert!(!scope("lww-3") && !scope("abd-0-1-1") && !scope("backup-3-65535-1"));
    }
}
