//! Private keys in PEM, whole or torn.

use super::find::Found;
use super::pattern::Pattern;

static PEM_BEGIN: Pattern = Pattern::new(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----");
static PEM_LINE: Pattern = Pattern::new(r#"^(?:[\s"'#+]|\\n)*(?:[A-Za-z0-9+/=]{8,}|[A-Za-z-]+: .*)?[\s"',+\\]*$"#);

/// The bodies of PEM private keys.
pub(super) fn private_keys(text: &str, found: &mut Vec<Found>) {
    for begin in PEM_BEGIN.find_iter(text) {
        let body = &text[begin.end()..text.floor_char_boundary(begin.end() + 16 * 1024)];
        let end = match body.find("-----END") {
            Some(end) if !body[..end].contains("-----BEGIN") => end,
            _ => body.split_inclusive('\n').take_while(|line| PEM_LINE.is_match(line)).map(str::len).sum(),
        };
        let mut start = begin.end();
        for line in body[..end].split_inclusive('\n') {
            let key = line.trim();
            if !key.is_empty() {
                let at = start + line.find(key).unwrap_or(0);
                found.push(Found { span: at..at + key.len(), repeats: key.len() >= 16 });
            }
            start += line.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(PEM_BEGIN.compiles() && PEM_LINE.compiles());
    }
}
