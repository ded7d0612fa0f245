//! When clocks go on.
//!
//! Both libraries count ticks for ever, and one of them sends the count. So that a
//! cluster can become quiet and a search has an end, a node's clock goes on only while
//! it knows of a request that it does not know to be answered, at any node, and then
//! for some ticks after the last such request. Nodes learn of requests and answers
//! by what they add to every message. To the library that is a clock which stands
//! still while nobody wants anything. An asynchronous network allows that, but what
//! needs more ticks is not found.

use quiescence::history::NodeId;
use quiescence::replication::Cluster;

/// What a node knows of requests, and how many ticks it has left.
#[derive(Debug)]
pub struct Pace {
    me: usize,
    most: u8,
    left: u8,
    /// Requests that every node took, then those that every node has answered.
    known: Vec<u8>,
}

impl Pace {
    /// A clock that stops after so many ticks without a new request.
    pub fn new(me: NodeId, cluster: &Cluster, most: u8) -> Pace {
        Pace { me: me.index(), most, left: most, known: vec![0; 2 * cluster.size()] }
    }

    fn nodes(&self) -> usize {
        self.known.len() / 2
    }

    /// A request was taken here.
    pub fn asked(&mut self) {
        self.count(self.me, 1);
    }

    /// So many requests were answered here.
    pub fn answered(&mut self, count: usize) {
        self.count(self.nodes() + self.me, count);
    }

    fn count(&mut self, at: usize, more: usize) {
        let count = usize::from(self.known[at]) + more;
        self.learn(at, u8::try_from(count).expect("runs are short"));
    }

    fn learn(&mut self, at: usize, count: u8) {
        if count > self.known[at] {
            self.known[at] = count;
            // While the clock stands still it does not matter what is left.
            if at < self.nodes() || !self.goes_on() {
                self.left = self.most;
            }
        }
    }

    fn goes_on(&self) -> bool {
        let (asked, answered) = self.known.split_at(self.nodes());
        asked != answered
    }

    /// Whether the clock goes on, by a tick.
    pub fn ticks(&mut self) -> bool {
        let ticks = self.goes_on() && self.left > 0;
        self.left -= u8::from(ticks);
        ticks
    }

    /// A message of the library as it is sent.
    pub fn wrapped(&self, message: &[u8]) -> Vec<u8> {
        let known = u8::try_from(self.known.len()).expect("nodes are few");
        [&[known], self.known.as_slice(), message].concat()
    }

    /// The message of the library in what was received.
    pub fn received<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (known, message) = parts(bytes);
        for (at, count) in known.iter().enumerate() {
            self.learn(at, *count);
        }
        message
    }
}

/// The message of the library in what was sent.
pub fn message(bytes: &[u8]) -> &[u8] {
    parts(bytes).1
}

fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (known, rest) = bytes.split_first().expect("it was wrapped");
    rest.split_at(usize::from(*known))
}
