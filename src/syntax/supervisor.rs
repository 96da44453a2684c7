//! Reader for supervisor's configuration: its programs, what each runs, and with which environment (supervisor: options.py,
//! datatypes.py; Python's configparser and shlex).

use crate::source::{Located, Span};

/// One `[program:NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name, standing at its header.
    pub name: Located<String>,
    /// `command`
    pub command: Option<Located<String>>,
    /// `user`
    pub user: Option<Located<String>>,
    /// `directory`
    pub directory: Option<Located<String>>,
    /// `stopsignal`
    pub stop_signal: Option<Located<String>>,
    /// `stopwaitsecs`
    pub stop_wait: Option<Located<String>>,
    /// `stopasgroup`
    pub stop_as_group: Option<Located<String>>,
    /// `umask`
    pub umask: Option<Located<String>>,
    /// `environment`: those of `[supervisord]` first.
    pub environment: Vec<(Located<String>, Located<String>)>,
}

/// One option of a section.
struct Setting<'t> {
    section: Located<&'t str>,
    key: String,
    value: Located<String>,
}

/// More variables than any host has: beyond it those of `[supervisord]` are handed to no program, which has some out of sight
/// anyway.
const MOST_SHARED: usize = 100_000;

/// The programs in order.
pub fn parse(text: &str) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    let mut shared = Vec::new();
    for setting in settings(text) {
        let section = setting.section.value;
        if section == "supervisord" && setting.key == "environment" {
            shared = environment(text, &setting.value);
        }
        let Some(name) = section.strip_prefix("program:") else { continue };
        let is_open = programs.last().is_some_and(|last| last.name.span == setting.section.span);
        if !is_open {
            programs.push(Program {
                name: Located::new(name.trim().to_owned(), setting.section.span),
                command: None,
                user: None,
                directory: None,
                stop_signal: None,
                stop_wait: None,
                stop_as_group: None,
                umask: None,
                environment: Vec::new(),
            });
        }
        let Some(program) = programs.last_mut() else { continue };
        match setting.key.as_str() {
            "command" => program.command = Some(setting.value),
            "user" => program.user = Some(setting.value),
            "directory" => program.directory = Some(setting.value),
            "stopsignal" => program.stop_signal = Some(setting.value),
            "stopwaitsecs" => program.stop_wait = Some(setting.value),
            "stopasgroup" => program.stop_as_group = Some(setting.value),
            "umask" => program.umask = Some(setting.value),
            "environment" => program.environment = environment(text, &setting.value),
            _ => {}
        }
    }
    if programs.len().saturating_mul(shared.len()) <= MOST_SHARED {
        for program in &mut programs {
            program.environment.splice(0..0, shared.iter().cloned());
        }
    }
    programs
}

/// Every option: full-line comments left out, what stands behind ` ;` or ` #` cut off, indented lines joined to the one above.
fn settings(text: &str) -> Vec<Setting<'_>> {
    let mut all: Vec<Setting<'_>> = Vec::new();
    let mut section = Located::new("", Span::default());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let code = without_comment(line);
        let trimmed = code.trim_start();
        let from = start + code.len() - trimmed.len();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if code.starts_with([' ', '\t']) && all.last().is_some_and(|last| last.section.span == section.span) {
            if let Some(last) = all.last_mut() {
                last.value.value.push('\n');
                last.value.value.push_str(trimmed);
                last.value.span = last.value.span.to(Span::new(from, from + trimmed.len()));
            }
        } else if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Located::new(name, Span::new(from, from + trimmed.len()));
        } else if let Some(mark) = trimmed.find(['=', ':']) {
            let value = trimmed[mark + 1..].trim_start();
            let value_at = from + trimmed.len() - value.len();
            all.push(Setting {
                section,
                key: trimmed[..mark].trim_end().to_ascii_lowercase(),
                value: Located::new(value.to_owned(), Span::new(value_at, value_at + value.len())),
            });
        }
    }
    all
}

/// A line without what stands behind ` ;` or ` #`.
fn without_comment(line: &str) -> &str {
    let cut = [" ;", " #", "\t;", "\t#"].iter().filter_map(|mark| line.find(mark)).min().unwrap_or(line.len());
    line[..cut].trim_end()
}

/// The words of a command, which no shell sees: Python's `shlex.split`, over all lines of the option.
pub fn words(text: &str, command: Span) -> Vec<Located<String>> {
    let mut all = Vec::new();
    let mut at = command.range().start;
    for line in command.of(text).split_inclusive('\n') {
        if !line.trim_start().starts_with(['#', ';']) {
            words_of_line(without_comment(line), at, &mut all);
        }
        at += line.len();
    }
    all
}

