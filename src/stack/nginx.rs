//! What an nginx configuration passes on, to which address, from which server and location.

mod address;
mod alias;
mod backend;
mod capture;
mod condition;
mod expression;
mod header;
mod include;
mod level;
mod limits;
mod line;
mod location;
mod mount;
mod param;
mod passed_on;
mod redirect;
mod refused;
mod request;
mod root;
mod scalar;
mod server;
mod survey;
mod taint;
mod target;
mod upstream;
mod variable;

use crate::rows;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use alias::Alias;
pub use condition::If;
pub use header::Header;
pub use include::{Trees, includes, prefix};
pub use limits::{Limit, Limits};
pub use line::Line;
pub use mount::{Mount, Mounted, mounts};
pub use param::params;
pub use redirect::Redirect;
pub use request::Request;
pub use root::{CodeFolders, Root};
pub use server::Server;
pub use taint::Taint;
pub use target::PassTarget;
pub use upstream::KeepAlive;

use crate::source::FileId;
use crate::stack::document::{Document, Kind};
use crate::stack::fact::Row;
use crate::stack::view::View;
use crate::syntax::Problem;
use crate::syntax::data::Release;
use crate::syntax::nginx::Config;
use include::Assembly;
use passed_on::passed_on;

rows! {
    #[doc = "one `uwsgi_pass` or `proxy_pass` of nginx; keyed by the directive"]
    pub struct Pass in "passes" {
        #[doc = "the directive"]
        directive: &'static str,
        #[doc = "the address it connects to, such as `/run/app.sock` or `127.0.0.1:3031`, through `upstream` where there is one"]
        address: String,
        #[doc = "the names of its server"]
        server_names: Arc<[String]>,
        #[doc = "the location it stands in"]
        location: Arc<str>,
        #[doc = "the user nginx's workers run as"]
        user: Arc<str>,
    }
    derived {
        #[doc = "the protocol it speaks: `uwsgi` or `http`"]
        protocol: &'static str = directive by protocol_of,
        #[doc = "whether the address is on this host: a unix socket or a loopback address"]
        local: bool = address by address::is_local,
        #[doc = "whether the address is a unix socket"]
        unix: bool = address by is_path,
    }

    #[doc = "one `listen` of nginx: where requests come in"]
    pub struct Listen in "listens" {
        #[doc = "the address as written, such as `80`, `127.0.0.1:8080` or `unix:/run/nginx.sock`"]
        address: String,
        #[doc = "the TCP port; absent for a unix socket"]
        port: i64,
        #[doc = "whether it speaks TLS"]
        ssl: bool,
        #[doc = "the names of its server"]
        server_names: Arc<[String]>,
    }
}

fn protocol_of(directive: &str) -> &'static str {
    if directive == "uwsgi_pass" { "uwsgi" } else { "http" }
}

fn is_path(address: &str) -> bool {
    address.starts_with('/')
}

/// What was read from nginx's files.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Every pass, through each server of its upstream.
    pub passes: Vec<Arc<Pass>>,
    /// The limits that hold at each of them, in the same order.
    pub limits: Vec<Arc<Limits>>,
    /// Every listen.
    pub listens: Vec<Arc<Listen>>,
    /// What else its directives come to where they take effect.
    pub rows: Vec<Arc<dyn Row>>,
    /// The apps that it passes to below a path of their own.
    pub mounted: Vec<Mounted>,
    /// What nginx refuses across files, by the file it stands in.
    pub problems: Vec<(FileId, Problem)>,
    /// The files that were included.
    pub included: BTreeSet<FileId>,
}

impl Reading {
    fn add(&mut self, other: Reading) {
        self.passes.extend(other.passes);
        self.limits.extend(other.limits);
        self.listens.extend(other.listens);
        self.rows.extend(other.rows);
        self.mounted.extend(other.mounted);
        self.problems.extend(other.problems);
        self.included.extend(other.included);
    }
}

/// Whether a file is a main file, by its name or by what only a main file holds.
pub fn is_main(document: &Document, tree: &Config) -> bool {
    tree.is_main() || document.path.rsplit('/').next() == Some("nginx.conf")
}

/// What is known beside nginx's files.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The release that runs, where it was said.
    pub release: Option<Release>,
    /// Where the code of the apps lies.
    pub code: CodeFolders,
}

/// Reads every main file of the view with what it includes, then each fragment that nothing includes.
pub fn read_all(view: &View, trees: &Trees, beside: &Beside) -> Reading {
    let documents = view.of(Kind::Nginx).filter_map(|document| Some((document, &trees.get(&document.file)?.tree)));
    let (mains, fragments): (Vec<_>, Vec<_>) = documents.partition(|(document, tree)| is_main(document, tree));
    let mut all = Reading::default();
    for (document, _) in mains {
        all.add(read(view, trees, beside, document));
    }
    let alone: Vec<(FileId, Reading)> = fragments
        .into_iter()
        .filter(|(document, _)| !all.included.contains(&document.file))
        .map(|(document, _)| (document.file, read(view, trees, beside, document)))
        .collect();
    let mut includers: BTreeMap<FileId, BTreeSet<FileId>> = BTreeMap::new();
    for (file, reading) in &alone {
        reading.included.iter().for_each(|included| {
            includers.entry(*included).or_default().insert(*file);
        });
    }
    // Of two fragments that include each other the first one speaks.
    let speaks = |file: &FileId, reading: &Reading| {
        includers.get(file).is_none_or(|by| by.iter().all(|other| other >= file && reading.included.contains(other)))
    };
    alone.into_iter().filter(|(file, reading)| speaks(file, reading)).for_each(|(_, reading)| all.add(reading));
    all
}

/// Reads one main file, or one fragment on its own, with all that it includes.
pub fn read(view: &View, trees: &Trees, beside: &Beside, document: &Arc<Document>) -> Reading {
    let Some(parsed) = trees.get(&document.file) else { return Reading::default() };
    let main = is_main(document, &parsed.tree);
    let assembly = || Assembly::new(view, trees, prefix(document, main));
    // Three ways through the same statements, of which none needs what another finds.
    let refused = || {
        let assembly = assembly();
        (refused::problems(&assembly, document, beside.release, view.complete), assembly.included.take())
    };
    let surveyed = || {
        let assembly = assembly();
        let (top, seen) = assembly.top(document);
        survey::survey(&assembly, &top, seen, &beside.code)
    };
    let passed_on = || passed_on(&assembly(), document, main);
    // The longest first: whoever is done with another takes the third.
    let (found, ((problems, included), mut reading)) = rayon::join(surveyed, || rayon::join(refused, passed_on));
    (reading.rows, reading.mounted) = (found.rows, found.mounted);
    reading.problems.splice(0..0, problems);
    reading.included.extend(included);
    reading
}

#[cfg(test)]
mod tests;
