//! What login shells set, line by line.
#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn named(all: Vec<Assignment>) -> Vec<(String, String, bool)> {
    all.into_iter().map(|one| (one.name.value, one.value.value, one.exported)).collect()
}

#[test]
fn exports_in_every_form() {
    let text = "export A=1 B=\"two words\"\nC='x#y' ; export C\nD=4\nE=5 run it\nif true; then export F=$HOME/f; fi\n\
                f() {\n  export HIDDEN=1\n}\ncat <<EOF\nexport G=1\nEOF\nexport H=a\\ b # end\n[ -n x ] && export I=1\n";
    let expected = [
        ("A", "1", true),
        ("B", "two words", true),
        ("C", "x#y", true),
        ("D", "4", false),
        ("F", "$HOME/f", true),
        ("H", "a b", true),
        ("I", "1", true),
    ];
    assert_eq!(named(assignments(text)), expected.map(|(name, value, on)| (name.into(), value.into(), on)));
}

#[test]
fn spans_cover_name_and_value() {
    let text = "export A=\"two words\"\n";
    let one = assignments(text).pop().unwrap();
    assert_eq!((one.name.span.of(text), one.value.span.of(text)), ("A", "\"two words\""));
}

#[test]
fn the_environment_file_is_no_shell() {
    let text = "PATH=\"/bin:/usr/bin\"\n# A=1\n  export B=$HOME\nnothing\n";
    let expected = [("PATH", "/bin:/usr/bin", true), ("B", "$HOME", true)];
    assert_eq!(named(environment_file(text)), expected.map(|(name, value, on)| (name.into(), value.into(), on)));
    assert_eq!(environment_file(text)[1].name.span.of(text), "B");
}

#[test]
fn commands_without_their_redirections() {
    let text = "if [ -f /x ]; then\n  exec /bin/uwsgi --ini \"$DIR/a b\" >> /log 2>&1\nfi\n";
    let all = commands(text, Span::new(0, text.len()));
    let words: Vec<_> = all[1].words.iter().map(Word::value).collect();
    assert_eq!(words, ["exec", "/bin/uwsgi", "--ini", "$DIR/a b"]);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "[a-c='\"$(){}<>|&;`#\\\\ \n\u{e9}]{0,60}|.*") {
        for command in commands(&text, Span::new(0, text.len())) {
            prop_assert!(!command.words.is_empty());
            for word in command.words {
                prop_assert!(text.get(word.span.range()).is_some());
            }
        }
        for one in assignments(&text).into_iter().chain(environment_file(&text)) {
            prop_assert_eq!(one.name.span.of(&text), one.name.value);
            prop_assert!(text.get(one.value.span.range()).is_some());
        }
    }
}
