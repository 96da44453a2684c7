//! The rules of one run: all their ids, and the pages of those that can have something to say in it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::rule::page::{self, Page, PageError};
use crate::rule::suppress;
use crate::stack::facts::Facts;

/// The rules of one run.
#[derive(Debug, Default)]
pub struct Rulebook {
    /// The pages to judge by.
    pub pages: Vec<Page>,
    ids: BTreeSet<Cow<'static, str>>,
}

impl Rulebook {
    /// These pages and no other.
    pub fn of(pages: Vec<Page>) -> Self {
        let ids = pages.iter().map(|page| Cow::Owned(page.id.clone())).collect();
        Self { pages, ids }
    }

    /// The built-in rules. To read all their pages takes longer than to judge a file by those that concern it, so only those are
    /// read whose rows are there, and what is said of comments.
    ///
    /// # Errors
    /// The first page that cannot be used.
    pub fn about(facts: &Facts) -> Result<Self, PageError> {
        let has_rows = |each: &str| page::rows_of(each).is_some_and(|(table, key)| !facts.rows(table, key).is_empty());
        let needs = |id: &str, each: Option<&str>| match each {
            Some(each) => has_rows(each),
            None => [suppress::UNUSED, suppress::WITHOUT_REASON].contains(&id),
        };
        Ok(Self { pages: page::built_in_about(needs)?, ids: page::built_in_ids().map(Cow::Borrowed).collect() })
    }

    /// Adds a page; gives whether its id was free.
    pub fn add(&mut self, page: Page) -> bool {
        let is_free = self.ids.insert(Cow::Owned(page.id.clone()));
        if is_free {
            self.pages.push(page);
        }
        is_free
    }

    /// The ids of all rules, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(AsRef::as_ref)
    }

    /// The page of a rule, where it can have something to say.
    pub fn page(&self, id: &str) -> Option<&Page> {
        self.pages.iter().find(|page| page.id == id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_without_rows_are_known_and_not_read() {
        let book = Rulebook::about(&Facts::default()).unwrap();
        let read: Vec<&str> = book.pages.iter().map(|page| page.id.as_str()).collect();
        assert_eq!(read, [suppress::WITHOUT_REASON, suppress::UNUSED]);
        assert!(book.page("nginx/syntax").is_none() && book.ids().any(|id| id == "nginx/syntax"));
    }
}
