//! Variables in the values of directives: which there are, and what `set` and `map` make of them where they are used.

use std::borrow::Cow;
use std::cell::OnceCell;

use foldhash::HashMap;

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
    /// The key of the `map` that gives it; none where `set` does, which escapes what `$1` to `$9` hold.
    pub(super) key: Option<Cow<'a, str>>,
}

/// A `map`, with what it gives its variable.
#[derive(Debug)]
pub(super) struct Map<'a> {
    block: Statement<'a>,
    values: OnceCell<Vec<Given<'a>>>,
}

impl<'a> Map<'a> {
    /// A `map` block.
    pub(super) fn new(block: Statement<'a>) -> Self {
        Self { block, values: OnceCell::new() }
    }

    /// What it looks at.
    pub(super) fn source(&self) -> Option<Cow<'a, str>> {
        self.block.text(0)
    }

    /// Its values; its own parameters are none.
    fn values(&self) -> &[Given<'a>] {
        self.values.get_or_init(|| {
            let given = |(key, value, place)| Given { value, place, key: Some(key) };
            entries(&self.block).map(given).take(MOST).collect()
        })
    }
}

/// What the `set`s of a block give variables, by their names.
pub(super) type Sets<'a> = HashMap<Cow<'a, str>, Vec<Given<'a>>>;

/// What a variable is given where it is used: by the nearest block that sets it, or by a `map`.
pub(super) fn values<'s, 'a>(name: &str, level: &'s Level<'_, 'a>, http: &'s Http<'a>) -> &'s [Given<'a>] {
    let set = level.outwards().find_map(|level| level.sets().get(name));
    set.map(Vec::as_slice).or_else(|| http.maps.get(name).map(Map::values)).unwrap_or_default()
}

/// What the `set`s of a block, and those in its `if`s, give variables.
pub(super) fn sets<'a>(level: &Level<'_, 'a>) -> Sets<'a> {
    let inner = level.all(Setting::If).flat_map(|condition| {
        let of_block = condition.directive.directives().filter(|directive| directive.is("set"));
        of_block.map(|directive| Statement { directive, ..*condition })
    });
    let mut sets = Sets::default();
    for set in level.all(Setting::Set).copied().chain(inner) {
        let (Some(name), Some(value)) = (set.text(0).and_then(without_sign), set.text(1)) else { continue };
        let given = sets.entry(name).or_default();
        if given.len() < MOST {
            given.push(Given { value, place: set.place(), key: None });
        }
    }
    sets
}

/// The name of a variable without its `$`.
fn without_sign(variable: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match variable {
        Cow::Borrowed(variable) => variable.strip_prefix('$').map(Cow::Borrowed),
        Cow::Owned(variable) => variable.strip_prefix('$').map(|name| Cow::Owned(name.to_owned())),
    }
}

/// The keys of a `map` with their values and places.
fn entries<'a>(map: &Statement<'a>) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>, Place)> {
    let map = *map;
    map.directive.items().filter_map(move |item| {
        let Item::Entry(entry) = item else { return None };
        let mut words = entry.words();
        let (key, value) = (words.next()?, words.next()?);
        (!key.value().starts_with("include")).then_some(())?;
        Some((map.known(key)?, map.known(value)?, map.document.place(entry.span())))
    })
}

/// What a value stands for.
#[derive(Debug)]
pub(super) struct Expansions {
    /// One text for each of the values that are put in.
    pub(super) all: Vec<Expansion>,
    /// Whether there are more than are followed.
    pub(super) beyond: bool,
}

/// A value with `set` and `map` put in, one text for each of their values; what nothing in sight sets stays. All variables that are
/// left have their braces.
pub(super) fn expand<'a>(text: &str, level: &Level<'_, 'a>, http: &Http<'a>) -> Expansions {
    let mut expansions = Expansions { all: Vec::new(), beyond: false };
    let mut left = vec![(Expansion { text: braced(text), through: Vec::new() }, 0)];
    while let Some((expansion, from)) = left.pop() {
        let is_room = expansions.all.len() + left.len() < MOST && expansion.through.len() < DEEPEST;
        expansions.beyond |= !http.steps.allows(expansion.text.len() - from);
        let next = (is_room && !expansions.beyond).then(|| next_given(&expansion.text, from, level, http)).flatten();
        let Some((variable, given)) = next else {
            expansions.all.push(expansion);
            continue;
        };
        for given in given {
            let map = given.key.as_ref().and_then(|_| http.maps.get(variable.name));
            let value = match map.and_then(Map::source) {
                Some(source) => with_source(&given.value, &braced(&source)),
                None => given.value.to_string(),
            };
            let text = expansion.with(variable, &braced(&value));
            let through = expansion.through.iter().copied().chain([given.place]).collect();
            left.push((Expansion { text, through }, variable.start));
        }
    }
    expansions
}

/// The first variable of a text, from a place on, that something in sight sets.
fn next_given<'t, 's, 'a>(
    text: &'t str,
    from: usize,
    level: &'s Level<'_, 'a>,
    http: &'s Http<'a>,
) -> Option<(Variable<'t>, &'s [Given<'a>])> {
    variables(&text[from..]).filter(|variable| !variable.is_numbered()).find_map(|variable| {
        let given = values(variable.name, level, http);
        let variable = Variable { start: variable.start + from, end: variable.end + from, ..variable };
        (!given.is_empty()).then_some((variable, given))
    })
}

impl Expansion {
    /// The text with `value` in place of a variable of it.
    fn with(&self, variable: Variable<'_>, value: &str) -> String {
        let (before, after) = (&self.text[..variable.start], &self.text[variable.end..]);
        format!("{before}{value}{after}")
    }
}

/// A value with braces around the name of each of its variables, so that whatever is put beside one is no part of it.
fn braced(text: &str) -> String {
    let mut with = String::with_capacity(text.len() + 8);
    let mut end = 0;
    for variable in variables(text) {
        with.push_str(&text[end..variable.start]);
        with.push_str("${");
        with.push_str(variable.name);
        with.push('}');
        end = variable.end;
    }
    with.push_str(&text[end..]);
    with
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
        assert_eq!(braced("http://$host:${port}b$uri-$1"), "http://${host}:${port}b${uri}-${1}");
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
