//! Text as a terminal may have it: no control, bidi or invisible character reaches it raw.

use std::borrow::Cow;
use std::fmt::Write as _;

/// For texts of one line: each dangerous character is written as `\u{..}`, a tab as a space.
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character == '\t' || is_dangerous(character)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\t' => shown.push(' '),
            _ if is_dangerous(character) => {
                let _ = write!(shown, "\\u{{{:x}}}", character as u32);
            }
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// For source texts: each dangerous character becomes a harmless one of as many bytes, so that spans stay true.
/// Tabs and line ends stay.
pub fn sanitise_equal(text: &str) -> Cow<'_, str> {
    let keep = |character: char| matches!(character, '\t' | '\n' | '\r') || !is_dangerous(character);
    if text.chars().all(keep) {
        return Cow::Borrowed(text);
    }
    let stand_in = |character: char| match character.len_utf8() {
        1 => "?",
        2 => "\u{b7}",
        3 => "\u{fffd}",
        _ => "\u{fffd}?",
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if keep(character) { shown.push(character) } else { shown.push_str(stand_in(character)) }
    }
    Cow::Owned(shown)
}

/// C0 and C1 controls, bidi overrides, and characters that show as nothing.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangerous_stays() {
        let hostile = "a\u{1b}]52;c;x\u{7}\u{9b}31m\u{202e}b\u{200b}\u{e0041}\u{fffb}\r\n\tc";
        let shown = sanitise(hostile);
        assert_eq!(shown, "a\\u{1b}]52;c;x\\u{7}\\u{9b}31m\\u{202e}b\\u{200b}\\u{e0041}\\u{fffb}\\u{d}\\u{a} c");
        let equal = sanitise_equal(hostile);
        assert_eq!(equal.len(), hostile.len());
        assert_eq!(equal, "a?]52;c;x?\u{b7}31m\u{fffd}b\u{fffd}\u{fffd}?\u{fffd}\r\n\tc");
        assert!(matches!(sanitise("plain \u{e9}"), Cow::Borrowed(_)));
    }
}
