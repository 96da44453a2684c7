//! The servers behind the name of an `upstream` (nginx: `ngx_http_upstream.c`).

use std::collections::BTreeMap;

use super::address::{self, Target};
use super::include::{Assembly, Statement};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::nginx::Directive;

/// The servers of each upstream, by its name; each leads to its line.
pub(super) type Upstreams = BTreeMap<String, Vec<Fact<String>>>;

/// Adds the upstreams among these statements.
pub(super) fn add_upstreams(assembly: &Assembly<'_>, statements: &[Statement<'_>], into: &mut Upstreams) {
    for statement in statements.iter().filter(|statement| statement.directive.is("upstream")) {
        let Some(name) = statement.directive.argument(0) else { continue };
        let Answer::Known(known) = statement.value(name) else { continue };
        let servers = into.entry(known).or_default();
        let (inside, seen) = assembly.inside(statement);
        for server in inside.iter().filter(|inner| inner.directive.is("server")) {
            let (Some(value), false) = (server.directive.argument(0), is_down(server.directive)) else {
                continue;
            };
            let place = server.document.place(value.span);
            let mut fact = server.fact(value).via(place, format!("the server of upstream `{}`", name.value()));
            if let Answer::Known(value) = &fact.answer {
                fact.answer = match address::of_upstream_server(value) {
                    Target::Address(address) | Target::Name(address, _) => Answer::Known(address),
                    Target::Variable(name) => Answer::Unknown(unknown_variable(&name)),
                };
            }
            servers.push(fact);
        }
        if !seen || servers.is_empty() {
            let what = format!("the servers of upstream `{}`", name.value());
            servers.push(Fact::unknown(Missing::new(what, "lint the files that it includes too")));
        }
    }
}

fn is_down(server: Directive<'_>) -> bool {
    server.arguments().any(|argument| argument.value() == "down")
}

/// What each request decides.
pub(super) fn unknown_variable(name: &str) -> Missing {
    Missing::new(format!("the value of ${name}"), "each request decides it; name the socket itself to have it checked")
}
