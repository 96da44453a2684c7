//! One row for each thing the real program refuses; pages take theirs by key.

use crate::rows;

rows! {
    #[doc = "one thing that the real program refuses; keyed by the page that speaks for it"]
    pub struct Refusal in "problems" {
        #[doc = "what is wrong"]
        message: String,
        #[doc = "what to do about it"]
        hint: String,
        #[doc = "the file"]
        path: String,
    }
}
