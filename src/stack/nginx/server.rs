//! Which server answers: names that an earlier server has taken, and what happens to requests for no name.
//!
//! nginx: `ngx_http_server_names` ("conflicting server name … ignored"); per address the server marked `default_server`, else
//! the first one, answers whatever no name fits.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::ops::Range;

use foldhash::HashMap;
use foldhash::fast::RandomState;

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

/// More names on more addresses than anybody serves, each name counting on each address; servers beyond are not judged.
const MOST: usize = 1_000_000;

/// The servers of one `http` block in the order in which nginx reads them.
#[derive(Debug, Default)]
pub(super) struct Servers<'a> {
    all: Vec<Seen<'a>>,
    /// Those of all servers: ten thousand small lists would take twice the room.
    listens: Vec<Listening<'a>>,
    names: Vec<(Cow<'a, str>, Place)>,
}

#[derive(Debug)]
struct Seen<'a> {
    block: Statement<'a>,
    /// Its part of all.
    listens: Range<usize>,
    /// Whether it listens on an address that a template tag decides as well: any, for all that is known.
    listens_unseen: bool,
    /// Its part of all.
    names: Range<usize>,
    /// Whether all its names are in sight.
    whole: bool,
    passes_on: bool,
    /// Whether it shows the page that comes with nginx.
    welcomes: bool,
}

#[derive(Debug)]
struct Listening<'a> {
    address: Cow<'a, str>,
    is_default: bool,
}

impl<'a> Servers<'a> {
    /// Room for so many servers with the usual two addresses and names.
    pub(super) fn with_capacity(servers: usize) -> Self {
        let (all, listens, names) =
            (Vec::with_capacity(servers), Vec::with_capacity(2 * servers), Vec::with_capacity(2 * servers));
        Self { all, listens, names }
    }

