//! The databases the app is told to use, and what connecting to them showed.

use crate::rows;

rows! {
    #[doc = "one database, by the connection string the process really has; keyed by scheme"]
    pub struct Database in "databases" {
        #[doc = "the variable or setting the connection string came from"]
        variable: String,
        #[doc = "host and port, or the socket's folder; never the password"]
        address: String,
        #[doc = "the database's name"]
        name: String,
        #[doc = "the user that logs in"]
        user: String,
        #[doc = "how far a connection came: `name`, `tcp`, `tls`, `login`, `query`, or `ok`"]
        failed_at: String,
        #[doc = "the class of the failure, such as `tcp.refused` or `auth.rejected`"]
        failure: String,
        #[doc = "what the system or the server said, without secrets"]
        said: String,
    }
}
