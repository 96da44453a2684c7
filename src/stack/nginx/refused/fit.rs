//! Which context a fragment fits: the block that includes it is out of sight, its own statements tell.

use crate::syntax::data::nginx::{Contexts, Known, Row, find};
use crate::syntax::nginx::{Directive, Items};

/// The contexts among `allowed` that every statement fits; where none does, the one that most of them fit.
pub(super) fn fit<'a>(items: Items<'a>, allowed: Contexts) -> Contexts {
    let statements: Vec<Contexts> = items.directives().filter_map(contexts).collect();
    let all = statements.iter().fold(allowed, |all, one| all & *one);
    if !all.is_none() {
        return all;
    }
    let fitting = |context: &Contexts| statements.iter().filter(|one| one.meets(*context)).count();
    let best = allowed.each().max_by_key(|context| (fitting(context), likely(*context)));
    best.unwrap_or(allowed)
}

/// Of contexts that fit equally well, which is more common.
fn likely(context: Contexts) -> u8 {
    match context {
        Contexts::HTTP => 3,
        Contexts::SERVER => 2,
        Contexts::LOCATION => 1,
        _ => 0,
    }
}

/// Where a directive may stand; none where nothing is known of it, and of `include`, which may stand anywhere.
fn contexts(directive: Directive<'_>) -> Option<Contexts> {
    let Some(Known::Own(rows)) = find(directive.name()) else { return None };
    if directive.is("include") {
        return None;
    }
    let all =
        |rows: &mut dyn Iterator<Item = &Row>| rows.map(|row| row.contexts).fold(Contexts::NONE, |all, one| all | one);
    let same_form = all(&mut rows.iter().filter(|row| row.block == directive.has_block()));
    Some(if same_form.is_none() { all(&mut rows.iter()) } else { same_form })
}

/// Whether a fragment holds lines of a `map`, `geo` or `types` alone: not one of its statements is a directive.
pub(super) fn holds_data(items: Items<'_>) -> bool {
    let mut any = false;
    items.directives().all(|directive| {
        any = true;
        !directive.has_block() && find(directive.name()).is_none()
    }) && any
}
