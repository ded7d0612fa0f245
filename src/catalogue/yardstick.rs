//! The registers used to measure searches. They promise nothing, and `check`
//! does not know them by name: they are only scopes of `bench`.

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
