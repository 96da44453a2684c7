//! Targets of passes that nginx cannot find: a name without a port, and a name that is looked up for each request.
//!
//! nginx: a pass with a variable in it is put together for each request; its host is then an address, an upstream, the host
//! of another pass without variables, or a name for which there must be a `resolver` (`ngx_http_upstream_init_request`).

use std::borrow::Cow;

use foldhash::HashSet;

use super::address::{self, Target};
use super::include::Statement;
use super::level::{Inherited, Level, Setting};
use super::survey::{Http, Rows};
use super::variable::expand;
use crate::finding::Confidence;
use crate::nearest::nearest;
use crate::rows;
use crate::source::Place;
use crate::stack::fact::{Fact, Missing};

rows! {
    #[doc = "one pass whose target nginx cannot find; keyed by why: `without-port`, `by-name`"]
    pub struct PassTarget in "nginx_targets" {
        #[doc = "the directive"]
        directive: String,
        #[doc = "the target as written"]
        target: String,
        #[doc = "the name in it"]
        name: String,
        #[doc = "the upstream that was probably meant"]
        suggestion: String,
        #[doc = "whether a `resolver` holds there"]
        resolver: bool,
    }
}

/// Passes that can be judged only when all of them are known.
#[derive(Debug, Default)]
pub(super) struct Targets<'a> {
    /// Every name and `name:port` that a pass without variables names: nginx looks them up when it starts.
    fixed: HashSet<Cow<'a, str>>,
    unknown: Vec<Named<'a>>,
    by_request: Vec<ByRequest<'a>>,
}

/// A target that is the name of no upstream.
#[derive(Debug)]
struct Named<'a> {
    pass: Statement<'a>,
    name: String,
    needs_port: bool,
}

/// A host that is looked up for each request.
#[derive(Debug)]
struct ByRequest<'a> {
    pass: Statement<'a>,
    host: String,
    port: Option<String>,
    through: Vec<Place>,
    resolver: Fact<bool>,
}

impl<'a> Targets<'a> {
    /// Takes one `uwsgi_pass` or `proxy_pass`.
    pub(super) fn add(&mut self, pass: &Statement<'a>, level: &Level<'_, 'a>, http: &Http<'a>) {
        let Some(value) = pass.text(0) else { return };
        if value.contains('$') {
            return self.by_request.extend(by_request(pass, &value, level, http));
        }
        match target_of(pass, &value) {
            Target::Name(name, port) if !http.upstreams.contains_key(name.as_str()) => {
                self.fixed.extend(port.map(|port| Cow::Owned(format!("{name}:{port}"))));
                self.unknown.push(Named { pass: *pass, name, needs_port: port.is_none() });
            }
            Target::Name(name, _) => {
                // The name as the upstream has it: thousands of passes need no copy of it.
                let upstream = http.upstreams.get_key_value(name.as_str());
                self.fixed.extend(upstream.map(|(name, _)| name.clone()));
            }
            Target::Address(address) => drop(self.fixed.insert(Cow::Owned(address))),
            Target::Variable(_) => {}
        }
    }

    /// Tells of those that nginx cannot find.
    pub(super) fn tell(&self, http: &Http<'a>, rows: &mut Rows) {
        let mut unused: Vec<&str> =
            http.upstreams.keys().map(|name| &**name).filter(|name| !self.fixed.contains(*name)).collect();
        unused.sort_unstable();
        for named in &self.unknown {
            if let Some(row) = without_port(named, &unused, http) {
                rows.add(row, None);
            }
        }
        for pass in &self.by_request {
            let full = pass.port.as_ref().map(|port| format!("{}:{port}", pass.host));
            if !full.is_some_and(|full| self.fixed.contains(full.as_str())) {
                rows.add(by_name(pass), None);
            }
        }
    }
}

fn target_of(pass: &Statement<'_>, value: &str) -> Target {
    if pass.directive.is("uwsgi_pass") { address::of_uwsgi_pass(value) } else { address::of_proxy_pass(value) }
}

