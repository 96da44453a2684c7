//! One test for each rule page, made from the files that are there; and the parts of `rules/` that nobody writes by hand.

use std::fmt;
use std::path::Path;

use datatest_stable::Result;
use housecall::engine::read_example;
use housecall::rule::book::Rulebook;
use housecall::rule::gate;
use housecall::rule::page::{self, Page};
use housecall::rule::schema::{TABLES, facts_table};

fn a_page_shows_what_it_says(path: &Path, text: String) -> Result<()> {
    let id = path.strip_prefix("rules")?.with_extension("").to_string_lossy().into_owned();
    let page = Page::parse(&id, &text)?;
    let faults = gate::check(&page, &Rulebook::of(page::built_in()?), &read_example);
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults).into()) }
}

/// What is wrong with a page, line by line: the harness shows an error by its `Debug`.
struct Faults(Vec<gate::Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Faults {}

const BEGIN: &str = "<!-- The rest is written by `UPDATE=1 cargo test --test rules`. -->\n\n";

fn the_table_of_facts_is_current(path: &Path, text: String) -> Result<()> {
    let Some((by_hand, generated)) = text.split_once(BEGIN) else { return Err(format!("put back: {BEGIN}").into()) };
    let current = facts_table();
    if generated == current {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        return Ok(std::fs::write(path, format!("{by_hand}{BEGIN}{current}"))?);
    }
    Err("the facts have changed: run `UPDATE=1 cargo test --test rules`".into())
}

fn every_table_is_registered(_: &Path, text: String) -> Result<()> {
    let declared = text.lines().filter(|line| line.trim_start().starts_with("pub struct "));
    for name in declared.filter_map(|line| line.split_once(" in \"")?.1.split('"').next()) {
        if !TABLES.iter().any(|schema| schema.table == name) {
            return Err(format!("add `{name}` to TABLES in src/rule/schema.rs").into());
        }
    }
    Ok(())
}

datatest_stable::harness! {
    { test = a_page_shows_what_it_says, root = "rules", pattern = r"^[^/]+/[^/]+\.md$" },
    { test = the_table_of_facts_is_current, root = "rules", pattern = r"^README\.md$" },
    { test = every_table_is_registered, root = "src/stack", pattern = r"\.rs$" },
}