    /// Takes a server; `passes_on` where any of its locations passes to an app.
    pub(super) fn add(&mut self, level: &Level<'_, 'a>, passes_on: bool) {
        let Some(block) = level.block else { return };
        // Branches of a template need not stand side by side.
        if block.document.has_code() {
            return;
        }
        let first = self.listens.len();
        self.listens.extend(level.all(Setting::Listen).filter_map(listening));
        let listens_unseen = self.listens.len() - first < level.count(Setting::Listen);
        if self.listens.len() == first && level.whole && !listens_unseen {
            self.listens.push(Listening { address: "*:80".into(), is_default: false });
        }
        let listens = first..self.listens.len();
        let lines = level.all(Setting::ServerName);
        let words = lines.clone().flat_map(|line| line.directive.arguments().map(move |word| (line, word)));
        let known = |(line, word): (&Statement<'a>, _)| {
            let word: crate::syntax::nginx::Word<'a> = word;
            Some((line.known(word)?, line.document.place(word.span)))
        };
        let first = self.names.len();
        let mut unseen = false;
        self.names.extend(words.map(known).inspect(|name| unseen |= name.is_none()).flatten());
        if unseen {
            self.names.truncate(first);
        }
        if self.names.len() == first {
            self.names.push((Cow::Borrowed(""), block.place()));
        }
        let names = first..self.names.len();
        let whole = !unseen && (level.whole || !level.has(Setting::ServerName));
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
        let mut left_over = MOST;
        let mut fits = |server: &Seen<'_>| {
            let left = left_over.checked_sub(server.listens.len() * server.names.len());
            left_over = left.unwrap_or(left_over);
            server.whole && left.is_some()
        };
        let judged: Vec<_> = self.all.iter().enumerate().filter(|(_, server)| fits(server)).collect();
        // By the number of an address and a name: the server and the name that were there first.
        let mut first: HashMap<(u32, Cow<'_, str>), (u32, u32)> =
            HashMap::with_capacity_and_hasher(MOST - left_over, RandomState::default());
        let mut addresses: HashMap<&str, u32> = HashMap::default();
        for (at, server) in judged {
            let mut taken: Vec<(&str, Place, &str, Place)> = Vec::new();
            let listens = self.listens(server);
            let mut left = server.listens_unseen || listens.iter().any(|listen| listen.is_default);
            for listen in listens {
                let next = number(addresses.len());
                let address = *addresses.entry(&listen.address).or_insert(next);
                for (name, (written, place)) in server.names.clone().zip(self.names(server)) {
                    match first.entry((address, lowered(written))) {
                        Entry::Occupied(there) if there.get().0 != number(at) => {
                            let (other, by) = *there.get();
                            if self.is_elsewhere(other as usize, at) || written.starts_with('~') {
                                left = true;
                            } else {
                                taken.push((written, *place, &listen.address, self.names[by as usize].1));
                            }
                        }
                        Entry::Occupied(mut own) => {
                            left = true;
                            own.insert((number(at), number(name)));
                        }
                        Entry::Vacant(free) => {
                            left = true;
                            free.insert((number(at), number(name)));
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

    fn listens(&self, server: &Seen<'a>) -> &[Listening<'a>] {
        &self.listens[server.listens.clone()]
    }

    fn names(&self, server: &Seen<'a>) -> &[(Cow<'a, str>, Place)] {
        &self.names[server.names.clone()]
    }

    /// Whether two servers are the same one, or stand in two files of which only one will be there.
    fn is_elsewhere(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.all[one].block, &self.all[other].block);
        one.place() == other.place()
            || (one.document.path == other.document.path && one.document.file != other.document.file)
    }

    fn defaults(&self, whole: bool, rows: &mut Rows) {
        let mut by_address: HashMap<&str, Vec<(usize, bool)>> = HashMap::default();
        for (at, server) in self.all.iter().enumerate() {
            for listen in self.listens(server) {
                by_address.entry(&listen.address).or_default().push((at, listen.is_default));
            }
        }
        // One that listens somewhere unseen may be the first, or the one that is marked.
        let whole = whole && !self.all.iter().any(|server| server.listens_unseen);
        let mut addresses: Vec<_> = by_address.into_iter().filter(|(_, servers)| servers.len() > 1).collect();
        addresses.sort_unstable();
        for (address, servers) in addresses {
            let marked = servers.iter().find(|(_, is_default)| *is_default);
            let Some(&(default, _)) = marked.or(whole.then(|| &servers[0])) else { continue };
            let default = &self.all[default];
            let nameless = servers.iter().map(|(at, _)| &self.all[*at]).filter(|server| self.is_nameless(server));
            let unreached = |server: &&Seen<'_>| server.passes_on && !default.passes_on && !server.listens_unseen;
            for server in nameless.filter(unreached) {
                let mut row = self.row(server, address);
                row.unreached = Fact::derived(true);
                row.welcome = Fact::derived(default.welcomes);
                row.name = row.name.via(default.block.place(), "this server answers instead");
                rows.add(row, None);
            }
            if marked.is_none() {
                let mut row = self.row(default, address);
                row.confidence = Confidence::Likely;
                row.unreached = Fact::derived(false);
                row.welcome = Fact::derived(false);
                rows.add(row, None);
            }
        }
    }

    fn row(&self, server: &Seen<'a>, address: &str) -> Server {
        let mut row = Server::at(server.block.place());
        row.key = "default".to_owned();
        let (name, place) =
            self.names(server).first().map_or(("", server.block.place()), |(name, place)| (name, *place));
        row.name = Fact::read(name.to_owned(), place);
        row.address = Fact::derived(address.to_owned());
        row
    }

    /// Whether no request names the server, other than one made to reach it.
    fn is_nameless(&self, server: &Seen<'a>) -> bool {
        server.whole && self.names(server).iter().all(|(name, _)| matches!(&**name, "" | "_" | "localhost"))
    }
}

/// Servers and names are counted in half a word each.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// In small letters, in which nginx compares names; most are written so.
fn lowered(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

/// The address of a `listen` as nginx keeps it: without a host it is every one.
fn listening<'a>(listen: &Statement<'a>) -> Option<Listening<'a>> {
    let written = listen.text(0)?;
    let address: Cow<'a, str> = match &*written {
        unix if unix.starts_with("unix:") => written,
        "80" => "*:80".into(),
        "443" => "*:443".into(),
        port if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("*:{port}").into(),
        host if !host.trim_start_matches(|c| c != ']').contains(':') && !host.contains(':') => {
            format!("{host}:80").into()
        }
        host if host.ends_with(']') => format!("{host}:80").into(),
        whole if whole.contains("0.0.0.0:") => whole.replace("0.0.0.0:", "*:").into(),
        _ => written,
    };
    let is_default = listen.directive.arguments().any(|word| matches!(word.value(), "default_server" | "default"));
    Some(Listening { address, is_default })
}
