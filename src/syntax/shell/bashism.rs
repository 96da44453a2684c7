//! What bash understands and `sh` does not: on Debian and Ubuntu `/bin/sh` is dash, which knows POSIX and little more.

use crate::source::Span;
use crate::syntax::shell::{Command, Part, Script, Word};

/// One thing that dash does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bashism {
    /// Where it stands.
    pub span: Span,
    /// What to write instead, where that is one word in its place.
    pub cure: Option<&'static str>,
}

/// Commands that are built into bash and are nowhere else.
const BUILT_IN: [&str; 13] = [
    "[[",
    "source",
    "pushd",
    "popd",
    "dirs",
    "shopt",
    "declare",
    "typeset",
    "let",
    "disown",
    "select",
    "mapfile",
    "readarray",
];

/// Everything in a script that dash does not know, in order.
pub fn bashisms(text: &str, script: &Script) -> Vec<Bashism> {
    let mut all: Vec<Bashism> = script.not_posix.iter().map(|span| Bashism { span: *span, cure: None }).collect();
    for command in script.commands.iter().chain(&script.in_functions) {
        all.extend(of_command(text, command));
    }
    all.sort_by_key(|one| one.span);
    all
}

fn of_command(text: &str, command: &Command) -> Vec<Bashism> {
    let Some(first) = command.words.first() else { return Vec::new() };
    let (name, rest) = (first.value(), &command.words[1..]);
    let mut all = Vec::new();
    let mut note = |span: Span, cure| all.push(Bashism { span, cure });
    if BUILT_IN.contains(&name.as_str()) && first.is_literal() && first.span.of(text) == name {
        note(first.span, (name == "source").then_some("."));
    }
    match name.as_str() {
        "[" | "test" => {
            let compares =
                |pair: &&[Word]| pair[1].span.of(text) == "==" && !matches!(pair[0].span.of(text), "=" | "!=" | "==");
            rest.windows(2).filter(compares).for_each(|pair| note(pair[1].span, Some("=")));
        }
        "set" => {
            let after_o = |pair: &&[Word]| pair[0].value().ends_with('o') && pair[1].value() == "pipefail";
            rest.windows(2).filter(after_o).for_each(|pair| note(pair[1].span, None));
        }
        "read" => {
            let takes = |word: &&Word| word.value().strip_prefix('-').is_some_and(|flags| flags.contains(of_bash_read));
            rest.iter().filter(takes).for_each(|word| note(word.span, None));
        }
        "export" => {
            let exports_function = |word: &&Word| word.value() == "-f";
            rest.iter().filter(exports_function).for_each(|word| note(word.span, None));
        }
        "trap" => {
            let of_bash = |word: &&Word| matches!(word.value().as_str(), "ERR" | "DEBUG" | "RETURN");
            rest.iter().skip(1).filter(of_bash).for_each(|word| note(word.span, None));
        }
        _ => {}
    }
    for word in command.words.iter().filter(|word| is_expanded_by_bash(text, word)) {
        note(word.span, None);
    }
    all
}

/// Flags of bash's `read` that dash's lacks.
fn of_bash_read(flag: char) -> bool {
    matches!(flag, 'a' | 'd' | 'e' | 'i' | 'n' | 'N' | 's' | 't' | 'u')
}

/// `${name/a/b}`, `${name:1}`, `${name^^}`, `${!name}`, `${name[0]}`, `$'…'` and `name+=…`.
fn is_expanded_by_bash(text: &str, word: &Word) -> bool {
    let of_bash = |part: &Part| matches!(part, Part::Other(written) if is_substitution_of_bash(written));
    word.parts.iter().any(of_bash) || appends(word.span.of(text)) || word.span.of(text).starts_with("$'")
}

fn appends(written: &str) -> bool {
    written.split_once("+=").is_some_and(|(name, _)| super::is_name(name))
}

fn is_substitution_of_bash(written: &str) -> bool {
    let Some(inside) = written.strip_prefix("${") else { return false };
    if let Some(indirect) = inside.strip_prefix('!') {
        return indirect.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    }
    let name = inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    match &inside.as_bytes()[name..] {
        _ if name == 0 => false,
        [b'/' | b'^' | b',' | b'[', ..] => true,
        // `${name:-x}`, `${name:=x}`, `${name:+x}` and `${name:?x}` are POSIX.
        [b':', next, ..] => !matches!(next, b'-' | b'=' | b'+' | b'?'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::shell::script;

    fn found(text: &str) -> Vec<&str> {
        let script = script(text, Span::new(0, text.len()));
        bashisms(text, &script).into_iter().map(|one| one.span.of(text)).collect()
    }

    #[test]
    fn what_dash_refuses() {
        let cases = [
            ("source /etc/default/x", "source"),
            ("if [[ -f x ]]; then y; fi", "[["),
            ("[ $A == 1 ] && x", "=="),
            ("set -euo pipefail", "pipefail"),
            ("run &> /dev/null", "&>"),
            ("run |& tee x", "|&"),
            ("diff <(a) b", "<("),
            ("cat <<< x", "<<<"),
            ("A=(1 2)", "("),
            ("((A++))", "("),
            ("echo ${A//x/y}", "${A//x/y}"),
            ("echo ${A:0:3}", "${A:0:3}"),
            ("echo ${!A}", "${!A}"),
            ("A+=1", "A+=1"),
            ("function f { x; }", "function"),
            ("f() { source y; }", "source"),
            ("read -t 5 A", "-t"),
            ("trap 'x' ERR", "ERR"),
            ("printf $'x'", "$'x'"),
        ];
        for (text, span) in &cases {
            assert_eq!(found(text), [*span], "{text}");
        }
    }

    #[test]
    fn what_dash_knows() {
        let text = "[ \"$A\" = == ] || [ x = 1 ]\nexec >>/var/log/x 2>&1\nA=${B:-1} C=${D%/*} E=${#F} G=$((1 + 2))\n\
                    H=\"a += b\" && x $! $? ${10}\nlocal i\nread -r A\ntrap 'x' EXIT\ncat <<EOF\n[[ source ]]\nEOF\n(cd /x; y)\n\
                    bash -c 'source x; [[ a == b ]]'\ncase $1 in\n  source) x;;\nesac\nA=\n";
        assert_eq!(found(text), ["=="; 0]);
    }
}
