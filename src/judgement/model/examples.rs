//! Small histories that tell models apart, in the one-line notation.
//!
//! Which model allows which is not recorded here: code that shows an example
//! judges it. Shorter ones come first. Of the 111 models, every one that does not
//! imply another allows one of these that the other forbids, and it does so with no
//! history of fewer operations: `tests/it/judgement/apart.rs` goes through all small
//! histories. Several are those of the papers: store buffering, message passing,
//! write-to-read causality, IRIW, and figure 3 of Bouajjani et al. (POPL 2017).

/// The histories.
pub static SEPARATING: [&str; 45] = [
    "wx1 rx0",
    "wx1|rx0 @ 0011",
    "rx1|wx1 @ 0011",
    "wx1|rx0! @ 0011",
    "rx1 wx1",
    "wx1|rx9 @ 0011",
    "wx1|rx9 @ 0101",
    "wx1|rx0! @ 1100",
    "wx1|rx1 rx0 @ 001111",
    "wx1|rx1|rx0 @ 011220",
    "wx1 wx2|rx1 @ 000011",
    "wx1 wx2|rx0 @ 000110",
    "rx1 wy1|wx1 @ 000011",
    "wx1 wx2 rx1!",
    "wx1|rx1 rx0 @ 011110",
    "rx1 wx1|rx0 @ 010001",
    "wx1 wx2|rx1!|rx1! @ 00001122",
    "wx1|wx2|rx1!|rx2! @ 01012233",
    "wx1 wy1|ry1 rx0 @ 00001111",
    "wx1 ry0|wy1 rx0 @ 00001111",
    "wx1 rx2|wx2 rx1 @ 00110011",
    "wx1|wx2 rx1 rx2 @ 00111111",
    "rx2 wx1 rx2|wx2 @ 11000000",
    "wx1|wx2|rx1|rx2 @ 01012323",
    "rx1 wy1|ry1 wx1 @ 00001111",
    "wx1 wx2|rx2 rx1 @ 00001111",
    "rx2 wx1 rx2!|wx2 @ 01000100",
    "wx1 rx1! rx2!|wx2 @ 01010000",
    "wx1 wx2 rx1 rx2",
    "wx1 rx2|wx2 rx1 @ 01000111",
    "wx1|rx1 wy1|ry1 rx0 @ 0011112222",
    "wx1|rx1 wx2|rx1!|rx1! @ 0011112233",
    "rx2 wx1|rx1 rx2|wx2 @ 0000111122",
    "wx1 rx1 rx2 rx1|wx2 @ 0000000011",
    "wx1 rx2 wy1 rx1|wx2 @ 0000000011",
    "wx1 wy1 ry2|wy2 rx0 @ 0000001111",
    "wx1 wy1|ry1 wx2|rx2 rx1 @ 000011112222",
    "wx1|wy1|rx1 ry0|ry1 rx0 @ 001122223333",
    "wx1|wx2|rx1 rx2|rx2 rx1 @ 001122223333",
    "wx1 ry0 ry1|wy1 rx0 rx1 @ 000011110011",
    "wx1 rx1 rx2|wx2 rx2 rx1 @ 000000111111",
    "wx1 rx1 ry0|wy1 ry1 rx0 @ 000000111111",
    "wz1 wx1 wy1|wx2 rz0 ry1 rx2 @ 00000011111111",
    "wx1 ry0 ry2 rx1|wy1 wx2 wy2 @ 00000000111111",
    "wx1 ry0 wy1 rx1|wx2 ry0 wy2 rx2 @ 0000000011111111",
];
