//! Blocks that hold lines of data: `map`, `geo`, `types`, `split_clients`, `charset_map`.

use std::collections::HashMap;

use super::argument::{Argument, Invalid};
use super::file::File;
use super::once;
use super::pattern;
use crate::source::Span;
use crate::stack::nginx::scalar::{is_network, number};
use crate::syntax::Problem;

const COUNT: &str = "nginx/wrong-number-of-arguments";

/// A kind of block with what was read of it so far.
#[derive(Debug)]
pub(super) struct Data<'a> {
    kind: DataKind,
    keys: HashMap<String, (File<'a>, Span)>,
    /// Hundredths of a percent given away so far; `None` once one was out of sight.
    sum: Option<i64>,
    ranges: bool,
    lines: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataKind {
    Map,
    Geo,
    Types,
    SplitClients,
    CharsetMap,
}

/// Something that nginx refuses in one line.
pub(super) enum Wrong {
    /// An argument, of the page for values.
    Value(Invalid),
    /// Another page's.
    Line(Problem),
}

impl<'a> Data<'a> {
    /// The block that a directive of this name opens; `None` where it holds directives.
    pub fn of(name: &str) -> Option<Self> {
        let kind = match name {
            "map" => DataKind::Map,
            "geo" => DataKind::Geo,
            "types" => DataKind::Types,
            "split_clients" => DataKind::SplitClients,
            "charset_map" => DataKind::CharsetMap,
            _ => return None,
        };
        Some(Self { kind, keys: HashMap::new(), sum: Some(0), ranges: false, lines: 0 })
    }

    /// Whether `include` brings in other lines; elsewhere the word is data like any other.
    pub fn includes(&self) -> bool {
        matches!(self.kind, DataKind::Map | DataKind::Geo | DataKind::Types)
    }

    /// Whether the values of its lines may hold variables.
    pub fn has_variables(&self) -> bool {
        self.kind == DataKind::Map
    }

    /// What nginx refuses in a line.
    pub fn line(&mut self, file: File<'a>, words: &[Argument<'a>]) -> Option<Wrong> {
        self.lines += 1;
        let open = words.iter().any(|word| word.any_number);
        match self.kind {
            DataKind::Types => None,
            _ if open => {
                self.sum = None;
                None
            }
            DataKind::Map => self.map(file, words),
            DataKind::Geo if words.len() > 2 => {
                Some(count(file, words, "geo", "a network and what it becomes, in quotes where it has blanks"))
            }
            DataKind::Geo => self.geo(words).map(Wrong::Value),
            DataKind::SplitClients => self.share(words),
            DataKind::CharsetMap => charset(file, words),
        }
    }

    fn map(&mut self, file: File<'a>, words: &[Argument<'a>]) -> Option<Wrong> {
        let [key, value] = words else {
            let alone = words.len() == 1 && (words[0].is("hostnames") || words[0].is("volatile"));
            return (!alone)
                .then(|| count(file, words, "map", "a value and what it becomes, each in quotes where it has blanks"));
        };
        let text = key.text()?;
        if let Some(regex) = text.strip_prefix('~') {
            let (regex, skipped) = regex.strip_prefix('*').map_or((regex, 1), |regex| (regex, 2));
            key.final_text()?;
            return pattern::refused(regex, 0, skipped).map(Wrong::Value);
        }
        if !file.fixed {
            return None;
        }
        let (name, text) = match text {
            "default" => ("default", String::new()),
            text => ("key", format!("={}", text.strip_prefix('\\').unwrap_or(text).to_lowercase())),
        };
        let span = key.span.to(value.span);
        let Some((first, place)) = self.keys.get(&text) else {
            self.keys.insert(text, (file, span));
            return None;
        };
        let message = match name {
            "default" => "a second `default` in one map".to_owned(),
            _ => format!("a second line for `{}` in one map; case does not count", key.text().unwrap_or_default()),
        };
        let problem = Problem::new(once::KIND, span, message).hint("remove one of the two lines");
        Some(Wrong::Line(once::related(problem, file, *first, *place, "the first one", false)))
    }

    fn geo(&mut self, words: &[Argument<'a>]) -> Option<Invalid> {
        let texts: Option<Vec<&str>> = words.iter().map(Argument::final_text).collect();
        match texts?.as_slice() {
            ["ranges"] => {
                self.ranges = true;
                (self.lines > 1).then(|| Invalid::new(0, "`ranges` must be the first line of the block", "move it up"))
            }
            ["proxy_recursive" | "volatile"] | ["default", _] => None,
            ["proxy", network] => bad_network(network, 1),
            ["delete", network] => self.address(network, 1),
            [network, _] => self.address(network, 0),
            _ => Some(Invalid::new(
                0,
                format!("a line of `geo` has two words, not {}", words.len()),
                "write a network and what it becomes, in quotes where it has blanks",
            )),
        }
    }

    fn address(&self, text: &str, at: usize) -> Option<Invalid> {
        if !self.ranges {
            return bad_network(text, at);
        }
        let address = |text: &str| text.parse::<core::net::Ipv4Addr>().ok();
        let range = text.split_once('-').and_then(|(from, to)| Some((address(from)?, address(to)?)));
        let fine = range.is_some_and(|(from, to)| from <= to);
        (!fine).then(|| {
            let hint = "after `ranges` each line begins with two addresses: `10.0.0.0-10.0.0.255`";
            Invalid::new(at, format!("`{text}` is no range of addresses"), hint)
        })
    }

    fn share(&mut self, words: &[Argument<'a>]) -> Option<Wrong> {
        // nginx does not count the words here.
        let Some(text) = words.first()?.final_text() else {
            self.sum = None;
            return None;
        };
        let Some(hundredths) = hundredths(text) else {
            let hint =
                "write a share with a percent sign and at most two decimals, such as `0.5%`, or `*` for the rest";
            return Some(Wrong::Value(Invalid::new(0, format!("`{text}` is no share"), hint)));
        };
        self.sum = self.sum.map(|sum| if text == "*" { 10_000 } else { sum + hundredths });
        (self.sum? > 10_000).then(|| {
            self.sum = None;
            Wrong::Value(Invalid::new(
                0,
                "the shares add up to more than 100%",
                "make them smaller, or write `*` for the rest",
            ))
        })
    }
}

/// Hundredths of a percent; 0 for `*`.
fn hundredths(text: &str) -> Option<i64> {
    if text == "*" {
        return Some(0);
    }
    let share = text.strip_suffix('%')?;
    let (whole, decimals) = share.split_once('.').unwrap_or((share, ""));
    let padded = format!("{decimals:0<2}");
    let value = number(&format!("{}{padded}", if whole.is_empty() { "0" } else { whole }))?;
    (padded.len() == 2 && value > 0 && value <= 10_000).then_some(value)
}

fn bad_network(text: &str, at: usize) -> Option<Invalid> {
    (!is_network(text)).then(|| {
        let hint = "write an address or a network such as `10.0.0.0/8`; a range needs a line `ranges;` first";
        Invalid::new(at, format!("`{text}` is no network"), hint)
    })
}

fn charset(file: File<'_>, words: &[Argument<'_>]) -> Option<Wrong> {
    let [from, _] = words else { return Some(count(file, words, "charset_map", "two codes in hexadecimal digits")) };
    let text = from.final_text()?;
    let fine = text.len() <= 2 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!fine)
        .then(|| Wrong::Value(Invalid::new(0, format!("`{text}` is no code"), "write one or two hexadecimal digits")))
}

