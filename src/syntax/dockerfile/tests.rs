//! Dockerfiles as people write them, and as nobody would.
#![allow(clippy::unwrap_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

fn only(text: &str) -> Stage {
    let mut stages = parse(text).stages;
    assert_eq!(stages.len(), 1, "{text}");
    stages.remove(0)
}

fn instruction_of(text: &str) -> Instruction {
    let mut instructions = only(&format!("FROM x\n{text}")).instructions;
    assert_eq!(instructions.len(), 1, "{text}");
    instructions.remove(0)
}

/// Names and values of an `ENV`, with what stands at their places.
fn env(line: &str) -> Vec<(String, String)> {
    let Instruction::Env(variables) = instruction_of(line) else { panic!("{line}") };
    variables.into_iter().map(|one| (one.name.value, one.value.unwrap().value)).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn variables_in_both_forms() {
    assert_eq!(env("ENV A=1 B=\"two words\" C='x y'\n"), pairs(&[("A", "1"), ("B", "\"two words\""), ("C", "'x y'")]));
    assert_eq!(env("ENV NAME  a value = with blanks \n"), pairs(&[("NAME", "a value = with blanks")]));
    assert_eq!(env("env A=a\\ b B=2"), pairs(&[("A", "a\\ b"), ("B", "2")]));
    assert_eq!(env("ENV A=1 \\\n  # why\n\n  B=2 \\ \n  C=3\n"), pairs(&[("A", "1"), ("B", "2"), ("C", "3")]));
    assert_eq!(env("ENV A=on\\\ne B=2\r\n"), pairs(&[("A", "one"), ("B", "2")]));
    assert_eq!(env("ENV PATH /opt/bin:\\\n$PATH\n"), pairs(&[("PATH", "/opt/bin:$PATH")]));
    assert_eq!(env("ENV A=1 \\\r\n B=2\r\n"), pairs(&[("A", "1"), ("B", "2")]));
}

#[test]
fn places_are_those_of_the_file() {
    let text = "FROM x\nENV A=1 \\\n # b\n BB=\"2\"\nCMD [\"uwsgi\", \\\n  \"--ini\", \"/a\\u002eini\"]\n";
    let stage = only(text);
    let [Instruction::Env(variables), Instruction::Cmd(Command::Words(words))] = &stage.instructions[..] else {
        panic!()
    };
    assert_eq!(variables[1].name.span.of(text), "BB");
    assert_eq!(variables[1].value.as_ref().unwrap().span.of(text), "\"2\"");
    let all: Vec<_> = words.iter().map(|word| (word.value.as_str(), word.span.of(text))).collect();
    assert_eq!(all, [("uwsgi", "uwsgi"), ("--ini", "--ini"), ("/a.ini", "/a\\u002eini")]);
    let text = "FROM x\nCMD a \\\n#\u{f3}";
    let [Instruction::Cmd(Command::Shell(span))] = only(text).instructions[..] else { panic!() };
    assert_eq!(span.of(text), "a");
}

#[test]
fn a_list_that_is_no_json_is_for_the_shell() {
    for line in ["CMD ['uwsgi', '--ini']", "CMD [\"uwsgi\",]", "CMD [\"uwsgi\"", "CMD uwsgi --ini a.ini"] {
        assert!(matches!(instruction_of(line), Instruction::Cmd(Command::Shell(_))), "{line}");
    }
    assert_eq!(instruction_of("ENTRYPOINT []"), Instruction::Entrypoint(Command::Words(Vec::new())));
}

#[test]
fn stages_with_their_names() {
    let text = "# syntax=docker/dockerfile:1\nARG TAG=3.11\nFROM --platform=linux/amd64 python:${TAG} AS base\nWORKDIR /srv\nFROM base\nUSER shop:shop\n";
    let file = parse(text);
    assert_eq!(file.arguments[0].name.value, "TAG");
    let bases: Vec<_> = file.stages.iter().map(|stage| (stage.base.value.as_str(), stage.name.is_some())).collect();
    assert_eq!(bases, [("python:${TAG}", true), ("base", false)]);
    assert!(matches!(&file.stages[1].instructions[..], [Instruction::User(user)] if user.value == "shop:shop"));
}

#[test]
fn what_is_copied() {
    let copy = |line: &str| {
        let Instruction::Copy(copy) = instruction_of(line) else { panic!("{line}") };
        let sources: Vec<String> = copy.sources.into_iter().map(|source| source.value).collect();
        (copy.from, sources.join(" "), copy.destination.value)
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(copy("COPY --chown=shop a b /srv/"), (None, text("a b"), text("/srv/")));
    assert_eq!(copy("ADD [\"a b\", \"/srv\"]"), (None, text("a b"), text("/srv")));
    assert_eq!(copy("COPY --from=build /out /srv"), (Some(text("build")), text("/out"), text("/srv")));
}

#[test]
fn here_documents_are_no_instructions() {
    let text =
        "FROM x\nRUN <<EOF cat <<-'B' > /f\nUSER a\nEOF\nUSER b\n\tB\nCOPY <<conf /etc/a\nUSER c\nconf\nUSER d\n";
    let users = |stage: Stage| {
        let user = |one| if let Instruction::User(user) = one { Some(user.value) } else { None };
        stage.instructions.into_iter().filter_map(user).collect::<Vec<_>>()
    };
    assert_eq!(users(only(text)), ["d"]);
    assert_eq!(users(only("FROM x\nRUN echo $((1 << 2))\nUSER e\n")), ["e"]);
}

#[test]
fn another_escape() {
    let text = "# escape=`\nFROM x\nENV A=C:\\ `\n B=2\n";
    let Instruction::Env(variables) = &only(text).instructions[0] else { panic!() };
    assert_eq!(variables.iter().map(|one| one.name.value.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(env("# escape=`\nENV A=1 \\\n B=2\n"), pairs(&[("A", "1"), ("B", "2")]));
}

#[test]
fn a_word_is_text_and_variables() {
    let text = |text: &str| Part::Text(text.to_owned());
    let variable = |name: &str| Part::Variable(name.to_owned());
    assert_eq!(parts("'$A'\"$B\"", '\\'), [text("$A"), variable("B")]);
    assert_eq!(parts("/a/${B}/\\$C", '\\'), [text("/a/"), variable("B"), text("/$C")]);
    assert_eq!(parts("${A:-b c}", '\\'), [Part::Default("A".to_owned(), "b c".to_owned())]);
    assert_eq!(parts("${A:+b}$", '\\'), [Part::Other("${A:+b}".to_owned()), text("$")]);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(FROM x|ENV |ARG |COPY |CMD |RUN <<E|E|# escape=`|\\[|\\]|[\"'`\\\\$ =,#\t\n\r]|[a-c]|--from=|é|.){0,40}") {
        let file = parse(&text);
        prop_assert_eq!(file.text.len(), text.len());
        let mut spans = Vec::new();
        for stage in &file.stages {
            spans.push(stage.base.span);
            for instruction in &stage.instructions {
                match instruction {
                    Instruction::Env(all) | Instruction::Arg(all) => all.iter().for_each(|one| {
                        spans.push(one.name.span);
                        spans.extend(one.value.as_ref().map(|value| value.span));
                        parts(&one.name.value, file.escape);
                    }),
                    Instruction::Workdir(word) | Instruction::User(word) | Instruction::StopSignal(word) => {
                        spans.push(word.span);
                    },
                    Instruction::Copy(copy) => {
                        spans.push(copy.destination.span);
                        spans.extend(copy.sources.iter().map(|source| source.span));
                    }
                    Instruction::Cmd(command) | Instruction::Entrypoint(command) => match command {
                        Command::Shell(span) => spans.push(*span),
                        Command::Words(words) => spans.extend(words.iter().map(|word| word.span)),
                    },
                }
            }
        }
        for span in spans {
            prop_assert!(text.get(span.range()).is_some() && file.text.get(span.range()).is_some(), "{span:?} in {text:?}");
        }
    }
}
