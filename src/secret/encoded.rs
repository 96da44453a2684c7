//! The forms in which one secret shows up again: percent-encoded and decoded, escaped, base64, and split by a URL parser.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Adds `secret` and every form of it to `forms`.
pub(super) fn forms(secret: &str, forms: &mut BTreeSet<String>) {
    let decoded = percent_decoded(secret);
    for plain in [Some(secret.to_owned()), decoded, unescaped(secret)].into_iter().flatten() {
        for unreserved in [&b"-._~"[..], b"-._~!*'()", b"-._~!$&'()*+,;=:/"] {
            forms.extend([true, false].map(|upper| percent_encoded(&plain, upper, unreserved)));
        }
        forms.insert(percent_encoded(&plain, true, b"-._~ ").replace(' ', "+"));
        forms.insert(plain.replace('\\', "\\\\").replace('"', "\\\"").replace('\'', "\\'"));
        forms.insert(plain.replace('\\', "\\\\").replace('"', "\\\""));
        for alphabet in [STANDARD, URL_SAFE] {
            forms.extend((0..3).map(|offset| base64_inside(plain.as_bytes(), offset, alphabet)));
        }
        // `postgres://u:a@b@host` makes libpq look for the host `b@host` and say so.
        forms.extend(plain.match_indices(['@', '/', '#', '?', ':']).take(16).flat_map(|(at, _)| {
            let tail = &plain[at + 1..];
            let head = &plain[..at];
            [(tail.len() >= 4).then(|| format!("{tail}@")), (head.len() >= 8).then(|| head.to_owned())]
                .into_iter()
                .flatten()
        }));
        forms.insert(plain);
    }
}

fn percent_encoded(plain: &str, upper: bool, unreserved: &[u8]) -> String {
    let mut encoded = String::with_capacity(plain.len() * 3);
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || unreserved.contains(&byte) {
            encoded.push(byte as char);
        } else if upper {
            let _ = write!(encoded, "%{byte:02X}");
        } else {
            let _ = write!(encoded, "%{byte:02x}");
        }
    }
    encoded
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

fn unescaped(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut characters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        if character == '\\' { plain.extend(characters.next()) } else { plain.push(character) }
    }
    Some(plain)
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters of base64 that `secret` alone decides when `offset` other bytes stand before it, as in `user:secret`.
fn base64_inside(secret: &[u8], offset: usize, alphabet: &[u8; 64]) -> String {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(secret);
    let decided = padded.len() * 8 / 6;
    let first = (offset * 8).div_ceil(6);
    let bits = |index: usize| {
        let at = index * 6;
        let pair = u16::from(padded[at / 8]) << 8 | u16::from(padded.get(at / 8 + 1).copied().unwrap_or(0));
        usize::from(pair >> (10 - at % 8) & 0x3f)
    };
    (first..decided).map(|index| alphabet[bits(index)] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_at_each_offset() {
        // `printf 'user:s3cr3tpw' | base64` is dXNlcjpzM2NyM3Rwdw==
        let secret = b"s3cr3tpw";
        let inside: Vec<String> = (0..3).map(|offset| base64_inside(secret, offset, STANDARD)).collect();
        assert!(
            inside.iter().any(|form| form.len() >= 8 && "dXNlcjpzM2NyM3Rwdw==".contains(form.as_str())),
            "{inside:?}"
        );
    }

    #[test]
    fn decoding() {
        assert_eq!(percent_decoded("a%40b%zz%"), Some("a@b%zz%".to_owned()));
        assert_eq!(percent_decoded("plain"), None);
        assert_eq!(unescaped(r#"a\"b"#), Some("a\"b".to_owned()));
    }
}
