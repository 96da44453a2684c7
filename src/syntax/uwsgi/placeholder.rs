//! `$(NAME)`, `@(file)` and `%(option)` in values, in uWSGI's passes and order (uWSGI: `uwsgi_apply_config_pass`,
//! `uwsgi_manage_placeholder`). `@(…)` is never followed: it can read any file and run any program.

use std::collections::HashMap;

/// More than any config has; keeps a self-reference, on which uWSGI hangs, from hanging the reader.
const MOST_REPLACEMENTS: usize = 64;
/// Deep nesting would make looking for them slow.
const MOST_REFERENCES: usize = 256;
/// All replacements of one file together put in no more bytes than this.
const MOST_BYTES: usize = 1 << 22;

/// Why a value is out of sight: the part of it that could not be resolved, such as `$(PORT)` or `%k`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved(pub String);

/// One option on its way through the passes.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Its name; `None` where that is not known.
    pub key: Option<String>,
    /// Its value, so far.
    pub value: Result<String, Unresolved>,
    /// Whether uWSGI applies it on sight, so that nothing in it is expanded.
    pub immediate: bool,
    /// Whether it surely counts: it is in no `if` or `for`.
    pub certain: bool,
}

enum Lookup {
    Value(String),
    Undefined,
    Unknown,
}

/// Runs the three passes. `environment` gives the variables of the process as far as they are known;
/// where `complete` is false an option that is not here may be set elsewhere.
pub fn expand_all(slots: &mut [Slot], environment: &dyn Fn(&str) -> Option<String>, complete: bool) {
    let names = Names::of(slots, complete);
    let mut budget = MOST_BYTES;
    for slot in slots.iter_mut().filter(|slot| !slot.immediate) {
        let variable = |name: &str| environment(name).map_or(Lookup::Unknown, Lookup::Value);
        replace_value(slot, '$', variable, &mut budget);
    }
    for slot in slots.iter_mut().filter(|slot| !slot.immediate) {
        replace_value(slot, '@', |_| Lookup::Unknown, &mut budget);
    }
    for at in 0..slots.len() {
        if slots[at].immediate {
            continue;
        }
        let mut slot = slots[at].clone();
        replace_value(&mut slot, '%', |name| placeholder(slots, &names, name), &mut budget);
        slots[at] = slot;
    }
}

/// Which slot `%(name)` means: the first of that name, unless one before it may have the name too.
struct Names {
    first: HashMap<String, usize>,
    first_nameless: usize,
    complete: bool,
}

impl Names {
    fn of(slots: &[Slot], complete: bool) -> Self {
        let mut first = HashMap::new();
        for (at, slot) in slots.iter().enumerate() {
            if let Some(key) = &slot.key {
                first.entry(key.clone()).or_insert(at);
            }
        }
        let first_nameless = slots.iter().position(|slot| slot.key.is_none()).unwrap_or(slots.len());
        Self { first, first_nameless, complete }
    }

    fn find(&self, slots: &[Slot], name: &str) -> Lookup {
        match self.first.get(name) {
            Some(&at) if at < self.first_nameless => match &slots[at] {
                Slot { value: Ok(value), certain: true, .. } => Lookup::Value(value.clone()),
                _ => Lookup::Unknown,
            },
            None if self.complete && self.first_nameless == slots.len() => Lookup::Undefined,
            _ => Lookup::Unknown,
        }
    }
}

fn replace_value(slot: &mut Slot, symbol: char, lookup: impl FnMut(&str) -> Lookup, budget: &mut usize) {
    if let Ok(value) = &slot.value
        && value.contains(symbol)
    {
        slot.value = replace(value, symbol, lookup, budget);
    }
}

/// Replaces every `symbol(name)` that `lookup` defines. After each replacement uWSGI starts again at the value's
/// second byte, so what was put in is looked at too, unless it stands at the very start.
fn replace(
    value: &str,
    symbol: char,
    mut lookup: impl FnMut(&str) -> Lookup,
    budget: &mut usize,
) -> Result<String, Unresolved> {
    let mut value = value.to_owned();
    let mut from = 0;
    for _ in 0..MOST_REPLACEMENTS {
        let Some((start, end)) = next_reference(&value, symbol, from) else { return Ok(value) };
        match lookup(&value[start + 2..end]) {
            Lookup::Value(text) if text.len() > *budget => break,
            Lookup::Value(text) => {
                *budget -= text.len();
                value.replace_range(start..=end, &text);
                from = value.chars().next().map_or(0, char::len_utf8);
            }
            Lookup::Undefined => from = end + 1,
            Lookup::Unknown => return Err(Unresolved(value[start..=end].to_owned())),
        }
    }
    Err(Unresolved(format!("{symbol}(…) without end")))
}

