//! Small histories that tell models apart, in the one-line notation.
//!
//! Which model allows which is not recorded here: code that shows an example
//! judges it. Shorter ones come first. Several are those of the papers: store
//! buffering, message passing, write-to-read causality, IRIW, and figure 3 of
//! Bouajjani et al. (POPL 2017).

/// The histories.
pub static SEPARATING: [&str; 29] = [
    "wx1 rx0",
    "wx1|rx0 @ 0011",
    "rx1|wx1 @ 0011",
    "wx1|rx0! @ 0011",
    "rx1 wx1",
    "wx1|rx9 @ 0011",
    "wx1|rx1 rx0 @ 001111",
    "wx1|rx1|rx0 @ 011220",
    "wx1 wx2|rx1 @ 000011",
    "wx1 wx2|rx0 @ 000110",
    "rx1 wy1|wx1 @ 000011",
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
    "wx1|rx1 wy1|ry1 rx0 @ 0011112222",
    "wx1|rx1 wx2|rx1!|rx1! @ 0011112233",
    "wx1 wy1|ry1 wx2|rx2 rx1 @ 000011112222",
    "wx1|wy1|rx1 ry0|ry1 rx0 @ 001122223333",
    "wx1|wx2|rx1 rx2|rx2 rx1 @ 001122223333",
    "wx1 ry0 ry1|wy1 rx0 rx1 @ 000011110011",
    "wz1 wx1 wy1|wx2 rz0 ry1 rx2 @ 00000011111111",
    "wx1 ry0 wy1 rx1|wx2 ry0 wy2 rx2 @ 0000000011111111",
];
