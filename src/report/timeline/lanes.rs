//! Lanes, and the arrows between them.
//!
//! Owns the geometry: the column of each lane, and that nothing overlaps. It
//! does not know what happened.

use std::ops::Range;

use crate::history::NodeId;
use crate::report::{Letters, Look, Tone, columns, cut, pad};
use crate::world::SessionId;

use super::{folded, number, padded};

/// The kind of an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrow {
    /// A request of a client, or the answer to it.
    Request,
    /// A message between nodes.
    Message,
}

/// What a client learns directly from a request.
pub(super) enum News {
    /// Nothing that is worth printing.
    None,
    /// It has no answer yet.
    Pending,
    /// This answer.
    Answers(String),
}

/// One line of the picture.
#[derive(Clone)]
pub(super) struct Row {
    step: Option<usize>,
    settling: bool,
    /// Pairs of a lane and its text.
    cells: Vec<(usize, String)>,
    arrow: Option<(usize, usize, Arrow)>,
}

impl Row {
    pub(super) fn numbered(step: usize, settling: bool) -> Self {
        Row { step: Some(step), settling, cells: Vec::new(), arrow: None }
    }

    /// A further line of the step above it.
    pub(super) fn more(settling: bool) -> Self {
        Row { step: None, settling, cells: Vec::new(), arrow: None }
    }

    pub(super) fn cell(&mut self, lane: usize, text: &str) {
        self.cells.push((lane, text.trim_end().to_owned()));
    }

    /// A request of a client to a node, with its effect on the node and what
    /// the client learns.
    pub(super) fn request(
        &mut self,
        lanes: &Lanes<'_>,
        session: SessionId,
        asks: &str,
        node: usize,
        (effect, news): (&str, News),
    ) {
        match lanes.session(session) {
            Some(lane) => {
                let news = match news {
                    News::None => String::new(),
                    News::Pending => "pending".to_owned(),
                    News::Answers(answer) => format!("answers {answer}"),
                };
                let gap = if effect.is_empty() || news.is_empty() { "" } else { " · " };
                self.cell(lane, asks);
                self.cell(node, &format!("● {effect}{gap}{news}"));
                self.arrow = Some((lane, node, Arrow::Request));
            }
            None => {
                // A write has the effect that it asked for, so only an answer
                // is shown.
                let news = match news {
                    News::None => String::new(),
                    News::Pending => ": pending".to_owned(),
                    News::Answers(answer) => format!(": {answer}"),
                };
                self.cell(node, &format!("● {session} {asks}{news}"));
            }
        }
    }

    /// A node answers a request that was waiting.
    pub(super) fn answer(
        &mut self,
        lanes: &Lanes<'_>,
        session: SessionId,
        asked: &str,
        answer: &str,
        node: usize,
    ) {
        match lanes.session(session) {
            Some(lane) => {
                self.cell(lane, answer);
                self.cell(node, &format!("({asked})"));
                self.arrow = Some((node, lane, Arrow::Request));
            }
            None => self.cell(node, &format!("  {session} {asked}: {answer}")),
        }
    }

    /// A step of a client that sends nothing to a node.
    pub(super) fn alone(&mut self, lanes: &Lanes<'_>, session: SessionId, text: &str, node: usize) {
        match lanes.session(session) {
            Some(lane) => self.cell(lane, text),
            None => self.cell(node, &format!("{session} {text}")),
        }
    }

    /// A message, or another effect, from one node to another.
    pub(super) fn message(
        &mut self,
        from: usize,
        label: &str,
        to: usize,
        effect: &str,
        arrow: Arrow,
    ) {
        if from == to {
            return self.cell(to, &format!("{label} {effect}"));
        }
        self.cell(from, label);
        self.cell(to, effect);
        self.arrow = Some((from, to, arrow));
    }
}

/// A line of lanes, or one that stands for several steps.
enum Line {
    Row(Row),
    Fold(Range<usize>),
}

/// The lanes from left to right, and the lines so far.
pub(super) struct Lanes<'l> {
    left: Vec<SessionId>,
    nodes: usize,
    right: Vec<SessionId>,
    titles: Vec<String>,
    lines: Vec<Line>,
    look: &'l Look,
}

/// The width of the shortest arrow with its blanks: ` ─▶ `.
const ARROW: usize = 4;

impl<'l> Lanes<'l> {
    pub(super) fn new(
        (left, right): (Vec<SessionId>, Vec<SessionId>),
        nodes: &[NodeId],
        look: &'l Look,
    ) -> Self {
        let title = |session: &SessionId| format!("session {session}");
        let mut titles: Vec<String> = left.iter().map(title).collect();
        titles.extend(nodes.iter().map(ToString::to_string));
        titles.extend(right.iter().map(title));
        Lanes { left, nodes: nodes.len(), right, titles, lines: Vec::new(), look }
    }

    pub(super) fn node(&self, node: NodeId) -> usize {
        self.left.len() + node.index()
    }

    pub(super) fn session(&self, session: SessionId) -> Option<usize> {
        let place = |side: &[SessionId]| side.iter().position(|other| *other == session);
        let right = || place(&self.right).map(|at| self.left.len() + self.nodes + at);
        place(&self.left).or_else(right)
    }

