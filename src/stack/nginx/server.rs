//! Which server answers: names that an earlier server has taken, and what happens to requests for no name.
//!
//! nginx: `ngx_http_server_names` ("conflicting server name … ignored"); per address the server marked `default_server`, else
//! the first one, answers whatever no name fits.

use std::borrow::Cow;
use std::collections::HashMap;

use super::include::Statement;
use super::level::{Level, Setting};
use super::survey::{Http, Rows};
use crate::finding::Confidence;
use crate::rows;
use crate::source::Place;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one server of nginx that does not answer for what it should, or for more; keyed by why: `name-taken`, `default`"]
    pub struct Server in "nginx_servers" {
        #[doc = "the name in question; empty for a server without one"]
        name: String,
        #[doc = "the address it listens on, such as `*:80`"]
        address: String,
        #[doc = "whether no request gets to it at all"]
        unreached: bool,
        #[doc = "whether the server that answers instead is the one that comes with nginx"]
        welcome: bool,
    }
}

/// The servers of one `http` block in the order in which nginx reads them.
#[derive(Debug, Default)]
pub(super) struct Servers<'a> {
    all: Vec<Seen<'a>>,
}

#[derive(Debug)]
struct Seen<'a> {
    block: Statement<'a>,
    listens: Vec<Listening>,
    /// Whether it listens on an address that a template tag decides as well: any, for all that is known.
    listens_unseen: bool,
    names: Vec<(Cow<'a, str>, Place)>,
    /// Whether all its names are in sight.
    whole: bool,
    passes_on: bool,
    /// Whether it shows the page that comes with nginx.
    welcomes: bool,
}

#[derive(Debug)]
struct Listening {
    address: String,
    is_default: bool,
}

impl<'a> Servers<'a> {
    /// Takes a server; `passes_on` where any of its locations passes to an app.
    pub(super) fn add(&mut self, level: &Level<'_, 'a>, passes_on: bool) {
        let Some(block) = level.block else { return };
        // Branches of a template need not stand side by side.
        if block.document.has_code() {
            return;
        }
        let mut listens: Vec<Listening> = level.all(Setting::Listen).filter_map(listening).collect();
        let listens_unseen = listens.len() < level.all(Setting::Listen).count();
        if listens.is_empty() && level.whole && !listens_unseen {
            listens.push(Listening { address: "*:80".to_owned(), is_default: false });
        }
        let lines = level.all(Setting::ServerName);
        let words = lines.clone().flat_map(|line| line.directive.arguments().map(move |word| (line, word)));
        let known = |(line, word): (&Statement<'a>, _)| {
            let word: crate::syntax::nginx::Word<'a> = word;
            Some((line.known(word)?, line.document.place(word.span)))
        };
        let names: Option<Vec<_>> = words.map(known).collect();
        let whole = names.is_some() && (level.whole || !level.has(Setting::ServerName));
        let mut names = names.unwrap_or_default();
        if names.is_empty() {
            names.push((Cow::Borrowed(""), block.place()));
        }
        let root = level.first(Setting::Root).and_then(|root| root.text(0));
        let welcomes = matches!(root.as_deref(), Some("/var/www/html" | "/usr/share/nginx/html")) && !passes_on;
        let whole = whole && level.whole;
        self.all.push(Seen { block, listens, listens_unseen, names, whole, passes_on, welcomes });
    }

    /// Tells of names that are taken, and of what answers without a name.
    pub(super) fn tell(&self, http: &Http<'a>, rows: &mut Rows) {
        self.taken(rows);
        self.defaults(http.whole, rows);
    }

