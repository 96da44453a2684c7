//! Signs by which a script or a build fills in a text before the program for which it is written reads it, and which none of
//! these programs has for itself.

/// Whether parts of the text are put in first: `%(name)s` of Python, `@NAME@` of autoconf.
pub fn is_filled_in(text: &str) -> bool {
    // Nearly no value has either sign, and every value of a configuration is asked for.
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'@')) {
        return false;
    }
    let word = |rest: &str| rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let closes = |opener: &str, closer: &str| {
        text.match_indices(opener).any(|(at, _)| {
            let rest = &text[at + opener.len()..];
            let name = word(rest);
            name > 0 && rest[name..].starts_with(closer)
        })
    };
    closes("%(", ")") || closes("@", "@")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_has_a_name_between_its_signs() {
        for text in ["%(port)s", "unix:/run/%(name)s.sock", "@bindir@/shop", "a@B_2@"] {
            assert!(is_filled_in(text), "{text}");
        }
        for text in ["@app", "shop@example.org", "100%", "%()s", "@/usr/bin/shop shop", "%(a", "% (a)", "@@"] {
            assert!(!is_filled_in(text), "{text}");
        }
    }
}
