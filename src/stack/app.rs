//! What a Python app asks of its environment, what it opens when it is imported, and what it lets escape.


rows! {
    #[doc = "one WSGI app"]
    pub struct App in "apps" {
        #[doc = "the file of its WSGI module"]
        path: String,
        #[doc = "`flask`, `django` or `wsgi`"]
        framework: String,
        #[doc = "what opens a database connection while the app is imported"]
        connects_at_import: String,
        #[doc = "what makes an engine or pool while the app is imported"]
        engine_at_import: String,
        #[doc = "what replaces the pool in each worker: an after-fork dispose, NullPool, or a process check"]
        fork_safe: String,
        #[doc = "the setting that lets exceptions leave the WSGI callable"]
        exceptions_escape: String,
        #[doc = "the setting's configuration class or file, as selected"]
        configuration: String,
    }
}
