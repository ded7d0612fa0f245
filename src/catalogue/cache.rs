//! Caches in front of a store.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Flaw;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::cache::{Cache, Expires, Fills, First, Misses, Writes};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const PLAIN: Cache = Cache {
    writes: Writes::Around,
    fills: Fills::Leased,
    first: First::Store,
    misses: Misses::Store,
    expires: Expires::Never,
};

const STALE: Bug = Bug {
    title: "a value that was fetched before a write fills the cache after the write was \
               told, and stays",
    story: "A cache misses and asks the store; meanwhile a write goes through and its \
               invalidation passes the answer. The old value fills the cache after the \
               invalidation, and nothing removes it. Facebook gave out leases with misses to \
               end this.",
    source: "Nishtala et al. 2013, section 3.2.1",
    repaired: "cache",
    keeps: &["mr_wfr"],
    actions: 6,
};

const EARLY: Bug = Bug {
    title: "the caches are told before the store has the write, and fetch the old value \
               again",
    story: "The caches forget the key before the store has the new value. A read in between \
               fetches the old one again, and it stays.",
    source: "Nishtala et al. 2013, where the store comes first",
    repaired: "cache",
    keeps: &["prefix_mr"],
    actions: 7,
};

const OVERTAKEN: Bug = Bug {
    title: "an update without a version is kept as it arrives, an older one after a newer",
    story: "The store sends new values to the caches, and two of them change places on the \
               way. The cache keeps the older one for ever, as nothing says which is newer.",
    source: "Nishtala et al. 2013; Lamport 1978",
    repaired: "cache:fills=versioned,writes=through",
    keeps: &["mr_wfr", "ev_vis"],
    actions: 6,
};

const LAGGING: Bug = Bug {
    title: "a cache that was told of a write is filled by a replica that has not got it yet",
    story: "The entry is invalidated, the next read misses, takes a lease and asks a replica \
            of the store, which lags behind. The old value fills the cache with a valid \
            lease, and stays. A lease protects from fills that are late, not from sources \
            that are. Reviewers of Logflare saw this when reads of its cache moved to \
            replicas; others fetch from the primary for a while after a write.",
    source: "Logflare pull 3883, review; chobbledotcom/tickets pull 1859",
    repaired: "cache:fills=versioned,misses=replica",
    keeps: &["mr_wfr"],
    actions: 7,
};

const IMMORTAL: Bug = Bug {
    title: "a hit writes the entry back without its time to live, and it never expires",
    story: "An entry is to expire, so that lost news of a write is made up for. A hit means to \
            put its end off and stores the entry once more, without an end. The news of the \
            next write is lost, and the entry stays. In Redis a plain SET clears the time to \
            live of a key; Koog refreshed its cache of prompts with it, and its test double \
            kept the time to live.",
    source: "JetBrains/koog pull 2141; the manual of Redis on SET and KEEPTTL",
    repaired: "cache:expires=after-fill",
    keeps: &["mr_wfr"],
    actions: 6,
};

/// What breaks as a fill that is late brings an older value back.
const GOES_BACK: [(&str, Flaw); 3] =
    [("monotonic-reads", UNEXPLAINED), ("causal", UNEXPLAINED), ("linearizable", UNEXPLAINED)];

/// The store with its caches, and what each parameter changes in them.
fn variants() -> Variants<Cache> {
    Variants::of(PLAIN)
        .parameter(
            "writes",
            "what caches are told of a write",
            [
                ("around", |it| it.writes = Writes::Around),
                ("through", |it| it.writes = Writes::Through),
            ],
        )
        .parameter(
            "fills",
            "which fetched values a cache keeps",
            [
                ("leased", |it| it.fills = Fills::Leased),
                ("versioned", |it| it.fills = Fills::Versioned),
                ("unchecked", |it| it.fills = Fills::Unchecked),
            ],
        )
        .parameter(
            "first",
            "which is changed first, the store or the caches",
            [("store", |it| it.first = First::Store), ("caches", |it| it.first = First::Caches)],
        )
        .parameter(
            "misses",
            "where a cache fetches what it misses: at the store, or at a replica of it",
            [
                ("store", |it| it.misses = Misses::Store),
                ("replica", |it| it.misses = Misses::Replica),
            ],
        )
        .parameter(
            "expires",
            "when an entry of a cache expires",
            [
                ("never", |it| it.expires = Expires::Never),
                ("after-fill", |it| it.expires = Expires::AfterFill),
                ("unless-read", |it| it.expires = Expires::UnlessRead),
            ],
        )
}

pub(super) fn family() -> Family {
    let (fifo, unordered) = (Setting::calm(3, Network::Fifo), Setting::calm(3, Network::Unordered));
    let with = |setting: &Setting, kind| setting.clone().with_faults(Faults::NONE.with(kind, 1));
    let about = "asynchronous: caches in front of a store";
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let versioned = "fills=versioned";
    let pair = Setting::calm(2, Network::Unordered).with_clocks(1);
    let lossy = with(&pair, FaultKind::Drop);
    Family::new("cache", about, &unordered, variants())
        .states(60_000)
        .sources("Nishtala et al. 2013 (Scaling Memcache at Facebook)")
        .keeps("", &with(&unordered, FaultKind::Crash), [eventual, ryw])
        .stands("", &unordered, &GOES_BACK)
        .breaks("", &with(&unordered, FaultKind::Drop), eventual, Kind::Diverged)
        .keeps(versioned, &unordered, [eventual, ryw, mr])
        .keeps("writes=through", &fifo, [eventual, ryw, mr])
        .keeps("fills=versioned,writes=through", &unordered, [eventual, ryw, mr])
        .keeps("fills=versioned,misses=replica", &unordered, [eventual])
        .keeps("fills=unchecked", &fifo, [eventual])
        .mutant("fills=unchecked", STALE, &unordered, eventual, Kind::Diverged)
        .mutant("first=caches", EARLY, &unordered, eventual, Kind::Diverged)
        .mutant("writes=through", OVERTAKEN, &unordered, eventual, Kind::Diverged)
        .mutant("misses=replica", LAGGING, &unordered, eventual, Kind::Diverged)
        .keeps("expires=after-fill", &lossy, [eventual])
        .keeps("expires=after-fill,fills=unchecked", &pair, [eventual])
        .mutant("expires=unless-read", IMMORTAL, &lossy, eventual, Kind::Diverged)
        .hint(
            "",
            Kind::Diverged,
            "let entries expire, so that lost news is made up for",
            "quiescence check cache:expires=after-fill --faults drop=1",
        )
        .hint(
            "misses=replica",
            Kind::Diverged,
            "let the news say how new a fill has to be",
            "quiescence check cache:fills=versioned,misses=replica",
        )
        .hint(
            "fills=unchecked",
            Kind::Diverged,
            "keep a fill only while its miss holds the lease",
            "quiescence check cache",
        )
}
