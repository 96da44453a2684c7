//! The chain: nginx to uWSGI to its job to the app, each link with how it was made and how sure it is.

use std::sync::Arc;

use crate::rows;
use crate::stack::app::App;
use crate::stack::job::Job;
use crate::stack::nginx::Pass;
use crate::stack::uwsgi::{Socket, Uwsgi};

rows! {
    #[doc = "one uWSGI instance with its job and its app"]
    pub struct Link in "links" {
        #[doc = "the instance"]
        uwsgi: Arc<Uwsgi>,
        #[doc = "the job that starts it"]
        job: Arc<Job>,
        #[doc = "the app it loads"]
        app: Arc<App>,
    }

    #[doc = "one pass of nginx with the socket it should meet"]
    pub struct PassLink in "pass_links" {
        #[doc = "the pass"]
        pass: Arc<Pass>,
        #[doc = "the uWSGI socket at that address"]
        socket: Arc<Socket>,
        #[doc = "the only uWSGI socket in sight, at another address"]
        other_socket: Arc<Socket>,
        #[doc = "on a host: what happens when nginx connects: `ok`, `missing`, `refused`, `denied`"]
        connects: String,
        #[doc = "on a host: whether a process listens at the address"]
        listened: bool,
        #[doc = "on a host: why nginx's user may not connect"]
        denied_because: String,
        #[doc = "on a host: whether a uWSGI master runs for this ini"]
        master_runs: bool,
    }
}
