//! Lines that are wider than the terminal are broken at blanks, so that no word is torn and
//! what belongs together stays indented. Where no terminal reads, lines stay whole.

use crate::report::columns as wide;

/// The text with every line that is wider than `width` columns broken at blanks. A command
/// of this program stays on one line, because it is there to be copied; so does a word.
pub fn fold(text: &str, width: usize, program: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match columns(line.trim_end()) > width {
            true => break_up(line, width, program, &mut folded),
            false => folded.push_str(line),
        }
    }
    folded
}

fn break_up(line: &str, width: usize, program: &str, folded: &mut String) {
    let indent = indent(line, width);
    let (mut used, mut is_empty) = (0, true);
    for piece in pieces(line, program) {
        let word = piece.trim_start_matches(' ');
        let blanks = piece.len() - word.len();
        if !is_empty && used + blanks + columns(word) > width {
            folded.push('\n');
            folded.push_str(&" ".repeat(indent));
            used = indent;
        } else {
            folded.push_str(&piece[..blanks]);
            used += blanks;
        }
        folded.push_str(word);
        used += columns(word);
        is_empty = false;
    }
    folded.push('\n');
}

/// The words of a line, each with the blanks before it.
fn pieces<'l>(line: &'l str, program: &str) -> Vec<&'l str> {
    let mut rest = line.trim_end();
    let mut pieces: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let word = rest.trim_start_matches(' ');
        let blanks = rest.len() - word.len();
        let end = blanks + word.find(' ').unwrap_or(word.len());
        // A command stands alone in its column or ends a sentence. The name of the program
        // may also be a word of English.
        let begins = blanks > 1 || pieces.last().is_none_or(|before| before.ends_with(':'));
        let end = if begins && &rest[blanks..end] == program { rest.len() } else { end };
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// Where the further lines of a line begin: below the text that follows a mark or a label,
/// else two columns further in than the line.
fn indent(line: &str, width: usize) -> usize {
    let word = line.trim_start_matches(' ');
    let blanks = line.len() - word.len();
    let label = &word[..word.find("  ").unwrap_or(0)];
    let gap = word[label.len()..].len() - word[label.len()..].trim_start_matches(' ').len();
    let below = blanks + columns(label) + gap;
    match !label.is_empty() && below <= width / 3 {
        true => below,
        false => (blanks + 2).min(width / 3),
    }
}

/// How many columns a text takes on a terminal, without the codes of its colours.
fn columns(text: &str) -> usize {
    wide(&anstream::adapter::strip_str(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_is_wider_is_broken_at_blanks() {
        let line = "ok    no violation in larger runs: 2,000 runs, 7,063 states\n";
        assert_eq!(fold(line, 59, "q"), line);
        assert_eq!(
            fold(line, 40, "q"),
            "ok    no violation in larger runs: 2,000\n      runs, 7,063 states\n"
        );
        assert_eq!(
            fold("      proved: 3 sessions\n", 20, "q"),
            "      proved: 3\n      sessions\n"
        );
        let colour = "\x1b[1;31mFAIL\x1b[0m  \x1b[1meventual\x1b[0m  2 actions\n";
        assert_eq!(fold(colour, 25, "q"), colour);
        assert_eq!(
            fold(colour, 20, "q"),
            "\x1b[1;31mFAIL\x1b[0m  \x1b[1meventual\x1b[0m  2\n      actions\n"
        );
    }

    #[test]
    fn commands_and_words_stay_whole() {
        let line = "again: q check --seed 0x5eed91c4 --runs 10\n";
        assert_eq!(fold(line, 20, "q"), "again:\n  q check --seed 0x5eed91c4 --runs 10\n");
        assert_eq!(fold("/a/very/long/path/to/a/file\n", 10, "q"), "/a/very/long/path/to/a/file\n");
        assert_eq!(fold("read x at q and saw\n", 12, "q"), "read x at q\n  and saw\n");
    }

    #[test]
    fn no_line_with_blanks_is_too_wide_and_no_word_is_lost() {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text =
            "  ✓  eventual   promised holds   found キー nothing  in 10 runs\n\n   a b c d e f g h";
        for width in 12..80 {
            let folded = fold(text, width, "q");
            assert!(folded.lines().all(|line| columns(line) <= width), "{width}: {folded}");
            assert_eq!(words(&folded), words(text));
        }
    }
}
