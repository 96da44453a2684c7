//! All rows of one run, by table and key: what rule pages run over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::FileId;
use crate::stack::fact::Row;

/// Rows in the order they were added.
#[derive(Debug, Default)]
pub struct Facts {
    tables: BTreeMap<&'static str, Rows>,
    landings: BTreeMap<FileId, Landing>,
}

/// What is not settled about where a file lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// It lands at one of several paths, and is read as the same thing at each.
    Either,
    /// It is read as this thing at some of its paths only.
    Partly,
}

#[derive(Debug, Default)]
struct Rows {
    all: Vec<Arc<dyn Row>>,
    by_key: BTreeMap<String, Vec<Arc<dyn Row>>>,
}

impl Facts {
    /// Adds a row to the table it was declared in, under the key it has now.
    pub fn add(&mut self, row: Arc<dyn Row>) {
        let rows = self.tables.entry(row.schema().table).or_default();
        if !row.key().is_empty() {
            match rows.by_key.get_mut(row.key()) {
                Some(known) => known.push(Arc::clone(&row)),
                None => _ = rows.by_key.insert(row.key().to_owned(), vec![Arc::clone(&row)]),
            }
        }
        rows.all.push(row);
    }

    /// Notes that it is not settled where a file lands: it then has a row of its own for each path.
    pub fn note_landing(&mut self, file: FileId, landing: Landing) {
        self.landings.insert(file, landing);
    }

    /// What is not settled about where a file lands; `None` where all is.
    pub fn landing(&self, file: FileId) -> Option<Landing> {
        self.landings.get(&file).copied()
    }

    /// The rows of a table, or those with one key; none where the table has no row.
    pub fn rows(&self, table: &str, key: Option<&str>) -> &[Arc<dyn Row>] {
        let Some(rows) = self.tables.get(table) else { return &[] };
        match key {
            None => &rows.all,
            Some(key) => rows.by_key.get(key).map_or(&[], Vec::as_slice),
        }
    }

    /// Every table that has a row, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&'static str, &[Arc<dyn Row>])> {
        self.tables.iter().map(|(name, rows)| (*name, rows.all.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, Place, Sources};
    use crate::stack::job::Job;
    use crate::stack::uwsgi::Uwsgi;

    #[test]
    fn rows_are_found_by_table_and_key() {
        let mut sources = Sources::default();
        let place = Place::whole(sources.add("a", Vec::new(), Origin::File));
        let mut facts = Facts::default();
        facts.add(Arc::new(Uwsgi::at(place)));
        facts.add(Arc::new(Job { key: "upstart".into(), ..Job::at(place) }));
        facts.add(Arc::new(Job { key: "systemd".into(), ..Job::at(place) }));
        assert_eq!(facts.rows("jobs", None).len(), 2);
        assert_eq!(facts.rows("jobs", Some("systemd")).len(), 1);
        assert_eq!(facts.rows("jobs", Some("runit")).len(), 0);
        assert_eq!(facts.rows("links", None).len(), 0);
        assert_eq!(facts.tables().map(|(name, _)| name).collect::<Vec<_>>(), ["jobs", "uwsgi"]);
    }
}
