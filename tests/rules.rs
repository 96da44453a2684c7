//! One test for each rule page, made from the files that are there; and the parts of `rules/` that nobody writes by hand.

use std::path::Path;

use datatest_stable::Result;
use housecall::rule::gate::{self, Read};
use housecall::rule::page::{self, Page};
use housecall::rule::schema::{TABLES, facts_table};

/// How an example is read. `None` as long as there is no engine to read it with: the other gates run all the same.
fn reader() -> Option<&'static Read<'static>> {
    None
}

fn a_page_shows_what_it_says(path: &Path, text: String) -> Result<()> {
    let id = path.strip_prefix("rules")?.with_extension("").to_string_lossy().into_owned();
    let page = Page::parse(&id, &text)?;
    let faults = match reader() {
        Some(read) => gate::check(&page, &page::built_in()?, read),
        None => gate::shape(&page),
    };
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

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
