//! Variables in the values of directives: which there are, and what `set` and `map` make of them where they are used.

use std::borrow::Cow;

use super::include::Statement;
use super::level::{Level, Setting};
use super::survey::Http;
use crate::source::Place;
use crate::syntax::nginx::Item;

/// How often a variable is looked up through others before the rest is left as it stands.
const DEEPEST: usize = 5;

/// How many texts one value may stand for before the rest is left out.
const MOST: usize = 32;

/// A value with `set` and `map` put in: what is left of variables is nginx's own, or captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expansion {
    /// The value.
    pub(super) text: String,
    /// The directives that led to it, in order.
    pub(super) through: Vec<Place>,
}

/// A variable in a value: its name, and where `$name` or `${name}` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variable<'t> {
    /// Its name, without `$` and braces.
    pub(super) name: &'t str,
    /// From its `$` on.
    pub(super) start: usize,
    /// Up to here.
    pub(super) end: usize,
}

impl Variable<'_> {
    /// Whether it is `$1` to `$9`.
    pub(super) fn is_numbered(self) -> bool {
        self.number().is_some()
    }

    /// Whether nginx itself puts a capture there: in braces it would look for a variable of that name.
    pub(super) fn is_capture(self) -> bool {
        self.is_numbered() && self.end - self.start == 2
    }

    /// The number of the group it stands for.
    pub(super) fn number(self) -> Option<u32> {
        self.name.parse().ok().filter(|number| (1..=9).contains(number))
    }
}

/// What a `$` in a value is to nginx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference<'t> {
    /// `$name`, `${name}`, or `$1` to `$9`.
    Variable(Variable<'t>),
    /// `${name` without its bracket, which nginx refuses.
    Unclosed(Variable<'t>),
    /// `$` with nothing behind it that could be a name, which nginx refuses.
    Nameless,
}

/// Every `$` of a value in order, as `ngx_http_script_compile` takes them, read on behind what it refuses.
pub(super) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.find('$')?;
        let after = &text[start + 1..];
        let open = usize::from(after.starts_with('{'));
        let rest = &after[open..];
        let is_capture = open == 0 && rest.starts_with(|c: char| matches!(c, '1'..='9'));
        let length = if is_capture { 1 } else { rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len()) };
        let close = usize::from(open == 1 && rest[length..].starts_with('}'));
        at = start + 1 + open + length + close;
        let variable = Variable { name: &rest[..length], start, end: at };
        Some(match (open > close, length) {
            (true, _) if !rest.is_empty() => Reference::Unclosed(variable),
            (false, 1..) => Reference::Variable(variable),
            _ => Reference::Nameless,
        })
    })
}

/// The variables of a value, whatever else nginx refuses in it.
pub(super) fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    references(text).filter_map(|reference| match reference {
        Reference::Variable(variable) => Some(variable),
        Reference::Unclosed(variable) => Some(variable).filter(|variable| !variable.name.is_empty()),
        Reference::Nameless => None,
    })
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// One value that a variable may have been given.
#[derive(Debug, Clone)]
pub(super) struct Given<'a> {
    /// The value, which may hold variables.
    pub(super) value: Cow<'a, str>,
    /// Where it stands.
    pub(super) place: Place,
    /// Whether `set` gives it, which escapes what `$1` to `$9` hold; else a `map` does.
    pub(super) by_set: bool,
}

/// What a variable is given where it is used: by the nearest block that sets it, or by a `map`.
pub(super) fn values<'a>(name: &str, level: &Level<'_, 'a>, http: &Http<'a>) -> Vec<Given<'a>> {
    for level in level.outwards() {
        let set = sets(name, level);
        if !set.is_empty() {
            return set;
        }
    }
    http.maps.get(name).map(mapped).unwrap_or_default()
}

/// What the `set`s of a block, and those in its `if`s, give a variable.
fn sets<'a>(name: &str, level: &Level<'_, 'a>) -> Vec<Given<'a>> {
    let value = |set: &Statement<'a>| {
        let is_it = set.text(0).is_some_and(|variable| variable.strip_prefix('$') == Some(name));
        Some(Given { value: set.text(1).filter(|_| is_it)?, place: set.place(), by_set: true })
    };
    let inner = level.all(Setting::If).flat_map(|condition| {
        let of_block = condition.directive.directives().filter(|directive| directive.is("set"));
        of_block.map(|directive| Statement { directive, ..*condition })
    });
    level.all(Setting::Set).copied().chain(inner).filter_map(|set| value(&set)).take(MOST).collect()
}

