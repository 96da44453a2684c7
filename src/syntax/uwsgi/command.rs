//! The options of a uWSGI command line, as `getopt_long` takes them.

use crate::source::{Located, Span};
use crate::syntax::data::uwsgi::{Argument, KnownOption, find, find_by_prefix, find_short};

/// A uWSGI command, word by word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLine {
    /// In order.
    pub options: Vec<CommandOption>,
}

/// One option of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOption {
    /// The full name, whatever letter or prefix stands there; as written where uWSGI would refuse it.
    pub name: Located<String>,
    /// The value; `None` where a flag stands alone.
    pub value: Option<Located<String>>,
    /// All words of it.
    pub span: Span,
}

/// Reads the words of a command: what stands before the `uwsgi` program is skipped.
pub fn parse_command(words: &[(String, Span)]) -> CommandLine {
    let program = words.iter().position(|(word, _)| is_uwsgi(word)).map_or(0, |at| at + 1);
    let mut words = words[program..].iter();
    let mut options = Vec::new();
    while let Some((word, span)) = words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            options.push(read_long(long, word, *span, &mut words));
        } else if word.len() > 1 && word.starts_with('-') && word != "--" {
            read_letters(word, *span, &mut words, &mut options);
        } else if let Some(option) = read_positional(word, *span) {
            options.push(option);
        }
    }
    CommandLine { options }
}

fn is_uwsgi(word: &str) -> bool {
    !word.starts_with('-')
        && word
            .rsplit('/')
            .next()
            .is_some_and(|name| name == "uwsgi" || name.starts_with("uwsgi_") || name == "uwsgi-core")
}

type Words<'a> = std::slice::Iter<'a, (String, Span)>;

fn read_long(long: &str, word: &str, span: Span, words: &mut Words) -> CommandOption {
    let (written, attached) = match long.split_once('=') {
        Some((name, value)) => (name, Some(Located::new(value.to_owned(), tail(word, span, value)))),
        None => (long, None),
    };
    let known = find_by_prefix(written);
    let name = Located::new(known.map_or(written, |known| known.name).to_owned(), span);
    match attached {
        Some(value) => CommandOption { name, value: Some(value), span },
        None => with_next(name, known, span, words),
    }
}

/// `-Mp4`: letters without argument may stand together; the rest of the word is the argument of the last.
fn read_letters(word: &str, span: Span, words: &mut Words, options: &mut Vec<CommandOption>) {
    for (at, letter) in word.char_indices().skip(1) {
        let known = find_short(letter);
        let name = Located::new(known.map_or_else(|| letter.to_string(), |known| known.name.to_owned()), span);
        let rest = &word[at + letter.len_utf8()..];
        let takes = known.map_or(Argument::No, |known| known.argument);
        if takes == Argument::No {
            options.push(CommandOption { name, value: None, span });
            continue;
        }
        options.push(match rest {
            "" => with_next(name, known, span, words),
            rest => {
                let value = Located::new(rest.to_owned(), tail(word, span, rest));
                CommandOption { name, value: Some(value), span }
            }
        });
        return;
    }
}

fn with_next(name: Located<String>, known: Option<&KnownOption>, span: Span, words: &mut Words) -> CommandOption {
    if known.is_none_or(|known| known.argument != Argument::Required) {
        return CommandOption { name, value: None, span };
    }
    let value = words.next().map(|(word, span)| Located::new(word.clone(), *span));
    let span = value.as_ref().map_or(span, |value| span.to(value.span));
    CommandOption { name, value, span }
}

/// A file named without an option: its ending says which option it stands for.
fn read_positional(word: &str, span: Span) -> Option<CommandOption> {
    let ends = |ending: &str| word.ends_with(ending);
    let option = match () {
        () if ends(".ini") => "ini",
        () if ends(".xml") => "xml",
        () if ends(".yaml") || ends(".yml") => "yaml",
        () if ends(".json") || ends(".js") => "json",
        () if ends(".py") || ends(".wsgi") => "wsgi-file",
        () => return None,
    };
    let name = Located::new(find(option)?.name.to_owned(), span);
    Some(CommandOption { name, value: Some(Located::new(word.to_owned(), span)), span })
}

/// Where the end of a word stands; the whole word where quotes make that unclear.
fn tail(word: &str, span: Span, tail: &str) -> Span {
    if span.range().len() != word.len() {
        return span;
    }
    Span::new(span.end as usize - tail.len(), span.end as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(String, Option<String>)> {
        let mut at = 0;
        let words: Vec<(String, Span)> = line
            .split(' ')
            .map(|word| {
                let span = Span::new(at, at + word.len());
                at += word.len() + 1;
                (word.to_owned(), span)
            })
            .collect();
        let options = parse_command(&words).options;
        for value in options.iter().filter_map(|option| option.value.as_ref()) {
            assert_eq!(value.span.of(line), value.value);
        }
        options.into_iter().map(|option| (option.name.value, option.value.map(|value| value.value))).collect()
    }

    #[test]
    fn long_short_and_positional() {
        let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(
            read("sudo -u www uwsgi --ini=/a.ini --lazy-app --processes 4 -Mp5 -s/tmp/x -C --need-app b.ini"),
            [
                pair("ini", Some("/a.ini")),
                pair("lazy-apps", None),
                pair("processes", Some("4")),
                pair("master", None),
                pair("processes", Some("5")),
                pair("socket", Some("/tmp/x")),
                pair("chmod-socket", None),
                pair("need-app", None),
                pair("ini", Some("b.ini")),
            ]
        );
    }
}
