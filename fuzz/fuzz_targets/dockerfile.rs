//! The reader of Dockerfiles: joined lines keep the length of the text, and every word lies in both.
#![no_main]

use housecall::syntax::dockerfile::word::parts;
use housecall::syntax::dockerfile::{Command, Instruction, Variable, parse};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    let file = parse(&read.0);
    assert_eq!(file.text.len(), read.0.len());
    let joined = Read::of(file.text.as_bytes());
    let holds = |span| {
        read.holds(span);
        joined.holds(span);
    };
    let variable = |one: &Variable| {
        holds(one.name.span);
        if let Some(value) = &one.value {
            holds(value.span);
            parts(&value.value, file.escape);
        }
    };
    file.arguments.iter().for_each(variable);
    for stage in &file.stages {
        holds(stage.base.span);
        stage.name.iter().for_each(|name| holds(name.span));
        for instruction in &stage.instructions {
            match instruction {
                Instruction::Env(all) | Instruction::Arg(all) => all.iter().for_each(variable),
                Instruction::Workdir(word) | Instruction::User(word) | Instruction::StopSignal(word) => {
                    holds(word.span)
                }
                Instruction::Copy(copy) => {
                    holds(copy.destination.span);
                    copy.sources.iter().for_each(|source| holds(source.span));
                }
                Instruction::Cmd(command) | Instruction::Entrypoint(command) => match command {
                    Command::Shell(span) => holds(*span),
                    Command::Words(words) => words.iter().for_each(|word| holds(word.span)),
                },
            }
        }
    }
});
