//! `yrs`: entries of a shared map, in three published versions with one source.
//!
//! Client ids are the numbers of nodes, from 1.

pub mod v0_18;
pub mod v0_27;
pub mod v0_28;

/// Applying an update returns nothing in old versions, and a result in new ones.
trait Applied {
    fn expect_applied(self);
}

impl Applied for () {
    fn expect_applied(self) {}
}

impl<E: std::fmt::Debug> Applied for Result<(), E> {
    fn expect_applied(self) {
        self.expect("an update of another replica can be applied");
    }
}
