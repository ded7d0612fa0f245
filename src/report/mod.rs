//! Output for people and programs: values in, text out.
//!
//! Invariant: the same values give the same text. Nothing here opens a file,
//! reads the time or knows whether it writes to a terminal: a [`Look`] gives
//! the width, and whether colour and non-ASCII characters are allowed. Colour
//! only repeats what the words say.
//!
//! Read next: [`timeline`] for the picture of a run, [`verdict`] for the block
//! below it.

pub mod apart;
#[cfg(feature = "proptest")]
pub mod deeds;
#[cfg(feature = "proptest")]
pub mod distance;
#[cfg(feature = "proptest")]
mod full;
#[cfg(feature = "proptest")]
pub mod github;
#[cfg(feature = "proptest")]
pub mod happened;
#[cfg(feature = "proptest")]
pub mod human;
#[cfg(feature = "proptest")]
pub mod json;
#[cfg(feature = "proptest")]
pub mod json_lines;
#[cfg(feature = "proptest")]
pub mod junit;
#[cfg(feature = "proptest")]
pub mod listing;
#[cfg(feature = "proptest")]
pub mod markdown;
#[cfg(feature = "proptest")]
pub mod names;
pub mod neighbour;
#[cfg(feature = "page")]
pub mod page;
pub mod prose;
#[cfg(feature = "proptest")]
pub mod reporter;
pub mod states;
#[cfg(feature = "proptest")]
pub mod survey;
#[cfg(feature = "proptest")]
pub mod table;
pub mod timeline;
#[cfg(feature = "proptest")]
pub mod typed;
pub mod verdict;
#[cfg(feature = "proptest")]
pub mod witness;

use unicode_width::UnicodeWidthStr;

use crate::history::escape;

/// The version of the format of results for programs.
pub const SCHEMA: u32 = 1;

/// How a page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The width in columns.
    pub width: usize,
    /// Which characters may be used.
    pub letters: Letters,
    /// Whether text is coloured.
    pub ink: Ink,
}

/// Which characters may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Arrows and box-drawing characters too.
    Unicode,
    /// Only ASCII.
    Ascii,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Not at all.
    Plain,
    /// With ANSI escape codes.
    Colour,
}

/// The meaning of a coloured text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A failure.
    Bad,
    /// A success.
    Good,
    /// Something undecided.
    Doubt,
    /// A title.
    Strong,
    /// Something less important.
    Faint,
}

impl Default for Look {
    /// A hundred columns of uncoloured Unicode, for output without a terminal.
    fn default() -> Self {
        Look { width: 100, letters: Letters::Unicode, ink: Ink::Plain }
    }
}

impl Look {
    /// The text on one line and in the characters of this page. Characters that
    /// could control a terminal are escaped, because strategies and files may
    /// contain any text.
    pub fn text(&self, text: &str) -> String {
        let text = escape::line(text);
        if self.letters == Letters::Unicode || text.is_ascii() {
            return text.into_owned();
        }
        let mut plain = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '─' | '━' => plain.push('-'),
                '╌' => plain.push('~'),
                '▶' => plain.push('>'),
                '◀' => plain.push('<'),
                '●' => plain.push('*'),
                '·' => plain.push('|'),
                '×' | '✗' => plain.push('x'),
                '✓' => plain.push_str("ok"),
                '→' => plain.push_str("->"),
                '…' => plain.push_str("..."),
                ascii if ascii.is_ascii() => plain.push(ascii),
                other => plain.extend(other.escape_unicode()),
            }
        }
        plain
    }

    /// As [`text`](Self::text), with the colour of this tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let text = self.text(text);
        let code = match (self.ink, tone) {
            (Ink::Plain, _) => return text,
            (Ink::Colour, Tone::Bad) => "1;31",
            (Ink::Colour, Tone::Good) => "32",
            (Ink::Colour, Tone::Doubt) => "33",
            (Ink::Colour, Tone::Strong) => "1",
            (Ink::Colour, Tone::Faint) => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Characters with which pictures show that something happened.
const SIGNS: [char; 10] = ['─', '━', '╌', '▶', '◀', '●', '·', '×', '✗', '✓'];

/// A text from a strategy or a client, in which the characters of pictures are
/// escaped, so that it cannot draw events that did not happen.
pub(crate) fn foreign(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for letter in text.chars() {
        match SIGNS.contains(&letter) {
            true => told.extend(letter.escape_unicode()),
            false => told.push(letter),
        }
    }
    told
}

/// A count with commas: `41,200`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many columns of a terminal a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text, padded with blanks to a width in columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// The text, cut to `most` columns. Dots stand for the rest.
pub(crate) fn cut(text: &str, most: usize, look: &Look) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let dots = look.text("…");
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if columns(&cut) + columns(&dots) > most {
            cut.pop();
            break;
        }
    }
    cut.trim_end().to_owned() + &dots
}

/// Breaks a text into lines no wider than `width`, at blanks.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && columns(line) + 1 + columns(word) > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_commas_every_three_digits() {
        assert_eq!(
            [0, 12, 999, 1_000, 41_200, 1_234_567].map(count).join(" "),
            "0 12 999 1,000 41,200 1,234,567"
        );
    }

    #[test]
    fn ascii_pages_are_ascii_whatever_a_strategy_says() {
        let look = Look { letters: Letters::Ascii, ..Look::default() };
        assert_eq!(look.text("n1→n2 ╌▶ ● é"), "n1->n2 ~> * \\u{e9}");
    }

    #[test]
    fn no_text_steers_the_terminal() {
        assert_eq!(Look::default().text("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
    }

    #[test]
    fn widths_are_those_of_a_terminal() {
        assert_eq!(["x", "キー", "e\u{301}", "▶"].map(columns), [1, 4, 1, 1]);
        assert_eq!([pad("キー", 6), pad("x", 6)].map(|text| columns(&text)), [6, 6]);
        assert_eq!(wrap("キー キー", 5), ["キー", "キー"]);
    }

    #[test]
    fn long_texts_break_at_blanks_and_lose_nothing() {
        let text = "each node keeps what arrived last; nothing orders the two writes";
        let lines = wrap(text, 20);
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        assert_eq!(lines.join(" "), text);
    }
}
