//! The decision procedures, one per file.
//!
//! Invariant: every verdict carries evidence, and the same history with the
//! same budget gets the same verdict and the same evidence. A checker sees a
//! [`History`](crate::history::History) and nothing else: it does not know how
//! the history was made.
//!
//! There is a folder for each way to decide. `grid` has the 96 models of the
//! grid. `orders` has the models that ask for orders of operations, one for all
//! or one for each process or key. `registers` has what is decided from the
//! times at which a register was written and read, without a search for an
//! order. The other files are what they share: `whole` (what is judged), `view`
//! (a history as numbers), `time`, `rows`, `sources`, `graph`, `minimise` and
//! `unfounded`. `decide` chooses the procedure for a model, `judge` is the
//! entry point, and `survey` judges by all models.
//!
//! Read next: `judge`, then `grid`, and [`oracle`](super::oracle) for what all
//! of them are compared with.

mod contexts;
mod decide;
mod graph;
mod grid;
mod judge;
mod minimise;
mod opaque;
mod orders;
mod parts;
mod registers;
mod rows;
mod sources;
mod survey;
mod time;
mod unfounded;
pub(super) mod view;
mod whole;

pub use judge::{Judge, check, check_with};
pub use survey::{Entry, Leasts, Survey, least};
