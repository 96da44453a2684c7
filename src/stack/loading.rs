//! uWSGIs that take requests before their app is loaded.

use crate::rows;

rows! {
    #[doc = "on a host: one uWSGI that runs and has not loaded its app in every worker, though it takes requests"]
    pub struct Loading in "loadings" {
        #[doc = "how many workers run"]
        workers: i64,
        #[doc = "how many of them have loaded the app"]
        ready: i64,
        #[doc = "whether each worker loads the app for itself"]
        lazy: bool,
        #[doc = "how many requests nginx gave up since it started; the last of its lines"]
        given_up: i64,
    }
}
