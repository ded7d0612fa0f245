//! How long a cluster is given to become quiet, and one final read to be
//! answered, before either is given up.

/// How long settling may take before it is given up as undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleLimits {
    /// Deliveries in one drain.
    pub deliveries: usize,
    /// Messages in flight at one time.
    pub in_flight: usize,
    /// Rounds of timers.
    pub rounds: usize,
}

impl Default for SettleLimits {
    fn default() -> Self {
        SettleLimits { deliveries: 10_000, in_flight: 1_000, rounds: 64 }
    }
}
