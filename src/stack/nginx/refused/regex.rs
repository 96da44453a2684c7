//! What PCRE surely refuses in a regular expression, and the captures that it names.

/// Why PCRE refuses `pattern`, where that is sure; in PCRE's own words, with the byte where it is noticed.
pub(super) fn refused(pattern: &str) -> Option<(&'static str, usize)> {
    Scan::of(pattern).err()
}

/// The names of the captures of a pattern: `(?<name>…)`, `(?P<name>…)`, `(?'name'…)`.
pub(in crate::stack::nginx) fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.match_indices("(?").filter_map(|(at, opener)| {
        let rest = &pattern[at + opener.len()..];
        let rest = rest.strip_prefix('P').unwrap_or(rest);
        let (name, end) = match rest.as_bytes() {
            [b'<', ..] => (&rest[1..], '>'),
            [b'\'', ..] => (&rest[1..], '\''),
            _ => return None,
        };
        let name = &name[..name.find(end)?];
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then_some(name)
    })
}

/// What stands before the next sign of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The start of an alternative, or a place such as `^`: nothing that could be repeated.
    Nothing,
    /// Something that a quantifier may follow.
    Item,
    /// A quantifier, which `?` or `+` may follow.
    Quantifier,
}

struct Scan<'a> {
    pattern: &'a [u8],
    at: usize,
    open: usize,
    before: Before,
}

type Refused = (&'static str, usize);

impl<'a> Scan<'a> {
    fn of(pattern: &'a str) -> Result<(), Refused> {
        // With `(?x)` blanks and comments mean nothing, which is not followed here.
        if has_extended_flag(pattern) {
            return Ok(());
        }
        let mut scan = Self { pattern: pattern.as_bytes(), at: 0, open: 0, before: Before::Nothing };
        while let Some(byte) = scan.pattern.get(scan.at) {
            scan.step(*byte)?;
        }
        match scan.open {
            0 => Ok(()),
            _ => Err(("missing closing parenthesis", pattern.len())),
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.pattern[self.at..]
    }

    fn step(&mut self, byte: u8) -> Result<(), Refused> {
        match byte {
            b'\\' => self.escape(),
            b'[' => self.class(),
            b'(' => self.group(),
            b')' => {
                self.open = self.open.checked_sub(1).ok_or(("unmatched closing parenthesis", self.at))?;
                self.take(1, Before::Item)
            }
            b'|' | b'^' | b'$' => self.take(1, Before::Nothing),
            b'*' | b'+' | b'?' => self.quantifier(1),
            b'{' => match counts(self.rest()) {
                Some((length, least, most)) => {
                    if most.is_some_and(|most| most < least) {
                        return Err(("numbers out of order in {} quantifier", self.at + length));
                    }
                    if most.unwrap_or(least).max(least) > 65_535 {
                        return Err(("number too big in {} quantifier", self.at + length));
                    }
                    self.quantifier(length)
                }
                None => self.take(1, Before::Item),
            },
            _ => self.take(1, Before::Item),
        }
    }

    fn take(&mut self, length: usize, before: Before) -> Result<(), Refused> {
        self.at += length;
        self.before = before;
        Ok(())
    }

    fn quantifier(&mut self, length: usize) -> Result<(), Refused> {
        match self.before {
            Before::Item => self.take(length, Before::Quantifier),
            // Lazy or possessive; that is all that may follow.
            Before::Quantifier if matches!(self.pattern[self.at], b'?' | b'+') => self.take(length, Before::Nothing),
            Before::Quantifier | Before::Nothing => Err(("quantifier does not follow a repeatable item", self.at)),
        }
    }

    fn escape(&mut self) -> Result<(), Refused> {
        match self.rest() {
            [_] => Err(("\\ at end of pattern", self.pattern.len())),
            [_, b'Q', literal @ ..] => {
                let end = literal.windows(2).position(|pair| pair == b"\\E");
                self.take(end.map_or(self.rest().len(), |end| end + 4), Before::Item)
            }
            // Places rather than signs.
            [_, b'b' | b'B' | b'A' | b'Z' | b'z' | b'G' | b'K', ..] => self.take(2, Before::Nothing),
            _ => self.take(2, Before::Item),
        }
    }

    /// A `[…]`: a `]` right at its start is a member, and so is all of `[:alpha:]`.
    fn class(&mut self) -> Result<(), Refused> {
        let start = self.at;
        self.at += 1;
        if self.rest().first() == Some(&b'^') {
            self.at += 1;
        }
        let mut first = true;
        loop {
            match self.rest() {
                [] => return Err(("missing terminating ] for character class", self.pattern.len())),
                [b']', ..] if !first => return self.take(1, Before::Item),
                [b'\\', _, ..] => self.at += 2,
                [b'[', b':', name @ ..] => {
                    let end = name.windows(2).position(|pair| pair == b":]");
                    let is_name =
                        |end: &usize| name[..*end].iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'^');
                    self.at += end.filter(is_name).map_or(1, |end| end + 4);
                }
                [from, b'-', to, ..] if from.is_ascii_alphanumeric() && to.is_ascii_alphanumeric() && from > to => {
                    return Err(("range out of order in character class", self.at + 2));
                }
                [from, b'-', to, ..] if from.is_ascii_alphanumeric() && to.is_ascii_alphanumeric() => self.at += 3,
                _ => self.at += 1,
            }
            first = false;
            debug_assert!(self.at > start);
        }
    }

    fn group(&mut self) -> Result<(), Refused> {
        match self.rest() {
            // A verb such as `(*UTF8)`.
            [b'(', b'*', verb @ ..] if verb.first().is_some_and(u8::is_ascii_uppercase) => {
                match verb.iter().position(|byte| *byte == b')') {
                    Some(end) => self.take(end + 3, Before::Nothing),
                    None => Err(("missing closing parenthesis", self.pattern.len())),
                }
            }
            [b'(', b'?', b'#', comment @ ..] => match comment.iter().position(|byte| *byte == b')') {
                Some(end) => {
                    self.at += end + 4;
                    Ok(())
                }
                None => Err(("missing ) after (?# comment", self.pattern.len())),
            },
            [b'(', b'?', inner @ ..] if let Some(flags) = flags(inner) => self.take(flags + 3, Before::Nothing),
            [b'(', b'?', inner @ ..] => {
                self.open += 1;
                // What follows `(?` up to its sign is no pattern: `(?<name>`, `(?i-s:`, `(?=`.
                let sign =
                    inner.iter().position(|byte| matches!(byte, b':' | b'=' | b'!' | b'>' | b'\'' | b'|' | b')'));
                let length = match (inner.first(), sign) {
                    // `(?(1)…)`, `(?R)`: what stands there repeats like an item.
                    (Some(b'('), _) | (_, None) => 2,
                    (_, Some(sign)) if inner[sign] == b')' => sign + 2,
                    (_, Some(sign)) => sign + 3,
                };
                self.take(length, Before::Nothing)
            }
            _ => {
                self.open += 1;
                self.take(1, Before::Nothing)
            }
        }
    }
}

/// How many flags stand before the `)` of `(?i)` or `(?i-s)`; `None` where it is another group.
fn flags(inner: &[u8]) -> Option<usize> {
    let length = inner.iter().position(|byte| !b"imsnJUX-^".contains(byte))?;
    (length > 0 && inner[length] == b')').then_some(length)
}

fn has_extended_flag(pattern: &str) -> bool {
    pattern.match_indices("(?").any(|(at, opener)| {
        let flags = pattern[at + opener.len()..].bytes();
        flags.take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'^')).any(|byte| byte == b'x')
    })
}

