//! What Upstart does to the words of a stanza without saying so (Upstart: nih/config.c, `nih_config_next_token`).

use crate::source::{Located, Span};
use crate::syntax::upstart::lexer::is_blank;

/// One way in which a value comes out otherwise than it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// `#` in the middle of a word starts a comment: the rest of the line is gone.
    Cut,
    /// A backslash before anything but a blank or a backslash stays in the value, also before a quote.
    KeptBackslash,
    /// The blank before a backslash comes out as one more backslash.
    EatenBlank,
    /// A line break inside quotes comes out as one blank.
    JoinedLines,
}

/// What happens to the words in `span`, in order. Of a command for the shell, backslashes are none of Upstart's business.
pub fn quirks(text: &str, span: Span, is_command: bool) -> Vec<Located<Quirk>> {
    let bytes = text.as_bytes();
    let end = span.range().end.min(bytes.len());
    let mut all = Vec::new();
    let mut quote = None;
    let mut at = span.range().start;
    while at < end {
        let byte = bytes[at];
        match byte {
            b'\\' => {
                let next = bytes.get(at + 1).copied().unwrap_or(b'\n');
                let escaped = text[at + 1..end].chars().next().map_or(0, char::len_utf8);
                let here = Span::new(at, at + 1 + escaped);
                let after_blank = at > span.range().start && is_blank(bytes[at - 1]);
                if next != b'\n' && after_blank && (quote.is_some() || is_command) {
                    all.push(Located::new(Quirk::EatenBlank, here));
                } else if !is_command && next != b'\n' && next != b'\\' && !is_blank(next) {
                    all.push(Located::new(Quirk::KeptBackslash, here));
                }
                at += 1;
            }
            b'"' | b'\'' if quote.is_none() => quote = Some(byte),
            _ if quote == Some(byte) => quote = None,
            b'\n' if quote.is_some() => all.push(Located::new(Quirk::JoinedLines, Span::new(at, at + 1))),
            b'#' if quote.is_none() => {
                let before = bytes[..at].last().copied().unwrap_or(b'\n');
                if at > span.range().start && !is_blank(before) && !matches!(before, b'\n' | b';' | b'&' | b'|' | b')')
                {
                    let word = bytes[at..end].iter().take_while(|byte| !is_blank(**byte) && **byte != b'\n').count();
                    all.push(Located::new(Quirk::Cut, Span::new(at, at + word)));
                }
                // A comment goes to the end of its line; a condition in parentheses goes on after that.
                at += bytes[at..end].iter().position(|byte| *byte == b'\n').unwrap_or(end - at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    all
}