    pub(super) fn push(&mut self, mut row: Row) {
        for (_, text) in &mut row.cells {
            *text = self.look.text(text);
        }
        self.lines.push(Line::Row(row));
    }

    /// One line for the steps at these positions.
    pub(super) fn fold(&mut self, steps: &Range<usize>) {
        self.lines.push(Line::Fold(steps.clone()));
    }

    /// All lines with texts cut to `most` columns, if they are no wider than `width`.
    pub(super) fn drawn(&self, width: usize, most: usize) -> Option<String> {
        let cut_row = |row: &Row| {
            let mut row = row.clone();
            row.cells.iter_mut().for_each(|(_, text)| *text = cut(text, most, self.look));
            row
        };
        let rows: Vec<Row> = self.rows().map(cut_row).collect();
        let starts = self.starts(&rows);
        let settling = *starts.last().expect("there is a lane");
        let mark = "settling";
        if 8 + settling + mark.len() > width {
            return None;
        }
        let titles = self.titles.iter().cloned().enumerate().collect();
        let titles = Row { step: None, settling: false, cells: titles, arrow: None };
        let head = format!("  step  {}", self.line(&titles, &starts).trim_end());
        let mut text = format!("{}\n", self.look.paint(Tone::Faint, &head));
        let mut rows = rows.iter();
        for line in &self.lines {
            let row = match line {
                Line::Row(_) => rows.next().expect("there is one for each line of lanes"),
                Line::Fold(steps) => {
                    text.push_str(&format!("{}\n", folded(steps, self.look)));
                    continue;
                }
            };
            let line = self.line(row, &starts);
            let end = if row.settling && row.step.is_some() {
                self.look.paint(Tone::Faint, mark)
            } else {
                String::new()
            };
            let line = format!("{}{}{end}", number(row.step), padded(&line, settling));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        Some(text)
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().filter_map(|line| match line {
            Line::Row(row) => Some(row),
            Line::Fold(_) => None,
        })
    }

    /// The column where each lane begins, and where the last one ends.
    fn starts(&self, rows: &[Row]) -> Vec<usize> {
        let mut starts = vec![0];
        for (lane, title) in self.titles.iter().enumerate() {
            let cells = rows.iter().flat_map(|row| &row.cells);
            let texts = cells.filter(|(at, _)| *at == lane).map(|(_, text)| columns(text));
            let widest = texts.chain([columns(title)]).max().expect("there is a title");
            starts.push(starts[lane] + widest + ARROW);
        }
        starts
    }

    fn line(&self, row: &Row, starts: &[usize]) -> String {
        // The texts of the line with their columns.
        let mut pieces: Vec<(usize, String)> = Vec::new();
        if let Some((from, to, kind)) = row.arrow {
            let text_at = |lane: usize| {
                let text = row.cells.iter().find(|(at, _)| *at == lane);
                starts[lane] + text.map_or(0, |(_, text)| columns(text))
            };
            let (left, right) = (from.min(to), from.max(to));
            let (begin, end) = (text_at(left) + 1, starts[right] - 1);
            let shaft = self.letter(kind).to_string().repeat(end - begin - 1);
            let [right_tip, left_tip] = match self.look.letters {
                Letters::Unicode => ['▶', '◀'],
                Letters::Ascii => ['>', '<'],
            };
            let arrow = if from < to {
                shaft + &right_tip.to_string()
            } else {
                format!("{left_tip}{shaft}")
            };
            pieces.push((begin, arrow));
        }
        pieces.extend(row.cells.iter().map(|(lane, text)| (starts[*lane], text.clone())));
        pieces.sort_by_key(|(start, _)| *start);
        let mut line = String::new();
        for (start, piece) in pieces {
            line = pad(&line, start) + &piece;
        }
        pad(&line, *starts.last().expect("there is a lane"))
    }

    fn letter(&self, kind: Arrow) -> char {
        match (self.look.letters, kind) {
            (Letters::Unicode, Arrow::Request) => '─',
            (Letters::Unicode, Arrow::Message) => '╌',
            (Letters::Ascii, Arrow::Request) => '-',
            (Letters::Ascii, Arrow::Message) => '~',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_stand_below_each_other_whatever_the_letters() {
        let look = Look::default();
        let mut lanes = Lanes::new((Vec::new(), Vec::new()), &[NodeId(0), NodeId(1)], &look);
        for label in ["x", "キー=値", "e\u{301}", "a\nb"] {
            let mut row = Row::numbered(1, false);
            row.message(0, label, 1, "● done", Arrow::Message);
            lanes.push(row);
        }
        let drawn = lanes.drawn(100, usize::MAX).expect("it fits");
        let place = |line: &str| columns(line.split('●').next().expect("there is a first part"));
        let places: Vec<_> = drawn.lines().skip(1).map(place).collect();
        assert_eq!(places.len(), 4, "{drawn}");
        assert!(places.windows(2).all(|two| two[0] == two[1]), "{drawn}");
        assert!(drawn.contains(r"a\nb"), "{drawn}");
    }
}