/// `{n}`, `{n,}` or `{n,m}` at the start: its length and bounds; anything else is no quantifier.
fn counts(text: &[u8]) -> Option<(usize, u32, Option<u32>)> {
    let end = text.iter().take(14).position(|byte| *byte == b'}')?;
    let inner = std::str::from_utf8(&text[1..end]).ok()?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (least, most) = match inner.split_once(',') {
        None => (digits(inner)?, None),
        Some((least, "")) => (digits(least)?, None),
        Some((least, most)) => (digits(least)?, Some(digits(most)?)),
    };
    Some((end + 1, least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pcre_refuses() {
        let cases = [
            ("^/(a", "missing closing parenthesis"),
            ("a)", "unmatched closing parenthesis"),
            ("[a-z", "missing terminating ] for character class"),
            ("[]", "missing terminating ] for character class"),
            ("*.php", "quantifier does not follow a repeatable item"),
            ("a|*b", "quantifier does not follow a repeatable item"),
            ("(+a)", "quantifier does not follow a repeatable item"),
            ("a**", "quantifier does not follow a repeatable item"),
            ("a{2}{3}", "quantifier does not follow a repeatable item"),
            ("a*??", "quantifier does not follow a repeatable item"),
            ("^*", "quantifier does not follow a repeatable item"),
            (r"\b+", "quantifier does not follow a repeatable item"),
            ("(?i)*", "quantifier does not follow a repeatable item"),
            ("a{70000}", "number too big in {} quantifier"),
            ("a{3,1}", "numbers out of order in {} quantifier"),
            ("[z-a]", "range out of order in character class"),
            ("a\\", "\\ at end of pattern"),
            ("(?#a", "missing ) after (?# comment"),
        ];
        for (pattern, message) in cases {
            assert_eq!(refused(pattern).map(|(message, _)| message), Some(message), "{pattern}");
        }
    }

    #[test]
    fn what_pcre_takes() {
        for pattern in [
            "",
            "^/a$",
            r"\.(?:css|js)$",
            "[]a]",
            "[^]]+",
            "[[:alpha:]_-]+",
            r"a{2}{",
            "a{,3}b{x}",
            "a{2,3}?",
            "a*+b++c??",
            r"^(?<name>[^/]+)/(?P<rest>.*)$",
            "(?i)a",
            "(?i:a)b",
            "(?=a)(?!b)(?<=c)(?<!d)e",
            r"\Q(\E",
            r"\(\[\\",
            "(?>a)*",
            "(?x) ( # open\n a )",
            "(*UTF8)é",
            "(?=a)*()*(?:)+",
            "(?R)?",
            "(?(1)a|b)",
            "{a}",
            "x[a\\]b]y",
            "(a|)+",
            "é*",
            "[é-ü]",
            "(?'n'a)",
        ] {
            assert_eq!(refused(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn captures_have_names() {
        let names = |pattern| names(pattern).collect::<Vec<_>>();
        assert_eq!(names(r"^(?<one>a)(?P<two_2>b)(?'three'c)(?<=d)(?<!e)(?:f)"), ["one", "two_2", "three"]);
        assert!(names("(?<").is_empty() && names("(?<a").is_empty());
    }
}