/// A line with too few or too many words; too many are mostly the next line as well.
fn count(file: File<'_>, words: &[Argument<'_>], name: &str, takes: &str) -> Wrong {
    let first = words.first().map_or(Span::default(), |word| word.span);
    let last = words.last().map_or(first, |word| word.span);
    let line_ends = |pair: &&[Argument<'_>]| {
        Span { start: pair[0].span.end, end: pair[1].span.start }.of(file.tree.text()).contains('\n')
    };
    if let Some([end, _]) = words.windows(2).find(line_ends) {
        let end = Span { start: end.span.end, end: end.span.end };
        let problem = Problem::new(COUNT, end, format!("this line of `{name}` is not ended by `;`"));
        return Wrong::Line(problem.hint("end it with `;` here").also(last, "nginx reads to here before it stops"));
    }
    let message = format!("a line of `{name}` has two words, not {}", words.len());
    Wrong::Line(Problem::new(COUNT, first.to(last), message).hint(format!("write {takes}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        assert_eq!(hundredths("50%"), Some(5000));
        assert_eq!(hundredths("0.5%"), Some(50));
        assert_eq!(hundredths("33.33%"), Some(3333));
        assert_eq!(hundredths("*"), Some(0));
        for refused in ["50", "0%", "0.001%", "101%", "%", "a%", ""] {
            assert_eq!(hundredths(refused), None, "{refused}");
        }
    }
}
