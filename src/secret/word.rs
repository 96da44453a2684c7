//! Passwords that are words: where the letters stand as a word of their own they may be the password, and within a longer name or
//! a path they are not.

use std::ops::Range;

/// Longer texts without a digit are several words run together: nobody calls anything that.
const LONGEST: usize = 15;

/// How much around a word is looked at: names are shorter, and a text of nothing but the word would take its square.
const AROUND: usize = 256;

/// Whether a secret is a word as people and programs are called, such as `tomcat`.
pub(super) fn is_word(secret: &str) -> bool {
    let rest = secret.get(1..).unwrap_or_default();
    let is_lower = rest.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_upper = secret.bytes().all(|byte| byte.is_ascii_uppercase());
    let starts = secret.starts_with(|first: char| first.is_ascii_alphabetic());
    secret.len() <= LONGEST && starts && (is_lower || is_upper)
}

/// Whether a word at `span` may be the secret: it stands alone, or where a login has its password.
pub(super) fn may_be_secret(text: &str, span: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'~' | b'+') || *byte >= 0x80
    };
    let start = if ends_in_escape(&bytes[..span.start]) {
        span.start
    } else {
        span.start - bytes[..span.start].iter().rev().take(AROUND).take_while(|byte| is_name(byte)).count()
    };
    let end = span.end + bytes[span.end..].iter().take(AROUND).take_while(|byte| is_name(byte)).count();
    let before = text.get(start..span.start).unwrap_or_default().trim_start_matches(['-', '.']);
    // The dot that ends a sentence, and the dash that goes on with it.
    let after = text.get(span.end..end).unwrap_or_default().trim_end_matches(['-', '.']);
    // `user/password`
    let of_login = || before.strip_suffix('/').is_some_and(|user| !user.is_empty() && !user.contains(['/', '.']));
    after.is_empty() && (before.is_empty() || of_login())
}

/// `%3D` and `\n`: the letters at their end belong to them.
fn ends_in_escape(before: &[u8]) -> bool {
    match before {
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        [.., b'\\', letter] => letter.is_ascii_lowercase(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_passwords() {
        for word in ["tomcat", "Minerva", "OWL", "thena"] {
            assert!(is_word(word), "{word}");
        }
        for secret in ["tomcat7", "toMcat", "to-mcat", "correcthorsebattery", "\u{e9}l\u{e8}ve", "7tomcat"] {
            assert!(!is_word(secret), "{secret}");
        }
    }

    #[test]
    fn a_word_of_its_own_may_be_the_secret() {
        let may_be = |text: &str| {
            let at = text.find("tomcat").unwrap_or_default();
            may_be_secret(text, &(at..at + "tomcat".len()))
        };
        for text in [
            "tomcat",
            "it is tomcat.",
            "'tomcat'",
            "(tomcat,)",
            "u:tomcat@db",
            "PW=tomcat;",
            "pw%3Dtomcat%26x",
            "pw:\\ntomcat\\n",
            "scott/tomcat@orcl",
            "--tomcat--",
            "...tomcat",
            "\u{201c}tomcat\u{201d}".trim_matches(['\u{201c}', '\u{201d}']),
        ] {
            assert!(may_be(text), "{text}");
        }
        for text in [
            "/opt/tomcat/conf",
            "/etc/init/tomcat.conf",
            "tomcat8",
            "tomcat.service",
            "my-tomcat",
            "libtomcat",
            "/opt/tomcat",
            "./tomcat",
            "var/lib/tomcat",
            "TOMCAT_HOME=/x/tomcat-7",
        ] {
            assert!(!may_be(text), "{text}");
        }
    }
}