/// The values of a `map`; its own parameters are none.
fn mapped<'a>(map: &Statement<'a>) -> Vec<Given<'a>> {
    entries(map).map(|(_, value, place)| Given { value, place, by_set: false }).take(MOST).collect()
}

/// The keys of a `map` with their values and places.
pub(super) fn entries<'a>(map: &Statement<'a>) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>, Place)> {
    let map = *map;
    map.directive.items().filter_map(move |item| {
        let Item::Entry(entry) = item else { return None };
        let mut words = entry.words();
        let (key, value) = (words.next()?, words.next()?);
        (!key.value().starts_with("include")).then_some(())?;
        Some((map.known(key)?, map.known(value)?, map.document.place(entry.span())))
    })
}

/// A value with `set` and `map` put in, one text for each of their values; what nothing in sight sets stays, in braces.
pub(super) fn expand<'a>(text: &str, level: &Level<'_, 'a>, http: &Http<'a>) -> Vec<Expansion> {
    let mut done = Vec::new();
    let mut left = vec![(Expansion { text: text.to_owned(), through: Vec::new() }, 0)];
    while let Some((expansion, from)) = left.pop() {
        let Some(variable) = variables(&expansion.text).find(|variable| variable.start >= from) else {
            done.push(expansion);
            continue;
        };
        let is_more = done.len() + left.len() < MOST && expansion.through.len() < DEEPEST && !variable.is_numbered();
        let given = if is_more { values(variable.name, level, http) } else { Vec::new() };
        if given.is_empty() {
            let (text, end) = expansion.with(variable, &format!("${{{}}}", variable.name));
            left.push((Expansion { text, ..expansion }, end));
            continue;
        }
        for given in given {
            let source = http.maps.get(variable.name).and_then(|map| map.text(0)).filter(|_| !given.by_set);
            let value = source.map_or_else(|| given.value.to_string(), |source| with_source(&given.value, &source));
            let (text, _) = expansion.with(variable, &value);
            let through = expansion.through.iter().copied().chain([given.place]).collect();
            left.push((Expansion { text, through }, variable.start));
        }
    }
    done
}

impl Expansion {
    /// The text with `value` in place of a variable of it, and where the value ends.
    fn with(&self, variable: Variable<'_>, value: &str) -> (String, usize) {
        let (before, after) = (&self.text[..variable.start], &self.text[variable.end..]);
        (format!("{before}{value}{after}"), variable.start + value.len())
    }
}

/// A value of a `map` with what the map looks at in place of the groups of its keys: they are parts of that.
fn with_source(value: &str, source: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut end = 0;
    for variable in variables(value).filter(|variable| variable.is_numbered()) {
        text.push_str(&value[end..variable.start]);
        text.push_str(source);
        end = variable.end;
    }
    text.push_str(&value[end..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_nginx_ends_them() {
        let names = |text| variables(text).map(|variable| variable.name).collect::<Vec<_>>();
        assert_eq!(names("http://$host:${port}b$uri"), ["host", "port", "uri"]);
        assert_eq!(names("$12a $ ${} ${a"), ["1", "a"]);
        assert_eq!(with_source("a$1-$2b", "$host"), "a$host-$hostb");
    }

    #[test]
    fn references_as_nginx_takes_them() {
        let all = |text| references(text).collect::<Vec<_>>();
        let variable = |name, start, end| Reference::Variable(Variable { name, start, end });
        assert_eq!(
            all("$scheme://$host$request_uri"),
            [variable("scheme", 0, 7), variable("host", 10, 15), variable("request_uri", 15, 27)]
        );
        assert_eq!(all("a${b}c$1$d"), [variable("b", 1, 5), variable("1", 6, 8), variable("d", 8, 10)]);
        assert_eq!(all("${b"), [Reference::Unclosed(Variable { name: "b", start: 0, end: 3 })]);
        assert_eq!(all("a$"), [Reference::Nameless]);
        assert_eq!(all("$-$a"), [Reference::Nameless, variable("a", 2, 4)]);
        assert_eq!(all("${"), [Reference::Nameless]);
        assert_eq!(all("é$0é"), [variable("0", 2, 4)]);
        assert!(all("plain").is_empty() && all("").is_empty());
        let captures =
            |text| references(text).filter(|found| matches!(found, Reference::Variable(one) if one.is_capture()));
        assert_eq!((captures("$1 $9a").count(), captures("${1} $0 $a1").count()), (2, 0));
    }
}
