//! What nginx hands to the app with each request: it reaches the WSGI environ, and never the process's own variables.

use crate::stack::document::Kind;
use crate::stack::env::EnvValue;
use crate::stack::fact::Fact;
use crate::stack::nginx::Trees;
use crate::stack::view::View;

/// Every `uwsgi_param NAME value` of the view, keyed `uwsgi-param`.
pub fn params(view: &View, trees: &Trees) -> Vec<EnvValue> {
    let mut rows = Vec::new();
    for document in view.of(Kind::Nginx) {
        let Some(parsed) = trees.get(&document.file) else { continue };
        for directive in parsed.tree.all_directives().filter(|directive| directive.is("uwsgi_param")) {
            let (Some(name), Some(value)) = (directive.argument(0), directive.argument(1)) else { continue };
            let place = document.place(directive.head());
            let mut row = EnvValue::at(place);
            row.key = "uwsgi-param".to_owned();
            row.name = document.fact(name.span, name.value()).at(place);
            row.path = Fact::read(document.path.clone(), place);
            row.value = document.fact(value.span, value.value()).at(place);
            row.empty = row.value.clone().map(|value| value.is_empty());
            row.user = Fact::absent();
            row.cure = Fact::absent();
            rows.push(row);
        }
    }
    rows
}
