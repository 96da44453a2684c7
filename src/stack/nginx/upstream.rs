//! Upstreams that ask to keep connections open, and the passes that close them all the same.
//!
//! nginx: `ngx_http_upstream_keepalive_module.c`; the uwsgi protocol has no way to keep a connection, and `proxy_pass` keeps
//! one only under HTTP/1.1 and without its own `Connection: close`, which are its defaults since 1.29.7.

use std::borrow::Cow;

use foldhash::HashMap;

use super::address::{self, Target};
use super::include::{Assembly, Statement};
use super::level::{Inherited, Level, Setting};
use super::survey::{Http, Rows};
use crate::rows;
use crate::stack::fact::{Fact, Missing};

rows! {
    #[doc = "one `keepalive` of an upstream, with a pass that closes its connections"]
    pub struct KeepAlive in "nginx_keepalives" {
        #[doc = "the upstream"]
        upstream: String,
        #[doc = "the directive that passes to it"]
        directive: String,
        #[doc = "the lines that the pass lacks; absent where no line would help"]
        lacking: Vec<String>,
    }
}

/// The first pass to each name that would close a connection.
#[derive(Debug, Default)]
pub(super) struct Uses<'a> {
    closing: HashMap<Cow<'a, str>, (Statement<'a>, Lacking)>,
}

/// What a pass lacks to keep its connections.
#[derive(Debug, Clone, Copy)]
enum Lacking {
    /// No line would help.
    Means,
    /// Some lines.
    Lines {
        /// `proxy_http_version`
        version: bool,
        /// The empty `Connection`.
        connection: bool,
    },
    /// What a directive is set to is out of sight.
    OutOfSight(&'static str),
}

impl Lacking {
    fn fact(self) -> Fact<Vec<String>> {
        match self {
            Self::Means => Fact::absent(),
            Self::Lines { version, connection } => {
                let lines = [
                    version.then(|| "proxy_http_version 1.1".to_owned()),
                    connection.then(|| "proxy_set_header Connection \"\"".to_owned()),
                ];
                Fact::derived(lines.into_iter().flatten().collect())
            }
            Self::OutOfSight(what) => {
                let missing = Missing::new(format!("`{what}` as it holds here"), "lint the files around this one too");
                Fact::unknown(missing)
            }
        }
    }
}

impl<'a> Uses<'a> {
    /// Takes one `uwsgi_pass` or `proxy_pass`.
    pub(super) fn add(&mut self, pass: &Statement<'a>, level: &Level<'_, 'a>, http: &Http<'a>) {
        if http.upstreams.is_empty() {
            return;
        }
        let Some(value) = pass.text(0) else { return };
        let is_uwsgi = pass.directive.is("uwsgi_pass");
        let target = if is_uwsgi { address::of_uwsgi_pass(&value) } else { address::of_proxy_pass(&value) };
        let Target::Name(name, _) = target else { return };
        let Some((name, _)) = http.upstreams.get_key_value(name.as_str()) else { return };
        if self.closing.contains_key(name) {
            return;
        }
        let lacking = if is_uwsgi { Lacking::Means } else { lacking(level) };
        if !matches!(lacking, Lacking::Lines { version: false, connection: false }) {
            self.closing.insert(name.clone(), (*pass, lacking));
        }
    }

    /// Tells of the upstreams that keep connections in vain.
    pub(super) fn tell(&self, http: &Http<'a>, assembly: &Assembly<'a>, rows: &mut Rows) {
        let mut closing: Vec<_> = self.closing.iter().collect();
        closing.sort_by_key(|(name, _)| *name);
        for (name, (pass, lacking)) in closing {
            let Some(upstream) = http.upstreams.get(name) else { continue };
            let (inside, _) = assembly.inside(upstream);
            let Some(keepalive) = inside.iter().find(|statement| statement.directive.is("keepalive")) else { continue };
            if keepalive.text(0).as_deref() == Some("0") {
                continue;
            }
            let mut row = KeepAlive::at(keepalive.place());
            row.upstream = Fact::read(name.to_string(), keepalive.place());
            row.directive = Fact::read(pass.directive.name().to_owned(), pass.place());
            row.lacking = lacking.fact();
            rows.add(row, None);
        }
    }
}

/// What `proxy_pass` lacks in a block to keep its connections.
fn lacking(level: &Level<'_, '_>) -> Lacking {
    let version = match level.inherited(Setting::ProxyHttpVersion) {
        Inherited::From(from) => {
            let version = from.first(Setting::ProxyHttpVersion).and_then(|version| version.text(0));
            version.as_deref() == Some("1.0")
        }
        Inherited::Nowhere => true,
        Inherited::OutOfSight => return Lacking::OutOfSight("proxy_http_version"),
    };
    let connection: Option<Cow<'_, str>> = match level.inherited(Setting::ProxySetHeader) {
        Inherited::From(from) => {
            let mut lines = from.all(Setting::ProxySetHeader);
            let is_it =
                |line: &&Statement<'_>| line.text(0).is_some_and(|name| name.eq_ignore_ascii_case("connection"));
            match lines.find(is_it) {
                Some(line) => line.text(1),
                None if !from.whole => return Lacking::OutOfSight("proxy_set_header"),
                None => Some(Cow::Borrowed("close")),
            }
        }
        Inherited::Nowhere => Some(Cow::Borrowed("close")),
        Inherited::OutOfSight => return Lacking::OutOfSight("proxy_set_header"),
    };
    // A variable may be empty when it matters, as in the recipe for WebSockets.
    let connection = connection.is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Lacking::Lines { version, connection }
}
