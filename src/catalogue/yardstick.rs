//! The registers that searches are measured by. They promise nothing and have
//! no name that `check` knows: they are scopes of `bench` only.

use crate::replication::yardstick::{Keeps, Yardstick};

use super::bench::{self, Bench, Clients, Judged};

const LWW: Bench = Bench {
    word: "lww",
    clients: Clients::TwoWriters,
    subject: || Box::new(Yardstick(Keeps::Larger)),
    setting: bench::setting,
    judged: Judged::Agreement,
    patient: false,
};

pub(super) const BENCHES: [Bench; 3] = [
    LWW,
    Bench { word: "naive", subject: || Box::new(Yardstick(Keeps::Last)), ..LWW },
    Bench { word: "first", subject: || Box::new(Yardstick(Keeps::First)), ..LWW },
];
