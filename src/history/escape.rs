//! Escapes for characters that would control the terminal or viewer that shows
//! them.
//!
//! Recordings, keys, labels and names are untrusted input. A newline in one of
//! them could begin a line that looks like a verdict, an escape code could
//! erase the lines above it, and a direction mark could reverse the rest of the
//! line. (Boucher and Anderson, *Trojan Source*, 2021.)

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is a control character (C0, DEL, C1), ends a line or a
/// paragraph, or changes the direction of the text around it.
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}

/// The text on one line, with escapes for the characters that [`steers`] finds:
/// `\n`, `\u{1b}`.
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

/// The longest text that [`short`] shows whole, in characters.
const SHORT: usize = 80;

/// The text itself, or, if it is long, its beginning and its length.
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

/// Escapes the characters that [`steers`] finds, in a JSON text or in a part of
/// a JSON string that needs no other escapes. A newline between values stays.
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

/// Adds the escape of a character that JSON and EDN share: `\u` and four hex
/// digits. Four are enough for every character that [`steers`] finds.
pub(super) fn push_unit(text: &mut String, letter: char) {
    write!(text, "\\u{:04x}", u32::from(letter)).expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All characters.
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
