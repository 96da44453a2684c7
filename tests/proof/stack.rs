//! The files of a stack: an example of a rule page, completed by what the page leaves out.

use std::collections::{BTreeMap, BTreeSet};

use housecall::engine::{Options, lint_memory};
use housecall::finding::Severity;
use housecall::rule::example::{Example, Show};
use housecall::rule::page;

use crate::servers::Servers;

/// Files by their paths from the root of a host.
#[derive(Debug, Clone)]
pub struct Stack(BTreeMap<String, String>);

impl Stack {
    /// The Bad example of a page, counted from 0.
    pub fn bad(rule: &str, number: usize) -> Self {
        Self::shown(rule, Show::Bad, number)
    }

    /// A Good example of a page, counted from 0.
    pub fn good(rule: &str, number: usize) -> Self {
        Self::shown(rule, Show::Good, number)
    }

    /// The first Bad example of a page with its fix applied.
    pub fn fixed(rule: &str) -> Self {
        let mut stack = Self::bad(rule, 0);
        stack.0.extend(Self::shown(rule, Show::Fixed, 0).0);
        stack
    }

    fn shown(rule: &str, show: Show, number: usize) -> Self {
        let pages = page::built_in().unwrap();
        let page = pages.iter().find(|page| page.id == rule).unwrap_or_else(|| panic!("there is no page {rule}"));
        let example = page.examples.iter().filter(|example| example.show == show).nth(number);
        files_of(example.unwrap_or_else(|| panic!("{rule} has no {show:?} number {number}")))
    }

    /// No file yet.
    pub fn empty() -> Self {
        Self(BTreeMap::new())
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> &str {
        self.0.get(path).unwrap_or_else(|| panic!("there is no {path}"))
    }

    /// With one more file.
    pub fn with(mut self, path: &str, text: &str) -> Self {
        assert!(self.0.insert(path.to_owned(), text.to_owned()).is_none(), "{path} is there already");
        self
    }

    /// With lines at the end of a file.
    pub fn append(mut self, path: &str, lines: &str) -> Self {
        self.text_mut(path).push_str(lines);
        self
    }

    /// With another text in place of one that stands once in a file.
    pub fn replace(mut self, path: &str, old: &str, new: &str) -> Self {
        let text = self.text_mut(path);
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {path}:\n{text}");
        *text = text.replacen(old, new, 1);
        self
    }

    fn text_mut(&mut self, path: &str) -> &mut String {
        self.0.get_mut(path).unwrap_or_else(|| panic!("there is no {path}"))
    }

    /// The files, by path.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The rules that speak, as people see them: at or above `warning`.
    pub fn lint(&self) -> Vec<String> {
        let files: Vec<_> = self.0.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
        let report = lint_memory(&files, &Options::default()).report;
        let loud = report.findings.into_iter().filter(|finding| finding.severity >= Severity::Warning);
        loud.map(|finding| finding.rule).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// nginx and uWSGI, running with these files.
    pub fn start(&self) -> Servers {
        self.start_with(&[])
    }

    /// The same, started by hand in a shell that has these variables.
    pub fn start_with(&self, environment: &[(&str, &str)]) -> Servers {
        Servers::start(self, environment)
    }
}

fn files_of(example: &Example) -> Stack {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let path = |path: &str| path.trim_start_matches('/').to_owned();
    Stack(example.files.iter().map(|file| (path(&file.path), text(&file.bytes))).collect())
}

/// A site that passes everything to uWSGI on its usual port.
pub const SITE: &str = "server {
    listen 80;
    server_name shop.example;
    location / {
        include uwsgi_params;
        uwsgi_pass 127.0.0.1:3031;
    }
}
";

/// An app whose address `/NAME` answers with the environment variable, and `/slow` after five seconds.
pub const APP: &str = "import os
import time

from flask import Flask

app = application = Flask(__name__)


@app.route('/')
def index():
    return 'here'


@app.route('/<name>')
def variable(name):
    return os.environ.get(name, 'none')


@app.route('/slow')
def slow():
    time.sleep(5)
    return 'at last'
";
