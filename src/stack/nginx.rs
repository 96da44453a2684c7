//! What an nginx configuration passes on, to which address, from which server and location.

use crate::rows;

rows! {
    #[doc = "one `uwsgi_pass` or `proxy_pass` of nginx; keyed by the directive"]
    pub struct Pass in "passes" {
        #[doc = "the directive"]
        directive: String,
        #[doc = "the protocol it speaks: `uwsgi` or `http`"]
        protocol: String,
        #[doc = "the address it connects to, such as `/run/app.sock` or `127.0.0.1:3031`, through `upstream` where there is one"]
        address: String,
        #[doc = "whether the address is on this host: a unix socket or a loopback address"]
        local: bool,
        #[doc = "the names of its server"]
        server_names: Vec<String>,
        #[doc = "the location it stands in"]
        location: String,
        #[doc = "the user nginx's workers run as"]
        user: String,
    }
}