fn words_of_line(line: &str, offset: usize, into: &mut Vec<Located<String>>) {
    let mut word: Option<(usize, String)> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        if c.is_whitespace() && quote.is_none() {
            into.extend(word.take().map(|(start, value)| Located::new(value, Span::new(offset + start, offset + at))));
            continue;
        }
        let (_, value) = word.get_or_insert_with(|| (at, String::new()));
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            // Between double quotes it takes the meaning of a quote and of itself alone.
            (None, '\\') => value.extend(letters.next().map(|(_, next)| next)),
            (Some('"'), '\\') => {
                let next = letters.next_if(|(_, next)| matches!(next, '"' | '\\'));
                value.push(next.map_or('\\', |(_, next)| next));
            }
            (_, c) => value.push(c),
        }
    }
    into.extend(word.map(|(start, value)| Located::new(value, Span::new(offset + start, offset + line.len()))));
}

/// `NAME="value",OTHER='value'`: supervisor refuses the file where it is none; then what could be read counts.
fn environment(text: &str, value: &Located<String>) -> Vec<(Located<String>, Located<String>)> {
    let tokens = tokens(value.span.of(text), value.span.range().start);
    let mut all = Vec::new();
    let mut rest = tokens.as_slice();
    while let [name, equals, value, after @ ..] = rest {
        if equals.value != "=" {
            break;
        }
        let plain = value.value.trim_matches(['\'', '"']).to_owned();
        all.push((name.clone(), Located::new(plain, value.span)));
        rest = after.get(1..).unwrap_or_default();
    }
    all
}

/// The tokens of Python's `shlex` without its posix mode, supervisor's letters added: quotes stay on, no escapes.
fn tokens(text: &str, offset: usize) -> Vec<Located<String>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_/.+-():".contains(c) || !c.is_ascii();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '"' | '\'' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
            _ if is_word(c) => rest.find(|c| !is_word(c) && c != '"' && c != '\'').unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let span = Span::new(offset + at, offset + at + length);
        all.push(Located::new(rest[..length].to_owned(), span));
        at += length;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn programs_as_people_write_them() {
        let text = "[supervisord]\nenvironment=LANG=\"C\"\n\n; one\n[program:web]\ncommand = /usr/bin/uwsgi ; here\n  --ini /a.ini\n\
                    environment=A=\"b,c\",\n    D='e=f', # not\n    G=h/i\nuser: www-data\n[eventlistener:x]\ncommand=y\n[program:b]\ncommand=z\n";
        let programs = parse(text);
        assert_eq!(programs.iter().map(|one| one.name.value.as_str()).collect::<Vec<_>>(), ["web", "b"]);
        let web = &programs[0];
        assert_eq!(web.command.as_ref().map(|command| command.value.as_str()), Some("/usr/bin/uwsgi\n--ini /a.ini"));
        assert_eq!(web.user.as_ref().map(|user| user.value.as_str()), Some("www-data"));
        let pairs: Vec<_> =
            web.environment.iter().map(|(name, value)| (name.value.as_str(), value.value.as_str())).collect();
        assert_eq!(pairs, [("LANG", "C"), ("A", "b,c"), ("D", "e=f"), ("G", "h/i")]);
        assert_eq!(programs[1].environment.len(), 1);
    }

    /// Each of them alone would be gigabytes, were it kept for every line.
    #[test]
    fn a_long_name_and_many_variables_are_kept_once() {
        let long = format!("[{}]\n{}", "x".repeat(1 << 20), "a=b\n".repeat(1 << 18));
        assert!(parse(&long).is_empty());
        let shared = (0..1000).map(|at| format!("A{at}=b,")).collect::<String>();
        let programs = (0..1000).map(|at| format!("[program:p{at}]\ncommand=c\n")).collect::<String>();
        let all = parse(&format!("[supervisord]\nenvironment={shared}\n{programs}"));
        assert_eq!(all.iter().map(|program| program.environment.len()).sum::<usize>(), 0);
        let one = parse(&format!("[supervisord]\nenvironment={shared}\n[program:a]\ncommand=c\n"));
        assert_eq!(one[0].environment.len(), 1000);
    }

    #[test]
    fn words_as_shlex_splits_them() {
        let words = |text: &str| -> Vec<String> {
            words(text, Span::new(0, text.len())).into_iter().map(|word| word.value).collect()
        };
        assert_eq!(
            words("uwsgi --ini a.ini ; here\n; not\n  -p %(ENV_N)s"),
            ["uwsgi", "--ini", "a.ini", "-p", "%(ENV_N)s"]
        );
        assert_eq!(
            words(r#"sh -c "a \"b\" \c; d" 'e\f'g h\ i "" $X(y)|z"#),
            ["sh", "-c", r#"a "b" \c; d"#, r"e\fg", "h i", "", "$X(y)|z"]
        );
        assert_eq!(words("a 'b c\nd"), ["a", "b c", "d"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\[program:a\\]\n|environment=|[A-Z]=|command=|['\"#;,= \\n\\t]|.){0,40}") {
            for program in parse(&text) {
                let mut spans = vec![program.name.span];
                spans.extend(program.command.iter().map(|command| command.span));
                let words = program.command.iter().flat_map(|command| words(&text, command.span));
                spans.extend(words.map(|word| word.span));
                spans.extend(program.environment.iter().flat_map(|(name, value)| [name.span, value.span]));
                for span in spans {
                    prop_assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
                }
            }
        }
    }
}
