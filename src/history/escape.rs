//! Letters that would steer whoever shows them, written so that they cannot.
//!
//! Recordings, keys, labels and names come from elsewhere. A newline in one of
//! them could begin a line of its own that looks like a verdict, an escape code
//! could wipe out what stands above it, and a mark of direction could turn the
//! rest of the line round. (Boucher and Anderson, *Trojan Source*, 2021.)

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a letter is a control character (C0, DEL, C1), ends a line or a
/// paragraph, or changes the direction of what stands beside it.
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}

/// A text in one line, with escapes for what steers: `\n`, `\u{1b}`.
///
/// ```
/// use quiescence::history::escape;
///
/// assert_eq!(escape::line("x\n✓ holds\u{202e}"), r"x\n✓ holds\u{202e}");
/// ```
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match steers(letter) {
            true => line.extend(letter.escape_default()),
            false => line.push(letter),
        }
    }
    Cow::Owned(line)
}

/// Longer texts are told by their beginning, in letters.
const SHORT: usize = 80;

/// A text as it is, or if it is long its beginning and how long it is.
///
/// ```
/// use quiescence::history::escape;
///
/// assert_eq!(escape::short("key"), "key");
/// assert!(escape::short(&"k".repeat(5_000)).ends_with("kkk… (5000 letters)"));
/// ```
pub fn short(text: &str) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(SHORT) else { return Cow::Borrowed(text) };
    Cow::Owned(format!("{}… ({} letters)", &text[..end], text.chars().count()))
}

/// A JSON text, or a part of a JSON string that needs no other escapes, with
/// escapes for what steers; a newline between values stays.
pub fn in_json(json: &str) -> Cow<'_, str> {
    let escaped = |letter: char| steers(letter) && letter != '\n';
    if !json.contains(escaped) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 8);
    for letter in json.chars() {
        match escaped(letter) {
            true => push_unit(&mut text, letter),
            false => text.push(letter),
        }
    }
    Cow::Owned(text)
}

/// A JSON string.
pub fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text is serialisable");
    in_json(&quoted).into_owned()
}

/// Adds what stands for a letter in JSON and in EDN. All that steer are in the
/// first plane.
pub(super) fn push_unit(text: &mut String, letter: char) {
    write!(text, "\\u{:04x}", u32::from(letter)).expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter there is.
    fn letters() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    #[test]
    fn no_letter_steers_from_a_line_or_a_json_string() {
        for letter in letters() {
            let text = letter.to_string();
            assert!(!line(&text).contains(steers), "{letter:?}");
            let json = json(&text);
            assert!(!json.contains(steers), "{letter:?}");
            assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text), "{letter:?}");
        }
    }

    #[test]
    fn what_steers_is_in_the_first_plane() {
        assert!(letters().filter(|letter| steers(*letter)).all(|letter| letter <= '\u{ffff}'));
    }
}
