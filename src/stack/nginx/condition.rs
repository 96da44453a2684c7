//! What an `if` asks, and what it does to the location it stands in (`ngx_http_rewrite_if_condition`).

use std::borrow::Cow;
use std::ops::Range;

use super::include::{Assembly, Statement};
use super::level::{Context, Level, Setting};
use super::survey::Rows;
use crate::rows;
use crate::source::Place;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one `if` of nginx that does not do what it looks like; keyed by why: `decided`, `in-location`"]
    pub struct If in "nginx_conditions" {
        #[doc = "the condition as written"]
        condition: String,
        #[doc = "why its answer is always the same"]
        because: String,
        #[doc = "whether it always holds, rather than never"]
        always: bool,
        #[doc = "the condition as it was probably meant"]
        cure: String,
        #[doc = "what it holds that takes the place of the location's own"]
        directives: Vec<String>,
        #[doc = "the location's `try_files`, which is not looked at when the condition holds"]
        try_files: String,
        #[doc = "an `if` before it in the same location, of which nothing is left when both conditions hold"]
        earlier: String,
    }
}

/// What an `if` asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition<'a> {
    words: Vec<Cow<'a, str>>,
}

impl<'a> Condition<'a> {
    /// The words of an `if` without its parentheses; `None` where a template tag is among them.
    pub(super) fn of(statement: &Statement<'a>) -> Option<Self> {
        let words: Option<Vec<Cow<'a, str>>> =
            statement.directive.arguments().map(|word| statement.known(word)).collect();
        let words = words?;
        let texts: Vec<&str> = words.iter().map(|word| &**word).collect();
        Some(Self { words: inside(&texts)?.into_iter().map(|(at, range)| cut(&words[at], range)).collect() })
    }

    /// The variable and the expression it is matched with, where it is.
    pub(super) fn expression(&self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let [variable, operator, expression] = self.words.as_slice() else { return None };
        matches!(&**operator, "~" | "~*").then(|| (variable.clone(), expression.clone()))
    }

    /// The variable, without its `$`, and the text that it is compared with, and whether it asks for the same.
    fn comparison(&self) -> Option<(&str, &str, bool)> {
        let [variable, operator, value] = self.words.as_slice() else { return None };
        let variable = variable.strip_prefix('$')?;
        match &**operator {
            "=" => Some((variable, value, true)),
            "!=" => Some((variable, value, false)),
            _ => None,
        }
    }
}

fn cut<'a>(word: &Cow<'a, str>, range: Range<usize>) -> Cow<'a, str> {
    match word {
        Cow::Borrowed(word) => Cow::Borrowed(&word[range]),
        Cow::Owned(word) => Cow::Owned(word[range].to_owned()),
    }
}

/// What stands between the parentheses of an `if`: the numbers of its words, each with the bytes of it that count. Nothing is left
/// out but a parenthesis that stands alone; `None` where one of the two is missing.
pub(super) fn inside(words: &[&str]) -> Option<Vec<(usize, Range<usize>)>> {
    let last = words.len().checked_sub(1)?;
    let mut parts: Vec<(usize, Range<usize>)> = words.iter().map(|word| 0..word.len()).enumerate().collect();
    words[0].strip_prefix('(')?;
    parts[0].1.start = 1;
    words[last].get(parts[last].1.start..)?.strip_suffix(')')?;
    parts[last].1.end -= 1;
    let is_left = |(at, range): &(usize, Range<usize>)| last == 0 || !range.is_empty() || (*at > 0 && *at < last);
    let left: Vec<_> = parts.iter().filter(|part| is_left(part)).cloned().collect();
    // Of an empty condition the place is left.
    Some(if left.is_empty() { parts.split_off(last) } else { left })
}

/// Tells of an `if` whose answer is always the same.
pub(super) fn of_if(statement: &Statement<'_>, rows: &mut Rows) {
    let Some(condition) = Condition::of(statement) else { return };
    let Some(decided) = glued(&condition).or_else(|| decided(&condition)) else { return };
    let mut row = If::at(statement.place());
    row.key = "decided".to_owned();
    row.condition = Fact::read(condition.words.join(" "), words_place(statement));
    row.because = Fact::derived(decided.because);
    row.always = Fact::derived(decided.always);
    row.cure = decided.cure.map_or_else(Fact::absent, |cure| Fact::read(cure, words_place(statement)));
    rows.add(row, None);
}

/// Where the condition stands, with its parentheses.
fn words_place(statement: &Statement<'_>) -> Place {
    let words = statement.directive.arguments().map(|word| word.span);
    statement.document.place(words.reduce(crate::source::Span::to).unwrap_or_default())
}

struct Decided {
    because: String,
    always: bool,
    cure: Option<String>,
}

/// A condition without blanks is one long name of a variable: nginx looks for a header or an argument of that name.
fn glued(condition: &Condition<'_>) -> Option<Decided> {
    let [only] = condition.words.as_slice() else { return None };
    let name = only.strip_prefix('$')?;
    let is_open = ["arg_", "http_", "cookie_", "sent_http_", "upstream_http_", "upstream_cookie_"];
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    if !is_open.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let rest = &name[end..];
    let operator = ["!~*", "!~", "!=", "~*", "~", "="].into_iter().find(|operator| rest.starts_with(operator))?;
    let value = &rest[operator.len()..];
    Some(Decided {
        because: format!(
            "without blanks around `{operator}` all of it is the name of one variable, which is always empty"
        ),
        always: false,
        cure: (!value.is_empty()).then(|| format!("(${} {operator} {value})", &name[..end])),
    })
}

