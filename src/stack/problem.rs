//! One row for each thing the real program refuses; pages take theirs by key.

use crate::finding::Confidence;
use crate::rows;
use crate::source::Place;
use crate::stack::fact::Fact;
use crate::syntax::Problem;
use crate::syntax::erb::FILLER;

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
    row.message = Fact::read(shown(&problem.message), place);
    for related in &problem.related {
        row.message = row.message.via(Place::at(place.file, related.span), shown(&related.value));
    }
    for (place, text) in &problem.elsewhere {
        row.message = row.message.via(*place, shown(text));
    }
    row.hint = problem.hint.as_ref().map_or_else(Fact::absent, |hint| Fact::read(shown(hint), place));
    row.cure = problem.cure.clone().map_or_else(Fact::absent, Fact::derived);
    row.ignored = Fact::derived(problem.ignored);
    row.path = Fact::read(path, Place::whole(place.file));
    row
}

/// A text for people: `…` for each template tag in it.
fn shown(text: &str) -> String {
    let mut parts = text.split(FILLER);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    let mut in_tag = false;
    for part in parts {
        if !in_tag {
            shown.push('…');
        }
        shown.push_str(part);
        in_tag = part.is_empty();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_shown_as_one_sign() {
        let tag = FILLER.to_string().repeat(7);
        assert_eq!(shown(&format!("write `env A=\"{tag}\"` and {tag}{tag}")), "write `env A=\"…\"` and …");
        assert_eq!(shown("plain"), "plain");
    }
}
