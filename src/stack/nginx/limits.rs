//! What nginx lets through to the app behind a pass, and how long it waits for it (nginx: `ngx_http_core_module.c`,
//! `ngx_http_uwsgi_module.c`, `ngx_http_proxy_module.c`).

use std::sync::{Arc, LazyLock};

use super::include::Statement;
use super::scalar::{self, Clock};
use crate::stack::fact::{Answer, Fact, Missing};

/// The limits that hold in a block.
#[derive(Debug, Clone)]
pub struct Limits {
    /// After how many seconds without a byte of the answer nginx gives up, by the protocol it speaks.
    uwsgi_read_timeout: Fact<i64>,
    proxy_read_timeout: Fact<i64>,
    /// How many bytes a body may have; 0 for any number.
    pub body: Fact<i64>,
    /// How many bytes a request's line and headers may have.
    pub headers: Fact<i64>,
    /// Whether what is not set in a server may be set around it, out of sight.
    pub is_guess: bool,
}

/// Those of a server that sets none.
static DEFAULTS: LazyLock<Arc<Limits>> = LazyLock::new(|| Arc::new(Limits::defaults(false)));
/// The same where the `http` block around it is out of sight: what that sets for all servers is mostly nothing.
static GUESSED: LazyLock<Arc<Limits>> = LazyLock::new(|| Arc::new(Limits::defaults(true)));

impl Limits {
    /// nginx's defaults.
    fn defaults(is_guess: bool) -> Self {
        Self {
            uwsgi_read_timeout: Fact::default_of(60),
            proxy_read_timeout: Fact::default_of(60),
            body: Fact::default_of(1 << 20),
            headers: Fact::default_of(4 * (8 << 10)),
            is_guess,
        }
    }

    /// Those of a file outside every block. What is around a fragment is out of sight.
    pub(super) fn of_file(main: bool) -> Arc<Self> {
        if main { Arc::clone(&DEFAULTS) } else { Arc::new(Self::unseen("the server around it")) }
    }

    fn unseen(what: &str) -> Self {
        let unseen = || {
            Fact::unknown(Missing::new(format!("the limits of {what}"), "lint the files that nginx includes together"))
        };
        Self {
            uwsgi_read_timeout: unseen(),
            proxy_read_timeout: unseen(),
            body: unseen(),
            headers: unseen(),
            is_guess: true,
        }
    }

    /// Those of a block within these, by what stands in it.
    pub(super) fn within(outer: Arc<Self>, name: &str, statements: &[Statement<'_>], whole: bool) -> Arc<Self> {
        let mut inner = match whole {
            true if name == "server" && outer.is_guess => Arc::clone(&GUESSED),
            true => outer,
            false => Arc::new(Self::unseen(&format!("this `{name}`"))),
        };
        for statement in statements {
            let Some(argument) = statement.directive.argument(0) else { continue };
            let read = |of: fn(&str) -> Option<i64>| number(statement.fact(argument), of);
            match statement.directive.name() {
                "uwsgi_read_timeout" => Arc::make_mut(&mut inner).uwsgi_read_timeout = read(seconds),
                "proxy_read_timeout" => Arc::make_mut(&mut inner).proxy_read_timeout = read(seconds),
                "client_max_body_size" => Arc::make_mut(&mut inner).body = read(scalar::offset),
                "large_client_header_buffers" => Arc::make_mut(&mut inner).headers = buffers(statement),
                _ => {}
            }
        }
        inner
    }

    /// How long a pass in this block waits for its answer, in seconds.
    pub fn read_timeout(&self, protocol: &str) -> &Fact<i64> {
        if protocol == "uwsgi" { &self.uwsgi_read_timeout } else { &self.proxy_read_timeout }
    }
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
