//! The lines of a block of data, such as a `map`, and of the files that are included there.

use super::Walk;
use super::argument::Argument;
use super::around::Around;
use super::data::{Data, Wrong};
use super::file::File;
use crate::syntax::nginx::{Directive, Item, Items};

impl<'a> Walk<'_, 'a> {
    /// The lines of a block of data, and of the files that are included there.
    pub(super) fn data(
        &mut self,
        file: File<'a>,
        directive: Directive<'a>,
        items: Items<'a>,
        around: Around,
        data: &mut Data<'a>,
    ) {
        for item in items {
            let words: Vec<Argument<'a>> = match item {
                Item::Entry(entry) => Argument::each(file, entry.words(), || entry.span()),
                // A file that is included here was read without its block: its lines look like directives.
                Item::Directive(line) if line.has_block() => continue,
                Item::Directive(line) => Argument::each(file, line.words(), || line.head()),
                Item::Opaque(_) => continue,
            };
            if data.includes() && words.len() == 2 && words[0].is("include") {
                self.data_include(file, directive, item, around, data);
                continue;
            }
            let wrong = data.line(file, &words);
            if data.has_variables() && words.len() == 2 {
                self.names.captures(&words[0], around, file);
                let mut problems = Vec::new();
                self.names.variables_of(&words[1], around, file, &mut problems);
                problems.into_iter().for_each(|problem| self.tell(file, problem));
            }
            match wrong {
                Some(Wrong::Line(problem)) => self.tell(file, problem),
                Some(Wrong::Value(invalid)) => self.tell_value(file, directive, &words, invalid),
                None => {}
            }
        }
    }

    fn data_include(
        &mut self,
        file: File<'a>,
        directive: Directive<'a>,
        item: Item<'a>,
        around: Around,
        data: &mut Data<'a>,
    ) {
        let name = match item {
            Item::Entry(entry) => entry.words().nth(1),
            Item::Directive(line) => line.argument(0),
            Item::Opaque(_) => None,
        };
        let Some(name) = name else { return };
        let (documents, _) = self.assembly.named(file.document, name);
        for document in documents {
            if let Some(included) = self.enter(document) {
                let included = File { fixed: included.fixed && file.fixed, ..included };
                self.data(included, directive, included.tree.items(), around, data);
                self.within.pop();
            }
        }
    }
}
