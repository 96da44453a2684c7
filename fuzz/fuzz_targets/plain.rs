//! The readers of small files, and of connection strings: supervisor, compose, `.env`, requirements, shell.
#![no_main]

use housecall::source::Span;
use housecall::syntax::shell::{self, bashism};
use housecall::syntax::{compose, conninfo, dotenv, requirements, supervisor};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    let text = &*read.0;
    for program in supervisor::parse(text) {
        let all = std::iter::once(program.name).chain(program.command).chain(program.user).chain(program.directory);
        let variables = program.environment.into_iter().flat_map(|(name, value)| [name, value]);
        all.chain(variables).for_each(|text| read.holds(text.span));
    }
    for service in compose::parse(text) {
        let variables = service.environment.into_iter().flat_map(|(name, value)| [Some(name), value]).flatten();
        std::iter::once(service.name).chain(service.env_files).chain(variables).for_each(|text| read.holds(text.span));
        for command in service.command.into_iter().chain(service.entrypoint) {
            match command {
                compose::Command::Text(text) => read.holds(text.span),
                compose::Command::Words(words) => words.iter().for_each(|word| read.holds(word.span)),
                compose::Command::Hidden => {}
            }
        }
        service.folder.iter().chain(&service.user).for_each(|text| read.holds(text.span));
    }
    for assignment in dotenv::parse(text) {
        [assignment.name.span, assignment.value.span].into_iter().for_each(|span| read.holds(span));
    }
    for requirement in requirements::parse(text) {
        read.holds(requirement.name.span);
        requirement.release();
    }
    for assignment in shell::assignments(text).into_iter().chain(shell::environment_file(text)) {
        [assignment.name.span, assignment.value.span].into_iter().for_each(|span| read.holds(span));
    }
    let script = shell::script(text, Span::new(0, text.len()));
    for word in script.commands.iter().chain(&script.in_functions).flat_map(|command| &command.words) {
        read.holds(word.span);
        if let Some((name, value)) = word.assignment(text) {
            [name.span, value.span].into_iter().for_each(|span| read.holds(span));
        }
    }
    script.not_posix.iter().for_each(|span| read.holds(*span));
    bashism::bashisms(text, &script).iter().for_each(|found| read.holds(found.span));
    let parsed = conninfo::parse(text);
    read.holds_problems(&parsed.problems);
    let info = parsed.tree;
    info.hosts.iter().for_each(|host| read.holds(host.name.span));
    info.user.iter().chain(&info.dbname).chain(&info.sslmode).for_each(|text| read.holds(text.span));
    info.password.iter().for_each(|password| read.holds(password.span));
    info.options.iter().for_each(|(_, value)| read.holds(value.span));
});
