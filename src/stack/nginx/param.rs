//! What nginx hands to the app with each request: it reaches the WSGI environ, and never the process's own variables.

use rayon::prelude::*;

use crate::stack::document::{Document, Kind};
use crate::stack::env::EnvValue;
use crate::stack::fact::Fact;
use crate::stack::nginx::Trees;
use crate::stack::view::View;

/// Every `uwsgi_param NAME value` of the view, keyed `uwsgi-param`.
pub fn params(view: &View, trees: &Trees) -> Vec<EnvValue> {
    let documents: Vec<_> = view.of(Kind::Nginx).collect();
    documents.into_par_iter().flat_map_iter(|document| of_file(document, trees)).collect()
}

fn of_file<'a>(document: &'a Document, trees: &'a Trees) -> impl Iterator<Item = EnvValue> + 'a {
    let directives = trees.get(&document.file).into_iter().flat_map(|parsed| parsed.tree.all_directives());
    directives.filter(|directive| directive.is("uwsgi_param")).filter_map(|directive| {
        let (name, value) = (directive.argument(0)?, directive.argument(1)?);
        let place = document.place(directive.head());
        let mut row = EnvValue::at(place);
        row.key = "uwsgi-param".to_owned();
        row.name = document.fact(name.span, name.value()).at(place);
        row.path = Fact::read(document.path.clone(), place);
        row.value = document.fact(value.span, value.value()).at(place);
        row.empty = row.value.clone().map(|value| value.is_empty());
        row.user = Fact::absent();
        row.cure = Fact::absent();
        Some(row)
    })
}
