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
        families.iter_mut().for_each(|family| family.is_standard = true);
        Registry { families, ..Registry::empty() }
    }
}

fn benches() -> impl Iterator<Item = Bench> {
    let protocols =
        [abd::BENCH, primary_backup::BENCH, multi_primary_lww::BENCH, crdt::state_based::BENCH];
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
