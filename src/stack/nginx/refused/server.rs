//! What a `server` and an `upstream` need as a whole, and the addresses that servers share.

use foldhash::HashMap;

use super::argument::Argument;
use super::file::File;
use super::listen;
use super::once;
use crate::syntax::Problem;
use crate::syntax::nginx::{Directive, Item};

const VALUE: &str = "nginx/invalid-value";

/// A `listen` that claims something for its address which only one can have.
#[derive(Debug, Clone, Copy)]
struct Claim<'a> {
    file: File<'a>,
    directive: Directive<'a>,
}

/// The addresses of all servers, and what was seen of the block that is open.
#[derive(Debug, Default)]
pub(super) struct Servers<'a> {
    default: HashMap<(&'a str, u16, bool), Vec<Claim<'a>>>,
    options: HashMap<(&'a str, u16, bool), Vec<Claim<'a>>>,
    foreign: usize,
}

/// What was known when a block was entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    upstream: bool,
    foreign: usize,
}

impl<'a> Servers<'a> {
    /// A directive of another module stands here.
    pub fn foreign(&mut self) {
        self.foreign += 1;
    }

    /// A `listen` of http.
    pub fn listen(&mut self, file: File<'a>, directive: Directive<'a>, arguments: &[Argument<'a>]) {
        let Some((host, port)) = arguments.first().and_then(Argument::written).and_then(listen::address) else {
            return;
        };
        let has = |name: &str| arguments.iter().skip(1).any(|argument| argument.is(name));
        let key = (host, port, has("quic"));
        let claim = Claim { file, directive };
        if has("default_server") || has("default") {
            self.default.entry(key).or_default().push(claim);
        }
        let sets = |argument: &Argument<'a>| argument.text().is_some_and(listen::sets_socket);
        if arguments.iter().skip(1).any(sets) {
            self.options.entry(key).or_default().push(claim);
        }
    }

    /// A block opens.
    pub fn enter(&self, name: &str) -> Mark {
        Mark { upstream: name == "upstream", foreign: self.foreign }
    }

    /// The block closes: an upstream must have a server.
    pub fn leave(
        &mut self,
        mark: Mark,
        file: File<'a>,
        directive: Directive<'a>,
        arguments: &[Argument<'a>],
    ) -> Option<Problem> {
        let may_have_one = |item| match item {
            Item::Directive(inner) => inner.is("server") || inner.is("include"),
            Item::Opaque(_) | Item::Entry(_) => true,
        };
        // A module such as NGINX Plus's `state` may bring them in.
        if !mark.upstream || !file.clean || self.foreign > mark.foreign || directive.items().any(may_have_one) {
            return None;
        }
        let name = arguments.first().and_then(Argument::text).unwrap_or_default();
        let problem = Problem::new(VALUE, directive.head(), format!("the upstream `{name}` has no server"))
            .hint("write at least one: `server 127.0.0.1:8000;`");
        Some(match directive.close() {
            Some(close) => problem.also(close, "the block ends without one"),
            None => problem,
        })
    }

    /// Two servers that claim the same thing for one address.
    pub fn duplicates(&self, complete: bool) -> Vec<(File<'a>, Problem)> {
        let defaults = self.default.iter().map(|(key, claims)| (key, claims, true));
        let options = self.options.iter().map(|(key, claims)| (key, claims, false));
        let mut problems: Vec<(File<'a>, Problem)> = Vec::new();
        for ((host, port, _), claims, default) in defaults.chain(options) {
            let Some((first, others)) = claims.split_first() else { continue };
            let address = if *port == 0 { (*host).to_owned() } else { format!("{host}:{port}") };
            for other in others {
                let (message, hint) = if default {
                    (
                        format!("a second default server for `{address}`"),
                        "leave `default_server` to the one that should answer for unknown names",
                    )
                } else {
                    (
                        format!("the socket options of `{address}` are set a second time"),
                        "options such as `ipv6only`, `reuseport` or `backlog` belong to one `listen` of each address",
                    )
                };
                let span = other.directive.head();
                let problem = Problem::new(once::KIND, span, message).hint(hint);
                let there = first.directive.head();
                problems.push((
                    other.file,
                    once::related(problem, other.file, first.file, there, "the first one", complete),
                ));
            }
        }
        problems.sort_by_key(|(file, problem)| (file.document.file, problem.span));
        problems
    }
}
