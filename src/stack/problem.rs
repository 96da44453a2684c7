//! One row for each thing the real program refuses; pages take theirs by key.

use crate::finding::Confidence;
use crate::rows;
use crate::source::Place;
use crate::stack::fact::Fact;
use crate::syntax::Problem;

rows! {
    #[doc = "one thing that the real program refuses; keyed by the page that speaks for it"]
    pub struct Refusal in "problems" {
        #[doc = "what is wrong"]
        message: String,
        #[doc = "what to do about it"]
        hint: String,
        #[doc = "what to write in its place, where that is plain"]
        cure: String,
        #[doc = "whether the program goes on without it, rather than rejecting the whole file"]
        ignored: bool,
        #[doc = "the file"]
        path: String,
    }
}

/// The row of a problem that stands at `place` in the file called `path`.
pub fn refusal(problem: &Problem, place: Place, path: String) -> Refusal {
    let mut row = Refusal::at(place);
    problem.kind.clone_into(&mut row.key);
    if problem.doubtful {
        row.confidence = Confidence::Possible;
    }
    row.message = Fact::read(problem.message.clone(), place);
    for related in &problem.related {
        row.message = row.message.via(Place::at(place.file, related.span), related.value.clone());
    }
    for (place, text) in &problem.elsewhere {
        row.message = row.message.via(*place, text.clone());
    }
    row.hint = problem.hint.clone().map_or_else(Fact::absent, |hint| Fact::read(hint, place));
    row.cure = problem.cure.clone().map_or_else(Fact::absent, Fact::derived);
    row.ignored = Fact::derived(problem.ignored);
    row.path = Fact::read(path, Place::whole(place.file));
    row
}
