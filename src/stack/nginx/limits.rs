//! What nginx lets through to the app behind a pass, and how long it waits for it (nginx: `ngx_http_core_module.c`,
//! `ngx_http_uwsgi_module.c`, `ngx_http_proxy_module.c`).

use std::sync::{Arc, LazyLock};

use super::include::Statement;
use super::scalar::{self, Clock};
use crate::stack::fact::{Answer, Fact, Missing};

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After how many seconds without a byte of the answer a `uwsgi_pass` gives up.
    UwsgiRead,
    /// The same of a `proxy_pass`.
    ProxyRead,
    /// How many bytes a body may have; 0 for any number.
    Body,
    /// How many bytes a request's line and headers may have.
    Headers,
}

impl Limit {
    fn of(directive: &str) -> Option<Self> {
        Some(match directive {
            "uwsgi_read_timeout" => Self::UwsgiRead,
            "proxy_read_timeout" => Self::ProxyRead,
            "client_max_body_size" => Self::Body,
            "large_client_header_buffers" => Self::Headers,
            _ => return None,
        })
    }

    fn default(self) -> i64 {
        match self {
            Self::UwsgiRead | Self::ProxyRead => 60,
            Self::Body => 1 << 20,
            Self::Headers => 4 * (8 << 10),
        }
    }
}

/// The limits that hold in a block: those that it sets, and for the rest those around it.
#[derive(Debug)]
pub struct Limits {
    /// Mostly one, of thousands of blocks: no more room than it takes.
    set: Box<[(Limit, Fact<i64>)]>,
    rest: Rest,
    /// Whether what is not set in a server may be set around it, out of sight.
    pub is_guess: bool,
}

/// What holds of limits that are not set.
#[derive(Debug)]
enum Rest {
    Around(Arc<Limits>),
    Defaults,
    OutOfSight(Missing),
}

/// Those of a server that sets none.
static DEFAULTS: LazyLock<Arc<Limits>> = LazyLock::new(|| Arc::new(Limits::only(Rest::Defaults, false)));
/// The same where the `http` block around it is out of sight: what that sets for all servers is mostly nothing.
static GUESSED: LazyLock<Arc<Limits>> = LazyLock::new(|| Arc::new(Limits::only(Rest::Defaults, true)));

impl Limits {
    fn only(rest: Rest, is_guess: bool) -> Self {
        Self { set: Box::default(), rest, is_guess }
    }

    /// Those of a file outside every block. What is around a fragment is out of sight.
    pub(super) fn of_file(main: bool) -> Arc<Self> {
        if main { Arc::clone(&DEFAULTS) } else { Self::unseen("the server around it") }
    }

    fn unseen(what: &str) -> Arc<Self> {
        let missing = Missing::new(format!("the limits of {what}"), "lint the files that nginx includes together");
        Arc::new(Self::only(Rest::OutOfSight(missing), true))
    }

    /// Those of a block within these, by what stands in it.
    pub(super) fn within(outer: Arc<Self>, name: &str, statements: &[Statement<'_>], whole: bool) -> Arc<Self> {
        let around = match whole {
            true if name == "server" && outer.is_guess => Arc::clone(&GUESSED),
            true => outer,
            false => Self::unseen(&format!("this `{name}`")),
        };
        let set: Box<[_]> = statements.iter().filter_map(set_by).collect();
        if set.is_empty() {
            return around;
        }
        let is_guess = around.is_guess;
        Arc::new(Self { set, rest: Rest::Around(around), is_guess })
    }

    /// The limit as it holds here; of several lines the last.
    pub fn get(&self, limit: Limit) -> Fact<i64> {
        let mut limits = self;
        loop {
            if let Some((_, fact)) = limits.set.iter().rev().find(|(other, _)| *other == limit) {
                return fact.clone();
            }
            limits = match &limits.rest {
                Rest::Around(around) => around,
                Rest::Defaults => return Fact::default_of(limit.default()),
                Rest::OutOfSight(missing) => return Fact::unknown(missing.clone()),
            };
        }
    }

    /// How long a pass in this block waits for its answer, in seconds.
    pub fn read_timeout(&self, protocol: &str) -> Fact<i64> {
        self.get(if protocol == "uwsgi" { Limit::UwsgiRead } else { Limit::ProxyRead })
    }
}

/// The limit that a directive sets.
fn set_by(statement: &Statement<'_>) -> Option<(Limit, Fact<i64>)> {
    let limit = Limit::of(statement.directive.name())?;
    let argument = statement.directive.argument(0)?;
    let fact = match limit {
        Limit::UwsgiRead | Limit::ProxyRead => number(statement.fact(argument), seconds),
        Limit::Body => number(statement.fact(argument), scalar::offset),
        Limit::Headers => buffers(statement),
    };
    Some((limit, fact))
}

fn seconds(text: &str) -> Option<i64> {
    scalar::time(text, Clock::Milliseconds).map(|milliseconds| milliseconds / 1000)
}

fn number(written: Fact<String>, of: fn(&str) -> Option<i64>) -> Fact<i64> {
    let missing = || Missing::new("this number of nginx's", "write it as nginx takes it");
    let answer = match &written.answer {
        Answer::Known(text) => of(text).map_or_else(|| Answer::Unknown(missing()), Answer::Known),
        Answer::Absent => Answer::Absent,
        Answer::Unknown(missing) => Answer::Unknown(missing.clone()),
    };
    Fact { answer, ..written.map(|_| 0) }
}

/// All of `large_client_header_buffers 4 8k` together.
fn buffers(statement: &Statement<'_>) -> Fact<i64> {
    let place = statement.place();
    let count = statement.text(0).and_then(|count| count.parse::<i64>().ok());
    match count.zip(statement.text(1).and_then(|size| scalar::size(&size))) {
        Some((count, size)) => Fact::read(count.saturating_mul(size), place),
        None => Fact::unknown(Missing::new("the size of these buffers", "write it as a number")).at(place),
    }
}
