//! `housecall init`: a housecall.toml to fill in, and the lines that run housecall before each commit and in CI.

use std::io::{self, ErrorKind, Write};

use super::{CLEAN, Streams};
use crate::host::write;

/// Where it is written: in the working directory.
const PATH: &str = "housecall.toml";
const CONFIGURATION: &str = include_str!("init.toml");
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(force: bool, streams: &mut Streams<'_>) -> io::Result<u8> {
    let written = if force { write::replace(PATH, CONFIGURATION) } else { write::create(PATH, CONFIGURATION) };
    match written {
        Ok(()) => say(streams.out).map(|()| CLEAN),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !force => {
            Ok(streams.refuse(&format!("{PATH} is there already; --force writes over it")))
        }
        Err(error) => Ok(streams.refuse(&format!("{PATH} cannot be written: {error}"))),
    }
}

fn say(out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "{PATH} is written. Nothing in it is needed: it shows what can be set.

Before each commit, with pre-commit.com, in .pre-commit-config.yaml:

    repos:
      - repo: https://github.com/housecall/housecall
        rev: v{VERSION}
        hooks:
          - id: housecall            # built from source, once
          # - id: housecall-system   # or the one that is installed

In GitHub Actions, with each finding at its line:

    - run: cargo install --locked --git https://github.com/housecall/housecall --tag v{VERSION}
    - run: housecall lint --format github

In any other CI:

    housecall lint

It exits with 0 when there is nothing to do, 1 when there are findings, 2 when something could not be read.
"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::CONFIGURATION;
    use crate::config::{self, Config};

    #[test]
    fn what_is_written_decides_nothing() {
        assert_eq!(config::parse(CONFIGURATION).unwrap(), Config::default());
    }

    #[test]
    fn every_setting_it_shows_is_one() {
        let is_setting = |rest: &str| rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '[');
        let uncommented: Vec<&str> = CONFIGURATION
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| is_setting(rest)).unwrap_or(line))
            .collect();
        let config = config::parse(&uncommented.join("\n")).unwrap();
        assert!(config.target.is_some() && config.min_severity.is_some() && config.app.is_some());
        assert!(config.nginx.is_some());
        let lists = [&config.select, &config.ignore, &config.attributes, &config.rules];
        assert!(lists.iter().all(|list| !list.is_empty()));
        assert!(config.allow[0].path.is_some() && config.allow[0].until.is_some());
    }
}
