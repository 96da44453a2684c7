//! The command: hands arguments, environment and streams to [`housecall::cli`], and exits as it says.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use housecall::cli::{self, Environment};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    let environment = Environment {
        no_color: set("NO_COLOR").is_some(),
        terminal: stdout().is_terminal() && !dumb,
        progress: stderr().is_terminal() && !dumb,
        asks: stdin().is_terminal(),
        columns: rustix::termios::tcgetwinsize(stdout())
            .ok()
            .map(|size| usize::from(size.ws_col))
            .filter(|&columns| columns > 0),
    };
    let mut out = std::io::BufWriter::new(stdout().lock());
    let code = cli::run(std::env::args_os(), &environment, &mut stdin(), &mut out, &mut stderr());
    // A reader that left early is no failure.
    let _ = out.flush();
    ExitCode::from(code)
}