/// The first `symbol(name)` at or after `from`: the offsets of the symbol and of the matching `)`.
fn next_reference(value: &str, symbol: char, from: usize) -> Option<(usize, usize)> {
    let bytes = value.as_bytes();
    let opener = [symbol as u8, b'('];
    let mut at = from;
    while at + 1 < bytes.len() {
        if bytes[at..at + 2] != opener {
            at += 1;
            continue;
        }
        let end = closing(bytes, at + 2)?;
        if end > at + 2 {
            return Some((at, end));
        }
        at = end + 1;
    }
    None
}

fn closing(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `%(name)`: the first option of that name; with blanks, a little calculator from left to right.
fn placeholder(slots: &[Slot], names: &Names, name: &str) -> Lookup {
    if !name.contains(' ') {
        return names.find(slots, name);
    }
    let mut result: Option<String> = None;
    let mut operator = None;
    for token in name.split(' ').filter(|token| !token.is_empty()) {
        match token {
            "+" | "-" | "*" | "/" => {
                operator = Some(token);
                continue;
            }
            "++" | "--" => {
                let step = if token == "++" { 1 } else { -1 };
                result = result.map(|value| number(&value).wrapping_add(step).to_string());
                operator = None;
                continue;
            }
            _ => {}
        }
        let operand = if token.bytes().all(|byte| byte.is_ascii_digit()) {
            token.to_owned()
        } else {
            match names.find(slots, token) {
                Lookup::Value(value) => value,
                Lookup::Undefined => String::new(),
                Lookup::Unknown => return Lookup::Unknown,
            }
        };
        let left = result.unwrap_or_default();
        let (a, b) = (number(&left), number(&operand));
        result = Some(match operator.take() {
            Some("+") => a.wrapping_add(b).to_string(),
            Some("-") => a.wrapping_sub(b).to_string(),
            Some("*") => a.wrapping_mul(b).to_string(),
            Some(_) => a.checked_div(b).unwrap_or(0).to_string(),
            None => left + &operand,
        });
    }
    result.map_or(Lookup::Undefined, Lookup::Value)
}

/// C's `atoi`: the number made of the digits at the start, 0 without any.
pub fn number(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let size = digits
        .bytes()
        .take_while(u8::is_ascii_digit)
        .fold(0i64, |number, digit| number.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -size } else { size }
}

/// The option names that `%(…)` in a value asks for, operands of arithmetic included.
pub fn references(value: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut from = 0;
    for _ in 0..MOST_REFERENCES {
        let Some((start, end)) = next_reference(value, '%', from) else { break };
        names.extend(value[start + 2..end].split(' ').filter(|name| !name.is_empty()));
        // Inner references count too: `%(a%(b))`.
        from = start + 2;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(options: &[(&str, &str)], complete: bool) -> Vec<Option<String>> {
        let mut slots: Vec<Slot> = options
            .iter()
            .map(|(key, value)| Slot {
                key: Some((*key).to_owned()),
                value: Ok((*value).to_owned()),
                immediate: *key == "include",
                certain: true,
            })
            .collect();
        expand_all(&mut slots, &|name| (name == "HOME").then(|| "/root".to_owned()), complete);
        slots.into_iter().map(|slot| slot.value.ok()).collect()
    }

    #[test]
    fn placeholders_as_measured() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(expand(&[("p", "3"), ("a", "%(p * 2)")], true)[1], some("6"));
        assert_eq!(
            expand(&[("p", "3 ; four"), ("a", "%(p)"), ("b", "%(p * 2)")], true)[1..],
            [some("3 ; four"), some("6")]
        );
        assert_eq!(expand(&[("a", "x%(b)"), ("b", "%(c)/d"), ("c", "e")], true)[0], some("xe/d"));
        assert_eq!(expand(&[("a", "%(none)"), ("b", "%(none + 1)")], true), [some("%(none)"), some("1")]);
        assert_eq!(expand(&[("a", "%(none)")], false), [None]);
        assert_eq!(
            expand(&[("a", "$(HOME)/x"), ("b", "$(PORT)"), ("c", "$HOME")], true),
            [some("/root/x"), None, some("$HOME")]
        );
        assert_eq!(expand(&[("a", "p@(exec://id)w")], true), [None]);
        assert_eq!(expand(&[("include", "%(d)/x"), ("d", "y")], true)[0], some("%(d)/x"));
        assert_eq!(expand(&[("a", "%(8 / 0)"), ("b", "%(1 ++)")], true), [some("0"), some("2")]);
        assert_eq!(expand(&[("a", "x%(a)")], true), [None]);
    }

    #[test]
    fn numbers_as_atoi() {
        for (text, value) in [("30s", 30), ("auto", 0), ("", 0), (" -4", -4), ("64k", 64)] {
            assert_eq!(number(text), value, "{text}");
        }
    }
}