/// A comparison with a text that the variable never has.
fn decided(condition: &Condition<'_>) -> Option<Decided> {
    let (variable, value, same) = condition.comparison()?;
    if value.contains('$') {
        return None;
    }
    let operator = if same { "=" } else { "!=" };
    let (because, other) = never(variable, value)?;
    let cure = other.map(|other| format!("(${variable} {operator} {other})"));
    Some(Decided { because, always: !same, cure })
}

/// Why a variable never has a value, and the value that was probably meant.
fn never(variable: &str, value: &str) -> Option<(String, Option<String>)> {
    let has_upper = value.contains(|c: char| c.is_ascii_uppercase());
    let lower = || Some(value.to_ascii_lowercase());
    match variable {
        "request_method" if value.contains(['|', ',', '(']) => {
            let methods = value.trim_matches(['(', ')', '^', '$']).replace([',', ' '], "|");
            Some((
                format!(
                    "`=` compares letter by letter, and no method is called `{value}`; `~ ^({methods})$` takes any of them"
                ),
                None,
            ))
        }
        "request_method" if value.contains(|c: char| c.is_ascii_lowercase()) => {
            Some(("methods are written in capitals".to_owned(), Some(value.to_ascii_uppercase())))
        }
        "scheme" if !matches!(value, "http" | "https") => {
            let meant = lower().filter(|lower| matches!(lower.as_str(), "http" | "https"));
            Some(("$scheme is `http` or `https`".to_owned(), meant))
        }
        "https" if !matches!(value, "on" | "") => Some(("$https is `on` or empty".to_owned(), None)),
        "host" if value.contains(':') && !value.starts_with('[') => {
            Some(("$host holds no port".to_owned(), value.split(':').next().map(str::to_owned)))
        }
        "host" if value.contains('*') => {
            let pattern = value.trim_start_matches("*.").replace('.', r"\.").replace('*', ".*");
            Some((
                format!("`=` compares letter by letter, `*` too; a pattern needs `~`, as in `~ \\.{pattern}$`"),
                None,
            ))
        }
        "host" if has_upper => Some(("nginx writes $host in small letters".to_owned(), lower())),
        "uri" | "document_uri" if !value.starts_with('/') => Some((format!("${variable} begins with `/`"), None)),
        "uri" | "document_uri" if value.contains('?') => {
            Some((format!("what stands after `?` is not in ${variable} but in $args"), None))
        }
        "remote_addr" if is_network(value) => Some((
            "`=` compares letter by letter: no address is called a network; use `allow` and `deny`, or `geo`"
                .to_owned(),
            None,
        )),
        "remote_addr" if value == "localhost" => {
            Some(("$remote_addr is a number, such as 127.0.0.1".to_owned(), Some("127.0.0.1".to_owned())))
        }
        _ => None,
    }
}

fn is_network(value: &str) -> bool {
    let Some((address, bits)) = value.split_once('/') else { return value.contains('*') };
    address.parse::<core::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok()
}

/// What an `if` may hold in a location without taking the place of anything.
const HARMLESS: [&str; 6] = ["return", "rewrite", "set", "break", "rewrite_log", "uninitialized_variable_warn"];

/// Tells of an `if` that takes the place of the location it stands in.
///
/// nginx: a condition that holds leads to a location of its own, which inherits what the one around it sets and its pass,
/// but not its `try_files`; of several that hold the last one counts.
pub(super) fn in_location<'a>(level: &Level<'_, 'a>, assembly: &Assembly<'a>, rows: &mut Rows) {
    let Some(location) = level.around().filter(|around| around.context == Context::Location) else { return };
    let Some((block, own)) = level.block.and_then(|block| Some((block, Condition::of(&block)?))) else { return };
    let others = others(level.statements);
    // What returns needs nothing of the location any more.
    if others.is_empty() || level.has(Setting::Return) {
        return;
    }
    let answers = others.iter().any(|name| name.ends_with("_pass"));
    let mut row = If::at(block.place());
    row.key = "in-location".to_owned();
    row.condition = Fact::read(own.words.join(" "), block.place());
    row.directives = Fact::read(others.into_iter().map(str::to_owned).collect(), block.place());
    row.try_files = match location.first(Setting::TryFiles).filter(|_| !answers) {
        Some(lost) => Fact::read("try_files".to_owned(), lost.place()),
        None => Fact::absent(),
    };
    let ifs = location.all(Setting::If).take_while(|earlier| earlier.place() != block.place()).take(MOST);
    let mut rivals = ifs.filter(|earlier| takes_place(earlier, assembly) && !excludes(earlier, &own));
    row.earlier = rivals.next().map_or_else(Fact::absent, |earlier| Fact::read("if".to_owned(), earlier.place()));
    rows.add(row, None);
}

/// More conditions than anybody writes in one location.
const MOST: usize = 50;

fn others<'a>(statements: &[Statement<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = statements.iter().map(|statement| statement.directive.name()).collect();
    names.retain(|name| !HARMLESS.contains(name));
    names.dedup();
    names
}

fn takes_place<'a>(condition: &Statement<'a>, assembly: &Assembly<'a>) -> bool {
    let (inside, _) = assembly.inside(condition);
    !others(&inside).is_empty() && !inside.iter().any(|statement| statement.directive.is("return"))
}

/// Whether two conditions cannot both hold: they ask one variable for two texts.
fn excludes(earlier: &Statement<'_>, own: &Condition<'_>) -> bool {
    let Some(earlier) = Condition::of(earlier) else { return true };
    match (earlier.comparison(), own.comparison()) {
        (Some((one, first, true)), Some((other, second, true))) => one == other && first != second,
        (Some((one, first, same)), Some((other, second, too))) => one == other && first == second && same != too,
        _ => false,
    }
}