    fn taken(&self, rows: &mut Rows) {
        let mut first: HashMap<(&str, String), (usize, Place)> = HashMap::new();
        for (at, server) in self.all.iter().enumerate().filter(|(_, server)| server.whole) {
            let mut taken: Vec<(&str, Place, &str, Place)> = Vec::new();
            let mut left = server.listens_unseen || server.listens.iter().any(|listen| listen.is_default);
            for listen in &server.listens {
                for (name, place) in &server.names {
                    let key = (listen.address.as_str(), name.to_ascii_lowercase());
                    match first.get(&key).filter(|(other, _)| *other != at) {
                        Some((other, by)) if !self.is_elsewhere(*other, at) && !name.starts_with('~') => {
                            taken.push((name, *place, &listen.address, *by));
                        }
                        Some(_) => left = true,
                        None => {
                            left = true;
                            first.insert(key, (at, *place));
                        }
                    }
                }
            }
            for (name, place, address, by) in taken {
                let mut row = Server::at(place);
                row.key = "name-taken".to_owned();
                row.name = Fact::read(name.to_owned(), place).via(by, "the server that answers for it");
                row.address = Fact::derived(address.to_owned());
                row.unreached = Fact::derived(!left);
                row.welcome = Fact::derived(false);
                rows.add(row, Some(by));
            }
        }
    }

    /// Whether two servers are the same one, or stand in two files of which only one will be there.
    fn is_elsewhere(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.all[one].block, &self.all[other].block);
        one.place() == other.place()
            || (one.document.path == other.document.path && one.document.file != other.document.file)
    }

    fn defaults(&self, whole: bool, rows: &mut Rows) {
        let mut by_address: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, server) in self.all.iter().enumerate() {
            for listen in &server.listens {
                by_address.entry(&listen.address).or_default().push(at);
            }
        }
        // One that listens somewhere unseen may be the first, or the one that is marked.
        let whole = whole && !self.all.iter().any(|server| server.listens_unseen);
        let mut addresses: Vec<_> = by_address.into_iter().filter(|(_, servers)| servers.len() > 1).collect();
        addresses.sort_unstable();
        for (address, servers) in addresses {
            let is_default = |at: &&usize| {
                self.all[**at].listens.iter().any(|listen| listen.address == address && listen.is_default)
            };
            let marked = servers.iter().find(is_default);
            let Some(&default) = marked.or(whole.then(|| &servers[0])) else { continue };
            let default = &self.all[default];
            let nameless = servers.iter().map(|at| &self.all[*at]).filter(|server| is_nameless(server));
            let unreached = |server: &&Seen<'_>| server.passes_on && !default.passes_on && !server.listens_unseen;
            for server in nameless.filter(unreached) {
                let mut row = row(server, address);
                row.unreached = Fact::derived(true);
                row.welcome = Fact::derived(default.welcomes);
                row.name = row.name.via(default.block.place(), "this server answers instead");
                rows.add(row, None);
            }
            if marked.is_none() {
                let mut row = row(default, address);
                row.confidence = Confidence::Likely;
                row.unreached = Fact::derived(false);
                row.welcome = Fact::derived(false);
                rows.add(row, None);
            }
        }
    }
}

fn row(server: &Seen<'_>, address: &str) -> Server {
    let mut row = Server::at(server.block.place());
    row.key = "default".to_owned();
    let (name, place) = server.names.first().map_or(("", server.block.place()), |(name, place)| (name, *place));
    row.name = Fact::read(name.to_owned(), place);
    row.address = Fact::derived(address.to_owned());
    row
}

/// Whether no request names the server, other than one made to reach it.
fn is_nameless(server: &Seen<'_>) -> bool {
    server.whole && server.names.iter().all(|(name, _)| matches!(&**name, "" | "_" | "localhost"))
}

/// The address of a `listen` as nginx keeps it: without a host it is every one.
fn listening(listen: &Statement<'_>) -> Option<Listening> {
    let written = listen.text(0)?;
    let address = match &*written {
        unix if unix.starts_with("unix:") => unix.to_owned(),
        port if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("*:{port}"),
        host if !host.trim_start_matches(|c| c != ']').contains(':') && !host.contains(':') => format!("{host}:80"),
        host if host.ends_with(']') => format!("{host}:80"),
        whole => whole.replace("0.0.0.0:", "*:"),
    };
    let is_default = listen.directive.arguments().any(|word| matches!(word.value(), "default_server" | "default"));
    Some(Listening { address, is_default })
}