fn without_port(named: &Named<'_>, unused: &[&str], http: &Http<'_>) -> Option<PassTarget> {
    let name = named.name.as_str();
    let is_compared = http.patience.allows(unused.len());
    let suggestion = is_compared.then(|| nearest(name, unused.iter().copied())).flatten();
    let is_host = name.contains('.') || name == "localhost" || address::is_ip(name);
    let confidence = match (named.needs_port, suggestion) {
        (true, _) if http.whole || address::is_ip(name) || name == "localhost" => Confidence::Proved,
        (true, _) if is_host => Confidence::Likely,
        // A name alone may be one that the name service knows, such as that of a container.
        (_, Some(_)) if !is_host => Confidence::Possible,
        _ if !is_host && !is_compared => Confidence::Possible,
        _ => return None,
    };
    let word = named.pass.directive.argument(0)?;
    let place = named.pass.document.place(word.span);
    let mut row = PassTarget::at(named.pass.place());
    row.key = "without-port".to_owned();
    row.confidence = confidence;
    row.directive = Fact::read(named.pass.directive.name().to_owned(), named.pass.place());
    row.target = Fact::read(word.value().to_owned(), place);
    row.name = Fact::read(named.name.clone(), place);
    row.suggestion = match suggestion {
        Some(name) => Fact::derived(name.to_owned()),
        None if is_compared || confidence != Confidence::Possible => Fact::absent(),
        None => Fact::unknown(Missing::new(
            format!("whether an upstream has nearly the name `{name}`"),
            "there are more names than are compared",
        )),
    };
    Some(row)
}

/// The first host that a pass with variables may name and that nginx would have to look up.
fn by_request<'a>(pass: &Statement<'a>, value: &str, level: &Level<'_, 'a>, http: &Http<'a>) -> Option<ByRequest<'a>> {
    let resolver = match level.inherited(Setting::Resolver) {
        Inherited::From(_) => return None,
        Inherited::Nowhere => Fact::derived(false),
        Inherited::OutOfSight => Fact::unknown(Missing::new(
            "whether a `resolver` holds here",
            "lint nginx's main file, and what it includes, together with this one",
        )),
    };
    let expansions = expand(value, level, http);
    let found = expansions.all.into_iter().find_map(|expansion| {
        let (host, port) = match target_of(pass, &expansion.text) {
            Target::Address(address) => {
                let (host, port) = address.rsplit_once(':')?;
                (host.to_owned(), Some(port.to_owned()))
            }
            Target::Name(name, port) => (name, port.map(|port| port.to_string())),
            Target::Variable(_) => return None,
        };
        let is_name = !host.is_empty() && !host.starts_with('/') && !address::is_ip(&host);
        if !is_name || http.upstreams.contains_key(host.as_str()) {
            return None;
        }
        // An upstream may be defined where it is not seen; a host has a port or a dot.
        let resolver = if http.whole || host.contains('.') || host == "localhost" {
            resolver.clone()
        } else {
            Fact::unknown(Missing::new(
                format!("upstream `{host}`"),
                "lint the file that defines it together with this one",
            ))
        };
        Some(ByRequest { pass: *pass, host, port, through: expansion.through, resolver })
    });
    found.or_else(|| expansions.beyond.then(|| beyond(pass, value)))
}

/// A pass of which it was not found out which names it stands for.
fn beyond<'a>(pass: &Statement<'a>, value: &str) -> ByRequest<'a> {
    let missing =
        Missing::new("the names that this target stands for", "there is more in its variables than is followed");
    let (host, resolver) = (value.to_owned(), Fact::unknown(missing));
    ByRequest { pass: *pass, host, port: None, through: Vec::new(), resolver }
}

fn by_name(pass: &ByRequest<'_>) -> PassTarget {
    let mut row = PassTarget::at(pass.pass.place());
    row.key = "by-name".to_owned();
    row.directive = Fact::read(pass.pass.directive.name().to_owned(), pass.pass.place());
    let written = pass.pass.directive.argument(0);
    row.target =
        written.map_or(row.target, |word| Fact::read(word.value().to_owned(), pass.pass.document.place(word.span)));
    row.name = Fact::read(pass.host.clone(), pass.pass.place());
    for place in &pass.through {
        row.name = row.name.via(*place, "the name comes from here");
    }
    row.suggestion = Fact::absent();
    row.resolver = pass.resolver.clone();
    row
}
